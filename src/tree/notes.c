/* SPDX-License-Identifier: MIT */
/*
 * What a task shares, in words. A class is told of at each process but its first, which the
 * others name; so nothing is said twice.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "tree/tree.h"
#include "tree/words.h"

#define OBJECT_BIT(object) (1u << (object))

/* In the order of a sentence; fs is two things there. */
static const struct {
	enum inspect_object object;
	const char *words;
} items[] = {
	{INSPECT_VM, "memory"},
	{INSPECT_FILES, "files"},
	{INSPECT_FS, "cwd"},
	{INSPECT_FS, "umask"},
	{INSPECT_SIGHAND, "handlers"},
	{INSPECT_IO, "I/O context"},
	{INSPECT_SYSVSEM, "semaphore undo"},
};
#define ITEMS (sizeof(items) / sizeof(items[0]))

/* "memory, files, cwd, umask and handlers" */
static void list_objects(struct words *w, unsigned objects)
{
	size_t left = 0, done = 0;

	for (size_t i = 0; i < ITEMS; i++)
		left += (objects & OBJECT_BIT(items[i].object)) != 0;
	for (size_t i = 0; i < ITEMS; i++) {
		if (!(objects & OBJECT_BIT(items[i].object)))
			continue;
		left--;
		words_add(w, "%s%s", !done++ ? "" : left ? ", " : " and ", items[i].words);
	}
}

/* Whom a process is told to share the object with; NULL: nobody, or it is the first itself. */
static const struct inspect_entry *partner(const struct tree *t, const struct inspect_entry *e,
					   enum inspect_object object)
{
	const struct tree_class *c = tree_class_of(t, e, object);
	const struct inspect_entry *with = t->request->with ? inspect_find(&t->s, t->request->with)
							    : NULL;
	const struct inspect_entry *head = NULL;

	if (!tree_is_shared(c))
		return NULL;
	head = &t->s.entries[c->head];
	if (with && with->class[object] == e->class[object])
		head = with;
	return head->process == e->process ? NULL : head;
}

static unsigned known_objects(const struct tree *t)
{
	unsigned known = 0;

	for (int object = INSPECT_VM; object <= INSPECT_SYSVSEM; object++)
		if (t->classes[object])
			known |= OBJECT_BIT(object);
	return known;
}

/* "shares memory with 4712, files and handlers with 1" */
static void say_sharing(const struct tree *t, const struct inspect_entry *e, struct words *w)
{
	const struct inspect_entry *partners[INSPECT_OBJECTS] = {NULL};
	unsigned told = 0, all = 0;

	for (int object = INSPECT_VM; object <= INSPECT_SYSVSEM; object++) {
		partners[object] = partner(t, e, object);
		all |= partners[object] ? OBJECT_BIT(object) : 0;
	}
	for (int object = INSPECT_VM; object <= INSPECT_SYSVSEM; object++) {
		unsigned same = 0;

		if (!partners[object] || told & OBJECT_BIT(object))
			continue;
		for (int o = object; o <= INSPECT_SYSVSEM; o++)
			if (partners[o] == partners[object])
				same |= OBJECT_BIT(o);
		words_add(w, "%s", told ? ", " : "shares ");
		list_objects(w, same);
		words_add(w, " with %d", (int)partners[object]->process);
		told |= same;
	}
	/* Surprising enough to be said: nobody writes such a thing by mistake twice. */
	if (all == OBJECT_BIT(INSPECT_VM) && known_objects(t) & OBJECT_BIT(INSPECT_FILES))
		words_add(w, ", own everything else");
}

/* Of a thread: what it does not share with its process. An I/O context comes of any disk access. */
static unsigned own_objects(const struct inspect_entry *thread, const struct inspect_entry *speaker)
{
	static const enum inspect_object may[] = {INSPECT_FILES, INSPECT_FS, INSPECT_SYSVSEM};
	unsigned own = 0;

	for (size_t i = 0; i < sizeof(may) / sizeof(may[0]); i++) {
		int a = thread->class[may[i]], b = speaker->class[may[i]];

		if (a != b && a > INSPECT_NO_OBJECT && b >= INSPECT_NO_OBJECT)
			own |= OBJECT_BIT(may[i]);
	}
	return own;
}

/* Of a process shown as one row: threads that are not like it. */
static void say_threads(const struct tree *t, const struct inspect_entry *e, struct words *w)
{
	const struct inspect_entry *speaker = &t->s.entries[e->speaker];
	unsigned own = 0;
	size_t n = 0;

	if (t->request->threads)
		return;
	for (size_t i = e->leader + 1; i <= e->leader + e->listed; i++) {
		unsigned more = t->s.entries[i].gone ? 0 : own_objects(&t->s.entries[i], speaker);

		n += more != 0;
		own |= more;
	}
	if (!n)
		return;
	words_part(w, "; ");
	words_add(w, "%zu of %u threads ha%s own ", n, tree_threads(e),
		  n == 1 ? "s its" : "ve their");
	list_objects(w, own);
}

static void say_signal(const struct inspect_entry *e, struct words *w)
{
	char name[32];

	if (e->basics.exit_signal == SIGCHLD || e->basics.exit_signal < 0)
		return;
	words_part(w, "; ");
	tree_signal(e->basics.exit_signal, name, sizeof(name));
	if (e->basics.exit_signal)
		words_add(w, "its end is told by %s", name);
	else
		words_add(w, "its end is told by no signal");
}

void tree_note(const struct tree *t, const struct inspect_entry *e, char *buf, size_t size)
{
	struct words w = {.buf = buf, .size = size};
	const struct inspect_entry *process = &t->s.entries[e->leader];

	buf[0] = 0;
	if (e->basics.kernel || inspect_is_zombie(e)) {
		words_add(&w, e->basics.kernel ? "kernel thread" : "zombie");
		return;
	}
	if (e->tid != e->process) {
		unsigned own = own_objects(e, &t->s.entries[process->speaker]);

		if (own)
			words_add(&w, "own ");
		list_objects(&w, own);
		return;
	}
	say_sharing(t, e, &w);
	say_threads(t, e, &w);
	if (e->speaker != e->leader) {
		words_part(&w, "; ");
		words_add(&w, "its first thread has ended");
	}
	say_signal(e, &w);
}

/* What stands in the way of all classes. */
static void say_kcmp(const struct tree *t, struct words *w)
{
	if (!t->s.foreign && !t->s.kcmp_error)
		return;
	words_part(w, "; ");
	words_add(w, "who shares what cannot be asked: ");
	if (t->s.foreign)
		words_add(w, "/proc counts the tasks of another pid namespace, kcmp those of this "
			     "one");
	else
		words_add(w, "kcmp: %s", strerror(t->s.kcmp_error));
}

void tree_reason(const struct tree *t, char *buf, size_t size)
{
	const struct inspect_snapshot *s = &t->s;
	struct words w = {.buf = buf, .size = size};
	const size_t denied = tree_count_denied(t);

	buf[0] = 0;
	if (s->hides || s->unreadable)
		words_add(&w, "/proc does not show everybody's tasks (hidepid)");
	if (denied) {
		words_part(&w, "; ");
		words_add(&w,
			  "%zu process%s may not be looked into ('?'): other users', or protected",
			  denied, denied == 1 ? "" : "es");
	}
	if (!(t->request->needs & INSPECT_NEED_CLASSES))
		return;
	say_kcmp(t, &w);
	if (s->nobody_error && !s->kcmp_error) {
		words_part(&w, "; ");
		words_add(&w, "I/O contexts and undo lists cannot be told from none: %s",
			  strerror(s->nobody_error));
	}
}
