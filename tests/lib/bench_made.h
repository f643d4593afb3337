/* SPDX-License-Identifier: MIT */
/*
 * A result of ramet bench that nobody measured: figures as they would be, and on purpose all that
 * a view may stumble over. MADE_PLAIN is what a good run looks like.
 */
#ifndef RAMET_TESTS_LIB_BENCH_MADE_H
#define RAMET_TESTS_LIB_BENCH_MADE_H

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "bench/bench.h"

enum made {
	MADE_PLAIN,   /* launch, seven points, with huge pages */
	MADE_EVIL,    /* names and a command that try to break out; failures, gaps, NaN */
	MADE_SINGLE,  /* one point of an axis */
	MADE_NO_AXIS, /* none */
	MADE_COUNTS,  /* an axis of numbers, from 0 */
	MADE_NOTHING, /* nothing could be measured */
};

#define MADE_EVIL_NAME "<script>alert(1)</script>&\"'"
#define MADE_EVIL_COMMAND                                                                          \
	"ramet bench launch --peer '</script><script>alert(\"2\")</script>=a,b' --html x\033[31m\xff"

static const struct made_series {
	const char *name, *what;
	double us, us_per_gb, self_spread;
	double faults;
	bool huge;
} made_series[] = {
	{"fork+exit", "fork; the child ends by _exit", 180, 24800, 0.05, 40, false},
	{"fork+exec", "fork, execve", 297, 25100, 0.04, 120, false},
	{"fork+exec huge", "fork, execve", 295, 420, 0.07, 122, true},
	{"vfork+exec", "vfork, execve", 92, 0, 0.04, 60, false},
	{"posix_spawn", "the C library's posix_spawn", 125, 0, 0.05, 66, false},
	{"floor", "clone3 VM|VFORK, execve: the least there is", 81, 0, 0.03, 58, false},
	{"ramet-spawn", "ramet_launch of a program", 84, 0, 0.03, 58, false},
	{"ramet-spawn-pidfd", "the same, with a pidfd", 89, 0, 0.03, 58, false},
	{"fork+exec-loaded", "fork, uid, gid, groups, execve", 340, 25300, 0.05, 125, false},
	{"ramet-loaded", "ramet_launch with uid, gid, groups", 104, 0, 0.04, 60, false},
	{"pthread", "pthread_create, pthread_join", 20, 0, 0.12, 0, false},
	{"raw-thread", "clone3 with NPTL's flags, a futex", 15, 0, 0.1, 0, false},
	{"memcpy", "of the whole heap", 60, 118000, 0.03, 0, false},
};
#define MADE_COUNT (sizeof(made_series) / sizeof(made_series[0]))

static struct bench_workload made_workload = {
	.name = "launch",
	.what = "What starting a task costs, by the memory that its maker has touched",
	.axis = "touched heap",
	.option = "--heap",
	.unit = BENCH_BYTES,
};
static struct bench_request made_request = {
	.workload = &made_workload,
	.budget = 60,
	.trials = 5,
	.pin = -1,
	.seed = 18446744073709551557u,
	.count = true,
	.command = "ramet bench launch --budget 60s --count --html launch.html",
};
static struct bench_result made_result;
static struct bench_ratio made_ratios[400];
static struct bench_growth made_growths[BENCH_SERIES_MAX * BENCH_POINTS_MAX];
static struct bench_sample made_samples[BENCH_SERIES_MAX * BENCH_POINTS_MAX][8];

/* Much like noise, the same every time. */
static double made_noise(size_t i, size_t k)
{
	return sin((double)(i * 37 + k * 101 + 5)) * 0.02;
}

static void made_point(size_t i, size_t k, double us, double spread, double faults)
{
	struct bench_point *p = &made_result.series[i].points[k];

	p->x = made_request.points[k];
	p->us = (struct bench_number){us,	  us * (1 - spread), us * (1 + 1.7 * spread),
				      us * 0.995, us * 1.006,	     us > 5000 ? 212 : 10000};
	p->samples = made_samples[i * BENCH_POINTS_MAX + k];
	p->count = p->room = 8;
	for (unsigned n = 0; n < p->count; n++)
		p->samples[n] = (struct bench_sample){
			n / 4, n % 4, (float)(us * (1 + spread * (n % 5) - spread)), (float)faults};
	p->faults = faults;
	p->mean = us * 1.02;
	p->least = us * 0.9;
	p->most = us * 4.2;
	p->outliers = (unsigned)(k + 1);
}

