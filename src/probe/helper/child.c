/* SPDX-License-Identifier: MIT */
/*
 * The task under test: changes one thing of every resource, says what it found and did, waits
 * to be let go. What it reports lies on its own stack, since the rest may be its parent's.
 */
#include "probe/helper/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/mount.h>
#include <linux/sem.h>

#include "base/sys.h"

#define RUSAGE_OF_THREAD 1
#define IOPRIO_PROCESS 1
#define IOPRIO_BEST_EFFORT(n) (2 << 13 | (n))
#define SIGKILL_ 9

/* struct rusage, as words: two times of two words, then four counts, then ru_minflt. */
#define RUSAGE_WORDS 18
#define RUSAGE_MINFLT 8

static int64_t minor_faults(void)
{
	long usage[RUSAGE_WORDS] = {0};

	sys2(SYS_getrusage, RUSAGE_OF_THREAD, (long)usage);
	return usage[RUSAGE_MINFLT];
}

static void change_memory(const struct helper *h, struct probe_child *c)
{
	int64_t before = minor_faults();

	for (size_t i = 0; i < PROBE_PAGES; i++) {
		volatile unsigned char *page = h->pages + i * BLOCK_BYTES;

		c->pages += *page == 'P';
		*page = 'C';
	}
	c->faults = minor_faults() - before;
}

static void change_sighand(struct probe_child *c)
{
	struct kernel_sigaction action = {.handler = (void *)handler_of_child}, found = {0};

	sys_sigaction(SIGNAL_PARENT, 0, &found);
	c->handler_found = found.handler == (void *)handler_of_parent ? 2
								      : (int)(long)found.handler;
	c->handler_set = (int32_t)sys_sigaction(SIGNAL_CHILD, &action, 0);
}

static void change_sem(const struct helper *h, struct probe_child *c)
{
	struct sembuf add = {.sem_op = PROBE_SEM_CHILD, .sem_flg = SEM_UNDO};

	c->sem_key = c->sem_op = h->before.sem;
	if (h->before.sem < 0)
		return;
	c->sem_key = (int32_t)sys3(SYS_semget, h->before.key, 0, 0);
	if (c->sem_key == h->before.sem)
		c->sem_op = (int32_t)sys3(SYS_semop, h->before.sem, (long)&add, 1);
	else
		c->sem_op = -ENOENT;
}

static void change_io(struct probe_child *c)
{
	c->io_found = (int32_t)sys2(SYS_ioprio_get, IOPRIO_PROCESS, 0);
	c->io_set = (int32_t)sys3(SYS_ioprio_set, IOPRIO_PROCESS, 0,
				  IOPRIO_BEST_EFFORT(PROBE_PRIO_CHILD));
}

static void change_tls(const struct helper *h, struct probe_child *c)
{
	c->tp = arch_get_tp();
	if (c->tp == h->before.tp || c->tp == h->args.tls) {
		tls_mark = TLS_MARK;
		c->tp_written = 1;
	}
}

/* Never as somebody who could change the machine's own mounts or name: see prepare_mount(). */
static void change_mnt_uts(const struct helper *h, struct probe_child *c)
{
	const int32_t isolated = h->before.isolated;
	const bool harmless = !(h->before.caps >> CAP_SYS_ADMIN & 1);

	c->mount_result = h->before.mounted;
	if (c->mount_result == 0) {
		if (!(isolated & PROBE_ISOLATED(CLONE_NEWNS)))
			sys_mount(0, "/", 0, MS_REC | MS_PRIVATE, 0);
		c->mount_result =
			(int32_t)sys_mount("ramet-probe", h->mount_place, "tmpfs", 0, "size=64k");
	}
	c->hostname_result = -EPERM;
	if (harmless || isolated & PROBE_ISOLATED(CLONE_NEWUTS)) {
		size_t n = 0;

		while (child_hostname[n])
			n++;
		c->hostname_result = (int32_t)sys_sethostname(child_hostname, n);
	}
}

static void read_views(const struct helper *h, struct probe_child *c)
{
	char text[4096];

	read_text("/proc/thread-self/uid_map", text, sizeof(text));
	c->uid_map = hash_text(text);
	c->caps = effective_caps();
	if (read_text("/proc/thread-self/cgroup", text, sizeof(text)) > 0)
		c->cgroup = hash_text(text);
	cgroup_line(text, c->cgroup_text);
	if (read_fd(h->cgroup_file, text, sizeof(text)) > 0)
		c->parent_cgroup = hash_text(text);
	cgroup_line(text, c->parent_cgroup_text);
	c->time_ns = link_inode("/proc/thread-self/ns/time");
	c->boottime = boottime();
}

static void try_port(const struct helper *h, struct probe_child *c)
{
	int port = h->before.port, fd = port;

	if (port > 0)
		fd = bind_port(port, &port);
	c->bind_result = fd < 0 ? fd : 0;
	if (h->before.port > 0 && fd >= 0)
		sys_close(fd);
}

int helper_child(void *arg)
{
	const struct helper *h = arg;
	struct probe_message m = {0};
	struct probe_child *c = &m.child;
	uint32_t type;

	/* A thread's end is its process's; anyone else ends with its parent, whatever happens. */
	if (!(h->flags & CLONE_THREAD))
		sys_prctl(KERNEL_PR_SET_PDEATHSIG, SIGKILL_, 0, 0, 0);
	c->pid = (int32_t)sys_getpid();
	c->tid = (int32_t)sys_gettid();
	c->ppid = (int32_t)sys0(SYS_getppid);
	change_memory(h, c);
	change_sighand(c);
	change_sem(h, c);
	change_io(c);
	change_tls(h, c);
	read_views(h, c);
	try_port(h, c);
	change_mnt_uts(h, c);
	c->offset = (int32_t)sys3(SYS_lseek, PROBE_FD_SCRATCH, PROBE_OFFSET, 0);
	c->umask_found = (int32_t)sys_umask(077);
	c->chdir_result = (int32_t)sys_chdir(child_directory);
	/* Last: a shared table would hand the number to the next open. */
	c->closed = (int32_t)sys_close(h->victim);

	send_message(PROBE_FD_CHILD, &m, PROBE_CHILD);
	receive_message(PROBE_FD_CHILD, &type);
	return 0;
}
