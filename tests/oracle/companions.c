/* SPDX-License-Identifier: MIT */
/*
 * What stands beside a launch: captured programs, terminals, whole trees, the first of many. Each
 * cell also looks for descriptors and children left.
 *
 * Seen to fail, in a copy of the tree. Capture: a plain write of the input, a SIGPIPE not taken
 * back or taken though it had waited, a pipe that blocks, no linger, one without end, a limit that
 * only drops, a stream closed before its writer is stopped, a child's end kept, pipes without
 * O_CLOEXEC, a deadline for the task alone or for nobody, one that waits for what cannot be killed,
 * a task left when memory runs out. Terminal: a slave not closed, sides without O_CLOEXEC, size or
 * mode lost. Tree: not stopped, one round, vfork's sleepers waited for, no
 * SIGCONT, the first thread's children alone, parents before children, a parent not verified, the
 * cgroup not searched or not those below, descriptors kept when they run out. First of many: an
 * index that is always 0, borrowed descriptors kept, a look all the time, EINTR as the end.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <termios.h>

#include "launch/whole_tree.h"
#include "lib/cell.h"
#include "lib/room.h"
#include "lib/world.h"
#include "oracle/kernel.h"

#include <ramet/companions.h>
#include <ramet/ramet.h>

#define PLENTY 30000 /* ms; only a hang takes as long */
#define SPEC(...)                                                                                  \
	{                                                                                          \
		.size = sizeof(struct ramet_spec), __VA_ARGS__                                     \
	}
#define SHELL(text) RAMET_SPEC(.program = "/bin/sh", .argv = WORDS("sh", "-c", text))
#define OPTIONS(...) RAMET_CAPTURE_OPTIONS(.timeout_ms = PLENTY, __VA_ARGS__)

static int64_t clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Descriptors and children as before; mappings may grow with the C library's heap. */
static void same_world(const struct world *before)
{
	const struct world after = world_take();

	expect(before->fds == after.fds && before->fd_sum == after.fd_sum, "%ld descriptors, %ld",
	       before->fds, after.fds);
	expect(!after.children, "a child is left");
	expect(before->mask == after.mask, "the signal mask has changed");
	expect(!memcmp(before->handlers, after.handlers, sizeof(after.handlers)), "a handler has");
}

static bool capture(const struct ramet_spec *spec, const struct ramet_capture_options *options,
		    struct ramet_captured *ret)
{
	struct ramet_error error = {0};
	char text[400] = "";
	const int r = ramet_capture(spec, options, ret, &error);

	if (r < 0)
		ramet_error_format(&error, text, sizeof(text));
	return expect(r == 0, "capture %d: %s", r, text);
}

static char *letters(size_t size)
{
	char *text = malloc(size);

	for (size_t i = 0; i < size; i++)
		text[i] = (char)('a' + i * 7 % 23);
	return text;
}

/* ---- Capture ----------------------------------------------------------------------------------- */

static void streams(void *arg)
{
	const struct world before = world_take();
	struct ramet_captured got;

	(void)arg;
	if (capture(&SHELL("printf out; printf err >&2; cat; exit 3"), NULL, &got)) {
		expect(got.status.exited && got.status.code == 3, "code %d", got.status.code);
		expect(!strcmp(got.output, "out") && got.output_size == 3, "output %s", got.output);
		expect(!strcmp(got.error, "err") && got.error_size == 3, "error %s", got.error);
		expect(!got.timed_out && !got.left_open && !got.input_cut && !got.status_error,
		       "flags");
		expect(got.status.rusage.ru_minflt > 0, "no usage");
		ramet_captured_free(&got);
		expect(!got.output && !got.error, "pointers stay");
		ramet_captured_free(&got);
	}
	if (capture(&SHELL("printf a; printf b >&2; printf c"),
		    &OPTIONS(.error = RAMET_OUTPUT_MERGE), &got)) {
		expect(!strcmp(got.output, "abc") && !got.error, "merged: %s", got.output);
		ramet_captured_free(&got);
	}
	if (capture(&SHELL("printf a; printf b >&2; printf c"),
		    &OPTIONS(.output = RAMET_OUTPUT_MERGE), &got)) {
		expect(!strcmp(got.error, "abc") && !got.output, "merged: %s", got.error);
		ramet_captured_free(&got);
	}
	if (capture(&SHELL("printf a; printf b >&2"),
		    &OPTIONS(.output = RAMET_OUTPUT_DISCARD, .error = RAMET_OUTPUT_MERGE), &got)) {
		expect(!got.output && !got.error && !got.output_size, "discarded");
		ramet_captured_free(&got);
	}
	if (capture(&SHELL("exec >&- 2>&-; exit 4"), NULL, &got)) {
		expect(got.output && !*got.output && got.status.code == 4, "empty");
		ramet_captured_free(&got);
	}
	same_world(&before);
}

/* A program finds its streams though the caller has none, and the caller's ends are in their places. */
static void closed_streams(void *arg)
{
	struct ramet_captured got;

	(void)arg;
	/* Whatever the test itself was started with is not the program's. */
	for (int fd = 3; fd < 1024; fd++)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	for (int fd = 0; fd < 3; fd++)
		close(fd);
	if (!capture(&SHELL("cat; echo e >&2; ls /proc/self/fd | wc -l"),
		     &OPTIONS(.input = RAMET_INPUT_MEMORY, .input_data = "in\n", .input_size = 3),
		     &got))
		return;
	/* 0 to 2, and that of ls for the directory. */
	expect(!strcmp(got.output, "in\n4\n"), "output %s", got.output);
	expect(!strcmp(got.error, "e\n"), "error %s", got.error);
	ramet_captured_free(&got);
}

