/* SPDX-License-Identifier: MIT */
/*
 * Arguments and results, once a call's text is whole. A word or number that is not understood
 * makes the call strange rather than half read; only arguments with names that are not ours, as
 * newer tracers may have, are passed over.
 */
#include <errno.h>

#include "explain/args.h"
#include "explain/piece.h"
#include "spec/spec.h"
#include "uapi/clone.h"

#define SIGNAL_TEXT_MAX 24
#define FIRST_REALTIME 32
#define ERRNO_MAX 4095
#define ERRNO_TEXT_MAX 32
/* Low byte of flags that are only in newer calls, where clone has its signal. */
#define NO_SIGNAL (-1)

/* A call that is being read. */
struct reading {
	const struct piece *piece;
	struct line_call *out;
	bool open;    /* the text breaks off */
	bool lone;    /* its beginning is missing */
	bool library; /* the C library's function: arguments may be any text of a program's */
};

/* What may follow a value: what it stands for, in a comment or in angle brackets. */
static bool is_value_end(struct span s)
{
	skip_comments(&s);
	return s.at == s.end || *s.at == '<';
}

/* ---- Flags and signals ---- */

static bool flag_by_name(struct span word, uint64_t *ret)
{
	skip_text(&word, "CLONE_");
	for (unsigned bit = 0; bit < 64; bit++) {
		const char *name = flag_name(bit);

		if (name && word.at < word.end && *name == *word.at && is_text(word, name)) {
			*ret = 1ULL << bit;
			return true;
		}
	}
	return false;
}

/* SIGRTMIN is the kernel's 32 in what tracers print, not the C library's. */
static bool signal_by_name(struct span word, uint64_t *ret)
{
	char text[SIGNAL_TEXT_MAX];
	int sig;

	if (!starts_with(word, "SIG") || span_size(word) >= sizeof(text))
		return false;
	copy_text(word, text, sizeof(text));
	if (is_text(word, "SIGRTMIN")) {
		*ret = FIRST_REALTIME;
		return true;
	}
	if (is_text(word, "SIG_0")) {
		*ret = 0;
		return true;
	}
	sig = ramet_signal_parse(text);
	*ret = sig > 0 ? (uint64_t)sig : 0;
	return sig > 0;
}

/*
 * One word of flags into *flags. *sig: clone's low byte so far, or NO_SIGNAL where the call has
 * none. Two signals that differ would make a third when put together, so they are strange.
 */
static bool add_flag_word(struct span word, bool hex, uint64_t *flags, int *sig)
{
	struct span rest = word;
	uint64_t value;
	int low;

	if (flag_by_name(word, &value)) {
		*flags |= value;
		return true;
	}
	if (take_number(&rest, hex, &value)) {
		if (rest.at != rest.end)
			return false;
	} else if (*sig == NO_SIGNAL || !signal_by_name(word, &value)) {
		return false;
	}
	low = (int)(value & CSIGNAL);
	if (*sig != NO_SIGNAL && low) {
		if (*sig && *sig != low)
			return false;
		*sig = low;
	}
	*flags |= value;
	return true;
}

/* Words and numbers between '|', comments passed over. strace 4 prints "|SIGCHLD" for no flags. */
static bool read_flags(struct span text, bool hex, bool with_signal, uint64_t *ret)
{
	int sig = with_signal ? 0 : NO_SIGNAL;
	uint64_t flags = 0;
	bool any = skip_text(&text, "|");

	do {
		struct span word;
		const char *start;

		skip_comments(&text);
		start = text.at;
		while (text.at < text.end && *text.at != '|' && *text.at != ' ' && *text.at != '/')
			text.at++;
		word = (struct span){start, text.at};
		if (!add_flag_word(word, hex, &flags, &sig))
			return false;
		any = true;
		skip_comments(&text);
	} while (skip_text(&text, "|"));
	if (!any || text.at != text.end)
		return false;
	*ret = flags;
	return true;
}

static bool take_flags(struct reading *r, struct span value, uint64_t *ret, bool *ret_given)
{
	*ret_given = true;
	return read_flags(value, r->piece->style.hex, r->piece->name->entry == RAMET_ENTRY_CLONE,
			  ret);
}

