/* SPDX-License-Identifier: MIT */
/*
 * Which keys there are. A key's life counts up when it is made and when it is deleted, odd while
 * it exists; a thread's value belongs to the life it was set in. So a number that is given out
 * again finds no old values, and nobody walks through other threads' records. Where a thread's
 * values lie is each machine's own: native/keys.c, hosted/keys.c.
 */
#ifndef RAMET_THREAD_SYNC_KEYS_H
#define RAMET_THREAD_SYNC_KEYS_H

#include <stdint.h>

#include <ramet/thread.h>

struct key {
	uint32_t life;
	void (*destructor)(void *);
};

struct key_value {
	uint32_t life; /* of the key when it was set */
	const void *value;
};

/* A thread's. */
struct key_values {
	uint32_t count; /* one more than the highest key that was set */
	struct key_value of[RAMET_KEYS_MAX];
};

extern struct key keys[RAMET_KEYS_MAX];

/* Odd: the key exists. */
static inline uint32_t key_life(uint32_t key)
{
	return key < RAMET_KEYS_MAX ? __atomic_load_n(&keys[key].life, __ATOMIC_ACQUIRE) : 0;
}

static inline void key_put(struct key_values *values, uint32_t key, struct key_value value)
{
	if (values->count <= key)
		values->count = key + 1;
	values->of[key] = value;
}

/* NULL if it was never set, or in another life of the key. */
static inline void *key_look(const struct key_values *values, uint32_t key)
{
	if (key >= values->count || values->of[key].life != key_life(key))
		return NULL;
	return (void *)(uintptr_t)values->of[key].value;
}

/* ramet_key_create() but for what a machine does first. 0 or -EAGAIN. */
int key_take(void (*destructor)(void *), uint32_t *ret_key);
/* The end of the calling thread's values: destructors, as often as they set new ones. */
void keys_destroy(struct key_values *values);

#endif
