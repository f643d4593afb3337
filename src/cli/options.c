/* SPDX-License-Identifier: MIT */
/* Options by rows: parsing, help, and a guess at what a wrong word was meant to be. */
#include "cli/cli.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_MAX 128
#define HELP_COLUMN 28

static const char *const color_words[] = {
	[OUT_COLOR_AUTO] = "auto",
	[OUT_COLOR_ALWAYS] = "always",
	[OUT_COLOR_NEVER] = "never",
	NULL,
};

/* Rows of every verb; their fields are in struct cli_common. */
static const struct cli_option common_options[] = {
	{.name = "--color",
	 .arg = "auto|always|never",
	 .help = "mark what differs; auto: on a terminal, unless NO_COLOR is set",
	 .set = cli_set_word,
	 .offset = CLI_FIELD(struct cli_common, color),
	 .words = color_words},
	{.name = "--help",
	 .letter = 'h',
	 .help = "this text",
	 .set = cli_set_flag,
	 .offset = CLI_FIELD(struct cli_common, help)},
	{0},
};

void cli_say(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	fputs("ramet: ", stderr);
	vfprintf(stderr, format, ap);
	fputc('\n', stderr);
	va_end(ap);
}

/* ---- setters ------------------------------------------------------------------------------- */

const char *cli_set_flag(const struct cli_option *option, const char *value, void *field)
{
	(void)option;
	(void)value;
	*(bool *)field = true;
	return NULL;
}

const char *cli_set_string(const struct cli_option *option, const char *value, void *field)
{
	(void)option;
	*(const char **)field = value;
	return NULL;
}

const char *cli_set_word(const struct cli_option *option, const char *value, void *field)
{
	static char wanted[160]; /* "auto|always|never" */
	size_t n = 0;

	for (int i = 0; option->words[i]; i++) {
		if (!strcmp(value, option->words[i])) {
			*(int *)field = i;
			return NULL;
		}
	}
	for (int i = 0; option->words[i] && n < sizeof(wanted); i++)
		n += (size_t)snprintf(wanted + n, sizeof(wanted) - n, "%s%s", i ? "|" : "",
				      option->words[i]);
	return wanted;
}

const char *cli_set_number(const struct cli_option *option, const char *value, void *field)
{
	char *end;
	long n;

	(void)option;
	errno = 0;
	n = strtol(value, &end, 0);
	if (errno || end == value || *end || n < 0)
		return "a number";
	*(long *)field = n;
	return NULL;
}

/* ---- guessing ------------------------------------------------------------------------------ */

/* Edits (insert, delete, replace, swap neighbours) from a to b, both short. */
static unsigned distance(const char *a, const char *b)
{
	enum { MAX = 32 };
	unsigned d[MAX + 1][MAX + 1];
	size_t n = strlen(a), m = strlen(b);

	if (n > MAX || m > MAX)
		return MAX;
	for (size_t i = 0; i <= n; i++)
		d[i][0] = (unsigned)i;
	for (size_t k = 0; k <= m; k++)
		d[0][k] = (unsigned)k;
	for (size_t i = 1; i <= n; i++) {
		for (size_t k = 1; k <= m; k++) {
			unsigned best = d[i - 1][k - 1] + (a[i - 1] != b[k - 1]);

			if (d[i - 1][k] + 1 < best)
				best = d[i - 1][k] + 1;
			if (d[i][k - 1] + 1 < best)
				best = d[i][k - 1] + 1;
			if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1] &&
			    d[i - 2][k - 2] + 1 < best)
				best = d[i - 2][k - 2] + 1;
			d[i][k] = best;
		}
	}
	return d[n][m];
}

const char *cli_nearest(const char *word, const char *const *words)
{
	const char *found = NULL;
	unsigned best = 4, limit = (unsigned)strlen(word) / 3 + 1;

	for (; *words; words++) {
		unsigned d = distance(word, *words);

		if (d < best && d <= limit) {
			best = d;
			found = *words;
		}
	}
	return found;
}

/* ---- parsing ------------------------------------------------------------------------------- */

struct parse {
	const struct cli_verb *verb;
	struct cli_common *common;
	void *settings;
	char **next; /* of argv */
};

/* The row of "--name" (length n) or of a letter; its field in *ret_base. */
static const struct cli_option *find(const struct parse *p, const char *name, size_t n, char letter,
				     void **ret_base)
{
	const struct cli_option *rows[] = {p->verb->options, common_options};
	void *bases[] = {p->settings, p->common};

	for (int i = 0; i < 2; i++) {
		for (const struct cli_option *o = rows[i]; o && o->name; o++) {
			if (letter ? o->letter != letter : strncmp(o->name, name, n) || o->name[n])
				continue;
			*ret_base = bases[i];
			return o;
		}
	}
	return NULL;
}

