/* SPDX-License-Identifier: MIT */
/*
 * The words and the spec: what ramet.h promises about names, plus what plan needs to know of a
 * spec. Pure: no system call, no allocation.
 */
#ifndef RAMET_SPEC_SPEC_H
#define RAMET_SPEC_SPEC_H

#include <ramet/ramet.h>
#include <stdbool.h>

#include "uapi/clone.h"

struct resource_row {
	const char *name;
	enum ramet_resource bit;
	uint64_t share;		   /* flag that shares it, 0: none */
	uint64_t fresh;		   /* flag that makes it new, 0: none */
	enum ramet_mode otherwise; /* what a child gets with neither */
};

/* Row `index` (bit number) of the table, RAMET_RESOURCE_COUNT rows. */
const struct resource_row *resource_row(unsigned index);

/* Name of flag bit `bit` without CLONE_, or NULL. */
const char *flag_name(unsigned bit);

/*
 * ramet_flags_parse(), and whether the signal came by its name or as the low byte of a number,
 * which in calls other than clone(2) is no signal.
 */
int flags_parse(const char *text, uint64_t *ret_flags, int *ret_exit_signal, bool *ret_named,
		size_t *ret_bad);

/* "EINVAL", or "errno" for a number without a name here. */
const char *errno_name(int error);

/* The number behind such a name; 0 if it is not known here. */
int errno_parse(const char *name);

/* A rule of ramet's own about specs. Same shape of answer as the kernel's rules have. */
struct spec_rule {
	const char *id;
	int error;
	const char *why;
	const char *mend;
};

/*
 * Bring a spec of any size-version to the current one in *ret. -EINVAL if it is too small to be
 * one, -E2BIG if it is newer and uses what this library does not know.
 */
int spec_load(const struct ramet_spec *spec, struct ramet_spec *ret);

/*
 * Flags and exit signal that the spec asks for: preset, then share/copy/fresh, then flags.
 * 0, or -EINVAL with *ret_rule.
 */
int spec_flags(const struct ramet_spec *spec, enum ramet_preset otherwise, bool privileged,
	       uint64_t *ret_flags, int *ret_exit_signal, const struct spec_rule **ret_rule);

#endif
