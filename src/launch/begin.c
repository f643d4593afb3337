/* SPDX-License-Identifier: MIT */
/*
 * Launches that are begun in one call and ended in another. What makes and ends them is the same
 * as in every launch; here is only what lies between: the handle, the descriptor that tells, and
 * waiting for many.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/sys.h"
#include "launch/error.h"
#include "launch/outcome.h"

#define WAIT_MANY 128 /* the kernel's FUTEX_WAITV_MAX */
#define LOOK_MS 100   /* as long as one may sleep on words that may never change */

struct ramet_launching {
	struct launch launch;
	struct ramet_task task;
	uint32_t generation; /* of the process: in a fork of it nothing of this is true */
	int told;	     /* read end of a pipe whose other end the child alone has; -1 */
};

/* ---- The descriptor that tells --------------------------------------------------------------- */

static int highest_target(const struct ramet_spec *spec)
{
	int highest = 2;

	for (const struct ramet_step *s = spec->steps; s && s->kind; s++)
		if (s->kind == RAMET_STEP_DUP && s->to > highest)
			highest = s->to;
	return highest;
}

/* The child's end lies where no DUP of the spec puts anything. */
static int make_witness(const struct ramet_spec *spec, int *ret_told, int *ret_witness)
{
	int ends[2], high;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	high = fcntl(ends[1], F_DUPFD_CLOEXEC, highest_target(spec) + 1);
	if (high < 0) {
		const int r = -errno;

		close(ends[0]);
		close(ends[1]);
		return r;
	}
	close(ends[1]);
	*ret_told = ends[0];
	*ret_witness = high;
	return 0;
}

/* ---- One ------------------------------------------------------------------------------------- */

static void release(struct ramet_launching *b)
{
	if (b->told >= 0)
		close(b->told);
	free(b);
}

int ramet_launch_begin(const struct ramet_spec *spec, struct ramet_launching **ret,
		       struct ramet_error *error)
{
	struct ramet_launching *b = malloc(sizeof(*b));
	struct launch_wish wish = {.how = LAUNCH_BEGIN, .witness = -1};
	int r = 0, cancel;

	if (!b || !slot_generation()) {
		free(b);
		return error_prepare(error, -ENOMEM, "a launch");
	}
	cancel = not_cancelled();
	b->generation = slot_generation();
	b->told = -1;
	if (spec->options & RAMET_DONE_FD)
		r = make_witness(spec, &b->told, &wish.witness);
	if (r < 0)
		error_prepare(error, r, "a descriptor that tells");
	else
		r = launch_make(&b->launch, spec, wish, &b->task, error);
	if (wish.witness >= 0)
		close(wish.witness);
	if (r < 0)
		release(b);
	else
		*ret = b;
	cancelled_again(cancel);
	return r < 0 ? r : 0;
}

pid_t ramet_launching_tid(const struct ramet_launching *b)
{
	return b->launch.tid;
}

int ramet_launching_pidfd(const struct ramet_launching *b)
{
	return b->launch.pidfd;
}

int ramet_launching_fd(const struct ramet_launching *b)
{
	return b->told;
}

static int end(struct ramet_launching *b, int64_t until, struct ramet_task *ret_task,
	       struct ramet_error *error)
{
	int r = 0, cancel;

	if (b->generation != slot_generation())
		return -ECHILD;
	cancel = not_cancelled();
	if (b->launch.pending) {
		r = outcome_of(&b->launch, until, error);
		if (r == -EINPROGRESS) {
			cancelled_again(cancel);
			return r;
		}
		r = launch_conclude(&b->launch, r, &b->task);
	}
	if (r == 0)
		*ret_task = b->task;
	release(b);
	cancelled_again(cancel);
	return r;
}

static int64_t time_in(int timeout_ms)
{
	return timeout_ms < 0 ? INT64_MAX : now_ms() + timeout_ms;
}

int ramet_launch_end(struct ramet_launching *b, int timeout_ms, struct ramet_task *ret_task,
		     struct ramet_error *error)
{
	return end(b, time_in(timeout_ms), ret_task, error);
}

/* ---- Many ------------------------------------------------------------------------------------ */

static bool is_over(const struct ramet_launching *b)
{
	return !b->launch.pending || has_outcome(&b->launch);
}

/* End what is over; with `look`, see also after those that cannot tell. How many were told. */
static int tell(struct ramet_launching **list, size_t count, bool look, ramet_launched *done,
		void *context)
{
	int told = 0;

	for (size_t i = 0; i < count; i++) {
		struct ramet_error error = {0};
		struct ramet_task task;
		int r;

		if (!list[i] || !(look || is_over(list[i])))
			continue;
		r = end(list[i], now_ms(), &task, &error);
		if (r == -EINPROGRESS)
			continue;
		list[i] = NULL;
		told++;
		done(context, i, r, r == 0 ? &task : NULL, &error);
	}
	return told;
}

static void sleep_ms(int64_t ms)
{
	const struct kernel_timespec t = {ms / 1000, ms % 1000 * 1000000};

	sys2(SYS_nanosleep, (long)&t, 0);
}

/* Until one of them changes, at most ms. Older kernels (5.16) and very many: a millisecond. */
static void await_change(struct ramet_launching *const *list, size_t count, int64_t ms)
{
	struct kernel_futex_waitv words[WAIT_MANY];
	struct kernel_timespec until;
	unsigned n = 0;

	for (size_t i = 0; i < count; i++) {
		const struct child_record *record;

		if (!list[i])
			continue;
		if (is_over(list[i]))
			return;
		if (n == WAIT_MANY) {
			sleep_ms(1);
			return;
		}
		record = list[i]->launch.record;
		words[n++] = (struct kernel_futex_waitv){
			.value = __atomic_load_n(&record->word, __ATOMIC_ACQUIRE),
			.address = (uintptr_t)&record->word,
			.flags = KERNEL_FUTEX_32,
		};
	}
	sys2(SYS_clock_gettime, 1 /* CLOCK_MONOTONIC */, (long)&until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	if (sys5(SYS_futex_waitv, (long)words, n, 0, (long)&until, 1) == -ENOSYS)
		sleep_ms(1);
}

static bool has_any(struct ramet_launching *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (list[i])
			return true;
	return false;
}

int ramet_launch_dispatch(struct ramet_launching **list, size_t count, int timeout_ms,
			  ramet_launched *done, void *context)
{
	const int64_t until = time_in(timeout_ms);
	int64_t look = now_ms() + LOOK_MS;

	while (has_any(list, count)) {
		int64_t now = now_ms();
		int told = tell(list, count, now >= look, done, context);

		if (told || now >= until)
			return told;
		if (now >= look)
			look = now + LOOK_MS;
		await_change(list, count, (look < until ? look : until) - now);
	}
	return 0;
}
