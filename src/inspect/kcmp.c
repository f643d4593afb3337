/* SPDX-License-Identifier: MIT */
/* kcmp(2). A kernel without CONFIG_KCMP says -ENOSYS. */
#include "inspect/inspect.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

int inspect_same(const struct inspect_task *a, const struct inspect_task *b,
		 enum inspect_object object)
{
	long r = syscall(SYS_kcmp, a->tid, b->tid, (int)object, 0, 0);

	return r < 0 ? -errno : r == 0;
}
