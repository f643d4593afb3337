/* SPDX-License-Identifier: MIT */
/* What each thing to wait with promises: results, owners, deadlines, order. */
#include "tap.h"

static const enum ramet_clock clocks[] = {RAMET_CLOCK_MONOTONIC, RAMET_CLOCK_REALTIME};

static int64_t past(enum ramet_clock clock)
{
	return ramet_clock_now(clock) - 5 * MS;
}

static int64_t soon(enum ramet_clock clock)
{
	return ramet_clock_now(clock) + 15 * MS;
}

static void *call(void *arg)
{
	return (void *)(intptr_t)((int (*)(void))arg)();
}

/* What fn() gives in another thread. */
static int64_t elsewhere(int (*fn)(void))
{
	void *result = NULL;

	ramet_thread_join(start(NULL, call, (void *)fn), &result);
	return (int)(intptr_t)result;
}

/* ---- Mutex ---- */

static struct ramet_mutex normal = RAMET_MUTEX_INIT, recursive = RAMET_MUTEX_RECURSIVE_INIT,
			  checked = RAMET_MUTEX_ERRORCHECK_INIT;

static int try_normal(void)
{
	return ramet_mutex_try_lock(&normal);
}
static int try_recursive(void)
{
	return ramet_mutex_try_lock(&recursive);
}
static int try_checked(void)
{
	return ramet_mutex_try_lock(&checked);
}
static int unlock_recursive(void)
{
	return ramet_mutex_unlock(&recursive);
}
static int unlock_checked(void)
{
	return ramet_mutex_unlock(&checked);
}

static void test_mutex(void)
{
	is(ramet_mutex_lock(&normal), 0, "a mutex is taken");
	is(elsewhere(try_normal), -EBUSY, "and is another's then");
	is(ramet_mutex_try_lock(&normal), -EBUSY, "for its owner too");
	for (int i = 0; i < 2; i++) {
		const int64_t when = soon(clocks[i]);

		is(ramet_mutex_lock_until(&normal, clocks[i], past(clocks[i])), -ETIMEDOUT,
		   "deadline in the past");
		is(ramet_mutex_lock_until(&normal, clocks[i], when), -ETIMEDOUT, "to come");
		ok(ramet_clock_now(clocks[i]) >= when, "which was waited for");
	}
	is(ramet_mutex_unlock(&normal), 0, "given back");
	is(ramet_mutex_lock_until(&normal, clocks[0], past(clocks[0])), 0,
	   "a free one is taken whatever the deadline");
	is(ramet_mutex_unlock(&normal), 0, "given back");

	is(ramet_mutex_lock(&recursive), 0, "recursive: once");
	is(ramet_mutex_lock(&recursive), 0, "twice");
	is(ramet_mutex_try_lock(&recursive), 0, "three times");
	is(ramet_mutex_lock_until(&recursive, clocks[0], 0), 0, "four times");
	is(elsewhere(unlock_recursive), -EPERM, "not another's to give back");
	for (int i = 0; i < 4; i++) {
		is(elsewhere(try_recursive), -EBUSY, "still had");
		is(ramet_mutex_unlock(&recursive), 0, "once less");
	}
	is(ramet_mutex_unlock(&recursive), -EPERM, "more often than taken");

	is(ramet_mutex_lock(&checked), 0, "error-checking: once");
	is(ramet_mutex_lock(&checked), -EDEADLK, "not twice");
	is(ramet_mutex_lock_until(&checked, clocks[0], 0), -EDEADLK, "nor by a deadline");
	is(ramet_mutex_try_lock(&checked), -EBUSY, "nor by trying");
	is(elsewhere(unlock_checked), -EPERM, "not another's to give back");
	is(ramet_mutex_unlock(&checked), 0, "its owner's");
	is(ramet_mutex_unlock(&checked), -EPERM, "once");
	is(elsewhere(try_checked), 0, "another has it");
	is(ramet_mutex_try_lock(&checked), -EBUSY, "though that one has ended");
}

/* ---- Condition variable ---- */

#define WAITERS 20

static struct ramet_cond cond = RAMET_COND_INIT;
static struct ramet_mutex mutex;
static int inside, turn, order[WAITERS], allowed, returned;

static void await_inside(int count)
{
	for (;;) {
		ramet_mutex_lock(&mutex);
		if (inside == count)
			break;
		ramet_mutex_unlock(&mutex);
		ramet_thread_yield();
	}
	ramet_mutex_unlock(&mutex);
}

