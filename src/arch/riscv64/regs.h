/* SPDX-License-Identifier: MIT */
/*
 * riscv64: a stopped task's system call in ptrace's NT_PRSTATUS, 64-bit words of user_regs_struct.
 * 32-bit tasks are not told apart by their set and not known here.
 */
#ifndef RAMET_ARCH_RISCV64_REGS_H
#define RAMET_ARCH_RISCV64_REGS_H

#define ARCH_REGS_BYTES 256
#define ARCH_REGS_NR 17	    /* a7 */
#define ARCH_REGS_RESULT 10 /* a0 */
static const unsigned char arch_regs_args[] = {10, 11, 12, 13, 14, 15};

#define ARCH_COMPAT_BYTES 0
#define ARCH_COMPAT_NR 0
#define ARCH_COMPAT_RESULT 0
static const unsigned char arch_compat_args[] = {0, 0, 0, 0, 0, 0};

#define arch_mixed_args arch_regs_args
/* The kernel takes the first argument from a copy that a tracer cannot reach. */
#define ARCH_ARG_CAN_CHANGE 0

/* AUDIT_ARCH_*, for seccomp filters. */
#define ARCH_AUDIT 0xc00000f3u
#define ARCH_COMPAT_AUDIT 0u
#define ARCH_COMPAT_CALLS                                                                          \
	{                                                                                          \
		~0u, ~0u, ~0u, ~0u, ~0u, ~0u                                                       \
	}
#define ARCH_NR_FLAG 0u

/* clone(2)'s last two arguments: tls, child_tid. */
#define ARCH_CLONE_BACKWARDS 1
#define ARCH_COMPAT_CLONE_BACKWARDS 1

#endif
