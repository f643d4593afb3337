/* SPDX-License-Identifier: MIT */
/*
 * A program started with all that a service manager would set. Both variants do the same, in the
 * order of ramet's plan: born in a cgroup of its own where one can be made, process group, two
 * limits, groups, gid, uid, working directory, umask, descriptors 0 to 2, signal mask.
 *
 * The fork is a clone3 without CLONE_VM, since to move into a cgroup afterwards would take many
 * times as long. Only raw calls are made in its child; the C library's setuid tells all threads.
 */
#include "bench/loaded.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench/scenes.h"
#include "probe/probe.h"
#include "uapi/clone.h"

#define NOBODY 65534
#define GROUPS 2
#define FILES 1024
#define MASK 027

static const gid_t groups[GROUPS] = {NOBODY, NOBODY - 1};
static const uint64_t blocked = 1ULL << (SIGUSR2 - 1);

static struct {
	unsigned users; /* variants that have begun */
	struct probe_cgroup cgroup;
	int fds[3];
} loaded;

static bool has_cgroup(void)
{
	return loaded.cgroup.target[0] && loaded.cgroup.target_fd >= 0;
}

/* ---- By ramet ------------------------------------------------------------------------------ */

static long run_ramet(struct bench_scene *scene)
{
	const struct ramet_step steps[] = {
		RAMET_SETPGID(0),
		RAMET_RLIMIT(RLIMIT_CORE, 0, 0),
		RAMET_RLIMIT(RLIMIT_NOFILE, FILES, FILES),
		RAMET_GROUPS(GROUPS, groups),
		RAMET_GID(NOBODY),
		RAMET_UID(NOBODY),
		RAMET_CWD("/"),
		RAMET_UMASK(MASK),
		RAMET_DUP(loaded.fds[0], 0),
		RAMET_DUP(loaded.fds[1], 1),
		RAMET_DUP(loaded.fds[2], 2),
		RAMET_SIGMASK(blocked),
		{.kind = RAMET_STEP_END},
	};
	struct ramet_task task;
	struct ramet_error error;
	const int r = ramet_launch(
		&RAMET_SPEC(.program = scene->program, .argv = scene_argv, .envp = scene_envp,
			    .steps = steps, .fresh = has_cgroup() ? (uint32_t)RAMET_CGROUP : 0,
			    .cgroup = loaded.cgroup.target_fd, .options = RAMET_NO_PIDFD),
		&task, &error);

	return r < 0 ? scene_fail_launch(scene, r, &error) : scene_reap_task(scene, &task);
}

/* ---- By fork ------------------------------------------------------------------------------- */

/* What it cannot do it tells by its status: which step. */
static void become(const char *program)
{
	const struct rlimit core = {0, 0}, files = {FILES, FILES};
	int step = 100;

#define TRY(...)                                                                                   \
	do {                                                                                       \
		step++;                                                                            \
		if (syscall(__VA_ARGS__) < 0)                                                      \
			_exit(step);                                                               \
	} while (0)
	TRY(SYS_setpgid, 0, 0);
	TRY(SYS_prlimit64, 0, RLIMIT_CORE, &core, NULL);
	TRY(SYS_prlimit64, 0, RLIMIT_NOFILE, &files, NULL);
	TRY(SYS_setgroups, GROUPS, groups);
	TRY(SYS_setresgid, NOBODY, NOBODY, NOBODY);
	TRY(SYS_setresuid, NOBODY, NOBODY, NOBODY);
	TRY(SYS_chdir, "/");
	TRY(SYS_umask, MASK);
	for (int i = 0; i < 3; i++)
		TRY(SYS_dup3, loaded.fds[i], i, 0);
	TRY(SYS_rt_sigprocmask, SIG_SETMASK, &blocked, NULL, sizeof(blocked));
#undef TRY
	execve(program, scene_argv, scene_envp);
	_exit(127);
}

static long run_fork(struct bench_scene *scene)
{
	struct clone_args args = {.exit_signal = SIGCHLD};
	long pid;

	if (has_cgroup()) {
		args.flags = CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)loaded.cgroup.target_fd;
	}
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0)
		become(scene->program);
	if (pid < 0)
		return scene_fail(scene, errno, "clone3: %s", strerror(errno));
	return scene_reap(scene, (pid_t)pid);
}

/* ---- What both need ------------------------------------------------------------------------ */

static void close_all(void)
{
	for (int i = 0; i < 3; i++)
		if (loaded.fds[i] >= 0)
			close(loaded.fds[i]);
	probe_cgroup_remove(&loaded.cgroup);
}

static long open_all(struct bench_scene *scene)
{
	int failed = 0;

	if (geteuid() != 0)
		return scene_fail(scene, EPERM, "another user and groups need root");
	for (int i = 0; i < 3; i++) {
		/* Above 0 to 2, which would be written to before they are read. */
		int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

		loaded.fds[i] = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);
		if (loaded.fds[i] < 0)
			failed = errno;
		if (fd >= 0)
			close(fd);
	}
	if (failed) {
		loaded.cgroup = (struct probe_cgroup){.target_fd = -1};
		close_all();
		return scene_fail(scene, failed, "/dev/null: %s", strerror(failed));
	}
	probe_cgroup_make(true, false, &loaded.cgroup);
	return 0;
}

static void end(struct bench_scene *scene)
{
	(void)scene;
	if (--loaded.users == 0)
		close_all();
}

/* With one try, so that whoever may not do it is told at once. */
static long begin(struct bench_scene *scene, long (*run)(struct bench_scene *scene))
{
	long r = loaded.users ? 0 : open_all(scene);

	if (r < 0)
		return r;
	loaded.users++;
	r = run(scene);
	if (r < 0)
		end(scene);
	return r;
}

static long begin_ramet(struct bench_scene *scene)
{
	return begin(scene, run_ramet);
}

static long begin_fork(struct bench_scene *scene)
{
	return begin(scene, run_fork);
}

#define STEPS                                                                                      \
	"process group, 2 limits, groups, gid, uid, cwd, umask, fds 0-2, signal mask, and born "   \
	"in a cgroup of its own where one can be made"

const struct bench_variant variant_ramet_loaded = {
	.name = "ramet-loaded",
	.what = "ramet_launch without a pidfd, ramet_wait: " STEPS,
	.begin = begin_ramet,
	.run = run_ramet,
	.end = end,
};

const struct bench_variant variant_fork_exec_loaded = {
	.name = "fork+exec-loaded",
	.what = "clone3 as fork, raw calls, execve, waitpid: " STEPS,
	.begin = begin_fork,
	.run = run_fork,
	.end = end,
};
