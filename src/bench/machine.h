/* SPDX-License-Identifier: MIT */
/*
 * What the machine says of itself, read below a folder in place of '/', so that tests can put texts
 * there; and how much memory may be taken: what bounds it is read first and judged afterwards.
 */
#ifndef RAMET_BENCH_MACHINE_H
#define RAMET_BENCH_MACHINE_H

#include "bench/bench.h"

/*
 * A file's text, ended by 0; longer ones are cut. How many bytes, or -errno, and then it is empty.
 * The path is formatted.
 */
__attribute__((format(printf, 3, 4))) int machine_text(char *buf, size_t size, const char *path,
						       ...);

/* "MemAvailable:  1234 kB" as bytes; -1: no such line. */
int64_t machine_kilobytes(const char *text, const char *name);

/* The model of the processor and who runs this machine, as struct bench_machine has them. */
void machine_processor(const char *root, char *buf, size_t size);
void machine_hypervisor(const char *root, char *buf, size_t size);

/* ---- Memory ---- */

enum memory_kind {
	MEMORY_AVAILABLE, /* MemAvailable: the swap is not in it */
	MEMORY_CGROUP,
	MEMORY_COMMIT,	      /* vm.overcommit_memory is 2: a forked child counts as well */
	MEMORY_ADDRESS_SPACE, /* RLIMIT_AS */
	MEMORY_DATA,	      /* RLIMIT_DATA */
	MEMORY_KINDS
};

/* So much is left of each; UINT64_MAX: no bound, or not known. */
struct memory_bounds {
	uint64_t left[MEMORY_KINDS];
	char cgroup[160]; /* whose limit is the nearest */
	char control[32]; /* the file in which that limit is written */
};

/* All but the limits of the process, from below root. */
void memory_read(const char *root, struct memory_bounds *ret);
/* Those of the calling process. */
void memory_read_own(struct memory_bounds *bounds);
/* As bench_may_take(). */
int memory_judge(const struct memory_bounds *bounds, uint64_t bytes, char *why);

#endif
