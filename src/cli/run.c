/* SPDX-License-Identifier: MIT */
/*
 * ramet run: a program as any kind of task. An option is a row that puts one step, or one choice
 * of what is shared, into the spec; the rest is the library's.
 */
#include <ramet/ramet.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "cli/result.h"
#include "cli/values.h"
#include "uapi/clone.h"

/* As env(1), timeout(1) and the shells have it. */
enum { RUN_FAILED = 125, RUN_CANNOT_EXECUTE = 126, RUN_NOT_FOUND = 127, RUN_SIGNALLED = 128 };

/* Rows that add to the spec have offset 0: the settings themselves are their field. */
#define ROW(name_, arg_, set_, tag_, help_)                                                        \
	{                                                                                          \
		.name = (name_), .arg = (arg_), .help = (help_), .set = (set_), .tag = (tag_)      \
	}

static const struct cli_option options[] = {
	{.name = "--preset",
	 .letter = 'p',
	 .arg = "NAME",
	 .help = "begin with fork, vfork, spawn (default), linuxthreads or container",
	 .set = run_set_preset},
	ROW("--share", "R,…", run_set_resources, 0, "resources that the program shares with ramet"),
	ROW("--copy", "R,…", run_set_resources, 1, "resources of which it gets a copy"),
	ROW("--new", "R,…", run_set_resources, 2, "resources that are made new for it"),
	ROW("--cwd", "DIR", run_set_path, RAMET_STEP_CWD, "start in this directory"),
	ROW("--umask", "MASK", run_set_umask, RAMET_STEP_UMASK, "file mode creation mask, octal"),
	ROW("--uid", "UID", run_set_id, RAMET_STEP_UID,
	    "run as this user id, without further groups"),
	ROW("--gid", "GID", run_set_id, RAMET_STEP_GID, "run with this group id"),
	ROW("--keep-groups", NULL, run_set_plain, RAMET_STEP_KEEP_GROUPS,
	    "keep supplementary groups though ids change"),
	ROW("--groups", "GID,…", run_set_groups, RAMET_STEP_GROUPS,
	    "with these supplementary groups"),
	ROW("--uid-map", "IN:OUT:N,…", run_set_map, 0, "user ids of a new user namespace"),
	ROW("--gid-map", "IN:OUT:N,…", run_set_map, 1, "group ids of a new user namespace"),
	ROW("--caps", "CAP,…", run_set_all_caps, RAMET_STEP_CAPS,
	    "have these capabilities and no others"),
	ROW("--bounding", "CAP,…", run_set_caps, RAMET_STEP_BOUNDING,
	    "capabilities that exec can ever give"),
	ROW("--ambient", "CAP,…", run_set_ambient, RAMET_STEP_AMBIENT,
	    "capabilities that exec of a plain program keeps"),
	ROW("--keep-caps", NULL, run_set_plain, RAMET_STEP_KEEP_CAPS,
	    "keep permitted capabilities through the change of user"),
	ROW("--securebits", "BIT,…", run_set_securebits, RAMET_STEP_SECUREBITS,
	    "noroot, no-setuid-fixup, …"),
	ROW("--no-new-privs", NULL, run_set_plain, RAMET_STEP_NO_NEW_PRIVS,
	    "it can never gain privileges by exec"),
	ROW("--setsid", NULL, run_set_plain, RAMET_STEP_SETSID, "in a new session"),
	ROW("--pgid", "PGID", run_set_pgid, RAMET_STEP_SETPGID,
	    "in this process group, 0: a new one"),
	ROW("--ctty", "FD", run_set_fd, RAMET_STEP_CTTY, "terminal that becomes the new session's"),
	ROW("--foreground", "FD", run_set_fd, RAMET_STEP_FOREGROUND,
	    "terminal whose foreground it takes"),
	ROW("--dup", "FROM:TO", run_set_dup, RAMET_STEP_DUP, "give descriptor FROM to it as TO"),
	ROW("--keep-fd", "FD", run_set_fd, RAMET_STEP_KEEP, "let this descriptor through"),
	ROW("--close-fds", NULL, run_set_plain, RAMET_STEP_CLOSE_REST,
	    "close all others but 0, 1 and 2"),
	ROW("--env", "NAME[=VALUE]", run_set_env, 0, "set, or without a value unset, a variable"),
	{.name = "--clear-env",
	 .help = "begin with an empty environment",
	 .set = cli_set_flag,
	 .offset = CLI_FIELD(struct run_settings, clear_env)},
	ROW("--block-signals", "SIG,…", run_set_mask, RAMET_STEP_SIGMASK,
	    "start with these signals blocked, and no others"),
	ROW("--default-signal", "SIG", run_set_signal, 0, "SIG (or all) to its default"),
	ROW("--ignore-signal", "SIG", run_set_signal, 1, "SIG (or all) ignored"),
	ROW("--pdeathsig", "SIG", run_set_one_signal, RAMET_STEP_PDEATHSIG,
	    "gets SIG when ramet ends"),
	ROW("--subreaper", NULL, run_set_plain, RAMET_STEP_SUBREAPER,
	    "orphans below it become its children"),
	ROW("--rlimit", "NAME=S[:H]", run_set_rlimit, RAMET_STEP_RLIMIT,
	    "resource limit: nofile=1024:4096, core=unlimited"),
	ROW("--nice", "N", run_set_nice, RAMET_STEP_NICE, "nice value"),
	ROW("--sched", "POLICY", run_set_sched, RAMET_STEP_SCHED,
	    "other, batch, idle, fifo:N, rr:N; with :reset"),
	ROW("--ioprio", "CLASS[:N]", run_set_ioprio, RAMET_STEP_IOPRIO,
	    "realtime, best-effort, idle"),
	ROW("--cpus", "LIST", run_set_cpus, RAMET_STEP_AFFINITY, "processors it may run on: 0-3,7"),
	ROW("--timer-slack", "NS", run_set_slack, RAMET_STEP_TIMER_SLACK,
	    "how many nanoseconds late its sleeps may end"),
	ROW("--oom-score-adj", "N", run_set_oom, RAMET_STEP_OOM_SCORE_ADJ,
	    "-1000 (never killed) to 1000 (first)"),
	ROW("--personality", "BITS", run_set_hex, RAMET_STEP_PERSONALITY,
	    "execution domain: 0x40000 no address randomisation"),
	{.name = "--cgroup",
	 .arg = "DIR",
	 .help = "in this cgroup; in one of v2 it is born",
	 .set = run_set_cgroup,
	 .tag = RAMET_STEP_CGROUP},
	{.name = "--tid",
	 .arg = "N,…",
	 .help = "with this pid, innermost namespace first",
	 .set = run_set_tid},
	{.name = "--exec-fd",
	 .arg = "FD",
	 .help = "run what this descriptor is; PROGRAM is its name",
	 .set = run_set_exec_fd},
	{.name = "--seccomp",
	 .arg = "FILE",
	 .help = "system call filter, raw BPF as the kernel takes it",
	 .set = run_set_seccomp,
	 .tag = RAMET_STEP_SECCOMP},
	{.name = "--allow-read",
	 .arg = "PATH",
	 .help = "Landlock: read and execute below it; all else is denied",
	 .set = run_set_landlock},
	{.name = "--allow",
	 .arg = "PATH",
	 .help = "Landlock: everything below it",
	 .set = run_set_landlock,
	 .tag = 1},
	ROW("--hostname", "NAME", run_set_path, RAMET_STEP_HOSTNAME, "host name, with --new uts"),
	ROW("--root", "DIR", run_set_path, RAMET_STEP_ROOT,
	    "directory that becomes its root, with --new mnt"),
	ROW("--proc", "DST", run_set_proc, RAMET_STEP_PROC, "procfs, with --new mnt,pid"),
	ROW("--propagation", "KIND", run_set_propagation, RAMET_STEP_PRIVATE_MOUNTS,
	    "private (default), slave or shared, with --new mnt"),
	{.name = "--bind",
	 .arg = "SRC:DST",
	 .help = "SRC seen at DST, with all that is mounted below",
	 .set = run_set_bind},
	{.name = "--ro-bind",
	 .arg = "SRC:DST",
	 .help = "the same, read-only",
	 .set = run_set_bind,
	 .tag = 1},
	ROW("--tmpfs", "DST", run_set_target, RAMET_STEP_TMPFS, "an empty file system in memory"),
	ROW("--join", "PID[:NS,…]", run_set_join, RAMET_STEP_JOIN,
	    "namespaces of a process (all, or mnt,net,…), or one by the path of its file"),
	ROW("--clock", "CLOCK:SECONDS", run_set_clock, RAMET_STEP_TIME_OFFSET,
	    "offset of boottime or monotonic, with --new time"),
	{.name = "--as-pid-1",
	 .help = "be pid 1 of a new pid namespace itself, without ramet's init",
	 .set = cli_set_flag,
	 .offset = CLI_FIELD(struct run_settings, as_pid_1)},
	{.name = "--argv0",
	 .arg = "NAME",
	 .help = "what the program is told it is called",
	 .set = cli_set_string,
	 .offset = CLI_FIELD(struct run_settings, argv0)},
	{.name = "--way",
	 .arg = "WAY",
	 .help = "held, futex, copy or helper; default: the cheapest that is safe",
	 .set = run_set_way},
	{.name = "--no-fallback",
	 .help = "fail rather than take a slower or weaker way",
	 .set = cli_set_flag,
	 .offset = CLI_FIELD(struct run_settings, no_fallback)},
	{.name = "--start-timeout",
	 .arg = "SECONDS",
	 .help = "give up if the program has not begun by then",
	 .set = run_set_timeout},
	{.name = "--json",
	 .arg = "FILE",
	 .help = "write what became of it to FILE, or to a descriptor by its number",
	 .set = cli_set_string,
	 .offset = CLI_FIELD(struct run_settings, json)},
	{.name = "--dry-run",
	 .letter = 'n',
	 .help = "print what would be done",
	 .set = cli_set_flag,
	 .offset = CLI_FIELD(struct run_settings, dry_run)},
	{0},
};

