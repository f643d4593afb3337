/* SPDX-License-Identifier: MIT */
/*
 * The inside of a world: tasks in processes, and the objects that tasks have. Pure, one owner of
 * each part: world.c the tables, given.c what was there before, clone.c, namespaces.c and life.c
 * what events do, ask.c the answers.
 *
 * An event first makes sure that all it may need is on the shelves (world_reserve()), and then
 * cannot fail: so a failed event has changed nothing.
 */
#ifndef RAMET_MODEL_WORLD_H
#define RAMET_MODEL_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ramet/model.h>

/* ---- Lists: a ring through its head, as the kernel's own ---- */

struct ring {
	struct ring *next, *prev;
};

#define RING_OF(ring, type, member) ((type *)((char *)(ring)-offsetof(type, member)))

/* for (RING_EACH(at, head)): what the loop takes out must not be `at`'s successor. */
#define RING_EACH(at, head)                                                                        \
	struct ring *at = (head)->next, *at##_next = at->next;                                     \
	at != (head);                                                                              \
	at = at##_next, at##_next = at->next

static inline void ring_init(struct ring *head)
{
	head->next = head->prev = head;
}

static inline bool ring_is_empty(const struct ring *head)
{
	return head->next == head;
}

static inline void ring_add(struct ring *head, struct ring *r)
{
	r->prev = head->prev;
	r->next = head;
	head->prev->next = r;
	head->prev = r;
}

static inline void ring_remove(struct ring *r)
{
	r->prev->next = r->next;
	r->next->prev = r->prev;
	ring_init(r);
}

/* ---- Objects ---- */

/* A slot is the number of the resource's bit; THREAD_GROUP and PARENT are no objects. */
enum slot {
	SLOT_MEMORY = 0,
	SLOT_FILES,
	SLOT_FS,
	SLOT_SIGHAND,
	SLOT_THREAD_GROUP,
	SLOT_PARENT,
	SLOT_SYSVSEM,
	SLOT_IO,
	SLOT_TLS,
	SLOT_MNT,
	SLOT_PID,
	SLOT_NET,
	SLOT_IPC,
	SLOT_UTS,
	SLOT_USER,
	SLOT_CGROUPNS,
	SLOT_TIME,
	SLOT_CGROUP,
	SLOT_PID_FOR_CHILDREN,
	SLOT_TIME_FOR_CHILDREN,
	SLOT_COUNT,
};

#define SLOT_BIT(slot) (1u << (slot))

/* What is left of a task until it is reaped. One that waits at its end still has its IO. */
#define SLOTS_OF_ZOMBIE                                                                            \
	(SLOT_BIT(SLOT_SIGHAND) | SLOT_BIT(SLOT_PID) | SLOT_BIT(SLOT_USER) | SLOT_BIT(SLOT_CGROUP))

enum child_signal { CHILD_SIGNAL_PLAIN = 0, CHILD_SIGNAL_IGNORED, CHILD_SIGNAL_NO_ZOMBIE };

enum pids { PIDS_UNKNOWN = 0, PIDS_EMPTY, PIDS_ALIVE, PIDS_DEAD };

struct object {
	uint64_t number;
	struct ring holders; /* of struct ref, oldest first */
	uint32_t count;	     /* of holders */
	uint32_t pins;	     /* other objects that point here */
	bool given;	     /* was there before the replay: may be another given one in truth */
	bool vague;	     /* may be any other one in truth */
	/* SIGHAND: enum child_signal. IO: its priority. USER, PID: how deep. */
	uint32_t value;
	struct object *same;   /* was found to be this one, pinned; while free: the shelf */
	struct object *parent; /* USER, PID: the namespace that it was made in, pinned */
	/* Namespaces but USER: the user namespace. FS: the mount namespace its root is in. Pinned. */
	struct object *owner;
	/* PID alone */
	enum pids pids;
	uint32_t population; /* tasks in it and below, dead ones that are not reaped too */
	struct task *reaper; /* its pid 1, or the thread of it that orphans go to */
};

struct ref {
	struct ring ring;
	struct object *object; /* NULL: the task has none */
	struct task *task;
};

/* ---- Processes and tasks ---- */

struct process {
	uint64_t number;
	struct process *shelf; /* while free */
	struct task *leader;
	struct ring threads; /* of task.thread */
	struct ring sibling; /* in parent->children; of its own if there is no parent */
	struct task *parent; /* NULL: outside of the world */
	uint32_t count;	     /* of threads; the dead one of a leader counts */
	uint32_t live;	     /* of these, not ended */
	bool given;	     /* whether it is pid 1 is not known */
	bool init;	     /* pid 1 of its pid namespace */
	bool subreaper;
	bool below_subreaper; /* as the kernel remembers it: never taken back */
	bool no_zombie;	      /* CLONE_AUTOREAP */
};

struct task {
	int tid;
	struct task *hashed;  /* next in its bucket; while free: the shelf */
	struct ring all;      /* in world->tasks, oldest first */
	struct ring thread;   /* in process->threads */
	struct ring children; /* of process.sibling */
	struct ring waiting;  /* in world->waiting */
	struct process *process;
	struct ref refs[SLOT_COUNT];
	int exit_signal;
	enum ramet_state state;
	struct task *held_by; /* the vfork child that it sleeps for */
	struct task *holds;   /* the other way round */
	uint64_t clear_child_tid;
	uint32_t self_exec, parent_exec; /* exit signals do not outlive an exec of the parent */
};

