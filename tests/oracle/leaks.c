/* SPDX-License-Identifier: MIT */
/*
 * Thousands of launches of each kind: no descriptor, mapping, zombie, allocated byte more than
 * after the first hundred. RAMET_LONG makes it 10 000 of each.
 *
 * Seen to fail, in a copy of the tree: a plan, a slot, or a function's stack not given back; a step
 * read after its function had begun ("function, shared, steps": the plan was gone).
 */
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>

#include "lib/cell.h"
#include "lib/room.h"
#include "lib/world.h"
#include "uapi/clone.h"

#include <ramet/ramet.h>

#define SPEC(...)                                                                                  \
	{                                                                                          \
		.size = sizeof(struct ramet_spec), __VA_ARGS__                                     \
	}
#define WARM 100

struct kind {
	const char *name;
	struct ramet_spec spec; /* neither program nor fn: returns twice */
	int result;		/* of the launch; below 0 it fails */
	int code;		/* exit status */
	bool root;
	unsigned share; /* this part of the launches, 0: all; for what is slow */
};

static int seven(void *arg)
{
	(void)arg;
	return 7;
}

#define CHANGES RAMET_STEPS(RAMET_CWD("/"), RAMET_UMASK(022), RAMET_DUP(0, 9), RAMET_CLOSE_REST())
#define FAILS RAMET_STEPS(RAMET_DUP(0, 9), RAMET_CWD("nope"))
#define MAPS RAMET_STEPS(RAMET_ID_MAP(NULL, NULL), RAMET_CWD("/"))
#define OTHER RAMET_STEPS(RAMET_UID(65534), RAMET_GID(65534))

