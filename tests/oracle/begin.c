/* SPDX-License-Identifier: MIT */
/*
 * Launches that are begun and ended later: nothing of the caller's changes what becomes of them,
 * the descriptor and the dispatcher tell when they are over, failures name the step, and nothing
 * stays. How often the caller was in fact quicker than the child is printed, with a floor.
 *
 * Seen to fail, in a copy of the tree: no copy of the steps (the texts are overwritten), the
 * child's table shared with a caller that closes, no place of its own for the descriptor that tells
 * (a DUP to its number closes it).
 */
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>

#include "lib/cell.h"
#include "lib/clock.h"
#include "lib/filter.h"
#include "lib/room.h"
#include "lib/world.h"
#include "uapi/clone.h"

#include <ramet/ramet.h>

#define MANY 1000
#define LATE 5 /* that are to be seen killed at their deadline */

static char shell[] = "sh", option[] = "-c";

static int wait_for(struct ramet_task *task)
{
	struct ramet_status status = {0};
	const int r = ramet_wait(task, 20000, &status);

	ramet_task_close(task);
	return r < 0 ? r : status.exited ? status.code : 128 + status.code;
}

/* ---- The caller goes on ---------------------------------------------------------------------- */

/* All that the spec points at is overwritten, and the descriptor closed, as soon as it returns. */
static void overwritten(void *arg)
{
	long quick = 0;

	(void)arg;
	for (int i = 0; i < 300; i++) {
		char script[] = "test \"$V\" = right && test \"$1\" = right && read x <&9 && "
				"test \"$x\" = right && test \"$PWD\" = /usr",
		     right[] = "right", variable[] = "V=right", cwd[] = "/usr", sh[] = "/bin/sh";
		char *argv[] = {shell, option, script, shell, right, NULL},
		     *envp[] = {variable, NULL};
		struct ramet_step steps[] = {RAMET_CWD(cwd),
					     RAMET_DUP(0, 9),
					     RAMET_CLOSE_REST(),
					     {.kind = RAMET_STEP_END}};
		struct ramet_launching *b;
		struct ramet_task task;
		int ends[2], r;

		if (!expect(pipe2(ends, O_CLOEXEC) == 0 && write(ends[1], "right\n", 6) == 6,
			    "pipe"))
			return;
		steps[1].number = ends[0];
		r = ramet_launch_begin(
			&RAMET_SPEC(.program = sh, .argv = argv, .envp = envp, .steps = steps), &b,
			NULL);
		memset(script, 'x', sizeof(script) - 1);
		memset(right, 'x', sizeof(right) - 1);
		memset(variable, 'x', sizeof(variable) - 1);
		memset(cwd, 'x', sizeof(cwd) - 1);
		memset(sh, 'x', sizeof(sh) - 1);
		memset(argv, 0, sizeof(argv));
		memset(steps, 0, sizeof(steps));
		close(ends[0]);
		close(ends[1]);
		if (!expect(r == 0, "begin %d", r))
			return;
		r = ramet_launch_end(b, 0, &task, NULL);
		quick += r == -EINPROGRESS;
		if (r == -EINPROGRESS)
			r = ramet_launch_end(b, -1, &task, NULL);
		if (!expect(r == 0, "end %d", r))
			return;
		expect((r = wait_for(&task)) == 0, "round %d: status %d", i, r);
	}
	cell->number[0] = quick;
	cell_note("quicker than the child in %ld of 300\n", quick);
}

/* ---- The descriptor that tells --------------------------------------------------------------- */

