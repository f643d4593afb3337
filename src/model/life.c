/* SPDX-License-Identifier: MIT */
/*
 * Owns what becomes of tasks: exec, end, who gets the orphans, who may wait and what is left
 * until then. None of it needs memory, exec apart, so that ends cannot fail.
 */
#include "model/world.h"

#include <errno.h>
#include <signal.h>

#include "model/rules.h"
#include "uapi/misc.h"

#define OBJECTS_OF_EXEC 4
#define KERNEL_WNOTHREAD 0x20000000u

/* The first thread of the process that has not ended. Dead ones are gone, a first task apart. */
static struct task *live_thread(const struct process *p)
{
	for (RING_EACH(at, &p->threads)) {
		struct task *t = RING_OF(at, struct task, thread);

		if (t->state == RAMET_STATE_ALIVE)
			return t;
	}
	return NULL;
}

/* mm_release(): what is due to those who share the memory when t leaves it. */
static void leave_memory(struct ramet_world *w, struct task *t)
{
	struct task *held = t->holds;

	if (t->clear_child_tid) {
		const bool shared = object_of(t, SLOT_MEMORY)->count > 1;

		world_tell(w, shared ? RAMET_EFFECT_CLEARED : RAMET_EFFECT_NOT_CLEARED, t->tid, 0,
			   t->clear_child_tid);
		t->clear_child_tid = 0;
	}
	if (held) {
		t->holds = NULL;
		held->held_by = NULL;
		world_tell(w, RAMET_EFFECT_RELEASED, held->tid, t->tid, 0);
	}
}

/* ---- Out of the world ---- */

/* release_task(). A last thread makes its process' dead first task one to wait for. */
static void release(struct ramet_world *w, struct task *t);

/* do_notify_parent(): the first task of p has ended and no thread is left. */
static void notify(struct ramet_world *w, struct process *p)
{
	struct task *leader = p->leader, *parent = p->parent;
	int signal = leader->exit_signal;
	bool reaped = p->no_zombie;

	/* Whoever called exec since has not asked for this signal. */
	if (parent && leader->parent_exec != parent->self_exec)
		signal = SIGCHLD;
	if (parent && signal == SIGCHLD && object_of(parent, SLOT_SIGHAND)->value)
		reaped = true;
	/* A pid 1 at its end waits for whatever it can. */
	if (parent && parent->state == RAMET_STATE_ENDING)
		reaped = true;
	if (reaped)
		release(w, leader);
	else
		world_tell(w, RAMET_EFFECT_WAITABLE, leader->tid, signal, 0);
}

static void leave_pids(struct task *t)
{
	struct object *pids = object_of(t, SLOT_PID);

	for (struct object *o = pids; o; o = object_true(o->parent))
		o->population--;
	if (pids->reaper == t)
		pids->reaper = NULL;
}

static void forget(struct ramet_world *w, struct task *t)
{
	leave_pids(t);
	for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
		object_set(w, t, slot, NULL);
	world_free_task(w, t);
}

static void release(struct ramet_world *w, struct task *t)
{
	struct process *p = t->process;
	const bool last = p->count == 1;

	world_tell(w, RAMET_EFFECT_GONE, t->tid, 0, 0);
	forget(w, t);
	if (!last && is_waitable(p))
		notify(w, p);
}

/* ---- Orphans ---- */

/* find_new_reaper(): NULL is somebody outside of the world. */
static struct task *new_parent(const struct task *t)
{
	const struct object *pids = object_of(t, SLOT_PID);
	struct task *heir = live_thread(t->process);

	if (heir)
		return heir;
	/* Not beyond the pid namespace: nobody outside can be the parent of all in it. */
	for (const struct task *up = t->process->parent;
	     t->process->below_subreaper && up && object_of(up, SLOT_PID)->value == pids->value;
	     up = up->process->parent) {
		if (up->process->subreaper && (heir = live_thread(up->process)))
			return heir;
	}
	return pids->reaper != t ? pids->reaper : NULL;
}

/* forget_original_parent() */
static void give_children_away(struct ramet_world *w, struct task *t)
{
	struct task *heir;

	if (ring_is_empty(&t->children))
		return;
	heir = new_parent(t);
	while (!ring_is_empty(&t->children)) {
		struct process *p = RING_OF(t->children.next, struct process, sibling);

		ring_remove(&p->sibling);
		p->parent = heir;
		if (heir)
			ring_add(&heir->children, &p->sibling);
		if (heir && heir->process == t->process)
			continue;
		p->leader->exit_signal = SIGCHLD;
		world_tell(w, RAMET_EFFECT_MOVED, p->leader->tid,
			   heir ? heir->process->leader->tid : 0, 0);
		if (is_waitable(p))
			notify(w, p);
	}
}

