/* SPDX-License-Identifier: MIT */
/* The family tree, the flat table, the groups: rows and columns through out. */
#include <errno.h>
#include <stdlib.h>

#include "tree/tree.h"

#define NO_LINE NULL

struct drawing {
	const struct tree *t;
	const struct tree_view *view;
	struct out_table table;
	const struct tree_column *columns[TREE_COLUMNS_MAX];
	size_t count;
	size_t named;	/* column with the names */
	size_t printed; /* lines so far */
};

/* Does the column say anything about a task shown? */
static bool says_anything(const struct tree *t, const struct tree_column *column)
{
	struct tree_cell cell;

	for (size_t i = 0; i < t->row_count; i++) {
		tree_cell(t, column, &t->s.entries[t->rows[i]], &cell);
		if (cell.state == CELL_VALUE)
			return true;
	}
	return false;
}

static bool is_wanted(const struct tree *t, const struct tree_column *column)
{
	if (t->request->chosen)
		return true;
	if (column->flags & TREE_SHARED)
		return tree_shares_any(t, (enum inspect_object)column->tag);
	if (column->flags & TREE_NOTED)
		return says_anything(t, column);
	return true;
}

static void begin(struct drawing *d, bool as_tree)
{
	struct out_column columns[TREE_COLUMNS_MAX];

	d->count = d->named = 0;
	for (size_t i = 0; i < d->t->request->column_count; i++)
		if (is_wanted(d->t, d->t->request->columns[i]))
			d->columns[d->count++] = d->t->request->columns[i];
	for (size_t i = d->count; i-- > 0;)
		if (d->columns[i]->flags & TREE_NAME)
			d->named = i;
	for (size_t i = 0; i < d->count; i++) {
		const int flags = d->columns[i]->flags;
		const bool trunk = as_tree && i == d->named;

		columns[i].title = d->columns[i]->name;
		columns[i].flags = OUT_CLEAN | (flags & TREE_RIGHT && !trunk ? OUT_RIGHT : 0) |
				   (flags & TREE_WRAP && i + 1 == d->count ? OUT_WRAP : 0) |
				   (trunk ? OUT_TREE : 0);
	}
	out_table_begin(&d->table, d->view->out, d->view->color, columns, d->count);
}

static struct libscols_line *row(struct drawing *d, const struct inspect_entry *e,
				 struct libscols_line *parent)
{
	d->printed++;
	out_table_row_below(&d->table, parent);
	for (size_t i = 0; i < d->count; i++) {
		struct tree_cell cell;

		tree_cell(d->t, d->columns[i], e, &cell);
		/* A note that is none stays empty: it is a sentence, not a value. */
		if (cell.state == CELL_NONE && d->columns[i]->flags & TREE_NOTED)
			cell.text[0] = 0;
		out_table_cell(&d->table, i, cell.text, cell.mark);
	}
	return d->table.line;
}

static bool is_full(const struct drawing *d)
{
	return d->view->lines && d->printed >= d->view->lines;
}

static int draw_rows(struct drawing *d)
{
	const struct tree *t = d->t;
	const bool family = t->request->form == TREE_FAMILY;
	struct libscols_line **lines = calloc(t->s.count + 1, sizeof(struct libscols_line *));

	if (!lines)
		return -ENOMEM;
	begin(d, family);
	for (size_t i = 0; i < t->row_count && !is_full(d); i++) {
		const size_t at = t->rows[i], parent = t->parent[at];
		const bool below = family && parent != SIZE_MAX;

		lines[at] = row(d, &t->s.entries[at], below ? lines[parent] : NO_LINE);
	}
	free(lines);
	return out_table_end(&d->table);
}

static int draw_groups(struct drawing *d, struct tree_groups *g)
{
	begin(d, true);
	for (size_t i = 0; i < g->count && !is_full(d); i++) {
		const struct tree_group *group = &g->groups[i];
		struct libscols_line *head;

		d->printed++;
		out_table_row_below(&d->table, NO_LINE);
		out_table_cell(&d->table, d->named, group->label, OUT_PLAIN);
		head = d->table.line;
		for (size_t k = group->first; k < group->first + group->count && !is_full(d); k++)
			row(d, &d->t->s.entries[g->rows[k]], head);
	}
	return out_table_end(&d->table);
}

/* "57 processes, 4 of them share something with another." */
static void sum_up(const struct tree *t, FILE *out)
{
	size_t processes = 0, sharing = tree_count_sharing(t);

	if (!(t->request->needs & INSPECT_NEED_CLASSES) || t->request->chosen || t->request->with)
		return;
	for (size_t i = 0; i < t->row_count; i++)
		processes += t->s.entries[t->rows[i]].leader == t->rows[i];
	fprintf(out, "\n%zu process%s", processes, processes == 1 ? "" : "es");
	if (sharing)
		fprintf(out, ", %zu of them share%s something with another.\n", sharing,
			sharing == 1 ? "s" : "");
	else if (t->s.foreign || t->s.kcmp_error || tree_count_denied(t))
		fprintf(out, ".\n");
	else
		fprintf(out, "; none shares anything with another.\n");
}

static void sum_groups(const struct tree *t, const struct tree_groups *g, FILE *out)
{
	const char *words = tree_resource(t->request->by)->words;

	if (!g->alone && !g->none && !g->unknown)
		return;
	fprintf(out, "%s%zu %s%s of %s own", g->count ? "\n" : "", g->alone,
		g->alone == 1 ? "has " : "have ", words, g->alone == 1 ? "its" : "their");
	if (g->none)
		fprintf(out, ", %zu %s none", g->none, g->none == 1 ? "has" : "have");
	if (g->unknown)
		fprintf(out, ", of %zu it is not to be known", g->unknown);
	fputs(".\n", out);
}

int tree_view_text(const struct tree *t, const struct tree_view *view)
{
	struct drawing d = {.t = t, .view = view};
	struct tree_groups groups;
	int r;

	if (t->request->form != TREE_GROUPS) {
		if (!t->row_count)
			return 0;
		r = draw_rows(&d);
		if (r == 0)
			sum_up(t, view->out);
		return r;
	}
	r = tree_groups_make(t, &groups);
	if (r == 0 && groups.count)
		r = draw_groups(&d, &groups);
	if (r == 0)
		sum_groups(t, &groups, view->out);
	tree_groups_free(&groups);
	return r;
}
