/* SPDX-License-Identifier: MIT */
/* Create, join, detach, end; variables of storage class _Thread_local; what a thread is given. */
#include "tap.h"

#define COUNT 100

static _Thread_local volatile int set = 42;
static _Thread_local volatile int zero[100];
static _Thread_local volatile char page[32] __attribute__((aligned(4096))) = "page";
static _Thread_local volatile long line __attribute__((aligned(64))) = 64;

static struct ramet_sem go;
static uint32_t good;

static void *double_it(void *arg)
{
	return (void *)((uintptr_t)arg * 2);
}

static void *sleep_until_go(void *arg)
{
	ramet_sem_wait(&go);
	return arg;
}

static uintptr_t canary(void)
{
#if defined(__x86_64__)
	uintptr_t word;

	__asm__ volatile("movq %%fs:0x28, %0" : "=r"(word));
	return word;
#else
	return 1;
#endif
}

/* Fresh, its own, aligned, and still so when all others have written theirs. */
static void *use_variables(void *arg)
{
	const int number = (int)(uintptr_t)arg;
	bool fine = set == 42 && line == 64 && page[3] == 'e' && !page[4] &&
		    !(address(page) % 4096) && !(address(&line) % 64);

	for (int i = 0; i < 100; i++)
		fine &= !zero[i];
	set = number;
	line = number;
	page[0] = (char)number;
	for (int i = 0; i < 100; i++)
		zero[i] = number;
	ramet_sem_wait(&go);
	fine &= set == number && line == number && page[0] == (char)number;
	for (int i = 0; i < 100; i++)
		fine &= zero[i] == number;
	if (fine && canary())
		__atomic_fetch_add(&good, 1, __ATOMIC_RELAXED);
	return (void *)canary();
}

static void test_variables(void)
{
	struct ramet_thread *threads[COUNT];
	void *first = NULL, *result;
	bool same = true;

	set = 1;
	for (int round = 0; round < 2; round++) {
		good = 0;
		for (uintptr_t i = 0; i < COUNT; i++)
			if (ramet_thread_create(NULL, use_variables, (void *)(i + 1000),
						threads + i))
				return (void)ok(false, "100 threads");
		for (int i = 0; i < COUNT; i++)
			ramet_sem_post(&go);
		for (int i = 0; i < COUNT; i++) {
			ramet_thread_join(threads[i], &result);
			same &= !first || first == result;
			first = result;
		}
		is(good, COUNT,
		   round ? "the same in memory that was used before"
			 : "100 threads have their own variables, fresh");
	}
	ok(same && first == (void *)canary(), "all have the process's canary");
	is(set, 1, "and left the main thread's alone");
}

static void test_join(void)
{
	struct ramet_thread *thread;
	void *result = NULL;
	int64_t before;

	is(ramet_thread_create(NULL, double_it, (void *)21, &thread), 0, "create");
	is(ramet_thread_join(thread, &result), 0, "join");
	is((int64_t)(uintptr_t)result, 42, "with its result");

	thread = start(NULL, sleep_until_go, (void *)7);
	is(ramet_thread_try_join(thread, &result), -EBUSY, "try while it runs");
	before = now();
	is(ramet_thread_join_until(thread, RAMET_CLOCK_MONOTONIC, before + 20 * MS, &result),
	   -ETIMEDOUT, "join with a deadline");
	ok(now() >= before + 20 * MS, "which was waited for");
	is(ramet_thread_join_until(thread, RAMET_CLOCK_REALTIME,
				   ramet_clock_now(RAMET_CLOCK_REALTIME) + 20 * MS, NULL),
	   -ETIMEDOUT, "by the other clock too");
	is(ramet_thread_join_until(thread, RAMET_CLOCK_MONOTONIC, -5, NULL), -ETIMEDOUT,
	   "a deadline before all time");
	is((int64_t)(uintptr_t)result, 42, "a result is not written on failure");
	ramet_sem_post(&go);
	is(ramet_thread_join_until(thread, RAMET_CLOCK_MONOTONIC, now() + 5000 * MS, &result), 0,
	   "in time");
	is((int64_t)(uintptr_t)result, 7, "its result");

	thread = start(NULL, double_it, (void *)4);
	while (ramet_thread_try_join(thread, &result) == -EBUSY)
		ramet_thread_yield();
	is((int64_t)(uintptr_t)result, 8, "try until it has ended");
	is(ramet_thread_join(ramet_thread_self(), NULL), -EDEADLK, "oneself");
}

static struct ramet_thread *joined;

/* Whoever tries while another looks whether it is being joined is told that it is. */
static void *join_it(void *arg)
{
	const int64_t limit = now() + 20000 * MS;
	int r;

	(void)arg;
	while ((r = ramet_thread_join(joined, NULL)) == -EINVAL && now() < limit)
		sleep_ns(MS);
	return (void *)(intptr_t)r;
}

