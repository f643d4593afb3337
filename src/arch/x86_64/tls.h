/* SPDX-License-Identifier: MIT */
/* x86_64: the thread pointer is the base of segment fs, reached through arch_prctl. */
#ifndef RAMET_ARCH_X86_64_TLS_H
#define RAMET_ARCH_X86_64_TLS_H

#include <sys/syscall.h>

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
