/* SPDX-License-Identifier: MIT */
#include "inspect/text.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

int inspect_text(int dir, const char *path, char *buf, size_t size)
{
	size_t used = 0;
	ssize_t n = 0;
	int fd;

	buf[0] = '\0';
	fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while (used < size - 1 && (n = read(fd, buf + used, size - 1 - used)) > 0)
		used += (size_t)n;
	if (n < 0) {
		n = -errno;
		used = 0;
	}
	close(fd);
	buf[used] = '\0';
	return n < 0 ? (int)n : (int)used;
}
