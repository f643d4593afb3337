/* SPDX-License-Identifier: MIT */
/*
 * 64 threads at once, without and with signals thrown at them, on things that break visibly: counters that are
 * not atomic, items that are made and used once, readers that see a writer's half. A watchdog ends
 * what stands still: a lost wake-up is a failure and no hang. A signal makes a sleeper look again
 * and so mends what is lost: hence both.
 */
#include "tap.h"

#define THREADS 64

static int64_t run_ns;
static volatile bool stop, watching;
static bool with_signals;
static struct ramet_thread *threads[THREADS];
static uint64_t progress;
static uint32_t broken;

static void nothing(int sig)
{
	(void)sig;
}

static void *throw_signals(void *arg)
{
	uint32_t n = 1;

	while (with_signals && watching) {
		n = n * 1664525 + 1013904223;
		ramet_thread_kill(threads[n >> 26], SIGUSR1_);
		sleep_ns(MS / 10);
	}
	return arg;
}

static void *watch(void *arg)
{
	uint64_t before = 0;

	for (int still = 0; watching && still < 100; still++) {
		const uint64_t at = __atomic_load_n(&progress, __ATOMIC_RELAXED);

		if (at != before)
			still = 0;
		before = at;
		sleep_ns(100 * MS);
	}
	if (watching) {
		put_text("Bail out! nothing moves any more");
		put_line();
		sys_exit_group(98);
	}
	return arg;
}

static void step(void)
{
	__atomic_fetch_add(&progress, 1, __ATOMIC_RELAXED);
}

static bool over(void)
{
	return __atomic_load_n(&stop, __ATOMIC_RELAXED);
}

/* 64 threads of it for a while; `end` is called when they shall stop. */
static void run(void *(*fn)(void *), void (*end)(void))
{
	struct ramet_thread *thrower, *watcher;

	stop = false;
	watching = true;
	for (uintptr_t i = 0; i < THREADS; i++)
		threads[i] = start(NULL, fn, (void *)i);
	thrower = start(NULL, throw_signals, NULL);
	watcher = start(NULL, watch, NULL);
	sleep_ns(run_ns);
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	if (end)
		end();
	/* No signal to a handle that is gone; the watcher goes on until all have ended. */
	for (int i = 0; i < THREADS; i++)
		while (ramet_thread_tid(threads[i]) >= 0)
			sleep_ns(MS / 10);
	watching = false;
	ramet_thread_join(thrower, NULL);
	ramet_thread_join(watcher, NULL);
	for (int i = 0; i < THREADS; i++)
		ramet_thread_join(threads[i], NULL);
}

/* ---- Mutex: a counter that is not atomic, in each thread and in all ---- */

static struct ramet_mutex mutex, recursive = RAMET_MUTEX_RECURSIVE_INIT;
static volatile uint64_t counter, twin;
static uint64_t counted;

static void *count(void *arg)
{
	struct ramet_mutex *const which = &mutex;
	uint64_t mine = 0;

	while (!over()) {
		int r;

		switch (mine % 4) {
		case 0:
			r = ramet_mutex_lock_until(which, RAMET_CLOCK_MONOTONIC, now() + MS / 50);
			break;
		case 1:
			r = ramet_mutex_try_lock(which);
			break;
		default:
			r = ramet_mutex_lock(which);
		}
		if (r) {
			ramet_thread_yield();
			r = ramet_mutex_lock(which);
		}
		counter++;
		ramet_mutex_lock(&recursive);
		ramet_mutex_lock(&recursive);
		twin++;
		if (counter != twin)
			__atomic_fetch_add(&broken, 1, __ATOMIC_RELAXED);
		ramet_mutex_unlock(&recursive);
		ramet_mutex_unlock(&recursive);
		ramet_mutex_unlock(which);
		mine++;
		step();
	}
	__atomic_fetch_add(&counted, mine, __ATOMIC_RELAXED);
	return arg;
}

static void test_mutex(void)
{
	counter = twin = counted = 0;
	broken = 0;
	run(count, NULL);
	note("rounds", (int64_t)counter);
	ok(counter == counted && twin == counted, "mutex: nothing was counted twice or lost");
	is(broken, 0, "and nobody was inside with another");
	is(mutex.word, 0, "it is free");
}

/* ---- Condition variables: a small ring, makers and users; each item once ---- */

#define RING 4

static struct ramet_cond not_full, not_empty;
static uint32_t ring[RING], made, used, in_ring;
static uint64_t sum_made, sum_used;

static void *make_or_use(void *arg)
{
	const bool makes = (uintptr_t)arg & 1;
	uint64_t sum = 0;
	uint32_t n = 0;

	ramet_mutex_lock(&mutex);
	while (!over()) {
		struct ramet_cond *const mine = makes ? &not_full : &not_empty;

		while (in_ring == (makes ? RING : 0) && !over()) {
			/* A deadline in a third of the cases: to give up and come again. */
			if (n++ % 3)
				ramet_cond_wait(mine, &mutex);
			else if (ramet_cond_wait_until(mine, &mutex, RAMET_CLOCK_MONOTONIC,
						       now() + MS / 5))
				continue;
		}
		if (over())
			break;
		if (makes) {
			ring[made % RING] = made + 1;
			made++;
			sum += made;
			in_ring++;
			ramet_cond_signal(&not_empty);
		} else {
			sum += ring[used++ % RING];
			in_ring--;
			ramet_cond_signal(&not_full);
		}
		step();
	}
	__atomic_fetch_add(makes ? &sum_made : &sum_used, sum, __ATOMIC_RELAXED);
	ramet_mutex_unlock(&mutex);
	return arg;
}

