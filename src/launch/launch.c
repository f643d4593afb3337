/* SPDX-License-Identifier: MIT */
/*
 * From a plan to a task. Two shapes: held, where the kernel keeps the calling thread until the
 * child has left the shared memory, and beside, where the caller runs on, does its own steps, and
 * waits on a futex with a deadline. Order in both: block signals if they matter, make the task,
 * unblock, learn how it went, take everything back if it went wrong.
 */
#include "launch/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/sys.h"
#include "launch/caller_side.h"
#include "launch/error.h"
#include "launch/outcome.h"

#define SET_MASK 2 /* SIG_SETMASK, the kernel's */

/* ---- Making the task ------------------------------------------------------------------------- */

static void block_signals(struct launch *l)
{
	const uint64_t all = ~0ULL;

	if (l->plan.unmasked)
		return;
	/* Raw, so that the C library's own signals are blocked as well. */
	sys_sigprocmask(SET_MASK, &all, &l->mask);
	if (l->plan.sigmask >= 0)
		l->plan.steps[l->plan.sigmask].mask = l->mask;
}

static void unblock_signals(const struct launch *l)
{
	if (!l->plan.unmasked)
		sys_sigprocmask(SET_MASK, &l->mask, NULL);
}

static void fill_child(struct launch *l, struct child *child, const struct raw_used *used)
{
	child->steps = l->plan.steps;
	child->count = l->plan.count;
	child->used_flags = &used->flags;
	child->clear_handlers = l->plan.clear_handlers;
	child->pidfd = l->plan.args.flags & CLONE_FILES ? &l->pidfd : NULL;
	child->split = init_split;
	child->shielded = l->plan.shielded;
	child->copied = l->plan.way == RAMET_WAY_COPY;
	if (l->plan.names_caller)
		child->caller = (int)sys_getpid();
}

/*
 * The next child of this thread is the first of a new pid namespace; the descriptor that leads
 * back, or -errno. Other threads are not touched.
 */
static long turn_to_new_pids(void)
{
	const long own = sys_open("/proc/thread-self/ns/pid", O_RDONLY | O_CLOEXEC, 0);
	long r;

	if (own < 0)
		return own;
	r = sys1(SYS_unshare, CLONE_NEWPID);
	if (r == 0)
		return own;
	sys_close((int)own);
	return r;
}

static long fork_by_libc(const struct plan *plan, struct raw_used *used)
{
	long own = plan->begins_pids ? turn_to_new_pids() : 0;
	pid_t pid;

	if (own < 0)
		return own;
	pid = fork();
	used->flags = CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;
	used->clone3 = false;
	if (pid < 0)
		pid = -errno;
	if (plan->begins_pids) {
		/* The child, too, has no use for the way back. */
		if (pid)
			sys2(SYS_setns, own, CLONE_NEWPID);
		sys_close((int)own);
	}
	return pid;
}

/* Returns twice where memory is copied: 0 in the child. */
static long make_task(struct launch *l, struct child *child, struct raw_used *used)
{
	struct clone_args *args = &l->plan.args;
	const bool copy = l->plan.way == RAMET_WAY_COPY;
	long r;

	if (l->plan.libc_fork)
		return fork_by_libc(&l->plan, used);
	if (args->flags & CLONE_PIDFD)
		args->pidfd = (uintptr_t)&l->pidfd;
	if (l->plan.strict) {
		*used = (struct raw_used){.flags = args->flags, .clone3 = true};
		return arch_clone3(args, sizeof(*args), copy ? NULL : child_run, child);
	}
	r = raw_clone(args, sizeof(*args), l->plan.droppable, used, copy ? NULL : child_run, child);
	l->avoid |= r < 0 && l->plan.unmasked && used->missing ? AVOID_CLEARING : 0;
	return r;
}

/* ---- Held ------------------------------------------------------------------------------------- */

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
		return error_clone(error, (int)r, &l->plan, &l->used);
	l->tid = (pid_t)r;
	return judge(l, &record, error);
}

