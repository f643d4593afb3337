/* SPDX-License-Identifier: MIT */
/*
 * Whole trees that are killed or get another signal: by their parents, by the caller as subreaper,
 * by their cgroup. Nobody else is hit. Cells also look for descriptors and children left.
 *
 * Seen to fail, in a copy of the tree: not stopped, one round, vfork's sleepers waited for, no
 * SIGCONT, the first thread's children alone, parents before children, a parent not verified, the
 * cgroup not searched or not those below, descriptors kept when they run out.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "launch/whole_tree.h"
#include "lib/room.h"
#include "oracle/companions.h"
#include "oracle/kernel.h"

/* Every process of a tree holds this pipe's writing end: its end is the end of them all. */
static int tree_pipe[2];

static bool all_gone(int timeout_ms)
{
	struct pollfd p = {.fd = tree_pipe[0], .events = POLLIN};
	char buf[512];
	ssize_t n;

	for (;;) {
		if (poll(&p, 1, timeout_ms) != 1)
			return false;
		n = read(tree_pipe[0], buf, sizeof(buf));
		if (n == 0)
			return true;
		expect(!memchr(buf, 'H', (size_t)n), "one was hung up first");
	}
}

/* Wait for so many bytes: each process of a tree says that it is there. */
static bool have_come(unsigned count)
{
	struct pollfd p = {.fd = tree_pipe[0], .events = POLLIN};
	char c;

	while (count--)
		if (poll(&p, 1, PLENTY) != 1 || read(tree_pipe[0], &c, 1) != 1)
			return false;
	return true;
}

static void say_here(void)
{
	if (write(tree_pipe[1], "x", 1) != 1)
		_exit(1);
}

static void sleep_on(void)
{
	for (;;)
		pause();
}

static void reap_on(void)
{
	for (;;) {
		while (waitpid(-1, NULL, 0) > 0)
			;
		pause();
	}
}

static void start_sleeper(void)
{
	if (fork() == 0) {
		say_here();
		sleep_on();
	}
}

/* Three children, each with two of their own; one in a session of its own: 10 with the root. */
static int family(void *arg)
{
	(void)arg;
	for (int i = 0; i < 3; i++)
		if (fork() == 0) {
			if (i == 1)
				setsid();
			start_sleeper();
			start_sleeper();
			say_here();
			sleep_on();
		}
	say_here();
	sleep_on();
	return 0;
}

static void *fork_in_thread(void *arg)
{
	(void)arg;
	start_sleeper();
	sleep_on();
	return NULL;
}

/* Children made by threads, and by one that is the first of its process no more: 5. */
static int threaded(void *arg)
{
	pthread_t thread;

	(void)arg;
	/* While there is one thread: a fork keeps what locks others hold. */
	if (fork() == 0) {
		say_here();
		pthread_create(&thread, NULL, fork_in_thread, NULL);
		usleep(100000);
		syscall(SYS_exit, 0);
	}
	for (int i = 0; i < 3; i++)
		pthread_create(&thread, NULL, fork_in_thread, NULL);
	sleep_on();
	return 0;
}

/* Forks as fast as it can, and each child does: up to so many levels. Sleeps then. */
static int bomb(void *arg)
{
	for (long level = (long)arg; level > 0; level--)
		fork();
	say_here();
	sleep_on();
	return 0;
}

/* Each lives a moment, forks the next and ends: its orphan is the subreaper's. */
static int runaway(void *arg)
{
	const long count = (long)arg;

	say_here();
	if (fork() == 0)
		for (long i = 0; i < count; i++)
			if (fork() != 0)
				_exit(0);
	reap_on();
	return 0;
}

/* Daemons: forked twice, in sessions of their own. 4, the root with them. */
static int daemons(void *arg)
{
	(void)arg;
	for (int i = 0; i < 3; i++)
		if (fork() == 0) {
			setsid();
			if (fork() == 0) {
				say_here();
				sleep_on();
			}
			_exit(0);
		}
	say_here();
	reap_on();
	return 0;
}

