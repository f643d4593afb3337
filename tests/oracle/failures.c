/* SPDX-License-Identifier: MIT */
/*
 * Every kind of step made to fail in turn, in every way that can run it, and every stage before
 * and after the steps. The error must name what failed, and the process must be as it was before:
 * descriptors, children, mappings, mounts, dumpable, mask, handlers, umask, working directory.
 *
 * Seen to fail, in a copy of the tree: a failed child not reaped, its pidfd or slot kept, the mask
 * not put back, an index off by one, no deadline.
 */
#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "lib/cell.h"
#include "lib/filter.h"
#include "lib/room.h"
#include "lib/world.h"
#include "uapi/clone.h"

#include <ramet/ramet.h>

#define HELD (1u << RAMET_WAY_HELD)
#define FUTEX (1u << RAMET_WAY_FUTEX)
#define COPY (1u << RAMET_WAY_COPY)
#define EVERY (HELD | FUTEX | COPY)

#define STEP(kind_) .stage = RAMET_STAGE_STEP, .kind = RAMET_STEP_##kind_
#define SPEC(...)                                                                                  \
	{                                                                                          \
		.size = sizeof(struct ramet_spec), __VA_ARGS__                                     \
	}
#define TRUE_WITH(...) SPEC(.program = room_tiny, .steps = RAMET_STEPS(__VA_ARGS__))
#define IDS .fresh = RAMET_USER
#define MOUNTS .fresh = RAMET_MNT

struct failure {
	const char *name;
	enum who who;
	unsigned ways;
	struct ramet_spec spec;
	void (*prepare)(void);
	enum ramet_stage stage;
	uint32_t kind;
	int error;
	const char *rule; /* NULL: any or none */
	const char *says; /* a part of the text for people */
};

static char long_name[300];
static char long_path[5000];
static char huge_argument[200000];
static char *huge_argv[] = {huge_argument, NULL};
static gid_t many_groups[70000];

/* ---- Preparations ---------------------------------------------------------------------------- */

static void refuse(int nr, int error, int argument)
{
	const struct filter_row rows[] = {{nr, error, argument}, {-1, 0, 0}};

	expect(filter_install(rows), "a filter");
}

static void refuse_setsid(void)
{
	refuse(SYS_setsid, EPERM, 0);
}

static void refuse_close_range(void)
{
	refuse(SYS_close_range, EIO, 0);
}

static void refuse_no_new_privs(void)
{
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	refuse(SYS_prctl, EINVAL, PR_SET_NO_NEW_PRIVS);
}

static void refuse_dumpable(void)
{
	refuse(SYS_prctl, EPERM, PR_SET_DUMPABLE);
}

/* Only the one: others are asked about by the child where clone3 is missing. */
static void refuse_action(void)
{
	refuse(SYS_rt_sigaction, ENOSYS, SIGUSR1);
}

static void refuse_mount(void)
{
	refuse(SYS_mount, EPERM, 0);
}

static void limit(int what, rlim_t value)
{
	struct rlimit r;

	getrlimit(what, &r);
	r.rlim_cur = value;
	setrlimit(what, &r);
}

static void few_descriptors(void)
{
	limit(RLIMIT_NOFILE, 64);
}

static void fill_descriptors(void)
{
	limit(RLIMIT_NOFILE, 32);
	while (dup(0) >= 0)
		;
}

static void one_process(void)
{
	limit(RLIMIT_NPROC, 1);
}

static void no_memory(void)
{
	if (SANITIZED)
		cell_skip("a sanitizer needs all the addresses there are");
	if (world_read("/proc/self/statm") > 0)
		limit(RLIMIT_AS, (rlim_t)(atol(world_text) * 4096));
}

static void no_room_for_slot(void)
{
	if (SANITIZED)
		cell_skip("a sanitizer needs all the addresses there are");
	limit(RLIMIT_AS, 4096);
}

static void search_nowhere(void)
{
	setenv("PATH", "/nonexistent:/etc/passwd:/", 1);
}

static void search_room(void)
{
	setenv("PATH", room_dir, 1);
}

static void in_chroot(void)
{
	expect(chroot(room_dir) == 0 && chdir("/") == 0, "chroot");
	strcpy(room_tiny, "/tiny");
}

/* ---- The table --------------------------------------------------------------------------------- */

