/* SPDX-License-Identifier: MIT */
/*
 * The partition against a made-up kernel: objects at random addresses, tasks that end, become
 * another user's or have no object, an order that is not given. What comes out is compared with
 * what was put in, for all pairs, and the calls are counted.
 */
#include <errno.h>

#include "inspect/classes.h"
#include "tap.h"

#define TASKS_MAX 3000
#define FIRST_TID 100

struct kernel {
	uint64_t object[TASKS_MAX]; /* address; 0: none */
	int error[TASKS_MAX];	    /* 0: alive */
	size_t count;
	unsigned long calls;
	unsigned long dying; /* this many calls from now the next task ends; 0: none does */
	size_t next;	     /* which one */
	bool unordered;
	int broken; /* kcmp fails altogether */
};

static int compare(void *context, pid_t a, pid_t b, enum inspect_object object)
{
	struct kernel *k = context;
	const size_t x = (size_t)(a - FIRST_TID), y = (size_t)(b - FIRST_TID);

	(void)object;
	k->calls++;
	if (k->dying && !--k->dying)
		k->error[k->next] = -ESRCH;
	if (k->broken)
		return k->broken;
	if (k->error[x] || k->error[y])
		return k->error[x] ? k->error[x] : k->error[y];
	if (k->object[x] == k->object[y])
		return 0;
	if (k->unordered)
		return 3;
	/* As the kernel: an order, but not that of the addresses. */
	return k->object[x] * 0x9e3779b97f4a7c15 < k->object[y] * 0x9e3779b97f4a7c15 ? 1 : 2;
}

static void make(struct kernel *k, size_t tasks, size_t objects)
{
	*k = (struct kernel){.count = tasks};
	for (size_t i = 0; i < tasks; i++)
		k->object[i] = 0x1000 + tap_below(objects) * 64;
}

static unsigned long ceiling(size_t tasks, size_t classes)
{
	unsigned long bits = 0;

	while (1UL << bits < classes)
		bits++;
	return tasks * (bits + 2);
}

/* Add all; then every pair of known ones has one class exactly if it has one object. */
static size_t add_all(struct kernel *k, pid_t nobody, struct inspect_partition *p, int *classes)
{
	size_t wrong = 0;

	if (inspect_partition_begin(p, INSPECT_FS, nobody, compare, k) < 0)
		return 1;
	for (size_t i = 0; i < k->count; i++)
		classes[i] = inspect_partition_add(p, FIRST_TID + (pid_t)i, -1);
	for (size_t i = 0; i < k->count; i++) {
		for (size_t j = 0; j < i; j++) {
			if (classes[i] < 0 || classes[j] < 0)
				continue;
			wrong += (classes[i] == classes[j]) != (k->object[i] == k->object[j]);
		}
		wrong += nobody && classes[i] >= 0 && (classes[i] == 0) != (k->object[i] == 0);
	}
	return wrong;
}

static struct kernel kernel;
static int classes[TASKS_MAX];

static void test_shapes(void)
{
	static const size_t shapes[][2] = {
		{1, 1},	    {2, 1},    {2, 1000000}, {100, 1},	     {1000, 1000000},
		{1000, 30}, {1000, 2}, {3000, 3000}, {2000, 400000},
	};

	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		struct inspect_partition p;

		make(&kernel, shapes[i][0], shapes[i][1]);
		is_int(add_all(&kernel, 0, &p, classes), 0, "%zu tasks, up to %zu objects",
		       shapes[i][0], shapes[i][1]);
		ok(p.calls <= ceiling(kernel.count, p.classes),
		   "%lu calls for %zu classes, no more than %lu", p.calls, p.classes - 1,
		   ceiling(kernel.count, p.classes));
		is_int(p.calls, kernel.calls, "and they are counted");
		inspect_partition_end(&p);
	}
}

static void test_nobody(void)
{
	struct inspect_partition p;

	make(&kernel, 500, 60);
	kernel.object[0] = 0;
	for (size_t i = 1; i < kernel.count; i += 3)
		kernel.object[i] = 0;
	is_int(add_all(&kernel, FIRST_TID, &p, classes), 0,
	       "those without an object are told from those that share one");
	is_int(classes[4], INSPECT_NO_OBJECT, "and have a class of their own");
	inspect_partition_end(&p);
}

static void test_guess(void)
{
	struct inspect_partition p;
	int class;

	make(&kernel, 1000, 1);
	inspect_partition_begin(&p, INSPECT_FS, 0, compare, &kernel);
	class = inspect_partition_add(&p, FIRST_TID, -1);
	for (size_t i = 1; i < kernel.count; i++)
		inspect_partition_add(&p, FIRST_TID + (pid_t)i, class);
	is_int(p.calls, kernel.count, "a right guess takes one call");
	inspect_partition_end(&p);
	make(&kernel, 1000, 1000000);
	inspect_partition_begin(&p, INSPECT_FS, 0, compare, &kernel);
	for (size_t i = 0; i < kernel.count; i++)
		inspect_partition_add(&p, FIRST_TID + (pid_t)i, (int)tap_below(2000));
	ok(p.calls <= ceiling(kernel.count, p.classes), "wrong guesses keep within the bound: %lu",
	   p.calls);
	inspect_partition_end(&p);
}

