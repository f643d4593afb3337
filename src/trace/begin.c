/* SPDX-License-Identifier: MIT */
/*
 * Taking hold: of a program that is started for it, or of all threads of one that runs. Only
 * launch makes tasks, so the program is a function body that waits until it is traced and then
 * calls exec; the filter is a step of that launch.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ramet/ramet.h>

#include "caller/caller.h"
#include "inspect/inspect.h"
#include "trace/call.h"
#include "trace/source.h"

#define KERNEL_PF_KTHREAD 0x00200000 /* linux/sched.h */

static int fail(struct trace_failure *failure, int error, const char *what)
{
	snprintf(failure->text, sizeof(failure->text), "%s: %s", what, strerror(error));
	return -error;
}

/* ---- Who may not be traced ---- */

static struct inspect_task folder_of(int tid)
{
	struct inspect_task task = {.tid = tid};

	snprintf(task.proc, sizeof(task.proc), "/proc/%d", tid);
	return task;
}

static bool has_ended(int tid)
{
	const struct inspect_task task = folder_of(tid);
	int state = inspect_state(&task);

	return state < 0 || state == 'Z' || state == 'X';
}

static int64_t tracer_of(int tid)
{
	const struct inspect_task task = folder_of(tid);
	int64_t tracer;

	return inspect_status(&task, "TracerPid", &tracer) < 0 ? 0 : tracer;
}

/* Why a task may not be traced, beyond 'Operation not permitted'. */
static int refuse(struct trace_failure *failure, int error, int pid)
{
	const struct inspect_task task = folder_of(pid);
	int64_t tracer = tracer_of(pid), flags = 0, scope = 0, uid = -1;
	FILE *f = fopen("/proc/sys/kernel/yama/ptrace_scope", "re");
	char *text = failure->text;
	const size_t size = sizeof(failure->text);

	if (f && fscanf(f, "%" SCNd64, &scope) != 1)
		scope = 0;
	if (f)
		fclose(f);
	inspect_stat(&task, 9, &flags);
	inspect_status(&task, "Uid", &uid);
	if (flags & KERNEL_PF_KTHREAD)
		snprintf(text, size, "%d is a kernel thread", pid);
	else if (tracer)
		snprintf(text, size, "%d is already traced, by process %jd", pid, (intmax_t)tracer);
	else if (error == EPERM && uid >= 0 && uid != getuid())
		snprintf(text, size, "%d belongs to user %jd: CAP_SYS_PTRACE is needed", pid,
			 (intmax_t)uid);
	else if (error == EPERM && scope)
		snprintf(text, size,
			 "%d: not permitted; /proc/sys/kernel/yama/ptrace_scope is %jd: from 1 on "
			 "only descendants may be traced, from 2 on nobody, without CAP_SYS_PTRACE",
			 pid, (intmax_t)scope);
	else if (error == EPERM)
		snprintf(text, size,
			 "%d: %s; it may have changed its identity, or have more capabilities than "
			 "ramet has",
			 pid, strerror(error));
	else
		snprintf(text, size, "%d: %s", pid, strerror(error));
	return -error;
}

/* ---- A program ---- */

struct start {
	char *const *argv;
	int go[2];  /* closed by the tracer when it has hold */
	int *error; /* of exec, shared */
};

static int start_program(void *arg)
{
	struct start *start = arg;
	char byte;

	close(start->go[1]);
	while (read(start->go[0], &byte, 1) < 0 && errno == EINTR)
		;
	close(start->go[0]);
	execvp(start->argv[0], start->argv);
	*start->error = errno;
	return 127;
}

static int exec_failed(int error, const char *name, struct trace_failure *failure)
{
	failure->not_found = error == ENOENT;
	failure->cannot_run = error != ENOENT;
	return fail(failure, error, name);
}

