/* SPDX-License-Identifier: MIT */
/*
 * Owns the question 'which rule refuses this call?'. The rules are rows of rules.def in the
 * kernel's order; here are the conditions that masks cannot say, and the walk over the rows.
 * Makes no system call: what depends on the caller comes in as struct ramet_caller.
 */
#include "model/rules.h"

#include <errno.h>
#include <limits.h>

#include "uapi/clone.h"

#define FLAGS_OF_7_1 (CLONE_AUTOREAP | CLONE_NNP | CLONE_PIDFD_AUTOKILL | CLONE_EMPTY_MNTNS)
#define FLAGS_KNOWN 0x3fffffffffULL

/* The namespaces that need CAP_SYS_ADMIN. */
#define CLONE_NEW_PRIVILEGED (CLONE_NEW_ANY & ~CLONE_NEWUSER)

/* Deepest nesting of pid namespaces below the first, and so the most pids a task can have. */
#define MAX_PID_NS_LEVEL 32

#define HIGHEST_SIGNAL 64

/* CLONE_NEWTIME in clone3 was fixed in these and, of each series, in all later ones. */
static const unsigned newtime_fixed[] = {
	KERNEL_PATCH(5, 10, 175),
	KERNEL_PATCH(5, 15, 103),
	KERNEL_PATCH(6, 1, 20),
	KERNEL_PATCH(6, 2, 7),
};

uint64_t model_flags(const struct ramet_call *call)
{
	if (call->entry == RAMET_ENTRY_CLONE)
		return call->flags & 0xffffffff & ~CSIGNAL;
	if (call->flags & CLONE_EMPTY_MNTNS)
		return call->flags | CLONE_NEWNS;
	return call->flags;
}

/*
 * ---- Conditions of the call alone. Each is a struct rule_ask.when and answers 'does it hold?';
 * the caller is there when the row's `needs` or version asks for it.
 */

#define QUESTION(name)                                                                             \
	static bool name(const struct ramet_call *call __attribute__((unused)),                    \
			 const struct ramet_caller *caller __attribute__((unused)))

QUESTION(set_tid_too_many)
{
	return call->set_tid_size > MAX_PID_NS_LEVEL;
}

QUESTION(set_tid_missing)
{
	return !call->set_tid && call->set_tid_size;
}

QUESTION(set_tid_uncounted)
{
	return call->set_tid && !call->set_tid_size;
}

QUESTION(has_set_tid)
{
	return call->entry == RAMET_ENTRY_CLONE3 && call->set_tid_size;
}

QUESTION(has_exit_signal)
{
	return call->exit_signal;
}

QUESTION(exit_signal_too_high)
{
	return call->exit_signal > HIGHEST_SIGNAL;
}

QUESTION(low_byte_too_high)
{
	return ((call->flags | call->exit_signal) & CSIGNAL) > HIGHEST_SIGNAL;
}

QUESTION(cgroup_too_high)
{
	return call->cgroup > INT_MAX;
}

QUESTION(newtime_not_yet)
{
	/* Without a known version `until` has kept us from here. */
	for (size_t i = 0; i < sizeof(newtime_fixed) / sizeof(newtime_fixed[0]); i++)
		if (caller->kernel >> 8 == newtime_fixed[i] >> 8)
			return caller->kernel < newtime_fixed[i];
	return true;
}

QUESTION(stack_without_size)
{
	return call->stack && !call->stack_size;
}

QUESTION(size_without_stack)
{
	return !call->stack && call->stack_size;
}

/*
 * The exact end of user space differs between processors and their page table depths. What every
 * one refuses is a range that wraps or ends in the kernel's half. Bit 55 tells the halves apart
 * also on aarch64, where the top byte may be a tag.
 */
QUESTION(stack_in_kernel_space)
{
	uint64_t end = call->stack + call->stack_size;

	return end < call->stack || (end >> 63 && end >> 55 & 1);
}

QUESTION(pidfd_on_parent_tid)
{
	return call->entry == RAMET_ENTRY_CLONE || call->pidfd == call->parent_tid;
}

/* ---- Conditions of the caller; the row's `needs` says that the field is known. ---- */

QUESTION(caller_is_init)
{
	return caller->init;
}

QUESTION(other_pid_for_children)
{
	return caller->pid_for_children;
}

QUESTION(other_time_for_children)
{
	return caller->time_for_children;
}

QUESTION(no_sys_admin)
{
	return !caller->sys_admin;
}

