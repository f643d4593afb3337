/* SPDX-License-Identifier: MIT */
/*
 * A result for the terminal: the answer, the plot, times and ratios, what explains them, and last
 * what to beware of. Not wider than the terminal, or 80 columns.
 */
#include <math.h>
#include <string.h>

#include "bench/view.h"
#include "out/out.h"
#include "tree/words.h"

#define WIDTH 80
#define PLOT_WIDEST 110
#define PLOT_LINES 21
#define NAME_MOST 24 /* columns of a name in a table */

struct page {
	const struct bench_result *result;
	FILE *out;
	bool color, utf8;
	int width;
};

const char *bench_x_text(enum bench_unit unit, uint64_t x, char *buf, size_t size)
{
	static const char *const names[] = {"B", "KB", "MB", "GB", "TB"};
	char digits[24], *to = buf;
	size_t n = 0;

	buf[0] = 0;
	if (unit == BENCH_BYTES) {
		double value = (double)x;

		while (value >= 1024 && n + 1 < sizeof(names) / sizeof(names[0])) {
			value /= 1024;
			n++;
		}
		snprintf(buf, size, value < 10 && value != floor(value) ? "%.1f %s" : "%.0f %s",
			 value, names[n]);
	} else if (unit == BENCH_COUNT) {
		/* Thousands apart, as for people. */
		snprintf(digits, sizeof(digits), "%llu", (unsigned long long)x);
		n = strlen(digits);
		for (const char *at = digits; n && to + 2 < buf + size; n--) {
			*to++ = *at++;
			if (n > 3 && n % 3 == 1)
				*to++ = ' ';
		}
		*to = 0;
	}
	return buf;
}

/* ---- Tables over x: as many points in one as the width has room for ------------------------ */

/*
 * A table of some of the points. cell gives the text of a row and a point, false if there is
 * none; spread, which may be NULL, what stands behind it, aligned of its own.
 */
struct grid {
	const char *single; /* title of the column, where there is no axis */
	size_t rows;
	bool (*is_shown)(const struct page *p, size_t row);
	void (*name)(const struct page *p, size_t row, char *buf, size_t size);
	void (*cell)(const struct page *p, size_t row, size_t point, char buf[static VIEW_SHORT]);
	void (*spread)(const struct page *p, size_t row, size_t point, char buf[static VIEW_SHORT]);
};

static void cut_name(char *name)
{
	size_t columns = 0;

	for (char *at = name; *at; at++)
		if ((*at & 0xc0) != 0x80 && columns++ == NAME_MOST) {
			*at = 0;
			return;
		}
}

static size_t spread_width(const struct page *p, const struct grid *grid, size_t point)
{
	char text[VIEW_SHORT];
	size_t widest = 0;

	for (size_t row = 0; grid->spread && row < grid->rows; row++)
		if (grid->is_shown(p, row)) {
			grid->spread(p, row, point, text);
			widest = strlen(text) > widest ? strlen(text) : widest;
		}
	return widest;
}

/* "85.2 µs ± 7%": the signs of a column stand below each other. */
static void fill_cell(const struct page *p, const struct grid *grid, size_t row, size_t point,
		      char *buf, size_t size)
{
	const size_t width = spread_width(p, grid, point);
	char text[VIEW_SHORT], spread[VIEW_SHORT] = "";

	grid->cell(p, row, point, text);
	if (grid->spread)
		grid->spread(p, row, point, spread);
	if (!width)
		snprintf(buf, size, "%s", text);
	else if (*spread)
		snprintf(buf, size, "%s %s%*s", text, p->utf8 ? "±" : "+-", (int)width, spread);
	else
		snprintf(buf, size, "%s%*s", text, (int)width + (p->utf8 ? 2 : 3), "");
}

#define CELL (3 * VIEW_SHORT)

static const char *column_title(const struct page *p, const struct grid *grid, size_t point,
				char buf[static VIEW_SHORT])
{
	view_x(p->result, p->result->request->points[point], buf);
	return *buf ? buf : grid->single;
}

