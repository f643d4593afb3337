/* SPDX-License-Identifier: MIT */
/*
 * ramet: start a program or a function as any kind of task.
 *
 * A process, a thread, a vfork child and a container are one thing on Linux, a task, made by
 * clone; they differ in what they share with the task that made them. A spec says for each
 * resource share, copy or new, and what the task runs. ramet_launch() checks it, makes the task
 * and reports the step that failed, if one did.
 *
 *	struct ramet_task task;
 *	struct ramet_error error;
 *	int r = ramet_launch(&RAMET_SPEC(.program = "/bin/ls",
 *					 .argv = (char *[]){"ls", "-l", NULL},
 *					 .steps = RAMET_STEPS(RAMET_CWD("/tmp"))),
 *			     &task, &error);
 *
 * Every function returns 0 or more, or -errno. Results come last and are not written on failure.
 * The library never prints and never exits. Unless a comment says otherwise, functions may be
 * called from any thread at any time, and not from a signal handler. None is a point at which a
 * thread can be cancelled: cancellation waits until it returns. Linux 5.10 and later.
 */
#ifndef RAMET_RAMET_H
#define RAMET_RAMET_H

#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define RAMET_API __attribute__((visibility("default")))
#define RAMET_MUST_CHECK __attribute__((warn_unused_result))
#define RAMET_NONNULL(...) __attribute__((nonnull(__VA_ARGS__)))

/* ---- What a task shares ---------------------------------------------------------------- */

/* Resources, as bits of the masks ramet_spec.share, .copy and .fresh. */
enum ramet_resource {
	RAMET_MEMORY = 1 << 0,	     /* the address space (CLONE_VM) */
	RAMET_FILES = 1 << 1,	     /* the descriptor table (CLONE_FILES) */
	RAMET_FS = 1 << 2,	     /* root, working directory, umask (CLONE_FS) */
	RAMET_SIGHAND = 1 << 3,	     /* the table of signal handlers (CLONE_SIGHAND) */
	RAMET_THREAD_GROUP = 1 << 4, /* the process: PID, limits, timers (CLONE_THREAD) */
	RAMET_PARENT = 1 << 5,	     /* who waits for it (CLONE_PARENT) */
	RAMET_SYSVSEM = 1 << 6,	     /* System V semaphore undo list (CLONE_SYSVSEM) */
	RAMET_IO = 1 << 7,	     /* block I/O context (CLONE_IO) */
	RAMET_TLS = 1 << 8,	     /* the thread pointer (new: CLONE_SETTLS) */
	RAMET_MNT = 1 << 9,	     /* namespaces from here on */
	RAMET_PID = 1 << 10,
	RAMET_NET = 1 << 11,
	RAMET_IPC = 1 << 12,
	RAMET_UTS = 1 << 13,
	RAMET_USER = 1 << 14,
	RAMET_CGROUPNS = 1 << 15,
	RAMET_TIME = 1 << 16,
	RAMET_CGROUP = 1 << 17, /* new: start in the cgroup of ramet_spec.cgroup */
};
#define RAMET_RESOURCE_COUNT 18

/* What a task has of a resource. */
enum ramet_mode {
	RAMET_MODE_SHARE = 1, /* the same object as its maker */
	RAMET_MODE_COPY,      /* its own, with the same contents at birth */
	RAMET_MODE_NEW,	      /* its own, fresh */
};

/* Named starting points: rows of one table, see ramet_preset_name(). */
enum ramet_preset {
	RAMET_PRESET_DEFAULT = 0, /* spawn for a program, fork for a function */
	RAMET_PRESET_FORK,
	RAMET_PRESET_VFORK,
	RAMET_PRESET_SPAWN,
	RAMET_PRESET_NPTL,
	RAMET_PRESET_LINUXTHREADS,
	RAMET_PRESET_CONTAINER, /* with a user namespace when the caller is not root */
	RAMET_PRESET_COUNT_,
};

/* How a task is made and who waits meanwhile; chosen by the plan unless the spec forces it. */
enum ramet_way {
	RAMET_WAY_ANY = 0,
	RAMET_WAY_HELD,	  /* memory shared, the caller sleeps in the kernel until exec or end */
	RAMET_WAY_FUTEX,  /* memory shared, own stack, the caller waits with a deadline */
	RAMET_WAY_COPY,	  /* memory copied */
	RAMET_WAY_HELPER, /* programs: memory of its own from the start, the steps are run by a small
			     program that ramet carries; cost does not grow with the caller */
};

/* ---- Steps: what the child does before its body ------------------------------------------ */

