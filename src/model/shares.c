/* SPDX-License-Identifier: MIT */
/*
 * Owns the question 'what does the new task have of this resource?', for a call that the kernel
 * accepts; of unshare, what the caller has of it afterwards. Makes no system call and looks at
 * nothing but the call; what the caller's own state adds (a time namespace that waits for its
 * children) is not part of the answer. What setns gives is somebody else's, so it has no mode.
 */
#include "model/rules.h"

#include "uapi/clone.h"

/*
 * The first that applies: new with one of `fresh`, shared with one of `share`, a copy with one of
 * `copy`, else `otherwise`.
 */
struct outcome {
	enum ramet_resource resource;
	uint64_t fresh;
	uint64_t fresh_not; /* flags that keep `fresh` from taking hold … */
	unsigned not_since; /* … from this kernel on */
	uint64_t share;
	uint64_t copy;
	enum ramet_mode otherwise;
};

static const struct outcome made[] = {
	{.resource = RAMET_MEMORY, .share = CLONE_VM, .otherwise = RAMET_MODE_COPY},
	{.resource = RAMET_FILES, .share = CLONE_FILES, .otherwise = RAMET_MODE_COPY},
	{.resource = RAMET_FS, .share = CLONE_FS, .otherwise = RAMET_MODE_COPY},
	/* A cleared table is new: nothing is left of the caller's handlers (ignored stays so). */
	{.resource = RAMET_SIGHAND,
	 .fresh = CLONE_CLEAR_SIGHAND,
	 .share = CLONE_SIGHAND,
	 .otherwise = RAMET_MODE_COPY},
	{.resource = RAMET_THREAD_GROUP, .share = CLONE_THREAD, .otherwise = RAMET_MODE_NEW},
	/* Sharing the parent makes a sibling; otherwise the caller itself is the new parent. */
	{.resource = RAMET_PARENT,
	 .share = CLONE_PARENT | CLONE_THREAD,
	 .otherwise = RAMET_MODE_NEW},
	{.resource = RAMET_SYSVSEM, .share = CLONE_SYSVSEM, .otherwise = RAMET_MODE_NEW},
	{.resource = RAMET_IO, .share = CLONE_IO, .otherwise = RAMET_MODE_COPY},
	/* The pointer is a register and always copied; where it points is memory's matter. */
	{.resource = RAMET_TLS,
	 .fresh = CLONE_SETTLS,
	 .share = CLONE_VM,
	 .otherwise = RAMET_MODE_COPY},
	{.resource = RAMET_MNT, .fresh = CLONE_NEWNS, .otherwise = RAMET_MODE_SHARE},
	{.resource = RAMET_PID, .fresh = CLONE_NEWPID, .otherwise = RAMET_MODE_SHARE},
	{.resource = RAMET_NET, .fresh = CLONE_NEWNET, .otherwise = RAMET_MODE_SHARE},
	{.resource = RAMET_IPC, .fresh = CLONE_NEWIPC, .otherwise = RAMET_MODE_SHARE},
	{.resource = RAMET_UTS, .fresh = CLONE_NEWUTS, .otherwise = RAMET_MODE_SHARE},
	{.resource = RAMET_USER, .fresh = CLONE_NEWUSER, .otherwise = RAMET_MODE_SHARE},
	{.resource = RAMET_CGROUPNS, .fresh = CLONE_NEWCGROUP, .otherwise = RAMET_MODE_SHARE},
	/*
	 * The clock page is part of memory: who shares that enters the namespace only by exec. Before
	 * 6.2 it entered at once, with the old page, and exec did nothing.
	 */
	{.resource = RAMET_TIME,
	 .fresh = CLONE_NEWTIME,
	 .fresh_not = CLONE_VM,
	 .not_since = KERNEL(6, 2),
	 .otherwise = RAMET_MODE_SHARE},
	{.resource = RAMET_CGROUP, .fresh = CLONE_INTO_CGROUP, .otherwise = RAMET_MODE_SHARE},
};

