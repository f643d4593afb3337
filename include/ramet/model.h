/* SPDX-License-Identifier: MIT */
/*
 * The kernel's rules of task creation as pure functions: what a call will give, or which rule
 * refuses it and why. No function here makes a system call or keeps state; all are safe in any
 * thread and in signal handlers.
 */
#ifndef RAMET_MODEL_H
#define RAMET_MODEL_H

#include <ramet/ramet.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The system call. One bit each, so that a rule can say to which it applies. */
enum ramet_entry {
	RAMET_ENTRY_CLONE = 1, /* clone(2): low byte is the exit signal, bits from 32 are lost */
	RAMET_ENTRY_CLONE3 = 2,
	RAMET_ENTRY_UNSHARE = 4,
	RAMET_ENTRY_SETNS = 8,
};

/*
 * A call, as far as rules look at it. Pointers as the call has them, 0 where it has none. unshare
 * and setns have flags alone (setns: its second argument); what setns' descriptor is stands in
 * struct ramet_caller.
 */
struct ramet_call {
	enum ramet_entry entry;
	uint64_t flags; /* clone: without the exit signal */
	uint64_t exit_signal;
	uint64_t pidfd, child_tid, parent_tid;
	uint64_t stack, stack_size; /* clone: stack is the initial pointer, size 0 */
	uint64_t tls;
	uint64_t set_tid, set_tid_size;
	uint64_t cgroup;
	uint64_t size; /* clone3: of the argument block; 0 stands for 88, the last field's end */
	int trailing;  /* clone3: a byte that is not 0 lies beyond those 88 and within size */
	uint64_t fd;   /* setns: the descriptor. No rule looks at it, only who reads the target */
};

/* Bits of ramet_caller.known: which fields below were read. */
#define RAMET_KNOWN_CAPS 0x1u
#define RAMET_KNOWN_THREADS 0x2u
#define RAMET_KNOWN_LIMITS 0x4u
#define RAMET_KNOWN_ROOT 0x8u
#define RAMET_KNOWN_IDS 0x10u
#define RAMET_KNOWN_PIDNS 0x20u
#define RAMET_KNOWN_TIMENS 0x40u
#define RAMET_KNOWN_INIT 0x80u
#define RAMET_KNOWN_SCHED 0x100u
#define RAMET_KNOWN_TLS 0x200u
#define RAMET_KNOWN_NAMESPACES 0x400u
#define RAMET_KNOWN_CGROUP 0x800u
#define RAMET_KNOWN_SHARERS 0x1000u
#define RAMET_KNOWN_TARGET 0x2000u

/* What the descriptor given to setns is. */
enum ramet_fd {
	RAMET_FD_BAD = 1,   /* not open */
	RAMET_FD_OTHER,	    /* neither of the next two */
	RAMET_FD_NAMESPACE, /* opened from /proc/PID/ns */
	RAMET_FD_PIDFD,
};

/* What setns would join. */
struct ramet_target {
	enum ramet_fd fd;
	uint64_t type;	    /* NAMESPACE: its CLONE_NEW* */
	int dead;	    /* PIDFD: the task has ended */
	int closed;	    /* PIDFD: the caller may not read the task as a debugger does */
	int own_user;	    /* its user namespace, if that would be joined, is the caller's own */
	int unrelated_pids; /* its pid namespace is neither the caller's nor below that */
	uint64_t no_admin;  /* CLONE_NEW*: before it joins any, the caller lacks CAP_SYS_ADMIN over
			       these of it */
	int no_chroot;	    /* before that it lacks CAP_SYS_CHROOT over its user namespace */
};

