/* SPDX-License-Identifier: MIT */
/*
 * Is a world whole? Its tables are gone through from every side. Then its contents as text, so
 * that two states of it can be compared.
 */
#ifndef RAMET_TESTS_LIB_WORLDCHECK_H
#define RAMET_TESTS_LIB_WORLDCHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/world.h"

#define WORLDCHECK_MOST 4096 /* a power of two */

/* The first thing that is not so, or NULL. */
#define WORLD_MUST(cond)                                                                           \
	do {                                                                                       \
		if (!(cond))                                                                       \
			return #cond;                                                              \
	} while (0)

static const struct object *worldcheck_seen[WORLDCHECK_MOST];
static uint32_t worldcheck_pins[WORLDCHECK_MOST];
static size_t worldcheck_count;
/* A sparse set: a place is taken if what it points at points back. Never wiped. */
static size_t worldcheck_places[2 * WORLDCHECK_MOST];
static const size_t *worldcheck_back[WORLDCHECK_MOST];

static size_t worldcheck_see(const struct object *o)
{
	size_t *place = worldcheck_places + o->number % WORLDCHECK_MOST;

	while (*place < worldcheck_count && worldcheck_back[*place] == place &&
	       worldcheck_seen[*place] != o)
		place++;
	if (*place >= worldcheck_count || worldcheck_back[*place] != place) {
		if (worldcheck_count == WORLDCHECK_MOST)
			abort();
		*place = worldcheck_count++;
		worldcheck_seen[*place] = o;
		worldcheck_pins[*place] = 0;
		worldcheck_back[*place] = place;
	}
	return *place;
}

static const char *worldcheck_objects(const struct ramet_world *w)
{
	size_t shelf = 0;

	for (size_t i = 0; i < worldcheck_count; i++) {
		const struct object *o = worldcheck_seen[i];
		const struct object *pinned[] = {o->same, o->parent, o->owner};

		for (unsigned j = 0; j < 3; j++)
			if (pinned[j])
				worldcheck_pins[worldcheck_see(pinned[j])]++;
	}
	for (size_t i = 0; i < worldcheck_count; i++) {
		const struct object *o = worldcheck_seen[i];
		size_t holders = 0;

		WORLD_MUST(o->pins == worldcheck_pins[i]);
		WORLD_MUST(o->number && o->number <= w->numbers);
		for (RING_EACH(at, &o->holders)) {
			WORLD_MUST(RING_OF(at, struct ref, ring)->object == o);
			holders++;
		}
		WORLD_MUST(o->count == holders);
		WORLD_MUST(!o->same || !holders);
		WORLD_MUST(!o->reaper || o->pids == PIDS_ALIVE || o->pids == PIDS_DEAD);
	}
	for (const struct object *o = w->free_objects; o; o = o->same)
		shelf++;
	WORLD_MUST(shelf == w->free_object_count);
	return NULL;
}

static const char *worldcheck_task(const struct ramet_world *w, const struct task *t)
{
	const bool alive = t->state == RAMET_STATE_ALIVE;
	const uint32_t may_lack = SLOT_BIT(SLOT_THREAD_GROUP) | SLOT_BIT(SLOT_PARENT) |
				  SLOT_BIT(SLOT_SYSVSEM) | SLOT_BIT(SLOT_IO);
	const struct task *leader = t->process->leader;

	WORLD_MUST(t->tid > 0 && world_find(w, t->tid) == t);
	for (enum slot slot = 0; slot < SLOT_COUNT; slot++) {
		const struct object *o = object_of(t, slot);

		WORLD_MUST(t->refs[slot].task == t);
		if (o)
			worldcheck_see(o);
		if (alive)
			WORLD_MUST(o || may_lack & SLOT_BIT(slot));
		else if (slot != SLOT_IO || t->state == RAMET_STATE_ZOMBIE)
			WORLD_MUST(!o == !(SLOTS_OF_ZOMBIE & SLOT_BIT(slot)));
	}
	WORLD_MUST(!t->held_by || (alive && t->held_by->holds == t));
	WORLD_MUST(!t->holds || (alive && t->holds->held_by == t));
	WORLD_MUST(alive || t == leader || t->state == RAMET_STATE_ENDING);
	WORLD_MUST((t->exit_signal == -1) == (t != leader));
	WORLD_MUST(ring_is_empty(&t->children) || t->state != RAMET_STATE_ZOMBIE);
	WORLD_MUST((t->state == RAMET_STATE_ENDING) == !ring_is_empty(&t->waiting));
	WORLD_MUST(object_of(t, SLOT_SIGHAND) == object_of(leader, SLOT_SIGHAND));
	WORLD_MUST(object_of(t, SLOT_PID) == object_of(leader, SLOT_PID));
	if (alive && leader->state == RAMET_STATE_ALIVE)
		WORLD_MUST(object_of(t, SLOT_MEMORY) == object_of(leader, SLOT_MEMORY));
	return NULL;
}

