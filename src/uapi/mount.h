/* SPDX-License-Identifier: MIT */
/* The mount interfaces (linux/mount.h, linux/openat2.h), under names that clash with no libc. */
#ifndef RAMET_UAPI_MOUNT_H
#define RAMET_UAPI_MOUNT_H

#include <stdint.h>

#define KERNEL_MS_REC 16384UL
#define KERNEL_MS_PRIVATE (1UL << 18)
#define KERNEL_MS_SLAVE (1UL << 19)
#define KERNEL_MS_SHARED (1UL << 20)
#define KERNEL_MNT_DETACH 2

#define KERNEL_AT_EMPTY_PATH 0x1000
#define KERNEL_AT_RECURSIVE 0x8000
#define KERNEL_OPEN_TREE_CLONE 1
#define KERNEL_MOVE_MOUNT_F_EMPTY_PATH 0x04
#define KERNEL_MOVE_MOUNT_T_EMPTY_PATH 0x40
#define KERNEL_FSOPEN_CLOEXEC 1
#define KERNEL_FSMOUNT_CLOEXEC 1
#define KERNEL_FSCONFIG_SET_STRING 1
#define KERNEL_FSCONFIG_CMD_CREATE 6
#define KERNEL_MOUNT_ATTR_RDONLY 1
#define KERNEL_MOUNT_ATTR_NOSUID 2
#define KERNEL_MOUNT_ATTR_NODEV 4
#define KERNEL_MOUNT_ATTR_NOEXEC 8

struct kernel_mount_attr {
	uint64_t attr_set, attr_clr, propagation, userns_fd;
};

struct kernel_open_how {
	uint64_t flags, mode, resolve;
};
#define KERNEL_RESOLVE_NO_MAGICLINKS 2
#define KERNEL_RESOLVE_IN_ROOT 16

#endif
