/* SPDX-License-Identifier: MIT */
/*
 * What the rules say of a step before it is taken: the world knows what the caller shares, and
 * /proc what it may.
 */
#include "colony/foretell.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sys.h"
#include "colony/sight.h"
#include "uapi/clone.h"

#define KERNEL_PIDFD_THREAD O_EXCL
#define CAP_SYS_CHROOT_ 18
#define CAP_SYS_PTRACE_ 19
#define CAP_SYS_ADMIN_ 21

const struct task *task_of(const struct life *l, int label)
{
	return l->tids[label] ? world_find(l->world, l->tids[label]) : NULL;
}

int tgid_of(const struct life *l, int label)
{
	const struct task *t = task_of(l, label);

	return t ? t->process->leader->tid : 0;
}

/* ---- clone and unshare ---- */

static bool read_caps(int tgid, int tid, uint64_t *permitted, uint64_t *effective)
{
	char path[64], text[4096];
	const char *at;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/status", tgid, tid);
	if (sight_read(path, text, sizeof(text)) <= 0 || !(at = strstr(text, "CapPrm:")))
		return false;
	*permitted = strtoull(at + 7, NULL, 16);
	at = strstr(text, "CapEff:");
	*effective = strtoull(at + 7, NULL, 16);
	return true;
}

static bool is_unmapped(int tgid, int tid)
{
	char path[64], text[256];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/uid_map", tgid, tid);
	if (sight_read(path, text, sizeof(text)) <= 0)
		return true;
	snprintf(path, sizeof(path), "/proc/%d/task/%d/gid_map", tgid, tid);
	return sight_read(path, text, sizeof(text)) <= 0;
}

static struct ramet_caller caller_of(const struct life *l, int label, uint64_t *permitted)
{
	const int tid = l->tids[label], tgid = tgid_of(l, label);
	struct ramet_caller c = {0};
	uint64_t effective = 0;

	ramet_world_caller(l->world, tid, &c);
	if (read_caps(tgid, tid, permitted, &effective)) {
		c.sys_admin = effective >> CAP_SYS_ADMIN_ & 1;
		c.sys_chroot = effective >> CAP_SYS_CHROOT_ & 1;
		c.checkpoint = c.sys_admin;
		c.known |= RAMET_KNOWN_CAPS;
	}
	c.unmapped = is_unmapped(tgid, tid);
	c.known |= RAMET_KNOWN_IDS | RAMET_KNOWN_ROOT | RAMET_KNOWN_NAMESPACES;
	return c;
}

/*
 * Two rules look at what struct ramet_caller does not hold: a pid namespace whose pid 1 has ended
 * (last of all), and one whose owner is not above the new task's user namespace.
 */
static int foretell_rest(const struct life *l, const struct step *s)
{
	const struct task *t = task_of(l, s->who);
	const struct object *pids = object_of(t, SLOT_PID_FOR_CHILDREN);
	const struct object *owner = object_true(pids->owner);

	if (s->flags & CLONE_NEWPID && owner && !namespace_holds(owner, object_of(t, SLOT_USER)))
		return EINVAL;
	if (s->kind == STEP_CLONE && !(s->flags & CLONE_NEWPID) && pids->pids == PIDS_DEAD)
		return ENOMEM;
	return 0;
}

int foretell(const struct life *l, const struct step *s, const struct ramet_call *call,
	     bool *ret_late)
{
	uint64_t permitted;
	const struct ramet_caller c = caller_of(l, s->who, &permitted);
	const struct ramet_rule *rule = ramet_check(call, &c);

	*ret_late = !rule || strstr(rule->source, "copy_namespaces") ||
		    strstr(rule->source, "pid_namespace.c");
	return rule ? rule->error : foretell_rest(l, s);
}

/* ---- setns ---- */

