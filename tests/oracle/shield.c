/* SPDX-License-Identifier: MIT */
/*
 * A child that shares the caller's memory in a cgroup with hardly any memory: exec wants more while
 * the memory is still shared, and the out-of-memory killer kills all that share it with the process
 * it picks. The caller must live, whatever becomes of the child, and must know what became of it.
 * With another user as well, who may stop the child, it must not be held either.
 *
 * Seen to fail, in a copy of the tree: the shield's child without CLONE_VFORK (the caller is
 * killed), a shield that is not waited for (a zombie stays).
 */
#include <signal.h>
#include <sys/resource.h>

#include "lib/cell.h"
#include "lib/room.h"
#include "lib/world.h"
#include "uapi/clone.h"

#include <ramet/ramet.h>

#define TARGET 54321 /* nobody else's: all its processes are stopped */
#define SLOW_STEPS 200
#define LIMIT "65536"

static char group[96], procs[128];
static bool is_v1;

static bool write_text(const char *name, const char *text)
{
	char path[200];
	const int fd = (snprintf(path, sizeof(path), "%s/%s", group, name),
			open(path, O_WRONLY | O_CLOEXEC));
	const bool good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return good;
}

/* A cgroup with its own memory limit, of either version. */
static bool make_group(void)
{
	static const struct {
		const char *top, *limit;
		bool v1;
	} places[] = {
		{"/sys/fs/cgroup/memory", "memory.limit_in_bytes", true},
		{"/sys/fs/cgroup/unified", "memory.max", false},
		{"/sys/fs/cgroup", "memory.max", false},
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		snprintf(group, sizeof(group), "%s/ramet-shield-%d", places[i].top, getpid());
		if (mkdir(group, 0755) < 0)
			continue;
		snprintf(procs, sizeof(procs), "%s/cgroup.procs", group);
		is_v1 = places[i].v1;
		if (write_text(places[i].limit, LIMIT))
			return true;
		rmdir(group);
	}
	return false;
}

static void remove_group(void)
{
	for (int i = 0; i < 200 && rmdir(group) < 0 && errno == EBUSY; i++)
		usleep(10000);
}

/* Arguments that take a megabyte: more than the group may have. */
static char **large_arguments(void)
{
	static char *argv[12];

	argv[0] = room_tiny;
	for (int i = 1; i < 11; i++) {
		argv[i] = calloc(1, 100001);
		memset(argv[i], 'x', 100000);
	}
	return argv;
}

/* ---- Out of memory ----------------------------------------------------------------------------- */

struct row {
	const char *name;
	bool other_user;
	enum ramet_way way; /* that it must have been */
	unsigned timeout_ms;
};

static void starved(void *arg)
{
	const struct row *row = arg;
	const struct ramet_step user[] = {RAMET_CGROUP_DIR(group),
					  RAMET_UID(TARGET),
					  RAMET_GID(TARGET),
					  {0}},
				none[] = {RAMET_CGROUP_DIR(group), {0}};
	const struct ramet_spec spec = RAMET_SPEC(.program = room_tiny, .argv = large_arguments(),
						  .timeout_ms = row->timeout_ms,
						  .steps = row->other_user ? user : none);
	struct world before, after;
	struct ramet_error error;
	struct ramet_task task;
	char plan[2000];
	int failed = 0;

	expect(ramet_plan_format(&spec, plan, sizeof(plan), NULL) > 0 &&
		       strstr(plan, ramet_way_name(row->way)),
	       "plan: %s", plan);
	expect(!(row->other_user || row->timeout_ms) || strstr(plan, "between them is held"),
	       "no shield: %s", plan);
	for (int i = 0; i < 8; i++) {
		int r = ramet_launch(&spec, &task, &error);

		if (i == 2)
			before = world_take();
		failed += r < 0;
		if (r == 0) {
			r = ramet_wait(&task, 20000, NULL);
			ramet_task_close(&task);
			expect(r == 0, "wait %d", r);
			continue;
		}
		expect(r == -E2BIG || r == -ENOMEM || r == -ECANCELED || r == -EFAULT,
		       "launch %d, %s", r, error.detail);
	}
	after = world_take();
	expect(!world_differs(&before, &after), "changed: %s", world_differs(&before, &after));
	expect(after.children == 0, "a child is left");
	expect(failed > 0, "the limit was not felt");
	cell->number[0] = 1; /* still alive */
}

/* ---- A child that another user stops ----------------------------------------------------------- */

/* A long way to go after the change of user. */
static void add_slow_steps(struct ramet_step *steps)
{
	static char path[4000];

	while (strlen(path) < sizeof(path) - 10)
		strcat(path, "/usr/..");
	for (int i = 0; i < SLOW_STEPS; i++)
		steps[i] = (struct ramet_step)RAMET_CWD(path);
	steps[SLOW_STEPS] = (struct ramet_step){0};
}

