/* SPDX-License-Identifier: MIT */
/*
 * The beginnings of calls whose ends have not come: kept by task and track, in the order of their
 * lines. What does not fit under the limits drops the oldest.
 */
#ifndef RAMET_EXPLAIN_PARTS_H
#define RAMET_EXPLAIN_PARTS_H

#include "explain/piece.h"

#define PARTS_MAX 65536
#define PARTS_BYTES_MAX (16u << 20)

struct part {
	struct part *same_bucket;
	struct part *older, *newer;
	const struct call_name *name;
	const char *source;
	enum track track;
	struct call_style style;
	bool has_task;
	bool orphan;  /* see parts_orphan() */
	bool covered; /* a library call whose system call was seen: not a call of its own */
	bool strange; /* was told as strange already */
	int task;
	char comm[sizeof(((struct line_call *)0)->comm)];
	size_t first_line;
	size_t size;
	char text[]; /* what followed the opening bracket */
};

#define PART_BUCKETS 4096

struct parts {
	struct part *buckets[PART_BUCKETS];
	struct part *oldest, *newest;
	size_t count, bytes;
};

/* One of the task (or of no task) whose end may come, or NULL. */
struct part *parts_find(const struct parts *parts, bool has_task, int task, enum track track);

/*
 * The only one of this name and track whose end may come, whatever its task. NULL if there is
 * none or more than one, as among the newest.
 */
struct part *parts_find_only(const struct parts *parts, const struct call_name *name,
			     enum track track);

/* A new one, of piece and text. NULL without memory. */
struct part *parts_add(struct parts *parts, const struct piece *piece, struct span text,
		       size_t line);

/* Its end will not come: it is found no more, but stays in the order of lines. */
void parts_orphan(struct parts *parts, struct part *part);

void parts_drop(struct parts *parts, struct part *part);

#endif