static void told_by_descriptor(void *arg)
{
	static const enum ramet_way ways[] = {RAMET_WAY_FUTEX, RAMET_WAY_HELPER, RAMET_WAY_COPY};
	struct world before, after;

	(void)arg;
	for (unsigned i = 0; i < 60; i++) {
		const bool fails = i % 4 == 3;
		struct pollfd p = {.events = POLLIN};
		struct ramet_launching *b;
		struct ramet_error error;
		struct ramet_task task;
		int r;

		if (i == 12)
			before = world_take();
		r = ramet_launch_begin(
			&RAMET_SPEC(.program = fails ? room_nothing : room_tiny, .way = ways[i % 3],
				    .options = RAMET_DONE_FD,
				    .steps = RAMET_STEPS(RAMET_DUP(0, 3), RAMET_DUP(0, 4),
							 RAMET_DUP(0, 5), RAMET_DUP(0, 6),
							 RAMET_DUP(0, 7), RAMET_CLOSE_REST())),
			&b, &error);
		if (!expect(r == 0, "way %u: begin %d", i % 3, r))
			return;
		expect(ramet_launching_tid(b) > 0 && ramet_launching_pidfd(b) >= 0, "tid, pidfd");
		p.fd = ramet_launching_fd(b);
		expect(p.fd >= 0 && poll(&p, 1, 10000) == 1, "way %u: not told", i % 3);
		r = ramet_launch_end(b, 0, &task, &error);
		if (fails) {
			expect(r == -ENOENT && error.kind == RAMET_STEP_EXEC, "way %u: %d, kind %u",
			       i % 3, r, error.kind);
			continue;
		}
		if (expect(r == 0, "way %u: end %d", i % 3, r))
			expect(wait_for(&task) == 0, "status");
	}
	after = world_take();
	expect(!world_differs(&before, &after), "changed: %s", world_differs(&before, &after));
}

/* ---- Many ------------------------------------------------------------------------------------ */

static struct {
	unsigned right, wrong;
	struct ramet_task tasks[MANY];
	unsigned tasks_count;
} heard;

static void hear(void *context, size_t index, int result, struct ramet_task *task,
		 const struct ramet_error *error)
{
	const bool fails = index % 5 == 4;

	(void)context;
	if (fails ? result == -ENOENT && error->kind == RAMET_STEP_CWD
		  : result == 0 && task != NULL)
		heard.right++;
	else
		heard.wrong++;
	if (task)
		heard.tasks[heard.tasks_count++] = *task;
}

static void many(void *arg)
{
	static struct ramet_launching *list[MANY];
	const struct rlimit files = {4096, 4096};
	const unsigned count = *(const unsigned *)arg;
	unsigned told = 0;
	int r;

	setrlimit(RLIMIT_NOFILE, &files);
	memset(&heard, 0, sizeof(heard));
	for (unsigned i = 0; i < count; i++) {
		r = ramet_launch_begin(&RAMET_SPEC(.program = room_tiny,
						   .steps = RAMET_STEPS(RAMET_CWD(
							   i % 5 == 4 ? room_nothing : "/"))),
				       &list[i], NULL);
		if (!expect(r == 0, "begin %u: %d", i, r))
			return;
	}
	while (told < count) {
		r = ramet_launch_dispatch(list, count, 20000, hear, NULL);
		if (!expect(r > 0, "dispatch %d, %u told", r, told))
			return;
		told += (unsigned)r;
	}
	expect(heard.right == count && !heard.wrong, "%u right, %u wrong", heard.right,
	       heard.wrong);
	for (unsigned i = 0; i < heard.tasks_count; i++)
		if (!expect(wait_for(&heard.tasks[i]) == 0, "status of %u", i))
			return;
	expect(ramet_launch_dispatch(list, count, 0, hear, NULL) == 0, "an empty list");
}

/* ---- Killed, forked, out of time -------------------------------------------------------------- */

static void killed(void *arg)
{
	long early = 0;

	(void)arg;
	for (int i = 0; i < 300; i++) {
		struct ramet_launching *b;
		struct ramet_error error;
		struct ramet_task task;
		int r = ramet_launch_begin(&RAMET_SPEC(.program = room_tiny), &b, NULL);

		if (!expect(r == 0, "begin %d", r))
			return;
		kill(ramet_launching_tid(b), SIGKILL);
		r = ramet_launch_end(b, 5000, &task, &error);
		if (r == 0)
			expect(wait_for(&task) >= 0, "status");
		else
			expect(r == -ECANCELED && error.stage == RAMET_STAGE_DIED,
			       "end %d, stage %d", r, (int)error.stage);
		early += r < 0;
	}
	cell->number[0] = early;
	cell_note("%ld of 300 were killed before exec\n", early);
}

