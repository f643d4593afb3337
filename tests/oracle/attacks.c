/* SPDX-License-Identifier: MIT */
/*
 * The dangers of a child in its caller's memory, each as an attack by a real other user: reading
 * the caller's secret by way of the child or of the caller itself, holding the caller by stopping
 * the child, reading an init's copy of the caller from inside its container.
 *
 * Seen to succeed against a copy of the tree with the mend taken out:
 *  - step_uid() followed by prctl(PR_SET_DUMPABLE, 1) in the child: "secret, futex", "secret, copy",
 *    "overlap";
 *  - guard_let_go() that always sets dumpable, without the count: "overlap";
 *  - guard_let_go() that never does: "secret, futex" (the caller stays unreadable);
 *  - the held way for a program that changes its uid: "stopped" hangs until the cell is killed;
 *  - PR_SET_DUMPABLE left out in init_split(): "init".
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <time.h>

#include "lib/cell.h"
#include "lib/room.h"
#include "lib/walk.h"
#include "lib/world.h"
#include "uapi/clone.h"

#include <ramet/ramet.h>

#define TARGET 65534
#define SECRET_SIZE 32

/* Seen by the caller and its attackers. */
static struct arena {
	pid_t newborn; /* told by the kernel before the child runs */
	pid_t launcher;
	int stop;	 /* attackers end */
	long tries, met; /* met: the child had the target's uid and still the caller's memory */
	long read_child, read_launcher, stopped;
	char how[100];
} * arena;

static char *secret; /* in the launcher's heap */
static char secret_copy[SECRET_SIZE];

static void make_secret(void)
{
	secret = malloc(SECRET_SIZE);
	for (unsigned i = 0; i < SECRET_SIZE; i++)
		secret[i] = (char)(tap_random() % 250 + 1);
	memcpy(secret_copy, secret, SECRET_SIZE);
}

/* ---- Ways to read another's memory -------------------------------------------------------------- */

static bool is_secret(const char *text)
{
	return !memcmp(text, secret_copy, SECRET_SIZE);
}

static bool read_by_vm(pid_t pid)
{
	char buf[SECRET_SIZE] = {0};
	const struct iovec here = {buf, SECRET_SIZE}, there = {secret, SECRET_SIZE};

	return process_vm_readv(pid, &here, 1, &there, 1, 0) == SECRET_SIZE && is_secret(buf);
}

static bool read_by_mem(pid_t pid)
{
	char path[40], buf[SECRET_SIZE] = {0};
	bool got;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	got = pread(fd, buf, SECRET_SIZE, (off_t)(uintptr_t)secret) == SECRET_SIZE &&
	      is_secret(buf);
	close(fd);
	return got;
}

static bool read_by_ptrace(pid_t pid)
{
	union {
		long words[SECRET_SIZE / sizeof(long)];
		char text[SECRET_SIZE];
	} buf = {{0}};

	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) < 0)
		return false;
	ptrace(PTRACE_INTERRUPT, pid, NULL, NULL);
	waitpid(pid, NULL, __WALL);
	for (unsigned i = 0; i < SECRET_SIZE / sizeof(long); i++)
		buf.words[i] = ptrace(PTRACE_PEEKDATA, pid, secret + i * sizeof(long), NULL);
	ptrace(PTRACE_DETACH, pid, NULL, NULL);
	return is_secret(buf.text);
}

static const struct {
	const char *name;
	bool (*read)(pid_t pid);
} readers[] = {{"process_vm_readv", read_by_vm},
	       {"/proc/PID/mem", read_by_mem},
	       {"ptrace", read_by_ptrace}};

static bool try_to_read(pid_t pid, const char *whose)
{
	for (unsigned i = 0; i < sizeof(readers) / sizeof(readers[0]); i++)
		if (readers[i].read(pid)) {
			snprintf(arena->how, sizeof(arena->how), "%s of %s", readers[i].name,
				 whose);
			return true;
		}
	return false;
}

/* ---- The attacker --------------------------------------------------------------------------------- */

/* Whether the child has the target's uid and has not come to exec: it still has our name. */
static bool is_exposed(pid_t pid, const char *own_name)
{
	char path[40], text[1500], *uid;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = 0;
	uid = strstr(text, "\nUid:");
	return uid && atoi(uid + 5) == TARGET && !strncmp(text, own_name, strlen(own_name));
}