static const struct {
	uint64_t flag;
	const char *name;
	enum slot slot, next;
} targets[] = {
	{CLONE_NEWUSER, "user", SLOT_USER, SLOT_USER},
	{CLONE_NEWNS, "mnt", SLOT_MNT, SLOT_MNT},
	{CLONE_NEWUTS, "uts", SLOT_UTS, SLOT_UTS},
	{CLONE_NEWIPC, "ipc", SLOT_IPC, SLOT_IPC},
	{CLONE_NEWPID, "pid", SLOT_PID, SLOT_PID_FOR_CHILDREN},
	{CLONE_NEWNET, "net", SLOT_NET, SLOT_NET},
	{CLONE_NEWCGROUP, "cgroup", SLOT_CGROUPNS, SLOT_CGROUPNS},
	{CLONE_NEWTIME, "time", SLOT_TIME, SLOT_TIME_FOR_CHILDREN},
};
#define TARGETS (sizeof(targets) / sizeof(targets[0]))

int open_target(const struct life *l, const struct step *s)
{
	const int tid = l->tids[s->other], tgid = tgid_of(l, s->other);
	char path[80];

	if (s->number == BY_PIDFD)
		return (int)sys_pidfd_open(tid, tid == tgid ? 0 : KERNEL_PIDFD_THREAD);
	for (unsigned i = 0; i < TARGETS; i++)
		if (s->flags == targets[i].flag) {
			snprintf(path, sizeof(path), "/proc/%d/task/%d/ns/%s%s", tgid, tid,
				 targets[i].name,
				 s->number == BY_FILE_FOR_CHILDREN ? "_for_children" : "");
			return open(path, O_RDONLY | O_CLOEXEC);
		}
	return -1;
}

/* May it read the task as a debugger does? All tasks here have one uid. */
static bool is_closed(const struct life *l, int who, int other, uint64_t permitted, int ptrace_cap)
{
	const struct task *t = task_of(l, who), *o = task_of(l, other);
	const struct object *own = object_of(t, SLOT_USER), *its = object_of(o, SLOT_USER);
	uint64_t theirs = 0, ignored;

	if (t->process == o->process)
		return false;
	if (own != its)
		return !namespace_holds(own, its);
	read_caps(tgid_of(l, other), o->tid, &theirs, &ignored);
	return !ptrace_cap && theirs & ~permitted;
}

/* Those of the types that the caller's own user namespace owns: there it needs the capability. */
static uint64_t at_home(const struct life *l, const struct step *s)
{
	const struct object *own = object_of(task_of(l, s->who), SLOT_USER);
	const bool next = s->number == BY_FILE_FOR_CHILDREN;
	uint64_t types = 0;

	for (unsigned i = 0; i < TARGETS; i++) {
		const struct object *o =
			object_of(task_of(l, s->other), next ? targets[i].next : targets[i].slot);
		const struct object *owner = o ? object_true(o->owner) : NULL;

		if (s->flags & targets[i].flag && o && (owner ? owner == own : !own->parent))
			types |= targets[i].flag;
	}
	return types & ~CLONE_NEWUSER;
}

bool is_perhaps_closed(const struct life *l, const struct step *s)
{
	const struct task *t = task_of(l, s->who), *o = task_of(l, s->other);
	uint64_t permitted = 0, effective = 0;

	if (s->number != BY_PIDFD || o->state == RAMET_STATE_ALIVE || t->process == o->process)
		return false;
	read_caps(tgid_of(l, s->who), l->tids[s->who], &permitted, &effective);
	return object_of(t, SLOT_USER)->parent || !(effective >> CAP_SYS_PTRACE_ & 1);
}

int foretell_setns(const struct life *l, const struct step *s, const struct ramet_call *call)
{
	uint64_t permitted = 0, effective = 0;
	struct ramet_caller c = caller_of(l, s->who, &permitted);
	const struct ramet_rule *rule;

	ramet_world_target(l->world, l->tids[s->who], l->tids[s->other], s->flags,
			   s->number == BY_FILE_FOR_CHILDREN, &c.target);
	c.known |= RAMET_KNOWN_TARGET;
	if (s->number == BY_PIDFD) {
		read_caps(tgid_of(l, s->who), l->tids[s->who], &permitted, &effective);
		c.target.fd = RAMET_FD_PIDFD;
		c.target.closed =
			is_closed(l, s->who, s->other, permitted, effective >> CAP_SYS_PTRACE_ & 1);
	} else {
		c.target.fd = RAMET_FD_NAMESPACE;
		c.target.type = s->flags;
		c.target.dead = 0;
	}
	if (!c.sys_admin)
		c.target.no_admin |= at_home(l, s);
	rule = ramet_check(call, &c);
	return rule ? rule->error : 0;
}