/* Kinds of step. Appended to, never renumbered. Those marked * are added by the plan. */
enum ramet_step_kind {
	RAMET_STEP_END = 0,
	RAMET_STEP_WAIT_GO,	 /* * wait until the caller's side has done its steps */
	RAMET_STEP_ID_MAP,	 /* caller's side: write setgroups, uid_map, gid_map */
	RAMET_STEP_GUARD_MEMORY, /* * caller's side: not dumpable until exec */
	RAMET_STEP_INIT,	 /* stay as pid 1, run the rest in a child */
	RAMET_STEP_SETSID,	 /* new session */
	RAMET_STEP_SETPGID,	 /* process group */
	RAMET_STEP_HOSTNAME,	 /* sethostname */
	RAMET_STEP_PRIVATE_MOUNTS, /* whether mounts propagate; number: 0 private, 1 slave, 2 shared */
	RAMET_STEP_PROC,	   /* mount a fresh procfs on a path */
	RAMET_STEP_GROUPS,	   /* supplementary groups */
	RAMET_STEP_KEEP_GROUPS,	   /* leave supplementary groups alone though ids change */
	RAMET_STEP_GID,		   /* real, effective and saved group id */
	RAMET_STEP_UID,		   /* real, effective and saved user id */
	RAMET_STEP_CWD,		   /* working directory */
	RAMET_STEP_UMASK,	   /* file mode creation mask */
	RAMET_STEP_DUP,		   /* descriptor `from` becomes descriptor `to` */
	RAMET_STEP_KEEP,	   /* descriptor survives exec and closing of the rest */
	RAMET_STEP_CLOSE_REST,	   /* close all but 0-2, the targets of DUP, and those kept */
	RAMET_STEP_CLOSE_RANGE,	   /* * one stretch of the above */
	RAMET_STEP_NO_NEW_PRIVS,  /* exec never gains privileges */
	RAMET_STEP_SIGNAL,	  /* one signal, or all (0), to default or ignored */
	RAMET_STEP_SIGMASK,	  /* blocked signals; the caller's where not given */
	RAMET_STEP_EXEC,	  /* * run the program */
	RAMET_STEP_CALL,	  /* * run the function */
	RAMET_STEP_RLIMIT,	  /* one resource limit */
	RAMET_STEP_NICE,	  /* nice value, absolute */
	RAMET_STEP_SCHED,	  /* scheduling policy and real-time priority */
	RAMET_STEP_IOPRIO,	  /* block I/O class and level */
	RAMET_STEP_AFFINITY,	  /* processors it may run on */
	RAMET_STEP_OOM_SCORE_ADJ, /* who is killed first for want of memory */
	RAMET_STEP_PERSONALITY,	  /* execution domain flags */
	RAMET_STEP_SECUREBITS,	  /* how root and capabilities hang together */
	RAMET_STEP_BOUNDING,	  /* capabilities that exec can ever give */
	RAMET_STEP_KEEP_CAPS,	  /* keep permitted capabilities through a change of uid */
	RAMET_STEP_CAPS,	  /* permitted, effective and inheritable capabilities */
	RAMET_STEP_AMBIENT,	  /* capabilities that exec of a plain program keeps */
	RAMET_STEP_PDEATHSIG,	  /* signal when the launching thread ends */
	RAMET_STEP_SUBREAPER,	  /* orphans below it become its children */
	RAMET_STEP_CTTY,	  /* a terminal becomes that of the new session */
	RAMET_STEP_FOREGROUND,	  /* its process group becomes the terminal's foreground */
	RAMET_STEP_TIME_OFFSET,	  /* clock offset of a new time namespace */
	RAMET_STEP_LO_UP,	  /* bring up lo in a new network namespace */
	RAMET_STEP_SECCOMP,	  /* filter of system calls, raw BPF */
	RAMET_STEP_JOIN,	  /* enter namespaces of another task */
	RAMET_STEP_ROOT,     /* directory that becomes the root, with all that is mounted below */
	RAMET_STEP_PIVOT,    /* * leave the old root behind */
	RAMET_STEP_BIND,     /* a file or directory seen at another place as well */
	RAMET_STEP_TMPFS,    /* an empty file system in memory */
	RAMET_STEP_CGROUP,   /* enter a cgroup by writing to it: v1; v2 has RAMET_CGROUP */
	RAMET_STEP_LANDLOCK, /* what it may reach below a path; all else is denied */
	RAMET_STEP_RESTRICT, /* * put the Landlock rules in force */
	RAMET_STEP_TIMER_SLACK, /* how late sleeps may end */
	RAMET_STEP_OWN_TABLE, /* * part from the caller's descriptor table, without the higher ones */
	RAMET_STEP_FETCH,     /* * take over one descriptor of the caller's */
	RAMET_STEP_WITNESS,   /* * a descriptor that is open until exec or end, RAMET_DONE_FD */
	RAMET_STEP_UNSHARE,   /* * namespaces of its own, after the C library's fork */
	RAMET_STEP_ENTER_CGROUP, /* * the cgroup of ramet_spec.cgroup, likewise */
	RAMET_STEP_COUNT_,
};

