/* SPDX-License-Identifier: MIT */
/*
 * kin: a family of tasks that share this and that, for ramet tree. Prints a line "WORD NUMBER"
 * for each and then "ready"; ends, with all of them, when standard input does.
 */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define STACK 65536

static char stacks[8][STACK] __attribute__((aligned(16)));
static int pids[16], made;

/* Shares this process's memory or not: only system calls. */
static int sleep_named(void *name)
{
	prctl(PR_SET_NAME, name);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		pause();
	return 0;
}

static void announce(const char *word, int pid)
{
	pids[made++] = pid;
	printf("%s %d\n", word, pid);
}

static void make(const char *word, const char *name, int flags)
{
	char *top = stacks[made] + STACK;
	int pid = clone(sleep_named, top, flags, (void *)(uintptr_t)name);

	if (pid < 0) /* an ordinary user may not have it */
		pid = clone(sleep_named, top, SIGCHLD, (void *)(uintptr_t)name);
	announce(word, pid);
}

static void *sleep_thread(void *own_fs)
{
	if (own_fs && unshare(CLONE_FS) < 0)
		_exit(1);
	for (;;)
		pause();
	return NULL;
}

/* Four threads, one of them with a working directory of its own; without_first: the first ends. */
static void make_threads(const char *word, int without_first)
{
	pthread_t thread;
	int pid = fork();

	if (pid == 0) {
		prctl(PR_SET_NAME, word);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (int i = 0; i < 3; i++)
			if (pthread_create(&thread, NULL, sleep_thread, i == 1 ? &made : NULL))
				_exit(1);
		if (without_first)
			syscall(SYS_exit, 0);
		for (;;)
			pause();
	}
	announce(word, pid);
}

int main(void)
{
	char c;
	int pid;

	prctl(PR_SET_NAME, "maker");
	syscall(SYS_ioprio_set, 1, 0, 2 << 13 | 4);
	printf("maker %d\n", (int)getpid());
	make("cwd", "cwd", CLONE_FS | SIGCHLD);
	make("memory", "memory", CLONE_VM | SIGCHLD);
	make("thread", "old thread", CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | SIGUSR2);
	make("files", "x\033[31m) R 1 (\n\t", CLONE_FILES | CLONE_SYSVSEM | CLONE_IO | SIGCHLD);
	make("boxed", "boxed", CLONE_NEWNET | CLONE_NEWUTS | SIGCHLD);
	make("silent", "silent", 0);
	make_threads("threads", 0);
	make_threads("headless", 1);
	pid = fork();
	if (pid == 0)
		_exit(0);
	announce("zombie", pid);
	usleep(100000); /* threads start, the zombie ends */
	printf("ready\n");
	fflush(stdout);
	while (read(0, &c, 1) > 0)
		;
	/* Some share this memory: they go first, and one tells it by a signal. */
	signal(SIGUSR2, SIG_IGN);
	while (made-- > 0) {
		kill(pids[made], SIGKILL);
		waitpid(pids[made], NULL, __WALL);
	}
	return 0;
}
