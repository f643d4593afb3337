/* SPDX-License-Identifier: MIT */
/*
 * Lines of strace and ltrace: what options put before a call's name, and the ways in which a line
 * is not all of a call. The name must stand where a call's name stands: a line that writes of
 * clone() in a string is about another call.
 */
#include "explain/piece.h"

static const char named[] = "strace: ";
static const char process[] = "Process ";

/* "[pid  9180] ", "[pid 9180<sh>] ", and of -i and -n "[00007f2bae95d353] ", "[  56] ". */
static bool take_square(struct span *s, struct piece *piece)
{
	struct span t = *s, in, comm;
	int task;

	if (!take_bracketed(&t, '[', ']', &in))
		return false;
	if (!skip_text(&in, "pid")) {
		for (; in.at < in.end; in.at++)
			if (!is_word_char(*in.at) && *in.at != ' ' && *in.at != '?')
				return false;
		*s = t;
		return true;
	}
	skip_blanks(&in);
	if (!take_digits(&in, &task))
		return false;
	*s = t;
	piece->has_task = true;
	piece->task = task;
	if (take_bracketed(&in, '<', '>', &comm))
		copy_text(comm, piece->comm, sizeof(piece->comm));
	return true;
}

/* A tid, with a name perhaps, or a time in any of strace's forms. */
static bool take_column(struct span *s, struct piece *piece)
{
	struct span t = *s, comm;
	int task;

	if (!piece->has_task && take_digits(&t, &task) &&
	    (t.at == t.end || is_blank(*t.at) || *t.at == '<')) {
		if (take_bracketed(&t, '<', '>', &comm))
			copy_text(comm, piece->comm, sizeof(piece->comm));
		piece->has_task = true;
		piece->task = task;
		*s = t;
		return true;
	}
	t = *s;
	while (t.at < t.end && (is_digit(*t.at) || *t.at == '.' || *t.at == ':'))
		t.at++;
	if (t.at < t.end && !is_blank(*t.at))
		return false;
	*s = t;
	return true;
}

/* All that stands before the call. */
static void skip_prefix(struct span *s, struct piece *piece)
{
	struct span in;

	skip_quoting(s);
	while (s->at < s->end) {
		const bool taken = is_digit(*s->at) ? take_column(s, piece)
				   : *s->at == '['  ? take_square(s, piece)
						    : starts_with(*s, "(+") &&
							     take_bracketed(s, '(', ')', &in);

		if (!taken)
			return;
		skip_blanks(s);
	}
}

/* "Process 5 attached (waiting for parent)" and its like, from old versions without a name. */
static const char *process_notice_at(struct span s)
{
	static const char *const words[] = {" attached", " resumed", " suspended", " detached"};
	struct span rest = s, in;
	const char *at;
	int pid;

	for (; (at = find_text(rest, process)); rest.at = at + 1) {
		rest.at = at + sizeof(process) - 1;
		if (!take_digits(&rest, &pid))
			continue;
		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			if (skip_text(&rest, words[i]))
				break;
		skip_blanks(&rest);
		take_bracketed(&rest, '(', ')', &in);
		if (rest.at == rest.end)
			return at;
	}
	return NULL;
}

/* Where "strace: " begins with the path that it was started by, "/usr/bin/strace: ". */
static const char *path_start(const char *first, const char *at)
{
	const char *p = at, *slash = NULL;

	while (p > first &&
	       ((p[-1] >= 'a' && p[-1] <= 'z') || is_digit(p[-1]) || strchr("/._-", p[-1]))) {
		p--;
		if (*p == '/')
			slash = p;
	}
	while (slash && slash > first && slash[-1] == '.')
		slash--;
	return slash ? slash : at;
}

/*
 * strace's own words at the end of a text, such as "strace: Process 9257 attached": where they
 * begin, or NULL. None of our calls has an argument with such words.
 */
static const char *notice_at(struct span s)
{
	const char *at = find_text(s, named);

	return at ? path_start(s.at, at) : process_notice_at(s);
}

bool is_notice(struct span line)
{
	line = trimmed(line);
	return notice_at(line) == line.at && line.at < line.end;
}

void skip_quoting(struct span *line)
{
	skip_blanks(line);
	while (skip_text(line, ">"))
		skip_blanks(line);
}

enum piece_end body_end(struct span *body)
{
	static const struct {
		const char *text;
		enum piece_end end;
	} marks[] = {
		{"<detached ...>", END_UNKNOWN},
		{"<no return ...>", END_LATER},
		{"<unfinished ...>", END_LATER},
		{"<ptrace(", END_UNKNOWN},
	};
	struct span rest;
	const char *at;

	*body = trimmed(*body);
	at = notice_at(*body);
	if (at) {
		body->end = at;
		return END_CUT;
	}
	/* Mail and terminals break lines at blanks. */
	if (ends_with(*body, ","))
		return END_CUT;
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		at = find_text(*body, marks[i].text);
		if (!at)
			continue;
		rest = (struct span){at + strlen(marks[i].text), body->end};
		body->end = at;
		/* "<unfinished ...>) = ?": the task ended in the call. */
		return rest.at == rest.end ? marks[i].end : END_UNKNOWN;
	}
	return END_HERE;
}

/* "<... clone3 resumed>" taken. */
static bool take_resumed(struct span *s, struct span *ret_name)
{
	struct span t = *s;

	if (!skip_text(&t, "<... ") || !take_word(&t, ret_name) || !skip_text(&t, " resumed>"))
		return false;
	*s = t;
	return true;
}

/* "clone(" taken; with ltrace's "prog->" before and "@libc.so.6" behind the name. */
static bool take_name(struct span *s, struct span *ret_name)
{
	struct span t = *s, word = {NULL, NULL};

	while (take_word(&t, &word) && (skip_text(&t, "->") || skip_text(&t, "."))) {}
	if (word.at == word.end || t.at == t.end || word.end != t.at)
		return false;
	if (*t.at == '@')
		while (t.at < t.end && *t.at != '(' && !is_blank(*t.at))
			t.at++;
	if (!skip_text(&t, "("))
		return false;
	*ret_name = word;
	*s = t;
	return true;
}

enum found format_strace(struct span line, struct piece *piece, struct line_call *ret)
{
	struct span name;
	bool system, library_tracer;

	(void)ret;
	skip_prefix(&line, piece);
	if (starts_with(line, "+++ "))
		return FOUND_GONE;
	if (take_resumed(&line, &name))
		piece->resumed = true;
	else if (!take_name(&line, &name))
		return FOUND_NOTHING;
	piece->name = call_name_find(name, &system);
	if (!piece->name)
		return FOUND_OTHER;
	library_tracer = starts_with(name, "SYS_");
	piece->source = library_tracer ? "ltrace" : "strace";
	piece->track = library_tracer ? TRACK_SYSTEM : TRACK_PLAIN;
	piece->style.system = piece->style.bare_errno = system;
	piece->body = line;
	piece->end = body_end(&piece->body);
	return FOUND_PIECE;
}