static size_t column_width(const struct page *p, const struct grid *grid, size_t point)
{
	char cell[CELL];
	size_t widest;

	widest = strlen(column_title(p, grid, point, cell));
	for (size_t row = 0; row < grid->rows; row++)
		if (grid->is_shown(p, row)) {
			fill_cell(p, grid, row, point, cell, sizeof(cell));
			widest = view_columns(cell) > widest ? view_columns(cell) : widest;
		}
	return widest;
}

static size_t names_width(const struct page *p, const struct grid *grid)
{
	size_t widest = 0;
	char name[256];

	for (size_t row = 0; row < grid->rows; row++)
		if (grid->is_shown(p, row)) {
			grid->name(p, row, name, sizeof(name));
			cut_name(name);
			widest = view_columns(name) > widest ? view_columns(name) : widest;
		}
	return widest;
}

static int put_part(const struct page *p, const struct grid *grid, size_t from, size_t to)
{
	struct out_column columns[BENCH_POINTS_MAX + 1] = {{"", OUT_CLEAN}};
	char titles[BENCH_POINTS_MAX][VIEW_SHORT], text[256];
	struct out_table t;

	for (size_t k = from; k < to; k++)
		columns[k - from + 1] = (struct out_column){column_title(p, grid, k, titles[k]),
							    OUT_RIGHT | OUT_CLEAN};
	out_table_begin(&t, p->out, p->color, columns, to - from + 1);
	for (size_t row = 0; row < grid->rows; row++) {
		if (!grid->is_shown(p, row))
			continue;
		out_table_row(&t);
		grid->name(p, row, text, sizeof(text));
		cut_name(text);
		out_table_cell(&t, 0, text, OUT_PLAIN);
		for (size_t k = from; k < to; k++) {
			fill_cell(p, grid, row, k, text, sizeof(text));
			out_table_cell(&t, k - from + 1, text, OUT_PLAIN);
		}
	}
	return out_table_end(&t);
}

static void put_grid(const struct page *p, const struct grid *grid)
{
	const size_t count = p->result->request->point_count, names = names_width(p, grid);

	for (size_t from = 0, to; from < count; from = to) {
		size_t used = names;

		for (to = from; to < count; to++) {
			used += 1 + column_width(p, grid, to);
			if (used > (size_t)p->width && to > from)
				break;
		}
		if (from)
			putc('\n', p->out);
		if (put_part(p, grid, from, to) < 0)
			return;
	}
}

static bool any_row(const struct page *p, const struct grid *grid)
{
	for (size_t row = 0; row < grid->rows; row++)
		if (grid->is_shown(p, row))
			return true;
	return false;
}

/* ---- Times --------------------------------------------------------------------------------- */

static bool series_is_shown(const struct page *p, size_t row)
{
	return view_is_shown(p->result, row);
}

static void series_name(const struct page *p, size_t row, char *buf, size_t size)
{
	view_safe(p->result->series[row].name, buf, size);
}

static void series_time(const struct page *p, size_t row, size_t point, char buf[static VIEW_SHORT])
{
	const struct bench_point *at = &p->result->series[row].points[point];

	view_time(view_is_measured(at) ? at->us.median : NAN, p->utf8, buf);
}

static void series_spread(const struct page *p, size_t row, size_t point,
			  char buf[static VIEW_SHORT])
{
	const struct bench_point *at = &p->result->series[row].points[point];

	buf[0] = 0;
	if (view_is_measured(at))
		view_spread(&at->us, buf);
}

static void put_times(const struct page *p)
{
	const struct bench_workload *workload = p->result->request->workload;
	const struct grid grid = {"median",	   p->result->series_count,
				  series_is_shown, series_name,
				  series_time,	   series_spread};

	if (!any_row(p, &grid)) {
		fputs("Nothing was measured.\n", p->out);
		return;
	}
	fprintf(p->out, "Median time of one %s%s%s; at least 8 of 10 lie within %s\n\n",
		workload->tasks ? "task" : "operation", workload->axis ? ", by " : "",
		workload->axis ? workload->axis : "", p->utf8 ? "±" : "+-");
	put_grid(p, &grid);
}

/* ---- Sentences ----------------------------------------------------------------------------- */

