/* SPDX-License-Identifier: MIT */
/* ramet tree */
#include <errno.h>
#include <limits.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/tree.h"
#include "tree/tree.h"

struct settings {
	bool table;
	bool threads;
	bool all;
	bool diff;
	bool json;
	enum ramet_resource by; /* 0: not asked for */
	pid_t with;
	double watch; /* seconds; 0: once */
	const char *output;
};

/* ---- options ------------------------------------------------------------------------------- */

static const char *set_pid(const struct cli_option *option, const char *value, void *field)
{
	char *end;
	long pid;

	(void)option;
	errno = 0;
	pid = strtol(value, &end, 10);
	if (errno || *end || *value < '0' || *value > '9' || pid < 1 || pid > INT_MAX)
		return "the number of a task";
	*(pid_t *)field = (pid_t)pid;
	return NULL;
}

static const char *set_resource(const struct cli_option *option, const char *value, void *field)
{
	(void)option;
	if (!strcmp(value, ramet_resource_name(RAMET_TLS)))
		return "to be seen from outside; take another resource";
	for (size_t i = 0; i < TREE_RESOURCES; i++) {
		if (strcmp(value, ramet_resource_name(tree_resources[i].resource)) != 0)
			continue;
		*(enum ramet_resource *)field = tree_resources[i].resource;
		return NULL;
	}
	return "one of memory files fs sighand io sysvsem thread-group parent mnt pid net ipc uts "
	       "user cgroupns time cgroup";
}

static const char *set_seconds(const struct cli_option *option, const char *value, void *field)
{
	char *end;
	double seconds = 2;

	(void)option;
	if (value) {
		seconds = strtod(value, &end);
		if (end == value || *end || !(seconds >= 0.05 && seconds <= 86400))
			return "a number of seconds from 0.05 to 86400";
	}
	*(double *)field = seconds;
	return NULL;
}

#define FIELD(member) CLI_FIELD(struct settings, member)

static const struct cli_option options[] = {
	{.name = "--threads",
	 .letter = 't',
	 .help = "a row for each thread",
	 .set = cli_set_flag,
	 .offset = FIELD(threads)},
	{.name = "--table",
	 .help = "flat, by number, not as a family",
	 .set = cli_set_flag,
	 .offset = FIELD(table)},
	{.name = "--by",
	 .arg = "RESOURCE",
	 .help = "grouped by what they have of it: memory, files, net, cgroup …",
	 .set = set_resource,
	 .offset = FIELD(by)},
	{.name = "--with",
	 .arg = "PID",
	 .help = "only those that share anything with it that not everybody shares",
	 .set = set_pid,
	 .offset = FIELD(with)},
	{.name = "--diff",
	 .help = "of two tasks, what differs",
	 .set = cli_set_flag,
	 .offset = FIELD(diff)},
	{.name = "--all",
	 .letter = 'a',
	 .help = "kernel threads and zombies too",
	 .set = cli_set_flag,
	 .offset = FIELD(all)},
	{.name = "--output",
	 .letter = 'o',
	 .arg = "COL,…",
	 .help = "these columns; +COL,… more of them; all; help lists them",
	 .set = cli_set_string,
	 .offset = FIELD(output)},
	{.name = "--watch",
	 .arg = "[=SECONDS]",
	 .help = "draw it again every 2 seconds, until Ctrl-C",
	 .set = set_seconds,
	 .offset = FIELD(watch)},
	{.name = "--json",
	 .help = "for programs; see ramet-tree(1)",
	 .set = cli_set_flag,
	 .offset = FIELD(json)},
	{0},
};

/* ---- columns ------------------------------------------------------------------------------- */

