/* SPDX-License-Identifier: MIT */
/* ramet explain */
#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "caller/caller.h"
#include "cli/explain.h"
#include "spec/spec.h"

static const char *set_signal(const struct cli_option *option, const char *value, void *field)
{
	if (ramet_signal_parse(value) < 0)
		return "a signal";
	return cli_set_string(option, value, field);
}

static const char *set_arch(const struct cli_option *option, const char *value, void *field)
{
	enum line_arch_order order;

	if (line_arch(value, &order) < 0)
		return "a processor known here (x86_64, aarch64, riscv64, i386, arm, s390x …)";
	return cli_set_string(option, value, field);
}

#define FIELD(member) CLI_FIELD(struct explain_settings, member)

static const struct cli_option options[] = {
	{.name = "--call",
	 .arg = "NAME",
	 .help = "the words are for clone, clone3, unshare or setns (default: as it fits)",
	 .set = cli_set_word,
	 .offset = FIELD(call),
	 .words = explain_call_words},
	{.name = "--exit-signal",
	 .arg = "SIGNAL",
	 .help = "the exit signal, instead of one among the flags",
	 .set = set_signal,
	 .offset = FIELD(exit_signal)},
	{.name = "--caller",
	 .arg = "STATE,…",
	 .help = "who calls: uid=1000,threads=4,chroot … (default: this process)",
	 .set = explain_set_caller,
	 .offset = 0},
	{.name = "--kernel",
	 .arg = "VERSION",
	 .help = "by the rules of that kernel (default: this one; for lines any)",
	 .set = explain_set_kernel,
	 .offset = FIELD(kernel)},
	{.name = "--arch",
	 .arg = "NAME",
	 .help = "processor of lines with raw arguments (default: this one)",
	 .set = set_arch,
	 .offset = FIELD(arch)},
	{.name = "--walk",
	 .help = "go through the kernel's functions in their order",
	 .set = cli_set_flag,
	 .offset = FIELD(walk)},
	{.name = "--json",
	 .help = "one document for programs; see ramet-explain(1)",
	 .set = cli_set_flag,
	 .offset = FIELD(json)},
	{.name = "--jsonl",
	 .help = "one object a call, as they come",
	 .set = cli_set_flag,
	 .offset = FIELD(jsonl)},
	{0},
};

/* A call that was in the input once or more often. */
struct group {
	struct line_call line;
	size_t count;
	size_t next; /* index + 1 of the next with the same hash, 0: none */
};

#define BUCKETS 4096

/* More of a line is not looked at: no call is longer. */
#define LINE_ROOM (1 << 17)

struct session {
	const struct explain_settings *settings;
	struct explain_view view;
	struct line_reader *reader;
	struct group *groups; /* text: told at the end */
	size_t group_count, group_room;
	size_t buckets[BUCKETS];
	size_t lines;	     /* read of the stream at hand; 0: words of the command line */
	size_t fed;	     /* lines that the reader has had */
	size_t first, last;  /* of those, the lines of the stream: after first, up to last */
	size_t calls, total; /* total: lines of all streams */
	int status;
};

static void worse(struct session *s, int status)
{
	if (status > s->status)
		s->status = status;
}

static int no_memory(struct session *s)
{
	cli_say("%s", strerror(ENOMEM));
	s->status = CLI_USAGE;
	return -ENOMEM;
}