static const struct failure failures[] = {
	/* Working directory. */
	{"cwd missing", WHO_ANY, EVERY, TRUE_WITH(RAMET_CWD(room_nothing)), NULL, STEP(CWD), ENOENT,
	 NULL, "chdir to /tmp/ramet-test-"},
	{"cwd a file", WHO_ANY, EVERY, TRUE_WITH(RAMET_CWD("/"), RAMET_CWD(room_tiny)), NULL,
	 STEP(CWD), ENOTDIR, NULL, "Not a directory"},
	{"cwd forbidden", WHO_NOBODY, EVERY, TRUE_WITH(RAMET_CWD(room_private)), NULL, STEP(CWD),
	 EACCES, NULL, "Permission denied"},
	{"cwd too long", WHO_ANY, EVERY, TRUE_WITH(RAMET_CWD(long_path)), NULL, STEP(CWD),
	 ENAMETOOLONG, NULL, "File name too long"},
	{"third cwd of four", WHO_ANY, EVERY,
	 TRUE_WITH(RAMET_CWD("/"), RAMET_CWD("tmp"), RAMET_CWD("nope"), RAMET_CWD("/")), NULL,
	 STEP(CWD), ENOENT, NULL, "step 3 of"},
	{"cwd forbidden after the uid", WHO_ROOT, FUTEX | COPY,
	 TRUE_WITH(RAMET_CWD(room_private), RAMET_UID(65534)), NULL, STEP(CWD), EACCES, NULL, NULL},

	/* Program. */
	{"program missing", WHO_ANY, EVERY, SPEC(.program = room_nothing), NULL, STEP(EXEC), ENOENT,
	 NULL, "No such file"},
	{"program not executable", WHO_ANY, EVERY, SPEC(.program = room_plain), NULL, STEP(EXEC),
	 EACCES, NULL, "Permission denied"},
	{"program a directory", WHO_ANY, EVERY, SPEC(.program = "/tmp"), NULL, STEP(EXEC), EACCES,
	 NULL, NULL},
	{"program of no format", WHO_ANY, EVERY, SPEC(.program = room_bad), NULL, STEP(EXEC),
	 ENOEXEC, NULL, "Exec format error"},
	{"interpreter missing", WHO_ANY, EVERY, SPEC(.program = room_script), NULL, STEP(EXEC),
	 ENOENT, NULL, NULL},
	{"program below a file", WHO_ANY, EVERY, SPEC(.program = "/etc/passwd/x"), NULL, STEP(EXEC),
	 ENOTDIR, NULL, NULL},
	{"program empty", WHO_ANY, EVERY, SPEC(.program = ""), NULL, STEP(EXEC), ENOENT, NULL,
	 NULL},
	{"program found nowhere", WHO_ANY, EVERY,
	 SPEC(.program = "ramet-nothing", .options = RAMET_SEARCH_PATH), search_nowhere, STEP(EXEC),
	 ENOENT, NULL, NULL},
	{"program found but forbidden", WHO_ANY, EVERY,
	 SPEC(.program = "plain", .options = RAMET_SEARCH_PATH), search_room, STEP(EXEC), EACCES,
	 NULL, NULL},
	{"program found but of no format", WHO_ANY, EVERY,
	 SPEC(.program = "bad", .options = RAMET_SEARCH_PATH), search_room, STEP(EXEC), ENOEXEC,
	 NULL, NULL},
	{"argument too long", WHO_ANY, EVERY, SPEC(.program = room_tiny, .argv = huge_argv), NULL,
	 STEP(EXEC), E2BIG, NULL, "Argument list too long"},
	{"program forbidden after the uid", WHO_ROOT, FUTEX | COPY,
	 SPEC(.program = "./x",
	      .steps = RAMET_STEPS(RAMET_UID(65534), RAMET_GID(65534), RAMET_CWD("/"))),
	 NULL, STEP(EXEC), ENOENT, NULL, NULL},

	/* Descriptors. */
	{"dup of nothing", WHO_ANY, EVERY, TRUE_WITH(RAMET_DUP(0, 1), RAMET_DUP(900, 7)), NULL,
	 STEP(DUP), EBADF, NULL, "make descriptor 900 descriptor 7"},
	{"dup above the limit", WHO_ANY, EVERY, TRUE_WITH(RAMET_DUP(0, 64)), few_descriptors,
	 STEP(DUP), EBADF, NULL, "descriptor 64"},
	{"swap without a spare number", WHO_ANY, HELD | FUTEX | COPY,
	 SPEC(.program = room_tiny, .options = RAMET_NO_PIDFD, .preset = RAMET_PRESET_VFORK,
	      .steps = RAMET_STEPS(RAMET_DUP(0, 1), RAMET_DUP(1, 0))),
	 fill_descriptors, STEP(DUP), EMFILE, NULL, "(lifted)"},
	{"keep of nothing", WHO_ANY, EVERY, TRUE_WITH(RAMET_KEEP(901)), NULL, STEP(KEEP), EBADF,
	 NULL, "keep descriptor 901"},
	{"close refused", WHO_ANY, COPY, TRUE_WITH(RAMET_CLOSE_REST()), refuse_close_range,
	 STEP(CLOSE_RANGE), EIO, NULL, "close descriptors 3 and up"},
	{"parting refused", WHO_ANY, HELD | FUTEX, TRUE_WITH(RAMET_CLOSE_REST()),
	 refuse_close_range, STEP(OWN_TABLE), EIO, NULL,
	 "take a descriptor table without 3 and up"},

	/* Session, names, mounts. */
	{"setsid refused", WHO_ANY, EVERY, TRUE_WITH(RAMET_SETSID()), refuse_setsid, STEP(SETSID),
	 EPERM, NULL, "new session"},
	{"group for a session leader", WHO_ANY, EVERY, TRUE_WITH(RAMET_SETPGID(0), RAMET_SETSID()),
	 NULL, RAMET_STAGE_CHECK, RAMET_STEP_SETPGID, EINVAL, "setsid-makes-a-group",
	 "A session's first process"},
	{"group that is not there", WHO_ANY, EVERY, TRUE_WITH(RAMET_SETPGID(4000000)), NULL,
	 STEP(SETPGID), EPERM, NULL, "4000000"},
	{"group below nought", WHO_ANY, EVERY, TRUE_WITH(RAMET_SETPGID(-5)), NULL, STEP(SETPGID),
	 EINVAL, NULL, NULL},
	{"host name too long", WHO_ROOT, EVERY,
	 SPEC(.program = room_tiny, .fresh = RAMET_UTS,
	      .steps = RAMET_STEPS(RAMET_HOSTNAME(long_name))),
	 NULL, STEP(HOSTNAME), EINVAL, NULL, "host name"},
	{"private mounts refused", WHO_ROOT, EVERY,
	 SPEC(.program = room_tiny, MOUNTS, .steps = RAMET_STEPS(RAMET_PRIVATE_MOUNTS())),
	 refuse_mount, STEP(PRIVATE_MOUNTS), EPERM, NULL, "make mounts private"},
	{"proc on nothing", WHO_ROOT, EVERY,
	 SPEC(.program = room_tiny, MOUNTS,
	      .steps = RAMET_STEPS(RAMET_PRIVATE_MOUNTS(), RAMET_PROC(room_nothing))),
	 NULL, STEP(PROC), ENOENT, NULL, "mount procfs on"},
	{"second proc on nothing", WHO_ROOT, EVERY,
	 SPEC(.program = room_tiny, MOUNTS,
	      .steps = RAMET_STEPS(RAMET_PRIVATE_MOUNTS(), RAMET_PROC("/proc"),
				   RAMET_PROC(room_nothing))),
	 NULL, STEP(PROC), ENOENT, NULL, "step 3 of"},
	{"proc of another pid namespace", WHO_NOBODY, FUTEX | COPY,
	 SPEC(.program = room_tiny, .fresh = RAMET_USER | RAMET_MNT,
	      .steps = RAMET_STEPS(RAMET_ID_MAP(NULL, NULL), RAMET_PROC("/proc"))),
	 NULL, STEP(PROC), EPERM, NULL, NULL},

	/* Identity. */
	{"uid without right", WHO_NOBODY, FUTEX | COPY,
	 TRUE_WITH(RAMET_KEEP_GROUPS(), RAMET_UID(0)), NULL, STEP(UID), EPERM, NULL,
	 "become user 0"},
	{"uid without right, groups first", WHO_NOBODY, FUTEX | COPY, TRUE_WITH(RAMET_UID(0)), NULL,
	 STEP(GROUPS), EPERM, NULL, "supplementary groups to none"},
	{"gid without right", WHO_NOBODY, FUTEX | COPY,
	 TRUE_WITH(RAMET_KEEP_GROUPS(), RAMET_GID(0)), NULL, STEP(GID), EPERM, NULL,
	 "become group 0"},
	{"groups without right", WHO_NOBODY, EVERY, TRUE_WITH(RAMET_GROUPS(2, many_groups)), NULL,
	 STEP(GROUPS), EPERM, NULL, "groups 0,0"},
	{"too many groups", WHO_ROOT, EVERY, TRUE_WITH(RAMET_GROUPS(70000, many_groups)), NULL,
	 STEP(GROUPS), EINVAL, NULL, "groups 0,0"},
	{"uid -1", WHO_ROOT, FUTEX | COPY,
	 SPEC(.program = room_tiny, IDS,
	      .steps = RAMET_STEPS(RAMET_ID_MAP("0 0 1\n", NULL), RAMET_UID(77))),
	 NULL, STEP(UID), EINVAL, NULL, NULL},
	{"id map of nonsense", WHO_ANY, FUTEX | COPY,
	 SPEC(.program = room_tiny, IDS, .steps = RAMET_STEPS(RAMET_ID_MAP("a b c\n", NULL))), NULL,
	 STEP(ID_MAP), EINVAL, NULL, "uid a b c"},
	{"id map with a bad second half", WHO_ROOT, FUTEX | COPY,
	 SPEC(.program = room_tiny, IDS, .steps = RAMET_STEPS(RAMET_ID_MAP("0 0 1\n", "0 0 0\n"))),
	 NULL, STEP(ID_MAP), EINVAL, NULL, NULL},
	{"id map of others' ids", WHO_NOBODY, FUTEX | COPY,
	 SPEC(.program = room_tiny, IDS,
	      .steps = RAMET_STEPS(RAMET_ID_MAP("0 0 1000\n", "0 0 1000\n"))),
	 NULL, STEP(ID_MAP), EPERM, NULL, "write id maps"},
	{"no_new_privs refused", WHO_ANY, EVERY, TRUE_WITH(RAMET_NO_NEW_PRIVS()),
	 refuse_no_new_privs, STEP(NO_NEW_PRIVS), EINVAL, NULL, "give up gaining privileges"},

	/* Signals. */
	{"signal that is fixed", WHO_ANY, EVERY, TRUE_WITH(RAMET_SIGNAL_IGNORE(SIGKILL)), NULL,
	 RAMET_STAGE_CHECK, RAMET_STEP_SIGNAL, EINVAL, "step-signal-range", "SIGKILL and SIGSTOP"},
	{"other signal that is fixed", WHO_ANY, EVERY,
	 TRUE_WITH(RAMET_SIGNAL_DEFAULT(SIGINT), RAMET_SIGNAL_DEFAULT(SIGSTOP)), NULL,
	 RAMET_STAGE_CHECK, RAMET_STEP_SIGNAL, EINVAL, "step-signal-range", NULL},
	{"signals refused", WHO_ANY, EVERY, TRUE_WITH(RAMET_SIGNAL_IGNORE(SIGUSR1)), refuse_action,
	 STEP(SIGNAL), ENOSYS, NULL, "SIGUSR1 to ignored"},
	{"memory not to be guarded", WHO_ROOT, FUTEX, TRUE_WITH(RAMET_UID(65534)), refuse_dumpable,
	 STEP(GUARD_MEMORY), EPERM, NULL, "memory unreadable"},

	/* Inside a new pid namespace, behind the init. */
	{"program missing behind init", WHO_ROOT, COPY,
	 SPEC(.program = room_nothing, .fresh = RAMET_PID, .steps = RAMET_STEPS(RAMET_INIT())),
	 NULL, STEP(EXEC), ENOENT, NULL, "step 3 of 3"},
	{"cwd missing behind init", WHO_NOBODY, COPY,
	 SPEC(.program = room_tiny, .fresh = RAMET_PID | RAMET_USER,
	      .steps = RAMET_STEPS(RAMET_INIT(), RAMET_ID_MAP(NULL, NULL), RAMET_CWD("/nope"))),
	 NULL, STEP(CWD), ENOENT, NULL, "chdir to /nope"},

	/* Before the steps. */
	{"too many processes", WHO_LONER, EVERY, SPEC(.program = room_tiny), one_process,
	 RAMET_STAGE_CLONE, 0, EAGAIN, "process-limit", "RLIMIT_NPROC"},
	{"new net without right", WHO_NOBODY, EVERY, SPEC(.program = room_tiny, .fresh = RAMET_NET),
	 NULL, RAMET_STAGE_CLONE, 0, EPERM, "new-namespace-needs-admin", "CLONE_NEWNET"},
	{"user namespace in a chroot", WHO_ROOT, EVERY, SPEC(.program = room_tiny, IDS), in_chroot,
	 RAMET_STAGE_CLONE, 0, EPERM, NULL, NULL},
	{"no number for the pidfd", WHO_ANY, EVERY, SPEC(.program = room_tiny), fill_descriptors,
	 RAMET_STAGE_CLONE, 0, EMFILE, NULL, "Too many open files"},
	{"cgroup that is none", WHO_ANY, HELD | COPY,
	 SPEC(.program = room_tiny, .fresh = RAMET_CGROUP, .cgroup = 0), NULL, RAMET_STAGE_CLONE, 0,
	 EBADF, NULL, NULL},
	{"pid that is taken", WHO_ROOT, EVERY,
	 SPEC(.program = room_tiny, .set_tid = (const pid_t[]){1}, .set_tid_size = 1), NULL,
	 RAMET_STAGE_CLONE, 0, EEXIST, NULL, NULL},
	{"pid chosen without right", WHO_NOBODY, EVERY,
	 SPEC(.program = room_tiny, .set_tid = (const pid_t[]){31999}, .set_tid_size = 1), NULL,
	 RAMET_STAGE_CLONE, 0, EPERM, NULL, NULL},
	{"no memory for a stack", WHO_ANY, COPY, SPEC(.program = room_tiny), no_memory,
	 RAMET_STAGE_PREPARE, 0, ENOMEM, NULL, "a stack for the child"},
	{"a stack of half the memory", WHO_ANY, FUTEX,
	 SPEC(.program = room_tiny, .stack_size = (size_t)1 << 60), NULL, RAMET_STAGE_PREPARE, 0,
	 ENOMEM, NULL, "Cannot allocate memory"},
	{"no memory for the plan's own slot", WHO_ANY, FUTEX,
	 SPEC(.program = room_tiny, .stack_size = 1 << 20), no_room_for_slot, RAMET_STAGE_PREPARE,
	 0, ENOMEM, NULL, NULL},
};

