/* SPDX-License-Identifier: MIT */
/* ramet VERB …: finds the verb, parses by its rows, and sees that what was printed arrived. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

static const struct cli_verb *const verbs[] = {
	&cli_run, &cli_probe, &cli_explain, &cli_trace, &cli_tree, &cli_bench,
};

#define VERB_COUNT (sizeof(verbs) / sizeof(*verbs))

/*
 * A closed stdin, stdout or stderr would be the number of the next file opened, and that file
 * what we print to. Opened the wrong way round, so that use of them still fails, and closed
 * again for a program that is run.
 */
static void fill_standard(void)
{
	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			(void)!open("/dev/null", (fd == 0 ? O_WRONLY : O_RDONLY) | O_CLOEXEC);
}

static void show_words(FILE *stream)
{
	fputs("ramet VERB [OPTION]… …\n\n"
	      "Start programs and functions as any kind of Linux task, and see what tasks share.\n\n",
	      stream);
	for (size_t i = 0; i < VERB_COUNT; i++)
		fprintf(stream, "  %-10s%s\n", verbs[i]->name, verbs[i]->summary);
	fputs("\n  ramet VERB --help      about one of them\n"
	      "  ramet --version\n",
	      stream);
}

static int finish(int status)
{
	int r = out_finish(stdout);

	if (r < 0) {
		cli_say("cannot write to standard output: %s", strerror(-r));
		return status ? status : CLI_FAILED;
	}
	return status;
}

static int run_verb(const struct cli_verb *verb, char **argv)
{
	struct cli_common common = {.color = OUT_COLOR_AUTO};
	void *settings = calloc(1, verb->settings_size ? verb->settings_size : 1);
	int count, status = verb->usage_status ? verb->usage_status : CLI_USAGE;

	if (!settings) {
		cli_say("%s", strerror(ENOMEM));
		return CLI_FAILED;
	}
	count = cli_parse(verb, &common, settings, argv);
	if (count >= 0 && common.help) {
		cli_help(verb, stdout);
		status = CLI_OK;
	} else if (count >= 0) {
		status = verb->run(&common, settings, count, argv + 1);
	}
	free(settings);
	return status;
}

static int wrong_verb(const char *word)
{
	const char *names[VERB_COUNT + 1] = {NULL}, *near;

	for (size_t i = 0; i < VERB_COUNT; i++)
		names[i] = verbs[i]->name;
	near = cli_nearest(word, names);
	if (near)
		cli_say("no verb '%s'; did you mean %s?", word, near);
	else
		cli_say("no verb '%s'; see ramet --help", word);
	return CLI_USAGE;
}

int main(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : NULL;

	fill_standard();
	if (!word) {
		show_words(stderr);
		return CLI_USAGE;
	}
	if (!strcmp(word, "--help") || !strcmp(word, "-h")) {
		show_words(stdout);
		return finish(CLI_OK);
	}
	if (!strcmp(word, "--version")) {
		printf("ramet %s\n", RAMET_VERSION);
		return finish(CLI_OK);
	}
	for (size_t i = 0; i < VERB_COUNT; i++)
		if (!strcmp(word, verbs[i]->name))
			return finish(run_verb(verbs[i], argv + 1));
	return wrong_verb(word);
}
