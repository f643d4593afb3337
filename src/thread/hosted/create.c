/* SPDX-License-Identifier: MIT */
/*
 * A thread's beginning and end, by pthread_create(). Its creator waits for it only where steps
 * come before the body, since those may be refused; what else it needs is in its record. All
 * signals but the C library's own are blocked round the call, so that no handler runs in a thread
 * before it has its mask. The end is seen by a cleanup handler: it runs on return, on exit and
 * when the thread is cancelled.
 */
#include "thread/hosted/hosted.h"

#include <limits.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "caller/caller.h"
#include "launch/error.h"
#include "uapi/clone.h"

#define STACK_SIZE (256u << 10)
#define STACK_LEAST 2048
/* What C libraries take off a stack beside thread-local variables: their record, room for those
 * of libraries that are loaded later, the first frames. */
#define STACK_TAKEN (12u << 10)
#define OPTIONS (RAMET_THREAD_DETACHED | RAMET_THREAD_NO_GUARD | RAMET_THREAD_MASK)

static _Thread_local struct ramet_thread *current;
static _Thread_local struct ramet_thread foreign;

/*
 * A fork's only thread is in another process than it was, under another number. Threads that it
 * makes there find it by its handle.
 */
static void note_fork(int pid)
{
	if (!current || current->pid == pid)
		return;
	current->pid = pid;
	current->tid = (uint32_t)sys_gettid();
	current->lock = 0;
}

static void forked(void)
{
	note_fork((int)sys_getpid());
}

/* Not at the first use: ramet_thread_self() may be called by a signal handler. */
__attribute__((constructor)) static void watch_forks(void)
{
	pthread_atfork(NULL, NULL, forked);
}

struct ramet_thread *ramet_thread_self(void)
{
	if (!current) {
		foreign.foreign = true;
		foreign.pid = (int)sys_getpid();
		foreign.pthread = pthread_self();
		__atomic_store_n(&foreign.tid, (uint32_t)sys_gettid(), __ATOMIC_RELEASE);
		current = &foreign;
	}
	return current;
}

void started(const struct ramet_thread *thread)
{
	while (!__atomic_load_n(&thread->tid, __ATOMIC_ACQUIRE))
		futex_wait(&thread->tid, 0, RAMET_CLOCK_MONOTONIC, RAMET_NEVER);
}

static void say_started(struct ramet_thread *thread)
{
	current = thread;
	thread->pthread = pthread_self();
	__atomic_store_n(&thread->tid, (uint32_t)sys_gettid(), __ATOMIC_RELEASE);
	futex_wake(&thread->tid, INT32_MAX);
}

/* After a fork another thread may seem to have the lock for ever, and nobody else is there. */
static void finish(void *arg)
{
	struct ramet_thread *thread = arg;
	const bool forked = thread->pid != sys_getpid();
	uint32_t state = JOINABLE;

	if (!forked)
		lock_word(&thread->lock);
	thread->ended = true;
	if (!forked)
		unlock_word(&thread->lock);
	if (__atomic_compare_exchange_n(&thread->state, &state, FINISHED, false, __ATOMIC_ACQ_REL,
					__ATOMIC_ACQUIRE))
		return;
	/* Destructors that are still to run find it to be a thread that nobody knows. */
	current = NULL;
	free(thread);
}

/* The creator may be gone, with the birth, once the word is set. */
static void report(struct thread_birth *birth, int r)
{
	birth->result = r;
	__atomic_store_n(&birth->over, 1, __ATOMIC_RELEASE);
	futex_wake(&birth->over, 1);
}

static void *begin(void *arg)
{
	struct ramet_thread *thread = arg;
	struct thread_birth *const birth = thread->birth;
	void *result;
	int r;

	say_started(thread);
	if (*thread->name)
		sys_prctl(KERNEL_PR_SET_NAME, (unsigned long)thread->name, 0, 0, 0);
	if (birth) {
		thread->birth = NULL;
		r = parts_take(birth->parts, birth->error);
		if (r >= 0 && thread->state == DETACHED)
			pthread_detach(thread->pthread);
		report(birth, r);
		if (r < 0)
			return NULL; /* the creator joins it and frees the record */
	}
	pthread_sigmask(SIG_SETMASK, &thread->mask, NULL);
	pthread_cleanup_push(finish, thread);
	result = thread->fn(thread->arg);
	pthread_cleanup_pop(1);
	return result;
}

void ramet_thread_exit(void *result)
{
	pthread_exit(result);
}

static int add_variables(struct dl_phdr_info *info, size_t size, void *arg)
{
	size_t *const sum = arg;

	(void)size;
	for (int i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_TLS)
			*sum += info->dlpi_phdr[i].p_memsz + info->dlpi_phdr[i].p_align;
	return 0;
}

/* Bytes that a stack of so many usable ones needs. What was static at start remains that. */
static size_t whole_stack(size_t usable)
{
	static size_t known;
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t taken = __atomic_load_n(&known, __ATOMIC_RELAXED), size;

	if (!taken) {
		dl_iterate_phdr(add_variables, &taken);
		taken += STACK_TAKEN;
		__atomic_store_n(&known, taken, __ATOMIC_RELAXED);
	}
	size = (usable + taken + page - 1) & -page;
	return size < (size_t)PTHREAD_STACK_MIN ? (size_t)PTHREAD_STACK_MIN : size;
}