/* What the spec's own steps say stays, and what it says twice is refused. */
static void with_steps(void *arg)
{
	struct ramet_spec spec = SHELL("pwd; cat <&7; echo x >&2");
	struct ramet_captured got;
	struct ramet_error error;
	int fds[2], r;

	(void)arg;
	if (!expect(pipe2(fds, O_CLOEXEC) == 0 && write(fds[1], "seven\n", 6) == 6, "pipe"))
		return;
	close(fds[1]);
	spec.steps = RAMET_STEPS(RAMET_CWD("/usr"), RAMET_DUP(fds[0], 7), RAMET_CLOSE_REST());
	if (capture(&spec, &OPTIONS(.error = RAMET_OUTPUT_MERGE), &got)) {
		expect(!strcmp(got.output, "/usr\nseven\nx\n"), "output %s", got.output);
		ramet_captured_free(&got);
	}
	close(fds[0]);
	expect(pipe2(fds, O_CLOEXEC) == 0, "pipe");
	spec = SHELL("echo o; echo e >&2");
	spec.steps = RAMET_STEPS(RAMET_DUP(fds[1], 1));
	r = ramet_capture(&spec, NULL, &got, &error);
	expect(r == -EINVAL && error.rule && !strcmp(error.rule, "target-once"), "twice: %d", r);
	/* Merged with what a step gives. */
	if (capture(&spec, &OPTIONS(.output = RAMET_OUTPUT_PASS, .error = RAMET_OUTPUT_MERGE),
		    &got)) {
		char text[20] = "";

		r = (int)read(fds[0], text, sizeof(text) - 1);
		expect(r == 4 && !strcmp(text, "o\ne\n"), "merged %s", text);
		ramet_captured_free(&got);
	}
}

/* 8 MiB through a filter, both ways at once, of which much is echoed to standard error. */
static void large(void *arg)
{
	const struct world before = world_take();
	const size_t size = 8 << 20;
	char *text = letters(size);
	struct ramet_captured got;

	(void)arg;
	if (capture(&SHELL("tee /dev/stderr"),
		    &OPTIONS(.input = RAMET_INPUT_MEMORY, .input_data = text, .input_size = size),
		    &got)) {
		expect(got.output_size == size && !memcmp(got.output, text, size), "output, %zu",
		       got.output_size);
		expect(got.error_size == size && !memcmp(got.error, text, size), "error, %zu",
		       got.error_size);
		expect(!got.output[size] && !got.input_cut && !got.timed_out, "flags");
		ramet_captured_free(&got);
	}
	free(text);
	same_world(&before);
}

static volatile sig_atomic_t pipes_broken;

static void on_pipe(int sig)
{
	(void)sig;
	pipes_broken++;
}

/* The program reads a little of its input, and ends or lives on; the caller must not notice. */
static void early_end(void *arg)
{
	static const char *const programs[] = {"head -c 1", "exec <&-; sleep 0.2; echo x",
					       "exit 0"};
	const size_t size = 4 << 20;
	char *text = letters(size);
	struct ramet_captured got;
	sigset_t set, pending;

	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	if (arg && !strcmp(arg, "blocked"))
		sigprocmask(SIG_BLOCK, &set, NULL);
	if (arg && !strcmp(arg, "caught"))
		signal(SIGPIPE, on_pipe);
	if (arg && !strcmp(arg, "ignored"))
		signal(SIGPIPE, SIG_IGN);
	const struct world before = world_take();

	for (unsigned i = 0; i < 3; i++) {
		if (!capture(&SHELL(programs[i]),
			     &OPTIONS(.input = RAMET_INPUT_MEMORY, .input_data = text,
				      .input_size = size),
			     &got))
			break;
		expect(got.input_cut && !got.timed_out && got.status.exited, "%s: cut %d, code %d",
		       programs[i], got.input_cut, got.status.code);
		ramet_captured_free(&got);
	}
	sigpending(&pending);
	expect(!sigismember(&pending, SIGPIPE), "SIGPIPE is pending");
	expect(!pipes_broken, "SIGPIPE was caught %d times", (int)pipes_broken);
	free(text);
	same_world(&before);
}

