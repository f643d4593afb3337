/* SPDX-License-Identifier: MIT */
/*
 * Functions as bodies, and second returns: what is refused in which caller, that a copy of a
 * threaded caller can use the C library where ramet says so, stacks, thread pointers, codes.
 *
 * Seen to fail with the mend taken out, in a copy of the tree: plan_free() in a raw child that
 * returns twice ("no C library in a raw second return"); no guard page in slot_map() ("overflow");
 * robust list not put back in child_started() ("robust mutex").
 */
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <time.h>

#include "lib/cell.h"
#include "lib/room.h"
#include "lib/world.h"
#include "uapi/clone.h"

#include <ramet/ramet.h>

#define SPEC(...)                                                                                  \
	{                                                                                          \
		.size = sizeof(struct ramet_spec), __VA_ARGS__                                     \
	}

static volatile int enough;
static long seen[8]; /* written by bodies; shared or not is what is asked */

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int give(void *arg)
{
	return (int)(intptr_t)arg;
}

/* Launch, wait, and the status; -1000 - errno where there is none. */
static int run(const struct ramet_spec *spec, struct ramet_error *error)
{
	struct ramet_status status;
	struct ramet_task task;
	int r = ramet_launch(spec, &task, error);

	if (r < 0)
		return -1000 + r;
	r = ramet_wait(&task, 30000, &status);
	if (r == -ETIMEDOUT && ramet_kill(&task, SIGKILL) == 0 && ramet_wait(&task, -1, NULL) == 0)
		r = -ETIMEDOUT;
	ramet_task_close(&task);
	return r < 0 ? -2000 + r : status.exited ? status.code : 1000 + status.code;
}

/* ---- What is refused ------------------------------------------------------------------------------ */

static const struct refusal {
	struct ramet_spec spec;
	const char *alone;    /* rule in a caller of one thread, NULL: allowed */
	const char *threaded; /* and in one of two */
} refusals[] = {
	{SPEC(.fn = give), NULL, NULL},
	{SPEC(.fn = give, .preset = RAMET_PRESET_FORK), NULL, NULL},
	{SPEC(.fn = give, .flags = CLONE_IO), NULL, "function-needs-one-thread"},
	{SPEC(.fn = give, .exit_signal = SIGURG), NULL, "function-needs-one-thread"},
	{SPEC(.fn = give, .share = RAMET_FILES), NULL, "function-needs-one-thread"},
	{SPEC(.fn = give, .share = RAMET_FILES, .options = RAMET_NO_LIBC), NULL, NULL},
	{SPEC(.fn = give, .preset = RAMET_PRESET_VFORK), NULL, NULL},
	{SPEC(.fn = give, .preset = RAMET_PRESET_SPAWN), NULL, NULL},
	{SPEC(.fn = give, .share = RAMET_MEMORY), "shared-memory-needs-no-libc",
	 "shared-memory-needs-no-libc"},
	{SPEC(.fn = give, .preset = RAMET_PRESET_NPTL), "shared-memory-needs-no-libc",
	 "shared-memory-needs-no-libc"},
	{SPEC(.fn = give, .preset = RAMET_PRESET_LINUXTHREADS), "shared-memory-needs-no-libc",
	 "shared-memory-needs-no-libc"},
	{SPEC(.fn = give, .share = RAMET_MEMORY, .options = RAMET_NO_LIBC,
	      .steps = RAMET_STEPS(RAMET_UID(1))),
	 "identity-needs-own-memory", "identity-needs-own-memory"},
	{SPEC(.fn = give, .preset = RAMET_PRESET_VFORK, .steps = RAMET_STEPS(RAMET_GID(1))),
	 "held-caller-cannot-help", "held-caller-cannot-help"},
	{SPEC(.program = room_tiny, .share = RAMET_THREAD_GROUP | RAMET_SIGHAND | RAMET_MEMORY),
	 "exec-in-thread", "exec-in-thread"},
	{SPEC(.program = room_tiny, .fn = give), "one-body", "one-body"},
	{SPEC(.fn = give, .way = RAMET_WAY_HELD), "way-cannot", "way-cannot"},
	{SPEC(.fn = give, .preset = RAMET_PRESET_VFORK, .way = RAMET_WAY_COPY), "way-cannot",
	 "way-cannot"},
	{SPEC(.program = room_tiny, .way = RAMET_WAY_HELD, .steps = RAMET_STEPS(RAMET_UID(0))),
	 "way-cannot", "way-cannot"},
	{SPEC(.program = room_tiny, .way = RAMET_WAY_FUTEX, .fresh = RAMET_CGROUP), "way-cannot",
	 "way-cannot"},
};

