/* SPDX-License-Identifier: MIT */
/*
 * Between clone and exec the child has the caller's memory, or its copy, but is another process.
 * Eight threads launch while a storm of signals hits the whole process group: no handler of the
 * caller may run in a child. How many signals met a child between clone and exec is known, not
 * guessed: there they have their default action, which ends the child before its body, and the
 * launch says so (RAMET_STAGE_DIED). And no launch may pass a descriptor of its own, or of another
 * thread, to a child.
 *
 * Seen to fail with the protection taken out, in a copy of the tree:
 *  - block_signals() that blocks nothing, or plan->unmasked with a CLONE_CLEAR_SIGHAND that may be
 *    dropped: "without clone3", in the first second;
 *  - no CLONE_CLEAR_SIGHAND and no clear_handlers in plan_handlers(): "with clone3";
 *  - no clear_handlers() in step_sigmask(): "without clone3";
 *  - CLONE_SIGHAND kept where a program shares its handlers: both;
 *  - no look for a child whose word was not cleared (killed while another thread forks): hangs;
 *  - O_CLOEXEC left out in write_whole(): "descriptors".
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>

#include "lib/cell.h"
#include "lib/clock.h"
#include "lib/filter.h"
#include "lib/room.h"
#include "lib/walk.h"
#include "lib/world.h"
#include "uapi/clone.h"

#include <ramet/ramet.h>

#define THREADS 8
#define FD_PROGRAM "/proc/self/exe"
#define FD_TARGET 9

/* Seen by all: a handler that runs in a child with a copy of memory must be seen, too. */
static struct counts {
	long in_child;	/* handlers that ran where they must not */
	long in_caller; /* and where they may */
	long launched, hits, ended_by_signal;
	long wrong; /* results that are neither */
	char text[200];
} * counts;

static pid_t caller;
static int64_t end_ms;

static void add(long *count)
{
	__atomic_fetch_add(count, 1, __ATOMIC_RELAXED);
}

static void handler(int sig)
{
	(void)sig;
	add(sys_getpid() == caller ? &counts->in_caller : &counts->in_child);
}

static const int storm_signals[] = {SIGUSR1, SIGUSR2, SIGTERM, SIGALRM, 40};
#define STORM_SIGNALS (sizeof(storm_signals) / sizeof(storm_signals[0]))

/* Signals to a group can never meet a stranger, as those to a pid that may have been reused can. */
static pid_t start_storm(void)
{
	const pid_t group = getpgid(0), maker = getpid();
	pid_t pid = fork();

	if (pid)
		return pid;
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	for (unsigned i = 0; getppid() == maker; i++) {
		kill(-group, storm_signals[i % STORM_SIGNALS]);
		usleep(100 + i * 37 % 400);
	}
	_exit(0);
}

/* ---- The storm ------------------------------------------------------------------------------- */

static void count_result(int r, const struct ramet_error *error, struct ramet_task *task)
{
	struct ramet_status status;
	char text[150];

	if (r == 0) {
		add(&counts->launched);
		r = ramet_wait(task, -1, &status);
		ramet_task_close(task);
		if (r == 0 && !status.exited)
			add(&counts->ended_by_signal);
		else if (r < 0 || status.code)
			add(&counts->wrong);
		return;
	}
	if (error->stage == RAMET_STAGE_DIED && r == -ECANCELED) {
		add(&counts->hits);
		return;
	}
	ramet_error_format(error, text, sizeof(text));
	snprintf(counts->text, sizeof(counts->text), "launch gave %d: %s", r, text);
	add(&counts->wrong);
}

static void *launch_in_storm(void *arg)
{
	const unsigned self = *(const unsigned *)arg;
	static const enum ramet_way ways[] = {RAMET_WAY_HELD, RAMET_WAY_FUTEX, RAMET_WAY_COPY,
					      RAMET_WAY_ANY};
	struct ramet_error error;
	struct ramet_task task;

	for (unsigned i = self; now_ms() < end_ms && !counts->in_child && !counts->wrong; i++) {
		const struct ramet_spec spec =
			RAMET_SPEC(.program = room_tiny, .way = ways[i % 4],
				   .steps = i / 4 % 2 ? walk_short : NULL,
				   .share = i % 16 == 7 ? RAMET_SIGHAND | RAMET_MEMORY : 0);

		count_result(ramet_launch(&spec, &task, &error), &error, &task);
	}
	return NULL;
}

