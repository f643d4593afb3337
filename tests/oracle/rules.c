/* SPDX-License-Identifier: MIT */
/*
 * Sweeps through clone and clone3: flag words put to the model and to the running kernel, which
 * must agree on the verdict and on the errno. As root, as an ordinary user and with single
 * capabilities; then in the shapes of shapes.h, and with other fields than flags. Every task made
 * ends before the next word: what it shared is asked in sharing.c.
 */
#include <limits.h>

#include "oracle/shapes.h"
#include "oracle/sweep.h"

/* Flags that rules speak of; in clone(2) the last three mean nothing. */
#define BEARING_CLONE                                                                              \
	(CLONE_VM | CLONE_FS | CLONE_SIGHAND | CLONE_THREAD | CLONE_PARENT | CLONE_NEWNS |         \
	 CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWIPC | CLONE_SYSVSEM | CLONE_PIDFD |               \
	 CLONE_DETACHED | CLONE_VFORK)
#define BEARING (BEARING_CLONE | CLONE_NEWTIME | CLONE_CLEAR_SIGHAND)

/* In the shapes: what depends on the caller, and little that does not. */
#define BEARING_SHAPES                                                                             \
	(CLONE_VM | CLONE_SIGHAND | CLONE_THREAD | CLONE_PARENT | CLONE_NEWUSER | CLONE_NEWPID |   \
	 CLONE_NEWUTS | CLONE_VFORK)

struct sweeper {
	const struct identity *who;
	const struct shape *shape;
	enum ramet_entry entry;
	struct words words;
	struct findings *found;
	struct ramet_caller caller;
	uint64_t cgroup;
	bool fields; /* change other fields too */
};

/* ---- Other fields ---- */

static int tids[40];

/* A number that no task has and that is below every pid_max; perhaps a group's or session's. */
static int free_pid(void)
{
	for (;;) {
		int pid = 2000 + (int)tap_below(28000);

		if (sys_kill(pid, 0) == -ESRCH)
			return pid;
	}
}

static void choose_pid(struct ramet_call *call)
{
	/* A new namespace has no init, so its first task can be nothing but 1. */
	tids[0] = call->flags & CLONE_NEWPID ? 1 : free_pid();
	call->set_tid = (uintptr_t)tids;
	call->set_tid_size = 1;
}

static void change_set_tid(struct ramet_call *call)
{
	choose_pid(call);
	switch (tap_below(6)) {
	case 0:
		call->set_tid_size = 33 + tap_below(3);
		break;
	case 1:
		call->set_tid = 0;
		break;
	case 2:
		call->set_tid_size = 0;
		break;
	}
}

static void change_size(struct ramet_call *call)
{
	static const uint64_t sizes[] = {1,  56, 63,  64,   65,	  72,	73,   79,	 80,
					 81, 87, 104, 4095, 4096, 4097, 1000, 1ULL << 40};

	call->size = sizes[tap_below(sizeof(sizes) / sizeof(sizes[0]))];
	call->trailing = call->size > sizeof(struct clone_args) && call->size <= 4096 &&
			 tap_random() & 1;
}

static void change_stack(struct ramet_call *call)
{
	switch (tap_below(4)) {
	case 0:
		call->stack = 0;
		break;
	case 1:
		call->stack_size = 0;
		break;
	case 2:
		call->stack = ~0ULL << 20;
		break;
	case 3:
		call->stack_size = ~0ULL - 4096;
		break;
	}
}

static void change_signal(struct ramet_call *call)
{
	static const uint64_t signals[] = {65, 255, 256, 0x111, 1ULL << 32, ~0ULL};

	call->exit_signal = signals[tap_below(sizeof(signals) / sizeof(signals[0]))];
}

static void change_cgroup(struct ramet_call *call)
{
	static const uint64_t cgroups[] = {54321, INT_MAX, 1ULL << 31, ~0ULL};

	call->cgroup = cgroups[tap_below(sizeof(cgroups) / sizeof(cgroups[0]))];
}

