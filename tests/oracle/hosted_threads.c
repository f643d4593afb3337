/* SPDX-License-Identifier: MIT */
/*
 * Threads of libramet's beside the C library's: what each knows of the other's, what a thread is
 * given, how it can end, what fork, exec and exit make of it, and what limits do. What a thread has
 * of its own is in hosted_parts.c, what the rest of thread.h means in threads_posix.c.
 */
#include <errno.h>
#include <grp.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ramet/ramet.h>
#include <ramet/thread.h>

#include "oracle/hosted.h"
#include "tap.h"

#define MS 1000000LL

static struct ramet_sem go;
static uint32_t key;
static unsigned destroyed;
static _Thread_local int mine = 42;
/* Takes its part of each thread's memory, which is not to be at the cost of its stack. */
static _Thread_local volatile char large[30000];

static struct ramet_thread *begin(const struct ramet_thread_attr *attr, void *(*fn)(void *),
				  void *arg)
{
	struct ramet_thread *thread = NULL;
	const int r = ramet_thread_create(attr, fn, arg, &thread);

	if (r < 0) {
		diag("no thread: %d", r);
		_exit(99);
	}
	return thread;
}

static intptr_t end(struct ramet_thread *thread)
{
	void *result;
	const int r = ramet_thread_join(thread, &result);

	return r ? r : (intptr_t)result;
}

/* A sanitizer keeps books on threads and stacks of its own. */
static bool sanitized(void)
{
	const char *said = getenv("SANITIZED");

	return said && !strcmp(said, "yes");
}

static long status_number(const char *line)
{
	char text[256];
	FILE *f = fopen("/proc/self/status", "re");
	long n = -1;

	while (f && fgets(text, sizeof(text), f))
		if (!strncmp(text, line, strlen(line)))
			n = atol(text + strlen(line));
	if (f)
		fclose(f);
	return n;
}

static void *wait_for_go(void *arg)
{
	ramet_sem_wait(&go);
	return arg;
}

static void *nothing(void *arg)
{
	return arg;
}

static void destroy(void *value)
{
	(void)value;
	__atomic_fetch_add(&destroyed, 1, __ATOMIC_RELAXED);
}

/* ---- What it is given, and how it is reached ---- */

static void *see_mask(void *arg)
{
	sigset_t set;

	pthread_sigmask(SIG_SETMASK, NULL, &set);
	memcpy(arg, &set, sizeof(uint64_t));
	return NULL;
}

static void *see_variables(void *arg)
{
	void *const memory = malloc(100000);
	const bool good = mine == 42 && memory && errno == 0;

	free(memory);
	mine = (int)(intptr_t)arg;
	return good ? arg : NULL;
}

static void test_attributes(void)
{
	const uint64_t usr1 = 1ULL << (SIGUSR1 - 1), term = 1ULL << (SIGTERM - 1);
	const unsigned long one[16] = {1};
	unsigned long cpus[16] = {0};
	struct ramet_thread *thread;
	sigset_t set, old;
	uint64_t mask = 0;
	char name[16];
	int tid;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, &old);
	end(begin(NULL, see_mask, &mask));
	is_int(mask, usr1, "a thread has its creator's mask");
	end(begin(&RAMET_THREAD_ATTR(.options = RAMET_THREAD_MASK, .mask = term), see_mask, &mask));
	is_int(mask, term, "or the one it is given");
	see_mask(&mask);
	is_int(mask, usr1, "the creator has its own again");
	pthread_sigmask(SIG_SETMASK, &old, NULL);

	mine = 1;
	is_int(end(begin(NULL, see_variables, (void *)5)), 5, "variables of its own, and malloc");
	is_int(mine, 1, "the creator's are as before");

	thread = begin(&RAMET_THREAD_ATTR(.name = "a-name-too-long-for-it", .cpus = one,
					  .cpus_size = sizeof(one)),
		       wait_for_go, NULL);
	tid = ramet_thread_tid(thread);
	ok(tid > 0 && tid != getpid() && !syscall(SYS_tgkill, getpid(), tid, 0), "its number");
	is_int(ramet_thread_get_name(thread, name), 0, "its name");
	is_str(name, "a-name-too-long", "cut to what the kernel keeps");
	is_int(ramet_thread_set_name(thread, "b"), 0, "another");
	ramet_thread_get_name(thread, name);
	is_str(name, "b", "is told");
	is_int(ramet_thread_set_name(thread, "0123456789abcdef"), -ERANGE, "too long");
	ok(ramet_thread_get_affinity(thread, cpus, sizeof(cpus)) >= 8 && cpus[0] == 1,
	   "its processors");
	ramet_sem_post(&go);
	end(thread);

	is_int(ramet_thread_set_name(ramet_thread_self(), "main-one"), 0, "one's own name");
	ramet_thread_get_name(ramet_thread_self(), name);
	is_str(name, "main-one", "is told");
	is_int(ramet_thread_tid(ramet_thread_self()), gettid(), "one's own number");
	is_int(ramet_thread_stack(ramet_thread_self(), NULL, NULL, NULL), -ENOTSUP,
	       "the main thread's stack");
}

