/* SPDX-License-Identifier: MIT */
/* The traced tasks, by tid. Not to be confused with the model's: these are about stops. */
#ifndef RAMET_TRACE_TASKS_H
#define RAMET_TRACE_TASKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "explain/lines.h"

#define TRACED_NAME 16 /* as the kernel keeps it */

struct traced {
	int tid;
	int tgid;
	struct traced *next; /* in its bucket, or of the free ones */
	bool known;	     /* an event has told of it */
	bool begun;	     /* its first stop has come */
	bool waits;	     /* stopped until its maker's event has told of it */
	bool ended;	     /* before its maker's event told of it; end_status */
	bool job_stopped;    /* its first stop found it stopped like its process */
	bool in_call;	     /* between the stop at the entry of `call` and its end */
	int end_status;
	int awaits;	 /* pairwise: the new task whose first stop it waits for */
	int maker;	 /* pairwise: who waits for this one */
	int stop_signal; /* to be delivered when it goes on */
	int held_by;	 /* the child of the vfork in which it is */
	uint64_t held_since;
	uint64_t entered;  /* when it stopped at the entry of `call` */
	uint64_t untold;   /* when it was first seen, if no event had told of it */
	uint64_t put_back; /* flags that were taken out of the register of its call */
	char name[TRACED_NAME];
	struct line_call call;
};

struct traced_tasks {
	struct traced **buckets;
	size_t bucket_count, count;
	struct traced *free;
	struct traced_block *blocks;
};

/* NULL if there is none. */
struct traced *traced_find(const struct traced_tasks *tasks, int tid);
/* A new one, all zero but tid and tgid; NULL without memory. */
struct traced *traced_add(struct traced_tasks *tasks, int tid);
void traced_remove(struct traced_tasks *tasks, struct traced *task);
/* The numbers of all, *ret_count of them, to be freed; NULL without memory. */
int *traced_list(const struct traced_tasks *tasks, size_t *ret_count);
void traced_free(struct traced_tasks *tasks);

#endif
