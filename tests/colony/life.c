/* SPDX-License-Identifier: MIT */
/* Carries out steps. See life.h. */
#include "colony/life.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ramet/ramet.h>

#include "base/sys.h"
#include "caller/caller.h"
#include "colony/foretell.h"
#include "colony/keeper.h"
#include "colony/sight.h"
#include "tap.h"
#include "uapi/clone.h"

static enum outcome wrong(struct life *l, const char *fmt, ...) TAP_PRINTF(2);

static enum outcome wrong(struct life *l, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(l->wrong, sizeof(l->wrong), fmt, args);
	va_end(args);
	return STEP_WRONG;
}

void step_text(const struct step *s, char *text, size_t size)
{
	static const char *const names[STEP_KINDS] = {
		"clone",     "exec",	  "unshare", "setns",	  "exit",   "exit_group", "killed",
		"waits for", "subreaper", "SIGCHLD", "undo list", "ioprio", "maps ids",
	};
	static const char *const ways[] = {"pidfd", "ns", "ns for children"};
	char flags[500] = "";

	ramet_flags_format(s->flags, flags, sizeof(flags));
	switch (s->kind) {
	case STEP_CLONE:
		snprintf(text, size, "%d: %s %s, signal %d: makes %d", s->who,
			 s->legacy ? "clone" : "clone3", flags, s->signal, s->other);
		break;
	case STEP_UNSHARE:
		snprintf(text, size, "%d: unshare %s", s->who, flags);
		break;
	case STEP_SETNS:
		snprintf(text, size, "%d: setns %s of %d by %s%s", s->who, flags, s->other,
			 ways[s->number], s->legacy ? ", says 0" : "");
		break;
	case STEP_WAIT:
		snprintf(text, size, "%d: waits for %d, options 0x%x", s->who, s->other, s->number);
		break;
	default:
		snprintf(text, size, "%d: %s %u", s->who, names[s->kind], s->number);
	}
}

/* ---- What the world tells of a step ---- */

static int label_of(const struct life *l, int tid)
{
	for (int i = 0; i < COLONY_SLOTS; i++)
		if (l->tids[i] == tid)
			return i;
	return -1;
}

static void hear(void *arg, const struct ramet_effect *e)
{
	struct life *l = arg;
	const int label = label_of(l, e->tid);

	switch (e->kind) {
	case RAMET_EFFECT_KILLED:
		l->killed = true;
		break;
	case RAMET_EFFECT_CLEARED:
		l->cleared = label;
		break;
	case RAMET_EFFECT_NOT_CLEARED:
		l->not_cleared = label;
		break;
	case RAMET_EFFECT_RELEASED:
		l->released = label;
		break;
	case RAMET_EFFECT_RENAMED:
		if (label >= 0)
			l->tids[label] = 0;
		l->tids[label_of(l, e->other)] = e->tid;
		break;
	case RAMET_EFFECT_GONE:
		if (label >= 0)
			l->tids[label] = 0;
		l->gone[l->gone_count++] = e->tid;
		break;
	case RAMET_EFFECT_HELD:
	case RAMET_EFFECT_MOVED:
	case RAMET_EFFECT_WAITABLE:
		break;
	}
}

static int replay(struct life *l, struct ramet_event e)
{
	l->killed = false;
	l->released = l->cleared = l->not_cleared = l->gone_count = 0;
	return ramet_world_replay(l->world, &e);
}

/* ---- The kernel comes to it ---- */

/* Threads that were killed race for who is last, and so for who empties the pid namespace. */
static bool is_last_of_others(const struct life *l, const char *status)
{
	const char *tgid = strstr(status, "\nTgid:");
	const struct task *t = tgid ? world_find(l->world, atoi(tgid + 6)) : NULL;

	return t && !t->process->live && t->process->count > 1;
}

static bool is_there(const struct life *l, int tid)
{
	char path[40], text[2048];

	snprintf(path, sizeof(path), "/proc/%d/status", tid);
	return sight_read(path, text, sizeof(text)) > 0 && !is_last_of_others(l, text);
}

