/* SPDX-License-Identifier: MIT */
/*
 * ramet tree: live tasks and what they share. inspect knows the facts; here they get an order,
 * letters, sentences and columns.
 *
 *	make.c     the snapshot in the order of the family; who is shown; letters
 *	groups.c   tasks by what they have of one resource
 *	notes.c    what a task shares, in words
 *	columns.c  the table of columns (columns.def) and what stands in each
 *	cells.c    the longer ones of these
 *	view.c     family tree, table, groups
 *	diff.c     two tasks side by side
 *	json.c     the same for programs
 *	text.c     names of tasks, made harmless
 */
#ifndef RAMET_TREE_TREE_H
#define RAMET_TREE_TREE_H

#include <ramet/ramet.h>
#include <stdbool.h>
#include <stdio.h>

#include "inspect/snapshot.h"
#include "out/out.h"

struct json_object;

/* ---- columns ------------------------------------------------------------------------------- */

enum tree_type {
	TREE_NUMBER,
	TREE_TEXT,
	TREE_BOOL,
	TREE_CLASS, /* JSON: a number; 0: has none; null: not to be known */
	TREE_WORDS, /* JSON: an array */
};

enum tree_column_flag {
	TREE_RIGHT = 1 << 0,
	TREE_DEFAULT = 1 << 1,
	TREE_SHARED = 1 << 2, /* default where two processes share one */
	TREE_WIDE = 1 << 3,   /* default where there is room for it */
	TREE_NOTED = 1 << 4,  /* default where it says anything */
	TREE_WRAP = 1 << 5,
	TREE_NAME = 1 << 6, /* carries the tree */
};

#define TREE_CELL 1024

/* What stands in a row of a column. */
struct tree_cell {
	char text[TREE_CELL]; /* of a table; TREE_WORDS: parted by blanks */
	int64_t number;
	enum out_mark mark;
	enum { CELL_VALUE, CELL_NONE, CELL_UNKNOWN } state; /* '-', '?' in tables, null in JSON */
};

struct tree;
typedef void tree_fill(const struct tree *t, const struct inspect_entry *e, struct tree_cell *ret);

struct tree_column {
	const char *name; /* "MEM" */
	const char *key;  /* in JSON */
	enum tree_type type;
	int width;	/* of what mostly stands in it */
	int flags;	/* of enum tree_column_flag */
	unsigned needs; /* of enum inspect_need */
	const char *help;
	tree_fill *fill;
	int tag; /* for fill: which object, namespace */
};

/* Ended by a row without a name. */
extern const struct tree_column tree_columns[];
#define TREE_COLUMNS_MAX 64

/* What stands in a row: '-' and '?' too. */
void tree_cell(const struct tree *t, const struct tree_column *column,
	       const struct inspect_entry *e, struct tree_cell *ret);

/* By its name in any case or its key, or NULL. */
const struct tree_column *tree_column(const char *name, size_t n);

/* Which columns there are, a line each. */
void tree_columns_help(FILE *stream);

/* ---- what is asked for --------------------------------------------------------------------- */

enum tree_form { TREE_FAMILY, TREE_FLAT, TREE_GROUPS };

struct tree_request {
	enum tree_form form;
	bool threads; /* a row each */
	bool all;     /* zombies and kernel threads as well */
	const pid_t *pids;
	size_t pid_count;	/* with their descendants; 0: every task */
	pid_t with;		/* who shares with it; 0: not asked */
	enum ramet_resource by; /* TREE_GROUPS */
	unsigned needs;		/* of enum inspect_need */
	bool chosen;		/* columns are those asked for: none is left out or added */
	const struct tree_column **columns; /* in order */
	size_t column_count;
};

/* ---- the tasks ----------------------------------------------------------------------------- */

/* A class of one object. */
struct tree_class {
	unsigned processes; /* that have it, by any of their threads */
	unsigned tasks;
	size_t head; /* the first process in the order of the family */
	int letter;  /* from 1; 0: no letter */
};

