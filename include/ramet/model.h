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

enum ramet_entry {
	RAMET_ENTRY_CLONE = 1, /* clone(2): low byte is the exit signal, bits 32 and up are lost */
	RAMET_ENTRY_CLONE3,
};

/* A call, as far as rules look at it. Pointers as the call has them, 0 where it has none. */
struct ramet_call {
	enum ramet_entry entry;
	uint64_t flags; /* without the exit signal */
	uint64_t exit_signal;
	uint64_t pidfd, child_tid, parent_tid;
	uint64_t stack, stack_size; /* clone: stack is the initial pointer, size 0 */
	uint64_t tls;
	uint64_t set_tid, set_tid_size;
	uint64_t cgroup;
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

/* Row `index` of the table in the kernel's order, NULL past the end. */
RAMET_API const struct ramet_rule *ramet_rule_at(size_t index);

/* What a task made by an accepted call has of one resource. */
RAMET_API enum ramet_mode ramet_model_mode(const struct ramet_call *call,
					   enum ramet_resource resource);

#ifdef __cplusplus
}
#endif

#endif
