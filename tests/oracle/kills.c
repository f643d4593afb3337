/* SPDX-License-Identifier: MIT */
/*
 * SIGKILL at any moment of a launch: at the caller, then the child runs the program it was to run,
 * as asked, or is gone, and nothing half-made waits for somebody who will never come; at the
 * child, then the launch says that it died, or it had been started and ended so. How many met a
 * launch under way is counted and has a floor. Also: the caller as pid 1 of a pid namespace.
 *
 * Seen to fail, in a copy of the tree: no PDEATHSIG while a child waits for its caller; a child that
 * died in its steps taken for one that runs; a helper killed at its start told as one that could
 * not be started; id maps written by a number of another namespace.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mount.h>

#include "lib/clock.h"
#include "lib/walk.h"
#include "lib/world.h"
#include "oracle/launches.h"

/* ---- The program that judges what it was made --------------------------------------------------- */

static char judge_name[] = "ramet-judge", root_id[] = "0", nobody_id[] = "65534", own_id[16];

/* As what it runs, in /usr, with that umask, and of descriptors 0 to 2 and 9. Status 0: it does. */
static void judge_main(int argc, char **argv)
{
	char cwd[100];

	if (argc != 2 || strcmp(argv[0], judge_name) != 0)
		return;
	if (geteuid() != (uid_t)atoi(argv[1]))
		_exit(11);
	if (!getcwd(cwd, sizeof(cwd)) || strcmp(cwd, "/usr") != 0)
		_exit(12);
	if (umask(0) != 027)
		_exit(13);
	for (int fd = 3; fd < 60; fd++)
		if ((fcntl(fd, F_GETFD) >= 0) != (fd == 9))
			_exit(14);
	_exit(0);
}

/* Some steps that take their time, so that a kill meets them; then what is judged. */
#define WALKS RAMET_CWD(walk_path), RAMET_CWD(walk_path), RAMET_CWD(walk_path)
#define SLOW WALKS, WALKS, WALKS, WALKS, WALKS
#define JUDGED SLOW, RAMET_CWD("/usr"), RAMET_UMASK(027), RAMET_DUP(0, 9), RAMET_CLOSE_REST()
#define JUDGE(id_, ...)                                                                            \
	SHAPE_SPEC(.program = judge_name, .options = RAMET_PROGRAM_FD,                             \
		   .argv = (char *[]){judge_name, id_, NULL}, __VA_ARGS__)
#define AS_NOBODY RAMET_UID(65534), RAMET_GID(65534), JUDGED

