/* SPDX-License-Identifier: MIT */
/*
 * Lines in, calls out: which lines are looked at, and how the parts of a call find each other.
 * What one line says is the formats' (strace.c, perf.c, events.c, audit.c), what arguments mean
 * is args.c's.
 *
 * Parts of three kinds are joined as text and read once, when they are whole. The end of a call
 * that was announced with <unfinished ...> comes with <... resumed> and the tid. A line that
 * strace itself cut in two ("clone(child_stack=NULLstrace: Process 5 attached") goes on without
 * any mark, so what follows is the rest if, and only if, it makes the call whole. And events have
 * entries and exits.
 *
 * A task that calls anew or ends has left its unfinished call behind: that one is told by
 * line_reader_finish(), as are those that are unfinished at the end.
 */
#include <errno.h>
#include <stdlib.h>

#include "explain/parts.h"

/* Longer lines are cut: no call's is as long, and a cut one is not read as if it were whole. */
#define LINE_MAX_KEPT 65536
#define JOINED_MAX 16384
/* So many lines may come between the halves of a line that was cut: the program's own output. */
#define CUT_PATIENCE 64

struct line_reader {
	enum line_arch_order order;
	size_t line;
	struct parts parts;
	struct part *cut; /* the rest of its line is still to come; in parts */
	unsigned patience;
	struct piece piece; /* of the line at hand */
	char joined[JOINED_MAX];
};

struct line_reader *line_reader_new(enum line_arch_order order)
{
	struct line_reader *reader = calloc(1, sizeof(*reader));

	if (reader)
		reader->order = order;
	return reader;
}

void line_reader_free(struct line_reader *reader)
{
	if (!reader)
		return;
	while (reader->parts.oldest)
		parts_drop(&reader->parts, reader->parts.oldest);
	free(reader);
}

static struct span tidy(const char *text, size_t n)
{
	struct span line = {text, text + (n < LINE_MAX_KEPT ? n : LINE_MAX_KEPT)};

	while (line.at < line.end && (line.end[-1] == '\n' || line.end[-1] == '\r'))
		line.end--;
	return line;
}

/* Whether any word stands in it that all lines about our calls have. The most of lines end here. */
static bool is_interesting(struct span line)
{
	static const char *const words[256] = {
		['c'] = "clone",    ['f'] = "fork",	['u'] = "unshare", ['s'] = "setns",
		['t'] = "task_new", ['y'] = "yscall=",	['_'] = "_435",	   ['x'] = "x1b3",
		['h'] = "hread_cr", ['i'] = "ix_spawn",
	};

	for (const char *p = line.at; p < line.end; p++) {
		const char *word = words[(unsigned char)*p];

		if (word && p + 1 < line.end && p[1] == word[1] &&
		    starts_with((struct span){p, line.end}, word))
			return true;
	}
	return false;
}

static void drop(struct line_reader *reader, struct part *part)
{
	if (reader->cut == part)
		reader->cut = NULL;
	parts_drop(&reader->parts, part);
}

static void leave_behind(struct line_reader *reader, struct part *part)
{
	if (!part)
		return;
	if (reader->cut == part)
		reader->cut = NULL;
	if (part->covered || part->strange)
		parts_drop(&reader->parts, part);
	else
		parts_orphan(&reader->parts, part);
}

/* The task of the piece begins another call, so what it left unfinished stays so. */
static void supersede(struct line_reader *reader, const struct piece *piece)
{
	struct part *part;

	part = parts_find(&reader->parts, piece->has_task, piece->task, piece->track);
	leave_behind(reader, part);
	if (piece->track != TRACK_SYSTEM)
		return;
	/* ltrace -S shows the library's fork() and the SYS_clone in it: one call, not two. */
	part = parts_find(&reader->parts, piece->has_task, piece->task, TRACK_PLAIN);
	if (part)
		part->covered = true;
}

/* Whether the text ends in the 0 that a child is given. */
static bool gives_zero(struct span body)
{
	body = trimmed(body);
	return ends_with(body, "= 0") || ends_with(body, "= 0x0");
}

/*
 * The beginning that a resumed piece ends. strace leaves tids out while there is one process
 * only, so a beginning or an end may lack it. A child's return is not its parent's.
 */
static struct part *find_beginning(struct line_reader *reader, const struct piece *piece)
{
	struct part *part;

