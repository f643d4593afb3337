/* SPDX-License-Identifier: MIT */
/* program/ as a file of its own, since a launch is of a file. */
#include "bench/bench.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_ROOM 128

extern const unsigned char bench_exit[], bench_exit_end[];

static int fill(int fd)
{
	const size_t size = (size_t)(bench_exit_end - bench_exit);
	const ssize_t n = write(fd, bench_exit, size);

	if (n < 0)
		return -errno;
	if ((size_t)n != size)
		return -ENOSPC;
	/* Variants that change their identity run it too. */
	return fchmod(fd, 0755) < 0 ? -errno : 0;
}

int bench_program_begin(char *path, char *why)
{
	const char *folder = getenv("TMPDIR");
	int fd, r;

	if (!folder || !*folder)
		folder = "/tmp";
	if (snprintf(path, PATH_ROOM, "%s/ramet-bench-XXXXXX", folder) >= PATH_ROOM) {
		snprintf(why, BENCH_WHY, "TMPDIR is longer than %d bytes", PATH_ROOM);
		return -ENAMETOOLONG;
	}
	fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0) {
		r = -errno;
		snprintf(why, BENCH_WHY, "no file in %s for the program to launch: %s", folder,
			 strerror(-r));
		return r;
	}
	r = fill(fd);
	close(fd); /* what is open for writing cannot be run */
	if (r < 0) {
		snprintf(why, BENCH_WHY, "%s: %s", path, strerror(-r));
	} else if (access(path, X_OK) < 0) {
		r = -errno;
		snprintf(why, BENCH_WHY, "%s cannot be run, is it mounted noexec? Set TMPDIR: %s",
			 folder, strerror(-r));
	}
	if (r < 0)
		unlink(path);
	return r;
}

void bench_program_end(const char *path)
{
	unlink(path);
}
