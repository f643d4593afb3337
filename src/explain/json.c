/* SPDX-License-Identifier: MIT */
/* One call for a program: the keys that ramet-explain(1) lists. */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "explain/explain.h"
#include "model/rules.h"
#include "spec/spec.h"

static void put(struct json_object *object, const char *key, const char *text)
{
	json_object_object_add(object, key, text ? json_object_new_string(text) : NULL);
}

/* Bytes of a log may be anything; a document is UTF-8. What is no character becomes '?'. */
static size_t utf8_length(const unsigned char *at, size_t left)
{
	const size_t n = *at < 0x80 ? 1 : *at >= 0xf0 ? 4 : *at >= 0xe0 ? 3 : 2;

	if (*at < 0x80)
		return 1;
	if (*at < 0xc2 || *at > 0xf4 || n > left)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	/* Overlong, surrogates, beyond the last. */
	if ((*at == 0xe0 && at[1] < 0xa0) || (*at == 0xed && at[1] > 0x9f) ||
	    (*at == 0xf0 && at[1] < 0x90) || (*at == 0xf4 && at[1] > 0x8f))
		return 0;
	return n;
}

static struct json_object *text_json(const char *text)
{
	struct json_object *object;
	size_t left = text ? strlen(text) : 0;
	char *copy = text ? strdup(text) : NULL;

	if (!copy)
		return NULL;
	for (char *at = copy; left;) {
		size_t n = utf8_length((const unsigned char *)at, left);

		if (!n)
			*at = '?';
		n += !n;
		at += n;
		left -= n;
	}
	object = json_object_new_string(copy);
	free(copy);
	return object;
}

static struct json_object *signal_json(const struct ramet_call *call)
{
	const char *name = call->exit_signal < 256 ? ramet_signal_name((int)call->exit_signal)
						   : NULL;

	if (!(call->entry & ENTRY_MAKES) || !call->exit_signal)
		return NULL;
	if (name)
		return json_object_new_string(name);
	return json_object_new_uint64(call->exit_signal);
}

static const char *const verdict_names[] = {
	[EXPLAIN_ACCEPTED] = "accepted",
	[EXPLAIN_REFUSED] = "refused",
	[EXPLAIN_RESTARTED] = "restarted",
	[EXPLAIN_UNFINISHED] = "unfinished",
};

static struct json_object *gives_json(const struct explanation *e)
{
	struct json_object *gives;

	if (e->verdict == EXPLAIN_REFUSED || e->reason_count || !(e->line.given & LINE_FLAGS) ||
	    e->line.call.entry == RAMET_ENTRY_SETNS)
		return NULL;
	gives = json_object_new_object();
	for (unsigned i = 0; i < RAMET_RESOURCE_COUNT; i++) {
		const struct resource_row *row = resource_row(i);
		enum ramet_mode mode = ramet_model_mode(&e->line.call, e->kernel, row->bit);

		put(gives, row->name, ramet_mode_name(mode));
	}
	return gives;
}

static struct json_object *call_json(const struct ramet_call *call)
{
	struct json_object *object = json_object_new_object();
	char flags[EXPLAIN_CALL_TEXT];

	ramet_flags_format(call->flags, flags, sizeof(flags));
	put(object, "call", explain_entry_name(call));
	put(object, "flags", flags);
	json_object_object_add(object, "exit_signal", signal_json(call));
	return object;
}

/* Why it was refused: the certain rule's keys, and every candidate where none is certain. */
static void put_refusal(struct json_object *object, const struct explanation *e)
{
	const struct ramet_rule *rule = e->reason_count == 1 ? e->reasons[0] : NULL;
	struct json_object *list;
	char error[EXPLAIN_ERRNO_TEXT];

	put(object, "errno", e->error ? explain_errno(e->error, error) : NULL);
	put(object, "rule", rule ? rule->id : NULL);
	put(object, "why", rule ? rule->why : NULL);
	put(object, "mend", rule ? rule->mend : NULL);
	if (e->verdict != EXPLAIN_REFUSED)
		return;
	list = json_object_new_array();
	for (size_t i = 0; i < e->reason_count; i++)
		json_object_array_add(list, json_object_new_string(e->reasons[i]->id));
	json_object_object_add(object, "rules", list);
	list = json_object_new_array();
	for (int i = 0; i < e->mend_count; i++)
		json_object_array_add(list, call_json(&e->mends[i]));
	json_object_object_add(object, "accepted_instead", list);
}

/* The call as it was given; null for what is not known of it. */
static void put_call(struct json_object *object, const struct line_call *line)
{
	char flags[EXPLAIN_CALL_TEXT];
	struct json_object *value = NULL, *sig = NULL;

	if (line->given & LINE_FLAGS) {
		ramet_flags_format(line->call.flags, flags, sizeof(flags));
		value = json_object_new_uint64(line->call.flags);
	}
	if (line->given & LINE_EXIT_SIGNAL)
		sig = signal_json(&line->call);
	put(object, "function", line->library ? line->name : NULL);
	put(object, "call", explain_entry_name(&line->call));
	put(object, "flags", value ? flags : NULL);
	json_object_object_add(object, "value", value);
	json_object_object_add(object, "exit_signal", sig);
}

struct json_object *explain_json(const struct explanation *e, const char *input)
{
	struct json_object *object = json_object_new_object(), *list;
	const struct issuer *issuer;
	char headline[EXPLAIN_HEADLINE];

	if (!object)
		return NULL;
	explain_headline(e, headline, sizeof(headline));
	json_object_object_add(object, "input", text_json(input));
	put_call(object, &e->line);
	put(object, "verdict", verdict_names[e->verdict]);
	json_object_object_add(object, "evidence", json_object_new_boolean(e->evidence));
	put_refusal(object, e);
	put(object, "preset", e->preset);
	put(object, "headline", headline);
	json_object_object_add(object, "gives", gives_json(e));
	list = json_object_new_array();
	for (size_t i = 0; (issuer = explain_issuer(&e->line, i)); i++)
		json_object_array_add(list, json_object_new_string(issuer->who));
	json_object_object_add(object, "issued_by", list);
	if (e->line.given & LINE_TASK)
		json_object_object_add(object, "task", json_object_new_int(e->line.task));
	if (e->line.given & LINE_RESULT)
		json_object_object_add(object, "result", json_object_new_int64(e->line.result));
	if (e->line.source)
		put(object, "source", e->line.source);
	if (e->line.first_line)
		json_object_object_add(object, "line",
				       json_object_new_int64((int64_t)e->line.first_line));
	return object;
}
