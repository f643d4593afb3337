/* SPDX-License-Identifier: MIT */
/*
 * Readers of /proc. The numbers in it are those of the pid namespace that the proc file system
 * was mounted for; a caller elsewhere finds a task's folder through the fdinfo of its pidfd,
 * which is written in those numbers.
 */
#include "inspect/inspect.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sys.h"
#include "inspect/parse.h"
#include "inspect/text.h"

#define TEXT_MAX 8192
#define LEVELS_MAX 33 /* of nested pid namespaces, the kernel's limit */
#define THREADS_MAX 256

static int read_task(const struct inspect_task *task, const char *name, char *buf, size_t size)
{
	char path[sizeof(task->proc) + 64];

	snprintf(path, sizeof(path), "%s/%s", task->proc, name);
	return inspect_text(AT_FDCWD, path, buf, size);
}

/* Does /proc count as we do? */
static int proc_is_ours(void)
{
	char link[32];
	ssize_t n = readlink("/proc/self", link, sizeof(link) - 1);

	if (n < 0)
		return -errno;
	link[n] = 0;
	return atoi(link) == getpid();
}

static int proc_number(pid_t pid, int64_t *ret_number)
{
	char path[64], text[1024];
	const char *line;
	long fd;
	int r = proc_is_ours();

	if (r < 0)
		return r;
	*ret_number = pid;
	if (r)
		return 0;
	fd = sys_pidfd_open(pid, 0);
	if (fd < 0)
		return (int)fd;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%ld", fd);
	r = inspect_text(AT_FDCWD, path, text, sizeof(text));
	close((int)fd);
	if (r < 0)
		return r;
	line = inspect_line(text, "Pid");
	if (!line || atoll(line) <= 0)
		return -ENOENT; /* not visible there */
	*ret_number = atoll(line);
	return 0;
}

int inspect_threads(const struct inspect_task *task, pid_t *tids, size_t max)
{
	char path[sizeof(task->proc) + 8];
	struct dirent *entry;
	size_t n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/task", task->proc);
	dir = opendir(path);
	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		if (n < max)
			tids[n] = atoi(entry->d_name);
		n++;
	}
	closedir(dir);
	return (int)n;
}

/* The numbers of "NSpid:", outermost first; returns how many. */
static int nspid(const char *proc, int64_t *numbers, size_t max)
{
	struct inspect_task task = {0};
	char text[TEXT_MAX], *end;
	const char *at;
	size_t n = 0;
	int r;

	snprintf(task.proc, sizeof(task.proc), "%s", proc);
	r = read_task(&task, "status", text, sizeof(text));
	at = r < 0 ? NULL : inspect_line(text, "NSpid");
	if (!at)
		return r < 0 ? r : -ENODATA;
	while (n < max && *at != '\n') {
		numbers[n++] = strtoll(at, &end, 10);
		at = end + strspn(end, " \t");
	}
	return (int)n;
}

/* The folder of a thread that we know by our own number, in a /proc of other numbers. */
static int find_thread(pid_t tid, const char *process, struct inspect_task *task)
{
	struct inspect_task group = {0};
	int64_t numbers[LEVELS_MAX];
	pid_t tids[THREADS_MAX];
	int level = nspid("/proc/self", numbers, LEVELS_MAX), n;

	snprintf(group.proc, sizeof(group.proc), "%s", process);
	n = inspect_threads(&group, tids, THREADS_MAX);
	for (int i = 0; level > 0 && i < n && i < THREADS_MAX; i++) {
		snprintf(task->proc, sizeof(task->proc), "%.20s/task/%d", process, tids[i]);
		if (nspid(task->proc, numbers, LEVELS_MAX) >= level && numbers[level - 1] == tid)
			return 0;
	}
	return -ESRCH;
}

int inspect_open(pid_t tid, pid_t process, struct inspect_task *ret_task)
{
	struct inspect_task task = {.tid = tid};
	int64_t number;
	int r = proc_number(process ? process : tid, &number);

	if (r < 0)
		return r;
	snprintf(task.proc, sizeof(task.proc), "/proc/%lld", (long long)number);
	if (process && number == process) {
		snprintf(task.proc, sizeof(task.proc), "/proc/%d/task/%d", process, tid);
	} else if (process) {
		char group[sizeof(task.proc)];

		snprintf(group, sizeof(group), "%s", task.proc);
		r = find_thread(tid, group, &task);
	}
	if (r < 0)
		return r;
	if (access(task.proc, F_OK) < 0)
		return -errno;
	*ret_task = task;
	return 0;
}

int inspect_ns(const struct inspect_task *task, const char *name, uint64_t *ret_inode)
{
	char path[sizeof(task->proc) + 64];
	struct stat at;

	snprintf(path, sizeof(path), "%s/ns/%s", task->proc, name);
	if (stat(path, &at) < 0)
		return -errno;
	*ret_inode = at.st_ino;
	return 0;
}

int inspect_status(const struct inspect_task *task, const char *name, int64_t *ret_value)
{
	char text[TEXT_MAX];
	const char *line;
	int r = read_task(task, "status", text, sizeof(text));

	if (r < 0)
		return r;
	line = inspect_line(text, name);
	if (!line)
		return -ENODATA;
	*ret_value = atoll(line);
	return 0;
}

/* The text from field 3 on: the name before it may hold anything, a ')' and a newline too. */
static int stat_tail(const struct inspect_task *task, char *buf, size_t size, char **ret_tail)
{
	char *end;
	int r = read_task(task, "stat", buf, size);

	if (r < 0)
		return r;
	end = strrchr(buf, ')');
	if (!end || end[1] != ' ')
		return -ENODATA;
	*ret_tail = end + 2;
	return 0;
}

int inspect_stat(const struct inspect_task *task, unsigned number, int64_t *ret_value)
{
	char text[TEXT_MAX], *at;
	int r = stat_tail(task, text, sizeof(text), &at);

	for (unsigned field = 3; r == 0 && field < number; field++) {
		at = strchr(at, ' ');
		if (!at)
			return -ENODATA;
		at++;
	}
	if (r == 0)
		*ret_value = atoll(at);
	return r;
}

int inspect_state(const struct inspect_task *task)
{
	char text[TEXT_MAX], *at;
	int r = stat_tail(task, text, sizeof(text), &at);

	return r < 0 ? r : *at;
}

int inspect_syscall(const struct inspect_task *task, int64_t *ret_number)
{
	char text[256];
	int r = read_task(task, "syscall", text, sizeof(text));

	if (r < 0)
		return r;
	if (!strncmp(text, "running", 7))
		return -EAGAIN;
	*ret_number = atoll(text);
	return 0;
}

int inspect_cgroup(const struct inspect_task *task, char *buf, size_t size)
{
	char text[TEXT_MAX];
	const char *line;
	int r = read_task(task, "cgroup", text, sizeof(text));

	if (r < 0)
		return r;
	line = inspect_line(text, "0:");
	if (!line)
		return -ENODATA;
	snprintf(buf, size, "%.*s", (int)strcspn(line, "\n"), line);
	return 0;
}
