/* SPDX-License-Identifier: MIT */
/*
 * SYSCALL records of the audit system: as auditd and the kernel's log have them, with numbers in
 * hex, and as ausearch -i puts them into words. The first four arguments are all there is. Of
 * numbers only the record's own architecture says which call they are.
 */
#include <stdio.h>

#include "explain/piece.h"

#define ARGS_SHOWN 4
#define X32_BIT 0x40000000 /* in the numbers of x86_64's x32 programs */

struct record {
	struct span arch, syscall, exit, pid, comm, args[ARGS_SHOWN];
};

/* " key=value" wherever it is; a value is quoted, or goes to the next blank. */
static void read_fields(struct span s, struct record *record)
{
	const struct {
		const char *key;
		struct span *to;
	} fields[] = {
		{"arch", &record->arch},  {"syscall", &record->syscall}, {"exit", &record->exit},
		{"pid", &record->pid},	  {"comm", &record->comm},	 {"a0", &record->args[0]},
		{"a1", &record->args[1]}, {"a2", &record->args[2]},	 {"a3", &record->args[3]},
	};

	for (; s.at < s.end; s.at++) {
		struct span key, value;

		if (is_blank(*s.at) || !take_word(&s, &key) || !skip_text(&s, "=")) {
			while (s.at < s.end && !is_blank(*s.at))
				s.at++;
			continue;
		}
		value.at = s.at;
		if (s.at < s.end && *s.at == '"') {
			s.at++;
			while (s.at < s.end && *s.at != '"')
				s.at++;
		}
		while (s.at < s.end && !is_blank(*s.at) && *s.at != '\035')
			s.at++;
		value.end = s.at;
		for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
			if (is_text(key, fields[i].key) && !fields[i].to->at)
				*fields[i].to = value;
	}
}

/* "small" in quotes, a name with odd bytes in hex, or plain by ausearch. */
static void read_comm(struct span s, bool words, struct piece *piece)
{
	char name[sizeof(piece->comm)];
	size_t n = 0;

	if (span_size(s) >= 2 && *s.at == '"') {
		copy_text((struct span){s.at + 1, s.end - 1}, piece->comm, sizeof(piece->comm));
		return;
	}
	for (; !words && span_size(s) >= 2 && n < sizeof(name); s.at += 2) {
		struct span digits = {s.at, s.at + 2};
		uint64_t byte;

		if (!take_number(&digits, true, &byte))
			break;
		name[n++] = (char)byte;
	}
	copy_text(n ? (struct span){name, name + n} : s, piece->comm, sizeof(piece->comm));
}

/* The call, by name or by the architecture's number; NULL if it is none of ours. */
static const struct call_name *find_call(struct span text, const struct arch *arch)
{
	struct span rest = text;
	uint64_t number;
	bool system;

	if (!take_number(&rest, false, &number) || rest.at != rest.end)
		return call_name_find(text, &system);
	if (!arch)
		return NULL;
	if (arch->audit == 0xc000003e)
		number &= ~(uint64_t)X32_BIT;
	for (int i = 0; i < NR_COUNT; i++)
		if (arch->numbers[i] >= 0 && (uint64_t)arch->numbers[i] == number)
			return call_name_at((enum call_number)i);
	return NULL;
}

/* Append; false when it does not fit. */
static bool put(struct piece *piece, size_t *at, const char *before, struct span s)
{
	const size_t room = sizeof(piece->made) - *at;
	const int n = snprintf(piece->made + *at, room, "%s%.*s", before, (int)span_size(s), s.at);

	if (n < 0 || (size_t)n >= room)
		return false;
	*at += (size_t)n;
	return true;
}

/* Arguments and result as read_call() knows them: "1200011, 0, 0, 7f00) = -22". */
static bool make_body(const struct record *record, struct piece *piece)
{
	struct span exit = record->exit;
	bool good = true;
	size_t at = 0;

	for (int i = 0; i < ARGS_SHOWN && record->args[i].at; i++)
		good = good && put(piece, &at, i ? ", " : "", record->args[i]);
	good = good && put(piece, &at, ")", (struct span){exit.at, exit.at});
	if (exit.at < exit.end) {
		skip_text(&exit, "-E");
		if (exit.at == record->exit.at)
			good = good && put(piece, &at, *exit.at == 'E' ? " = -1 " : " = ", exit);
		else
			good = good && put(piece, &at, " = -1 E", exit);
	}
	piece->body = (struct span){piece->made, piece->made + at};
	return good;
}

/* "type=SYSCALL msg=audit(", the kernel log's "audit: type=1300 audit(": from its first field. */
static bool is_record(struct span line, struct span *ret)
{
	static const char *const types[] = {"type=SYSCALL ", "type=1300 "};
	static const char stamp[] = "audit(";
	const char *at = find_text(line, stamp);
	struct span before = {line.at, at}, in;
	bool typed = false;

	if (!at)
		return false;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		typed = typed || find_text(before, types[i]);
	/* In a string, or an argument: somebody prints or reads a record. */
	if (find_text(before, "\"") || find_text(before, "("))
		return false;
	if (!typed && at != line.at)
		return false;
	*ret = (struct span){at + sizeof(stamp) - 2, line.end};
	if (!take_bracketed(ret, '(', ')', &in))
		return false;
	skip_blanks(ret);
	if (!skip_text(ret, ":"))
		return false;
	skip_blanks(ret);
	return true;
}

enum found format_audit(struct span line, struct piece *piece, struct line_call *ret)
{
	struct record record = {0};
	const struct arch *arch;
	struct span fields;
	bool words;

	(void)ret;
	if (!is_record(line, &fields))
		return FOUND_NOTHING;
	read_fields(fields, &record);
	arch = record.arch.at ? arch_find(record.arch) : NULL;
	piece->name = record.syscall.at ? find_call(record.syscall, arch) : NULL;
	if (!piece->name)
		return FOUND_OTHER;
	words = !is_digit(*record.syscall.at);
	piece->source = "audit";
	piece->track = TRACK_EVENT;
	piece->style.system = piece->style.bare_errno = true;
	piece->style.hex = !words;
	if (arch)
		piece->style.order = arch->order;
	if (record.pid.at && take_digits(&record.pid, &piece->task))
		piece->has_task = true;
	if (record.comm.at)
		read_comm(record.comm, words, piece);
	return make_body(&record, piece) ? FOUND_PIECE : FOUND_STRANGE;
}
