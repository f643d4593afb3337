/* SPDX-License-Identifier: MIT */
/* The condition side of the rule table: what each row of rules.def looks at. Pure. */
#ifndef RAMET_MODEL_RULES_H
#define RAMET_MODEL_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ramet/model.h>

#define KERNEL(major, minor) ((major) << 16 | (minor) << 8)
#define KERNEL_PATCH(major, minor, patch) (KERNEL(major, minor) | (patch))

/* Entries by which tasks are made; those by which a task changes what it has itself. */
#define ENTRY_MAKES (RAMET_ENTRY_CLONE | RAMET_ENTRY_CLONE3)
#define ENTRY_ANY (ENTRY_MAKES | RAMET_ENTRY_UNSHARE)

/* unshare's spelling of CLONE_EMPTY_MNTNS, in the place of CLONE_PARENT_SETTID. */
#define UNSHARE_EMPTY_MNTNS 0x00100000ULL

/* A row refuses when every condition that it states holds; one left out always holds. */
struct rule_ask {
	unsigned entry; /* bits of enum ramet_entry to which it applies; 0: ENTRY_MAKES */
	bool may;	/* depends on what cannot be read: never a verdict beforehand */
	uint32_t needs; /* RAMET_KNOWN_*, for `state` */
	uint64_t all;	/* flags that must all be set */
	uint64_t any;	/* at least one of these */
	uint64_t none;	/* none of these */
	bool (*when)(const struct ramet_call *call);
	bool (*state)(const struct ramet_call *call, const struct ramet_caller *caller);
};

/* Row by row the same as ramet_rule_at(). */
extern const struct rule_ask rule_asks[];
extern const size_t rule_count;

/*
 * Does row `i` refuse? Without a caller, or one of whom nothing is known, only by the call.
 */
bool rule_refuses(size_t i, const struct ramet_call *call, const struct ramet_caller *caller);

/*
 * The flags as the kernel comes to see them: clone(2) has only 32 bits, of which the low byte is the
 * exit signal; setns takes an int; CLONE_EMPTY_MNTNS stands for CLONE_NEWNS too.
 */
uint64_t model_flags(const struct ramet_call *call);

#endif