/* Never looks at a condition: it wants to see who is woken. */
static void *note_turn(void *arg)
{
	ramet_mutex_lock(&mutex);
	inside++;
	ramet_cond_wait(&cond, &mutex);
	order[turn++] = (int)(intptr_t)arg;
	ramet_mutex_unlock(&mutex);
	return NULL;
}

static void await_turn(int count)
{
	const int64_t limit = now() + 10000 * MS;

	while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) < count && now() < limit)
		ramet_thread_yield();
}

static void test_order(void)
{
	struct ramet_thread *threads[WAITERS];
	bool in_order = true;

	for (intptr_t i = 0; i < WAITERS; i++) {
		threads[i] = start(NULL, note_turn, (void *)i);
		await_inside((int)i + 1);
	}
	for (int i = 0; i < WAITERS / 2; i++) {
		ramet_cond_signal(&cond);
		await_turn(i + 1);
		in_order &= turn == i + 1 && order[i] == i;
	}
	ok(in_order, "a signal wakes one, the oldest first");
	ramet_mutex_lock(&mutex);
	ramet_cond_broadcast(&cond);
	is(turn, WAITERS / 2, "nobody runs while the mutex is had");
	ramet_mutex_unlock(&mutex);
	for (int i = 0; i < WAITERS; i++)
		ramet_thread_join(threads[i], NULL);
	is(turn, WAITERS, "a broadcast wakes all");
	ok(!cond.first && !cond.last, "nobody is left");
}

static void *wait_for_allowed(void *arg)
{
	int r;

	ramet_mutex_lock(&mutex);
	inside++;
	while (!allowed) {
		r = arg ? ramet_cond_wait_until(&cond, &mutex, RAMET_CLOCK_MONOTONIC,
						now() + 20000 * MS)
			: ramet_cond_wait(&cond, &mutex);
		if (r)
			break;
	}
	returned += allowed;
	ramet_mutex_unlock(&mutex);
	return NULL;
}

/* All at once, without the mutex, timed and not: many moved to the mutex, none forgotten. */
static void test_broadcast(void)
{
	struct ramet_thread *threads[WAITERS];

	for (int round = 0; round < 200; round++) {
		inside = allowed = returned = 0;
		for (intptr_t i = 0; i < WAITERS; i++)
			threads[i] = start(NULL, wait_for_allowed, (void *)(i & 1));
		await_inside(WAITERS);
		ramet_mutex_lock(&mutex);
		allowed = 1;
		if (round & 1)
			ramet_cond_broadcast(&cond);
		ramet_mutex_unlock(&mutex);
		if (!(round & 1))
			ramet_cond_broadcast(&cond);
		for (int i = 0; i < WAITERS; i++)
			ramet_thread_join(threads[i], NULL);
		if (returned != WAITERS)
			break;
	}
	is(returned, WAITERS, "200 broadcasts, each wakes all");
}

static int wait_without(void)
{
	return ramet_cond_wait(&cond, &recursive);
}

static struct ramet_sem waits;

static int wait_deep(void)
{
	int r = 0, depth = 0;

	for (int i = 0; i < 3; i++)
		ramet_mutex_lock(&recursive);
	ramet_sem_post(&waits);
	while (!allowed && !r)
		r = ramet_cond_wait(&cond, &recursive);
	while (!ramet_mutex_unlock(&recursive))
		depth++;
	return r ? r : depth;
}

static void test_cond(void)
{
	struct ramet_thread *thread;
	void *depth = NULL;

	is(ramet_cond_signal(&cond), 0, "nobody to wake");
	is(ramet_cond_broadcast(&cond), 0, "nobody at all");
	ramet_mutex_lock(&mutex);
	for (int i = 0; i < 2; i++) {
		const int64_t when = soon(clocks[i]);

		is(ramet_cond_wait_until(&cond, &mutex, clocks[i], past(clocks[i])), -ETIMEDOUT,
		   "a past deadline");
		is(ramet_cond_wait_until(&cond, &mutex, clocks[i], when), -ETIMEDOUT,
		   "one to come");
		ok(ramet_clock_now(clocks[i]) >= when, "which was waited for");
	}
	ok(!cond.first && !cond.last, "who gives up is off the list");
	is(ramet_mutex_try_lock(&mutex), -EBUSY, "and has the mutex");
	ramet_mutex_unlock(&mutex);
	is(elsewhere(wait_without), -EPERM, "without the mutex");
	ok(!cond.first, "nothing is left of that");

	allowed = 0;
	thread = start(NULL, call, (void *)wait_deep);
	ramet_sem_wait(&waits);
	ramet_mutex_lock(&recursive);
	allowed = 1;
	ramet_cond_signal(&cond);
	ramet_mutex_unlock(&recursive);
	ramet_thread_join(thread, &depth);
	is((intptr_t)depth, 3, "a recursive mutex is as deep as before");
}

