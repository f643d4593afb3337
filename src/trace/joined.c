/* SPDX-License-Identifier: MIT */
/* Which namespaces a call of setns has joined, and who is in them. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "inspect/inspect.h"
#include "trace/source.h"
#include "uapi/clone.h"

/* Others are asked for their namespace one by one: setns is rare, tasks may be many. */
#define ASKED_MOST 1000

static const struct {
	uint64_t flag;
	const char *name;
	const char *own; /* where who has joined has it: its own pid namespace never changes */
} kinds[] = {
	{CLONE_NEWNET, "net", "net"},	 {CLONE_NEWNS, "mnt", "mnt"},
	{CLONE_NEWUTS, "uts", "uts"},	 {CLONE_NEWIPC, "ipc", "ipc"},
	{CLONE_NEWUSER, "user", "user"}, {CLONE_NEWCGROUP, "cgroup", "cgroup"},
	{CLONE_NEWTIME, "time", "time"}, {CLONE_NEWPID, "pid", "pid_for_children"},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static bool ask(int tid, const char *name, uint64_t *ret)
{
	struct inspect_task seen = {.tid = tid};

	snprintf(seen.proc, sizeof(seen.proc), "/proc/%d", tid);
	return inspect_ns(&seen, name, ret) == 0;
}

/* A task that is in all those namespaces. 0: nobody who is traced. */
static int find_joined(const struct tracer *t, const struct traced *task, uint64_t flags)
{
	uint64_t own[KINDS] = {0}, inode;
	unsigned asked = 0;

	for (size_t i = 0; i < KINDS; i++)
		if (flags & kinds[i].flag && !ask(task->tid, kinds[i].own, &own[i]))
			return 0;
	for (size_t at = 0; at < t->tasks.bucket_count; at++)
		for (struct traced *o = t->tasks.buckets[at]; o; o = o->next) {
			bool same = o != task && o->known;

			if (asked++ == ASKED_MOST)
				return 0;
			for (size_t i = 0; i < KINDS && same; i++)
				if (own[i])
					same = ask(o->tid, kinds[i].name, &inode) &&
					       inode == own[i];
			if (same)
				return o->tid;
		}
	return 0;
}

/* With flags 0 the descriptor alone says which namespace: its name begins with it. */
static uint64_t type_of(const struct traced *task)
{
	static const struct {
		const char *prefix;
		uint64_t flag;
	} types[] = {{"mnt:", CLONE_NEWNS},	   {"net:", CLONE_NEWNET},   {"uts:", CLONE_NEWUTS},
		     {"ipc:", CLONE_NEWIPC},	   {"user:", CLONE_NEWUSER}, {"pid:", CLONE_NEWPID},
		     {"cgroup:", CLONE_NEWCGROUP}, {"time:", CLONE_NEWTIME}};
	char path[64], link[64] = "";

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", task->tid, task->call.fd);
	if (readlink(path, link, sizeof(link) - 1) < 0)
		return 0;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (!strncmp(link, types[i].prefix, strlen(types[i].prefix)))
			return types[i].flag;
	return 0;
}

void source_read_joined(const struct tracer *t, struct traced *task, struct trace_event *event)
{
	uint64_t *flags = &task->call.call.flags;

	if (!*flags)
		*flags = type_of(task);
	event->child = *flags ? find_joined(t, task, *flags) : 0;
}
