/* SPDX-License-Identifier: MIT */
#include "launch/tree_proc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/sys.h"

static int read_text(const char *path, char *buf, size_t size)
{
	const int fd = (int)sys_open(path, O_RDONLY | O_CLOEXEC, 0);
	long n;

	if (fd < 0)
		return fd;
	n = sys_read(fd, buf, size - 1);
	sys_close(fd);
	if (n < 0)
		return (int)n;
	buf[n] = 0;
	return (int)n;
}

/* A name may hold anything, ')' too: the fields begin after the last one. */
int tree_stat(const char *path, struct stat_line *ret)
{
	char text[1024];
	const char *at;
	unsigned long long start;
	int r = read_text(path, text, sizeof(text)), ppid;

	if (r < 0)
		return r;
	at = strrchr(text, ')');
	if (!at || sscanf(at + 1,
			  " %c %d %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
			  "%*s %*s %llu",
			  &ret->state, &ppid, &start) != 3)
		return -ESRCH;
	ret->ppid = ppid;
	ret->start = start;
	return 0;
}

int tree_process(pid_t pid, struct stat_line *ret)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	return tree_stat(path, ret);
}

pid_t tree_next(DIR *dir)
{
	struct dirent *entry;

	while ((entry = readdir(dir)))
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
			return atoi(entry->d_name);
	return 0;
}

DIR *tree_threads(pid_t pid)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	return opendir(path);
}

bool tree_proc_is_ours(void)
{
	char link[32];
	const ssize_t n = readlink("/proc/self", link, sizeof(link) - 1);

	if (n < 0)
		return false;
	link[n] = 0;
	return atoi(link) == getpid();
}

bool tree_proc_has_children(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/task/%ld/children", sys_gettid());
	return access(path, R_OK) == 0;
}
