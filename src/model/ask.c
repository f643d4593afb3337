/* SPDX-License-Identifier: MIT */
/* Owns the answers about a world. Changes nothing. */
#include "model/world.h"

#include <errno.h>

#include "uapi/clone.h"

/* The slot of a resource; SLOT_COUNT if it is not just one that there is. */
static enum slot slot_of(uint32_t resource)
{
	if (!resource || resource & (resource - 1) || resource >= SLOT_BIT(SLOT_COUNT))
		return SLOT_COUNT;
	return (enum slot)__builtin_ctz(resource);
}

/* The number of what t has, be it an object or a process; 0: none. */
static uint64_t number_of(const struct task *t, enum slot slot)
{
	if (slot == SLOT_THREAD_GROUP)
		return t->process->number;
	if (slot == SLOT_PARENT)
		return t->process->parent ? t->process->parent->process->number : 0;
	return t->refs[slot].object ? t->refs[slot].object->number : 0;
}

/* Is it known of any other object of its kind whether it is this one? */
static bool is_sure(const struct ramet_world *w, const struct object *o, enum slot slot)
{
	if (slot == SLOT_PID_FOR_CHILDREN)
		slot = SLOT_PID;
	if (slot == SLOT_TIME_FOR_CHILDREN)
		slot = SLOT_TIME;
	return !o->vague && (!o->given || w->distinct & SLOT_BIT(slot));
}

/* Of two objects: for certain? One that an event made is none of those that were there before. */
static bool differ(const struct ramet_world *w, const struct object *a, const struct object *b,
		   enum slot slot)
{
	if (a->vague || b->vague)
		return false;
	return !a->given || !b->given || (is_sure(w, a, slot) && is_sure(w, b, slot));
}

enum ramet_same ramet_world_compare(const struct ramet_world *world, int a, int b,
				    uint32_t resource)
{
	const struct task *x = world_find(world, a), *y = world_find(world, b);
	const enum slot slot = slot_of(resource);
	uint64_t m, n;

	if (!x || !y || slot == SLOT_COUNT)
		return RAMET_NONE;
	m = number_of(x, slot);
	n = number_of(y, slot);
	/* Whoever has no number is outside: one or several. */
	if (slot == SLOT_PARENT && m != n)
		return RAMET_DIFFERENT;
	if (slot == SLOT_PARENT && !m)
		return RAMET_UNKNOWN;
	if (!m || !n)
		return RAMET_NONE;
	if (m == n)
		return RAMET_SAME;
	if (slot == SLOT_THREAD_GROUP)
		return RAMET_DIFFERENT;
	return differ(world, object_of(x, slot), object_of(y, slot), slot) ? RAMET_DIFFERENT
									   : RAMET_UNKNOWN;
}

uint64_t ramet_world_object(const struct ramet_world *world, int tid, uint32_t resource)
{
	const struct task *t = world_find(world, tid);
	const enum slot slot = slot_of(resource);

	return t && slot != SLOT_COUNT ? number_of(t, slot) : 0;
}

/* Those of which a task has two share one list of holders. */
#define SLOTS_IN_PAIRS                                                                             \
	(SLOT_BIT(SLOT_PID) | SLOT_BIT(SLOT_TIME) | SLOT_BIT(SLOT_PID_FOR_CHILDREN) |              \
	 SLOT_BIT(SLOT_TIME_FOR_CHILDREN))

size_t ramet_world_holders(const struct ramet_world *world, int tid, uint32_t resource)
{
	const struct task *t = world_find(world, tid);
	const enum slot slot = slot_of(resource);
	size_t n = 0;

	if (!t || slot == SLOT_COUNT || !number_of(t, slot))
		return 0;
	if (slot == SLOT_THREAD_GROUP)
		return t->process->count;
	if (slot != SLOT_PARENT && !(SLOTS_IN_PAIRS & SLOT_BIT(slot)))
		return object_of(t, slot)->count;
	for (int at = 0; (at = ramet_world_next_holder(world, tid, resource, at)) > 0;)
		n++;
	return n;
}

