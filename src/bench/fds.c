/* SPDX-License-Identifier: MIT */
/*
 * Programs started by a caller with many open descriptors: 0 to x - 1, without O_CLOEXEC, since
 * it is for such that anybody closes the rest. Each is a file of its own, as sockets are.
 */
#include "bench/scenes.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SPARE 64 /* descriptors for the variants, and whoever measures */

static posix_spawn_file_actions_t closefrom_actions, highest_actions;

/* ---- The scene ----------------------------------------------------------------------------- */

static long raise_limit(struct bench_scene *scene, rlim_t wanted)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return scene_fail(scene, errno, "RLIMIT_NOFILE: %s", strerror(errno));
	if (limit.rlim_cur >= wanted)
		return 0;
	if (limit.rlim_max < wanted)
		return scene_fail(
			scene, EMFILE,
			"%llu descriptors are needed, the hard limit (ulimit -Hn) is %llu",
			(unsigned long long)wanted, (unsigned long long)limit.rlim_max);
	limit.rlim_cur = wanted;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		return scene_fail(scene, errno, "RLIMIT_NOFILE: %s", strerror(errno));
	return 0;
}

/* They stay open until the stage ends. */
static long set_up(struct bench_scene *scene)
{
	const int highest = (int)scene->x - 1;
	long r;
	int fd;

	if (scene->x < 5 || scene->x > INT_MAX - SPARE)
		return scene_fail(scene, EINVAL, "5 descriptors or more");
	r = raise_limit(scene, (rlim_t)scene->x + SPARE);
	if (r < 0)
		return r;
	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd < highest);
	if (fd < 0)
		return scene_fail(scene, errno, "opening %d descriptors: %s", highest + 1,
				  strerror(errno));
	if (fd > highest)
		close(fd);
	return 0;
}

/* ---- The C library's ----------------------------------------------------------------------- */

static long spawn(struct bench_scene *scene, const posix_spawn_file_actions_t *actions)
{
	pid_t pid;
	const int r = posix_spawn(&pid, scene->program, actions, NULL, scene_argv, scene_envp);

	return r ? scene_fail(scene, r, "posix_spawn: %s", strerror(r)) : scene_reap(scene, pid);
}

static long begin_closefrom(struct bench_scene *scene)
{
	int r = posix_spawn_file_actions_init(&closefrom_actions);

	if (r == 0)
		r = posix_spawn_file_actions_addclosefrom_np(&closefrom_actions, 3);
	return r ? scene_fail(scene, r, "file actions: %s", strerror(r)) : 0;
}

static long run_closefrom(struct bench_scene *scene)
{
	return spawn(scene, &closefrom_actions);
}

static void end_closefrom(struct bench_scene *scene)
{
	(void)scene;
	posix_spawn_file_actions_destroy(&closefrom_actions);
}

/* There and back again: far cheaper than an action to close each of the others. */
static long begin_highest(struct bench_scene *scene)
{
	const int highest = (int)scene->x - 1;
	posix_spawn_file_actions_t *actions = &highest_actions;
	int r = posix_spawn_file_actions_init(actions);

	if (r == 0)
		r = posix_spawn_file_actions_adddup2(actions, highest, 3);
	if (r == 0)
		r = posix_spawn_file_actions_addclosefrom_np(actions, 4);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(actions, 3, highest);
	if (r == 0)
		r = posix_spawn_file_actions_addclose(actions, 3);
	return r ? scene_fail(scene, r, "file actions: %s", strerror(r)) : 0;
}

static long run_highest(struct bench_scene *scene)
{
	return spawn(scene, &highest_actions);
}

static void end_highest(struct bench_scene *scene)
{
	(void)scene;
	posix_spawn_file_actions_destroy(&highest_actions);
}

static long run_fork(struct bench_scene *scene)
{
	const pid_t pid = fork();

	if (pid == 0) {
		if (syscall(SYS_close_range, 3, ~0U, 0) == 0)
			execve(scene->program, scene_argv, scene_envp);
		_exit(127);
	}
	if (pid < 0)
		return scene_fail(scene, errno, "fork: %s", strerror(errno));
	return scene_reap(scene, pid);
}

