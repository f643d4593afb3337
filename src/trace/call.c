/* SPDX-License-Identifier: MIT */
/*
 * Registers to calls. At a seccomp stop and at the event stops of clone, fork and vfork the task
 * is inside the call: its number and arguments are still in its registers.
 */
#include "trace/call.h"

#include <elf.h>
#include <errno.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#include "arch/regs.h"

#include "uapi/clone.h"
#include "uapi/nr.h"

/* By what our filter's stops are known. */
#define FILTER_DATA 0x5261

enum { CLONE, CLONE3, FORK, VFORK, UNSHARE, SETNS, CALLS };

#ifndef SYS_fork /* newer processors have clone alone */
#define SYS_fork ~0u
#define SYS_vfork ~0u
#endif

static const uint32_t native_calls[CALLS] = {
	SYS_clone, SYS_clone3, SYS_fork, SYS_vfork, SYS_unshare, SYS_setns,
};
static const uint32_t compat_calls[CALLS] = ARCH_COMPAT_CALLS;

/* ---- Registers ---- */

struct regs {
	size_t bytes;
	union {
		uint64_t words[ARCH_REGS_BYTES / 8];
		uint32_t compat[ARCH_REGS_BYTES / 4];
	};
};

/* A system call as it was issued. */
struct site {
	bool compat; /* by the 32-bit entry: also from a 64-bit program (int 0x80) */
	bool whole;  /* the first argument is not lost */
	uint32_t nr;
	uint64_t args[6];
};

static int get_regs(int tid, struct regs *regs)
{
	struct iovec iov = {regs->words, sizeof(regs->words)};

	if (ptrace(PTRACE_GETREGSET, tid, (void *)NT_PRSTATUS, &iov) < 0)
		return -errno;
	regs->bytes = iov.iov_len;
	return 0;
}

/* Where argument i lies; NULL in *ret_word or *ret_half, as the set is of 32 or 64 bits. */
static void place_of(struct regs *regs, bool compat, unsigned i, uint64_t **ret_word,
		     uint32_t **ret_half)
{
	*ret_word = NULL;
	*ret_half = NULL;
	if (ARCH_COMPAT_BYTES && regs->bytes == ARCH_COMPAT_BYTES)
		*ret_half = &regs->compat[arch_compat_args[i]];
	else
		*ret_word = &regs->words[compat ? arch_mixed_args[i] : arch_regs_args[i]];
}

/* At an event stop nothing but the registers tells the call. */
static int site_of_regs(int tid, struct site *ret)
{
	struct regs regs;
	int r = get_regs(tid, &regs);

	if (r < 0)
		return r;
	if (ARCH_COMPAT_BYTES && regs.bytes == ARCH_COMPAT_BYTES)
		ret->nr = regs.compat[ARCH_COMPAT_NR];
	else
		ret->nr = (uint32_t)regs.words[ARCH_REGS_NR];
	for (unsigned i = 0; i < 6; i++) {
		uint64_t *word;
		uint32_t *half;

		place_of(&regs, ret->compat, i, &word, &half);
		ret->args[i] = half ? *half : *word;
		if (ret->compat)
			ret->args[i] &= 0xffffffff;
	}
	/* riscv64 puts the result there before it makes the call. */
	ret->whole = (int64_t)ret->args[0] != -ENOSYS;
	return 0;
}

static int site_read(int tid, struct site *ret)
{
	struct __ptrace_syscall_info info;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, tid, sizeof(info), &info) < 0)
		return -errno;
	*ret = (struct site){.compat = ARCH_COMPAT_AUDIT && info.arch == ARCH_COMPAT_AUDIT,
			     .whole = true};
	if (info.op != PTRACE_SYSCALL_INFO_SECCOMP)
		return site_of_regs(tid, ret);
	if (info.seccomp.ret_data != FILTER_DATA)
		return -EXDEV;
	ret->nr = (uint32_t)info.seccomp.nr;
	for (unsigned i = 0; i < 6; i++)
		ret->args[i] = info.seccomp.args[i];
	return 0;
}