/* ---- One of them --------------------------------------------------------------------------------- */

struct
try {
	const struct failure *f;
	enum ramet_way way;
};

/* Bring into being what is kept between launches: pooled slots, stdio, lazy binding. */
static void warm(void)
{
	struct ramet_task task;

	for (unsigned way = RAMET_WAY_HELD; way <= RAMET_WAY_COPY; way++)
		if (expect(ramet_launch(&RAMET_SPEC(.program = room_tiny, .way = way), &task,
					NULL) == 0,
			   "warm launch, way %u", way)) {
			expect(ramet_wait(&task, -1, NULL) == 0, "warm wait");
			ramet_task_close(&task);
		}
}

static void check_error(const struct failure *f, int r, const struct ramet_error *error)
{
	char text[600];
	const int n = ramet_error_format(error, text, sizeof(text));

	expect(n > 0 && (size_t)n == strlen(text) && !strchr(text, '\n'), "format gives %d: %s", n,
	       text);
	expect(r == -f->error, "result %d, want -%d: %s", r, f->error, text);
	expect(error->error == f->error, "errno %d: %s", error->error, text);
	expect(error->stage == f->stage, "stage %d: %s", (int)error->stage, text);
	expect(error->kind == f->kind, "kind %u: %s", error->kind, text);
	if (f->rule)
		expect(error->rule && !strcmp(error->rule, f->rule), "rule %s: %s", error->rule,
		       text);
	if (f->says)
		expect(strstr(text, f->says), "text lacks '%s': %s", f->says, text);
	if (f->stage == RAMET_STAGE_STEP)
		cell_note("%s\n", text);
}