/* ---- Semaphore, once, barrier ---- */

static struct ramet_sem sem = RAMET_SEM_INIT(2);

static int wait_sem(void)
{
	return ramet_sem_wait(&sem);
}

static void test_sem(void)
{
	struct ramet_thread *threads[3];

	is(ramet_sem_wait(&sem), 0, "a semaphore's first");
	is(ramet_sem_try_wait(&sem), 0, "its second");
	is(ramet_sem_try_wait(&sem), -EAGAIN, "there is no third");
	for (int i = 0; i < 2; i++) {
		const int64_t when = soon(clocks[i]);

		is(ramet_sem_wait_until(&sem, clocks[i], past(clocks[i])), -ETIMEDOUT, "past");
		is(ramet_sem_wait_until(&sem, clocks[i], when), -ETIMEDOUT, "to come");
		ok(ramet_clock_now(clocks[i]) >= when, "which was waited for");
	}
	is(ramet_sem_value(&sem), 0, "its value");
	for (int i = 0; i < 3; i++)
		threads[i] = start(NULL, call, (void *)wait_sem);
	sleep_ns(10 * MS);
	for (int i = 0; i < 3; i++)
		is(ramet_sem_post(&sem), 0, "post");
	for (int i = 0; i < 3; i++)
		ramet_thread_join(threads[i], NULL);
	is((int64_t)sem.word, 0, "three posts, three gone, nobody waits");
	is(ramet_sem_post(&sem), 0, "a post nobody waits for");
	is(ramet_sem_wait_until(&sem, clocks[0], 0), 0, "is there for who comes late");
	is(ramet_sem_init(&sem, RAMET_SEM_MAX), 0, "the greatest value");
	is(ramet_sem_post(&sem), -EOVERFLOW, "is not exceeded");
	is(ramet_sem_init(&sem, RAMET_SEM_MAX + 1), -EINVAL, "nor begun with");
}

static struct ramet_once once = RAMET_ONCE_INIT;
static uint32_t runs, seen_whole;
static volatile uint32_t whole;

static void slow(void)
{
	__atomic_fetch_add(&runs, 1, __ATOMIC_RELAXED);
	sleep_ns(10 * MS);
	whole = 1;
}

static void *run_once(void *arg)
{
	ramet_once(&once, slow);
	__atomic_fetch_add(&seen_whole, whole, __ATOMIC_RELAXED);
	return arg;
}

static void test_once(void)
{
	struct ramet_thread *threads[50];

	for (int i = 0; i < 50; i++)
		threads[i] = start(NULL, run_once, NULL);
	for (int i = 0; i < 50; i++)
		ramet_thread_join(threads[i], NULL);
	is(runs, 1, "run once, whoever came");
	is(seen_whole, 50, "and done before anybody went on");
}

#define ROUNDS 300
#define CAME 8

static struct ramet_barrier *barrier;
static uint32_t came[ROUNDS], serials, early;

static void *come(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		__atomic_fetch_add(came + i, 1, __ATOMIC_RELAXED);
		if (ramet_barrier_wait(barrier) == RAMET_BARRIER_SERIAL)
			__atomic_fetch_add(&serials, 1, __ATOMIC_RELAXED);
		if (__atomic_load_n(came + i, __ATOMIC_RELAXED) != CAME)
			__atomic_fetch_add(&early, 1, __ATOMIC_RELAXED);
	}
	return arg;
}

static void test_barrier(void)
{
	struct ramet_barrier here;
	struct ramet_thread *threads[CAME];

	is(ramet_barrier_init(&here, 0), -EINVAL, "a barrier for nobody");
	is(ramet_barrier_init(&here, 1), 0, "one for one");
	is(ramet_barrier_wait(&here), RAMET_BARRIER_SERIAL, "who is the last at once");
	ramet_barrier_init(&here, CAME);
	barrier = &here;
	for (int i = 0; i < CAME; i++)
		threads[i] = start(NULL, come, NULL);
	for (int i = 0; i < CAME; i++)
		ramet_thread_join(threads[i], NULL);
	is(serials, ROUNDS, "one of each round is told so");
	is(early, 0, "nobody goes on before all have come");
	ramet_barrier_destroy(&here);
	is(here.inside, 0, "all have left");
}

