/* SPDX-License-Identifier: MIT */
/*
 * How everything here waits: on a 32-bit word, by the kernel's private futexes, with absolute
 * deadlines; and a lock of one word for what is held for a few instructions only. Waking goes by
 * the word's address alone, so the word's memory may be gone by then: whoever is woken there for
 * nothing looks again, as all do.
 */
#ifndef RAMET_THREAD_SYNC_FUTEX_H
#define RAMET_THREAD_SYNC_FUTEX_H

#include <errno.h>
#include <stdbool.h>

#include <ramet/thread.h>

#include "arch/thread.h"
#include "base/sys.h"

#define FUTEX_PRIVATE 128
#define FUTEX_REQUEUE_CMP 4
#define FUTEX_WAIT_UNTIL 9 /* WAIT_BITSET: its time is absolute */
#define FUTEX_REALTIME 256
#define FUTEX_ANY 0xffffffffu

#define BILLION 1000000000

/* Looks at a word before sleeping; none on one processor. Counted, not timed: no clock is read. */
#define SPINS_MAX 100
/* At a mutex they are fewer, with many pauses of the processor before each. */
#define PAUSES_MAX 200
#define PAUSE 32     /* before the first, */
#define PAUSE_MAX 64 /* and before later ones */

static inline long futex_wait_kind(const uint32_t *word, uint32_t value, int kind,
				   enum ramet_clock clock, int64_t when)
{
	const int64_t at = when < 0 ? 0 : when;
	const struct kernel_timespec time = {.tv_sec = at / BILLION, .tv_nsec = at % BILLION};

	if (clock == RAMET_CLOCK_REALTIME)
		kind |= FUTEX_REALTIME;
	return sys6(SYS_futex, (long)word, FUTEX_WAIT_UNTIL | kind, value,
		    when == RAMET_NEVER ? 0 : (long)&time, 0, FUTEX_ANY);
}

/* Sleep while *word is value. 0, -EAGAIN, -EINTR: look again; -ETIMEDOUT. */
static inline long futex_wait(const uint32_t *word, uint32_t value, enum ramet_clock clock,
			      int64_t when)
{
	return futex_wait_kind(word, value, FUTEX_PRIVATE, clock, when);
}

static inline void futex_wake(const uint32_t *word, int count)
{
	sys3(SYS_futex, (long)word, KERNEL_FUTEX_WAKE | FUTEX_PRIVATE, count);
}

/* How often to look at a word before sleeping: SPINS_MAX, or 0 on one processor. */
unsigned spins_allowed(void);

/* 0 free, 1 held, 2 held and perhaps waited for. */
void lock_word_slow(uint32_t *word);

static inline void lock_word(uint32_t *word)
{
	uint32_t unheld = 0;

	if (!__atomic_compare_exchange_n(word, &unheld, 1, false, __ATOMIC_ACQUIRE,
					 __ATOMIC_RELAXED))
		lock_word_slow(word);
}

static inline void unlock_word(uint32_t *word)
{
	if (__atomic_exchange_n(word, 0, __ATOMIC_RELEASE) == 2)
		futex_wake(word, 1);
}

/* Has the caller got it, as far as the mutex knows? */
bool mutex_is_mine(const struct ramet_mutex *mutex);

/*
 * Give it back however deep it is, which is the result, and take it as deep again: in a chain, as
 * one of many that wait for it, so that giving it back will wake another.
 */
uint32_t mutex_release(struct ramet_mutex *mutex);
void mutex_retake(struct ramet_mutex *mutex, uint32_t depth, bool in_chain);

#endif
