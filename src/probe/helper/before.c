/* SPDX-License-Identifier: MIT */
/*
 * The parent before the clone: namespaces of its own where it may have them, so that no
 * experiment touches the machine, and one object a resource for the child to change.
 */
#include "probe/helper/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/ipc.h>
#include <linux/mount.h>
#include <linux/sem.h>
#include <sys/mman.h>

#include "base/sys.h"

#define IOPRIO_PROCESS 1
#define IOPRIO_BEST_EFFORT(n) (2 << 13 | (n))

static void isolate(struct helper *h)
{
	static const uint32_t flags[] = {CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWNET};

	if (!(h->before.caps >> CAP_SYS_ADMIN & 1))
		return;
	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
		if (sys1(SYS_unshare, flags[i]) < 0)
			continue;
		if (flags[i] == CLONE_NEWNS && sys_mount(0, "/", 0, MS_REC | MS_PRIVATE, 0) < 0)
			continue;
		h->before.isolated |= PROBE_ISOLATED(flags[i]);
	}
}

/*
 * Where the child may mount. In a mount namespace of the parent's own: a directory on a fresh
 * tmpfs. Else a directory of the machine, and only if the kernel would keep the parent itself
 * from mounting there: a child that may has then got a namespace of its own.
 */
static void prepare_mount(struct helper *h)
{
	static const char *const tops[] = {"/tmp", "/run", "/mnt", "/dev", "/sys"};
	static char place[] = "/tmp/probe";
	size_t i;
	long r = -ENOENT;

	if (!(h->before.isolated & PROBE_ISOLATED(CLONE_NEWNS))) {
		h->mount_place = tops[0];
		h->mount_device = place_device(h->mount_place);
		h->before.mounted = h->before.caps >> CAP_SYS_ADMIN & 1 ? -EPERM : 0;
		return;
	}
	for (i = 0; r < 0 && i < sizeof(tops) / sizeof(*tops); i++)
		r = sys_mount("ramet-probe", tops[i], "tmpfs", 0, "size=64k");
	if (r == 0) {
		for (size_t k = 0; k < 4; k++)
			place[k] = tops[i - 1][k];
		r = sys3(SYS_mkdirat, SYS_AT_FDCWD, (long)place, 0755);
	}
	h->mount_place = place;
	h->mount_device = place_device(place);
	h->before.mounted = (int32_t)r;
}

/* The parent's own undo list must exist: two tasks without one look as if they shared it. */
static void prepare_sem(struct helper *h)
{
	struct sembuf add = {.sem_op = PROBE_SEM_PARENT, .sem_flg = SEM_UNDO};
	long key = 0x72000000 + sys_getpid(), sem;

	do
		sem = sys3(SYS_semget, ++key, 1, IPC_CREAT | IPC_EXCL | 0600);
	while (sem == -EEXIST);
	if (sem >= 0) {
		long r = sys4(SYS_semctl, sem, 0, SETVAL, PROBE_SEM_START);

		if (r == 0)
			r = sys3(SYS_semop, sem, (long)&add, 1);
		if (r < 0) {
			sys3(SYS_semctl, sem, 0, IPC_RMID);
			sem = r;
		}
	}
	h->before.sem = (int32_t)sem;
	h->before.key = (int32_t)key;
}

static void prepare_memory(struct helper *h)
{
	const int private = MAP_PRIVATE | MAP_ANONYMOUS, shared = MAP_SHARED | MAP_ANONYMOUS;
	const int rw = PROT_READ | PROT_WRITE;
	size_t size = PROBE_PAGES * BLOCK_BYTES;

	/* One page in each 64 KiB is used, whatever the page size is; huge ones would hide it. */
	h->pages = (unsigned char *)sys6(SYS_mmap, 0, (long)size, rw, private, -1, 0);
	sys3(SYS_madvise, (long)h->pages, (long)size, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < PROBE_PAGES; i++)
		h->pages[i * BLOCK_BYTES] = 'P';
	h->words = (struct tid_words *)sys6(SYS_mmap, 0, BLOCK_BYTES, rw, shared, -1, 0);
	*h->words = (struct tid_words){PROBE_WORD, PROBE_WORD, -1};
}

/* In the root cgroup of every hierarchy all cgroup namespaces look the same. */
static bool some_path_below_root(const char *text)
{
	for (; *text; text++)
		if (text[0] == ':' && text[1] == '/' && text[2] && text[2] != '\n')
			return true;
	return false;
}

void helper_prepare(struct helper *h)
{
	static char text[8192];
	struct kernel_sigaction action = {.handler = (void *)handler_of_parent};
	struct probe_before *b = &h->before;
	int port = PROBE_PORT_NONE, fd;

	b->caps = effective_caps();
	b->pid = (int32_t)sys_getpid();
	b->ppid = (int32_t)sys0(SYS_getppid);
	isolate(h);
	prepare_mount(h);
	if (b->mounted == 0 && !h->mount_device)
		b->mounted = -ENOSYS; /* no statx: a mount would go unseen */
	prepare_sem(h);
	prepare_memory(h);
	h->victim = (int)sys_fcntl(PROBE_FD_SCRATCH, F_DUPFD_CLOEXEC, PROBE_FD_FREE);
	sys_chdir("/");
	sys_umask(022);
	sys_sigaction(SIGNAL_PARENT, &action, 0);
	b->io = (int32_t)sys3(SYS_ioprio_set, IOPRIO_PROCESS, 0,
			      IOPRIO_BEST_EFFORT(PROBE_PRIO_PARENT));
	fd = bind_port(port, &port);
	b->port = fd < 0 ? fd : port;
	b->tp = arch_get_tp();
	read_text("/proc/self/uid_map", text, sizeof(text));
	b->uid_map = hash_text(text);
	h->cgroup_file = (int)sys_open("/proc/self/cgroup", O_RDONLY | O_CLOEXEC, 0);
	if (read_fd(h->cgroup_file, text, sizeof(text)) > 0)
		b->cgroup = hash_text(text);
	b->cgroup_tells = some_path_below_root(text);
	cgroup_line(text, b->cgroup_text);
	b->time_ns = link_inode("/proc/self/ns/time");
}

long helper_arguments(struct helper *h)
{
	const bool own_stack = h->flags & CLONE_VM && !(h->flags & CLONE_VFORK);
	uintptr_t stack, lowest;
	const long r = stack_get(STACK_BYTES, page_size, &h->thread, &stack);

	if (r < 0)
		return r;
	h->args = (struct clone_args){
		.flags = h->flags,
		.exit_signal = (uint64_t)h->exit_signal,
		.pidfd = (uint64_t)(uintptr_t)&h->words->pidfd,
		.parent_tid = (uint64_t)(uintptr_t)&h->words->parent,
		.child_tid = (uint64_t)(uintptr_t)&h->words->child,
		.tls = tls_pointer(h->thread),
		.cgroup = PROBE_FD_CGROUP,
	};
	if (own_stack) {
		lowest = (uintptr_t)h->thread->map + h->thread->guard_size;
		h->args.stack = lowest;
		h->args.stack_size = stack - lowest;
	}
	return 0;
}

void helper_undo(struct helper *h)
{
	if (h->before.sem >= 0)
		sys3(SYS_semctl, h->before.sem, 0, IPC_RMID);
	h->before.sem = -EIDRM;
}
