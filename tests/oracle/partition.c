/* SPDX-License-Identifier: MIT */
/*
 * Who shares what, against tasks whose sharing is known: a colony made by raw clones with random
 * flags, each by a random one of those that are there, some of which then part with what they
 * shared, get an I/O context, or end. What the partition says is compared for all pairs and all
 * objects. Then: how long it takes for many.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

#include "inspect/classes.h"
#include "inspect/snapshot.h"
#include "oracle/kernel.h"
#include "tap.h"

#define SLOTS 160
#define ROUNDS 6
#define STACK 16384
#define ANYBODY 65534

/* ---- the colony: what runs in it is freestanding, whatever memory it has -------------------- */

#if defined(__clang__) || defined(__GNUC__)
#define BARE __attribute__((no_sanitize("address", "undefined"), noinline))
#endif

enum order { ORDER_CLONE = 1, ORDER_UNSHARE, ORDER_PRIORITY, ORDER_END };

struct slot {
	char stack[STACK] __attribute__((aligned(16)));
	uint32_t told, done; /* numbers of orders */
	int order;
	uint64_t flags;
	int exit_signal;
	int child; /* slot */
	long result;
};

struct colony {
	struct slot slots[SLOTS];
};

static struct colony *colony;

BARE static int live(void *arg);

BARE static long obey(struct slot *s)
{
	struct slot *child = &colony->slots[s->child];
	struct clone_args args;

	switch (s->order) {
	case ORDER_CLONE:
		for (size_t i = 0; i < sizeof(args); i++)
			((volatile char *)&args)[i] = 0;
		args.flags = s->flags;
		args.exit_signal = (uint64_t)s->exit_signal;
		args.stack = (uintptr_t)child->stack;
		args.stack_size = sizeof(child->stack);
		return arch_clone3(&args, sizeof(args), live, child);
	case ORDER_UNSHARE:
		return sys1(SYS_unshare, (long)s->flags);
	case ORDER_PRIORITY:
		return sys3(SYS_ioprio_set, 1, 0, 2 << 13 | 5);
	default:
		sys_exit(0);
	}
}

BARE static int live(void *arg)
{
	struct slot *s = arg;
	uint32_t told;

	for (;;) {
		while ((told = __atomic_load_n(&s->told, __ATOMIC_ACQUIRE)) == s->done)
			sys_futex_wait(&s->told, told, NULL);
		s->result = obey(s);
		__atomic_store_n(&s->done, told, __ATOMIC_RELEASE);
	}
	return 0;
}

/* ---- what is known of it -------------------------------------------------------------------- */

struct known {
	pid_t tid;
	int process; /* slot of its first thread */
	bool alive;
	int object[INSPECT_OBJECTS]; /* 0: none */
};

static struct known known[SLOTS];
static int objects; /* numbers given */

static long tell(int slot, int order, uint64_t flags, int exit_signal, int child)
{
	struct slot *s = &colony->slots[slot];

	s->order = order;
	s->flags = flags;
	s->exit_signal = exit_signal;
	s->child = child;
	s->result = 0;
	__atomic_add_fetch(&s->told, 1, __ATOMIC_RELEASE);
	sys_futex_wake(&s->told, 1);
	if (order == ORDER_END)
		return 0;
	for (int i = 0; __atomic_load_n(&s->done, __ATOMIC_ACQUIRE) != s->told; i++) {
		if (i > 2000000)
			return -ETIMEDOUT;
		sched_yield();
	}
	return s->result;
}

static bool others_have(int slot, int object)
{
	for (int i = 0; i < SLOTS; i++)
		if (i != slot && known[i].alive && known[i].object[object] &&
		    known[i].object[object] == known[slot].object[object])
			return true;
	return false;
}

