/* SPDX-License-Identifier: MIT */
/*
 * One probe: starts the parent, keeps the talk of proto.h going, asks the second witness while
 * both tasks live, and ends and reaps whatever is there, however it went. Signals that would end
 * ramet are held back meanwhile and make it stop early. Not thread-safe: signals, children.
 */
#include "probe/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "caller/caller.h"
#include "uapi/clone.h"
#include "uapi/nr.h"

#define STEP_MS 10000 /* longest silence */
#define TICK_MS 20

struct run {
	const struct probe_request *request;
	struct probe_facts *facts;
	struct probe_failure *failure;
	struct probe_cgroup cgroup;
	int sockets[2][2]; /* [parent, child][ours, theirs] */
	int scratch;
	int signals;	     /* signalfd of those that end us */
	pid_t parent, child; /* in our pid namespace; child is the tid of a thread */
	int parent_pidfd;
	bool parent_reaped;
	sigset_t old_mask;
	struct sigaction old_chld;
	int old_subreaper;
};

__attribute__((format(printf, 3, 4))) static int fail(struct run *run, int error,
						      const char *format, ...)
{
	va_list ap;

	if (!run->failure->text[0]) {
		va_start(ap, format);
		vsnprintf(run->failure->text, sizeof(run->failure->text), format, ap);
		va_end(ap);
	}
	return error;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void nap(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
}

/* ---- set-up -------------------------------------------------------------------------------- */

/* SIGCHLD ignored would let the kernel reap what we wait for, and tells of CLONE_PARENT. */
static void hold_signals(struct run *run)
{
	static const int ends[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
	struct sigaction standard = {.sa_handler = SIG_DFL}, now;
	sigset_t set, wanted;

	sigemptyset(&set);
	sigemptyset(&wanted);
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		sigaddset(&set, ends[i]);
		if (sigaction(ends[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN)
			sigaddset(&wanted, ends[i]);
	}
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, &run->old_mask);
	sigaction(SIGCHLD, &standard, &run->old_chld);
	run->signals = signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
	/* Orphans of the parent come to us, to be reaped. */
	prctl(PR_GET_CHILD_SUBREAPER, &run->old_subreaper);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
}

static void release_signals(struct run *run)
{
	siginfo_t info;
	sigset_t chld;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	while (sigtimedwait(&chld, &info, &(struct timespec){0}) > 0)
		;
	prctl(PR_SET_CHILD_SUBREAPER, run->old_subreaper);
	sigaction(SIGCHLD, &run->old_chld, NULL);
	if (run->signals >= 0)
		close(run->signals);
	sigprocmask(SIG_SETMASK, &run->old_mask, NULL);
}

static int make_descriptors(struct run *run)
{
	const int one = 1;
	char path[32];

	for (int i = 0; i < 2; i++) {
		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, run->sockets[i]) < 0)
			return fail(run, -errno, "cannot make sockets: %s", strerror(errno));
		for (int k = 0; k < 2; k++)
			run->sockets[i][k] = probe_move_up(run->sockets[i][k]);
		setsockopt(run->sockets[i][0], SOL_SOCKET, SO_PASSCRED, &one, sizeof(one));
	}
	if (probe_helper_fd() < 0)
		return fail(run, probe_helper_fd(), "cannot make a file in memory: %s",
			    strerror(-probe_helper_fd()));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", probe_helper_fd());
	run->scratch = open(path, O_RDONLY | O_CLOEXEC);
	if (run->scratch < 0)
		return fail(run, -errno, "cannot open %s: %s", path, strerror(errno));
	run->scratch = probe_move_up(run->scratch);
	return 0;
}

