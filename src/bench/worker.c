/* SPDX-License-Identifier: MIT */
/*
 * A peer: a program that is told how many operations to do and answers how long each took. It is
 * started with ramet's own launcher and lives as long as its stage.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <ramet/ramet.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/stage.h"

#define ANSWER_MS 60000
#define END_MS 2000

struct bench_worker {
	struct ramet_task task;
	int to, from;
	char text[4096]; /* what was read and not yet looked at */
	size_t length;
};

/* A line without its end; -errno. */
static int read_line(struct bench_worker *w, char *line, size_t size)
{
	const int64_t deadline = bench_now_ns() + (int64_t)ANSWER_MS * 1000000;

	for (;;) {
		char *end = memchr(w->text, '\n', w->length);
		struct pollfd pollfd = {.fd = w->from, .events = POLLIN};
		ssize_t n;

		if (end) {
			n = end - w->text;
			snprintf(line, size, "%.*s", (int)n, w->text);
			w->length -= (size_t)n + 1;
			memmove(w->text, end + 1, w->length);
			return 0;
		}
		if (w->length == sizeof(w->text))
			return -EMSGSIZE;
		if (bench_now_ns() >= deadline)
			return -ETIMEDOUT;
		if (poll(&pollfd, 1, 1000) <= 0)
			continue;
		n = read(w->from, w->text + w->length, sizeof(w->text) - w->length);
		if (n <= 0)
			return n < 0 ? -errno : -EPIPE;
		w->length += (size_t)n;
	}
}

static int launch(struct bench_worker *w, const char *program, char *const argv[], int kept)
{
	int in[2], out[2] = {-1, -1}, r;

	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0)
		return -errno;
	r = ramet_launch(&RAMET_SPEC(.program = program, .argv = argv,
				     .steps = RAMET_STEPS(RAMET_PDEATHSIG(SIGKILL),
							  RAMET_DUP(in[0], 0), RAMET_DUP(out[1], 1),
							  RAMET_KEEP(kept), RAMET_CLOSE_REST())),
			 &w->task, NULL);
	close(in[0]);
	close(out[1]);
	w->to = in[1];
	w->from = out[0];
	if (r < 0) {
		close(w->to);
		close(w->from);
	}
	return r;
}

static int start(const char *program, char *const argv[], int kept, struct bench_worker **ret,
		 char *why)
{
	struct bench_worker *w = calloc(1, sizeof(*w));
	char line[BENCH_WHY];
	int r;

	if (!w)
		return -ENOMEM;
	r = launch(w, program, argv, kept);
	if (r < 0) {
		snprintf(why, BENCH_WHY, "the peer cannot be started: %s", strerror(-r));
		free(w);
		return r;
	}
	r = read_line(w, line, sizeof(line));
	if (r == 0 && !strcmp(line, "ready")) {
		*ret = w;
		return 0;
	}
	if (r == -EPIPE)
		snprintf(why, BENCH_WHY, "the peer ended at once");
	else if (r < 0)
		snprintf(why, BENCH_WHY, "the peer: %s", strerror(-r));
	else if (!strncmp(line, "cannot: ", 8))
		snprintf(why, BENCH_WHY, "%.*s", BENCH_WHY - 1, line + 8);
	else
		snprintf(why, BENCH_WHY, "the peer does not speak as a peer does");
	bench_worker_stop(w);
	return r < 0 ? r : -ENOTSUP;
}

int bench_worker_start(const struct bench_peer *peer, const char *workload, uint64_t x,
		       struct bench_worker **ret, char *why)
{
	char number[32], script[1024];
	char *argv[] = {(char[]){"sh"},	  (char[]){"-c"}, script, (char[]){"peer"},
			(char *)workload, number,	  NULL};

	snprintf(number, sizeof(number), "%llu", (unsigned long long)x);
	if (snprintf(script, sizeof(script), "exec %s \"$@\"", peer->command) >=
	    (int)sizeof(script)) {
		snprintf(why, BENCH_WHY, "the peer cannot be started: %s", strerror(E2BIG));
		return -E2BIG;
	}
	return start("/bin/sh", argv, 2, ret, why);
}

int bench_worker_start_file(int fd, const char *operation, uint64_t x, struct bench_worker **ret,
			    char *why)
{
	char path[32], number[32];
	char *argv[] = {path, (char *)operation, number, NULL};

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	snprintf(number, sizeof(number), "%llu", (unsigned long long)x);
	return start(path, argv, fd, ret, why);
}

int bench_worker_run(struct bench_worker *w, unsigned count, double *ret_ns, char *why)
{
	char line[BENCH_TURN_MOST * 32], *at = line, *end;
	int r, n = snprintf(line, sizeof(line), "%u\n", count);

	r = write(w->to, line, (size_t)n) == n ? read_line(w, line, sizeof(line)) : -EPIPE;
	for (unsigned i = 0; r == 0 && i < count; i++) {
		ret_ns[i] = strtod(at, &end);
		if (end == at || !(ret_ns[i] >= 0))
			r = -EPROTO;
		at = end;
	}
	if (r < 0)
		snprintf(why, BENCH_WHY, "the peer %s",
			 r == -EPIPE	   ? "has ended"
			 : r == -ETIMEDOUT ? "does not answer"
					   : "answers no numbers");
	return r;
}

void bench_worker_stop(struct bench_worker *w)
{
	close(w->to);
	close(w->from);
	if (ramet_wait(&w->task, END_MS, NULL) == -ETIMEDOUT) {
		if (ramet_kill(&w->task, SIGKILL) == 0 && ramet_wait(&w->task, -1, NULL) < 0)
			w->length = 0; /* somebody else has waited for it */
	}
	ramet_task_close(&w->task);
	free(w);
}