static pthread_key_t late_key;

static void be_late(void *value)
{
	ramet_sem_post(value);
	ramet_sem_wait(&go);
}

static void *end_late(void *arg)
{
	pthread_setspecific(late_key, arg);
	return arg;
}

/* Its body is over, and its number may soon be another's; but it is not to be joined yet. */
static void test_ending(void)
{
	struct ramet_sem late = RAMET_SEM_INIT(0);
	struct ramet_thread *thread;

	pthread_key_create(&late_key, be_late);
	thread = begin(NULL, end_late, &late);
	ramet_sem_wait(&late);
	is_int(ramet_thread_tid(thread), -ESRCH, "in the C library's destructors it has ended");
	is_int(ramet_thread_try_join(thread, NULL), -EBUSY, "and runs still");
	ramet_sem_post(&go);
	is_int(end(thread), (intptr_t)&late, "it is joined after them");
	pthread_key_delete(late_key);
}

static void *end_for_the_kernel(void *arg)
{
	if (arg)
		*(int *)arg = gettid();
	syscall(SYS_exit, 0);
	return NULL;
}

static void test_ended(void)
{
	struct ramet_thread *thread = begin(NULL, wait_for_go, (void *)3);
	struct pollfd fd = {.fd = ramet_thread_pidfd(thread), .events = POLLIN};
	int tid = 0;

	if (fd.fd < 0) {
		is_int(fd.fd, -EINVAL, "before Linux 6.9 no pidfd of a thread");
	} else {
		is_int(poll(&fd, 1, 0), 0, "a pidfd of one that runs is not readable");
		ramet_sem_post(&go);
		is_int(poll(&fd, 1, 5000), 1, "it is when that has ended");
		close(fd.fd);
		ramet_sem_post(&go);
	}
	for (int i = 0; i < 5000 && ramet_thread_tid(thread) != -ESRCH; i++)
		usleep(1000);
	is_int(ramet_thread_tid(thread), -ESRCH, "one that has ended has no number");
	is_int(ramet_thread_kill(thread, SIGKILL), -ESRCH, "and gets no signal");
	is_int(ramet_thread_pidfd(thread), -ESRCH, "nor can it be opened");
	is_int(end(thread), 3, "it can be joined");
	ramet_sem_init(&go, 0);

	if (sanitized()) {
		skip(2, "a sanitizer counts threads at their end");
		return;
	}
	thread = begin(NULL, end_for_the_kernel, &tid);
	for (int i = 0; i < 5000 && ramet_thread_tid(thread) != -ESRCH; i++)
		usleep(1000);
	is_int(ramet_thread_tid(thread), -ESRCH, "one that told nobody of its end has ended");
	is_int(end(thread), -EOWNERDEAD, "one that ended by a raw call has no result");
}

/* ---- The C library's side ---- */

static void note_cleanup(void *arg)
{
	*(int *)arg = 1;
}

