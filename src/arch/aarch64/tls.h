/* SPDX-License-Identifier: MIT */
/* aarch64: the thread pointer is TPIDR_EL0. */
#ifndef RAMET_ARCH_AARCH64_TLS_H
#define RAMET_ARCH_AARCH64_TLS_H

static inline uintptr_t arch_get_tp(void)
{
	uintptr_t tp;

	__asm__ volatile("mrs %0, tpidr_el0" : "=r"(tp));
	return tp;
}

static inline void arch_set_tp(uintptr_t tp)
{
	__asm__ volatile("msr tpidr_el0, %0" : : "r"(tp) : "memory");
}

#endif
