/* SPDX-License-Identifier: MIT */
/* Tables through libsmartcols, colour, and the state of the stream. */
#include "out/out.h"

#include <errno.h>
#include <libsmartcols.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WIDE 4096     /* what is not a terminal has no width */
#define WRAP_LEAST 24 /* columns of text, however narrow the terminal */

bool out_use_color(enum out_color wanted, FILE *stream)
{
	const char *no = getenv("NO_COLOR");

	if (wanted != OUT_COLOR_AUTO)
		return wanted == OUT_COLOR_ALWAYS;
	return !(no && *no) && isatty(fileno(stream));
}

static void note(struct out_table *t, int r)
{
	if (r < 0 && !t->error)
		t->error = r;
}

void out_table_begin(struct out_table *t, FILE *stream, bool color,
		     const struct out_column *columns, size_t count)
{
	const bool terminal = isatty(fileno(stream));

	*t = (struct out_table){.table = scols_new_table()};
	if (!t->table) {
		t->error = -ENOMEM;
		return;
	}
	note(t, scols_table_set_stream(t->table, stream));
	note(t, scols_table_enable_colors(t->table, color));
	if (!terminal) {
		note(t, scols_table_set_termforce(t->table, SCOLS_TERMFORCE_NEVER));
		note(t, scols_table_set_termwidth(t->table, WIDE));
	}
	for (size_t i = 0; i < count; i++) {
		int flags = (columns[i].flags & OUT_RIGHT ? SCOLS_FL_RIGHT : 0) |
			    (columns[i].flags & OUT_WRAP && terminal ? SCOLS_FL_WRAP : 0);

		struct libscols_column *column =
			scols_table_new_column(t->table, columns[i].title, 0, flags);

		if (!column)
			note(t, -ENOMEM);
		else if (flags & SCOLS_FL_WRAP) {
			note(t, scols_column_set_safechars(column, "\n"));
			note(t, scols_column_set_wrapfunc(column, scols_wrapnl_chunksize,
							  scols_wrapnl_nextchunk, NULL));
		}
	}
}

void out_table_row(struct out_table *t)
{
	t->line = t->table ? scols_table_new_line(t->table, NULL) : NULL;
	if (!t->line)
		note(t, -ENOMEM);
}

void out_table_cell(struct out_table *t, size_t column, const char *text, enum out_mark mark)
{
	static const char *const colors[] = {[OUT_BAD] = "red", [OUT_DIM] = "darkgray"};

	if (!t->line)
		return;
	note(t, scols_line_set_data(t->line, column, text));
	if (mark != OUT_PLAIN)
		note(t, scols_cell_set_color(scols_line_get_cell(t->line, column), colors[mark]));
}

/* The widest cell of a column, title included; all we print is one byte a column. */
static size_t column_width(struct libscols_table *table, struct libscols_column *column)
{
	const char *title = scols_cell_get_data(scols_column_get_header(column));
	size_t widest = title ? strlen(title) : 0;

	for (size_t i = 0; i < scols_table_get_nlines(table); i++) {
		struct libscols_line *line = scols_table_get_line(table, i);
		const char *text = scols_cell_get_data(scols_line_get_column_cell(line, column));

		if (text && strlen(text) > widest)
			widest = strlen(text);
	}
	return widest;
}

/* Break text into lines of `width` at its blanks; a longer word stays whole. */
static void break_lines(char *text, size_t width)
{
	char *start = text, *blank = NULL;

	for (char *c = text; *c; c++) {
		if (*c == ' ')
			blank = c;
		if ((size_t)(c - start) >= width && blank) {
			*blank = '\n';
			start = blank + 1;
			blank = NULL;
		}
	}
}

/* libsmartcols breaks in the middle of words, but takes the line ends it is given. */
static void wrap(struct out_table *t, struct libscols_column *column)
{
	size_t width = scols_table_get_termwidth(t->table), used = 0;

	for (size_t i = 0; i < scols_table_get_ncols(t->table); i++) {
		struct libscols_column *other = scols_table_get_column(t->table, i);

		if (other != column)
			used += column_width(t->table, other) + 1;
	}
	width = width > used + WRAP_LEAST ? width - used - 1 : WRAP_LEAST;
	for (size_t i = 0; i < scols_table_get_nlines(t->table); i++) {
		struct libscols_line *line = scols_table_get_line(t->table, i);
		struct libscols_cell *cell = scols_line_get_column_cell(line, column);
		char *text = strdup(scols_cell_get_data(cell) ? scols_cell_get_data(cell) : "");

		if (!text) {
			note(t, -ENOMEM);
			return;
		}
		break_lines(text, width);
		note(t, scols_cell_refer_data(cell, text));
	}
}

int out_table_end(struct out_table *t)
{
	for (size_t i = 0; !t->error && i < scols_table_get_ncols(t->table); i++) {
		struct libscols_column *column = scols_table_get_column(t->table, i);

		if (scols_column_is_wrap(column))
			wrap(t, column);
	}
	if (!t->error)
		note(t, scols_print_table(t->table));
	scols_unref_table(t->table);
	t->table = NULL;
	return t->error;
}

int out_finish(FILE *stream)
{
	bool lost = ferror(stream);

	errno = 0;
	if (fflush(stream) == 0 && !lost)
		return 0;
	return errno ? -errno : -EIO;
}
