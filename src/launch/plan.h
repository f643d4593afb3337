/* SPDX-License-Identifier: MIT */
/*
 * From a spec to what will be done: one clone_args, the way, an ordered array of steps. Pure: what
 * it needs to know of the caller comes in struct plan_host.
 */
#ifndef RAMET_LAUNCH_PLAN_H
#define RAMET_LAUNCH_PLAN_H

#include <ramet/model.h>
#include <ramet/ramet.h>
#include <stdbool.h>

#include "spec/spec.h"
#include "uapi/clone.h"

/* Where programs are looked for without a PATH. An empty one is the working directory. */
#define PLAN_PATH "/bin:/usr/bin"

/* What a plan depends on besides the spec. */
struct plan_host {
	bool privileged;      /* CAP_SYS_ADMIN; asked for with preset container alone */
	bool single_threaded; /* asked for with function bodies alone */
	bool helper;	      /* programs in memory can be run */
	bool shielding;	      /* a task of the caller's could make another one */
	bool uncharged;	      /* a cgroup2 has no limits of memory on this system */
	bool clearing;	      /* clone3 can be had, and with it CLONE_CLEAR_SIGHAND */
	bool parting;	      /* a shared descriptor table can be parted from */
	bool fetching;	      /* pidfd_getfd is allowed on the caller */
	bool fetch_failed;    /* it is, but for what this spec names there was nothing to get */
	bool asynchronous;    /* the caller does not wait until the body starts */
	int witness;	      /* descriptor the child has until exec; 0 or less: none */
	bool memory_shares;   /* this system honours CLONE_VM */
	const char *path;     /* PATH, NULL: the default */
	char *const *envp;
	uintptr_t thread_pointer;
};

enum plan_body { PLAN_PROGRAM, PLAN_FUNCTION, PLAN_TWICE };

struct plan {
	enum plan_body body;
	enum ramet_way way;
	struct clone_args args; /* pointers into the launch's own memory are set by the launch */
	uint64_t droppable;	/* flags made up for if clone(2) must be used */
	unsigned lost;		/* RAMET_LOST_* known already */
	unsigned timeout_ms;	/* 0: none */
	int exit_signal;	/* what the task ends with once its body runs */
	bool names_caller;	/* a step asks who the caller is */
	bool execs;		/* the task itself execs: see plan_exit_signal() */
	uint64_t unshares;	/* with it: namespaces that the child makes afterwards */
	bool enters_cgroup;	/* … and the cgroup it enters */
	bool begins_pids;	/* … as the first of a new pid namespace */
	bool strict;		/* clone3 or nothing */
	bool libc_fork;		/* made by the C library's fork() */
	bool clear_handlers;
	bool unmasked;	   /* no signal is blocked meanwhile: see can_stay_unmasked() */
	bool shielded;	   /* another task is held meanwhile: shield.c */
	bool handshake;	   /* the caller waits until the body starts */
	bool asynchronous; /* … but not in the call that makes the task */
	bool caller_steps; /* some steps are on the caller's side */
	bool own_tid_word; /* CLONE_CHILD_CLEARTID on the launch's word, not the spec's */
	bool keep_stack;   /* the stack must last until the task's end, not its exec */
	unsigned count;
	int sigmask; /* index of the step that takes the caller's mask, -1: none does */
	struct ramet_step *steps;
	size_t stack_size;
	void *memory_; /* one block holds all of the above */
};

/* Why there is no plan: a rule of the kernel or of ramet, or neither (out of memory). */
struct plan_refusal {
	const char *id, *why, *mend;
	uint32_t kind; /* of the step it is about, 0: none */
};

/*
 * Make the plan of a spec. `twice` for ramet_fork(). On failure -errno, *ret_refusal says why and
 * nothing is kept. spec must have come through spec_load().
 */
int plan_make(const struct ramet_spec *spec, bool twice, const struct plan_host *host,
	      struct plan *ret, struct plan_refusal *ret_refusal);
void plan_free(struct plan *plan);

/*
 * Copies all that the steps of the child point at, so that the spec's owner may change or free it
 * before the launch is over. 0 or -ENOMEM with the plan as it was.
 */
int plan_own(struct plan *plan);

/* The call as rules look at it. */
struct ramet_call plan_call(const struct plan *plan);

/*
 * Descriptor steps of a spec in the order in which they can be done, appended to out, which has
 * room for fdmap_room(steps) of them; kept is scratch for four numbers more than that. `held`
 * (-1: none) are open until exec. Returns how many. Targets of DUP must differ from each other.
 */
unsigned fdmap_room(const struct ramet_step *steps);
unsigned fdmap_make(const struct ramet_step *steps, const int held[2], struct ramet_step *out,
		    int *kept);

/* What a step of a kind may be, and what it points at. */
struct step_limits {
	bool plan_only;	 /* not for users */
	bool many;	 /* more than one may be given */
	bool text;	 /* has .path; with target: .source */
	bool target;	 /* has .target */
	bool data;	 /* has .data and .bytes */
	bool descriptor; /* .number, and .to, are descriptors */
};

const struct step_limits *step_limits(uint32_t kind);

/* ramet's own rules about specs, beyond the kernel's: rows of rules.def. */
enum launch_rule {
	LAUNCH_RULE_NONE = 0,
#define RULE(constant, id, why, mend) LAUNCH_RULE_##constant,
#include "launch/rules.def"
};

/* The first rule about steps alone, then about steps against the call, that refuses, and
 * the kind of step that it refuses. */
enum launch_rule steps_check(const struct ramet_step *steps, uint32_t *ret_kind);
enum launch_rule steps_check_call(const struct ramet_step *steps, uint64_t flags,
				  uint32_t *ret_kind);

/* Whether some step is of that kind. */
bool steps_have(const struct ramet_step *steps, uint32_t kind);

/* "chdir to /nope"; returns as snprintf does. */
int step_describe(const struct ramet_step *step, char *buf, size_t size);

#endif
