/* SPDX-License-Identifier: MIT */
/*
 * Flags and resources as text and back: every flag alone, every pair, every preset, every set of
 * resources; the spellings in use; and where a text is wrong, which word.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "tap.h"
#include "spec/spec.h"

/* Longest: all 31 names and the unknown rest. */
#define TEXT_MAX 1024

/* format, then parse, gives the same; and a buffer cut short is cut cleanly. */
static bool survives(uint64_t flags)
{
	char text[TEXT_MAX], cut[TEXT_MAX];
	const int n = ramet_flags_format(flags, text, sizeof(text));
	const int room = n / 2;
	uint64_t back = ~flags;
	int sig = 99;

	if (n <= 0 || n >= TEXT_MAX || (int)strlen(text) != n)
		return false;
	if (ramet_flags_parse(text, &back, &sig, NULL) || back != flags || sig)
		return false;
	memset(cut, 'x', sizeof(cut));
	return ramet_flags_format(flags, NULL, 0) == n &&
	       ramet_flags_format(flags, cut, (size_t)room) == n &&
	       (!room || (!strncmp(cut, text, (size_t)room - 1) && !cut[room - 1])) &&
	       cut[room] == 'x';
}

/* A flag as people write it: name with and without CLONE_, in any case. */
static bool spellings_agree(unsigned bit)
{
	const char *name = flag_name(bit);
	char text[64];
	uint64_t flags;
	int sig;

	if (!name)
		return true;
	for (int form = 0; form < 4; form++) {
		snprintf(text, sizeof(text), "%s%s", form & 1 ? "clone_" : "", name);
		for (char *c = text; form & 2 && *c; c++)
			if (*c >= 'A' && *c <= 'Z')
				*c += 'a' - 'A';
		if (ramet_flags_parse(text, &flags, &sig, NULL) || flags != 1ULL << bit || sig)
			return false;
	}
	return true;
}

static void test_every_flag(void)
{
	unsigned wrong = 0, named = 0;

	/* Bits 0 to 6 are clone(2)'s exit signal and so no flags as a number below 2^32. */
	for (unsigned a = 7; a < 64; a++) {
		named += !!flag_name(a);
		if (a == 7 || flag_name(a) || a >= 32)
			wrong += !survives(1ULL << a) || !spellings_agree(a);
		for (unsigned b = a + 1; b < 64; b++)
			wrong += !survives(1ULL << a | 1ULL << b);
	}
	is_int(named, 31, "flags with a name");
	is_int(wrong, 0, "every flag and every pair of bits 7 to 63 is read back as written");
	for (int i = RAMET_PRESET_FORK; i < RAMET_PRESET_COUNT_; i++) {
		uint64_t flags = 0;
		int sig;

		if (ramet_preset_flags((enum ramet_preset)i, 0, &flags, &sig) == 0)
			ok(survives(flags), "flags of preset %s are read back as written",
			   ramet_preset_name((enum ramet_preset)i));
	}
	for (int i = 0; i < 20000; i++) {
		const uint64_t flags = tap_random() & ~0x7fULL & (i & 1 ? ~0ULL : tap_random());

		wrong += !survives(flags);
	}
	is_int(wrong, 0, "so are 20000 random words");
}

