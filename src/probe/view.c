/* SPDX-License-Identifier: MIT */
/* A probe for people (a matrix, or a table a task) and for programs (JSON, schema 1). */
#include "probe/probe.h"

#include <errno.h>
#include <json-c/json.h>
#include <string.h>

#include "out/out.h"

#define COLUMNS_MAX 256

static const char *const witness_names[] = {
	[PROBE_WITNESS_NONE] = "none",
	[PROBE_WITNESS_SAME] = "same",
	[PROBE_WITNESS_DIFFERENT] = "different",
	[PROBE_WITNESS_UNKNOWN] = "unknown",
};

void probe_call_text(const struct probe_result *result, char *buf, size_t size)
{
	const char *call = result->clone3 ? "clone3" : "clone";
	char flags[1024], number[24];

	ramet_flags_format(result->request.flags, flags, sizeof(flags));
	snprintf(buf, size, "%s(%s), exit signal %s", call, flags,
		 probe_signal(result->request.exit_signal, number));
}

static bool is_untested(const struct probe_answer *a)
{
	return !strcmp(a->observed, "untested");
}

/* ---- text ---------------------------------------------------------------------------------- */

/* What the matrix shows: what was seen; in brackets what the rules say if nothing could be. */
static void matrix_cell(struct out_table *t, size_t column, const struct probe_answer *a)
{
	char text[sizeof(a->model) + 4];

	snprintf(text, sizeof(text), is_untested(a) ? "(%s)" : "%s",
		 is_untested(a) ? a->model : a->observed);
	out_table_cell(t, column, text, a->agree ? OUT_PLAIN : OUT_BAD);
}

static int show_matrix(const struct probe_view *view, const struct probe_result *results, size_t n)
{
	struct out_column columns[COLUMNS_MAX] = {{.title = ""}};
	struct out_table t;

	for (size_t i = 0; i < n; i++)
		columns[i + 1].title = results[i].request.name;
	out_table_begin(&t, view->out, view->color, columns, n + 1);
	for (size_t row = 0; row < RAMET_RESOURCE_COUNT + 2; row++) {
		static const char *const last[] = {"told by", "parent held"};
		const bool resource = row < RAMET_RESOURCE_COUNT;

		out_table_row(&t);
		for (size_t i = 0; i < n; i++) {
			const struct probe_result *r = &results[i];

			if (i == 0)
				out_table_cell(&t, 0,
					       resource ? r->answers[row].name
								  ? r->answers[row].name
								  : ramet_resource_name(1 << row)
							: last[row - RAMET_RESOURCE_COUNT],
					       OUT_PLAIN);
			if (r->refused)
				out_table_cell(&t, i + 1, row ? "-" : "refused", OUT_BAD);
			else if (resource)
				matrix_cell(&t, i + 1, &r->answers[row]);
			else
				out_table_cell(&t, i + 1,
					       row == RAMET_RESOURCE_COUNT ? r->told : r->held,
					       OUT_PLAIN);
		}
	}
	return out_table_end(&t);
}

static int show_details(const struct probe_view *view, const struct probe_result *r)
{
	static const struct out_column columns[] = {
		{"RESOURCE", 0}, {"MODEL", 0}, {"OBSERVED", 0}, {"WITNESS", 0}, {"SEEN", OUT_WRAP},
	};
	struct out_table t;

	out_table_begin(&t, view->out, view->color, columns, sizeof(columns) / sizeof(*columns));
	for (size_t i = 0; i < PROBE_ANSWER_COUNT; i++) {
		const struct probe_answer *a = &r->answers[i];
		const enum out_mark mark = a->agree ? OUT_PLAIN : OUT_BAD;
		char witness[48];

		snprintf(witness, sizeof(witness), a->how ? "%s (%s)" : "-",
			 witness_names[a->witness], a->how);
		out_table_row(&t);
		out_table_cell(&t, 0, a->name, OUT_PLAIN);
		out_table_cell(&t, 1, a->model, mark);
		out_table_cell(&t, 2, a->observed, mark);
		out_table_cell(&t, 3, witness, mark);
		out_table_cell(&t, 4, a->reason, OUT_PLAIN);
	}
	return out_table_end(&t);
}

static void show_refusal(const struct probe_view *view, const struct probe_result *r)
{
	char call[1200];

	probe_call_text(r, call, sizeof(call));
	fprintf(view->out, "%s: refused: %s, %s\n", r->request.name, strerror(r->refused), call);
	if (!r->rule)
		fputs("  why   no rule explains it\n", view->out);
	if (r->rule) {
		fprintf(view->out, "  why   %s\n", r->rule->why);
		fprintf(view->out, "  rule  %s\n", r->rule->id);
		if (r->rule->mend)
			fprintf(view->out, "  mend  %s\n", r->rule->mend);
	}
}

static void show_disagreement(const struct probe_view *view, const struct probe_result *r)
{
	for (size_t i = 0; i < PROBE_ANSWER_COUNT; i++) {
		const struct probe_answer *a = &r->answers[i];

		if (!r->refused && !a->agree)
			fprintf(view->out,
				"disagreement: %s, %s: the rules say %s, the kernel did %s, %s says "
				"%s (%s)\n",
				r->request.name, a->name, a->model, a->observed,
				a->how ? a->how : "no witness",
				a->how ? witness_names[a->witness] : "nothing", a->reason);
	}
}

