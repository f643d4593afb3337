/* SPDX-License-Identifier: MIT */
/*
 * ramet run: a program as any kind of task. An option is a row that puts one step, or one choice
 * of what is shared, into the spec; the rest is the library's.
 */
#include <ramet/ramet.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cli/cli.h"
#include "uapi/clone.h"

#define STEPS_MAX 256

/* As env(1), timeout(1) and the shells have it. */
enum { RUN_FAILED = 125, RUN_CANNOT_EXECUTE = 126, RUN_NOT_FOUND = 127, RUN_SIGNALLED = 128 };

struct settings {
	struct ramet_spec spec;
	bool dry_run, as_pid_1;
	unsigned count;
	struct ramet_step steps[STEPS_MAX + 1];
};

/* ---- Values of options --------------------------------------------------------------------- */

static const char *add(struct settings *s, struct ramet_step step)
{
	if (s->count >= STEPS_MAX - 8)
		return "possible: too many options";
	s->steps[s->count++] = step;
	return NULL;
}

/* A whole number from 0 up to `limit`, in decimal or (`base` 8) octal. */
static bool parse_number(const char *text, int base, unsigned long limit, int32_t *ret)
{
	char *end;
	unsigned long n;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	n = strtoul(text, &end, base);
	if (errno || *end || n > limit)
		return false;
	*ret = (int32_t)n;
	return true;
}

static const char *set_plain(const struct cli_option *option, const char *value, void *field)
{
	(void)value;
	return add(field, (struct ramet_step){.kind = option->tag});
}

static const char *set_path(const struct cli_option *option, const char *value, void *field)
{
	return add(field, (struct ramet_step){.kind = option->tag, .path = value});
}

static const char *set_umask(const struct cli_option *option, const char *value, void *field)
{
	struct ramet_step step = {.kind = option->tag};

	if (!parse_number(value, 8, 0777, &step.number))
		return "an octal mask from 0 to 777";
	return add(field, step);
}

/* -1 means 'leave it' to the kernel, so the last id is not one. */
static const char *set_id(const struct cli_option *option, const char *value, void *field)
{
	struct ramet_step step = {.kind = option->tag};

	if (!parse_number(value, 10, 0xfffffffeUL, &step.number))
		return "an id from 0 to 4294967294";
	return add(field, step);
}

static const char *set_pgid(const struct cli_option *option, const char *value, void *field)
{
	struct ramet_step step = {.kind = option->tag};

	if (!parse_number(value, 10, 0x7fffffffUL, &step.number))
		return "a process group, or 0 for a new one";
	return add(field, step);
}

static const char *set_fd(const struct cli_option *option, const char *value, void *field)
{
	struct ramet_step step = {.kind = option->tag};

	if (!parse_number(value, 10, 0x7fffffffUL, &step.number))
		return "a descriptor";
	return add(field, step);
}

/* FROM:TO */
static const char *set_dup(const struct cli_option *option, const char *value, void *field)
{
	struct ramet_step step = {.kind = option->tag};
	const char *colon = strchr(value, ':');
	char from[16] = "";

	if (colon && (size_t)(colon - value) < sizeof(from))
		memcpy(from, value, (size_t)(colon - value));
	if (!colon || !parse_number(from, 10, 0x7fffffffUL, &step.number) ||
	    !parse_number(colon + 1, 10, 0x7fffffffUL, &step.to))
		return "two descriptors, FROM:TO";
	return add(field, step);
}

static const char *set_signal(const struct cli_option *option, const char *value, void *field)
{
	struct ramet_step step = {.kind = RAMET_STEP_SIGNAL, .ignore = option->tag};

	step.number = strcmp(value, "all") == 0 ? 0 : ramet_signal_parse(value);
	if (step.number < 0)
		return "a signal, or 'all'";
	return add(field, step);
}

static const char *set_resources(const struct cli_option *option, const char *value, void *field)
{
	struct ramet_spec *spec = &((struct settings *)field)->spec;
	uint32_t *masks[] = {&spec->share, &spec->copy, &spec->fresh}, mask = 0;

	if (ramet_resources_parse(value, &mask, NULL) < 0)
		return "a list of resources (memory, files, fs, sighand, thread-group, parent, "
		       "sysvsem, io, tls, mnt, pid, net, ipc, uts, user, cgroupns, time, cgroup)";
	*masks[option->tag] |= mask;
	return NULL;
}

