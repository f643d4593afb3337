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

/* A row refuses when every condition that it states holds; one left out always holds. */
struct rule_ask {
	enum ramet_entry entry; /* the only entry it applies to; 0: both */
	bool may;		/* depends on what cannot be read: never a verdict beforehand */
	uint32_t needs;		/* RAMET_KNOWN_*, for `when` */
	uint64_t all;		/* flags that must all be set */
	uint64_t any;		/* at least one of these */
	uint64_t none;		/* none of these */
	bool (*when)(const struct ramet_call *call, const struct ramet_caller *caller);
};

/* Row by row the same as ramet_rule_at(). */
extern const struct rule_ask rule_asks[];
extern const size_t rule_count;

/*
 * The flags as copy_process sees them: clone(2) has only 32 bits, of which the low byte is the
 * exit signal; CLONE_EMPTY_MNTNS stands for CLONE_NEWNS too.
 */
uint64_t model_flags(const struct ramet_call *call);

#endif
