/* SPDX-License-Identifier: MIT */
/* The one way from a plan to a task. */
#ifndef RAMET_LAUNCH_LAUNCH_H
#define RAMET_LAUNCH_LAUNCH_H

#include "launch/plan.h"
#include "launch/slot.h"

/* What a plan has to do without, because it was tried and is not to be had here. */
enum {
	AVOID_HELPER = 1,  /* programs in memory */
	AVOID_PARTING = 2, /* close_range that parts from a shared table */
	AVOID_FETCH = 4,   /* pidfd_getfd on the caller */
	AVOID_ONCE = 8, /* the same, for what is the spec's fault and shall be told by its step */
	AVOID_CLEARING = 16, /* clone3, and with it CLONE_CLEAR_SIGHAND */
};

/* Of these: what will be refused the next time as well. */
#define AVOID_LASTING (AVOID_PARTING | AVOID_FETCH | AVOID_CLEARING)

enum launch_how { LAUNCH_AND_WAIT, LAUNCH_TWICE, LAUNCH_BEGIN };

struct launch_wish {
	enum launch_how how;
	unsigned avoid;
	const struct ramet_template *again; /* NULL: the spec is planned */
	const struct ramet_change *change;
	const char *path; /* to search instead of the caller's PATH; NULL: that one */
	int witness;	  /* descriptor that the child keeps until it execs or ends; -1: none */
};

/* AVOID_LASTING, as far as this process has found it out. */
unsigned launch_avoids(void);

/* Load the spec, read what the plan needs of the caller, make the plan; error filled on failure. */
int launch_plan(const struct ramet_spec *spec, struct ramet_spec *ret_loaded,
		const struct launch_wish *wish, struct plan *ret, struct ramet_error *error);

/* As launch_plan(), of a template and what is changed in it. The spec stays the template's. */
int template_plan(const struct launch_wish *wish, struct ramet_spec *ret_loaded, struct plan *ret,
		  struct ramet_error *error);

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
