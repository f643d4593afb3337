/* SPDX-License-Identifier: MIT */
/*
 * The helper as a process. Its program is part of this one; it is run from a sealed file in
 * memory, so no path is searched and no file of the system is trusted.
 */
#include "probe/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MFD_EXEC
#define MFD_EXEC 0x10U /* 6.3: needed where vm.memfd_noexec is 1 */
#endif

extern const unsigned char probe_helper[], probe_helper_end[];

static int write_all(int fd, const unsigned char *data, size_t size)
{
	while (size) {
		ssize_t n = write(fd, data, size);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			data += n;
			size -= (size_t)n;
		}
	}
	return 0;
}

int probe_move_up(int fd)
{
	int high;

	if (fd < 0)
		return -1;
	high = fcntl(fd, F_DUPFD_CLOEXEC, PROBE_FD_FREE);
	close(fd);
	return high;
}

static int make_file(void)
{
	const int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
	int fd = memfd_create("ramet-probe-helper", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC), r;

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("ramet-probe-helper", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd >= 0)
		fd = probe_move_up(fd);
	if (fd < 0)
		return -errno;
	r = write_all(fd, probe_helper, (size_t)(probe_helper_end - probe_helper));
	if (r == 0 && fcntl(fd, F_ADD_SEALS, seals) < 0)
		r = -errno;
	if (r < 0) {
		close(fd);
		return r;
	}
	return fd;
}

int probe_helper_fd(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = make_file();
	return fd;
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
