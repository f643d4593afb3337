/* SPDX-License-Identifier: MIT */
/*
 * One page that needs nothing but itself. page/page.html is it, with a word in double braces
 * where something of the result belongs: a row of `parts` here. The plots are svg.c's, one for
 * wide screens and one for narrow; page.js adds what a pointer does. It reads the result's JSON,
 * without the samples, from within the page.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "bench/view.h"
#include "tree/words.h"

/* Embedded; not ended by a 0. */
extern const char bench_page_html[], bench_page_html_end[];
extern const char bench_page_css[], bench_page_css_end[];
extern const char bench_page_js[], bench_page_js_end[];

static void put(FILE *out, const char *text)
{
	view_xml(out, text, 0);
}

/* ---- The head ------------------------------------------------------------------------------ */

static void put_css(const struct bench_result *result, FILE *out)
{
	(void)result;
	fwrite(bench_page_css, 1, (size_t)(bench_page_css_end - bench_page_css), out);
}

static void put_js(const struct bench_result *result, FILE *out)
{
	(void)result;
	fwrite(bench_page_js, 1, (size_t)(bench_page_js_end - bench_page_js), out);
}

static void put_data(const struct bench_result *result, FILE *out)
{
	view_json(result, out, VIEW_IN_HTML);
}

static void put_workload(const struct bench_result *result, FILE *out)
{
	put(out, result->request->workload->name);
}

static void put_what(const struct bench_result *result, FILE *out)
{
	put(out, result->request->workload->what);
}

static void put_answer(const struct bench_result *result, FILE *out)
{
	const struct bench_ratio *ratio = view_headline(result);
	char line[VIEW_LINE];

	if (!ratio)
		return;
	fputs("<p class=\"answer\">", out);
	put(out, view_ratio(result, ratio, true, line));
	fputs("</p>\n", out);
}

static void put_note(void *context, const char *note)
{
	FILE *out = context;

	fputs("<li>", out);
	put(out, note);
	fputs("</li>\n", out);
}

static void count_note(void *context, const char *note)
{
	(void)note;
	++*(size_t *)context;
}

static void put_notes(const struct bench_result *result, FILE *out)
{
	size_t count = 0;

	view_notes(result, count_note, &count);
	if (!count)
		return;
	fputs("<section class=\"notes\"><h2>Keep in mind</h2>\n<ul>\n", out);
	view_notes(result, put_note, out);
	fputs("</ul></section>\n", out);
}

/* ---- The plot ------------------------------------------------------------------------------ */

static void put_plot(const struct bench_result *result, FILE *out)
{
	static const struct view_frame wide = {
		.name = "wide", .width = 980, .font = 13, .labels = true};
	static const struct view_frame narrow = {.name = "narrow", .width = 350, .font = 12};

	view_svg(result, out, &wide);
	view_svg(result, out, &narrow);
}

static void put_legend(const struct bench_result *result, FILE *out)
{
	for (size_t i = 0; i < result->series_count; i++) {
		if (!view_is_shown(result, i))
			continue;
		fprintf(out, "<button type=\"button\" aria-pressed=\"true\" data-toggle=\"%zu\">",
			i);
		view_swatch(result, out, i);
		fputs("<span>", out);
		put(out, result->series[i].name);
		fputs("</span></button>\n", out);
	}
}

/* ---- Tables -------------------------------------------------------------------------------- */

static void put_places(const struct bench_result *result, FILE *out)
{
	char place[VIEW_SHORT];

	for (size_t k = 0; k < result->request->point_count; k++) {
		view_x(result, result->request->points[k], place);
		fputs("<th scope=\"col\">", out);
		put(out, *place ? place : "time");
		fputs("</th>", out);
	}
}

static void put_row_head(const struct bench_result *result, FILE *out, size_t series)
{
	fputs("<tr><th scope=\"row\"><div class=\"head\">", out);
	view_swatch(result, out, series);
	fputs("<span>", out);
	put(out, result->series[series].name);
	fputs("</span></div></th>", out);
}