QUESTION(user_namespaces_off)
{
	return caller->no_namespaces & CLONE_NEWUSER;
}

/* Two questions, since the kernel asks for the pid namespace between these and the rest. */
QUESTION(mnt_uts_ipc_off)
{
	return model_flags(call) & caller->no_namespaces &
	       (CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC);
}

QUESTION(pid_cgroup_net_time_off)
{
	return model_flags(call) & caller->no_namespaces &
	       (CLONE_NEWPID | CLONE_NEWCGROUP | CLONE_NEWNET | CLONE_NEWTIME);
}

QUESTION(chrooted)
{
	return caller->chrooted;
}

QUESTION(unmapped)
{
	return caller->unmapped;
}

/* The kernel counts the new task in before it compares. */
QUESTION(nproc_reached)
{
	return caller->nproc >= caller->nproc_limit;
}

QUESTION(is_deadline)
{
	return caller->deadline;
}

QUESTION(tls_too_high)
{
	return caller->tls_limit && call->tls >= caller->tls_limit;
}

/* Whoever makes a user namespace has every capability in it, so also in its pid namespace. */
QUESTION(set_tid_unprivileged)
{
	uint64_t own = CLONE_NEWUSER | CLONE_NEWPID;

	if (!call->set_tid_size || (call->set_tid_size == 1 && (call->flags & own) == own))
		return false;
	return !caller->sys_admin && !caller->checkpoint;
}

QUESTION(cgroup_bad)
{
	return caller->cgroup_error == EBADF;
}

QUESTION(cgroup_removed)
{
	return caller->cgroup_error == ENOENT;
}

QUESTION(cgroup_unwritable)
{
	return caller->cgroup_error == EACCES;
}

/* ---- The table ---- */

#define ASK(...)                                                                                   \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}

#define RULE(ask, ...) {__VA_ARGS__},
static const struct ramet_rule rules[] = {
#include "model/rules.def"
};
#undef RULE

#define RULE(ask, ...) ask,
const struct rule_ask rule_asks[] = {
#include "model/rules.def"
};
#undef RULE

const size_t rule_count = sizeof(rules) / sizeof(rules[0]);

/* ---- Questions to the table ---- */

static bool version_fits(const struct ramet_rule *rule, const struct ramet_caller *caller)
{
	if (!rule->since && !rule->until)
		return true;
	if (!caller || !caller->kernel)
		return false;
	return caller->kernel >= rule->since && (!rule->until || caller->kernel < rule->until);
}

static bool refuses(size_t i, const struct ramet_call *call, const struct ramet_caller *caller)
{
	const struct rule_ask *ask = &rule_asks[i];
	uint64_t flags = model_flags(call);

	if (ask->entry && ask->entry != call->entry)
		return false;
	if ((flags & ask->all) != ask->all || flags & ask->none)
		return false;
	if (ask->any && !(flags & ask->any))
		return false;
	if (!version_fits(&rules[i], caller))
		return false;
	if (ask->needs && (!caller || (caller->known & ask->needs) != ask->needs))
		return false;
	return !ask->when || ask->when(call, caller);
}

/* Would fit any call: the last guess at what the kernel meant. */
static bool fits_any_call(const struct rule_ask *ask)
{
	return !ask->all && !ask->any && !ask->none && !ask->when;
}

const struct ramet_rule *ramet_check(const struct ramet_call *call,
				     const struct ramet_caller *caller)
{
	for (size_t i = 0; i < rule_count; i++)
		if (!rule_asks[i].may && refuses(i, call, caller))
			return &rules[i];
	return NULL;
}

const struct ramet_rule *ramet_check_errno(const struct ramet_call *call,
					   const struct ramet_caller *caller, int error)
{
	const struct ramet_rule *likely = NULL;
	bool vague = false;

	for (size_t i = 0; i < rule_count; i++) {
		const struct rule_ask *ask = &rule_asks[i];

		if (rules[i].error != error || !refuses(i, call, caller))
			continue;
		if (!ask->may)
			return &rules[i];
		/* Of the guesses the first that looks at the call beats those that fit any. */
		if (!likely || (vague && !fits_any_call(ask))) {
			likely = &rules[i];
			vague = fits_any_call(ask);
		}
	}
	return likely;
}

const struct ramet_rule *ramet_rule_at(size_t index)
{
	return index < rule_count ? &rules[index] : NULL;
}