static const struct kind kinds[] = {
	{"program, held", SPEC(.program = room_tiny), 0, 0, false, 0},
	{"program, futex", SPEC(.program = room_tiny, .way = RAMET_WAY_FUTEX), 0, 0, false, 0},
	{"program, copy", SPEC(.program = room_tiny, .way = RAMET_WAY_COPY), 0, 0, false, 0},
	{"program, held, steps", SPEC(.program = room_tiny, .steps = CHANGES), 0, 0, false, 0},
	{"program, held, own stack", SPEC(.program = room_tiny, .stack_size = 65536), 0, 0, false,
	 0},
	{"program, futex, large stack",
	 SPEC(.program = room_tiny, .way = RAMET_WAY_FUTEX, .stack_size = 1 << 20), 0, 0, false, 4},
	{"program, no pidfd", SPEC(.program = room_tiny, .options = RAMET_NO_PIDFD), 0, 0, false,
	 4},
	{"program, PATH", SPEC(.program = "true", .options = RAMET_SEARCH_PATH, .steps = CHANGES),
	 0, 0, false, 10},
	{"program, another identity", SPEC(.program = room_tiny, .steps = OTHER), 0, 0, true, 4},
	{"program, id maps", SPEC(.program = room_tiny, .fresh = RAMET_USER, .steps = MAPS), 0, 0,
	 false, 10},
	{"program behind init",
	 SPEC(.program = room_tiny, .fresh = RAMET_PID, .steps = RAMET_STEPS(RAMET_INIT())), 0, 0,
	 true, 10},
	{"function, copy", SPEC(.fn = seven), 0, 7, false, 0},
	{"function, copy, steps", SPEC(.fn = seven, .steps = CHANGES), 0, 7, false, 0},
	{"function, raw copy", SPEC(.fn = seven, .options = RAMET_NO_LIBC), 0, 7, false, 4},
	{"function, vfork", SPEC(.fn = seven, .preset = RAMET_PRESET_VFORK), 0, 7, false, 0},
	{"function, vfork, own stack",
	 SPEC(.fn = seven, .preset = RAMET_PRESET_VFORK, .stack_size = 16384), 0, 7, false, 4},
	{"function, shared", SPEC(.fn = seven, .share = RAMET_MEMORY, .options = RAMET_NO_LIBC), 0,
	 7, false, 0},
	{"function, shared, steps",
	 SPEC(.fn = seven, .share = RAMET_MEMORY, .options = RAMET_NO_LIBC, .steps = CHANGES), 0, 7,
	 false, 0},
	{"function, linuxthreads",
	 SPEC(.fn = seven, .preset = RAMET_PRESET_LINUXTHREADS, .options = RAMET_NO_LIBC), 0, 7,
	 false, 4},
	{"thread", SPEC(.fn = seven, .preset = RAMET_PRESET_NPTL, .options = RAMET_NO_LIBC), 0, 0,
	 false, 0},
	{"thread, steps",
	 SPEC(.fn = seven, .preset = RAMET_PRESET_NPTL, .options = RAMET_NO_LIBC, .copy = RAMET_FS,
	      .steps = RAMET_STEPS(RAMET_CWD("/"))),
	 0, 0, false, 0},
	{"twice", SPEC(.preset = RAMET_PRESET_FORK), 0, 7, false, 0},
	{"twice, steps", SPEC(.steps = CHANGES), 0, 7, false, 0},

	{"missing program, held", SPEC(.program = room_nothing), -ENOENT, 0, false, 0},
	{"missing program, futex", SPEC(.program = room_nothing, .way = RAMET_WAY_FUTEX), -ENOENT,
	 0, false, 0},
	{"missing program, copy", SPEC(.program = room_nothing, .way = RAMET_WAY_COPY), -ENOENT, 0,
	 false, 0},
	{"failing step, held", SPEC(.program = room_tiny, .steps = FAILS), -ENOENT, 0, false, 4},
	{"failing step, function", SPEC(.fn = seven, .steps = FAILS), -ENOENT, 0, false, 4},
	{"failing step, shared function",
	 SPEC(.fn = seven, .share = RAMET_MEMORY, .options = RAMET_NO_LIBC, .steps = FAILS),
	 -ENOENT, 0, false, 4},
	{"failing step, thread",
	 SPEC(.fn = seven, .preset = RAMET_PRESET_NPTL, .options = RAMET_NO_LIBC,
	      .copy = RAMET_FS | RAMET_FILES, .steps = FAILS),
	 -ENOENT, 0, false, 4},
	{"failing step, twice", SPEC(.steps = FAILS), -ENOENT, 0, false, 4},
	{"failing step, another identity",
	 SPEC(.program = room_nothing, .steps = RAMET_STEPS(RAMET_UID(65534))), -ENOENT, 0, true,
	 4},
	{"failing id map",
	 SPEC(.program = room_tiny, .fresh = RAMET_USER,
	      .steps = RAMET_STEPS(RAMET_ID_MAP("x", NULL))),
	 -EINVAL, 0, false, 10},
	{"failing behind init",
	 SPEC(.program = room_nothing, .fresh = RAMET_PID, .steps = RAMET_STEPS(RAMET_INIT())),
	 -ENOENT, 0, true, 10},
	{"refused by the kernel", SPEC(.program = room_tiny, .fresh = RAMET_CGROUP, .cgroup = 0),
	 -EBADF, 0, false, 4},
	{"refused by a rule", SPEC(.program = room_tiny, .share = RAMET_THREAD_GROUP), -EINVAL, 0,
	 false, 4},
};

static bool once(const struct kind *k)
{
	const bool twice = !k->spec.program && !k->spec.fn;
	struct ramet_status status;
	struct ramet_error error;
	struct ramet_task task;
	int r;

	r = twice ? ramet_fork(&k->spec, &task, &error) : ramet_launch(&k->spec, &task, &error);
	if (twice && r == 0)
		sys_exit_group(7);
	if (twice && r > 0)
		r = 0;
	if (!expect(r == k->result, "%d, want %d", r, k->result))
		return false;
	if (r < 0)
		return true;
	r = ramet_wait(&task, -1, &status);
	ramet_task_close(&task);
	return expect(r == 0 && status.exited && status.code == k->code, "wait %d, code %d", r,
		      status.code);
}

/* Counted page by page; the figure of statm is off by what each processor has not yet added. */
static long resident_kb(void)
{
	const char *line;

	if (world_read("/proc/self/smaps_rollup") <= 0 || !(line = strstr(world_text, "\nRss:")))
		return -1;
	return atol(line + 5);
}