static void test_spellings(void)
{
	static const struct {
		const char *text;
		uint64_t flags;
		int sig;
	} good[] = {
		{"CLONE_VM|CLONE_FILES|SIGCHLD", 0x500, SIGCHLD},
		{"vm|files", 0x500, 0},
		{"VM, FILES", 0x500, 0},
		{"vm files", 0x500, 0},
		{"vm,files", 0x500, 0},
		{" vm\t|\n files ", 0x500, 0},
		{"0x4111", 0x4100, 0x11},
		{"4001536", 0x3d0f00, 0},
		{"0411", 0x100, 9},
		{"0", 0, 0},
		{"17", 0, 17},
		{"SIGCHLD", 0, SIGCHLD},
		{"sigusr1|vm", 0x100, SIGUSR1},
		{"SIGRT_2|VM", 0x100, 34},
		{"0x4111|files", 0x4500, 0x11},
		{"0x4111|SIGCHLD", 0x4100, 0x11},
		{"0x100000000", 0x100000000, 0},
		{"0x100000011", 0x100000011, 0},
		{"NEWTIME", 0x80, 0},
		{"vm|vm", 0x100, 0},
	};
	/* And at which character the first bad word begins. */
	static const struct {
		const char *text;
		size_t at;
	} bad[] = {
		{"", 0},
		{"  ", 2},
		{"vmm", 0},
		{"vm|filez", 3},
		{"vm | filez", 5},
		{"filez|vm", 0},
		{"vm|SIGFOO", 3},
		{"vm|0x", 3},
		{"vm|08", 3},
		{"vm|0x10000000000000000", 3},
		{"vm|99999999999999999999", 3},
		{"vm|SIGCHLD|SIGUSR1", 11},
		{"CLONE_", 0},
		{"vm|0123456789012345678901234567890123456789", 3},
	};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		uint64_t flags = 1;
		int sig = -1;

		is_int(ramet_flags_parse(good[i].text, &flags, &sig, NULL), 0, "'%s' is read",
		       good[i].text);
		ok(flags == good[i].flags && sig == good[i].sig, "as %#llx, signal %d",
		   (unsigned long long)good[i].flags, good[i].sig);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uint64_t flags = 42;
		int sig = 43;
		size_t at = 999;

		is_int(ramet_flags_parse(bad[i].text, &flags, &sig, &at), -EINVAL,
		       "'%s' is refused", bad[i].text);
		is_int(at, bad[i].at, "at character %zu", bad[i].at);
		ok(flags == 42 && sig == 43, "and the results are not written");
	}
}

/* Separators with nothing between or behind them are mistakes, not empty words. */
static void test_separators(void)
{
	static const char *const texts[] = {"|",	  "vm|",       "|vm", "vm||files",
					    "vm| |files", "vm,|files", ",",   "vm |"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		uint64_t flags;
		int sig;
		size_t at = 999;

		is_int(ramet_flags_parse(texts[i], &flags, &sig, &at), -EINVAL, "'%s' is refused",
		       texts[i]);
		ok(at <= strlen(texts[i]), "within the text");
	}
}

static void write_mask(uint32_t mask, char *text)
{
	const char *comma = "";

	for (unsigned i = 0; i < RAMET_RESOURCE_COUNT; i++) {
		if (!(mask >> i & 1))
			continue;
		text = stpcpy(stpcpy(text, comma), resource_row(i)->name);
		comma = ",";
	}
}

static void test_resources(void)
{
	static const struct {
		const char *text;
		uint32_t mask;
		size_t at;
	} some[] = {
		{"memory,files", RAMET_MEMORY | RAMET_FILES, 0},
		{"Memory , FILES", RAMET_MEMORY | RAMET_FILES, 0},
		{"thread-group", RAMET_THREAD_GROUP, 0},
		{"files,files", RAMET_FILES, 0},
		{"", 0, 0},
		{"memory,filez", 0, 7},
		{"memory|files", 0, 0},
		{"CLONE_VM", 0, 0},
		{"all", 0, 0},
	};
	unsigned wrong = 0;
	char text[TEXT_MAX];

	for (uint32_t mask = 1; mask >> RAMET_RESOURCE_COUNT == 0; mask++) {
		uint32_t back = 0;

		write_mask(mask, text);
		wrong += ramet_resources_parse(text, &back, NULL) || back != mask;
	}
	is_int(wrong, 0, "each of the 2^%d - 1 sets of resources is read back as written",
	       RAMET_RESOURCE_COUNT);
	for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++) {
		uint32_t mask = 0;
		size_t at = 0;

		is_int(ramet_resources_parse(some[i].text, &mask, &at), some[i].mask ? 0 : -EINVAL,
		       "resources '%s'", some[i].text);
		ok(mask == some[i].mask && at == some[i].at, "mask %#x, bad word at %zu",
		   some[i].mask, some[i].at);
	}
}

int main(void)
{
	test_every_flag();
	test_spellings();
	test_separators();
	test_resources();
	return tap_done();
}