static void test_join_twice(void)
{
	const int64_t limit = now() + 10000 * MS;
	struct ramet_thread *joiner;
	void *result = NULL;
	int r;

	joined = start(NULL, sleep_until_go, NULL);
	joiner = start(NULL, join_it, NULL);
	do {
		sleep_ns(20 * MS);
		r = ramet_thread_join_until(joined, RAMET_CLOCK_MONOTONIC, 0, NULL);
	} while (r == -ETIMEDOUT && now() < limit);
	is(r, -EINVAL, "who is being joined is not joined again");
	is(ramet_thread_detach(joined), -EINVAL, "nor detached");
	ramet_sem_post(&go);
	ramet_thread_join(joiner, &result);
	is((int64_t)(intptr_t)result, 0, "the first who joins has it");
}

static uint32_t ended;

static void *end_inside(void *arg)
{
	__atomic_fetch_add(&ended, 1, __ATOMIC_RELAXED);
	ramet_thread_exit(arg);
}

static void *detach_itself(void *arg)
{
	if (!ramet_thread_detach(ramet_thread_self()))
		__atomic_fetch_add(&ended, 1, __ATOMIC_RELAXED);
	return arg;
}

static void await_ended(uint32_t count)
{
	const int64_t limit = now() + 10000 * MS;

	while (__atomic_load_n(&ended, __ATOMIC_RELAXED) < count && now() < limit)
		ramet_thread_yield();
}

static void test_detach(void)
{
	struct ramet_thread *thread;
	const int many = env("RAMET_LONG") ? 200000 : 5000;
	long size = 0;
	int r = 0;

	thread = start(&RAMET_THREAD_ATTR(.options = RAMET_THREAD_DETACHED), sleep_until_go, NULL);
	is(ramet_thread_join(thread, NULL), -EINVAL, "a detached one is not joined");
	is(ramet_thread_try_join(thread, NULL), -EINVAL, "nor tried");
	is(ramet_thread_detach(thread), -EINVAL, "nor detached again");
	ramet_sem_post(&go);

	for (int i = 0; i < many && !r; i++) {
		if (i % 3 == 0) {
			r = ramet_thread_create(
				&RAMET_THREAD_ATTR(.options = RAMET_THREAD_DETACHED), end_inside,
				NULL, NULL);
		} else if (i % 3 == 1) {
			r = ramet_thread_create(NULL, end_inside, NULL, &thread);
			r = r ? r : ramet_thread_detach(thread);
		} else {
			r = ramet_thread_create(NULL, detach_itself, NULL, &thread);
		}
		/* Now and then let them pile up: more than is kept must go. */
		if (i % 200 == 199)
			await_ended((uint32_t)i + 1);
		if (i == many / 2)
			size = status_number("VmSize:");
	}
	is(r, 0, "thousands of detached threads");
	await_ended((uint32_t)many);
	is(ended, many, "all have run");
	is(threads_left(), 1, "none is left");
	ok(status_number("VmSize:") < size + 65 * 300, "their memory does not add up");
}

/* ---- What a thread is given ---- */

static void *read_mask(void *arg)
{
	sys_sigprocmask(0, NULL, arg);
	return NULL;
}

static void *tell_tid(void *arg)
{
	(void)arg;
	return (void *)(uintptr_t)(sys_gettid() == ramet_thread_tid(ramet_thread_self()));
}