/* ---- Beside ----------------------------------------------------------------------------------- */

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

/* All that is left to do, or for a launch that is only begun as much as need not wait. */
static int settle(struct launch *l, struct ramet_error *error)
{
	int r = let_go_on(l, error);

	if (r < 0)
		return r;
	l->pending = l->plan.asynchronous;
	return l->pending ? 0 : outcome_of(l, INT64_MAX, error);
}

/* The child is made by another task, which is held while it runs; nothing is known of it yet. */
static long make_shielded(struct launch *l, struct slot *slot)
{
	struct clone_args *a = &l->plan.args;
	const struct clone_args own = {
		.flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
			 (a->flags & (CLONE_SYSVSEM | CLONE_IO)),
		.stack = (uintptr_t)slot->stack,
		.stack_size = slot->stack_size,
	};
	struct raw_used used;
	long r;

	a->stack = a->stack_size = 0;
	a->parent_tid = (uintptr_t)&slot->shield.tid;
	if (a->flags & CLONE_PIDFD)
		a->pidfd = (uintptr_t)&l->pidfd;
	slot->shield = (struct shield){
		.args = a,
		.droppable = l->plan.droppable,
		.strict = l->plan.strict,
		.used = &slot->used,
		.child = &slot->child,
	};
	r = raw_clone(&own, sizeof(own), 0, &used, shield_run, &slot->shield);
	l->shield = r > 0 ? (pid_t)r : 0;
	if (r < 0)
		slot->used = used;
	return r;
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
	r = l->plan.shielded ? make_shielded(l, slot) : make_task(l, &slot->child, &slot->used);
	if (r == 0 && copy)
		return run_copied(l, &slot->child);
	unblock_signals(l);
	if (r < 0)
		return error_clone(error, (int)r, &l->plan, &slot->used);
	l->tid = l->plan.shielded ? 0 : (pid_t)r;
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
	int sig;
	long r;

	fill_child(l, &child, &l->used);
	child.steps = l->helper->boot;
	child.count = l->helper->boot_count;
	r = make_task(l, &child, &l->used);
	if (r < 0)
		return error_clone(error, (int)r, &l->plan, &l->used);
	l->tid = (pid_t)r;
	if (phase_of(&boot) == CHILD_BODY)
		return 0;
	sig = bury(l);
	if (phase_of(&boot) != CHILD_FAILED)
		return error_died(error, -ECANCELED, sig);
	r = -boot.error;
	l->avoid |= helper_is_missing((int)r) ? AVOID_HELPER : 0;
	return error_prepare(error, (int)r, "starting ramet's helper");
}

