/* SPDX-License-Identifier: MIT */
/* What the calling thread does for a child that waits: the steps of side CALLER. */
#ifndef RAMET_LAUNCH_CALLER_SIDE_H
#define RAMET_LAUNCH_CALLER_SIDE_H

#include <ramet/ramet.h>

/* Run one for the child `tid`. 0 or -errno. A guard taken must be let go of after the launch. */
int caller_step(const struct ramet_step *step, pid_t tid);

/*
 * Keep others from reading this process's memory while a child under another identity shares it.
 * Counted: the process becomes dumpable again, if it was, when the last such launch is over.
 */
int guard_take(void);
void guard_let_go(void);

/* Wait until the task, which has called exec or ended, shares this process's memory no more. */
void guard_await_parted(pid_t tid);

/* In a copy of the process that the C library's fork did not make: no guard is held here. */
void guard_forget(void);

/*
 * Round the making of a child and the writing of its id maps, as a user without rights over
 * others' files: waits until no guard is held, and keeps guards waiting. A guard of the same
 * launch is taken after the end.
 */
void maps_begin(void);
void maps_end(void);

#endif