/* Step and count are those of the plan as it is printed. */
static void check_index(const struct ramet_spec *spec, const struct ramet_error *error)
{
	static char plan[20000];
	char start[16];
	const char *line;
	unsigned lines = 0;

	if (error->stage != RAMET_STAGE_STEP ||
	    !expect(ramet_plan_format(spec, plan, sizeof(plan), NULL) > 0, "plan"))
		return;
	snprintf(start, sizeof(start), "\n%2u ", error->step);
	line = strstr(plan, start);
	for (const char *p = plan; (p = strchr(p, '\n')); p++)
		lines++;
	expect(lines - 2 == error->step_count, "%u steps said, plan has %u:\n%s", error->step_count,
	       lines - 2, plan);
	/* What is said of it may be cut. */
	expect(line && strstr(line, error->detail) &&
		       (size_t)(strstr(line, error->detail) - line) < 20,
	       "step %u is not '%s':\n%s", error->step, error->detail, plan);
}

static void try(void *arg)
{
	const struct try *t = arg;
	struct ramet_spec spec = t->f->spec;
	struct ramet_error error;
	struct ramet_task task, untouched;
	struct world before, after;
	const char *differs;
	int r;

	warm();
	umask(027);
	if (t->f->prepare)
		t->f->prepare();
	spec.way = t->way;
	memset(&untouched, 0xa5, sizeof(untouched));
	for (unsigned i = 0; i < 3; i++) {
		task = untouched;
		sys_sigprocmask(2, &(uint64_t){1ULL << (SIGUSR2 - 1)}, NULL);
		before = world_take();
		r = ramet_launch(&spec, &task, &error);
		after = world_take();
		differs = world_differs(&before, &after);
		if (!expect(r < 0, "launched"))
			return;
		expect(!differs, "changed: %s", differs);
		expect(!memcmp(&task, &untouched, sizeof(task)), "the task was written to");
		expect(ramet_launch(&spec, &task, NULL) == r, "another result without an error");
		expect(!world_children(), "a child is left");
	}
	check_error(t->f, r, &error);
	check_index(&spec, &error);
	cell->notes[0] = 0;
}

