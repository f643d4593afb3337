/* SPDX-License-Identifier: MIT */
/*
 * Random life histories: up to 30 tasks of every kind clone, exec, unshare, join namespaces, end,
 * wait and are killed on the running kernel. Before each step the rules foretell what the kernel
 * will say; after it the world, which replays the step, is compared with what kcmp and /proc show
 * of every task and every two. A history that fails is cut down to the steps it takes to fail.
 *
 * RAMET_LONG=1 for a thousand, RAMET_HISTORIES=N for any number, RAMET_SEED=N to repeat a run.
 */
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "tap.h"
#include "colony/keeper.h"
#include "colony/life.h"
#include "colony/sight.h"
#include "lib/cell.h"

#define HISTORIES 40
#define HISTORIES_LONG 1000
#define SHRINKING 60.0 /* seconds for one that fails */
#define REPETITIONS 8
#define PATIENCE 3.0 /* seconds for the kernel to come to it */
#define PATIENCE_LESS 0.3
#define FAILURES_SHOWN 3

/* Where a cell leaves its counts in cell->number. */
enum {
	N_HISTORIES,
	N_STEPS,
	N_ACCEPTED,
	N_REFUSED,
	N_PAIRS,
	N_MOST,
	N_FAILED,
	N_KINDS_MISSED,
	N_LOOKED_AT
};

struct history {
	struct step steps[LIFE_STEPS];
	int count;
};

static struct life life;

/* ---- Making steps up ---- */

static bool chance(unsigned of)
{
	return tap_below(of) == 0;
}

/* A label for which `is` holds, or -1. */
static int pick(bool (*is)(const struct task *))
{
	int labels[COLONY_SLOTS], n = 0;

	for (int i = 0; i < COLONY_SLOTS; i++) {
		const struct task *t = life.tids[i] ? world_find(life.world, life.tids[i]) : NULL;

		if (t && is(t))
			labels[n++] = i;
	}
	return n ? labels[tap_below((uint64_t)n)] : -1;
}

static bool can_act(const struct task *t)
{
	return t->tid != life.tids[0] && t->state == RAMET_STATE_ALIVE && !t->held_by;
}

static bool is_mortal(const struct task *t)
{
	return t->tid != life.tids[0] && t->process->live;
}

static bool is_alive(const struct task *t)
{
	return t->state == RAMET_STATE_ALIVE;
}

static bool is_any(const struct task *t)
{
	return t->tid != life.tids[0];
}

/* In a user namespace that has been made here. */
static bool is_unmapped(const struct task *t)
{
	return can_act(t) && object_of(t, SLOT_USER)->value;
}

static const struct task *waiter;

static uint64_t some_of(const uint64_t *flags, unsigned count, unsigned of)
{
	uint64_t some = 0;

	for (unsigned i = 0; i < count; i++)
		if (chance(of))
			some |= flags[i];
	return some;
}

static const uint64_t namespaces[] = {CLONE_NEWUSER, CLONE_NEWNS,  CLONE_NEWUTS,  CLONE_NEWIPC,
				      CLONE_NEWPID,  CLONE_NEWNET, CLONE_NEWTIME, CLONE_NEWCGROUP,
				      CLONE_NEWPID,  CLONE_NEWUSER};
#define NAMESPACES (sizeof(namespaces) / sizeof(namespaces[0]))

/* Nested no deeper than the kernel allows by far. */
static uint64_t not_too_deep(int who, uint64_t flags)
{
	const struct task *t = world_find(life.world, life.tids[who]);

	if (object_of(t, SLOT_USER)->value > 6)
		flags &= ~CLONE_NEWUSER;
	if (object_of(t, SLOT_PID_FOR_CHILDREN)->value > 6)
		flags &= ~CLONE_NEWPID;
	return flags;
}

static uint64_t clone_flags(void)
{
	static const uint64_t shapes[] = {
		0,
		CLONE_VM | CLONE_VFORK,
		CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND,
		CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
			CLONE_CHILD_CLEARTID,
		CLONE_VM | CLONE_SIGHAND | CLONE_THREAD,
		CLONE_PARENT,
	};
	static const uint64_t sharing[] = {
		CLONE_VM,     CLONE_FS,	     CLONE_FILES, CLONE_SIGHAND, CLONE_THREAD,
		CLONE_PARENT, CLONE_SYSVSEM, CLONE_IO,	  CLONE_VFORK,	 CLONE_CLEAR_SIGHAND};
	static const uint64_t rest[] = {CLONE_CHILD_CLEARTID, CLONE_CHILD_SETTID, CLONE_PIDFD,
					CLONE_UNTRACED, CLONE_SETTLS};
	uint64_t flags = shapes[tap_below(sizeof(shapes) / sizeof(shapes[0]))];

	if (chance(2))
		flags ^= some_of(sharing, 10, 4);
	if (chance(3))
		flags |= some_of(namespaces, NAMESPACES, 6);
	flags |= some_of(rest, 5, 4);
	if (chance(2))
		flags |= CLONE_CHILD_CLEARTID;
	return flags;
}

