/* SPDX-License-Identifier: MIT */
/* One buffer, written by the child: with memory copied, and with memory shared. */
#include <ramet/ramet.h>
#include <stdio.h>

/* No C library here: with memory shared, its locks and caches would be the caller's. */
static int write_buffer(void *arg)
{
	const char text[] = "written by the child";
	char *buffer = arg;

	for (unsigned i = 0; i < sizeof(text); i++)
		((volatile char *)buffer)[i] = text[i];
	return 0;
}

static int try_preset(enum ramet_preset preset, const char *what)
{
	char buffer[64] = "written by the caller";
	struct ramet_task task;
	struct ramet_error error;
	char why[256];
	int r;

	r = ramet_launch(&RAMET_SPEC(.preset = preset, .fn = write_buffer, .arg = buffer), &task,
			 &error);
	if (r < 0) {
		ramet_error_format(&error, why, sizeof(why));
		fprintf(stderr, "%s: %s\n", ramet_preset_name(preset), why);
		return r;
	}
	r = ramet_wait(&task, -1, NULL);
	ramet_task_close(&task);
	if (r == 0)
		printf("%s, memory %s: the caller reads '%s'\n", ramet_preset_name(preset), what,
		       buffer);
	return r;
}

int main(void)
{
	/* vfork holds the caller until the child ends, so nobody reads a half-written buffer. */
	return try_preset(RAMET_PRESET_FORK, "copied") < 0 ||
	       try_preset(RAMET_PRESET_VFORK, "shared") < 0;
}
