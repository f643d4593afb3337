/* SPDX-License-Identifier: MIT */
/*
 * One context switch: half of a round trip between two tasks that wait for each other in turn, by
 * a pipe or a futex, two processes or two threads, on one core or on two. The other side is made
 * by begin and answers until it is told to quit; where it runs is fixed, and so is where we run
 * while it is measured.
 */
#include "bench/scenes.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TRIPS 50 /* of one operation */
#define WARM_TRIPS 5
#define PATIENCE_S 5 /* for an answer by futex: the other side may have been killed */

enum { MINE, YOURS, QUIT };

/* What waits on the other side, and by what it is reached. */
struct side {
	bool futex, threads, across;
	int core;	    /* where it runs */
	int to[2], from[2]; /* pipes */
	uint32_t *turn;	    /* memory shared between processes as well */
	pid_t pid;
	pthread_t thread;
};

/* ---- Cores --------------------------------------------------------------------------------- */

static long topology(int processor, const char *name)
{
	char path[96];
	long value = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/topology/%s", processor, name);
	f = fopen(path, "re");
	if (f && fscanf(f, "%ld", &value) != 1)
		value = -1;
	if (f)
		fclose(f);
	return value;
}

/* Two threads of one core are not two cores. Not known is taken for two. */
static bool is_same_core(int a, int b)
{
	const long core = topology(a, "core_id");

	return core >= 0 && core == topology(b, "core_id") &&
	       topology(a, "physical_package_id") == topology(b, "physical_package_id");
}

static int next_processor(const cpu_set_t *set, int after)
{
	for (int i = after + 1; i < CPU_SETSIZE; i++)
		if (CPU_ISSET((size_t)i, set))
			return i;
	return -1;
}

/* A processor of another core than that of `home`; -1: we may use none. */
static int other_core(const cpu_set_t *set, int home)
{
	int i = next_processor(set, home);

	while (i >= 0 && is_same_core(home, i))
		i = next_processor(set, i);
	return i;
}

static void go_to(int processor)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)processor, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/* ---- Messages ------------------------------------------------------------------------------ */

static void futex_wake(const struct side *side)
{
	syscall(SYS_futex, side->turn, side->threads ? FUTEX_WAKE_PRIVATE : FUTEX_WAKE, 1, NULL,
		NULL, 0);
}

/* Until it is no longer `turn`. false: for too long. */
static bool futex_await_change(const struct side *side, uint32_t turn)
{
	const struct timespec patience = {.tv_sec = PATIENCE_S};

	while (__atomic_load_n(side->turn, __ATOMIC_ACQUIRE) == turn)
		if (syscall(SYS_futex, side->turn, side->threads ? FUTEX_WAIT_PRIVATE : FUTEX_WAIT,
			    turn, turn == YOURS ? &patience : NULL, NULL, 0) < 0 &&
		    errno == ETIMEDOUT)
			return false;
	return true;
}

static void futex_give(const struct side *side, uint32_t turn)
{
	__atomic_store_n(side->turn, turn, __ATOMIC_RELEASE);
	futex_wake(side);
}

static bool pipe_give(int fd, char turn)
{
	ssize_t n;

	do
		n = write(fd, &turn, 1);
	while (n < 0 && errno == EINTR);
	return n == 1;
}

static int pipe_take(int fd)
{
	char turn = QUIT;
	ssize_t n;

	do
		n = read(fd, &turn, 1);
	while (n < 0 && errno == EINTR);
	return n == 1 ? turn : QUIT;
}

static bool trip(const struct side *side)
{
	if (!side->futex)
		return pipe_give(side->to[1], YOURS) && pipe_take(side->from[0]) == MINE;
	futex_give(side, YOURS);
	return futex_await_change(side, YOURS);
}

/* ---- The other side ------------------------------------------------------------------------ */

static void *answer(void *arg)
{
	const struct side *side = arg;

	go_to(side->core);
	if (!side->futex) {
		while (pipe_take(side->to[0]) == YOURS && pipe_give(side->from[1], MINE))
			;
		return NULL;
	}
	for (;;) {
		futex_await_change(side, MINE);
		if (__atomic_load_n(side->turn, __ATOMIC_ACQUIRE) == QUIT)
			return NULL;
		futex_give(side, MINE);
	}
}

static void close_side(struct side *side)
{
	for (int i = 0; i < 2; i++) {
		if (side->to[i] >= 0)
			close(side->to[i]);
		if (side->from[i] >= 0)
			close(side->from[i]);
		side->to[i] = side->from[i] = -1;
	}
	if (side->turn)
		munmap(side->turn, sizeof(*side->turn));
	side->turn = NULL;
}

static int open_side(struct side *side)
{
	void *map;

	side->to[0] = side->to[1] = side->from[0] = side->from[1] = -1;
	side->turn = NULL;
	if (!side->futex)
		return pipe2(side->to, O_CLOEXEC) < 0 || pipe2(side->from, O_CLOEXEC) < 0 ? -errno
											  : 0;
	map = mmap(NULL, sizeof(*side->turn), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		   -1, 0);
	if (map == MAP_FAILED)
		return -errno;
	side->turn = map;
	return 0;
}