/* ---- Walks ---- */

static int tid_at(const struct ramet_world *w, const struct ring *at)
{
	return at == &w->tasks ? 0 : RING_OF(at, struct task, all)->tid;
}

int ramet_world_next(const struct ramet_world *world, int after)
{
	const struct task *t;

	if (!after)
		return tid_at(world, world->tasks.next);
	t = world_find(world, after);
	return t ? tid_at(world, t->all.next) : -ESRCH;
}

/* Processes are not lists of siblings across a parent's threads: search. */
static int next_with_number(const struct ramet_world *w, uint64_t number, enum slot slot, int after)
{
	int tid = ramet_world_next(w, after);

	while (tid > 0 && number_of(world_find(w, tid), slot) != number)
		tid = ramet_world_next(w, tid);
	return tid;
}

/* A namespace has one list of those in it and those whose children will be: pass the others. */
static const struct ring *skip_slots(const struct object *o, const struct ring *at, enum slot slot)
{
	for (; at != &o->holders; at = at->next) {
		const struct ref *ref = RING_OF(at, struct ref, ring);

		if (ref - ref->task->refs == slot)
			break;
	}
	return at;
}

int ramet_world_next_holder(const struct ramet_world *world, int tid, uint32_t resource, int after)
{
	const struct task *t = world_find(world, tid), *last;
	const enum slot slot = slot_of(resource);
	const struct object *o;
	const struct ring *at;

	if (!t)
		return -ESRCH;
	if (slot == SLOT_COUNT || !number_of(t, slot))
		return 0;
	if (slot == SLOT_THREAD_GROUP || slot == SLOT_PARENT)
		return next_with_number(world, number_of(t, slot), slot, after);
	o = object_of(t, slot);
	at = o->holders.next;
	if (after) {
		last = world_find(world, after);
		if (!last || object_of(last, slot) != o)
			return -ESRCH;
		at = last->refs[slot].ring.next;
	}
	at = skip_slots(o, at, slot);
	return at == &o->holders ? 0 : RING_OF(at, struct ref, ring)->task->tid;
}

/* ---- One task ---- */

bool is_pids_dead(const struct task *t)
{
	const struct object *o = object_of(t, SLOT_PID_FOR_CHILDREN);

	return o && o->pids == PIDS_DEAD;
}

int ramet_world_task(const struct ramet_world *world, int tid, struct ramet_world_task *ret_task)
{
	const struct task *t = world_find(world, tid);
	const struct process *p;

	if (!t)
		return -ESRCH;
	p = t->process;
	*ret_task = (struct ramet_world_task){
		.tid = tid,
		.tgid = p->leader->tid,
		.parent = p->parent ? p->parent->process->leader->tid : 0,
		.parent_tid = p->parent ? p->parent->tid : 0,
		.exit_signal = t->exit_signal,
		.state = t->state,
		.waitable = t == p->leader && is_waitable(p),
		.threads = (int)p->count,
		.held_by = t->held_by ? t->held_by->tid : 0,
		.holds = t->holds ? t->holds->tid : 0,
		.init = p->given ? -1 : p->init,
		.subreaper = p->subreaper,
		.pids_dead = is_pids_dead(t),
		.clear_child_tid = t->clear_child_tid,
	};
	return 0;
}

/* ---- For the rules ---- */

/* How many of an object's holders are tasks of another process. */
static bool is_shared_outside(const struct task *t, enum slot slot, uint32_t in_process)
{
	return object_of(t, slot)->count > in_process;
}

static void ask_sharers(const struct ramet_world *w, const struct task *t, struct ramet_caller *c)
{
	const struct process *p = t->process;

	/* A dead first task has left the memory, but keeps the handlers until it is reaped. */
	c->memory_shared = is_shared_outside(t, SLOT_MEMORY, p->live);
	c->sighand_shared = is_shared_outside(t, SLOT_SIGHAND, p->count);
	c->fs_shared = is_shared_outside(t, SLOT_FS, 1);
	if ((c->memory_shared || is_sure(w, object_of(t, SLOT_MEMORY), SLOT_MEMORY)) &&
	    (c->sighand_shared || is_sure(w, object_of(t, SLOT_SIGHAND), SLOT_SIGHAND)) &&
	    (c->fs_shared || is_sure(w, object_of(t, SLOT_FS), SLOT_FS)))
		c->known |= RAMET_KNOWN_SHARERS;
}

