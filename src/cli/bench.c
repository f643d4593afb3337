/* SPDX-License-Identifier: MIT */
/* ramet bench */
#include "bench/bench.h"

#include <errno.h>
#include <inttypes.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"

#define PEERS_MAX 16
#define TRIALS 5
#define BUDGET 60.0
#define BUDGET_MOST 86400.0
#define INTERRUPTED 130
#define SHOW_AFTER 2.0 /* seconds: what is over sooner needs no progress */

/* Points as an option gave them. */
struct points {
	const char *option; /* NULL: not given */
	uint64_t values[BENCH_POINTS_MAX];
	size_t count;
};

struct settings {
	struct points points;
	struct bench_peer peers[PEERS_MAX];
	size_t peer_count;
	double budget;
	long trials, seed;
	long pin; /* processor + 1; 0: not asked for */
	int pages;
	bool count, list;
	bool json; /* on standard output */
	const char *json_file, *csv_file, *html_file, *svg_file;
	const char *only, *program;
};

/* ---- options ------------------------------------------------------------------------------- */

enum pages { PAGES_DEFAULT, PAGES_SMALL, PAGES_HUGE, PAGES_BOTH };
static const char *const page_words[] = {"default", "small", "huge", "both", NULL};

/* "2M", "1G", "10000". NULL: not a number. */
static const char *read_size(const char *at, uint64_t *ret)
{
	static const char units[] = "KMGT";
	const char *unit;
	char *end;
	unsigned long long n;

	errno = 0;
	if (*at < '0' || *at > '9')
		return NULL;
	n = strtoull(at, &end, 10);
	unit = *end ? strchr(units, *end & ~0x20) : NULL;
	if (unit) {
		const int shift = 10 * (int)(unit - units + 1);

		if (n > UINT64_MAX >> shift)
			return NULL;
		n <<= shift;
		end++;
		end += *end == 'B' || *end == 'b';
	}
	*ret = n;
	return errno ? NULL : end;
}

static const char *set_points(const struct cli_option *option, const char *value, void *field)
{
	struct points *p = field;

	if (p->option && p->option != option->name)
		return "possible: another option has given the points";
	p->option = option->name;
	p->count = 0;
	for (const char *at = value;; at++) {
		if (p->count == BENCH_POINTS_MAX)
			return "a list of at most 16 points";
		at = read_size(at, &p->values[p->count]);
		if (!at || (*at && *at != ','))
			return "numbers parted by commas, 2M,1G say";
		for (size_t i = 0; i < p->count; i++)
			if (p->values[i] == p->values[p->count])
				return "a list with each point once";
		p->count++;
		if (!*at)
			return NULL;
	}
}

static const char *set_budget(const struct cli_option *option, const char *value, void *field)
{
	char *end;
	double n = strtod(value, &end), unit = 1;

	(void)option;
	if (!strcmp(end, "m") || !strcmp(end, "min"))
		unit = 60;
	else if (*end && strcmp(end, "s") != 0)
		end = (char *)value;
	if (end == value || !(n * unit >= 0.5 && n * unit <= BUDGET_MOST))
		return "a time from 0.5s to 1440m";
	*(double *)field = n * unit;
	return NULL;
}

static const char *set_trials(const struct cli_option *option, const char *value, void *field)
{
	const char *wrong = cli_set_number(option, value, field);

	return wrong || *(long *)field < 1 || *(long *)field > 50 ? "a number from 1 to 50" : NULL;
}

static const char *set_processor(const struct cli_option *option, const char *value, void *field)
{
	const char *wrong = cli_set_number(option, value, field);
	long *pin = field;

	if (wrong || *pin >= sysconf(_SC_NPROCESSORS_CONF))
		return "the number of a processor of this machine";
	++*pin;
	return NULL;
}

