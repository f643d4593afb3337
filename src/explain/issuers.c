/* SPDX-License-Identifier: MIT */
/* Which library or program issues exactly this call: rows of issuers.def and their match. */
#include <signal.h>
#include <string.h>

#include "explain/explain.h"
#include "uapi/clone.h"

#define CLONE_NPTL                                                                                 \
	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |        \
	 CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID)

/* No system call has this name. */
#define BY_KERNEL "-"

static const struct issuer issuers[] = {
#define ISSUER(name_, who_, entries_, system_call_, flags_, exit_signal_, stack_)                  \
	{.name = (name_),                                                                          \
	 .who = (who_),                                                                            \
	 .entries = (entries_),                                                                    \
	 .system_call = (system_call_),                                                            \
	 .flags = (flags_),                                                                        \
	 .exit_signal = (exit_signal_),                                                            \
	 .stack = (stack_)},
#include "explain/issuers.def"
};

static bool signal_fits(const struct issuer *row, const struct line_call *line)
{
	if (!(line->given & LINE_EXIT_SIGNAL) || row->exit_signal == EXPLAIN_ANY_SIGNAL)
		return true;
	if (row->exit_signal == EXPLAIN_OTHER_SIGNAL)
		return line->call.exit_signal && line->call.exit_signal != SIGCHLD;
	return line->call.exit_signal == (uint64_t)row->exit_signal;
}

static bool stack_fits(const struct issuer *row, const struct line_call *line)
{
	if (row->stack == STACK_ANY || !(line->given & LINE_STACK))
		return true;
	return (row->stack == STACK_OWN) == (line->call.stack != 0);
}

/* A flag word alone and the event task_newtask name no system call: then any that makes a task. */
static bool call_fits(const struct issuer *row, const struct line_call *line)
{
	const bool event = line->source && !strcmp(line->source, "task_newtask");

	if (!line->name || event)
		return row->entries & (RAMET_ENTRY_CLONE | RAMET_ENTRY_CLONE3);
	return row->entries & line->call.entry &&
	       (!row->system_call || !strcmp(line->name, row->system_call));
}

static bool fits(const struct issuer *row, const struct line_call *line)
{
	return line->given & LINE_FLAGS && line->call.flags == row->flags && call_fits(row, line) &&
	       signal_fits(row, line) && stack_fits(row, line);
}

const struct issuer *explain_issuer_at(size_t index)
{
	return index < sizeof(issuers) / sizeof(issuers[0]) ? &issuers[index] : NULL;
}

bool explain_by_name(const struct line_call *line)
{
	return line->library && !*line->function;
}

/* The function of the C library that the line is about. */
static const struct issuer *library_issuer(const struct line_call *line)
{
	static const struct issuer clone_function = {
		.name = "clone()",
		.who = "the program itself, by the C library's clone(), which calls the function in the task",
	};
	static const struct issuer functions[] = {
		{.name = "fork()", .who = "fork(), as its version of the C library does it"},
		{.name = "pthread_create()",
		 .who = "pthread_create(), as its version of the C library does it"},
		{.name = "posix_spawn()",
		 .who = "posix_spawn() and posix_spawnp(), as their version of the C library does it"},
	};

	for (size_t i = 0; explain_by_name(line) && i < sizeof(functions) / sizeof(functions[0]);
	     i++)
		if (!strncmp(line->name, functions[i].name, strcspn(functions[i].name, "(")))
			return &functions[i];
	return &clone_function;
}

const struct issuer *explain_issuer(const struct line_call *line, size_t index)
{
	if (line->library)
		return index ? NULL : library_issuer(line);
	for (size_t i = 0; i < sizeof(issuers) / sizeof(issuers[0]); i++)
		if (fits(&issuers[i], line) && !index--)
			return &issuers[i];
	return NULL;
}
