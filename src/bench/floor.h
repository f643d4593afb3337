/* SPDX-License-Identifier: MIT */
/* The least that any launcher can do. */
#ifndef BENCH_FLOOR_H
#define BENCH_FLOOR_H

/* The PID of a child that has begun to run the program, or will end with status 127; or -errno. */
long floor_start(const char *program, char *const argv[], char *const envp[]);

#endif
