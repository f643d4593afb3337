/* SPDX-License-Identifier: MIT */
/*
 * The thread pointer of another task. SEIZE and INTERRUPT leave no signal behind, and an
 * interrupted system call restarts by itself.
 */
#include "inspect/inspect.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>

#include "arch/arch.h"

static int wait_stop(pid_t tid)
{
	const struct timespec tick = {.tv_nsec = 200000};
	int status;

	for (int i = 0; i < 5000; i++) {
		pid_t r = waitpid(tid, &status, __WALL | WNOHANG);

		if (r < 0)
			return -errno;
		if (r == tid)
			return WIFSTOPPED(status) ? 0 : -ESRCH;
		nanosleep(&tick, NULL);
	}
	return -ETIMEDOUT;
}

int inspect_thread_pointer(const struct inspect_task *task, uint64_t *ret_pointer)
{
	uint64_t words[64] = {0};
	struct iovec room = {.iov_base = words, .iov_len = sizeof(words)};
	int r;

	if (ptrace(PTRACE_SEIZE, task->tid, NULL, NULL) < 0)
		return -errno;
	r = ptrace(PTRACE_INTERRUPT, task->tid, NULL, NULL) < 0 ? -errno : wait_stop(task->tid);
	if (r == 0 &&
	    ptrace(PTRACE_GETREGSET, task->tid, (void *)(uintptr_t)ARCH_TP_NOTE, &room) < 0)
		r = -errno;
	/* Not possible unless it is stopped; one that ended or hangs is let go by our own end. */
	ptrace(PTRACE_DETACH, task->tid, NULL, NULL);
	if (r == 0 && room.iov_len < (ARCH_TP_WORD + 1) * sizeof(*words))
		r = -ENODATA;
	if (r == 0)
		*ret_pointer = words[ARCH_TP_WORD];
	return r;
}
