/* SPDX-License-Identifier: MIT */
/*
 * Owns the reading of struct ramet_target: what the descriptor given to setns names, and whether
 * the caller has CAP_SYS_ADMIN over it. Asks the kernel about namespaces by ioctl, and of a pidfd's
 * task by /proc. Changes nothing and joins nothing.
 */
#include "caller/read.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/stat.h>
#include <string.h>

#include "base/sys.h"
#include "uapi/clone.h"

#define KERNEL_NSFS_MAGIC 0x6e736673
#define KERNEL_PIDFS_MAGIC 0x50494446 /* pidfds have a file system of their own from 6.9 on */
#define KERNEL_NS_GET_USERNS 0xb701
#define KERNEL_NS_GET_PARENT 0xb702
#define KERNEL_NS_GET_NSTYPE 0xb703
#define KERNEL_NS_GET_OWNER_UID 0xb704
#define KERNEL_AT_EMPTY_PATH 0x1000
#define KERNEL_KCMP_VM 1

#define OWN_USER "/proc/thread-self/ns/user"
#define OWN_PID "/proc/thread-self/ns/pid"

static const struct {
	uint64_t type;
	const char *name; /* in /proc/PID, behind a slash */
} namespaces[] = {
	{CLONE_NEWUSER, "/ns/user"}, {CLONE_NEWNS, "/ns/mnt"},	  {CLONE_NEWUTS, "/ns/uts"},
	{CLONE_NEWIPC, "/ns/ipc"},   {CLONE_NEWPID, "/ns/pid"},	  {CLONE_NEWCGROUP, "/ns/cgroup"},
	{CLONE_NEWNET, "/ns/net"},   {CLONE_NEWTIME, "/ns/time"},
};

static long ask(int fd, long what)
{
	return sys3(SYS_ioctl, fd, what, 0);
}

/* 1: the descriptor is of that file, 0: of another, or -errno. */
static int is_file(int fd, const char *path)
{
	struct statx a, b;
	long r = sys5(SYS_statx, fd, (long)"", KERNEL_AT_EMPTY_PATH, STATX_INO, (long)&a);

	if (r == 0)
		r = sys5(SYS_statx, SYS_AT_FDCWD, (long)path, 0, STATX_INO, (long)&b);
	if (r < 0)
		return (int)r;
	return a.stx_ino == b.stx_ino && a.stx_dev_minor == b.stx_dev_minor &&
	       a.stx_dev_major == b.stx_dev_major;
}

/* ---- Capabilities over a user namespace, as the kernel's cap_capable() finds them ---- */

struct rights {
	bool admin, chroot;
};

static struct rights own_rights(const struct ramet_caller *c)
{
	return (struct rights){c->sys_admin, c->sys_chroot};
}

/*
 * Of the namespace `fd` directly below the caller's own: its owner has every capability in it.
 * An id without mapping reads as the overflow id, so that two of them may be different users.
 */
static bool rights_below(int fd, const struct ramet_caller *c, struct rights *ret)
{
	uint32_t uid;
	long r = sys3(SYS_ioctl, fd, KERNEL_NS_GET_OWNER_UID, (long)&uid);

	if (r < 0 || !(c->known & RAMET_KNOWN_IDS))
		return false;
	*ret = own_rights(c);
	if (uid != (uint32_t)sys0(SYS_geteuid) || (ret->admin && ret->chroot))
		return true;
	*ret = (struct rights){true, true};
	return !c->unmapped;
}

/* Over the user namespace `fd`, which is closed. False if it cannot be told. */
static bool rights_over(int fd, const struct ramet_caller *c, struct rights *ret)
{
	struct rights lowest = own_rights(c);
	bool found = false;

	for (;;) {
		int own = is_file(fd, OWN_USER);
		long parent = own ? -EPERM : ask(fd, KERNEL_NS_GET_PARENT);

		if (own < 0 || (!own && parent == -EPERM)) {
			/* Neither the caller's nor below it. */
			*ret = (struct rights){false, false};
			found = own == 0;
			break;
		}
		if (own) {
			*ret = lowest;
			found = true;
			break;
		}
		if (parent < 0)
			break;
		own = is_file((int)parent, OWN_USER);
		found = own == 0 || (own > 0 && rights_below(fd, c, &lowest));
		sys_close(fd);
		fd = (int)parent;
		if (!found)
			break;
	}
	sys_close(fd);
	return found;
}

/* ---- One namespace ---- */

/* Over the namespace's owner; of a user namespace, over itself. */
static bool rights_for(int fd, uint64_t type, const struct ramet_caller *c, struct rights *ret)
{
	long user;

	if (type == CLONE_NEWUSER)
		user = sys_fcntl(fd, F_DUPFD_CLOEXEC, 3);
	else
		user = ask(fd, KERNEL_NS_GET_USERNS);
	*ret = (struct rights){false, false};
	if (user == -EPERM) /* its owner is neither the caller's nor below it */
		return true;
	return user >= 0 && rights_over((int)user, c, ret);
}

