/* SPDX-License-Identifier: MIT */
/*
 * Condition variables: a list of who waits, each with a word of its own on its own stack, so a
 * signal reaches exactly one who waited before it. The list is the lock's; a waiter once taken off
 * it is its waker's until the waker changes the word. After that neither the waiter nor, for the
 * last one woken, the condition variable may be looked at: both may be gone.
 *
 * Who wakes many does not have all run for one mutex. It moves them, asleep, from their words to
 * the mutex's and wakes one; that one takes the mutex as waited for, and so each wakes the next in
 * giving it back. The one is woken last: it must not have given the mutex back before the others
 * are there.
 */
#include "thread/sync/futex.h"

enum {
	WAITING = 0,
	WAITING_AGAIN, /* woken for nothing; where it was moved to it is no more */
	WOKEN,
	WOKEN_IN_CHAIN, /* others may sleep on the mutex: take it as waited for */
};

struct waiter {
	struct waiter *next, *previous;
	struct ramet_mutex *mutex;
	uint32_t word;
	bool taken; /* off the list; under the lock */
};

static void append(struct ramet_cond *cond, struct waiter *waiter)
{
	waiter->previous = cond->last;
	if (waiter->previous)
		waiter->previous->next = waiter;
	else
		__atomic_store_n(&cond->first, waiter, __ATOMIC_RELAXED);
	cond->last = waiter;
}

static void take_off(struct ramet_cond *cond, struct waiter *waiter)
{
	if (waiter->previous)
		waiter->previous->next = waiter->next;
	else
		__atomic_store_n(&cond->first, waiter->next, __ATOMIC_RELAXED);
	if (waiter->next)
		waiter->next->previous = waiter->previous;
	else
		cond->last = waiter->previous;
	waiter->taken = true;
}

/* False: somebody has taken it off already and is about to wake it. */
static bool give_up(struct ramet_cond *cond, struct waiter *waiter)
{
	bool mine;

	lock_word(&cond->lock);
	mine = !waiter->taken;
	if (mine)
		take_off(cond, waiter);
	unlock_word(&cond->lock);
	return mine;
}

int ramet_cond_wait_until(struct ramet_cond *cond, struct ramet_mutex *mutex,
			  enum ramet_clock clock, int64_t when)
{
	struct waiter self = {.mutex = mutex};
	uint32_t depth, word;
	int r;

	r = mutex_is_mine(mutex) ? 0 : -EPERM;
	if (r < 0)
		return r;
	/* Before the mutex is given back, so that whoever then takes it finds the waiter. */
	lock_word(&cond->lock);
	append(cond, &self);
	unlock_word(&cond->lock);
	depth = mutex_release(mutex);
	while ((word = __atomic_load_n(&self.word, __ATOMIC_ACQUIRE)) < WOKEN) {
		if (futex_wait(&self.word, word, clock, when) == -ETIMEDOUT) {
			if (give_up(cond, &self)) {
				r = -ETIMEDOUT;
				break;
			}
			when = RAMET_NEVER;
		}
		word = WAITING;
		__atomic_compare_exchange_n(&self.word, &word, WAITING_AGAIN, false,
					    __ATOMIC_RELAXED, __ATOMIC_RELAXED);
	}
	mutex_retake(mutex, depth, word == WOKEN_IN_CHAIN);
	return r;
}

int ramet_cond_wait(struct ramet_cond *cond, struct ramet_mutex *mutex)
{
	return ramet_cond_wait_until(cond, mutex, RAMET_CLOCK_MONOTONIC, RAMET_NEVER);
}

static void wake(uint32_t *word, uint32_t how)
{
	__atomic_store_n(word, how, __ATOMIC_RELEASE);
	futex_wake(word, 1);
}

/* Whoever must be woken is seen: it was on the list before the mutex was given back. */
static bool nobody(const struct ramet_cond *cond)
{
	return !__atomic_load_n(&cond->first, __ATOMIC_RELAXED);
}

int ramet_cond_signal(struct ramet_cond *cond)
{
	struct waiter *first;

	if (nobody(cond))
		return 0;
	lock_word(&cond->lock);
	first = cond->first;
	if (first)
		take_off(cond, first);
	unlock_word(&cond->lock);
	if (first)
		wake(&first->word, WOKEN);
	return 0;
}

/*
 * Moved while its word still says that it waits, since until then it cannot be gone and be
 * another's sleeping place. If it was not asleep, or is no longer where it was moved to, it is
 * woken by its own word.
 */
static void move_to_mutex(struct waiter *waiter)
{
	const long moved = sys6(SYS_futex, (long)&waiter->word, FUTEX_REQUEUE_CMP | FUTEX_PRIVATE,
				0, 1, (long)&waiter->mutex->word, WAITING);
	const uint32_t was = __atomic_exchange_n(&waiter->word, WOKEN_IN_CHAIN, __ATOMIC_RELEASE);

	if (moved != 1 || was != WAITING)
		futex_wake(&waiter->word, 1);
}

int ramet_cond_broadcast(struct ramet_cond *cond)
{
	struct waiter *first, *next;

	if (nobody(cond))
		return 0;
	lock_word(&cond->lock);
	first = cond->first;
	for (struct waiter *each = first; each; each = each->next)
		each->taken = true;
	__atomic_store_n(&cond->first, NULL, __ATOMIC_RELAXED);
	cond->last = NULL;
	unlock_word(&cond->lock);

	if (!first)
		return 0;
	if (!first->next) {
		wake(&first->word, WOKEN);
		return 0;
	}
	for (struct waiter *each = first->next; each; each = next) {
		next = each->next;
		move_to_mutex(each);
	}
	wake(&first->word, WOKEN_IN_CHAIN);
	return 0;
}
