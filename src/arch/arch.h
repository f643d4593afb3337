/* SPDX-License-Identifier: MIT */
/*
 * The one place that selects the processor. Each arch/<cpu>/ has the same files:
 *   sys.h    inline system calls sys0..sys6, results as the kernel gives them (-errno)
 *   tls.h    reading and setting the thread pointer
 *   enter.S  the clone entries declared below
 *   regs.h   where a stopped task's registers have its system call (for tracers; include it
 *            by arch/regs.h)
 *   start.S  _start of a program without a C library: calls arch_start(initial stack pointer)
 *   thread.h, leave.S  a native thread's memory and its last two calls (include it by
 *            arch/thread.h)
 */
#ifndef RAMET_ARCH_H
#define RAMET_ARCH_H

#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__)
#include "arch/x86_64/sys.h"
#include "arch/x86_64/tls.h"
#elif defined(__aarch64__)
#include "arch/aarch64/sys.h"
#include "arch/aarch64/tls.h"
#elif defined(__riscv) && __riscv_xlen == 64
#include "arch/riscv64/sys.h"
#include "arch/riscv64/tls.h"
#else
#error "ramet knows x86_64, aarch64 and riscv64; add a folder under src/arch for this processor"
#endif

struct clone_args;

/* What clone(2) takes, in one order for every processor; enter.S puts it in the kernel's. */
struct arch_clone_regs {
	uint64_t flags; /* low byte: the exit signal */
	uint64_t stack; /* initial stack pointer (the top), 0: the caller's */
	uint64_t parent_tid;
	uint64_t child_tid;
	uint64_t tls;
};

/*
 * Make a task by clone3 or clone. In the parent the kernel's result is returned: the new tid or
 * -errno. The child never returns from here: with the stack pointer aligned to 16 it calls
 * fn(arg) and ends itself (only itself, not its thread group) with the result as exit status.
 * With fn NULL it returns 0 in the child instead: for copied memory only.
 *
 * With stack 0 the child runs on below the caller's stack pointer. That is right where the
 * memory is copied, and where it is shared only together with CLONE_VFORK: nothing at or above
 * the caller's frame is written by these routines after the call, so the parent finds its frame
 * as it left it.
 */
long arch_clone3(const struct clone_args *args, size_t size, int (*fn)(void *), void *arg);
long arch_clone(const struct arch_clone_regs *regs, int (*fn)(void *), void *arg);

/*
 * enter.S also holds the public ramet_vfork(): a task with shared memory that returns twice keeps
 * its return address in a register, since the child overwrites the stack slot that held it.
 */

#endif
