/* SPDX-License-Identifier: MIT */
/* Text to flags and resources and back. Words are read by the tables of names.c alone. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "spec/spec.h"

#define WORD_MAX 40
#define LOW_BYTE_MAX 0xffffffffULL

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/*
 * The next word of text from *pos, words parted by any of `separators` and spaces, into word.
 * 1: a word, at *ret_at; 0: the end; -EINVAL: an empty or overlong one.
 */
static int next_word(const char *text, const char *separators, size_t *pos, char word[WORD_MAX],
		     size_t *ret_at)
{
	size_t i = *pos, n = 0;

	while (is_space(text[i]))
		i++;
	*ret_at = i;
	if (!text[i])
		return 0;
	while (text[i] && !is_space(text[i]) && !strchr(separators, text[i])) {
		if (n + 1 >= WORD_MAX)
			return -EINVAL;
		word[n++] = text[i++];
	}
	word[n] = 0;
	while (is_space(text[i]))
		i++;
	if (text[i] && strchr(separators, text[i])) {
		i++;
		while (is_space(text[i]))
			i++;
		if (!text[i])
			return -EINVAL; /* a separator with nothing behind it */
	}
	*pos = i;
	return n ? 1 : -EINVAL;
}

/* Decimal, 0x hex or 0 octal, all of it; false if it is no number or does not fit. */
static bool parse_number(const char *word, uint64_t *ret)
{
	unsigned base = 10, digit;
	uint64_t n = 0;

	if (word[0] == '0' && (word[1] == 'x' || word[1] == 'X')) {
		base = 16;
		word += 2;
	} else if (word[0] == '0' && word[1]) {
		base = 8;
		word++;
	}
	if (!*word)
		return false;
	for (; *word; word++) {
		if (*word >= '0' && *word <= '9')
			digit = (unsigned)(*word - '0');
		else if ((*word | 32) >= 'a' && (*word | 32) <= 'f')
			digit = (unsigned)((*word | 32) - 'a') + 10;
		else
			return false;
		if (digit >= base || n > (UINT64_MAX - digit) / base)
			return false;
		n = n * base + digit;
	}
	*ret = n;
	return true;
}

static bool parse_flag(const char *word, uint64_t *ret)
{
	const char *name;

	if (strncasecmp(word, "CLONE_", 6) == 0)
		word += 6;
	for (unsigned bit = 0; bit < 64; bit++) {
		name = flag_name(bit);
		if (name && strcasecmp(word, name) == 0) {
			*ret = 1ULL << bit;
			return true;
		}
	}
	return false;
}

/* One word into flags and signal; 0 or -EINVAL. Two different signals contradict each other. */
static int add_word(const char *word, uint64_t *flags, int *sig, bool *named)
{
	uint64_t n;
	int s = 0;

	if (parse_number(word, &n)) {
		if (n <= LOW_BYTE_MAX) {
			s = (int)(n & CSIGNAL);
			n &= ~CSIGNAL;
		}
		*flags |= n;
	} else if (parse_flag(word, &n)) {
		*flags |= n;
	} else if (strncasecmp(word, "SIG", 3) == 0) {
		s = ramet_signal_parse(word);
		if (s < 0)
			return s;
		*named = true;
	} else {
		return -EINVAL;
	}
	if (s && *sig && s != *sig)
		return -EINVAL;
	if (s)
		*sig = s;
	return 0;
}

int flags_parse(const char *text, uint64_t *ret_flags, int *ret_exit_signal, bool *ret_named,
		size_t *ret_bad)
{
	char word[WORD_MAX];
	size_t pos = 0, at = 0;
	uint64_t flags = 0;
	int sig = 0, words = 0, r;
	bool named = false;

	while ((r = next_word(text, "|,", &pos, word, &at)) > 0) {
		r = add_word(word, &flags, &sig, &named);
		if (r < 0)
			break;
		words++;
	}
	if (r < 0 || !words) {
		if (ret_bad)
			*ret_bad = at;
		return -EINVAL;
	}
	*ret_flags = flags;
	*ret_exit_signal = sig;
	*ret_named = named;
	return 0;
}

int ramet_flags_parse(const char *text, uint64_t *ret_flags, int *ret_exit_signal, size_t *ret_bad)
{
	bool named;

	return flags_parse(text, ret_flags, ret_exit_signal, &named, ret_bad);
}

int ramet_resources_parse(const char *text, uint32_t *ret_mask, size_t *ret_bad)
{
	char word[WORD_MAX];
	size_t pos = 0, at = 0;
	uint32_t mask = 0, bit;
	int r;

	while ((r = next_word(text, ",", &pos, word, &at)) > 0) {
		bit = 0;
		for (unsigned i = 0; i < RAMET_RESOURCE_COUNT; i++)
			if (strcasecmp(word, resource_row(i)->name) == 0)
				bit = resource_row(i)->bit;
		r = bit ? 0 : -EINVAL;
		if (r < 0)
			break;
		mask |= bit;
	}
	if (r < 0 || !mask) {
		if (ret_bad)
			*ret_bad = at;
		return -EINVAL;
	}
	*ret_mask = mask;
	return 0;
}

/* Append to buf like snprintf: at is the length so far, wanted or written. */
static size_t put(char *buf, size_t size, size_t at, const char *text)
{
	for (; *text; text++, at++)
		if (at + 1 < size)
			buf[at] = *text;
	if (size)
		buf[at < size ? at : size - 1] = 0;
	return at;
}

int ramet_flags_format(uint64_t flags, char *buf, size_t size)
{
	uint64_t unknown = 0;
	size_t at = 0;
	char hex[24];

	for (unsigned bit = 0; bit < 64; bit++) {
		if (!(flags >> bit & 1))
			continue;
		if (!flag_name(bit)) {
			unknown |= 1ULL << bit;
			continue;
		}
		at = put(buf, size, at, at ? "|CLONE_" : "CLONE_");
		at = put(buf, size, at, flag_name(bit));
	}
	if (unknown || !flags) {
		snprintf(hex, sizeof(hex), flags ? "%#llx" : "0", (unsigned long long)unknown);
		at = put(buf, size, at, at ? "|" : "");
		at = put(buf, size, at, hex);
	}
	return (int)at;
}