/*
 * One step. What it points at belongs to the caller and is only read during the launch. Order in
 * the array matters among steps of one kind, and among those that mount; across kinds the plan
 * knows the right order (namespaces, mounts, identity, working directory, descriptors, signals).
 */
struct ramet_step {
	uint32_t kind;	/* enum ramet_step_kind */
	int32_t number; /* pid group, umask, uid, gid, signal, descriptor, value */
	union {
		const char *path; /* CWD, PROC: a path; HOSTNAME: the name */
		struct {
			int32_t to;	 /* DUP */
			uint32_t ignore; /* SIGNAL: 1 ignored, 0 default */
		};
		struct {
			uint32_t first, last; /* CLOSE_RANGE, both included */
		};
		struct {
			uint64_t soft, hard; /* RLIMIT, ~0: none; number: RLIMIT_NOFILE … */
		};
		struct {
			int32_t priority; /* SCHED; number: SCHED_FIFO … */
			uint32_t reset;	  /* SCHED: 1: its own children are plain again */
		};
		struct {
			int64_t seconds, nanoseconds; /* TIME_OFFSET; number: CLOCK_… */
		};
		/* SIGMASK: bit N-1 is signal N. BOUNDING, AMBIENT: bit N is capability N */
		uint64_t mask;
		struct {
			uint64_t permitted, inheritable; /* CAPS; effective as permitted */
		};
		struct {
			const char *source; /* BIND: where it is now */
			const char *target; /* BIND: where it shall be; TMPFS, below the new root */
			uint32_t read_only; /* BIND */
			uint32_t recursive; /* BIND: with what is mounted below */
		};
		struct {
			const void *data; /* AFFINITY: bits; SECCOMP: struct sock_filter[] */
			size_t bytes;
		};
		struct {
			const gid_t *groups;
			size_t count; /* GROUPS */
		};
		struct {
			const char *uid_map; /* lines "inside outside count"; NULL: own id as 0 */
			const char *gid_map;
		};
		struct {
			const char *const *paths; /* EXEC: tried in order, NULL-terminated */
			char *const *argv;
			char *const *envp;
		};
		struct {
			int (*fn)(void *); /* CALL */
			void *arg;
		};
	};
};

#define RAMET_STEPS(...) ((const struct ramet_step[]){__VA_ARGS__, {.kind = RAMET_STEP_END}})
/* clang-format off */
#define RAMET_CWD(path_) {.kind = RAMET_STEP_CWD, .path = (path_)}
#define RAMET_UMASK(mask_) {.kind = RAMET_STEP_UMASK, .number = (mask_)}
#define RAMET_SETSID() {.kind = RAMET_STEP_SETSID}
/* 0: a group of its own. */
#define RAMET_SETPGID(pgid_) {.kind = RAMET_STEP_SETPGID, .number = (pgid_)}
#define RAMET_DUP(from_, to_) {.kind = RAMET_STEP_DUP, .number = (from_), .to = (to_)}
#define RAMET_KEEP(fd_) {.kind = RAMET_STEP_KEEP, .number = (fd_)}
#define RAMET_CLOSE_REST() {.kind = RAMET_STEP_CLOSE_REST}
#define RAMET_UID(uid_) {.kind = RAMET_STEP_UID, .number = (int32_t)(uid_)}
#define RAMET_GID(gid_) {.kind = RAMET_STEP_GID, .number = (int32_t)(gid_)}
#define RAMET_GROUPS(n_, groups_) {.kind = RAMET_STEP_GROUPS, .groups = (groups_), .count = (n_)}
#define RAMET_KEEP_GROUPS() {.kind = RAMET_STEP_KEEP_GROUPS}
#define RAMET_NO_NEW_PRIVS() {.kind = RAMET_STEP_NO_NEW_PRIVS}
#define RAMET_SIGNAL_DEFAULT(sig_) {.kind = RAMET_STEP_SIGNAL, .number = (sig_)}
#define RAMET_SIGNAL_IGNORE(sig_) {.kind = RAMET_STEP_SIGNAL, .number = (sig_), .ignore = 1}
#define RAMET_SIGMASK(mask_) {.kind = RAMET_STEP_SIGMASK, .mask = (mask_)}
#define RAMET_HOSTNAME(name_) {.kind = RAMET_STEP_HOSTNAME, .path = (name_)}
#define RAMET_PRIVATE_MOUNTS() {.kind = RAMET_STEP_PRIVATE_MOUNTS}
#define RAMET_PROC(path_) {.kind = RAMET_STEP_PROC, .path = (path_)}
/* Texts as the kernel's uid_map wants them; NULL maps the caller's own id to 0. */
#define RAMET_ID_MAP(uid_map_, gid_map_) \
	{.kind = RAMET_STEP_ID_MAP, .uid_map = (uid_map_), .gid_map = (gid_map_)}