static const char *set_preset(const struct cli_option *option, const char *value, void *field)
{
	struct ramet_spec *spec = &((struct settings *)field)->spec;

	(void)option;
	if (ramet_preset_parse(value, &spec->preset) < 0)
		return "a preset (fork, vfork, spawn, nptl, linuxthreads, container)";
	return NULL;
}

/* ---- Options -------------------------------------------------------------------------------- */

#define STEP_ROW(name_, arg_, set_, kind_, help_)                                                  \
	{                                                                                          \
		.name = (name_), .arg = (arg_), .help = (help_), .set = (set_), .tag = (kind_)     \
	}

/* Rows that add to the spec have offset 0: the settings themselves are their field. */
static const struct cli_option options[] = {
	{.name = "--preset",
	 .letter = 'p',
	 .arg = "NAME",
	 .help = "begin with fork, vfork, spawn (default), linuxthreads or container",
	 .set = set_preset},
	STEP_ROW("--share", "R,…", set_resources, 0,
		 "resources that the program shares with ramet"),
	STEP_ROW("--copy", "R,…", set_resources, 1, "resources of which it gets a copy"),
	STEP_ROW("--new", "R,…", set_resources, 2, "resources that are made new for it"),
	STEP_ROW("--cwd", "DIR", set_path, RAMET_STEP_CWD, "start in this directory"),
	STEP_ROW("--umask", "MASK", set_umask, RAMET_STEP_UMASK, "file mode creation mask, octal"),
	STEP_ROW("--uid", "UID", set_id, RAMET_STEP_UID,
		 "run as this user id, without further groups"),
	STEP_ROW("--gid", "GID", set_id, RAMET_STEP_GID, "run with this group id"),
	STEP_ROW("--keep-groups", NULL, set_plain, RAMET_STEP_KEEP_GROUPS,
		 "keep supplementary groups though ids change"),
	STEP_ROW("--setsid", NULL, set_plain, RAMET_STEP_SETSID, "in a new session"),
	STEP_ROW("--pgid", "PGID", set_pgid, RAMET_STEP_SETPGID,
		 "in this process group, 0: a new one"),
	STEP_ROW("--dup", "FROM:TO", set_dup, RAMET_STEP_DUP, "give descriptor FROM to it as TO"),
	STEP_ROW("--keep-fd", "FD", set_fd, RAMET_STEP_KEEP, "let this descriptor through"),
	STEP_ROW("--close-fds", NULL, set_plain, RAMET_STEP_CLOSE_REST,
		 "close all others but 0, 1 and 2"),
	STEP_ROW("--no-new-privs", NULL, set_plain, RAMET_STEP_NO_NEW_PRIVS,
		 "it can never gain privileges by exec"),
	STEP_ROW("--default-signal", "SIG", set_signal, 0, "SIG (or all) to its default"),
	STEP_ROW("--ignore-signal", "SIG", set_signal, 1, "SIG (or all) ignored"),
	STEP_ROW("--hostname", "NAME", set_path, RAMET_STEP_HOSTNAME, "host name, with --new uts"),
	{.name = "--as-pid-1",
	 .help = "be pid 1 of a new pid namespace itself, without ramet's init",
	 .set = cli_set_flag,
	 .offset = CLI_FIELD(struct settings, as_pid_1)},
	{.name = "--dry-run",
	 .letter = 'n',
	 .help = "print what would be done",
	 .set = cli_set_flag,
	 .offset = CLI_FIELD(struct settings, dry_run)},
	{0},
};