/* Its callers of vfork sleep in the kernel until their stopped children go on. */
static int vforked(void *arg)
{
	(void)arg;
	if (fork() == 0) {
		const pid_t pid = vfork();

		if (pid == 0) {
			say_here();
			sleep_on();
		}
		_exit(0);
	}
	say_here();
	sleep_on();
	return 0;
}

static void say_hangup(int sig)
{
	(void)sig;
	if (write(tree_pipe[1], "H", 1) != 1)
		_exit(1);
}

/* Many in a group whose link to the session is their parent alone; they say that they hang up. */
static int hung_up(void *arg)
{
	pid_t group = 0;

	setsid();
	for (long i = (long)arg; i > 0; i--) {
		const pid_t pid = fork();

		if (pid == 0) {
			setpgid(0, group);
			signal(SIGHUP, say_hangup);
			say_here();
			sleep_on();
		}
		setpgid(pid, group);
		if (!group)
			group = pid;
	}
	say_here();
	sleep_on();
	return 0;
}

struct tree_row {
	const char *name;
	int (*fn)(void *);
	long arg;
	unsigned come; /* processes that say they are there before the signal */
	int least, most;
	const struct ramet_step *steps;
};

static bool start_tree(const struct tree_row *row, struct ramet_task *task)
{
	struct ramet_error error;
	char why[300] = "";
	int r;

	if (!expect(pipe2(tree_pipe, O_CLOEXEC) == 0, "pipe"))
		return false;
	r = ramet_launch(&RAMET_SPEC(.fn = row->fn, .arg = (void *)row->arg, .steps = row->steps),
			 task, &error);
	if (r < 0)
		ramet_error_format(&error, why, sizeof(why));
	close(tree_pipe[1]);
	return expect(r == 0, "launch: %s", why) && expect(have_come(row->come), "not all came");
}

static void end_tree(struct ramet_task *task, int sig)
{
	struct ramet_status status;
	const int r = ramet_wait(task, PLENTY, &status);

	expect(r == 0 && !status.exited && status.code == sig, "wait %d, code %d", r, status.code);
	expect(all_gone(5000), "some are left");
	ramet_task_close(task);
	close(tree_pipe[0]);
}

#define REAPER RAMET_STEPS(RAMET_SUBREAPER())

static const struct tree_row tree_rows[] = {
	{"one", family, 0, 10, 10, 10, NULL},
	{"threads", threaded, 0, 5, 6, 6, NULL},
	/* Those between may not have ended yet. */
	{"daemons below a subreaper", daemons, 0, 4, 4, 7, REAPER},
	{"vfork", vforked, 0, 2, 3, 3, NULL},
	{"a bomb of 512, of which some are there", bomb, 9, 1, 1, 512, NULL},
	{"orphans that run away, below a subreaper", runaway, 300000, 1, 1, 20, REAPER},
	{"a stopped group that loses its leader's parent", hung_up, 200, 201, 201, 201, NULL},
};

static void tree_killed(void *arg)
{
	const struct world before = world_take();
	const struct tree_row *row = arg;
	struct ramet_task task;
	int64_t start;
	int n;

	for (int scan = 0; scan < 2; scan++) {
		if (!start_tree(row, &task))
			return;
		start = clock_ms();
		n = scan ? whole_tree(&task, SIGKILL, -1, 0, true)
			 : ramet_kill_tree(&task, SIGKILL, -1, 0);
		expect(n >= row->least && n <= row->most, "scan %d: %d signalled", scan, n);
		expect(clock_ms() - start < 20000, "it took %d ms", (int)(clock_ms() - start));
		end_tree(&task, SIGKILL);
	}
	same_world(&before);
}

