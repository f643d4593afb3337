/* SPDX-License-Identifier: MIT */
/*
 * Descriptor steps: maps are planned, the plan is run on a simulated table, and by the child's own
 * step functions on a real one, and the table must be what the map means: all moves at once, then
 * the rest closed. RAMET_SEED repeats a run.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"
#include "child/child.h"
#include "launch/plan.h"

#define TABLE 24
#define MOVES_MAX 12

/* A descriptor table: which open file each number has, 0: closed. */
struct table {
	int file[TABLE];
	bool cloexec[TABLE];
};

struct map {
	struct ramet_step steps[MOVES_MAX * 2 + 2]; /* ended by RAMET_STEP_END */
	unsigned count;
};

static bool is_open(const struct table *t, int fd)
{
	return fd >= 0 && fd < TABLE && t->file[fd];
}

static int dup_to(struct table *t, int from, int to)
{
	if (!is_open(t, from))
		return -EBADF;
	t->file[to] = t->file[from];
	t->cloexec[to] = false;
	return to;
}

/* F_DUPFD_CLOEXEC from 0. */
static int lift(struct table *t, int from)
{
	int to = 0;

	while (to < TABLE && t->file[to])
		to++;
	if (!is_open(t, from) || to == TABLE)
		return -EBADF;
	t->file[to] = t->file[from];
	t->cloexec[to] = true;
	return to;
}

/* One step of the plan, as src/child/fds.c does it. 0 or more, or -errno. */
static int run_step(struct table *t, const struct ramet_step *step, int *lifted)
{
	const int from = step->number == CHILD_FD_LIFTED ? *lifted : step->number;
	int r = 0;

	switch (step->kind) {
	case RAMET_STEP_CLOSE_RANGE:
		for (int fd = 0; fd < TABLE; fd++)
			if ((unsigned)fd >= step->first && (unsigned)fd <= step->last)
				t->file[fd] = 0;
		return step->first > step->last ? -EINVAL : 0;
	case RAMET_STEP_KEEP:
		if (!is_open(t, from))
			return -EBADF;
		t->cloexec[from] = false;
		return 0;
	case RAMET_STEP_DUP:
		/* The lifted one may sit where a source was that is not open. */
		if (step->number >= 0 && from == *lifted)
			return -EBADF;
		if (step->to == CHILD_FD_LIFTED)
			return *lifted >= 0 ? -EBUSY : (*lifted = lift(t, from));
		r = dup_to(t, from, step->to);
		if (r >= 0 && step->number == CHILD_FD_LIFTED) {
			t->file[from] = 0;
			*lifted = -1;
		}
		return r;
	default:
		return -ENOSYS;
	}
}

/* Plan and run. 0, or -errno of the first step that failed. */
static int run_map(const struct map *map, struct table *t)
{
	const unsigned room = fdmap_room(map->steps);
	struct ramet_step *out = calloc(room + 1, sizeof(*out));
	int *kept = calloc(room + 4, sizeof(*kept));
	int lifted = -1, r = -ENOMEM;
	unsigned n = 0;

	if (out && kept) {
		out[room].kind = UINT32_MAX; /* a guard */
		n = fdmap_make(map->steps, (const int[]){-1, -1}, out, kept);
		r = n > room || out[room].kind != UINT32_MAX ? -EFAULT : 0;
	}
	for (unsigned i = 0; i < n && r >= 0; i++)
		r = run_step(t, &out[i], &lifted);
	free(kept);
	free(out);
	return r < 0 ? r : lifted >= 0 ? -EBUSY : 0;
}

static bool closes_rest(const struct map *map)
{
	for (unsigned i = 0; i < map->count; i++)
		if (map->steps[i].kind == RAMET_STEP_CLOSE_REST)
			return true;
	return false;
}

/* The meaning, straight from the words: every target gets what its source was before. */
static bool means(const struct map *map, const struct table *before, struct table *ret)
{
	const bool rest = closes_rest(map);
	bool kept[TABLE] = {true, true, true};

	*ret = *before;
	for (unsigned i = 0; i < map->count; i++) {
		const struct ramet_step *s = &map->steps[i];

		if (s->kind == RAMET_STEP_CLOSE_REST)
			continue;
		if (!is_open(before, s->number))
			return false;
		if (s->kind == RAMET_STEP_DUP)
			ret->file[s->to] = before->file[s->number];
		ret->cloexec[s->kind == RAMET_STEP_DUP ? s->to : s->number] = false;
		kept[s->kind == RAMET_STEP_DUP ? s->to : s->number] = true;
	}
	for (int fd = 0; rest && fd < TABLE; fd++)
		if (!kept[fd])
			ret->file[fd] = 0;
	return true;
}

static bool is_same(const struct table *a, const struct table *b)
{
	for (int fd = 0; fd < TABLE; fd++)
		if (a->file[fd] != b->file[fd] || (a->file[fd] && a->cloexec[fd] != b->cloexec[fd]))
			return false;
	return true;
}