static void made_pair(const char *a, const char *b)
{
	const struct bench_series *s[2] = {NULL, NULL};

	for (size_t i = 0; i < made_result.series_count; i++) {
		s[0] = strcmp(made_result.series[i].name, a) ? s[0] : &made_result.series[i];
		s[1] = strcmp(made_result.series[i].name, b) ? s[1] : &made_result.series[i];
	}
	for (size_t k = 0; s[0] && s[1] && k < made_request.point_count; k++) {
		struct bench_ratio *r = &made_ratios[made_result.ratio_count];
		const double median = s[0]->points[k].us.median / s[1]->points[k].us.median;

		if (!s[0]->points[k].us.n || !s[1]->points[k].us.n)
			continue;
		*r = (struct bench_ratio){.a = s[0]->name,
					  .b = s[1]->name,
					  .x = made_request.points[k],
					  .median = median,
					  .low = median * 0.98,
					  .high = median * 1.02,
					  .p10 = median * 0.9,
					  .p90 = median * 1.2,
					  .rounds = 400};
		r->worthless = r->low <= 1 && r->high >= 1;
		made_result.ratio_count++;
	}
}

static void made_calls(struct bench_series *s)
{
	s->counted = true;
	if (s->name[0] == 'm') {
		snprintf(s->calls.why, BENCH_WHY, "it makes none");
		return;
	}
	s->calls = (struct bench_calls){
		.caller = 3,
		.child = 1,
		.calls = {{SYS_clone3, false, 1}, {SYS_waitid, false, 2}, {SYS_execve, true, 1}},
		.count = 3,
	};
}

static void made_memory(void)
{
	for (size_t k = 0; k < made_request.point_count; k++) {
		const int64_t x = (int64_t)made_request.points[k];

		made_result.facts[0][k] =
			(struct bench_stage_facts){x + 3400000, x / 500 + 60000, x + 9000000, 0};
		made_result.facts[1][k] =
			(struct bench_stage_facts){x + 3400000, 61440, x + 9000000, x};
	}
}

static void made_evil(void)
{
	struct bench_series *s = made_result.series;

	snprintf(s[4].name, sizeof(s[4].name), "%s", MADE_EVIL_NAME);
	snprintf(s[8].name, sizeof(s[8].name), "a,\"b\"\nc, of a peer with a name that is long");
	made_request.command = MADE_EVIL_COMMAND;
	made_result.interrupted = true;
	made_result.cut_short = true;
	for (size_t k = 0; k < made_request.point_count; k++) {
		s[7].points[k].us = (struct bench_number){0};
		s[7].points[k].count = 0;
		snprintf(s[7].points[k].why, BENCH_WHY, "pidfd_open: <b>Function not implemented");
	}
	s[0].points[6].us.n = s[1].points[6].us.n = 0;
	snprintf(s[0].points[6].why, BENCH_WHY, "Cannot allocate memory");
	snprintf(s[1].points[6].why, BENCH_WHY, "Cannot allocate memory");
	s[3].points[2].us = (struct bench_number){NAN, NAN, NAN, NAN, NAN, 0};
	s[3].points[2].mean = INFINITY;
	s[5].points[3].us.p10 = s[5].points[3].us.p90 = NAN;
	s[5].points[3].us.n = 1;
	s[10].points[1].samples[0].us = NAN;
	s[10].points[1].samples[1].faults = -1;
	snprintf(s[10].points[5].why, BENCH_WHY, "the stage ended by SIGKILL");
	s[12].points[6].faults = -1;
	for (size_t i = 0; i < made_result.series_count; i++)
		if (made_result.series[i].points[6].us.n == 0)
			made_result.series[i].points[6].count = 0;
}

