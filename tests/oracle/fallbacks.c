/* SPDX-License-Identifier: MIT */
/*
 * Each newer call made to fail as an older kernel (ENOSYS) or a container's filter (EPERM) makes
 * it: the launch must still be right and say what was lost. And where only the newer call can say
 * what is asked, or where the refusal is the kernel's own, there must be no fallback.
 *
 * Seen to fail, in a copy of the tree: a fallback on any error, none on a filter's EPERM, fields
 * dropped to make clone(2) do, no other way than close_range, RAMET_NO_PIDFD passed over.
 */
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <time.h>

#include "lib/cell.h"
#include "lib/filter.h"
#include "lib/report.h"
#include "lib/room.h"
#include "lib/world.h"
#include "uapi/clone.h"

#include <ramet/ramet.h>

#define ROWS(...)                                                                                  \
	(const struct filter_row[])                                                                \
	{                                                                                          \
		__VA_ARGS__,                                                                       \
		{                                                                                  \
			-1, 0, 0                                                                   \
		}                                                                                  \
	}
#define SPEC(...)                                                                                  \
	{                                                                                          \
		.size = sizeof(struct ramet_spec), __VA_ARGS__                                     \
	}
#define BIT(sig) (1ULL << ((sig)-1))

static char report_path[96];
static char *report_argv[] = {report_name, report_path, NULL};

static void nothing(int sig)
{
	(void)sig;
}

/* ---- Every way, with one call or some taken away ----------------------------------------------- */

static const struct loss {
	const char *name;
	struct filter_row rows[6];
	unsigned lost; /* of a program and of raw functions */
} losses[] = {
	{"nothing missing", {{-1, 0, 0}}, 0},
	{"clone3 ENOSYS", {{SYS_clone3, ENOSYS, 0}, {-1, 0, 0}}, RAMET_LOST_CLONE3},
	{"clone3 EPERM", {{SYS_clone3, EPERM, 0}, {-1, 0, 0}}, RAMET_LOST_CLONE3},
	{"close_range ENOSYS", {{SYS_close_range, ENOSYS, 0}, {-1, 0, 0}}, 0},
	{"close_range EPERM", {{SYS_close_range, EPERM, 0}, {-1, 0, 0}}, 0},
	{"pidfd_open ENOSYS", {{SYS_pidfd_open, ENOSYS, 0}, {-1, 0, 0}}, 0},
	{"pidfd_open EPERM", {{SYS_pidfd_open, EPERM, 0}, {-1, 0, 0}}, 0},
	{"pidfd_send_signal ENOSYS", {{SYS_pidfd_send_signal, ENOSYS, 0}, {-1, 0, 0}}, 0},
	{"set_robust_list ENOSYS", {{SYS_set_robust_list, ENOSYS, 0}, {-1, 0, 0}}, 0},
	{"get_robust_list ENOSYS", {{SYS_get_robust_list, ENOSYS, 0}, {-1, 0, 0}}, 0},
	{"ioctl ENOTTY", {{SYS_ioctl, ENOTTY, 0}, {-1, 0, 0}}, 0},
	{"clone3, close_range, pidfd_open ENOSYS",
	 {{SYS_clone3, ENOSYS, 0},
	  {SYS_close_range, ENOSYS, 0},
	  {SYS_pidfd_open, ENOSYS, 0},
	  {-1, 0, 0}},
	 RAMET_LOST_CLONE3},
	{"everything newer EPERM",
	 {{SYS_clone3, EPERM, 0},
	  {SYS_close_range, EPERM, 0},
	  {SYS_pidfd_open, EPERM, 0},
	  {SYS_pidfd_send_signal, EPERM, 0},
	  {SYS_set_robust_list, EPERM, 0},
	  {-1, 0, 0}},
	 RAMET_LOST_CLONE3},
};

