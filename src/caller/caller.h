/* SPDX-License-Identifier: MIT */
/* What the rules of the model want to know about the process that calls. */
#ifndef RAMET_CALLER_CALLER_H
#define RAMET_CALLER_CALLER_H

#include <ramet/model.h>

/*
 * Read the state of the calling thread as far as rules for `call` look at it. What cannot be
 * read (no /proc, a filter) is left 0 and its bit in ret->known is not set. Always 0.
 * Allocates nothing, keeps no descriptor open. Meant for after a refusal: it may take milliseconds
 * where RLIMIT_NPROC is near and the user's tasks must be counted, and for unshare of memory or
 * handlers and for setns, where every task is asked what it shares with the caller.
 */
int caller_read(const struct ramet_call *call, struct ramet_caller *ret);

/* The running kernel's version as in struct ramet_caller, stable releases of Debian's told apart. */
unsigned caller_kernel(void);

#endif
