/* SPDX-License-Identifier: MIT */
/*
 * A fuzz target: one function, called with any bytes by libFuzzer (clang) or by driver.c (any
 * compiler). A property that does not hold ends the program where it was found.
 */
#ifndef RAMET_TESTS_FUZZ_H
#define RAMET_TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Words that are worth trying, NULL-terminated: driver.c strings them together. */
extern const char *const fuzz_words[];

#define MUST(property)                                                                             \
	do {                                                                                       \
		if (!(property)) {                                                                 \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__,          \
				#property);                                                        \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* The bytes as a string on the heap, so that reading past its end is seen. free() it. */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	if (!text)
		abort();
	if (size)
		memcpy(text, data, size);
	text[size] = 0;
	return text;
}

#endif
