/* SPDX-License-Identifier: MIT */
/*
 * Raw system calls with types: no errno, no cancellation, no C library. Each returns 0 or more,
 * or -errno, as the kernel does. Usable in a child that shares its parent's memory, in signal
 * handlers and in programs without a C library.
 */
#ifndef RAMET_BASE_SYS_H
#define RAMET_BASE_SYS_H

#include <stddef.h>
#include <stdint.h>

#include "arch/arch.h"
#include "uapi/misc.h"
#include "uapi/nr.h"

#define SYS_AT_FDCWD (-100)

static inline long sys_read(int fd, void *buf, size_t n)
{
	return sys3(SYS_read, fd, (long)buf, (long)n);
}

static inline long sys_write(int fd, const void *buf, size_t n)
{
	return sys3(SYS_write, fd, (long)buf, (long)n);
}

static inline long sys_open(const char *path, int flags, unsigned mode)
{
	return sys4(SYS_openat, SYS_AT_FDCWD, (long)path, flags, mode);
}

static inline long sys_close(int fd)
{
	return sys1(SYS_close, fd);
}

static inline long sys_dup3(int from, int to, int flags)
{
	return sys3(SYS_dup3, from, to, flags);
}

static inline long sys_fcntl(int fd, int command, long arg)
{
	return sys3(SYS_fcntl, fd, command, arg);
}

static inline long sys_close_range(unsigned first, unsigned last, unsigned flags)
{
	return sys3(SYS_close_range, first, last, flags);
}

static inline long sys_getdents64(int fd, void *buf, size_t n)
{
	return sys3(SYS_getdents64, fd, (long)buf, (long)n);
}

static inline long sys_chdir(const char *path)
{
	return sys1(SYS_chdir, (long)path);
}

static inline long sys_umask(unsigned mask)
{
	return sys1(SYS_umask, mask);
}

static inline long sys_mount(const char *source, const char *target, const char *type,
			     unsigned long flags, const void *data)
{
	return sys5(SYS_mount, (long)source, (long)target, (long)type, (long)flags, (long)data);
}

static inline long sys_sethostname(const char *name, size_t n)
{
	return sys2(SYS_sethostname, (long)name, (long)n);
}

static inline long sys_getpid(void)
{
	return sys0(SYS_getpid);
}

static inline long sys_getppid(void)
{
	return sys0(SYS_getppid);
}

static inline long sys_gettid(void)
{
	return sys0(SYS_gettid);
}

static inline long sys_setsid(void)
{
	return sys0(SYS_setsid);
}

static inline long sys_setpgid(int pid, int pgid)
{
	return sys2(SYS_setpgid, pid, pgid);
}

static inline long sys_kill(int pid, int sig)
{
	return sys2(SYS_kill, pid, sig);
}

static inline long sys_prctl(int option, unsigned long a, unsigned long b, unsigned long c,
			     unsigned long d)
{
	return sys5(SYS_prctl, option, (long)a, (long)b, (long)c, (long)d);
}

/* Of the calling thread: caps[0] holds capabilities 0 to 31, caps[1] the rest. */
static inline long sys_capget(struct kernel_caps caps[2])
{
	const struct {
		uint32_t version;
		int pid;
	} header = {.version = KERNEL_CAP_VERSION};

	return sys2(SYS_capget, (long)&header, (long)caps);
}

static inline long sys_capset(const struct kernel_caps caps[2])
{
	const struct {
		uint32_t version;
		int pid;
	} header = {.version = KERNEL_CAP_VERSION};

	return sys2(SYS_capset, (long)&header, (long)caps);
}

static inline long sys_setresuid(uint32_t r, uint32_t e, uint32_t s)
{
	return sys3(SYS_setresuid, r, e, s);
}

static inline long sys_setresgid(uint32_t r, uint32_t e, uint32_t s)
{
	return sys3(SYS_setresgid, r, e, s);
}

static inline long sys_setgroups(size_t n, const uint32_t *groups)
{
	return sys2(SYS_setgroups, (long)n, (long)groups);
}

static inline long sys_sigprocmask(int how, const uint64_t *set, uint64_t *old)
{
	return sys4(SYS_rt_sigprocmask, how, (long)set, (long)old, KERNEL_SIGSET_SIZE);
}

static inline long sys_sigaction(int sig, const struct kernel_sigaction *act,
				 struct kernel_sigaction *old)
{
	return sys4(SYS_rt_sigaction, sig, (long)act, (long)old, KERNEL_SIGSET_SIZE);
}

/* `info` is the kernel's siginfo, 128 bytes. */
static inline long sys_sigtimedwait(const uint64_t *set, void *info,
				    const struct kernel_timespec *timeout)
{
	return sys4(SYS_rt_sigtimedwait, (long)set, (long)info, (long)timeout, KERNEL_SIGSET_SIZE);
}

/* Never the private kind: the kernel's own wake-ups at exit and exec are not private. */
static inline long sys_futex_wait(const uint32_t *word, uint32_t value,
				  const struct kernel_timespec *relative)
{
	return sys4(SYS_futex, (long)word, KERNEL_FUTEX_WAIT, value, (long)relative);
}

static inline long sys_futex_wake(const uint32_t *word, int count)
{
	return sys3(SYS_futex, (long)word, KERNEL_FUTEX_WAKE, count);
}

static inline long sys_set_robust_list(struct kernel_robust_list_head *head)
{
	return sys2(SYS_set_robust_list, (long)head, sizeof(*head));
}

static inline long sys_get_robust_list(struct kernel_robust_list_head **head, size_t *size)
{
	return sys3(SYS_get_robust_list, 0, (long)head, (long)size);
}

static inline long sys_execveat(int fd, const char *path, char *const argv[], char *const envp[],
				int flags)
{
	return sys5(SYS_execveat, fd, (long)path, (long)argv, (long)envp, flags);
}

static inline long sys_execve(const char *path, char *const argv[], char *const envp[])
{
	return sys3(SYS_execve, (long)path, (long)argv, (long)envp);
}

/* rusage is the kernel's struct rusage; waitid has it as a fifth argument, the C library not. */
static inline long sys_waitid(int type, int id, void *info, int options, void *rusage)
{
	return sys5(SYS_waitid, type, id, (long)info, options, (long)rusage);
}

static inline long sys_wait4(int pid, int *status, int options, void *rusage)
{
	return sys4(SYS_wait4, pid, (long)status, options, (long)rusage);
}

static inline long sys_pidfd_open(int pid, unsigned flags)
{
	return sys2(SYS_pidfd_open, pid, flags);
}

static inline long sys_pidfd_send_signal(int pidfd, int sig)
{
	return sys4(SYS_pidfd_send_signal, pidfd, sig, 0, 0);
}

_Noreturn static inline void sys_exit(int status)
{
	for (;;)
		sys1(SYS_exit, status);
}

_Noreturn static inline void sys_exit_group(int status)
{
	for (;;)
		sys1(SYS_exit_group, status);
}

#endif
