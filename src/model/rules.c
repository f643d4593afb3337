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

#define UNSHARE_FLAGS                                                                              \
	(CLONE_THREAD | CLONE_FS | CLONE_SIGHAND | CLONE_VM | CLONE_FILES | CLONE_SYSVSEM |        \
	 CLONE_NEW_ANY)

/* The longest argument block of clone3, a page, and the shortest, that of 5.3. */
#define CLONE_ARGS_SIZE_MAX 4096

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
	uint64_t flags = call->flags;

	switch (call->entry) {
	case RAMET_ENTRY_CLONE:
		return flags & 0xffffffff & ~CSIGNAL;
	case RAMET_ENTRY_SETNS:
		return flags & 0xffffffff;
	case RAMET_ENTRY_UNSHARE:
		return flags & UNSHARE_EMPTY_MNTNS ? flags | CLONE_NEWNS : flags;
	case RAMET_ENTRY_CLONE3:
		break;
	}
	return flags & CLONE_EMPTY_MNTNS ? flags | CLONE_NEWNS : flags;
}

/* ---- Conditions of the call: struct rule_ask.when, 'does it hold?' ---- */

#define QUESTION(name) static bool name(const struct ramet_call *call)

QUESTION(size_too_large)
{
	return call->size > CLONE_ARGS_SIZE_MAX;
}

QUESTION(size_too_small)
{
	return call->size && call->size < CLONE_ARGS_SIZE_VER0;
}

QUESTION(has_trailing_bytes)
{
	return call->trailing;
}

/*
 * What the kernel has of a field: bytes beyond the block's end count as 0. Every processor that
 * ramet knows stores the low byte first.
 */
static uint64_t within(const struct ramet_call *call, size_t offset, uint64_t value)
{
	if (!call->size || call->size >= offset + sizeof(value))
		return value;
	return call->size > offset ? value & ((1ULL << (call->size - offset) * 8) - 1) : 0;
}

static uint64_t set_tid(const struct ramet_call *call)
{
	return within(call, offsetof(struct clone_args, set_tid), call->set_tid);
}

static uint64_t set_tid_size(const struct ramet_call *call)
{
	return within(call, offsetof(struct clone_args, set_tid_size), call->set_tid_size);
}

QUESTION(set_tid_too_many)
{
	return set_tid_size(call) > MAX_PID_NS_LEVEL;
}

QUESTION(set_tid_missing)
{
	return !set_tid(call) && set_tid_size(call);
}

QUESTION(set_tid_uncounted)
{
	return set_tid(call) && !set_tid_size(call);
}

