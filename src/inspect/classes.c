/* SPDX-License-Identifier: MIT */
/*
 * The partition. Tasks live on meanwhile: one may end, exec, or become another user's at any
 * moment. What speaks for a class is then replaced by another of the class, or the class is
 * closed; a task that changed while it was looked at is in the class of before or after. One that
 * speaks for a class and changes is worse: until then the others were compared with what it had,
 * and from then on with what it has. inspect_partition_settled() tells; only asking again helps.
 */
#include "inspect/classes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { SAME = 0, BEFORE = 1, BEHIND = 2 };

static bool resize(void *array, size_t count, size_t size)
{
	void **at = array, *grown = reallocarray(*at, count, size);

	if (grown)
		*at = grown;
	return grown;
}

/* Room for one more task, and so for one more class. */
static int grow(struct inspect_partition *p)
{
	size_t room = p->room ? p->room * 2 : 64;

	if (p->count + 1 < p->room)
		return 0;
	if (!resize(&p->tids, room, sizeof(*p->tids)) ||
	    !resize(&p->class_of, room, sizeof(*p->class_of)) ||
	    !resize(&p->speakers, room, sizeof(*p->speakers)) ||
	    !resize(&p->seconds, room, sizeof(*p->seconds)) ||
	    !resize(&p->sorted, room, sizeof(*p->sorted)))
		return -ENOMEM;
	p->room = room;
	return 0;
}

int inspect_partition_begin(struct inspect_partition *p, enum inspect_object object, pid_t nobody,
			    inspect_compare *compare, void *context)
{
	int r;

	*p = (struct inspect_partition){
		.object = object,
		.compare = compare,
		.context = context,
		.classes = 1,
	};
	r = grow(p);
	if (r < 0) {
		inspect_partition_end(p);
		return r;
	}
	p->speakers[INSPECT_NO_OBJECT] = nobody;
	p->seconds[INSPECT_NO_OBJECT] = 0;
	if (nobody)
		p->sorted[p->sorted_count++] = INSPECT_NO_OBJECT;
	return 0;
}

void inspect_partition_end(struct inspect_partition *p)
{
	free(p->tids);
	free(p->class_of);
	free(p->speakers);
	free(p->seconds);
	free(p->sorted);
	*p = (struct inspect_partition){0};
}

static int ask(struct inspect_partition *p, pid_t a, pid_t b)
{
	p->calls++;
	return p->compare(p->context, a, b, p->object);
}

/* Nobody speaks for the class any more: whoever else is in it has the object as well. */
static bool replace_speaker(struct inspect_partition *p, int class)
{
	const pid_t gone = p->speakers[class];

	p->disturbed = true;
	for (size_t i = 0; i < p->count; i++) {
		if (p->class_of[i] != class || p->tids[i] == gone)
			continue;
		if (ask(p, p->tids[i], p->tids[i]) < 0) {
			p->class_of[i] = -1; /* not asked again */
			continue;
		}
		p->speakers[class] = p->tids[i];
		return true;
	}
	return false;
}

static void close_class(struct inspect_partition *p, int class)
{
	size_t kept = 0;

	p->speakers[class] = 0;
	for (size_t i = 0; i < p->sorted_count; i++)
		if (p->sorted[i] != class)
			p->sorted[kept++] = p->sorted[i];
	p->sorted_count = kept;
}

/* The task against a class. -EAGAIN: the class is closed, the list is another now. */
static int against(struct inspect_partition *p, pid_t tid, int class)
{
	for (;;) {
		int r = ask(p, tid, p->speakers[class]), own;

		if (r != -ESRCH && r != -EPERM)
			return r;
		own = ask(p, tid, tid); /* which of the two is it? */
		if (own < 0)
			return own;
		if (!replace_speaker(p, class)) {
			close_class(p, class);
			return -EAGAIN;
		}
	}
}

/* Equality alone. 1: found. */
static int search_all(struct inspect_partition *p, pid_t tid, int *ret_class)
{
	for (size_t i = 0; i < p->sorted_count; i++) {
		const pid_t second = p->thorough ? p->seconds[p->sorted[i]] : 0;
		int r = against(p, tid, p->sorted[i]);

		if (r > SAME && second && ask(p, tid, second) == SAME)
			r = SAME;
		if (r == SAME) {
			*ret_class = p->sorted[i];
			return 1;
		}
		if (r < 0)
			return r;
	}
	return 0;
}

/* 1: found; 0: not there, *ret_place is where it belongs. */
static int search(struct inspect_partition *p, pid_t tid, int *ret_class, size_t *ret_place)
{
	size_t low = 0, high = p->sorted_count;

	while (low < high && !p->unordered) {
		const size_t middle = low + (high - low) / 2;
		int r = against(p, tid, p->sorted[middle]);

		if (r == SAME) {
			*ret_class = p->sorted[middle];
			return 1;
		}
		if (r < 0)
			return r;
		if (r == BEFORE)
			high = middle;
		else if (r == BEHIND)
			low = middle + 1;
		else
			p->unordered = true;
	}
	*ret_place = low;
	return p->unordered ? search_all(p, tid, ret_class) : 0;
}

int inspect_partition_add(struct inspect_partition *p, pid_t tid, int guess)
{
	int class = guess, r = grow(p);
	size_t place = 0;

	if (r < 0)
		return r;
	if (guess >= 0 && (size_t)guess < p->classes && p->speakers[guess])
		r = against(p, tid, guess) == SAME;
	while (r == 0) {
		r = search(p, tid, &class, &place);
		if (r == -EAGAIN)
			r = 0;
		else if (r == 0)
			break;
	}
	/* Nobody was there to be compared with: is it to be asked about at all? */
	if (r == 0 && !p->sorted_count)
		r = ask(p, tid, tid);
	if (r < 0)
		return r;
	if (r == 0) {
		class = (int)p->classes++;
		p->speakers[class] = tid;
		p->seconds[class] = 0;
		if (p->unordered)
			place = p->sorted_count;
		memmove(&p->sorted[place + 1], &p->sorted[place],
			(p->sorted_count - place) * sizeof(*p->sorted));
		p->sorted[place] = class;
		p->sorted_count++;
	} else {
		p->seconds[class] = tid;
	}
	p->tids[p->count] = tid;
	p->class_of[p->count++] = class;
	return class;
}

bool inspect_partition_settled(struct inspect_partition *p)
{
	bool settled = !p->disturbed;
	pid_t *others = calloc(p->classes, sizeof(*others));

	if (!others)
		return true;
	for (size_t i = p->count; i-- > 0;)
		if (p->class_of[i] >= 0 && p->tids[i] != p->speakers[p->class_of[i]])
			others[p->class_of[i]] = p->tids[i];
	for (size_t i = 0; settled && i < p->sorted_count; i++) {
		const int class = p->sorted[i];
		const pid_t speaker = p->speakers[class];

		if (i + 1 < p->sorted_count && !p->unordered)
			settled = ask(p, speaker, p->speakers[p->sorted[i + 1]]) == BEFORE;
		if (settled && others[class])
			settled = ask(p, speaker, others[class]) == SAME;
	}
	free(others);
	return settled;
}
