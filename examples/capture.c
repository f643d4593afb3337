/* SPDX-License-Identifier: MIT */
/* Programs run to their end: input from memory, output to memory, a deadline. */
#include <ramet/companions.h>
#include <ramet/ramet.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static int sort_lines(const char *text, struct ramet_captured *ret, struct ramet_error *error)
{
	return ramet_capture(&RAMET_SPEC(.program = "sort", .options = RAMET_SEARCH_PATH),
			     &RAMET_CAPTURE_OPTIONS(.input = RAMET_INPUT_MEMORY, .input_data = text,
						    .input_size = strlen(text)),
			     ret, error);
}

/* Stopped after 100 ms with all that it has started. */
static int run_too_long(struct ramet_captured *ret, struct ramet_error *error)
{
	const char *argv[] = {"sh", "-c", "echo begun; sleep 60 & wait", NULL};

	return ramet_capture(&RAMET_SPEC(.program = "/bin/sh", .argv = (char **)argv),
			     &RAMET_CAPTURE_OPTIONS(.timeout_ms = 100, .flags = RAMET_CAPTURE_TREE),
			     ret, error);
}

static int complain(const struct ramet_error *error)
{
	char why[256];

	ramet_error_format(error, why, sizeof(why));
	fprintf(stderr, "%s\n", why);
	return 1;
}

int main(void)
{
	struct ramet_captured got;
	struct ramet_error error;

	if (sort_lines("pear\napple\n", &got, &error) < 0)
		return complain(&error);
	printf("sort exits with %d and prints %zu bytes:\n%s", got.status.code, got.output_size,
	       got.output);
	ramet_captured_free(&got);

	if (run_too_long(&got, &error) < 0)
		return complain(&error);
	printf("timed out: %s, ended by %s, after it printed %s", got.timed_out ? "yes" : "no",
	       got.status.exited ? "itself" : ramet_signal_name(got.status.code), got.output);
	ramet_captured_free(&got);
	return 0;
}
