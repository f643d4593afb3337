/* SPDX-License-Identifier: MIT */
/*
 * A small TAP producer for the C tests. One subtest a call, numbered by the calling process:
 * only the test's main process and thread may call ok() and its kin; a child hands its finding
 * back (exit status, pipe, shared word) and the parent judges it. The plan comes last, so a test
 * that dies half-way has none and fails.
 *
 *	int main(void)
 *	{
 *		is_int(1 + 1, 2, "sum of %d and %d", 1, 1);
 *		return tap_done();
 *	}
 */
#ifndef RAMET_TESTS_TAP_H
#define RAMET_TESTS_TAP_H

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TAP_PRINTF(at) __attribute__((format(printf, at, (at) + 1)))

static struct {
	unsigned int run;
	unsigned int failed;
	bool seeded;
	uint64_t seed;
	uint64_t state;
} tap;

/* A '#' starts a directive in TAP and a line is one result, so names hold neither. */
__attribute__((format(printf, 2, 0))) static inline void tap_line(bool good, const char *fmt,
								  va_list args)
{
	char name[256];

	if (!tap.run++)
		setvbuf(stdout, NULL, _IOLBF, 0);
	vsnprintf(name, sizeof(name), fmt, args);
	for (char *c = name; *c; c++)
		if (*c == '#' || *c == '\n')
			*c = ' ';
	tap.failed += !good;
	printf("%s %u - %s", good ? "ok" : "not ok", tap.run, name);
}

/* A line for the reader; may hold several lines of text. */
TAP_PRINTF(1) static inline void diag(const char *fmt, ...)
{
	char text[1024];
	char *rest = text;
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	for (char *line; (line = strsep(&rest, "\n"));)
		if (*line || rest)
			printf("# %s\n", line);
	fflush(stdout);
}

TAP_PRINTF(5)
static inline bool tap_ok(bool good, const char *file, int line, const char *what, const char *fmt,
			  ...)
{
	va_list args;

	va_start(args, fmt);
	tap_line(good, fmt, args);
	va_end(args);
	putchar('\n');
	if (!good)
		diag("%s:%d: failed: %s", file, line, what);
	return good;
}

TAP_PRINTF(6)
static inline bool tap_is_int(intmax_t got, intmax_t want, const char *file, int line,
			      const char *what, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	tap_line(got == want, fmt, args);
	va_end(args);
	putchar('\n');
	if (got != want)
		diag("%s:%d: %s\n  got  %jd (0x%jx)\n  want %jd (0x%jx)", file, line, what, got,
		     (uintmax_t)got, want, (uintmax_t)want);
	return got == want;
}

TAP_PRINTF(6)
static inline bool tap_is_str(const char *got, const char *want, const char *file, int line,
			      const char *what, const char *fmt, ...)
{
	bool good = got && want ? !strcmp(got, want) : got == want;
	va_list args;

	va_start(args, fmt);
	tap_line(good, fmt, args);
	va_end(args);
	putchar('\n');
	if (!good) {
		diag("%s:%d: %s", file, line, what);
		diag("  got  %s", got ? got : "(null)");
		diag("  want %s", want ? want : "(null)");
	}
	return good;
}

/* Each gives true when the subtest passed, so that what depends on it can be left out. */
#define ok(cond, ...) tap_ok(!!(cond), __FILE__, __LINE__, #cond, __VA_ARGS__)
#define is_int(got, want, ...)                                                                     \
	tap_is_int((intmax_t)(got), (intmax_t)(want), __FILE__, __LINE__, #got, __VA_ARGS__)
#define is_str(got, want, ...) tap_is_str(got, want, __FILE__, __LINE__, #got, __VA_ARGS__)

/* n subtests that cannot run here; the reason names what is missing. */
TAP_PRINTF(2) static inline void skip(unsigned int n, const char *fmt, ...)
{
	char reason[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(reason, sizeof(reason), fmt, args);
	va_end(args);
	while (n--)
		printf("ok %u # SKIP %s\n", ++tap.run, reason);
	fflush(stdout);
}

/* The seed of this run's random choices, printed once; RAMET_SEED repeats a run. */
static inline uint64_t tap_seed(void)
{
	const char *given = getenv("RAMET_SEED");
	struct timespec now;

	if (tap.seeded)
		return tap.seed;
	clock_gettime(CLOCK_REALTIME, &now);
	tap.seed = given ? strtoull(given, NULL, 0)
			 : (uint64_t)now.tv_sec * 1000000007 + (uint64_t)now.tv_nsec;
	tap.state = tap.seed;
	tap.seeded = true;
	diag("RAMET_SEED=%" PRIu64, tap.seed);
	return tap.seed;
}

/* splitmix64: every seed gives a full-period sequence, and the same one everywhere. */
static inline uint64_t tap_random(void)
{
	uint64_t z;

	tap_seed();
	z = tap.state += 0x9e3779b97f4a7c15;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

/* A random number in 0 … n-1; n is not 0. */
static inline uint64_t tap_below(uint64_t n)
{
	return tap_random() % n;
}

/* How many of n samples are enough: RAMET_SWEEP percent, which a slow machine sets. */
static inline unsigned tap_scaled(unsigned n)
{
	const char *percent = getenv("RAMET_SWEEP");

	return percent && atoi(percent) > 0 ? (n * (unsigned)atoi(percent) + 99) / 100 : n;
}

/* Prints the plan; main() returns what it gives. */
static inline int tap_done(void)
{
	printf("1..%u\n", tap.run);
	fflush(stdout);
	return tap.failed ? 1 : 0;
}

#endif
