/* SPDX-License-Identifier: MIT */
/*
 * Signals to ramet itself while it traces. They reach the loop by breaking off its wait; one that
 * comes just before the wait begins would not, so a timer breaks it off again until the loop has
 * noticed.
 */
#include <signal.h>
#include <sys/time.h>

#include "trace/source.h"

static volatile unsigned seen; /* bit 0: any of the others */
static volatile unsigned from_terminal;

static const int caught[SOURCE_CAUGHT] = {SIGHUP,  SIGINT,  SIGQUIT, SIGTERM, SIGUSR1,
					  SIGUSR2, SIGALRM, SIGPIPE, SIGXFSZ, SIGCHLD};

void source_start_timer(int microseconds)
{
	const struct itimerval once = {{0, 0}, {0, microseconds}};

	setitimer(ITIMER_REAL, &once, NULL);
}

static void on_signal(int sig, siginfo_t *info, void *context)
{
	(void)context;
	if (sig != SIGALRM) {
		__atomic_fetch_or(&seen, 1u << sig, __ATOMIC_SEQ_CST);
		if (info->si_code == SI_KERNEL)
			__atomic_fetch_or(&from_terminal, 1u << sig, __ATOMIC_SEQ_CST);
	}
	if (seen)
		source_start_timer(50000);
}

/*
 * What was ignored stays so (nohup, jobs in the background), apart from the timer's. Writing to a
 * closed pipe or too long a file is to be an error: ramet's death would be the program's too.
 */
void source_catch_signals(struct tracer *t)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN};
	/* Stops are waited for: spare the kernel the signals. */
	const struct sigaction quiet = {.sa_handler = SIG_DFL, .sa_flags = SA_NOCLDSTOP};
	struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO};
	sigset_t set;

	if (t->catches)
		return;
	t->catches = true;
	seen = from_terminal = 0;
	sigemptyset(&set);
	for (int i = 0; i < SOURCE_CAUGHT; i++) {
		const int sig = caught[i];

		sigaction(sig, NULL, &t->old_actions[i]);
		if (sig == SIGCHLD) {
			sigaction(sig, &quiet, NULL);
			continue;
		}
		if (sig == SIGPIPE || sig == SIGXFSZ)
			sigaction(sig, &ignore, NULL);
		else if (sig == SIGALRM || t->old_actions[i].sa_handler != SIG_IGN)
			sigaction(sig, &action, NULL);
		sigaddset(&set, sig);
	}
	sigprocmask(SIG_UNBLOCK, &set, &t->old_mask);
}

/* Those of writing stay ignored: the view has yet to write its last. */
void source_release_signals(struct tracer *t)
{
	if (!t->catches)
		return;
	t->catches = false;
	source_start_timer(0);
	for (int i = 0; i < SOURCE_CAUGHT; i++)
		if (caught[i] != SIGPIPE && caught[i] != SIGXFSZ)
			sigaction(caught[i], &t->old_actions[i], NULL);
	sigprocmask(SIG_SETMASK, &t->old_mask, NULL);
}

static void take(struct tracer *t, int sig, bool terminal)
{
	const bool ends = sig != SIGUSR1 && sig != SIGUSR2;

	if (t->program && t->status < 0) {
		/* A terminal's reach the program without us. */
		if (!terminal)
			kill(t->program, sig);
	} else if (ends) {
		t->result = t->result ? t->result : 1;
	}
}

void source_take_signals(struct tracer *t)
{
	unsigned taken = __atomic_exchange_n(&seen, 0, __ATOMIC_SEQ_CST);
	unsigned terminal = __atomic_exchange_n(&from_terminal, 0, __ATOMIC_SEQ_CST);

	for (int sig = 1; sig < 32; sig++)
		if (taken >> sig & 1)
			take(t, sig, terminal >> sig & 1);
}
