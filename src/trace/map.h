/* SPDX-License-Identifier: MIT */
/* What is kept of a task, by its number. */
#ifndef RAMET_TRACE_MAP_H
#define RAMET_TRACE_MAP_H

#include <stddef.h>

struct trace_map {
	struct trace_slot {
		int key; /* 0: empty */
		void *value;
	} * slots;
	size_t room, count;
};

/* NULL if there is none. */
void *trace_map_get(const struct trace_map *map, int key);
/* In place of what was there. 0 or -ENOMEM. */
int trace_map_put(struct trace_map *map, int key, void *value);
/* Get it and forget it. */
void *trace_map_take(struct trace_map *map, int key);
/* Of the map alone. */
void trace_map_free(struct trace_map *map);

#endif