static void try_all(void)
{
	static const char *const who[] = {" (root)", "", " (limited user)", ""};
	struct try t;

	memset(long_name, 'n', sizeof(long_name) - 1);
	memset(long_path, '/', sizeof(long_path) - 1);
	memset(huge_argument, 'a', sizeof(huge_argument) - 1);
	for (unsigned i = 0; i < sizeof(failures) / sizeof(failures[0]); i++)
		for (unsigned way = RAMET_WAY_HELD; way <= RAMET_WAY_COPY; way++) {
			t = (struct try){&failures[i], way};
			if (!(failures[i].ways & 1u << way))
				continue;
			cell_run(failures[i].who, 20, try, &t, "%s, %s%s", failures[i].name,
				 ramet_way_name(way), who[failures[i].who]);
			/* What anybody can do wrong, an ordinary user can as well. */
			if (failures[i].who == WHO_ANY && !geteuid())
				cell_run(WHO_NOBODY, 20, try, &t, "%s, %s", failures[i].name,
					 ramet_way_name(way));
		}
}

/* ---- What a table cannot say ---------------------------------------------------------------------- */

static int answer(void *arg)
{
	return arg ? *(int *)arg : 42;
}

/* A function and a second return whose steps fail. */
static void functions(void *arg)
{
	const struct ramet_step *steps = RAMET_STEPS(RAMET_CWD("/"), RAMET_CWD("nope"));
	const struct ramet_spec specs[] = {
		SPEC(.fn = answer, .steps = steps),
		SPEC(.fn = answer, .steps = steps, .preset = RAMET_PRESET_VFORK),
		SPEC(.fn = answer, .steps = steps, .preset = RAMET_PRESET_VFORK,
		     .stack_size = 65536),
		SPEC(.fn = answer, .steps = steps, .share = RAMET_MEMORY, .options = RAMET_NO_LIBC),
		SPEC(.fn = answer, .steps = steps, .preset = RAMET_PRESET_LINUXTHREADS,
		     .copy = RAMET_FS, .options = RAMET_NO_LIBC),
		SPEC(.fn = answer, .steps = steps, .preset = RAMET_PRESET_NPTL, .copy = RAMET_FS,
		     .options = RAMET_NO_LIBC),
		SPEC(.fn = answer, .steps = steps, .options = RAMET_NO_LIBC),
		SPEC(.fn = answer, .steps = steps, .exit_signal = SIGUSR1),
		SPEC(.steps = steps),
	};
	const unsigned count = sizeof(specs) / sizeof(specs[0]);
	struct world before, after;
	struct ramet_error error;
	struct ramet_task task;
	const char *differs;
	int r;

	(void)arg;
	signal(SIGUSR1, SIG_IGN);
	signal(SIGUSR2, SIG_IGN);
	warm();
	for (unsigned round = 0; round < 3; round++)
		for (unsigned i = 0; i < count; i++) {
			before = world_take();
			r = specs[i].fn ? ramet_launch(&specs[i], &task, &error)
					: ramet_fork(&specs[i], &task, &error);
			after = world_take();
			differs = world_differs(&before, &after);
			expect(r == -ENOENT, "spec %u: %d", i, r);
			expect(error.stage == RAMET_STAGE_STEP && error.kind == RAMET_STEP_CWD,
			       "spec %u: stage %d kind %u", i, (int)error.stage, error.kind);
			/* Both may be the caller's own descriptor tables' growth. */
			expect(!differs, "spec %u round %u: %s", i, round, differs);
		}
}

