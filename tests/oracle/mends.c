/* SPDX-License-Identifier: MIT */
/*
 * Steps about attributes, mounts and other tasks made to fail, in every way that can run them: the
 * error names the step and says what to do where that can be said, and everything is as before.
 */
#include "lib/filter.h"
#include "lib/stage.h"
#include "lib/world.h"
#include "oracle/kernel.h"

#define ADMIN (1ULL << 21)

#define TINY(...) SPEC(.program = room_tiny, .steps = RAMET_STEPS(__VA_ARGS__))
#define NEW(new_, ...)                                                                             \
	SPEC(.program = room_tiny, .fresh = (new_), .steps = RAMET_STEPS(__VA_ARGS__))

static void refuse_personality(void)
{
	filter_install((const struct filter_row[]){{SYS_personality, EINVAL, 0}, {-1, 0, 0}});
}

static void refuse_subreaper(void)
{
	filter_install((const struct filter_row[]){{SYS_prctl, EINVAL, PR_SET_CHILD_SUBREAPER},
						   {-1, 0, 0}});
}

static void refuse_sockets(void)
{
	filter_install((const struct filter_row[]){{SYS_socket, EPERM, 0}, {-1, 0, 0}});
}

static void refuse_landlock(void)
{
	filter_install(
		(const struct filter_row[]){{SYS_landlock_create_ruleset, ENOSYS, 0}, {-1, 0, 0}});
}

static void no_core(void)
{
	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
}

static void lock_keep_caps(void)
{
	expect(prctl(PR_SET_SECUREBITS, 0x20) == 0, "securebits: %s", strerror(errno));
}

static void find_cgroup2(void)
{
	snprintf(cgroup_dir, sizeof(cgroup_dir), "%s", kernel_cgroup2());
	if (!*cgroup_dir)
		cell_skip("no cgroup2 is mounted");
}

/* The other task has ended, but is not waited for by us. */
static void open_ended(void)
{
	const pid_t pid = fork();
	int fd;

	if (!pid)
		_exit(0);
	fd = (int)sys_pidfd_open(pid, 0);
	waitpid(pid, NULL, 0);
	dup3(fd, OTHER, O_CLOEXEC);
	close(fd);
}

/* The terminal is that of another session. */
static void open_taken_tty(void)
{
	int ready[2];
	char c;

	open_tty();
	expect(pipe(ready) == 0, "pipe");
	if (!fork()) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		c = setsid() > 0 && ioctl(TTY, TIOCSCTTY, 0) == 0;
		expect(write(ready[1], &c, 1) == 1 && c, "not taken");
		for (;;)
			pause();
	}
	expect(read(ready[0], &c, 1) == 1 && c, "not taken");
	close(ready[0]);
	close(ready[1]);
}