#define RAMET_INIT() {.kind = RAMET_STEP_INIT}
#define RAMET_RLIMIT(which_, soft_, hard_) \
	{.kind = RAMET_STEP_RLIMIT, .number = (which_), .soft = (soft_), .hard = (hard_)}
#define RAMET_NICE(nice_) {.kind = RAMET_STEP_NICE, .number = (nice_)}
#define RAMET_SCHED(policy_, priority_) \
	{.kind = RAMET_STEP_SCHED, .number = (policy_), .priority = (priority_)}
/* class_: 1 real-time, 2 best effort, 3 idle; level_: 0 (first) to 7 */
#define RAMET_IOPRIO(class_, level_) \
	{.kind = RAMET_STEP_IOPRIO, .number = ((class_) << 13 | (level_))}
#define RAMET_AFFINITY(bytes_, bits_) \
	{.kind = RAMET_STEP_AFFINITY, .data = (bits_), .bytes = (bytes_)}
#define RAMET_OOM_SCORE_ADJ(value_) {.kind = RAMET_STEP_OOM_SCORE_ADJ, .number = (value_)}
#define RAMET_PERSONALITY(flags_) \
	{.kind = RAMET_STEP_PERSONALITY, .number = (int32_t)(flags_)}
/* Nanoseconds, from 1. */
#define RAMET_TIMER_SLACK(ns_) {.kind = RAMET_STEP_TIMER_SLACK, .number = (ns_)}
#define RAMET_SECUREBITS(bits_) {.kind = RAMET_STEP_SECUREBITS, .number = (bits_)}
#define RAMET_BOUNDING(mask_) {.kind = RAMET_STEP_BOUNDING, .mask = (mask_)}
#define RAMET_CAPS(permitted_, inheritable_) \
	{.kind = RAMET_STEP_CAPS, .permitted = (permitted_), .inheritable = (inheritable_)}
#define RAMET_AMBIENT(mask_) {.kind = RAMET_STEP_AMBIENT, .mask = (mask_)}
#define RAMET_PDEATHSIG(sig_) {.kind = RAMET_STEP_PDEATHSIG, .number = (sig_)}
#define RAMET_SUBREAPER() {.kind = RAMET_STEP_SUBREAPER}
#define RAMET_CTTY(fd_) {.kind = RAMET_STEP_CTTY, .number = (fd_)}
#define RAMET_FOREGROUND(fd_) {.kind = RAMET_STEP_FOREGROUND, .number = (fd_)}
/* clock_: CLOCK_MONOTONIC or CLOCK_BOOTTIME; with fresh = RAMET_TIME */
#define RAMET_TIME_OFFSET(clock_, seconds_, nanoseconds_)                          \
	{.kind = RAMET_STEP_TIME_OFFSET, .number = (clock_), .seconds = (seconds_), \
	 .nanoseconds = (nanoseconds_)}
#define RAMET_LO_UP() {.kind = RAMET_STEP_LO_UP}
/* fd_: a pidfd (5.8) or a namespace's own file; flags_: CLONE_NEW…, which of them */
#define RAMET_JOIN(fd_, flags_) {.kind = RAMET_STEP_JOIN, .number = (fd_), .mask = (flags_)}
/* With fresh = RAMET_MNT. Targets of mounts, PROC's too, are then looked up inside it. */
#define RAMET_ROOT(directory_) {.kind = RAMET_STEP_ROOT, .path = (directory_)}
#define RAMET_BIND(source_, target_, ...) \
	{.kind = RAMET_STEP_BIND, .source = (source_), .target = (target_), __VA_ARGS__}
/* The directory of a cgroup; for v2 fresh = RAMET_CGROUP is cheaper, the task is born in it. */
#define RAMET_CGROUP_DIR(directory_) {.kind = RAMET_STEP_CGROUP, .path = (directory_)}
/* writable_: 0: read and execute below the path; 1: everything. Kernel 5.13 */
#define RAMET_LANDLOCK(target_, writable_) \
	{.kind = RAMET_STEP_LANDLOCK, .target = (target_), .number = (writable_)}