/* -errno. A size beyond all memory must not come round to a small one. */
static int set_attributes(pthread_attr_t *to, const struct ramet_thread_attr *from)
{
	const size_t usable = from->stack_size ? from->stack_size : STACK_SIZE;
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	const size_t guard = from->options & RAMET_THREAD_NO_GUARD ? 0
			     : from->guard_size			   ? from->guard_size
								   : page;
	int r;

	if (usable > SIZE_MAX / 4 || guard > SIZE_MAX / 4)
		return -ENOMEM;
	r = pthread_attr_setstacksize(to, whole_stack(usable));
	if (!r)
		r = pthread_attr_setguardsize(to, (guard + page - 1) & -page);
	return -r;
}

/* The kernel's bits as the C library has them. */
static sigset_t to_sigset(uint64_t mask)
{
	sigset_t set;

	sigemptyset(&set);
	memcpy(&set, &mask, sizeof(mask));
	return set;
}

/* No thread: by a limit, which is named where it can be seen, or for want of memory. */
static int none_made(struct ramet_error *error, int r)
{
	const struct ramet_call call = {.entry = RAMET_ENTRY_CLONE, .flags = RAMET_THREAD_NPTL};
	const struct ramet_rule *rule = NULL;
	struct ramet_caller caller = {0};

	error_prepare(error, r, "create a thread");
	if (error && caller_read(&call, &caller) >= 0)
		rule = ramet_check(&call, &caller);
	if (rule && rule->error == -r) {
		error->rule = rule->id;
		error->why = rule->why;
		error->mend = rule->mend;
	}
	return r;
}

static int await_steps(const struct thread_birth *birth, pthread_t made)
{
	while (!__atomic_load_n(&birth->over, __ATOMIC_ACQUIRE))
		futex_wait(&birth->over, 0, RAMET_CLOCK_MONOTONIC, RAMET_NEVER);
	if (birth->result < 0)
		pthread_join(made, NULL);
	return birth->result;
}

/* The thread's record is its own once it exists, if it is detached. */
static int make(struct ramet_thread *thread, const pthread_attr_t *attr,
		const struct ramet_thread_attr *wanted)
{
	struct thread_birth *const birth = thread->birth;
	sigset_t every, mask;
	pthread_t made;
	int r, cancel;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel);
	sigfillset(&every);
	pthread_sigmask(SIG_SETMASK, &every, &mask);
	thread->mask = wanted->options & RAMET_THREAD_MASK ? to_sigset(wanted->mask) : mask;
	r = -pthread_create(&made, attr, begin, thread);
	if (r < 0)
		none_made(wanted->error, r);
	else if (birth)
		r = await_steps(birth, made);
	pthread_sigmask(SIG_SETMASK, &mask, NULL);
	pthread_setcancelstate(cancel, NULL);
	return r;
}

static int launch(const struct ramet_thread_attr *attr, struct thread_birth *birth,
		  void *(*fn)(void *), void *arg, struct ramet_thread **ret_thread)
{
	const bool detached = attr->options & RAMET_THREAD_DETACHED;
	const int pid = (int)sys_getpid();
	struct ramet_thread *thread = calloc(1, sizeof(*thread));
	pthread_attr_t how;
	int r;

	note_fork(pid); /* where the C library did not fork */
	if (!thread)
		return error_prepare(attr->error, -ENOMEM, "create a thread");
	*thread = (struct ramet_thread){.state = detached ? DETACHED : JOINABLE,
					.pid = pid,
					.fn = fn,
					.arg = arg,
					.birth = birth};
	if (attr->name)
		strncpy(thread->name, attr->name, sizeof(thread->name) - 1);
	pthread_attr_init(&how);
	r = set_attributes(&how, attr);
	if (r < 0)
		error_prepare(attr->error, r, "the size of a stack");
	else if (detached && !birth)
		r = -pthread_attr_setdetachstate(&how, PTHREAD_CREATE_DETACHED);
	if (r >= 0)
		r = make(thread, &how, attr);
	pthread_attr_destroy(&how);
	if (r < 0)
		free(thread);
	else if (ret_thread)
		*ret_thread = thread;
	return r;
}

static bool is_sound(const struct ramet_thread_attr *attr, bool wants_handle)
{
	return attr->size == sizeof(*attr) && !(attr->options & ~(uint32_t)OPTIONS) &&
	       (!attr->stack_size || attr->stack_size >= STACK_LEAST) &&
	       (wants_handle || attr->options & RAMET_THREAD_DETACHED);
}

int ramet_thread_create(const struct ramet_thread_attr *attr, void *(*fn)(void *), void *arg,
			struct ramet_thread **ret_thread)
{
	static const struct ramet_thread_attr none = {.size = sizeof(none)};
	struct thread_parts parts = {0};
	struct thread_birth birth = {.parts = &parts};
	int r;

	if (!attr)
		attr = &none;
	if (!is_sound(attr, ret_thread != NULL))
		return error_prepare(attr->size == sizeof(*attr) ? attr->error : NULL, -EINVAL,
				     "the attributes of a thread");
	r = parts_plan(attr, &parts);
	if (r < 0)
		return r;
	birth.error = attr->error;
	r = launch(attr, parts.count ? &birth : NULL, fn, arg, ret_thread);
	free(parts.steps);
	return r;
}