static const struct failure {
	const char *name;
	enum who who;
	unsigned ways;
	struct ramet_spec spec;
	void (*prepare)(void);
	uint32_t kind;
	int error;
	bool mended; /* there is a sentence that says what to do */
} failures[] = {
#define FAILS(kind_, error_, mended_) RAMET_STEP_##kind_, error_, mended_
	{"soft above hard", WHO_ANY, EVERY, TINY(RAMET_RLIMIT(RLIMIT_CPU, 5, 4)), NULL,
	 FAILS(RLIMIT, EINVAL, true)},
	{"hard limit raised", WHO_NOBODY, EVERY, TINY(RAMET_RLIMIT(RLIMIT_CORE, 0, 1)), no_core,
	 FAILS(RLIMIT, EPERM, true)},
	{"no such limit", WHO_ANY, EVERY, TINY(RAMET_RLIMIT(99, 0, 0)), NULL,
	 FAILS(RLIMIT, EINVAL, true)},
	{"better nice", WHO_NOBODY, EVERY, TINY(RAMET_NICE(-5)), NULL, FAILS(NICE, EACCES, true)},
	{"real time", WHO_NOBODY, EVERY, TINY(RAMET_SCHED(SCHED_RR, 1)), NULL,
	 FAILS(SCHED, EPERM, true)},
	{"priority 0", WHO_ANY, EVERY, TINY(RAMET_SCHED(SCHED_FIFO, 0)), NULL,
	 FAILS(SCHED, EINVAL, true)},
	{"real-time I/O", WHO_NOBODY, EVERY, TINY(RAMET_IOPRIO(1, 0)), NULL,
	 FAILS(IOPRIO, EPERM, true)},
	{"no processor", WHO_ANY, EVERY, TINY(RAMET_AFFINITY(8, "\0\0\0\0\0\0\0")), NULL,
	 FAILS(AFFINITY, EINVAL, true)},
	{"less likely to be killed", WHO_NOBODY, HELD | OWN, TINY(RAMET_OOM_SCORE_ADJ(-1000)), NULL,
	 FAILS(OOM_SCORE_ADJ, EACCES, true)},
	{"likelier than can be", WHO_ANY, HELD | OWN, TINY(RAMET_OOM_SCORE_ADJ(1001)), NULL,
	 FAILS(OOM_SCORE_ADJ, EINVAL, false)},
	{"personality", WHO_ANY, EVERY, TINY(RAMET_PERSONALITY(1)), refuse_personality,
	 FAILS(PERSONALITY, EINVAL, true)},
	{"no timer slack", WHO_ANY, EVERY, TINY(RAMET_TIMER_SLACK(0)), NULL,
	 FAILS(TIMER_SLACK, EINVAL, true)},
	{"subreaper", WHO_ANY, EVERY, TINY(RAMET_SUBREAPER()), refuse_subreaper,
	 FAILS(SUBREAPER, EINVAL, false)},
	{"securebits", WHO_NOBODY, EVERY, TINY(RAMET_SECUREBITS(1)), NULL,
	 FAILS(SECUREBITS, EPERM, true)},
	{"bounding", WHO_NOBODY, EVERY, TINY(RAMET_BOUNDING(0)), NULL,
	 FAILS(BOUNDING, EPERM, true)},
	{"keep-caps", WHO_ROOT, EVERY, TINY({.kind = RAMET_STEP_KEEP_CAPS}), lock_keep_caps,
	 FAILS(KEEP_CAPS, EPERM, true)},
	{"caps", WHO_NOBODY, EVERY, TINY(RAMET_CAPS(ADMIN, 0)), NULL, FAILS(CAPS, EPERM, true)},
	{"ambient", WHO_ANY, EVERY, TINY(RAMET_AMBIENT(ADMIN)), NULL, FAILS(AMBIENT, EPERM, true)},
	{"terminal that is none", WHO_ANY, EVERY, TINY(RAMET_SETSID(), RAMET_CTTY(LOOK_OUT)), NULL,
	 FAILS(CTTY, ENOTTY, true)},
	{"terminal without a session", WHO_ANY, EVERY, TINY(RAMET_CTTY(TTY)), open_tty,
	 FAILS(CTTY, EPERM, true)},
	{"terminal of others", WHO_ANY, EVERY, TINY(RAMET_SETSID(), RAMET_CTTY(TTY)),
	 open_taken_tty, FAILS(CTTY, EPERM, true)},
	{"foreground of no terminal", WHO_ANY, EVERY, TINY(RAMET_FOREGROUND(LOOK_OUT)), NULL,
	 FAILS(FOREGROUND, ENOTTY, true)},
	{"foreground of another terminal", WHO_ANY, EVERY,
	 TINY(RAMET_SETSID(), RAMET_FOREGROUND(TTY)), open_tty, FAILS(FOREGROUND, ENOTTY, true)},
	{"terminal not open", WHO_ANY, EVERY, TINY(RAMET_SETSID(), RAMET_CTTY(95)), NULL,
	 FAILS(CTTY, EBADF, false)},
	{"clock by nobody", WHO_NOBODY, OWN,
	 NEW(RAMET_TIME, RAMET_TIME_OFFSET(CLOCK_BOOTTIME, 1, 0)), NULL,
	 FAILS(TIME_OFFSET, EPERM, true)},
	{"clock below nought", WHO_ROOT, OWN,
	 NEW(RAMET_TIME, RAMET_TIME_OFFSET(CLOCK_BOOTTIME, -(1LL << 40), 0)), NULL,
	 FAILS(TIME_OFFSET, ERANGE, true)},
	{"no such clock", WHO_ROOT, OWN, NEW(RAMET_TIME, RAMET_TIME_OFFSET(CLOCK_REALTIME, 1, 0)),
	 NULL, FAILS(TIME_OFFSET, EINVAL, false)},
	{"lo", WHO_ROOT, EVERY, NEW(RAMET_NET, RAMET_LO_UP()), refuse_sockets,
	 FAILS(LO_UP, EPERM, true)},
	{"join nothing", WHO_ANY, OWN, TINY(RAMET_JOIN(95, CLONE_NEWNET)), NULL,
	 FAILS(JOIN, EBADF, false)},
	{"join what is no namespace", WHO_ANY, OWN, TINY(RAMET_JOIN(LOOK_OUT, CLONE_NEWNET)), NULL,
	 FAILS(JOIN, EINVAL, true)},
	{"join the dead", WHO_ANY, OWN, TINY(RAMET_JOIN(OTHER, CLONE_NEWNET)), open_ended,
	 FAILS(JOIN, ESRCH, true)},
	{"join by the wrong word", WHO_ROOT, OWN, TINY(RAMET_JOIN(NETNS, CLONE_NEWUTS)), open_other,
	 FAILS(JOIN, EINVAL, true)},
	{"root missing", WHO_ROOT, EVERY, NEW(RAMET_MNT, RAMET_ROOT(room_nothing)), NULL,
	 FAILS(ROOT, ENOENT, true)},
	{"root a file", WHO_ROOT, EVERY, NEW(RAMET_MNT, RAMET_ROOT(room_tiny)), NULL,
	 FAILS(ROOT, ENOTDIR, true)},
	{"bind source missing", WHO_ROOT, EVERY, NEW(RAMET_MNT, RAMET_BIND(room_nothing, "/tmp")),
	 NULL, FAILS(BIND, ENOENT, true)},
	{"bind target missing", WHO_ROOT, EVERY, NEW(RAMET_MNT, RAMET_BIND("/tmp", room_nothing)),
	 NULL, FAILS(BIND, ENOENT, true)},
	{"bind target missing in the root", WHO_ROOT, EVERY,
	 NEW(RAMET_MNT, RAMET_ROOT(root_dir), RAMET_BIND("/tmp", "/../../etc")), NULL,
	 FAILS(BIND, ENOENT, true)},
	{"bind a directory on a file", WHO_ROOT, EVERY,
	 NEW(RAMET_MNT, RAMET_BIND("/tmp", room_tiny)), NULL, FAILS(BIND, EINVAL, true)},
	{"tmpfs on nothing", WHO_ROOT, EVERY, NEW(RAMET_MNT, RAMET_TMPFS(room_nothing)), NULL,
	 FAILS(TMPFS, ENOENT, true)},
	{"propagation of no kind", WHO_ROOT, EVERY,
	 NEW(RAMET_MNT, {.kind = RAMET_STEP_PRIVATE_MOUNTS, .number = 3}), NULL,
	 FAILS(PRIVATE_MOUNTS, EINVAL, false)},
	{"cgroup missing", WHO_ANY, HELD | OWN, TINY(RAMET_CGROUP_DIR(room_nothing)), NULL,
	 FAILS(CGROUP, ENOENT, true)},
	{"cgroup of others", WHO_NOBODY, HELD | OWN, TINY(RAMET_CGROUP_DIR(cgroup_dir)),
	 find_cgroup2, FAILS(CGROUP, EACCES, true)},
	{"Landlock's path missing", WHO_ANY, EVERY,
	 TINY(RAMET_NO_NEW_PRIVS(), RAMET_LANDLOCK("/", 0), RAMET_LANDLOCK(room_nothing, 1)),
	 need_landlock, FAILS(LANDLOCK, ENOENT, true)},
	{"Landlock missing", WHO_ANY, EVERY, TINY(RAMET_NO_NEW_PRIVS(), RAMET_LANDLOCK("/", 0)),
	 refuse_landlock, FAILS(LANDLOCK, ENOSYS, true)},
	{"Landlock with privileges", WHO_NOBODY, EVERY, TINY(RAMET_LANDLOCK("/", 0)), need_landlock,
	 FAILS(RESTRICT, EPERM, true)},
	{"filter with privileges", WHO_NOBODY, EVERY, TINY(RAMET_SECCOMP(sizeof(filter), filter)),
	 NULL, FAILS(SECCOMP, EACCES, true)},
	{"filter of nonsense", WHO_ANY, EVERY,
	 TINY(RAMET_NO_NEW_PRIVS(), RAMET_SECCOMP(8, "\377nonsens")), NULL,
	 FAILS(SECCOMP, EINVAL, true)},
	{"program by a closed descriptor", WHO_ANY, EVERY,
	 SPEC(.program = "x", .options = RAMET_PROGRAM_FD, .program_fd = 95), NULL,
	 FAILS(EXEC, EBADF, true)},
};

