/* SPDX-License-Identifier: MIT */
/*
 * At the end: the family of all processes that were there, who made whom by what, and what they
 * shared. Threads are folded under their process, children that are alike into one line.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "out/out.h"
#include "trace/record.h"
#include "uapi/clone.h"

/* Threads of a process that were made alike. */
struct fold {
	struct fold *next;
	uint64_t count;
	char kind[24];
	char words[96];
};

struct node {
	struct node *parent, *first, *last, *next;
	struct node *all; /* in the order of making */
	unsigned depth;
	struct libscols_line *line, *above; /* of the table: its own, and the one it hangs below */
	struct fold *folds;
	int tid;
	bool ended;
	int status;
	uint64_t held_ns;
	uint64_t refused;
	char program[64]; /* after each other, if it made tasks as each */
	char kind[24];
	char words[96];
};

struct tree_state {
	FILE *out;
	bool color;
	bool utf8;
	struct trace_map tasks; /* tid to its process' node */
	struct node *all, **last;
	struct node *top, **top_last; /* those that no event made, by `next` */
};

static void *begin(FILE *out, bool color)
{
	struct tree_state *v = calloc(1, sizeof(*v));

	if (!v)
		return NULL;
	v->out = out;
	v->color = color;
	v->utf8 = trace_has_utf8();
	v->last = &v->all;
	v->top_last = &v->top;
	return v;
}

/* ---- As it happens ---- */

/* A text that is cut to its room. */
static void put(char *buf, size_t size, const char *text)
{
	size_t n = strnlen(text, size - 1);

	memcpy(buf, text, n);
	buf[n] = '\0';
}

static struct node *new_node(struct tree_state *v, struct node *parent, int tid)
{
	struct node *n = calloc(1, sizeof(*n));

	if (!n || trace_map_put(&v->tasks, tid, n) < 0) {
		free(n);
		return NULL;
	}
	n->tid = tid;
	n->parent = parent;
	n->depth = parent ? parent->depth + 1 : 0;
	*v->last = n;
	v->last = &n->all;
	if (!parent) {
		*v->top_last = n;
		v->top_last = &n->next;
	} else if (parent->last) {
		parent->last = parent->last->next = n;
	} else {
		parent->first = parent->last = n;
	}
	return n;
}

static int add_thread(struct tree_state *v, struct node *n, const struct trace_note *note)
{
	struct fold *fold = n->folds;

	while (fold && (strcmp(fold->kind, note->kind) ||
			strncmp(fold->words, note->words, sizeof(fold->words) - 1)))
		fold = fold->next;
	if (!fold) {
		fold = calloc(1, sizeof(*fold));
		if (!fold)
			return -ENOMEM;
		put(fold->kind, sizeof(fold->kind), note->kind);
		put(fold->words, sizeof(fold->words), note->words);
		fold->next = n->folds;
		n->folds = fold;
	}
	fold->count++;
	return trace_map_put(&v->tasks, note->event->child, n);
}

static int add_made(struct tree_state *v, const struct trace_note *note)
{
	const struct trace_event *e = note->event;
	struct node *maker = trace_map_get(&v->tasks, e->tid), *n;

	if (maker && e->line.call.flags & CLONE_THREAD)
		return add_thread(v, maker, note);
	n = new_node(v, maker, e->child);
	if (!n)
		return -ENOMEM;
	put(n->program, sizeof(n->program), e->name);
	put(n->kind, sizeof(n->kind), note->kind);
	put(n->words, sizeof(n->words), note->words);
	return 0;
}

static int add_begun(struct tree_state *v, const struct trace_event *e)
{
	struct node *n = trace_map_get(&v->tasks, e->child);

	if (n && e->child != e->tid)
		return trace_map_put(&v->tasks, e->tid, n);
	n = new_node(v, NULL, e->tid);
	if (!n)
		return -ENOMEM;
	put(n->program, sizeof(n->program), e->name);
	return 0;
}

/* What was made before was made by the former program: so that stays in the name. */
static void rename_node(const struct tree_state *v, struct node *n, const char *name)
{
	const size_t length = strlen(n->program);

	if (!n->first && !n->folds)
		put(n->program, sizeof(n->program), name);
	else if (length + strlen(name) + 6 < sizeof(n->program))
		snprintf(n->program + length, sizeof(n->program) - length, " %s %s",
			 v->utf8 ? "→" : "->", name);
}

static int note(void *view, const struct trace_note *note)
{
	const struct trace_event *e = note->event;
	struct tree_state *v = view;
	struct node *n = trace_map_get(&v->tasks, e->kind == TRACE_RELEASED ? e->child : e->tid);

	switch (e->kind) {
	case TRACE_BEGIN:
		return add_begun(v, e);
	case TRACE_MADE:
		return add_made(v, note);
	case TRACE_EXEC:
		if (n)
			rename_node(v, n, e->name);
		break;
	case TRACE_RELEASED:
		if (n)
			n->held_ns = e->took_ns;
		break;
	case TRACE_REFUSED:
		if (n)
			n->refused++;
		break;
	case TRACE_ENDED:
		if (n && n->tid == e->tid) {
			n->ended = true;
			n->status = e->status;
		}
		/* A vfork's end is told after that of the task that held. */
		if (n && n->tid != e->tid)
			trace_map_take(&v->tasks, e->tid);
		break;
	default:
		break;
	}
	return 0;
}