static const struct shape judged[] = {
	{.name = "held",
	 .spec = JUDGE(own_id, .way = RAMET_WAY_HELD, .steps = RAMET_STEPS(JUDGED))},
	{.name = "futex",
	 .spec = JUDGE(own_id, .way = RAMET_WAY_FUTEX, .steps = RAMET_STEPS(JUDGED))},
	{.name = "copy",
	 .spec = JUDGE(own_id, .way = RAMET_WAY_COPY, .steps = RAMET_STEPS(JUDGED))},
	{.name = "helper",
	 .spec = JUDGE(own_id, .way = RAMET_WAY_HELPER, .steps = RAMET_STEPS(JUDGED))},
	{.name = "identity, futex",
	 .root = true,
	 .spec = JUDGE(nobody_id, .way = RAMET_WAY_FUTEX, .steps = RAMET_STEPS(AS_NOBODY))},
	{.name = "identity, copy",
	 .root = true,
	 .spec = JUDGE(nobody_id, .way = RAMET_WAY_COPY, .steps = RAMET_STEPS(AS_NOBODY))},
	{.name = "identity, helper",
	 .root = true,
	 .spec = JUDGE(nobody_id, .way = RAMET_WAY_HELPER, .steps = RAMET_STEPS(AS_NOBODY))},
	{.name = "id maps, futex",
	 .spec = JUDGE(root_id, .fresh = RAMET_USER, .way = RAMET_WAY_FUTEX,
		       .steps = RAMET_STEPS(RAMET_ID_MAP(NULL, NULL), JUDGED))},
	{.name = "id maps, copy",
	 .spec = JUDGE(root_id, .fresh = RAMET_USER, .way = RAMET_WAY_COPY,
		       .steps = RAMET_STEPS(RAMET_ID_MAP(NULL, NULL), JUDGED))},
	{.name = "id maps, helper",
	 .spec = JUDGE(root_id, .fresh = RAMET_USER, .way = RAMET_WAY_HELPER,
		       .steps = RAMET_STEPS(RAMET_ID_MAP(NULL, NULL), JUDGED))},
	{.name = "init, helper",
	 .spec = JUDGE(root_id, .fresh = RAMET_USER | RAMET_PID,
		       .steps = RAMET_STEPS(RAMET_INIT(), RAMET_ID_MAP(NULL, NULL), JUDGED))},
	{.name = "init, copy",
	 .spec = JUDGE(root_id, .fresh = RAMET_USER | RAMET_PID, .way = RAMET_WAY_COPY,
		       .steps = RAMET_STEPS(RAMET_INIT(), RAMET_ID_MAP(NULL, NULL), JUDGED))},
	{.name = "begun, futex",
	 .begun = true,
	 .spec = JUDGE(own_id, .steps = RAMET_STEPS(JUDGED))},
	{.name = "begun, copy",
	 .begun = true,
	 .spec = JUDGE(own_id, .way = RAMET_WAY_COPY, .steps = RAMET_STEPS(JUDGED))},
	{.name = "begun, helper",
	 .begun = true,
	 .spec = JUDGE(own_id, .way = RAMET_WAY_HELPER, .steps = RAMET_STEPS(JUDGED))},
	{.name = "begun, id maps",
	 .begun = true,
	 .spec = JUDGE(root_id, .fresh = RAMET_USER,
		       .steps = RAMET_STEPS(RAMET_ID_MAP(NULL, NULL), JUDGED))},
	{.name = "begun, identity",
	 .begun = true,
	 .root = true,
	 .spec = JUDGE(nobody_id, .steps = RAMET_STEPS(AS_NOBODY))},
};
#define JUDGED_COUNT (sizeof(judged) / sizeof(judged[0]))

static int self_fd = -1;

static struct shape ready(const struct shape *s)
{
	struct shape mine = *s;

	if (mine.spec.options & RAMET_PROGRAM_FD)
		mine.spec.program_fd = self_fd;
	return mine;
}

static void prepare(void)
{
	self_fd = open("/proc/self/exe", O_PATH | O_CLOEXEC);
	expect(self_fd >= 0, "/proc/self/exe");
	snprintf(own_id, sizeof(own_id), "%u", geteuid());
}

/* Few in every check, many with the long tests. */
static unsigned rounds_of(unsigned few)
{
	return getenv("RAMET_LONG") ? few * 8 : tap_scaled(few);
}

/* ---- The caller killed ------------------------------------------------------------------------- */

/* What the caller tells before it is killed. */
static struct told {
	int in_launch;
	int wrong;
	pid_t newborn; /* written by the kernel before the child runs */
	long launches;
} * told;

/* Until a child has just been made, and so long; the caller waits for it or helps it then. */
static void await_newborn(unsigned us)
{
	const int64_t end = now_us() + 50000;
	int64_t aim;

	while (!__atomic_load_n(&told->newborn, __ATOMIC_ACQUIRE) && now_us() < end)
		sched_yield();
	for (aim = now_us() + us; now_us() < aim;)
		;
}

static void caller_main(const struct shape *s)
{
	struct ramet_error error;
	struct ramet_task task;
	int r;

	for (;;) {
		__atomic_store_n(&told->in_launch, 1, __ATOMIC_SEQ_CST);
		r = shape_start(s, &task, &error);
		__atomic_store_n(&told->in_launch, 0, __ATOMIC_SEQ_CST);
		if (r < 0 || !shape_finish(s, &task))
			__atomic_store_n(&told->wrong, r < 0 ? -r : 1, __ATOMIC_SEQ_CST);
		told->launches++;
	}
}