/* What is the child's until exec: it may be stopped by signals before. */
static int until_exec(struct tracer *t, struct traced *task, int *status)
{
	for (;;) {
		if (waitpid(task->tid, status, __WALL) < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		if (!WIFSTOPPED(*status) || *status >> 16 == PTRACE_EVENT_EXEC)
			return 0;
		source_stopped(t, task, *status);
	}
}

/* Hold the child and let it exec; it is stopped there, or has ended and told why. */
static int hold(struct tracer *t, struct start *start, pid_t tid, struct trace_failure *failure)
{
	struct traced *task = source_task(t, tid);
	int status, r = 0;

	if (!task)
		r = -ENOMEM;
	else if (ptrace(PTRACE_SEIZE, tid, NULL, (void *)source_ptrace_options(t)) < 0)
		r = -errno;
	if (r < 0) {
		refuse(failure, -r, tid);
		kill(tid, SIGKILL);
	}
	close(start->go[1]);
	if (r < 0) {
		waitpid(tid, &status, __WALL);
		if (task)
			traced_remove(&t->tasks, task);
		return r;
	}
	t->program = tid;
	task->begun = true;
	r = until_exec(t, task, &status);
	if (r < 0)
		return fail(failure, -r, "cannot wait for the new task");
	if (*start->error) {
		traced_remove(&t->tasks, task);
		return exec_failed(*start->error, start->argv[0], failure);
	}
	if (WIFSTOPPED(status))
		source_stopped(t, task, status);
	else
		source_ended(t, task, status);
	return 0;
}

/* Without CAP_SYS_ADMIN a filter needs no_new_privs; with it set-user-id programs stay possible. */
static bool is_privileged(void)
{
	const struct ramet_call any = {.entry = RAMET_ENTRY_CLONE3};
	struct ramet_caller caller;

	caller_read(&any, &caller);
	return caller.sys_admin;
}

static int launch(struct tracer *t, struct start *start, struct trace_failure *failure)
{
	struct sock_filter filter[CALL_FILTER_MAX];
	size_t n = call_filter(filter);
	const struct ramet_step privileged[] = {RAMET_SECCOMP(n * sizeof(*filter), filter), {0}};
	const struct ramet_step ordinary[] = {
		RAMET_NO_NEW_PRIVS(), RAMET_SECCOMP(n * sizeof(*filter), filter), {0}};
	struct ramet_task task;
	struct ramet_error error;
	int r;

	t->filtered = !t->options.events_only;
	r = ramet_launch(&RAMET_SPEC(.fn = start_program, .arg = start,
				     .steps = !t->filtered	? NULL
					      : is_privileged() ? privileged
								: ordinary),
			 &task, &error);
	close(start->go[0]);
	if (r < 0) {
		close(start->go[1]);
		ramet_error_format(&error, failure->text, sizeof(failure->text));
		return r;
	}
	source_catch_signals(t);
	r = hold(t, start, task.tid, failure);
	ramet_task_close(&task);
	return r;
}

int tracer_start(struct tracer *t, char *const *argv, struct trace_failure *failure)
{
	struct start start = {.argv = argv};
	int r;

	if (pipe2(start.go, O_CLOEXEC) < 0)
		return fail(failure, errno, "pipe");
	start.error = mmap(NULL, sizeof(*start.error), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (start.error == MAP_FAILED) {
		close(start.go[0]);
		close(start.go[1]);
		return fail(failure, errno, "mmap");
	}
	r = launch(t, &start, failure);
	munmap(start.error, sizeof(*start.error));
	return r;
}

/* ---- What runs ---- */

static void tell_there(struct tracer *t, struct traced *task)
{
	task->known = task->begun = true;
	source_read_name(task);
	source_tell(t, task, (struct trace_event){.kind = TRACE_BEGIN, .child = task->tgid});
}

/* Take hold of one thread; 1 if it was not held before. */
static int seize(struct tracer *t, int pid, int tid, struct trace_failure *failure)
{
	struct traced *task = traced_find(&t->tasks, tid);

	if (task)
		return 0;
	if (ptrace(PTRACE_SEIZE, tid, NULL, (void *)source_ptrace_options(t)) < 0) {
		int error = errno;

		/* It has just ended, or was just made by one that is held, and is held too. */
		if (error == ESRCH || has_ended(tid) || tracer_of(tid) == getpid())
			return 0;
		return refuse(failure, error, tid);
	}
	task = source_task(t, tid);
	if (!task)
		return fail(failure, ENOMEM, "trace");
	task->tgid = pid;
	tell_there(t, task);
	return 1;
}

/* Threads that are made meanwhile are found by the next round; those made later by events. */
static int seize_all(struct tracer *t, int pid, DIR *dir, struct trace_failure *failure)
{
	struct dirent *entry;
	int fresh = 0, r;

	rewinddir(dir);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
			continue;
		r = seize(t, pid, atoi(entry->d_name), failure);
		if (r < 0)
			return r;
		fresh += r;
	}
	return fresh;
}

static int seize_process(struct tracer *t, int pid, DIR *dir, struct trace_failure *failure)
{
	/* A first thread that has ended is still what its process is called by. */
	struct traced dead = {.tid = pid, .tgid = pid};
	const struct inspect_task task = folder_of(pid);
	const bool was_dead = has_ended(pid) && inspect_threads(&task, NULL, 0) > 1;
	int r;

	if (was_dead)
		tell_there(t, &dead);
	do
		r = seize_all(t, pid, dir, failure);
	while (r > 0);
	if (was_dead)
		source_tell(t, &dead, (struct trace_event){.kind = TRACE_ENDED});
	return r;
}

int tracer_attach(struct tracer *t, int pid, struct trace_failure *failure)
{
	struct inspect_task task = folder_of(pid);
	int64_t process;
	char path[40];
	DIR *dir;
	int r = inspect_status(&task, "Tgid", &process);

	if (r < 0) {
		snprintf(failure->text, sizeof(failure->text), "there is no process %d", pid);
		return r;
	}
	pid = (int)process;
	if (pid == getpid()) {
		snprintf(failure->text, sizeof(failure->text), "ramet cannot trace itself");
		return -EPERM;
	}
	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	if (!dir)
		return fail(failure, errno == ENOENT ? ESRCH : errno, "process");
	source_catch_signals(t);
	r = seize_process(t, pid, dir, failure);
	closedir(dir);
	if (r == 0 && !t->tasks.count) {
		snprintf(failure->text, sizeof(failure->text), "process %d has ended already", pid);
		return -ESRCH;
	}
	return r;
}
