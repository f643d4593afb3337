/* SPDX-License-Identifier: MIT */
/*
 * Owns the tables of a world: tasks by tid, processes, objects with their holders, and the memory
 * of all of these. Knows nothing of what events mean; ramet_world_replay() hands each to its file.
 */
#include "model/world.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS_AT_FIRST 64

/* ---- Memory: taken in chunks, given back when the world ends ---- */

static void *chunk_new(struct ramet_world *w, size_t count, size_t size)
{
	struct chunk *chunk = w->allocate(sizeof(*chunk) + count * size);

	if (!chunk)
		return NULL;
	chunk->next = w->chunks;
	w->chunks = chunk;
	return chunk + 1;
}

/* Fewer while the world is small: most are. */
static size_t chunk_count(const struct ramet_world *w, size_t most)
{
	return w->count < 8 ? most / 8 : most;
}

static bool tasks_fill(struct ramet_world *w, unsigned want)
{
	while (w->free_task_count < want) {
		const size_t n = chunk_count(w, 64);
		struct task *t = chunk_new(w, n, sizeof(*t));

		if (!t)
			return false;
		for (size_t i = 0; i < n; i++) {
			t[i].hashed = w->free_tasks;
			w->free_tasks = &t[i];
		}
		w->free_task_count += n;
	}
	return true;
}

static bool processes_fill(struct ramet_world *w, unsigned want)
{
	while (w->free_process_count < want) {
		const size_t n = chunk_count(w, 64);
		struct process *p = chunk_new(w, n, sizeof(*p));

		if (!p)
			return false;
		for (size_t i = 0; i < n; i++) {
			p[i].shelf = w->free_processes;
			w->free_processes = &p[i];
		}
		w->free_process_count += n;
	}
	return true;
}

static bool objects_fill(struct ramet_world *w, unsigned want)
{
	while (w->free_object_count < want) {
		const size_t n = chunk_count(w, 256);
		struct object *o = chunk_new(w, n, sizeof(*o));

		if (!o)
			return false;
		for (size_t i = 0; i < n; i++) {
			o[i].same = w->free_objects;
			w->free_objects = &o[i];
		}
		w->free_object_count += n;
	}
	return true;
}

/* More buckets, if there is memory for them: without, the world is only slower. */
static void buckets_grow(struct ramet_world *w)
{
	const size_t n = w->bucket_count * 2;
	struct task **buckets = w->allocate(n * sizeof(struct task *));

	if (!buckets)
		return;
	memset(buckets, 0, n * sizeof(struct task *));
	for (size_t i = 0; i < w->bucket_count; i++)
		for (struct task *t = w->buckets[i], *next; t; t = next) {
			struct task **to = &buckets[(size_t)t->tid & (n - 1)];

			next = t->hashed;
			t->hashed = *to;
			*to = t;
		}
	free(w->buckets);
	w->buckets = buckets;
	w->bucket_count = n;
}

int world_reserve(struct ramet_world *w, unsigned tasks, unsigned processes, unsigned objects)
{
	if (!tasks_fill(w, tasks) || !processes_fill(w, processes) || !objects_fill(w, objects))
		return -ENOMEM;
	if (tasks && w->count >= w->bucket_count)
		buckets_grow(w);
	return 0;
}

struct ramet_world *ramet_world_new(unsigned kernel)
{
	struct ramet_world *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->buckets = calloc(BUCKETS_AT_FIRST, sizeof(struct task *));
	if (!w->buckets) {
		free(w);
		return NULL;
	}
	w->bucket_count = BUCKETS_AT_FIRST;
	w->kernel = kernel;
	w->allocate = malloc;
	ring_init(&w->tasks);
	ring_init(&w->waiting);
	return w;
}

