/* SPDX-License-Identifier: MIT */
/* For tests of functions as bodies: one from its launch to its end, and a clock. */
#ifndef RAMET_TESTS_ORACLE_BODY_H
#define RAMET_TESTS_ORACLE_BODY_H

#include "lib/cell.h"

#include <ramet/ramet.h>

static inline int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Launch, wait, and the status; -1000 - errno where there is none. */
static inline int run(const struct ramet_spec *spec, struct ramet_error *error)
{
	struct ramet_status status;
	struct ramet_task task;
	int r = ramet_launch(spec, &task, error);

	if (r < 0)
		return -1000 + r;
	r = ramet_wait(&task, 30000, &status);
	if (r == -ETIMEDOUT && ramet_kill(&task, SIGKILL) == 0 && ramet_wait(&task, -1, NULL) == 0)
		r = -ETIMEDOUT;
	ramet_task_close(&task);
	return r < 0 ? -2000 + r : status.exited ? status.code : 1000 + status.code;
}

#endif
