/* SPDX-License-Identifier: MIT */
/*
 * The end of a task: every exit signal, timeouts, status, usage, core flag, kill, and what is said
 * where somebody else reaps.
 *
 * Seen to fail, in a copy of the tree: a wait without __WALL, the core flag lost, EINTR that ends a
 * wait.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>

#include "lib/cell.h"
#include "lib/clock.h"
#include "lib/room.h"
#include "lib/world.h"
#include "uapi/clone.h"

#include <ramet/ramet.h>

#define SPEC(...)                                                                                  \
	{                                                                                          \
		.size = sizeof(struct ramet_spec), __VA_ARGS__                                     \
	}
#define PLENTY 30000 /* ms; only a hang takes as long */

static volatile sig_atomic_t got_signal;
static volatile pid_t got_pid;

static void note_signal(int sig, siginfo_t *info, void *context)
{
	(void)context;
	got_signal = sig;
	got_pid = info->si_pid;
}

static void catch_signal(int sig)
{
	struct sigaction action = {.sa_sigaction = note_signal, .sa_flags = SA_SIGINFO};

	sigaction(sig, &action, NULL);
}

/* Libc-free bodies: most are also run in the caller's memory. */
static int exit_with(void *arg)
{
	return (int)(intptr_t)arg;
}

static int sleep_for(void *arg)
{
	const long ms = (long)(intptr_t)arg;
	const struct kernel_timespec t = {ms / 1000, ms % 1000 * 1000000};

	sys2(SYS_nanosleep, (long)&t, 0);
	return 3;
}

static int kill_itself(void *arg)
{
	sys_kill((int)sys_getpid(), (int)(intptr_t)arg);
	return 1;
}

static int use_processor(void *arg)
{
	struct kernel_timespec now, start;

	(void)arg;
	sys2(SYS_clock_gettime, CLOCK_PROCESS_CPUTIME_ID, (long)&start);
	do
		sys2(SYS_clock_gettime, CLOCK_PROCESS_CPUTIME_ID, (long)&now);
	while ((now.tv_sec - start.tv_sec) * 1000000000L + now.tv_nsec - start.tv_nsec < 60000000);
	return 0;
}

static bool launch(const struct ramet_spec *spec, struct ramet_task *task)
{
	struct ramet_error error;
	char text[400] = "";
	const int r = ramet_launch(spec, task, &error);

	if (r < 0)
		ramet_error_format(&error, text, sizeof(text));
	return expect(r == 0, "launch %d: %s", r, text);
}

/* ---- Exit signals ---------------------------------------------------------------------------- */

static const int exit_signals[] = {RAMET_NO_SIGNAL, SIGUSR1, SIGUSR2, 40, 64, SIGCHLD, SIGHUP, 0};

static void exit_signal(void *arg)
{
	const int sig = *(const int *)arg, want = sig == RAMET_NO_SIGNAL ? 0 : sig ? sig : SIGCHLD;
	const struct ramet_spec specs[] = {
		SPEC(.fn = exit_with, .arg = (void *)200, .exit_signal = sig),
		SPEC(.fn = exit_with, .arg = (void *)200, .exit_signal = sig, .flags = CLONE_IO),
		SPEC(.fn = exit_with, .arg = (void *)200, .exit_signal = sig,
		     .preset = RAMET_PRESET_VFORK),
		SPEC(.fn = exit_with, .arg = (void *)200, .exit_signal = sig, .share = RAMET_MEMORY,
		     .options = RAMET_NO_LIBC),
		SPEC(.fn = exit_with, .arg = (void *)200, .exit_signal = sig, .share = RAMET_MEMORY,
		     .options = RAMET_NO_LIBC | RAMET_NO_PIDFD),
	};
	struct ramet_status status;
	struct ramet_task task;
	int r;

	if (want)
		catch_signal(want);
	for (unsigned i = 0; i < sizeof(specs) / sizeof(specs[0]); i++)
		for (int timeout = -1; timeout < PLENTY + 1; timeout += PLENTY + 1) {
			got_signal = got_pid = 0;
			if (!launch(&specs[i], &task))
				return;
			expect(task.exit_signal == want, "spec %u: exit signal %d", i,
			       task.exit_signal);
			expect(want == SIGCHLD || waitpid(task.tid, NULL, WNOHANG) == -1,
			       "spec %u: a plain wait sees it", i);
			r = ramet_wait(&task, timeout, &status);
			expect(r == 0 && status.exited && status.code == 200 && !status.core,
			       "spec %u: wait %d, code %d", i, r, status.code);
			expect(got_signal == want && (!want || got_pid == task.tid),
			       "spec %u: got signal %d of %d", i, got_signal, got_pid);
			r = ramet_wait(&task, 0, &status);
			expect(r == -ECHILD || (r == 0 && status.code == 200),
			       "spec %u: a second wait gives %d", i, r);
			ramet_task_close(&task);
		}
}