#define RAMET_TMPFS(target_) {.kind = RAMET_STEP_TMPFS, .target = (target_)}
#define RAMET_SECCOMP(bytes_, filter_) \
	{.kind = RAMET_STEP_SECCOMP, .data = (filter_), .bytes = (bytes_)}
/* clang-format on */

/* ---- The spec ---------------------------------------------------------------------------- */

#define RAMET_NO_SIGNAL (-1) /* ramet_spec.exit_signal: end without telling anybody */

/* ramet_spec.options */
#define RAMET_SEARCH_PATH 0x1u /* look `program` up in the caller's PATH if it has no slash */
#define RAMET_NO_PIDFD 0x2u    /* do not ask for a pidfd; the task is known by its tid alone */
#define RAMET_PROGRAM_FD 0x8u  /* run program_fd; program is its name for argv and messages */
#define RAMET_NO_LIBC 0x4u     /* the function runs no C library code: see below */
#define RAMET_NO_FALLBACK                                                                          \
	0x10u		    /* fail (-EOPNOTSUPP, rule no-fallback) where the system gives only
				   a slower or weaker way: what ramet_task.lost would tell */
#define RAMET_DONE_FD 0x20u /* ramet_launch_begin(): a descriptor tells when it is over */

/*
 * What to start. Plain data: make it with RAMET_SPEC(), which sets size. All pointers are the
 * caller's and are read only during the call. Set either program or fn.
 *
 * What a body may do:
 *  - a program: any parent, any number of threads. No handler runs in the child. Signals are
 *    blocked round the clone and the mask is set last, unless nothing but exec is to be done
 *    and clone3 takes the handlers away.
 *  - a function with its own copy of memory: as after fork(). In a threaded caller ramet uses the
 *    C library's fork() where that gives the spec, new namespaces (but user and time) and a
 *    cgroup by steps in the child, and refuses (-EINVAL, rule function-needs-one-thread) where it
 *    does not, unless RAMET_NO_LIBC is set.
 *  - a function that shares memory: either the caller is held meanwhile (CLONE_VFORK, as in
 *    presets vfork and spawn), or RAMET_NO_LIBC promises that it runs no C library code (not even
 *    printf, malloc or errno: their locks and caches belong to the caller's thread). Refused
 *    otherwise, rule shared-memory-needs-no-libc.
 */
struct ramet_spec {
	size_t size; /* sizeof(struct ramet_spec) of the caller's header */

	enum ramet_preset preset;
	uint32_t share;	 /* masks of enum ramet_resource; they win over the preset; */
	uint32_t copy;	 /* a resource may be in one of them only */
	uint32_t fresh;	 /* "new" */
	uint64_t flags;	 /* more clone flags, the kernel's values, added as they are */
	int exit_signal; /* of a function: 0 the preset's; RAMET_NO_SIGNAL; 1 to 64. A program's is
			    SIGCHLD: exec makes it so; until exec ramet's child has none */

	const char *program; /* path, or a name with RAMET_SEARCH_PATH */
	char *const *argv;   /* NULL: {program, NULL} */
	char *const *envp;   /* NULL: the caller's environment */
	int (*fn)(void *);   /* its result is the exit status (low byte) */
	void *arg;

	const struct ramet_step *steps; /* ended by RAMET_STEP_END; NULL: none */
	enum ramet_way way;		/* force a way; refused if it cannot give the spec */
	unsigned options;
	unsigned timeout_ms; /* until the body starts: then -ETIMEDOUT, and the child is killed.
				0: 30 s if ids change, none otherwise. Not with the held way */

	void *stack;	   /* function that shares memory: lowest address; NULL: ramet makes one */
	size_t stack_size; /* bytes; 0: 256 KiB. A guard page below is added when ramet makes it */
	uint64_t tls;	   /* with fresh = RAMET_TLS; 0: the caller's own thread pointer */
	pid_t *parent_tid; /* CLONE_PARENT_SETTID when not NULL */
	pid_t *child_tid;  /* for CLONE_CHILD_SETTID and CLONE_CHILD_CLEARTID in flags */
	const pid_t *set_tid; /* chosen pids, innermost namespace first (5.5) */
	size_t set_tid_size;
	int program_fd; /* with RAMET_PROGRAM_FD: an open executable, may be O_PATH, O_CLOEXEC */
	int cgroup;	/* with fresh = RAMET_CGROUP: descriptor of a cgroup2 directory (5.7) */
};

#define RAMET_SPEC(...) ((struct ramet_spec){.size = sizeof(struct ramet_spec), __VA_ARGS__})

/* ---- Errors ------------------------------------------------------------------------------ */

