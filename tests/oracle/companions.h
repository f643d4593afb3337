/* SPDX-License-Identifier: MIT */
/*
 * For tests of what stands beside a launch: a shell as the program, a capture that must come about,
 * what must be as it was afterwards.
 */
#ifndef RAMET_TESTS_ORACLE_COMPANIONS_H
#define RAMET_TESTS_ORACLE_COMPANIONS_H

#include "lib/cell.h"
#include "lib/world.h"

#include <ramet/companions.h>
#include <ramet/ramet.h>

#define PLENTY 30000 /* ms; only a hang takes as long */
#define SPEC(...)                                                                                  \
	{                                                                                          \
		.size = sizeof(struct ramet_spec), __VA_ARGS__                                     \
	}
#define SHELL(text) RAMET_SPEC(.program = "/bin/sh", .argv = WORDS("sh", "-c", text))
#define OPTIONS(...) RAMET_CAPTURE_OPTIONS(.timeout_ms = PLENTY, __VA_ARGS__)

static inline int64_t clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Descriptors and children as before; mappings may grow with the C library's heap. */
static inline void same_world(const struct world *before)
{
	const struct world after = world_take();

	expect(before->fds == after.fds && before->fd_sum == after.fd_sum, "%ld descriptors, %ld",
	       before->fds, after.fds);
	expect(!after.children, "a child is left");
	expect(before->mask == after.mask, "the signal mask has changed");
	expect(!memcmp(before->handlers, after.handlers, sizeof(after.handlers)), "a handler has");
}

static inline bool capture(const struct ramet_spec *spec,
			   const struct ramet_capture_options *options, struct ramet_captured *ret)
{
	struct ramet_error error = {0};
	char text[400] = "";
	const int r = ramet_capture(spec, options, ret, &error);

	if (r < 0)
		ramet_error_format(&error, text, sizeof(text));
	return expect(r == 0, "capture %d: %s", r, text);
}

static inline void both(void (*fn)(void *), void *arg, const char *name)
{
	cell_run(WHO_ANY, 60, fn, arg, "%s", name);
	if (!geteuid())
		cell_run(WHO_NOBODY, 60, fn, arg, "%s", name);
}

#endif