/* A zombie's end goes on for a moment after it can be seen, and a process' end takes its time. */
static bool settle(struct life *l)
{
	const double end = keeper_now() + l->patience;
	useconds_t pause = 50;

	for (int i = 0; i < l->gone_count; i++) {
		while (is_there(l, l->gone[i]) && keeper_now() < end)
			usleep(50);
		if (is_there(l, l->gone[i])) {
			wrong(l, "tid %d is still there", l->gone[i]);
			return false;
		}
	}
	while (!sight_agrees(l->world, l->tids, COLONY_SLOTS)) {
		if (keeper_now() > end) {
			wrong(l, "%s", sight_wrong);
			return false;
		}
		usleep(pause);
		pause = pause < 10000 ? pause * 2 : pause;
	}
	return true;
}

static bool check_words(struct life *l)
{
	/* With several at their end at once it is a race who is the last in the memory. */
	if (l->killed)
		return true;
	if (l->cleared && __atomic_load_n(&keeper_slot(l->cleared)->word, __ATOMIC_SEQ_CST))
		wrong(l, "%d: the word was not cleared", l->cleared);
	else if (l->not_cleared && !keeper_slot(l->not_cleared)->word)
		wrong(l, "%d: the word was cleared", l->not_cleared);
	return !l->wrong[0];
}

/* Whoever is held has not come back, whoever was released has. */
static bool check_held(struct life *l)
{
	if (l->released && !keeper_wait(keeper_is_done, keeper_slot(l->released)))
		wrong(l, "%d: is still held", l->released);
	else if (l->released && keeper_slot(l->released)->result <= 0)
		wrong(l, "%d: clone gave %lld", l->released,
		      (long long)keeper_slot(l->released)->result);
	for (int i = 1; i < COLONY_SLOTS && !l->wrong[0]; i++) {
		const struct task *t = task_of(l, i);

		if (t && t->held_by && keeper_is_done(keeper_slot(i)))
			wrong(l, "%d: is not held", i);
	}
	return !l->wrong[0];
}

static enum outcome accepted(struct life *l)
{
	return check_words(l) && check_held(l) && settle(l) && check_held(l) ? STEP_ACCEPTED
									     : STEP_WRONG;
}

/* ---- The steps ---- */

static enum outcome judge(struct life *l, const struct step *s, int error, int64_t result)
{
	if (error && result != -error)
		return wrong(l, "the rules say %s, the kernel %lld", strerror(error),
			     (long long)result);
	if (!error && result < 0)
		return wrong(l, "no rule refuses, the kernel says %s", strerror((int)-result));
	(void)s;
	return error ? STEP_REFUSED : STEP_ACCEPTED;
}

/* Ask and wait for the answer. */
static bool ask(struct life *l, int label, enum colony_command command, int64_t *ret_result)
{
	keeper_ask(label, command);
	if (!keeper_wait(keeper_is_done, keeper_slot(label))) {
		wrong(l, "%d does not answer", label);
		return false;
	}
	*ret_result = keeper_slot(label)->result;
	return true;
}

static bool is_born_or_refused(const void *arg)
{
	const struct colony_slot *slot = arg;
	const struct colony_slot *child = keeper_slot(slot->other);

	if (keeper_is_done(slot))
		return slot->result < 0 || keeper_has_started(child);
	return slot->args.flags & CLONE_VFORK && keeper_has_started(child);
}

static enum outcome step_clone(struct life *l, const struct step *s)
{
	struct colony_slot *slot = keeper_slot(s->who), *child = keeper_slot(s->other);
	const struct ramet_call call = {
		.entry = s->legacy ? RAMET_ENTRY_CLONE : RAMET_ENTRY_CLONE3,
		.flags = s->flags,
		.exit_signal = (uint64_t)s->signal,
		.child_tid = COLONY_ADDRESS,
		.pidfd = 1,
		.stack = COLONY_ADDRESS,
		.stack_size = s->legacy ? 0 : COLONY_STACK,
	};
	bool late;
	const int error = foretell(l, s, &call, &late);
	int r;

	memset(child, 0, sizeof(*child));
	child->word = LIFE_WORD;
	slot->args = (struct clone_args){.flags = s->flags, .exit_signal = (uint64_t)s->signal};
	slot->legacy = s->legacy;
	slot->other = s->other;
	slot->result = 0;
	l->used[s->other] = true;
	keeper_ask(s->who, COLONY_CLONE);
	if (!keeper_wait(is_born_or_refused, slot))
		return wrong(l, "clone does not come back");
	if (judge(l, s, error, keeper_is_done(slot) ? slot->result : 1) != STEP_ACCEPTED) {
		if (late && s->flags & CLONE_SYSVSEM)
			replay(l, (struct ramet_event){.kind = RAMET_EVENT_UNDO,
						       .tid = l->tids[s->who]});
		return l->wrong[0] || !settle(l) ? STEP_WRONG : STEP_REFUSED;
	}
	l->tids[s->other] = child->tid;
	r = replay(l, (struct ramet_event){.kind = RAMET_EVENT_CLONE,
					   .tid = l->tids[s->who],
					   .other = child->tid,
					   .call = &call});
	if (r < 0)
		return wrong(l, "the world refuses the clone: %s", strerror(-r));
	return accepted(l);
}