/* A program that closes the rest begins with the caller's table where memory is shared. */
static unsigned lost_by_program(const struct loss *loss, enum ramet_way way)
{
	for (const struct filter_row *row = loss->rows; row->nr >= 0; row++)
		if (row->nr == SYS_close_range && way != RAMET_WAY_COPY)
			return loss->lost | RAMET_LOST_TABLE;
	return loss->lost;
}

static void launch_report(enum ramet_way way, unsigned lost)
{
	static struct report report;
	struct ramet_status status;
	struct ramet_error error;
	struct ramet_task task;
	char text[400] = "";
	int r;

	report_file(report_path);
	r = ramet_launch(&RAMET_SPEC(.program = REPORT_PROGRAM, .argv = report_argv, .way = way,
				     .steps = RAMET_STEPS(RAMET_CWD("/usr"), RAMET_DUP(0, 7),
							  RAMET_CLOSE_REST())),
			 &task, &error);
	if (r < 0)
		ramet_error_format(&error, text, sizeof(text));
	if (!expect(r == 0, "way %d: %s", (int)way, text))
		return;
	expect(task.lost == lost, "way %d: lost %#x", (int)way, task.lost);
	expect(task.pidfd >= 0 && fcntl(task.pidfd, F_GETFD) == FD_CLOEXEC, "pidfd %d", task.pidfd);
	r = ramet_wait(&task, 20000, &status);
	expect(r == 0 && status.exited && status.code == REPORT_STATUS, "wait %d, code %d", r,
	       status.code);
	ramet_task_close(&task);
	if (!expect(report_read(report_path, &report), "no report"))
		return;
	expect(!strcmp(report.cwd, "/usr"), "cwd %s", report.cwd);
	expect(report.blocked == BIT(SIGUSR2), "blocked %#lx", report.blocked);
	expect(report.ignored == BIT(SIGPIPE), "ignored %#lx", report.ignored);
	for (int fd = 0; fd < REPORT_FDS; fd++)
		expect(report.open[fd] == (fd < 3 || fd == 7), "descriptor %d: %d", fd,
		       report.open[fd]);
}

/* A failing step is still told apart, and a program that stays is not waited for. */
static void launch_others(enum ramet_way way)
{
	struct timespec before, after;
	struct ramet_status status;
	struct ramet_error error;
	struct ramet_task task;
	int r;

	r = ramet_launch(&RAMET_SPEC(.program = room_nothing, .way = way), &task, &error);
	expect(r == -ENOENT && error.stage == RAMET_STAGE_STEP && error.kind == RAMET_STEP_EXEC,
	       "way %d: missing program: %d, stage %d", (int)way, r, (int)error.stage);
	clock_gettime(CLOCK_MONOTONIC, &before);
	r = ramet_launch(
		&RAMET_SPEC(.program = "/bin/sleep", .argv = WORDS("sleep", "7"), .way = way),
		&task, &error);
	clock_gettime(CLOCK_MONOTONIC, &after);
	if (!expect(r == 0, "sleep: %d", r))
		return;
	expect(after.tv_sec - before.tv_sec < 5, "way %d: the launch took %ld s", (int)way,
	       (long)(after.tv_sec - before.tv_sec));
	expect(ramet_wait(&task, 0, &status) == -ETIMEDOUT, "way %d: wait without time", (int)way);
	r = ramet_kill(&task, SIGTERM);
	if (!expect(r == 0, "way %d: kill %d", (int)way, r))
		kill(task.tid, SIGTERM);
	r = ramet_wait(&task, 20000, &status);
	expect(r == 0 && !status.exited && status.code == SIGTERM, "wait %d, code %d", r,
	       status.code);
	ramet_task_close(&task);
	expect(!world_children(), "way %d: a child is left", (int)way);
}

