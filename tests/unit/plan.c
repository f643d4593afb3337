/* SPDX-License-Identifier: MIT */
/*
 * Plans: the exact text of what will be done for some specs (way, call, steps in order), and what
 * of a plan hangs on the host. What is refused: plan_refusals.c.
 */
#include <signal.h>
#include <time.h>

#include "tap.h"
#include "unit/plans.h"

#define HELD "way    held (memory is shared, the caller sleeps until the body runs or ends)\n"
#define FUTEX "way    futex (memory is shared, the caller runs on)\n"
#define COPY "way    copy (memory is copied)\n"
#define HELPER "way    helper (the steps run in a small helper program)\n"
#define FORK COPY "fork() of the C library, exit signal SIGCHLD\n"
#define SPAWN "clone3 CLONE_VM|CLONE_PIDFD|CLONE_VFORK|CLONE_CLEAR_SIGHAND"
#define PARTING "clone3 CLONE_VM|CLONE_FILES|CLONE_PIDFD|CLONE_VFORK|CLONE_CLEAR_SIGHAND"
#define SHIELDED                                                                                   \
	"way    futex (memory is shared, the caller runs on; a task between them is held)\n"       \
	"clone3 CLONE_VM|CLONE_PIDFD|CLONE_VFORK|CLONE_PARENT|CLONE_PARENT_SETTID|"                \
	"CLONE_CHILD_CLEARTID|CLONE_CLEAR_SIGHAND"
#define BESIDE "clone3 CLONE_VM|CLONE_PIDFD|CLONE_CHILD_CLEARTID|CLONE_CLEAR_SIGHAND"
#define FROM_EXEC ", exit signal SIGCHLD from exec on\n"
#define MASK(n) n " child  restore the signal mask\n"
#define EXEC(n) n " child  exec /bin/true\n"
#define GUARDED                                                                                    \
	" 1 child  wait for the caller's side\n"                                                   \
	" 2 caller make the shared memory unreadable until exec\n"                                 \
	" 3 child  set supplementary groups to none\n"                                             \
	" 4 child  become user 1000\n" MASK(" 5") EXEC(" 6")
#define CALL(n) n " child  call the function\n"

static void is_plan(const char *name, struct ramet_spec spec, const char *want)
{
	struct ramet_error error;
	char text[2048];
	const int r = ramet_plan_format(&spec, text, sizeof(text), &error);

	if (r < 0)
		ramet_error_format(&error, text, sizeof(text));
	is_str(text, want, "%s", name);
	if (r >= 0 && (size_t)r != strlen(want))
		is_int(r, strlen(want), "%s: length", name);
}

#define IS_PLAN(name, want, ...) is_plan(name, RAMET_SPEC(__VA_ARGS__), want)