/* ---- Running --------------------------------------------------------------------------------- */

/* The words with the name that --argv0 gives; to be freed. */
static char **arguments(const struct run_settings *s, int count, char **words)
{
	char **list = calloc((size_t)count + 1, sizeof(*list));

	if (list)
		memcpy(list, words, (size_t)count * sizeof(*list));
	if (list && s->argv0)
		list[0] = (char *)(uintptr_t)s->argv0;
	return list;
}

extern char **environ;

/* Whether one of --env's from the k-th on is about the variable of this entry. */
static bool is_named(const struct run_settings *s, unsigned k, const char *entry)
{
	const size_t length = strcspn(entry, "=");

	for (; k < s->env_count; k++)
		if (!strncmp(s->env[k], entry, length) && strcspn(s->env[k], "=") == length)
			return true;
	return false;
}

/* The caller's environment with what --env says, of a variable the last; to be freed. */
static char **environment(const struct run_settings *s)
{
	size_t n = 0, count = 0;
	char **list;

	while (environ[n])
		n++;
	list = calloc(n + s->env_count + 1, sizeof(*list));
	for (size_t i = 0; list && i < n && !s->clear_env; i++)
		if (!is_named(s, 0, environ[i]))
			list[count++] = environ[i];
	for (unsigned k = 0; list && k < s->env_count; k++)
		if (strchr(s->env[k], '=') && !is_named(s, k + 1, s->env[k]))
			list[count++] = (char *)(uintptr_t)s->env[k];
	return list;
}