static void change_field(struct ramet_call *call)
{
	switch (tap_below(8)) {
	case 0:
	case 1:
		change_set_tid(call);
		break;
	case 2:
		change_size(call);
		break;
	case 3:
		change_stack(call);
		break;
	case 4:
		change_signal(call);
		break;
	case 5:
		change_cgroup(call);
		break;
	case 6:
		call->pidfd = call->parent_tid;
		break;
	case 7:
		call->tls = ~0ULL; /* above every tls_limit */
		break;
	}
}

/* A group or session without its leader holds its number, which kill() does not tell: another. */
static long put_with_pid(struct sweeper *s, struct ramet_call *call, const struct ramet_rule *rule)
{
	const bool chosen = call->set_tid == (uintptr_t)tids && call->set_tid_size == 1 &&
			    !(call->flags & CLONE_NEWPID);
	long r = sweep_put(s->found, call, rule);

	for (int i = 0; i < 10 && chosen && r == -EEXIST; i++) {
		tids[0] = free_pid();
		r = sweep_put(s->found, call, rule);
	}
	return r;
}

/* ---- One word ---- */

/* SIGKILL and SIGSTOP as exit signals would end and stop the sweeper. */
static bool is_deadly(const struct ramet_call *call)
{
	uint64_t low = (call->flags | call->exit_signal) & CSIGNAL;

	return call->entry == RAMET_ENTRY_CLONE && (low == SIGKILL || low == SIGSTOP);
}

static void try_word(struct sweeper *s, const struct word *word)
{
	struct ramet_call call = kernel_call(s->entry, word->flags, word->exit_signal);
	const struct ramet_rule *rule;

	if (is_deadly(&call))
		return;
	call.cgroup = s->cgroup;
	if (s->fields) {
		change_field(&call);
		if (tap_random() & 1)
			change_field(&call);
		/* What the descriptor is, is read anew. */
		if (call.flags & CLONE_INTO_CGROUP && call.cgroup != s->cgroup)
			caller_read(&call, &s->caller);
	}
	rule = ramet_check(&call, &s->caller);
	sweep_judge(s->found, &call, rule, put_with_pid(s, &call, rule), s->shape->name);
	if (call.cgroup != s->cgroup) {
		call.cgroup = s->cgroup;
		call.flags = CLONE_INTO_CGROUP;
		caller_read(&call, &s->caller);
	}
}

/* ---- A sweep ---- */

#define UNABLE 77

static int sweep(void *arg)
{
	struct sweeper *s = arg;
	struct ramet_call call = {.entry = RAMET_ENTRY_CLONE3, .flags = CLONE_INTO_CGROUP};
	uint64_t all = ~0ULL;

	/* Exit signals of every number come in. */
	sys_sigprocmask(SIG_BLOCK, &all, NULL);
	call.cgroup = s->cgroup;
	if (shape_prepare(s->shape) || identity_take(s->who))
		return UNABLE;
	/*
	 * An init that lives: without one the first task would be it, and its end that of all others.
	 * The sweeper's end kills it only if they have one user.
	 */
	if ((s->shape->unshared & CLONE_NEWPID && shape_make_peer(0) < 0) || shape_take(s->shape))
		return UNABLE;
	caller_read(&call, &s->caller);
	sweep_learn_policy(s->found, &s->caller);
	for (size_t i = 0; i < s->words.count; i++)
		try_word(s, &s->words.list[i]);
	return 0;
}

static uint64_t run(struct sweeper *s, const char *what)
{
	struct findings *f = kernel_shared(sizeof(*f));
	double from = sweep_clock();
	uint64_t accepted;
	char name[128];
	int r;

	snprintf(name, sizeof(name), "%s, %s, %s, %s", entry_name(s->entry), s->who->name,
		 s->shape->name, what);
	s->found = f;
	r = kernel_scaffold(sweep, s);
	if (r == UNABLE)
		skip(1, "%s: this state is not to be had here", name);
	else if (r || f->swept < s->words.count * 9 / 10)
		ok(0, "%s: the sweep ends (status %d after %ju words)", name, r,
		   (uintmax_t)f->swept);
	else
		sweep_report(name, f, sweep_clock() - from);
	accepted = f->accepted;
	munmap(f, sizeof(*f));
	words_free(&s->words);
	return accepted;
}

