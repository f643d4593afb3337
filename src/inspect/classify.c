/* SPDX-License-Identifier: MIT */
/*
 * The classes of a snapshot's tasks, an object at a time. Left out are kernel threads and
 * zombies: they have no memory, and would all be the same.
 */
#include <errno.h>
#include <unistd.h>

#include "inspect/classes.h"
#include "inspect/snapshot.h"

#define PASSES 4

static int compare(void *context, pid_t a, pid_t b, enum inspect_object object)
{
	(void)context;
	return inspect_kcmp(a, b, object);
}

/* Threads share these by the rules of clone: sighand needs memory, and a thread needs sighand. */
static bool is_of_process(enum inspect_object object)
{
	return object == INSPECT_VM || object == INSPECT_SIGHAND;
}

/* Most tasks never used one. */
static bool is_rare(enum inspect_object object)
{
	return object == INSPECT_IO || object == INSPECT_SYSVSEM;
}

/* One more task; what it is then known as. A -errno is that of kcmp itself. */
static int place(struct inspect_partition *p, struct inspect_entry *e, int guess)
{
	int class = inspect_partition_add(p, e->tid, guess);

	if (class >= 0)
		e->class[p->object] = class;
	else if (class == -ESRCH)
		e->gone = true;
	else if (class == -EPERM || class == -EACCES)
		e->denied = true;
	else
		return class;
	return 0;
}

static int place_process(struct inspect_snapshot *s, struct inspect_partition *p, size_t leader)
{
	struct inspect_entry *process = &s->entries[leader],
			     *speaker = &s->entries[process->speaker];
	int r = place(p, speaker, is_rare(p->object) ? INSPECT_NO_OBJECT : -1), class;

	class = speaker->class[p->object];
	process->class[p->object] = class;
	process->denied |= speaker->denied;
	if (speaker->gone && process->speaker == leader)
		process->gone = true;
	for (size_t i = leader + 1; r == 0 && i <= leader + process->listed; i++) {
		struct inspect_entry *thread = &s->entries[i];

		if (i == process->speaker || thread->gone || inspect_is_zombie(thread))
			continue;
		if (is_of_process(p->object))
			thread->class[p->object] = class;
		else if (!process->denied)
			r = place(p, thread, class);
	}
	return r;
}

/* One pass over all of them. */
static int classify_once(struct inspect_snapshot *s, enum inspect_object object, pid_t nobody,
			 bool thorough, bool *ret_settled)
{
	struct inspect_partition p;
	/* Handlers outlive the end. */
	int r = inspect_partition_begin(&p, object, object == INSPECT_SIGHAND ? 0 : nobody, compare,
					NULL);

	p.unordered = p.thorough = thorough;
	for (size_t i = 0; r == 0 && i < s->count; i += s->entries[i].listed + 1) {
		struct inspect_entry *e = &s->entries[i];

		if (!e->basics.kernel && !e->gone && !e->denied && !inspect_is_zombie(e))
			r = place_process(s, &p, i);
	}
	*ret_settled = r < 0 || inspect_partition_settled(&p);
	s->calls += p.calls;
	inspect_partition_end(&p);
	return r;
}

/* On a machine where tasks come and go all the time the last pass does without their order. */
static int classify(struct inspect_snapshot *s, enum inspect_object object, pid_t nobody)
{
	bool settled = false;
	int r = 0;

	for (int i = 0; r == 0 && i < PASSES && !settled; i++)
		r = classify_once(s, object, nobody, i == PASSES - 1, &settled);
	return r;
}

int inspect_classify(struct inspect_snapshot *s, unsigned needs)
{
	struct inspect_nobody nobody = {.count = 0};
	pid_t none;
	int r = 0;

	for (size_t i = 0; i < s->count; i++)
		for (int object = 0; object < INSPECT_OBJECTS; object++)
			s->entries[i].class[object] = INSPECT_CLASS_UNKNOWN;
	if (!(needs & INSPECT_NEED_CLASSES) || s->foreign)
		return 0;
	r = inspect_kcmp(getpid(), getpid(), INSPECT_VM);
	if (r < 0) {
		s->kcmp_error = -r;
		return 0;
	}
	none = inspect_nobody_begin(&nobody);
	if (none < 0)
		s->nobody_error = -none;
	for (int object = INSPECT_VM; r >= 0 && object <= INSPECT_SYSVSEM; object++) {
		if (!(needs & (unsigned)INSPECT_NEED_CLASS << object))
			continue;
		if (none > 0 || !is_rare(object))
			r = classify(s, object, none > 0 ? none : 0);
	}
	inspect_nobody_end(&nobody);
	if (r < 0 && r != -ENOMEM) {
		s->kcmp_error = -r;
		r = 0;
	}
	return r;
}