/* Bytes of the next word. A number and its unit are one: "8 GB". */
static size_t word_length(const char *text)
{
	size_t n = strcspn(text, " ");

	while (n && text[n] == ' ' && text[n - 1] >= '0' && text[n - 1] <= '9') {
		const size_t unit = strcspn(text + n + 1, " ");

		if (!unit || unit > 3 || !strchr("KMGTmnus\xc2", text[n + 1]))
			break;
		n += 1 + unit;
	}
	return n;
}

/* From column `at` on; further lines are indented so far. */
static void put_wrapped(const struct page *p, int indent, int at, const char *text)
{
	bool first = true;

	for (; *text; first = false) {
		const size_t n = word_length(text);
		char word[VIEW_LINE];
		int columns;

		snprintf(word, sizeof(word), "%.*s", (int)n, text);
		columns = (int)view_columns(word);
		if (!first && at + 1 + columns > p->width) {
			fprintf(p->out, "\n%*s%s", indent, "", word);
			at = indent + columns;
		} else {
			fprintf(p->out, "%s%s", first ? "" : " ", word);
			at += !first + columns;
		}
		text += n;
		while (*text == ' ')
			text++;
	}
	putc('\n', p->out);
}

static void put_pair(const struct page *p, int width, const char *label, const char *text)
{
	const int columns = (int)view_columns(label);

	fprintf(p->out, "  %s%*s", label, width > columns ? width - columns + 2 : 2, "");
	put_wrapped(p, width + 4, 4 + (columns > width ? columns : width), text);
}

/* Columns of the widest name of those series. */
static int series_width(const struct page *p, bool (*is_shown)(const struct page *p, size_t row))
{
	const struct grid grid = {
		.rows = p->result->series_count, .is_shown = is_shown, .name = series_name};

	return (int)names_width(p, &grid);
}

/* How much dearer the last point is than the first. */
static void put_growth(const struct page *p)
{
	char from[VIEW_SHORT], to[VIEW_SHORT], name[256], text[VIEW_LINE];
	char interval[VIEW_LONG], median[VIEW_SHORT];
	const struct bench_growth *last = NULL;

	for (size_t i = 0; i < p->result->growth_count; i++)
		if (!last || p->result->growths[i].x > last->x)
			last = &p->result->growths[i];
	if (!last)
		return;
	fprintf(p->out, "\nTimes at %s as multiples of those at %s\n\n",
		view_x(p->result, last->x, to), view_x(p->result, last->from, from));
	for (size_t i = 0; i < p->result->series_count; i++) {
		const struct bench_growth *growth =
			view_growth(p->result, p->result->series[i].name);

		if (!growth)
			continue;
		series_name(p, i, name, sizeof(name));
		cut_name(name);
		snprintf(text, sizeof(text), "%s (%s)%s%s", view_number(growth->median, median),
			 view_interval(growth->low, growth->high, interval),
			 growth->x != last->x ? " at " : "",
			 growth->x != last->x ? view_x(p->result, growth->x, to) : "");
		put_pair(p, series_width(p, series_is_shown), name, text);
	}
}

/* The others of a pair, behind its greatest: "at 2 MB 3.6 (3.5 to 3.7)". */
static void put_lesser(const struct page *p, const struct bench_ratio *first)
{
	char text[BENCH_POINTS_MAX * 100] = "", number[VIEW_SHORT], interval[VIEW_LONG];
	char at[VIEW_SHORT];
	struct words w = {text, sizeof(text), 0};

	for (size_t i = p->result->ratio_count; i-- > 0;) {
		const struct bench_ratio *other = &p->result->ratios[i];

		if (other == first || strcmp(other->a, first->a) != 0 ||
		    strcmp(other->b, first->b) != 0 || !isfinite(other->median))
			continue;
		words_part(&w, ", ");
		words_add(&w, "%s %s (%s)%s", view_at(p->result, other->x, at),
			  view_number(other->median, number),
			  view_interval(other->low, other->high, interval),
			  other->worthless ? "?" : "");
	}
	if (*text) {
		fputs("    ", p->out);
		put_wrapped(p, 4, 4, text);
	}
}

