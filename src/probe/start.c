/* SPDX-License-Identifier: MIT */
/*
 * The helper as a process. Its program is part of this one; it is run from a sealed file in
 * memory, so no path is searched and no file of the system is trusted.
 */
#include "probe/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "launch/image.h"

extern const unsigned char probe_helper[], probe_helper_end[];

int probe_move_up(int fd)
{
	int high;

	if (fd < 0)
		return -1;
	high = fcntl(fd, F_DUPFD_CLOEXEC, PROBE_FD_FREE);
	close(fd);
	return high;
}

int probe_helper_fd(void)
{
	static int fd = -1;
	int file;

	if (fd >= 0)
		return fd;
	file = sealed_file("ramet-probe-helper", probe_helper,
			   (size_t)(probe_helper_end - probe_helper), true);
	if (file < 0)
		return file;
	fd = probe_move_up(file);
	return fd < 0 ? -errno : fd;
}

int probe_start_helper(char *const argv[], const int fds[PROBE_FD_FREE],
		       struct ramet_task *ret_task, struct ramet_error *error)
{
	char *const none[] = {NULL};
	char path[32];
	int fd = probe_helper_fd();
	struct ramet_spec spec =
		RAMET_SPEC(.program = path, .argv = argv, .envp = none,
			   .steps = RAMET_STEPS(RAMET_DUP(fds[PROBE_FD_PARENT], PROBE_FD_PARENT),
						RAMET_DUP(fds[PROBE_FD_CHILD], PROBE_FD_CHILD),
						RAMET_DUP(fds[PROBE_FD_SCRATCH], PROBE_FD_SCRATCH),
						RAMET_DUP(fds[PROBE_FD_CGROUP], PROBE_FD_CGROUP)));

	if (fd < 0)
		return fd;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return ramet_launch(&spec, ret_task, error);
}
