/* SPDX-License-Identifier: MIT */
/* What the rules say of a step before it is taken. */
#ifndef RAMET_TESTS_FORETELL_H
#define RAMET_TESTS_FORETELL_H

#include "colony/life.h"

/* NULL and 0 for a label that is not there. */
const struct task *task_of(const struct life *l, int label);
int tgid_of(const struct life *l, int label);

/*
 * The errno that clone or unshare will give, or 0. *ret_late: refused, if at all, behind what
 * copy_process() does with the undo list.
 */
int foretell(const struct life *l, const struct step *s, const struct ramet_call *call,
	     bool *ret_late);

/* The descriptor that setns is to be given, or -1. */
int open_target(const struct life *l, const struct step *s);
int foretell_setns(const struct life *l, const struct step *s, const struct ramet_call *call);

/*
 * Who has ended has no memory left that could be closed to debuggers. Kernels of 2026 (and 6.18.44)
 * remember whether it was, as it is after an exec that gains capabilities; then nothing but
 * CAP_SYS_PTRACE in the first user namespace opens it. That is more than can be seen of a dead
 * task: where it may be so, EPERM is as right as ESRCH.
 */
bool is_perhaps_closed(const struct life *l, const struct step *s);

#endif
