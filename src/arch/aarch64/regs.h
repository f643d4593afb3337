/* SPDX-License-Identifier: MIT */
/*
 * aarch64: a stopped task's system call in ptrace's NT_PRSTATUS, 64-bit words of user_pt_regs; a
 * 32-bit task's set is that of arm, 32-bit words, and shorter.
 */
#ifndef RAMET_ARCH_AARCH64_REGS_H
#define RAMET_ARCH_AARCH64_REGS_H

#define ARCH_REGS_BYTES 272
#define ARCH_REGS_NR 8	   /* x8 */
#define ARCH_REGS_RESULT 0 /* x0 */
#define ARCH_SET_NR 0x404  /* NT_ARM_SYSTEM_CALL: the number is changed by a set of its own */
static const unsigned char arch_regs_args[] = {0, 1, 2, 3, 4, 5};

#define ARCH_COMPAT_BYTES 72
#define ARCH_COMPAT_NR 7					     /* r7 */
#define ARCH_COMPAT_RESULT 0					     /* r0 */
static const unsigned char arch_compat_args[] = {17, 1, 2, 3, 4, 5}; /* ORIG_r0, then r1 … */

/* A 64-bit task has no way to make 32-bit calls. */
#define arch_mixed_args arch_regs_args
/* A tracer that writes the first argument's register changes the argument. */
#define ARCH_ARG_CAN_CHANGE 1

/* AUDIT_ARCH_* of both, for seccomp filters. */
#define ARCH_AUDIT 0xc00000b7u
#define ARCH_COMPAT_AUDIT 0x40000028u
/* Numbers of clone, clone3, fork, vfork, unshare, setns for 32-bit tasks. */
#define ARCH_COMPAT_CALLS                                                                          \
	{                                                                                          \
		120, 435, 2, 190, 337, 375                                                         \
	}
#define ARCH_NR_FLAG 0u

/* clone(2)'s last two arguments: tls, child_tid. */
#define ARCH_CLONE_BACKWARDS 1
#define ARCH_COMPAT_CLONE_BACKWARDS 1

#endif