QUESTION(has_set_tid)
{
	return call->entry == RAMET_ENTRY_CLONE3 && set_tid_size(call);
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
	return call->cgroup > INT_MAX || (call->size && call->size < CLONE_ARGS_SIZE_VER2);
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

/* setns with 0 joins whatever the descriptor names. */
static bool may_join(const struct ramet_call *call, uint64_t types)
{
	uint64_t asked = model_flags(call);

	return !asked || asked & types;
}

QUESTION(may_join_user)
{
	return may_join(call, CLONE_NEWUSER);
}

QUESTION(may_join_mnt)
{
	return may_join(call, CLONE_NEWNS);
}

QUESTION(may_join_uts_ipc_pid)
{
	return may_join(call, CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID);
}

QUESTION(may_join_cgroup_net)
{
	return may_join(call, CLONE_NEWCGROUP | CLONE_NEWNET);
}

QUESTION(may_join_time)
{
	return may_join(call, CLONE_NEWTIME);
}

/* ---- Conditions of the caller; the row's `needs` says that the field is known. ---- */

#define STATE(name)                                                                                \
	static bool name(const struct ramet_call *call __attribute__((unused)),                    \
			 const struct ramet_caller *caller __attribute__((unused)))

STATE(newtime_not_yet)
{
	/* Without a known version `until` has kept us from here. */
	for (size_t i = 0; i < sizeof(newtime_fixed) / sizeof(newtime_fixed[0]); i++)
		if (caller->kernel >> 8 == newtime_fixed[i] >> 8)
			return caller->kernel < newtime_fixed[i];
	return true;
}

STATE(caller_is_init)
{
	return caller->init;
}

STATE(other_pid_for_children)
{
	return caller->pid_for_children;
}

STATE(other_time_for_children)
{
	return caller->time_for_children;
}

STATE(no_sys_admin)
{
	return !caller->sys_admin;
}

STATE(user_namespaces_off)
{
	return caller->no_namespaces & CLONE_NEWUSER;
}

/* Two questions, since the kernel asks for the pid namespace between these and the rest. */
STATE(mnt_uts_ipc_off)
{
	return model_flags(call) & caller->no_namespaces &
	       (CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC);
}

STATE(pid_cgroup_net_time_off)
{
	return model_flags(call) & caller->no_namespaces &
	       (CLONE_NEWPID | CLONE_NEWCGROUP | CLONE_NEWNET | CLONE_NEWTIME);
}

STATE(chrooted)
{
	return caller->chrooted;
}

STATE(unmapped)
{
	return caller->unmapped;
}

/* The kernel counts the new task in before it compares. */
STATE(nproc_reached)
{
	return caller->nproc >= caller->nproc_limit;
}

STATE(is_deadline)
{
	return caller->deadline;
}

STATE(tls_too_high)
{
	return caller->tls_limit && call->tls >= caller->tls_limit;
}

/* Whoever makes a user namespace has every capability in it, so also in its pid namespace. */
STATE(set_tid_unprivileged)
{
	uint64_t own = CLONE_NEWUSER | CLONE_NEWPID;

	if (set_tid_size(call) == 1 && (call->flags & own) == own)
		return false;
	return !caller->sys_admin && !caller->checkpoint;
}

STATE(cgroup_bad)
{
	return caller->cgroup_error == EBADF;
}

STATE(cgroup_removed)
{
	return caller->cgroup_error == ENOENT;
}

STATE(cgroup_unwritable)
{
	return caller->cgroup_error == EACCES;
}

STATE(has_threads)
{
	return caller->threads > 1;
}

STATE(sighand_shared)
{
	return caller->sighand_shared;
}

STATE(memory_shared)
{
	return caller->memory_shared;
}

/* ---- setns: what the descriptor names, and what of that the call would join ---- */

STATE(target_bad)
{
	return caller->target.fd == RAMET_FD_BAD;
}

STATE(target_other)
{
	return caller->target.fd == RAMET_FD_OTHER;
}

STATE(target_type_differs)
{
	uint64_t asked = model_flags(call);

	return caller->target.fd == RAMET_FD_NAMESPACE && asked && asked != caller->target.type;
}

STATE(target_types_missing)
{
	return caller->target.fd == RAMET_FD_PIDFD && !model_flags(call);
}

STATE(target_dead)
{
	return caller->target.dead;
}

STATE(target_closed)
{
	return caller->target.closed;
}

/* Of these types, those that the call would join. */
static uint64_t joined(const struct ramet_call *call, const struct ramet_caller *caller,
		       uint64_t types)
{
	if (caller->target.fd == RAMET_FD_NAMESPACE)
		return caller->target.type & types;
	return model_flags(call) & types;
}

/*
 * The kernel looks at the credentials from before the call throughout, but asks for 'at home' in
 * the user namespace that is joined with the rest. CAP_SYS_ADMIN over that is what let it be joined.
 */
static bool lacks_admin(const struct ramet_call *call, const struct ramet_caller *caller,
			uint64_t types)
{
	uint64_t wanted = joined(call, caller, types);

	if (wanted & caller->target.no_admin)
		return true;
	return wanted && !caller->sys_admin && !joined(call, caller, CLONE_NEWUSER);
}

STATE(joins_own_user)
{
	return joined(call, caller, CLONE_NEWUSER) && caller->target.own_user;
}

STATE(joins_user_among_threads)
{
	return joined(call, caller, CLONE_NEWUSER) && caller->threads > 1;
}

STATE(joins_user_with_fs)
{
	return joined(call, caller, CLONE_NEWUSER) && caller->fs_shared;
}

STATE(join_user_refused)
{
	return joined(call, caller, CLONE_NEWUSER) & caller->target.no_admin;
}

STATE(join_mnt_refused)
{
	if (!joined(call, caller, CLONE_NEWNS))
		return false;
	if (lacks_admin(call, caller, CLONE_NEWNS))
		return true;
	return joined(call, caller, CLONE_NEWUSER) ? caller->target.no_chroot : !caller->sys_chroot;
}

/* With other namespaces the kernel works on a copy, and then changes what is shared after all. */
STATE(joins_mnt_with_fs)
{
	return joined(call, caller, ~0ULL) == CLONE_NEWNS && caller->fs_shared;
}

STATE(join_uts_ipc_pid_refused)
{
	return lacks_admin(call, caller, CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID);
}

STATE(joins_unrelated_pids)
{
	return joined(call, caller, CLONE_NEWPID) && caller->target.unrelated_pids;
}

STATE(join_cgroup_net_refused)
{
	return lacks_admin(call, caller, CLONE_NEWCGROUP | CLONE_NEWNET);
}

STATE(joins_time_with_memory)
{
	int threads = caller->live_threads ? caller->live_threads : caller->threads;

	return joined(call, caller, CLONE_NEWTIME) && (threads > 1 || caller->memory_shared);
}

STATE(join_time_refused)
{
	return lacks_admin(call, caller, CLONE_NEWTIME);
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

/* What the row says of the call; nothing about who makes it. */
static bool fits_call(const struct rule_ask *ask, const struct ramet_call *call)
{
	unsigned entries = ask->entry ? ask->entry : ENTRY_MAKES;
	uint64_t flags = model_flags(call);

	if (!(entries & call->entry))
		return false;
	if ((flags & ask->all) != ask->all || flags & ask->none)
		return false;
	if (ask->any && !(flags & ask->any))
		return false;
	return !ask->when || ask->when(call);
}

bool rule_refuses(size_t i, const struct ramet_call *call, const struct ramet_caller *caller)
{
	const struct rule_ask *ask = &rule_asks[i];

	if (!fits_call(ask, call) || !version_fits(&rules[i], caller))
		return false;
	if (ask->needs && (!caller || (caller->known & ask->needs) != ask->needs))
		return false;
	return !ask->state || ask->state(call, caller);
}

/*
 * How much a guess looks at: one that looks at fields or at the caller is likelier than one that
 * looks at flags, and that likelier than one that would fit any call.
 */
static int sharpness(const struct rule_ask *ask)
{
	if (ask->when || ask->state)
		return 2;
	return ask->all || ask->any || ask->none;
}

const struct ramet_rule *ramet_check(const struct ramet_call *call,
				     const struct ramet_caller *caller)
{
	for (size_t i = 0; i < rule_count; i++)
		if (!rule_asks[i].may && rule_refuses(i, call, caller))
			return &rules[i];
	return NULL;
}

const struct ramet_rule *ramet_check_errno(const struct ramet_call *call,
					   const struct ramet_caller *caller, int error)
{
	const struct ramet_rule *likely = NULL;
	int best = -1;

	for (size_t i = 0; i < rule_count; i++) {
		const struct rule_ask *ask = &rule_asks[i];

		if (rules[i].error != error || !rule_refuses(i, call, caller))
			continue;
		if (!ask->may)
			return &rules[i];
		if (sharpness(ask) > best) {
			likely = &rules[i];
			best = sharpness(ask);
		}
	}
	return likely;
}

/* Without a version, rules of other times may be the reason too. */
static bool version_may_fit(const struct ramet_rule *rule, unsigned kernel)
{
	const struct ramet_caller caller = {.kernel = kernel};

	return !kernel || version_fits(rule, &caller);
}

const struct ramet_rule *ramet_check_next(const struct ramet_call *call, unsigned kernel, int error,
					  size_t *index)
{
	while (*index < rule_count) {
		size_t i = (*index)++;

		if (rules[i].error == error && fits_call(&rule_asks[i], call) &&
		    version_may_fit(&rules[i], kernel))
			return &rules[i];
	}
	return NULL;
}

const struct ramet_rule *ramet_rule_at(size_t index)
{
	return index < rule_count ? &rules[index] : NULL;
}
