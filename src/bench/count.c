/* SPDX-License-Identifier: MIT */
/*
 * The system calls of one operation, by ptrace. Three processes: the caller's, which waits for one
 * pid alone; a counter, a process of its own, so that waiting for any child takes none from
 * anybody; and its child, the stage, in which the scene is opened and the operation done three
 * times. The third stands between two marks, calls of number -1 that every kernel refuses.
 *
 * The stage's first thread is let run freely until it says that the third is next, so that a scene
 * of many calls is not slow to set; all that it makes is stopped at each call from its birth, since
 * nobody could switch that on later without waking it from a call. At either mark the stage is held
 * until all others sleep: what is left over from the second operation is not the third's, and what
 * it has begun is.
 */
#include "bench/count.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "inspect/inspect.h"
#include "uapi/nr.h"

#define COUNT_MS 10000
#define MARK 0x72616d6574 /* its first argument, on machines of 64 bits */
#define TICK_MS 100	  /* after the deadline: so often everything is killed again */
#define TICKS 30
#define CALM_MS 500 /* at most; who is not asleep by then computes */
#define DIFFERENT 128

const char *bench_call_name(int nr)
{
	static const struct {
		int nr;
		const char *name;
	} rows[] = {
#include "bench/call_names.h"
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].nr == nr)
			return rows[i].name;
	return NULL;
}

/* What the three processes share. */
struct shared {
	struct bench_calls calls;
	bool counted; /* both marks were passed */
	char why[BENCH_WHY];
};

struct order {
	const struct bench_request *request;
	const struct bench_variant *variant;
	uint64_t x;
	bool huge;
	unsigned milliseconds;
	struct shared *shared;
};

/* ---- The stage ---- */

static void mark(void)
{
	syscall(-1, (long)MARK);
}

static long operate(const struct bench_variant *v, struct bench_scene *scene)
{
	double ns;
	long r = v->run_many ? v->run_many(scene, 1, &ns) : v->run(scene);

	return r >= 0 && v->settle ? v->settle(scene) : r;
}

static long operate_thrice(const struct bench_variant *v, struct bench_scene *scene)
{
	long r = operate(v, scene);

	if (r >= 0)
		r = operate(v, scene);
	if (r < 0)
		return r;
	/* The counter takes this one away: from here on the calls of this thread stop it, too. */
	raise(SIGSTOP);
	mark();
	r = operate(v, scene);
	mark();
	return r;
}

static void say_why(struct shared *shared, const struct bench_scene *scene, long error)
{
	snprintf(shared->why, BENCH_WHY, "%s", scene->why[0] ? scene->why : strerror((int)-error));
}

static long play(const struct order *o)
{
	static struct bench_scene scene;
	const struct bench_variant *v = o->variant;
	long r = bench_scene_open(o->request, o->x, o->huge, &scene);

	if (r < 0) {
		say_why(o->shared, &scene, r);
		return r;
	}
	if (v->begin)
		r = v->begin(&scene);
	if (r >= 0) {
		r = operate_thrice(v, &scene);
		if (r < 0)
			say_why(o->shared, &scene, r);
		if (v->end)
			v->end(&scene);
	} else {
		say_why(o->shared, &scene, r);
	}
	bench_scene_close(&scene);
	return r;
}

/* `go` ends when the counter has hold of this process. */
static int stage(const struct order *o, pid_t counter, int go)
{
	char byte;

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != counter)
		return 1;
	while (read(go, &byte, 1) < 0 && errno == EINTR)
		;
	close(go);
	return play(o) < 0;
}

/* ---- What was counted ---- */

struct tally {
	unsigned total;
	struct {
		int nr;
		unsigned times;
	} rows[DIFFERENT]; /* in the order of their first */
	size_t count;
};

static void add(struct tally *t, int nr)
{
	t->total++;
	for (size_t i = 0; i < t->count; i++) {
		if (t->rows[i].nr == nr) {
			t->rows[i].times++;
			return;
		}
	}
	if (t->count == DIFFERENT)
		return;
	t->rows[t->count].nr = nr;
	t->rows[t->count++].times = 1;
}

static void report(const struct tally *t, bool child, struct bench_calls *ret)
{
	*(child ? &ret->child : &ret->caller) = t->total;
	for (size_t i = 0; i < t->count && ret->count < BENCH_CALLS_MAX; i++)
		ret->calls[ret->count++] = (struct bench_call){
			.nr = t->rows[i].nr, .child = child, .times = t->rows[i].times};
}

