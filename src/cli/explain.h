/* SPDX-License-Identifier: MIT */
/* What ramet explain is told, and how its inputs become calls. */
#ifndef RAMET_CLI_EXPLAIN_H
#define RAMET_CLI_EXPLAIN_H

#include "cli/cli.h"
#include "explain/explain.h"

struct explain_settings {
	int call; /* index in explain_call_words, 0: whichever takes the word */
	const char *exit_signal;
	const char *arch;
	struct ramet_caller caller;
	bool has_caller;
	unsigned kernel;
	bool walk, json, jsonl;
};

/* "auto", "clone", "clone3", "unshare", "setns", NULL */
extern const char *const explain_call_words[];

cli_setter explain_set_caller, explain_set_kernel;

/* May the words be of a call that makes a task? Not with --call unshare or setns. */
bool explain_makes_task(const struct explain_settings *s);

/*
 * A preset or a word of flags as a call; which of clone and clone3, if it was not said, is the
 * one that takes it. False: `why` says what is wrong, to follow the word.
 */
bool explain_read_word(const struct explain_settings *s, const char *text, struct line_call *ret,
		       char *why, size_t size);

/* Pointers that a call written by hand does not show: there, and not the same ones. */
void explain_fill_in(struct line_call *line);

#endif