/* The pid is told by the kernel before the child runs; a long walk gives time to stop it. */
static char long_walk[3800];
static struct ramet_step walk[301];

static void make_walk(void)
{
	size_t n = 0;

	n += (size_t)sprintf(long_walk, "/");
	while (n + 10 < sizeof(long_walk))
		n += (size_t)sprintf(long_walk + n, "proc/../");
	for (unsigned i = 0; i < 300; i++)
		walk[i] = (struct ramet_step)RAMET_CWD(long_walk);
	walk[300] = (struct ramet_step){0};
}

static void stop_newborn(volatile pid_t *newborn)
{
	while (!*newborn)
		;
	kill(*newborn, SIGSTOP);
	_exit(0);
}

static void timeouts(void *arg)
{
	volatile pid_t *newborn =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct ramet_spec spec = RAMET_SPEC(.program = room_tiny, .steps = walk, .timeout_ms = 200,
					    .way = *(enum ramet_way *)arg,
					    .parent_tid = (pid_t *)newborn);
	struct world before, after;
	struct ramet_error error;
	struct ramet_task task;
	unsigned timed_out = 0;
	pid_t stopper;
	int r;

	warm();
	for (unsigned i = 0; i < 20 && timed_out < 3; i++) {
		*newborn = 0;
		before = world_take();
		stopper = fork();
		if (!stopper)
			stop_newborn(newborn);
		usleep(1000);
		r = ramet_launch(&spec, &task, &error);
		waitpid(stopper, NULL, 0);
		if (r == 0) { /* it came to exec before it was stopped */
			expect(ramet_kill(&task, SIGKILL) == 0 && ramet_wait(&task, -1, NULL) == 0,
			       "kill");
			ramet_task_close(&task);
		}
		after = world_take();
		expect(!world_differs(&before, &after), "%s", world_differs(&before, &after));
		if (r == 0)
			continue;
		timed_out++;
		expect(r == -ETIMEDOUT && error.error == ETIMEDOUT, "%d", r);
		expect(error.stage == RAMET_STAGE_DIED, "stage %d", (int)error.stage);
		expect(kill(*newborn, 0) < 0, "the child is still there");
	}
	expect(timed_out, "20 children could not be stopped in time");
}

