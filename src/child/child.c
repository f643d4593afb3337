/* SPDX-License-Identifier: MIT */
/* The loop, the record, and the body. */
#include "child/child.h"

#include <errno.h>

#include "base/sys.h"
#include "child/steps.h"

#define KIND(constant, name_, side_, rank_, run_, text_)                                           \
	[RAMET_STEP_##constant] = {                                                                \
		.name = (name_),                                                                   \
		.text = (text_),                                                                   \
		.side = STEP_SIDE_##side_,                                                         \
		.rank = (rank_),                                                                   \
		.run = (run_),                                                                     \
	},
static const struct step_kind kinds[RAMET_STEP_COUNT_] = {
#include "child/kinds.def"
};

const struct step_kind *step_kind(uint32_t kind)
{
	return kind < RAMET_STEP_COUNT_ && kinds[kind].name ? &kinds[kind] : NULL;
}

static void set_word(struct child_record *record, uint32_t value)
{
	__atomic_store_n(&record->word, value, __ATOMIC_RELEASE);
	sys_futex_wake(&record->word, 1);
}

void child_started(struct child *child)
{
	if (!child->notify)
		return;
	if (child->robust)
		sys_set_robust_list(child->libc_robust_list);
	set_word(child->record, CHILD_WORD_STARTED);
}

/*
 * Own the word the robust way. The kernel compares it with the tid as this task itself knows it,
 * so it is asked here and not taken from the caller, who may be in another pid namespace.
 */
static void own_word(struct child *child)
{
	struct kernel_robust_list_head *head = &child->robust_list;
	struct kernel_robust_list *link = &child->record->link;
	size_t size;

	/* A child made by the C library's fork has the library's own list, which its body needs. */
	if (sys_get_robust_list(&child->libc_robust_list, &size) < 0)
		child->libc_robust_list = NULL;
	link->next = &head->list;
	head->list.next = link;
	head->futex_offset = CHILD_ROBUST_OFFSET;
	head->list_op_pending = NULL;
	__atomic_store_n(&child->record->word, (uint32_t)sys_gettid() | KERNEL_FUTEX_WAITERS,
			 __ATOMIC_RELEASE);
	if (sys_set_robust_list(head) < 0)
		__atomic_store_n(&child->record->word, CHILD_WORD_STEPPING, __ATOMIC_RELEASE);
	/* The caller may sleep on the first value. */
	sys_futex_wake(&child->record->word, 1);
}

static int fail(struct child *child, unsigned step, long error)
{
	child->record->step = step;
	child->record->error = (int32_t)-error;
	__atomic_store_n(&child->record->phase, CHILD_FAILED, __ATOMIC_RELEASE);
	return CHILD_FAILED_STATUS;
}

int child_continue(struct child *child, unsigned next)
{
	const struct ramet_step *step;
	bool calls;
	long r;

	for (unsigned i = next; i < child->count; i++) {
		step = &child->steps[i];
		if (kinds[step->kind].side != STEP_SIDE_CHILD)
			continue;
		if (step->kind == RAMET_STEP_INIT)
			return (int)child->split(child, i + 1);
		/* Once the function has begun the caller may have taken the steps away. */
		calls = step->kind == RAMET_STEP_CALL;
		if (calls || step->kind == RAMET_STEP_EXEC)
			__atomic_store_n(&child->record->phase, CHILD_BODY, __ATOMIC_RELEASE);
		r = kinds[step->kind].run(child, step);
		if (calls)
			return (int)r;
		if (r < 0)
			return fail(child, i, r);
	}
	/* No body: the caller of a task that returns twice goes on from here. */
	__atomic_store_n(&child->record->phase, CHILD_BODY, __ATOMIC_RELEASE);
	child_started(child);
	return 0;
}

int child_run(void *arg)
{
	struct child *child = arg;

	__atomic_store_n(&child->record->phase, CHILD_STEPPING, __ATOMIC_RELEASE);
	if (child->robust)
		own_word(child);
	return child_continue(child, 0);
}