static int launch_helper(struct launch *l, struct ramet_error *error)
{
	int r;

	begin_mapping(l);
	block_signals(l);
	r = helper_open(&l->plan, &l->helper_);
	if (r == 0) {
		l->helper = &l->helper_;
		l->record = l->helper->record;
		r = start_helper(l, error);
	} else {
		l->avoid |= helper_is_missing(r) ? AVOID_HELPER : 0;
		error_prepare(error, r, "the files of ramet's helper");
	}
	unblock_signals(l);
	if (r == 0)
		r = settle(l, error);
	if (l->helper)
		helper_close_files(l->helper);
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

/*
 * In a new pid namespace a child that waits for us cannot tell whether we live, but by a pidfd.
 * Where there is none to be had (a filter) only the signal at our end tells.
 */
static void show_self(struct launch *l)
{
	if (!(l->plan.args.flags & CLONE_NEWPID))
		return;
	for (unsigned i = 0; i < l->plan.count; i++) {
		if (l->plan.steps[i].kind != RAMET_STEP_WAIT_GO)
			continue;
		l->own_pidfd = (int)sys_pidfd_open((int)sys_getpid(), 0);
		l->plan.steps[i].number = l->own_pidfd < 0 ? -1 : l->own_pidfd;
	}
}

static int launch_by_way(struct launch *l, const struct ramet_spec *spec, struct ramet_error *error)
{
	show_self(l);
	if (l->plan.way == RAMET_WAY_HELPER)
		return launch_helper(l, error);
	if (needs_slot(&l->plan, spec))
		return launch_beside(l, spec, error);
	return launch_held(l, error);
}

int launch_conclude(struct launch *l, int r, struct ramet_task *ret_task)
{
	end_mapping(l);
	if (l->guarded) {
		guard_await_parted(l->tid);
		guard_let_go();
	}
	if (l->own_pidfd >= 0)
		close(l->own_pidfd);
	if (l->helper)
		helper_close(l->helper);
	/* It ends once the child has gone its way, and until then uses the slot's stack. */
	if (l->shield)
		task_reap(l->shield);
	if (l->slot && (r < 0 || !l->plan.keep_stack)) {
		slot_give(l->slot);
		l->slot = NULL;
	}
	if (r == 0)
		fill_task(l, ret_task);
	plan_free(&l->plan);
	return r;
}

/* In a child that returns twice. */
static int conclude_in_child(struct launch *l, struct ramet_task *ret_task)
{
	slot_give(l->slot);
	l->slot = NULL;
	fill_task(l, ret_task);
	/* A raw copy of a threaded caller may hold malloc's locks for ever: leave the plan to it. */
	if (l->plan.libc_fork)
		plan_free(&l->plan);
	return 0;
}

/* 0 or -errno in the caller; 0 with l->tid 0 in a child that returns twice. */
static int attempt(struct launch *l, const struct ramet_spec *spec, const struct launch_wish *wish,
		   struct ramet_task *ret_task, struct ramet_error *error)
{
	struct ramet_spec loaded;
	int r = wish->again ? template_plan(wish, &loaded, &l->plan, error)
			    : launch_plan(spec, &loaded, wish, &l->plan, error);

	if (r < 0)
		return r;
	if (wish->how == LAUNCH_BEGIN && plan_own(&l->plan) < 0)
		r = error_prepare(error, -ENOMEM, "a copy of the steps");
	if (r == 0)
		r = launch_by_way(l, &loaded, error);
	if (wish->how == LAUNCH_TWICE && r == 0 && !l->tid)
		return conclude_in_child(l, ret_task);
	return r == 0 && l->pending ? 0 : launch_conclude(l, r, ret_task);
}

/* Found out in this process: what is refused once is not tried again. */
static unsigned known_to_avoid;

unsigned launch_avoids(void)
{
	return __atomic_load_n(&known_to_avoid, __ATOMIC_RELAXED);
}

int launch_make(struct launch *l, const struct ramet_spec *spec, struct launch_wish wish,
		struct ramet_task *ret_task, struct ramet_error *error)
{
	const int cancel = not_cancelled();

	wish.avoid = launch_avoids();
	for (;;) {
		int r;

		*l = (struct launch){.pidfd = -1, .own_pidfd = -1};
		r = attempt(l, spec, &wish, ret_task, error);
		/* Nothing that was asked for has been done yet: do it in another way. */
		if (r >= 0 || !(l->avoid & ~wish.avoid)) {
			cancelled_again(cancel);
			return r;
		}
		wish.avoid |= l->avoid;
		__atomic_or_fetch(&known_to_avoid, wish.avoid & AVOID_LASTING, __ATOMIC_RELAXED);
	}
}

int ramet_launch(const struct ramet_spec *spec, struct ramet_task *ret_task,
		 struct ramet_error *error)
{
	struct launch l;

	return launch_make(&l, spec, (struct launch_wish){.witness = -1}, ret_task, error);
}

int ramet_fork(const struct ramet_spec *spec, struct ramet_task *ret_task,
	       struct ramet_error *error)
{
	struct ramet_spec plain = RAMET_SPEC(.preset = RAMET_PRESET_FORK);
	struct launch l;
	const struct launch_wish wish = {.how = LAUNCH_TWICE, .witness = -1};
	int r = launch_make(&l, spec ? spec : &plain, wish, ret_task, error);

	return r < 0 ? r : ret_task->tid;
}
