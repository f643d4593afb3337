/* SPDX-License-Identifier: MIT */
/*
 * What a thread of a C library's is to have of its own. The C library makes all threads alike, so
 * the thread parts from what it is not to share, before its body: the flags that clone would have
 * been given become an unshare of the rest. Order: the tables, so that nothing below reaches
 * another thread; the cgroup; namespaces joined; namespaces made, a cgroup namespace's root being
 * the cgroup entered; then the rest, by the rank that it has in a launch.
 *
 * The memory, the handlers, the process and the user namespace are one for all threads: the kernel
 * has rules for that, and they are asked before a thread is made.
 */
#include "thread/hosted/hosted.h"

#include <fcntl.h>
#include <stdlib.h>

#include "caller/caller.h"
#include "child/child.h"
#include "launch/error.h"
#include "uapi/clone.h"

/* Shared between threads as the C library makes them. */
#define SHARED (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM)
/* Is so, or means nothing, in every thread of a C library's. */
#define ALWAYS                                                                                     \
	(CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID | CLONE_DETACHED | CLONE_PARENT)
#define JOIN_RANK 15

static const struct plan_refusal flags_refused = {
	.id = "thread-flags",
	.why = "The C library makes the thread, and only sharing and namespaces can be changed then.",
	.mend = "Start from RAMET_THREAD_NPTL, leave out FILES, FS or SYSVSEM, add namespaces.",
};
static const struct plan_refusal signal_refused = {
	.id = "thread-signals",
	.why = "A thread's end is no process's end: nobody is sent a signal.",
	.mend = "Leave exit_signal and death_signal 0.",
};
static const struct plan_refusal step_refused = {
	.id = "thread-steps",
	.why = "This step is of a process or of a program, not of one thread.",
	.mend = "Leave it out, or make a process: ramet_launch().",
};
static const struct plan_refusal shared_refused = {
	.id = "thread-step-needs-own",
	.why = "The thread shares what this step changes, so that it would change for others too.",
	.mend = "Leave FS out of the flags, or add the namespace that the step is about.",
};

/* What a thread may do, and of what it must have its own: 0, nothing; else one of the bits. */
static const struct {
	uint32_t kind;
	uint64_t own;
} allowed[] = {
	{RAMET_STEP_CGROUP, 0},
	{RAMET_STEP_JOIN, 0},
	{RAMET_STEP_HOSTNAME, CLONE_NEWUTS},
	{RAMET_STEP_LO_UP, CLONE_NEWNET},
	{RAMET_STEP_PRIVATE_MOUNTS, CLONE_NEWNS},
	{RAMET_STEP_NICE, 0},
	{RAMET_STEP_SCHED, 0},
	{RAMET_STEP_IOPRIO, 0},
	{RAMET_STEP_AFFINITY, 0},
	{RAMET_STEP_TIMER_SLACK, 0},
	{RAMET_STEP_CWD, CLONE_FS},
	{RAMET_STEP_UMASK, CLONE_FS},
};

static int refuse(struct ramet_error *error, const struct plan_refusal *refusal, uint32_t kind)
{
	struct plan_refusal about = *refusal;

	about.kind = kind;
	return error_check(error, -EINVAL, &about);
}

/* 0, or what a rule of the kernel says to it once the process has a second thread. */
static int ask_kernel_rules(struct ramet_error *error, uint32_t kind, enum ramet_entry entry,
			    uint64_t flags, bool own_fs)
{
	const struct ramet_call call = {.entry = entry, .flags = flags};
	const struct ramet_caller threaded = {
		.known = RAMET_KNOWN_THREADS | RAMET_KNOWN_SHARERS | RAMET_KNOWN_TARGET,
		.threads = 2,
		.fs_shared = !own_fs,
		.target = {.fd = RAMET_FD_PIDFD}, /* of any other task, so that none stands out */
	};
	const struct ramet_rule *rule = flags ? ramet_check(&call, &threaded) : NULL;

	if (!rule)
		return 0;
	error_check(error, -rule->error,
		    &(struct plan_refusal){rule->id, rule->why, rule->mend, kind});
	return -rule->error;
}

/* parted: what the thread has of its own. */
static int check_step(const struct ramet_thread_attr *attr, const struct ramet_step *step,
		      uint64_t parted)
{
	const size_t rows = sizeof(allowed) / sizeof(allowed[0]);
	size_t row = 0;

	while (row < rows && allowed[row].kind != step->kind)
		row++;
	if (row == rows)
		return refuse(attr->error, &step_refused, step_kind(step->kind) ? step->kind : 0);
	if (allowed[row].own & ~parted)
		return refuse(attr->error, &shared_refused, step->kind);
	if (step->kind == RAMET_STEP_JOIN)
		return ask_kernel_rules(attr->error, step->kind, RAMET_ENTRY_SETNS, step->mask,
					parted & CLONE_FS);
	return 0;
}

static struct ramet_step unshare_step(uint64_t flags)
{
	return (struct ramet_step){.kind = RAMET_STEP_UNSHARE, .mask = flags};
}

