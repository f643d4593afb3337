/* SPDX-License-Identifier: MIT */
/* A hash of tasks by tid; rows come from blocks and are used again. */
#include "trace/tasks.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK 64
#define BUCKETS_FIRST 256

struct traced_block {
	struct traced_block *next;
	struct traced tasks[BLOCK];
};

static struct traced **bucket_of(const struct traced_tasks *tasks, int tid)
{
	return &tasks->buckets[(unsigned)tid % tasks->bucket_count];
}

struct traced *traced_find(const struct traced_tasks *tasks, int tid)
{
	struct traced *task = tasks->bucket_count ? *bucket_of(tasks, tid) : NULL;

	while (task && task->tid != tid)
		task = task->next;
	return task;
}

static bool grow(struct traced_tasks *tasks)
{
	size_t count = tasks->bucket_count ? 4 * tasks->bucket_count : BUCKETS_FIRST;
	struct traced_tasks more = {.buckets = calloc(count, sizeof(*more.buckets)),
				    .bucket_count = count};

	if (!more.buckets)
		return false;
	for (size_t i = 0; i < tasks->bucket_count; i++) {
		struct traced *task = tasks->buckets[i], *next;

		for (; task; task = next) {
			struct traced **bucket = bucket_of(&more, task->tid);

			next = task->next;
			task->next = *bucket;
			*bucket = task;
		}
	}
	free(tasks->buckets);
	tasks->buckets = more.buckets;
	tasks->bucket_count = more.bucket_count;
	return true;
}

static bool more_rows(struct traced_tasks *tasks)
{
	struct traced_block *block = malloc(sizeof(*block));

	if (!block)
		return false;
	block->next = tasks->blocks;
	tasks->blocks = block;
	for (size_t i = 0; i < BLOCK; i++) {
		block->tasks[i].next = tasks->free;
		tasks->free = &block->tasks[i];
	}
	return true;
}

struct traced *traced_add(struct traced_tasks *tasks, int tid)
{
	struct traced *task, **bucket;

	if (tasks->count >= tasks->bucket_count && !grow(tasks))
		return NULL;
	if (!tasks->free && !more_rows(tasks))
		return NULL;
	task = tasks->free;
	tasks->free = task->next;
	bucket = bucket_of(tasks, tid);
	memset(task, 0, offsetof(struct traced, call));
	task->tid = task->tgid = tid;
	task->next = *bucket;
	*bucket = task;
	tasks->count++;
	return task;
}

void traced_remove(struct traced_tasks *tasks, struct traced *task)
{
	struct traced **at = bucket_of(tasks, task->tid);

	while (*at != task)
		at = &(*at)->next;
	*at = task->next;
	task->next = tasks->free;
	tasks->free = task;
	tasks->count--;
}

int *traced_list(const struct traced_tasks *tasks, size_t *ret_count)
{
	int *list = malloc((tasks->count + 1) * sizeof(*list));
	size_t n = 0;

	for (size_t at = 0; list && at < tasks->bucket_count; at++)
		for (const struct traced *task = tasks->buckets[at]; task; task = task->next)
			list[n++] = task->tid;
	*ret_count = n;
	return list;
}

void traced_free(struct traced_tasks *tasks)
{
	while (tasks->blocks) {
		struct traced_block *next = tasks->blocks->next;

		free(tasks->blocks);
		tasks->blocks = next;
	}
	free(tasks->buckets);
	*tasks = (struct traced_tasks){0};
}
