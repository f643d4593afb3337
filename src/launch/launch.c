/* SPDX-License-Identifier: MIT */
/*
 * From a plan to a task. Two shapes: held, where the kernel keeps the calling thread until the
 * child has left the shared memory, and beside, where the caller runs on, does its own steps, and
 * waits on a futex with a deadline. Order in both: block signals, make the task, unblock, learn
 * how it went, take everything back if it went wrong.
 */
#include "launch/launch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/sys.h"
#include "launch/caller_side.h"
#include "launch/error.h"
#include "launch/helper.h"

/* After SIGKILL a child that is still there after this long hangs in the kernel. */
#define KILL_PATIENCE_MS 1000
/*
 * How often to look whether a child is gone that did not say so. Where memory is copied it may be
 * killed before it owns its word. Where it is shared the kernel's own clearing of the word fails
 * without notice if it needs a page fault (another thread has forked, the page is copy-on-write
 * again) and the child is dying: such a fault is broken off.
 */
#define LOOK_MS 100

#define SET_MASK 2 /* SIG_SETMASK, the kernel's */

struct launch {
	struct plan plan;
	struct raw_used used;
	struct slot *slot;     /* NULL: none is needed */
	struct helper *helper; /* the helper way's */
	struct child_record *record;
	uint64_t mask; /* the caller's */
	int pidfd;
	pid_t tid;
	unsigned avoid; /* AVOID_*, found out meanwhile */
	bool guarded;	/* holds a guard_take() */
	bool mapping;	/* between maps_begin() and maps_end() */
};

/* ---- Making the task ------------------------------------------------------------------------- */

static void block_signals(struct launch *l)
{
	const uint64_t all = ~0ULL;

	/* Raw, so that the C library's own signals are blocked as well. */
	sys_sigprocmask(SET_MASK, &all, &l->mask);
	if (l->plan.sigmask >= 0)
		l->plan.steps[l->plan.sigmask].mask = l->mask;
}

static void unblock_signals(const struct launch *l)
{
	sys_sigprocmask(SET_MASK, &l->mask, NULL);
}

static void fill_child(struct launch *l, struct child *child, const struct raw_used *used)
{
	child->steps = l->plan.steps;
	child->count = l->plan.count;
	child->used_flags = &used->flags;
	child->clear_handlers = l->plan.clear_handlers;
	child->split = init_split;
	child->copied = l->plan.way == RAMET_WAY_COPY;
	if (l->plan.names_caller)
		child->caller = (int)sys_getpid();
}

static long fork_by_libc(struct raw_used *used)
{
	pid_t pid = fork();

	used->flags = CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;
	used->clone3 = false;
	return pid < 0 ? -errno : pid;
}

/* Returns twice where memory is copied: 0 in the child. */
static long make_task(struct launch *l, struct child *child, struct raw_used *used)
{
	struct clone_args *args = &l->plan.args;
	const bool copy = l->plan.way == RAMET_WAY_COPY;

	if (l->plan.libc_fork)
		return fork_by_libc(used);
	if (args->flags & CLONE_PIDFD)
		args->pidfd = (uintptr_t)&l->pidfd;
	return raw_clone(args, sizeof(*args), l->plan.droppable, used, copy ? NULL : child_run,
			 child);
}

/* ---- Taking a task back ------------------------------------------------------------------------ */

int task_reap(pid_t tid)
{
	siginfo_t info = {0};
	long r;

	do
		r = sys_waitid(KERNEL_P_PID, tid, &info, WEXITED | KERNEL_WALL, NULL);
	while (r == -EINTR);
	if (r < 0)
		return (int)r;
	return info.si_code == CLD_EXITED ? 0 : info.si_status;
}

