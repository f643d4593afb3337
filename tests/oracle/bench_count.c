/* SPDX-License-Identifier: MIT */
/*
 * The system calls of one operation as ramet bench counts them, against strace: this program runs
 * again under it and does the operation three times, and twice; what the first has more is the
 * third one. And what happens to the count when an operation fails, is killed or never ends.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ramet/ramet.h>

#include "bench/count.h"
#include "tap.h"

#define KINDS 200 /* of calls in one log */

extern char **environ;

static char true_name[] = "true";
static char *const true_argv[] = {true_name, NULL};

/* ---- Operations ---- */

static long wait_for(pid_t pid)
{
	return pid < 0 || waitpid(pid, NULL, 0) != pid ? -errno : 0;
}

static long fork_and_exit(struct bench_scene *scene)
{
	pid_t pid = fork();

	(void)scene;
	if (pid == 0)
		_exit(0);
	return wait_for(pid);
}

static long vfork_and_exec(struct bench_scene *scene)
{
	pid_t pid = vfork();

	if (pid == 0) {
		execve(scene->program, true_argv, environ);
		_exit(127);
	}
	return wait_for(pid);
}

static long spawn(struct bench_scene *scene)
{
	pid_t pid;
	int r = posix_spawn(&pid, scene->program, NULL, NULL, true_argv, environ);

	return r ? -r : wait_for(pid);
}

static long ramet(struct bench_scene *scene)
{
	struct ramet_task task;
	struct ramet_error error;
	struct ramet_status status;
	int r = ramet_launch(&RAMET_SPEC(.program = scene->program, .argv = true_argv), &task,
			     &error);

	if (r < 0)
		return r;
	r = ramet_wait(&task, -1, &status);
	ramet_task_close(&task);
	return r;
}

static void *do_nothing(void *arg)
{
	return arg;
}

static long make_thread(struct bench_scene *scene)
{
	pthread_t thread;
	int r = pthread_create(&thread, NULL, do_nothing, NULL);

	(void)scene;
	return r ? -r : -pthread_join(thread, NULL);
}

/* A process whose second thread calls exec, and so goes on under the first one's tid. */
static void *exec_true(void *arg)
{
	/* Exec ends the first thread, wherever it is: let it be asleep by then. */
	usleep(50000);
	execve(arg, true_argv, environ);
	_exit(127);
}

static long exec_in_thread(struct bench_scene *scene)
{
	pid_t pid = fork();
	pthread_t thread;

	if (pid == 0) {
		if (pthread_create(&thread, NULL, exec_true, (void *)(uintptr_t)scene->program))
			_exit(127);
		for (;;)
			pause();
	}
	return wait_for(pid);
}

/* A partner that is there before: it answers each byte. */
static int line[2];
static pid_t partner;

static long begin_partner(struct bench_scene *scene)
{
	char byte;

	(void)scene;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, line) < 0)
		return -errno;
	partner = fork();
	if (partner)
		return partner < 0 ? -errno : 0;
	close(line[0]);
	while (read(line[1], &byte, 1) == 1 && write(line[1], &byte, 1) == 1)
		;
	_exit(0);
}

static long ask_partner(struct bench_scene *scene)
{
	char byte = 0;

	(void)scene;
	return write(line[0], &byte, 1) == 1 && read(line[0], &byte, 1) == 1 ? 0 : -EIO;
}

static void end_partner(struct bench_scene *scene)
{
	(void)scene;
	close(line[0]);
	close(line[1]);
	waitpid(partner, NULL, 0);
}

static long do_little(struct bench_scene *scene)
{
	(void)scene;
	return 0;
}

/* What run began and did not wait for: its end is the operation's, all the same. */
static long leave_child(struct bench_scene *scene)
{
	(void)scene;
	partner = fork();
	if (partner == 0) {
		for (volatile int i = 0; i < 3000000; i++)
			;
		for (int i = 0; i < 5; i++)
			syscall(SYS_getppid);
		_exit(0);
	}
	return partner < 0 ? -errno : 0;
}

static long settle_child(struct bench_scene *scene)
{
	(void)scene;
	return wait_for(partner);
}

