/* SPDX-License-Identifier: MIT */
/* The functions of kinds.def: each does one step, 0 or more, or -errno. */
#ifndef RAMET_CHILD_STEPS_H
#define RAMET_CHILD_STEPS_H

#include "child/child.h"

#define STEP(name) long name(struct child *child, const struct ramet_step *step)

STEP(step_wait_go);
STEP(step_init);
STEP(step_setsid);
STEP(step_setpgid);
STEP(step_hostname);
STEP(step_private_mounts);
STEP(step_proc);
STEP(step_groups);
STEP(step_gid);
STEP(step_uid);
STEP(step_join);
STEP(step_root);
STEP(step_bind);
STEP(step_tmpfs);
STEP(step_pivot);
STEP(step_cgroup);
STEP(step_enter_cgroup);
STEP(step_unshare);
STEP(step_landlock);
STEP(step_restrict);
STEP(step_rlimit);
STEP(step_nice);
STEP(step_sched);
STEP(step_ioprio);
STEP(step_affinity);
STEP(step_oom_score_adj);
STEP(step_personality);
STEP(step_timer_slack);
STEP(step_subreaper);
STEP(step_securebits);
STEP(step_bounding);
STEP(step_keep_caps);
STEP(step_caps);
STEP(step_ambient);
STEP(step_pdeathsig);
STEP(step_ctty);
STEP(step_foreground);
STEP(step_time_offset);
STEP(step_lo_up);
STEP(step_seccomp);
STEP(step_cwd);
STEP(step_umask);
STEP(step_own_table);
STEP(step_fetch);
STEP(step_witness);
STEP(step_keep);
STEP(step_dup);
STEP(step_close_range);
STEP(step_no_new_privs);
STEP(step_signal);
STEP(step_sigmask);
STEP(step_exec);
STEP(step_call);

#endif
