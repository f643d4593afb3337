/* SPDX-License-Identifier: MIT */
/*
 * ramet: what stands beside ramet_launch().
 *
 * Run a program to its end with its output in memory; give a task a terminal of its own; signal a
 * task with all that descends from it; wait for the first of many. All are made of ramet_launch(),
 * ramet_wait() and plain system calls: no thread, no signal handler, no state of the process, so
 * that any number of threads may use them at a time.
 *
 *	struct ramet_captured got;
 *	struct ramet_error error;
 *	int r = ramet_capture(&RAMET_SPEC(.program = "sort", .options = RAMET_SEARCH_PATH),
 *			      &RAMET_CAPTURE_OPTIONS(.input = RAMET_INPUT_MEMORY,
 *						     .input_data = text, .input_size = size,
 *						     .timeout_ms = 5000),
 *			      &got, &error);
 *
 * As everywhere in ramet: 0 or more, or -errno; results come last and are not written on failure.
 */
#ifndef RAMET_COMPANIONS_H
#define RAMET_COMPANIONS_H

#include <ramet/ramet.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- A program run to its end ------------------------------------------------------------ */

/* Where the program's standard input comes from. */
enum ramet_input {
	RAMET_INPUT_NOTHING = 0, /* /dev/null: at its end at once */
	RAMET_INPUT_MEMORY,	 /* input_data, by a pipe, which then is at its end */
	RAMET_INPUT_FD,		 /* input_fd */
	RAMET_INPUT_PASS,	 /* the caller's own, or what a step of the spec gives it */
};

/* Where its standard output, or its standard error, goes. */
enum ramet_output {
	RAMET_OUTPUT_CAPTURE = 0, /* to memory */
	RAMET_OUTPUT_MERGE,	  /* to wherever the other goes, in the order it was written in */
	RAMET_OUTPUT_PASS,	  /* to the caller's own, or what a step of the spec gives it */
	RAMET_OUTPUT_DISCARD,	  /* to /dev/null */
};

/* ramet_capture_options.flags */
#define RAMET_CAPTURE_DROP 0x1u	  /* what is above a limit is read and dropped; else: stop it */
#define RAMET_CAPTURE_TREE 0x2u	  /* stop all that descends from the task too: ramet_kill_tree() */
#define RAMET_CAPTURE_CGROUP 0x4u /* as TREE, and all in the cgroup of .cgroup */

/* How to run it. Make it with RAMET_CAPTURE_OPTIONS(), which sets size; the rest may be zero. */
struct ramet_capture_options {
	size_t size;

	enum ramet_input input;
	const void *input_data; /* RAMET_INPUT_MEMORY; the caller's, only read */
	size_t input_size;
	int input_fd; /* RAMET_INPUT_FD; stays the caller's, and open; may be O_CLOEXEC */

	enum ramet_output output, error;
	size_t output_limit, error_limit; /* bytes kept; 0: as many as there are */

	unsigned flags;
	int timeout_ms;	 /* from the call on: then it is stopped; 0: no deadline */
	int stop_signal; /* stopping begins with this one; 0: with SIGKILL */
	int stop_ms;	 /* so long after stop_signal comes SIGKILL */
	int linger_ms;	 /* how long to wait, once the task has ended, for others that hold its
			    output open; 0: 200 ms; below 0: until they close it, or timeout_ms */
	int cgroup;	 /* RAMET_CAPTURE_CGROUP: descriptor of the cgroup's directory */
};

#define RAMET_CAPTURE_OPTIONS(...)                                                                 \
	((struct ramet_capture_options){.size = sizeof(struct ramet_capture_options), __VA_ARGS__})

