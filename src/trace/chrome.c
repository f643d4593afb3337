/* SPDX-License-Identifier: MIT */
/*
 * The JSON of Chrome's trace events, which Perfetto reads: a track a task; on it a slice for its
 * life, in that one for each program it runs, in that one for each call and each vfork that holds
 * it; an arrow from maker to child.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>

#include "trace/record.h"
#include "uapi/clone.h"

struct chrome {
	FILE *out;
	bool any;		 /* an event was written */
	uint64_t arrows;	 /* their numbers */
	struct trace_map tracks; /* tid to tgid, while two slices are open on its track */
};

static void *begin(FILE *out, bool color)
{
	struct chrome *v = calloc(1, sizeof(*v));

	(void)color;
	if (v) {
		v->out = out;
		fputs("{\"displayTimeUnit\":\"ms\",\"traceEvents\":[", out);
	}
	return v;
}

/* An event as far as all have it; the rest of the object is to follow. */
static void put_event(struct chrome *v, const char *phase, int tgid, int tid, uint64_t ns)
{
	fprintf(v->out, "%s\n{\"ph\":\"%s\",\"pid\":%d,\"tid\":%d,\"ts\":%" PRIu64 ".%03u",
		v->any ? "," : "", phase, tgid, tid, ns / 1000, (unsigned)(ns % 1000));
	v->any = true;
}

static void put_name(struct chrome *v, const char *name, const char *category)
{
	fputs(",\"name\":", v->out);
	trace_put_string(v->out, name);
	fprintf(v->out, ",\"cat\":\"%s\"", category);
}

static void put_plain(struct chrome *v, const char *phase, int tgid, int tid, uint64_t ns)
{
	put_event(v, phase, tgid, tid, ns);
	putc('}', v->out);
}

static void name_track(struct chrome *v, const char *what, int tgid, int tid, const char *name)
{
	char text[48];

	snprintf(text, sizeof(text), "%s %d", name, tid);
	put_event(v, "M", tgid, tid, 0);
	fprintf(v->out, ",\"name\":\"%s\",\"args\":{\"name\":", what);
	trace_put_string(v->out, text);
	fputs("}}", v->out);
}

static void name_task(struct chrome *v, int tgid, int tid, const char *name)
{
	if (tgid == tid)
		name_track(v, "process_name", tgid, tid, name);
	name_track(v, "thread_name", tgid, tid, name);
}

static int tgid_of(const struct chrome *v, int tid)
{
	return (int)(intptr_t)trace_map_get(&v->tracks, tid);
}

/* Close both slices of a task that is gone. */
static void close_track(struct chrome *v, int tid, uint64_t ns)
{
	const int tgid = (int)(intptr_t)trace_map_take(&v->tracks, tid);

	if (!tgid)
		return;
	put_plain(v, "E", tgid, tid, ns);
	put_plain(v, "E", tgid, tid, ns);
}

static int open_track(struct chrome *v, const struct trace_note *note, int tgid, int tid)
{
	const struct trace_event *e = note->event;

	/* Of a number that comes again. */
	close_track(v, tid, e->ns);
	name_task(v, tgid, tid, e->name);
	put_event(v, "B", tgid, tid, e->ns);
	put_name(v, *note->kind ? note->kind : "there before", "life");
	fputs(",\"args\":{\"shares\":", v->out);
	trace_put_string(v->out, note->words);
	fputs("}}", v->out);
	put_event(v, "B", tgid, tid, e->ns);
	put_name(v, e->name, "program");
	putc('}', v->out);
	return trace_map_put(&v->tracks, tid, (void *)(intptr_t)tgid);
}

