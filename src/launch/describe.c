/* SPDX-License-Identifier: MIT */
/* Steps and plans as text, by the sentences of kinds.def. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "child/child.h"
#include "launch/launch.h"
#include "spec/words.h"

/* A text that grows like snprintf's: at counts what was wanted, too. */
struct text {
	char *buf;
	size_t size, at;
};

__attribute__((format(printf, 2, 3))) static void put(struct text *t, const char *format, ...)
{
	const size_t room = t->at < t->size ? t->size - t->at : 0;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(room ? t->buf + t->at : NULL, room, format, args);
	va_end(args);
	if (n > 0)
		t->at += (size_t)n;
}

static void put_fd(struct text *t, int fd)
{
	if (fd == CHILD_FD_LIFTED)
		put(t, "(lifted)");
	else
		put(t, "%d", fd);
}

static void put_groups(struct text *t, const struct ramet_step *step)
{
	if (!step->count)
		put(t, "to none");
	for (size_t i = 0; i < step->count && i < 8; i++)
		put(t, "%s%u", i ? "," : "", (unsigned)step->groups[i]);
	if (step->count > 8)
		put(t, ",...");
}

/* The lines of a map on one line; NULL is the caller's own id as 0. */
static void put_map(struct text *t, const char *name, const char *map)
{
	put(t, "%s ", name);
	if (!map)
		put(t, "0 (own) 1");
	for (; map && *map; map++)
		if (*map != '\n' || map[1])
			put(t, "%c", *map == '\n' ? ';' : *map);
}

static void put_signal(struct text *t, const struct ramet_step *step)
{
	const char *name = step->number ? ramet_signal_name(step->number) : "all signals";

	put(t, "%s to %s", name ? name : "a signal", step->ignore ? "ignored" : "default");
}

static void put_range(struct text *t, const struct ramet_step *step)
{
	if (step->last == ~0U)
		put(t, "%u and up", step->first);
	else if (step->first == step->last)
		put(t, "%u", step->first);
	else
		put(t, "%u to %u", step->first, step->last);
}

/* The candidates of a search all end in the name that was searched for. */
static void put_program(struct text *t, const char *const *paths)
{
	const char *slash = paths[1] ? strrchr(paths[0], '/') : NULL;

	put(t, "%s%s", slash ? slash + 1 : paths[0], paths[1] ? " along PATH" : "");
}

static void put_flags(struct text *t, uint64_t flags)
{
	const size_t room = t->at < t->size ? t->size - t->at : 0;

	t->at += (size_t)ramet_flags_format(flags, room ? t->buf + t->at : NULL, room);
}

static void put_word(struct text *t, const struct word *words, int32_t value)
{
	const char *name = word_name(words, value);

	if (name)
		put(t, "%s", name);
	else
		put(t, "%d", value);
}

static void put_bound(struct text *t, uint64_t bound)
{
	if (bound == ~0ULL)
		put(t, "unlimited");
	else
		put(t, "%llu", (unsigned long long)bound);
}

/* Capability masks as lists where that is short. */
static void put_caps(struct text *t, uint64_t mask)
{
	const char *comma = "";

	if (__builtin_popcountll(mask) > 8) {
		put(t, "%#llx", (unsigned long long)mask);
		return;
	}
	if (!mask)
		put(t, "none");
	for (int cap = 0; cap < 64; cap++) {
		if (!(mask >> cap & 1))
			continue;
		put(t, "%s", comma);
		put_word(t, words_capability, cap);
		comma = ",";
	}
}

/* Fields of the attribute steps. */
static void put_attribute(struct text *t, const struct ramet_step *step, char field)
{
	switch (field) {
	case 'l':
		put_word(t, words_rlimit, step->number);
		put(t, " to ");
		put_bound(t, step->soft);
		put(t, ":");
		put_bound(t, step->hard);
		break;
	case 'P':
		put_word(t, words_policy, step->number);
		put(t, ", priority %d", step->priority);
		break;
	case 'I':
		put_word(t, words_io_class, step->number >> 13);
		put(t, ", level %d", step->number & 0x1fff);
		break;
	case 'T': /* as the kernel adds them up: nanoseconds count forward */
		put_word(t, words_clock, step->number);
		put(t, " by %lld s", (long long)step->seconds);
		if (step->nanoseconds)
			put(t, " and %lld ns", (long long)step->nanoseconds);
		break;
	case 'b':
		put_caps(t, step->mask);
		break;
	case 'C':
		put_caps(t, step->permitted);
		put(t, ", inheritable ");
		put_caps(t, step->inheritable);
		break;
	case 'S':
		put(t, "%s", ramet_signal_name(step->number));
		break;
	case 'B':
		put(t, "%s%s to %s%s", step->recursive ? "all of " : "", step->source, step->target,
		    step->read_only ? ", read-only" : "");
		break;
	case 'm':
		put_word(t, words_propagation, step->number);
		break;
	case 'L':
		put(t, "%s", step->number ? "everything" : "reading and execution");
		break;
	case 'q':
		put(t, "%s", step->target);
		break;
	case 'j':
		put_flags(t, step->mask);
		break;
	case 'X':
		put(t, "%#x", (unsigned)step->number);
		break;
	default:
		put(t, "%c", field);
	}
}

