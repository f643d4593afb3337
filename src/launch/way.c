/* SPDX-License-Identifier: MIT */
/* Which way a task is made, and the flags that go with it. */
#include "launch/way.h"

#include <string.h>

bool changes_identity(const struct ramet_spec *spec)
{
	return steps_have(spec->steps, RAMET_STEP_UID) || steps_have(spec->steps, RAMET_STEP_GID);
}

bool joins_pids(const struct ramet_spec *spec)
{
	for (const struct ramet_step *s = spec->steps; s && s->kind; s++)
		if (s->kind == RAMET_STEP_JOIN && s->mask & CLONE_NEWPID)
			return true;
	return false;
}

bool stays_behind(const struct ramet_spec *spec)
{
	return steps_have(spec->steps, RAMET_STEP_INIT) || joins_pids(spec);
}

/*
 * An init lives on. Who joins a user or pid namespace can be reached by its root, and with it the
 * caller if they share memory; and time namespaces take nobody who shares (EUSERS), not even into
 * a new one with offsets.
 */
static bool needs_own_memory(const struct ramet_spec *spec)
{
	return steps_have(spec->steps, RAMET_STEP_INIT) ||
	       steps_have(spec->steps, RAMET_STEP_JOIN) ||
	       steps_have(spec->steps, RAMET_STEP_TIME_OFFSET);
}

/*
 * With memory shared a child in a cgroup with a memory limit may be killed for want of memory,
 * and everything that shares the memory with it, unless the caller is held by vfork. Its
 * oom_score_adj would be the caller's too.
 */
static bool endangers_caller(const struct plan *plan, const struct ramet_spec *spec,
			     const struct plan_host *host)
{
	return (plan->args.flags & CLONE_INTO_CGROUP && !host->uncharged) ||
	       steps_have(spec->steps, RAMET_STEP_CGROUP) ||
	       steps_have(spec->steps, RAMET_STEP_OOM_SCORE_ADJ);
}

/* A caller that sleeps in the kernel can neither help nor keep a deadline. */
static bool must_run_on(const struct plan *plan, const struct ramet_spec *spec)
{
	return plan->caller_steps || changes_identity(spec) || spec->timeout_ms;
}

static bool is_own_path(const char *path)
{
	static const char *const own[] = {"/proc/self", "/proc/thread-self", "/dev/fd", "/dev/std"};

	for (size_t i = 0; path && i < sizeof(own) / sizeof(own[0]); i++)
		if (strncmp(path, own[i], strlen(own[i])) == 0)
			return true;
	return false;
}

static bool is_descriptor_path(const char *path)
{
	return is_own_path(path) && (strncmp(path, "/proc", 5) != 0 || strstr(path, "/fd"));
}

static bool names(const struct ramet_spec *spec, bool (*is)(const char *path))
{
	bool found = is(spec->program);

	for (const struct ramet_step *s = spec->steps; s && s->kind && !found; s++) {
		found = step_limits(s->kind)->text && is(s->path);
		found |= step_limits(s->kind)->target && is(s->target);
	}
	return found;
}

bool names_descriptors(const struct ramet_spec *spec)
{
	return names(spec, is_descriptor_path);
}

/* The helper is not the caller: what it finds as its own, or would share, is not the caller's. */
static bool misleads_helper(const struct plan *plan, const struct ramet_spec *spec)
{
	return plan->args.flags & CLONE_FILES || names(spec, is_own_path);
}

/*
 * A child that is in danger and may not hold the caller, but could hold a task between them: see
 * shield.c. That task would be the init of a pid namespace that the caller's next child begins; and
 * what is written to its /proc files, id maps, needs its number.
 */
static bool can_shield(const struct plan *plan, const struct ramet_spec *spec,
		       const struct plan_host *host)
{
	return host->shielding && plan->body == PLAN_PROGRAM && plan->args.flags & CLONE_VM &&
	       !plan->asynchronous && !plan->caller_steps && !spec->parent_tid &&
	       !spec->child_tid && !spec->stack && !(spec->flags & (CLONE_VFORK | CLONE_PARENT)) &&
	       !(plan->args.flags & (CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWTIME | CLONE_FILES |
				     CLONE_FS | CLONE_PARENT | CLONE_SETTLS));
}

/* With the caller's memory, while the caller runs on. */
static bool may_run_beside(const struct plan *plan, const struct ramet_spec *spec,
			   const struct plan_host *host)
{
	return !endangers_caller(plan, spec, host) || can_shield(plan, spec, host);
}

