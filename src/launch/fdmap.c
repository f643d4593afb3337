/* SPDX-License-Identifier: MIT */
/*
 * DUP steps say what the child's descriptors shall be, all at once: {3 to 4, 4 to 3} swaps. Here
 * they become a sequence: a move whose target nobody still needs as a source goes first; when only
 * cycles are left one source is lifted out of the way. Then the rest is closed in stretches.
 */
#include <stdlib.h>
#include <string.h>

#include "child/child.h"
#include "launch/plan.h"

static unsigned count_kind(const struct ramet_step *steps, uint32_t kind)
{
	unsigned n = 0;

	for (; steps && steps->kind; steps++)
		n += steps->kind == kind;
	return n;
}

unsigned fdmap_room(const struct ramet_step *steps)
{
	const unsigned dups = count_kind(steps, RAMET_STEP_DUP);
	const unsigned keeps = count_kind(steps, RAMET_STEP_KEEP);

	/* Each cycle of at least two moves is lifted once; each kept one parts two stretches. */
	return 2 * dups + keeps + (dups + keeps + 3);
}

static struct ramet_step dup_step(int from, int to)
{
	return (struct ramet_step){.kind = RAMET_STEP_DUP, .number = from, .to = to};
}

static bool is_source(const struct ramet_step *moves, unsigned n, int fd)
{
	for (unsigned i = 0; i < n; i++)
		if (moves[i].number == fd)
			return true;
	return false;
}

/* Take move i out of the n pending ones. */
static void drop(struct ramet_step *moves, unsigned n, unsigned i)
{
	memmove(&moves[i], &moves[i + 1], (n - i - 1) * sizeof(moves[0]));
}

/*
 * Order the n moves in `moves`, which is used up, into out. Quadratic in n, which is the number of
 * redirections a person or a program writes down.
 */
static unsigned order_moves(struct ramet_step *moves, unsigned n, struct ramet_step *out)
{
	unsigned made = 0, i;
	struct ramet_step move;

	while (n) {
		for (i = 0; i < n; i++) {
			move = moves[i];
			moves[i].number = -1; /* a move to itself does not block itself */
			if (!is_source(moves, n, move.to))
				break;
			moves[i].number = move.number;
		}
		if (i < n) {
			drop(moves, n--, i);
			out[made++] = move;
			continue;
		}
		move = moves[0];
		out[made++] = dup_step(move.number, CHILD_FD_LIFTED);
		for (i = 0; i < n; i++)
			if (moves[i].number == move.number)
				moves[i].number = CHILD_FD_LIFTED;
	}
	return made;
}

static int compare_fds(const void *a, const void *b)
{
	const int x = *(const int *)a, y = *(const int *)b;

	return (x > y) - (x < y);
}

/* Close what lies between the kept descriptors, which are sorted here. */
static unsigned close_gaps(int *kept, unsigned n, struct ramet_step *out)
{
	unsigned made = 0, next = 0;

	qsort(kept, n, sizeof(*kept), compare_fds);
	for (unsigned i = 0; i < n; i++) {
		if ((unsigned)kept[i] > next)
			out[made++] = (struct ramet_step){.kind = RAMET_STEP_CLOSE_RANGE,
							  .first = next,
							  .last = (unsigned)kept[i] - 1};
		next = (unsigned)kept[i] + 1;
	}
	out[made++] =
		(struct ramet_step){.kind = RAMET_STEP_CLOSE_RANGE, .first = next, .last = ~0U};
	return made;
}

unsigned fdmap_make(const struct ramet_step *steps, const int held[2], struct ramet_step *out,
		    int *kept)
{
	const unsigned dups = count_kind(steps, RAMET_STEP_DUP);
	/* Scratch at the end of the room, beyond what this can fill before it is used up. */
	struct ramet_step *moves = out + fdmap_room(steps) - dups;
	unsigned n = 0, made = 0;

	for (int fd = 0; fd < 3; fd++)
		kept[n++] = fd;
	for (int i = 0; i < 2; i++)
		if (held[i] >= 3)
			kept[n++] = held[i];
	for (const struct ramet_step *s = steps; s && s->kind; s++)
		if (s->kind == RAMET_STEP_KEEP || s->kind == RAMET_STEP_DUP)
			kept[n++] = s->kind == RAMET_STEP_KEEP ? s->number : s->to;
	for (const struct ramet_step *s = steps; s && s->kind; s++)
		if (s->kind == RAMET_STEP_KEEP)
			out[made++] = *s;
		else if (s->kind == RAMET_STEP_DUP)
			*moves++ = *s;
	moves -= dups;
	made += order_moves(moves, dups, out + made);
	if (count_kind(steps, RAMET_STEP_CLOSE_REST))
		made += close_gaps(kept, n, out + made);
	return made;
}
