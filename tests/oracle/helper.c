/* SPDX-License-Identifier: MIT */
/*
 * The helper way: a task that has nothing of its caller from the start but what its steps name. It
 * must not be told from the other ways by what the program sees, by what is left, or by how
 * errors come back; and it must do without what filters and settings take away.
 */
#include <signal.h>
#include <sys/mount.h>

#include "lib/filter.h"
#include "lib/stage.h"
#include "lib/world.h"

#define HELPER .way = RAMET_WAY_HELPER
#define STEPS(...) .steps = RAMET_STEPS(__VA_ARGS__)
#define HEAP_MB 256

/* Launch, and see what the program saw. */
static bool look_through(const struct ramet_spec *spec, struct look *look, struct ramet_task *task)
{
	struct ramet_status status;
	struct ramet_error error;
	char text[400] = "";
	int r = ramet_launch(spec, task, &error);

	if (r < 0)
		ramet_error_format(&error, text, sizeof(text));
	if (!expect(r == 0, "%s", text))
		return false;
	r = ramet_wait(task, 20000, &status);
	ramet_task_close(task);
	return expect(r == 0 && status.exited && status.code == LOOK_STATUS, "%d: %d %d", r,
		      status.exited, status.code) &&
	       expect(look_read(look), "no look");
}

/* ---- Descriptors ------------------------------------------------------------------------------------ */

/* What a step names works though exec would close it, and the program has what it was given. */
static void marked_descriptors(void *arg)
{
	bool plain[LOOK_FDS];
	struct ramet_task task;
	struct look look;

	(void)arg;
	expect(look_ready(), "not ready");
	open_tty();
	open_other();
	dup3(0, 20, O_CLOEXEC);
	dup3(0, 21, O_CLOEXEC);
	dup3(0, 22, O_CLOEXEC);
	dup3(0, 23, 0);
	for (int fd = 0; fd < LOOK_FDS; fd++)
		plain[fd] = fcntl(fd, F_GETFD) == 0;
	if (!look_through(&RAMET_SPEC(LOOK, HELPER,
				      STEPS(RAMET_DUP(20, 30), RAMET_DUP(21, 21), RAMET_KEEP(22),
					    RAMET_JOIN(OTHER, CLONE_NEWNET),
					    RAMET_JOIN(NETNS, CLONE_NEWNET), RAMET_SETSID(),
					    RAMET_CTTY(TTY), RAMET_FOREGROUND(TTY))),
			  &look, &task))
		return;
	for (int fd = 0; fd < LOOK_FDS; fd++) {
		const bool want = plain[fd] || fd == 21 || fd == 22 || fd == 30;

		expect(look.open[fd] == want, "descriptor %d: %d", fd, look.open[fd]);
		expect(!look.marked[fd], "descriptor %d is marked", fd);
	}
	expect(look.has_tty && look.ns[NS_NET], "no terminal");
	for (int fd = 20; fd < 23; fd++)
		expect(fcntl(fd, F_GETFD) == FD_CLOEXEC, "the caller's %d is no more marked", fd);
}

/* Two marked ones change places; the rest is closed. */
static void marked_swap(void *arg)
{
	struct ramet_task task;
	struct look look;

	(void)arg;
	expect(look_ready(), "not ready");
	dup3(0, 20, O_CLOEXEC);
	dup3(0, 21, O_CLOEXEC);
	dup3(0, 22, 0);
	if (look_through(&RAMET_SPEC(LOOK, HELPER,
				     STEPS(RAMET_DUP(20, 21), RAMET_DUP(21, 20), RAMET_CLOSE_REST(),
					   RAMET_KEEP(LOOK_OUT))),
			 &look, &task))
		for (int fd = 0; fd < LOOK_FDS; fd++)
			expect(look.open[fd] == (fd < 3 || fd == 20 || fd == 21 || fd == LOOK_OUT),
			       "descriptor %d: %d", fd, look.open[fd]);
}

