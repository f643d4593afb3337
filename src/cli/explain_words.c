/* SPDX-License-Identifier: MIT */
/* Words of flags and presets as calls, and what is wrong with a word that is none. */
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "cli/explain.h"
#include "spec/spec.h"
#include "uapi/clone.h"

#define WORD 64
#define HIGHEST_SIGNAL 64

const char *const explain_call_words[] = {"auto", "clone", "clone3", "unshare", "setns", NULL};

static const enum ramet_entry entries[] = {
	[1] = RAMET_ENTRY_CLONE,
	[2] = RAMET_ENTRY_CLONE3,
	[3] = RAMET_ENTRY_UNSHARE,
	[4] = RAMET_ENTRY_SETNS,
};

bool explain_makes_task(const struct explain_settings *s)
{
	return !(entries[s->call] & (RAMET_ENTRY_UNSHARE | RAMET_ENTRY_SETNS));
}

/* ---- Calls ---- */

/* A call of which only the flags are known: pointers are there and differ, stacks are not asked. */
static struct line_call bare_call(enum ramet_entry entry, uint64_t flags, uint64_t exit_signal)
{
	return (struct line_call){
		.call = {.entry = entry,
			 .flags = flags,
			 .exit_signal = exit_signal,
			 .pidfd = 8,
			 .parent_tid = 16,
			 .child_tid = 24},
		.given = LINE_FLAGS | LINE_EXIT_SIGNAL,
	};
}

/* In clone(2) the low byte is the signal, whatever it was written as. */
static struct line_call as_clone(uint64_t flags, uint64_t exit_signal)
{
	return bare_call(RAMET_ENTRY_CLONE, flags & ~CSIGNAL, exit_signal | (flags & CSIGNAL));
}

/* clone3, unless the word can only be meant for clone(2): that takes it, or it ends in no signal. */
static struct line_call choose_call(const struct explain_settings *s, uint64_t flags,
				    uint64_t exit_signal)
{
	struct line_call clone3 = bare_call(RAMET_ENTRY_CLONE3, flags, exit_signal);
	struct line_call clone = as_clone(flags, exit_signal);

	if (flags >> 32 || flags & CSIGNAL || !ramet_check(&clone3.call, &s->caller))
		return clone3;
	if (exit_signal > HIGHEST_SIGNAL || !ramet_check(&clone.call, &s->caller))
		return clone;
	return clone3;
}

/* ---- What is wrong ---- */

/* Two separators without a flag between them, or one at an end. */
static bool has_gap(const char *text)
{
	bool flag = false;

	for (; *text; text++) {
		if (*text == '|' || *text == ',') {
			if (!flag)
				return true;
			flag = false;
		} else if (!strchr(" \t\r\n", *text)) {
			flag = true;
		}
	}
	return !flag;
}

static const char *nearest_preset(const char *word)
{
	const char *names[RAMET_PRESET_COUNT_ + 1] = {NULL};
	size_t n = 0;

	for (int i = RAMET_PRESET_FORK; i < RAMET_PRESET_COUNT_; i++)
		names[n++] = ramet_preset_name(i);
	return cli_nearest(word, names);
}

static const char *nearest_flag(const char *word)
{
	const char *names[64 + 1] = {NULL};
	size_t n = 0;

	for (unsigned bit = 0; bit < 64; bit++)
		if (flag_name(bit))
			names[n++] = flag_name(bit);
	return cli_nearest(word, names);
}

/* "; did you mean CLONE_VM?" in buf, or "". */
static const char *propose(const char *word, bool alone, char *buf, size_t size)
{
	const bool prefix = strncasecmp(word, "CLONE_", 6) == 0;
	char upper[WORD], lower[WORD];
	const char *near = NULL;
	size_t i = 0;

	for (; word[i]; i++) {
		upper[i] = (char)toupper((unsigned char)word[i]);
		lower[i] = (char)tolower((unsigned char)word[i]);
	}
	upper[i] = lower[i] = '\0';
	*buf = '\0';
	if (ramet_signal_parse(word) > 0) {
		snprintf(buf, size, "; did you mean SIG%s?", upper);
		return buf;
	}
	if (alone && !prefix)
		near = nearest_preset(lower);
	if (near) {
		snprintf(buf, size, "; did you mean %s?", near);
		return buf;
	}
	near = nearest_flag(prefix ? upper + 6 : upper);
	if (near)
		snprintf(buf, size, "; did you mean %s%s?", prefix ? "CLONE_" : "", near);
	return buf;
}

