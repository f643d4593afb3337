/* SPDX-License-Identifier: MIT */
/*
 * Steps that take their time: chdir by a path of hundreds of components that leads back to where
 * it began. Keeps a child between clone and exec for as long as a test needs.
 */
#ifndef RAMET_TESTS_LIB_WALK_H
#define RAMET_TESTS_LIB_WALK_H

#include <ramet/ramet.h>
#include <stdio.h>

#define WALK_LONG 400 /* tens of milliseconds */
#define WALK_SHORT 15 /* a millisecond or so */

static char walk_path[3800];
static struct ramet_step walk_long[WALK_LONG + 8];
static struct ramet_step walk_short[WALK_SHORT + 1];

static inline void walk_make(void)
{
	size_t n = (size_t)sprintf(walk_path, "/");

	while (n + 10 < sizeof(walk_path))
		n += (size_t)sprintf(walk_path + n, "proc/../");
	for (unsigned i = 0; i < WALK_LONG; i++)
		walk_long[i] = (struct ramet_step)RAMET_CWD(walk_path);
	for (unsigned i = 0; i < WALK_SHORT; i++)
		walk_short[i] = (struct ramet_step)RAMET_CWD(walk_path);
}

#endif