static void *wait_to_be_cancelled(void *arg)
{
	if (ramet_key_set(key, &mine))
		return NULL;
	pthread_cleanup_push(note_cleanup, arg);
	__atomic_store_n((int *)arg, 2, __ATOMIC_RELEASE);
	for (;;)
		pause();
	pthread_cleanup_pop(0);
	return NULL;
}

static pthread_t cancelled;

static void *remember_and_wait(void *arg)
{
	cancelled = pthread_self();
	return wait_to_be_cancelled(arg);
}

static void *exit_by_library(void *arg)
{
	pthread_exit(arg);
}

static void test_ends(void)
{
	struct ramet_thread *thread;
	unsigned before = destroyed;
	int state = 0;
	void *result;

	thread = begin(NULL, remember_and_wait, &state);
	while (__atomic_load_n(&state, __ATOMIC_ACQUIRE) != 2)
		usleep(1000);
	pthread_cancel(cancelled);
	is_int(ramet_thread_join(thread, &result), 0, "a cancelled thread is joined");
	ok(result == PTHREAD_CANCELED, "and says so");
	is_int(state, 1, "its cleanup was run");
	is_int(destroyed, before + 1, "its values were destroyed");
	is_int(end(begin(NULL, exit_by_library, (void *)8)), 8, "pthread_exit has a result");
}

static struct ramet_mutex recursive = RAMET_MUTEX_RECURSIVE_INIT;

/* In a thread that the C library made: it is a thread like any other. */
static void *be_foreign(void *arg)
{
	struct ramet_thread *const self = ramet_thread_self();
	struct ramet_thread *inner;
	size_t size = 0;

	if (self != ramet_thread_self() || ramet_thread_tid(self) != gettid())
		return (void *)2;
	if (ramet_mutex_lock(&recursive) || ramet_mutex_lock(&recursive) ||
	    ramet_mutex_unlock(&recursive) || ramet_mutex_unlock(&recursive) ||
	    ramet_mutex_unlock(&recursive) != -EPERM)
		return (void *)3;
	if (ramet_key_get(key) || ramet_key_set(key, &size))
		return (void *)4;
	if (ramet_thread_stack(self, NULL, &size, NULL) || size < 16384)
		return (void *)5;
	if (ramet_thread_create(NULL, nothing, (void *)9, &inner) || end(inner) != 9)
		return (void *)6;
	*(struct ramet_thread **)arg = self;
	ramet_sem_wait(&go);
	return (void *)1;
}

static void test_foreign(void)
{
	struct ramet_thread *foreign = NULL;
	unsigned before = destroyed;
	pthread_t thread;
	void *result = NULL;

	pthread_create(&thread, NULL, be_foreign, &foreign);
	for (int i = 0; i < 5000 && !__atomic_load_n(&foreign, __ATOMIC_ACQUIRE); i++)
		usleep(1000);
	if (!ok(foreign, "a thread of the C library's uses ramet")) {
		pthread_join(thread, &result);
		diag("%d", (int)(intptr_t)result);
		return;
	}
	is_int(ramet_thread_try_join(foreign, NULL), -EBUSY, "by its name others reach it");
	ok(ramet_thread_tid(foreign) > 0 && !ramet_thread_kill(foreign, 0), "by its number too");
	ramet_sem_post(&go);
	is_int(ramet_thread_join(foreign, &result), 0, "ramet joins it");
	ok(result == (void *)1, "with its result");
	is_int(destroyed, before + 1, "its values under keys were destroyed");
}

/* ---- Stacks ---- */

static volatile char sink;

static __attribute__((noinline)) void *use_stack(void *arg)
{
	const size_t n = (size_t)arg;
	volatile char *bytes = __builtin_alloca(n);

	for (size_t i = n; i; i--)
		bytes[i - 1] = (char)i;
	large[n % sizeof(large)] = 1;
	sink = bytes[n / 2];
	return arg;
}

/* By far: the C library may give a larger one that it had. */
static int overflow(void)
{
	end(begin(&RAMET_THREAD_ATTR(.stack_size = 65536), use_stack, (void *)(1 << 20)));
	return 1;
}

/* A thread above the guard of another is not reached. */
static void *watched;

