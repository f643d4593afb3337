/* SPDX-License-Identifier: MIT */
/*
 * The state of a task whose call was refused, as far as rules look at it: what the world knows, and
 * what /proc shows of the task, which is stopped meanwhile. Each field is marked as known only
 * where it is sure.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "inspect/inspect.h"
#include "inspect/parse.h"
#include "inspect/text.h"
#include "trace/record.h"

#ifndef CAP_CHECKPOINT_RESTORE
#define CAP_CHECKPOINT_RESTORE 40
#endif
#define KERNEL_SCHED_DEADLINE 6
#define KERNEL_SCHED_RESET_ON_FORK 0x40000000
/* Part of the ABI (PROC_USER_INIT_INO). */
#define FIRST_USER_NAMESPACE 4026531837u

static bool has(const struct inspect_rights *rights, unsigned capability)
{
	return rights->effective >> capability & 1;
}

static bool read_rights(int tid, struct inspect_rights *ret)
{
	char path[40], text[8192];

	snprintf(path, sizeof(path), "/proc/%d/status", tid);
	return inspect_text(AT_FDCWD, path, text, sizeof(text)) > 0 &&
	       inspect_parse_status(text, ret) == 0;
}

static void take_rights(const struct inspect_rights *rights, struct ramet_caller *c)
{
	c->sys_admin = has(rights, CAP_SYS_ADMIN);
	c->sys_chroot = has(rights, CAP_SYS_CHROOT);
	c->checkpoint = has(rights, CAP_CHECKPOINT_RESTORE);
	c->setid = has(rights, CAP_SETUID) && has(rights, CAP_SETGID);
	c->known |= RAMET_KNOWN_CAPS;
}

static void read_scheduling(int tid, struct ramet_caller *c)
{
	int policy = sched_getscheduler(tid);

	if (policy < 0)
		return;
	c->deadline = (policy & ~KERNEL_SCHED_RESET_ON_FORK) == KERNEL_SCHED_DEADLINE &&
		      !(policy & KERNEL_SCHED_RESET_ON_FORK);
	c->known |= RAMET_KNOWN_SCHED;
}

/* All tasks of a user that /proc shows. */
static bool count_tasks(uid_t uid, uint64_t *ret)
{
	struct inspect_task task;
	struct dirent *entry;
	DIR *dir = opendir("/proc");
	int64_t owner, threads;

	if (!dir)
		return false;
	*ret = 0;
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
			continue;
		task.tid = atoi(entry->d_name);
		snprintf(task.proc, sizeof(task.proc), "/proc/%d", task.tid);
		if (inspect_status(&task, "Uid", &owner) == 0 && owner == uid &&
		    inspect_status(&task, "Threads", &threads) == 0)
			*ret += (uint64_t)threads;
	}
	closedir(dir);
	return true;
}

/* In the first user namespace alone it is plain who is exempt. */
static void read_limits(int tid, const struct inspect_rights *rights, struct ramet_caller *c)
{
	struct rlimit limit;

	if (prlimit(tid, RLIMIT_NPROC, NULL, &limit) < 0)
		return;
	c->nproc_limit = limit.rlim_cur == RLIM_INFINITY ? ~0ULL : limit.rlim_cur;
	if (!rights->uid || has(rights, CAP_SYS_RESOURCE) || has(rights, CAP_SYS_ADMIN))
		c->nproc_limit = ~0ULL;
	if (c->nproc_limit == ~0ULL || count_tasks(rights->uid, &c->nproc))
		c->known |= RAMET_KNOWN_LIMITS;
}

/* Not a root of any mount is a chroot for sure; no is never known. */
static void read_descriptor(const struct trace_event *e, struct ramet_caller *c)
{
	char path[64], link[64] = "";

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", e->tid, e->line.fd);
	if (readlink(path, link, sizeof(link) - 1) < 0) {
		if (errno != ENOENT)
			return;
		c->target.fd = RAMET_FD_BAD;
	} else if (strstr(link, ":[") || strstr(link, "[pidfd]") || !strncmp(link, "pidfd:", 6)) {
		return; /* what it would take to join is not asked */
	} else {
		c->target.fd = RAMET_FD_OTHER;
	}
	c->known |= RAMET_KNOWN_TARGET;
}

void record_read_caller(const struct record *r, const struct trace_event *e,
			struct ramet_caller *ret)
{
	/* Those are of the machine, or of all in one user namespace. */
	const uint32_t ours = RAMET_KNOWN_TLS | RAMET_KNOWN_NAMESPACES;
	struct inspect_task task = {.tid = e->tid}, self = {.tid = getpid(), .proc = "/proc/self"};
	struct inspect_rights rights;
	uint64_t user = 0, own_user = 1;
	struct ramet_caller c;

	if (ramet_world_caller(r->world, e->tid, &c) < 0)
		c = (struct ramet_caller){.kernel = r->own.kernel};
	snprintf(task.proc, sizeof(task.proc), "/proc/%d", e->tid);
	inspect_ns(&task, "user", &user);
	inspect_ns(&self, "user", &own_user);
	c.tls_limit = r->own.tls_limit;
	c.no_namespaces = r->own.no_namespaces;
	c.known |= r->own.known & (user == own_user ? ours : RAMET_KNOWN_TLS);
	if (read_rights(e->tid, &rights)) {
		take_rights(&rights, &c);
		if (user == FIRST_USER_NAMESPACE) {
			c.known |= RAMET_KNOWN_IDS;
			if (e->line.error == EAGAIN)
				read_limits(e->tid, &rights, &c);
		}
	}
	read_scheduling(e->tid, &c);
	if (e->line.call.entry == RAMET_ENTRY_SETNS && e->line.given & LINE_FD)
		read_descriptor(e, &c);
	*ret = c;
}
