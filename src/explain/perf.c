/* SPDX-License-Identifier: MIT */
/*
 * Lines of perf trace. Arguments that are 0 are not printed, so that what is missing there is
 * known; but a call's return on a line of its own repeats nothing of its beginning.
 */
#include "explain/args.h"
#include "explain/piece.h"

/* The kernel's limit of a task's name, and perf's ":1234" for one without. */
#define COMM_MAX 16

/*
 * "     0.123 ( 0.045 ms): " or "         ? (         ): " taken; before 5.2 a line without a
 * duration has no brackets. *ret_sure: it has, and so cannot be anything else.
 */
static bool take_times(struct span *s, bool *ret_sure)
{
	struct span t = trimmed(*s), in;
	const char *first = t.at;

	*ret_sure = false;
	while (t.at < t.end && (is_digit(*t.at) || *t.at == '.' || *t.at == '?'))
		t.at++;
	if (t.at == first || t.at == t.end || !is_blank(*t.at))
		return false;
	skip_blanks(&t);
	if (take_bracketed(&t, '(', ')', &in)) {
		for (; in.at < in.end; in.at++)
			if (!is_digit(*in.at) && !strchr(" .ms", *in.at))
				return false;
		if (!skip_text(&t, ":"))
			return false;
		*ret_sure = true;
	}
	skip_blanks(&t);
	s->at = t.at;
	return true;
}

/* "small/9251 " taken, or behind times with a duration "9251 ". */
static bool take_task(struct span *s, bool sure, struct piece *piece)
{
	struct span t = *s;
	const char *name = t.at, *slash = NULL;
	int task;

	for (; t.at < t.end && t.at - name <= COMM_MAX && *t.at != '('; t.at++)
		if (*t.at == '/' && t.at > name && t.at + 1 < t.end && is_digit(t.at[1]))
			slash = t.at;
	t.at = slash ? slash + 1 : name;
	if ((!slash && !sure) || !take_digits(&t, &task) || !skip_text(&t, " "))
		return false;
	if (slash)
		copy_text((struct span){name, slash}, piece->comm, sizeof(piece->comm));
	piece->has_task = true;
	piece->task = task;
	skip_blanks(&t);
	*s = t;
	return true;
}

bool take_perf_prefix(struct span *s, struct piece *piece)
{
	struct span t = *s;
	bool sure;

	take_times(&t, &sure);
	skip_blanks(&t);
	if (!take_task(&t, sure, piece) && !sure)
		return false;
	*s = t;
	return true;
}

/* "task:task_newtask(pid: 15826 (small), comm: "small", clone_flags: 18874368)" */
static enum found read_newtask(struct span s, const struct piece *piece, struct line_call *ret)
{
	uint64_t pid = 0, flags = 0;
	struct span arg, name;

	while (take_arg(&s, &arg)) {
		uint64_t *want = NULL;

		if (take_word(&arg, &name) && skip_text(&arg, ": "))
			want = is_text(name, "pid")	      ? &pid
			       : is_text(name, "clone_flags") ? &flags
							      : NULL;
		if (want && !take_number(&arg, false, want))
			return FOUND_STRANGE;
		if (!skip_text(&s, ","))
			break;
		skip_blanks(&s);
	}
	if (!pid || pid > INT32_MAX)
		return FOUND_STRANGE;
	newtask_call(piece, flags, (int)pid, ret);
	return FOUND_CALL;
}

/* A call that has not returned is printed with "..." behind its bracket. */
static enum piece_end perf_end(struct span *body)
{
	*body = trimmed(*body);
	if (!ends_with(*body, "..."))
		return END_HERE;
	body->end -= 3;
	*body = trimmed(*body);
	if (ends_with(*body, ")"))
		body->end--;
	return END_LATER;
}

enum found format_perf(struct span line, struct piece *piece, struct line_call *ret)
{
	struct span name;
	bool system;

	if (!take_perf_prefix(&line, piece))
		return FOUND_NOTHING;
	piece->source = "perf";
	piece->track = TRACK_PERF;
	piece->style.zeros_omitted = piece->style.system = true;
	if (skip_text(&line, "task:task_newtask(")) {
		piece->source = "task_newtask";
		return read_newtask(line, piece, ret);
	}
	if (skip_text(&line, "... [continued]: "))
		piece->resumed = true;
	if (!take_word(&line, &name) || !skip_text(&line, "("))
		return FOUND_OTHER;
	piece->name = call_name_find(name, &system);
	if (!piece->name)
		return FOUND_OTHER;
	piece->body = line;
	piece->end = perf_end(&piece->body);
	if (piece->resumed) {
		/* "vfork())   = 22914" */
		while (skip_text(&piece->body, ")")) {}
		piece->glue = ")";
	}
	return FOUND_PIECE;
}
