/* SPDX-License-Identifier: MIT */
/* What a thread is called, where it runs and how it is reached: calls by its kernel number. */
#include "thread/native/native.h"

#define O_WRONLY_CLOEXEC 02000001
#define O_RDONLY_CLOEXEC 02000000
#define PIDFD_OF_THREAD 0200
#define NAME_SIZE 16

struct ramet_thread *ramet_thread_self(void)
{
	return self();
}

/* The number that its maker had for it is another if the thread is in a newer pid namespace. */
int ramet_thread_tid(const struct ramet_thread *thread)
{
	if (is_elsewhere(thread))
		return -ESRCH;
	if (thread_is_process(thread) && thread == self())
		return (int)sys_gettid();
	return __atomic_load_n(&thread->alive, __ATOMIC_ACQUIRE) ? (int)thread->tid : -ESRCH;
}

void ramet_thread_yield(void)
{
	sys0(SYS_sched_yield);
}

int ramet_thread_kill(const struct ramet_thread *thread, int sig)
{
	const int tid = ramet_thread_tid(thread);

	return tid < 0 ? tid : (int)sys2(SYS_tkill, tid, sig);
}

int ramet_thread_pidfd(const struct ramet_thread *thread)
{
	const int tid = ramet_thread_tid(thread);
	const bool leads = thread->flags && !(thread->flags & CLONE_THREAD);

	return tid < 0 ? tid : (int)sys_pidfd_open(tid, leads ? 0 : PIDFD_OF_THREAD);
}

/* "/proc/N/comm": /proc shows each thread there, though it does not list it. */
static long open_name(const struct ramet_thread *thread, int flags)
{
	static const char before[] = "/proc/", after[] = "/comm";
	char path[sizeof(before) + sizeof(after) + 10], digits[10];
	size_t n = 0, at = 0;
	int tid = ramet_thread_tid(thread);

	if (tid < 0)
		return tid;
	for (; tid; tid /= 10)
		digits[n++] = (char)('0' + tid % 10);
	for (const char *c = before; *c; c++)
		path[at++] = *c;
	while (n)
		path[at++] = digits[--n];
	for (const char *c = after; *c; c++)
		path[at++] = *c;
	path[at] = 0;
	return sys_open(path, flags, 0);
}

int ramet_thread_set_name(const struct ramet_thread *thread, const char *name)
{
	size_t n = 0;
	long fd, r;

	while (n < NAME_SIZE && name[n])
		n++;
	if (n == NAME_SIZE)
		return -ERANGE;
	if (thread == self())
		return (int)sys_prctl(KERNEL_PR_SET_NAME, (unsigned long)name, 0, 0, 0);
	fd = open_name(thread, O_WRONLY_CLOEXEC);
	if (fd < 0)
		return (int)fd;
	r = sys_write((int)fd, name, n);
	sys_close((int)fd);
	return r < 0 ? (int)r : 0;
}

int ramet_thread_get_name(const struct ramet_thread *thread, char name[16])
{
	char text[NAME_SIZE];
	long fd, r;

	if (thread == self())
		return (int)sys_prctl(KERNEL_PR_GET_NAME, (unsigned long)name, 0, 0, 0);
	fd = open_name(thread, O_RDONLY_CLOEXEC);
	if (fd < 0)
		return (int)fd;
	r = sys_read((int)fd, text, sizeof(text));
	sys_close((int)fd);
	if (r <= 0)
		return r < 0 ? (int)r : -ESRCH;
	for (long i = 0; i < r; i++)
		name[i] = text[i];
	name[r - 1] = 0; /* a newline */
	return 0;
}

int ramet_thread_set_affinity(const struct ramet_thread *thread, const unsigned long *cpus,
			      size_t size)
{
	const int tid = ramet_thread_tid(thread);

	return tid < 0 ? tid : (int)sys3(SYS_sched_setaffinity, tid, (long)size, (long)cpus);
}

int ramet_thread_get_affinity(const struct ramet_thread *thread, unsigned long *cpus, size_t size)
{
	const int tid = ramet_thread_tid(thread);

	return tid < 0 ? tid : (int)sys3(SYS_sched_getaffinity, tid, (long)size, (long)cpus);
}

int ramet_thread_stack(const struct ramet_thread *thread, void **ret_lowest, size_t *ret_size,
		       size_t *ret_guard)
{
	uintptr_t lowest = (uintptr_t)thread->map + thread->guard_size, top;

	if (!thread->map)
		return -ENOTSUP;
	tls_place((uintptr_t)thread->map + thread->map_size, &top);
	if (ret_lowest)
		*ret_lowest = (void *)lowest;
	if (ret_size)
		*ret_size = top - lowest;
	if (ret_guard)
		*ret_guard = thread->guard_size;
	return 0;
}
