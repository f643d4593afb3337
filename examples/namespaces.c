/* SPDX-License-Identifier: MIT */
/*
 * A task in new namespaces with a host name of its own. An ordinary user gets them inside a new
 * user namespace, in which the own id is mapped to 0.
 */
#include <errno.h>
#include <ramet/ramet.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int tell(void *arg)
{
	char host[65];

	(void)arg;
	if (gethostname(host, sizeof(host)) < 0)
		return 1;
	dprintf(STDOUT_FILENO, "inside: host name %s, pid %d, user %d\n", host, (int)getpid(),
		(int)getuid());
	return 0;
}

int main(void)
{
	const struct ramet_step *root = RAMET_STEPS(RAMET_HOSTNAME("ramet"));
	const struct ramet_step *user =
		RAMET_STEPS(RAMET_ID_MAP(NULL, NULL), RAMET_HOSTNAME("ramet"));
	struct ramet_spec spec = RAMET_SPEC(.fn = tell, .steps = root,
					    .fresh = RAMET_UTS | RAMET_PID | RAMET_IPC | RAMET_NET);
	struct ramet_task task;
	struct ramet_status status;
	struct ramet_error error;
	char before[65] = "", after[65] = "", why[320];

	if (geteuid() != 0) {
		spec.fresh |= RAMET_USER;
		spec.steps = user;
	}
	gethostname(before, sizeof(before));
	if (ramet_launch(&spec, &task, &error) < 0) {
		ramet_error_format(&error, why, sizeof(why));
		fprintf(stderr, "cannot start the task: %s\n", why);
		return error.error == EPERM || error.error == ENOSPC ? 77 : 1;
	}
	if (ramet_wait(&task, -1, &status) < 0 || !status.exited || status.code)
		return 1;
	ramet_task_close(&task);
	gethostname(after, sizeof(after));
	printf("outside: the host name is %s\n", strcmp(before, after) ? "another" : "unchanged");
	return 0;
}
