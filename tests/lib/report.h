/* SPDX-License-Identifier: MIT */
/*
 * A program that tells what it was started with. The test program is that program: run again by
 * /proc/self/exe (which needs no path that every user can walk) with argv {report_name, file}, it
 * writes a struct report into the file and ends with REPORT_STATUS. main() begins with
 * report_main().
 */
#ifndef RAMET_TESTS_LIB_REPORT_H
#define RAMET_TESTS_LIB_REPORT_H

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sys.h"

#define REPORT_PROGRAM "/proc/self/exe"
#define REPORT_STATUS 17
#define REPORT_FDS 1100

static char report_name[] = "ramet-report";

struct report {
	bool whole; /* written last */
	pid_t pid, ppid, pgid, sid;
	uid_t uid[3];
	gid_t gid[3];
	int group_count;
	gid_t groups[64];
	unsigned umask;
	int no_new_privs, dumpable;
	uint64_t blocked, pending, ignored;
	char cwd[200], host[70], variable[50];
	unsigned char open[REPORT_FDS];
	struct {
		dev_t dev;
		ino_t ino;
	} fd[REPORT_FDS];
};

static inline void report_fds(struct report *r)
{
	struct stat st;

	for (int fd = 0; fd < REPORT_FDS; fd++)
		if (fstat(fd, &st) == 0) {
			r->open[fd] = 1;
			r->fd[fd].dev = st.st_dev;
			r->fd[fd].ino = st.st_ino;
		}
}

static inline void report_take(struct report *r)
{
	struct kernel_sigaction action;
	const char *variable = getenv("RAMET_TEST");

	sys_sigprocmask(0, NULL, &r->blocked);
	sys2(SYS_rt_sigpending, (long)&r->pending, KERNEL_SIGSET_SIZE);
	for (int sig = 1; sig <= KERNEL_NSIG; sig++)
		if (sys_sigaction(sig, NULL, &action) == 0 && action.handler == (void *)1)
			r->ignored |= 1ULL << (sig - 1);
	report_fds(r);
	r->pid = getpid();
	r->ppid = getppid();
	r->pgid = getpgid(0);
	r->sid = getsid(0);
	getresuid(&r->uid[0], &r->uid[1], &r->uid[2]);
	getresgid(&r->gid[0], &r->gid[1], &r->gid[2]);
	r->group_count = getgroups(64, r->groups);
	r->umask = (unsigned)sys_umask(0);
	r->no_new_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
	r->dumpable = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
	gethostname(r->host, sizeof(r->host) - 1);
	if (!getcwd(r->cwd, sizeof(r->cwd)))
		r->cwd[0] = 0;
	snprintf(r->variable, sizeof(r->variable), "%s", variable ? variable : "");
}

static inline void report_main(int argc, char **argv)
{
	static struct report r;
	int fd;

	if (argc != 2 || strcmp(argv[0], report_name) != 0)
		return;
	report_take(&r);
	r.whole = true;
	fd = open(argv[1], O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, &r, sizeof(r)) != (ssize_t)sizeof(r))
		_exit(1);
	_exit(REPORT_STATUS);
}

/* Make the file empty, and writable for whoever the program will be. */
static inline bool report_file(const char *path)
{
	const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

	if (fd < 0)
		return false;
	fchmod(fd, 0666);
	close(fd);
	return true;
}

static inline bool report_read(const char *path, struct report *ret)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool good;

	memset(ret, 0, sizeof(*ret));
	if (fd < 0)
		return false;
	good = read(fd, ret, sizeof(*ret)) == (ssize_t)sizeof(*ret) && ret->whole;
	close(fd);
	return good;
}

#endif