static void every_way(void *arg)
{
	const struct loss *loss = arg;
	struct world before, after;

	umask(0);
	expect(chdir("/tmp") == 0, "chdir");
	signal(SIGUSR1, nothing);
	signal(SIGPIPE, SIG_IGN);
	sys_sigprocmask(2, &(uint64_t){BIT(SIGUSR2)}, NULL);
	for (unsigned way = RAMET_WAY_HELD; way <= RAMET_WAY_COPY; way++)
		launch_others(way);
	if (loss->rows[0].nr >= 0)
		expect(filter_install(loss->rows), "filter");
	for (unsigned i = 0; i < 2; i++) {
		before = world_take();
		for (unsigned way = RAMET_WAY_HELD; way <= RAMET_WAY_COPY; way++) {
			launch_report(way, lost_by_program(loss, way));
			launch_others(way);
		}
		after = world_take();
	}
	expect(!world_differs(&before, &after), "changed: %s", world_differs(&before, &after));
}

/* ---- Functions --------------------------------------------------------------------------------------- */

static long seen[2];

/* Libc-free: also for tasks that share memory. */
static int look_at_handlers(void *arg)
{
	struct kernel_sigaction action;

	(void)arg;
	sys_sigaction(SIGUSR1, NULL, &action);
	seen[0] = (long)action.handler;
	sys_sigaction(SIGPIPE, NULL, &action);
	seen[1] = (long)action.handler;
	return seen[0] == 0 && seen[1] == 1 ? 5 : 6;
}

/* Handlers are cleared, ignored signals stay so, and the caller's own are as they were. */
static void handlers(void *arg)
{
	const struct loss *loss = arg;
	const struct ramet_spec specs[] = {
		SPEC(.fn = look_at_handlers, .preset = RAMET_PRESET_SPAWN),
		SPEC(.fn = look_at_handlers, .preset = RAMET_PRESET_SPAWN, .stack_size = 65536),
		SPEC(.fn = look_at_handlers, .fresh = RAMET_SIGHAND, .flags = CLONE_NEWUTS,
		     .preset = RAMET_PRESET_FORK),
		SPEC(.fn = look_at_handlers, .fresh = RAMET_SIGHAND, .share = RAMET_MEMORY,
		     .options = RAMET_NO_LIBC),
		SPEC(.fn = look_at_handlers, .share = RAMET_MEMORY, .options = RAMET_NO_LIBC),
	};
	struct ramet_status status;
	struct ramet_error error;
	struct ramet_task task;
	struct sigaction action;
	int r;

	signal(SIGUSR1, nothing);
	signal(SIGPIPE, SIG_IGN);
	if (loss->rows[0].nr >= 0)
		expect(filter_install(loss->rows), "filter");
	for (unsigned i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
		if (geteuid() && specs[i].flags)
			continue;
		r = ramet_launch(&specs[i], &task, &error);
		if (!expect(r == 0, "spec %u: %d, %s", i, r, error.rule ? error.rule : ""))
			continue;
		expect(task.lost == loss->lost, "spec %u: lost %#x", i, task.lost);
		r = ramet_wait(&task, 20000, &status);
		expect(r == 0 && status.exited && status.code == 5,
		       "spec %u: wait %d, code %d, handlers %ld %ld", i, r, status.code, seen[0],
		       seen[1]);
		ramet_task_close(&task);
		sigaction(SIGUSR1, NULL, &action);
		expect(action.sa_handler == nothing, "spec %u: the caller lost its handler", i);
	}
}

/* ---- No way back ----------------------------------------------------------------------------------- */

