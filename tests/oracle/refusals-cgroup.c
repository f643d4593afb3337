/* SPDX-License-Identifier: MIT */
/*
 * Refusals by cgroups: CLONE_INTO_CGROUP with descriptors of every kind, and the limit on tasks of
 * the pids controller. The cgroups are below one folder at the top of the hierarchy and removed
 * after each case; where a controller had to be handed down for one, that is taken back.
 */
#include "oracle/provoke.h"

FIELD(cgroup_closed, cgroup, 54321)

static int cgroup_open(struct ramet_call *call, const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	call->cgroup = (uint64_t)fd;
	return fd < 0 ? -1 : 0;
}

static int need_cgroup2(void)
{
	errno = ENODEV;
	return *cgroup_top ? 0 : -1;
}

static int cgroup_plain(struct ramet_call *call)
{
	return cgroup_open(call, "/", O_RDONLY | O_DIRECTORY);
}

static int cgroup_file(struct ramet_call *call)
{
	char path[400];

	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup_top);
	return need_cgroup2() || cgroup_open(call, path, O_RDONLY) ? -1 : 0;
}

static int cgroup_made(struct ramet_call *call)
{
	return need_cgroup2() || (mkdir(cgroup_dir, 0755) && errno != EEXIST) ||
			       cgroup_open(call, cgroup_dir, O_RDONLY | O_DIRECTORY)
		       ? -1
		       : 0;
}

static int cgroup_by_path(struct ramet_call *call)
{
	return cgroup_made(call) || cgroup_open(call, cgroup_dir, O_PATH | O_DIRECTORY) ? -1 : 0;
}

static int cgroup_gone(struct ramet_call *call)
{
	return cgroup_made(call) || rmdir(cgroup_dir) ? -1 : 0;
}

static int cgroup_foreign(struct ramet_call *call)
{
	return cgroup_made(call) || be_nobody(call) ? -1 : 0;
}

/* The target itself is the user's own, but not what lies above it and the caller's. */
static int cgroup_below_foreign(struct ramet_call *call)
{
	char path[400];

	if (cgroup_made(call))
		return -1;
	snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup_dir);
	return chown(path, NOBODY, NOBODY) || be_nobody(call) ? -1 : 0;
}

/* Capabilities over a user namespace of one's own do not count for files. */
static int cgroup_foreign_own_user(struct ramet_call *call)
{
	return cgroup_foreign(call);
}

/* ---- Threaded cgroups ---- */

static int make_threaded(char threaded[400])
{
	char type[420];

	snprintf(threaded, 400, "%s/threaded", cgroup_dir);
	snprintf(type, sizeof(type), "%s/cgroup.type", threaded);
	return mkdir(threaded, 0755) || shape_write(type, "threaded") ? -1 : 0;
}

/* Beside a threaded cgroup an ordinary one is 'domain invalid'. */
static int cgroup_invalid(struct ramet_call *call)
{
	char threaded[400], plain[400];

	snprintf(plain, sizeof(plain), "%s/plain", cgroup_dir);
	if (cgroup_made(call) || make_threaded(threaded) || mkdir(plain, 0755))
		return -1;
	return cgroup_open(call, plain, O_RDONLY | O_DIRECTORY);
}

/* A whole process may go into a threaded cgroup. */
static int cgroup_threaded(struct ramet_call *call)
{
	char threaded[400];

	if (cgroup_made(call) || make_threaded(threaded))
		return -1;
	return cgroup_open(call, threaded, O_RDONLY | O_DIRECTORY);
}

/* The caller's own, in the hierarchy as it sees it. */
static int cgroup_own(struct ramet_call *call)
{
	char line[512], path[900] = "";
	FILE *f = fopen("/proc/self/cgroup", "re");

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, "0::", 3)) {
			line[strcspn(line, "\n")] = '\0';
			snprintf(path, sizeof(path), "%s%s", cgroup_top, line + 3);
		}
	if (f)
		fclose(f);
	return need_cgroup2() || cgroup_open(call, path, O_RDONLY | O_DIRECTORY) ? -1 : 0;
}

/* ---- Controllers ---- */

