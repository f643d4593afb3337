/* SPDX-License-Identifier: MIT */
/*
 * A program run to its end with its streams in memory: pipes, steps that give their other ends to
 * the program, and one poll loop. Order: options, pipes, launch, the ends of the child closed
 * here, feed and read until the task has ended, then what was owed and a short wait for others
 * that hold the streams. Whatever fails after the launch kills and reaps the task.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/sys.h"
#include "launch/error.h"
#include "launch/outcome.h"

#include <ramet/companions.h>

#define ROOM_MIN 65536 /* what a pipe holds, as a rule */
#define LINGER_MS 200
#define TICK_MS 10	      /* how often to look at a task that has no pidfd */
#define TREE_TRIES 3	      /* with a tree that grows faster than it is stopped */
#define KILL_PATIENCE_MS 5000 /* the end of a large process takes its time */
/* The first version of the struct. */
#define OPTIONS_SIZE_MIN (offsetof(struct ramet_capture_options, cgroup) + sizeof(int))

/* Signal masks as the kernel has them. */
#define MASK_BLOCK 0
#define MASK_SET 2

struct stream {
	int fd; /* -1: closed, or never captured */
	bool captured;
	bool cut;
	char *data;
	size_t size, room; /* room is without that of the 0 */
	size_t limit;
	size_t owed; /* written before the task's end and not yet read */
};

struct capture {
	struct ramet_capture_options options;
	struct ramet_task task;
	struct ramet_status status;
	int status_error, tree_error;
	struct stream out[2]; /* standard output, standard error */
	int in;		      /* -1: closed */
	const char *in_data;
	size_t in_left;
	int64_t deadline; /* of the step that is next: see on_deadline() */
	bool ended, abandoned;
	bool stopping, killed;
	bool timed_out, left_open;
	/* The child's ends: of the pipes, of /dev/null; -1: none. */
	int child_in, child_out[2], null;
};

