/* SPDX-License-Identifier: MIT */
/*
 * Refusals that depend on more than flags: other fields, limits, what the caller is. Each case
 * brings a process of its own into the state, lets caller_read() look and the model judge, then
 * asks the kernel; the errno, the verdict and the rule named for the errno must be as listed.
 */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "tap.h"
#include "caller/caller.h"
#include "oracle/kernel.h"
#include "spec/spec.h"

#define NOBODY 65534
#define STRANGER 61234 /* a uid that runs nothing else, so that its tasks can be counted */
#define THREAD (CLONE_VM | CLONE_SIGHAND | CLONE_THREAD)

/* What the case's process found, in shared memory. */
struct finding {
	bool unable;
	char reason[128];
	int error; /* of the kernel */
	const struct ramet_rule *verdict, *named;
};

struct test {
	const char *name;
	int error;	  /* 0: accepted */
	const char *rule; /* the model's verdict, or with `after` the rule named for the errno */
	bool after;	  /* nobody can know beforehand: no verdict, but a name */
	bool root;	  /* cannot be set up without */
	enum ramet_entry entry; /* clone3 if 0 */
	uint64_t flags;
	int (*prepare)(
		struct ramet_call *call); /* 0, or -1 and errno: the state is not to be had */
};

static char cgroup_top[300], cgroup_dir[320]; /* "" without cgroup2 */

/* ---- States ---- */

static int own_user_namespace(struct ramet_call *call)
{
	(void)call;
	return unshare(CLONE_NEWUSER);
}

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));

	if (fd >= 0)
		close(fd);
	return n < 0 ? -1 : 0;
}

/* Root of a user namespace, with the limits of that namespace. */
static int own_limits(const char *limit)
{
	char map[64];
	unsigned uid = geteuid(), gid = getegid();

	if (unshare(CLONE_NEWUSER) || write_file("/proc/self/setgroups", "deny"))
		return -1;
	snprintf(map, sizeof(map), "0 %u 1", uid);
	if (write_file("/proc/self/uid_map", map))
		return -1;
	snprintf(map, sizeof(map), "0 %u 1", gid);
	if (write_file("/proc/self/gid_map", map))
		return -1;
	return write_file(limit, "0");
}

static int no_user_namespaces(struct ramet_call *call)
{
	(void)call;
	return own_limits("/proc/sys/user/max_user_namespaces");
}

static int no_uts_namespaces(struct ramet_call *call)
{
	(void)call;
	return own_limits("/proc/sys/user/max_uts_namespaces");
}

static int no_net_namespaces(struct ramet_call *call)
{
	(void)call;
	return own_limits("/proc/sys/user/max_net_namespaces");
}

static int other_pids(struct ramet_call *call)
{
	(void)call;
	return unshare(CLONE_NEWPID);
}

static int no_uts_other_pids(struct ramet_call *call)
{
	return no_uts_namespaces(call) || other_pids(call) ? -1 : 0;
}

static int no_net_other_pids(struct ramet_call *call)
{
	return no_net_namespaces(call) || other_pids(call) ? -1 : 0;
}

/* Its init has come and gone. */
static int dead_pids(struct ramet_call *call)
{
	pid_t pid;

	if (other_pids(call))
		return -1;
	pid = fork();
	if (!pid)
		_exit(0);
	return waitpid(pid, NULL, 0) == pid ? 0 : -1;
}

static int other_time(struct ramet_call *call)
{
	(void)call;
	return unshare(CLONE_NEWTIME);
}

/* The case goes on as pid 1 of a namespace; who made it waits and is gone. */
static int be_init(struct ramet_call *call)
{
	pid_t pid;

	if (other_pids(call))
		return -1;
	pid = fork();
	if (pid > 0) {
		waitpid(pid, NULL, 0);
		_exit(0);
	}
	return pid;
}

static int be_nobody(struct ramet_call *call)
{
	(void)call;
	return geteuid() ? 0 : kernel_become(NOBODY);
}

static int in_chroot(struct ramet_call *call)
{
	(void)call;
	return chroot("/usr");
}

/* The case's process itself is the user's only task. */
static int limit_tasks(rlim_t tasks)
{
	const struct rlimit limit = {tasks, tasks};

	return kernel_become(STRANGER) || setrlimit(RLIMIT_NPROC, &limit) ? -1 : 0;
}

static int one_task(struct ramet_call *call)
{
	(void)call;
	return limit_tasks(1);
}

