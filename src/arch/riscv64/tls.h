/* SPDX-License-Identifier: MIT */
/* riscv64: the thread pointer is register tp. */
#ifndef RAMET_ARCH_RISCV64_TLS_H
#define RAMET_ARCH_RISCV64_TLS_H

/* Where ptrace's register sets have it: type of the note, index of the 64-bit word. */
#define ARCH_TP_NOTE 1 /* NT_PRSTATUS */
#define ARCH_TP_WORD 4 /* pc, ra, sp, gp, tp */

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