static void test_attributes(void)
{
	const uint64_t some = 1ULL << (SIGUSR1_ - 1);
	const unsigned long first_cpu[16] = {1}, no_cpu[16] = {0};
	struct ramet_thread *thread;
	unsigned long cpus[16] = {0};
	uint64_t mask = 0, old;
	size_t size, guard;
	char name[16];
	void *lowest, *result;

	sys_sigprocmask(2, &some, &old);
	thread = start(NULL, read_mask, &mask);
	ramet_thread_join(thread, NULL);
	is((int64_t)mask, (int64_t)some, "a thread has its creator's mask");
	thread = start(&RAMET_THREAD_ATTR(.options = RAMET_THREAD_MASK, .mask = 4), read_mask,
		       &mask);
	ramet_thread_join(thread, NULL);
	is((int64_t)mask, 4, "or the one it is given");
	sys_sigprocmask(2, &old, &mask);
	is((int64_t)mask, (int64_t)some, "the creator's own is as before");

	thread = start(NULL, tell_tid, NULL);
	ramet_thread_join(thread, &result);
	ok(result, "a thread knows its tid");

	is(ramet_thread_create(&RAMET_THREAD_ATTR(.name = "a-name", .cpus = first_cpu,
						  .cpus_size = sizeof(first_cpu),
						  .stack_size = 100000, .guard_size = 5000),
			       sleep_until_go, NULL, &thread),
	   0, "name, processors, stack, guard");
	is(ramet_thread_get_name(thread, name), 0, "its name");
	ok(name[0] == 'a' && name[5] == 'e' && !name[6], "is the one given");
	is(ramet_thread_set_name(thread, "another"), 0, "another name");
	ramet_thread_get_name(thread, name);
	ok(name[2] == 'o' && !name[7], "is there");
	is(ramet_thread_set_name(thread, "sixteen-letters-"), -ERANGE, "too long a name");
	ok(ramet_thread_get_affinity(thread, cpus, sizeof(cpus)) >= 8, "its processors");
	is((int64_t)cpus[0], 1, "are those given");
	is(ramet_thread_stack(thread, &lowest, &size, &guard), 0, "its stack");
	ok(size >= 100000 && size < 120000 && !((uintptr_t)lowest % 4096), "is as large as asked");
	ok(guard >= 5000 && !(guard % 4096), "and its guard");
	is(ramet_thread_kill(thread, 0), 0, "it can be sent a signal");
	ramet_sem_post(&go);
	ramet_thread_join(thread, NULL);
	is(ramet_thread_create(&RAMET_THREAD_ATTR(.cpus = no_cpu, .cpus_size = sizeof(no_cpu)),
			       double_it, NULL, &thread),
	   -EINVAL, "no processor at all is told");
	is(ramet_thread_create(&RAMET_THREAD_ATTR(.name = "d", .options = RAMET_THREAD_DETACHED),
			       double_it, NULL, NULL),
	   0, "a name and detached");
	is(ramet_thread_set_name(ramet_thread_self(), "main-one"), 0, "the main thread's name");
	ramet_thread_get_name(ramet_thread_self(), name);
	ok(name[5] == 'o', "is read back");
}

static void test_refused(void)
{
	struct ramet_thread *thread = NULL;

	is(ramet_thread_create(&RAMET_THREAD_ATTR(.flags = 0x3d0e00), double_it, NULL, &thread),
	   -EINVAL, "no shared memory, no thread");
	is(ramet_thread_create(&RAMET_THREAD_ATTR(.flags = 0x10100), double_it, NULL, &thread),
	   -EINVAL, "a thread group without shared handlers: the kernel's rule");
	is(ramet_thread_create(&RAMET_THREAD_ATTR(.exit_signal = 10), double_it, NULL, &thread),
	   -EINVAL, "an exit signal in a thread group");
	is(ramet_thread_create(&RAMET_THREAD_ATTR(.stack_size = 1ULL << 45), double_it, NULL,
			       &thread),
	   -ENOMEM, "a stack of 32 TiB");
	is(ramet_thread_create(&RAMET_THREAD_ATTR(.stack_size = 0ULL - 4096), double_it, NULL,
			       &thread),
	   -ENOMEM, "one that wraps round");
	is(ramet_thread_create(NULL, double_it, NULL, NULL), -EINVAL, "nowhere to put the handle");
	is(ramet_thread_create(&(struct ramet_thread_attr){.size = 3}, double_it, NULL, &thread),
	   -EINVAL, "another version's attributes");
	ok(!thread, "nothing was written");
}

static void *end_process(void *arg)
{
	(void)arg;
	sleep_ns(20 * MS);
	sys_exit_group(33);
}

static int main_ends_first(void)
{
	struct ramet_thread *thread;

	if (ramet_thread_create(NULL, end_process, NULL, &thread))
		return 1;
	ramet_thread_exit(NULL);
}

static struct ramet_thread *main_thread;

static void *join_main(void *arg)
{
	void *result = NULL;
	int r = ramet_thread_join(main_thread, &result);

	(void)arg;
	sys_exit_group(r ? 1 : (int)(uintptr_t)result);
}

static int main_is_joined(void)
{
	struct ramet_thread *thread;

	main_thread = ramet_thread_self();
	if (ramet_thread_create(NULL, join_main, NULL, &thread))
		return 1;
	ramet_thread_exit((void *)44);
}

static int exit_group_ends_all(void)
{
	struct ramet_thread *thread;

	for (int i = 0; i < 50; i++)
		if (ramet_thread_create(NULL, sleep_until_go, NULL, &thread))
			return 1;
	ramet_exit(34);
}