static const char *set_peer(const struct cli_option *option, const char *value, void *field)
{
	struct settings *s = (struct settings *)((char *)field - option->offset);
	const char *equals = strchr(value, '=');
	struct bench_peer *peer = &s->peers[s->peer_count];

	if (!equals || equals == value || !equals[1] || equals - value > 40)
		return "NAME=COMMAND";
	if (s->peer_count == PEERS_MAX)
		return "possible: there may be 16 peers";
	peer->name = strndup(value, (size_t)(equals - value));
	peer->command = equals + 1;
	s->peer_count += peer->name != NULL;
	return peer->name ? NULL : "possible for lack of memory";
}

static const char *set_json(const struct cli_option *option, const char *value, void *field)
{
	(void)option;
	if (value)
		*(const char **)field = value;
	else
		((struct settings *)((char *)field - option->offset))->json = true;
	return NULL;
}

#define FIELD(member) CLI_FIELD(struct settings, member)
#define POINTS(name_, what_)                                                                       \
	{                                                                                          \
		.name = (name_), .arg = "N,…", .help = (what_), .set = set_points,                 \
		.offset = FIELD(points)                                                            \
	}
#define TO_FILE(name_, what_, member_)                                                             \
	{                                                                                          \
		.name = (name_), .arg = "FILE", .help = (what_), .set = cli_set_string,            \
		.offset = FIELD(member_)                                                           \
	}

static const struct cli_option options[] = {
	POINTS("--heap", "launch, blocked: bytes of memory the caller has touched, 2M,1G"),
	POINTS("--fds", "fds: open descriptors"),
	POINTS("--maps", "maps: mappings that the caller has more"),
	POINTS("--threads", "threads: live threads of the caller"),
	POINTS("--burst", "thread, burst: tasks made before the first is waited for"),
	{.name = "--pages",
	 .arg = "small|huge|both",
	 .help = "of the heap; default: both for launch, where the kernel has huge ones",
	 .set = cli_set_word,
	 .offset = FIELD(pages),
	 .words = page_words},
	{.name = "--only",
	 .arg = "NAME,…",
	 .help = "these series",
	 .set = cli_set_string,
	 .offset = FIELD(only)},
	{.name = "--peer",
	 .arg = "NAME=COMMAND",
	 .help = "a program that does the same in its own way; see ramet-bench(1)",
	 .set = set_peer,
	 .offset = FIELD(peers)},
	{.name = "--program",
	 .arg = "PATH",
	 .help = "what is launched; default: one that only ends",
	 .set = cli_set_string,
	 .offset = FIELD(program)},
	{.name = "--budget",
	 .arg = "TIME",
	 .help = "end within it, with what there is; default: 60s",
	 .set = set_budget,
	 .offset = FIELD(budget)},
	{.name = "--trials",
	 .arg = "N",
	 .help = "that often, from the beginning; default: 5",
	 .set = set_trials,
	 .offset = FIELD(trials)},
	{.name = "--pin",
	 .arg = "CPU",
	 .help = "everything on one processor; default: where the scheduler likes",
	 .set = set_processor,
	 .offset = FIELD(pin)},
	{.name = "--count",
	 .help = "system calls of each way as well, caller's and child's",
	 .set = cli_set_flag,
	 .offset = FIELD(count)},
	{.name = "--seed",
	 .arg = "N",
	 .help = "of the order in which they run",
	 .set = cli_set_number,
	 .offset = FIELD(seed)},
	{.name = "--list",
	 .help = "workloads and their series",
	 .set = cli_set_flag,
	 .offset = FIELD(list)},
	{.name = "--json",
	 .arg = "[=FILE]",
	 .help = "for programs, with every sample; see ramet-bench(1)",
	 .set = set_json,
	 .offset = FIELD(json_file)},
	TO_FILE("--csv", "a line a sample", csv_file),
	TO_FILE("--html", "a page with the plot, that needs nothing else", html_file),
	TO_FILE("--svg", "the plot alone", svg_file),
	{0},
};

