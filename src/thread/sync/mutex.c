/* SPDX-License-Identifier: MIT */
/*
 * Mutexes: one word of three states, 0 free, 1 held, 2 held and perhaps waited for. Who sleeps has
 * set 2 before, and takes it with 2 after, since others may sleep still; who gives back a 2 wakes
 * one. After the word is 0 the mutex is not looked at again: it may be gone.
 */
#include "thread/sync/futex.h"

/* Of 8192; more than that are not one either. */
static bool has_one_processor(void)
{
	unsigned long cpus[128] = {0}, some = 0;
	const long n = sys3(SYS_sched_getaffinity, 0, sizeof(cpus), (long)cpus);
	bool one = n > 0;

	for (unsigned i = 0; n > 0 && i < (unsigned long)n / sizeof(*cpus); i++) {
		one &= !(cpus[i] & (cpus[i] - 1)) && !(some && cpus[i]);
		some |= cpus[i];
	}
	return one;
}

unsigned spins_allowed(void)
{
	static uint32_t known; /* one more than it is; 0: not asked yet */
	uint32_t n = __atomic_load_n(&known, __ATOMIC_RELAXED);

	if (!n) {
		n = (has_one_processor() ? 0 : SPINS_MAX) + 1;
		__atomic_store_n(&known, n, __ATOMIC_RELAXED);
	}
	return n - 1;
}

static bool take(uint32_t *word)
{
	uint32_t unheld = 0;

	return __atomic_compare_exchange_n(word, &unheld, 1, false, __ATOMIC_ACQUIRE,
					   __ATOMIC_RELAXED);
}

static long sleep_for(uint32_t *word, enum ramet_clock clock, int64_t when)
{
	while (__atomic_exchange_n(word, 2, __ATOMIC_ACQUIRE))
		if (futex_wait(word, 2, clock, when) == -ETIMEDOUT)
			return -ETIMEDOUT;
	return 0;
}

void lock_word_slow(uint32_t *word)
{
	for (unsigned n = spins_allowed(); n; n--) {
		const uint32_t seen = __atomic_load_n(word, __ATOMIC_RELAXED);

		if (seen == 2)
			break;
		if (!seen && take(word))
			return;
		arch_relax();
	}
	sleep_for(word, RAMET_CLOCK_MONOTONIC, RAMET_NEVER);
}

/*
 * Look for a while if that has been worth it before: twice as long as it took on average. Not
 * where others sleep: they were first, and the processors are busy. A look takes the word's line
 * from the holder, who may want it again at once, so looks are seldom and become more so; `pause`
 * is the least between two.
 */
static bool spin_for(struct ramet_mutex *mutex, int pause)
{
	const int average = __atomic_load_n(&mutex->spins, __ATOMIC_RELAXED);
	const int allowed = spins_allowed() ? PAUSES_MAX : 0;
	int most = 2 * average + 10, n;
	bool taken = false;

	if (most > allowed)
		most = allowed;
	for (n = 0; n < most && !taken; n += pause) {
		uint32_t seen;

		pause += n && pause < PAUSE_MAX ? pause : 0;
		for (int i = 0; i < pause; i++)
			arch_relax();
		seen = __atomic_load_n(&mutex->word, __ATOMIC_RELAXED);
		if (seen == 2)
			return false;
		taken = !seen && take(&mutex->word);
	}
	/* Stored while it is ours: given back, it may be gone. */
	if (taken)
		__atomic_store_n(&mutex->spins, (uint16_t)(average + (n - average) / 8),
				 __ATOMIC_RELAXED);
	return taken;
}

static long lock_until(struct ramet_mutex *mutex, int pause, enum ramet_clock clock, int64_t when)
{
	if (take(&mutex->word) || spin_for(mutex, pause))
		return 0;
	return sleep_for(&mutex->word, clock, when);
}

static void own(struct ramet_mutex *mutex)
{
	__atomic_store_n(&mutex->owner, ramet_thread_self(), __ATOMIC_RELAXED);
}

/* Only the owner itself can find itself there, so a look without the lock is right. */
static bool is_owner(const struct ramet_mutex *mutex)
{
	return __atomic_load_n(&mutex->owner, __ATOMIC_RELAXED) == ramet_thread_self();
}

static int lock_again(struct ramet_mutex *mutex)
{
	if (mutex->depth == UINT32_MAX)
		return -EAGAIN;
	mutex->depth++;
	return 0;
}

int ramet_mutex_lock_until(struct ramet_mutex *mutex, enum ramet_clock clock, int64_t when)
{
	long r;

	if (mutex->kind != RAMET_MUTEX_NORMAL && is_owner(mutex))
		return mutex->kind == RAMET_MUTEX_RECURSIVE ? lock_again(mutex) : -EDEADLK;
	r = lock_until(mutex, PAUSE, clock, when);
	if (!r && mutex->kind != RAMET_MUTEX_NORMAL)
		own(mutex);
	return (int)r;
}

int ramet_mutex_lock_slow(struct ramet_mutex *mutex)
{
	return ramet_mutex_lock_until(mutex, RAMET_CLOCK_MONOTONIC, RAMET_NEVER);
}

int ramet_mutex_try_lock(struct ramet_mutex *mutex)
{
	if (mutex->kind == RAMET_MUTEX_RECURSIVE && is_owner(mutex))
		return lock_again(mutex);
	if (!take(&mutex->word))
		return -EBUSY;
	if (mutex->kind != RAMET_MUTEX_NORMAL)
		own(mutex);
	return 0;
}

int ramet_mutex_unlock_slow(struct ramet_mutex *mutex)
{
	if (mutex->kind != RAMET_MUTEX_NORMAL) {
		if (!is_owner(mutex))
			return -EPERM;
		if (mutex->depth) {
			mutex->depth--;
			return 0;
		}
		__atomic_store_n(&mutex->owner, NULL, __ATOMIC_RELAXED);
	}
	unlock_word(&mutex->word);
	return 0;
}

bool mutex_is_mine(const struct ramet_mutex *mutex)
{
	return mutex->kind == RAMET_MUTEX_NORMAL || is_owner(mutex);
}

uint32_t mutex_release(struct ramet_mutex *mutex)
{
	const uint32_t depth = mutex->depth;

	mutex->depth = 0;
	ramet_mutex_unlock(mutex);
	return depth;
}

void mutex_retake(struct ramet_mutex *mutex, uint32_t depth, bool in_chain)
{
	if (in_chain)
		sleep_for(&mutex->word, RAMET_CLOCK_MONOTONIC, RAMET_NEVER);
	else /* from whoever woke us, and is about to give it back */
		lock_until(mutex, 1, RAMET_CLOCK_MONOTONIC, RAMET_NEVER);
	if (mutex->kind != RAMET_MUTEX_NORMAL)
		own(mutex);
	mutex->depth = depth;
}