/* What is left of a process that should be gone: its name, its state, where it waits. */
static void describe_left(pid_t pid)
{
	static const char *const files[] = {"comm", "wchan", "syscall"};
	char path[64];

	for (unsigned i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, files[i]);
		if (world_read(path) > 0)
			cell_note("%s of %d: %.80s\n", files[i], (int)pid, world_text);
	}
}

static pid_t a_child(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)getpid(), (int)getpid());
	return world_read(path) > 0 ? (pid_t)atoi(world_text) : 0;
}

/* Orphans come to this process. All end soon, as the program does or killed. */
static bool orphans_end(void)
{
	const int64_t end = now_us() + 5000000;
	int status;
	pid_t pid;

	while ((pid = (pid_t)sys_wait4(-1, &status, WNOHANG | KERNEL_WALL, NULL)) != -ECHILD) {
		if (pid > 0) {
			const bool gone = WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL
							      : WEXITSTATUS(status) == 127;

			cell->number[gone ? 2 : 1]++;
			if (!expect(gone || status == 0, "an orphan ended with %#x", status))
				return false;
			continue;
		}
		if (now_us() > end) {
			describe_left(a_child());
			return expect(false, "an orphan is left that does not end");
		}
		usleep(200);
	}
	return true;
}

static void caller_killed(void *arg)
{
	const unsigned rounds = rounds_of(30);
	const long floor = rounds / 6;
	struct shape s;
	pid_t caller;
	int status;

	prepare();
	s = ready(arg);
	s.spec.parent_tid = &told->newborn;
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	for (unsigned i = 0; i < rounds || (cell->number[0] < floor && i < rounds * 20); i++) {
		memset(told, 0, sizeof(*told));
		caller = fork();
		if (caller == 0)
			caller_main(&s);
		if (i % 2)
			usleep((useconds_t)(600 + tap_below(4000)));
		else
			await_newborn((unsigned)tap_below(200));
		kill(caller, SIGKILL);
		waitpid(caller, &status, 0);
		cell->number[0] += told->in_launch;
		cell->number[3] += told->launches;
		expect(!told->wrong, "round %u: a launch went wrong: %d", i, told->wrong);
		if (!orphans_end())
			return;
	}
	cell_note("%ld kills met a launch, after %ld whole ones; of the orphans %ld ran their "
		  "program, %ld were gone\n",
		  cell->number[0], cell->number[3], cell->number[1], cell->number[2]);
	expect(cell->number[0] >= floor, "%ld kills met a launch", cell->number[0]);
}

/* ---- The child killed ---------------------------------------------------------------------------- */

static struct {
	pid_t newborn; /* written by the kernel before the child runs */
	int killed;    /* the pid that was killed: until then nobody may reap it */
	int enough;
	unsigned after_us;
} aim;

/* Kill each newborn once, a while after its birth. */
static void *marksman(void *arg)
{
	pid_t pid;
	int64_t end;

	while (!__atomic_load_n(&aim.enough, __ATOMIC_ACQUIRE)) {
		pid = __atomic_load_n(&aim.newborn, __ATOMIC_ACQUIRE);
		if (!pid || pid == aim.killed) {
			sched_yield();
			continue;
		}
		for (end = now_us() + aim.after_us; now_us() < end;)
			sched_yield();
		sys_kill(pid, SIGKILL);
		__atomic_store_n(&aim.killed, pid, __ATOMIC_RELEASE);
	}
	return arg;
}

