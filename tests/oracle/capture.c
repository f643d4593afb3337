/* SPDX-License-Identifier: MIT */
/*
 * Captured programs: their streams, input, limits, what is refused, what runs out. Cells also look
 * for descriptors and children left.
 *
 * Seen to fail, in a copy of the tree: a plain write of the input, a SIGPIPE not taken back or taken
 * though it had waited, a pipe that blocks, a limit that only drops, a stream closed before its
 * writer is stopped, a child's end kept, pipes without O_CLOEXEC, a task left when memory runs out.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>

#include "lib/room.h"
#include "oracle/companions.h"

static char *letters(size_t size)
{
	char *text = malloc(size);

	for (size_t i = 0; i < size; i++)
		text[i] = (char)('a' + i * 7 % 23);
	return text;
}

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
	cell_run(WHO_ANY, 60, refused, NULL, "refused");
	cell_run(WHO_ANY, 60, scarce, NULL, "descriptors or memory run out");
	cell_run(WHO_ANY, 60, by_ways, NULL, "ways");
	cell_run(WHO_ANY, 60, from_threads, NULL, "six threads at a time");
	return tap_done();
}