static int start_parent(struct run *run)
{
	const uint64_t flags = run->request->flags;
	const int cgroup = run->cgroup.target_fd >= 0 ? run->cgroup.target_fd : run->scratch;
	char words[PROBE_ARG_COUNT][24];
	char *argv[PROBE_ARG_COUNT + 1] = {NULL};
	int fds[PROBE_FD_FREE] = {
		[PROBE_FD_PARENT] = run->sockets[0][1],
		[PROBE_FD_CHILD] = run->sockets[1][1],
		[PROBE_FD_SCRATCH] = run->scratch,
		[PROBE_FD_CGROUP] = cgroup,
	};
	struct ramet_error error;
	struct ramet_task task;
	char why[160];
	int r;

	snprintf(words[PROBE_ARG_NAME], sizeof(*words), "ramet-probe-helper");
	snprintf(words[PROBE_ARG_FLAGS], sizeof(*words), "%llx", (unsigned long long)flags);
	snprintf(words[PROBE_ARG_EXIT_SIGNAL], sizeof(*words), "%x",
		 (unsigned)run->request->exit_signal);
	snprintf(words[PROBE_ARG_LEGACY], sizeof(*words), "%x",
		 run->facts->call.entry == RAMET_ENTRY_CLONE);
	for (int i = 0; i < PROBE_ARG_COUNT; i++)
		argv[i] = words[i];
	r = probe_start_helper(argv, fds, &task, &error);
	if (r < 0) {
		ramet_error_format(&error, why, sizeof(why));
		return fail(run, r, "cannot start the helper: %s", why);
	}
	run->parent = task.tid;
	run->parent_pidfd = task.pidfd;
	for (int i = 0; i < 2; i++) {
		close(run->sockets[i][1]);
		run->sockets[i][1] = -1;
	}
	return task.pidfd < 0 ? fail(run, -ENOSYS, "this kernel gives no pidfd") : 0;
}

/* ---- the talk ------------------------------------------------------------------------------ */

static void say(struct run *run, int side, uint32_t type)
{
	struct {
		uint32_t type, unused;
	} m = {.type = type};

	/* That nobody listens any more is noticed at the next answer. */
	(void)!send(run->sockets[side][0], &m, sizeof(m), MSG_NOSIGNAL);
}

static void keep(struct probe_facts *f, const struct probe_message *m)
{
	switch (m->type) {
	case PROBE_BEFORE:
		f->before = m->before;
		break;
	case PROBE_CLONED:
		f->cloned = m->cloned;
		break;
	case PROBE_CHILD:
		f->child = m->child;
		break;
	case PROBE_LOOK:
		f->look = m->look;
		break;
	case PROBE_END:
		f->end = m->end;
		break;
	default:
		return;
	}
	f->got |= PROBE_GOT(m->type);
}

/* The kernel writes the sender's pid as our namespace has it. */
static void hear(struct run *run, int side)
{
	struct probe_message m;
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(struct ucred))];
	} control;
	struct iovec part = {.iov_base = &m, .iov_len = sizeof(m)};
	struct msghdr head = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	struct ucred cred;

	while (recvmsg(run->sockets[side][0], &head, MSG_DONTWAIT) == sizeof(m)) {
		struct cmsghdr *c = CMSG_FIRSTHDR(&head);

		if (side == 1 && c && c->cmsg_type == SCM_CREDENTIALS) {
			memcpy(&cred, CMSG_DATA(c), sizeof(cred));
			run->child = cred.pid;
		}
		keep(run->facts, &m);
		head.msg_controllen = sizeof(control);
	}
}

/* SIGSTOP as exit signal stops the parent: wake it, it has been told. */
static void look_for_stop(struct run *run)
{
	siginfo_t info = {0};

	if (run->request->exit_signal != SIGSTOP ||
	    waitid(P_PID, (id_t)run->parent, &info, WSTOPPED | WNOHANG) < 0 || !info.si_pid)
		return;
	run->facts->killed_by = SIGSTOP;
	kill(run->parent, SIGCONT);
}

/* Until all (or any) of the messages in mask are here. */
static int listen_for(struct run *run, unsigned mask, bool any)
{
	const int64_t deadline = now_ms() + STEP_MS;
	const unsigned *got = &run->facts->got;
	struct pollfd fds[] = {
		{.fd = run->sockets[0][0], .events = POLLIN},
		{.fd = run->sockets[1][0], .events = POLLIN},
		{.fd = run->parent_pidfd, .events = POLLIN},
		{.fd = run->signals, .events = POLLIN},
	};

	for (;;) {
		poll(fds, sizeof(fds) / sizeof(*fds), TICK_MS);
		for (int side = 0; side < 2; side++) {
			hear(run, side);
			/* An end that was hung up stays readable: do not spin on it. */
			if (fds[side].revents & POLLHUP)
				fds[side].fd = -1;
		}
		if (any ? *got & mask : (*got & mask) == mask)
			return 0;
		if (fds[3].revents & POLLIN)
			return fail(run, -EINTR, "interrupted");
		if (fds[2].revents & POLLIN)
			return fail(run, -ECHILD, "the parent of the task ended early");
		if (now_ms() > deadline)
			return fail(run, -ETIMEDOUT, "no answer from the %s within %d s",
				    mask & PROBE_GOT(PROBE_CHILD) ? "child" : "parent",
				    STEP_MS / 1000);
		look_for_stop(run);
	}
}

