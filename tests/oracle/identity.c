/* SPDX-License-Identifier: MIT */
/*
 * Each step does what it says, seen by the program that is started: identity, session, directory,
 * mask, dispositions, names. In every way that can run it.
 *
 * Seen to fail, in a copy of the tree: supplementary groups left to the new identity, the working
 * directory entered with the rights of the old.
 */
#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>

#include "lib/cell.h"
#include "lib/report.h"
#include "lib/room.h"
#include "lib/world.h"
#include "uapi/clone.h"

#include <ramet/ramet.h>

#define HELD (1u << RAMET_WAY_HELD)
#define FUTEX (1u << RAMET_WAY_FUTEX)
#define COPY (1u << RAMET_WAY_COPY)
#define EVERY (HELD | FUTEX | COPY)
#define STEPS(...)                                                                                 \
	{                                                                                          \
		.size = sizeof(struct ramet_spec), .steps = RAMET_STEPS(__VA_ARGS__)               \
	}
#define SPEC(...)                                                                                  \
	{                                                                                          \
		.size = sizeof(struct ramet_spec), __VA_ARGS__                                     \
	}
#define BIT(sig) (1ULL << ((sig)-1))

static char report_path[96];
static char *report_argv[] = {report_name, report_path, NULL};
static pid_t group_leader; /* a child of the cell with a group of its own */

/* ---- What the program must have seen -------------------------------------------------------- */

static void all_ids(const struct report *r, uid_t uid, gid_t gid)
{
	for (unsigned i = 0; i < 3; i++) {
		expect(r->uid[i] == uid, "uid %u is %u", i, r->uid[i]);
		expect(r->gid[i] == gid, "gid %u is %u", i, r->gid[i]);
	}
}

/* The defaults: nothing of the caller changed but what exec changes. */
static void see_plain(const struct report *r, const struct ramet_task *task)
{
	all_ids(r, geteuid(), getegid());
	expect(r->pid == task->tid, "pid %d", r->pid);
	expect(r->ppid == getpid(), "parent %d", r->ppid);
	expect(r->pgid == getpgid(0) && r->sid == getsid(0), "group %d session %d", r->pgid,
	       r->sid);
	expect(r->umask == 027, "umask %o", r->umask);
	expect(!strcmp(r->cwd, "/tmp"), "cwd %s", r->cwd);
	expect(r->blocked == BIT(SIGUSR2), "blocked %#lx", r->blocked);
	expect(r->ignored == BIT(SIGPIPE), "ignored %#lx", r->ignored);
	expect(!r->no_new_privs, "no_new_privs");
	expect(r->dumpable, "not dumpable");
	expect(!strcmp(r->variable, "of the caller"), "variable %s", r->variable);
}

static void see_cwd(const struct report *r, const struct ramet_task *task)
{
	(void)task;
	expect(!strcmp(r->cwd, "/usr/bin"), "cwd %s", r->cwd);
}

static void see_umask(const struct report *r, const struct ramet_task *task)
{
	(void)task;
	expect(r->umask == 0123, "umask %o", r->umask);
}

static void see_session(const struct report *r, const struct ramet_task *task)
{
	expect(r->sid == task->tid && r->pgid == task->tid, "session %d group %d", r->sid, r->pgid);
}

static void see_own_group(const struct report *r, const struct ramet_task *task)
{
	expect(r->pgid == task->tid && r->sid == getsid(0), "session %d group %d", r->sid, r->pgid);
}

static void see_joined_group(const struct report *r, const struct ramet_task *task)
{
	(void)task;
	expect(r->pgid == group_leader, "group %d", r->pgid);
}

static void see_uid(const struct report *r, const struct ramet_task *task)
{
	(void)task;
	all_ids(r, 65534, 0);
	expect(r->group_count == 0, "%d groups were left", r->group_count);
}

static void see_gid(const struct report *r, const struct ramet_task *task)
{
	(void)task;
	all_ids(r, 0, 65534);
	expect(r->group_count == 0, "%d groups were left", r->group_count);
}

static void see_kept_groups(const struct report *r, const struct ramet_task *task)
{
	(void)task;
	all_ids(r, 65534, 65533);
	expect(r->group_count == 2 && r->groups[0] == 7 && r->groups[1] == 8, "%d groups",
	       r->group_count);
}