/* State of the calling task that some rules look at. The bit that says a field was read: */
struct ramet_caller {
	uint32_t known;
	unsigned kernel;	/* version, major << 16 | minor << 8 | patch; 0: unknown */
	int sys_admin;		/* CAPS: CAP_SYS_ADMIN in its user namespace */
	int checkpoint;		/* CAPS: CAP_CHECKPOINT_RESTORE there */
	int setid;		/* CAPS: CAP_SETUID and CAP_SETGID there */
	int threads;		/* THREADS: live threads of the process */
	int chrooted;		/* ROOT: root directory is not that of the mount namespace */
	int unmapped;		/* IDS: effective uid or gid has no mapping */
	int pid_for_children;	/* PIDNS: children would get another pid namespace than its own */
	int time_for_children;	/* TIMENS: the same for the time namespace */
	int init;		/* INIT: pid 1 of its pid namespace */
	int deadline;		/* SCHED: SCHED_DEADLINE without reset-on-fork */
	int cgroup_error;	/* CGROUP: errno of the descriptor in ramet_call.cgroup, 0: none */
	uint64_t tls_limit;	/* TLS: thread pointers from here on are refused; 0: none are */
	uint64_t no_namespaces; /* NAMESPACES: CLONE_NEW* whose user.max_*_namespaces is 0 */
	uint64_t nproc_limit;	/* LIMITS: RLIMIT_NPROC, ~0 if none or exempt */
	uint64_t nproc;		/* LIMITS: tasks of the real uid, at least */
	int live_threads;  /* THREADS: less a dead first one, which threads counts; 0: as threads */
	int sys_chroot;	   /* CAPS: CAP_SYS_CHROOT in its user namespace */
	int memory_shared; /* SHARERS: another process has the same memory */
	int sighand_shared;	    /* SHARERS: another process has the same signal handlers */
	int fs_shared;		    /* SHARERS: another task has the same fs; threads included */
	struct ramet_target target; /* TARGET: of the descriptor given to setns */
};

/* A rule of the kernel that refuses a call. Static. */
struct ramet_rule {
	const char *id;	    /* stable: "sighand-needs-memory" */
	int error;	    /* errno */
	int needs_caller;   /* 1: depends on struct ramet_caller; 2: on what nobody can read before
			       the call, so only ramet_check_errno() names it */
	unsigned since;	    /* kernel version as above; 0: always */
	unsigned until;	    /* first version without it; 0: still there */
	const char *why;    /* one sentence */
	const char *mend;   /* one sentence */
	const char *source; /* where in the kernel */
};

/*
 * The first rule, in the kernel's order, that refuses the call, or NULL. caller may be NULL: then
 * only rules that need no caller state are asked. A rule whose part of the state is not known is
 * not asked. Rules with since or until are asked when the kernel's version is known; without
 * it those that hold in every kernel from 5.10 remain. Flags that no rule knows pass.
 */
RAMET_API const struct ramet_rule *ramet_check(const struct ramet_call *call,
					       const struct ramet_caller *caller);

/*
 * The rule behind an errno that the kernel gave: the first with that errno, as ramet_check(),
 * passing over rules with others; if there is none, the likeliest of those with needs_caller 2.
 * NULL if no rule gives this errno for this call.
 */
RAMET_API const struct ramet_rule *ramet_check_errno(const struct ramet_call *call,
						     const struct ramet_caller *caller, int error);

/*
 * Every rule that could have given this errno for this call, whoever made it: for a call of which
 * only the arguments and the outcome are known. Begin with *index 0; the next rule in the kernel's
 * order, or NULL when there is none left. kernel is a version, or 0: rules of any version.
 */
RAMET_API const struct ramet_rule *ramet_check_next(const struct ramet_call *call, unsigned kernel,
						    int error, size_t *index);

/*
 * Calls that no rule refuses and that differ from a refused one in as little as possible, at most
 * `size`, the nearest first. How many; 0 also for a call that no rule refuses.
 */
RAMET_API int ramet_mend(const struct ramet_call *call, const struct ramet_caller *caller,
			 struct ramet_call *ret, size_t size);

/* Row `index` of the table in the kernel's order, NULL past the end. */
RAMET_API const struct ramet_rule *ramet_rule_at(size_t index);

/*
 * What a task made by an accepted call has of one resource, beside its maker. unshare: what the
 * caller has of it afterwards, beside who had the same before. 0 for setns, and if there is no such
 * resource. kernel is a version, or 0 for the latest: before 6.2 the task of CLONE_VM |
 * CLONE_NEWTIME was in the new time namespace at once.
 */
