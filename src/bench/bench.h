/* SPDX-License-Identifier: MIT */
/*
 * ramet bench: what a task costs. A workload sets a scene (so much touched heap, so many
 * descriptors) and has variants: ways to make a task there. They are run in turn.
 *
 *	workloads.c  the table of workloads; launch.c … their scenes and variants, a file each
 *	floor.c      the least any launcher can do; no header of ramet's
 *	measure.c    trials, stages, rounds: who runs when, within the budget
 *	stage.c      one stage: the process in which a scene stands and its variants run
 *	stats.c      medians, quantiles, intervals
 *	count.c      system calls of one operation, by ptrace
 *	machine.c    what it was measured on
 *	memory.c     how much memory may be taken
 *	worker.c     a peer: a program that does the operation in its own way
 *	rt.c, rt/    variants of libramet-rt, in a program of their own inside this one
 *	text.c, plot.c, svg.c, html.c, json.c, csv.c   views
 *
 * A run is some trials. In a trial each point of the axis is a stage: a process made for it, so
 * that points share nothing. A stage runs rounds; in a round every variant has its turn, in an
 * order shuffled anew: a few operations, as many as fit BENCH_TURN_NS, the first ones not counted,
 * and a rest. Ratios are of two turns of one round: what disturbs the machine disturbs both.
 */
#ifndef RAMET_BENCH_BENCH_H
#define RAMET_BENCH_BENCH_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#define BENCH_SERIES_MAX 40
#define BENCH_POINTS_MAX 16
#define BENCH_TURN_NS 2000000
#define BENCH_TURN_MOST 16 /* operations */
#define BENCH_WHY 200

/* ---- Workloads: rows ----------------------------------------------------------------------- */

enum bench_unit { BENCH_NO_AXIS, BENCH_BYTES, BENCH_COUNT };

/*
 * Where a variant runs: in a stage, a process of one thread unless the scene made more. set_up
 * fills what it needs; tear_down may leave memory and descriptors to the end of the stage.
 */
struct bench_scene {
	const struct bench_workload *workload;
	uint64_t x;
	bool huge;	     /* the heap shall be of huge pages */
	const char *program; /* a file that does nothing but end, as argv {"true", NULL} */
	unsigned char *heap; /* touched, of heap_size bytes; NULL: none */
	size_t heap_size;
	void *data;	     /* set_up's own */
	char why[BENCH_WHY]; /* what failed, in words, where a function returned an error */
};

/*
 * One way to do the operation. All functions return 0 or more, or -errno with scene->why filled;
 * each may be NULL but run, or run_many instead of it.
 */
struct bench_variant {
	const char *name;			   /* of the series: "fork+exec" */
	const char *what;			   /* one line: the calls it makes */
	long (*begin)(struct bench_scene *scene);  /* once before the rounds; an error leaves the
						     variant out, with the reason */
	long (*run)(struct bench_scene *scene);	   /* one operation: this is timed */
	long (*settle)(struct bench_scene *scene); /* after each, not timed */
	void (*end)(struct bench_scene *scene);	   /* once, if begin succeeded */
	/* Instead of run and settle: count operations, the nanoseconds of each. Where the times are
	   too short for whole ones, or another process does them that a word to it for each would
	   wake each time. */
	int (*run_many)(struct bench_scene *scene, unsigned count, double *ret_ns);
	bool elsewhere; /* in another process: the system calls are not counted */
	/* The operation times itself: run returns nanoseconds. */
	bool self_timed;
	bool takes_huge; /* shown for a heap of huge pages as well: another series, "NAME huge" */
};

struct bench_pair {
	const char *a, *b; /* names of series; a row is left out when one is missing */
};

struct bench_workload {
	const char *name;
	const char *what;   /* a sentence */
	const char *axis;   /* "touched heap"; NULL with BENCH_NO_AXIS */
	const char *option; /* "--heap": picks points; NULL: none */
	enum bench_unit unit;
	uint64_t points[BENCH_POINTS_MAX]; /* the default ones; ended by BENCH_POINTS_END */
	bool tasks;	   /* x tasks are made in one operation; times are told a task */
	bool takes_memory; /* x bytes are taken: bench_may_take() is asked before */
	unsigned wanted;   /* operations of a variant at a point, if there is time */
	long (*set_up)(struct bench_scene *scene);
	void (*tear_down)(struct bench_scene *scene);
	const struct bench_variant *const *variants; /* ended by NULL */
	const struct bench_pair *pairs;		     /* ended by {NULL}: ratios worth telling */
};

