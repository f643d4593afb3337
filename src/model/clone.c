/* SPDX-License-Identifier: MIT */
/*
 * Owns what a clone does to the world: kernel_clone() and copy_process(), step by step in the
 * kernel's order. The call has been accepted; only what cannot be is refused.
 */
#include "model/world.h"

#include <errno.h>

#include "model/rules.h"
#include "uapi/clone.h"

/* All that one clone can make: an object a slot, and the undo list that the caller lacked. */
#define OBJECTS_MOST (SLOT_COUNT + 1)

#define IOPRIO_CLASS(ioprio) ((ioprio) >> 13 & 7)

static void share(struct ramet_world *w, struct task *child, const struct task *t, enum slot slot)
{
	object_set(w, child, slot, object_of(t, slot));
}

/* The flag's object is the caller's; without the flag a new one. */
static void share_or_copy(struct ramet_world *w, struct task *child, const struct task *t,
			  enum slot slot, bool shared)
{
	object_set(w, child, slot, shared ? object_of(t, slot) : object_new(w));
}

/* copy_sighand(): a cleared table keeps what is ignored. */
static void copy_sighand(struct ramet_world *w, struct task *child, const struct task *t,
			 uint64_t flags)
{
	const uint32_t signal = object_of(t, SLOT_SIGHAND)->value;

	share_or_copy(w, child, t, SLOT_SIGHAND, flags & CLONE_SIGHAND);
	if (flags & CLONE_SIGHAND)
		return;
	if (!(flags & CLONE_CLEAR_SIGHAND) || signal == CHILD_SIGNAL_IGNORED)
		object_of(child, SLOT_SIGHAND)->value = signal;
}

/* copy_semundo(): to share a list there must be one, so the caller gets it too. */
static void copy_undo(struct ramet_world *w, struct task *child, struct task *t, uint64_t flags)
{
	if (!(flags & CLONE_SYSVSEM))
		return;
	if (!object_of(t, SLOT_SYSVSEM))
		object_set(w, t, SLOT_SYSVSEM, object_new(w));
	share(w, child, t, SLOT_SYSVSEM);
}

/* copy_io(): without the flag only a priority that was set is worth a context. */
static void copy_io(struct ramet_world *w, struct task *child, const struct task *t, uint64_t flags)
{
	const struct object *io = object_of(t, SLOT_IO);
	const uint32_t level = io ? io->value : 0;

	if (flags & CLONE_IO) {
		share(w, child, t, SLOT_IO);
	} else if (level && IOPRIO_CLASS(level)) {
		object_set(w, child, SLOT_IO, object_new(w));
		object_of(child, SLOT_IO)->value = level;
	}
}

static void copy_objects(struct ramet_world *w, struct task *child, struct task *t, uint64_t flags)
{
	copy_undo(w, child, t, flags);
	share_or_copy(w, child, t, SLOT_FILES, flags & CLONE_FILES);
	object_set(w, child, SLOT_FS,
		   flags & CLONE_FS ? object_of(t, SLOT_FS)
				    : object_copy(w, object_of(t, SLOT_FS)));
	copy_sighand(w, child, t, flags);
	share_or_copy(w, child, t, SLOT_MEMORY, flags & CLONE_VM);
	copy_io(w, child, t, flags);
	share_or_copy(w, child, t, SLOT_TLS, (flags & (CLONE_VM | CLONE_SETTLS)) == CLONE_VM);

	share(w, child, t, SLOT_CGROUP);
	if (flags & CLONE_INTO_CGROUP) {
		object_set(w, child, SLOT_CGROUP, object_new(w));
		object_of(child, SLOT_CGROUP)->vague = true;
	}
}

/*
 * The child starts in the namespaces that its maker has for children, new ones or not. A time
 * namespace is entered with memory of one's own only, since 6.2: the clock page is part of it.
 */