static bool has_step(const struct run_settings *s, uint32_t kind)
{
	for (unsigned i = 0; i < s->count; i++)
		if (s->steps[i].kind == kind)
			return true;
	return false;
}

static bool makes_new(const struct ramet_spec *spec, enum ramet_resource resource, uint64_t flag)
{
	uint64_t flags = 0;
	int sig;

	if (spec->fresh & resource)
		return true;
	if ((spec->share | spec->copy) & resource)
		return false;
	(void)!ramet_preset_flags(spec->preset, geteuid() == 0, &flags, &sig);
	return flags & flag;
}

/* What a person means by a new namespace beyond the bare flag. */
static void complete(struct run_settings *s)
{
	const bool mounts = makes_new(&s->spec, RAMET_MNT, CLONE_NEWNS);
	const bool pids = makes_new(&s->spec, RAMET_PID, CLONE_NEWPID);

	if (mounts && !has_step(s, RAMET_STEP_PRIVATE_MOUNTS))
		run_add(s, (struct ramet_step){.kind = RAMET_STEP_PRIVATE_MOUNTS});
	if (mounts && pids && !has_step(s, RAMET_STEP_PROC))
		run_add(s, (struct ramet_step){.kind = RAMET_STEP_PROC, .path = "/proc"});
	if (pids && !s->as_pid_1)
		run_add(s, (struct ramet_step){.kind = RAMET_STEP_INIT});
	if (makes_new(&s->spec, RAMET_NET, CLONE_NEWNET))
		run_add(s, (struct ramet_step)RAMET_LO_UP());
	if (makes_new(&s->spec, RAMET_USER, CLONE_NEWUSER) && !has_step(s, RAMET_STEP_ID_MAP))
		run_add(s, (struct ramet_step){.kind = RAMET_STEP_ID_MAP});
}

