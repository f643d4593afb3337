/* SPDX-License-Identifier: MIT */
/* A descriptor, closed by the child: with a descriptor table of its own, and a shared one. */
#include <errno.h>
#include <fcntl.h>
#include <ramet/ramet.h>
#include <stdio.h>
#include <unistd.h>

static int close_it(void *arg)
{
	return close(*(int *)arg) < 0;
}

static int try_table(uint32_t share, const char *what)
{
	struct ramet_task task;
	struct ramet_error error;
	char why[256];
	int r, fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	/* Memory is copied in both: the table and the memory are separate choices. */
	r = ramet_launch(&RAMET_SPEC(.fn = close_it, .arg = &fd, .share = share), &task, &error);
	if (r < 0) {
		ramet_error_format(&error, why, sizeof(why));
		fprintf(stderr, "table %s: %s\n", what, why);
		return r;
	}
	r = ramet_wait(&task, -1, NULL);
	ramet_task_close(&task);
	if (r < 0)
		return r;
	if (fcntl(fd, F_GETFD) >= 0) {
		printf("table %s: the caller's descriptor is still open\n", what);
		close(fd);
	} else {
		printf("table %s: the caller's descriptor is closed\n", what);
	}
	return 0;
}

int main(void)
{
	return try_table(0, "copied") < 0 || try_table(RAMET_FILES, "shared") < 0;
}
