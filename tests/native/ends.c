/* SPDX-License-Identifier: MIT */
/*
 * Ends that are not a function's return: by a signal, a raw call or exec, of makers that are gone,
 * of threads that leave others behind. Nothing of them is lost, and nobody waits for what may last.
 * And handles in a copy of the process, which must not reach the one that was copied.
 */
#include "tap.h"

#define COUNT 400
#define MOST_KB (40L << 10) /* that is kept for new threads, and some; COUNT of them are more */
#define WAIT_FD 50

static struct ramet_sem go, arrived;
static struct ramet_thread *other;
static long size_before, told; /* its number, by itself: it may be gone before it is asked */

static const struct ramet_thread_attr own_pid = {
	.size = sizeof(own_pid),
	.flags = RAMET_THREAD_LINUXTHREADS,
};

static void *wait_for_go(void *arg)
{
	ramet_sem_post(&arrived);
	ramet_sem_wait(&go);
	return arg;
}

static void *return_now(void *arg)
{
	return arg;
}

static void *end_raw(void *arg)
{
	(void)arg;
	sys_exit(0);
}

/* Until a creation has found all of them ended: no child is left, and no more memory than is kept. */
static void is_all_freed(const char *name)
{
	const int look = WEXITED | WNOHANG | WNOWAIT | (int)__WALL;
	const int64_t limit = now() + 20000 * MS;
	long left, more;

	do {
		ramet_thread_join(start(NULL, return_now, NULL), NULL);
		left = sys_waitid(P_ALL, 0, NULL, look, NULL);
		more = status_number("VmSize:") - size_before;
		if (left == -ECHILD && more < MOST_KB)
			break;
		sleep_ns(MS);
	} while (now() < limit);
	ok(left == -ECHILD && more < MOST_KB, name);
	note("kB more:", more);
}

static void test_killed(void)
{
	struct ramet_thread_attr attr = own_pid;
	struct ramet_thread *thread;

	attr.options = RAMET_THREAD_DETACHED;
	for (int i = 0; i < COUNT; i++) {
		thread = start(i % 2 ? &attr : &own_pid, wait_for_go, NULL);
		ramet_sem_wait(&arrived);
		if (i % 2 == 0)
			ramet_thread_detach(thread);
		ramet_thread_kill(thread, SIGKILL_);
	}
	is_all_freed("detached and killed");

	for (int i = 0; i < COUNT; i++) {
		thread = start(&own_pid, end_raw, NULL);
		while (ramet_thread_tid(thread) > 0)
			ramet_thread_yield();
		ramet_thread_detach(thread);
	}
	is_all_freed("ended by a raw call and then detached, with a PID");

	for (int i = 0; i < COUNT; i++) {
		thread = start(NULL, end_raw, NULL);
		while (ramet_thread_tid(thread) > 0)
			ramet_thread_yield();
		ramet_thread_detach(thread);
	}
	is_all_freed("and without one");
}

static void *make_detached(void *arg)
{
	struct ramet_thread_attr attr = own_pid;

	attr.options = RAMET_THREAD_DETACHED;
	start(&attr, return_now, NULL);
	return arg;
}

/* Init, or whoever else reaps orphans, has the zombies. */
static void test_makers_gone(void)
{
	for (int i = 0; i < COUNT; i++)
		ramet_thread_join(start(&own_pid, make_detached, NULL), NULL);
	is_all_freed("of makers that are gone");
}

/* ---- What may last ---- */

static void *exec_self(void *arg)
{
	char name[] = "wait", *argv[] = {name, NULL};

	told = sys_gettid();
	sys3(SYS_execve, (long)"/proc/self/exe", (long)argv, (long)ramet_environ);
	return arg;
}

/* The program that was exec'd. */
static int wait_for_end_of_file(void)
{
	char byte;

	while (sys_read(WAIT_FD, &byte, 1) == 1)
		;
	return 7;
}

static void is_reaped_later(const char *name)
{
	sys_waitid(P_PID, (int)told, NULL, WEXITED | WNOWAIT | (int)__WALL, NULL);
	ramet_thread_join(start(NULL, return_now, NULL), NULL);
	is(sys_wait4((int)told, NULL, WNOHANG | (int)__WALL, NULL), -ECHILD, name);
}