/* ---- At the end ---- */

enum { TASK, BY, SHARED, END };

static const struct out_column columns[] = {[TASK] = {"TASK", OUT_TREE},
					    [BY] = {"BY", 0},
					    [SHARED] = {"SHARED WITH ITS MAKER", 0},
					    [END] = {"END", 0}};

#define DEPTH_MOST 40 /* who is deeper is shown beside its maker */

struct pen {
	const struct tree_state *v;
	struct out_table table;
};

/* Neighbours in one line: they have nothing below, and were made, ran and ended alike. */
static bool is_alike(const struct node *a, const struct node *b)
{
	return b && !a->first && !b->first && !a->folds && !b->folds && !a->refused &&
	       !b->refused && a->ended == b->ended && a->status == b->status &&
	       !strcmp(a->program, b->program) && !strcmp(a->kind, b->kind) &&
	       !strcmp(a->words, b->words);
}

/* The next node that has a line of its own; *ret_count: for how many n stands. */
static struct node *behind(const struct node *n, uint64_t *ret_count)
{
	struct node *next = n->next;

	for (*ret_count = 1; is_alike(n, next); next = next->next)
		++*ret_count;
	return next;
}

static void put_task(struct pen *p, struct libscols_line *above, const char *text)
{
	out_table_row_below(&p->table, above);
	out_table_cell(&p->table, TASK, text, OUT_PLAIN);
}

static void put_folds(struct pen *p, const struct node *n)
{
	char text[48];

	for (const struct fold *fold = n->folds; fold; fold = fold->next) {
		snprintf(text, sizeof(text), "%" PRIu64 " thread%s", fold->count,
			 fold->count == 1 ? "" : "s");
		put_task(p, n->line, text);
		out_table_cell(&p->table, BY, fold->kind, OUT_PLAIN);
		/* What any thread shares needs no saying. */
		if (strcmp(fold->words, "a thread"))
			out_table_cell(&p->table, SHARED, fold->words, OUT_PLAIN);
	}
}

static void put_end(struct pen *p, const struct node *n)
{
	char end[96] = "";

	if (!n->ended)
		snprintf(end, sizeof(end), "runs on");
	else if (n->status)
		trace_end(n->status, end, sizeof(end));
	if (n->refused)
		snprintf(end + strlen(end), sizeof(end) - strlen(end), "%s%" PRIu64 " refused",
			 *end ? ", " : "", n->refused);
	out_table_cell(&p->table, END, end, n->status || n->refused ? OUT_BAD : OUT_PLAIN);
}

/* n, for itself and those like it; its next sibling that has a line of its own. */
static struct node *put_node(struct pen *p, struct node *n)
{
	char task[96], words[200], held[TRACE_AMOUNT];
	uint64_t count;
	struct node *next = behind(n, &count);

	if (count > 1)
		snprintf(task, sizeof(task), "%" PRIu64 " %s %s", count, p->v->utf8 ? "×" : "x",
			 n->program);
	else
		snprintf(task, sizeof(task), "%s %d", n->program, n->tid);
	if (n->parent)
		n->above = n->depth > DEPTH_MOST ? n->parent->above : n->parent->line;
	put_task(p, n->above, task);
	n->line = p->table.line;
	out_table_cell(&p->table, BY, n->kind, OUT_PLAIN);
	trace_time(n->held_ns, held);
	snprintf(words, sizeof(words), "%s%s%s", n->words, n->held_ns ? ", held " : "",
		 n->held_ns ? held : "");
	out_table_cell(&p->table, SHARED, words, OUT_PLAIN);
	put_end(p, n);
	put_folds(p, n);
	return next;
}

/* Without recursion: families may be deep. */
static void put_families(struct pen *p)
{
	struct node *n = p->v->top;

	while (n) {
		struct node *next = put_node(p, n);

		/* Down, else on, else up to one that has somebody behind it: no run stands there. */
		if (n->first) {
			n = n->first;
			continue;
		}
		while (!next && n->parent) {
			n = n->parent;
			next = n->next;
		}
		n = next;
	}
}

static void free_all(struct tree_state *v)
{
	struct node *next;

	for (struct node *n = v->all; n; n = next) {
		struct fold *after;

		next = n->all;
		for (struct fold *fold = n->folds; fold; fold = after) {
			after = fold->next;
			free(fold);
		}
		free(n);
	}
	trace_map_free(&v->tasks);
	free(v);
}

static int end(void *view, const struct record *record)
{
	struct tree_state *v = view;
	struct pen p = {.v = v};
	int result;

	if (!v->top) {
		free_all(v);
		return 0;
	}
	out_table_begin(&p.table, v->out, v->color, columns, sizeof(columns) / sizeof(columns[0]));
	put_families(&p);
	result = out_table_end(&p.table);
	putc('\n', v->out);
	trace_put_sums(record, v->out);
	free_all(v);
	return result;
}

const struct trace_view trace_tree = {
	.name = "tree",
	.begin = begin,
	.note = note,
	.end = end,
};
