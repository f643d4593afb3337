/* SPDX-License-Identifier: MIT */
/*
 * Programs that ramet lives in: they fork while launches are in flight, ignore SIGCHLD, wait for
 * any child in a loop, run under valgrind. Launches stay right there, or say what is lost.
 *
 * Seen to fail with the mend taken out, in a copy of the tree: no MADV_WIPEONFORK ("slots in a
 * fork"); programs made with SIGCHLD as exit signal at once ("failed launches are
 * nobody's children"); host_shares_memory() that says yes ("valgrind"); an init that leaves SIGCHLD
 * ignored ("SIGCHLD ignored, behind init"); id maps written while the memory is guarded ("id maps
 * beside changes of identity").
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>

#include "launch/slot.h"
#include "lib/cell.h"
#include "lib/clock.h"
#include "lib/room.h"
#include "lib/walk.h"
#include "lib/world.h"
#include "uapi/clone.h"

#include <ramet/ramet.h>

static volatile int enough;

static int seven(void *arg)
{
	(void)arg;
	return 7;
}

/* ---- Forks while launches are in flight ---------------------------------------------------------- */

/* Every way and shape once; 0, or the number of the one that went wrong. */
static int launch_all(bool identities)
{
	const struct ramet_spec specs[] = {
		RAMET_SPEC(.program = room_tiny, .way = RAMET_WAY_FUTEX),
		RAMET_SPEC(.program = room_tiny, .way = RAMET_WAY_COPY),
		RAMET_SPEC(.program = room_tiny),
		RAMET_SPEC(.fn = seven, .share = RAMET_MEMORY, .options = RAMET_NO_LIBC),
		RAMET_SPEC(.program = room_nothing, .way = RAMET_WAY_FUTEX),
		RAMET_SPEC(.program = room_tiny,
			   .steps = RAMET_STEPS(RAMET_UID(65534), RAMET_KEEP_GROUPS())),
	};
	struct ramet_status status;
	struct ramet_task task;
	int r;

	for (unsigned i = 0; i < (identities && !geteuid() ? 6u : 5u); i++) {
		r = ramet_launch(&specs[i], &task, NULL);
		if (r != (i == 4 ? -ENOENT : 0))
			return 1 + (int)i;
		if (r < 0)
			continue;
		r = ramet_wait(&task, -1, &status);
		ramet_task_close(&task);
		if (r || !status.exited || status.code != (i == 3 ? 7 : 0))
			return 101 + (int)i;
	}
	return 0;
}

static void *launch_on(void *arg)
{
	(void)arg;
	while (!enough)
		if (launch_all(true))
			return (void *)1;
	return NULL;
}

/*
 * In a child of fork() a launch under another uid that its maker had in flight is no concern. A raw
 * clone runs no fork handlers, so what they mend is not asked of it: another identity.
 */
static int launch_in_fork(bool by_libc)
{
	const int r = launch_all(by_libc);

	return r ? r : by_libc && prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 1 ? 50 : 0;
}

static pid_t fork_raw(void)
{
	const struct clone_args args = {.exit_signal = SIGCHLD};

	return (pid_t)ramet_clone3(&args, sizeof(args), NULL, NULL);
}

/* A child that hangs is killed; that is what is looked for. */
static bool child_ends(pid_t pid, int *status, int ms)
{
	const int64_t end = now_ms() + ms;
	pid_t r;

	while ((r = waitpid(pid, status, WNOHANG)) == 0 && now_ms() < end)
		usleep(500);
	if (r == pid)
		return true;
	kill(pid, SIGKILL);
	waitpid(pid, status, 0);
	return false;
}

static void forks(void *arg)
{
	pid_t (*const make)(void) = *(pid_t(**)(void))arg;
	const int64_t end = now_ms() + 2500;
	pthread_t threads[4];
	unsigned made = 0;
	void *failed;
	int status;
	pid_t pid;

	if (SANITIZED) {
		cell_skip("the sanitizer's allocator does not survive a fork beside threads");
		return;
	}
	for (unsigned i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, launch_on, NULL);
	for (; now_ms() < end; made++) {
		pid = make();
		if (pid == 0)
			sys_exit_group(launch_in_fork(make == fork));
		if (!expect(pid > 0, "fork %d", pid) ||
		    !expect(child_ends(pid, &status, 20000), "fork %u hangs in a launch", made) ||
		    !expect(status == 0, "fork %u: launch %d went wrong", made, status >> 8))
			break;
	}
	enough = 1;
	for (unsigned i = 0; i < 4; i++) {
		pthread_join(threads[i], &failed);
		expect(!failed, "a launch beside the forks went wrong");
	}
	cell_note("%u forks beside launches\n", made);
	expect(made >= tap_scaled(20), "%u forks", made);
	expect(!world_children(), "a child is left");
}

