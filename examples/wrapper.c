/* SPDX-License-Identifier: MIT */
/*
 * A program written for the C library's clone(), in the manner of clone(2)'s own example, after
 * one rename.
 */
#include <errno.h>
#include <ramet/ramet.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#define clone ramet_clone /* the one rename */

#define STACK_SIZE (256 * 1024)

static int child(void *arg)
{
	const char *name = arg;
	struct utsname uts;

	if (sethostname(name, strlen(name)) < 0 || uname(&uts) < 0)
		return 1;
	dprintf(STDOUT_FILENO, "child: the host name is %s\n", uts.nodename);
	return 0;
}

int main(void)
{
	const int flags = CLONE_NEWUTS | (geteuid() ? CLONE_NEWUSER : 0) | SIGCHLD;
	char name[] = "bizarro";
	struct utsname before, after;
	int pid, status;
	char *stack;

	stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (stack == MAP_FAILED || uname(&before) < 0)
		return 1;
	/* Stacks grow down: the top is handed over. */
	pid = clone(child, stack + STACK_SIZE, flags, name);
	if (pid == -1) {
		perror("clone");
		return errno == EPERM || errno == ENOSPC ? 77 : 1;
	}
	if (waitpid(pid, &status, 0) != pid || status || uname(&after) < 0)
		return 1;
	printf("parent: the host name is %s\n",
	       strcmp(before.nodename, after.nodename) ? "another" : "unchanged");
	return 0;
}
