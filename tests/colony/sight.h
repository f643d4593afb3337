/* SPDX-License-Identifier: MIT */
/*
 * What the kernel shows of the tasks of a colony, from outside, against what a world says: /proc
 * for each task, kcmp for each two. Labels are the colony's slots; tids[label] is 0 for one that
 * is not there. Label 0 is the keeper.
 */
#ifndef RAMET_TESTS_SIGHT_H
#define RAMET_TESTS_SIGHT_H

#include <stdbool.h>
#include <stdint.h>

#include "model/world.h"

extern uint64_t sight_compared; /* pairs of tasks, each for one resource */
extern char sight_wrong[300];	/* what was not so last */

/* Is all as the world says? Else sight_wrong tells. */
bool sight_agrees(const struct ramet_world *w, const int *tids, int count);

/* A small file of /proc, at once; its length or -1. */
long sight_read(const char *path, char *text, size_t size);

#endif
