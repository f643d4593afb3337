/* SPDX-License-Identifier: MIT */
/* A launch under way, and how it ends: from the made task to 'its body runs' or 'it is gone'. */
#ifndef RAMET_LAUNCH_OUTCOME_H
#define RAMET_LAUNCH_OUTCOME_H

#include "launch/helper.h"
#include "launch/launch.h"

struct launch {
	struct plan plan;
	struct raw_used used;
	struct slot *slot;     /* NULL: none is needed */
	struct helper *helper; /* the helper way's: &helper_ while it is open */
	struct helper helper_;
	struct child_record *record;
	uint64_t mask; /* the caller's */
	int pidfd;
	int own_pidfd;	  /* of this process, for a child that cannot see its parent; -1 */
	pid_t tid;	  /* 0: not known yet, with a shield */
	pid_t shield;	  /* the task between, 0: none */
	unsigned avoid;	  /* AVOID_*, found out in this attempt */
	bool guarded;	  /* holds a guard_take() */
	bool mapping;	  /* between maps_begin() and maps_end() */
	bool pending;	  /* made, not settled: for outcome_of() later */
	int64_t deadline; /* of now_ms(), once made */
};

/* Between them nobody makes the memory unreadable: see guard.c. */
void begin_mapping(struct launch *l);
void end_mapping(struct launch *l);

/* Forget a task whose end is certain. Returns the signal that ended it, 0 if none or unknown. */
int bury(struct launch *l);

enum child_phase phase_of(const struct child_record *record);

/* The child is gone or in its body: which, and if it is gone why. */
int judge(struct launch *l, const struct child_record *record, struct ramet_error *error);

/* The caller's steps, and the child is let go on. On failure the child is gone. */
int let_go_on(struct launch *l, struct ramet_error *error);

/*
 * Wait until the body runs or the child is gone, at most until the launch's deadline, when it is
 * killed, or `until`, when -EINPROGRESS says that there is no outcome yet. Times of now_ms().
 */
int outcome_of(struct launch *l, int64_t until, struct ramet_error *error);

/*
 * Make the task, in another way where one turns out not to be had. With l->pending afterwards the
 * outcome is still to be waited for.
 */
int launch_make(struct launch *l, const struct ramet_spec *spec, struct launch_wish wish,
		struct ramet_task *ret_task, struct ramet_error *error);

/*
 * With r the outcome: release what the launch has of its own; what a task that runs still needs
 * goes to its handle. Returns r.
 */
int launch_conclude(struct launch *l, int r, struct ramet_task *ret_task);

/*
 * Calls of the C library are points at which a thread can be cancelled; what a launch has made by
 * then would stay for ever, and the gate of guard.c be locked. Between these two it is not: the
 * cancellation waits. Returns what cancelled_again() wants.
 */
int not_cancelled(void);
void cancelled_again(int state);

/* Whether outcome_of() need not wait. */
bool has_outcome(const struct launch *l);

#endif