static bool lists(const char *dir, const char *file, const char *word)
{
	char path[400], text[256] = "", *rest = text, *at;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	text[read(fd, text, sizeof(text) - 1) > 0 ? sizeof(text) - 1 : 0] = '\0';
	close(fd);
	while ((at = strsep(&rest, " \n")))
		if (!strcmp(at, word))
			return true;
	return false;
}

static int hand_down(const char *dir, const char *change)
{
	char path[400];

	snprintf(path, sizeof(path), "%s/cgroup.subtree_control", dir);
	return shape_write(path, change);
}

/* What the top has to take back after the case; in shared memory. */
static char *taken_back;

/* Have a controller in the target: the top must hand it down. */
static int have_controller(struct ramet_call *call, const char *name)
{
	char change[32];

	errno = EOPNOTSUPP;
	if (need_cgroup2() || !lists(cgroup_top, "cgroup.controllers", name))
		return -1;
	snprintf(change, sizeof(change), "+%s", name);
	if (!lists(cgroup_top, "cgroup.subtree_control", name)) {
		if (hand_down(cgroup_top, change))
			return -1;
		snprintf(taken_back, 32, "-%s", name);
	}
	return cgroup_made(call);
}

/* Controllers that cannot follow threads; where tasks are, these are not handed down. */
static int cgroup_with_controllers(struct ramet_call *call)
{
	static const char *const names[] = {"hugetlb", "misc", "rdma", "io", "memory"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char change[32];

		snprintf(change, sizeof(change), "+%s", names[i]);
		if (!have_controller(call, names[i]))
			return hand_down(cgroup_dir, change);
	}
	return -1;
}

static int target_full(struct ramet_call *call)
{
	char path[400];

	if (have_controller(call, "pids"))
		return -1;
	snprintf(path, sizeof(path), "%s/pids.max", cgroup_dir);
	return shape_write(path, "0");
}

/* ---- The pids controller of version 1, where the caller itself is ---- */

#define PIDS_V1 "/sys/fs/cgroup/pids"

static char pids_dir[100];

static int fill_pids(void)
{
	char path[140];

	if (mkdir(pids_dir, 0755))
		return -1;
	snprintf(path, sizeof(path), "%s/pids.max", pids_dir);
	if (shape_write(path, "1"))
		return -1;
	snprintf(path, sizeof(path), "%s/cgroup.procs", pids_dir);
	return shape_write(path, "0");
}

static int pids_full(struct ramet_call *call)
{
	(void)call;
	return fill_pids();
}

static int pids_full_closed_cgroup(struct ramet_call *call)
{
	return cgroup_closed(call) || fill_pids() ? -1 : 0;
}

/* A cgroup of version 1 is none that one can start in. */
static int cgroup_v1(struct ramet_call *call)
{
	return cgroup_open(call, PIDS_V1, O_RDONLY | O_DIRECTORY);
}

/* ---- Pairs: which rule comes first ---- */

static int closed_no_descriptors(struct ramet_call *call)
{
	return cgroup_closed(call) || no_descriptors(call) ? -1 : 0;
}

static int closed_tid_taken(struct ramet_call *call)
{
	return cgroup_closed(call) || set_tids(call, getpid(), 1) ? -1 : 0;
}

static int closed_dead_pids(struct ramet_call *call)
{
	return cgroup_closed(call) || dead_pids(call) ? -1 : 0;
}

static int closed_by_nobody(struct ramet_call *call)
{
	return cgroup_closed(call) || be_nobody(call) ? -1 : 0;
}

