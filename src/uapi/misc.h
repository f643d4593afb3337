/* SPDX-License-Identifier: MIT */
/* Kernel constants and structures outside clone, named as the kernel names them. */
#ifndef RAMET_UAPI_MISC_H
#define RAMET_UAPI_MISC_H

#include <stdint.h>

/* The kernel's struct sigaction and mask size; the C library's differ. */
#define KERNEL_CLOSE_RANGE_UNSHARE 2U /* 5.9 */
#define KERNEL_NSIG 64
#define KERNEL_SIGSET_SIZE 8
#define KERNEL_SA_RESTORER 0x04000000UL

struct kernel_sigaction {
	void *handler; /* 0 default, 1 ignore, else the function */
	unsigned long flags;
#if !defined(__riscv)
	void *restorer;
#endif
	uint64_t mask;
};

/* linux/futex.h */
#define KERNEL_FUTEX_WAIT 0
#define KERNEL_FUTEX_WAKE 1
#define KERNEL_FUTEX_WAITERS 0x80000000U
#define KERNEL_FUTEX_OWNER_DIED 0x40000000U
#define KERNEL_FUTEX_TID_MASK 0x3fffffffU

struct kernel_robust_list {
	struct kernel_robust_list *next;
};

struct kernel_robust_list_head {
	struct kernel_robust_list list;
	long futex_offset;
	struct kernel_robust_list *list_op_pending;
};

struct kernel_timespec {
	int64_t tv_sec;
	int64_t tv_nsec;
};

/* linux/futex.h, 5.16 */
#define KERNEL_FUTEX_32 2U
struct kernel_futex_waitv {
	uint64_t value;
	uint64_t address;
	uint32_t flags;
	uint32_t reserved;
};

/* What one record of getdents64 holds. */
struct kernel_dirent64 {
	uint64_t ino;
	int64_t off;
	unsigned short reclen;
	unsigned char type;
	char name[];
};

/* linux/wait.h */
#define KERNEL_P_PID 1
#define KERNEL_P_PIDFD 3
#define KERNEL_WALL 0x40000000
#define KERNEL_WCLONE 0x80000000U

/* linux/pidfd.h: PIDFD_GET_INFO (6.13), the exit status from 6.15. */
struct kernel_pidfd_info {
	uint64_t mask;
	uint64_t cgroupid;
	uint32_t pid;
	uint32_t tgid;
	uint32_t ppid;
	uint32_t ruid;
	uint32_t rgid;
	uint32_t euid;
	uint32_t egid;
	uint32_t suid;
	uint32_t sgid;
	uint32_t fsuid;
	uint32_t fsgid;
	int32_t exit_code;
};
#define KERNEL_PIDFD_INFO_EXIT (1ULL << 3)
#define KERNEL_PIDFD_GET_INFO 0xc040ff0bUL /* _IOWR(0xFF, 11, struct pidfd_info), 64 bytes */

_Static_assert(sizeof(struct kernel_pidfd_info) == 64,
	       "pidfd_info must mirror the kernel's first version");

/* linux/capability.h: version 3 of the call, low and high halves of the sets. */
#define KERNEL_CAP_VERSION 0x20080522
struct kernel_caps {
	uint32_t effective, permitted, inheritable;
};

/* linux/prctl.h */
#define KERNEL_PR_SET_PDEATHSIG 1
#define KERNEL_PR_GET_DUMPABLE 3
#define KERNEL_PR_SET_DUMPABLE 4
#define KERNEL_PR_SET_NAME 15
#define KERNEL_PR_GET_NAME 16
#define KERNEL_PR_SET_TIMERSLACK 29
#define KERNEL_PR_SET_CHILD_SUBREAPER 36
#define KERNEL_PR_SET_NO_NEW_PRIVS 38

#endif
