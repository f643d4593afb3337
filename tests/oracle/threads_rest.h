/* SPDX-License-Identifier: MIT */
/* A part of threads_posix.c: semaphores, once, read-write locks, barriers, keys. */
#ifndef RAMET_TESTS_ORACLE_THREADS_REST_H
#define RAMET_TESTS_ORACLE_THREADS_REST_H

#include "../lib/threads_shim.h"

static const t_clock clocks[] = {T_MONOTONIC, T_REALTIME};

static int64_t past(t_clock clock)
{
	return t_now(clock) - 5 * MS;
}

static int64_t soon(t_clock clock)
{
	return t_now(clock) + 15 * MS;
}

/* The test cannot go on without: a thread that runs. */
static t_thread begin(void *(*fn)(void *), void *arg)
{
	t_thread thread;

	if (t_create(&thread, fn, arg))
		__builtin_trap();
	return thread;
}

static void *call(void *arg)
{
	return (void *)(intptr_t)((int (*)(void))arg)();
}

/* What fn() gives in another thread. */
static int elsewhere(int (*fn)(void))
{
	void *result = NULL;

	t_join(begin(call, (void *)fn), &result);
	return (int)(intptr_t)result;
}

static unsigned seen(const unsigned *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static void add(unsigned *word)
{
	__atomic_fetch_add(word, 1, __ATOMIC_ACQ_REL);
}

static bool await(const unsigned *word, unsigned value)
{
	for (int i = 0; i < 5000 && seen(word) != value; i++)
		sleep_ns(MS);
	return seen(word) == value;
}

static unsigned here;

/* ---- Semaphore ---- */

static t_sem sem;

static void post_in_handler(int sig)
{
	(void)sig;
	t_sem_post(&sem);
}

static int wait_for_post(void)
{
	add(&here);
	return t_sem_until(&sem, T_MONOTONIC, t_now(T_MONOTONIC) + 5000 * MS);
}

static void test_semaphore(void)
{
	t_thread thread;
	void *result;

	is_int(t_sem_init(&sem, T_SEM_MAX + 1u), -EINVAL, "too many for a semaphore");
	is_int(t_sem_init(&sem, T_SEM_MAX), 0, "as many as can be");
	is_int(t_sem_post(&sem), -EOVERFLOW, "no more");
	is_int(t_sem_value(&sem), T_SEM_MAX, "its value");
	is_int(t_sem_wait(&sem), 0, "one less");
	is_int(t_sem_post(&sem), 0, "one more");

	t_sem_init(&sem, 1);
	is_int(t_sem_until(&sem, T_MONOTONIC, past(T_MONOTONIC)), 0,
	       "what is there is taken whatever the deadline");
	is_int(t_sem_try(&sem), -EAGAIN, "try at 0");
	for (int i = 0; i < 2; i++) {
		const int64_t when = soon(clocks[i]);

		is_int(t_sem_until(&sem, clocks[i], past(clocks[i])), -ETIMEDOUT, "past");
		is_int(t_sem_until(&sem, clocks[i], when), -ETIMEDOUT, "to come");
		ok(t_now(clocks[i]) >= when, "which was waited for");
	}
	is_int(t_sem_value(&sem), 0, "deadlines take nothing");

	here = 0;
	thread = begin(call, (void *)wait_for_post);
	await(&here, 1);
	sleep_ns(5 * MS);
	handle(SIGUSR1_, 0, post_in_handler);
	t_kill(t_self(), SIGUSR1_);
	t_join(thread, &result);
	is_int((intptr_t)result, 0, "a handler may post");
	is_int(t_sem_value(&sem), 0, "and it is taken");
}

/* ---- Once ---- */

static t_once once = T_ONCE;
static unsigned runs;

static void run_once(void)
{
	sleep_ns(20 * MS);
	add(&runs);
}

static int see_once(void)
{
	t_call_once(&once, run_once);
	return (int)seen(&runs);
}

static void test_once(void)
{
	t_thread threads[4];
	void *result;
	int good = 0;

	for (int i = 0; i < 4; i++)
		threads[i] = begin(call, (void *)see_once);
	for (int i = 0; i < 4; i++) {
		t_join(threads[i], &result);
		good += result == (void *)1;
	}
	is_int(good, 4, "once: over for everybody who returns");
	is_int(see_once(), 1, "and not again");
}

/* ---- Read-write lock ---- */

static t_rwlock rwlock;

static int try_reading(void)
{
	const int r = t_try_read(&rwlock);

	return r ? r : t_read_unlock(&rwlock);
}
static int try_writing(void)
{
	const int r = t_try_write(&rwlock);

	return r ? r : t_write_unlock(&rwlock);
}
static int write_in_vain(void)
{
	return t_write_until(&rwlock, T_MONOTONIC, soon(T_MONOTONIC));
}
static int read_in_vain(void)
{
	return t_read_until(&rwlock, T_REALTIME, soon(T_REALTIME));
}
static int be_late(void)
{
	const int r = t_read_until(&rwlock, T_MONOTONIC, past(T_MONOTONIC)),
		  w = t_write_until(&rwlock, T_REALTIME, past(T_REALTIME));

	return r == w ? r : 1;
}
static int write_it(void)
{
	const int r = t_write(&rwlock);

	add(&runs);
	return r ? r : t_write_unlock(&rwlock);
}

static void test_rwlock(void)
{
	t_thread thread;
	void *result;

	t_rwlock_init(&rwlock);
	is_int(t_read(&rwlock), 0, "read");
	is_int(elsewhere(try_reading), 0, "others read too");
	is_int(elsewhere(try_writing), -EBUSY, "nobody writes");
	is_int(elsewhere(write_in_vain), -ETIMEDOUT, "nor does a deadline help");
	is_int(elsewhere(try_reading), 0, "a writer that gave up keeps nobody out");
	runs = 0;
	thread = begin(call, (void *)write_it);
	sleep_ns(20 * MS);
	is_int(seen(&runs), 0, "a writer waits");
	is_int(t_read_unlock(&rwlock), 0, "for the last reader's end");
	t_join(thread, &result);
	ok(!result && runs == 1, "and writes then");

	is_int(t_write_until(&rwlock, T_MONOTONIC, past(T_MONOTONIC)), 0,
	       "write, whatever the deadline if it is free");
	is_int(elsewhere(try_reading), -EBUSY, "nobody reads");
	is_int(elsewhere(try_writing), -EBUSY, "nobody else writes");
	is_int(elsewhere(read_in_vain), -ETIMEDOUT, "nor by a deadline");
	is_int(elsewhere(be_late), -ETIMEDOUT, "that is in the past");
	is_int(t_write_unlock(&rwlock), 0, "done");
	is_int(t_read_until(&rwlock, T_MONOTONIC, past(T_MONOTONIC)), 0,
	       "read, whatever the deadline if it is free");
	t_read_unlock(&rwlock);
	is_int(elsewhere(try_writing), 0, "free again");
}

/* ---- Barrier ---- */

static t_barrier barrier;
static unsigned arrived, serials, wrong;

static void *meet(void *arg)
{
	for (unsigned round = 1; round <= 200; round++) {
		add(&arrived);
		if (t_barrier_wait(&barrier) == T_SERIAL)
			add(&serials);
		if (seen(&arrived) < round * 3)
			add(&wrong);
		t_barrier_wait(&barrier);
	}
	return arg;
}

static void test_barrier(void)
{
	t_thread threads[2];

	is_int(t_barrier_init(&barrier, 0), -EINVAL, "a barrier for nobody");
	is_int(t_barrier_init(&barrier, 1), 0, "for one");
	is_int(t_barrier_wait(&barrier), T_SERIAL, "who is not kept");
	t_barrier_destroy(&barrier);

	t_barrier_init(&barrier, 3);
	arrived = serials = wrong = 0;
	for (int i = 0; i < 2; i++)
		threads[i] = begin(meet, NULL);
	meet(NULL);
	/* By one of them, while others may be on their way out. */
	t_barrier_destroy(&barrier);
	__builtin_memset(&barrier, 0xff, sizeof(barrier));
	for (int i = 0; i < 2; i++)
		t_join(threads[i], NULL);
	is_int(wrong, 0, "nobody leaves a barrier before all have come");
	is_int(serials, 200, "one of each round is told");
}

/* ---- Keys ---- */

static t_key key, later_key;
static unsigned destroyed, rounds, stale;

static void destroy(void *value)
{
	if (t_key_get(key))
		add(&stale);
	if (value == &destroyed)
		add(&destroyed);
}

/* Leaves a value behind each time. */
static void leave_another(void *value)
{
	add(&rounds);
	if (t_key_set(later_key, value))
		add(&stale);
}

static int use_key(void)
{
	if (t_key_get(key))
		return 1;
	return t_key_set(key, &destroyed) || t_key_get(key) != &destroyed;
}

static int use_key_and_exit(void)
{
	use_key();
	t_exit(NULL);
	return 0;
}

static int empty_key(void)
{
	return t_key_set(key, &destroyed) || t_key_set(key, NULL);
}

static int use_later_key(void)
{
	return t_key_set(later_key, &rounds);
}

static void test_keys(void)
{
	static t_key all[T_KEYS];
	unsigned n = 0;
	int r;

	is_int(t_key_create(destroy, &key), 0, "a key");
	ok(!t_key_get(key), "is NULL");
	is_int(t_key_set(key, &stale), 0, "set");
	is_int(elsewhere(use_key), 0, "each thread has its own value");
	is_int(destroyed, 1, "destroyed at its end");
	is_int(elsewhere(use_key_and_exit), 0, "by an exit");
	is_int(destroyed, 2, "too");
	is_int(elsewhere(empty_key), 0, "NULL again");
	is_int(destroyed, 2, "is not destroyed");
	is_int(stale, 0, "a destructor finds NULL");
	ok(t_key_get(key) == &stale, "and this thread's is as it was");

	is_int(t_key_create(leave_another, &later_key), 0, "another key");
	is_int(elsewhere(use_later_key), 0, "whose destructor sets it again");
	is_int(rounds, T_ROUNDS, "so many rounds");
	is_int(t_key_delete(key), 0, "delete");
	is_int(destroyed, 2, "destroys nothing");
	is_int(t_key_set(key, &destroyed), -EINVAL, "no such key");
	is_int(t_key_delete(key), -EINVAL, "twice");
	is_int(t_key_delete(later_key), 0, "the other");

	while (n < T_KEYS && !(r = t_key_create(NULL, &all[n])))
		n++;
	if (n == T_KEYS)
		r = t_key_create(NULL, &key);
	is_int(r, -EAGAIN, "there are so many and no more");
	for (unsigned i = 0, fresh = 0; i < n; i++) {
		fresh += !t_key_get(all[i]);
		t_key_delete(all[i]);
		if (i == n - 1)
			is_int(fresh, n, "all of them NULL, old numbers too");
	}
}

#endif
