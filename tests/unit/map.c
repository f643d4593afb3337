/* SPDX-License-Identifier: MIT */
/*
 * The map: every flag and preset is there, and what it says of flags that need or exclude each
 * other is what the rules say of calls.
 */
#include <errno.h>
#include <json-c/json.h>
#include <signal.h>
#include <string.h>

#include "tap.h"
#include "explain/explain.h"
#include "explain/relations.h"
#include "model/rules.h"
#include "spec/spec.h"
#include "uapi/clone.h"

/* What is printed, to be freed. */
static char *map_text(void)
{
	static char *text; /* not of the frame: gcc takes what is in it for lost */
	static size_t size;
	FILE *out = open_memstream(&text, &size);
	const struct explain_view view = {.out = out};

	if (explain_view_map(&view) < 0)
		fputs("failed", out);
	fclose(out);
	return text;
}

/* How many lines begin with this word in the table that follows the title. */
static int count_rows(const char *text, const char *title, const char *word)
{
	const char *at = strstr(text, title);
	int count = 0;

	at = at ? strstr(at, "\n\n") : NULL;
	for (at = at ? at + 2 : NULL; at && *at && *at != '\n'; at++) {
		const size_t n = strcspn(at, " \n");

		count += n == strlen(word) && !strncmp(at, word, n);
		at = strchr(at, '\n');
		if (!at)
			break;
	}
	return count;
}

static void test_map(void)
{
	char *text = map_text(), *presets = strstr(text, "\npreset ");
	size_t longest = 0;

#define FLAG(name) is_int(count_rows(text, "Flags,", #name), 1, "the map has %s once", #name);
#include "spec/tables.def"
#define PRESET(constant, name, flags, exit_signal, unprivileged)                                   \
	ok(presets != NULL && strstr(presets, " " name), "the map has preset %s", name);
#include "spec/tables.def"
	for (const char *line = text; *line; line += *line == '\n') {
		size_t n = strcspn(line, "\n");

		longest = n > longest ? n : longest;
		line += n;
	}
	ok(longest <= 120, "no line is longer than 120 (%zu)", longest);
	ok(strstr(text, "\nSIGHAND        needs    VM\n"
			"               not with CLEAR_SIGHAND (clone3)\n"),
	   "what SIGHAND goes with");
	ok(strstr(text,
		  "not with NEWUSER, NEWPID, PIDFD (before 6.9); an exit signal, AUTOREAP, NNP, "
		  "PIDFD_AUTOKILL (clone3)\n"),
	   "what THREAD goes with");
	ok(strstr(text,
		  "\nPIDFD          not with THREAD (before 6.9); PARENT_SETTID, DETACHED (clone)\n"),
	   "what PIDFD goes with");
	ok(strstr(text, "\nNEWNET         needs    NEWUSER or CAP_SYS_ADMIN\n"),
	   "what NEWNET needs");
	free(text);
}

/* ---- Relations against verdicts ---- */

static const struct ramet_rule *verdict(enum ramet_entry entry, uint64_t flags, int exit_signal,
					unsigned kernel)
{
	const struct ramet_caller caller = {.known = RAMET_KNOWN_CAPS, .kernel = kernel};
	const struct ramet_call call = {.entry = entry,
					.flags = flags,
					.exit_signal = (uint64_t)exit_signal,
					.pidfd = 0x1000,
					.parent_tid = 0x2000};

	return ramet_check(&call, &caller);
}

/* The flag with all that it needs, and what that needs. */
static uint64_t completed(uint64_t flags)
{
	struct relation list[RELATIONS];
	uint64_t before;

	do {
		before = flags;
		for (unsigned bit = 0; bit < 64; bit++) {
			size_t n = before >> bit & 1 ? relation_needs(1ULL << bit, list) : 0;

			for (size_t i = 0; i < n; i++)
				flags |= list[i].other;
		}
	} while (flags != before);
	return flags;
}

/* Does the map say that two of these exclude each other in this call? */
static bool is_said(uint64_t flags, enum ramet_entry entry, bool signal)
{
	struct relation list[RELATIONS];

	for (unsigned bit = 0; bit < 64; bit++) {
		size_t n = flags >> bit & 1 ? relation_excludes(1ULL << bit, list) : 0;

		for (size_t i = 0; i < n; i++)
			if (list[i].calls & entry && !list[i].rule->until &&
			    (list[i].other ? flags & list[i].other : signal))
				return true;
	}
	return false;
}

/* Every pair of flags, each with what it needs, in 7.1: refused exactly if the map says so. */
static void test_pairs(void)
{
	static const char letters[] = {[RAMET_ENTRY_CLONE] = 'L', [RAMET_ENTRY_CLONE3] = '3'};
	int wrong = 0, checked = 0;

	for (unsigned entry = RAMET_ENTRY_CLONE; entry <= RAMET_ENTRY_CLONE3; entry <<= 1)
		for (unsigned pair = 0; pair < 64 * 64 * 2; pair++) {
			const struct flag_fact *a = explain_flag(pair & 63);
			const struct flag_fact *b = explain_flag(pair >> 6 & 63);
			const int sig = pair >> 12 ? SIGCHLD : 0;
			const uint64_t word = completed(a->flag | b->flag);
			const struct ramet_rule *rule;

			if (!a->name || !b->name || !strchr(a->entries, letters[entry]) ||
			    !strchr(b->entries, letters[entry]))
				continue;
			rule = verdict(entry, word, sig, KERNEL(7, 1));
			checked++;
			if (!!rule == is_said(word, entry, sig))
				continue;
			if (!wrong++)
				diag("%s and %s, entry %u, signal %d: %s", a->name, b->name, entry,
				     sig, rule ? rule->id : "accepted");
		}
	is_int(wrong, 0, "%d words of two flags: what the map says is what the rules do", checked);
}

/* ---- JSON ---- */

static void test_json(void)
{
	struct json_object *made = explain_map_json(), *map, *flags, *presets;
	size_t names = 0;

	map = json_tokener_parse(json_object_to_json_string(made));
	json_object_put(made);
	if (!ok(map, "the map's JSON parses"))
		return;
	is_int(json_object_get_int(json_object_object_get(map, "schema")), 1, "schema 1");
	flags = json_object_object_get(map, "flags");
	presets = json_object_object_get(map, "presets");
#define FLAG(name) names++;
#include "spec/tables.def"
	is_int(json_object_array_length(flags), names, "every flag");
	is_int(json_object_array_length(presets), RAMET_PRESET_COUNT_ - 1, "every preset");
	for (size_t i = 0; i < json_object_array_length(flags); i++) {
		struct json_object *flag = json_object_array_get_idx(flags, i), *excludes;

		excludes = json_object_object_get(flag, "excludes");
		if (strcmp(json_object_get_string(json_object_object_get(flag, "name")),
			   "CLONE_SIGHAND") != 0)
			continue;
		is_str(json_object_to_json_string_ext(excludes, JSON_C_TO_STRING_PLAIN),
		       "[{\"flag\":\"CLONE_CLEAR_SIGHAND\",\"or\":null,\"calls\":[\"clone3\"],"
		       "\"kernels\":null,\"rule\":\"sighand-shared-and-cleared\"}]",
		       "what CLONE_SIGHAND excludes");
	}
	json_object_put(map);
}

int main(void)
{
	test_map();
	test_pairs();
	test_json();
	return tap_done();
}
