/* SPDX-License-Identifier: MIT */
/*
 * Read-write locks in which both sides take turns. All is decided by one word of 64 bits:
 *
 *	0-14   readers that have it
 *	15     a writer has it
 *	16-30  readers that wait for the end of a writer's turn
 *	32-47  writers that have it or want it: new readers wait if there are any
 *	48     phase: changes when waiting readers are let in, so that they know it
 *	49-63  counts the times that the last writer gave up
 *
 * A writer counts itself, takes the mutex `turn`, waits on the lower half for those inside and
 * sets bit 15. At its end one step clears that and lets all readers in that wait: they have it from
 * then on, woken or not, so the next writer comes after them and later readers after that one.
 * This step is the last look at the lock, which a reader may then throw away; so `turn` is given
 * back before it, and the next writer waits for bit 15 too. The phase can change but once while a
 * reader that was let in has not left, so one bit is enough: who never had it must not change it,
 * however often it comes. So those who give up let nobody in; readers that waited go in themselves
 * if no writer is left, or if the count tells that theirs is not among those that came since.
 */
#include "thread/sync/futex.h"

#define READER 1ULL
#define READERS 0x7fffULL
#define HELD (1ULL << 15)
#define WAITER (1ULL << 16)
#define WAITERS (READERS * WAITER)
#define WRITER (1ULL << 32)
#define WRITERS (0xffffULL * WRITER)
#define PHASE (1ULL << 48)
#define GAVE_UP (1ULL << 49) /* the uppermost: may overflow, then a reader waits for one more */
#define GAVE_UPS (0x7fffULL * GAVE_UP)

static const uint32_t *half(const struct ramet_rwlock *lock, int high)
{
	return (const uint32_t *)(const void *)&lock->state + high;
}

static uint64_t state_of(const struct ramet_rwlock *lock)
{
	return __atomic_load_n(&lock->state, __ATOMIC_ACQUIRE);
}

/* Weak: all who call it look again. */
static bool change(struct ramet_rwlock *lock, uint64_t *state, uint64_t to)
{
	return __atomic_compare_exchange_n(&lock->state, state, to, true, __ATOMIC_ACQ_REL,
					   __ATOMIC_ACQUIRE);
}

/* Those who have it and those who wait together: all will have it at once. */
static bool too_many(uint64_t state)
{
	return (state & READERS) + (state & WAITERS) / WAITER >= READERS;
}

int ramet_rwlock_try_read(struct ramet_rwlock *lock)
{
	uint64_t state = state_of(lock);

	do {
		if (state & WRITERS)
			return -EBUSY;
		if (too_many(state))
			return -EAGAIN;
	} while (!change(lock, &state, state + READER));
	return 0;
}

/* A reader that waits since `mine`: has the writer that it waited for given up? */
static bool is_free_again(uint64_t state, uint64_t mine)
{
	return !(state & WRITERS) || ((state ^ mine) & GAVE_UPS && !(state & HELD));
}

int ramet_rwlock_read_until(struct ramet_rwlock *lock, enum ramet_clock clock, int64_t when)
{
	uint64_t state = state_of(lock), mine;
	long r = 0;

	do {
		if (too_many(state))
			return -EAGAIN;
		mine = state;
	} while (!change(lock, &state, state + (state & WRITERS ? WAITER : READER)));
	if (!(mine & WRITERS))
		return 0;

	for (;;) {
		state = state_of(lock);
		if ((state ^ mine) & PHASE)
			return 0;
		if (is_free_again(state, mine)) {
			if (change(lock, &state, state - WAITER + READER))
				return 0;
		} else if (r != -ETIMEDOUT) {
			r = futex_wait(half(lock, 1), (uint32_t)(state >> 32), clock, when);
		} else if (change(lock, &state, state - WAITER)) {
			return (int)r;
		}
	}
}

int ramet_rwlock_read(struct ramet_rwlock *lock)
{
	return ramet_rwlock_read_until(lock, RAMET_CLOCK_MONOTONIC, RAMET_NEVER);
}

int ramet_rwlock_read_unlock(struct ramet_rwlock *lock)
{
	const uint64_t was = __atomic_fetch_sub(&lock->state, READER, __ATOMIC_ACQ_REL);

	if ((was & READERS) == READER && was & WRITERS)
		futex_wake(half(lock, 0), 1);
	return 0;
}

/*
 * One writer less, and no longer the owner of `turn`. If it had the lock, those who wait for it are
 * let in; if it gave up as the only one to want it, they are told.
 */
static void end_turn(struct ramet_rwlock *lock, uint64_t held)
{
	uint64_t state = state_of(lock), to;

	do {
		to = state - WRITER - held;
		if (held)
			to = ((to & ~WAITERS) + (state & WAITERS) / WAITER * READER) ^ PHASE;
		else if (!(to & WRITERS))
			to += GAVE_UP;
	} while (!change(lock, &state, to));
	if (state & WAITERS && (held || !(to & WRITERS)))
		futex_wake(half(lock, 1), INT32_MAX);
	else if (held && to & WRITERS)
		futex_wake(half(lock, 0), 1);
}

int ramet_rwlock_write_until(struct ramet_rwlock *lock, enum ramet_clock clock, int64_t when)
{
	uint64_t state = state_of(lock);
	long r;

	do {
		if ((state & WRITERS) == WRITERS)
			return -EAGAIN;
	} while (!change(lock, &state, state + WRITER));

	r = ramet_mutex_lock_until(&lock->turn, clock, when);
	if (r < 0) {
		end_turn(lock, 0);
		return (int)r;
	}
	state = state_of(lock);
	for (;;) {
		if (!(state & (READERS | HELD))) {
			if (change(lock, &state, state | HELD))
				return 0;
			continue;
		}
		if (r == -ETIMEDOUT) {
			ramet_mutex_unlock(&lock->turn);
			end_turn(lock, 0);
			return (int)r;
		}
		r = futex_wait(half(lock, 0), (uint32_t)state, clock, when);
		state = state_of(lock);
	}
}

int ramet_rwlock_write(struct ramet_rwlock *lock)
{
	return ramet_rwlock_write_until(lock, RAMET_CLOCK_MONOTONIC, RAMET_NEVER);
}

int ramet_rwlock_try_write(struct ramet_rwlock *lock)
{
	uint64_t state;

	if (ramet_mutex_try_lock(&lock->turn) < 0)
		return -EBUSY;
	state = state_of(lock);
	while (!(state & (READERS | HELD | WRITERS)))
		if (change(lock, &state, (state + WRITER) | HELD))
			return 0;
	ramet_mutex_unlock(&lock->turn);
	return -EBUSY;
}

int ramet_rwlock_write_unlock(struct ramet_rwlock *lock)
{
	ramet_mutex_unlock(&lock->turn);
	end_turn(lock, HELD);
	return 0;
}
