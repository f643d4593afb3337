/* SPDX-License-Identifier: MIT */
/*
 * Owns what was there before the replay: tasks that no event made. What they share is not known
 * until it has been seen; what threads share always, and what they can share with nobody, is.
 */
#include "model/world.h"

#include <errno.h>

/* All threads of a process have the same of these. */
#define SLOTS_OF_THREADS                                                                           \
	(SLOT_BIT(SLOT_MEMORY) | SLOT_BIT(SLOT_SIGHAND) | SLOT_BIT(SLOT_PID) | SLOT_BIT(SLOT_USER))

/* Those that a task may have none of. */
#define SLOTS_AT_WILL (SLOT_BIT(SLOT_SYSVSEM) | SLOT_BIT(SLOT_IO))

#define SLOTS_ALL                                                                                  \
	((SLOT_BIT(SLOT_COUNT) - 1) & ~(SLOT_BIT(SLOT_THREAD_GROUP) | SLOT_BIT(SLOT_PARENT)))

static void give_objects(struct ramet_world *w, struct task *t, const struct task *first,
			 uint32_t without)
{
	for (enum slot slot = 0; slot < SLOT_COUNT; slot++) {
		struct object *o;

		if (!(SLOTS_ALL & SLOT_BIT(slot)) || without & SLOTS_AT_WILL & SLOT_BIT(slot))
			continue;
		if (first && SLOTS_OF_THREADS & SLOT_BIT(slot)) {
			o = object_of(first, slot);
		} else {
			o = object_new(w);
			o->given = true;
		}
		object_set(w, t, slot, o);
	}
	object_pin(&object_of(t, SLOT_FS)->owner, object_of(t, SLOT_MNT));
	/* Few have them apart, and who does is not seen from outside without looking. */
	object_set(w, t, SLOT_PID_FOR_CHILDREN, object_of(t, SLOT_PID));
	object_set(w, t, SLOT_TIME_FOR_CHILDREN, object_of(t, SLOT_TIME));
}

int world_add(struct ramet_world *w, const struct ramet_event *e)
{
	struct task *t, *first = NULL, *parent = NULL;
	struct process *p;
	int r;

	if (e->tid <= 0)
		return -EINVAL;
	if (world_find(w, e->tid))
		return -EEXIST;
	if (e->other && e->other != e->tid) {
		first = world_find(w, e->other);
		if (!first || first->state != RAMET_STATE_ALIVE || first != first->process->leader)
			return -ESRCH;
	} else if (e->parent) {
		parent = world_find(w, e->parent);
		if (!parent || parent->state != RAMET_STATE_ALIVE)
			return -ESRCH;
	}
	r = world_reserve(w, 1, 1, SLOT_COUNT);
	if (r < 0)
		return r;
	t = world_new_task(w, e->tid, first ? first->process : NULL);
	give_objects(w, t, first, e->resources);
	for (struct object *o = object_of(t, SLOT_PID); o; o = object_true(o->parent))
		o->population++;
	t->exit_signal = first ? -1 : (int)e->number;
	if (first)
		return 0;
	p = t->process;
	p->given = true;
	p->parent = parent;
	if (parent) {
		ring_add(&parent->children, &p->sibling);
		p->below_subreaper = parent->process->below_subreaper || parent->process->subreaper;
	}
	return 0;
}

/* Both are from before the replay, or one may be any other. */
static bool may_be_same(const struct object *a, const struct object *b)
{
	return a == b || (a->given && b->given) || a->vague || b->vague;
}

int world_assume(struct ramet_world *w, const struct ramet_event *e)
{
	struct task *a = world_find(w, e->tid), *b = world_find(w, e->other);

	if (!a || !b)
		return -ESRCH;
	if (!e->resources || e->resources & ~SLOTS_ALL)
		return -EINVAL;
	for (enum slot slot = 0; slot < SLOT_COUNT; slot++) {
		const struct object *x = object_of(a, slot), *y = object_of(b, slot);

		if (e->resources & SLOT_BIT(slot) && (!x || !y || !may_be_same(x, y)))
			return -EINVAL;
	}
	for (enum slot slot = 0; slot < SLOT_COUNT; slot++) {
		struct object *x = object_of(a, slot), *y = object_of(b, slot);

		if (!(e->resources & SLOT_BIT(slot)) || x == y)
			continue;
		/* What is known better stays. */
		if (!x->vague && (y->vague || (x->number < y->number)))
			object_merge(w, y, x);
		else
			object_merge(w, x, y);
	}
	return 0;
}

int world_distinct(struct ramet_world *w, const struct ramet_event *e)
{
	if (e->resources & ~SLOTS_ALL)
		return -EINVAL;
	w->distinct |= e->resources;
	return 0;
}
