/* SPDX-License-Identifier: MIT */
/*
 * Terminals: what a task finds on its own, size and mode, signals, the end.
 *
 * Seen to fail, in a copy of the tree: a slave not closed, sides without O_CLOEXEC, size or mode
 * lost.
 */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "oracle/companions.h"

/* What comes from the master until `what` has come, or the end. Its length, -errno of the end. */
static int read_until(int master, const char *what, char *buf, size_t size)
{
	struct pollfd p = {.fd = master, .events = POLLIN};
	size_t n = 0;
	ssize_t r = 0;

	buf[0] = 0;
	while (n < size - 1 && (!what || !strstr(buf, what))) {
		if (poll(&p, 1, 10000) != 1)
			return -ETIMEDOUT;
		r = read(master, buf + n, size - 1 - n);
		if (r <= 0)
			return r ? -errno : 0;
		n += (size_t)r;
		buf[n] = 0;
	}
	return (int)n;
}

static bool start_on(struct ramet_pty *pty, const char *text, struct ramet_task *task)
{
	struct ramet_error error;
	char why[300] = "";
	const int r = ramet_launch(
		&RAMET_SPEC(.program = "/bin/sh", .argv = WORDS("sh", "-c", text),
			    .steps = RAMET_STEPS(RAMET_PTY_STEPS(*pty), RAMET_CLOSE_REST())),
		task, &error);

	if (r < 0)
		ramet_error_format(&error, why, sizeof(why));
	ramet_pty_close_slave(pty);
	return expect(r == 0, "launch: %s", why);
}

static void terminal(void *arg)
{
	const struct world before = world_take();
	const struct winsize size = {.ws_row = 33, .ws_col = 101};
	struct ramet_status status;
	struct ramet_task task;
	struct ramet_pty pty;
	struct termios mode;
	char text[2000], name[60];
	int r;

	(void)arg;
	if (!expect((r = ramet_pty_open(&size, NULL, &pty)) == 0, "open %d", r))
		return;
	expect(fcntl(pty.master, F_GETFD) == FD_CLOEXEC && fcntl(pty.slave, F_GETFD) == FD_CLOEXEC,
	       "flags");
	expect(!ptsname_r(pty.master, name, sizeof(name)), "name");
	/* In the terminal's own view: its name, size and session. */
	if (start_on(
		    &pty,
		    "tty; stty size; ps -o tty= -p $$; ps -o sid= -p $$; echo $$; echo x >/dev/tty",
		    &task)) {
		char want[200], number[20];
		unsigned seen = 0;

		r = read_until(pty.master, NULL, text, sizeof(text));
		expect(r == -EIO, "at the end %d", r);
		snprintf(want, sizeof(want), "%s\r\n33 101\r\n%s", name, name + 5);
		expect(!strncmp(text, want, strlen(want)), "got %s, want %s", text, want);
		snprintf(number, sizeof(number), "%d\r\n", task.tid);
		for (const char *at = text; (at = strstr(at, number)); at++)
			seen++;
		expect(seen == 2, "session and process: %s", text);
		expect(strstr(text, "x\r\n"), "/dev/tty: %s", text);
		r = ramet_wait(&task, PLENTY, &status);
		expect(r == 0 && status.exited && !status.code, "wait %d", r);
		ramet_task_close(&task);
	}
	ramet_pty_close(&pty);
	expect(pty.master == -1 && pty.slave == -1, "not -1");
	ramet_pty_close(&pty);
	/* A mode: no echo, no translation of newlines. */
	if (!expect(ramet_pty_open(NULL, NULL, &pty) == 0 && tcgetattr(pty.slave, &mode) == 0,
		    "open"))
		return;
	ramet_pty_close(&pty);
	cfmakeraw(&mode);
	if (expect(ramet_pty_open(NULL, &mode, &pty) == 0, "open") &&
	    start_on(&pty, "head -c 3 | tr a-z A-Z; echo", &task)) {
		expect(write(pty.master, "abc", 3) == 3, "write");
		r = read_until(pty.master, NULL, text, sizeof(text));
		expect(!strcmp(text, "ABC\n"), "raw: %s", text);
		expect(ramet_wait(&task, PLENTY, NULL) == 0, "wait");
		ramet_task_close(&task);
	}
	ramet_pty_close(&pty);
	same_world(&before);
}

/* ^C ends what is in the foreground; closing the master hangs up; a new size is told. */
static void job_control(void *arg)
{
	struct ramet_status status;
	struct ramet_task task;
	struct ramet_pty pty;
	char text[500];
	int r;

	(void)arg;
	if (expect(ramet_pty_open(NULL, NULL, &pty) == 0, "open") &&
	    start_on(&pty, "echo ready; exec sleep 60", &task)) {
		expect(read_until(pty.master, "ready", text, sizeof(text)) > 0, "not ready");
		expect(write(pty.master, "\003", 1) == 1, "write");
		r = ramet_wait(&task, PLENTY, &status);
		expect(r == 0 && !status.exited && status.code == SIGINT, "^C: %d, code %d", r,
		       status.code);
		ramet_task_close(&task);
	}
	ramet_pty_close(&pty);
	if (expect(ramet_pty_open(NULL, NULL, &pty) == 0, "open") &&
	    start_on(&pty, "trap 'stty size' WINCH; echo ready; while :; do sleep 0.02; done",
		     &task)) {
		const struct winsize size = {.ws_row = 12, .ws_col = 34};

		expect(read_until(pty.master, "ready", text, sizeof(text)) > 0, "not ready");
		expect(ioctl(pty.master, TIOCSWINSZ, &size) == 0, "size");
		expect(read_until(pty.master, "12 34", text, sizeof(text)) > 0, "size: %s", text);
		ramet_pty_close(&pty);
		r = ramet_wait(&task, PLENTY, &status);
		expect(r == 0 && !status.exited && status.code == SIGHUP, "hangup: %d, code %d", r,
		       status.code);
		ramet_task_close(&task);
	}
	ramet_pty_close(&pty);
}

int main(void)
{
	both(terminal, NULL, "a terminal");
	both(job_control, NULL, "a terminal's signals");
	return tap_done();
}