static void wake_all(void)
{
	ramet_mutex_lock(&mutex);
	ramet_mutex_unlock(&mutex);
	ramet_cond_broadcast(&not_full);
	ramet_cond_broadcast(&not_empty);
}

static void test_cond(void)
{
	made = used = 0;
	sum_made = sum_used = 0;
	run(make_or_use, wake_all);
	for (; in_ring; in_ring--)
		sum_used += ring[used++ % RING];
	note("items", made);
	ok(made == used && sum_made == sum_used, "condition variable: each item was used once");
	ok(!not_full.first && !not_empty.first, "nobody is left waiting");
}

/*
 * Rounds in which one changes the number and wakes all, with the mutex or without: nobody may miss
 * one. With many, for the mutex they all want; with few, for the moments between two steps.
 */
static uint32_t round_now, seen, followers;
static struct ramet_cond next_round, all_seen;

static void *follow(void *arg)
{
	uint32_t mine = 0;

	if ((uintptr_t)arg > followers)
		return arg;
	ramet_mutex_lock(&mutex);
	while (!over()) {
		if ((uintptr_t)arg == 0) {
			while (seen < followers && !over())
				ramet_cond_wait(&all_seen, &mutex);
			seen = 0;
			round_now++;
			step();
			if (round_now & 1)
				ramet_mutex_unlock(&mutex);
			ramet_cond_broadcast(&next_round);
			if (round_now & 1)
				ramet_mutex_lock(&mutex);
			continue;
		}
		while (mine == round_now && !over())
			ramet_cond_wait(&next_round, &mutex);
		if (over())
			break;
		if (round_now != mine + 1)
			broken++;
		mine = round_now;
		if (++seen == followers)
			ramet_cond_signal(&all_seen);
	}
	ramet_mutex_unlock(&mutex);
	return arg;
}

static void end_rounds(void)
{
	ramet_mutex_lock(&mutex);
	ramet_mutex_unlock(&mutex);
	ramet_cond_broadcast(&next_round);
	ramet_cond_broadcast(&all_seen);
}

static void test_broadcast(uint32_t others)
{
	broken = round_now = 0;
	seen = followers = others;
	run(follow, end_rounds);
	note("rounds", round_now);
	is(broken, 0, "broadcast: nobody missed a round");
}

/* ---- Semaphore: so many inside and no more ---- */

#define PLACES 3

static struct ramet_sem places = RAMET_SEM_INIT(PLACES);
static uint32_t inside;

static void *go_in(void *arg)
{
	uint32_t n = 0;

	while (!over()) {
		int r = n++ % 3 ? ramet_sem_wait(&places)
				: ramet_sem_wait_until(&places, RAMET_CLOCK_REALTIME,
						       ramet_clock_now(RAMET_CLOCK_REALTIME) +
							       MS / 20);

		if (r)
			continue;
		if (__atomic_add_fetch(&inside, 1, __ATOMIC_RELAXED) > PLACES)
			__atomic_fetch_add(&broken, 1, __ATOMIC_RELAXED);
		if (n % 16 == 0)
			ramet_thread_yield();
		__atomic_fetch_sub(&inside, 1, __ATOMIC_RELAXED);
		ramet_sem_post(&places);
		step();
	}
	return arg;
}

static void test_sem(void)
{
	broken = 0;
	run(go_in, NULL);
	is(broken, 0, "semaphore: never more inside than it says");
	is((int64_t)places.word, PLACES, "and all came out");
}

/* ---- Read-write lock: two words that belong together; writers and readers both get on ---- */

static struct ramet_rwlock lock;
static volatile uint64_t left, right;
static uint64_t writes, reads;

static void *read_or_write(void *arg)
{
	const bool writer = (uintptr_t)arg % 8 == 0;
	uint64_t n = 0;

	while (!over()) {
		int r;

		if (writer) {
			r = n % 3 ? ramet_rwlock_write(&lock)
				  : ramet_rwlock_write_until(&lock, RAMET_CLOCK_MONOTONIC,
							     now() + MS / 10);
			if (!r) {
				left++;
				if (n % 8 == 0)
					ramet_thread_yield();
				right++;
				ramet_rwlock_write_unlock(&lock);
			}
		} else {
			r = n % 3 ? ramet_rwlock_read(&lock)
				  : ramet_rwlock_read_until(&lock, RAMET_CLOCK_MONOTONIC,
							    now() + MS / 10);
			if (!r) {
				if (left != right)
					__atomic_fetch_add(&broken, 1, __ATOMIC_RELAXED);
				ramet_rwlock_read_unlock(&lock);
			}
		}
		n++;
		__atomic_fetch_add(writer ? &writes : &reads, !r, __ATOMIC_RELAXED);
		step();
	}
	return arg;
}

