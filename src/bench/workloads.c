/* SPDX-License-Identifier: MIT */
/* The table of workloads, and what their variants share: a new one is a row here and a file. */
#include "bench/scenes.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>

const struct bench_workload *const bench_workloads[] = {
	&workload_launch,
	&workload_fds,
	&workload_maps,
	&workload_threads,
	&workload_thread,
	&workload_switch,
	&workload_namespaces,
	&workload_blocked,
	&workload_burst,
	&workload_sync,
	NULL,
};

char *const scene_argv[] = {(char *)"true", NULL};
char *const scene_envp[] = {(char *)"PATH=/usr/bin:/bin", NULL};

const struct bench_workload *bench_workload(const char *name)
{
	for (const struct bench_workload *const *w = bench_workloads; *w; w++)
		if (!strcmp((*w)->name, name))
			return *w;
	return NULL;
}

long scene_fail(struct bench_scene *scene, int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(scene->why, sizeof(scene->why), format, args);
	va_end(args);
	return -error;
}

long scene_fail_launch(struct bench_scene *scene, long error, const struct ramet_error *why)
{
	ramet_error_format(why, scene->why, sizeof(scene->why));
	return error;
}

/* What was asked of it is worth nothing if it went wrong: a failed exec is fast. */
static long judge(struct bench_scene *scene, bool exited, int code)
{
	if (exited && code == 0)
		return 0;
	if (!exited)
		return scene_fail(scene, EIO, "the child was killed by signal %d", code);
	return scene_fail(scene, EIO, "the child ended with status %d%s", code,
			  code == 127 ? ": the program could not be run" : "");
}

long scene_judge(struct bench_scene *scene, int wait_status)
{
	return WIFEXITED(wait_status) ? judge(scene, true, WEXITSTATUS(wait_status))
				      : judge(scene, false, WTERMSIG(wait_status));
}

long scene_reap(struct bench_scene *scene, pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return scene_fail(scene, errno, "waitpid: %s", strerror(errno));
	return scene_judge(scene, status);
}

long scene_reap_task(struct bench_scene *scene, struct ramet_task *task)
{
	struct ramet_status status;
	const int r = ramet_wait(task, -1, &status);

	ramet_task_close(task);
	return r < 0 ? scene_fail(scene, -r, "ramet_wait: %s", strerror(-r))
		     : judge(scene, status.exited, status.code);
}

size_t scene_tasks(const struct bench_scene *scene)
{
	return scene->workload->tasks ? (size_t)scene->x : 1;
}
