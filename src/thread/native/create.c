/* SPDX-License-Identifier: MIT */
/*
 * A thread's beginning. Its record, block and stack are complete before the clone call, its tid is
 * written by the kernel before it runs, so it needs nothing of its creator and a detached one may
 * be gone when the creator looks again; only where a step may be refused does the creator wait for
 * it, and it is detached after that. All signals are blocked round the call, so that no
 * handler runs in a thread before it has its mask.
 */
#include "thread/native/native.h"
#include "thread/sync/futex.h"

#define STACK_SIZE (256u << 10)
#define STACK_LEAST 2048
#define SIG_SETMASK_ 2
#define OPTIONS (RAMET_THREAD_DETACHED | RAMET_THREAD_NO_GUARD | RAMET_THREAD_MASK)
#define NOT_SAID 1 /* no -errno and not 0 */

/* What the library sets up itself, and what needs an argument that it does not pass. */
#define OWN_FLAGS (CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID)
#define REFUSED_FLAGS (CLONE_VFORK | CLONE_CHILD_SETTID | CLONE_PIDFD | CLONE_INTO_CGROUP)

static long prepare(const struct ramet_thread *thread, const struct ramet_thread_attr *attr)
{
	long r = 0, maker;

	if (attr->death_signal) {
		r = sys_prctl(KERNEL_PR_SET_PDEATHSIG, (unsigned long)attr->death_signal, 0, 0, 0);
		/* It may have been too late for that already; in a new pid namespace (0) nobody
		 * can tell. */
		maker = sys_getppid();
		if (r >= 0 && maker && !(thread->flags & CLONE_PARENT) &&
		    maker != thread->maker_pid)
			r = -EOWNERDEAD;
	}
	if (r >= 0 && attr->name)
		r = sys_prctl(KERNEL_PR_SET_NAME, (unsigned long)attr->name, 0, 0, 0);
	if (r >= 0 && attr->cpus)
		r = sys3(SYS_sched_setaffinity, 0, (long)attr->cpus_size, (long)attr->cpus);
	return r < 0 ? r : 0;
}

/* The wait for this sees the thread's end as well, so it is not of the private kind. */
static void report(struct ramet_thread *thread, long r)
{
	thread->error = (int)r;
	__atomic_store_n(&thread->alive, READY, __ATOMIC_RELEASE);
	sys_futex_wake(&thread->alive, 1);
}

static int begin(void *arg)
{
	struct ramet_thread *thread = arg;
	long r;

	if (thread->attr) {
		r = prepare(thread, thread->attr);
		report(thread, r);
		if (r < 0)
			sys_exit(0);
	}
	sys_sigprocmask(SIG_SETMASK_, &thread->mask, NULL);
	thread_finish(thread, thread->fn(thread->arg));
}

static long make(struct ramet_thread *thread, uintptr_t stack, int exit_signal)
{
	const uint64_t flags = thread->flags | OWN_FLAGS;
	const uintptr_t lowest = (uintptr_t)thread->map + thread->guard_size;
	const struct clone_args args = {
		.flags = flags,
		.child_tid = (uintptr_t)&thread->alive,
		.parent_tid = (uintptr_t)&thread->tid,
		.exit_signal = (uint64_t)exit_signal,
		.stack = lowest,
		.stack_size = stack - lowest,
		.tls = tls_pointer(thread),
	};
	const struct arch_clone_regs regs = {
		.flags = flags | (uint64_t)exit_signal,
		.stack = stack,
		.parent_tid = (uintptr_t)&thread->tid,
		.child_tid = (uintptr_t)&thread->alive,
		.tls = args.tls,
	};

	/* The older call where it can say it: no filter of system calls lacks it. */
	if (flags >> 32 || flags & CSIGNAL)
		return arch_clone3(&args, sizeof(args), begin, thread);
	return arch_clone(&regs, begin, thread);
}