/* ---- Launches that want opposite things of the caller -------------------------------------------------- */

/* Id maps need the caller readable, a change of identity needs it unreadable: by turns. */
static void *map_and_change(void *arg)
{
	const struct ramet_spec specs[] = {
		RAMET_SPEC(.program = room_tiny, .fresh = RAMET_USER,
			   .steps = RAMET_STEPS(RAMET_ID_MAP(NULL, NULL), RAMET_UID(0),
						RAMET_KEEP_GROUPS())),
		RAMET_SPEC(.program = room_tiny, .fresh = RAMET_USER,
			   .steps = RAMET_STEPS(RAMET_ID_MAP(NULL, NULL))),
		RAMET_SPEC(.program = room_tiny, .fresh = RAMET_USER, .way = RAMET_WAY_COPY,
			   .steps = RAMET_STEPS(RAMET_ID_MAP(NULL, NULL), RAMET_UID(0),
						RAMET_KEEP_GROUPS())),
		RAMET_SPEC(.program = room_tiny,
			   .steps = RAMET_STEPS(RAMET_UID(geteuid()), RAMET_KEEP_GROUPS())),
	};
	char *text = arg;
	struct ramet_error error;
	struct ramet_status status;
	struct ramet_task task;
	int r;

	for (unsigned i = 0; i < 150 && !enough; i++) {
		r = ramet_launch(&specs[i % 4], &task, &error);
		if (r < 0) {
			ramet_error_format(&error, text, 200);
			return arg;
		}
		r = ramet_wait(&task, -1, &status);
		ramet_task_close(&task);
		if (r < 0 || status.code) {
			snprintf(text, 200, "wait %d, code %d", r, status.code);
			return arg;
		}
	}
	return NULL;
}

static void opposites(void *arg)
{
	static char text[6][200];
	pthread_t threads[6];
	void *failed;

	(void)arg;
	for (unsigned i = 0; i < 6; i++)
		pthread_create(&threads[i], NULL, map_and_change, text[i]);
	for (unsigned i = 0; i < 6; i++) {
		pthread_join(threads[i], &failed);
		expect(!failed, "%s", text[i]);
	}
	expect(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 1, "the caller stays unreadable");
	expect(!world_children(), "a child is left");
}

/* ---- The pool ------------------------------------------------------------------------------------------ */

/* Slots taken and given all the time, so that the pool is locked half of the time. */
static void *take_and_give(void *arg)
{
	struct slot *slot;

	(void)arg;
	while (!enough) {
		slot = slot_take(SLOT_STACK, 32768);
		if (slot)
			slot_give(slot);
	}
	return NULL;
}

