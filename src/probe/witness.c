/* SPDX-License-Identifier: MIT */
/*
 * The second witness: what kcmp and /proc say of the two live tasks, independent of anything
 * they report themselves. It can lie where both have none of a thing, which is why the parent
 * makes an undo list and an I/O context before.
 */
#include "probe/probe.h"

#include <errno.h>
#include <string.h>

static const char *const ns_names[PROBE_NS_COUNT] = {
	[PROBE_NS_MNT] = "mnt",	      [PROBE_NS_PID] = "pid",	[PROBE_NS_NET] = "net",
	[PROBE_NS_IPC] = "ipc",	      [PROBE_NS_UTS] = "uts",	[PROBE_NS_USER] = "user",
	[PROBE_NS_CGROUP] = "cgroup", [PROBE_NS_TIME] = "time",
};

static int same_ns(const struct inspect_task *a, const struct inspect_task *b, const char *name)
{
	uint64_t first, second;
	int r = inspect_ns(a, name, &first);

	if (r == 0)
		r = inspect_ns(b, name, &second);
	return r < 0 ? r : first == second;
}

static int same_status(const struct inspect_task *a, const struct inspect_task *b, const char *name)
{
	int64_t first, second;
	int r = inspect_status(a, name, &first);

	if (r == 0)
		r = inspect_status(b, name, &second);
	return r < 0 ? r : first == second;
}

static int same_cgroup(const struct inspect_task *a, const struct inspect_task *b)
{
	char first[1024], second[1024];
	int r = inspect_cgroup(a, first, sizeof(first));

	if (r == 0)
		r = inspect_cgroup(b, second, sizeof(second));
	return r < 0 ? r : !strcmp(first, second);
}

/* The child's thread pointer as ptrace reads it, against the parent's; and is it one memory? */
static int same_pointer(const struct probe_facts *facts, const struct inspect_task *child)
{
	uint64_t pointer;
	int r = inspect_thread_pointer(child, &pointer);

	if (r < 0)
		return r;
	return pointer == facts->before.tp ? facts->second.same[INSPECT_VM] : 0;
}

void probe_ask_second(struct probe_facts *facts, const struct inspect_task *parent,
		      const struct inspect_task *child)
{
	struct probe_seconds *s = &facts->second;
	const struct inspect_task *pair[2] = {parent, child};

	for (int object = INSPECT_VM; object <= INSPECT_SYSVSEM; object++)
		s->same[object] = inspect_same(parent, child, object);
	/* Two tasks that have none look as if they shared it. */
	if (facts->before.sem < 0)
		s->same[INSPECT_SYSVSEM] = facts->before.sem;
	if (facts->before.io < 0)
		s->same[INSPECT_IO] = facts->before.io;
	for (int i = 0; i < PROBE_NS_COUNT; i++)
		s->ns[i] = same_ns(parent, child, ns_names[i]);
	s->group = same_status(parent, child, "Tgid");
	s->parent = same_status(parent, child, "PPid");
	s->cgroup = same_cgroup(parent, child);
	s->tls = same_pointer(facts, child);
	s->exit_signal = inspect_stat(child, 38, &s->exit_signal_number);
	if (s->exit_signal == 0)
		s->exit_signal = s->exit_signal_number == probe_promised_signal(&facts->call);
	for (int i = 0; i < 2; i++)
		if (inspect_status(pair[i], "VmPTE", &s->tables[i]) < 0)
			s->tables[i] = -1;
}