static void test_ways_of_programs(void)
{
	IS_PLAN("a program", HELD SPAWN FROM_EXEC EXEC(" 1"), PROGRAM);
	IS_PLAN("fork and exec",
		COPY "clone3 CLONE_PIDFD|CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|"
		     "CLONE_CLEAR_SIGHAND" FROM_EXEC MASK(" 1") EXEC(" 2"),
		PROGRAM, .preset = RAMET_PRESET_FORK);
	IS_PLAN("vfork and exec", HELD SPAWN FROM_EXEC EXEC(" 1"), PROGRAM,
		.preset = RAMET_PRESET_VFORK);
	IS_PLAN("memory copied because asked",
		COPY "clone3 CLONE_PIDFD|CLONE_CLEAR_SIGHAND" FROM_EXEC MASK(" 1") EXEC(" 2"),
		PROGRAM, .copy = RAMET_MEMORY);
	IS_PLAN("way copy, forced",
		COPY "clone3 CLONE_PIDFD|CLONE_CLEAR_SIGHAND" FROM_EXEC MASK(" 1") EXEC(" 2"),
		PROGRAM, .way = RAMET_WAY_COPY);
	IS_PLAN("way futex, forced", FUTEX BESIDE FROM_EXEC EXEC(" 1"), PROGRAM,
		.way = RAMET_WAY_FUTEX);
	IS_PLAN("separate processes with one file table",
		HELD "clone3 CLONE_VM|CLONE_FILES|CLONE_PIDFD|CLONE_VFORK|"
		     "CLONE_CLEAR_SIGHAND" FROM_EXEC EXEC(" 1"),
		PROGRAM, .share = RAMET_FILES);
	IS_PLAN("exec parts shared handlers, so they are not shared before it either",
		HELD SPAWN FROM_EXEC EXEC(" 1"), PROGRAM, .share = RAMET_MEMORY | RAMET_SIGHAND);
	IS_PLAN("a sibling has no exit signal of its own",
		HELD "clone3 CLONE_VM|CLONE_PIDFD|CLONE_VFORK|CLONE_PARENT|CLONE_CLEAR_SIGHAND, "
		     "exit signal none\n" EXEC(" 1"),
		PROGRAM, .share = RAMET_PARENT);
	IS_PLAN("no pidfd",
		HELD "clone3 CLONE_VM|CLONE_VFORK|CLONE_CLEAR_SIGHAND" FROM_EXEC EXEC(" 1"),
		PROGRAM, .options = RAMET_NO_PIDFD);
	IS_PLAN("a search along PATH", HELD SPAWN FROM_EXEC " 1 child  exec true along PATH\n",
		.program = "true", .options = RAMET_SEARCH_PATH);
	IS_PLAN("in a cgroup", HELD SPAWN "|CLONE_INTO_CGROUP" FROM_EXEC EXEC(" 1"), PROGRAM,
		.fresh = RAMET_CGROUP, .cgroup = 3);
}

static void test_identity(void)
{
	static const gid_t groups[] = {5, 6, 7};

	IS_PLAN("another user: groups go too, the caller is not held, its memory is guarded",
		FUTEX BESIDE FROM_EXEC " 1 child  wait for the caller's side\n"
				       " 2 caller make the shared memory unreadable until exec\n"
				       " 3 child  set supplementary groups to none\n"
				       " 4 child  become group 100\n"
				       " 5 child  become user 1000\n" MASK(" 6") EXEC(" 7"),
		PROGRAM, STEPS(RAMET_UID(1000), RAMET_GID(100)));
	IS_PLAN("another user with groups",
		FUTEX BESIDE FROM_EXEC " 1 child  wait for the caller's side\n"
				       " 2 caller make the shared memory unreadable until exec\n"
				       " 3 child  set supplementary groups 5,6,7\n"
				       " 4 child  become user 1000\n" MASK(" 5") EXEC(" 6"),
		PROGRAM, STEPS(RAMET_UID(1000), RAMET_GROUPS(3, groups)));
	IS_PLAN("another user, groups left alone",
		FUTEX BESIDE FROM_EXEC " 1 child  wait for the caller's side\n"
				       " 2 caller make the shared memory unreadable until exec\n"
				       " 3 child  become user 1000\n" MASK(" 4") EXEC(" 5"),
		PROGRAM, STEPS(RAMET_UID(1000), RAMET_KEEP_GROUPS()));
	IS_PLAN("another user, memory copied: nothing to guard",
		COPY "clone3 CLONE_PIDFD|CLONE_CLEAR_SIGHAND" FROM_EXEC
		     " 1 child  set supplementary groups to none\n"
		     " 2 child  become user 1000\n" MASK(" 3") EXEC(" 4"),
		PROGRAM, .copy = RAMET_MEMORY, STEPS(RAMET_UID(1000)));
	IS_PLAN("another user of a new pid namespace",
		FUTEX "clone3 CLONE_VM|CLONE_PIDFD|CLONE_CHILD_CLEARTID|CLONE_NEWPID|"
		      "CLONE_CLEAR_SIGHAND" FROM_EXEC GUARDED,
		PROGRAM, .fresh = RAMET_PID, STEPS(RAMET_UID(1000)));
}

