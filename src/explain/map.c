/* SPDX-License-Identifier: MIT */
/*
 * The map: every flag, what goes together, the calls that make tasks side by side. Computed from
 * the tables of flags, rules and presets; what no table holds is a row of map.def.
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <string.h>

#include "explain/explain.h"
#include "explain/relations.h"
#include "model/rules.h"
#include "out/out.h"
#include "spec/spec.h"
#include "uapi/clone.h"

#define TEXT 400

/* ---- Presets ---- */

static const struct map_column {
	const char *title;
	enum ramet_preset preset;
} columns[] = {
#define COLUMN(title_, preset_) {title_, preset_},
#include "explain/map.def"
};

#define COLUMN_COUNT (sizeof(columns) / sizeof(columns[0]))

/* The call of a preset, as an ordinary user has to make it. */
static struct ramet_call call_of(enum ramet_preset preset)
{
	struct ramet_call call = {.entry = RAMET_ENTRY_CLONE3};
	int sig;

	if (ramet_preset_flags(preset, false, &call.flags, &sig) == 0)
		call.exit_signal = (uint64_t)sig;
	return call;
}

static struct explanation explanation_of(enum ramet_preset preset)
{
	const struct ramet_call call = call_of(preset);

	return (struct explanation){
		.line = {.call = call, .given = LINE_FLAGS | LINE_EXIT_SIGNAL},
		.verdict = EXPLAIN_ACCEPTED,
	};
}

/* By what somebody learns of the task's end. */
static const char *told_by(const struct ramet_call *call)
{
	const char *name = ramet_signal_name((int)call->exit_signal);

	if (call->flags & CLONE_THREAD)
		return call->flags & CLONE_CHILD_CLEARTID ? "futex" : "nothing";
	return name ? name : "nothing";
}

static bool holds_caller(const struct ramet_call *call)
{
	return call->flags & CLONE_VFORK;
}

/* ---- Relations in words ---- */

static const char *flag_word(uint64_t flag)
{
	return flag ? explain_flag((unsigned)__builtin_ctzll(flag))->name : "an exit signal";
}

/* "before 6.9", or "" for a rule that is as old as its flags and still there. */
static void put_until(const struct relation *r, char *buf, size_t size)
{
	unsigned until = r->rule->until;

	buf[0] = '\0';
	if (until)
		snprintf(buf, size, "before %u.%u", until >> 16, until >> 8 & 255);
}

struct words {
	char *buf;
	size_t size, at;
};

__attribute__((format(printf, 2, 3))) static void add(struct words *w, const char *format, ...)
{
	va_list args;
	int n;

	if (w->at >= w->size)
		return;
	va_start(args, format);
	n = vsnprintf(w->buf + w->at, w->size - w->at, format, args);
	va_end(args);
	if (n > 0)
		w->at += (size_t)n;
}

/* Of the list, those that hold in these calls alone; calls 0: those that hold everywhere. */
static void add_relations(struct words *w, const struct relation *list, size_t count,
			  unsigned calls)
{
	const char *before = w->at ? "; " : "";
	char until[32];

	for (size_t i = 0; i < count; i++) {
		const struct relation *r = &list[i];

		if ((r->everywhere ? 0 : r->calls) != calls)
			continue;
		add(w, "%s", before);
		put_until(r, until, sizeof(until));
		add(w, "%s%s", flag_word(r->other), r->privilege ? " or CAP_SYS_ADMIN" : "");
		if (*until)
			add(w, " (%s)", until);
		before = ", ";
	}
	if (calls && !strcmp(before, ", "))
		add(w, " (%s)", calls == RAMET_ENTRY_CLONE ? "clone" : "clone3");
}

/* "NEWUSER, NEWPID, PIDFD (before 6.9); an exit signal, AUTOREAP (clone3)" */
static void put_relations(const struct relation *list, size_t count, char *buf, size_t size)
{
	struct words w = {.buf = buf, .size = size};

	buf[0] = '\0';
	add_relations(&w, list, count, 0);
	add_relations(&w, list, count, RAMET_ENTRY_CLONE);
	add_relations(&w, list, count, RAMET_ENTRY_CLONE3);
}

/* ---- Sections ---- */

static void title(const struct explain_view *view, const char *text)
{
	fprintf(view->out, "%s\n\n", text);
}

