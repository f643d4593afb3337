/* SPDX-License-Identifier: MIT */
/*
 * Functions as bodies, and second returns: what is refused in which caller, stacks, thread
 * pointers, codes, clocks, the call's other faces.
 *
 * Seen to fail with the mend taken out, in a copy of the tree: no guard page in slot_map()
 * ("overflow").
 */
#include <pthread.h>
#include <sys/stat.h>

#include "lib/room.h"
#include "oracle/body.h"
#include "uapi/clone.h"

#define SPEC(...)                                                                                  \
	{                                                                                          \
		.size = sizeof(struct ramet_spec), __VA_ARGS__                                     \
	}

static volatile int enough;
static long seen[8]; /* written by bodies; shared or not is what is asked */

static int give(void *arg)
{
	return (int)(intptr_t)arg;
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
	cell_run(WHO_ANY, 60, stacks, NULL, "stacks, thread pointers, masks");
	cell_run(WHO_ANY, 60, overflow, NULL, "overflow");
	cell_run(WHO_ANY, 60, codes, NULL, "exit codes");
	cell_run(WHO_ANY, 60, twice, NULL, "second returns");
	cell_run(WHO_ROOT, 60, clocks, NULL, "a function's clocks");
	cell_run(WHO_ANY, 60, vforks, NULL, "ramet_vfork");
	cell_run(WHO_ANY, 60, wrapper, NULL, "ramet_clone");
	return tap_done();
}