/* ---- the request --------------------------------------------------------------------------- */

static const struct bench_workload *find_workload(int count, char **words)
{
	const struct bench_workload *w = bench_workload(count ? words[0] : "launch");
	const char *names[64] = {NULL}, *near;
	size_t n = 0;

	if (w && count <= 1)
		return w;
	if (count > 1) {
		cli_say("bench: one workload at a time; '%s' is one more", words[1]);
		return NULL;
	}
	for (const struct bench_workload *const *each = bench_workloads; *each && n < 63; each++)
		names[n++] = (*each)->name;
	near = cli_nearest(words[0], names);
	if (near)
		cli_say("bench: no workload '%s'; did you mean %s?", words[0], near);
	else
		cli_say("bench: no workload '%s'; --list tells what there is", words[0]);
	return NULL;
}

/* Behind the name that the list begins with; NULL: none of them. */
static const char *pass_name(const char *list, const char *const *names)
{
	for (; *names; names++) {
		const size_t n = strlen(*names);

		if (!strncmp(list, *names, n) && (list[n] == ',' || !list[n]))
			return list + n;
	}
	return NULL;
}

/* Each name of --only; a peer is one too, and what this machine lacks. */
static bool knows_series(const struct settings *s, const struct bench_workload *w)
{
	const char *names[BENCH_SERIES_MAX + PEERS_MAX + 1] = {NULL}, *near, *end;
	char word[48];
	size_t count = 0;

	for (const struct bench_variant *const *v = w->variants; *v && count < BENCH_SERIES_MAX;
	     v++)
		names[count++] = (*v)->name;
	for (size_t i = 0; i < s->peer_count; i++)
		names[count++] = s->peers[i].name;
	for (const char *at = s->only; at; at = *end ? end + 1 : NULL) {
		end = pass_name(at, names);
		if (end)
			continue;
		snprintf(word, sizeof(word), "%.*s", (int)strcspn(at, ","), at);
		near = cli_nearest(word, names);
		if (near)
			cli_say("bench: %s has no series '%s'; did you mean %s?", w->name, word,
				near);
		else
			cli_say("bench: %s has no series '%s'; --list tells what there is", w->name,
				word);
		return false;
	}
	return true;
}

/* Default points that do not fit are left out, and told; those asked for must fit. */
static int choose_points(const struct settings *s, struct bench_request *request)
{
	const struct bench_workload *w = request->workload;
	const bool asked = s->points.option != NULL;
	const uint64_t *points = asked ? s->points.values : w->points;
	char why[BENCH_WHY], x[32];

	if (asked && (!w->option || strcmp(w->option, s->points.option) != 0)) {
		if (w->option)
			cli_say("bench: %s is not what %s depends on; its points are %s",
				s->points.option, w->name, w->option);
		else
			cli_say("bench: %s does not depend on anything: no %s", w->name,
				s->points.option);
		return -EINVAL;
	}
	for (size_t i = 0; asked ? i < s->points.count : points[i] != BENCH_POINTS_END; i++) {
		if (w->takes_memory && bench_may_take(points[i] * (1 + s->peer_count), why) < 0) {
			cli_say("bench: %s %s: %s", w->axis,
				bench_x_text(w->unit, points[i], x, sizeof(x)), why);
			if (asked)
				return -ENOMEM;
			continue;
		}
		request->points[request->point_count++] = points[i];
	}
	return request->point_count ? 0 : -ENOMEM;
}

