/* SPDX-License-Identifier: MIT */
/* What a stage tells whoever started it: messages of one size by a pipe, each written whole. */
#ifndef RAMET_BENCH_STAGE_H
#define RAMET_BENCH_STAGE_H

#include "bench/bench.h"

enum stage_kind {
	STAGE_FACTS, /* the scene stands, its variants have begun: from here the share counts */
	STAGE_TURN,  /* of one series in one round */
	STAGE_WHY,   /* a series, or with series -1 all of them, is left out from here on */
	STAGE_LATE,  /* no time was left for a series: not a single turn */
	STAGE_DONE,  /* all rounds that were wanted */
};

struct stage_message {
	uint32_t kind;
	int32_t series;
	uint32_t round, count;
	float us[BENCH_TURN_MOST];
	float faults; /* of one operation */
	struct bench_stage_facts facts;
	char why[BENCH_WHY];
};

struct stage_order {
	uint64_t x;
	bool huge;
	uint64_t seed;
	uint32_t rounds;  /* at most */
	int64_t share_ns; /* for the rounds, once the scene stands and all have begun */
	int64_t end_ns;	  /* of CLOCK_MONOTONIC: no turn begins later, whatever the share */
	int fd;		  /* messages go there */
};

/*
 * In a process made for it; returns its exit status. SIGTERM ends it after the operation that is
 * under way, with the scene taken down.
 */
int stage_run(const struct bench_request *request, const struct bench_series *series, size_t count,
	      const struct stage_order *order);

int64_t bench_now_ns(void); /* CLOCK_MONOTONIC */

/* The next of a cheap sequence of random numbers; *state is never 0. */
uint64_t bench_random(uint64_t *state);
void bench_shuffle(size_t *order, size_t count, uint64_t *state);

#endif
