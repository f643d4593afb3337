/* SPDX-License-Identifier: MIT */
/*
 * The loop: wait for any stop of any traced task, have it understood, go on. Also what becomes of
 * new tasks whose maker was killed in the call, and the letting go at the end.
 */
#include "trace/source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "inspect/inspect.h"

/* For a maker's event to come after the new task's stop: as a rule; at most. */
#define PATIENCE_NS 20000000ull
#define PATIENCE_MOST_NS 2000000000ull
/* For all tasks to stop so that they can be let go: one in a vfork does not until that is over. */
#define LETTING_GO_NS 1000000000ull

uint64_t source_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/*
 * Where the view fails, a program that was started is traced on all the same: it is to end as it
 * would, and behind the filter its calls would fail without a tracer.
 */
void source_tell(struct tracer *t, const struct traced *task, struct trace_event event)
{
	int r;

	if (t->muted)
		return;
	event.ns = (event.ns ? event.ns : source_now()) - t->began;
	event.tid = task->tid;
	event.tgid = task->tgid;
	if (!event.name)
		event.name = task->name;
	r = t->options.event(t->options.arg, &event);
	if (r < 0 && t->program)
		t->muted = r;
	else if (r && !t->result)
		t->result = r;
}

long source_ptrace_options(const struct tracer *t)
{
	long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK |
		       PTRACE_O_TRACEVFORK | PTRACE_O_TRACEVFORKDONE | PTRACE_O_TRACEEXEC;

	/* Without a tracer the filter answers ENOSYS: then nobody may live on. */
	if (t->filtered)
		options |= PTRACE_O_TRACESECCOMP | PTRACE_O_EXITKILL;
	return options;
}

struct traced *source_task(struct tracer *t, int tid)
{
	struct traced *task = traced_find(&t->tasks, tid);

	if (!task)
		task = traced_add(&t->tasks, tid);
	if (!task)
		t->result = -ENOMEM;
	return task;
}

/* ---- One change ---- */

static void take_change(struct tracer *t, int tid, int status)
{
	struct traced *task = source_task(t, tid);

	if (!task)
		return;
	if (WIFSTOPPED(status))
		source_stopped(t, task, status);
	else
		source_ended(t, task, status);
}

/* ---- New tasks whose makers have not told of them ---- */

/* May any live task be the one that is making this task, and have an event still to come? */
static bool has_maker(const struct tracer *t, const struct traced *task)
{
	struct inspect_task seen = {.tid = task->tid};
	int64_t process, parent;

	snprintf(seen.proc, sizeof(seen.proc), "/proc/%d", task->tid);
	if (inspect_status(&seen, "Tgid", &process) < 0 ||
	    inspect_status(&seen, "PPid", &parent) < 0)
		return false;
	if (process != task->tid)
		parent = process;
	for (size_t at = 0; at < t->tasks.bucket_count; at++)
		for (const struct traced *o = t->tasks.buckets[at]; o; o = o->next)
			if (o->tgid == parent && o != task && o->known &&
			    (o->in_call || !t->filtered))
				return true;
	return false;
}

/*
 * A maker that was killed in the call tells nothing any more. One whose event has come is found
 * by asking each: waitpid(-1) takes the youngest first, so it may not have been its turn.
 */
static void settle(struct tracer *t)
{
	const uint64_t now = source_now();
	size_t count;
	int *list = traced_list(&t->tasks, &count), status;

	t->untold_since = now;
	for (size_t i = 0; list && i < count && t->untold; i++)
		if (waitpid(list[i], &status, __WALL | WNOHANG) > 0)
			take_change(t, list[i], status);
	for (size_t i = 0; list && i < count && t->untold; i++) {
		struct traced *task = traced_find(&t->tasks, list[i]);

		if (!task || !task->untold || task->known || now < task->untold + PATIENCE_NS)
			continue;
		if (now > task->untold + PATIENCE_MOST_NS || (task->waits && !has_maker(t, task)))
			source_adopt(t, task);
	}
	free(list);
}

