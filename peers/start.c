/* SPDX-License-Identifier: MIT */
/*
 * Runs a worker as all are to run: start COMMAND [ARG…]. It has the descriptors 0 to 2, whatever
 * its starter has open. And no transparent huge pages: a heap of x bytes has the same page tables
 * in every peer then, although Go would ask for huge ones.
 */
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "usage: %s COMMAND [ARG...]\n", argv[0]);
		return 2;
	}
	if (syscall(SYS_close_range, 3, ~0U, 0) < 0) {
		perror("start: close_range");
		return 1;
	}
	if (prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) < 0) {
		perror("start: PR_SET_THP_DISABLE");
		return 1;
	}
	execvp(argv[1], argv + 1);
	perror(argv[1]);
	return 127;
}
