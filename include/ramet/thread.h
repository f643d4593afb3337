/* SPDX-License-Identifier: MIT */
/*
 * ramet threads: tasks that share, and what they wait for each other with. One header, two
 * machines: a program without a C library links libramet-rt, one with a C library libramet. The
 * names and what they mean are the same; what only one of them has says so.
 *
 *	static void *body(void *arg) { ... return result; }
 *
 *	struct ramet_thread *thread;
 *	void *result;
 *	int r = ramet_thread_create(NULL, body, arg, &thread);
 *	if (!r)
 *		r = ramet_thread_join(thread, &result);
 *
 * Every function that returns int returns 0 or more, or -errno. Results come last, may be NULL
 * where it says so, and are not written on failure. What is all zero is initialised: a mutex, a
 * condition variable, a once, a read-write lock; RAMET_..._INIT say the same in words. A signal
 * that a handler took never ends a wait. Nothing here may be called from a signal handler but
 * ramet_sem_post() and ramet_thread_self(). Nothing may be shared between processes that do not
 * share memory, and nothing of a C library is needed by this header.
 *
 * Deadlines are absolute: a clock and its time in nanoseconds; RAMET_NEVER waits for ever. One in
 * the past is -ETIMEDOUT only if what is waited for is not there already.
 */
#ifndef RAMET_THREAD_H
#define RAMET_THREAD_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define RAMET_API __attribute__((visibility("default")))
#define RAMET_MUST_CHECK __attribute__((warn_unused_result))
#define RAMET_NONNULL(...) __attribute__((nonnull(__VA_ARGS__)))

/* ---- Time --------------------------------------------------------------------------------- */

enum ramet_clock {
	RAMET_CLOCK_REALTIME = 0,  /* since 1970; jumps when it is set, and deadlines with it */
	RAMET_CLOCK_MONOTONIC = 1, /* since boot; only forward */
};

#define RAMET_NEVER INT64_MAX

/* What that clock says now, in nanoseconds. */
RAMET_API int64_t ramet_clock_now(enum ramet_clock clock);

/* ---- Threads ------------------------------------------------------------------------------ */

struct ramet_thread;
struct ramet_step;
struct ramet_error;

/*
 * Flag words of clone for .flags. Memory must be shared, and the library adds SETTLS,
 * PARENT_SETTID and CHILD_CLEARTID of itself. What is between these two is as legal as the kernel
 * says: RAMET_THREAD_NPTL & ~0x400 is a thread with a descriptor table of its own.
 *
 * In libramet the C library makes the thread, which then parts from what the word leaves out or
 * makes new, before fn: FILES, FS, SYSVSEM, and the namespaces mnt, net, uts, ipc, cgroup, pid and
 * time (these two for its children). VM, SIGHAND, THREAD must be in it and CLONE_NEWUSER not: -EINVAL.
 */
#define RAMET_THREAD_NPTL 0x3d0f00ULL	      /* VM FS FILES SIGHAND THREAD SYSVSEM: one process */
#define RAMET_THREAD_LINUXTHREADS 0x280f00ULL /* VM FS FILES SIGHAND: each its own PID */

enum ramet_thread_option {
	RAMET_THREAD_DETACHED = 1 << 0, /* nobody will join it */
	RAMET_THREAD_NO_GUARD = 1 << 1, /* no guard page below the stack */
	RAMET_THREAD_MASK = 1 << 2,	/* .mask counts; else it has the creator's mask */
};

/* All zero, or NULL instead of it: an NPTL thread, 256 KiB of stack, a guard page. */
struct ramet_thread_attr {
	size_t size;	  /* of this struct; RAMET_THREAD_ATTR() says it */
	uint64_t flags;	  /* 0: RAMET_THREAD_NPTL */
	uint32_t options; /* enum ramet_thread_option */

	/* A thread with its own PID: sent to its creator at its end. 0: none. Beware of one whose
	 * default is to end the process. A wait for it needs __WCLONE unless it is SIGCHLD. */
	int exit_signal;
	int death_signal;  /* sent to it when the thread that created it ends; 0: none */
	size_t stack_size; /* usable bytes, thread-local variables apart; 0: 256 KiB */
	size_t guard_size; /* 0: a page; rounded up to pages */
	uint64_t mask;	   /* blocked signals, bit N-1 is signal N, with RAMET_THREAD_MASK */
	const char *name;  /* up to 15 bytes are kept; NULL: the creator's */

	const unsigned long *cpus; /* processors it may run on, one bit each; NULL: the creator's */
	size_t cpus_size;	   /* bytes there */