static void copy_namespaces(struct ramet_world *w, struct task *child, const struct task *t,
			    uint64_t flags)
{
	static const enum slot slots[] = {
		SLOT_MNT,
		SLOT_NET,
		SLOT_IPC,
		SLOT_UTS,
		SLOT_USER,
		SLOT_CGROUPNS,
		SLOT_TIME,
		SLOT_PID_FOR_CHILDREN,
		SLOT_TIME_FOR_CHILDREN,
	};

	for (unsigned i = 0; i < sizeof(slots) / sizeof(slots[0]); i++)
		share(w, child, t, slots[i]);
	namespaces_make(w, child, flags);
	object_set(w, child, SLOT_PID, object_of(child, SLOT_PID_FOR_CHILDREN));
	if (!(flags & CLONE_VM) || !world_time_waits(w))
		object_set(w, child, SLOT_TIME, object_of(child, SLOT_TIME_FOR_CHILDREN));
}

/* alloc_pid() and attach_pid(): counted in its namespace and all above; the first is pid 1. */
static void enter_pids(struct task *child)
{
	struct object *pids = object_of(child, SLOT_PID);

	for (struct object *o = pids; o; o = object_true(o->parent))
		o->population++;
	if (pids->pids == PIDS_EMPTY) {
		pids->pids = PIDS_ALIVE;
		pids->reaper = child;
		child->process->init = true;
	}
}

static void set_parent(struct task *child, struct task *t, uint64_t flags, uint64_t exit_signal)
{
	struct process *p = child->process;

	child->self_exec = t->self_exec;
	child->parent_exec = flags & (CLONE_PARENT | CLONE_THREAD) ? t->parent_exec : t->self_exec;
	if (flags & CLONE_THREAD) {
		child->exit_signal = -1;
		return;
	}
	child->exit_signal = flags & CLONE_PARENT ? t->process->leader->exit_signal
						  : (int)exit_signal;
	p->parent = flags & CLONE_PARENT ? t->process->parent : t;
	if (p->parent)
		ring_add(&p->parent->children, &p->sibling);
	p->given = t->process->given && object_of(child, SLOT_PID)->given;
	p->below_subreaper = t->process->below_subreaper || t->process->subreaper;
	p->no_zombie = flags & CLONE_AUTOREAP;
}

/* What no kernel can have accepted. */
static bool is_impossible(const struct task *t, uint64_t flags)
{
	if (flags & CLONE_THREAD && !(flags & CLONE_SIGHAND))
		return true;
	if (flags & CLONE_SIGHAND && !(flags & CLONE_VM))
		return true;
	if (flags & CLONE_THREAD && (flags & (CLONE_NEWPID | CLONE_NEWUSER) ||
				     object_of(t, SLOT_PID) != object_of(t, SLOT_PID_FOR_CHILDREN)))
		return true;
	return is_pids_dead(t);
}

int world_clone(struct ramet_world *w, const struct ramet_event *e)
{
	struct task *t, *child;
	uint64_t flags, exit_signal;
	int r = world_actor(w, e->tid, &t);

	if (r < 0)
		return r;
	if (e->other <= 0 || !e->call ||
	    !(e->call->entry & (RAMET_ENTRY_CLONE | RAMET_ENTRY_CLONE3)))
		return -EINVAL;
	flags = model_flags(e->call);
	exit_signal = e->call->exit_signal;
	if (e->call->entry == RAMET_ENTRY_CLONE)
		exit_signal = (exit_signal | e->call->flags) & CSIGNAL;
	if (is_impossible(t, flags))
		return -EINVAL;
	if (world_find(w, e->other))
		return -EEXIST;
	r = world_reserve(w, 1, 1, OBJECTS_MOST);
	if (r < 0)
		return r;

	child = world_new_task(w, e->other, flags & CLONE_THREAD ? t->process : NULL);
	copy_objects(w, child, t, flags);
	copy_namespaces(w, child, t, flags);
	set_parent(child, t, flags, exit_signal);
	enter_pids(child);
	if (flags & CLONE_CHILD_CLEARTID)
		child->clear_child_tid = e->call->child_tid;
	if (flags & CLONE_VFORK) {
		t->held_by = child;
		child->holds = t;
		world_tell(w, RAMET_EFFECT_HELD, t->tid, child->tid, 0);
	}
	return 0;
}
