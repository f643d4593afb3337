/* SPDX-License-Identifier: MIT */
/*
 * x86_64: variant II of ELF TLS. The block ends at the thread pointer, which points at itself;
 * the stack protector reads its canary from fs:0x28.
 */
#ifndef RAMET_ARCH_X86_64_THREAD_H
#define RAMET_ARCH_X86_64_THREAD_H

#define ARCH_TCB_BELOW 0

struct arch_tcb {
	void *self;
	void *unused[4];
	uintptr_t canary;
};

_Static_assert(offsetof(struct arch_tcb, canary) == 0x28, "compilers count on it");

static inline void arch_set_canary(struct arch_tcb *tcb, uintptr_t canary)
{
	tcb->canary = canary;
}

static inline intptr_t arch_tls_offset(size_t size, size_t align, uintptr_t at)
{
	return -(intptr_t)(size + ((0 - at - size) & (align - 1)));
}

static inline uintptr_t arch_tp(void)
{
	uintptr_t tp;

	/* Not volatile: it is the same for a thread's whole life. */
	__asm__("movq %%fs:0, %0" : "=r"(tp));
	return tp;
}

static inline void arch_relax(void)
{
	__asm__ volatile("pause" : : : "memory");
}

#endif
