/* SPDX-License-Identifier: MIT */
/* Events into the model's world and into sums; then to the view. */
#include "trace/record.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "caller/caller.h"
#include "uapi/clone.h"

/* ---- The world ---- */

static int replay(struct record *r, struct ramet_event event)
{
	int result = ramet_world_replay(r->world, &event);

	/* Held by a vfork, and yet it does something: the hold is over. */
	if (result == -EBUSY) {
		const struct ramet_event release = {.kind = RAMET_EVENT_RELEASE, .tid = event.tid};

		ramet_world_replay(r->world, &release);
		result = ramet_world_replay(r->world, &event);
	}
	return result;
}

static struct ramet_event made(const struct trace_event *e)
{
	return (struct ramet_event){
		.kind = RAMET_EVENT_CLONE, .tid = e->tid, .other = e->child, .call = &e->line.call};
}

static struct ramet_event begun(const struct trace_event *e)
{
	return (struct ramet_event){.kind = RAMET_EVENT_ADD,
				    .tid = e->tid,
				    .other = e->child == e->tid ? 0 : e->child,
				    .number = SIGCHLD};
}

static struct ramet_event executed(const struct trace_event *e)
{
	return (struct ramet_event){.kind = RAMET_EVENT_EXEC, .tid = e->child ? e->child : e->tid};
}

static struct ramet_event released(const struct trace_event *e)
{
	return (struct ramet_event){.kind = RAMET_EVENT_RELEASE, .tid = e->tid};
}

static struct ramet_event unshared(const struct trace_event *e)
{
	return (struct ramet_event){
		.kind = RAMET_EVENT_UNSHARE, .tid = e->tid, .call = &e->line.call};
}

static struct ramet_event joined(const struct trace_event *e)
{
	return (struct ramet_event){
		.kind = RAMET_EVENT_SETNS, .tid = e->tid, .other = e->child, .call = &e->line.call};
}

static struct ramet_event ended(const struct trace_event *e)
{
	return (struct ramet_event){.kind = RAMET_EVENT_EXIT, .tid = e->tid};
}

static struct ramet_event (*const replays[])(const struct trace_event *) = {
	[TRACE_BEGIN] = begun,	     [TRACE_MADE] = made,	  [TRACE_EXEC] = executed,
	[TRACE_RELEASED] = released, [TRACE_UNSHARED] = unshared, [TRACE_JOINED] = joined,
	[TRACE_ENDED] = ended,	     [TRACE_LOST] = NULL,
};

/*
 * Who has waited is not seen: to the tracer a task is gone when it ends. If the parent is held by
 * a vfork, another thread of it may wait, so the hold is of no interest.
 */
static void forget(struct record *r, int tid)
{
	struct ramet_event gone = {.kind = RAMET_EVENT_WAIT, .other = tid, .number = __WALL};
	struct ramet_world_task task;

	if (ramet_world_task(r->world, tid, &task) < 0 || !task.waitable)
		return;
	gone.tid = task.parent_tid;
	replay(r, gone);
}

static void follow(struct record *r, const struct trace_event *e)
{
	int result;

	if (!replays[e->kind])
		return;
	/* A number comes again only when who had it is gone. */
	if (e->kind == TRACE_MADE)
		forget(r, e->child);
	result = replay(r, replays[e->kind](e));
	/* In a mixture that the world does not believe: then somebody's that it does not know. */
	if (e->kind == TRACE_JOINED && e->child && result < 0) {
		struct trace_event unknown = *e;

		unknown.child = 0;
		result = replay(r, joined(&unknown));
	}
	if (e->kind == TRACE_BEGIN && result == 0)
		record_assume(r, e);
	if (e->kind == TRACE_ENDED)
		forget(r, e->tid);
	/* What the model foresaw, an end or a release, has happened in it before. */
	else if (result < 0 && e->kind != TRACE_RELEASED)
		r->strays++;
}

static bool has_call(const struct trace_event *e)
{
	return e->kind == TRACE_MADE || e->kind == TRACE_RELEASED || e->kind == TRACE_REFUSED ||
	       e->kind == TRACE_UNSHARED || e->kind == TRACE_JOINED;
}

/* ---- Sums ---- */

static struct trace_sum *find_sum(struct record *r, const char *kind, const struct ramet_call *call)
{
	struct trace_sum *sum;

