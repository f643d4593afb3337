/* SPDX-License-Identifier: MIT */
/* The processor's regs.h. */
#ifndef RAMET_ARCH_REGS_H
#define RAMET_ARCH_REGS_H

#if defined(__x86_64__)
#include "arch/x86_64/regs.h"
#elif defined(__aarch64__)
#include "arch/aarch64/regs.h"
#else
#include "arch/riscv64/regs.h"
#endif

#endif
