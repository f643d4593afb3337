/* SPDX-License-Identifier: MIT */
/*
 * What threads wait for each other with: the C library's mutexes and condition variables beside
 * those of libramet-rt, by the same text, rt/sync.h. And how long a static program of either lives
 * that ends at once: that too is what a C library does for everybody.
 */
#include "bench/scenes.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench/floor.h"
#include "bench/rt/start_bytes.h"
#include "bench/stage.h"
#include "launch/image.h"

#define SYNC_MUTEX pthread_mutex_t
#define SYNC_MUTEX_INIT PTHREAD_MUTEX_INITIALIZER
#define SYNC_COND pthread_cond_t
#define SYNC_COND_INIT PTHREAD_COND_INITIALIZER
#define SYNC_LOCK(m) pthread_mutex_lock(m)
#define SYNC_UNLOCK(m) pthread_mutex_unlock(m)
#define SYNC_WAIT(c, m) pthread_cond_wait(c, m)
#define SYNC_SIGNAL(c) pthread_cond_signal(c)
#define SYNC_SLEEP(word, value) syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0)
#define SYNC_WAKE(word) syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0)
#define SYNC_NOW() bench_now_ns()
#define SYNC_YIELD() sched_yield()

#include "bench/rt/sync.h"

/* ---- The C library's ----------------------------------------------------------------------- */

static pthread_t partner;
static unsigned users; /* variants between begin and end */

static long begin_sync(struct bench_scene *scene)
{
	int r = 0;

	if (!users) {
		sync_job = SYNC_PARKED;
		r = pthread_create(&partner, NULL, sync_partner, NULL);
	}
	if (r)
		return scene_fail(scene, r, "pthread_create: %s", strerror(r));
	users++;
	return 0;
}

static int run_sync(int64_t (*run)(void), unsigned count, double *ret_ns)
{
	run();
	for (unsigned i = 0; i < count; i++)
		ret_ns[i] = (double)run() / 1000;
	return 0;
}

static void end_sync(struct bench_scene *scene)
{
	(void)scene;
	if (--users)
		return;
	sync_ask(SYNC_QUIT);
	pthread_join(partner, NULL);
}

#define SYNC_VARIANT(word, label, operation, what_)                                                \
	static int run_##word(struct bench_scene *scene, unsigned count, double *ret_ns)           \
	{                                                                                          \
		(void)scene;                                                                       \
		return run_sync(operation, count, ret_ns);                                         \
	}                                                                                          \
	static const struct bench_variant variant_##word = {                                       \
		.name = label,                                                                     \
		.what = what_,                                                                     \
		.begin = begin_sync,                                                               \
		.run_many = run_##word,                                                            \
		.end = end_sync,                                                                   \
	}

/* ---- A program's life ---------------------------------------------------------------------- */

extern const unsigned char bench_rt_start[], bench_rt_start_end[];

static int libc_file = -1, rt_file = -1;

