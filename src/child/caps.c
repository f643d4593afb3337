/* SPDX-License-Identifier: MIT */
/*
 * Steps about capabilities. Order, by the ranks: bounding set and securebits while the rights to
 * set them are there, keep-caps before the change of user, the sets themselves after it, ambient
 * last since it must be within permitted and inheritable.
 */
#include <errno.h>

#include "base/sys.h"
#include "child/steps.h"

#define UNUSED __attribute__((unused))
#define PR_CAPBSET_DROP_ 24
#define PR_CAPBSET_READ_ 23
#define PR_SET_SECUREBITS_ 28
#define PR_SET_KEEPCAPS_ 8
#define PR_CAP_AMBIENT_ 47
#define AMBIENT_RAISE 2
#define AMBIENT_CLEAR_ALL 4

long step_securebits(struct child *child UNUSED, const struct ramet_step *step)
{
	return sys_prctl(PR_SET_SECUREBITS_, (unsigned long)step->number, 0, 0, 0);
}

/* Up to the last capability that this kernel knows: reading the next one is EINVAL. */
long step_bounding(struct child *child UNUSED, const struct ramet_step *step)
{
	long r;

	for (unsigned cap = 0; cap < 64; cap++) {
		r = sys_prctl(PR_CAPBSET_READ_, cap, 0, 0, 0);
		if (r < 0)
			return 0;
		if (r == 0 || step->mask >> cap & 1)
			continue;
		r = sys_prctl(PR_CAPBSET_DROP_, cap, 0, 0, 0);
		if (r < 0)
			return r;
	}
	return 0;
}

long step_keep_caps(struct child *child UNUSED, const struct ramet_step *step UNUSED)
{
	return sys_prctl(PR_SET_KEEPCAPS_, 1, 0, 0, 0);
}

long step_caps(struct child *child UNUSED, const struct ramet_step *step)
{
	struct kernel_caps data[2];

	for (int half = 0; half < 2; half++) {
		data[half].permitted = (uint32_t)(step->permitted >> 32 * half);
		data[half].effective = data[half].permitted;
		data[half].inheritable = (uint32_t)(step->inheritable >> 32 * half);
	}
	return sys_capset(data);
}

long step_ambient(struct child *child UNUSED, const struct ramet_step *step)
{
	long r = sys_prctl(PR_CAP_AMBIENT_, AMBIENT_CLEAR_ALL, 0, 0, 0);

	for (unsigned cap = 0; cap < 64 && r >= 0; cap++)
		if (step->mask >> cap & 1)
			r = sys_prctl(PR_CAP_AMBIENT_, AMBIENT_RAISE, cap, 0, 0);
	return r;
}
