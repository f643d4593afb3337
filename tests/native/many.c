/* SPDX-License-Identifier: MIT */
/* Ten thousand threads alive at once, on small stacks. */
#include "tap.h"

#define COUNT 10000

static _Thread_local volatile uint32_t mine;
static struct ramet_thread *threads[COUNT];
static struct ramet_sem arrived, go;
static uint32_t good;

static void *live(void *arg)
{
	mine = (uint32_t)(uintptr_t)arg;
	ramet_sem_post(&arrived);
	ramet_sem_wait(&go);
	if (mine == (uint32_t)(uintptr_t)arg)
		__atomic_fetch_add(&good, 1, __ATOMIC_RELAXED);
	return arg;
}

int main(int argc, char **argv, char **envp)
{
	const struct ramet_thread_attr small = {.size = sizeof(small), .stack_size = 8192};
	int made = 0, joined = 0, right = 0, r = 0;

	(void)argc, (void)argv, (void)envp;
	for (; made < COUNT && !r; made += !r)
		r = ramet_thread_create(&small, live, (void *)(uintptr_t)(made + 1),
					threads + made);
	if (made < COUNT && r == -EAGAIN) {
		note("no more than", made);
		put_text("ok 1 # SKIP a limit of tasks\n1..1");
		put_line();
		ramet_exit(0);
	}
	is(made, COUNT, "10 000 threads are made");
	for (int i = 0; i < made; i++)
		ramet_sem_wait(&arrived);
	is(status_number("Threads:"), made + 1, "all are alive");
	for (int i = 0; i < made; i++)
		ramet_sem_post(&go);
	for (int i = 0; i < made; i++) {
		void *result = NULL;

		joined += !ramet_thread_join(threads[i], &result);
		right += result == (void *)(uintptr_t)(i + 1);
	}
	is(joined, made, "all are joined");
	is(right, made, "with their results");
	is(good, made, "and had their own variables throughout");
	is(threads_left(), 1, "none is left");
	ok(status_number("VmSize:") < 65 * 300 + 5000, "nor their memory");
	return tap_done();
}