static int unknown(const struct parse *p, const char *word, size_t n)
{
	const struct cli_option *rows[] = {p->verb->options, common_options};
	const char *names[NAMES_MAX + 1], *near;
	char name[64];
	size_t count = 0;

	for (int i = 0; i < 2; i++)
		for (const struct cli_option *o = rows[i]; o && o->name && count < NAMES_MAX; o++)
			if (o->help)
				names[count++] = o->name;
	names[count] = NULL;
	snprintf(name, sizeof(name), "%.*s", (int)(n < 60 ? n : 60), word);
	near = cli_nearest(name, names);
	if (near)
		cli_say("%s: no option %s; did you mean %s?", p->verb->name, name, near);
	else
		cli_say("%s: no option %s; see ramet %s --help", p->verb->name, name,
			p->verb->name);
	return -EINVAL;
}

static int apply(const struct cli_option *o, void *base, const char *value)
{
	const char *wanted = o->set(o, value, (char *)base + o->offset);

	if (!wanted)
		return 0;
	cli_say("%s: '%s' is not %s", o->name, value ? value : "", wanted);
	return -EINVAL;
}

/* "[=SECONDS]": a value only behind '='. */
static bool is_optional(const struct cli_option *o)
{
	return o->arg && o->arg[0] == '[';
}

static int needs_value(const struct cli_option *o)
{
	cli_say("%s needs a value: %s", o->name, o->arg);
	return -EINVAL;
}

/* --name, --name=value, --name value */
static int parse_long(struct parse *p, const char *word)
{
	size_t n = strcspn(word, "=");
	const char *value = word[n] ? word + n + 1 : NULL;
	const struct cli_option *o;
	void *base;

	o = find(p, word, n, 0, &base);
	if (!o)
		return unknown(p, word, n);
	if (!o->arg && value) {
		cli_say("%s takes no value", o->name);
		return -EINVAL;
	}
	if (o->arg && !value && !is_optional(o) && !(value = *p->next ? *p->next++ : NULL))
		return needs_value(o);
	return apply(o, base, value);
}

/* -v, -vh, -oFILE, -o FILE */
static int parse_letters(struct parse *p, const char *word)
{
	for (const char *c = word + 1; *c; c++) {
		const struct cli_option *o;
		const char *value = NULL;
		char name[] = {'-', *c, 0};
		void *base;
		int r;

		o = find(p, NULL, 0, *c, &base);
		if (!o)
			return unknown(p, name, 2);
		if (o->arg) {
			value = c[1] ? c + 1 : *p->next ? *p->next++ : NULL;
			if (!value)
				return needs_value(o);
		}
		r = apply(o, base, value);
		if (r < 0 || o->arg)
			return r;
	}
	return 0;
}

int cli_parse(const struct cli_verb *verb, struct cli_common *common, void *settings, char **argv)
{
	struct parse p = {.verb = verb, .common = common, .settings = settings, .next = argv + 1};
	int count = 0, r = 0;

	while (r == 0 && *p.next) {
		char *word = *p.next++;

		if (!strcmp(word, "--")) {
			while (*p.next)
				argv[++count] = *p.next++;
		} else if (word[0] == '-' && word[1] == '-') {
			r = parse_long(&p, word);
		} else if (word[0] == '-' && word[1]) {
			r = parse_letters(&p, word);
		} else {
			argv[++count] = word;
			while (verb->program && *p.next)
				argv[++count] = *p.next++;
		}
	}
	if (r < 0)
		return r;
	argv[count + 1] = NULL;
	return count;
}

/* ---- help ---------------------------------------------------------------------------------- */

/* Columns of a text: bytes that begin a character of UTF-8. */
static int width(const char *text)
{
	int n = 0;

	for (; *text; text++)
		n += (*text & 0xc0) != 0x80;
	return n;
}

static void help_rows(const struct cli_option *o, FILE *stream)
{
	for (; o && o->name; o++) {
		char left[96];

		if (!o->help)
			continue;
		if (o->letter)
			snprintf(left, sizeof(left), "  -%c, ", o->letter);
		else
			snprintf(left, sizeof(left), "      ");
		snprintf(left + 6, sizeof(left) - 6, "%s%s%s", o->name,
			 o->arg && !is_optional(o) ? "=" : "", o->arg ? o->arg : "");
		if (width(left) > HELP_COLUMN - 2)
			fprintf(stream, "%s\n%*s%s\n", left, HELP_COLUMN, "", o->help);
		else
			fprintf(stream, "%s%*s%s\n", left, HELP_COLUMN - width(left), "", o->help);
	}
}

void cli_help(const struct cli_verb *verb, FILE *stream)
{
	fprintf(stream, "ramet %s [OPTION]… %s\n\n%s\n\n", verb->name, verb->args, verb->about);
	help_rows(verb->options, stream);
	help_rows(common_options, stream);
	if (verb->more_help)
		verb->more_help(stream);
}
