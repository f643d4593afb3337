/* SPDX-License-Identifier: MIT */
/* A seccomp filter that answers some system calls with an errno, as container runtimes do. */
#ifndef RAMET_TESTS_LIB_FILTER_H
#define RAMET_TESTS_LIB_FILTER_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/prctl.h>

#include "uapi/nr.h"

struct filter_row {
	int nr;	      /* system call; -1 ends the list */
	int error;    /* what it gives */
	int argument; /* only if the first argument is this one; 0: whatever it is */
};

#define FILTER_ROWS_MAX 16

/* From now on, for this process and all it starts. */
static inline bool filter_install(const struct filter_row *rows)
{
	struct sock_filter code[FILTER_ROWS_MAX * 4 + 2];
	struct sock_fprog program = {.filter = code};
	unsigned n = 0;

	for (; rows->nr >= 0; rows++) {
		const unsigned to_next = rows->argument ? 3 : 1;

		code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
							 offsetof(struct seccomp_data, nr));
		code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
							 (unsigned)rows->nr, 0, to_next);
		if (rows->argument) {
			code[n++] = (struct sock_filter)BPF_STMT(
				BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0]));
			code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
								 (unsigned)rows->argument, 0, 1);
		}
		code[n++] = (struct sock_filter)BPF_STMT(
			BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ((unsigned)rows->error & 0xffff));
	}
	code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	program.len = (unsigned short)n;
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0)
		return true;
	/* Without root a filter needs the promise never to gain rights. */
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

#endif
