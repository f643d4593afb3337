/* SPDX-License-Identifier: MIT */
/*
 * What a stop means. A task that makes another is stopped inside the call, after the new one was
 * made and before it knows; the new one stops before its first instruction. Either may be seen
 * first, so the new one waits until its maker's event has told of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "inspect/inspect.h"
#include "inspect/text.h"
#include "trace/call.h"
#include "trace/source.h"
#include "uapi/clone.h"

void source_resume(struct traced *task, int request)
{
	/* ESRCH: it was killed meanwhile; its end comes by wait. */
	ptrace(request, task->tid, NULL, (void *)(long)task->stop_signal);
	task->stop_signal = 0;
}

/* From its first stop. One that was stopped like its process stays so until SIGCONT. */
static void begin_to_run(struct traced *task)
{
	source_resume(task, task->job_stopped ? PTRACE_LISTEN : PTRACE_CONT);
}

void source_read_name(struct traced *task)
{
	char path[40];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/comm", task->tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	n = read(fd, task->name, sizeof(task->name));
	close(fd);
	if (n <= 0)
		return;
	task->name[n - 1] = '\0';
	for (char *at = task->name; *at; at++)
		if (*at < ' ' || *at > '~')
			*at = '?';
}

static int event_message(const struct traced *task)
{
	unsigned long message = 0;

	if (ptrace(PTRACE_GETEVENTMSG, task->tid, NULL, &message) < 0)
		return 0;
	return (int)message;
}

/* ---- A task was made ---- */

