/* SPDX-License-Identifier: MIT */
/*
 * One face for threads of ramet and of the C library, so that one test asks both what its meaning
 * is. AGAINST_LIBC: pthread.h and semaphore.h; AGAINST_C11: threads.h, in threads_shim_c11.h;
 * AGAINST_NATIVE: libramet-rt, without a C library; else libramet. Results are 0 or -errno
 * everywhere. Thin on purpose: nothing is mended here.
 */
#ifndef RAMET_TESTS_LIB_THREADS_SHIM_H
#define RAMET_TESTS_LIB_THREADS_SHIM_H

#ifdef AGAINST_NATIVE
#include "../native/tap.h"
#define is_int(got, want, name) is((int64_t)(got), (want), (name))
#else
#include <errno.h>
#include <limits.h>
#ifndef AGAINST_C11
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <unistd.h>
#endif
#include <time.h>

#include "tap.h"
#define MS 1000000LL
#define SIGUSR1_ SIGUSR1
#endif

/* Those called plain are as their initialisers make them, or without deadlines in C11. */
enum t_kind {
	T_PLAIN,
	T_PLAIN_RECURSIVE,
	T_NORMAL,
	T_RECURSIVE,
#ifndef AGAINST_C11
	T_CHECKED,
#endif
	T_KINDS,
};

#ifdef AGAINST_C11
#include "threads_shim_c11.h"
#else
#define T_CLOCKS 2
#define T_ALL_CLOCKS                                                                               \
	{                                                                                          \
		T_MONOTONIC, T_REALTIME                                                            \
	}
#define T_RESULT(pointer) (pointer)
#define T_NO_KEY (-EAGAIN)
#endif

#ifdef AGAINST_LIBC

typedef clockid_t t_clock;
typedef pthread_t t_thread;
typedef pthread_mutex_t t_mutex;
typedef pthread_cond_t t_cond;
typedef sem_t t_sem;
typedef pthread_rwlock_t t_rwlock;
typedef pthread_barrier_t t_barrier;
typedef pthread_once_t t_once;
typedef pthread_key_t t_key;

#define T_MONOTONIC CLOCK_MONOTONIC
#define T_REALTIME CLOCK_REALTIME
#define T_SERIAL PTHREAD_BARRIER_SERIAL_THREAD
#define T_ONCE PTHREAD_ONCE_INIT
#define T_KEYS PTHREAD_KEYS_MAX
#define T_ROUNDS PTHREAD_DESTRUCTOR_ITERATIONS
#define T_SEM_MAX SEM_VALUE_MAX

static inline int64_t t_now(t_clock clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static inline const struct timespec *t_time(int64_t when)
{
	static _Thread_local struct timespec time;

	time = (struct timespec){.tv_sec = when / 1000000000, .tv_nsec = when % 1000000000};
	return &time;
}

static inline int t_errno(int r)
{
	return r < 0 ? -errno : r;
}

static inline int t_negative(int r)
{
	return -r;
}

static inline int t_create(t_thread *ret, void *(*fn)(void *), void *arg)
{
	return -pthread_create(ret, NULL, fn, arg);
}
#define t_join(thread, ret) t_negative(pthread_join(thread, ret))
#define t_try_join(thread, ret) t_negative(pthread_tryjoin_np(thread, ret))
#define t_join_until(thread, clock, when, ret)                                                     \
	t_negative(pthread_clockjoin_np(thread, ret, clock, t_time(when)))
#define t_detach(thread) t_negative(pthread_detach(thread))
#define t_exit(result) pthread_exit(result)
#define t_self() pthread_self()
#define t_equal(a, b) pthread_equal(a, b)
#define t_yield() sched_yield()
#define t_kill(thread, sig) t_negative(pthread_kill(thread, sig))

static inline void t_mutex_init(t_mutex *mutex, enum t_kind kind)
{
	static const t_mutex plain = PTHREAD_MUTEX_INITIALIZER,
			     plain_recursive = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
	static const int kinds[] = {[T_NORMAL] = PTHREAD_MUTEX_NORMAL,
				    [T_RECURSIVE] = PTHREAD_MUTEX_RECURSIVE,
				    [T_CHECKED] = PTHREAD_MUTEX_ERRORCHECK};
	pthread_mutexattr_t attr;

	if (kind == T_PLAIN || kind == T_PLAIN_RECURSIVE) {
		*mutex = kind == T_PLAIN ? plain : plain_recursive;
		return;
	}
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, kinds[kind]);
	pthread_mutex_init(mutex, &attr);
	pthread_mutexattr_destroy(&attr);
}
#define t_mutex_lock(m) t_negative(pthread_mutex_lock(m))
#define t_mutex_try(m) t_negative(pthread_mutex_trylock(m))
#define t_mutex_until(m, clock, when) t_negative(pthread_mutex_clocklock(m, clock, t_time(when)))
#define t_mutex_unlock(m) t_negative(pthread_mutex_unlock(m))
#define t_mutex_destroy(m) pthread_mutex_destroy(m)

