/* SPDX-License-Identifier: MIT */
/* What main() finds: arguments, environment, auxiliary vector, its variables, the canary; and ends. */
#include "tap.h"

#include <linux/auxvec.h>

static _Thread_local volatile int set = 42;
static _Thread_local volatile int zero;
static _Thread_local volatile char wide[64] __attribute__((aligned(4096))) = "wide";
static int constructed, order;

__attribute__((constructor)) static void construct(void)
{
	constructed = ++order;
}

__attribute__((destructor)) static void destruct(void)
{
	if (order == 99)
		sys_exit_group(23);
}

/* Built with a stack protector, see meson.build's c_args for this program. */
__attribute__((noinline)) static void smash(volatile char *at, size_t n)
{
	while (n--)
		*at++ = 'x';
}

__attribute__((noinline)) static int smashed(void)
{
	volatile char small[16] = {0};

	smash(small, 64);
	return small[0];
}

static int not_smashed(void)
{
	volatile char small[16] = {0};

	smash(small, 16);
	return small[0] == 'x' ? 5 : 6;
}

static int quiet_smash(void)
{
	sys_close(2);
	return smashed();
}

static int end_by_exit(void)
{
	order = 99;
	ramet_exit(1);
}

static int end_main_thread(void)
{
	ramet_thread_exit(NULL);
}

static uintptr_t canary(void)
{
#if defined(__x86_64__)
	uintptr_t word;

	__asm__("movq %%fs:0x28, %0" : "=r"(word));
	return word;
#else
	extern uintptr_t __stack_chk_guard;

	return __stack_chk_guard;
#endif
}

int main(int argc, char **argv, char **envp)
{
	const char *name = (const char *)ramet_auxval(AT_EXECFN);

	ok(argc >= 1 && argv[0] && !argv[argc], "arguments");
	ok(envp == ramet_environ && envp == argv + argc + 1, "environment");
	ok(name && *name, "a text of the auxiliary vector");
	ok(ramet_auxval(AT_PAGESZ) >= 4096, "a number of it");
	is((int64_t)ramet_auxval(12345), 0, "what is not in it is 0");
	is(constructed, 1, "constructors were run");

	is(set, 42, "an initialised variable of the main thread");
	is(zero, 0, "one that is not");
	is((int64_t)(address(wide) % 4096), 0, "aligned as asked for");
	ok(wide[0] == 'w' && wide[3] == 'e' && !wide[4], "with its text");

	ok(canary() != 0, "there is a canary");
	is((int64_t)(canary() & 0xff), 0, "its first byte ends a string");
	is(in_child(not_smashed), EXITED(5), "a function with a canary returns");
	is(in_child(quiet_smash), KILLED(SIGABRT_), "one that overwrites it does not");

	is(in_child(end_by_exit), EXITED(23), "destructors are run by ramet_exit()");
	is(in_child(end_main_thread), EXITED(0), "the last thread ends the process");
	is(ramet_thread_tid(ramet_thread_self()), sys_gettid(), "the main thread's tid");
	is(ramet_thread_stack(ramet_thread_self(), NULL, NULL, NULL), -ENOTSUP,
	   "its stack is not the library's");
	return tap_done();
}