enum ramet_stage {
	RAMET_STAGE_CHECK = 1, /* refused by a rule before anything was done */
	RAMET_STAGE_PREPARE,   /* making stacks and the like */
	RAMET_STAGE_CLONE,     /* the kernel refused the clone; the rule says why */
	RAMET_STAGE_STEP,      /* a step failed; the child is gone */
	RAMET_STAGE_DIED,      /* the child was killed before its body began (-ECANCELED), or by
				  ramet at its deadline (-ETIMEDOUT) */
};

/* Why a launch failed. Fixed size, no ownership; the strings are static. */
struct ramet_error {
	int error; /* errno, positive */
	enum ramet_stage stage;
	unsigned step; /* RAMET_STAGE_STEP: 1 for the first step of the plan */
	unsigned step_count;
	uint32_t kind;	  /* enum ramet_step_kind */
	const char *rule; /* stable id, or NULL */
	const char *why;  /* one sentence, or NULL */
	const char *mend; /* one sentence, or NULL */
	char detail[160]; /* what the step was about: "chdir to /nope"; may be cut */
};

/*
 * One line for people, without a newline: "step 4 of 7, chdir to /nope: No such file or
 * directory". Returns the length it has or would have had, like snprintf.
 */
RAMET_API int ramet_error_format(const struct ramet_error *error, char *buf, size_t size);

/* ---- Launch and task --------------------------------------------------------------------- */

/* What was lost against the plan's first choice: bits of ramet_task.lost. */
#define RAMET_LOST_CLONE3 0x1u /* clone(2) was used: clone3 is missing or filtered */
#define RAMET_LOST_PIDFD 0x2u  /* the pidfd was opened after the clone, or there is none */
#define RAMET_LOST_SHARE                                                                           \
	0x4u		       /* this system does not honour shared memory (valgrind, qemu-user):
				  the child got a copy */
#define RAMET_LOST_HELPER 0x8u /* programs in memory cannot be run here: the child got a copy */
#define RAMET_LOST_TABLE                                                                           \
	0x10u /* close_range or pidfd_getfd is refused: more of the descriptor table was copied
		 than the spec keeps */

/*
 * A started task. Yours to keep; release it with ramet_task_close(). Do not copy it while in use.
 */
struct ramet_task {
	pid_t tid; /* in the caller's pid namespace */
	int pidfd; /* O_CLOEXEC, readable when the task has ended; -1 if there is none */
	enum ramet_way way;
	unsigned lost;
	uint64_t flags; /* clone flags as issued, exit signal apart */
	int exit_signal;
	void *stack_; /* private */
};

struct ramet_status {
	int exited; /* 1: code is the exit status; 0: code is the signal that ended it */
	int code;
	int core;	      /* 1: a core was dumped */
	struct rusage rusage; /* of the task and its waited-for children; zero if unknowable */
};

/*
 * Start what spec says. On success the body runs: for a program, exec has succeeded. On failure
 * nothing is left: no child, zombie, descriptor, mapping. error may be NULL.
 *
 * A SIGCHLD that the caller ignores makes the kernel reap the task: ramet_wait() then says
 * -ECHILD unless the kernel keeps the status for the pidfd (6.15). A caller that waits for any
 * child (waitpid(-1)) may take the task's status, as with any other child.
 */
RAMET_API RAMET_MUST_CHECK RAMET_NONNULL(1, 2) int ramet_launch(const struct ramet_spec *spec,
								struct ramet_task *ret_task,
								struct ramet_error *error);

/*
 * The same, but returning twice: the task's tid in the caller, 0 in the child, which has its own
 * copy of memory and has done the steps. spec names no body; it may be NULL. Refused where memory
 * would be shared (rule return-twice-needs-own-memory): there is ramet_vfork() for that shape.
 */
RAMET_API RAMET_MUST_CHECK RAMET_NONNULL(2) int ramet_fork(const struct ramet_spec *spec,
							   struct ramet_task *ret_task,
							   struct ramet_error *error);

/*
 * vfork: CLONE_VM|CLONE_VFORK|SIGCHLD returning twice. The child may only call _exit or exec, and
 * must not return from the function that called this. Returns the tid, 0, or -errno.
 */
RAMET_API long ramet_vfork(void) __attribute__((returns_twice));

/*
 * Wait for the end. timeout_ms < 0: for ever; 0: do not wait. -ETIMEDOUT if it still runs,
 * -ECHILD if the kernel or somebody else has reaped it. Sees every exit signal. ret_status may be
 * NULL. For a task in the caller's own thread group (RAMET_THREAD_GROUP shared) there is no
 * status: 0 is the end, ret_status is exited with code 0.
 * After 0 the stack that ramet made for a function is released.
 */
RAMET_API RAMET_MUST_CHECK RAMET_NONNULL(1) int ramet_wait(struct ramet_task *task, int timeout_ms,
							   struct ramet_status *ret_status);