static int two_tasks(struct ramet_call *call)
{
	(void)call;
	return limit_tasks(2);
}

static int root_one_task(struct ramet_call *call)
{
	const struct rlimit limit = {1, 1};

	(void)call;
	return setrlimit(RLIMIT_NPROC, &limit);
}

static int be_deadline(struct ramet_call *call)
{
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime, deadline, period;
	} attr = {.size = sizeof(attr), .policy = 6, .runtime = 1000000, .deadline = 100000000};

	(void)call;
	attr.period = attr.deadline;
	return (int)syscall(SYS_sched_setattr, 0, &attr, 0);
}

static int no_descriptors(struct ramet_call *call)
{
	const struct rlimit limit = {0, 0};

	(void)call;
	return setrlimit(RLIMIT_NOFILE, &limit);
}

/* ---- Fields ---- */

#define FIELD(name, field, value)                                                                  \
	static int name(struct ramet_call *call)                                                   \
	{                                                                                          \
		call->field = (value);                                                             \
		return 0;                                                                          \
	}

FIELD(signal_65, exit_signal, 65)
FIELD(signal_256, exit_signal, 256)
FIELD(signal_high, exit_signal, 1ULL << 32)
FIELD(no_size, stack_size, 0)
FIELD(no_stack, stack, 0)
FIELD(stack_in_kernel, stack, ~0ULL << 20)
FIELD(stack_wraps, stack_size, ~0ULL - 4096)
FIELD(pidfd_on_tid, pidfd, call->parent_tid)
FIELD(pidfd_nowhere, pidfd, 8)
FIELD(tls_last, tls, 0x7fffffffefff)
FIELD(tls_high, tls, ~0ULL)
FIELD(cgroup_high, cgroup, 1ULL << 31)
FIELD(cgroup_closed, cgroup, 54321)

/* Other processors take any. The first address past the deepest page tables. */
static int tls_refused(struct ramet_call *call)
{
	call->tls = 1ULL << 56;
	errno = EOPNOTSUPP;
	return strcmp(ARCH_NAME, "x86_64") ? -1 : 0;
}

/* Blocked, as its default is to end the one who gets it. */
static int signal_64(struct ramet_call *call)
{
	uint64_t all = ~0ULL;

	call->exit_signal = 64;
	return (int)sys_sigprocmask(SIG_BLOCK, &all, NULL);
}

/* Some stable kernels have 7.1's check of this. */
static int old_signal_65(struct ramet_call *call)
{
	call->exit_signal = 65;
	errno = EOPNOTSUPP;
	return kernel_make(call) == -EINVAL ? -1 : 0;
}

static int both_nowhere(struct ramet_call *call)
{
	call->pidfd = call->parent_tid = 0;
	return 0;
}

static int callers_stack(struct ramet_call *call)
{
	call->stack = call->stack_size = 0;
	return 0;
}

static int tids[40];

static int set_tids(struct ramet_call *call, int tid, uint64_t count)
{
	tids[0] = tid;
	call->set_tid = (uintptr_t)tids;
	call->set_tid_size = count;
	return 0;
}

static int tids_33(struct ramet_call *call)
{
	return set_tids(call, 1, 33);
}

static int tids_uncounted(struct ramet_call *call)
{
	return set_tids(call, 1, 0);
}

static int tids_missing(struct ramet_call *call)
{
	call->set_tid_size = 1;
	return 0;
}

static int tids_unreadable(struct ramet_call *call)
{
	call->set_tid = 8;
	call->set_tid_size = 1;
	return 0;
}

static int tid_zero(struct ramet_call *call)
{
	return set_tids(call, 0, 1);
}

static int tid_taken(struct ramet_call *call)
{
	return set_tids(call, getpid(), 1);
}

static int tid_one(struct ramet_call *call)
{
	return set_tids(call, 1, 1);
}

static int nobody_tid(struct ramet_call *call)
{
	return set_tids(call, 30000, 1) || be_nobody(call) ? -1 : 0;
}

static int nobody_own_tid(struct ramet_call *call)
{
	return set_tids(call, 1, 1) || be_nobody(call) ? -1 : 0;
}

/* ---- cgroups ---- */

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
			       cgroup_open(call, cgroup_dir, O_PATH | O_DIRECTORY)
		       ? -1
		       : 0;
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

