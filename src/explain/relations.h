/* SPDX-License-Identifier: MIT */
/*
 * Which flags need each other and which exclude each other, where a task is made: read from the
 * conditions of the rule table, and each finding asked of the table again.
 */
#ifndef RAMET_EXPLAIN_RELATIONS_H
#define RAMET_EXPLAIN_RELATIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ramet/model.h>

struct relation {
	const struct ramet_rule *rule;
	uint64_t other;	 /* the other flag; 0: an exit signal */
	unsigned calls;	 /* RAMET_ENTRY_CLONE, RAMET_ENTRY_CLONE3: where it holds */
	bool everywhere; /* that is wherever both flags may be */
	bool privilege;	 /* of a need: CAP_SYS_ADMIN will do instead */
};

#define RELATIONS 16

/* What must be there with this flag. How many. */
size_t relation_needs(uint64_t flag, struct relation ret[RELATIONS]);

/* What must not be there with this flag. */
size_t relation_excludes(uint64_t flag, struct relation ret[RELATIONS]);

#endif