/* Text of others, fit for a terminal: what is no printable ASCII becomes '?'. */
static const char *visible(const char *text, size_t n, char *buf, size_t size)
{
	const bool cut = n >= size;

	if (cut)
		n = size - 4;
	for (size_t i = 0; i < n; i++)
		buf[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
	snprintf(buf + n, size - n, "%s", cut ? "..." : "");
	return buf;
}

/* ---- Calls that are alike ---- */

static size_t hash_of(const struct line_call *line)
{
	uint64_t h = line->call.flags * 0x9e3779b97f4a7c15ULL;

	h ^= (line->call.exit_signal << 7) + (uint64_t)line->call.entry + (uint64_t)line->error;
	h *= 0xff51afd7ed558ccdULL;
	return (size_t)(h >> 40) % BUCKETS;
}

static bool is_like(const struct line_call *a, const struct line_call *b)
{
	const bool one_name = a->name == b->name ||
			      (a->name && b->name && !strcmp(a->name, b->name));

	return one_name && a->call.entry == b->call.entry && a->call.flags == b->call.flags &&
	       a->call.exit_signal == b->call.exit_signal && a->error == b->error &&
	       !a->call.stack == !b->call.stack && !a->source == !b->source &&
	       a->library == b->library && !strcmp(a->function, b->function) &&
	       (a->given & (LINE_FLAGS | LINE_RESULT | LINE_ERROR | LINE_EXIT_SIGNAL)) ==
		       (b->given & (LINE_FLAGS | LINE_RESULT | LINE_ERROR | LINE_EXIT_SIGNAL));
}

/* What differs between calls of a group is not shown of any. */
static void join_group(struct group *group, const struct line_call *line)
{
	struct line_call *kept = &group->line;

	group->count++;
	kept->result = 0;
	kept->given &= line->given;
	if (kept->call.parent_tid != line->call.parent_tid)
		kept->given &= ~(uint32_t)LINE_PARENT_TID;
	if (kept->call.child_tid != line->call.child_tid)
		kept->given &= ~(uint32_t)LINE_CHILD_TID;
	if (kept->call.pidfd != line->call.pidfd)
		kept->given &= ~(uint32_t)LINE_PIDFD;
}

static int add_group(struct session *s, const struct line_call *line)
{
	size_t *head = &s->buckets[hash_of(line)];
	struct group *more;

	for (size_t i = *head; i; i = s->groups[i - 1].next) {
		if (!is_like(&s->groups[i - 1].line, line))
			continue;
		join_group(&s->groups[i - 1], line);
		return 0;
	}
	if (s->group_count == s->group_room) {
		s->group_room = s->group_room ? 2 * s->group_room : 16;
		more = realloc(s->groups, s->group_room * sizeof(*more));
		if (!more)
			return no_memory(s);
		s->groups = more;
	}
	s->groups[s->group_count] = (struct group){.line = *line, .count = 1, .next = *head};
	*head = ++s->group_count;
	return 0;
}

/* ---- One call ---- */

static void explain(const struct session *s, const struct line_call *line, struct explanation *ret)
{
	struct ramet_caller caller = s->settings->caller;

	/* Who knows where that was seen? */
	if (line->source && !s->settings->kernel)
		caller.kernel = 0;
	explain_call(line, &caller, ret);
}

static int show_groups(struct session *s)
{
	int r = 0;

	for (size_t i = 0; i < s->group_count && r == 0; i++) {
		struct explanation e;

		if (i)
			fputc('\n', s->view.out);
		explain(s, &s->groups[i].line, &e);
		r = s->settings->walk ? explain_view_walk(&s->view, &e)
				      : explain_view_text(&s->view, &e, s->groups[i].count);
	}
	return r;
}

/* In the document's list: as it is printed alone, further to the right. */
static void put_indented(FILE *out, const char *text)
{
	fputs("    ", out);
	for (; *text; text++) {
		fputc(*text, out);
		if (*text == '\n')
			fputs("    ", out);
	}
}

/* The document is written as the calls come, so that its length does not matter. */
static int put_json(struct session *s, struct json_object *object)
{
	const int style = JSON_C_TO_STRING_NOSLASHESCAPE |
			  (s->settings->json ? JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED
					     : JSON_C_TO_STRING_PLAIN);
	const char *text = object ? json_object_to_json_string_ext(object, style) : NULL;

	if (text && s->settings->json) {
		fputs(s->calls > 1 ? ",\n" : "{\n  \"schema\": 1,\n  \"calls\": [\n", s->view.out);
		put_indented(s->view.out, text);
	} else if (text) {
		fputs(text, s->view.out);
		fputc('\n', s->view.out);
	}
	json_object_put(object);
	return text ? 0 : no_memory(s);
}

static int take_call(struct session *s, const struct line_call *line, const char *input)
{
	struct explanation e;

	s->calls++;
	explain(s, line, &e);
	if (e.verdict == EXPLAIN_REFUSED)
		worse(s, CLI_FAILED);
	if (s->settings->json || s->settings->jsonl)
		return put_json(s, explain_json(&e, input));
	return add_group(s, line);
}

/* ---- What is not understood ---- */

static void say_strange(struct session *s, const char *text, size_t n, const char *why)
{
	char shown[200];

	worse(s, CLI_USAGE);
	visible(text, n, shown, sizeof(shown));
	if (s->lines)
		cli_say("explain: line %zu: '%s' %s", s->lines, shown, why);
	else
		cli_say("explain: '%s' %s", shown, why);
}

/* ---- Inputs ---- */

/* Could this be words of flags, rather than a line about a call or bytes of any kind? */
static bool is_word(const char *text)
{
	for (; *text; text++)
		if (strchr("(=:<>[{", *text) || *text > '~' || (*text < ' ' && *text != '\t'))
			return false;
	return true;
}

/* Text that nobody would take for an attempt at flags: the rest of a log. */
static bool is_prose(const char *text)
{
	if (strncmp(text, "0x", 2) == 0 && !strchr(text, ' '))
		return false;
	return !strstr(text, "CLONE_") && (!strchr(text, '|') || strchr(text, ' '));
}

/* The reader counts all that it is fed; its lines before this stream have no number here. */
static void set_lines(const struct session *s, struct line_call *line)
{
	const bool here = line->first_line > s->first && line->first_line <= s->last;

	line->first_line = here ? line->first_line - s->first : 0;
	line->last_line = here ? line->last_line - s->first : 0;
}

/* A call as one writes it, without a result: nobody made it, so the rules judge. */
static void set_written(struct line_call *line, const char *text, size_t n)
{
	if (line->given & (LINE_RESULT | LINE_ERROR) || !n || text[n - 1] != ')')
		return;
	line->source = NULL;
	line->library |= !strcmp(line->name, "fork");
	explain_fill_in(line);
}

static int feed(struct session *s, const char *text, size_t n, struct line_call *ret)
{
	s->fed++;
	return line_reader_feed(s->reader, text, n, ret);
}

/*
 * "pid_t pid = clone (fn, …);" is of a program: the call alone, without blanks before its bracket,
 * in memory of its own.
 */
static char *call_of_statement(const char *text)
{
	static const char word[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789_";
	static const char left[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "0123456789_ \t*.->[]";
	const size_t n = strspn(text, left);
	const char *right = text + n + (text[n] == '=');
	char *call, *name, *bracket;

	right += strspn(right, " \t");
	if (!n || text[n] != '=' || right[strspn(right, left)] != '(')
		right = text;
	call = strdup(right);
	if (!call)
		return NULL;
	for (size_t end = strlen(call); end && strchr("; \t", call[end - 1]);)
		call[--end] = '\0';
	name = call + strspn(call, word);
	bracket = name + strspn(name, " \t");
	if (name > call && *bracket == '(')
		memmove(name, bracket, strlen(bracket) + 1);
	return call;
}

/* Not about such a call, or not understood. */
static void say_other(struct session *s, const char *text, size_t n, int kind)
{
	if (kind == LINE_STRANGE && s->lines)
		say_strange(s, text, n, "is about such a call, but not understood");
	else if (!s->lines && (kind == LINE_STRANGE || strstr(text, "CLONE_")))
		say_strange(s, text, n,
			    "is not understood; flags alone are enough: 'CLONE_VM|SIGCHLD'");
	else if (kind == LINE_OTHER && !s->lines)
		say_strange(s, text, n, "is no call that makes a task or changes what one shares");
}

static int take_line(struct session *s, const char *text, size_t n)
{
	char *written = s->lines ? NULL : call_of_statement(text);
	const char *call = written ? written : text;
	const size_t size = written ? strlen(written) : n;
	struct line_call line;
	int kind, r = 0;

	kind = s->lines || written ? feed(s, call, size, &line) : -ENOMEM;
	if (kind < 0)
		r = no_memory(s);
	if (kind == LINE_CALL) {
		set_lines(s, &line);
		if (!s->lines)
			set_written(&line, call, size);
		r = take_call(s, &line, text);
	} else if (kind >= 0 && kind != LINE_PART) {
		say_other(s, text, n, kind);
	}
	free(written);
	return r;
}

static int take(struct session *s, char *text, size_t n)
{
	struct line_call line;
	char why[200];

	while (n && (text[n - 1] == '\n' || text[n - 1] == '\r'))
		text[--n] = '\0';
	if (s->lines && !n)
		return take_line(s, text, n);
	if (strlen(text) != n || !is_word(text))
		return take_line(s, text, n);
	if (explain_read_word(s->settings, text, &line, why, sizeof(why))) {
		line.first_line = line.last_line = s->lines;
		return take_call(s, &line, text);
	}
	if (s->lines && is_prose(text))
		return take_line(s, text, n);
	say_strange(s, text, n, why);
	return 0;
}

static int take_numbered(struct session *s, char *text, size_t n)
{
	const size_t fed = s->fed;
	struct line_call ignored;
	int r;

	s->lines++;
	s->total++;
	r = take(s, text, n);
	/* A word: the reader has to count it too. */
	if (r == 0 && s->fed == fed)
		feed(s, "", 0, &ignored);
	return r;
}

static void begin_stream(struct session *s)
{
	s->first = s->fed;
	s->last = SIZE_MAX;
}

static void end_stream(struct session *s)
{
	s->last = s->fed;
	s->lines = 0;
}

struct input {
	char *text;
	size_t used;
	bool skipping; /* the rest of a line that is too long */
};

/* All whole lines of what was read; a rest without its end is moved to the front. */
static int take_lines(struct session *s, struct input *in)
{
	char *at = in->text, *end = in->text + in->used, *newline;
	int r = 0;

	while (r == 0 && (newline = memchr(at, '\n', (size_t)(end - at)))) {
		*newline = '\0';
		if (!in->skipping)
			r = take_numbered(s, at, (size_t)(newline - at));
		in->skipping = false;
		at = newline + 1;
	}
	if (in->skipping)
		at = end;
	if (r == 0 && at == in->text && in->used == LINE_ROOM) {
		*end = '\0';
		r = take_numbered(s, at, in->used);
		in->skipping = true;
		at = end;
	}
	in->used = (size_t)(end - at);
	memmove(in->text, at, in->used);
	return r;
}

static int take_stream(struct session *s)
{
	struct input in = {.text = malloc(LINE_ROOM + 1)};
	int r = in.text ? 0 : no_memory(s);
	ssize_t n = 1;

	begin_stream(s);
	while (r == 0 && n) {
		/* Whoever reads along has it before this waits. */
		if (s->settings->jsonl)
			r = out_finish(s->view.out);
		if (r < 0)
			break;
		n = read(STDIN_FILENO, in.text + in.used, LINE_ROOM - in.used);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			cli_say("explain: cannot read standard input: %s", strerror(errno));
			worse(s, CLI_USAGE);
			break;
		}
		in.used += (size_t)n;
		r = take_lines(s, &in);
	}
	if (r == 0 && in.used) {
		in.text[in.used] = '\0';
		r = take_numbered(s, in.text, in.used);
	}
	end_stream(s);
	free(in.text);
	return r;
}

/* An argument of several lines is a log that was quoted. */
static int take_argument(struct session *s, char *text)
{
	char *next;
	int r = 0;

	if (!strcmp(text, "-"))
		return take_stream(s);
	if (!strchr(text, '\n'))
		return take(s, text, strlen(text));
	begin_stream(s);
	while (r == 0 && (next = strsep(&text, "\n")))
		r = take_numbered(s, next, strlen(next));
	end_stream(s);
	return r;
}

static int take_rest(struct session *s)
{
	struct line_call line;
	int kind, r = 0;

	while (r == 0 && (kind = line_reader_finish(s->reader, &line)) == LINE_CALL) {
		set_lines(s, &line);
		r = take_call(s, &line, NULL);
	}
	return r;
}

/* ---- */

static int show_map(struct session *s)
{
	struct json_object *map;

	if (!s->settings->json && !s->settings->jsonl)
		return explain_view_map(&s->view);
	map = explain_map_json();
	return map ? out_json(s->view.out, map) : -ENOMEM;
}

static int finish(struct session *s)
{
	if (!s->calls && s->total && !s->status && !s->settings->json && !s->settings->jsonl)
		cli_say("explain: no call that makes a task or changes what one shares in %zu line%s",
			s->total, s->total == 1 ? "" : "s");
	if (s->settings->jsonl)
		return 0;
	if (!s->settings->json)
		return show_groups(s);
	fputs(s->calls ? "\n  ]\n}\n" : "{\n  \"schema\": 1,\n  \"calls\": []\n}\n", s->view.out);
	return 0;
}

/* Who calls: this process, or what was said; the kernel likewise. */
static void settle_caller(struct explain_settings *settings)
{
	const struct ramet_call any = {.entry = RAMET_ENTRY_CLONE3};
	struct ramet_caller own;

	caller_read(&any, &own);
	if (settings->has_caller) {
		settings->caller.kernel = own.kernel;
		settings->caller.tls_limit = own.tls_limit;
		settings->caller.known |= own.known & RAMET_KNOWN_TLS;
	} else {
		settings->caller = own;
	}
	if (settings->kernel)
		settings->caller.kernel = settings->kernel;
}

static int take_all(struct session *s, int count, char **words)
{
	int r = count ? 0 : show_map(s);

	for (int i = 0; i < count && r == 0; i++)
		r = take_argument(s, words[i]);
	if (r == 0 && count)
		r = take_rest(s);
	if (r == 0 && count)
		r = finish(s);
	return r;
}

/* Options that contradict each other, or speak of a call where there is none; NULL: none do. */
static const char *contradiction(const struct explain_settings *s, int count)
{
	if (s->json && s->jsonl)
		return "--json and --jsonl: one or the other";
	if (s->walk && (s->json || s->jsonl))
		return "--walk is text, without --json and --jsonl";
	if (s->exit_signal && !explain_makes_task(s))
		return "--exit-signal is for clone and clone3: unshare and setns make no task";
	if (!count && (s->call || s->exit_signal || s->arch || s->has_caller || s->kernel ||
		       s->walk || s->jsonl))
		return "no call is given; '-' reads calls from standard input";
	return NULL;
}

/* What is printed must arrive: 2, since 1 is a refused call. */
static int print_all(struct session *s, int count, char **words)
{
	int r = take_all(s, count, words);

	if (r == 0)
		r = out_finish(s->view.out);
	if (r < 0 && r != -ENOMEM) {
		cli_say("cannot write to standard output: %s", strerror(-r));
		out_forget(s->view.out);
	}
	return r;
}

static int run(const struct cli_common *common, void *field, int count, char **words)
{
	struct explain_settings *settings = field;
	struct session s = {
		.settings = settings,
		.view = {.out = stdout, .color = out_use_color(common->color, stdout)},
	};
	const char *wrong = contradiction(settings, count);
	enum line_arch_order order;
	struct utsname uts;
	int r;

	if (wrong) {
		cli_say("explain: %s", wrong);
		return CLI_USAGE;
	}
	settle_caller(settings);
	uname(&uts);
	if (line_arch(settings->arch ? settings->arch : uts.machine, &order) < 0)
		order = LINE_ORDER_DEFAULT;
	s.reader = line_reader_new(order);
	r = s.reader ? print_all(&s, count, words) : no_memory(&s);
	line_reader_free(s.reader);
	free(s.groups);
	return r < 0 && s.status < CLI_USAGE ? CLI_USAGE : s.status;
}

const struct cli_verb cli_explain = {
	.name = "explain",
	.args = "[FLAGS | NUMBER | PRESET | LINE of strace, ltrace, perf, audit | -]…",
	.summary = "say what a call gives, or which rule refuses it and what would mend it",
	.about =
		"Says in words what a call of clone, clone3, unshare or setns gives, who issues such calls,\n"
		"and whether the kernel takes it; if not, which rule refuses it and what it would take\n"
		"instead. FLAGS: 'CLONE_VM|CLONE_FILES|SIGCHLD', 'vm|files', 0x3d0f00. LINE: as a tracing\n"
		"tool printed it; its own result is then the verdict. -: lines from standard input.\n"
		"Without arguments: the map of all flags, presets, processes and threads.\n"
		"Exit status: 0 accepted, 1 refused, 2 not understood.",
	.options = options,
	.settings_size = sizeof(struct explain_settings),
	.run = run,
};
