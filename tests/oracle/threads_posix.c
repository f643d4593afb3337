/* SPDX-License-Identifier: MIT */
/*
 * What POSIX and C11 say of threads and of what they wait for each other with, as far as ramet
 * says the same: results, owners, deadlines, what may be thrown away when. Built against libramet,
 * libramet-rt and, so that it is known to be right, the C library: lib/threads_shim.h. Here nothing
 * belongs that only one of them does.
 */
#include "threads_rest.h"

/* ---- Threads ---- */

static unsigned go, noticed;
static t_thread other;

static void *wait_for_go(void *arg)
{
	add(&here);
	while (!seen(&go))
		sleep_ns(MS);
	return arg;
}

static void end_here(void)
{
	t_exit(&noticed);
}

static void *end_inside(void *arg)
{
	end_here();
	add(&noticed);
	return arg;
}

static void *tell_self(void *arg)
{
	*(t_thread *)arg = t_self();
	return NULL;
}

static int join_other(void)
{
	void *result = NULL;
	const int r = t_join(other, &result);

	return r ? r : (int)(intptr_t)result;
}

static void test_threads(void)
{
	void *result = &go;
	t_thread thread, told;

	is_int(t_join(t_self(), NULL), -EDEADLK, "joining oneself");
	thread = begin(tell_self, &told);
	is_int(t_join(thread, &result), 0, "join");
	ok(!result, "with its result");
	ok(told == thread, "a thread knows itself by the same name");

	thread = begin(wait_for_go, &here);
	is_int(t_try_join(thread, &result), -EBUSY, "try to join one that runs");
	for (int i = 0; i < 2; i++) {
		const int64_t when = soon(clocks[i]);

		is_int(t_join_until(thread, clocks[i], past(clocks[i]), &result), -ETIMEDOUT,
		       "deadline in the past");
		is_int(t_join_until(thread, clocks[i], when, &result), -ETIMEDOUT, "to come");
		ok(t_now(clocks[i]) >= when, "which was waited for");
	}
	ok(!result, "no result is written then");
	__atomic_store_n(&go, 1, __ATOMIC_RELEASE);
	is_int(t_join_until(thread, T_MONOTONIC, t_now(T_MONOTONIC) + 5000 * MS, &result), 0,
	       "before the deadline");
	ok(result == &here, "its result");

	thread = begin(end_inside, NULL);
	t_join(thread, &result);
	ok(result == &noticed && !noticed, "exit ends it where it is, with that result");

	go = here = 0;
	other = begin(wait_for_go, (void *)7);
	__atomic_store_n(&go, 1, __ATOMIC_RELEASE);
	is_int(elsewhere(join_other), 7, "anybody may join, not its creator alone");

	go = here = 0;
	thread = begin(wait_for_go, NULL);
	await(&here, 1);
	is_int(t_detach(thread), 0, "detach");
	is_int(t_join(thread, NULL), -EINVAL, "then it cannot be joined");
	is_int(t_detach(thread), -EINVAL, "nor detached again");
	__atomic_store_n(&go, 1, __ATOMIC_RELEASE);
	sleep_ns(20 * MS);
}

static t_thread signalled;

static void on_signal(int sig)
{
	(void)sig;
	if (t_self() == signalled)
		add(&noticed);
}

static void test_signals(void)
{
	t_thread thread;

	handle(SIGUSR1_, 0, on_signal);
	go = here = noticed = 0;
	thread = begin(wait_for_go, NULL);
	signalled = thread;
	await(&here, 1);
	is_int(t_kill(thread, 0), 0, "signal 0 asks whether it is there");
	is_int(t_kill(thread, SIGUSR1_), 0, "a signal to a thread");
	ok(await(&noticed, 1), "is handled by that thread");
	is_int(t_kill(thread, 200), -EINVAL, "there is no such signal");
	__atomic_store_n(&go, 1, __ATOMIC_RELEASE);
	t_join(thread, NULL);
	signalled = t_self();
	t_kill(t_self(), SIGUSR1_);
	is_int(noticed, 2, "one's own is handled before it returns");
}

