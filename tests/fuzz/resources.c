/* SPDX-License-Identifier: MIT */
/* ramet_resources_parse: what is read, printed by its names, is read as the same. */
#include <errno.h>

#include <ramet/ramet.h>

#include "fuzz/fuzz.h"

const char *const fuzz_words[] = {
	"memory",   "FILES",   "fs",	 "sighand", "thread-group",
	"parent",   "sysvsem", "io",	 "tls",	    "mnt",
	"pid",	    "net",     "ipc",	 "uts",	    "user",
	"cgroupns", "time",    "cgroup", ",",	    ",",
	",",	    " ",       "|",	 "all",	    NULL,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	char names[512] = "";
	uint32_t mask = 42, again = 0;
	size_t bad = SIZE_MAX;
	const int r = ramet_resources_parse(text, &mask, &bad);

	if (r == 0) {
		MUST(mask && !(mask >> RAMET_RESOURCE_COUNT) && bad == SIZE_MAX);
		for (unsigned i = 0; i < RAMET_RESOURCE_COUNT; i++) {
			if (!(mask >> i & 1))
				continue;
			strcat(strcat(names, *names ? "," : ""),
			       ramet_resource_name((enum ramet_resource)(1u << i)));
		}
		MUST(ramet_resources_parse(names, &again, NULL) == 0 && again == mask);
	} else {
		MUST(r == -EINVAL && mask == 42 && bad <= strlen(text));
	}
	free(text);
	return 0;
}
