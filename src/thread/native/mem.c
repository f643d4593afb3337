/* SPDX-License-Identifier: MIT */
/*
 * What compilers call of themselves, beside what base/mem.c has: weak, so that a program may bring
 * better ones. And what functions compiled with a stack protector want.
 */
#include "thread/native/native.h"

#define WEAK __attribute__((weak, used))
#define SIGNAL_ABORT 6

void *memmove(void *to, const void *from, size_t n);
int memcmp(const void *a, const void *b, size_t n);
int bcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
void __stack_chk_fail(void) __attribute__((noreturn));

uintptr_t __stack_chk_guard;

WEAK void *memmove(void *to, const void *from, size_t n)
{
	unsigned char *d = to;
	const unsigned char *s = from;

	if ((uintptr_t)d - (uintptr_t)s >= n) {
		for (size_t i = 0; i < n; i++)
			d[i] = s[i];
	} else {
		while (n--)
			d[n] = s[n];
	}
	return to;
}

WEAK int memcmp(const void *a, const void *b, size_t n)
{
	const unsigned char *x = a, *y = b;

	for (; n; n--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}

/* What clang makes of a memcmp() that only asks whether something differs. */
WEAK int bcmp(const void *a, const void *b, size_t n)
{
	return memcmp(a, b, n);
}

/* What gcc makes of a loop that looks for the end of a string. */
WEAK size_t strlen(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

/* Whatever the program has made of SIGABRT, it ends: the stack can no longer be returned on. */
void __stack_chk_fail(void)
{
	static const char text[] = "stack smashing detected\n";
	const struct kernel_sigaction ends = {0};
	const uint64_t none = 0;

	sys_write(2, text, sizeof(text) - 1);
	sys_sigaction(SIGNAL_ABORT, &ends, NULL);
	sys_sigprocmask(2, &none, NULL);
	sys_kill((int)sys_getpid(), SIGNAL_ABORT);
	__builtin_trap();
}
