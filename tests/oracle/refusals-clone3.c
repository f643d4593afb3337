/* SPDX-License-Identifier: MIT */
/*
 * Refusals by clone3's argument block and the pointers in it, and the order in which the kernel
 * looks at them: where a case breaks two rules, the errno says which came first.
 */
#include "oracle/provoke.h"

#define CLONE2 .entry = RAMET_ENTRY_CLONE
#define BOTH CLONE_PIDFD | CLONE_PARENT_SETTID

/* ---- The block ---- */

static long put_nowhere(const struct ramet_call *call)
{
	return sys2(SYS_clone3, 8, (long)(call->size ? call->size : sizeof(struct clone_args)));
}

/* The block begins where it can be read and ends where it cannot. */
static long put_across(const struct ramet_call *call)
{
	char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)call;
	mprotect(pages + 4096, 4096, PROT_NONE);
	return sys2(SYS_clone3, (long)(pages + 4096 - 64), sizeof(struct clone_args));
}

static int trailing(struct ramet_call *call, uint64_t size)
{
	call->size = size;
	call->trailing = 1;
	return 0;
}

static int trailing_89(struct ramet_call *call)
{
	return trailing(call, 89);
}

static int trailing_page(struct ramet_call *call)
{
	return trailing(call, 4096);
}

FIELD(size_63, size, 63)
FIELD(size_64, size, 64)
FIELD(size_65, size, 65)
FIELD(size_page, size, 4096)
FIELD(size_above_page, size, 4097)

/* ---- Its fields ---- */

FIELD(signal_65, exit_signal, 65)
FIELD(signal_256, exit_signal, 256)
FIELD(signal_high, exit_signal, 1ULL << 32)
FIELD(no_size, stack_size, 0)
FIELD(no_stack, stack, 0)
FIELD(stack_in_kernel, stack, ~0ULL << 20)
FIELD(stack_wraps, stack_size, ~0ULL - 4096)
FIELD(pidfd_on_tid, pidfd, call->parent_tid)
FIELD(pidfd_nowhere, pidfd, 8)
FIELD(tid_nowhere, parent_tid, 8)
FIELD(tls_last, tls, 0x7fffffffefff)
FIELD(tls_high, tls, ~0ULL)
FIELD(cgroup_high, cgroup, 1ULL << 31)

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

/* Not mapped, but where a program may have something. The task dies of it, without a word. */
static int stack_unmapped(struct ramet_call *call)
{
	const struct rlimit none = {0, 0};

	setrlimit(RLIMIT_CORE, &none);
	signal(SIGSEGV, SIG_DFL); /* sanitizers have a handler */
	call->stack = 1ULL << 40;
	return 0;
}

static int size_too_small_for_cgroup(struct ramet_call *call)
{
	call->size = 87;
	call->cgroup = 0;
	return 0;
}

/* ---- set_tid ---- */

static int tids_33(struct ramet_call *call)
{
	return set_tids(call, 1, 33);
}

static int tids_33_trailing(struct ramet_call *call)
{
	return tids_33(call) || trailing_89(call) ? -1 : 0;
}

static int tids_33_cut_off(struct ramet_call *call)
{
	return tids_33(call) || size_64(call) ? -1 : 0;
}

static int tids_size_cut_off(struct ramet_call *call)
{
	call->size = 72;
	return set_tids(call, 1, 1);
}

