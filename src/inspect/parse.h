/* SPDX-License-Identifier: MIT */
/*
 * The texts of /proc/PID as numbers. Pure: no system call, no allocation. A task chooses its own
 * name, so what stands in it is hostile: blanks, brackets, line ends, escape sequences.
 */
#ifndef RAMET_INSPECT_PARSE_H
#define RAMET_INSPECT_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* From stat. */
struct inspect_basics {
	char name[64]; /* as the task set it, any bytes; 15 of a process, more of a kernel thread */
	char state;    /* 'R', 'S', 'D', 'T', 'Z' … */
	bool kernel;   /* a kernel thread */
	pid_t parent;
	unsigned threads; /* of its process */
	int exit_signal;  /* -1: a thread, 0: none */
};

/* From status. */
struct inspect_rights {
	pid_t process; /* tgid */
	pid_t tracer;  /* 0: none */
	pid_t inner;   /* its number in its own pid namespace */
	uid_t uid;     /* effective */
	gid_t gid;
	int umask; /* -1: the kernel does not say (before 4.7, zombies) */
	uint64_t permitted, effective;
	bool no_new_privs;
	int seccomp; /* 0 none, 1 strict, 2 filter */
	int filters; /* how many of them; -1: the kernel does not say (before 5.9) */
};

/* The line that begins with "NAME:", behind it and its blanks; NULL if there is none. */
const char *inspect_line(const char *text, const char *name);

/* 0, or -ENODATA if the text is not what the kernel writes. */
int inspect_parse_stat(const char *text, struct inspect_basics *ret);
int inspect_parse_status(const char *text, struct inspect_rights *ret);

/* The inode in what a link of /proc/PID/ns says: "net:[4026531840]". -ENODATA if there is none. */
int inspect_parse_ns(const char *link, uint64_t *ret_inode);

#endif
