/* SPDX-License-Identifier: MIT */
/*
 * TAP for programs without a C library: what tests/tap.h has, by raw write. Only the main thread
 * judges; others leave what they found in variables. And what these tests need of the kernel.
 */
#ifndef RAMET_TESTS_NATIVE_TAP_H
#define RAMET_TESTS_NATIVE_TAP_H

#include <errno.h>
#include <stdbool.h>
#include <linux/wait.h>

#include <ramet/thread.h>

#include "base/sys.h"
#include "uapi/clone.h"

#define SIGKILL_ 9
#define SIGUSR1_ 10
#define SIGSEGV_ 11
#define SIGUSR2_ 12
#define SIGCHLD_ 17
#define SIGABRT_ 6
#define SA_ONSTACK_ 0x08000000
#define MS 1000000LL

static unsigned tap_run, tap_failed;
static char tap_text[512];
static size_t tap_used;

static inline void put_text(const char *text)
{
	while (*text && tap_used < sizeof(tap_text) - 1)
		tap_text[tap_used++] = *text++;
}

static inline void put_number(int64_t number)
{
	char digits[24];
	size_t n = sizeof(digits);
	uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;

	digits[--n] = 0;
	do
		digits[--n] = (char)('0' + rest % 10);
	while (rest /= 10);
	if (number < 0)
		digits[--n] = '-';
	put_text(digits + n);
}

static inline void put_line(void)
{
	put_text("\n");
	sys_write(1, tap_text, tap_used);
	tap_used = 0;
}

static inline bool ok(bool good, const char *name)
{
	tap_failed += !good;
	put_text(good ? "ok " : "not ok ");
	put_number(++tap_run);
	put_text(" - ");
	put_text(name);
	put_line();
	return good;
}

static inline void note(const char *text, int64_t number)
{
	put_text("# ");
	put_text(text);
	put_text(" ");
	put_number(number);
	put_line();
}

static inline bool is(int64_t got, int64_t want, const char *name)
{
	ok(got == want, name);
	if (got != want) {
		note("got ", got);
		note("want", want);
	}
	return got == want;
}

static inline int tap_done(void)
{
	put_text("1..");
	put_number(tap_run);
	put_line();
	return tap_failed != 0;
}

/* ---- What the tests need ---- */

static inline const char *env(const char *name)
{
	for (char **at = ramet_environ; *at; at++) {
		size_t n = 0;

		while (name[n] && (*at)[n] == name[n])
			n++;
		if (!name[n] && (*at)[n] == '=')
			return *at + n + 1;
	}
	return NULL;
}

/* A compiler that knows how something is aligned would not look. */
static inline uintptr_t address(const volatile void *of)
{
	uintptr_t at = (uintptr_t)of;

	__asm__("" : "+r"(at));
	return at;
}

static inline int64_t now(void)
{
	return ramet_clock_now(RAMET_CLOCK_MONOTONIC);
}

static inline void sleep_ns(int64_t ns)
{
	struct kernel_timespec time = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};

	sys2(SYS_nanosleep, (long)&time, 0);
}

/* The wait status of a copy of this process that runs fn(). */
static inline int in_child(int (*fn)(void))
{
	int status = -1;
	long pid = sys5(SYS_clone, SIGCHLD_, 0, 0, 0, 0);

	if (!pid) {
		ramet_thread_forked();
		sys_exit_group(fn());
	}
	if (pid > 0)
		while (sys_wait4((int)pid, &status, 0, NULL) == -EINTR)
			;
	return status;
}

#define EXITED(code) ((code) << 8)
#define KILLED(sig) (sig)

/* A thread that there must be. */
static inline struct ramet_thread *start(const struct ramet_thread_attr *attr, void *(*fn)(void *),
					 void *arg)
{
	struct ramet_thread *thread = NULL;
	const int r = ramet_thread_create(attr, fn, arg, &thread);

	if (r < 0) {
		note("no thread:", r);
		sys_exit_group(99);
	}
	return thread;
}

/* A line of /proc/self/status, as a number: "VmSize:". */
static inline long status_number(const char *key)
{
	static char text[4096];
	long fd = sys_open("/proc/self/status", 0, 0),
	     n = sys_read((int)fd, text, sizeof(text) - 1);
	long number = 0;

	sys_close((int)fd);
	text[n > 0 ? n : 0] = 0;
	for (const char *line = text; *line; line++) {
		size_t k = 0;

		while (key[k] && line[k] == key[k])
			k++;
		if (key[k])
			continue;
		for (line += k; *line == ' ' || *line == '\t'; line++)
			;
		for (; *line >= '0' && *line <= '9'; line++)
			number = number * 10 + *line - '0';
		return number;
	}
	return -1;
}

/* How many threads there are. One that has been joined is counted for a moment yet. */
static inline long threads_left(void)
{
	const int64_t limit = now() + 10000 * MS;
	long left;

	while ((left = status_number("Threads:")) != 1 && now() < limit)
		sleep_ns(MS);
	return left;
}

/* A handler; without SA_RESTART in flags it interrupts calls. Never inline: its label is one. */
static __attribute__((noinline, unused)) void handle(int sig, unsigned long flags,
						     void (*handler)(int))
{
	struct kernel_sigaction action = {.handler = (void *)handler, .flags = flags};

#if defined(__x86_64__)
	/* The kernel returns from handlers by this alone there. */
	extern void restore(void);

	__asm__(".pushsection .text.restore,\"ax\",@progbits\n"
		".weak restore\n"
		"restore: movl $15, %eax\n"
		"syscall\n"
		".popsection");
	action.flags |= KERNEL_SA_RESTORER;
	action.restorer = (void *)restore;
#endif
	sys_sigaction(sig, &action, NULL);
}

#endif