/* ---- ramet's ------------------------------------------------------------------------------- */

static long launch(struct bench_scene *scene, const struct ramet_step *steps)
{
	struct ramet_task task;
	const long r = start_ramet(scene, steps, RAMET_WAY_ANY, &task);

	return r < 0 ? r : scene_reap_task(scene, &task);
}

static long run_ramet_keep(struct bench_scene *scene)
{
	return launch(scene, RAMET_STEPS(RAMET_CLOSE_REST()));
}

static long run_ramet_highest(struct bench_scene *scene)
{
	return launch(scene, RAMET_STEPS(RAMET_CLOSE_REST(), RAMET_KEEP((int32_t)scene->x - 1)));
}

/* More of them than are fetched one by one: the table is copied up to the highest. */
static long run_ramet_refused(struct bench_scene *scene)
{
	const int32_t x = (int32_t)scene->x;

	return launch(scene, RAMET_STEPS(RAMET_CLOSE_REST(), RAMET_KEEP(x - 1), RAMET_KEEP(x - 2),
					 RAMET_KEEP(x - 3), RAMET_KEEP(x - 4), RAMET_KEEP(x - 5)));
}

/* ---- Rows ---------------------------------------------------------------------------------- */

static const struct bench_variant spawn_closefrom = {
	.name = "posix_spawn+closefrom",
	.what = "posix_spawn with addclosefrom_np(3), waitpid: 0 to 2 stay",
	.begin = begin_closefrom,
	.run = run_closefrom,
	.end = end_closefrom,
};

static const struct bench_variant fork_close_range = {
	.name = "fork+exec+close_range",
	.what = "fork, close_range(3, ~0) and execve in the child, waitpid: 0 to 2 stay",
	.run = run_fork,
};

static const struct bench_variant ramet_keep = {
	.name = "ramet-spawn-keep",
	.what = "ramet_launch with close-rest and without a pidfd, ramet_wait: 0 to 2 stay",
	.run = run_ramet_keep,
};

static const struct bench_variant ramet_highest = {
	.name = "ramet-keep-highest",
	.what = "the same with keep of the highest: 0 to 2 and x - 1 stay",
	.run = run_ramet_highest,
};

static const struct bench_variant ramet_refused = {
	.name = "ramet-keep-refused",
	.what = "keep of the five highest: as where pidfd_getfd is refused, the table is copied",
	.run = run_ramet_refused,
};

static const struct bench_variant spawn_highest = {
	.name = "posix_spawn-keep-highest",
	.what = "posix_spawn with dup2 of the highest to 3, closefrom(4), dup2 back, close(3)",
	.begin = begin_highest,
	.run = run_highest,
	.end = end_highest,
};

static const struct bench_variant *const variants[] = {
	&variant_posix_spawn, &spawn_closefrom, &fork_close_range, &ramet_keep, &ramet_highest,
	&ramet_refused,	      &spawn_highest,	&variant_floor,	   NULL,
};

static const struct bench_pair pairs[] = {
	{"posix_spawn+closefrom", "ramet-spawn-keep"},
	{"posix_spawn-keep-highest", "ramet-keep-highest"},
	{"posix_spawn-keep-highest", "ramet-keep-refused"},
	{"posix_spawn+closefrom", "ramet-keep-highest"},
	{"fork+exec+close_range", "ramet-spawn-keep"},
	{"posix_spawn", "ramet-spawn-keep"},
	{"posix_spawn", "floor"},
	{NULL, NULL},
};

const struct bench_workload workload_fds = {
	.name = "fds",
	.what = "Time to start a program and wait for its end, against the descriptors that its "
		"maker has open, none marked O_CLOEXEC; posix_spawn alone and floor let all through.",
	.axis = "open descriptors",
	.option = "--fds",
	.unit = BENCH_COUNT,
	.points = {10, 1000, 10000, BENCH_POINTS_END},
	.wanted = 5000,
	.set_up = set_up,
	.variants = variants,
	.pairs = pairs,
};