static void on_fault(int sig, siginfo_t *info, void *context)
{
	const char *at = info->si_addr;

	(void)sig, (void)context;
	_exit(at >= (char *)watched - 4096 * 4 && at < (char *)watched ? 3 : 4);
}

static void *fault_in_guard(void *arg)
{
	static char alternative[65536];
	const struct sigaction action = {.sa_sigaction = on_fault,
					 .sa_flags = SA_SIGINFO | SA_ONSTACK};
	size_t size, guard;

	sigaltstack(&(stack_t){.ss_sp = alternative, .ss_size = sizeof(alternative)}, NULL);
	sigaction(SIGSEGV, &action, NULL);
	if (ramet_thread_stack(ramet_thread_self(), &watched, &size, &guard) || guard != 16384)
		_exit(5);
	return use_stack(
		(void *)((char *)__builtin_frame_address(0) - (char *)watched + (intptr_t)arg));
}

static int overflow_in_guard(void)
{
	end(begin(&RAMET_THREAD_ATTR(.guard_size = 10000 + 4096), fault_in_guard, (void *)4096));
	return 1;
}

static void test_stacks(void)
{
	const size_t sizes[] = {16384, 65536, 262144, 4 << 20};

	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		is_int(end(begin(&RAMET_THREAD_ATTR(.stack_size = sizes[i]), use_stack,
				 (void *)(sizes[i] - 1024))),
		       (intptr_t)sizes[i] - 1024, "%zu bytes of stack are usable", sizes[i]);
	if (sanitized())
		skip(1, "a sanitizer handles SIGSEGV");
	else
		is_int(in_process(overflow), -SIGSEGV, "a stack that overflows ends the process");
	is_int(in_process(overflow_in_guard), 3, "the fault is in the guard");
	is_int(end(begin(&RAMET_THREAD_ATTR(.options = RAMET_THREAD_NO_GUARD), use_stack,
			 (void *)1000)),
	       1000, "without a guard");
}

/* ---- fork, exec, exit ---- */

static struct ramet_thread *of_parent;

static void *find(void *handle)
{
	return ramet_thread_kill(handle, 0) ? NULL : handle;
}

/* Of a thread that ramet did not make, before it makes any here. */
static bool is_found_by_another(struct ramet_thread *self)
{
	void *found = NULL;
	pthread_t other;

	return pthread_create(&other, NULL, find, self) == 0 && pthread_join(other, &found) == 0 &&
	       found == self;
}

static int use_ramet_in_child(void)
{
	struct ramet_thread *const self = ramet_thread_self(), *thread;
	struct ramet_mutex mutex = RAMET_MUTEX_ERRORCHECK_INIT;
	struct ramet_pool pool;
	struct ramet_job job = {.fn = nothing, .arg = &mutex};

	if (ramet_thread_tid(self) != getpid())
		return 2;
	if (!is_found_by_another(self))
		return 8;
	if (ramet_thread_tid(of_parent) != -ESRCH || ramet_thread_join(of_parent, NULL) != -ESRCH ||
	    ramet_thread_kill(of_parent, 0) != -ESRCH || ramet_thread_detach(of_parent) != -ESRCH)
		return 3;
	if (ramet_mutex_lock(&mutex) || ramet_mutex_unlock(&mutex))
		return 4;
	if (ramet_thread_create(NULL, nothing, &mutex, &thread) || end(thread) != (intptr_t)&mutex)
		return 5;
	if (ramet_pool_init(&pool, NULL) || ramet_pool_submit(&pool, &job) ||
	    ramet_job_wait(&job, NULL) || ramet_pool_end(&pool))
		return 6;
	return ramet_key_get(key) == &go ? 1 : 7;
}

static void *fork_and_use(void *arg)
{
	(void)arg;
	if (ramet_key_set(key, &go))
		return NULL;
	return (void *)(intptr_t)in_process(use_ramet_in_child);
}

static void *fork_and_return(void *arg)
{
	const pid_t pid = fork();
	int status = -1;

	(void)arg;
	if (!pid)
		return NULL; /* the only thread: its end is the process's */
	waitpid(pid, &status, 0);
	return (void *)(intptr_t)status;
}