/* Has version 1 the controller of memory? Then a cgroup2 is no danger. */
static bool has_old_memory(void)
{
	FILE *file = fopen("/proc/cgroups", "re");
	char line[200];
	int hierarchy = 0;

	while (file && !hierarchy && fgets(line, sizeof(line), file))
		if (sscanf(line, "memory %d", &hierarchy) == 1)
			break;
	if (file)
		fclose(file);
	return hierarchy;
}

static void test_cgroups(void)
{
	const bool safe = has_old_memory();

	IS_PLAN("another user in a cgroup: beside the caller, as vfork's child if there are limits",
		safe ? FUTEX BESIDE "|CLONE_INTO_CGROUP" FROM_EXEC GUARDED
		     : SHIELDED "|CLONE_INTO_CGROUP" FROM_EXEC GUARDED,
		PROGRAM, .fresh = RAMET_CGROUP, .cgroup = 3, STEPS(RAMET_UID(1000)));
	IS_PLAN("and of a new pid namespace: else in memory of its own",
		safe ? FUTEX "clone3 CLONE_VM|CLONE_PIDFD|CLONE_CHILD_CLEARTID|CLONE_NEWPID|"
			     "CLONE_CLEAR_SIGHAND|CLONE_INTO_CGROUP" FROM_EXEC GUARDED
		     : HELPER
			"clone3 CLONE_VM|CLONE_PIDFD|CLONE_VFORK|CLONE_NEWPID|CLONE_CLEAR_SIGHAND|"
			"CLONE_INTO_CGROUP, exit signal SIGCHLD\n"
			" 1 child  set supplementary groups to none\n"
			" 2 child  become user 1000\n" MASK(" 3") EXEC(" 4"),
		PROGRAM, .fresh = RAMET_CGROUP | RAMET_PID, .cgroup = 3, STEPS(RAMET_UID(1000)));
}

/* What a plan hangs on that is not in the spec: here, asked in the system's stead. */
static void test_limits_of_memory(void)
{
	const struct ramet_step user[] = {{.kind = RAMET_STEP_UID, .number = 1000}, {0}},
				moved[] = {RAMET_CGROUP_DIR("/x"), RAMET_UID(1000), {0}};
	static const struct {
		const char *name;
		uint32_t fresh;
		bool moves, uncharged, shielding, shielded;
		enum ramet_way way;
	} rows[] = {
		{"limits", RAMET_CGROUP, false, false, true, true, RAMET_WAY_FUTEX},
		{"limits, no shield", RAMET_CGROUP, false, false, false, false, RAMET_WAY_HELPER},
		{"no limits", RAMET_CGROUP, false, true, true, false, RAMET_WAY_FUTEX},
		{"no limits, no shield", RAMET_CGROUP, false, true, false, false, RAMET_WAY_FUTEX},
		{"moved, whatever cgroup2 has", 0, true, true, true, true, RAMET_WAY_FUTEX},
		{"moved, no shield", 0, true, true, false, false, RAMET_WAY_HELPER},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct ramet_spec spec = RAMET_SPEC(.program = "/bin/true",
							  .fresh = rows[i].fresh, .cgroup = 3,
							  .steps = rows[i].moves ? moved : user);
		const struct plan_host host = {.helper = true,
					       .memory_shares = true,
					       .witness = -1,
					       .uncharged = rows[i].uncharged,
					       .shielding = rows[i].shielding};
		struct plan_refusal why;
		struct plan plan;
		const int r = plan_make(&spec, false, &host, &plan, &why);

		ok(r == 0 && plan.way == rows[i].way && plan.shielded == rows[i].shielded,
		   "a cgroup: %s", rows[i].name);
		if (r == 0)
			plan_free(&plan);
	}
}

