/* SPDX-License-Identifier: MIT */
/* What steps are about: terminals, other tasks, cgroups, a directory to be a root, a filter. */
#ifndef RAMET_TESTS_LIB_STAGE_H
#define RAMET_TESTS_LIB_STAGE_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pty.h>
#include <sys/syscall.h>

#include "lib/cell.h"
#include "lib/look.h"
#include "lib/room.h"
#include "uapi/clone.h"

#define TTY 92	 /* a terminal, O_CLOEXEC */
#define OTHER 93 /* a pidfd of a task in other namespaces, O_CLOEXEC */
#define NETNS 94 /* the file of its net namespace, O_CLOEXEC */

/* Masks of ways that a spec can be carried out in. */
#define WAY(name) (1u << RAMET_WAY_##name)
#define HELD WAY(HELD)
#define FUTEX WAY(FUTEX)
#define OWN (WAY(COPY) | WAY(HELPER))
#define EVERY (HELD | FUTEX | OWN)

#define SPEC(...)                                                                                  \
	{                                                                                          \
		.size = sizeof(struct ramet_spec), __VA_ARGS__                                     \
	}

static uint64_t one_cpu;
static char root_dir[96], open_file[96], cgroup_dir[96];
static pid_t other;

/* getppid gives errno 77. */
__attribute__((unused)) static struct sock_filter filter[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 77),
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
};

static inline void open_tty(void)
{
	int master, slave;

	if (!expect(openpty(&master, &slave, NULL, NULL, NULL) == 0, "no terminal"))
		return;
	dup3(slave, TTY, O_CLOEXEC);
	close(slave);
	fcntl(master, F_SETFD, FD_CLOEXEC);
}

static inline void open_other(void)
{
	char path[60];
	int file, ready[2];

	expect(pipe2(ready, O_CLOEXEC) == 0, "pipe");
	other = fork();
	if (!other) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		expect(unshare(CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWPID) == 0, "unshare: %s",
		       strerror(errno));
		other = fork(); /* the first of its pid namespace */
		if (!other)
			prctl(PR_SET_PDEATHSIG, SIGKILL);
		else
			expect(write(ready[1], &other, sizeof(other)) == sizeof(other), "write");
		for (;;)
			pause();
	}
	expect(read(ready[0], &other, sizeof(other)) == sizeof(other), "no other task");
	close(ready[0]);
	close(ready[1]);
	file = (int)sys_pidfd_open(other, 0);
	dup3(file, OTHER, O_CLOEXEC);
	close(file);
	snprintf(path, sizeof(path), "/proc/%d/ns/net", other);
	file = open(path, O_RDONLY | O_CLOEXEC);
	dup3(file, NETNS, O_CLOEXEC);
	close(file);
}

static inline void make_cgroup(void)
{
	static const char *const tops[] = {"/sys/fs/cgroup/pids", "/sys/fs/cgroup",
					   "/sys/fs/cgroup/unified"};

	for (unsigned i = 0; i < 3; i++) {
		snprintf(cgroup_dir, sizeof(cgroup_dir), "%s/ramet-steps-%d", tops[i], getpid());
		if (access(tops[i], W_OK) == 0 && mkdir(cgroup_dir, 0755) == 0) {
			char file[120];

			snprintf(file, sizeof(file), "%s/cgroup.procs", cgroup_dir);
			if (access(file, W_OK) == 0)
				return;
			rmdir(cgroup_dir);
		}
	}
	cell_skip("no cgroup can be made");
}

static inline void need_landlock(void)
{
	const long abi = sys3(SYS_landlock_create_ruleset, 0, 0, 1);

	if (abi < 0)
		cell_skip("no Landlock here: %s", strerror((int)-abi));
}

static inline void make_places(void)
{
	static const char *const names[] = {"", "/usr", "/lib", "/lib64", "/tmp", "/proc"};
	char path[120];

	snprintf(open_file, sizeof(open_file), "%s/open", room_dir);
	snprintf(root_dir, sizeof(root_dir), "%s/root", room_dir);
	for (unsigned i = 0; i < 6; i++) {
		snprintf(path, sizeof(path), "%s%s", root_dir, names[i]);
		mkdir(path, 0755);
	}
	room_file(open_file, "open", 0666);
	sys3(SYS_sched_getaffinity, 0, sizeof(one_cpu), (long)&one_cpu);
	one_cpu &= -one_cpu;
}

static inline void remove_places(void)
{
	static const char *const names[] = {"/usr", "/lib", "/lib64", "/tmp", "/proc", ""};
	char path[120];

	for (unsigned i = 0; i < 6; i++) {
		snprintf(path, sizeof(path), "%s%s", root_dir, names[i]);
		rmdir(path);
	}
	unlink(open_file);
}

#endif
