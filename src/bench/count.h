/* SPDX-License-Identifier: MIT */
/* The counting of system calls with a deadline of one's own; bench_count() gives it ten seconds. */
#ifndef RAMET_BENCH_COUNT_H
#define RAMET_BENCH_COUNT_H

#include "bench/bench.h"

/* As bench_count(). milliseconds are more than 0. */
void count_within(const struct bench_request *request, const struct bench_variant *variant,
		  uint64_t x, bool huge, unsigned milliseconds, struct bench_calls *ret);

#endif
