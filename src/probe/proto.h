/* SPDX-License-Identifier: MIT */
/*
 * What the observer (ramet), the parent (the helper's first task) and the child (the task under
 * test) tell each other. Messages go through sockets, never through memory, tables or signals:
 * those are what is being tested.
 *
 *	observer        parent                  child
 *	START ->        prepares
 *	      <- BEFORE
 *	                clones
 *	      <- CLONED (at once, or after the child's end if it is held)
 *	      <------------------------ CHILD   has made its changes, waits
 *	second witness on both
 *	LOOK  ->        looks at the changes
 *	      <- LOOK
 *	[AWAIT ->       sleeps on the tid word]
 *	GO    ------------------------->        ends
 *	END   ->        what the end did; reaps
 *	      <- END
 *
 * A held parent gets its LOOK after GO. A socket that ends means: give up, undo, end.
 */
#ifndef RAMET_PROBE_PROTO_H
#define RAMET_PROBE_PROTO_H

#include <stdint.h>

/* Descriptors the helper starts with. */
enum probe_fd {
	PROBE_FD_PARENT = 3, /* SOCK_SEQPACKET, parent to observer */
	PROBE_FD_CHILD,	     /* the same for the child */
	PROBE_FD_SCRATCH,    /* a file that can be read and sought */
	PROBE_FD_CGROUP,     /* directory for CLONE_INTO_CGROUP, or the scratch file */
	PROBE_FD_FREE,	     /* first one not in use */
};

/* argv of the helper, numbers in hexadecimal. */
enum probe_argument {
	PROBE_ARG_NAME,
	PROBE_ARG_FLAGS,
	PROBE_ARG_EXIT_SIGNAL,
	PROBE_ARG_LEGACY, /* 1: clone(2) only */
	PROBE_ARG_COUNT,
};

enum probe_message_type {
	PROBE_START = 1,
	PROBE_BEFORE,
	PROBE_CLONED,
	PROBE_CHILD,
	PROBE_LOOK,
	PROBE_AWAIT,
	PROBE_GO,
	PROBE_END,
};

#define PROBE_PAGES 16
#define PROBE_PRIO_PARENT 5 /* best-effort I/O priorities */
#define PROBE_PRIO_CHILD 2
#define PROBE_PORT_NONE 0
#define PROBE_SEM_PARENT 1 /* what each adds to the semaphore with SEM_UNDO */
#define PROBE_SEM_CHILD 4
#define PROBE_SEM_START 10
#define PROBE_OFFSET 7 /* where the child leaves the scratch file's offset */
#define PROBE_TEXT 96
#define PROBE_WORD 0x5a5a5a5aU /* in the tid words before the clone */

/* Fields that are results hold 0 (or what the comment says) or -errno. */

/* The parent before the clone. */
struct probe_before {
	uint64_t caps; /* effective */
	int32_t pid, ppid;
	int32_t isolated; /* namespaces of its own: flags shifted right by 8 to fit */
	int32_t sem, key; /* id; what the child looks for */
	int32_t io;
	int32_t port;	      /* bound on INADDR_ANY */
	int32_t mounted;      /* the place where the child may mount is ready */
	int32_t cgroup_tells; /* 1: some path in `cgroup` is not / */
	int32_t unused;
	uint64_t tp;
	uint64_t uid_map; /* hash of the text */
	uint64_t cgroup;  /* the same of /proc/PID/cgroup */
	uint64_t time_ns; /* inode */
	char cgroup_text[PROBE_TEXT];
};

/* The clone, as the parent saw it. */
struct probe_cloned {
	int64_t result; /* tid in the parent's pid namespace */
	uint64_t flags;
	int32_t clone3;
	int32_t unused;
};

/* The child, after it has made its changes. */
struct probe_child {
	uint64_t caps;
	int32_t pid, tid, ppid;
	int32_t pages;	/* found with the parent's contents */
	int64_t faults; /* minor ones while writing them */
	int32_t closed; /* result of closing the victim */
	int32_t offset;
	int32_t chdir_result;
	int32_t umask_found;
	int32_t handler_found; /* 0 default, 1 ignored, 2 the parent's */
	int32_t handler_set;
	int32_t sem_key; /* the id found under the key */
	int32_t sem_op;
	int32_t io_found; /* ioprio word */
	int32_t io_set;
	int32_t tp_written;
	int32_t mount_result;
	int32_t hostname_result;
	int32_t bind_result;
	uint64_t tp;
	uint64_t uid_map;
	uint64_t cgroup;	/* its own, as it reads it */
	uint64_t parent_cgroup; /* the parent's, as the child reads it */
	uint64_t time_ns;
	int64_t boottime; /* seconds */
	char cgroup_text[PROBE_TEXT];
	char parent_cgroup_text[PROBE_TEXT];
};

/* The parent, after that. */
struct probe_look {
	int32_t pages;	/* with the child's contents */
	int32_t victim; /* 0 open, -EBADF closed */
	int32_t offset;
	int32_t moved; /* 1: its working directory is where the child went */
	int32_t umask;
	int32_t handler;   /* 2: the child's */
	int32_t io;	   /* ioprio word */
	int32_t tp_marker; /* 1: the child's mark is behind the parent's thread pointer */
	int32_t mounted;   /* 1: the child's mount is there */
	int32_t hostname;  /* 1: it is the child's */
	int64_t boottime;
	uint32_t parent_tid, child_tid; /* the words */
};

/* The parent, after the child's end. */
struct probe_end {
	int32_t plain;	/* waitid without flags: 0 saw it, or -errno */
	int32_t wclone; /* with __WCLONE */
	int32_t reaped; /* with __WALL */
	int32_t told;	/* signal that said so, 0 none */
	int32_t sem;	/* value */
	uint32_t word;	/* of the tid, afterwards */
	int32_t woken;	/* AWAIT: 0 woken, -EAGAIN too late, -ETIMEDOUT; 1: not asked */
	int32_t unused;
};

struct probe_message {
	uint32_t type;
	uint32_t unused;
	union {
		struct probe_before before;
		struct probe_cloned cloned;
		struct probe_child child;
		struct probe_look look;
		struct probe_end end;
	};
};

/* Bits of probe_before.isolated. */
#define PROBE_ISOLATED(flag) ((int32_t)((flag) >> 8))

#endif
