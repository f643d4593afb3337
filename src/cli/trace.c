/* SPDX-License-Identifier: MIT */
/* ramet trace */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"
#include "trace/record.h"

#define EXIT_RAMET 125
#define EXIT_CANNOT_RUN 126
#define EXIT_NOT_FOUND 127

struct settings {
	const char *output;
	long pid;
	int view;
	bool json, events_only, verify;
};

static const struct trace_view *const views[] = {
	&trace_live,
	&trace_tree,
	&trace_summary,
	&trace_chrome,
};
static const char *const view_words[] = {"live", "tree", "summary", "chrome", NULL};

static const struct cli_option options[] = {
	{.name = "--output",
	 .letter = 'o',
	 .arg = "FILE",
	 .help = "write there instead of standard error",
	 .set = cli_set_string,
	 .offset = CLI_FIELD(struct settings, output)},
	{.name = "--pid",
	 .letter = 'p',
	 .arg = "PID",
	 .help = "watch a process that runs, all its threads, until interrupted",
	 .set = cli_set_number,
	 .offset = CLI_FIELD(struct settings, pid)},
	{.name = "--view",
	 .arg = "NAME",
	 .help = "live (default), tree, summary or chrome (for Perfetto)",
	 .set = cli_set_word,
	 .offset = CLI_FIELD(struct settings, view),
	 .words = view_words},
	{.name = "--json",
	 .help = "one object an event; see ramet-trace(1)",
	 .set = cli_set_flag,
	 .offset = CLI_FIELD(struct settings, json)},
	{.name = "--events-only",
	 .help = "no seccomp filter: cheaper, but refused calls and namespaces are not seen",
	 .set = cli_set_flag,
	 .offset = CLI_FIELD(struct settings, events_only)},
	{.name = "--verify",
	 .help = "compare what the model says of each new task with kcmp",
	 .set = cli_set_flag,
	 .offset = CLI_FIELD(struct settings, verify)},
	{0},
};

static int status_of(int status)
{
	if (status < 0)
		return CLI_OK;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int begin(struct tracer *t, const struct settings *s, char **argv)
{
	struct trace_failure failure = {.text = ""};
	int r = s->pid ? tracer_attach(t, (int)s->pid, &failure) : tracer_start(t, argv, &failure);

	if (r == 0)
		return 0;
	cli_say("trace: %s", failure.text);
	if (failure.not_found)
		return EXIT_NOT_FOUND;
	return failure.cannot_run ? EXIT_CANNOT_RUN : EXIT_RAMET;
}

static int trace(const struct settings *s, struct record *record, char **argv)
{
	const struct trace_options wanted = {
		.events_only = s->events_only || s->pid,
		.pairwise = s->verify,
		.event = record_event,
		.arg = record,
	};
	struct trace_failure failure;
	struct tracer *t;
	int status = -1, r;

	if (tracer_new(&wanted, &t, &failure) < 0) {
		cli_say("trace: %s", failure.text);
		return EXIT_RAMET;
	}
	r = begin(t, s, argv);
	if (!r) {
		int error = tracer_run(t, &status);

		/* What was lost is told at the end. */
		if (error < 0 && error != record->unwritten)
			cli_say("trace: %s", strerror(-error));
		if (error < 0)
			r = EXIT_RAMET;
	}
	tracer_free(t);
	return r ? r : status_of(status);
}

static bool check(const struct settings *s, int count)
{
	if (!s->pid == !count)
		cli_say("trace: either a program or --pid, see ramet trace --help");
	else if (s->json && s->view)
		cli_say("trace: either --json or --view");
	else if (s->pid > INT_MAX)
		cli_say("trace: there is no process %ld", s->pid);
	else
		return true;
	return false;
}

/*
 * Lines come out whole, and as they happen where somebody looks on; else in blocks. Nothing is
 * left in the buffer that the new task would have, too.
 */
static FILE *open_output(const struct settings *s)
{
	FILE *out = s->output ? fopen(s->output, "we") : stderr;

	if (!out) {
		cli_say("trace: %s: %s", s->output, strerror(errno));
		return NULL;
	}
	setvbuf(out, NULL, s->pid || out == stderr || isatty(fileno(out)) ? _IOLBF : _IOFBF,
		1 << 16);
	return out;
}

static int finish(struct record *record, FILE *out)
{
	const uint64_t mismatches = record->mismatches;
	int r = record_end(record), error = out_finish(out);

	if (r == 0)
		r = error;
	if (out != stderr && fclose(out) && r == 0)
		r = -errno;
	if (r < 0)
		cli_say("trace: cannot write: %s", strerror(-r));
	if (mismatches)
		cli_say("trace: the model and the kernel differ %" PRIu64 " times", mismatches);
	return r;
}

static int run(const struct cli_common *common, void *field, int count, char **argv)
{
	struct settings *s = field;
	static struct record record;
	FILE *out;
	int status, r;

	setlocale(LC_CTYPE, "");
	if (!check(s, count))
		return EXIT_RAMET;
	out = open_output(s);
	if (!out)
		return EXIT_RAMET;
	r = record_begin(&record, s->json ? &trace_json : views[s->view], out,
			 out_use_color(common->color, out), s->verify);
	if (r < 0) {
		cli_say("trace: %s", strerror(-r));
		return EXIT_RAMET;
	}
	if (fflush(out))
		record.unwritten = -errno;
	status = trace(s, &record, argv);
	r = finish(&record, out);
	return r < 0 ? EXIT_RAMET : status;
}

const struct cli_verb cli_trace = {
	.name = "trace",
	.args = "-- PROGRAM [ARG]…",
	.summary = "show which tasks a program makes, by which calls, and what they share",
	.about =
		"Runs a program, or watches one (-p PID), and shows each task that is made: by which call,\n"
		"what it shares with its maker, how long the maker was held; calls that are refused, and\n"
		"by which rule. Exit status: the program's; 125 ramet failed, 126 it cannot be run,\n"
		"127 it was not found, 128 and the signal that killed it.",
	.options = options,
	.settings_size = sizeof(struct settings),
	.usage_status = EXIT_RAMET,
	.program = true,
	.run = run,
};
