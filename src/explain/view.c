/* SPDX-License-Identifier: MIT */
/* One call for a person: the answer in a line, then why or what it gives, then details. */
#include <signal.h>
#include <string.h>

#include "explain/explain.h"
#include "model/rules.h"
#include "out/out.h"
#include "spec/spec.h"
#include "uapi/clone.h"

#define PAIRS 72
#define TEXT 1700

/* Lines in the making: each pair's text lives in `texts`. */
struct page {
	size_t count;
	struct out_pair pairs[PAIRS];
	char texts[PAIRS][TEXT];
};

static void line(struct page *page, const char *label, const char *text)
{
	if (page->count == PAIRS || !text || !*text)
		return;
	snprintf(page->texts[page->count], TEXT, "%s", text);
	page->pairs[page->count] =
		(struct out_pair){.label = label, .text = page->texts[page->count]};
	page->count++;
}

/* ---- Flags ---- */

/* The address that belongs to a flag; false where the line does not show it. */
static bool address_of(const struct line_call *call, uint64_t flag, uint64_t *ret)
{
	const bool clone = call->call.entry == RAMET_ENTRY_CLONE;
	uint32_t given = LINE_CHILD_TID;
	uint64_t at = call->call.child_tid;

	if (flag == CLONE_PARENT_SETTID || (flag == CLONE_PIDFD && clone)) {
		given = LINE_PARENT_TID;
		at = call->call.parent_tid;
	} else if (flag == CLONE_PIDFD) {
		given = LINE_PIDFD;
		at = call->call.pidfd;
	}
	*ret = at;
	return call->given & given && at > 0xffff; /* below that it is a number, not an address */
}

/* The tid words mean something else where memory is copied: nobody but the child sees them. */
static const char *sentence_of(const struct ramet_call *call, const struct flag_fact *fact)
{
	if (call->flags & CLONE_VM)
		return fact->sentence;
	if (fact->flag == CLONE_CHILD_SETTID)
		return "bookkeeping of the C library: the child's record of its own tid is at %p";
	if (fact->flag == CLONE_CHILD_CLEARTID)
		return "bookkeeping of the C library: cleared at the end if threads of the child still "
		       "run, so that nothing waits on %p in vain";
	return fact->sentence;
}

/* The sentence, with the address in the place of %p. */
static void put_sentence(const struct line_call *call, const struct flag_fact *fact, char *buf,
			 size_t size)
{
	const char *sentence = sentence_of(&call->call, fact);
	const char *mark = strstr(sentence, "%p");
	uint64_t address;

	if (!mark)
		snprintf(buf, size, "%s", sentence);
	else if (address_of(call, fact->flag, &address))
		snprintf(buf, size, "%.*s0x%jx%s", (int)(mark - sentence), sentence,
			 (uintmax_t)address, mark + 2);
	else
		snprintf(buf, size, "%.*sthe address passed%s", (int)(mark - sentence), sentence,
			 mark + 2);
}

static void show_flags(struct page *page, const struct line_call *call)
{
	const uint64_t flags = model_flags(&call->call);

	for (unsigned bit = 0; bit < 64; bit++) {
		const struct flag_fact *fact = explain_flag(bit);
		char text[TEXT];

		if (!fact->sentence || !(flags & fact->flag))
			continue;
		put_sentence(call, fact, text, sizeof(text));
		line(page, fact->name, text);
	}
}

/* ---- What is easily overlooked ---- */

static bool makes(const struct line_call *c)
{
	return c->call.entry & ENTRY_MAKES;
}

static bool is_clone(const struct line_call *c)
{
	return c->call.entry == RAMET_ENTRY_CLONE;
}

/* All of `all` and none of `none`. */
static bool has(const struct line_call *c, uint64_t all, uint64_t none)
{
	const uint64_t flags = model_flags(&c->call);

	return makes(c) && (flags & all) == all && !(flags & none);
}

static bool one_stack(const struct line_call *c)
{
	return c->given & LINE_STACK && !c->call.stack && has(c, CLONE_VM, CLONE_VFORK);
}

static bool one_thread_pointer(const struct line_call *c)
{
	/* The kernel's own threads have no such pointer. */
	return has(c, CLONE_VM, CLONE_VFORK | CLONE_SETTLS | CLONE_UNTRACED);
}

static bool time_bit_in_clone(const struct line_call *c)
{
	return is_clone(c) && c->call.exit_signal & CLONE_NEWTIME;
}

static bool lost_bits(const struct line_call *c)
{
	return c->call.entry & (RAMET_ENTRY_CLONE | RAMET_ENTRY_SETNS) && c->call.flags >> 32;
}

static bool signal_of_thread(const struct line_call *c)
{
	return is_clone(c) && c->call.exit_signal && c->call.flags & (CLONE_THREAD | CLONE_PARENT);
}

