/* SPDX-License-Identifier: MIT */
/*
 * Sweeps: flag words put to the model and to the running kernel, which must agree on the verdict
 * and on the errno. As root and as an ordinary user, through clone3 and clone(2). By default a
 * random sample of the large sets; RAMET_LONG=1 takes them whole.
 */
#include <fcntl.h>
#include <signal.h>
#include <string.h>

#include "tap.h"
#include "caller/caller.h"
#include "oracle/kernel.h"
#include "spec/spec.h"

#define NOBODY 65534
#define KEPT 12

struct mismatch {
	struct ramet_call call;
	int kernel; /* errno, 0: accepted */
	const struct ramet_rule *rule;
};

/* What a sweep found, in memory shared with the test. */
struct findings {
	uint64_t swept, accepted, retried, mismatches;
	int no_user; /* errno */
	uint64_t errnos[256];
	uint64_t rules[256];
	struct mismatch kept[KEPT];
};

struct sweeper {
	const char *name;
	uid_t uid;
	struct findings *found;
	struct ramet_caller caller;
	uint64_t cgroup;
};

static bool whole;

/* ---- One word ---- */

/* What a busy system may say for a while: namespaces and tasks of earlier words end late. */
static bool is_passing(long r)
{
	return r == -EAGAIN || r == -ENOMEM || r == -ENOSPC;
}

static void try_word(struct sweeper *s, enum ramet_entry entry, uint64_t flags, int exit_signal)
{
	struct ramet_call call = kernel_call(entry, flags, (uint64_t)exit_signal);
	struct findings *f = s->found;
	const struct ramet_rule *rule;
	long r;

	call.cgroup = s->cgroup;
	rule = ramet_check(&call, &s->caller);
	r = kernel_make(&call);
	for (int i = 0; i < 200 && is_passing(r) && !(rule && rule->error == -r); i++) {
		usleep(5000);
		f->retried++;
		r = kernel_make(&call);
	}
	f->swept++;
	f->accepted += !r;
	f->errnos[-r & 255]++;
	for (size_t i = 0; rule && ramet_rule_at(i); i++)
		f->rules[i] += ramet_rule_at(i) == rule;
	if (-r == (rule ? rule->error : 0))
		return;
	if (f->mismatches < KEPT)
		f->kept[f->mismatches] = (struct mismatch){call, (int)-r, rule};
	f->mismatches++;
}

static void try_both_signals(struct sweeper *s, enum ramet_entry entry, uint64_t flags)
{
	try_word(s, entry, flags, SIGCHLD);
	try_word(s, entry, flags, 0);
}

/* ---- Sets of words ---- */

/* Every bit and every pair of bits. In clone(2) the low byte is the signal, tried elsewhere. */
static void sweep_pairs(struct sweeper *s, enum ramet_entry entry)
{
	int low = entry == RAMET_ENTRY_CLONE ? 8 : 0;

	try_both_signals(s, entry, 0);
	for (int a = low; a < 64; a++)
		for (int b = low; b <= a; b++)
			try_both_signals(s, entry, 1ULL << a | 1ULL << b);
}

static const uint64_t interacting[] = {
	CLONE_VM,      CLONE_FS,
	CLONE_SIGHAND, CLONE_THREAD,
	CLONE_PARENT,  CLONE_NEWNS,
	CLONE_NEWUSER, CLONE_NEWPID,
	CLONE_NEWIPC,  CLONE_SYSVSEM,
	CLONE_PIDFD,   CLONE_DETACHED,
	CLONE_VFORK, /* the rest means nothing in clone(2) */
	CLONE_NEWTIME, CLONE_CLEAR_SIGHAND,
};

static uint64_t subset(uint64_t choice)
{
	uint64_t flags = 0;

	for (size_t i = 0; i < sizeof(interacting) / sizeof(interacting[0]); i++)
		if (choice >> i & 1)
			flags |= interacting[i];
	return flags;
}

/* Subsets of the flags that appear in rules: all 2^bits or `sample` random ones. */
static void sweep_subsets(struct sweeper *s, enum ramet_entry entry, int sample)
{
	uint64_t all = 1ULL << (entry == RAMET_ENTRY_CLONE ? 13 : 15);

	if (whole)
		for (uint64_t choice = 0; choice < all; choice++)
			try_both_signals(s, entry, subset(choice));
	else
		for (int i = 0; i < sample; i++)
			try_word(s, entry, subset(tap_below(all)), i & 1 ? SIGCHLD : 0);
}

/*
 * Random words over bits 7 to 33. Every other one is thinned out and most lose the dead flag, or
 * hardly a word would come past the first rules.
 */
static void sweep_random(struct sweeper *s, enum ramet_entry entry, int sample)
{
	uint64_t mask = entry == RAMET_ENTRY_CLONE ? 0xffffff00 : 0x3ffffff80;

	for (int i = 0; i < (whole ? 5 : 1) * sample; i++) {
		uint64_t flags = tap_random() & mask;

		if (i & 1)
			flags &= tap_random() & tap_random();
		if (i & 12)
			flags &= ~CLONE_DETACHED;
		try_word(s, entry, flags, i & 2 ? SIGCHLD : 0);
	}
}