static bool take_signal(struct reading *r, struct span value, uint64_t *ret, bool *ret_given)
{
	struct span word = value;

	*ret_given = true;
	if (take_number(&word, r->piece->style.hex, ret))
		return is_value_end(word);
	return take_word(&word, &value) && is_value_end(word) && signal_by_name(value, ret);
}

/* ---- Numbers and pointers ---- */

/*
 * A number or an address. What is shown by what it points at was not NULL; "0x7f..", as perf
 * shortens it, or "???" is not given.
 */
static bool take_value(struct reading *r, struct span value, uint64_t *ret, bool *ret_given)
{
	*ret_given = true;
	if (value.at < value.end && (*value.at == '[' || *value.at == '{' || *value.at == '"')) {
		*ret = LINE_POINTEE;
		return true;
	}
	if (skip_text(&value, "NULL")) {
		*ret = 0;
		return is_value_end(value);
	}
	if (starts_with(value, "???") || starts_with(value, "...")) {
		*ret_given = false;
		return true;
	}
	if (take_number(&value, r->piece->style.hex, ret)) {
		if (starts_with(value, "..")) {
			*ret_given = false;
			return true;
		}
		if (is_value_end(value))
			return true;
	}
	*ret = LINE_POINTEE;
	return r->library;
}

/* The function's name or address. */
static bool take_function(struct reading *r, struct span value, uint64_t *ret, bool *ret_given)
{
	*ret = 0;
	*ret_given = true;
	copy_text(trimmed(value), r->out->function, sizeof(r->out->function));
	return true;
}

static bool take_any(struct reading *r, struct span value, uint64_t *ret, bool *ret_given)
{
	(void)r;
	(void)value;
	*ret = 0;
	*ret_given = true;
	return true;
}

/* setns' descriptor: 32 bits, and what it is, in angle brackets. */
static bool take_fd(struct reading *r, struct span value, uint64_t *ret, bool *ret_given)
{
	struct span what;
	uint64_t n;

	if (!take_number(&value, r->piece->style.hex, &n) || !is_value_end(value))
		return false;
	skip_comments(&value);
	r->out->fd = (int)(uint32_t)n;
	*ret = 0;
	*ret_given = true;
	if (take_bracketed(&value, '<', '>', &what))
		r->out->fd_is_pid = starts_with(what, "pid:") || starts_with(what, "pidfd:") ||
				    is_text(what, "anon_inode:[pidfd]");
	return true;
}

/* ---- Arguments ---- */

static bool take_block(struct reading *r, struct span value, uint64_t *ret, bool *ret_given);

#define AT(field) offsetof(struct ramet_call, field)
#define NOWHERE SIZE_MAX

static const struct {
	bool (*take)(struct reading *r, struct span value, uint64_t *ret, bool *ret_given);
	size_t offset; /* of the uint64_t in struct ramet_call */
	uint32_t given;
} args[] = {
	[ARG_FLAGS] = {take_flags, AT(flags), LINE_FLAGS},
	[ARG_EXIT_SIGNAL] = {take_signal, AT(exit_signal), LINE_EXIT_SIGNAL},
	[ARG_STACK] = {take_value, AT(stack), LINE_STACK},
	[ARG_STACK_SIZE] = {take_value, AT(stack_size), LINE_STACK_SIZE},
	[ARG_PARENT_TID] = {take_value, AT(parent_tid), LINE_PARENT_TID},
	[ARG_CHILD_TID] = {take_value, AT(child_tid), LINE_CHILD_TID},
	[ARG_TLS] = {take_value, AT(tls), LINE_TLS},
	[ARG_PIDFD] = {take_value, AT(pidfd), LINE_PIDFD},
	[ARG_SET_TID] = {take_value, AT(set_tid), LINE_SET_TID},
	[ARG_SET_TID_SIZE] = {take_value, AT(set_tid_size), LINE_SET_TID},
	[ARG_CGROUP] = {take_value, AT(cgroup), LINE_CGROUP},
	[ARG_BLOCK] = {take_block, NOWHERE, 0},
	[ARG_SIZE] = {take_value, AT(size), LINE_SIZE},
	[ARG_FD] = {take_fd, NOWHERE, LINE_FD},
	[ARG_FUNCTION] = {take_function, NOWHERE, 0},
	[ARG_ANY] = {take_any, NOWHERE, 0},
};

#define BIT(arg) (1u << (arg))

