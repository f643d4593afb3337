/* SPDX-License-Identifier: MIT */
/* threads_posix.c against the C library: what it asks of ramet is what POSIX means. */
#define AGAINST_LIBC
#include "threads_posix.c"