/* A fork while launches are under way: its words never change, its pool is empty. */
static void forked(void *arg)
{
	(void)arg;
	for (int i = 0; i < 50; i++) {
		struct ramet_launching *b;
		struct ramet_task task;
		int status, r;
		pid_t pid;

		if (!expect(ramet_launch_begin(&RAMET_SPEC(.program = room_tiny), &b, NULL) == 0,
			    "begin"))
			return;
		pid = fork();
		if (!pid) {
			alarm(10);
			if (ramet_launch_end(b, -1, &task, NULL) != -ECHILD)
				_exit(1);
			if (ramet_launch_begin(&RAMET_SPEC(.program = room_tiny), &b, NULL) < 0 ||
			    ramet_launch_end(b, -1, &task, NULL) < 0 || wait_for(&task) != 0)
				_exit(2);
			_exit(0);
		}
		r = ramet_launch_end(b, -1, &task, NULL);
		if (expect(r == 0, "end %d", r))
			expect(wait_for(&task) == 0, "status");
		expect(waitpid(pid, &status, 0) == pid && status == 0, "in the fork: %#x", status);
	}
}

/*
 * Stopped on its way, a child is killed at its deadline, and not before. Some come to exec first,
 * and a stall of the test may take all the time of another: it goes on until it has seen enough.
 */
static void deadline(void *arg)
{
	struct world before, after;
	long late = 0, rounds;

	(void)arg;
	for (rounds = 0; rounds < 400 && late < LATE; rounds++) {
		struct ramet_launching *b;
		struct ramet_error error;
		struct ramet_task task;
		bool in_progress;
		int64_t begun;
		int r;

		if (rounds == 3)
			before = world_take();
		begun = now_ms();
		r = ramet_launch_begin(&RAMET_SPEC(.program = room_tiny, .timeout_ms = 60), &b,
				       NULL);
		if (!expect(r == 0, "begin %d", r))
			return;
		kill(ramet_launching_tid(b), SIGSTOP);
		r = ramet_launch_end(b, 10, &task, &error);
		if (r == 0) { /* it had come to exec */
			expect(ramet_kill(&task, SIGKILL) == 0 && wait_for(&task) >= 0, "end");
			continue;
		}
		in_progress = r == -EINPROGRESS;
		if (in_progress)
			r = ramet_launch_end(b, 5000, &task, &error);
		if (!expect(r == -ETIMEDOUT && error.stage == RAMET_STAGE_DIED, "round %ld: %d",
			    rounds, r) ||
		    !expect(now_ms() >= begun + 60, "round %ld: too early", rounds))
			return;
		late += in_progress;
	}
	after = world_take();
	expect(after.children == 0 && after.mappings == before.mappings, "something is left");
	cell->number[0] = late;
	cell->number[1] = rounds;
}

static void out_of_time(void *arg)
{
	struct ramet_launching *b;
	struct ramet_error error;
	struct ramet_task task;
	struct timespec pause = {.tv_nsec = 150000000};
	siginfo_t info;
	int r;

	(void)arg;
	r = ramet_launch_begin(&RAMET_SPEC(.program = room_tiny, .timeout_ms = 100,
					   .steps = RAMET_STEPS(RAMET_RLIMIT(RLIMIT_CPU, 1, 1))),
			       &b, NULL);
	if (!expect(r == 0, "begin %d", r))
		return;
	nanosleep(&pause, NULL);
	expect(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT | __WALL) == 0, "the program ends");
	r = ramet_launch_end(b, 0, &task, &error);
	if (expect(r == 0, "what came in time is right though it is asked for late: %d", r))
		wait_for(&task);
}

/* ---- What is refused, and which way it goes ---------------------------------------------------- */

static int nothing(void *arg)
{
	(void)arg;
	return 0;
}

static void refused_by(const char *rule, const struct ramet_spec *spec, int want)
{
	struct ramet_launching *b;
	struct ramet_error error = {0};
	const int r = ramet_launch_begin(spec, &b, &error);

	expect(r == want && error.rule && !strcmp(error.rule, rule), "%s: %d, rule %s", rule, r,
	       error.rule ? error.rule : "none");
}

static void refusals(void *arg)
{
	(void)arg;
	refused_by("begin-needs-program", &RAMET_SPEC(.fn = nothing), -EINVAL);
	refused_by("begin-cannot-be-held", &RAMET_SPEC(.program = room_tiny, .flags = CLONE_VFORK),
		   -EINVAL);
	refused_by(
		"done-fd-needs-own-table",
		&RAMET_SPEC(.program = room_tiny, .share = RAMET_FILES, .options = RAMET_DONE_FD),
		-EINVAL);
	refused_by("way-cannot", &RAMET_SPEC(.program = room_tiny, .way = RAMET_WAY_HELD), -EINVAL);
}

