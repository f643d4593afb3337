/* SPDX-License-Identifier: MIT */
/*
 * A static program that may make a thread, and ends at once if it has no argument: of libramet-rt,
 * or with BENCH_HOSTED of the C library.
 */
#ifdef BENCH_HOSTED
#include <pthread.h>
#define THREAD pthread_t
#define CREATE(thread, fn) pthread_create(thread, NULL, fn, NULL)
#define JOIN(thread) pthread_join(thread, NULL)
#else
#include <ramet/thread.h>
#define THREAD struct ramet_thread *
#define CREATE(thread, fn) ramet_thread_create(NULL, fn, NULL, thread)
#define JOIN(thread) ramet_thread_join(thread, NULL)
#endif

static void *nothing(void *arg)
{
	return arg;
}

int main(int argc, char **argv, char **envp)
{
	THREAD thread;

	(void)argv, (void)envp;
	if (argc < 2)
		return 0;
	return CREATE(&thread, nothing) || JOIN(thread);
}
