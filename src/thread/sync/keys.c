/* SPDX-License-Identifier: MIT */
#include "thread/sync/keys.h"

#include <errno.h>
#include <stdbool.h>

struct key keys[RAMET_KEYS_MAX];

/* One step from a life to the next; false if another was faster. */
static bool step_on(uint32_t key, uint32_t life)
{
	return __atomic_compare_exchange_n(&keys[key].life, &life, life + 1, false,
					   __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

int key_take(void (*destructor)(void *), uint32_t *ret_key)
{
	for (uint32_t key = 0; key < RAMET_KEYS_MAX; key++) {
		const uint32_t life = key_life(key);

		if (life & 1 || !step_on(key, life))
			continue;
		/* It is read by threads that have a value, so after this. */
		__atomic_store_n(&keys[key].destructor, destructor, __ATOMIC_RELEASE);
		*ret_key = key;
		return 0;
	}
	return -EAGAIN;
}

int ramet_key_delete(uint32_t key)
{
	const uint32_t life = key_life(key);

	return life & 1 && step_on(key, life) ? 0 : -EINVAL;
}

void keys_destroy(struct key_values *values)
{
	bool again = true;

	for (int round = 0; again && round < RAMET_KEY_ROUNDS; round++) {
		again = false;
		for (uint32_t key = 0; key < values->count; key++) {
			void *const value = key_look(values, key);
			void (*destructor)(void *) =
				__atomic_load_n(&keys[key].destructor, __ATOMIC_ACQUIRE);

			values->of[key].value = NULL;
			if (!value || !destructor)
				continue;
			destructor(value);
			again = true;
		}
	}
}