/* Mostly what rules that need no state let pass. */
static uint64_t legal(uint64_t flags)
{
	if (flags & CLONE_THREAD)
		flags = (flags | CLONE_SIGHAND) & ~(CLONE_NEWUSER | CLONE_NEWPID);
	if (flags & CLONE_SIGHAND)
		flags = (flags | CLONE_VM) & ~CLONE_CLEAR_SIGHAND;
	if (flags & (CLONE_NEWNS | CLONE_NEWUSER))
		flags &= ~CLONE_FS;
	if (flags & CLONE_NEWIPC)
		flags &= ~CLONE_SYSVSEM;
	return flags;
}

/*
 * The end of a pid 1 makes all that have its table of handlers ignore SIGCHLD. Where its maker can
 * be killed together with it, by the end of the pid 1 of both, it is a race whether the maker
 * leaves a zombie.
 */
static bool races_with_maker(const struct step *s)
{
	const struct task *t = world_find(life.world, life.tids[s->who]);

	return !(s->flags & CLONE_THREAD) && object_of(t, SLOT_PID)->value &&
	       (s->flags & CLONE_NEWPID ||
		object_of(t, SLOT_PID) != object_of(t, SLOT_PID_FOR_CHILDREN));
}

static bool make_clone(struct step *s)
{
	static const int signals[] = {SIGCHLD, SIGCHLD, SIGCHLD, 0, SIGUSR1, SIGUSR2};
	int label = 1;

	while (label < COLONY_SLOTS && life.used[label])
		label++;
	if (label == COLONY_SLOTS || life.world->count > LIFE_CROWD)
		return false;
	s->other = label;
	s->flags = not_too_deep(s->who, clone_flags());
	if (!chance(8))
		s->flags = legal(s->flags);
	if (races_with_maker(s))
		s->flags &= ~CLONE_SIGHAND;
	s->signal = signals[tap_below(6)];
	s->legacy = chance(3);
	if (s->legacy)
		s->flags &= 0xffffff00 & ~CLONE_PIDFD;
	else if (s->flags & (CLONE_THREAD | CLONE_PARENT) && !chance(8))
		s->signal = 0;
	return true;
}

static bool make_unshare(struct step *s)
{
	static const uint64_t parts[] = {CLONE_FS, CLONE_FILES,	 CLONE_SYSVSEM, CLONE_SIGHAND,
					 CLONE_VM, CLONE_THREAD, CLONE_FILES};

	s->flags = chance(2) ? some_of(parts, 7, 3) : some_of(namespaces, NAMESPACES, 5);
	if (chance(4))
		s->flags |= some_of(namespaces, NAMESPACES, 8);
	if (chance(20))
		s->flags |= CLONE_IO;
	s->flags = not_too_deep(s->who, s->flags);
	return true;
}

static bool make_setns(struct step *s)
{
	s->other = pick(chance(8) ? is_any : is_alive);
	s->number = (uint32_t)tap_below(3);
	if (s->number == BY_PIDFD) {
		s->flags = some_of(namespaces, NAMESPACES, 4);
		s->legacy = !s->flags && chance(8);
		return s->other >= 0 && (s->flags || s->legacy);
	}
	s->flags = namespaces[tap_below(NAMESPACES)];
	if (s->number == BY_FILE_FOR_CHILDREN)
		s->flags = chance(2) ? CLONE_NEWPID : CLONE_NEWTIME;
	s->legacy = chance(2);
	return s->other >= 0;
}

static bool is_waitable_zombie(const struct task *t)
{
	return t->tid != life.tids[0] && is_waitable(t->process);
}

static bool is_of_waiter(const struct task *t)
{
	return t->process == waiter->process && t->state == RAMET_STATE_ALIVE && !t->held_by;
}

/* Mostly one that can be had, by one of those who can have it. */
static bool make_wait(struct step *s)
{
	static const uint32_t options[] = {KERNEL_WALL, KERNEL_WALL, 0, KERNEL_WCLONE,
					   __WNOTHREAD | KERNEL_WALL};

	s->number = options[tap_below(5)];
	s->other = pick(chance(4) ? is_any : is_waitable_zombie);
	if (s->other < 0)
		return chance(8) && (s->other = pick(is_any)) >= 0;
	waiter = world_find(life.world, life.tids[s->other])->process->parent;
	if (waiter && !chance(6))
		s->who = pick(is_of_waiter);
	return s->who >= 0;
}

