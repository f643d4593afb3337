/* SPDX-License-Identifier: MIT */
/*
 * Texts that a task chose itself, for a terminal: no byte of them may move the cursor, change the
 * direction of writing or end a line.
 */
#include <langinfo.h>
#include <stdarg.h>
#include <string.h>
#include <wctype.h>

#include "tree/tree.h"
#include "tree/words.h"

/* Length of the character at text, 0 if the bytes are no UTF-8. */
static size_t decode(const unsigned char *text, size_t n, uint32_t *ret_code)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t length = text[0] < 0x80	  ? 1
			: text[0] >= 0xf0 ? 4
			: text[0] >= 0xe0 ? 3
			: text[0] >= 0xc0 ? 2
					  : 0;
	uint32_t code;

	if (!length || length > n || text[0] > 0xf4)
		return 0;
	code = length == 1 ? text[0] : text[0] & (0x7fu >> length);
	for (size_t i = 1; i < length; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (text[i] & 0x3f);
	}
	if (code < least[length] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		return 0;
	*ret_code = code;
	return length;
}

/* Controls (C1 too: terminals take U+009B for ESC [), signs of direction, what has no width. */
static bool is_harmless(uint32_t code)
{
	static const uint32_t bad[][2] = {
		{0, 0x1f},	  {0x7f, 0x9f},	    {0xad, 0xad},	 {0x61c, 0x61c},
		{0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f},	 {0xfeff, 0xfeff},
		{0xfff9, 0xfffb}, {0xe000, 0xf8ff}, {0xe0000, 0x10ffff},
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (code >= bad[i][0] && code <= bad[i][1])
			return false;
	return true;
}

/* Does the terminal print UTF-8? setlocale() has been called by whoever shows the text. */
static bool has_utf8(void)
{
	return !strcmp(nl_langinfo(CODESET), "UTF-8");
}

bool tree_harmless(const char *text, size_t n, char *buf, size_t size)
{
	const bool wide = has_utf8();
	const unsigned char *at = (const unsigned char *)text;
	bool harmless = true;
	size_t used = 0;

	while (n) {
		uint32_t code = 0;
		char piece[8];
		size_t taken = decode(at, n, &code), length = taken;

		if (taken && is_harmless(code) &&
		    (code < 0x80 || (wide && iswprint((wint_t)code)))) {
			memcpy(piece, at, taken);
		} else {
			harmless = false;
			taken = 1;
			if (*at == '\n' || *at == '\t')
				snprintf(piece, sizeof(piece), *at == '\n' ? "\\n" : "\\t");
			else
				snprintf(piece, sizeof(piece), "\\x%02x", *at);
			length = strlen(piece);
		}
		if (used + length >= size)
			break;
		memcpy(buf + used, piece, length);
		used += length;
		at += taken;
		n -= taken;
	}
	buf[used] = 0;
	return harmless;
}

void tree_utf8(const char *text, size_t n, char *buf, size_t size)
{
	static const char unknown[] = "\xef\xbf\xbd"; /* U+FFFD */
	const unsigned char *at = (const unsigned char *)text;
	size_t used = 0;

	while (n) {
		uint32_t code;
		size_t taken = decode(at, n, &code);
		const void *from = taken ? (const void *)at : unknown;
		size_t length = taken ? taken : sizeof(unknown) - 1;

		if (used + length >= size)
			break;
		memcpy(buf + used, from, length);
		used += length;
		at += taken ? taken : 1;
		n -= taken ? taken : 1;
	}
	buf[used] = 0;
}

/* ---- sentences ----------------------------------------------------------------------------- */

void words_add(struct words *w, const char *format, ...)
{
	va_list ap;
	int n;

	if (w->used + 1 >= w->size)
		return;
	va_start(ap, format);
	n = vsnprintf(w->buf + w->used, w->size - w->used, format, ap);
	va_end(ap);
	if (n < 0)
		return;
	w->used = w->used + (size_t)n < w->size ? w->used + (size_t)n : w->size - 1;
}

void words_part(struct words *w, const char *between)
{
	if (w->used)
		words_add(w, "%s", between);
}

/* ---- short ones ---------------------------------------------------------------------------- */

void tree_letters(int letter, char buf[static 8])
{
	char reversed[8];
	size_t n = 0;

	for (; letter > 0 && n < sizeof(reversed) - 1; letter = (letter - 1) / 26)
		reversed[n++] = (char)('A' + (letter - 1) % 26);
	for (size_t i = 0; i < n; i++)
		buf[i] = reversed[n - 1 - i];
	buf[n] = 0;
}

void tree_signal(int sig, char *buf, size_t size)
{
	const char *name = sig > 0 ? ramet_signal_name(sig) : NULL;

	if (name)
		snprintf(buf, size, "%s", name);
	else
		snprintf(buf, size, sig > 0 ? "%d" : "none", sig);
}