static void ways(void *arg)
{
	static const struct {
		struct ramet_step step;
		enum ramet_way way;
	} rows[] = {
		{RAMET_UMASK(022), RAMET_WAY_FUTEX},
		{RAMET_UID(65534), RAMET_WAY_HELPER},
		{RAMET_CGROUP_DIR("/nothing"), RAMET_WAY_HELPER},
	};

	(void)arg;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ramet_launching *b;
		struct ramet_task task;
		int r = ramet_launch_begin(
			&RAMET_SPEC(.program = room_tiny,
				    .steps = (const struct ramet_step[]){rows[i].step, {0}}),
			&b, NULL);

		if (!expect(r == 0, "row %zu: begin %d", i, r))
			continue;
		r = ramet_launch_end(b, -1, &task, NULL);
		if (i == 2) {
			expect(r == -ENOENT, "row 2: end %d", r);
			continue;
		}
		if (!expect(r == 0 && task.way == rows[i].way, "row %zu: end %d, way %d", i, r,
			    (int)task.way))
			continue;
		wait_for(&task);
	}
}

/* ---- No other way ------------------------------------------------------------------------------ */

static void no_fallback(void *arg)
{
	const struct {
		int nr, error;
		struct ramet_spec spec;
		int want;
	} rows[] = {
		{SYS_clone3, ENOSYS, {0}, -ENOSYS},
		{SYS_close_range, EPERM, {.steps = RAMET_STEPS(RAMET_CLOSE_REST())}, -EOPNOTSUPP},
		{SYS_memfd_create, ENOSYS, {.way = RAMET_WAY_HELPER}, -EOPNOTSUPP},
	};
	struct ramet_error error;
	struct ramet_task task;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ramet_spec spec = rows[i].spec;
		int r;

		if (i != (size_t)arg)
			continue;
		spec.size = sizeof(spec);
		spec.program = room_tiny;
		expect(ramet_launch(&spec, &task, NULL) == 0 && wait_for(&task) == 0,
		       "row %zu without a filter", i);
		expect(filter_install((const struct filter_row[]){{rows[i].nr, rows[i].error, 0},
								  {-1, 0, 0}}),
		       "filter");
		spec.options = RAMET_NO_FALLBACK;
		r = ramet_launch(&spec, &task, &error);
		expect(r == rows[i].want, "row %zu: %d, %s", i, r, error.detail);
		if (r == -EOPNOTSUPP)
			expect(error.rule && !strcmp(error.rule, "no-fallback"), "rule");
		spec.options = 0;
		r = ramet_launch(&spec, &task, NULL);
		if (expect(r == 0, "row %zu with fallback: %d", i, r)) {
			expect(task.lost != 0, "row %zu: nothing lost", i);
			wait_for(&task);
		}
	}
}

int main(void)
{
	unsigned count = MANY, few = 100;

	room_make();
	if (cell_run(WHO_ANY, 120, overwritten, NULL,
		     "what the caller does afterwards changes nothing"))
		ok(cell->number[0] >= 20, "the caller was quicker in %ld of 300", cell->number[0]);
	cell_run(WHO_NOBODY, 120, overwritten, NULL,
		 "what the caller does afterwards changes nothing");
	cell_run(WHO_ANY, 60, told_by_descriptor, NULL, "a descriptor tells");
	cell_run(WHO_NOBODY, 60, told_by_descriptor, NULL, "a descriptor tells");
	cell_run(WHO_ANY, 60, many, &count, "a thousand under way");
	cell_run(WHO_NOBODY, 60, many, &few, "a hundred under way");
	if (cell_run(WHO_ANY, 60, killed, NULL, "killed at any moment"))
		ok(cell->number[0] >= 20, "%ld of 300 were killed before exec", cell->number[0]);
	cell_run(WHO_ANY, 60, forked, NULL, "a fork while they are under way");
	if (cell_run(WHO_ANY, 60, deadline, NULL, "killed at the deadline"))
		ok(cell->number[0] >= LATE, "%ld of %ld were", cell->number[0], cell->number[1]);
	cell_run(WHO_ANY, 60, out_of_time, NULL, "ended later than its time");
	cell_run(WHO_ANY, 30, refusals, NULL, "what cannot be begun");
	cell_run(WHO_ROOT, 30, ways, NULL, "memory of its own where others could reach it");
	for (size_t i = 0; i < 3; i++)
		cell_run(WHO_ANY, 30, no_fallback, (void *)i, "no other way, row %zu", i);
	return tap_done();
}
