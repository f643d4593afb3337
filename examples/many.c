/* SPDX-License-Identifier: MIT */
/* A hundred programs under way at once, and told of as each begins. */
#include <ramet/ramet.h>
#include <stdio.h>

#define COUNT 100

static struct ramet_task tasks[COUNT];
static int begun, failed;

static void told(void *context, size_t index, int result, struct ramet_task *task,
		 const struct ramet_error *error)
{
	(void)context;
	(void)error;
	if (result == 0) {
		tasks[index] = *task;
		begun++;
	} else {
		failed++;
	}
}

int main(void)
{
	static char sh[] = "sh", command[] = "-c";
	struct ramet_launching *list[COUNT] = {NULL};
	int wrong = 0;

	for (int i = 0; i < COUNT; i++) {
		char script[32];

		/* Copied: the next round may write over it. */
		snprintf(script, sizeof(script), "exit %d", i);
		if (ramet_launch_begin(&RAMET_SPEC(.program = i % 10 == 9 ? "/nope" : "/bin/sh",
						   .argv = (char *[]){sh, command, script, NULL}),
				       &list[i], NULL) < 0)
			return 1;
	}
	while (begun + failed < COUNT)
		if (ramet_launch_dispatch(list, COUNT, 10000, told, NULL) <= 0)
			return 1;
	for (int i = 0; i < COUNT; i++) {
		struct ramet_status status;

		if (i % 10 == 9)
			continue;
		wrong += ramet_wait(&tasks[i], -1, &status) < 0 || status.code != i;
		ramet_task_close(&tasks[i]);
	}
	printf("%d began, %d could not, %d ended otherwise than asked\n", begun, failed, wrong);
	return 0;
}