static const struct bench_variant variants[] = {
	{.name = "fork+exit", .run = fork_and_exit},
	{.name = "vfork+exec", .run = vfork_and_exec},
	{.name = "posix_spawn", .run = spawn},
	{.name = "ramet_launch", .run = ramet},
	{.name = "thread", .run = make_thread},
	{.name = "exec in a thread", .run = exec_in_thread},
	{.name = "partner", .begin = begin_partner, .run = ask_partner, .end = end_partner},
	{.name = "nothing", .run = do_little},
	{.name = "settled", .run = leave_child, .settle = settle_child},
};
#define VARIANTS (sizeof(variants) / sizeof(variants[0]))

/* Who comes first decides whether there is a call: no count can be the same each time. */
static const char *const left_to_chance[] = {"futex", "pause"};

static bool is_chance(const char *name)
{
	for (size_t i = 0; i < sizeof(left_to_chance) / sizeof(left_to_chance[0]); i++)
		if (!strcmp(name, left_to_chance[i]))
			return true;
	return false;
}

static const struct bench_variant *const no_variants[] = {NULL};
static const struct bench_workload workload = {.name = "test", .variants = no_variants};
static const struct bench_request request = {
	.workload = &workload,
	.points = {0},
	.point_count = 1,
	.pin = -1,
	.program = "/bin/true",
};

/* This program again: variant and how often. */
static int do_again(const struct bench_variant *v, int times)
{
	struct bench_scene scene;
	long r = bench_scene_open(&request, 0, false, &scene);

	if (r >= 0 && v->begin)
		r = v->begin(&scene);
	for (int i = 0; i < times && r >= 0; i++) {
		r = v->run(&scene);
		if (r >= 0 && v->settle)
			r = v->settle(&scene);
	}
	if (v->end)
		v->end(&scene);
	return r < 0;
}

/* ---- strace's log ---- */

struct log {
	struct kind {
		char name[40];
		bool child;
		int times;
	} kinds[KINDS];
	size_t count;
};

static void add(struct log *log, const char *name, size_t n, bool child, int times)
{
	struct kind *kind = log->kinds;

	while (kind < log->kinds + log->count &&
	       (kind->child != child || strncmp(kind->name, name, n) != 0 || kind->name[n]))
		kind++;
	if (kind == log->kinds + KINDS)
		abort();
	if (kind == log->kinds + log->count) {
		snprintf(kind->name, sizeof(kind->name), "%.*s", (int)n, name);
		kind->child = child;
		log->count++;
	}
	kind->times += times;
}

/* Lines "4711 read(…" are entries; "<... read resumed>", "--- SIGCHLD" and "+++ exited" are not. */
static void read_log(FILE *f, struct log *log, int sign)
{
	char *text = NULL;
	size_t size = 0;
	int first = 0;

	while (getline(&text, &size, f) > 0) {
		char *at = text;
		const int pid = (int)strtol(at, &at, 10);
		size_t n;

		at += strspn(at, " ");
		n = strspn(at, "abcdefghijklmnopqrstuvwxyz0123456789_");
		if (!first)
			first = pid;
		if (n && at[n] == '(')
			add(log, at, n, pid != first, sign);
	}
	free(text);
}