static void own_name(char *buf, size_t size)
{
	const int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, buf, size - 1);

	close(fd);
	buf[n > 0 ? n : 0] = 0;
	buf[strcspn(buf, "\n") + 1] = 0;
}

static void attack_once(pid_t pid, const char *name)
{
	const bool exposed = is_exposed(pid, name);

	arena->tries++;
	if (try_to_read(arena->launcher, "the caller"))
		arena->read_launcher++;
	if (try_to_read(pid, "the child"))
		arena->read_child++;
	if (exposed && is_exposed(pid, name))
		arena->met++;
}

static void attack_memory(void)
{
	char name[100];
	pid_t pid;

	own_name(name, sizeof(name));
	memset(secret, 0, SECRET_SIZE); /* own copy of the launcher's memory */
	while (!__atomic_load_n(&arena->stop, __ATOMIC_ACQUIRE)) {
		pid = __atomic_load_n(&arena->newborn, __ATOMIC_ACQUIRE);
		if (pid)
			attack_once(pid, name);
	}
}

/* Whoever has the child's uid may stop it. */
static void attack_by_stop(void)
{
	pid_t pid;

	while (!__atomic_load_n(&arena->stop, __ATOMIC_ACQUIRE)) {
		pid = __atomic_load_n(&arena->newborn, __ATOMIC_ACQUIRE);
		if (pid && kill(pid, SIGSTOP) == 0)
			arena->stopped++;
	}
}

static pid_t start_attacker(void (*attack)(void))
{
	const pid_t maker = getpid(), pid = fork();

	if (pid)
		return pid;
	if (sys_setgroups(0, NULL) < 0 || sys_setresgid(TARGET, TARGET, TARGET) < 0 ||
	    sys_setresuid(TARGET, TARGET, TARGET) < 0)
		_exit(1);
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() == maker)
		attack();
	_exit(0);
}

static void stop_attacker(pid_t pid)
{
	int status;

	__atomic_store_n(&arena->stop, 1, __ATOMIC_RELEASE);
	expect(waitpid(pid, &status, 0) == pid && status == 0, "the attacker ended with %#x",
	       status);
}

static void prepare(void)
{
	memset(arena, 0, sizeof(*arena));
	arena->launcher = getpid();
	make_secret();
}

/* ---- Reading the secret ------------------------------------------------------------------------------- */

/* After UID, so that the walk is done as the target. */
static struct ramet_step identity_walk[WALK_LONG + 8];

static void make_identity_walk(void)
{
	unsigned n = 0;

	identity_walk[n++] = (struct ramet_step)RAMET_UID(TARGET);
	identity_walk[n++] = (struct ramet_step)RAMET_GID(TARGET);
	for (unsigned i = 0; i < WALK_LONG; i++)
		identity_walk[n++] = walk_long[0];
}

static void launch_victim(enum ramet_way way, const struct ramet_step *steps)
{
	const struct ramet_spec spec = RAMET_SPEC(.program = room_tiny, .way = way, .steps = steps,
						  .parent_tid = &arena->newborn);
	struct ramet_task task;
	int r;

	__atomic_store_n(&arena->newborn, 0, __ATOMIC_RELEASE);
	r = ramet_launch(&spec, &task, NULL);
	/* From now on the pid will soon be nobody's. */
	__atomic_store_n(&arena->newborn, 0, __ATOMIC_RELEASE);
	if (!expect(r == 0, "launch %d", r))
		return;
	expect(ramet_wait(&task, -1, NULL) == 0, "wait");
	ramet_task_close(&task);
}

static void judge_attack(void)
{
	cell_note("%ld tries, %ld while the child was exposed\n", arena->tries, arena->met);
	expect(!arena->read_child, "the child's memory was read: %s", arena->how);
	expect(!arena->read_launcher, "the caller's memory was read: %s", arena->how);
	expect(arena->met >= 5, "only %ld tries met the child", arena->met);
	expect(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 1, "the caller stays unreadable");
}

static void read_secret(void *arg)
{
	pid_t attacker;

	prepare();
	launch_victim(*(enum ramet_way *)arg, identity_walk + WALK_LONG);
	attacker = start_attacker(attack_memory);
	for (unsigned i = 0; i < 200 && (i < 5 || arena->met < 20); i++)
		launch_victim(*(enum ramet_way *)arg, identity_walk);
	stop_attacker(attacker);
	judge_attack();
}

