/* SPDX-License-Identifier: MIT */
/*
 * What libramet-rt does, measured where it lives: a program of its own, which speaks as a peer's
 * worker does (struct bench_peer), with the operation and x as arguments. The first operation after
 * it was asked is not told: it has just been woken.
 */
#include <errno.h>
#include <ramet/thread.h>
#include <stdbool.h>

#include "base/sys.h"

#define MOST_TASKS 100000
#define MOST_ASKED 1000
#define PROT_READ_WRITE 3
#define MAP_PRIVATE_ANONYMOUS 0x22
#define PICO 1000

#define SYNC_MUTEX struct ramet_mutex
#define SYNC_MUTEX_INIT RAMET_MUTEX_INIT
#define SYNC_COND struct ramet_cond
#define SYNC_COND_INIT RAMET_COND_INIT
#define SYNC_LOCK(m) ramet_mutex_lock(m)
#define SYNC_UNLOCK(m) ramet_mutex_unlock(m)
#define SYNC_WAIT(c, m) ramet_cond_wait(c, m)
#define SYNC_SIGNAL(c) ramet_cond_signal(c)
#define SYNC_SLEEP(word, value) sys6(SYS_futex, (long)(word), 128, value, 0, 0, 0)
#define SYNC_WAKE(word) sys6(SYS_futex, (long)(word), 129, 1, 0, 0, 0)
#define SYNC_NOW() ramet_clock_now(RAMET_CLOCK_MONOTONIC)
#define SYNC_YIELD() ramet_thread_yield()

#include "bench/rt/sync.h"

static size_t tasks;
static const char *failed; /* why, for "cannot:" */

/* ---- Threads ------------------------------------------------------------------------------- */

static _Thread_local void *mark; /* so that there is a block to make for each */
static struct ramet_thread **threads;
static struct ramet_job *jobs;
static struct ramet_pool pool;

static void *memory(size_t size)
{
	const long at =
		sys6(SYS_mmap, 0, (long)size, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0);

	return at < 0 && at > -4096 ? NULL : (void *)at;
}

static void *nothing(void *arg)
{
	mark = arg;
	return arg;
}

static bool begin_threads(void)
{
	threads = memory(tasks * sizeof(struct ramet_thread *));
	return threads;
}

static int64_t run_threads(void)
{
	const int64_t start = SYNC_NOW();
	size_t made = 0;
	int r = 0;

	while (r == 0 && made < tasks) {
		r = ramet_thread_create(NULL, nothing, NULL, &threads[made]);
		made += r == 0;
	}
	for (size_t i = 0; i < made; i++)
		ramet_thread_join(threads[i], NULL);
	return r < 0 ? r : (SYNC_NOW() - start) * PICO;
}

/* As many threads as there are jobs at a time, up to what a pool has by default. */
static bool begin_pool(void)
{
	const struct ramet_pool_attr attr =
		RAMET_POOL_ATTR(.threads = tasks < 4 ? (uint32_t)tasks : 4, .queue = MOST_TASKS,
				.idle_ms = 600000);

	jobs = memory(tasks * sizeof(*jobs));
	return jobs && ramet_pool_init(&pool, &attr) == 0;
}

static int64_t run_pool(void)
{
	const int64_t start = SYNC_NOW();
	size_t made = 0;
	int r = 0;

	while (r == 0 && made < tasks) {
		jobs[made].fn = nothing;
		r = ramet_pool_submit(&pool, &jobs[made]);
		made += r == 0;
	}
	for (size_t i = 0; i < made; i++)
		ramet_job_wait(&jobs[i], NULL);
	return r < 0 ? r : (SYNC_NOW() - start) * PICO;
}

/* For the rest of the process: that there is another thread is part of what is measured. */
static bool begin_sync(void)
{
	return ramet_thread_create(&RAMET_THREAD_ATTR(.options = RAMET_THREAD_DETACHED),
				   sync_partner, NULL, NULL) == 0;
}

/* ---- The conversation ---------------------------------------------------------------------- */

static char text[MOST_ASKED * 24];
static size_t used;

static void put(const char *word)
{
	while (*word && used < sizeof(text))
		text[used++] = *word++;
}

static void put_number(uint64_t number, unsigned digits)
{
	char word[24];
	size_t at = sizeof(word) - 1;

	word[at] = 0;
	while (number || digits) {
		word[--at] = (char)('0' + number % 10);
		number /= 10;
		digits -= digits > 0;
	}
	put(word + at);
}

static void say(void)
{
	put("\n");
	sys_write(1, text, used);
	used = 0;
}

static bool is_same(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

static size_t number(const char *word)
{
	size_t n = 0;

	for (; *word >= '0' && *word <= '9' && n <= MOST_TASKS; word++)
		n = n * 10 + (size_t)(*word - '0');
	return n;
}

/* 0: no more. */
static size_t asked(void)
{
	char word[32] = {0};
	long n;

	do
		n = sys_read(0, word, sizeof(word) - 1);
	while (n == -EINTR);
	return n > 0 ? number(word) : 0;
}

static int work(int64_t (*run)(void))
{
	size_t count;

	put("ready");
	say();
	while ((count = asked())) {
		int64_t r = count > MOST_ASKED ? -E2BIG : run();

		for (size_t i = 0; i < count && r >= 0; i++) {
			r = run();
			put_number((uint64_t)r / PICO, 1);
			put(".");
			put_number((uint64_t)r % PICO, 3);
			put(" ");
		}
		if (r < 0)
			return 1;
		say();
	}
	return 0;
}

static int64_t (*begin(const char *operation))(void)
{
	failed = "no memory, or no thread";
	if (is_same(operation, "thread"))
		return begin_threads() ? run_threads : NULL;
	if (is_same(operation, "pool"))
		return begin_pool() ? run_pool : NULL;
	if (is_same(operation, "mutex"))
		return begin_sync() ? sync_alone : NULL;
	if (is_same(operation, "mutex-contended"))
		return begin_sync() ? sync_contended : NULL;
	if (is_same(operation, "condition"))
		return begin_sync() ? sync_ping_pong : NULL;
	failed = "no such operation";
	return NULL;
}

int main(int argc, char **argv, char **envp)
{
	int64_t (*run)(void) = NULL;

	(void)envp;
	failed = "no operation and x";
	if (argc == 3) {
		tasks = number(argv[2]);
		run = begin(argv[1]);
	}
	if (run && tasks <= MOST_TASKS)
		return work(run);
	put("cannot: ");
	put(run ? "so many threads are not for this worker" : failed);
	say();
	return 0;
}
