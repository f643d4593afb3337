/* SPDX-License-Identifier: MIT */
/* The store of beginnings: a hash by task for finding, a list by age for order and for limits. */
#include <stdlib.h>

#include "explain/parts.h"

/* How far back a line without a tid looks for its beginning. */
#define LOOK_BACK 64

static struct part **bucket_of(struct parts *parts, bool has_task, int task)
{
	const unsigned key = has_task ? (unsigned)task * 2654435761u >> 16 : 0;

	return &parts->buckets[key % PART_BUCKETS];
}

struct part *parts_find(const struct parts *parts, bool has_task, int task, enum track track)
{
	struct part *part = *bucket_of((struct parts *)parts, has_task, task);

	for (; part; part = part->same_bucket)
		if (part->has_task == has_task && part->track == track &&
		    (!has_task || part->task == task))
			return part;
	return NULL;
}

struct part *parts_find_only(const struct parts *parts, const struct call_name *name,
			     enum track track)
{
	struct part *found = NULL;
	unsigned seen = 0;

	for (struct part *part = parts->newest; part && seen < LOOK_BACK; part = part->older) {
		seen++;
		if (part->orphan || part->name != name || part->track != track)
			continue;
		if (found)
			return NULL;
		found = part;
	}
	return found;
}

/* Those that nobody looks for are not in the hash, where they would pile up. */
static void unhash(struct parts *parts, struct part *part)
{
	struct part **link = bucket_of(parts, part->has_task, part->task);

	while (*link != part)
		link = &(*link)->same_bucket;
	*link = part->same_bucket;
}

void parts_orphan(struct parts *parts, struct part *part)
{
	unhash(parts, part);
	part->orphan = true;
}

void parts_drop(struct parts *parts, struct part *part)
{
	if (!part->orphan)
		unhash(parts, part);
	*(part->older ? &part->older->newer : &parts->oldest) = part->newer;
	*(part->newer ? &part->newer->older : &parts->newest) = part->older;
	parts->count--;
	parts->bytes -= sizeof(*part) + part->size;
	free(part);
}

struct part *parts_add(struct parts *parts, const struct piece *piece, struct span text,
		       size_t line)
{
	const size_t size = span_size(text);
	struct part **bucket = bucket_of(parts, piece->has_task, piece->task);
	struct part *part = malloc(sizeof(*part) + size);

	if (!part)
		return NULL;
	while (parts->oldest &&
	       (parts->count >= PARTS_MAX || parts->bytes + sizeof(*part) + size > PARTS_BYTES_MAX))
		parts_drop(parts, parts->oldest);
	*part = (struct part){
		.same_bucket = *bucket,
		.older = parts->newest,
		.name = piece->name,
		.source = piece->source,
		.track = piece->track,
		.style = piece->style,
		.has_task = piece->has_task,
		.task = piece->task,
		.first_line = line,
		.size = size,
	};
	memcpy(part->comm, piece->comm, sizeof(part->comm));
	if (size)
		memcpy(part->text, text.at, size);
	*bucket = part;
	*(parts->newest ? &parts->newest->newer : &parts->oldest) = part;
	parts->newest = part;
	parts->count++;
	parts->bytes += sizeof(*part) + size;
	return part;
}
