/* SPDX-License-Identifier: MIT */
/* Steps about signals. Until step_sigmask every signal is blocked, so no handler can run. */
#include <errno.h>

#include "base/sys.h"
#include "child/steps.h"
#include "uapi/clone.h"

#define UNUSED __attribute__((unused))
#define SIGKILL_NUMBER 9
#define SIGSTOP_NUMBER 19
#define SET_MASK 2 /* SIG_SETMASK */

#define DEFAULT ((void *)0)
#define IGNORE ((void *)1)

static bool is_fixed(int sig)
{
	return sig == SIGKILL_NUMBER || sig == SIGSTOP_NUMBER;
}

static long set_action(int sig, void *handler)
{
	struct kernel_sigaction action = {.handler = handler};

	return sys_sigaction(sig, &action, NULL);
}

/* Caught signals to default; ignored ones stay ignored, as exec would have it. */
static long clear_handlers(void)
{
	struct kernel_sigaction old;
	long r;

	for (int sig = 1; sig <= KERNEL_NSIG; sig++) {
		if (is_fixed(sig))
			continue;
		r = sys_sigaction(sig, NULL, &old);
		if (r == 0 && old.handler != DEFAULT && old.handler != IGNORE)
			r = set_action(sig, DEFAULT);
		if (r < 0)
			return r;
	}
	return 0;
}

long step_signal(struct child *child UNUSED, const struct ramet_step *step)
{
	void *const handler = step->ignore ? IGNORE : DEFAULT;
	long r = 0;

	if (step->number)
		return set_action(step->number, handler);
	for (int sig = 1; sig <= KERNEL_NSIG && r >= 0; sig++)
		if (!is_fixed(sig))
			r = set_action(sig, handler);
	return r;
}

long step_sigmask(struct child *child, const struct ramet_step *step)
{
	long r = 0;

	if (child->clear_handlers && !(*child->used_flags & CLONE_CLEAR_SIGHAND))
		r = clear_handlers();
	return r < 0 ? r : sys_sigprocmask(SET_MASK, &step->mask, NULL);
}
