/* SPDX-License-Identifier: MIT */
/*
 * What the workers in C have in common: the protocol at struct bench_peer (src/bench/bench.h),
 * the scenes, the clock. A worker is worker.c and a file with the ways of one library:
 *
 *	WORKER WAY WORKLOAD X
 */
#ifndef RAMET_PEERS_WORKER_H
#define RAMET_PEERS_WORKER_H

#include <stdbool.h>
#include <stddef.h>

/* A way to make tasks. Task number i is started, then waited for; i counts from 0. */
struct way {
	const char *name;
	bool thread;	      /* makes threads, not processes */
	bool closes;	      /* keeps descriptors from its program by closing them: none is
				marked close-on-exec */
	void (*start)(int i); /* whatever fails ends the worker, by die() */
	void (*finish)(int i);
};

extern const struct way ways[]; /* ended by one without a name */

extern int task_count; /* that one operation starts before it waits */
extern const char *program;
extern char *program_argv[]; /* "true" */
extern char *program_env[];

/* A line on standard error, and exit status 1. */
void die(const char *what, int error) __attribute__((noreturn));

/* As wait() tells it: anything but an exit with 0 ends the worker. */
void check_status(int status);

#endif
