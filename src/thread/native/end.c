/* SPDX-License-Identifier: MIT */
/*
 * A thread's end, and who frees what it had. The thread says FINISHED, or finds DETACHED, by one
 * atomic step. In the first case whoever joins waits for the kernel to clear .alive, which is
 * when the thread no longer touches its memory, and frees. In the second the thread leaves its
 * memory to the next one that is created, which looks at the same word, or, when enough is kept,
 * unmaps it by its last two instructions; but one with a PID of its own leaves that to who reaps
 * it. A thread that is killed alone, or ends by a raw call, says nothing: its word alone tells.
 */
#include "thread/native/native.h"
#include "thread/sync/futex.h"

#define SIG_SETMASK_ 2
#define WAIT_NOHANG 1
#define WAIT_EXITED 4
#define WAIT_NOWAIT 0x01000000

static void leave(struct ramet_thread *thread) __attribute__((noreturn));

static void leave(struct ramet_thread *thread)
{
	const uint64_t every = ~0ULL;

	/* The main thread's is the kernel's and the program's own. */
	if (!thread->map || thread_is_process(thread) || stack_leave(thread))
		sys_exit(0);
	/* Without a stack no handler may run; and the word to be cleared is another's by then. */
	sys_sigprocmask(SIG_SETMASK_, &every, NULL);
	sys1(SYS_set_tid_address, 0);
	arch_unmap_exit(thread->map, thread->map_size);
}

void thread_finish(struct ramet_thread *thread, void *result)
{
	uint32_t state = JOINABLE;

	keys_destroy(&thread->values);
	thread->result = result;
	if (__atomic_compare_exchange_n(&thread->state, &state, FINISHED, false, __ATOMIC_ACQ_REL,
					__ATOMIC_ACQUIRE))
		sys_exit(0);
	leave(thread);
}

void ramet_thread_exit(void *result)
{
	thread_finish(self(), result);
}

long thread_await(const struct ramet_thread *thread, enum ramet_clock clock, int64_t when)
{
	uint32_t alive;

	/* Not the private kind: the kernel's own waking is not. */
	while ((alive = __atomic_load_n(&thread->alive, __ATOMIC_ACQUIRE)))
		if (futex_wait_kind(&thread->alive, alive, 0, clock, when) == -ETIMEDOUT)
			return -ETIMEDOUT;
	return 0;
}

/*
 * exec clears the word as well, and the program may run for ever. It is known by its exit signal,
 * which has become SIGCHLD; one that had that from the start may have gone that way.
 */
static bool may_have_execed(const struct ramet_thread *thread)
{
	const int look = WAIT_EXITED | WAIT_NOHANG | WAIT_NOWAIT | (int)KERNEL_WCLONE;

	return __atomic_load_n(&thread->state, __ATOMIC_ACQUIRE) != FINISHED &&
	       sys_waitid(KERNEL_P_PID, (int)thread->tid, NULL, look, NULL) == -ECHILD;
}

/*
 * Its zombie, and whether there is none left. It is about to be one, if it is not, and is waited
 * for, but for what may last: another program, or threads that it leaves behind.
 */
static bool reap(const struct ramet_thread *thread)
{
	const bool lasts = thread->has_threads || may_have_execed(thread);
	long r;

	do
		r = sys_wait4((int)thread->tid, NULL, KERNEL_WALL | (lasts ? WAIT_NOHANG : 0),
			      NULL);
	while (r == -EINTR);
	return r > 0 || (r < 0 && thread->maker_pid == sys_getpid());
}

void thread_free(struct ramet_thread *thread)
{
	if (!thread->map)
		return;
	if (!thread->tid || !thread_is_process(thread) || reap(thread))
		stack_put(thread);
	else
		stack_put_unreaped(thread);
}

static bool claim(struct ramet_thread *thread)
{
	return __atomic_load_n(&thread->state, __ATOMIC_RELAXED) != DETACHED &&
	       !__atomic_exchange_n(&thread->claimed, 1, __ATOMIC_ACQUIRE);
}

/* `when` may be before all time: try. */
static int join(struct ramet_thread *thread, enum ramet_clock clock, int64_t when, int late,
		void **ret_result)
{
	void *result;
	int r = 0;

	if (thread == self())
		return -EDEADLK;
	if (is_elsewhere(thread))
		return -ESRCH;
	if (!claim(thread))
		return -EINVAL;
	if (thread_await(thread, clock, when) < 0) {
		__atomic_store_n(&thread->claimed, 0, __ATOMIC_RELEASE);
		return late;
	}
	/* The kernel's clearing is no release of what the thread wrote before; its last step is. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (__atomic_load_n(&thread->state, __ATOMIC_ACQUIRE) != FINISHED)
		r = -EOWNERDEAD;
	result = thread->result;
	thread_free(thread);
	if (!r && ret_result)
		*ret_result = result;
	return r;
}

int ramet_thread_join(struct ramet_thread *thread, void **ret_result)
{
	return join(thread, RAMET_CLOCK_MONOTONIC, RAMET_NEVER, 0, ret_result);
}

int ramet_thread_try_join(struct ramet_thread *thread, void **ret_result)
{
	/* Without asking the kernel, if it runs. */
	if (thread != self() && !is_elsewhere(thread) &&
	    __atomic_load_n(&thread->alive, __ATOMIC_ACQUIRE) &&
	    __atomic_load_n(&thread->state, __ATOMIC_RELAXED) != DETACHED)
		return -EBUSY;
	return join(thread, RAMET_CLOCK_MONOTONIC, 0, -EBUSY, ret_result);
}

int ramet_thread_join_until(struct ramet_thread *thread, enum ramet_clock clock, int64_t when,
			    void **ret_result)
{
	return join(thread, clock, when, -ETIMEDOUT, ret_result);
}

int ramet_thread_detach(struct ramet_thread *thread)
{
	const bool is_process = thread_is_process(thread);
	uint32_t state = JOINABLE;

	if (is_elsewhere(thread))
		return -ESRCH;
	if (!claim(thread))
		return -EINVAL;
	/* Of one that is gone nobody else will free anything, whether it said so or not. */
	if (__atomic_load_n(&thread->alive, __ATOMIC_ACQUIRE) &&
	    __atomic_compare_exchange_n(&thread->state, &state, DETACHED, false, __ATOMIC_ACQ_REL,
					__ATOMIC_ACQUIRE)) {
		if (is_process)
			stack_put_unreaped(thread);
		return 0;
	}
	/* It was on its way out already: this does not last. */
	thread_await(thread, RAMET_CLOCK_MONOTONIC, RAMET_NEVER);
	thread_free(thread);
	return 0;
}