static int unknown_column(const char *name, size_t n)
{
	const char *names[TREE_COLUMNS_MAX + 1] = {NULL}, *near;
	char word[40];
	size_t count = 0;

	snprintf(word, sizeof(word), "%.*s", (int)(n < 32 ? n : 32), name);
	for (char *c = word; *c; c++)
		*c = (char)(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
	for (const struct tree_column *c = tree_columns; c->name; c++)
		names[count++] = c->name;
	near = cli_nearest(word, names);
	if (near)
		cli_say("--output: no column %s; did you mean %s?", word, near);
	else
		cli_say("--output: no column '%s'; -o help lists them", word);
	return -EINVAL;
}

/* The default ones: on a wide screen more, for programs all that cannot block. */
static void choose_default(struct tree_request *request, const struct tree_column **columns,
			   bool json)
{
	const int wide = out_width(stdout);
	bool room = !json;
	int used = 0;

	for (const struct tree_column *c = tree_columns; c->name; c++)
		used += c->flags & (TREE_DEFAULT | TREE_NOTED) ? c->width + 1 : 0;
	for (const struct tree_column *c = tree_columns; c->name; c++) {
		bool take = c->flags & (TREE_DEFAULT | TREE_NOTED | TREE_SHARED);

		if (json)
			take = !(c->needs & INSPECT_NEED_COMMAND);
		if (c->flags & TREE_WIDE && room) {
			used += c->width + 1;
			take = room = used <= wide;
		}
		if (take)
			columns[request->column_count++] = c;
	}
}

static bool is_chosen(const struct tree_request *request, const struct tree_column *column)
{
	for (size_t i = 0; i < request->column_count; i++)
		if (request->columns[i] == column)
			return true;
	return false;
}

/* The last column may be a text that wraps; what is added goes in front of it. */
static void add_column(struct tree_request *request, const struct tree_column *column)
{
	size_t at = request->column_count;

	if (is_chosen(request, column) || at >= TREE_COLUMNS_MAX)
		return;
	if (!request->chosen && at && request->columns[at - 1]->flags & TREE_WRAP) {
		request->columns[at] = request->columns[at - 1];
		at--;
	}
	request->columns[at] = column;
	request->column_count++;
}

static int read_columns(const struct settings *settings, struct tree_request *request)
{
	const char *at = settings->output;

	if (!at || *at == '+')
		choose_default(request, request->columns, settings->json);
	if (!at)
		return 0;
	request->chosen = *at != '+';
	at += *at == '+';
	if (!strcmp(at, "all")) {
		for (const struct tree_column *c = tree_columns; c->name; c++)
			add_column(request, c);
		return 0;
	}
	for (;;) {
		size_t n = strcspn(at, ",");
		const struct tree_column *column = tree_column(at, n);

		if (!column)
			return unknown_column(at, n);
		add_column(request, column);
		if (!at[n])
			return 0;
		at += n + 1;
	}
}

/* ---- the request --------------------------------------------------------------------------- */

static unsigned needs_of(const struct settings *settings, const struct tree_request *request)
{
	const struct tree_resource *by = settings->by ? tree_resource(settings->by) : NULL;
	unsigned needs = 0;

	for (size_t i = 0; i < request->column_count; i++)
		needs |= request->columns[i]->needs;
	if (settings->with)
		needs |= INSPECT_NEED_CLASSES | INSPECT_NEED_NS;
	if (settings->diff)
		needs = INSPECT_NEED_CLASSES | INSPECT_NEED_NS | INSPECT_NEED_RIGHTS |
			INSPECT_NEED_CGROUP | INSPECT_NEED_EACH_THREAD;
	if (by && by->object)
		needs |= (unsigned)INSPECT_NEED_CLASS << by->object;
	if (by && by->ns >= 0)
		needs |= INSPECT_NEED_NS;
	if (settings->by == RAMET_CGROUP)
		needs |= INSPECT_NEED_CGROUP;
	if (request->threads)
		needs |= INSPECT_NEED_EACH_THREAD;
	return needs;
}

/* Options that say different things. */
static const char *contradiction(const struct settings *s, int count)
{
	const int forms = s->table + (s->by != 0) + s->diff;

	if (s->diff && count != 2)
		return "--diff compares two tasks: give two numbers";
	if (s->diff && (s->with || s->output || s->watch))
		return "--diff shows two tasks as they are: no --with, --output or --watch";
	if (forms > 1)
		return "one of --table, --by and --diff";
	if (s->with && count)
		return "--with shows who shares with one task: no other numbers";
	if (s->watch && s->json)
		return "--watch is for people, --json for programs";
	if (s->watch && !isatty(STDOUT_FILENO))
		return "--watch needs a terminal";
	return NULL;
}

static int read_pids(char **words, int count, pid_t *pids)
{
	for (int i = 0; i < count; i++) {
		const char *wrong = set_pid(NULL, words[i], &pids[i]);

		if (wrong) {
			cli_say("tree: '%s' is not %s", words[i], wrong);
			return -EINVAL;
		}
	}
	return 0;
}

/* ---- showing ------------------------------------------------------------------------------- */

struct drawing {
	const struct settings *settings;
	const struct tree_request *request;
	bool color;
};

static int show(const struct drawing *d, const struct tree *t, size_t lines)
{
	const struct tree_view view = {.out = stdout, .color = d->color, .lines = lines};

	if (d->settings->diff)
		return d->settings->json ? tree_diff_json(t, stdout) : tree_diff_text(t, &view);
	return d->settings->json ? tree_view_json(t, stdout) : tree_view_text(t, &view);
}

static int cannot_read(int r)
{
	if (r == -ENOENT)
		cli_say("tree: there is no /proc here; mount it: mount -t proc proc /proc");
	else
		cli_say("tree: cannot read /proc: %s", strerror(-r));
	return -1;
}

/* Exit status; negative: there is no use in going on. Warnings come last, where they are seen. */
static int draw(void *context, size_t lines)
{
	const struct drawing *d = context;
	struct tree t;
	char reason[512];
	int r, status = CLI_OK;

	r = tree_make(d->request, d->settings->json, &t);
	if (r < 0) {
		tree_free(&t);
		return cannot_read(r);
	}
	if (t.missing)
		status = CLI_FAILED;
	if (!t.missing || t.row_count) {
		r = d->settings->diff && t.missing ? 0 : show(d, &t, lines);
		if (r < 0 && r != -ESRCH)
			status = -1;
	}
	tree_reason(&t, reason, sizeof(reason));
	fflush(stdout);
	if (status < 0)
		cli_say("cannot print: %s", strerror(-r));
	if (t.missing)
		cli_say("tree: there is no task %d here", (int)t.missing);
	if (reason[0] && !d->settings->json)
		cli_say("%s", reason);
	tree_free(&t);
	return status;
}

static int run(const struct cli_common *common, void *context, int count, char **words)
{
	const struct settings *settings = context;
	const struct tree_column *columns[TREE_COLUMNS_MAX];
	pid_t *pids = calloc((size_t)count + 1, sizeof(*pids));
	struct tree_request request = {
		.form = settings->by			    ? TREE_GROUPS
			: settings->table || settings->with ? TREE_FLAT
							    : TREE_FAMILY,
		.threads = settings->threads || settings->by == RAMET_THREAD_GROUP,
		.all = settings->all,
		.pids = pids,
		.pid_count = (size_t)count,
		.with = settings->with,
		.by = settings->by,
		.columns = columns,
	};
	struct drawing drawing = {.settings = settings, .request = &request};
	const char *wrong = contradiction(settings, count);
	int status;

	/* Branches of the tree and widths of names are those of the user's locale. */
	setlocale(LC_CTYPE, "");
	drawing.color = out_use_color(common->color, stdout);
	if (settings->output && !strcmp(settings->output, "help")) {
		tree_columns_help(stdout);
		free(pids);
		return CLI_OK;
	}
	if (wrong)
		cli_say("tree: %s", wrong);
	if (wrong || !pids || read_columns(settings, &request) < 0 ||
	    read_pids(words, count, pids) < 0) {
		free(pids);
		return CLI_USAGE;
	}
	request.needs = needs_of(settings, &request);
	status = settings->watch > 0 ? tree_watch(settings->watch, draw, &drawing)
				     : draw(&drawing, 0);
	free(pids);
	return status < 0 ? CLI_FAILED : status;
}

static void help_columns(FILE *stream)
{
	fputs("\nColumns:\n", stream);
	tree_columns_help(stream);
}

const struct cli_verb cli_tree = {
	.name = "tree",
	.args = "[PID]…",
	.summary = "live tasks and what they share with each other",
	.about =
		"Every task, or those named with their descendants. Who has the same memory, files,\n"
		"fs or signal handlers has the same letter in that column; '-' is its own, '?' is not\n"
		"to be known. Colour marks what processes share. Exit status: 0, 1 there is no such\n"
		"task or no /proc, 2 usage.",
	.more_help = help_columns,
	.options = options,
	.settings_size = sizeof(struct settings),
	.run = run,
};