/* Exec makes it SIGCHLD, whatever was asked for. */
static void exit_signal_of_program(void *arg)
{
	struct ramet_status status;
	struct ramet_task task;

	(void)arg;
	catch_signal(SIGCHLD);
	catch_signal(SIGUSR1);
	for (unsigned way = RAMET_WAY_HELD; way <= RAMET_WAY_COPY; way++) {
		got_signal = got_pid = 0;
		if (!launch(&RAMET_SPEC(.program = room_tiny, .way = way, .exit_signal = SIGUSR1),
			    &task))
			return;
		expect(task.exit_signal == SIGCHLD, "way %u: says %d", way, task.exit_signal);
		expect(ramet_wait(&task, -1, &status) == 0, "way %u: wait", way);
		expect(got_signal == SIGCHLD && got_pid == task.tid, "way %u: signal %d", way,
		       got_signal);
		ramet_task_close(&task);
	}
}

/* ---- Timeouts ------------------------------------------------------------------------------------ */

static void timeouts(void *arg)
{
	const struct ramet_spec *spec = arg;
	struct pollfd p = {.events = POLLIN};
	struct ramet_status status;
	struct ramet_task task;
	int64_t start;
	int r;

	start = now_ms();
	if (!launch(spec, &task))
		return;
	expect(ramet_wait(&task, 0, &status) == -ETIMEDOUT, "no wait");
	r = ramet_wait(&task, 120, &status);
	expect(r == -ETIMEDOUT, "120 ms: %d", r);
	expect(now_ms() - start >= 119, "it took %d ms", (int)(now_ms() - start));
	p.fd = task.pidfd;
	if (task.pidfd >= 0)
		expect(poll(&p, 1, 0) == 0, "the pidfd is readable");
	r = ramet_wait(&task, PLENTY, &status);
	expect(r == 0 && status.exited && status.code == (task.flags & CLONE_THREAD ? 0 : 3),
	       "wait %d, code %d", r, status.code);
	expect(now_ms() - start >= 990, "it took %d ms", (int)(now_ms() - start));
	if (task.pidfd >= 0)
		expect(poll(&p, 1, 0) == 1, "the pidfd is not readable");
	ramet_task_close(&task);
	expect(task.pidfd == -1, "pidfd %d", task.pidfd);
	ramet_task_close(&task);
}

/* A wait that signals interrupt all the time ends neither early nor late. */
static void interrupted(void *arg)
{
	const struct itimerval often = {{0, 3000}, {0, 3000}}, never = {{0, 0}, {0, 0}};
	const struct ramet_spec *spec = arg;
	struct ramet_status status;
	struct ramet_task task;
	int64_t start;
	int r;

	catch_signal(SIGALRM);
	if (!launch(spec, &task))
		return;
	setitimer(ITIMER_REAL, &often, NULL);
	start = now_ms();
	r = ramet_wait(&task, 200, &status);
	expect(r == -ETIMEDOUT, "200 ms: %d", r);
	expect(now_ms() - start >= 199 && now_ms() - start < 20000, "it took %d ms",
	       (int)(now_ms() - start));
	r = ramet_wait(&task, -1, &status);
	setitimer(ITIMER_REAL, &never, NULL);
	expect(r == 0 && status.exited, "wait %d", r);
	expect(got_signal == SIGALRM, "no signal came");
	ramet_task_close(&task);
}

