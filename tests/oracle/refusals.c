/* SPDX-License-Identifier: MIT */
/*
 * Refusals by what the caller is and by limits: namespaces and how many and how deep, the user's
 * tasks, scheduling, pid 1. Other files of this name have those by clone3's block and by cgroups;
 * flags alone are swept in rules.c, unshare.c and setns.c.
 */
#include "oracle/provoke.h"

#define CLONE2 .entry = RAMET_ENTRY_CLONE
#define UNSHARE .entry = RAMET_ENTRY_UNSHARE

#define STATE(name, ...)                                                                           \
	static int name(struct ramet_call *call)                                                   \
	{                                                                                          \
		(void)call;                                                                        \
		return __VA_ARGS__;                                                                \
	}

/* ---- What the caller is ---- */

STATE(own_user_namespace, unshare(CLONE_NEWUSER))
STATE(other_time, unshare(CLONE_NEWTIME))
STATE(in_chroot, chroot("/usr"))

static int be_init(struct ramet_call *call)
{
	(void)call;
	return go_on_in_child(CLONE_NEWPID);
}

static int in_chroot_unmapped(struct ramet_call *call)
{
	return own_user_namespace(call) || in_chroot(call) ? -1 : 0;
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

/* ---- How many namespaces there may be ---- */

STATE(no_user_namespaces, own_limits("/proc/sys/user/max_user_namespaces", "0"))
STATE(no_uts_namespaces, own_limits("/proc/sys/user/max_uts_namespaces", "0"))
STATE(no_net_namespaces, own_limits("/proc/sys/user/max_net_namespaces", "0"))

static int no_uts_other_pids(struct ramet_call *call)
{
	return no_uts_namespaces(call) || other_pids(call) ? -1 : 0;
}

static int no_net_other_pids(struct ramet_call *call)
{
	return no_net_namespaces(call) || other_pids(call) ? -1 : 0;
}

static int no_user_namespaces_chroot(struct ramet_call *call)
{
	return no_user_namespaces(call) || shape_enter_chroot() ? -1 : 0;
}

/* One is allowed and there is one. */
static int last_user_namespace(struct ramet_call *call)
{
	(void)call;
	if (own_limits("/proc/sys/user/max_user_namespaces", "1"))
		return -1;
	return shape_make_peer(CLONE_NEWUSER) < 0 ? -1 : 0;
}

static int last_uts_namespace(struct ramet_call *call)
{
	(void)call;
	if (own_limits("/proc/sys/user/max_uts_namespaces", "1"))
		return -1;
	return unshare(CLONE_NEWUTS);
}

/* Further out it is used up; in the caller's own namespace there is room. */
static int last_outside(struct ramet_call *call)
{
	return last_uts_namespace(call) || shape_enter_user() ? -1 : 0;
}

static int none_outside(struct ramet_call *call)
{
	return no_net_namespaces(call) || shape_enter_user() ? -1 : 0;
}

/* Without the right to choose a pid; a new user namespace gives that to make the others. */
static int chosen_pid(struct ramet_call *call)
{
	const struct kernel_caps none[2] = {{0}};

	tids[1] = 30000;
	return sys_capset(none) < 0 ? -1 : set_tids(call, 30000, 1);
}

static int no_uts_chosen_pid(struct ramet_call *call)
{
	return no_uts_namespaces(call) || chosen_pid(call) ? -1 : 0;
}

static int no_net_chosen_pid(struct ramet_call *call)
{
	return no_net_namespaces(call) || chosen_pid(call) ? -1 : 0;
}

static int other_pids_chosen_pid(struct ramet_call *call)
{
	return other_pids(call) || chosen_pid(call) ? -1 : 0;
}

/* ---- How deep ---- */

/* Of the first namespace's own; only there the depth is known. */
static bool in_first(const char *link, const char *first)
{
	char text[64] = "";

	return readlink(link, text, sizeof(text) - 1) > 0 && !strcmp(text, first);
}

static int user_namespaces(int levels)
{
	errno = EOPNOTSUPP;
	if (!in_first("/proc/self/ns/user", "user:[4026531837]"))
		return -1;
	for (; levels > 0; levels--)
		if (shape_enter_user())
			return -1;
	return 0;
}

static int pid_namespaces(int levels)
{
	errno = EOPNOTSUPP;
	if (!in_first("/proc/self/ns/pid", "pid:[4026531836]"))
		return -1;
	for (; levels > 0; levels--)
		if (go_on_in_child(CLONE_NEWPID))
			return -1;
	return 0;
}

STATE(user_32_deep, user_namespaces(32))
STATE(user_33_deep, user_namespaces(33))
STATE(pid_31_deep, pid_namespaces(31))
STATE(pid_32_deep, pid_namespaces(32))

/*
 * In a pid namespace that a user namespace further in owns: a task in the outer user namespace can
 * come there by setns.
 */
static int pids_of_inner_user(struct ramet_call *call)
{
	long pid = shape_make_peer(CLONE_NEWUSER | CLONE_NEWPID), fd;

	(void)call;
	fd = pid < 0 ? pid : sys_pidfd_open((int)pid, 0);
	errno = (int)-fd;
	return fd < 0 || setns((int)fd, CLONE_NEWPID) || go_on_in_child(0) ? -1 : 0;
}

/* ---- How many tasks ---- */

STATE(one_task, limit_tasks(1))
STATE(two_tasks, limit_tasks(2))

static int root_one_task(struct ramet_call *call)
{
	const struct rlimit limit = {1, 1};

	(void)call;
	return setrlimit(RLIMIT_NPROC, &limit);
}

/* The user namespace keeps the limit of when it was made; inside it is lifted again. */
static int one_task_outside(struct ramet_call *call)
{
	struct rlimit limit;

	(void)call;
	if (getrlimit(RLIMIT_NPROC, &limit) || kernel_become(STRANGER))
		return -1;
	limit.rlim_cur = 1;
	if (setrlimit(RLIMIT_NPROC, &limit) || unshare(CLONE_NEWUSER))
		return -1;
	limit.rlim_cur = limit.rlim_max;
	return setrlimit(RLIMIT_NPROC, &limit);
}

static int no_user_namespaces_one_task(struct ramet_call *call)
{
	const struct rlimit limit = {1, 1};

	return no_user_namespaces(call) || setrlimit(RLIMIT_NPROC, &limit) ? -1 : 0;
}

/* All pids of a namespace of its own: since 6.14 each has its pid_max, at least 301. */
static int no_pids(struct ramet_call *call)
{
	(void)call;
	if (go_on_in_child(CLONE_NEWPID) || shape_write("/proc/sys/kernel/pid_max", "301"))
		return -1;
	for (int i = 2; i < 301; i++)
		if (shape_make_peer(0) < 0)
			break; /* all are taken */
	return 0;
}

static const struct test tests[] = {
	{"a sibling of pid 1", EINVAL, "sibling-of-init", .root = true, .flags = CLONE_PARENT,
	 .prepare = be_init},
	{"a child of pid 1", 0, NULL, .root = true, .prepare = be_init},
	{"a thread after unshare(NEWPID)", EINVAL, "thread-in-other-pid-namespace", .root = true,
	 .flags = THREAD, .prepare = other_pids},
	{"shared memory after unshare(NEWPID)", 0, NULL, .root = true,
	 .flags = CLONE_VM | CLONE_SIGHAND, .prepare = other_pids},
	{"NEWPID after unshare(NEWPID)", EINVAL, "new-pid-namespace-twice", .root = true,
	 .flags = CLONE_NEWPID, .prepare = other_pids},
	{"the same by unshare", EINVAL, "new-pid-namespace-twice", .root = true, UNSHARE,
	 .flags = CLONE_NEWPID, .prepare = other_pids},
	{"a thread after unshare(NEWTIME)", 0, NULL, .root = true, .flags = THREAD,
	 .prepare = other_time, .since = KERNEL(6, 2)},
	{"a thread after unshare(NEWTIME), before 6.2", EINVAL, "memory-across-time-namespaces",
	 .root = true, .flags = THREAD, .prepare = other_time, .until = KERNEL(6, 2)},
	{"a pid namespace whose init is gone", ENOMEM, "pid-namespace-dead", true, .root = true,
	 .prepare = dead_pids},
	{"a child of a SCHED_DEADLINE task", EAGAIN, "deadline-without-reset", .root = true,
	 .flags = CLONE_NEWIPC | CLONE_SYSVSEM, .prepare = be_deadline},

	{"NEWUSER where none is allowed", ENOSPC, "user-namespaces-off", .root = true,
	 .flags = CLONE_NEWUSER | CLONE_NEWNET, .prepare = no_user_namespaces},
	{"the same by unshare", ENOSPC, "user-namespaces-off", .root = true, UNSHARE,
	 .flags = CLONE_NEWUSER, .prepare = no_user_namespaces},
	{"the same in a chroot", ENOSPC, "user-namespaces-off", .root = true,
	 .flags = CLONE_NEWUSER, .prepare = no_user_namespaces_chroot},
	{"NEWUSER in a chroot", EPERM, "user-namespace-in-chroot", .root = true,
	 .flags = CLONE_NEWUSER, .prepare = in_chroot},
	{"the same unmapped", EPERM, "user-namespace-in-chroot", .root = true,
	 .flags = CLONE_NEWUSER, .prepare = in_chroot_unmapped},
	{"NEWNS in a chroot", 0, NULL, .root = true, .flags = CLONE_NEWNS, .prepare = in_chroot},
	{"NEWUSER by an unmapped user", EPERM, "user-namespace-by-unmapped", .flags = CLONE_NEWUSER,
	 .prepare = own_user_namespace},
	{"one user namespace too many", ENOSPC, "user-namespace-limit", true,
	 .flags = CLONE_NEWUSER, .prepare = last_user_namespace},
	{"the 33rd user namespace inside another", 0, NULL, .flags = CLONE_NEWUSER,
	 .prepare = user_32_deep},
	{"the 34th", ENOSPC, "user-namespace-limit", true, .flags = CLONE_NEWUSER,
	 .prepare = user_33_deep},

	{"NEWUTS where none is allowed", ENOSPC, "mnt-uts-ipc-namespaces-off", .root = true,
	 .flags = CLONE_NEWUTS, .prepare = no_uts_namespaces},
	{"the same by unshare", ENOSPC, "mnt-uts-ipc-namespaces-off", .root = true, UNSHARE,
	 .flags = CLONE_NEWUTS, .prepare = no_uts_namespaces},
	{"NEWIPC there", 0, NULL, .root = true, .flags = CLONE_NEWIPC,
	 .prepare = no_uts_namespaces},
	{"NEWUTS is asked before NEWPID", ENOSPC, "mnt-uts-ipc-namespaces-off", .root = true,
	 .flags = CLONE_NEWUTS | CLONE_NEWPID, .prepare = no_uts_other_pids},
	{"NEWNET is asked after NEWPID", EINVAL, "new-pid-namespace-twice", .root = true,
	 .flags = CLONE_NEWNET | CLONE_NEWPID, .prepare = no_net_other_pids},
	{"the same by unshare", EINVAL, "new-pid-namespace-twice", .root = true, UNSHARE,
	 .flags = CLONE_NEWNET | CLONE_NEWPID, .prepare = no_net_other_pids},
	{"NEWNET where none is allowed", ENOSPC, "pid-cgroup-net-time-namespaces-off", .root = true,
	 .flags = CLONE_NEWNET, .prepare = no_net_namespaces},
	{"the same by unshare", ENOSPC, "pid-cgroup-net-time-namespaces-off", .root = true, UNSHARE,
	 .flags = CLONE_NEWNET, .prepare = no_net_namespaces},
	{"NEWNET there by clone(2)", ENOSPC, "pid-cgroup-net-time-namespaces-off", .root = true,
	 CLONE2, .flags = CLONE_NEWNET, .prepare = no_net_namespaces},
	{"the uts namespace is asked before the pids", ENOSPC, "mnt-uts-ipc-namespaces-off",
	 .flags = CLONE_NEWUSER | CLONE_NEWUTS, .prepare = no_uts_chosen_pid},
	{"the network too", ENOSPC, "pid-cgroup-net-time-namespaces-off",
	 .flags = CLONE_NEWUSER | CLONE_NEWNET, .prepare = no_net_chosen_pid},
	{"and the pid namespace", EINVAL, "new-pid-namespace-twice", .root = true,
	 .flags = CLONE_NEWUSER | CLONE_NEWPID, .prepare = other_pids_chosen_pid},
	{"one uts namespace too many", ENOSPC, "namespace-limit", true, .flags = CLONE_NEWUTS,
	 .prepare = last_uts_namespace},
	{"one too many further out", ENOSPC, "namespace-limit", true, .flags = CLONE_NEWUTS,
	 .prepare = last_outside},
	{"none allowed further out", ENOSPC, "namespace-limit", true, .flags = CLONE_NEWNET,
	 .prepare = none_outside},
	{"the 32nd pid namespace inside another", 0, NULL, .root = true, .flags = CLONE_NEWPID,
	 .prepare = pid_31_deep},
	{"the 33rd", ENOSPC, "namespace-limit", true, .root = true, .flags = CLONE_NEWPID,
	 .prepare = pid_32_deep},
	{"a pid namespace inside a more private one", EINVAL, "new-pid-namespace-across-users",
	 true, .root = true, .flags = CLONE_NEWPID, .prepare = pids_of_inner_user},
	{"the same with a new user namespace", EINVAL, "new-pid-namespace-across-users", true,
	 .root = true, .flags = CLONE_NEWPID | CLONE_NEWUSER, .prepare = pids_of_inner_user},

	{"one task too many", EAGAIN, "process-limit", .root = true, .prepare = one_task},
	{"one task too many, asked before capabilities", EAGAIN, "process-limit", .root = true,
	 .flags = CLONE_NEWUTS, .prepare = one_task},
	{"one task too many, in a new user namespace", EAGAIN, "process-limit", .root = true,
	 .flags = CLONE_NEWUSER, .prepare = one_task},
	{"one task too many, asked after the flags", EINVAL, "thread-needs-sighand", .root = true,
	 .flags = CLONE_THREAD, .prepare = one_task},
	{"one thread too many", EAGAIN, "process-limit", .root = true, .flags = THREAD,
	 .prepare = one_task},
	{"unshare makes no task", 0, NULL, .root = true, UNSHARE, .flags = CLONE_NEWUSER,
	 .prepare = one_task},
	{"the last task allowed", 0, NULL, .root = true, .prepare = two_tasks},
	{"root is not counted", 0, NULL, .root = true, .prepare = root_one_task},
	{"one task too many further out", EAGAIN, "too-many-tasks", true, .root = true,
	 .prepare = one_task_outside, .since = KERNEL(5, 14)},
	{"the user namespace is asked before the tasks", ENOSPC, "user-namespaces-off",
	 .root = true, .flags = CLONE_NEWUSER, .prepare = no_user_namespaces_one_task},
	{"no pid left", EAGAIN, "too-many-tasks", true, .root = true, .prepare = no_pids,
	 .since = KERNEL(6, 14)},

	{"NEWIPC and SYSVSEM by a user", EPERM, "new-namespace-needs-admin",
	 .flags = CLONE_NEWIPC | CLONE_SYSVSEM, .prepare = be_nobody},
	{"the same with NEWUSER", EINVAL, "sysvsem-with-new-ipc",
	 .flags = CLONE_NEWIPC | CLONE_SYSVSEM | CLONE_NEWUSER, .prepare = be_nobody},
	{"the same by unshare", 0, NULL, UNSHARE,
	 .flags = CLONE_NEWIPC | CLONE_SYSVSEM | CLONE_NEWUSER, .prepare = be_nobody},
};

static const char *const unprovoked[] = {
	"no memory (ENOMEM): the machine would have to run out of it",
	"kernel.threads-max (EAGAIN) and fs.mount-max (ENOSPC): these are the whole system's",
	"CLONE_FS beside a thread in execve (EAGAIN): a race of some microseconds",
	"copying memory refused (ENOMEM): overcommit is the whole system's",
	"a descriptor table beyond a lowered fs.nr_open (EMFILE): the whole system's",
	"pid 1 killed between the pid and the end of clone (ENOMEM), the caller killed (EINTR): races",
	"seccomp filters and security modules (EPERM): fallbacks.c has the former",
};

int main(void)
{
	for (size_t i = 0; i < sizeof(unprovoked) / sizeof(unprovoked[0]); i++)
		diag("not provoked: %s", unprovoked[i]);
	return run_tests(tests, sizeof(tests) / sizeof(tests[0]), NULL);
}
