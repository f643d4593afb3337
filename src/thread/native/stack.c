/* SPDX-License-Identifier: MIT */
/*
 * Memory of threads. What a thread leaves is kept, up to a bound, for the next one of the same
 * size. A kept one may still be in use, by a detached thread on its way out: it is taken only once
 * the kernel has cleared its word, which it does when the thread is past its last instruction.
 *
 * A detached thread with its own PID may end in any way, and is a zombie then that only the process
 * that made it can reap; what it has is listed apart from the moment it is detached, and freed by
 * the next creation that finds it gone and reaped.
 */
#include "thread/native/native.h"
#include "thread/sync/futex.h"

/* A burst of 64 threads finds all it needs; not more than 32 MiB may be resident for nothing. */
#define KEPT_MAX 64
#define KEPT_BYTES_MAX (32u << 20)

#define PROTECT_NONE 0
#define PROTECT_READ_WRITE 3
#define MAP_PRIVATE_ANONYMOUS_STACK 0x20022
#define WAIT_NOHANG 1

size_t page_size;

static struct {
	uint32_t lock;
	unsigned count;
	size_t bytes;
	struct ramet_thread *first;    /* to be used again */
	struct ramet_thread *unreaped; /* in use, or to be reaped */
} kept;

static size_t to_pages(size_t size)
{
	return (size + page_size - 1) & -page_size;
}

static bool has_room(const struct ramet_thread *thread)
{
	return kept.count < KEPT_MAX && kept.bytes + thread->map_size <= KEPT_BYTES_MAX;
}

/* Under the lock. */
static void keep(struct ramet_thread *thread)
{
	thread->next = kept.first;
	kept.first = thread;
	kept.count++;
	kept.bytes += thread->map_size;
}

/* Under the lock. */
static struct ramet_thread *take(struct ramet_thread **link)
{
	struct ramet_thread *thread = *link;

	*link = thread->next;
	kept.count--;
	kept.bytes -= thread->map_size;
	return thread;
}

static bool is_gone(const struct ramet_thread *thread)
{
	return !__atomic_load_n(&thread->alive, __ATOMIC_ACQUIRE);
}

/* True if nobody need reap it any more. Whose maker is gone has become init's. */
static bool is_reaped(const struct ramet_thread *thread, int pid)
{
	long r;

	if (thread->maker_pid != pid)
		return sys_kill(thread->maker_pid, 0) == -ESRCH;
	r = sys_wait4((int)thread->tid, NULL, WAIT_NOHANG | KERNEL_WALL, NULL);
	return r == thread->tid || r == -ECHILD;
}

static void unmap_all(struct ramet_thread *first)
{
	while (first) {
		struct ramet_thread *const next = first->next;

		sys2(SYS_munmap, (long)first->map, (long)first->map_size);
		first = next;
	}
}

/* Those with a PID of their own that have ended meanwhile. */
static void reap(void)
{
	const int pid = (int)sys_getpid();
	struct ramet_thread **link, *over = NULL;

	lock_word(&kept.lock);
	for (link = &kept.unreaped; *link;) {
		struct ramet_thread *const thread = *link;

		if (!is_gone(thread) || !is_reaped(thread, pid)) {
			link = &thread->next;
			continue;
		}
		*link = thread->next;
		if (has_room(thread)) {
			keep(thread);
		} else {
			thread->next = over;
			over = thread;
		}
	}
	unlock_word(&kept.lock);
	unmap_all(over);
}

static struct ramet_thread *find(size_t map_size, size_t guard_size)
{
	struct ramet_thread **link, *thread = NULL;

	lock_word(&kept.lock);
	for (link = &kept.first; *link; link = &(*link)->next) {
		if ((*link)->map_size == map_size && (*link)->guard_size == guard_size &&
		    is_gone(*link)) {
			thread = take(link);
			break;
		}
	}
	unlock_word(&kept.lock);
	return thread;
}

/* The guard is never counted as memory: all begins without access. */
static long map(size_t map_size, size_t guard_size)
{
	const long at =
		sys6(SYS_mmap, 0, (long)map_size, PROTECT_NONE, MAP_PRIVATE_ANONYMOUS_STACK, -1, 0);
	long r;

	if (at < 0 && at > -4096)
		return at;
	r = sys3(SYS_mprotect, at + (long)guard_size, (long)(map_size - guard_size),
		 PROTECT_READ_WRITE);
	if (r < 0) {
		sys2(SYS_munmap, at, (long)map_size);
		return r;
	}
	return at;
}

int stack_get(size_t stack_size, size_t guard_size, struct ramet_thread **ret_thread,
	      uintptr_t *ret_stack)
{
	size_t map_size = stack_size + tls_size();
	struct ramet_thread *thread;
	long at;

	/* What no address space holds must not wrap round to something small. */
	if (stack_size > 1ULL << 46 || guard_size > 1ULL << 46)
		return -ENOMEM;
	guard_size = to_pages(guard_size);
	map_size = to_pages(map_size) + guard_size;

	if (__atomic_load_n(&kept.unreaped, __ATOMIC_RELAXED))
		reap();
	thread = find(map_size, guard_size);
	if (thread) {
		tls_place((uintptr_t)thread->map + map_size, ret_stack);
		tls_fill(thread, false);
		*ret_thread = thread;
		return 0;
	}
	at = map(map_size, guard_size);
	if (at < 0 && at > -4096)
		return (int)at;
	thread = tls_place((uintptr_t)at + map_size, ret_stack);
	thread->map = (void *)at;
	thread->map_size = map_size;
	thread->guard_size = guard_size;
	tls_fill(thread, true);
	*ret_thread = thread;
	return 0;
}

/* Whatever another thread was doing to it when the process was copied. */
void stack_forget(void)
{
	kept.first = kept.unreaped = NULL;
	kept.lock = kept.count = 0;
	kept.bytes = 0;
}

void stack_put(struct ramet_thread *thread)
{
	bool room;

	lock_word(&kept.lock);
	room = has_room(thread);
	if (room)
		keep(thread);
	unlock_word(&kept.lock);
	if (!room)
		sys2(SYS_munmap, (long)thread->map, (long)thread->map_size);
}

bool stack_leave(struct ramet_thread *thread)
{
	bool room;

	lock_word(&kept.lock);
	room = has_room(thread);
	if (room)
		keep(thread);
	unlock_word(&kept.lock);
	return room;
}

void stack_put_unreaped(struct ramet_thread *thread)
{
	lock_word(&kept.lock);
	thread->next = kept.unreaped;
	__atomic_store_n(&kept.unreaped, thread, __ATOMIC_RELAXED);
	unlock_word(&kept.lock);
}
