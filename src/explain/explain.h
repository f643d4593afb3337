/* SPDX-License-Identifier: MIT */
/*
 * A call in words: what it gives, who issues such calls, whether the kernel takes it, and if not,
 * by which rule and what it would take instead. Reads the model's tables; makes no system call.
 */
#ifndef RAMET_EXPLAIN_EXPLAIN_H
#define RAMET_EXPLAIN_EXPLAIN_H

#include <stdbool.h>
#include <stdio.h>

#include "explain/lines.h"

/* ---- Flags ---- */

struct flag_fact {
	uint64_t flag;
	const char *name;     /* "VM" */
	const char *since;    /* "2.0" */
	const char *entries;  /* letters of L (clone), 3, U (unshare), N (setns) */
	const char *with;     /* "memory shared" */
	const char *without;  /* "memory copied on write" */
	const char *sentence; /* what it does; NULL if a resource's line says it */
};

/* By bit; a row whose name is NULL for a bit that is no flag. */
const struct flag_fact *explain_flag(unsigned bit);

/* ---- Who issues such a call ---- */

struct issuer {
	const char *name;	 /* "fork()" */
	const char *who;	 /* "glibc's fork(), _Fork(), daemon()" */
	unsigned entries;	 /* bits of enum ramet_entry */
	uint64_t flags;		 /* exactly these */
	int exit_signal;	 /* exactly this, EXPLAIN_ANY_SIGNAL or EXPLAIN_OTHER_SIGNAL */
	const char *system_call; /* only if printed under this name; NULL: any */
	enum { STACK_ANY, STACK_OWN, STACK_NONE } stack; /* where the line shows it */
};

/* Row `index` of the table, NULL past the end. */
const struct issuer *explain_issuer_at(size_t index);

#define EXPLAIN_ANY_SIGNAL (-1)
#define EXPLAIN_OTHER_SIGNAL (-2) /* a signal, and not SIGCHLD */

/* Row `index` of those that issue exactly this call, likeliest first; NULL past the end. */
const struct issuer *explain_issuer(const struct line_call *line, size_t index);

/* pthread_create() or posix_spawn() itself: the flags are what some versions of it ask for. */
bool explain_by_name(const struct line_call *line);

/* ---- One call ---- */

enum explain_verdict {
	EXPLAIN_ACCEPTED = 1,
	EXPLAIN_REFUSED,
	EXPLAIN_RESTARTED,  /* interrupted before anything was made; the kernel calls again */
	EXPLAIN_UNFINISHED, /* a line without its end: what came of it is not known */
};

#define EXPLAIN_REASONS 32
#define EXPLAIN_MENDS 2

struct explanation {
	struct line_call line;
	enum explain_verdict verdict;
	int error;	 /* refused, or unfinished and to be refused: errno */
	unsigned kernel; /* whose rules were asked, 0: any */
	bool evidence;	 /* the verdict is the line's own result, not the rules' */
	/*
	 * Refused: one rule if it is certain, else all that could be meant, likeliest first.
	 * Unfinished: the rule that refuses such a call whoever calls, if there is one.
	 */
	const struct ramet_rule *reasons[EXPLAIN_REASONS];
	size_t reason_count;
	/* Refused by a certain rule: calls that would be accepted, nearest first. */
	struct ramet_call mends[EXPLAIN_MENDS];
	int mend_count;
	/* The same task asked for by the other of clone and clone3: entry 0 if it cannot be said. */
	struct ramet_call other;
	const struct ramet_rule *other_rule; /* that refuses `other`, NULL: none */
	const char *preset;		     /* that has exactly these flags, or NULL */
};

/*
 * caller: the state by which rules judge; caller->kernel 0: a kernel of which nothing is known.
 * With a line that shows its result, that result is the verdict and caller is not asked.
 */
void explain_call(const struct line_call *line, const struct ramet_caller *caller,
		  struct explanation *ret);

/* ---- Wording; buf is always terminated, text cut at size ---- */

/* Room for the longest call, the longest headline, an errno without a name. */
#define EXPLAIN_CALL_TEXT 800
#define EXPLAIN_HEADLINE 1000
#define EXPLAIN_ERRNO_TEXT 24

/* "clone", "clone3", "unshare", "setns" */
const char *explain_entry_name(const struct ramet_call *call);

/* "EINVAL"; "errno 71", in buf, for one without a name here. */
const char *explain_errno(int error, char buf[EXPLAIN_ERRNO_TEXT]);

/* "clone3(CLONE_VM|CLONE_SIGHAND), exit signal SIGCHLD" */
void explain_call_text(const struct ramet_call *call, char *buf, size_t size);

/* "fork(): a new process, 20098, that is a copy of the caller" */
void explain_headline(const struct explanation *e, char *buf, size_t size);

/* In a few words, for a line among many: "shares files and fs, new pid namespace". */
void explain_short(const struct explanation *e, char *buf, size_t size);

/*
 * What an accepted call gives of a resource: "copy: same open files and offsets, …". Static; NULL:
 * nothing worth a line.
 */
const char *explain_gives(const struct explanation *e, enum ramet_resource resource);

/* Who is told of the task's end, and how it is waited for. */
void explain_told(const struct explanation *e, char *buf, size_t size);

/* ---- Views: 0 or -errno ---- */

struct explain_view {
	FILE *out;
	bool color;
};

int explain_view_text(const struct explain_view *view, const struct explanation *e, size_t count);
int explain_view_walk(const struct explain_view *view, const struct explanation *e);
int explain_view_map(const struct explain_view *view);

struct json_object;

/* An object of the keys that ramet-explain(1) lists; NULL without memory. */
struct json_object *explain_json(const struct explanation *e, const char *input);
struct json_object *explain_map_json(void);

#endif
