/* SPDX-License-Identifier: MIT */
/* The longer texts of cells: names, namespaces, capabilities. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "spec/words.h"
#include "tree/tree.h"
#include "tree/words.h"

#define FEW 3 /* capabilities that are named; more are counted */

unsigned tree_threads(const struct inspect_entry *process)
{
	/* The kernel counts a first thread that has ended until the others have, too. */
	return process->basics.threads - (process->speaker != process->leader);
}

void tree_name(const struct tree *t, const struct inspect_entry *e, char *buf, size_t size)
{
	char name[4 * sizeof(e->basics.name) + 1];
	const unsigned threads = tree_threads(&t->s.entries[e->leader]);

	if (e->whole)
		tree_harmless(e->basics.name, strlen(e->basics.name), name, sizeof(name));
	else
		snprintf(name, sizeof(name), "?");
	if (e->tid != e->process)
		snprintf(buf, size, "{%s}", name);
	else if (threads > 1 && !t->request->threads)
		snprintf(buf, size, "%s (%u threads)", name, threads);
	else
		snprintf(buf, size, "%s", name);
}

void tree_abroad(const struct tree *t, const struct inspect_entry *e, char *buf, size_t size)
{
	struct words w = {.buf = buf, .size = size};

	buf[0] = 0;
	for (size_t i = 0; i < TREE_RESOURCES; i++) {
		const int ns = tree_resources[i].ns;

		if (ns < 0 || !e->ns[ns] || !t->home[ns] || e->ns[ns] == t->home[ns])
			continue;
		words_part(&w, " ");
		words_add(&w, "%s", ramet_resource_name(tree_resources[i].resource));
	}
}

/* Bits of every capability that this kernel knows. */
static uint64_t every_capability(void)
{
	static uint64_t all;
	char text[16] = "";
	int fd, last = 40;

	if (all)
		return all;
	fd = open("/proc/sys/kernel/cap_last_cap", O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		if (read(fd, text, sizeof(text) - 1) > 0)
			last = atoi(text);
		close(fd);
	}
	all = last >= 0 && last < 63 ? (2ULL << last) - 1 : ~0ULL;
	return all;
}

static void name_them(struct words *w, uint64_t set)
{
	const char *between = "";

	for (int bit = 0; bit < 64; bit++) {
		const char *name = word_name(words_capability, bit);

		if (!(set >> bit & 1))
			continue;
		if (name)
			words_add(w, "%s%s", between, name);
		else
			words_add(w, "%s%d", between, bit);
		between = ",";
	}
}

void tree_capabilities(uint64_t set, char *buf, size_t size)
{
	struct words w = {.buf = buf, .size = size};
	const uint64_t all = every_capability(), missing = all & ~set;

	buf[0] = 0;
	if (!(set & all)) {
		words_add(&w, "none");
	} else if (!missing) {
		words_add(&w, "all");
	} else if (__builtin_popcountll(missing) < FEW) {
		words_add(&w, "all but ");
		name_them(&w, missing);
	} else if (__builtin_popcountll(set & all) <= FEW) {
		name_them(&w, set & all);
	} else {
		words_add(&w, "%d of %d", __builtin_popcountll(set & all),
			  __builtin_popcountll(all));
	}
}