/* That of the build which the tool is from, or the one that the environment names. */
static int open_libc_program(void)
{
	static const char beside[] = "bench/rt/ramet-bench-libc-start";
	const char *named = getenv("RAMET_BENCH_LIBC_START");
	char path[PATH_MAX + sizeof(beside)];
	ssize_t n;

	if (named && *named)
		return open(named, O_RDONLY | O_CLOEXEC);
	n = readlink("/proc/self/exe", path, PATH_MAX - 1);
	path[n > 0 ? n : 0] = 0;
	if (!strrchr(path, '/'))
		return -1;
	strcpy(strrchr(path, '/') + 1, beside);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* Both from memory: what else a file's place would add. */
static long begin_libc_start(struct bench_scene *scene)
{
	const int fd = open_libc_program();
	struct stat st;
	void *map;

	if (fd < 0)
		return scene_fail(
			scene, ENODEV,
			"no static program of the C library: ramet is not run in the "
			"folder where it was built, and RAMET_BENCH_LIBC_START names none");
	map = fstat(fd, &st) < 0 ? MAP_FAILED
				 : mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (map == MAP_FAILED)
		return scene_fail(scene, errno, "the C library's program: %s", strerror(errno));
	libc_file = sealed_file("ramet-bench-libc", map, (size_t)st.st_size, true);
	munmap(map, (size_t)st.st_size);
	return libc_file < 0 ? scene_fail(scene, -libc_file, "no file in memory: %s",
					  strerror(-libc_file))
			     : 0;
}

static long begin_rt_start(struct bench_scene *scene)
{
	rt_file = sealed_file("ramet-bench-start", bench_rt_start,
			      (size_t)(bench_rt_start_end - bench_rt_start), true);
	return rt_file < 0
		       ? scene_fail(scene, -rt_file, "no file in memory: %s", strerror(-rt_file))
		       : 0;
}

static long run_start(struct bench_scene *scene, int fd)
{
	char path[32];
	long pid;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	pid = floor_start(path, scene_argv, scene_envp);
	return pid < 0 ? scene_fail(scene, (int)-pid, "clone3: %s", strerror((int)-pid))
		       : scene_reap(scene, (pid_t)pid);
}

static long run_libc_start(struct bench_scene *scene)
{
	return run_start(scene, libc_file);
}

static long run_rt_start(struct bench_scene *scene)
{
	return run_start(scene, rt_file);
}

static void end_libc_start(struct bench_scene *scene)
{
	(void)scene;
	close(libc_file);
}

static void end_rt_start(struct bench_scene *scene)
{
	(void)scene;
	close(rt_file);
}

/* ---- Rows ---------------------------------------------------------------------------------- */

#define ALONE "a pair of lock and unlock, another thread asleep"
#define CONTENDED "a pair of lock and unlock, two threads doing nothing else"
#define CONDITION "one way of a round trip between two threads by a condition variable"

SYNC_VARIANT(pthread_mutex, "pthread-mutex", sync_alone, ALONE);
RT_VARIANT(ramet_mutex, "ramet-mutex", "mutex", "libramet-rt: " ALONE);
SYNC_VARIANT(pthread_contended, "pthread-mutex-contended", sync_contended, CONTENDED);
RT_VARIANT(ramet_contended, "ramet-mutex-contended", "mutex-contended", "libramet-rt: " CONTENDED);
SYNC_VARIANT(pthread_condition, "pthread-condition", sync_ping_pong, CONDITION);
RT_VARIANT(ramet_condition, "ramet-condition", "condition", "libramet-rt: " CONDITION);

static const struct bench_variant variant_libc_start = {
	.name = "libc-start",
	.what = "start to exit of a static program of the C library that does nothing",
	.begin = begin_libc_start,
	.run = run_libc_start,
	.end = end_libc_start,
};

static const struct bench_variant variant_rt_start = {
	.name = "ramet-start",
	.what = "start to exit of a static program of libramet-rt (" BENCH_RT_START_BYTES
		" bytes, a thread if it is told to), that does nothing",
	.begin = begin_rt_start,
	.run = run_rt_start,
	.end = end_rt_start,
};

static const struct bench_variant *const variants[] = {
	&variant_pthread_mutex,	  &variant_ramet_mutex,	      &variant_pthread_contended,
	&variant_ramet_contended, &variant_pthread_condition, &variant_ramet_condition,
	&variant_libc_start,	  &variant_rt_start,	      NULL,
};

static const struct bench_pair pairs[] = {
	{"ramet-mutex", "pthread-mutex"},
	{"ramet-mutex-contended", "pthread-mutex-contended"},
	{"ramet-condition", "pthread-condition"},
	{"libc-start", "ramet-start"},
	{NULL, NULL},
};

const struct bench_workload workload_sync = {
	.name = "sync",
	.what = "Time to take and give a mutex, to be woken by a condition variable, and of a "
		"static program from start to exit.",
	.unit = BENCH_NO_AXIS,
	.points = {0, BENCH_POINTS_END},
	.wanted = 3000,
	.variants = variants,
	.pairs = pairs,
};
