/* SPDX-License-Identifier: MIT */
/* Rules about steps: each by itself, and against what the task shares. */
#include <signal.h>

#include "child/child.h"
#include "launch/plan.h"

bool steps_have(const struct ramet_step *steps, uint32_t kind)
{
	for (; steps && steps->kind; steps++)
		if (steps->kind == kind)
			return true;
	return false;
}

static const struct step_limits limits[RAMET_STEP_COUNT_] = {
	[RAMET_STEP_WAIT_GO] = {.plan_only = true, .descriptor = true},
	[RAMET_STEP_GUARD_MEMORY] = {.plan_only = true},
	[RAMET_STEP_CLOSE_RANGE] = {.plan_only = true},
	[RAMET_STEP_EXEC] = {.plan_only = true},
	[RAMET_STEP_OWN_TABLE] = {.plan_only = true},
	[RAMET_STEP_FETCH] = {.plan_only = true},
	[RAMET_STEP_UNSHARE] = {.plan_only = true},
	[RAMET_STEP_ENTER_CGROUP] = {.plan_only = true, .descriptor = true},
	[RAMET_STEP_WITNESS] = {.plan_only = true, .descriptor = true},
	[RAMET_STEP_CALL] = {.plan_only = true},
	[RAMET_STEP_HOSTNAME] = {.text = true},
	[RAMET_STEP_PROC] = {.text = true, .many = true},
	[RAMET_STEP_CWD] = {.text = true, .many = true},
	[RAMET_STEP_DUP] = {.descriptor = true, .many = true},
	[RAMET_STEP_KEEP] = {.descriptor = true, .many = true},
	[RAMET_STEP_SIGNAL] = {.many = true},
	[RAMET_STEP_PIVOT] = {.plan_only = true},
	[RAMET_STEP_RESTRICT] = {.plan_only = true},
	[RAMET_STEP_CGROUP] = {.text = true, .many = true},
	[RAMET_STEP_LANDLOCK] = {.target = true, .many = true},
	[RAMET_STEP_ROOT] = {.text = true},
	[RAMET_STEP_BIND] = {.text = true, .target = true, .many = true},
	[RAMET_STEP_TMPFS] = {.target = true, .many = true},
	[RAMET_STEP_JOIN] = {.descriptor = true, .many = true},
	[RAMET_STEP_RLIMIT] = {.many = true},
	[RAMET_STEP_TIME_OFFSET] = {.many = true},
	[RAMET_STEP_AFFINITY] = {.data = true},
	[RAMET_STEP_SECCOMP] = {.data = true, .many = true},
	[RAMET_STEP_CTTY] = {.descriptor = true},
	[RAMET_STEP_FOREGROUND] = {.descriptor = true},
};

const struct step_limits *step_limits(uint32_t kind)
{
	return &limits[kind];
}

static enum launch_rule check_pair(const struct ramet_step *a, const struct ramet_step *b)
{
	if (a->kind != b->kind)
		return LAUNCH_RULE_NONE;
	if (!limits[a->kind].many)
		return LAUNCH_RULE_STEP_ONCE;
	if (a->kind == RAMET_STEP_DUP && a->to == b->to)
		return LAUNCH_RULE_TARGET_ONCE;
	return LAUNCH_RULE_NONE;
}

/* 0 stands for all that can. */
static bool can_be_set(int sig)
{
	return sig >= 0 && sig <= 64 && sig != SIGKILL && sig != SIGSTOP;
}

static enum launch_rule check_one(const struct ramet_step *step)
{
	const struct step_limits *limit;

	if (!step_kind(step->kind))
		return LAUNCH_RULE_UNKNOWN_STEP;
	limit = &limits[step->kind];
	if (limit->plan_only)
		return LAUNCH_RULE_STEP_OF_PLAN;
	if (limit->text && !step->path)
		return LAUNCH_RULE_NO_TEXT;
	if (limit->target && !step->target)
		return LAUNCH_RULE_NO_TEXT;
	if (limit->data && (!step->data || !step->bytes))
		return LAUNCH_RULE_NO_DATA;
	if (limit->descriptor &&
	    (step->number < 0 || (step->kind == RAMET_STEP_DUP && step->to < 0)))
		return LAUNCH_RULE_DESCRIPTOR_RANGE;
	if (step->kind == RAMET_STEP_PDEATHSIG && (step->number < 1 || step->number > 64))
		return LAUNCH_RULE_STEP_SIGNAL_RANGE;
	if (step->kind == RAMET_STEP_SIGNAL && !can_be_set(step->number))
		return LAUNCH_RULE_STEP_SIGNAL_RANGE;
	return LAUNCH_RULE_NONE;
}

