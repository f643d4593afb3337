/* SPDX-License-Identifier: MIT */
/* Tasks by what they have of one resource: those that have the same stand together. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tree/tree.h"

struct keyed {
	uint64_t key;
	const char *text; /* compared where both have one */
	size_t row;	  /* its place among the rows */
};

enum has { HAS_ONE, HAS_NONE, HAS_UNKNOWN };

static enum has key_of(const struct tree *t, const struct tree_resource *resource,
		       const struct inspect_entry *e, struct keyed *ret)
{
	if (e->basics.kernel || inspect_is_zombie(e))
		return HAS_NONE;
	if (resource->object) {
		ret->key = (uint64_t)e->class[resource->object];
		return e->class[resource->object] > 0	 ? HAS_ONE
		       : e->class[resource->object] == 0 ? HAS_NONE
							 : HAS_UNKNOWN;
	}
	if (resource->ns >= 0) {
		ret->key = e->ns[resource->ns];
		return !(e->got & INSPECT_NEED_NS) ? HAS_UNKNOWN : ret->key ? HAS_ONE : HAS_NONE;
	}
	switch (resource->resource) {
	case RAMET_CGROUP:
		ret->text = e->cgroup;
		return !(e->got & INSPECT_NEED_CGROUP) ? HAS_UNKNOWN
		       : e->cgroup		       ? HAS_ONE
						       : HAS_NONE;
	case RAMET_PARENT:
		ret->key = (uint64_t)t->s.entries[e->leader].basics.parent;
		return ret->key ? HAS_ONE : HAS_NONE;
	default:
		ret->key = (uint64_t)e->process;
		return HAS_ONE;
	}
}

static int compare(const void *a, const void *b)
{
	const struct keyed *x = a, *y = b;
	int order = x->text && y->text ? strcmp(x->text, y->text) : 0;

	if (order)
		return order;
	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return x->row < y->row ? -1 : x->row > y->row;
}

static bool is_same(const struct keyed *a, const struct keyed *b)
{
	return a->key == b->key && (!a->text || !strcmp(a->text, b->text));
}

static void label(const struct tree *t, const struct tree_resource *resource,
		  const struct keyed *key, struct tree_group *g)
{
	const struct inspect_entry *e = &t->s.entries[t->rows[key->row]];
	char letters[8] = "";

	if (resource->object) {
		tree_letters(t->classes[resource->object][key->key].letter, letters);
		snprintf(g->label, sizeof(g->label), "%s %s", resource->words, letters);
	} else if (resource->ns >= 0) {
		const bool home = key->key == t->home[resource->ns];

		snprintf(g->label, sizeof(g->label), "%s %llu%s%s%s", resource->words,
			 (unsigned long long)key->key, home ? " (" : "", home ? t->home_word : "",
			 home ? ")" : "");
	} else if (key->text) {
		char path[200];

		tree_harmless(key->text, strlen(key->text), path, sizeof(path));
		snprintf(g->label, sizeof(g->label), "%s %s", resource->words, path);
	} else {
		const struct inspect_entry *of = inspect_find(&t->s, (pid_t)key->key);
		char name[sizeof(e->basics.name) * 4 + 16] = "";

		if (of)
			tree_name(t, of, name, sizeof(name));
		snprintf(g->label, sizeof(g->label), "%s %llu %s", resource->words,
			 (unsigned long long)key->key, name);
	}
}

/* The group whose first row is first comes first. */
static int compare_groups(const void *a, const void *b)
{
	const struct tree_group *x = a, *y = b;

	return x->order < y->order ? -1 : x->order > y->order;
}

static void part(const struct tree *t, const struct tree_resource *resource,
		 const struct keyed *keys, size_t n, struct tree_groups *g)
{
	for (size_t first = 0, end; first < n; first = end) {
		for (end = first + 1; end < n && is_same(&keys[first], &keys[end]);)
			end++;
		/* A namespace of one is worth a line; memory of one's own is what all have. */
		if (end - first == 1 && resource->ns < 0) {
			g->alone++;
			continue;
		}
		g->groups[g->count].first = first;
		g->groups[g->count].count = end - first;
		g->groups[g->count].order = keys[first].row;
		label(t, resource, &keys[first], &g->groups[g->count++]);
	}
	qsort(g->groups, g->count, sizeof(*g->groups), compare_groups);
}

int tree_groups_make(const struct tree *t, struct tree_groups *ret)
{
	const struct tree_resource *resource = tree_resource(t->request->by);
	struct keyed *keys = calloc(t->row_count + 1, sizeof(*keys));
	size_t n = 0;

	*ret = (struct tree_groups){
		.rows = calloc(t->row_count + 1, sizeof(*ret->rows)),
		.groups = calloc(t->row_count + 1, sizeof(*ret->groups)),
	};
	if (!resource || !keys || !ret->rows || !ret->groups) {
		free(keys);
		return resource ? -ENOMEM : -EINVAL;
	}
	for (size_t i = 0; i < t->row_count; i++) {
		struct keyed key = {.row = i};
		enum has has = key_of(t, resource, &t->s.entries[t->rows[i]], &key);

		if (has == HAS_ONE)
			keys[n++] = key;
		ret->none += has == HAS_NONE;
		ret->unknown += has == HAS_UNKNOWN;
	}
	qsort(keys, n, sizeof(*keys), compare);
	for (size_t i = 0; i < n; i++)
		ret->rows[i] = t->rows[keys[i].row];
	part(t, resource, keys, n, ret);
	free(keys);
	return 0;
}

void tree_groups_free(struct tree_groups *g)
{
	free(g->rows);
	free(g->groups);
	*g = (struct tree_groups){0};
}