static void see_groups(const struct report *r, const struct ramet_task *task)
{
	(void)task;
	all_ids(r, 65534, 65533);
	expect(r->group_count == 3 && r->groups[0] == 1001 && r->groups[2] == 1003, "%d groups",
	       r->group_count);
}

static void see_no_new_privs(const struct report *r, const struct ramet_task *task)
{
	(void)task;
	expect(r->no_new_privs == 1, "%d", r->no_new_privs);
}

static void see_all_default(const struct report *r, const struct ramet_task *task)
{
	(void)task;
	expect(r->ignored == 0, "ignored %#lx", r->ignored);
}

static void see_ignored(const struct report *r, const struct ramet_task *task)
{
	(void)task;
	expect(r->ignored == (BIT(SIGHUP) | BIT(SIGUSR1) | BIT(40)), "ignored %#lx", r->ignored);
}

static void see_all_ignored(const struct report *r, const struct ramet_task *task)
{
	const uint64_t own = SANITIZED ? BIT(SIGSEGV) | BIT(SIGBUS) | BIT(SIGFPE) : 0;

	(void)task;
	expect((r->ignored | own) == ~(BIT(SIGKILL) | BIT(SIGSTOP) | BIT(SIGINT)), "ignored %#lx",
	       r->ignored);
}

static void see_mask(const struct report *r, const struct ramet_task *task)
{
	(void)task;
	expect(r->blocked == (BIT(SIGTERM) | BIT(64)), "blocked %#lx", r->blocked);
}

static void see_full_mask(const struct report *r, const struct ramet_task *task)
{
	(void)task;
	expect(r->blocked == ~(BIT(SIGKILL) | BIT(SIGSTOP)), "blocked %#lx", r->blocked);
}

static void see_host(const struct report *r, const struct ramet_task *task)
{
	(void)task;
	expect(!strcmp(r->host, "ramet-host"), "host %s", r->host);
}

static void see_mapped_root(const struct report *r, const struct ramet_task *task)
{
	(void)task;
	all_ids(r, 0, 0);
}

static void see_many_ids(const struct report *r, const struct ramet_task *task)
{
	(void)task;
	all_ids(r, 5, 6);
	expect(r->group_count == 2 && r->groups[0] == 8, "%d groups", r->group_count);
}

static void see_first(const struct report *r, const struct ramet_task *task)
{
	(void)task;
	expect(r->pid == 1 && r->ppid == 0, "pid %d parent %d", r->pid, r->ppid);
}

static void see_behind_init(const struct report *r, const struct ramet_task *task)
{
	(void)task;
	expect(r->pid == 2 && r->ppid == 1, "pid %d parent %d", r->pid, r->ppid);
	expect(r->blocked == BIT(SIGUSR2), "blocked %#lx", r->blocked);
	expect(r->ignored == BIT(SIGPIPE), "ignored %#lx", r->ignored);
	expect(!strcmp(r->cwd, "/tmp"), "cwd %s", r->cwd);
	expect(r->umask == 027, "umask %o", r->umask);
}

static void see_everything(const struct report *r, const struct ramet_task *task)
{
	all_ids(r, 65534, 65533);
	see_session(r, task);
	expect(r->group_count == 1 && r->groups[0] == 1002, "%d groups", r->group_count);
	expect(!strcmp(r->cwd, "/usr") && r->umask == 0111, "cwd %s umask %o", r->cwd, r->umask);
	expect(r->no_new_privs == 1 && !strcmp(r->host, "all"), "host %s", r->host);
	expect(r->blocked == BIT(SIGHUP), "blocked %#lx", r->blocked);
	expect(r->open[5] && !r->open[6], "descriptors");
	expect(!strcmp(r->variable, "given"), "variable %s", r->variable);
}

/* ---- The table ----------------------------------------------------------------------------------- */

static const gid_t three_groups[] = {1001, 1002, 1003};
static const gid_t two_groups[] = {8, 9};
static const gid_t one_group[] = {1002};
static char given_variable[] = "RAMET_TEST=given";
static char *given_environment[] = {given_variable, NULL};

