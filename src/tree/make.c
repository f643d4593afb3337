/* SPDX-License-Identifier: MIT */
/*
 * From a snapshot to rows: the order of the family, who is shown, how many share what, letters.
 * The snapshot is not of one moment, so a parent may be missing, and after a number was used
 * again two tasks may each seem to be below the other: nobody is shown twice, everybody once.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tree/tree.h"

#define NOBODY SIZE_MAX
#define FIRST_PID_NS 0xeffffffc /* inodes of the first namespaces, linux/proc_ns.h */
#define FIRST_USER_NS 0xeffffffd

const struct tree_resource tree_resources[TREE_RESOURCES] = {
	{RAMET_MEMORY, INSPECT_VM, -1, "memory"},
	{RAMET_FILES, INSPECT_FILES, -1, "files"},
	{RAMET_FS, INSPECT_FS, -1, "cwd and umask"},
	{RAMET_SIGHAND, INSPECT_SIGHAND, -1, "handlers"},
	{RAMET_IO, INSPECT_IO, -1, "I/O context"},
	{RAMET_SYSVSEM, INSPECT_SYSVSEM, -1, "semaphore undo"},
	{RAMET_THREAD_GROUP, 0, -1, "process"},
	{RAMET_PARENT, 0, -1, "parent"},
	{RAMET_MNT, 0, INSPECT_NS_MNT, "mount namespace"},
	{RAMET_PID, 0, INSPECT_NS_PID, "pid namespace"},
	{RAMET_NET, 0, INSPECT_NS_NET, "net namespace"},
	{RAMET_IPC, 0, INSPECT_NS_IPC, "ipc namespace"},
	{RAMET_UTS, 0, INSPECT_NS_UTS, "uts namespace"},
	{RAMET_USER, 0, INSPECT_NS_USER, "user namespace"},
	{RAMET_CGROUPNS, 0, INSPECT_NS_CGROUP, "cgroup namespace"},
	{RAMET_TIME, 0, INSPECT_NS_TIME, "time namespace"},
	{RAMET_CGROUP, 0, -1, "cgroup"},
};

const struct tree_resource *tree_resource(enum ramet_resource resource)
{
	for (size_t i = 0; i < TREE_RESOURCES; i++)
		if (tree_resources[i].resource == resource)
			return &tree_resources[i];
	return NULL;
}

/* ---- the family ---------------------------------------------------------------------------- */

struct family {
	size_t *child;	 /* by entry: one of its children, … */
	size_t *sibling; /* … and the next of these */
	size_t *stack;
	bool *seen;
};

/* From one process down. Children were put in front of each other: the smallest number is last in
 * the list and first off the stack. */
static void walk(struct tree *t, struct family *f, size_t from)
{
	size_t depth = 0;

	f->stack[depth++] = from;
	while (depth) {
		size_t at = f->stack[--depth];

		if (f->seen[at])
			continue;
		f->seen[at] = true;
		t->order[t->process_count++] = at;
		for (size_t c = f->child[at]; c != NOBODY; c = f->sibling[c])
			if (!f->seen[c])
				f->stack[depth++] = c;
	}
}

static void link_family(struct tree *t, struct family *f)
{
	for (size_t i = 0; i < t->s.count; i++)
		f->child[i] = f->sibling[i] = NOBODY;
	for (size_t i = 0; i < t->s.count; i++) {
		const struct inspect_entry *e = &t->s.entries[i];
		const struct inspect_entry *parent = e->leader == i
							     ? inspect_find(&t->s, e->basics.parent)
							     : &t->s.entries[e->leader];

		t->parent[i] = parent && parent != e ? (size_t)(parent - t->s.entries) : NOBODY;
		if (e->leader != i || t->parent[i] == NOBODY)
			continue;
		f->sibling[i] = f->child[t->parent[i]];
		f->child[t->parent[i]] = i;
	}
}

static int order_family(struct tree *t)
{
	const size_t n = t->s.count + 1;
	struct family f = {
		.child = calloc(n, sizeof(*f.child)),
		.sibling = calloc(n, sizeof(*f.sibling)),
		.stack = calloc(n, sizeof(*f.stack)),
		.seen = calloc(n, sizeof(*f.seen)),
	};
	const bool room = f.child && f.sibling && f.stack && f.seen;

	if (room) {
		link_family(t, &f);
		for (size_t i = 0; i < t->s.count; i++)
			if (t->s.entries[i].leader == i && t->parent[i] == NOBODY)
				walk(t, &f, i);
		for (size_t i = 0; i < t->s.count; i++) {
			if (t->s.entries[i].leader != i || f.seen[i])
				continue;
			t->parent[i] = NOBODY;
			walk(t, &f, i);
		}
	}
	free(f.child);
	free(f.sibling);
	free(f.stack);
	free(f.seen);
	return room ? 0 : -ENOMEM;
}

