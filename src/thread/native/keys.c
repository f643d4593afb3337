/* SPDX-License-Identifier: MIT */
/*
 * Values under keys. A key's life counts up when it is made and when it is deleted, odd while it
 * exists; a thread's value belongs to the life it was set in. So a number that is given out again
 * finds no old values, and nobody walks through other threads' records.
 */
#include "thread/native/native.h"

static struct {
	uint32_t life;
	void (*destructor)(void *);
} keys[RAMET_KEYS_MAX];

static uint32_t life_of(uint32_t key)
{
	return __atomic_load_n(&keys[key].life, __ATOMIC_ACQUIRE);
}

int ramet_key_create(void (*destructor)(void *), uint32_t *ret_key)
{
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
	struct ramet_thread *thread = self();
	const uint32_t life = key < RAMET_KEYS_MAX ? life_of(key) : 0;

	if (!(life & 1))
		return -EINVAL;
	if (thread->keys <= key)
		thread->keys = key + 1;
	thread->values[key] = (struct key_value){.life = life, .value = value};
	return 0;
}

void *ramet_key_get(uint32_t key)
{
	const struct ramet_thread *thread = self();

	if (key >= thread->keys || thread->values[key].life != life_of(key))
		return NULL;
	return (void *)(uintptr_t)thread->values[key].value;
}

void keys_destroy(struct ramet_thread *thread)
{
	bool again = thread->keys > 0;

	for (int round = 0; again && round < RAMET_KEY_ROUNDS; round++) {
		again = false;
		for (uint32_t key = 0; key < thread->keys; key++) {
			void *value = ramet_key_get(key);
			void (*destructor)(void *) =
				__atomic_load_n(&keys[key].destructor, __ATOMIC_ACQUIRE);

			thread->values[key].value = NULL;
			if (!value || !destructor)
				continue;
			destructor(value);
			again = true;
		}
	}
}
