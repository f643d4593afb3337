/* SPDX-License-Identifier: MIT */
/*
 * ramet explain can say something about everything that there is: each rule, flag, issuer,
 * resource and mode; and of random calls no answer is empty, cut or at odds with the model.
 */
#include <errno.h>
#include <json-c/json.h>
#include <signal.h>

#include "explain/explain.h"
#include "model/rules.h"
#include "spec/spec.h"
#include "tap.h"
#include "uapi/clone.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define ROUNDS 20000

static const enum ramet_entry entries[] = {RAMET_ENTRY_CLONE, RAMET_ENTRY_CLONE3,
					   RAMET_ENTRY_UNSHARE, RAMET_ENTRY_SETNS};

static struct line_call bare(enum ramet_entry entry, uint64_t flags, uint64_t exit_signal)
{
	return (struct line_call){
		.call = {.entry = entry,
			 .flags = flags,
			 .exit_signal = exit_signal,
			 .pidfd = 8,
			 .parent_tid = 16,
			 .child_tid = 24},
		.given = LINE_FLAGS | LINE_EXIT_SIGNAL,
	};
}

static char *view_text(const struct explanation *e)
{
	struct explain_view view = {0};
	static char *text;
	static size_t size;

	view.out = open_memstream(&text, &size);
	explain_view_text(&view, e, 1);
	fclose(view.out);
	return text;
}

/* ---- Rules ---- */

/* The entry to which a rule applies, the first of several. */
static enum ramet_entry entry_of(size_t rule)
{
	const unsigned of = rule_asks[rule].entry ? rule_asks[rule].entry : ENTRY_MAKES;

	return (enum ramet_entry)(of & -of);
}

/* Alone, and as one of two. */
static void test_rules(void)
{
	const struct ramet_rule *rule;

	for (size_t i = 0; (rule = ramet_rule_at(i)); i++) {
		struct explanation e = {
			.line = bare(entry_of(i), rule_asks[i].all, 0),
			.verdict = EXPLAIN_REFUSED,
			.error = rule->error,
			.reasons = {rule, ramet_rule_at(i ? 0 : 1)},
			.reason_count = 1,
		};
		char *alone = view_text(&e), *among;
		bool good;

		e.reason_count = 2;
		among = view_text(&e);
		good = strstr(alone, rule->id) && strstr(alone, rule->why) &&
		       strstr(alone, rule->mend) && strstr(alone, rule->source) &&
		       strstr(among, rule->id) && strstr(among, rule->why) &&
		       strstr(among, rule->mend);
		ok(good, "rule %s is shown with its reason and mend", rule->id);
		free(alone);
		free(among);
	}
}

/* How many rules could give one errno, the most of all errnos. */
static size_t count_reasons(const struct ramet_call *call)
{
	const struct ramet_rule *rule;
	size_t most = 0;

	for (size_t i = 0; (rule = ramet_rule_at(i)); i++) {
		size_t at = 0, n = 0;

		while (ramet_check_next(call, 0, rule->error, &at))
			n++;
		most = n > most ? n : most;
	}
	return most;
}

/* As many reasons as there can be have room: the more flags the more reasons. */
static void test_room_for_reasons(void)
{
	size_t most = 0;

	for (unsigned round = 0; round < 400; round++) {
		const uint64_t flags = round ? tap_random() | tap_random() : ~0ULL;

		for (size_t k = 0; k < LENGTH(entries); k++) {
			const uint64_t known =
				entries[k] == RAMET_ENTRY_SETNS ? flags & CLONE_NEW_ANY : flags;
			const struct line_call line = bare(entries[k], known, SIGCHLD);
			size_t n = count_reasons(&line.call);

			most = n > most ? n : most;
		}
	}
	ok(most <= EXPLAIN_REASONS, "room for all reasons: %zu at most", most);
}

/* ---- Flags ---- */

static bool may(enum ramet_entry entry, uint64_t flag)
{
	const struct ramet_caller nobody = {.kernel = KERNEL(7, 2)};
	const struct line_call line = bare(entry, flag, 0);
	const struct ramet_rule *rule = ramet_check(&line.call, &nobody);

	/* These drop what they do not take. */
	if (entry == RAMET_ENTRY_CLONE)
		return !(flag >> 32) && !(flag & CSIGNAL);
	if (entry == RAMET_ENTRY_SETNS && flag >> 32)
		return false;
	return !rule || (strcmp(rule->id, "not-to-be-unshared") &&
			 strcmp(rule->id, "setns-no-namespace-flag") &&
			 strcmp(rule->id, "detached-in-clone3"));
}

