/* SPDX-License-Identifier: MIT */
/* A task that has nothing, to tell 'the same object' from 'none at all' by. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/sys.h"
#include "inspect/classes.h"

#define TRIES 10000

static int nothing(void *arg)
{
	(void)arg;
	return 0;
}

/* Without an exit signal an ended task stays until it is waited for, whatever SIGCHLD does here. */
static int make_one(struct ramet_task *ret_task)
{
	const struct ramet_spec spec = RAMET_SPEC(.preset = RAMET_PRESET_VFORK, .fn = nothing,
						  .exit_signal = RAMET_NO_SIGNAL);
	siginfo_t info;
	long r = ramet_launch(&spec, ret_task, NULL);

	if (r < 0)
		return (int)r;
	do
		r = sys_waitid(KERNEL_P_PID, ret_task->tid, &info, WEXITED | WNOWAIT | KERNEL_WALL,
			       NULL);
	while (r == -EINTR);
	return (int)r;
}

/*
 * The kernel drops the I/O context last, when the end has been told. Two that have ended share
 * nothing, so they are equal once neither has anything.
 */
static int settle(const struct inspect_nobody *nobody)
{
	const struct ramet_task *tasks = nobody->tasks;

	for (int object = INSPECT_VM; object <= INSPECT_SYSVSEM; object++) {
		int r = 1;

		if (object == INSPECT_SIGHAND) /* kept until it is waited for */
			continue;
		for (int i = 0; r && i < TRIES; i++) {
			r = inspect_kcmp(tasks[0].tid, tasks[1].tid, object);
			if (r < 0)
				return r;
			if (r)
				sched_yield();
		}
		if (r)
			return -EAGAIN;
	}
	return 0;
}

pid_t inspect_nobody_begin(struct inspect_nobody *nobody)
{
	int r = 0;

	nobody->count = 0;
	while (r == 0 && nobody->count < 2) {
		r = make_one(&nobody->tasks[nobody->count]);
		nobody->count += r == 0;
	}
	if (r == 0)
		r = settle(nobody);
	if (r < 0) {
		inspect_nobody_end(nobody);
		return r;
	}
	return nobody->tasks[0].tid;
}

void inspect_nobody_end(struct inspect_nobody *nobody)
{
	while (nobody->count > 0) {
		struct ramet_task *task = &nobody->tasks[--nobody->count];

		(void)!ramet_wait(task, -1, NULL);
		ramet_task_close(task);
	}
}