/* What mends a refusal by a rule, in the words of the command. */
static const struct {
	const char *rule, *hint;
} hints[] = {
	{"sighand-needs-memory", "Add --share memory, or leave --share sighand out."},
	{"thread-needs-sighand", "Leave --share thread-group out."},
	{"exec-in-thread", "Leave thread-group out of --share, or take a preset other than nptl."},
	{"fs-with-new-mounts", "Leave --share fs or --new mnt out."},
	{"fs-with-new-user", "Leave --share fs or --new user out."},
	{"sysvsem-with-new-ipc", "Leave --share sysvsem or --new ipc out."},
	{"new-namespace-needs-admin", "Add --new user, or run ramet as root."},
	{"descriptor-steps-need-own-table",
	 "Leave --share files out, or --dup, --keep-fd and --close-fds."},
	{"signal-steps-need-own-handlers", "Leave --share sighand or the signal options out."},
	{"hostname-needs-own-uts", "Add --new uts."},
	{"mounts-need-own-namespace", "Add --new mnt."},
	{"id-map-needs-user-namespace", "Add --new user."},
	{"time-offset-needs-own-time", "Add --new time."},
	{"lo-needs-own-net", "Add --new net."},
	{"setsid-makes-a-group", "Leave --pgid out: --setsid makes a new group."},
	{"way-cannot", "Leave --way out, or take another."},
	{"held-caller-cannot-help", "Leave --way out, or take another."},
	{"choose-once", "Name each resource in one of --share, --copy and --new."},
	{"set-tid-taken", "Take another --tid."},
};

static const char *mend_of(const struct ramet_error *error)
{
	for (size_t i = 0; error->rule && i < sizeof(hints) / sizeof(hints[0]); i++)
		if (strcmp(error->rule, hints[i].rule) == 0)
			return hints[i].hint;
	return error->mend;
}

static int report(const struct ramet_error *error, const char *program)
{
	char text[512];

	ramet_error_format(error, text, sizeof(text));
	if (error->stage == RAMET_STAGE_CHECK)
		cli_say("%s", text);
	else
		cli_say("cannot start %s: %s", program, text);
	/* A rule's reason is part of the text already. */
	if (error->why && !error->rule)
		fprintf(stderr, "       %s\n", error->why);
	if (mend_of(error))
		fprintf(stderr, "       %s\n", mend_of(error));
	if (error->kind != RAMET_STEP_EXEC)
		return RUN_FAILED;
	return error->error == ENOENT || error->error == ENOTDIR ? RUN_NOT_FOUND
								 : RUN_CANNOT_EXECUTE;
}

static int dry_run(const struct ramet_spec *spec)
{
	char text[16384];
	struct ramet_error error;
	int r = ramet_plan_format(spec, text, sizeof(text), &error);

	if (r < 0)
		return report(&error, spec->program);
	fputs(text, stdout);
	return CLI_OK;
}