static void run_threads(void *(*fn)(void *), unsigned seconds)
{
	static unsigned numbers[THREADS];
	pthread_t threads[THREADS];

	end_ms = now_ms() + seconds * 1000;
	for (unsigned i = 0; i < THREADS; i++) {
		numbers[i] = i;
		if (pthread_create(&threads[i], NULL, fn, &numbers[i]))
			return;
	}
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

static void storm(void *arg)
{
	struct sigaction action = {.sa_handler = handler};
	pid_t sender;

	if (arg)
		expect(filter_install(arg), "filter");
	caller = getpid();
	for (unsigned i = 0; i < STORM_SIGNALS; i++) {
		action.sa_flags = i % 2 ? SA_RESTART : 0;
		sigaction(storm_signals[i], &action, NULL);
	}
	sender = start_storm();
	run_threads(launch_in_storm, getenv("RAMET_LONG") ? 30 : 3);
	kill(sender, SIGKILL);
	waitpid(sender, NULL, 0);
	cell_note(
		"%ld launched, %ld signals met a child between clone and exec, %ld ended one after "
		"exec, %ld handlers ran in the caller\n",
		counts->launched, counts->hits, counts->ended_by_signal, counts->in_caller);
	expect(!counts->in_child, "%ld handlers of the caller ran in a child", counts->in_child);
	expect(!counts->wrong, "%s", counts->text);
	expect(counts->hits >= tap_scaled(20), "%ld hits", counts->hits);
	expect(counts->launched >= tap_scaled(20), "%ld launched", counts->launched);
	expect(counts->in_caller >= tap_scaled(20), "%ld handlers ran", counts->in_caller);
	expect(!world_children(), "a child is left");
}

/* ---- Descriptors ----------------------------------------------------------------------------------- */

static char fd_program_name[] = "ramet-fds";

/* Nothing but 0-2 and the mapped one, which is the right file. Status 0, or the first wrong one. */
static void fd_main(int argc, char **argv)
{
	struct stat st;

	if (argc != 2 || strcmp(argv[0], fd_program_name) != 0)
		return;
	if (fstat(FD_TARGET, &st) < 0 || st.st_ino != strtoul(argv[1], NULL, 10))
		_exit(FD_TARGET);
	for (int fd = 3; fd < 250; fd++)
		if (fd != FD_TARGET && fcntl(fd, F_GETFD) >= 0)
			_exit(fd);
	_exit(0);
}

static void fd_wrong(const char *what, int r, int code)
{
	snprintf(counts->text, sizeof(counts->text), "%s: result %d, code %d", what, r, code);
	add(&counts->wrong);
}

/* One launch with a pipe of its own; the others' and ramet's own must not be seen. */
static void launch_with_pipe(enum ramet_way way)
{
	struct ramet_status status = {0};
	struct ramet_task task;
	struct stat st;
	char ino[30];
	int pipes[2], r;

	if (pipe2(pipes, O_CLOEXEC) < 0 || fstat(pipes[1], &st) < 0)
		return;
	snprintf(ino, sizeof(ino), "%lu", (unsigned long)st.st_ino);
	r = ramet_launch(&RAMET_SPEC(.program = FD_PROGRAM, .argv = WORDS(fd_program_name, ino),
				     .way = way,
				     .steps = RAMET_STEPS(RAMET_DUP(pipes[1], FD_TARGET))),
			 &task, NULL);
	if (r == 0) {
		r = ramet_wait(&task, -1, &status);
		ramet_task_close(&task);
	}
	if (r < 0 || !status.exited || status.code)
		fd_wrong("program with a pipe", r, status.code);
	add(&counts->launched);
	close(pipes[0]);
	close(pipes[1]);
}

/* Launches that open files on the caller's side. */
static void launch_with_maps(void)
{
	struct ramet_task task;
	int r = ramet_launch(&RAMET_SPEC(.program = room_tiny, .fresh = RAMET_USER,
					 .steps = RAMET_STEPS(RAMET_ID_MAP(NULL, NULL))),
			     &task, NULL);

	if (r == 0) {
		r = ramet_wait(&task, -1, NULL);
		ramet_task_close(&task);
	}
	if (r < 0)
		fd_wrong("program with id maps", r, 0);
	add(&counts->hits);
}

static void *launch_with_fds(void *arg)
{
	const unsigned self = *(const unsigned *)arg;

	for (unsigned i = self; now_ms() < end_ms && !counts->wrong; i++)
		if (self % 2)
			launch_with_maps();
		else
			launch_with_pipe(i % 3 + RAMET_WAY_HELD);
	return NULL;
}

static void descriptors(void *arg)
{
	(void)arg;
	for (int fd = 3; fd < 1000; fd++)
		close(fd);
	run_threads(launch_with_fds, getenv("RAMET_LONG") ? 30 : 2);
	cell_note("%ld programs looked at their descriptors beside %ld that had ids mapped\n",
		  counts->launched, counts->hits);
	expect(!counts->wrong, "%s", counts->text);
	expect(counts->launched >= tap_scaled(50) && counts->hits >= tap_scaled(50),
	       "%ld and %ld launches", counts->launched, counts->hits);
	expect(!world_children(), "a child is left");
}

static void reset_counts(void)
{
	memset(counts, 0, sizeof(*counts));
}

int main(int argc, char **argv)
{
	static const struct filter_row no_clone3[] = {{SYS_clone3, ENOSYS, 0}, {-1, 0, 0}};

	fd_main(argc, argv);
	room_make();
	walk_make();
	counts = mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	cell_run(WHO_ANY, 120, storm, NULL, "signals, with clone3");
	reset_counts();
	cell_run(WHO_ANY, 120, storm, (void *)no_clone3, "signals, without clone3");
	reset_counts();
	cell_run(WHO_ANY, 120, descriptors, NULL, "descriptors");
	reset_counts();
	cell_run(WHO_NOBODY, 120, descriptors, NULL, "descriptors");
	return tap_done();
}