static void slots_in_a_fork(void *arg)
{
	const int64_t end = now_ms() + 1500;
	pthread_t threads[3];
	struct slot *slots[3];
	unsigned made = 0;
	int status;
	pid_t pid;

	(void)arg;
	for (unsigned i = 0; i < 3; i++)
		pthread_create(&threads[i], NULL, take_and_give, NULL);
	for (; now_ms() < end; made++) {
		pid = made % 2 ? fork() : fork_raw();
		if (pid == 0) {
			for (unsigned i = 0; i < 3; i++)
				slots[i] = slot_take(SLOT_STACK, 32768);
			for (unsigned i = 0; i < 3; i++)
				slot_give(slots[i]);
			sys_exit_group(0);
		}
		if (!expect(child_ends(pid, &status, 10000), "fork %u hangs", made) ||
		    !expect(status == 0, "fork %u: %#x", made, status))
			break;
	}
	enough = 1;
	for (unsigned i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	expect(made >= tap_scaled(50), "%u forks", made);
}

/* ---- Hosts with habits ------------------------------------------------------------------------------- */

static void *reap_all(void *arg)
{
	const int options = *(const int *)arg;

	while (!enough)
		if (waitpid(-1, NULL, options) < 0)
			sched_yield();
	return NULL;
}

/* Each launch tells the truth; whose status it is in the end is another matter. */
static void launch_among_reapers(bool all_children)
{
	const struct ramet_step *fails = RAMET_STEPS(RAMET_CWD("/"), RAMET_CWD(room_nothing));
	struct ramet_spec spec;
	struct ramet_error error;
	struct ramet_task task;
	int r;

	for (unsigned i = 0; i < 600; i++) {
		spec = RAMET_SPEC(.program = i % 3 == 1 ? room_nothing : room_tiny,
				  .steps = i % 3 == 2 ? fails : NULL,
				  .way = i / 3 % 3 + RAMET_WAY_HELD);
		r = ramet_launch(&spec, &task, &error);
		if (i % 3) {
			expect(r == -ENOENT && error.stage == RAMET_STAGE_STEP &&
				       error.kind ==
					       (i % 3 == 1 ? RAMET_STEP_EXEC : RAMET_STEP_CWD),
			       "launch %u, way %d: %d, stage %d, kind %u", i, (int)spec.way, r,
			       (int)error.stage, error.kind);
			continue;
		}
		if (!expect(r == 0, "launch %u, way %d: %d, stage %d", i, (int)spec.way, r,
			    (int)error.stage))
			continue;
		r = ramet_wait(&task, 20000, NULL);
		expect(r == 0 || r == -ECHILD, "wait %u: %d", i, r);
		expect(all_children || task.pidfd >= 0, "no pidfd");
		ramet_task_close(&task);
	}
}

static void waiting_host(void *arg)
{
	pthread_t thread;

	pthread_create(&thread, NULL, reap_all, arg);
	launch_among_reapers(*(int *)arg);
	enough = 1;
	pthread_join(thread, NULL);
}

static long reaped, told;

static void count_told(int sig)
{
	(void)sig;
	told++;
}

static void *reap_and_count(void *arg)
{
	while (!enough)
		if (waitpid(-1, NULL, 0) > 0)
			__atomic_fetch_add(&reaped, 1, __ATOMIC_RELAXED);
		else
			sched_yield();
	return arg;
}

/* A launch that failed is nobody's child: no SIGCHLD, nothing for a loop of waitpid. */
static void unseen_failures(void *arg)
{
	const struct ramet_step *fails = RAMET_STEPS(RAMET_CWD("/"), RAMET_CWD(room_nothing));
	struct ramet_spec spec;
	struct ramet_task task;
	pthread_t thread;
	int r;

	(void)arg;
	signal(SIGCHLD, count_told);
	pthread_create(&thread, NULL, reap_and_count, NULL);
	for (unsigned i = 0; i < 600; i++) {
		spec = RAMET_SPEC(.program = i % 2 ? room_nothing : room_tiny,
				  .steps = i % 2 ? NULL : fails, .way = i / 2 % 3 + RAMET_WAY_HELD);
		r = ramet_launch(&spec, &task, NULL);
		expect(r == -ENOENT, "launch %u: %d", i, r);
	}
	enough = 1;
	pthread_join(thread, NULL);
	expect(!reaped, "%ld failed children were reaped", reaped);
	expect(!told, "%ld times SIGCHLD", told);
}

static void ignoring_host(void *arg)
{
	struct sigaction action = {.sa_handler = SIG_DFL, .sa_flags = SA_NOCLDWAIT};

	if (arg)
		sigaction(SIGCHLD, &action, NULL);
	else
		signal(SIGCHLD, SIG_IGN);
	launch_among_reapers(false);
	expect(!world_children(), "a child is left");
}

/* An init keeps to its work, whatever its maker did with SIGCHLD. */
static void ignoring_host_with_init(void *arg)
{
	struct sigaction action = {.sa_handler = SIG_DFL, .sa_flags = SA_NOCLDWAIT};
	struct ramet_status status;
	struct ramet_error error;
	struct ramet_task task;
	int r;

	if (arg)
		sigaction(SIGCHLD, &action, NULL);
	else
		signal(SIGCHLD, SIG_IGN);
	/* The shell's own view of SIGCHLD is the caller's: bit 16 of SigIgn. */
	r = ramet_launch(
		&RAMET_SPEC(.program = "/bin/sh", .fresh = RAMET_PID | RAMET_USER,
			    .argv = WORDS("sh", "-c", "sleep 0.1 & wait; kill -TERM $$; exit 4"),
			    .steps = RAMET_STEPS(RAMET_INIT(), RAMET_ID_MAP(NULL, NULL))),
		&task, &error);
	if (!expect(r == 0, "launch %d, %s", r, error.detail))
		return;
	r = ramet_wait(&task, 20000, &status);
	expect(r != -ETIMEDOUT, "the init hangs");
	expect(r == -ECHILD || (r == 0 && status.exited && status.code == 128 + SIGTERM),
	       "wait %d, code %d", r, status.code);
	ramet_task_close(&task);
}

/* The init reaps orphans, passes signals on, and takes the container down with it. */
static void busy_init(void *arg)
{
	const struct ramet_step *steps = RAMET_STEPS(RAMET_INIT(), RAMET_ID_MAP(NULL, NULL));
	struct ramet_status status;
	struct ramet_task task;
	int r;

	(void)arg;
	r = ramet_launch(
		&RAMET_SPEC(.program = "/bin/sh", .fresh = RAMET_PID | RAMET_USER,
			    .argv = WORDS("sh", "-c",
					  "trap 'exit 33' USR1\n"
					  "for i in 1 2 3 4 5 6 7 8; do (sleep 0.05 &) ; done\n"
					  "while :; do sleep 0.02; done"),
			    .steps = steps),
		&task, NULL);
	if (!expect(r == 0, "launch %d", r))
		return;
	expect(ramet_wait(&task, 500, &status) == -ETIMEDOUT, "ended early");
	for (unsigned i = 0; i < 100; i++) {
		r = ramet_kill(&task, SIGUSR1);
		if (r < 0 || ramet_wait(&task, 100, &status) == 0)
			break;
	}
	expect(status.exited && status.code == 33, "code %d", status.code);
	ramet_task_close(&task);
	r = ramet_launch(&RAMET_SPEC(.program = "/bin/sleep", .argv = WORDS("sleep", "60"),
				     .fresh = RAMET_PID | RAMET_USER, .steps = steps),
			 &task, NULL);
	if (!expect(r == 0, "launch %d", r))
		return;
	expect(ramet_kill(&task, SIGKILL) == 0, "kill");
	r = ramet_wait(&task, 20000, &status);
	expect(r == 0 && !status.exited && status.code == SIGKILL, "wait %d, code %d", r,
	       status.code);
	ramet_task_close(&task);
}

/* ---- Systems that do not honour shared memory --------------------------------------------------------- */

static char under_name[] = "--ramet-under-valgrind";

/* Begun and ended later: copies too, which tell as much. 0, or what went wrong. */
static int begun_under_valgrind(const char *tiny, const char *nothing)
{
	const struct ramet_step *fails = RAMET_STEPS(RAMET_CWD("/"), RAMET_CWD(nothing));
	const struct {
		const char *program;
		const struct ramet_step *steps;
		unsigned options;
		uint32_t kind; /* that fails */
	} rows[] = {
		{tiny, NULL, 0, 0},
		{tiny, NULL, RAMET_DONE_FD, 0},
		{tiny, fails, 0, RAMET_STEP_CWD},
		{nothing, NULL, RAMET_DONE_FD, RAMET_STEP_EXEC},
	};
	struct ramet_launching *begun;
	struct ramet_error error;
	struct ramet_task task;
	int r;

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (ramet_launch_begin(&RAMET_SPEC(.program = rows[i].program,
						   .steps = rows[i].steps,
						   .options = rows[i].options),
				       &begun, &error))
			return 1;
		r = ramet_launch_end(begun, 20000, &task, &error);
		if (rows[i].kind && (r != -ENOENT || error.kind != rows[i].kind))
			return 2;
		if (rows[i].kind)
			continue;
		if (r || !(task.lost & RAMET_LOST_SHARE) || ramet_wait(&task, -1, NULL))
			return 3;
		ramet_task_close(&task);
	}
	return ramet_launch_begin(&RAMET_SPEC(.program = tiny, .options = RAMET_NO_FALLBACK),
				  &begun, &error) != -EOPNOTSUPP;
}

