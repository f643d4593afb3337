/* SPDX-License-Identifier: MIT */
/* Tables through libsmartcols, colour, and the state of the stream. */
#include "out/out.h"

#include <errno.h>
#include <libsmartcols.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WIDE 4096     /* what is not a terminal has no width */
#define WRAP_LEAST 24 /* columns of text, however narrow the terminal */
#define BRANCH 2      /* columns that a level of a tree takes */

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
	bool clean = count > 0;

	*t = (struct out_table){.table = scols_new_table()};
	if (!t->table) {
		t->error = -ENOMEM;
		return;
	}
	note(t, scols_table_set_stream(t->table, stream));
	note(t, scols_table_enable_colors(t->table, color));
	/* libsmartcols would ask standard input how wide it is. */
	note(t, scols_table_set_termwidth(t->table, terminal ? (size_t)out_width(stream) : WIDE));
	if (!terminal)
		note(t, scols_table_set_termforce(t->table, SCOLS_TERMFORCE_NEVER));
	for (size_t i = 0; i < count; i++) {
		int flags = (columns[i].flags & OUT_RIGHT ? SCOLS_FL_RIGHT : 0) |
			    (columns[i].flags & OUT_TREE ? SCOLS_FL_TREE : 0) |
			    (columns[i].flags & OUT_WRAP && terminal ? SCOLS_FL_WRAP : 0);

		struct libscols_column *column =
			scols_table_new_column(t->table, columns[i].title, 0, flags);

		if (!column) {
			note(t, -ENOMEM);
			continue;
		}
		clean = clean && columns[i].flags & OUT_CLEAN;
		if (flags & SCOLS_FL_WRAP) {
			note(t, scols_column_set_safechars(column, "\n"));
			note(t, scols_column_set_wrapfunc(column, scols_wrapnl_chunksize,
							  scols_wrapnl_nextchunk, NULL));
		}
	}
	/* Its own encoding takes a backslash before an x for one of its escapes. */
	note(t, scols_table_enable_noencoding(t->table, clean));
}

void out_table_row_below(struct out_table *t, struct libscols_line *parent)
{
	t->line = t->table ? scols_table_new_line(t->table, parent) : NULL;
	if (!t->line)
		note(t, -ENOMEM);
}

void out_table_row(struct out_table *t)
{
	out_table_row_below(t, NULL);
}

void out_table_cell(struct out_table *t, size_t column, const char *text, enum out_mark mark)
{
	static const char *const colors[] = {
		[OUT_BAD] = "red", [OUT_DIM] = "darkgray", [OUT_SHARED] = "cyan"};

	if (!t->line)
		return;
	note(t, scols_line_set_data(t->line, column, text));
	if (mark != OUT_PLAIN)
		note(t, scols_cell_set_color(scols_line_get_cell(t->line, column), colors[mark]));
}

/* Characters of UTF-8: all bytes but those that go on with one. */
static size_t columns_of(const char *text)
{
	size_t n = 0;

	for (; text && *text; text++)
		n += (*text & 0xc0) != 0x80;
	return n;
}

/* The widest cell of a column, title included, and the branches in front of it. */
static size_t column_width(struct libscols_table *table, struct libscols_column *column)
{
	size_t widest = columns_of(scols_cell_get_data(scols_column_get_header(column)));
	struct libscols_iter *at = scols_new_iter(SCOLS_ITER_FORWARD);
	struct libscols_line *line;

	while (at && scols_table_next_line(table, at, &line) == 0) {
		struct libscols_line *above = scols_column_is_tree(column) ? line : NULL;
		size_t n =
			columns_of(scols_cell_get_data(scols_line_get_column_cell(line, column)));

		while (above && (above = scols_line_get_parent(above)))
			n += BRANCH;
		widest = n > widest ? n : widest;
	}
	scols_free_iter(at);
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
	struct libscols_iter *at = scols_new_iter(SCOLS_ITER_FORWARD);
	struct libscols_line *line;

	for (size_t i = 0; i < scols_table_get_ncols(t->table); i++) {
		struct libscols_column *other = scols_table_get_column(t->table, i);

		if (other != column)
			used += column_width(t->table, other) + 1;
	}
	width = width > used + WRAP_LEAST ? width - used - 1 : WRAP_LEAST;
	note(t, at ? 0 : -ENOMEM);
	while (at && !t->error && scols_table_next_line(t->table, at, &line) == 0) {
		struct libscols_cell *cell = scols_line_get_column_cell(line, column);
		char *text = strdup(scols_cell_get_data(cell) ? scols_cell_get_data(cell) : "");

		if (!text) {
			note(t, -ENOMEM);
			break;
		}
		break_lines(text, width);
		note(t, scols_cell_refer_data(cell, text));
	}
	scols_free_iter(at);
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

/*
 * Of a write that failed before, stdio keeps that it did, not why. One more fails for the same
 * reason; EIO only where that has passed.
 */
int out_finish(FILE *stream)
{
	bool lost = ferror(stream);

	errno = 0;
	if (fflush(stream) == 0 && !lost)
		return 0;
	if (!errno && putc('\n', stream) != EOF)
		fflush(stream);
	return errno ? -errno : -EIO;
}

void out_forget(FILE *stream)
{
	__fpurge(stream);
	clearerr(stream);
}