/* Bytes of memory that a task has in use: what a copy has to go through. */
static uint64_t memory_of(const struct traced *task)
{
	unsigned long long all, used = 0;
	char path[40], text[64];

	snprintf(path, sizeof(path), "/proc/%d/statm", task->tid);
	if (inspect_text(AT_FDCWD, path, text, sizeof(text)) > 0 &&
	    sscanf(text, "%llu %llu", &all, &used) != 2)
		used = 0;
	return used * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* A task that no event has told of: seen before its maker's stop. */
static void set_untold(struct tracer *t, struct traced *task)
{
	if (task->untold)
		return;
	task->untold = source_now();
	if (!t->untold++)
		t->untold_since = task->untold;
}

static void set_told(struct tracer *t, struct traced *task)
{
	t->untold -= task->untold > 0;
	task->untold = 0;
	task->known = true;
	task->waits = false;
}

static void restore_flags(struct traced *task, const struct line_call *call)
{
	if (task->put_back)
		call_change_flags(task->tid, call, 0, task->put_back);
	task->put_back = 0;
}

/* The maker's call is over, as far as it is of interest; both are stopped. What is to be told: */
static struct trace_event take_made(struct tracer *t, struct traced *maker, struct traced *child)
{
	const struct ramet_call *call = &maker->call.call;
	struct trace_event event = {.kind = TRACE_MADE, .child = child->tid, .ns = source_now()};

	if (!child->known) {
		child->tgid = call->flags & CLONE_THREAD ? maker->tgid : child->tid;
		memcpy(child->name, maker->name, sizeof(child->name));
	}
	set_told(t, child);
	if (call->flags & CLONE_VFORK) {
		maker->held_by = child->tid;
		maker->held_since = maker->entered ? maker->entered : event.ns;
	}
	child->put_back = maker->put_back;
	restore_flags(maker, &maker->call);
	if (child->begun)
		restore_flags(child, &maker->call);
	else if (child->put_back)
		child->call = maker->call;
	maker->call.given |= LINE_RESULT;
	maker->call.result = child->tid;
	event.line = maker->call;
	event.took_ns = maker->entered ? event.ns - maker->entered : 0;
	event.rss = call->flags & CLONE_VM ? 0 : memory_of(maker);
	maker->entered = 0;
	return event;
}

/* Without a filter the call was not seen at its entry. */
static void ensure_call(struct traced *task)
{
	if (!task->in_call && call_read(task->tid, &task->call) <= 0)
		task->call = (struct line_call){.name = "clone",
						.source = "ramet",
						.fd = -1,
						.call.entry = RAMET_ENTRY_CLONE};
	task->in_call = false;
}

static void finish(struct tracer *t, struct traced *task)
{
	source_tell(t, task, (struct trace_event){.kind = TRACE_ENDED, .status = task->end_status});
	traced_remove(&t->tasks, task);
}

static void on_made(struct tracer *t, struct traced *task)
{
	int tid = event_message(task);
	struct traced *child = tid > 0 ? source_task(t, tid) : NULL;
	struct trace_event event;
	bool waits;

	ensure_call(task);
	if (!child) {
		source_resume(task, PTRACE_CONT);
		return;
	}
	if (t->options.pairwise && !child->begun && !child->ended) {
		child->maker = task->tid;
		task->awaits = child->tid;
		return;
	}
	waits = child->waits;
	event = take_made(t, task, child);
	if (t->options.pairwise)
		source_tell(t, task, event);
	/* From here the end of the call is of no interest: no PTRACE_SYSCALL. */
	if (waits)
		begin_to_run(child);
	source_resume(task, PTRACE_CONT);
	/* They need not stand still for what is made of it. */
	if (!t->options.pairwise)
		source_tell(t, task, event);
	if (child->ended)
		finish(t, child);
}

/* Pairwise: both are stopped now, or one has ended. The maker's row, which may go on; or NULL. */
static struct traced *tell_pair(struct tracer *t, struct traced *child)
{
	struct traced *maker = child->maker ? traced_find(&t->tasks, child->maker) : NULL;

	child->maker = 0;
	if (!maker || maker->awaits != child->tid)
		return NULL;
	maker->awaits = 0;
	source_tell(t, maker, take_made(t, maker, child));
	return maker;
}

static void on_first_stop(struct tracer *t, struct traced *task, bool job_stopped)
{
	struct traced *maker;

	task->begun = true;
	task->job_stopped = job_stopped;
	maker = tell_pair(t, task);
	if (maker)
		source_resume(maker, PTRACE_CONT);
	restore_flags(task, &task->call);
	if (task->known) {
		begin_to_run(task);
		return;
	}
	task->waits = true;
	set_untold(t, task);
}

void source_adopt(struct tracer *t, struct traced *task)
{
	const bool waits = task->waits;
	struct inspect_task seen = {.tid = task->tid};
	int64_t process;

	snprintf(seen.proc, sizeof(seen.proc), "/proc/%d", task->tid);
	if (inspect_status(&seen, "Tgid", &process) == 0)
		task->tgid = (int)process;
	set_told(t, task);
	source_read_name(task);
	source_tell(t, task, (struct trace_event){.kind = TRACE_BEGIN, .child = task->tgid});
	if (task->ended)
		finish(t, task);
	else if (waits)
		begin_to_run(task);
}

/* ---- Calls that were caught at their entry ---- */

static void say_lost(struct tracer *t, struct traced *task, const char *what)
{
	source_tell(t, task, (struct trace_event){.kind = TRACE_LOST, .what = what});
}

/*
 * A task made with CLONE_UNTRACED would inherit the filter and have nobody to answer it: its own
 * calls would fail. In clone the bit is taken away, and put back into both tasks' register once
 * the kernel has read it; in clone3 it lies in the program's memory, which is left alone.
 */
static void keep_traced(struct tracer *t, struct traced *task)
{
	if (!(task->call.call.flags & CLONE_UNTRACED) ||
	    task->call.call.entry & (RAMET_ENTRY_UNSHARE | RAMET_ENTRY_SETNS))
		return;
	if (call_change_flags(task->tid, &task->call, CLONE_UNTRACED, 0) < 0)
		say_lost(
			t, task,
			"a task made by clone3 with CLONE_UNTRACED; its own calls of clone will fail "
			"with ENOSYS");
	else
		task->put_back = CLONE_UNTRACED;
}

static void on_entry(struct tracer *t, struct traced *task)
{
	const int r = call_read(task->tid, &task->call);

	task->in_call = r > 0;
	if (task->in_call)
		keep_traced(t, task);
	else if (r == -EXDEV)
		call_refuse(task->tid);
	task->entered = source_now();
	source_resume(task, task->in_call ? PTRACE_SYSCALL : PTRACE_CONT);
}

static int64_t read_result(const struct traced *task)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, task->tid, sizeof(info), &info) > 0 &&
	    info.op == PTRACE_SYSCALL_INFO_EXIT)
		return info.exit.rval;
	return 0;
}

/* A signal came first, and the kernel makes the call again: nothing has happened. */
static bool is_restart(int64_t result)
{
	return result <= -512 && result >= -516;
}