	part = parts_find(&reader->parts, piece->has_task, piece->task, piece->track);
	if (part && part->name == piece->name)
		return part;
	leave_behind(reader, part);
	if (piece->track != TRACK_PLAIN || (piece->name->creates && gives_zero(piece->body)))
		return NULL;
	if (!piece->has_task)
		return parts_find_only(&reader->parts, piece->name, piece->track);
	part = parts_find(&reader->parts, false, 0, piece->track);
	return part && part->name == piece->name ? part : NULL;
}

/* Beginning, glue and rest in a row; false if that is too long to be one of our calls. */
static bool join(struct line_reader *reader, const struct part *part, const char *glue,
		 struct span rest, struct span *ret)
{
	const size_t before = part ? part->size : 0, between = glue ? strlen(glue) : 0;
	char *at = reader->joined;

	if (before + between + span_size(rest) > sizeof(reader->joined))
		return false;
	if (before)
		at = mempcpy(at, part->text, before);
	if (between)
		at = mempcpy(at, glue, between);
	if (rest.at < rest.end)
		at = mempcpy(at, rest.at, span_size(rest));
	*ret = (struct span){reader->joined, at};
	return true;
}

/* What a piece lacks and its beginning told. */
static void inherit(struct piece *piece, const struct part *part)
{
	piece->name = part->name;
	piece->source = part->source;
	piece->track = part->track;
	piece->style = part->style;
	if (!piece->has_task && part->has_task) {
		piece->has_task = true;
		piece->task = part->task;
	}
	if (!*piece->comm)
		memcpy(piece->comm, part->comm, sizeof(piece->comm));
}

static void number_lines(struct line_reader *reader, size_t first, struct line_call *ret)
{
	ret->first_line = first;
	ret->last_line = reader->line;
}

/*
 * Keep a beginning. What cannot be read is told as strange now, and its end will be strange too.
 */
static int keep(struct line_reader *reader, const struct piece *piece, struct span body,
		size_t first_line)
{
	struct line_call call;
	struct part *part;
	bool ended;
	bool strange = span_size(body) > sizeof(reader->joined) / 2 ||
		       read_call(piece, body, true, false, &call, &ended) != READ_OK || ended;

	supersede(reader, piece);
	if (strange)
		body.end = body.at;
	/* One stream has one line that is cut; and what is dropped for room may be just that. */
	reader->cut = NULL;
	part = parts_add(&reader->parts, piece, body, first_line);
	if (!part)
		return -ENOMEM;
	part->strange = strange;
	if (piece->end == END_CUT && !strange) {
		reader->cut = part;
		reader->patience = CUT_PATIENCE;
	}
	return strange ? LINE_STRANGE : LINE_PART;
}

/*
 * ltrace shows clone3's block by its address alone; the library's function round it tells more.
 */
static void take_from_cover(struct line_reader *reader, struct line_call *ret)
{
	const struct piece *piece = &reader->piece;
	const struct part *part;

	if (piece->track != TRACK_SYSTEM || ret->given & LINE_FLAGS)
		return;
	part = parts_find(&reader->parts, piece->has_task, piece->task, TRACK_PLAIN);
	if (!part || !part->name->library || ret->call.entry != part->name->entry)
		return;
	ret->name = part->name->name;
	ret->library = true;
	ret->call.flags = part->name->flags;
	ret->call.exit_signal = (uint64_t)part->name->exit_signal;
	ret->given |= LINE_FLAGS | LINE_EXIT_SIGNAL;
}

static int take_resumed_piece(struct line_reader *reader, struct line_call *ret)
{
	struct piece *piece = &reader->piece;
	struct part *part = find_beginning(reader, piece);
	size_t first = part ? part->first_line : reader->line;
	const bool strange = part && part->strange, covered = part && part->covered;
	struct span body;
	bool ended;
	int r;

	if (!join(reader, part, piece->glue, piece->body, &body))
		return LINE_STRANGE;
	if (part) {
		inherit(piece, part);
		drop(reader, part);
	}
	if (covered)
		return LINE_OTHER;
	if (strange)
		return LINE_STRANGE;
	if (piece->end == END_LATER || piece->end == END_CUT)
		return keep(reader, piece, body, first);
	r = (int)read_call(piece, body, piece->end == END_UNKNOWN, !part, ret, &ended);
	if (r == READ_CHILD)
		return LINE_OTHER;
	if (r == READ_STRANGE)
		return LINE_STRANGE;
	take_from_cover(reader, ret);
	number_lines(reader, first, ret);
	return LINE_CALL;
}

