/* SPDX-License-Identifier: MIT */
/* For tests of functions as bodies: one from its launch to its end. */
#ifndef RAMET_TESTS_ORACLE_BODY_H
#define RAMET_TESTS_ORACLE_BODY_H

#include "lib/cell.h"
#include "lib/clock.h"

#include <ramet/ramet.h>

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