	/* libramet only; both are of <ramet/ramet.h>. */
	const struct ramet_step *steps; /* what it does before fn, ended by RAMET_STEP_END */
	struct ramet_error *error;	/* where create says why it failed; NULL: nowhere */
};

#define RAMET_THREAD_ATTR(...)                                                                     \
	((struct ramet_thread_attr){.size = sizeof(struct ramet_thread_attr), __VA_ARGS__})

/*
 * Start a thread that runs fn(arg). Its variables of storage class _Thread_local are fresh.
 * ret_thread may be NULL for a detached one, whose handle is good only while it certainly runs.
 * It may be running before ret_thread is written: inside it, use ramet_thread_self().
 * -EINVAL: flags that do not share memory, or that the kernel refuses; -EAGAIN, -ENOMEM: limits;
 * else what the kernel said of .cpus, or a step. Where it fails no thread has run fn, and none is
 * left.
 */
RAMET_API RAMET_MUST_CHECK RAMET_NONNULL(2) int ramet_thread_create(
	const struct ramet_thread_attr *attr, void *(*fn)(void *), void *arg,
	struct ramet_thread **ret_thread);

/*
 * Wait for its end, once; then the handle is gone. ret_result may be NULL.
 * -EINVAL: detached, or somebody else joins it; -EDEADLK: oneself; -EOWNERDEAD: it has ended, and
 * the handle is gone, but it never came to a result: killed alone (own PID) or by a raw exit.
 * try: -EBUSY if it runs. until: -ETIMEDOUT if it runs still; it can then be joined again.
 * A thread with its own PID is reaped here if its creator's process is the caller's, else when
 * that process next creates a thread or ends.
 */
RAMET_API int ramet_thread_join(struct ramet_thread *thread, void **ret_result);
RAMET_API RAMET_MUST_CHECK int ramet_thread_try_join(struct ramet_thread *thread,
						     void **ret_result);
RAMET_API RAMET_MUST_CHECK int ramet_thread_join_until(struct ramet_thread *thread,
						       enum ramet_clock clock, int64_t when,
						       void **ret_result);

/* Nobody will join it: it frees what it has when it ends. -EINVAL: already so, or being joined. */
RAMET_API int ramet_thread_detach(struct ramet_thread *thread);

/*
 * End the calling thread: the destructors of its keys are run, then whoever joins has `result`.
 * In the main thread too: the process goes on until its last thread ends, with status 0 then.
 */
RAMET_API void ramet_thread_exit(void *result) __attribute__((noreturn));

/*
 * In libramet any thread has one: of a thread that the C library made it is good as long as that
 * runs. After a fork the child has its own; those of the others are -ESRCH there.
 */
RAMET_API struct ramet_thread *ramet_thread_self(void);

/* Its kernel number; -ESRCH once it has ended. */
RAMET_API int ramet_thread_tid(const struct ramet_thread *thread);

/* Let others run. */
RAMET_API void ramet_thread_yield(void);

/* Send it a signal. -ESRCH once it has ended. */
RAMET_API int ramet_thread_kill(const struct ramet_thread *thread, int sig);

/*
 * A new descriptor for it, readable when it ends. -ESRCH once it has ended, -EINVAL before
 * Linux 6.9 unless it has its own PID.
 */
RAMET_API RAMET_MUST_CHECK int ramet_thread_pidfd(const struct ramet_thread *thread);

/* What /proc and tools call it, up to 15 bytes; a longer name is -ERANGE. */
RAMET_API int ramet_thread_set_name(const struct ramet_thread *thread, const char *name);
RAMET_API int ramet_thread_get_name(const struct ramet_thread *thread, char name[16]);

/* Processors it may run on, a bit each. get: the number of bytes written. */
RAMET_API int ramet_thread_set_affinity(const struct ramet_thread *thread,
					const unsigned long *cpus, size_t size);
RAMET_API int ramet_thread_get_affinity(const struct ramet_thread *thread, unsigned long *cpus,
					size_t size);

/* Its stack, lowest usable address, and the guard below. -ENOTSUP for the main thread. */
RAMET_API int ramet_thread_stack(const struct ramet_thread *thread, void **ret_lowest,
				 size_t *ret_size, size_t *ret_guard);

/* ---- Mutex -------------------------------------------------------------------------------- */