static uint64_t random_flags(void)
{
	static const uint64_t bits[] = {CLONE_VM,      CLONE_FILES,   CLONE_FS,
					CLONE_SIGHAND, CLONE_SYSVSEM, CLONE_IO};
	uint64_t flags = 0;

	for (size_t i = 0; i < sizeof(bits) / sizeof(bits[0]); i++)
		flags |= tap_below(2) ? bits[i] : 0;
	if (!tap_below(3))
		flags |= CLONE_THREAD | CLONE_SIGHAND;
	if (flags & CLONE_SIGHAND)
		flags |= CLONE_VM;
	return flags;
}

/* The rules of clone, by hand. */
static void inherit(int parent, int child, uint64_t flags)
{
	static const struct {
		int object;
		uint64_t flag;
	} plain[] = {
		{INSPECT_VM, CLONE_VM},
		{INSPECT_FILES, CLONE_FILES},
		{INSPECT_FS, CLONE_FS},
		{INSPECT_SIGHAND, CLONE_SIGHAND},
	};
	struct known *p = &known[parent], *c = &known[child];

	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		c->object[plain[i].object] = flags & plain[i].flag ? p->object[plain[i].object]
								   : ++objects;
	/* An undo list is made when it is first shared, an I/O context when it is first set; a
	   copy has the same priority, in a context of its own. */
	if (flags & CLONE_SYSVSEM && !p->object[INSPECT_SYSVSEM])
		p->object[INSPECT_SYSVSEM] = ++objects;
	c->object[INSPECT_SYSVSEM] = flags & CLONE_SYSVSEM ? p->object[INSPECT_SYSVSEM] : 0;
	c->object[INSPECT_IO] = !p->object[INSPECT_IO] ? 0
				: flags & CLONE_IO     ? p->object[INSPECT_IO]
						       : ++objects;
	c->process = flags & CLONE_THREAD ? p->process : child;
	c->alive = true;
}

static int pick(int count)
{
	int slot;

	do
		slot = (int)tap_below((uint64_t)count);
	while (!known[slot].alive);
	return slot;
}

static bool grow(int child)
{
	const int parent = pick(child);
	const uint64_t flags = random_flags();
	const long tid =
		tell(parent, ORDER_CLONE, flags, flags & CLONE_THREAD ? 0 : SIGCHLD, child);

	if (tid <= 0)
		return false;
	inherit(parent, child, flags);
	known[child].tid = (pid_t)tid;
	return true;
}

/* Something happens to one of them. */
static bool change(int count)
{
	static const struct {
		int object;
		uint64_t flag;
	} parts[] = {{INSPECT_FS, CLONE_FS},
		     {INSPECT_FILES, CLONE_FILES},
		     {INSPECT_SYSVSEM, CLONE_SYSVSEM}};
	const int slot = pick(count);
	const uint64_t what = tap_below(8);

	if (what < 3) {
		if (tell(slot, ORDER_UNSHARE, parts[what].flag, 0, 0) < 0)
			return false;
		if (parts[what].object == INSPECT_SYSVSEM)
			known[slot].object[INSPECT_SYSVSEM] = 0;
		else if (others_have(slot, parts[what].object))
			known[slot].object[parts[what].object] = ++objects;
		return true;
	}
	if (what < 5) {
		if (tell(slot, ORDER_PRIORITY, 0, 0, 0) < 0)
			return false;
		if (!known[slot].object[INSPECT_IO])
			known[slot].object[INSPECT_IO] = ++objects;
		return true;
	}
	if (slot && !tap_below(3)) {
		tell(slot, ORDER_END, 0, 0, 0);
		known[slot].alive = false;
	}
	return true;
}

/* ---- what inspect says ---------------------------------------------------------------------- */

struct findings {
	unsigned tasks, processes, threads, zombies, headless;
	unsigned long pairs, equal, wrong, wrong_none, missing, calls, bound;
	int failed; /* line of what could not be done */
	char first[128];
};

static struct findings *findings;

static const struct inspect_entry *entry_of(const struct inspect_snapshot *s, pid_t tid)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->entries[i].tid == tid)
			return &s->entries[i];
	return NULL;
}