static void put_time_cell(FILE *out, const struct bench_point *point)
{
	const struct bench_number *us = &point->us;
	char median[VIEW_SHORT], range[VIEW_LONG] = "";

	if (!view_is_measured(point)) {
		fputs("<td class=\"none\" title=\"", out);
		put(out, point->why);
		fputs("\">–</td>", out);
		return;
	}
	if (us->n > 1 && isfinite(us->p10) && isfinite(us->p90))
		view_range(us->median, us->p10, us->p90, range);
	fprintf(out, "<td title=\"%zu operations\">%s<small>%s</small></td>", us->n,
		view_time(us->median, true, median), range);
}

static void put_interval(FILE *out, double median, double low, double high)
{
	char number[VIEW_SHORT], interval[VIEW_LONG];

	fprintf(out, "%s<small>%s</small>", view_number(median, number),
		view_interval(low, high, interval));
}

static void put_times(const struct bench_result *result, FILE *out)
{
	char place[VIEW_SHORT];

	fputs("<table class=\"times\"><thead><tr><th scope=\"col\"></th>", out);
	put_places(result, out);
	if (result->growth_count)
		fprintf(out, "<th scope=\"col\">last / %s</th>",
			view_x(result, result->growths[0].from, place));
	fputs("</tr></thead><tbody>\n", out);
	for (size_t i = 0; i < result->series_count; i++) {
		const struct bench_growth *growth = view_growth(result, result->series[i].name);

		if (!view_is_shown(result, i))
			continue;
		put_row_head(result, out, i);
		for (size_t k = 0; k < result->request->point_count; k++)
			put_time_cell(out, &result->series[i].points[k]);
		if (growth) {
			fputs("<td class=\"growth\">× ", out);
			put_interval(out, growth->median, growth->low, growth->high);
			fputs("</td>", out);
		} else if (result->growth_count) {
			fputs("<td class=\"none\">–</td>", out);
		}
		fputs("</tr>\n", out);
	}
	fputs("</tbody></table>\n", out);
}

/* The first ratio of its pair heads a row. */
static bool is_first(const struct bench_result *result, size_t ratio)
{
	for (size_t i = 0; i < ratio; i++)
		if (!strcmp(result->ratios[i].a, result->ratios[ratio].a) &&
		    !strcmp(result->ratios[i].b, result->ratios[ratio].b))
			return false;
	return true;
}

static void put_ratio_cell(const struct bench_result *result, FILE *out,
			   const struct bench_ratio *pair, uint64_t x)
{
	for (size_t i = 0; i < result->ratio_count; i++) {
		const struct bench_ratio *ratio = &result->ratios[i];

		if (ratio->x != x || strcmp(ratio->a, pair->a) != 0 ||
		    strcmp(ratio->b, pair->b) != 0 || !isfinite(ratio->median))
			continue;
		fprintf(out, "<td title=\"%zu rounds\"%s>", ratio->rounds,
			ratio->worthless ? " class=\"worthless\"" : "");
		put_interval(out, ratio->median, ratio->low, ratio->high);
		if (ratio->worthless)
			fprintf(out, "<em>%s</em>", view_worthless(ratio));
		fputs("</td>", out);
		return;
	}
	fputs("<td class=\"none\">–</td>", out);
}

