/* SPDX-License-Identifier: MIT */
/* Taking words, numbers and arguments from the front of a text. Knows nothing of tracers. */
#include "explain/scan.h"

#define DIGITS_MAX 9

bool take_word(struct span *s, struct span *ret)
{
	const char *p = s->at;

	while (p < s->end && is_word_char(*p))
		p++;
	if (p == s->at)
		return false;
	*ret = (struct span){s->at, p};
	s->at = p;
	return true;
}

bool take_digits(struct span *s, int *ret)
{
	const char *p = s->at;
	int n = 0;

	for (; p < s->end && is_digit(*p) && p - s->at < DIGITS_MAX; p++)
		n = n * 10 + (*p - '0');
	if (p == s->at || (p < s->end && is_digit(*p)))
		return false;
	s->at = p;
	*ret = n;
	return true;
}

/* The value of a hex digit, or 99. */
static unsigned digit_of(char c)
{
	if (is_digit(c))
		return (unsigned)(c - '0');
	if ((c | 32) >= 'a' && (c | 32) <= 'f')
		return (unsigned)((c | 32) - 'a') + 10;
	return 99;
}

bool take_number(struct span *s, bool hex, uint64_t *ret)
{
	struct span t = *s;
	const bool minus = skip_text(&t, "-");
	const unsigned base = skip_text(&t, "0x") || hex ? 16 : 10;
	const char *first = t.at;
	uint64_t n = 0;

	for (unsigned digit; t.at < t.end && (digit = digit_of(*t.at)) < base; t.at++) {
		if (n > (UINT64_MAX - digit) / base)
			return false;
		n = n * base + digit;
	}
	if (t.at == first || (t.at < t.end && is_word_char(*t.at)))
		return false;
	*ret = minus ? -n : n;
	s->at = t.at;
	return true;
}

bool take_bracketed(struct span *s, char open, char close, struct span *ret)
{
	unsigned depth = 0;

	for (const char *p = s->at; p < s->end; p++) {
		if (*p == open)
			depth++;
		else if (*p == close)
			depth--;
		if (!depth) {
			if (p == s->at)
				return false;
			*ret = (struct span){s->at + 1, p};
			s->at = p + 1;
			return true;
		}
	}
	return false;
}

/* p stands at a comment or string: the character after it, or the text's end. */
static const char *after_comment(const char *p, const char *end)
{
	const char *close = memmem(p + 2, (size_t)(end - p - 2), "*/", 2);

	return close ? close + 2 : end;
}

static const char *after_string(const char *p, const char *end)
{
	for (p++; p < end && *p != '"'; p++)
		if (*p == '\\' && p + 1 < end)
			p++;
	return p < end ? p + 1 : end;
}

static bool at_comment(const char *p, const char *end)
{
	return end - p >= 2 && p[0] == '/' && p[1] == '*';
}

void skip_comments(struct span *s)
{
	for (;;) {
		skip_blanks(s);
		if (!at_comment(s->at, s->end))
			return;
		s->at = after_comment(s->at, s->end);
	}
}

/*
 * What a descriptor is, in angle brackets: nothing in there but they themselves means anything.
 * strace escapes those of a file's name.
 */
static const char *after_angles(const char *p, const char *end)
{
	unsigned depth = 0;

	for (; p < end; p++) {
		if (*p == '<')
			depth++;
		else if (*p == '>' && --depth == 0)
			return p + 1;
	}
	return end;
}

bool take_arg(struct span *s, struct span *ret)
{
	const char *p = s->at, *end = s->end;
	unsigned depth = 0;

	while (p < end) {
		if (*p == '"') {
			p = after_string(p, end);
		} else if (at_comment(p, end)) {
			p = after_comment(p, end);
		} else if (*p == '<') {
			p = after_angles(p, end);
		} else if (*p == '(' || *p == '[' || *p == '{') {
			depth++;
			p++;
		} else if (!depth && (*p == ',' || *p == ')' || *p == ']' || *p == '}')) {
			break;
		} else {
			depth -= *p == ')' || *p == ']' || *p == '}';
			p++;
		}
	}
	if (p == s->at)
		return false;
	*ret = trimmed((struct span){s->at, p});
	s->at = p;
	return true;
}

void copy_text(struct span s, char *buf, size_t size)
{
	size_t n = 0;

	for (; s.at < s.end && n + 1 < size; s.at++)
		buf[n++] = *s.at >= ' ' && *s.at <= '~' ? *s.at : '?';
	buf[n] = 0;
}
