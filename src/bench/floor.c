/* SPDX-License-Identifier: MIT */
/*
 * The least that any launcher can do, for others to be measured by: one clone3, in whose child
 * there is one execve. Nothing is checked, no signal is blocked. The child borrows the memory and
 * the stack of the caller, who sleeps until it has gone, and touches neither: all that it needs
 * is in registers, and it has no way back.
 */
#include "floor.h"

#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>

long floor_start(const char *program, char *const argv[], char *const envp[])
{
	struct clone_args args = {
		.flags = CLONE_VM | CLONE_VFORK | CLONE_CLEAR_SIGHAND,
		.exit_signal = SIGCHLD,
	};
#if defined(__x86_64__)
	register long r __asm__("rax") = SYS_clone3;
	register const void *a __asm__("rdi") = &args;
	register uintptr_t b __asm__("rsi") = sizeof(args);
	register const void *c __asm__("rdx") = envp;
	register const void *d __asm__("r8") = program;
	register const void *e __asm__("r9") = argv;

	__asm__ volatile("syscall; test %%rax, %%rax; jnz 1f;"
			 "mov %%r8, %%rdi; mov %%r9, %%rsi; mov %[execve], %%eax; syscall;"
			 "mov $127, %%edi; mov %[exit], %%eax; syscall; 1:"
			 : "+r"(r)
			 : "r"(a), "r"(b), "r"(c), "r"(d),
			   "r"(e), [execve] "i"(SYS_execve), [exit] "i"(SYS_exit_group)
			 : "rcx", "r11", "memory", "cc");
#elif defined(__aarch64__)
	register long n __asm__("x8") = SYS_clone3;
	register uintptr_t r __asm__("x0") = (uintptr_t)&args;
	register uintptr_t b __asm__("x1") = sizeof(args);
	register const void *c __asm__("x2") = envp;
	register const void *d __asm__("x3") = program;
	register const void *e __asm__("x4") = argv;

	__asm__ volatile("svc 0; cbnz x0, 1f;"
			 "mov x0, x3; mov x1, x4; mov x8, %[execve]; svc 0;"
			 "mov x0, 127; mov x8, %[exit]; svc 0; 1:"
			 : "+r"(r)
			 : "r"(n), "r"(b), "r"(c), "r"(d),
			   "r"(e), [execve] "i"(SYS_execve), [exit] "i"(SYS_exit_group)
			 : "memory", "cc");
#elif defined(__riscv)
	register long n __asm__("a7") = SYS_clone3;
	register uintptr_t r __asm__("a0") = (uintptr_t)&args;
	register uintptr_t b __asm__("a1") = sizeof(args);
	register const void *c __asm__("a2") = envp;
	register const void *d __asm__("a3") = program;
	register const void *e __asm__("a4") = argv;

	__asm__ volatile("ecall; bnez a0, 1f;"
			 "mv a0, a3; mv a1, a4; li a7, %[execve]; ecall;"
			 "li a0, 127; li a7, %[exit]; ecall; 1:"
			 : "+r"(r)
			 : "r"(n), "r"(b), "r"(c), "r"(d),
			   "r"(e), [execve] "i"(SYS_execve), [exit] "i"(SYS_exit_group)
			 : "memory");
#endif
	return (long)r;
}
