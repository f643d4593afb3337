/* SPDX-License-Identifier: MIT */
/*
 * Values under keys, in any thread of the process, whoever made it: all of a thread's are one
 * value of one key of the C library's, whose destructor runs ours. A key's life counts up when it
 * is made and when it is deleted, odd while it exists; a value belongs to the life it was set in,
 * so that a number given out again finds no old values.
 */
#include "thread/hosted/hosted.h"

#include <stdlib.h>

struct value {
	uint32_t life;
	const void *value;
};

struct values {
	uint32_t count; /* one more than the highest key that was set */
	struct value of[RAMET_KEYS_MAX];
};

static struct {
	uint32_t life;
	void (*destructor)(void *);
} keys[RAMET_KEYS_MAX];

static pthread_once_t made = PTHREAD_ONCE_INIT;
static pthread_key_t all;
static int all_error;

static uint32_t life_of(uint32_t key)
{
	return __atomic_load_n(&keys[key].life, __ATOMIC_ACQUIRE);
}

static void destroy(void *arg)
{
	struct values *const values = arg;
	bool again = true;

	/* Destructors read and set values too. */
	pthread_setspecific(all, values);
	for (int round = 0; again && round < RAMET_KEY_ROUNDS; round++) {
		again = false;
		for (uint32_t key = 0; key < values->count; key++) {
			void *const value = ramet_key_get(key);
			void (*destructor)(void *) =
				__atomic_load_n(&keys[key].destructor, __ATOMIC_ACQUIRE);

			values->of[key].value = NULL;
			if (!value || !destructor)
				continue;
			destructor(value);
			again = true;
		}
	}
	pthread_setspecific(all, NULL);
	free(values);
}

static void make(void)
{
	all_error = -pthread_key_create(&all, destroy);
}

int ramet_key_create(void (*destructor)(void *), uint32_t *ret_key)
{
	pthread_once(&made, make);
	if (all_error)
		return all_error;
	for (uint32_t key = 0; key < RAMET_KEYS_MAX; key++) {
		uint32_t life = life_of(key);

		/* The destructor is read by threads that have a value, so after this. */
		if (!(life & 1) &&
		    __atomic_compare_exchange_n(&keys[key].life, &life, life + 1, false,
						__ATOMIC_ACQ_REL, __ATOMIC_RELAXED)) {
			__atomic_store_n(&keys[key].destructor, destructor, __ATOMIC_RELEASE);
			*ret_key = key;
			return 0;
		}
	}
	return -EAGAIN;
}

int ramet_key_delete(uint32_t key)
{
	uint32_t life = key < RAMET_KEYS_MAX ? life_of(key) : 0;

	if (!(life & 1) || !__atomic_compare_exchange_n(&keys[key].life, &life, life + 1, false,
							__ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		return -EINVAL;
	return 0;
}

int ramet_key_set(uint32_t key, const void *value)
{
	const uint32_t life = key < RAMET_KEYS_MAX ? life_of(key) : 0;
	struct values *values;
	int r;

	if (!(life & 1))
		return -EINVAL;
	values = pthread_getspecific(all);
	if (!values) {
		values = calloc(1, sizeof(*values));
		r = values ? -pthread_setspecific(all, values) : -ENOMEM;
		if (r < 0) {
			free(values);
			return r;
		}
	}
	if (values->count <= key)
		values->count = key + 1;
	values->of[key] = (struct value){.life = life, .value = value};
	return 0;
}

/* A key that exists has been made, and with it the C library's. */
void *ramet_key_get(uint32_t key)
{
	const uint32_t life = key < RAMET_KEYS_MAX ? life_of(key) : 0;
	const struct values *const values = life & 1 ? pthread_getspecific(all) : NULL;

	if (!values || key >= values->count || values->of[key].life != life)
		return NULL;
	return (void *)(uintptr_t)values->of[key].value;
}