static void test_flag(unsigned bit)
{
	const struct flag_fact *fact = explain_flag(bit);
	const uint64_t flag = 1ULL << bit;
	const enum ramet_entry entry = strchr(fact->entries, '3') ? RAMET_ENTRY_CLONE3
								  : RAMET_ENTRY_CLONE;
	struct explanation with = {.line = bare(entry, flag, SIGUSR1), .verdict = EXPLAIN_ACCEPTED};
	struct explanation without = {.line = bare(entry, 0, SIGUSR1), .verdict = EXPLAIN_ACCEPTED};
	/* A signal with which nobody issues either: that would be a line too. */
	char *one = view_text(&with), *none = view_text(&without);

	is_str(fact->name, flag_name(bit), "%s has a row", flag_name(bit));
	ok(strcmp(strchr(one, '\n'), strchr(none, '\n')) != 0, "%s alone is explained",
	   flag_name(bit));
	free(one);
	free(none);
	for (size_t k = 0; k < LENGTH(entries); k++)
		is_int(!!strchr(fact->entries, "L3UN"[k]),
		       /* UNSHARE_EMPTY_MNTNS has the number of another flag. */
		       may(entries[k], flag) && !(k == 2 && flag == CLONE_PARENT_SETTID),
		       "%s and %s", flag_name(bit),
		       explain_entry_name(&(struct ramet_call){.entry = entries[k]}));
}

static void test_flags(void)
{
	for (unsigned bit = 0; bit < 64; bit++)
		if (flag_name(bit))
			test_flag(bit);
		else if (explain_flag(bit)->name)
			ok(false, "bit %u has a row and no name", bit);
}

/* ---- Issuers ---- */

static void test_issuers(void)
{
	const struct issuer *row, *found;

	for (size_t i = 0; (row = explain_issuer_at(i)); i++) {
		const enum ramet_entry entry = (enum ramet_entry)(row->entries & -row->entries);
		struct line_call line = bare(entry, row->flags,
					     row->exit_signal >= 0 ? (uint64_t)row->exit_signal
					     : row->exit_signal == EXPLAIN_OTHER_SIGNAL ? SIGUSR1
											: 0);
		const bool by_kernel = row->system_call && !strcmp(row->system_call, "-");

		line.source = by_kernel ? "task_newtask" : "strace";
		line.name = by_kernel || row->system_call ? row->system_call
							  : explain_entry_name(&line.call);
		if (row->stack != STACK_ANY)
			line.given |= LINE_STACK;
		line.call.stack = row->stack == STACK_OWN ? 0x10000 : 0;
		for (size_t k = 0; (found = explain_issuer(&line, k)); k++)
			if (found == row)
				break;
		ok(found == row, "%s is found by its call", row->who);
	}
	ok(!explain_issuer(&(struct line_call){.given = LINE_FLAGS, .call.flags = CLONE_IO}, 0),
	   "no one issues what no row has");
}

/* ---- Resources ---- */

