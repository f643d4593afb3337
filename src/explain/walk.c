/* SPDX-License-Identifier: MIT */
/*
 * The way of one call through the kernel, stop by stop: rows of walk.def. Where the rules refuse
 * the call its way ends; at which stop that is, the rule's own `source` says.
 */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>

#include "explain/explain.h"
#include "explain/walk.h"
#include "model/rules.h"
#include "out/out.h"
#include "spec/spec.h"
#include "uapi/clone.h"

#define CASES 10
#define LINES 96
#define TEXT 700

/* Those for which a new nsproxy is made; a user namespace goes with the credentials. */
#define NAMESPACES (CLONE_NEW_ANY & ~CLONE_NEWUSER)

/* Said when all of `all`, one of `any`, none of `none` are set and `when` holds. */
struct stop_case {
	uint64_t all, any, none;
	bool (*when)(const struct explanation *e);
	bool asks; /* could end the call: said also where that happens */
	const char *text;
};

struct stop {
	unsigned entries;
	const char *function;
	const char *older;
	const char *inside;
	const char *rules;
	bool restarts; /* a waiting signal breaks the call off here */
	bool makes;    /* a refusal after this one has something to take back */
	struct stop_case cases[CASES];
};

/* ---- What flags alone cannot tell ---- */

#define QUESTION(name) static bool name(const struct explanation *e)

static bool is_named(const struct explanation *e, const char *name)
{
	return e->line.name && !strcmp(e->line.name, name);
}

static uint64_t flags_of(const struct explanation *e)
{
	return model_flags(&e->line.call);
}

QUESTION(named_fork)
{
	return is_named(e, "fork");
}

QUESTION(named_vfork)
{
	return is_named(e, "vfork");
}

QUESTION(named_clone)
{
	return !named_fork(e) && !named_vfork(e);
}

QUESTION(two_words)
{
	const uint64_t both = CLONE_PIDFD | CLONE_PARENT_SETTID;

	return (flags_of(e) & both) == both;
}

/* No flag of those that copy_process looks at first. */
QUESTION(unconditional)
{
	return !(flags_of(e) &
		 (CLONE_NEWNS | CLONE_NEWUSER | CLONE_THREAD | CLONE_SIGHAND | CLONE_PARENT |
		  CLONE_PIDFD | CLONE_AUTOREAP | CLONE_NNP | CLONE_PIDFD_AUTOKILL));
}

QUESTION(new_namespaces)
{
	return flags_of(e) & NAMESPACES;
}

QUESTION(new_by_right)
{
	return new_namespaces(e) && !(flags_of(e) & CLONE_NEWUSER);
}

QUESTION(new_by_user)
{
	return new_namespaces(e) && flags_of(e) & CLONE_NEWUSER;
}

/* fork and vfork have no stack argument, so they show none; a bare word may be of any call. */
static bool stack_is_known(const struct explanation *e)
{
	return e->line.given & LINE_STACK || named_fork(e) || named_vfork(e);
}

static bool caller_stack(const struct explanation *e, uint64_t both, uint64_t flags)
{
	return stack_is_known(e) && !e->line.call.stack && (flags_of(e) & both) == flags;
}

QUESTION(own_stack)
{
	return stack_is_known(e) && e->line.call.stack;
}

QUESTION(copied_stack)
{
	return caller_stack(e, CLONE_VM, 0);
}

QUESTION(lent_stack)
{
	return caller_stack(e, CLONE_VM | CLONE_VFORK, CLONE_VM | CLONE_VFORK);
}

QUESTION(one_stack)
{
	return caller_stack(e, CLONE_VM | CLONE_VFORK, CLONE_VM);
}

QUESTION(unknown_stack)
{
	return !stack_is_known(e);
}

QUESTION(chosen_pid)
{
	return e->line.call.entry == RAMET_ENTRY_CLONE3 && e->line.call.set_tid_size;
}

QUESTION(known_pid)
{
	return e->verdict == EXPLAIN_ACCEPTED && e->evidence && e->line.given & LINE_RESULT &&
	       e->line.result > 0;
}

