/* SPDX-License-Identifier: MIT */
/* Id maps, written from outside: a task may not map more than itself, its maker may. */
#include "launch/caller_side.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/sys.h"

/* The kernel takes a map in one write only. */
static int write_whole(pid_t tid, const char *name, const char *text)
{
	char path[64];
	size_t n = strlen(text);
	long fd, r;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)tid, name);
	fd = sys_open(path, O_WRONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return (int)fd;
	r = sys_write((int)fd, text, n);
	sys_close((int)fd);
	if (r < 0)
		return (int)r;
	return (size_t)r == n ? 0 : -EIO;
}

static int write_map(pid_t tid, const char *name, const char *text, unsigned own)
{
	char line[32];

	if (!text) {
		snprintf(line, sizeof(line), "0 %u 1", own);
		text = line;
	}
	return write_whole(tid, name, text);
}

/*
 * Groups are mapped by an unprivileged caller only after setgroups is given up (3.19): else a
 * task could drop a group that is there to deny it something. With the right to map more it is
 * left on, so that the task can set its groups.
 */
static int write_id_maps(const struct ramet_step *step, pid_t tid)
{
	int r = write_map(tid, "uid_map", step->uid_map, (unsigned)geteuid());

	if (r < 0)
		return r;
	if (!step->gid_map) {
		r = write_whole(tid, "setgroups", "deny");
		if (r < 0 && r != -ENOENT)
			return r;
	}
	r = write_map(tid, "gid_map", step->gid_map, (unsigned)getegid());
	if (r == -EPERM && step->gid_map) {
		r = write_whole(tid, "setgroups", "deny");
		r = r < 0 ? -EPERM : write_map(tid, "gid_map", step->gid_map, 0);
	}
	return r;
}

int caller_step(const struct ramet_step *step, pid_t tid)
{
	switch ((enum ramet_step_kind)step->kind) {
	case RAMET_STEP_ID_MAP:
		return write_id_maps(step, tid);
	case RAMET_STEP_GUARD_MEMORY:
		return guard_take();
	default:
		return -ENOSYS;
	}
}
