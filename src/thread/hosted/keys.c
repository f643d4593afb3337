/* SPDX-License-Identifier: MIT */
/*
 * Values under keys, in any thread of the process, whoever made it: all of a thread's are one
 * value of one key of the C library's, whose destructor runs ours.
 */
#include "thread/sync/keys.h"

#include <stdlib.h>

#include "thread/hosted/hosted.h"

static pthread_once_t made = PTHREAD_ONCE_INIT;
static pthread_key_t all;
static int all_error;

static void destroy(void *values)
{
	/* Destructors read and set values too. */
	pthread_setspecific(all, values);
	keys_destroy(values);
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
	return all_error ? all_error : key_take(destructor, ret_key);
}

int ramet_key_set(uint32_t key, const void *value)
{
	const uint32_t life = key_life(key);
	struct key_values *values;
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
	key_put(values, key, (struct key_value){life, value});
	return 0;
}

/* A key that exists has been made, and with it the C library's. */
void *ramet_key_get(uint32_t key)
{
	const struct key_values *const values = key_life(key) & 1 ? pthread_getspecific(all) : NULL;

	return values ? key_look(values, key) : NULL;
}
