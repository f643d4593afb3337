/* SPDX-License-Identifier: MIT */
/*
 * Launches of every kind, mixed at random, by several threads at once, while signals hit the
 * process: until so many have been made or the time is over. Every outcome is checked, of the
 * failures errno and step too. After a part that fills what is kept between launches the process
 * must stay as it is: memory, mappings, allocated bytes, descriptors, children, threads, mounts,
 * cgroups.
 *
 *	soak [SECONDS]      5; RAMET_LONG=1: 120
 *	RAMET_SOAK=N        so many launches; without SECONDS however long it takes
 *	RAMET_SEED=N        the same choices again; what threads make of them is chance
 *
 * Seen to fail, in a copy of the tree: the slot, the pidfd or the zombie of a failed launch kept;
 * the handle of a begun one, the record of a helper not released; EINTR taken for the end of a task.
 */
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <time.h>

#include "lib/cell.h"
#include "lib/room.h"
#include "lib/world.h"
#include "oracle/kernel.h"
#include "uapi/clone.h"

#include <ramet/ramet.h>

#define THREADS 6
#define BEGUN 8 /* at most so many under way in a thread */
#define FAR_FD 900
#define NO_FD 902
#define SPARE_KB 1024

#define SPEC(...)                                                                                  \
	{                                                                                          \
		.size = sizeof(struct ramet_spec), __VA_ARGS__                                     \
	}
#define TINY(...) SPEC(.program = room_tiny, .steps = RAMET_STEPS(__VA_ARGS__))

#define HELD (1u << RAMET_WAY_HELD)
#define FUTEX (1u << RAMET_WAY_FUTEX)
#define COPY (1u << RAMET_WAY_COPY)
#define HELPER (1u << RAMET_WAY_HELPER)
#define EVERY (HELD | FUTEX | COPY | HELPER)

/* TSan takes a raw copy of a process for one of its threads, finds races there, and hangs. */
#ifdef __SANITIZE_THREAD__
#define COPIES 0
#else
#define COPIES 1
#endif

struct kind {
	const char *name;
	struct ramet_spec spec; /* neither program nor fn: returns twice */
	unsigned ways;		/* that may be forced; whatever the plan chooses may come too */
	unsigned weight;
	int result;	/* below 0: it fails, */
	uint32_t step;	/* in a step of this kind; 0: before there is a child */
	int code;	/* exit status */
	bool root;	/* only root can */
	bool cgroup;	/* born in the soak's cgroup */
	bool not_begun; /* it cannot be */
};

static int seven(void *arg)
{
	(void)arg;
	return 7;
}

static const gid_t groups[] = {3, 5, 8};
static const uint64_t nowhere;
static const char bad_filter[8] = "\xff\xff\xff\xff\xff\xff\xff";

#define FEW RAMET_CLOSE_REST()
#define LOADED                                                                                     \
	RAMET_SETSID(), RAMET_CWD("/"), RAMET_UMASK(027), RAMET_RLIMIT(RLIMIT_CORE, 0, 0),         \
		RAMET_SIGMASK(1), RAMET_SIGNAL_IGNORE(SIGPIPE), RAMET_DUP(0, 5), RAMET_DUP(1, 0),  \
		RAMET_NO_NEW_PRIVS(), RAMET_CLOSE_REST()
#define MAPPED RAMET_ID_MAP(NULL, NULL)
#define FAILS(errno_, kind_) .result = -(errno_), .step = RAMET_STEP_##kind_