QUESTION(unknown_pid)
{
	return !known_pid(e);
}

QUESTION(own_cgroup)
{
	return !(flags_of(e) & CLONE_INTO_CGROUP);
}

QUESTION(own_child)
{
	return !(flags_of(e) & (CLONE_THREAD | CLONE_PARENT));
}

QUESTION(parts_sighand)
{
	return flags_of(e) & (CLONE_VM | CLONE_SIGHAND);
}

QUESTION(parts_fs)
{
	return flags_of(e) & (CLONE_FS | CLONE_NEWNS | CLONE_NEWUSER);
}

QUESTION(parts_undo)
{
	return flags_of(e) & (CLONE_SYSVSEM | CLONE_NEWIPC);
}

QUESTION(join_one)
{
	return !flags_of(e);
}

/* ---- The stops ---- */

#define ASKS(any_, text_)                                                                          \
	{                                                                                          \
		.any = (any_), .asks = true, .text = text_                                         \
	}
#define DOES(all_, none_, text_)                                                                   \
	{                                                                                          \
		.all = (all_), .none = (none_), .text = text_                                      \
	}
#define ASKS_IF(question, text_)                                                                   \
	{                                                                                          \
		.when = (question), .asks = true, .text = text_                                    \
	}
#define DOES_IF(question, text_)                                                                   \
	{                                                                                          \
		.when = (question), .text = text_                                                  \
	}
#define STOP(entries_, function_, ...) {.entries = (entries_), .function = function_, __VA_ARGS__},

static const struct stop stops[] = {
#include "explain/walk.def"
};

#define STOP_COUNT (sizeof(stops) / sizeof(stops[0]))

static bool case_holds(const struct stop_case *c, const struct explanation *e)
{
	uint64_t flags = flags_of(e);

	if (!c->text || (flags & c->all) != c->all || flags & c->none)
		return false;
	if (c->any && !(flags & c->any))
		return false;
	return !c->when || c->when(e);
}

static bool has_something_to_say(const struct stop *stop, const struct explanation *e)
{
	for (size_t i = 0; i < CASES; i++)
		if (case_holds(&stop->cases[i], e))
			return true;
	return false;
}

/* ---- Where a rule refuses ---- */

/* Letters, digits, '_' and '-': of such are ids and the names of functions. */
static size_t word_length(const char *text)
{
	return strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-");
}

static bool has_word(const char *list, const char *word, size_t n)
{
	while (list && *list) {
		size_t length = word_length(list);

		if (length == n && !strncmp(list, word, n))
			return true;
		list += length;
		list += *list != '\0';
	}
	return false;
}

/* Does the rule's source name a function of this stop? */
static bool source_names(const struct ramet_rule *rule, const struct stop *stop)
{
	const char *at = rule->source;

	while (*at) {
		size_t n = word_length(at);

		if (n && has_word(stop->inside, at, n))
			return true;
		at += n;
		at += *at != '\0';
	}
	return false;
}

static bool lists_rule(const struct stop *stop, const struct ramet_rule *rule)
{
	return has_word(stop->rules, rule->id, strlen(rule->id));
}

/* The stop at or after `from` where this rule is asked, of those on this call's way or of all. */
static size_t next_place(const struct ramet_rule *rule, const struct explanation *e, size_t from,
			 bool shown, bool listed)
{
	for (size_t i = from; i < STOP_COUNT; i++) {
		if (!(stops[i].entries & e->line.call.entry))
			continue;
		if (shown && !has_something_to_say(&stops[i], e))
			continue;
		if (lists_rule(&stops[i], rule) || (!listed && source_names(rule, &stops[i])))
			return i;
	}
	return STOP_COUNT;
}

