/* SPDX-License-Identifier: MIT */
/*
 * What POSIX and C11 say of threads and of what they wait for each other with, as far as ramet
 * says the same: results, owners, deadlines, what may be thrown away when. Built against libramet,
 * libramet-rt and, so that it is known to be right, the C library's pthread.h and threads.h:
 * lib/threads_shim.h. Here nothing belongs that only one of them does. What C11 has not, or leaves
 * undefined, is no part of the program against threads.h: AGAINST_C11.
 */
#include "threads_rest.h"

/* ---- Threads ---- */

static unsigned noticed;
static t_thread other;

static void *tell_self(void *arg)
{
	*(t_thread *)arg = t_self();
	return wait_for_go(NULL);
}

static int join_other(void)
{
	return (int)(intptr_t)end_of(other);
}

static void test_threads(void)
{
	void *result = &go;
	t_thread thread, told;

	go = here = 0;
	thread = begin(tell_self, &told);
	other = begin(wait_for_go, (void *)7);
	await(&here, 2);
	ok(t_equal(told, thread), "a thread knows itself by the same name");
	ok(t_equal(t_self(), t_self()), "so does the main thread");
	ok(!t_equal(thread, other), "another goes by another");
	ok(!t_equal(thread, t_self()), "and is not the caller");
	let_go();
	is_int(t_join(thread, &result), 0, "join");
	ok(!result, "with its result");
	is_int(elsewhere(join_other), 7, "anybody may join, not its creator alone");
}

static void *give_back(void *arg)
{
	return arg;
}

static void end_here(void *result)
{
	t_exit(result);
}

static void *end_inside(void *arg)
{
	end_here(arg);
	add(&noticed);
	return &here;
}

/* No result is one that only an implementation has use for. */
static void test_results(void)
{
	static const int values[] = {0, 1, -1, __INT_MAX__, -__INT_MAX__ - 1};
	int returned = 0, ended = 0;

	noticed = 0;
	for (int i = 0; i < 5; i++) {
		void *const want = (void *)(intptr_t)values[i];

		returned += end_of(begin(give_back, want)) == want;
		ended += end_of(begin(end_inside, want)) == want;
	}
	is_int(returned, 5, "the result is what was returned, whatever that is");
	is_int(ended, 5, "or what it ended with, further in");
	ok(end_of(begin(end_inside, &noticed)) == T_RESULT(&noticed), "an address too");
	is_int(noticed, 0, "it ended where it was");
}

static t_key at_end;

/* A destructor: what nobody joins is known to have come to its end by this. */
static void tell_end(void *word)
{
	add(word);
}

static void *tell_then_wait(void *arg)
{
	return t_key_set(at_end, arg) ? NULL : wait_for_go(NULL);
}

static void *detach_itself(void *arg)
{
	if (!t_key_set(at_end, arg) && !t_detach(t_self()))
		add(&here);
	return NULL;
}

static void test_detach(void)
{
	t_thread thread;

	go = here = noticed = 0;
	is_int(t_key_create(tell_end, &at_end), 0, "a key, to see ends by");
	thread = begin(tell_then_wait, &noticed);
	await(&here, 1);
	is_int(t_detach(thread), 0, "detach");
#ifndef AGAINST_C11
	is_int(t_join(thread, NULL), -EINVAL, "then it cannot be joined");
	is_int(t_detach(thread), -EINVAL, "nor detached again");
#endif
	is_int(seen(&noticed), 0, "it runs on");
	let_go();
	ok(await(&noticed, 1), "and comes to its end as any other");

	thread = begin(tell_then_wait, &noticed);
	await(&noticed, 2);
	sleep_ns(20 * MS);
	is_int(t_detach(thread), 0, "detach one that has ended");

	here = 0;
	begin(detach_itself, &noticed);
	ok(await(&noticed, 3) && here == 1, "a thread may detach itself");
	sleep_ns(20 * MS);
	t_key_delete(at_end);
}

/* ---- Threads, what C11 has not ---- */

#ifndef AGAINST_C11
static void test_waiting_joins(void)
{
	void *result = &go;
	t_thread thread;

	go = here = 0;
	is_int(t_join(t_self(), NULL), -EDEADLK, "joining oneself");
	thread = begin(wait_for_go, &here);
	is_int(t_try_join(thread, &result), -EBUSY, "try to join one that runs");
	for (int i = 0; i < T_CLOCKS; i++) {
		const int64_t when = soon(clocks[i]);

		is_int(t_join_until(thread, clocks[i], 0, &result), -ETIMEDOUT, "deadline 0");
		is_int(t_join_until(thread, clocks[i], past(clocks[i]), &result), -ETIMEDOUT,
		       "in the past");
		is_int(t_join_until(thread, clocks[i], when, &result), -ETIMEDOUT, "to come");
		ok(t_now(clocks[i]) >= when, "which was waited for");
	}
	ok(result == &go, "no result is written then");
	let_go();
	is_int(t_join_until(thread, T_MONOTONIC, t_now(T_MONOTONIC) + 5000 * MS, &result), 0,
	       "before the deadline");
	ok(result == &here, "its result");
}