static int find_call(const struct site *site)
{
	const uint32_t *numbers = site->compat ? compat_calls : native_calls;
	uint32_t nr = site->compat ? site->nr : site->nr & ~ARCH_NR_FLAG;

	for (int i = 0; i < CALLS; i++)
		if (numbers[i] == nr)
			return i;
	return -1;
}

/* ---- Arguments ---- */

static void take_clone(const struct site *site, struct line_call *ret)
{
	bool backwards = site->compat ? ARCH_COMPAT_CLONE_BACKWARDS : ARCH_CLONE_BACKWARDS;
	uint64_t flags = site->args[0] & 0xffffffff;

	ret->name = "clone";
	ret->call = (struct ramet_call){
		.entry = RAMET_ENTRY_CLONE,
		.flags = flags & ~CSIGNAL,
		.exit_signal = flags & CSIGNAL,
		.stack = site->args[1],
		.parent_tid = site->args[2],
		.child_tid = site->args[backwards ? 4 : 3],
		.tls = site->args[backwards ? 3 : 4],
	};
	ret->given = LINE_STACK | LINE_PARENT_TID | LINE_CHILD_TID | LINE_TLS;
	if (site->whole)
		ret->given |= LINE_FLAGS | LINE_EXIT_SIGNAL;
	else
		ret->call.flags = ret->call.exit_signal = 0;
}

/*
 * process_vm_readv is one call, but refuses the memory of a task with other credentials that only
 * a tracer may read.
 */
static bool read_memory(int tid, uint64_t address, void *buf, size_t size)
{
	struct iovec local = {buf, size}, remote = {(void *)(uintptr_t)address, size};

	if (process_vm_readv(tid, &local, 1, &remote, 1, 0) == (ssize_t)size)
		return true;
	for (size_t at = 0; at < size; at += sizeof(long)) {
		const size_t n = size - at < sizeof(long) ? size - at : sizeof(long);
		long word;

		errno = 0;
		word = ptrace(PTRACE_PEEKDATA, tid, (void *)(uintptr_t)(address + at), NULL);
		if (errno)
			return false;
		memcpy((char *)buf + at, &word, n);
	}
	return true;
}

static void take_clone3(int tid, const struct site *site, struct line_call *ret)
{
	uint64_t size = site->args[1];
	struct clone_args args = {0};

	ret->name = "clone3";
	ret->call = (struct ramet_call){.entry = RAMET_ENTRY_CLONE3, .size = size};
	ret->given = LINE_SIZE;
	if (!site->whole ||
	    !read_memory(tid, site->args[0], &args, size < sizeof(args) ? size : sizeof(args)))
		return;
	ret->call.flags = args.flags;
	ret->call.pidfd = args.pidfd;
	ret->call.child_tid = args.child_tid;
	ret->call.parent_tid = args.parent_tid;
	ret->call.exit_signal = args.exit_signal;
	ret->call.stack = args.stack;
	ret->call.stack_size = args.stack_size;
	ret->call.tls = args.tls;
	ret->call.set_tid = args.set_tid;
	ret->call.set_tid_size = args.set_tid_size;
	ret->call.cgroup = args.cgroup;
	ret->given |= LINE_FLAGS | LINE_EXIT_SIGNAL | LINE_STACK | LINE_STACK_SIZE |
		      LINE_PARENT_TID | LINE_CHILD_TID | LINE_TLS | LINE_PIDFD | LINE_SET_TID |
		      LINE_CGROUP;
}

static void take_fork(struct line_call *ret, const char *name, uint64_t flags)
{
	ret->name = name;
	ret->call = (struct ramet_call){
		.entry = RAMET_ENTRY_CLONE, .flags = flags, .exit_signal = SIGCHLD};
	ret->given = LINE_FLAGS | LINE_EXIT_SIGNAL | LINE_STACK;
}

static void take_flags(struct line_call *ret, const char *name, enum ramet_entry entry,
		       uint64_t flags)
{
	ret->name = name;
	ret->call = (struct ramet_call){.entry = entry, .flags = flags};
	ret->given = LINE_FLAGS;
}

