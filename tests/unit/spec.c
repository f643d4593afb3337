/* SPDX-License-Identifier: MIT */
/*
 * From a spec to flags: each resource with each choice gives the flag that the kernel has for it,
 * or the rule that says why there is none; sizes of specs from older and newer headers.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include <ramet/model.h>

#include "tap.h"
#include "spec/spec.h"

/* What each choice must come to: a flag, NONE (no flag is needed), or refused. */
#define NONE 0
#define NO UINT64_MAX

static const struct {
	enum ramet_resource resource;
	uint64_t share, copy, fresh;
} choices[RAMET_RESOURCE_COUNT] = {
	{RAMET_MEMORY, CLONE_VM, NONE, NO},
	{RAMET_FILES, CLONE_FILES, NONE, NO},
	{RAMET_FS, CLONE_FS, NONE, NO},
	{RAMET_SIGHAND, CLONE_SIGHAND, NONE, CLONE_CLEAR_SIGHAND},
	{RAMET_THREAD_GROUP, CLONE_THREAD, NO, NONE},
	{RAMET_PARENT, CLONE_PARENT, NO, NONE},
	{RAMET_SYSVSEM, CLONE_SYSVSEM, NO, NONE},
	{RAMET_IO, CLONE_IO, NONE, NO},
	{RAMET_TLS, NO, NONE, CLONE_SETTLS},
	{RAMET_MNT, NONE, NO, CLONE_NEWNS},
	{RAMET_PID, NONE, NO, CLONE_NEWPID},
	{RAMET_NET, NONE, NO, CLONE_NEWNET},
	{RAMET_IPC, NONE, NO, CLONE_NEWIPC},
	{RAMET_UTS, NONE, NO, CLONE_NEWUTS},
	{RAMET_USER, NONE, NO, CLONE_NEWUSER},
	{RAMET_CGROUPNS, NONE, NO, CLONE_NEWCGROUP},
	{RAMET_TIME, NONE, NO, CLONE_NEWTIME},
	{RAMET_CGROUP, NONE, NO, CLONE_INTO_CGROUP},
};

static const char *const refusals[] = {
	[RAMET_MODE_SHARE] = "cannot-be-shared",
	[RAMET_MODE_COPY] = "cannot-be-copied",
	[RAMET_MODE_NEW] = "cannot-be-new",
};

static uint64_t wanted(unsigned index, enum ramet_mode mode)
{
	return mode == RAMET_MODE_SHARE	 ? choices[index].share
	       : mode == RAMET_MODE_COPY ? choices[index].copy
					 : choices[index].fresh;
}

static struct ramet_spec choose(uint32_t resource, enum ramet_mode mode)
{
	return RAMET_SPEC(.share = mode == RAMET_MODE_SHARE ? resource : 0,
			  .copy = mode == RAMET_MODE_COPY ? resource : 0,
			  .fresh = mode == RAMET_MODE_NEW ? resource : 0);
}

/* The rule's id, or NULL with the flags. */
static const char *ask(const struct ramet_spec *spec, uint64_t *flags, int *sig)
{
	const struct spec_rule *rule = NULL;
	const int r = spec_flags(spec, RAMET_PRESET_FORK, false, flags, sig, &rule);

	if (r == 0)
		return NULL;
	return rule && r == -rule->error && rule->why && rule->mend ? rule->id : "(half a rule)";
}

static void test_choices(void)
{
	const uint64_t fork = CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;
	/* A thread and a sibling are not the caller's to be told of. */
	const uint64_t childless = CLONE_THREAD | CLONE_PARENT;

	for (unsigned i = 0; i < RAMET_RESOURCE_COUNT; i++) {
		const char *name = ramet_resource_name(choices[i].resource);

		for (int mode = RAMET_MODE_SHARE; mode <= RAMET_MODE_NEW; mode++) {
			const struct ramet_spec spec = choose(choices[i].resource, mode);
			const uint64_t want = wanted(i, mode);
			uint64_t flags = 0;
			int sig = 0;
			const char *rule = ask(&spec, &flags, &sig);

			if (want == NO)
				is_str(rule, refusals[mode], "%s: %s is refused", name,
				       ramet_mode_name(mode));
			else
				ok(!rule && flags == (fork | want) &&
					   sig == (want & childless ? 0 : SIGCHLD),
				   "%s: %s is flags %#llx", name, ramet_mode_name(mode),
				   (unsigned long long)want);
		}
	}
}