static void show(const struct map *map, const struct table *before)
{
	for (unsigned i = 0; i < map->count; i++)
		diag("  %s %d %d", ramet_step_name(map->steps[i].kind), map->steps[i].number,
		     map->steps[i].to);
	for (int fd = 0; fd < TABLE; fd++)
		if (before->file[fd])
			diag("  %d is open%s", fd, before->cloexec[fd] ? ", cloexec" : "");
}

/* 0: as meant; 1: not. */
static unsigned check(const struct map *map, const struct table *before)
{
	struct table got = *before, want;
	const bool possible = means(map, before, &want);
	const int r = run_map(map, &got);

	if (possible ? r >= 0 && is_same(&got, &want) : r == -EBADF)
		return 0;
	diag("%s, result %d:", possible ? "not what the map means" : "a closed source", r);
	show(map, before);
	return 1;
}

static void put(struct map *map, struct ramet_step step)
{
	map->steps[map->count++] = step;
}

static struct table random_table(unsigned open_percent)
{
	struct table t = {0};

	for (int fd = 0; fd < TABLE - 1; fd++) { /* one number stays free to lift into */
		t.file[fd] = tap_below(100) < open_percent ? fd + 1 : 0;
		t.cloexec[fd] = tap_below(2);
	}
	return t;
}

/* Moves with different targets and few different numbers, so that chains and cycles are common. */
static struct map random_map(unsigned numbers)
{
	const unsigned moves = (unsigned)tap_below(numbers < MOVES_MAX ? numbers + 1 : MOVES_MAX);
	const unsigned keeps = (unsigned)tap_below(4);
	struct map map = {0};
	bool taken[TABLE] = {false};

	for (unsigned i = 0; i < moves; i++) {
		unsigned to = (unsigned)tap_below(numbers);

		while (taken[to])
			to = (to + 1) % numbers;
		taken[to] = true;
		put(&map, (struct ramet_step)RAMET_DUP((int)tap_below(numbers), (int)to));
	}
	for (unsigned i = 0; i < keeps; i++)
		put(&map, (struct ramet_step)RAMET_KEEP((int)tap_below(numbers)));
	if (tap_below(2))
		put(&map, (struct ramet_step)RAMET_CLOSE_REST());
	/* Order among the kinds must not matter. */
	for (unsigned i = map.count; i > 1; i--) {
		const unsigned j = (unsigned)tap_below(i);
		const struct ramet_step s = map.steps[i - 1];

		map.steps[i - 1] = map.steps[j];
		map.steps[j] = s;
	}
	return map;
}

static void test_random(void)
{
	unsigned wrong = 0;

	for (int i = 0; i < 100000 && wrong < 3; i++) {
		const unsigned numbers = 1 + (unsigned)tap_below(TABLE - 1);
		const struct table before = random_table(i & 1 ? 100 : 90);
		const struct map map = random_map(numbers);

		wrong += check(&map, &before);
	}
	is_int(wrong, 0, "100000 random maps do what they mean");
}

/* ---- The same by the real steps, in a child with a table of its own ---- */

/* Make this process's table `t`; the numbers of the files behind it in inodes. */
static bool make_table(const struct table *t, ino_t inodes[TABLE])
{
	struct stat st;

	for (int fd = 0; fd < 1024; fd++)
		close(fd);
	for (int fd = 0; fd < TABLE; fd++)
		if (memfd_create("fdmap", t->cloexec[fd] ? MFD_CLOEXEC : 0) != fd ||
		    fstat(fd, &st) < 0)
			return false;
		else
			inodes[fd] = st.st_ino;
	for (int fd = 0; fd < TABLE; fd++)
		if (!t->file[fd])
			close(fd);
	return true;
}

static bool is_table(const struct table *want, const ino_t inodes[TABLE])
{
	struct stat st;

	for (int fd = 0; fd < TABLE; fd++) {
		const int flags = fcntl(fd, F_GETFD);

		if ((flags >= 0) != !!want->file[fd])
			return false;
		if (flags < 0)
			continue;
		if (fstat(fd, &st) < 0 || st.st_ino != inodes[want->file[fd] - 1] ||
		    !!(flags & FD_CLOEXEC) != want->cloexec[fd])
			return false;
	}
	return true;
}

enum { AS_MEANT, NOT_AS_MEANT, NO_TABLE };

static int run_really(const struct map *map, const struct table *before)
{
	struct ramet_step out[4 * sizeof(map->steps) / sizeof(map->steps[0])];
	int kept[sizeof(out) / sizeof(out[0])];
	struct child child = {.lifted = -1};
	const unsigned n = fdmap_make(map->steps, (const int[]){-1, -1}, out, kept);
	ino_t inodes[TABLE];
	struct table want;
	const bool possible = means(map, before, &want);
	long r = 0;

	if (!make_table(before, inodes))
		return NO_TABLE;
	for (unsigned i = 0; i < n && r >= 0; i++)
		r = step_kind(out[i].kind)->run(&child, &out[i]);
	if (possible ? r >= 0 && is_table(&want, inodes) : r == -EBADF)
		return AS_MEANT;
	return NOT_AS_MEANT;
}