static uint32_t exec_starts;

static bool is_new_program(const void *slot)
{
	const struct colony_slot *s = slot;

	return __atomic_load_n(&s->starts, __ATOMIC_SEQ_CST) != exec_starts ||
	       (keeper_is_done(s) && s->result < 0);
}

static enum outcome step_exec(struct life *l, const struct step *s)
{
	struct colony_slot *slot = keeper_slot(s->who);
	int r;

	exec_starts = slot->starts;
	slot->result = 0;
	keeper_ask(s->who, COLONY_EXEC);
	if (!keeper_wait(is_new_program, slot))
		return wrong(l, "exec does not come back");
	if (slot->result < 0)
		return wrong(l, "exec: %s", strerror((int)-slot->result));
	r = replay(l, (struct ramet_event){.kind = RAMET_EVENT_EXEC, .tid = l->tids[s->who]});
	if (r < 0)
		return wrong(l, "the world refuses the exec: %s", strerror(-r));
	if (slot->tid != l->tids[s->who])
		return wrong(l, "after exec tid %d, expected %d", slot->tid, l->tids[s->who]);
	return accepted(l);
}

static enum outcome step_unshare(struct life *l, const struct step *s)
{
	const struct ramet_call call = {.entry = RAMET_ENTRY_UNSHARE, .flags = s->flags};
	bool late;
	const int error = foretell(l, s, &call, &late);
	int64_t result;
	int r;

	keeper_slot(s->who)->flags = s->flags;
	if (!ask(l, s->who, COLONY_UNSHARE, &result))
		return STEP_WRONG;
	if (judge(l, s, error, result) != STEP_ACCEPTED)
		return l->wrong[0] || !settle(l) ? STEP_WRONG : STEP_REFUSED;
	r = replay(l, (struct ramet_event){
			      .kind = RAMET_EVENT_UNSHARE, .tid = l->tids[s->who], .call = &call});
	return r < 0 ? wrong(l, "the world refuses to unshare: %s", strerror(-r)) : accepted(l);
}

static enum outcome step_setns(struct life *l, const struct step *s)
{
	struct ramet_call call = {.entry = RAMET_ENTRY_SETNS, .flags = s->legacy ? 0 : s->flags};
	const bool either = is_perhaps_closed(l, s);
	const int fd = open_target(l, s);
	int error = foretell_setns(l, s, &call);
	int64_t result;
	bool sent;
	int r;

	if (fd < 0)
		return STEP_SKIPPED;
	sent = keeper_send(fd);
	close(fd);
	if (!sent)
		return wrong(l, "the descriptor cannot be sent");
	keeper_slot(s->who)->flags = call.flags;
	if (!ask(l, s->who, COLONY_SETNS, &result))
		return STEP_WRONG;
	if (either && error == ESRCH && result == -EPERM)
		error = EPERM;
	if (judge(l, s, error, result) != STEP_ACCEPTED)
		return l->wrong[0] || !settle(l) ? STEP_WRONG : STEP_REFUSED;
	call.flags = s->flags;
	r = replay(l, (struct ramet_event){.kind = RAMET_EVENT_SETNS,
					   .tid = l->tids[s->who],
					   .other = l->tids[s->other],
					   .number = s->number == BY_FILE_FOR_CHILDREN,
					   .call = &call});
	return r < 0 ? wrong(l, "the world refuses setns: %s", strerror(-r)) : accepted(l);
}

/*
 * Nothing may look at the state of the task until it has left its memory: each look is a user of
 * that memory, and the word of CLONE_CHILD_CLEARTID depends on how many there are. Its working
 * directory goes after its memory, and can be looked for without.
 */
static void wait_without_looking(const char *cwd)
{
	const double end = keeper_now() + 1;
	char ignored[16];

	while (readlink(cwd, ignored, sizeof(ignored)) >= 0 && keeper_now() < end)
		usleep(20);
}