/* ---- Status --------------------------------------------------------------------------------------- */

static void ends(void *arg)
{
	static const int signals[] = {SIGKILL, SIGTERM, SIGUSR1, 64};
	struct ramet_status status;
	struct ramet_task task;
	int r;

	(void)arg;
	for (unsigned i = 0; i < 4; i++) {
		if (!launch(&RAMET_SPEC(.fn = kill_itself, .arg = (void *)(intptr_t)signals[i]),
			    &task))
			return;
		r = ramet_wait(&task, -1, &status);
		expect(r == 0 && !status.exited && status.code == signals[i] && !status.core,
		       "signal %d: wait %d, code %d", signals[i], r, status.code);
		ramet_task_close(&task);
		if (!launch(&RAMET_SPEC(.fn = sleep_for, .arg = (void *)60000), &task))
			return;
		expect(ramet_kill(&task, 0) == 0 && ramet_kill(&task, signals[i]) == 0, "kill");
		r = ramet_wait(&task, PLENTY, &status);
		expect(r == 0 && !status.exited && status.code == signals[i],
		       "kill with %d: wait %d, code %d", signals[i], r, status.code);
		expect(ramet_kill(&task, 0) == -ESRCH && ramet_kill(&task, SIGTERM) == -ESRCH,
		       "kill of what has ended");
		ramet_task_close(&task);
	}
	expect(!world_children(), "a child is left");
}

static void usage(void *arg)
{
	struct ramet_status status;
	struct ramet_task task;
	long us;
	int r;

	(void)arg;
	if (!launch(&RAMET_SPEC(.fn = use_processor), &task))
		return;
	r = ramet_wait(&task, -1, &status);
	us = (status.rusage.ru_utime.tv_sec + status.rusage.ru_stime.tv_sec) * 1000000 +
	     status.rusage.ru_utime.tv_usec + status.rusage.ru_stime.tv_usec;
	expect(r == 0 && us > 40000 && us < 5000000, "%ld us of processor time", us);
	expect(status.rusage.ru_minflt > 0, "%ld faults", status.rusage.ru_minflt);
	ramet_task_close(&task);
}

static void core(void *arg)
{
	const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
	char dir[] = "/tmp/ramet-core-XXXXXX", path[64], pattern[100] = "";
	struct ramet_status status;
	struct ramet_task task;
	FILE *f = fopen("/proc/sys/kernel/core_pattern", "re");
	int r, control, raw;

	(void)arg;
	if (SANITIZED) {
		cell_skip("the sanitizer catches SIGSEGV");
		return;
	}
	if (!f || !fgets(pattern, sizeof(pattern), f) || pattern[0] == '|' || pattern[0] == '/') {
		cell_skip("core_pattern is not a plain name: %.60s", pattern);
		return;
	}
	setrlimit(RLIMIT_CORE, &unlimited);
	if (!expect(mkdtemp(dir) && chdir(dir) == 0, "directory"))
		return;
	control = fork(); /* whether a core is to be had here at all */
	if (!control)
		abort();
	waitpid(control, &raw, 0);
	if (launch(&RAMET_SPEC(.fn = kill_itself, .arg = (void *)SIGSEGV), &task)) {
		r = ramet_wait(&task, -1, &status);
		expect(r == 0 && !status.exited && status.code == SIGSEGV &&
			       status.core == !!WCOREDUMP(raw),
		       "wait %d, code %d, core %d, want %d", r, status.code, status.core,
		       !!WCOREDUMP(raw));
		ramet_task_close(&task);
	}
	unlink("core");
	snprintf(path, sizeof(path), "core.%d", control);
	unlink(path);
	snprintf(path, sizeof(path), "core.%d", task.tid);
	unlink(path);
	expect(chdir("/") == 0 && rmdir(dir) == 0, "%s", dir);
}