struct tree {
	const struct tree_request *request;
	struct inspect_snapshot s;
	size_t *order; /* processes, parents before children */
	size_t process_count;
	size_t *parent; /* by entry: the process it hangs below, SIZE_MAX: none */
	bool *shown;	/* by entry */
	size_t *rows;	/* entries that are shown, in order */
	size_t row_count;
	struct tree_class *classes[INSPECT_OBJECTS];
	int class_count[INSPECT_OBJECTS]; /* classes, INSPECT_NO_OBJECT included */
	uint64_t home[INSPECT_NS_COUNT]; /* the namespaces of init, or else our own; 0: not known */
	const char *home_word;		 /* "host", or "here" where init is no machine's */
	bool json;			 /* cells are made for programs: names as they are */
	pid_t missing;			 /* a task asked for that is not there; 0: all are */
};

/* 0 or -errno; free it in either case. The request must outlive it. */
int tree_make(const struct tree_request *request, bool json, struct tree *ret);
void tree_free(struct tree *t);

/* The class of an entry, or NULL: none, or not to be known. */
const struct tree_class *tree_class_of(const struct tree *t, const struct inspect_entry *e,
				       enum inspect_object object);
/* Is it shared by several processes? */
bool tree_is_shared(const struct tree_class *c);
/* Do any two processes share such an object? */
bool tree_shares_any(const struct tree *t, enum inspect_object object);

/* How many of the processes shown share anything, and how many may not be looked into. */
size_t tree_count_sharing(const struct tree *t);
size_t tree_count_denied(const struct tree *t);

/* ---- resources ----------------------------------------------------------------------------- */

/* What is behind each resource: an object of kcmp, a namespace, or neither. */
struct tree_resource {
	enum ramet_resource resource;
	int object;	   /* 0: none */
	int ns;		   /* -1: none */
	const char *words; /* "cwd and umask" */
};
#define TREE_RESOURCES 17
extern const struct tree_resource tree_resources[TREE_RESOURCES];

const struct tree_resource *tree_resource(enum ramet_resource resource);

/* ---- groups.c ------------------------------------------------------------------------------ */

/* Rows [first, first + count) of `rows` have the same of a resource. */
struct tree_group {
	size_t first, count;
	size_t order;	 /* among the groups */
	char label[256]; /* "A", "4026531840 (host)", "/system.slice/…" */
};

struct tree_groups {
	size_t *rows; /* entries */
	struct tree_group *groups;
	size_t count;
	size_t alone, none, unknown; /* rows in no group */
};

int tree_groups_make(const struct tree *t, struct tree_groups *ret);
void tree_groups_free(struct tree_groups *g);

/* ---- texts --------------------------------------------------------------------------------- */

/* Letters of a class: A … Z, AA … */
void tree_letters(int letter, char buf[static 8]);

/*
 * Text of a stranger for a terminal: what is no printable UTF-8 becomes \n, \t, \xNN. Returns
 * whether there was nothing to change. Never more than size.
 */
bool tree_harmless(const char *text, size_t n, char *buf, size_t size);
/* For JSON: only what is no UTF-8 is replaced; json-c escapes the rest. */
void tree_utf8(const char *text, size_t n, char *buf, size_t size);

/* How many threads of a process live. */
unsigned tree_threads(const struct inspect_entry *process);

/* "cc1", "cc1 (4 threads)", "{cc1}" of a thread. */
void tree_name(const struct tree *t, const struct inspect_entry *e, char *buf, size_t size);

/* What there is to say about a task; "" for nothing. */
void tree_note(const struct tree *t, const struct inspect_entry *e, char *buf, size_t size);

/* Which of its namespaces are not the home ones: their names, a blank between. */
void tree_abroad(const struct tree *t, const struct inspect_entry *e, char *buf, size_t size);

/* "none", "all", "all but sys_admin", "kill, chown", "7 of 41" */
void tree_capabilities(uint64_t set, char *buf, size_t size);

/* "SIGUSR1", "none", "33" */
void tree_signal(int sig, char *buf, size_t size);

/* ---- views --------------------------------------------------------------------------------- */

struct tree_view {
	FILE *out;
	bool color;
	size_t lines; /* rows to print at most; 0: all */
};

int tree_view_text(const struct tree *t, const struct tree_view *view);
int tree_view_json(const struct tree *t, FILE *out);

/* The keys that every document begins with. */
void tree_json_head(const struct tree *t, struct json_object *o);

/* The two of request->pids, which are there. */
int tree_diff_text(const struct tree *t, const struct tree_view *view);
int tree_diff_json(const struct tree *t, FILE *out);

/* Why there are '?': a sentence, or "" if there are none. */
void tree_reason(const struct tree *t, char *buf, size_t size);

#endif
