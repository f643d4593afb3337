/* SPDX-License-Identifier: MIT */
/* aarch64: the thread pointer is TPIDR_EL0. */
#ifndef RAMET_ARCH_AARCH64_TLS_H
#define RAMET_ARCH_AARCH64_TLS_H

/* Where ptrace's register sets have it: type of the note, index of the 64-bit word. */
#define ARCH_TP_NOTE 0x401 /* NT_ARM_TLS */
#define ARCH_TP_WORD 0

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
