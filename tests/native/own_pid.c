/* SPDX-License-Identifier: MIT */
/* Threads that are processes of their own: the old model, and flag words between it and NPTL. */
#include "tap.h"

#define FLAG_FILES 0x400
#define FLAG_FS 0x200

static struct ramet_sem go;
static _Thread_local volatile int set = 42;
static int shared, handled;

static const struct ramet_thread_attr old_model = {
	.size = sizeof(old_model),
	.flags = RAMET_THREAD_LINUXTHREADS,
};

static void *tell_pid(void *arg)
{
	(void)arg;
	shared++;
	set++;
	ramet_sem_wait(&go);
	return (void *)(intptr_t)(set == 43 ? sys_getpid() : -1);
}

static void count(int sig)
{
	(void)sig;
	handled++;
}

static long plain_wait(int pid)
{
	return sys_wait4(pid, NULL, WNOHANG, NULL);
}

static void test_old_model(void)
{
	struct ramet_thread *thread = start(&old_model, tell_pid, NULL);
	const int tid = ramet_thread_tid(thread);
	void *pid = NULL;
	char name[16];

	ok(tid > 0 && tid != sys_getpid(), "it has a tid");
	is(status_number("Threads:"), 1, "but is no thread of this process");
	is(plain_wait(tid), -ECHILD, "a plain wait does not see it");
	is(sys_wait4(tid, NULL, WNOHANG | (int)__WCLONE, NULL), 0, "one with __WCLONE does");
	is(ramet_thread_get_name(thread, name), 0, "it has a name in /proc");
	ramet_sem_post(&go);
	is(ramet_thread_join(thread, &pid), 0, "join");
	is((intptr_t)pid, tid, "its tid is its PID");
	is(shared, 1, "memory is shared");
	is(set, 42, "a variable of its own is not");
	is(sys_wait4(tid, NULL, WNOHANG | (int)__WALL, NULL), -ECHILD, "it has been reaped");
}

static void test_exit_signal(void)
{
	struct ramet_thread_attr attr = old_model;
	struct ramet_thread *thread;

	handle(SIGUSR2_, 0, count);
	attr.exit_signal = SIGUSR2_;
	thread = start(&attr, tell_pid, NULL);
	is(plain_wait(ramet_thread_tid(thread)), -ECHILD, "with an exit signal: still __WCLONE");
	ramet_sem_post(&go);
	ramet_thread_join(thread, NULL);
	for (int i = 0; i < 1000 && !handled; i++)
		sleep_ns(MS);
	is(handled, 1, "which is sent at its end");
	attr.exit_signal = SIGCHLD_;
	thread = start(&attr, tell_pid, NULL);
	is(plain_wait(ramet_thread_tid(thread)), 0, "with SIGCHLD a plain wait sees it");
	ramet_sem_post(&go);
	is(ramet_thread_join(thread, NULL), 0, "and it is joined all the same");
}

static void *end_now(void *arg)
{
	__atomic_fetch_add(&shared, 1, __ATOMIC_RELAXED);
	return arg;
}

static void test_many(void)
{
	struct ramet_thread_attr attr = old_model;
	const int many = env("RAMET_LONG") ? 50000 : 2000;
	const int look = WEXITED | WNOHANG | WNOWAIT | (int)__WALL;
	struct ramet_thread *thread;
	long left;
	int64_t limit;
	int r = 0;

	shared = 0;
	for (int i = 0; i < many && !r; i++) {
		attr.options = i % 3 ? 0 : RAMET_THREAD_DETACHED;
		r = ramet_thread_create(&attr, end_now, NULL, &thread);
		if (!r && i % 3 == 1)
			r = ramet_thread_detach(thread);
		else if (!r && i % 3)
			r = ramet_thread_join(thread, NULL);
	}
	is(r, 0, "many, joined and detached");
	limit = now() + 20000 * MS;
	while (__atomic_load_n(&shared, __ATOMIC_RELAXED) < many && now() < limit)
		ramet_thread_yield();
	is(shared, many, "all have run");
	/* One that has run may still be on its way out, and a creation reaps what is a zombie. */
	limit = now() + 10000 * MS;
	do {
		sleep_ns(20 * MS);
		ramet_thread_join(start(NULL, end_now, NULL), NULL);
		left = sys_waitid(P_ALL, 0, NULL, look, NULL);
	} while (left != -ECHILD && now() < limit);
	is(left, -ECHILD, "the next thread's creation has reaped what was detached");
}