#define t_cond_init(c) pthread_cond_init(c, NULL)
#define t_cond_wait(c, m) t_negative(pthread_cond_wait(c, m))
#define t_cond_until(c, m, clock, when)                                                            \
	t_negative(pthread_cond_clockwait(c, m, clock, t_time(when)))
#define t_cond_signal(c) t_negative(pthread_cond_signal(c))
#define t_cond_broadcast(c) t_negative(pthread_cond_broadcast(c))
#define t_cond_destroy(c) pthread_cond_destroy(c)

#define t_sem_init(s, value) t_errno(sem_init(s, 0, value))
#define t_sem_wait(s) t_errno(sem_wait(s))
#define t_sem_try(s) t_errno(sem_trywait(s))
#define t_sem_until(s, clock, when) t_errno(sem_clockwait(s, clock, t_time(when)))
#define t_sem_post(s) t_errno(sem_post(s))
static inline int t_sem_value(t_sem *sem)
{
	int value = -1;

	sem_getvalue(sem, &value);
	return value;
}

#define t_rwlock_init(l) pthread_rwlock_init(l, NULL)
#define t_read(l) t_negative(pthread_rwlock_rdlock(l))
#define t_try_read(l) t_negative(pthread_rwlock_tryrdlock(l))
#define t_read_until(l, clock, when) t_negative(pthread_rwlock_clockrdlock(l, clock, t_time(when)))
#define t_read_unlock(l) t_negative(pthread_rwlock_unlock(l))
#define t_write(l) t_negative(pthread_rwlock_wrlock(l))
#define t_try_write(l) t_negative(pthread_rwlock_trywrlock(l))
#define t_write_until(l, clock, when) t_negative(pthread_rwlock_clockwrlock(l, clock, t_time(when)))
#define t_write_unlock(l) t_negative(pthread_rwlock_unlock(l))

#define t_barrier_init(b, count) t_negative(pthread_barrier_init(b, NULL, count))
#define t_barrier_wait(b) pthread_barrier_wait(b)
#define t_barrier_destroy(b) pthread_barrier_destroy(b)

#define t_call_once(once, fn) pthread_once(once, fn)

#define t_key_create(destructor, ret) t_negative(pthread_key_create(ret, destructor))
#define t_key_delete(key) t_negative(pthread_key_delete(key))
#define t_key_set(key, value) t_negative(pthread_setspecific(key, value))
#define t_key_get(key) pthread_getspecific(key)

#elif !defined(AGAINST_C11) /* ramet's own */

#include <ramet/thread.h>

typedef enum ramet_clock t_clock;
typedef struct ramet_thread *t_thread;
typedef struct ramet_mutex t_mutex;
typedef struct ramet_cond t_cond;
typedef struct ramet_sem t_sem;
typedef struct ramet_rwlock t_rwlock;
typedef struct ramet_barrier t_barrier;
typedef struct ramet_once t_once;
typedef uint32_t t_key;

#define T_MONOTONIC RAMET_CLOCK_MONOTONIC
#define T_REALTIME RAMET_CLOCK_REALTIME
#define T_SERIAL RAMET_BARRIER_SERIAL
#define T_ONCE RAMET_ONCE_INIT
#define T_KEYS RAMET_KEYS_MAX
#define T_ROUNDS RAMET_KEY_ROUNDS
#define T_SEM_MAX RAMET_SEM_MAX

#define t_now(clock) ramet_clock_now(clock)

