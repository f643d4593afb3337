/* SPDX-License-Identifier: MIT */
/* The parent after the clone: what of the child's changes it sees, and what its end did. */
#include "probe/helper/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sem.h>
#include <linux/utsname.h>
#include <linux/wait.h>

#include "base/sys.h"

#define IOPRIO_PROCESS 1
#define CLD_FIRST 1 /* si_code of a child's end: CLD_EXITED, CLD_KILLED, CLD_DUMPED */
#define CLD_LAST 3

/* The kernel's siginfo up to the sender. */
union signal_info {
	struct {
		int32_t signo, error, code, pad, pid;
	};
	char room[128];
};

static bool child_mount_seen(const struct helper *h)
{
	return h->mount_device && place_device(h->mount_place) != h->mount_device;
}

void helper_look(struct helper *h, struct probe_look *look)
{
	struct kernel_sigaction found = {0};
	struct new_utsname uts = {0};
	char cwd[64] = "";

	*look = (struct probe_look){0};
	for (size_t i = 0; i < PROBE_PAGES; i++)
		look->pages += ((volatile unsigned char *)h->pages)[i * BLOCK_BYTES] == 'C';
	look->victim = (int32_t)sys_fcntl(h->victim, F_GETFD, 0);
	if (look->victim > 0)
		look->victim = 0;
	look->offset = (int32_t)sys3(SYS_lseek, PROBE_FD_SCRATCH, 0, 1);
	sys2(SYS_getcwd, (long)cwd, sizeof(cwd));
	look->moved = same_text(cwd, child_directory);
	look->umask = (int32_t)sys_umask(022);
	sys_sigaction(SIGNAL_CHILD, 0, &found);
	look->handler = found.handler == (void *)handler_of_child ? 2 : (int)(long)found.handler;
	look->io = (int32_t)sys2(SYS_ioprio_get, IOPRIO_PROCESS, 0);
	look->tp_marker = tls_mark == TLS_MARK;
	look->mounted = child_mount_seen(h);
	sys1(SYS_uname, (long)&uts);
	look->hostname = same_text(uts.nodename, child_hostname);
	look->boottime = boottime();
	look->parent_tid = h->words->parent;
	look->child_tid = h->words->child;
}

int32_t helper_await(struct helper *h)
{
	const struct kernel_timespec limit = {.tv_sec = 2};
	uint32_t *word = &h->words->child;
	uint32_t value = *(volatile uint32_t *)word;

	return value ? (int32_t)sys_futex_wait(word, value, &limit) : -EAGAIN;
}

static int32_t told_by(long child)
{
	const uint64_t every = ~0ULL;
	const struct kernel_timespec now = {0};
	union signal_info info = {0};
	int32_t told = 0;
	long r;

	do {
		r = sys_sigtimedwait(&every, &info, &now);
		if (r > 0 && info.pid == child && info.code >= CLD_FIRST && info.code <= CLD_LAST)
			told = (int32_t)r;
	} while (r > 0 || r == -EINTR);
	return told;
}

static int32_t wait_for(long child, int options)
{
	long r;

	do
		r = sys_waitid(KERNEL_P_PID, (int)child, 0, (int)(WEXITED | (unsigned)options), 0);
	while (r == -EINTR);
	return (int32_t)r;
}

/* A thread leaves nothing to wait for; its tid is gone once the kernel has let go of it. */
static void thread_end(long tid)
{
	const struct kernel_timespec tick = {.tv_nsec = 200000};
	long pid = sys_getpid();

	for (int i = 0; i < 20000 && sys3(SYS_tgkill, pid, tid, 0) == 0; i++)
		sys2(SYS_nanosleep, (long)&tick, 0);
}

void helper_end(struct helper *h, long child, struct probe_end *end)
{
	const int all = KERNEL_WALL | WNOWAIT, look = WNOHANG | WNOWAIT;

	if (h->flags & CLONE_THREAD)
		thread_end(child);
	if (wait_for(child, all) == 0) {
		end->plain = wait_for(child, look);
		end->wclone = wait_for(child, (int)KERNEL_WCLONE | look);
		end->told = told_by(child);
		end->reaped = wait_for(child, KERNEL_WALL);
	} else {
		end->plain = end->wclone = end->reaped = -ECHILD;
		end->told = told_by(child);
	}
	end->sem = h->before.sem;
	if (h->before.sem >= 0)
		end->sem = (int32_t)sys3(SYS_semctl, h->before.sem, 0, GETVAL);
	end->word = *(volatile uint32_t *)&h->words->child;
}