/* STOP_COUNT if there is no place for this rule. A stop that lists it beats one that it names. */
static size_t place_of(const struct ramet_rule *rule, const struct explanation *e)
{
	size_t place = STOP_COUNT;

	for (int listed = 1; place == STOP_COUNT && listed >= 0; listed--)
		place = next_place(rule, e, 0, false, listed);
	/* Where one rule is asked at several stops, the way of this call may miss the first. */
	if (place < STOP_COUNT && !has_something_to_say(&stops[place], e)) {
		size_t other = next_place(rule, e, place, true, false);

		place = other < STOP_COUNT ? other : place;
	}
	return place;
}

const char *walk_place(const struct ramet_rule *rule, const struct explanation *e)
{
	size_t place = place_of(rule, e);

	return place < STOP_COUNT ? stops[place].function : NULL;
}

const char *walk_stop(size_t index, unsigned *ret_entries)
{
	if (index >= STOP_COUNT)
		return NULL;
	*ret_entries = stops[index].entries;
	return stops[index].function;
}

/* ---- Text ---- */

struct page {
	size_t count;
	unsigned number; /* of stops so far */
	struct out_pair pairs[LINES];
	struct {
		char label[80], text[TEXT];
	} texts[LINES];
};

struct buffer {
	char *text;
	size_t size, at;
};

__attribute__((format(printf, 2, 3))) static void add(struct buffer *b, const char *format, ...)
{
	va_list args;
	int n;

	if (b->at >= b->size)
		return;
	va_start(args, format);
	n = vsnprintf(b->text + b->at, b->size - b->at, format, args);
	va_end(args);
	if (n > 0)
		b->at += (size_t)n;
}

/* In the order in which the kernel makes and joins them. */
static void add_namespaces(struct buffer *b, uint64_t flags)
{
	static const enum ramet_resource order[] = {RAMET_USER, RAMET_MNT, RAMET_UTS,
						    RAMET_IPC,	RAMET_PID, RAMET_CGROUPNS,
						    RAMET_NET,	RAMET_TIME};
	const char *before = "";

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		const struct resource_row *row = resource_row((unsigned)__builtin_ctz(order[i]));

		if (!(flags & row->fresh))
			continue;
		add(b, "%s%s", before, row->bit == RAMET_CGROUPNS ? "cgroup" : row->name);
		before = ", ";
	}
}

static void add_signal(struct buffer *b, const struct explanation *e)
{
	const char *name = ramet_signal_name((int)e->line.call.exit_signal);

	if (e->line.source && !(e->line.given & LINE_EXIT_SIGNAL))
		add(b, "not in this line");
	else if (!e->line.call.exit_signal)
		add(b, "0, none");
	else if (name)
		add(b, "%s", name);
	else
		add(b, "%ju", (uintmax_t)e->line.call.exit_signal);
}

/* By which event a tracer that asked for it hears of this call. */
static const char *trace_event(const struct explanation *e)
{
	if (flags_of(e) & CLONE_VFORK)
		return "PTRACE_EVENT_VFORK";
	if (e->line.source && !(e->line.given & LINE_EXIT_SIGNAL))
		return "PTRACE_EVENT_FORK or _CLONE";
	return e->line.call.exit_signal == SIGCHLD ? "PTRACE_EVENT_FORK" : "PTRACE_EVENT_CLONE";
}

/* The system call's name, without a "sys_" of its own. */
static const char *call_name(const struct explanation *e)
{
	return e->line.name ? e->line.name : "clone";
}

static void add_filled(struct buffer *b, const char *text, const struct explanation *e)
{
	for (; *text; text++) {
		if (*text != '%') {
			add(b, "%c", *text);
			continue;
		}
		switch (*++text) {
		case 'c':
			add(b, "%s", call_name(e));
			break;
		case 'e':
			add_signal(b, e);
			break;
		case 't':
			add(b, "%s", trace_event(e));
			break;
		case 'n':
			add_namespaces(b, flags_of(e));
			break;
		case 'r':
			add(b, "%jd", (intmax_t)e->line.result);
			break;
		}
	}
}

static struct buffer begin_line(struct page *page, const char *label, enum out_mark mark)
{
	struct buffer b = {.size = TEXT};

