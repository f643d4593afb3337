/* SPDX-License-Identifier: MIT */
/* See keeper.h. */
#include "colony/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/sys.h"
#include "lib/cell.h"

#define KEEPER_PATIENCE 5.0 /* seconds */
#define KEEPER_MEMFD_EXEC 0x10u

extern const char colony_program[], colony_program_end[];

struct colony *keeper_colony;
static int keeper_socket = -1; /* our end */

double keeper_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

struct colony_slot *keeper_slot(int label)
{
	return &keeper_colony->slots[label];
}

/* Kernels before 6.3 know no MFD_EXEC; later ones may be told to warn without it. */
static int keeper_memfd(const char *name, unsigned flags)
{
	const int fd = (int)syscall(SYS_memfd_create, name, flags);

	return fd < 0 && errno == EINVAL ? (int)syscall(SYS_memfd_create, name, 0) : fd;
}

bool keeper_ready(void)
{
	const size_t size = (size_t)(colony_program_end - colony_program);
	int memory = keeper_memfd("colony", 0);
	int program = keeper_memfd("colony-program", KEEPER_MEMFD_EXEC);
	int proc = open("/proc", O_PATH | O_DIRECTORY), pair[2];

	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	if (memory < 0 || program < 0 || proc < 0 || ftruncate(memory, sizeof(struct colony)) < 0 ||
	    write(program, colony_program, size) != (ssize_t)size ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return false;
	keeper_colony =
		mmap(NULL, sizeof(struct colony), PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	keeper_socket = pair[0];
	return keeper_colony != MAP_FAILED && dup2(memory, COLONY_FD_MEMORY) >= 0 &&
	       dup2(program, COLONY_FD_PROGRAM) >= 0 && dup2(pair[1], COLONY_FD_SOCKET) >= 0 &&
	       dup2(proc, COLONY_FD_PROC) >= 0 && close(proc) == 0 && close(memory) == 0 &&
	       close(program) == 0 && close(pair[1]) == 0;
}

bool keeper_wait(bool (*is)(const void *), const void *arg)
{
	const double end = keeper_now() + KEEPER_PATIENCE;
	const struct kernel_timespec tick = {.tv_nsec = 20000000};

	for (;;) {
		const uint32_t bell = __atomic_load_n(&keeper_colony->bell, __ATOMIC_SEQ_CST);

		if (is(arg))
			return true;
		if (keeper_now() > end)
			return false;
		sys_futex_wait(&keeper_colony->bell, bell, &tick);
	}
}

bool keeper_is_done(const void *slot)
{
	const struct colony_slot *s = slot;

	return __atomic_load_n(&s->done, __ATOMIC_SEQ_CST) ==
	       __atomic_load_n(&s->request, __ATOMIC_SEQ_CST);
}

bool keeper_has_started(const void *slot)
{
	return __atomic_load_n(&((const struct colony_slot *)slot)->starts, __ATOMIC_SEQ_CST);
}

pid_t keeper_start(void)
{
	struct colony_slot *slot = keeper_slot(1);
	const uint64_t all = ~0ULL;
	char name[] = "01", *argv[] = {name, NULL}, *envp[] = {NULL};
	pid_t pid;

	memset(keeper_colony->slots, 0, sizeof(keeper_colony->slots));
	pid = fork();
	if (!pid) {
		sys_sigprocmask(0, &all, NULL);
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		sys_execveat(COLONY_FD_PROGRAM, "", argv, envp, AT_EMPTY_PATH);
		_exit(1);
	}
	return pid > 0 && keeper_wait(keeper_has_started, slot) ? pid : 0;
}

void keeper_ask(int label, enum colony_command command)
{
	struct colony_slot *slot = keeper_slot(label);

	slot->command = command;
	__atomic_store_n(&slot->request, slot->done + 1, __ATOMIC_SEQ_CST);
	sys_futex_wake(&slot->request, 1);
}

bool keeper_send(int fd)
{
	char byte = 0, space[CMSG_SPACE(sizeof(fd))] = {0};
	struct iovec part = {&byte, 1};
	struct msghdr m = {.msg_iov = &part,
			   .msg_iovlen = 1,
			   .msg_control = space,
			   .msg_controllen = sizeof(space)};
	struct cmsghdr *head = CMSG_FIRSTHDR(&m);

	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(head), &fd, sizeof(fd));
	return sendmsg(keeper_socket, &m, 0) == 1;
}

bool keeper_stop(const int *tids, int count)
{
	const double end = keeper_now() + KEEPER_PATIENCE;
	int ignored;

	for (int i = 0; i < count; i++)
		if (tids[i] > 0)
			kill(tids[i], SIGKILL);
	for (unsigned round = 0; keeper_now() < end; round++) {
		if (cell_reap(0, &ignored))
			return true;
		if (round > 20 && round % 10 == 0)
			cell_kill_orphans();
		usleep(round < 10 ? 100 : 1000);
	}
	return false;
}
