/* SPDX-License-Identifier: MIT */
/*
 * A child that changes its uid makes the memory it runs in not dumpable, the caller's too while
 * they share it, and that protects: dumpable, the new identity could read the caller by ptrace.
 * So it must stay off until exec has parted them, and only the caller may put it back. Set
 * beforehand and not left to the kernel, which leaves it on where fs.suid_dumpable is 1.
 */
#include <errno.h>
#include <pthread.h>

#include "base/sys.h"
#include "launch/caller_side.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned holders;
static int before;

/* In a fork of a guarded process nothing shares memory with another identity any more. */
static void fork_prepare(void)
{
	pthread_mutex_lock(&lock);
}

static void fork_parent(void)
{
	pthread_mutex_unlock(&lock);
}

static void fork_child(void)
{
	if (holders && before == 1)
		sys_prctl(KERNEL_PR_SET_DUMPABLE, 1, 0, 0, 0);
	holders = 0;
	pthread_mutex_unlock(&lock);
}

static void watch_forks(void)
{
	pthread_atfork(fork_prepare, fork_parent, fork_child);
}

int guard_take(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	long r = 0;

	pthread_once(&once, watch_forks);
	pthread_mutex_lock(&lock);
	if (holders == 0) {
		r = sys_prctl(KERNEL_PR_GET_DUMPABLE, 0, 0, 0, 0);
		before = (int)r;
		if (r > 0)
			r = sys_prctl(KERNEL_PR_SET_DUMPABLE, 0, 0, 0, 0);
	}
	if (r >= 0)
		holders++;
	pthread_mutex_unlock(&lock);
	return r < 0 ? (int)r : 0;
}

void guard_let_go(void)
{
	pthread_mutex_lock(&lock);
	/* 2 cannot be set from here and was root's own choice: leave 0, the stricter. */
	if (--holders == 0 && before == 1)
		sys_prctl(KERNEL_PR_SET_DUMPABLE, 1, 0, 0, 0);
	pthread_mutex_unlock(&lock);
}
