/* SPDX-License-Identifier: MIT */
/*
 * The first of many tasks to end: in the order of their ends, 500 at a time, by epoll, threads and
 * those reaped by others among them. Cells also look for descriptors and children left.
 *
 * Seen to fail, in a copy of the tree: an index that is always 0, borrowed descriptors kept, a look
 * all the time, EINTR as the end.
 */
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/time.h>

#include "lib/room.h"
#include "oracle/companions.h"

#define MANY 500

static int sleep_ms(void *arg)
{
	const long ms = (long)(intptr_t)arg;
	const struct kernel_timespec t = {ms / 1000, ms % 1000 * 1000000};

	sys2(SYS_nanosleep, (long)&t, 0);
	return 3;
}

static void order_of_ends(void *arg)
{
	const unsigned options = arg ? RAMET_NO_PIDFD : 0;
	const struct world before = world_take();
	struct ramet_task tasks[4], *list[4];
	struct ramet_status status;
	size_t index = 99;
	const int64_t start = clock_ms();
	int r;

	for (long i = 0; i < 4; i++) {
		const struct ramet_spec spec = RAMET_SPEC(.fn = sleep_ms,
							  .arg = (void *)(1600 - 400 * i),
							  .options = options);

		if (!expect((r = ramet_launch(&spec, &tasks[i], NULL)) == 0, "launch %d", r))
			return;
		list[i] = &tasks[i];
	}
	r = ramet_wait_any(list, 4, 0, &index, &status);
	expect(r == -ETIMEDOUT && index == 99, "at once: %d", r);
	r = ramet_wait_any(list, 4, 50, &index, &status);
	expect(r == -ETIMEDOUT && index == 99 && clock_ms() - start >= 49, "50 ms: %d", r);
	for (size_t i = 4; i-- > 0;) {
		r = ramet_wait_any(list, 4, i % 2 ? -1 : PLENTY, &index, &status);
		expect(r == 0 && index == i && status.exited && status.code == 3,
		       "%d, task %zu of %zu, code %d", r, index, i, status.code);
		ramet_task_close(&tasks[i]);
		list[i] = NULL;
	}
	r = ramet_wait_any(list, 4, -1, &index, NULL);
	expect(r == -ECHILD && index == 4, "none: %d, %zu", r, index);
	same_world(&before);
}

static void many_tasks(void *arg)
{
	const struct world before = world_take();
	struct ramet_task *tasks = calloc(MANY, sizeof(*tasks)),
			  **list = calloc(MANY, sizeof(*list));
	struct rlimit files;
	struct ramet_status status;
	bool *seen = calloc(MANY, sizeof(*seen));
	size_t index;
	int r;

	(void)arg;
	getrlimit(RLIMIT_NOFILE, &files);
	if (files.rlim_cur < MANY + 50)
		files.rlim_cur = files.rlim_max < MANY + 50 ? files.rlim_max : MANY + 50;
	setrlimit(RLIMIT_NOFILE, &files);
	for (long i = 0; i < MANY; i++) {
		r = ramet_launch(&RAMET_SPEC(.program = room_tiny), &tasks[i], NULL);
		if (!expect(r == 0, "launch %ld: %d", i, r))
			return;
		list[i] = &tasks[i];
	}
	for (long i = 0; i < MANY; i++) {
		r = ramet_wait_any(list, MANY, PLENTY, &index, &status);
		if (!expect(r == 0 && index < MANY && !seen[index] && status.exited &&
				    status.code == 0,
			    "%ld: %d", i, r))
			return;
		seen[index] = true;
		ramet_task_close(list[index]);
		list[index] = NULL;
	}
	free(tasks);
	free(list);
	free(seen);
	same_world(&before);
}

