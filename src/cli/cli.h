/* SPDX-License-Identifier: MIT */
/*
 * The command line. A verb is one file with one const struct cli_verb; its options are rows that
 * the parser and --help both read.
 */
#ifndef RAMET_CLI_CLI_H
#define RAMET_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "out/out.h"

enum cli_exit {
	CLI_OK = 0,
	CLI_FAILED = 1,
	CLI_USAGE = 2,
};

struct cli_option;

/*
 * Takes the option's value into *field. NULL if it was understood, else what was wrong with it,
 * in words that follow "--name: ".
 */
typedef const char *cli_setter(const struct cli_option *option, const char *value, void *field);

struct cli_option {
	const char *name; /* "--verbose"; NULL ends the rows */
	char letter;	  /* 'v', or 0 */
	const char *arg;  /* "FILE": takes a value; "[=FILE]": may, behind '='; NULL: none */
	const char *help; /* one line; NULL: not shown */
	cli_setter *set;
	size_t offset;		  /* of the field in the verb's settings */
	unsigned tag;		  /* for the setter: what several rows with one setter differ in */
	const char *const *words; /* for cli_set_word: what may be said, ended by NULL */
};

#define CLI_FIELD(type, member) offsetof(type, member)

cli_setter cli_set_flag;   /* bool: true */
cli_setter cli_set_string; /* const char * */
cli_setter cli_set_word;   /* int: index in words */
cli_setter cli_set_number; /* long: 0 or more */

/* What every verb understands. */
struct cli_common {
	int color; /* enum out_color */
	bool help;
};

struct cli_verb {
	const char *name;
	const char *args;		 /* "[PRESET | FLAGS]…" */
	const char *summary;		 /* one line in ramet --help */
	const char *about;		 /* some lines in ramet VERB --help */
	void (*more_help)(FILE *stream); /* behind the options; NULL: nothing */
	const struct cli_option *options;
	size_t settings_size; /* zeroed, handed to run */
	int usage_status;     /* exit status of wrong usage; 0: CLI_USAGE */
	bool program;	      /* operands end the options: what follows is a command line */
	/* Operands in argv, ended by NULL. Returns the exit status. */
	int (*run)(const struct cli_common *common, void *settings, int argc, char **argv);
};

/* Message on stderr: "ramet: …". */
__attribute__((format(printf, 1, 2))) void cli_say(const char *format, ...);

/*
 * Parse argv[1…] by rows; operands are moved to the front of argv + 1, ended by NULL, and counted.
 * A negative result has been told to the user.
 */
int cli_parse(const struct cli_verb *verb, struct cli_common *common, void *settings, char **argv);

void cli_help(const struct cli_verb *verb, FILE *stream);

/* The word of a list (ended by NULL) that is likely to be meant, or NULL. */
const char *cli_nearest(const char *word, const char *const *words);

extern const struct cli_verb cli_bench;
extern const struct cli_verb cli_explain;
extern const struct cli_verb cli_probe;
extern const struct cli_verb cli_run;
extern const struct cli_verb cli_tree;
extern const struct cli_verb cli_trace;

#endif