/* ---- Mutex ---- */

static t_mutex mutex;

static int lock_it(void)
{
	return t_mutex_lock(&mutex);
}
static int try_it(void)
{
	return t_mutex_try(&mutex);
}
static int unlock_it(void)
{
	return t_mutex_unlock(&mutex);
}
static int take_and_give(void)
{
	const int r = lock_it();

	return r ? r : unlock_it();
}

static void test_deadlines_of_mutex(int of_owner)
{
	for (int i = 0; i < 2; i++) {
		const int64_t when = soon(clocks[i]);

		is_int(t_mutex_until(&mutex, clocks[i], past(clocks[i])), of_owner,
		       "its owner, with a deadline in the past");
		is_int(t_mutex_until(&mutex, clocks[i], when), of_owner, "to come");
		if (of_owner == -ETIMEDOUT)
			ok(t_now(clocks[i]) >= when, "the deadline was waited for");
	}
}

static void test_normal_mutex(void)
{
	t_mutex_init(&mutex, T_NORMAL);
	is_int(lock_it(), 0, "normal mutex: lock");
	is_int(elsewhere(try_it), -EBUSY, "another's try");
	is_int(try_it(), -EBUSY, "its owner's try");
	test_deadlines_of_mutex(-ETIMEDOUT);
	is_int(unlock_it(), 0, "unlock");
	is_int(t_mutex_until(&mutex, T_MONOTONIC, past(T_MONOTONIC)), 0,
	       "a free one is taken whatever the deadline");
	is_int(unlock_it(), 0, "unlock");
	is_int(elsewhere(take_and_give), 0, "another's then");
	is_int(try_it(), 0, "try a free one");
	unlock_it();
	t_mutex_destroy(&mutex);
}

static void test_checked_mutex(void)
{
	t_mutex_init(&mutex, T_CHECKED);
	is_int(unlock_it(), -EPERM, "error-checking mutex: unlock a free one");
	is_int(lock_it(), 0, "lock");
	is_int(lock_it(), -EDEADLK, "twice");
	is_int(try_it(), -EBUSY, "its owner's try");
	test_deadlines_of_mutex(-EDEADLK);
	is_int(elsewhere(try_it), -EBUSY, "another's try");
	is_int(elsewhere(unlock_it), -EPERM, "another's unlock");
	is_int(unlock_it(), 0, "unlock");
	is_int(unlock_it(), -EPERM, "twice");
	is_int(elsewhere(take_and_give), 0, "another's then");
	t_mutex_destroy(&mutex);
}

static void test_recursive_mutex(void)
{
	t_mutex_init(&mutex, T_RECURSIVE);
	is_int(unlock_it(), -EPERM, "recursive mutex: unlock a free one");
	is_int(lock_it(), 0, "lock");
	is_int(lock_it(), 0, "twice");
	is_int(try_it(), 0, "try");
	is_int(t_mutex_until(&mutex, T_REALTIME, past(T_REALTIME)), 0, "with a deadline");
	is_int(elsewhere(unlock_it), -EPERM, "another's unlock");
	for (int i = 0; i < 4; i++) {
		is_int(elsewhere(try_it), -EBUSY, "another's try");
		is_int(unlock_it(), 0, "unlock as often");
	}
	is_int(elsewhere(take_and_give), 0, "another's then");
	is_int(unlock_it(), -EPERM, "unlock once more");
	t_mutex_destroy(&mutex);
}

static unsigned counter;

static void *count(void *arg)
{
	for (int i = 0; i < 5000; i++) {
		t_mutex_lock(&mutex);
		counter++;
		t_mutex_unlock(&mutex);
	}
	return arg;
}