/* Other signals, counting, and what is not the task's. */
static void tree_signals(void *arg)
{
	const struct tree_row row = {"", family, 0, 10, 0, 0, NULL};
	const pid_t stranger = fork();
	struct ramet_task task;
	int r;

	(void)arg;
	if (!stranger) {
		pause();
		_exit(0);
	}
	if (!start_tree(&row, &task))
		return;
	expect((r = ramet_kill_tree(&task, 0, -1, 0)) == 10, "counted %d", r);
	expect((r = ramet_kill_tree(&task, SIGCONT, -1, 0)) == 10, "continued %d", r);
	/* Stopped, seen to be, and let go; then ended by a signal that they only get awake. */
	expect((r = ramet_kill_tree(&task, SIGSTOP, -1, 0)) == 10, "stopped %d", r);
	expect((r = ramet_kill_tree(&task, SIGCONT, -1, 0)) == 10, "continued %d", r);
	expect((r = ramet_kill_tree(&task, SIGWINCH, -1, 0)) == 10, "SIGWINCH %d", r);
	expect((r = ramet_kill_tree(&task, SIGTERM, -1, RAMET_TREE_NO_STOP)) == 10, "%d", r);
	end_tree(&task, SIGTERM);
	expect((r = ramet_kill_tree(&task, SIGTERM, -1, 0)) == -ESRCH, "reaped: %d", r);
	if (!start_tree(&row, &task))
		return;
	expect((r = ramet_kill_tree(&task, SIGTERM, -1, 0)) == 10, "SIGTERM: %d", r);
	end_tree(&task, SIGTERM);
	expect(kill(stranger, 0) == 0 && waitpid(stranger, NULL, WNOHANG) == 0,
	       "the stranger is hit");
	kill(stranger, SIGKILL);
	waitpid(stranger, NULL, 0);
	expect(ramet_kill_tree(&task, 65, -1, 0) == -EINVAL, "signal 65");
	expect(ramet_kill_tree(&task, 9, -1, 0x10) == -EINVAL, "flags");
}

/* A zombie: counted by nobody, and its children are known no more. */
static int leave_child(void *arg)
{
	(void)arg;
	start_sleeper();
	return 0;
}

/* With the caller as the subreaper, all below it. */
static void below_caller(void *arg)
{
	const struct tree_row row = {"", leave_child, 0, 1, 0, 0, NULL};
	struct ramet_task task;
	struct pollfd p = {.events = POLLIN};
	int r;

	(void)arg;
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	if (!start_tree(&row, &task))
		return;
	p.fd = task.pidfd;
	poll(&p, 1, PLENTY);
	expect((r = ramet_kill_tree(&task, SIGKILL, -1, 0)) == 0, "of a zombie: %d", r);
	expect(!all_gone(100), "the orphan was hit");
	expect((r = ramet_kill_tree(&task, SIGKILL, -1, RAMET_TREE_BELOW_CALLER)) == 1, "%d", r);
	expect(all_gone(5000), "the orphan is left");
	expect(ramet_wait(&task, PLENTY, NULL) == 0, "wait");
	expect(waitpid(-1, NULL, 0) > 0, "no orphan to wait for");
	ramet_task_close(&task);
	expect(!world_children(), "a child is left");
}

static int one_sleeper(void *arg)
{
	(void)arg;
	say_here();
	sleep_on();
	return 0;
}

/* The list of children names a stranger, as it would where a number has been given anew. */
static void false_claim(void *arg)
{
	const struct tree_row row = {"", one_sleeper, 0, 1, 0, 0, NULL};
	const pid_t stranger = fork();
	char list[100], claim[20], path[60];
	struct ramet_task task;
	int r;

	(void)arg;
	if (!stranger) {
		pause();
		_exit(0);
	}
	if (!start_tree(&row, &task))
		return;
	snprintf(list, sizeof(list), "%s/children", room_dir);
	snprintf(claim, sizeof(claim), "%d ", stranger);
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", task.tid, task.tid);
	if (access(path, R_OK) < 0 || unshare(CLONE_NEWNS) < 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    !room_file(list, claim, 0644) || mount(list, path, NULL, MS_BIND, NULL) < 0) {
		cell_skip("no list of children to be replaced: %s", strerror(errno));
	} else {
		/* The claim stays: no round is the last one. */
		r = ramet_kill_tree(&task, SIGKILL, -1, 0);
		expect(r == -EAGAIN, "%d", r);
		expect(waitpid(stranger, NULL, WNOHANG) == 0, "the stranger is hit");
		end_tree(&task, SIGKILL);
	}
	unlink(list);
	kill(stranger, SIGKILL);
	waitpid(stranger, NULL, 0);
}