static void check_refusals(bool threaded)
{
	struct ramet_error error;
	const char *want;
	int r;

	for (unsigned i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		want = threaded ? refusals[i].threaded : refusals[i].alone;
		signal(SIGURG, SIG_IGN);
		r = run(&refusals[i].spec, &error);
		if (!want)
			expect(r == 0, "case %u: %d, %s", i, r,
			       r < -1000 && error.rule ? error.rule : "no rule");
		else
			expect(r == -1000 - EINVAL && error.stage == RAMET_STAGE_CHECK &&
				       error.rule && !strcmp(error.rule, want),
			       "case %u: %d, rule %s", i, r,
			       r < -1000 && error.rule ? error.rule : "none");
	}
}

static void *idle(void *arg)
{
	while (!enough)
		usleep(1000);
	return arg;
}

static void refused(void *arg)
{
	pthread_t thread;

	if (arg)
		pthread_create(&thread, NULL, idle, NULL);
	check_refusals(arg);
	enough = 1;
	if (arg)
		pthread_join(thread, NULL);
}

/* ---- The C library in a copy of a threaded caller ---------------------------------------------------- */

static void use_libc(void)
{
	static FILE *f;
	void *p[40];

	if (!f)
		f = fopen("/dev/null", "we");
	for (unsigned i = 0; i < 40; i++)
		p[i] = malloc(100 + i * 700);
	for (unsigned i = 0; i < 40; i++) {
		fprintf(f ? f : stderr, "%p %u\n", p[i], i);
		free(p[i]);
	}
	if (f)
		fflush(f);
}

static void *hammer(void *arg)
{
	while (!enough)
		use_libc();
	return arg;
}

static int use_libc_and_end(void *arg)
{
	use_libc();
	return (int)(intptr_t)arg;
}

static void copies(void *arg)
{
	const int64_t end = now_ms() + 2000;
	struct ramet_status status;
	struct ramet_error error;
	pthread_t threads[8];
	struct ramet_task task;
	unsigned made = 0;
	int r;

	(void)arg;
	if (SANITIZED) {
		cell_skip("the sanitizer's allocator does not survive a fork beside threads");
		return;
	}
	mallopt(M_ARENA_MAX, 1); /* one lock for all */
	use_libc();
	for (unsigned i = 0; i < 8; i++)
		pthread_create(&threads[i], NULL, hammer, NULL);
	for (; made < 10 || now_ms() < end; made++) {
		r = run(&RAMET_SPEC(.fn = use_libc_and_end, .arg = (void *)21), &error);
		if (!expect(r == 21, "function %u: %d", made, r))
			break;
		r = ramet_fork(made % 2 ? NULL : &RAMET_SPEC(.steps = RAMET_STEPS(RAMET_CWD("/"))),
			       &task, NULL);
		if (r == 0) {
			use_libc();
			_exit(22);
		}
		if (!expect(r > 0, "fork %d", r))
			break;
		r = ramet_wait(&task, 30000, &status);
		if (!expect(r == 0 && status.code == 22, "twice %u: %d, code %d", made, r,
			    status.code))
			break;
		ramet_task_close(&task);
	}
	enough = 1;
	for (unsigned i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);
	cell_note("%u functions and %u second returns beside 8 busy threads\n", made, made);
}

/* What a child sees of itself, and that its C library works. */
struct sight {
	char links[6][64];
	pid_t pid;
	char cgroup[512];
};

static const char *const seen_namespaces[] = {"mnt", "uts", "ipc", "net", "cgroup", "pid"};

