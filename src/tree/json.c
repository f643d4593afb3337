/* SPDX-License-Identifier: MIT */
/* The tasks for programs, schema 1; keys are promised in ramet-tree(1). */
#include <errno.h>
#include <json-c/json.h>
#include <string.h>

#include "tree/tree.h"

static void add(struct json_object *to, const char *key, struct json_object *value)
{
	json_object_object_add(to, key, value);
}

static struct json_object *text(const char *value)
{
	return json_object_new_string(value);
}

static struct json_object *number(int64_t value)
{
	return json_object_new_int64(value);
}

static struct json_object *words(const char *list)
{
	struct json_object *array = json_object_new_array();

	while (*list) {
		size_t n = strcspn(list, " ");

		json_object_array_add(array, json_object_new_string_len(list, (int)n));
		list += n + (list[n] == ' ');
	}
	return array;
}

static struct json_object *cell_json(const struct tree *t, const struct tree_column *column,
				     const struct inspect_entry *e)
{
	struct tree_cell cell;

	tree_cell(t, column, e, &cell);
	if (cell.state == CELL_UNKNOWN || (cell.state == CELL_NONE && column->type != TREE_CLASS))
		return NULL;
	switch (column->type) {
	case TREE_NUMBER:
	case TREE_CLASS:
		return number(cell.number);
	case TREE_BOOL:
		return json_object_new_boolean(cell.number != 0);
	case TREE_WORDS:
		return words(cell.text);
	case TREE_TEXT:
		break;
	}
	return text(cell.text);
}

static struct json_object *task_json(const struct tree *t, const struct inspect_entry *e)
{
	struct json_object *o = json_object_new_object();

	for (size_t i = 0; i < t->request->column_count; i++)
		add(o, t->request->columns[i]->key, cell_json(t, t->request->columns[i], e));
	return o;
}

/* Who has this class: processes, in order of their numbers. */
static struct json_object *processes_json(const struct tree *t, int object, int class)
{
	struct json_object *list = json_object_new_array();
	pid_t last = 0;

	for (size_t i = 0; i < t->s.count; i++) {
		const struct inspect_entry *e = &t->s.entries[i];

		if (e->class[object] != class || e->process == last || e->gone)
			continue;
		last = e->process;
		json_object_array_add(list, number(last));
	}
	return list;
}

/* Only what several processes share, and one of them is shown. */
static struct json_object *shared_json(const struct tree *t)
{
	struct json_object *list = json_object_new_array();

	for (size_t r = 0; r < TREE_RESOURCES; r++) {
		const int object = tree_resources[r].object;

		for (int class = 1; object && class < t->class_count[object]; class ++) {
			const struct tree_class *c = &t->classes[object][class];
			struct json_object *o;

			if (!tree_is_shared(c) || !c->letter)
				continue;
			o = json_object_new_object();
			add(o, "resource", text(ramet_resource_name(tree_resources[r].resource)));
			add(o, "class", number(class));
			add(o, "tasks", number(c->tasks));
			add(o, "processes", processes_json(t, object, class));
			json_object_array_add(list, o);
		}
	}
	return list;
}

static struct json_object *namespaces_json(const struct tree *t)
{
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < t->s.namespace_count; i++) {
		const struct inspect_namespace *ns = &t->s.namespaces[i];
		struct json_object *o = json_object_new_object();

		add(o, "inode", number((int64_t)ns->inode));
		add(o, "kind", text(inspect_ns_names[ns->kind]));
		add(o, "home", json_object_new_boolean(ns->inode == t->home[ns->kind]));
		add(o, "owner", ns->owner ? number((int64_t)ns->owner) : NULL);
		add(o, "owner_uid", ns->uid >= 0 ? number(ns->uid) : NULL);
		json_object_array_add(list, o);
	}
	return list;
}

static int add_groups(const struct tree *t, struct json_object *to)
{
	struct json_object *list = json_object_new_array();
	struct tree_groups groups;
	int r = tree_groups_make(t, &groups);

	for (size_t i = 0; r == 0 && i < groups.count; i++) {
		const struct tree_group *g = &groups.groups[i];
		struct json_object *o = json_object_new_object(), *tasks = json_object_new_array();

		for (size_t k = g->first; k < g->first + g->count; k++)
			json_object_array_add(tasks, number(t->s.entries[groups.rows[k]].tid));
		add(o, "label", text(g->label));
		add(o, "tasks", tasks);
		json_object_array_add(list, o);
	}
	tree_groups_free(&groups);
	add(to, "by", text(ramet_resource_name(t->request->by)));
	add(to, "groups", list);
	return r;
}

void tree_json_head(const struct tree *t, struct json_object *o)
{
	char reason[512];

	add(o, "schema", number(1));
	tree_reason(t, reason, sizeof(reason));
	add(o, "unknown", reason[0] ? text(reason) : NULL);
}

int tree_view_json(const struct tree *t, FILE *out)
{
	struct json_object *o = json_object_new_object(), *tasks = json_object_new_array();
	int r = 0;

	tree_json_head(t, o);
	for (size_t i = 0; i < t->row_count; i++)
		json_object_array_add(tasks, task_json(t, &t->s.entries[t->rows[i]]));
	add(o, "tasks", tasks);
	add(o, "shared", shared_json(t));
	if (t->s.namespaces)
		add(o, "namespaces", namespaces_json(t));
	if (t->request->form == TREE_GROUPS)
		r = add_groups(t, o);
	if (r < 0) {
		json_object_put(o);
		return r;
	}
	return out_json(out, o);
}
