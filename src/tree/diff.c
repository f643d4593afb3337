/* SPDX-License-Identifier: MIT */
/* Two tasks side by side: what differs, then what is the same. */
#include <errno.h>
#include <json-c/json.h>
#include <string.h>

#include "tree/tree.h"
#include "tree/words.h"

enum verdict { SAME, DIFFERENT, NEITHER, UNKNOWN };
#define VERDICTS (UNKNOWN + 1)

struct comparison {
	const char *name;
	enum verdict verdict;
	struct tree_cell a, b; /* what each has; of an object that has no number: nothing */
};

#define COMPARISONS_MAX (TREE_RESOURCES + 16)

/* What else a task has that may differ. */
static const char *const attributes[] = {
	"UID", "GID", "CAPS", "NNP", "SECCOMP", "EXIT",
};

static const char *const resource_columns[] = {
	/* by enum ramet_resource's bit number, where a column has its value */
	[5] = "PPID", [9] = "MNT",   [10] = "PIDNS",	[11] = "NET",  [12] = "IPC",
	[13] = "UTS", [14] = "USER", [15] = "CGROUPNS", [16] = "TIME", [17] = "CGROUP",
};

static enum verdict judge(const struct tree_cell *a, const struct tree_cell *b)
{
	if (a->state == CELL_UNKNOWN || b->state == CELL_UNKNOWN)
		return UNKNOWN;
	return strcmp(a->text, b->text) ? DIFFERENT : SAME;
}

static void by_column(const struct tree *t, const char *name, const struct inspect_entry *a,
		      const struct inspect_entry *b, struct comparison *ret)
{
	const struct tree_column *column = tree_column(name, strlen(name));

	tree_cell(t, column, a, &ret->a);
	tree_cell(t, column, b, &ret->b);
	ret->verdict = judge(&ret->a, &ret->b);
}

/* kcmp tells whether it is one object; there is nothing to show of either. */
static void by_class(int object, const struct inspect_entry *a, const struct inspect_entry *b,
		     struct comparison *ret)
{
	const int x = a->class[object], y = b->class[object];

	ret->verdict = x < 0 || y < 0 ? UNKNOWN : x != y ? DIFFERENT : x ? SAME : NEITHER;
	snprintf(ret->a.text, sizeof(ret->a.text), x < 0 ? "?" : x ? "own" : "none");
	snprintf(ret->b.text, sizeof(ret->b.text), y < 0 ? "?" : y ? "own" : "none");
}

static void one_resource(const struct tree *t, const struct tree_resource *r,
			 const struct inspect_entry *a, const struct inspect_entry *b,
			 struct comparison *ret)
{
	*ret = (struct comparison){.name = ramet_resource_name(r->resource)};
	if (r->object)
		by_class(r->object, a, b, ret);
	else if (r->resource == RAMET_THREAD_GROUP)
		by_column(t, "PROCESS", a, b, ret);
	else
		by_column(t, resource_columns[__builtin_ctz(r->resource)], a, b, ret);
}

static const struct inspect_entry *entry_of(const struct tree *t, pid_t tid)
{
	for (size_t i = 0; i < t->s.count; i++)
		if (t->s.entries[i].tid == tid && !t->s.entries[i].gone)
			return &t->s.entries[i];
	return NULL;
}

static size_t compare_all(const struct tree *t, const struct inspect_entry *const pair[2],
			  struct comparison list[static COMPARISONS_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < TREE_RESOURCES; i++)
		one_resource(t, &tree_resources[i], pair[0], pair[1], &list[n++]);
	for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
		const struct tree_column *column =
			tree_column(attributes[i], strlen(attributes[i]));

		list[n] = (struct comparison){.name = column->key};
		by_column(t, attributes[i], pair[0], pair[1], &list[n++]);
	}
	return n;
}

