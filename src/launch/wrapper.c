/* SPDX-License-Identifier: MIT */
/* The call itself, in its two spellings. Async-signal-safe; nothing is checked that is not fatal. */
#include <errno.h>
#include <stdarg.h>

#include "base/sys.h"
#include "launch/raw.h"
#include "ramet/ramet.h"

long ramet_clone3(const struct clone_args *args, size_t size, int (*fn)(void *), void *arg)
{
	struct raw_used used;
	const uint64_t flags = size >= CLONE_ARGS_SIZE_VER0 ? args->flags : 0;
	const bool shared = flags & CLONE_VM;
	struct clone_args known = {0};

	if (shared && (!fn || (!args->stack && !(flags & CLONE_VFORK))))
		return -EINVAL;
	if (size > sizeof(known) || size < CLONE_ARGS_SIZE_VER0)
		return arch_clone3(args, size, fn, arg);
	for (size_t i = 0; i < size; i++)
		((unsigned char *)&known)[i] = ((const unsigned char *)args)[i];
	return raw_clone(&known, size, 0, &used, fn, arg);
}

int ramet_clone(int (*fn)(void *), void *stack_top, int flags, void *arg, ...)
{
	const uint64_t wants = (unsigned)flags;
	struct arch_clone_regs regs = {.flags = wants, .stack = (uintptr_t)stack_top};
	va_list more;

	long r;

	if (!fn || !stack_top) {
		errno = EINVAL;
		return -1;
	}
	/* In order, each there only if it or a later one is asked for. */
	va_start(more, arg);
	if (wants & (CLONE_PARENT_SETTID | CLONE_PIDFD | CLONE_SETTLS | CLONE_CHILD_SETTID |
		     CLONE_CHILD_CLEARTID))
		regs.parent_tid = (uintptr_t)va_arg(more, pid_t *);
	if (wants & (CLONE_SETTLS | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID))
		regs.tls = (uintptr_t)va_arg(more, void *);
	if (wants & (CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID))
		regs.child_tid = (uintptr_t)va_arg(more, pid_t *);
	va_end(more);
	r = arch_clone(&regs, fn, arg);
	if (r < 0) {
		errno = (int)-r;
		return -1;
	}
	return (int)r;
}
