/* SPDX-License-Identifier: MIT */
/*
 * Steps about descriptors. The plan has put the moves in an order in which none destroys what a
 * later one needs, with at most one descriptor lifted out of the way at a time (a cycle).
 */
#include <errno.h>
#include <fcntl.h>

#include "base/sys.h"
#include "child/steps.h"

#define UNUSED __attribute__((unused))

static long clear_cloexec(int fd)
{
	long flags = sys_fcntl(fd, F_GETFD, 0);

	if (flags < 0 || !(flags & FD_CLOEXEC))
		return flags;
	return sys_fcntl(fd, F_SETFD, flags & ~FD_CLOEXEC);
}

long step_keep(struct child *child UNUSED, const struct ramet_step *step)
{
	return clear_cloexec(step->number);
}

long step_dup(struct child *child, const struct ramet_step *step)
{
	const int from = step->number == CHILD_FD_LIFTED ? child->lifted : step->number;
	long r;

	/* Lifting took the lowest free number: one that the caller believed to be open. */
	if (step->number >= 0 && step->number == child->lifted)
		return -EBADF;
	if (step->to == CHILD_FD_LIFTED) {
		r = sys_fcntl(from, F_DUPFD_CLOEXEC, 0);
		if (r >= 0)
			child->lifted = (int)r;
		return r;
	}
	if (from == step->to)
		return clear_cloexec(from);
	r = sys_dup3(from, step->to, 0);
	if (r >= 0 && step->number == CHILD_FD_LIFTED) {
		sys_close(from);
		child->lifted = -1;
	}
	return r;
}

/*
 * The table is the caller's until this has been done. Kernels and filters without close_range:
 * then the caller is told, and makes another child with a copy. One descriptor has come into the
 * caller's table by this very launch, this task's pidfd: a later step must not find it open.
 */
long step_own_table(struct child *child, const struct ramet_step *step)
{
	const long r = sys_close_range(step->first, step->last, KERNEL_CLOSE_RANGE_UNSHARE);

	if (r == 0 && child->pidfd && *child->pidfd >= 0 && (unsigned)*child->pidfd < step->first)
		sys_close(*child->pidfd);
	return r;
}

/* From the caller's table, which still has it, to the same number here. */
long step_fetch(struct child *child, const struct ramet_step *step)
{
	const long caller = sys_pidfd_open(child->caller, 0);
	long fd, r;

	if (caller < 0)
		return caller;
	fd = sys3(SYS_pidfd_getfd, caller, step->number, 0);
	sys_close((int)caller);
	if (fd < 0 || fd == step->number)
		return fd;
	r = sys_dup3((int)fd, step->number, O_CLOEXEC);
	sys_close((int)fd);
	return r;
}

/* That it is open is all: exec closes it, as the end of the task does. */
long step_witness(struct child *child UNUSED, const struct ramet_step *step)
{
	return sys_fcntl(step->number, F_SETFD, FD_CLOEXEC);
}

/* A decimal name of /proc/self/fd, or -1 for anything else. */
static long fd_of_name(const char *name)
{
	long fd = 0;

	if (!*name)
		return -1;
	for (; *name; name++) {
		if (*name < '0' || *name > '9' || fd > 0x7fffffff / 10)
			return -1;
		fd = fd * 10 + (*name - '0');
	}
	return fd;
}

/*
 * Kernels and filters without close_range (5.9): ask /proc what is open, not every number up to
 * a limit that may be 2^30. Entries may be passed over while closing goes on, so it is read until
 * a whole pass closes nothing.
 */
static long close_by_proc(unsigned first, unsigned last)
{
	_Alignas(struct kernel_dirent64) char buf[1024];
	const struct kernel_dirent64 *entry;
	long dir, n, fd, closed;

	dir = sys_open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (dir < 0)
		return dir;
	do {
		closed = 0;
		sys3(SYS_lseek, dir, 0, 0);
		while ((n = sys_getdents64((int)dir, buf, sizeof(buf))) > 0) {
			for (long at = 0; at < n; at += entry->reclen) {
				entry = (const struct kernel_dirent64 *)(buf + at);
				fd = fd_of_name(entry->name);
				if (fd < (long)first || fd > (long)last || fd == dir)
					continue;
				sys_close((int)fd);
				closed++;
			}
		}
	} while (n == 0 && closed);
	sys_close((int)dir);
	return n;
}

long child_close_range(unsigned first, unsigned last)
{
	long r = sys_close_range(first, last, 0);

	return r == -ENOSYS || r == -EPERM ? close_by_proc(first, last) : r;
}

long step_close_range(struct child *child UNUSED, const struct ramet_step *step)
{
	return child_close_range(step->first, step->last);
}