/* What was typed, so that a page can tell how it was made. */
static char *typed(const struct bench_request *request, const struct settings *s)
{
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	fprintf(f, "ramet bench %s", request->workload->name);
	for (size_t i = 0; s->points.option && i < s->points.count; i++) {
		if (i == 0)
			fprintf(f, " %s", s->points.option);
		fprintf(f, "%c%" PRIu64, i ? ',' : ' ', s->points.values[i]);
	}
	if (s->pages)
		fprintf(f, " --pages %s", page_words[s->pages]);
	if (s->only)
		fprintf(f, " --only '%s'", s->only);
	if (s->program)
		fprintf(f, " --program '%s'", s->program);
	for (size_t i = 0; i < s->peer_count; i++)
		fprintf(f, " --peer '%s=%s'", s->peers[i].name, s->peers[i].command);
	fprintf(f, " --budget %gs --trials %d --seed %" PRIu64, request->budget, request->trials,
		request->seed);
	if (s->pin)
		fprintf(f, " --pin %ld", s->pin - 1);
	if (s->count)
		fputs(" --count", f);
	fclose(f);
	return text;
}

static bool is_executable(const char *program)
{
	if (!program || access(program, X_OK) == 0)
		return true;
	cli_say("bench: --program %s: %s", program, strerror(errno));
	return false;
}

static int make_request(const struct settings *s, int count, char **words,
			struct bench_request *ret)
{
	*ret = (struct bench_request){
		.workload = find_workload(count, words),
		.budget = s->budget > 0 ? s->budget : BUDGET,
		.trials = s->trials ? (int)s->trials : TRIALS,
		.pin = (int)s->pin - 1,
		.small = s->pages != PAGES_HUGE,
		.program = s->program,
		.only = s->only,
		.peers = s->peers,
		.peer_count = s->peer_count,
		.seed = s->seed ? (uint64_t)s->seed : (uint64_t)time(NULL),
		.count = s->count,
	};
	if (!ret->workload || !knows_series(s, ret->workload) || !is_executable(s->program) ||
	    choose_points(s, ret) < 0)
		return -EINVAL;
	ret->huge = ret->workload->takes_memory &&
		    (s->pages == PAGES_HUGE || s->pages == PAGES_BOTH ||
		     (s->pages == PAGES_DEFAULT && !strcmp(ret->workload->name, "launch")));
	if (s->pages > PAGES_SMALL && !ret->workload->takes_memory) {
		cli_say("bench: %s has no heap: no --pages", ret->workload->name);
		return -EINVAL;
	}
	ret->command = typed(ret, s);
	return ret->command ? 0 : -ENOMEM;
}

static int list_workloads(void)
{
	for (const struct bench_workload *const *w = bench_workloads; *w; w++) {
		printf("%s%s: %s%s%s\n", w == bench_workloads ? "" : "\n", (*w)->name, (*w)->what,
		       (*w)->option ? "  " : "", (*w)->option ? (*w)->option : "");
		for (const struct bench_variant *const *v = (*w)->variants; *v; v++)
			printf("  %-26s %s\n", (*v)->name, (*v)->what);
	}
	return out_finish(stdout) < 0 ? CLI_FAILED : CLI_OK;
}

/* ---- while it runs ------------------------------------------------------------------------- */

static volatile sig_atomic_t stopped;

static void stop(int sig)
{
	(void)sig;
	stopped = 1;
}

/* One line on a terminal that is drawn again; at most five times a second. */
static void show_progress(void *context, double done, double seconds_left, const char *what)
{
	bool *shown = context;
	static time_t begun;
	const time_t now = time(NULL);

	if (!begun)
		begun = now;
	if ((double)(now - begun) < SHOW_AFTER || !isatty(STDERR_FILENO))
		return;
	fprintf(stderr, "\r\033[K%s: %3.0f %%, at most %.0f s more; Ctrl-C for what there is", what,
		done < 1 ? done * 100 : 100, seconds_left > 0 ? seconds_left : 0);
	fflush(stderr);
	*shown = true;
}

/* ---- views --------------------------------------------------------------------------------- */

typedef int view(const struct bench_result *result, FILE *out);