/* ---- The counter's tasks ---- */

struct counted {
	pid_t tid;
	int nr;	    /* of the call it made last */
	bool again; /* that was interrupted, and the kernel has it made again */
};

struct counter {
	const struct order *order;
	pid_t stage;
	struct counted *tasks;
	size_t count, room;
	bool armed;    /* all calls of the stage's first thread are seen */
	bool held;     /* it stands at a mark */
	bool counts;   /* between the marks */
	bool over;     /* behind the second */
	bool ending;   /* all shall be killed; why was written, if there is one */
	unsigned ms;   /* held so long */
	unsigned calm; /* and so often all others were seen asleep, one time after the other */
	struct tally caller, child;
};

static struct counted *find(struct counter *c, pid_t tid)
{
	for (size_t i = 0; i < c->count; i++)
		if (c->tasks[i].tid == tid)
			return &c->tasks[i];
	return NULL;
}

static void fail(struct counter *c, const char *what, int error)
{
	if (!c->ending)
		snprintf(c->order->shared->why, BENCH_WHY, "%s: %s", what, strerror(error));
	c->ending = true;
}

/* One that is there already is not added. NULL: no memory. */
static struct counted *find_or_add(struct counter *c, pid_t tid)
{
	struct counted *task = find(c, tid);

	if (task)
		return task;
	if (c->count == c->room) {
		const size_t room = c->room ? c->room * 2 : 64;
		void *grown = reallocarray(c->tasks, room, sizeof(*c->tasks));

		if (!grown) {
			fail(c, "the system calls cannot be counted", ENOMEM);
			return NULL;
		}
		c->tasks = grown;
		c->room = room;
	}
	task = &c->tasks[c->count++];
	*task = (struct counted){.tid = tid, .nr = -1};
	return task;
}

static void drop(struct counter *c, pid_t tid)
{
	struct counted *task = find(c, tid);

	if (task)
		*task = c->tasks[--c->count];
}

static void kill_all(struct counter *c)
{
	for (size_t i = 0; i < c->count; i++)
		kill(c->tasks[i].tid, SIGKILL);
	kill(-c->stage, SIGKILL);
}

/* ---- Stops ---- */

static void resume(const struct counter *c, pid_t tid, int sig)
{
	const bool free = c->over || (tid == c->stage && !c->armed);

	/* ESRCH: it was killed meanwhile; its end comes by wait. */
	ptrace(free ? PTRACE_CONT : PTRACE_SYSCALL, tid, NULL, (void *)(long)sig);
}

static bool is_stopping(int sig)
{
	return sig == SIGSTOP || sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU;
}

static pid_t event_message(pid_t tid)
{
	unsigned long message = 0;

	return ptrace(PTRACE_GETEVENTMSG, tid, NULL, &message) < 0 ? 0 : (pid_t)message;
}

/* Another thread's exec: it goes on under the first one's tid, all others are gone. */
static void on_exec(struct counter *c, pid_t tid)
{
	const pid_t former = event_message(tid);
	struct counted *caller;

	if (former <= 0 || former == tid)
		return;
	drop(c, tid);
	caller = find(c, former);
	if (caller)
		caller->tid = tid;
}

/*
 * A signal can make the kernel have a call made again, by its number or by that of
 * restart_syscall: one call, for whoever made it.
 */
static bool is_same_again(const struct counted *task, int nr)
{
	return task->again && (nr == task->nr || nr == SYS_restart_syscall);
}

static bool is_restart(int64_t result)
{
	return result <= -512 && result >= -516;
}

static void on_entry(struct counter *c, struct counted *task, int nr)
{
	const bool same = is_same_again(task, nr);

	task->again = false;
	if (same)
		return;
	task->nr = nr;
	if (c->counts)
		add(task->tid == c->stage ? &c->caller : &c->child, nr);
}

static void on_call(struct counter *c, struct counted *task)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, task->tid, sizeof(info), &info) <= 0) {
		if (errno != ESRCH)
			fail(c, "PTRACE_GET_SYSCALL_INFO (Linux 5.3)", errno);
	} else if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
		task->again = is_restart(info.exit.rval);
	} else if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
		const bool is_mark = task->tid == c->stage && (int)info.entry.nr == -1 &&
				     info.entry.args[0] == (unsigned long)MARK;

		if (is_mark && !c->over) {
			c->held = true;
			c->ms = c->calm = 0;
			return;
		}
		on_entry(c, task, (int)info.entry.nr);
	}
	resume(c, task->tid, 0);
}

