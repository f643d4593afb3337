/* SPDX-License-Identifier: MIT */
/*
 * The plot as SVG: a file of its own, and what html.c puts into the page. With an axis, lines
 * over x with the band from p10 to p90; with a single point, a row a series.
 *
 * All looks are attributes, for a light ground. The page's style sheet, which has the last word
 * over attributes, gives the classes other colours in the dark; page.js finds series and points
 * by data-series and data-x.
 */
#include <math.h>
#include <string.h>

#include "bench/view.h"

#define INK "#1c1d20"
#define SOFT "#5d6068"
#define GRID "#e3e4e8"
#define GROUND "#ffffff"

#define PLOT_LEAST 400 /* pixels of height */
#define ROW 28	       /* of a series, where there are no lines */
#define NAME_MOST 26   /* characters */

static const char *const colors[VIEW_COLORS] = {
	"#2a6fd6", "#d8452e", "#15946a", "#b0399c", "#c77d00", "#5b45b8", "#0d8ba8", "#6f6a5f",
};

static const char *const dashes[VIEW_DASHES] = {"", "7 4", "2 4", "10 4 2 4"};

/* A shape each, drawn from its middle; those of strokes alone come last. */
static const char *const markers[VIEW_MARKERS] = {
	"m-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z",
	"m-3.6-3.6h7.2v7.2h-7.2z",
	"m0-4.8l4.6 8.2h-9.2z",
	"m0-5.2l5.2 5.2-5.2 5.2-5.2-5.2z",
	"m0 4.8l4.6-8.2h-9.2z",
	"m-3.8-3.8l7.6 7.6m0-7.6l-7.6 7.6",
	"m-5 0h10m-5-5v10",
};
#define MARKERS_FILLED 5

struct drawing {
	const struct bench_result *result;
	FILE *out;
	const struct view_frame *frame;
	struct view_scale scale;
	double left, top, width, height; /* of the plot itself */
	double total;			 /* height of all */
	size_t shown[BENCH_SERIES_MAX];
	size_t count;
};

static double x_of(const struct drawing *d, size_t i)
{
	return d->left + d->scale.at[i] * d->width;
}

static double y_of(const struct drawing *d, double us)
{
	return d->top + (1 - view_place(&d->scale, us)) * d->height;
}

static const struct bench_point *point_of(const struct drawing *d, size_t series, size_t i)
{
	return &d->result->series[series].points[d->scale.order[i]];
}

/* An end of the spread, which one measurement alone does not have. */
static double edge(double us, const struct bench_number *of)
{
	return isfinite(us) && us > 0 ? us : of->median;
}

/* About how wide a text is. */
static double width_of(const struct drawing *d, size_t characters)
{
	return (double)characters * d->frame->font * 0.57;
}

static void put_text(const struct drawing *d, double x, double y, const char *anchor,
		     const char *class, const char *text)
{
	fprintf(d->out, "<text class=\"%s\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" fill=\"%s\">",
		class, x, y, anchor, strcmp(class, "soft") != 0 ? INK : SOFT);
	view_xml(d->out, text, 0);
	fputs("</text>\n", d->out);
}

/* ---- Series -------------------------------------------------------------------------------- */

static void begin_series(const struct drawing *d, const char *class, size_t series)
{
	const struct view_style style = view_style(d->result, series);

	fprintf(d->out, "<g class=\"%s c%u\" data-series=\"%zu\" color=\"%s\">", class, style.color,
		series, colors[style.color]);
}

/* How a marker is filled: those of a dashed series are hollow. */
static void begin_markers(FILE *out, struct view_style style)
{
	if (style.marker >= MARKERS_FILLED)
		fputs("<path fill=\"none\" stroke=\"currentColor\" stroke-width=\"2\" d=\"", out);
	else if (style.dash == 1)
		fputs("<path class=\"open\" fill=\"" GROUND
		      "\" stroke=\"currentColor\" stroke-width=\"1.6\" d=\"",
		      out);
	else
		fputs("<path class=\"filled\" fill=\"currentColor\" stroke=\"" GROUND "\" d=\"",
		      out);
}

static void put_marker(FILE *out, struct view_style style, double x, double y)
{
	fprintf(out, "M%.1f %.1f%s", x, y, markers[style.marker]);
}

static void begin_line(FILE *out, struct view_style style)
{
	fputs("<path class=\"line\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"2\" "
	      "stroke-linejoin=\"round\"",
	      out);
	if (*dashes[style.dash])
		fprintf(out, " stroke-dasharray=\"%s\"", dashes[style.dash]);
	fputs(" d=\"", out);
}

