/* SPDX-License-Identifier: MIT */
/*
 * Between a test and its colony: tasks of every kind that do as they are told. Each has a slot in
 * memory that all see at one address, whatever else they share, and its stack is there too. The
 * test writes what to do and raises `request`; the task does it and makes `done` the same.
 */
#ifndef RAMET_TESTS_COLONY_H
#define RAMET_TESTS_COLONY_H

#include <stdint.h>

#include "uapi/clone.h"

#define COLONY_ADDRESS 0x1000000000UL /* free in every process of it, also with 39 bits */
#define COLONY_SLOTS 64
#define COLONY_STACK 16384

/* Descriptors that each has, never marked O_CLOEXEC. */
#define COLONY_FD_MEMORY 200
#define COLONY_FD_PROGRAM 201
#define COLONY_FD_SOCKET 202 /* brings descriptors */
#define COLONY_FD_PROC 203   /* /proc: a root whose mounts have gone has none */

enum colony_command {
	COLONY_CLONE = 1, /* the call in `args`; the new task lives in slot `other` */
	COLONY_EXEC,	  /* itself; answers as the new program */
	COLONY_UNSHARE,	  /* flags */
	COLONY_SETNS,	  /* flags; the descriptor is waiting in the socket */
	COLONY_EXIT,
	COLONY_EXIT_GROUP,
	COLONY_WAIT, /* pid `number`, options `flags` and WNOHANG */
	COLONY_SUBREAPER,
	COLONY_CHILD_SIGNAL, /* number: as RAMET_EVENT_CHILD_SIGNAL */
	COLONY_UNDO,
	COLONY_IOPRIO,
	COLONY_MAP, /* root of its user namespace; number: its id outside of it */
};

struct colony_slot {
	uint32_t request, done;
	uint32_t starts; /* how often the task began: by birth and by exec */
	uint32_t command;
	struct clone_args args;
	uint32_t legacy; /* clone(2) with these */
	int32_t other;
	uint64_t flags;
	int64_t number;
	int64_t result;	   /* as the kernel gave it */
	int32_t tid, tgid; /* as /proc numbers them */
	uint32_t word;	   /* CLONE_CHILD_CLEARTID's */
	int32_t pidfd;
};

struct colony {
	uint32_t bell; /* raised whenever something in a slot changes */
	struct colony_slot slots[COLONY_SLOTS];
	unsigned char stacks[COLONY_SLOTS][COLONY_STACK] __attribute__((aligned(4096)));
};

#endif