/* At the end nobody is left who could tell. */
static void adopt_all(struct tracer *t)
{
	size_t count;
	int *list = traced_list(&t->tasks, &count);

	for (size_t i = 0; list && i < count && t->untold; i++) {
		struct traced *task = traced_find(&t->tasks, list[i]);

		if (task && task->untold && !task->known)
			source_adopt(t, task);
	}
	free(list);
}

/* ---- The loop ---- */

/* The next change of any task; while tasks wait for their makers the wait has a limit. */
static int next_change(struct tracer *t, int *status)
{
	int tid;

	if (!t->untold)
		return waitpid(-1, status, __WALL);
	if (source_now() > t->untold_since + PATIENCE_NS)
		settle(t);
	tid = waitpid(-1, status, __WALL | WNOHANG);
	if (tid)
		return tid;
	source_start_timer(PATIENCE_NS / 1000);
	return waitpid(-1, status, __WALL);
}

/* ---- Letting go ---- */

/* A task must be stopped to be let go; a signal that stopped it is given to it. */
static void let_go(struct tracer *t, int tid, int status)
{
	struct traced *task = traced_find(&t->tasks, tid);
	int sig = 0;

	if (WIFSTOPPED(status)) {
		if (!(status >> 16) && WSTOPSIG(status) != (SIGTRAP | 0x80))
			sig = WSTOPSIG(status);
		ptrace(PTRACE_DETACH, tid, NULL, (void *)(long)sig);
	} else if (tid == t->program) {
		t->status = status;
	}
	if (task)
		traced_remove(&t->tasks, task);
}

/*
 * Until wait(2) says that nobody is left: a maker that is let go may have a new task still to be
 * waited for. Whoever does not stop in time is let go by the kernel when ramet ends.
 */
static void let_all_go(struct tracer *t)
{
	const uint64_t until = source_now() + LETTING_GO_NS;
	int status, tid;

	for (size_t at = 0; at < t->tasks.bucket_count; at++)
		for (struct traced *task = t->tasks.buckets[at]; task; task = task->next)
			if (task->waits || task->awaits)
				ptrace(PTRACE_DETACH, task->tid, NULL, NULL);
			else
				ptrace(PTRACE_INTERRUPT, task->tid, NULL, NULL);
	while (source_now() < until) {
		tid = waitpid(-1, &status, __WALL | WNOHANG);
		if (tid > 0) {
			let_go(t, tid, status);
			continue;
		}
		if (tid < 0 && errno != EINTR)
			break;
		source_start_timer(PATIENCE_NS / 1000);
		tid = waitpid(-1, &status, __WALL);
		if (tid > 0)
			let_go(t, tid, status);
	}
}

/* ---- */

int tracer_new(const struct trace_options *options, struct tracer **ret,
	       struct trace_failure *failure)
{
	struct tracer *t = calloc(1, sizeof(*t));

	if (!t) {
		snprintf(failure->text, sizeof(failure->text), "%s", strerror(ENOMEM));
		return -ENOMEM;
	}
	t->options = *options;
	t->status = -1;
	t->began = source_now();
	*ret = t;
	return 0;
}

int tracer_run(struct tracer *t, int *ret_status)
{
	int status, tid;

	while (!t->result) {
		tid = next_change(t, &status);
		if (tid > 0)
			take_change(t, tid, status);
		else if (errno != EINTR)
			break; /* ECHILD: nobody is left */
		source_take_signals(t);
	}
	if (!t->result)
		adopt_all(t);
	else if (!t->filtered)
		let_all_go(t);
	source_release_signals(t);
	*ret_status = t->status;
	if (t->muted)
		return t->muted;
	return t->result < 0 ? t->result : 0;
}

void tracer_free(struct tracer *t)
{
	if (!t)
		return;
	source_release_signals(t);
	traced_free(&t->tasks);
	free(t);
}

uint64_t tracer_stops(const struct tracer *t)
{
	return t->stops;
}
