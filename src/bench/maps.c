/* SPDX-License-Identifier: MIT */
/*
 * Programs started by a caller with many mappings, as allocators, JITs and languages with many
 * stacks have them: a page each, touched, and of two protections in turn or the kernel would
 * make one of them.
 */
#include "bench/scenes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SPARE 200 /* mappings that variants make */

/* Lines of a file; 0: it cannot be read. */
static size_t lines(const char *path)
{
	FILE *f = fopen(path, "re");
	size_t n = 0;
	int c;

	while (f && (c = getc(f)) != EOF)
		n += c == '\n';
	if (f)
		fclose(f);
	return n;
}

static size_t most_mappings(void)
{
	FILE *f = fopen("/proc/sys/vm/max_map_count", "re");
	size_t n = 65530; /* the kernel's default */

	if (f && fscanf(f, "%zu", &n) != 1)
		n = 65530;
	if (f)
		fclose(f);
	return n;
}

/* They stay until the stage ends. */
static long set_up(struct bench_scene *scene)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	const size_t count = (size_t)scene->x, most = most_mappings();
	unsigned char *at;

	if (count + lines("/proc/self/maps") + SPARE > most)
		return scene_fail(scene, ENOMEM,
				  "vm.max_map_count is %zu: no room for %zu more mappings", most,
				  count);
	if (!count)
		return 0;
	at = mmap(NULL, count * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (at == MAP_FAILED)
		return scene_fail(scene, errno, "mmap: %s", strerror(errno));
	for (size_t i = 0; i < count; i++, at += page) {
		const int protection = PROT_READ | PROT_WRITE | (i % 2 ? PROT_EXEC : 0);

		if (mmap(at, page, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
		    MAP_FAILED)
			return scene_fail(scene, errno, "mapping %zu: %s", i, strerror(errno));
		*at = 1;
	}
	return 0;
}

static const struct bench_variant *const variants[] = {
	&variant_fork_exec, &variant_posix_spawn, &variant_ramet_spawn, &variant_floor, NULL,
};

static const struct bench_pair pairs[] = {
	{"fork+exec", "ramet-spawn"},
	{"posix_spawn", "ramet-spawn"},
	{"ramet-spawn", "floor"},
	{NULL, NULL},
};

const struct bench_workload workload_maps = {
	.name = "maps",
	.what = "Time to start a program and wait for its end, against the mappings that its maker "
		"has beyond its own, a touched page each.",
	.axis = "extra mappings",
	.option = "--maps",
	.unit = BENCH_COUNT,
	.points = {0, 40000, BENCH_POINTS_END},
	.wanted = 5000,
	.set_up = set_up,
	.variants = variants,
	.pairs = pairs,
};
