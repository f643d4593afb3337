/* SPDX-License-Identifier: MIT */
/* What ramet_kill_tree() reads in /proc: files of one process, without a descriptor kept. */
#ifndef RAMET_LAUNCH_TREE_PROC_H
#define RAMET_LAUNCH_TREE_PROC_H

#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct stat_line {
	char state;
	pid_t ppid;
	uint64_t start; /* of life, in clock ticks since boot */
};

/* A stat file of a process or a thread. 0 or -errno. */
int tree_stat(const char *path, struct stat_line *ret);
int tree_process(pid_t pid, struct stat_line *ret);

/* The folder of a process's threads, as opendir() gives it. */
DIR *tree_threads(pid_t pid);

/* The next numeric name, 0 at the end. */
pid_t tree_next(DIR *dir);

/* Is /proc there, and does it count as this process does? */
bool tree_proc_is_ours(void);

/* Whether threads have a list of their children there (CONFIG_PROC_CHILDREN). */
bool tree_proc_has_children(void);

#endif
