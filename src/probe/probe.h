/* SPDX-License-Identifier: MIT */
/*
 * ramet probe: make a task with the given flags on this kernel and find out, resource by
 * resource, what it shares with its parent. Three sides answer: what the child does and the
 * parent sees (observed), kcmp and /proc (witness), the rules (model).
 *
 *	start.c    the parent: the helper, started from memory
 *	run.c      the talk of proto.h, deadlines, and that nothing stays
 *	witness.c  kcmp and /proc on the two
 *	observe.c  what the reports mean, a function a resource
 *	judge.c    the table of resources; brings the three sides together
 *	view.c     tables and JSON
 */
#ifndef RAMET_PROBE_PROBE_H
#define RAMET_PROBE_PROBE_H

#include <ramet/model.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "inspect/inspect.h"
#include "probe/proto.h"

#define PROBE_ANSWER_COUNT (RAMET_RESOURCE_COUNT + 4)

struct probe_request {
	const char *name; /* a preset's, or the flags as given */
	uint64_t flags;
	int exit_signal;
};

enum probe_witness {
	PROBE_WITNESS_NONE, /* nobody else could be asked about it */
	PROBE_WITNESS_SAME,
	PROBE_WITNESS_DIFFERENT,
	PROBE_WITNESS_UNKNOWN, /* asked, no answer; the reason says why */
};

struct probe_answer {
	const char *name;
	char model[24];
	char observed[24]; /* "untested" with a reason */
	enum probe_witness witness;
	const char *how; /* who the witness is; NULL: none */
	bool agree;
	char reason[256];
};

struct probe_result {
	struct probe_request request;
	bool legacy;		       /* clone(2): asked for because clone3 refuses the word */
	bool clone3;		       /* what was used */
	int refused;		       /* errno of the clone, 0: it was made */
	const struct ramet_rule *rule; /* that refuses, where known */
	struct probe_answer answers[PROBE_ANSWER_COUNT];
	char told[24]; /* who tells of the end: a signal, "futex", "nobody" */
	char held[24]; /* yes, no */
	unsigned untested;
	bool agree;
};

/* Why a probe could not be carried out. */
struct probe_failure {
	char text[192];
};

/*
 * 0: made or refused, see *ret_result; -errno: could not find out, *failure says at what. -EINTR:
 * a signal that ends ramet is pending. Nothing stays either way. The strings of request are kept.
 */
int probe_run(const struct probe_request *request, struct probe_result *ret_result,
	      struct probe_failure *failure);

/* ---- between the files --------------------------------------------------------------------- */

enum probe_ns {
	PROBE_NS_MNT,
	PROBE_NS_PID,
	PROBE_NS_NET,
	PROBE_NS_IPC,
	PROBE_NS_UTS,
	PROBE_NS_USER,
	PROBE_NS_CGROUP,
	PROBE_NS_TIME,
	PROBE_NS_COUNT,
};

/* A yes or no: 1, 0, or -errno. */
struct probe_seconds {
	int same[INSPECT_SYSVSEM + 1]; /* by enum inspect_object */
	int ns[PROBE_NS_COUNT];
	int group;  /* same thread group */
	int parent; /* same parent */
	int cgroup;
	int tls;
	int exit_signal; /* stat's is the one the rules promise */
	int64_t exit_signal_number;
	int64_t tables[2]; /* VmPTE of parent and child in kB, -1: unknown */
};

/* Everything known about one task under test. */
struct probe_facts {
	struct ramet_call call;
	unsigned kernel; /* by whose rules */
	struct probe_before before;
	struct probe_cloned cloned;
	struct probe_child child;
	struct probe_look look;
	struct probe_end end;
	unsigned got;  /* bit a message type */
	int held;      /* 1, 0 or -errno */
	bool mine;     /* the child was the observer's own: CLONE_PARENT */
	int killed_by; /* the exit signal ended or stopped the parent itself */
	struct probe_seconds second;
};

#define PROBE_GOT(type) (1u << (type))

/* The helper, started. argv ends with NULL; fds arrive as PROBE_FD_…; error says what failed. */
int probe_start_helper(char *const argv[], const int fds[PROBE_FD_FREE],
		       struct ramet_task *ret_task, struct ramet_error *error);
/* Descriptor of the helper's program, made once. */
int probe_helper_fd(void);
/* The same descriptor under a number that probe_start_helper() leaves alone; or -1. */
int probe_move_up(int fd);

/* Fill facts->second from two live tasks. */
void probe_ask_second(struct probe_facts *facts, const struct inspect_task *parent,
		      const struct inspect_task *child);

/* observe.c: fills observed and the first part of reason. */
typedef void probe_observer(const struct probe_facts *facts, struct probe_answer *answer);
probe_observer probe_see_memory, probe_see_files, probe_see_fs, probe_see_sighand,
	probe_see_thread_group, probe_see_parent, probe_see_sysvsem, probe_see_io, probe_see_tls,
	probe_see_mnt, probe_see_pid, probe_see_net, probe_see_ipc, probe_see_uts, probe_see_user,
	probe_see_cgroupns, probe_see_time, probe_see_cgroup, probe_see_exit_signal, probe_see_wait,
	probe_see_cleartid, probe_see_held;

/* Name of a signal, or its number; "none" for 0 and less. buf may be what is returned. */
const char *probe_signal(int sig, char buf[static 24]);
/* The signal that the rules promise at the end of a task: -1 of a thread, 0 none. */
int probe_promised_signal(const struct ramet_call *call);

void probe_judge(const struct probe_facts *facts, struct probe_result *result);

/* ---- cgroup.c: a place of their own in cgroup2, where we may have one ----------------------- */

struct probe_cgroup {
	char home[512];	  /* for the parent; empty: none */
	char target[512]; /* for CLONE_INTO_CGROUP; empty: none */
	int target_fd;	  /* of target, or of our own cgroup if none could be made, or -1 */
};

void probe_cgroup_make(bool target, bool threaded, struct probe_cgroup *ret_cgroup);
void probe_cgroup_enter(const struct probe_cgroup *cgroup, pid_t pid);
void probe_cgroup_remove(struct probe_cgroup *cgroup);
/* Those that a process made which was killed before it could remove them. */
void probe_cgroup_sweep(pid_t maker);

/* ---- view.c -------------------------------------------------------------------------------- */

struct probe_view {
	FILE *out;
	bool color;
	bool verbose; /* every answer with its reason */
	const char *kernel, *machine, *user;
};

int probe_view_text(const struct probe_view *view, const struct probe_result *results, size_t n);
int probe_view_json(const struct probe_view *view, const struct probe_result *results, size_t n);
/* "clone3(CLONE_VM|CLONE_VFORK), exit signal SIGCHLD" */
void probe_call_text(const struct probe_result *result, char *buf, size_t size);

#endif
