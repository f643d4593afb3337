/* SPDX-License-Identifier: MIT */
/*
 * Owns the reading of the caller's state: raw system calls and /proc, one function a group of
 * fields, each of which sets its bit in `known` only when it is sure. Judges nothing: that is the
 * model's part. Who shares with the caller is read in sharers.c, what setns would join in target.c.
 */
#include "caller/caller.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/stat.h>
#include <stdbool.h>
#include <string.h>
#include <sys/resource.h>

#include "base/sys.h"
#include "caller/read.h"
#include "uapi/clone.h"

#ifndef SYS_faccessat2
#define SYS_faccessat2 439
#endif
#define KERNEL_AT_EACCESS 0x200
#define KERNEL_CGROUP2_MAGIC 0x63677270
#define KERNEL_CAP_CHECKPOINT_RESTORE 40
#define KERNEL_SCHED_DEADLINE 6
#define KERNEL_SCHED_RESET_ON_FORK 0x40000000
/* The inode number of the first user namespace is part of the ABI (PROC_USER_INIT_INO). */
#define FIRST_USER_NAMESPACE "user:[4026531837]"

/* ---- The groups of fields ---- */

/* "6.1.20-whatever" as major << 16 | minor << 8 | patch, each at most what there is room for. */
static unsigned parse_version(const char *at)
{
	unsigned limits[3] = {UINT_MAX >> 16, 255, 255}, parts[3] = {0};

	for (int i = 0; i < 3; i++) {
		uint64_t n;

		if (!parse_number(at, &n))
			break;
		parts[i] = n < limits[i] ? (unsigned)n : limits[i];
		while (*at >= '0' && *at <= '9')
			at++;
		if (*at != '.')
			break;
		at++;
	}
	return parts[0] << 16 | parts[1] << 8 | parts[2];
}

/*
 * Debian's release is "6.1.0-56-amd64", whose third number is always 0; the stable version that
 * it was made of stands in the build's line, "… Debian 6.1.192-2 (…)".
 */
unsigned caller_kernel(void)
{
	char names[6][65] = {0}; /* the kernel's struct new_utsname: release, version at 2, 3 */
	const char *debian;
	unsigned kernel, built;

	if (sys1(SYS_uname, (long)names) < 0)
		return 0;
	kernel = parse_version(names[2]);
	debian = strstr(names[3], "Debian ");
	built = debian ? parse_version(debian + strlen("Debian ")) : 0;
	return built >> 8 == kernel >> 8 ? built : kernel;
}

static bool has_capability(const struct __user_cap_data_struct data[static 2], unsigned n)
{
	return data[n / 32].effective >> n % 32 & 1;
}

static bool get_capabilities(struct __user_cap_data_struct data[static 2])
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};

	return sys2(SYS_capget, (long)&header, (long)data) == 0;
}

static void read_capabilities(struct ramet_caller *c)
{
	struct __user_cap_data_struct data[2];

	if (!get_capabilities(data))
		return;
	c->sys_admin = has_capability(data, CAP_SYS_ADMIN);
	c->sys_chroot = has_capability(data, CAP_SYS_CHROOT);
	c->checkpoint = has_capability(data, KERNEL_CAP_CHECKPOINT_RESTORE);
	c->setid = has_capability(data, CAP_SETUID) && has_capability(data, CAP_SETGID);
	c->known |= RAMET_KNOWN_CAPS;
}

static void read_threads(struct ramet_caller *c)
{
	struct reader r;
	uint64_t n;

	if (!reader_open(&r, "/proc/self/status"))
		return;
	if (reader_find(&r, "Threads:") && reader_number(&r, &n)) {
		c->threads = (int)n;
		c->known |= RAMET_KNOWN_THREADS;
	}
	sys_close(r.fd);
}

/*
 * A root that is not even the root of a mount is a chroot for sure. One that is may be either: the
 * mount below it, which would tell, cannot be seen from inside. So only a yes is known.
 */
static void read_root(struct ramet_caller *c)
{
	struct statx s;

	if (sys5(SYS_statx, SYS_AT_FDCWD, (long)"/", 0, STATX_BASIC_STATS, (long)&s) < 0)
		return;
	if (!(s.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) ||
	    s.stx_attributes & STATX_ATTR_MOUNT_ROOT)
		return;
	c->chrooted = 1;
	c->known |= RAMET_KNOWN_ROOT;
}

enum map_result { MAP_UNREADABLE, MAP_NONE, MAP_FOUND };

/* Look an id up in a uid_map or gid_map; *ret_outer is its number in the namespace outside. */
static enum map_result map_find(const char *path, uint64_t id, uint64_t *ret_outer)
{
	enum map_result result = MAP_NONE;
	uint64_t inside, outside, count;
	struct reader r;