static void test_exclusion(void)
{
	for (int kind = T_NORMAL; kind <= T_CHECKED; kind++) {
		t_thread threads[4];

		t_mutex_init(&mutex, kind);
		counter = 0;
		for (int i = 0; i < 4; i++)
			threads[i] = begin(count, NULL);
		for (int i = 0; i < 4; i++)
			t_join(threads[i], NULL);
		is_int(counter, 4 * 5000, "one at a time has it");
		t_mutex_destroy(&mutex);
	}
}

/* Who finds that it is the last destroys it, though another's unlock has not returned. */
static struct {
	t_mutex mutex;
	int users;
} shared;

static void *leave(void *arg)
{
	int left;

	t_mutex_lock(&shared.mutex);
	left = --shared.users;
	t_mutex_unlock(&shared.mutex);
	if (left)
		return arg;
	t_mutex_destroy(&shared.mutex);
	__builtin_memset(&shared.mutex, 0xff, sizeof(shared.mutex));
	return arg;
}

static void test_destruction(void)
{
	bool untouched = true;

	for (int i = 0; i < 300; i++) {
		t_thread thread;

		t_mutex_init(&shared.mutex, T_NORMAL);
		shared.users = 2;
		thread = begin(leave, NULL);
		leave(NULL);
		t_join(thread, NULL);
		for (unsigned at = 0; at < sizeof(shared.mutex); at++)
			untouched &= ((unsigned char *)&shared.mutex)[at] == 0xff;
	}
	ok(untouched, "a mutex may go once the last has given it back");
}

/* ---- Condition variable ---- */

static t_cond cond;
static unsigned turns, waiting;

static void *wait_for_turns(void *arg)
{
	int r = 0;

	t_mutex_lock(&mutex);
	waiting++;
	while (!turns && !r)
		r = t_cond_wait(&cond, &mutex);
	if (turns)
		turns--;
	waiting--;
	t_mutex_unlock(&mutex);
	(void)arg;
	return (void *)(intptr_t)r;
}

static void await_waiting(unsigned n)
{
	for (int i = 0; i < 5000; i++) {
		unsigned now_waiting;

		t_mutex_lock(&mutex);
		now_waiting = waiting;
		t_mutex_unlock(&mutex);
		if (now_waiting == n)
			return;
		sleep_ns(MS);
	}
}

static void test_deadlines_of_cond(void)
{
	t_mutex_init(&mutex, T_CHECKED);
	t_cond_init(&cond);
	is_int(t_cond_until(&cond, &mutex, T_MONOTONIC, soon(T_MONOTONIC)), -EPERM,
	       "to wait with a mutex that one has not");
	t_mutex_lock(&mutex);
	is_int(t_cond_signal(&cond), 0, "a signal to nobody");
	is_int(t_cond_broadcast(&cond), 0, "to all of nobody");
	for (int i = 0; i < 2; i++) {
		const int64_t when = soon(clocks[i]);
		int r;

		do
			r = t_cond_until(&cond, &mutex, clocks[i], when);
		while (!r);
		is_int(r, -ETIMEDOUT, "is not kept for who waits later");
		ok(t_now(clocks[i]) >= when, "who waits for the deadline");
		is_int(t_cond_until(&cond, &mutex, clocks[i], past(clocks[i])), -ETIMEDOUT,
		       "one in the past");
		is_int(lock_it(), -EDEADLK, "the mutex is had after it");
	}
	t_mutex_unlock(&mutex);
	t_cond_destroy(&cond);
	t_mutex_destroy(&mutex);
}

