/* SPDX-License-Identifier: MIT */
/* The handle of a started task: wait, kill, close. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/sys.h"
#include "launch/outcome.h"

static void release_stack(struct ramet_task *task)
{
	if (task->stack_)
		slot_give(task->stack_);
	task->stack_ = NULL;
}

/* A thread has no status and no zombie: its word becomes 0 when it has left its stack for good. */
static int wait_thread(struct ramet_task *task, int timeout_ms)
{
	struct slot *slot = task->stack_;
	const int64_t deadline = timeout_ms < 0 ? INT64_MAX : now_ms() + timeout_ms;
	struct kernel_timespec t;
	uint32_t value;
	int64_t left;

	if (!slot)
		return -ECHILD;
	while ((value = __atomic_load_n(slot->word, __ATOMIC_ACQUIRE))) {
		left = deadline == INT64_MAX ? 1000 : deadline - now_ms();
		if (left <= 0)
			return -ETIMEDOUT;
		t = (struct kernel_timespec){left / 1000, left % 1000 * 1000000};
		sys_futex_wait(slot->word, value, &t);
	}
	return 0;
}

/* Without any pidfd (a filter, RAMET_NO_PIDFD and a filter): look again and again. */
static int look_end(const struct ramet_task *task, int timeout_ms)
{
	const int64_t deadline = timeout_ms < 0 ? INT64_MAX : now_ms() + timeout_ms;
	const struct timespec pause = {.tv_nsec = 2000000};
	siginfo_t info;
	long r;

	for (;;) {
		info.si_pid = 0;
		r = sys_waitid(KERNEL_P_PID, task->tid, &info,
			       WEXITED | WNOHANG | WNOWAIT | KERNEL_WALL, NULL);
		if (r < 0 || info.si_pid)
			return (int)r;
		if (now_ms() >= deadline)
			return -ETIMEDOUT;
		nanosleep(&pause, NULL);
	}
}

/* Until the pidfd is readable. 0, -ETIMEDOUT, or -errno where there is no pidfd to be had. */
static int poll_end(const struct ramet_task *task, int timeout_ms)
{
	const int64_t deadline = now_ms() + timeout_ms;
	struct pollfd p = {.fd = task->pidfd, .events = POLLIN};
	int64_t left = timeout_ms;
	int n;

	if (p.fd < 0)
		p.fd = (int)sys_pidfd_open(task->tid, 0);
	if (p.fd == -ESRCH)
		return -ECHILD;
	if (p.fd < 0)
		return look_end(task, timeout_ms);
	for (;;) {
		n = poll(&p, 1, (int)left);
		if (n >= 0 || errno != EINTR)
			break;
		if (timeout_ms >= 0 && (left = deadline - now_ms()) < 0)
			left = 0;
	}
	n = n > 0 ? 0 : n == 0 ? -ETIMEDOUT : -errno;
	if (task->pidfd < 0)
		close(p.fd);
	return n;
}

/* Status of a task that somebody else has reaped, where the kernel keeps it (6.15). */
static int status_from_pidfd(const struct ramet_task *task, struct ramet_status *ret)
{
	struct kernel_pidfd_info info = {.mask = KERNEL_PIDFD_INFO_EXIT};
	int code;

	if (task->pidfd < 0 ||
	    sys3(SYS_ioctl, task->pidfd, KERNEL_PIDFD_GET_INFO, (long)&info) < 0 ||
	    !(info.mask & KERNEL_PIDFD_INFO_EXIT))
		return -ECHILD;
	code = info.exit_code;
	*ret = (struct ramet_status){
		.exited = WIFEXITED(code),
		.code = WIFEXITED(code) ? WEXITSTATUS(code) : WTERMSIG(code),
		.core = !WIFEXITED(code) && WCOREDUMP(code),
	};
	return 0;
}

static int wait_process(const struct ramet_task *task, struct ramet_status *ret)
{
	const int type = task->pidfd >= 0 ? KERNEL_P_PIDFD : KERNEL_P_PID;
	const int id = task->pidfd >= 0 ? task->pidfd : task->tid;
	struct rusage rusage = {0};
	siginfo_t info = {0};
	long r;

	do
		r = sys_waitid(type, id, &info, WEXITED | KERNEL_WALL, &rusage);
	while (r == -EINTR);
	if (r == -ECHILD)
		return status_from_pidfd(task, ret);
	if (r < 0)
		return (int)r;
	*ret = (struct ramet_status){
		.exited = info.si_code == CLD_EXITED,
		.code = info.si_status,
		.core = info.si_code == CLD_DUMPED,
		.rusage = rusage,
	};
	return 0;
}

int ramet_wait(struct ramet_task *task, int timeout_ms, struct ramet_status *ret_status)
{
	struct ramet_status status = {.exited = 1};
	const int cancel = not_cancelled();
	int r = 0;

	if (task->flags & CLONE_THREAD) {
		r = wait_thread(task, timeout_ms);
	} else {
		/* A sibling cannot be waited for, but its pidfd still tells the end. */
		if (timeout_ms >= 0 || task->flags & CLONE_PARENT)
			r = poll_end(task, timeout_ms);
		if (r == 0)
			r = wait_process(task, &status);
	}
	if (r == 0 || r == -ECHILD)
		release_stack(task);
	if (r == 0 && ret_status)
		*ret_status = status;
	cancelled_again(cancel);
	return r;
}

int ramet_kill(const struct ramet_task *task, int sig)
{
	long r;

	if (task->flags & CLONE_THREAD)
		r = sys3(SYS_tgkill, sys_getpid(), task->tid, sig);
	else if (task->pidfd >= 0)
		r = sys_pidfd_send_signal(task->pidfd, sig);
	else
		r = -ENOSYS;
	/*
	 * By tid it is right as long as nobody has waited for the task. EPERM may be a filter's
	 * answer to what it does not know; if it is the kernel's, this gets it too.
	 */
	if (r == -ENOSYS || r == -EPERM)
		r = sys_kill(task->tid, sig);
	return (int)r;
}

void ramet_task_close(struct ramet_task *task)
{
	const int cancel = not_cancelled();

	if (task->pidfd >= 0)
		close(task->pidfd);
	cancelled_again(cancel);
	task->pidfd = -1;
	/* Of a task that still runs on it the stack is left alone, for ever. */
	if (task->stack_ && !__atomic_load_n(((struct slot *)task->stack_)->word, __ATOMIC_ACQUIRE))
		release_stack(task);
}
