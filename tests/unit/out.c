/* SPDX-License-Identifier: MIT */
/* What is lost in writing: told by its own errno, and once, wherever in the text it was lost. */
#include <errno.h>
#include <json-c/json.h>
#include <unistd.h>

#include "out/out.h"
#include "tap.h"

#define LONG 20000 /* more than a stream holds back */

static char text[LONG + 1];

static FILE *open_full(void)
{
	FILE *full = fopen("/dev/full", "we");

	if (!full) {
		diag("/dev/full: %s", strerror(errno));
		exit(1);
	}
	return full;
}

/* As much as the stream took at once is gone, so nothing is left to fail at the end. */
static void check_flushed(void)
{
	FILE *full = open_full();

	fputs("text", full);
	ok(fflush(full) != 0, "a full disk");
	is_int(out_finish(full), -ENOSPC, "lost before: the reason is that of then");
	fclose(full);
}

static void check_text(size_t size)
{
	FILE *full = open_full();

	fwrite(text, 1, size, full);
	is_int(out_finish(full), -ENOSPC, "%zu bytes on a full disk", size);
	fclose(full);
}

static void check_json(size_t size)
{
	FILE *full = open_full();
	int r = out_json(full, json_object_new_string_len(text, (int)size));

	if (r == 0)
		is_int(out_finish(full), -ENOSPC, "JSON of %zu bytes: told at the end", size);
	else if (is_int(r, -ENOSPC, "JSON of %zu bytes: told at once", size))
		is_int(out_finish(full), 0, "and not again");
	fclose(full);
}

static void check_other(void)
{
	FILE *in = fopen("/dev/null", "re"), *out = tmpfile();

	if (in) {
		fputs("text", in);
		is_int(out_finish(in), -EBADF, "a stream that is only read");
		fclose(in);
	}
	if (out) {
		fputs("text", out);
		is_int(out_finish(out), 0, "a stream that takes it");
		is_int(ftell(out), 4, "has that and no more");
		fclose(out);
	}
}

int main(void)
{
	memset(text, 'x', LONG);
	check_flushed();
	check_text(4);
	check_text(LONG);
	check_json(4);
	check_json(LONG);
	check_other();
	return tap_done();
}