/* The one of operate_thrice(); an operation may have its own. */
static bool is_own_stop(const struct counter *c)
{
	siginfo_t info;

	return ptrace(PTRACE_GETSIGINFO, c->stage, NULL, &info) == 0 && info.si_signo == SIGSTOP &&
	       info.si_code == SI_TKILL && info.si_pid == c->stage;
}

static void on_stop(struct counter *c, pid_t tid, int status)
{
	const int sig = WSTOPSIG(status);
	struct counted *task = find_or_add(c, tid);
	pid_t made;

	if (!task)
		return;
	switch (status >> 16) {
	case PTRACE_EVENT_CLONE:
	case PTRACE_EVENT_FORK:
	case PTRACE_EVENT_VFORK:
		made = event_message(tid);
		if (made > 0)
			find_or_add(c, made);
		resume(c, tid, 0);
		return;
	case PTRACE_EVENT_EXEC:
		on_exec(c, tid);
		resume(c, tid, 0);
		return;
	case PTRACE_EVENT_STOP:
		/* Stopped like its process, it stays so until SIGCONT. */
		if (is_stopping(sig))
			ptrace(PTRACE_LISTEN, tid, NULL, NULL);
		else
			resume(c, tid, 0);
		return;
	default:
		break;
	}
	if (sig == (SIGTRAP | 0x80)) {
		on_call(c, task);
	} else if (tid == c->stage && !c->armed && is_own_stop(c)) {
		c->armed = true;
		resume(c, tid, 0);
	} else {
		resume(c, tid, sig);
	}
}

/* ---- Marks ---- */

/* Neither running nor at a stop that is not known yet. One that is gone sleeps well. */
static bool is_asleep(pid_t tid)
{
	struct inspect_task task = {.tid = tid};
	int state;

	snprintf(task.proc, sizeof(task.proc), "/proc/%d", tid);
	state = inspect_state(&task);
	return state != 'R' && state != 't';
}

static bool all_others_sleep(const struct counter *c)
{
	for (size_t i = 0; i < c->count; i++)
		if (c->tasks[i].tid != c->stage && !is_asleep(c->tasks[i].tid))
			return false;
	return true;
}

static void pass_mark(struct counter *c)
{
	c->held = false;
	if (c->counts) {
		struct shared *shared = c->order->shared;

		report(&c->caller, false, &shared->calls);
		report(&c->child, true, &shared->calls);
		shared->counted = true;
		c->over = true;
	}
	c->counts = !c->over;
	resume(c, c->stage, 0);
}

/* Nothing has happened, and the stage is held. One that was seen asleep may be woken by the next. */
static void look_round(struct counter *c)
{
	const struct timespec ms = {.tv_nsec = 1000000};

	c->calm = all_others_sleep(c) ? c->calm + 1 : 0;
	if (c->count == 1 || c->calm == 3 || ++c->ms == CALM_MS)
		pass_mark(c);
	else
		nanosleep(&ms, NULL);
}

/* ---- The counter ---- */

static volatile sig_atomic_t ended_by; /* SIGALRM: too late */
static volatile sig_atomic_t ticks;

static void end(int sig)
{
	if (!ended_by)
		ended_by = sig;
	ticks++;
}

