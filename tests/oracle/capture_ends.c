/* SPDX-License-Identifier: MIT */
/*
 * When a capture is over: deadlines, of the task and of its tree, streams that others hold, a caller
 * that comes late, a task that cannot be killed or that somebody else reaps.
 *
 * Seen to fail, in a copy of the tree: no linger, one without end, a deadline for the task alone or
 * for nobody, one that waits for what cannot be killed.
 */
#include <sys/time.h>

#include "lib/room.h"
#include "oracle/companions.h"

/*
 * A program is to be met by its deadline when it has printed something. On a busy machine it comes
 * to that late: then again, with more time.
 */
static bool capture_met(const char *text, struct ramet_capture_options options,
			struct ramet_captured *ret)
{
	int64_t start, took;

	for (options.timeout_ms = 200; options.timeout_ms < 10000; options.timeout_ms *= 2) {
		start = clock_ms();
		if (!capture(&SHELL(text), &options, ret))
			return false;
		took = clock_ms() - start;
		expect(took >= options.timeout_ms - 1 && took < options.timeout_ms + 10000,
		       "it took %d ms", (int)took);
		if (ret->output_size)
			return true;
		ramet_captured_free(ret);
	}
	return expect(false, "nothing is printed: %s", text);
}

static void deadline(void *arg)
{
	const struct world before = world_take();
	struct ramet_captured got;

	(void)arg;
	if (capture_met("echo first; exec sleep 60", RAMET_CAPTURE_OPTIONS(0), &got)) {
		expect(got.timed_out && !got.status.exited && got.status.code == SIGKILL, "code %d",
		       got.status.code);
		expect(!strcmp(got.output, "first\n"), "output %s", got.output);
		ramet_captured_free(&got);
	}
	if (capture_met("trap 'echo bye; exit 6' TERM; echo set; while :; do sleep 0.05; done",
			RAMET_CAPTURE_OPTIONS(.stop_signal = SIGTERM, .stop_ms = PLENTY), &got)) {
		expect(got.timed_out && got.status.exited && got.status.code == 6 &&
			       !strcmp(got.output, "set\nbye\n"),
		       "SIGTERM: code %d, %s", got.status.code, got.output);
		ramet_captured_free(&got);
	}
	if (capture_met("trap '' TERM; echo set; while :; do sleep 0.05; done",
			RAMET_CAPTURE_OPTIONS(.stop_signal = SIGTERM, .stop_ms = 100), &got)) {
		expect(got.timed_out && got.status.code == SIGKILL, "deaf: code %d",
		       got.status.code);
		ramet_captured_free(&got);
	}
	/* Its streams closed, it lives on: it is waited for. */
	if (capture(&SHELL("exec >&- 2>&-; sleep 0.3; exit 8"), &OPTIONS(0), &got)) {
		expect(got.status.exited && got.status.code == 8, "closed: code %d",
		       got.status.code);
		ramet_captured_free(&got);
	}
	same_world(&before);
}

/* Somebody else holds the streams when the task ends. */
static void grandchildren(void *arg)
{
	struct ramet_captured got;
	int64_t start = clock_ms();
	size_t size;

	(void)arg;
	if (capture(&SHELL("sleep 20 & echo begun"), &OPTIONS(0), &got)) {
		expect(!strcmp(got.output, "begun\n") && got.left_open && !got.timed_out &&
			       got.status.exited,
		       "output %s, open %d", got.output, got.left_open);
		ramet_captured_free(&got);
	}
	expect(clock_ms() - start < 10000, "it took %d ms", (int)(clock_ms() - start));
	/* What comes in time is taken; and all of it, if asked to. */
	if (capture(&SHELL("{ sleep 0.4; echo late; } & echo begun"), &OPTIONS(.linger_ms = PLENTY),
		    &got)) {
		expect(!strcmp(got.output, "begun\nlate\n") && !got.left_open, "output %s",
		       got.output);
		ramet_captured_free(&got);
	}
	if (capture(&SHELL("{ sleep 0.4; echo late; } & echo begun"), &OPTIONS(.linger_ms = -1),
		    &got)) {
		expect(!strcmp(got.output, "begun\nlate\n") && !got.left_open, "output %s",
		       got.output);
		ramet_captured_free(&got);
	}
	/* One that never stops writing neither holds the capture nor hides the task's own. */
	start = clock_ms();
	if (capture(&SHELL("head -c 60000 /dev/zero | tr '\\0' x; yes & exit 2"),
		    &OPTIONS(.linger_ms = 1), &got)) {
		size = strspn(got.output, "x");
		expect(size == 60000 && got.status.code == 2, "%zu bytes", size);
		ramet_captured_free(&got);
	}
	expect(clock_ms() - start < 10000, "it took %d ms", (int)(clock_ms() - start));
}

