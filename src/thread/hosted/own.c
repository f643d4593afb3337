/* SPDX-License-Identifier: MIT */
/*
 * What a thread is called, where it runs and how it is reached: calls by its kernel number. That
 * is another's as soon as the thread has ended, so its end is held up meanwhile.
 */
#include "thread/hosted/hosted.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define PIDFD_OF_THREAD 0200
#define NAME_SIZE 16

/* Its number, which is its own until let_go(), or -ESRCH. Oneself is not about to end. */
static int hold(const struct ramet_thread *thread)
{
	struct ramet_thread *const held = (struct ramet_thread *)thread;
	const int pid = (int)sys_getpid();
	int tid;

	if (thread == ramet_thread_self())
		return (int)sys_gettid();
	if (thread->pid != pid)
		return -ESRCH;
	started(thread);
	lock_word(&held->lock);
	tid = (int)thread->tid;
	/* One that ended by a raw call, and told nobody, is gone all the same. */
	if (!thread->ended && !sys3(SYS_tgkill, pid, tid, 0))
		return tid;
	unlock_word(&held->lock);
	return -ESRCH;
}

static int let_go(const struct ramet_thread *thread, long r)
{
	if (thread != ramet_thread_self())
		unlock_word(&((struct ramet_thread *)thread)->lock);
	return (int)r;
}

int ramet_thread_tid(const struct ramet_thread *thread)
{
	const int tid = hold(thread);

	return tid < 0 ? tid : let_go(thread, tid);
}

void ramet_thread_yield(void)
{
	sys0(SYS_sched_yield);
}

/* Nothing is held while a handler of one's own may run. */
int ramet_thread_kill(const struct ramet_thread *thread, int sig)
{
	const int tid = hold(thread);

	return tid < 0 ? tid : let_go(thread, sys3(SYS_tgkill, sys_getpid(), tid, sig));
}

int ramet_thread_pidfd(const struct ramet_thread *thread)
{
	const int tid = hold(thread);

	return tid < 0 ? tid : let_go(thread, sys_pidfd_open(tid, PIDFD_OF_THREAD));
}

static long open_name(int tid, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/task/%d/comm", tid);
	return sys_open(path, flags | O_CLOEXEC, 0);
}

static long write_name(int tid, const char *name)
{
	const long fd = open_name(tid, O_WRONLY);
	long r;

	if (fd < 0)
		return fd;
	r = sys_write((int)fd, name, strlen(name));
	sys_close((int)fd);
	return r < 0 ? r : 0;
}

static long read_name(int tid, char *name)
{
	const long fd = open_name(tid, O_RDONLY);
	long r;

	if (fd < 0)
		return fd;
	r = sys_read((int)fd, name, NAME_SIZE);
	sys_close((int)fd);
	if (r <= 0)
		return r < 0 ? r : -ESRCH;
	name[r - 1] = 0; /* a newline */
	return 0;
}

/* One's own by prctl: there may be no /proc where a thread has mounts of its own. */
int ramet_thread_set_name(const struct ramet_thread *thread, const char *name)
{
	int tid;

	if (strnlen(name, NAME_SIZE) == NAME_SIZE)
		return -ERANGE;
	if (thread == ramet_thread_self())
		return (int)sys_prctl(KERNEL_PR_SET_NAME, (unsigned long)name, 0, 0, 0);
	tid = hold(thread);
	return tid < 0 ? tid : let_go(thread, write_name(tid, name));
}

int ramet_thread_get_name(const struct ramet_thread *thread, char name[16])
{
	char text[NAME_SIZE] = "";
	int r;

	if (thread == ramet_thread_self()) {
		r = (int)sys_prctl(KERNEL_PR_GET_NAME, (unsigned long)text, 0, 0, 0);
	} else {
		r = hold(thread);
		if (r >= 0)
			r = let_go(thread, read_name(r, text));
	}
	if (r >= 0)
		memcpy(name, text, sizeof(text));
	return r;
}

int ramet_thread_set_affinity(const struct ramet_thread *thread, const unsigned long *cpus,
			      size_t size)
{
	const int tid = hold(thread);

	return tid < 0 ? tid
		       : let_go(thread, sys3(SYS_sched_setaffinity, tid, (long)size, (long)cpus));
}

int ramet_thread_get_affinity(const struct ramet_thread *thread, unsigned long *cpus, size_t size)
{
	const int tid = hold(thread);

	return tid < 0 ? tid
		       : let_go(thread, sys3(SYS_sched_getaffinity, tid, (long)size, (long)cpus));
}

/* The C library knows; of the main thread the limit may change, so nobody does. */
int ramet_thread_stack(const struct ramet_thread *thread, void **ret_lowest, size_t *ret_size,
		       size_t *ret_guard)
{
	pthread_attr_t attr;
	void *lowest;
	size_t size, guard;
	int tid = hold(thread), r;

	if (tid < 0)
		return tid;
	r = tid == sys_getpid() ? -ENOTSUP : -pthread_getattr_np(thread->pthread, &attr);
	let_go(thread, 0);
	if (r < 0)
		return r;
	r = -pthread_attr_getstack(&attr, &lowest, &size);
	pthread_attr_getguardsize(&attr, &guard);
	pthread_attr_destroy(&attr);
	if (r < 0)
		return r;
	if (ret_lowest)
		*ret_lowest = lowest;
	if (ret_size)
		*ret_size = size;
	if (ret_guard)
		*ret_guard = guard;
	return 0;
}
