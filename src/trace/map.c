/* SPDX-License-Identifier: MIT */
/* A hash with linear probing. Numbers of tasks mostly follow each other, and so do their slots. */
#include "trace/map.h"

#include <errno.h>
#include <stdlib.h>

#define ROOM_FIRST 64

/* The slot of the key, or the empty one where it would be. */
static size_t find(const struct trace_map *map, int key)
{
	size_t at = (size_t)key & (map->room - 1);

	while (map->slots[at].key && map->slots[at].key != key)
		at = (at + 1) & (map->room - 1);
	return at;
}

void *trace_map_get(const struct trace_map *map, int key)
{
	return map->room ? map->slots[find(map, key)].value : NULL;
}

static int grow(struct trace_map *map)
{
	const size_t room = map->room ? 2 * map->room : ROOM_FIRST;
	struct trace_map more = {
		.slots = calloc(room, sizeof(*more.slots)), .room = room, .count = map->count};

	if (!more.slots)
		return -ENOMEM;
	for (size_t i = 0; i < map->room; i++)
		if (map->slots[i].key)
			more.slots[find(&more, map->slots[i].key)] = map->slots[i];
	free(map->slots);
	*map = more;
	return 0;
}

int trace_map_put(struct trace_map *map, int key, void *value)
{
	size_t at;

	if (2 * map->count >= map->room && grow(map) < 0)
		return -ENOMEM;
	at = find(map, key);
	map->count += !map->slots[at].key;
	map->slots[at] = (struct trace_slot){key, value};
	return 0;
}

void *trace_map_take(struct trace_map *map, int key)
{
	size_t hole, at;
	void *value;

	if (!map->room)
		return NULL;
	hole = at = find(map, key);
	if (!map->slots[hole].key)
		return NULL;
	value = map->slots[hole].value;
	map->count--;
	/* Whoever would not be found behind the hole moves into it. */
	for (;;) {
		size_t home;

		at = (at + 1) & (map->room - 1);
		if (!map->slots[at].key)
			break;
		home = (size_t)map->slots[at].key & (map->room - 1);
		if (((at - home) & (map->room - 1)) < ((at - hole) & (map->room - 1)))
			continue;
		map->slots[hole] = map->slots[at];
		hole = at;
	}
	map->slots[hole] = (struct trace_slot){0, NULL};
	return value;
}

void trace_map_free(struct trace_map *map)
{
	free(map->slots);
	*map = (struct trace_map){0};
}
