/* SPDX-License-Identifier: MIT */
/*
 * A line a creation, as it happens. One whose maker is held until exec is told when that is over:
 * then it is known how long it took and what was started.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "spec/spec.h"
#include "trace/record.h"
#include "uapi/clone.h"

/* How a task ended; zeroed: it has not. */
struct end {
	bool seen;
	int status;
	uint64_t ns;
	char task[32];
};

/* A creation whose line is still to come: until it is known how long it held, and what for. */
struct waiting {
	struct waiting *next;
	int maker, child;
	uint64_t ns;
	char task[32];
	char kind[24];
	char words[160];
	char program[32];
	bool released;
	uint64_t held_ns;
	struct end end;
};

struct live {
	FILE *out;
	bool color;
	struct waiting *first;
};

static void *begin(FILE *out, bool color)
{
	struct live *v = calloc(1, sizeof(*v));

	if (v) {
		v->out = out;
		v->color = color;
	}
	return v;
}

/* ---- Lines; by hand, since a creation may cost little more than its line ---- */

static char *add_number(char *at, unsigned n)
{
	char digits[10];
	size_t count = 0;

	do
		digits[count++] = (char)('0' + n % 10);
	while (n /= 10);
	while (count)
		*at++ = digits[--count];
	return at;
}

/* As far as `end`; then blanks up to `width` characters. */
static char *add(char *at, const char *end, const char *text, size_t width)
{
	const char *from = at;

	while (*text && at < end)
		*at++ = *text++;
	while ((size_t)(at - from) < width && at < end)
		*at++ = ' ';
	return at;
}

static void put_task(char buf[static 32], const struct trace_event *e)
{
	char *at = add(buf, buf + 20, e->name, 0);

	*at++ = ' ';
	*add_number(at, (unsigned)e->tid) = '\0';
}

/* Seconds to three places, nine characters as a rule. */
static char *add_time(char *at, const char *end, uint64_t ns)
{
	const uint64_t ms = (ns + 500000) / 1000000;
	char text[24], *digits = add_number(text, (unsigned)(ms / 1000));
	const size_t length = (size_t)(digits - text);

	*digits = '\0';
	if (length < 5)
		at = add(at, end, "", 5 - length);
	at = add(at, end, text, 0);
	*at++ = '.';
	*at++ = (char)('0' + ms % 1000 / 100);
	*at++ = (char)('0' + ms % 100 / 10);
	*at++ = (char)('0' + ms % 10);
	return at;
}

static void put_line(struct live *v, uint64_t ns, const char *task, const char *kind,
		     const char *rest)
{
	char line[1000], *end = line + sizeof(line) - 1, *at;

	at = add_time(line, end, ns);
	at = add(at, end, "  ", 0);
	at = add(at, end, task, 20);
	at = add(at, end, " ", 0);
	at = add(at, end, kind, *rest ? 16 : 0);
	at = add(at, end, rest, 0);
	*at++ = '\n';
	fwrite(line, 1, (size_t)(at - line), v->out);
}

/* "→ 4711    " */
static char *add_child(char *at, const char *end, int child)
{
	char number[12];

	*add_number(number, (unsigned)child) = '\0';
	at = add(at, end, trace_arrow(), 0);
	at = add(at, end, " ", 0);
	at = add(at, end, number, 7);
	return add(at, end, " ", 0);
}

/* ---- Makers that are held ---- */

static int make_wait(struct live *v, const struct trace_note *note)
{
	struct waiting *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->maker = note->event->tid;
	w->child = note->event->child;
	w->ns = note->event->ns;
	put_task(w->task, note->event);
	snprintf(w->kind, sizeof(w->kind), "%s", note->kind);
	snprintf(w->words, sizeof(w->words), "%s", note->words);
	w->next = v->first;
	v->first = w;
	return 0;
}

/* That of a child that lives: its number may come again before its maker runs on. */
static struct waiting **find(struct live *v, int child)
{
	struct waiting **at = &v->first;

	while (*at && ((*at)->child != child || (*at)->end.seen))
		at = &(*at)->next;
	return at;
}

/* That which still holds a maker: there is one at most. */
static struct waiting **find_held(struct live *v, int maker)
{
	struct waiting **at = &v->first;

	while (*at && ((*at)->maker != maker || (*at)->released))
		at = &(*at)->next;
	return at;
}

/* An end is worth a line where a signal was the cause. */
static void put_end(struct live *v, const struct end *end)
{
	const char *name;
	char rest[64];

	if (!WIFSIGNALED(end->status))
		return;
	name = ramet_signal_name(WTERMSIG(end->status));
	snprintf(rest, sizeof(rest), "by %s", name ? name : "a signal");
	put_line(v, end->ns, end->task, "killed", rest);
}