/* No more tasks for this user: the kernel's answer reaches the caller, and nothing is left. */
static int no_more_tasks(void)
{
	const struct {
		uint64_t now, most;
	} limit = {1, 1};
	struct ramet_thread *thread;
	long size;
	int r;

	if (sys3(SYS_setresuid, 54321, 54321, 54321) < 0 && !sys0(SYS_getuid))
		return 77;
	sys2(SYS_setrlimit, 6 /* RLIMIT_NPROC */, (long)&limit);
	r = ramet_thread_create(NULL, double_it, NULL, &thread);
	size = status_number("VmSize:");
	for (int i = 0; i < 100 && r == -EAGAIN; i++)
		r = ramet_thread_create(NULL, double_it, NULL, &thread);
	return r == -EAGAIN && status_number("VmSize:") == size ? 0 : 1;
}

static int no_more_memory(void)
{
	const uint64_t bytes = ((uint64_t)status_number("VmSize:") << 10) + (8 << 20);
	const struct {
		uint64_t now, most;
	} limit = {bytes, bytes};
	struct ramet_thread *thread;
	int r = 0, count = 0;

	sys2(SYS_setrlimit, 9 /* RLIMIT_AS */, (long)&limit);
	for (; count < 1000 && !r; count += !r)
		r = ramet_thread_create(NULL, sleep_until_go, NULL, &thread);
	return r == -ENOMEM && count > 10 ? 0 : 1;
}

/* ---- The guard ---- */

__attribute__((noinline)) static int deeper(int depth)
{
	volatile char room[1024];

	room[0] = (char)depth;
	return depth < 1000000 ? deeper(depth + 1) + room[0] : 0;
}

static void *overflow(void *arg)
{
	return (void *)(uintptr_t)deeper((int)(uintptr_t)arg);
}

static int overflow_a_stack(void)
{
	struct ramet_thread *thread;

	if (ramet_thread_create(&RAMET_THREAD_ATTR(.stack_size = 16384), overflow, NULL, &thread))
		return 1;
	ramet_thread_join(thread, NULL);
	return 2;
}

/*
 * Two threads' memory, one below the other: the upper one's overflow, caught on another stack,
 * has left the lower one alone.
 */
#define PATTERN 4096
static char *lower_top;

static void segfault(int sig)
{
	(void)sig;
	for (int i = 0; i < PATTERN; i++)
		if (lower_top[i] != 'n')
			sys_exit_group(3);
	sys_exit_group(9);
}

static void *fill_and_wait(void *arg)
{
	char mine[PATTERN];

	for (size_t i = 0; i < sizeof(mine); i++)
		((volatile char *)mine)[i] = 'n';
	lower_top = mine;
	ramet_sem_post(arg);
	sleep_ns(60000 * MS);
	return NULL;
}

static void *overflow_caught(void *arg)
{
	static char other_stack[65536];
	const struct {
		void *at;
		int flags;
		size_t size;
	} alternative = {other_stack, 0, sizeof(other_stack)};

	sys2(SYS_sigaltstack, (long)&alternative, 0);
	ramet_sem_wait(&go);
	return overflow(arg);
}

static int neighbour(void)
{
	static struct ramet_sem filled;
	struct ramet_thread *upper, *lower;
	void *upper_end, *lower_end;
	size_t guard, size;

	handle(SIGSEGV_, SA_ONSTACK_, segfault);
	/* Nothing is kept of that size; the kernel maps side by side. */
	if (ramet_thread_create(&RAMET_THREAD_ATTR(.stack_size = 24576), overflow_caught, NULL,
				&upper) ||
	    ramet_thread_create(&RAMET_THREAD_ATTR(.stack_size = 24576), fill_and_wait, &filled,
				&lower))
		return 1;
	ramet_sem_wait(&filled);
	ramet_thread_stack(upper, &upper_end, &size, &guard);
	ramet_thread_stack(lower, &lower_end, NULL, NULL);
	/* From the guard of one to the stack of the other there is but block and record. */
	if ((char *)lower_end > (char *)upper_end ||
	    (size_t)((char *)upper_end - (char *)lower_end) > guard + size + 5 * 4096)
		return 4;
	ramet_sem_post(&go);
	sleep_ns(5000 * MS);
	return 5;
}

static void test_ends(void)
{
	is(in_child(main_ends_first), EXITED(33), "the main thread may end first");
	is(in_child(main_is_joined), EXITED(44), "and be joined");
	is(in_child(exit_group_ends_all), EXITED(34), "ramet_exit() ends all");
	is(in_child(no_more_tasks), EXITED(0), "-EAGAIN, and nothing is left of it");
	is(in_child(no_more_memory), EXITED(0), "-ENOMEM");
	is(in_child(overflow_a_stack), KILLED(SIGSEGV_), "too deep a stack is hit by its guard");
	is(in_child(neighbour), EXITED(9), "and the thread below is not touched");
}

int main(int argc, char **argv, char **envp)
{
	(void)argc, (void)argv, (void)envp;
	test_join();
	test_join_twice();
	test_variables();
	test_attributes();
	test_refused();
	test_detach();
	test_ends();
	return tap_done();
}