struct fail {
	const struct failure *failure;
	enum ramet_way way;
};

static void warm(void)
{
	struct ramet_task task;

	for (unsigned way = RAMET_WAY_HELD; way <= RAMET_WAY_HELPER; way++)
		if (expect(ramet_launch(&RAMET_SPEC(.program = room_tiny, .way = way), &task,
					NULL) == 0,
			   "warm launch, way %u", way)) {
			expect(ramet_wait(&task, -1, NULL) == 0, "warm wait");
			ramet_task_close(&task);
		}
}

static void see_failure(void *arg)
{
	const struct failure *f = ((struct fail *)arg)->failure;
	struct ramet_spec spec = f->spec;
	struct world world, after;
	struct ramet_error error;
	struct ramet_task task;
	char text[400];
	int r;

	if (!expect(look_ready(), "not ready"))
		return;
	warm();
	if (f->prepare)
		f->prepare();
	if (cell->skip[0])
		return;
	spec.way = ((struct fail *)arg)->way;
	ramet_launch(&spec, &task, &error) == 0 ? (void)expect(false, "launched") : (void)0;
	world = world_take();
	r = ramet_launch(&spec, &task, &error);
	after = world_take();
	if (!expect(r < 0, "launched"))
		return;
	ramet_error_format(&error, text, sizeof(text));
	expect(error.stage == RAMET_STAGE_STEP && error.kind == f->kind, "stage %d: %s",
	       (int)error.stage, text);
	expect(r == -f->error && error.error == f->error, "%d: %s", r, text);
	expect(f->mended == (error.why && error.mend), "mend %s: %s", error.mend, text);
	expect(!world_differs(&world, &after), "changed: %s", world_differs(&world, &after));
}

static void see_failures(void)
{
	for (unsigned i = 0; i < sizeof(failures) / sizeof(failures[0]); i++)
		for (unsigned way = RAMET_WAY_HELD; way <= RAMET_WAY_HELPER; way++)
			if (failures[i].ways & 1u << way)
				cell_run(failures[i].who, 30, see_failure,
					 &(struct fail){&failures[i], way}, "%s, %s",
					 failures[i].name, ramet_way_name(way));
}

int main(void)
{
	room_make();
	make_places();
	see_failures();
	remove_places();
	return tap_done();
}