/* Under valgrind: 0, or the line of what went wrong. */
static int under_valgrind(const char *tiny, const char *nothing)
{
	struct ramet_status status;
	struct ramet_error error;
	struct ramet_task task;

	for (unsigned way = RAMET_WAY_ANY; way <= RAMET_WAY_COPY; way++) {
		const unsigned lost = way == RAMET_WAY_COPY ? 0 : RAMET_LOST_SHARE;

		if (ramet_launch(&RAMET_SPEC(.program = tiny, .way = way), &task, &error))
			return __LINE__;
		if ((task.lost & RAMET_LOST_SHARE) != lost)
			return __LINE__;
		if (ramet_wait(&task, -1, &status) || !status.exited || status.code)
			return __LINE__;
		ramet_task_close(&task);
		if (ramet_launch(&RAMET_SPEC(.program = nothing, .way = way), &task, &error) !=
		    -ENOENT)
			return __LINE__;
		if (error.stage != RAMET_STAGE_STEP || error.kind != RAMET_STEP_EXEC)
			return __LINE__;
		if (ramet_launch(
			    &RAMET_SPEC(.program = tiny, .way = way,
					.steps = RAMET_STEPS(RAMET_CWD("/"), RAMET_CWD(nothing))),
			    &task, &error) != -ENOENT ||
		    error.kind != RAMET_STEP_CWD || error.step != 2)
			return __LINE__;
	}
	if (begun_under_valgrind(tiny, nothing))
		return __LINE__;
	if (ramet_launch(&RAMET_SPEC(.program = "/bin/sh", .argv = WORDS("sh", "-c", "exit 5")),
			 &task, &error) ||
	    ramet_wait(&task, -1, &status) || status.code != 5)
		return __LINE__;
	ramet_task_close(&task);
	if (ramet_launch(&RAMET_SPEC(.fn = seven), &task, &error) ||
	    ramet_wait(&task, -1, &status) || status.code != 7)
		return __LINE__;
	ramet_task_close(&task);
	return world_children() ? __LINE__ : 0;
}

