/* SPDX-License-Identifier: MIT */
/*
 * Series over x for a terminal: lines of braille dots (of full stops where the locale has none),
 * a letter at each point, and the names beside the ends of the lines, the dearest at the top.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/view.h"

#define GUTTER 8      /* columns of the times at the left, with the axis */
#define NAME_MOST 26  /* columns of a name at the right */
#define PLOT_LEAST 24 /* columns and … */
#define ROWS_LEAST 6  /* … rows of the plot itself */
#define DOTS_X 2      /* of a character */
#define DOTS_Y 4

struct cell {
	unsigned char dots;
	char letter;
	signed char color; /* of series; -1: none */
};

struct canvas {
	const struct bench_result *result;
	struct view_scale scale;
	FILE *out;
	bool color, utf8;
	int columns, rows;
	struct cell *cells;
	size_t shown[BENCH_SERIES_MAX]; /* series, those with the dearest last point first */
	int row_of[BENCH_SERIES_MAX];	/* the row that the name of shown[i] stands in */
	size_t count;
};

static const char *color_of(const struct canvas *c, int series)
{
	static const char *const colors[] = {
		"\033[94m", "\033[91m", "\033[92m", "\033[95m", "\033[96m", "\033[93m",
		"\033[34m", "\033[31m", "\033[32m", "\033[35m", "\033[36m", "\033[33m",
	};

	return c->color && series >= 0 ? colors[(size_t)series % 12] : "";
}

static const char *color_off(const struct canvas *c)
{
	return c->color ? "\033[0m" : "";
}

/* A to Z, then a to z: a letter a series, in their order. */
static char letter_of(size_t series)
{
	return (char)(series < 26 ? 'A' + series : 'a' + (series - 26) % 26);
}

/* ---- Drawing ---- */

static int dot_x(const struct canvas *c, size_t i)
{
	return (int)lround(c->scale.at[i] * (c->columns * DOTS_X - 1));
}

static int dot_y(const struct canvas *c, double us)
{
	return (int)lround((1 - view_place(&c->scale, us)) * (c->rows * DOTS_Y - 1));
}

static struct cell *cell_at(struct canvas *c, int x, int y)
{
	return &c->cells[y / DOTS_Y * c->columns + x / DOTS_X];
}

static void draw_dot(struct canvas *c, int x, int y, size_t series)
{
	static const unsigned char bits[DOTS_X][DOTS_Y] = {{0x01, 0x02, 0x04, 0x40},
							   {0x08, 0x10, 0x20, 0x80}};
	struct cell *cell = cell_at(c, x, y);

	cell->dots |= bits[x % DOTS_X][y % DOTS_Y];
	cell->color = (signed char)series;
}

static void draw_line(struct canvas *c, int x, int y, int to_x, int to_y, size_t series)
{
	const int steps = abs(to_x - x) > abs(to_y - y) ? abs(to_x - x) : abs(to_y - y);

	for (int i = 0; i <= steps; i++) {
		const double part = steps ? (double)i / steps : 0;

		draw_dot(c, (int)lround(x + part * (to_x - x)), (int)lround(y + part * (to_y - y)),
			 series);
	}
}

/* Between neighbours: where a point is missing, so is the line. */
static void draw_lines(struct canvas *c, size_t series)
{
	const struct bench_point *points = c->result->series[series].points;

	for (size_t i = 0; i + 1 < c->scale.count; i++) {
		const struct bench_point *a = &points[c->scale.order[i]];
		const struct bench_point *b = &points[c->scale.order[i + 1]];

		if (view_is_measured(a) && view_is_measured(b))
			draw_line(c, dot_x(c, i), dot_y(c, a->us.median), dot_x(c, i + 1),
				  dot_y(c, b->us.median), series);
	}
}

static void draw_letters(struct canvas *c, size_t series)
{
	const struct bench_point *points = c->result->series[series].points;

	for (size_t i = 0; i < c->scale.count; i++) {
		const struct bench_point *p = &points[c->scale.order[i]];
		struct cell *cell;

		if (!view_is_measured(p))
			continue;
		cell = cell_at(c, dot_x(c, i), dot_y(c, p->us.median));
		cell->letter = letter_of(series);
		cell->color = (signed char)series;
	}
}

/* ---- Names beside the ends ---- */

static void place_names(struct canvas *c)
{
	double at[BENCH_SERIES_MAX];

	for (size_t i = 0; i < c->count; i++)
		at[i] = dot_y(c, view_last(c->result, &c->scale, c->shown[i])) / DOTS_Y;
	view_part(at, c->count, 1, 0, c->rows - 1);
	/* Rounded down, as heights a row apart stay that. */
	for (size_t i = 0; i < c->count; i++)
		c->row_of[i] = (int)floor(at[i] + 0.25);
}

/* Columns of the widest, cut at NAME_MOST, with the letter. */
static int names_width(const struct canvas *c)
{
	size_t widest = 0;

	for (size_t i = 0; i < c->count; i++) {
		char name[256];
		size_t n = view_columns(
			view_safe(c->result->series[c->shown[i]].name, name, sizeof(name)));

		widest = n > widest ? n : widest;
	}
	return (int)(widest > NAME_MOST ? NAME_MOST : widest) + 3;
}

static void put_name(const struct canvas *c, size_t series, int width)
{
	char name[256];
	const char *end;
	int n = 0;

	view_safe(c->result->series[series].name, name, sizeof(name));
	for (end = name; *end && (n < NAME_MOST || (*end & 0xc0) == 0x80); end++)
		n += (*end & 0xc0) != 0x80;
	fprintf(c->out, "%s%c%s %.*s%*s", color_of(c, (int)series), letter_of(series), color_off(c),
		(int)(end - name), name, width > n + 2 ? width - n - 2 : 0, "");
}

