/* SPDX-License-Identifier: MIT */
/* The search behind ramet_kill_tree(), for tests of what a kernel without some files does. */
#ifndef RAMET_LAUNCH_WHOLE_TREE_H
#define RAMET_LAUNCH_WHOLE_TREE_H

#include <ramet/companions.h>
#include <stdbool.h>

/* As ramet_kill_tree() without cgroup.kill. all_of_proc: use no list of children. */
int whole_tree(const struct ramet_task *task, int sig, int cgroup, unsigned flags,
	       bool all_of_proc);

#endif