enum ramet_mutex_kind {
	RAMET_MUTEX_NORMAL = 0,	    /* fastest; who takes it twice waits for ever */
	RAMET_MUTEX_RECURSIVE = 1,  /* its owner may take it again, and gives it back as often */
	RAMET_MUTEX_ERRORCHECK = 2, /* taken twice: -EDEADLK; given back by another: -EPERM */
};

/* To look at none of it, but that all zero is a free one of the normal kind. */
struct ramet_mutex {
	uint32_t word;	/* 0 free, 1 held, 2 held and perhaps waited for */
	uint16_t kind;	/* enum ramet_mutex_kind */
	uint16_t spins; /* how often it was worth asking again, on average */
	void *owner;	/* of the kinds that know it */
	uint32_t depth; /* how often more than once its owner has it */
};

#define RAMET_MUTEX_INIT                                                                           \
	{                                                                                          \
		0, RAMET_MUTEX_NORMAL, 0, 0, 0                                                     \
	}
#define RAMET_MUTEX_RECURSIVE_INIT                                                                 \
	{                                                                                          \
		0, RAMET_MUTEX_RECURSIVE, 0, 0, 0                                                  \
	}
#define RAMET_MUTEX_ERRORCHECK_INIT                                                                \
	{                                                                                          \
		0, RAMET_MUTEX_ERRORCHECK, 0, 0, 0                                                 \
	}

/* The slow halves of the inline functions below: not for direct use. */
RAMET_API int ramet_mutex_lock_slow(struct ramet_mutex *mutex);
RAMET_API int ramet_mutex_unlock_slow(struct ramet_mutex *mutex);

/*
 * 0; -EDEADLK (error-checking, own already), -EAGAIN (recursive, 2^32 times). Not fair: who runs
 * takes it before who sleeps. It may be thrown away as soon as nobody has it or waits for it,
 * though who gave it back has not yet returned.
 */
__attribute__((unused)) static inline int ramet_mutex_lock(struct ramet_mutex *mutex)
{
	uint32_t free_ = 0;

	if (mutex->kind == RAMET_MUTEX_NORMAL &&
	    __atomic_compare_exchange_n(&mutex->word, &free_, 1, 0, __ATOMIC_ACQUIRE,
					__ATOMIC_RELAXED))
		return 0;
	return ramet_mutex_lock_slow(mutex);
}

/* 0; -EPERM: of the kinds that know their owner, if that is not the caller. */
__attribute__((unused)) static inline int ramet_mutex_unlock(struct ramet_mutex *mutex)
{
	uint32_t held = 1;

	if (mutex->kind == RAMET_MUTEX_NORMAL &&
	    __atomic_compare_exchange_n(&mutex->word, &held, 0, 0, __ATOMIC_RELEASE,
					__ATOMIC_RELAXED))
		return 0;
	return ramet_mutex_unlock_slow(mutex);
}

/* As lock, but -EBUSY if another has it; or the caller, unless recursive. */
RAMET_API RAMET_MUST_CHECK int ramet_mutex_try_lock(struct ramet_mutex *mutex);

/* As lock, but -ETIMEDOUT. */
RAMET_API RAMET_MUST_CHECK int ramet_mutex_lock_until(struct ramet_mutex *mutex,
						      enum ramet_clock clock, int64_t when);

/* ---- Condition variable ------------------------------------------------------------------- */

struct ramet_cond {
	uint32_t lock;
	uint32_t unused;
	void *first, *last; /* who waits, the oldest first */
};

#define RAMET_COND_INIT                                                                            \
	{                                                                                          \
		0, 0, 0, 0                                                                         \
	}

/*
 * Give the mutex back, wait to be woken, take the mutex. As ever, look at the condition again:
 * the contract allows waking without a reason. The oldest waiter is woken first, and one that
 * began to wait after a signal never takes it from one that waited before. All that wait at a time
 * use one mutex.
 * A recursive mutex is given back altogether and had as deep as before after it.
 * -EPERM: a mutex that knows its owner, who is another. until: -ETIMEDOUT, with the mutex taken.
 * It may be thrown away as soon as nobody waits, though who woke the last has not yet returned.
 */
RAMET_API int ramet_cond_wait(struct ramet_cond *cond, struct ramet_mutex *mutex);
RAMET_API RAMET_MUST_CHECK int ramet_cond_wait_until(struct ramet_cond *cond,
						     struct ramet_mutex *mutex,
						     enum ramet_clock clock, int64_t when);

/* Wake one, or all, with or without having the mutex. */
RAMET_API int ramet_cond_signal(struct ramet_cond *cond);
RAMET_API int ramet_cond_broadcast(struct ramet_cond *cond);

