/* SPDX-License-Identifier: MIT */
/* What tests of plans are made of: a program, steps, a function, the usual host. */
#ifndef RAMET_TESTS_UNIT_PLANS_H
#define RAMET_TESTS_UNIT_PLANS_H

#include "launch/plan.h"

#define PROGRAM .program = "/bin/true"
#define STEPS(...) .steps = RAMET_STEPS(__VA_ARGS__)

static const struct plan_host usual = {.single_threaded = true,
				       .memory_shares = true,
				       .helper = true,
				       .parting = true,
				       .clearing = true,
				       .fetching = true,
				       .path = "/usr/bin:/bin"};

static inline int body(void *arg)
{
	(void)arg;
	return 0;
}

#endif
