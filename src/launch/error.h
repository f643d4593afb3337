/* SPDX-License-Identifier: MIT */
/* Filling struct ramet_error. `error` may be NULL everywhere. Each returns -errno for the caller. */
#ifndef RAMET_LAUNCH_ERROR_H
#define RAMET_LAUNCH_ERROR_H

#include "launch/plan.h"
#include "launch/raw.h"

/* Refused by a rule, or -error for another reason, before anything was done. */
int error_check(struct ramet_error *error, int r, const struct plan_refusal *refusal);

/* Something of the caller's own failed: -ENOMEM and the like; `what` is static. */
int error_prepare(struct ramet_error *error, int r, const char *what);

/* The kernel refused the clone: the caller's state is read and the rules are asked why. */
int error_clone(struct ramet_error *error, int r, const struct plan *plan,
		const struct raw_used *used);

/* Step `index` of the plan failed. */
int error_step(struct ramet_error *error, int r, const struct plan *plan, unsigned index);

/* The child ended before its body began; `sig` ended it, 0 if unknown. */
int error_died(struct ramet_error *error, int r, int sig);

#endif