/* Its lines go to a file without a name. */
static bool run_strace(size_t variant, int times, struct log *log, int sign)
{
	char self[256] = "", output[40], number[12], count[12];
	int fd = memfd_create("strace", 0), status = 1;
	pid_t pid;
	FILE *f;

	if (fd < 0 || readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		return false;
	snprintf(output, sizeof(output), "/proc/self/fd/%d", fd);
	snprintf(number, sizeof(number), "%zu", variant);
	snprintf(count, sizeof(count), "%d", times);
	pid = fork();
	if (pid == 0) {
		execlp("strace", "strace", "-f", "-o", output, self, "do", number, count, NULL);
		_exit(127);
	}
	f = fdopen(fd, "r");
	if (pid < 0 || !f || waitpid(pid, &status, 0) != pid || status)
		diag("strace ends with status %#x", (unsigned)status);
	else
		read_log(f, log, sign);
	if (f)
		fclose(f);
	return !status;
}

static bool has_strace(void)
{
	return system("strace -f -o /dev/null true >/dev/null 2>&1") == 0;
}

/* ---- The same ---- */

static int times_of(const struct bench_calls *calls, const char *name, bool child)
{
	for (size_t i = 0; i < calls->count; i++) {
		const char *called = bench_call_name(calls->calls[i].nr);

		if (called && !strcmp(called, name) && calls->calls[i].child == child)
			return (int)calls->calls[i].times;
	}
	return 0;
}

/* There is room for so many kinds; those that came later are in the sums alone. */
static bool is_full(const struct bench_calls *calls)
{
	return calls->count == BENCH_CALLS_MAX;
}

/* In order, the caller's first, each sum the total. */
static bool is_whole(const struct bench_calls *calls)
{
	unsigned caller = 0, child = 0;

	for (size_t i = 0; i < calls->count; i++) {
		if (calls->calls[i].child)
			child += calls->calls[i].times;
		else if (child)
			return false;
		else
			caller += calls->calls[i].times;
	}
	return is_full(calls) ? caller + child <= calls->caller + calls->child
			      : caller == calls->caller && child == calls->child;
}

static void check_variant(size_t i, bool strace)
{
	static struct log log;
	struct bench_calls calls;
	unsigned wrong = 0, compared = 0;

	bench_count(&request, &variants[i], 0, false, &calls);
	is_str(calls.why, "", "%s: %u calls and %u", variants[i].name, calls.caller, calls.child);
	ok(is_whole(&calls), "told to the last");
	/* Exec there ends the first thread, and what that does last is chance. */
	if (variants[i].run == exec_in_thread)
		return;
	if (!strace) {
		skip(1, "no strace, or it may not trace");
		return;
	}
	memset(&log, 0, sizeof(log));
	if (!run_strace(i, 3, &log, 1) || !run_strace(i, 2, &log, -1))
		wrong++;
	for (size_t k = 0; k < log.count; k++) {
		const struct kind *kind = &log.kinds[k];
		const int times = times_of(&calls, kind->name, kind->child);

		if (is_chance(kind->name) || (!times && is_full(&calls)))
			continue;
		compared += kind->times > 0;
		if (times == kind->times)
			continue;
		wrong++;
		diag("%s of the %s: strace %d, counted %d", kind->name,
		     kind->child ? "child" : "caller", kind->times, times);
	}
	for (size_t k = 0; k < calls.count; k++)
		if (!bench_call_name(calls.calls[k].nr))
			diag("a call without a name: %d", calls.calls[k].nr);
	ok(!wrong && (compared || !calls.count), "as strace sees it, %u kinds of call", compared);
}

/* ---- What is known without strace ---- */

/* Stopped and continued in its sleep, which the kernel begins again. */
static long sleep_and_be_stopped(struct bench_scene *scene)
{
	const struct timespec soon = {.tv_nsec = 20000000}, later = {.tv_nsec = 100000000};
	const pid_t self = getpid();
	pid_t pid = fork();

	(void)scene;
	if (pid == 0) {
		nanosleep(&soon, NULL);
		kill(self, SIGSTOP);
		nanosleep(&soon, NULL);
		kill(self, SIGCONT);
		_exit(0);
	}
	return nanosleep(&later, NULL) < 0 ? -errno : wait_for(pid);
}

static void check_known(void)
{
	static const struct bench_variant stopped = {.name = "stopped",
						     .run = sleep_and_be_stopped};
	struct bench_calls calls;

	bench_count(&request, &variants[0], 0, false, &calls);
	is_int(times_of(&calls, "wait4", false) + times_of(&calls, "waitid", false), 1,
	       "fork+exit: one wait");
	is_int(times_of(&calls, "exit_group", true), 1, "one end of the child");
	is_int(times_of(&calls, "exit_group", false), 0, "none of the caller");
	bench_count(&request, &variants[6], 0, false, &calls);
	ok(calls.caller == 2 && calls.child == 2, "a partner's calls are a child's: %u and %u",
	   calls.caller, calls.child);
	bench_count(&request, &variants[7], 0, false, &calls);
	ok(!calls.count && !calls.caller && !calls.child && !calls.why[0],
	   "an operation without a call has none");
	bench_count(&request, &variants[8], 0, false, &calls);
	is_int(times_of(&calls, "getppid", true), 5, "what settle waits for is counted");
	bench_count(&request, &stopped, 0, false, &calls);
	is_str(calls.why, "", "one that is stopped meanwhile is counted");
	is_int(times_of(&calls, "clock_nanosleep", false) + times_of(&calls, "nanosleep", false), 1,
	       "a sleep that is begun again is one");
	is_int(times_of(&calls, "restart_syscall", false), 0, "by whatever call");
	is_int(times_of(&calls, "kill", true), 2, "and the child's are there");
}

/* A tracer of our own, or a setting, may forbid it. */
static bool may_trace(void)
{
	struct bench_calls calls;

	bench_count(&request, &variants[7], 0, false, &calls);
	if (!strncmp(calls.why, "cannot trace", 12)) {
		skip(1, "%s", calls.why);
		return false;
	}
	return true;
}

static void check_names(void)
{
	static const struct {
		int nr;
		const char *name;
	} some[] = {
		{SYS_read, "read"},	{SYS_clone, "clone"}, {SYS_exit_group, "exit_group"},
		{SYS_execve, "execve"}, {SYS_wait4, "wait4"}, {SYS_futex, "futex"},
		{435, "clone3"},	{434, "pidfd_open"},
	};

	for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++)
		is_str(bench_call_name(some[i].nr), some[i].name, "call %d", some[i].nr);
	is_str(bench_call_name(-1), NULL, "-1 has no name");
	is_str(bench_call_name(100000), NULL, "nor what is no call");
}

