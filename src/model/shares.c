/* SPDX-License-Identifier: MIT */
/*
 * Owns the question 'what does the new task have of this resource?', for a call that the kernel
 * accepts. Makes no system call and looks at nothing but the call; what the caller's own state
 * adds (a time namespace that waits for its children) is not part of the answer.
 */
#include "model/rules.h"

#include "uapi/clone.h"

/* The first that applies: new with one of `fresh`, shared with one of `share`, else `otherwise`. */
struct outcome {
	enum ramet_resource resource;
	uint64_t fresh;
	uint64_t fresh_not; /* flags that keep `fresh` from taking hold */
	uint64_t share;
	enum ramet_mode otherwise;
};

static const struct outcome outcomes[] = {
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
	/* The clock page is part of memory: who shares that enters the namespace only by exec. */
	{.resource = RAMET_TIME,
	 .fresh = CLONE_NEWTIME,
	 .fresh_not = CLONE_VM,
	 .otherwise = RAMET_MODE_SHARE},
	{.resource = RAMET_CGROUP, .fresh = CLONE_INTO_CGROUP, .otherwise = RAMET_MODE_SHARE},
};

_Static_assert(sizeof(outcomes) / sizeof(outcomes[0]) == RAMET_RESOURCE_COUNT,
	       "every resource has its row");

enum ramet_mode ramet_model_mode(const struct ramet_call *call, enum ramet_resource resource)
{
	uint64_t flags = model_flags(call);

	for (size_t i = 0; i < RAMET_RESOURCE_COUNT; i++) {
		const struct outcome *row = &outcomes[i];

		if (row->resource != resource)
			continue;
		if (flags & row->fresh && !(flags & row->fresh_not))
			return RAMET_MODE_NEW;
		return flags & row->share ? RAMET_MODE_SHARE : row->otherwise;
	}
	return 0;
}
