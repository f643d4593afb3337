/* SPDX-License-Identifier: MIT */
/*
 * Semaphores: value and number of waiters in one word of 64 bits, so that who posts learns with
 * the same step whether to wake, and does not look at a semaphore again that the woken may have
 * thrown away. The value is the lower half and what waiters sleep on: little-endian, as all
 * processors here are.
 */
#include "thread/sync/futex.h"

#define ONE_WAITER (1ULL << 32)

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the futex is the first half");

static const uint32_t *value_of(const struct ramet_sem *sem)
{
	return (const uint32_t *)(const void *)&sem->word;
}

int ramet_sem_init(struct ramet_sem *sem, uint32_t value)
{
	if (value > RAMET_SEM_MAX)
		return -EINVAL;
	sem->word = value;
	return 0;
}

/* Take one, and `also` off the word; false if there is none. */
static bool take(struct ramet_sem *sem, uint64_t also)
{
	uint64_t word = __atomic_load_n(&sem->word, __ATOMIC_RELAXED);

	while ((uint32_t)word)
		if (__atomic_compare_exchange_n(&sem->word, &word, word - 1 - also, true,
						__ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			return true;
	return false;
}

int ramet_sem_try_wait(struct ramet_sem *sem)
{
	return take(sem, 0) ? 0 : -EAGAIN;
}

int ramet_sem_wait_until(struct ramet_sem *sem, enum ramet_clock clock, int64_t when)
{
	long r = 0;

	for (unsigned n = spins_allowed(); n; n--) {
		if (take(sem, 0))
			return 0;
		if (__atomic_load_n(&sem->word, __ATOMIC_RELAXED) >= ONE_WAITER)
			break;
		arch_relax();
	}
	__atomic_fetch_add(&sem->word, ONE_WAITER, __ATOMIC_RELAXED);
	while (!take(sem, ONE_WAITER)) {
		if (r == -ETIMEDOUT) {
			__atomic_fetch_sub(&sem->word, ONE_WAITER, __ATOMIC_RELAXED);
			return (int)r;
		}
		r = futex_wait(value_of(sem), 0, clock, when);
	}
	return 0;
}

int ramet_sem_wait(struct ramet_sem *sem)
{
	return ramet_sem_wait_until(sem, RAMET_CLOCK_MONOTONIC, RAMET_NEVER);
}

int ramet_sem_post(struct ramet_sem *sem)
{
	uint64_t word = __atomic_load_n(&sem->word, __ATOMIC_RELAXED);

	do {
		if ((uint32_t)word == RAMET_SEM_MAX)
			return -EOVERFLOW;
	} while (!__atomic_compare_exchange_n(&sem->word, &word, word + 1, true, __ATOMIC_RELEASE,
					      __ATOMIC_RELAXED));
	if (word >= ONE_WAITER)
		futex_wake(value_of(sem), 1);
	return 0;
}

uint32_t ramet_sem_value(const struct ramet_sem *sem)
{
	return (uint32_t)__atomic_load_n(&sem->word, __ATOMIC_RELAXED);
}