static void *killed(void *arg)
{
	sys_kill((int)sys_getpid(), SIGKILL_);
	return arg;
}

static void *join_other(void *arg)
{
	return (void *)(intptr_t)ramet_thread_join(arg, NULL);
}

static void test_strange_ends(void)
{
	struct ramet_thread *thread = start(&old_model, killed, NULL), *joiner;
	void *result = NULL;
	int tid;

	is(ramet_thread_join(thread, &result), -EOWNERDEAD, "one that was killed alone");
	ok(!result, "has no result");

	thread = start(&old_model, tell_pid, NULL);
	tid = ramet_thread_tid(thread);
	joiner = start(&old_model, join_other, thread);
	ramet_sem_post(&go);
	is(ramet_thread_join(joiner, &result), 0, "one may join another");
	is((intptr_t)result, 0, "and get its result");
	/* It is no zombie yet, perhaps, and reaped only once it is. */
	sys_waitid(P_PID, tid, NULL, WEXITED | WNOWAIT | (int)__WALL, NULL);
	ramet_thread_join(start(NULL, end_now, NULL), NULL);
	is(sys_wait4(tid, NULL, WNOHANG | (int)__WALL, NULL), -ECHILD,
	   "which its maker has reaped later");
}

/* ---- In between ---- */

static void *close_and_move(void *arg)
{
	sys_close((int)(intptr_t)arg);
	sys_chdir("/proc");
	return (void *)(intptr_t)sys_getpid();
}

static long cwd_size(void)
{
	char path[256];

	return sys4(SYS_readlinkat, -100, (long)"/proc/thread-self/cwd", (long)path, sizeof(path));
}

static void test_between(void)
{
	struct ramet_thread *thread;
	const long fd = sys_open("/dev/null", 0, 0);
	void *pid = NULL;

	sys_chdir("/");
	thread = start(&RAMET_THREAD_ATTR(.flags = RAMET_THREAD_NPTL & ~(FLAG_FILES | FLAG_FS)),
		       close_and_move, (void *)fd);
	ramet_thread_join(thread, &pid);
	is((intptr_t)pid, sys_getpid(), "a thread of this process");
	is(sys_fcntl((int)fd, 1, 0), 0, "with a descriptor table of its own");
	is(cwd_size(), 1, "and a working directory of its own");

	thread = start(NULL, close_and_move, (void *)fd);
	ramet_thread_join(thread, NULL);
	is(sys_fcntl((int)fd, 1, 0), -EBADF, "where it is shared, it is gone");
	is(cwd_size(), 5, "and the directory is another");
	sys_chdir("/");

	thread = start(&RAMET_THREAD_ATTR(.flags = CLONE_VM | CLONE_CLEAR_SIGHAND), tell_pid, NULL);
	ramet_sem_post(&go);
	is(ramet_thread_join(thread, NULL), 0, "a flag of clone3 alone");
}

static struct ramet_thread *dies_too;

static void *make_and_end(void *arg)
{
	struct ramet_thread_attr attr = old_model;

	attr.death_signal = SIGKILL_;
	dies_too = start(&attr, tell_pid, NULL);
	return arg;
}

static void test_death_signal(void)
{
	struct ramet_thread *maker = start(NULL, make_and_end, NULL);

	ramet_thread_join(maker, NULL);
	is(ramet_thread_join(dies_too, NULL), -EOWNERDEAD,
	   "a death signal follows its maker's end");
}

int main(int argc, char **argv, char **envp)
{
	(void)argc, (void)argv, (void)envp;
	test_old_model();
	test_exit_signal();
	test_many();
	test_strange_ends();
	test_between();
	test_death_signal();
	return tap_done();
}