static void put_ratios(const struct bench_result *result, FILE *out)
{
	if (!result->ratio_count) {
		fputs("<p>No pair of variants was measured together.</p>\n", out);
		return;
	}
	fputs("<table class=\"ratios\"><thead><tr><th scope=\"col\"></th>", out);
	for (size_t k = 0; k < result->request->point_count; k++) {
		char place[VIEW_SHORT];

		view_x(result, result->request->points[k], place);
		fprintf(out, "<th scope=\"col\">%s</th>", *place ? place : "ratio");
	}
	fputs("</tr></thead><tbody>\n", out);
	for (size_t i = 0; i < result->ratio_count; i++) {
		if (!is_first(result, i))
			continue;
		fputs("<tr><th scope=\"row\"><div class=\"head\"><span>", out);
		put(out, result->ratios[i].a);
		fputs(" <span class=\"by\">/</span> ", out);
		put(out, result->ratios[i].b);
		fputs("</span></div></th>", out);
		for (size_t k = 0; k < result->request->point_count; k++)
			put_ratio_cell(result, out, &result->ratios[i], result->request->points[k]);
		fputs("</tr>\n", out);
	}
	fputs("</tbody></table>\n", out);
}

static void put_bytes_cell(FILE *out, int64_t bytes)
{
	char text[VIEW_SHORT] = "–";

	if (bytes >= 0)
		bench_x_text(BENCH_BYTES, (uint64_t)bytes, text, sizeof(text));
	fprintf(out, "<td>%s</td>", text);
}

static void put_fact_row(const struct bench_result *result, FILE *out, const char *name, bool huge,
			 size_t offset)
{
	bool any = false;

	for (size_t k = 0; k < result->request->point_count; k++)
		any = any || view_has_facts(&result->facts[huge][k]);
	if (!any)
		return;
	fprintf(out, "<tr><th scope=\"row\">%s</th>", name);
	for (size_t k = 0; k < result->request->point_count; k++) {
		const struct bench_stage_facts *facts = &result->facts[huge][k];
		const void *at = (const char *)facts + offset;

		put_bytes_cell(out, view_has_facts(facts) ? *(const int64_t *)at : -1);
	}
	fputs("</tr>\n", out);
}

/* Page faults of an operation: rows of the same table as the parent's memory. */
static void put_fault_row(const struct bench_result *result, FILE *out, size_t series)
{
	bool any = false;

	for (size_t k = 0; k < result->request->point_count; k++) {
		const struct bench_point *point = &result->series[series].points[k];

		any = any || (view_is_measured(point) && point->faults > 0);
	}
	if (!any)
		return;
	put_row_head(result, out, series);
	for (size_t k = 0; k < result->request->point_count; k++) {
		const struct bench_point *point = &result->series[series].points[k];

		if (view_is_measured(point) && point->faults >= 0)
			fprintf(out, "<td>%.0f</td>", point->faults);
		else
			fputs("<td class=\"none\">–</td>", out);
	}
	fputs("</tr>\n", out);
}

static void put_memory(const struct bench_result *result, FILE *out)
{
	fputs("<table><thead><tr><th scope=\"col\"></th>", out);
	put_places(result, out);
	fputs("</tr></thead><tbody>\n", out);
	put_fact_row(result, out, "VmRSS", false, offsetof(struct bench_stage_facts, vm_rss));
	put_fact_row(result, out, "VmPTE", false, offsetof(struct bench_stage_facts, vm_pte));
	put_fact_row(result, out, "VmRSS, huge pages", true,
		     offsetof(struct bench_stage_facts, vm_rss));
	put_fact_row(result, out, "VmPTE, huge pages", true,
		     offsetof(struct bench_stage_facts, vm_pte));
	fprintf(out,
		"<tr class=\"part\"><th scope=\"rowgroup\" colspan=\"%zu\">page faults of one "
		"operation</th></tr>\n",
		result->request->point_count + 1);
	for (size_t i = 0; i < result->series_count; i++)
		put_fault_row(result, out, i);
	fputs("</tbody></table>\n", out);
}

