/* SPDX-License-Identifier: MIT */
/*
 * What a launch must leave as it was, counted before and after: descriptors, children (zombies
 * included), mappings, mounts, and the attributes of the calling process. Reads with plain system
 * calls into static memory, so that looking changes nothing.
 */
#ifndef RAMET_TESTS_LIB_WORLD_H
#define RAMET_TESTS_LIB_WORLD_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sys.h"
#include "lib/cell.h"

struct world {
	long fds;      /* open descriptors */
	long fd_sum;   /* and which */
	long children; /* 0: no child of any kind, not even a zombie */
	long mappings; /* lines of /proc/self/maps */
	long size_kb;  /* all of them together */
	long mounts;
	long dumpable;
	long umask;
	long threads;
	uint64_t mask;
	uint64_t handlers[KERNEL_NSIG + 1];
	char cwd[200];
};

static char world_text[1 << 18];

static inline long world_read(const char *path)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	long n = 0, r;

	if (fd < 0)
		return -1;
	while ((r = read(fd, world_text + n, sizeof(world_text) - 1 - (size_t)n)) > 0)
		n += r;
	close(fd);
	world_text[n] = 0;
	return n;
}

static inline long world_lines(const char *path)
{
	long lines = 0;

	if (world_read(path) < 0)
		return -1;
	for (const char *p = world_text; (p = strchr(p, '\n')); p++)
		lines++;
	return lines;
}

/* Every number up to the highest that a test uses; /proc/self/fd may be unreadable or filtered. */
static inline void world_fds(struct world *w)
{
	for (int fd = 0; fd < 1200; fd++)
		if (sys_fcntl(fd, F_GETFD, 0) >= 0) {
			w->fds++;
			w->fd_sum += fd;
		}
}

static inline long world_children(void)
{
	siginfo_t info = {0};

	return sys_waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | KERNEL_WALL, NULL) !=
	       -ECHILD;
}

/* A thread that has told its end is still listed for a moment. */
static inline long world_threads(void)
{
	struct stat st = {0};

	for (unsigned i = 0; i < 200 && stat("/proc/self/task", &st) == 0 && st.st_nlink > 3; i++)
		usleep(500);
	return (long)st.st_nlink - 2;
}

static inline struct world world_take(void)
{
	struct kernel_sigaction action;
	struct world w = {0};

	world_fds(&w);
	w.children = world_children();
	if (!SANITIZED)
		w.mappings = world_lines("/proc/self/maps");
	if (!SANITIZED && world_read("/proc/self/statm") > 0)
		w.size_kb = atol(world_text) * 4;
	w.mounts = world_lines("/proc/self/mountinfo");
	w.dumpable = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
	w.umask = sys_umask(077);
	sys_umask((unsigned)w.umask);
	w.threads = world_threads();
	sys_sigprocmask(0, NULL, &w.mask);
	for (int sig = 1; sig <= KERNEL_NSIG; sig++)
		if (sys_sigaction(sig, NULL, &action) == 0)
			w.handlers[sig] = (uintptr_t)action.handler;
	if (!getcwd(w.cwd, sizeof(w.cwd)))
		w.cwd[0] = 0;
	return w;
}

/* NULL if they are the same; else the first difference in words, in static memory. */
static inline const char *world_differs(const struct world *a, const struct world *b)
{
	static char text[400];
	const struct {
		const char *name;
		long before, after;
	} rows[] = {
		{"descriptors", a->fds, b->fds},
		{"numbers of descriptors", a->fd_sum, b->fd_sum},
		{"children", a->children, b->children},
		{"mappings", a->mappings, b->mappings},
		{"KiB mapped", a->size_kb, b->size_kb},
		{"mounts", a->mounts, b->mounts},
		{"dumpable", a->dumpable, b->dumpable},
		{"umask", a->umask, b->umask},
		{"threads", a->threads, b->threads},
		{"signal mask", (long)a->mask, (long)b->mask},
		{"handlers", 0, memcmp(a->handlers, b->handlers, sizeof(a->handlers))},
		{"cwd", 0, strcmp(a->cwd, b->cwd)},
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].before != rows[i].after) {
			snprintf(text, sizeof(text), "%s: %ld before, %ld after", rows[i].name,
				 rows[i].before, rows[i].after);
			return text;
		}
	return NULL;
}

#endif
