/* SPDX-License-Identifier: MIT */
/* ramet tree, between its files. */
#ifndef RAMET_CLI_TREE_H
#define RAMET_CLI_TREE_H

#include <stddef.h>

/* One picture of at most so many lines on standard output. Exit status; negative: end. */
typedef int tree_draw(void *context, size_t lines);

/*
 * Draw again every so many seconds, and when the terminal changes its size, until SIGINT; the
 * screen is as it was then. The exit status.
 */
int tree_watch(double seconds, tree_draw *draw, void *context);

#endif