static void test_order_of_steps(void)
{
	IS_PLAN("steps given backwards are done in the right order",
		HELD PARTING FROM_EXEC " 1 child  take a descriptor table without 10 and up\n"
				       " 2 child  begin a new session\n"
				       " 3 child  chdir to /tmp\n"
				       " 4 child  chdir to x\n"
				       " 5 child  set umask 027\n"
				       " 6 child  keep descriptor 9 open\n"
				       " 7 child  make descriptor 5 descriptor 1\n"
				       " 8 child  close descriptors 3 to 8\n"
				       " 9 child  give up gaining privileges\n"
				       "10 child  set all signals to default\n"
				       "11 child  set SIGPIPE to ignored\n"
				       "12 child  block signals 0x10\n"
				       "13 child  exec /bin/true\n",
		PROGRAM,
		STEPS(RAMET_SIGMASK(0x10), RAMET_SIGNAL_DEFAULT(0), RAMET_SIGNAL_IGNORE(SIGPIPE),
		      RAMET_NO_NEW_PRIVS(), RAMET_CLOSE_REST(), RAMET_KEEP(9), RAMET_DUP(5, 1),
		      RAMET_UMASK(027), RAMET_CWD("/tmp"), RAMET_CWD("x"), RAMET_SETSID()));
	IS_PLAN("two descriptors change places",
		HELD SPAWN FROM_EXEC " 1 child  make descriptor 3 descriptor (lifted)\n"
				     " 2 child  make descriptor 4 descriptor 3\n"
				     " 3 child  make descriptor (lifted) descriptor 4\n" MASK(" 4")
					     EXEC(" 5"),
		PROGRAM, STEPS(RAMET_DUP(3, 4), RAMET_DUP(4, 3)));
}

static void test_namespaces(void)
{
	IS_PLAN("id maps are written by the caller, who is not held",
		FUTEX "clone3 CLONE_VM|CLONE_PIDFD|CLONE_CHILD_CLEARTID|CLONE_NEWUTS|"
		      "CLONE_NEWUSER|CLONE_CLEAR_SIGHAND" FROM_EXEC
		      " 1 child  wait for the caller's side\n"
		      " 2 caller write id maps uid 0 (own) 1, gid 0 (own) 1\n"
		      " 3 child  set the host name to box\n" MASK(" 4") EXEC(" 5"),
		PROGRAM, .fresh = RAMET_USER | RAMET_UTS,
		STEPS(RAMET_HOSTNAME("box"), RAMET_ID_MAP(NULL, NULL)));
	IS_PLAN("a container with an init",
		HELPER
		"clone3 CLONE_VM|CLONE_PIDFD|CLONE_VFORK|CLONE_NEWNS|CLONE_NEWCGROUP|CLONE_NEWUTS|"
		"CLONE_NEWIPC|CLONE_NEWUSER|CLONE_NEWPID|CLONE_NEWNET|CLONE_CLEAR_SIGHAND, "
		"exit signal SIGCHLD\n"
		" 1 child  wait for the caller's side\n"
		" 2 caller write id maps uid 0 1000 1;1 2000 5, gid 0 100 1\n"
		" 3 child  stay behind as reaper, run the rest in a child\n"
		" 4 child  set the host name to box\n"
		" 5 child  make mounts private\n"
		" 6 child  mount procfs on /proc\n" MASK(" 7") EXEC(" 8"),
		PROGRAM, .preset = RAMET_PRESET_CONTAINER, .fresh = RAMET_USER,
		STEPS(RAMET_PROC("/proc"), RAMET_PRIVATE_MOUNTS(), RAMET_HOSTNAME("box"),
		      RAMET_INIT(), RAMET_ID_MAP("0 1000 1\n1 2000 5", "0 100 1")));
}

