/* SPDX-License-Identifier: MIT */
/*
 * Programs started and waited for, beside a heap that has been touched: the C library's ways, the
 * floor, ramet's, and for comparison threads and the copying of the heap itself. What is loaded
 * with attributes is in loaded.c. Starting without waiting is for the scenes that part the two.
 */
#include "bench/scenes.h"

#include <errno.h>
#include <spawn.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/floor.h"
#include "bench/loaded.h"

/* ---- Starting ------------------------------------------------------------------------------ */

long start_fork_exec(struct bench_scene *scene)
{
	const pid_t pid = fork();

	if (pid == 0) {
		execve(scene->program, scene_argv, scene_envp);
		_exit(127);
	}
	return pid < 0 ? scene_fail(scene, errno, "fork: %s", strerror(errno)) : pid;
}

long start_vfork_exec(struct bench_scene *scene)
{
	const pid_t pid = vfork();

	if (pid == 0) {
		execve(scene->program, scene_argv, scene_envp);
		_exit(127);
	}
	return pid < 0 ? scene_fail(scene, errno, "vfork: %s", strerror(errno)) : pid;
}

long start_posix_spawn(struct bench_scene *scene)
{
	pid_t pid;
	const int r = posix_spawn(&pid, scene->program, NULL, NULL, scene_argv, scene_envp);

	return r ? scene_fail(scene, r, "posix_spawn: %s", strerror(r)) : pid;
}

long start_floor(struct bench_scene *scene)
{
	const long r = floor_start(scene->program, scene_argv, scene_envp);

	return r < 0 ? scene_fail(scene, (int)-r, "clone3: %s", strerror((int)-r)) : r;
}

long start_ramet(struct bench_scene *scene, const struct ramet_step *steps, enum ramet_way way,
		 struct ramet_task *ret)
{
	struct ramet_error error;
	const int r = ramet_launch(&RAMET_SPEC(.program = scene->program, .argv = scene_argv,
					       .envp = scene_envp, .steps = steps, .way = way,
					       .options = RAMET_NO_PIDFD),
				   ret, &error);

	return r < 0 ? scene_fail_launch(scene, r, &error) : ret->tid;
}

/* ---- One launch ---------------------------------------------------------------------------- */

static long reap_if_started(struct bench_scene *scene, long pid)
{
	return pid < 0 ? pid : scene_reap(scene, (pid_t)pid);
}

static long run_fork_exit(struct bench_scene *scene)
{
	const pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	if (pid < 0)
		return scene_fail(scene, errno, "fork: %s", strerror(errno));
	return scene_reap(scene, pid);
}

static long run_fork_exec(struct bench_scene *scene)
{
	return reap_if_started(scene, start_fork_exec(scene));
}

static long run_vfork_exec(struct bench_scene *scene)
{
	return reap_if_started(scene, start_vfork_exec(scene));
}

static long run_posix_spawn(struct bench_scene *scene)
{
	return reap_if_started(scene, start_posix_spawn(scene));
}

static long run_floor(struct bench_scene *scene)
{
	return reap_if_started(scene, start_floor(scene));
}

static long run_ramet(struct bench_scene *scene)
{
	struct ramet_task task;
	const long r = start_ramet(scene, NULL, RAMET_WAY_ANY, &task);

	return r < 0 ? r : scene_reap_task(scene, &task);
}

/* In a user namespace of its own, our id as root's there. */
static long run_ramet_userns(struct bench_scene *scene)
{
	struct ramet_task task;
	struct ramet_error error;
	const int r = ramet_launch(&RAMET_SPEC(.program = scene->program, .argv = scene_argv,
					       .envp = scene_envp, .options = RAMET_NO_PIDFD,
					       .fresh = RAMET_USER,
					       .steps = RAMET_STEPS(RAMET_ID_MAP(NULL, NULL))),
				   &task, &error);

	return r < 0 ? scene_fail_launch(scene, r, &error) : scene_reap_task(scene, &task);
}

static long run_ramet_pidfd(struct bench_scene *scene)
{
	struct ramet_task task;
	struct ramet_error error;
	const int r = ramet_launch(
		&RAMET_SPEC(.program = scene->program, .argv = scene_argv, .envp = scene_envp),
		&task, &error);

	return r < 0 ? scene_fail_launch(scene, r, &error) : scene_reap_task(scene, &task);
}

/*
 * Half of the heap to the other half and back. A fork before us has left every page to be copied
 * at the next write; that is not what this shall tell, so it is done before the clock runs. And
 * a fork after us would have to protect all of them again, which takes it more than twice as
 * long as after another fork: one off the clock does that, so that forks do not depend on their
 * turn and are told at their best.
 */
