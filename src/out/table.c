/* SPDX-License-Identifier: MIT */
/* Tables through libsmartcols, colour, and the state of the stream. */
#include "out/out.h"

#include <errno.h>
#include <libsmartcols.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WIDE 4096 /* what is not a terminal has no width */

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

		if (!scols_table_new_column(t->table, columns[i].title, 0, flags))
			note(t, -ENOMEM);
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

int out_table_end(struct out_table *t)
{
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
