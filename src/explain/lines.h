/* SPDX-License-Identifier: MIT */
/*
 * Reads what other tools print about calls that make tasks or change what they share: strace,
 * ltrace, perf trace, records of task_newtask and of auditd. Lines go in one by one, calls
 * come out; a call that was printed in parts comes out with its last part. Pure text in memory:
 * no system call.
 */
#ifndef RAMET_EXPLAIN_LINES_H
#define RAMET_EXPLAIN_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ramet/model.h>

/* Stands for a pointer that the text shows by what it points at, as in "parent_tid=[9183]". */
#define LINE_POINTEE 1

/* Which parts of a call the text gave: the others are 0 and mean nothing. */
enum line_given {
	LINE_FLAGS = 1 << 0,	   /* not given where the beginning is missing, or clone3's block */
	LINE_EXIT_SIGNAL = 1 << 1, /* not given by task_newtask from Linux 5.7 on */
	LINE_STACK = 1 << 2,
	LINE_STACK_SIZE = 1 << 3,
	LINE_PARENT_TID = 1 << 4,
	LINE_CHILD_TID = 1 << 5,
	LINE_TLS = 1 << 6,
	LINE_PIDFD = 1 << 7,   /* clone: it is parent_tid, if the flags have PIDFD */
	LINE_SET_TID = 1 << 8, /* set_tid and set_tid_size */
	LINE_CGROUP = 1 << 9,
	LINE_SIZE = 1 << 10,   /* clone3's second argument */
	LINE_RESULT = 1 << 11, /* it has returned: result. Never together with LINE_ERROR; neither
				  where it has not returned, or the text does not tell */
	LINE_ERROR = 1 << 12,  /* it has failed: error */
	LINE_TASK = 1 << 13,   /* who called: task */
	LINE_FD = 1 << 14,     /* setns: fd */
};

struct line_call {
	/*
	 * Of clone, flags are without the low byte, and exit_signal is that byte, whatever it is.
	 * trailing is set if strace showed such bytes; where it could not read them it is 0.
	 */
	struct ramet_call call;
	const char *name;   /* of the system call: "clone3", "vfork", "setns", "__clone2"; of the
			       library's: "clone", "pthread_create", "posix_spawn"; or
			       "task_newtask", which does not tell (entry: CLONE3 if that could
			       have been it, else CLONE). Static */
	const char *source; /* what printed it: "strace", "ltrace", "perf" (also for events of
			       system calls), "audit", "task_newtask". Static */
	uint32_t given;	    /* of enum line_given */
	int task;	    /* tid of the caller; audit: its process */
	int64_t result;	    /* tid of the child, or 0 */
	int error;	    /* errno; 513 (ERESTARTNOINTR) and its like as the tracer shows them;
			       0: failed, but with what is not told or not known here */
	int fd;		    /* setns: the descriptor; -1: none */
	bool fd_is_pid;	    /* setns: strace -y or -yy showed it to be a pidfd */
	bool library;	    /* a call of the C library: name is its function, call what it asks of
			       the kernel, in some of its versions if the name is not clone's */
	char function[32];  /* of the library's clone: where the task begins, an address or a name;
			       else "" */
	char comm[32];	    /* name of the program that called, "" where the line has none */
	size_t first_line, last_line; /* numbers of the input lines it came from, from 1 */
};

enum line_kind {
	LINE_OTHER,  /* about something else: skipped */
	LINE_PART,   /* the beginning of a call: its end comes later */
	LINE_CALL,   /* a call: *ret was written */
	LINE_STRANGE /* about a call that makes tasks, but not understood */
};

struct line_reader;

/* The order of clone(2)'s raw arguments differs between processors. */
enum line_arch_order {
	LINE_ORDER_DEFAULT,    /* flags, stack, ptid, ctid, tls: x86_64 and others */
	LINE_ORDER_BACKWARDS,  /* flags, stack, ptid, tls, ctid: arm, aarch64, i386, riscv … */
	LINE_ORDER_BACKWARDS2, /* stack, flags, ptid, ctid, tls: s390 */
	LINE_ORDER_BACKWARDS3, /* flags, stack, stack size, ptid, ctid, tls: microblaze */
};

/* By uname's name of the machine ("aarch64"); 0, or -EINVAL for one that is not known. */
int line_arch(const char *name, enum line_arch_order *ret);

/* order: for unnamed arguments (ltrace); audit's records name their own. NULL without memory. */
struct line_reader *line_reader_new(enum line_arch_order order);
void line_reader_free(struct line_reader *reader);

/*
 * Take one line of n bytes, with or without its newline, of any length and content. *ret is
 * written for LINE_CALL alone. -ENOMEM: the line is lost, the reader is good.
 *
 * A call whose task ended or made another before its end came is left to line_reader_finish().
 * At most 65536 beginnings and 16 MiB of their text are kept; beyond that the oldest are lost.
 */
int line_reader_feed(struct line_reader *reader, const char *text, size_t n, struct line_call *ret);

/*
 * After the last line: the calls whose end never came, one a call of this function, the oldest
 * first, without LINE_RESULT and LINE_ERROR. LINE_CALL, or LINE_OTHER when there is none left.
 */
int line_reader_finish(struct line_reader *reader, struct line_call *ret);

#endif
