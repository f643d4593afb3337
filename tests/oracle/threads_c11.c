/* SPDX-License-Identifier: MIT */
/* threads_posix.c against the C library's threads.h: what of it C11 has means the same there. */
#define AGAINST_C11
#include "threads_posix.c"