static inline int t_create(t_thread *ret, void *(*fn)(void *), void *arg)
{
	return ramet_thread_create(NULL, fn, arg, ret);
}
#define t_join(thread, ret) ramet_thread_join(thread, ret)
#define t_try_join(thread, ret) ramet_thread_try_join(thread, ret)
#define t_join_until(thread, clock, when, ret) ramet_thread_join_until(thread, clock, when, ret)
#define t_detach(thread) ramet_thread_detach(thread)
#define t_exit(result) ramet_thread_exit(result)
#define t_self() ramet_thread_self()
#define t_equal(a, b) ((a) == (b))
#define t_yield() ramet_thread_yield()
#define t_kill(thread, sig) ramet_thread_kill(thread, sig)

static inline void t_mutex_init(t_mutex *mutex, enum t_kind kind)
{
	static const t_mutex kinds[] = {
		[T_PLAIN] = {.word = 0}, /* and so all zero */
		[T_PLAIN_RECURSIVE] = {.kind = RAMET_MUTEX_RECURSIVE},
		[T_NORMAL] = RAMET_MUTEX_INIT,
		[T_RECURSIVE] = RAMET_MUTEX_RECURSIVE_INIT,
		[T_CHECKED] = RAMET_MUTEX_ERRORCHECK_INIT,
	};

	*mutex = kinds[kind];
}
#define t_mutex_lock(m) ramet_mutex_lock(m)
#define t_mutex_try(m) ramet_mutex_try_lock(m)
#define t_mutex_until(m, clock, when) ramet_mutex_lock_until(m, clock, when)
#define t_mutex_unlock(m) ramet_mutex_unlock(m)
#define t_mutex_destroy(m) ((void)(m))

#define t_cond_init(c) ((void)(*(c) = (t_cond)RAMET_COND_INIT))
#define t_cond_wait(c, m) ramet_cond_wait(c, m)
#define t_cond_until(c, m, clock, when) ramet_cond_wait_until(c, m, clock, when)
#define t_cond_signal(c) ramet_cond_signal(c)
#define t_cond_broadcast(c) ramet_cond_broadcast(c)
#define t_cond_destroy(c) ((void)(c))

#define t_sem_init(s, value) ramet_sem_init(s, value)
#define t_sem_wait(s) ramet_sem_wait(s)
#define t_sem_try(s) ramet_sem_try_wait(s)
#define t_sem_until(s, clock, when) ramet_sem_wait_until(s, clock, when)
#define t_sem_post(s) ramet_sem_post(s)
#define t_sem_value(s) ((int)ramet_sem_value(s))

#define t_rwlock_init(l) ((void)(*(l) = (t_rwlock)RAMET_RWLOCK_INIT))
#define t_read(l) ramet_rwlock_read(l)
#define t_try_read(l) ramet_rwlock_try_read(l)
#define t_read_until(l, clock, when) ramet_rwlock_read_until(l, clock, when)
#define t_read_unlock(l) ramet_rwlock_read_unlock(l)
#define t_write(l) ramet_rwlock_write(l)
#define t_try_write(l) ramet_rwlock_try_write(l)
#define t_write_until(l, clock, when) ramet_rwlock_write_until(l, clock, when)
#define t_write_unlock(l) ramet_rwlock_write_unlock(l)

#define t_barrier_init(b, count) ramet_barrier_init(b, count)
#define t_barrier_wait(b) ramet_barrier_wait(b)
#define t_barrier_destroy(b) ramet_barrier_destroy(b)

#define t_call_once(once, fn) ramet_once(once, fn)

#define t_key_create(destructor, ret) ramet_key_create(destructor, ret)
#define t_key_delete(key) ramet_key_delete(key)
#define t_key_set(key, value) ramet_key_set(key, value)
#define t_key_get(key) ramet_key_get(key)

#endif

#if !defined(AGAINST_NATIVE) && !defined(AGAINST_C11)
static inline void sleep_ns(int64_t ns)
{
	const struct timespec time = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};

	clock_nanosleep(CLOCK_MONOTONIC, 0, &time, NULL);
}

static inline void handle(int sig, unsigned long flags, void (*handler)(int))
{
	struct sigaction action = {.sa_handler = handler, .sa_flags = (int)flags};

	sigaction(sig, &action, NULL);
}
#endif

#endif