static void judge_killed(int r, struct ramet_task *task, const struct ramet_error *error)
{
	struct ramet_status status = {0};

	if (r < 0) {
		cell->number[0]++;
		expect(r == -ECANCELED && error->stage == RAMET_STAGE_DIED, "%d, stage %d, %s", r,
		       (int)error->stage, error->detail);
		return;
	}
	while (__atomic_load_n(&aim.killed, __ATOMIC_ACQUIRE) != task->tid)
		sched_yield();
	r = ramet_wait(task, -1, &status);
	ramet_task_close(task);
	cell->number[1] += !status.exited;
	expect(r == 0 && status.code == (status.exited ? 0 : SIGKILL), "wait %d, %s %d", r,
	       status.exited ? "code" : "signal", status.code);
}

static void child_killed(void *arg)
{
	const unsigned rounds = rounds_of(80);
	const long floor = rounds / 16;
	struct world before, after;
	struct ramet_error error;
	struct ramet_task task;
	struct shape s;
	pthread_t thread;

	prepare();
	s = ready(arg);
	expect(shape_launch(&s, &error) == 0, "warm: %s", error.detail);
	before = world_take();
	memset(&aim, 0, sizeof(aim));
	s.spec.parent_tid = &aim.newborn;
	pthread_create(&thread, NULL, marksman, NULL);
	/* A busy machine aims badly: more, until enough have met. */
	for (unsigned i = 0;
	     !cell->text[0] && (i < rounds || cell->number[0] < floor) && i < rounds * 20; i++) {
		aim.after_us = (unsigned)tap_below(i % 4 ? 800 : 3000);
		judge_killed(shape_start(&s, &task, &error), &task, &error);
		__atomic_store_n(&aim.newborn, 0, __ATOMIC_RELEASE);
	}
	__atomic_store_n(&aim.enough, 1, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	s.spec.parent_tid = NULL;
	expect(shape_launch(&s, &error) == 0, "afterwards: %s", error.detail);
	after = world_take();
	expect(before.fds == after.fds && !after.children && before.dumpable == after.dumpable &&
		       before.mask == after.mask,
	       "%s", world_differs(&before, &after));
	expect(after.mappings <= before.mappings + 6, "%ld mappings, then %ld", before.mappings,
	       after.mappings);
	cell_note("%ld killed before their program, %ld in it\n", cell->number[0], cell->number[1]);
	expect(cell->number[0] >= floor, "%ld met a launch", cell->number[0]);
}

/* ---- Pid 1 as the caller --------------------------------------------------------------------------- */

static void launch_all(bool own_proc)
{
	struct world before = {0}, after;
	struct ramet_error error;
	int r;

	shapes_prepare();
	expect(getpid() == 1, "pid %d", (int)getpid());
	for (unsigned round = 0; round < 3; round++) {
		if (round == 1)
			before = world_take();
		for (size_t i = 0; i < SHAPES; i++) {
			const bool maps = strstr(shapes[i].name, "id maps") ||
					  strstr(shapes[i].name, "init");

			/* Of a /proc that is another namespace's no file is written. */
			if (maps && !own_proc)
				continue;
			r = shape_launch(&shapes[i], &error);
			expect(r == 0, "%s: %d, %s", shapes[i].name, r, error.detail);
		}
		for (unsigned way = RAMET_WAY_HELD; way <= RAMET_WAY_HELPER; way++) {
			struct ramet_task task;

			r = ramet_launch(&RAMET_SPEC(.program = room_nothing, .way = way), &task,
					 &error);
			expect(r == -ENOENT && error.kind == RAMET_STEP_EXEC, "way %u: %d", way, r);
		}
	}
	after = world_take();
	expect(!world_differs(&before, &after), "%s", world_differs(&before, &after));
}

static void as_pid_1(void *arg)
{
	int status;
	pid_t pid;

	if (unshare(CLONE_NEWPID | CLONE_NEWNS) < 0) {
		cell_skip("no new pid namespace: %s", strerror(errno));
		return;
	}
	pid = fork();
	if (pid == 0) {
		expect(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "private");
		expect(!arg || mount("proc", "/proc", "proc", 0, NULL) == 0, "/proc");
		launch_all(arg != NULL);
		_exit(0);
	}
	expect(waitpid(pid, &status, 0) == pid && status == 0, "%#x", status);
}

static void victim(void)
{
	if (unshare(CLONE_NEWUSER) == 0)
		for (;;)
			pause();
	_exit(1);
}

/* Pid 1 of a namespace whose /proc is still that of its maker's. */
static void map_by_foreign_proc(void)
{
	struct ramet_error error;
	struct ramet_task task;
	int r;

	for (unsigned i = 0; i < 3; i++) {
		r = ramet_launch(&RAMET_SPEC(.program = room_tiny, .fresh = RAMET_USER,
					     .steps = RAMET_STEPS(RAMET_ID_MAP(NULL, NULL))),
				 &task, &error);
		if (r == 0) {
			/* Then it was the right one's. */
			expect(ramet_wait(&task, -1, NULL) == 0, "wait");
			ramet_task_close(&task);
		}
		expect(!world_children(), "a child is left");
	}
}

/* Each has come to its own namespace, which has no map yet; that of before has one. */
static bool victims_are_there(const pid_t *victims, unsigned count)
{
	const int64_t end = now_us() + 10000000;
	char path[64];

	for (unsigned i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "/proc/%d/uid_map", (int)victims[i]);
		while (world_read(path) != 0) {
			if (now_us() > end)
				return expect(false, "%d has no user namespace", (int)victims[i]);
			usleep(1000);
		}
	}
	return true;
}