static const char *worldcheck_process(const struct process *p)
{
	uint32_t count = 0, live = 0;
	bool found = !p->parent, leads = false;

	for (RING_EACH(at, &p->threads)) {
		const struct task *t = RING_OF(at, struct task, thread);

		WORLD_MUST(t->process == p);
		count++;
		live += t->state == RAMET_STATE_ALIVE;
		leads |= t == p->leader;
	}
	WORLD_MUST(leads && p->count == count && p->live == live);
	WORLD_MUST(live || p->leader->state != RAMET_STATE_ALIVE);
	if (p->parent) {
		WORLD_MUST(p->parent->state != RAMET_STATE_ZOMBIE);
		for (RING_EACH(at, &p->parent->children))
			found |= RING_OF(at, struct process, sibling) == p;
	}
	WORLD_MUST(found);
	return NULL;
}

static const char *worldcheck_populations(const struct ramet_world *w)
{
	for (size_t i = 0; i < worldcheck_count; i++) {
		const struct object *pids = worldcheck_seen[i];
		uint32_t population = 0;

		if (pids->pids == PIDS_UNKNOWN)
			continue;
		for (RING_EACH(at, &w->tasks))
			population += namespace_holds(
				pids, object_of(RING_OF(at, struct task, all), SLOT_PID));
		WORLD_MUST(population == pids->population);
		WORLD_MUST(population || pids->pids != PIDS_ALIVE);
		WORLD_MUST((pids->pids == PIDS_ALIVE) <= !!pids->reaper);
	}
	return NULL;
}

static inline const char *worldcheck(const struct ramet_world *w)
{
	const char *wrong = NULL;
	size_t count = 0, hashed = 0;

	worldcheck_count = 0;
	WORLD_MUST(!w->cursors);
	for (RING_EACH(at, &w->tasks)) {
		const struct task *t = RING_OF(at, struct task, all);

		count++;
		wrong = worldcheck_task(w, t);
		if (!wrong && t == t->process->leader)
			wrong = worldcheck_process(t->process);
		if (wrong)
			return wrong;
	}
	for (size_t i = 0; i < w->bucket_count; i++)
		for (const struct task *t = w->buckets[i]; t; t = t->hashed)
			hashed++;
	WORLD_MUST(count == w->count && hashed == count);
	wrong = worldcheck_objects(w);
	return wrong ? wrong : worldcheck_populations(w);
}

/* All that can be asked of a world. free() it. */
static inline char *world_text_of(const struct ramet_world *w)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	struct ramet_world_task t;

	fprintf(f, "numbers %llu distinct %x\n", (unsigned long long)w->numbers, w->distinct);
	for (int tid = ramet_world_next(w, 0); tid > 0; tid = ramet_world_next(w, tid)) {
		const struct task *inside = world_find(w, tid);

		ramet_world_task(w, tid, &t);
		fprintf(f,
			"%d: of %d below %d/%d signal %d state %d/%d threads %d held %d/%d "
			"init %d reaper %d/%d dead %d word %llx exec %u/%u:",
			tid, t.tgid, t.parent, t.parent_tid, t.exit_signal, t.state, t.waitable,
			t.threads, t.held_by, t.holds, t.init, t.subreaper,
			inside->process->below_subreaper, t.pids_dead,
			(unsigned long long)t.clear_child_tid, inside->self_exec,
			inside->parent_exec);
		for (enum slot slot = 0; slot < SLOT_COUNT; slot++) {
			const struct object *o = object_of(inside, slot);

			fprintf(f, " %llu",
				(unsigned long long)ramet_world_object(w, tid, SLOT_BIT(slot)));
			if (o)
				fprintf(f, "/%u", o->value);
		}
		fprintf(f, "\n");
	}
	fclose(f);
	return text;
}

#endif
