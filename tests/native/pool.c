/* SPDX-License-Identifier: MIT */
/* The pool of parked threads: jobs done once, bounds kept, threads warm, idle ones gone. */
#include "tap.h"

#define JOBS 2000

static struct ramet_sem go;
static uint32_t done;

static void *double_it(void *arg)
{
	__atomic_fetch_add(&done, 1, __ATOMIC_RELAXED);
	return (void *)((uintptr_t)arg * 2);
}

static void *wait_for_go(void *arg)
{
	ramet_sem_wait(&go);
	return arg;
}

static void *tell_tid(void *arg)
{
	(void)arg;
	return (void *)(intptr_t)ramet_thread_tid(ramet_thread_self());
}

static void test_jobs(void)
{
	static struct ramet_job jobs[JOBS];
	struct ramet_pool pool;
	uint32_t right = 0;
	int r = 0;

	is(ramet_pool_init(&pool, NULL), 0, "a pool");
	for (uintptr_t i = 0; i < JOBS; i++) {
		jobs[i] = (struct ramet_job){.fn = double_it, .arg = (void *)i};
		while ((r = ramet_pool_submit(&pool, jobs + i)) == -EAGAIN)
			ramet_thread_yield();
		if (r)
			break;
	}
	is(r, 0, "all are taken");
	for (uintptr_t i = 0; i < JOBS; i++) {
		void *result = NULL;

		right += !ramet_job_wait(jobs + i, &result) && result == (void *)(i * 2);
	}
	is(right, JOBS, "all have their results");
	is(done, JOBS, "each was done once");
	ok(pool.threads <= 4, "by no more threads than asked for");
	is(ramet_pool_end(&pool), 0, "end");
	is(pool.threads, 0, "no thread is left");
	is(ramet_pool_submit(&pool, jobs), -ESHUTDOWN, "and no job is taken");
}

static void test_bounds(void)
{
	struct ramet_job jobs[4] = {
		{.fn = wait_for_go}, {.fn = wait_for_go}, {.fn = wait_for_go}, {.fn = wait_for_go}};
	struct ramet_pool pool;

	ramet_pool_init(&pool, &RAMET_POOL_ATTR(.threads = 1, .queue = 2));
	is(ramet_pool_submit(&pool, jobs), 0, "one that runs");
	while (__atomic_load_n(&pool.queued, __ATOMIC_RELAXED))
		ramet_thread_yield();
	is(ramet_pool_submit(&pool, jobs + 1), 0, "one that waits");
	is(ramet_pool_submit(&pool, jobs + 2), 0, "another");
	is(ramet_pool_submit(&pool, jobs + 3), -EAGAIN, "no more");
	is(ramet_job_wait_until(jobs, RAMET_CLOCK_MONOTONIC, now() + 10 * MS, NULL), -ETIMEDOUT,
	   "a deadline");
	for (int i = 0; i < 3; i++)
		ramet_sem_post(&go);
	is(ramet_job_wait(jobs, NULL), 0, "the wait goes on");
	ramet_pool_end(&pool);
	is(ramet_job_wait_until(jobs + 2, RAMET_CLOCK_MONOTONIC, 0, NULL), 0,
	   "the end of a pool is that of its jobs");
}

static void test_warm(void)
{
	struct ramet_job job = {.fn = tell_tid};
	struct ramet_pool pool;
	void *first = NULL, *again = NULL;
	const int64_t limit = now() + 10000 * MS;
	int64_t before;
	bool same = true;

	ramet_pool_init(&pool, &RAMET_POOL_ATTR(.idle_ms = 50, .thread = {.name = "warm"}));
	ok(!ramet_pool_submit(&pool, &job) && !ramet_job_wait(&job, &first), "one job");
	/* The thread says that the job is done before it is free for the next. */
	before = now();
	for (int i = 0; i < 100; i++) {
		while (!__atomic_load_n(&pool.idle, __ATOMIC_RELAXED) && now() < limit)
			;
		same &= !ramet_pool_submit(&pool, &job) && !ramet_job_wait(&job, &again) &&
			first == again;
	}
	note("ns a job:", (now() - before) / 100);
	ok(same, "the same thread does the next hundred");
	while (__atomic_load_n(&pool.threads, __ATOMIC_RELAXED) && now() < limit)
		sleep_ns(5 * MS);
	is(pool.threads, 0, "an idle thread ends");
	ok(!ramet_pool_submit(&pool, &job) && !ramet_job_wait(&job, &again), "a new one is made");
	ramet_pool_end(&pool);
}

/* Idle threads end while jobs come: neither is a job lost nor a thread counted twice. */
static void test_race(void)
{
	struct ramet_job job = {.fn = double_it};
	struct ramet_pool pool;
	int lost = 0;

	ramet_pool_init(&pool, &RAMET_POOL_ATTR(.threads = 2, .idle_ms = 1));
	for (int i = 0; i < 200; i++) {
		sleep_ns(MS / 2 + i * (MS / 200));
		lost += ramet_pool_submit(&pool, &job) ||
			ramet_job_wait_until(&job, RAMET_CLOCK_MONOTONIC, now() + 5000 * MS, NULL);
	}
	is(lost, 0, "no job is lost to a thread that is leaving");
	ramet_pool_end(&pool);
	is(pool.threads, 0, "all have left");
}

int main(int argc, char **argv, char **envp)
{
	(void)argc, (void)argv, (void)envp;
	test_jobs();
	test_bounds();
	test_warm();
	test_race();
	return tap_done();
}