/* Descriptors run out: numbers and start times do. */
static void tree_without_descriptors(void *arg)
{
	const struct tree_row row = {"", bomb, 6, 64, 0, 0, NULL};
	struct rlimit limit, old;
	struct ramet_task task;
	int r;

	(void)arg;
	getrlimit(RLIMIT_NOFILE, &old);
	for (int scan = 0; scan < 2; scan++) {
		if (!start_tree(&row, &task))
			return;
		limit = old;
		limit.rlim_cur = 20;
		setrlimit(RLIMIT_NOFILE, &limit);
		r = whole_tree(&task, SIGKILL, -1, 0, scan);
		setrlimit(RLIMIT_NOFILE, &old);
		expect(r == 64, "scan %d: %d signalled", scan, r);
		end_tree(&task, SIGKILL);
	}
}

static void remove_cgroup(const char *path)
{
	for (int i = 0; i < 300 && rmdir(path) < 0 && errno == EBUSY; i++)
		usleep(10000);
	expect(access(path, F_OK) < 0, "%s is left", path);
}

/* Daemons in a cgroup, or one below it, which is killed as a whole or searched. */
static void kill_in_cgroup(const char *path, const char *into, int sig, bool search)
{
	const int cgroup = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const int birth = open(into, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct ramet_task task;
	int r;

	if (!expect(pipe2(tree_pipe, O_CLOEXEC) == 0, "pipe"))
		return;
	r = ramet_launch(&RAMET_SPEC(.fn = daemons, .fresh = RAMET_CGROUP, .cgroup = birth), &task,
			 NULL);
	close(birth);
	close(tree_pipe[1]);
	if (expect(r == 0 && have_come(4), "launch %d", r)) {
		r = search ? whole_tree(&task, sig, cgroup, 0, false)
			   : ramet_kill_tree(&task, sig, cgroup, 0);
		/* The daemons' parents may not have been reaped yet. */
		expect(r >= 4 && r <= 7, "signal %d: %d signalled", sig, r);
		end_tree(&task, sig);
	}
	close(cgroup);
}

/* By the cgroup: also what has got away from its parents. A new one each time: see the man page. */
static void tree_in_cgroup(void *arg)
{
	const char *top = kernel_cgroup2();
	char path[300], inner[320];

	(void)arg;
	for (int i = 0; i < 6; i++) {
		snprintf(path, sizeof(path), "%s/ramet-test-%d-%d", top, (int)getpid(), i);
		snprintf(inner, sizeof(inner), "%s/inner", path);
		if (!*top || mkdir(path, 0755) < 0 || mkdir(inner, 0755) < 0) {
			cell_skip("no cgroup2 to make one in");
			return;
		}
		kill_in_cgroup(path, i % 2 ? inner : path, i < 4 ? SIGKILL : SIGTERM, i & 2);
		remove_cgroup(inner);
		remove_cgroup(path);
	}
}

int main(void)
{
	room_make();
	for (unsigned i = 0; i < sizeof(tree_rows) / sizeof(tree_rows[0]); i++)
		both(tree_killed, (void *)&tree_rows[i], tree_rows[i].name);
	both(tree_signals, NULL, "signals for a tree");
	cell_run(WHO_ANY, 60, below_caller, NULL, "all below the caller");
	cell_run(WHO_ROOT, 60, false_claim, NULL, "a list that names a stranger");
	cell_run(WHO_ANY, 60, tree_without_descriptors, NULL, "a tree without descriptors");
	cell_run(WHO_ROOT, 60, tree_in_cgroup, NULL, "a cgroup");
	return tap_done();
}