static const struct sight {
	const char *name;
	enum who who;
	unsigned ways;
	struct ramet_spec spec;
	void (*see)(const struct report *r, const struct ramet_task *task);
} sights[] = {
	{"nothing asked", WHO_ANY, EVERY, STEPS({0}), see_plain},
	{"cwd, then cwd", WHO_ANY, EVERY, STEPS(RAMET_CWD("/usr"), RAMET_CWD("bin")), see_cwd},
	{"umask", WHO_ANY, EVERY, STEPS(RAMET_UMASK(0123)), see_umask},
	{"setsid", WHO_ANY, EVERY, STEPS(RAMET_SETSID()), see_session},
	{"own group", WHO_ANY, EVERY, STEPS(RAMET_SETPGID(0)), see_own_group},
	{"uid alone", WHO_ROOT, FUTEX | COPY, STEPS(RAMET_UID(65534)), see_uid},
	{"gid alone", WHO_ROOT, FUTEX | COPY, STEPS(RAMET_GID(65534)), see_gid},
	{"ids, groups kept", WHO_ROOT, FUTEX | COPY,
	 STEPS(RAMET_UID(65534), RAMET_GID(65533), RAMET_KEEP_GROUPS()), see_kept_groups},
	{"ids and groups", WHO_ROOT, FUTEX | COPY,
	 STEPS(RAMET_UID(65534), RAMET_GROUPS(3, three_groups), RAMET_GID(65533)), see_groups},
	{"no_new_privs", WHO_ANY, EVERY, STEPS(RAMET_NO_NEW_PRIVS()), see_no_new_privs},
	{"all signals to default", WHO_ANY, EVERY, STEPS(RAMET_SIGNAL_DEFAULT(0)), see_all_default},
	{"some signals ignored", WHO_ANY, EVERY,
	 STEPS(RAMET_SIGNAL_IGNORE(SIGHUP), RAMET_SIGNAL_DEFAULT(SIGPIPE),
	       RAMET_SIGNAL_IGNORE(SIGUSR1), RAMET_SIGNAL_IGNORE(40)),
	 see_ignored},
	{"all signals ignored but one", WHO_ANY, EVERY,
	 STEPS(RAMET_SIGNAL_IGNORE(0), RAMET_SIGNAL_DEFAULT(SIGINT)), see_all_ignored},
	{"signal mask", WHO_ANY, EVERY, STEPS(RAMET_SIGMASK(BIT(SIGTERM) | BIT(64))), see_mask},
	{"full signal mask", WHO_ANY, EVERY, STEPS(RAMET_SIGMASK(~0ULL)), see_full_mask},
	{"host name", WHO_ROOT, EVERY,
	 SPEC(.fresh = RAMET_UTS, .steps = RAMET_STEPS(RAMET_HOSTNAME("ramet-host"))), see_host},
	{"own id as root", WHO_NOBODY, FUTEX | COPY,
	 SPEC(.fresh = RAMET_USER, .steps = RAMET_STEPS(RAMET_ID_MAP(NULL, NULL))),
	 see_mapped_root},
	{"host name of an ordinary user", WHO_NOBODY, FUTEX | COPY,
	 SPEC(.fresh = RAMET_USER | RAMET_UTS,
	      .steps = RAMET_STEPS(RAMET_HOSTNAME("ramet-host"), RAMET_ID_MAP(NULL, NULL))),
	 see_host},
	{"many ids mapped", WHO_ROOT, FUTEX | COPY,
	 SPEC(.fresh = RAMET_USER,
	      .steps = RAMET_STEPS(RAMET_ID_MAP("0 100000 1000\n", "0 100000 500\n500 200000 9\n"),
				   RAMET_UID(5), RAMET_GID(6), RAMET_GROUPS(2, two_groups))),
	 see_many_ids},
	{"pid 1", WHO_ROOT, EVERY, SPEC(.fresh = RAMET_PID), see_first},
	{"behind an init", WHO_ROOT, COPY,
	 SPEC(.fresh = RAMET_PID, .steps = RAMET_STEPS(RAMET_INIT())), see_behind_init},
	{"behind an init, own id as root", WHO_NOBODY, COPY,
	 SPEC(.fresh = RAMET_PID | RAMET_USER,
	      .steps = RAMET_STEPS(RAMET_ID_MAP(NULL, NULL), RAMET_INIT())),
	 see_behind_init},
	{"everything together", WHO_ROOT, FUTEX | COPY,
	 SPEC(.fresh = RAMET_UTS, .envp = given_environment,
	      .steps = RAMET_STEPS(RAMET_SIGMASK(BIT(SIGHUP)), RAMET_CLOSE_REST(), RAMET_DUP(0, 5),
				   RAMET_UMASK(0111), RAMET_CWD("/usr"), RAMET_UID(65534),
				   RAMET_GID(65533), RAMET_GROUPS(1, one_group),
				   RAMET_NO_NEW_PRIVS(), RAMET_HOSTNAME("all"), RAMET_SETSID())),
	 see_everything},
};

