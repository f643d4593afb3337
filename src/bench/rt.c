/* SPDX-License-Identifier: MIT */
/*
 * libramet-rt's variants: it can be in no program with a C library, so that its own worker, rt/,
 * does the operations. It is carried here and run from memory.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "bench/scenes.h"
#include "launch/image.h"

extern const unsigned char bench_rt[], bench_rt_end[];

long rt_begin(struct bench_scene *scene, const char *operation, struct bench_worker **ret)
{
	const int fd =
		sealed_file("ramet-bench-rt", bench_rt, (size_t)(bench_rt_end - bench_rt), true);
	int r;

	if (fd < 0)
		return scene_fail(scene, -fd, "no file in memory: %s", strerror(-fd));
	r = bench_worker_start_file(fd, operation, scene->x, ret, scene->why);
	close(fd);
	return r;
}