/* Is it the one with the greatest x of its pair? */
static bool is_greatest(const struct bench_result *result, const struct bench_ratio *ratio)
{
	for (size_t i = 0; i < result->ratio_count; i++) {
		const struct bench_ratio *other = &result->ratios[i];

		if (!strcmp(other->a, ratio->a) && !strcmp(other->b, ratio->b) &&
		    isfinite(other->median) && other->x > ratio->x)
			return false;
	}
	return isfinite(ratio->median);
}

static void put_ratios(const struct page *p)
{
	char line[VIEW_LINE], safe[VIEW_LINE];
	bool any = false, doubtful = false;

	for (size_t i = 0; i < p->result->ratio_count; i++) {
		const struct bench_ratio *ratio = &p->result->ratios[i];

		doubtful = doubtful || ratio->worthless;
		if (!is_greatest(p->result, ratio))
			continue;
		if (!any)
			fputs("\nRatios of turns in the same round, with their interval of 95 %\n\n",
			      p->out);
		any = true;
		view_ratio(p->result, ratio, p->utf8, line);
		fputs(p->color && ratio->worthless ? "  \033[2m" : "  ", p->out);
		put_wrapped(p, 4, 2, view_safe(line, safe, sizeof(safe)));
		put_lesser(p, ratio);
		fputs(p->color && ratio->worthless ? "\033[0m" : "", p->out);
	}
	if (any && doubtful)
		fputs("\n  ? this interval holds 1, or is wider than half of the ratio: it says "
		      "nothing\n",
		      p->out);
}

/* ---- What explains the times --------------------------------------------------------------- */

static const struct fact {
	const char *name;
	size_t offset;
	bool huge;
} facts[] = {
	{"VmRSS", offsetof(struct bench_stage_facts, vm_rss), false},
	{"VmPTE", offsetof(struct bench_stage_facts, vm_pte), false},
	{"VmRSS, huge pages", offsetof(struct bench_stage_facts, vm_rss), true},
	{"VmPTE, huge pages", offsetof(struct bench_stage_facts, vm_pte), true},
	{"AnonHugePages", offsetof(struct bench_stage_facts, huge_bytes), true},
};

static int64_t fact_of(const struct page *p, size_t row, size_t point)
{
	const struct bench_stage_facts *at = &p->result->facts[facts[row].huge][point];

	if (!view_has_facts(at))
		return -1;
	return *(const int64_t *)(const void *)((const char *)at + facts[row].offset);
}

static bool fact_is_shown(const struct page *p, size_t row)
{
	for (size_t k = 0; k < p->result->request->point_count; k++)
		if (fact_of(p, row, k) >= 0)
			return true;
	return false;
}

static void fact_name(const struct page *p, size_t row, char *buf, size_t size)
{
	(void)p;
	snprintf(buf, size, "%s", facts[row].name);
}

static void fact_cell(const struct page *p, size_t row, size_t point, char buf[static VIEW_SHORT])
{
	const int64_t bytes = fact_of(p, row, point);

	if (bytes >= 0)
		bench_x_text(BENCH_BYTES, (uint64_t)bytes, buf, VIEW_SHORT);
	else
		snprintf(buf, VIEW_SHORT, "-");
}

static double faults_of(const struct page *p, size_t row, size_t point)
{
	const struct bench_point *at = &p->result->series[row].points[point];

	return view_is_measured(at) && isfinite(at->faults) ? at->faults : -1;
}

static bool faults_are_shown(const struct page *p, size_t row)
{
	for (size_t k = 0; k < p->result->request->point_count; k++)
		if (faults_of(p, row, k) > 0)
			return true;
	return false;
}

static void faults_cell(const struct page *p, size_t row, size_t point, char buf[static VIEW_SHORT])
{
	const double faults = faults_of(p, row, point);

	snprintf(buf, VIEW_SHORT, faults < 0 ? "-" : "%.0f", faults);
}

static void put_memory(const struct page *p)
{
	const struct grid parent = {"bytes",	   sizeof(facts) / sizeof(facts[0]),
				    fact_is_shown, fact_name,
				    fact_cell,	   NULL};
	const struct grid faults = {"faults",	      p->result->series_count,
				    faults_are_shown, series_name,
				    faults_cell,      NULL};

	if (any_row(p, &parent)) {
		fputs("\nThe process that launches: its memory, and the page tables of it\n\n",
		      p->out);
		put_grid(p, &parent);
	}
	if (any_row(p, &faults)) {
		fputs("\nPage faults of one operation, where there are any\n\n", p->out);
		put_grid(p, &faults);
	}
}

