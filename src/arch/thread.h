/* SPDX-License-Identifier: MIT */
/*
 * What a thread's own memory looks like to the processor. Each arch/<cpu>/thread.h has
 *   struct arch_tcb      the words that the processor's rules put at the front of the thread's
 *                        record: where the thread pointer points, if ARCH_TCB_BELOW is 0
 *   ARCH_TCB_BELOW       1: the record ends at or less than 64 bytes below the thread pointer
 *   arch_set_canary()    the stack protector's word, where it is the thread's and no variable
 *   arch_tls_offset()    where the block of _Thread_local variables begins, from the thread pointer
 *   arch_tp()            the thread pointer, without a system call
 *   arch_relax()         between two looks at a word that another processor will change
 * and leave.S has arch_unmap_exit().
 */
#ifndef RAMET_ARCH_THREAD_H
#define RAMET_ARCH_THREAD_H

#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__)
#include "arch/x86_64/thread.h"
#elif defined(__aarch64__)
#include "arch/aarch64/thread.h"
#elif defined(__riscv) && __riscv_xlen == 64
#include "arch/riscv64/thread.h"
#endif

/*
 * Unmap the calling thread's own stack and end the thread: between the two calls there is no
 * stack, so all signals must be blocked, and the kernel must not have a word to clear there.
 */
void arch_unmap_exit(void *map, size_t size) __attribute__((noreturn));

#endif
