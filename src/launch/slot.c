/* SPDX-License-Identifier: MIT */
#include "launch/slot.h"

#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif

#define POOLED_STACK_SIZE (32 * 1024)

/*
 * The head of the pool lies in a page that reads as zeros after any fork, the C library's or a
 * raw one: an unlocked mutex and an empty list. (Slots of the parent stay mapped in the child,
 * as its other memory does.)
 */
struct pool {
	pthread_mutex_t lock;
	struct slot *free;
	uint32_t generation; /* 0: nobody has asked since the last fork */
};

static struct pool *pool_get(void)
{
	static struct pool *pool;
	struct pool *seen = __atomic_load_n(&pool, __ATOMIC_ACQUIRE), *made, *none = NULL;
	size_t page;

	if (seen)
		return seen;
	page = (size_t)sysconf(_SC_PAGESIZE);
	made = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (made == MAP_FAILED)
		return NULL;
	/* A page that cannot be wiped is no place for the pool: do without one. */
	if (madvise(made, page, MADV_WIPEONFORK) < 0 ||
	    !__atomic_compare_exchange_n(&pool, &none, made, false, __ATOMIC_ACQ_REL,
					 __ATOMIC_ACQUIRE)) {
		munmap(made, page);
		return __atomic_load_n(&pool, __ATOMIC_ACQUIRE);
	}
	return made;
}

uint32_t slot_generation(void)
{
	static uint32_t forks; /* that were noticed: a copy goes on counting from here */
	struct pool *pool = pool_get();
	uint32_t seen, none = 0;

	if (!pool)
		return 0;
	seen = __atomic_load_n(&pool->generation, __ATOMIC_RELAXED);
	if (seen)
		return seen;
	seen = __atomic_add_fetch(&forks, 1, __ATOMIC_RELAXED);
	return __atomic_compare_exchange_n(&pool->generation, &none, seen, false, __ATOMIC_RELAXED,
					   __ATOMIC_RELAXED)
		       ? seen
		       : none;
}

static struct slot *pool_take(void)
{
	struct pool *pool = pool_get();
	struct slot *slot;

	if (!pool)
		return NULL;
	pthread_mutex_lock(&pool->lock);
	slot = pool->free;
	if (slot)
		pool->free = slot->next;
	pthread_mutex_unlock(&pool->lock);
	return slot;
}

static size_t round_up(size_t n, size_t unit)
{
	return (n + unit - 1) / unit * unit;
}

/* [guard][stack ...][slot] with a stack, [slot] without; the slot is aligned for the stack's top. */
static struct slot *slot_map(enum slot_kind kind, size_t stack_size)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	const size_t own = round_up(sizeof(struct slot), 64);
	const size_t guard = kind == SLOT_STACK ? page : 0;
	const int sharing = kind == SLOT_STACK ? MAP_PRIVATE | MAP_STACK : MAP_SHARED;
	struct slot *slot;
	size_t size;
	char *map;

	if (stack_size > SIZE_MAX / 2)
		return NULL;
	size = guard + round_up(own + (kind == SLOT_STACK ? stack_size : 0), page);
	map = mmap(NULL, size, PROT_READ | PROT_WRITE, sharing | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED)
		return NULL;
	if (guard && mprotect(map, guard, PROT_NONE) < 0) {
		munmap(map, size);
		return NULL;
	}
	slot = (struct slot *)(map + size - own);
	*slot = (struct slot){
		.map = map,
		.map_size = size,
		.stack = kind == SLOT_STACK ? map + guard : NULL,
		.stack_size = size - guard - own,
	};
	return slot;
}

static bool is_pooled_size(const struct slot *slot)
{
	return slot->stack && slot->stack_size <= round_up(POOLED_STACK_SIZE, 4096) + 4096 &&
	       slot->stack_size >= POOLED_STACK_SIZE;
}

struct slot *slot_take(enum slot_kind kind, size_t stack_size)
{
	struct slot *slot = NULL;

	if (kind == SLOT_STACK && stack_size == POOLED_STACK_SIZE)
		slot = pool_take();
	if (!slot)
		slot = slot_map(kind, stack_size);
	if (!slot)
		return NULL;
	slot->next = NULL;
	slot->record = (struct child_record){0};
	slot->shield = (struct shield){0};
	slot->child = (struct child){.record = &slot->record, .lifted = -1};
	slot->word = &slot->record.word;
	return slot;
}

void slot_give(struct slot *slot)
{
	struct pool *pool = is_pooled_size(slot) ? pool_get() : NULL;

	if (!pool) {
		munmap(slot->map, slot->map_size);
		return;
	}
	pthread_mutex_lock(&pool->lock);
	slot->next = pool->free;
	pool->free = slot;
	pthread_mutex_unlock(&pool->lock);
}