/* What each variant does, and the system calls of it if they were counted. */
static void put_variants(const struct bench_result *result, FILE *out)
{
	fputs("<dl class=\"variants\">\n", out);
	for (size_t i = 0; i < result->series_count; i++) {
		const struct bench_series *series = &result->series[i];
		char calls[BENCH_CALLS_MAX * 40] = "";
		struct words w = {calls, sizeof(calls), 0};

		fputs("<dt>", out);
		put(out, series->name);
		fputs("</dt><dd>", out);
		put(out, series->what ? series->what : "");
		if (series->peer) {
			fputs("<code>", out);
			put(out, series->peer->command);
			fputs("</code>", out);
		}
		view_calls(&series->calls, &w);
		if (series->counted && !series->calls.count)
			words_add(&w, "not known: %s", series->calls.why);
		if (series->counted) {
			fputs("<p class=\"calls\">System calls: ", out);
			put(out, calls);
			fputs("</p>", out);
		}
		fputs("</dd>\n", out);
	}
	fputs("</dl>\n", out);
}

/* ---- How and where ------------------------------------------------------------------------- */

static void put_run(const struct bench_result *result, FILE *out)
{
	char text[VIEW_LINE];

	view_run(result, text, sizeof(text));
	put(out, text);
}

static void put_fact(FILE *out, const char *name, const char *text)
{
	if (!*text)
		return;
	fprintf(out, "<dt>%s</dt><dd>", name);
	put(out, text);
	fputs("</dd>\n", out);
}

static void put_machine(const struct bench_result *result, FILE *out)
{
	const struct bench_machine *m = &result->machine;
	char text[VIEW_LINE], memory[VIEW_SHORT], available[VIEW_SHORT];

	fputs("<dl class=\"facts\">\n", out);
	put_fact(out, "System", m->system);
	snprintf(text, sizeof(text), "%s, %d usable", m->processor, m->processors);
	put_fact(out, "Processor", text);
	bench_x_text(BENCH_BYTES, m->memory, memory, sizeof(memory));
	bench_x_text(BENCH_BYTES, m->available, available, sizeof(available));
	snprintf(text, sizeof(text), "%s, %s available", memory, available);
	put_fact(out, "Memory", text);
	put_fact(out, "C library", m->libc);
	put_fact(out, "Huge pages", m->thp);
	put_fact(out, "Governor", m->governor);
	put_fact(out, "Hypervisor", m->hypervisor);
	snprintf(text, sizeof(text), "%.2f, %.2f, %.2f before; %.2f after", m->load[0], m->load[1],
		 m->load[2], result->load_after);
	put_fact(out, "Load", text);
	put_fact(out, "Date", m->date);
	put_fact(out, "ramet", m->version);
	fputs("</dl>\n", out);
}

static void put_command(const struct bench_result *result, FILE *out)
{
	put(out, result->request->command ? result->request->command : "");
}

/* ---- The page ------------------------------------------------------------------------------ */

static const struct part {
	const char *name;
	void (*put)(const struct bench_result *result, FILE *out);
} parts[] = {
	{"answer", put_answer},	  {"command", put_command},
	{"css", put_css},	  {"data", put_data},
	{"js", put_js},		  {"legend", put_legend},
	{"machine", put_machine}, {"memory", put_memory},
	{"notes", put_notes},	  {"plot", put_plot},
	{"ratios", put_ratios},	  {"run", put_run},
	{"times", put_times},	  {"variants", put_variants},
	{"what", put_what},	  {"workload", put_workload},
};

static const struct part *find_part(const char *name, size_t n)
{
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (strlen(parts[i].name) == n && !strncmp(parts[i].name, name, n))
			return &parts[i];
	return NULL;
}

int bench_view_html(const struct bench_result *result, FILE *out)
{
	const char *at = bench_page_html, *const end = bench_page_html_end;

	while (at < end) {
		const char *open = memmem(at, (size_t)(end - at), "{{", 2), *close;
		const struct part *part;

		if (!open) {
			fwrite(at, 1, (size_t)(end - at), out);
			break;
		}
		fwrite(at, 1, (size_t)(open - at), out);
		close = memmem(open, (size_t)(end - open), "}}", 2);
		part = close ? find_part(open + 2, (size_t)(close - open - 2)) : NULL;
		if (!part)
			return -EINVAL;
		part->put(result, out);
		at = close + 2;
	}
	return view_end(out);
}