static bool task_is_dead(const struct launch *l)
{
	struct pollfd p = {.fd = l->pidfd, .events = POLLIN};
	siginfo_t info = {0};
	long r;

	/* A sibling's end is not ours to see but by its pidfd. */
	if (l->used.flags & CLONE_PARENT)
		return l->pidfd >= 0 && poll(&p, 1, 0) == 1;
	r = sys_waitid(KERNEL_P_PID, l->tid, &info, WEXITED | WNOHANG | WNOWAIT | KERNEL_WALL,
		       NULL);
	return r == -ECHILD || (r == 0 && info.si_pid);
}

/* Forget a task whose end is certain. Returns the signal that ended it, 0 if none or unknown. */
static int bury(struct launch *l)
{
	int r = 0;

	if (l->pidfd >= 0)
		close(l->pidfd);
	l->pidfd = -1;
	/* A thread reaps itself; a sibling (CLONE_PARENT) is our parent's to wait for. */
	if (!(l->used.flags & (CLONE_THREAD | CLONE_PARENT)))
		r = task_reap(l->tid);
	return r > 0 ? r : 0;
}

/* ---- Held ------------------------------------------------------------------------------------- */

static enum child_phase phase_of(const struct child_record *record)
{
	return (enum child_phase)__atomic_load_n(&record->phase, __ATOMIC_ACQUIRE);
}

/*
 * The child was about to exec and has left the memory: by exec, or killed on the way? See
 * plan_exit_signal(): only what has not come to exec is still a __WCLONE child.
 */
static bool has_execed(const struct launch *l)
{
	siginfo_t info;

	return !l->plan.execs ||
	       sys_waitid(KERNEL_P_PID, l->tid, &info,
			  WEXITED | WNOHANG | WNOWAIT | (int)KERNEL_WCLONE, NULL) == -ECHILD;
}

/* The step is ramet's own choice, and there is another. */
static unsigned avoidable(uint32_t kind, int r)
{
	if (kind == RAMET_STEP_OWN_TABLE && (r == -ENOSYS || r == -EPERM || r == -EINVAL))
		return AVOID_PARTING;
	return kind == RAMET_STEP_FETCH ? AVOID_FETCH : 0;
}

/* The child is gone or in its body: which, and if it is gone why. */
static int judge(struct launch *l, const struct child_record *record, struct ramet_error *error)
{
	int sig;

	switch (phase_of(record)) {
	case CHILD_BODY:
		if (has_execed(l))
			return 0;
		sig = bury(l);
		return error_died(error, -ECANCELED, sig);
	case CHILD_FAILED:
		bury(l);
		l->avoid |= avoidable(l->plan.steps[record->step].kind, -record->error);
		return error_step(error, -record->error, &l->plan, record->step);
	case CHILD_UNBORN:
	case CHILD_STEPPING:
	default:
		sig = bury(l);
		return error_died(error, -ECANCELED, sig);
	}
}

static int launch_held(struct launch *l, struct ramet_error *error)
{
	struct child_record record = {0};
	struct child child = {.record = &record, .lifted = -1};
	long r;

	fill_child(l, &child, &l->used);
	block_signals(l);
	r = make_task(l, &child, &l->used);
	unblock_signals(l);
	if (r < 0)
		return error_clone(error, (int)r, &l->plan);
	l->tid = (pid_t)r;
	return judge(l, &record, error);
}

/* ---- Beside ------------------------------------------------------------------------------------ */

/* The word says that the body runs or that the child is gone. */
static bool is_settled(uint32_t word)
{
	return word == CHILD_WORD_GONE || word == CHILD_WORD_STARTED ||
	       word & KERNEL_FUTEX_OWNER_DIED;
}

/*
 * A filter kept a copied child from owning its word. (Not asked where memory is shared: there the
 * exit signal turns a moment before the kernel has done with the word.)
 */
static bool has_execed_unseen(const struct launch *l)
{
	if (phase_of(l->record) != CHILD_BODY)
		return false;
	if (l->helper)
		return helper_has_execed(l->helper, l->tid);
	return l->plan.way == RAMET_WAY_COPY && l->plan.execs && has_execed(l);
}