static void beside_victims(void)
{
	pid_t victims[8], pid;
	char path[64];
	int status;

	expect(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
		       mount("proc", "/proc", "proc", 0, NULL) == 0,
	       "/proc");
	for (unsigned i = 0; i < 8; i++) {
		victims[i] = fork();
		if (victims[i] == 0)
			victim();
	}
	if (!victims_are_there(victims, 8))
		return;
	expect(unshare(CLONE_NEWPID) == 0, "unshare");
	pid = fork();
	if (pid == 0) {
		map_by_foreign_proc();
		_exit(0);
	}
	expect(waitpid(pid, &status, 0) == pid && status == 0, "%#x", status);
	for (unsigned i = 0; i < 8; i++) {
		snprintf(path, sizeof(path), "/proc/%d/uid_map", (int)victims[i]);
		expect(world_read(path) == 0, "the maps of stranger %d were written: %s",
		       (int)victims[i], world_text);
		kill(victims[i], SIGKILL);
	}
}

/*
 * Its children's numbers are those of others in this /proc, here of tasks that have no id maps
 * yet: nobody else's maps may be written.
 */
static void foreign_proc(void *arg)
{
	int status;
	pid_t pid;

	(void)arg;
	if (unshare(CLONE_NEWPID | CLONE_NEWNS) < 0) {
		cell_skip("no new pid namespace: %s", strerror(errno));
		return;
	}
	pid = fork();
	if (pid == 0) {
		beside_victims();
		_exit(0);
	}
	expect(waitpid(pid, &status, 0) == pid && status == 0, "%#x", status);
}

int main(int argc, char **argv)
{
	judge_main(argc, argv);
	room_make();
	walk_make();
	tap_seed();
	told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (size_t i = 0; i < JUDGED_COUNT; i++)
		cell_run(judged[i].root ? WHO_ROOT : WHO_ANY, 100, caller_killed,
			 (void *)&judged[i], "caller killed, %s", judged[i].name);
	for (size_t i = 0; i < JUDGED_COUNT; i++)
		cell_run(judged[i].root ? WHO_ROOT : WHO_ANY, 100, child_killed, (void *)&judged[i],
			 "child killed, %s", judged[i].name);
	cell_run(WHO_ROOT, 60, as_pid_1, room_dir, "pid 1 as the caller");
	cell_run(WHO_ROOT, 60, as_pid_1, NULL, "pid 1 as the caller, the /proc of another");
	cell_run(WHO_ROOT, 60, foreign_proc, NULL, "id maps by the /proc of another");
	return tap_done();
}
