/* SPDX-License-Identifier: MIT */
/*
 * The face of threads_shim.h for the C library's threads.h: C11's words, of POSIX none. There is
 * nothing here that C11 has not, so a test that needs more is not compiled for it.
 */
#ifndef RAMET_TESTS_LIB_THREADS_SHIM_C11_H
#define RAMET_TESTS_LIB_THREADS_SHIM_C11_H

#include <threads.h>

typedef int t_clock;
typedef thrd_t t_thread;
typedef mtx_t t_mutex;
typedef cnd_t t_cond;
typedef once_flag t_once;
typedef tss_t t_key;

#define T_REALTIME TIME_UTC
#define T_CLOCKS 1
#define T_ALL_CLOCKS                                                                               \
	{                                                                                          \
		T_REALTIME                                                                         \
	}
#define T_ONCE ONCE_FLAG_INIT
#define T_ROUNDS TSS_DTOR_ITERATIONS
/* C11 names no number; it is the C library's other keys. */
#define T_KEYS PTHREAD_KEYS_MAX

/* An error that has no reason. */
#define T_ERROR (-EIO)
#define T_NO_KEY T_ERROR
/* What of a result comes through: an int. */
#define T_RESULT(pointer) ((void *)(intptr_t)(int)(intptr_t)(pointer))

static inline int t_result(int r)
{
	switch (r) {
	case thrd_success:
		return 0;
	case thrd_busy:
		return -EBUSY;
	case thrd_timedout:
		return -ETIMEDOUT;
	case thrd_nomem:
		return -ENOMEM;
	case thrd_error:
		return T_ERROR;
	}
	return INT_MIN; /* no result of C11's, nor what any test wants */
}

static inline int64_t t_now(t_clock clock)
{
	struct timespec now = {.tv_sec = 0};

	if (timespec_get(&now, clock) != clock)
		__builtin_trap();
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* Deadlines are of TIME_UTC, so there is no clock to say. */
static inline const struct timespec *t_time(t_clock clock, int64_t when)
{
	static _Thread_local struct timespec time;

	(void)clock;
	time = (struct timespec){.tv_sec = when / 1000000000, .tv_nsec = when % 1000000000};
	return &time;
}

/* A body gives an int. */
struct t_body {
	void *(*fn)(void *);
	void *arg;
};

static inline int t_run(void *arg)
{
	const struct t_body body = *(struct t_body *)arg;

	free(arg);
	return (int)(intptr_t)body.fn(body.arg);
}

static inline int t_create(t_thread *ret, void *(*fn)(void *), void *arg)
{
	struct t_body *const body = malloc(sizeof(*body));
	int r;

	if (!body)
		return -ENOMEM;
	*body = (struct t_body){fn, arg};
	r = thrd_create(ret, t_run, body);
	if (r != thrd_success)
		free(body);
	return t_result(r);
}

static inline int t_join(t_thread thread, void **ret)
{
	int result;
	const int r = thrd_join(thread, ret ? &result : NULL);

	if (r == thrd_success && ret)
		*ret = (void *)(intptr_t)result;
	return t_result(r);
}
#define t_detach(thread) t_result(thrd_detach(thread))
#define t_exit(result) thrd_exit((int)(intptr_t)(result))
#define t_self() thrd_current()
#define t_equal(a, b) thrd_equal(a, b)
#define t_yield() thrd_yield()

static inline void t_mutex_init(t_mutex *mutex, enum t_kind kind)
{
	static const int kinds[] = {
		[T_PLAIN] = mtx_plain,
		[T_PLAIN_RECURSIVE] = mtx_plain | mtx_recursive,
		[T_NORMAL] = mtx_timed,
		[T_RECURSIVE] = mtx_timed | mtx_recursive,
	};

	if (mtx_init(mutex, kinds[kind]) != thrd_success)
		__builtin_trap();
}
#define t_mutex_lock(m) t_result(mtx_lock(m))
#define t_mutex_try(m) t_result(mtx_trylock(m))
#define t_mutex_until(m, clock, when) t_result(mtx_timedlock(m, t_time(clock, when)))
#define t_mutex_unlock(m) t_result(mtx_unlock(m))
#define t_mutex_destroy(m) mtx_destroy(m)

static inline void t_cond_init(t_cond *cond)
{
	if (cnd_init(cond) != thrd_success)
		__builtin_trap();
}
#define t_cond_wait(c, m) t_result(cnd_wait(c, m))
#define t_cond_until(c, m, clock, when) t_result(cnd_timedwait(c, m, t_time(clock, when)))
#define t_cond_signal(c) t_result(cnd_signal(c))
#define t_cond_broadcast(c) t_result(cnd_broadcast(c))
#define t_cond_destroy(c) cnd_destroy(c)

#define t_call_once(once, fn) call_once(once, fn)

#define t_key_create(destructor, ret) t_result(tss_create(ret, destructor))
#define t_key_delete(key) tss_delete(key)
#define t_key_set(key, value) t_result(tss_set(key, value))
#define t_key_get(key) tss_get(key)

static inline void sleep_ns(int64_t ns)
{
	const struct timespec time = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};

	thrd_sleep(&time, NULL);
}

#endif
