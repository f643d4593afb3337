/* SPDX-License-Identifier: MIT */
/*
 * A cgroup2 directory for the parent and one below it for the child: in the root cgroup a new
 * cgroup namespace looks like the old one, and CLONE_INTO_CGROUP needs somewhere to go. Where
 * none can be made the experiments say so.
 */
#include "probe/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define REMOVE_TRIES 500 /* of 1 ms: a dead task leaves its cgroup a moment after its end */

static int write_text(const char *folder, const char *file, const char *text)
{
	char path[PATH_MAX];
	int fd, r = 0;

	snprintf(path, sizeof(path), "%s/%s", folder, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		r = -errno;
	close(fd);
	return r;
}

/* Where our own cgroup lies in the file system. */
static int own_folder(char *buf, size_t size)
{
	struct inspect_task self = {.proc = "/proc/self"};
	char own[PATH_MAX], root[PATH_MAX], top[PATH_MAX], *line = NULL;
	size_t room = 0, n;
	int r = inspect_cgroup(&self, own, sizeof(own));
	FILE *mounts;

	if (r < 0)
		return r;
	mounts = fopen("/proc/self/mountinfo", "re");
	if (!mounts)
		return -errno;
	r = -ENOENT;
	while (r < 0 && getline(&line, &room, mounts) > 0) {
		if (!strstr(line, " - cgroup2 ") ||
		    sscanf(line, "%*d %*d %*s %4095s %4095s", root, top) != 2)
			continue;
		n = strcmp(root, "/") ? strlen(root) : 0;
		if (strncmp(own, root, n))
			continue;
		r = (size_t)snprintf(buf, size, "%s%s", top, own + n) < size ? 0 : -ENAMETOOLONG;
	}
	free(line);
	fclose(mounts);
	return r;
}

static void name_folders(const char *own, pid_t maker, unsigned number, struct probe_cgroup *ret)
{
	snprintf(ret->home, sizeof(ret->home), "%.440s/ramet-probe-%d-%u", own, maker, number);
	snprintf(ret->target, sizeof(ret->target), "%.480s/target", ret->home);
}

void probe_cgroup_make(bool target, bool threaded, struct probe_cgroup *cgroup)
{
	static unsigned count;
	char own[sizeof(cgroup->home) - 64];

	*cgroup = (struct probe_cgroup){.target_fd = -1};
	if (own_folder(own, sizeof(own)) < 0)
		return;
	name_folders(own, getpid(), count++, cgroup);
	if (mkdir(cgroup->home, 0755) < 0)
		cgroup->home[0] = 0;
	if (!target || !cgroup->home[0] || mkdir(cgroup->target, 0755) < 0)
		cgroup->target[0] = 0;
	else if (threaded) /* threads of one process stay in one threaded domain */
		write_text(cgroup->target, "cgroup.type", "threaded");
	if (target)
		cgroup->target_fd = probe_move_up(open(cgroup->target[0] ? cgroup->target : own,
						       O_PATH | O_DIRECTORY | O_CLOEXEC));
}

void probe_cgroup_enter(const struct probe_cgroup *cgroup, pid_t pid)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", pid);
	if (cgroup->home[0])
		write_text(cgroup->home, "cgroup.procs", text);
}

static void remove_folder(const char *path)
{
	const struct timespec tick = {.tv_nsec = 1000000};

	for (int i = 0; path[0] && i < REMOVE_TRIES && rmdir(path) < 0 && errno == EBUSY; i++)
		nanosleep(&tick, NULL);
}

void probe_cgroup_remove(struct probe_cgroup *cgroup)
{
	if (cgroup->target_fd >= 0)
		close(cgroup->target_fd);
	remove_folder(cgroup->target);
	remove_folder(cgroup->home);
	*cgroup = (struct probe_cgroup){.target_fd = -1};
}

void probe_cgroup_sweep(pid_t maker)
{
	struct probe_cgroup left = {.target_fd = -1};
	char own[sizeof(left.home) - 64];

	if (own_folder(own, sizeof(own)) < 0)
		return;
	for (unsigned n = 0;; n++) {
		name_folders(own, maker, n, &left);
		if (access(left.home, F_OK) < 0)
			return;
		probe_cgroup_remove(&left);
	}
}