/* A history is not to die out too soon. */
static bool is_too_early(enum step_kind kind)
{
	unsigned actors = 0;

	if (kind != STEP_EXIT && kind != STEP_EXIT_GROUP && kind != STEP_KILL)
		return false;
	for (int i = 1; i < COLONY_SLOTS; i++) {
		const struct task *t = world_find(life.world, life.tids[i]);

		actors += t && can_act(t);
	}
	return actors < 7 && !chance(8);
}

static bool make_step(struct step *s)
{
	static const struct {
		enum step_kind kind;
		unsigned weight;
	} weights[] = {
		{STEP_CLONE, 40}, {STEP_EXEC, 8},	{STEP_UNSHARE, 12},	{STEP_SETNS, 10},
		{STEP_EXIT, 9},	  {STEP_EXIT_GROUP, 3}, {STEP_KILL, 2},		{STEP_WAIT, 12},
		{STEP_MAP, 8},	  {STEP_SUBREAPER, 2},	{STEP_CHILD_SIGNAL, 5}, {STEP_UNDO, 5},
		{STEP_IOPRIO, 5},
	};
	unsigned roll = (unsigned)tap_below(121), i = 0;

	while (roll >= weights[i].weight)
		roll -= weights[i++].weight;
	*s = (struct step){.kind = weights[i].kind};
	s->who = pick(s->kind == STEP_KILL  ? is_mortal
		      : s->kind == STEP_MAP ? is_unmapped
					    : can_act);
	if (s->who < 0 || is_too_early(s->kind))
		return false;
	switch (s->kind) {
	case STEP_CLONE:
		return make_clone(s);
	case STEP_UNSHARE:
		return make_unshare(s);
	case STEP_SETNS:
		return make_setns(s);
	case STEP_WAIT:
		return make_wait(s);
	case STEP_SUBREAPER:
		s->number = !chance(4);
		return true;
	case STEP_CHILD_SIGNAL:
		s->number = (uint32_t)tap_below(3);
		return true;
	case STEP_IOPRIO:
		s->number = chance(2) ? 0 : 2 << 13 | 4;
		return true;
	default:
		return true;
	}
}

/* ---- Living through a history ---- */

/* Steps that are made up on the way, `count` of them; true if all went as foretold. */
static bool live_new(struct history *h, int count)
{
	bool good = life_begin(&life);

	h->count = 0;
	for (int tries = 0; good && h->count < count && tries < 20 * count; tries++) {
		struct step *s = &h->steps[h->count];

		if (!make_step(s))
			continue;
		h->count++;
		good = life_step(&life, s) != STEP_WRONG;
		if ((long)life.world->count > cell->number[N_MOST])
			cell->number[N_MOST] = (long)life.world->count;
	}
	return life_end(&life) && good;
}

/* What cannot be done, since what it needs was left out, is left out as well. */
static bool live_again(struct history *h)
{
	bool good = life_begin(&life);
	int kept = 0;

	for (int i = 0; i < h->count; i++) {
		const enum outcome outcome = good ? life_step(&life, &h->steps[i]) : STEP_SKIPPED;

		if (outcome != STEP_SKIPPED)
			h->steps[kept++] = h->steps[i];
		good &= outcome != STEP_WRONG;
	}
	h->count = kept;
	return life_end(&life) && good;
}

/* Without n steps from `at` on. */
static struct history without(const struct history *h, int at, int n)
{
	struct history less = {.count = h->count - n};

	memcpy(less.steps, h->steps, (size_t)at * sizeof(struct step));
	memcpy(less.steps + at, h->steps + at + n, (size_t)(less.count - at) * sizeof(struct step));
	return less;
}

/* Leave out as many steps as can be, in ever smaller pieces, while it goes on failing. */
static void shrink(struct history *h)
{
	const double end = keeper_now() + SHRINKING;

	life.patience = PATIENCE_LESS;
	for (int piece = h->count / 2; piece; piece = piece > 4 ? piece / 2 : piece - 1)
		for (int at = 0; at < h->count && keeper_now() < end;) {
			struct history less =
				without(h, at, at + piece < h->count ? piece : h->count - at);

			if (live_again(&less))
				at += piece;
			else
				*h = less;
		}
	life.patience = PATIENCE;
}

static void show(struct history *h)
{
	char text[700];

	diag("%d steps, of which the last: %s", h->count, life.wrong);
	if (live_again(h)) {
		diag("not so when it is repeated");
	} else {
		shrink(h);
		live_again(h);
		diag("%d steps are enough: %s", h->count, life.wrong);
	}
	for (int i = 0; i < h->count; i++) {
		step_text(&h->steps[i], text, sizeof(text));
		diag("  %s", text);
	}
}

/*
 * Whoever reads /proc/PID/stat of all tasks, as other tests do, is a user of their memory for that
 * moment: a word may then be cleared that would have stayed. Such a reader comes again and again,
 * but not at every repetition; what the model has wrong is wrong each time.
 */
