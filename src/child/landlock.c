/* SPDX-License-Identifier: MIT */
/* Landlock (5.13): the rules are collected in a descriptor by the first step that needs it. */
#include <errno.h>
#include <fcntl.h>

#include "base/sys.h"
#include "child/steps.h"

#define UNUSED __attribute__((unused))

#define CREATE_RULESET_VERSION 1
#define RULE_PATH_BENEATH 1

/* linux/landlock.h; the rights that an ABI version adds to those before. */
#define EXECUTE (1ULL << 0)
#define WRITE_FILE (1ULL << 1)
#define READ_FILE (1ULL << 2)
#define READ_DIR (1ULL << 3)
#define TRUNCATE (1ULL << 14)
#define IOCTL_DEV (1ULL << 15)
#define READING (EXECUTE | READ_FILE | READ_DIR)
/* All that a rule about a file, not a directory, may name. */
#define OF_FILES (EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV)

static uint64_t rights_of(long abi)
{
	static const uint64_t added[] = {0x1fff, 1ULL << 13, TRUNCATE, 0, IOCTL_DEV};
	uint64_t rights = 0;

	for (long i = 0; i < abi && i < (long)(sizeof(added) / sizeof(added[0])); i++)
		rights |= added[i];
	return rights;
}

static long make_ruleset(struct child *child)
{
	const long abi = sys3(SYS_landlock_create_ruleset, 0, 0, CREATE_RULESET_VERSION);
	uint64_t handled;
	long fd;

	if (abi < 0)
		return abi;
	handled = rights_of(abi);
	fd = sys3(SYS_landlock_create_ruleset, (long)&handled, sizeof(handled), 0);
	if (fd < 0)
		return fd;
	child->landlock = (int)fd;
	child->landlock_rights = handled;
	return 0;
}

static bool is_directory(long fd)
{
	const long self = sys4(SYS_openat, fd, (long)".", O_PATH | O_CLOEXEC, 0);

	if (self >= 0)
		sys_close((int)self);
	return self >= 0;
}

long step_landlock(struct child *child, const struct ramet_step *step)
{
	struct {
		uint64_t allowed;
		int32_t parent;
	} __attribute__((packed)) rule;
	long fd, r = 0;

	if (!child->landlock_rights)
		r = make_ruleset(child);
	if (r < 0)
		return r;
	fd = sys_open(step->target, O_PATH | O_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	rule.allowed = child->landlock_rights & (step->number ? ~0ULL : READING);
	if (!is_directory(fd))
		rule.allowed &= OF_FILES;
	rule.parent = (int32_t)fd;
	r = sys4(SYS_landlock_add_rule, child->landlock, RULE_PATH_BENEATH, (long)&rule, 0);
	sys_close((int)fd);
	return r;
}

long step_restrict(struct child *child, const struct ramet_step *step UNUSED)
{
	long r = sys2(SYS_landlock_restrict_self, child->landlock, 0);

	sys_close(child->landlock);
	return r;
}
