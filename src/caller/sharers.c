/* SPDX-License-Identifier: MIT */
/*
 * Owns the question 'who else has the caller's memory, signal handlers, root directory?'. kcmp
 * answers it for two tasks; who there is says /proc. Only for calls whose rules ask: it looks at
 * every task of the system, some milliseconds for a thousand.
 */
#include "caller/read.h"

#include "base/sys.h"
#include "uapi/clone.h"

/* kcmp's types. */
#define KERNEL_KCMP_VM 1
#define KERNEL_KCMP_FS 3
#define KERNEL_KCMP_SIGHAND 4

struct scan {
	struct ramet_caller *caller;
	uint64_t process, own; /* whose threads are looked at; the caller's own */
	int tid;	       /* the caller's */
};

/*
 * A task that the caller may not read (-EPERM) cannot be told and counts as not sharing. It can
 * be wrong for a child that shares memory and has changed its user since, but to take every
 * stranger's process for a sharer would be wrong far more often.
 */
static bool is_same(const struct scan *scan, uint64_t tid, int type)
{
	return sys5(SYS_kcmp, scan->tid, (long)tid, type, 0, 0) == 0;
}

/* A process's threads can have unshared their fs, so each is asked, not the leader alone. */
static bool look_at_thread(uint64_t tid, void *arg)
{
	struct scan *scan = arg;

	if (tid == (uint64_t)scan->tid)
		return true;
	if (is_same(scan, tid, KERNEL_KCMP_FS))
		scan->caller->fs_shared = 1;
	if (scan->process == scan->own)
		return true;
	if (is_same(scan, tid, KERNEL_KCMP_VM))
		scan->caller->memory_shared = 1;
	if (is_same(scan, tid, KERNEL_KCMP_SIGHAND))
		scan->caller->sighand_shared = 1;
	return true;
}

static bool look_at_process(uint64_t pid, void *arg)
{
	struct scan *scan = arg;
	char path[PATH_SIZE];

	scan->process = pid;
	path_make(path, "/proc/", pid, "/task");
	read_numbers(path, look_at_thread, scan); /* one that has just ended shares nothing */
	return true;
}

static bool asks_for_sharers(const struct ramet_call *call)
{
	if (call->entry == RAMET_ENTRY_UNSHARE)
		return call->flags & (CLONE_VM | CLONE_SIGHAND);
	return call->entry == RAMET_ENTRY_SETNS;
}

void read_sharers(const struct ramet_call *call, struct ramet_caller *ret)
{
	struct scan scan = {.caller = ret, .own = (uint64_t)sys_getpid(), .tid = (int)sys_gettid()};

	/* With itself: without CONFIG_KCMP, or behind a filter, nothing can be known. */
	if (!asks_for_sharers(call) || !is_proc_ours() ||
	    !is_same(&scan, (uint64_t)scan.tid, KERNEL_KCMP_VM))
		return;
	if (read_numbers("/proc", look_at_process, &scan))
		ret->known |= RAMET_KNOWN_SHARERS;
}