/* ---- The test ---- */

/*
 * Where policy or a chroot onto a mount forbids user namespaces nobody can read that beforehand.
 * It comes at the place of the chroot rule, so that stands for it.
 */
static void learn_policy(struct sweeper *s)
{
	const struct ramet_call call = kernel_call(RAMET_ENTRY_CLONE3, CLONE_NEWUSER, SIGCHLD);

	if (ramet_check(&call, &s->caller) || kernel_make(&call) != -EPERM)
		return;
	s->found->no_user = EPERM;
	s->caller.chrooted = 1;
	s->caller.known |= RAMET_KNOWN_ROOT;
}

static int sweep(void *arg)
{
	struct sweeper *s = arg;
	struct ramet_call call = {.entry = RAMET_ENTRY_CLONE3, .flags = CLONE_INTO_CGROUP};

	call.cgroup = s->cgroup;
	if (s->uid != geteuid() && kernel_become(s->uid))
		return 1;
	caller_read(&call, &s->caller);
	learn_policy(s);
	for (int entry = RAMET_ENTRY_CLONE; entry <= RAMET_ENTRY_CLONE3; entry++) {
		sweep_pairs(s, entry);
		sweep_subsets(s, entry, 8000);
		sweep_random(s, entry, 10000);
	}
	return 0;
}

static void show_mismatches(const struct findings *f)
{
	for (uint64_t i = 0; i < f->mismatches && i < KEPT; i++) {
		const struct mismatch *m = &f->kept[i];
		char text[512];

		if (ramet_flags_format(m->call.flags, text, sizeof(text)) < 0)
			text[0] = '\0';
		diag("%s 0x%jx signal %d: kernel %s, model %s",
		     m->call.entry == RAMET_ENTRY_CLONE ? "clone" : "clone3",
		     (uintmax_t)m->call.flags, (int)m->call.exit_signal,
		     m->kernel ? errno_name(m->kernel) : "accepts",
		     m->rule ? m->rule->id : "accepts");
		diag("  %s", text);
	}
}

static void run(const char *name, uid_t uid, int cgroup, uint64_t *rules)
{
	struct sweeper s = {.name = name, .uid = uid, .cgroup = (uint64_t)cgroup};
	struct timespec from, to;
	struct findings *f;

	s.found = f = kernel_shared(sizeof(*f));
	clock_gettime(CLOCK_MONOTONIC, &from);
	is_int(kernel_scaffold(sweep, &s), 0, "%s: the sweep ends", name);
	clock_gettime(CLOCK_MONOTONIC, &to);
	diag("%s: %ju words in %.1f s, %ju accepted, %ju tried again", name, (uintmax_t)f->swept,
	     (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9,
	     (uintmax_t)f->accepted, (uintmax_t)f->retried);
	if (f->no_user)
		diag("%s: user namespaces are refused here, by policy or a chroot", name);
	for (int i = 1; i < 256; i++)
		if (f->errnos[i])
			diag("%s: %6ju %s", name, (uintmax_t)f->errnos[i], errno_name(i));
	for (size_t i = 0; ramet_rule_at(i); i++)
		rules[i] += f->rules[i];
	is_int(f->mismatches, 0, "%s: the model agrees with the kernel on every word", name);
	show_mismatches(f);
	ok(f->swept > 40000, "%s: more than 40000 words were tried", name);
	ok(f->accepted > (uid ? 500 : 2000), "%s: enough words made a task", name);
	ok(f->errnos[EINVAL] > 5000, "%s: enough words were EINVAL", name);
	if (uid)
		ok(f->errnos[EPERM] > 1000, "%s: enough words were EPERM", name);
	munmap(f, sizeof(*f));
}

/* Those that flags alone can provoke on this kernel. */
static void judge_rules(const uint64_t *rules)
{
	const struct ramet_rule *rule;
	int silent = 0;

	for (size_t i = 0; (rule = ramet_rule_at(i)); i++) {
		if (rule->needs_caller == 2)
			continue;
		if (rules[i])
			diag("%8ju %s", (uintmax_t)rules[i], rule->id);
		else
			silent++;
	}
	for (size_t i = 0; (rule = ramet_rule_at(i)); i++)
		if (rule->needs_caller != 2 && !rules[i])
			diag("   never %s", rule->id);
	diag("%d rules were not met: they look at other fields, the caller or other kernels",
	     silent);
}

int main(void)
{
	static uint64_t rules[256];
	const char *path = kernel_cgroup2();
	int cgroup = open(*path ? path : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	whole = getenv("RAMET_LONG") && atoi(getenv("RAMET_LONG"));
	tap_seed();
	if (sys2(SYS_clone3, 0, 0) != -EINVAL) {
		skip(11, "clone3 is missing or filtered here");
	} else if (geteuid()) {
		run("this user", geteuid(), cgroup, rules);
		skip(5, "not root: root's sweep");
	} else {
		run("root", 0, cgroup, rules);
		run("uid 65534", NOBODY, cgroup, rules);
	}
	judge_rules(rules);
	close(cgroup);
	return tap_done();
}