/* Whether a call has this argument: one by name that it has not is passed over. */
static bool has_arg(enum ramet_entry entry, enum arg arg)
{
	uint32_t args_of = 0;

	switch (entry) {
	case RAMET_ENTRY_CLONE:
		args_of = BIT(ARG_FLAGS) | BIT(ARG_STACK) | BIT(ARG_STACK_SIZE) |
			  BIT(ARG_PARENT_TID) | BIT(ARG_CHILD_TID) | BIT(ARG_TLS) |
			  BIT(ARG_FUNCTION) | BIT(ARG_ANY);
		break;
	case RAMET_ENTRY_CLONE3:
		args_of = ~(BIT(ARG_NONE) | BIT(ARG_FD));
		break;
	case RAMET_ENTRY_UNSHARE:
		args_of = BIT(ARG_FLAGS);
		break;
	case RAMET_ENTRY_SETNS:
		args_of = BIT(ARG_FLAGS) | BIT(ARG_FD);
		break;
	}
	return args_of & BIT(arg);
}

static bool put_arg(struct reading *r, enum arg arg, struct span value)
{
	uint64_t n = 0;
	bool given = false;

	if (!has_arg(r->piece->name->entry, arg))
		return true;
	if (!args[arg].take(r, value, &n, &given))
		return false;
	if (!given)
		return true;
	if (args[arg].offset != NOWHERE)
		memcpy((char *)&r->out->call + args[arg].offset, &n, sizeof(n));
	r->out->given |= args[arg].given;
	return true;
}

/* "name=" or "name: " taken from the front of an argument. */
static bool take_name(struct span *arg, struct span *ret)
{
	struct span s = *arg;

	if (!take_word(&s, ret) || is_digit(*ret->at))
		return false;
	if (!skip_text(&s, "=") && !skip_text(&s, ":"))
		return false;
	skip_blanks(&s);
	*arg = s;
	return true;
}

/*
 * "/ * bytes 88..95 * / "\x05"...": bytes that are not 0. Only those past the fields that are
 * known here are trailing; an older strace shows fields in this way that it does not know.
 */
static void note_trailing(struct reading *r, struct span member)
{
	int first = 0;

	if (skip_text(&member, "/* bytes ") && take_digits(&member, &first) &&
	    first >= CLONE_ARGS_SIZE_VER2)
		r->out->call.trailing = 1;
}

/* clone_args in braces, or its address, which tells nothing. What follows "=>" is output. */
static bool take_block(struct reading *r, struct span value, uint64_t *ret, bool *ret_given)
{
	struct span member, name;
	bool address_given;

	*ret = 0;
	*ret_given = false;
	if (starts_with(value, "=>"))
		return true;
	if (!skip_text(&value, "{"))
		return take_value(r, value, ret, &address_given);
	while (take_arg(&value, &member)) {
		if (take_name(&member, &name)) {
			if (!put_arg(r, arg_find(name), member))
				return false;
		} else {
			note_trailing(r, member);
		}
		if (!skip_text(&value, ","))
			break;
	}
	skip_blanks(&value);
	if (!skip_text(&value, "}"))
		return r->open && value.at == value.end;
	skip_blanks(&value);
	return value.at == value.end || starts_with(value, "=>");
}

/*
 * An argument without a name at place `at`. Those beyond the call's own are a library's: ltrace
 * shows as many registers as it likes.
 */
static bool put_unnamed(struct reading *r, const uint8_t *layout, unsigned at, struct span value)
{
	uint64_t n;
	bool given;

	for (unsigned i = 0; i < at; i++)
		if (layout[i] == ARG_NONE)
			return take_value(r, value, &n, &given);
	if (layout[at] != ARG_NONE)
		return put_arg(r, (enum arg)layout[at], value);
	if (r->piece->name->strict && !r->piece->style.system)
		r->out->source = "ltrace";
	return take_value(r, value, &n, &given);
}

/* The order of unnamed arguments. */
static const uint8_t *layout_of(struct reading *r, struct span list)
{
	const struct piece *piece = r->piece;
	const uint8_t *layout = piece->name->layout;

	if (!layout && (piece->style.system || r->lone || !is_library_clone(list)))
		return clone_layout((int)piece->style.order);
	if (layout && layout != library_clone_layout)
		return layout;
	r->library = true;
	r->out->library = true;
	r->out->source = "ltrace";
	return library_clone_layout;
}