static bool series_is_counted(const struct page *p, size_t row)
{
	return p->result->series[row].counted;
}

static void put_calls(const struct page *p)
{
	char name[256], text[BENCH_CALLS_MAX * 40], why[BENCH_WHY * 4];

	fputs("\nSystem calls of one operation\n\n", p->out);
	for (size_t i = 0; i < p->result->series_count; i++) {
		const struct bench_series *series = &p->result->series[i];
		struct words w = {text, sizeof(text), 0};

		if (!series->counted)
			continue;
		series_name(p, i, name, sizeof(name));
		cut_name(name);
		text[0] = 0;
		view_calls(&series->calls, &w);
		if (!series->calls.count)
			words_add(&w, "not known: %s",
				  view_safe(series->calls.why, why, sizeof(why)));
		put_pair(p, series_width(p, series_is_counted), name, text);
	}
}

/* ---- Where, and what to beware of ---------------------------------------------------------- */

static void put_machine(const struct page *p)
{
	const struct bench_machine *m = &p->result->machine;
	char text[1200], safe[1200], memory[VIEW_SHORT], available[VIEW_SHORT];

	putc('\n', p->out);
	snprintf(text, sizeof(text), "%s, %s, %d processor%s, %s", m->system, m->processor,
		 m->processors, m->processors == 1 ? "" : "s", m->libc);
	put_pair(p, 7, "machine", view_safe(text, safe, sizeof(safe)));
	bench_x_text(BENCH_BYTES, m->memory, memory, sizeof(memory));
	bench_x_text(BENCH_BYTES, m->available, available, sizeof(available));
	snprintf(text, sizeof(text),
		 "%s, %s of it available; transparent huge pages %s; governor %s; hypervisor %s; "
		 "load %.2f, after it %.2f",
		 memory, available, m->thp, m->governor, m->hypervisor, m->load[0],
		 p->result->load_after);
	put_pair(p, 7, "memory", view_safe(text, safe, sizeof(safe)));
	view_run(p->result, text, sizeof(text));
	put_pair(p, 7, "run", text);
	snprintf(text, sizeof(text), "ramet %s, %s", m->version, m->date);
	put_pair(p, 7, "by", view_safe(text, safe, sizeof(safe)));
	if (p->result->request->command)
		put_pair(p, 7, "command",
			 view_safe(p->result->request->command, safe, sizeof(safe)));
}

struct noted {
	const struct page *page;
	bool any;
};

static void put_note(void *context, const char *note)
{
	struct noted *n = context;
	char safe[4 * VIEW_LINE];

	if (!n->any)
		putc('\n', n->page->out);
	n->any = true;
	fputs("  - ", n->page->out);
	put_wrapped(n->page, 4, 4, view_safe(note, safe, sizeof(safe)));
}

void bench_view_text(const struct bench_result *result, FILE *out, bool color, bool calls)
{
	const int width = out_width(out);
	const struct page page = {.result = result,
				  .out = out,
				  .color = color,
				  .utf8 = view_has_utf8(),
				  .width = width ? width : WIDTH};
	const struct bench_ratio *headline = view_headline(result);
	struct noted noted = {.page = &page};
	char line[VIEW_LINE], safe[VIEW_LINE];
	struct view_scale scale;

	if (headline) {
		view_ratio(result, headline, page.utf8, line);
		put_wrapped(&page, 0, 0, view_safe(line, safe, sizeof(safe)));
		putc('\n', out);
	}
	if (width && result->request->workload->axis && view_scale(result, &scale) &&
	    scale.count > 1) {
		bench_plot(result, out, width < PLOT_WIDEST ? width : PLOT_WIDEST, PLOT_LINES,
			   color);
		putc('\n', out);
	}
	put_times(&page);
	put_growth(&page);
	put_ratios(&page);
	put_memory(&page);
	if (calls)
		put_calls(&page);
	put_machine(&page);
	view_notes(result, put_note, &noted);
}
