/* SPDX-License-Identifier: MIT */
/* The calls' names, for what tests say. */
#ifndef RAMET_TESTS_LIB_ENTRY_H
#define RAMET_TESTS_LIB_ENTRY_H

#include <ramet/model.h>

static inline const char *entry_name(enum ramet_entry entry)
{
	switch (entry) {
	case RAMET_ENTRY_CLONE:
		return "clone";
	case RAMET_ENTRY_CLONE3:
		return "clone3";
	case RAMET_ENTRY_UNSHARE:
		return "unshare";
	case RAMET_ENTRY_SETNS:
		break;
	}
	return "setns";
}

#endif
