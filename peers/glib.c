/* SPDX-License-Identifier: MIT */
/*
 * GLib's g_spawn_async, the base of GSubprocess. By default it closes descriptors in the child,
 * and forks for that; told to leave them open it may use posix_spawn.
 */
#include "worker.h"

#include <errno.h>
#include <glib.h>
#include <stdlib.h>
#include <sys/wait.h>

static GPid *pids;

static void start(int i, GSpawnFlags flags)
{
	/* The file, then its arguments from the 0th on. */
	char *argv[] = {(char *)program, program_argv[0], NULL};
	GError *error = NULL;

	if (!pids)
		pids = g_new0(GPid, task_count);
	flags |= G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_FILE_AND_ARGV_ZERO |
		 G_SPAWN_CHILD_INHERITS_STDIN;
	if (!g_spawn_async(NULL, argv, program_env, flags, NULL, NULL, &pids[i], &error))
		die(error->message, 0);
}

static void start_closing(int i)
{
	start(i, G_SPAWN_DEFAULT);
}

static void start_leaving(int i)
{
	start(i, G_SPAWN_LEAVE_DESCRIPTORS_OPEN);
}

static void finish(int i)
{
	int status;

	if (waitpid(pids[i], &status, 0) != pids[i])
		die("waitpid", errno);
	g_spawn_close_pid(pids[i]);
	check_status(status);
}

const struct way ways[] = {
	{.name = "default", .closes = true, .start = start_closing, .finish = finish},
	{.name = "leave-open", .start = start_leaving, .finish = finish},
	{.name = NULL},
};