static enum outcome step_exit(struct life *l, const struct step *s)
{
	const int tid = l->tids[s->who];
	char cwd[80];
	int r;

	snprintf(cwd, sizeof(cwd), "/proc/%d/task/%d/cwd", tgid_of(l, s->who), tid);
	keeper_ask(s->who, s->kind == STEP_EXIT ? COLONY_EXIT : COLONY_EXIT_GROUP);
	r = replay(l, (struct ramet_event){.kind = s->kind == STEP_EXIT ? RAMET_EVENT_EXIT
									: RAMET_EVENT_EXIT_GROUP,
					   .tid = tid});
	wait_without_looking(cwd);
	return r < 0 ? wrong(l, "the world refuses the end: %s", strerror(-r)) : accepted(l);
}

static enum outcome step_kill(struct life *l, const struct step *s)
{
	const int tgid = tgid_of(l, s->who);
	int r;

	if (kill(tgid, SIGKILL) < 0)
		return wrong(l, "kill: %s", strerror(errno));
	r = replay(l, (struct ramet_event){.kind = RAMET_EVENT_EXIT_GROUP, .tid = tgid});
	l->killed = true;
	return r < 0 ? wrong(l, "the world refuses the end: %s", strerror(-r)) : accepted(l);
}

/* Its numbers, outermost first; how many. */
static int numbers_of(const struct life *l, int label, int numbers[32])
{
	char path[64], text[4096], *at;
	int n = 0;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/status", tgid_of(l, label), l->tids[label]);
	if (sight_read(path, text, sizeof(text)) <= 0 || !(at = strstr(text, "NSpid:")))
		return 0;
	for (at += 6; n < 32 && *at != '\n'; n++)
		numbers[n] = (int)strtol(at, &at, 10);
	return n;
}

static bool is_visible(const struct life *l, int who, int other)
{
	return namespace_holds(object_of(task_of(l, who), SLOT_PID),
			       object_of(task_of(l, other), SLOT_PID));
}

static enum outcome step_wait(struct life *l, const struct step *s)
{
	int own[32], its[32], level = numbers_of(l, s->who, own), depth, r;
	const int child = l->tids[s->other];
	int64_t result, want;

	depth = numbers_of(l, s->other, its);
	/* One of several threads that were killed may be gone already. */
	if (level < 1 || depth < 1)
		return STEP_SKIPPED;
	/* Not to be seen from there: a number that nobody has. */
	keeper_slot(s->who)->number = is_visible(l, s->who, s->other) ? its[level - 1] : INT32_MAX;
	keeper_slot(s->who)->flags = s->number;
	r = replay(l, (struct ramet_event){.kind = RAMET_EVENT_WAIT,
					   .tid = l->tids[s->who],
					   .other = child,
					   .number = s->number});
	want = r == 0 ? keeper_slot(s->who)->number : r == -EAGAIN ? 0 : r;
	if (s->who == 0)
		result = sys_wait4(child, NULL, (int)s->number | WNOHANG, NULL);
	else if (!ask(l, s->who, COLONY_WAIT, &result))
		return STEP_WRONG;
	if (result != want)
		return wrong(l, "wait gives %lld, expected %lld", (long long)result,
			     (long long)want);
	if (r < 0)
		return STEP_REFUSED;
	return accepted(l);
}

/* What has its effect later, and must be accepted now. */
static enum outcome step_other(struct life *l, const struct step *s)
{
	static const struct {
		enum colony_command command;
		enum ramet_event_kind event;
	} kinds[STEP_KINDS] = {
		[STEP_SUBREAPER] = {COLONY_SUBREAPER, RAMET_EVENT_SUBREAPER},
		[STEP_CHILD_SIGNAL] = {COLONY_CHILD_SIGNAL, RAMET_EVENT_CHILD_SIGNAL},
		[STEP_UNDO] = {COLONY_UNDO, RAMET_EVENT_UNDO},
		[STEP_IOPRIO] = {COLONY_IOPRIO, RAMET_EVENT_IOPRIO},
	};
	int64_t result;
	int r;

	keeper_slot(s->who)->number = s->number;
	if (!ask(l, s->who, kinds[s->kind].command, &result))
		return STEP_WRONG;
	if (result < 0)
		return wrong(l, "the kernel says %s", strerror((int)-result));
	r = replay(l, (struct ramet_event){.kind = kinds[s->kind].event,
					   .tid = l->tids[s->who],
					   .number = s->number});
	return r < 0 ? wrong(l, "the world refuses: %s", strerror(-r)) : accepted(l);
}

