/* SPDX-License-Identifier: MIT */
/*
 * The words: every name is there once, is a word that the parser takes, and leads back to what it
 * names; outside the tables there is none.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <strings.h>

#include "tap.h"
#include "child/child.h"
#include "spec/spec.h"

#define NAMES_MAX 80

/* A list of names, checked as one. */
struct names {
	const char *of;
	const char *name[NAMES_MAX];
	unsigned count;
};

static void add(struct names *names, const char *name)
{
	if (names->count < NAMES_MAX)
		names->name[names->count++] = name;
}

/* Small letters, digits and inner dashes. */
static bool is_word(const char *name)
{
	const size_t n = name ? strlen(name) : 0;

	return n && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == n && name[0] != '-' &&
	       name[n - 1] != '-';
}

static void check_names(const struct names *names)
{
	const char *bad = NULL, *twice = NULL;

	for (unsigned i = 0; i < names->count; i++) {
		if (!is_word(names->name[i]))
			bad = names->name[i] ? names->name[i] : "(null)";
		for (unsigned j = 0; j < i && names->name[i]; j++)
			if (names->name[j] && !strcasecmp(names->name[i], names->name[j]))
				twice = names->name[i];
	}
	is_str(bad, NULL, "each of the %u %s has a name of small letters", names->count, names->of);
	is_str(twice, NULL, "no two %s have the same name", names->of);
}

static void test_resources(void)
{
	struct names names = {.of = "resources"};
	unsigned wrong = 0;
	uint32_t mask;

	for (unsigned i = 0; i < RAMET_RESOURCE_COUNT; i++) {
		const struct resource_row *row = resource_row(i);

		add(&names, ramet_resource_name((enum ramet_resource)(1u << i)));
		wrong += row->bit != (enum ramet_resource)(1u << i);
		wrong += ramet_resources_parse(row->name, &mask, NULL) || mask != 1u << i;
	}
	check_names(&names);
	is_int(wrong, 0, "each resource's name is read back as that resource");
	ok(!resource_row(RAMET_RESOURCE_COUNT), "there is no row past the last resource");
	ok(!ramet_resource_name(0), "no resource has no name");
	ok(!ramet_resource_name((enum ramet_resource)3), "two resources have no name");
	for (unsigned i = RAMET_RESOURCE_COUNT; i < 32; i++)
		wrong += !!ramet_resource_name((enum ramet_resource)(1u << i));
	is_int(wrong, 0, "bits beyond the resources have no name");
}

static void test_presets(void)
{
	struct names names = {.of = "presets"};
	enum ramet_preset preset = RAMET_PRESET_VFORK;
	unsigned wrong = 0;

	for (int i = RAMET_PRESET_FORK; i < RAMET_PRESET_COUNT_; i++) {
		const char *name = ramet_preset_name((enum ramet_preset)i);

		add(&names, name);
		wrong += !name || ramet_preset_parse(name, &preset) || (int)preset != i;
	}
	check_names(&names);
	is_int(wrong, 0, "each preset's name is read back as that preset");
	preset = RAMET_PRESET_VFORK;
	is_int(ramet_preset_parse("forks", &preset), -EINVAL, "'forks' is no preset");
	is_int(ramet_preset_parse("", &preset), -EINVAL, "the empty word is no preset");
	is_int(preset, RAMET_PRESET_VFORK, "the result is not written on failure");
	ok(!ramet_preset_name(RAMET_PRESET_COUNT_), "there is no preset past the last");
	ok(!ramet_preset_name((enum ramet_preset) - 1), "there is no preset below the first");
}

/* What design and man pages promise of each, flag by flag. */
static void test_preset_flags(void)
{
	static const struct {
		const char *name;
		int privileged;
		uint64_t flags;
		int exit_signal;
	} want[] = {
		{"fork", 0, 0x01200000, SIGCHLD},      {"vfork", 0, 0x4100, SIGCHLD},
		{"spawn", 0, 0x100005100, SIGCHLD},    {"nptl", 0, 0x3d0f00, 0},
		{"linuxthreads", 0, 0xf00, SIGUSR2},   {"container", 1, 0x6e020000, SIGCHLD},
		{"container", 0, 0x7e020000, SIGCHLD},
	};
	enum ramet_preset preset;
	uint64_t flags = 42;
	int sig = 43;

	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		if (!is_int(ramet_preset_parse(want[i].name, &preset), 0, "preset %s",
			    want[i].name) ||
		    ramet_preset_flags(preset, want[i].privileged, &flags, &sig) < 0)
			continue;
		is_int(flags, want[i].flags, "flags of %s, privileged %d", want[i].name,
		       want[i].privileged);
		is_int(sig, want[i].exit_signal, "exit signal of %s", want[i].name);
	}
	flags = 42;
	sig = 43;
	is_int(ramet_preset_flags(RAMET_PRESET_COUNT_, 0, &flags, &sig), -EINVAL,
	       "a preset that does not exist has no flags");
	is_int(ramet_preset_flags(RAMET_PRESET_DEFAULT, 0, &flags, &sig), -EINVAL,
	       "the default is no preset of its own");
	ok(flags == 42 && sig == 43, "the results are not written on failure");
}

