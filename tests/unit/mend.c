/* SPDX-License-Identifier: MIT */
/*
 * What ramet_mend() gives: properties over random words of every entry and callers of every kind,
 * and some results word by word.
 */
#include <errno.h>
#include <signal.h>

#include <ramet/model.h>

#include "model/rules.h"
#include "spec/spec.h"
#include "tap.h"
#include "uapi/clone.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define WORDS 20000
#define ROOM 6
#define KNOWN 0x3fffffff80ULL

static const char *id_of(const struct ramet_rule *rule)
{
	return rule ? rule->id : NULL;
}

/* ---- Properties ---- */

static uint64_t random_flags(uint64_t mask)
{
	uint64_t flags = tap_random() & mask;

	for (uint64_t thin = tap_below(4); thin; thin--)
		flags &= tap_random();
	return flags;
}

static struct ramet_call random_call(void)
{
	const enum ramet_entry entries[] = {RAMET_ENTRY_CLONE, RAMET_ENTRY_CLONE3,
					    RAMET_ENTRY_UNSHARE, RAMET_ENTRY_SETNS};
	struct ramet_call call = {
		.entry = entries[tap_below(LENGTH(entries))],
		.flags = random_flags(tap_below(8) ? KNOWN : ~0ULL),
		.pidfd = 8,
		.parent_tid = 16,
	};

	if (call.entry == RAMET_ENTRY_CLONE || call.entry == RAMET_ENTRY_CLONE3)
		call.exit_signal = tap_random() & 1 ? SIGCHLD : 0;
	return call;
}

static struct ramet_caller random_caller(void)
{
	struct ramet_caller caller = {
		.known = (uint32_t)tap_random() & 0x3fff,
		.kernel = tap_random() & 1 ? KERNEL(7, 1) : KERNEL(6, 18),
		.sys_admin = tap_random() & 1,
		.sys_chroot = tap_random() & 1,
		.threads = 1 + (int)tap_below(2),
		.chrooted = !tap_below(4),
		.unmapped = !tap_below(4),
		.pid_for_children = !tap_below(4),
		.time_for_children = !tap_below(4),
		.init = !tap_below(4),
		.memory_shared = !tap_below(4),
		.sighand_shared = !tap_below(4),
		.fs_shared = !tap_below(4),
		.no_namespaces = random_flags(CLONE_NEW_ANY) & tap_random(),
		.nproc_limit = ~0ULL,
		.target = {.fd = RAMET_FD_PIDFD,
			   .own_user = tap_random() & 1,
			   .unrelated_pids = tap_random() & 1,
			   .no_admin = random_flags(CLONE_NEW_ANY)},
	};

	return caller;
}

static struct {
	unsigned refused, mended, by_flags, by_flags_mended;
	unsigned bad, same, twice, accepted_mended;
	unsigned silent[128]; /* refusals without a mend, by rule */
	struct ramet_call sample[128];
} seen;

static bool is_same(const struct ramet_call *a, const struct ramet_call *b)
{
	return !memcmp(a, b, sizeof(*a));
}

static void try_mend(const struct ramet_call *call, const struct ramet_caller *caller)
{
	const struct ramet_rule *rule = ramet_check(call, caller);
	struct ramet_call mends[ROOM];
	int n = ramet_mend(call, caller, mends, ROOM);

	if (!rule) {
		seen.accepted_mended += n != 0;
		return;
	}
	seen.refused++;
	seen.mended += n > 0;
	seen.by_flags += !caller;
	seen.by_flags_mended += !caller && n > 0;
	if (n <= 0) {
		seen.silent[rule - ramet_rule_at(0)]++;
		seen.sample[rule - ramet_rule_at(0)] = *call;
	}
	for (int i = 0; i < n; i++) {
		if (ramet_check(&mends[i], caller) && seen.bad++ < 4)
			diag("0x%jx to 0x%jx: %s still", (uintmax_t)call->flags,
			     (uintmax_t)mends[i].flags, id_of(ramet_check(&mends[i], caller)));
		seen.same += is_same(&mends[i], call);
		for (int j = 0; j < i; j++)
			seen.twice += is_same(&mends[i], &mends[j]);
	}
}

