/* SPDX-License-Identifier: MIT */
/* What a plan depends on of the calling process and its system. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/sys.h"
#include "launch/error.h"
#include "launch/launch.h"
#include "launch/way.h"

extern char **environ;

int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

enum { UNKNOWN = 0, SHARES, COPIES, CHARGED, UNCHARGED };

static int mark(void *arg)
{
	__atomic_store_n((int *)arg, 1, __ATOMIC_RELEASE);
	return 0;
}

static ino_t inode_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? st.st_ino : 0;
}

/*
 * After unshare or setns of a pid namespace the next child is its first: its init, whose end is
 * the namespace's. That must not be the child that is made to ask.
 */
static bool may_make_children(void)
{
	const ino_t own = inode_of("/proc/self/ns/pid");

	return own && own == inode_of("/proc/self/ns/pid_for_children");
}

/*
 * The mark is a plain local: if the child runs in a copy this one stays 0. Signals are blocked,
 * since this child keeps the caller's handlers, and none must run in it.
 */
static int ask_memory(void)
{
	const struct clone_args args = {.flags = CLONE_VM | CLONE_VFORK};
	const uint64_t all = ~0ULL;
	struct raw_used used;
	uint64_t mask;
	int marked = 0;
	long tid;

	if (!may_make_children())
		return UNKNOWN;
	sys_sigprocmask(2, &all, &mask);
	tid = raw_clone(&args, sizeof(args), 0, &used, mark, &marked);
	if (tid > 0)
		task_reap((pid_t)tid);
	sys_sigprocmask(2, &mask, NULL);
	if (tid < 0)
		return UNKNOWN;
	return __atomic_load_n(&marked, __ATOMIC_ACQUIRE) ? SHARES : COPIES;
}

bool host_shares_memory(void)
{
	static int known;
	int seen = __atomic_load_n(&known, __ATOMIC_RELAXED);

	if (seen == UNKNOWN) {
		seen = ask_memory();
		__atomic_store_n(&known, seen, __ATOMIC_RELAXED);
	}
	return seen != COPIES;
}

/* The line of /proc/cgroups: the controller's hierarchy, its groups, whether it is enabled. */
static int ask_cgroups(void)
{
	char text[2048];
	const int fd = (int)sys_open("/proc/cgroups", O_RDONLY | O_CLOEXEC, 0);
	const long n = fd < 0 ? fd : sys_read(fd, text, sizeof(text) - 1);
	const char *line;
	int hierarchy, enabled;

	if (fd >= 0)
		sys_close(fd);
	if (n <= 0)
		return UNKNOWN;
	text[n] = 0;
	line = strstr(text, "\nmemory\t");
	if (!line || sscanf(line, " memory %d %*d %d", &hierarchy, &enabled) != 2)
		return CHARGED;
	return hierarchy || !enabled ? UNCHARGED : CHARGED;
}

/*
 * Has cgroup2 no limits of memory? Not while version 1 has that controller, nor if the kernel has
 * none. It does not change hands while it is in use, so this is asked once.
 */
static bool is_uncharged(void)
{
	static int known;
	int seen = __atomic_load_n(&known, __ATOMIC_RELAXED);

	if (seen == UNKNOWN) {
		seen = ask_cgroups();
		__atomic_store_n(&known, seen, __ATOMIC_RELAXED);
	}
	return seen == UNCHARGED;
}

/* CAP_SYS_ADMIN, which every new namespace but a user namespace needs. */
static bool is_admin(void)
{
	struct kernel_caps data[2];

	return sys_capget(data) == 0 && data[0].effective >> 21 & 1;
}

/* A directory has two links and one for each directory in it: here one for each thread. */
static bool is_single_threaded(void)
{
	struct stat st;

	return stat("/proc/self/task", &st) == 0 && st.st_nlink == 3;
}

/* Reading the thread pointer is a system call on some processors. */
static bool may_set_tls(const struct ramet_spec *spec)
{
	return spec->preset == RAMET_PRESET_NPTL || spec->fresh & RAMET_TLS ||
	       spec->flags & CLONE_SETTLS;
}

/*
 * The child finds the caller by its process, so that is whose table it would fetch from: the same
 * but for a thread that has one of its own.
 */
static bool has_table_of_process(void)
{
	const long tid = sys_gettid(), pid = sys_getpid();

	return tid == pid || sys5(SYS_kcmp, pid, tid, 2 /* KCMP_FILES */, 0, 0) == 0;
}

/* Out of memory in a cgroup of its own, the child that must not hold the caller would endanger it. */
static void ask_about_cgroup(const struct ramet_spec *spec, struct plan_host *host)
{
	const bool born = spec->fresh & RAMET_CGROUP || spec->flags & CLONE_INTO_CGROUP;
	const bool moved = steps_have(spec->steps, RAMET_STEP_CGROUP) ||
			   steps_have(spec->steps, RAMET_STEP_OOM_SCORE_ADJ);

	if (!(born || moved) || !(changes_identity(spec) || spec->timeout_ms))
		return;
	host->uncharged = born && is_uncharged();
	host->shielding = (moved || !host->uncharged) && may_make_children();
}

int launch_plan(const struct ramet_spec *spec, struct ramet_spec *ret_loaded,
		const struct launch_wish *wish, struct plan *ret, struct ramet_error *error)
{
	const bool twice = wish->how == LAUNCH_TWICE;
	struct plan_refusal refusal = {
		.id = "spec-size",
		.why = "The size field of the spec is not one that this library knows.",
		.mend = "Make specs with RAMET_SPEC(), and use no field newer than the library.",
	};
	struct plan_host host = {
		.helper = !(wish->avoid & AVOID_HELPER),
		.parting = !(wish->avoid & AVOID_PARTING),
		.clearing = !(wish->avoid & AVOID_CLEARING),
		.asynchronous = wish->how == LAUNCH_BEGIN,
		.witness = wish->witness,
		.path = wish->path ? wish->path : getenv("PATH"),
		.envp = environ,
	};
	int r = spec_load(spec, ret_loaded);

	if (r < 0)
		return error_check(error, r, &refusal);
	if (ret_loaded->preset == RAMET_PRESET_CONTAINER)
		host.privileged = is_admin();
	if (!ret_loaded->program)
		host.single_threaded = is_single_threaded();
	if (may_set_tls(ret_loaded))
		host.thread_pointer = arch_get_tp();
	ask_about_cgroup(ret_loaded, &host);
	if (steps_have(ret_loaded->steps, RAMET_STEP_CLOSE_REST))
		host.fetching = !(wish->avoid & (AVOID_FETCH | AVOID_ONCE)) &&
				has_table_of_process();
	host.fetch_failed = wish->avoid & AVOID_ONCE;
	host.memory_shares = twice || host_shares_memory();
	r = plan_make(ret_loaded, twice, &host, ret, &refusal);
	return r < 0 ? error_check(error, r, &refusal) : 0;
}