static const struct kind kinds[] = {
	{"plain", SPEC(.program = room_tiny), EVERY, .weight = 40},
	{"few kept", TINY(FEW), EVERY, .weight = 20},
	{"a far one kept", TINY(RAMET_KEEP(FAR_FD), FEW), EVERY, .weight = 12},
	{"a far one moved", TINY(RAMET_DUP(FAR_FD, 3), RAMET_DUP(0, 1), RAMET_DUP(1, 0), FEW),
	 EVERY, .weight = 8},
	{"loaded", TINY(LOADED), EVERY, .weight = 20},
	{"with a deadline", SPEC(.program = room_tiny, .timeout_ms = 60000), FUTEX | COPY | HELPER,
	 .weight = 8},
	{"own stack", SPEC(.program = room_tiny, .stack_size = 65536), HELD | FUTEX, .weight = 6},
	{"searched", SPEC(.program = "tiny", .options = RAMET_SEARCH_PATH), EVERY, .weight = 6},
	{"tied", TINY(RAMET_PDEATHSIG(SIGKILL)), EVERY, .weight = 4},
	{"id maps",
	 SPEC(.program = room_tiny, .fresh = RAMET_USER, .steps = RAMET_STEPS(MAPPED, FEW)),
	 FUTEX | COPY | HELPER, .weight = 4},
	{"behind an init",
	 SPEC(.program = room_tiny, .fresh = RAMET_PID | RAMET_USER,
	      .steps = RAMET_STEPS(MAPPED, RAMET_INIT())),
	 COPY | HELPER, .weight = 3},
	{"another identity", TINY(RAMET_UID(65534), RAMET_GID(65534), RAMET_GROUPS(3, groups), FEW),
	 FUTEX | COPY | HELPER, 8, .root = true},
	{"in a cgroup", SPEC(.program = room_tiny, .fresh = RAMET_CGROUP), HELD | COPY | HELPER, 6,
	 .root = true, .cgroup = true},

	{"function, copied", SPEC(.fn = seven), COPY, 4, .code = 7},
	{"function, copied raw", SPEC(.fn = seven, .options = RAMET_NO_LIBC), COPY, 4, .code = 7},
	{"function, caller held", SPEC(.fn = seven, .preset = RAMET_PRESET_VFORK), HELD, 6,
	 .code = 7},
	{"function, shared", SPEC(.fn = seven, .share = RAMET_MEMORY, .options = RAMET_NO_LIBC),
	 FUTEX, 6, .code = 7},
	{"function, shared, steps",
	 SPEC(.fn = seven, .share = RAMET_MEMORY, .options = RAMET_NO_LIBC,
	      .steps = RAMET_STEPS(RAMET_CWD("/"), FEW)),
	 FUTEX, 4, .code = 7},
	{"linuxthreads",
	 SPEC(.fn = seven, .preset = RAMET_PRESET_LINUXTHREADS, .options = RAMET_NO_LIBC), FUTEX, 4,
	 .code = 7},
	{"thread", SPEC(.fn = seven, .preset = RAMET_PRESET_NPTL, .options = RAMET_NO_LIBC), FUTEX,
	 .weight = 4},
	{"twice", SPEC(.preset = RAMET_PRESET_FORK), COPY, 4, .code = 7},

	{"program missing", SPEC(.program = room_nothing), EVERY, 8, FAILS(ENOENT, EXEC)},
	{"program not executable", SPEC(.program = room_plain), EVERY, 2, FAILS(EACCES, EXEC)},
	{"program of no format", SPEC(.program = room_bad, .steps = RAMET_STEPS(FEW)), EVERY, 2,
	 FAILS(ENOEXEC, EXEC)},
	{"found nowhere", SPEC(.program = "ramet-none", .options = RAMET_SEARCH_PATH), EVERY, 2,
	 FAILS(ENOENT, EXEC)},
	{"cwd fails", TINY(LOADED, RAMET_CWD(room_nothing)), EVERY, 4, FAILS(ENOENT, CWD)},
	{"dup fails", TINY(RAMET_DUP(NO_FD, 4)), EVERY, 3, FAILS(EBADF, DUP)},
	{"keep fails", TINY(RAMET_KEEP(NO_FD)), EVERY, 3, FAILS(EBADF, KEEP)},
	{"group fails", TINY(RAMET_SETPGID(4000000)), EVERY, 2, FAILS(EPERM, SETPGID)},
	{"limit fails", TINY(RAMET_RLIMIT(RLIMIT_CORE, 2, 1)), EVERY, 2, FAILS(EINVAL, RLIMIT)},
	{"scheduling fails", TINY(RAMET_SCHED(1 /* SCHED_FIFO */, 1000)), EVERY, 2,
	 FAILS(EINVAL, SCHED)},
	{"ioprio fails", TINY(RAMET_IOPRIO(7, 0)), EVERY, 2, FAILS(EINVAL, IOPRIO)},
	{"affinity fails", TINY(RAMET_AFFINITY(sizeof(nowhere), &nowhere)), EVERY, 2,
	 FAILS(EINVAL, AFFINITY)},
	{"oom score fails", TINY(RAMET_OOM_SCORE_ADJ(5000)), HELD | COPY | HELPER, 2,
	 FAILS(EINVAL, OOM_SCORE_ADJ)},
	{"terminal fails", TINY(RAMET_SETSID(), RAMET_CTTY(FAR_FD)), EVERY, 2, FAILS(ENOTTY, CTTY)},
	{"foreground fails", TINY(RAMET_FOREGROUND(FAR_FD)), EVERY, 2, FAILS(ENOTTY, FOREGROUND)},
	{"filter fails", TINY(RAMET_NO_NEW_PRIVS(), RAMET_SECCOMP(8, bad_filter)), EVERY, 2,
	 FAILS(EINVAL, SECCOMP)},
	{"join fails", TINY(RAMET_JOIN(FAR_FD, CLONE_NEWUTS)), COPY | HELPER, 2,
	 FAILS(EINVAL, JOIN)},
	{"cgroup fails", TINY(RAMET_CGROUP_DIR(room_nothing)), HELD | COPY | HELPER, 2,
	 FAILS(ENOENT, CGROUP)},
	{"id map fails",
	 SPEC(.program = room_tiny, .fresh = RAMET_USER,
	      .steps = RAMET_STEPS(RAMET_ID_MAP("x", NULL))),
	 FUTEX | COPY | HELPER, 3, FAILS(EINVAL, ID_MAP)},
	{"exec fails behind an init",
	 SPEC(.program = room_nothing, .fresh = RAMET_PID | RAMET_USER,
	      .steps = RAMET_STEPS(MAPPED, RAMET_INIT())),
	 COPY | HELPER, 2, FAILS(ENOENT, EXEC)},
	{"exec fails under another identity",
	 SPEC(.program = room_nothing, .steps = RAMET_STEPS(RAMET_UID(65534), RAMET_KEEP_GROUPS())),
	 FUTEX | COPY | HELPER, 3, FAILS(ENOENT, EXEC), .root = true},
	{"function's step fails", SPEC(.fn = seven, .steps = RAMET_STEPS(RAMET_CWD(room_nothing))),
	 COPY, 2, FAILS(ENOENT, CWD)},
	{"shared function's step fails",
	 SPEC(.fn = seven, .share = RAMET_MEMORY, .options = RAMET_NO_LIBC,
	      .steps = RAMET_STEPS(RAMET_CWD(room_nothing))),
	 FUTEX, 2, FAILS(ENOENT, CWD)},
	{"second return's step fails", SPEC(.steps = RAMET_STEPS(RAMET_CWD(room_nothing))), COPY, 2,
	 FAILS(ENOENT, CWD)},
	{"the kernel refuses", SPEC(.program = room_tiny, .fresh = RAMET_CGROUP, .cgroup = NO_FD),
	 EVERY & ~FUTEX, 3, .result = -EBADF},
	{"a rule refuses", SPEC(.program = room_tiny, .share = RAMET_THREAD_GROUP), 0, 2,
	 .result = -EINVAL},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* ---- Counts ----------------------------------------------------------------------------------- */

enum { COUNT_FAILED = RAMET_WAY_HELPER + 1, COUNT_FUNCTION, COUNT_BEGUN, COUNT_COUNT };

static const char *const count_names[COUNT_COUNT] = {
	[RAMET_WAY_HELD] = "held",	[RAMET_WAY_FUTEX] = "futex", [RAMET_WAY_COPY] = "copy",
	[RAMET_WAY_HELPER] = "helper",	[COUNT_FAILED] = "failed",   [COUNT_FUNCTION] = "functions",
	[COUNT_BEGUN] = "of all begun",
};

static struct {
	long made, signals, ends;
	long by[COUNT_COUNT];
	bool stop;
	pthread_mutex_t lock;
} now = {.lock = PTHREAD_MUTEX_INITIALIZER};

static long wanted = 2000000000;
static int64_t until_ms;
static int cgroup_fd = -1;
static unsigned weights;

static void add(long *count)
{
	__atomic_fetch_add(count, 1, __ATOMIC_RELAXED);
}

static bool is_over(void)
{
	return __atomic_load_n(&now.stop, __ATOMIC_RELAXED);
}

static int64_t clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The first wrong outcome ends it all. */
TAP_PRINTF(2)
static void wrong(const struct kind *k, const char *fmt, ...)
{
	char text[600];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	pthread_mutex_lock(&now.lock);
	cell_fail(__LINE__, "the outcome is right", "%s: %s", k->name, text);
	pthread_mutex_unlock(&now.lock);
	__atomic_store_n(&now.stop, true, __ATOMIC_RELAXED);
}

/* ---- A launch ----------------------------------------------------------------------------------- */

struct worker {
	pthread_t thread;
	uint64_t state;
	struct ramet_launching *begun[BEGUN];
	const struct kind *kinds[BEGUN]; /* of what is begun */
};

/* splitmix64 with a state of the thread's own, seeded from tap_random(). */
static unsigned below(struct worker *w, unsigned n)
{
	uint64_t z = w->state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return (unsigned)((z ^ (z >> 31)) % n);
}

static unsigned weight_of(const struct kind *k)
{
	if (k->ways == COPY && !COPIES)
		return 0;
	if ((k->root && geteuid()) || (k->cgroup && cgroup_fd < 0))
		return 0;
	return k->weight;
}

static const struct kind *any_kind(struct worker *w)
{
	unsigned n = below(w, weights);

	for (size_t i = 0; i < KINDS; i++) {
		if (n < weight_of(&kinds[i]))
			return &kinds[i];
		n -= weight_of(&kinds[i]);
	}
	return &kinds[0];
}

static enum ramet_way any_way(struct worker *w, unsigned ways)
{
	const enum ramet_way way = below(w, RAMET_WAY_HELPER + 1);

	if (!COPIES)
		ways &= ~COPY;
	return ways >> way & 1 ? way : RAMET_WAY_ANY;
}

static void judge(const struct kind *k, int r, struct ramet_task *task,
		  const struct ramet_error *error)
{
	struct ramet_status status = {0};
	char text[400];

	add(&now.made);
	if (r != k->result) {
		text[0] = 0;
		if (r < 0)
			ramet_error_format(error, text, sizeof(text));
		wrong(k, "result %d, want %d: %s", r, k->result, text);
		return;
	}
	if (r < 0) {
		add(&now.by[COUNT_FAILED]);
		if (error->error != -r || error->kind != k->step ||
		    (k->step && error->stage != RAMET_STAGE_STEP))
			wrong(k, "error %d, stage %d, kind %u, want kind %u", error->error,
			      (int)error->stage, error->kind, k->step);
		return;
	}
	add(&now.by[k->spec.program ? (int)task->way : COUNT_FUNCTION]);
	if (task->lost)
		wrong(k, "way %s has lost %#x", ramet_way_name(task->way), task->lost);
	/* By turns through poll and held in waitid, where signals come as well. */
	r = ramet_wait(task, __atomic_load_n(&now.made, __ATOMIC_RELAXED) % 2 ? 60000 : -1,
		       &status);
	ramet_task_close(task);
	if (r < 0 || !status.exited || status.code != k->code)
		wrong(k, "way %s: wait %d, %s %d, want %d", ramet_way_name(task->way), r,
		      status.exited ? "code" : "signal", status.code, k->code);
}

static void launch_plain(const struct kind *k, const struct ramet_spec *spec)
{
	const bool twice = !spec->program && !spec->fn;
	struct ramet_error error = {0};
	struct ramet_task task;
	int r;

	r = twice ? ramet_fork(spec, &task, &error) : ramet_launch(spec, &task, &error);
	if (twice && r == 0)
		sys_exit_group(7);
	judge(k, r > 0 ? 0 : r, &task, &error);
}

static void heard(void *context, size_t index, int result, struct ramet_task *task,
		  const struct ramet_error *error)
{
	struct worker *w = context;

	add(&now.by[COUNT_BEGUN]);
	judge(w->kinds[index], result, task, error);
}

static void end_one(struct worker *w, unsigned i)
{
	struct ramet_error error = {0};
	struct ramet_task task;
	int r = ramet_launch_end(w->begun[i], 60000, &task, &error);

	w->begun[i] = NULL;
	heard(w, i, r, &task, &error);
}

static void launch_begun(struct worker *w, const struct kind *k, struct ramet_spec *spec)
{
	struct ramet_error error = {0};
	const unsigned i = below(w, BEGUN);
	int r;

	if (w->begun[i])
		end_one(w, i);
	if (spec->way == RAMET_WAY_HELD || (spec->way == RAMET_WAY_FUTEX && k->root))
		spec->way = RAMET_WAY_ANY; /* it would be refused */
	spec->options |= below(w, 3) ? 0 : RAMET_DONE_FD;
	r = ramet_launch_begin(spec, &w->begun[i], &error);
	w->kinds[i] = k;
	if (r < 0) {
		w->begun[i] = NULL;
		heard(w, i, r, NULL, &error);
	}
	if (below(w, 16) == 0 && ramet_launch_dispatch(w->begun, BEGUN, 60000, heard, w) < 0)
		wrong(k, "dispatch");
}

static void launch_one(struct worker *w)
{
	const struct kind *k = any_kind(w);
	struct ramet_spec spec = k->spec;

	spec.way = any_way(w, k->ways);
	if (k->cgroup)
		spec.cgroup = cgroup_fd;
	if (below(w, 4) == 0)
		spec.options |= RAMET_NO_PIDFD;
	if (spec.program && below(w, 3) == 0)
		launch_begun(w, k, &spec);
	else
		launch_plain(k, &spec);
}

static void *work(void *arg)
{
	struct worker *w = arg;

	while (!is_over()) {
		launch_one(w);
		if (__atomic_load_n(&now.made, __ATOMIC_RELAXED) >= wanted ||
		    clock_ms() >= until_ms)
			__atomic_store_n(&now.stop, true, __ATOMIC_RELAXED);
	}
	for (unsigned i = 0; i < BEGUN; i++)
		if (w->begun[i])
			end_one(w, i);
	return NULL;
}

/* ---- The storm, and all of it ---------------------------------------------------------------------- */

static void on_signal(int sig)
{
	const int kept = errno;

	add(sig == SIGCHLD ? &now.ends : &now.signals);
	errno = kept;
}

/* At the threads one by one, and at the process, whose threads take them as they come. */
static void storm(const struct worker *workers)
{
	const struct timespec pause = {.tv_nsec = 300000};

	for (unsigned i = 0; !is_over(); i++) {
		if (i % 4)
			pthread_kill(workers[i % THREADS].thread, SIGUSR1);
		else
			kill(getpid(), SIGUSR1);
		nanosleep(&pause, NULL);
	}
}

static void run(int64_t ms, long launches)
{
	static struct worker workers[THREADS];
	pthread_attr_t small; /* the C library keeps no more than 40 MiB of stacks */

	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 256 * 1024);

	until_ms = clock_ms() + ms;
	wanted = launches;
	memset(now.by, 0, sizeof(now.by));
	now.made = 0;
	now.stop = false;
	for (unsigned i = 0; i < THREADS; i++) {
		workers[i].state = tap_random();
		pthread_create(&workers[i].thread, &small, work, &workers[i]);
	}
	storm(workers);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(workers[i].thread, NULL);
	pthread_attr_destroy(&small);
	now.stop = cell->text[0];
}