/* "c3u-": one place for each call, as the title explains them. */
static void put_calls(const struct flag_fact *fact, char buf[5])
{
	static const char letters[] = "L3UN", shown[] = "c3us";

	for (size_t i = 0; i < 4; i++)
		buf[i] = strchr(fact->entries, letters[i]) ? shown[i] : '-';
	buf[4] = '\0';
}

static int show_flags(const struct explain_view *view)
{
	static const struct out_column heads[] = {
		{"CLONE_", 0}, {"VALUE", OUT_RIGHT}, {"SINCE", 0}, {"IN", 0}, {"GIVES", OUT_WRAP},
	};
	struct out_table t;

	title(view, "Flags, and in which calls: clone, clone3, unshare, setns");
	out_table_begin(&t, view->out, view->color, heads, sizeof(heads) / sizeof(heads[0]));
	for (unsigned bit = 0; bit < 64; bit++) {
		const struct flag_fact *fact = explain_flag(bit);
		char value[24], calls[5];

		if (!fact->name)
			continue;
		snprintf(value, sizeof(value), "0x%jx", (uintmax_t)fact->flag);
		put_calls(fact, calls);
		out_table_row(&t);
		out_table_cell(&t, 0, fact->name, OUT_PLAIN);
		out_table_cell(&t, 1, value, OUT_PLAIN);
		out_table_cell(&t, 2, fact->since, OUT_PLAIN);
		out_table_cell(&t, 3, calls, OUT_PLAIN);
		out_table_cell(&t, 4, fact->with, OUT_PLAIN);
	}
	return out_table_end(&t);
}

static void show_relation(struct out_table *t, const char *flag, const char *kind,
			  const char *flags)
{
	out_table_row(t);
	out_table_cell(t, 0, flag, OUT_PLAIN);
	out_table_cell(t, 1, kind, OUT_PLAIN);
	out_table_cell(t, 2, flags, OUT_PLAIN);
}

static int show_relations(const struct explain_view *view)
{
	static const struct out_column heads[] = {{"CLONE_", 0}, {"", 0}, {"", OUT_WRAP}};
	struct out_table t;

	title(view, "What goes together when a task is made; the kernel refuses the rest");
	out_table_begin(&t, view->out, view->color, heads, sizeof(heads) / sizeof(heads[0]));
	for (unsigned bit = 0; bit < 64; bit++) {
		const struct flag_fact *fact = explain_flag(bit);
		struct relation list[RELATIONS];
		char needs[TEXT], excludes[TEXT];

		if (!fact->name)
			continue;
		put_relations(list, relation_needs(fact->flag, list), needs, sizeof(needs));
		put_relations(list, relation_excludes(fact->flag, list), excludes,
			      sizeof(excludes));
		if (*needs)
			show_relation(&t, fact->name, "needs", needs);
		if (*excludes)
			show_relation(&t, *needs ? "" : fact->name, "not with", excludes);
	}
	return out_table_end(&t);
}

/* What is as in fork, the first column, is dim: the rest is what makes the difference. */
static void show_row(struct out_table *t, const char *name, const char *const *cells)
{
	out_table_row(t);
	out_table_cell(t, 0, name, OUT_PLAIN);
	for (size_t i = 0; i < COLUMN_COUNT; i++)
		out_table_cell(t, i + 1, cells[i],
			       i && !strcmp(cells[i], cells[0]) ? OUT_DIM : OUT_PLAIN);
}

static int show_presets(const struct explain_view *view)
{
	struct out_column heads[COLUMN_COUNT + 1] = {{.title = ""}};
	struct ramet_call calls[COLUMN_COUNT];
	const char *cells[COLUMN_COUNT];
	struct out_table t;
	int r;

	title(view, "Calls side by side: share = same object, copy = its own, new = fresh");
	for (size_t i = 0; i < COLUMN_COUNT; i++) {
		heads[i + 1].title = columns[i].title;
		calls[i] = call_of(columns[i].preset);
	}
	out_table_begin(&t, view->out, view->color, heads, COLUMN_COUNT + 1);
	for (unsigned row = 0; row < RAMET_RESOURCE_COUNT; row++) {
		const struct resource_row *resource = resource_row(row);

		for (size_t i = 0; i < COLUMN_COUNT; i++)
			cells[i] = ramet_mode_name(ramet_model_mode(&calls[i], 0, resource->bit));
		show_row(&t, resource->name, cells);
	}
	for (size_t i = 0; i < COLUMN_COUNT; i++)
		cells[i] = told_by(&calls[i]);
	show_row(&t, "told by", cells);
	for (size_t i = 0; i < COLUMN_COUNT; i++)
		cells[i] = holds_caller(&calls[i]) ? "yes" : "no";
	show_row(&t, "caller held", cells);
	for (size_t i = 0; i < COLUMN_COUNT; i++)
		cells[i] = ramet_preset_name(columns[i].preset);
	show_row(&t, "preset", cells);
	r = out_table_end(&t);
	fputs("\nclone and clone3 take any other mix that is not refused; unshare parts later what was "
	      "shared.\ncontainer: as a user without privileges has to make it.\n",
	      view->out);
	return r;
}