/* The helper's own files have numbers too, and are nothing that a step could name. */
static void numbers_of_the_helper(void *arg)
{
	struct ramet_error error;
	struct ramet_task task;
	int r;

	(void)arg;
	for (int fd = 3; fd < 12; fd++)
		close(fd);
	for (int fd = 3; fd < 12; fd++) {
		const struct ramet_spec specs[] = {
			SPEC(.program = room_tiny, HELPER, STEPS(RAMET_KEEP(fd))),
			SPEC(.program = room_tiny, HELPER, STEPS(RAMET_DUP(fd, 40))),
			SPEC(.program = room_tiny, HELPER, STEPS(RAMET_JOIN(fd, 0))),
			SPEC(.program = "x", HELPER, .options = RAMET_PROGRAM_FD, .program_fd = fd),
		};

		for (unsigned i = 0; i < 4; i++) {
			r = ramet_launch(&specs[i], &task, &error);
			expect(r == -EBADF && error.stage == RAMET_STAGE_STEP,
			       "descriptor %d, spec %u: %d", fd, i, r);
			if (r == 0)
				expect(ramet_wait(&task, 20000, NULL) == 0, "wait");
		}
	}
}

/* With one table of descriptors the marks that are taken off would be the caller's. */
static void shared_table(void *arg)
{
	struct ramet_task task;
	struct look look;

	(void)arg;
	expect(look_ready(), "not ready");
	open_other();
	look_through(
		&RAMET_SPEC(LOOK, .share = RAMET_FILES, STEPS(RAMET_JOIN(OTHER, CLONE_NEWNET))),
		&look, &task);
	expect(fcntl(OTHER, F_GETFD) == FD_CLOEXEC, "the caller's descriptor has lost its mark");
	expect(fcntl(LOOK_PROGRAM, F_GETFD) == FD_CLOEXEC, "and its program");
}

/* ---- What the program is and finds ---------------------------------------------------------------- */

/* Names that mean the caller in every way: in the helper's place they would mean the helper. */
static void own_names(void *arg)
{
	static char *const argv[] = {look_name, NULL};
	static const char *const names[] = {"/proc/self/exe", "/proc/thread-self/exe",
					    "/proc/self/fd/91", "/dev/fd/91"};
	struct ramet_task task;
	struct look look;

	const enum ramet_way way = *(enum ramet_way *)arg;

	expect(look_ready(), "not ready");
	/* What is the caller's own would be the helper's own there: refused if it is forced. */
	if (way == RAMET_WAY_HELPER) {
		struct ramet_error error;

		for (unsigned i = 0; i < 4; i++)
			expect(ramet_launch(
				       &RAMET_SPEC(.program = names[i], .argv = argv, .way = way),
				       &task, &error) == -EINVAL &&
				       !strcmp(error.rule, "way-cannot"),
			       "%s is not refused", names[i]);
		return;
	}
	for (unsigned i = 0; i < 4; i++)
		if (!look_through(&RAMET_SPEC(.program = names[i], .argv = argv, .way = way), &look,
				  &task))
			return;
}

static void no_environment(void *arg)
{
	struct ramet_task task;
	struct look look;

	(void)arg;
	expect(look_ready(), "not ready");
	clearenv();
	look_through(&RAMET_SPEC(LOOK, HELPER), &look, &task);
}

static void nothing(int sig)
{
	(void)sig;
}

/* An init ends as it was asked to, or the task says what is true. */
static void exit_signal(void *arg)
{
	const struct ramet_spec spec =
		RAMET_SPEC(.program = room_tiny, .fresh = RAMET_PID, .exit_signal = SIGUSR1,
			   .way = *(enum ramet_way *)arg, STEPS(RAMET_INIT()));
	const uint64_t signals = 1ULL << (SIGUSR1 - 1) | 1ULL << (SIGCHLD - 1);
	const struct kernel_timespec soon = {.tv_sec = 10};
	struct ramet_task task;
	siginfo_t info;
	long sig;

	signal(SIGCHLD, nothing);
	sys_sigprocmask(0, &signals, NULL);
	if (!expect(ramet_launch(&spec, &task, NULL) == 0, "launch"))
		return;
	sig = sys_sigtimedwait(&signals, &info, &soon);
	expect(sig == task.exit_signal, "signal %ld came, the task says %d", sig, task.exit_signal);
	expect(ramet_wait(&task, 20000, NULL) == 0, "wait");
	ramet_task_close(&task);
}

/* ---- Capabilities ------------------------------------------------------------------------------------- */

