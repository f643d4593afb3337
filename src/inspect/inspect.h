/* SPDX-License-Identifier: MIT */
/*
 * Who shares what, live: kcmp(2) and /proc for tasks of any kind, seen from outside. Hosted, no
 * state. Needs the right to ptrace-read the task for most of it; every function says -EPERM or
 * -EACCES otherwise, -ESRCH or -ENOENT when the task is gone.
 */
#ifndef RAMET_INSPECT_INSPECT_H
#define RAMET_INSPECT_INSPECT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * A live task. tid is the number in the caller's pid namespace, which kcmp and ptrace take; proc
 * its folder in /proc, which may belong to another pid namespace and then has other numbers.
 */
struct inspect_task {
	pid_t tid;
	char proc[48];
};

/* By the pid of a process or, with process not 0, by the tid of one of that process's threads. */
int inspect_open(pid_t tid, pid_t process, struct inspect_task *ret_task);

/* The threads of a process: up to max tids, as /proc numbers them. Returns how many there are. */
int inspect_threads(const struct inspect_task *task, pid_t *tids, size_t max);

/* kcmp's types that take no further argument, as the kernel numbers them. */
enum inspect_object {
	INSPECT_VM = 1,
	INSPECT_FILES,
	INSPECT_FS,
	INSPECT_SIGHAND,
	INSPECT_IO,
	INSPECT_SYSVSEM,
};

/*
 * kcmp by tids of the caller's pid namespace. 0: the same object; 1 the first, 2 the second comes
 * before in an order that holds until the next boot; 3: different, without an order.
 */
int inspect_kcmp(pid_t a, pid_t b, enum inspect_object object);

/*
 * 1: the same object, 0: different ones. Two tasks that both have none (zombies; io and sysvsem
 * that were never used) count as the same.
 */
int inspect_same(const struct inspect_task *a, const struct inspect_task *b,
		 enum inspect_object object);

/* Inode of /proc/PID/ns/NAME ("mnt", "pid_for_children"): equal for tasks in one namespace. */
int inspect_ns(const struct inspect_task *task, const char *name, uint64_t *ret_inode);

/* A number from /proc/PID/status: the first behind "NAME:". -ENODATA if there is no such line. */
int inspect_status(const struct inspect_task *task, const char *name, int64_t *ret_value);

/* Field `number` of /proc/PID/stat as proc(5) counts them, from 4 on. */
int inspect_stat(const struct inspect_task *task, unsigned number, int64_t *ret_value);
/* Field 3, the state: 'R', 'S', 'D', 'Z' … or -errno. */
int inspect_state(const struct inspect_task *task);

/* Number of the system call the task sleeps in; -1 in none, -EAGAIN while it runs. */
int inspect_syscall(const struct inspect_task *task, int64_t *ret_number);

/* Its path in the unified hierarchy (cgroup2). -ENODATA if there is none. */
int inspect_cgroup(const struct inspect_task *task, char *buf, size_t size);

/*
 * The thread pointer, by a short ptrace stop. The task goes on as it was; a traced task is -EPERM,
 * one that does not stop within a second -ETIMEDOUT.
 */
int inspect_thread_pointer(const struct inspect_task *task, uint64_t *ret_pointer);

#endif