static void show_sum(const struct probe_view *view, const struct probe_result *results, size_t n)
{
	size_t answers = 0, agreed = 0;
	unsigned untested = 0, unknown = 0;

	for (size_t i = 0; i < n; i++) {
		if (results[i].refused)
			continue;
		for (size_t k = 0; k < PROBE_ANSWER_COUNT; k++) {
			answers++;
			agreed += results[i].answers[k].agree;
			unknown += results[i].answers[k].witness == PROBE_WITNESS_UNKNOWN;
		}
		untested += results[i].untested;
	}
	if (!answers)
		return;
	if (agreed == answers)
		fprintf(view->out, "Kernel, kcmp and rules agree on all %zu answers", answers);
	else
		fprintf(view->out, "Kernel, kcmp and rules agree on %zu of %zu answers", agreed,
			answers);
	if (untested)
		fprintf(view->out, "; %u could not be tried by the child%s", untested,
			n == 1 || view->verbose ? "" : ", in brackets (why: --verbose)");
	if (unknown)
		fprintf(view->out, "; for %u the second witness had no answer", unknown);
	fputs(".\n", view->out);
}

int probe_view_text(const struct probe_view *view, const struct probe_result *results, size_t n)
{
	const bool details = n == 1 || view->verbose, matrix = n > 1 && n < COLUMNS_MAX;
	int r = 0;

	fprintf(view->out,
		"Linux %s %s, %s   (share = same object, copy = its own, new = fresh)\n\n",
		view->kernel, view->machine, view->user);
	for (size_t i = 0; i < n && details && r == 0; i++) {
		char call[1200];

		if (results[i].refused)
			continue;
		probe_call_text(&results[i], call, sizeof(call));
		fprintf(view->out, "%s: %s%s\n", results[i].request.name, call,
			results[i].legacy ? " (clone3 refuses this word)" : "");
		r = show_details(view, &results[i]);
		fputc('\n', view->out);
	}
	if (matrix && r == 0) {
		r = show_matrix(view, results, n);
		fputc('\n', view->out);
	}
	for (size_t i = 0; i < n; i++) {
		if (results[i].refused)
			show_refusal(view, &results[i]);
		show_disagreement(view, &results[i]);
	}
	show_sum(view, results, n);
	return r;
}

/* ---- JSON ---------------------------------------------------------------------------------- */

static void add_text(struct json_object *to, const char *key, const char *value)
{
	json_object_object_add(to, key, value ? json_object_new_string(value) : NULL);
}

static struct json_object *flags_json(uint64_t flags)
{
	struct json_object *list = json_object_new_array();
	char name[64];

	for (unsigned bit = 0; bit < 64; bit++) {
		if (!(flags >> bit & 1))
			continue;
		ramet_flags_format(1ULL << bit, name, sizeof(name));
		json_object_array_add(list, json_object_new_string(name));
	}
	return list;
}

/* A name where the signal has one, null for none, else the number. */
static struct json_object *signal_json(int sig)
{
	const char *name = sig > 0 ? ramet_signal_name(sig) : NULL;

	if (name)
		return json_object_new_string(name);
	return sig ? json_object_new_int(sig) : NULL;
}

static struct json_object *answer_json(const struct probe_answer *a)
{
	struct json_object *o = json_object_new_object();

	add_text(o, "name", a->name);
	add_text(o, "model", a->model);
	add_text(o, "witness", witness_names[a->witness]);
	add_text(o, "observed", a->observed);
	add_text(o, "reason", a->reason);
	return o;
}

static struct json_object *refusal_json(const struct probe_result *r)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "errno", json_object_new_int(r->refused));
	add_text(o, "error", strerrorname_np(r->refused));
	add_text(o, "rule", r->rule ? r->rule->id : NULL);
	add_text(o, "why", r->rule ? r->rule->why : NULL);
	return o;
}

static struct json_object *result_json(const struct probe_result *r)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();
	char call[1200];

	probe_call_text(r, call, sizeof(call));
	add_text(o, "name", r->request.name);
	add_text(o, "call", call);
	json_object_object_add(o, "flags", flags_json(r->request.flags));
	json_object_object_add(o, "exit_signal", signal_json(r->request.exit_signal));
	json_object_object_add(o, "agree", json_object_new_boolean(r->agree));
	if (r->refused)
		json_object_object_add(o, "refused", refusal_json(r));
	for (size_t i = 0; !r->refused && i < PROBE_ANSWER_COUNT; i++)
		json_object_array_add(list, answer_json(&r->answers[i]));
	json_object_object_add(o, "resources", list);
	return o;
}

int probe_view_json(const struct probe_view *view, const struct probe_result *results, size_t n)
{
	struct json_object *o = json_object_new_object(), *list = json_object_new_array();

	json_object_object_add(o, "schema", json_object_new_int(1));
	add_text(o, "kernel", view->kernel);
	for (size_t i = 0; i < n; i++)
		json_object_array_add(list, result_json(&results[i]));
	json_object_object_add(o, "probes", list);
	return out_json(view->out, o);
}
