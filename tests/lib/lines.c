/* SPDX-License-Identifier: MIT */
/*
 * Prints what the reader of tracers' lines makes of its standard input: a call a line, as
 * line_text.h has them, short, or with -a in full and with the lines that were strange.
 */
#include <stdlib.h>
#include <sys/utsname.h>

#include "lib/line_text.h"

static bool all;

static void print_call(const struct line_call *call)
{
	char text[LINE_TEXT_MAX];

	if (all)
		line_text(call, text);
	else
		line_text_short(call, text);
	puts(text);
}

int main(int argc, char **argv)
{
	enum line_arch_order order = LINE_ORDER_DEFAULT;
	struct line_reader *reader;
	struct line_call call;
	struct utsname machine;
	char *text = NULL;
	size_t size = 0;
	ssize_t n;
	int kind;

	all = argc > 1 && strcmp(argv[1], "-a") == 0;
	if (uname(&machine) == 0)
		line_arch(machine.machine, &order);
	reader = line_reader_new(order);
	if (!reader)
		return 1;
	while ((n = getline(&text, &size, stdin)) >= 0) {
		kind = line_reader_feed(reader, text, (size_t)n, &call);
		if (kind == LINE_CALL)
			print_call(&call);
		else if (kind == LINE_STRANGE)
			printf("strange%s%s", all ? ": " : "\n", all ? text : "");
		else if (kind < 0)
			return 1;
	}
	while (line_reader_finish(reader, &call) == LINE_CALL)
		print_call(&call);
	free(text);
	line_reader_free(reader);
	return 0;
}
