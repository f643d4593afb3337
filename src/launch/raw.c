/* SPDX-License-Identifier: MIT */
/*
 * Owns the choice between clone3 and clone(2). Freestanding: also part of the probe's helper.
 * Falls back on what means 'missing', never on any other error: an EINVAL, EAGAIN or a true
 * EPERM is the kernel's answer to this very call and must reach the user.
 */
#include "launch/raw.h"

#include <errno.h>

#include "base/sys.h"

/*
 * A filter that refuses clone3 without looking at its arguments (it cannot: they lie in memory)
 * answers this one too. The kernel itself says EINVAL to a size of 0.
 */
static bool clone3_filtered(void)
{
	return sys2(SYS_clone3, 0, 0) == -EPERM;
}

/* What clone(2) has no way to say. */
static bool needs_clone3(const struct clone_args *args)
{
	const uint64_t both = CLONE_PIDFD | CLONE_PARENT_SETTID;

	return args->flags >> 32 || args->flags & CSIGNAL || args->set_tid_size ||
	       args->exit_signal & ~CSIGNAL || (args->flags & both) == both;
}

long raw_clone_legacy(const struct clone_args *args, int (*fn)(void *), void *arg)
{
	struct arch_clone_regs regs = {
		.flags = args->flags | args->exit_signal,
		.stack = args->stack + args->stack_size,
		.parent_tid = args->flags & CLONE_PIDFD ? args->pidfd : args->parent_tid,
		.child_tid = args->child_tid,
		.tls = args->tls,
	};

	if (needs_clone3(args))
		return -EINVAL;
	return arch_clone(&regs, fn, arg);
}

long raw_clone(const struct clone_args *args, size_t size, uint64_t droppable,
	       struct raw_used *used, int (*fn)(void *), void *arg)
{
	struct clone_args rest;
	long r;

	used->flags = args->flags;
	used->clone3 = true;
	used->missing = false;
	r = arch_clone3(args, size, fn, arg);
	if (r != -ENOSYS && !(r == -EPERM && clone3_filtered()))
		return r;
	used->missing = true;

	/* clone(2) writes the pidfd where it writes the tid: together they do not go. */
	if (!(args->flags & CLONE_PARENT_SETTID))
		droppable &= ~CLONE_PIDFD;
	rest = *args;
	rest.flags &= ~droppable;
	if (needs_clone3(&rest))
		return r;
	used->flags = rest.flags;
	used->clone3 = false;
	return raw_clone_legacy(&rest, fn, arg);
}