/* ---- Read-write lock ---- */

static struct ramet_rwlock lock = RAMET_RWLOCK_INIT;
static volatile bool wrote;

static int try_read(void)
{
	int r = ramet_rwlock_try_read(&lock);

	return r ? r : ramet_rwlock_read_unlock(&lock);
}
static int try_write(void)
{
	int r = ramet_rwlock_try_write(&lock);

	return r ? r : ramet_rwlock_write_unlock(&lock);
}
static int write_it(void)
{
	int r = ramet_rwlock_write(&lock);

	wrote = true;
	return r ? r : ramet_rwlock_write_unlock(&lock);
}
static int read_after(void)
{
	int r = ramet_rwlock_read(&lock), saw = wrote;

	ramet_rwlock_read_unlock(&lock);
	return r ? r : saw;
}
static int give_up_writing(void)
{
	return ramet_rwlock_write_until(&lock, RAMET_CLOCK_MONOTONIC, soon(RAMET_CLOCK_MONOTONIC));
}
static int give_up_reading(void)
{
	return ramet_rwlock_read_until(&lock, RAMET_CLOCK_MONOTONIC, soon(RAMET_CLOCK_MONOTONIC));
}

static void test_rwlock(void)
{
	struct ramet_thread *writer, *reader;
	void *saw = NULL;

	is(ramet_rwlock_read(&lock), 0, "read");
	is(elsewhere(try_read), 0, "beside another");
	is(elsewhere(try_write), -EBUSY, "no writer meanwhile");
	is(elsewhere(give_up_writing), -ETIMEDOUT, "not for so long");
	is(elsewhere(try_read), 0, "a writer that gave up keeps nobody out");
	writer = start(NULL, call, (void *)write_it);
	while (elsewhere(try_read) != -EBUSY)
		;
	ok(true, "a writer that waits goes before new readers");
	is(elsewhere(give_up_reading), -ETIMEDOUT, "a reader gives up");
	reader = start(NULL, call, (void *)read_after);
	sleep_ns(10 * MS);
	ok(!wrote, "nobody writes while it is read");
	ramet_rwlock_read_unlock(&lock);
	ramet_thread_join(writer, NULL);
	ramet_thread_join(reader, &saw);
	is((intptr_t)saw, 1, "the reader that came after the writer saw it");

	is(ramet_rwlock_write(&lock), 0, "write");
	is(elsewhere(try_read), -EBUSY, "nobody reads");
	is(elsewhere(try_write), -EBUSY, "nor writes");
	is(elsewhere(give_up_reading), -ETIMEDOUT, "nor waits for ever");
	is(elsewhere(give_up_writing), -ETIMEDOUT, "to do so");
	is(ramet_rwlock_write_unlock(&lock), 0, "end of writing");
	is(elsewhere(try_write), 0, "another");
	is((int64_t)(lock.state & 0xffffffffffff), 0, "all is as at the beginning");
}

static volatile bool kept, let_go;

static void keep_here(int sig)
{
	(void)sig;
	kept = true;
	while (!let_go)
		ramet_thread_yield();
}
static int read_by_deadline(void)
{
	const int r = ramet_rwlock_read_until(&lock, RAMET_CLOCK_MONOTONIC, now() + 20000 * MS);

	return r ? r : ramet_rwlock_read_unlock(&lock);
}
static void *keep_trying_to_write(void *arg)
{
	while (!let_go)
		if (!ramet_rwlock_write_until(&lock, RAMET_CLOCK_MONOTONIC, now() + 5 * MS))
			ramet_rwlock_write_unlock(&lock);
	return arg;
}

