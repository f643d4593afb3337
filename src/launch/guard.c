/* SPDX-License-Identifier: MIT */
/*
 * A child that changes its uid makes the memory it runs in not dumpable, the caller's too while
 * they share it, and that protects: dumpable, the new identity could read the caller by ptrace.
 * So it must stay off until exec has parted them, and only the caller may put it back. Set
 * beforehand and not left to the kernel, which leaves it on where fs.suid_dumpable is 1.
 *
 * But the /proc files of what is not dumpable belong to root, and an ordinary user cannot write
 * the id maps of a child there. So launches that need the memory unreadable and launches that
 * write maps keep apart: many of one sort at a time, the two sorts by turns.
 */
#include <errno.h>
#include <pthread.h>

#include "base/sys.h"
#include "launch/caller_side.h"

enum sort { GUARDS, MAPS };

static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned active[2], waiting[2];
	enum sort turn; /* whose newcomers go first where both wait */
	int dumpable;	/* before the first guard */
	int process;	/* whose state this is */
} gate = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void enter(enum sort sort)
{
	const enum sort other = sort == GUARDS ? MAPS : GUARDS;

	gate.waiting[sort]++;
	while (gate.active[other] || (gate.waiting[other] && gate.turn != sort))
		pthread_cond_wait(&gate.changed, &gate.lock);
	gate.waiting[sort]--;
	gate.active[sort]++;
	/* Whoever waits now has the next turn, however many of this sort still come. */
	if (gate.waiting[other])
		gate.turn = other;
}

static void leave(enum sort sort)
{
	if (--gate.active[sort] == 0)
		pthread_cond_broadcast(&gate.changed);
}

/* In a fork of a guarded process nothing shares memory with another identity any more. */
void guard_forget(void)
{
	if (gate.active[GUARDS] && gate.dumpable == 1)
		sys_prctl(KERNEL_PR_SET_DUMPABLE, 1, 0, 0, 0);
	for (int sort = GUARDS; sort <= MAPS; sort++)
		gate.active[sort] = gate.waiting[sort] = 0;
	gate.lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
	gate.changed = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
}

/* In a copy made by a raw clone no handler has run: its first launch notices. */
static void gate_lock(void)
{
	const int process = (int)sys_getpid();
	/* Of the threads of one process each finds or writes the same. */
	const int known = __atomic_load_n(&gate.process, __ATOMIC_RELAXED);

	if (known && known != process)
		guard_forget();
	if (known != process)
		__atomic_store_n(&gate.process, process, __ATOMIC_RELAXED);
	pthread_mutex_lock(&gate.lock);
}

static void before_fork(void)
{
	pthread_mutex_lock(&gate.lock);
}

static void after_fork(void)
{
	pthread_mutex_unlock(&gate.lock);
}

static void watch_forks(void)
{
	pthread_atfork(before_fork, after_fork, guard_forget);
}

int guard_take(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	long r = 0;

	pthread_once(&once, watch_forks);
	gate_lock();
	enter(GUARDS);
	if (gate.active[GUARDS] == 1) {
		r = sys_prctl(KERNEL_PR_GET_DUMPABLE, 0, 0, 0, 0);
		gate.dumpable = (int)r;
		if (r > 0)
			r = sys_prctl(KERNEL_PR_SET_DUMPABLE, 0, 0, 0, 0);
	}
	if (r < 0)
		leave(GUARDS);
	pthread_mutex_unlock(&gate.lock);
	return r < 0 ? (int)r : 0;
}

/*
 * Exec clears the word, and so wakes the caller, before it takes the child out of the memory: for a
 * moment the child, under its new identity, still has it, and whoever reads in /proc of it can make
 * that moment last. Reading the child tells: while the memory is one, that needs no right and gives
 * what stands here. The value is random, or the program could put it where we look.
 */
void guard_await_parted(pid_t tid)
{
	uint64_t here = 0, seen;
	struct { /* the kernel's struct iovec */
		void *base;
		size_t length;
	} local = {&seen, sizeof(seen)}, remote = {&here, sizeof(here)};
	const struct kernel_timespec pause = {.tv_nsec = 20000};
	/* The thread: a process whose first thread has ended has no memory by its own number. */
	const long self = sys0(SYS_gettid);

	while (!here)
		if (sys3(SYS_getrandom, (long)&here, sizeof(here), 0) < 0)
			here = (uintptr_t)&here;
	/* Where a filter or the kernel's build forbids it, kcmp tells those who may ask. */
	if (sys6(SYS_process_vm_readv, self, (long)&local, 1, (long)&remote, 1, 0) < 0) {
		while (sys5(SYS_kcmp, self, tid, 1 /* KCMP_VM */, 0, 0) == 0)
			sys2(SYS_nanosleep, (long)&pause, 0);
		return;
	}
	seen = 0;
	while (sys6(SYS_process_vm_readv, tid, (long)&local, 1, (long)&remote, 1, 0) ==
		       sizeof(seen) &&
	       seen == here) {
		seen = 0;
		sys2(SYS_nanosleep, (long)&pause, 0);
	}
}

void guard_let_go(void)
{
	gate_lock();
	/* 2 cannot be set from here and was root's own choice: leave 0, the stricter. */
	if (gate.active[GUARDS] == 1 && gate.dumpable == 1)
		sys_prctl(KERNEL_PR_SET_DUMPABLE, 1, 0, 0, 0);
	leave(GUARDS);
	pthread_mutex_unlock(&gate.lock);
}

void maps_begin(void)
{
	gate_lock();
	enter(MAPS);
	pthread_mutex_unlock(&gate.lock);
}

void maps_end(void)
{
	gate_lock();
	leave(MAPS);
	pthread_mutex_unlock(&gate.lock);
}
