/* SPDX-License-Identifier: MIT */
/* The clone call of every way, freestanding: clone3, or clone(2) where clone3 is not to be had. */
#ifndef RAMET_LAUNCH_RAW_H
#define RAMET_LAUNCH_RAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "uapi/clone.h"

/* How a task was in fact made; written before the call, so the child may read it. */
struct raw_used {
	uint64_t flags; /* as issued, exit signal apart */
	bool clone3;
	bool missing; /* clone3 was tried and is not to be had */
};

/*
 * Make a task that runs fn(arg). clone3 first; where it is missing (ENOSYS) or answered by a
 * filter (EPERM even for a call the kernel itself refuses with EINVAL) clone(2), but only if
 * nothing in args needs clone3. Flags in `droppable` do not count as needing it: they are left
 * out, and the caller makes up for them (*used tells).
 * Returns the tid or -errno.
 */
long raw_clone(const struct clone_args *args, size_t size, uint64_t droppable,
	       struct raw_used *used, int (*fn)(void *), void *arg);

/* clone(2) with the fields of args; -EINVAL if they cannot be said there. */
long raw_clone_legacy(const struct clone_args *args, int (*fn)(void *), void *arg);

#endif