/* Send a signal; by pidfd where there is one, so never to a stranger with a recycled pid. */
RAMET_API RAMET_MUST_CHECK int ramet_kill(const struct ramet_task *task, int sig);

/*
 * Close the pidfd. Neither ends nor waits for the task. A function that still runs on a stack
 * that ramet made keeps it for ever: wait first.
 */
RAMET_API void ramet_task_close(struct ramet_task *task);

/*
 * The plan of a spec as text, a line a step: way, call, steps. Makes no task. Returns the length
 * it has or would have had, or -errno with error filled.
 */
RAMET_API RAMET_MUST_CHECK int ramet_plan_format(const struct ramet_spec *spec, char *buf,
						 size_t size, struct ramet_error *error);

/* ---- A launch that does not wait ---------------------------------------------------------- */

/* A launch that has been begun. */
struct ramet_launching;

/*
 * Begin the launch of a program, and return once the task exists: the child does its steps and its
 * exec while the caller goes on. Nothing of the caller's can change any more what becomes of it:
 * what spec points at is copied, and the child has its own descriptor table, working directory
 * and umask (unless it is to share them). Steps of the caller's side, id maps, are done before
 * this returns. A child that changes ids, or joins namespaces, is in memory of its own by then
 * (way helper or copy), so that nobody need stand guard. On failure nothing is left.
 *
 * Every launch begun must be ended, by ramet_launch_end(), and by one thread. Any number may be
 * under way; each has its stack of 32 KiB meanwhile, from a pool.
 */
RAMET_API RAMET_MUST_CHECK RAMET_NONNULL(1, 2) int ramet_launch_begin(const struct ramet_spec *spec,
								      struct ramet_launching **ret,
								      struct ramet_error *error);

/* The task's number and, unless RAMET_NO_PIDFD, its pidfd (-1: none). Both are the launch's. */
RAMET_API RAMET_NONNULL(1) pid_t ramet_launching_tid(const struct ramet_launching *launching);
RAMET_API RAMET_NONNULL(1) int ramet_launching_pidfd(const struct ramet_launching *launching);

/*
 * With RAMET_DONE_FD: a descriptor that is readable, for poll and epoll, once ramet_launch_end()
 * need not wait; -1 without. It is the launch's and is closed by ramet_launch_end().
 */
RAMET_API RAMET_NONNULL(1) int ramet_launching_fd(const struct ramet_launching *launching);

/*
 * How it went, as ramet_launch() would have said: 0, the program runs and *ret_task is it; or
 * -errno, a step failed or the child died, and nothing is left. Waits for that until timeout_ms
 * are over (<0: for ever): then -EINPROGRESS, and the launch goes on. With any other result
 * `launching` is no more. The spec's own timeout_ms counts from the beginning, and kills. In a
 * fork of the process that began it: -ECHILD, it is the parent's to end.
 */
RAMET_API RAMET_MUST_CHECK RAMET_NONNULL(1,
					 3) int ramet_launch_end(struct ramet_launching *launching,
								 int timeout_ms,
								 struct ramet_task *ret_task,
								 struct ramet_error *error);

/* Told of one launch: result as that of ramet_launch_end(), task only if it is 0. */
typedef void ramet_launched(void *context, size_t index, int result, struct ramet_task *task,
			    const struct ramet_error *error);

/*
 * End those of list that are over, and call done for each, in this thread; their places become
 * NULL, which are passed over. Waits until there is one, or timeout_ms are over (<0: for ever).
 * Returns how many were told; 0 also when list has none.
 */
RAMET_API RAMET_MUST_CHECK int ramet_launch_dispatch(struct ramet_launching **list, size_t count,
						     int timeout_ms, ramet_launched *done,
						     void *context);

/* ---- The same launch again and again -------------------------------------------------------- */

/* A spec that has been checked and planned once. */
struct ramet_template;

/* What may be another each time; NULL: as the template has it. Make it with RAMET_CHANGE(). */
struct ramet_change {
	size_t size; /* sizeof(struct ramet_change) of the caller's header */
	char *const *argv;
	char *const *envp;
	/* RAMET_DUP steps, ended by RAMET_STEP_END: each stands for the spec's with that target. */
	const struct ramet_step *dups;
};
#define RAMET_CHANGE(...) (&(struct ramet_change){.size = sizeof(struct ramet_change), __VA_ARGS__})

/*
 * Check and plan the launch of a program. All that spec points at is copied, the caller's PATH and
 * (with envp NULL) environment as they are now. Descriptors, cgroup and program_fd among them, are
 * numbers: they must be open when it is launched. -EINVAL as ramet_launch(), or for a function.
 */