static void test_unordered(void)
{
	struct inspect_partition p;

	make(&kernel, 300, 40);
	kernel.unordered = true;
	is_int(add_all(&kernel, 0, &p, classes), 0, "without an order equality is enough");
	inspect_partition_end(&p);
}

static void test_refused(void)
{
	struct inspect_partition p;
	size_t unknown = 0;

	make(&kernel, 600, 50);
	for (size_t i = 0; i < kernel.count; i += 5)
		kernel.error[i] = i % 2 ? -EPERM : -ESRCH;
	is_int(add_all(&kernel, 0, &p, classes), 0, "the others are right");
	for (size_t i = 0; i < kernel.count; i++)
		unknown += classes[i] == kernel.error[i] && classes[i] < 0;
	is_int(unknown, 120, "those that are gone or not to be asked are told so");
	inspect_partition_end(&p);
	kernel.broken = -ENOSYS;
	inspect_partition_begin(&p, INSPECT_FS, 0, compare, &kernel);
	inspect_partition_add(&p, FIRST_TID, -1);
	is_int(inspect_partition_add(&p, FIRST_TID + 1, -1), -ENOSYS, "no kcmp is an error");
	inspect_partition_end(&p);
}

/* Tasks end, or become another user's, while the others are placed. */
static void test_moving(void)
{
	size_t wrong = 0, rounds = 0, ended = 0;

	for (; rounds < 300; rounds++) {
		struct inspect_partition p;

		make(&kernel, 2 + tap_below(120), 1 + tap_below(40));
		inspect_partition_begin(&p, INSPECT_FS, 0, compare, &kernel);
		for (size_t i = 0; i < kernel.count; i++) {
			if (!tap_below(3)) {
				kernel.next = tap_below(kernel.count);
				kernel.dying = 1 + tap_below(6);
			}
			if (!tap_below(9))
				kernel.error[tap_below(kernel.count)] = -EPERM;
			classes[i] = inspect_partition_add(&p, FIRST_TID + (pid_t)i, -1);
			if (kernel.error[i] && classes[i] >= 0)
				ended++;
			/* Only the state of the task itself may be the reason. */
			wrong += classes[i] < 0 && classes[i] != kernel.error[i];
		}
		for (size_t i = 0; i < kernel.count; i++)
			for (size_t j = 0; j < i; j++)
				if (classes[i] >= 0 && classes[i] == classes[j])
					wrong += kernel.object[i] != kernel.object[j];
		/* Of the living: one class where anybody was left to speak for it. */
		for (size_t i = 0; i < kernel.count; i++)
			for (size_t j = 0; j < i; j++)
				if (!kernel.error[i] && !kernel.error[j] && classes[i] >= 0 &&
				    kernel.object[i] == kernel.object[j])
					wrong += classes[i] != classes[j];
		inspect_partition_end(&p);
	}
	is_int(wrong, 0, "%zu rounds in which %zu tasks end or are closed meanwhile", rounds,
	       ended);
}

/* Somebody gets another object meanwhile: what is said to be settled is right for the others. */
static void test_changing(void)
{
	size_t wrong = 0, settled = 0, split = 0, rounds = 0;

	for (; rounds < 3000; rounds++) {
		struct inspect_partition p;
		const size_t odd = tap_below(12), from = odd + 1 + tap_below(20);
		size_t bad = 0;

		make(&kernel, 40, 1 + tap_below(40));
		inspect_partition_begin(&p, INSPECT_FS, 0, compare, &kernel);
		for (size_t i = 0; i < kernel.count; i++) {
			if (i == from)
				kernel.object[odd] = tap_below(4) ? 0x2000 + tap_below(40) * 64 : 0;
			classes[i] = inspect_partition_add(&p, FIRST_TID + (pid_t)i, -1);
		}
		for (size_t i = 0; i < kernel.count; i++)
			for (size_t j = 0; j < i; j++)
				if (i != odd && j != odd)
					bad += (classes[i] == classes[j]) !=
					       (kernel.object[i] == kernel.object[j]);
		split += bad > 0;
		if (inspect_partition_settled(&p)) {
			settled++;
			wrong += bad;
		}
		inspect_partition_end(&p);
	}
	is_int(wrong, 0, "what is settled is right: %zu of %zu rounds", settled, rounds);
	ok(split > rounds / 20 && settled > rounds / 20, "and %zu rounds were not right", split);
}

int main(void)
{
	tap_seed();
	test_changing();
	test_shapes();
	test_nobody();
	test_guess();
	test_unordered();
	test_refused();
	test_moving();
	return tap_done();
}
