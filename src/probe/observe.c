/* SPDX-License-Identifier: MIT */
/* What the reports of child and parent mean, a function a resource. No system call here. */
#include "probe/probe.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>

#include "uapi/clone.h"

#define PRIO_LEVEL 0x1fff /* of an ioprio word; the class is above */

__attribute__((format(printf, 3, 4))) static void see(struct probe_answer *a, const char *observed,
						      const char *format, ...)
{
	va_list ap;

	snprintf(a->observed, sizeof(a->observed), "%s", observed);
	va_start(ap, format);
	vsnprintf(a->reason, sizeof(a->reason), format, ap);
	va_end(ap);
}

static const char share[] = "share", copy[] = "copy", fresh[] = "new", untested[] = "untested";

static void cannot(struct probe_answer *a, const char *what, int error)
{
	see(a, untested, "%s: %s", what, strerror(-error));
}

/* The report is there; without it a reason is. */
static bool have(const struct probe_facts *f, unsigned type, struct probe_answer *a)
{
	if (f->got & PROBE_GOT(type))
		return true;
	see(a, untested, "the exit signal ended the parent before it could look");
	return false;
}

void probe_see_memory(const struct probe_facts *f, struct probe_answer *a)
{
	const int64_t *tables = f->second.tables;

	if (!have(f, PROBE_LOOK, a))
		return;
	if (f->look.pages)
		see(a, share, "the parent sees %d of %d pages the child wrote; %lld faults",
		    f->look.pages, PROBE_PAGES, (long long)f->child.faults);
	else if (f->child.pages)
		see(a, copy,
		    "%d pages written, the parent sees none; copied when written (%lld faults); "
		    "page tables %lld and %lld kB",
		    PROBE_PAGES, (long long)f->child.faults, (long long)tables[0],
		    (long long)tables[1]);
	else
		see(a, fresh, "the child found nothing of its parent's memory");
}

void probe_see_files(const struct probe_facts *f, struct probe_answer *a)
{
	const char *offset = f->look.offset == PROBE_OFFSET
				     ? "; an offset the child moved is moved for both"
				     : "";

	if (!have(f, PROBE_LOOK, a))
		return;
	if (f->child.closed < 0)
		cannot(a, "the child cannot close a descriptor", f->child.closed);
	else if (f->look.victim == -EBADF)
		see(a, share, "a descriptor the child closed is closed in its parent%s", offset);
	else
		see(a, copy, "a descriptor the child closed is open in its parent%s", offset);
}

void probe_see_fs(const struct probe_facts *f, struct probe_answer *a)
{
	const int moved = f->look.moved, masked = f->look.umask == 077;

	if (!have(f, PROBE_LOOK, a))
		return;
	if (f->child.chdir_result < 0)
		cannot(a, "the child cannot change its directory", f->child.chdir_result);
	else if (moved && masked)
		see(a, share, "the child's chdir and umask moved its parent too");
	else if (!moved && !masked)
		see(a, copy, "the child's chdir and umask are its own");
	else
		see(a, "mixed", "the child's %s reached its parent, its %s did not",
		    moved ? "chdir" : "umask", moved ? "umask" : "chdir");
}

void probe_see_sighand(const struct probe_facts *f, struct probe_answer *a)
{
	if (!have(f, PROBE_LOOK, a))
		return;
	if (f->child.handler_set < 0)
		cannot(a, "the child cannot set a handler", f->child.handler_set);
	else if (f->look.handler == 2)
		see(a, share, "a handler the child set is set in its parent");
	else if (f->child.handler_found == 2)
		see(a, copy, "the child was born with its parent's handler; one it set is its own");
	else
		see(a, fresh, "the parent's handler was reset to default in the child");
}

void probe_see_thread_group(const struct probe_facts *f, struct probe_answer *a)
{
	const struct probe_child *c = &f->child;

	if (c->pid == f->before.pid && c->tid != c->pid)
		see(a, share, "getpid() is the parent's %d, gettid() %d", c->pid, c->tid);
	else
		see(a, fresh, "getpid() and gettid() are %d; the parent's is %d", c->pid,
		    f->before.pid);
}

void probe_see_parent(const struct probe_facts *f, struct probe_answer *a)
{
	const int ppid = f->child.ppid, own = f->before.ppid;

	if (ppid && ppid == f->before.pid)
		see(a, fresh, "getppid() is the task that made it, %d", ppid);
	else if (ppid && ppid == own)
		see(a, share, "getppid() is its maker's parent, %d", ppid);
	else if (ppid)
		see(a, "other", "getppid() is %d, a stranger", ppid);
	else if (f->child.pid == f->before.pid && !own)
		see(a, share, "getppid() is 0 in both threads: outside their view");
	else if (!have(f, PROBE_END, a))
		return;
	else if (f->end.reaped < 0)
		see(a, untested, "getppid() is 0, and the kernel itself reaped it");
	else if (f->mine)
		see(a, share,
		    "its maker's parent could reap it (getppid() is 0: outside its view)");
	else
		see(a, fresh, "its maker could reap it (getppid() is 0: outside its view)");
}

