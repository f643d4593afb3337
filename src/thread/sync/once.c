/* SPDX-License-Identifier: MIT */
/* Once, and what the clocks say. */
#include "thread/sync/futex.h"

/* DONE is known to the inline function in thread.h. */
enum {
	NOT_YET = 0,
	RUNNING,
	AWAITED, /* running, and others wait */
	DONE,
};

void ramet_once_slow(struct ramet_once *once, void (*fn)(void))
{
	uint32_t word = NOT_YET;

	if (__atomic_compare_exchange_n(&once->word, &word, RUNNING, false, __ATOMIC_ACQUIRE,
					__ATOMIC_ACQUIRE)) {
		fn();
		if (__atomic_exchange_n(&once->word, DONE, __ATOMIC_RELEASE) == AWAITED)
			futex_wake(&once->word, INT32_MAX);
		return;
	}
	while (word != DONE) {
		if (word == RUNNING)
			__atomic_compare_exchange_n(&once->word, &word, AWAITED, false,
						    __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE);
		if (word != DONE)
			futex_wait(&once->word, AWAITED, RAMET_CLOCK_MONOTONIC, RAMET_NEVER);
		word = __atomic_load_n(&once->word, __ATOMIC_ACQUIRE);
	}
}

int64_t ramet_clock_now(enum ramet_clock clock)
{
	struct kernel_timespec now = {0};

	sys2(SYS_clock_gettime, clock, (long)&now);
	return now.tv_sec * BILLION + now.tv_nsec;
}