/* Outer clone allowed, the init's own refused. */
static void inner_refused(void *arg)
{
	struct ramet_spec spec =
		RAMET_SPEC(.program = room_tiny, .fresh = RAMET_PID | RAMET_USER,
			   .steps = RAMET_STEPS(RAMET_ID_MAP(NULL, NULL), RAMET_INIT()));
	struct world before, after;
	struct ramet_error error;
	struct ramet_task task;
	int r;

	(void)arg;
	warm();
	limit(RLIMIT_NPROC, 2);
	before = world_take();
	r = ramet_launch(&spec, &task, &error);
	after = world_take();
	expect(r == -EAGAIN && error.stage == RAMET_STAGE_STEP && error.kind == RAMET_STEP_INIT,
	       "%d, stage %d, kind %u", r, (int)error.stage, error.kind);
	expect(!world_differs(&before, &after), "%s", world_differs(&before, &after));
}

/* A limit of user namespaces of one's own namespace. */
static void no_more_user_namespaces(void *arg)
{
	struct ramet_error error;
	struct ramet_task task;
	char text[400];
	int r, fd;

	(void)arg;
	if (unshare(CLONE_NEWUSER) < 0) {
		cell_skip("no user namespaces");
		return;
	}
	fd = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
	expect(fd >= 0 && write(fd, "0 0 1\n", 6) == 6, "uid_map");
	close(fd);
	fd = open("/proc/self/setgroups", O_WRONLY | O_CLOEXEC);
	expect(fd >= 0 && write(fd, "deny", 4) == 4, "setgroups");
	close(fd);
	fd = open("/proc/self/gid_map", O_WRONLY | O_CLOEXEC);
	expect(fd >= 0 && write(fd, "0 0 1\n", 6) == 6, "gid_map");
	close(fd);
	fd = open("/proc/sys/user/max_user_namespaces", O_WRONLY | O_CLOEXEC);
	expect(fd >= 0 && write(fd, "0\n", 2) == 2, "max_user_namespaces: %s", strerror(errno));
	close(fd);
	r = ramet_launch(&RAMET_SPEC(.program = room_tiny, .fresh = RAMET_USER), &task, &error);
	ramet_error_format(&error, text, sizeof(text));
	expect(r == -ENOSPC && error.stage == RAMET_STAGE_CLONE, "%s", text);
	expect(error.rule && strstr(error.rule, "user-namespace"), "rule %s", error.rule);
	expect(!world_children(), "a child is left");
}