/* As many slots as can ever be in use at once, so that the pool need not grow later. */
static void fill_pool(void)
{
	enum { SLOTS = THREADS * (BEGUN + 2) };
	struct ramet_launching *begun[SLOTS];
	struct ramet_task task;

	for (unsigned i = 0; i < SLOTS; i++)
		if (!expect(ramet_launch_begin(
				    &RAMET_SPEC(.program = room_tiny, .options = RAMET_NO_PIDFD),
				    &begun[i], NULL) == 0,
			    "begin"))
			return;
	for (unsigned i = 0; i < SLOTS; i++) {
		expect(ramet_launch_end(begun[i], -1, &task, NULL) == 0, "end");
		expect(ramet_wait(&task, -1, NULL) == 0, "wait");
	}
}

static long resident_kb(void)
{
	const char *line;

	if (world_read("/proc/self/smaps_rollup") <= 0 || !(line = strstr(world_text, "\nRss:")))
		return -1;
	return atol(line + 5);
}

static void prepare(void)
{
	const struct rlimit files = {4096, 4096};
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	const int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	setrlimit(RLIMIT_NOFILE, &files);
	setenv("PATH", room_dir, 1);
	mallopt(M_ARENA_MAX, 1); /* else arenas come and go with the threads */
	for (int fd = 10; fd < 400; fd++)
		dup3(null, fd, fd % 2 ? O_CLOEXEC : 0);
	expect(dup3(null, FAR_FD, O_CLOEXEC) == FAR_FD, "descriptors");
	close(NO_FD);
	sigaction(SIGCHLD, &action, NULL);
	action.sa_flags = 0;
	sigaction(SIGUSR1, &action, NULL);
	signal(SIGUSR2, SIG_IGN); /* the end of a LinuxThreads task */
	for (size_t i = 0; i < KINDS; i++)
		weights += weight_of(&kinds[i]);
}