enum launch_rule steps_check(const struct ramet_step *steps, uint32_t *ret_kind)
{
	enum launch_rule rule = LAUNCH_RULE_NONE;

	for (const struct ramet_step *s = steps; s && s->kind && !rule; s++) {
		*ret_kind = s->kind;
		rule = check_one(s);
		for (const struct ramet_step *t = steps; t < s && !rule; t++)
			rule = check_pair(t, s);
	}
	if (!rule && steps_have(steps, RAMET_STEP_SETSID) &&
	    steps_have(steps, RAMET_STEP_SETPGID)) {
		*ret_kind = RAMET_STEP_SETPGID;
		rule = LAUNCH_RULE_SESSION_AND_GROUP;
	}
	return rule;
}

/* A step that needs a flag, or needs it absent. */
static const struct {
	uint32_t kind;
	uint64_t needs, forbids;
	enum launch_rule rule;
} against_flags[] = {
	{RAMET_STEP_DUP, 0, CLONE_FILES, LAUNCH_RULE_FDS_SHARED},
	{RAMET_STEP_KEEP, 0, CLONE_FILES, LAUNCH_RULE_FDS_SHARED},
	{RAMET_STEP_CLOSE_REST, 0, CLONE_FILES, LAUNCH_RULE_FDS_SHARED},
	{RAMET_STEP_SIGNAL, 0, CLONE_SIGHAND, LAUNCH_RULE_SIGNALS_SHARED},
	{RAMET_STEP_HOSTNAME, CLONE_NEWUTS, 0, LAUNCH_RULE_HOSTNAME_SHARED},
	{RAMET_STEP_PRIVATE_MOUNTS, CLONE_NEWNS, 0, LAUNCH_RULE_MOUNTS_SHARED},
	{RAMET_STEP_PROC, CLONE_NEWNS, 0, LAUNCH_RULE_MOUNTS_SHARED},
	{RAMET_STEP_ROOT, CLONE_NEWNS, 0, LAUNCH_RULE_MOUNTS_SHARED},
	{RAMET_STEP_BIND, CLONE_NEWNS, 0, LAUNCH_RULE_MOUNTS_SHARED},
	{RAMET_STEP_TMPFS, CLONE_NEWNS, 0, LAUNCH_RULE_MOUNTS_SHARED},
	{RAMET_STEP_INIT, CLONE_NEWPID, 0, LAUNCH_RULE_INIT_NEEDS_PID},
	{RAMET_STEP_ID_MAP, CLONE_NEWUSER, 0, LAUNCH_RULE_MAP_NEEDS_USER},
	{RAMET_STEP_TIME_OFFSET, CLONE_NEWTIME, 0, LAUNCH_RULE_TIME_SHARED},
	{RAMET_STEP_LO_UP, CLONE_NEWNET, 0, LAUNCH_RULE_NET_SHARED},
	{RAMET_STEP_CGROUP, 0, CLONE_THREAD, LAUNCH_RULE_PROCESS_SHARED},
	{RAMET_STEP_SETSID, 0, CLONE_THREAD, LAUNCH_RULE_PROCESS_SHARED},
	{RAMET_STEP_SETPGID, 0, CLONE_THREAD, LAUNCH_RULE_PROCESS_SHARED},
	{RAMET_STEP_CTTY, 0, CLONE_THREAD, LAUNCH_RULE_PROCESS_SHARED},
	{RAMET_STEP_RLIMIT, 0, CLONE_THREAD, LAUNCH_RULE_PROCESS_SHARED},
	{RAMET_STEP_SUBREAPER, 0, CLONE_THREAD, LAUNCH_RULE_PROCESS_SHARED},
	{RAMET_STEP_OOM_SCORE_ADJ, 0, CLONE_THREAD, LAUNCH_RULE_PROCESS_SHARED},
};

enum launch_rule steps_check_call(const struct ramet_step *steps, uint64_t flags,
				  uint32_t *ret_kind)
{
	for (unsigned i = 0; i < sizeof(against_flags) / sizeof(against_flags[0]); i++) {
		if (!steps_have(steps, against_flags[i].kind))
			continue;
		if (!(flags & against_flags[i].forbids) &&
		    (flags & against_flags[i].needs) == against_flags[i].needs)
			continue;
		*ret_kind = against_flags[i].kind;
		return against_flags[i].rule;
	}
	return LAUNCH_RULE_NONE;
}
