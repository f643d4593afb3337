/* SPDX-License-Identifier: MIT */
/*
 * What the sweeps have in common: who asks, sets of flag words, and the counting and showing of
 * what the kernel answered and the model said. By default a set is a random sample; RAMET_LONG=1
 * takes it whole, RAMET_SWEEP=N takes N percent of the sample, for slow machines.
 */
#ifndef RAMET_TESTS_ORACLE_SWEEP_H
#define RAMET_TESTS_ORACLE_SWEEP_H

#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>

#include "caller/caller.h"
#include "lib/entry.h"
#include "model/rules.h"
#include "oracle/kernel.h"
#include "spec/spec.h"
#include "tap.h"

#define SWEEP_NOBODY 65534
#define SWEEP_KEPT 12
#define SWEEP_RULES 128
#define SWEEP_CAP_CHECKPOINT_RESTORE 40

/* ---- How much ---- */

static inline bool sweep_whole(void)
{
	const char *text = getenv("RAMET_LONG");

	return text && atoi(text);
}

static inline size_t sweep_scaled(size_t count)
{
	return tap_scaled((unsigned)count);
}

/* ---- Who asks ---- */

struct identity {
	const char *name;
	uid_t uid;
	uint64_t caps; /* bits; ~0: what root has */
	bool main;     /* gets the large sets */
};

#define CAP(n) (1ULL << (n))

static const struct identity identities[] = {
	{"root", 0, ~0ULL, true},
	{"uid 65534", SWEEP_NOBODY, 0, true},
	{"CAP_SYS_ADMIN alone", SWEEP_NOBODY, CAP(CAP_SYS_ADMIN), false},
	{"CAP_CHECKPOINT_RESTORE alone", SWEEP_NOBODY, CAP(SWEEP_CAP_CHECKPOINT_RESTORE), false},
	{"CAP_SYS_CHROOT alone", SWEEP_NOBODY, CAP(CAP_SYS_CHROOT), false},
	{"CAP_SYS_RESOURCE alone", SWEEP_NOBODY, CAP(CAP_SYS_RESOURCE), false},
	{"CAP_SYS_ADMIN and _PTRACE", SWEEP_NOBODY, CAP(CAP_SYS_ADMIN) | CAP(CAP_SYS_PTRACE),
	 false},
};

#define IDENTITIES (sizeof(identities) / sizeof(identities[0]))

/* Can it be taken? Root's own capabilities may be fewer than there are. */
static inline bool identity_exists(const struct identity *who)
{
	struct kernel_caps caps[2] = {0};

	if (geteuid())
		return false;
	if (who->caps == ~0ULL)
		return true;
	return sys_capget(caps) == 0 &&
	       !(who->caps & ~(caps[0].permitted | (uint64_t)caps[1].permitted << 32));
}

/*
 * For good. The process stays readable by its like, as one is that was started by that user: a
 * change of ids takes that away.
 */
static inline int identity_take(const struct identity *who)
{
	uint32_t low = (uint32_t)who->caps, high = (uint32_t)(who->caps >> 32);
	const struct kernel_caps caps[2] = {{low, low, 0}, {high, high, 0}};

	if (geteuid() == who->uid)
		return 0;
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) || kernel_become(who->uid) || sys_capset(caps) < 0)
		return -1;
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

/* ---- Words ---- */

#define FLAGS_OF_CLONE3 0x3fffffff80ULL
#define FLAGS_OF_CLONE 0xffffff00ULL

struct word {
	uint64_t flags;
	uint64_t exit_signal;
};

/* In shared memory: a process of large private memory is slow to fork. */
struct words {
	struct word *list;
	size_t count, room;
};

static inline struct words words_make(size_t room)
{
	return (struct words){kernel_shared(room * sizeof(struct word)), 0, room};
}

static inline void words_free(struct words *words)
{
	munmap(words->list, words->room * sizeof(struct word));
}

static inline void words_add(struct words *words, uint64_t flags, uint64_t exit_signal)
{
	if (words->count < words->room)
		words->list[words->count++] = (struct word){flags, exit_signal};
}

static inline void words_add_random_signal(struct words *words, uint64_t flags)
{
	words_add(words, flags, tap_random() & 1 ? SIGCHLD : 0);
}

static inline void words_add_both(struct words *words, uint64_t flags)
{
	words_add(words, flags, SIGCHLD);
	words_add(words, flags, 0);
}

/* No bit, every bit and every pair of the 64; `sample` percent of them unless the sweep is whole. */
static inline void words_add_pairs(struct words *words, unsigned sample, bool signals)
{
	size_t keep = sweep_whole() ? 100 : sweep_scaled(sample);

	words_add(words, 0, signals ? SIGCHLD : 0);
	for (int a = 0; a < 64; a++)
		for (int b = 0; b <= a; b++) {
			if (tap_below(100) >= keep)
				continue;
			words_add(words, 1ULL << a | 1ULL << b, 0);
			if (signals)
				words_add(words, 1ULL << a | 1ULL << b, SIGCHLD);
		}
}