/* In a new user namespace the child has all but is not root yet; the program has what is due. */
static void new_user_namespace(void *arg)
{
	const struct {
		const char *uid, *gid;
		uid_t want;
		bool root;
	} maps[] = {{NULL, NULL, 0, true}, {"5 65534 1", "5 65534 1", 5, false}};
	struct ramet_task task;
	struct look look;

	(void)arg;
	expect(look_ready(), "not ready");
	for (unsigned i = 0; i < 2; i++) {
		if (!look_through(
			    &RAMET_SPEC(LOOK, HELPER,
					.fresh = RAMET_USER | RAMET_UTS | RAMET_NET | RAMET_MNT,
					STEPS(RAMET_ID_MAP(maps[i].uid, maps[i].gid),
					      RAMET_HOSTNAME("mine"), RAMET_LO_UP(),
					      RAMET_PRIVATE_MOUNTS(), RAMET_TMPFS("/mnt"))),
			    &look, &task))
			return;
		expect(!strcmp(look.host, "mine") && look.lo_flags & IFF_UP, "host %s", look.host);
		expect(look.uid == maps[i].want, "uid %u", look.uid);
		expect(!look.caps[CAPS_INH] && !look.caps[CAPS_AMB],
		       "inheritable %#lx, ambient %#lx", look.caps[CAPS_INH], look.caps[CAPS_AMB]);
		expect(!look.caps[CAPS_EFF] == !maps[i].root, "effective %#lx",
		       look.caps[CAPS_EFF]);
	}
}

/* Another user than root with capabilities: the steps have them, the program as ever. */
static void user_with_caps(void *arg)
{
	const struct {
		uint32_t version;
		int pid;
	} header = {.version = 0x20080522};
	uint32_t data[6] = {0};
	struct look look[2];
	struct ramet_task task;

	(void)arg;
	expect(look_ready(), "not ready");
	open_other();
	/* CAP_SYS_ADMIN permitted, effective, inheritable; CAP_KILL inheritable alone. */
	prctl(PR_SET_KEEPCAPS, 1);
	expect(sys_setresuid(7, 7, 7) == 0, "uid");
	data[0] = data[1] = 1U << 21;
	data[2] = 1U << 21 | 1U << 5;
	expect(sys2(SYS_capset, (long)&header, (long)data) == 0, "capset");
	expect(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 21, 0, 0) == 0, "ambient");
	for (unsigned i = 0; i < 2; i++) {
		if (!look_through(&RAMET_SPEC(LOOK, .way = i ? RAMET_WAY_HELPER : RAMET_WAY_COPY,
					      STEPS(RAMET_JOIN(NETNS, CLONE_NEWNET))),
				  &look[i], &task))
			return;
		for (unsigned set = 0; set < CAPS_SETS; set++)
			expect(look[i].caps[set] == look[0].caps[set], "set %u: %#lx", set,
			       look[i].caps[set]);
	}
	expect(look[1].caps[CAPS_AMB] == 1U << 21, "ambient %#lx", look[1].caps[CAPS_AMB]);
}

/* Securebits under which exec takes root's capabilities, too. */
static void root_without_root(void *arg)
{
	struct look look[2];
	struct ramet_task task;

	(void)arg;
	expect(look_ready(), "not ready");
	open_other();
	expect(prctl(PR_SET_SECUREBITS, 1) == 0, "securebits");
	for (unsigned i = 0; i < 2; i++) {
		if (!look_through(&RAMET_SPEC(LOOK, .way = i ? RAMET_WAY_HELPER : RAMET_WAY_COPY,
					      STEPS(RAMET_JOIN(NETNS, CLONE_NEWNET))),
				  &look[i], &task))
			return;
		for (unsigned set = 0; set < CAPS_SETS; set++)
			expect(look[i].caps[set] == look[0].caps[set], "set %u: %#lx", set,
			       look[i].caps[set]);
	}
}

/* ---- Without programs in memory ------------------------------------------------------------------------- */

static void falls_back(void)
{
	const struct ramet_spec specs[] = {
		SPEC(.program = room_tiny, HELPER),
		SPEC(.program = room_nothing, HELPER),
		SPEC(.program = room_tiny, .fresh = RAMET_PID | RAMET_USER,
		     STEPS(RAMET_INIT(), RAMET_ID_MAP(NULL, NULL))),
	};
	struct world before, after;
	struct ramet_task task;
	int r;

	for (unsigned i = 0; i < 6; i++) {
		const bool missing = i % 3 == 1;

		before = world_take();
		r = ramet_launch(&specs[i % 3], &task, NULL);
		expect(r == (missing ? -ENOENT : 0), "spec %u: %d", i % 3, r);
		if (r == 0) {
			expect(task.way == RAMET_WAY_COPY && task.lost == RAMET_LOST_HELPER,
			       "spec %u: way %d, lost %#x", i % 3, (int)task.way, task.lost);
			expect(ramet_wait(&task, 20000, NULL) == 0, "wait");
			ramet_task_close(&task);
		}
		after = world_take();
		if (i >= 3) /* the pool and the like are there by now */
			expect(!world_differs(&before, &after), "%s",
			       world_differs(&before, &after));
	}
}