/* ---- What goes wrong ---- */

static long refuse(struct bench_scene *scene)
{
	snprintf(scene->why, sizeof(scene->why), "it is not there");
	return -ENOENT;
}

static long refuse_wordless(struct bench_scene *scene)
{
	(void)scene;
	return -ENOENT;
}

static long refuse_third(struct bench_scene *scene)
{
	static int times;

	return ++times < 3 ? 0 : refuse(scene);
}

static long be_killed(struct bench_scene *scene)
{
	(void)scene;
	return raise(SIGKILL);
}

static long leave(struct bench_scene *scene)
{
	(void)scene;
	_exit(3);
}

static long never_end(struct bench_scene *scene)
{
	(void)scene;
	for (;;)
		pause();
	return 0;
}

/* Children that nobody waits for, one of them in a session of its own. */
static long leave_behind(struct bench_scene *scene)
{
	(void)scene;
	for (int i = 0; i < 2; i++) {
		pid_t pid = fork();

		if (pid < 0)
			return -errno;
		if (pid == 0) {
			if (i)
				setsid();
			if (fork() == 0)
				never_end(NULL);
			never_end(NULL);
		}
	}
	return 0;
}

static long never_end_computing(struct bench_scene *scene)
{
	leave_behind(scene);
	for (volatile int i = 0;; i++)
		;
	return 0;
}

static void check_failures(void)
{
	static const struct {
		struct bench_variant v;
		const char *why;
	} rows[] = {
		{{.name = "begin fails", .begin = refuse, .run = do_little}, "it is not there"},
		{{.name = "without words", .run = refuse_wordless}, "No such file or directory"},
		{{.name = "the third fails", .run = refuse_third}, "it is not there"},
		{{.name = "settle fails", .run = do_little, .settle = refuse}, "it is not there"},
		{{.name = "killed", .run = be_killed},
		 "the process of the stage was killed: Killed"},
		{{.name = "ends", .run = leave}, "the process of the stage ended with status 3"},
		{{.name = "never ends", .run = never_end},
		 "three operations took more than 0.3 s, traced"},
		{{.name = "computes", .run = never_end_computing},
		 "three operations took more than 0.3 s, traced"},
		{{.name = "leaves children", .run = leave_behind}, ""},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const unsigned ms = strstr(rows[i].why, "0.3 s") ? 300 : 10000;
		struct bench_calls calls;

		count_within(&request, &rows[i].v, 0, false, ms, &calls);
		is_str(calls.why, rows[i].why, "%s", rows[i].v.name);
		ok(!rows[i].why[0] || (!calls.count && !calls.caller && !calls.child),
		   "and nothing is told as a count");
	}
}

int main(int argc, char **argv)
{
	pid_t other;
	int status = 0;
	bool strace;

	/* Both have a heap; the C library begins one by calls. */
	free(strdup(argv[0]));
	if (argc == 4)
		_exit(do_again(&variants[atoi(argv[2])], atoi(argv[3])));
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); /* who is left over comes here */
	other = fork();
	if (other == 0)
		_exit(7);
	strace = has_strace();
	check_names();
	if (!may_trace())
		return tap_done();
	for (size_t i = 0; i < VARIANTS; i++)
		check_variant(i, strace);
	check_known();
	check_failures();
	is_int(waitpid(other, &status, 0), other, "a child of the caller is left to it");
	is_int(WEXITSTATUS(status), 7, "with its status");
	ok(waitpid(-1, &status, WNOHANG | __WALL) < 0 && errno == ECHILD, "no process is left");
	return tap_done();
}