void view_swatch(const struct bench_result *result, FILE *out, size_t series)
{
	const struct view_style style = view_style(result, series);

	fprintf(out,
		"<svg class=\"swatch c%u\" color=\"%s\" width=\"30\" height=\"14\" "
		"viewBox=\"0 0 30 14\" aria-hidden=\"true\">",
		style.color, colors[style.color]);
	begin_line(out, style);
	fputs("M1 7h28\"/>", out);
	begin_markers(out, style);
	put_marker(out, style, 15, 7);
	fputs("\"/></svg>", out);
}

/* Points from `from` on that are measured without a gap. */
static size_t run_of(const struct drawing *d, size_t series, size_t from)
{
	size_t n = 0;

	while (from + n < d->scale.count && view_is_measured(point_of(d, series, from + n)))
		n++;
	return n;
}

static void put_band(const struct drawing *d, size_t series, size_t from, size_t n)
{
	fputs("<path class=\"band\" fill=\"currentColor\" fill-opacity=\"0.1\" d=\"", d->out);
	for (size_t i = 0; i < 2 * n; i++) {
		const bool above = i < n;
		const size_t at = from + (above ? i : 2 * n - 1 - i);
		const struct bench_number *us = &point_of(d, series, at)->us;

		fprintf(d->out, "%c%.1f %.1f", i ? 'L' : 'M', x_of(d, at),
			y_of(d, edge(above ? us->p90 : us->p10, us)));
	}
	fputs("z\"/>", d->out);
}

/* A point alone has no band to either side: a bar. */
static void put_bar(const struct drawing *d, size_t series, size_t i)
{
	const struct bench_number *us = &point_of(d, series, i)->us;

	fprintf(d->out,
		"<path class=\"band\" fill=\"none\" stroke=\"currentColor\" stroke-opacity=\"0.25\" "
		"stroke-width=\"6\" d=\"M%.1f %.1fV%.1f\"/>",
		x_of(d, i), y_of(d, edge(us->p90, us)), y_of(d, edge(us->p10, us)));
}

static void put_series(const struct drawing *d, size_t series)
{
	const struct view_style style = view_style(d->result, series);
	size_t n;

	begin_series(d, "series", series);
	for (size_t i = 0; i < d->scale.count; i += n + 1) {
		n = run_of(d, series, i);
		if (n > 1)
			put_band(d, series, i, n);
		else if (n == 1)
			put_bar(d, series, i);
	}
	begin_line(d->out, style);
	for (size_t i = 0; i < d->scale.count; i++)
		if (view_is_measured(point_of(d, series, i)))
			fprintf(d->out, "%c%.1f %.1f",
				i && view_is_measured(point_of(d, series, i - 1)) ? 'L' : 'M',
				x_of(d, i), y_of(d, point_of(d, series, i)->us.median));
	fputs("\"/>", d->out);
	begin_markers(d->out, style);
	for (size_t i = 0; i < d->scale.count; i++)
		if (view_is_measured(point_of(d, series, i)))
			put_marker(d->out, style, x_of(d, i),
				   y_of(d, point_of(d, series, i)->us.median));
	fputs("\"/></g>\n", d->out);
}

/* ---- Names at the ends of the lines -------------------------------------------------------- */

static void put_name(const struct drawing *d, size_t series, double x, double y, const char *anchor)
{
	fprintf(d->out,
		"<text class=\"ink\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" fill=\"" INK "\">", x,
		y, anchor);
	view_xml(d->out, d->result->series[series].name, NAME_MOST);
	if (view_columns(d->result->series[series].name) > NAME_MOST) {
		fputs("<title>", d->out);
		view_xml(d->out, d->result->series[series].name, 0);
		fputs("</title>", d->out);
	}
	fputs("</text>", d->out);
}

static void put_names(const struct drawing *d)
{
	const double step = d->frame->font + 3.5, right = d->left + d->width;
	double at[BENCH_SERIES_MAX];

	for (size_t i = 0; i < d->count; i++)
		at[i] = y_of(d, view_last(d->result, &d->scale, d->shown[i]));
	view_part(at, d->count, step, d->top, d->top + d->height);
	for (size_t i = 0; i < d->count; i++) {
		const size_t series = d->shown[i];
		size_t last = d->scale.count - 1;

		while (!view_is_measured(point_of(d, series, last)))
			last--;
		begin_series(d, "name", series);
		fprintf(d->out,
			"<path class=\"lead\" fill=\"none\" stroke=\"currentColor\" "
			"stroke-opacity=\"0.55\"%s d=\"M%.1f %.1fL%.1f %.1fL%.1f %.1f\"/>",
			last + 1 < d->scale.count ? " stroke-dasharray=\"1 4\"" : "",
			x_of(d, last) + 7, y_of(d, view_last(d->result, &d->scale, series)),
			right + 8, y_of(d, view_last(d->result, &d->scale, series)), right + 26,
			at[i]);
		put_name(d, series, right + 31, at[i] + d->frame->font * 0.35, "start");
		fputs("</g>\n", d->out);
	}
}

