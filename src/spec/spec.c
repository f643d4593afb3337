/* SPDX-License-Identifier: MIT */
/* From a spec to the flags it asks for; which choices a resource allows is read off its row. */
#include "spec/spec.h"

#include <errno.h>
#include <string.h>

static const struct spec_rule rules[] = {
	{"choose-once", EINVAL, "One resource is asked to be two of share, copy and new.",
	 "Name each resource in one of the three only."},
	{"cannot-be-shared", EINVAL, "The kernel has no way to share this resource with a child.",
	 "Leave it out of share."},
	{"cannot-be-copied", EINVAL,
	 "The kernel cannot copy this resource: a child has the same one or a fresh one.",
	 "Share it, or make it new."},
	{"cannot-be-new", EINVAL,
	 "The kernel cannot give a child a fresh one of this: only the same or a copy.",
	 "Copy it, or share it."},
	{"exit-signal-range", EINVAL, "Signals are numbered 1 to 64.",
	 "Use a signal, 0 for the preset's, or RAMET_NO_SIGNAL."},
	{"unknown-resource", EINVAL, "A mask names a resource that this library does not know.",
	 "Use the bits of enum ramet_resource."},
	{"unknown-preset", EINVAL, "There is no such preset.", "Use one of enum ramet_preset."},
};

enum { CHOOSE_ONCE, NO_SHARE, NO_COPY, NO_NEW, SIGNAL_RANGE, UNKNOWN_RESOURCE, UNKNOWN_PRESET };

/* A spec shorter than its first version is none. */
#define SPEC_SIZE_MIN (offsetof(struct ramet_spec, cgroup) + sizeof(int))

int spec_load(const struct ramet_spec *spec, struct ramet_spec *ret)
{
	const unsigned char *tail = (const unsigned char *)spec;

	if (spec->size < SPEC_SIZE_MIN)
		return -EINVAL;
	for (size_t i = sizeof(*ret); i < spec->size; i++)
		if (tail[i])
			return -E2BIG;
	memset(ret, 0, sizeof(*ret));
	memcpy(ret, spec, spec->size < sizeof(*ret) ? spec->size : sizeof(*ret));
	return 0;
}

/* Apply one choice to the flags; the rule that forbids it, or NULL. */
static const struct spec_rule *choose(const struct resource_row *row, enum ramet_mode mode,
				      uint64_t *flags)
{
	const uint64_t want = mode == RAMET_MODE_SHARE ? row->share
			      : mode == RAMET_MODE_NEW ? row->fresh
						       : 0;

	if (!want && row->otherwise != mode)
		return &rules[mode == RAMET_MODE_SHARE ? NO_SHARE
			      : mode == RAMET_MODE_NEW ? NO_NEW
						       : NO_COPY];
	*flags = (*flags & ~(row->share | row->fresh)) | want;
	return NULL;
}

int spec_flags(const struct ramet_spec *spec, enum ramet_preset otherwise, bool privileged,
	       uint64_t *ret_flags, int *ret_exit_signal, const struct spec_rule **ret_rule)
{
	const enum ramet_preset preset = spec->preset ? spec->preset : otherwise;
	const struct spec_rule *rule = NULL;
	uint64_t flags = 0;
	int sig = 0;

	if (ramet_preset_flags(preset, privileged, &flags, &sig) < 0)
		rule = &rules[UNKNOWN_PRESET];
	else if ((spec->share | spec->copy | spec->fresh) >> RAMET_RESOURCE_COUNT)
		rule = &rules[UNKNOWN_RESOURCE];
	else if ((spec->share & spec->copy) | (spec->share & spec->fresh) |
		 (spec->copy & spec->fresh))
		rule = &rules[CHOOSE_ONCE];
	else if (spec->exit_signal < RAMET_NO_SIGNAL || spec->exit_signal > 64)
		rule = &rules[SIGNAL_RANGE];

	for (unsigned i = 0; i < RAMET_RESOURCE_COUNT && !rule; i++) {
		const struct resource_row *row = resource_row(i);

		if (spec->share & row->bit)
			rule = choose(row, RAMET_MODE_SHARE, &flags);
		else if (spec->copy & row->bit)
			rule = choose(row, RAMET_MODE_COPY, &flags);
		else if (spec->fresh & row->bit)
			rule = choose(row, RAMET_MODE_NEW, &flags);
	}
	if (rule) {
		*ret_rule = rule;
		return -rule->error;
	}
	*ret_flags = flags | spec->flags;
	/* A thread has no exit signal, a sibling its maker's: the preset's was not meant for them. */
	if (*ret_flags & (CLONE_THREAD | CLONE_PARENT))
		sig = 0;
	if (spec->exit_signal)
		sig = spec->exit_signal == RAMET_NO_SIGNAL ? 0 : spec->exit_signal;
	*ret_exit_signal = sig;
	return 0;
}
