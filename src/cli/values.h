/* SPDX-License-Identifier: MIT */
/*
 * Values of the options of ramet run: each setter turns one text into one step (or a choice) of
 * struct run_settings, whose address is the field of every such row; tag is the kind of step.
 */
#ifndef RAMET_CLI_VALUES_H
#define RAMET_CLI_VALUES_H

#include <ramet/ramet.h>
#include <sched.h>

#include "cli/cli.h"

#define RUN_STEPS_MAX 256
#define RUN_GROUPS_MAX 256
#define RUN_MAP_SIZE 4096 /* the kernel takes a page */
#define RUN_ENV_MAX 256
#define RUN_FILTER_MAX 4096 /* what the kernel takes */
#define RUN_TIDS_MAX 32	    /* levels of pid namespaces */

struct run_settings {
	struct ramet_spec spec;
	bool dry_run, as_pid_1, has_cgroup;
	const char *json;
	const char *argv0;
	unsigned count;
	struct ramet_step steps[RUN_STEPS_MAX + 1];
	cpu_set_t cpus;
	uint64_t filter[RUN_FILTER_MAX]; /* instructions */
	pid_t tids[RUN_TIDS_MAX];
	gid_t groups[RUN_GROUPS_MAX];
	char uid_map[RUN_MAP_SIZE], gid_map[RUN_MAP_SIZE];
	const char *env[RUN_ENV_MAX]; /* NAME=VALUE, or NAME: taken out */
	unsigned env_count;
	bool clear_env;
	bool no_fallback;
};

/* NULL, or why there is no room. */
const char *run_add(struct run_settings *s, struct ramet_step step);

cli_setter run_set_plain;      /* a step without a value */
cli_setter run_set_path;       /* a path or a name */
cli_setter run_set_umask;      /* octal */
cli_setter run_set_id;	       /* uid or gid */
cli_setter run_set_pgid;       /* 0 or more */
cli_setter run_set_fd;	       /* a descriptor */
cli_setter run_set_dup;	       /* FROM:TO */
cli_setter run_set_signal;     /* SIG or all; tag: ignored */
cli_setter run_set_one_signal; /* SIG */
cli_setter run_set_resources;  /* R,…; tag: 0 share, 1 copy, 2 new */
cli_setter run_set_preset;
cli_setter run_set_rlimit;     /* NAME=SOFT[:HARD] */
cli_setter run_set_nice;       /* -20..19 */
cli_setter run_set_slack;      /* 1 or more */
cli_setter run_set_oom;	       /* -1000..1000 */
cli_setter run_set_sched;      /* POLICY[:PRIORITY][:reset] */
cli_setter run_set_ioprio;     /* CLASS[:LEVEL] */
cli_setter run_set_cpus;       /* 0-3,7 */
cli_setter run_set_hex;	       /* a number, any base */
cli_setter run_set_securebits; /* NAME,… */
cli_setter run_set_caps;       /* NAME,… | all | none; tag: kind */
cli_setter run_set_all_caps;   /* bounding, permitted, inheritable and ambient */
cli_setter run_set_bind;       /* SRC:DST; tag: read-only */
cli_setter run_set_proc;       /* an absolute path */
cli_setter run_set_target;     /* a place to mount on */
cli_setter run_set_join;       /* PID[:NS,…] or a path */
cli_setter run_set_cgroup;     /* a directory, v1 or v2 */
cli_setter run_set_tid;	       /* N,… */
cli_setter run_set_exec_fd;    /* a descriptor */
cli_setter run_set_seccomp;    /* a file of struct sock_filter */
cli_setter run_set_landlock;   /* a path; tag: writable */
cli_setter run_set_ambient;    /* CAP,…: inheritable and ambient */
cli_setter run_set_groups;     /* GID,… */
cli_setter run_set_map;	       /* IN:OUT:COUNT,…; tag: 0 uid, 1 gid */
cli_setter run_set_propagation;
cli_setter run_set_env; /* NAME=VALUE, or NAME */
cli_setter run_set_way;
cli_setter run_set_mask;    /* SIG,… or all */
cli_setter run_set_timeout; /* seconds */
cli_setter run_set_clock;   /* CLOCK:SECONDS */

#endif
