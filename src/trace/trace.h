/* SPDX-License-Identifier: MIT */
/*
 * Watching the tasks of a program come and go, by ptrace. The source (source.c) waits for stops
 * and tells events in the order in which they happened; the record (record.c) replays them in the
 * model and hands them to a view. What is not a call that makes or parts tasks is never stopped.
 */
#ifndef RAMET_TRACE_TRACE_H
#define RAMET_TRACE_TRACE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "explain/lines.h"

/* ---- Events ---- */

enum trace_kind {
	TRACE_BEGIN = 1, /* tid was there, or is the program: child is its process (tgid) */
	TRACE_MADE,	 /* tid made child by line.call */
	TRACE_REFUSED,	 /* line.call of tid gave line.error */
	TRACE_EXEC,	 /* tid runs `name`; child is the thread that called, or 0 if it was tid */
	TRACE_RELEASED,	 /* tid, held by the vfork child of line.call, runs on after took_ns */
	TRACE_UNSHARED,	 /* tid, by line.call */
	TRACE_JOINED,	 /* tid, those of line.call; child: a task that is in them, 0: not known */
	TRACE_ENDED,	 /* tid, with status as wait(2) has it */
	TRACE_LOST,	 /* something of tid was not seen: `what` */
};

struct trace_event {
	enum trace_kind kind;
	uint64_t ns; /* since the trace began */
	int tid;
	int tgid;
	int child;
	int status;
	uint64_t took_ns;   /* MADE: in the call; 0: not known */
	uint64_t rss;	    /* MADE by a call that copies memory: bytes in use by the maker */
	const char *name;   /* of the program that tid runs; valid during the event */
	const char *former; /* EXEC: of the one that it ran before */
	const char *what;   /* LOST */
	struct line_call line;
};

/* ---- The source ---- */

struct tracer;

struct trace_options {
	bool events_only; /* no seccomp filter: failures and namespace changes are not seen */
	bool pairwise;	  /* keep a maker stopped until its child is: for comparison with kcmp */
	/* Told each event; the tasks it is about are stopped, unless it is MADE and not pairwise.
	   Not 0: stop tracing. */
	int (*event)(void *arg, const struct trace_event *event);
	void *arg;
};

/* Why something could not be done, for a person. */
struct trace_failure {
	char text[200];
	bool not_found; /* the program: exit status 127 rather than 126 */
	bool cannot_run;
};

/* 0, or -errno with *failure. */
int tracer_new(const struct trace_options *options, struct tracer **ret,
	       struct trace_failure *failure);
/* Start a program, looked up in PATH, under the tracer. */
int tracer_start(struct tracer *t, char *const *argv, struct trace_failure *failure);
/* Take hold of all threads of a process that runs. */
int tracer_attach(struct tracer *t, int pid, struct trace_failure *failure);
/*
 * Until no traced task is left, or a signal ends it: attached processes are let go and run on.
 * Signals go to a started program while it runs; then they end tracing, and what is left of its
 * tasks is let go, or killed if there is a filter. *ret_status: of the program, as wait(2) has it,
 * or -1. 0 or -errno, also that of the view: a started program has run to its end then.
 */
int tracer_run(struct tracer *t, int *ret_status);
void tracer_free(struct tracer *t);

/* Stops that were taken, for the measurement of what tracing costs. */
uint64_t tracer_stops(const struct tracer *t);

#endif