static void compare_pairs(const struct inspect_entry *const entries[SLOTS], int count, int object)
{
	struct findings *f = findings;

	for (int i = 0; i < count; i++) {
		const int a = entries[i] ? entries[i]->class[object] : -1;

		if (!known[i].alive || !entries[i])
			continue;
		f->wrong_none += (a == 0) != (known[i].object[object] == 0) || a < 0;
		for (int j = 0; j < i; j++) {
			const int b = entries[j] ? entries[j]->class[object] : -1;
			bool same = known[i].object[object] == known[j].object[object];

			if (!known[j].alive || !entries[j])
				continue;
			f->pairs++;
			f->equal += same && known[i].object[object];
			if ((a == b) == same)
				continue;
			if (!f->wrong++)
				snprintf(
					f->first, sizeof(f->first),
					"object %d of %d and %d: classes %d and %d, known %d and %d",
					object, (int)known[i].tid, (int)known[j].tid, a, b,
					known[i].object[object], known[j].object[object]);
		}
	}
}

static int kernel_compare(void *context, pid_t a, pid_t b, enum inspect_object object)
{
	(void)context;
	return inspect_kcmp(a, b, object);
}

/* The calls that these tasks alone take, each without a guess. */
static void count_calls(int count, pid_t nobody)
{
	for (int object = INSPECT_VM; object <= INSPECT_SYSVSEM; object++) {
		struct inspect_partition p;
		unsigned long n = 0, bits = 0;

		inspect_partition_begin(&p, object, object == INSPECT_SIGHAND ? 0 : nobody,
					kernel_compare, NULL);
		for (int i = 0; i < count; i++) {
			if (!known[i].alive)
				continue;
			n++;
			if (inspect_partition_add(&p, known[i].tid, -1) < 0)
				findings->failed = __LINE__;
		}
		while (1UL << bits < p.classes)
			bits++;
		findings->calls += p.calls;
		findings->bound += n * (bits + 2);
		if (p.calls > n * (bits + 2))
			findings->failed = __LINE__;
		inspect_partition_end(&p);
	}
}

static void look(int count)
{
	const struct inspect_entry *entries[SLOTS] = {NULL};
	struct inspect_nobody nobody;
	struct inspect_snapshot s;
	pid_t none;

	if (inspect_snapshot(INSPECT_NEED_CLASSES | INSPECT_NEED_EACH_THREAD, &s) < 0 ||
	    s.kcmp_error || s.nobody_error)
		findings->failed = __LINE__;
	for (int i = 0; i < count; i++) {
		const struct inspect_entry *e = entries[i] = entry_of(&s, known[i].tid);

		findings->tasks += known[i].alive;
		findings->missing += known[i].alive && !e;
		if (!known[i].alive && e) {
			findings->zombies += inspect_is_zombie(e);
			findings->headless += e->speaker != e->leader;
			for (int o = INSPECT_VM; o <= INSPECT_SYSVSEM && inspect_is_zombie(e); o++)
				findings->wrong_none += e->class[o] != INSPECT_CLASS_UNKNOWN;
		}
		if (known[i].alive)
			*(known[i].process == i ? &findings->processes : &findings->threads) += 1;
	}
	for (int object = INSPECT_VM; object <= INSPECT_SYSVSEM; object++)
		compare_pairs(entries, count, object);
	none = inspect_nobody_begin(&nobody);
	if (none < 0)
		findings->failed = __LINE__;
	count_calls(count, none);
	inspect_nobody_end(&nobody);
	inspect_snapshot_free(&s);
}

/* ---- a round -------------------------------------------------------------------------------- */

/* Its own session leader, so that one kill ends it all; what is left becomes the test's. */
static int founder(void *arg)
{
	(void)arg;
	setpgid(0, 0);
	return live(&colony->slots[0]);
}

static void end_colony(pid_t founder_pid)
{
	int status;

	for (int tries = 0; tries < 1000; tries++) {
		kill(-founder_pid, SIGKILL);
		while (sys_wait4(-1, &status, KERNEL_WALL | WNOHANG, NULL) > 0)
			;
		if (sys_wait4(-1, &status, KERNEL_WALL | WNOHANG, NULL) == -ECHILD)
			return;
		usleep(1000);
	}
	findings->failed = __LINE__;
}