static void put_waiting(struct live *v, struct waiting **at)
{
	struct waiting *w = *at;
	char rest[400], held[TRACE_AMOUNT], *words;

	words = add_child(rest, rest + sizeof(rest) - 1, w->child);
	snprintf(words, (size_t)(rest + sizeof(rest) - words), "%s", w->words);
	if (w->released) {
		trace_time(w->held_ns, held);
		snprintf(rest + strlen(rest), sizeof(rest) - strlen(rest), ", held %s", held);
	}
	if (*w->program)
		snprintf(rest + strlen(rest), sizeof(rest) - strlen(rest), "   exec %s",
			 w->program);
	put_line(v, w->ns, w->task, w->kind, rest);
	put_end(v, &w->end);
	*at = w->next;
	free(w);
}

/* Exec or the end, and the end of the hold, are seen one after the other, in either order. */
static void settle(struct live *v, struct waiting **at)
{
	const struct waiting *w = *at;

	if (w->released && (*w->program || w->end.seen))
		put_waiting(v, at);
}

static void release(struct live *v, const struct trace_event *e)
{
	struct waiting **at = find_held(v, e->tid);

	if (!*at)
		return;
	(*at)->released = true;
	(*at)->held_ns = e->took_ns;
	settle(v, at);
}

/* A maker that was killed while it was held: nobody will tell that this is over. */
static void give_up(struct live *v, int maker)
{
	struct waiting **at = find_held(v, maker);

	if (*at)
		put_waiting(v, at);
}

static void put_made(struct live *v, const struct trace_note *note)
{
	const struct trace_event *e = note->event;
	char task[32], rest[400], *end = rest + sizeof(rest) - 1;

	if (e->line.call.flags & CLONE_VFORK && make_wait(v, note) == 0)
		return;
	put_task(task, e);
	*add(add_child(rest, end, e->child), end, note->words, 0) = '\0';
	put_line(v, e->ns, task, note->kind, rest);
}

static void put_exec(struct live *v, const struct trace_event *e)
{
	struct waiting **at;
	char task[32], rest[64] = "";

	/* Of another thread: the one whose number it has now is gone. */
	give_up(v, e->tid);
	at = find(v, e->tid);
	if (*at) {
		snprintf((*at)->program, sizeof((*at)->program), "%s", e->name);
		settle(v, at);
		return;
	}
	snprintf(task, sizeof(task), "%s %d", e->former, e->tid);
	if (e->child)
		snprintf(rest, sizeof(rest), "%s, by thread %d: all others end", e->name, e->child);
	put_line(v, e->ns, task, "exec", e->child ? rest : e->name);
}

static void put_refused(struct live *v, const struct trace_note *note)
{
	const struct explanation *x = note->explanation;
	char task[32], error[EXPLAIN_ERRNO_TEXT], rest[600];

	put_task(task, note->event);
	snprintf(rest, sizeof(rest), "%srefused%s, %s: %s%s%s", v->color ? "\033[31m" : "",
		 v->color ? "\033[0m" : "", explain_errno(note->event->line.error, error),
		 note->words, x->reason_count == 1 ? " Rule " : "",
		 x->reason_count == 1 ? x->reasons[0]->id : "");
	put_line(v, note->event->ns, task, note->kind, rest);
}

static void put_other(struct live *v, const struct trace_note *note, const char *kind,
		      const char *rest)
{
	char task[32];

	put_task(task, note->event);
	put_line(v, note->event->ns, task, kind, rest);
}

static void put_ended(struct live *v, const struct trace_event *e)
{
	struct end end = {.seen = true, .status = e->status, .ns = e->ns};
	struct waiting **at;

	put_task(end.task, e);
	give_up(v, e->tid);
	at = find(v, e->tid);
	if (*at) {
		(*at)->end = end;
		settle(v, at);
	} else {
		put_end(v, &end);
	}
}

static int take(void *view, const struct trace_note *note)
{
	const struct trace_event *e = note->event;
	struct live *v = view;

	switch (e->kind) {
	case TRACE_BEGIN:
		put_other(v, note, "begins", e->child == e->tid ? "" : "as a thread");
		break;
	case TRACE_MADE:
		put_made(v, note);
		break;
	case TRACE_REFUSED:
		put_refused(v, note);
		break;
	case TRACE_EXEC:
		put_exec(v, e);
		break;
	case TRACE_RELEASED:
		release(v, e);
		break;
	case TRACE_UNSHARED:
	case TRACE_JOINED:
		put_other(v, note, note->kind, note->words);
		break;
	case TRACE_ENDED:
		put_ended(v, e);
		break;
	case TRACE_LOST:
		put_other(v, note, "not seen", e->what);
		break;
	}
	return 0;
}

static int end(void *view, const struct record *record)
{
	struct live *v = view;

	while (v->first)
		put_waiting(v, &v->first);
	trace_put_sums(record, v->out);
	free(v);
	return 0;
}

const struct trace_view trace_live = {
	.name = "live",
	.begin = begin,
	.note = take,
	.end = end,
};