/*
 * Whether unnamed arguments are the kernel's clone: ltrace shows four of a library's function, in
 * decimal where they are small.
 */
static bool is_raw_clone(struct reading *r, unsigned unnamed, struct span list)
{
	bool all_hex = true;
	struct span arg;
	unsigned n = 0;

	if (r->piece->style.system || r->piece->name->layout || r->library || !unnamed)
		return true;
	while (take_arg(&list, &arg)) {
		all_hex = all_hex && (is_text(arg, "0") || starts_with(arg, "0x"));
		n++;
		if (!skip_text(&list, ","))
			break;
		skip_blanks(&list);
	}
	return all_hex && n >= 5;
}

/*
 * All arguments, up to the closing bracket, which is taken, or to the end of an open text. A
 * lone rest that goes on in the middle does not say where an unnamed one belongs.
 */
static bool read_args(struct reading *r, struct span *s)
{
	const struct span list = *s;
	const uint8_t *layout = layout_of(r, list);
	unsigned unnamed = 0;
	struct span arg, name;
	bool rest;

	skip_blanks(s);
	rest = r->lone && s->at < s->end && (*s->at == ',' || *s->at == '=');
	if (rest)
		skip_text(s, ",");
	for (;;) {
		skip_blanks(s);
		if (!take_arg(s, &arg))
			break;
		/* A program's own text may be "util::size(s)"; a library's arguments have no names. */
		if (!r->library && take_name(&arg, &name)) {
			if (!put_arg(r, arg_find(name), arg))
				return false;
		} else if (!rest && !starts_with(arg, "???") && !starts_with(arg, "/*") &&
			   !put_unnamed(r, layout, unnamed++, arg)) {
			return false;
		}
		if (!skip_text(s, ","))
			break;
	}
	if (!is_raw_clone(r, unnamed, list))
		return false;
	return skip_text(s, ")") || (r->open && s->at == s->end);
}

/* ---- Results ---- */

/* The kernel's own, which a tracer sees when a call is to be made again. */
static const struct {
	const char *name;
	int error;
} restarts[] = {
	{"ERESTARTSYS", 512},
	{"ERESTARTNOINTR", 513},
	{"ERESTARTNOHAND", 514},
	{"ERESTART_RESTARTBLOCK", 516},
};

/* Errno by name, or "(errno N)"; 0 if it is neither or not known. */
static int take_error(struct span s)
{
	char text[ERRNO_TEXT_MAX];
	struct span word;
	int n = 0;

	skip_blanks(&s);
	if (skip_text(&s, "(errno "))
		return take_digits(&s, &n) && n <= ERRNO_MAX ? n : 0;
	if (!take_word(&s, &word) || span_size(word) >= sizeof(text))
		return 0;
	for (size_t i = 0; i < sizeof(restarts) / sizeof(restarts[0]); i++)
		if (is_text(word, restarts[i].name))
			return restarts[i].error;
	copy_text(word, text, sizeof(text));
	return errno_parse(text);
}

static void put_error(struct line_call *out, int error)
{
	out->error = error;
	out->given |= LINE_ERROR;
}

/* A result as a signed number: one of 32 bits, as some tracers print it, has its sign again. */
static int64_t as_signed(uint64_t n)
{
	return n >> 31 == 1 ? (int32_t)(uint32_t)n : (int64_t)n;
}

/* What stands behind '='. */
static bool read_value(struct reading *r, struct span s)
{
	const struct call_style *style = &r->piece->style;
	int64_t value;
	uint64_t n;
	int error;

	skip_blanks(&s);
	if (s.at == s.end)
		return true;
	if (skip_text(&s, "?")) {
		error = take_error(s);
		if (error)
			put_error(r->out, error);
		return true;
	}
	if (!take_number(&s, false, &n))
		return false;
	value = as_signed(n);
	if (r->piece->name->library && value > 0) {
		put_error(r->out, (int)value);
		return value <= ERRNO_MAX;
	}
	if (value >= 0) {
		r->out->result = value;
		r->out->given |= LINE_RESULT;
		return value <= INT32_MAX;
	}
	if (value < -ERRNO_MAX)
		return false;
	skip_blanks(&s);
	if (value < -1 || (style->bare_errno && s.at == s.end))
		put_error(r->out, (int)-value);
	else
		put_error(r->out, take_error(s));
	return true;
}