/* ---- One of them --------------------------------------------------------------------------------- */

static void nothing(int sig)
{
	(void)sig;
}

struct look {
	const struct sight *sight;
	enum ramet_way way;
};

/* Run the report program; what it saw in *ret. */
static bool ask(struct ramet_spec spec, struct report *ret, struct ramet_task *task)
{
	struct ramet_status status;
	struct ramet_error error;
	char text[500] = "";
	int r;

	spec.program = REPORT_PROGRAM;
	spec.argv = report_argv;
	if (!expect(report_file(report_path), "report file: %s", strerror(errno)))
		return false;
	r = ramet_launch(&spec, task, &error);
	if (r < 0)
		ramet_error_format(&error, text, sizeof(text));
	if (!expect(r == 0, "launch: %s", text))
		return false;
	r = ramet_wait(task, 20000, &status);
	ramet_task_close(task);
	expect(r == 0 && status.exited && status.code == REPORT_STATUS, "wait %d, code %d", r,
	       status.code);
	return expect(report_read(report_path, ret), "no report");
}

static void set_scene(void)
{
	if (!geteuid())
		expect(setgroups(2, (const gid_t[]){7, 8}) == 0, "setgroups");
	umask(027);
	expect(chdir("/tmp") == 0, "chdir");
	signal(SIGPIPE, SIG_IGN);
	signal(SIGUSR1, nothing);
	signal(SIGTERM, nothing);
	setenv("RAMET_TEST", "of the caller", 1);
	sys_sigprocmask(2, &(uint64_t){BIT(SIGUSR2)}, NULL);
}

static void look(void *arg)
{
	const struct look *l = arg;
	struct ramet_spec spec = l->sight->spec;
	static struct report report;
	struct world before, after;
	struct ramet_task task;

	set_scene();
	spec.way = l->way;
	for (unsigned i = 0; i < 2; i++) { /* twice: with a fresh slot and with a used one */
		umask(0);		   /* for the file */
		report_file(report_path);
		umask(027);
		before = world_take();
		if (!ask(spec, &report, &task))
			return;
		after = world_take();
		l->sight->see(&report, &task);
		expect(task.way == l->way, "way %d", (int)task.way);
		expect(task.lost == 0, "lost %x", task.lost);
	}
	expect(!world_differs(&before, &after), "changed: %s", world_differs(&before, &after));
}

static void look_everywhere(void)
{
	struct look l;

	for (unsigned i = 0; i < sizeof(sights) / sizeof(sights[0]); i++)
		for (unsigned way = RAMET_WAY_HELD; way <= RAMET_WAY_COPY; way++) {
			l = (struct look){&sights[i], way};
			if (!(sights[i].ways & 1u << way))
				continue;
			cell_run(sights[i].who, 30, look, &l, "%s, %s", sights[i].name,
				 ramet_way_name(way));
			if (sights[i].who == WHO_ANY && !geteuid())
				cell_run(WHO_NOBODY, 30, look, &l, "%s, %s", sights[i].name,
					 ramet_way_name(way));
		}
}

/* ---- What a table cannot say ------------------------------------------------------------------------ */

/* A group that another child leads. */
static void join_group(void *arg)
{
	struct ramet_task leader, task;
	static struct report report;

	(void)arg;
	set_scene();
	expect(ramet_launch(&RAMET_SPEC(.program = "/bin/sleep", .argv = WORDS("sleep", "60"),
					.steps = RAMET_STEPS(RAMET_SETPGID(0))),
			    &leader, NULL) == 0,
	       "leader");
	group_leader = leader.tid;
	if (ask((struct ramet_spec)STEPS(RAMET_SETPGID(group_leader)), &report, &task))
		see_joined_group(&report, &task);
	expect(ramet_kill(&leader, SIGKILL) == 0 && ramet_wait(&leader, -1, NULL) == 0, "leader");
	ramet_task_close(&leader);
}

