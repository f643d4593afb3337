/* SPDX-License-Identifier: MIT */
/*
 * Refusals one by one. Each case brings a process of its own into a state, lets caller_read() look
 * and the model judge, then asks the kernel; the errno, the verdict and the rule named for the errno
 * must be as listed. Whatever cgroup a case makes is below one folder, removed after it.
 */
#ifndef RAMET_TESTS_ORACLE_PROVOKE_H
#define RAMET_TESTS_ORACLE_PROVOKE_H

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "caller/caller.h"
#include "model/rules.h"
#include "oracle/kernel.h"
#include "oracle/shapes.h"
#include "spec/spec.h"
#include "tap.h"

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
	int (*prepare)(struct ramet_call *call); /* 0, or -1 and errno: it is not to be had */
	const char *verdict; /* the model's, where the kernel asks sooner for what `after` means */
	unsigned since, until;			    /* kernels */
	long (*put)(const struct ramet_call *call); /* kernel_make() if NULL */
};

static char cgroup_top[300], cgroup_dir[320]; /* "" without cgroup2 */

/* ---- States that more than one file needs ---- */

/* Root of a user namespace, with a limit of that namespace. */
static inline int own_limits(const char *limit, const char *value)
{
	return shape_enter_user() || shape_write(limit, value) ? -1 : 0;
}

static inline int other_pids(struct ramet_call *call)
{
	(void)call;
	return unshare(CLONE_NEWPID);
}

/* Its init has come and gone. */
static inline int dead_pids(struct ramet_call *call)
{
	pid_t pid;

	if (other_pids(call))
		return -1;
	pid = fork();
	if (!pid)
		_exit(0);
	return waitpid(pid, NULL, 0) == pid ? 0 : -1;
}

static inline int be_nobody(struct ramet_call *call)
{
	(void)call;
	return geteuid() ? 0 : kernel_become(NOBODY);
}

/* The case's process itself is the user's only task. */
static inline int limit_tasks(rlim_t tasks)
{
	const struct rlimit limit = {tasks, tasks};

	return kernel_become(STRANGER) || setrlimit(RLIMIT_NPROC, &limit) ? -1 : 0;
}

static inline int no_descriptors(struct ramet_call *call)
{
	const struct rlimit limit = {0, 0};

	(void)call;
	return setrlimit(RLIMIT_NOFILE, &limit);
}

static int tids[40];

static inline int set_tids(struct ramet_call *call, int tid, uint64_t count)
{
	tids[0] = tid;
	call->set_tid = (uintptr_t)tids;
	call->set_tid_size = count;
	return 0;
}

/* Other processors take any. The first address past the deepest page tables. */
static inline int tls_refused(struct ramet_call *call)
{
	call->tls = 1ULL << 56;
	errno = EOPNOTSUPP;
	return strcmp(ARCH_NAME, "x86_64") ? -1 : 0;
}

#define FIELD(name, field, value)                                                                  \
	static int name(struct ramet_call *call)                                                   \
	{                                                                                          \
		call->field = (value);                                                             \
		return 0;                                                                          \
	}

/* ---- The runner ---- */

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
	f->error = -(int)(test->put ? test->put(&call) : kernel_make(&call));
	f->named = ramet_check_errno(&call, &caller, f->error);
	return 0;
}

static inline void cgroups_remove(void)
{
	static const char *const names[] = {"/threaded", "/plain", ""};
	char path[400];

	for (size_t i = 0; *cgroup_top && i < 3; i++) {
		snprintf(path, sizeof(path), "%s%s", cgroup_dir, names[i]);
		rmdir(path);
	}
}

static inline const char *id_of(const struct ramet_rule *rule)
{
	return rule ? rule->id : NULL;
}

static bool provoked[128]; /* rules, by row */

static inline bool is_skipped(const struct test *test, unsigned kernel, int no_user)
{
	if (test->root && geteuid())
		skip(1, "%s: not root", test->name);
	/* In a chroot nobody makes a user namespace: then these cases end there. */
	else if (test->flags & CLONE_NEWUSER && test->error != EPERM && no_user)
		skip(1, "%s: no user namespaces here: %s", test->name, errno_name(no_user));
	else if (kernel < test->since || (test->until && kernel >= test->until))
		skip(1, "%s: of another kernel than this", test->name);
	else
		return false;
	return true;
}

static inline void run_test(const struct test *test, struct finding *f)
{
	const char *verdict = test->verdict ? test->verdict : test->after ? NULL : test->rule;

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
	if (f->named)
		provoked[f->named - ramet_rule_at(0)] = true;
}

static inline int try_user(void *arg)
{
	(void)arg;
	return unshare(CLONE_NEWUSER) ? errno : 0;
}

/*
 * Lists the rules that were met, so that the files together can be held against the table.
 * take_back() may be NULL; it is called after each case, in the test's own process.
 */
static inline int run_tests(const struct test *tests, size_t count, void (*take_back)(void))
{
	struct finding *f = kernel_shared(sizeof(*f));
	int no_user = kernel_scaffold(try_user, NULL);
	const struct ramet_call none = {.entry = RAMET_ENTRY_CLONE};
	struct ramet_caller caller;

	caller_read(&none, &caller);
	snprintf(cgroup_top, sizeof(cgroup_top), "%s", kernel_cgroup2());
	snprintf(cgroup_dir, sizeof(cgroup_dir), "%s/ramet-test-%d", cgroup_top, getpid());
	for (size_t i = 0; i < count; i++)
		if (!is_skipped(&tests[i], caller.kernel, no_user)) {
			run_test(&tests[i], f);
			if (take_back)
				take_back();
		}
	for (size_t i = 0; ramet_rule_at(i); i++)
		if (provoked[i])
			diag("provoked: %s", ramet_rule_at(i)->id);
	return tap_done();
}

#endif
