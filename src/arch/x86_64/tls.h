/* SPDX-License-Identifier: MIT */
/* x86_64: the thread pointer is the base of segment fs, reached through arch_prctl. */
#ifndef RAMET_ARCH_X86_64_TLS_H
#define RAMET_ARCH_X86_64_TLS_H

#include <sys/syscall.h>

/* Where ptrace's register sets have it: type of the note, index of the 64-bit word. */
#define ARCH_TP_NOTE 1	/* NT_PRSTATUS */
#define ARCH_TP_WORD 21 /* user_regs_struct.fs_base */

static inline uintptr_t arch_get_tp(void)
{
	unsigned long tp = 0;

	sys2(SYS_arch_prctl, 0x1003 /* ARCH_GET_FS */, (long)&tp);
	return tp;
}

static inline void arch_set_tp(uintptr_t tp)
{
	sys2(SYS_arch_prctl, 0x1002 /* ARCH_SET_FS */, (long)tp);
}

#endif