/* What may be refused is done by the thread, and its creator waits to hear of it. */
static bool reports_to_creator(const struct ramet_thread_attr *attr)
{
	return attr->cpus || attr->name || attr->death_signal;
}

static bool is_sound(const struct ramet_thread_attr *attr, uint64_t flags)
{
	return attr->size == sizeof(*attr) && !(attr->options & ~(uint32_t)OPTIONS) &&
	       flags & CLONE_VM && !(flags & REFUSED_FLAGS) && attr->exit_signal >= 0 &&
	       attr->exit_signal <= KERNEL_NSIG &&
	       !((attr->exit_signal || attr->death_signal) && flags & CLONE_THREAD) &&
	       (!attr->stack_size || attr->stack_size >= STACK_LEAST) && !attr->steps;
}

/* -EOWNERDEAD: it was killed before it could say. */
static long await_report(const struct ramet_thread *thread)
{
	while (__atomic_load_n(&thread->alive, __ATOMIC_ACQUIRE) == STARTING)
		sys_futex_wait(&thread->alive, STARTING, NULL);
	return thread->error == NOT_SAID ? -EOWNERDEAD : thread->error;
}

static long launch(struct ramet_thread *thread, uintptr_t stack,
		   const struct ramet_thread_attr *attr)
{
	const uint64_t every = ~0ULL;
	const bool detached = attr->options & RAMET_THREAD_DETACHED;
	const bool reports = reports_to_creator(attr);
	const bool is_process = thread_is_process(thread);
	uint64_t mask;
	long r;

	thread->attr = reports ? attr : NULL;
	thread->maker_pid = is_process ? (int)sys_getpid() : 0;
	thread->state = detached && !reports ? DETACHED : JOINABLE;
	thread->alive = STARTING;
	thread->error = NOT_SAID;
	sys_sigprocmask(SIG_SETMASK_, &every, &mask);
	thread->mask = attr->options & RAMET_THREAD_MASK ? attr->mask : mask;
	r = make(thread, stack, attr->exit_signal);
	if (r < 0)
		thread->alive = GONE;
	else if (reports)
		r = await_report(thread);
	else if (detached && is_process)
		stack_put_unreaped(thread);
	sys_sigprocmask(SIG_SETMASK_, &mask, NULL);
	return r;
}

int ramet_thread_create(const struct ramet_thread_attr *attr, void *(*fn)(void *), void *arg,
			struct ramet_thread **ret_thread)
{
	static const struct ramet_thread_attr none = {.size = sizeof(none)};
	struct ramet_thread *thread;
	uintptr_t stack;
	uint64_t flags;
	long r;

	if (!attr)
		attr = &none;
	flags = attr->flags ? attr->flags : RAMET_THREAD_NPTL;
	if (!is_sound(attr, flags) || (!ret_thread && !(attr->options & RAMET_THREAD_DETACHED)))
		return -EINVAL;
	r = stack_get(attr->stack_size ? attr->stack_size : STACK_SIZE,
		      attr->options & RAMET_THREAD_NO_GUARD ? 0
		      : attr->guard_size		    ? attr->guard_size
							    : page_size,
		      &thread, &stack);
	if (r < 0)
		return (int)r;
	if (flags & CLONE_THREAD && thread_is_process(self()))
		__atomic_store_n(&self()->has_threads, true, __ATOMIC_RELAXED);
	thread->flags = flags;
	thread->forks = process_forks;
	thread->fn = fn;
	thread->arg = arg;
	r = launch(thread, stack, attr);
	if (r < 0) {
		/* Refused after the clone: it is on its way out. */
		thread_await(thread, RAMET_CLOCK_MONOTONIC, RAMET_NEVER);
		thread_free(thread);
		return (int)r;
	}
	if (reports_to_creator(attr) && attr->options & RAMET_THREAD_DETACHED)
		ramet_thread_detach(thread);
	if (ret_thread)
		*ret_thread = thread;
	return 0;
}