static void test_properties(void)
{
	char text[512];

	for (int i = 0; i < WORDS; i++) {
		const struct ramet_call call = random_call();
		const struct ramet_caller caller = random_caller();

		try_mend(&call, NULL);
		try_mend(&call, &caller);
	}
	is_int(seen.bad, 0, "no rule refuses a mended call");
	is_int(seen.same, 0, "a mended call differs from the refused one");
	is_int(seen.twice, 0, "no mend twice");
	is_int(seen.accepted_mended, 0, "what no rule refuses has no mend");
	ok(seen.refused > WORDS / 4, "enough calls were refused");
	is_int(seen.by_flags_mended, seen.by_flags, "every refusal by flags alone has a mend");
	diag("%u refused, %u of them mended", seen.refused, seen.mended);
	for (size_t i = 0; ramet_rule_at(i); i++)
		if (seen.silent[i]) {
			if (ramet_flags_format(seen.sample[i].flags, text, sizeof(text)) < 0)
				text[0] = '\0';
			diag("without: %u of %s, as %d %s", seen.silent[i], ramet_rule_at(i)->id,
			     seen.sample[i].entry, text);
		}
}

/* ---- Word by word ---- */

#define CALL(entry_, flags_, ...)                                                                  \
	{                                                                                          \
		.entry = RAMET_ENTRY_##entry_, .flags = (flags_), __VA_ARGS__                      \
	}

static const struct {
	struct ramet_call call, first;
} firsts[] = {
	{CALL(CLONE3, CLONE_SIGHAND), CALL(CLONE3, 0)},
	{CALL(CLONE3, CLONE_DETACHED | CLONE_VM), CALL(CLONE3, CLONE_VM)},
	{CALL(CLONE3, SIGCHLD), CALL(CLONE3, 0, .exit_signal = SIGCHLD)},
	{CALL(CLONE3, 0, .exit_signal = 99), CALL(CLONE3, 0)},
	{CALL(CLONE3, 0, .set_tid_size = 1), CALL(CLONE3, 0)},
	{CALL(CLONE3, CLONE_VM, .stack = 4096), CALL(CLONE3, CLONE_VM)},
	{CALL(CLONE3, 0, .size = 8), CALL(CLONE3, 0)},
	{CALL(CLONE3, 0, .size = 200, .trailing = 1), CALL(CLONE3, 0)},
	{CALL(UNSHARE, CLONE_IO | CLONE_FS), CALL(UNSHARE, CLONE_FS)},
	{CALL(SETNS, CLONE_NEWUTS | CLONE_FS), CALL(SETNS, CLONE_NEWUTS)},
};

static void test_firsts(void)
{
	for (size_t i = 0; i < LENGTH(firsts); i++) {
		struct ramet_call mends[ROOM];
		int n = ramet_mend(&firsts[i].call, NULL, mends, ROOM);
		bool found = false;

		for (int j = 0; j < n; j++)
			found |= is_same(&mends[j], &firsts[i].first);
		if (!ok(found, "0x%jx: a mend that one would think of",
			(uintmax_t)firsts[i].call.flags))
			for (int j = 0; j < n; j++)
				diag("0x%jx signal %ju", (uintmax_t)mends[j].flags,
				     (uintmax_t)mends[j].exit_signal);
	}
}

static void test_room(void)
{
	const struct ramet_call call = CALL(CLONE3, CLONE_SIGHAND);
	struct ramet_call mends[2] = {{.flags = 1}, {.flags = 1}};

	is_int(ramet_mend(&call, NULL, mends, 0), 0, "no room, no mend");
	is_int(mends[0].flags, 1, "and nothing written");
	is_int(ramet_mend(&call, NULL, mends, 1), 1, "as many as there is room for");
	is_int(mends[1].flags, 1, "and not more");
}

int main(void)
{
	tap_seed();
	test_properties();
	test_firsts();
	test_room();
	return tap_done();
}