/* Until settled or until `deadline`. 0 or -ETIMEDOUT. */
static int await_settled(struct launch *l, int64_t deadline)
{
	const uint32_t *word = &l->record->word;
	/* A thread cannot be killed alone, and nothing could be seen of it. */
	const bool looks = !(l->used.flags & CLONE_THREAD);
	int64_t now = now_ms(), look = looks ? now + LOOK_MS : INT64_MAX, rest;
	struct kernel_timespec t;
	uint32_t value;

	for (;; now = now_ms()) {
		value = __atomic_load_n(word, __ATOMIC_ACQUIRE);
		if (is_settled(value))
			return 0;
		if (now >= deadline)
			return -ETIMEDOUT;
		/* By the clock: a stream of signals may interrupt every wait. */
		if (now >= look) {
			if (task_is_dead(l) || has_execed_unseen(l))
				return 0;
			look = now + LOOK_MS;
		}
		rest = (look < deadline ? look : deadline) - now;
		t = (struct kernel_timespec){rest / 1000, rest % 1000 * 1000000};
		sys_futex_wait(word, value, rest > INT64_MAX / 2 ? NULL : &t);
	}
}

static void send_go(struct launch *l, uint32_t go)
{
	__atomic_store_n(&l->record->go, go, __ATOMIC_RELEASE);
	sys_futex_wake(&l->record->go, 1);
}

static void begin_mapping(struct launch *l)
{
	l->mapping = l->plan.caller_steps && geteuid() != 0;
	if (l->mapping)
		maps_begin();
}

static void end_mapping(struct launch *l)
{
	if (l->mapping)
		maps_end();
	l->mapping = false;
}

/* The steps of the caller's side. On failure the index of the step in *ret_failed. */
static int caller_steps(struct launch *l, unsigned *ret_failed)
{
	const struct plan *plan = &l->plan;
	int r;

	for (unsigned i = 0; i < plan->count; i++) {
		if (step_kind(plan->steps[i].kind)->side != STEP_SIDE_CALLER)
			continue;
		if (plan->steps[i].kind != RAMET_STEP_ID_MAP)
			end_mapping(l);
		r = caller_step(&plan->steps[i], l->tid);
		if (r < 0) {
			*ret_failed = i;
			return r;
		}
		if (plan->steps[i].kind == RAMET_STEP_GUARD_MEMORY)
			l->guarded = true;
	}
	end_mapping(l);
	return 0;
}

/*
 * Kill what will not come to an end. If even SIGKILL does not help it hangs in the kernel and
 * never runs our code again, but the kernel will still clear its word: the slot is left to it.
 */
static int give_up(struct launch *l, struct ramet_error *error)
{
	sys_kill(l->tid, SIGKILL);
	if (await_settled(l, now_ms() + KILL_PATIENCE_MS) == 0) {
		bury(l);
	} else {
		if (l->pidfd >= 0)
			close(l->pidfd);
		l->slot = NULL;
		l->guarded = false; /* it still shares the memory: stay unreadable */
	}
	return error_died(error, -ETIMEDOUT, SIGKILL);
}

static int settle(struct launch *l, struct ramet_error *error)
{
	const unsigned timeout = l->used.flags & CLONE_THREAD ? 0 : l->plan.timeout_ms;
	const int64_t deadline = timeout ? now_ms() + timeout : INT64_MAX;
	unsigned failed = 0;
	int r = caller_steps(l, &failed);

	if (r < 0) {
		send_go(l, CHILD_GO_ABORT);
		if (await_settled(l, now_ms() + KILL_PATIENCE_MS) < 0)
			return give_up(l, error);
		bury(l);
		return error_step(error, r, &l->plan, failed);
	}
	send_go(l, CHILD_GO_ON);
	if (await_settled(l, deadline) < 0)
		return give_up(l, error);
	return judge(l, l->record, error);
}

/* In the child, where memory was copied: the steps, then the body or back to the caller. */
static int run_copied(struct launch *l, struct child *child)
{
	int status;

	if (!l->plan.libc_fork)
		guard_forget();
	status = child_run(child);
	if (l->plan.body == PLAN_TWICE && phase_of(child->record) == CHILD_BODY)
		return 0;
	_exit(status);
}