/* ---- The end of a task: do_exit() ---- */

/* exit_notify(), with the pid namespace empty if this is the end of its pid 1. */
static void finish(struct ramet_world *w, struct task *t)
{
	struct process *p = t->process;

	give_children_away(w, t);
	object_set(w, t, SLOT_IO, NULL);
	if (t != p->leader) {
		release(w, t);
		return;
	}
	t->state = RAMET_STATE_ZOMBIE;
	if (p->count == 1)
		notify(w, p);
}

static void end(struct ramet_world *w, struct task *t);

static void end_process(struct ramet_world *w, struct process *p, int by)
{
	/* The last one may take the process with it, so count. */
	for (uint32_t n = p->live; n; n--) {
		struct task *t = live_thread(p);

		if (t->tid != by)
			world_tell(w, RAMET_EFFECT_KILLED, t->tid, by, 0);
		end(w, t);
	}
}

/*
 * zap_pid_ns_processes(): t was the last thread of pid 1. SIGCHLD is ignored from here on, by all
 * who share its handlers, so that children that end leave no zombie; of those who have ended
 * already it waits for its own. What is left has a parent outside, and is waited for in settle().
 */
static void empty_namespace(struct ramet_world *w, struct task *t)
{
	struct object *pids = object_of(t, SLOT_PID);
	struct cursor here = {.at = w->tasks.next, .outer = w->cursors};

	pids->pids = PIDS_DEAD;
	object_of(t, SLOT_SIGHAND)->value = CHILD_SIGNAL_IGNORED;
	ring_add(&w->waiting, &t->waiting);
	w->cursors = &here;
	while (here.at != &w->tasks) {
		struct task *u = RING_OF(here.at, struct task, all);

		here.at = here.at->next;
		if (u->state == RAMET_STATE_ALIVE && namespace_holds(pids, object_of(u, SLOT_PID)))
			end_process(w, u->process, t->tid);
	}
	w->cursors = here.outer;
	for (RING_EACH(at, &t->children)) {
		struct process *p = RING_OF(at, struct process, sibling);

		if (is_waitable(p))
			release(w, p->leader);
	}
}

static void end(struct ramet_world *w, struct task *t)
{
	struct object *pids = object_of(t, SLOT_PID);

	t->state = RAMET_STATE_ENDING;
	t->process->live--;
	leave_memory(w, t);
	if (t->held_by) {
		t->held_by->holds = NULL;
		t->held_by = NULL;
	}
	for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
		if (!((SLOTS_OF_ZOMBIE | SLOT_BIT(SLOT_IO)) & SLOT_BIT(slot)))
			object_set(w, t, slot, NULL);
	if (pids->reaper == t) {
		struct task *next = live_thread(t->process);

		if (!next) {
			empty_namespace(w, t);
			return;
		}
		pids->reaper = next;
	}
	finish(w, t);
}

/* Let each pid 1 end that is alone by now; one's end may be what another waited for. */
static void settle(struct ramet_world *w)
{
	for (struct ring *at = w->waiting.next; at != &w->waiting;) {
		struct task *t = RING_OF(at, struct task, waiting);

		at = at->next;
		if (object_of(t, SLOT_PID)->population > t->process->count)
			continue;
		ring_remove(&t->waiting);
		finish(w, t);
		at = w->waiting.next;
	}
}

int world_exit(struct ramet_world *w, const struct ramet_event *e)
{
	struct task *t = world_find(w, e->tid);

	if (!t || t->state != RAMET_STATE_ALIVE)
		return -ESRCH;
	end(w, t);
	settle(w);
	return 0;
}

int world_exit_group(struct ramet_world *w, const struct ramet_event *e)
{
	struct task *t = world_find(w, e->tid);

	if (!t || !t->process->live)
		return -ESRCH;
	end_process(w, t->process, t->tid);
	settle(w);
	return 0;
}

/* ---- Waiting ---- */

static bool is_seen(const struct task *t, const struct task *child, uint32_t options)
{
	const struct task *parent = child->process->parent;

	if (child != child->process->leader)
		return false;
	if (!t || !parent)
		return !t && !parent;
	if (parent->process != t->process || (options & KERNEL_WNOTHREAD && parent != t))
		return false;
	if (options & KERNEL_WALL)
		return true;
	return (child->exit_signal != SIGCHLD) == !!(options & KERNEL_WCLONE);
}

int world_wait(struct ramet_world *w, const struct ramet_event *e)
{
	struct task *t = NULL, *child = world_find(w, e->other);
	int r = e->tid ? world_actor(w, e->tid, &t) : 0;

	if (r < 0)
		return r;
	if (!child || !is_seen(t, child, e->number))
		return -ECHILD;
	if (!is_waitable(child->process))
		return -EAGAIN;
	release(w, child);
	settle(w);
	return 0;
}