void ramet_world_free(struct ramet_world *world)
{
	if (!world)
		return;
	for (struct chunk *chunk = world->chunks, *next; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	free(world->buckets);
	free(world);
}

void ramet_world_watch(struct ramet_world *world,
		       void (*fn)(void *arg, const struct ramet_effect *effect), void *arg)
{
	world->watch = fn;
	world->watch_arg = arg;
}

void world_tell(const struct ramet_world *w, enum ramet_effect_kind kind, int tid, int other,
		uint64_t address)
{
	const struct ramet_effect effect = {
		.kind = kind, .tid = tid, .other = other, .address = address};

	if (w->watch)
		w->watch(w->watch_arg, &effect);
}

/* ---- Objects ---- */

struct object *object_new(struct ramet_world *w)
{
	struct object *o = w->free_objects;

	w->free_objects = o->same;
	w->free_object_count--;
	memset(o, 0, sizeof(*o));
	o->number = ++w->numbers;
	ring_init(&o->holders);
	return o;
}

/* Back on the shelf with what nobody has and nothing points at, and what that alone held. */
static void object_put(struct ramet_world *w, struct object *o)
{
	while (o && !o->count && !o->pins) {
		/* At most one of the three is deep: a namespace's owner is no deeper than 33. */
		struct object *pinned[] = {o->same, o->owner, o->parent};

		o->same = w->free_objects;
		w->free_objects = o;
		w->free_object_count++;
		for (unsigned i = 0; i < 2; i++)
			if (pinned[i]) {
				pinned[i]->pins--;
				object_put(w, pinned[i]);
			}
		o = pinned[2];
		if (o)
			o->pins--;
	}
}

void object_pin(struct object **at, struct object *o)
{
	*at = o;
	if (o)
		o->pins++;
}

void object_set(struct ramet_world *w, struct task *t, enum slot slot, struct object *o)
{
	struct ref *ref = &t->refs[slot];
	struct object *before = ref->object;

	if (before == o)
		return;
	if (before) {
		ring_remove(&ref->ring);
		before->count--;
	}
	ref->object = o;
	if (o) {
		ring_add(&o->holders, &ref->ring);
		o->count++;
	}
	if (before)
		object_put(w, before);
}

void object_pin_other(struct ramet_world *w, struct object **at, struct object *o)
{
	struct object *before = *at;

	object_pin(at, o);
	if (before) {
		before->pins--;
		object_put(w, before);
	}
}

struct object *object_copy(struct ramet_world *w, const struct object *o)
{
	struct object *copy = object_new(w);

	copy->value = o->value;
	object_pin(&copy->owner, o->owner);
	return copy;
}

void object_part(struct ramet_world *w, struct task *t, enum slot slot)
{
	const struct object *before = object_of(t, slot);

	if (before->count > 1)
		object_set(w, t, slot, object_copy(w, before));
}

void object_merge(struct ramet_world *w, struct object *o, struct object *into)
{
	if (o == into)
		return;
	into->given &= o->given;
	into->vague &= o->vague;
	if (into->value == 0)
		into->value = o->value;
	into->population += o->population;
	object_pin(&o->same, into);
	o->pins++; /* it stays while it is emptied */
	for (RING_EACH(at, &o->holders)) {
		struct ref *ref = RING_OF(at, struct ref, ring);

		object_set(w, ref->task, (enum slot)(ref - ref->task->refs), into);
	}
	o->pins--;
	object_put(w, o);
}

/* ---- Tasks ---- */

static struct task **bucket_of(const struct ramet_world *w, int tid)
{
	return &w->buckets[(size_t)tid & (w->bucket_count - 1)];
}

struct task *world_find(const struct ramet_world *w, int tid)
{
	struct task *t = *bucket_of(w, tid);

	while (t && t->tid != tid)
		t = t->hashed;
	return t;
}

int world_actor(const struct ramet_world *w, int tid, struct task **ret_task)
{
	struct task *t = world_find(w, tid);

	if (!t || t->state != RAMET_STATE_ALIVE)
		return -ESRCH;
	if (t->held_by)
		return -EBUSY;
	*ret_task = t;
	return 0;
}

static void hash_in(struct ramet_world *w, struct task *t)
{
	struct task **at = bucket_of(w, t->tid);

	t->hashed = *at;
	*at = t;
}

static void hash_out(struct ramet_world *w, struct task *t)
{
	struct task **at = bucket_of(w, t->tid);

	while (*at != t)
		at = &(*at)->hashed;
	*at = t->hashed;
}

static struct process *process_new(struct ramet_world *w, struct task *leader)
{
	struct process *p = w->free_processes;

	w->free_processes = p->shelf;
	w->free_process_count--;
	memset(p, 0, sizeof(*p));
	p->number = ++w->numbers;
	p->leader = leader;
	ring_init(&p->threads);
	ring_init(&p->sibling);
	return p;
}

struct task *world_new_task(struct ramet_world *w, int tid, struct process *process)
{
	struct task *t = w->free_tasks;

	w->free_tasks = t->hashed;
	w->free_task_count--;
	memset(t, 0, sizeof(*t));
	t->tid = tid;
	t->state = RAMET_STATE_ALIVE;
	t->process = process ? process : process_new(w, t);
	for (unsigned i = 0; i < SLOT_COUNT; i++) {
		ring_init(&t->refs[i].ring);
		t->refs[i].task = t;
	}
	ring_init(&t->children);
	ring_init(&t->waiting);
	ring_add(&w->tasks, &t->all);
	ring_add(&t->process->threads, &t->thread);
	t->process->count++;
	t->process->live++;
	hash_in(w, t);
	w->count++;
	return t;
}

void world_rename(struct ramet_world *w, struct task *t, int tid)
{
	hash_out(w, t);
	t->tid = tid;
	hash_in(w, t);
}

void world_free_task(struct ramet_world *w, struct task *t)
{
	struct process *p = t->process;

	for (struct cursor *c = w->cursors; c; c = c->outer)
		if (c->at == &t->all)
			c->at = t->all.next;
	hash_out(w, t);
	ring_remove(&t->all);
	ring_remove(&t->thread);
	w->count--;
	if (!--p->count) {
		ring_remove(&p->sibling);
		p->shelf = w->free_processes;
		w->free_processes = p;
		w->free_process_count++;
	}
	t->hashed = w->free_tasks;
	w->free_tasks = t;
	w->free_task_count++;
}

/* ---- Events ---- */

int ramet_world_replay(struct ramet_world *world, const struct ramet_event *event)
{
	static int (*const replays[])(struct ramet_world *, const struct ramet_event *) = {
		[RAMET_EVENT_ADD] = world_add,
		[RAMET_EVENT_ASSUME] = world_assume,
		[RAMET_EVENT_DISTINCT] = world_distinct,
		[RAMET_EVENT_CLONE] = world_clone,
		[RAMET_EVENT_EXEC] = world_exec,
		[RAMET_EVENT_UNSHARE] = world_unshare,
		[RAMET_EVENT_SETNS] = world_setns,
		[RAMET_EVENT_EXIT] = world_exit,
		[RAMET_EVENT_EXIT_GROUP] = world_exit_group,
		[RAMET_EVENT_WAIT] = world_wait,
		[RAMET_EVENT_RELEASE] = world_release,
		[RAMET_EVENT_SUBREAPER] = world_subreaper,
		[RAMET_EVENT_CHILD_SIGNAL] = world_child_signal,
		[RAMET_EVENT_UNDO] = world_undo,
		[RAMET_EVENT_IOPRIO] = world_ioprio,
	};

	if (event->kind < RAMET_EVENT_ADD || event->kind > RAMET_EVENT_IOPRIO)
		return -EINVAL;
	return replays[event->kind](world, event);
}