static int run_in_child(const struct map *map, const struct table *before)
{
	int status = -1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0)
		_exit(run_really(map, before));
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return NO_TABLE;
	return WEXITSTATUS(status);
}

/* The lifted descriptor takes the lowest free number: that of the closed source. */
static void test_closed_source_in_cycle(void)
{
	const struct table before = {.file = {0, 2, 3}};
	const struct map map = {.steps = {RAMET_DUP(2, 0), RAMET_DUP(0, 1), RAMET_DUP(1, 2)},
				.count = 3};

	is_int(run_in_child(&map, &before), AS_MEANT, "a closed source in a cycle is EBADF");
}

static void test_real(void)
{
	unsigned wrong = 0, broken = 0;

	for (int i = 0; i < 1000 && wrong < 3; i++) {
		const unsigned numbers = 1 + (unsigned)tap_below(TABLE - 1);
		const struct table before = random_table(i & 1 ? 100 : 90);
		const struct map map = random_map(numbers);
		const int r = run_in_child(&map, &before);

		broken += r == NO_TABLE;
		if (r == NOT_AS_MEANT) {
			diag("the real table is not what the map means:");
			show(&map, &before);
			wrong++;
		}
	}
	is_int(broken, 0, "every child could make its table");
	is_int(wrong, 0, "1000 random maps do what they mean on real tables");
}

/* All maps of every target among n numbers, that is n^n of them: every shape of cycle. */
static void test_all_small(void)
{
	for (unsigned n = 1; n <= 6; n++) {
		struct table before = {0};
		unsigned wrong = 0, maps = 1;

		for (unsigned i = 0; i < n; i++)
			maps *= n;
		for (unsigned fd = 0; fd < n; fd++)
			before.file[fd] = (int)fd + 1;
		for (unsigned code = 0; code < maps && wrong < 3; code++) {
			struct map map = {0};
			unsigned rest = code;

			for (unsigned to = 0; to < n; to++, rest /= n)
				put(&map, (struct ramet_step)RAMET_DUP((int)(rest % n), (int)to));
			wrong += check(&map, &before);
		}
		is_int(wrong, 0, "all %u maps of %u descriptors onto each other", maps, n);
	}
}

/* The plan's exact steps for what people write. */
static void is_plan(const struct ramet_step *steps, const char *want, const char *name)
{
	struct ramet_step out[40];
	int kept[44];
	char text[512] = "", *at = text;
	const unsigned n = fdmap_make(steps, (const int[]){-1, -1}, out, kept);

	for (unsigned i = 0; i < n; i++) {
		if (i)
			*at++ = '\n';
		at += step_describe(&out[i], at, sizeof(text) - (size_t)(at - text));
	}
	is_str(text, want, "%s", name);
}

static void test_plans(void)
{
	is_plan(NULL, "", "no steps");
	is_plan(RAMET_STEPS(RAMET_CWD("/")), "", "no descriptor steps");
	is_plan(RAMET_STEPS(RAMET_DUP(5, 1), RAMET_DUP(5, 2)),
		"make descriptor 5 descriptor 1\nmake descriptor 5 descriptor 2",
		"one source, two targets");
	is_plan(RAMET_STEPS(RAMET_DUP(4, 5), RAMET_DUP(3, 4)),
		"make descriptor 4 descriptor 5\nmake descriptor 3 descriptor 4",
		"a chain in a good order");
	is_plan(RAMET_STEPS(RAMET_DUP(3, 4), RAMET_DUP(4, 5)),
		"make descriptor 4 descriptor 5\nmake descriptor 3 descriptor 4",
		"a chain in a bad order");
	is_plan(RAMET_STEPS(RAMET_DUP(3, 4), RAMET_DUP(4, 3)),
		"make descriptor 3 descriptor (lifted)\nmake descriptor 4 descriptor 3\n"
		"make descriptor (lifted) descriptor 4",
		"a swap lifts one");
	is_plan(RAMET_STEPS(RAMET_DUP(7, 7)), "make descriptor 7 descriptor 7",
		"onto itself: kept over exec");
	is_plan(RAMET_STEPS(RAMET_CLOSE_REST()), "close descriptors 3 and up", "close the rest");
	is_plan(RAMET_STEPS(RAMET_CLOSE_REST(), RAMET_KEEP(9), RAMET_DUP(8, 4)),
		"keep descriptor 9 open\nmake descriptor 8 descriptor 4\nclose descriptors 3\n"
		"close descriptors 5 to 8\nclose descriptors 10 and up",
		"all but targets and kept ones");
	is_plan(RAMET_STEPS(RAMET_KEEP(INT_MAX), RAMET_CLOSE_REST()),
		"keep descriptor 2147483647 open\nclose descriptors 3 to 2147483646\n"
		"close descriptors 2147483648 and up",
		"the largest descriptor");
}

int main(void)
{
	tap_seed();
	test_plans();
	test_all_small();
	test_random();
	test_closed_source_in_cycle();
	test_real();
	return tap_done();
}