RAMET_API RAMET_MUST_CHECK RAMET_NONNULL(1,
					 2) int ramet_template_make(const struct ramet_spec *spec,
								    struct ramet_template **ret,
								    struct ramet_error *error);

/*
 * Launch it. Any number of threads may launch one template at a time. change may be NULL. -EINVAL,
 * rule template-has-no-such-target, for a DUP to a target that the spec has not.
 */
RAMET_API RAMET_MUST_CHECK RAMET_NONNULL(1, 3) int ramet_template_launch(
	const struct ramet_template *template_, const struct ramet_change *change,
	struct ramet_task *ret_task, struct ramet_error *error);

/* Not while somebody launches it. NULL is nothing. */
RAMET_API void ramet_template_free(struct ramet_template *template_);

/* ---- The call itself --------------------------------------------------------------------- */

struct clone_args; /* <linux/sched.h> */

/*
 * clone3 with the child in fn(arg), on the stack of args or, with stack 0, the caller's (only
 * sane with copied memory or CLONE_VFORK, else -EINVAL). Falls back on clone(2) where clone3 is
 * missing or filtered and no field needs it. With fn NULL it returns twice; -EINVAL if memory is
 * shared. No signal is blocked, nothing is checked beyond that: the kernel's own result. The
 * function form is async-signal-safe.
 */
RAMET_API RAMET_MUST_CHECK long ramet_clone3(const struct clone_args *args, size_t size,
					     int (*fn)(void *), void *arg);

/*
 * The C library wrapper's face and meaning: clone(fn, stack_top, flags, arg, ptid, tls, ctid),
 * the last three read only if flags ask for them. A program written for clone() builds with this
 * after one rename: alone among ramet's functions it returns -1 and sets errno on failure, as the
 * wrapper does. EINVAL if fn or stack_top is NULL. Always clone(2), so that flags mean what the
 * text in front of you says. Async-signal-safe.
 */
RAMET_API RAMET_MUST_CHECK int ramet_clone(int (*fn)(void *), void *stack_top, int flags, void *arg,
					   ... /* pid_t *ptid, void *tls, pid_t *ctid */);

/* ---- Words: parsing and printing, from the tables the library itself uses ----------------- */

/*
 * "CLONE_VM|CLONE_FILES|SIGCHLD", "vm|files", "0x4111", "4001536", mixed; words are parted by
 * '|', ',' or blanks. Numbers below 2^32 are
 * read as clone(2) has them: the low byte is the exit signal. Case does not matter. -EINVAL, and
 * *ret_bad (if not NULL) is the offset of the word that was not understood.
 */
RAMET_API RAMET_MUST_CHECK int ramet_flags_parse(const char *text, uint64_t *ret_flags,
						 int *ret_exit_signal, size_t *ret_bad);

/*
 * "CLONE_VM|CLONE_VFORK", unknown bits in hex; "0" if none. Bits 0 to 6 are no flags: read back
 * they are a signal. Returns as snprintf does.
 */
RAMET_API int ramet_flags_format(uint64_t flags, char *buf, size_t size);

/* "memory,files" to a mask; names are those of ramet_resource_name(). */
RAMET_API RAMET_MUST_CHECK int ramet_resources_parse(const char *text, uint32_t *ret_mask,
						     size_t *ret_bad);

/* Name of one resource bit ("thread-group"), of a preset, a mode, a way, a step; NULL if none. */
RAMET_API const char *ramet_resource_name(enum ramet_resource resource);
RAMET_API const char *ramet_preset_name(enum ramet_preset preset);
RAMET_API const char *ramet_mode_name(enum ramet_mode mode);
RAMET_API const char *ramet_way_name(enum ramet_way way);
RAMET_API const char *ramet_step_name(uint32_t kind);

/* The preset of that name, or -EINVAL. */
RAMET_API RAMET_MUST_CHECK int ramet_preset_parse(const char *name, enum ramet_preset *ret_preset);

/* What a preset asks for. container: CLONE_NEWUSER too if `privileged` is 0. -EINVAL if none. */
RAMET_API RAMET_MUST_CHECK int ramet_preset_flags(enum ramet_preset preset, int privileged,
						  uint64_t *ret_flags, int *ret_exit_signal);

/* "SIGCHLD"; "SIGRT_2" for 34, as strace has it, since SIGRTMIN is the C library's. NULL if none. */
RAMET_API const char *ramet_signal_name(int sig);
/* "SIGUSR1", "usr1", "10", "SIGRTMIN+2" to a number 1..64, or -EINVAL. */
RAMET_API RAMET_MUST_CHECK int ramet_signal_parse(const char *name);

#ifdef __cplusplus
}
#endif

#endif
