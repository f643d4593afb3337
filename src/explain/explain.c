/* SPDX-License-Identifier: MIT */
/*
 * Owns the question 'what is the verdict on this call, and why?'. A line that shows its result is
 * evidence; else the model's rules judge, for the caller that was given.
 */
#include "explain/explain.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

#include "spec/spec.h"
#include "uapi/clone.h"

/* The kernel's own numbers for 'interrupted, call again': seen by tracers alone. */
#define RESTART_FIRST 512
#define RESTART_LAST 516

static bool is_restart(int error)
{
	return error >= RESTART_FIRST && error <= RESTART_LAST;
}

/* ---- Verdicts ---- */

static void add_reason(struct explanation *e, const struct ramet_rule *rule)
{
	if (e->reason_count < EXPLAIN_REASONS)
		e->reasons[e->reason_count++] = rule;
}

/*
 * The rules that give this errno for this call: the one that holds whoever calls, if there is one;
 * else those about the caller's state before those that nobody can know.
 */
static void find_reasons(struct explanation *e, unsigned kernel)
{
	const struct ramet_caller nobody = {.kernel = kernel};
	const struct ramet_rule *rule = ramet_check(&e->line.call, &nobody);

	if (rule && rule->error == e->error) {
		add_reason(e, rule);
		return;
	}
	for (int needs = 0; needs <= 2; needs++)
		for (size_t i = 0; (rule = ramet_check_next(&e->line.call, kernel, e->error, &i));)
			if (rule->needs_caller == needs)
				add_reason(e, rule);
}

static void judge_by_result(struct explanation *e, const struct ramet_caller *caller)
{
	e->evidence = true;
	if (!(e->line.given & LINE_ERROR)) {
		e->verdict = EXPLAIN_ACCEPTED;
		return;
	}
	if (is_restart(e->line.error)) {
		e->verdict = EXPLAIN_RESTARTED;
		return;
	}
	e->verdict = EXPLAIN_REFUSED;
	e->error = e->line.error;
	if (e->line.given & LINE_FLAGS)
		find_reasons(e, caller->kernel);
}

static void judge_by_rules(struct explanation *e, const struct ramet_caller *caller)
{
	const struct ramet_rule *rule = ramet_check(&e->line.call, caller);

	e->verdict = rule ? EXPLAIN_REFUSED : EXPLAIN_ACCEPTED;
	if (!rule)
		return;
	e->error = rule->error;
	add_reason(e, rule);
}

/* ---- The same task by the other call ---- */

/* The call in the words of the other of clone and clone3; false if that has no words for it. */
static bool in_other_words(const struct ramet_call *call, struct ramet_call *ret)
{
	struct ramet_call other = *call;

	if (call->entry == RAMET_ENTRY_CLONE) {
		other.entry = RAMET_ENTRY_CLONE3;
		other.flags &= 0xffffffff & ~CSIGNAL;
		/* clone has a stack pointer, clone3 a stack: only the size is missing. */
		other.stack_size = other.stack ? 1 : 0;
		*ret = other;
		return true;
	}
	if (call->entry != RAMET_ENTRY_CLONE3 || call->flags >> 32 || call->flags & CSIGNAL ||
	    call->exit_signal > CSIGNAL || call->set_tid_size)
		return false;
	other.entry = RAMET_ENTRY_CLONE;
	other.stack += other.stack_size;
	other.stack_size = 0;
	*ret = other;
	return true;
}

static void try_other(struct explanation *e, const struct ramet_caller *caller)
{
	if (!in_other_words(&e->line.call, &e->other))
		return;
	e->other_rule = ramet_check(&e->other, caller);
}

/* ---- */

static const char *find_preset(const struct line_call *line)
{
	const struct ramet_call *call = &line->call;

	if (call->entry & (RAMET_ENTRY_UNSHARE | RAMET_ENTRY_SETNS) || !(line->given & LINE_FLAGS))
		return NULL;
	for (int i = RAMET_PRESET_FORK; i < RAMET_PRESET_COUNT_; i++) {
		uint64_t flags;
		int sig;

		for (int privileged = 0; privileged <= 1; privileged++)
			if (ramet_preset_flags(i, privileged, &flags, &sig) == 0 &&
			    flags == call->flags && (uint64_t)sig == call->exit_signal)
				return ramet_preset_name(i);
	}
	return NULL;
}

void explain_call(const struct line_call *line, const struct ramet_caller *caller,
		  struct explanation *ret)
{
	struct explanation e = {.line = *line, .kernel = line->source ? 0 : caller->kernel};
	const struct ramet_caller nobody = {.kernel = caller->kernel};

	if (line->given & (LINE_RESULT | LINE_ERROR)) {
		judge_by_result(&e, caller);
	} else if (line->source) {
		if (line->given & LINE_FLAGS)
			judge_by_rules(&e, &nobody);
		e.verdict = EXPLAIN_UNFINISHED;
	} else {
		judge_by_rules(&e, caller);
	}

	/* What was seen elsewhere says nothing about the caller here. */
	if (line->source)
		caller = &nobody;
	if (e.reason_count == 1)
		e.mend_count = ramet_mend(&line->call, caller, e.mends, EXPLAIN_MENDS);
	if (e.verdict != EXPLAIN_RESTARTED && line->given & LINE_FLAGS)
		try_other(&e, caller);
	e.preset = find_preset(line);
	*ret = e;
}
