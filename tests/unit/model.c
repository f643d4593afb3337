/* SPDX-License-Identifier: MIT */
/* The rule table and the modes: what can be said without asking a kernel. */
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ramet/model.h>

#include "base/sys.h"
#include "model/rules.h"
#include "tap.h"
#include "uapi/clone.h"

#define SIG SIGCHLD
#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))
#define CLONE RAMET_ENTRY_CLONE
#define CLONE3 RAMET_ENTRY_CLONE3

/* ---- The table itself ---- */

/* Every rule that can be a verdict, in the order in which the kernel asks. */
static const char *const order[] = {
	"set-tid-too-many",
	"set-tid-missing",
	"set-tid-uncounted",
	"exit-signal-range",
	"cgroup-range",
	"newtime-not-in-clone3",
	"flag-of-7.1",
	"unknown-flag",
	"detached-in-clone3",
	"signal-in-flags",
	"sighand-shared-and-cleared",
	"thread-with-exit-signal",
	"sibling-with-exit-signal",
	"stack-without-size",
	"stack-size-without-stack",
	"stack-out-of-range",
	"pidfd-on-parent-tid",
	"exit-signal-range-clone",
	"fs-with-new-mounts",
	"fs-with-new-user",
	"thread-needs-sighand",
	"sighand-needs-memory",
	"sibling-of-init",
	"thread-with-new-user-or-pid",
	"thread-in-other-pid-namespace",
	"memory-across-time-namespaces",
	"pidfd-with-detached",
	"pidfd-of-thread",
	"autoreap-of-thread",
	"autoreap-of-sibling",
	"autoreap-with-exit-signal",
	"no-new-privs-of-thread",
	"autokill-needs-pidfd",
	"autokill-needs-autoreap",
	"autokill-of-thread",
	"autokill-needs-no-new-privs",
	"user-namespaces-off",
	"user-namespace-in-chroot",
	"user-namespace-by-unmapped",
	"process-limit",
	"deadline-without-reset",
	"new-namespace-needs-admin",
	"sysvsem-with-new-ipc",
	"mnt-uts-ipc-namespaces-off",
	"new-pid-namespace-twice",
	"pid-cgroup-net-time-namespaces-off",
	"tls-out-of-range",
	"set-tid-needs-privilege",
	"cgroup-not-a-directory",
	"cgroup-removed",
	"cgroup-not-writable",
};

/* All other verdicts are EINVAL. */
static const struct {
	const char *id;
	int error;
} not_einval[] = {
	{"autokill-needs-no-new-privs", EPERM},
	{"user-namespaces-off", ENOSPC},
	{"user-namespace-in-chroot", EPERM},
	{"user-namespace-by-unmapped", EPERM},
	{"process-limit", EAGAIN},
	{"deadline-without-reset", EAGAIN},
	{"new-namespace-needs-admin", EPERM},
	{"mnt-uts-ipc-namespaces-off", ENOSPC},
	{"pid-cgroup-net-time-namespaces-off", ENOSPC},
	{"tls-out-of-range", EPERM},
	{"set-tid-needs-privilege", EPERM},
	{"cgroup-not-a-directory", EBADF},
	{"cgroup-removed", ENOENT},
	{"cgroup-not-writable", EACCES},
};

static int errno_of(const char *id)
{
	for (size_t i = 0; i < LENGTH(not_einval); i++)
		if (!strcmp(not_einval[i].id, id))
			return not_einval[i].error;
	return EINVAL;
}

static bool is_sentence(const char *text)
{
	size_t n = text ? strlen(text) : 0;

	return n > 10 && n < 200 && text[n - 1] == '.' && !strchr(text, '\n') && text[0] != ' ';
}

static bool is_id(const char *id)
{
	return id && *id && strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-.") == strlen(id);
}

/* 0, 1 or 2 as ramet_rule.needs_caller has to be. */
static int real_need(size_t i)
{
	const struct rule_ask *ask = &rule_asks[i];

	if (ask->may)
		return 2;
	return ask->needs || !strcmp(ramet_rule_at(i)->id, "newtime-not-in-clone3");
}

static void test_table(void)
{
	const struct ramet_rule *rule;
	size_t verdicts = 0, bad = 0, twice = 0, misplaced = 0, needy = 0, wrong = 0;

	for (size_t i = 0; (rule = ramet_rule_at(i)); i++) {
		if (!is_id(rule->id) || rule->error <= 0 || !is_sentence(rule->why) ||
		    !is_sentence(rule->mend) || !rule->source || !*rule->source ||
		    (rule->until && rule->until <= rule->since)) {
			diag("row %zu, %s: a field is missing or odd", i, rule->id);
			bad++;
		}
		for (size_t j = 0; j < i; j++)
			twice += !strcmp(ramet_rule_at(j)->id, rule->id);
		if (rule->needs_caller != real_need(i)) {
			diag("%s: needs_caller is %d", rule->id, rule->needs_caller);
			needy++;
		}
		if (rule_asks[i].may)
			continue;
		wrong += rule->error != errno_of(rule->id);
		if (verdicts >= LENGTH(order) || strcmp(order[verdicts], rule->id)) {
			diag("%s is not where the kernel asks for it", rule->id);
			misplaced++;
		}
		verdicts++;
	}
	is_int(bad, 0, "every row is complete");
	is_int(twice, 0, "no id twice");
	is_int(needy, 0, "needs_caller is what the condition looks at");
	is_int(wrong, 0, "every verdict has its errno");
	is_int(misplaced, 0, "the kernel's order");
	is_int(verdicts, LENGTH(order), "no rule is missing");
	ok(!ramet_rule_at(rule_count) && !ramet_rule_at(SIZE_MAX), "nothing past the end");
	diag("%zu rules, %zu of them verdicts", rule_count, verdicts);
}

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
};

