/* SPDX-License-Identifier: MIT */
/*
 * A program that tells which attributes it has: the test program, run again by a descriptor of
 * itself with argv {look_name}. It writes a struct look into descriptor LOOK_OUT, so that it can
 * do so in any root and as anybody, and ends with LOOK_STATUS. main() begins with look_main().
 */
#ifndef RAMET_TESTS_LIB_LOOK_H
#define RAMET_TESTS_LIB_LOOK_H

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <ramet/ramet.h>

#include "base/sys.h"

#define LOOK_OUT 90	/* a memfd, open in whoever launches */
#define LOOK_PROGRAM 91 /* O_CLOEXEC, this program */
#define LOOK_STATUS 23
#define LOOK_FDS 120

static char look_name[] = "ramet-look";
__attribute__((unused)) static char *look_argv[] = {look_name, NULL};

/* The fields of a spec that run it. */
#define LOOK .program = look_name, .argv = look_argv, LOOK_FD
#define LOOK_FD .options = RAMET_PROGRAM_FD, .program_fd = LOOK_PROGRAM

enum { CAPS_INH, CAPS_PRM, CAPS_EFF, CAPS_BND, CAPS_AMB, CAPS_SETS };
enum { NS_NET, NS_UTS, NS_USER, NS_PID, NS_MNT, NS_TIME, NS_COUNT };

struct look {
	pid_t pid, ppid, sid, pgid;
	uid_t uid;
	struct rlimit limits[RLIM_NLIMITS];
	int nice, policy, priority, ioprio, oom_score_adj, personality, slack;
	int securebits, keep_caps, pdeathsig, subreaper, no_new_privs, seccomp;
	uint64_t caps[CAPS_SETS], affinity;
	int has_tty, in_foreground, lo_flags;
	int64_t monotonic, boottime; /* seconds */
	ino_t ns[NS_COUNT];
	char cgroups[2000], mounts[8000], host[70];
	int write_error, read_error; /* errno of opening argv[1], 0 */
	unsigned char open[LOOK_FDS], marked[LOOK_FDS];
	bool whole; /* written last */
};

static inline void look_text(const char *path, char *text, size_t size)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = 0, r;

	while (fd >= 0 && n < (ssize_t)size - 1 &&
	       (r = read(fd, text + n, size - 1 - (size_t)n)) > 0)
		n += r;
	text[n] = 0;
	if (fd >= 0)
		close(fd);
}

static inline void look_status(struct look *l)
{
	static const char *const names[CAPS_SETS] = {
		"CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"};
	static char text[8000];
	const char *at;

	look_text("/proc/self/status", text, sizeof(text));
	for (unsigned i = 0; i < CAPS_SETS; i++)
		if ((at = strstr(text, names[i])))
			l->caps[i] = strtoull(at + 7, NULL, 16);
	if ((at = strstr(text, "Seccomp:")))
		l->seccomp = atoi(at + 8);
	look_text("/proc/self/oom_score_adj", text, sizeof(text));
	l->oom_score_adj = atoi(text);
	look_text("/proc/self/cgroup", l->cgroups, sizeof(l->cgroups));
	look_text("/proc/self/mountinfo", l->mounts, sizeof(l->mounts));
}

static inline void look_fds(struct look *l)
{
	for (int fd = 0; fd < LOOK_FDS; fd++) {
		const int flags = fcntl(fd, F_GETFD);

		l->open[fd] = flags >= 0;
		l->marked[fd] = flags > 0;
	}
}

static inline void look_session(struct look *l)
{
	const int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

	l->pid = getpid();
	l->ppid = getppid();
	l->sid = getsid(0);
	l->pgid = getpgid(0);
	l->uid = geteuid();
	l->has_tty = tty >= 0;
	l->in_foreground = tty >= 0 && tcgetpgrp(tty) == l->pgid;
	if (tty >= 0)
		close(tty);
}

static inline void look_network(struct look *l)
{
	struct ifreq request = {.ifr_name = "lo"};
	const int fd = (int)sys3(SYS_socket, 1, 2, 0); /* AF_UNIX, SOCK_DGRAM */

	if (fd >= 0 && ioctl(fd, SIOCGIFFLAGS, &request) == 0)
		l->lo_flags = request.ifr_flags;
	if (fd >= 0)
		close(fd);
}

static inline void look_namespaces(struct look *l)
{
	static const char *const names[NS_COUNT] = {"net", "uts", "user", "pid", "mnt", "time"};
	char path[40];
	struct stat st;

	for (unsigned i = 0; i < NS_COUNT; i++) {
		snprintf(path, sizeof(path), "/proc/self/ns/%s", names[i]);
		l->ns[i] = stat(path, &st) == 0 ? st.st_ino : 0;
	}
}

static inline int look_open(const char *path, int flags)
{
	const int fd = open(path, flags | O_CLOEXEC);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static inline int64_t look_clock(clockid_t clock)
{
	struct timespec t;

	return clock_gettime(clock, &t) == 0 ? (int64_t)t.tv_sec : -1;
}

static inline void look_take(struct look *l)
{
	struct sched_param param = {0};

	look_fds(l);
	look_session(l);
	look_network(l);
	look_namespaces(l);
	for (int i = 0; i < (int)RLIM_NLIMITS; i++)
		getrlimit((__rlimit_resource_t)i, &l->limits[i]);
	errno = 0;
	l->nice = getpriority(PRIO_PROCESS, 0);
	l->policy = sched_getscheduler(0);
	sched_getparam(0, &param);
	l->priority = param.sched_priority;
	l->ioprio = (int)sys2(SYS_ioprio_get, 1, 0);
	l->personality = personality(0xffffffff);
	l->slack = prctl(PR_GET_TIMERSLACK);
	l->securebits = prctl(PR_GET_SECUREBITS);
	l->keep_caps = prctl(PR_GET_KEEPCAPS);
	prctl(PR_GET_PDEATHSIG, &l->pdeathsig);
	prctl(PR_GET_CHILD_SUBREAPER, &l->subreaper);
	l->no_new_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
	sys3(SYS_sched_getaffinity, 0, sizeof(l->affinity), (long)&l->affinity);
	l->monotonic = look_clock(CLOCK_MONOTONIC);
	l->boottime = look_clock(CLOCK_BOOTTIME);
	gethostname(l->host, sizeof(l->host) - 1);
	look_status(l);
}

static inline void look_main(int argc, char **argv)
{
	static struct look l;

	if (argc < 1 || strcmp(argv[0], look_name) != 0)
		return;
	look_take(&l);
	if (argc > 1) {
		l.write_error = look_open(argv[1], O_WRONLY);
		l.read_error = look_open(argv[1], O_RDONLY);
	}
	l.whole = true;
	_exit(pwrite(LOOK_OUT, &l, sizeof(l), 0) == (ssize_t)sizeof(l) ? LOOK_STATUS : 1);
}

/* Open what the program needs, in the process that will launch it. */
static inline bool look_ready(void)
{
	const int out = memfd_create("look", 0);
	const int program = open("/proc/self/exe", O_PATH | O_CLOEXEC);
	const bool good = dup2(out, LOOK_OUT) == LOOK_OUT &&
			  dup3(program, LOOK_PROGRAM, O_CLOEXEC) == LOOK_PROGRAM;

	close(out);
	close(program);
	return good;
}

static inline bool look_read(struct look *ret)
{
	memset(ret, 0, sizeof(*ret));
	return pread(LOOK_OUT, ret, sizeof(*ret), 0) == (ssize_t)sizeof(*ret) && ret->whole &&
	       ftruncate(LOOK_OUT, 0) == 0;
}

#endif
