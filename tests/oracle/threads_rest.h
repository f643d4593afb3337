/* SPDX-License-Identifier: MIT */
/*
 * A part of threads_posix.c: what all its tests use, what each thread has of its own, once, keys;
 * and, as C11 has them not, semaphores, read-write locks, barriers.
 */
#ifndef RAMET_TESTS_ORACLE_THREADS_REST_H
#define RAMET_TESTS_ORACLE_THREADS_REST_H

#include "../lib/threads_shim.h"

static const t_clock clocks[T_CLOCKS] = T_ALL_CLOCKS;

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

/* Its result; where there is none, what no test wants. */
static void *end_of(t_thread thread)
{
	void *result = NULL;

	return t_join(thread, &result) ? (void *)-99 : result;
}

/* What fn() gives in another thread. */
static int elsewhere(int (*fn)(void))
{
	return (int)(intptr_t)end_of(begin(call, (void *)fn));
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

static unsigned go, here;

static void let_go(void)
{
	__atomic_store_n(&go, 1, __ATOMIC_RELEASE);
}

static void *wait_for_go(void *arg)
{
	add(&here);
	while (!seen(&go))
		sleep_ns(MS);
	return arg;
}

/* ---- What each has of its own ---- */

static unsigned handed;

static void *hand_over(void *arg)
{
	unsigned n;

	while ((n = seen(&handed)) < 1000) {
		if (n % 2 == (uintptr_t)arg)
			add(&handed);
		else
			t_yield();
	}
	return NULL;
}

static void test_yield(void)
{
	t_thread thread;

	handed = 0;
	thread = begin(hand_over, (void *)1);
	hand_over(NULL);
	t_join(thread, NULL);
	is_int(handed, 1000, "who yields goes on when it is its turn");
}

static _Thread_local volatile int set = 42, unset;
static _Thread_local volatile long line __attribute__((aligned(64))) = 64;

static int use_locals(void)
{
	uintptr_t at = (uintptr_t)&line;

	/* A compiler that knows how it is aligned would not look. */
	__asm__("" : "+r"(at));
	if (set != 42 || unset || line != 64 || at % 64)
		return 1;
	set = unset = 7;
	line = 7;
	return 0;
}

static void test_locals(void)
{
	set = unset = 1;
	for (int i = 0; i < 3; i++)
		is_int(elsewhere(use_locals), 0, "thread-local variables are new in each");
	ok(set == 1 && unset == 1 && line == 64, "and the caller's are its own");
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
	int good = 0;

	for (int i = 0; i < 4; i++)
		threads[i] = begin(call, (void *)see_once);
	for (int i = 0; i < 4; i++)
		good += end_of(threads[i]) == (void *)1;
	is_int(good, 4, "once: over for everybody who returns");
	is_int(see_once(), 1, "and not again");
}

static t_once outer = T_ONCE, inner = T_ONCE;
static unsigned inner_runs;

static void run_inner(void)
{
	add(&inner_runs);
}

static void run_outer(void)
{
	t_call_once(&inner, run_inner);
	t_call_once(&inner, run_inner);
}

#define ONCES 500
static t_once onces[ONCES] = {[0 ... ONCES - 1] = T_ONCE};
/* Not atomic: who returns has what was written, and nobody else writes. */
static unsigned made[ONCES];
static _Thread_local unsigned at_once;

static void make(void)
{
	made[at_once]++;
}

static void *make_all(void *arg)
{
	intptr_t good = 0;

	add(arg);
	await(arg, 6);
	for (at_once = 0; at_once < ONCES; at_once++) {
		t_call_once(&onces[at_once], make);
		good += made[at_once] == 1;
	}
	return (void *)good;
}

static void test_many_onces(void)
{
	t_thread threads[6];
	intptr_t good = 0;

	t_call_once(&outer, run_outer);
	is_int(inner_runs, 1, "one inside another");
	here = 0;
	for (int i = 0; i < 6; i++)
		threads[i] = begin(make_all, &here);
	for (int i = 0; i < 6; i++)
		good += (intptr_t)end_of(threads[i]);
	is_int(good, 6 * ONCES, "each of many once, done for each of many threads");
}

/* ---- Keys ---- */

static t_key key, later_key;
static unsigned destroyed, rounds, stale, strange;
static t_thread user;

static void destroy(void *value)
{
	if (t_key_get(key))
		add(&stale);
	if (!t_equal(t_self(), user))
		add(&strange);
	if (value == &destroyed)
		add(&destroyed);
}

static int use_key(void)
{
	user = t_self();
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

static void test_keys(void)
{
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
	is_int(strange, 0, "and is run by the thread itself");
	ok(t_key_get(key) == &stale, "and this thread's is as it was");
}

/* Leaves a value behind each time. */
static void leave_another(void *value)
{
	add(&rounds);
	if (t_key_set(later_key, value))
		add(&stale);
}

static int use_later_key(void)
{
	return t_key_set(later_key, &rounds);
}

/* A destructor that leaves something to the other key's. */
static t_key pair[2];
static unsigned passed;

static void pass_on(void *value)
{
	if (value == &passed)
		add(&passed);
	else if (t_key_set(*(t_key *)value, &passed))
		add(&stale);
}

static int pass_up(void)
{
	return t_key_set(pair[0], &pair[1]);
}
static int pass_down(void)
{
	return t_key_set(pair[1], &pair[0]);
}

static void test_destructors(void)
{
	stale = 0;
	is_int(t_key_create(leave_another, &later_key), 0, "another key");
	is_int(elsewhere(use_later_key), 0, "whose destructor sets it again");
	is_int(rounds, T_ROUNDS, "so many rounds");
	t_key_delete(later_key);

	is_int(t_key_create(pass_on, &pair[0]) || t_key_create(pass_on, &pair[1]), 0, "two");
	is_int(elsewhere(pass_up), 0, "a destructor sets the other's value");
	is_int(passed, 1, "which is destroyed too");
	is_int(elsewhere(pass_down), 0, "the other way round");
	is_int(passed, 2, "as well");
	is_int(stale, 0, "a destructor may set values");
	t_key_delete(pair[0]);
	t_key_delete(pair[1]);
}

static int keep_a_value(void)
{
	const int r = t_key_set(key, &destroyed);

	wait_for_go(NULL);
	return r;
}

static void test_deleted_key(void)
{
	t_thread thread;

	go = here = destroyed = 0;
	thread = begin(call, (void *)keep_a_value);
	await(&here, 1);
#ifdef AGAINST_C11
	t_key_delete(key); /* it says nothing */
#else
	is_int(t_key_delete(key), 0, "delete");
	is_int(t_key_set(key, &destroyed), -EINVAL, "no such key");
	is_int(t_key_delete(key), -EINVAL, "twice");
#endif
	is_int(destroyed, 0, "to delete a key destroys nothing");
	let_go();
	is_int((intptr_t)end_of(thread), 0, "nor does then the end");
	is_int(destroyed, 0, "of who has a value");
}

static int outlive_key(void)
{
	const int r = t_key_set(key, &stale);

	wait_for_go(NULL);
	return r ? r : t_key_get(key) != NULL;
}

static void test_all_keys(void)
{
	static t_key all[T_KEYS];
	unsigned n = 0, fresh = 0;
	t_thread thread;
	int r = 0;

	while (n < T_KEYS && !(r = t_key_create(NULL, &all[n])))
		n++;
	if (n == T_KEYS)
		r = t_key_create(NULL, &key);
	is_int(r, T_NO_KEY, "there are so many and no more");
	for (unsigned i = 0; i < n; i++)
		fresh += !t_key_get(all[i]);
	is_int(fresh, n, "all of them NULL, old numbers too");

	go = here = 0;
	key = all[n / 2];
	thread = begin(call, (void *)outlive_key);
	await(&here, 1);
	t_key_delete(key);
	is_int(t_key_create(NULL, &key), 0, "in place of one that is deleted there may be another");
	all[n / 2] = key;
	let_go();
	is_int((intptr_t)end_of(thread), 0, "NULL too for who had a value there");
	for (unsigned i = 0; i < n; i++)
		t_key_delete(all[i]);
}

static void fail_late(void *value)
{
	ok(value == NULL, "the end of the process destroys no value");
}

/* Comes last: whatever it says is beyond the plan. */
static void test_end_of_process(void)
{
	is_int(t_key_create(fail_late, &key) || t_key_set(key, &key), 0,
	       "a value, at the end of the process");
}

/* ---- What C11 has not ---- */

#ifndef AGAINST_C11

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
	for (int i = 0; i < T_CLOCKS; i++) {
		const int64_t when = soon(clocks[i]);

		is_int(t_sem_until(&sem, clocks[i], 0), -ETIMEDOUT, "deadline 0");
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
	is_int((intptr_t)end_of(thread), 0, "a handler may post");
	is_int(t_sem_value(&sem), 0, "and it is taken");
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
	is_int((intptr_t)end_of(thread), 0, "and writes then");
	is_int(runs, 1, "once");

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

#endif

#endif