/* ---- Printing ---- */

static void put_cell(const struct canvas *c, const struct cell *cell, bool grid)
{
	if (!cell->letter && !cell->dots) {
		if (grid && c->utf8)
			fprintf(c->out, "%s·%s", c->color ? "\033[2m" : "", color_off(c));
		else
			putc(' ', c->out);
		return;
	}
	fputs(color_of(c, cell->color), c->out);
	if (cell->letter)
		putc(cell->letter, c->out);
	else if (c->utf8)
		fprintf(c->out, "\xe2%c%c", 0xa0 | cell->dots >> 6, 0x80 | (cell->dots & 0x3f));
	else
		putc('.', c->out);
	fputs(color_off(c), c->out);
}

/* The tick of a row; 0: none. */
static double tick_in(const struct canvas *c, int row)
{
	for (size_t i = 0; i < c->scale.tick_count; i++)
		if (dot_y(c, c->scale.ticks[i]) / DOTS_Y == row)
			return c->scale.ticks[i];
	return 0;
}

static void put_row(const struct canvas *c, int row, bool names)
{
	const double tick = tick_in(c, row);
	char text[VIEW_SHORT] = "";
	int last = c->columns - 1;
	size_t named = c->count;

	for (size_t i = 0; names && i < c->count; i++)
		if (c->row_of[i] == row)
			named = i;
	if (tick > 0)
		view_tick(tick, c->utf8, text);
	fprintf(c->out, "%*s%s ", GUTTER - 2 - (int)view_columns(text), "", text);
	if (c->utf8)
		fputs(tick > 0 ? "┤" : "│", c->out);
	else
		putc(tick > 0 ? '+' : '|', c->out);
	/* No blanks at the end of a line. */
	while (named == c->count && tick <= 0 && last >= 0 &&
	       !c->cells[row * c->columns + last].letter && !c->cells[row * c->columns + last].dots)
		last--;
	for (int x = 0; x <= last; x++)
		put_cell(c, &c->cells[row * c->columns + x], tick > 0);
	if (named < c->count) {
		putc(' ', c->out);
		put_name(c, c->shown[named], 0);
	}
	putc('\n', c->out);
}

/* The axis with a mark at each point, and below it as many of their names as there is room for. */
static void put_axis(const struct canvas *c)
{
	char line[512], place[VIEW_SHORT];
	bool marks[512] = {false};
	int columns = c->columns + GUTTER, end = 0;

	if (columns + VIEW_SHORT > (int)sizeof(line))
		return;
	memset(line, ' ', sizeof(line));
	/* The last one first: it is the one that counts. */
	for (size_t k = 0; k < c->scale.count; k++) {
		const size_t i = k ? k - 1 : c->scale.count - 1;
		const int at = GUTTER + dot_x(c, i) / DOTS_X;
		int n, from;
		bool free = true;

		view_x(c->result, c->result->request->points[c->scale.order[i]], place);
		n = (int)strlen(place);
		from = at - n / 2 + n > columns ? columns - n : at - n / 2;
		from = from < 0 ? 0 : from;
		marks[at] = true;
		for (int x = from > 1 ? from - 2 : 0; x < from + n + 2; x++)
			free = free && line[x] == ' ';
		if (!free)
			continue;
		memcpy(line + from, place, (size_t)n);
		end = from + n > end ? from + n : end;
	}
	fprintf(c->out, "%*s%s", GUTTER - 1, "", c->utf8 ? "└" : "+");
	for (int x = GUTTER; x < columns; x++)
		fputs(c->utf8 ? marks[x] ? "┴" : "─" : marks[x] ? "+" : "-", c->out);
	fprintf(c->out, "\n%.*s\n", end, line);
	fprintf(c->out, "%*s%s\n",
		(columns + GUTTER - (int)view_columns(c->result->request->workload->axis)) / 2, "",
		c->result->request->workload->axis);
}

/* All names below the plot, where they have no room beside it. */
static void put_legend(const struct canvas *c, int width)
{
	const int each = names_width(c) + 1;
	int at = 0;

	for (size_t i = 0; i < c->count; i++) {
		if (at && at + each > width) {
			putc('\n', c->out);
			at = 0;
		}
		if (!at)
			fputs("  ", c->out);
		at += at ? each : each + 2;
		put_name(c, c->shown[i], i + 1 < c->count && at + each <= width ? each : 0);
	}
	putc('\n', c->out);
}

void bench_plot(const struct bench_result *result, FILE *out, int width, int height, bool color)
{
	struct canvas c = {.result = result, .out = out, .color = color, .utf8 = view_has_utf8()};
	bool names;

	if (!result->request->workload->axis || !view_scale(result, &c.scale) || c.scale.count < 2)
		return;
	c.count = view_by_last(result, &c.scale, c.shown);
	c.rows = height - 3 > ROWS_LEAST ? height - 3 : ROWS_LEAST;
	c.columns = width - GUTTER - names_width(&c);
	names = c.columns >= PLOT_LEAST && (int)c.count <= c.rows;
	if (!names)
		c.columns = width - GUTTER > PLOT_LEAST ? width - GUTTER : PLOT_LEAST;
	if (c.columns > 400)
		c.columns = 400;
	c.cells = calloc((size_t)c.columns * (size_t)c.rows, sizeof(*c.cells));
	if (!c.cells)
		return;
	for (size_t i = c.count; i-- > 0;)
		draw_lines(&c, c.shown[i]);
	for (size_t i = c.count; i-- > 0;)
		draw_letters(&c, c.shown[i]);
	place_names(&c);
	for (int row = 0; row < c.rows; row++)
		put_row(&c, row, names);
	put_axis(&c);
	if (!names)
		put_legend(&c, width);
	free(c.cells);
}