#define BENCH_POINTS_END UINT64_MAX

extern const struct bench_workload *const bench_workloads[];   /* ended by NULL */
const struct bench_workload *bench_workload(const char *name); /* NULL: none */

/* ---- What is asked ------------------------------------------------------------------------- */

/*
 * A peer: COMMAND is run by sh with two more arguments, the workload's name and x, and then does
 * operations for whoever writes a line "N" to its standard input: it does N of them, and answers
 * with one line of N numbers, the nanoseconds of each (of a task, in workloads with tasks). It
 * says "ready" on a line first, or "cannot: REASON". End of input ends it.
 */
struct bench_peer {
	const char *name;
	const char *command;
};

struct bench_request {
	const struct bench_workload *workload;
	uint64_t points[BENCH_POINTS_MAX];
	size_t point_count;
	double budget; /* seconds, all in all */
	int trials;
	int pin;	     /* processor; -1: where the scheduler likes */
	bool small, huge;    /* pages of the heap */
	const char *program; /* NULL: one of ramet's own, freestanding, which only ends */
	const char *only;    /* "fork+exec,floor": these series, all known; NULL: all */
	const struct bench_peer *peers;
	size_t peer_count;
	uint64_t seed;
	bool count;	     /* system calls of one operation too */
	const char *command; /* as typed, for the views */
};

/* ---- What was found ------------------------------------------------------------------------ */

struct bench_sample {
	uint32_t trial, round;
	float us;     /* of one operation, or a task of it */
	float faults; /* page faults of the stage and what it waited for; <0: not known */
};

struct bench_number {
	double median, p10, p90, low, high; /* low to high: the median's interval of 95 % */
	size_t n;
};

struct bench_point {
	uint64_t x;
	struct bench_sample *samples;
	size_t count, room;
	struct bench_number us;
	double faults; /* median; <0: not known */
	double mean, least, most;
	unsigned outliers;   /* further from the quartiles than three times their distance: kept */
	char why[BENCH_WHY]; /* nothing measured, or not to the end: why; "" */
};

#define BENCH_CALLS_MAX 48
struct bench_calls { /* of one operation, the third of three; count 0 and why: not known */
	unsigned caller, child;
	struct bench_call {
		int nr;
		bool child;
		unsigned times;
	} calls[BENCH_CALLS_MAX]; /* the caller's first, each in the order of its first */
	size_t count;
	char why[BENCH_WHY];
};

struct bench_series {
	char name[48];
	const char *what;
	const struct bench_variant *variant; /* NULL: a peer */
	const struct bench_peer *peer;
	bool huge;
	struct bench_point points[BENCH_POINTS_MAX]; /* as the request's */
	struct bench_calls calls;
	bool counted;
};

/* The stage at a point, before its rounds. */
struct bench_stage_facts {
	int64_t vm_rss, vm_pte, vm_size; /* bytes; <0: not known */
	int64_t huge_bytes;		 /* AnonHugePages; <0: not known */
};

struct bench_ratio {
	const char *a, *b;
	uint64_t x;
	double median, low, high;
	double p10, p90; /* of single rounds */
	size_t rounds;
	bool worthless; /* the interval holds 1, or spans more than half of the median */
};

/* How much dearer at x than at the first point. */
struct bench_growth {
	const char *name;
	uint64_t x, from;
	double median, low, high;
};

struct bench_machine {
	char system[160];    /* "Linux 6.18.44 x86_64" */
	char processor[96];  /* model name */
	int processors;	     /* that this process may use */
	char libc[32];	     /* "glibc 2.36" */
	char governor[24];   /* "performance", or "unknown" */
	char hypervisor[24]; /* "kvm", "none", "unknown" */
	char thp[24];	     /* transparent huge pages: "madvise" */
	double load[3];
	uint64_t memory, available; /* bytes */
	char date[32];		    /* 2026-11-22T18:30:00Z */
	char version[24];	    /* ramet's */
};