static void *print_late(void *arg)
{
	usleep(30000);
	if (write(*(int *)arg, "x", 1) != 1)
		_exit(9);
	return NULL;
}

static int pipe_of_test[2];

static int leave_main(void)
{
	begin(&RAMET_THREAD_ATTR(.options = RAMET_THREAD_DETACHED), print_late, &pipe_of_test[1]);
	ramet_thread_exit(NULL);
}

static struct ramet_thread *main_thread;

static void *join_main(void *arg)
{
	void *result = NULL;
	const int r = ramet_thread_join(main_thread, &result);

	(void)arg;
	_exit(r ? 2 : (int)(intptr_t)result);
}

static int be_joined(void)
{
	main_thread = ramet_thread_self();
	begin(&RAMET_THREAD_ATTR(.options = RAMET_THREAD_DETACHED), join_main, NULL);
	ramet_thread_exit((void *)66);
}

static void *exit_group(void *arg)
{
	_exit((int)(intptr_t)arg);
}

static int exit_from_thread(void)
{
	return (int)end(begin(NULL, exit_group, (void *)77));
}

static void *exec_shell(void *arg)
{
	char text[64];

	snprintf(text, sizeof(text), "test $$ = %d && exit 55", getpid());
	execl("/bin/sh", "sh", "-c", text, NULL);
	return arg;
}

static int exec_from_thread(void)
{
	/* Its own descriptors and directory, which exec takes along. */
	begin(NULL, wait_for_go, NULL);
	begin(&RAMET_THREAD_ATTR(.flags = RAMET_THREAD_NPTL & ~0x600ULL), exec_shell, NULL);
	pause();
	return 1;
}

static void test_process(void)
{
	char byte;

	of_parent = begin(NULL, wait_for_go, NULL);
	is_int(end(begin(NULL, fork_and_use, NULL)), 1, "a thread forks, the child uses ramet");
	is_int(in_process(use_ramet_in_child), 7, "the main thread forks: its values differ");
	ramet_sem_post(&go);
	end(of_parent);
	if (sanitized())
		skip(1, "what nobody is left to join is a leak to a sanitizer");
	else
		is_int(end(begin(NULL, fork_and_return, NULL)), 0,
		       "the forked thread's end is its process's");
	if (pipe(pipe_of_test))
		return (void)ok(false, "pipe");
	is_int(in_process(leave_main), 0, "the main thread ends, the process goes on");
	is_int(read(pipe_of_test[0], &byte, 1), 1, "until its last thread has");
	close(pipe_of_test[0]);
	close(pipe_of_test[1]);
	is_int(in_process(be_joined), 66, "the main thread is joined");
	is_int(in_process(exit_from_thread), 77, "a thread ends the process");
	is_int(in_process(exec_from_thread), 55, "a thread's program takes the process's place");
}

/* ---- Limits ---- */

static int at_nproc(void)
{
	struct rlimit limit = {.rlim_cur = 1, .rlim_max = 1};
	struct ramet_thread *none = NULL;
	struct ramet_error error = {0};

	if (setgroups(0, NULL) || setgid(65534) || setuid(65534) || setrlimit(RLIMIT_NPROC, &limit))
		return 2;
	for (int i = 0; i < 100; i++)
		if (ramet_thread_create(&RAMET_THREAD_ATTR(.error = &error), nothing, NULL,
					&none) != -EAGAIN)
			return 3;
	if (none || !error.rule || strcmp(error.rule, "process-limit") != 0)
		return 4;
	return status_number("Threads:") == 1 ? 1 : 5;
}

static int without_memory(void)
{
	struct rlimit limit = {.rlim_cur = 1 << 28, .rlim_max = 1 << 28};
	struct ramet_thread *thread = NULL;
	long before;
	int r;

	if (end(begin(NULL, nothing, NULL)) || setrlimit(RLIMIT_AS, &limit))
		return 2;
	before = status_number("VmSize:");
	for (int i = 0; i < 100; i++) {
		r = ramet_thread_create(&RAMET_THREAD_ATTR(.stack_size = 1ULL << 32), nothing, NULL,
					&thread);
		if (r != -EAGAIN && r != -ENOMEM)
			return 3;
	}
	r = ramet_thread_create(&RAMET_THREAD_ATTR(.stack_size = SIZE_MAX - 5), nothing, NULL,
				&thread);
	if (r != -ENOMEM || thread)
		return 4;
	if (status_number("VmSize:") > before + 200)
		return 5;
	return end(begin(NULL, nothing, (void *)1)) == 1 ? 1 : 6;
}