/* ---- Where somebody else reaps ------------------------------------------------------------------------ */

/* PIDFD_GET_INFO tells the status of what is gone, from 6.15 on. */
static bool kernel_keeps_status(void)
{
	struct kernel_pidfd_info info = {.mask = KERNEL_PIDFD_INFO_EXIT};
	const pid_t pid = fork();
	int fd;
	bool kept;

	if (!pid)
		_exit(0);
	fd = (int)sys_pidfd_open(pid, 0);
	waitpid(pid, NULL, 0);
	kept = sys3(SYS_ioctl, fd, KERNEL_PIDFD_GET_INFO, (long)&info) == 0 &&
	       info.mask & KERNEL_PIDFD_INFO_EXIT;
	close(fd);
	return kept;
}

static void reaped_by_others(void *arg)
{
	const bool kept = kernel_keeps_status(), auto_reap = arg;
	struct ramet_status status;
	struct ramet_task task;
	int r;

	if (auto_reap)
		signal(SIGCHLD, SIG_IGN);
	for (int timeout = -1; timeout < PLENTY + 1; timeout += PLENTY + 1)
		for (unsigned options = 0; options <= RAMET_NO_PIDFD; options += RAMET_NO_PIDFD) {
			bool known;

			memset(&status, 0xff, sizeof(status));
			if (!launch(&RAMET_SPEC(.fn = exit_with, .arg = (void *)77,
						.options = options),
				    &task))
				return;
			/* A fork's pidfd is opened after it: the kernel may have reaped it by then. */
			known = kept && task.pidfd >= 0;
			expect(options || known == kept ||
				       (auto_reap && task.lost & RAMET_LOST_PIDFD),
			       "no pidfd, and that is not said");
			if (!auto_reap)
				waitpid(task.tid, NULL, 0);
			r = ramet_wait(&task, timeout, &status);
			expect(r == (known ? 0 : -ECHILD), "options %u: wait %d", options, r);
			expect(!known || (status.exited && status.code == 77), "code %d",
			       status.code);
			expect(known || status.code == -1, "written to on failure");
			ramet_task_close(&task);
		}
	expect(!world_children(), "a child is left");
}

/* A task of the caller's parent: told by the pidfd, waited for by nobody here. */
static void sibling(void *arg)
{
	struct ramet_status status;
	struct ramet_task task;
	int r;

	(void)arg;
	if (!launch(&RAMET_SPEC(.program = room_tiny, .share = RAMET_PARENT), &task))
		return;
	r = ramet_wait(&task, PLENTY, &status);
	expect(r == -ECHILD || (r == 0 && status.exited && status.code == 0), "program: %d", r);
	ramet_task_close(&task);
	if (!launch(&RAMET_SPEC(.fn = sleep_for, .arg = (void *)800, .share = RAMET_PARENT,
				.options = RAMET_NO_LIBC),
		    &task))
		return;
	expect(ramet_wait(&task, 50, &status) == -ETIMEDOUT, "function: no timeout");
	r = ramet_wait(&task, -1, &status);
	expect(r == -ECHILD || (r == 0 && status.code == 3), "function: %d", r);
	ramet_task_close(&task);
	r = ramet_launch(&RAMET_SPEC(.program = room_nothing, .share = RAMET_PARENT), &task, NULL);
	expect(r == -ENOENT, "missing program: %d", r);
}

/* ---- Threads ------------------------------------------------------------------------------------------- */