/* ---- Semaphore ---------------------------------------------------------------------------- */

struct ramet_sem {
	uint64_t word; /* value below, number of waiters above */
} __attribute__((aligned(8)));

#define RAMET_SEM_MAX 0x7fffffffu
#define RAMET_SEM_INIT(value)                                                                      \
	{                                                                                          \
		(value)                                                                            \
	}

/* -EINVAL: more than RAMET_SEM_MAX. */
RAMET_API int ramet_sem_init(struct ramet_sem *sem, uint32_t value);
/* try: -EAGAIN at 0; until: -ETIMEDOUT. */
RAMET_API int ramet_sem_wait(struct ramet_sem *sem);
RAMET_API RAMET_MUST_CHECK int ramet_sem_try_wait(struct ramet_sem *sem);
RAMET_API RAMET_MUST_CHECK int ramet_sem_wait_until(struct ramet_sem *sem, enum ramet_clock clock,
						    int64_t when);
/* -EOVERFLOW at RAMET_SEM_MAX. It may be thrown away by who was woken at once. */
RAMET_API int ramet_sem_post(struct ramet_sem *sem);
RAMET_API uint32_t ramet_sem_value(const struct ramet_sem *sem);

/* ---- Once --------------------------------------------------------------------------------- */

struct ramet_once {
	uint32_t word;
};

#define RAMET_ONCE_INIT                                                                            \
	{                                                                                          \
		0                                                                                  \
	}

RAMET_API void ramet_once_slow(struct ramet_once *once, void (*fn)(void));

/* fn has been run, once, by whoever was first, when this returns; fn must not come back here. */
__attribute__((unused)) static inline void ramet_once(struct ramet_once *once, void (*fn)(void))
{
	if (__atomic_load_n(&once->word, __ATOMIC_ACQUIRE) != 3)
		ramet_once_slow(once, fn);
}

/* ---- Read-write lock ---------------------------------------------------------------------- */

/*
 * Readers and writers take turns: readers that come while a writer waits go after it, all that
 * came meanwhile together, before the next writer. Nobody starves. So who has it for reading must
 * not take it for reading again.
 */
struct ramet_rwlock {
	uint64_t state;
	struct ramet_mutex turn;
} __attribute__((aligned(8)));

#define RAMET_RWLOCK_INIT                                                                          \
	{                                                                                          \
		0, RAMET_MUTEX_INIT                                                                \
	}

/* -EAGAIN: 32767 readers have it or wait for it. try: -EBUSY. until: -ETIMEDOUT. */
RAMET_API int ramet_rwlock_read(struct ramet_rwlock *lock);
RAMET_API RAMET_MUST_CHECK int ramet_rwlock_try_read(struct ramet_rwlock *lock);
RAMET_API RAMET_MUST_CHECK int ramet_rwlock_read_until(struct ramet_rwlock *lock,
						       enum ramet_clock clock, int64_t when);
RAMET_API int ramet_rwlock_read_unlock(struct ramet_rwlock *lock);
RAMET_API int ramet_rwlock_write(struct ramet_rwlock *lock);
RAMET_API RAMET_MUST_CHECK int ramet_rwlock_try_write(struct ramet_rwlock *lock);
RAMET_API RAMET_MUST_CHECK int ramet_rwlock_write_until(struct ramet_rwlock *lock,
							enum ramet_clock clock, int64_t when);
RAMET_API int ramet_rwlock_write_unlock(struct ramet_rwlock *lock);

/* ---- Barrier ------------------------------------------------------------------------------ */

struct ramet_barrier {
	uint64_t word; /* round below, arrived above */
	uint32_t count;
	uint32_t inside;
} __attribute__((aligned(8)));

#define RAMET_BARRIER_SERIAL 1
/* Beside ramet_barrier_init(), for one in static memory. */
#define RAMET_BARRIER_INIT(threads)                                                                \
	{                                                                                          \
		0, (threads), 0                                                                    \
	}

/* For so many threads a round. -EINVAL: 0. */
RAMET_API int ramet_barrier_init(struct ramet_barrier *barrier, uint32_t threads);
/* Wait until all have come; RAMET_BARRIER_SERIAL in one of them, 0 in the others. */
RAMET_API int ramet_barrier_wait(struct ramet_barrier *barrier);
/* Wait until all have left it: before its memory is used for something else. */
RAMET_API void ramet_barrier_destroy(struct ramet_barrier *barrier);

/* ---- Keys --------------------------------------------------------------------------------- */

#define RAMET_KEYS_MAX 128
#define RAMET_KEY_ROUNDS 4

