/* SPDX-License-Identifier: MIT */
/* A task that tells its end by SIGUSR1, not SIGCHLD: which wait sees it. */
#include <errno.h>
#include <ramet/ramet.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

static int seven(void *arg)
{
	(void)arg;
	return 7;
}

int main(void)
{
	struct ramet_task task;
	struct ramet_status status;
	struct ramet_error error;
	siginfo_t info = {0};
	sigset_t set;
	char why[256];

	/* Blocked, the signal stays pending until sigwaitinfo() takes it. */
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);

	if (ramet_launch(&RAMET_SPEC(.fn = seven, .exit_signal = SIGUSR1), &task, &error) < 0) {
		ramet_error_format(&error, why, sizeof(why));
		fprintf(stderr, "cannot start the function: %s\n", why);
		return 1;
	}
	if (sigwaitinfo(&set, &info) == SIGUSR1 && info.si_pid == task.tid)
		printf("the end is told by SIGUSR1\n");

	/* WNOWAIT leaves the status for the next to ask. */
	if (waitid(P_PID, (id_t)task.tid, &info, WEXITED | WNOWAIT) < 0 && errno == ECHILD)
		printf("plain wait: no such child\n");
	if (waitid(P_PID, (id_t)task.tid, &info, (int)(WEXITED | WNOWAIT | __WCLONE)) == 0)
		printf("wait with __WCLONE: exit status %d\n", info.si_status);
	if (ramet_wait(&task, -1, &status) < 0)
		return 1;
	ramet_task_close(&task);
	printf("ramet_wait: exit status %d\n", status.code);
	return 0;
}