RAMET_API enum ramet_mode ramet_model_mode(const struct ramet_call *call, unsigned kernel,
					   enum ramet_resource resource);

/* ---- A world of tasks -------------------------------------------------------------------- */

/*
 * Tasks that live through events: what each shares with each, who is whose parent, who waits for
 * whom, as the kernel keeps it. A world is built up by replaying, in the order in which they
 * happened, events that a kernel has accepted. Not thread-safe; worlds do not know each other.
 */
struct ramet_world;

enum ramet_event_kind {
	/* A task that was there before the replay. It is told its process by `other` (0: its own)
	 * and its parent by `parent` (0: not in this world); `number` is its exit signal, and
	 * `resources` those of SYSVSEM and IO that it is known not to have. */
	RAMET_EVENT_ADD = 1,
	RAMET_EVENT_ASSUME,   /* tid and `other` were seen to share `resources` */
	RAMET_EVENT_DISTINCT, /* of `resources` all that was to be assumed has been */

	/* What a task does; the kernel has said yes. */
	RAMET_EVENT_CLONE,   /* tid made `other` by `call` */
	RAMET_EVENT_EXEC,    /* another thread than the first goes on under the first one's tid */
	RAMET_EVENT_UNSHARE, /* `call`: its flags */
	RAMET_EVENT_SETNS,   /* tid joined those of `call`'s flags of `other`, 0: of who knows whom;
				`number` 1: the ones that `other` has for its children */
	RAMET_EVENT_EXIT,    /* this task alone, also where it was killed */
	RAMET_EVENT_EXIT_GROUP,
	RAMET_EVENT_WAIT, /* tid waited for `other` with wait4's options `number`; tid 0: somebody
				who is not in this world did */
	RAMET_EVENT_RELEASE, /* the vfork that holds tid was seen to be over */

	/* What a task does that has an effect only later. */
	RAMET_EVENT_SUBREAPER,	  /* `number` 1: orphans below it become its children, 0: no more */
	RAMET_EVENT_CHILD_SIGNAL, /* SIGCHLD, `number` 0: default or handled, 1: ignored,
				     2: SA_NOCLDWAIT */
	RAMET_EVENT_UNDO,	  /* it has an undo list now: by semop with SEM_UNDO, or by a clone
				     with CLONE_SYSVSEM that was refused for its namespaces or pid */
	RAMET_EVENT_IOPRIO,	  /* ioprio_set to `number`: it has an I/O context now */
};

/* Fields that the kind does not speak of are not looked at. */
struct ramet_event {
	enum ramet_event_kind kind;
	int tid;
	int other;
	int parent;
	uint32_t resources; /* enum ramet_resource */
	uint32_t number;
	const struct ramet_call *call; /* read during the replay only */
};

/* In addition to enum ramet_resource: what children will get, where it may differ. */
#define RAMET_PID_FOR_CHILDREN (1u << 18)
#define RAMET_TIME_FOR_CHILDREN (1u << 19)

enum ramet_state {
	RAMET_STATE_ALIVE = 1,
	RAMET_STATE_ENDING, /* pid 1 of a namespace, at its end: waits until all in it are reaped */
	RAMET_STATE_ZOMBIE, /* ended; of a process with threads perhaps only its first task */
};

struct ramet_world_task {
	int tid;
	int tgid;
	int parent;	 /* its parent's tgid, 0: not in this world */
	int parent_tid;	 /* the thread of the parent that it is the child of */
	int exit_signal; /* -1: not the first task of its process */
	enum ramet_state state;
	int waitable; /* a zombie that can be waited for: no thread is left */
	int threads;  /* of its process, a dead first task included */
	int held_by;  /* the vfork child that it waits for, 0: none */
	int holds;    /* the other way round */
	int init;     /* pid 1 of its pid namespace; -1: unknown */
	int subreaper;
	int pids_dead; /* the pid namespace of its children has lost its pid 1: no clone */
	uint64_t clear_child_tid; /* the word's address, 0: none */
};

