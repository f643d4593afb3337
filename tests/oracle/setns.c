/* SPDX-License-Identifier: MIT */
/*
 * Sweeps through setns: descriptors of every kind and words of types put to the model and to the
 * running kernel, by callers of every shape of shapes.h. What caller_read() finds out about the
 * descriptor decides most verdicts, so this tests that too. As in unshare.c a fresh process goes
 * on after each accepted word.
 */
#include <sys/eventfd.h>
#include <sys/wait.h>

#include "oracle/shapes.h"
#include "oracle/sweep.h"

#define UNABLE 77
#define KERNEL_PIDFD_THREAD O_EXCL /* 6.9 */

/* ---- Tasks to join ---- */

/* Sleeps in new namespaces of these kinds; ends with the test. Copied memory, so C is fine. */
static pid_t make_task(uint64_t flags)
{
	const struct clone_args args = {.flags = flags, .exit_signal = SIGCHLD};
	long pid = arch_clone3(&args, sizeof(args), NULL, NULL);

	if (pid)
		return (pid_t)pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	for (;;)
		pause();
}

#define ALL (CLONE_NEW_ANY & ~CLONE_NEWUSER)

/* The same made by an ordinary user, as a grandchild whose number comes through shared memory. */
struct foreign {
	bool nested; /* a user namespace between it and the first */
	pid_t pid;
};

static int make_foreign(void *arg)
{
	struct foreign *f = arg;

	if (identity_take(&identities[1]) || (f->nested && shape_enter_user()))
		return 1;
	f->pid = make_task(ALL | CLONE_NEWUSER);
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	for (;;)
		pause();
}

/* Its maker lives on too: it dies with its maker. 0 if it cannot be made. */
static pid_t foreign_task(bool nested)
{
	struct foreign *f = kernel_shared(sizeof(*f));
	pid_t maker, made;

	f->nested = nested;
	fflush(stdout);
	maker = fork();
	if (!maker)
		_exit(make_foreign(f));
	for (int i = 0;
	     i < 2000 && !*(volatile pid_t *)&f->pid && waitpid(maker, NULL, WNOHANG) == 0; i++)
		usleep(1000);
	made = f->pid;
	munmap(f, sizeof(*f));
	return made > 0 ? made : 0;
}

/* A zombie of that user. */
static pid_t dead_task(const struct identity *who)
{
	siginfo_t info;
	pid_t pid = fork();

	if (!pid)
		_exit(identity_take(who));
	waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
	return pid;
}

/* ---- Descriptors ---- */

#define KINDS 80
#define SELF_FD 300  /* of the caller itself, opened by it */
#define CHILD_FD 301 /* of a child of the caller, if it could make one */

static struct kind {
	char name[48];
	int fd;
	uint64_t type; /* of a namespace */
} kinds[KINDS];

static size_t kind_count;

static void add_kind(const char *name, int fd, uint64_t type)
{
	struct kind *kind = &kinds[kind_count];

	if (kind_count == KINDS || fd < -1) {
		diag("%s: cannot be had: %s", name, strerror(errno));
		return;
	}
	snprintf(kind->name, sizeof(kind->name), "%s", name);
	kind->fd = fd;
	kind->type = type;
	kind_count++;
}

static int open_kind(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	return fd < 0 ? -2 : fd;
}

static void add_pidfd(const char *name, pid_t pid, unsigned flags)
{
	long fd = pid > 0 ? sys_pidfd_open(pid, flags) : -ESRCH;
	char text[48];

	if (fd < 0)
		errno = (int)-fd;
	snprintf(text, sizeof(text), "pidfd %s", name);
	add_kind(text, fd < 0 ? -2 : (int)fd, 0);
}

static void add_task(const char *name, pid_t pid)
{
	static const struct {
		const char *name;
		uint64_t type;
	} types[] = {
		{"user", CLONE_NEWUSER}, {"mnt", CLONE_NEWNS},	  {"uts", CLONE_NEWUTS},
		{"ipc", CLONE_NEWIPC},	 {"pid", CLONE_NEWPID},	  {"cgroup", CLONE_NEWCGROUP},
		{"net", CLONE_NEWNET},	 {"time", CLONE_NEWTIME},
	};

	if (pid <= 0) {
		diag("%s: cannot be had", name);
		return;
	}
	add_pidfd(name, pid, 0);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		char path[64], text[48];

		snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, types[i].name);
		snprintf(text, sizeof(text), "%s ns %s", types[i].name, name);
		add_kind(text, open_kind(path, O_RDONLY), types[i].type);
	}
}