struct order {
	int64_t ms;
	long launches;
	const char *cgroup;
};

static void note_counts(int64_t ms)
{
	cell_note("%ld launches in %ld.%ld s, %ld a second; %ld signals, %ld SIGCHLD\n", now.made,
		  (long)(ms / 1000), (long)(ms % 1000 / 100), now.made * 1000 / (ms + 1),
		  now.signals, now.ends);
	for (unsigned i = 1; i < COUNT_COUNT; i++)
		cell_note("  %-14s %8ld, %6ld a second\n", count_names[i], now.by[i],
			  now.by[i] * 1000 / (ms + 1));
}

static void soak(void *arg)
{
	const struct order *order = arg;
	struct world before, after;
	size_t bytes, bytes_after;
	int64_t start;
	long resident;

	if (order->cgroup[0])
		cgroup_fd = open(order->cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	prepare();
	fill_pool();
	run(order->ms / 5 < 30000 ? order->ms / 5 : 30000, order->launches);
	before = world_take();
	bytes = mallinfo2().uordblks;
	resident = resident_kb();
	start = clock_ms();
	if (!now.stop)
		run(order->ms, order->launches);
	note_counts(clock_ms() - start);
	cell->number[0] = now.made;
	cell->number[1] = now.signals;
	for (unsigned i = 1; i < COUNT_COUNT; i++)
		cell->number[1 + i] = now.by[i];
	bytes_after = mallinfo2().uordblks;
	after = world_take();
	expect(!after.children, "a child is left");
	/* The C library gives the top of its heap back, and takes it again. */
	if (after.size_kb <= before.size_kb + SPARE_KB)
		after.size_kb = before.size_kb;
	expect(!world_differs(&before, &after), "%s", world_differs(&before, &after));
	expect(SANITIZED || bytes_after == bytes, "%zu bytes allocated, then %zu", bytes,
	       bytes_after);
	resident = resident_kb() - resident;
	cell_note("%ld KiB resident more\n", resident);
	if (!SANITIZED)
		expect(resident <= SPARE_KB, "%ld KiB resident more", resident);
}

/* A cgroup of its own below the one that the test is in; "" where there is none to be had. */
static void make_cgroup(char *path, size_t size)
{
	snprintf(path, size, "%s/ramet-soak-%d", kernel_cgroup2(), (int)getpid());
	if (geteuid() || !kernel_cgroup2()[0] || mkdir(path, 0755) < 0)
		path[0] = 0;
}

static void try(enum who who, struct order *order)
{
	const long floor = order->launches < 500 ? order->launches : tap_scaled(500);
	unsigned seldom = 0;

	if (!cell_run(who, (unsigned)(order->ms / 500 + 60), soak, order, "%ld ms of everything",
		      (long)order->ms) ||
	    cell->skip[0])
		return;
	ok(cell->number[0] >= floor, "%ld launches, at least %ld", cell->number[0], floor);
	ok(cell->number[1] >= 50, "%ld signals", cell->number[1]);
	for (unsigned i = 1; i < COUNT_COUNT; i++)
		seldom += cell->number[1 + i] < floor / 50 && (COPIES || i != RAMET_WAY_COPY);
	is_int(seldom, 0, "ways and shapes that came too seldom");
}

int main(int argc, char **argv)
{
	const char *count = getenv("RAMET_SOAK");
	const long usual = getenv("RAMET_LONG") ? 120 : 5;
	const long seconds = argc > 1 ? atol(argv[1]) : count ? 7200 : usual;
	char cgroup[300];
	struct order order = {seconds * 1000, count ? atol(count) : 2000000000, cgroup};

	tap_seed();
	room_make();
	make_cgroup(cgroup, sizeof(cgroup));
	try(WHO_ANY, &order);
	if (cgroup[0])
		ok(rmdir(cgroup) == 0, "nobody is left in the cgroup");
	cgroup[0] = 0;
	order.ms /= 4;
	order.launches /= 4;
	if (!geteuid())
		try(WHO_NOBODY, &order);
	return tap_done();
}