static void look(struct sight *sight)
{
	FILE *f;

	for (int i = 0; i < 6; i++) {
		char path[64];
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/thread-self/ns/%s", seen_namespaces[i]);
		/* proc is of the caller's pid namespace: a task of another has no such name there. */
		n = readlink(path, sight->links[i], sizeof(sight->links[i]) - 1);
		sight->links[i][n > 0 ? n : 0] = 0;
	}
	sight->pid = getpid();
	f = fopen("/proc/thread-self/cgroup", "re");
	sight->cgroup[f ? fread(sight->cgroup, 1, sizeof(sight->cgroup) - 1, f) : 0] = 0;
	if (f)
		fclose(f);
}

static int look_with_libc(void *arg)
{
	use_libc();
	look(arg);
	return 31;
}

/* The C library's fork, and namespaces and a cgroup all the same. */
static void boxed_copies(void *arg)
{
	static const uint32_t boxes[] = {
		RAMET_UTS,
		RAMET_MNT | RAMET_IPC,
		RAMET_NET | RAMET_CGROUPNS,
		RAMET_PID,
		RAMET_PID | RAMET_MNT | RAMET_UTS | RAMET_IPC,
	};
	static const uint32_t bits[] = {RAMET_MNT, RAMET_UTS,	   RAMET_IPC,
					RAMET_NET, RAMET_CGROUPNS, RAMET_PID};
	struct sight *view = mmap(NULL, sizeof(*view), PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct sight mine = {0}, after = {0};
	struct ramet_error error;
	pthread_t threads[8];

	(void)arg;
	if (SANITIZED) {
		cell_skip("the sanitizer's allocator does not survive a fork beside threads");
		return;
	}
	mallopt(M_ARENA_MAX, 1);
	use_libc();
	look(&mine);
	for (unsigned i = 0; i < 8; i++)
		pthread_create(&threads[i], NULL, hammer, NULL);
	for (unsigned i = 0; i < 60; i++) {
		const uint32_t box = boxes[i % 5];
		int r;

		memset(view, 0, sizeof(*view));
		r = run(&RAMET_SPEC(.fn = look_with_libc, .arg = view, .fresh = box), &error);
		if (!expect(r == 31, "box %#x: %d", box, r))
			break;
		for (int k = 0; k < 6; k++)
			if (view->links[k][0])
				expect(!strcmp(view->links[k], mine.links[k]) == !(box & bits[k]),
				       "box %#x: %s is %s", box, seen_namespaces[k],
				       view->links[k]);
		expect((view->pid == 1) == !!(box & RAMET_PID), "box %#x: pid %d", box, view->pid);
	}
	look(&after);
	expect(!memcmp(&mine.links, &after.links, sizeof(mine.links)), "the caller has moved");
	enough = 1;
	for (unsigned i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);
	/* The thread's next child is in the old pid namespace again. */
	expect(run(&RAMET_SPEC(.fn = look_with_libc, .arg = view), &error) == 31 && view->pid != 1,
	       "pid %d afterwards", view->pid);
	munmap(view, sizeof(*view));
}

/* Born in a cgroup by a fork: the first step enters it, and fails by name. */
static void cgroup_copies(void *arg)
{
	struct sight *view = mmap(NULL, sizeof(*view), PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char name[64], folder[128] = "";
	struct ramet_error error;
	pthread_t thread;
	int fd, r;

	(void)arg;
	if (SANITIZED) {
		cell_skip("the sanitizer's allocator does not survive a fork beside threads");
		return;
	}
	snprintf(name, sizeof(name), "ramet-body-%d", getpid());
	for (int i = 0; i < 2; i++) {
		snprintf(folder, sizeof(folder), "/sys/fs/cgroup%s/%s", i ? "" : "/unified", name);
		if (mkdir(folder, 0755) == 0)
			break;
		*folder = 0;
	}
	if (!*folder) {
		cell_skip("no cgroup2");
		return;
	}
	fd = open(folder, O_DIRECTORY | O_CLOEXEC);
	pthread_create(&thread, NULL, hammer, NULL);
	r = run(&RAMET_SPEC(.fn = look_with_libc, .arg = view, .fresh = RAMET_CGROUP, .cgroup = fd),
		&error);
	expect(r == 31 && strstr(view->cgroup, name), "%d in %s", r, view->cgroup);
	r = run(&RAMET_SPEC(.fn = look_with_libc, .arg = view, .fresh = RAMET_CGROUP | RAMET_UTS,
			    .cgroup = 999),
		&error);
	expect(error.error == EBADF && error.kind == RAMET_STEP_ENTER_CGROUP, "%d, kind %u", r,
	       error.kind);
	enough = 1;
	pthread_join(thread, NULL);
	close(fd);
	for (int i = 0; i < 100 && rmdir(folder) < 0; i++)
		usleep(10000);
	munmap(view, sizeof(*view));
}

/* Under RAMET_NO_LIBC ramet itself keeps to it, also in the child that returns. */
static void raw_twice(void *arg)
{
	static struct ramet_step steps[90]; /* a block that no per-thread cache takes back */
	const struct ramet_spec spec =
		RAMET_SPEC(.options = RAMET_NO_LIBC, .flags = CLONE_IO, .steps = steps);
	const int64_t end = now_ms() + 1500;
	struct ramet_status status;
	struct ramet_task task;
	pthread_t threads[4];
	int r;

	(void)arg;
	mallopt(M_ARENA_MAX, 1);
	for (unsigned i = 0; i < 89; i++)
		steps[i] = (struct ramet_step)RAMET_CWD("/");
	for (unsigned i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, hammer, NULL);
	for (unsigned i = 0; i < 10 || now_ms() < end; i++) {
		r = ramet_fork(&spec, &task, NULL);
		if (r == 0)
			sys_exit_group(23);
		if (!expect(r > 0, "fork %d", r))
			break;
		r = ramet_wait(&task, 10000, &status);
		if (!expect(r == 0 && status.code == 23, "%u: wait %d, code %d", i, r,
			    status.code)) {
			kill(task.tid, SIGKILL);
			break;
		}
		ramet_task_close(&task);
	}
	enough = 1;
	for (unsigned i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
}

static char order[40];

#define HANDLER(name, letter)                                                                      \
	static void name(void)                                                                     \
	{                                                                                          \
		strcat(order, letter);                                                             \
	}
HANDLER(prepare_1, "p")
HANDLER(prepare_2, "P")
HANDLER(parent_1, "m")
HANDLER(parent_2, "M")
HANDLER(child_1, "c")
HANDLER(child_2, "C")

static int order_is_child(void *arg)
{
	return strcmp(order, arg) ? 1 : 0;
}

static void fork_handlers(void *arg)
{
	static char of_child[] = "PpcC", none[] = "";
	struct ramet_error error;
	struct ramet_task task;
	int r;

	(void)arg;
	pthread_atfork(prepare_1, parent_1, child_1);
	pthread_atfork(prepare_2, parent_2, child_2);
	r = run(&RAMET_SPEC(.fn = order_is_child, .arg = of_child), &error);
	expect(r == 0 && !strcmp(order, "PpmM"), "function: %d, %s", r, order);
	order[0] = 0;
	r = ramet_fork(NULL, &task, NULL);
	if (r == 0)
		_exit(order_is_child(of_child));
	expect(r > 0 && ramet_wait(&task, -1, NULL) == 0 && !strcmp(order, "PpmM"), "twice: %d, %s",
	       r, order);
	ramet_task_close(&task);
	order[0] = 0;
	r = run(&RAMET_SPEC(.fn = order_is_child, .arg = none, .options = RAMET_NO_LIBC), &error);
	expect(r == 0 && !order[0], "raw: %d, %s", r, order);
}

/* A mutex that its owner left behind by dying is handed on, after steps as well. */
static void robust_mutex(void *arg)
{
	const struct ramet_step *steps = RAMET_STEPS(RAMET_CWD("/"));
	pthread_mutex_t *mutex =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_t attr;
	struct ramet_task task;
	int r;

	(void)arg;
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	for (unsigned i = 0; i < 2; i++) {
		pthread_mutex_init(mutex, &attr);
		r = ramet_fork(&RAMET_SPEC(.steps = i ? steps : NULL), &task, NULL);
		if (r == 0) {
			pthread_mutex_lock(mutex);
			_exit(0);
		}
		expect(r > 0 && ramet_wait(&task, -1, NULL) == 0, "fork %d", r);
		ramet_task_close(&task);
		r = pthread_mutex_trylock(mutex);
		expect(r == EOWNERDEAD, "steps %u: %s", i, strerror(r));
	}
}

/* ---- Stacks, thread pointers, codes ------------------------------------------------------------------ */

/* Libc-free, as every body from here on. */
static int look_around(void *arg)
{
	char here;

	seen[0] = (long)&here;
	seen[1] = (long)arch_get_tp();
	seen[2] = sys_gettid();
	seen[3] = sys_getpid();
	sys_sigprocmask(0, NULL, (uint64_t *)&seen[4]);
	return (int)(intptr_t)arg;
}

static void stacks(void *arg)
{
	static char room[65536] __attribute__((aligned(16))), tls[256] __attribute__((aligned(64)));
	const struct ramet_spec specs[] = {
		SPEC(.fn = look_around, .preset = RAMET_PRESET_NPTL, .options = RAMET_NO_LIBC,
		     .stack = room, .stack_size = sizeof(room), .tls = (uintptr_t)tls),
		SPEC(.fn = look_around, .share = RAMET_MEMORY, .options = RAMET_NO_LIBC,
		     .stack = room, .stack_size = sizeof(room)),
		SPEC(.fn = look_around, .preset = RAMET_PRESET_VFORK, .stack = room,
		     .stack_size = sizeof(room), .fresh = RAMET_TLS, .tls = (uintptr_t)tls),
		SPEC(.fn = look_around, .preset = RAMET_PRESET_NPTL, .options = RAMET_NO_LIBC),
		SPEC(.fn = look_around, .preset = RAMET_PRESET_VFORK),
	};
	const uint64_t mask = 1ULL << (SIGUSR2 - 1) | 1ULL << 49;
	const uintptr_t tp = arch_get_tp();
	struct ramet_error error;
	int r;

	(void)arg;
	sys_sigprocmask(2, &mask, NULL);
	for (unsigned i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
		memset(seen, 0, sizeof(seen));
		r = run(&specs[i], &error);
		expect(r == 0, "spec %u: %d", i, r);
		expect(seen[0], "spec %u did not run in this memory", i);
		expect((seen[0] >= (long)room && seen[0] < (long)room + (long)sizeof(room)) ==
			       (i < 3),
		       "spec %u ran at %lx, the given stack is at %p", i, seen[0], (void *)room);
		expect((uintptr_t)seen[1] == (specs[i].tls ? (uintptr_t)tls : tp),
		       "spec %u: thread pointer %lx", i, seen[1]);
		expect((seen[3] == getpid()) == (specs[i].preset == RAMET_PRESET_NPTL),
		       "spec %u: pid %ld", i, seen[3]);
		expect(seen[2] != gettid(), "spec %u: tid %ld", i, seen[2]);
		expect((uint64_t)seen[4] == mask, "spec %u: mask %lx", i, seen[4]);
		expect(arch_get_tp() == tp, "spec %u: the caller's thread pointer changed", i);
	}
}

/* How deep a body can go; what is written lies in shared memory, for it ends in a fault. */
static long *depth;

__attribute__((noinline)) static int go_down(char *top)
{
	volatile char frame[512];

	frame[0] = 1;
	__atomic_store_n(depth, (long)(top - (char *)frame), __ATOMIC_RELAXED);
	return *depth < 0 ? 0 : go_down(top) + frame[0]; /* never less */
}

static int start_down(void *arg)
{
	char top;

	(void)arg;
	return go_down(&top);
}

static int go_down_to(void *arg)
{
	volatile char room[200000];

	for (unsigned i = 0; i < sizeof(room); i += 1000)
		room[i] = 1;
	return (int)(intptr_t)arg + room[0] - 1;
}

/* The fault is the whole process's: a scaffold of its own. */
static void overflow(void *arg)
{
	static const size_t sizes[] = {0, 4096, 16384, 1000000};
	static const enum ramet_preset presets[] = {RAMET_PRESET_NPTL, RAMET_PRESET_VFORK};
	struct ramet_error error;
	int status;
	long want;
	pid_t pid;

	(void)arg;
	if (SANITIZED) {
		cell_skip("the sanitizer catches SIGSEGV and makes frames larger");
		return;
	}
	depth = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (unsigned i = 0; i < 8; i++) {
		const size_t size = sizes[i / 2];
		const struct ramet_spec spec = SPEC(.fn = start_down, .preset = presets[i % 2],
						    .options = RAMET_NO_LIBC, .stack_size = size);

		if (!size && i % 2) /* the caller's own stack */
			continue;
		*depth = 0;
		pid = fork();
		if (!pid)
			_exit(run(&spec, &error) == 1000 + SIGSEGV ? 9 : 1);
		waitpid(pid, &status, 0);
		/* A vfork child falls alone, a thread takes its process along. */
		expect(i % 2 ? status == 9 << 8
			     : WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV,
		       "size %zu: status %#x", size, status);
		want = size ? (long)size : 256 * 1024;
		expect(*depth > want - 3000 && *depth < want + 4096, "size %zu: went down %ld",
		       size, *depth);
	}
	expect(run(&RAMET_SPEC(.fn = go_down_to, .arg = (void *)4, .share = RAMET_MEMORY,
			       .options = RAMET_NO_LIBC),
		   &error) == 4,
	       "200 000 bytes of the usual stack");
}

static void codes(void *arg)
{
	static const int given[] = {0, 1, 127, 128, 255, 256, 300, -1};
	struct ramet_error error;
	int r;

	(void)arg;
	for (unsigned i = 0; i < sizeof(given) / sizeof(given[0]); i++)
		for (unsigned k = 0; k < 4; k++) {
			struct ramet_spec spec =
				SPEC(.fn = give, .arg = (void *)(intptr_t)given[i]);

			spec.preset = k == 1 ? RAMET_PRESET_VFORK : RAMET_PRESET_DEFAULT;
			spec.share = k == 2 ? RAMET_MEMORY : 0;
			spec.options = k >= 2 ? RAMET_NO_LIBC : 0;
			r = run(&spec, &error);
			expect(r == (given[i] & 0xff), "shape %u gave %d for %d", k, r, given[i]);
		}
}

/* ---- Second returns and the call's own faces ---------------------------------------------------------- */

static void twice(void *arg)
{
	volatile long local = 5;
	struct ramet_status status;
	struct ramet_error error;
	struct ramet_task task;
	int r, parent = getpid();

	(void)arg;
	r = ramet_fork(&RAMET_SPEC(.share = RAMET_MEMORY), &task, &error);
	expect(r == -EINVAL && error.rule && !strcmp(error.rule, "return-twice-needs-own-memory"),
	       "shared: %d", r);
	for (unsigned i = 0; i < 20; i++) {
		r = ramet_fork(&RAMET_SPEC(.steps = RAMET_STEPS(RAMET_SETSID(), RAMET_CWD("/usr"),
								RAMET_UMASK(0135)),
					   .flags = i % 2 ? CLONE_IO : 0),
			       &task, NULL);
		if (r == 0) {
			char cwd[20] = "";

			local = 6;
			r = task.tid != 0 || task.pidfd != -1 || getppid() != parent ||
			    getsid(0) != getpid() || umask(0) != 0135 || !getcwd(cwd, 20) ||
			    strcmp(cwd, "/usr");
			/* It is a whole process: it can launch as well. */
			_exit(r ? 1 : run(&RAMET_SPEC(.fn = give, .arg = (void *)31), NULL));
		}
		expect(r == task.tid && r > 0 && local == 5, "parent: %d", r);
		r = ramet_wait(&task, 30000, &status);
		expect(r == 0 && status.code == 31, "wait %d, code %d", r, status.code);
		ramet_task_close(&task);
	}
}

static int shifted(void *arg)
{
	const int64_t *before = arg;

	return now_ms() - *before > 86300000 ? 24 : 25;
}

/* Nothing but the step itself brings a function, which has no exec, into its time namespace. */
static void clocks(void *arg)
{
	int64_t before = now_ms();
	struct ramet_status status;
	struct ramet_task task;
	int r;

	(void)arg;
	r = ramet_launch(&RAMET_SPEC(.fn = shifted, .arg = &before, .fresh = RAMET_TIME,
				     .steps = RAMET_STEPS(RAMET_TIME_OFFSET(1, 86400, 0))),
			 &task, NULL);
	if (!expect(r == 0, "launch %d", r))
		return;
	r = ramet_wait(&task, 20000, &status);
	expect(r == 0 && status.code == 24, "wait %d, code %d", r, status.code);
	ramet_task_close(&task);
}

static void vforks(void *arg)
{
	volatile int local = 1;
	int status = 0;
	long pid;

	(void)arg;
	for (volatile int i = 0; i < 100; i++) {
		pid = ramet_vfork();
		if (pid == 0) {
			local = i;
			_exit(i);
		}
		expect(pid > 0 && local == i, "vfork %ld, local %d", pid, local);
		expect(waitpid((pid_t)pid, &status, 0) == pid && status == i << 8, "status %#x",
		       status);
	}
}

static void wrapper(void *arg)
{
	static char stack[65536] __attribute__((aligned(16))),
		tls[256] __attribute__((aligned(64)));
	volatile pid_t ptid = 0, ctid = 0;
	int pid, status;

	(void)arg;
	expect(ramet_clone(NULL, stack + sizeof(stack), SIGCHLD, NULL) == -1 && errno == EINVAL,
	       "no function");
	expect(ramet_clone(give, NULL, SIGCHLD, NULL) == -1 && errno == EINVAL, "no stack");
	pid = ramet_clone(look_around, stack + sizeof(stack),
			  CLONE_VM | CLONE_VFORK | CLONE_SETTLS | CLONE_PARENT_SETTID |
				  CLONE_CHILD_SETTID | SIGCHLD,
			  (void *)12, &ptid, tls, &ctid);
	expect(pid > 0 && ptid == pid && ctid == pid, "%d %d %d", pid, ptid, ctid);
	expect(waitpid(pid, &status, 0) == pid && status == 12 << 8, "status %#x", status);
	expect((char *)seen[0] > stack && (char *)seen[0] < stack + sizeof(stack), "stack");
	expect((char *)seen[1] == tls, "thread pointer");
	expect(ramet_clone(give, stack + sizeof(stack), CLONE_THREAD, NULL) == -1 &&
		       errno == EINVAL,
	       "thread");
	pid = ramet_clone(give, stack + 5001, 0, (void *)13); /* any top, no signal */
	expect(pid > 0 && waitpid(pid, &status, __WCLONE) == pid && status == 13 << 8, "%d, %#x",
	       pid, status);
}

int main(void)
{
	room_make();
	cell_run(WHO_ANY, 60, refused, NULL, "refused and allowed in a caller of one thread");
	cell_run(WHO_ANY, 60, refused, room_dir, "refused and allowed in a caller of two threads");
	cell_run(WHO_ANY, 60, copies, NULL, "the C library in copies of a busy caller");
	cell_run(WHO_ROOT, 60, boxed_copies, NULL, "the same in namespaces of their own");
	cell_run(WHO_ROOT, 60, cgroup_copies, NULL, "and in a cgroup");
	cell_run(WHO_ANY, 60, raw_twice, NULL, "no C library in a raw second return");
	cell_run(WHO_ANY, 60, fork_handlers, NULL, "fork handlers");
	cell_run(WHO_ANY, 60, robust_mutex, NULL, "robust mutex");
	cell_run(WHO_ANY, 60, stacks, NULL, "stacks, thread pointers, masks");
	cell_run(WHO_ANY, 60, overflow, NULL, "overflow");
	cell_run(WHO_ANY, 60, codes, NULL, "exit codes");
	cell_run(WHO_ANY, 60, twice, NULL, "second returns");
	cell_run(WHO_ROOT, 60, clocks, NULL, "a function's clocks");
	cell_run(WHO_ANY, 60, vforks, NULL, "ramet_vfork");
	cell_run(WHO_ANY, 60, wrapper, NULL, "ramet_clone");
	cell_run(WHO_NOBODY, 60, copies, NULL, "the C library in copies of a busy caller");
	return tap_done();
}
