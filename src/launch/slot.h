/* SPDX-License-Identifier: MIT */
/*
 * Where a child and its caller meet: the record and the child's context, and a stack where the
 * child needs one. Slots of the usual size are kept for reuse; the pool survives threads and is
 * empty again after a fork, since words of launches in flight never clear in the copy.
 */
#ifndef RAMET_LAUNCH_SLOT_H
#define RAMET_LAUNCH_SLOT_H

#include <stddef.h>

#include "child/child.h"
#include "launch/raw.h"
#include "launch/shield.h"

#define SLOT_FEW_STEPS 4

struct slot {
	struct slot *next;
	void *map; /* the whole mapping, guard page included */
	size_t map_size;
	void *stack; /* lowest usable byte, NULL: no stack */
	size_t stack_size;
	uint32_t *word; /* the futex that tells the end: in record, or the user's own */
	struct raw_used used;
	struct shield shield;
	struct child child;
	/* Steps of a task whose maker does not wait for them, and so frees the plan. */
	struct ramet_step few[SLOT_FEW_STEPS];
	struct child_record record;
};

enum slot_kind {
	SLOT_STACK,  /* private memory with a stack and a guard page: memory is shared anyway */
	SLOT_SHARED, /* a shared page and no stack: memory is copied */
};

/*
 * A number that is another one in every fork of this process, with no system call. 0: out of
 * memory.
 */
uint32_t slot_generation(void);

/* NULL: out of memory. stack_size is rounded up to pages. */
struct slot *slot_take(enum slot_kind kind, size_t stack_size);
void slot_give(struct slot *slot);

#endif