static void use_slot(struct launch *l, const struct ramet_spec *spec)
{
	struct slot *slot = l->slot;
	struct clone_args *a = &l->plan.args;

	slot->record.word = CHILD_WORD_STEPPING;
	if (l->plan.count <= SLOT_FEW_STEPS) {
		memcpy(slot->few, l->plan.steps, l->plan.count * sizeof(slot->few[0]));
		slot->child.steps = slot->few;
	} else {
		l->plan.handshake = true;
	}
	slot->child.notify = l->plan.handshake && l->plan.way != RAMET_WAY_HELD;
	slot->child.robust = l->plan.handshake && l->plan.way == RAMET_WAY_COPY;
	if (l->plan.own_tid_word)
		a->child_tid = (uintptr_t)&slot->record.word;
	else if (spec->child_tid)
		slot->word = (uint32_t *)spec->child_tid;
	if (l->plan.way == RAMET_WAY_COPY)
		return;
	a->stack = (uintptr_t)(spec->stack ? spec->stack : slot->stack);
	a->stack_size = spec->stack ? spec->stack_size : slot->stack_size;
}

static int launch_beside(struct launch *l, const struct ramet_spec *spec, struct ramet_error *error)
{
	const bool copy = l->plan.way == RAMET_WAY_COPY;
	struct slot *slot;
	long r;

	slot = slot_take(copy ? SLOT_SHARED : SLOT_STACK, l->plan.stack_size);
	if (!slot)
		return error_prepare(error, -ENOMEM, "a stack for the child");
	l->slot = slot;
	l->record = &slot->record;
	begin_mapping(l);
	block_signals(l);
	fill_child(l, &slot->child, &slot->used);
	use_slot(l, spec);
	r = make_task(l, &slot->child, &slot->used);
	if (r == 0 && copy)
		return run_copied(l, &slot->child);
	unblock_signals(l);
	if (r < 0)
		return error_clone(error, (int)r, &l->plan);
	l->tid = (pid_t)r;
	l->used = slot->used;
	if (l->plan.way == RAMET_WAY_HELD)
		return judge(l, &slot->record, error);
	return l->plan.handshake ? settle(l, error) : 0;
}

/* ---- Helper ------------------------------------------------------------------------------------- */

/* The task is made held, and execs the helper; from then on it is like any with its own memory. */
static int start_helper(struct launch *l, struct ramet_error *error)
{
	struct child_record boot = {0};
	struct child child = {.record = &boot, .lifted = -1};
	long r;

	fill_child(l, &child, &l->used);
	child.steps = l->helper->boot;
	child.count = l->helper->boot_count;
	r = make_task(l, &child, &l->used);
	if (r < 0)
		return error_clone(error, (int)r, &l->plan);
	l->tid = (pid_t)r;
	if (phase_of(&boot) == CHILD_BODY)
		return 0;
	bury(l);
	r = phase_of(&boot) == CHILD_FAILED ? -boot.error : -ECANCELED;
	l->avoid |= helper_is_missing((int)r) ? AVOID_HELPER : 0;
	return error_prepare(error, (int)r, "starting ramet's helper");
}

static int launch_helper(struct launch *l, struct ramet_error *error)
{
	struct helper helper;
	int r;

	begin_mapping(l);
	block_signals(l);
	r = helper_open(&l->plan, &helper);
	if (r == 0) {
		l->helper = &helper;
		l->record = helper.record;
		r = start_helper(l, error);
	} else {
		l->avoid |= helper_is_missing(r) ? AVOID_HELPER : 0;
		error_prepare(error, r, "the files of ramet's helper");
	}
	unblock_signals(l);
	if (r == 0)
		r = settle(l, error);
	if (l->helper)
		helper_close(l->helper);
	l->helper = NULL;
	return r;
}

/* ---- The result --------------------------------------------------------------------------------- */

