/* SPDX-License-Identifier: MIT */
/*
 * How long the caller is held: until the function that launches returns. Its end is awaited
 * after that, off the clock. When fork returns nobody knows whether the program will run; ramet and
 * posix_spawn have told by then if it does not.
 */
#include "bench/scenes.h"

static long started; /* PID of the program that settle() waits for */
static struct ramet_task task;
static struct ramet_launching *begun;

static long keep(long pid)
{
	started = pid;
	return pid;
}

static long run_fork_exec(struct bench_scene *scene)
{
	return keep(start_fork_exec(scene));
}

static long run_vfork_exec(struct bench_scene *scene)
{
	return keep(start_vfork_exec(scene));
}

static long run_posix_spawn(struct bench_scene *scene)
{
	return keep(start_posix_spawn(scene));
}

static long run_floor(struct bench_scene *scene)
{
	return keep(start_floor(scene));
}

static long run_ramet(struct bench_scene *scene)
{
	return start_ramet(scene, NULL, RAMET_WAY_ANY, &task);
}

static long run_ramet_futex(struct bench_scene *scene)
{
	return start_ramet(scene, NULL, RAMET_WAY_FUTEX, &task);
}

static long run_ramet_async(struct bench_scene *scene)
{
	struct ramet_error error;
	const int r = ramet_launch_begin(&RAMET_SPEC(.program = scene->program, .argv = scene_argv,
						     .envp = scene_envp, .options = RAMET_NO_PIDFD),
					 &begun, &error);

	return r < 0 ? scene_fail_launch(scene, r, &error) : 0;
}

static long settle_ramet_async(struct bench_scene *scene)
{
	struct ramet_error error;
	const int r = ramet_launch_end(begun, -1, &task, &error);

	return r < 0 ? scene_fail_launch(scene, r, &error) : scene_reap_task(scene, &task);
}

static long settle(struct bench_scene *scene)
{
	return scene_reap(scene, (pid_t)started);
}

static long settle_ramet(struct bench_scene *scene)
{
	return scene_reap_task(scene, &task);
}

static const struct bench_variant fork_exec = {
	.name = "fork+exec",
	.what = "until fork returns: whether exec succeeds is not known",
	.run = run_fork_exec,
	.settle = settle,
};

static const struct bench_variant vfork_exec = {
	.name = "vfork+exec",
	.what = "until vfork returns, held by the kernel until execve",
	.run = run_vfork_exec,
	.settle = settle,
};

static const struct bench_variant spawn = {
	.name = "posix_spawn",
	.what = "until posix_spawn without attributes and file actions returns",
	.run = run_posix_spawn,
	.settle = settle,
};

static const struct bench_variant least = {
	.name = "floor",
	.what = "until floor.c's clone3 returns, held by the kernel until execve",
	.run = run_floor,
	.settle = settle,
};

static const struct bench_variant ramet = {
	.name = "ramet-spawn",
	.what = "until ramet_launch without a pidfd returns, held by the kernel until execve",
	.run = run_ramet,
	.settle = settle_ramet,
};

static const struct bench_variant ramet_futex = {
	.name = "ramet-futex",
	.what = "until ramet_launch by way futex returns: no VFORK, it waits on a word",
	.run = run_ramet_futex,
	.settle = settle_ramet,
};

static const struct bench_variant ramet_async = {
	.name = "ramet-async",
	.what = "until ramet_launch_begin without a pidfd returns; ramet_launch_end tells the rest",
	.run = run_ramet_async,
	.settle = settle_ramet_async,
};

static const struct bench_variant *const variants[] = {
	&fork_exec, &vfork_exec, &spawn, &least, &ramet, &ramet_futex, &ramet_async, NULL,
};

static const struct bench_pair pairs[] = {
	{"posix_spawn", "ramet-async"}, {"fork+exec", "ramet-async"},
	{"ramet-spawn", "ramet-async"}, {"posix_spawn", "ramet-spawn"},
	{"fork+exec", "ramet-spawn"},	{"ramet-futex", "ramet-spawn"},
	{"ramet-spawn", "floor"},	{NULL, NULL},
};

const struct bench_workload workload_blocked = {
	.name = "blocked",
	.what = "How long the caller is held by starting a program, until it may go on, against "
		"the heap that it has touched.",
	.axis = "touched heap",
	.option = "--heap",
	.unit = BENCH_BYTES,
	.points = {2ULL << 20, 1ULL << 30, BENCH_POINTS_END},
	.takes_memory = true,
	.wanted = 5000,
	.set_up = heap_set_up,
	.tear_down = heap_tear_down,
	.variants = variants,
	.pairs = pairs,
};
