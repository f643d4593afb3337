/* SPDX-License-Identifier: MIT */
/* libuv's uv_spawn; its loop runs until every task has been waited for. */
#include "worker.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <uv.h>

static uv_process_t *processes;
static int running;

static void closed(uv_handle_t *handle)
{
	(void)handle;
	running--;
}

static void ended(uv_process_t *process, int64_t status, int signal)
{
	check_status((int)(status << 8) | signal);
	uv_close((uv_handle_t *)process, closed);
}

static void start(int i)
{
	uv_stdio_container_t stdio[] = {
		{.flags = UV_INHERIT_FD, .data.fd = 0},
		{.flags = UV_INHERIT_FD, .data.fd = 1},
		{.flags = UV_INHERIT_FD, .data.fd = 2},
	};
	const uv_process_options_t options = {
		.exit_cb = ended,
		.file = program,
		.args = program_argv,
		.env = program_env,
		.stdio_count = 3,
		.stdio = stdio,
	};
	int r;

	if (!processes)
		processes = calloc((size_t)task_count, sizeof(*processes));
	if (!processes)
		die("memory", ENOMEM);
	r = uv_spawn(uv_default_loop(), &processes[i], &options);
	if (r < 0)
		die(program, -r);
	running++;
}

static void finish(int i)
{
	(void)i;
	while (running > 0)
		uv_run(uv_default_loop(), UV_RUN_ONCE);
}

const struct way ways[] = {
	{.name = "uv_spawn", .start = start, .finish = finish},
	{.name = NULL},
};