/* ---- Axes ---------------------------------------------------------------------------------- */

static void put_heights(const struct drawing *d)
{
	char text[VIEW_SHORT];

	for (size_t i = 0; i < d->scale.tick_count; i++) {
		const double y = y_of(d, d->scale.ticks[i]);

		fprintf(d->out, "<path class=\"grid\" stroke=\"" GRID "\" d=\"M%.1f %.1fh%.1f\"/>",
			d->left, y, d->width);
		put_text(d, d->left - 8, y + d->frame->font * 0.35, "end", "soft",
			 view_tick(d->scale.ticks[i], true, text));
	}
}

/* A mark at each point; names where there is room, the last one's first. */
static void put_points(const struct drawing *d)
{
	const double y = d->top + d->height, right = d->left + d->width;
	double taken = right + d->width, before = d->left - d->width;
	char text[VIEW_SHORT];

	for (size_t k = 0; k < d->scale.count; k++) {
		const size_t i = k ? k - 1 : d->scale.count - 1;
		double half;

		view_x(d->result, d->result->request->points[d->scale.order[i]], text);
		half = width_of(d, strlen(text)) / 2 + 4;
		fprintf(d->out, "<path class=\"tick\" stroke=\"" SOFT "\" d=\"M%.1f %.1fv5\"/>",
			x_of(d, i), y);
		if (k && (x_of(d, i) - half < before || x_of(d, i) + half > taken))
			continue;
		if (k)
			before = x_of(d, i) + half;
		else
			taken = x_of(d, i) - half;
		put_text(d, x_of(d, i), y + 10 + d->frame->font, "middle", "soft", text);
	}
	fprintf(d->out, "<path class=\"tick\" stroke=\"" SOFT "\" d=\"M%.1f %.1fH%.1f\"/>", d->left,
		y, right);
	put_text(d, d->left + d->width / 2, y + 16 + 2.2 * d->frame->font, "middle", "ink",
		 d->result->request->workload->axis);
	/* Where the page shows which point is looked at. */
	for (size_t i = 0; i < d->scale.count; i++)
		fprintf(d->out,
			"<path class=\"cross\" data-x=\"%zu\" visibility=\"hidden\" stroke=\"" SOFT
			"\" d=\"M%.1f %.1fV%.1f\"/>\n",
			d->scale.order[i], x_of(d, i), d->top, y);
}

static void put_lines(const struct drawing *d)
{
	put_heights(d);
	put_points(d);
	for (size_t i = d->count; i-- > 0;)
		put_series(d, d->shown[i]);
	if (d->frame->labels)
		put_names(d);
}

/* ---- A single point: rows ------------------------------------------------------------------ */

static double right_of(const struct drawing *d, double us)
{
	return d->left + view_place(&d->scale, us) * d->width;
}

static void put_row(const struct drawing *d, size_t i)
{
	const size_t series = d->shown[i];
	const struct bench_number *us = &point_of(d, series, 0)->us;
	const struct view_style style = view_style(d->result, series);
	const double y = d->top + ROW * ((double)i + 0.5), middle = y + d->frame->font * 0.35;
	char text[VIEW_SHORT];

	begin_series(d, "series", series);
	put_name(d, series, d->left - 12, middle, "end");
	fprintf(d->out,
		"<path class=\"band\" fill=\"none\" stroke=\"currentColor\" stroke-opacity=\"0.3\" "
		"stroke-width=\"9\" d=\"M%.1f %.1fH%.1f\"/>",
		right_of(d, edge(us->p10, us)), y, right_of(d, edge(us->p90, us)));
	begin_markers(d->out, style);
	put_marker(d->out, style, right_of(d, us->median), y);
	fputs("\"/>", d->out);
	put_text(d, d->left + d->width + 12, middle, "start", "ink",
		 view_time(us->median, true, text));
	fputs("</g>\n", d->out);
}