/* The attack works where nothing forbids it: a child that gives its memory away. */
static int be_readable(void *arg)
{
	const struct kernel_timespec t = {0, 300000000};

	(void)arg;
	sys_setresgid(TARGET, TARGET, TARGET);
	sys_setresuid(TARGET, TARGET, TARGET);
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	sys2(SYS_nanosleep, (long)&t, 0);
	return 0;
}

static void attack_works(void *arg)
{
	struct ramet_task task;
	pid_t attacker;

	(void)arg;
	prepare();
	attacker = start_attacker(attack_memory);
	if (expect(ramet_launch(&RAMET_SPEC(.fn = be_readable, .parent_tid = &arena->newborn,
					    .copy = RAMET_MEMORY),
				&task, NULL) == 0,
		   "launch")) {
		expect(ramet_wait(&task, -1, NULL) == 0, "wait");
		ramet_task_close(&task);
	}
	stop_attacker(attacker);
	expect(arena->read_child, "what anybody may read was not read");
	expect(!arena->read_launcher, "the caller's memory was read: %s", arena->how);
}

/* Short launches beside a long one: the first to end must not open the other's memory. */
static void *launch_short(void *arg)
{
	const struct ramet_step *steps = RAMET_STEPS(RAMET_UID(TARGET), RAMET_GID(TARGET));
	struct ramet_task task;

	while (!*(volatile int *)arg) {
		if (ramet_launch(&RAMET_SPEC(.program = room_tiny, .steps = steps), &task, NULL))
			return arg;
		if (ramet_wait(&task, -1, NULL))
			return arg;
		ramet_task_close(&task);
	}
	return NULL;
}

static void overlap(void *arg)
{
	int enough = 0;
	pthread_t thread;
	pid_t attacker;
	void *failed;

	(void)arg;
	prepare();
	attacker = start_attacker(attack_memory);
	pthread_create(&thread, NULL, launch_short, &enough);
	for (unsigned i = 0; i < 200 && (i < 10 || arena->met < 30); i++)
		launch_victim(RAMET_WAY_FUTEX, identity_walk);
	__atomic_store_n(&enough, 1, __ATOMIC_RELEASE);
	pthread_join(thread, &failed);
	stop_attacker(attacker);
	expect(!failed, "a short launch failed");
	judge_attack();
}

/* A caller that was unreadable before stays so. */
static void already_unreadable(void *arg)
{
	(void)arg;
	memset(arena, 0, sizeof(*arena));
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	launch_victim(RAMET_WAY_FUTEX, RAMET_STEPS(RAMET_UID(TARGET)));
	launch_victim(RAMET_WAY_ANY, RAMET_STEPS(RAMET_UID(TARGET)));
	expect(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0, "dumpable");
}

/* ---- Holding the caller ----------------------------------------------------------------------------------- */

static void stopped(void *arg)
{
	struct ramet_spec spec = RAMET_SPEC(.program = room_tiny, .steps = identity_walk,
					    .timeout_ms = 500, .way = *(enum ramet_way *)arg,
					    .parent_tid = &arena->newborn);
	struct timespec before, after;
	struct ramet_error error;
	struct ramet_task task;
	unsigned held = 0;
	pid_t attacker, child;
	int r;

	prepare();
	attacker = start_attacker(attack_by_stop);
	for (unsigned i = 0; i < 20 && held < 2; i++) {
		arena->stopped = 0;
		clock_gettime(CLOCK_MONOTONIC, &before);
		r = ramet_launch(&spec, &task, &error);
		clock_gettime(CLOCK_MONOTONIC, &after);
		child = arena->newborn;
		__atomic_store_n(&arena->newborn, 0, __ATOMIC_RELEASE);
		expect(after.tv_sec - before.tv_sec < 15, "held for %ld s",
		       (long)(after.tv_sec - before.tv_sec));
		if (r == 0) {
			expect(ramet_kill(&task, SIGKILL) == 0 && ramet_wait(&task, -1, NULL) == 0,
			       "kill");
			ramet_task_close(&task);
			continue;
		}
		held++;
		expect(r == -ETIMEDOUT && error.stage == RAMET_STAGE_DIED, "%d, stage %d", r,
		       (int)error.stage);
		expect(arena->stopped > 0, "not stopped");
		expect(kill(child, 0) < 0 && errno == ESRCH, "the child is still there");
		expect(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 1, "the caller stays unreadable");
	}
	stop_attacker(attacker);
	expect(held, "the child was never stopped in time");
	expect(!world_children(), "a child is left");
}

