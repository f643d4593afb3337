/* SPDX-License-Identifier: MIT */
/* What an argument of one of the calls is; the tables name them, args.c reads them. */
#ifndef RAMET_EXPLAIN_ARGS_H
#define RAMET_EXPLAIN_ARGS_H

#include "explain/scan.h"

enum arg {
	ARG_NONE, /* ends a layout; as an argument's meaning: not one of ours */
	ARG_FLAGS,
	ARG_EXIT_SIGNAL,
	ARG_STACK,
	ARG_STACK_SIZE,
	ARG_PARENT_TID,
	ARG_CHILD_TID,
	ARG_TLS,
	ARG_PIDFD,
	ARG_SET_TID,
	ARG_SET_TID_SIZE,
	ARG_CGROUP,
	ARG_BLOCK, /* clone3's first */
	ARG_SIZE,
	ARG_FD,
	ARG_FUNCTION, /* of the C library's clone: where the task begins */
	ARG_ANY,      /* not looked at */
};

/* By the name that a tracer or the kernel gives it; ARG_NONE if none of ours. */
enum arg arg_find(struct span name);

/* The order of clone's arguments: ends with ARG_NONE. */
const uint8_t *clone_layout(int order);

/*
 * The C library's clone(fn, stack, flags, arg, …), as ltrace shows it and programs have it: whether
 * a list of unnamed arguments is meant for it and not for the kernel's clone, and their order.
 */
bool is_library_clone(struct span list);
extern const uint8_t library_clone_layout[];

#endif