/* The man page's way for thousands. */
static void with_epoll(void *arg)
{
	struct ramet_task tasks[40], *task;
	struct epoll_event event = {.events = EPOLLIN};
	const int loop = epoll_create1(EPOLL_CLOEXEC);
	struct ramet_status status;
	int r;

	(void)arg;
	for (long i = 0; i < 40; i++) {
		r = ramet_launch(&RAMET_SPEC(.fn = sleep_ms, .arg = (void *)(i % 7 * 20)),
				 &tasks[i], NULL);
		event.data.ptr = &tasks[i];
		if (!expect(r == 0 && epoll_ctl(loop, EPOLL_CTL_ADD, tasks[i].pidfd, &event) == 0,
			    "launch %d", r))
			return;
	}
	for (int i = 0; i < 40; i++) {
		if (!expect(epoll_wait(loop, &event, 1, PLENTY) == 1, "epoll"))
			return;
		task = event.data.ptr;
		r = ramet_wait(task, 0, &status);
		expect(r == 0 && status.code == 3, "wait %d", r);
		/* Closing is not enough: the other tasks, forked, have the pidfd too. */
		epoll_ctl(loop, EPOLL_CTL_DEL, task->pidfd, NULL);
		ramet_task_close(task);
	}
	close(loop);
	expect(!world_children(), "a child is left");
}

static void on_alarm(int sig)
{
	(void)sig;
}

static long usage_us(const struct rusage *u)
{
	return (u->ru_utime.tv_sec + u->ru_stime.tv_sec) * 1000000 + u->ru_utime.tv_usec +
	       u->ru_stime.tv_usec;
}

/* Threads, tasks reaped by others, signals meanwhile. */
static void odd_tasks(void *arg)
{
	const struct itimerval often = {{0, 3000}, {0, 3000}}, never = {{0, 0}, {0, 0}};
	const struct ramet_spec specs[] = {
		SPEC(.fn = sleep_ms, .arg = (void *)30000),
		SPEC(.fn = sleep_ms, .arg = (void *)800, .preset = RAMET_PRESET_NPTL,
		     .options = RAMET_NO_LIBC),
		SPEC(.fn = sleep_ms, .arg = (void *)1200),
	};
	struct ramet_task tasks[3], *list[3];
	struct rusage usage[2];
	struct ramet_status status;
	size_t index = 99;
	int r;

	(void)arg;
	signal(SIGALRM, on_alarm);
	for (int i = 0; i < 3; i++) {
		if (!expect((r = ramet_launch(&specs[i], &tasks[i], NULL)) == 0, "launch %d", r))
			return;
		list[i] = &tasks[i];
	}
	setitimer(ITIMER_REAL, &often, NULL);
	getrusage(RUSAGE_THREAD, &usage[0]);
	r = ramet_wait_any(list, 3, PLENTY, &index, &status);
	getrusage(RUSAGE_THREAD, &usage[1]);
	setitimer(ITIMER_REAL, &never, NULL);
	expect(r == 0 && index == 1 && status.exited, "thread: %d, %zu", r, index);
	/* It is looked at now and then, not all the time. */
	r = (int)(usage_us(&usage[1]) - usage_us(&usage[0]));
	expect(r < 200000, "%d us of processor time in 800 ms", r);
	list[1] = NULL;
	waitpid(tasks[2].tid, NULL, 0);
	r = ramet_wait_any(list, 3, PLENTY, &index, &status);
	expect((r == -ECHILD || (r == 0 && status.code == 3)) && index == 2, "reaped: %d, %zu", r,
	       index);
	list[2] = NULL;
	expect(ramet_kill(&tasks[0], SIGKILL) == 0, "kill");
	r = ramet_wait_any(list, 3, PLENTY, &index, &status);
	expect(r == 0 && index == 0 && !status.exited && status.code == SIGKILL, "%d", r);
	for (int i = 0; i < 3; i++)
		ramet_task_close(&tasks[i]);
}

int main(void)
{
	room_make();
	cell_run(WHO_ANY, 60, order_of_ends, NULL, "in the order of their ends");
	cell_run(WHO_ANY, 60, order_of_ends, room_dir, "in the order of their ends, no pidfd");
	cell_run(WHO_ANY, 60, many_tasks, NULL, "500 tasks");
	cell_run(WHO_ANY, 60, with_epoll, NULL, "epoll");
	cell_run(WHO_ANY, 60, odd_tasks, NULL, "threads, the reaped, signals");
	return tap_done();
}