void probe_see_sysvsem(const struct probe_facts *f, struct probe_answer *a)
{
	const int base = PROBE_SEM_START + PROBE_SEM_PARENT;

	if (f->before.sem < 0)
		cannot(a, "no semaphore to be had", f->before.sem);
	else if (f->child.sem_key == -ENOENT)
		see(a, fresh, "the semaphore does not exist in the child's ipc namespace");
	else if (f->child.sem_op < 0)
		cannot(a, "the child cannot use the semaphore", f->child.sem_op);
	else if (!have(f, PROBE_END, a))
		return;
	else if (f->end.sem == base)
		see(a, fresh, "the child's end undid its own +%d", PROBE_SEM_CHILD);
	else if (f->end.sem == base + PROBE_SEM_CHILD)
		see(a, share, "the child's +%d is still pending after its end: the list lives on",
		    PROBE_SEM_CHILD);
	else
		see(a, "mixed", "the semaphore is %d after the child's end", f->end.sem);
}

void probe_see_io(const struct probe_facts *f, struct probe_answer *a)
{
	if (f->before.io < 0)
		cannot(a, "no I/O priorities", f->before.io);
	else if (f->child.io_set < 0)
		cannot(a, "the child cannot set its I/O priority", f->child.io_set);
	else if (!have(f, PROBE_LOOK, a))
		return;
	else if ((f->look.io & PRIO_LEVEL) == PROBE_PRIO_CHILD)
		see(a, share, "the I/O priority the child set (%d) is its parent's now",
		    PROBE_PRIO_CHILD);
	else if ((f->child.io_found & PRIO_LEVEL) == PROBE_PRIO_PARENT)
		see(a, copy, "born with the parent's I/O priority %d, its change to %d is its own",
		    PROBE_PRIO_PARENT, PROBE_PRIO_CHILD);
	else
		see(a, fresh, "born without the parent's I/O priority");
}

void probe_see_tls(const struct probe_facts *f, struct probe_answer *a)
{
	if (!have(f, PROBE_LOOK, a))
		return;
	if (!f->child.tp_written)
		see(a, "other", "its thread pointer %#llx is nobody's",
		    (unsigned long long)f->child.tp);
	else if (f->child.tp != f->before.tp)
		see(a, fresh, "its thread pointer is the one it was given, not the parent's");
	else if (f->look.tp_marker)
		see(a, share, "the parent sees what the child wrote through its thread pointer");
	else
		see(a, copy, "same thread pointer, but what the child wrote behind it is its own");
}

void probe_see_mnt(const struct probe_facts *f, struct probe_answer *a)
{
	if (f->child.mount_result < 0)
		cannot(a, "the child may not mount", f->child.mount_result);
	else if (!have(f, PROBE_LOOK, a))
		return;
	else if (f->look.mounted)
		see(a, share, "the parent sees the file system the child mounted");
	else
		see(a, fresh, "the file system the child mounted is not there for its parent");
}

void probe_see_uts(const struct probe_facts *f, struct probe_answer *a)
{
	if (f->child.hostname_result < 0)
		cannot(a, "the child may not set the hostname", f->child.hostname_result);
	else if (!have(f, PROBE_LOOK, a))
		return;
	else if (f->look.hostname)
		see(a, share, "the hostname the child set is its parent's too");
	else
		see(a, fresh, "the hostname the child set is its own");
}

void probe_see_pid(const struct probe_facts *f, struct probe_answer *a)
{
	const long long outside = (long long)f->cloned.result;

	if (!have(f, PROBE_CLONED, a))
		return;
	if (outside == f->child.tid)
		see(a, share, "the child calls itself %d as its parent does", f->child.tid);
	else
		see(a, fresh, "the child calls itself %d, its parent calls it %lld", f->child.tid,
		    outside);
}

void probe_see_net(const struct probe_facts *f, struct probe_answer *a)
{
	if (f->before.port < 0)
		cannot(a, "the parent cannot bind a port", f->before.port);
	else if (f->child.bind_result == -EADDRINUSE)
		see(a, share, "the parent's TCP port is taken for the child");
	else if (f->child.bind_result == 0)
		see(a, fresh, "the child could bind the port that its parent holds");
	else
		cannot(a, "the child cannot bind a port", f->child.bind_result);
}

void probe_see_ipc(const struct probe_facts *f, struct probe_answer *a)
{
	if (f->before.sem < 0)
		cannot(a, "no System V objects to be had", f->before.sem);
	else if (f->child.sem_key == f->before.sem)
		see(a, share, "the child finds the parent's System V key");
	else if (f->child.sem_key == -ENOENT)
		see(a, fresh, "the parent's System V key does not exist for the child");
	else
		cannot(a, "the child cannot look for the key", f->child.sem_key);
}

