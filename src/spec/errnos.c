/* SPDX-License-Identifier: MIT */
/* Names of the errnos that clone, exec, wait and the steps give; not every libc can tell them. */
#include <errno.h>

#include "spec/spec.h"

#define NAME(e) [e] = #e
static const char *const names[] = {
	NAME(EPERM),	    NAME(ENOENT),     NAME(ESRCH),	NAME(EINTR),	 NAME(EIO),
	NAME(ENXIO),	    NAME(E2BIG),      NAME(ENOEXEC),	NAME(EBADF),	 NAME(ECHILD),
	NAME(EAGAIN),	    NAME(ENOMEM),     NAME(EACCES),	NAME(EFAULT),	 NAME(ENOTBLK),
	NAME(EBUSY),	    NAME(EEXIST),     NAME(EXDEV),	NAME(ENODEV),	 NAME(ENOTDIR),
	NAME(EISDIR),	    NAME(EINVAL),     NAME(ENFILE),	NAME(EMFILE),	 NAME(ENOTTY),
	NAME(ETXTBSY),	    NAME(EFBIG),      NAME(ENOSPC),	NAME(ESPIPE),	 NAME(EROFS),
	NAME(EMLINK),	    NAME(EPIPE),      NAME(EDOM),	NAME(ERANGE),	 NAME(EDEADLK),
	NAME(ENAMETOOLONG), NAME(ENOSYS),     NAME(ENOTEMPTY),	NAME(ELOOP),	 NAME(ELIBBAD),
	NAME(EUSERS),	    NAME(EOPNOTSUPP), NAME(EADDRINUSE), NAME(ETIMEDOUT), NAME(EALREADY),
	NAME(ESTALE),	    NAME(EDQUOT),     NAME(ECANCELED),	NAME(EOVERFLOW),
};

const char *errno_name(int error)
{
	if (error > 0 && error < (int)(sizeof(names) / sizeof(names[0])) && names[error])
		return names[error];
	return "errno";
}
