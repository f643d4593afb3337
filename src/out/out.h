/* SPDX-License-Identifier: MIT */
/* What the verbs write with: tables and JSON on a stream, and whether it all arrived. */
#ifndef RAMET_OUT_OUT_H
#define RAMET_OUT_OUT_H

#include <stdbool.h>
#include <stdio.h>

struct libscols_table;
struct libscols_line;
struct json_object;

enum out_color { OUT_COLOR_AUTO, OUT_COLOR_ALWAYS, OUT_COLOR_NEVER };

/* auto: on a terminal, unless NO_COLOR is set to something. */
bool out_use_color(enum out_color wanted, FILE *stream);

enum out_flag {
	OUT_RIGHT = 1,
	OUT_WRAP = 2, /* on a terminal, takes the width that is left */
	OUT_TREE = 4, /* the lines of out_table_row_below() are drawn in it */
	/* No text of it has bytes that a terminal obeys, or that the locale does not print. If that
	   holds for all columns nothing is escaped. */
	OUT_CLEAN = 8,
};

struct out_column {
	const char *title;
	int flags; /* of enum out_flag */
};

/* Colours mark what differs, or what is shared; nothing else. */
enum out_mark { OUT_PLAIN, OUT_BAD, OUT_DIM, OUT_SHARED };

/*
 * A table in the making; out_table_end() prints and frees it. A pipe gets lines as long as they
 * are. Lack of memory is kept and told at the end, so rows need no checks.
 */
struct out_table {
	struct libscols_table *table;
	struct libscols_line *line;
	int error;
};

void out_table_begin(struct out_table *t, FILE *stream, bool color,
		     const struct out_column *columns, size_t count);
void out_table_row(struct out_table *t);
/* A row below another, which t->line was; NULL: below none. Needs a column with OUT_TREE. */
void out_table_row_below(struct out_table *t, struct libscols_line *parent);
void out_table_cell(struct out_table *t, size_t column, const char *text, enum out_mark mark);
int out_table_end(struct out_table *t);

/* A label and what there is to say about it. */
struct out_pair {
	const char *label;
	const char *text;
	enum out_mark mark; /* of the label */
};

/* Longer labels do not move the column of texts. */
#define OUT_LABEL_MOST 34

/* Columns of the terminal; 0: none, so lines are as long as they are. */
int out_width(FILE *stream);

void out_pairs(FILE *stream, bool color, const struct out_pair *pairs, size_t count);

/* Print and free. 0 or -errno, which is the caller's to tell: out_finish() does not again. */
int out_json(FILE *stream, struct json_object *object);

/* Flush; -errno if anything written to the stream was lost, and after a loss a line end more. */
int out_finish(FILE *stream);
/* What was lost has been told: neither that nor what is still in the buffer is told again. */
void out_forget(FILE *stream);

#endif
