/* SPDX-License-Identifier: MIT */
/* The columns, and what stands in each; made of columns.def. */
#include "tree/tree.h"

#include <ctype.h>
#include <signal.h>
#include <string.h>
#include <strings.h>

#include "tree/words.h"

#define NEED_CLASS(object) ((unsigned)INSPECT_NEED_CLASS << INSPECT_##object)

/* What a row shows of a process whose first thread has ended is told by one that lives. */
static const struct inspect_entry *speaker(const struct tree *t, const struct inspect_entry *e)
{
	return e->tid == e->process ? &t->s.entries[e->speaker] : e;
}

static void put_number(struct tree_cell *c, int64_t number)
{
	c->number = number;
	snprintf(c->text, sizeof(c->text), "%lld", (long long)number);
}

static bool has(struct tree_cell *c, const struct inspect_entry *e, unsigned need)
{
	c->state = e->got & need ? CELL_VALUE : CELL_UNKNOWN;
	return e->got & need;
}

/* Bytes of a stranger, for a table or for JSON. */
static void put_bytes(const struct tree *t, struct tree_cell *c, const char *text, size_t n)
{
	if (t->json)
		tree_utf8(text, n, c->text, sizeof(c->text));
	else
		tree_harmless(text, n, c->text, sizeof(c->text));
}

static void fill_tid(const struct tree *t, const struct inspect_entry *e, struct tree_cell *c)
{
	(void)t;
	put_number(c, e->tid);
}

static void fill_process(const struct tree *t, const struct inspect_entry *e, struct tree_cell *c)
{
	(void)t;
	put_number(c, e->process);
}

static void fill_parent(const struct tree *t, const struct inspect_entry *e, struct tree_cell *c)
{
	put_number(c, t->s.entries[e->leader].basics.parent);
}

static void fill_name(const struct tree *t, const struct inspect_entry *e, struct tree_cell *c)
{
	if (t->json)
		put_bytes(t, c, e->basics.name, strlen(e->basics.name));
	else
		tree_name(t, e, c->text, sizeof(c->text));
}

static void fill_threads(const struct tree *t, const struct inspect_entry *e, struct tree_cell *c)
{
	put_number(c, tree_threads(&t->s.entries[e->leader]));
}

static void fill_state(const struct tree *t, const struct inspect_entry *e, struct tree_cell *c)
{
	c->text[0] = speaker(t, e)->basics.state;
	c->text[1] = 0;
}

static void fill_uid(const struct tree *t, const struct inspect_entry *e, struct tree_cell *c)
{
	(void)t;
	if (has(c, e, INSPECT_NEED_RIGHTS))
		put_number(c, e->rights.uid);
}

static void fill_gid(const struct tree *t, const struct inspect_entry *e, struct tree_cell *c)
{
	(void)t;
	if (has(c, e, INSPECT_NEED_RIGHTS))
		put_number(c, e->rights.gid);
}

static void fill_inner(const struct tree *t, const struct inspect_entry *e, struct tree_cell *c)
{
	(void)t;
	if (has(c, e, INSPECT_NEED_RIGHTS))
		put_number(c, e->rights.inner);
}

static void fill_class(const struct tree *t, const struct inspect_entry *e, struct tree_cell *c)
{
	const enum inspect_object object = (enum inspect_object)c->number;
	const struct tree_class *class = tree_class_of(t, e, object);

	c->number = e->class[object] < 0 ? 0 : e->class[object];
	if (e->basics.kernel || inspect_is_zombie(e))
		c->state = CELL_NONE;
	else if (e->class[object] < 0)
		c->state = CELL_UNKNOWN;
	else if (!class || !class->letter)
		c->state = CELL_NONE;
	else
		tree_letters(class->letter, c->text);
	if (c->state == CELL_VALUE && tree_is_shared(class))
		c->mark = OUT_SHARED;
}

static void fill_namespaces(const struct tree *t, const struct inspect_entry *e,
			    struct tree_cell *c)
{
	if (!has(c, speaker(t, e), INSPECT_NEED_NS))
		return;
	tree_abroad(t, speaker(t, e), c->text, sizeof(c->text));
	if (!c->text[0] && !speaker(t, e)->ns[INSPECT_NS_USER])
		c->state = CELL_NONE; /* a zombie */
	else if (!c->text[0] && !t->json)
		snprintf(c->text, sizeof(c->text), "%s", t->home_word);
}

static void fill_inode(const struct tree *t, const struct inspect_entry *e, struct tree_cell *c)
{
	const enum inspect_ns ns = (enum inspect_ns)c->number;

	if (!has(c, speaker(t, e), INSPECT_NEED_NS))
		return;
	if (speaker(t, e)->ns[ns])
		put_number(c, (int64_t)speaker(t, e)->ns[ns]);
	else
		c->state = CELL_NONE;
}

