/* SPDX-License-Identifier: MIT */
/*
 * The helper way's program: "ramet-helper IMAGE RECORD", two descriptors in decimal. Maps the
 * plan where its pointers are right, maps the record, lets go of both descriptors, and runs the
 * child's loop. What goes wrong before there is a record can only be told by the exit status.
 */
#include "base/sys.h"
#include "child/steps.h"
#include "launch/image.h"
#include "launch/launch.h"

#define PROT_READ_ 1
#define PROT_WRITE_ 2
#define MAP_SHARED_ 1
#define MAP_PRIVATE_ 2
#define MAP_FIXED_NOREPLACE_ 0x100000

_Noreturn void arch_start(const long *sp);

static int number(const char *text)
{
	int n = 0;

	for (; *text >= '0' && *text <= '9'; text++)
		n = n * 10 + (*text - '0');
	return n;
}

static long map(uintptr_t at, size_t size, int sharing, int fd)
{
	const long r =
		sys6(SYS_mmap, (long)at, (long)size, PROT_READ_ | PROT_WRITE_, sharing, fd, 0);

	sys_close(fd);
	return r;
}

/* What was widened so that exec would let the capabilities through. */
static long restore_caps(struct child *child, const struct image *image)
{
	const struct ramet_step ambient = RAMET_AMBIENT(image->ambient);
	struct kernel_caps data[2];

	long r = step_ambient(child, &ambient);

	if (r >= 0)
		r = sys_capget(data);
	for (int half = 0; half < 2; half++) {
		data[half].effective = (uint32_t)(image->effective >> 32 * half);
		data[half].inheritable = (uint32_t)(image->inheritable >> 32 * half);
	}
	return r < 0 ? r : sys_capset(data);
}

_Noreturn void arch_start(const long *sp)
{
	const int argc = (int)sp[0];
	char *const *argv = (char *const *)(sp + 1);
	struct image *image = (struct image *)IMAGE_ADDRESS;
	static struct child child;
	long record;

	if (argc != 4)
		sys_exit_group(CHILD_FAILED_STATUS);
	if (map(IMAGE_ADDRESS, (size_t)number(argv[3]), MAP_PRIVATE_ | MAP_FIXED_NOREPLACE_,
		number(argv[1])) != (long)IMAGE_ADDRESS)
		sys_exit_group(CHILD_FAILED_STATUS);
	record = map(0, sizeof(struct child_record), MAP_SHARED_, number(argv[2]));
	if (record < 0 && record > -4096)
		sys_exit_group(CHILD_FAILED_STATUS);

	for (uint32_t i = 0; i < image->marked_count; i++)
		sys_fcntl(image->marked[i], 2 /* F_SETFD */, 1 /* FD_CLOEXEC */);
	child.lifted = -1;
	if (image->restore_caps && restore_caps(&child, image) < 0)
		sys_exit_group(CHILD_FAILED_STATUS);
	child.steps = image->steps;
	child.count = image->count;
	child.record = (struct child_record *)record;
	child.used_flags = &image->used_flags;
	child.caller = image->caller;
	child.clear_handlers = image->clear_handlers;
	child.robust = true;
	child.notify = true;
	child.split = init_split;
	sys_exit_group(child_run(&child));
}