/* ---- Two kinds against each other ---- */

struct pair {
	const char *topic, *text[2];
};

static const struct pair pairs[] = {
#define PAIR(topic_, processes_, threads_) {topic_, {processes_, threads_}},
#include "explain/map.def"
};

static const struct pair eras[] = {
#define ERA(topic_, nptl_, linuxthreads_) {topic_, {nptl_, linuxthreads_}},
#include "explain/map.def"
};

static void show_pair(struct out_table *t, const char *const names[2], const struct pair *pair)
{
	for (size_t i = 0; i < 2; i++) {
		out_table_row(t);
		out_table_cell(t, 0, i ? "" : pair->topic, OUT_PLAIN);
		out_table_cell(t, 1, names[i], OUT_PLAIN);
		out_table_cell(t, 2, pair->text[i], OUT_PLAIN);
	}
}

static void begin_pairs(const struct explain_view *view, struct out_table *t)
{
	static const struct out_column heads[] = {{"WHAT", 0}, {"OF", 0}, {"IS", OUT_WRAP}};

	out_table_begin(t, view->out, view->color, heads, sizeof(heads) / sizeof(heads[0]));
}

static int show_threads(const struct explain_view *view)
{
	static const char *const names[] = {"processes", "threads"};
	const struct explanation made[] = {
		explanation_of(RAMET_PRESET_FORK),
		explanation_of(RAMET_PRESET_NPTL),
	};
	struct out_table t;

	title(view, "Two processes, by fork, and two threads, by pthread_create");
	begin_pairs(view, &t);
	for (unsigned row = 0; row < RAMET_RESOURCE_COUNT; row++) {
		const struct resource_row *resource = resource_row(row);
		struct pair pair = {.topic = resource->name};
		enum ramet_mode mode[2];

		for (size_t i = 0; i < 2; i++) {
			mode[i] = ramet_model_mode(&made[i].line.call, 0, resource->bit);
			pair.text[i] = explain_gives(&made[i], resource->bit);
			if (!pair.text[i])
				pair.text[i] = ramet_mode_name(mode[i]);
		}
		if (mode[0] != mode[1])
			show_pair(&t, names, &pair);
	}
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		show_pair(&t, names, &pairs[i]);
	return out_table_end(&t);
}

/* "VM FS FILES SIGHAND, SIGUSR2" */
static void put_flags(const struct ramet_call *call, char *buf, size_t size)
{
	struct words w = {.buf = buf, .size = size};

	for (unsigned bit = 0; bit < 64; bit++)
		if (call->flags >> bit & 1)
			add(&w, "%s%s", w.at ? " " : "", explain_flag(bit)->name);
	if (call->exit_signal)
		add(&w, ", exit signal %s", ramet_signal_name((int)call->exit_signal));
}

static int show_eras(const struct explain_view *view)
{
	static const char *const names[] = {"NPTL", "LinuxThreads"};
	const struct ramet_call calls[] = {
		call_of(RAMET_PRESET_NPTL),
		call_of(RAMET_PRESET_LINUXTHREADS),
	};
	char flags[2][TEXT];
	struct pair pair = {.topic = "flags", .text = {flags[0], flags[1]}};
	struct out_table t;

	title(view, "pthread_create of today (NPTL) and before (LinuxThreads)");
	begin_pairs(view, &t);
	for (size_t i = 0; i < 2; i++)
		put_flags(&calls[i], flags[i], sizeof(flags[i]));
	show_pair(&t, names, &pair);
	for (size_t i = 0; i < sizeof(eras) / sizeof(eras[0]); i++)
		show_pair(&t, names, &eras[i]);
	return out_table_end(&t);
}

