/* SPDX-License-Identifier: MIT */
/* Values under keys: a thread's lie in its record. */
#include "thread/native/native.h"

int ramet_key_create(void (*destructor)(void *), uint32_t *ret_key)
{
	return key_take(destructor, ret_key);
}

int ramet_key_set(uint32_t key, const void *value)
{
	const uint32_t life = key_life(key);

	if (!(life & 1))
		return -EINVAL;
	key_put(&self()->values, key, (struct key_value){life, value});
	return 0;
}

void *ramet_key_get(uint32_t key)
{
	return key_look(&self()->values, key);
}