static unsigned total(void)
{
	return getenv("RAMET_LONG") ? 10000 : tap_scaled(2000);
}

static void many(void *arg)
{
	const struct kind *k = arg;
	const unsigned n = k->share && !getenv("RAMET_LONG") ? total() / k->share : total();
	struct world before, after;
	size_t bytes, bytes_after;
	long resident;

	signal(SIGUSR2, SIG_IGN); /* the end of a LinuxThreads task */
	resident_kb();
	world_take(); /* its own pages */
	for (unsigned i = 0; i < WARM; i++)
		if (!once(k))
			return;
	before = world_take();
	bytes = mallinfo2().uordblks;
	resident = resident_kb();
	for (unsigned i = 0; i < n; i++)
		if (!once(k))
			return;
	bytes_after = mallinfo2().uordblks;
	after = world_take();
	expect(!world_differs(&before, &after), "after %u: %s", n, world_differs(&before, &after));
	expect(bytes_after == bytes, "%zu bytes allocated, then %zu", bytes, bytes_after);
	resident = resident_kb() - resident;
	if (!SANITIZED)
		expect(resident <= 128, "%ld KiB resident more", resident);
	cell->number[0] = n;
}

/* 64 at once, so that the pool of slots has to give out many, and again and again. */
static void burst(void *arg)
{
	const struct ramet_spec spec = RAMET_SPEC(.fn = seven, .share = RAMET_MEMORY,
						  .options = RAMET_NO_LIBC, .stack_size = 32768);
	struct ramet_task tasks[64];
	struct world before = {0}, after;
	struct ramet_status status;
	int r;

	(void)arg;
	for (unsigned round = 0; round < 2 + tap_scaled(38); round++) {
		if (round == 2)
			before = world_take();
		for (unsigned i = 0; i < 64; i++) {
			r = ramet_launch(&spec, &tasks[i], NULL);
			if (!expect(r == 0, "launch %d", r))
				return;
		}
		for (unsigned i = 0; i < 64; i++) {
			r = ramet_wait(&tasks[i], -1, &status);
			ramet_task_close(&tasks[i]);
			expect(r == 0 && status.code == 7, "wait %d, code %d", r, status.code);
		}
	}
	after = world_take();
	expect(!world_differs(&before, &after), "%s", world_differs(&before, &after));
}

/* Threads that launch and end: nothing may be kept for a thread. */
static void *launcher(void *arg)
{
	const struct kind *k = arg;

	for (unsigned i = 0; i < 5; i++)
		once(k);
	return NULL;
}

static void threads(void *arg)
{
	struct world before = {0}, after;
	pthread_t thread[4];

	for (unsigned round = 0; round < 10 + tap_scaled(50); round++) {
		if (round == 10)
			before = world_take();
		for (unsigned i = 0; i < 4; i++)
			pthread_create(&thread[i], NULL, launcher, arg);
		for (unsigned i = 0; i < 4; i++)
			pthread_join(thread[i], NULL);
	}
	after = world_take();
	expect(before.fds == after.fds && before.children == after.children, "%s",
	       world_differs(&before, &after));
	/* Up to eight more slots, should more threads than before have launched at once. */
	expect(after.mappings <= before.mappings + 8, "%ld mappings, then %ld", before.mappings,
	       after.mappings);
}

int main(void)
{
	const enum who who = geteuid() ? WHO_ANY : WHO_ROOT;

	mallopt(M_PERTURB, 0xa5); /* what is freed does not stay readable */
	room_make();
	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		cell_run(kinds[i].root ? WHO_ROOT : who, 600, many, (void *)&kinds[i], "%s",
			 kinds[i].name);
	cell_run(who, 60, burst, NULL, "bursts of 64 functions at once");
	cell_run(who, 60, threads, (void *)&kinds[1], "launches from threads that end, futex");
	cell_run(who, 60, threads, (void *)&kinds[2], "launches from threads that end, copy");
	cell_run(WHO_NOBODY, 60, many, (void *)&kinds[1], "program, futex");
	return tap_done();
}
