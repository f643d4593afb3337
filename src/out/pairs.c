/* SPDX-License-Identifier: MIT */
/* Labels and sentences in two columns; sentences wrap at the width of a terminal. */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "out/out.h"

#define TEXT_LEAST 30 /* columns of text, however narrow the terminal */

int out_width(FILE *stream)
{
	struct winsize size;
	const char *columns = getenv("COLUMNS");

	if (!isatty(fileno(stream)))
		return 0;
	if (columns && atoi(columns) > 0)
		return atoi(columns);
	if (ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col)
		return size.ws_col;
	return 80;
}

/* Columns that n bytes of UTF-8 take: all but continuation bytes. */
static int columns_of(const char *text, size_t n)
{
	int columns = 0;

	for (size_t i = 0; i < n; i++)
		columns += ((unsigned char)text[i] & 0xc0) != 0x80;
	return columns;
}

static void wrap(FILE *stream, const char *text, int indent, int width)
{
	int at = 0;

	while (*text) {
		size_t n = strcspn(text, " ");
		int columns = columns_of(text, n);

		if (at && width && at + 1 + columns > width) {
			fprintf(stream, "\n%*s", indent, "");
			at = 0;
		}
		fprintf(stream, "%s%.*s", at ? " " : "", (int)n, text);
		at += columns + (at > 0);
		text += n;
		while (*text == ' ')
			text++;
	}
	fputc('\n', stream);
}

void out_pairs(FILE *stream, bool color, const struct out_pair *pairs, size_t count)
{
	int width = out_width(stream), label = 0;

	for (size_t i = 0; i < count; i++) {
		int columns = columns_of(pairs[i].label, strlen(pairs[i].label));

		label = columns > label && columns <= OUT_LABEL_MOST ? columns : label;
	}
	if (width) {
		width -= label + 4;
		width = width < TEXT_LEAST ? TEXT_LEAST : width;
	}
	for (size_t i = 0; i < count; i++) {
		int columns = columns_of(pairs[i].label, strlen(pairs[i].label));
		const char *on = "", *off = "";

		if (color && pairs[i].mark != OUT_PLAIN) {
			on = pairs[i].mark == OUT_BAD ? "\033[31m" : "\033[2m";
			off = "\033[0m";
		}
		fprintf(stream, "  %s%s%s%*s", on, pairs[i].label, off,
			columns <= label ? label - columns + 2 : 2, "");
		wrap(stream, pairs[i].text, label + 4, width);
	}
}
