/* SPDX-License-Identifier: MIT */
/* At the end: how many tasks by which call, what that took, and what could have been spared. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "out/out.h"
#include "trace/record.h"

/* posix_spawn of a program, as the kernel needs it at most. */
#define SPAWN_NS 200000
/* Page tables are copied at about this rate: where the call was not timed. */
#define COPY_NS_PER_GB 24000000

/* Calls that made no task. */
struct other {
	char kind[24];
	char outcome[80]; /* "EPERM, rule …"; "" */
	bool refused;
	uint64_t count;
};

#define OTHERS 32

struct summary {
	FILE *out;
	bool color;
	size_t count;
	struct other others[OTHERS];
};

static void *begin(FILE *out, bool color)
{
	struct summary *v = calloc(1, sizeof(*v));

	if (v) {
		v->out = out;
		v->color = color;
	}
	return v;
}

static void count(struct summary *v, const struct other *other)
{
	for (size_t i = 0; i < v->count; i++)
		if (!strcmp(v->others[i].kind, other->kind) &&
		    !strcmp(v->others[i].outcome, other->outcome)) {
			v->others[i].count++;
			return;
		}
	if (v->count < OTHERS)
		v->others[v->count++] = *other;
}

static int note(void *view, const struct trace_note *note)
{
	const struct explanation *x = note->explanation;
	const enum trace_kind kind = note->event->kind;
	char error[EXPLAIN_ERRNO_TEXT];
	struct other other = {.count = 1, .refused = kind == TRACE_REFUSED};

	if (kind != TRACE_REFUSED && kind != TRACE_UNSHARED && kind != TRACE_JOINED)
		return 0;
	snprintf(other.kind, sizeof(other.kind), "%s", note->kind);
	if (!other.refused)
		snprintf(other.outcome, sizeof(other.outcome), "%s", note->words);
	else
		snprintf(other.outcome, sizeof(other.outcome), "%s%s%s",
			 explain_errno(note->event->line.error, error),
			 x->reason_count == 1 ? ", rule " : "",
			 x->reason_count == 1 ? x->reasons[0]->id : "");
	count(view, &other);
	return 0;
}

/* ---- Tables ---- */

enum { COUNT, KIND, TOTAL, MEAN, LONGEST, MEMORY, EXEC };

static const struct out_column columns[] = {
	[COUNT] = {"TASKS", OUT_RIGHT},	    [KIND] = {"BY", 0},
	[TOTAL] = {"TIME", OUT_RIGHT},	    [MEAN] = {"EACH", OUT_RIGHT},
	[LONGEST] = {"LONGEST", OUT_RIGHT}, [MEMORY] = {"MAKER'S MEMORY", OUT_RIGHT},
	[EXEC] = {"THEN EXEC", OUT_RIGHT},
};

static void put_time(struct out_table *t, size_t column, uint64_t ns, enum out_mark mark)
{
	char text[TRACE_AMOUNT];

	trace_time(ns, text);
	out_table_cell(t, column, ns ? text : "-", mark);
}

static uint64_t time_of_execs(const struct trace_sum *sum)
{
	return sum->exec_ns ? sum->exec_ns
			    : (uint64_t)((double)sum->exec_rss / 1e9 * COPY_NS_PER_GB);
}

/* Copies for the sake of exec that took much longer than a spawn would. */
static bool is_wasteful(const struct trace_sum *sum)
{
	return sum->execs && time_of_execs(sum) > 3 * sum->execs * SPAWN_NS;
}

static void put_sum(struct out_table *t, const struct trace_sum *sum)
{
	char text[32];

	out_table_row(t);
	snprintf(text, sizeof(text), "%" PRIu64, sum->count);
	out_table_cell(t, COUNT, text, OUT_PLAIN);
	out_table_cell(t, KIND, sum->kind, OUT_PLAIN);
	put_time(t, TOTAL, sum->took_ns, OUT_PLAIN);
	put_time(t, MEAN, sum->count ? sum->took_ns / sum->count : 0, OUT_PLAIN);
	put_time(t, LONGEST, sum->worst_ns, OUT_PLAIN);
	if (!sum->copies)
		return;
	trace_size(sum->most_rss, text);
	out_table_cell(t, MEMORY, text, OUT_PLAIN);
	snprintf(text, sizeof(text), "%" PRIu64, sum->execs);
	out_table_cell(t, EXEC, text, is_wasteful(sum) ? OUT_BAD : OUT_PLAIN);
}

static int put_table(const struct summary *v, const struct record *r)
{
	struct out_table t;

	putc('\n', v->out);
	out_table_begin(&t, v->out, v->color, columns, sizeof(columns) / sizeof(columns[0]));
	for (size_t i = 0; i < r->sum_count; i++)
		put_sum(&t, &r->sums[i]);
	return out_table_end(&t);
}

static int put_others(const struct summary *v, bool refused, const char *title)
{
	const struct out_column shown[] = {
		{title, OUT_RIGHT}, {"CALL", 0}, {refused ? "WHY" : "WHAT", 0}};
	struct out_table t;
	char text[32];
	size_t n = 0;

	for (size_t i = 0; i < v->count; i++)
		n += v->others[i].refused == refused;
	if (!n)
		return 0;
	putc('\n', v->out);
	out_table_begin(&t, v->out, v->color, shown, 3);
	for (size_t i = 0; i < v->count; i++) {
		const struct other *other = &v->others[i];

		if (other->refused != refused)
			continue;
		out_table_row(&t);
		snprintf(text, sizeof(text), "%" PRIu64, other->count);
		out_table_cell(&t, 0, text, OUT_PLAIN);
		out_table_cell(&t, 1, other->kind, OUT_PLAIN);
		out_table_cell(&t, 2, other->outcome, refused ? OUT_BAD : OUT_PLAIN);
	}
	return out_table_end(&t);
}

/* ---- Advice ---- */

static void put_advice(const struct summary *v, const struct trace_sum *sum)
{
	char took[TRACE_AMOUNT], size[TRACE_AMOUNT];

	trace_time(time_of_execs(sum), took);
	trace_size(sum->exec_rss / sum->execs, size);
	fprintf(v->out,
		"\n%" PRIu64 " of %" PRIu64
		" %s: the new task then called exec. Going through their "
		"makers' memory (%s each)\ntook %s%s for nothing; posix_spawn or vfork would have "
		"taken less than %.1f ms in all.\n",
		sum->execs, sum->count, sum->kind, size, sum->exec_ns ? "" : "about ", took,
		(double)(sum->execs * SPAWN_NS) / 1e6);
}

static int end(void *view, const struct record *r)
{
	struct summary *v = view;
	int result = 0;

	trace_put_sums(r, v->out);
	if (r->sum_count)
		result = put_table(v, r);
	if (result == 0)
		result = put_others(v, false, "CALLS");
	if (result == 0)
		result = put_others(v, true, "REFUSED");
	for (size_t i = 0; i < r->sum_count; i++)
		if (is_wasteful(&r->sums[i]))
			put_advice(v, &r->sums[i]);
	free(v);
	return result;
}

const struct trace_view trace_summary = {
	.name = "summary",
	.begin = begin,
	.note = note,
	.end = end,
};
