/* SPDX-License-Identifier: MIT */
/* Programs started one after the other, and only then waited for: they run beside each other. */
#include "bench/scenes.h"

#include <errno.h>
#include <stdlib.h>

struct burst {
	pid_t *pids;
	struct ramet_task *tasks;
	struct ramet_launching **begun;
};

static long set_up(struct bench_scene *scene)
{
	struct burst *burst = calloc(1, sizeof(*burst));

	if (!scene->x) {
		free(burst);
		return scene_fail(scene, EINVAL, "one program or more");
	}
	if (burst) {
		burst->pids = calloc(scene->x, sizeof(*burst->pids));
		burst->tasks = calloc(scene->x, sizeof(*burst->tasks));
		burst->begun = calloc(scene->x, sizeof(*burst->begun));
	}
	scene->data = burst;
	return burst && burst->pids && burst->tasks && burst->begun
		       ? 0
		       : scene_fail(scene, ENOMEM, "no memory");
}

static void tear_down(struct bench_scene *scene)
{
	struct burst *burst = scene->data;

	free(burst->pids);
	free(burst->tasks);
	free(burst->begun);
	free(burst);
}

/* Those that were started are waited for, also where one could not be. */
static long run_processes(struct bench_scene *scene, long (*start)(struct bench_scene *scene))
{
	const struct burst *burst = scene->data;
	size_t count = 0;
	long r = 0;

	while (count < scene->x && r >= 0) {
		r = start(scene);
		if (r >= 0)
			burst->pids[count++] = (pid_t)r;
	}
	for (size_t i = 0; i < count; i++) {
		const long end = scene_reap(scene, burst->pids[i]);

		r = r < 0 ? r : end;
	}
	return r;
}

static long run_fork_exec(struct bench_scene *scene)
{
	return run_processes(scene, start_fork_exec);
}

static long run_posix_spawn(struct bench_scene *scene)
{
	return run_processes(scene, start_posix_spawn);
}

static long run_floor(struct bench_scene *scene)
{
	return run_processes(scene, start_floor);
}

static long run_ramet(struct bench_scene *scene)
{
	const struct burst *burst = scene->data;
	size_t count = 0;
	long r = 0;

	while (count < scene->x && r >= 0) {
		r = start_ramet(scene, NULL, RAMET_WAY_ANY, &burst->tasks[count]);
		count += r >= 0;
	}
	for (size_t i = 0; i < count; i++) {
		const long end = scene_reap_task(scene, &burst->tasks[i]);

		r = r < 0 ? r : end;
	}
	return r;
}

/* All are under way before the first is asked about. */
static long run_ramet_async(struct bench_scene *scene)
{
	const struct burst *burst = scene->data;
	struct ramet_error error;
	size_t count = 0;
	long r = 0;

	while (count < scene->x && r >= 0) {
		r = ramet_launch_begin(&RAMET_SPEC(.program = scene->program, .argv = scene_argv,
						   .envp = scene_envp, .options = RAMET_NO_PIDFD),
				       &burst->begun[count], &error);
		if (r < 0)
			scene_fail_launch(scene, r, &error);
		count += r >= 0;
	}
	for (size_t i = 0; i < count; i++) {
		long end = ramet_launch_end(burst->begun[i], -1, &burst->tasks[i], &error);

		end = end < 0 ? scene_fail_launch(scene, end, &error)
			      : scene_reap_task(scene, &burst->tasks[i]);
		r = r < 0 ? r : end;
	}
	return r;
}

static const struct bench_variant fork_exec = {
	.name = "fork+exec",
	.what = "fork and execve, x times; then waitpid for each",
	.run = run_fork_exec,
};

static const struct bench_variant spawn = {
	.name = "posix_spawn",
	.what = "posix_spawn without attributes and file actions, x times; then waitpid for each",
	.run = run_posix_spawn,
};

static const struct bench_variant ramet = {
	.name = "ramet-spawn",
	.what = "ramet_launch without a pidfd, x times; then ramet_wait for each",
	.run = run_ramet,
};

static const struct bench_variant least = {
	.name = "floor",
	.what = "floor.c's clone3 and execve, x times; then wait4 for each",
	.run = run_floor,
};

static const struct bench_variant ramet_async = {
	.name = "ramet-async",
	.what = "ramet_launch_begin without a pidfd, x times; then ramet_launch_end and ramet_wait "
		"for each",
	.run = run_ramet_async,
};

static const struct bench_variant *const variants[] = {&fork_exec, &spawn,	 &ramet,
						       &least,	   &ramet_async, NULL};

static const struct bench_pair pairs[] = {
	{"posix_spawn", "ramet-async"}, {"posix_spawn", "ramet-spawn"},
	{"fork+exec", "ramet-spawn"},	{"ramet-spawn", "floor"},
	{"ramet-spawn", "ramet-async"}, {NULL, NULL},
};

const struct bench_workload workload_burst = {
	.name = "burst",
	.what = "Time a program, where many are started one after the other and then waited for.",
	.axis = "programs in a burst",
	.option = "--burst",
	.unit = BENCH_COUNT,
	.points = {1, 64, BENCH_POINTS_END},
	.tasks = true,
	.wanted = 5000,
	.set_up = set_up,
	.tear_down = tear_down,
	.variants = variants,
	.pairs = pairs,
};
