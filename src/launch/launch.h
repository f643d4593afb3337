/* SPDX-License-Identifier: MIT */
/* The one way from a plan to a task. */
#ifndef RAMET_LAUNCH_LAUNCH_H
#define RAMET_LAUNCH_LAUNCH_H

#include "launch/plan.h"
#include "launch/slot.h"

/* Load the spec, read what the plan needs of the caller, make the plan; error filled on
 * failure. `helper`: programs in memory can be run. */
int launch_plan(const struct ramet_spec *spec, struct ramet_spec *ret_loaded, bool twice,
		bool helper, struct plan *ret, struct ramet_error *error);

/*
 * Whether a child with CLONE_VM really shares memory here. valgrind and qemu-user give it a copy.
 * Asked of the kernel once in a process's life, with a child that writes one word.
 */
bool host_shares_memory(void);

/* Milliseconds of a clock that never goes back. */
int64_t now_ms(void);

/* Wait for an ended task and forget it. Returns the signal that ended it, 0, or -errno. */
int task_reap(pid_t tid);

/* The child's side of a plan with an init: see init.c. Freestanding. */
long init_split(struct child *child, unsigned next);

#endif
