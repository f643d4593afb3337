/* SPDX-License-Identifier: MIT */
#ifndef RAMET_CLI_RESULT_H
#define RAMET_CLI_RESULT_H

#include <ramet/ramet.h>

#include "cli/cli.h"

/* What ramet run --json tells; what there is none of is NULL. */
struct result {
	char *const *words;
	const struct ramet_task *task;
	const struct ramet_status *status;
	const struct ramet_error *error;
	int64_t wall_us;
};

/* A file, or a descriptor by its number; opened before the program starts, closed by exec. */
FILE *result_open(const char *where);

/* Write and close. 0 or -errno. */
int result_write(FILE *stream, const struct result *result);

#endif
