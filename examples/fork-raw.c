/* SPDX-License-Identifier: MIT */
/* fork() in two spellings: the raw call, which returns twice, and ramet_fork(). */
#include <linux/sched.h>
#include <ramet/ramet.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* No flags at all: share nothing, and tell the end by SIGCHLD. */
static int raw(void)
{
	const struct clone_args args = {.exit_signal = SIGCHLD};
	const pid_t parent = getpid();
	long pid = ramet_clone3(&args, sizeof(args), NULL, NULL);
	int status;

	if (pid < 0)
		return (int)pid;
	if (pid == 0)
		_exit(getppid() == parent ? 3 : 1);
	if (waitpid((pid_t)pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	printf("clone3 with no flags: the child exits with %d\n", WEXITSTATUS(status));
	return 0;
}

/* The same, with the C library's own state right in the child, a pidfd, and steps if wanted. */
static int library(void)
{
	struct ramet_task task;
	struct ramet_status status;
	struct ramet_error error;
	int r = ramet_fork(NULL, &task, &error);

	if (r < 0)
		return r;
	if (r == 0)
		_exit(4);
	r = ramet_wait(&task, -1, &status);
	ramet_task_close(&task);
	if (r == 0)
		printf("ramet_fork: the child exits with %d\n", status.code);
	return r;
}

int main(void)
{
	return raw() < 0 || library() < 0;
}