void probe_see_user(const struct probe_facts *f, struct probe_answer *a)
{
	if (f->child.uid_map != f->before.uid_map)
		see(a, fresh, "its uid_map is not the parent's");
	else if (f->child.caps != f->before.caps)
		see(a, fresh, "same uid_map, but other capabilities than the parent's");
	else
		see(a, share, "its uid_map and capabilities are the parent's");
}

void probe_see_cgroupns(const struct probe_facts *f, struct probe_answer *a)
{
	const char *path = f->before.cgroup_text;

	if (f->child.parent_cgroup != f->before.cgroup)
		see(a, fresh, "the parent's cgroup is %s to itself and %s to the child", path,
		    f->child.parent_cgroup_text);
	else if (!f->before.cgroup_tells)
		see(a, untested,
		    "the parent is in the root cgroup: every cgroup namespace shows /");
	else
		see(a, share, "the child sees the parent's cgroup as the parent does%s%s",
		    path[1] ? ", as " : "", path[1] ? path : "");
}

void probe_see_time(const struct probe_facts *f, struct probe_answer *a)
{
	const long long drift = (long long)(f->look.boottime - f->child.boottime);

	if (!f->child.time_ns || !f->before.time_ns)
		see(a, untested, "this kernel has no time namespaces");
	else if (f->child.time_ns == f->before.time_ns)
		see(a, share,
		    "the child finds itself in the parent's time namespace; boot times "
		    "%lld s apart",
		    f->got & PROBE_GOT(PROBE_LOOK) ? drift : 0);
	else
		see(a, fresh, "the child finds itself in another time namespace");
}

void probe_see_cgroup(const struct probe_facts *f, struct probe_answer *a)
{
	if (!f->child.cgroup || !f->child.parent_cgroup)
		see(a, untested, "this kernel has no cgroups");
	else if (f->child.cgroup == f->child.parent_cgroup)
		see(a, share, "the child sees both in %s", f->child.cgroup_text);
	else
		see(a, fresh, "the child sees itself in %s, its parent in %s", f->child.cgroup_text,
		    f->child.parent_cgroup_text);
}

/* ---- how it ends --------------------------------------------------------------------------- */

const char *probe_signal(int sig, char buf[static 24])
{
	const char *name = sig > 0 ? ramet_signal_name(sig) : NULL;

	if (name)
		return name;
	snprintf(buf, 24, sig > 0 ? "%d" : "none", sig);
	return buf;
}

void probe_see_exit_signal(const struct probe_facts *f, struct probe_answer *a)
{
	const int told = f->killed_by ? f->killed_by : f->end.told;
	char number[24];

	if (!f->killed_by && !have(f, PROBE_END, a))
		return;
	see(a, probe_signal(told, number), "%s; /proc/PID/stat says %lld",
	    f->killed_by ? "it ended or stopped the parent"
	    : f->mine	 ? "sent to the maker's parent"
	    : told	 ? "sent to the parent"
			 : "nobody was told",
	    (long long)f->second.exit_signal_number);
}

void probe_see_wait(const struct probe_facts *f, struct probe_answer *a)
{
	const char *who = f->mine ? "the maker's parent" : "the parent";

	if (!have(f, PROBE_END, a))
		return;
	if (f->end.plain == 0 && f->end.wclone == 0)
		see(a, "both", "wait() of %s saw it with and without __WCLONE", who);
	else if (f->end.plain == 0)
		see(a, "wait", "a plain wait() of %s saw it, __WCLONE did not", who);
	else if (f->end.wclone == 0)
		see(a, "__WCLONE", "only a wait() with __WCLONE of %s saw it", who);
	else
		see(a, "none", "no wait() sees it, not even with __WALL");
}

void probe_see_cleartid(const struct probe_facts *f, struct probe_answer *a)
{
	const bool asked = f->call.flags & CLONE_CHILD_CLEARTID;

	if (!have(f, PROBE_END, a))
		return;
	if (f->end.word)
		see(a, "kept",
		    asked ? "the tid word was left alone: the memory died with the child"
			  : "nobody asked for the tid word to be cleared");
	else if (asked && !(f->call.flags & CLONE_VM))
		see(a, untested, "cleared: somebody else was just reading the child's memory");
	else
		see(a, "cleared", "the tid word was cleared%s",
		    f->end.woken == 0 ? " and a futex waiter woken" : "");
}

void probe_see_held(const struct probe_facts *f, struct probe_answer *a)
{
	if (f->held < 0)
		cannot(a, "cannot tell whether the clone returned", f->held);
	else if (f->held)
		see(a, "yes", "the parent slept in the clone call while the child lived");
	else
		see(a, "no", "the clone returned while the child lived");
}