static long run_memcpy(struct bench_scene *scene)
{
	const size_t half = scene->heap_size / 2;
	struct timespec start, end;

	heap_touch(scene);
	clock_gettime(CLOCK_MONOTONIC, &start);
	memcpy(scene->heap + half, scene->heap, half);
	memcpy(scene->heap, scene->heap + half, half);
	clock_gettime(CLOCK_MONOTONIC, &end);
	return (end.tv_sec - start.tv_sec) * 1000000000L + end.tv_nsec - start.tv_nsec;
}

#define WHAT_FORK_EXEC "fork, execve in the child, waitpid"
#define WHAT_RAMET "ramet_launch without a pidfd, ramet_wait"

const struct bench_variant variant_fork_exec = {
	.name = "fork+exec",
	.what = WHAT_FORK_EXEC,
	.run = run_fork_exec,
};

const struct bench_variant variant_posix_spawn = {
	.name = "posix_spawn",
	.what = "posix_spawn without attributes and file actions, waitpid",
	.run = run_posix_spawn,
};

const struct bench_variant variant_ramet_spawn = {
	.name = "ramet-spawn",
	.what = WHAT_RAMET,
	.run = run_ramet,
};

const struct bench_variant variant_floor = {
	.name = "floor",
	.what = "clone3 (VM, VFORK, CLEAR_SIGHAND), execve in the child, wait4: floor.c",
	.run = run_floor,
};

/* The same, where there is a heap. */
static const struct bench_variant fork_exec = {
	.name = "fork+exec",
	.what = WHAT_FORK_EXEC,
	.run = run_fork_exec,
	.takes_huge = true,
};

static const struct bench_variant ramet_spawn = {
	.name = "ramet-spawn",
	.what = WHAT_RAMET,
	.run = run_ramet,
	.takes_huge = true,
};

static const struct bench_variant ramet_userns = {
	.name = "ramet-userns",
	.what = "ramet_launch without a pidfd, ramet_wait: new user namespace with id maps",
	.run = run_ramet_userns,
};

static const struct bench_variant fork_exit = {
	.name = "fork+exit",
	.what = "fork, _exit in the child, waitpid: no program",
	.run = run_fork_exit,
	.takes_huge = true,
};

static const struct bench_variant vfork_exec = {
	.name = "vfork+exec",
	.what = "vfork, execve in the child, waitpid",
	.run = run_vfork_exec,
};

static const struct bench_variant ramet_spawn_pidfd = {
	.name = "ramet-spawn-pidfd",
	.what = "ramet_launch as it is by default, with a pidfd, ramet_wait, ramet_task_close",
	.run = run_ramet_pidfd,
};

static const struct bench_variant copying = {
	.name = "memcpy",
	.what = "as many bytes copied as the heap has: one half to the other and back",
	.run = run_memcpy,
	.settle = run_fork_exit,
	.self_timed = true,
};

static const struct bench_variant *const variants[] = {
	&fork_exit,
	&fork_exec,
	&vfork_exec,
	&variant_posix_spawn,
	&variant_floor,
	&ramet_spawn,
	&ramet_spawn_pidfd,
	&ramet_userns,
	&variant_ramet_loaded,
	&variant_fork_exec_loaded,
	&variant_pthread,
	&variant_raw_thread,
	&variant_linuxthreads,
	&copying,
	NULL,
};

static const struct bench_pair pairs[] = {
	{"fork+exec", "ramet-spawn"},
	{"vfork+exec", "ramet-spawn"},
	{"posix_spawn", "ramet-spawn"},
	{"posix_spawn", "floor"},
	{"ramet-spawn", "floor"},
	{"ramet-spawn-pidfd", "floor"},
	{"fork+exec-loaded", "ramet-loaded"},
	{"fork+exit", "pthread"},
	{"pthread", "raw-thread"},
	{"memcpy", "fork+exit"},
	{"fork+exec huge", "ramet-spawn huge"},
	{NULL, NULL},
};

const struct bench_workload workload_launch = {
	.name = "launch",
	.what = "Time to start a program or a thread and wait for its end, against the heap that "
		"its maker has touched.",
	.axis = "touched heap",
	.option = "--heap",
	.unit = BENCH_BYTES,
	.points = {2ULL << 20, 16ULL << 20, 128ULL << 20, 1ULL << 30, 8ULL << 30, BENCH_POINTS_END},
	.takes_memory = true,
	.wanted = 10000,
	.set_up = heap_set_up,
	.tear_down = heap_tear_down,
	.variants = variants,
	.pairs = pairs,
};
