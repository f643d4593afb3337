/* SPDX-License-Identifier: MIT */
/*
 * A heap that a program would have: private memory, every page of it written to once. What fork
 * pays for is its page tables; huge pages need 512 times fewer on most processors.
 */
#include "bench/machine.h"
#include "bench/scenes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* 5.14 */
#endif

/* Size of a huge page; 0: there are none to have. */
static size_t huge_page(void)
{
	char text[64];

	machine_text(text, sizeof(text), "/sys/kernel/mm/transparent_hugepage/enabled");
	if (!text[0] || strstr(text, "[never]"))
		return 0;
	machine_text(text, sizeof(text), "/sys/kernel/mm/transparent_hugepage/hpage_pmd_size");
	return strtoul(text, NULL, 10);
}

/* Bytes of the process that are in huge pages. */
static size_t huge_bytes(void)
{
	FILE *f = fopen("/proc/self/smaps_rollup", "re");
	size_t kilobytes = 0;
	char line[128];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "AnonHugePages: %zu", &kilobytes) == 1)
			break;
	if (f)
		fclose(f);
	return kilobytes << 10;
}

void heap_touch(struct bench_scene *scene)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);

	for (size_t i = 0; i < scene->heap_size; i += page)
		scene->heap[i] = (unsigned char)(i / page | 1);
}

long heap_set_up(struct bench_scene *scene)
{
	const size_t size = (size_t)scene->x;
	const size_t align = scene->huge ? huge_page() : 0;
	unsigned char *map;

	if (scene->huge && !align)
		return scene_fail(scene, EOPNOTSUPP, "transparent huge pages are switched off");
	if (size < align)
		return scene_fail(scene, EINVAL, "a huge page has %zu KB", align >> 10);
	map = mmap(NULL, size + align, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED)
		return scene_fail(scene, errno, "%zu MB of heap: %s", size >> 20, strerror(errno));
	if (align)
		map += align - (uintptr_t)map % align;
	madvise(map, size, scene->huge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
	madvise(map, size, MADV_POPULATE_WRITE); /* only quicker, where there is such a thing */
	scene->heap = map;
	scene->heap_size = size;
	heap_touch(scene);
	if (scene->huge && huge_bytes() < size / 2)
		return scene_fail(scene, ENOMEM, "of %zu MB only %zu MB came in huge pages",
				  size >> 20, huge_bytes() >> 20);
	return 0;
}

void heap_tear_down(struct bench_scene *scene)
{
	if (scene->heap)
		munmap(scene->heap, scene->heap_size);
	scene->heap = NULL;
}
