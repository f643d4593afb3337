/* SPDX-License-Identifier: MIT */
/* Steps that set one attribute of the task each: limits, priorities, placement, ties to others. */
#include <errno.h>
#include <fcntl.h>

#include "base/sys.h"
#include "child/steps.h"
#include "uapi/clone.h"

#define UNUSED __attribute__((unused))

/* A number as the kernel's files want it, written up to `end`. Returns where it begins. */
static char *decimal(int64_t value, char *end)
{
	uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;

	do
		*--end = (char)('0' + rest % 10);
	while (rest /= 10);
	if (value < 0)
		*--end = '-';
	return end;
}

static long write_file(const char *path, const char *text, size_t n)
{
	long fd = sys_open(path, O_WRONLY | O_CLOEXEC, 0), r;

	if (fd < 0)
		return fd;
	r = sys_write((int)fd, text, n);
	sys_close((int)fd);
	return r < 0 ? r : 0;
}

long step_rlimit(struct child *child UNUSED, const struct ramet_step *step)
{
	const uint64_t limit[2] = {step->soft, step->hard};

	return sys4(SYS_prlimit64, 0, step->number, (long)limit, 0);
}

long step_nice(struct child *child UNUSED, const struct ramet_step *step)
{
	return sys3(SYS_setpriority, 0 /* PRIO_PROCESS */, 0, step->number);
}

long step_sched(struct child *child UNUSED, const struct ramet_step *step)
{
	const int reset_on_fork = 0x40000000;
	const int policy = step->number | (step->reset ? reset_on_fork : 0);
	const int priority = step->priority;

	return sys3(SYS_sched_setscheduler, 0, policy, (long)&priority);
}

long step_ioprio(struct child *child UNUSED, const struct ramet_step *step)
{
	return sys3(SYS_ioprio_set, 1 /* IOPRIO_WHO_PROCESS */, 0, step->number);
}

long step_affinity(struct child *child UNUSED, const struct ramet_step *step)
{
	return sys3(SYS_sched_setaffinity, 0, (long)step->bytes, (long)step->data);
}

/* Beside a caller that shares the memory and runs on it would be set for both: see the plan. */
long step_oom_score_adj(struct child *child UNUSED, const struct ramet_step *step)
{
	char buf[24], *end = buf + sizeof(buf), *text = decimal(step->number, end);

	return write_file("/proc/self/oom_score_adj", text, (size_t)(end - text));
}

long step_personality(struct child *child UNUSED, const struct ramet_step *step)
{
	return sys1(SYS_personality, (uint32_t)step->number);
}

/* How late the kernel may let sleeps end. 0 would mean the default, so it is not let through. */
long step_timer_slack(struct child *child UNUSED, const struct ramet_step *step)
{
	if (step->number < 1)
		return -EINVAL;
	return sys_prctl(KERNEL_PR_SET_TIMERSLACK, (unsigned long)step->number, 0, 0, 0);
}

long step_subreaper(struct child *child UNUSED, const struct ramet_step *step UNUSED)
{
	return sys_prctl(KERNEL_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

/*
 * The kernel clears this at every change of identity, so it comes after them. A launcher that
 * ended before this line will never send the signal: then the task is not begun.
 */
long step_pdeathsig(struct child *child, const struct ramet_step *step)
{
	long r = sys_prctl(KERNEL_PR_SET_PDEATHSIG, (unsigned long)step->number, 0, 0, 0);
	long parent = sys_getppid();

	if (r == 0 && parent && parent != child->caller &&
	    (child->shielded || !(*child->used_flags & CLONE_PARENT)))
		return -ESRCH;
	return r;
}

long step_ctty(struct child *child UNUSED, const struct ramet_step *step)
{
	return sys3(SYS_ioctl, step->number, 0x540e /* TIOCSCTTY */, 0);
}

/* From the background this raises SIGTTOU, which is blocked like all signals. */
long step_foreground(struct child *child UNUSED, const struct ramet_step *step)
{
	const int group = (int)sys1(SYS_getpgid, 0);

	return sys3(SYS_ioctl, step->number, 0x5410 /* TIOCSPGRP */, (long)&group);
}

/* Only with memory of its own (EUSERS). Exec enters it by itself, but not before 6.2. */
static long enter_time_namespace(void)
{
	long fd = sys_open("/proc/self/ns/time_for_children", O_RDONLY | O_CLOEXEC, 0), r;

	if (fd < 0)
		return fd;
	r = sys2(SYS_setns, fd, CLONE_NEWTIME);
	sys_close((int)fd);
	return r;
}

/*
 * Offsets can be written only until the first task is in the namespace: so it is made here and
 * not by clone, and entered after the last of them.
 */
long step_time_offset(struct child *child, const struct ramet_step *step)
{
	char buf[80], *end = buf + sizeof(buf), *text = end;
	long r;

	if (!child->has_time_namespace) {
		r = sys1(SYS_unshare, CLONE_NEWTIME);
		if (r < 0)
			return r;
		child->has_time_namespace = true;
	}
	text = decimal(step->nanoseconds, text);
	*--text = ' ';
	text = decimal(step->seconds, text);
	*--text = ' ';
	text = decimal(step->number, text);
	r = write_file("/proc/self/timens_offsets", text, (size_t)(end - text));
	if (r < 0 || step[1].kind == RAMET_STEP_TIME_OFFSET)
		return r;
	return enter_time_namespace();
}

long step_lo_up(struct child *child UNUSED, const struct ramet_step *step UNUSED)
{
	struct {
		char name[16];
		short flags;
		char rest[22];
	} request = {.name = "lo"}; /* struct ifreq */
	long fd, r;

	_Static_assert(sizeof(request) == 40, "mirrors struct ifreq");
	fd = sys3(SYS_socket, 1 /* AF_UNIX */, 2 /* SOCK_DGRAM */ | O_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	r = sys3(SYS_ioctl, fd, 0x8913 /* SIOCGIFFLAGS */, (long)&request);
	if (r == 0) {
		request.flags |= 1; /* IFF_UP */
		r = sys3(SYS_ioctl, fd, 0x8914 /* SIOCSIFFLAGS */, (long)&request);
	}
	sys_close((int)fd);
	return r;
}

/* "0" is the task that writes. */
static long enter_cgroup(long dir)
{
	const long fd = sys4(SYS_openat, dir, (long)"cgroup.procs", O_WRONLY | O_CLOEXEC, 0);
	long r;

	if (fd < 0)
		return fd;
	r = sys_write((int)fd, "0", 1);
	sys_close((int)fd);
	return r < 0 ? r : 0;
}

long step_cgroup(struct child *child UNUSED, const struct ramet_step *step)
{
	const long dir = sys_open(step->path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	long r;

	if (dir < 0)
		return dir;
	r = enter_cgroup(dir);
	sys_close((int)dir);
	return r;
}

long step_enter_cgroup(struct child *child UNUSED, const struct ramet_step *step)
{
	return enter_cgroup(step->number);
}

long step_unshare(struct child *child UNUSED, const struct ramet_step *step)
{
	return sys1(SYS_unshare, (long)step->mask);
}

/* Last before exec: from here on the filter judges ramet's own calls too. */
long step_seccomp(struct child *child UNUSED, const struct ramet_step *step)
{
	const struct {
		unsigned short length;
		const void *filter;
	} program = {(unsigned short)(step->bytes / 8), step->data};

	return sys3(SYS_seccomp, 1 /* SECCOMP_SET_MODE_FILTER */, 0, (long)&program);
}
