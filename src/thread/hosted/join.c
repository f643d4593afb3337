/* SPDX-License-Identifier: MIT */
/*
 * Join and detach, by the C library's. Its calls of this kind are cancellation points; ramet's are
 * not, since a wait that is given up half-way would leave the thread claimed.
 */
#include "thread/hosted/hosted.h"

#include <stdlib.h>
#include <time.h>

static bool claim(struct ramet_thread *thread)
{
	return __atomic_load_n(&thread->state, __ATOMIC_RELAXED) != DETACHED &&
	       !__atomic_exchange_n(&thread->claimed, 1, __ATOMIC_ACQUIRE);
}

static struct timespec time_of(int64_t when)
{
	const int64_t at = when < 0 ? 0 : when;

	return (struct timespec){.tv_sec = at / BILLION, .tv_nsec = at % BILLION};
}

#ifdef __GLIBC__
static int join_until(pthread_t thread, enum ramet_clock clock, int64_t when, void **ret)
{
	const struct timespec time = time_of(when);

	return pthread_clockjoin_np(thread, ret, (clockid_t)clock, &time);
}
#else
/* By the other clock where there is but one: a slice at a time, as that may be set meanwhile. */
static int join_until(pthread_t thread, enum ramet_clock clock, int64_t when, void **ret)
{
	const int64_t slice = 100000000;
	struct timespec time = time_of(when);
	int64_t left = 0;
	int r;

	do {
		if (clock != RAMET_CLOCK_REALTIME) {
			left = when - ramet_clock_now(clock);
			time = time_of(ramet_clock_now(RAMET_CLOCK_REALTIME) +
				       (left < slice ? left : slice));
		}
		r = pthread_timedjoin_np(thread, ret, &time);
	} while (r == ETIMEDOUT && left > 0);
	return r;
}
#endif

/* `late` -EBUSY: do not wait. */
static int wait_for(pthread_t thread, enum ramet_clock clock, int64_t when, int late, void **ret)
{
	int cancel, r;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	if (late == -EBUSY)
		r = pthread_tryjoin_np(thread, ret);
	else if (when == RAMET_NEVER)
		r = pthread_join(thread, ret);
	else
		r = join_until(thread, clock, when, ret);
	pthread_setcancelstate(cancel, NULL);
	return -r;
}

static int join(struct ramet_thread *thread, enum ramet_clock clock, int64_t when, int late,
		void **ret_result)
{
	void *result = NULL;
	bool foreign;
	int r;

	if (thread == ramet_thread_self())
		return -EDEADLK;
	if (thread->pid != sys_getpid())
		return -ESRCH;
	if (!claim(thread))
		return -EINVAL;
	started(thread);
	foreign = thread->foreign;
	r = wait_for(thread->pthread, clock, when, late, &result);
	if (r < 0) {
		__atomic_store_n(&thread->claimed, 0, __ATOMIC_RELEASE);
		return r;
	}
	/* The record of one that ramet did not make went with it: it is not ours to look at. */
	if (!foreign) {
		if (__atomic_load_n(&thread->state, __ATOMIC_ACQUIRE) != FINISHED)
			r = -EOWNERDEAD;
		free(thread);
	}
	if (!r && ret_result)
		*ret_result = result;
	return r;
}

int ramet_thread_join(struct ramet_thread *thread, void **ret_result)
{
	return join(thread, RAMET_CLOCK_MONOTONIC, RAMET_NEVER, -ETIMEDOUT, ret_result);
}

int ramet_thread_try_join(struct ramet_thread *thread, void **ret_result)
{
	return join(thread, RAMET_CLOCK_MONOTONIC, 0, -EBUSY, ret_result);
}

int ramet_thread_join_until(struct ramet_thread *thread, enum ramet_clock clock, int64_t when,
			    void **ret_result)
{
	return join(thread, clock, when, -ETIMEDOUT, ret_result);
}

int ramet_thread_detach(struct ramet_thread *thread)
{
	pthread_t pthread;
	uint32_t state = JOINABLE;

	if (thread != ramet_thread_self() && thread->pid != sys_getpid())
		return -ESRCH;
	if (!claim(thread))
		return -EINVAL;
	started(thread);
	pthread = thread->pthread; /* its record may be gone after the next step */
	if (__atomic_compare_exchange_n(&thread->state, &state, DETACHED, false, __ATOMIC_ACQ_REL,
					__ATOMIC_ACQUIRE))
		return -pthread_detach(pthread);
	/* It is on its way out: this does not last. */
	wait_for(pthread, RAMET_CLOCK_MONOTONIC, RAMET_NEVER, -ETIMEDOUT, NULL);
	free(thread);
	return 0;
}