static int start_side(struct side *side)
{
	const pid_t parent = getpid();

	if (side->threads)
		return -pthread_create(&side->thread, NULL, answer, side);
	side->pid = fork();
	if (side->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() == parent)
			answer(side);
		_exit(0);
	}
	return side->pid < 0 ? -errno : 0;
}

static long begin(struct bench_scene *scene, struct side *side)
{
	cpu_set_t set;
	int home, r;

	if (sched_getaffinity(0, sizeof(set), &set) < 0)
		return scene_fail(scene, errno, "sched_getaffinity: %s", strerror(errno));
	home = next_processor(&set, -1);
	side->core = side->across ? other_core(&set, home) : home;
	if (side->core < 0)
		return scene_fail(scene, ENODEV, "only one core may be used");
	r = open_side(side);
	if (r == 0)
		r = start_side(side);
	if (r == 0)
		return 0;
	close_side(side);
	return scene_fail(scene, -r, "the other side: %s", strerror(-r));
}

static void end(struct side *side)
{
	if (side->futex)
		futex_give(side, QUIT);
	else
		pipe_give(side->to[1], QUIT);
	if (side->threads)
		pthread_join(side->thread, NULL);
	else
		while (waitpid(side->pid, NULL, 0) < 0 && errno == EINTR)
			;
	close_side(side);
}

/* ---- Measuring ----------------------------------------------------------------------------- */

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static long run(struct bench_scene *scene, const struct side *side)
{
	cpu_set_t before;
	int64_t start = 0, ns;
	bool good = true;

	sched_getaffinity(0, sizeof(before), &before);
	go_to(next_processor(&before, -1));
	for (int i = 0; i < WARM_TRIPS + TRIPS && good; i++) {
		if (i == WARM_TRIPS)
			start = now_ns();
		good = trip(side);
	}
	ns = now_ns() - start;
	sched_setaffinity(0, sizeof(before), &before);
	return good ? (long)(ns / (2 * TRIPS)) : scene_fail(scene, EIO, "no answer");
}

/* ---- Rows ---------------------------------------------------------------------------------- */

#define SWITCH(word, label, what_, ...)                                                            \
	static struct side side_##word = {__VA_ARGS__};                                            \
	static long begin_##word(struct bench_scene *scene)                                        \
	{                                                                                          \
		return begin(scene, &side_##word);                                                 \
	}                                                                                          \
	static long run_##word(struct bench_scene *scene)                                          \
	{                                                                                          \
		return run(scene, &side_##word);                                                   \
	}                                                                                          \
	static void end_##word(struct bench_scene *scene)                                          \
	{                                                                                          \
		(void)scene;                                                                       \
		end(&side_##word);                                                                 \
	}                                                                                          \
	static const struct bench_variant switch_##word = {                                        \
		.name = label,                                                                     \
		.what = "half of a round trip " what_,                                             \
		.begin = begin_##word,                                                             \
		.run = run_##word,                                                                 \
		.end = end_##word,                                                                 \
		.self_timed = true,                                                                \
	}

SWITCH(pps, "pipe process same", "by two pipes, two processes, one processor", .futex = false);
SWITCH(ppa, "pipe process across", "by two pipes, two processes, two cores", .across = true);
SWITCH(pts, "pipe thread same", "by two pipes, two threads, one processor", .threads = true);
SWITCH(pta, "pipe thread across", "by two pipes, two threads, two cores", .threads = true,
       .across = true);
SWITCH(fps, "futex process same", "by a futex, two processes, one processor", .futex = true);
SWITCH(fpa, "futex process across", "by a futex, two processes, two cores", .futex = true,
       .across = true);
SWITCH(fts, "futex thread same", "by a private futex, two threads, one processor", .futex = true,
       .threads = true);
SWITCH(fta, "futex thread across", "by a private futex, two threads, two cores", .futex = true,
       .threads = true, .across = true);

static const struct bench_variant *const variants[] = {
	&switch_pps, &switch_ppa, &switch_pts, &switch_pta, &switch_fps,
	&switch_fpa, &switch_fts, &switch_fta, NULL,
};

static const struct bench_pair pairs[] = {
	{"pipe process same", "pipe thread same"},
	{"futex process same", "futex thread same"},
	{"pipe process same", "futex process same"},
	{"pipe thread same", "futex thread same"},
	{"pipe process across", "pipe process same"},
	{"futex thread across", "futex thread same"},
	{NULL, NULL},
};

const struct bench_workload workload_switch = {
	.name = "switch",
	.what = "Time of one context switch: half of a round trip between two tasks.",
	.unit = BENCH_NO_AXIS,
	.points = {0, BENCH_POINTS_END},
	.wanted = 3000,
	.variants = variants,
	.pairs = pairs,
};
