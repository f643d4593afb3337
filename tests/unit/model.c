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
#define UNSHARE RAMET_ENTRY_UNSHARE
#define SETNS RAMET_ENTRY_SETNS

/* ---- The table itself ---- */

/* Every rule that can be a verdict, in the order in which the kernel asks. */
static const char *const order[] = {
	"clone3-size-too-large",
	"clone3-size-too-small",
	"clone3-trailing-bytes",
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
	"not-to-be-unshared",
	"unshare-empty-mounts-of-7.1",
	"unshare-among-threads",
	"new-user-among-threads",
	"unshare-shared-sighand",
	"unshare-shared-memory",
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
	"setns-descriptor-not-open",
	"setns-descriptor-of-no-namespace",
	"setns-other-type",
	"setns-pidfd-without-type",
	"setns-no-namespace-flag",
	"setns-target-not-readable",
	"setns-target-ended",
	"setns-own-user-namespace",
	"setns-user-among-threads",
	"setns-user-with-shared-fs",
	"setns-user-needs-admin",
	"setns-mnt-needs-admin",
	"setns-mnt-with-shared-fs",
	"setns-uts-ipc-pid-needs-admin",
	"setns-pid-not-below",
	"setns-cgroup-net-needs-admin",
	"setns-time-with-shared-memory",
	"setns-time-needs-admin",
};

