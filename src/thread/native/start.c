/* SPDX-License-Identifier: MIT */
/*
 * From the kernel's first stack to main() and to the end of the process. The main thread's record
 * is static where it fits: a small program maps nothing to begin.
 */
#include <linux/auxvec.h>
#include <linux/elf.h>

#include "thread/native/native.h"

#define FIRST_SIZE 4096
#define PROTECT_READ_WRITE 3
#define MAP_PRIVATE_ANONYMOUS 0x22

typedef int main_function(int, char **, char **);
typedef void array_function(void);

_Noreturn void arch_start(const long *sp);
extern main_function main;

/* The linker's, where the program has such functions. */
#define LINKERS __attribute__((weak, visibility("hidden")))
extern array_function *const __preinit_array_start[] LINKERS;
extern array_function *const __preinit_array_end[] LINKERS;
extern array_function *const __init_array_start[] LINKERS;
extern array_function *const __init_array_end[] LINKERS;
extern array_function *const __fini_array_start[] LINKERS;
extern array_function *const __fini_array_end[] LINKERS;

char **ramet_environ;
uint32_t process_forks;
static const unsigned long *auxiliary;
static unsigned char first[FIRST_SIZE] __attribute__((aligned(64)));

/* From where the processor's own bytes are. */
unsigned long ramet_auxval(unsigned long type)
{
	for (const unsigned long *at = auxiliary; at[0] != AT_NULL; at += 2)
		if (at[0] == type)
			return at[1];
	return 0;
}

long ramet_syscall(long number, long a, long b, long c, long d, long e, long f)
{
	return sys6(number, a, b, c, d, e, f);
}

/* No byte of it that ends a string is lost to one that is copied: the first is 0. */
static void set_canary(void)
{
	const unsigned char *random = (const unsigned char *)ramet_auxval(AT_RANDOM);
	uintptr_t canary = 0;

	for (unsigned i = 1; random && i < sizeof(canary); i++)
		canary |= (uintptr_t)random[i] << 8 * i;
	__stack_chk_guard = canary;
}

/* The word is the kernel's from here on, so that this thread can be joined as well. */
static void enter_kernel_number(struct ramet_thread *thread)
{
	thread->tid = (uint32_t)sys1(SYS_set_tid_address, (long)&thread->alive);
}

void ramet_thread_forked(void)
{
	stack_forget();
	self()->forks = ++process_forks;
	enter_kernel_number(self());
}

static void make_main_thread(void)
{
	struct ramet_thread *thread;
	uintptr_t top = (uintptr_t)first + sizeof(first), unused;
	size_t size = tls_size();

	if (size > sizeof(first)) {
		size = (size + page_size - 1) & -page_size;
		top = (uintptr_t)sys6(SYS_mmap, 0, (long)size, PROTECT_READ_WRITE,
				      MAP_PRIVATE_ANONYMOUS, -1, 0);
		if (top > -4096UL)
			sys_exit_group(127);
		top += size;
	}
	thread = tls_place(top, &unused);
	tls_fill(thread, true);
	thread->flags = CLONE_THREAD;
	thread->alive = READY;
	arch_set_tp(tls_pointer(thread));
	enter_kernel_number(thread);
}

static void run(array_function *const *from, array_function *const *to)
{
	for (; from < to; from++)
		(*from)();
}

__attribute__((weak)) int ramet_main(int argc, char **argv, char **envp)
{
	return main(argc, argv, envp);
}

void ramet_exit(int status)
{
	array_function *const *at = __fini_array_end;

	while (at > __fini_array_start)
		(*--at)();
	sys_exit_group(status);
}

_Noreturn void arch_start(const long *sp)
{
	const int argc = (int)sp[0];
	char **const argv = (char **)(sp + 1);
	char **at = argv + argc + 1;

	ramet_environ = at;
	while (*at)
		at++;
	auxiliary = (const unsigned long *)(at + 1);
	page_size = ramet_auxval(AT_PAGESZ);
	tls_find((const void *)ramet_auxval(AT_PHDR), ramet_auxval(AT_PHNUM),
		 ramet_auxval(AT_PHENT));
	set_canary();
	make_main_thread();
	run(__preinit_array_start, __preinit_array_end);
	run(__init_array_start, __init_array_end);
	ramet_exit(ramet_main(argc, argv, ramet_environ));
}