/* Texts of every stage into buffers of every size: never past the end, always the same length. */
static void formats(void *arg)
{
	const struct ramet_spec specs[] = {
		SPEC(.program = room_nothing),
		SPEC(.fn = NULL),
		SPEC(.program = room_tiny, .stack_size = (size_t)1 << 62, .way = RAMET_WAY_FUTEX),
		SPEC(.program = room_tiny, .fresh = RAMET_CGROUP, .cgroup = 0),
		SPEC(.program = room_tiny, .steps = RAMET_STEPS(RAMET_CWD(long_path))),
	};
	char text[700], guarded[700];
	struct ramet_error error;
	struct ramet_task task;
	int full, n;

	(void)arg;
	for (unsigned i = 0; i < sizeof(specs) / sizeof(specs[0]); i++) {
		expect(ramet_launch(&specs[i], &task, &error) < 0, "launched %u", i);
		full = ramet_error_format(&error, text, sizeof(text));
		expect(full > 10 && full < (int)sizeof(text), "length %d", full);
		for (size_t size = 0; size < sizeof(guarded); size++) {
			memset(guarded, '~', sizeof(guarded));
			n = ramet_error_format(&error, size ? guarded : NULL, size);
			expect(n == full, "length %d of %d at size %zu", n, full, size);
			expect(!size || (strlen(guarded) < size &&
					 !strncmp(guarded, text, size - 1)),
			       "cut wrongly at size %zu: %s", size, guarded);
			expect(guarded[size] == '~', "wrote past %zu", size);
		}
	}
}

int main(void)
{
	enum ramet_way futex = RAMET_WAY_FUTEX, copy = RAMET_WAY_COPY;

	room_make();
	make_walk();
	try_all();
	cell_run(WHO_ANY, 30, functions, NULL, "functions and second returns whose steps fail");
	cell_run(WHO_NOBODY, 30, functions, NULL, "functions and second returns whose steps fail");
	cell_run(WHO_ANY, 30, timeouts, &futex, "timeout, futex");
	cell_run(WHO_ANY, 30, timeouts, &copy, "timeout, copy");
	cell_run(WHO_LONER, 30, inner_refused, NULL, "the init's own clone refused");
	cell_run(WHO_ROOT, 30, no_more_user_namespaces, NULL, "too many user namespaces");
	cell_run(WHO_ANY, 30, formats, NULL, "error texts in buffers of every size");
	return tap_done();
}
