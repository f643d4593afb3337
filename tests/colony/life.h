/* SPDX-License-Identifier: MIT */
/*
 * One history: steps that tasks of a colony take, each first foretold by the rules, then put to
 * the kernel, then replayed in a world that is compared with what the kernel shows.
 */
#ifndef RAMET_TESTS_LIFE_H
#define RAMET_TESTS_LIFE_H

#include <stdbool.h>
#include <stdint.h>

#include "colony/colony.h"
#include "model/world.h"

#define LIFE_STEPS 160
#define LIFE_CROWD 30 /* tasks at once, dead ones too */
#define LIFE_WORD 0x5a5a5a5au

enum step_kind {
	STEP_CLONE,
	STEP_EXEC,
	STEP_UNSHARE,
	STEP_SETNS,
	STEP_EXIT,
	STEP_EXIT_GROUP,
	STEP_KILL, /* by the keeper: its whole process */
	STEP_WAIT,
	STEP_SUBREAPER,
	STEP_CHILD_SIGNAL,
	STEP_UNDO,
	STEP_IOPRIO,
	STEP_MAP,
	STEP_KINDS,
};

/* What `number` of STEP_SETNS says of the descriptor. */
enum { BY_PIDFD, BY_FILE, BY_FILE_FOR_CHILDREN };

/* Tasks are called by the label that they were born with, so that steps can be left out. */
struct step {
	enum step_kind kind;
	int who;	/* label */
	int other;	/* CLONE: the child's label; SETNS, WAIT: whose, which */
	uint64_t flags; /* SETNS: types, also where the call says 0 */
	int signal;
	bool legacy; /* CLONE: clone(2); SETNS: the call says 0 */
	uint32_t number;
};

enum outcome { STEP_SKIPPED, STEP_ACCEPTED, STEP_REFUSED, STEP_WRONG };

struct life {
	struct ramet_world *world;
	double patience; /* seconds in which the kernel has to come to what the world says */
	int tids[COLONY_SLOTS];
	bool used[COLONY_SLOTS];
	/* What the last step did, by the world's word: */
	bool killed;  /* to more than its own task */
	int released; /* label, 0: none */
	int cleared;  /* label, 0: none */
	int not_cleared;
	int gone[COLONY_SLOTS]; /* tids */
	int gone_count;
	char wrong[600];
	uint64_t counts[STEP_KINDS][4]; /* by enum outcome */
};

/* Written once the history is over: the message and which step it was. */
bool life_begin(struct life *l);
enum outcome life_step(struct life *l, const struct step *s);
bool life_end(struct life *l); /* false: something is left behind */

/* "3: clone3 VM|FILES, SIGCHLD: 7" */
void step_text(const struct step *s, char *text, size_t size);

#endif