static void tell_result(struct tracer *t, struct traced *task, int64_t result)
{
	struct trace_event event = {.kind = TRACE_REFUSED};
	const enum ramet_entry entry = task->call.call.entry;

	task->call.given |= result < 0 ? LINE_ERROR : LINE_RESULT;
	task->call.error = result < 0 ? (int)-result : 0;
	task->call.result = result < 0 ? 0 : result;
	if (result >= 0 && entry == RAMET_ENTRY_UNSHARE) {
		event.kind = TRACE_UNSHARED;
	} else if (result >= 0 && entry == RAMET_ENTRY_SETNS) {
		event.kind = TRACE_JOINED;
		source_read_joined(t, task, &event);
	} else if (result >= 0) {
		/* That of clone3 with CLONE_UNTRACED has been told. */
		if (!(task->call.call.flags & CLONE_UNTRACED))
			say_lost(t, task, "a task that was made without its tracer being told");
		return;
	}
	event.line = task->call;
	source_tell(t, task, event);
}

static void on_result(struct tracer *t, struct traced *task)
{
	if (task->in_call) {
		const int64_t result = read_result(task);

		restore_flags(task, &task->call);
		task->in_call = false;
		if (!is_restart(result))
			tell_result(t, task, result);
	}
	task->entered = 0;
	source_resume(task, PTRACE_CONT);
}

/* ---- exec, vfork, signals ---- */

static void on_exec(struct tracer *t, struct traced *task)
{
	int former = event_message(task);
	struct traced *caller = former > 0 && former != task->tid ? traced_find(&t->tasks, former)
								  : NULL;
	char name[TRACED_NAME];

	if (task->tid == t->program && !task->known) {
		task->known = task->begun = true;
		source_read_name(task);
		source_tell(t, task,
			    (struct trace_event){.kind = TRACE_BEGIN, .child = task->tgid});
		source_resume(task, PTRACE_CONT);
		return;
	}
	memcpy(name, caller ? caller->name : task->name, sizeof(name));
	/* The other threads are gone; the one that called goes on under the first one's tid. */
	if (caller)
		traced_remove(&t->tasks, caller);
	set_told(t, task);
	task->begun = true;
	task->tgid = task->tid;
	task->in_call = false;
	task->stop_signal = task->held_by = task->awaits = 0;
	task->entered = task->put_back = 0;
	source_read_name(task);
	source_tell(t, task,
		    (struct trace_event){
			    .kind = TRACE_EXEC, .child = caller ? former : 0, .former = name});
	source_resume(task, PTRACE_CONT);
}

static void on_released(struct tracer *t, struct traced *task)
{
	/* 0: it was in that vfork when it was attached to. */
	if (task->held_by)
		source_tell(t, task,
			    (struct trace_event){
				    .kind = TRACE_RELEASED,
				    .child = task->held_by,
				    .line = task->call,
				    .took_ns = source_now() - task->held_since,
			    });
	task->held_by = 0;
	source_resume(task, PTRACE_CONT);
}

static bool is_stopping(int sig)
{
	return sig == SIGSTOP || sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU;
}

void source_stopped(struct tracer *t, struct traced *task, int status)
{
	int sig = WSTOPSIG(status);

	t->stops++;
	switch (status >> 16) {
	case PTRACE_EVENT_CLONE:
	case PTRACE_EVENT_FORK:
	case PTRACE_EVENT_VFORK:
		on_made(t, task);
		return;
	case PTRACE_EVENT_VFORK_DONE:
		on_released(t, task);
		return;
	case PTRACE_EVENT_EXEC:
		on_exec(t, task);
		return;
	case PTRACE_EVENT_SECCOMP:
		on_entry(t, task);
		return;
	case PTRACE_EVENT_STOP:
		if (!task->begun)
			on_first_stop(t, task, is_stopping(sig));
		else if (is_stopping(sig)) /* of the job: it stays stopped until SIGCONT */
			ptrace(PTRACE_LISTEN, task->tid, NULL, NULL);
		else
			source_resume(task, PTRACE_CONT);
		return;
	default:
		break;
	}
	if (sig == (SIGTRAP | 0x80)) {
		on_result(t, task);
		return;
	}
	task->stop_signal = sig;
	source_resume(task, task->in_call ? PTRACE_SYSCALL : PTRACE_CONT);
}

void source_ended(struct tracer *t, struct traced *task, int status)
{
	struct traced *child = task->awaits ? traced_find(&t->tasks, task->awaits) : NULL;
	struct traced *maker;

	if (task->tid == t->program)
		t->status = status;
	task->waits = false;
	task->end_status = status;
	/* Killed while it was to wait for its child's first stop, or the other way round. */
	if (child)
		tell_pair(t, child);
	maker = tell_pair(t, task);
	if (maker)
		source_resume(maker, PTRACE_CONT);
	if (task->known) {
		finish(t, task);
	} else if (task->tid == t->program) {
		traced_remove(&t->tasks, task);
	} else {
		/* One that nobody has told of yet is kept until its maker does. */
		task->ended = true;
		set_untold(t, task);
	}
}
