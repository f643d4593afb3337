/* SPDX-License-Identifier: MIT */
/*
 * Verdicts: calls and callers for which it is known what the kernel says, at least one for every
 * rule. The oracle tests put such calls to the kernel; here are also those of other kernels.
 */
#include <errno.h>
#include <signal.h>

#include <ramet/model.h>

#include "lib/entry.h"
#include "model/rules.h"
#include "spec/spec.h"
#include "tap.h"
#include "uapi/clone.h"

#define SIG SIGCHLD
#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define CLONE RAMET_ENTRY_CLONE
#define CLONE3 RAMET_ENTRY_CLONE3
#define UNSHARE RAMET_ENTRY_UNSHARE
#define SETNS RAMET_ENTRY_SETNS

/* ---- Verdicts without the caller's state: what holds in every kernel ---- */

struct sample {
	const char *id; /* NULL: accepted */
	struct ramet_call call;
	struct ramet_caller caller;
};

#define CALL(entry_, flags_, ...) .call = {.entry = (entry_), .flags = (flags_), __VA_ARGS__}

static const struct sample samples[] = {
	/* Accepted, some against what man-pages 6.03 say. */
	{NULL, CALL(CLONE3, 0, .exit_signal = SIG)},
	{NULL, CALL(CLONE3, CLONE_NEWPID | CLONE_PARENT)},
	{NULL, CALL(CLONE, CLONE_NEWPID | CLONE_PARENT, .exit_signal = SIG)},
	{NULL, CALL(CLONE3, CLONE_NEWUSER | CLONE_PARENT)},
	{NULL, CALL(CLONE, CLONE_NEWUSER | CLONE_PARENT, .exit_signal = SIG)},
	{NULL, CALL(CLONE3, CLONE_VM, .exit_signal = SIG)},
	{NULL, CALL(CLONE, CLONE_VM, .exit_signal = SIG)},
	{NULL, CALL(CLONE3, 0x3d0f00 | CLONE_PIDFD, .pidfd = 8, .parent_tid = 16)},
	{NULL, CALL(CLONE3, CLONE_PIDFD | CLONE_PARENT_SETTID, .pidfd = 8, .parent_tid = 16)},
	{NULL, CALL(CLONE3, CLONE_NEWTIME, .exit_signal = SIG)},
	{NULL, CALL(CLONE3, CLONE_VM | CLONE_VFORK | CLONE_CLEAR_SIGHAND, .exit_signal = SIG)},
	{NULL, CALL(CLONE3, 0, .exit_signal = 64)},
	{NULL, CALL(CLONE3, CLONE_IO, .stack = 4096, .stack_size = 1)},
	{NULL, CALL(CLONE3, 0, .stack = 0x7fff00000000, .stack_size = 4096)},
	{NULL, CALL(CLONE3, 0, .set_tid = 8, .set_tid_size = 32)},
	{NULL, CALL(CLONE3, 0, .cgroup = ~0ULL)},
	{NULL, CALL(CLONE3, CLONE_SETTLS, .tls = ~0ULL)},
	/* Bits that a later kernel may know pass without a version. */
	{NULL, CALL(CLONE3, 1ULL << 63 | CLONE_EMPTY_MNTNS | CLONE_AUTOREAP)},
	{NULL, CALL(CLONE3, CLONE_PIDFD_AUTOKILL)},
	{NULL, CALL(CLONE3, CLONE_AUTOREAP | 0x3d0f00)},
	{NULL, CALL(CLONE3, CLONE_AUTOREAP | CLONE_PARENT)},
	{NULL, CALL(CLONE3, CLONE_AUTOREAP, .exit_signal = SIG)},
	{NULL, CALL(CLONE3, CLONE_NNP | 0x3d0f00)},
	{NULL, CALL(CLONE3, CLONE_PIDFD_AUTOKILL | 0x3d0f00)},
	/* clone(2): the upper half and clone3's checks do not exist. */
	{NULL, CALL(CLONE, ~0xffffffffULL, .exit_signal = SIG)},
	{NULL, CALL(CLONE, CLONE_DETACHED | 0x3d0f00)},
	{NULL, CALL(CLONE, CLONE_PARENT, .exit_signal = SIG)},
	{NULL, CALL(CLONE, 0x3d0f00, .exit_signal = SIG)},
	{NULL, CALL(CLONE, 0, .exit_signal = 255)},
	{NULL, CALL(CLONE, CLONE_PIDFD)},
	{NULL, CALL(CLONE, 0, .stack = 1)},
	/* Fields that clone(2) does not have. */
	{NULL, CALL(CLONE, 0, .set_tid_size = 33)},
	{NULL, CALL(CLONE, 0, .set_tid = 8)},
	{NULL, CALL(CLONE, 0, .stack_size = 1)},
	{NULL, CALL(CLONE, 0, .stack = ~0ULL << 12)},
	{NULL, CALL(CLONE, CLONE_CLEAR_SIGHAND | CLONE_SIGHAND | CLONE_VM)},
	{NULL, CALL(CLONE, 0xff)},
	/* Refused. */
	{"set-tid-too-many", CALL(CLONE3, 0, .set_tid = 8, .set_tid_size = 33)},
	{"set-tid-too-many", CALL(CLONE3, 0, .set_tid_size = 33)},
	{"set-tid-missing", CALL(CLONE3, 0, .set_tid_size = 1)},
	{"set-tid-uncounted", CALL(CLONE3, 0, .set_tid = 8)},
	{"set-tid-uncounted", CALL(CLONE3, CLONE_SIGHAND, .set_tid = 8, .exit_signal = 65)},
	{"exit-signal-range", CALL(CLONE3, CLONE_SIGHAND, .exit_signal = 65)},
	{"exit-signal-range", CALL(CLONE3, 0, .exit_signal = 1ULL << 32)},
	{"exit-signal-range", CALL(CLONE3, CLONE_INTO_CGROUP, .exit_signal = 65, .cgroup = ~0ULL)},
	{"cgroup-range", CALL(CLONE3, CLONE_INTO_CGROUP, .cgroup = 0x80000000)},
	{"cgroup-range", CALL(CLONE3, CLONE_INTO_CGROUP | CLONE_DETACHED, .cgroup = 0x80000000)},
	{NULL, CALL(CLONE3, CLONE_INTO_CGROUP, .cgroup = 0x7fffffff)},
	{"detached-in-clone3", CALL(CLONE3, CLONE_DETACHED)},
	{"detached-in-clone3", CALL(CLONE3, CLONE_DETACHED | 1)},
	{"signal-in-flags", CALL(CLONE3, 1)},
	{"signal-in-flags", CALL(CLONE3, 0x40 | CLONE_SIGHAND | CLONE_CLEAR_SIGHAND)},
	{"sighand-shared-and-cleared", CALL(CLONE3, CLONE_SIGHAND | CLONE_CLEAR_SIGHAND)},
	{"thread-with-exit-signal", CALL(CLONE3, 0x3d0f00, .exit_signal = SIG)},
	{"thread-with-exit-signal", CALL(CLONE3, CLONE_THREAD | CLONE_PARENT, .exit_signal = SIG)},
	{"sibling-with-exit-signal", CALL(CLONE3, CLONE_PARENT, .exit_signal = SIG)},
	{"sibling-with-exit-signal", CALL(CLONE3, CLONE_PARENT, .exit_signal = 1, .stack = 1)},
	{"stack-without-size", CALL(CLONE3, CLONE_VM, .stack = 4096)},
	{"stack-size-without-stack", CALL(CLONE3, CLONE_VM, .stack_size = 4096)},
	{"stack-out-of-range", CALL(CLONE3, 0, .stack = ~0ULL - 4095, .stack_size = 4096)},
	{"stack-out-of-range", CALL(CLONE3, 0, .stack = ~0ULL << 63, .stack_size = ~0ULL << 55)},
	{"stack-out-of-range", CALL(CLONE3, 0, .stack = 4096, .stack_size = ~0ULL - 8192)},
	{"pidfd-on-parent-tid", CALL(CLONE, CLONE_PIDFD | CLONE_PARENT_SETTID, .pidfd = 8)},
	{"pidfd-on-parent-tid",
	 CALL(CLONE3, CLONE_PIDFD | CLONE_PARENT_SETTID, .pidfd = 8, .parent_tid = 8)},
	{"pidfd-on-parent-tid", CALL(CLONE3, CLONE_PIDFD | CLONE_PARENT_SETTID | CLONE_SIGHAND)},
	{"fs-with-new-mounts", CALL(CLONE3, CLONE_FS | CLONE_NEWNS)},
	{"fs-with-new-mounts", CALL(CLONE, CLONE_FS | CLONE_NEWNS | CLONE_NEWUSER)},
	{"fs-with-new-mounts", CALL(CLONE3, CLONE_FS | CLONE_EMPTY_MNTNS)},
	{"fs-with-new-user", CALL(CLONE3, CLONE_FS | CLONE_NEWUSER)},
	{"thread-needs-sighand", CALL(CLONE3, CLONE_THREAD)},
	{"thread-needs-sighand", CALL(CLONE, CLONE_THREAD | CLONE_VM, .exit_signal = SIG)},
	{"sighand-needs-memory", CALL(CLONE3, CLONE_SIGHAND)},
	{"sighand-needs-memory", CALL(CLONE, CLONE_SIGHAND | CLONE_THREAD)},
	{"thread-with-new-user-or-pid", CALL(CLONE3, 0x3d0d00 | CLONE_NEWUSER)},
	{"thread-with-new-user-or-pid", CALL(CLONE, 0x3d0f00 | CLONE_NEWPID)},
	{"pidfd-with-detached", CALL(CLONE, CLONE_PIDFD | CLONE_DETACHED)},
	{"sysvsem-with-new-ipc", CALL(CLONE3, CLONE_NEWIPC | CLONE_SYSVSEM)},
	{"sysvsem-with-new-ipc", CALL(CLONE, CLONE_NEWIPC | CLONE_SYSVSEM | CLONE_NEWUSER)},
	/* The size of the argument block: any from 64 to a page; fields beyond it are 0. */
	{"clone3-size-too-large", CALL(CLONE3, 0, .size = 4097)},
	{"clone3-size-too-large", CALL(CLONE3, 0, .size = ~0ULL, .set_tid_size = 33)},
	{"clone3-size-too-small", CALL(CLONE3, 0, .size = 63)},
	{"clone3-size-too-small", CALL(CLONE3, 0, .size = 1, .exit_signal = 65)},
	{"clone3-trailing-bytes", CALL(CLONE3, 0, .size = 89, .trailing = 1)},
	{"clone3-trailing-bytes", CALL(CLONE3, 0, .size = 4096, .trailing = 1, .set_tid = 8)},
	{NULL, CALL(CLONE3, 0, .size = 64, .set_tid = 8, .set_tid_size = 33)},
	{NULL, CALL(CLONE3, 0, .size = 65)},
	{NULL, CALL(CLONE3, 0, .size = 4096)},
	{NULL, CALL(CLONE3, 0, .size = 80, .set_tid = 8, .set_tid_size = 1)},
	{"set-tid-uncounted", CALL(CLONE3, 0, .size = 72, .set_tid = 8, .set_tid_size = 1)},
	{NULL, CALL(CLONE3, 0, .size = 73, .set_tid = 8, .set_tid_size = 1)},
	{"set-tid-too-many", CALL(CLONE3, 0, .size = 73, .set_tid = 8, .set_tid_size = 33)},
	{NULL, CALL(CLONE3, 0, .size = 64, .cgroup = 5)},
	{"cgroup-range", CALL(CLONE3, CLONE_INTO_CGROUP, .size = 87, .cgroup = 5)},
	{NULL, CALL(CLONE3, CLONE_INTO_CGROUP, .size = 88, .cgroup = 5)},
	/* unshare */
	{NULL, CALL(UNSHARE, 0)},
	{NULL, CALL(UNSHARE, CLONE_FS | CLONE_FILES | CLONE_SYSVSEM | CLONE_NEW_ANY)},
	{NULL, CALL(UNSHARE, CLONE_VM | CLONE_SIGHAND | CLONE_THREAD)},
	{NULL, CALL(UNSHARE, CLONE_NEWIPC | CLONE_SYSVSEM)},
	{NULL, CALL(UNSHARE, CLONE_NEWNS | CLONE_FS)},
	{NULL, CALL(UNSHARE, CLONE_NEWUSER | CLONE_FS | CLONE_THREAD)},
	/* Since 7.1 it may be UNSHARE_EMPTY_MNTNS. */
	{NULL, CALL(UNSHARE, CLONE_PARENT_SETTID)},
	{"not-to-be-unshared", CALL(UNSHARE, CLONE_IO)},
	{"not-to-be-unshared", CALL(UNSHARE, CLONE_PIDFD)},
	{"not-to-be-unshared", CALL(UNSHARE, CLONE_VFORK | CLONE_FS)},
	{"not-to-be-unshared", CALL(UNSHARE, 1)},
	{"not-to-be-unshared", CALL(UNSHARE, CLONE_CLEAR_SIGHAND)},
	{"not-to-be-unshared", CALL(UNSHARE, 1ULL << 63)},
	/* setns: an int, and what it names is not known here. */
	{NULL, CALL(SETNS, 0)},
	{NULL, CALL(SETNS, CLONE_NEW_ANY)},
	{NULL, CALL(SETNS, 1ULL << 32)},
	{"setns-no-namespace-flag", CALL(SETNS, CLONE_FS)},
	{"setns-no-namespace-flag", CALL(SETNS, CLONE_NEWNS | CLONE_IO)},
};