static void made_kind(enum made kind)
{
	static const uint64_t counts[] = {0, 1000, 40000};

	if (kind == MADE_SINGLE)
		made_request.points[0] = made_request.points[4];
	if (kind == MADE_SINGLE || kind == MADE_NO_AXIS)
		made_request.point_count = 1;
	if (kind == MADE_NO_AXIS) {
		made_workload.axis = NULL;
		made_workload.unit = BENCH_NO_AXIS;
		made_request.points[0] = 0;
	}
	if (kind == MADE_COUNTS) {
		made_workload.axis = "mappings";
		made_workload.unit = BENCH_COUNT;
		made_request.point_count = 3;
		memcpy(made_request.points, counts, sizeof(counts));
	}
}

/* Everything static: the same result is made anew each time. */
static struct bench_result *make_result(enum made kind)
{
	static const uint64_t points[] = {2ull << 20,	 16ull << 20,	64ull << 20,  256ull << 20,
					  1024ull << 20, 4096ull << 20, 8192ull << 20};
	static const struct bench_machine machine = {"Linux 6.18.44 x86_64",
						     "AMD EPYC 9B14",
						     2,
						     "glibc 2.36",
						     "unknown",
						     "kvm",
						     "madvise",
						     {0.42, 0.5, 0.61},
						     25ull << 30,
						     22ull << 30,
						     "2026-11-22T18:30:00Z",
						     "0.1.0"};

	memset(&made_result, 0, sizeof(made_result));
	made_workload.axis = "touched heap";
	made_workload.unit = BENCH_BYTES;
	made_request.command = "ramet bench launch --budget 60s --count --html launch.html";
	made_request.point_count = 7;
	memcpy(made_request.points, points, sizeof(points));
	made_kind(kind);
	made_result.request = &made_request;
	made_result.machine = machine;
	made_result.load_after = 1.1;
	made_result.ratios = made_ratios;
	made_result.growths = made_growths;
	made_result.seconds = 58.25;
	made_result.trials_done = 5;
	made_result.series_count = MADE_COUNT;
	for (size_t i = 0; i < MADE_COUNT; i++) {
		struct bench_series *s = &made_result.series[i];
		const struct made_series *m = &made_series[i];

		snprintf(s->name, sizeof(s->name), "%s", m->name);
		s->what = m->what;
		s->huge = m->huge;
		made_calls(s);
		for (size_t k = 0; k < made_request.point_count; k++) {
			const double x = kind == MADE_COUNTS ? (double)made_request.points[k] * 1e5
							     : (double)made_request.points[k];
			const double us =
				m->us * (1 + made_noise(i, k)) + m->us_per_gb * x / 1073741824.0;

			s->points[k].x = made_request.points[k];
			if (kind != MADE_NOTHING)
				made_point(i, k, us, m->self_spread, m->faults);
			else
				snprintf(s->points[k].why, BENCH_WHY, "too much memory");
		}
	}
	made_memory();
	if (kind == MADE_EVIL)
		made_evil();
	made_pair("fork+exec", "ramet-spawn");
	made_pair("posix_spawn", "ramet-spawn");
	made_pair("ramet-spawn", "floor");
	made_pair("vfork+exec", "ramet-spawn-pidfd"); /* worthless: nearly the same */
	made_pair("pthread", "raw-thread");
	made_pair("fork+exec-loaded", "ramet-loaded");
	made_pair(MADE_EVIL_NAME, "ramet-spawn");
	for (size_t i = 0; i < MADE_COUNT; i++)
		for (size_t k = 1; k < made_request.point_count; k++) {
			const struct bench_series *s = &made_result.series[i];
			const double median = s->points[k].us.median / s->points[0].us.median;

			if (!s->points[k].us.n || !s->points[0].us.n)
				continue;
			made_growths[made_result.growth_count++] =
				(struct bench_growth){s->name, s->points[k].x, s->points[0].x,
						      median,  median * 0.97,  median * 1.03};
		}
	return &made_result;
}

static const char *const made_names[] = {"plain", "evil", "single", "no-axis", "counts", "nothing"};

#endif