static void fill_owner(const struct tree *t, const struct inspect_entry *e, struct tree_cell *c)
{
	struct words w = {.buf = c->text, .size = sizeof(c->text)};
	uint64_t told = 0;

	e = speaker(t, e);
	if (!has(c, e, INSPECT_NEED_OWNERS))
		return;
	for (int i = 0; i < INSPECT_NS_COUNT; i++) {
		const struct inspect_namespace *ns = inspect_find_ns(&t->s, e->ns[i]);

		/* The owner of a user namespace is its parent: told by what it owns itself. */
		if (!ns || ns->inode == t->home[i] || i == INSPECT_NS_USER || ns->owner == told)
			continue;
		told = ns->owner;
		words_part(&w, ", ");
		if (!ns->owner)
			words_add(&w, "?");
		else if (ns->owner == t->home[INSPECT_NS_USER])
			words_add(&w, "%s", t->home_word);
		else
			words_add(&w, "%llu", (unsigned long long)ns->owner);
		if (ns->owner != t->home[INSPECT_NS_USER] && ns->uid >= 0)
			words_add(&w, " (uid %lld)", (long long)ns->uid);
	}
	if (!w.used)
		c->state = CELL_NONE;
}

static void fill_exit(const struct tree *t, const struct inspect_entry *e, struct tree_cell *c)
{
	const int sig = e->basics.exit_signal;

	if (e->tid != e->process || (sig == SIGCHLD && !t->json))
		c->state = CELL_NONE;
	else
		tree_signal(sig, c->text, sizeof(c->text));
}

static void fill_capabilities(const struct tree *t, const struct inspect_entry *e,
			      struct tree_cell *c)
{
	if (!has(c, e, INSPECT_NEED_RIGHTS))
		return;
	if (t->json)
		snprintf(c->text, sizeof(c->text), "%016llx",
			 (unsigned long long)e->rights.effective);
	else
		tree_capabilities(e->rights.effective, c->text, sizeof(c->text));
}

static void fill_no_new_privs(const struct tree *t, const struct inspect_entry *e,
			      struct tree_cell *c)
{
	if (!has(c, e, INSPECT_NEED_RIGHTS))
		return;
	c->number = e->rights.no_new_privs;
	if (e->rights.no_new_privs)
		snprintf(c->text, sizeof(c->text), "yes");
	else if (!t->json)
		c->state = CELL_NONE;
}

static void fill_seccomp(const struct tree *t, const struct inspect_entry *e, struct tree_cell *c)
{
	(void)t;
	if (!has(c, e, INSPECT_NEED_RIGHTS))
		return;
	if (e->rights.seccomp == 0)
		c->state = CELL_NONE;
	else if (e->rights.seccomp == 1)
		snprintf(c->text, sizeof(c->text), "strict");
	else if (e->rights.filters > 1)
		snprintf(c->text, sizeof(c->text), "%d filters", e->rights.filters);
	else
		snprintf(c->text, sizeof(c->text), "filter");
}

static void fill_cgroup(const struct tree *t, const struct inspect_entry *e, struct tree_cell *c)
{
	if (!has(c, e, INSPECT_NEED_CGROUP))
		return;
	if (e->cgroup)
		put_bytes(t, c, e->cgroup, strlen(e->cgroup));
	else
		c->state = CELL_NONE;
}

static void fill_note(const struct tree *t, const struct inspect_entry *e, struct tree_cell *c)
{
	tree_note(t, e, c->text, sizeof(c->text));
	if (!c->text[0])
		c->state = CELL_NONE;
}

static void fill_command(const struct tree *t, const struct inspect_entry *e, struct tree_cell *c)
{
	char line[TREE_CELL];
	size_t n = e->command_size < sizeof(line) ? e->command_size : sizeof(line);

	if (!has(c, e, INSPECT_NEED_COMMAND))
		return;
	while (n && !e->command[n - 1])
		n--;
	if (!n) {
		c->state = CELL_NONE;
		return;
	}
	for (size_t i = 0; i < n; i++)
		line[i] = e->command[i] ? e->command[i] : ' ';
	put_bytes(t, c, line, n);
}

const struct tree_column tree_columns[] = {
#define COLUMN(name_, key_, type_, width_, flags_, needs_, function_, tag_, help_)                 \
	{.name = name_,                                                                            \
	 .key = key_,                                                                              \
	 .type = TREE_##type_,                                                                     \
	 .width = width_,                                                                          \
	 .flags = flags_,                                                                          \
	 .needs = needs_,                                                                          \
	 .fill = fill_##function_,                                                                 \
	 .tag = tag_,                                                                              \
	 .help = help_},
#include "tree/columns.def"
	{0},
};

const struct tree_column *tree_column(const char *name, size_t n)
{
	for (const struct tree_column *c = tree_columns; c->name; c++)
		if ((!strncasecmp(c->name, name, n) && !c->name[n]) ||
		    (!strncmp(c->key, name, n) && !c->key[n]))
			return c;
	return NULL;
}

void tree_cell(const struct tree *t, const struct tree_column *column,
	       const struct inspect_entry *e, struct tree_cell *ret)
{
	ret->text[0] = 0;
	ret->mark = OUT_PLAIN;
	ret->state = CELL_VALUE;
	ret->number = column->tag;
	column->fill(t, e, ret);
	if (ret->state != CELL_VALUE)
		snprintf(ret->text, sizeof(ret->text), ret->state == CELL_NONE ? "-" : "?");
}

void tree_columns_help(FILE *stream)
{
	for (const struct tree_column *c = tree_columns; c->name; c++) {
		fprintf(stream, "  %-12s", c->name);
		fprintf(stream, "%s\n", c->help);
	}
}