/* ---- The init's copy -------------------------------------------------------------------------------------- */

static char peek_name[] = "ramet-peek";

/* From inside the container: status 0 if nothing of pid 1 can be had, else what was. */
static void peek_main(int argc, char **argv)
{
	static const char *const links[] = {"/proc/1/exe", "/proc/1/cwd", "/proc/1/root",
					    "/proc/1/fd/0"};
	char buf[200];
	int fd;

	if (argc != 3 || strcmp(argv[0], peek_name) != 0)
		return;
	if (getpid() == 1 || kill(1, 0) < 0)
		_exit(100);
	secret = (char *)(uintptr_t)strtoull(argv[1], NULL, 16);
	for (unsigned i = 0; i < SECRET_SIZE; i++)
		sscanf(argv[2] + 2 * i, "%2hhx", (unsigned char *)&secret_copy[i]);
	for (unsigned i = 0; i < sizeof(readers) / sizeof(readers[0]); i++)
		if (readers[i].read(1))
			_exit(1 + (int)i);
	for (unsigned i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (readlink(links[i], buf, sizeof(buf)) >= 0)
			_exit(10 + (int)i);
	fd = open("/proc/1/environ", O_RDONLY | O_CLOEXEC);
	if (fd >= 0 && read(fd, buf, sizeof(buf)) > 0)
		_exit(20);
	_exit(0);
}

static void init_copy(void *arg)
{
	const bool mount_proc = arg;
	char address[30], text[2 * SECRET_SIZE + 1];
	struct ramet_status status;
	struct ramet_error error;
	struct ramet_task task;
	struct ramet_step steps[5] = {RAMET_INIT(), RAMET_ID_MAP(NULL, NULL)};
	int r;

	prepare();
	for (unsigned i = 0; i < SECRET_SIZE; i++)
		sprintf(text + 2 * i, "%02x", (unsigned char)secret[i]);
	sprintf(address, "%lx", (unsigned long)(uintptr_t)secret);
	if (mount_proc) {
		steps[2] = (struct ramet_step)RAMET_PRIVATE_MOUNTS();
		steps[3] = (struct ramet_step)RAMET_PROC("/proc");
	}
	r = ramet_launch(&RAMET_SPEC(.program = "/proc/self/exe",
				     .argv = WORDS(peek_name, address, text),
				     .fresh = RAMET_USER | RAMET_PID | RAMET_MNT, .steps = steps),
			 &task, &error);
	if (r == -EPERM && error.kind == RAMET_STEP_PROC) {
		cell_skip("/proc here is covered in part");
		return;
	}
	if (!expect(r == 0, "launch %d, %s", r, error.detail))
		return;
	r = ramet_wait(&task, -1, &status);
	expect(r == 0 && status.exited && status.code == 0,
	       "wait %d, code %d: 1-%d read, 10- links", r, status.code, 3);
	ramet_task_close(&task);
}

int main(int argc, char **argv)
{
	enum ramet_way futex = RAMET_WAY_FUTEX, copy = RAMET_WAY_COPY, any = RAMET_WAY_ANY;

	peek_main(argc, argv);
	room_make();
	tap_seed();
	walk_make();
	make_identity_walk();
	arena = mmap(NULL, sizeof(*arena), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	cell_run(WHO_ROOT, 60, attack_works, NULL, "the attack works where it may");
	cell_run(WHO_ROOT, 60, read_secret, &futex, "secret, futex");
	cell_run(WHO_ROOT, 60, read_secret, &copy, "secret, copy");
	cell_run(WHO_ROOT, 60, read_secret, &any, "secret, the plan's own way");
	cell_run(WHO_ROOT, 60, overlap, NULL, "overlap of two launches");
	cell_run(WHO_ROOT, 60, already_unreadable, NULL, "a caller that was unreadable stays so");
	cell_run(WHO_ROOT, 60, stopped, &futex, "stopped, futex");
	cell_run(WHO_ROOT, 60, stopped, &copy, "stopped, copy");
	cell_run(WHO_ROOT, 60, stopped, &any, "stopped, the plan's own way");
	cell_run(WHO_ROOT, 30, init_copy, room_dir, "init of root, seen from inside");
	cell_run(WHO_NOBODY, 30, init_copy, room_dir, "init, seen from inside");
	return tap_done();
}