/*
 * unshare: a row that says nothing but `otherwise` is what no flag parts. VM, SIGHAND and THREAD
 * are accepted only where nobody shares them, and then do nothing. New pid and time namespaces are
 * for the children made later; the caller itself stays where it is (time: until exec).
 */
static const struct outcome unshared[] = {
	{.resource = RAMET_MEMORY, .otherwise = RAMET_MODE_SHARE},
	{.resource = RAMET_FILES, .copy = CLONE_FILES, .otherwise = RAMET_MODE_SHARE},
	/* A new mount namespace or user namespace parts it as well. */
	{.resource = RAMET_FS,
	 .copy = CLONE_FS | CLONE_NEWNS | CLONE_NEWUSER,
	 .otherwise = RAMET_MODE_SHARE},
	{.resource = RAMET_SIGHAND, .otherwise = RAMET_MODE_SHARE},
	{.resource = RAMET_THREAD_GROUP, .otherwise = RAMET_MODE_SHARE},
	{.resource = RAMET_PARENT, .otherwise = RAMET_MODE_SHARE},
	/* The list is let go as at the task's end; the next semop with SEM_UNDO begins another. */
	{.resource = RAMET_SYSVSEM,
	 .fresh = CLONE_SYSVSEM | CLONE_NEWIPC,
	 .otherwise = RAMET_MODE_SHARE},
	{.resource = RAMET_IO, .otherwise = RAMET_MODE_SHARE},
	{.resource = RAMET_TLS, .otherwise = RAMET_MODE_SHARE},
	{.resource = RAMET_MNT, .fresh = CLONE_NEWNS, .otherwise = RAMET_MODE_SHARE},
	{.resource = RAMET_PID, .otherwise = RAMET_MODE_SHARE},
	{.resource = RAMET_NET, .fresh = CLONE_NEWNET, .otherwise = RAMET_MODE_SHARE},
	{.resource = RAMET_IPC, .fresh = CLONE_NEWIPC, .otherwise = RAMET_MODE_SHARE},
	{.resource = RAMET_UTS, .fresh = CLONE_NEWUTS, .otherwise = RAMET_MODE_SHARE},
	{.resource = RAMET_USER, .fresh = CLONE_NEWUSER, .otherwise = RAMET_MODE_SHARE},
	{.resource = RAMET_CGROUPNS, .fresh = CLONE_NEWCGROUP, .otherwise = RAMET_MODE_SHARE},
	{.resource = RAMET_TIME, .otherwise = RAMET_MODE_SHARE},
	{.resource = RAMET_CGROUP, .otherwise = RAMET_MODE_SHARE},
};

_Static_assert(sizeof(made) / sizeof(made[0]) == RAMET_RESOURCE_COUNT &&
		       sizeof(unshared) / sizeof(unshared[0]) == RAMET_RESOURCE_COUNT,
	       "every resource has its row");

static bool is_fresh(const struct outcome *row, uint64_t flags, unsigned kernel)
{
	bool holds = !kernel || kernel >= row->not_since;

	return flags & row->fresh && !(holds && flags & row->fresh_not);
}

enum ramet_mode ramet_model_mode(const struct ramet_call *call, unsigned kernel,
				 enum ramet_resource resource)
{
	const struct outcome *rows = call->entry == RAMET_ENTRY_UNSHARE ? unshared : made;
	uint64_t flags = model_flags(call);

	if (call->entry == RAMET_ENTRY_SETNS)
		return 0;
	for (size_t i = 0; i < RAMET_RESOURCE_COUNT; i++) {
		const struct outcome *row = &rows[i];

		if (row->resource != resource)
			continue;
		if (is_fresh(row, flags, kernel))
			return RAMET_MODE_NEW;
		if (flags & row->share)
			return RAMET_MODE_SHARE;
		return flags & row->copy ? RAMET_MODE_COPY : row->otherwise;
	}
	return 0;
}