int call_read(int tid, struct line_call *ret)
{
	struct site site = {0};
	int r = site_read(tid, &site);

	if (r < 0)
		return r;
	*ret = (struct line_call){.source = "ramet", .task = tid, .fd = -1};
	switch (find_call(&site)) {
	case CLONE:
		take_clone(&site, ret);
		break;
	case CLONE3:
		take_clone3(tid, &site, ret);
		break;
	case FORK:
		take_fork(ret, "fork", 0);
		break;
	case VFORK:
		take_fork(ret, "vfork", CLONE_VM | CLONE_VFORK);
		break;
	case UNSHARE:
		take_flags(ret, "unshare", RAMET_ENTRY_UNSHARE, site.args[0]);
		break;
	case SETNS:
		take_flags(ret, "setns", RAMET_ENTRY_SETNS, site.args[1] & 0xffffffff);
		ret->fd = (int)site.args[0];
		ret->given |= LINE_FD;
		break;
	default:
		return 0;
	}
	ret->given |= LINE_TASK;
	return 1;
}

int call_change_flags(int tid, const struct line_call *call, uint64_t clear, uint64_t set)
{
	struct __ptrace_syscall_info info;
	struct regs regs;
	struct iovec iov = {regs.words, sizeof(regs.words)};
	uint64_t *word;
	uint32_t *half;
	int r;

	if (!ARCH_ARG_CAN_CHANGE || strcmp(call->name, "clone") != 0)
		return -ENOTSUP;
	if (ptrace(PTRACE_GET_SYSCALL_INFO, tid, sizeof(info), &info) < 0)
		return -errno;
	r = get_regs(tid, &regs);
	if (r < 0)
		return r;
	place_of(&regs, ARCH_COMPAT_AUDIT && info.arch == ARCH_COMPAT_AUDIT, 0, &word, &half);
	if (half)
		*half = (*half & ~(uint32_t)clear) | (uint32_t)set;
	else
		*word = (*word & ~clear) | set;
	iov.iov_len = regs.bytes;
	return ptrace(PTRACE_SETREGSET, tid, (void *)NT_PRSTATUS, &iov) < 0 ? -errno : 0;
}

void call_refuse(int tid)
{
	struct regs regs;
	struct iovec iov = {regs.words, sizeof(regs.words)};

	if (get_regs(tid, &regs) < 0)
		return;
	if (ARCH_COMPAT_BYTES && regs.bytes == ARCH_COMPAT_BYTES) {
		regs.compat[ARCH_COMPAT_NR] = (uint32_t)-1;
		regs.compat[ARCH_COMPAT_RESULT] = (uint32_t)-ENOSYS;
	} else {
		regs.words[ARCH_REGS_NR] = (uint64_t)-1;
		regs.words[ARCH_REGS_RESULT] = (uint64_t)-ENOSYS;
	}
	iov.iov_len = regs.bytes;
	ptrace(PTRACE_SETREGSET, tid, (void *)NT_PRSTATUS, &iov);
#ifdef ARCH_SET_NR
	{
		int none = -1;
		struct iovec number = {&none, sizeof(none)};

		ptrace(PTRACE_SETREGSET, tid, (void *)ARCH_SET_NR, &number);
	}
#endif
}

/* ---- The filter ---- */

#define ADD(...) (ret[n++] = (struct sock_filter)__VA_ARGS__)

/* If the number is one of these, stop for the tracer. */
static size_t put_calls(struct sock_filter *ret, const uint32_t *calls)
{
	size_t n = 0;

	for (size_t i = 0; i < CALLS; i++) {
		if (calls[i] == ~0u)
			continue;
		ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[i], 0, 1));
		ADD(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE | FILTER_DATA));
	}
	ADD(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
	return n;
}

size_t call_filter(struct sock_filter ret[CALL_FILTER_MAX])
{
	struct sock_filter part[2 * CALLS + 1];
	size_t n = 0, length = put_calls(part, native_calls);

	ADD(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)));
	ADD(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH_AUDIT, 0, (uint8_t)(length + 2)));
	ADD(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)));
	ADD(BPF_STMT(BPF_ALU | BPF_AND | BPF_K, ~ARCH_NR_FLAG));
	memcpy(ret + n, part, length * sizeof(*part));
	n += length;
	ADD(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)));
	length = put_calls(part, compat_calls);
	memcpy(ret + n, part, length * sizeof(*part));
	return n + length;
}
