/* SPDX-License-Identifier: MIT */
/* A call that was read from a tracer's lines, as one line of text that tests compare. */
#ifndef RAMET_TESTS_LINE_TEXT_H
#define RAMET_TESTS_LINE_TEXT_H

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "explain/lines.h"

#define LINE_TEXT_MAX 512

static inline void line_text_put(char *buf, const char *before, bool given, const char *fmt,
				 int64_t value)
{
	const size_t at = strlen(buf);
	const int n = snprintf(buf + at, LINE_TEXT_MAX - at, "%s", before);

	if (!given)
		fmt = "-";
	if (n >= 0 && at + (size_t)n < LINE_TEXT_MAX)
		snprintf(buf + at + n, LINE_TEXT_MAX - at - (size_t)n, fmt, value);
}

/* "name flags exit_signal result error", with '-' for what was not given. */
static inline void line_text_short(const struct line_call *call, char buf[LINE_TEXT_MAX])
{
	snprintf(buf, LINE_TEXT_MAX, "%s", call->name);
	line_text_put(buf, " ", call->given & LINE_FLAGS, "%#" PRIx64, (int64_t)call->call.flags);
	line_text_put(buf, " ", call->given & LINE_EXIT_SIGNAL, "%" PRId64,
		      (int64_t)call->call.exit_signal);
	line_text_put(buf, " ", call->given & LINE_RESULT, "%" PRId64, call->result);
	line_text_put(buf, " ", call->given & LINE_ERROR, "%" PRId64, call->error);
}

/* And all the rest. */
static inline void line_text(const struct line_call *call, char buf[LINE_TEXT_MAX])
{
	const struct ramet_call *c = &call->call;
	const struct {
		uint32_t bit;
		const char *before, *fmt;
		int64_t value;
	} fields[] = {
		{LINE_STACK, " stack=", "%#" PRIx64, (int64_t)c->stack},
		{LINE_STACK_SIZE, " stack_size=", "%#" PRIx64, (int64_t)c->stack_size},
		{LINE_PARENT_TID, " parent_tid=", "%#" PRIx64, (int64_t)c->parent_tid},
		{LINE_CHILD_TID, " child_tid=", "%#" PRIx64, (int64_t)c->child_tid},
		{LINE_TLS, " tls=", "%#" PRIx64, (int64_t)c->tls},
		{LINE_PIDFD, " pidfd=", "%#" PRIx64, (int64_t)c->pidfd},
		{LINE_SET_TID, " set_tid=", "%#" PRIx64, (int64_t)c->set_tid},
		{LINE_SET_TID, "*", "%" PRId64, (int64_t)c->set_tid_size},
		{LINE_CGROUP, " cgroup=", "%" PRId64, (int64_t)c->cgroup},
		{LINE_SIZE, " size=", "%" PRId64, (int64_t)c->size},
		{LINE_FD, " fd=", "%" PRId64, call->fd},
		{LINE_TASK, " task=", "%" PRId64, call->task},
	};
	size_t at;

	line_text_short(call, buf);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (call->given & fields[i].bit)
			line_text_put(buf, fields[i].before, true, fields[i].fmt, fields[i].value);
	at = strlen(buf);
	snprintf(buf + at, LINE_TEXT_MAX - at, "%s%s%s%s%s%s%s %s %zu-%zu",
		 c->trailing ? " trailing" : "", call->fd_is_pid ? " pidfd" : "",
		 *call->comm ? " by " : "", call->comm, call->library ? " library" : "",
		 *call->function ? " of " : "", call->function, call->source, call->first_line,
		 call->last_line);
}

#endif
