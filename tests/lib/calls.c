/* SPDX-License-Identifier: MIT */
/*
 * Makes calls of every kind, some that are refused, and writes down each as line_text.h has it:
 * "name flags exit_signal result error", '-' for what a tracer cannot tell. A tracer's lines must
 * give the same. calls FILE
 */
#include <errno.h>
#include <fcntl.h>
#include <gnu/libc-version.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "uapi/clone.h"

#ifndef SYS_clone3
#define SYS_clone3 435
#endif
#define NONE (-1L) /* of flags and signal: not in the tracer's line */

static FILE *record;

static void put(const char *fmt, long value)
{
	if (value == NONE)
		fprintf(record, " -");
	else
		fprintf(record, fmt, value);
}

/* r: the result, or -1 with errno. A child's end is waited for. */
static void note(const char *name, long flags, long sig, long r, bool creates)
{
	const int error = errno;

	fprintf(record, "%s", name);
	put(" %#lx", flags);
	put(" %ld", sig);
	put(" %ld", r);
	put(" %ld", r < 0 ? error : NONE);
	fputc('\n', record);
	if (creates && r > 0)
		waitpid((pid_t)r, NULL, __WALL);
}

static void do_clone(unsigned long flags)
{
	int tid = 0;
	const long r = syscall(SYS_clone, flags, 0, &tid, 0, 0);

	if (r == 0)
		_exit(0);
	note("clone", (long)(flags & ~CSIGNAL), (long)(flags & CSIGNAL), r, true);
}

/* beyond: what is behind the fields that kernels know; with size 96 it is refused unless 0. */
static void do_clone3(struct clone_args args, size_t size, uint64_t beyond)
{
	struct {
		struct clone_args known;
		uint64_t beyond;
	} block = {args, beyond};
	const long r = syscall(SYS_clone3, &block, size);

	if (r == 0)
		_exit(0);
	/* strace shows no block that is too short to be one. */
	note("clone3", size < CLONE_ARGS_SIZE_VER0 ? NONE : (long)args.flags,
	     size < CLONE_ARGS_SIZE_VER0 ? NONE : (long)args.exit_signal, r, true);
}

static void do_clone3s(void)
{
	int tid = 0, pidfd = -1, ids[2] = {1, 1};
	const uint64_t tids = (uintptr_t)ids;
	const struct clone_args forked = {.exit_signal = SIGCHLD};

	do_clone3(forked, 64, 0);
	do_clone3(forked, 96, 0);
	do_clone3(forked, 96, 5);
	do_clone3(forked, 40, 0);
	do_clone3((struct clone_args){.exit_signal = 1000}, 88, 0);
	do_clone3((struct clone_args){.flags = CLONE_PIDFD | CLONE_PARENT_SETTID |
					       CLONE_CLEAR_SIGHAND,
				      .pidfd = (uintptr_t)&pidfd,
				      .parent_tid = (uintptr_t)&tid},
		  88, 0);
	do_clone3((struct clone_args){.flags = CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID,
				      .child_tid = (uintptr_t)&tid,
				      .exit_signal = 40},
		  80, 0);
	do_clone3((struct clone_args){.flags = CLONE_NEWTIME | CLONE_INTO_CGROUP | 1ULL << 50,
				      .exit_signal = 64,
				      .stack = 4096,
				      .stack_size = 4096,
				      .set_tid = tids,
				      .set_tid_size = 2,
				      .cgroup = 4},
		  88, 0);
	do_clone3((struct clone_args){.flags = CLONE_NEWUSER | CLONE_THREAD, .set_tid = tids}, 88,
		  0);
	do_clone3((struct clone_args){.flags = CLONE_DETACHED, .set_tid_size = 99}, 88, 0);
	note("clone3", NONE, NONE, syscall(SYS_clone3, 8, 88), true);
}

static void do_clones(void)
{
	do_clone(SIGCHLD);
	do_clone(0);
	do_clone(255);
	do_clone(0x80 | SIGUSR1);
	do_clone(CLONE_PARENT_SETTID | SIGUSR1);
	do_clone(CLONE_PIDFD | 140);
	do_clone(CLONE_PIDFD | 35);
	do_clone(CLONE_FS | CLONE_FILES | CLONE_SYSVSEM | CLONE_IO | 64);
	do_clone(CLONE_DETACHED | 36);
	do_clone(CLONE_THREAD);
	do_clone(CLONE_NEWUSER | CLONE_FS | SIGCHLD);
	if (sizeof(long) == 8)
		do_clone(0xfffffff00000000 | CLONE_THREAD | SIGCHLD);
}

static void do_forks(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	note("clone", (long)(CLONE_CHILD_CLEARTID | CLONE_CHILD_SETTID), SIGCHLD, pid, true);
	pid = vfork();
	if (pid == 0)
		_exit(0);
#ifdef SYS_vfork
	note("vfork", (long)(CLONE_VM | CLONE_VFORK), SIGCHLD, pid, true);
#else
	note("clone", (long)(CLONE_VM | CLONE_VFORK), SIGCHLD, pid, true);
#endif
#ifdef SYS_fork
	pid = (pid_t)syscall(SYS_fork);
	if (pid == 0)
		_exit(0);
	note("fork", 0, SIGCHLD, pid, true);
#endif
}

static void do_unshare(unsigned long flags)
{
	note("unshare", (long)flags, NONE, syscall(SYS_unshare, flags), false);
}

static void do_setns(int fd, unsigned long flags)
{
	note("setns", (long)flags, NONE, syscall(SYS_setns, fd, flags), false);
}

static void do_others(void)
{
	const int fd = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);
	const int pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0);

	do_unshare(0);
	do_unshare(CLONE_FILES | CLONE_FS);
	do_unshare(CLONE_NEWNS | CLONE_FS);
	do_unshare(CLONE_VM | CLONE_PIDFD);
	do_unshare(CLONE_NEWTIME | CLONE_NEWUTS);
	do_unshare(0x11);
	do_setns(fd, 0);
	do_setns(fd, CLONE_NEWUTS);
	do_setns(fd, CLONE_NEWNET);
	do_setns(fd, CLONE_NEWTIME | 1);
	do_setns(pidfd, CLONE_NEWUTS | CLONE_NEWIPC);
	do_setns(pidfd, 0);
	do_setns(-1, CLONE_NEWNS);
}

static void *thread(void *tid)
{
	*(long *)tid = syscall(SYS_gettid);
	return NULL;
}

/* From 2.34 on the C library's threads are of clone3. */
static void do_threads(void)
{
	const long flags =
		(long)(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
		       CLONE_SYSVSEM | CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID);
	pthread_t threads[3];
	long tids[3];

	if (atof(gnu_get_libc_version()) < 2.34)
		return;
	for (int i = 0; i < 3; i++)
		if (pthread_create(&threads[i], NULL, thread, &tids[i]))
			abort();
	for (int i = 0; i < 3; i++) {
		pthread_join(threads[i], NULL);
		note("clone3", flags, 0, tids[i], false);
	}
}

int main(int argc, char **argv)
{
	const uint64_t all = ~0ULL;

	/* Children end with any of them. */
	syscall(SYS_rt_sigprocmask, SIG_BLOCK, &all, NULL, sizeof(all));
	record = argc > 1 ? fopen(argv[1], "we") : NULL;
	if (!record)
		return 1;
	/* A child of fork() must not write what is in the buffer. */
	setvbuf(record, NULL, _IOLBF, 0);
	do_forks();
	do_clones();
	do_clone3s();
	do_threads();
	do_others();
	return fclose(record) ? 1 : 0;
}
