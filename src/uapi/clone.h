/* SPDX-License-Identifier: MIT */
/*
 * The kernel's clone interface: flag bits and the argument block. Carried here because the
 * distribution's <sched.h> and <linux/sched.h> lag the kernel and cannot be included together
 * with each other on every libc. Values are the kernel's ABI (include/uapi/linux/sched.h).
 */
#ifndef RAMET_UAPI_CLONE_H
#define RAMET_UAPI_CLONE_H

#include <stdint.h>

#undef CLONE_NEWTIME
#undef CLONE_VM
#undef CLONE_FS
#undef CLONE_FILES
#undef CLONE_SIGHAND
#undef CLONE_PIDFD
#undef CLONE_PTRACE
#undef CLONE_VFORK
#undef CLONE_PARENT
#undef CLONE_THREAD
#undef CLONE_NEWNS
#undef CLONE_SYSVSEM
#undef CLONE_SETTLS
#undef CLONE_PARENT_SETTID
#undef CLONE_CHILD_CLEARTID
#undef CLONE_DETACHED
#undef CLONE_UNTRACED
#undef CLONE_CHILD_SETTID
#undef CLONE_NEWCGROUP
#undef CLONE_NEWUTS
#undef CLONE_NEWIPC
#undef CLONE_NEWUSER
#undef CLONE_NEWPID
#undef CLONE_NEWNET
#undef CLONE_IO
#undef CLONE_CLEAR_SIGHAND
#undef CLONE_INTO_CGROUP
#undef CLONE_AUTOREAP
#undef CLONE_NNP
#undef CLONE_PIDFD_AUTOKILL
#undef CLONE_EMPTY_MNTNS
#undef CSIGNAL

#define CSIGNAL 0x000000ffULL
#define CLONE_NEWTIME 0x00000080ULL
#define CLONE_VM 0x00000100ULL
#define CLONE_FS 0x00000200ULL
#define CLONE_FILES 0x00000400ULL
#define CLONE_SIGHAND 0x00000800ULL
#define CLONE_PIDFD 0x00001000ULL
#define CLONE_PTRACE 0x00002000ULL
#define CLONE_VFORK 0x00004000ULL
#define CLONE_PARENT 0x00008000ULL
#define CLONE_THREAD 0x00010000ULL
#define CLONE_NEWNS 0x00020000ULL
#define CLONE_SYSVSEM 0x00040000ULL
#define CLONE_SETTLS 0x00080000ULL
#define CLONE_PARENT_SETTID 0x00100000ULL
#define CLONE_CHILD_CLEARTID 0x00200000ULL
#define CLONE_DETACHED 0x00400000ULL
#define CLONE_UNTRACED 0x00800000ULL
#define CLONE_CHILD_SETTID 0x01000000ULL
#define CLONE_NEWCGROUP 0x02000000ULL
#define CLONE_NEWUTS 0x04000000ULL
#define CLONE_NEWIPC 0x08000000ULL
#define CLONE_NEWUSER 0x10000000ULL
#define CLONE_NEWPID 0x20000000ULL
#define CLONE_NEWNET 0x40000000ULL
#define CLONE_IO 0x80000000ULL
#define CLONE_CLEAR_SIGHAND 0x100000000ULL   /* 5.5, clone3 only */
#define CLONE_INTO_CGROUP 0x200000000ULL     /* 5.7, clone3 only */
#define CLONE_AUTOREAP 0x400000000ULL	     /* 7.1 */
#define CLONE_NNP 0x800000000ULL	     /* 7.1 */
#define CLONE_PIDFD_AUTOKILL 0x1000000000ULL /* 7.1 */
#define CLONE_EMPTY_MNTNS 0x2000000000ULL    /* 7.1 */

/* All namespaces that clone can make new. */
#define CLONE_NEW_ANY                                                                              \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |             \
	 CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWTIME)

/* The argument block of clone3; ends at 64 (5.3), 80 (5.5) or 88 bytes (5.7). */
struct clone_args {
	uint64_t flags;
	uint64_t pidfd;	      /* int *, written in the parent with CLONE_PIDFD */
	uint64_t child_tid;   /* pid_t *, in the child's memory */
	uint64_t parent_tid;  /* pid_t *, in the parent's memory */
	uint64_t exit_signal; /* 0..64 */
	uint64_t stack;	      /* lowest address; 0 with size 0: the caller's stack pointer */
	uint64_t stack_size;
	uint64_t tls;
	uint64_t set_tid; /* pid_t[], innermost pid namespace first */
	uint64_t set_tid_size;
	uint64_t cgroup; /* descriptor of a cgroup2 directory with CLONE_INTO_CGROUP */
};

#define CLONE_ARGS_SIZE_VER0 64
#define CLONE_ARGS_SIZE_VER1 80
#define CLONE_ARGS_SIZE_VER2 88

_Static_assert(sizeof(struct clone_args) == CLONE_ARGS_SIZE_VER2,
	       "clone_args must mirror the kernel's");

#endif