static void stopped(void *arg)
{
	struct ramet_step steps[3 + SLOW_STEPS + 1] = {RAMET_CGROUP_DIR(group), RAMET_UID(TARGET),
						       RAMET_GID(TARGET)};
	const struct ramet_spec spec =
		RAMET_SPEC(.program = room_tiny, .timeout_ms = 200, .steps = steps);
	struct timespec begin, end;
	int held = 0;
	pid_t attacker;

	(void)arg;
	add_slow_steps(steps + 3);
	attacker = fork();
	if (!attacker) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (setresgid(TARGET, TARGET, TARGET) < 0 || setresuid(TARGET, TARGET, TARGET) < 0)
			_exit(1);
		for (;;)
			kill(-1, SIGSTOP); /* all of this user's but itself */
	}
	usleep(100000);
	for (int i = 0; i < 60; i++) {
		struct ramet_task task;
		int r;

		clock_gettime(CLOCK_MONOTONIC, &begin);
		r = ramet_launch(&spec, &task, NULL);
		clock_gettime(CLOCK_MONOTONIC, &end);
		expect(end.tv_sec - begin.tv_sec < 4, "held for %ld s",
		       (long)(end.tv_sec - begin.tv_sec));
		if (r == 0) {
			expect(ramet_kill(&task, SIGKILL) == 0 &&
				       ramet_wait(&task, 5000, NULL) == 0,
			       "kill");
			ramet_task_close(&task);
		} else {
			expect(r == -ETIMEDOUT || r == -ECANCELED, "launch %d", r);
			held += r == -ETIMEDOUT;
		}
	}
	kill(attacker, SIGKILL);
	waitpid(attacker, NULL, 0);
	cell->number[0] = held;
	cell_note("%d of 60 children were stopped on their way\n", held);
}

/* ---- A new pid namespace would begin with the shield -------------------------------------------- */

static void next_is_an_init(void *arg)
{
	const struct ramet_spec spec =
		RAMET_SPEC(.program = room_tiny,
			   .steps = RAMET_STEPS(RAMET_CGROUP_DIR(group), RAMET_UID(TARGET),
						RAMET_GID(TARGET)));
	struct ramet_task task;
	char plan[2000];
	int r;

	(void)arg;
	if (!expect(sys1(SYS_unshare, CLONE_NEWPID) == 0, "unshare"))
		return;
	expect(ramet_plan_format(&spec, plan, sizeof(plan), NULL) > 0 &&
		       !strstr(plan, "between them is held"),
	       "%s", plan);
	r = ramet_launch(&spec, &task, NULL);
	/* In so little memory it may not come to run; but it must not be refused for its number. */
	expect(r == 0 || r == -ENOMEM || r == -ECANCELED || r == -E2BIG, "launch %d", r);
	if (r == 0) {
		r = ramet_wait(&task, 20000, NULL);
		expect(r == 0, "wait %d", r);
		ramet_task_close(&task);
	}
}

/* What a task that shares memory writes there is all its processes', but for a child of vfork. */
static void killers_order(void *arg)
{
	const struct ramet_spec spec =
		RAMET_SPEC(.program = room_tiny,
			   .steps = RAMET_STEPS(RAMET_OOM_SCORE_ADJ(500), RAMET_UID(TARGET),
						RAMET_GID(TARGET)));
	char mine[32] = "";
	struct ramet_task task;
	int fd, r = ramet_launch(&spec, &task, NULL);

	(void)arg;
	if (!expect(r == 0, "launch %d", r))
		return;
	r = ramet_wait(&task, 20000, NULL);
	expect(r == 0 && task.way == RAMET_WAY_FUTEX, "wait %d, way %d", r, (int)task.way);
	ramet_task_close(&task);
	fd = open("/proc/self/oom_score_adj", O_RDONLY | O_CLOEXEC);
	expect(fd >= 0 && read(fd, mine, sizeof(mine) - 1) > 0 && atoi(mine) == 0,
	       "the caller's is %s", mine);
	close(fd);
}

int main(void)
{
	static const struct row rows[] = {
		{"held", false, RAMET_WAY_HELD, 0},
		{"another user", true, RAMET_WAY_FUTEX, 0},
		{"another user and a deadline", true, RAMET_WAY_FUTEX, 10000},
		{"a deadline", false, RAMET_WAY_FUTEX, 10000},
	};

	if (geteuid() != 0 || !make_group()) {
		skip(1, geteuid() ? "needs root" : "needs a memory controller");
		return tap_done();
	}
	room_make();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (cell_run(WHO_ROOT, 60, starved, (void *)&rows[i],
			     "the caller outlives a child without memory: %s", rows[i].name))
			ok(cell->number[0] == 1, "to the end");
	cell_run(WHO_ROOT, 60, killers_order, NULL, "oom_score_adj of the child alone");
	cell_run(WHO_ROOT, 90, next_is_an_init, NULL, "no shield where it would be an init");
	write_text(is_v1 ? "memory.limit_in_bytes" : "memory.max", "67108864");
	if (cell_run(WHO_ROOT, 120, stopped, NULL,
		     "stopped by its new user, the child holds nobody"))
		ok(cell->number[0] >= 3, "%ld of 60 were stopped", cell->number[0]);
	remove_group();
	return tap_done();
}
