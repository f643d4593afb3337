/* SPDX-License-Identifier: MIT */
/*
 * Parts of ramet trace that need no task: its map, against an array; amounts, ends, strings; and
 * that the record forgets who is gone.
 *
 * Seen to fail: no forget() at an end; none before a number comes again.
 */
#include <signal.h>
#include <unistd.h>

#include "tap.h"
#include "trace/record.h"
#include "uapi/clone.h"

#define KEYS 500

/* Keys that crowd a few places, so that removal has to move what stands behind. */
static void check_map(void)
{
	static char values[KEYS];
	struct trace_map map = {0};
	bool there[KEYS] = {false};
	unsigned wrong = 0;
	size_t count = 0;

	for (int i = 0; i < 200000; i++) {
		const int key = (int)tap_below(KEYS);
		const int number = 1 + (key % 10) * 1024 + key / 10;
		void *want = there[key] ? &values[key] : NULL;

		wrong += trace_map_get(&map, number) != want;
		if (tap_below(2)) {
			wrong += trace_map_put(&map, number, &values[key]) != 0;
			count += !there[key];
			there[key] = true;
		} else {
			wrong += trace_map_take(&map, number) != want;
			count -= there[key];
			there[key] = false;
		}
		wrong += map.count != count;
	}
	is_int(wrong, 0, "a map gives what was put there");
	trace_map_free(&map);
	ok(!trace_map_get(&map, 1) && !trace_map_take(&map, 1), "an empty one gives nothing");
}

static void check_time(uint64_t ns, const char *want)
{
	char text[TRACE_AMOUNT];

	trace_time(ns, text);
	is_str(text, want, "%" PRIu64 " ns", ns);
}

static void check_size(uint64_t bytes, const char *want)
{
	char text[TRACE_AMOUNT];

	trace_size(bytes, text);
	is_str(text, want, "%" PRIu64 " bytes", bytes);
}

static void check_end(int status, const char *want)
{
	char text[40];

	trace_end(status, text, sizeof(text));
	is_str(text, want, "status %#x", (unsigned)status);
}

static void check_string(const char *text, const char *want)
{
	char *got = NULL;
	size_t size;
	FILE *out = open_memstream(&got, &size);

	trace_put_string(out, text);
	fclose(out);
	is_str(got, want, "as JSON");
	free(got);
}

/* ---- Who is gone is gone from the model too ---- */

#define NOBODY 5000000 /* beyond any pid */

static void told(struct record *r, enum trace_kind kind, int tid, int child, uint64_t flags)
{
	const struct trace_event e = {
		.kind = kind,
		.tid = tid,
		.child = child,
		.line = {.call = {.entry = RAMET_ENTRY_CLONE,
				  .flags = flags,
				  .exit_signal = flags & CLONE_THREAD ? 0 : SIGCHLD},
			 .name = "clone",
			 .given = LINE_FLAGS | LINE_EXIT_SIGNAL | LINE_RESULT,
			 .result = child}};

	record_event(r, &e);
}

static bool is_there(const struct record *r, int tid)
{
	struct ramet_world_task task;

	return ramet_world_task(r->world, tid, &task) == 0;
}

static void check_record(void)
{
	static const struct trace_view view = {.name = "none"};
	static struct record r;
	const int self = getpid();
	unsigned left = 0;

	if (!is_int(record_begin(&r, &view, stdout, false, false), 0, "a record"))
		return;
	told(&r, TRACE_BEGIN, self, self, 0);
	for (int i = 0; i < 100; i++) {
		told(&r, TRACE_MADE, self, NOBODY + i, 0);
		told(&r, TRACE_ENDED, NOBODY + i, 0, 0);
		left += is_there(&r, NOBODY + i);
	}
	is_int(left, 0, "who has ended is forgotten");
	/* A process whose first thread ends first is waited for when its last one has. */
	told(&r, TRACE_MADE, self, NOBODY, 0);
	told(&r, TRACE_MADE, NOBODY, NOBODY + 1, CLONE_VM | CLONE_SIGHAND | CLONE_THREAD);
	told(&r, TRACE_ENDED, NOBODY, 0, 0);
	ok(is_there(&r, NOBODY), "a process lives as long as one of its threads");
	told(&r, TRACE_ENDED, NOBODY + 1, 0, 0);
	told(&r, TRACE_MADE, self, NOBODY, 0);
	told(&r, TRACE_MADE, NOBODY, NOBODY + 2, 0);
	ok(is_there(&r, NOBODY + 2), "its number is another's then");
	is_int(r.strays, 0, "the model follows it all");
	record_end(&r);
}

int main(void)
{
	check_map();
	check_record();
	check_time(123456, "0.12 ms");
	check_time(96000000, "96 ms");
	check_time(12340000000, "12.3 s");
	check_time(UINT64_MAX, "18446744073.7 s");
	check_size(1200000000, "1.2 GB");
	check_size(34000000, "34 MB");
	check_size(1340000, "1.3 MB");
	check_end(0, "exit 0");
	check_end(3 << 8, "exit 3");
	check_end(9, "killed by SIGKILL");
	check_end(11 | 0x80, "killed by SIGSEGV");
	check_string("plain", "\"plain\"");
	check_string("a\"b\\c\n\033", "\"a\\\"b\\\\c\\u000a\\u001b\"");
	return tap_done();
}