	if (!reader_open(&r, path))
		return MAP_UNREADABLE;
	while (result == MAP_NONE && reader_number(&r, &inside) && reader_number(&r, &outside) &&
	       reader_number(&r, &count))
		if (id >= inside && id - inside < count) {
			*ret_outer = outside + (id - inside);
			result = MAP_FOUND;
		}
	sys_close(r.fd);
	return result;
}

/* An id without a mapping reads as the overflow id, which then has none either (or is one's own). */
static void read_ids(struct ramet_caller *c)
{
	uint64_t outer;
	enum map_result uid = map_find("/proc/self/uid_map", (uint64_t)sys0(SYS_geteuid), &outer);
	enum map_result gid = map_find("/proc/self/gid_map", (uint64_t)sys0(SYS_getegid), &outer);

	if (uid == MAP_UNREADABLE || gid == MAP_UNREADABLE)
		return;
	c->unmapped = uid == MAP_NONE || gid == MAP_NONE;
	c->known |= RAMET_KNOWN_IDS;
}

/*
 * Do children get another namespace than the calling thread has? The second link does not exist
 * for a pid namespace that has no init yet. -1: cannot be read.
 */
static int other_for_children(const char *own, const char *children)
{
	char a[WORD_SIZE], b[WORD_SIZE];
	long n;

	if (read_link(own, a, sizeof(a)) < 0)
		return -1;
	n = read_link(children, b, sizeof(b));
	if (n < 0)
		return n == -ENOENT ? 1 : -1;
	return strcmp(a, b) != 0;
}

/* Of the thread: unshare and setns change these for it alone. */
static void read_for_children(struct ramet_caller *c)
{
	int pid = other_for_children("/proc/thread-self/ns/pid",
				     "/proc/thread-self/ns/pid_for_children");
	int time = other_for_children("/proc/thread-self/ns/time",
				      "/proc/thread-self/ns/time_for_children");

	if (pid >= 0) {
		c->pid_for_children = pid;
		c->known |= RAMET_KNOWN_PIDNS;
	}
	if (time >= 0) {
		c->time_for_children = time;
		c->known |= RAMET_KNOWN_TIMENS;
	}
}

static void read_scheduling(struct ramet_caller *c)
{
	long policy = sys1(SYS_sched_getscheduler, 0);

	if (policy < 0)
		return;
	c->deadline = (policy & ~KERNEL_SCHED_RESET_ON_FORK) == KERNEL_SCHED_DEADLINE &&
		      !(policy & KERNEL_SCHED_RESET_ON_FORK);
	c->known |= RAMET_KNOWN_SCHED;
}

/* With five levels of page tables user space ends at 2^56, else at 2^47, each less a page. */
static void read_tls(struct ramet_caller *c)
{
	char word[WORD_SIZE];
	struct reader r;
	bool first, la57 = false;

	if (strcmp(ARCH_NAME, "x86_64")) {
		c->known |= RAMET_KNOWN_TLS;
		return;
	}
	if (!reader_open(&r, "/proc/cpuinfo"))
		return;
	if (reader_find(&r, "flags")) {
		while (reader_word(&r, word, &first) && !first)
			la57 |= !strcmp(word, "la57");
		c->tls_limit = (1ULL << (la57 ? 56 : 47)) - 4096;
		c->known |= RAMET_KNOWN_TLS;
	}
	sys_close(r.fd);
}

static void read_namespaces(struct ramet_caller *c)
{
	static const struct {
		uint64_t flag;
		const char *path;
	} kinds[] = {
		{CLONE_NEWUSER, "/proc/sys/user/max_user_namespaces"},
		{CLONE_NEWNS, "/proc/sys/user/max_mnt_namespaces"},
		{CLONE_NEWUTS, "/proc/sys/user/max_uts_namespaces"},
		{CLONE_NEWIPC, "/proc/sys/user/max_ipc_namespaces"},
		{CLONE_NEWPID, "/proc/sys/user/max_pid_namespaces"},
		{CLONE_NEWCGROUP, "/proc/sys/user/max_cgroup_namespaces"},
		{CLONE_NEWNET, "/proc/sys/user/max_net_namespaces"},
		{CLONE_NEWTIME, "/proc/sys/user/max_time_namespaces"},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		uint64_t max;

		if (!read_number(kinds[i].path, &max))
			continue;
		if (!max)
			c->no_namespaces |= kinds[i].flag;
		c->known |= RAMET_KNOWN_NAMESPACES;
	}
}