/* ---- the probe ----------------------------------------------------------------------------- */

static int open_both(struct run *run, struct inspect_task *parent, struct inspect_task *child)
{
	/* A thread's message names its process; its own number is ours if we share pid space. */
	const bool thread = run->child == run->parent;
	pid_t tids[2];
	int r = inspect_open(run->parent, 0, parent);

	if (thread) {
		run->child = run->facts->child.tid;
		if (r == 0 && run->facts->before.pid != run->parent &&
		    inspect_threads(parent, tids, 2) == 2)
			run->child = tids[tids[0] == run->parent];
	}
	if (r == 0)
		r = inspect_open(run->child, thread ? run->parent : 0, child);
	return r < 0 ? fail(run, r, "cannot find the tasks in /proc: %s", strerror(-r)) : 0;
}

/*
 * Has the clone returned in the parent, or does it sleep in it? State D in a clone call is the
 * wait for a vfork child; the child runs already, so no other sleep is left there. Twice, since
 * a page fault may be a D as well.
 */
static int parent_held(struct run *run, const struct inspect_task *parent)
{
	const int64_t deadline = now_ms() + STEP_MS / 2;
	int64_t number;
	int seen = 0;

	while (now_ms() < deadline) {
		hear(run, 0);
		if (run->facts->got & PROBE_GOT(PROBE_CLONED))
			return 0;
		if (inspect_state(parent) == 'D' && (inspect_syscall(parent, &number) < 0 ||
						     number == SYS_clone || number == SYS_clone3))
			seen++;
		else
			seen = 0;
		if (seen == 3)
			return 1;
		nap();
	}
	return -ETIMEDOUT;
}

/* Let the waiter fall asleep before the child may end: the wake-up is part of the answer. */
static void await_word(struct run *run, const struct inspect_task *parent)
{
	int64_t number;

	say(run, 0, PROBE_AWAIT);
	for (int i = 0; i < 1000; i++) {
		int r = inspect_syscall(parent, &number);

		/* A kernel that does not say where a task sleeps says at least that it does. */
		if (r == 0 ? number == SYS_futex : r != -EAGAIN && inspect_state(parent) == 'S')
			return;
		nap();
	}
}

/* With CLONE_PARENT the child is ours to wait for; asked of the kernel, not of the flags. */
static int wait_for_mine(struct run *run)
{
	const int64_t deadline = now_ms() + STEP_MS;
	struct probe_end *end = &run->facts->end;
	siginfo_t info = {0};
	sigset_t chld;
	int r;

	do {
		info.si_pid = 0;
		r = waitid(P_PID, (id_t)run->child, &info, WEXITED | WNOHANG | WNOWAIT | __WALL);
		if (r < 0)
			return 0; /* not ours */
		if (info.si_pid == 0)
			nap();
		if (now_ms() > deadline)
			return fail(run, -ETIMEDOUT, "the child did not end");
	} while (info.si_pid == 0);
	run->facts->mine = true;
	end->plain = waitid(P_PID, (id_t)run->child, &info, WEXITED | WNOHANG | WNOWAIT) ? -errno
											 : 0;
	end->wclone = waitid(P_PID, (id_t)run->child, &info, WEXITED | WNOHANG | WNOWAIT | __WCLONE)
			      ? -errno
			      : 0;
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	while ((r = sigtimedwait(&chld, &info, &(struct timespec){0})) > 0)
		if (info.si_pid == run->child)
			end->told = r;
	end->reaped = waitid(P_PID, (id_t)run->child, &info, WEXITED | __WALL) ? -errno : 0;
	run->child = 0;
	return 0;
}

