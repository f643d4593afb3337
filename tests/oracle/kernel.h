/* SPDX-License-Identifier: MIT */
/*
 * Put a struct ramet_call to the running kernel. A task that it makes, whatever kind it is, does
 * nothing and has ended when kernel_make() returns, so that its stack can be used again. Runs in
 * a process of its own (kernel_scaffold()): tasks made with CLONE_PARENT become children of the
 * test itself, which reaps them.
 */
#ifndef RAMET_TESTS_ORACLE_KERNEL_H
#define RAMET_TESTS_ORACLE_KERNEL_H

#include <errno.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ramet/model.h>

#include "base/sys.h"
#include "uapi/clone.h"

static struct {
	char stack[32768] __attribute__((aligned(4096)));
	int pidfd;
	int parent_tid;
	int child_tid;
} kernel_room;

static int kernel_child(void *arg)
{
	(void)arg;
	return 0;
}

/* A call with all pointers good, so that flags alone decide. */
static inline struct ramet_call kernel_call(enum ramet_entry entry, uint64_t flags,
					    uint64_t exit_signal)
{
	struct ramet_call call = {
		.entry = entry,
		.flags = flags,
		.exit_signal = exit_signal,
		.pidfd = (uintptr_t)&kernel_room.pidfd,
		.child_tid = (uintptr_t)&kernel_room.child_tid,
		.parent_tid = (uintptr_t)&kernel_room.parent_tid,
		.stack = (uintptr_t)kernel_room.stack,
		.stack_size = sizeof(kernel_room.stack),
		.tls = arch_get_tp(),
	};

	if (entry == RAMET_ENTRY_CLONE) {
		call.stack += call.stack_size;
		call.stack_size = 0;
	}
	return call;
}

/* Wait until the task is gone: a thread by its tid, a sibling until the test has reaped it. */
static inline void kernel_end(uint64_t flags, int tid)
{
	if (flags & CLONE_THREAD) {
		while (sys3(SYS_tgkill, sys_getpid(), tid, 0) != -ESRCH)
			sched_yield();
	} else if (flags & CLONE_PARENT) {
		while (sys_kill(tid, 0) != -ESRCH)
			sched_yield();
	} else {
		while (sys_wait4(tid, NULL, KERNEL_WALL, NULL) == -EINTR)
			;
	}
}

/* clone3 with as many bytes as the call says, the last of them not 0 where that is wanted. */
static inline long kernel_clone3(const struct ramet_call *call, int (*fn)(void *), void *arg)
{
	static uint8_t block[4096 + 8] __attribute__((aligned(8)));
	const struct clone_args args = {
		.flags = call->flags,
		.pidfd = call->pidfd,
		.child_tid = call->child_tid,
		.parent_tid = call->parent_tid,
		.exit_signal = call->exit_signal,
		.stack = call->stack,
		.stack_size = call->stack_size,
		.tls = call->tls,
		.set_tid = call->set_tid,
		.set_tid_size = call->set_tid_size,
		.cgroup = call->cgroup,
	};
	size_t size = call->size ? call->size : sizeof(args);
	long r;

	memcpy(block, &args, sizeof(args));
	if (call->trailing && size > sizeof(args) && size <= sizeof(block))
		block[size - 1] = 1;
	r = arch_clone3((const struct clone_args *)block, size, fn, arg);
	if (call->trailing)
		memset(block + sizeof(args), 0, sizeof(block) - sizeof(args));
	return r;
}

/* The new tid or -errno, as the kernel gives it. The task runs fn(arg), which is freestanding. */
static inline long kernel_clone(const struct ramet_call *call, int (*fn)(void *), void *arg)
{
	const struct arch_clone_regs regs = {
		.flags = call->flags | call->exit_signal,
		.stack = call->stack,
		.parent_tid = call->parent_tid,
		.child_tid = call->child_tid,
		.tls = call->tls,
	};

	kernel_room.pidfd = kernel_room.parent_tid = -1;
	if (call->entry == RAMET_ENTRY_CLONE)
		return arch_clone(&regs, fn, arg);
	return kernel_clone3(call, fn, arg);
}

/* Wait for the end of what kernel_clone() made, and close its pidfd. */
static inline void kernel_finish(const struct ramet_call *call, long tid)
{
	kernel_end(call->flags, (int)tid);
	if (call->flags & CLONE_PIDFD)
		sys_close(call->entry == RAMET_ENTRY_CLONE ? kernel_room.parent_tid
							   : kernel_room.pidfd);
}

/* 0 or -errno as the kernel gives it. unshare and setns change the caller. */
static inline long kernel_make(const struct ramet_call *call)
{
	long r;

	if (call->entry == RAMET_ENTRY_UNSHARE)
		return sys1(SYS_unshare, (long)call->flags);
	if (call->entry == RAMET_ENTRY_SETNS)
		return sys2(SYS_setns, (int)call->fd, (long)call->flags);
	r = kernel_clone(call, kernel_child, NULL);
	if (r < 0)
		return r;
	kernel_finish(call, r);
	return 0;
}

/*
 * Run fn(arg) in a process of its own and reap it and whatever it leaves behind. Its exit status,
 * 256 and the signal if it was killed.
 */
static inline int kernel_scaffold(int (*fn)(void *), void *arg)
{
	int status, result = -1;
	pid_t pid, ended;

	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(fn(arg));
	while ((ended = (pid_t)sys_wait4(-1, &status, KERNEL_WALL, NULL)) > 0 || ended == -EINTR)
		if (ended == pid)
			result = WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
	return result;
}

/* Zeroed memory that a scaffold and the test both see. */
static inline void *kernel_shared(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
	return p;
}

/* Give up root for good; groups too, or a file's group might let it in. */
static inline int kernel_become(uid_t uid)
{
	if (sys_setgroups(0, NULL) < 0 || sys_setresgid(uid, uid, uid) < 0)
		return -1;
	return (int)sys_setresuid(uid, uid, uid);
}

/* The mount point of cgroup2, or "" where there is none. */
static inline const char *kernel_cgroup2(void)
{
	static char path[256];
	char line[1024];
	FILE *f = fopen("/proc/self/mountinfo", "re");

	path[0] = '\0';
	while (f && !path[0] && fgets(line, sizeof(line), f))
		if (strstr(line, " - cgroup2 "))
			sscanf(line, "%*d %*d %*s %*s %255s", path);
	if (f)
		fclose(f);
	return path;
}

#endif
