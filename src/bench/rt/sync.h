/* SPDX-License-Identifier: MIT */
/*
 * What is measured of mutexes and condition variables, with a partner thread: the same text for the
 * C library's and for ramet's, so that they differ in nothing else. Whoever includes it defines
 *
 *	SYNC_MUTEX, SYNC_COND                  types, initialised by SYNC_..._INIT
 *	SYNC_LOCK(m), SYNC_UNLOCK(m)
 *	SYNC_WAIT(c, m), SYNC_SIGNAL(c)
 *	SYNC_SLEEP(word, value), SYNC_WAKE(word)   a private futex
 *	SYNC_NOW()                             nanoseconds
 *	SYNC_YIELD()
 *
 * and has sync_partner() run in a thread. Each operation gives picoseconds of one step.
 */
#ifndef RAMET_BENCH_RT_SYNC_H
#define RAMET_BENCH_RT_SYNC_H

#include <stddef.h>
#include <stdint.h>

#define SYNC_ALONE 2000	    /* pairs of lock and unlock */
#define SYNC_CONTENDED 4000 /* of both together */
#define SYNC_TRIPS 100
#define SYNC_WARM_TRIPS 10

/* What the partner does. */
enum { SYNC_PARKED, SYNC_CONTEND, SYNC_ANSWER, SYNC_QUIT };

/* Each on a line of its own: else the partner's look at its word would slow the mutex. */
static _Alignas(64) uint32_t sync_job;
static _Alignas(64) SYNC_MUTEX sync_mutex = SYNC_MUTEX_INIT;
static uint64_t sync_total; /* under it */
static _Alignas(64) SYNC_COND sync_cond = SYNC_COND_INIT;
static int sync_theirs; /* whose turn it is, under the mutex */

static uint32_t sync_asked(void)
{
	return __atomic_load_n(&sync_job, __ATOMIC_ACQUIRE);
}

static void sync_ask(uint32_t job)
{
	SYNC_LOCK(&sync_mutex);
	__atomic_store_n(&sync_job, job, __ATOMIC_RELEASE);
	SYNC_SIGNAL(&sync_cond);
	SYNC_UNLOCK(&sync_mutex);
	SYNC_WAKE(&sync_job);
}

static uint64_t sync_count_one(void)
{
	uint64_t total;

	SYNC_LOCK(&sync_mutex);
	total = ++sync_total;
	SYNC_UNLOCK(&sync_mutex);
	return total;
}

static void *sync_partner(void *arg)
{
	for (;;) {
		switch (sync_asked()) {
		case SYNC_PARKED:
			SYNC_SLEEP(&sync_job, SYNC_PARKED);
			break;
		case SYNC_CONTEND:
			sync_count_one();
			break;
		case SYNC_ANSWER:
			SYNC_LOCK(&sync_mutex);
			while (!sync_theirs && sync_asked() == SYNC_ANSWER)
				SYNC_WAIT(&sync_cond, &sync_mutex);
			if (sync_theirs) {
				sync_theirs = 0;
				SYNC_SIGNAL(&sync_cond);
			}
			SYNC_UNLOCK(&sync_mutex);
			break;
		default:
			return arg;
		}
	}
}

/* The partner sleeps: a pair of lock and unlock. */
static int64_t sync_alone(void)
{
	const int64_t start = SYNC_NOW();

	for (int i = 0; i < SYNC_ALONE; i++)
		sync_count_one();
	return (SYNC_NOW() - start) * 1000 / SYNC_ALONE;
}

/* The partner does the same at the same time: a pair of either. */
static int64_t sync_contended(void)
{
	uint64_t first, last;
	int64_t start;

	sync_ask(SYNC_CONTEND);
	first = sync_count_one();
	while (first + 1 == (last = sync_count_one())) {
		first = last;
		SYNC_YIELD(); /* it has not begun */
	}
	start = SYNC_NOW();
	first = last;
	while (last < first + SYNC_CONTENDED)
		last = sync_count_one();
	start = SYNC_NOW() - start;
	sync_ask(SYNC_PARKED);
	return start * 1000 / (int64_t)(last - first);
}

/* One way of a round trip. */
static int64_t sync_ping_pong(void)
{
	int64_t start = 0;

	sync_ask(SYNC_ANSWER);
	SYNC_LOCK(&sync_mutex);
	for (int i = 0; i < SYNC_WARM_TRIPS + SYNC_TRIPS; i++) {
		if (i == SYNC_WARM_TRIPS)
			start = SYNC_NOW();
		sync_theirs = 1;
		SYNC_SIGNAL(&sync_cond);
		while (sync_theirs)
			SYNC_WAIT(&sync_cond, &sync_mutex);
	}
	start = SYNC_NOW() - start;
	SYNC_UNLOCK(&sync_mutex);
	sync_ask(SYNC_PARKED);
	return start * 1000 / (2 * SYNC_TRIPS);
}

#endif
