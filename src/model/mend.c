/* SPDX-License-Identifier: MIT */
/*
 * Owns the question 'what would the kernel accept instead?'. The rule that refuses says by its
 * own masks what can be changed: flags that it wants together or not together. Each change that
 * gets past it is tried on, until no rule refuses; the fewest changes come first. A word that
 * breaks more rules than can be searched through loses flag after flag instead.
 */
#include "model/rules.h"

#include <signal.h>

#include "uapi/clone.h"

/* Enough for what somebody may have meant; words beyond that are cut down. */
#define NODES 192
#define DEEPEST 5

struct node {
	struct ramet_call call;
	int depth;
};

struct search {
	const struct ramet_caller *caller;
	size_t count;
	struct node nodes[NODES];
};

static bool is_same(const struct ramet_call *a, const struct ramet_call *b)
{
	return a->entry == b->entry && a->flags == b->flags && a->exit_signal == b->exit_signal &&
	       a->set_tid == b->set_tid && a->set_tid_size == b->set_tid_size &&
	       a->stack == b->stack && a->stack_size == b->stack_size && a->size == b->size &&
	       a->trailing == b->trailing;
}

/* Keep the changed call if the rule that refused it before no longer does. */
static void try_change(struct search *s, size_t rule, int depth, const struct ramet_call *call)
{
	if (s->count == NODES || rule_refuses(rule, call, s->caller))
		return;
	for (size_t i = 0; i < s->count; i++)
		if (is_same(&s->nodes[i].call, call))
			return;
	s->nodes[s->count++] = (struct node){*call, depth};
}

/* Changes of clone3's fields other than flags; those that do not help are not kept. */
static void change_fields(struct search *s, size_t rule, const struct node *from)
{
	struct ramet_call call = from->call;

	call.exit_signal = 0;
	try_change(s, rule, from->depth + 1, &call);
	call.exit_signal = SIGCHLD;
	try_change(s, rule, from->depth + 1, &call);

	call = from->call;
	call.exit_signal = call.flags & (CSIGNAL & ~CLONE_NEWTIME);
	call.flags &= ~(CSIGNAL & ~CLONE_NEWTIME);
	try_change(s, rule, from->depth + 1, &call);

	call = from->call;
	call.set_tid = call.set_tid_size = 0;
	try_change(s, rule, from->depth + 1, &call);

	call = from->call;
	call.size = call.trailing = 0;
	try_change(s, rule, from->depth + 1, &call);

	call = from->call;
	call.stack = call.stack_size = 0;
	try_change(s, rule, from->depth + 1, &call);
}

/* clone(2) has the exit signal in its flags. */
static void change_signal(struct search *s, size_t rule, const struct node *from)
{
	struct ramet_call call = from->call;

	call.flags &= ~CSIGNAL;
	call.exit_signal = SIGCHLD;
	try_change(s, rule, from->depth + 1, &call);
}

/* setns: fewer types, or whatever the descriptor names. Its rules look at types in `when`. */
static void change_types(struct search *s, size_t rule, const struct node *from)
{
	struct ramet_call call = from->call;

	for (uint64_t types = CLONE_NEW_ANY; types; types &= types - 1) {
		call.flags = from->call.flags & ~(types & -types);
		if (call.flags)
			try_change(s, rule, from->depth + 1, &call);
	}
	call.flags = 0;
	try_change(s, rule, from->depth + 1, &call);
}

/* Without CLONE_NEWNS means also without what stands for it. */
static uint64_t without(const struct ramet_call *call, uint64_t flags)
{
	if (flags & CLONE_NEWNS && call->entry == RAMET_ENTRY_CLONE3)
		flags |= CLONE_EMPTY_MNTNS;
	if (flags & CLONE_NEWNS && call->entry == RAMET_ENTRY_UNSHARE)
		flags |= UNSHARE_EMPTY_MNTNS;
	return call->flags & ~flags;
}

static void change_flags(struct search *s, size_t rule, const struct node *from)
{
	const struct rule_ask *ask = &rule_asks[rule];
	struct ramet_call call = from->call;

	for (unsigned bit = 0; bit < 64; bit++) {
		uint64_t flag = 1ULL << bit;

		if (ask->none & flag)
			call.flags = from->call.flags | flag;
		else if (ask->all & flag)
			call.flags = without(&from->call, flag);
		else
			continue;
		try_change(s, rule, from->depth + 1, &call);
	}
	call.flags = without(&from->call, ask->any);
	try_change(s, rule, from->depth + 1, &call);
}

/* Every single change that gets past the rule, appended to the nodes. */
static void change(struct search *s, size_t rule, const struct node *from)
{
	change_flags(s, rule, from);
	switch (from->call.entry) {
	case RAMET_ENTRY_CLONE:
		change_signal(s, rule, from);
		break;
	case RAMET_ENTRY_CLONE3:
		change_fields(s, rule, from);
		break;
	case RAMET_ENTRY_SETNS:
		change_types(s, rule, from);
		break;
	case RAMET_ENTRY_UNSHARE:
		break;
	}
}

static bool find_refusal(const struct ramet_call *call, const struct ramet_caller *caller,
			 size_t *ret)
{
	for (size_t i = 0; i < rule_count; i++)
		if (!rule_asks[i].may && rule_refuses(i, call, caller)) {
			*ret = i;
			return true;
		}
	return false;
}

/*
 * Of the changes at each step the one that leaves the fewest flags, so that it comes to an end.
 * True if it ends with a call that no rule refuses.
 */
static bool cut_down(struct search *s, struct ramet_call *call)
{
	size_t rule;

	while (find_refusal(call, s->caller, &rule)) {
		const struct node from = {*call, 0};
		size_t best = 1;

		s->nodes[0] = from;
		s->count = 1;
		change(s, rule, &from);
		if (s->count == 1)
			return false;
		for (size_t i = 2; i < s->count; i++)
			if (__builtin_popcountll(s->nodes[i].call.flags) <
			    __builtin_popcountll(s->nodes[best].call.flags))
				best = i;
		*call = s->nodes[best].call;
	}
	return true;
}

int ramet_mend(const struct ramet_call *call, const struct ramet_caller *caller,
	       struct ramet_call *ret, size_t size)
{
	struct search s = {.caller = caller, .count = 1, .nodes = {{*call, 0}}};
	struct ramet_call rest = *call;
	size_t found = 0, rule;

	if (!find_refusal(call, caller, &rule))
		return 0;
	for (size_t i = 0; i < s.count && found < size; i++) {
		const struct node from = s.nodes[i];

		if (!find_refusal(&from.call, caller, &rule))
			ret[found++] = from.call;
		else if (from.depth < DEEPEST)
			change(&s, rule, &from);
	}
	if (!found && size && cut_down(&s, &rest))
		ret[found++] = rest;
	return (int)found;
}