/* A SIGPIPE that waited before is the caller's, and still waits. */
static void kept_signal(void *arg)
{
	struct ramet_captured got;
	sigset_t set, pending;
	char *text = letters(1 << 20);

	(void)arg;
	sigemptyset(&set);
	sigaddset(&set, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	raise(SIGPIPE);
	if (capture(&SHELL("exit 0"),
		    &OPTIONS(.input = RAMET_INPUT_MEMORY, .input_data = text,
			     .input_size = 1 << 20),
		    &got))
		ramet_captured_free(&got);
	sigpending(&pending);
	expect(sigismember(&pending, SIGPIPE), "it is gone");
	free(text);
}

static void limits(void *arg)
{
	const struct world before = world_take();
	struct ramet_captured got;

	(void)arg;
	if (capture(&SHELL("printf 12345; printf 1234 >&2"),
		    &OPTIONS(.output_limit = 5, .error_limit = 5), &got)) {
		expect(!got.output_cut && !got.error_cut && !strcmp(got.output, "12345") &&
			       got.status.exited,
		       "as much as allowed: %s", got.output);
		ramet_captured_free(&got);
	}
	/* Above: stopped; or dropped, and it does not notice. */
	if (capture(&SHELL("while :; do echo yes; done"), &OPTIONS(.output_limit = 100000), &got)) {
		expect(got.output_cut && !got.error_cut && got.output_size == 100000 &&
			       !got.output[100000],
		       "%zu bytes", got.output_size);
		expect(!got.status.exited && got.status.code == SIGKILL && !got.timed_out,
		       "code %d", got.status.code);
		ramet_captured_free(&got);
	}
	if (capture(&SHELL("head -c 3000000 /dev/zero; echo e >&2; exit 5"),
		    &OPTIONS(.output_limit = 7, .flags = RAMET_CAPTURE_DROP), &got)) {
		expect(got.output_cut && got.output_size == 7 && got.status.code == 5 &&
			       !strcmp(got.error, "e\n"),
		       "dropped: %zu, code %d", got.output_size, got.status.code);
		ramet_captured_free(&got);
	}
	if (capture(&SHELL("trap 'echo more; exit 9' TERM; while :; do echo yes; done"),
		    &OPTIONS(.output_limit = 10, .stop_signal = SIGTERM, .stop_ms = PLENTY),
		    &got)) {
		expect(got.status.exited && got.status.code == 9, "asked to end: code %d",
		       got.status.code);
		ramet_captured_free(&got);
	}
	same_world(&before);
}

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

static int one_function(void *arg)
{
	(void)arg;
	return 0;
}

static void refused(void *arg)
{
	const struct world before = world_take();
	struct ramet_captured got = {.tid = 77};
	struct ramet_error error;
	struct ramet_capture_options small = {.size = 8};
	const struct {
		struct ramet_spec spec;
		struct ramet_capture_options options;
		int result;
		const char *rule;
	} rows[] = {
		{SPEC(.program = "/nope/nothing"), OPTIONS(0), -ENOENT, NULL},
		{SPEC(.fn = one_function), OPTIONS(0), -EINVAL, "capture-needs-program"},
		{SPEC(.program = room_tiny), small, -EINVAL, "capture-options"},
		{SPEC(.program = room_tiny), OPTIONS(.flags = 0x100), -EINVAL, "capture-options"},
		{SPEC(.program = room_tiny), OPTIONS(.input_size = 1), -EINVAL, "capture-options"},
		{SPEC(.program = room_tiny),
		 OPTIONS(.output = RAMET_OUTPUT_MERGE, .error = RAMET_OUTPUT_MERGE), -EINVAL,
		 "capture-merge"},
		{SPEC(.program = room_tiny), OPTIONS(.input = RAMET_INPUT_FD, .input_fd = -1),
		 -EINVAL, "descriptor-range"},
		{SPEC(.program = room_tiny), OPTIONS(.input = RAMET_INPUT_FD, .input_fd = 999),
		 -EBADF, NULL},
		{{.size = 3}, OPTIONS(0), -EINVAL, "spec-size"},
	};

	(void)arg;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const int r = ramet_capture(&rows[i].spec, &rows[i].options, &got, &error);

		expect(r == rows[i].result && error.error == -r, "row %u: %d", i, r);
		expect(rows[i].rule ? error.rule && !strcmp(error.rule, rows[i].rule) : !error.rule,
		       "row %u: rule %s", i, error.rule ? error.rule : "none");
	}
	expect(got.tid == 77, "written to on failure");
	same_world(&before);
}

