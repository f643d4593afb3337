/* SPDX-License-Identifier: MIT */
/* Parts of the plan: the way a task is made, and how it comes by its descriptor table. */
#ifndef RAMET_LAUNCH_WAY_H
#define RAMET_LAUNCH_WAY_H

#include "launch/plan.h"

/* Fill *ret from the rule's row. -EINVAL. */
int plan_refuse(enum launch_rule rule, struct plan_refusal *ret);

/* Sets plan->way, the flags that belong to it, and what is lost already. */
int choose_way(struct plan *plan, const struct ramet_spec *spec, const struct plan_host *host,
	       struct plan_refusal *ret);

/* Steps after which the target identity can reach the child: it must not hold the caller. */
bool changes_identity(const struct ramet_spec *spec);
/* Joining a pid namespace moves only children: somebody has to stay outside. */
bool joins_pids(const struct ramet_spec *spec);
/* The task made is not the one that runs the program. */
bool stays_behind(const struct ramet_spec *spec);
/* A path in it is a descriptor's: /dev/fd/3 and the like. */
bool names_descriptors(const struct ramet_spec *spec);

/*
 * How the child comes by a table without the descriptors that are to be closed; after
 * choose_way(). Sets CLONE_FILES where it shall share the caller's at first.
 */
struct table_plan {
	bool part;	/* share, and part as the first step: see table.c */
	unsigned first; /* what is closed by parting: from here on */
	unsigned fetch_count;
	int fetch[4]; /* descriptors above that, taken over one by one */
	bool copied;  /* more than need be, since parting or fetching is refused */
};
void plan_table(struct plan *plan, const struct ramet_spec *spec, const struct plan_host *host,
		int program, struct table_plan *ret);

#endif