/* A call that took some time, or a moment where that is not known. */
static void put_call(struct chrome *v, const struct trace_note *note, const char *name)
{
	const struct trace_event *e = note->event;
	const uint64_t from = e->ns > e->took_ns ? e->ns - e->took_ns : 0;

	put_event(v, e->took_ns ? "X" : "i", e->tgid, e->tid, from);
	put_name(v, name, "call");
	if (e->took_ns)
		fprintf(v->out, ",\"dur\":%" PRIu64 ".%03u", e->took_ns / 1000,
			(unsigned)(e->took_ns % 1000));
	else
		fputs(",\"s\":\"t\"", v->out);
	fputs(",\"args\":{\"words\":", v->out);
	trace_put_string(v->out, note->words);
	if (e->child)
		fprintf(v->out, ",\"child\":%d", e->child);
	if (e->rss)
		fprintf(v->out, ",\"memory_bytes\":%" PRIu64, e->rss);
	fputs("}}", v->out);
}

static void put_arrow(struct chrome *v, const char *phase, int tgid, int tid, uint64_t ns)
{
	put_event(v, phase, tgid, tid, ns);
	put_name(v, "made", "family");
	fprintf(v->out, ",\"id\":%" PRIu64 "%s}", v->arrows, *phase == 'f' ? ",\"bp\":\"e\"" : "");
}

static int put_made(struct chrome *v, const struct trace_note *note)
{
	const struct trace_event *e = note->event;
	const int tgid = e->line.call.flags & CLONE_THREAD ? e->tgid : e->child;
	int r;

	/* What holds its maker is drawn when it is over. */
	if (!(e->line.call.flags & CLONE_VFORK))
		put_call(v, note, note->kind);
	r = open_track(v, note, tgid, e->child);
	v->arrows++;
	put_arrow(v, "s", e->tgid, e->tid, e->ns);
	put_arrow(v, "f", tgid, e->child, e->ns);
	return r;
}

static void put_exec(struct chrome *v, const struct trace_event *e)
{
	const int tgid = tgid_of(v, e->tid);

	/* The thread that called goes on under the first one's number. */
	if (e->child)
		close_track(v, e->child, e->ns);
	if (!tgid)
		return;
	put_plain(v, "E", tgid, e->tid, e->ns);
	put_event(v, "B", tgid, e->tid, e->ns);
	put_name(v, e->name, "program");
	putc('}', v->out);
	name_task(v, tgid, e->tid, e->name);
}

static int note(void *view, const struct trace_note *note)
{
	const struct trace_event *e = note->event;
	struct chrome *v = view;
	char text[80], error[EXPLAIN_ERRNO_TEXT];
	int r = 0;

	switch (e->kind) {
	case TRACE_BEGIN:
		r = open_track(v, note, e->child, e->tid);
		break;
	case TRACE_MADE:
		r = put_made(v, note);
		break;
	case TRACE_RELEASED:
		snprintf(text, sizeof(text), "%s, held", note->kind);
		put_call(v, note, text);
		break;
	case TRACE_REFUSED:
		snprintf(text, sizeof(text), "%s refused, %s", note->kind,
			 explain_errno(e->line.error, error));
		put_call(v, note, text);
		break;
	case TRACE_UNSHARED:
	case TRACE_JOINED:
		put_call(v, note, note->kind);
		break;
	case TRACE_EXEC:
		put_exec(v, e);
		break;
	case TRACE_ENDED:
		close_track(v, e->tid, e->ns);
		break;
	case TRACE_LOST:
		break;
	}
	return r;
}

static int end(void *view, const struct record *record)
{
	struct chrome *v = view;

	for (size_t i = 0; i < v->tracks.room; i++)
		if (v->tracks.slots[i].key) {
			const int tid = v->tracks.slots[i].key;
			const int tgid = (int)(intptr_t)v->tracks.slots[i].value;

			put_plain(v, "E", tgid, tid, record->last_ns);
			put_plain(v, "E", tgid, tid, record->last_ns);
		}
	fputs("\n]}\n", v->out);
	trace_map_free(&v->tracks);
	free(v);
	return 0;
}

const struct trace_view trace_chrome = {
	.name = "chrome",
	.begin = begin,
	.note = note,
	.end = end,
};