/* The bits of `mask` chosen by those of `choice`. */
static inline uint64_t word_subset(uint64_t mask, uint64_t choice)
{
	uint64_t flags = 0;

	for (; mask; mask &= mask - 1, choice >>= 1)
		if (choice & 1)
			flags |= mask & -mask;
	return flags;
}

/* All subsets of the flags in `mask`, or `sample` of them. */
static inline void words_add_subsets(struct words *words, uint64_t mask, size_t sample,
				     bool signals)
{
	uint64_t all = 1ULL << __builtin_popcountll(mask);

	if (!sweep_whole()) {
		for (size_t i = 0; i < sweep_scaled(sample); i++)
			words_add(words, word_subset(mask, tap_below(all)),
				  signals && i & 1 ? SIGCHLD : 0);
		return;
	}
	for (uint64_t choice = 0; choice < all; choice++) {
		words_add(words, word_subset(mask, choice), 0);
		if (signals)
			words_add(words, word_subset(mask, choice), SIGCHLD);
	}
}

/* All triples of the flags in `mask`, or `sample` of them. */
static inline void words_add_triples(struct words *words, uint64_t mask, size_t sample,
				     bool signals)
{
	unsigned n = (unsigned)__builtin_popcountll(mask);

	for (size_t i = 0; !sweep_whole() && i < sweep_scaled(sample); i++)
		words_add(words,
			  word_subset(mask, 1ULL << tap_below(n) | 1ULL << tap_below(n) |
						    1ULL << tap_below(n)),
			  signals && i & 1 ? SIGCHLD : 0);
	for (unsigned a = 0; sweep_whole() && a < n; a++)
		for (unsigned b = 0; b < a; b++)
			for (unsigned c = 0; c < b; c++) {
				words_add(words,
					  word_subset(mask, 1ULL << a | 1ULL << b | 1ULL << c), 0);
				if (signals)
					words_add(words,
						  word_subset(mask,
							      1ULL << a | 1ULL << b | 1ULL << c),
						  SIGCHLD);
			}
}

/*
 * Random words over `mask`, whole sweeps `large` of them. Three in four are thinned out and of
 * these most keep to the flags in `legal`, or hardly a word would come past the first rules.
 */
static inline void words_add_random(struct words *words, uint64_t mask, uint64_t legal,
				    size_t sample, size_t large)
{
	for (size_t i = 0; i < (sweep_whole() ? large : sweep_scaled(sample)); i++) {
		uint64_t flags = tap_random() & mask;

		if (i & 3)
			flags &= tap_random();
		if (i & 1)
			flags &= tap_random();
		if (i & 7)
			flags &= legal;
		words_add(words, flags, i & 8 ? SIGCHLD : 0);
	}
}

/* ---- Answers ---- */

struct mismatch {
	struct ramet_call call;
	int kernel; /* errno, 0: accepted */
	const struct ramet_rule *rule;
	const char *where; /* static */
};

/* What a sweep found, in memory shared with the test. */
struct findings {
	uint64_t swept, accepted, retried, mismatches;
	int no_user; /* errno */
	uint64_t errnos[256];
	uint64_t rules[SWEEP_RULES];
	struct mismatch kept[SWEEP_KEPT];
};

/* What a busy system may say for a while: namespaces and tasks of earlier words end late. */
static inline bool sweep_is_passing(long r)
{
	return r == -EAGAIN || r == -ENOMEM || r == -ENOSPC;
}

/* In a sweep: who has waited so often sees no passing state, but a rule that is missing. */
#define SWEEP_RETRIES 4000

/* Put it to the kernel, again and again while the answer is one that passes. 0 or -errno. */
static inline long sweep_put(struct findings *f, const struct ramet_call *call,
			     const struct ramet_rule *rule)
{
	long r = kernel_make(call);

	for (int i = 0; i < 200 && f->retried < SWEEP_RETRIES && sweep_is_passing(r) &&
			!(rule && rule->error == -r);
	     i++) {
		usleep(5000);
		f->retried++;
		r = kernel_make(call);
	}
	return r;
}

/*
 * Callers one after another, each of which goes on at *next, in shared memory, until a call has
 * changed it. Their peers become our children when they end. 0, or what a caller ended with.
 */