static void put_field(struct text *t, const struct ramet_step *step, char field)
{
	switch (field) {
	case 'p':
		put(t, "%s", step->path);
		break;
	case 'n':
		put(t, "%d", step->number);
		break;
	case 'u':
		put(t, "%u", (unsigned)step->number);
		break;
	case 'f':
		put_fd(t, step->number);
		break;
	case 'o':
		put(t, "%03o", (unsigned)step->number);
		break;
	case 't':
		put_fd(t, step->to);
		break;
	case 's':
		put_signal(t, step);
		break;
	case 'r':
		put_range(t, step);
		break;
	case 'x':
		put(t, "%#llx", (unsigned long long)step->mask);
		break;
	case 'g':
		put_groups(t, step);
		break;
	case 'i':
		put_map(t, "uid", step->uid_map);
		put_map(t, ", gid", step->gid_map);
		break;
	case 'e':
		if (step->number >= 0)
			put(t, "descriptor %d as ", step->number);
		put_program(t, step->paths);
		break;
	default:
		put_attribute(t, step, field);
	}
}

static void put_step(struct text *t, const struct ramet_step *step)
{
	for (const char *p = step_kind(step->kind)->text; *p; p++) {
		if (*p == '%' && p[1])
			put_field(t, step, *++p);
		else
			put(t, "%c", *p);
	}
}

int step_describe(const struct ramet_step *step, char *buf, size_t size)
{
	struct text t = {.buf = buf, .size = size};

	if (size)
		*buf = 0;
	put_step(&t, step);
	return (int)t.at;
}

const char *ramet_step_name(uint32_t kind)
{
	const struct step_kind *row = step_kind(kind);

	return row ? row->name : NULL;
}

static const char *const way_reasons[] = {
	[RAMET_WAY_HELD] = "memory is shared, the caller sleeps until the body runs or ends",
	[RAMET_WAY_FUTEX] = "memory is shared, the caller runs on",
	[RAMET_WAY_COPY] = "memory is copied",
	[RAMET_WAY_HELPER] = "the steps run in a small helper program",
};

static void put_call(struct text *t, const struct plan *plan)
{
	const int sig = plan->exit_signal;

	if (plan->libc_fork) {
		put(t, "fork() of the C library%s",
		    plan->begins_pids ? ", into a new pid namespace" : "");
	} else {
		put(t, "clone3 ");
		put_flags(t, plan->args.flags);
	}
	put(t, ", exit signal %s%s\n", sig ? ramet_signal_name(sig) : "none",
	    plan->execs ? " from exec on" : "");
}

static void put_plan(struct text *t, const struct plan *plan)
{
	static const char *const sides[] = {"child", "caller", "plan"};

	put(t, "way    %s (%s%s)\n", ramet_way_name(plan->way), way_reasons[plan->way],
	    plan->shielded ? "; a task between them is held" : "");
	put_call(t, plan);
	for (unsigned i = 0; i < plan->count; i++) {
		put(t, "%2u %-6s ", i + 1, sides[step_kind(plan->steps[i].kind)->side]);
		if ((int)i == plan->sigmask)
			put(t, "restore the signal mask");
		else
			put_step(t, &plan->steps[i]);
		put(t, "\n");
	}
}

int ramet_plan_format(const struct ramet_spec *spec, char *buf, size_t size,
		      struct ramet_error *error)
{
	struct text t = {.buf = buf, .size = size};
	const struct launch_wish wish = {.witness = -1};
	struct ramet_spec loaded;
	struct plan plan;
	int r;

	if (size)
		*buf = 0;
	r = launch_plan(spec, &loaded, &wish, &plan, error);
	if (r < 0)
		return r;
	put_plan(&t, &plan);
	plan_free(&plan);
	return (int)t.at;
}