static const char *id_of(const struct ramet_rule *rule)
{
	return rule ? rule->id : NULL;
}

static unsigned met[128], unfound;

static void judge(const struct sample *s, const struct ramet_caller *caller, const char *what)
{
	const struct ramet_rule *rule = ramet_check(&s->call, caller), *next = NULL;
	unsigned kernel = caller ? caller->kernel : 0;
	size_t index = 0;

	is_str(id_of(rule), s->id, "%s: %s flags 0x%jx: %s", what, entry_name(s->call.entry),
	       (uintmax_t)s->call.flags, s->id ? s->id : "accepted");
	if (!rule)
		return;
	met[rule - ramet_rule_at(0)]++;
	/* Whoever knows only the errno finds it too, among others. */
	do
		next = ramet_check_next(&s->call, kernel, rule->error, &index);
	while (next && next != rule);
	unfound += next != rule;
}

static void test_verdicts(void)
{
	struct ramet_caller unknown = {0};
	size_t differ = 0;

	for (size_t i = 0; i < LENGTH(samples); i++) {
		judge(&samples[i], NULL, "no caller");
		differ += ramet_check(&samples[i].call, &unknown) !=
			  ramet_check(&samples[i].call, NULL);
	}
	is_int(differ, 0, "a caller of whom nothing is known changes nothing");
}