/* From the child's end to the last report. */
static int see_the_end(struct run *run)
{
	struct probe_facts *f = run->facts;
	struct probe_end mine;
	int r = wait_for_mine(run);

	mine = f->end;
	if (r == 0) {
		say(run, 0, PROBE_END);
		r = listen_for(run, PROBE_GOT(PROBE_END), false);
	}
	if (r == 0 && f->mine) {
		f->end.plain = mine.plain;
		f->end.wclone = mine.wclone;
		f->end.reaped = mine.reaped;
		f->end.told = mine.told;
	}
	return r;
}

static int talk(struct run *run)
{
	const uint64_t flags = run->request->flags, word = CLONE_VM | CLONE_CHILD_CLEARTID;
	struct probe_facts *f = run->facts;
	struct inspect_task parent, child;
	int r;

	say(run, 0, PROBE_START);
	r = listen_for(run, PROBE_GOT(PROBE_BEFORE), false);
	/* The parent says CLONED at once, the child comes when it is ready; a refusal comes alone. */
	if (r == 0)
		r = listen_for(run, PROBE_GOT(PROBE_CHILD) | PROBE_GOT(PROBE_CLONED), true);
	if (r == 0 && f->got & PROBE_GOT(PROBE_CLONED) && f->cloned.result < 0)
		return 0;
	if (r == 0)
		r = listen_for(run, PROBE_GOT(PROBE_CHILD), false);
	if (r == 0)
		r = open_both(run, &parent, &child);
	if (r < 0)
		return r;
	f->held = parent_held(run, &parent);
	probe_ask_second(f, &parent, &child);

	if (f->held == 0) {
		say(run, 0, PROBE_LOOK);
		r = listen_for(run, PROBE_GOT(PROBE_LOOK), false);
		if (r == 0 && (flags & word) == word)
			await_word(run, &parent);
	}
	say(run, 1, PROBE_GO);
	if (r == 0 && f->held != 0) {
		r = listen_for(run, PROBE_GOT(PROBE_CLONED), false);
		say(run, 0, PROBE_LOOK);
		if (r == 0)
			r = listen_for(run, PROBE_GOT(PROBE_LOOK), false);
	}
	if (r == 0)
		r = see_the_end(run);
	return r;
}

/* ---- clearing up --------------------------------------------------------------------------- */

static void reap(pid_t pid)
{
	const int64_t deadline = now_ms() + STEP_MS;
	pid_t r;

	do {
		r = waitpid(pid, NULL, __WALL | WNOHANG);
		if (r == 0)
			nap();
	} while ((r == 0 || (r < 0 && errno == EINTR)) && now_ms() < deadline);
}

/*
 * The sockets close first: the helper's way to undo and end by itself. What has not ended in
 * time is killed. A child whose parent is gone has come to us.
 */
static void clear_up(struct run *run, bool failed)
{
	siginfo_t info;
	int64_t grace = now_ms() + (failed ? 300 : STEP_MS);
	bool gone = run->parent <= 0;

	for (int i = 0; i < 2; i++)
		for (int k = 0; k < 2; k++)
			if (run->sockets[i][k] >= 0)
				close(run->sockets[i][k]);
	while (!gone && now_ms() < grace) {
		info.si_pid = 0;
		gone = waitid(P_PID, (id_t)run->parent, &info, WEXITED | WNOHANG | WNOWAIT) < 0 ||
		       info.si_pid;
		if (!gone)
			nap();
	}
	if (run->parent > 0) {
		kill(run->parent, SIGKILL);
		reap(run->parent);
	}
	/* A parent that was killed undid nothing; in an ipc namespace of its own all is gone. */
	if (run->facts->got & PROBE_GOT(PROBE_BEFORE) && run->facts->before.sem >= 0 &&
	    !(run->facts->before.isolated & PROBE_ISOLATED(CLONE_NEWIPC)))
		semctl(run->facts->before.sem, 0, IPC_RMID);
	/* Only our own child can have this number still, so the signal meets no stranger. */
	if (run->child > 0 && waitpid(run->child, NULL, __WALL | WNOHANG) == 0) {
		kill(run->child, SIGKILL);
		reap(run->child);
	}
	for (int i = 0; failed && run->child <= 0 && i < 250; i++) {
		if (waitpid(-1, NULL, __WALL | WNOHANG) < 0)
			break; /* a child that had not yet spoken */
		nap();
	}
	if (run->parent_pidfd >= 0)
		close(run->parent_pidfd);
	if (run->scratch >= 0)
		close(run->scratch);
	probe_cgroup_remove(&run->cgroup);
}