static enum ramet_way choose_program_way(const struct plan *plan, const struct ramet_spec *spec,
					 const struct plan_host *host)
{
	if (!(plan->args.flags & CLONE_VM))
		return RAMET_WAY_COPY;
	/* A frozen cgroup holds even the start of the helper, and with it the caller. */
	if (spec->timeout_ms && plan->args.flags & CLONE_INTO_CGROUP &&
	    (needs_own_memory(spec) || !may_run_beside(plan, spec, host)))
		return RAMET_WAY_COPY;
	if (needs_own_memory(spec))
		return RAMET_WAY_HELPER;
	if (!must_run_on(plan, spec) && !plan->asynchronous)
		return RAMET_WAY_HELD;
	/* Nobody waits for it, so nobody could keep the memory unreadable meanwhile. */
	if (plan->asynchronous && changes_identity(spec))
		return RAMET_WAY_HELPER;
	return may_run_beside(plan, spec, host) ? RAMET_WAY_FUTEX : RAMET_WAY_HELPER;
}

static enum ramet_way choose_function_way(const struct plan *plan)
{
	if (!(plan->args.flags & CLONE_VM))
		return RAMET_WAY_COPY;
	return plan->args.flags & CLONE_VFORK ? RAMET_WAY_HELD : RAMET_WAY_FUTEX;
}

static bool way_fits(const struct plan *plan, const struct ramet_spec *spec,
		     const struct plan_host *host)
{
	switch (spec->way) {
	case RAMET_WAY_HELD:
		return !plan->asynchronous && plan->args.flags & CLONE_VM &&
		       !must_run_on(plan, spec) && !needs_own_memory(spec);
	case RAMET_WAY_FUTEX:
		return plan->args.flags & CLONE_VM && !(spec->flags & CLONE_VFORK) &&
		       may_run_beside(plan, spec, host) && !needs_own_memory(spec) &&
		       !(plan->asynchronous && changes_identity(spec));
	case RAMET_WAY_HELPER:
		return plan->args.flags & CLONE_VM && plan->body == PLAN_PROGRAM &&
		       !misleads_helper(plan, spec);
	case RAMET_WAY_COPY:
		return plan->body == PLAN_PROGRAM || !(plan->args.flags & CLONE_VM);
	case RAMET_WAY_ANY:
	default:
		return false;
	}
}

/* Flags of the way: what it adds and what it takes out. */
static void apply_way(struct plan *plan, const struct ramet_spec *spec)
{
	uint64_t *flags = &plan->args.flags;

	switch (plan->way) {
	case RAMET_WAY_HELD:
	case RAMET_WAY_HELPER: /* the caller is held until the helper runs */
		*flags |= CLONE_VFORK;
		break;
	case RAMET_WAY_FUTEX:
		*flags &= ~CLONE_VFORK;
		plan->own_tid_word = !spec->child_tid;
		if (plan->own_tid_word)
			*flags = (*flags | CLONE_CHILD_CLEARTID) & ~CLONE_CHILD_SETTID;
		if (plan->shielded)
			*flags |= CLONE_VFORK | CLONE_PARENT | CLONE_PARENT_SETTID;
		break;
	case RAMET_WAY_COPY:
		*flags &= ~CLONE_VM;
		if (!(spec->flags & CLONE_VFORK))
			*flags &= ~CLONE_VFORK;
		break;
	case RAMET_WAY_ANY:
	default:
		break;
	}
}

int choose_way(struct plan *plan, const struct ramet_spec *spec, const struct plan_host *host,
	       struct plan_refusal *ret)
{
	enum ramet_way way;

	if (plan->body == PLAN_TWICE)
		way = RAMET_WAY_COPY;
	else if (plan->body == PLAN_FUNCTION)
		way = choose_function_way(plan);
	else
		way = choose_program_way(plan, spec, host);

	if (plan->body == PLAN_TWICE && plan->args.flags & CLONE_VM)
		return plan_refuse(LAUNCH_RULE_TWICE_SHARED, ret);
	if (spec->way && !way_fits(plan, spec, host))
		return plan_refuse(LAUNCH_RULE_WAY, ret);
	plan->way = spec->way ? spec->way : way;
	if ((plan->way == RAMET_WAY_HELD || spec->flags & CLONE_VFORK) &&
	    (plan->caller_steps || changes_identity(spec)))
		return plan_refuse(LAUNCH_RULE_HELD_CALLER, ret);

	if (plan->way != RAMET_WAY_COPY && !host->memory_shares && plan->body == PLAN_PROGRAM) {
		plan->way = RAMET_WAY_COPY;
		plan->lost |= RAMET_LOST_SHARE;
	}
	if (plan->way == RAMET_WAY_HELPER && (!host->helper || misleads_helper(plan, spec))) {
		plan->lost |= host->helper ? 0 : RAMET_LOST_HELPER;
		plan->way = RAMET_WAY_COPY;
	}
	/* The helper's own exec is the one that turns the exit signal. */
	if (plan->way == RAMET_WAY_HELPER)
		plan->execs = false;
	plan->shielded = plan->way == RAMET_WAY_FUTEX && plan->body == PLAN_PROGRAM &&
			 endangers_caller(plan, spec, host);
	apply_way(plan, spec);
	return 0;
}