static void run_round(void)
{
	const int count = 40 + (int)tap_below(SLOTS - 40);
	pid_t first;

	memset(colony, 0, sizeof(*colony));
	memset(known, 0, sizeof(known));
	first = fork();
	if (!first)
		_exit(founder(NULL));
	setpgid(first, first);
	known[0] = (struct known){.tid = first, .alive = true};
	for (int o = INSPECT_VM; o <= INSPECT_SIGHAND; o++)
		known[0].object[o] = ++objects;
	for (int i = 1; i < count && !findings->failed; i++) {
		if (!grow(i) || (!tap_below(2) && !change(i)))
			findings->failed = __LINE__;
	}
	usleep(20000); /* those told to end are ending */
	if (!findings->failed)
		look(count);
	end_colony(first);
}

/* In a process that may be anybody: the test itself stays who it is. */
static int rounds(void *arg)
{
	const uid_t uid = *(uid_t *)arg;

	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	if (uid && kernel_become(uid) < 0)
		return 1;
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	for (int i = 0; i < ROUNDS && !findings->failed; i++)
		run_round();
	return 0;
}

static void test_colonies(uid_t uid, const char *who)
{
	const struct findings *f = findings;
	int r;

	memset(findings, 0, sizeof(*findings));
	tap_random();
	r = kernel_scaffold(rounds, &uid);
	if (!is_int(r, 0, "%s: %d colonies", who, ROUNDS) ||
	    !is_int(f->failed, 0, "%s: all could be done", who))
		return;
	diag("%u tasks: %u processes, %u threads, %u zombies, %u processes without their first "
	     "thread",
	     f->tasks, f->processes, f->threads, f->zombies, f->headless);
	diag("%lu pairs, %lu of them share; %lu calls of at most %lu", f->pairs, f->equal, f->calls,
	     f->bound);
	if (!is_int(f->wrong, 0, "%s: each pair shares what it was made to share", who))
		diag("%s", f->first);
	is_int(f->wrong_none, 0, "%s: who has none is told so, zombies are left out", who);
	is_int(f->missing, 0, "%s: nobody is missing", who);
	ok(f->equal > 1000 && f->pairs > 4 * f->equal && f->zombies && f->threads > 20,
	   "%s: there was something to find", who);
	ok(f->calls <= f->bound, "%s: N (log K + 2) calls are enough", who);
}

/* ---- the trap of both having none ----------------------------------------------------------- */

static void test_nobody(void)
{
	struct inspect_nobody nobody;
	const pid_t none = inspect_nobody_begin(&nobody);
	int status;
	pid_t child;

	if (!ok(none > 0, "a task that has nothing"))
		return;
	for (int o = INSPECT_VM; o <= INSPECT_FS; o++)
		ok(inspect_kcmp(none, getpid(), o) > 0, "it has no object %d of mine", o);
	sys3(SYS_ioprio_set, 1, 0, 2 << 13 | 3);
	child = fork();
	if (!child) {
		pause();
		_exit(0);
	}
	ok(inspect_kcmp(none, getpid(), INSPECT_IO) > 0 &&
		   inspect_kcmp(none, child, INSPECT_IO) > 0,
	   "an I/O context that a child inherits is no sign of none");
	is_int(inspect_kcmp(none, child, INSPECT_SYSVSEM), 0, "a plain child has no undo list");
	inspect_nobody_end(&nobody);
	/* Made by a task with an I/O priority, whose children get a context each. */
	ok(inspect_nobody_begin(&nobody) > 0 &&
		   inspect_kcmp(nobody.tasks[0].tid, nobody.tasks[1].tid, INSPECT_IO) == 0,
	   "nor has nobody one then");
	inspect_nobody_end(&nobody);
	kill(child, SIGKILL);
	is_int(waitpid(child, &status, 0), child, "and only the child is left to wait for");
	is_int(waitpid(-1, &status, __WALL), -1, "nothing else");
}

