/* SPDX-License-Identifier: MIT */
/* ramet_flags_parse: what is read prints as a text that is read as the same. */
#include <errno.h>

#include <ramet/ramet.h>

#include "fuzz/fuzz.h"

#define TEXT_MAX 2048

const char *const fuzz_words[] = {
	"CLONE_VM",    "vm",
	"Files",       "NEWTIME",
	"clone_pidfd", "|",
	",",	       "+",
	" ",	       "\t",
	"0x4111",      "4001536",
	"0",	       "017",
	"0x",	       "0x100000000",
	"SIGCHLD",     "sigrt_",
	"SIGRTMIN",    "+2",
	"RTMAX-1",     "CLONE_",
	"SIG",	       "99999999999999999999",
	"into_cgroup", "0xffffffffffffffff",
	"0x7f",	       "65",
	NULL,
};

/* Bits 0 to 6 are no flags: as a number below 2^32 they are read as the exit signal. */
static void check_format(uint64_t flags)
{
	char text[TEXT_MAX];
	uint64_t again = ~flags;
	int sig = -1;
	const int n = ramet_flags_format(flags, text, sizeof(text));

	MUST(n > 0 && n < TEXT_MAX && strlen(text) == (size_t)n);
	MUST(ramet_flags_parse(text, &again, &sig, NULL) == 0);
	MUST(flags & 0x7f || (again == flags && !sig));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	uint64_t flags = 42;
	int sig = 43;
	size_t bad = SIZE_MAX;
	const int r = ramet_flags_parse(text, &flags, &sig, &bad);

	if (r == 0) {
		MUST(bad == SIZE_MAX);
		MUST(sig >= 0 && sig <= 255);
		check_format(flags);
	} else {
		MUST(r == -EINVAL && flags == 42 && sig == 43);
		MUST(bad <= strlen(text));
	}
	free(text);

	if (size >= sizeof(flags)) {
		memcpy(&flags, data, sizeof(flags));
		check_format(flags & ~0x7fULL);
	}
	return 0;
}
