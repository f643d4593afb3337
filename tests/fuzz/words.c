/* SPDX-License-Identifier: MIT */
/* ramet_signal_parse and ramet_preset_parse: what is read has a name that is read as the same. */
#include <errno.h>

#include <ramet/ramet.h>

#include "fuzz/fuzz.h"

const char *const fuzz_words[] = {
	"SIG",	     "sig", "CHLD", "usr1", "RTMIN", "RTMAX", "RT_",   "+",    "-",
	"0",	     "1",   "32",   "64",   "fork",  "vfork", "spawn", "nptl", "linuxthreads",
	"container", NULL,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	enum ramet_preset preset = RAMET_PRESET_COUNT_;
	const int sig = ramet_signal_parse(text);
	const int r = ramet_preset_parse(text, &preset);

	if (sig < 0)
		MUST(sig == -EINVAL);
	else
		MUST(sig >= 1 && sig <= 64 && ramet_signal_parse(ramet_signal_name(sig)) == sig);
	if (r == 0)
		MUST(strcmp(ramet_preset_name(preset), text) == 0);
	else
		MUST(r == -EINVAL && preset == RAMET_PRESET_COUNT_);
	free(text);
	return 0;
}
