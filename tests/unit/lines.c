/* SPDX-License-Identifier: MIT */
/*
 * The reader of tracers' lines. A row is some lines, what each was taken for (C a call, P a part,
 * S strange, O another), and the calls that came out, in order, those of line_reader_finish()
 * behind. Most lines are real ones: of strace 4.5 to 6.1, ltrace 0.7.3, perf 6.1 and tracefs of
 * Linux 6.18, or out of mailing lists and bug reports of twenty years.
 */
#include <errno.h>

#include "tap.h"
#include "lib/line_text.h"
#include "spec/spec.h"

#define KINDS_MAX 16
#define CALLS_MAX 4096

struct row {
	const char *lines, *kinds, *calls;
};
#include "unit/lines_rows.h"

static const char letters[] = {
	[LINE_OTHER] = 'O', [LINE_PART] = 'P', [LINE_CALL] = 'C', [LINE_STRANGE] = 'S'};

static void put_call(const struct line_call *call, char *calls)
{
	const size_t at = strlen(calls);
	char text[LINE_TEXT_MAX];

	line_text(call, text);
	snprintf(calls + at, CALLS_MAX - at, "%s%s", at ? "\n" : "", text);
}

/* Feed lines, each with this end; what they were taken for and the calls. */
static void read_lines(const char *lines, const char *end, char kinds[KINDS_MAX],
		       char calls[CALLS_MAX])
{
	struct line_reader *reader = line_reader_new(LINE_ORDER_DEFAULT);
	struct line_call call;
	size_t n = 0;
	int kind;

	*calls = 0;
	for (const char *next; *lines; lines = next) {
		const size_t length = strcspn(lines, "\n");
		char *text = malloc(length + strlen(end));

		/* Without a terminator, and of no more than its size: reading beyond is seen. */
		memcpy(text, lines, length);
		memcpy(text + length, end, strlen(end));
		kind = line_reader_feed(reader, text, length + strlen(end), &call);
		free(text);
		kinds[n++] = kind < 0 ? '?' : letters[kind];
		if (kind == LINE_CALL)
			put_call(&call, calls);
		next = lines + length + (lines[length] == '\n');
	}
	kinds[n] = 0;
	while (line_reader_finish(reader, &call) == LINE_CALL)
		put_call(&call, calls);
	line_reader_free(reader);
}

static void test_rows(const char *title, const struct row *rows, size_t count)
{
	static const char *const ends[] = {"", "\n", "\r\n"};
	char kinds[KINDS_MAX], calls[CALLS_MAX];

	for (size_t i = 0; i < count; i++) {
		for (size_t e = 0; e < 3; e++) {
			read_lines(rows[i].lines, ends[e], kinds, calls);
			if (e && !strcmp(kinds, rows[i].kinds) && !strcmp(calls, rows[i].calls))
				continue;
			is_str(kinds, rows[i].kinds, "%s %zu: %s", title, i, rows[i].lines);
			is_str(calls, rows[i].calls, "%s %zu: the calls", title, i);
		}
	}
}

/* A machine's name gives the order in which its clone takes unnamed arguments. */
static void test_orders(void)
{
	static const struct {
		const char *machine, *call;
	} rows[] = {
		{"x86_64", "clone 0x2200 18 9 - stack=0x1300 parent_tid=0x1400 child_tid=0x1500 "
			   "tls=0x1600 ltrace 1-1"},
		{"riscv64", "clone 0x2200 18 9 - stack=0x1300 parent_tid=0x1400 child_tid=0x1600 "
			    "tls=0x1500 ltrace 1-1"},
		{"s390x", "clone 0x1300 0 9 - stack=0x2212 parent_tid=0x1400 child_tid=0x1500 "
			  "tls=0x1600 pidfd=0x1400 ltrace 1-1"},
		{"microblaze", "clone 0x2200 18 9 - stack=0x1300 stack_size=0x1400 "
			       "parent_tid=0x1500 child_tid=0x1600 ltrace 1-1"},
	};
	static const char line[] = "SYS_clone(0x2212, 0x1300, 0x1400, 0x1500, 0x1600) = 9";
	static const char *const same[] = {"aarch64", "i686", "armv7l", "ppc64le", "mips"};
	enum line_arch_order order, first;
	char text[LINE_TEXT_MAX];
	struct line_call call;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct line_reader *reader;

		is_int(line_arch(rows[i].machine, &order), 0, "%s is known", rows[i].machine);
		reader = line_reader_new(order);
		is_int(line_reader_feed(reader, line, strlen(line), &call), LINE_CALL, "its line");
		line_text(&call, text);
		is_str(text, rows[i].call, "its order");
		line_reader_free(reader);
	}
	line_arch("riscv64", &first);
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
		ok(line_arch(same[i], &order) == 0 && order == first, "%s is as riscv64", same[i]);
	is_int(line_arch("pdp11", &order), -EINVAL, "a machine that is not known");
	is_int(line_arch("", &order), -EINVAL, "nor is one without a name");
}

static int feed_text(struct line_reader *reader, const char *text, struct line_call *ret)
{
	return line_reader_feed(reader, text, strlen(text), ret);
}

