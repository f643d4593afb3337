/* SPDX-License-Identifier: MIT */
/* An event a line, as JSON; ramet-trace(1) lists the keys. Written as it goes: traces are long. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "spec/spec.h"
#include "trace/record.h"

struct lines {
	FILE *out;
};

static const char *const event_names[] = {
	[TRACE_BEGIN] = "begin",   [TRACE_MADE] = "made",	  [TRACE_REFUSED] = "refused",
	[TRACE_EXEC] = "exec",	   [TRACE_RELEASED] = "released", [TRACE_UNSHARED] = "unshared",
	[TRACE_JOINED] = "joined", [TRACE_ENDED] = "ended",	  [TRACE_LOST] = "lost",
};

static void *begin(FILE *out, bool color)
{
	struct lines *v = calloc(1, sizeof(*v));
	struct timespec now;

	(void)color;
	if (!v)
		return NULL;
	v->out = out;
	clock_gettime(CLOCK_REALTIME, &now);
	fprintf(out, "{\"event\":\"trace\",\"schema\":1,\"start\":%jd.%09ld}\n",
		(intmax_t)now.tv_sec, now.tv_nsec);
	return v;
}

static void put_text(FILE *out, const char *key, const char *text)
{
	fprintf(out, ",\"%s\":", key);
	trace_put_string(out, text);
}

static void put_flags(FILE *out, uint64_t flags)
{
	const char *before = "";

	fputs(",\"flags\":[", out);
	for (unsigned bit = 0; bit < 64; bit++) {
		const struct flag_fact *fact = explain_flag(bit);

		if (!(flags >> bit & 1))
			continue;
		if (fact->name)
			fprintf(out, "%s\"%s\"", before, fact->name);
		else
			fprintf(out, "%s\"0x%" PRIx64 "\"", before, (uint64_t)1 << bit);
		before = ",";
	}
	putc(']', out);
}

static void put_call(FILE *out, const struct line_call *line)
{
	const struct ramet_call *call = &line->call;
	const char *sig = ramet_signal_name((int)call->exit_signal);

	put_text(out, "call", line->name);
	if (line->given & LINE_FLAGS) {
		fprintf(out, ",\"value\":%" PRIu64, call->flags);
		put_flags(out, call->flags);
	} else {
		fputs(",\"value\":null,\"flags\":null", out);
	}
	if (!(line->given & LINE_EXIT_SIGNAL) || !call->exit_signal)
		fputs(",\"exit_signal\":null", out);
	else if (sig)
		put_text(out, "exit_signal", sig);
	else
		fprintf(out, ",\"exit_signal\":%" PRIu64, call->exit_signal);
	if (line->given & LINE_STACK)
		fprintf(out, ",\"stack\":%s", call->stack ? "true" : "false");
	if (line->given & LINE_FD)
		fprintf(out, ",\"fd\":%d", line->fd);
}

/* Which library function that was, likeliest first. */
static void put_issuers(FILE *out, const struct line_call *line)
{
	const struct issuer *issuer;

	fputs(",\"issued_by\":[", out);
	for (size_t i = 0; (issuer = explain_issuer(line, i)); i++) {
		if (i)
			putc(',', out);
		trace_put_string(out, issuer->who);
	}
	putc(']', out);
}

/* The objects that a task has now: tasks with the same number share. */
static void put_objects(FILE *out, const struct ramet_world *world, int tid)
{
	const char *before = "";

	fputs(",\"objects\":{", out);
	for (unsigned i = 0; i < RAMET_RESOURCE_COUNT; i++) {
		const struct resource_row *row = resource_row(i);
		uint64_t object = ramet_world_object(world, tid, row->bit);

		if (!object)
			continue;
		fprintf(out, "%s\"%s\":%" PRIu64, before, row->name, object);
		before = ",";
	}
	putc('}', out);
}

static void put_refusal(FILE *out, const struct trace_note *note)
{
	const struct explanation *x = note->explanation;
	const struct ramet_rule *rule = x->reason_count == 1 ? x->reasons[0] : NULL;
	char error[EXPLAIN_ERRNO_TEXT];

	put_text(out, "errno", explain_errno(note->event->line.error, error));
	if (rule) {
		put_text(out, "rule", rule->id);
		put_text(out, "why", rule->why);
		put_text(out, "mend", rule->mend);
	} else {
		fputs(",\"rule\":null,\"why\":null,\"mend\":null", out);
	}
	fputs(",\"rules\":[", out);
	for (size_t i = 0; i < x->reason_count; i++)
		fprintf(out, "%s\"%s\"", i ? "," : "", x->reasons[i]->id);
	putc(']', out);
}

/* What belongs to some kinds of event alone. */
static void put_rest(FILE *out, const struct trace_note *note)
{
	const struct trace_event *e = note->event;
	char text[40];

	switch (e->kind) {
	case TRACE_MADE:
		fprintf(out, ",\"child\":%d", e->child);
		put_issuers(out, &e->line);
		if (e->rss)
			fprintf(out, ",\"memory_bytes\":%" PRIu64, e->rss);
		put_objects(out, note->world, e->child);
		break;
	case TRACE_RELEASED:
		fprintf(out, ",\"child\":%d", e->child);
		break;
	case TRACE_REFUSED:
		put_refusal(out, note);
		break;
	case TRACE_EXEC:
		put_text(out, "former", e->former);
		fprintf(out, ",\"thread\":%d", e->child ? e->child : e->tid);
		put_objects(out, note->world, e->tid);
		break;
	case TRACE_JOINED:
		if (e->child)
			fprintf(out, ",\"with\":%d", e->child);
		put_objects(out, note->world, e->tid);
		break;
	case TRACE_BEGIN:
	case TRACE_UNSHARED:
		put_objects(out, note->world, e->tid);
		break;
	case TRACE_ENDED:
		trace_end(e->status, text, sizeof(text));
		put_text(out, "end", text);
		break;
	case TRACE_LOST:
		put_text(out, "what", e->what);
		break;
	}
}

static int note(void *view, const struct trace_note *note)
{
	const struct trace_event *e = note->event;
	FILE *out = ((struct lines *)view)->out;

	fprintf(out, "{\"event\":\"%s\",\"ns\":%" PRIu64 ",\"task\":%d,\"process\":%d",
		event_names[e->kind], e->ns, e->tid, e->tgid);
	put_text(out, "program", e->name);
	if (note->explanation) {
		put_call(out, &e->line);
		put_text(out, "kind", note->kind);
		put_text(out, "words", note->words);
	}
	if (e->took_ns)
		fprintf(out, ",\"took_ns\":%" PRIu64, e->took_ns);
	put_rest(out, note);
	fputs("}\n", out);
	return 0;
}

static int end(void *view, const struct record *r)
{
	FILE *out = ((struct lines *)view)->out;

	fprintf(out,
		"{\"event\":\"sums\",\"ns\":%" PRIu64 ",\"made\":%" PRIu64 ",\"refused\":%" PRIu64
		",\"ended\":%" PRIu64 ",\"lost\":%" PRIu64 ",\"not_followed\":%" PRIu64,
		r->last_ns, r->made, r->refused, r->ended, r->lost, r->strays);
	if (r->verify)
		fprintf(out, ",\"compared\":%" PRIu64 ",\"differ\":%" PRIu64, r->checked,
			r->mismatches);
	fputs("}\n", out);
	free(view);
	return 0;
}

const struct trace_view trace_json = {
	.name = "json",
	.begin = begin,
	.note = note,
	.end = end,
};