static void thread_task(void *arg)
{
	const struct ramet_spec spec = RAMET_SPEC(.fn = sleep_for, .arg = (void *)300,
						  .preset = RAMET_PRESET_NPTL,
						  .options = RAMET_NO_LIBC);
	struct ramet_status status;
	struct ramet_task task;
	int r;

	(void)arg;
	if (!launch(&spec, &task))
		return;
	expect(task.pidfd == -1 && task.tid != getpid(), "pidfd %d, tid %d", task.pidfd, task.tid);
	expect(ramet_kill(&task, 0) == 0, "kill 0");
	expect(ramet_wait(&task, 20, &status) == -ETIMEDOUT, "20 ms");
	r = ramet_wait(&task, -1, &status);
	expect(r == 0 && status.exited && status.code == 0, "wait %d, code %d", r, status.code);
	for (unsigned i = 0; i < 1000 && ramet_kill(&task, 0) == 0; i++)
		usleep(1000);
	r = ramet_kill(&task, 0);
	expect(r == -ESRCH, "kill of an ended thread: %d", r);
	r = ramet_wait(&task, 0, &status);
	expect(r == -ECHILD, "a second wait: %d", r);
}

/* A pidfd goes into poll beside other things, and any thread may wait. */
static void *wait_in_thread(void *arg)
{
	struct ramet_status status;
	const int r = ramet_wait(arg, -1, &status);

	return (void *)(intptr_t)(r == 0 ? status.code : r);
}

static void wait_elsewhere(void *arg)
{
	struct ramet_task task;
	pthread_t thread;
	void *code;

	(void)arg;
	if (!launch(&RAMET_SPEC(.fn = sleep_for, .arg = (void *)100), &task))
		return;
	pthread_create(&thread, NULL, wait_in_thread, &task);
	pthread_join(thread, &code);
	expect((intptr_t)code == 3, "code %d", (int)(intptr_t)code);
	ramet_task_close(&task);
}

int main(void)
{
	static const struct ramet_spec sleepers[] = {
		SPEC(.program = "/bin/sh", .argv = NULL),
		SPEC(.fn = sleep_for, .arg = (void *)1000),
		SPEC(.fn = sleep_for, .arg = (void *)1000, .exit_signal = RAMET_NO_SIGNAL),
		SPEC(.fn = sleep_for, .arg = (void *)1000, .share = RAMET_MEMORY,
		     .options = RAMET_NO_LIBC),
		SPEC(.fn = sleep_for, .arg = (void *)1000, .share = RAMET_MEMORY,
		     .options = RAMET_NO_LIBC | RAMET_NO_PIDFD),
		SPEC(.fn = sleep_for, .arg = (void *)1000, .preset = RAMET_PRESET_NPTL,
		     .options = RAMET_NO_LIBC),
	};
	struct ramet_spec shell = sleepers[0];

	room_make();
	shell.argv = WORDS("sh", "-c", "sleep 1; exit 3");
	for (unsigned i = 0; i < sizeof(exit_signals) / sizeof(exit_signals[0]); i++)
		cell_run(WHO_ANY, 60, exit_signal, (void *)&exit_signals[i], "exit signal %d",
			 exit_signals[i]);
	cell_run(WHO_ANY, 60, exit_signal_of_program, NULL, "exit signal of a program");
	for (unsigned i = 0; i < sizeof(sleepers) / sizeof(sleepers[0]); i++) {
		cell_run(WHO_ANY, 60, timeouts, i ? (void *)&sleepers[i] : &shell, "timeouts, %u",
			 i);
		if (i % 2)
			continue;
		cell_run(WHO_ANY, 60, interrupted, i ? (void *)&sleepers[i] : &shell,
			 "interrupted waits, %u", i);
	}
	cell_run(WHO_ANY, 60, ends, NULL, "ended by signals");
	cell_run(WHO_ANY, 60, usage, NULL, "resource usage");
	cell_run(WHO_ANY, 60, core, NULL, "core flag");
	cell_run(WHO_ANY, 60, reaped_by_others, NULL, "reaped by the caller itself");
	cell_run(WHO_ANY, 60, reaped_by_others, room_dir, "SIGCHLD ignored");
	cell_run(WHO_ANY, 60, sibling, NULL, "siblings");
	cell_run(WHO_ANY, 60, thread_task, NULL, "a thread");
	cell_run(WHO_ANY, 60, wait_elsewhere, NULL, "another thread waits");
	cell_run(WHO_NOBODY, 60, ends, NULL, "ended by signals");
	return tap_done();
}