int explain_view_map(const struct explain_view *view)
{
	static int (*const sections[])(const struct explain_view *) = {
		show_flags, show_relations, show_presets, show_threads, show_eras,
	};

	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
		int r;

		if (i)
			fputc('\n', view->out);
		r = sections[i](view);
		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- JSON ---- */

static void put(struct json_object *object, const char *key, const char *text)
{
	json_object_object_add(object, key, text ? json_object_new_string(text) : NULL);
}

/* "CLONE_VM"; null stands for an exit signal. */
static struct json_object *flag_json(uint64_t flag)
{
	char name[64];

	if (!flag)
		return NULL;
	ramet_flags_format(flag, name, sizeof(name));
	return json_object_new_string(name);
}

static struct json_object *calls_json(bool clone, bool clone3, bool unshare, bool setns)
{
	struct json_object *list = json_object_new_array();

	if (clone)
		json_object_array_add(list, json_object_new_string("clone"));
	if (clone3)
		json_object_array_add(list, json_object_new_string("clone3"));
	if (unshare)
		json_object_array_add(list, json_object_new_string("unshare"));
	if (setns)
		json_object_array_add(list, json_object_new_string("setns"));
	return list;
}

static struct json_object *relations_json(const struct relation *list, size_t count)
{
	struct json_object *array = json_object_new_array();

	for (size_t i = 0; i < count; i++) {
		const struct relation *r = &list[i];
		struct json_object *o = json_object_new_object();
		char until[32];

		put_until(r, until, sizeof(until));
		json_object_object_add(o, "flag", flag_json(r->other));
		json_object_object_add(
			o, "or", r->privilege ? json_object_new_string("CAP_SYS_ADMIN") : NULL);
		json_object_object_add(o, "calls",
				       calls_json(r->calls & RAMET_ENTRY_CLONE,
						  r->calls & RAMET_ENTRY_CLONE3, false, false));
		put(o, "kernels", *until ? until : NULL);
		put(o, "rule", r->rule->id);
		json_object_array_add(array, o);
	}
	return array;
}

static struct json_object *fact_json(const struct flag_fact *fact)
{
	struct json_object *o = json_object_new_object();
	struct relation list[RELATIONS];

	json_object_object_add(o, "name", flag_json(fact->flag));
	json_object_object_add(o, "value", json_object_new_uint64(fact->flag));
	put(o, "since", fact->since);
	json_object_object_add(o, "calls",
			       calls_json(strchr(fact->entries, 'L'), strchr(fact->entries, '3'),
					  strchr(fact->entries, 'U'), strchr(fact->entries, 'N')));
	put(o, "gives", fact->with);
	json_object_object_add(o, "needs", relations_json(list, relation_needs(fact->flag, list)));
	json_object_object_add(o, "excludes",
			       relations_json(list, relation_excludes(fact->flag, list)));
	return o;
}

static struct json_object *preset_json(const struct map_column *column)
{
	struct json_object *o = json_object_new_object(), *gives = json_object_new_object();
	const struct ramet_call call = call_of(column->preset);
	char flags[1024];

	ramet_flags_format(call.flags, flags, sizeof(flags));
	put(o, "name", ramet_preset_name(column->preset));
	put(o, "made_by", column->title);
	put(o, "flags", flags);
	json_object_object_add(o, "value", json_object_new_uint64(call.flags));
	put(o, "exit_signal", ramet_signal_name((int)call.exit_signal));
	for (unsigned i = 0; i < RAMET_RESOURCE_COUNT; i++) {
		const struct resource_row *row = resource_row(i);

		put(gives, row->name, ramet_mode_name(ramet_model_mode(&call, 0, row->bit)));
	}
	json_object_object_add(o, "gives", gives);
	put(o, "told_by", told_by(&call));
	json_object_object_add(o, "caller_held", json_object_new_boolean(holds_caller(&call)));
	return o;
}

struct json_object *explain_map_json(void)
{
	struct json_object *o = json_object_new_object();
	struct json_object *flags = json_object_new_array(), *presets = json_object_new_array();

	json_object_object_add(o, "schema", json_object_new_int(1));
	for (unsigned bit = 0; bit < 64; bit++)
		if (explain_flag(bit)->name)
			json_object_array_add(flags, fact_json(explain_flag(bit)));
	json_object_object_add(o, "flags", flags);
	for (size_t i = 0; i < COLUMN_COUNT; i++)
		json_object_array_add(presets, preset_json(&columns[i]));
	json_object_object_add(o, "presets", presets);
	return o;
}