/* 2 ms asleep, a moment awake, and again. */
static void dawdle(int sig)
{
	const struct itimerval soon = {{0, 0}, {0, 40}};

	(void)sig;
	usleep(2000);
	setitimer(ITIMER_REAL, &soon, NULL);
}

/* A caller that comes late all the time: what the task wrote is there all the same. */
static void late_caller(void *arg)
{
	const struct itimerval soon = {{0, 0}, {0, 40}}, never = {{0, 0}, {0, 0}};
	struct ramet_captured got;

	(void)arg;
	for (int i = 0; i < 6; i++) {
		/* The second piece does not fit into what was allocated for the first. */
		const struct ramet_spec spec =
			SHELL("sleep 20 & head -c 60000 /dev/zero; sleep 0.05; "
			      "head -c 60000 /dev/zero");

		signal(SIGALRM, dawdle);
		setitimer(ITIMER_REAL, &soon, NULL);
		if (capture(&spec, &OPTIONS(.linger_ms = 1), &got)) {
			expect(got.output_size == 120000 && got.left_open, "%zu bytes",
			       got.output_size);
			ramet_captured_free(&got);
		}
		signal(SIGALRM, SIG_IGN);
		setitimer(ITIMER_REAL, &never, NULL);
	}
}

/* At the deadline the task alone, or what it made as well. */
static void deadline_of_tree(void *arg)
{
	static const char parent[] = "sleep 25 & sleep 25 & echo made; wait";
	struct ramet_captured got;

	(void)arg;
	if (capture_met(parent,
			RAMET_CAPTURE_OPTIONS(.linger_ms = PLENTY, .flags = RAMET_CAPTURE_TREE),
			&got)) {
		/* All holders of the stream are dead: its end was seen. */
		expect(got.timed_out && !got.left_open && !got.tree_error, "open %d, error %d",
		       got.left_open, got.tree_error);
		ramet_captured_free(&got);
	}
	if (capture_met(parent, RAMET_CAPTURE_OPTIONS(.linger_ms = 1), &got)) {
		expect(got.timed_out && got.left_open, "open %d", got.left_open);
		ramet_captured_free(&got);
	}
}

/* A program that became another user cannot be killed: the deadline holds all the same. */
static void unkillable(void *arg)
{
	char path[100];
	struct ramet_captured got;
	const int64_t start = clock_ms();

	(void)arg;
	snprintf(path, sizeof(path), "%s/setpriv", room_dir);
	if (access(path, X_OK) < 0) {
		cell_skip("no setuid program could be made");
		return;
	}
	if (!capture(&RAMET_SPEC(.program = path,
				 .argv = WORDS("setpriv", "--reuid=0", "sleep", "3")),
		     &RAMET_CAPTURE_OPTIONS(.timeout_ms = 100), &got))
		return;
	if (got.timed_out && !got.status.exited && got.status.code == SIGKILL)
		cell_skip("setuid has no effect there");
	else
		expect(got.timed_out && got.status_error == -ETIMEDOUT && got.tid > 0 &&
			       clock_ms() - start < 2500 && waitpid(got.tid, NULL, 0) == got.tid,
		       "error %d after %d ms", got.status_error, (int)(clock_ms() - start));
	ramet_captured_free(&got);
}

static void reaped(void *arg)
{
	struct ramet_captured got;

	(void)arg;
	signal(SIGCHLD, SIG_IGN);
	if (!capture(&SHELL("echo x; exit 7"), &OPTIONS(0), &got))
		return;
	expect(got.status_error == -ECHILD || (got.status_error == 0 && got.status.code == 7),
	       "error %d, code %d", got.status_error, got.status.code);
	expect(!strcmp(got.output, "x\n"), "output %s", got.output);
	ramet_captured_free(&got);
}

/* A program that an ordinary user starts and may not kill; that user alone may run it. */
static void test_unkillable(void)
{
	char path[100], command[300];

	if (geteuid()) {
		skip(1, "a program that cannot be killed: needs root");
		return;
	}
	snprintf(path, sizeof(path), "%s/setpriv", room_dir);
	snprintf(command, sizeof(command),
		 "install -o root -g 65534 -m 4750 /usr/bin/setpriv %s 2>/dev/null", path);
	if (system(command) != 0)
		diag("no setuid program");
	cell_run(WHO_NOBODY, 60, unkillable, NULL, "a program that cannot be killed");
	unlink(path);
}

int main(void)
{
	room_make();
	both(deadline, NULL, "deadline");
	cell_run(WHO_ANY, 60, grandchildren, NULL, "streams held by others");
	cell_run(WHO_ANY, 60, late_caller, NULL, "a caller that comes late");
	both(deadline_of_tree, NULL, "deadline of a tree");
	test_unkillable();
	cell_run(WHO_ANY, 60, reaped, NULL, "SIGCHLD ignored");
	return tap_done();
}
