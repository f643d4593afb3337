/* SPDX-License-Identifier: MIT */
/*
 * A plan as a file, for the helper way: steps and all that they point at, written with the
 * pointers that are right once it is mapped at IMAGE_ADDRESS.
 */
#ifndef RAMET_LAUNCH_IMAGE_H
#define RAMET_LAUNCH_IMAGE_H

#include <ramet/ramet.h>
#include <stdbool.h>

/* Free in a static program on every processor: between its segments and stack, below 2^38. */
#define IMAGE_ADDRESS 0x1000000000UL

struct image {
	uint64_t used_flags;
	int32_t caller;
	uint32_t count;
	uint32_t clear_handlers;
	uint32_t restore_caps;			  /* the sets below were widened to get here */
	uint64_t effective, inheritable, ambient; /* as they were before */
	uint32_t marked_count, unused_;		  /* nothing of it is left to chance */
	const int32_t *marked;			  /* descriptors to be closed by exec again */
	struct ramet_step steps[];
};

struct plan;

/* Capabilities of the child before it execs the helper. */
struct image_caps {
	bool carry; /* exec would take them away */
	uint64_t effective, permitted, inheritable, ambient;
};

void image_caps_read(const struct plan *plan, struct image_caps *ret);

/* A sealed memfd of it, O_CLOEXEC, and its size. The descriptor or -errno. */
int image_make(const struct plan *plan, const struct image_caps *caps, const int32_t *marked,
	       unsigned marked_count, size_t *ret_size);

/*
 * The descriptors of the caller's that steps use and that exec would close, into out, which has
 * room for one a step. To be asked before the launch opens any of its own. Returns how many.
 */
unsigned marked_descriptors(const struct plan *plan, int32_t *out);

/*
 * A sealed memfd of `size` bytes, O_CLOEXEC, that can be executed (`executable`) also where
 * vm.memfd_noexec asks for that to be said. The descriptor or -errno.
 */
int sealed_file(const char *name, const void *data, size_t size, bool executable);

#endif
