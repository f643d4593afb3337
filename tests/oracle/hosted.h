/* SPDX-License-Identifier: MIT */
#ifndef RAMET_TESTS_ORACLE_HOSTED_H
#define RAMET_TESTS_ORACLE_HOSTED_H

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * The exit status of fn() in a process of its own, one thread to begin with; -N where signal N has
 * ended it, -1000 where there was none.
 */
static inline int in_process(int (*fn)(void))
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		alarm(20);
		_exit(fn());
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1000;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

#endif