/* ---- how long -------------------------------------------------------------------------------- */

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* The best of some, in ms: others use the machine as well. */
static double measure(unsigned needs, size_t *ret_count, unsigned long *ret_calls)
{
	double best = 1e9;

	for (int i = 0; i < 5; i++) {
		struct inspect_snapshot s;
		double from = now(), took;

		if (inspect_snapshot(needs, &s) < 0)
			return 1e9;
		took = now() - from;
		best = took < best ? took : best;
		*ret_count = s.count;
		*ret_calls = s.calls;
		inspect_snapshot_free(&s);
	}
	return best;
}

#define MANY 1000
#define MANY_THREADS 10000
/* Sanitizers and a machine that is busy: ten times as long is still no failure. */
#define PATIENCE 10

static void test_processes(void)
{
	static pid_t pids[MANY];
	unsigned long calls;
	size_t count, made = 0;
	double ms;

	for (; made < MANY; made++) {
		pids[made] = fork();
		if (pids[made] == 0) {
			for (;;)
				pause();
		}
		if (pids[made] < 0)
			break;
	}
	ms = measure(INSPECT_NEED_CLASSES | INSPECT_NEED_NS, &count, &calls);
	diag("%zu tasks here, %zu of them made for this: %.1f ms, %lu calls of kcmp", count, made,
	     ms, calls);
	ok(made == MANY && ms < 100 * PATIENCE, "a thousand processes, all that a table shows");
	for (size_t i = 0; i < made; i++)
		kill(pids[i], SIGKILL);
	for (size_t i = 0; i < made; i++)
		waitpid(pids[i], NULL, 0);
}

static void *sleeper(void *arg)
{
	(void)arg;
	for (;;)
		pause();
	return NULL;
}

/* The exit status is the number of hundreds of threads. */
static int many_threads(int ready)
{
	pthread_attr_t attr;
	pthread_t thread;
	int n = 0;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 32768);
	pthread_attr_setguardsize(&attr, 0);
	while (n < MANY_THREADS && pthread_create(&thread, &attr, sleeper, NULL) == 0)
		n++;
	if (write(ready, &n, sizeof(n)) != sizeof(n))
		return 1;
	for (;;)
		pause();
}

static void test_threads(void)
{
	unsigned long calls;
	int ready[2], made = 0;
	size_t count;
	double folded, each;
	pid_t pid;

	if (pipe(ready) < 0)
		return;
	pid = fork();
	if (!pid)
		_exit(many_threads(ready[1]));
	close(ready[1]);
	if (read(ready[0], &made, sizeof(made)) != sizeof(made) || made < MANY_THREADS) {
		skip(2, "only %d threads can be made", made);
	} else {
		folded = measure(INSPECT_NEED_CLASSES | INSPECT_NEED_NS, &count, &calls);
		diag("%zu tasks, %d of them threads of one process: %.1f ms, %lu calls", count,
		     made, folded, calls);
		ok(folded < 1000 * PATIENCE, "ten thousand threads, folded");
		each = measure(INSPECT_NEED_CLASSES | INSPECT_NEED_NS | INSPECT_NEED_EACH_THREAD,
			       &count, &calls);
		diag("each of them read as well: %.1f ms", each);
		ok(each < 1000 * PATIENCE, "and a row for each");
	}
	close(ready[0]);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

int main(void)
{
	tap_seed();
	if (inspect_kcmp(getpid(), getpid(), INSPECT_VM) < 0) {
		skip(1, "needs kcmp (CONFIG_KCMP)");
		return tap_done();
	}
	colony = kernel_shared(sizeof(*colony));
	findings = kernel_shared(sizeof(*findings));
	test_colonies(getuid(), getuid() ? "a user" : "root");
	if (getuid() == 0)
		test_colonies(ANYBODY, "an ordinary user");
	else
		skip(7, "needs root to be somebody else");
	test_nobody();
	test_processes();
	test_threads();
	return tap_done();
}
