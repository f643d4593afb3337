/* SPDX-License-Identifier: MIT */
/*
 * The pool of parked threads: stands on threads and on nothing else of either machine. A parked
 * thread has a word on its own stack; who submits takes the warmest off the list and changes the
 * word, so a job has one owner at any time and nobody is woken for nothing. A thread that is
 * through with the pool says so under the lock, and its giving back of the lock is its last look.
 */
#include "thread/sync/futex.h"

#define MILLION 1000000

/* Of a thread's word and of a job's. */
enum {
	PENDING = 0,
	GIVEN,	/* the thread has a job; the job is done */
	ASLEEP, /* pending, and somebody sleeps on it */
};

struct worker {
	struct worker *next;
	struct ramet_job *job;
	uint32_t word;
};

/*
 * A worker that is out of work is awake for a moment, which gives the next of a burst to it without
 * a wake-up; longer would keep it on a processor of its own, and each job would then cross over and
 * back. Who waits for a job sleeps at once, and so makes room for it.
 */
static bool look_for(const uint32_t *word)
{
	for (unsigned n = spins_allowed() / 8; n; n--) {
		if (__atomic_load_n(word, __ATOMIC_ACQUIRE) == GIVEN)
			return true;
		arch_relax();
	}
	return false;
}

/* False: -ETIMEDOUT. */
static bool sleep_for(uint32_t *word, enum ramet_clock clock, int64_t when)
{
	uint32_t seen = PENDING;

	__atomic_compare_exchange_n(word, &seen, ASLEEP, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
	while (__atomic_load_n(word, __ATOMIC_ACQUIRE) != GIVEN)
		if (futex_wait(word, ASLEEP, clock, when) == -ETIMEDOUT)
			return __atomic_load_n(word, __ATOMIC_ACQUIRE) == GIVEN;
	return true;
}

static void give(uint32_t *word)
{
	if (__atomic_exchange_n(word, GIVEN, __ATOMIC_ACQ_REL) == ASLEEP)
		futex_wake(word, 1);
}

static void enqueue(struct ramet_pool *pool, struct ramet_job *job)
{
	if (pool->last)
		pool->last->next = job;
	else
		pool->first = job;
	pool->last = job;
	pool->queued++;
}

static struct ramet_job *dequeue(struct ramet_pool *pool)
{
	struct ramet_job *job = pool->first;

	if (!job)
		return NULL;
	pool->first = job->next;
	if (!pool->first)
		pool->last = NULL;
	pool->queued--;
	return job;
}

/* Under the lock. False: it is not there any more, a job is on its way. */
static bool forget(struct ramet_pool *pool, const struct worker *worker)
{
	void **link = &pool->idle;

	while (*link && *link != worker)
		link = (void **)&((struct worker *)*link)->next;
	if (!*link)
		return false;
	*link = worker->next;
	return true;
}

/* Under the lock, which it gives back. */
static void leave(struct ramet_pool *pool)
{
	uint32_t *const threads = &pool->threads;
	const uint32_t left = __atomic_sub_fetch(threads, 1, __ATOMIC_RELAXED);

	unlock_word(&pool->lock);
	if (!left)
		futex_wake(threads, INT32_MAX);
}

/* The next job, or NULL: nothing to do for so long, or never again; the pool has been left. */
static struct ramet_job *next_job(struct ramet_pool *pool)
{
	struct worker self = {0};
	struct ramet_job *job;

	lock_word(&pool->lock);
	job = dequeue(pool);
	if (job) {
		unlock_word(&pool->lock);
		return job;
	}
	if (pool->closing) {
		leave(pool);
		return NULL;
	}
	self.next = pool->idle;
	pool->idle = &self;
	unlock_word(&pool->lock);

	if (!look_for(&self.word) && !sleep_for(&self.word, RAMET_CLOCK_MONOTONIC,
						ramet_clock_now(RAMET_CLOCK_MONOTONIC) +
							(int64_t)pool->attr.idle_ms * MILLION)) {
		lock_word(&pool->lock);
		if (forget(pool, &self)) {
			leave(pool);
			return NULL;
		}
		unlock_word(&pool->lock);
		sleep_for(&self.word, RAMET_CLOCK_MONOTONIC, RAMET_NEVER);
	}
	if (!self.job) { /* ramet_pool_end() */
		lock_word(&pool->lock);
		leave(pool);
	}
	return self.job;
}

static void *work(void *arg)
{
	struct ramet_pool *pool = arg;
	struct ramet_job *job;

	while ((job = next_job(pool))) {
		job->result = job->fn(job->arg);
		give(&job->word);
	}
	return NULL;
}

int ramet_pool_init(struct ramet_pool *pool, const struct ramet_pool_attr *attr)
{
	struct ramet_pool_attr given = {0};

	if (attr && attr->size != sizeof(*attr))
		return -EINVAL;
	if (attr)
		given = *attr;
	if (!given.threads)
		given.threads = 4;
	if (!given.queue)
		given.queue = 1024;
	if (!given.idle_ms)
		given.idle_ms = 1000;
	given.thread.size = sizeof(given.thread);
	given.thread.error = NULL; /* the caller's, and threads are made long after this call */
	given.thread.options |= RAMET_THREAD_DETACHED;
	*pool = (struct ramet_pool){.attr = given};
	return 0;
}

/*
 * Under the lock, held so long that nobody counts on a thread that then cannot be made. It will
 * find the job in the queue.
 */
static int add_thread(struct ramet_pool *pool)
{
	const int r = ramet_thread_create(&pool->attr.thread, work, pool, NULL);

	if (r < 0)
		return pool->threads ? 0 : r;
	__atomic_add_fetch(&pool->threads, 1, __ATOMIC_RELAXED);
	return 0;
}

int ramet_pool_submit(struct ramet_pool *pool, struct ramet_job *job)
{
	struct worker *worker;
	int r = 0;

	job->next = NULL;
	job->word = PENDING;
	lock_word(&pool->lock);
	worker = pool->idle;
	if (pool->closing) {
		r = -ESHUTDOWN;
		worker = NULL;
	} else if (worker) {
		pool->idle = worker->next;
		worker->job = job;
	} else {
		if (pool->threads < pool->attr.threads)
			r = add_thread(pool);
		if (!r && pool->queued >= pool->attr.queue)
			r = -EAGAIN;
		if (!r)
			enqueue(pool, job);
	}
	unlock_word(&pool->lock);
	if (worker)
		give(&worker->word);
	return r;
}

int ramet_job_wait_until(struct ramet_job *job, enum ramet_clock clock, int64_t when,
			 void **ret_result)
{
	if (__atomic_load_n(&job->word, __ATOMIC_ACQUIRE) != GIVEN &&
	    !sleep_for(&job->word, clock, when))
		return -ETIMEDOUT;
	if (ret_result)
		*ret_result = job->result;
	return 0;
}

int ramet_job_wait(struct ramet_job *job, void **ret_result)
{
	return ramet_job_wait_until(job, RAMET_CLOCK_MONOTONIC, RAMET_NEVER, ret_result);
}

int ramet_pool_end(struct ramet_pool *pool)
{
	struct worker *idle, *next;
	uint32_t threads;

	lock_word(&pool->lock);
	pool->closing = 1;
	idle = pool->idle;
	pool->idle = NULL;
	unlock_word(&pool->lock);
	for (; idle; idle = next) {
		next = idle->next;
		give(&idle->word); /* without a job */
	}
	for (;;) {
		/* With the lock: who left may not have given it back yet. */
		lock_word(&pool->lock);
		threads = __atomic_load_n(&pool->threads, __ATOMIC_RELAXED);
		unlock_word(&pool->lock);
		if (!threads)
			return 0;
		futex_wait(&pool->threads, threads, RAMET_CLOCK_MONOTONIC, RAMET_NEVER);
	}
}