/* What came of it. The buffers are yours: ramet_captured_free(). */
struct ramet_captured {
	struct ramet_status status;
	int status_error; /* 0, or why there is no status: -ECHILD, somebody else has reaped the
			     task; -ETIMEDOUT, it could not be ended and still runs: see tid */
	int tree_error;	  /* 0, or why not all below the task may have been stopped, with TREE or
			     CGROUP: what ramet_kill_tree() said */
	char *output;	  /* a 0 follows the last byte; NULL if not captured here */
	char *error;
	size_t output_size, error_size; /* bytes, the 0 not counted */
	int output_cut, error_cut;	/* 1: there was more than the limit */
	int input_cut;			/* 1: not all of input_data went into its pipe */
	int timed_out;			/* 1: the deadline came before the end of the task */
	int left_open; /* 1: the task has ended, and somebody else could still write */
	pid_t tid;
	enum ramet_way way; /* as in struct ramet_task */
	unsigned lost;
};

/*
 * Run the program of a spec to its end. Its standard streams are steps (RAMET_DUP) added to those
 * of the spec; all else of the spec holds as in ramet_launch(). options may be NULL: no input,
 * both streams captured, no limit. One poll loop in the calling thread: input and output of any
 * size pass each other without deadlock.
 *
 * 0 whenever the program was started and all of its output is told: however it ended, stopped at
 * its deadline or at a limit as well. Before that -errno as ramet_launch(), with error (may be
 * NULL) filled; and -ENOMEM for output that does not fit into memory, -EINVAL for options that
 * contradict each other (rules capture-*): then it is killed and reaped, and nothing is left.
 *
 * Stopping means stop_signal, if there is one, then SIGKILL; to the task alone, or with TREE or
 * CGROUP to all below it. What cannot be killed (it has become another user, it hangs in the
 * kernel) is left behind after some seconds, and status_error says so.
 *
 * The end of the task ends the capture: what it had written is there in full. Another process
 * that inherited the stream, and is still there, may write for linger_ms more; after that it is
 * not waited for, its output is not taken and left_open is 1.
 *
 * Programs only: a function that writes to a pipe while its caller is held would wait for ever
 * (rule capture-needs-program). No SIGPIPE reaches the caller, and no signal disposition is
 * changed for it. Cancellation of the calling thread inside leaks what is open.
 */
RAMET_API RAMET_MUST_CHECK RAMET_NONNULL(1, 3) int ramet_capture(
	const struct ramet_spec *spec, const struct ramet_capture_options *options,
	struct ramet_captured *ret_captured, struct ramet_error *error);

/* Free the buffers. May be called again, and on a struct that is all zero. */
RAMET_API RAMET_NONNULL(1) void ramet_captured_free(struct ramet_captured *captured);

/* ---- A terminal ---------------------------------------------------------------------------- */

struct winsize; /* <sys/ioctl.h> */
struct termios; /* <termios.h> */

/* Both sides of a pseudo-terminal, O_CLOEXEC; -1 once closed. */
struct ramet_pty {
	int master;
	int slave;
};

/*
 * Make one. size and mode may be NULL: what the kernel begins with. The slave is opened through
 * the master (TIOCGPTPEER), so that no path can lead elsewhere, and controls no session yet.
 * -ENOENT: no /dev/ptmx; -ENOSPC: no more terminals; -EMFILE.
 */
RAMET_API RAMET_MUST_CHECK RAMET_NONNULL(3) int ramet_pty_open(const struct winsize *size,
							       const struct termios *mode,
							       struct ramet_pty *ret_pty);

/*
 * Steps that make it the terminal of a task: a session of its own, which it controls, and standard
 * input, output and error. Among others: RAMET_STEPS(RAMET_PTY_STEPS(pty), RAMET_CWD("/")). The
 * argument is evaluated several times.
 */
#define RAMET_PTY_STEPS(pty_)                                                                      \
	RAMET_SETSID(), RAMET_CTTY((pty_).slave), RAMET_DUP((pty_).slave, 0),                      \
		RAMET_DUP((pty_).slave, 1), RAMET_DUP((pty_).slave, 2)

/*
 * Close the caller's slave, once the task runs: only then the end shows on the master, as EIO
 * after the last output, when the last process that has the terminal open is gone.
 */
RAMET_API RAMET_NONNULL(1) void ramet_pty_close_slave(struct ramet_pty *pty);

