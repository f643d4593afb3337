/* SPDX-License-Identifier: MIT */
/*
 * The helper: a static program of libramet-rt that is the parent of the task under test. It has
 * its start, and threads' memory (stack, guard, block of _Thread_local variables) of that; the
 * clone call is its own, since what is probed is that very word of flags. All else is raw system
 * calls on its own memory, so that the two tasks may share whatever the flags say and still run
 * side by side: in a task that has its parent's thread pointer no function of the runtime would
 * know who it is.
 */
#ifndef RAMET_PROBE_HELPER_H
#define RAMET_PROBE_HELPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "launch/raw.h"
#include "probe/proto.h"
#include "thread/native/native.h"

#define PAGE_BYTES 4096 /* at least; memory is asked for in multiples of 64 KiB */
#define BLOCK_BYTES 65536
#define STACK_BYTES (4 * BLOCK_BYTES)

/* Signals whose disposition is looked at; never delivered, all are blocked. */
#define SIGNAL_PARENT 10 /* SIGUSR1: the parent has a handler, the child looks */
#define SIGNAL_CHILD 12	 /* SIGUSR2: the child sets a handler, the parent looks */

struct tid_words {
	uint32_t child;
	uint32_t parent;
	int32_t pidfd;
};

/* What the parent prepares and the child finds, shared or copied: the same at birth. */
struct helper {
	uint64_t flags;
	int exit_signal;
	bool legacy;
	struct probe_before before;
	unsigned char *pages;	 /* PROBE_PAGES, private */
	struct tid_words *words; /* in a page that is shared either way */
	int victim;		 /* descriptor the child closes */
	int cgroup_file;	 /* the parent's /proc/PID/cgroup: shows what the reader may see */
	const char *mount_place;
	uint64_t mount_device;	     /* what lies there before the child mounts, 0: unknown */
	struct ramet_thread *thread; /* a stack and thread-local variables for the child */
	struct clone_args args;
	struct raw_used used;
};

/* before.c: make what the child will change. */
void helper_prepare(struct helper *h);
/* Put back what outlives the helper. */
void helper_undo(struct helper *h);
/* The argument block for the flags, a stack where one is needed. 0 or -errno. */
long helper_arguments(struct helper *h);

/* child.c: the task under test; arg is the struct helper. */
int helper_child(void *arg);

/* after.c */
void helper_look(struct helper *h, struct probe_look *ret_look);
int32_t helper_await(struct helper *h);
void helper_end(struct helper *h, long child, struct probe_end *ret_end);

/* util.c */
void send_message(int fd, struct probe_message *m, uint32_t type);
bool receive_message(int fd, uint32_t *ret_type);	  /* false: the other side is gone */
long read_text(const char *path, char *buf, size_t size); /* length or -errno; ends in 0 */
long read_fd(int fd, char *buf, size_t size);		  /* the same, from offset 0 */
uint64_t hash_text(const char *text);
void cgroup_line(const char *text, char out[static PROBE_TEXT]); /* the path of cgroup2 */
uint64_t link_inode(const char *path); /* of /proc/…/ns/x, 0 if there is none */
uint64_t effective_caps(void);
int64_t boottime(void);
uint64_t place_device(const char *path); /* 0 if there is none */
bool same_text(const char *a, const char *b);
int bind_port(int port, int *ret_port); /* descriptor or -errno; port 0: any */
extern const char child_hostname[], child_directory[];

/* Stand-ins for handlers: only their addresses matter. */
void handler_of_parent(void);
void handler_of_child(void);
/* What is written behind a thread pointer. */
extern _Thread_local volatile uint64_t tls_mark;
#define TLS_MARK 0x6b726d2d74656d61ULL

#endif
