/* SPDX-License-Identifier: MIT */
/*
 * Barriers: round and arrivals are one word of 64 bits, so that nobody can arrive between a round's
 * end and the next one's beginning. Who is inside is counted, for destroy: who leaves late looks
 * at the round once more.
 */
#include "thread/sync/futex.h"

#define ARRIVAL (1ULL << 32)
#define DESTROYER (1u << 31) /* of .inside: somebody waits for the rest to be 0 */

int ramet_barrier_init(struct ramet_barrier *barrier, uint32_t threads)
{
	if (!threads)
		return -EINVAL;
	*barrier = (struct ramet_barrier)RAMET_BARRIER_INIT(threads);
	return 0;
}

static void leave(struct ramet_barrier *barrier)
{
	uint32_t *const inside = &barrier->inside;

	if (__atomic_sub_fetch(inside, 1, __ATOMIC_RELEASE) == DESTROYER)
		futex_wake(inside, 1);
}

int ramet_barrier_wait(struct ramet_barrier *barrier)
{
	const uint32_t *const round = (const uint32_t *)(const void *)&barrier->word;
	uint64_t word, next;
	int r = 0;

	__atomic_fetch_add(&barrier->inside, 1, __ATOMIC_RELAXED);
	word = __atomic_load_n(&barrier->word, __ATOMIC_RELAXED);
	do {
		next = word + ARRIVAL;
		if (next / ARRIVAL == barrier->count)
			next = (uint32_t)(word + 1);
	} while (!__atomic_compare_exchange_n(&barrier->word, &word, next, true, __ATOMIC_ACQ_REL,
					      __ATOMIC_RELAXED));
	if (next < ARRIVAL) {
		futex_wake(round, INT32_MAX);
		r = RAMET_BARRIER_SERIAL;
	} else {
		while (__atomic_load_n(round, __ATOMIC_ACQUIRE) == (uint32_t)word)
			futex_wait(round, (uint32_t)word, RAMET_CLOCK_MONOTONIC, RAMET_NEVER);
	}
	leave(barrier);
	return r;
}

void ramet_barrier_destroy(struct ramet_barrier *barrier)
{
	uint32_t *const inside = &barrier->inside;
	uint32_t seen = __atomic_or_fetch(inside, DESTROYER, __ATOMIC_ACQUIRE);

	while (seen != DESTROYER) {
		futex_wait(inside, seen, RAMET_CLOCK_MONOTONIC, RAMET_NEVER);
		seen = __atomic_load_n(inside, __ATOMIC_ACQUIRE);
	}
	*inside = 0;
}
