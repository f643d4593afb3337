/* SPDX-License-Identifier: MIT */
/*
 * The record of a trace: events are replayed in a world of the model, so that at each moment it is
 * known who shares what with whom, and explained; a view prints what it wants of that.
 *
 *	record.c   events into the world and into sums
 *	words.c    calls in words; which rule refused one
 *	asker.c    the state of a refused task that rules look at
 *	kernel.c   what the kernel says: of tasks that were there before, and for --verify
 *	live.c, tree.c, summary.c, json.c, chrome.c   the views
 */
#ifndef RAMET_TRACE_RECORD_H
#define RAMET_TRACE_RECORD_H

#include "explain/explain.h"
#include "trace/map.h"
#include "trace/trace.h"

/* An event with all that is known of it. */
struct trace_note {
	const struct trace_event *event;
	/* Of events with a call: explained, and the short name of what likely called. */
	const struct explanation *explanation;
	const char *kind;		 /* "posix_spawn", "fork", "clone3" */
	const char *words;		 /* "shares memory, files; new pid"; why it was refused */
	const struct ramet_world *world; /* after the event */
};

struct record;

/*
 * A way to show a trace. Functions that it does not need are NULL. Results: 0 or -errno; whether
 * what it wrote arrived the record sees.
 */
struct trace_view {
	const char *name;
	void *(*begin)(FILE *out, bool color); /* NULL: no memory */
	int (*note)(void *view, const struct trace_note *note);
	int (*end)(void *view, const struct record *record); /* also frees */
};

extern const struct trace_view trace_live, trace_tree, trace_summary, trace_json, trace_chrome;

/* What a kind of creation came to, for the last line and the summary. */
struct trace_sum {
	char kind[24];
	bool copies; /* memory was copied, for another process */
	bool thread;
	uint64_t count;
	uint64_t took_ns; /* the makers were in the call, or held by vfork */
	uint64_t worst_ns;
	uint64_t worst_rss; /* bytes of the maker of the worst */
	uint64_t most_rss;
	uint64_t execs;	   /* of those that copy: the new task called exec, … */
	uint64_t exec_ns;  /* … these took so long … */
	uint64_t exec_rss; /* … and went through so many bytes */
};

#define RECORD_SUMS 32

/* Programs make the same few calls again and again: they are explained once. */
struct record_words {
	bool filled;
	struct explanation explanation;
	char kind[24];
	char words[320];
};

#define RECORD_WORDS 16

struct record {
	const struct trace_view *view;
	void *state;
	struct ramet_world *world;
	struct ramet_caller own; /* of ramet itself */
	uint64_t events, made, refused, ended, lost;
	uint64_t checked, mismatches; /* --verify */
	uint64_t strays;	      /* events that the model could not follow */
	uint64_t last_ns;
	size_t sum_count;
	struct trace_sum sums[RECORD_SUMS];
	struct trace_map
		copies; /* tasks with copied memory that have not called exec: their call */
	struct record_words words[RECORD_WORDS];
	struct record_words refusal; /* of the last call that was refused */
	bool verify;
	FILE *out;
	int unwritten; /* -errno of the first write that failed: stdio does not keep it */
};

/* 0 or -errno. */
int record_begin(struct record *record, const struct trace_view *view, FILE *out, bool color,
		 bool verify);
/* For trace_options.event. */
int record_event(void *record, const struct trace_event *event);
/* Also tells of what was lost before. */
int record_end(struct record *record);

/* ---- Parts ---- */

/* An event's call in words, good until the next event. */
const struct record_words *record_explain(struct record *record, const struct trace_event *event);

/* The state of a task that has made a call and been refused, as far as it can be read. */
void record_read_caller(const struct record *record, const struct trace_event *event,
			struct ramet_caller *ret);

/* A task that was there before is in the world now: what it shares with others of its process. */
void record_assume(struct record *record, const struct trace_event *event);

/* Compare what the world says of maker and child with the kernel; both are stopped. */
void record_compare(struct record *record, const struct trace_event *event);

/* ---- For views ---- */

/* "212 tasks: 180 posix_spawn, 32 fork (1.2 GB parent: 96.0 ms). 3 refused." */
void trace_put_sums(const struct record *record, FILE *out);

#define TRACE_AMOUNT 16

/* "1.2 GB", "34 MB"; "96.0 ms", "2.4 s". */
void trace_size(uint64_t bytes, char buf[static TRACE_AMOUNT]);
void trace_time(uint64_t ns, char buf[static TRACE_AMOUNT]);

/* Can the output show it? And if so "→", else "->". */
bool trace_has_utf8(void);
const char *trace_arrow(void);

/* "exit 1", "killed by SIGSEGV" */
void trace_end(int status, char *buf, size_t size);

/* As a JSON string, quotes included; text is UTF-8. */
void trace_put_string(FILE *out, const char *text);

#endif