static const struct {
	enum ramet_resource resource;
	enum ramet_mode mode;
	const char *made, *unshared;
} gives[] = {
#define GIVES(resource_, mode_, made_, unshared_)                                                  \
	{RAMET_##resource_, RAMET_MODE_##mode_, (made_), (unshared_)},
#include "explain/gives.def"
};

static bool has_row(enum ramet_resource resource, enum ramet_mode mode)
{
	for (size_t i = 0; i < LENGTH(gives); i++)
		if (gives[i].resource == resource && gives[i].mode == mode)
			return true;
	return false;
}

/* Every bit and every pair: a mode depends on two flags at most. */
static void test_gives(void)
{
	bool seen[RAMET_RESOURCE_COUNT][4] = {{false}};
	size_t pairs = 0;

	for (unsigned a = 0; a < 64; a++)
		for (unsigned b = 0; b < 65; b++)
			for (size_t k = 0; k < 3; k++)
				for (unsigned i = 0; i < RAMET_RESOURCE_COUNT; i++) {
					const uint64_t flags = (1ULL << a) |
							       (b < 64 ? 1ULL << b : 0);
					const struct ramet_call call = {.entry = entries[k],
									.flags = flags};

					seen[i][ramet_model_mode(&call, 0, resource_row(i)->bit)] =
						true;
				}
	for (unsigned i = 0; i < RAMET_RESOURCE_COUNT; i++)
		for (int mode = RAMET_MODE_SHARE; mode <= RAMET_MODE_NEW; mode++) {
			if (!seen[i][mode])
				continue;
			pairs++;
			ok(has_row(resource_row(i)->bit, (enum ramet_mode)mode),
			   "%s, %s: has a row", resource_row(i)->name,
			   ramet_mode_name((enum ramet_mode)mode));
		}
	is_int(pairs, LENGTH(gives), "and no row is for what cannot be");
}

/* ---- Random calls ---- */

static const char *const keys[] = {
	"input", "call", "flags", "value",  "exit_signal", "verdict", "evidence",  "errno",
	"rule",	 "why",	 "mend",  "preset", "headline",	   "gives",   "issued_by",
};

/* NULL, or what is wrong with the document. */
static const char *check_gives(const struct explanation *e, struct json_object *list)
{
	if (e->verdict == EXPLAIN_REFUSED || e->line.call.entry == RAMET_ENTRY_SETNS)
		return list ? "gives where nothing is given" : NULL;
	for (unsigned i = 0; i < RAMET_RESOURCE_COUNT; i++) {
		const struct resource_row *row = resource_row(i);
		const char *mode = ramet_mode_name(ramet_model_mode(&e->line.call, 0, row->bit));
		struct json_object *value = NULL;

		if (!json_object_object_get_ex(list, row->name, &value) ||
		    strcmp(json_object_get_string(value), mode) != 0)
			return row->name;
	}
	return NULL;
}

static const char *check_json(const struct explanation *e)
{
	struct json_object *object = explain_json(e, "in"), *value = NULL;
	const char *wrong = NULL;

	for (size_t i = 0; i < LENGTH(keys) && !wrong; i++)
		if (!json_object_object_get_ex(object, keys[i], &value))
			wrong = keys[i];
	if (!wrong && json_object_object_get_ex(object, "value", &value) &&
	    json_object_get_uint64(value) != e->line.call.flags)
		wrong = "value";
	if (!wrong && e->verdict == EXPLAIN_REFUSED &&
	    (!json_object_object_get_ex(object, "rules", &value) ||
	     json_object_array_length(value) != e->reason_count))
		wrong = "rules";
	if (!wrong) {
		json_object_object_get_ex(object, "gives", &value);
		wrong = check_gives(e, value);
	}
	json_object_put(object);
	return wrong;
}

static const char *check_words(const struct explanation *e)
{
	char headline[EXPLAIN_HEADLINE], longer[4 * EXPLAIN_HEADLINE];
	const char *wrong = NULL;
	char *text = view_text(e);
	size_t n;

	explain_headline(e, headline, sizeof(headline));
	explain_headline(e, longer, sizeof(longer));
	n = strlen(headline);
	if (!n || strcmp(headline, longer) != 0)
		wrong = "headline";
	else if (strncmp(text, headline, n) != 0 || text[strlen(text) - 1] != '\n')
		wrong = "text";
	else if (strstr(text, "(null)") || strstr(text, "%p"))
		wrong = "a gap in the text";
	free(text);
	return wrong;
}

static const char *check_verdict(const struct explanation *e, const struct ramet_caller *caller)
{
	const struct ramet_rule *rule = ramet_check(&e->line.call, caller);

	if (e->verdict != (rule ? EXPLAIN_REFUSED : EXPLAIN_ACCEPTED))
		return "verdict";
	if (rule && (e->reason_count != 1 || e->reasons[0] != rule || e->error != rule->error))
		return "reason";
	for (int i = 0; i < e->mend_count; i++)
		if (ramet_check(&e->mends[i], caller))
			return "a mend that is refused";
	return NULL;
}

/* Few flags as often as many, and those that there are more often than others. */
static uint64_t random_flags(void)
{
	uint64_t flags = tap_random() & 0x3fffffffffULL;

	for (uint64_t thin = tap_below(4); thin; thin--)
		flags &= tap_random();
	if (tap_below(16) == 0)
		flags |= 1ULL << tap_below(64);
	return tap_below(2) ? flags & ~0x7fULL : flags;
}

static void test_random(void)
{
	const struct ramet_caller callers[] = {
		{.kernel = KERNEL(6, 18)},
		{.kernel = KERNEL(6, 18),
		 .known = RAMET_KNOWN_CAPS | RAMET_KNOWN_THREADS | RAMET_KNOWN_SHARERS,
		 .threads = 3},
		{.kernel = KERNEL(7, 2), .known = RAMET_KNOWN_CAPS, .sys_admin = 1},
		{.kernel = 0},
	};
	size_t refused = 0, mended = 0;

	for (unsigned round = 0; round < ROUNDS; round++) {
		const struct ramet_caller *caller = &callers[tap_below(LENGTH(callers))];
		const enum ramet_entry entry = entries[round % LENGTH(entries)];
		const bool clone = entry == RAMET_ENTRY_CLONE;
		uint64_t flags = random_flags(), sig = tap_below(3) ? SIGCHLD : tap_below(80);
		struct line_call line = bare(entry, clone ? flags & ~0xffULL : flags,
					     entry & ENTRY_MAKES ? sig : 0);
		struct explanation e;
		const char *wrong;

		explain_call(&line, caller, &e);
		wrong = check_verdict(&e, caller);
		wrong = wrong ? wrong : check_words(&e);
		wrong = wrong ? wrong : check_json(&e);
		if (wrong) {
			ok(false, "%s(0x%jx), signal %ju: %s", explain_entry_name(&line.call),
			   (uintmax_t)line.call.flags, (uintmax_t)line.call.exit_signal, wrong);
			return;
		}
		refused += e.verdict == EXPLAIN_REFUSED;
		mended += e.mend_count > 0;
	}
	ok(true, "%d random calls are explained as the model has them", ROUNDS);
	diag("%zu refused, %zu of them with a mend", refused, mended);
	ok(refused > ROUNDS / 10 && refused < ROUNDS * 9 / 10 && mended > refused / 4,
	   "enough of either kind");
}

/* Results of every kind on random calls: a log may say anything. */
static void test_random_results(void)
{
	static const int errors[] = {EINVAL, EPERM, ENOSPC, EAGAIN, ENOMEM, ENOSYS,
				     EBADF,  71,    512,    513,    516,    4096};
	const struct ramet_caller nobody = {.kernel = 0};

	for (unsigned round = 0; round < ROUNDS; round++) {
		struct line_call line =
			bare(entries[round % LENGTH(entries)], random_flags(), SIGCHLD);
		struct explanation e;
		const char *wrong;

		line.source = "strace";
		line.name = explain_entry_name(&line.call);
		line.given = (uint32_t)tap_random() & (LINE_FLAGS | LINE_EXIT_SIGNAL | LINE_STACK);
		if (tap_below(4)) {
			line.given |= LINE_ERROR;
			line.error = errors[tap_below(LENGTH(errors))];
		} else if (tap_below(4)) {
			line.given |= LINE_RESULT;
			line.result = (int64_t)tap_below(100);
		}
		explain_call(&line, &nobody, &e);
		wrong = check_words(&e);
		if (!wrong && e.reason_count > EXPLAIN_REASONS)
			wrong = "reasons";
		if (wrong) {
			ok(false, "%s(0x%jx), errno %d: %s", line.name, (uintmax_t)line.call.flags,
			   line.error, wrong);
			return;
		}
	}
	ok(true, "%d random results", ROUNDS);
}

/* The longest there is. */
static void test_longest(void)
{
	for (size_t k = 0; k < LENGTH(entries); k++) {
		struct explanation e = {
			.line = bare(entries[k], ~0ULL, ~0ULL),
			.verdict = EXPLAIN_UNFINISHED,
			.error = 4096,
			.reason_count = 1,
			.reasons = {ramet_rule_at(0)},
		};

		is_str(check_words(&e), NULL, "%s with every flag",
		       explain_entry_name(&e.line.call));
	}
}

static void test_bytes(void)
{
	const struct line_call line = bare(RAMET_ENTRY_CLONE3, 0, 0);
	const struct ramet_caller nobody = {.kernel = 0};
	struct explanation e;
	struct json_object *object, *input = NULL;

	explain_call(&line, &nobody, &e);
	object = explain_json(
		&e, "a\xff"
		    "b\xc3\xa4 \xc0\x80 \xed\xa0\x80 \xe2\x82\xac \xf0\x9f\x8c\xb1 \xe2\x82");
	json_object_object_get_ex(object, "input", &input);
	is_str(json_object_get_string(input), "a?b\xc3\xa4 ?? ??? \xe2\x82\xac \xf0\x9f\x8c\xb1 ??",
	       "what is no UTF-8 does not get into a document");
	json_object_put(object);
}

int main(void)
{
	test_rules();
	test_room_for_reasons();
	test_flags();
	test_issuers();
	test_gives();
	test_random();
	test_random_results();
	test_longest();
	test_bytes();
	return tap_done();
}
