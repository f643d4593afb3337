/* SPDX-License-Identifier: MIT */
#include "launch/image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/sys.h"
#include "child/child.h"
#include "launch/plan.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x10U /* 6.3 */
#endif

#define GET_SECUREBITS 27
#define SECBIT_NOROOT 1
#define IMAGE_CAPS 41 /* of 5.9 and later: up to CAP_CHECKPOINT_RESTORE */

static int write_all(int fd, const char *data, size_t size)
{
	ssize_t n;

	for (; size; data += n, size -= (size_t)n) {
		n = write(fd, data, size);
		if (n < 0 && errno == EINTR)
			n = 0;
		if (n < 0)
			return -errno;
	}
	return 0;
}

int sealed_file(const char *name, const void *data, size_t size, bool executable)
{
	const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	int fd = memfd_create(name, flags | (executable ? MFD_EXEC : 0)), r;

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create(name, flags);
	if (fd < 0)
		return -errno;
	r = write_all(fd, data, size);
	if (r == 0 &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		r = -errno;
	if (r < 0) {
		close(fd);
		return r;
	}
	return fd;
}

#define OWN_FIRST 4096 /* most plans with what they point at, environment included */

/* What does not fit into the room is only counted: then there is another pass. */
struct blob {
	char *buf;
	size_t at, room;
	uintptr_t base; /* where it will be mapped */
	bool whole;	/* the caller's steps too, which the helper need not see */
};

/* Where the next n bytes will be mapped; they are copied from data. */
static void *put(struct blob *b, const void *data, size_t n)
{
	void *address;

	b->at = (b->at + 7) & ~(size_t)7;
	address = (void *)(b->base + b->at);
	if (n && b->at + n <= b->room)
		memcpy(b->buf + b->at, data, n);
	b->at += n;
	return address;
}

/* Write n bytes again that were put at `at`. */
static void put_again(struct blob *b, size_t at, const void *data, size_t n)
{
	if (at + n <= b->room)
		memcpy(b->buf + at, data, n);
}

static const char *put_text(struct blob *b, const char *text)
{
	return put(b, text, strlen(text) + 1);
}

/* A NULL-terminated array of strings. */
static char **put_texts(struct blob *b, char *const *texts)
{
	size_t n = 0, at;
	char **address;
	const char *text;

	while (texts[n])
		n++;
	address = put(b, texts, (n + 1) * sizeof(*texts));
	at = b->at - (n + 1) * sizeof(*texts);
	for (size_t i = 0; i < n; i++) {
		text = put_text(b, texts[i]);
		put_again(b, at + i * sizeof(text), &text, sizeof(text));
	}
	return address;
}

/* What a step points at; the pointers in it become those of the image. */
static void put_step(struct blob *b, struct ramet_step *step)
{
	const struct step_limits *limits = step_limits(step->kind);

	if (step->kind == RAMET_STEP_ID_MAP && b->whole) {
		step->uid_map = step->uid_map ? put_text(b, step->uid_map) : NULL;
		step->gid_map = step->gid_map ? put_text(b, step->gid_map) : NULL;
	}
	if (!step_kind(step->kind) || step_kind(step->kind)->side != STEP_SIDE_CHILD)
		return;
	if (limits->text)
		step->path = put_text(b, step->path);
	if (limits->target)
		step->target = put_text(b, step->target);
	if (limits->data)
		step->data = put(b, step->data, step->bytes);
	if (step->kind == RAMET_STEP_GROUPS)
		step->groups = put(b, step->groups, step->count * sizeof(*step->groups));
	if (step->kind == RAMET_STEP_EXEC) {
		step->paths = (const char *const *)put_texts(b, (char *const *)step->paths);
		step->argv = put_texts(b, step->argv);
		step->envp = put_texts(b, step->envp);
	}
}

static int marked_descriptor(const struct ramet_step *step)
{
	int flags;

	if (!step_limits(step->kind)->descriptor && step->kind != RAMET_STEP_EXEC)
		return -1;
	if (step->number < 0)
		return -1;
	flags = fcntl(step->number, F_GETFD);
	return flags >= 0 && flags & FD_CLOEXEC ? step->number : -1;
}

unsigned marked_descriptors(const struct plan *plan, int32_t *out)
{
	unsigned n = 0;

	for (unsigned i = 0; i < plan->count; i++) {
		out[n] = marked_descriptor(&plan->steps[i]);
		n += out[n] >= 0;
	}
	return n;
}

/*
 * Exec takes the capabilities of all but root. In a new user namespace the child has them all but
 * is not root yet, since its ids are mapped only later.
 */
void image_caps_read(const struct plan *plan, struct image_caps *ret)
{
	struct kernel_caps data[2] = {{0}};

	*ret = (struct image_caps){0};
	if (plan->args.flags & CLONE_NEWUSER) {
		ret->effective = ret->permitted = (1ULL << IMAGE_CAPS) - 1;
		ret->carry = true;
		return;
	}
	if ((geteuid() == 0 && !(sys_prctl(GET_SECUREBITS, 0, 0, 0, 0) & SECBIT_NOROOT)) ||
	    sys_capget(data) < 0)
		return;
	ret->permitted = (uint64_t)data[1].permitted << 32 | data[0].permitted;
	ret->effective = (uint64_t)data[1].effective << 32 | data[0].effective;
	ret->inheritable = (uint64_t)data[1].inheritable << 32 | data[0].inheritable;
	ret->carry = ret->permitted != 0;
	for (int cap = 0; cap < IMAGE_CAPS; cap++)
		if (sys_prctl(47 /* PR_CAP_AMBIENT */, 1 /* IS_SET */, (unsigned long)cap, 0, 0) >
		    0)
			ret->ambient |= 1ULL << cap;
}

static void put_plan(struct blob *b, const struct plan *plan, const struct image_caps *caps,
		     const int32_t *marked, unsigned marked_count)
{
	struct image header = {
		.used_flags = plan->args.flags,
		.caller = (int32_t)getpid(),
		.count = plan->count,
		.clear_handlers = plan->clear_handlers,
		.marked_count = marked_count,
		.restore_caps = caps->carry,
		.effective = caps->effective,
		.inheritable = caps->inheritable,
		.ambient = caps->ambient,
	};
	const size_t steps = sizeof(header);
	struct ramet_step step;

	b->at = 0;
	put(b, &header, sizeof(header));
	put(b, plan->steps, plan->count * sizeof(step));
	for (unsigned i = 0; i < plan->count; i++) {
		step = plan->steps[i];
		put_step(b, &step);
		put_again(b, steps + i * sizeof(step), &step, sizeof(step));
	}
	header.marked = put(b, marked, marked_count * sizeof(*marked));
	put_again(b, 0, &header, sizeof(header));
}

/* The steps and what they point at, at the beginning of the blob. */
static void put_steps(struct blob *b, const struct plan *plan)
{
	struct ramet_step step;

	b->at = 0;
	put(b, plan->steps, plan->count * sizeof(step));
	for (unsigned i = 0; i < plan->count; i++) {
		step = plan->steps[i];
		put_step(b, &step);
		put_again(b, i * sizeof(step), &step, sizeof(step));
	}
}

int plan_own(struct plan *plan)
{
	struct blob b = {.whole = true, .at = OWN_FIRST};

	while (b.at > b.room) {
		b.room = b.at;
		free(b.buf);
		b.buf = malloc(b.room);
		if (!b.buf)
			return -ENOMEM;
		b.base = (uintptr_t)b.buf;
		put_steps(&b, plan);
	}
	plan_free(plan);
	plan->memory_ = b.buf;
	plan->steps = plan->memory_;
	return 0;
}

int image_make(const struct plan *plan, const struct image_caps *caps, const int32_t *marked,
	       unsigned marked_count, size_t *ret_size)
{
	struct blob b = {.base = IMAGE_ADDRESS, .at = OWN_FIRST};
	int fd;

	while (b.at > b.room) {
		b.room = b.at;
		free(b.buf);
		/* Zeros, since what lies between the parts goes to the helper as well. */
		b.buf = calloc(1, b.room);
		if (!b.buf)
			return -ENOMEM;
		put_plan(&b, plan, caps, marked, marked_count);
	}
	fd = sealed_file("ramet-plan", b.buf, b.at, false);
	free(b.buf);
	if (fd >= 0)
		*ret_size = b.at;
	return fd;
}