/* A reader is let in while it is elsewhere; one waits for a writer that gives up again and again. */
static void test_rwlock_given_up(void)
{
	struct ramet_thread *thread;
	int gave_up = 0;

	handle(SIGUSR1_, 0, keep_here);
	ramet_rwlock_write(&lock);
	thread = start(NULL, call, (void *)read_by_deadline);
	while (!(__atomic_load_n(&lock.state, __ATOMIC_RELAXED) & 0x7fff0000))
		ramet_thread_yield();
	ramet_thread_kill(thread, SIGUSR1_);
	while (!kept)
		ramet_thread_yield();
	ramet_rwlock_write_unlock(&lock);
	for (int i = 0; i < 0xffff; i++)
		gave_up += ramet_rwlock_write_until(&lock, RAMET_CLOCK_MONOTONIC, 0) == -ETIMEDOUT;
	is(gave_up, 0xffff, "a reader has it that does not know it yet");
	let_go = true;
	if (!is(ramet_rwlock_write_until(&lock, RAMET_CLOCK_MONOTONIC, now() + 5000 * MS), 0,
		"it learns so, however many writers gave up meanwhile"))
		return; /* Nobody can use it any more. */
	ramet_rwlock_write_unlock(&lock);
	ramet_thread_join(thread, NULL);

	let_go = false;
	ramet_rwlock_read(&lock);
	thread = start(NULL, keep_trying_to_write, NULL);
	while (elsewhere(try_read) != -EBUSY)
		;
	is(elsewhere(read_by_deadline), 0, "a reader goes in when the writer before it gave up");
	let_go = true;
	ramet_rwlock_read_unlock(&lock);
	ramet_thread_join(thread, NULL);
	is((int64_t)(lock.state & 0xffffffffffff), 0, "all is as at the beginning");
}

/* ---- Keys ---- */

static uint32_t first_key, second_key, again_key;
static int log_used, log_keys[64];

static void log_first(void *value)
{
	(void)value;
	log_keys[log_used++] = 1;
}
static void log_second(void *value)
{
	(void)value;
	log_keys[log_used++] = 2;
}
static void log_again(void *value)
{
	log_keys[log_used++] = 3;
	if (ramet_key_get(again_key))
		log_keys[log_used++] = 99;
	if (ramet_key_set(again_key, value))
		log_keys[log_used++] = 98;
}

static int use_keys(void)
{
	int r = ramet_key_get(first_key) || ramet_key_get(second_key);

	r |= ramet_key_set(second_key, "2");
	r |= ramet_key_set(first_key, "1");
	r |= ramet_key_set(again_key, "3");
	return r | (*(char *)ramet_key_get(first_key) != '1');
}

static int get_first(void)
{
	return ramet_key_get(first_key) != NULL;
}

static void test_keys(void)
{
	uint32_t keys[RAMET_KEYS_MAX], count = 0, old;
	bool right = true;

	is(ramet_key_create(log_first, &first_key), 0, "a key");
	is(ramet_key_create(log_second, &second_key), 0, "another");
	is(ramet_key_create(log_again, &again_key), 0, "one more");
	is(elsewhere(use_keys), 0, "each thread has its own values");
	/* Two destructors once, the third in each round. */
	is(log_used, 2 + RAMET_KEY_ROUNDS, "destructors are run, and again while values are left");
	for (int i = 0; i < 3; i++)
		right &= log_keys[i] == i + 1;
	for (int i = 3; i < 2 + RAMET_KEY_ROUNDS; i++)
		right &= log_keys[i] == 3;
	ok(right, "by ascending key, each value gone before");
	is(elsewhere(get_first), 0, "memory used again has no old values");

	ok(!ramet_key_set(first_key, "x") && ramet_key_get(first_key), "the main thread's value");
	is(ramet_key_delete(first_key), 0, "delete");
	is(ramet_key_delete(first_key), -EINVAL, "once");
	ok(!ramet_key_get(first_key), "a deleted key has no value");
	is(ramet_key_set(first_key, "x"), -EINVAL, "and takes none");
	old = first_key;
	is(ramet_key_create(NULL, &first_key), 0, "a new key");
	is(first_key, old, "with the number of the old one");
	ok(!ramet_key_get(first_key), "has no value of its");
	while (count < RAMET_KEYS_MAX && !ramet_key_create(NULL, keys + count))
		count++;
	is(count, RAMET_KEYS_MAX - 3, "so many and no more");
	is(ramet_key_set(RAMET_KEYS_MAX, "x"), -EINVAL, "no such key");
}

int main(int argc, char **argv, char **envp)
{
	(void)argc, (void)argv, (void)envp;
	test_mutex();
	test_cond();
	test_order();
	test_broadcast();
	test_sem();
	test_once();
	test_barrier();
	test_rwlock();
	test_rwlock_given_up();
	test_keys();
	return tap_done();
}
