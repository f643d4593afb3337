/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the source share: source.c waits, stops.c understands, joined.c says which
 * namespaces were joined, begin.c takes hold, signals.c has those that ramet itself gets.
 */
#ifndef RAMET_TRACE_SOURCE_H
#define RAMET_TRACE_SOURCE_H

#include <signal.h>
#include <sys/ptrace.h>

#include "trace/tasks.h"
#include "trace/trace.h"

#define SOURCE_CAUGHT 10 /* signals */

struct tracer {
	struct trace_options options;
	struct traced_tasks tasks;
	uint64_t began; /* CLOCK_MONOTONIC, nanoseconds */
	uint64_t stops;
	int program; /* tid of the started one, 0: attached */
	int status;  /* of it, -1 until it has ended */
	bool filtered;
	size_t untold;	       /* tasks that were seen before their maker's event */
	uint64_t untold_since; /* when that was last looked into */
	int result;	       /* < 0: tracing ends with it; > 0: it ends */
	int muted;	       /* < 0: the view has failed, but the program is to run on */
	bool catches;	       /* signals, and these are to be put back: */
	struct sigaction old_actions[SOURCE_CAUGHT];
	sigset_t old_mask;
};

uint64_t source_now(void);

/* Tell an event about a task; tid, tgid and name are filled in. ns: of source_now(), 0: now. */
void source_tell(struct tracer *t, const struct traced *task, struct trace_event event);

/* Options that every traced task has. */
long source_ptrace_options(const struct tracer *t);

/* A task that an event has told of before it has stopped, or the other way round. NULL: no memory */
struct traced *source_task(struct tracer *t, int tid);

/* Let a stopped task go on by `request`, with its signal. */
void source_resume(struct traced *task, int request);

/* A task has stopped, or ended; wait(2)'s status. */
void source_stopped(struct tracer *t, struct traced *task, int status);
void source_ended(struct tracer *t, struct traced *task, int status);

/* Tell of a task that was seen, and whose maker can tell of it no more. */
void source_adopt(struct tracer *t, struct traced *task);

/* Read the program's name from /proc; what is no printable ASCII becomes '?'. */
void source_read_name(struct traced *task);

/* A task has joined namespaces by task->call: which, and who is in them, into *event. */
void source_read_joined(const struct tracer *t, struct traced *task, struct trace_event *event);

/* Signals to ramet: caught once the program runs, put back at the end. */
void source_catch_signals(struct tracer *t);
void source_release_signals(struct tracer *t);
void source_take_signals(struct tracer *t);
/* SIGALRM, which does nothing but break off a wait. 0: none. */
void source_start_timer(int microseconds);

#endif