static void test_waking(void)
{
	t_thread threads[4];
	void *result;
	int good = 0;

	t_mutex_init(&mutex, T_NORMAL);
	t_cond_init(&cond);
	turns = waiting = 0;
	for (int i = 0; i < 4; i++)
		threads[i] = begin(wait_for_turns, NULL);
	await_waiting(4);
	t_mutex_lock(&mutex);
	turns = 1;
	t_mutex_unlock(&mutex);
	is_int(t_cond_signal(&cond), 0, "a signal without the mutex");
	await_waiting(3);
	is_int(waiting, 3, "wakes one that makes use of it");
	t_mutex_lock(&mutex);
	turns = 3;
	t_cond_broadcast(&cond);
	is_int(waiting, 3, "a broadcast with the mutex: nobody goes on before it is given back");
	t_mutex_unlock(&mutex);
	for (int i = 0; i < 4; i++) {
		t_join(threads[i], &result);
		good += !result;
	}
	is_int(good, 4, "all are woken");
	t_cond_destroy(&cond);
	t_mutex_destroy(&mutex);
}

/* A handler does not end a wait by an error, whether or not calls are restarted. */
static void test_interrupted(void)
{
	void *result = &go;
	t_thread thread;

	handle(SIGUSR1_, 0, on_signal);
	t_mutex_init(&mutex, T_NORMAL);
	t_cond_init(&cond);
	turns = waiting = noticed = 0;
	thread = begin(wait_for_turns, NULL);
	signalled = thread;
	await_waiting(1);
	t_kill(thread, SIGUSR1_);
	await(&noticed, 1);
	is_int(t_try_join(thread, &result), -EBUSY, "a handler does not end a wait");
	t_mutex_lock(&mutex);
	turns = 1;
	t_cond_signal(&cond);
	t_mutex_unlock(&mutex);
	t_join(thread, &result);
	ok(!result, "nor is it an error");
	t_cond_destroy(&cond);
	t_mutex_destroy(&mutex);
}

/* POSIX: it may be destroyed at once after a broadcast to all who wait. */
static void test_destroyed_cond(void)
{
	int good = 0;

	t_mutex_init(&mutex, T_NORMAL);
	for (int round = 0; round < 50; round++) {
		t_thread threads[3];
		void *result;

		t_cond_init(&cond);
		turns = waiting = 0;
		for (int i = 0; i < 3; i++)
			threads[i] = begin(wait_for_turns, NULL);
		await_waiting(3);
		t_mutex_lock(&mutex);
		turns = 3;
		t_cond_broadcast(&cond);
		t_mutex_unlock(&mutex);
		t_cond_destroy(&cond);
		__builtin_memset(&cond, 0xff, sizeof(cond));
		for (int i = 0; i < 3; i++) {
			t_join(threads[i], &result);
			good += !result;
		}
	}
	is_int(good, 150, "a condition variable may go once all have been woken");
	t_mutex_destroy(&mutex);
}

static unsigned balls;

static void *play(void *arg)
{
	const unsigned mine = (unsigned)(uintptr_t)arg;

	t_mutex_lock(&mutex);
	while (balls < 4000) {
		if (balls % 2 == mine) {
			balls++;
			t_cond_signal(&cond);
		} else {
			t_cond_wait(&cond, &mutex);
		}
	}
	t_mutex_unlock(&mutex);
	return NULL;
}

static void test_no_lost_signal(void)
{
	t_thread thread;

	t_mutex_init(&mutex, T_NORMAL);
	t_cond_init(&cond);
	balls = 0;
	thread = begin(play, (void *)1);
	play(NULL);
	t_join(thread, NULL);
	is_int(balls, 4000, "no signal is lost between giving the mutex back and waiting");
	t_cond_destroy(&cond);
	t_mutex_destroy(&mutex);
}

int main(void)
{
	test_threads();
	test_signals();
	test_normal_mutex();
	test_checked_mutex();
	test_recursive_mutex();
	test_exclusion();
	test_destruction();
	test_deadlines_of_cond();
	test_waking();
	test_interrupted();
	test_destroyed_cond();
	test_no_lost_signal();
	test_semaphore();
	test_once();
	test_rwlock();
	test_barrier();
	test_keys();
	return tap_done();
}
