/* SPDX-License-Identifier: MIT */
/* Words for the values of attributes: one table each, read by plans, options and messages. */
#ifndef RAMET_SPEC_WORDS_H
#define RAMET_SPEC_WORDS_H

#include <stddef.h>
#include <stdint.h>

struct word {
	const char *name;
	int32_t value;
};

/* Ended by a row without a name. */
extern const struct word words_rlimit[];     /* "nofile": RLIMIT_NOFILE */
extern const struct word words_policy[];     /* "fifo": SCHED_FIFO */
extern const struct word words_io_class[];   /* "best-effort": 2 */
extern const struct word words_clock[];	     /* "boottime": CLOCK_BOOTTIME */
extern const struct word words_capability[]; /* "net_bind_service": 10 */
extern const struct word words_securebit[];  /* "noroot": bit 0 */

extern const struct word words_propagation[]; /* "slave": 1 */

/* NULL if the table has no such value. */
const char *word_name(const struct word *words, int32_t value);

/* The row of that name, n characters, in any case, or NULL. */
const struct word *word_find(const struct word *words, const char *name, size_t n);

#endif