/* What the plan adds by itself to what was given, and the order among kinds. */
static void test_attributes(void)
{
	static const char bits[8] = {1};

	IS_PLAN("attributes given backwards",
		HELD SPAWN FROM_EXEC " 1 child  begin a new session\n"
				     " 2 child  make descriptor 5 the controlling terminal\n"
				     " 3 child  take the foreground of terminal 5\n"
				     " 4 child  set I/O priority idle, level 0\n"
				     " 5 child  limit nofile to 8:9\n"
				     " 6 child  set processor affinity\n"
				     " 7 child  set securebits 0x1\n"
				     " 8 child  bound capabilities to chown\n"
				     " 9 child  set capabilities none, inheritable none\n"
				     "10 child  set ambient capabilities none\n"
				     "11 child  get SIGKILL when the launcher ends\n"
				     "12 child  block signals 0\n"
				     "13 child  load a system call filter\n"
				     "14 child  exec /bin/true\n",
		PROGRAM,
		STEPS(RAMET_SECCOMP(8, bits), RAMET_PDEATHSIG(SIGKILL), RAMET_AMBIENT(0),
		      RAMET_CAPS(0, 0), RAMET_BOUNDING(1), RAMET_SECUREBITS(1), RAMET_IOPRIO(3, 0),
		      RAMET_RLIMIT(7, 8, 9), RAMET_AFFINITY(8, bits), RAMET_FOREGROUND(5),
		      RAMET_CTTY(5), RAMET_SETSID(), RAMET_SIGMASK(0)));
	IS_PLAN("capabilities for another user are kept through the change",
		FUTEX BESIDE FROM_EXEC
		" 1 child  wait for the caller's side\n"
		" 2 caller make the shared memory unreadable until exec\n"
		" 3 child  keep capabilities through the change of user\n"
		" 4 child  set supplementary groups to none\n"
		" 5 child  become user 1000\n"
		" 6 child  set capabilities chown, inheritable none\n" MASK(" 7") EXEC(" 8"),
		PROGRAM, STEPS(RAMET_UID(1000), RAMET_CAPS(1, 0)));
	IS_PLAN("a clock offset: the step makes the namespace, not the clone",
		HELPER SPAWN
		", exit signal SIGCHLD\n 1 child  shift clock boottime by 5 s\n" MASK(" 2")
			EXEC(" 3"),
		PROGRAM, .fresh = RAMET_TIME, STEPS(RAMET_TIME_OFFSET(CLOCK_BOOTTIME, 5, 0)));
	IS_PLAN("the killer's order among processes: that of a child of vfork is its own",
		SHIELDED FROM_EXEC " 1 child  wait for the caller's side\n"
				   " 2 caller make the shared memory unreadable until exec\n"
				   " 3 child  set oom_score_adj to 500\n"
				   " 4 child  set supplementary groups to none\n"
				   " 5 child  become user 1\n" MASK(" 6") EXEC(" 7"),
		PROGRAM, STEPS(RAMET_OOM_SCORE_ADJ(500), RAMET_UID(1)));
	IS_PLAN("held, it is",
		HELD SPAWN FROM_EXEC " 1 child  set oom_score_adj to 500\n" MASK(" 2") EXEC(" 3"),
		PROGRAM, STEPS(RAMET_OOM_SCORE_ADJ(500)));
}