/* Has it anything to share? */
static bool is_plain(const struct inspect_entry *e)
{
	return !e->basics.kernel && !inspect_is_zombie(e);
}

/* ---- classes ------------------------------------------------------------------------------- */

static int count_classes(struct tree *t, enum inspect_object object)
{
	size_t *last;
	int most = 0;

	for (size_t i = 0; i < t->s.count; i++)
		if (t->s.entries[i].class[object] > most)
			most = t->s.entries[i].class[object];
	t->class_count[object] = most + 1;
	t->classes[object] = calloc((size_t)most + 1, sizeof(struct tree_class));
	last = calloc((size_t)most + 1, sizeof(*last));
	if (!t->classes[object] || !last) {
		free(last);
		return -ENOMEM;
	}
	for (size_t p = 0; p < t->process_count; p++) {
		const size_t leader = t->order[p];

		for (size_t i = leader; i <= leader + t->s.entries[leader].listed; i++) {
			const struct inspect_entry *e = &t->s.entries[i];
			struct tree_class *c;

			if (e->class[object] <= 0 || e->gone)
				continue;
			c = &t->classes[object][e->class[object]];
			if (!c->tasks++)
				c->head = leader;
			if (last[e->class[object]] != p + 1)
				c->processes++;
			last[e->class[object]] = p + 1;
		}
	}
	free(last);
	return 0;
}

const struct tree_class *tree_class_of(const struct tree *t, const struct inspect_entry *e,
				       enum inspect_object object)
{
	return t->classes[object] && e->class[object] > 0 ? &t->classes[object][e->class[object]]
							  : NULL;
}

bool tree_is_shared(const struct tree_class *c)
{
	return c && c->processes > 1;
}

bool tree_shares_any(const struct tree *t, enum inspect_object object)
{
	for (size_t i = 0; i < t->row_count; i++)
		if (tree_is_shared(tree_class_of(t, &t->s.entries[t->rows[i]], object)))
			return true;
	return false;
}

size_t tree_count_sharing(const struct tree *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->row_count; i++) {
		const struct inspect_entry *e = &t->s.entries[t->rows[i]];
		bool shares = false;

		for (int object = INSPECT_VM; object <= INSPECT_SYSVSEM; object++)
			shares |= tree_is_shared(tree_class_of(t, e, object));
		n += shares && e->leader == t->rows[i];
	}
	return n;
}

size_t tree_count_denied(const struct tree *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->row_count; i++) {
		const struct inspect_entry *e = &t->s.entries[t->rows[i]];

		if (e->leader != t->rows[i] || !is_plain(e))
			continue;
		n += e->denied || (t->request->needs & INSPECT_NEED_NS &&
				   !(t->s.entries[e->speaker].got & INSPECT_NEED_NS));
	}
	return n;
}

static void give_letters(struct tree *t)
{
	for (int object = INSPECT_VM; object <= INSPECT_SYSVSEM; object++) {
		int letter = 0;

		for (size_t i = 0; t->classes[object] && i < t->row_count; i++) {
			const int class = t->s.entries[t->rows[i]].class[object];
			struct tree_class *c = class > 0 ? &t->classes[object][class] : NULL;

			if (c && !c->letter &&
			    (tree_is_shared(c) || (t->request->threads && c->tasks > 1)))
				c->letter = ++letter;
		}
	}
}

/* ---- who is shown -------------------------------------------------------------------------- */

/* The process of a number that may be a thread's. */
static const struct inspect_entry *find_task(const struct tree *t, pid_t tid)
{
	const struct inspect_entry *e = inspect_find(&t->s, tid);

	for (size_t i = 0; !e && i < t->s.count; i++)
		if (t->s.entries[i].tid == tid)
			e = &t->s.entries[t->s.entries[i].leader];
	return e && !e->gone ? e : NULL;
}

/* Namespaces that everybody is in do not count. */
static bool shares_with(const struct tree *t, const struct inspect_entry *a,
			const struct inspect_entry *b)
{
	for (int object = INSPECT_VM; object <= INSPECT_SYSVSEM; object++)
		if (a->class[object] > 0 && a->class[object] == b->class[object])
			return true;
	for (int ns = 0; ns < INSPECT_NS_COUNT; ns++)
		if (a->ns[ns] && a->ns[ns] == b->ns[ns] && a->ns[ns] != t->home[ns])
			return true;
	return false;
}