/* No descriptor, or no memory, for the streams: nothing is left. */
static void scarce(void *arg)
{
	const struct world before = world_take();
	struct rlimit limit, old;
	struct ramet_captured got;
	struct ramet_error error;
	int r;

	(void)arg;
	getrlimit(RLIMIT_NOFILE, &old);
	limit = old;
	for (rlim_t n = 4; n < 16; n++) {
		limit.rlim_cur = n;
		setrlimit(RLIMIT_NOFILE, &limit);
		r = ramet_capture(
			&RAMET_SPEC(.program = room_tiny),
			&OPTIONS(.input = RAMET_INPUT_MEMORY, .input_data = "x", .input_size = 1),
			&got, &error);
		if (r == 0)
			ramet_captured_free(&got);
		else
			expect(r == -EMFILE, "%lu descriptors: %d", n, r);
	}
	setrlimit(RLIMIT_NOFILE, &old);
	expect(r == 0, "16 descriptors: %d", r);
	if (SANITIZED) {
		same_world(&before);
		return;
	}
	/* The output does not fit. */
	getrlimit(RLIMIT_AS, &old);
	limit = old;
	limit.rlim_cur = 256UL << 20;
	setrlimit(RLIMIT_AS, &limit);
	r = ramet_capture(&SHELL("yes"), &OPTIONS(0), &got, &error);
	expect(r == -ENOMEM && error.error == ENOMEM, "256 MiB: %d", r);
	setrlimit(RLIMIT_AS, &old);
	same_world(&before);
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

/* In every way, as another user, behind an init. */
static void by_ways(void *arg)
{
	const struct world before = world_take();
	struct ramet_spec specs[] = {
		SHELL("cat; id -u"), SHELL("cat; id -u"), SHELL("cat; id -u"),
		SHELL("cat; id -u"), SHELL("cat; id -u"), SHELL("cat; id -u"),
	};
	struct ramet_captured got;
	char want[40];

	(void)arg;
	specs[1].way = RAMET_WAY_FUTEX;
	specs[2].way = RAMET_WAY_COPY;
	specs[3].way = RAMET_WAY_HELPER;
	specs[4].steps = RAMET_STEPS(RAMET_UID(65534), RAMET_GID(65534));
	specs[5].fresh = RAMET_PID;
	specs[5].steps = RAMET_STEPS(RAMET_INIT());
	for (unsigned i = 0; i < (geteuid() ? 4 : 6); i++) {
		if (!capture(&specs[i],
			     &OPTIONS(.input = RAMET_INPUT_MEMORY, .input_data = "in ",
				      .input_size = 3),
			     &got))
			continue;
		snprintf(want, sizeof(want), "in %d\n", i == 4 ? 65534 : (int)geteuid());
		expect(!strcmp(got.output, want) && got.status.exited && !got.status.code &&
			       (got.lost || !specs[i].way || got.way == specs[i].way),
		       "row %u: %s, way %d", i, got.output, got.way);
		ramet_captured_free(&got);
	}
	same_world(&before);
}

static void *capture_often(void *arg)
{
	struct ramet_captured got;
	char text[60], want[60];
	long bad = 0;

	for (int i = 0; i < 30; i++) {
		snprintf(text, sizeof(text), "thread %p, %d", arg, i);
		strcpy(want, text);
		if (ramet_capture(&RAMET_SPEC(.program = "/bin/cat"),
				  &OPTIONS(.input = RAMET_INPUT_MEMORY, .input_data = text,
					   .input_size = strlen(text)),
				  &got, NULL) < 0)
			return (void *)1000L;
		bad += strcmp(got.output, want) != 0 || got.left_open;
		ramet_captured_free(&got);
	}
	return (void *)bad;
}

static void from_threads(void *arg)
{
	pthread_t threads[6];
	void *bad;

	(void)arg;
	for (long i = 0; i < 6; i++)
		pthread_create(&threads[i], NULL, capture_often, (void *)i);
	for (int i = 0; i < 6; i++) {
		pthread_join(threads[i], &bad);
		expect(!bad, "%ld bad", (long)bad);
	}
	expect(!world_children(), "a child is left");
}

/* ---- Terminal ---------------------------------------------------------------------------------- */

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

/* ---- Trees ------------------------------------------------------------------------------------- */

/* Every process of a tree holds this pipe's writing end: its end is the end of them all. */
static int tree_pipe[2];

static bool all_gone(int timeout_ms)
{
	struct pollfd p = {.fd = tree_pipe[0], .events = POLLIN};
	char buf[512];
	ssize_t n;

	for (;;) {
		if (poll(&p, 1, timeout_ms) != 1)
			return false;
		n = read(tree_pipe[0], buf, sizeof(buf));
		if (n == 0)
			return true;
		expect(!memchr(buf, 'H', (size_t)n), "one was hung up first");
	}
}

/* Wait for so many bytes: each process of a tree says that it is there. */
static bool have_come(unsigned count)
{
	struct pollfd p = {.fd = tree_pipe[0], .events = POLLIN};
	char c;

	while (count--)
		if (poll(&p, 1, PLENTY) != 1 || read(tree_pipe[0], &c, 1) != 1)
			return false;
	return true;
}

static void say_here(void)
{
	if (write(tree_pipe[1], "x", 1) != 1)
		_exit(1);
}

static void sleep_on(void)
{
	for (;;)
		pause();
}

static void start_sleeper(void)
{
	if (fork() == 0) {
		say_here();
		sleep_on();
	}
}

/* Three children, each with two of their own; one in a session of its own: 10 with the root. */
static int family(void *arg)
{
	(void)arg;
	for (int i = 0; i < 3; i++)
		if (fork() == 0) {
			if (i == 1)
				setsid();
			start_sleeper();
			start_sleeper();
			say_here();
			sleep_on();
		}
	say_here();
	sleep_on();
	return 0;
}

static void *fork_in_thread(void *arg)
{
	(void)arg;
	start_sleeper();
	sleep_on();
	return NULL;
}

/* Children made by threads, and by one that is the first of its process no more: 5. */
static int threaded(void *arg)
{
	pthread_t thread;

	(void)arg;
	/* While there is one thread: a fork keeps what locks others hold. */
	if (fork() == 0) {
		say_here();
		pthread_create(&thread, NULL, fork_in_thread, NULL);
		usleep(100000);
		syscall(SYS_exit, 0);
	}
	for (int i = 0; i < 3; i++)
		pthread_create(&thread, NULL, fork_in_thread, NULL);
	sleep_on();
	return 0;
}

/* Forks as fast as it can, and each child does: up to so many levels. Sleeps then. */
static int bomb(void *arg)
{
	for (long level = (long)arg; level > 0; level--)
		fork();
	say_here();
	sleep_on();
	return 0;
}

/* Each lives a moment, forks the next and ends: its orphan is the subreaper's. */
static int runaway(void *arg)
{
	const long count = (long)arg;

	say_here();
	if (fork() == 0)
		for (long i = 0; i < count; i++)
			if (fork() != 0)
				_exit(0);
	for (;;) {
		while (waitpid(-1, NULL, 0) > 0)
			;
		pause();
	}
	return 0;
}

/* Daemons: forked twice, in sessions of their own. 4, the root with them. */
static int daemons(void *arg)
{
	(void)arg;
	for (int i = 0; i < 3; i++)
		if (fork() == 0) {
			setsid();
			if (fork() == 0) {
				say_here();
				sleep_on();
			}
			_exit(0);
		}
	say_here();
	for (;;) {
		while (waitpid(-1, NULL, 0) > 0)
			;
		pause();
	}
	return 0;
}

/* Its callers of vfork sleep in the kernel until their stopped children go on. */
static int vforked(void *arg)
{
	(void)arg;
	if (fork() == 0) {
		const pid_t pid = vfork();

		if (pid == 0) {
			say_here();
			sleep_on();
		}
		_exit(0);
	}
	say_here();
	sleep_on();
	return 0;
}

static void say_hangup(int sig)
{
	(void)sig;
	if (write(tree_pipe[1], "H", 1) != 1)
		_exit(1);
}

/* Many in a group whose link to the session is their parent alone; they say that they hang up. */
static int hung_up(void *arg)
{
	pid_t group = 0;

	setsid();
	for (long i = (long)arg; i > 0; i--) {
		const pid_t pid = fork();

		if (pid == 0) {
			setpgid(0, group);
			signal(SIGHUP, say_hangup);
			say_here();
			sleep_on();
		}
		setpgid(pid, group);
		if (!group)
			group = pid;
	}
	say_here();
	sleep_on();
	return 0;
}

struct tree_row {
	const char *name;
	int (*fn)(void *);
	long arg;
	unsigned come; /* processes that say they are there before the signal */
	int least, most;
	const struct ramet_step *steps;
};

static bool start_tree(const struct tree_row *row, struct ramet_task *task)
{
	struct ramet_error error;
	char why[300] = "";
	int r;

	if (!expect(pipe2(tree_pipe, O_CLOEXEC) == 0, "pipe"))
		return false;
	r = ramet_launch(&RAMET_SPEC(.fn = row->fn, .arg = (void *)row->arg, .steps = row->steps),
			 task, &error);
	if (r < 0)
		ramet_error_format(&error, why, sizeof(why));
	close(tree_pipe[1]);
	return expect(r == 0, "launch: %s", why) && expect(have_come(row->come), "not all came");
}

static void end_tree(struct ramet_task *task, int sig)
{
	struct ramet_status status;
	const int r = ramet_wait(task, PLENTY, &status);

	expect(r == 0 && !status.exited && status.code == sig, "wait %d, code %d", r, status.code);
	expect(all_gone(5000), "some are left");
	ramet_task_close(task);
	close(tree_pipe[0]);
}

#define REAPER RAMET_STEPS(RAMET_SUBREAPER())

static const struct tree_row tree_rows[] = {
	{"one", family, 0, 10, 10, 10, NULL},
	{"threads", threaded, 0, 5, 6, 6, NULL},
	/* Those between may not have ended yet. */
	{"daemons below a subreaper", daemons, 0, 4, 4, 7, REAPER},
	{"vfork", vforked, 0, 2, 3, 3, NULL},
	{"a bomb of 512, of which some are there", bomb, 9, 1, 1, 512, NULL},
	{"orphans that run away, below a subreaper", runaway, 300000, 1, 1, 20, REAPER},
	{"a stopped group that loses its leader's parent", hung_up, 200, 201, 201, 201, NULL},
};

static void tree_killed(void *arg)
{
	const struct world before = world_take();
	const struct tree_row *row = arg;
	struct ramet_task task;
	int64_t start;
	int n;

	for (int scan = 0; scan < 2; scan++) {
		if (!start_tree(row, &task))
			return;
		start = clock_ms();
		n = scan ? whole_tree(&task, SIGKILL, -1, 0, true)
			 : ramet_kill_tree(&task, SIGKILL, -1, 0);
		expect(n >= row->least && n <= row->most, "scan %d: %d signalled", scan, n);
		expect(clock_ms() - start < 20000, "it took %d ms", (int)(clock_ms() - start));
		end_tree(&task, SIGKILL);
	}
	same_world(&before);
}

/* Other signals, counting, and what is not the task's. */
static void tree_signals(void *arg)
{
	const struct tree_row row = {"", family, 0, 10, 0, 0, NULL};
	const pid_t stranger = fork();
	struct ramet_task task;
	int r;

	(void)arg;
	if (!stranger) {
		pause();
		_exit(0);
	}
	if (!start_tree(&row, &task))
		return;
	expect((r = ramet_kill_tree(&task, 0, -1, 0)) == 10, "counted %d", r);
	expect((r = ramet_kill_tree(&task, SIGCONT, -1, 0)) == 10, "continued %d", r);
	/* Stopped, seen to be, and let go; then ended by a signal that they only get awake. */
	expect((r = ramet_kill_tree(&task, SIGSTOP, -1, 0)) == 10, "stopped %d", r);
	expect((r = ramet_kill_tree(&task, SIGCONT, -1, 0)) == 10, "continued %d", r);
	expect((r = ramet_kill_tree(&task, SIGWINCH, -1, 0)) == 10, "SIGWINCH %d", r);
	expect((r = ramet_kill_tree(&task, SIGTERM, -1, RAMET_TREE_NO_STOP)) == 10, "%d", r);
	end_tree(&task, SIGTERM);
	expect((r = ramet_kill_tree(&task, SIGTERM, -1, 0)) == -ESRCH, "reaped: %d", r);
	if (!start_tree(&row, &task))
		return;
	expect((r = ramet_kill_tree(&task, SIGTERM, -1, 0)) == 10, "SIGTERM: %d", r);
	end_tree(&task, SIGTERM);
	expect(kill(stranger, 0) == 0 && waitpid(stranger, NULL, WNOHANG) == 0,
	       "the stranger is hit");
	kill(stranger, SIGKILL);
	waitpid(stranger, NULL, 0);
	expect(ramet_kill_tree(&task, 65, -1, 0) == -EINVAL, "signal 65");
	expect(ramet_kill_tree(&task, 9, -1, 0x10) == -EINVAL, "flags");
}

/* A zombie: counted by nobody, and its children are known no more. */
static int leave_child(void *arg)
{
	(void)arg;
	start_sleeper();
	return 0;
}

/* With the caller as the subreaper, all below it. */
static void below_caller(void *arg)
{
	const struct tree_row row = {"", leave_child, 0, 1, 0, 0, NULL};
	struct ramet_task task;
	struct pollfd p = {.events = POLLIN};
	int r;

	(void)arg;
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	if (!start_tree(&row, &task))
		return;
	p.fd = task.pidfd;
	poll(&p, 1, PLENTY);
	expect((r = ramet_kill_tree(&task, SIGKILL, -1, 0)) == 0, "of a zombie: %d", r);
	expect(!all_gone(100), "the orphan was hit");
	expect((r = ramet_kill_tree(&task, SIGKILL, -1, RAMET_TREE_BELOW_CALLER)) == 1, "%d", r);
	expect(all_gone(5000), "the orphan is left");
	expect(ramet_wait(&task, PLENTY, NULL) == 0, "wait");
	expect(waitpid(-1, NULL, 0) > 0, "no orphan to wait for");
	ramet_task_close(&task);
	expect(!world_children(), "a child is left");
}

static int one_sleeper(void *arg)
{
	(void)arg;
	say_here();
	sleep_on();
	return 0;
}

/* The list of children names a stranger, as it would where a number has been given anew. */
static void false_claim(void *arg)
{
	const struct tree_row row = {"", one_sleeper, 0, 1, 0, 0, NULL};
	const pid_t stranger = fork();
	char list[100], claim[20], path[60];
	struct ramet_task task;
	int r;

	(void)arg;
	if (!stranger) {
		pause();
		_exit(0);
	}
	if (!start_tree(&row, &task))
		return;
	snprintf(list, sizeof(list), "%s/children", room_dir);
	snprintf(claim, sizeof(claim), "%d ", stranger);
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", task.tid, task.tid);
	if (access(path, R_OK) < 0 || unshare(CLONE_NEWNS) < 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    !room_file(list, claim, 0644) || mount(list, path, NULL, MS_BIND, NULL) < 0) {
		cell_skip("no list of children to be replaced: %s", strerror(errno));
	} else {
		/* The claim stays: no round is the last one. */
		r = ramet_kill_tree(&task, SIGKILL, -1, 0);
		expect(r == -EAGAIN, "%d", r);
		expect(waitpid(stranger, NULL, WNOHANG) == 0, "the stranger is hit");
		end_tree(&task, SIGKILL);
	}
	unlink(list);
	kill(stranger, SIGKILL);
	waitpid(stranger, NULL, 0);
}

/* Descriptors run out: numbers and start times do. */
static void tree_without_descriptors(void *arg)
{
	const struct tree_row row = {"", bomb, 6, 64, 0, 0, NULL};
	struct rlimit limit, old;
	struct ramet_task task;
	int r;

	(void)arg;
	getrlimit(RLIMIT_NOFILE, &old);
	for (int scan = 0; scan < 2; scan++) {
		if (!start_tree(&row, &task))
			return;
		limit = old;
		limit.rlim_cur = 20;
		setrlimit(RLIMIT_NOFILE, &limit);
		r = whole_tree(&task, SIGKILL, -1, 0, scan);
		setrlimit(RLIMIT_NOFILE, &old);
		expect(r == 64, "scan %d: %d signalled", scan, r);
		end_tree(&task, SIGKILL);
	}
}

static void remove_cgroup(const char *path)
{
	for (int i = 0; i < 300 && rmdir(path) < 0 && errno == EBUSY; i++)
		usleep(10000);
	expect(access(path, F_OK) < 0, "%s is left", path);
}

/* Daemons in a cgroup, or one below it, which is killed as a whole or searched. */
static void kill_in_cgroup(const char *path, const char *into, int sig, bool search)
{
	const int cgroup = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const int birth = open(into, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct ramet_task task;
	int r;

	if (!expect(pipe2(tree_pipe, O_CLOEXEC) == 0, "pipe"))
		return;
	r = ramet_launch(&RAMET_SPEC(.fn = daemons, .fresh = RAMET_CGROUP, .cgroup = birth), &task,
			 NULL);
	close(birth);
	close(tree_pipe[1]);
	if (expect(r == 0 && have_come(4), "launch %d", r)) {
		r = search ? whole_tree(&task, sig, cgroup, 0, false)
			   : ramet_kill_tree(&task, sig, cgroup, 0);
		/* The daemons' parents may not have been reaped yet. */
		expect(r >= 4 && r <= 7, "signal %d: %d signalled", sig, r);
		end_tree(&task, sig);
	}
	close(cgroup);
}

/* By the cgroup: also what has got away from its parents. A new one each time: see the man page. */
static void tree_in_cgroup(void *arg)
{
	const char *top = kernel_cgroup2();
	char path[300], inner[320];

	(void)arg;
	for (int i = 0; i < 6; i++) {
		snprintf(path, sizeof(path), "%s/ramet-test-%d-%d", top, (int)getpid(), i);
		snprintf(inner, sizeof(inner), "%s/inner", path);
		if (!*top || mkdir(path, 0755) < 0 || mkdir(inner, 0755) < 0) {
			cell_skip("no cgroup2 to make one in");
			return;
		}
		kill_in_cgroup(path, i % 2 ? inner : path, i < 4 ? SIGKILL : SIGTERM, i & 2);
		remove_cgroup(inner);
		remove_cgroup(path);
	}
}

/* ---- The first of many ------------------------------------------------------------------------- */

#define MANY 500

static int sleep_ms(void *arg)
{
	const long ms = (long)(intptr_t)arg;
	const struct kernel_timespec t = {ms / 1000, ms % 1000 * 1000000};

	sys2(SYS_nanosleep, (long)&t, 0);
	return 3;
}

static void order_of_ends(void *arg)
{
	const unsigned options = arg ? RAMET_NO_PIDFD : 0;
	const struct world before = world_take();
	struct ramet_task tasks[4], *list[4];
	struct ramet_status status;
	size_t index = 99;
	const int64_t start = clock_ms();
	int r;

	for (long i = 0; i < 4; i++) {
		const struct ramet_spec spec = RAMET_SPEC(.fn = sleep_ms,
							  .arg = (void *)(1600 - 400 * i),
							  .options = options);

		if (!expect((r = ramet_launch(&spec, &tasks[i], NULL)) == 0, "launch %d", r))
			return;
		list[i] = &tasks[i];
	}
	r = ramet_wait_any(list, 4, 0, &index, &status);
	expect(r == -ETIMEDOUT && index == 99, "at once: %d", r);
	r = ramet_wait_any(list, 4, 50, &index, &status);
	expect(r == -ETIMEDOUT && index == 99 && clock_ms() - start >= 49, "50 ms: %d", r);
	for (size_t i = 4; i-- > 0;) {
		r = ramet_wait_any(list, 4, i % 2 ? -1 : PLENTY, &index, &status);
		expect(r == 0 && index == i && status.exited && status.code == 3,
		       "%d, task %zu of %zu, code %d", r, index, i, status.code);
		ramet_task_close(&tasks[i]);
		list[i] = NULL;
	}
	r = ramet_wait_any(list, 4, -1, &index, NULL);
	expect(r == -ECHILD && index == 4, "none: %d, %zu", r, index);
	same_world(&before);
}

static void many_tasks(void *arg)
{
	const struct world before = world_take();
	struct ramet_task *tasks = calloc(MANY, sizeof(*tasks)),
			  **list = calloc(MANY, sizeof(*list));
	struct rlimit files;
	struct ramet_status status;
	bool *seen = calloc(MANY, sizeof(*seen));
	size_t index;
	int r;

	(void)arg;
	getrlimit(RLIMIT_NOFILE, &files);
	if (files.rlim_cur < MANY + 50)
		files.rlim_cur = files.rlim_max < MANY + 50 ? files.rlim_max : MANY + 50;
	setrlimit(RLIMIT_NOFILE, &files);
	for (long i = 0; i < MANY; i++) {
		r = ramet_launch(&RAMET_SPEC(.program = room_tiny), &tasks[i], NULL);
		if (!expect(r == 0, "launch %ld: %d", i, r))
			return;
		list[i] = &tasks[i];
	}
	for (long i = 0; i < MANY; i++) {
		r = ramet_wait_any(list, MANY, PLENTY, &index, &status);
		if (!expect(r == 0 && index < MANY && !seen[index] && status.exited &&
				    status.code == 0,
			    "%ld: %d", i, r))
			return;
		seen[index] = true;
		ramet_task_close(list[index]);
		list[index] = NULL;
	}
	free(tasks);
	free(list);
	free(seen);
	same_world(&before);
}

/* The man page's way for thousands. */
static void with_epoll(void *arg)
{
	struct ramet_task tasks[40], *task;
	struct epoll_event event = {.events = EPOLLIN};
	const int loop = epoll_create1(EPOLL_CLOEXEC);
	struct ramet_status status;
	int r;

	(void)arg;
	for (long i = 0; i < 40; i++) {
		r = ramet_launch(&RAMET_SPEC(.fn = sleep_ms, .arg = (void *)(i % 7 * 20)),
				 &tasks[i], NULL);
		event.data.ptr = &tasks[i];
		if (!expect(r == 0 && epoll_ctl(loop, EPOLL_CTL_ADD, tasks[i].pidfd, &event) == 0,
			    "launch %d", r))
			return;
	}
	for (int i = 0; i < 40; i++) {
		if (!expect(epoll_wait(loop, &event, 1, PLENTY) == 1, "epoll"))
			return;
		task = event.data.ptr;
		r = ramet_wait(task, 0, &status);
		expect(r == 0 && status.code == 3, "wait %d", r);
		/* Closing is not enough: the other tasks, forked, have the pidfd too. */
		epoll_ctl(loop, EPOLL_CTL_DEL, task->pidfd, NULL);
		ramet_task_close(task);
	}
	close(loop);
	expect(!world_children(), "a child is left");
}

static long usage_us(const struct rusage *u)
{
	return (u->ru_utime.tv_sec + u->ru_stime.tv_sec) * 1000000 + u->ru_utime.tv_usec +
	       u->ru_stime.tv_usec;
}

/* Threads, tasks reaped by others, signals meanwhile. */
static void odd_tasks(void *arg)
{
	const struct itimerval often = {{0, 3000}, {0, 3000}}, never = {{0, 0}, {0, 0}};
	const struct ramet_spec specs[] = {
		SPEC(.fn = sleep_ms, .arg = (void *)30000),
		SPEC(.fn = sleep_ms, .arg = (void *)800, .preset = RAMET_PRESET_NPTL,
		     .options = RAMET_NO_LIBC),
		SPEC(.fn = sleep_ms, .arg = (void *)1200),
	};
	struct ramet_task tasks[3], *list[3];
	struct rusage usage[2];
	struct ramet_status status;
	size_t index = 99;
	int r;

	(void)arg;
	signal(SIGALRM, on_pipe);
	for (int i = 0; i < 3; i++) {
		if (!expect((r = ramet_launch(&specs[i], &tasks[i], NULL)) == 0, "launch %d", r))
			return;
		list[i] = &tasks[i];
	}
	setitimer(ITIMER_REAL, &often, NULL);
	getrusage(RUSAGE_THREAD, &usage[0]);
	r = ramet_wait_any(list, 3, PLENTY, &index, &status);
	getrusage(RUSAGE_THREAD, &usage[1]);
	setitimer(ITIMER_REAL, &never, NULL);
	expect(r == 0 && index == 1 && status.exited, "thread: %d, %zu", r, index);
	/* It is looked at now and then, not all the time. */
	r = (int)(usage_us(&usage[1]) - usage_us(&usage[0]));
	expect(r < 200000, "%d us of processor time in 800 ms", r);
	list[1] = NULL;
	waitpid(tasks[2].tid, NULL, 0);
	r = ramet_wait_any(list, 3, PLENTY, &index, &status);
	expect((r == -ECHILD || (r == 0 && status.code == 3)) && index == 2, "reaped: %d, %zu", r,
	       index);
	list[2] = NULL;
	expect(ramet_kill(&tasks[0], SIGKILL) == 0, "kill");
	r = ramet_wait_any(list, 3, PLENTY, &index, &status);
	expect(r == 0 && index == 0 && !status.exited && status.code == SIGKILL, "%d", r);
	for (int i = 0; i < 3; i++)
		ramet_task_close(&tasks[i]);
}

/* ------------------------------------------------------------------------------------------------ */

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

static void both(void (*fn)(void *), void *arg, const char *name)
{
	cell_run(WHO_ANY, 60, fn, arg, "%s", name);
	if (!geteuid())
		cell_run(WHO_NOBODY, 60, fn, arg, "%s", name);
}

int main(void)
{
	room_make();
	both(streams, NULL, "streams");
	cell_run(WHO_ANY, 60, closed_streams, NULL, "the caller's streams are closed");
	cell_run(WHO_ANY, 60, with_steps, NULL, "steps of the spec");
	cell_run(WHO_ANY, 60, large, NULL, "8 MiB in, 16 MiB out");
	cell_run(WHO_ANY, 60, early_end, NULL, "input not taken");
	cell_run(WHO_ANY, 60, early_end, (void *)"blocked", "input not taken, SIGPIPE blocked");
	cell_run(WHO_ANY, 60, early_end, (void *)"caught", "input not taken, SIGPIPE caught");
	cell_run(WHO_ANY, 60, early_end, (void *)"ignored", "input not taken, SIGPIPE ignored");
	cell_run(WHO_ANY, 60, kept_signal, NULL, "SIGPIPE pending before");
	both(limits, NULL, "limits");
	both(deadline, NULL, "deadline");
	cell_run(WHO_ANY, 60, grandchildren, NULL, "streams held by others");
	cell_run(WHO_ANY, 60, late_caller, NULL, "a caller that comes late");
	both(deadline_of_tree, NULL, "deadline of a tree");
	cell_run(WHO_ANY, 60, refused, NULL, "refused");
	cell_run(WHO_ANY, 60, scarce, NULL, "descriptors or memory run out");
	test_unkillable();
	cell_run(WHO_ANY, 60, reaped, NULL, "SIGCHLD ignored");
	cell_run(WHO_ANY, 60, by_ways, NULL, "ways");
	cell_run(WHO_ANY, 60, from_threads, NULL, "six threads at a time");
	both(terminal, NULL, "a terminal");
	both(job_control, NULL, "a terminal's signals");
	for (unsigned i = 0; i < sizeof(tree_rows) / sizeof(tree_rows[0]); i++)
		both(tree_killed, (void *)&tree_rows[i], tree_rows[i].name);
	both(tree_signals, NULL, "signals for a tree");
	cell_run(WHO_ANY, 60, below_caller, NULL, "all below the caller");
	cell_run(WHO_ROOT, 60, false_claim, NULL, "a list that names a stranger");
	cell_run(WHO_ANY, 60, tree_without_descriptors, NULL, "a tree without descriptors");
	cell_run(WHO_ROOT, 60, tree_in_cgroup, NULL, "a cgroup");
	cell_run(WHO_ANY, 60, order_of_ends, NULL, "in the order of their ends");
	cell_run(WHO_ANY, 60, order_of_ends, room_dir, "in the order of their ends, no pidfd");
	cell_run(WHO_ANY, 60, many_tasks, NULL, "500 tasks");
	cell_run(WHO_ANY, 60, with_epoll, NULL, "epoll");
	cell_run(WHO_ANY, 60, odd_tasks, NULL, "threads, the reaped, signals");
	return tap_done();
}