/* Beside a threaded cgroup an ordinary one is 'domain invalid'. */
static int cgroup_invalid(struct ramet_call *call)
{
	char threaded[400], plain[400], type[420];

	if (cgroup_made(call))
		return -1;
	snprintf(threaded, sizeof(threaded), "%s/threaded", cgroup_dir);
	snprintf(plain, sizeof(plain), "%s/plain", cgroup_dir);
	snprintf(type, sizeof(type), "%s/cgroup.type", threaded);
	if (mkdir(threaded, 0755) || mkdir(plain, 0755) || write_file(type, "threaded"))
		return -1;
	return cgroup_open(call, plain, O_RDONLY | O_DIRECTORY);
}

static void cgroups_remove(void)
{
	static const char *const names[] = {"/threaded", "/plain", ""};
	char path[400];

	for (size_t i = 0; *cgroup_top && i < 3; i++) {
		snprintf(path, sizeof(path), "%s%s", cgroup_dir, names[i]);
		rmdir(path);
	}
}

/* ---- The cases ---- */

#define CLONE2 .entry = RAMET_ENTRY_CLONE
#define BOTH CLONE_PIDFD | CLONE_PARENT_SETTID

static const struct test tests[] = {
	{"a child of the caller", 0, NULL, .flags = 0},
	{"memory shared without a stack, held", 0, NULL, .flags = CLONE_VM | CLONE_VFORK,
	 .prepare = callers_stack},
	{"set_tid of 33", EINVAL, "set-tid-too-many", .prepare = tids_33},
	{"set_tid NULL", EINVAL, "set-tid-missing", .prepare = tids_missing},
	{"set_tid without a size", EINVAL, "set-tid-uncounted", .prepare = tids_uncounted},
	{"exit signal 64", 0, NULL, .prepare = signal_64},
	{"exit signal 65", EINVAL, "exit-signal-range", .prepare = signal_65},
	{"exit signal 256", EINVAL, "exit-signal-range", .prepare = signal_256},
	{"exit signal 2^32", EINVAL, "exit-signal-range", .prepare = signal_high},
	{"exit signal 65 by clone(2)", 0, NULL, CLONE2, .prepare = old_signal_65},
	{"a cgroup descriptor above INT_MAX", EINVAL, "cgroup-range", .flags = CLONE_INTO_CGROUP,
	 .prepare = cgroup_high},
	{"that descriptor without the flag", 0, NULL, .prepare = cgroup_high},
	{"set_tid not readable", EFAULT, "set-tid-unreadable", true, .root = true,
	 .prepare = tids_unreadable},
	{"a stack of size 0", EINVAL, "stack-without-size", .prepare = no_size},
	{"a size without a stack", EINVAL, "stack-size-without-stack", .prepare = no_stack},
	{"a stack in the kernel", EINVAL, "stack-out-of-range", .prepare = stack_in_kernel},
	{"a stack that wraps", EINVAL, "stack-out-of-range", .prepare = stack_wraps},
	{"pidfd and tid apart", 0, NULL, .flags = BOTH},
	{"pidfd and tid at one address", EINVAL, "pidfd-on-parent-tid", .flags = BOTH,
	 .prepare = pidfd_on_tid},
	{"pidfd and tid at NULL", EINVAL, "pidfd-on-parent-tid", .flags = BOTH,
	 .prepare = both_nowhere},
	{"a sibling of pid 1", EINVAL, "sibling-of-init", .root = true, .flags = CLONE_PARENT,
	 .prepare = be_init},
	{"a child of pid 1", 0, NULL, .root = true, .prepare = be_init},
	{"a thread after unshare(NEWPID)", EINVAL, "thread-in-other-pid-namespace", .root = true,
	 .flags = THREAD, .prepare = other_pids},
	{"shared memory after unshare(NEWPID)", 0, NULL, .root = true,
	 .flags = CLONE_VM | CLONE_SIGHAND, .prepare = other_pids},
	{"NEWPID after unshare(NEWPID)", EINVAL, "new-pid-namespace-twice", .root = true,
	 .flags = CLONE_NEWPID, .prepare = other_pids},
	{"a thread after unshare(NEWTIME)", 0, NULL, .root = true, .flags = THREAD,
	 .prepare = other_time},
	{"NEWUSER where none is allowed", ENOSPC, "user-namespaces-off", .root = true,
	 .flags = CLONE_NEWUSER | CLONE_NEWNET, .prepare = no_user_namespaces},
	{"NEWUSER in a chroot", EPERM, "user-namespace-in-chroot", .root = true,
	 .flags = CLONE_NEWUSER, .prepare = in_chroot},
	{"NEWNS in a chroot", 0, NULL, .root = true, .flags = CLONE_NEWNS, .prepare = in_chroot},
	{"NEWUSER by an unmapped user", EPERM, "user-namespace-by-unmapped", .flags = CLONE_NEWUSER,
	 .prepare = own_user_namespace},
	{"one task too many", EAGAIN, "process-limit", .root = true, .prepare = one_task},
	{"one task too many, asked before capabilities", EAGAIN, "process-limit", .root = true,
	 .flags = CLONE_NEWUTS, .prepare = one_task},
	{"one task too many, in a new user namespace", EAGAIN, "process-limit", .root = true,
	 .flags = CLONE_NEWUSER, .prepare = one_task},
	{"one thread too many", EAGAIN, "process-limit", .root = true, .flags = THREAD,
	 .prepare = one_task},
	{"the last task allowed", 0, NULL, .root = true, .prepare = two_tasks},
	{"root is not counted", 0, NULL, .root = true, .prepare = root_one_task},
	{"a child of a SCHED_DEADLINE task", EAGAIN, "deadline-without-reset", .root = true,
	 .flags = CLONE_NEWIPC | CLONE_SYSVSEM, .prepare = be_deadline},
	{"NEWIPC and SYSVSEM by a user", EPERM, "new-namespace-needs-admin",
	 .flags = CLONE_NEWIPC | CLONE_SYSVSEM, .prepare = be_nobody},
	{"the same with NEWUSER", EINVAL, "sysvsem-with-new-ipc",
	 .flags = CLONE_NEWIPC | CLONE_SYSVSEM | CLONE_NEWUSER, .prepare = be_nobody},
	{"NEWUTS where none is allowed", ENOSPC, "mnt-uts-ipc-namespaces-off", .root = true,
	 .flags = CLONE_NEWUTS, .prepare = no_uts_namespaces},
	{"NEWIPC there", 0, NULL, .root = true, .flags = CLONE_NEWIPC,
	 .prepare = no_uts_namespaces},
	{"NEWUTS is asked before NEWPID", ENOSPC, "mnt-uts-ipc-namespaces-off", .root = true,
	 .flags = CLONE_NEWUTS | CLONE_NEWPID, .prepare = no_uts_other_pids},
	{"NEWNET is asked after NEWPID", EINVAL, "new-pid-namespace-twice", .root = true,
	 .flags = CLONE_NEWNET | CLONE_NEWPID, .prepare = no_net_other_pids},
	{"NEWNET where none is allowed", ENOSPC, "pid-cgroup-net-time-namespaces-off", .root = true,
	 .flags = CLONE_NEWNET, .prepare = no_net_namespaces},
	{"NEWNET there by clone(2)", ENOSPC, "pid-cgroup-net-time-namespaces-off", .root = true,
	 CLONE2, .flags = CLONE_NEWNET, .prepare = no_net_namespaces},
	{"the last thread pointer", 0, NULL, .flags = CLONE_SETTLS, .prepare = tls_last},
	{"a thread pointer out of range", EPERM, "tls-out-of-range", .flags = CLONE_SETTLS,
	 .prepare = tls_refused},
	{"a thread pointer out of range by clone(2)", EPERM, "tls-out-of-range", CLONE2,
	 .flags = CLONE_SETTLS, .prepare = tls_refused},
	{"that pointer without the flag", 0, NULL, .prepare = tls_high},
	{"pid 0", EINVAL, "set-tid-value", true, .root = true, .prepare = tid_zero},
	{"more pids than levels", EINVAL, "set-tid-value", true, .root = true,
	 .flags = CLONE_NEWUTS, .prepare = tid_zero},
	{"a pid that is taken", EEXIST, "set-tid-taken", true, .root = true, .prepare = tid_taken},
	{"a chosen pid by a user", EPERM, "set-tid-needs-privilege", .prepare = nobody_tid},
	{"pid 1 of a user's own namespace", 0, NULL, .flags = CLONE_NEWUSER | CLONE_NEWPID,
	 .prepare = nobody_own_tid},
	{"pid 1 of a new namespace", 0, NULL, .root = true, .flags = CLONE_NEWPID,
	 .prepare = tid_one},
	{"a pid namespace whose init is gone", ENOMEM, "pid-namespace-dead", true, .root = true,
	 .prepare = dead_pids},
	{"no descriptor for the pidfd", EMFILE, "pidfd-without-descriptor", true,
	 .flags = CLONE_PIDFD, .prepare = no_descriptors},
	{"nowhere to put the pidfd", EFAULT, "pidfd-unwritable", true, .flags = CLONE_PIDFD,
	 .prepare = pidfd_nowhere},
	{"a closed cgroup descriptor", EBADF, "cgroup-not-a-directory", .flags = CLONE_INTO_CGROUP,
	 .prepare = cgroup_closed},
	{"a plain directory as cgroup", EBADF, "cgroup-not-a-directory", .flags = CLONE_INTO_CGROUP,
	 .prepare = cgroup_plain},
	{"a file of a cgroup", EBADF, "cgroup-not-a-directory", .flags = CLONE_INTO_CGROUP,
	 .prepare = cgroup_file},
	{"a cgroup of one's own", 0, NULL, .root = true, .flags = CLONE_INTO_CGROUP,
	 .prepare = cgroup_made},
	{"a removed cgroup", ENOENT, "cgroup-removed", .root = true, .flags = CLONE_INTO_CGROUP,
	 .prepare = cgroup_gone},
	{"another's cgroup", EACCES, "cgroup-not-writable", .root = true,
	 .flags = CLONE_INTO_CGROUP, .prepare = cgroup_foreign},
	{"one's own cgroup below another's", EACCES, "cgroup-ancestor-not-writable", true,
	 .root = true, .flags = CLONE_INTO_CGROUP, .prepare = cgroup_below_foreign},
	{"a cgroup that is domain invalid", EOPNOTSUPP, "cgroup-threaded", true, .root = true,
	 .flags = CLONE_INTO_CGROUP, .prepare = cgroup_invalid},
};

