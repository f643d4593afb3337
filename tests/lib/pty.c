/* SPDX-License-Identifier: MIT */
/*
 * pty own|free TEXT COMMAND…: the command on a new terminal, 0 to 2, as a session of its own; own:
 * it controls the session, free: nobody's. What it prints goes to standard output; once that has
 * a line "ready" TEXT is typed. Ends as the command does, 128 and the signal if by one.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static void become(const char *slave, int own, char **command)
{
	struct termios mode;
	int fd;

	setsid();
	signal(SIGINT, SIG_DFL);
	signal(SIGQUIT, SIG_DFL);
	fd = open(slave, O_RDWR | O_NOCTTY);
	if (fd < 0 || (own && ioctl(fd, TIOCSCTTY, 0) < 0))
		_exit(124);
	/* The kernel signals first and then throws away what was printed meanwhile: not here. */
	if (tcgetattr(fd, &mode) == 0) {
		mode.c_lflag |= NOFLSH;
		tcsetattr(fd, TCSANOW, &mode);
	}
	for (int to = 0; to < 3; to++)
		dup2(fd, to);
	if (fd > 2)
		close(fd);
	execvp(*command, command);
	_exit(127);
}

/* Until every holder of the terminal has closed it. */
static void relay(int master, const char *text)
{
	char seen[4096];
	size_t at = 0;
	ssize_t n;
	int typed = 0;

	while ((n = read(master, seen + at, sizeof(seen) - 1 - at)) > 0) {
		if (write(1, seen + at, (size_t)n) != n)
			break;
		at += (size_t)n;
		seen[at] = 0;
		if (!typed && strstr(seen, "ready\r\n")) {
			typed = 1;
			if (write(master, text, strlen(text)) < 0)
				break;
		}
		if (at > sizeof(seen) / 2)
			at = 0;
	}
}

int main(int argc, char **argv)
{
	const int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	int status;
	pid_t pid;

	if (argc < 4 || master < 0 || grantpt(master) < 0 || unlockpt(master) < 0)
		return 124;
	pid = fork();
	if (pid == 0)
		become(ptsname(master), !strcmp(argv[1], "own"), argv + 3);
	relay(master, argv[2]);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