static void add_dead(const char *name, const struct identity *who)
{
	pid_t pid = dead_task(who);
	char text[48];

	snprintf(text, sizeof(text), "of a zombie of %s", name);
	add_pidfd(text, pid, 0);
}

static void add_reaped(void)
{
	pid_t pid = dead_task(&identities[0]);

	add_pidfd("of a reaped task", pid, 0);
	waitpid(pid, NULL, 0);
}

static void make_kinds(void)
{
	bool root = !geteuid();
	pid_t self = getpid();

	add_kind("closed descriptor", 54321, 0);
	add_kind("descriptor -1", -1, 0);
	add_kind("directory", open_kind("/proc/self", O_RDONLY | O_DIRECTORY), 0);
	add_kind("regular file", open_kind("/proc/self/exe", O_RDONLY), 0);
	add_kind("eventfd", eventfd(0, EFD_CLOEXEC), 0);
	add_kind("O_PATH of a namespace", open_kind("/proc/self/ns/uts", O_PATH), 0);
	add_kind("pidfd of the caller", SELF_FD, 0);
	add_kind("pidfd of the caller's child", CHILD_FD, 0);
	add_task("of the test", self);
	if (root)
		add_task("of another", make_task(ALL));
	add_task("of a user namespace", make_task(ALL | CLONE_NEWUSER));
	if (root) {
		add_task("of a user's own", foreign_task(false));
		add_task("two user namespaces down", foreign_task(true));
		add_dead("nobody", &identities[1]);
	}
	add_dead("the test's", &(struct identity){"self", geteuid(), ~0ULL, true});
	add_reaped();
	add_pidfd("of a thread", self, KERNEL_PIDFD_THREAD);
}

/* ---- The sweep ---- */

struct ask {
	uint32_t kind;
	uint64_t flags;
};

struct sweeper {
	const struct identity *who;
	const struct shape *shape;
	struct ask *asks;
	size_t count;
	struct findings *found;
};

/* Seen by the callers, each of which goes on where the one before has ended. */
static struct {
	size_t next;
	struct {
		bool have;
		struct ramet_caller caller;
	} states[KINDS];
} * common;

/*
 * The state as it was read for the first word of that kind. Now and then it is read for this very
 * word, as who asks only once does.
 */
static struct ramet_caller state_for(const struct ramet_call *call, uint32_t kind)
{
	struct ramet_call every = *call;
	struct ramet_caller now;

	if (!tap_below(sweep_whole() ? 100 : 16)) {
		caller_read(call, &now);
		return now;
	}
	if (!common->states[kind].have) {
		every.flags = CLONE_NEW_ANY;
		caller_read(&every, &common->states[kind].caller);
		common->states[kind].have = true;
	}
	return common->states[kind].caller;
}

/* In a user namespace of its own; a network would take the most time of all. */
static void make_child(void)
{
	long tid = shape_make_peer((ALL & ~CLONE_NEWNET) | CLONE_NEWUSER);

	if (tid > 0)
		dup2((int)sys_pidfd_open((int)tid, 0), CHILD_FD);
}

static int call_words(void *arg)
{
	struct sweeper *s = arg;
	bool has_child = false;

	if (shape_prepare(s->shape) || identity_take(s->who) || shape_take(s->shape))
		return UNABLE;
	dup2((int)sys_pidfd_open((int)sys_getpid(), 0), SELF_FD);
	tap.state += common->next; /* each caller starts from the same copy */
	while (common->next < s->count) {
		const struct ask *ask = &s->asks[common->next];
		const struct ramet_call call = {.entry = RAMET_ENTRY_SETNS,
						.flags = ask->flags,
						.fd = (uint64_t)kinds[ask->kind].fd};
		struct ramet_caller caller;
		const struct ramet_rule *rule;
		long r;

		if (call.fd == CHILD_FD && !has_child) {
			make_child();
			has_child = true;
		}
		caller = state_for(&call, ask->kind);
		rule = ramet_check(&call, &caller);
		r = sweep_put(s->found, &call, rule);
		common->next++;
		sweep_judge(s->found, &call, rule, r, kinds[ask->kind].name);
		if (r >= 0)
			return 0;
	}
	return 0;
}