static void test_steps_modes_ways(void)
{
	struct names steps = {.of = "steps"}, modes = {.of = "modes"}, ways = {.of = "ways"};

	for (uint32_t i = RAMET_STEP_END + 1; i < RAMET_STEP_COUNT_; i++)
		add(&steps, ramet_step_name(i));
	check_names(&steps);
	ok(!ramet_step_name(RAMET_STEP_END), "the end of the steps has no name");
	ok(!ramet_step_name(RAMET_STEP_COUNT_), "there is no step past the last");
	ok(!ramet_step_name(UINT32_MAX), "nor far past it");

	for (int i = RAMET_MODE_SHARE; i <= RAMET_MODE_NEW; i++)
		add(&modes, ramet_mode_name((enum ramet_mode)i));
	check_names(&modes);
	ok(!ramet_mode_name(0) && !ramet_mode_name((enum ramet_mode)4), "no other mode has a name");

	for (int i = RAMET_WAY_ANY; i <= RAMET_WAY_HELPER; i++)
		add(&ways, ramet_way_name((enum ramet_way)i));
	check_names(&ways);
	ok(!ramet_way_name((enum ramet_way)(RAMET_WAY_HELPER + 1)), "no other way has a name");
}

/* Every row of kinds.def is whole: the loop calls run, the plan sorts by rank. */
static void test_kinds(void)
{
	unsigned wrong = 0, rows = 0;

	for (uint32_t i = RAMET_STEP_END + 1; i < RAMET_STEP_COUNT_; i++) {
		const struct step_kind *row = step_kind(i);

		if (!row) {
			diag("kind %u has no row in kinds.def", i);
			wrong++;
			continue;
		}
		rows++;
		if (!row->text || !row->rank || (row->side == STEP_SIDE_CHILD) != !!row->run) {
			diag("kind %u, %s: row is not whole", i, row->name);
			wrong++;
		}
	}
	is_int(wrong, 0, "each enumerator has its whole row in kinds.def");
	is_int(rows, RAMET_STEP_COUNT_ - 1, "and there are no more rows than enumerators");
}

static void test_signals(void)
{
	/* The C library's names, by which nobody should be surprised. */
	static const struct {
		const char *text;
		int sig;
	} words[] = {
		{"SIGUSR1", SIGUSR1},
		{"usr1", SIGUSR1},
		{"SigUsr1", SIGUSR1},
		{"10", 10},
		{"1", 1},
		{"64", 64},
		{"SIGCLD", SIGCHLD},
		{"cld", SIGCHLD},
		{"SIGPOLL", SIGIO},
		{"IOT", SIGABRT},
		{"SIGRT_2", 34},
		{"rt_0", 32},
		{"SIGRTMIN", 34},
		{"RTMIN+2", 36},
		{"SIGRTMIN+30", 64},
		{"SIGRTMAX", 64},
		{"RTMAX-3", 61},
		{"SIGRTMAX-30", 34},
		{"0", -EINVAL},
		{"65", -EINVAL},
		{"-1", -EINVAL},
		{"", -EINVAL},
		{"SIG", -EINVAL},
		{"SIG10", -EINVAL},
		{"010x", -EINVAL},
		{"0xa", -EINVAL},
		{"USR1 ", -EINVAL},
		{" USR1", -EINVAL},
		{"RTMIN+31", -EINVAL},
		{"RTMIN+", -EINVAL},
		{"RTMIN-1", -EINVAL},
		{"RT_33", -EINVAL},
		{"RTMAX+1", -EINVAL},
		{"99999999999", -EINVAL},
		{"SIGSIGHUP", -EINVAL},
	};
	struct names names = {.of = "signals"};
	unsigned wrong = 0;

	for (int sig = 1; sig <= 64; sig++) {
		const char *name = ramet_signal_name(sig);
		char number[8];

		snprintf(number, sizeof(number), "%d", sig);
		wrong += !name || strncmp(name, "SIG", 3) || ramet_signal_parse(name) != sig ||
			 ramet_signal_parse(name + 3) != sig || ramet_signal_parse(number) != sig;
		for (unsigned i = 0; i < names.count; i++)
			wrong += name && !strcmp(names.name[i], name);
		add(&names, name);
	}
	is_int(wrong, 0, "each signal has one name, which is read back, with SIG and without");
	ok(!ramet_signal_name(0) && !ramet_signal_name(65) && !ramet_signal_name(-1),
	   "no other signal has a name");
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		is_int(ramet_signal_parse(words[i].text), words[i].sig, "signal '%s'",
		       words[i].text);
}

static void test_errnos(void)
{
	is_str(errno_name(EINVAL), "EINVAL", "EINVAL's name");
	is_str(errno_name(EUSERS), "EUSERS", "EUSERS' name");
	is_str(errno_name(0), "errno", "0 is no error");
	is_str(errno_name(-EINVAL), "errno", "a negative number is no errno");
	is_str(errno_name(100000), "errno", "nor is a large one");
}

int main(void)
{
	test_resources();
	test_presets();
	test_preset_flags();
	test_steps_modes_ways();
	test_kinds();
	test_signals();
	test_errnos();
	return tap_done();
}
