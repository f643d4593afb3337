/* SPDX-License-Identifier: MIT */
/* What compilers call behind one's back. Weak: base may bring its own. */
#include <stddef.h>

#define WEAK __attribute__((weak, used))

void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memset(void *to, int c, size_t n);

WEAK void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	unsigned char *d = to;
	const unsigned char *s = from;

	while (n--)
		*d++ = *s++;
	return to;
}

WEAK void *memset(void *to, int c, size_t n)
{
	unsigned char *d = to;

	while (n--)
		*d++ = (unsigned char)c;
	return to;
}
