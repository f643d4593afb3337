/* SPDX-License-Identifier: MIT */
/* Amounts, ends and strings as the views write them. */
#include <langinfo.h>
#include <ramet/ramet.h>
#include <string.h>
#include <sys/wait.h>

#include "trace/record.h"

void trace_size(uint64_t bytes, char buf[static TRACE_AMOUNT])
{
	if (bytes >= 1000000000)
		snprintf(buf, TRACE_AMOUNT, "%.1f GB", (double)bytes / 1e9);
	else if (bytes >= 10000000)
		snprintf(buf, TRACE_AMOUNT, "%.0f MB", (double)bytes / 1e6);
	else
		snprintf(buf, TRACE_AMOUNT, "%.1f MB", (double)bytes / 1e6);
}

void trace_time(uint64_t ns, char buf[static TRACE_AMOUNT])
{
	if (ns >= 10000000000)
		snprintf(buf, TRACE_AMOUNT, "%.1f s", (double)ns / 1e9);
	else if (ns >= 10000000)
		snprintf(buf, TRACE_AMOUNT, "%.0f ms", (double)ns / 1e6);
	else
		snprintf(buf, TRACE_AMOUNT, "%.2f ms", (double)ns / 1e6);
}

bool trace_has_utf8(void)
{
	return !strcmp(nl_langinfo(CODESET), "UTF-8");
}

const char *trace_arrow(void)
{
	return trace_has_utf8() ? "→" : "->";
}

void trace_end(int status, char *buf, size_t size)
{
	const char *name;

	if (!WIFSIGNALED(status)) {
		snprintf(buf, size, "exit %d", WEXITSTATUS(status));
		return;
	}
	name = ramet_signal_name(WTERMSIG(status));
	if (name)
		snprintf(buf, size, "killed by %s", name);
	else
		snprintf(buf, size, "killed by signal %d", WTERMSIG(status));
}

void trace_put_string(FILE *out, const char *text)
{
	putc('"', out);
	for (; *text; text++) {
		const unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c < ' ' || c == 0x7f)
			fprintf(out, "\\u%04x", c);
		else
			putc(c, out);
	}
	putc('"', out);
}
