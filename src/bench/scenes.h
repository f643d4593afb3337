/* SPDX-License-Identifier: MIT */
/*
 * What the scenes have in common. A stage is a process made for one scene, so that what a variant
 * needs from begin to end is static in its file.
 */
#ifndef RAMET_BENCH_SCENES_H
#define RAMET_BENCH_SCENES_H

#include "bench/bench.h"
#include "ramet/ramet.h"

extern const struct bench_workload workload_launch, workload_fds, workload_maps, workload_threads,
	workload_thread, workload_switch, workload_namespaces, workload_blocked, workload_burst,
	workload_sync;

/* ---- workloads.c --------------------------------------------------------------------------- */

/* Every program is given the same, since each byte of it is copied. */
extern char *const scene_argv[], *const scene_envp[];

/* Fills scene->why; gives -error. */
__attribute__((format(printf, 3, 4))) long scene_fail(struct bench_scene *scene, int error,
						      const char *format, ...);
/* A launch of ramet's that failed with -errno. */
long scene_fail_launch(struct bench_scene *scene, long error, const struct ramet_error *why);
/* 0 if this is the status of a child that did what it should. */
long scene_judge(struct bench_scene *scene, int wait_status);
/* Wait for a child of the C library's and judge it. */
long scene_reap(struct bench_scene *scene, pid_t pid);
/* The same for a task of ramet's, which is closed. */
long scene_reap_task(struct bench_scene *scene, struct ramet_task *task);
/* How many tasks one operation makes. */
size_t scene_tasks(const struct bench_scene *scene);

/* ---- heap.c -------------------------------------------------------------------------------- */

/* set_up and tear_down: x bytes of touched heap, of huge pages if scene->huge. */
long heap_set_up(struct bench_scene *scene);
void heap_tear_down(struct bench_scene *scene);
/* Write to every page of it. */
void heap_touch(struct bench_scene *scene);

/* ---- launch.c ------------------------------------------------------------------------------ */

/* Start scene->program and do not wait for it: its PID. */
long start_fork_exec(struct bench_scene *scene);
long start_vfork_exec(struct bench_scene *scene);
long start_posix_spawn(struct bench_scene *scene);
long start_floor(struct bench_scene *scene);
/* By ramet, without a pidfd. */
long start_ramet(struct bench_scene *scene, const struct ramet_step *steps, enum ramet_way way,
		 struct ramet_task *ret);

/* What scenes without a heap show as well. */
extern const struct bench_variant variant_fork_exec, variant_posix_spawn, variant_ramet_spawn,
	variant_floor;

/* ---- rt.c ---------------------------------------------------------------------------------- */

/*
 * A variant of libramet-rt's: the worker of rt/main.c does the operation of that name. word is for
 * C, label the name of the series.
 */
long rt_begin(struct bench_scene *scene, const char *operation, struct bench_worker **ret);

#define RT_VARIANT(word, label, operation, what_)                                                  \
	static struct bench_worker *worker_##word;                                                 \
	static long begin_##word(struct bench_scene *scene)                                        \
	{                                                                                          \
		return rt_begin(scene, operation, &worker_##word);                                 \
	}                                                                                          \
	static int run_##word(struct bench_scene *scene, unsigned count, double *ret_ns)           \
	{                                                                                          \
		return bench_worker_run(worker_##word, count, ret_ns, scene->why);                 \
	}                                                                                          \
	static void end_##word(struct bench_scene *scene)                                          \
	{                                                                                          \
		(void)scene;                                                                       \
		bench_worker_stop(worker_##word);                                                  \
	}                                                                                          \
	static const struct bench_variant variant_##word = {                                       \
		.name = label,                                                                     \
		.what = what_,                                                                     \
		.begin = begin_##word,                                                             \
		.run_many = run_##word,                                                            \
		.end = end_##word,                                                                 \
		.elsewhere = true,                                                                 \
	}

/* ---- thread.c ------------------------------------------------------------------------------ */

extern const struct bench_variant variant_pthread, variant_raw_thread, variant_linuxthreads;

/* Threads that sleep until they are woken, for a moment or for good. */
struct park;
long park_open(struct bench_scene *scene, size_t count, struct park **ret);
void park_wake_all(struct park *park);
void park_close(struct park *park);

#endif
