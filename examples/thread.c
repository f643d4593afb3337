/* SPDX-License-Identifier: MIT */
/* A thread made by hand: the flags of pthread_create(), a function without libc, a join. */
#include <ramet/ramet.h>
#include <stdio.h>
#include <unistd.h>

struct half {
	const int *numbers;
	int count;
	long sum;
};

/*
 * Runs beside the caller, in its memory and with its thread pointer: nothing of the C library may
 * be called from here, which RAMET_NO_LIBC promises below.
 */
static int add_up(void *arg)
{
	struct half *half = arg;

	half->sum = 0;
	for (int i = 0; i < half->count; i++)
		half->sum += half->numbers[i];
	return 0;
}

int main(void)
{
	int numbers[1000];
	struct half low = {numbers, 500, -1}, high = {numbers + 500, 500, -1};
	struct ramet_task thread;
	struct ramet_error error;
	char why[256];

	for (int i = 0; i < 1000; i++)
		numbers[i] = i + 1;
	if (ramet_launch(&RAMET_SPEC(.preset = RAMET_PRESET_NPTL, .fn = add_up, .arg = &low,
				     .options = RAMET_NO_LIBC),
			 &thread, &error) < 0) {
		ramet_error_format(&error, why, sizeof(why));
		fprintf(stderr, "cannot start the thread: %s\n", why);
		return 1;
	}
	add_up(&high);
	/* For a thread the end is all there is to wait for: it has no status of its own. */
	if (ramet_wait(&thread, -1, NULL) < 0)
		return 1;
	printf("a task with another tid: %s\n", thread.tid != getpid() ? "yes" : "no");
	printf("1 + ... + 500 = %ld, by the thread\n", low.sum);
	printf("501 + ... + 1000 = %ld, by the caller meanwhile\n", high.sum);
	ramet_task_close(&thread);
	return 0;
}
