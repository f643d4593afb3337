/* SPDX-License-Identifier: MIT */
/*
 * riscv64: variant I of ELF TLS. The block begins at the thread pointer, which is as much out of
 * line as the block's address in the file is. The stack protector's canary is a variable.
 */
#ifndef RAMET_ARCH_RISCV64_THREAD_H
#define RAMET_ARCH_RISCV64_THREAD_H

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
	(void)align;
	(void)at;
	return 0;
}

static inline uintptr_t arch_tp(void)
{
	uintptr_t tp;

	__asm__("mv %0, tp" : "=r"(tp));
	return tp;
}

static inline void arch_relax(void)
{
	__asm__ volatile(".insn i 0x0f, 0, x0, x0, 0x010" : : : "memory"); /* pause */
}

#endif