	for (size_t i = 0; i < r->sum_count; i++)
		if (!strcmp(r->sums[i].kind, kind))
			return &r->sums[i];
	/* Whatever comes after so many kinds is counted with the last. */
	if (r->sum_count == RECORD_SUMS)
		return &r->sums[RECORD_SUMS - 1];
	sum = &r->sums[r->sum_count++];
	/* Both lie in the record, so no snprintf. */
	memmove(sum->kind, kind, strnlen(kind, sizeof(sum->kind) - 1));
	sum->copies = !(call->flags & CLONE_VM);
	sum->thread = call->flags & CLONE_THREAD;
	return sum;
}

/* A call that copied memory, until it is known what for. */
struct copy {
	struct trace_sum *sum;
	uint64_t took_ns, rss;
};

static void remember_copy(struct record *r, struct trace_sum *sum, const struct trace_event *e)
{
	struct copy *copy = malloc(sizeof(*copy));

	if (!copy)
		return;
	*copy = (struct copy){sum, e->took_ns, e->rss};
	free(trace_map_take(&r->copies, e->child));
	if (trace_map_put(&r->copies, e->child, copy) < 0)
		free(copy);
}

static void count_exec(struct record *r, int tid)
{
	struct copy *copy = trace_map_take(&r->copies, tid);

	if (!copy)
		return;
	copy->sum->execs++;
	copy->sum->exec_ns += copy->took_ns;
	copy->sum->exec_rss += copy->rss;
	free(copy);
}

static void count_made(struct record *r, const struct trace_event *e, const char *kind)
{
	struct trace_sum *sum = find_sum(r, kind, &e->line.call);
	const bool made = e->kind == TRACE_MADE;

	sum->count += made;
	if (made && sum->copies)
		remember_copy(r, sum, e);
	if (e->rss > sum->most_rss)
		sum->most_rss = e->rss;
	/* Of a vfork the end of the hold tells it all. */
	if (made && e->line.call.flags & CLONE_VFORK)
		return;
	sum->took_ns += e->took_ns;
	if (e->took_ns > sum->worst_ns) {
		sum->worst_ns = e->took_ns;
		sum->worst_rss = e->rss;
	}
}

static void count(struct record *r, const struct trace_event *e, const char *kind)
{
	if (e->kind == TRACE_MADE || e->kind == TRACE_RELEASED)
		count_made(r, e, kind);
	else if (e->kind == TRACE_EXEC)
		count_exec(r, e->tid);
	else if (e->kind == TRACE_ENDED && r->copies.count)
		free(trace_map_take(&r->copies, e->tid));
	r->events++;
	r->made += e->kind == TRACE_MADE;
	r->refused += e->kind == TRACE_REFUSED;
	r->ended += e->kind == TRACE_ENDED;
	r->lost += e->kind == TRACE_LOST;
}

/* ---- */

int record_begin(struct record *r, const struct trace_view *view, FILE *out, bool color,
		 bool verify)
{
	const struct ramet_call any = {.entry = RAMET_ENTRY_CLONE3};

	*r = (struct record){.view = view, .verify = verify, .out = out};
	caller_read(&any, &r->own);
	r->world = ramet_world_new(r->own.kernel);
	r->state = r->world && view->begin ? view->begin(out, color) : NULL;
	if (!r->world || (view->begin && !r->state)) {
		ramet_world_free(r->world);
		return -ENOMEM;
	}
	return 0;
}

int record_event(void *arg, const struct trace_event *event)
{
	struct record *r = arg;
	struct trace_note note = {.event = event, .world = r->world, .kind = "", .words = ""};
	int result;

	r->last_ns = event->ns;
	/* Before the world goes on: the rules ask for what was. */
	if (has_call(event)) {
		const struct record_words *w = record_explain(r, event);

		note.explanation = &w->explanation;
		note.kind = w->kind;
		note.words = w->words;
	}
	follow(r, event);
	count(r, event, note.kind);
	if (event->kind == TRACE_MADE && r->verify)
		record_compare(r, event);
	result = r->view->note ? r->view->note(r->state, &note) : 0;
	if (!r->unwritten && ferror(r->out))
		r->unwritten = -errno;
	return result ? result : r->unwritten;
}

int record_end(struct record *r)
{
	int result = r->view->end ? r->view->end(r->state, r) : 0;

	for (size_t i = 0; i < r->copies.room; i++)
		free(r->copies.slots[i].value);
	trace_map_free(&r->copies);
	ramet_world_free(r->world);
	return r->unwritten ? r->unwritten : result;
}
