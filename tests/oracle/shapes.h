/* SPDX-License-Identifier: MIT */
/*
 * Shapes of a caller that rules look at: with a thread, with another process that shares its
 * memory, in a chroot, after unshare. The peers are raw tasks that sleep, and go with the caller.
 */
#ifndef RAMET_TESTS_ORACLE_SHAPES_H
#define RAMET_TESTS_ORACLE_SHAPES_H

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "oracle/kernel.h"

struct shape {
	const char *name;
	uint64_t peer;	   /* flags by which a task beside the caller is made; 0: there is none */
	uint64_t unshared; /* by the caller itself, before it takes its identity */
	bool init;	   /* pid 1 of a pid namespace */
	bool chrooted;
	bool unmapped; /* in a user namespace of its own, whose maps are empty */
	bool nested;   /* in one whose maps are not empty */
};

#define SHAPE_THREAD (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD)

static const struct shape shapes[] = {
	{.name = "alone"},
	{.name = "with a thread", .peer = SHAPE_THREAD},
	{.name = "with a thread of another root", .peer = SHAPE_THREAD & ~CLONE_FS},
	{.name = "memory shared with a process", .peer = CLONE_VM},
	{.name = "handlers shared with a process", .peer = CLONE_VM | CLONE_SIGHAND},
	{.name = "root shared with a process", .peer = CLONE_FS},
	{.name = "pid 1 of a pid namespace", .init = true},
	{.name = "in a chroot", .chrooted = true},
	{.name = "after unshare(NEWPID)", .unshared = CLONE_NEWPID},
	{.name = "after unshare(NEWTIME)", .unshared = CLONE_NEWTIME},
	{.name = "without mapped ids", .unmapped = true},
	{.name = "in a user namespace", .nested = true},
};

#define SHAPES (sizeof(shapes) / sizeof(shapes[0]))

/*
 * Freestanding: it may run in the caller's memory. Ends with whoever made it, but only once it has
 * said so: who made it waits for the word, or might have ended before.
 */
static inline int shape_peer(void *arg)
{
	static uint32_t never;
	uint32_t *ready = arg;

	sys_prctl(KERNEL_PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	__atomic_store_n(ready, 1, __ATOMIC_SEQ_CST);
	sys_futex_wake(ready, 1);
	while (!never)
		sys_futex_wait(&never, 0, NULL);
	return 0;
}

/* The new task's tid or -errno. */
static inline long shape_make_peer(uint64_t flags)
{
	static char stack[16384] __attribute__((aligned(4096)));
	static uint32_t *ready;
	const struct clone_args args = {
		.flags = flags,
		.stack = (uintptr_t)stack,
		.stack_size = sizeof(stack),
	};
	long r;

	if (!ready)
		ready = kernel_shared(sizeof(*ready));
	*ready = 0;
	r = arch_clone3(&args, sizeof(args), shape_peer, ready);
	while (r > 0 && !__atomic_load_n(ready, __ATOMIC_SEQ_CST))
		sys_futex_wait(ready, 0, NULL);
	return r;
}

/* Into a directory that is no mount, with /proc. In a mount namespace of its own: nothing is left. */
static inline int shape_enter_chroot(void)
{
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("tmpfs", "/tmp", "tmpfs", 0, NULL) || mkdir("/tmp/root", 0755) ||
	    mkdir("/tmp/root/proc", 0755) ||
	    mount("/proc", "/tmp/root/proc", NULL, MS_BIND | MS_REC, NULL))
		return -1;
	return chroot("/tmp/root") || chdir("/") ? -1 : 0;
}

static inline int shape_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));

	if (fd >= 0)
		close(fd);
	return n < 0 ? -1 : 0;
}

/* A user namespace in which the caller is root. */
static inline int shape_enter_user(void)
{
	char uid[32], gid[32];

	snprintf(uid, sizeof(uid), "0 %u 1", geteuid());
	snprintf(gid, sizeof(gid), "0 %u 1", getegid());
	return unshare(CLONE_NEWUSER) || shape_write("/proc/self/setgroups", "deny") ||
			       shape_write("/proc/self/uid_map", uid) ||
			       shape_write("/proc/self/gid_map", gid)
		       ? -1
		       : 0;
}

/* Go on in a child that is made by `flags`; who made it waits for its end, and ends as well. */
static inline int go_on_in_child(uint64_t flags)
{
	const struct clone_args args = {.flags = flags, .exit_signal = SIGCHLD};
	long pid = arch_clone3(&args, sizeof(args), NULL, NULL);

	if (pid > 0) {
		int status = 0;

		sys_wait4((int)pid, &status, KERNEL_WALL, NULL);
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
	}
	errno = (int)-pid;
	return pid ? -1 : 0;
}

/* As root, before the identity is taken. 0, or -1 and errno. */
static inline int shape_prepare(const struct shape *shape)
{
	if (shape->chrooted && shape_enter_chroot())
		return -1;
	if (shape->init && go_on_in_child(CLONE_NEWPID))
		return -1;
	return shape->unshared ? unshare((int)shape->unshared) : 0;
}

/* With the identity. 0, or -1 and errno. */
static inline int shape_take(const struct shape *shape)
{
	long r;

	if (shape->unmapped && unshare(CLONE_NEWUSER))
		return -1;
	if (shape->nested && shape_enter_user())
		return -1;
	r = shape->peer ? shape_make_peer(shape->peer) : 0;
	if (r < 0)
		errno = (int)-r;
	return r < 0 ? -1 : 0;
}

#endif