static bool is_preset(const char *word)
{
	enum ramet_preset preset;

	return ramet_preset_parse(word, &preset) == 0;
}

static void say_wrong(const char *text, size_t bad, char *why, size_t size)
{
	char word[WORD], near[WORD + 32], which[WORD + 24] = "";
	uint64_t flags;
	int sig;
	bool alone;

	snprintf(word, sizeof(word), "%.*s", (int)strcspn(text + bad, "|, \t\r\n"), text + bad);
	alone = strlen(word) == strlen(text);
	if (!alone)
		snprintf(which, sizeof(which), "holds '%s', which ", word);
	if (text[strspn(text, " \t\r\n")] == '\0')
		snprintf(why, size, "is empty");
	else if (has_gap(text))
		snprintf(why, size, "has a '|' with no flag on one side");
	else if (is_preset(word))
		snprintf(why, size, "holds the preset %s, which stands alone", word);
	else if (ramet_flags_parse(word, &flags, &sig, NULL) == 0)
		snprintf(why, size, "holds two exit signals");
	else if (strncasecmp(word, "SIG", 3) == 0)
		snprintf(why, size, "%sis no signal", which);
	else if (isdigit((unsigned char)*word))
		snprintf(why, size, "%sis no number of at most 64 bits", which);
	else
		snprintf(why, size, "%sis no flag%s%s", which, alone ? ", preset or call" : "",
			 propose(word, alone, near, sizeof(near)));
}

/* ---- Words ---- */

static bool read_preset(const struct explain_settings *s, enum ramet_preset preset, uint64_t *flags,
			int *sig, char *why, size_t size)
{
	if (explain_makes_task(s))
		return ramet_preset_flags(preset, s->caller.sys_admin, flags, sig) == 0;
	snprintf(why, size, "is a preset: it makes a task, and %s makes none",
		 explain_call_words[s->call]);
	return false;
}

static bool read_flags(const struct explain_settings *s, const char *text, uint64_t *flags,
		       int *sig, char *why, size_t size)
{
	size_t bad = 0;
	bool named;

	if (flags_parse(text, flags, sig, &named, &bad) < 0) {
		say_wrong(text, bad, why, size);
		return false;
	}
	if (named && !explain_makes_task(s)) {
		snprintf(why, size, "holds an exit signal, but %s makes no task",
			 explain_call_words[s->call]);
		return false;
	}
	if (!named && entries[s->call] && entries[s->call] != RAMET_ENTRY_CLONE) {
		*flags |= (uint64_t)*sig;
		*sig = 0;
	}
	return true;
}

bool explain_read_word(const struct explain_settings *s, const char *text, struct line_call *ret,
		       char *why, size_t size)
{
	const enum ramet_entry entry = entries[s->call];
	enum ramet_preset preset;
	uint64_t flags = 0;
	int sig = 0;

	if (ramet_preset_parse(text, &preset) == 0) {
		if (!read_preset(s, preset, &flags, &sig, why, size))
			return false;
	} else if (!read_flags(s, text, &flags, &sig, why, size)) {
		return false;
	}
	if (s->exit_signal)
		sig = ramet_signal_parse(s->exit_signal);
	if (!entry)
		*ret = choose_call(s, flags, (uint64_t)sig);
	else if (entry == RAMET_ENTRY_CLONE)
		*ret = as_clone(flags, (uint64_t)sig);
	else
		*ret = bare_call(entry, flags, (uint64_t)sig);
	if (entry)
		ret->name = explain_call_words[s->call];
	return true;
}

void explain_fill_in(struct line_call *line)
{
	const struct line_call bare = bare_call(line->call.entry, 0, 0);

	if (!(line->given & LINE_PIDFD))
		line->call.pidfd = bare.call.pidfd;
	if (!(line->given & LINE_PARENT_TID))
		line->call.parent_tid = bare.call.parent_tid;
	if (!(line->given & LINE_CHILD_TID))
		line->call.child_tid = bare.call.child_tid;
}