static bool deadly_signal(const struct line_call *c)
{
	return (c->call.exit_signal == SIGKILL || c->call.exit_signal == SIGSTOP) &&
	       has(c, 0, CLONE_THREAD | CLONE_PARENT);
}

/* posix_spawn() blocks signals itself. */
static bool handlers_in_vfork(const struct line_call *c)
{
	return has(c, CLONE_VM | CLONE_VFORK, CLONE_CLEAR_SIGHAND | CLONE_THREAD) &&
	       !explain_by_name(c);
}

static bool joins(const struct line_call *c)
{
	return c->call.entry == RAMET_ENTRY_SETNS && !(c->given & LINE_RESULT);
}

static const struct {
	bool (*when)(const struct line_call *call);
	const char *text;
} cautions[] = {
	{one_stack,
	 "stack 0 with shared memory: both run on one stack and destroy each other's frames"},
	{one_thread_pointer,
	 "no SETTLS with shared memory: both begin with one thread pointer, so errno and the C "
	 "library's own data of a thread are one for both"},
	{time_bit_in_clone,
	 "0x80 is a bit of the exit signal here; only clone3, unshare and setns take it for "
	 "CLONE_NEWTIME"},
	{lost_bits, "this call drops the bits from 2^32 up; only clone3 has them"},
	{signal_of_thread,
	 "clone(2) ignores this exit signal: a thread has none, a sibling has the caller's"},
	{deadly_signal, "this exit signal kills or stops the caller, which cannot handle it"},
	{handlers_in_vfork,
	 "a handler of the caller may run in the child, in the caller's memory: block signals round "
	 "it"},
	{explain_by_name,
	 "this is a function of the C library: by which call and flags it makes the task depends on "
	 "its version; strace -f or ltrace -S shows that"},
	{joins, "what the descriptor names was not looked at: that may be a reason to refuse"},
};

static void show_cautions(struct page *page, const struct explanation *e)
{
	for (size_t i = 0; i < sizeof(cautions) / sizeof(cautions[0]); i++)
		if (cautions[i].when(&e->line))
			line(page, "mind", cautions[i].text);
}

/* ---- Accepted ---- */

static void show_gives(struct page *page, const struct explanation *e)
{
	for (unsigned i = 0; i < RAMET_RESOURCE_COUNT; i++)
		line(page, resource_row(i)->name, explain_gives(e, resource_row(i)->bit));
}

static void show_issuers(struct page *page, const struct explanation *e)
{
	const struct issuer *issuer;

	for (size_t i = 0; i < 6 && (issuer = explain_issuer(&e->line, i)); i++)
		line(page, i ? "" : "issued by", issuer->who);
	if (e->preset) {
		char text[64];

		/* A program is no thread, so this one cannot be run. */
		snprintf(text, sizeof(text), "ramet %s %s",
			 e->line.call.flags & CLONE_THREAD ? "probe" : "run --preset", e->preset);
		line(page, "preset", text);
	}
}

/* Only where the two calls differ in their verdict. */
static void show_other(struct page *page, const struct explanation *e)
{
	const bool refused = e->reason_count;
	char text[TEXT], error[EXPLAIN_ERRNO_TEXT];

	if (!e->other.entry || refused == (e->other_rule != NULL) ||
	    (refused && e->reason_count != 1) ||
	    (e->verdict == EXPLAIN_REFUSED && !e->reason_count))
		return;
	if (e->other_rule)
		snprintf(text, sizeof(text), "would refuse this, %s: %s (rule %s)",
			 explain_errno(e->other_rule->error, error), e->other_rule->why,
			 e->other_rule->id);
	else
		snprintf(text, sizeof(text), "would accept this");
	line(page, e->other.entry == RAMET_ENTRY_CLONE ? "clone(2)" : "clone3", text);
}

static void show_accepted(struct page *page, const struct explanation *e)
{
	char told[256];

	show_gives(page, e);
	if (*e->line.function) {
		snprintf(told, sizeof(told), "%s, on a stack of its own%s", e->line.function,
			 e->line.call.flags & CLONE_THREAD
				 ? ""
				 : "; what that returns is its exit status");
		line(page, "begins in", told);
	}
	if (makes(&e->line)) {
		explain_told(e, told, sizeof(told));
		line(page, "told of its end", told);
		show_flags(page, &e->line);
	}
	show_cautions(page, e);
	show_issuers(page, e);
	show_other(page, e);
}

/* ---- Refused ---- */

static void put_versions(const struct ramet_rule *rule, char *buf, size_t size)
{
	const unsigned since = rule->since, until = rule->until;

	if (since && until)
		snprintf(buf, size, "from %u.%u on, before %u.%u", since >> 16, since >> 8 & 255,
			 until >> 16, until >> 8 & 255);
	else if (since)
		snprintf(buf, size, "since %u.%u", since >> 16, since >> 8 & 255);
	else if (until)
		snprintf(buf, size, "before %u.%u", until >> 16, until >> 8 & 255);
	else
		snprintf(buf, size, "every kernel from 5.10 on");
}