/* Beginnings without end are dropped from the oldest on; the newest stay. */
static void test_limits(void)
{
	enum { MANY = 70000, KEPT = 65536 };
	struct line_reader *reader = line_reader_new(LINE_ORDER_DEFAULT);
	struct line_call call;
	unsigned wrong = 0, left = 0;
	char text[64];

	for (int i = 0; i < MANY; i++) {
		snprintf(text, sizeof(text), "%d unshare(CLONE_NEWNS <unfinished ...>", i + 1);
		wrong += feed_text(reader, text, &call) != LINE_PART;
	}
	is_int(wrong, 0, "%d beginnings", MANY);
	snprintf(text, sizeof(text), "%d <... unshare resumed>) = 0", MANY);
	feed_text(reader, text, &call);
	is_int(call.first_line, MANY, "the newest finds its end");
	is_int(feed_text(reader, "1 <... unshare resumed>) = 0", &call), LINE_CALL,
	       "the oldest's end is a call");
	ok(!(call.given & LINE_FLAGS), "that lacks its beginning");
	for (; line_reader_finish(reader, &call) == LINE_CALL; left++)
		wrong += call.task != (int)(MANY - KEPT + 1 + left);
	is_int(left, KEPT - 1, "so many are left at the end");
	is_int(wrong, 0, "the newest, in their order");
	line_reader_free(reader);
}

/* A rest that never comes: after some lines nothing is taken for it. */
static void test_patience(void)
{
	struct line_reader *reader = line_reader_new(LINE_ORDER_DEFAULT);
	struct line_call call;
	bool quiet = true;

	is_int(feed_text(reader, "vfork(strace: Process 5 attached", &call), LINE_PART,
	       "a cut one");
	for (int i = 0; i < 100; i++)
		quiet = quiet && feed_text(reader, "close(3) = 0", &call) == LINE_OTHER;
	ok(quiet, "a hundred other lines");
	is_int(feed_text(reader, ") = 5", &call), LINE_OTHER, "what looks like the rest is not");
	is_int(line_reader_finish(reader, &call), LINE_CALL, "the call is unfinished");
	is_int(call.given, LINE_FLAGS | LINE_EXIT_SIGNAL, "without a result");
	line_reader_free(reader);
}

/* Long lines, and bytes that are no text. */
static void test_garbage(void)
{
	enum { LONG = 1 << 20 };
	static const char nul[] = "clone(child_stack=NULL,\0 flags=SIGCHLD) = 5";
	struct line_reader *reader = line_reader_new(LINE_ORDER_DEFAULT);
	char *text = malloc(LONG + 64);
	struct line_call call;
	unsigned calls = 0;

	is_int(line_reader_feed(reader, nul, sizeof(nul) - 1, &call), LINE_STRANGE, "a NUL");
	is_int(line_reader_feed(reader, "", 0, &call), LINE_OTHER, "nothing");
	is_int(line_reader_feed(reader, "\n", 1, &call), LINE_OTHER, "an empty line");

	memset(text, 'x', LONG);
	memcpy(text, "write(1, \"clone(", 15);
	strcpy(text + LONG, "\", 5) = 5");
	is_int(feed_text(reader, text, &call), LINE_OTHER, "a long line of another call");
	memset(text, ' ', LONG);
	memcpy(text, "clone(", 6);
	strcpy(text + LONG, "child_stack=NULL, flags=SIGCHLD) = 5");
	is_int(feed_text(reader, text, &call), LINE_STRANGE, "a call longer than any can be");
	memset(text, '0', LONG);
	memcpy(text, "clone(child_stack=", 18);
	strcpy(text + 20000, "<unfinished ...>");
	is_int(feed_text(reader, text, &call), LINE_STRANGE, "so for a beginning");
	memset(text, '<', LONG);
	memcpy(text, "clone(child_stack=", 18);
	is_int(feed_text(reader, text, &call), LINE_STRANGE, "brackets without end");

	for (int i = 0; i < 20000; i++) {
		const size_t n = tap_below(200);

		for (size_t k = 0; k < n; k++)
			text[k] = (char)tap_random();
		if (n > 8)
			memcpy(text, "clone3({", 8);
		calls += line_reader_feed(reader, text, n, &call) == LINE_CALL &&
			 call.given & LINE_FLAGS;
	}
	is_int(calls, 0, "random bytes are no call with flags");
	free(text);
	line_reader_free(reader);
}

/* What the reader says of a failure is only what the line says. */
static void test_errnos(void)
{
	is_int(errno_parse("EINVAL"), EINVAL, "EINVAL");
	is_int(errno_parse("EPERM"), EPERM, "EPERM");
	is_int(errno_parse("EWHAT"), 0, "an errno that is not known");
	is_int(errno_parse("errno"), 0, "errno_name()'s word for those");
	for (int error = 1; error < 200; error++)
		if (strcmp(errno_name(error), "errno") && errno_parse(errno_name(error)) != error)
			ok(false, "errno %d by its name", error);
}

#define TEST_ROWS(title, rows) test_rows(title, rows, sizeof(rows) / sizeof((rows)[0]))

int main(void)
{
	TEST_ROWS("strace", strace_rows);
	TEST_ROWS("endless", endless_rows);
	TEST_ROWS("parts", parts_rows);
	TEST_ROWS("cut", cut_rows);
	TEST_ROWS("old", old_rows);
	TEST_ROWS("ltrace", ltrace_rows);
	TEST_ROWS("library", library_rows);
	TEST_ROWS("perf", perf_rows);
	TEST_ROWS("events", events_rows);
	TEST_ROWS("audit", audit_rows);
	TEST_ROWS("others", others_rows);
	TEST_ROWS("strange", strange_rows);
	test_orders();
	test_limits();
	test_patience();
	test_garbage();
	test_errnos();
	return tap_done();
}