static int take_piece(struct line_reader *reader, struct line_call *ret)
{
	struct piece *piece = &reader->piece;
	bool ended;

	if (piece->resumed)
		return take_resumed_piece(reader, ret);
	if (piece->end == END_LATER || piece->end == END_CUT)
		return keep(reader, piece, piece->body, reader->line);
	supersede(reader, piece);
	if (read_call(piece, piece->body, piece->end == END_UNKNOWN, false, ret, &ended))
		return LINE_STRANGE;
	take_from_cover(reader, ret);
	number_lines(reader, reader->line, ret);
	return LINE_CALL;
}

/*
 * If the line is the rest of the one that was cut: take it. It is if it makes the call whole, or
 * brings it to a place where it says that it is not.
 */
static bool take_rest(struct line_reader *reader, struct span line, struct line_call *ret,
		      int *ret_kind)
{
	struct part *part = reader->cut;
	struct piece *piece = &reader->piece;
	const size_t first = part->first_line;
	struct line_call call;
	struct span body;
	bool ended;

	if (!reader->patience--) {
		reader->cut = NULL;
		return false;
	}
	skip_quoting(&line);
	line = trimmed(line);
	if (line.at == line.end || is_notice(line) || !join(reader, part, " ", line, &body))
		return false;
	memset(piece, 0, offsetof(struct piece, made));
	inherit(piece, part);
	piece->end = body_end(&body);
	if (read_call(piece, body, piece->end != END_HERE, false, &call, &ended) != READ_OK)
		return false;
	if (piece->end == END_HERE && !ended)
		return false;
	drop(reader, part);
	if (piece->end == END_LATER || piece->end == END_CUT) {
		*ret_kind = keep(reader, piece, body, first);
		return true;
	}
	*ret = call;
	number_lines(reader, first, ret);
	*ret_kind = LINE_CALL;
	return true;
}

/* The first format that knows the line. */
static enum found look(struct line_reader *reader, struct span line, struct line_call *ret)
{
	static enum found (*const formats[])(struct span, struct piece *, struct line_call *) = {
		format_audit,
		format_event,
		format_perf,
		format_strace,
	};
	enum found found = FOUND_NOTHING;

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		memset(&reader->piece, 0, offsetof(struct piece, made));
		reader->piece.style.order = reader->order;
		found = formats[i](line, &reader->piece, ret);
		if (found != FOUND_NOTHING)
			break;
	}
	return found;
}

int line_reader_feed(struct line_reader *reader, const char *text, size_t n, struct line_call *ret)
{
	struct span line = tidy(text, n);
	struct line_call call;
	int kind;

	reader->line++;
	if (reader->cut && take_rest(reader, line, ret, &kind))
		return kind;
	if (!is_interesting(line) && (!reader->parts.count || !find_text(line, "+++ ")))
		return LINE_OTHER;
	switch (look(reader, line, &call)) {
	case FOUND_NOTHING:
	case FOUND_OTHER:
		return LINE_OTHER;
	case FOUND_STRANGE:
		return LINE_STRANGE;
	case FOUND_CALL:
		*ret = call;
		number_lines(reader, reader->line, ret);
		return LINE_CALL;
	case FOUND_GONE:
		for (enum track track = TRACK_PLAIN; track <= TRACK_SYSTEM; track++)
			leave_behind(reader, parts_find(&reader->parts, reader->piece.has_task,
							reader->piece.task, track));
		return LINE_OTHER;
	case FOUND_PIECE:
		break;
	}
	kind = take_piece(reader, &call);
	if (kind == LINE_CALL)
		*ret = call;
	return kind;
}

int line_reader_finish(struct line_reader *reader, struct line_call *ret)
{
	struct piece *piece = &reader->piece;
	struct part *part;
	struct line_call call;
	struct span body;
	bool ended, good;

	reader->cut = NULL;
	while ((part = reader->parts.oldest)) {
		memset(piece, 0, offsetof(struct piece, made));
		inherit(piece, part);
		good = !part->covered && !part->strange &&
		       join(reader, part, NULL, (struct span){0}, &body) &&
		       read_call(piece, body, true, false, &call, &ended) == READ_OK;
		call.first_line = call.last_line = part->first_line;
		drop(reader, part);
		if (good) {
			*ret = call;
			return LINE_CALL;
		}
	}
	return LINE_OTHER;
}