static int write_file(const char *path, view *show, const struct bench_result *result)
{
	FILE *f;
	int r;

	if (!path)
		return 0;
	f = strcmp(path, "-") != 0 ? fopen(path, "we") : stdout;
	r = f ? show(result, f) : -errno;
	if (f == stdout && r == 0)
		r = out_finish(stdout);
	else if (f && f != stdout && fclose(f) != 0 && r == 0)
		r = -errno;
	if (r < 0)
		cli_say("bench: cannot write %s: %s", path, strerror(-r));
	if (r < 0 && f == stdout)
		out_forget(stdout);
	return r;
}

static int show(const struct cli_common *common, const struct settings *s,
		const struct bench_result *result)
{
	int r = 0;

	if (s->json)
		r = bench_view_json(result, stdout);
	else
		bench_view_text(result, stdout, out_use_color(common->color, stdout), s->count);
	if (r == 0)
		r = out_finish(stdout);
	if (r < 0) {
		cli_say("cannot print: %s", strerror(-r));
		out_forget(stdout);
	}
	r |= write_file(s->json_file, bench_view_json, result);
	r |= write_file(s->csv_file, bench_view_csv, result);
	r |= write_file(s->html_file, bench_view_html, result);
	r |= write_file(s->svg_file, bench_view_svg, result);
	return r < 0 ? CLI_FAILED : CLI_OK;
}

/* Before an hour is spent: can they be written at all? An existing file is left as it is. */
static bool can_write(const struct settings *s)
{
	const char *const paths[] = {s->json_file, s->csv_file, s->html_file, s->svg_file};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		FILE *f;

		if (!paths[i] || !strcmp(paths[i], "-"))
			continue;
		f = fopen(paths[i], "ae");
		if (!f) {
			cli_say("bench: cannot write %s: %s", paths[i], strerror(errno));
			return false;
		}
		fclose(f);
	}
	return true;
}

static int measure(const struct cli_common *common, const struct settings *s,
		   const struct bench_request *request)
{
	struct bench_result *result = calloc(1, sizeof(*result));
	struct sigaction action = {.sa_handler = stop};
	bool shown = false;
	const struct bench_progress progress = {.tell = show_progress, .context = &shown};
	char why[BENCH_WHY] = "";
	int r, status;

	if (!result)
		return CLI_FAILED;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	r = bench_measure(request, &progress, &stopped, result, why);
	if (shown)
		fputs("\r\033[K", stderr);
	if (r < 0) {
		cli_say("bench %s: %s", request->workload->name, why);
		free(result);
		return stopped ? INTERRUPTED : CLI_FAILED;
	}
	status = show(common, s, result);
	if (result->interrupted)
		status = INTERRUPTED;
	bench_result_free(result);
	free(result);
	return status;
}

static int run(const struct cli_common *common, void *context, int count, char **words)
{
	struct settings *s = context;
	struct bench_request request;
	int status = CLI_USAGE;

	setlocale(LC_CTYPE, "");
	if (s->list)
		return list_workloads();
	request.command = NULL;
	if (make_request(s, count, words, &request) == 0 && can_write(s))
		status = measure(common, s, &request);
	free((char *)request.command);
	for (size_t i = 0; i < s->peer_count; i++)
		free((char *)s->peers[i].name);
	return status;
}

static void help_workloads(FILE *stream)
{
	fputs("\nWorkloads:\n", stream);
	for (const struct bench_workload *const *w = bench_workloads; *w; w++)
		fprintf(stream, "  %-12s %s\n", (*w)->name, (*w)->what);
}

const struct cli_verb cli_bench = {
	.name = "bench",
	.args = "[WORKLOAD]",
	.summary = "what a task costs, by each way to make one",
	.about =
		"Runs ways to make a task in turn, in one process tree and in an order shuffled anew,\n"
		"and tells medians and ratios with their intervals. Exit status: 0, 1 nothing could\n"
		"be measured, 2 usage, 130 stopped by a signal, with what there was.",
	.more_help = help_workloads,
	.options = options,
	.settings_size = sizeof(struct settings),
	.run = run,
};