static void put_rows(const struct drawing *d)
{
	const double bottom = d->top + d->height;
	double before = 0;
	char text[VIEW_SHORT];

	for (size_t i = 0; i < d->scale.tick_count; i++) {
		const double x = right_of(d, d->scale.ticks[i]);
		double half;

		view_tick(d->scale.ticks[i], true, text);
		half = width_of(d, view_columns(text)) / 2 + 4;
		fprintf(d->out, "<path class=\"grid\" stroke=\"" GRID "\" d=\"M%.1f %.1fV%.1f\"/>",
			x, d->top, bottom);
		if (x - half < before)
			continue;
		before = x + half;
		put_text(d, x, bottom + 4 + d->frame->font, "middle", "soft", text);
	}
	fprintf(d->out,
		"<path class=\"cross\" data-x=\"%zu\" visibility=\"hidden\" d=\"M%.1f %.1f\"/>\n",
		d->scale.order[0], d->left + d->width / 2, d->top);
	for (size_t i = 0; i < d->count; i++)
		put_row(d, i);
}

/* ---- All of it ----------------------------------------------------------------------------- */

static size_t longest_name(const struct drawing *d)
{
	size_t most = 0;

	for (size_t i = 0; i < d->count; i++) {
		const size_t n = view_columns(d->result->series[d->shown[i]].name);

		most = n > most ? n : most;
	}
	return most > NAME_MOST ? NAME_MOST : most;
}

static void lay_out(struct drawing *d)
{
	const struct view_frame *frame = d->frame;
	const double names = width_of(d, longest_name(d)), font = frame->font;
	char last[VIEW_SHORT];

	d->top = (frame->alone ? 64 : 0) + 2.8 * font;
	if (d->scale.count == 1) {
		d->left = names + 20;
		d->width = frame->width - d->left - width_of(d, 7) - 20;
		d->height = ROW * (double)d->count;
		d->total = d->top + d->height + 2 * font;
		return;
	}
	d->left = width_of(d, 7) + 8;
	view_x(d->result, d->result->request->points[d->scale.order[d->scale.count - 1]], last);
	d->width = frame->width - d->left -
		   (frame->labels ? names + 40 : fmax(14, width_of(d, strlen(last)) / 2 + 2));
	d->height = fmax(frame->labels ? (double)d->count * (font + 3.5) : 0, PLOT_LEAST);
	d->total = d->top + d->height + 4 * font + 4;
}

static void put_head(const struct drawing *d)
{
	const struct bench_workload *workload = d->result->request->workload;
	const struct bench_machine *m = &d->result->machine;
	char text[VIEW_LINE], place[VIEW_SHORT] = "", at[VIEW_SHORT];

	if (d->frame->alone) {
		fprintf(d->out,
			"<rect class=\"ground\" width=\"%d\" height=\"%.0f\" fill=\"" GROUND
			"\"/>\n"
			"<text x=\"16\" y=\"30\" font-size=\"%d\" font-weight=\"600\" fill=\"" INK
			"\">",
			d->frame->width, d->total, d->frame->font + 5);
		view_xml(d->out, workload->what, 110);
		fputs("</text>\n", d->out);
		snprintf(text, sizeof(text), "%s, %s, %s, ramet %s", m->system, m->processor,
			 m->date, m->version);
		put_text(d, 16, 52, "start", "soft", text);
	}
	if (d->scale.count == 1 && workload->axis)
		snprintf(place, sizeof(place), " %s",
			 view_at(d->result, d->result->request->points[d->scale.order[0]], at));
	snprintf(text, sizeof(text), "time of one %s%s%s", workload->tasks ? "task" : "operation",
		 place, d->frame->labels ? ": median, and p10 to p90; logarithmic" : "");
	put_text(d, d->frame->alone ? 16 : 0, d->top - 1.4 * d->frame->font, "start", "soft", text);
}

void view_svg(const struct bench_result *result, FILE *out, const struct view_frame *frame)
{
	struct drawing d = {.result = result, .out = out, .frame = frame};
	const bool any = view_scale(result, &d.scale);

	if (any) {
		d.count = view_by_last(result, &d.scale, d.shown);
		lay_out(&d);
	} else {
		d.top = d.total = frame->alone ? 140 : 60;
	}
	fprintf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"plot %s\" role=\"img\" "
		"viewBox=\"0 0 %d %.0f\" width=\"%d\" height=\"%.0f\" font-size=\"%d\" "
		"font-family=\"system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif\" "
		"aria-label=\"",
		frame->name, frame->width, d.total, frame->width, d.total, frame->font);
	view_xml(out, result->request->workload->what, 0);
	fputs("\">\n", out);
	put_head(&d);
	if (!any)
		put_text(&d, 16, d.total - 20, "start", "ink", "Nothing was measured.");
	else if (d.scale.count == 1)
		put_rows(&d);
	else
		put_lines(&d);
	fputs("</svg>\n", out);
}

int bench_view_svg(const struct bench_result *result, FILE *out)
{
	static const struct view_frame frame = {
		.name = "wide", .width = 980, .font = 13, .labels = true, .alone = true};

	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", out);
	view_svg(result, out, &frame);
	return view_end(out);
}