/* ---- Verdicts with state ---- */

#define ADMIN .known = RAMET_KNOWN_CAPS, .sys_admin = 1
#define USER .known = RAMET_KNOWN_CAPS
#define THREADED .known = RAMET_KNOWN_THREADS, .threads = 2
#define SHARING .known = RAMET_KNOWN_SHARERS
/* A caller of setns of whom all is known, alone and with every right unless said otherwise. */
#pragma GCC diagnostic ignored "-Woverride-init"
#define TARGET(fd_, ...)                                                                           \
	.known = RAMET_KNOWN_TARGET | RAMET_KNOWN_CAPS | RAMET_KNOWN_THREADS |                     \
		 RAMET_KNOWN_SHARERS,                                                              \
	.sys_admin = 1, .sys_chroot = 1, .threads = 1,                                             \
	.target = {.fd = RAMET_FD_##fd_, __VA_ARGS__}
#define NAMESPACE(type_, ...) TARGET(NAMESPACE, .type = CLONE_NEW##type_, __VA_ARGS__)
#define OFF(flags_) .known = RAMET_KNOWN_NAMESPACES, .no_namespaces = (flags_)
#define V(major, minor, patch) .kernel = KERNEL_PATCH(major, minor, patch)

static const struct sample states[] = {
	{"new-namespace-needs-admin", CALL(CLONE3, CLONE_NEWUTS), {USER}},
	{"new-namespace-needs-admin", CALL(CLONE3, CLONE_NEWTIME), {USER}},
	{NULL, CALL(CLONE, CLONE_NEWTIME), {USER}},
	{"new-namespace-needs-admin", CALL(CLONE3, CLONE_NEWIPC | CLONE_SYSVSEM), {USER}},
	{"sysvsem-with-new-ipc", CALL(CLONE3, CLONE_NEWIPC | CLONE_SYSVSEM), {ADMIN}},
	{NULL, CALL(CLONE3, CLONE_NEWUTS | CLONE_NEWUSER), {USER}},
	{NULL, CALL(CLONE3, CLONE_NEWUTS), {ADMIN}},
	{NULL, CALL(CLONE3, 0x3d0f00), {USER}},
	{"sibling-of-init", CALL(CLONE3, CLONE_PARENT), {.known = RAMET_KNOWN_INIT, .init = 1}},
	{NULL, CALL(CLONE3, CLONE_PARENT), {.known = RAMET_KNOWN_INIT}},
	{NULL, CALL(CLONE3, 0x3d0f00), {.known = RAMET_KNOWN_INIT, .init = 1}},
	{NULL, CALL(CLONE3, CLONE_PARENT), {.init = 1}},
	{"thread-in-other-pid-namespace",
	 CALL(CLONE3, 0x3d0f00),
	 {.known = RAMET_KNOWN_PIDNS, .pid_for_children = 1}},
	{"new-pid-namespace-twice",
	 CALL(CLONE3, CLONE_NEWPID),
	 {.known = RAMET_KNOWN_PIDNS, .pid_for_children = 1}},
	{NULL,
	 CALL(CLONE3, CLONE_VM | CLONE_SIGHAND),
	 {.known = RAMET_KNOWN_PIDNS, .pid_for_children = 1}},
	{"user-namespaces-off",
	 CALL(CLONE3, CLONE_NEWUSER),
	 {.known = RAMET_KNOWN_NAMESPACES | RAMET_KNOWN_IDS,
	  .no_namespaces = CLONE_NEWUSER,
	  .unmapped = 1}},
	{"user-namespace-by-unmapped",
	 CALL(CLONE, CLONE_NEWUSER),
	 {.known = RAMET_KNOWN_IDS, .unmapped = 1}},
	{NULL, CALL(CLONE, CLONE_NEWUSER), {.known = RAMET_KNOWN_ROOT}},
	{"user-namespace-in-chroot",
	 CALL(CLONE, CLONE_NEWUSER),
	 {.known = RAMET_KNOWN_ROOT, .chrooted = 1}},
	{NULL, CALL(CLONE, CLONE_NEWUTS), {.known = RAMET_KNOWN_ROOT, .chrooted = 1}},
	{"process-limit",
	 CALL(CLONE3, CLONE_NEWUTS),
	 {.known = RAMET_KNOWN_LIMITS | RAMET_KNOWN_CAPS, .nproc = 5, .nproc_limit = 5}},
	{NULL, CALL(CLONE3, 0), {.known = RAMET_KNOWN_LIMITS, .nproc = 4, .nproc_limit = 5}},
	{NULL, CALL(CLONE3, 0), {.known = RAMET_KNOWN_LIMITS, .nproc = 4, .nproc_limit = ~0ULL}},
	{"deadline-without-reset", CALL(CLONE, 0), {.known = RAMET_KNOWN_SCHED, .deadline = 1}},
	{"mnt-uts-ipc-namespaces-off",
	 CALL(CLONE3, CLONE_NEWUTS | CLONE_NEWPID),
	 {.known = RAMET_KNOWN_NAMESPACES | RAMET_KNOWN_PIDNS,
	  .no_namespaces = CLONE_NEWUTS,
	  .pid_for_children = 1}},
	{"new-pid-namespace-twice",
	 CALL(CLONE3, CLONE_NEWNET | CLONE_NEWPID),
	 {.known = RAMET_KNOWN_NAMESPACES | RAMET_KNOWN_PIDNS,
	  .no_namespaces = CLONE_NEWNET,
	  .pid_for_children = 1}},
	{"pid-cgroup-net-time-namespaces-off",
	 CALL(CLONE3, CLONE_NEWNET | CLONE_NEWPID),
	 {.known = RAMET_KNOWN_NAMESPACES, .no_namespaces = CLONE_NEWNET}},
	{NULL,
	 CALL(CLONE3, CLONE_NEWNET),
	 {.known = RAMET_KNOWN_NAMESPACES, .no_namespaces = CLONE_NEWUSER}},
	{"mnt-uts-ipc-namespaces-off", CALL(CLONE3, CLONE_NEWNS), {OFF(CLONE_NEWNS)}},
	{"mnt-uts-ipc-namespaces-off", CALL(CLONE3, CLONE_NEWIPC), {OFF(CLONE_NEWIPC)}},
	{"pid-cgroup-net-time-namespaces-off", CALL(CLONE3, CLONE_NEWPID), {OFF(CLONE_NEWPID)}},
	{"pid-cgroup-net-time-namespaces-off",
	 CALL(CLONE3, CLONE_NEWCGROUP),
	 {OFF(CLONE_NEWCGROUP)}},
	{"pid-cgroup-net-time-namespaces-off", CALL(CLONE3, CLONE_NEWTIME), {OFF(CLONE_NEWTIME)}},
	{NULL, CALL(CLONE, CLONE_NEWTIME), {OFF(CLONE_NEWTIME)}},
	{"tls-out-of-range",
	 CALL(CLONE, CLONE_SETTLS, .tls = 4096),
	 {.known = RAMET_KNOWN_TLS, .tls_limit = 4096}},
	{NULL,
	 CALL(CLONE, CLONE_SETTLS, .tls = 4095),
	 {.known = RAMET_KNOWN_TLS, .tls_limit = 4096}},
	{NULL, CALL(CLONE, CLONE_SETTLS, .tls = ~0ULL), {.known = RAMET_KNOWN_TLS}},
	{NULL, CALL(CLONE, 0, .tls = 4096), {.known = RAMET_KNOWN_TLS, .tls_limit = 4096}},
	{NULL, CALL(CLONE, 0, .set_tid = 8, .set_tid_size = 1), {USER}},
	{"set-tid-needs-privilege", CALL(CLONE3, 0, .set_tid = 8, .set_tid_size = 1), {USER}},
	{NULL, CALL(CLONE3, 0, .set_tid = 8, .set_tid_size = 1), {USER, .checkpoint = 1}},
	{NULL, CALL(CLONE3, 0, .set_tid = 8, .set_tid_size = 1), {ADMIN}},
	{NULL, CALL(CLONE3, CLONE_NEWPID | CLONE_NEWUSER, .set_tid = 8, .set_tid_size = 1), {USER}},
	{"set-tid-needs-privilege",
	 CALL(CLONE3, CLONE_NEWPID | CLONE_NEWUSER, .set_tid = 8, .set_tid_size = 2),
	 {USER}},
	{"cgroup-not-a-directory",
	 CALL(CLONE3, CLONE_INTO_CGROUP),
	 {.known = RAMET_KNOWN_CGROUP, .cgroup_error = EBADF}},
	{"cgroup-removed",
	 CALL(CLONE3, CLONE_INTO_CGROUP),
	 {.known = RAMET_KNOWN_CGROUP, .cgroup_error = ENOENT}},
	{"cgroup-not-writable",
	 CALL(CLONE3, CLONE_INTO_CGROUP),
	 {.known = RAMET_KNOWN_CGROUP, .cgroup_error = EACCES}},
	{NULL, CALL(CLONE3, 0), {.known = RAMET_KNOWN_CGROUP, .cgroup_error = EACCES}},
	/* Versions. */
	{NULL, CALL(CLONE3, CLONE_PIDFD, .pidfd = 8), {V(6, 8, 0)}},
	{NULL, CALL(CLONE3, 0x3d0f00), {V(6, 8, 0)}},
	{"pidfd-of-thread", CALL(CLONE3, 0x3d0f00 | CLONE_PIDFD, .pidfd = 8), {V(6, 8, 255)}},
	{NULL, CALL(CLONE3, 0x3d0f00 | CLONE_PIDFD, .pidfd = 8), {V(6, 9, 0)}},
	{"newtime-not-in-clone3", CALL(CLONE3, CLONE_NEWTIME), {V(5, 10, 174)}},
	{NULL, CALL(CLONE3, CLONE_NEWTIME), {V(5, 10, 175)}},
	{"newtime-not-in-clone3", CALL(CLONE3, CLONE_NEWTIME), {V(5, 11, 200)}},
	{"newtime-not-in-clone3", CALL(CLONE3, CLONE_NEWTIME), {V(6, 1, 19)}},
	{NULL, CALL(CLONE3, CLONE_NEWTIME), {V(6, 1, 20)}},
	{"newtime-not-in-clone3", CALL(CLONE3, CLONE_NEWTIME), {V(6, 2, 6)}},
	{NULL, CALL(CLONE3, CLONE_NEWTIME), {V(6, 3, 0)}},
	{"memory-across-time-namespaces",
	 CALL(CLONE, CLONE_VM),
	 {.known = RAMET_KNOWN_TIMENS, .time_for_children = 1, V(6, 1, 200)}},
	{NULL,
	 CALL(CLONE, CLONE_VM),
	 {.known = RAMET_KNOWN_TIMENS, .time_for_children = 1, V(6, 2, 0)}},
	{NULL, CALL(CLONE, CLONE_VM), {.known = RAMET_KNOWN_TIMENS, V(6, 1, 200)}},
	{"flag-of-7.1", CALL(CLONE3, CLONE_NNP), {V(6, 18, 44)}},
	{"flag-of-7.1", CALL(CLONE3, CLONE_EMPTY_MNTNS | CLONE_FS), {V(7, 0, 9)}},
	{NULL, CALL(CLONE3, CLONE_NNP), {V(7, 1, 0)}},
	{"unknown-flag", CALL(CLONE3, 1ULL << 38), {V(5, 10, 0)}},
	{"unknown-flag", CALL(CLONE3, 1ULL << 63), {V(7, 1, 0)}},
	{NULL, CALL(CLONE3, 1ULL << 63), {V(7, 2, 0)}},
	{NULL, CALL(CLONE, 0xff), {V(6, 18, 44)}},
	{"exit-signal-range-clone", CALL(CLONE, 0xff), {V(7, 1, 0)}},
	{NULL, CALL(CLONE, 0, .exit_signal = 64), {V(7, 1, 0)}},
	{NULL, CALL(CLONE3, 0x3d0f00), {V(7, 1, 0)}},
	{NULL, CALL(CLONE3, CLONE_PARENT), {V(7, 1, 0)}},
	{NULL, CALL(CLONE3, CLONE_PIDFD_AUTOKILL | CLONE_PIDFD | CLONE_AUTOREAP), {USER}},
	{"autoreap-of-thread", CALL(CLONE3, CLONE_AUTOREAP | 0x3d0f00), {V(7, 1, 0)}},
	{"autoreap-of-sibling", CALL(CLONE3, CLONE_AUTOREAP | CLONE_PARENT), {V(7, 1, 0)}},
	{"autoreap-with-exit-signal",
	 CALL(CLONE3, CLONE_AUTOREAP, .exit_signal = SIG),
	 {V(7, 1, 0)}},
	{NULL, CALL(CLONE3, CLONE_AUTOREAP), {V(7, 1, 0)}},
	{"no-new-privs-of-thread", CALL(CLONE3, CLONE_NNP | 0x3d0f00), {V(7, 1, 0)}},
	{"autokill-needs-pidfd", CALL(CLONE3, CLONE_PIDFD_AUTOKILL), {V(7, 1, 0)}},
	{"autokill-needs-autoreap", CALL(CLONE3, CLONE_PIDFD_AUTOKILL | CLONE_PIDFD), {V(7, 1, 0)}},
	{"autokill-needs-no-new-privs",
	 CALL(CLONE3, CLONE_PIDFD_AUTOKILL | CLONE_PIDFD | CLONE_AUTOREAP),
	 {USER, V(7, 1, 0)}},
	{NULL,
	 CALL(CLONE3, CLONE_PIDFD_AUTOKILL | CLONE_PIDFD | CLONE_AUTOREAP),
	 {ADMIN, V(7, 1, 0)}},
	{NULL,
	 CALL(CLONE3, CLONE_PIDFD_AUTOKILL | CLONE_PIDFD | CLONE_AUTOREAP | CLONE_NNP),
	 {USER, V(7, 1, 0)}},
	/* unshare */
	{"unshare-empty-mounts-of-7.1", CALL(UNSHARE, CLONE_PARENT_SETTID), {V(7, 0, 9)}},
	{NULL, CALL(UNSHARE, CLONE_PARENT_SETTID), {V(7, 1, 0)}},
	{"new-namespace-needs-admin", CALL(UNSHARE, CLONE_PARENT_SETTID), {USER, V(7, 1, 0)}},
	{"unshare-among-threads", CALL(UNSHARE, CLONE_THREAD), {THREADED}},
	{"unshare-among-threads", CALL(UNSHARE, CLONE_VM | CLONE_NEWUSER), {THREADED}},
	{NULL, CALL(UNSHARE, CLONE_VM), {.known = RAMET_KNOWN_THREADS, .threads = 1}},
	{NULL, CALL(UNSHARE, CLONE_FS | CLONE_FILES | CLONE_NEWNS), {THREADED}},
	{"new-user-among-threads", CALL(UNSHARE, CLONE_NEWUSER), {THREADED}},
	{"unshare-shared-sighand", CALL(UNSHARE, CLONE_SIGHAND), {SHARING, .sighand_shared = 1}},
	{"unshare-shared-sighand",
	 CALL(UNSHARE, CLONE_VM),
	 {SHARING, .sighand_shared = 1, .memory_shared = 1}},
	{NULL, CALL(UNSHARE, CLONE_THREAD), {SHARING, .sighand_shared = 1, .memory_shared = 1}},
	{"unshare-shared-memory", CALL(UNSHARE, CLONE_VM), {SHARING, .memory_shared = 1}},
	{NULL, CALL(UNSHARE, CLONE_SIGHAND), {SHARING, .memory_shared = 1}},
	{NULL, CALL(UNSHARE, CLONE_VM | CLONE_FS), {SHARING, .fs_shared = 1}},
	{"new-namespace-needs-admin", CALL(UNSHARE, CLONE_NEWTIME), {USER}},
	{NULL, CALL(UNSHARE, CLONE_NEWTIME | CLONE_NEWUSER), {USER}},
	{"user-namespace-by-unmapped",
	 CALL(UNSHARE, CLONE_NEWUSER),
	 {.known = RAMET_KNOWN_IDS, .unmapped = 1}},
	{"new-pid-namespace-twice",
	 CALL(UNSHARE, CLONE_NEWPID),
	 {.known = RAMET_KNOWN_PIDNS, .pid_for_children = 1}},
	{NULL,
	 CALL(UNSHARE, CLONE_NEWTIME),
	 {.known = RAMET_KNOWN_TIMENS, .time_for_children = 1, V(6, 1, 0)}},
	/* setns */
	{"setns-descriptor-not-open", CALL(SETNS, CLONE_FS), {TARGET(BAD)}},
	{"setns-descriptor-of-no-namespace", CALL(SETNS, 0), {TARGET(OTHER)}},
	{"setns-other-type", CALL(SETNS, CLONE_NEWNET), {NAMESPACE(UTS)}},
	{"setns-other-type", CALL(SETNS, CLONE_NEWUTS | CLONE_NEWNET), {NAMESPACE(UTS)}},
	{"setns-other-type", CALL(SETNS, 1), {NAMESPACE(UTS)}},
	{NULL, CALL(SETNS, 0), {NAMESPACE(UTS)}},
	{NULL, CALL(SETNS, CLONE_NEWUTS | 1ULL << 40), {NAMESPACE(UTS)}},
	{"setns-pidfd-without-type", CALL(SETNS, 0), {TARGET(PIDFD)}},
	{"setns-pidfd-without-type", CALL(SETNS, 1ULL << 32), {TARGET(PIDFD)}},
	{"setns-no-namespace-flag", CALL(SETNS, CLONE_FS), {TARGET(PIDFD, .dead = 1)}},
	{"setns-target-not-readable",
	 CALL(SETNS, CLONE_NEWUTS),
	 {TARGET(PIDFD, .dead = 1, .closed = 1)}},
	{"setns-target-ended", CALL(SETNS, CLONE_NEWUTS), {TARGET(PIDFD, .dead = 1)}},
	{"setns-own-user-namespace", CALL(SETNS, 0), {NAMESPACE(USER, .own_user = 1)}},
	{"setns-own-user-namespace",
	 CALL(SETNS, CLONE_NEWUSER | CLONE_NEWUTS),
	 {TARGET(PIDFD, .own_user = 1, .no_admin = CLONE_NEW_ANY)}},
	{NULL, CALL(SETNS, CLONE_NEWUTS), {TARGET(PIDFD, .own_user = 1)}},
	{"setns-user-among-threads", CALL(SETNS, 0), {NAMESPACE(USER), .threads = 2}},
	{"setns-user-with-shared-fs", CALL(SETNS, 0), {NAMESPACE(USER), .fs_shared = 1}},
	{"setns-user-needs-admin", CALL(SETNS, 0), {NAMESPACE(USER, .no_admin = CLONE_NEWUSER)}},
	/* Over the new home the owner has all, whoever it is at the old one. */
	{NULL, CALL(SETNS, CLONE_NEWUSER | CLONE_NEWUTS), {TARGET(PIDFD), .sys_admin = 0}},
	{NULL, CALL(SETNS, CLONE_NEWUSER | CLONE_NEWNS), {TARGET(PIDFD), .sys_chroot = 0}},
	{"setns-mnt-needs-admin",
	 CALL(SETNS, CLONE_NEWUSER | CLONE_NEWNS),
	 {TARGET(PIDFD, .no_chroot = 1)}},
	{"setns-mnt-needs-admin", CALL(SETNS, 0), {NAMESPACE(NS), .sys_chroot = 0}},
	{"setns-mnt-needs-admin", CALL(SETNS, 0), {NAMESPACE(NS), .sys_admin = 0}},
	{"setns-mnt-needs-admin", CALL(SETNS, 0), {NAMESPACE(NS, .no_admin = CLONE_NEWNS)}},
	{"setns-mnt-with-shared-fs", CALL(SETNS, 0), {NAMESPACE(NS), .fs_shared = 1}},
	{"setns-mnt-with-shared-fs", CALL(SETNS, CLONE_NEWNS), {TARGET(PIDFD), .fs_shared = 1}},
	{NULL, CALL(SETNS, CLONE_NEWNS | CLONE_NEWUTS), {TARGET(PIDFD), .fs_shared = 1}},
	{"setns-uts-ipc-pid-needs-admin", CALL(SETNS, 0), {NAMESPACE(UTS), .sys_admin = 0}},
	{"setns-uts-ipc-pid-needs-admin",
	 CALL(SETNS, CLONE_NEWPID | CLONE_NEWNET),
	 {TARGET(PIDFD, .no_admin = CLONE_NEWPID, .unrelated_pids = 1)}},
	{"setns-pid-not-below", CALL(SETNS, 0), {NAMESPACE(PID, .unrelated_pids = 1)}},
	{NULL, CALL(SETNS, CLONE_NEWUTS), {TARGET(PIDFD, .unrelated_pids = 1)}},
	{"setns-cgroup-net-needs-admin",
	 CALL(SETNS, CLONE_NEWNET | CLONE_NEWTIME),
	 {TARGET(PIDFD, .no_admin = CLONE_NEWNET), .memory_shared = 1}},
	{"setns-time-with-shared-memory",
	 CALL(SETNS, 0),
	 {NAMESPACE(TIME), .sys_admin = 0, .memory_shared = 1}},
	{"setns-time-with-shared-memory", CALL(SETNS, 0), {NAMESPACE(TIME), .threads = 2}},
	{"setns-time-needs-admin", CALL(SETNS, CLONE_NEWTIME), {NAMESPACE(TIME), .sys_admin = 0}},
	{NULL, CALL(SETNS, CLONE_NEW_ANY), {TARGET(PIDFD)}},
};

static void test_states(void)
{
	for (size_t i = 0; i < LENGTH(states); i++)
		judge(&states[i], &states[i].caller, "state");
}

/*
 * One that others forestall: autokill needs autoreap, which a thread cannot have. The kernel asks
 * it nevertheless, and so does the table.
 */
#define FORESTALLED "autokill-of-thread"

static void test_all_met(void)
{
	const struct ramet_call call = {.entry = CLONE3,
					.flags = CLONE_PIDFD_AUTOKILL | CLONE_THREAD};
	size_t index = 0;
	const struct ramet_rule *rule;
	unsigned silent = 0;

	for (size_t i = 0; (rule = ramet_rule_at(i)); i++)
		if (!rule_asks[i].may && !met[i] && strcmp(rule->id, FORESTALLED) != 0) {
			diag("%s refuses nothing here", rule->id);
			silent++;
		}
	is_int(silent, 0, "every rule that can be a verdict refused something");
	do
		rule = ramet_check_next(&call, KERNEL(7, 1), EINVAL, &index);
	while (rule && strcmp(rule->id, FORESTALLED) != 0);
	ok(rule, "the one that others forestall is among those with the errno");
	is_int(unfound, 0, "every one is found again by its errno");
}

int main(void)
{
	test_verdicts();
	test_states();
	test_all_met();
	return tap_done();
}