/* In what a call that makes a task differs: "memory shared, no pidfd". Signals are in its text. */
static void put_difference(const struct ramet_call *from, const struct ramet_call *to, char *buf,
			   size_t size)
{
	size_t at = 0;

	buf[0] = '\0';
	for (unsigned bit = 0; bit < 64 && at < size; bit++) {
		const struct flag_fact *fact = explain_flag(bit);
		uint64_t flag = 1ULL << bit;

		if (!((from->flags ^ to->flags) & flag) || !fact->name)
			continue;
		at += (size_t)snprintf(buf + at, size - at, "%s%s", at ? ", " : "",
				       to->flags & flag ? fact->with : fact->without);
	}
}

static void show_mends(struct page *page, const struct explanation *e)
{
	for (int i = 0; i < e->mend_count; i++) {
		char call[EXPLAIN_CALL_TEXT], difference[600], text[TEXT];

		explain_call_text(&e->mends[i], call, sizeof(call));
		difference[0] = '\0';
		if (makes(&e->line))
			put_difference(&e->line.call, &e->mends[i], difference, sizeof(difference));
		snprintf(text, sizeof(text), "%s%s%s", call, *difference ? ": " : "", difference);
		line(page, i ? "" : "instead", text);
	}
}

static void show_rule(struct page *page, const struct ramet_rule *rule)
{
	char versions[48], text[TEXT];

	put_versions(rule, versions, sizeof(versions));
	snprintf(text, sizeof(text), "%s (%s; %s)", rule->id, versions, rule->source);
	line(page, "why", rule->why);
	line(page, "rule", text);
	line(page, "mend", rule->mend);
}

static void show_candidates(struct page *page, const struct explanation *e)
{
	char versions[48], text[TEXT];

	snprintf(text, sizeof(text),
		 "one of these %zu, by the state of the caller then:", e->reason_count);
	line(page, "why", text);
	for (size_t i = 0; i < e->reason_count; i++) {
		const struct ramet_rule *rule = e->reasons[i];

		*versions = '\0';
		if (rule->since || rule->until)
			put_versions(rule, versions, sizeof(versions));
		snprintf(text, sizeof(text), "%s%s%s%s %s", *versions ? "(" : "", versions,
			 *versions ? ") " : "", rule->why, rule->mend);
		line(page, rule->id, text);
	}
}

static void show_refused(struct page *page, const struct explanation *e)
{
	char text[TEXT], error[EXPLAIN_ERRNO_TEXT];

	if (!e->reason_count && !e->error) {
		line(page, "why", "The line does not show which errno it was.");
	} else if (!e->reason_count && explain_by_name(&e->line)) {
		line(page, "why",
		     "No rule gives this errno for such a task: it is that of another step of the "
		     "function's, for instance exec; strace -f or ltrace -S shows which.");
	} else if (!e->reason_count) {
		snprintf(
			text, sizeof(text),
			"No rule from 5.10 on gives %s for this call: a seccomp filter or an injected "
			"fault did, or a kernel that is older or built without this.",
			explain_errno(e->error, error));
		line(page, "why", text);
	} else if (e->reason_count == 1) {
		show_rule(page, e->reasons[0]);
		show_mends(page, e);
	} else {
		show_candidates(page, e);
	}
	show_other(page, e);
}

static void show(struct page *page, const struct explanation *e)
{
	if (e->verdict == EXPLAIN_RESTARTED)
		line(page, "why",
		     "A signal was pending, so the kernel made nothing; it lets the handler run and "
		     "makes the call again by itself. Only a tracer sees this.");
	else if (!(e->line.given & LINE_FLAGS))
		line(page, "flags",
		     "not in the line: it is a part of one, or shows an address alone");
	else if (e->verdict == EXPLAIN_REFUSED || e->reason_count)
		show_refused(page, e);
	else
		show_accepted(page, e);
}

/* Behind the headline: how often, and where. */
static void put_place(FILE *out, const struct explanation *e, size_t count)
{
	const size_t line = e->line.first_line;

	if (count > 1 && line)
		fprintf(out, "   (%zu times, first in line %zu)", count, line);
	else if (count > 1)
		fprintf(out, "   (%zu times)", count);
	else if (line)
		fprintf(out, "   (line %zu)", line);
}

/* ---- */

int explain_view_text(const struct explain_view *view, const struct explanation *e, size_t count)
{
	static struct page page; /* 100 KB: not for the stack */
	char headline[EXPLAIN_HEADLINE];

	page.count = 0;
	explain_headline(e, headline, sizeof(headline));
	fputs(headline, view->out);
	put_place(view->out, e, count);
	fputc('\n', view->out);
	show(&page, e);
	if (page.count)
		fputc('\n', view->out);
	out_pairs(view->out, view->color, page.pairs, page.count);
	return 0;
}
