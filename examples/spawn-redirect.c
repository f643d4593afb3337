/* SPDX-License-Identifier: MIT */
/* A program with its standard output in a pipe and a working directory of its own. */
#include <errno.h>
#include <fcntl.h>
#include <ramet/ramet.h>
#include <stdio.h>
#include <unistd.h>

/* Run pwd in `directory`; what it prints into buf. */
static int ask(const char *directory, char *buf, size_t size, struct ramet_error *error)
{
	struct ramet_task task;
	struct ramet_status status;
	int fds[2], r;
	ssize_t n = 0;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	r = ramet_launch(&RAMET_SPEC(.program = "pwd", .options = RAMET_SEARCH_PATH,
				     .steps = RAMET_STEPS(RAMET_CWD(directory),
							  RAMET_DUP(fds[1], STDOUT_FILENO),
							  RAMET_CLOSE_REST())),
			 &task, error);
	close(fds[1]);
	if (r == 0) {
		n = read(fds[0], buf, size - 1);
		buf[n > 0 ? n : 0] = 0;
		r = ramet_wait(&task, -1, &status);
		ramet_task_close(&task);
		if (r == 0)
			r = status.exited ? status.code : -EIO;
	}
	close(fds[0]);
	return r;
}

int main(void)
{
	struct ramet_error error;
	char text[256];
	int r = ask("/usr", text, sizeof(text), &error);

	if (r < 0) {
		ramet_error_format(&error, text, sizeof(text));
		fprintf(stderr, "cannot run pwd: %s\n", text);
		return 1;
	}
	printf("pwd exits with %d and prints %s", r, text);
	if (ask("/nope", text, sizeof(text), &error) < 0) {
		ramet_error_format(&error, text, sizeof(text));
		printf("pwd is not started: %s\n", text);
	}
	return 0;
}
