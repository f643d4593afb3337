/* SPDX-License-Identifier: MIT */
/*
 * ramet's own launcher as one worker among the others: what is compared with a peer is a process
 * like the peer's, which has the same scene, is woken in the same way and has as little behind it.
 */
#include "worker.h"

#include <errno.h>
#include <ramet/ramet.h>
#include <stdlib.h>

#define NOBODY 65534

static struct ramet_task *tasks;
static struct ramet_launching **begun;

static struct ramet_task *task_of(int i)
{
	if (!tasks)
		tasks = calloc((size_t)task_count, sizeof(*tasks));
	if (!tasks)
		die("tasks", errno);
	return &tasks[i];
}

static void fail(const struct ramet_error *told)
{
	char text[600];

	ramet_error_format(told, text, sizeof(text));
	die(text, 0);
}

#define SPEC(...)                                                                                  \
	RAMET_SPEC(.program = program, .argv = program_argv, .envp = program_env,                  \
		   .options = RAMET_NO_PIDFD, __VA_ARGS__)

static void start(int i, const struct ramet_spec *spec)
{
	struct ramet_error error = {0};
	const int r = ramet_launch(spec, task_of(i), &error);

	if (r < 0)
		fail(&error);
}

static void start_spawn(int i)
{
	start(i, &SPEC(.steps = NULL));
}

static void start_keep(int i)
{
	start(i, &SPEC(.steps = RAMET_STEPS(RAMET_CLOSE_REST())));
}

static void start_user(int i)
{
	start(i, &SPEC(.steps = RAMET_STEPS(RAMET_GID(NOBODY), RAMET_UID(NOBODY))));
}

static void start_userns(int i)
{
	start(i, &SPEC(.fresh = RAMET_USER, .steps = RAMET_STEPS(RAMET_ID_MAP(NULL, NULL))));
}

static void finish(int i)
{
	struct ramet_status status;
	const int r = ramet_wait(&tasks[i], -1, &status);

	if (r < 0)
		die("ramet_wait", -r);
	ramet_task_close(&tasks[i]);
	check_status(status.exited ? status.code << 8 : status.code);
}

static void start_async(int i)
{
	struct ramet_error error = {0};
	int r;

	if (!begun)
		begun = calloc((size_t)task_count, sizeof(struct ramet_launching *));
	if (!begun)
		die("launches", errno);
	r = ramet_launch_begin(&SPEC(.steps = NULL), &begun[i], &error);
	if (r < 0)
		fail(&error);
}

static void finish_async(int i)
{
	struct ramet_error error = {0};
	const int r = ramet_launch_end(begun[i], -1, task_of(i), &error);

	if (r < 0)
		fail(&error);
	finish(i);
}

const struct way ways[] = {
	{.name = "spawn", .start = start_spawn, .finish = finish},
	{.name = "keep", .closes = true, .start = start_keep, .finish = finish},
	{.name = "user", .start = start_user, .finish = finish},
	{.name = "userns", .start = start_userns, .finish = finish},
	{.name = "async", .start = start_async, .finish = finish_async},
	{.name = NULL},
};