int world_release(struct ramet_world *w, const struct ramet_event *e)
{
	struct task *t = world_find(w, e->tid);

	if (!t || t->state != RAMET_STATE_ALIVE)
		return -ESRCH;
	if (!t->held_by)
		return -EINVAL;
	world_tell(w, RAMET_EFFECT_RELEASED, t->tid, t->held_by->tid, 0);
	t->held_by->holds = NULL;
	t->held_by = NULL;
	return 0;
}

/* ---- Exec ---- */

/* de_thread(): t alone goes on, as its process' first task. */
static void end_other_threads(struct ramet_world *w, struct task *t)
{
	struct process *p = t->process;
	struct task *leader = p->leader;
	const int tid = t->tid;

	for (RING_EACH(at, &p->threads)) {
		struct task *u = RING_OF(at, struct task, thread);

		if (u == t || u->state != RAMET_STATE_ALIVE)
			continue;
		world_tell(w, RAMET_EFFECT_KILLED, u->tid, t->tid, 0);
		end(w, u);
	}
	if (t == leader)
		return;
	p->leader = t;
	world_rename(w, t, leader->tid);
	forget(w, leader);
	world_tell(w, RAMET_EFFECT_RENAMED, t->tid, tid, 0);
}

int world_exec(struct ramet_world *w, const struct ramet_event *e)
{
	struct task *t;
	int r = world_actor(w, e->tid, &t);

	if (r == 0)
		r = world_reserve(w, 0, 0, OBJECTS_OF_EXEC);
	if (r < 0)
		return r;
	end_other_threads(w, t);
	t->exit_signal = SIGCHLD;
	object_part(w, t, SLOT_FILES);
	leave_memory(w, t);
	object_set(w, t, SLOT_MEMORY, object_new(w));
	object_set(w, t, SLOT_TLS, object_new(w));
	if (world_time_waits(w))
		object_set(w, t, SLOT_TIME, object_of(t, SLOT_TIME_FOR_CHILDREN));
	object_part(w, t, SLOT_SIGHAND);
	/* What is ignored stays so, flags of handlers do not. */
	if (object_of(t, SLOT_SIGHAND)->value == CHILD_SIGNAL_NO_ZOMBIE)
		object_of(t, SLOT_SIGHAND)->value = CHILD_SIGNAL_PLAIN;
	t->self_exec++;
	settle(w);
	return 0;
}

/* ---- What has an effect later ---- */

/* Whoever is below is told once; a pid namespace's inside is not: its pid 1 stands before. */
static void tell_descendants(struct process *top)
{
	struct process *stack = top;

	top->shelf = NULL;
	while (stack) {
		struct process *p = stack;

		stack = p->shelf;
		for (RING_EACH(at, &p->threads)) {
			struct task *t = RING_OF(at, struct task, thread);

			for (RING_EACH(child_at, &t->children)) {
				struct process *child = RING_OF(child_at, struct process, sibling);

				if (child->below_subreaper || child->init)
					continue;
				child->below_subreaper = true;
				child->shelf = stack;
				stack = child;
			}
		}
	}
}

int world_subreaper(struct ramet_world *w, const struct ramet_event *e)
{
	struct task *t;
	int r = world_actor(w, e->tid, &t);

	if (r < 0)
		return r;
	t->process->subreaper = e->number;
	if (e->number)
		tell_descendants(t->process);
	return 0;
}

int world_child_signal(struct ramet_world *w, const struct ramet_event *e)
{
	struct task *t;
	int r = world_actor(w, e->tid, &t);

	if (r == 0 && e->number > CHILD_SIGNAL_NO_ZOMBIE)
		r = -EINVAL;
	if (r == 0)
		object_of(t, SLOT_SIGHAND)->value = e->number;
	return r;
}

static int have(struct ramet_world *w, int tid, enum slot slot, struct task **ret_task)
{
	int r = world_actor(w, tid, ret_task);

	if (r == 0)
		r = world_reserve(w, 0, 0, 1);
	if (r == 0 && !object_of(*ret_task, slot))
		object_set(w, *ret_task, slot, object_new(w));
	return r;
}

int world_undo(struct ramet_world *w, const struct ramet_event *e)
{
	struct task *t;

	return have(w, e->tid, SLOT_SYSVSEM, &t);
}

int world_ioprio(struct ramet_world *w, const struct ramet_event *e)
{
	struct task *t;
	int r = have(w, e->tid, SLOT_IO, &t);

	if (r == 0)
		object_of(t, SLOT_IO)->value = e->number;
	return r;
}