static void shut(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* ---- Options ---------------------------------------------------------------------------------- */

static const struct plan_refusal no_program = {
	.id = "capture-needs-program",
	.why = "A function whose caller is held would wait for ever for somebody to read its output.",
	.mend = "Run a program, or launch the function and read its pipes.",
};
static const struct plan_refusal no_such_options = {
	.id = "capture-options",
	.why = "The options are not ones that this library knows.",
	.mend = "Make them with RAMET_CAPTURE_OPTIONS(), and use no field newer than the library.",
};
static const struct plan_refusal merged_twice = {
	.id = "capture-merge",
	.why = "Each of the two outputs is to go where the other goes.",
	.mend = "Merge one of them.",
};

static int load_options(const struct ramet_capture_options *given,
			struct ramet_capture_options *ret)
{
	const unsigned char *tail = (const unsigned char *)given;

	*ret = (struct ramet_capture_options){.size = sizeof(*ret)};
	if (!given)
		return 0;
	if (given->size < OPTIONS_SIZE_MIN)
		return -EINVAL;
	for (size_t i = sizeof(*ret); i < given->size; i++)
		if (tail[i])
			return -E2BIG;
	memcpy(ret, given, given->size < sizeof(*ret) ? given->size : sizeof(*ret));
	return 0;
}

static bool is_sane(const struct ramet_capture_options *o)
{
	return o->input <= RAMET_INPUT_PASS && o->output <= RAMET_OUTPUT_DISCARD &&
	       o->error <= RAMET_OUTPUT_DISCARD &&
	       !(o->flags & ~(RAMET_CAPTURE_DROP | RAMET_CAPTURE_TREE | RAMET_CAPTURE_CGROUP)) &&
	       o->timeout_ms >= 0 && o->stop_ms >= 0 && o->stop_signal >= 0 &&
	       o->stop_signal <= KERNEL_NSIG && (o->input_data || !o->input_size);
}

static int check(const struct ramet_spec *spec, const struct ramet_capture_options *o,
		 struct ramet_error *error)
{
	if (!spec->program || spec->fn)
		return error_check(error, -EINVAL, &no_program);
	if (!is_sane(o))
		return error_check(error, -EINVAL, &no_such_options);
	if (o->output == RAMET_OUTPUT_MERGE && o->error == RAMET_OUTPUT_MERGE)
		return error_check(error, -EINVAL, &merged_twice);
	return 0;
}

/* ---- Streams ----------------------------------------------------------------------------------- */

/*
 * A pipe and no socket pair, which would spare the care with SIGPIPE: programs cannot open a socket
 * by /dev/stdin. Only this side does not block: the child's end has a description of its own.
 */
static int open_pipe(int *ret_mine, int *ret_child, bool reads)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	*ret_mine = fds[!reads];
	*ret_child = fds[reads];
	return fcntl(*ret_mine, F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
}

static int open_streams(struct capture *c)
{
	const struct ramet_capture_options *o = &c->options;
	const enum ramet_output ways[2] = {o->output, o->error};
	const size_t limits[2] = {o->output_limit, o->error_limit};
	int r = 0;

	if (o->input == RAMET_INPUT_NOTHING || o->output == RAMET_OUTPUT_DISCARD ||
	    o->error == RAMET_OUTPUT_DISCARD) {
		c->null = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (c->null < 0)
			return -errno;
	}
	if (o->input == RAMET_INPUT_MEMORY)
		r = open_pipe(&c->in, &c->child_in, false);
	for (int i = 0; i < 2 && r == 0; i++) {
		if (ways[i] != RAMET_OUTPUT_CAPTURE)
			continue;
		c->out[i].captured = true;
		c->out[i].limit = limits[i] ? limits[i] : SIZE_MAX;
		r = open_pipe(&c->out[i].fd, &c->child_out[i], true);
	}
	return r;
}

static void close_child_ends(struct capture *c)
{
	shut(&c->child_in);
	shut(&c->child_out[0]);
	shut(&c->child_out[1]);
	shut(&c->null);
}

/* ---- The launch -------------------------------------------------------------------------------- */

static bool steps_give(const struct ramet_step *steps, int to, int *ret_from)
{
	for (; steps && steps->kind; steps++)
		if (steps->kind == RAMET_STEP_DUP && steps->to == to) {
			*ret_from = steps->number;
			return true;
		}
	return false;
}

/* Which of the caller's descriptors becomes output i; false: none, it is left as it is. */
static bool source_of_output(const struct capture *c, const struct ramet_step *steps, int i,
			     int *ret_from)
{
	const enum ramet_output way = i ? c->options.error : c->options.output;

	switch (way) {
	case RAMET_OUTPUT_CAPTURE:
		*ret_from = c->child_out[i];
		return true;
	case RAMET_OUTPUT_DISCARD:
		*ret_from = c->null;
		return true;
	case RAMET_OUTPUT_MERGE:
		if (!source_of_output(c, steps, !i, ret_from) &&
		    !steps_give(steps, STDOUT_FILENO + !i, ret_from))
			*ret_from = STDOUT_FILENO + !i;
		return true;
	case RAMET_OUTPUT_PASS:
	default:
		return false;
	}
}

static bool source_of_input(const struct capture *c, int *ret_from)
{
	switch (c->options.input) {
	case RAMET_INPUT_NOTHING:
		*ret_from = c->null;
		return true;
	case RAMET_INPUT_MEMORY:
		*ret_from = c->child_in;
		return true;
	case RAMET_INPUT_FD:
		*ret_from = c->options.input_fd;
		return true;
	case RAMET_INPUT_PASS:
	default:
		return false;
	}
}

/* The spec's steps and those of the streams; NULL without memory. */
static struct ramet_step *make_steps(const struct capture *c, const struct ramet_step *given)
{
	struct ramet_step *steps;
	size_t n = 0;
	int from;

	while (given && given[n].kind)
		n++;
	steps = calloc(n + 4, sizeof(*steps));
	if (!steps)
		return NULL;
	if (n)
		memcpy(steps, given, n * sizeof(*steps));
	if (source_of_input(c, &from))
		steps[n++] = (struct ramet_step)RAMET_DUP(from, STDIN_FILENO);
	for (int i = 0; i < 2; i++)
		if (source_of_output(c, given, i, &from))
			steps[n++] = (struct ramet_step)RAMET_DUP(from, STDOUT_FILENO + i);
	return steps;
}

static int start(struct capture *c, struct ramet_spec *spec, struct ramet_error *error)
{
	struct ramet_step *steps;
	int r = open_streams(c);

	if (r < 0)
		return error_prepare(error, r, "pipes for standard streams");
	steps = make_steps(c, spec->steps);
	if (!steps)
		return error_prepare(error, -ENOMEM, "steps for standard streams");
	spec->steps = steps;
	spec->options &= ~RAMET_NO_PIDFD;
	r = ramet_launch(spec, &c->task, error);
	free(steps);
	/* Or this process itself would keep the streams open. */
	close_child_ends(c);
	return r;
}

/* ---- Feeding ----------------------------------------------------------------------------------- */

/*
 * A write whose SIGPIPE nobody sees. The signal goes to the thread that writes, and so waits while
 * it is blocked here; a thread's own are taken before those of the process. Where one waited
 * already, as the caller had it blocked, ours has become one with it and is left.
 */
static long write_quietly(int fd, const void *data, size_t size)
{
	const uint64_t sigpipe = 1ULL << (SIGPIPE - 1);
	const struct kernel_timespec now = {0};
	uint64_t mask = 0, pending = 0;
	bool waited;
	long n;

	sys_sigprocmask(MASK_BLOCK, &sigpipe, &mask);
	if (mask & sigpipe)
		sys2(SYS_rt_sigpending, (long)&pending, KERNEL_SIGSET_SIZE);
	waited = pending & sigpipe;
	n = sys_write(fd, data, size);
	if (n == -EPIPE && !waited)
		while (sys_sigtimedwait(&sigpipe, NULL, &now) == -EINTR)
			;
	sys_sigprocmask(MASK_SET, &mask, NULL);
	return n;
}

static int feed(struct capture *c)
{
	long n = 0;

	if (c->in_left)
		n = write_quietly(c->in, c->in_data, c->in_left);
	if (n == -EAGAIN || n == -EINTR)
		return 0;
	if (n < 0 && n != -EPIPE)
		return (int)n;
	if (n > 0) {
		c->in_data += n;
		c->in_left -= (size_t)n;
	}
	if (n < 0 || !c->in_left)
		shut(&c->in);
	return 0;
}

/* ---- Reading ----------------------------------------------------------------------------------- */

static int make_room(struct stream *s)
{
	size_t room = s->room < ROOM_MIN       ? ROOM_MIN
		      : s->room > SIZE_MAX / 4 ? SIZE_MAX / 2
					       : 2 * s->room;
	char *data;

	if (room > s->limit)
		room = s->limit;
	data = realloc(s->data, room + 1);
	if (!data)
		return -ENOMEM;
	s->data = data;
	s->room = room;
	return 0;
}

static void stop(struct capture *c);

/*
 * Above the limit. What is stopped is read on as well: by a closed pipe SIGPIPE would end it, before
 * the signal that was asked for or instead of it.
 */
static long read_above(struct capture *c, struct stream *s)
{
	char rest[16384];
	const long n = sys_read(s->fd, rest, sizeof(rest));

	if (n <= 0)
		return n;
	s->cut = true;
	if (!(c->options.flags & RAMET_CAPTURE_DROP))
		stop(c);
	return n;
}

/* Some of what is there. 0 or -errno. */
static int read_some(struct capture *c, struct stream *s)
{
	const bool above = s->size == s->limit;
	long n;

	if (!above && s->size == s->room && make_room(s) < 0)
		return -ENOMEM;
	n = above ? read_above(c, s) : sys_read(s->fd, s->data + s->size, s->room - s->size);
	if (n == -EAGAIN || n == -EINTR)
		return 0;
	if (n < 0)
		return (int)n;
	s->owed -= s->owed < (size_t)n ? s->owed : (size_t)n;
	if (n == 0)
		shut(&s->fd);
	else if (!above)
		s->size += (size_t)n;
	return 0;
}

/* ---- Stopping and the end ---------------------------------------------------------------------- */

/* 0, or -errno of the signal to the task itself. */
static int send_signal(struct capture *c, int sig)
{
	const unsigned flags = c->options.flags;
	const int cgroup = flags & RAMET_CAPTURE_CGROUP ? c->options.cgroup : -1;
	int r = -EAGAIN;

	if (flags & (RAMET_CAPTURE_TREE | RAMET_CAPTURE_CGROUP)) {
		for (int i = 0; i < TREE_TRIES && r == -EAGAIN; i++)
			r = ramet_kill_tree(&c->task, sig, cgroup, 0);
		c->tree_error = r < 0 ? r : 0;
		if (r > 0 && sig != SIGKILL)
			return 0;
	}
	/* SIGKILL whatever came of the search: this one must end. */
	return ramet_kill(&c->task, sig);
}

static void give_up(struct capture *c)
{
	c->status_error = -ETIMEDOUT;
	c->abandoned = true;
}

static void kill_it(struct capture *c)
{
	c->killed = true;
	c->deadline = now_ms() + KILL_PATIENCE_MS;
	if (send_signal(c, SIGKILL) == -EPERM)
		give_up(c);
}

/* Once: by stop_signal, with SIGKILL to follow, or at once. */
static void stop(struct capture *c)
{
	if (c->stopping || c->ended)
		return;
	c->stopping = true;
	if (!c->options.stop_signal || send_signal(c, c->options.stop_signal) < 0)
		kill_it(c);
	else
		c->deadline = now_ms() + c->options.stop_ms;
}

static void on_deadline(struct capture *c)
{
	if (c->ended || c->killed) {
		if (!c->ended)
			give_up(c);
		return;
	}
	if (c->stopping) {
		kill_it(c);
		return;
	}
	c->timed_out = true;
	stop(c);
}

/* What the task has written is in the pipes, before anything that others may write from now on. */
static void on_end(struct capture *c)
{
	const int linger = c->options.linger_ms ? c->options.linger_ms : LINGER_MS;
	int n;

	c->ended = true;
	shut(&c->in);
	for (int i = 0; i < 2; i++)
		if (c->out[i].fd >= 0 && ioctl(c->out[i].fd, FIONREAD, &n) == 0)
			c->out[i].owed = (size_t)n;
	/* Of a task that was stopped the deadline has been; nobody is waited for without one then. */
	if (c->stopping)
		c->deadline = now_ms() + (linger > 0 ? linger : LINGER_MS);
	else if (linger > 0 && now_ms() + linger < c->deadline)
		c->deadline = now_ms() + linger;
}

static int read_owed(struct capture *c)
{
	int r = 0;

	for (int i = 0; i < 2; i++)
		while (r == 0 && c->out[i].fd >= 0 && c->out[i].owed)
			r = read_some(c, &c->out[i]);
	return r;
}

/* ---- The loop ---------------------------------------------------------------------------------- */

static bool is_over(const struct capture *c)
{
	if (c->abandoned)
		return true;
	return c->ended && ((c->out[0].fd < 0 && c->out[1].fd < 0) || now_ms() >= c->deadline);
}

static int wait_time(const struct capture *c)
{
	const int64_t left = c->deadline == INT64_MAX ? INT32_MAX : c->deadline - now_ms();

	if (!c->ended && c->task.pidfd < 0 && left > TICK_MS)
		return TICK_MS;
	if (c->deadline == INT64_MAX)
		return -1;
	return left < 0 ? 0 : left > INT32_MAX ? INT32_MAX : (int)left;
}

static void look_for_end(struct capture *c)
{
	const int r = ramet_wait(&c->task, 0, &c->status);

	if (r == -ETIMEDOUT)
		return;
	c->status_error = r;
	on_end(c);
}

enum { TASK, IN, OUT, ERR, FDS };

static int serve(struct capture *c)
{
	struct pollfd p[FDS] = {
		[TASK] = {.fd = c->ended ? -1 : c->task.pidfd, .events = POLLIN},
		[IN] = {.fd = c->in, .events = POLLOUT},
		[OUT] = {.fd = c->out[0].fd, .events = POLLIN},
		[ERR] = {.fd = c->out[1].fd, .events = POLLIN},
	};
	int r = 0;

	if (poll(p, FDS, wait_time(c)) < 0)
		return errno == EINTR ? 0 : -errno;
	if (p[IN].revents)
		r = feed(c);
	for (int i = 0; i < 2 && r == 0; i++)
		if (p[OUT + i].revents)
			r = read_some(c, &c->out[i]);
	if (r == 0 && !c->ended && (p[TASK].revents || c->task.pidfd < 0))
		look_for_end(c);
	return r;
}

static int run(struct capture *c)
{
	int r = 0;

	while (r == 0 && !is_over(c)) {
		r = serve(c);
		/* A stream that always has something must not keep the clock from being read. */
		if (r == 0 && !is_over(c) && now_ms() >= c->deadline)
			on_deadline(c);
	}
	if (r == 0)
		r = read_owed(c);
	for (int i = 0; i < 2; i++)
		c->left_open |= c->ended && c->out[i].fd >= 0;
	return r;
}

/* ---- The result -------------------------------------------------------------------------------- */

static void finish(struct stream *s)
{
	char *data;

	if (!s->captured)
		return;
	data = realloc(s->data, s->size + 1);
	if (data)
		s->data = data;
	s->data[s->size] = 0;
}

static void fill(struct capture *c, struct ramet_captured *ret)
{
	*ret = (struct ramet_captured){
		.status = c->status,
		.status_error = c->status_error,
		.tree_error = c->tree_error,
		.output = c->out[0].data,
		.error = c->out[1].data,
		.output_size = c->out[0].size,
		.error_size = c->out[1].size,
		.output_cut = c->out[0].cut,
		.error_cut = c->out[1].cut,
		.input_cut = c->in_left > 0,
		.timed_out = c->timed_out,
		.left_open = c->left_open,
		.tid = c->task.tid,
		.way = c->task.way,
		.lost = c->task.lost,
	};
}

static void clear(struct capture *c)
{
	close_child_ends(c);
	shut(&c->in);
	shut(&c->out[0].fd);
	shut(&c->out[1].fd);
}

/* Nothing may be left of a task that nobody will hear of. */
static void destroy(struct capture *c)
{
	if (!c->ended) {
		send_signal(c, SIGKILL);
		if (ramet_wait(&c->task, KILL_PATIENCE_MS, NULL) < 0)
			c->status_error = -ETIMEDOUT;
	}
}

static int capture(struct capture *c, struct ramet_spec *spec, struct ramet_error *error)
{
	int r = start(c, spec, error);

	if (r < 0)
		return r;
	/* Even an empty output is a string; better now than at the end. */
	for (int i = 0; i < 2 && r == 0; i++)
		if (c->out[i].captured)
			r = make_room(&c->out[i]);
	if (r == 0)
		r = run(c);
	clear(c);
	if (r < 0) {
		destroy(c);
		error_prepare(error, r, "standard streams of the program");
	}
	ramet_task_close(&c->task);
	return r;
}

int ramet_capture(const struct ramet_spec *spec, const struct ramet_capture_options *options,
		  struct ramet_captured *ret_captured, struct ramet_error *error)
{
	struct capture c = {
		.in = -1,
		.child_in = -1,
		.child_out = {-1, -1},
		.null = -1,
		.out = {{.fd = -1}, {.fd = -1}},
		.deadline = INT64_MAX,
	};
	struct ramet_spec loaded;
	int r = load_options(options, &c.options), cancel;

	if (r < 0)
		return error_check(error, r, &no_such_options);
	r = spec_load(spec, &loaded);
	if (r < 0) /* it says so better */
		return ramet_launch(spec, &c.task, error);
	r = check(&loaded, &c.options, error);
	if (r < 0)
		return r;
	c.in_data = c.options.input_data;
	c.in_left = c.options.input == RAMET_INPUT_MEMORY ? c.options.input_size : 0;
	if (c.options.timeout_ms)
		c.deadline = now_ms() + c.options.timeout_ms;
	cancel = not_cancelled();
	r = capture(&c, &loaded, error);
	clear(&c);
	cancelled_again(cancel);
	if (r < 0) {
		free(c.out[0].data);
		free(c.out[1].data);
		return r;
	}
	finish(&c.out[0]);
	finish(&c.out[1]);
	fill(&c, ret_captured);
	return 0;
}

void ramet_captured_free(struct ramet_captured *captured)
{
	free(captured->output);
	free(captured->error);
	*captured = (struct ramet_captured){0};
}
