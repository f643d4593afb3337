/* SPDX-License-Identifier: MIT */
/* The smallest program with a thread: for its size, see tests/build/rt.sh. */
#include <ramet/thread.h>

static void *body(void *arg)
{
	return arg;
}

int main(int argc, char **argv, char **envp)
{
	struct ramet_thread *thread;
	void *result;

	(void)argv, (void)envp;
	if (ramet_thread_create(NULL, body, &argc, &thread) || ramet_thread_join(thread, &result))
		return 1;
	return result != &argc;
}
