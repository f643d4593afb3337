/* SPDX-License-Identifier: MIT */
/*
 * The hosted half's inside: threads of the C library's making, with what ramet knows of them.
 *
 *	create.c   a thread's beginning, its end, and who it is
 *	parts.c    what it is to have of its own, and the other steps before its body
 *	join.c     join and detach
 *	own.c      name, processors, signals and the like of a thread
 *	keys.c     values under keys
 *
 * What threads wait for each other with, and which keys there are, is in thread/sync, the same
 * for both machines.
 */
#ifndef RAMET_THREAD_HOSTED_H
#define RAMET_THREAD_HOSTED_H

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>

#include <ramet/ramet.h>
#include <ramet/thread.h>

#include "base/sys.h"
#include "launch/plan.h"
#include "thread/sync/futex.h"

/* Of ramet_thread.state. Both sides leave JOINABLE by one atomic step; who loses frees. */
enum {
	JOINABLE = 0,
	DETACHED, /* frees its record itself */
	FINISHED, /* whoever joins or detaches it frees that */
};

/*
 * A thread's record: allocated by its creator, or, of one that ramet did not make, a variable of
 * its own. It outlives a thread that can be joined.
 */
struct ramet_thread {
	uint32_t state;
	uint32_t claimed;  /* by who joins or detaches */
	uint32_t tid;	   /* 0 until it runs: started() waits for it */
	uint32_t lock;	   /* held while its number is used: it does not end meanwhile */
	bool ended;	   /* under the lock */
	bool foreign;	   /* not of ramet's making */
	int pid;	   /* in a fork of that process it does not exist */
	pthread_t pthread; /* the thread writes it, before tid */
	void *(*fn)(void *);
	void *arg;
	sigset_t mask;
	char name[16]; /* "": the creator's */
	struct thread_birth *birth;
};

/* The steps of a thread before its body, in the order in which they are done. */
struct thread_parts {
	struct ramet_step *steps; /* malloc'd; NULL: none */
	unsigned count;
};

/* What a creator that waits shares with the thread that does steps; on the creator's stack. */
struct thread_birth {
	const struct thread_parts *parts;
	struct ramet_error *error;
	int result;
	uint32_t over; /* the thread's last look at this */
};

/* ---- create.c ---- */

/* Wait until it has begun, so that its number and its pthread_t are known. */
void started(const struct ramet_thread *thread);

/* ---- parts.c ---- */

/*
 * What the attributes ask for as steps, or -errno with error filled: -EINVAL by a rule. It makes
 * no system call, and no thread has been made by then.
 */
int parts_plan(const struct ramet_thread_attr *attr, struct thread_parts *ret);

/* Do them, in the calling thread. 0 or -errno with error filled. */
int parts_take(const struct thread_parts *parts, struct ramet_error *error);

#endif