/*
 * Signals meant for the program that reach ramet. Of the terminal's the program gets its own,
 * unless it is in another process group.
 */
static const int forwarded[] = {SIGHUP,	 SIGINT,  SIGQUIT,  SIGTERM, SIGUSR1,
				SIGUSR2, SIGALRM, SIGWINCH, SIGCONT};

struct waiter {
	int signals;   /* signalfd */
	bool alone;    /* the program is in another process group */
	uint64_t mask; /* what was blocked before, for the program */
};

static bool asks_for_end(int sig)
{
	return sig == SIGHUP || sig == SIGINT || sig == SIGQUIT || sig == SIGTERM;
}

static void forward(const struct waiter *w, const struct ramet_task *task)
{
	struct signalfd_siginfo info;

	if (read(w->signals, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_code != SI_KERNEL || w->alone)
		(void)!ramet_kill(task, (int)info.ssi_signo);
	/* In a group in the background it stops as it reads the terminal, and would not see it. */
	if (w->alone && asks_for_end((int)info.ssi_signo))
		(void)!ramet_kill(task, SIGCONT);
}

static int wait_forwarding(const struct waiter *w, struct ramet_task *task,
			   struct ramet_status *ret)
{
	struct pollfd polled[] = {{.fd = task->pidfd, .events = POLLIN},
				  {.fd = w->signals, .events = POLLIN}};

	while (task->pidfd >= 0 && !(polled[0].revents & POLLIN)) {
		if (poll(polled, 2, -1) < 0 && errno != EINTR)
			break;
		if (polled[1].revents & POLLIN)
			forward(w, task);
	}
	return ramet_wait(task, -1, ret);
}

static void take_signals(struct run_settings *s, struct waiter *w)
{
	struct sigaction chld;
	sigset_t mask, old;

	w->mask = 0;
	sigemptyset(&mask);
	for (size_t i = 0; i < sizeof(forwarded) / sizeof(forwarded[0]); i++)
		sigaddset(&mask, forwarded[i]);
	sigprocmask(SIG_BLOCK, &mask, &old);
	for (int sig = 1; sig <= 64; sig++)
		w->mask |= sigismember(&old, sig) == 1 ? 1ULL << (sig - 1) : 0;
	if (!has_step(s, RAMET_STEP_SIGMASK))
		run_add(s, (struct ramet_step)RAMET_SIGMASK(w->mask));
	w->signals = signalfd(-1, &mask, SFD_CLOEXEC);
	/* Ignored, the kernel would reap the program and its status be lost; it still gets it so. */
	sigaction(SIGCHLD, NULL, &chld);
	if (chld.sa_handler == SIG_IGN) {
		signal(SIGCHLD, SIG_DFL);
		if (!has_step(s, RAMET_STEP_SIGNAL))
			run_add(s, (struct ramet_step)RAMET_SIGNAL_IGNORE(SIGCHLD));
	}
	/* An init is in our group, and does this itself. */
	w->alone = (has_step(s, RAMET_STEP_SETSID) || has_step(s, RAMET_STEP_SETPGID)) &&
		   !has_step(s, RAMET_STEP_INIT);
}

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static bool takes_descriptor(uint32_t kind)
{
	return kind == RAMET_STEP_DUP || kind == RAMET_STEP_KEEP || kind == RAMET_STEP_CTTY ||
	       kind == RAMET_STEP_FOREGROUND;
}

/*
 * All that ramet has opened goes at exec, all that it was started with does not: a number that was
 * free at the start may be ramet's own by now.
 */
static int check_descriptors(const struct run_settings *s, struct ramet_error *error)
{
	int fd = s->spec.options & RAMET_PROGRAM_FD ? s->spec.program_fd : -1;

	for (unsigned i = 0; i < s->count && (fd < 0 || fcntl(fd, F_GETFD) <= 0); i++)
		fd = takes_descriptor(s->steps[i].kind) ? s->steps[i].number : -1;
	if (fd < 0 || fcntl(fd, F_GETFD) <= 0)
		return 0;
	*error = (struct ramet_error){.error = EBADF,
				      .stage = RAMET_STAGE_PREPARE,
				      .why = "ramet was not started with it.",
				      .mend = "Open it first."};
	snprintf(error->detail, sizeof(error->detail), "descriptor %d", fd);
	return -EBADF;
}

static int start_and_wait(struct run_settings *s, struct result *result)
{
	static struct ramet_error error;
	static struct ramet_status status;
	static struct ramet_task task;
	struct waiter w;
	int r;

	take_signals(s, &w);
	r = check_descriptors(s, &error);
	if (r == 0)
		r = ramet_launch(&s->spec, &task, &error);
	if (r < 0) {
		result->error = &error;
		return report(&error, s->spec.program);
	}
	result->task = &task;
	r = wait_forwarding(&w, &task, &status);
	ramet_task_close(&task);
	close(w.signals);
	if (r < 0) {
		cli_say("cannot learn how %s ended: %s", s->spec.program, strerror(-r));
		return RUN_FAILED;
	}
	result->status = &status;
	return status.exited ? status.code : RUN_SIGNALLED + status.code;
}

static int start_and_tell(struct run_settings *s, char **words)
{
	FILE *stream = s->json ? result_open(s->json) : NULL;
	const int64_t begin = now_us();
	struct result result = {.words = words};
	int status, r;

	if (s->json && !stream) {
		cli_say("--json: cannot open %s: %s", s->json, strerror(errno));
		return RUN_FAILED;
	}
	status = start_and_wait(s, &result);
	result.wall_us = now_us() - begin;
	/* The program has ended: a reader that is gone is an error like any. */
	signal(SIGPIPE, SIG_IGN);
	r = stream ? result_write(stream, &result) : 0;
	if (r < 0)
		cli_say("--json: cannot write %s: %s", s->json, strerror(-r));
	return r < 0 && status == 0 ? RUN_FAILED : status;
}

static int with_words(struct run_settings *s, int count, char **words)
{
	char **argv = arguments(s, count, words), **envp = environment(s);
	int status = RUN_FAILED;

	s->spec.size = sizeof(s->spec);
	s->spec.program = words[0];
	s->spec.argv = argv;
	s->spec.envp = envp;
	s->spec.options |= RAMET_SEARCH_PATH | (s->no_fallback ? RAMET_NO_FALLBACK : 0);
	s->spec.steps = s->steps;
	if (argv && envp) {
		complete(s);
		status = s->dry_run ? dry_run(&s->spec) : start_and_tell(s, words);
	} else {
		cli_say("%s", strerror(ENOMEM));
	}
	free(argv);
	free(envp);
	return status;
}

static int run(const struct cli_common *common, void *settings, int count, char **words)
{
	struct run_settings *s = settings;

	(void)common;
	if (!count) {
		cli_say("run: no program named; see ramet run --help");
		return RUN_FAILED;
	}
	if (s->spec.fresh & RAMET_CGROUP && !s->has_cgroup) {
		cli_say("run: --new cgroup needs --cgroup DIR, which alone is enough");
		return RUN_FAILED;
	}
	if (s->as_pid_1 && !makes_new(&s->spec, RAMET_PID, CLONE_NEWPID)) {
		cli_say("run: --as-pid-1 needs a new pid namespace: add --new pid");
		return RUN_FAILED;
	}
	if (s->spec.share & RAMET_PARENT) {
		cli_say("run: with --share parent the program is ramet's sibling, and ramet could not "
			"wait for it");
		return RUN_FAILED;
	}
	return with_words(s, count, words);
}

const struct cli_verb cli_run = {
	.name = "run",
	.args = "[--] PROGRAM [ARG]…",
	.summary = "run a program as any kind of task",
	.about =
		"Starts PROGRAM with what is shared, copied or new as the options say, waits for it, and\n"
		"ends as it does: its exit status, or 128 and the signal that killed it; 125: ramet\n"
		"could not start it, 126: PROGRAM cannot be executed, 127: it was not found.",
	.options = options,
	.settings_size = sizeof(struct run_settings),
	.program = true,
	.usage_status = RUN_FAILED,
	.run = run,
};
