/* SPDX-License-Identifier: MIT */
/*
 * How a launch ends: the child's word, its record, its zombie. Also what takes a task back that
 * failed on its way, and the caller's steps meanwhile.
 */
#include "launch/outcome.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sys.h"
#include "launch/caller_side.h"
#include "launch/error.h"

/* After SIGKILL a child that is still there after this long hangs in the kernel. */
#define KILL_PATIENCE_MS 1000
/*
 * How often to look whether a child is gone that did not say so. Where memory is copied it may be
 * killed before it owns its word. Where it is shared the kernel's own clearing of the word fails
 * without notice if it needs a page fault (another thread has forked, the page is copy-on-write
 * again) and the child is dying: such a fault is broken off.
 */
#define LOOK_MS 100

/* ---- Taking a task back ------------------------------------------------------------------- */

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

int bury(struct launch *l)
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

/* ---- What became of it -------------------------------------------------------------------- */

enum child_phase phase_of(const struct child_record *record)
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
	if (kind != RAMET_STEP_FETCH)
		return 0;
	/* That the descriptor is not open, or there is no number for it, is no refusal. */
	return r == -EBADF || r == -EMFILE || r == -ENOMEM ? AVOID_ONCE : AVOID_FETCH;
}

int judge(struct launch *l, const struct child_record *record, struct ramet_error *error)
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

/* ---- Waiting ------------------------------------------------------------------------------ */

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

/*
 * Through a shield: the kernel has written the child's number before the child ran. false: there
 * is none, and as far as can be seen there will be none.
 */
static bool knows_child(struct launch *l)
{
	siginfo_t info = {0};
	long r;

	if (!l->shield)
		return true;
	for (int last = 0; last <= 1 && !l->tid; last++) {
		l->tid = __atomic_load_n(&l->slot->shield.tid, __ATOMIC_ACQUIRE);
		if (l->tid || last)
			break;
		r = sys_waitid(KERNEL_P_PID, l->shield, &info,
			       WEXITED | WNOHANG | WNOWAIT | KERNEL_WALL, NULL);
		if (r == 0 && !info.si_pid)
			return true; /* about to make it */
	}
	l->used = l->slot->used;
	l->used.flags &= ~CLONE_PARENT; /* the shield's sibling is the caller's own child */
	return l->tid;
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
			if (!knows_child(l) ||
			    (l->tid && (task_is_dead(l) || has_execed_unseen(l))))
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

/* ---- The caller's side -------------------------------------------------------------------- */

void begin_mapping(struct launch *l)
{
	l->mapping = l->plan.caller_steps && geteuid() != 0;
	if (l->mapping)
		maps_begin();
}

void end_mapping(struct launch *l)
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
	knows_child(l);
	sys_kill(l->tid ? l->tid : l->shield, SIGKILL);
	if (await_settled(l, now_ms() + KILL_PATIENCE_MS) == 0) {
		bury(l);
	} else {
		if (l->pidfd >= 0)
			close(l->pidfd);
		l->slot = NULL;
		l->shield = 0;
		l->guarded = false; /* it still shares the memory: stay unreadable */
	}
	return error_died(error, -ETIMEDOUT, SIGKILL);
}

int let_go_on(struct launch *l, struct ramet_error *error)
{
	const unsigned timeout = l->used.flags & CLONE_THREAD ? 0 : l->plan.timeout_ms;
	unsigned failed = 0;
	int r;

	l->deadline = timeout ? now_ms() + timeout : INT64_MAX;
	r = caller_steps(l, &failed);
	if (r == 0) {
		if (l->plan.names_caller) /* as every child that waits does */
			send_go(l, CHILD_GO_ON);
		return 0;
	}
	send_go(l, CHILD_GO_ABORT);
	if (await_settled(l, now_ms() + KILL_PATIENCE_MS) < 0)
		return give_up(l, error);
	knows_child(l);
	bury(l);
	return error_step(error, r, &l->plan, failed);
}

/* The word has changed through a shield: is there a child at all? */
static int judge_shielded(struct launch *l, struct ramet_error *error)
{
	if (knows_child(l) && l->tid)
		return judge(l, l->record, error);
	if (l->slot->shield.error < 0)
		return error_clone(error, l->slot->shield.error, &l->plan, &l->slot->used);
	return error_died(error, -ECANCELED, 0);
}

int outcome_of(struct launch *l, int64_t until, struct ramet_error *error)
{
	if (await_settled(l, until < l->deadline ? until : l->deadline) == 0)
		return l->shield ? judge_shielded(l, error) : judge(l, l->record, error);
	return until < l->deadline ? -EINPROGRESS : give_up(l, error);
}

int not_cancelled(void)
{
	int state = PTHREAD_CANCEL_ENABLE;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	return state;
}

void cancelled_again(int state)
{
	pthread_setcancelstate(state, NULL);
}

bool has_outcome(const struct launch *l)
{
	return is_settled(__atomic_load_n(&l->record->word, __ATOMIC_ACQUIRE));
}
