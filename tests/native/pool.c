/* SPDX-License-Identifier: MIT */
/* The pool of parked threads: jobs done once, bounds kept, threads warm, idle ones gone. */
#include <stddef.h>
#include <linux/filter.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>

#include "tap.h"

#define SIGSYS_ 31
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
	int64_t before, limit = now() + 10000 * MS;
	bool same = true;

	ramet_pool_init(&pool, &RAMET_POOL_ATTR(.idle_ms = 5000, .thread = {.name = "warm"}));
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
	ramet_pool_end(&pool);

	ramet_pool_init(&pool, &RAMET_POOL_ATTR(.idle_ms = 50));
	ok(!ramet_pool_submit(&pool, &job) && !ramet_job_wait(&job, &first), "one job of another");
	limit = now() + 10000 * MS;
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

/* ---- A job is handed to a thread that times out ---- */

static struct ramet_pool slow;
static struct ramet_job handed = {.fn = tell_tid};
static uint32_t held, let_go;

/* Whoever submits, between taking the thread off the list and telling it. */
static void hold_here(int sig)
{
	(void)sig;
	__atomic_store_n(&held, 1, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&let_go, __ATOMIC_ACQUIRE))
		ramet_thread_yield();
}

/* Its giving back of the lock is a signal: the first call of futex with that address. */
static void *submit_and_be_held(void *arg)
{
	const uint64_t lock = (uintptr_t)&slow.lock;
	const struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_futex, 0, 5),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)lock, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, KERNEL_FUTEX_WAKE | 128, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog filter = {.len = sizeof(code) / sizeof(*code),
					  .filter = (struct sock_filter *)code};
	long r = sys5(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);

	(void)arg;
	if (!r)
		r = sys3(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, (long)&filter);
	if (!r)
		r = ramet_pool_submit(&slow, &handed);
	return (void *)r;
}

static void test_handover(void)
{
	struct ramet_job job = {.fn = tell_tid};
	struct ramet_thread *submitter;
	void *first = NULL, *result = NULL;
	uint32_t unheld = 0;

	handle(SIGSYS_, 0, hold_here);
	ramet_pool_init(&slow, &RAMET_POOL_ATTR(.threads = 1, .idle_ms = 100));
	ok(!ramet_pool_submit(&slow, &job) && !ramet_job_wait(&job, &first), "a thread");
	/* It is gone already if this one was kept waiting. */
	while (!__atomic_load_n(&slow.idle, __ATOMIC_RELAXED) &&
	       __atomic_load_n(&slow.threads, __ATOMIC_RELAXED))
		ramet_thread_yield();
	/* Who had to wait for the lock will wake somebody. */
	while (!__atomic_compare_exchange_n(&slow.lock, &unheld, 1, false, __ATOMIC_ACQUIRE,
					    __ATOMIC_RELAXED))
		unheld = 0;
	submitter = start(NULL, submit_and_be_held, NULL);
	while (__atomic_load_n(&slow.lock, __ATOMIC_RELAXED) != 2 &&
	       ramet_thread_tid(submitter) > 0)
		ramet_thread_yield();
	__atomic_store_n(&slow.lock, 0, __ATOMIC_RELEASE);
	sys3(SYS_futex, (long)&slow.lock, KERNEL_FUTEX_WAKE | 128, 1);
	while (!__atomic_load_n(&held, __ATOMIC_ACQUIRE) && ramet_thread_tid(submitter) > 0)
		ramet_thread_yield();
	if (__atomic_load_n(&held, __ATOMIC_ACQUIRE)) {
		sleep_ns(300 * MS);
		ok(__atomic_load_n(&handed.word, __ATOMIC_ACQUIRE) != 1 || handed.result != first,
		   "a thread that times out as it is taken waits until it is told");
		__atomic_store_n(&let_go, 1, __ATOMIC_RELEASE);
	}
	ramet_thread_join(submitter, &result);
	if (held)
		is((intptr_t)result, 0, "submitted");
	else
		note("it was not held, without a filter or any need:", (intptr_t)result);
	is(held ? ramet_job_wait_until(&handed, RAMET_CLOCK_MONOTONIC, now() + 5000 * MS, NULL) : 0,
	   0, "and does its job");
	ramet_pool_end(&slow);
}

int main(int argc, char **argv, char **envp)
{
	(void)argc, (void)argv, (void)envp;
	test_jobs();
	test_bounds();
	test_warm();
	test_race();
	test_handover();
	return tap_done();
}
