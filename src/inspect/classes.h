/* SPDX-License-Identifier: MIT */
/*
 * Tasks parted into classes: those in one class have the same object. kcmp orders objects, so the
 * representatives of the classes are kept in that order and a task is found by binary search: N
 * tasks in K classes take N (log2 K + 2) calls, not N squared.
 */
#ifndef RAMET_INSPECT_CLASSES_H
#define RAMET_INSPECT_CLASSES_H

#include <ramet/ramet.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "inspect/inspect.h"
#include "inspect/snapshot.h"

/* As inspect_kcmp(); replaced in tests. */
typedef int inspect_compare(void *context, pid_t a, pid_t b, enum inspect_object object);

struct inspect_partition {
	enum inspect_object object;
	inspect_compare *compare;
	void *context;
	pid_t *tids;   /* what was added, in order, … */
	int *class_of; /* … and the class of each */
	size_t count, room;
	pid_t *speakers; /* by class: who is compared for it; 0: nobody is left */
	pid_t *seconds;	 /* by class: the last one found in it; 0: there is none but the speaker */
	size_t classes;	 /* INSPECT_NO_OBJECT included, whether anybody has it or not */
	int *sorted;	 /* classes in the kernel's order; memory is of `room` for all of these */
	size_t sorted_count;
	bool unordered; /* the kernel has said 3: only equality counts from now on */
	/* May be set after begin, with unordered: a class is also known by its second. Slow; but nobody
	   who comes, goes or changes meanwhile can part others. */
	bool thorough;
	bool disturbed; /* somebody who spoke for a class has gone */
	unsigned long calls;
};

/*
 * nobody: a task that has no such object, or 0. Two tasks without one look to kcmp as if they
 * shared it; those that compare equal to it are in class INSPECT_NO_OBJECT.
 */
int inspect_partition_begin(struct inspect_partition *p, enum inspect_object object, pid_t nobody,
			    inspect_compare *compare, void *context);

/*
 * The class of one more task: the same number for all with one object, from 1; INSPECT_NO_OBJECT;
 * -ESRCH: it is gone; -EPERM: it may not be asked about; other -errno: kcmp fails altogether.
 * guess: the class it is most likely in, tried first; -1: none.
 */
int inspect_partition_add(struct inspect_partition *p, pid_t tid, int guess);

/*
 * Whether those who speak for the classes have still what they had when the others were compared
 * with them: else two with one object may be in different classes. 2 K calls at most.
 */
bool inspect_partition_settled(struct inspect_partition *p);

void inspect_partition_end(struct inspect_partition *p);

/* ---- a task that has nothing ---------------------------------------------------------------- */

struct inspect_nobody {
	struct ramet_task tasks[2];
	int count;
};

/*
 * Makes it: a child that has ended and is not waited for, so that it owns no memory, files, fs,
 * I/O context or undo list; a live child may have got an I/O context with its parent's priority.
 * Its tid, or -errno.
 */
pid_t inspect_nobody_begin(struct inspect_nobody *nobody);
void inspect_nobody_end(struct inspect_nobody *nobody);

#endif
