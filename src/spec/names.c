/* SPDX-License-Identifier: MIT */
/* Tables of flags, resources, presets, modes and ways, and the look-ups over them. */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "spec/spec.h"

static const char *const flag_names[64] = {
#define FLAG(name) [__builtin_ctzll(CLONE_##name)] = #name,
#include "spec/tables.def"
};

static const struct resource_row resources[RAMET_RESOURCE_COUNT] = {
#define RESOURCE(constant, name_, share_, fresh_, otherwise_)                                      \
	[__builtin_ctz(RAMET_##constant)] = {                                                      \
		.name = (name_),                                                                   \
		.bit = RAMET_##constant,                                                           \
		.share = (share_),                                                                 \
		.fresh = (fresh_),                                                                 \
		.otherwise = RAMET_MODE_##otherwise_,                                              \
	},
#include "spec/tables.def"
};

static const struct preset_row {
	const char *name;
	uint64_t flags;
	uint64_t unprivileged;
	int exit_signal;
} presets[RAMET_PRESET_COUNT_] = {
#define PRESET(constant, name_, flags_, exit_signal_, unprivileged_)                               \
	[RAMET_PRESET_##constant] = {                                                              \
		.name = (name_),                                                                   \
		.flags = (flags_),                                                                 \
		.unprivileged = (unprivileged_),                                                   \
		.exit_signal = (exit_signal_),                                                     \
	},
#include "spec/tables.def"
};

static const char *const mode_names[] = {
	[RAMET_MODE_SHARE] = "share",
	[RAMET_MODE_COPY] = "copy",
	[RAMET_MODE_NEW] = "new",
};

static const char *const way_names[] = {
	[RAMET_WAY_ANY] = "any",   [RAMET_WAY_HELD] = "held",	  [RAMET_WAY_FUTEX] = "futex",
	[RAMET_WAY_COPY] = "copy", [RAMET_WAY_HELPER] = "helper",
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const struct resource_row *resource_row(unsigned index)
{
	return index < COUNT(resources) ? &resources[index] : NULL;
}

const char *flag_name(unsigned bit)
{
	return bit < COUNT(flag_names) ? flag_names[bit] : NULL;
}

const char *ramet_resource_name(enum ramet_resource resource)
{
	const unsigned bits = (unsigned)resource;

	if (!bits || bits & (bits - 1) || (unsigned)__builtin_ctz(bits) >= COUNT(resources))
		return NULL;
	return resources[__builtin_ctz(bits)].name;
}

const char *ramet_preset_name(enum ramet_preset preset)
{
	return (unsigned)preset < COUNT(presets) ? presets[preset].name : NULL;
}

const char *ramet_mode_name(enum ramet_mode mode)
{
	return (unsigned)mode < COUNT(mode_names) ? mode_names[mode] : NULL;
}

const char *ramet_way_name(enum ramet_way way)
{
	return (unsigned)way < COUNT(way_names) ? way_names[way] : NULL;
}

int ramet_preset_parse(const char *name, enum ramet_preset *ret_preset)
{
	for (unsigned i = 0; i < COUNT(presets); i++) {
		if (presets[i].name && strcmp(presets[i].name, name) == 0) {
			*ret_preset = (enum ramet_preset)i;
			return 0;
		}
	}
	return -EINVAL;
}

int ramet_preset_flags(enum ramet_preset preset, int privileged, uint64_t *ret_flags,
		       int *ret_exit_signal)
{
	const struct preset_row *row;

	if (!ramet_preset_name(preset))
		return -EINVAL;
	row = &presets[preset];
	*ret_flags = row->flags | (privileged ? 0 : row->unprivileged);
	*ret_exit_signal = row->exit_signal;
	return 0;
}
