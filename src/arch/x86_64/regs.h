/* SPDX-License-Identifier: MIT */
/*
 * x86_64: a stopped task's system call in ptrace's NT_PRSTATUS, 64-bit words of user_regs_struct;
 * a 32-bit task's set is the i386 one, 32-bit words, and shorter.
 */
#ifndef RAMET_ARCH_X86_64_REGS_H
#define RAMET_ARCH_X86_64_REGS_H

#define ARCH_REGS_BYTES 216
#define ARCH_REGS_NR 15						     /* orig_rax */
#define ARCH_REGS_RESULT 10					     /* rax */
static const unsigned char arch_regs_args[] = {14, 13, 12, 7, 9, 8}; /* di si dx r10 r8 r9 */

#define ARCH_COMPAT_BYTES 68
#define ARCH_COMPAT_NR 11					    /* orig_eax */
#define ARCH_COMPAT_RESULT 6					    /* eax */
static const unsigned char arch_compat_args[] = {0, 1, 2, 3, 4, 5}; /* bx cx dx si di bp */

/* The same where a 64-bit task calls by int 0x80: in the 64-bit set. */
static const unsigned char arch_mixed_args[] = {5, 11, 12, 13, 14, 4};
/* A tracer that writes the first argument's register changes the argument. */
#define ARCH_ARG_CAN_CHANGE 1

/* AUDIT_ARCH_* of both, for seccomp filters. */
#define ARCH_AUDIT 0xc000003eu
#define ARCH_COMPAT_AUDIT 0x40000003u
/* Numbers of clone, clone3, fork, vfork, unshare, setns for 32-bit tasks. */
#define ARCH_COMPAT_CALLS                                                                          \
	{                                                                                          \
		120, 435, 2, 190, 310, 346                                                         \
	}
/* Of x32, the other 64-bit calls: their numbers have this bit. */
#define ARCH_NR_FLAG 0x40000000u

/* clone(2)'s last two arguments: child_tid, tls. */
#define ARCH_CLONE_BACKWARDS 0
#define ARCH_COMPAT_CLONE_BACKWARDS 1

#endif
