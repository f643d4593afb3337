/* SPDX-License-Identifier: MIT */
/*
 * A pseudo-terminal. Its slave is opened through the master and never by a path: in a root that
 * somebody else made /dev/pts/N may be anything.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <ramet/companions.h>

#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41) /* 4.13 */
#endif

static int open_slave(int master)
{
	int locked = 0;
	int slave;

	if (ioctl(master, TIOCSPTLCK, &locked) < 0)
		return -errno;
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	return slave < 0 ? -errno : slave;
}

static int set_up(int slave, const struct winsize *size, const struct termios *mode)
{
	if (mode && tcsetattr(slave, TCSANOW, mode) < 0)
		return -errno;
	if (size && ioctl(slave, TIOCSWINSZ, size) < 0)
		return -errno;
	return 0;
}

int ramet_pty_open(const struct winsize *size, const struct termios *mode,
		   struct ramet_pty *ret_pty)
{
	struct ramet_pty pty = {.master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)};
	int r;

	if (pty.master < 0)
		return -errno;
	r = pty.slave = open_slave(pty.master);
	if (r >= 0)
		r = set_up(pty.slave, size, mode);
	if (r < 0) {
		ramet_pty_close(&pty);
		return r;
	}
	*ret_pty = pty;
	return 0;
}

void ramet_pty_close_slave(struct ramet_pty *pty)
{
	if (pty->slave >= 0)
		close(pty->slave);
	pty->slave = -1;
}

void ramet_pty_close(struct ramet_pty *pty)
{
	ramet_pty_close_slave(pty);
	if (pty->master >= 0)
		close(pty->master);
	pty->master = -1;
}
