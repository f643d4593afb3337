/* SPDX-License-Identifier: MIT */
/*
 * Which clone is meant. The C library's has a function and its stack before the flags; the kernel's
 * begins with the flags. Tracers give both the same name where they show no names of arguments.
 */
#include "explain/args.h"

/* Nothing is mapped below (vm.mmap_min_addr), so it is no address. */
#define LOWEST_ADDRESS 0x10000
#define RAW_ARGS 5

struct unnamed {
	struct span text;
	bool is_number;
	bool all_hex; /* this and those before: as strace -e raw=clone has them */
	uint64_t number;
};

static bool take_unnamed(struct span *list, struct unnamed *arg)
{
	struct span rest;

	skip_blanks(list);
	if (!take_arg(list, &arg->text))
		return false;
	rest = arg->text = trimmed(arg->text);
	arg->is_number = take_number(&rest, false, &arg->number) && rest.at == rest.end;
	arg->all_hex = arg->all_hex && (is_text(arg->text, "0") || starts_with(arg->text, "0x"));
	skip_text(list, ",");
	return true;
}

/* "child", "&child": a word that is neither a flag nor a signal. */
static bool is_name(struct span text)
{
	struct span word;

	skip_text(&text, "&");
	return text.at < text.end && !is_digit(*text.at) && take_word(&text, &word) &&
	       text.at == text.end && !starts_with(word, "CLONE_") && !starts_with(word, "SIG") &&
	       !is_text(word, "NULL");
}

static bool is_function(const struct unnamed *arg)
{
	return arg->is_number ? arg->number >= LOWEST_ADDRESS : is_name(arg->text);
}

/* NULL as it is spelled, "(void *)0" with its cast. */
static bool is_null(struct span text)
{
	static const char *const names[] = {"NULL", "nil", "nullptr", "0"};
	struct span in;

	while (take_bracketed(&text, '(', ')', &in))
		text = trimmed(text.at < text.end ? text : in);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (is_text(text, names[i]))
			return true;
	return false;
}

/* An address, or an expression that stands for one. The library refuses NULL by itself. */
static bool is_stack(const struct unnamed *arg)
{
	return arg->is_number
		       ? arg->number >= LOWEST_ADDRESS
		       : span_size(arg->text) && !is_null(arg->text) && !find_text(arg->text, "=");
}

static bool is_flags(const struct unnamed *arg)
{
	return !arg->is_number || (arg->number && arg->number <= UINT32_MAX);
}

bool is_library_clone(struct span list)
{
	struct unnamed arg = {.all_hex = true}, first = arg;
	unsigned n = 0;

	for (; take_unnamed(&list, &arg); n++) {
		if ((n == 0 && !is_function(&arg)) || (n == 1 && !is_stack(&arg)) ||
		    (n == 2 && !is_flags(&arg)))
			return false;
		if (n == 0)
			first = arg;
	}
	if (n >= RAW_ARGS && arg.all_hex && first.number <= UINT32_MAX)
		return false;
	return n >= 3;
}