/* exit_signal: by another than SIGCHLD exec can be told from death, by that it cannot. */
static void exec_and_join(int exit_signal, const char *joined, const char *later)
{
	struct ramet_thread_attr attr = own_pid;
	struct ramet_thread *thread;
	int ends[2], r;

	sys2(SYS_pipe2, (long)ends, 02000000 /* O_CLOEXEC */);
	sys3(SYS_dup3, ends[0], WAIT_FD, 0);
	attr.exit_signal = exit_signal;
	thread = start(&attr, exec_self, NULL);
	while ((r = ramet_thread_try_join(thread, NULL)) == -EBUSY)
		ramet_thread_yield();
	is(r, -EOWNERDEAD, joined);
	is(sys_wait4((int)told, NULL, WNOHANG | (int)__WALL, NULL), 0, "and the program runs on");
	sys_close(ends[0]);
	sys_close(ends[1]);
	sys_close(WAIT_FD);
	is_reaped_later(later);
}

static void *leave_one_behind(void *arg)
{
	told = sys_gettid();
	other = start(&RAMET_THREAD_ATTR(.options = RAMET_THREAD_DETACHED), wait_for_go, NULL);
	return arg;
}

static void test_lasting(void)
{
	struct ramet_thread *thread;

	exec_and_join(0, "one that has exec'd is joined", "reaped by a later creation");
	exec_and_join(SIGCHLD_, "with SIGCHLD too", "and reaped as well");

	thread = start(&own_pid, leave_one_behind, &go);
	is(ramet_thread_join(thread, NULL), 0, "who leaves a thread behind is joined");
	ramet_sem_wait(&arrived);
	is(sys_wait4((int)told, NULL, WNOHANG | (int)__WALL, NULL), 0, "though that runs on");
	ramet_sem_post(&go);
	is_reaped_later("and reaped later");
}

/* ---- Elsewhere ---- */

static int use_handles(void)
{
	void *result = NULL;
	char name[16];
	int wrong = 0;

	wrong |= (ramet_thread_tid(other) != -ESRCH) << 0;
	wrong |= (ramet_thread_kill(other, 0) != -ESRCH) << 1;
	wrong |= (ramet_thread_join(other, NULL) != -ESRCH) << 2;
	wrong |= (ramet_thread_try_join(other, NULL) != -ESRCH) << 3;
	wrong |= (ramet_thread_detach(other) != -ESRCH) << 4;
	wrong |= (ramet_thread_get_name(other, name) != -ESRCH) << 5;
	wrong |= (ramet_thread_tid(ramet_thread_self()) != sys_getpid()) << 6;
	ramet_thread_join(start(NULL, return_now, &go), &result);
	return wrong | (result != &go) << 7;
}

static void test_forked(void)
{
	other = start(NULL, wait_for_go, &go);
	ramet_sem_wait(&arrived);
	is(in_child(use_handles), EXITED(0), "in a copy of the process no handle is of the parent");
	ramet_sem_post(&go);
	is(ramet_thread_join(other, NULL), 0, "which has lost nothing by it");
}

static void *tell_numbers(void *arg)
{
	int *tids = arg;

	tids[0] = ramet_thread_tid(ramet_thread_self());
	tids[1] = ramet_thread_kill(ramet_thread_self(), 0);
	return NULL;
}

static void test_new_pids(void)
{
	struct ramet_thread_attr attr = own_pid;
	struct ramet_thread *thread;
	int tids[2] = {0, -1}, r;

	attr.flags |= CLONE_NEWPID;
	attr.death_signal = SIGKILL_;
	r = ramet_thread_create(&attr, tell_numbers, tids, &thread);
	if (r == -EPERM) {
		for (int i = 0; i < 3; i++)
			ok(true, "in a new pid namespace # SKIP it takes CAP_SYS_ADMIN");
		return;
	}
	is(r, 0, "in a new pid namespace, with a death signal");
	if (r == 0)
		ramet_thread_join(thread, NULL);
	is(tids[0], 1, "it has its number there");
	is(tids[1], 0, "and reaches itself by it");
}

int main(int argc, char **argv, char **envp)
{
	(void)envp;
	if (argc == 1 && argv[0][0] == 'w' && argv[0][1] == 'a')
		return wait_for_end_of_file();
	is(ramet_thread_create(&RAMET_THREAD_ATTR(.options = 1u << 9), return_now, NULL, &other),
	   -EINVAL, "an option that is none");
	size_before = status_number("VmSize:");
	test_killed();
	test_makers_gone();
	test_lasting();
	test_forked();
	test_new_pids();
	return tap_done();
}
