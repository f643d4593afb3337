/* SPDX-License-Identifier: MIT */
/*
 * A container's init: rt-init PROGRAM [ARG...] starts it, reaps whatever is left to it, passes on
 * the signals it is sent, and ends as the program ends (128 and the signal, if killed). One thread
 * waits for children, the other for signals. Where it is not PID 1 it becomes a subreaper.
 */
#include <asm/ioctls.h>
#include <linux/prctl.h>
#include <linux/wait.h>

#include "rt.h"

#define SIGCHLD_ 17
#define SIG_SETMASK_ 2
#define ENOENT_ (-2)

#define BIT(sig) (1UL << ((sig)-1))
/* ILL, TRAP, ABRT, BUS, FPE, SEGV, SYS are our own faults; TTIN and TTOU our own terminal's. */
#define OURS                                                                                       \
	(BIT(4) | BIT(5) | BIT(6) | BIT(7) | BIT(8) | BIT(11) | BIT(31) | BIT(21) | BIT(22) |      \
	 BIT(SIGCHLD_))

static const unsigned long passed_on = ~OURS;
static unsigned long mask_before;
static struct ramet_mutex reaping = RAMET_MUTEX_INIT;
static long program; /* 0: it has been reaped, and the number may be another's */

/* Tries NAME in every folder of PATH, as a shell does. Returns only with what went wrong. */
static long run(char **argv, char **envp)
{
	const char *path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	long r = ENOENT_, error = ENOENT_;

	for (const char *c = argv[0]; *c; c++)
		if (*c == '/')
			return CALL(execve, argv[0], argv, envp);
	for (char **e = envp; *e; e++)
		if ((*e)[0] == 'P' && (*e)[1] == 'A' && (*e)[2] == 'T' && (*e)[3] == 'H' &&
		    (*e)[4] == '=')
			path = *e + 5;
	while (*path) {
		struct line file = {.used = 0};

		while (*path && *path != ':' && file.used < 256)
			file.text[file.used++] = *path++;
		while (*path == ':')
			path++;
		put(&file, "/");
		put(&file, argv[0]);
		if (file.used == sizeof(file.text))
			continue;
		file.text[file.used] = 0;
		r = CALL(execve, file.text, argv, envp);
		if (r != ENOENT_)
			error = r;
	}
	return error;
}

/* The program's own side: a group of its own, which the terminal, if any, belongs to. */
static void become(char **argv, char **envp)
{
	int group;
	long error;

	CALL(setpgid, 0, 0);
	group = (int)CALL(getpid, 0);
	CALL(ioctl, 0, TIOCSPGRP, &group); /* SIGTTOU, that it may give, is blocked */
	CALL(rt_sigprocmask, SIG_SETMASK_, &mask_before, 0, 8);
	error = run(argv, envp);
	fail("rt-init", argv[0], error);
	CALL(exit_group, error == ENOENT_ ? 127 : 126);
}

static void *pass_on(void *arg)
{
	long to = 1;

	while (to) {
		const long sig = CALL(rt_sigtimedwait, &passed_on, 0, 0, 8);

		ramet_mutex_lock(&reaping);
		to = program;
		if (to && sig > 0)
			CALL(kill, to, sig);
		ramet_mutex_unlock(&reaping);
	}
	return arg;
}

/* Children until the program is one of them: its wait status. */
static int reap(void)
{
	struct {
		int signo, error, code, pad, pid, rest[27];
	} info;

	for (;;) {
		int status = 0, ours;

		/* Looked at first: once it is reaped nothing may be sent to its number. */
		if (CALL(waitid, P_ALL, 0, &info, WEXITED | WNOWAIT) < 0)
			continue;
		ramet_mutex_lock(&reaping);
		ours = info.pid == program;
		if (CALL(wait4, info.pid, &status, 0) == info.pid && ours)
			program = 0;
		ramet_mutex_unlock(&reaping);
		if (ours)
			return status;
	}
}

int main(int argc, char **argv, char **envp)
{
	const unsigned long every = ~(OURS & ~(BIT(21) | BIT(22)));
	const struct ramet_thread_attr attr = RAMET_THREAD_ATTR(.options = RAMET_THREAD_DETACHED,
								.stack_size = 16384,
								.name = "signals");
	int status;

	if (argc < 2)
		return fail("rt-init", "usage: rt-init PROGRAM [ARG...]", 0);
	CALL(prctl, PR_SET_CHILD_SUBREAPER, 1);
	CALL(rt_sigprocmask, SIG_SETMASK_, &every, &mask_before, 8);
	program = CALL(clone, SIGCHLD_, 0);
	if (program == 0)
		become(argv + 1, envp);
	if (program < 0)
		return fail("rt-init", "cannot fork", program);
	status = ramet_thread_create(&attr, pass_on, NULL, NULL);
	if (status < 0) {
		CALL(kill, program, 9);
		return fail("rt-init", "cannot start a thread", status);
	}
	status = reap();
	return status & 127 ? 128 + (status & 127) : status >> 8 & 255;
}