/* ---- Running --------------------------------------------------------------------------------- */

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
static void complete(struct settings *s)
{
	const bool mounts = makes_new(&s->spec, RAMET_MNT, CLONE_NEWNS);
	const bool pids = makes_new(&s->spec, RAMET_PID, CLONE_NEWPID);

	if (mounts)
		add(s, (struct ramet_step){.kind = RAMET_STEP_PRIVATE_MOUNTS});
	if (mounts && pids)
		add(s, (struct ramet_step){.kind = RAMET_STEP_PROC, .path = "/proc"});
	if (pids && !s->as_pid_1)
		add(s, (struct ramet_step){.kind = RAMET_STEP_INIT});
	if (makes_new(&s->spec, RAMET_USER, CLONE_NEWUSER))
		add(s, (struct ramet_step){.kind = RAMET_STEP_ID_MAP});
}

static int report(const struct ramet_error *error, const char *program)
{
	char text[512];

	ramet_error_format(error, text, sizeof(text));
	if (error->stage == RAMET_STAGE_CHECK)
		cli_say("%s", text);
	else
		cli_say("cannot start %s: %s", program, text);
	if (error->mend)
		fprintf(stderr, "       %s\n", error->mend);
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

/* Signals meant for the program that reach ramet. The terminal's reach the program itself. */
static const int forwarded[] = {SIGHUP, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM, SIGWINCH, SIGCONT};

static void forward(int fd, const struct ramet_task *task)
{
	struct signalfd_siginfo info;

	if (read(fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGINT || info.ssi_signo == SIGQUIT) {
		if (info.ssi_code == SI_KERNEL)
			return;
	}
	(void)!ramet_kill(task, (int)info.ssi_signo);
}

static int wait_forwarding(struct ramet_task *task, int fd, struct ramet_status *ret)
{
	struct pollfd polled[] = {{.fd = task->pidfd, .events = POLLIN},
				  {.fd = fd, .events = POLLIN}};

	while (task->pidfd >= 0 && !(polled[0].revents & POLLIN)) {
		if (poll(polled, 2, -1) < 0 && errno != EINTR)
			break;
		if (polled[1].revents & POLLIN)
			forward(fd, task);
	}
	return ramet_wait(task, -1, ret);
}

static int start_and_wait(struct settings *s)
{
	struct ramet_error error;
	struct ramet_status status;
	struct ramet_task task;
	sigset_t mask, old;
	uint64_t kernel_mask = 0;
	int fd, r;

	sigemptyset(&mask);
	for (size_t i = 0; i < sizeof(forwarded) / sizeof(forwarded[0]); i++)
		sigaddset(&mask, forwarded[i]);
	sigaddset(&mask, SIGINT);
	sigaddset(&mask, SIGQUIT);
	/* Whoever started us may have left SIGCHLD ignored; the status would be lost. */
	signal(SIGCHLD, SIG_DFL);
	sigprocmask(SIG_BLOCK, &mask, &old);
	for (int sig = 1; sig <= 64; sig++)
		kernel_mask |= sigismember(&old, sig) == 1 ? 1ULL << (sig - 1) : 0;
	add(s, (struct ramet_step){.kind = RAMET_STEP_SIGMASK, .mask = kernel_mask});
	fd = signalfd(-1, &mask, SFD_CLOEXEC);

	r = ramet_launch(&s->spec, &task, &error);
	if (r < 0)
		return report(&error, s->spec.program);
	r = wait_forwarding(&task, fd, &status);
	ramet_task_close(&task);
	close(fd);
	if (r < 0) {
		cli_say("cannot learn how %s ended: %s", s->spec.program, strerror(-r));
		return RUN_FAILED;
	}
	return status.exited ? status.code : RUN_SIGNALLED + status.code;
}

static int run(const struct cli_common *common, void *settings, int count, char **words)
{
	struct settings *s = settings;

	(void)common;
	if (!count) {
		cli_say("run: no program named; see ramet run --help");
		return RUN_FAILED;
	}
	s->spec.size = sizeof(s->spec);
	s->spec.program = words[0];
	s->spec.argv = words;
	s->spec.options = RAMET_SEARCH_PATH;
	s->spec.steps = s->steps;
	complete(s);
	return s->dry_run ? dry_run(&s->spec) : start_and_wait(s);
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
	.settings_size = sizeof(struct settings),
	.program = true,
	.usage_status = RUN_FAILED,
	.run = run,
};
