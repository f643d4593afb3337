/* SPDX-License-Identifier: MIT */
/* A function as a task: it runs in its own copy of memory, its result is the exit status. */
#include <ramet/ramet.h>
#include <stdio.h>

static int add(void *arg)
{
	const int *numbers = arg;

	return numbers[0] + numbers[1];
}

int main(void)
{
	int numbers[] = {20, 22};
	struct ramet_task task;
	struct ramet_status status;
	struct ramet_error error;
	char why[256];
	int r;

	r = ramet_launch(&RAMET_SPEC(.fn = add, .arg = numbers), &task, &error);
	if (r < 0) {
		ramet_error_format(&error, why, sizeof(why));
		fprintf(stderr, "cannot start the function: %s\n", why);
		return 1;
	}
	r = ramet_wait(&task, -1, &status);
	ramet_task_close(&task);
	if (r < 0 || !status.exited)
		return 1;
	printf("20 + 22 = %d, by a task with memory of its own\n", status.code);
	return 0;
}