static void fill_task(struct launch *l, struct ramet_task *ret)
{
	unsigned lost = l->plan.lost;

	if (!l->tid) { /* in a child that returns twice */
		*ret = (struct ramet_task){.pidfd = -1, .way = l->plan.way};
		return;
	}
	if (!l->used.clone3 && !l->plan.libc_fork)
		lost |= RAMET_LOST_CLONE3;
	if (l->plan.args.flags & CLONE_PIDFD && l->pidfd < 0) {
		l->pidfd = (int)sys_pidfd_open(l->tid, 0);
		if (l->pidfd < 0)
			l->pidfd = -1;
		lost |= l->plan.libc_fork && l->pidfd >= 0 ? 0 : RAMET_LOST_PIDFD;
	}
	*ret = (struct ramet_task){
		.tid = l->tid,
		.pidfd = l->pidfd,
		.way = l->plan.way,
		.lost = lost,
		.flags = l->used.flags,
		.exit_signal = l->plan.exit_signal,
		.stack_ = l->slot,
	};
}

static bool needs_slot(const struct plan *plan, const struct ramet_spec *spec)
{
	return plan->way != RAMET_WAY_HELD || spec->stack_size;
}

static int launch_by_way(struct launch *l, const struct ramet_spec *spec, struct ramet_error *error)
{
	if (l->plan.way == RAMET_WAY_HELPER)
		return launch_helper(l, error);
	if (needs_slot(&l->plan, spec))
		return launch_beside(l, spec, error);
	return launch_held(l, error);
}

/* 0 or -errno in the caller; 0 with l->tid 0 in a child that returns twice. */
static int attempt(struct launch *l, const struct ramet_spec *spec, enum launch_how how,
		   struct ramet_task *ret_task, struct ramet_error *error)
{
	struct ramet_spec loaded;
	int r = launch_plan(spec, &loaded, how, l->avoid, &l->plan, error);

	if (r < 0)
		return r;
	r = launch_by_way(l, &loaded, error);
	if (how != LAUNCH_TWICE || l->tid) {
		end_mapping(l);
		if (l->guarded) {
			guard_await_parted(l->tid);
			guard_let_go();
		}
	}
	if (l->slot && (r < 0 || !l->plan.keep_stack || !l->tid)) {
		slot_give(l->slot);
		l->slot = NULL;
	}
	if (r == 0)
		fill_task(l, ret_task);
	/* A raw copy of a threaded caller may hold malloc's locks for ever: leave the plan to it. */
	if (r < 0 || l->tid || l->plan.libc_fork)
		plan_free(&l->plan);
	return r;
}

/* Found out in this process: what is refused once is not tried again. */
static unsigned known_to_avoid;

static int launch(const struct ramet_spec *spec, enum launch_how how, struct ramet_task *ret_task,
		  struct ramet_error *error)
{
	unsigned avoid = __atomic_load_n(&known_to_avoid, __ATOMIC_RELAXED);

	for (;;) {
		struct launch l = {.pidfd = -1, .avoid = avoid};
		int r = attempt(&l, spec, how, ret_task, error);

		/* Nothing that was asked for has been done yet: do it in another way. */
		if (r >= 0 || l.avoid == avoid)
			return r;
		avoid = l.avoid;
		__atomic_or_fetch(&known_to_avoid, avoid & AVOID_LASTING, __ATOMIC_RELAXED);
	}
}

int ramet_launch(const struct ramet_spec *spec, struct ramet_task *ret_task,
		 struct ramet_error *error)
{
	return launch(spec, LAUNCH_AND_WAIT, ret_task, error);
}

int ramet_fork(const struct ramet_spec *spec, struct ramet_task *ret_task,
	       struct ramet_error *error)
{
	struct ramet_spec plain = RAMET_SPEC(.preset = RAMET_PRESET_FORK);
	int r = launch(spec ? spec : &plain, LAUNCH_TWICE, ret_task, error);

	return r < 0 ? r : ret_task->tid;
}