/* ---- The call ---- */

/* clone(2): the low byte is the signal, and parent_tid serves as pidfd. */
static void part_clone_flags(struct line_call *out)
{
	out->call.exit_signal = out->call.flags & CSIGNAL;
	out->call.flags &= ~CSIGNAL;
	out->given |= LINE_EXIT_SIGNAL;
	if (out->call.flags & CLONE_PIDFD && out->given & LINE_PARENT_TID) {
		out->call.pidfd = out->call.parent_tid;
		out->given |= LINE_PIDFD;
	}
}

static void begin_call(const struct piece *piece, const char *name, enum ramet_entry entry,
		       struct line_call *out)
{
	*out = (struct line_call){
		.call.entry = entry,
		.name = name,
		.source = piece->source,
		.fd = -1,
	};
	if (piece->has_task) {
		out->task = piece->task;
		out->given |= LINE_TASK;
	}
	memcpy(out->comm, piece->comm, sizeof(out->comm));
}

/* Of the calls themselves, what perf trace leaves out where it is 0. */
static void put_zeros(enum ramet_entry entry, struct line_call *out)
{
	if (entry == RAMET_ENTRY_CLONE3)
		return;
	out->given |= LINE_FLAGS;
	if (entry == RAMET_ENTRY_CLONE)
		out->given |= LINE_STACK;
	if (entry == RAMET_ENTRY_SETNS && !(out->given & LINE_FD)) {
		out->fd = 0;
		out->given |= LINE_FD;
	}
}

static void complete_call(struct reading *r)
{
	const struct call_name *name = r->piece->name;
	struct line_call *out = r->out;

	if (r->piece->style.zeros_omitted && !r->lone && !name->implied)
		put_zeros(name->entry, out);
	if (name->implied) {
		out->call.flags = name->flags;
		out->call.exit_signal = (uint64_t)name->exit_signal;
		out->given |= LINE_FLAGS | LINE_EXIT_SIGNAL;
	} else if (out->given & LINE_FLAGS && name->entry == RAMET_ENTRY_CLONE) {
		part_clone_flags(out);
	}
}

enum read read_call(const struct piece *piece, struct span body, bool open, bool lone,
		    struct line_call *ret, bool *ret_ended)
{
	struct reading r = {piece, ret, open, lone, piece->name->library};
	bool shown;

	*ret_ended = false;
	begin_call(piece, piece->name->name, piece->name->entry, ret);
	ret->library = piece->name->library;
	if (!read_args(&r, &body))
		return READ_STRANGE;
	shown = ret->given & LINE_FLAGS;
	complete_call(&r);
	skip_blanks(&body);
	if (body.at == body.end)
		return READ_OK;
	if (!skip_text(&body, "="))
		return READ_STRANGE;
	*ret_ended = true;
	if (!read_value(&r, body))
		return READ_STRANGE;
	/* Only the child sees a 0, or, in perf trace's words, nothing at all. */
	if (lone && piece->name->creates && !shown &&
	    (ret->given & LINE_RESULT ? !ret->result
				      : piece->style.zeros_omitted && !(ret->given & LINE_ERROR)))
		return READ_CHILD;
	return READ_OK;
}

/*
 * Which call it was is not told: clone3 takes all flags but DETACHED. Kernels before 5.7 left the
 * exit signal in clone's low byte; later ones have nothing there but NEWTIME, of clone3.
 */
void newtask_call(const struct piece *piece, uint64_t flags, int pid, struct line_call *ret)
{
	const uint64_t low = flags & CSIGNAL;
	const bool detached = flags & CLONE_DETACHED;
	const bool old = low && (low != CLONE_NEWTIME || detached);

	begin_call(piece, "task_newtask", old || detached ? RAMET_ENTRY_CLONE : RAMET_ENTRY_CLONE3,
		   ret);
	ret->call.flags = flags;
	ret->given |= LINE_FLAGS | LINE_RESULT;
	ret->result = pid;
	if (old) {
		ret->call.flags &= ~CSIGNAL;
		ret->call.exit_signal = low;
		ret->given |= LINE_EXIT_SIGNAL;
	}
}
