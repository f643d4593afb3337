/* SPDX-License-Identifier: MIT */
/*
 * Steps about namespaces and mounts. With a new root every target is looked up as if that were
 * the root already (RESOLVE_IN_ROOT), and mounts are attached to the descriptor found: a symbolic
 * link or a renaming in the tree cannot lead a mount out of it.
 */
#include <errno.h>
#include <fcntl.h>

#include "base/sys.h"
#include "child/steps.h"
#include "uapi/mount.h"

#define UNUSED __attribute__((unused))

long step_join(struct child *child UNUSED, const struct ramet_step *step)
{
	return sys2(SYS_setns, step->number, (int)step->mask);
}

long step_private_mounts(struct child *child UNUSED, const struct ramet_step *step)
{
	static const unsigned long kinds[] = {KERNEL_MS_PRIVATE, KERNEL_MS_SLAVE, KERNEL_MS_SHARED};

	if (step->number < 0 || step->number > 2)
		return -EINVAL;
	return sys_mount("none", "/", NULL, KERNEL_MS_REC | kinds[step->number], NULL);
}

/* The place to mount on, as an O_PATH descriptor. */
static long open_target(const struct child *child, const char *path)
{
	const struct kernel_open_how how = {
		.flags = O_PATH | O_CLOEXEC,
		.resolve = KERNEL_RESOLVE_IN_ROOT | KERNEL_RESOLVE_NO_MAGICLINKS,
	};

	if (!child->has_root)
		return sys_open(path, O_PATH | O_CLOEXEC, 0);
	return sys4(SYS_openat2, child->root, (long)path, (long)&how, sizeof(how));
}

/* Attach a detached mount; both descriptors are given up. */
static long attach(long mount, long target)
{
	long r = target;

	if (r >= 0) {
		r = sys5(SYS_move_mount, mount, (long)"", target, (long)"",
			 KERNEL_MOVE_MOUNT_F_EMPTY_PATH | KERNEL_MOVE_MOUNT_T_EMPTY_PATH);
		sys_close((int)target);
	}
	sys_close((int)mount);
	return r;
}

/* A new file system of that type, detached, or -errno. */
static long make_mount(const char *type, const char *key, const char *value, unsigned attributes)
{
	long context, r;

	context = sys2(SYS_fsopen, (long)type, KERNEL_FSOPEN_CLOEXEC);
	if (context < 0)
		return context;
	r = sys5(SYS_fsconfig, context, KERNEL_FSCONFIG_SET_STRING, (long)"source", (long)type, 0);
	if (r >= 0 && key)
		r = sys5(SYS_fsconfig, context, KERNEL_FSCONFIG_SET_STRING, (long)key, (long)value,
			 0);
	if (r >= 0)
		r = sys5(SYS_fsconfig, context, KERNEL_FSCONFIG_CMD_CREATE, 0, 0, 0);
	if (r >= 0)
		r = sys3(SYS_fsmount, context, KERNEL_FSMOUNT_CLOEXEC, attributes);
	sys_close((int)context);
	return r;
}

long step_proc(struct child *child, const struct ramet_step *step)
{
	long mount = make_mount("proc", NULL, NULL,
				KERNEL_MOUNT_ATTR_NOSUID | KERNEL_MOUNT_ATTR_NODEV |
					KERNEL_MOUNT_ATTR_NOEXEC);

	return mount < 0 ? mount : attach(mount, open_target(child, step->path));
}

long step_tmpfs(struct child *child, const struct ramet_step *step)
{
	long mount = make_mount("tmpfs", "mode", "755",
				KERNEL_MOUNT_ATTR_NOSUID | KERNEL_MOUNT_ATTR_NODEV);

	return mount < 0 ? mount : attach(mount, open_target(child, step->target));
}

static long clone_tree(const char *path, bool recursive)
{
	return sys3(SYS_open_tree, SYS_AT_FDCWD, (long)path,
		    KERNEL_OPEN_TREE_CLONE | O_CLOEXEC | (recursive ? KERNEL_AT_RECURSIVE : 0));
}

/* Read-only before it can be seen anywhere (mount_setattr, 5.12). */
long step_bind(struct child *child, const struct ramet_step *step)
{
	const struct kernel_mount_attr read_only = {.attr_set = KERNEL_MOUNT_ATTR_RDONLY};
	long tree = clone_tree(step->source, step->recursive), r = 0;

	if (tree < 0)
		return tree;
	if (step->read_only)
		r = sys5(SYS_mount_setattr, tree, (long)"",
			 KERNEL_AT_EMPTY_PATH | (step->recursive ? KERNEL_AT_RECURSIVE : 0),
			 (long)&read_only, sizeof(read_only));
	if (r < 0) {
		sys_close((int)tree);
		return r;
	}
	return attach(tree, open_target(child, step->target));
}

/* pivot_root wants a mount of its own: the directory is bound to itself. */
long step_root(struct child *child, const struct ramet_step *step)
{
	long tree, target, r;

	tree = clone_tree(step->path, true);
	if (tree < 0)
		return tree;
	target = sys_open(step->path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	r = target;
	if (target >= 0) {
		r = sys5(SYS_move_mount, tree, (long)"", target, (long)"",
			 KERNEL_MOVE_MOUNT_F_EMPTY_PATH | KERNEL_MOVE_MOUNT_T_EMPTY_PATH);
		sys_close((int)target);
	}
	if (r < 0) {
		sys_close((int)tree);
		return r;
	}
	child->root = (int)tree;
	child->has_root = true;
	return 0;
}

/* The old root lands on top of the new one for a moment, and is let go of. */
long step_pivot(struct child *child, const struct ramet_step *step UNUSED)
{
	long r = sys1(SYS_fchdir, child->root);

	if (r >= 0)
		r = sys2(SYS_pivot_root, (long)".", (long)".");
	if (r >= 0)
		r = sys2(SYS_umount2, (long)".", KERNEL_MNT_DETACH);
	if (r >= 0)
		r = sys_chdir("/");
	sys_close(child->root);
	child->has_root = false;
	return r;
}
