/* SPDX-License-Identifier: MIT */
/*
 * Owns new namespaces, and what unshare and setns do: to the calling task alone, also where it is
 * one of several threads.
 */
#include "model/world.h"

#include <errno.h>

#include "model/rules.h"
#include "uapi/clone.h"

const struct namespace_kind namespace_kinds[NAMESPACES_MOST] = {
	{CLONE_NEWUSER, SLOT_USER, SLOT_USER}, /* first: it owns the others */
	{CLONE_NEWNS, SLOT_MNT, SLOT_MNT},
	{CLONE_NEWUTS, SLOT_UTS, SLOT_UTS},
	{CLONE_NEWIPC, SLOT_IPC, SLOT_IPC},
	{CLONE_NEWPID, SLOT_PID, SLOT_PID_FOR_CHILDREN},
	{CLONE_NEWCGROUP, SLOT_CGROUPNS, SLOT_CGROUPNS},
	{CLONE_NEWNET, SLOT_NET, SLOT_NET},
	{CLONE_NEWTIME, SLOT_TIME, SLOT_TIME_FOR_CHILDREN},
};

bool namespace_holds(const struct object *upper, const struct object *lower)
{
	for (struct object *o = (struct object *)lower; o; o = object_true(o->parent))
		if (o == upper)
			return true;
	return false;
}

static struct object *namespace_new(struct ramet_world *w, const struct task *t, enum slot slot)
{
	struct object *before = object_of(t, slot), *o = object_new(w);

	if (slot == SLOT_USER || slot == SLOT_PID_FOR_CHILDREN) {
		object_pin(&o->parent, before);
		o->value = before->value + 1;
	}
	if (slot == SLOT_PID_FOR_CHILDREN)
		o->pids = PIDS_EMPTY;
	if (slot != SLOT_USER)
		object_pin(&o->owner, object_of(t, SLOT_USER));
	return o;
}

/* copy_mnt_ns(): a root that lies in the namespace that is copied lies in the copy then. */
static void make_mounts(struct ramet_world *w, struct task *t)
{
	struct object *fs = object_of(t, SLOT_FS), *before = object_of(t, SLOT_MNT);
	const bool inside = object_true(fs->owner) == before;

	object_set(w, t, SLOT_MNT, namespace_new(w, t, SLOT_MNT));
	if (inside)
		object_pin_other(w, &fs->owner, object_of(t, SLOT_MNT));
}

void namespaces_make(struct ramet_world *w, struct task *t, uint64_t flags)
{
	for (unsigned i = 0; i < NAMESPACES_MOST; i++) {
		if (!(flags & namespace_kinds[i].flag))
			continue;
		if (namespace_kinds[i].slot == SLOT_MNT)
			make_mounts(w, t);
		else
			object_set(w, t, namespace_kinds[i].fresh,
				   namespace_new(w, t, namespace_kinds[i].fresh));
	}
}

int world_unshare(struct ramet_world *w, const struct ramet_event *e)
{
	struct task *t;
	uint64_t flags;
	int r = world_actor(w, e->tid, &t);

	if (r < 0)
		return r;
	if (!e->call || e->call->entry != RAMET_ENTRY_UNSHARE)
		return -EINVAL;
	r = world_reserve(w, 0, 0, NAMESPACES_MOST + 2);
	if (r < 0)
		return r;
	flags = model_flags(e->call);
	if (flags & (CLONE_FS | CLONE_NEWNS | CLONE_NEWUSER))
		object_part(w, t, SLOT_FS);
	if (flags & CLONE_FILES)
		object_part(w, t, SLOT_FILES);
	/* The list is dropped as at the end of the task: the next semop makes another. */
	if (flags & (CLONE_SYSVSEM | CLONE_NEWIPC))
		object_set(w, t, SLOT_SYSVSEM, NULL);
	namespaces_make(w, t, flags);
	return 0;
}

/* What tid gets in that slot: the other's, or one that nobody here knows. */
static struct object *joined(struct ramet_world *w, const struct task *other, enum slot slot)
{
	struct object *o;

	if (other)
		return object_of(other, slot);
	o = object_new(w);
	o->given = o->vague = true;
	return o;
}

static void join(struct ramet_world *w, struct task *t, const struct task *other,
		 const struct namespace_kind *kind, bool for_children)
{
	const enum slot slot = for_children ? kind->fresh : kind->slot;
	struct object *o = joined(w, other, slot);

	object_set(w, t, kind->fresh, o);
	/* A clock is not inherited by birth alone: setns moves the caller itself as well. */
	if (kind->slot == SLOT_TIME)
		object_set(w, t, SLOT_TIME, o);
	if (kind->slot == SLOT_IPC)
		object_set(w, t, SLOT_SYSVSEM, NULL);
	/* The root follows, also for those who share it and stay where they were. */
	if (kind->slot == SLOT_MNT)
		object_pin_other(w, &object_of(t, SLOT_FS)->owner, o);
}

/* A zombie's files in /proc still name its user and pid namespaces. */
static bool has_all(const struct task *other, uint64_t flags, bool for_children)
{
	for (unsigned i = 0; i < NAMESPACES_MOST; i++)
		if (flags & namespace_kinds[i].flag &&
		    !object_of(other,
			       for_children ? namespace_kinds[i].fresh : namespace_kinds[i].slot))
			return false;
	return true;
}

int world_setns(struct ramet_world *w, const struct ramet_event *e)
{
	struct task *t, *other = NULL;
	int r = world_actor(w, e->tid, &t);

	if (r < 0)
		return r;
	if (!e->call || e->call->entry != RAMET_ENTRY_SETNS || !e->call->flags ||
	    e->call->flags & ~CLONE_NEW_ANY)
		return -EINVAL;
	if (e->other) {
		other = world_find(w, e->other);
		if (!other || !has_all(other, e->call->flags, e->number))
			return -ESRCH;
	}
	r = world_reserve(w, 0, 0, NAMESPACES_MOST);
	if (r < 0)
		return r;
	for (unsigned i = 0; i < NAMESPACES_MOST; i++)
		if (e->call->flags & namespace_kinds[i].flag)
			join(w, t, other, &namespace_kinds[i], e->number);
	return 0;
}