/*
 * The call as the rules see it. clone3 unless only clone(2) takes the word; pointers only have to
 * be different and not null.
 */
static bool choose_call(const struct probe_request *request, struct ramet_call *call)
{
	const bool own_stack = request->flags & CLONE_VM && !(request->flags & CLONE_VFORK);
	struct ramet_call clone3 =
				  {
					  .entry = RAMET_ENTRY_CLONE3,
					  .flags = request->flags,
					  .exit_signal = (uint64_t)request->exit_signal,
					  .pidfd = 0x10000,
					  .child_tid = 0x10004,
					  .parent_tid = 0x10008,
					  .stack = own_stack ? 0x20000 : 0,
					  .stack_size = own_stack ? 0x10000 : 0,
					  .tls = 0x40000,
					  .cgroup = PROBE_FD_CGROUP,
				  },
			  legacy = clone3;

	*call = clone3;
	if (!ramet_check(&clone3, NULL) || request->flags >> 32 || request->flags & CSIGNAL)
		return false;
	legacy.entry = RAMET_ENTRY_CLONE;
	legacy.stack += legacy.stack_size;
	legacy.stack_size = 0;
	legacy.parent_tid = request->flags & CLONE_PIDFD ? legacy.pidfd : legacy.parent_tid;
	if (ramet_check(&legacy, NULL))
		return false;
	*call = legacy;
	return true;
}

/* Before clear_up(): the rules may look at the cgroup that was to be entered. */
static void keep_refusal(const struct run *run, struct probe_result *result)
{
	struct ramet_call call = run->facts->call;
	struct ramet_caller caller;

	result->refused = (int)-run->facts->cloned.result;
	result->agree = false;
	call.cgroup = (uint64_t)run->cgroup.target_fd;
	caller_read(&call, &caller);
	result->rule = ramet_check_errno(&call, &caller, result->refused);
}

/* The exit signal may be one that ends the parent as it is told. */
static int forgive(const struct run *run, int r)
{
	if (r == -ECHILD && run->request->exit_signal == SIGKILL &&
	    run->facts->got & PROBE_GOT(PROBE_CHILD)) {
		run->facts->killed_by = SIGKILL;
		run->failure->text[0] = 0;
		return 0;
	}
	return r;
}

int probe_run(const struct probe_request *request, struct probe_result *ret_result,
	      struct probe_failure *failure)
{
	struct probe_result result = {.request = *request};
	struct probe_facts facts = {0};
	struct run run = {
		.request = request,
		.facts = &facts,
		.failure = failure,
		.cgroup = {.target_fd = -1},
		.sockets = {{-1, -1}, {-1, -1}},
		.scratch = -1,
		.parent_pidfd = -1,
	};
	int r;

	failure->text[0] = 0;
	result.legacy = choose_call(request, &facts.call);
	facts.kernel = caller_kernel();
	hold_signals(&run);
	probe_cgroup_make(request->flags & CLONE_INTO_CGROUP, request->flags & CLONE_THREAD,
			  &run.cgroup);
	r = make_descriptors(&run);
	if (r == 0)
		r = start_parent(&run);
	if (r == 0) {
		probe_cgroup_enter(&run.cgroup, run.parent);
		r = forgive(&run, talk(&run));
	}
	result.clone3 = facts.got & PROBE_GOT(PROBE_CLONED) ? facts.cloned.clone3 : !result.legacy;
	if (r == 0 && facts.cloned.result < 0)
		keep_refusal(&run, &result);
	else if (r == 0)
		probe_judge(&facts, &result);
	clear_up(&run, r < 0);
	release_signals(&run);
	if (r == 0)
		*ret_result = result;
	return r;
}