/* Those of this kernel: hardly a random word would be without one of later kernels. */
static uint64_t flags_here(enum ramet_entry entry)
{
	const struct ramet_call call = {.entry = entry};
	struct ramet_caller caller;

	if (entry == RAMET_ENTRY_CLONE)
		return FLAGS_OF_CLONE;
	caller_read(&call, &caller);
	return caller.kernel >= KERNEL(7, 1) ? FLAGS_OF_CLONE3 : FLAGS_OF_CLONE3 & 0x3ffffffff;
}

/* The sets of the task: bits and pairs, triples, subsets, random words. */
static void run_large(struct sweeper *s)
{
	bool clone3 = s->entry == RAMET_ENTRY_CLONE3;
	uint64_t known = clone3 ? FLAGS_OF_CLONE3 : FLAGS_OF_CLONE, accepted;
	bool main = s->who->main;

	s->words = words_make(300000);
	words_add_pairs(&s->words, main ? 50 : 20, true);
	words_add_triples(&s->words, known, main ? 1500 : 300, true);
	if (main || !sweep_whole())
		words_add_subsets(&s->words, clone3 ? BEARING : BEARING_CLONE, main ? 5000 : 600,
				  true);
	/* clone(2)'s low byte is the exit signal. */
	words_add_random(&s->words, clone3 ? ~0ULL : ~0ULL << 7, flags_here(s->entry),
			 main ? 5000 : 1000, main ? 100000 : 10000);
	accepted = run(s, "flags");
	if (main)
		ok(accepted >= sweep_scaled(500), "enough words made a task");
}

static void run_fields(struct sweeper *s)
{
	s->fields = true;
	s->words = words_make(50000);
	words_add_subsets(&s->words, BEARING_SHAPES & ~CLONE_THREAD, s->who->main ? 2000 : 600,
			  true);
	words_add_random(&s->words, FLAGS_OF_CLONE3,
			 flags_here(RAMET_ENTRY_CLONE3) & ~CLONE_DETACHED,
			 s->who->main ? 2000 : 600, 20000);
	run(s, "other fields");
	s->fields = false;
}

static void run_shapes(struct sweeper *s)
{
	for (size_t i = 1; i < SHAPES; i++) {
		s->shape = &shapes[i];
		for (int entry = RAMET_ENTRY_CLONE; entry <= RAMET_ENTRY_CLONE3; entry++) {
			s->entry = entry;
			s->words = words_make(20000);
			words_add_subsets(&s->words, BEARING_SHAPES, 250, true);
			words_add_random(&s->words, FLAGS_OF_CLONE3,
					 flags_here(s->entry) & ~CLONE_DETACHED, 250, 4000);
			run(s, "flags");
		}
	}
	s->shape = &shapes[0];
}

static void run_identity(const struct identity *who, int cgroup)
{
	struct sweeper s = {.who = who, .shape = &shapes[0], .cgroup = (uint64_t)cgroup};

	for (int entry = RAMET_ENTRY_CLONE; entry <= RAMET_ENTRY_CLONE3; entry++) {
		s.entry = entry;
		run_large(&s);
	}
	run_fields(&s);
	if (who->main)
		run_shapes(&s);
}

int main(void)
{
	const struct identity self = {"this user", geteuid(), ~0ULL, true};
	const char *path = kernel_cgroup2();
	int cgroup = open(*path ? path : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	tap_seed();
	if (sys2(SYS_clone3, 0, 0) != -EINVAL) {
		skip(1, "clone3 is missing or filtered here");
		return tap_done();
	}
	if (geteuid())
		run_identity(&self, cgroup);
	for (size_t i = 0; i < IDENTITIES; i++)
		if (identity_exists(&identities[i]))
			run_identity(&identities[i], cgroup);
		else
			skip(1, "%s: not to be had here", identities[i].name);
	sweep_show_rules(ENTRY_MAKES);
	close(cgroup);
	return tap_done();
}