static void valgrind(void *arg)
{
	const char *self = arg;
	struct ramet_status status;
	struct ramet_error error;
	struct ramet_task task;
	int r;

	if (SANITIZED || access("/usr/bin/valgrind", X_OK) < 0) {
		cell_skip(SANITIZED ? "valgrind runs no sanitized program" : "no valgrind");
		return;
	}
	r = ramet_launch(
		&RAMET_SPEC(.program = "/usr/bin/valgrind",
			    .argv = WORDS("valgrind", "-q", "--tool=none", "--log-file=/dev/null",
					  self, under_name, room_tiny, room_nothing)),
		&task, &error);
	if (!expect(r == 0, "valgrind: %d", r))
		return;
	r = ramet_wait(&task, 60000, &status);
	expect(r != -ETIMEDOUT, "it hangs");
	if (r == -ETIMEDOUT && ramet_kill(&task, SIGKILL) == 0)
		r = ramet_wait(&task, -1, NULL);
	/* A line number is cut to eight bits. */
	expect(r == 0 && status.exited && status.code == 0, "wait %d, exited %d, line %d + 256 n",
	       r, status.exited, status.code);
	ramet_task_close(&task);
}

int main(int argc, char **argv)
{
	static const int plain = 0, all = __WALL;
	pid_t (*by_libc)(void) = fork, (*by_hand)(void) = fork_raw;
	char self[4096] = "";

	if (argc == 4 && !strcmp(argv[1], under_name)) {
		const int line = under_valgrind(argv[2], argv[3]);

		return line ? (line & 0xff) ? line & 0xff : 1 : 0;
	}
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		self[0] = 0;
	room_make();
	cell_run(WHO_ANY, 60, forks, &by_libc, "forks while launches are in flight");
	cell_run(WHO_ANY, 60, forks, &by_hand, "raw clones while launches are in flight");
	cell_run(WHO_ANY, 60, opposites, NULL, "id maps beside changes of identity");
	cell_run(WHO_NOBODY, 60, opposites, NULL, "id maps beside changes of identity");
	cell_run(WHO_ANY, 60, slots_in_a_fork, NULL, "slots in a fork");
	cell_run(WHO_ANY, 60, waiting_host, (void *)&plain, "a loop of waitpid");
	cell_run(WHO_ANY, 60, waiting_host, (void *)&all, "a loop of waitpid for all kinds");
	cell_run(WHO_ANY, 60, unseen_failures, NULL, "failed launches are nobody's children");
	cell_run(WHO_ANY, 60, ignoring_host, NULL, "SIGCHLD ignored");
	cell_run(WHO_ANY, 60, ignoring_host, room_dir, "children not waited for");
	cell_run(WHO_ANY, 60, ignoring_host_with_init, NULL, "SIGCHLD ignored, behind init");
	cell_run(WHO_ANY, 60, ignoring_host_with_init, room_dir,
		 "children not waited for, behind init");
	cell_run(WHO_ANY, 60, busy_init, NULL, "an init with orphans and signals");
	cell_run(WHO_NOBODY, 60, busy_init, NULL, "an init with orphans and signals");
	cell_run(WHO_ANY, 100, valgrind, self, "valgrind");
	return tap_done();
}