/* Close both. Closing the master hangs up: the session's leader gets SIGHUP. May be called again. */
RAMET_API RAMET_NONNULL(1) void ramet_pty_close(struct ramet_pty *pty);

/* ---- A task and all below it ---------------------------------------------------------------- */

/* Flags of ramet_kill_tree(). */
#define RAMET_TREE_NO_STOP 0x1u	     /* do not stop them for the search */
#define RAMET_TREE_BELOW_CALLER 0x2u /* also all other children of the calling process */

/*
 * Send a signal to a task and to all that descends from it. Returns how many processes got it; 0
 * as sig counts them.
 *
 * cgroup: a descriptor of the directory of a cgroup that the task and what it makes are in, and
 * the caller is not; or -1.
 * With it nothing can hide. SIGKILL is one write to its cgroup.kill (5.14), the kernel's own and
 * atomic; any other signal, an older kernel and cgroup v1 search its cgroup.procs, those of the
 * cgroups below, and descendants too.
 *
 * Without, the search goes from parent to child. A process whose parent has ended (a daemon that
 * forked twice) is found only if it became the child of one that is found: give the task
 * RAMET_SUBREAPER() for that. Or make the calling process the subreaper (PR_SET_CHILD_SUBREAPER)
 * and set RAMET_TREE_BELOW_CALLER, which takes every child the caller has, whoever made it.
 *
 * Each is stopped when it is found, so that it makes no more while the search goes on, until
 * nothing new turns up; then all get the signal, children before parents, and, unless it was
 * SIGKILL or SIGSTOP, SIGCONT if they ran before. A parent may see its children stop. Without
 * that, by RAMET_TREE_NO_STOP or for 0, SIGCONT and the other stop signals, what is made meanwhile
 * may be missed. Each is known by a pidfd, and its parent verified after that was opened, so that
 * no stranger with a recycled number is hit; if descriptors run out, by number and start time.
 *
 * -EINVAL: a task of the caller's own thread group, a signal out of range, unknown flags.
 * -ESRCH: the task has been reaped already (without a cgroup or BELOW_CALLER). -EPERM: none may be
 * signalled by the caller; those that may not are left out of the count. -EAGAIN: they got the
 * signal, but for two seconds some would not stop, or for thirty there were ever more of them, so
 * that some may be left. -EOPNOTSUPP: /proc is
 * not there or counts in another pid namespace. -ENOSYS, or a filter's errno: there are no pidfds.
 *
 * Does not wait: ramet_wait() the task after. A subreaper gets the orphans' ends to wait for.
 */
RAMET_API RAMET_MUST_CHECK RAMET_NONNULL(1) int ramet_kill_tree(const struct ramet_task *task,
								int sig, int cgroup,
								unsigned flags);

/* ---- The first of many ----------------------------------------------------------------------- */

/*
 * Wait for the first of some tasks to end, as ramet_wait() does for one, and reap it. NULL entries
 * are skipped: put NULL where a task has been waited for. timeout_ms as there. Of several that
 * have ended the first in the array is told. ret_status may be NULL.
 *
 * -ETIMEDOUT: all still run. -ECHILD: the task at *ret_index, which is written in this case too,
 * has no status to be had, see ramet_wait(); *ret_index is count if there is nothing to wait for.
 * -ENOMEM.
 *
 * One poll() over the pidfds: a call costs a little for each task. For thousands, or together with
 * other things, put the pidfds into an epoll of your own (EPOLLIN), and call ramet_wait(task, 0,
 * …) for those that are ready. Tasks that have no pidfd (threads; RAMET_LOST_PIDFD) are looked at
 * every 2 ms. No task of the array may be waited for or closed meanwhile.
 */
RAMET_API RAMET_MUST_CHECK RAMET_NONNULL(1, 4) int ramet_wait_any(struct ramet_task *const tasks[],
								  size_t count, int timeout_ms,
								  size_t *ret_index,
								  struct ramet_status *ret_status);

#ifdef __cplusplus
}
#endif

#endif