struct job {
	const struct test *test;
	struct finding *found;
};

static int provoke(void *arg)
{
	const struct job *job = arg;
	const struct test *test = job->test;
	struct finding *f = job->found;
	struct ramet_call call =
		kernel_call(test->entry ? test->entry : RAMET_ENTRY_CLONE3, test->flags, 0);
	struct ramet_caller caller;

	if (test->prepare && test->prepare(&call) < 0) {
		f->unable = true;
		snprintf(f->reason, sizeof(f->reason), "%s", strerror(errno));
		return 0;
	}
	caller_read(&call, &caller);
	f->verdict = ramet_check(&call, &caller);
	f->error = -(int)kernel_make(&call);
	f->named = ramet_check_errno(&call, &caller, f->error);
	return 0;
}

static const char *id_of(const struct ramet_rule *rule)
{
	return rule ? rule->id : NULL;
}

static void run(const struct test *test, struct finding *f, int no_user)
{
	const char *verdict = test->after ? NULL : test->rule;

	if (test->root && geteuid()) {
		skip(1, "%s: not root", test->name);
		return;
	}
	/* In a chroot nobody makes a user namespace: then these cases end there. */
	if (test->flags & CLONE_NEWUSER && test->error != EPERM && no_user) {
		skip(1, "%s: no user namespaces here: %s", test->name, errno_name(no_user));
		return;
	}
	memset(f, 0, sizeof(*f));
	f->error = -1;
	kernel_scaffold(provoke, &(struct job){test, f});
	cgroups_remove();
	if (f->unable) {
		skip(1, "%s: %s", test->name, f->reason);
		return;
	}
	is_str(f->error < 0 ? "nothing"
	       : f->error   ? errno_name(f->error)
			    : "accepted",
	       test->error ? errno_name(test->error) : "accepted", "%s: the kernel", test->name);
	is_str(id_of(f->verdict), verdict, "%s: the verdict", test->name);
	if (test->rule)
		is_str(id_of(f->named), test->rule, "%s: the rule behind it", test->name);
}

static int try_user(void *arg)
{
	(void)arg;
	return unshare(CLONE_NEWUSER) ? errno : 0;
}

int main(void)
{
	struct finding *f = kernel_shared(sizeof(*f));
	int no_user = kernel_scaffold(try_user, NULL);

	snprintf(cgroup_top, sizeof(cgroup_top), "%s", kernel_cgroup2());
	snprintf(cgroup_dir, sizeof(cgroup_dir), "%s/ramet-test-%d", cgroup_top, getpid());
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		run(&tests[i], f, no_user);
	return tap_done();
}
