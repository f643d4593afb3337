/* SPDX-License-Identifier: MIT */
/*
 * What the formats make of one line, before lines.c joins the pieces of a call and args.c reads
 * its arguments. A format is a function that knows one tracer's line: what stands before the
 * call's name, and how a line says that it is only a part.
 */
#ifndef RAMET_EXPLAIN_PIECE_H
#define RAMET_EXPLAIN_PIECE_H

#include "explain/lines.h"
#include "explain/scan.h"

/* The calls, in the order of struct arch's numbers. */
enum call_number { NR_CLONE, NR_CLONE3, NR_FORK, NR_VFORK, NR_UNSHARE, NR_SETNS, NR_COUNT };

struct call_name {
	const char *name;
	enum ramet_entry entry;
	bool creates; /* gives a task, whose tid is the result */
	bool implied; /* the name alone tells flags and exit signal: */
	uint64_t flags;
	int exit_signal;
	const uint8_t *layout; /* enum arg of unnamed arguments; NULL: by processor */
	bool strict;	       /* an unnamed argument beyond those is of a library's */
	bool library;	       /* a function of the C library, which gives 0 or an errno */
};

/* NULL if it is not one of ours. Prefixes as in SYS_ and __x64_sys_ are taken off. */
const struct call_name *call_name_find(struct span word, bool *ret_system);
const struct call_name *call_name_at(enum call_number number);

struct arch {
	const char *name; /* uname's; a '*' at the end stands for any rest */
	uint32_t audit;	  /* the kernel's AUDIT_ARCH_*; 0: none */
	enum line_arch_order order;
	int numbers[NR_COUNT]; /* -1: does not have it */
};

/* By the audit record's word, its hex number or its name; NULL if not known. */
const struct arch *arch_find(struct span word);

/* How arguments are written. */
struct call_style {
	enum line_arch_order order;
	bool hex;	    /* numbers are hex without 0x */
	bool zeros_omitted; /* what is not there is 0 (perf trace) */
	bool bare_errno;    /* a failure is -errno: -1 and no more is EPERM */
	bool system; /* surely the system call: unnamed arguments of clone are the kernel's */
};

/* Parts are joined with parts of the same task and track. */
enum track {
	TRACK_PLAIN,  /* strace, or a library call of ltrace */
	TRACK_SYSTEM, /* ltrace's SYS_ */
	TRACK_PERF,
	TRACK_EVENT,
};

enum piece_end {
	END_HERE,    /* with its result, or at least its closing bracket */
	END_LATER,   /* <unfinished ...> */
	END_CUT,     /* words of the tracer's own broke in; the next line goes on */
	END_UNKNOWN, /* nothing more will come: detached, or the task is gone */
};

#define MADE_MAX 1024

struct piece {
	const struct call_name *name;
	const char *source;
	enum track track;
	struct call_style style;
	bool resumed; /* the rest of a call whose beginning was another line */
	enum piece_end end;
	bool has_task;
	int task;
	char comm[sizeof(((struct line_call *)0)->comm)];
	const char *glue;    /* resumed: goes between the beginning and body */
	struct span body;    /* from after the opening bracket */
	char made[MADE_MAX]; /* room for a body that does not stand in the line as such */
};

enum found {
	FOUND_NOTHING, /* not a line of this format */
	FOUND_PIECE,
	FOUND_CALL,  /* *ret was written */
	FOUND_OTHER, /* this format's, about something else */
	FOUND_STRANGE,
	FOUND_GONE, /* the piece's task has ended */
};

/* strace and ltrace. */
enum found format_strace(struct span line, struct piece *piece, struct line_call *ret);
/* perf trace. */
enum found format_perf(struct span line, struct piece *piece, struct line_call *ret);
/* Trace events as perf script, trace-cmd and tracefs print them. */
enum found format_event(struct span line, struct piece *piece, struct line_call *ret);
/* auditd's records, raw and by ausearch -i. */
enum found format_audit(struct span line, struct piece *piece, struct line_call *ret);

/* Where a body ends; takes off what says so. strace's and ltrace's way. */
enum piece_end body_end(struct span *body);

/* The '>' that mail quotes with. strace -k's lines begin so too, and come to nothing. */
void skip_quoting(struct span *line);

/* A line that is nothing but strace's own words about a process. */
bool is_notice(struct span line);

/*
 * "     0.123 ( 0.045 ms): small/9251 ", perf trace's beginning of a line: taken, with the
 * task. False if it is none.
 */
bool take_perf_prefix(struct span *s, struct piece *piece);

enum read {
	READ_OK,
	READ_STRANGE,
	READ_CHILD, /* the return in the child: no call of its own */
};

/*
 * The body's arguments and result into *ret. open: it breaks off without a closing bracket;
 * lone: it is a rest whose beginning is missing. *ret_ended: a result or '?' was there.
 */
enum read read_call(const struct piece *piece, struct span body, bool open, bool lone,
		    struct line_call *ret, bool *ret_ended);

/* The call that task_newtask tells of. flags as the event has them. */
void newtask_call(const struct piece *piece, uint64_t flags, int pid, struct line_call *ret);

#endif