/* All other verdicts are EINVAL. */
static const struct {
	const char *id;
	int error;
} not_einval[] = {
	{"clone3-size-too-large", E2BIG},
	{"clone3-trailing-bytes", E2BIG},
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
	{"setns-descriptor-not-open", EBADF},
	{"setns-target-not-readable", EPERM},
	{"setns-target-ended", ESRCH},
	{"setns-user-needs-admin", EPERM},
	{"setns-mnt-needs-admin", EPERM},
	{"setns-uts-ipc-pid-needs-admin", EPERM},
	{"setns-cgroup-net-needs-admin", EPERM},
	{"setns-time-with-shared-memory", EUSERS},
	{"setns-time-needs-admin", EPERM},
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

/* ---- The rule behind an errno ---- */

#define CALL(entry_, flags_, ...) .call = {.entry = (entry_), .flags = (flags_), __VA_ARGS__}
#define ADMIN .known = RAMET_KNOWN_CAPS, .sys_admin = 1
#define USER .known = RAMET_KNOWN_CAPS
#define V(major, minor, patch) .kernel = KERNEL_PATCH(major, minor, patch)

static const char *id_of(const struct ramet_rule *rule)
{
	return rule ? rule->id : NULL;
}

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
	{E2BIG, "clone3-trailing-bytes", CALL(CLONE3, 0, .size = 96, .trailing = 1)},
	{E2BIG, NULL, CALL(CLONE3, 0)},
	{EFAULT, "clone3-unreadable", CALL(CLONE3, 0)},
	{EFAULT, NULL, CALL(UNSHARE, 0)},
	{EINVAL, "not-to-be-unshared", CALL(UNSHARE, CLONE_IO)},
	{EPERM, "new-namespace-needs-admin", CALL(UNSHARE, CLONE_NEWUTS)},
	{EPERM, "user-namespace-refused", CALL(UNSHARE, CLONE_NEWUSER)},
	{EPERM, "refused-by-policy", CALL(UNSHARE, CLONE_FILES)},
	{ENOSPC, "namespace-limit", CALL(UNSHARE, CLONE_NEWNET)},
	{ENOMEM, "out-of-memory", CALL(UNSHARE, CLONE_FILES)},
	{EAGAIN, NULL, CALL(UNSHARE, CLONE_FILES)},
	{EPERM, "setns-refused-by-policy", CALL(SETNS, 0)},
	{EINVAL, "setns-no-namespace-flag", CALL(SETNS, CLONE_FS)},
	{ESRCH, NULL, CALL(SETNS, 0)},
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

/* ---- Every rule that may be behind an errno ---- */

static void test_next(void)
{
	const struct ramet_call call = {.entry = CLONE3,
					.flags = CLONE_NEWUSER | CLONE_NEWPID,
					.set_tid = 8,
					.set_tid_size = 1};
	static const char *const want[] = {
		"refused-by-policy",	  "user-namespace-in-chroot", "user-namespace-by-unmapped",
		"user-namespace-refused", "set-tid-needs-privilege",  "set-tid-privilege-elsewhere",
	};
	const struct ramet_call nnp = {.entry = CLONE3, .flags = CLONE_NNP | CLONE_THREAD};
	const struct ramet_rule *rule;
	size_t index = 0, n = 0;
	unsigned of_7_1 = 0;

	while ((rule = ramet_check_next(&call, KERNEL(6, 18), EPERM, &index)))
		is_str(rule->id, n < LENGTH(want) ? want[n++] : NULL, "the next rule");
	is_int(n, LENGTH(want), "no rule is missing");
	ok(!ramet_check_next(&call, KERNEL(6, 18), EPERM, &index), "and none after the last");
	index = SIZE_MAX;
	ok(!ramet_check_next(&call, 0, EPERM, &index), "no rule past the end");
	for (index = 0; (rule = ramet_check_next(&nnp, KERNEL(6, 18), EINVAL, &index));)
		of_7_1 += rule->since != 0;
	is_int(of_7_1, 0, "no rule of a later kernel");
	for (index = 0; (rule = ramet_check_next(&nnp, 0, EINVAL, &index));)
		of_7_1 += rule->since != 0 || rule->until != 0;
	ok(of_7_1 >= 2, "but of any where the version is not known");
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
	{"unshare nothing", "ssss sss ss sssssss s s", CALL(UNSHARE, 0)},
	{"unshare files", "scss sss ss sssssss s s", CALL(UNSHARE, CLONE_FILES)},
	{"unshare fs", "sscs sss ss sssssss s s", CALL(UNSHARE, CLONE_FS)},
	{"unshare what nobody shares", "ssss sss ss sssssss s s",
	 CALL(UNSHARE, CLONE_VM | CLONE_SIGHAND | CLONE_THREAD)},
	{"unshare undo list", "ssss ssn ss sssssss s s", CALL(UNSHARE, CLONE_SYSVSEM)},
	{"unshare mounts", "sscs sss ss nssssss s s", CALL(UNSHARE, CLONE_NEWNS)},
	{"unshare mounts, empty", "sscs sss ss nssssss s s", CALL(UNSHARE, CLONE_PARENT_SETTID)},
	{"unshare user", "sscs sss ss sssssns s s", CALL(UNSHARE, CLONE_NEWUSER)},
	{"unshare ipc", "ssss ssn ss sssnsss s s", CALL(UNSHARE, CLONE_NEWIPC)},
	{"unshare for children", "ssss sss ss sssssss s s",
	 CALL(UNSHARE, CLONE_NEWPID | CLONE_NEWTIME)},
	{"unshare others", "ssss sss ss ssnsnsn s s",
	 CALL(UNSHARE, CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWCGROUP)},
	{"setns", "---- --- -- ------- - -", CALL(SETNS, CLONE_NEW_ANY)},
	{"mixed", "cscc nns cn sssnsss s s",
	 CALL(CLONE, CLONE_FILES | CLONE_SYSVSEM | CLONE_SETTLS | CLONE_NEWIPC)},
};

static void test_modes(void)
{
	const struct ramet_call time_vm = {.entry = CLONE3, .flags = CLONE_NEWTIME | CLONE_VM};
	static const char letters[] = {
		'-', [RAMET_MODE_SHARE] = 's', [RAMET_MODE_COPY] = 'c', [RAMET_MODE_NEW] = 'n'};

	for (size_t i = 0; i < LENGTH(modes); i++) {
		char got[64] = "", *at = got;
		enum ramet_resource bit = RAMET_MEMORY;

		for (const char *want = modes[i].modes; *want; want++) {
			if (*want == ' ') {
				*at++ = ' ';
				continue;
			}
			*at++ = letters[ramet_model_mode(&modes[i].call, 0, bit)];
			bit <<= 1;
		}
		is_str(got, modes[i].modes, "modes of %s", modes[i].name);
		is_int(bit, 1 << RAMET_RESOURCE_COUNT, "%s: every resource", modes[i].name);
	}
	is_int(ramet_model_mode(&modes[0].call, 0, 1 << RAMET_RESOURCE_COUNT), 0,
	       "no such resource");
	is_int(ramet_model_mode(&time_vm, KERNEL(6, 1), RAMET_TIME), RAMET_MODE_NEW,
	       "new time, memory shared, before 6.2");
	is_int(ramet_model_mode(&time_vm, KERNEL(6, 2), RAMET_TIME), RAMET_MODE_SHARE, "and since");
}

/* ---- No system call ---- */

static volatile uintptr_t sum; /* keeps the answers from being optimised away */

/* Under strict seccomp any call but read, write and exit is the end. */
static void ask_everything(void)
{
	struct ramet_caller all = {.known = ~0u, .kernel = KERNEL(6, 18), .deadline = 1};
	struct ramet_call mends[4];

	for (uint64_t i = 0; i < 20000; i++) {
		struct ramet_call call = {.entry = 1u << i % 4,
					  .flags = i * 0x9e3779b97f4a7c15,
					  .set_tid = i & 2,
					  .set_tid_size = i & 4};

		sum += (uintptr_t)ramet_check(&call, NULL) + (uintptr_t)ramet_check(&call, &all);
		for (int error = 1; error < 40; error++) {
			size_t index = 0;

			sum += (uintptr_t)ramet_check_errno(&call, &all, error);
			sum += (uintptr_t)ramet_check_next(&call, 0, error, &index);
		}
		if (i % 16 == 0)
			sum += (uintptr_t)ramet_mend(&call, &all, mends, LENGTH(mends));
		sum += ramet_model_mode(&call, 0, RAMET_TIME);
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
	test_errnos();
	test_next();
	test_modes();
	test_purity();
	return tap_done();
}