static t_thread signalled;

static void on_signal(int sig)
{
	(void)sig;
	if (t_equal(t_self(), signalled))
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
	let_go();
	t_join(thread, NULL);
	signalled = t_self();
	t_kill(t_self(), SIGUSR1_);
	is_int(noticed, 2, "one's own is handled before it returns");
}

#endif

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
	for (int i = 0; i < T_CLOCKS; i++) {
		const int64_t when = soon(clocks[i]);

		is_int(t_mutex_until(&mutex, clocks[i], 0), of_owner, "its owner, with deadline 0");
		is_int(t_mutex_until(&mutex, clocks[i], past(clocks[i])), of_owner, "in the past");
		is_int(t_mutex_until(&mutex, clocks[i], when), of_owner, "to come");
		if (of_owner == -ETIMEDOUT)
			ok(t_now(clocks[i]) >= when, "the deadline was waited for");
	}
}

static void test_normal_mutex(enum t_kind kind)
{
	t_mutex_init(&mutex, kind);
	is_int(lock_it(), 0, "normal mutex: lock");
	is_int(elsewhere(try_it), -EBUSY, "another's try");
	is_int(try_it(), -EBUSY, "its owner's try");
	if (kind == T_NORMAL)
		test_deadlines_of_mutex(-ETIMEDOUT);
	is_int(unlock_it(), 0, "unlock");
	if (kind == T_NORMAL) {
		is_int(t_mutex_until(&mutex, clocks[0], past(clocks[0])), 0,
		       "a free one is taken whatever the deadline");
		is_int(unlock_it(), 0, "unlock");
	}
	is_int(elsewhere(take_and_give), 0, "another's then");
	is_int(try_it(), 0, "try a free one");
	is_int(elsewhere(try_it), -EBUSY, "which is had then");
	unlock_it();
	t_mutex_destroy(&mutex);
}

static t_clock waits_by;

static int take_in_vain(void)
{
	return t_mutex_until(&mutex, waits_by, soon(waits_by));
}
static int take_in_time(void)
{
	int r;

	add(&here);
	r = t_mutex_until(&mutex, waits_by, t_now(waits_by) + 5000 * MS);
	return r ? r : unlock_it();
}

static void test_recursive_mutex(enum t_kind kind)
{
	t_mutex_init(&mutex, kind);
	is_int(lock_it(), 0, "recursive mutex: lock");
	is_int(lock_it(), 0, "twice");
	is_int(try_it(), 0, "try");
	if (kind == T_RECURSIVE)
		is_int(t_mutex_until(&mutex, T_REALTIME, past(T_REALTIME)), 0, "with a deadline");
	else
		is_int(try_it(), 0, "again");
	for (int i = 0; i < 4; i++) {
		is_int(elsewhere(try_it), -EBUSY, "another's try");
		is_int(unlock_it(), 0, "unlock as often");
	}
	is_int(elsewhere(take_and_give), 0, "another's then");
	t_mutex_destroy(&mutex);
}

static void test_waiting_for_mutex(enum t_kind kind)
{
	for (int i = 0; i < T_CLOCKS; i++) {
		t_thread thread;

		here = 0;
		waits_by = clocks[i];
		t_mutex_init(&mutex, kind);
		lock_it();
		is_int(elsewhere(take_in_vain), -ETIMEDOUT, "another's deadline passes");
		thread = begin(call, (void *)take_in_time);
		await(&here, 1);
		sleep_ns(5 * MS);
		unlock_it();
		is_int((intptr_t)end_of(thread), 0, "or the mutex comes before it");
		t_mutex_destroy(&mutex);
	}
}

/* Of owners C11 says nothing: what is not the caller's is not to be unlocked. */
#ifndef AGAINST_C11
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