static void without_call(void *arg)
{
	if (expect(filter_install(arg), "filter"))
		falls_back();
}

/* The setting is a pid namespace's own. */
static void noexec_setting(void *arg)
{
	const char *value = arg;
	pid_t pid;
	int status, fd;

	expect(unshare(CLONE_NEWPID | CLONE_NEWNS) == 0, "unshare");
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		expect(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
			       mount("proc", "/proc", "proc", 0, NULL) == 0,
		       "proc");
		fd = open("/proc/sys/vm/memfd_noexec", O_WRONLY | O_CLOEXEC);
		if (fd < 0 || write(fd, value, 1) != 1) {
			cell_skip("vm.memfd_noexec cannot be set: %s", strerror(errno));
			_exit(0);
		}
		close(fd);
		if (*value == '2') {
			falls_back();
		} else {
			struct ramet_task task;

			expect(ramet_launch(&RAMET_SPEC(.program = room_tiny, HELPER), &task,
					    NULL) == 0 &&
				       task.way == RAMET_WAY_HELPER && !task.lost,
			       "way %d, lost %#x", (int)task.way, task.lost);
		}
		_exit(0);
	}
	expect(waitpid(pid, &status, 0) == pid && status == 0, "status %#x", status);
}

/* Who cannot own its word robustly is found to have begun by looking. */
static void without_robust_list(void *arg)
{
	struct timespec before, after;
	struct ramet_error error;
	struct ramet_task task;
	int r;

	expect(filter_install((const struct filter_row[]){{SYS_set_robust_list, *(int *)arg, 0},
							  {-1, 0, 0}}),
	       "filter");
	clock_gettime(CLOCK_MONOTONIC, &before);
	r = ramet_launch(&RAMET_SPEC(.program = "/bin/sleep", .argv = WORDS("sleep", "10"), HELPER),
			 &task, NULL);
	clock_gettime(CLOCK_MONOTONIC, &after);
	expect(r == 0 && task.way == RAMET_WAY_HELPER && !task.lost, "%d", r);
	expect(after.tv_sec - before.tv_sec < 3, "%ld s", (long)(after.tv_sec - before.tv_sec));
	expect(ramet_wait(&task, 0, NULL) == -ETIMEDOUT, "it does not run");
	expect(ramet_kill(&task, SIGKILL) == 0 && ramet_wait(&task, 20000, NULL) == 0, "kill");
	r = ramet_launch(&RAMET_SPEC(.program = room_nothing, HELPER), &task, &error);
	expect(r == -ENOENT && error.kind == RAMET_STEP_EXEC, "%d", r);
	expect(!world_children(), "a child is left");
}

/* ---- Memory -------------------------------------------------------------------------------------------- */