/*
 * A value of each thread's own under a number, for what _Thread_local cannot do: a destructor.
 * At a thread's end, for each value that is not NULL: it is set to NULL and destructor(value) is
 * run, by ascending key; again, up to RAMET_KEY_ROUNDS times in all, if values are left after it.
 * The end of the process runs none. A new key is NULL in every thread. -EAGAIN: no key is left.
 * delete runs no destructor. set, delete: -EINVAL if there is no such key; get: NULL.
 */
RAMET_API RAMET_MUST_CHECK int ramet_key_create(void (*destructor)(void *), uint32_t *ret_key);
RAMET_API int ramet_key_delete(uint32_t key);
RAMET_API RAMET_MUST_CHECK int ramet_key_set(uint32_t key, const void *value);
RAMET_API void *ramet_key_get(uint32_t key);

/* ---- Pool of parked threads --------------------------------------------------------------- */

/* All zero, or NULL instead of it: the numbers in brackets. */
struct ramet_pool_attr {
	size_t size;	  /* of this struct; RAMET_POOL_ATTR() says it */
	uint32_t threads; /* at most [4] */
	uint32_t queue;	  /* jobs that wait for a thread, at most [1024] */
	uint32_t idle_ms; /* a thread without a job so long ends [1000] */
	/* Of its threads, detached in any case. What it points to must last as long as the pool,
	 * which makes threads when it needs them; error is not used. */
	struct ramet_thread_attr thread;
};

#define RAMET_POOL_ATTR(...)                                                                       \
	((struct ramet_pool_attr){.size = sizeof(struct ramet_pool_attr), __VA_ARGS__})

/* One call of fn(arg) by some thread of the pool. The caller's, until it has been waited for. */
struct ramet_job {
	void *(*fn)(void *);
	void *arg;
	void *result;
	struct ramet_job *next;
	uint32_t word;
};

struct ramet_pool {
	uint32_t lock;
	uint32_t threads; /* alive */
	uint32_t queued;
	uint32_t closing;
	struct ramet_job *first, *last; /* waiting for a thread */
	void *idle;			/* threads waiting for a job, the warmest first */
	struct ramet_pool_attr attr;
};

/* No thread is made before there is a job. */
RAMET_API int ramet_pool_init(struct ramet_pool *pool, const struct ramet_pool_attr *attr);
/*
 * Have fn(arg) run; fn and arg of the job are the caller's to set. -EAGAIN: the queue is full;
 * -ESHUTDOWN: after ramet_pool_end(); else why no thread could be made, if there is none.
 */
RAMET_API RAMET_MUST_CHECK int ramet_pool_submit(struct ramet_pool *pool, struct ramet_job *job);
/* Wait for the job's end, from any one thread. ret_result may be NULL. until: -ETIMEDOUT. */
RAMET_API int ramet_job_wait(struct ramet_job *job, void **ret_result);
RAMET_API RAMET_MUST_CHECK int ramet_job_wait_until(struct ramet_job *job, enum ramet_clock clock,
						    int64_t when, void **ret_result);
/* Take no more jobs, do those that are there, and wait until all threads are through with it. */
RAMET_API int ramet_pool_end(struct ramet_pool *pool);

/* ---- A program without a C library: libramet-rt only ---------------------------------------- */

/*
 * The library brings _start. It sets up the main thread and calls the program's
 *
 *	int main(int argc, char **argv, char **envp);
 *
 * after the functions of .init_array, then ramet_exit() with its result. Programs are linked at a
 * fixed address: -static -nostdlib -no-pie. A program that wants to be entered otherwise defines
 * ramet_main() with the same arguments, which is weak here and calls main().
 */
RAMET_API int ramet_main(int argc, char **argv, char **envp);

/* The functions of .fini_array, the last first; then the process ends, with all its threads. */
RAMET_API void ramet_exit(int status) __attribute__((noreturn));

/* The environment as the kernel gave it, and a word of the auxiliary vector, 0 if not there. */
RAMET_API extern char **ramet_environ;
RAMET_API unsigned long ramet_auxval(unsigned long type);

/*
 * First thing in a copy of the process, made by clone or fork: the calling thread is the copy's
 * only one, with a new number. Memory of the others, and that kept for new ones, is lost to it.
 */
RAMET_API void ramet_thread_forked(void);

/* Any system call; the kernel's result, -errno included. */
RAMET_API long ramet_syscall(long number, long a, long b, long c, long d, long e, long f);

#ifdef __cplusplus
}
#endif

#endif
