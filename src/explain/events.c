/* SPDX-License-Identifier: MIT */
/*
 * Trace events as perf script, trace-cmd and tracefs print them: task_newtask, and the beginnings
 * and ends of the system calls. The task that a line begins with is the caller.
 */
#include "explain/piece.h"

/* Take the last word of blanks-parted text off. */
static bool cut_word(struct span *s, struct span *ret)
{
	struct span t = trimmed(*s);
	const char *p = t.end;

	while (p > t.at && !is_blank(p[-1]))
		p--;
	if (p == t.end)
		return false;
	*ret = (struct span){p, t.end};
	*s = trimmed((struct span){t.at, p});
	return true;
}

/* "12345.678901:" or "30625460:" */
static bool is_time(struct span s)
{
	if (!ends_with(s, ":"))
		return false;
	for (s.end--; s.at < s.end; s.at++)
		if (!is_digit(*s.at) && *s.at != '.')
			return false;
	return true;
}

/* "small 23332", "small 23332/23332", "bash-16971", "bash-16971 (  16971)" */
static bool read_task(struct span s, struct piece *piece)
{
	const char *open, *p;
	struct span tid;

	s = trimmed(s);
	if (ends_with(s, ")") && (open = find_text(s, " (")))
		s = trimmed((struct span){s.at, open});
	for (p = s.end; p > s.at && is_digit(p[-1]); p--) {}
	tid = (struct span){p, s.end};
	if (!take_digits(&tid, &piece->task))
		return false;
	if (p > s.at && p[-1] == '/')
		for (p--; p > s.at && is_digit(p[-1]); p--) {}
	if (p > s.at && p[-1] != '-' && !is_blank(p[-1]))
		return false;
	piece->has_task = true;
	s = trimmed((struct span){s.at, p > s.at ? p - 1 : p});
	if (!is_text(s, "<...>"))
		copy_text(s, piece->comm, sizeof(piece->comm));
	return true;
}

/*
 * What stands before an event: nothing, or task, processor, ftrace's five flags and time. The
 * first is also how a line looks from which somebody cut the rest.
 */
static bool read_prefix(struct span s, struct piece *piece)
{
	const char *cpu = NULL;
	struct span time;

	s = trimmed(s);
	if (s.at == s.end)
		return true;
	if (find_text(s, "\"") || find_text(s, "=") || !cut_word(&s, &time) || !is_time(time))
		return false;
	for (const char *p = s.at; p < s.end; p++)
		if (*p == '[')
			cpu = p;
	if (cpu)
		s.end = cpu;
	return read_task(s, piece);
}

/* task_newtask's fields; the name may hold anything, so flags are looked for from the end. */
static enum found read_newtask(struct span s, struct piece *piece, struct line_call *ret)
{
	static const char flags_text[] = " clone_flags=";
	const char *at = NULL, *next;
	struct span rest, comm;
	uint64_t flags;
	int pid;

	piece->source = "task_newtask";
	skip_blanks(&s);
	if (!skip_text(&s, "pid=") || !take_digits(&s, &pid))
		return FOUND_STRANGE;
	for (rest = s; (next = find_text(rest, flags_text)); rest.at = next + 1)
		at = next;
	if (!at)
		return FOUND_STRANGE;
	comm = (struct span){s.at, at};
	rest = (struct span){at + sizeof(flags_text) - 1, s.end};
	if (!take_number(&rest, true, &flags))
		return FOUND_STRANGE;
	if (!*piece->comm && skip_text(&comm, " comm="))
		copy_text(comm, piece->comm, sizeof(piece->comm));
	newtask_call(piece, flags, pid, ret);
	return FOUND_CALL;
}

/* How a system call's event goes on behind "sys_enter_", "sys_exit_" or tracefs' "sys_". */
enum event { EVENT_ENTER, EVENT_EXIT, EVENT_EITHER };

static enum found read_syscall(struct span s, enum event event, struct piece *piece)
{
	struct span name;
	bool system;

	if (!take_word(&s, &name))
		return FOUND_NOTHING;
	piece->name = call_name_find(name, &system);
	if (!piece->name)
		return FOUND_OTHER;
	if (event == EVENT_EITHER) {
		if (skip_text(&s, " -> "))
			event = EVENT_EXIT;
		else if (skip_text(&s, "(") && ends_with(s, ")"))
			s.end--;
		else
			return FOUND_STRANGE;
		piece->style.hex = true; /* kernels before 6.16 print no 0x there */
	} else if (!skip_text(&s, ":")) {
		return FOUND_NOTHING;
	}
	piece->resumed = event == EVENT_EXIT;
	piece->end = piece->resumed ? END_HERE : END_LATER;
	piece->glue = ") = ";
	piece->body = trimmed(s);
	piece->source = "perf";
	piece->track = TRACK_EVENT;
	piece->style.system = piece->style.bare_errno = true;
	return FOUND_PIECE;
}

enum found format_event(struct span line, struct piece *piece, struct line_call *ret)
{
	static const struct {
		const char *text;
		enum event event;
	} events[] = {
		{"syscalls:sys_enter_", EVENT_ENTER},
		{"syscalls:sys_exit_", EVENT_EXIT},
		{"sys_enter_", EVENT_ENTER},
		{"sys_exit_", EVENT_EXIT},
		{": sys_", EVENT_EITHER},
	};
	static const char newtask[] = "task_newtask:";
	const char *at = find_text(line, newtask);
	struct span before, rest;

	if (at) {
		before = (struct span){line.at, at};
		rest = (struct span){at + sizeof(newtask) - 1, line.end};
		if (ends_with(before, "task:"))
			before.end -= strlen("task:");
		if (!read_prefix(before, piece))
			return FOUND_NOTHING;
		return read_newtask(rest, piece, ret);
	}
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		at = find_text(line, events[i].text);
		if (!at)
			continue;
		before = (struct span){line.at, at + (*events[i].text == ':')};
		rest = (struct span){at + strlen(events[i].text), line.end};
		if (!read_prefix(before, piece))
			return FOUND_NOTHING;
		return read_syscall(rest, events[i].event, piece);
	}
	return FOUND_NOTHING;
}
