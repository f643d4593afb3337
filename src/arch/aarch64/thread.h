/* SPDX-License-Identifier: MIT */
/*
 * aarch64: variant I of ELF TLS. The thread pointer points at two words that are the C library's
 * where there is one; the block follows. The stack protector's canary is a variable.
 */
#ifndef RAMET_ARCH_AARCH64_THREAD_H
#define RAMET_ARCH_AARCH64_THREAD_H

#define ARCH_TCB_BELOW 1

struct arch_tcb {
	void *self;
};

static inline void arch_set_canary(struct arch_tcb *tcb, uintptr_t canary)
{
	(void)tcb;
	(void)canary;
}

static inline intptr_t arch_tls_offset(size_t size, size_t align, uintptr_t at)
{
	(void)size;
	return (intptr_t)(16 + ((at - 16) & (align - 1)));
}

static inline uintptr_t arch_tp(void)
{
	uintptr_t tp;

	__asm__("mrs %0, tpidr_el0" : "=r"(tp));
	return tp;
}

static inline void arch_relax(void)
{
	__asm__ volatile("isb" : : : "memory"); /* yield does nothing on most */
}

#endif