struct bench_result {
	const struct bench_request *request;
	struct bench_machine machine;
	double load_after;
	struct bench_series series[BENCH_SERIES_MAX];
	size_t series_count;
	struct bench_stage_facts facts[2][BENCH_POINTS_MAX]; /* [huge][point] */
	struct bench_ratio *ratios;
	size_t ratio_count;
	struct bench_growth *growths;
	size_t growth_count;
	double seconds;	  /* it took */
	bool interrupted; /* Ctrl-C: what there is until then */
	bool cut_short;	  /* the budget ended it before `wanted` */
	int trials_done;
};

/* ---- measure.c, stage.c, stats.c ----------------------------------------------------------- */

struct bench_progress {
	void (*tell)(void *context, double done, double seconds_left, const char *what);
	void *context;
};

/*
 * Do it. *stop set to not 0, by a signal handler say, ends it soon with what there is. -errno
 * and why (BENCH_WHY bytes) filled only where nothing could be measured at all. Leaves no process.
 */
int bench_measure(const struct bench_request *request, const struct bench_progress *progress,
		  const volatile sig_atomic_t *stop, struct bench_result *ret, char *why);
void bench_result_free(struct bench_result *result);

const struct bench_series *bench_series(const struct bench_result *result, const char *name);

/* From the samples, all that views tell: numbers, ratios, growths. Pure; called by bench_measure. */
int bench_evaluate(struct bench_result *result);

/* Of n values, in any order (they are sorted). q from 0 to 1; between two, the line. */
double bench_quantile(double *values, size_t n, double q);

/* In the process of a stage: the scene of the request's workload. -errno and scene->why. */
long bench_scene_open(const struct bench_request *request, uint64_t x, bool huge,
		      struct bench_scene *ret);
void bench_scene_close(struct bench_scene *scene);

/*
 * program.c: a static program that only ends, written to a file of its own in TMPDIR or /tmp.
 * path has room for 128 bytes. end removes it.
 */
int bench_program_begin(char *path, char *why);
void bench_program_end(const char *path);

/* ---- count.c, machine.c, worker.c ---------------------------------------------------------- */

/*
 * The system calls of one operation, at the given point. In a stage of its own, traced. Never
 * fails: ret->why.
 */
void bench_count(const struct bench_request *request, const struct bench_variant *variant,
		 uint64_t x, bool huge, struct bench_calls *ret);
const char *bench_call_name(int nr); /* "clone3"; NULL: not known */

void bench_machine_read(struct bench_machine *ret);

/*
 * May bytes of memory be taken and touched, by a process that forks? 0, or -ENOMEM with why
 * filled: more than is free without swapping, a limit of the cgroup, RLIMIT_AS, or the
 * overcommit limit.
 */
int bench_may_take(uint64_t bytes, char *why);

struct bench_worker;
int bench_worker_start(const struct bench_peer *peer, const char *workload, uint64_t x,
		       struct bench_worker **ret, char *why);
/* The same of a program that is open as fd; its arguments are the operation and x. */
int bench_worker_start_file(int fd, const char *operation, uint64_t x, struct bench_worker **ret,
			    char *why);
/* count numbers of nanoseconds, or -errno. */
int bench_worker_run(struct bench_worker *worker, unsigned count, double *ret_ns, char *why);
void bench_worker_stop(struct bench_worker *worker);

/* ---- Views --------------------------------------------------------------------------------- */

void bench_view_text(const struct bench_result *result, FILE *out, bool color, bool calls);
/* Series over x, log axes, in width columns and height lines of braille. Nothing without an axis. */
void bench_plot(const struct bench_result *result, FILE *out, int width, int height, bool color);
int bench_view_json(const struct bench_result *result, FILE *out);
int bench_view_csv(const struct bench_result *result, FILE *out);
int bench_view_svg(const struct bench_result *result, FILE *out);
int bench_view_html(const struct bench_result *result, FILE *out);

/* "2 MB", "10 000", "1"; as options take it: "2M". */
const char *bench_x_text(enum bench_unit unit, uint64_t x, char *buf, size_t size);

#endif