/* What an event did beside the obvious, in the kernel's order. */
enum ramet_effect_kind {
	RAMET_EFFECT_HELD = 1,	  /* tid sleeps until `other` has called exec or ended */
	RAMET_EFFECT_RELEASED,	  /* tid, by `other` */
	RAMET_EFFECT_KILLED,	  /* tid: by exec or the end of its process or pid namespace */
	RAMET_EFFECT_CLEARED,	  /* the word at `address` in tid's memory: 0, waiters woken */
	RAMET_EFFECT_NOT_CLEARED, /* it stays: nobody else was left in that memory */
	RAMET_EFFECT_MOVED,	  /* process tid is a child of `other` now (0: out of this world) */
	RAMET_EFFECT_RENAMED,	  /* tid was `other`: exec by another thread than the first */
	RAMET_EFFECT_WAITABLE,	  /* tid; `other` is the signal sent to its parent, 0: none */
	RAMET_EFFECT_GONE,	  /* nothing is left of tid; the number may come again */
};

struct ramet_effect {
	enum ramet_effect_kind kind;
	int tid;
	int other;
	uint64_t address;
};

/* kernel: version as in struct ramet_caller, 0: a new one. NULL: no memory. */
RAMET_API struct ramet_world *ramet_world_new(unsigned kernel);
RAMET_API void ramet_world_free(struct ramet_world *world);

/* fn is told the effects of each later event, while it is replayed; it must not change the world. */
RAMET_API void ramet_world_watch(struct ramet_world *world,
				 void (*fn)(void *arg, const struct ramet_effect *effect),
				 void *arg);

/*
 * Let an event happen. On failure nothing has changed:
 * -ESRCH no such task, or it has ended; -EEXIST the new task's tid is taken; -EBUSY the task is
 * held by a vfork; -EINVAL impossible; -ECHILD not a child that this wait sees; -EAGAIN that child
 * has not ended; -ENOMEM. Rules are not asked: ramet_check() with ramet_world_caller() does that.
 */
RAMET_API int ramet_world_replay(struct ramet_world *world, const struct ramet_event *event);

enum ramet_same {
	RAMET_UNKNOWN = 0, /* one of them was not made by an event of this world */
	RAMET_SAME,
	RAMET_DIFFERENT,
	RAMET_NONE, /* one or both have none, or there is no such task */
};

/* resource: one of enum ramet_resource, RAMET_PID_FOR_CHILDREN or RAMET_TIME_FOR_CHILDREN. */
RAMET_API enum ramet_same ramet_world_compare(const struct ramet_world *world, int a, int b,
					      uint32_t resource);
/* A number that names the object as long as the world lives; 0: none. */
RAMET_API uint64_t ramet_world_object(const struct ramet_world *world, int tid, uint32_t resource);
/* How many tasks have the object that tid has. */
RAMET_API size_t ramet_world_holders(const struct ramet_world *world, int tid, uint32_t resource);

/* 0, or -ESRCH for a task that is not there or is gone. */
RAMET_API int ramet_world_task(const struct ramet_world *world, int tid,
			       struct ramet_world_task *ret_task);

/*
 * The task that came into the world after `after` (0: the first), and the next that has the same
 * object as tid (after 0: the first, tid itself included). 0 at the end, -ESRCH.
 */
RAMET_API int ramet_world_next(const struct ramet_world *world, int after);
RAMET_API int ramet_world_next_holder(const struct ramet_world *world, int tid, uint32_t resource,
				      int after);

/*
 * What ramet_check() asks of a caller, as far as the world knows it; the rest is the reader's to
 * add: capabilities, mapped ids, limits. 0 or -ESRCH.
 */
RAMET_API int ramet_world_caller(const struct ramet_world *world, int tid,
				 struct ramet_caller *ret_caller);

/*
 * What the rules ask of namespaces of the task `other` that tid would join by setns; types: which
 * (CLONE_NEW*); for_children: those that `other` has for its children. no_admin and no_chroot are
 * what holds for a task with every capability in its own user namespace. fd, type and closed are
 * the reader's to add. 0 or -ESRCH.
 */
RAMET_API int ramet_world_target(const struct ramet_world *world, int tid, int other,
				 uint64_t types, int for_children, struct ramet_target *ret_target);

#ifdef __cplusplus
}
#endif

#endif