static void test_roots_and_joins(void)
{
	IS_PLAN("a root: mounts in the order given, then the old root is left",
		HELD "clone3 CLONE_VM|CLONE_PIDFD|CLONE_VFORK|CLONE_NEWNS|"
		     "CLONE_CLEAR_SIGHAND" FROM_EXEC " 1 child  make mounts private\n"
		     " 2 child  take /srv as the root\n"
		     " 3 child  mount tmpfs on /tmp\n"
		     " 4 child  mount procfs on /proc\n"
		     " 5 child  bind /a to /tmp/a, read-only\n"
		     " 6 child  leave the old root behind\n"
		     " 7 child  chdir to /x\n" MASK(" 8") EXEC(" 9"),
		PROGRAM, .fresh = RAMET_MNT,
		STEPS(RAMET_CWD("/x"), RAMET_TMPFS("/tmp"), RAMET_PROC("/proc"),
		      RAMET_BIND("/a", "/tmp/a", .read_only = 1), RAMET_ROOT("/srv"),
		      RAMET_PRIVATE_MOUNTS()));
	IS_PLAN("Landlock's rules are put in force after the last of them",
		HELD SPAWN FROM_EXEC " 1 child  give up gaining privileges\n"
				     " 2 child  allow reading and execution below /usr\n"
				     " 3 child  allow everything below /tmp\n"
				     " 4 child  deny all other paths\n" MASK(" 5") EXEC(" 6"),
		PROGRAM,
		STEPS(RAMET_LANDLOCK("/usr", 0), RAMET_LANDLOCK("/tmp", 1), RAMET_NO_NEW_PRIVS()));
	IS_PLAN("a task that joins is out of the caller's memory",
		HELPER SPAWN ", exit signal SIGCHLD\n"
			     " 1 child  join namespaces CLONE_NEWNET of descriptor 5\n" MASK(" 2")
				     EXEC(" 3"),
		PROGRAM, STEPS(RAMET_JOIN(5, CLONE_NEWNET)));
	IS_PLAN("a pid namespace takes only children: somebody stays behind",
		HELPER SPAWN ", exit signal SIGCHLD\n"
			     " 1 child  join namespaces CLONE_NEWPID of descriptor 5\n"
			     " 2 child  stay behind as reaper, run the rest in a child\n" MASK(" 3")
				     EXEC(" 4"),
		PROGRAM, STEPS(RAMET_JOIN(5, CLONE_NEWPID)));
	IS_PLAN("a cgroup by its directory: the caller is held, or out of it",
		HELD SPAWN FROM_EXEC " 1 child  enter cgroup /c\n" MASK(" 2") EXEC(" 3"), PROGRAM,
		STEPS(RAMET_CGROUP_DIR("/c")));
}

static void test_program_fd(void)
{
	IS_PLAN("a program by descriptor stays open until exec",
		HELD PARTING FROM_EXEC " 1 child  take a descriptor table without 10 and up\n"
				       " 2 child  close descriptors 3 to 8\n" MASK(
					       " 3") " 4 child  exec descriptor 9 as /bin/true\n",
		PROGRAM, .options = RAMET_PROGRAM_FD, .program_fd = 9, STEPS(RAMET_CLOSE_REST()));
	IS_PLAN("and is not searched for",
		HELD SPAWN FROM_EXEC " 1 child  exec descriptor 0 as true\n", .program = "true",
		.options = RAMET_PROGRAM_FD | RAMET_SEARCH_PATH);
	IS_PLAN("without the option the descriptor is not looked at",
		HELD SPAWN FROM_EXEC EXEC(" 1"), PROGRAM, .program_fd = 9);
}

/* What a helper would find as its own, or share, is meant to be the caller's: copied. */
static void test_misled_helper(void)
{
	static const char init[] = " 1 child  stay behind as reaper, run the rest in a child\n";
	const struct ramet_spec specs[] = {
		RAMET_SPEC(.program = "/proc/self/exe", .fresh = RAMET_PID, STEPS(RAMET_INIT())),
		RAMET_SPEC(PROGRAM, .fresh = RAMET_PID, .share = RAMET_FILES, STEPS(RAMET_INIT())),
		RAMET_SPEC(PROGRAM, .fresh = RAMET_PID,
			   STEPS(RAMET_INIT(), RAMET_CWD("/proc/self/fd/5"))),
		RAMET_SPEC(PROGRAM, .fresh = RAMET_PID | RAMET_MNT,
			   STEPS(RAMET_INIT(), RAMET_BIND("/dev/fd/5", "/mnt"))),
	};
	char text[1000];

	for (unsigned i = 0; i < 4; i++)
		ok(ramet_plan_format(&specs[i], text, sizeof(text), NULL) > 0 &&
			   !strncmp(text, COPY, strlen(COPY)) && strstr(text, init),
		   "a helper would be misled: %u", i);
}

