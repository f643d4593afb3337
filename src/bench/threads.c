/* SPDX-License-Identifier: MIT */
/* Programs and threads started by a caller that has many threads, all of them asleep. */
#include "bench/scenes.h"

static long set_up(struct bench_scene *scene)
{
	struct park *park = NULL;
	const long r = scene->x ? park_open(scene, (size_t)scene->x, &park) : 0;

	scene->data = park;
	return r;
}

static void tear_down(struct bench_scene *scene)
{
	if (scene->data)
		park_close(scene->data);
	scene->data = NULL;
}

static const struct bench_variant *const variants[] = {
	&variant_fork_exec, &variant_posix_spawn, &variant_ramet_spawn,
	&variant_floor,	    &variant_pthread,	  NULL,
};

static const struct bench_pair pairs[] = {
	{"fork+exec", "ramet-spawn"},
	{"posix_spawn", "ramet-spawn"},
	{"ramet-spawn", "floor"},
	{"ramet-spawn", "pthread"},
	{NULL, NULL},
};

const struct bench_workload workload_threads = {
	.name = "threads",
	.what = "Time to start a program or a thread and wait for its end, against the threads "
		"that sleep in the same process.",
	.axis = "live threads",
	.option = "--threads",
	.unit = BENCH_COUNT,
	.points = {0, 10, 500, BENCH_POINTS_END},
	.wanted = 5000,
	.set_up = set_up,
	.tear_down = tear_down,
	.variants = variants,
	.pairs = pairs,
};
