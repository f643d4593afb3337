/* SPDX-License-Identifier: MIT */
/*
 * The out-of-memory killer kills all that share memory with the process it picks, but passes over
 * a child of vfork. So a child that shares the caller's memory in a cgroup with limits of its own
 * should be one; but then the caller is held, and whoever may stop the child, its new user say,
 * stops the caller. This task stands between: it makes the child with CLONE_VFORK and is held, the
 * child is the caller's own by CLONE_PARENT, and the caller waits with a deadline. The child runs
 * on this task's stack, below its frames.
 */
#include "launch/shield.h"

#include "base/sys.h"

int shield_run(void *arg)
{
	struct shield *s = arg;
	struct child_record *record = s->child->record;
	long r;

	if (s->strict) {
		*s->used = (struct raw_used){.flags = s->args->flags, .clone3 = true};
		r = arch_clone3(s->args, sizeof(*s->args), child_run, s->child);
	} else {
		r = raw_clone(s->args, sizeof(*s->args), s->droppable, s->used, child_run,
			      s->child);
	}
	if (r < 0) {
		__atomic_store_n(&s->error, (int32_t)r, __ATOMIC_RELEASE);
		__atomic_store_n(&record->word, CHILD_WORD_GONE, __ATOMIC_RELEASE);
		sys_futex_wake(&record->word, 1);
	}
	return 0;
}
