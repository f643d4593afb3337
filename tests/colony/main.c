/* SPDX-License-Identifier: MIT */
/*
 * A task of the colony. No C library, nothing that is written outside of its slot and stack: its
 * memory may be that of others, who run at the same time.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>

#include "base/sys.h"
#include "colony/colony.h"

#define PROT_READ_WRITE 3
#define MAP_SHARED_FIXED 0x100001 /* MAP_SHARED, MAP_FIXED_NOREPLACE */
#define SIGNAL_CHILD 17
#define SIGNAL_KILL 9
#define NO_CHILD_WAIT 2 /* SA_NOCLDWAIT */
#define NO_HANG 1
#define SEM_PRIVATE 0
#define SEM_REMOVE 0
#define SEM_WITH_UNDO 0x1000
#define SOCKET_LEVEL 1
#define SOCKET_RIGHTS 1

_Noreturn void arch_start(const long *sp);

static struct colony *const colony = (struct colony *)COLONY_ADDRESS;

struct message {
	void *name;
	uint32_t name_size;
	struct {
		void *base;
		size_t size;
	} * parts;
	size_t part_count;
	void *control;
	size_t control_size;
	int flags;
};

static void ring_bell(void)
{
	__atomic_add_fetch(&colony->bell, 1, __ATOMIC_SEQ_CST);
	sys_futex_wake(&colony->bell, 1);
}

/* "12/task/34", in the numbers of the keeper. */
static void announce(struct colony_slot *slot)
{
	char text[64];
	int32_t numbers[2] = {0, 0};
	long n =
		sys4(SYS_readlinkat, COLONY_FD_PROC, (long)"thread-self", (long)text, sizeof(text));

	for (long i = 0, which = 0; i < n; i++) {
		if (text[i] >= '0' && text[i] <= '9')
			numbers[which] = numbers[which] * 10 + (text[i] - '0');
		else if (text[i] == '/')
			which = 1;
	}
	slot->tgid = numbers[0];
	slot->tid = numbers[1];
	__atomic_add_fetch(&slot->starts, 1, __ATOMIC_SEQ_CST);
	ring_bell();
}

/* The keeper's end of the socket goes with the keeper, however that ends. */
static bool is_abandoned(void)
{
	struct {
		int fd;
		short events, found;
	} socket = {.fd = COLONY_FD_SOCKET};
	const struct kernel_timespec now = {0};

	return sys5(SYS_ppoll, (long)&socket, 1, (long)&now, 0, 0) == 1 && socket.found;
}

static int live(void *arg);

static long do_clone(struct colony_slot *slot)
{
	struct colony_slot *child = &colony->slots[slot->other];
	struct clone_args args = slot->args;
	long r;

	args.stack = (uintptr_t)colony->stacks[slot->other];
	args.stack_size = COLONY_STACK;
	args.child_tid = (uintptr_t)&child->word;
	args.pidfd = (uintptr_t)&slot->pidfd;
	args.tls = arch_get_tp();
	if (slot->legacy) {
		const struct arch_clone_regs regs = {
			.flags = args.flags | args.exit_signal,
			.stack = args.stack + args.stack_size,
			.parent_tid = args.pidfd,
			.child_tid = args.child_tid,
			.tls = args.tls,
		};

		r = arch_clone(&regs, live, child);
	} else {
		r = arch_clone3(&args, sizeof(args), live, child);
	}
	if (r > 0 && args.flags & CLONE_PIDFD)
		sys_close(slot->pidfd);
	return r;
}

static long do_exec(const struct colony_slot *slot)
{
	char number[] = {'0', '0', 0};
	const long index = slot - colony->slots;
	char *argv[] = {number, NULL}, *envp[] = {NULL};

	number[0] = (char)('0' + index / 10);
	number[1] = (char)('0' + index % 10);
	return sys_execveat(COLONY_FD_PROGRAM, "", argv, envp, 0x1000 /* AT_EMPTY_PATH */);
}

/* The one descriptor that waits in the socket. */
static long receive(void)
{
	struct {
		size_t size;
		int level, type, fd, unused;
	} control = {0};
	char byte;
	struct {
		void *base;
		size_t size;
	} part = {&byte, 1};
	struct message m = {
		.parts = (void *)&part,
		.part_count = 1,
		.control = &control,
		.control_size = sizeof(control),
	};
	long r = sys3(SYS_recvmsg, COLONY_FD_SOCKET, (long)&m, 0);

	if (r != 1 || control.level != SOCKET_LEVEL || control.type != SOCKET_RIGHTS)
		return r < 0 ? r : -EBADMSG;
	return control.fd;
}

