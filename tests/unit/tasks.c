/* SPDX-License-Identifier: MIT */
/*
 * Texts of /proc, with names that try to be something else, and what of them comes to a terminal.
 */
#include <errno.h>
#include <locale.h>
#include <wchar.h>

#include "inspect/parse.h"
#include "tap.h"
#include "tree/tree.h"

#define TAIL                                                                                       \
	" S 7 71 72 0 -1 4194560 2 3 4 5 6 7 8 9 20 0 3 0 123456 8192 99 18446744073709551615 1 "  \
	"1 0 0 0 0 0 0 65536 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0\n"

static const char *const hostile[] = {
	"cat",
	"a b",
	")",
	"(",
	") R 1 (",
	"x) Z 99 99 (",
	"\n",
	"a\nb",
	"\t",
	"\x1b[2J",
	"\x1b]0;t\a",
	"",
	"()",
	") ",
	" )",
	"\xff\xfe",
	"\xc2\x9b"
	"31m",
	"caf\xc3\xa9",
	"\xe2\x80\xae"
	"txt.exe",
	"\x7f",
	"\\x41",
	"sd-pam)",
	"0123456789abcde",
};
#define HOSTILE (sizeof(hostile) / sizeof(hostile[0]))

static void test_stat(void)
{
	struct inspect_basics basics;
	char text[1024];

	for (size_t i = 0; i < HOSTILE; i++) {
		snprintf(text, sizeof(text), "4711 (%s)%s", hostile[i], TAIL);
		is_int(inspect_parse_stat(text, &basics), 0, "stat of name %zu", i);
		ok(!strcmp(basics.name, hostile[i]) && basics.state == 'S' && basics.parent == 7 &&
			   basics.threads == 3 && basics.exit_signal == 17 && !basics.kernel,
		   "and all of it");
	}
	snprintf(text, sizeof(text), "2 (kthreadd) S 0 0 0 0 -1 2129984%s",
		 strchr(strstr(TAIL, "4194560"), ' '));
	is_int(inspect_parse_stat(text, &basics), 0, "a kernel thread");
	ok(basics.kernel, "is one");
}

/* Cut at any byte, and with any byte changed: an error or numbers, never more. */
static void test_broken(void)
{
	struct inspect_basics basics;
	struct inspect_rights rights;
	char text[1024];
	const int n = snprintf(text, sizeof(text), "4711 (%s)%s", ") R 1 (", TAIL);
	unsigned good = 0, bad = 0;

	for (int cut = 0; cut < n; cut++) {
		char *part = strndup(text, (size_t)cut);

		*(inspect_parse_stat(part, &basics) == 0 ? &good : &bad) += 1;
		inspect_parse_status(part, &rights);
		free(part);
	}
	ok(bad > 100, "a text that is cut is none (%u; %u have all that is needed)", bad, good);
	for (int i = 0; i < 200000; i++) {
		char *part = strndup(text, (size_t)n);
		uint64_t inode;
		int r;

		for (uint64_t k = tap_below(6); k; k--)
			part[tap_below((uint64_t)n)] = (char)tap_random();
		r = inspect_parse_stat(part, &basics);
		if (r != 0 && r != -ENODATA)
			break;
		if (r == 0 && !memchr(basics.name, 0, sizeof(basics.name)))
			break;
		inspect_parse_status(part, &rights);
		inspect_parse_ns(part, &inode);
		free(part);
		good = (unsigned)i + 1;
	}
	is_int(good, 200000, "texts with bytes changed do no harm");
}

static void test_status(void)
{
	static const char text[] =
		"Name:\tx\\nUid:\\t0\nUmask:\t0022\nState:\tS (sleeping)\nTgid:\t12\nNgid:\t0\n"
		"Pid:\t12\nPPid:\t7\nTracerPid:\t3\nUid:\t1000\t1001\t1002\t1003\n"
		"Gid:\t5\t6\t7\t8\nFDSize:\t64\nGroups:\t \nNStgid:\t12\t2\nNSpid:\t12\t2\n"
		"NSpgid:\t12\t2\nCapInh:\t0000000000000000\nCapPrm:\t00000000000000ff\n"
		"CapEff:\t000001ffffffffff\nCapBnd:\t0\nCapAmb:\t0\nNoNewPrivs:\t1\nSeccomp:\t2\n"
		"Seccomp_filters:\t4\n";
	struct inspect_rights r;
	char old[sizeof(text)];

	is_int(inspect_parse_status(text, &r), 0, "status");
	ok(r.process == 12 && r.tracer == 3 && r.inner == 2, "numbers");
	ok(r.uid == 1001 && r.gid == 6 && r.umask == 022, "effective ids, umask");
	ok(r.permitted == 0xff && r.effective == 0x1ffffffffff, "capabilities");
	ok(r.no_new_privs && r.seccomp == 2 && r.filters == 4, "no new privileges, filters");
	strcpy(old, text);
	strcpy(strstr(old, "Seccomp_filters"), "");
	memcpy(strstr(old, "Umask"), "Vmask", 5);
	memcpy(strstr(old, "NSpid"), "XSpid", 5);
	is_int(inspect_parse_status(old, &r), 0, "status of an older kernel");
	ok(r.filters == -1 && r.umask == -1 && r.inner == 12, "says what it does not know");
	is_int(inspect_parse_status("Name:\tx\n", &r), -ENODATA, "no status");
}

