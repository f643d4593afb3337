/* SPDX-License-Identifier: MIT */
/*
 * Owns 'needs' and 'excludes' of the map. A rule's masks propose a pair of flags, and the rule must
 * then refuse (or stop refusing) a call made of nothing else: so conditions that masks do not show
 * are seen too, such as the one pointer that clone(2) has for pidfd and tid.
 */
#include "explain/relations.h"

#include <signal.h>
#include <string.h>

#include "explain/explain.h"
#include "model/rules.h"
#include "uapi/clone.h"

/* What a flag stands for: itself, and what the kernel adds to it. */
static uint64_t meaning(uint64_t flag)
{
	const struct ramet_call call = {.entry = RAMET_ENTRY_CLONE3, .flags = flag};

	return model_flags(&call);
}

static bool is_single(uint64_t flags)
{
	return flags && !(flags & (flags - 1));
}

static bool is_legal(enum ramet_entry entry, uint64_t flag)
{
	const struct flag_fact *fact = explain_flag((unsigned)__builtin_ctzll(flag));

	return fact->name && strchr(fact->entries, entry == RAMET_ENTRY_CLONE ? 'L' : '3');
}

static unsigned legal_entries(uint64_t flag)
{
	return (is_legal(RAMET_ENTRY_CLONE, flag) ? RAMET_ENTRY_CLONE : 0) |
	       (is_legal(RAMET_ENTRY_CLONE3, flag) ? RAMET_ENTRY_CLONE3 : 0);
}

/* A caller without capabilities, on a kernel that has the rule. */
static bool refuses(size_t rule, enum ramet_entry entry, uint64_t flags, int exit_signal)
{
	const struct ramet_rule *row = ramet_rule_at(rule);
	const struct ramet_caller caller = {
		.known = RAMET_KNOWN_CAPS,
		.kernel = row->until ? row->until - 1 : row->since,
	};
	const struct ramet_call call = {
		.entry = entry,
		.flags = flags,
		.exit_signal = (uint64_t)exit_signal,
		.pidfd = 0x1000,
		.parent_tid = 0x2000,
		.child_tid = 0x3000,
	};

	return rule_refuses(rule, &call, &caller);
}

/* The rest of a caller's state is not a matter of flags. */
static bool is_about_flags(const struct rule_ask *ask)
{
	return !ask->may && (ask->needs == RAMET_KNOWN_CAPS || (!ask->needs && !ask->state));
}

static void keep(struct relation ret[RELATIONS], size_t *count, const struct relation *found)
{
	if (found->calls && *count < RELATIONS)
		ret[(*count)++] = *found;
}

/* ---- Needs ---- */

size_t relation_needs(uint64_t flag, struct relation ret[RELATIONS])
{
	const uint64_t own = meaning(flag);
	size_t count = 0;

	for (size_t i = 0; i < rule_count; i++) {
		const struct rule_ask *ask = &rule_asks[i];
		struct relation found = {.rule = ramet_rule_at(i), .other = ask->none};

		if (!is_about_flags(ask) || !is_single(ask->none) || (ask->all & own) != ask->all)
			continue;
		for (unsigned entry = RAMET_ENTRY_CLONE; entry <= RAMET_ENTRY_CLONE3; entry <<= 1)
			if (is_legal(entry, flag) && refuses(i, entry, own, 0) &&
			    !refuses(i, entry, own | found.other, 0))
				found.calls |= entry;
		found.everywhere = found.calls == legal_entries(flag);
		found.privilege = ask->needs == RAMET_KNOWN_CAPS;
		keep(ret, &count, &found);
	}
	return count;
}

/* ---- Excludes ---- */

static void try_pair(size_t rule, uint64_t flag, uint64_t other, struct relation ret[RELATIONS],
		     size_t *count)
{
	const uint64_t own = meaning(flag);
	struct relation found = {.rule = ramet_rule_at(rule), .other = other};

	for (unsigned entry = RAMET_ENTRY_CLONE; entry <= RAMET_ENTRY_CLONE3; entry <<= 1)
		if (is_legal(entry, flag) && is_legal(entry, other) &&
		    refuses(rule, entry, own | other, 0) && !refuses(rule, entry, own, 0))
			found.calls |= entry;
	found.everywhere = found.calls == legal_entries(flag);
	keep(ret, count, &found);
}

static void try_signal(size_t rule, uint64_t flag, struct relation ret[RELATIONS], size_t *count)
{
	const uint64_t own = meaning(flag);
	struct relation found = {.rule = ramet_rule_at(rule)};

	for (unsigned entry = RAMET_ENTRY_CLONE; entry <= RAMET_ENTRY_CLONE3; entry <<= 1)
		if (is_legal(entry, flag) && refuses(rule, entry, own, SIGCHLD) &&
		    !refuses(rule, entry, own, 0))
			found.calls |= entry;
	found.everywhere = found.calls == legal_entries(flag);
	keep(ret, count, &found);
}

size_t relation_excludes(uint64_t flag, struct relation ret[RELATIONS])
{
	const uint64_t own = meaning(flag);
	size_t count = 0;

	for (size_t i = 0; i < rule_count; i++) {
		const struct rule_ask *ask = &rule_asks[i];
		uint64_t rest = ask->all & ~own;

		if (!is_about_flags(ask) || ask->none || !((ask->all | ask->any) & own))
			continue;
		if (is_single(rest))
			try_pair(i, flag, rest, ret, &count);
		for (unsigned bit = 0; !rest && ask->all && bit < 64; bit++)
			if (ask->any & ~own & 1ULL << bit)
				try_pair(i, flag, 1ULL << bit, ret, &count);
		if (!rest && ask->all)
			try_signal(i, flag, ret, &count);
	}
	return count;
}