static void read_cgroup(const struct ramet_call *call, struct ramet_caller *c)
{
	long statfs[32]; /* the first word is the type; the kernel writes 15 */
	long r;

	if (call->entry != RAMET_ENTRY_CLONE3 || !(call->flags & CLONE_INTO_CGROUP) ||
	    call->cgroup > INT_MAX)
		return;
	r = sys2(SYS_fstatfs, (long)call->cgroup, (long)statfs);
	if (r == -EBADF || (r == 0 && statfs[0] != KERNEL_CGROUP2_MAGIC)) {
		c->cgroup_error = EBADF;
	} else if (r == 0) {
		r = sys4(SYS_faccessat2, (long)call->cgroup, (long)"cgroup.procs", 2 /* write */,
			 KERNEL_AT_EACCESS);
		if (r && r != -ENOENT && r != -EACCES && r != -ENOTDIR)
			return;
		c->cgroup_error = r == -ENOTDIR ? EBADF : (int)-r;
	} else {
		return;
	}
	c->known |= RAMET_KNOWN_CGROUP;
}

/* ---- RLIMIT_NPROC ---- */

/* A user's tasks, counted up to `enough`. */
struct tally {
	uint64_t uid, enough, count;
};

/* The tasks of one process, if it is this user's. Goes on until there are enough. */
static bool count_process(uint64_t pid, void *arg)
{
	struct tally *tally = arg;
	uint64_t owner, threads;
	char path[PATH_SIZE];
	struct reader r;

	path_make(path, "/proc/", pid, "/status");
	if (!reader_open(&r, path))
		return true;
	if (reader_find(&r, "Uid:") && reader_number(&r, &owner) && owner == tally->uid &&
	    reader_find(&r, "Threads:") && reader_number(&r, &threads))
		tally->count += threads;
	sys_close(r.fd);
	return tally->count < tally->enough;
}

/* As far as /proc shows them. */
static bool count_tasks(uint64_t uid, uint64_t enough, uint64_t *ret)
{
	struct tally tally = {uid, enough, 0};

	if (!read_numbers("/proc", count_process, &tally))
		return false;
	*ret = tally.count;
	return true;
}

/* All tasks of the system: the second half of "running/all", the fourth word. */
static bool all_tasks(uint64_t *ret)
{
	char word[WORD_SIZE] = "";
	struct reader r;
	const char *slash;
	bool first;

	if (!reader_open(&r, "/proc/loadavg"))
		return false;
	for (int i = 0; i < 4; i++)
		reader_word(&r, word, &first);
	sys_close(r.fd);
	slash = strchr(word, '/');
	return slash && parse_number(slash + 1, ret);
}

/*
 * Exempt are the first namespace's root and holders of two capabilities there. In another user
 * namespace whose outside is unknown an id that maps to 0 may be that root or not: not known then.
 */
static void read_limits(struct ramet_caller *c)
{
	struct __user_cap_data_struct caps[2];
	uint64_t uid = (uint64_t)sys0(SYS_getuid), outer = 0, all;
	uint64_t limit[2];
	char user[WORD_SIZE];

	if (sys4(SYS_prlimit64, 0, RLIMIT_NPROC, 0, (long)limit) < 0 || !get_capabilities(caps) ||
	    read_link("/proc/self/ns/user", user, sizeof(user)) < 0)
		return;
	c->nproc_limit = limit[0];
	if (!strcmp(user, FIRST_USER_NAMESPACE)) {
		if (!uid || has_capability(caps, CAP_SYS_RESOURCE) ||
		    has_capability(caps, CAP_SYS_ADMIN))
			c->nproc_limit = ~0ULL;
	} else if (map_find("/proc/self/uid_map", uid, &outer) != MAP_FOUND || !outer) {
		return;
	}
	/* Counting opens a file a process: spare it where all tasks together are no threat. */
	if (c->nproc_limit != ~0ULL && !(all_tasks(&all) && all < c->nproc_limit) &&
	    !count_tasks(uid, c->nproc_limit, &c->nproc))
		return;
	c->known |= RAMET_KNOWN_LIMITS;
}

int caller_read(const struct ramet_call *call, struct ramet_caller *ret)
{
	struct ramet_caller c = {0};

	c.kernel = caller_kernel();
	read_capabilities(&c);
	read_threads(&c);
	read_root(&c);
	read_ids(&c);
	read_for_children(&c);
	read_scheduling(&c);
	read_tls(&c);
	read_namespaces(&c);
	read_cgroup(call, &c);
	read_limits(&c);
	read_sharers(call, &c);
	read_target(call, &c);
	c.init = sys_getpid() == 1;
	c.known |= RAMET_KNOWN_INIT;
	*ret = c;
	return 0;
}