static inline int sweep_callers(int (*caller)(void *), void *arg, const size_t *next, size_t count)
{
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	while (*next < count) {
		pid_t pid = fork(), ended;
		int status, result = -1;

		if (!pid)
			_exit(caller(arg));
		while ((ended = (pid_t)sys_wait4(-1, &status, KERNEL_WALL, NULL)) > 0 ||
		       ended == -EINTR)
			if (ended == pid)
				result = status;
		if (result)
			return WIFEXITED(result) ? WEXITSTATUS(result) : 1;
	}
	return 0;
}

static inline void sweep_judge(struct findings *f, const struct ramet_call *call,
			       const struct ramet_rule *rule, long r, const char *where)
{
	f->swept++;
	f->accepted += r >= 0;
	f->errnos[r < 0 ? -r & 255 : 0]++;
	if (rule)
		f->rules[rule - ramet_rule_at(0)]++;
	if ((r < 0 ? -r : 0) == (rule ? rule->error : 0))
		return;
	if (f->mismatches < SWEEP_KEPT)
		f->kept[f->mismatches] =
			(struct mismatch){*call, (int)(r < 0 ? -r : 0), rule, where};
	f->mismatches++;
}

static inline void mismatch_show(const struct mismatch *m)
{
	char text[512];

	if (ramet_flags_format(m->call.flags, text, sizeof(text)) < 0)
		text[0] = '\0';
	diag("%s 0x%jx signal %d, %s: kernel %s, model %s", entry_name(m->call.entry),
	     (uintmax_t)m->call.flags, (int)m->call.exit_signal, m->where,
	     m->kernel ? errno_name(m->kernel) : "accepts", m->rule ? m->rule->id : "accepts");
	diag("  %s", text);
	if (m->call.size || m->call.set_tid_size || m->call.set_tid)
		diag("  size %ju set_tid %#jx × %ju stack %#jx + %#jx cgroup %#jx",
		     (uintmax_t)m->call.size, (uintmax_t)m->call.set_tid,
		     (uintmax_t)m->call.set_tid_size, (uintmax_t)m->call.stack,
		     (uintmax_t)m->call.stack_size, (uintmax_t)m->call.cgroup);
}

static uint64_t sweep_rules[SWEEP_RULES];

/* One subtest: the model agrees. Adds to the counts of sweep_show_rules(). */
static inline void sweep_report(const char *name, const struct findings *f, double seconds)
{
	char line[512] = "";

	for (int i = 1; i < 256; i++)
		if (f->errnos[i])
			snprintf(line + strlen(line), sizeof(line) - strlen(line), " %ju %s",
				 (uintmax_t)f->errnos[i], errno_name(i));
	diag("%s: %ju words in %.1f s, %ju accepted, %ju tried again;%s", name, (uintmax_t)f->swept,
	     seconds, (uintmax_t)f->accepted, (uintmax_t)f->retried, line);
	if (f->no_user)
		diag("%s: user namespaces are refused here, by policy or a chroot", name);
	for (size_t i = 0; i < SWEEP_RULES; i++)
		sweep_rules[i] += f->rules[i];
	is_int(f->mismatches, 0, "%s: the model agrees with the kernel on every word", name);
	for (uint64_t i = 0; i < f->mismatches && i < SWEEP_KEPT; i++)
		mismatch_show(&f->kept[i]);
}

/* How many words met which rule of these entries; of those not met, what is of this kernel. */
static inline void sweep_show_rules(unsigned entries)
{
	const struct ramet_call call = {.entry = RAMET_ENTRY_CLONE};
	const struct ramet_rule *rule;
	struct ramet_caller caller;
	int other = 0;

	caller_read(&call, &caller);
	for (size_t i = 0; (rule = ramet_rule_at(i)); i++)
		if (sweep_rules[i])
			diag("%8ju %s", (uintmax_t)sweep_rules[i], rule->id);
	for (size_t i = 0; (rule = ramet_rule_at(i)); i++) {
		unsigned of = rule_asks[i].entry ? rule_asks[i].entry : ENTRY_MAKES;

		if (sweep_rules[i] || rule_asks[i].may || !(of & entries))
			continue;
		if (caller.kernel < rule->since || (rule->until && caller.kernel >= rule->until))
			other++;
		else
			diag("   never %s", rule->id);
	}
	diag("%d more rules are of other kernels", other);
}

/*
 * Where policy or a chroot onto a mount forbids user namespaces nobody can read that beforehand.
 * It comes at the place of the chroot rule, so that stands for it.
 */
static inline void sweep_learn_policy(struct findings *f, struct ramet_caller *caller)
{
	const struct ramet_call call = kernel_call(RAMET_ENTRY_CLONE3, CLONE_NEWUSER, SIGCHLD);

	if (ramet_check(&call, caller) || kernel_make(&call) != -EPERM)
		return;
	f->no_user = EPERM;
	caller->chrooted = 1;
	caller->known |= RAMET_KNOWN_ROOT;
}

static inline double sweep_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

#endif