/* The helper way, where it is not chosen by itself. */
static void test_helper(void)
{
	IS_PLAN("way helper, forced", HELPER SPAWN ", exit signal SIGCHLD\n" MASK(" 1") EXEC(" 2"),
		PROGRAM, .way = RAMET_WAY_HELPER);
	IS_PLAN("another user by the helper: nobody's memory is to be guarded",
		HELPER SPAWN ", exit signal SIGCHLD\n"
			     " 1 child  set supplementary groups to none\n"
			     " 2 child  become user 1000\n" MASK(" 3") EXEC(" 4"),
		PROGRAM, .way = RAMET_WAY_HELPER, STEPS(RAMET_UID(1000)));
	IS_PLAN("an init by copy, forced",
		COPY "clone3 CLONE_PIDFD|CLONE_NEWPID|CLONE_CLEAR_SIGHAND, exit signal SIGCHLD\n"
		     " 1 child  stay behind as reaper, run the rest in a child\n" MASK(" 2")
			     EXEC(" 3"),
		PROGRAM, .fresh = RAMET_PID, .way = RAMET_WAY_COPY, STEPS(RAMET_INIT()));
}

static void test_functions(void)
{
	IS_PLAN("a function", FORK MASK(" 1") CALL(" 2"), .fn = body);
	IS_PLAN("a function after a step", FORK " 1 child  chdir to /tmp\n" MASK(" 2") CALL(" 3"),
		.fn = body, STEPS(RAMET_CWD("/tmp")));
	IS_PLAN("a function that shares the file table: more than fork() gives",
		COPY "clone3 CLONE_FILES|CLONE_PIDFD|CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID, "
		     "exit signal SIGCHLD\n" MASK(" 1") CALL(" 2"),
		.fn = body, .share = RAMET_FILES);
	IS_PLAN("a function with another exit signal",
		COPY "clone3 CLONE_PIDFD|CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID, "
		     "exit signal SIGUSR1\n" MASK(" 1") CALL(" 2"),
		.fn = body, .exit_signal = SIGUSR1);
	IS_PLAN("a function while the caller is held",
		HELD "clone3 CLONE_VM|CLONE_PIDFD|CLONE_VFORK, exit signal SIGCHLD\n" MASK(" 1")
			CALL(" 2"),
		.fn = body, .preset = RAMET_PRESET_VFORK);
	IS_PLAN("a thread",
		FUTEX "clone3 CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_SIGHAND|CLONE_THREAD|"
		      "CLONE_SYSVSEM|CLONE_SETTLS|CLONE_PARENT_SETTID|CLONE_CHILD_CLEARTID, "
		      "exit signal none\n" MASK(" 1") CALL(" 2"),
		.fn = body, .preset = RAMET_PRESET_NPTL, .options = RAMET_NO_LIBC);
	IS_PLAN("a thread of the old model",
		FUTEX "clone3 CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_SIGHAND|CLONE_PIDFD|"
		      "CLONE_CHILD_CLEARTID, exit signal SIGUSR2\n" MASK(" 1") CALL(" 2"),
		.fn = body, .preset = RAMET_PRESET_LINUXTHREADS, .options = RAMET_NO_LIBC);
}

/* A text cut short is cut cleanly and says how long it is. */
static void test_cut(void)
{
	const struct ramet_spec spec = RAMET_SPEC(PROGRAM);
	char whole[1024], text[1024];
	const int n = ramet_plan_format(&spec, whole, sizeof(whole), NULL);
	unsigned wrong = 0;

	for (int size = 0; size < n + 2; size++) {
		const int room = size < n + 1 ? size : n + 1;

		memset(text, 'x', sizeof(text));
		wrong += ramet_plan_format(&spec, text, (size_t)size, NULL) != n;
		wrong += room && (strlen(text) != (size_t)room - 1 ||
				  strncmp(text, whole, (size_t)room - 1) != 0);
		wrong += text[room] != 'x';
	}
	is_int(wrong, 0, "a plan's text is cut cleanly at every length");
}

