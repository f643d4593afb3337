/* SPDX-License-Identifier: MIT */
/*
 * A piece of text and what can be taken from its front. Texts are not terminated and may hold any
 * byte. Each taker either takes and gives true, or gives false and leaves the span as it was.
 */
#ifndef RAMET_EXPLAIN_SCAN_H
#define RAMET_EXPLAIN_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
	const char *at, *end;
};

static inline size_t span_size(struct span s)
{
	return (size_t)(s.end - s.at);
}

static inline struct span span_of(const char *text)
{
	return (struct span){text, text + strlen(text)};
}

static inline bool starts_with(struct span s, const char *text)
{
	const size_t n = strlen(text);

	return span_size(s) >= n && memcmp(s.at, text, n) == 0;
}

static inline bool ends_with(struct span s, const char *text)
{
	const size_t n = strlen(text);

	return span_size(s) >= n && memcmp(s.end - n, text, n) == 0;
}

static inline bool is_text(struct span s, const char *text)
{
	return span_size(s) == strlen(text) && starts_with(s, text);
}

static inline bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool is_word_char(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static inline bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static inline void skip_blanks(struct span *s)
{
	while (s->at < s->end && is_blank(*s->at))
		s->at++;
}

/* Without blanks at either end. */
static inline struct span trimmed(struct span s)
{
	skip_blanks(&s);
	while (s.at < s.end && is_blank(s.end[-1]))
		s.end--;
	return s;
}

static inline bool skip_text(struct span *s, const char *text)
{
	if (!starts_with(*s, text))
		return false;
	s->at += strlen(text);
	return true;
}

/* Where `text` first stands in s, or NULL. */
static inline const char *find_text(struct span s, const char *text)
{
	return s.at < s.end ? memmem(s.at, span_size(s), text, strlen(text)) : NULL;
}

/* Letters, digits and underscores; at least one. */
bool take_word(struct span *s, struct span *ret);

/* Decimal digits alone, at most nine of them: a tid, a line's field. */
bool take_digits(struct span *s, int *ret);

/*
 * A number as C has it, decimal or 0x, perhaps negative (two's complement); with `hex`, hex
 * digits without 0x too. False as well if it does not fit or runs into a word.
 */
bool take_number(struct span *s, bool hex, uint64_t *ret);

/* What is between `open` at the front and the `close` that belongs to it, both taken. */
bool take_bracketed(struct span *s, char open, char close, struct span *ret);

/* Blanks and C comments. */
void skip_comments(struct span *s);

/*
 * The next of a list of arguments, up to the comma or closing bracket that is not inside
 * brackets, strings or comments. That character stays. False at such a character or the end.
 */
bool take_arg(struct span *s, struct span *ret);

/* Copy to buf, cut to its size, terminated; bytes that are no printable ASCII become '?'. */
void copy_text(struct span s, char *buf, size_t size);

#endif