static int tids_33_signal(struct ramet_call *call)
{
	return tids_33(call) || signal_65(call) ? -1 : 0;
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

static int tids_unreadable_signal(struct ramet_call *call)
{
	return tids_unreadable(call) || signal_65(call) ? -1 : 0;
}

static int tids_unreadable_cgroup(struct ramet_call *call)
{
	return tids_unreadable(call) || cgroup_high(call) ? -1 : 0;
}

static int tid_zero(struct ramet_call *call)
{
	return set_tids(call, 0, 1);
}

static int tid_negative(struct ramet_call *call)
{
	return set_tids(call, -5, 1);
}

static int tid_max(struct ramet_call *call)
{
	return set_tids(call, INT32_MAX, 1);
}

/* More than any nesting of this machine's. */
static int tids_32(struct ramet_call *call)
{
	for (int i = 1; i < 32; i++)
		tids[i] = 1;
	return set_tids(call, 1, 32);
}

static int tid_taken(struct ramet_call *call)
{
	return set_tids(call, getpid(), 1);
}

static int tid_one(struct ramet_call *call)
{
	return set_tids(call, 1, 1);
}

static int tid_two(struct ramet_call *call)
{
	return set_tids(call, 2, 1);
}

static int nobody_tid(struct ramet_call *call)
{
	return set_tids(call, 30000, 1) || be_nobody(call) ? -1 : 0;
}

static int nobody_tid_taken(struct ramet_call *call)
{
	return tid_taken(call) || be_nobody(call) ? -1 : 0;
}

static int nobody_tid_zero(struct ramet_call *call)
{
	return tid_zero(call) || be_nobody(call) ? -1 : 0;
}

static int nobody_own_tid(struct ramet_call *call)
{
	return tid_one(call) || be_nobody(call) ? -1 : 0;
}

/* The outer pid is chosen too, where the caller has no right to. */
static int nobody_both_tids(struct ramet_call *call)
{
	tids[1] = 30000;
	return set_tids(call, 1, 2) || be_nobody(call) ? -1 : 0;
}

/* Root at home, but the pid namespace belongs to a user namespace further out. */
static int nested_tid(struct ramet_call *call)
{
	return set_tids(call, 30000, 1) || shape_enter_user() ? -1 : 0;
}

/* ---- Pairs: which rule comes first ---- */

static int tls_and_tid_zero(struct ramet_call *call)
{
	return tls_refused(call) || tid_zero(call) ? -1 : 0;
}

static int tid_taken_no_descriptors(struct ramet_call *call)
{
	return tid_taken(call) || no_descriptors(call) ? -1 : 0;
}

static int no_descriptors_bad_pidfd(struct ramet_call *call)
{
	return pidfd_nowhere(call) || no_descriptors(call) ? -1 : 0;
}

static int dead_pids_no_descriptors(struct ramet_call *call)
{
	return dead_pids(call) || no_descriptors(call) ? -1 : 0;
}

/* ---- The cases ---- */

static const struct test tests[] = {
	{"a child of the caller", 0, NULL, .flags = 0},
	{"memory shared without a stack, held", 0, NULL, .flags = CLONE_VM | CLONE_VFORK,
	 .prepare = callers_stack},
	{"a block of 63 bytes", EINVAL, "clone3-size-too-small", .prepare = size_63},
	{"a block of 64 bytes", 0, NULL, .prepare = size_64},
	{"a block of 65 bytes", 0, NULL, .prepare = size_65},
	{"a block of a page", 0, NULL, .prepare = size_page},
	{"a block above a page", E2BIG, "clone3-size-too-large", .prepare = size_above_page},
	{"something beyond what is known", E2BIG, "clone3-trailing-bytes", .prepare = trailing_89},
	{"something at a page's end", E2BIG, "clone3-trailing-bytes", .prepare = trailing_page},
	{"a block nowhere", EFAULT, "clone3-unreadable", true, .put = put_nowhere},
	{"a block half of it nowhere", EFAULT, "clone3-unreadable", true, .put = put_across},
	{"the size is looked at before the block", EINVAL, "clone3-size-too-small",
	 .prepare = size_63, .put = put_nowhere},
	{"a large size too", E2BIG, "clone3-size-too-large", .prepare = size_above_page,
	 .put = put_nowhere},
	{"set_tid of 33", EINVAL, "set-tid-too-many", .prepare = tids_33},
	{"what is unknown comes before set_tid", E2BIG, "clone3-trailing-bytes",
	 .prepare = tids_33_trailing},
	{"set_tid of 33 beyond the block's end", 0, NULL, .prepare = tids_33_cut_off},
	{"set_tid NULL", EINVAL, "set-tid-missing", .prepare = tids_missing},
	{"set_tid without a size", EINVAL, "set-tid-uncounted", .prepare = tids_uncounted},
	{"set_tid whose size is beyond the end", EINVAL, "set-tid-uncounted",
	 .prepare = tids_size_cut_off},
	{"set_tid before the exit signal", EINVAL, "set-tid-too-many", .prepare = tids_33_signal},
	{"exit signal 64", 0, NULL, .prepare = signal_64},
	{"exit signal 65", EINVAL, "exit-signal-range", .prepare = signal_65},
	{"exit signal 256", EINVAL, "exit-signal-range", .prepare = signal_256},
	{"exit signal 2^32", EINVAL, "exit-signal-range", .prepare = signal_high},
	{"exit signal 65 by clone(2)", 0, NULL, CLONE2, .prepare = old_signal_65,
	 .until = KERNEL(7, 1)},
	{"a cgroup descriptor above INT_MAX", EINVAL, "cgroup-range", .flags = CLONE_INTO_CGROUP,
	 .prepare = cgroup_high},
	{"a cgroup beyond the block's end", EINVAL, "cgroup-range", .flags = CLONE_INTO_CGROUP,
	 .prepare = size_too_small_for_cgroup},
	{"that descriptor without the flag", 0, NULL, .prepare = cgroup_high},
	{"set_tid not readable", EFAULT, "set-tid-unreadable", true, .root = true,
	 .prepare = tids_unreadable},
	{"the exit signal before unreadable pids", EINVAL, "exit-signal-range",
	 .prepare = tids_unreadable_signal},
	{"the cgroup before unreadable pids", EINVAL, "cgroup-range", .flags = CLONE_INTO_CGROUP,
	 .prepare = tids_unreadable_cgroup},
	{"unreadable pids before all flags", EFAULT, "set-tid-unreadable", true,
	 .flags = CLONE_SIGHAND | CLONE_DETACHED, .prepare = tids_unreadable,
	 .verdict = "detached-in-clone3"},
	{"a stack of size 0", EINVAL, "stack-without-size", .prepare = no_size},
	{"a size without a stack", EINVAL, "stack-size-without-stack", .prepare = no_stack},
	{"a stack in the kernel", EINVAL, "stack-out-of-range", .prepare = stack_in_kernel},
	{"a stack that wraps", EINVAL, "stack-out-of-range", .prepare = stack_wraps},
	{"a stack that is not mapped", 0, NULL, .prepare = stack_unmapped},
	{"pidfd and tid apart", 0, NULL, .flags = BOTH},
	{"pidfd and tid at one address", EINVAL, "pidfd-on-parent-tid", .flags = BOTH,
	 .prepare = pidfd_on_tid},
	{"pidfd and tid at NULL", EINVAL, "pidfd-on-parent-tid", .flags = BOTH,
	 .prepare = both_nowhere},
	{"pidfd and tid by clone(2)", EINVAL, "pidfd-on-parent-tid", CLONE2, .flags = BOTH},
	{"the last thread pointer", 0, NULL, .flags = CLONE_SETTLS, .prepare = tls_last},
	{"a thread pointer out of range", EPERM, "tls-out-of-range", .flags = CLONE_SETTLS,
	 .prepare = tls_refused},
	{"a thread pointer out of range by clone(2)", EPERM, "tls-out-of-range", CLONE2,
	 .flags = CLONE_SETTLS, .prepare = tls_refused},
	{"that pointer without the flag", 0, NULL, .prepare = tls_high},
	{"a pidfd of a thread", EINVAL, "pidfd-of-thread", .flags = THREAD | CLONE_PIDFD,
	 .until = KERNEL(6, 9)},
	{"a pidfd of a thread since 6.9", 0, NULL, .flags = THREAD | CLONE_PIDFD,
	 .since = KERNEL(6, 9)},
	{"pid 0", EINVAL, "set-tid-value", true, .root = true, .prepare = tid_zero},
	{"a negative pid", EINVAL, "set-tid-value", true, .root = true, .prepare = tid_negative},
	{"a pid above pid_max", EINVAL, "set-tid-value", true, .root = true, .prepare = tid_max},
	{"more pids than levels", EINVAL, "set-tid-value", true, .root = true, .prepare = tids_32},
	{"a pid that is taken", EEXIST, "set-tid-taken", true, .root = true, .prepare = tid_taken},
	{"a chosen pid by a user", EPERM, "set-tid-needs-privilege", .prepare = nobody_tid},
	{"that comes before a taken pid", EPERM, "set-tid-needs-privilege",
	 .prepare = nobody_tid_taken},
	{"and after a pid that is none", EINVAL, "set-tid-value", true, .prepare = nobody_tid_zero,
	 .verdict = "set-tid-needs-privilege"},
	{"pid 1 of a user's own namespace", 0, NULL, .flags = CLONE_NEWUSER | CLONE_NEWPID,
	 .prepare = nobody_own_tid},
	{"that and the pid outside", EPERM, "set-tid-needs-privilege",
	 .flags = CLONE_NEWUSER | CLONE_NEWPID, .prepare = nobody_both_tids},
	{"a chosen pid by root of a user namespace", EPERM, "set-tid-privilege-elsewhere", true,
	 .prepare = nested_tid},
	{"pid 1 of a new namespace", 0, NULL, .root = true, .flags = CLONE_NEWPID,
	 .prepare = tid_one},
	{"pid 2 of a new namespace", EINVAL, "set-tid-value", true, .root = true,
	 .flags = CLONE_NEWPID, .prepare = tid_two},
	{"no descriptor for the pidfd", EMFILE, "pidfd-without-descriptor", true,
	 .flags = CLONE_PIDFD, .prepare = no_descriptors},
	{"the same by clone(2)", EMFILE, "pidfd-without-descriptor", true, CLONE2,
	 .flags = CLONE_PIDFD, .prepare = no_descriptors},
	{"nowhere to put the pidfd", EFAULT, "pidfd-unwritable", true, .flags = CLONE_PIDFD,
	 .prepare = pidfd_nowhere},
	{"the same by clone(2)", EFAULT, "pidfd-unwritable", true, CLONE2, .flags = CLONE_PIDFD,
	 .prepare = tid_nowhere},
	{"nowhere to put the tid", 0, NULL, .flags = CLONE_PARENT_SETTID, .prepare = tid_nowhere},
	{"the thread pointer before the pids", EPERM, "tls-out-of-range", .root = true,
	 .flags = CLONE_SETTLS, .prepare = tls_and_tid_zero},
	{"SYSVSEM before the thread pointer", EINVAL, "sysvsem-with-new-ipc", .root = true,
	 .flags = CLONE_SETTLS | CLONE_NEWIPC | CLONE_SYSVSEM, .prepare = tls_refused},
	{"the pids before the pidfd", EEXIST, "set-tid-taken", true, .root = true,
	 .flags = CLONE_PIDFD, .prepare = tid_taken_no_descriptors},
	{"a dead pid namespace before the pidfd", ENOMEM, "pid-namespace-dead", true, .root = true,
	 .flags = CLONE_PIDFD, .prepare = dead_pids_no_descriptors},
	{"the descriptor before its place", EMFILE, "pidfd-without-descriptor", true,
	 .flags = CLONE_PIDFD, .prepare = no_descriptors_bad_pidfd},
};

int main(void)
{
	return run_tests(tests, sizeof(tests) / sizeof(tests[0]), NULL);
}
