/* SPDX-License-Identifier: MIT */
/* The system call of a stopped task, and the filter that stops tasks at those that matter. */
#ifndef RAMET_TRACE_CALL_H
#define RAMET_TRACE_CALL_H

#include <linux/filter.h>

#include "explain/lines.h"

/*
 * Read which call a stopped task is in. 1: one that makes tasks or parts what they share, *ret is
 * written; 0: another; -EXDEV: not our filter has stopped it; -ESRCH: it is gone.
 */
int call_read(int tid, struct line_call *ret);

/*
 * Change flags of clone(2) in the registers of a task that is in the call. 0, -ENOTSUP where they
 * do not lie in a register that can be changed (clone3), or -errno.
 */
int call_change_flags(int tid, const struct line_call *call, uint64_t clear, uint64_t set);

/*
 * Let the call that a task was stopped at by a filter fail with ENOSYS: what the kernel does for a
 * filter of the program's own that wants a tracer, and has none.
 */
void call_refuse(int tid);

#define CALL_FILTER_MAX 32

/* The filter program: how many instructions were written. */
size_t call_filter(struct sock_filter ret[CALL_FILTER_MAX]);

#endif