	if (page->count == LINES)
		page->count--; /* the last line is overwritten: it never comes to that */
	b.text = page->texts[page->count].text;
	*b.text = '\0';
	snprintf(page->texts[page->count].label, sizeof(page->texts[0].label), "%s", label);
	page->pairs[page->count] = (struct out_pair){
		.label = page->texts[page->count].label,
		.text = b.text,
		.mark = mark,
	};
	page->count++;
	return b;
}

/* ---- The walk ---- */

static void show_stop(struct page *page, const struct stop *stop, const struct explanation *e,
		      bool end)
{
	char name[64], label[80];
	struct buffer b = {.text = name, .size = sizeof(name)};
	bool first = true;

	add_filled(&b, stop->function, e);
	snprintf(label, sizeof(label), "%2u %s", ++page->number, name);
	b = begin_line(page, label, OUT_PLAIN);
	for (size_t i = 0; i < CASES; i++) {
		const struct stop_case *c = &stop->cases[i];

		if (!case_holds(c, e) || (end && !c->asks))
			continue;
		add(&b, first ? "" : " ");
		add_filled(&b, c->text, e);
		first = false;
	}
	if (stop->older)
		add(&b, "%s(%s)", first ? "" : " ", stop->older);
}

static void show_until(struct page *page, const struct explanation *e, size_t last, bool end)
{
	for (size_t i = 0; i < STOP_COUNT && i <= last; i++)
		if (stops[i].entries & e->line.call.entry &&
		    (has_something_to_say(&stops[i], e) || (end && i == last)))
			show_stop(page, &stops[i], e, end && i == last);
}

/* The stop's name as its label has it. */
static void add_stop_name(struct buffer *b, size_t place, const struct explanation *e)
{
	add_filled(b, stops[place].function, e);
}

static void show_refused(struct page *page, const struct explanation *e)
{
	const struct ramet_rule *rule = e->reasons[0];
	const size_t place = place_of(rule, e);
	size_t other = place;
	struct buffer b;

	show_until(page, e, place, true);
	b = begin_line(page, "   refused here:", OUT_BAD);
	add(&b, "%s %s. %s", errno_name(e->error), rule->id, rule->why);
	for (size_t i = 0; i < place; i++)
		if (stops[i].makes && stops[i].entries & e->line.call.entry)
			add(&b, " What was made so far is taken back.");
	while ((other = next_place(rule, e, other + 1, true, false)) < STOP_COUNT) {
		b = begin_line(page, "   or at", OUT_BAD);
		add_stop_name(&b, other, e);
	}
}

/* The rules that may have refused, in the order of their stops. */
static void show_candidates(struct page *page, const struct explanation *e, bool named)
{
	for (size_t place = 0; place <= STOP_COUNT; place++)
		for (size_t i = 0; i < e->reason_count; i++) {
			const struct ramet_rule *rule = e->reasons[i];
			char name[64] = "", label[80];
			struct buffer b = {.text = name, .size = sizeof(name)};

			if (place_of(rule, e) != place)
				continue;
			if (named && place < STOP_COUNT)
				add_stop_name(&b, place, e);
			snprintf(label, sizeof(label), "   %s", name);
			b = begin_line(page, label, OUT_PLAIN);
			add(&b, "%s. %s", rule->id, rule->why);
		}
}

/* Up to where the first rule that may be the one is asked; then all that may be it. */
static void show_refused_somewhere(struct page *page, const struct explanation *e)
{
	size_t first = STOP_COUNT, last = 0;
	struct buffer b;
	bool one;

	for (size_t i = 0; i < e->reason_count; i++) {
		size_t place = place_of(e->reasons[i], e);

		first = place < first ? place : first;
		last = place > last ? place : last;
	}
	one = first < STOP_COUNT && first == last;
	if (one)
		show_until(page, e, first, true);
	else if (first > 0 && first < STOP_COUNT)
		show_until(page, e, first - 1, false);
	b = begin_line(page, one ? "   refused here:" : "   refused:", OUT_BAD);
	if (!e->reason_count)
		add(&b, "%s, and no rule of the kernel gives that for this call.",
		    errno_name(e->error));
	else
		add(&b, "%s, %s", errno_name(e->error),
		    one ? "by one of these rules:" : "at one of these stops:");
	show_candidates(page, e, !one);
}

