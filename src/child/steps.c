/* SPDX-License-Identifier: MIT */
/* Steps about the process itself: session, names, mounts, identity, directories, body. */
#include "child/steps.h"

#include <errno.h>

#include "base/sys.h"
#include "uapi/clone.h"

#define SIGKILL_NUMBER 9
#define EMPTY_PATH 0x1000 /* AT_EMPTY_PATH */

#define UNUSED __attribute__((unused))

/* Whether the process of a pidfd has ended. */
static bool has_ended(int pidfd)
{
	struct {
		int fd;
		short events, revents;
	} poll = {.fd = pidfd, .events = 1 /* POLLIN */};
	const struct kernel_timespec now = {0};

	return pidfd >= 0 && sys5(SYS_ppoll, (long)&poll, 1, (long)&now, 0, 0) == 1;
}

long step_wait_go(struct child *child, const struct ramet_step *step)
{
	const uint32_t *go = &child->record->go;
	const bool sibling = *child->used_flags & CLONE_PARENT && !child->shielded;
	const struct kernel_timespec look = {.tv_nsec = 100000000};
	const int caller = step->number;
	long parent;
	uint32_t value;

	/*
	 * If the caller is killed meanwhile nobody says go: end with it. Killed before this line it
	 * is our parent no more. (0 is a parent outside a new pid namespace, dead or alive: then
	 * the step has a pidfd of the caller's, which is asked again and again, since a process
	 * counts as ended only a moment after it has left its children.)
	 */
	if (!sibling) {
		sys_prctl(KERNEL_PR_SET_PDEATHSIG, SIGKILL_NUMBER, 0, 0, 0);
		parent = sys_getppid();
		if (parent && parent != child->caller)
			return -ECANCELED;
	}
	while ((value = __atomic_load_n(go, __ATOMIC_ACQUIRE)) == CHILD_GO_WAIT) {
		if (has_ended(caller))
			return -ECANCELED;
		sys_futex_wait(go, CHILD_GO_WAIT, caller >= 0 ? &look : NULL);
	}
	if (!sibling)
		sys_prctl(KERNEL_PR_SET_PDEATHSIG, 0, 0, 0, 0);
	if (caller >= 0 && !(*child->used_flags & CLONE_FILES))
		sys_close(caller);
	return value == CHILD_GO_ON ? 0 : -ECANCELED;
}

/* Run through child->split by the loop; never through the table. */
long step_init(struct child *child UNUSED, const struct ramet_step *step UNUSED)
{
	return -ENOSYS;
}

long step_setsid(struct child *child UNUSED, const struct ramet_step *step UNUSED)
{
	return sys_setsid();
}

long step_setpgid(struct child *child UNUSED, const struct ramet_step *step)
{
	return sys_setpgid(0, step->number);
}

long step_hostname(struct child *child UNUSED, const struct ramet_step *step)
{
	size_t n = 0;

	while (step->path[n])
		n++;
	return sys_sethostname(step->path, n);
}

/*
 * The kernel does this by itself unless fs.suid_dumpable is 1. Where the memory is a copy of the
 * caller's the new identity must not read it before exec, and the child can see to that alone.
 */
static void guard_copy(const struct child *child)
{
	if (child->copied)
		sys_prctl(KERNEL_PR_SET_DUMPABLE, 0, 0, 0, 0);
}

long step_groups(struct child *child UNUSED, const struct ramet_step *step)
{
	return sys_setgroups(step->count, step->groups);
}

long step_gid(struct child *child, const struct ramet_step *step)
{
	const uint32_t gid = (uint32_t)step->number;

	guard_copy(child);
	return sys_setresgid(gid, gid, gid);
}

long step_uid(struct child *child, const struct ramet_step *step)
{
	const uint32_t uid = (uint32_t)step->number;

	guard_copy(child);
	return sys_setresuid(uid, uid, uid);
}

long step_cwd(struct child *child UNUSED, const struct ramet_step *step)
{
	return sys_chdir(step->path);
}

long step_umask(struct child *child UNUSED, const struct ramet_step *step)
{
	return sys_umask((unsigned)step->number);
}

long step_no_new_privs(struct child *child UNUSED, const struct ramet_step *step UNUSED)
{
	return sys_prctl(KERNEL_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/*
 * The paths were built before the clone. As a shell does: what is not there is passed over, a
 * file that may not be executed is remembered in case nothing better follows.
 */
long step_exec(struct child *child UNUSED, const struct ramet_step *step)
{
	bool forbidden = false;
	long r = -ENOENT;

	if (step->number >= 0)
		return sys_execveat(step->number, "", step->argv, step->envp, EMPTY_PATH);
	for (const char *const *path = step->paths; *path; path++) {
		r = sys_execve(*path, step->argv, step->envp);
		if (r == -EACCES)
			forbidden = true;
		else if (r != -ENOENT && r != -ENOTDIR)
			return r;
	}
	return forbidden ? -EACCES : r;
}

long step_call(struct child *child, const struct ramet_step *step)
{
	int (*const fn)(void *) = step->fn;
	void *const arg = step->arg;

	/* From here on the caller may take the steps away. */
	child_started(child);
	return fn(arg) & 0xff;
}
