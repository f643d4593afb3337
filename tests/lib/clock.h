/* SPDX-License-Identifier: MIT */
/* The time since the machine's start, for limits and for how long something took. */
#ifndef RAMET_TESTS_LIB_CLOCK_H
#define RAMET_TESTS_LIB_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static inline int64_t now_ms(void)
{
	return now_us() / 1000;
}

#endif
