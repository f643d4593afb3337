/* SPDX-License-Identifier: MIT */
/*
 * libramet-rt's inside: a thread's record and who makes, finds and frees it.
 *
 *	start.c    _start's C half, the main thread, the end of the process
 *	tls.c      the block of _Thread_local variables in a thread's memory
 *	stack.c    memory of threads: made, kept for the next one, given back
 *	create.c   the clone call and the new thread's first steps
 *	end.c      a thread's last steps, and join and detach
 *	own.c      name, processors, signals and the like of a thread
 *	keys.c     values under keys
 *	mem.c      what compilers call of themselves
 */
#ifndef RAMET_THREAD_NATIVE_H
#define RAMET_THREAD_NATIVE_H

#include <errno.h>
#include <stdbool.h>

#include <ramet/thread.h>

#include "arch/thread.h"
#include "base/sys.h"
#include "thread/sync/keys.h"
#include "uapi/clone.h"

/* Of ramet_thread.state. Both sides leave JOINABLE by one atomic step; who loses frees. */
enum {
	JOINABLE = 0,
	DETACHED, /* frees its memory itself */
	FINISHED, /* whoever joins or detaches it frees it */
};

/* Of ramet_thread.alive. */
enum {
	GONE = 0,
	STARTING,
	READY, /* its creator may go on: only where that waits */
};

/*
 * One mapping: guard, stack, and on top block and record, in the processor's order. All but .map,
 * .map_size and .guard_size is zero for a new thread, though the memory is not.
 */
struct ramet_thread {
	struct arch_tcb head;

	/* Not 0 from before the clone call on; the kernel clears it, waking one waiter by a futex
	 * that is not private, when the thread will not touch its memory again. */
	uint32_t alive;
	uint32_t tid; /* the kernel writes it before the thread runs */
	uint32_t state;
	uint32_t claimed; /* by who joins or detaches */
	int error;	  /* of what it did before .alive was READY */
	int maker_pid;	  /* of the process that reaps it, if it has a PID of its own */
	uint32_t forks;	  /* of the process it is in */
	bool has_threads; /* it, with a PID of its own, has made some that share it */
	uint64_t flags;
	uint64_t mask;
	void *(*fn)(void *);
	void *arg;
	void *result;
	const struct ramet_thread_attr *attr; /* until .alive is READY */

	void *map;
	size_t map_size, guard_size;
	struct ramet_thread *next; /* kept memory */

	struct key_values values;
} __attribute__((aligned(64)));

/* ---- tls.c ---- */

/* Where the kernel says the program's headers are. */
void tls_find(const void *headers, size_t count, size_t size);
/* Bytes needed on top of a stack for block and record, wherever the memory begins. */
size_t tls_size(void);
/* The record's place in memory that ends at `top`; the stack begins at *ret_stack. */
struct ramet_thread *tls_place(uintptr_t top, uintptr_t *ret_stack);
/* Fresh block and record; `clean`: the memory is all zero but for map, map_size, guard_size. */
void tls_fill(struct ramet_thread *thread, bool clean);
uintptr_t tls_pointer(const struct ramet_thread *thread);

/* The name is the compilers': where it is no word of the thread's they read it. */
extern uintptr_t __stack_chk_guard;

/* The calling thread's record. */
static inline struct ramet_thread *self(void)
{
	const uintptr_t tp = arch_tp();

	if (!ARCH_TCB_BELOW)
		return (struct ramet_thread *)tp;
	return (struct ramet_thread *)((tp & -(uintptr_t)64) - sizeof(struct ramet_thread));
}

/* ---- start.c ---- */

/* How often this process is a copy of another: what was made in those is not here. */
extern uint32_t process_forks;

/* Its handle is a copy; the thread is another process's. */
static inline bool is_elsewhere(const struct ramet_thread *thread)
{
	return thread->forks != process_forks;
}

/* ---- stack.c ---- */

extern size_t page_size;

/* Memory for a thread, its record filled; the stack pointer to begin with. Or -errno. */
int stack_get(size_t stack_size, size_t guard_size, struct ramet_thread **ret_thread,
	      uintptr_t *ret_stack);
/* In a copy of the process: nothing is kept. */
void stack_forget(void);
/* The memory of a thread that has ended or never began. */
void stack_put(struct ramet_thread *thread);
/*
 * The calling thread's own memory, to be used again once the kernel has cleared .alive. False:
 * there is enough already.
 */
bool stack_leave(struct ramet_thread *thread);
/* That of one with a PID of its own that nobody will join: until it has ended and is reaped. */
void stack_put_unreaped(struct ramet_thread *thread);

/* ---- end.c ---- */

void thread_finish(struct ramet_thread *thread, void *result) __attribute__((noreturn));
/* Wait until it is GONE: 0 or -ETIMEDOUT. */
long thread_await(const struct ramet_thread *thread, enum ramet_clock clock, int64_t when);
void thread_free(struct ramet_thread *thread);

/* Its own PID, so that somebody must reap it. */
static inline bool thread_is_process(const struct ramet_thread *thread)
{
	return !(thread->flags & CLONE_THREAD);
}

#endif
