/* SPDX-License-Identifier: MIT */
/* What a program without a C library wants beside its threads: system calls, and words to write. */
#ifndef RAMET_EXAMPLES_RT_H
#define RAMET_EXAMPLES_RT_H

#include <asm/unistd.h>
#include <ramet/thread.h>

/* CALL(read, fd, buffer, size): the kernel's result, -errno included. */
#define CALL(name, ...) CALL_(__NR_##name, __VA_ARGS__, 0, 0, 0, 0, 0, 0)
#define CALL_(nr, a, b, c, d, e, f, ...)                                                           \
	ramet_syscall(nr, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))

#define HERE (-100) /* AT_FDCWD */

static inline size_t length(const char *text)
{
	size_t n = 0;

	while (text[n])
		n++;
	return n;
}

/* A line being made; what does not fit is left out. */
struct line {
	char text[400];
	size_t used;
};

static inline void put(struct line *line, const char *text)
{
	while (*text && line->used < sizeof(line->text))
		line->text[line->used++] = *text++;
}

static inline void put_number(struct line *line, uint64_t number)
{
	char digits[21];
	size_t at = sizeof(digits) - 1;

	digits[at] = 0;
	do
		digits[--at] = (char)('0' + number % 10);
	while (number /= 10);
	put(line, digits + at);
}

static inline void say(int fd, const struct line *line)
{
	CALL(write, fd, line->text, line->used);
}

/* "NAME: what: error 2"; the status to exit with. */
static inline int fail(const char *name, const char *what, long error)
{
	struct line line = {.used = 0};

	put(&line, name);
	put(&line, ": ");
	put(&line, what);
	if (error < 0) {
		put(&line, ": error ");
		put_number(&line, (uint64_t)-error);
	}
	put(&line, "\n");
	say(2, &line);
	return 1;
}

/* -1: no number, or too large for one. */
static inline int to_number(const char *text)
{
	int number = 0;

	do {
		if (*text < '0' || *text > '9' || number > 99999999)
			return -1;
		number = number * 10 + *text - '0';
	} while (*++text);
	return number;
}

#endif