/* Those of ranks within the two, the lowest first, else in the order given. */
static void add_ranks(struct thread_parts *parts, const struct ramet_step *steps, unsigned from,
		      unsigned to)
{
	for (unsigned rank = from; rank <= to; rank++)
		for (const struct ramet_step *s = steps; s && s->kind; s++)
			if (step_kind(s->kind)->rank == rank)
				parts->steps[parts->count++] = *s;
}

/* The processors of the attributes are a step as well: it may be refused. */
static struct ramet_step affinity_step(const struct ramet_thread_attr *attr)
{
	return (struct ramet_step)RAMET_AFFINITY(attr->cpus_size, attr->cpus);
}

static int arrange(const struct ramet_thread_attr *attr, uint64_t tables, uint64_t namespaces,
		   struct thread_parts *ret)
{
	struct thread_parts parts = {0};
	unsigned count = !!tables + !!namespaces + !!attr->cpus;

	for (const struct ramet_step *s = attr->steps; s && s->kind; s++)
		count++;
	if (!count)
		return 0;
	parts.steps = calloc(count, sizeof(*parts.steps));
	if (!parts.steps)
		return error_prepare(attr->error, -ENOMEM, "create a thread");
	if (tables)
		parts.steps[parts.count++] = unshare_step(tables);
	add_ranks(&parts, attr->steps, 0, JOIN_RANK);
	if (namespaces)
		parts.steps[parts.count++] = unshare_step(namespaces);
	if (attr->cpus)
		parts.steps[parts.count++] = affinity_step(attr);
	add_ranks(&parts, attr->steps, JOIN_RANK + 1, 255);
	*ret = parts;
	return 0;
}

int parts_plan(const struct ramet_thread_attr *attr, struct thread_parts *ret)
{
	const uint64_t flags = attr->flags ? attr->flags : RAMET_THREAD_NPTL;
	const uint64_t namespaces = flags & CLONE_NEW_ANY;
	/* As unshare: who has mounts of its own has a root and a directory of its own. */
	const uint64_t tables = (SHARED & ~flags) | (namespaces & CLONE_NEWNS ? CLONE_FS : 0);
	int r;

	if (flags & ~(SHARED | ALWAYS | CLONE_NEW_ANY))
		return refuse(attr->error, &flags_refused, 0);
	if (attr->exit_signal || attr->death_signal)
		return refuse(attr->error, &signal_refused, 0);
	r = ask_kernel_rules(attr->error, RAMET_STEP_UNSHARE, RAMET_ENTRY_UNSHARE,
			     tables | namespaces, true);
	for (const struct ramet_step *s = attr->steps; r >= 0 && s && s->kind; s++)
		r = check_step(attr, s, tables | namespaces);
	if (r < 0)
		return r;
	return arrange(attr, tables, namespaces, ret);
}

/* A thread is moved alone, within the threaded part of a hierarchy; "0" is who writes. */
static long enter_cgroup(const char *path)
{
	const long dir = sys_open(path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	long fd, r;

	if (dir < 0)
		return dir;
	fd = sys4(SYS_openat, dir, (long)"cgroup.threads", O_WRONLY | O_CLOEXEC, 0);
	/* Version 1. */
	if (fd == -ENOENT)
		fd = sys4(SYS_openat, dir, (long)"tasks", O_WRONLY | O_CLOEXEC, 0);
	sys_close((int)dir);
	if (fd < 0)
		return fd;
	r = sys_write((int)fd, "0", 1);
	sys_close((int)fd);
	return r < 0 ? r : 0;
}

/* The kernel's answer to unshare and setns has a rule behind it. */
static void add_rule(struct ramet_error *error, const struct ramet_step *step)
{
	const bool joins = step->kind == RAMET_STEP_JOIN;
	const struct ramet_call call = {
		.entry = joins ? RAMET_ENTRY_SETNS : RAMET_ENTRY_UNSHARE,
		.flags = step->mask,
		.fd = joins ? (uint64_t)step->number : 0,
	};
	struct ramet_caller caller = {0};
	const struct ramet_rule *rule;

	if (!joins && step->kind != RAMET_STEP_UNSHARE)
		return;
	caller_read(&call, &caller);
	rule = ramet_check_errno(&call, &caller, error->error);
	if (!rule)
		return;
	error->rule = rule->id;
	error->why = rule->why;
	error->mend = rule->mend;
}

int parts_take(const struct thread_parts *parts, struct ramet_error *error)
{
	const struct plan plan = {.steps = parts->steps, .count = parts->count};
	struct child child = {0};
	long r;

	for (unsigned i = 0; i < parts->count; i++) {
		const struct ramet_step *step = &parts->steps[i];

		if (step->kind == RAMET_STEP_CGROUP)
			r = enter_cgroup(step->path);
		else
			r = step_kind(step->kind)->run(&child, step);
		if (r >= 0)
			continue;
		error_step(error, (int)r, &plan, i);
		if (error)
			add_rule(error, step);
		return (int)r;
	}
	return 0;
}