static void show_restarted(struct page *page, const struct explanation *e)
{
	size_t place = 0;
	struct buffer b;

	while (place < STOP_COUNT - 1 &&
	       !(stops[place].restarts && stops[place].entries & e->line.call.entry))
		place++;
	show_until(page, e, place, true);
	b = begin_line(page, "   broken off here:", OUT_BAD);
	add(&b, "A signal was waiting. Nothing was made; the kernel makes the call again.");
}

/* The same bit may have another meaning in another call, or none. */
static bool is_flag_of(const struct flag_fact *fact, const struct explanation *e)
{
	static const char letters[] = {
		[RAMET_ENTRY_CLONE] = 'L',
		[RAMET_ENTRY_CLONE3] = '3',
		[RAMET_ENTRY_UNSHARE] = 'U',
		[RAMET_ENTRY_SETNS] = 'N',
	};

	return fact->name && strchr(fact->entries, letters[e->line.call.entry]);
}

/* "2.5.49" or "5.6, clone3 6.3" as a number that grows with the version. */
static unsigned version_of(const struct flag_fact *fact)
{
	unsigned major = 0, minor = 0, patch = 0;

	sscanf(fact->since, "%u.%u.%u", &major, &minor, &patch);
	return major << 16 | minor << 8 | patch;
}

/* The oldest flag among these that this call knows; NULL: none. */
static const struct flag_fact *oldest(uint64_t flags, const struct explanation *e)
{
	const struct flag_fact *found = NULL;

	for (unsigned bit = 0; bit < 64; bit++) {
		const struct flag_fact *fact = explain_flag(bit);

		if (flags >> bit & 1 && is_flag_of(fact, e) &&
		    (!found || version_of(fact) < version_of(found)))
			found = fact;
	}
	return found;
}

/* Since when each flag of the word exists, those of one kernel together. */
static void show_ages(struct page *page, const struct explanation *e)
{
	struct buffer b = begin_line(page, "   its flags came with", OUT_PLAIN);
	const struct flag_fact *fact, *last = NULL;
	uint64_t left = flags_of(e);

	while ((fact = oldest(left, e))) {
		if (last && !strcmp(last->since, fact->since))
			add(&b, " %s", fact->name);
		else
			add(&b, "%s%s (%s", last ? "), " : "", fact->since, fact->name);
		left &= ~fact->flag;
		last = fact;
	}
	if (last)
		add(&b, ")");
	else
		page->count--; /* no flag at all */
}

static void show_way(struct page *page, const struct explanation *e)
{
	if (e->verdict == EXPLAIN_RESTARTED)
		show_restarted(page, e);
	else if (e->verdict != EXPLAIN_REFUSED)
		show_until(page, e, STOP_COUNT - 1, false);
	else if (e->reason_count == 1 && place_of(e->reasons[0], e) < STOP_COUNT)
		show_refused(page, e);
	else
		show_refused_somewhere(page, e);
	show_ages(page, e);
}

int explain_view_walk(const struct explain_view *view, const struct explanation *e)
{
	static struct page page; /* 70 KB: not for the stack */
	char call[1200];

	if (!(e->line.given & LINE_FLAGS)) {
		fputs("The flags are not in the line: its beginning is missing.\n", view->out);
		return 0;
	}
	page.count = 0;
	page.number = 0;
	explain_call_text(&e->line.call, call, sizeof(call));
	fprintf(view->out,
		"%s%s: its way through the kernel\n"
		"(that of 6.x, older names in brackets; 'count + 1': one more holder of one object)"
		"\n\n",
		e->verdict == EXPLAIN_UNFINISHED ? "If it succeeds: " : "", call);
	show_way(&page, e);
	out_pairs(view->out, view->color, page.pairs, page.count);
	return 0;
}
