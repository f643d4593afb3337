/* SPDX-License-Identifier: MIT */
/* riscv64: the thread pointer is register tp. */
#ifndef RAMET_ARCH_RISCV64_TLS_H
#define RAMET_ARCH_RISCV64_TLS_H

static inline uintptr_t arch_get_tp(void)
{
	uintptr_t tp;

	__asm__ volatile("mv %0, tp" : "=r"(tp));
	return tp;
}

static inline void arch_set_tp(uintptr_t tp)
{
	__asm__ volatile("mv tp, %0" : : "r"(tp) : "memory");
}

#endif