static bool ask_children(const struct ramet_world *w, const struct task *t, enum slot slot,
			 enum slot for_children, int *ret)
{
	const struct object *own = object_of(t, slot), *next = object_of(t, for_children);

	*ret = own != next;
	return is_sure(w, own, slot) && is_sure(w, next, slot);
}

/* Is its root in another mount namespace? So it is once a task with the same fs has used setns. */
static bool is_root_elsewhere(const struct ramet_world *w, const struct task *t)
{
	const struct object *root = object_true(object_of(t, SLOT_FS)->owner);
	const struct object *mounts = object_of(t, SLOT_MNT);

	return root != mounts && differ(w, root, mounts, SLOT_MNT);
}

int ramet_world_caller(const struct ramet_world *world, int tid, struct ramet_caller *ret_caller)
{
	const struct task *t = world_find(world, tid);
	struct ramet_caller c = {.kernel = world->kernel};

	if (!t || t->state != RAMET_STATE_ALIVE)
		return -ESRCH;
	c.threads = (int)t->process->count;
	c.live_threads = (int)t->process->live;
	c.known = RAMET_KNOWN_THREADS;
	if (ask_children(world, t, SLOT_PID, SLOT_PID_FOR_CHILDREN, &c.pid_for_children))
		c.known |= RAMET_KNOWN_PIDNS;
	if (ask_children(world, t, SLOT_TIME, SLOT_TIME_FOR_CHILDREN, &c.time_for_children))
		c.known |= RAMET_KNOWN_TIMENS;
	if (!t->process->given) {
		c.init = t->process->init;
		c.known |= RAMET_KNOWN_INIT;
	}
	/* Without that it may still have called chroot. */
	if (is_root_elsewhere(world, t)) {
		c.chrooted = 1;
		c.known |= RAMET_KNOWN_ROOT;
	}
	ask_sharers(world, t, &c);
	*ret_caller = c;
	return 0;
}

/* Whose user namespace decides about t's namespace in that slot. */
static const struct object *owner_of(const struct task *t, enum slot slot)
{
	struct object *o = object_of(t, slot);

	return slot == SLOT_USER ? o : object_true(o->owner);
}

int ramet_world_target(const struct ramet_world *world, int tid, int other, uint64_t types,
		       int for_children, struct ramet_target *ret_target)
{
	const struct task *t = world_find(world, tid), *o = world_find(world, other);
	struct ramet_target target = {0};
	const struct object *own, *pids;

	if (!t || !o)
		return -ESRCH;
	own = object_of(t, SLOT_USER);
	pids = object_of(o, for_children ? SLOT_PID_FOR_CHILDREN : SLOT_PID);
	target.dead = o->state != RAMET_STATE_ALIVE;
	target.own_user = object_of(o, SLOT_USER) == own;
	target.unrelated_pids = !pids || !namespace_holds(object_of(t, SLOT_PID), pids);
	for (unsigned i = 0; i < NAMESPACES_MOST; i++) {
		const enum slot slot = for_children ? namespace_kinds[i].fresh
						    : namespace_kinds[i].slot;
		const struct object *owner;

		if (!(types & namespace_kinds[i].flag) || !object_of(o, slot))
			continue;
		/* Where the owner is not known the first user namespace is taken for it. */
		owner = owner_of(o, slot);
		if (!(owner ? namespace_holds(own, owner) : !own->parent))
			target.no_admin |= namespace_kinds[i].flag;
	}
	target.no_chroot = !namespace_holds(own, object_of(o, SLOT_USER));
	*ret_target = target;
	return 0;
}
