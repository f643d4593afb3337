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

#endif