static int find_pair(const struct tree *t, const struct inspect_entry *pair[2])
{
	for (int i = 0; i < 2; i++) {
		pair[i] = entry_of(t, t->request->pids[i]);
		if (!pair[i])
			return -ESRCH;
	}
	return 0;
}

static void list_names(FILE *out, const char *title, enum verdict verdict,
		       const struct comparison *list, size_t n)
{
	char names[512];
	struct words w = {.buf = names, .size = sizeof(names)};

	for (size_t i = 0; i < n; i++) {
		if (list[i].verdict != verdict)
			continue;
		words_part(&w, ", ");
		words_add(&w, "%s", list[i].name);
	}
	if (w.used)
		fprintf(out, "%s: %s\n", title, names);
}

int tree_diff_text(const struct tree *t, const struct tree_view *view)
{
	static struct comparison list[COMPARISONS_MAX];
	struct out_column columns[3] = {{"", OUT_CLEAN}, {NULL, OUT_CLEAN}, {NULL, OUT_CLEAN}};
	const struct inspect_entry *pair[2];
	char titles[2][320];
	struct out_table table;
	size_t n, differ = 0;
	int r = find_pair(t, pair);

	if (r < 0)
		return r;
	for (int i = 0; i < 2; i++) {
		char name[280];

		tree_name(t, pair[i], name, sizeof(name));
		snprintf(titles[i], sizeof(titles[i]), "%d %s", (int)pair[i]->tid, name);
		columns[i + 1].title = titles[i];
	}
	n = compare_all(t, pair, list);
	for (size_t i = 0; i < n; i++)
		differ += list[i].verdict == DIFFERENT;
	if (differ) {
		out_table_begin(&table, view->out, view->color, columns, 3);
		for (size_t i = 0; i < n; i++) {
			if (list[i].verdict != DIFFERENT)
				continue;
			out_table_row(&table);
			out_table_cell(&table, 0, list[i].name, OUT_PLAIN);
			out_table_cell(&table, 1, list[i].a.text, OUT_PLAIN);
			out_table_cell(&table, 2, list[i].b.text, OUT_PLAIN);
		}
		r = out_table_end(&table);
		fputc('\n', view->out);
	}
	list_names(view->out, "the same", SAME, list, n);
	list_names(view->out, "neither has one", NEITHER, list, n);
	list_names(view->out, "not to be known", UNKNOWN, list, n);
	return r;
}

static struct json_object *value(const struct tree_cell *cell)
{
	return cell->state == CELL_VALUE ? json_object_new_string(cell->text) : NULL;
}

int tree_diff_json(const struct tree *t, FILE *out)
{
	static struct comparison list[COMPARISONS_MAX];
	static const char *const keys[] = {"same", "differ", "neither", "not_known"};
	struct json_object *o, *lists[VERDICTS], *pids;
	const struct inspect_entry *pair[2];
	int r = find_pair(t, pair);
	size_t n;

	if (r < 0)
		return r;
	o = json_object_new_object();
	pids = json_object_new_array();
	tree_json_head(t, o);
	for (int i = 0; i < 2; i++)
		json_object_array_add(pids, json_object_new_int(pair[i]->tid));
	json_object_object_add(o, "pids", pids);
	n = compare_all(t, pair, list);
	for (int i = 0; i < VERDICTS; i++)
		lists[i] = json_object_new_array();
	for (size_t i = 0; i < n; i++) {
		struct json_object *one = json_object_new_string(list[i].name);

		if (list[i].verdict == DIFFERENT) {
			struct json_object *values = json_object_new_array(), *name = one;

			json_object_array_add(values, value(&list[i].a));
			json_object_array_add(values, value(&list[i].b));
			one = json_object_new_object();
			json_object_object_add(one, "name", name);
			json_object_object_add(one, "values", values);
		}
		json_object_array_add(lists[list[i].verdict], one);
	}
	for (int i = 0; i < VERDICTS; i++)
		json_object_object_add(o, keys[i], lists[i]);
	return out_json(out, o);
}
