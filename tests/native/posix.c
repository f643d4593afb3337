/* SPDX-License-Identifier: MIT */
/* oracle/threads_posix.c against libramet-rt. */
#define AGAINST_NATIVE
#include "../oracle/threads_posix.c"