/* kernel_scaffold() would wait for the tasks to join as well. */
static int sweep_apart(struct sweeper *s)
{
	int status = -1;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(sweep_callers(call_words, s, &common->next, s->count));
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 256;
}

static void add_ask(struct sweeper *s, size_t kind, uint64_t flags)
{
	s->asks[s->count++] = (struct ask){(uint32_t)kind, flags};
}

#define MOST_ASKS 2400 /* of one kind */

/* Bits, pairs and subsets of types, random words. A namespace has only its own type to give. */
static void add_asks(struct sweeper *s, size_t kind, bool few)
{
	size_t subsets = few ? 12 : 40, bits = few ? 10 : 100;

	add_ask(s, kind, 0);
	if (kinds[kind].type) {
		subsets = 3;
		bits /= 5;
		add_ask(s, kind, kinds[kind].type);
		add_ask(s, kind, kinds[kind].type | 1ULL << (32 + tap_below(32)));
	}
	for (int bit = 0; bit < 64; bit++)
		if ((sweep_whole() && !few) || tap_below(100) < sweep_scaled(bits))
			add_ask(s, kind, 1ULL << bit);
	if (sweep_whole() && !few && !kinds[kind].type)
		for (uint64_t choice = 0; choice < 256; choice++)
			add_ask(s, kind, word_subset(CLONE_NEW_ANY, choice));
	else
		for (size_t i = 0; i < sweep_scaled(subsets); i++)
			add_ask(s, kind, word_subset(CLONE_NEW_ANY, tap_below(256)));
	for (size_t i = 0; i < sweep_scaled(subsets) / 4; i++)
		add_ask(s, kind,
			word_subset(CLONE_NEW_ANY, tap_below(256)) | 1ULL << tap_below(64));
	for (size_t i = 0; i < (sweep_whole() && !few ? 1800 : sweep_scaled(subsets) / 4); i++)
		add_ask(s, kind, i & 1 ? tap_random() : tap_random() & tap_random() & tap_random());
}

static void run(struct sweeper *s)
{
	struct findings *f = kernel_shared(sizeof(*f));
	size_t room = kind_count * MOST_ASKS * sizeof(struct ask);
	double from = sweep_clock();
	char name[128];
	int r;

	snprintf(name, sizeof(name), "setns, %s, %s", s->who->name, s->shape->name);
	memset(common, 0, sizeof(*common));
	s->asks = kernel_shared(room);
	s->count = 0;
	/* To read what a descriptor names takes longer than to ask the kernel. */
	for (size_t i = 0; i < kind_count; i++)
		if (sweep_whole() || s->shape == &shapes[0] || tap_below(50) < sweep_scaled(100))
			add_asks(s, i, !s->who->main || s->shape != &shapes[0]);
	s->found = f;
	r = sweep_apart(s);
	if (r == UNABLE)
		skip(1, "%s: this state is not to be had here", name);
	else if (r || f->swept != s->count)
		ok(0, "%s: the sweep ends (status %d after %ju words)", name, r,
		   (uintmax_t)f->swept);
	else
		sweep_report(name, f, sweep_clock() - from);
	munmap(f, sizeof(*f));
	munmap(s->asks, room);
}

static void run_identity(const struct identity *who)
{
	struct sweeper s = {.who = who};

	for (size_t i = 0; i < SHAPES; i++) {
		if (i && !who->main && !sweep_whole() && tap_random() & 1)
			continue;
		s.shape = &shapes[i];
		run(&s);
	}
}

int main(void)
{
	const struct identity self = {"this user", geteuid(), ~0ULL, true};

	tap_seed();
	common = kernel_shared(sizeof(*common));
	make_kinds();
	diag("%zu kinds of descriptor", kind_count);
	if (geteuid())
		run_identity(&self);
	for (size_t i = 0; i < IDENTITIES; i++)
		if (identity_exists(&identities[i]))
			run_identity(&identities[i]);
		else
			skip(1, "%s: not to be had here", identities[i].name);
	sweep_show_rules(RAMET_ENTRY_SETNS);
	return tap_done();
}
