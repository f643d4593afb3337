/* SPDX-License-Identifier: MIT */
/* A sentence in the making, in a buffer of fixed size; what does not fit is cut. */
#ifndef RAMET_TREE_WORDS_H
#define RAMET_TREE_WORDS_H

#include <stddef.h>

struct words {
	char *buf;
	size_t size;
	size_t used;
};

__attribute__((format(printf, 2, 3))) void words_add(struct words *w, const char *format, ...);

/* What stands between two parts, if there is one already. */
void words_part(struct words *w, const char *between);

#endif
