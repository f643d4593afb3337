/* SPDX-License-Identifier: MIT */
/*
 * All tasks that /proc shows, read once, and the classes of what they share. Only the files are
 * read that the caller needs. A task that ends meanwhile is left out; what may not be read is
 * missing from `got`.
 */
#ifndef RAMET_INSPECT_SNAPSHOT_H
#define RAMET_INSPECT_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "inspect/inspect.h"
#include "inspect/parse.h"

enum inspect_need {
	INSPECT_NEED_RIGHTS = 1 << 0,
	INSPECT_NEED_NS = 1 << 1,
	INSPECT_NEED_OWNERS = 1 << 2, /* of namespaces */
	INSPECT_NEED_CGROUP = 1 << 3,
	INSPECT_NEED_COMMAND = 1 << 4,	   /* waits while the task holds its memory map */
	INSPECT_NEED_EACH_THREAD = 1 << 5, /* all the above of threads, not of processes alone */
	INSPECT_NEED_CLASS = 1 << 8,	   /* of object 0: shifted left by an enum inspect_object */
};
#define INSPECT_NEED_CLASSES (0x7e * INSPECT_NEED_CLASS)

enum inspect_ns {
	INSPECT_NS_MNT,
	INSPECT_NS_PID,
	INSPECT_NS_NET,
	INSPECT_NS_IPC,
	INSPECT_NS_UTS,
	INSPECT_NS_USER,
	INSPECT_NS_CGROUP,
	INSPECT_NS_TIME,
	INSPECT_NS_COUNT,
};

/* "mnt", … as in /proc/PID/ns. */
extern const char *const inspect_ns_names[INSPECT_NS_COUNT];

#define INSPECT_OBJECTS (INSPECT_SYSVSEM + 1)
/* An entry's class of an object is 1 or more, equal for the same object, or one of these. */
#define INSPECT_CLASS_UNKNOWN (-1)
#define INSPECT_NO_OBJECT 0

struct inspect_entry {
	pid_t tid, process; /* as /proc numbers them; equal for a process */
	size_t leader;	    /* index of its process */
	size_t listed;	    /* of a process: its threads behind it in the list */
	size_t speaker;	    /* of a process: who answers for it; another if the leader has ended */
	unsigned got;	    /* bits of enum inspect_need that could be read */
	bool whole;	    /* basics are there: false for threads that were only listed */
	bool gone;	    /* ended while it was looked at */
	bool denied;	    /* kcmp may not look into it */
	struct inspect_basics basics;
	struct inspect_rights rights;
	uint64_t ns[INSPECT_NS_COUNT]; /* inodes; 0: this kernel has none */
	char *cgroup;		       /* path in the unified hierarchy; NULL: none */
	char *command;		       /* words parted by 0 bytes, one more at the end */
	size_t command_size;
	int class[INSPECT_OBJECTS]; /* by object; equal: the same one */
};

/* A namespace that some task is in. */
struct inspect_namespace {
	uint64_t inode;
	enum inspect_ns kind;
	uint64_t owner; /* inode of the user namespace that it belongs to; 0: not to be known */
	int64_t uid;	/* who made that user namespace; of a user namespace: who made it; or -1 */
};

struct inspect_snapshot {
	struct inspect_entry *entries; /* processes by number, each before its threads */
	size_t count, room;
	struct inspect_namespace *namespaces; /* by inode; with INSPECT_NEED_OWNERS */
	size_t namespace_count, namespace_room;
	size_t unreadable;   /* processes that /proc shows and lets nobody else read */
	bool foreign;	     /* /proc counts as another pid namespace: kcmp cannot be asked */
	bool hides;	     /* /proc does not show everything: hidepid */
	int kcmp_error;	     /* errno: kcmp does not work at all here */
	int nobody_error;    /* errno: 'none' cannot be told from 'the same' */
	unsigned long calls; /* of kcmp */
};

/* 0, or -errno: there is no /proc. Free it in either case. */
int inspect_snapshot(unsigned needs, struct inspect_snapshot *ret);
void inspect_snapshot_free(struct inspect_snapshot *s);

/* The classes that `needs` has; inspect_snapshot() ends with it. 0 or -ENOMEM. */
int inspect_classify(struct inspect_snapshot *s, unsigned needs);

/* The process of that number, or NULL. */
struct inspect_entry *inspect_find(const struct inspect_snapshot *s, pid_t process);
/* The namespace of that inode, or NULL. */
const struct inspect_namespace *inspect_find_ns(const struct inspect_snapshot *s, uint64_t inode);

/* Has it ended, and only waits to be waited for? A process goes on while any thread does. */
bool inspect_is_zombie(const struct inspect_entry *e);

#endif