static bool read_namespace(int fd, uint64_t type, struct ramet_caller *c)
{
	struct ramet_target *target = &c->target;
	struct rights rights;
	long r;

	if (!(c->known & RAMET_KNOWN_CAPS) || !rights_for(fd, type, c, &rights))
		return false;
	if (!rights.admin)
		target->no_admin |= type;
	if (type == CLONE_NEWUSER) {
		target->no_chroot = !rights.chroot;
		r = is_file(fd, OWN_USER);
		target->own_user = r > 0;
		return r >= 0;
	}
	if (type == CLONE_NEWPID) {
		r = is_file(fd, OWN_PID);
		if (r < 0)
			return false;
		/* The parent is shown if it is the caller's own or below. */
		r = r ? -ENOTTY : ask(fd, KERNEL_NS_GET_PARENT);
		target->unrelated_pids = r == -EPERM;
		if (r >= 0)
			sys_close((int)r);
		return r >= 0 || r == -EPERM || r == -ENOTTY;
	}
	return true;
}

/* ---- A task ---- */

static bool is_pidfd(int fd, long magic)
{
	char path[PATH_SIZE], name[WORD_SIZE];

	if (magic == KERNEL_PIDFS_MAGIC)
		return true;
	path_make(path, "/proc/thread-self/fd/", (uint64_t)fd, "");
	return read_link(path, name, sizeof(name)) > 0 && !strcmp(name, "anon_inode:[pidfd]");
}

/* As /proc numbers it; 0 if it shows it not, *ret_gone if it has been reaped. */
static uint64_t pidfd_number(int fd, bool *ret_gone)
{
	char path[PATH_SIZE], word[WORD_SIZE];
	uint64_t pid = 0;
	struct reader r;
	bool first;

	*ret_gone = false;
	path_make(path, "/proc/thread-self/fdinfo/", (uint64_t)fd, "");
	if (!reader_open(&r, path))
		return 0;
	if (reader_find(&r, "Pid:") && reader_word(&r, word, &first)) {
		*ret_gone = !strcmp(word, "-1");
		if (!parse_number(word, &pid))
			pid = 0;
	}
	sys_close(r.fd);
	return pid;
}

/*
 * May the caller read the task? kcmp asks that with the real ids, as setns does; /proc, with the
 * file system ids, stands in where there is no kcmp or where its numbers are others. What has no
 * namespaces any more is a zombie. The kernel asks for the right first. False: cannot be told.
 */
static bool read_access(uint64_t pid, struct ramet_target *target)
{
	long r = is_proc_ours() ? sys5(SYS_kcmp, (long)pid, (long)pid, KERNEL_KCMP_VM, 0, 0)
				: -ENOSYS;
	char path[PATH_SIZE], name[WORD_SIZE];

	if (r == -EPERM) {
		target->closed = 1;
		return true;
	}
	path_make(path, "/proc/", pid, "/ns/mnt");
	r = read_link(path, name, sizeof(name));
	target->closed = r == -EACCES;
	target->dead = r == -ENOENT;
	return r >= 0 || target->closed || target->dead;
}

static bool read_task(int fd, uint64_t types, struct ramet_caller *c)
{
	struct ramet_target *target = &c->target;
	bool gone, good = true;
	uint64_t pid = pidfd_number(fd, &gone);

	target->dead = gone;
	if (gone)
		return true;
	if (!pid || !read_access(pid, target))
		return false;
	if (target->dead || target->closed)
		return true;
	for (size_t i = 0; good && i < sizeof(namespaces) / sizeof(namespaces[0]); i++) {
		char path[PATH_SIZE];
		long ns;

		if (!(types & namespaces[i].type))
			continue;
		path_make(path, "/proc/", pid, namespaces[i].name);
		ns = sys_open(path, O_RDONLY | O_CLOEXEC, 0);
		good = ns >= 0 && read_namespace((int)ns, namespaces[i].type, c);
		if (ns >= 0)
			sys_close((int)ns);
	}
	return good;
}

/* ---- The descriptor ---- */

static bool read_descriptor(int fd, uint64_t types, struct ramet_caller *c)
{
	long statfs[32]; /* the first word is the type; the kernel writes 15 */
	long flags = sys_fcntl(fd, F_GETFL, 0);

	if (flags == -EBADF || (flags >= 0 && flags & O_PATH)) {
		c->target.fd = RAMET_FD_BAD;
		return true;
	}
	if (flags < 0 || sys2(SYS_fstatfs, fd, (long)statfs) < 0)
		return false;
	/* Files of nsfs are namespaces and nothing else; those of newer kinds have types too. */
	if (statfs[0] == KERNEL_NSFS_MAGIC) {
		long type = ask(fd, KERNEL_NS_GET_NSTYPE);

		c->target.fd = RAMET_FD_NAMESPACE;
		c->target.type = (uint64_t)type;
		return type > 0 && read_namespace(fd, (uint64_t)type, c);
	}
	if (is_pidfd(fd, statfs[0])) {
		c->target.fd = RAMET_FD_PIDFD;
		return read_task(fd, types, c);
	}
	c->target.fd = RAMET_FD_OTHER;
	return true;
}

void read_target(const struct ramet_call *call, struct ramet_caller *ret)
{
	if (call->entry != RAMET_ENTRY_SETNS)
		return;
	if (read_descriptor((int)call->fd, call->flags, ret))
		ret->known |= RAMET_KNOWN_TARGET;
	else
		memset(&ret->target, 0, sizeof(ret->target));
}