/* What a preset shares or makes new can be taken back, and the model sees the same. */
static void test_choices_over_presets(void)
{
	unsigned wrong = 0, made = 0, allowed = 0;

	for (int p = RAMET_PRESET_FORK; p < RAMET_PRESET_COUNT_; p++) {
		for (unsigned i = 0; i < RAMET_RESOURCE_COUNT * 3; i++) {
			const enum ramet_mode mode = RAMET_MODE_SHARE + i % 3;
			struct ramet_spec spec = choose(choices[i / 3].resource, mode);
			struct ramet_call call = {.entry = RAMET_ENTRY_CLONE3};
			int sig;

			allowed += wanted(i / 3, mode) != NO;
			spec.preset = (enum ramet_preset)p;
			if (ask(&spec, &call.flags, &sig))
				continue;
			made++;
			/* In shared memory a thread pointer that is not new is the same one; the
			 * parent is shared by every thread; time stays with the memory. */
			if (choices[i / 3].resource & (RAMET_TLS | RAMET_PARENT | RAMET_TIME))
				continue;
			if (ramet_model_mode(&call, 0, choices[i / 3].resource) != mode) {
				diag("%s, %s %s: flags %#llx", ramet_preset_name(p),
				     ramet_mode_name(mode),
				     ramet_resource_name(choices[i / 3].resource),
				     (unsigned long long)call.flags);
				wrong++;
			}
		}
	}
	is_int(made, allowed, "the same choices are allowed over every preset");
	is_int(wrong, 0, "the model gives the task what was chosen, over every preset");
}

static void test_refusals(void)
{
	static const struct {
		const char *rule;
		struct ramet_spec spec;
	} bad[] = {
		{"choose-once", {.share = RAMET_FS, .copy = RAMET_FS}},
		{"choose-once", {.share = RAMET_PID, .fresh = RAMET_PID}},
		{"choose-once", {.copy = RAMET_SIGHAND, .fresh = RAMET_SIGHAND}},
		{"unknown-resource", {.share = 1u << RAMET_RESOURCE_COUNT}},
		{"unknown-resource", {.copy = 1u << 31}},
		{"unknown-resource", {.fresh = ~0u}},
		{"exit-signal-range", {.exit_signal = 65}},
		{"exit-signal-range", {.exit_signal = -2}},
		{"unknown-preset", {.preset = RAMET_PRESET_COUNT_}},
		{"unknown-preset", {.preset = (enum ramet_preset)1000}},
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uint64_t flags = 42;
		int sig = 43;

		is_str(ask(&bad[i].spec, &flags, &sig), bad[i].rule, "refused: %s", bad[i].rule);
		ok(flags == 42 && sig == 43, "and the results are not written");
	}
}

static void test_signals(void)
{
	static const struct {
		int given, want;
	} signals[] = {{0, SIGUSR2}, {RAMET_NO_SIGNAL, 0}, {1, 1}, {SIGCHLD, SIGCHLD}, {64, 64}};

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		const struct ramet_spec spec = RAMET_SPEC(.preset = RAMET_PRESET_LINUXTHREADS,
							  .exit_signal = signals[i].given);
		uint64_t flags;
		int sig = -1;

		ok(!ask(&spec, &flags, &sig) && sig == signals[i].want,
		   "linuxthreads with exit_signal %d ends with %d", signals[i].given,
		   signals[i].want);
	}
}

static void test_flags_added(void)
{
	const struct ramet_spec spec = RAMET_SPEC(.preset = RAMET_PRESET_VFORK,
						  .copy = RAMET_MEMORY,
						  .flags = CLONE_IO | 1ULL << 63);
	uint64_t flags = 0;
	int sig;

	ok(!ask(&spec, &flags, &sig), "flags are taken as they are, unknown ones too");
	is_int(flags, CLONE_VFORK | CLONE_IO | 1ULL << 63, "over the preset, after the choices");
}

/* A spec as another version of the header lays it out. */
static void test_sizes(void)
{
	struct {
		struct ramet_spec spec;
		unsigned char tail[32];
	} newer;
	struct ramet_spec loaded = {.size = 7};
	const size_t first = offsetof(struct ramet_spec, cgroup) + sizeof(int);

	memset(&newer, 0, sizeof(newer));
	newer.spec = RAMET_SPEC(.timeout_ms = 5, .cgroup = 9);
	is_int(spec_load(&newer.spec, &loaded), 0, "a spec of this header's size is taken");
	ok(loaded.timeout_ms == 5 && loaded.cgroup == 9, "as it is");

	for (size_t size = 0; size < first; size++) {
		newer.spec.size = size;
		if (spec_load(&newer.spec, &loaded) != -EINVAL)
			break;
		if (size == first - 1)
			ok(true, "every size below the first version's is refused");
	}
	newer.spec.size = first;
	is_int(spec_load(&newer.spec, &loaded), 0, "the first version's size is taken");

	newer.spec.size = sizeof(newer.spec) + sizeof(newer.tail);
	is_int(spec_load(&newer.spec, &loaded), 0, "a newer, larger spec with nothing new in it");
	newer.tail[sizeof(newer.tail) - 1] = 1;
	is_int(spec_load(&newer.spec, &loaded), -E2BIG,
	       "one that uses what is not known is refused");
}

int main(void)
{
	test_choices();
	test_choices_over_presets();
	test_refusals();
	test_signals();
	test_flags_added();
	test_sizes();
	return tap_done();
}
