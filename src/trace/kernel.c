/* SPDX-License-Identifier: MIT */
/*
 * What the kernel says about who shares what: told to the world about tasks that were there before
 * the trace, and compared with the world for --verify.
 */
#include <stdio.h>

#include "inspect/inspect.h"
#include "trace/record.h"

/* I/O contexts and undo lists are not here: of two tasks that have none kcmp says the same. */
static const struct {
	uint32_t resource;
	enum inspect_object object;
	const char *name; /* of a namespace */
} compared[] = {
	{RAMET_MEMORY, INSPECT_VM, NULL},
	{RAMET_FILES, INSPECT_FILES, NULL},
	{RAMET_FS, INSPECT_FS, NULL},
	{RAMET_SIGHAND, INSPECT_SIGHAND, NULL},
	{RAMET_MNT, 0, "mnt"},
	{RAMET_NET, 0, "net"},
	{RAMET_UTS, 0, "uts"},
	{RAMET_IPC, 0, "ipc"},
	{RAMET_USER, 0, "user"},
	{RAMET_CGROUPNS, 0, "cgroup"},
	{RAMET_PID, 0, "pid"},
	{RAMET_TIME, 0, "time"},
};
#define COMPARED (sizeof(compared) / sizeof(compared[0]))

/* 1: the same, 0: not, or -errno. */
static int ask(int a, int b, size_t row)
{
	struct inspect_task one = {.tid = a}, other = {.tid = b};
	uint64_t x, y;
	int r;

	snprintf(one.proc, sizeof(one.proc), "/proc/%d", a);
	snprintf(other.proc, sizeof(other.proc), "/proc/%d", b);
	if (!compared[row].name)
		return inspect_same(&one, &other, compared[row].object);
	r = inspect_ns(&one, compared[row].name, &x);
	if (r == 0)
		r = inspect_ns(&other, compared[row].name, &y);
	return r < 0 ? r : x == y;
}

/* ---- Before the trace ---- */

/*
 * Threads share memory and handlers anyway. The rest is compared with the first thread, which most
 * share all with; what differs there is left unknown, and known to differ from it by no event.
 */
void record_assume(struct record *r, const struct trace_event *e)
{
	struct ramet_event assume = {.kind = RAMET_EVENT_ASSUME, .tid = e->tgid, .other = e->tid};

	if (e->tid == e->tgid)
		return;
	for (size_t i = 0; i < COMPARED; i++)
		if (ask(e->tgid, e->tid, i) == 1)
			assume.resources |= compared[i].resource;
	if (assume.resources)
		ramet_world_replay(r->world, &assume);
}

/* ---- --verify ---- */

/* Killed, a task gives up what it has, and of two that have nothing kcmp says the same. */
static bool is_stopped(int tid)
{
	struct inspect_task task = {.tid = tid};

	snprintf(task.proc, sizeof(task.proc), "/proc/%d", tid);
	return inspect_state(&task) == 't';
}

void record_compare(struct record *r, const struct trace_event *e)
{
	uint64_t checked = 0, mismatches = 0;

	for (size_t i = 0; i < COMPARED; i++) {
		const enum ramet_same model =
			ramet_world_compare(r->world, e->tid, e->child, compared[i].resource);
		const int kernel = model == RAMET_UNKNOWN ? -1 : ask(e->tid, e->child, i);

		if (kernel < 0)
			continue;
		checked++;
		mismatches += (model == RAMET_SAME) != kernel;
	}
	if (!is_stopped(e->tid) || !is_stopped(e->child))
		return;
	r->checked += checked;
	r->mismatches += mismatches;
}