static void test_rwlock(void)
{
	broken = 0;
	left = right = writes = reads = 0;
	run(read_or_write, NULL);
	note("writes", (int64_t)writes);
	note("reads", (int64_t)reads);
	is(broken, 0, "read-write lock: nobody saw half of a change");
	is((int64_t)left, (int64_t)writes, "nor was one lost");
	ok(writes > 10 && reads > 10, "both sides get on");
	is((int64_t)(lock.state & 0xffffffffffff), 0, "it is free");
}

/* ---- Barrier, once: many rounds of each ---- */

static struct ramet_barrier barrier;
static uint32_t arrivals[2], barrier_round;
static struct ramet_once onces[2];
static uint32_t once_runs;

static void run_once(void)
{
	__atomic_fetch_add(&once_runs, 1, __ATOMIC_RELAXED);
}

static uint32_t last;

static void *meet(void *arg)
{
	/* All must leave by the same round: who is told to stop says so before the barrier. */
	for (uint32_t n = 0;; n++) {
		ramet_once(onces + n % 2, run_once);
		__atomic_fetch_add(arrivals + n % 2, 1, __ATOMIC_RELAXED);
		if (ramet_barrier_wait(&barrier) == RAMET_BARRIER_SERIAL) {
			if (__atomic_exchange_n(arrivals + n % 2, 0, __ATOMIC_RELAXED) != THREADS ||
			    once_runs != n + 1)
				__atomic_fetch_add(&broken, 1, __ATOMIC_RELAXED);
			onces[(n + 1) % 2] = (struct ramet_once)RAMET_ONCE_INIT;
			barrier_round = n;
			last = over();
			step();
		}
		ramet_barrier_wait(&barrier);
		if (__atomic_load_n(&last, __ATOMIC_RELAXED))
			return arg;
	}
}

static void test_barrier(void)
{
	broken = last = once_runs = 0;
	onces[0] = onces[1] = (struct ramet_once)RAMET_ONCE_INIT;
	ramet_barrier_init(&barrier, THREADS);
	run(meet, NULL);
	ramet_barrier_destroy(&barrier);
	note("rounds", barrier_round);
	is(broken, 0, "barrier and once: all came, one ran, each round");
}

/* ---- Threads that make and join and leave threads, with results to check ---- */

#define LEAVING 200

static struct ramet_sem leaving;

static void *fill_stack(void *arg)
{
	volatile uintptr_t mine[256];
	static _Thread_local volatile uintptr_t variable;

	if (variable)
		__atomic_fetch_add(&broken, 1, __ATOMIC_RELAXED);
	variable = (uintptr_t)arg;
	for (unsigned i = 0; i < 256; i++)
		mine[i] = (uintptr_t)arg;
	ramet_thread_yield();
	for (unsigned i = 0; i < 256; i++)
		if (mine[i] != (uintptr_t)arg || variable != (uintptr_t)arg)
			__atomic_fetch_add(&broken, 1, __ATOMIC_RELAXED);
	return arg;
}

static void *fill_and_leave(void *arg)
{
	fill_stack(arg);
	ramet_sem_post(&leaving);
	return arg;
}

static void *make_threads(void *arg)
{
	uintptr_t n = (uintptr_t)arg << 32;

	while (!over()) {
		struct ramet_thread *thread;
		void *result = NULL;

		n++;
		if (n % 2) {
			ramet_sem_wait(&leaving);
			if (ramet_thread_create(
				    &RAMET_THREAD_ATTR(.options = RAMET_THREAD_DETACHED),
				    fill_and_leave, (void *)n, NULL))
				__atomic_fetch_add(&broken, 1, __ATOMIC_RELAXED);
		} else if (ramet_thread_create(NULL, fill_stack, (void *)n, &thread) ||
			   ramet_thread_join(thread, &result) || result != (void *)n) {
			__atomic_fetch_add(&broken, 1, __ATOMIC_RELAXED);
		}
		step();
	}
	return arg;
}

static void test_threads(void)
{
	broken = 0;
	ramet_sem_init(&leaving, LEAVING);
	run(make_threads, NULL);
	for (int i = 0; i < LEAVING; i++)
		if (ramet_sem_wait_until(&leaving, RAMET_CLOCK_MONOTONIC, now() + 10000 * MS))
			broken++;
	is(broken, 0, "threads: each had its memory to itself");
}

int main(int argc, char **argv, char **envp)
{
	(void)argc, (void)argv, (void)envp;
	run_ns = env("RAMET_LONG") ? 20000 * MS : 250 * MS;
	handle(SIGUSR1_, 0, nothing);
	for (int i = 0; i < 2; i++) {
		with_signals = i;
		note(i ? "with signals" : "without signals", run_ns);
		test_mutex();
		test_cond();
		test_broadcast(THREADS - 1);
		test_broadcast(3);
		test_sem();
		test_rwlock();
		test_barrier();
		test_threads();
	}
	return tap_done();
}
