/* SPDX-License-Identifier: MIT */
/* The table of what is probed, and whether the three sides agree. */
#include "probe/probe.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "uapi/clone.h"

/* One answer: who observes, who is the second witness, what the rules say. */
struct row {
	const char *name;
	enum ramet_resource resource; /* 0: the model function below */
	probe_observer *observe;
	size_t witness;	 /* offset in struct probe_seconds of an int: 1, 0, -errno */
	const char *how; /* NULL: there is no second witness */
	const char *(*model)(const struct ramet_call *call, char buf[static 24]);
};

int probe_promised_signal(const struct ramet_call *call)
{
	if (call->flags & CLONE_THREAD)
		return -1;
	/* The helper's own: CLONE_PARENT copies the maker's, whatever the word says. */
	if (call->flags & CLONE_PARENT)
		return SIGCHLD;
	return (int)call->exit_signal;
}

/*
 * The first task of a pid namespace sets SIGCHLD to ignored in its table of handlers when it ends
 * (kernel/pid_namespace.c, zap_pid_ns_processes). Is the table its parent's too, then the parent
 * ignores SIGCHLD from there on: it is not told, and the kernel reaps the task.
 */
static bool ends_unseen(const struct ramet_call *call)
{
	const uint64_t both = CLONE_NEWPID | CLONE_SIGHAND;

	return (call->flags & both) == both && !(call->flags & CLONE_PARENT) &&
	       probe_promised_signal(call) == SIGCHLD;
}

static const char *model_exit_signal(const struct ramet_call *call, char buf[static 24])
{
	int sig = ends_unseen(call) ? 0 : probe_promised_signal(call);

	/* clone(2) takes any number; one that is no signal is not sent. */
	return probe_signal(sig > SIGRTMAX ? 0 : sig, buf);
}

static const char *model_wait(const struct ramet_call *call, char buf[static 24])
{
	int sig = probe_promised_signal(call);

	(void)buf;
	if (sig < 0 || ends_unseen(call))
		return "none";
	return sig == SIGCHLD ? "wait" : "__WCLONE";
}

static const char *model_cleartid(const struct ramet_call *call, char buf[static 24])
{
	const uint64_t both = CLONE_VM | CLONE_CHILD_CLEARTID;

	(void)buf;
	return (call->flags & both) == both ? "cleared" : "kept";
}

static const char *model_held(const struct ramet_call *call, char buf[static 24])
{
	(void)buf;
	return call->flags & CLONE_VFORK ? "yes" : "no";
}

#define SECOND(member) .witness = offsetof(struct probe_seconds, member)
#define KCMP(object) SECOND(same[object]), .how = "kcmp"
#define NS(name_) SECOND(ns[PROBE_NS_##name_]), .how = "/proc"

static const struct row rows[PROBE_ANSWER_COUNT] = {
	{"memory", RAMET_MEMORY, probe_see_memory, KCMP(INSPECT_VM)},
	{"files", RAMET_FILES, probe_see_files, KCMP(INSPECT_FILES)},
	{"fs", RAMET_FS, probe_see_fs, KCMP(INSPECT_FS)},
	{"sighand", RAMET_SIGHAND, probe_see_sighand, KCMP(INSPECT_SIGHAND)},
	{"thread-group", RAMET_THREAD_GROUP, probe_see_thread_group, SECOND(group), .how = "/proc"},
	{"parent", RAMET_PARENT, probe_see_parent, SECOND(parent), .how = "/proc"},
	{"sysvsem", RAMET_SYSVSEM, probe_see_sysvsem, KCMP(INSPECT_SYSVSEM)},
	{"io", RAMET_IO, probe_see_io, KCMP(INSPECT_IO)},
	{"tls", RAMET_TLS, probe_see_tls, SECOND(tls), .how = "ptrace"},
	{"mnt", RAMET_MNT, probe_see_mnt, NS(MNT)},
	{"pid", RAMET_PID, probe_see_pid, NS(PID)},
	{"net", RAMET_NET, probe_see_net, NS(NET)},
	{"ipc", RAMET_IPC, probe_see_ipc, NS(IPC)},
	{"uts", RAMET_UTS, probe_see_uts, NS(UTS)},
	{"user", RAMET_USER, probe_see_user, NS(USER)},
	{"cgroupns", RAMET_CGROUPNS, probe_see_cgroupns, NS(CGROUP)},
	{"time", RAMET_TIME, probe_see_time, NS(TIME)},
	{"cgroup", RAMET_CGROUP, probe_see_cgroup, SECOND(cgroup), .how = "/proc"},
	{"exit-signal", 0, probe_see_exit_signal, SECOND(exit_signal), .how = "/proc",
	 .model = model_exit_signal},
	{"wait", 0, probe_see_wait, .model = model_wait},
	{"child-cleartid", 0, probe_see_cleartid, .model = model_cleartid},
	{"parent-held", 0, probe_see_held, .model = model_held},
};

/* The last four rows, by what they are about. */
enum { ROW_EXIT_SIGNAL = RAMET_RESOURCE_COUNT, ROW_WAIT, ROW_CLEARTID, ROW_HELD };

static void ask_witness(const struct row *row, const struct probe_facts *facts,
			struct probe_answer *a)
{
	size_t used = strlen(a->reason);
	int said;

	a->how = row->how;
	if (!row->how)
		return;
	memcpy(&said, (const char *)&facts->second + row->witness, sizeof(said));
	if (said >= 0) {
		a->witness = said ? PROBE_WITNESS_SAME : PROBE_WITNESS_DIFFERENT;
		return;
	}
	a->witness = PROBE_WITNESS_UNKNOWN;
	snprintf(a->reason + used, sizeof(a->reason) - used, "; %s: %s", row->how, strerror(-said));
}

/*
 * Sharing is one object, copy and new are two. For the extras the witness was asked whether it
 * finds what the rules promise.
 */
static bool agrees(const struct row *row, const struct probe_answer *a)
{
	const bool one = !row->resource || !strcmp(a->model, ramet_mode_name(RAMET_MODE_SHARE));

	if (a->witness == PROBE_WITNESS_SAME && !one)
		return false;
	if (a->witness == PROBE_WITNESS_DIFFERENT && one)
		return false;
	return !strcmp(a->observed, "untested") || !strcmp(a->observed, a->model);
}

void probe_judge(const struct probe_facts *facts, struct probe_result *result)
{
	struct probe_answer *answers = result->answers;

	result->agree = true;
	for (size_t i = 0; i < PROBE_ANSWER_COUNT; i++) {
		const struct row *row = &rows[i];
		struct probe_answer *a = &answers[i];
		char number[24];
		const char *model;

		a->name = row->name;
		model = row->model ? row->model(&facts->call, number)
				   : ramet_mode_name(ramet_model_mode(&facts->call, facts->kernel,
								      row->resource));
		snprintf(a->model, sizeof(a->model), "%s", model ? model : "unknown");
		row->observe(facts, a);
		ask_witness(row, facts, a);
		a->agree = agrees(row, a);
		result->agree &= a->agree;
		result->untested += !strcmp(a->observed, "untested");
	}
	snprintf(result->held, sizeof(result->held), "%s", answers[ROW_HELD].observed);
	snprintf(result->told, sizeof(result->told), "%s",
		 strcmp(answers[ROW_EXIT_SIGNAL].observed, "none")
			 ? answers[ROW_EXIT_SIGNAL].observed
		 : !strcmp(answers[ROW_CLEARTID].observed, "cleared") ? "futex"
								      : "nobody");
}
