/* SPDX-License-Identifier: MIT */
/*
 * Sweeps through unshare: flag words put to the model and to the running kernel, by callers of
 * every shape of shapes.h. An accepted word changes the caller for good, so from then on a fresh
 * process goes on with the next word; what is refused must leave the caller as it was, which the
 * words after it would show.
 */
#include <sys/wait.h>

#include "oracle/shapes.h"
#include "oracle/sweep.h"

#define LEGAL                                                                                      \
	(CLONE_THREAD | CLONE_FS | CLONE_SIGHAND | CLONE_VM | CLONE_FILES | CLONE_SYSVSEM |        \
	 CLONE_NEW_ANY)

/* What no shape makes a difference to is thinned out in them: a namespace costs time. */
#define BEARING_SHAPES                                                                             \
	(CLONE_THREAD | CLONE_FS | CLONE_SIGHAND | CLONE_VM | CLONE_FILES | CLONE_NEWUSER |        \
	 CLONE_NEWPID | CLONE_NEWTIME | CLONE_NEWUTS)

/* Accepted or not, these change nothing. */
#define HARMLESS (CLONE_THREAD | CLONE_SIGHAND | CLONE_VM)

#define UNABLE 77

struct sweeper {
	const struct identity *who;
	const struct shape *shape;
	struct words words;
	struct findings *found;
};

/* Seen by the callers, each of which goes on where the one before has ended. */
static struct {
	size_t next;
	bool have_caller;
	struct ramet_caller caller;
} * common;

/* As sweep_learn_policy() does: nobody can know beforehand. It costs one caller. */
static bool learn_policy(struct sweeper *s)
{
	const struct ramet_call call = {.entry = RAMET_ENTRY_UNSHARE, .flags = CLONE_NEWUSER};
	long r;

	if (ramet_check(&call, &common->caller))
		return false;
	r = kernel_make(&call);
	if (r == -EPERM) {
		s->found->no_user = EPERM;
		common->caller.chrooted = 1;
		common->caller.known |= RAMET_KNOWN_ROOT;
	}
	return r == 0;
}

/* One caller: words until one is accepted that changes it. */
static int call_words(void *arg)
{
	struct sweeper *s = arg;

	if (shape_prepare(s->shape) || identity_take(s->who) || shape_take(s->shape))
		return UNABLE;
	if (!common->have_caller) {
		const struct ramet_call call = {.entry = RAMET_ENTRY_UNSHARE, .flags = CLONE_VM};

		caller_read(&call, &common->caller);
		common->have_caller = true;
		if (learn_policy(s))
			return 0;
	}
	while (common->next < s->words.count) {
		const struct ramet_call call = {.entry = RAMET_ENTRY_UNSHARE,
						.flags = s->words.list[common->next].flags};
		const struct ramet_rule *rule = ramet_check(&call, &common->caller);
		long r = sweep_put(s->found, &call, rule);

		common->next++;
		sweep_judge(s->found, &call, rule, r, s->shape->name);
		if (r >= 0 && call.flags & ~HARMLESS)
			return 0;
	}
	return 0;
}

static int sweep(void *arg)
{
	struct sweeper *s = arg;

	return sweep_callers(call_words, s, &common->next, s->words.count);
}

static void run(struct sweeper *s)
{
	struct findings *f = kernel_shared(sizeof(*f));
	double from = sweep_clock();
	char name[128];
	int r;

	snprintf(name, sizeof(name), "unshare, %s, %s", s->who->name, s->shape->name);
	memset(common, 0, sizeof(*common));
	s->found = f;
	r = kernel_scaffold(sweep, s);
	if (r == UNABLE)
		skip(1, "%s: this state is not to be had here", name);
	else if (r || f->swept != s->words.count)
		ok(0, "%s: the sweep ends (status %d after %ju words)", name, r,
		   (uintmax_t)f->swept);
	else
		sweep_report(name, f, sweep_clock() - from);
	munmap(f, sizeof(*f));
	words_free(&s->words);
}

static void run_identity(const struct identity *who)
{
	struct sweeper s = {.who = who, .shape = &shapes[0]};
	bool main = who->main;

	s.words = words_make(200000);
	words_add_pairs(&s.words, main ? 100 : 30, false);
	words_add_triples(&s.words, LEGAL, main ? 200 : 50, false);
	if (main || !sweep_whole())
		words_add_subsets(&s.words, LEGAL, main ? 700 : 200, false);
	words_add_random(&s.words, ~0ULL, LEGAL, main ? 2000 : 300, main ? 100000 : 5000);
	run(&s);
	for (size_t i = 1; i < SHAPES; i++) {
		s.shape = &shapes[i];
		s.words = words_make(20000);
		words_add_subsets(&s.words, BEARING_SHAPES, main ? 150 : 40, false);
		words_add_random(&s.words, ~0ULL, BEARING_SHAPES, main ? 100 : 40, 2000);
		run(&s);
	}
}

int main(void)
{
	const struct identity self = {"this user", geteuid(), ~0ULL, true};

	tap_seed();
	common = kernel_shared(sizeof(*common));
	if (geteuid())
		run_identity(&self);
	for (size_t i = 0; i < IDENTITIES; i++)
		if (identity_exists(&identities[i]))
			run_identity(&identities[i]);
		else
			skip(1, "%s: not to be had here", identities[i].name);
	sweep_show_rules(RAMET_ENTRY_UNSHARE);
	return tap_done();
}