static void test_owner(void)
{
	t_mutex_init(&mutex, T_RECURSIVE);
	is_int(unlock_it(), -EPERM, "recursive mutex: unlock a free one");
	lock_it();
	lock_it();
	is_int(elsewhere(unlock_it), -EPERM, "another's unlock");
	is_int(unlock_it(), 0, "its owner's");
	is_int(unlock_it(), 0, "as often");
	is_int(unlock_it(), -EPERM, "unlock once more");
	t_mutex_destroy(&mutex);
}
#endif

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
	for (int kind = 0; kind < T_KINDS; kind++) {
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

/* For ever, or with an argument by a clock: that long, the test has gone wrong. */
static void *wait_for_turns(void *arg)
{
	const t_clock *const clock = arg;
	const int64_t when = clock ? t_now(*clock) + 5000 * MS : 0;
	int r = 0;

	t_mutex_lock(&mutex);
	waiting++;
	while (!turns && !r)
		r = clock ? t_cond_until(&cond, &mutex, *clock, when) : t_cond_wait(&cond, &mutex);
	if (turns)
		turns--;
	waiting--;
	t_mutex_unlock(&mutex);
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

static void test_deadlines_of_cond(enum t_kind kind)
{
	const int again = kind == T_RECURSIVE ? 0 : -EBUSY;

	t_mutex_init(&mutex, kind);
	t_cond_init(&cond);
	t_mutex_lock(&mutex);
	is_int(t_cond_signal(&cond), 0, "a signal to nobody");
	is_int(t_cond_broadcast(&cond), 0, "to all of nobody");
	for (int i = 0; i < T_CLOCKS; i++) {
		const int64_t when = soon(clocks[i]);
		int r;

		do
			r = t_cond_until(&cond, &mutex, clocks[i], when);
		while (!r);
		is_int(r, -ETIMEDOUT, "is not kept for who waits later");
		ok(t_now(clocks[i]) >= when, "who waits for the deadline");
		is_int(t_cond_until(&cond, &mutex, clocks[i], past(clocks[i])), -ETIMEDOUT,
		       "one in the past");
		is_int(t_cond_until(&cond, &mutex, clocks[i], 0), -ETIMEDOUT, "deadline 0");
		is_int(elsewhere(try_it), -EBUSY, "the mutex is had after it");
		if (is_int(try_it(), again, "by who waited") && !again)
			is_int(unlock_it(), 0, "as it was before");
	}
	is_int(unlock_it(), 0, "and once alone");
	is_int(elsewhere(take_and_give), 0, "so that another may have it");
	t_cond_destroy(&cond);
	t_mutex_destroy(&mutex);
}

static void test_waking(enum t_kind kind)
{
	t_thread threads[4];
	int good = 0;

	t_mutex_init(&mutex, kind);
	t_cond_init(&cond);
	turns = waiting = 0;
	for (int i = 0; i < 4; i++)
		threads[i] =
			begin(wait_for_turns, i % 2 ? (void *)&clocks[i / 2 % T_CLOCKS] : NULL);
	await_waiting(4);
	t_mutex_lock(&mutex);
	turns = 1;
	t_mutex_unlock(&mutex);
	is_int(t_cond_signal(&cond), 0, "a signal without the mutex");
	await_waiting(3);
	is_int(waiting, 3, "wakes one that makes use of it");
	t_mutex_lock(&mutex);
	turns = 3;
	is_int(t_cond_broadcast(&cond), 0, "a broadcast with the mutex");
	sleep_ns(MS);
	is_int(waiting, 3, "nobody goes on before it is given back");
	t_mutex_unlock(&mutex);
	await_waiting(0);
	is_int(waiting, 0, "then all are woken");
	for (int i = 0; i < 4; i++)
		good += !end_of(threads[i]);
	is_int(good, 4, "with a deadline or without");
	t_cond_destroy(&cond);
	t_mutex_destroy(&mutex);
}

#ifndef AGAINST_C11
static void test_checked_cond(void)
{
	t_mutex_init(&mutex, T_CHECKED);
	t_cond_init(&cond);
	is_int(t_cond_until(&cond, &mutex, T_MONOTONIC, soon(T_MONOTONIC)), -EPERM,
	       "to wait with a mutex that one has not");
	t_mutex_lock(&mutex);
	is_int(t_cond_until(&cond, &mutex, T_MONOTONIC, past(T_MONOTONIC)), -ETIMEDOUT,
	       "with one that one has");
	is_int(lock_it(), -EDEADLK, "and has after it");
	is_int(unlock_it(), 0, "as before");
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
	is_int((intptr_t)end_of(thread), 0, "nor is it an error");
	t_cond_destroy(&cond);
	t_mutex_destroy(&mutex);
}

#endif

/* It may be destroyed at once after a broadcast to all who wait: nobody is blocked on it then. */
static void test_destroyed_cond(void)
{
	int good = 0;

	t_mutex_init(&mutex, T_NORMAL);
	for (int round = 0; round < 50; round++) {
		t_thread threads[3];

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
		for (int i = 0; i < 3; i++)
			good += !end_of(threads[i]);
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

/* C11 knows no owner of a mutex, no signals to threads, semaphores, rwlocks nor barriers. */
static void test_beyond_c11(void)
{
#ifndef AGAINST_C11
	test_waiting_joins();
	test_signals();
	test_checked_mutex();
	test_owner();
	test_checked_cond();
	test_interrupted();
	test_semaphore();
	test_rwlock();
	test_barrier();
#endif
}

int main(void)
{
	test_threads();
	test_results();
	test_detach();
	test_yield();
	test_locals();
	test_normal_mutex(T_PLAIN);
	test_normal_mutex(T_NORMAL);
	test_recursive_mutex(T_PLAIN_RECURSIVE);
	test_recursive_mutex(T_RECURSIVE);
	test_waiting_for_mutex(T_NORMAL);
	test_waiting_for_mutex(T_RECURSIVE);
	test_exclusion();
	test_destruction();
	test_deadlines_of_cond(T_NORMAL);
	test_deadlines_of_cond(T_RECURSIVE);
	for (int kind = 0; kind < T_KINDS; kind++)
		test_waking(kind);
	test_destroyed_cond();
	test_no_lost_signal();
	test_once();
	test_many_onces();
	test_keys();
	test_destructors();
	test_deleted_key();
	test_all_keys();
	test_beyond_c11();
	test_end_of_process();
	return tap_done();
}
