/* SPDX-License-Identifier: MIT */
/* The wording: rows of flags.def and gives.def, the headline, and who is told of the end. */
#include <signal.h>
#include <stdarg.h>
#include <string.h>

#include "explain/explain.h"
#include "model/rules.h"
#include "spec/spec.h"
#include "uapi/clone.h"

static bool makes(const struct ramet_call *call)
{
	return call->entry & ENTRY_MAKES;
}

/* ---- Text in a buffer of fixed size ---- */

struct text {
	char *buf;
	size_t size, at;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *t, const char *format, ...)
{
	va_list args;
	int n;

	if (t->at >= t->size)
		return;
	va_start(args, format);
	n = vsnprintf(t->buf + t->at, t->size - t->at, format, args);
	va_end(args);
	if (n > 0)
		t->at += (size_t)n;
}

/* ---- Flags ---- */

static const struct flag_fact facts[64] = {
#define FACT(name_, since_, entries_, with_, without_, sentence_)                                  \
	[__builtin_ctzll(CLONE_##name_)] = {                                                       \
		.flag = CLONE_##name_,                                                             \
		.name = #name_,                                                                    \
		.since = (since_),                                                                 \
		.entries = (entries_),                                                             \
		.with = (with_),                                                                   \
		.without = (without_),                                                             \
		.sentence = (sentence_),                                                           \
	},
#include "explain/flags.def"
};

const struct flag_fact *explain_flag(unsigned bit)
{
	return &facts[bit & 63];
}

/* ---- Resources ---- */

static const struct {
	enum ramet_resource resource;
	enum ramet_mode mode;
	const char *made, *unshared;
} gives[] = {
#define GIVES(resource_, mode_, made_, unshared_)                                                  \
	{RAMET_##resource_, RAMET_MODE_##mode_, (made_), (unshared_)},
#include "explain/gives.def"
};

static const struct {
	enum ramet_resource resource;
	const char *text;
} joins[] = {
#define JOINS(resource_, text_) {RAMET_##resource_, (text_)},
#include "explain/gives.def"
};

/* setns has no modes: what was joined is another task's. */
static const char *gives_joined(const struct ramet_call *call, enum ramet_resource resource)
{
	for (size_t i = 0; i < sizeof(joins) / sizeof(joins[0]); i++)
		if (joins[i].resource == resource &&
		    call->flags & resource_row((unsigned)__builtin_ctz(resource))->fresh)
			return joins[i].text;
	return NULL;
}

/* What the table cannot say, since it depends on a second flag. */
static const char *gives_by_two(const struct ramet_call *call, enum ramet_resource resource,
				enum ramet_mode mode)
{
	const uint64_t flags = model_flags(call);

	if (!makes(call)) {
		if (resource == RAMET_PID && flags & CLONE_NEWPID)
			return "new, for its next children: the first of them is pid 1 in it";
		if (resource == RAMET_TIME && flags & CLONE_NEWTIME)
			return "new, for its next children, and for itself from its next exec";
		if (resource == RAMET_MNT && flags & UNSHARE_EMPTY_MNTNS)
			return "new: nothing but an empty root directory";
		return NULL;
	}
	if (resource == RAMET_MEMORY && flags & CLONE_VM && flags & CLONE_VFORK)
		return "shared until exec or end: the caller's own memory, and the caller sleeps";
	if (resource == RAMET_PARENT && flags & CLONE_THREAD)
		return "shared: a thread has its process' parent, and nobody waits for it";
	if (resource == RAMET_MNT && flags & CLONE_EMPTY_MNTNS)
		return "new: nothing but an empty root directory";
	if (resource == RAMET_TIME && flags & CLONE_NEWTIME && mode == RAMET_MODE_SHARE)
		return "new, but not at once: memory is shared, so it moves there by exec";
	return NULL;
}

const char *explain_gives(const struct explanation *e, enum ramet_resource resource)
{
	const struct ramet_call *call = &e->line.call;
	const enum ramet_mode mode = ramet_model_mode(call, e->kernel, resource);
	const char *special;

	if (call->entry == RAMET_ENTRY_SETNS)
		return gives_joined(call, resource);
	special = gives_by_two(call, resource, mode);
	if (special)
		return special;
	for (size_t i = 0; i < sizeof(gives) / sizeof(gives[0]); i++)
		if (gives[i].resource == resource && gives[i].mode == mode)
			return makes(call) ? gives[i].made : gives[i].unshared;
	return NULL;
}

/* ---- Calls ---- */

const char *explain_entry_name(const struct ramet_call *call)
{
	switch (call->entry) {
	case RAMET_ENTRY_CLONE:
		return "clone";
	case RAMET_ENTRY_CLONE3:
		return "clone3";
	case RAMET_ENTRY_UNSHARE:
		return "unshare";
	case RAMET_ENTRY_SETNS:
		break;
	}
	return "setns";
}

const char *explain_errno(int error, char buf[EXPLAIN_ERRNO_TEXT])
{
	const char *name = errno_name(error);

	if (strcmp(name, "errno") != 0)
		return name;
	if (!error)
		return "an errno not known here";
	snprintf(buf, EXPLAIN_ERRNO_TEXT, "errno %d", error);
	return buf;
}

static void add_call(struct text *t, const struct ramet_call *call)
{
	const char *name = ramet_signal_name((int)call->exit_signal);
	char flags[EXPLAIN_CALL_TEXT];

	ramet_flags_format(call->flags, flags, sizeof(flags));
	add(t, "%s(%s%s)", explain_entry_name(call), call->entry == RAMET_ENTRY_SETNS ? "fd, " : "",
	    flags);
	if (!makes(call))
		return;
	if (!call->exit_signal)
		add(t, ", no exit signal");
	else if (name && call->exit_signal < 256)
		add(t, ", exit signal %s", name);
	else
		add(t, ", exit signal %ju", (uintmax_t)call->exit_signal);
}

void explain_call_text(const struct ramet_call *call, char *buf, size_t size)
{
	struct text t = {.buf = buf, .size = size};

	add_call(&t, call);
}

void explain_told(const struct explanation *e, char *buf, size_t size)
{
	const struct ramet_call *call = &e->line.call;
	const uint64_t flags = model_flags(call), sig = call->exit_signal;
	struct text t = {.buf = buf, .size = size};
	const char *name = sig < 256 ? ramet_signal_name((int)sig) : NULL;

	if (flags & CLONE_THREAD)
		add(&t, "nobody: a thread's end gives no signal and no wait() sees it%s",
		    flags & CLONE_CHILD_CLEARTID ? "; a join waits on the cleared word" : "");
	else if (flags & CLONE_AUTOREAP)
		add(&t, "nobody: the kernel reaps it, and no wait() gets its status");
	else if (flags & CLONE_PARENT)
		add(&t, "the caller's parent, by the signal that the caller's own end would give");
	else if (!(e->line.given & LINE_EXIT_SIGNAL))
		add(&t, "the line does not show the exit signal");
	else if (sig == SIGCHLD)
		add(&t, "the caller, by SIGCHLD; plain wait() sees it");
	else if (!sig)
		add(&t, "nobody: no signal, and only a wait with __WCLONE or __WALL sees it; once "
			"it has called exec, as after fork()");
	else if (name)
		add(&t,
		    "the caller, by %s; only a wait with __WCLONE or __WALL sees it; once it "
		    "has called exec, as after fork()",
		    name);
	else
		add(&t, "nobody: %ju is no signal; only a wait with __WCLONE or __WALL sees it",
		    (uintmax_t)sig);
}

/* ---- The headline ---- */

/* "a, b and c" */
static void add_list(struct text *t, const char *const *words, size_t n, const char *last)
{
	for (size_t i = 0; i < n; i++) {
		if (i && i + 1 == n)
			add(t, " %s ", last);
		else if (i)
			add(t, ", ");
		add(t, "%s", words[i]);
	}
}

/* Resources that the new task has in this mode, by name, out of `mask`. */
static size_t list_modes(const struct explanation *e, enum ramet_mode mode, uint32_t mask,
			 const char *ret[RAMET_RESOURCE_COUNT])
{
	size_t n = 0;

	for (unsigned i = 0; i < RAMET_RESOURCE_COUNT; i++) {
		const struct resource_row *row = resource_row(i);

		if (mask & row->bit && ramet_model_mode(&e->line.call, e->kernel, row->bit) == mode)
			ret[n++] = row->name;
	}
	return n;
}

#define NAMESPACES                                                                                 \
	(RAMET_MNT | RAMET_PID | RAMET_NET | RAMET_IPC | RAMET_UTS | RAMET_USER | RAMET_CGROUPNS | \
	 RAMET_TIME)
#define PARTS (RAMET_MEMORY | RAMET_FILES | RAMET_FS | RAMET_SIGHAND | RAMET_SYSVSEM | RAMET_IO)

static const char *namespace_word(const struct resource_row *row)
{
	return row->bit == RAMET_CGROUPNS ? "cgroup" : row->name;
}

/* "a new net namespace", "new net and uts namespaces"; nothing if there are none. */
static void add_namespaces(struct text *t, const struct explanation *e, const char *before)
{
	const char *names[RAMET_RESOURCE_COUNT];
	size_t n = 0;

	for (unsigned i = 0; i < RAMET_RESOURCE_COUNT; i++) {
		const struct resource_row *row = resource_row(i);

		if (NAMESPACES & row->bit &&
		    ramet_model_mode(&e->line.call, e->kernel, row->bit) == RAMET_MODE_NEW)
			names[n++] = namespace_word(row);
	}
	if (!n)
		return;
	add(t, "%s%s", before, n > 1 ? "new " : "a new ");
	add_list(t, names, n, "and");
	add(t, n > 1 ? " namespaces" : " namespace");
}

/* Who issues such calls, each name once: "vfork(), posix_spawn() or Go's os/exec: " */
static void add_issuers(struct text *t, const struct explanation *e)
{
	const char *names[8];
	const struct issuer *issuer;
	size_t n = 0, k;

	for (size_t i = 0; (issuer = explain_issuer(&e->line, i)); i++) {
		for (k = 0; k < n && strcmp(names[k], issuer->name) != 0; k++)
			;
		if (k == n && n < sizeof(names) / sizeof(names[0]))
			names[n++] = issuer->name;
	}
	add_list(t, names, n, "or");
	add(t, n ? ": " : "");
}

static void headline_made(struct text *t, const struct explanation *e)
{
	const struct ramet_call *call = &e->line.call;
	const bool thread = model_flags(call) & CLONE_THREAD;
	const char *names[RAMET_RESOURCE_COUNT];
	size_t n = list_modes(e, RAMET_MODE_SHARE, PARTS, names);

	add_issuers(t, e);
	add(t, thread ? "a new thread" : "a new process");
	if (e->evidence && e->line.result > 0)
		add(t, ", %jd,", (intmax_t)e->line.result);
	if (thread)
		add(t, " of the caller's process");
	if (n) {
		add(t, thread ? ", sharing " : " that shares ");
		add_list(t, names, n, "and");
		add(t, thread ? "" : " with the caller");
	} else {
		add(t, " that is a copy of the caller");
	}
	add_namespaces(t, e, ", in ");
	if (model_flags(call) & CLONE_VFORK)
		add(t, "; the caller sleeps until it calls exec or ends");
}

/* "a, b and c" of texts that are lists themselves. */
struct phrases {
	size_t count;
	const char *words[3];
	char texts[3][160];
};

static struct text phrase(struct phrases *p)
{
	char *buf = p->texts[p->count];

	*buf = '\0';
	p->words[p->count++] = buf;
	return (struct text){.buf = buf, .size = sizeof(p->texts[0])};
}

static void headline_unshared(struct text *t, const struct explanation *e)
{
	const struct ramet_call *call = &e->line.call;
	const char *names[RAMET_RESOURCE_COUNT];
	struct phrases p = {.count = 0};
	struct text next;
	size_t n = list_modes(e, RAMET_MODE_COPY, PARTS, names);

	n += list_modes(e, RAMET_MODE_NEW, RAMET_SYSVSEM, names + n);
	if (n) {
		next = phrase(&p);
		add(&next, "its own ");
		add_list(&next, names, n, "and");
	}
	if (list_modes(e, RAMET_MODE_NEW, NAMESPACES, names)) {
		next = phrase(&p);
		add_namespaces(&next, e, "");
	}
	if (call->flags & (CLONE_NEWPID | CLONE_NEWTIME)) {
		next = phrase(&p);
		add(&next, "a new %s for its next children",
		    !(call->flags & CLONE_NEWTIME)  ? "pid namespace"
		    : !(call->flags & CLONE_NEWPID) ? "time namespace"
						    : "pid and a new time namespace");
	}
	if (!p.count) {
		add(t, call->flags ? "the caller has nothing to part from: nothing changes"
				   : "no flags, so nothing changes");
		return;
	}
	add(t, "the caller gets ");
	add_list(t, p.words, p.count, "and");
}

static void headline_joined(struct text *t, const struct explanation *e)
{
	const char *names[RAMET_RESOURCE_COUNT];
	size_t n = 0;

	for (unsigned i = 0; i < RAMET_RESOURCE_COUNT; i++)
		if (NAMESPACES & resource_row(i)->bit &&
		    e->line.call.flags & resource_row(i)->fresh)
			names[n++] = namespace_word(resource_row(i));
	add(t, "the caller joins %s",
	    n ? "another task's " : "the namespace that the descriptor names");
	add_list(t, names, n, "and");
	add(t, n == 0 ? "" : n > 1 ? " namespaces" : " namespace");
}

/* Without its flags nothing is known of a call but its name and end. */
static void headline_unknown(struct text *t, const struct explanation *e)
{
	const char *name = e->line.name ? e->line.name : explain_entry_name(&e->line.call);

	add(t, "%s", name);
	if (e->verdict == EXPLAIN_ACCEPTED)
		add(t, " returned %jd", (intmax_t)e->line.result);
	add(t, ", and the line does not show its flags");
}

void explain_headline(const struct explanation *e, char *buf, size_t size)
{
	const struct ramet_call *call = &e->line.call;
	struct text t = {.buf = buf, .size = size};
	char error[EXPLAIN_ERRNO_TEXT];
	bool speaks = false;

	switch (e->verdict) {
	case EXPLAIN_REFUSED:
		add(&t, "refused: %s   ", explain_errno(e->error, error));
		break;
	case EXPLAIN_RESTARTED:
		add(&t, "interrupted: ");
		break;
	case EXPLAIN_UNFINISHED:
		add(&t, "unfinished: ");
		speaks = !e->reason_count;
		break;
	case EXPLAIN_ACCEPTED:
		speaks = true;
		break;
	}
	if (!(e->line.given & LINE_FLAGS))
		headline_unknown(&t, e);
	else if (!speaks && explain_by_name(&e->line))
		add(&t, "%s()", e->line.name);
	else if (!speaks)
		add_call(&t, call);
	else if (call->entry == RAMET_ENTRY_SETNS)
		headline_joined(&t, e);
	else if (call->entry == RAMET_ENTRY_UNSHARE)
		headline_unshared(&t, e);
	else
		headline_made(&t, e);
	if (e->verdict == EXPLAIN_UNFINISHED && e->reason_count)
		add(&t, ", which would be refused: %s", explain_errno(e->error, error));
}