static void choose_named(struct tree *t)
{
	for (size_t i = 0; i < t->request->pid_count; i++) {
		const struct inspect_entry *e = find_task(t, t->request->pids[i]);

		if (e)
			t->shown[e - t->s.entries] = true;
		else if (!t->missing)
			t->missing = t->request->pids[i];
	}
	for (size_t p = 0; p < t->process_count; p++) {
		const size_t i = t->order[p], parent = t->parent[i];

		if (parent != NOBODY && t->shown[parent] &&
		    (t->request->all || is_plain(&t->s.entries[i])))
			t->shown[i] = true;
	}
}

static void choose(struct tree *t)
{
	const struct inspect_entry *with = t->request->with ? find_task(t, t->request->with) : NULL;

	if (t->request->with && !with)
		t->missing = t->request->with;
	if (t->request->pid_count)
		choose_named(t);
	for (size_t p = 0; p < t->process_count; p++) {
		const size_t i = t->order[p];
		const struct inspect_entry *e = &t->s.entries[i];

		if (t->request->with)
			t->shown[i] = with && (e == with || shares_with(t, with, e));
		else if (!t->request->pid_count)
			t->shown[i] = t->request->all || is_plain(e);
		if (e->gone)
			t->shown[i] = false;
	}
}

static void add_rows(struct tree *t, size_t leader)
{
	const struct inspect_entry *process = &t->s.entries[leader];

	if (!t->shown[leader])
		return;
	t->rows[t->row_count++] = leader;
	for (size_t i = leader + 1; t->request->threads && i <= leader + process->listed; i++) {
		t->shown[i] = !t->s.entries[i].gone && !inspect_is_zombie(&t->s.entries[i]);
		if (t->shown[i])
			t->rows[t->row_count++] = i;
	}
}

static void make_rows(struct tree *t)
{
	if (t->request->form == TREE_FAMILY)
		for (size_t p = 0; p < t->process_count; p++)
			add_rows(t, t->order[p]);
	else
		for (size_t i = 0; i < t->s.count; i += t->s.entries[i].listed + 1)
			add_rows(t, i);
}

/* ---- ---- */

static void find_home(struct tree *t)
{
	struct inspect_task init = {.proc = "/proc/1"}, self = {.proc = "/proc/self"};
	const struct inspect_task *from = &init;
	uint64_t inode;

	if (inspect_ns(&init, "user", &inode) < 0)
		from = &self;
	for (int i = 0; i < INSPECT_NS_COUNT; i++)
		if (inspect_ns(from, inspect_ns_names[i], &inode) == 0)
			t->home[i] = inode;
	t->home_word = t->home[INSPECT_NS_PID] == FIRST_PID_NS &&
				       t->home[INSPECT_NS_USER] == FIRST_USER_NS
			       ? "host"
			       : "here";
}

int tree_make(const struct tree_request *request, bool json, struct tree *ret)
{
	struct tree *t = ret;
	size_t n;
	int r;

	*t = (struct tree){.request = request, .json = json};
	r = inspect_snapshot(request->needs, &t->s);
	if (r < 0)
		return r;
	n = t->s.count + 1;
	t->order = calloc(n, sizeof(*t->order));
	t->parent = calloc(n, sizeof(*t->parent));
	t->shown = calloc(n, sizeof(*t->shown));
	t->rows = calloc(n, sizeof(*t->rows));
	if (!t->order || !t->parent || !t->shown || !t->rows)
		return -ENOMEM;
	if (request->needs & INSPECT_NEED_NS)
		find_home(t);
	r = order_family(t);
	for (int object = INSPECT_VM; r == 0 && object <= INSPECT_SYSVSEM; object++)
		if (request->needs & (unsigned)INSPECT_NEED_CLASS << object)
			r = count_classes(t, object);
	if (r < 0)
		return r;
	choose(t);
	make_rows(t);
	give_letters(t);
	return 0;
}

void tree_free(struct tree *t)
{
	inspect_snapshot_free(&t->s);
	free(t->order);
	free(t->parent);
	free(t->shown);
	free(t->rows);
	for (int object = 0; object < INSPECT_OBJECTS; object++)
		free(t->classes[object]);
	*t = (struct tree){0};
}