static const char *id_of(const struct ramet_rule *rule)
{
	return rule ? rule->id : NULL;
}

static void judge(const struct sample *s, const struct ramet_caller *caller, const char *what)
{
	is_str(id_of(ramet_check(&s->call, caller)), s->id, "%s: %s flags 0x%jx: %s", what,
	       s->call.entry == CLONE ? "clone" : "clone3", (uintmax_t)s->call.flags,
	       s->id ? s->id : "accepted");
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
};

static void test_states(void)
{
	for (size_t i = 0; i < LENGTH(states); i++)
		judge(&states[i], &states[i].caller, "state");
}

/* ---- The rule behind an errno ---- */

static const struct {
	int error;
	const char *id;
	struct ramet_call call;
} errnos[] = {
	{EINVAL, "sighand-needs-memory", CALL(CLONE3, CLONE_SIGHAND | CLONE_NEWUTS)},
	{EPERM, "refused-by-policy", CALL(CLONE3, CLONE_SIGHAND)},
	{EPERM, "new-namespace-needs-admin", CALL(CLONE3, CLONE_NEWIPC | CLONE_SYSVSEM)},
	{EPERM, "user-namespace-refused", CALL(CLONE3, CLONE_NEWUSER)},
	{EPERM, "set-tid-needs-privilege", CALL(CLONE3, 0, .set_tid = 8, .set_tid_size = 1)},
	{EAGAIN, "too-many-tasks", CALL(CLONE, 0)},
	{EAGAIN, "target-cgroup-full", CALL(CLONE3, CLONE_INTO_CGROUP)},
	{ENOMEM, "out-of-memory", CALL(CLONE, 0)},
	{ENOSYS, "clone3-missing", CALL(CLONE3, 0)},
	{ENOSYS, NULL, CALL(CLONE, 0)},
	{ENOSPC, "user-namespace-limit", CALL(CLONE, CLONE_NEWUSER | CLONE_NEWNET)},
	{ENOSPC, "namespace-limit", CALL(CLONE, CLONE_NEWNET)},
	{EMFILE, "pidfd-without-descriptor", CALL(CLONE3, CLONE_PIDFD)},
	{EMFILE, NULL, CALL(CLONE3, 0)},
	{EFAULT, "pidfd-unwritable", CALL(CLONE, CLONE_PIDFD)},
	{EFAULT, "set-tid-unreadable", CALL(CLONE3, CLONE_PIDFD, .set_tid = 8, .set_tid_size = 1)},
	{EINVAL, "set-tid-value", CALL(CLONE3, 0, .set_tid = 8, .set_tid_size = 1)},
	{EINVAL, "new-pid-namespace-across-users", CALL(CLONE3, CLONE_NEWPID)},
	{EEXIST, "set-tid-taken", CALL(CLONE3, 0, .set_tid = 8, .set_tid_size = 1)},
	{EACCES, "cgroup-ancestor-not-writable", CALL(CLONE3, CLONE_INTO_CGROUP)},
	{EBUSY, "cgroup-has-controllers", CALL(CLONE3, CLONE_INTO_CGROUP)},
	{EOPNOTSUPP, "cgroup-threaded", CALL(CLONE3, CLONE_INTO_CGROUP)},
	{ENOENT, "cgroup-out-of-sight", CALL(CLONE3, CLONE_INTO_CGROUP)},
	{EXDEV, NULL, CALL(CLONE3, ~0ULL)},
};

static void test_errnos(void)
{
	const struct ramet_caller user = {USER}, admin = {ADMIN}, new = {V(7, 1, 0)};
	const struct ramet_call plain = {.entry = CLONE};
	const struct ramet_call sibling = {.entry = CLONE3, .flags = CLONE_PARENT};
	const struct ramet_call chosen = {.entry = CLONE3, .set_tid = 8, .set_tid_size = 1};
	const struct ramet_caller dead = {.known = RAMET_KNOWN_PIDNS, .pid_for_children = 1};

	for (size_t i = 0; i < LENGTH(errnos); i++)
		is_str(id_of(ramet_check_errno(&errnos[i].call, &user, errnos[i].error)),
		       errnos[i].id, "%s for flags 0x%jx", strerror(errnos[i].error),
		       (uintmax_t)errnos[i].call.flags);
	is_str(id_of(ramet_check_errno(&sibling, &new, EINVAL)), "sibling-of-autoreap",
	       "a guess about a kernel whose version is known");
	is_str(id_of(ramet_check_errno(&chosen, &admin, EPERM)), "set-tid-privilege-elsewhere",
	       "who has the capability may lack it elsewhere");
	is_str(id_of(ramet_check_errno(&plain, &dead, ENOMEM)), "pid-namespace-dead",
	       "a guess that looks at the caller beats one that fits any call");
}