/* Under valgrind and qemu-user CLONE_VM gives a copy: the plan says what is lost, and copies. */
static void test_no_shared_memory(void)
{
	const struct ramet_spec spec = RAMET_SPEC(PROGRAM);
	struct plan_host host = {.single_threaded = true, .path = "/bin"};
	struct plan_refusal why;
	struct plan plan;

	if (!is_int(plan_make(&spec, false, &host, &plan, &why), 0, "a plan without shared memory"))
		return;
	is_int(plan.way, RAMET_WAY_COPY, "the memory is copied");
	is_int(plan.lost, RAMET_LOST_SHARE, "and the loss is told");
	is_int(plan.args.flags & (CLONE_VM | CLONE_VFORK), 0, "no flag asks for what is not given");
	plan_free(&plan);
}

/* Where programs in memory cannot be run a copy does the same. */
static void test_no_helper(void)
{
	const struct ramet_spec spec = RAMET_SPEC(PROGRAM, .fresh = RAMET_PID, STEPS(RAMET_INIT()));
	const struct ramet_spec forced = RAMET_SPEC(PROGRAM, .way = RAMET_WAY_HELPER);
	const struct ramet_spec *const specs[] = {&spec, &forced};
	const struct plan_host host = {.memory_shares = true, .path = "/bin"};
	struct plan_refusal why;
	struct plan plan;

	for (unsigned i = 0; i < 2; i++) {
		if (!is_int(plan_make(specs[i], false, &host, &plan, &why), 0, "without a helper"))
			continue;
		is_int(plan.way, RAMET_WAY_COPY, "the memory is copied");
		is_int(plan.lost, RAMET_LOST_HELPER, "and the loss is told");
		is_int(plan.args.flags & (CLONE_VM | CLONE_VFORK), 0, "nothing is shared");
		plan_free(&plan);
	}
}

/* Signals are let be where the kernel clears the handlers and the child does nothing but exec. */
static void test_unmasked(void)
{
	const struct {
		const char *name;
		struct ramet_spec spec;
		bool clearing, unmasked;
	} rows[] = {
		{"a program", RAMET_SPEC(PROGRAM), true, true},
		{"no clone3", RAMET_SPEC(PROGRAM), false, false},
		{"a step", RAMET_SPEC(PROGRAM, STEPS(RAMET_UMASK(022))), true, false},
		{"beside the caller", RAMET_SPEC(PROGRAM, .way = RAMET_WAY_FUTEX), true, true},
		{"behind a shield",
		 RAMET_SPEC(PROGRAM, .fresh = RAMET_CGROUP, .cgroup = 3, .timeout_ms = 100), true,
		 false},
		{"copied", RAMET_SPEC(PROGRAM, .way = RAMET_WAY_COPY), true, false},
		{"a function", RAMET_SPEC(.fn = body), true, false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct plan_host host = usual;
		struct plan_refusal why;
		struct plan plan;

		host.clearing = rows[i].clearing;
		host.shielding = true;
		if (!is_int(plan_make(&rows[i].spec, false, &host, &plan, &why), 0, "%s",
			    rows[i].name))
			continue;
		is_int(plan.unmasked, rows[i].unmasked, "%s: unmasked", rows[i].name);
		is_int(steps_have(plan.steps, RAMET_STEP_SIGMASK), !rows[i].unmasked,
		       "%s: or else the child has its mask back", rows[i].name);
		ok(!rows[i].unmasked || !(plan.droppable & CLONE_CLEAR_SIGHAND),
		   "%s: unmasked with clone3 alone", rows[i].name);
		plan_free(&plan);
	}
}

int main(void)
{
	setenv("PATH", "/usr/bin:/bin", 1);
	test_ways_of_programs();
	test_cgroups();
	test_limits_of_memory();
	test_identity();
	test_order_of_steps();
	test_namespaces();
	test_attributes();
	test_roots_and_joins();
	test_program_fd();
	test_helper();
	test_misled_helper();
	test_functions();
	test_cut();
	test_no_shared_memory();
	test_no_helper();
	test_unmasked();
	return tap_done();
}