static char *heap_make(size_t mb)
{
	char *heap =
		mmap(NULL, mb << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (heap == MAP_FAILED)
		return NULL;
	madvise(heap, mb << 20, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < mb << 20; i += 4096)
		heap[i] = (char)(i >> 12 | 1);
	return heap;
}

/* "VmRSS:" and its like of a process, in KiB. */
static long memory_of(pid_t pid, const char *word)
{
	char path[40];
	const char *at;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	if (world_read(path) <= 0 || !(at = strstr(world_text, word)))
		return -1;
	return atol(at + strlen(word));
}

/* What stays behind as an init has nothing of the caller; as a copy of it, it would. */
static void init_is_small(void *arg)
{
	const enum ramet_way way = *(enum ramet_way *)arg;
	const struct ramet_spec spec = RAMET_SPEC(.program = "/bin/sleep",
						  .argv = WORDS("sleep", "60"), .fresh = RAMET_PID,
						  .way = way, STEPS(RAMET_INIT()));
	struct ramet_task task;
	char path[60];
	long lines, rss, tables;

	if (SANITIZED) {
		cell_skip("a sanitizer's memory is no measure");
		return;
	}
	expect(heap_make(HEAP_MB) != NULL, "heap");
	if (!expect(ramet_launch(&spec, &task, NULL) == 0, "launch"))
		return;
	usleep(50000);
	snprintf(path, sizeof(path), "/proc/%d/maps", task.tid);
	lines = world_lines(path);
	rss = memory_of(task.tid, "\nVmRSS:");
	tables = memory_of(task.tid, "\nVmPTE:");
	if (way == RAMET_WAY_HELPER) {
		expect(lines > 0 && lines < 16, "%ld mappings", lines);
		expect(rss >= 0 && rss < 400, "%ld KiB resident", rss);
		expect(tables >= 0 && tables < 100, "%ld KiB of page tables", tables);
		snprintf(path, sizeof(path), "/proc/%d/fd/0", task.tid);
		expect(access(path, F_OK) < 0 && errno == ENOENT, "it holds a descriptor");
	} else {
		expect(rss > HEAP_MB * 1024L && tables > 400, "the measure: %ld KiB, tables %ld",
		       rss, tables);
	}
	expect(ramet_kill(&task, SIGKILL) == 0 && ramet_wait(&task, 20000, NULL) == 0, "kill");
	ramet_task_close(&task);
}

static long faults(enum ramet_way way, bool of_caller)
{
	struct rusage before, after;
	struct ramet_status status = {0};
	struct ramet_task task;

	getrusage(RUSAGE_THREAD, &before);
	if (!expect(ramet_launch(&RAMET_SPEC(.program = room_tiny, .way = way), &task, NULL) == 0,
		    "launch"))
		return -1;
	getrusage(RUSAGE_THREAD, &after);
	expect(ramet_wait(&task, 20000, &status) == 0, "wait");
	ramet_task_close(&task);
	return of_caller ? after.ru_minflt - before.ru_minflt : status.rusage.ru_minflt;
}

/* Counted in page faults, the caller's when it writes to its heap again included. */
static void cost(void *arg)
{
	const enum ramet_way way = *(enum ramet_way *)arg;
	struct rusage before, after;
	long small, large;
	char *heap;

	if (SANITIZED) {
		cell_skip("a sanitizer's memory is no measure");
		return;
	}
	for (unsigned i = 0; i < 3; i++)
		faults(way, false);
	small = faults(way, false) + faults(way, true);
	heap = heap_make(HEAP_MB);
	if (!expect(heap != NULL, "heap"))
		return;
	large = faults(way, false);
	getrusage(RUSAGE_THREAD, &before);
	large += faults(way, true);
	for (size_t i = 0; i < (size_t)HEAP_MB << 20; i += 4096)
		heap[i]++;
	getrusage(RUSAGE_THREAD, &after);
	large += after.ru_minflt - before.ru_minflt;
	if (way == RAMET_WAY_COPY)
		expect(large - small > HEAP_MB * 200, "the measure: %ld and %ld faults", small,
		       large);
	else
		expect(large - small < 100, "%ld and %ld faults", small, large);
}

/* ---- The caller's end ------------------------------------------------------------------------------------ */

/*
 * Ends the process that opens a file for writing as the writing of id maps does: the caller, while
 * its child waits to be told to go on.
 */
static bool die_at_maps(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, O_WRONLY | O_CLOEXEC, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static void caller_killed(void *arg)
{
	struct pollfd end = {.events = POLLIN};
	struct ramet_task task;
	int held[2], status;
	pid_t pid;

	expect(pipe(held) == 0, "pipe"); /* open in all that come of the caller */
	pid = fork();
	if (!pid) {
		close(held[0]);
		expect(die_at_maps(), "filter");
		(void)!ramet_launch(&RAMET_SPEC(.program = "/bin/sleep",
						.argv = WORDS("sleep", "60"), .fresh = RAMET_USER,
						.way = *(enum ramet_way *)arg,
						STEPS(RAMET_ID_MAP(NULL, NULL))),
				    &task, NULL);
		_exit(0);
	}
	close(held[1]);
	expect(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS,
	       "the caller was not ended: %#x", status);
	end.fd = held[0];
	expect(poll(&end, 1, 10000) == 1 && end.revents & POLLHUP, "the child is still there");
}

/* A failing step and a killed child leave what other ways leave: nothing. */
static void nothing_left(void *arg)
{
	const struct ramet_spec specs[] = {
		SPEC(.program = room_nothing, HELPER),
		SPEC(.program = room_tiny, HELPER, STEPS(RAMET_CWD(room_nothing))),
		SPEC(.program = room_tiny, HELPER, .fresh = RAMET_USER,
		     STEPS(RAMET_ID_MAP("nonsense", NULL))),
		SPEC(.program = room_tiny, .fresh = RAMET_PID | RAMET_USER,
		     STEPS(RAMET_INIT(), RAMET_ID_MAP(NULL, NULL), RAMET_CWD(room_nothing))),
		SPEC(.program = room_tiny, HELPER, .fresh = RAMET_CGROUP, .cgroup = 0),
		SPEC(.program = room_tiny, HELPER),
	};
	static const int results[] = {-ENOENT, -ENOENT, -EINVAL, -ENOENT, -EBADF, 0};
	struct world before, after;
	struct ramet_task task;
	int r;

	(void)arg;
	for (unsigned i = 0; i < 18; i++) {
		before = world_take();
		r = ramet_launch(&specs[i % 6], &task, NULL);
		expect(r == results[i % 6], "spec %u: %d", i % 6, r);
		if (r == 0) {
			expect(ramet_wait(&task, 20000, NULL) == 0, "wait");
			ramet_task_close(&task);
		}
		after = world_take();
		if (i >= 6)
			expect(!world_differs(&before, &after), "spec %u: %s", i % 6,
			       world_differs(&before, &after));
	}
}

static void test_ways(void)
{
	static enum ramet_way ways[] = {RAMET_WAY_HELD, RAMET_WAY_FUTEX, RAMET_WAY_COPY,
					RAMET_WAY_HELPER};

	for (unsigned i = 0; i < 4; i++) {
		const char *name = ramet_way_name(ways[i]);

		cell_run(WHO_ANY, 20, own_names, &ways[i], "the program by /proc/self, %s", name);
		if (ways[i] == RAMET_WAY_HELD)
			continue;
		cell_run(WHO_ANY, 30, caller_killed, &ways[i], "caller killed, %s", name);
		if (ways[i] == RAMET_WAY_FUTEX)
			continue;
		cell_run(WHO_ROOT, 20, exit_signal, &ways[i], "exit signal of an init, %s", name);
		cell_run(WHO_ROOT, 60, init_is_small, &ways[i], "memory of an init, %s", name);
		cell_run(WHO_ANY, 60, cost, &ways[i], "cost and the caller's memory, %s", name);
	}
}

static void test_losses(void)
{
	static const struct {
		const char *name;
		struct filter_row rows[2];
	} losses[] = {
		{"memfd_create ENOSYS", {{SYS_memfd_create, ENOSYS, 0}, {-1, 0, 0}}},
		{"memfd_create EPERM", {{SYS_memfd_create, EPERM, 0}, {-1, 0, 0}}},
		{"execveat ENOSYS", {{SYS_execveat, ENOSYS, 0}, {-1, 0, 0}}},
		{"execveat EPERM", {{SYS_execveat, EPERM, 0}, {-1, 0, 0}}},
	};
	static int errors[] = {ENOSYS, EPERM};

	for (unsigned i = 0; i < sizeof(losses) / sizeof(losses[0]); i++) {
		cell_run(WHO_ANY, 20, without_call, (void *)losses[i].rows, "%s", losses[i].name);
		cell_run(WHO_NOBODY, 20, without_call, (void *)losses[i].rows, "%s",
			 losses[i].name);
	}
	cell_run(WHO_ROOT, 20, noexec_setting, (void *)(uintptr_t) "2", "vm.memfd_noexec=2");
	cell_run(WHO_ROOT, 20, noexec_setting, (void *)(uintptr_t) "1", "vm.memfd_noexec=1");
	for (unsigned i = 0; i < 2; i++)
		cell_run(WHO_ANY, 20, without_robust_list, &errors[i], "set_robust_list: %s",
			 strerror(errors[i]));
}

int main(int argc, char **argv)
{
	look_main(argc, argv);
	room_make();
	cell_run(WHO_ROOT, 20, marked_descriptors, NULL, "descriptors that exec would close");
	cell_run(WHO_ANY, 20, marked_swap, NULL, "two of them change places");
	cell_run(WHO_ANY, 30, numbers_of_the_helper, NULL, "descriptors that are not open");
	cell_run(WHO_ROOT, 20, shared_table, NULL, "a shared table of descriptors");
	cell_run(WHO_ANY, 20, no_environment, NULL, "no environment");
	cell_run(WHO_NOBODY, 20, new_user_namespace, NULL, "capabilities in a new user namespace");
	cell_run(WHO_ROOT, 20, user_with_caps, NULL, "capabilities of another user than root");
	cell_run(WHO_ROOT, 20, root_without_root, NULL, "root under securebits");
	cell_run(WHO_ANY, 60, nothing_left, NULL, "nothing is left");
	cell_run(WHO_NOBODY, 60, nothing_left, NULL, "nothing is left");
	test_ways();
	test_losses();
	return tap_done();
}