/* What only clone3 can say: the refusal must reach the user, and clone(2) must not be tried. */
static void only_clone3(void *arg)
{
	const int error_given = *(const int *)arg;
	pid_t tid[] = {31999};
	const struct ramet_spec specs[] = {
		SPEC(.program = room_tiny, .set_tid = tid, .set_tid_size = 1),
		SPEC(.program = room_tiny, .fresh = RAMET_TIME, .copy = RAMET_MEMORY),
		SPEC(.program = room_tiny, .fresh = RAMET_CGROUP, .cgroup = 0),
		SPEC(.program = room_tiny, .flags = CLONE_AUTOREAP, .way = RAMET_WAY_COPY),
	};
	struct world before, after;
	struct ramet_error error;
	struct ramet_task task;
	char text[500];
	int r;

	expect(filter_install(ROWS({SYS_clone3, error_given, 0}, {SYS_clone, EIO, 0})), "filter");
	before = world_take();
	for (unsigned i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
		r = ramet_launch(&specs[i], &task, &error);
		ramet_error_format(&error, text, sizeof(text));
		expect(r == -error_given && error.stage == RAMET_STAGE_CLONE, "spec %u: %d: %s", i,
		       r, text);
	}
	/* And with nothing of the kind clone(2) is tried: EIO. */
	r = ramet_launch(&RAMET_SPEC(.program = room_tiny), &task, &error);
	expect(r == -EIO, "plain: %d", r);
	after = world_take();
	expect(!world_differs(&before, &after), "changed: %s", world_differs(&before, &after));
}

/* Refusals of the kernel itself: clone(2), were it tried, would say EIO. */
static void true_refusals(void *arg)
{
	const struct ramet_spec specs[] = {
		SPEC(.program = room_tiny, .fresh = RAMET_NET),
		SPEC(.program = room_tiny, .fresh = RAMET_UTS, .way = RAMET_WAY_FUTEX),
		SPEC(.program = room_tiny, .fresh = RAMET_MNT | RAMET_PID, .way = RAMET_WAY_COPY),
		SPEC(.fn = look_at_handlers, .fresh = RAMET_IPC),
	};
	struct ramet_error error;
	struct ramet_task task;
	int r;

	(void)arg;
	expect(filter_install(ROWS({SYS_clone, EIO, 0})), "filter");
	for (unsigned i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
		r = ramet_launch(&specs[i], &task, &error);
		expect(r == -EPERM && error.rule &&
			       !strcmp(error.rule, "new-namespace-needs-admin"),
		       "spec %u: %d, rule %s", i, r, error.rule ? error.rule : "none");
	}
	expect(!world_children(), "a child is left");
}

static int give_nine(void *arg)
{
	(void)arg;
	return 9;
}

/* The call itself, ramet_clone3(): the same choice. */
static void call_itself(void *arg)
{
	const int error_given = *(const int *)arg;
	struct clone_args args = {.exit_signal = SIGCHLD};
	struct clone_args special = {.exit_signal = SIGCHLD, .flags = CLONE_CLEAR_SIGHAND};
	int status;
	long pid;

	if (error_given)
		expect(filter_install(ROWS({SYS_clone3, error_given, 0})), "filter");
	for (size_t size = 64; size <= 88; size += 8) {
		pid = ramet_clone3(&args, size, give_nine, NULL);
		expect(pid > 0 && waitpid((pid_t)pid, &status, 0) == pid &&
			       WEXITSTATUS(status) == 9,
		       "size %zu: %ld", size, pid);
		pid = ramet_clone3(&args, size, NULL, NULL);
		if (pid == 0)
			sys_exit_group(8);
		expect(pid > 0 && waitpid((pid_t)pid, &status, 0) == pid &&
			       WEXITSTATUS(status) == 8,
		       "twice, size %zu: %ld", size, pid);
	}
	pid = ramet_clone3(&special, sizeof(special), give_nine, NULL);
	if (!error_given)
		expect(pid > 0 && waitpid((pid_t)pid, NULL, 0) == pid, "%ld", pid);
	else
		expect(pid == -error_given, "%ld", pid);
	pid = ramet_clone3(&args, 8, give_nine, NULL);
	expect(pid == (error_given ? -error_given : -EINVAL), "size 8: %ld", pid);
}

/* ---- Flags that a fallback cannot combine ---------------------------------------------------------- */