/* What comes of it is read again before each call. */
static enum outcome step_map(struct life *l, const struct step *s)
{
	const struct object *user = object_of(task_of(l, s->who), SLOT_USER);
	int64_t result;

	keeper_slot(s->who)->number = user->value > 1 ? 0 : (int64_t)geteuid();
	if (!ask(l, s->who, COLONY_MAP, &result))
		return STEP_WRONG;
	return result < 0 ? STEP_REFUSED : STEP_ACCEPTED;
}

static bool is_possible(const struct life *l, const struct step *s)
{
	const struct task *t = task_of(l, s->who);

	if (!t || (!s->who && s->kind != STEP_WAIT))
		return false;
	if (s->kind == STEP_KILL)
		return t->process->live;
	if (t->state != RAMET_STATE_ALIVE || t->held_by)
		return false;
	if (s->kind == STEP_CLONE)
		return !l->used[s->other];
	if (s->kind == STEP_SETNS || s->kind == STEP_WAIT)
		return task_of(l, s->other);
	return true;
}

enum outcome life_step(struct life *l, const struct step *s)
{
	static enum outcome (*const steps[STEP_KINDS])(struct life *, const struct step *) = {
		[STEP_CLONE] = step_clone,     [STEP_EXEC] = step_exec,
		[STEP_UNSHARE] = step_unshare, [STEP_SETNS] = step_setns,
		[STEP_EXIT] = step_exit,       [STEP_EXIT_GROUP] = step_exit,
		[STEP_KILL] = step_kill,       [STEP_WAIT] = step_wait,
		[STEP_SUBREAPER] = step_other, [STEP_CHILD_SIGNAL] = step_other,
		[STEP_UNDO] = step_other,      [STEP_IOPRIO] = step_other,
		[STEP_MAP] = step_map,
	};
	enum outcome outcome;

	l->wrong[0] = 0;
	if (!is_possible(l, s))
		return STEP_SKIPPED;
	outcome = steps[s->kind](l, s);
	l->counts[s->kind][outcome]++;
	return outcome;
}

/* ---- Begin and end ---- */

bool life_begin(struct life *l)
{
	const struct ramet_call fork_call = {.entry = RAMET_ENTRY_CLONE, .exit_signal = SIGCHLD};
	const int self = getpid();
	int r = 0;

	memset(l->tids, 0, sizeof(l->tids));
	memset(l->used, 0, sizeof(l->used));
	l->wrong[0] = 0;
	l->world = ramet_world_new(caller_kernel());
	ramet_world_watch(l->world, hear, l);
	l->tids[0] = self;
	l->used[0] = l->used[1] = true;
	l->tids[1] = keeper_start();
	if (!l->tids[1]) {
		wrong(l, "the colony does not start");
		return false;
	}
	r |= replay(l, (struct ramet_event){.kind = RAMET_EVENT_ADD,
					    .tid = self,
					    .resources = RAMET_SYSVSEM | RAMET_IO});
	r |= replay(l, (struct ramet_event){.kind = RAMET_EVENT_DISTINCT,
					    .resources = RAMET_PID | RAMET_TIME});
	r |= replay(l,
		    (struct ramet_event){.kind = RAMET_EVENT_SUBREAPER, .tid = self, .number = 1});
	r |= replay(l, (struct ramet_event){.kind = RAMET_EVENT_CLONE,
					    .tid = self,
					    .other = l->tids[1],
					    .call = &fork_call});
	r |= replay(l, (struct ramet_event){.kind = RAMET_EVENT_EXEC, .tid = l->tids[1]});
	if (r < 0)
		wrong(l, "the world does not begin: %s", strerror(-r));
	/* It may have inherited an I/O context from whoever runs the tests; now it has one for sure. */
	return r == 0 &&
	       life_step(l, &(struct step){.kind = STEP_IOPRIO, .who = 1}) == STEP_ACCEPTED;
}

bool life_end(struct life *l)
{
	const bool clean = keeper_stop(l->tids + 1, COLONY_SLOTS - 1);

	ramet_world_free(l->world);
	l->world = NULL;
	if (!clean && !l->wrong[0])
		wrong(l, "something is left behind");
	return clean;
}
