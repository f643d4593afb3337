/* SPDX-License-Identifier: MIT */
/*
 * ramet tree --watch: the terminal's second screen, drawn again and again. Signals wait while a
 * picture is made and are taken between two, so none can leave the screen half-way.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/tree.h"

#define OTHER_SCREEN "\033[?1049h\033[?25l\033[?7l" /* no cursor, no wrapping of lines */
#define BACK "\033[?7h\033[?25h\033[?1049l"
#define CLEAR "\033[H\033[2J"
#define LINES_UNKNOWN 24
#define LINES_AROUND 5 /* titles, the sum, a warning */

static size_t lines_of_terminal(void)
{
	struct winsize size;
	size_t lines = LINES_UNKNOWN;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row)
		lines = size.ws_row;
	return lines > LINES_AROUND + 1 ? lines - LINES_AROUND : 1;
}

/* The signal that came, or 0 when the time is over. */
static int sleep_until_signal(const sigset_t *set, double seconds)
{
	const struct timespec time = {
		.tv_sec = (time_t)seconds,
		.tv_nsec = (long)((seconds - (double)(time_t)seconds) * 1e9),
	};
	int sig = sigtimedwait(set, NULL, &time);

	return sig > 0 ? sig : 0;
}

int tree_watch(double seconds, tree_draw *draw, void *context)
{
	static char buffer[1 << 16];
	sigset_t set, old;
	int sig = 0, status = CLI_OK;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGWINCH);
	sigprocmask(SIG_BLOCK, &set, &old);
	setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
	fputs(OTHER_SCREEN, stdout);
	while (status >= 0 && (sig == 0 || sig == SIGWINCH)) {
		fputs(CLEAR, stdout);
		status = draw(context, lines_of_terminal());
		if (out_finish(stdout) < 0)
			status = -1;
		if (status >= 0)
			sig = sleep_until_signal(&set, seconds);
	}
	fputs(BACK, stdout);
	fflush(stdout);
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (sig == SIGTERM || sig == SIGHUP) {
		signal(sig, SIG_DFL);
		raise(sig);
	}
	return status < 0 ? CLI_FAILED : CLI_OK;
}
