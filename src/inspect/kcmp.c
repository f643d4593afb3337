/* SPDX-License-Identifier: MIT */
/* kcmp(2). A kernel without CONFIG_KCMP says -ENOSYS. */
#include "inspect/inspect.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

int inspect_kcmp(pid_t a, pid_t b, enum inspect_object object)
{
	long r = syscall(SYS_kcmp, a, b, (int)object, 0, 0);

	return r < 0 ? -errno : (int)r;
}

int inspect_same(const struct inspect_task *a, const struct inspect_task *b,
		 enum inspect_object object)
{
	int r = inspect_kcmp(a->tid, b->tid, object);

	return r < 0 ? r : r == 0;
}