/* clone(2) stores the tid where it stores the pidfd; the pidfd can be opened afterwards. */
static void tid_and_pidfd(void *arg)
{
	struct ramet_task task;
	pid_t tid = 0;
	int r;

	(void)arg;
	expect(filter_install(ROWS({SYS_clone3, ENOSYS, 0})), "filter");
	for (unsigned way = RAMET_WAY_HELD; way <= RAMET_WAY_COPY; way++) {
		tid = 0;
		r = ramet_launch(&RAMET_SPEC(.program = room_tiny, .parent_tid = &tid, .way = way),
				 &task, NULL);
		if (!expect(r == 0, "way %u: %d", way, r))
			continue;
		expect(tid == task.tid, "way %u: tid %d", way, tid);
		expect(task.pidfd >= 0 && fcntl(task.pidfd, F_GETFD) == FD_CLOEXEC,
		       "way %u: pidfd %d", way, task.pidfd);
		expect(task.lost == (RAMET_LOST_CLONE3 | RAMET_LOST_PIDFD), "way %u: lost %#x", way,
		       task.lost);
		expect(ramet_wait(&task, 20000, NULL) == 0, "way %u: wait", way);
		ramet_task_close(&task);
	}
}

/* Without any pidfd a task can still be waited for with a timeout, and killed. */
static void no_pidfd_at_all(void *arg)
{
	const bool asked = arg;
	struct ramet_status status;
	struct ramet_task task;
	int r;

	if (!asked)
		expect(filter_install(ROWS({SYS_pidfd_open, ENOSYS, 0})), "filter");
	r = asked ? ramet_launch(&RAMET_SPEC(.program = "/bin/sleep", .argv = WORDS("sleep", "60"),
					     .options = RAMET_NO_PIDFD),
				 &task, NULL)
		  : ramet_fork(NULL, &task, NULL);
	if (r == 0 && !asked) {
		sleep(60);
		_exit(0);
	}
	if (!expect(r >= 0, "launch %d", r))
		return;
	expect(task.pidfd == -1, "pidfd %d", task.pidfd);
	expect(task.lost == (asked ? 0 : RAMET_LOST_PIDFD), "lost %#x", task.lost);
	r = ramet_wait(&task, 100, &status);
	expect(r == -ETIMEDOUT, "wait 100 ms: %d", r);
	expect(ramet_kill(&task, SIGKILL) == 0, "kill");
	r = ramet_wait(&task, 20000, &status);
	expect(r == 0 && status.code == SIGKILL, "wait %d, code %d", r, status.code);
}

int main(int argc, char **argv)
{
	static const int errors[] = {ENOSYS, EPERM, 0};

	report_main(argc, argv);
	room_make();
	snprintf(report_path, sizeof(report_path), "%s/report", room_dir);
	report_file(report_path);
	for (unsigned i = 0; i < sizeof(losses) / sizeof(losses[0]); i++) {
		cell_run(WHO_ANY, 60, every_way, (void *)&losses[i], "programs: %s",
			 losses[i].name);
		cell_run(WHO_NOBODY, 60, every_way, (void *)&losses[i], "programs: %s",
			 losses[i].name);
		cell_run(WHO_ANY, 60, handlers, (void *)&losses[i], "functions: %s",
			 losses[i].name);
	}
	for (unsigned i = 0; i < 3; i++) {
		if (errors[i])
			cell_run(WHO_ROOT, 20, only_clone3, (void *)&errors[i],
				 "clone3 alone can say it: %s", strerror(errors[i]));
		cell_run(WHO_ANY, 20, call_itself, (void *)&errors[i], "ramet_clone3: %s",
			 errors[i] ? strerror(errors[i]) : "there");
	}
	cell_run(WHO_NOBODY, 20, true_refusals, NULL, "refused by the kernel: no fallback");
	cell_run(WHO_ANY, 20, tid_and_pidfd, NULL, "clone3 missing, tid and pidfd both asked");
	cell_run(WHO_ANY, 20, no_pidfd_at_all, NULL, "no pidfd to be had");
	cell_run(WHO_ANY, 20, no_pidfd_at_all, (void *)report_name, "no pidfd asked for");
	unlink(report_path);
	return tap_done();
}
