/* SPDX-License-Identifier: MIT */
/*
 * What runs in a new task between clone and its body: an array of steps, in a loop of raw system
 * calls. Freestanding: no C library state, no allocation, no lock, since the memory may be the
 * caller's, and little stack, since the stack may be too.
 */
#ifndef RAMET_CHILD_CHILD_H
#define RAMET_CHILD_CHILD_H

#include <ramet/ramet.h>
#include <stdbool.h>

#include "uapi/misc.h"

/* How far the child came. Written by the child, read by the caller once it is over. */
enum child_phase {
	CHILD_UNBORN = 0,
	CHILD_STEPPING, /* its first act: proof that the record is really shared */
	CHILD_FAILED,	/* step and error say what */
	CHILD_BODY,	/* about to exec, or in the function */
};

/* Values of child_record.go. */
enum { CHILD_GO_WAIT = 0, CHILD_GO_ON, CHILD_GO_ABORT };

/*
 * Values of child_record.word, the futex the caller waits on. The kernel makes it 0 when the
 * child leaves the shared memory (CLONE_CHILD_CLEARTID: exec or end). Where memory is copied the
 * kernel does not, so the child makes it a robust futex that it owns: tid and waiters bit, and at
 * exec or end the kernel adds FUTEX_OWNER_DIED.
 */
#define CHILD_WORD_GONE 0U
#define CHILD_WORD_STEPPING 1U
#define CHILD_WORD_STARTED 2U

/* Shared between the child and its caller, whether memory is shared or copied. */
struct child_record {
	uint32_t word;
	uint32_t go;
	uint32_t phase; /* enum child_phase */
	uint32_t step;	/* index of the failed one */
	int32_t error;	/* errno, positive */
	struct kernel_robust_list link;
};

/* The futex word of a robust entry lies this far from its link. */
#define CHILD_ROBUST_OFFSET                                                                        \
	((long)offsetof(struct child_record, word) - (long)offsetof(struct child_record, link))

struct child {
	const struct ramet_step *steps;
	unsigned count;
	struct child_record *record;
	const uint64_t *used_flags; /* clone flags as issued */
	bool clear_handlers;	    /* caught signals go to default before the mask is set */
	bool shielded;		    /* CLONE_PARENT makes it the caller's child */
	bool copied;		    /* memory is a copy of the caller's */
	bool robust;		    /* memory is copied: own record->word */
	bool notify;		    /* the caller waits on record->word */
	bool has_time_namespace;    /* step_time_offset() has made it */
	int landlock;		    /* rules, where landlock_rights is not 0 */
	uint64_t landlock_rights;
	bool has_root; /* `root` is where the new root lies */
	int root;
	const int *
		pidfd; /* where the kernel has written its own, while it shares the caller's table */
	int caller;    /* pid of the launching process, in its own namespace */
	int lifted;    /* the one descriptor parked out of the way, -1 */
	struct kernel_robust_list_head robust_list;
	struct kernel_robust_list_head *libc_robust_list; /* what own_word() set aside */
	/* Makes the child of an init; set where a plan has that step. */
	long (*split)(struct child *child, unsigned next);
};

/* All of it: mark, steps, body. Is the fn of a clone; the result is the exit status. */
int child_run(void *child);

/* The steps from `next` on, without the mark. Result as child_run. */
int child_continue(struct child *child, unsigned next);

/* Tell the caller that waits on the word that the body runs. */
void child_started(struct child *child);

/* The exit status of a child whose step failed; the caller reads the record instead. */
#define CHILD_FAILED_STATUS 127

enum step_side { STEP_SIDE_CHILD, STEP_SIDE_CALLER, STEP_SIDE_PLAN };

/* A row of kinds.def. */
struct step_kind {
	const char *name;
	const char *text;
	enum step_side side;
	unsigned rank;
	long (*run)(struct child *child, const struct ramet_step *step);
};

/* NULL for what is no kind. */
const struct step_kind *step_kind(uint32_t kind);

/* Close first..last, both included, with what the kernel has. 0 or -errno. */
long child_close_range(unsigned first, unsigned last);

/* RAMET_STEP_DUP: `number` or `to` of this value means the lifted descriptor. */
#define CHILD_FD_LIFTED (-2)

#endif