static void test_ns(void)
{
	uint64_t inode = 7;

	is_int(inspect_parse_ns("net:[4026531840]", &inode), 0, "a namespace");
	is_int(inode, 4026531840, "its inode");
	for (size_t i = 0; i < 6; i++) {
		static const char *const wrong[] = {"",	   "net:[]",   "net:[1",
						    "[1]", "net:[-1]", "net:[x]"};

		is_int(inspect_parse_ns(wrong[i], &inode), -ENODATA, "'%s' is none", wrong[i]);
	}
}

/* No byte below a blank, no DEL, and valid in the locale. */
static bool is_safe(const char *text)
{
	mbstate_t state = {0};
	const char *at = text;

	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return false;
	return mbsrtowcs(NULL, &at, 0, &state) != (size_t)-1;
}

static void test_harmless(const char *locale)
{
	unsigned wrong = 0;
	char out[64];

	for (size_t i = 0; i < HOSTILE; i++) {
		tree_harmless(hostile[i], strlen(hostile[i]), out, sizeof(out));
		wrong += !is_safe(out);
	}
	for (int i = 0; i < 200000; i++) {
		char in[24];
		const size_t n = tap_below(sizeof(in)), size = 1 + tap_below(sizeof(out));

		for (size_t k = 0; k < n; k++)
			in[k] = (char)(tap_below(2) ? (char)tap_random()
						    : "\xe2\x80\xae\xc2\x9b\x1b[m"[tap_below(8)]);
		tree_harmless(in, n, out, size);
		wrong += !is_safe(out) || strlen(out) >= size;
		tree_utf8(in, n, out, size);
		wrong += strlen(out) >= size;
	}
	is_int(wrong, 0, "%s: nothing that a terminal obeys", locale);
}

static void test_texts(void)
{
	char out[64];

	tree_harmless("\x1b[31mred\n\t", 10, out, sizeof(out));
	is_str(out, "\\x1b[31mred\\n\\t", "an escape sequence is text");
	tree_harmless("caf\xc3\xa9", 5, out, sizeof(out));
	is_str(out, "caf\xc3\xa9", "a letter is a letter");
	tree_harmless("\xc2\x9b"
		      "31m",
		      5, out, sizeof(out));
	is_str(out, "\\xc2\\x9b31m", "the other escape too");
	tree_harmless("\xe2\x80\xae"
		      "exe",
		      6, out, sizeof(out));
	is_str(out,
	       "\\xe2\\x80\\xae"
	       "exe",
	       "and what turns the direction of writing");
	tree_utf8("a\xff\x1b", 3, out, sizeof(out));
	is_str(out, "a\xef\xbf\xbd\x1b", "for JSON what is no UTF-8 is replaced");
	tree_letters(1, out);
	is_str(out, "A", "the first letter");
	tree_letters(26, out);
	is_str(out, "Z", "the last one");
	tree_letters(27, out);
	is_str(out, "AA", "then two");
	tree_letters(703, out);
	is_str(out, "AAA", "then three");
	tree_capabilities(0, out, sizeof(out));
	is_str(out, "none", "no capability");
	tree_capabilities(1 << 10 | 1 << 5, out, sizeof(out));
	is_str(out, "kill,net_bind_service", "few");
	tree_capabilities(~0ULL, out, sizeof(out));
	is_str(out, "all", "all");
	tree_capabilities(~(1ULL << 21), out, sizeof(out));
	is_str(out, "all but sys_admin", "but one");
	tree_signal(10, out, sizeof(out));
	is_str(out, "SIGUSR1", "a signal");
	tree_signal(0, out, sizeof(out));
	is_str(out, "none", "none");
}

/* Every column has a name, a key and a help of its own. */
static void test_columns(void)
{
	unsigned wrong = 0, n = 0;

	for (const struct tree_column *c = tree_columns; c->name; c++, n++) {
		wrong += !c->key || !c->help || !c->fill || c->width < 1;
		wrong += tree_column(c->name, strlen(c->name)) != c;
		for (const struct tree_column *d = tree_columns; d != c; d++)
			wrong += !strcmp(c->key, d->key);
	}
	is_int(wrong, 0, "%u columns, each with a name and a key of its own", n);
	ok(n < TREE_COLUMNS_MAX, "there is room for them");
	ok(!tree_column("ME", 2) && !tree_column("", 0) && tree_column("mem", 3),
	   "by the whole name, in any case");
}

int main(void)
{
	tap_seed();
	test_stat();
	test_broken();
	test_status();
	test_ns();
	test_harmless("C");
	if (setlocale(LC_CTYPE, "C.UTF-8")) {
		test_harmless("C.UTF-8");
		test_texts();
	} else {
		skip(17, "no locale C.UTF-8");
	}
	test_columns();
	return tap_done();
}
