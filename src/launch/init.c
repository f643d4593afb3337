/* SPDX-License-Identifier: MIT */
/*
 * The init of a new pid namespace: pid 1 stays behind, the program is its child. It reaps
 * whatever is handed to it, passes signals on, and ends when the program does, with its exit
 * status or 128 and the signal; the kernel then kills the rest of the namespace.
 * Freestanding: runs in a copy of the caller's memory, which nobody in the new namespace may read,
 * and holds none of the caller's descriptors, so that nobody waits for an end of file in vain.
 */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/sys.h"
#include "launch/launch.h"

#define SET_MASK 2 /* SIG_SETMASK, the kernel's */
#define SIGNALLED 128
#define UNSEEN 255

struct inner {
	struct child *child;
	unsigned next;
	bool ignores_sigchld; /* the caller did, so the program shall */
};

static void set_sigchld(void *handler)
{
	const struct kernel_sigaction action = {.handler = handler};

	sys_sigaction(SIGCHLD, &action, NULL);
}

static int run_inner(void *arg)
{
	const struct inner *inner = arg;

	if (inner->ignores_sigchld)
		set_sigchld((void *)SIG_IGN);
	return child_continue(inner->child, inner->next);
}

static int status_code(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : SIGNALLED + WTERMSIG(status);
}

/*
 * Everything that has ended; the program's status once it is among them, else -1. With no child
 * left at all it must have been among them, unseen.
 */
static int reap_all(long program)
{
	int status = 0, found = -1;
	long pid;

	while ((pid = sys_wait4(-1, &status, WNOHANG | (int)KERNEL_WALL, NULL)) > 0)
		if (pid == program)
			found = status_code(status);
	return found < 0 && pid == -ECHILD ? UNSEEN : found;
}

/* The program has left the process group that it shares with this init otherwise. */
static bool has_left(const struct child *child)
{
	for (unsigned i = 0; i < child->count; i++)
		if (child->steps[i].kind == RAMET_STEP_SETSID ||
		    child->steps[i].kind == RAMET_STEP_SETPGID)
			return true;
	return false;
}

/*
 * What the terminal sends goes to the program directly if it is in the same process group; the
 * rest was meant for it and came here because this is the pid known outside.
 */
static int serve(long program, bool terminal_too)
{
	const uint64_t all = ~0ULL;
	siginfo_t info;
	long sig;
	int code;

	for (;;) {
		code = reap_all(program);
		if (code >= 0)
			return code;
		sig = sys_sigtimedwait(&all, &info, NULL);
		if (sig > 0 && sig != SIGCHLD && (terminal_too || info.si_code != SI_KERNEL))
			sys_kill((int)program, (int)sig);
	}
}

/*
 * The program's parent is this init, so a signal at the launcher's end reaches it by way of here:
 * passed on like any other, or for SIGKILL by the end of all.
 */
static void follow_launcher(const struct child *child)
{
	for (unsigned i = 0; i < child->count; i++)
		if (child->steps[i].kind == RAMET_STEP_PDEATHSIG)
			sys_prctl(KERNEL_PR_SET_PDEATHSIG, (unsigned long)child->steps[i].number, 0,
				  0, 0);
}

long init_split(struct child *child, unsigned next)
{
	const struct clone_args args = {
		.flags = CLONE_VM | CLONE_VFORK | CLONE_CLEAR_SIGHAND,
		.exit_signal = SIGCHLD,
	};
	struct inner inner = {.child = child, .next = next};
	struct kernel_sigaction sigchld = {0};
	struct raw_used used = {0};
	const bool terminal_too = has_left(child);
	const uint64_t all = ~0ULL;
	long program;

	/* Ignored, the program would be reaped by the kernel and its status lost. */
	sys_sigaction(SIGCHLD, NULL, &sigchld);
	inner.ignores_sigchld = sigchld.handler == (void *)SIG_IGN;
	set_sigchld((void *)SIG_DFL);
	sys_prctl(KERNEL_PR_SET_DUMPABLE, 0, 0, 0, 0);
	/* Before the program can look; it takes its own name at exec. */
	sys_prctl(KERNEL_PR_SET_NAME, (unsigned long)"ramet-init", 0, 0, 0);
	follow_launcher(child);
	child->used_flags = &used.flags;
	child->caller = (int)sys_getpid(); /* of the program */
	program = raw_clone(&args, sizeof(args), CLONE_CLEAR_SIGHAND, &used, run_inner, &inner);
	if (program < 0) {
		child->record->step = next - 1;
		child->record->error = (int32_t)-program;
		__atomic_store_n(&child->record->phase, CHILD_FAILED, __ATOMIC_RELEASE);
		return CHILD_FAILED_STATUS;
	}
	if (__atomic_load_n(&child->record->phase, __ATOMIC_ACQUIRE) != CHILD_BODY) {
		sys_wait4((int)program, NULL, (int)KERNEL_WALL, NULL);
		return CHILD_FAILED_STATUS;
	}
	child_close_range(0, ~0U);
	sys_chdir("/");
	sys_sigprocmask(SET_MASK, &all, NULL);
	child_started(child);
	return serve(program, terminal_too);
}