/* The directory is entered with the rights of the new identity, and the program looked up so. */
static void rights_of_the_new(void *arg)
{
	char mine[120];
	struct ramet_error error;
	struct ramet_task task;
	int r;

	(void)arg;
	snprintf(mine, sizeof(mine), "%s/of-nobody", room_dir);
	expect(mkdir(mine, 0700) == 0 && chown(mine, 65534, 65534) == 0, "mkdir");
	/* Root without CAP_DAC_OVERRIDE would need the uid; here it is only not denied. */
	r = ramet_launch(&RAMET_SPEC(.program = room_tiny,
				     .steps = RAMET_STEPS(RAMET_CWD(mine), RAMET_UID(65534))),
			 &task, &error);
	if (expect(r == 0, "own directory: %d", r)) {
		expect(ramet_wait(&task, -1, NULL) == 0, "wait");
		ramet_task_close(&task);
	}
	r = ramet_launch(&RAMET_SPEC(.program = room_tiny,
				     .steps = RAMET_STEPS(RAMET_CWD(mine), RAMET_UID(1234))),
			 &task, &error);
	expect(r == -EACCES && error.kind == RAMET_STEP_CWD, "somebody else's: %d, kind %u", r,
	       error.kind);
	rmdir(mine);
	chmod(room_tiny, 0700);
	r = ramet_launch(&RAMET_SPEC(.program = room_tiny, .steps = RAMET_STEPS(RAMET_UID(1234))),
			 &task, &error);
	expect(r == -EACCES && error.kind == RAMET_STEP_EXEC, "program: %d, kind %u", r,
	       error.kind);
	chmod(room_tiny, 0755);
}

/* A relative program and a relative PATH element are looked up in the new directory. */
static void relative_program(void *arg)
{
	const struct ramet_step *steps = RAMET_STEPS(RAMET_CWD(room_dir));
	const struct ramet_spec specs[] = {
		SPEC(.program = "./tiny", .steps = steps),
		SPEC(.program = "tiny", .steps = steps, .options = RAMET_SEARCH_PATH),
	};
	struct ramet_status status;
	struct ramet_task task;
	int r;

	(void)arg;
	setenv("PATH", "/nonexistent::/usr/bin", 1);
	for (unsigned i = 0; i < 2; i++)
		for (unsigned way = RAMET_WAY_HELD; way <= RAMET_WAY_COPY; way++) {
			struct ramet_spec spec = specs[i];

			spec.way = way;
			r = ramet_launch(&spec, &task, NULL);
			if (!expect(r == 0, "spec %u way %u: %d", i, way, r))
				continue;
			r = ramet_wait(&task, -1, &status);
			expect(r == 0 && status.exited && status.code == 0, "spec %u: code %d", i,
			       status.code);
			ramet_task_close(&task);
		}
}

/* Without a step about them exec decides: those with CLOEXEC are gone, the rest is there. */
static void plain_descriptors(void *arg)
{
	static struct report report;
	struct ramet_task task;
	int flags;

	(void)arg;
	set_scene();
	expect(dup2(0, 33) == 33 && fcntl(0, F_DUPFD_CLOEXEC, 44) == 44, "descriptors");
	for (unsigned way = RAMET_WAY_HELD; way <= RAMET_WAY_COPY; way++) {
		if (!ask((struct ramet_spec)SPEC(.way = way), &report, &task))
			return;
		for (int fd = 0; fd < REPORT_FDS; fd++) {
			flags = fcntl(fd, F_GETFD);
			expect(report.open[fd] == (flags >= 0 && !(flags & FD_CLOEXEC)),
			       "descriptor %d: %d", fd, report.open[fd]);
		}
	}
}

int main(int argc, char **argv)
{
	report_main(argc, argv);
	room_make();
	snprintf(report_path, sizeof(report_path), "%s/report", room_dir);
	report_file(report_path);
	look_everywhere();
	cell_run(WHO_ANY, 30, join_group, NULL, "joins a group");
	cell_run(WHO_ROOT, 30, rights_of_the_new, NULL,
		 "directory and program with the new rights");
	cell_run(WHO_ANY, 30, relative_program, NULL, "relative program in the new directory");
	cell_run(WHO_ANY, 30, plain_descriptors, NULL, "descriptors with no step about them");
	unlink(report_path);
	return tap_done();
}
