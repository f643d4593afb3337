/* SPDX-License-Identifier: MIT */
/*
 * Id maps, written from outside: a task may not map more than itself, its maker may, if it has
 * the rights; and where it has not, newuidmap and newgidmap do it within /etc/subuid and
 * /etc/subgid.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/sys.h"
#include "launch/caller_side.h"

#define MAP_WORDS_MAX (340 * 3) /* the kernel takes 340 lines */

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

/* "newuidmap PID INSIDE OUTSIDE COUNT…": the words of `text`, which is cut up, behind the pid. */
static int run_mapper(const char *program, pid_t tid, char *text)
{
	char **argv = calloc(MAP_WORDS_MAX + 3, sizeof(*argv)), *rest = text, pid[16];
	struct ramet_status status;
	struct ramet_task task;
	unsigned n = 2;
	int r;

	if (!argv)
		return -ENOMEM;
	snprintf(pid, sizeof(pid), "%d", (int)tid);
	argv[0] = (char *)(uintptr_t)program;
	argv[1] = pid;
	while (n < MAP_WORDS_MAX + 2 && (argv[n] = strtok_r(rest, " \t\n", &rest)))
		n++;
	argv[n] = NULL;
	r = ramet_launch(&RAMET_SPEC(.program = program, .argv = argv), &task, NULL);
	free(argv);
	if (r < 0)
		return -EPERM; /* what the kernel said; that there is no mapper changes nothing */
	r = ramet_wait(&task, -1, &status);
	ramet_task_close(&task);
	return r < 0 ? r : status.exited && status.code == 0 ? 0 : -EPERM;
}

static int map_by_program(const char *program, pid_t tid, const char *text)
{
	char *copy = strdup(text);
	int r = copy ? run_mapper(program, tid, copy) : -ENOMEM;

	free(copy);
	return r;
}

/* One map; NULL is the caller's own id as 0. */
static int write_map(pid_t tid, const char *name, const char *text, unsigned own)
{
	char line[32];

	if (!text) {
		snprintf(line, sizeof(line), "0 %u 1", own);
		text = line;
	}
	return write_whole(tid, name, text);
}

static int write_uid_map(const struct ramet_step *step, pid_t tid)
{
	int r = write_map(tid, "uid_map", step->uid_map, (unsigned)geteuid());

	if (r == -EPERM && step->uid_map)
		r = map_by_program("/usr/bin/newuidmap", tid, step->uid_map);
	return r;
}

/*
 * Groups are mapped by an unprivileged caller only after setgroups is given up (3.19): else a
 * task could drop a group that is there to deny it something. With the right to map more it is
 * left on, so that the task can set its groups.
 */
static int write_gid_map(const struct ramet_step *step, pid_t tid)
{
	int r;

	if (step->gid_map) {
		r = write_map(tid, "gid_map", step->gid_map, 0);
		if (r != -EPERM)
			return r;
		r = map_by_program("/usr/bin/newgidmap", tid, step->gid_map);
		if (r != -EPERM)
			return r;
	}
	r = write_whole(tid, "setgroups", "deny");
	if (r < 0 && r != -ENOENT)
		return r;
	return write_map(tid, "gid_map", step->gid_map, (unsigned)getegid());
}

/* In the /proc of another pid namespace the child's number is that of a stranger. */
static bool proc_is_own(void)
{
	char name[16] = "";

	return readlink("/proc/self", name, sizeof(name) - 1) > 0 && atoi(name) == sys_getpid();
}

static int write_id_maps(const struct ramet_step *step, pid_t tid)
{
	int r = proc_is_own() ? write_uid_map(step, tid) : -ESRCH;

	return r < 0 ? r : write_gid_map(step, tid);
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
