/* SPDX-License-Identifier: MIT */
/* A call in words, and where it was refused, the rule. */
#include <stdio.h>
#include <string.h>

#include "trace/record.h"

static void name_kind(const struct line_call *line, char *buf, size_t size)
{
	const struct issuer *issuer = explain_issuer(line, 0);
	const char *name = issuer ? issuer->name : line->name;

	snprintf(buf, size, "%.*s", (int)strcspn(name, "("), name);
}

static void put_words(const struct explanation *e, char *buf, size_t size)
{
	if (e->verdict != EXPLAIN_REFUSED)
		explain_short(e, buf, size);
	else if (!e->reason_count)
		snprintf(buf, size, "No rule says why.");
	else
		snprintf(buf, size, "%s%s", e->reasons[0]->why,
			 e->reason_count > 1 ? " (Or for another reason.)" : "");
}

static bool is_like(const struct line_call *a, const struct line_call *b)
{
	return a->name == b->name && a->given == b->given && a->call.entry == b->call.entry &&
	       a->call.flags == b->call.flags && a->call.exit_signal == b->call.exit_signal &&
	       !a->call.stack == !b->call.stack;
}

static void fill(struct record_words *w, const struct line_call *line,
		 const struct ramet_caller *caller)
{
	explain_call(line, caller, &w->explanation);
	name_kind(line, w->kind, sizeof(w->kind));
	w->filled = true;
}

/* What the task could do is looked up, so that one rule is left of all that could be meant. */
static const struct record_words *explain_refusal(struct record *r, const struct trace_event *e)
{
	struct record_words *w = &r->refusal;
	struct explanation *x = &w->explanation;
	struct ramet_caller caller;
	const struct ramet_rule *rule;

	record_read_caller(r, e, &caller);
	fill(w, &e->line, &caller);
	rule = ramet_check_errno(&e->line.call, &caller, e->line.error);
	/* What nobody can know before a call is only a guess. */
	if (x->reason_count > 1 && e->line.given & LINE_FLAGS && rule && rule->needs_caller < 2) {
		x->reasons[0] = rule;
		x->reason_count = 1;
		x->mend_count = ramet_mend(&e->line.call, &caller, x->mends, EXPLAIN_MENDS);
	}
	put_words(x, w->words, sizeof(w->words));
	return w;
}

const struct record_words *record_explain(struct record *r, const struct trace_event *e)
{
	const struct line_call *line = &e->line;
	const struct ramet_caller nobody = {.kernel = r->own.kernel};
	uint64_t hash = line->call.flags * 0x9e3779b97f4a7c15ULL;
	struct record_words *w = &r->words[hash >> 32 & (RECORD_WORDS - 1)];

	if (line->given & LINE_ERROR)
		return explain_refusal(r, e);
	if (!w->filled || !is_like(&w->explanation.line, line)) {
		fill(w, line, &nobody);
		put_words(&w->explanation, w->words, sizeof(w->words));
	}
	w->explanation.line = *line;
	return w;
}
