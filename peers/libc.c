/* SPDX-License-Identifier: MIT */
/* The C library's own ways: posix_spawn, fork and exec, pthread_create. With glibc and musl. */
#include "worker.h"

#include <errno.h>
#include <pthread.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define FIRST_TO_CLOSE 3

static pid_t *pids;
static pthread_t *threads;

/* One array of them, made by the first operation. */
static void *room(void *array, size_t size)
{
	if (!array)
		array = calloc((size_t)task_count, size);
	if (!array)
		die("memory", ENOMEM);
	return array;
}

static void wait_for(int i)
{
	int status;

	if (waitpid(pids[i], &status, 0) != pids[i])
		die("waitpid", errno);
	check_status(status);
}

static void spawn(int i, const posix_spawn_file_actions_t *actions)
{
	int r;

	pids = room(pids, sizeof(*pids));
	r = posix_spawn(&pids[i], program, actions, NULL, program_argv, program_env);
	if (r != 0)
		die(program, r);
}

static void spawn_start(int i)
{
	spawn(i, NULL);
}

/* musl has no such action: there the descriptors are marked. */
#ifdef __GLIBC__
static void spawn_close_start(int i)
{
	posix_spawn_file_actions_t actions;

	posix_spawn_file_actions_init(&actions);
	if (posix_spawn_file_actions_addclosefrom_np(&actions, FIRST_TO_CLOSE) != 0)
		die("posix_spawn_file_actions_addclosefrom_np", errno);
	spawn(i, &actions);
	posix_spawn_file_actions_destroy(&actions);
}
#endif

static void fork_start(int i)
{
	pids = room(pids, sizeof(*pids));
	pids[i] = fork();
	if (pids[i] < 0)
		die("fork", errno);
	if (pids[i] == 0) {
		execve(program, program_argv, program_env);
		_exit(127);
	}
}

static void *nothing(void *arg)
{
	return arg;
}

static void thread_start(int i)
{
	int r;

	threads = room(threads, sizeof(*threads));
	r = pthread_create(&threads[i], NULL, nothing, NULL);
	if (r != 0)
		die("pthread_create", r);
}

static void thread_finish(int i)
{
	int r = pthread_join(threads[i], NULL);

	if (r != 0)
		die("pthread_join", r);
}

const struct way ways[] = {
	{.name = "posix_spawn", .start = spawn_start, .finish = wait_for},
#ifdef __GLIBC__
	{.name = "closefrom", .closes = true, .start = spawn_close_start, .finish = wait_for},
#endif
	{.name = "fork", .start = fork_start, .finish = wait_for},
	{.name = "thread", .thread = true, .start = thread_start, .finish = thread_finish},
	{.name = NULL},
};