/* ---- Modes ---- */

/* One letter a resource in the order of enum ramet_resource. */
static const struct {
	const char *name;
	const char *modes;
	struct ramet_call call;
} modes[] = {
	{"fork", "cccc nnn cc sssssss s s", CALL(CLONE3, 0x1200000, .exit_signal = SIG)},
	{"vfork", "sccc nnn cs sssssss s s", CALL(CLONE3, 0x4100, .exit_signal = SIG)},
	{"spawn", "sccn nnn cs sssssss s s", CALL(CLONE3, 0x100005100, .exit_signal = SIG)},
	{"nptl", "ssss sss cn sssssss s s", CALL(CLONE3, 0x3d0f00)},
	{"nptl by clone", "ssss sss cn sssssss s s", CALL(CLONE, 0x3d0f00)},
	{"linuxthreads", "ssss nnn cs sssssss s s", CALL(CLONE3, 0xf00, .exit_signal = 33)},
	{"container", "cccc nnn cc nnnnnsn s s", CALL(CLONE3, 0x6e020000, .exit_signal = SIG)},
	{"container with user", "cccc nnn cc nnnnnnn s s",
	 CALL(CLONE3, 0x7e020000, .exit_signal = SIG)},
	{"new time", "cccc nnn cc sssssss n s", CALL(CLONE3, CLONE_NEWTIME)},
	{"new time, memory shared", "sccc nnn cs sssssss s s",
	 CALL(CLONE3, CLONE_NEWTIME | CLONE_VM)},
	{"that bit in clone", "cccc nnn cc sssssss s s", CALL(CLONE, 0x80)},
	{"upper half in clone", "cccc nnn cc sssssss s s", CALL(CLONE, ~0xffffffffULL)},
	{"sibling", "cccc nsn cc sssssss s s", CALL(CLONE3, CLONE_PARENT)},
	{"io, cgroup", "cccc nnn sc sssssss s n", CALL(CLONE3, CLONE_IO | CLONE_INTO_CGROUP)},
	{"empty mounts", "cccc nnn cc nssssss s s", CALL(CLONE3, CLONE_EMPTY_MNTNS)},
	{"mixed", "cscc nns cn sssnsss s s",
	 CALL(CLONE, CLONE_FILES | CLONE_SYSVSEM | CLONE_SETTLS | CLONE_NEWIPC)},
};

static void test_modes(void)
{
	static const char letters[] = {
		[RAMET_MODE_SHARE] = 's', [RAMET_MODE_COPY] = 'c', [RAMET_MODE_NEW] = 'n'};

	for (size_t i = 0; i < LENGTH(modes); i++) {
		char got[64] = "", *at = got;
		enum ramet_resource bit = RAMET_MEMORY;

		for (const char *want = modes[i].modes; *want; want++) {
			if (*want == ' ') {
				*at++ = ' ';
				continue;
			}
			*at++ = letters[ramet_model_mode(&modes[i].call, bit)];
			bit <<= 1;
		}
		is_str(got, modes[i].modes, "modes of %s", modes[i].name);
		is_int(bit, 1 << RAMET_RESOURCE_COUNT, "%s: every resource", modes[i].name);
	}
	is_int(ramet_model_mode(&modes[0].call, 1 << RAMET_RESOURCE_COUNT), 0, "no such resource");
}

/* ---- No system call ---- */

static volatile uintptr_t sum; /* keeps the answers from being optimised away */

/* Under strict seccomp any call but read, write and exit is the end. */
static void ask_everything(void)
{
	struct ramet_caller all = {.known = ~0u, .kernel = KERNEL(6, 18), .deadline = 1};

	for (uint64_t i = 0; i < 20000; i++) {
		struct ramet_call call = {.entry = i & 1 ? CLONE : CLONE3,
					  .flags = i * 0x9e3779b97f4a7c15,
					  .set_tid = i & 2,
					  .set_tid_size = i & 4};

		sum += (uintptr_t)ramet_check(&call, NULL) + (uintptr_t)ramet_check(&call, &all);
		for (int error = 1; error < 40; error++)
			sum += (uintptr_t)ramet_check_errno(&call, &all, error);
		sum += ramet_model_mode(&call, RAMET_TIME);
	}
}

static void test_purity(void)
{
	int status = -1;
	pid_t pid = fork();

	if (!pid) {
		if (prctl(PR_SET_SECCOMP, 1, 0, 0, 0))
			sys_exit(99);
		ask_everything();
		sys_exit(0);
	}
	waitpid(pid, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 99)
		skip(1, "strict seccomp is not to be had");
	else
		is_int(status, 0, "the model makes no system call");
}

int main(void)
{
	test_table();
	test_verdicts();
	test_states();
	test_errnos();
	test_modes();
	test_purity();
	return tap_done();
}
