/* SPDX-License-Identifier: MIT */
/*
 * A table without the descriptors that are to be closed. Copying a table of 10 000 descriptors and
 * closing 9 997 of them takes ten times as long as all the rest of a launch. So the child is made
 * with the caller's own table, and its first act is close_range(CLOSE_RANGE_UNSHARE): the kernel
 * copies no more than what lies below the range. What it costs then goes by the highest descriptor
 * that is kept; a few that lie far above the others are fetched afterwards from the caller's
 * table, by pidfd_getfd. Nothing but that first act happens while the table is shared.
 */
#include "launch/way.h"

#define FAR 256 /* tables of so many are copied in less time than fetching takes */
#define FETCH_MOST (sizeof(((struct table_plan *)0)->fetch) / sizeof(int))

/* Whether there is something to gain, and the caller waits, in this very call, until the child has parted. */
static bool may_share(const struct plan *plan, const struct ramet_spec *spec)
{
	return plan->body == PLAN_PROGRAM && plan->args.flags & CLONE_VM &&
	       (plan->way == RAMET_WAY_HELD || plan->way == RAMET_WAY_FUTEX) &&
	       !plan->asynchronous && !plan->shielded && !(plan->args.flags & CLONE_FILES) &&
	       steps_have(spec->steps, RAMET_STEP_CLOSE_REST) && !names_descriptors(spec);
}

/* The caller must be visible to the child, and the child as privileged as it. */
static bool may_fetch(const struct plan *plan, const struct plan_host *host)
{
	return host->fetching && !(plan->args.flags & (CLONE_NEWUSER | CLONE_NEWPID));
}

/* false: more than can be fetched. */
static bool add_far(struct table_plan *t, int fd)
{
	for (unsigned i = 0; i < t->fetch_count; i++)
		if (t->fetch[i] == fd)
			return true;
	if (t->fetch_count == FETCH_MOST)
		return false;
	t->fetch[t->fetch_count++] = fd;
	return true;
}

/* One that a step uses, or the program; fetched if it lies far off and that is possible. */
static void need(struct table_plan *t, int fd, bool *few, unsigned *highest)
{
	if (fd < 0)
		return;
	if ((unsigned)fd > *highest)
		*highest = (unsigned)fd;
	if (fd < FAR) {
		if ((unsigned)fd >= t->first)
			t->first = (unsigned)fd + 1;
	} else {
		*few = *few && add_far(t, fd);
	}
}

void plan_table(struct plan *plan, const struct ramet_spec *spec, const struct plan_host *host,
		int program, struct table_plan *ret)
{
	bool few = true;
	unsigned highest = 2;

	*ret = (struct table_plan){.first = 3};
	if (!may_share(plan, spec))
		return;
	if (!host->parting) {
		ret->copied = true;
		return;
	}
	for (const struct ramet_step *s = spec->steps; s && s->kind; s++)
		if (step_limits(s->kind)->descriptor)
			need(ret, s->number, &few, &highest);
	need(ret, program, &few, &highest);
	if (highest >= FAR && !(few && may_fetch(plan, host))) {
		ret->copied = few && !host->fetching && !host->fetch_failed;
		ret->fetch_count = 0;
		ret->first = highest + 1;
	}
	ret->part = true;
	plan->args.flags |= CLONE_FILES;
}
