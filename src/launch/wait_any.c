/* SPDX-License-Identifier: MIT */
/*
 * The first of many tasks to end: poll over pidfds. Whether a task has ended and what its status
 * is, ramet_wait() alone decides; here is only when to ask it.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/sys.h"
#include "launch/outcome.h"

#include <ramet/companions.h>

#define FEW 64	  /* so many need no memory, and no more descriptors than these are borrowed */
#define TICK_MS 2 /* how often to look at what has no pidfd */

struct watch {
	size_t index;  /* in the caller's array */
	int at;	       /* in fds; -1: no pidfd */
	bool borrowed; /* the pidfd was opened here */
};

struct watches {
	struct ramet_task *const *tasks;
	struct watch *of;
	struct pollfd *fds; /* as poll refuses more than RLIMIT_NOFILE, none without a pidfd */
	size_t count, polled, borrowed;
};

/* A descriptor for what came without one. That a task is gone already is seen when it is looked at. */
static int borrow(struct watches *w, const struct ramet_task *task, struct watch *of)
{
	long fd;

	if (task->flags & CLONE_THREAD || w->borrowed == FEW)
		return -1;
	fd = sys_pidfd_open(task->tid, 0);
	if (fd < 0)
		return -1;
	of->borrowed = true;
	w->borrowed++;
	return (int)fd;
}

static void add(struct watches *w, size_t index)
{
	const struct ramet_task *task = w->tasks[index];
	struct watch *of = &w->of[w->count++];
	int fd = task->pidfd;

	*of = (struct watch){.index = index, .at = -1};
	if (fd < 0)
		fd = borrow(w, task, of);
	if (fd < 0)
		return;
	of->at = (int)w->polled;
	w->fds[w->polled++] = (struct pollfd){.fd = fd, .events = POLLIN};
}

static void leave(struct watches *w)
{
	for (size_t i = 0; i < w->count; i++)
		if (w->of[i].borrowed)
			close(w->fds[w->of[i].at].fd);
}

/* 1: *ret_index has ended, with *ret_result of ramet_wait(); 0: none has. */
static int look(const struct watches *w, size_t *ret_index, struct ramet_status *ret_status,
		int *ret_result)
{
	for (size_t i = 0; i < w->count; i++) {
		const struct watch *of = &w->of[i];

		if (of->at >= 0 && !w->fds[of->at].revents)
			continue;
		*ret_result = ramet_wait(w->tasks[of->index], 0, ret_status);
		if (*ret_result == -ETIMEDOUT)
			continue;
		*ret_index = of->index;
		return 1;
	}
	return 0;
}

/* Until some pidfd is readable, or it is time to look: 0. -ETIMEDOUT at the deadline. */
static int doze(struct watches *w, int64_t deadline)
{
	int64_t left = deadline == INT64_MAX ? -1 : deadline - now_ms();
	int n;

	if (deadline != INT64_MAX && left < 0)
		left = 0;
	if (w->polled < w->count && (left < 0 || left > TICK_MS))
		left = TICK_MS;
	n = poll(w->fds, w->polled, (int)left);
	if (n < 0 && errno != EINTR)
		return -errno;
	/* What poll has not filled in is no answer. */
	for (size_t i = 0; n < 0 && i < w->polled; i++)
		w->fds[i].revents = 0;
	return n <= 0 && deadline != INT64_MAX && now_ms() >= deadline ? -ETIMEDOUT : 0;
}

static int watch(struct watches *w, int timeout_ms, size_t *ret_index,
		 struct ramet_status *ret_status)
{
	const int64_t deadline = timeout_ms < 0 ? INT64_MAX : now_ms() + timeout_ms;
	int r, late;

	do {
		late = doze(w, deadline);
		if (late < 0 && late != -ETIMEDOUT)
			return late;
		/* Once more at the deadline: those without a pidfd have not been looked at since. */
		if (look(w, ret_index, ret_status, &r))
			return r;
	} while (!late);
	return late;
}

int ramet_wait_any(struct ramet_task *const tasks[], size_t count, int timeout_ms,
		   size_t *ret_index, struct ramet_status *ret_status)
{
	struct pollfd few_fds[FEW];
	struct watch few[FEW];
	struct watches w = {.tasks = tasks, .fds = few_fds, .of = few};
	size_t alive = 0;
	int r, cancel;

	for (size_t i = 0; i < count; i++)
		alive += tasks[i] != NULL;
	if (!alive) {
		*ret_index = count;
		return -ECHILD;
	}
	cancel = not_cancelled();
	if (alive > FEW) {
		w.fds = calloc(alive, sizeof(*w.fds));
		w.of = calloc(alive, sizeof(*w.of));
	}
	r = w.fds && w.of ? 0 : -ENOMEM;
	for (size_t i = 0; r == 0 && i < count; i++)
		if (tasks[i])
			add(&w, i);
	if (r == 0)
		r = watch(&w, timeout_ms, ret_index, ret_status);
	leave(&w);
	if (alive > FEW) {
		free(w.fds);
		free(w.of);
	}
	cancelled_again(cancel);
	return r;
}