static long do_setns(const struct colony_slot *slot)
{
	long fd = receive(), r;

	if (fd < 0)
		return -EBADMSG;
	r = sys2(SYS_setns, fd, (long)slot->flags);
	sys_close((int)fd);
	return r;
}

/* The semaphores go at once, in whatever namespace they are; the list that was made stays. */
static long do_undo(void)
{
	struct {
		unsigned short number;
		short op, flags;
	} add = {0, 1, SEM_WITH_UNDO};
	long id = sys3(SYS_semget, SEM_PRIVATE, 1, 0600), r;

	if (id < 0)
		return id;
	r = sys3(SYS_semop, id, (long)&add, 1);
	sys3(SYS_semctl, id, 0, SEM_REMOVE);
	return r;
}

static long write_proc(const char *path, const char *text, size_t size)
{
	long fd = sys4(SYS_openat, COLONY_FD_PROC, (long)path, O_WRONLY | O_CLOEXEC, 0), r;

	if (fd < 0)
		return fd;
	r = sys_write((int)fd, text, size);
	sys_close((int)fd);
	return r;
}

static long do_map(const struct colony_slot *slot)
{
	char text[] = "0 0000000000 1";
	int64_t n = slot->number;
	long r;

	for (int i = 11; i > 1; i--, n /= 10)
		text[i] = (char)('0' + n % 10);
	write_proc("thread-self/setgroups", "deny", 4);
	r = write_proc("thread-self/uid_map", text, sizeof(text) - 1);
	if (r >= 0)
		r = write_proc("thread-self/gid_map", text, sizeof(text) - 1);
	return r;
}

static long set_child_signal(int64_t number)
{
	const struct kernel_sigaction action = {
		.handler = (void *)(number == 1 ? 1L : 0L),
		.flags = number == 2 ? NO_CHILD_WAIT : 0,
	};

	return sys_sigaction(SIGNAL_CHILD, &action, NULL);
}

static long obey(struct colony_slot *slot)
{
	switch (slot->command) {
	case COLONY_CLONE:
		return do_clone(slot);
	case COLONY_EXEC:
		return do_exec(slot);
	case COLONY_UNSHARE:
		return sys1(SYS_unshare, (long)slot->flags);
	case COLONY_SETNS:
		return do_setns(slot);
	case COLONY_EXIT:
		sys_exit(0);
	case COLONY_EXIT_GROUP:
		sys_exit_group(0);
	case COLONY_WAIT:
		return sys_wait4((int)slot->number, NULL, (int)slot->flags | NO_HANG, NULL);
	case COLONY_SUBREAPER:
		return sys_prctl(KERNEL_PR_SET_CHILD_SUBREAPER, (unsigned long)slot->number, 0, 0,
				 0);
	case COLONY_CHILD_SIGNAL:
		return set_child_signal(slot->number);
	case COLONY_UNDO:
		return do_undo();
	case COLONY_IOPRIO:
		return sys3(SYS_ioprio_set, 1, 0, (long)slot->number);
	case COLONY_MAP:
		return do_map(slot);
	default:
		return -ENOSYS;
	}
}

static void answer(struct colony_slot *slot, long result)
{
	slot->result = result;
	__atomic_store_n(&slot->done, slot->request, __ATOMIC_SEQ_CST);
	ring_bell();
}

/* Never returns. */
static int live(void *arg)
{
	const struct kernel_timespec second = {.tv_sec = 1};
	struct colony_slot *slot = arg;

	announce(slot);
	for (;;) {
		const uint32_t done = slot->done;

		if (__atomic_load_n(&slot->request, __ATOMIC_SEQ_CST) != done)
			answer(slot, obey(slot));
		else if (sys_futex_wait(&slot->request, done, &second) == -ETIMEDOUT &&
			 is_abandoned())
			sys_exit_group(1);
	}
	return 0;
}

/* argv[0] is the number of the slot, two digits. */
_Noreturn void arch_start(const long *sp)
{
	const char *name = (const char *)sp[1];
	struct colony_slot *slot = &colony->slots[(name[0] - '0') * 10 + (name[1] - '0')];
	const uint64_t all = ~0ULL;
	long r = sys6(SYS_mmap, (long)COLONY_ADDRESS, sizeof(struct colony), PROT_READ_WRITE,
		      MAP_SHARED_FIXED, COLONY_FD_MEMORY, 0);

	if (r != (long)COLONY_ADDRESS)
		sys_exit_group(1);
	sys_sigprocmask(0, &all, NULL);
	/* The first one is told by an exec that it did not ask for. */
	if (slot->request == slot->done)
		live(slot);
	slot->tid = slot->tgid = 0;
	slot->result = 0;
	__atomic_store_n(&slot->done, slot->request, __ATOMIC_SEQ_CST);
	live(slot);
	sys_exit_group(1);
}