/* A walk over all tasks that goes on though tasks are taken out. */
struct cursor {
	struct ring *at;
	struct cursor *outer;
};

static inline bool is_waitable(const struct process *p)
{
	return p->leader->state == RAMET_STATE_ZOMBIE && p->count == 1;
}

struct chunk {
	_Alignas(16) struct chunk *next;
};

struct ramet_world {
	unsigned kernel;
	uint64_t numbers; /* the last that was given to an object or a process */
	uint32_t distinct;
	struct ring tasks;
	size_t count;
	struct task **buckets;
	size_t bucket_count; /* a power of two */
	struct cursor *cursors;
	struct ring waiting; /* of task.waiting: pid 1s at their end */
	void (*watch)(void *arg, const struct ramet_effect *effect);
	void *watch_arg;
	/* Shelves of what is free to be used, and the memory that all came from. */
	struct task *free_tasks;
	struct object *free_objects;
	struct process *free_processes;
	size_t free_task_count, free_object_count, free_process_count;
	struct chunk *chunks;
	void *(*allocate)(size_t size); /* malloc; tests put their own here */
};

/* ---- world.c ---- */

/* 0 or -ENOMEM: a later call cannot fail to find so many. */
int world_reserve(struct ramet_world *w, unsigned tasks, unsigned processes, unsigned objects);

struct task *world_find(const struct ramet_world *w, int tid);
/* A task that can act: 0, or -ESRCH or -EBUSY. */
int world_actor(const struct ramet_world *w, int tid, struct task **ret_task);

/* A new task with the tid, in the tables, without objects; process NULL: a new one. */
struct task *world_new_task(struct ramet_world *w, int tid, struct process *process);
void world_rename(struct ramet_world *w, struct task *t, int tid);
/* Out of all tables; its objects have been dropped. */
void world_free_task(struct ramet_world *w, struct task *t);

struct object *object_new(struct ramet_world *w);
static inline struct object *object_of(const struct task *t, enum slot slot)
{
	return t->refs[slot].object;
}
/* For parent and owner: what it was found to be. */
static inline struct object *object_true(struct object *o)
{
	while (o && o->same)
		o = o->same;
	return o;
}
void object_pin(struct object **at, struct object *o);
/* Let go of what the slot has, and take o (NULL: nothing). */
void object_set(struct ramet_world *w, struct task *t, enum slot slot, struct object *o);
void object_pin_other(struct ramet_world *w, struct object **at, struct object *o);
/* A copy with the same contents. */
struct object *object_copy(struct ramet_world *w, const struct object *o);
/* A copy for t alone, unless it is the only one to have it. */
void object_part(struct ramet_world *w, struct task *t, enum slot slot);
/* All holders of o get `into`. */
void object_merge(struct ramet_world *w, struct object *o, struct object *into);

void world_tell(const struct ramet_world *w, enum ramet_effect_kind kind, int tid, int other,
		uint64_t address);

/*
 * Since 6.2 a time namespace for children waits until a child has a memory of its own, and exec
 * enters it; before, every child was born into it and exec entered nothing.
 */
static inline bool world_time_waits(const struct ramet_world *w)
{
	return !w->kernel || w->kernel >= (6u << 16 | 2u << 8);
}

/* ---- Events: 0 or -errno and nothing changed ---- */

int world_add(struct ramet_world *w, const struct ramet_event *e);
int world_assume(struct ramet_world *w, const struct ramet_event *e);
int world_distinct(struct ramet_world *w, const struct ramet_event *e);
int world_clone(struct ramet_world *w, const struct ramet_event *e);
int world_exec(struct ramet_world *w, const struct ramet_event *e);
int world_unshare(struct ramet_world *w, const struct ramet_event *e);
int world_setns(struct ramet_world *w, const struct ramet_event *e);
int world_exit(struct ramet_world *w, const struct ramet_event *e);
int world_exit_group(struct ramet_world *w, const struct ramet_event *e);
int world_wait(struct ramet_world *w, const struct ramet_event *e);
int world_release(struct ramet_world *w, const struct ramet_event *e);
int world_subreaper(struct ramet_world *w, const struct ramet_event *e);
int world_child_signal(struct ramet_world *w, const struct ramet_event *e);
int world_undo(struct ramet_world *w, const struct ramet_event *e);
int world_ioprio(struct ramet_world *w, const struct ramet_event *e);

/* ---- Shared between the events ---- */

#define NAMESPACES_MOST 8

/* Which slots of a task a flag is about. PID and TIME become new for children first. */
extern const struct namespace_kind {
	uint64_t flag;
	enum slot slot;	 /* what the task itself is in */
	enum slot fresh; /* what becomes new */
} namespace_kinds[NAMESPACES_MOST];

/*
 * namespaces.c: copy_creds() and create_new_namespaces(): the new ones of flags, the user namespace
 * first since it owns the others. Those for children alone become new for PID and TIME.
 */
void namespaces_make(struct ramet_world *w, struct task *t, uint64_t flags);
/* Is `upper` the namespace (of kind PID or USER) or one that it was made below of? */
bool namespace_holds(const struct object *upper, const struct object *lower);
/* ask.c: a namespace whose pid 1 has ended takes no more tasks. */
bool is_pids_dead(const struct task *t);

#endif