static bool was_looked_at(struct history *h)
{
	for (int i = 0; i < REPETITIONS && strstr(life.wrong, "the word was cleared"); i++) {
		if (live_again(h)) {
			cell->number[N_LOOKED_AT]++;
			return true;
		}
		usleep(20000U << i);
	}
	return false;
}

static long wanted(void)
{
	const char *number = getenv("RAMET_HISTORIES"), *deep = getenv("RAMET_LONG");

	if (number)
		return atol(number);
	return deep && *deep && *deep != '0' ? HISTORIES_LONG : (long)tap_scaled(HISTORIES);
}

static void tell_counts(void)
{
	static const char *const names[STEP_KINDS] = {
		"clone", "exec",      "unshare", "setns", "exit",   "exit_group", "kill",
		"wait",	 "subreaper", "sigchld", "undo",  "ioprio", "map",
	};

	for (unsigned i = 0; i < STEP_KINDS; i++) {
		const uint64_t *n = life.counts[i];

		cell_note("%s %llu+%llu%s", names[i], (unsigned long long)n[STEP_ACCEPTED],
			  (unsigned long long)n[STEP_REFUSED],
			  i + 1 < STEP_KINDS ? ", " : " (accepted+refused)\n");
		cell->number[N_ACCEPTED] += (long)n[STEP_ACCEPTED];
		cell->number[N_REFUSED] += (long)n[STEP_REFUSED];
		cell->number[N_KINDS_MISSED] += !n[STEP_ACCEPTED];
	}
	cell->number[N_PAIRS] = (long)sight_compared;
	if (cell->number[N_LOOKED_AT])
		cell_note("%ld repeated: somebody read /proc of a task whose word was to stay\n",
			  cell->number[N_LOOKED_AT]);
	cell_note("%ld histories, %ld events, %ld pairs compared, at most %ld tasks",
		  cell->number[N_HISTORIES], cell->number[N_ACCEPTED] + cell->number[N_REFUSED],
		  cell->number[N_PAIRS], cell->number[N_MOST]);
}

/* Without them an ordinary user's histories would be dull, and the rules do not know why. */
static bool has_user_namespaces(void)
{
	const pid_t pid = fork();
	int status = -1;

	if (!pid)
		_exit(unshare(CLONE_NEWUSER) < 0);
	waitpid(pid, &status, 0);
	return status == 0;
}

static void histories(void *arg)
{
	static struct history h;
	const long count = wanted() / *(const int *)arg;

	if (!has_user_namespaces()) {
		cell_skip("no user namespaces for this user");
		return;
	}

	life.patience = PATIENCE;
	if (!keeper_ready() || !keeper_start()) {
		cell_skip("no program in memory can be run here");
		return;
	}
	if (!expect(keeper_stop(NULL, 0), "the first colony does not end"))
		return;
	if (syscall(SYS_kcmp, getpid(), getpid(), 1, 0, 0) < 0) {
		cell_skip("no kcmp");
		return;
	}
	for (long i = 0; i < count && cell->number[N_FAILED] < FAILURES_SHOWN; i++) {
		cell->number[N_HISTORIES]++;
		if (live_new(&h, 20 + (int)tap_below(LIFE_STEPS - 40)) || was_looked_at(&h))
			continue;
		cell->number[N_FAILED]++;
		show(&h);
	}
	expect(!cell->number[N_FAILED], "%ld histories failed", cell->number[N_FAILED]);
	tell_counts();
}

/* How often an ordinary user lives: one in four. */
static void run(enum who who, int share, const char *name)
{
	const long count = wanted() / share;

	if (!cell_run(who, (unsigned)count + 120, histories, &share, "%s", name) || cell->skip[0] ||
	    !cell->number[N_HISTORIES])
		return;
	ok(cell->number[N_HISTORIES] == count, "%ld histories", count);
	if (count < 10) /* what came up is chance then */
		return;
	ok(cell->number[N_ACCEPTED] + cell->number[N_REFUSED] >= count * 20, "%ld events",
	   cell->number[N_ACCEPTED] + cell->number[N_REFUSED]);
	ok(cell->number[N_REFUSED] >= count, "%ld of them refused", cell->number[N_REFUSED]);
	ok(cell->number[N_PAIRS] >= count * 2000, "%ld pairs compared", cell->number[N_PAIRS]);
	if (count >= 20) {
		is_int(cell->number[N_KINDS_MISSED], 0, "steps of every kind were accepted");
		ok(cell->number[N_MOST] >= 20, "at most %ld tasks at once", cell->number[N_MOST]);
	}
}

int main(void)
{
	tap_seed();
	run(WHO_ANY, 1, "histories of whoever runs the test");
	if (!geteuid())
		run(WHO_NOBODY, 4, "histories of an ordinary user");
	return tap_done();
}