/* Signals as in a new program, but for those that end a counter in order. */
static void prepare_signals(bool counter)
{
	const struct sigaction action = {.sa_handler = end};
	static const int ends[] = {SIGINT, SIGTERM, SIGALRM};
	sigset_t none;

	for (int sig = 1; sig < _NSIG; sig++)
		signal(sig, SIG_DFL);
	for (size_t i = 0; counter && i < sizeof(ends) / sizeof(ends[0]); i++)
		sigaction(ends[i], &action, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* It comes again and again: the first may fall between a look at ended_by and the next wait. */
static void set_deadline(unsigned ms)
{
	const struct itimerval timer = {
		.it_value = {.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000},
		.it_interval = {.tv_usec = TICK_MS * 1000},
	};

	setitimer(ITIMER_REAL, &timer, NULL);
}

static void say_end(struct counter *c)
{
	char *why = c->order->shared->why;

	if (c->ending || c->order->shared->counted)
		return;
	c->ending = true;
	if (ended_by == SIGALRM)
		snprintf(why, BENCH_WHY, "three operations took more than %g s, traced",
			 c->order->milliseconds / 1000.0);
	else
		snprintf(why, BENCH_WHY, "interrupted");
}

static void on_end(struct counter *c, pid_t tid, int status)
{
	char *why = c->order->shared->why;

	drop(c, tid);
	if (tid != c->stage)
		return;
	if (!c->ending && !c->order->shared->counted && !why[0]) {
		if (WIFSIGNALED(status))
			snprintf(why, BENCH_WHY, "the process of the stage was killed: %s",
				 strsignal(WTERMSIG(status)));
		else
			snprintf(why, BENCH_WHY, "the process of the stage ended with status %d",
				 WEXITSTATUS(status));
	}
	c->ending = true; /* for what it has left */
}

/* Until nobody is left. */
static void follow(struct counter *c)
{
	for (;;) {
		int status;
		pid_t tid = waitpid(-1, &status, __WALL | (c->held ? WNOHANG : 0));

		if (tid < 0 && errno != EINTR)
			return;
		if (ended_by)
			say_end(c);
		if (tid > 0 && WIFSTOPPED(status))
			on_stop(c, tid, status);
		else if (tid > 0)
			on_end(c, tid, status);
		else if (tid == 0)
			look_round(c);
		if (!c->ending && !ended_by)
			continue;
		c->held = false;
		kill_all(c);
		if (ticks > TICKS) /* one that cannot be killed yet: the kernel will do it */
			return;
	}
}

static void seize(struct counter *c)
{
	const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL | PTRACE_O_TRACECLONE |
			     PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC;

	if (!find_or_add(c, c->stage) || ptrace(PTRACE_SEIZE, c->stage, NULL, (void *)options) == 0)
		return;
	if (errno == EPERM)
		fail(c,
		     "cannot trace: something else traces ramet, or "
		     "/proc/sys/kernel/yama/ptrace_scope is 2 or more",
		     errno);
	else
		fail(c, "cannot trace", errno);
	kill(c->stage, SIGKILL);
}

static void run_counter(const struct order *o)
{
	struct counter c = {.order = o};
	const pid_t self = getpid();
	int go[2];

	/* What the stage leaves is waited for, too. */
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	if (pipe(go) < 0) {
		fail(&c, "pipe", errno);
		return;
	}
	c.stage = fork();
	if (c.stage == 0) {
		prepare_signals(false);
		close(go[1]);
		_exit(stage(o, self, go[0]));
	}
	if (c.stage < 0) {
		fail(&c, "fork", errno);
		return;
	}
	close(go[0]);
	set_deadline(o->milliseconds);
	seize(&c);
	close(go[1]);
	follow(&c);
	free(c.tasks);
}

/* ---- Who asks ---- */

/* 0, and it has ended; or -errno. */
static int have_counted(const struct order *o)
{
	const pid_t self = getpid();
	pid_t counter = fork();
	int status = 0;

	if (counter < 0)
		return -errno;
	if (counter == 0) {
		prepare_signals(true);
		prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
		if (getppid() == self)
			run_counter(o);
		_exit(0);
	}
	while (waitpid(counter, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFSIGNALED(status))
		snprintf(o->shared->why, BENCH_WHY, "the counting process was killed: %s",
			 strsignal(WTERMSIG(status)));
	return 0;
}

void count_within(const struct bench_request *request, const struct bench_variant *variant,
		  uint64_t x, bool huge, unsigned milliseconds, struct bench_calls *ret)
{
	struct order o = {
		.request = request,
		.variant = variant,
		.x = x,
		.huge = huge,
		.milliseconds = milliseconds,
	};
	int r;

	*ret = (struct bench_calls){0};
	o.shared = mmap(NULL, sizeof(*o.shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			-1, 0);
	if (o.shared == MAP_FAILED) {
		snprintf(ret->why, BENCH_WHY, "mmap: %s", strerror(errno));
		return;
	}
	r = have_counted(&o);
	if (r < 0)
		snprintf(ret->why, BENCH_WHY, "fork: %s", strerror(-r));
	else if (o.shared->why[0])
		memcpy(ret->why, o.shared->why, BENCH_WHY);
	else if (!o.shared->counted)
		snprintf(ret->why, BENCH_WHY, "the third operation was not seen to its end");
	else
		*ret = o.shared->calls;
	munmap(o.shared, sizeof(*o.shared));
}

void bench_count(const struct bench_request *request, const struct bench_variant *variant,
		 uint64_t x, bool huge, struct bench_calls *ret)
{
	if (!variant->elsewhere) {
		count_within(request, variant, x, huge, COUNT_MS, ret);
		return;
	}
	*ret = (struct bench_calls){0};
	snprintf(ret->why, sizeof(ret->why), "another process does it");
}
