/* SPDX-License-Identifier: MIT */
/* A task between the caller and the child that is held in the caller's stead. Freestanding. */
#ifndef RAMET_LAUNCH_SHIELD_H
#define RAMET_LAUNCH_SHIELD_H

#include <stdint.h>

#include "child/child.h"
#include "launch/raw.h"

struct shield {
	const struct clone_args *args; /* of the child; CLONE_VFORK and CLONE_PARENT among them */
	uint64_t droppable;
	bool strict; /* clone3 or nothing */
	struct raw_used *used;
	struct child *child;
	int32_t tid;   /* of the child: written by the kernel before it runs */
	int32_t error; /* -errno: there is no child, and record->word says gone */
};

/* The fn of the shield's own clone. */
int shield_run(void *shield);

#endif