static const struct test tests[] = {
	{"a closed cgroup descriptor", EBADF, "cgroup-not-a-directory", .flags = CLONE_INTO_CGROUP,
	 .prepare = cgroup_closed},
	{"a plain directory as cgroup", EBADF, "cgroup-not-a-directory", .flags = CLONE_INTO_CGROUP,
	 .prepare = cgroup_plain},
	{"a file of a cgroup", EBADF, "cgroup-not-a-directory", .flags = CLONE_INTO_CGROUP,
	 .prepare = cgroup_file},
	{"a cgroup of version 1", EBADF, "cgroup-not-a-directory", .flags = CLONE_INTO_CGROUP,
	 .prepare = cgroup_v1},
	{"a cgroup of one's own", 0, NULL, .root = true, .flags = CLONE_INTO_CGROUP,
	 .prepare = cgroup_made},
	{"the same by O_PATH", 0, NULL, .root = true, .flags = CLONE_INTO_CGROUP,
	 .prepare = cgroup_by_path},
	{"a removed cgroup", ENOENT, "cgroup-removed", .root = true, .flags = CLONE_INTO_CGROUP,
	 .prepare = cgroup_gone},
	{"another's cgroup", EACCES, "cgroup-not-writable", .root = true,
	 .flags = CLONE_INTO_CGROUP, .prepare = cgroup_foreign},
	{"another's cgroup, with a new user namespace", EACCES, "cgroup-not-writable", .root = true,
	 .flags = CLONE_INTO_CGROUP | CLONE_NEWUSER, .prepare = cgroup_foreign_own_user},
	{"one's own cgroup below another's", EACCES, "cgroup-ancestor-not-writable", true,
	 .root = true, .flags = CLONE_INTO_CGROUP, .prepare = cgroup_below_foreign},
	{"a cgroup that is domain invalid", EOPNOTSUPP, "cgroup-threaded", true, .root = true,
	 .flags = CLONE_INTO_CGROUP, .prepare = cgroup_invalid},
	{"a process into a threaded cgroup", 0, NULL, .root = true, .flags = CLONE_INTO_CGROUP,
	 .prepare = cgroup_threaded},
	{"a thread into another domain", EOPNOTSUPP, "cgroup-threaded", true, .root = true,
	 .flags = CLONE_INTO_CGROUP | THREAD, .prepare = cgroup_made},
	{"a thread into its own domain", 0, NULL, .root = true, .flags = CLONE_INTO_CGROUP | THREAD,
	 .prepare = cgroup_own},
	{"a cgroup that hands controllers down", EBUSY, "cgroup-has-controllers", true,
	 .root = true, .flags = CLONE_INTO_CGROUP, .prepare = cgroup_with_controllers},
	{"a full target", EAGAIN, "target-cgroup-full", true, .root = true,
	 .flags = CLONE_INTO_CGROUP, .prepare = target_full},
	{"a full cgroup of version 1", EAGAIN, "too-many-tasks", true, .root = true,
	 .prepare = pids_full},
	{"a thread more in it", EAGAIN, "too-many-tasks", true, .root = true, .flags = THREAD,
	 .prepare = pids_full},
	{"the cgroup's descriptor before its limit", EBADF, "cgroup-not-a-directory", .root = true,
	 .flags = CLONE_INTO_CGROUP, .prepare = pids_full_closed_cgroup},
	{"the pidfd before the cgroup", EMFILE, "pidfd-without-descriptor", true,
	 .flags = CLONE_INTO_CGROUP | CLONE_PIDFD, .prepare = closed_no_descriptors,
	 .verdict = "cgroup-not-a-directory"},
	{"the pids before the cgroup", EEXIST, "set-tid-taken", true, .root = true,
	 .flags = CLONE_INTO_CGROUP, .prepare = closed_tid_taken,
	 .verdict = "cgroup-not-a-directory"},
	{"a dead pid namespace before the cgroup", ENOMEM, "pid-namespace-dead", true, .root = true,
	 .flags = CLONE_INTO_CGROUP, .prepare = closed_dead_pids,
	 .verdict = "cgroup-not-a-directory"},
	{"capabilities before the cgroup", EPERM, "new-namespace-needs-admin",
	 .flags = CLONE_INTO_CGROUP | CLONE_NEWUTS, .prepare = closed_by_nobody},
};

/* Whatever a case left at the top, and the cgroup of version 1. */
static void take_back(void)
{
	rmdir(pids_dir);
	if (*taken_back)
		hand_down(cgroup_top, taken_back);
	*taken_back = '\0';
}

int main(void)
{
	snprintf(pids_dir, sizeof(pids_dir), PIDS_V1 "/ramet-test-%d", getpid());
	taken_back = kernel_shared(32);
	diag("not provoked: the cgroup outside of a cgroup namespace: that takes a mount with nsdelegate");
	return run_tests(tests, sizeof(tests) / sizeof(tests[0]), take_back);
}