static unsigned ended;

static void *count_end(void *arg)
{
	__atomic_fetch_add(&ended, 1, __ATOMIC_RELAXED);
	return arg;
}

static void *detach_itself(void *arg)
{
	ramet_thread_detach(ramet_thread_self());
	return count_end(arg);
}

static void test_many(void)
{
	enum { MOST = 10000 };
	const unsigned many = getenv("RAMET_LONG") ? MOST : tap_scaled(1000);
	static struct ramet_thread *threads[MOST];
	const struct ramet_thread_attr detached =
		RAMET_THREAD_ATTR(.options = RAMET_THREAD_DETACHED, .name = "brief",
				  .steps = RAMET_STEPS(RAMET_TIMER_SLACK(1000)));
	const struct ramet_thread_attr small = RAMET_THREAD_ATTR(.stack_size = 8192);
	size_t records;
	unsigned made = 0, good = 0;
	long size = 0;
	int r = 0;

	while (made < many && !(r = ramet_thread_create(&small, wait_for_go,
							(void *)(uintptr_t)made, &threads[made])))
		made++;
	is_int(made, many, "many are alive at a time (%d)", r);
	for (unsigned i = 0; i < made; i++)
		ramet_sem_post(&go);
	for (unsigned i = 0; i < made; i++)
		good += end(threads[i]) == (intptr_t)i;
	is_int(good, made, "and come to their results");
	/* The C library keeps stacks by now, and what belongs to them. */
	records = mallinfo2().uordblks;
	for (int i = 0; i < 1000; i++)
		end(begin(NULL, nothing, NULL));
	ok(mallinfo2().uordblks < records + 1000 * 100, "nothing is left of those joined");

	for (unsigned i = 0; i < 3000; i++) {
		struct ramet_thread *thread;

		if (i % 3 == 0)
			r = ramet_thread_create(&detached, count_end, NULL, NULL);
		else if (i % 3 == 1)
			r = ramet_thread_create(NULL, detach_itself, NULL, &thread);
		else if (!(r = ramet_thread_create(NULL, count_end, NULL, &thread)))
			r = ramet_thread_detach(thread);
		if (r)
			break;
		while (__atomic_load_n(&ended, __ATOMIC_RELAXED) + 50 < i)
			usleep(500);
		if (i == 1000)
			size = status_number("VmData:");
	}
	for (int i = 0; i < 5000 && __atomic_load_n(&ended, __ATOMIC_RELAXED) < 3000; i++)
		usleep(1000);
	is_int(ended, 3000, "thousands of detached ones have run (%d)", r);
	/* Without what an allocator reserves; the C library keeps 40 MiB of stacks. */
	ok(status_number("VmData:") < size + 300 * 250, "their memory does not add up");
	for (int i = 0; i < 1000 && status_number("Threads:") > 1; i++)
		usleep(1000);
	is_int(status_number("Threads:"), 1, "none is left");
	ok(mallinfo2().uordblks < records + 3000 * 60, "nor what was known of them");
}

int main(void)
{
	if (ramet_key_create(destroy, &key))
		return 99;
	test_attributes();
	test_ending();
	test_ended();
	test_ends();
	test_foreign();
	test_stacks();
	test_process();
	if (geteuid() == 0)
		is_int(in_process(at_nproc), 1, "at RLIMIT_NPROC: -EAGAIN, and why");
	else
		skip(1, "another user needs root");
	if (sanitized())
		skip(1, "a sanitizer wants more memory than that");
	else
		is_int(in_process(without_memory), 1, "no memory: nothing is left of the attempt");
	test_many();
	return tap_done();
}
