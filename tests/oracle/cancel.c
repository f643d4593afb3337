/* SPDX-License-Identifier: MIT */
/*
 * Threads cancelled while they launch, end, dispatch or wait, with signals on top. A launch is never
 * broken off half-way: it comes to its end, and the cancellation is acted on afterwards. What
 * would be left otherwise: a child, descriptors, stacks, and the gate of guard.c locked for ever.
 *
 * A wait with a time limit may be broken off, as poll() is; one without may not. The task is then
 * as it was and can be waited for again.
 *
 * Seen to fail, in a copy of the tree: cancellation not put off (the cell of identities and id maps
 * then hangs in guard.c).
 */
#include <pthread.h>
#include <time.h>

#include "lib/world.h"
#include "oracle/launches.h"

#define WORKERS 4

static char sleep_name[] = "sleep", sleep_time[] = "0.02";

static struct worker {
	pthread_t thread;
	const struct shape *shape;
	bool inside; /* of a launch; still set if it was broken off there */
	bool waiting;
	struct ramet_task task; /* while waiting */
	long launched, wrong;
	int result;
} workers[WORKERS];

static void on_signal(int sig)
{
	(void)sig;
}

static void may_be_cancelled(bool yes)
{
	pthread_setcancelstate(yes ? PTHREAD_CANCEL_ENABLE : PTHREAD_CANCEL_DISABLE, NULL);
}

static void *launch_on(void *arg)
{
	struct worker *w = arg;
	struct ramet_error error;
	int r;

	for (;;) {
		may_be_cancelled(false);
		w->inside = true;
		may_be_cancelled(true);
		r = shape_start(w->shape, &w->task, &error);
		may_be_cancelled(false);
		w->inside = false;
		w->launched++;
		if (r < 0) {
			w->wrong++;
			w->result = r;
			return NULL;
		}
		w->waiting = true;
		may_be_cancelled(true);
		r = ramet_wait(&w->task, 60000, NULL);
		may_be_cancelled(false);
		w->waiting = false;
		if (r < 0) {
			w->wrong++;
			w->result = r;
		}
		ramet_task_close(&w->task);
		may_be_cancelled(true);
		pthread_testcancel();
	}
}

/* Start all, cancel each at some moment, see how they ended. */
static void round_of(const struct shape *const *mix, unsigned count, long *launched)
{
	for (unsigned i = 0; i < WORKERS; i++) {
		workers[i] = (struct worker){.shape = mix[i % count]};
		pthread_create(&workers[i].thread, NULL, launch_on, &workers[i]);
	}
	for (unsigned i = 0; i < WORKERS; i++) {
		usleep((useconds_t)tap_below(1200));
		pthread_kill(workers[i].thread, SIGUSR1);
		pthread_cancel(workers[i].thread);
	}
	for (unsigned i = 0; i < WORKERS; i++) {
		struct worker *w = &workers[i];

		pthread_join(w->thread, NULL);
		expect(!w->inside, "%s: a launch was broken off", w->shape->name);
		expect(!w->wrong, "%s: %d", w->shape->name, w->result);
		*launched += w->launched;
		if (!w->waiting)
			continue;
		expect(shape_finish(w->shape, &w->task), "%s: waited for again", w->shape->name);
		cell->number[1]++;
	}
}

static void cancelled(const struct shape *const *mix, unsigned count)
{
	struct sigaction action = {.sa_handler = on_signal};
	const unsigned rounds = tap_scaled(40);
	struct world before = {0}, after;
	long launched = 0;

	shapes_prepare();
	sigaction(SIGUSR1, &action, NULL);
	for (unsigned i = 0; i < rounds && !cell->text[0]; i++) {
		if (i == rounds / 3)
			before = world_take();
		round_of(mix, count, &launched);
	}
	after = world_take();
	expect(before.fds == after.fds && before.fd_sum == after.fd_sum,
	       "%ld descriptors, then %ld", before.fds, after.fds);
	expect(!after.children, "a child is left");
	expect(before.dumpable == after.dumpable && before.mask == after.mask, "%s",
	       world_differs(&before, &after));
	/* A slot for each thread, should more than before have launched at once. */
	expect(after.mappings <= before.mappings + WORKERS + 2, "%ld mappings, then %ld",
	       before.mappings, after.mappings);
	cell_note("%ld launches, %ld waits broken off\n", launched, cell->number[1]);
	cell->number[0] = launched;
}

static void one_shape(void *arg)
{
	const struct shape *const mix[] = {arg};

	cancelled(mix, 1);
}

/* Those that have to wait for each other's end in guard.c: memory unreadable, id maps. */
static void by_turns(void *arg)
{
	const struct shape identity = {.name = "identity",
				       .spec = TINY_BY(ANY, RAMET_UID(geteuid()),
						       RAMET_KEEP_GROUPS())},
			   maps = {.name = "id maps",
				   .spec = SHAPE_SPEC(.program = room_tiny, .fresh = RAMET_USER,
						      .steps = RAMET_STEPS(SHAPE_MAPS))};
	const struct shape *const mix[] = {&identity, &maps};
	struct ramet_error error;

	(void)arg;
	alarm(40);
	cancelled(mix, 2);
	expect(shape_launch(&identity, &error) == 0, "identity, afterwards");
	expect(shape_launch(&maps, &error) == 0, "id maps, afterwards");
}

/* ---- Dispatch, and waits without a limit ----------------------------------------------------------- */

static struct ramet_launching *list[4];
static long told;

static void hear(void *context, size_t index, int result, struct ramet_task *task,
		 const struct ramet_error *error)
{
	(void)context;
	(void)index;
	(void)error;
	told++;
	expect(result == 0 && ramet_wait(task, -1, NULL) == 0, "begun: %d", result);
	if (task)
		ramet_task_close(task);
}

static void *dispatch_on(void *arg)
{
	while (ramet_launch_dispatch(list, 4, 1000, hear, NULL) >= 0)
		pthread_testcancel();
	return arg;
}

static void dispatching(void *arg)
{
	struct world before = {0}, after;
	const unsigned rounds = tap_scaled(40);
	pthread_t thread;

	(void)arg;
	for (unsigned i = 0; i < rounds && !cell->text[0]; i++) {
		if (i == rounds / 3)
			before = world_take();
		for (unsigned j = 0; j < 4; j++)
			expect(ramet_launch_begin(
				       &RAMET_SPEC(.program = room_tiny, .options = RAMET_DONE_FD),
				       &list[j], NULL) == 0,
			       "begin");
		pthread_create(&thread, NULL, dispatch_on, NULL);
		usleep((useconds_t)tap_below(600));
		pthread_cancel(thread);
		pthread_join(thread, NULL);
		while (ramet_launch_dispatch(list, 4, -1, hear, NULL) > 0)
			;
	}
	after = world_take();
	expect(told == (long)rounds * 4, "%ld told of %u", told, rounds * 4);
	expect(before.fds == after.fds && !after.children, "%s", world_differs(&before, &after));
}

static void *wait_for_sleeper(void *arg)
{
	struct worker *w = arg;

	w->waiting = true;
	w->result = ramet_wait(&w->task, w->wrong ? 60000 : -1, NULL);
	w->waiting = false;
	return NULL;
}

/* arg: with a limit it is broken off. */
static void waits(void *arg)
{
	struct worker *w = &workers[0];
	struct world before, after;
	void *result;

	before = world_take();
	for (unsigned i = 0; i < 20 && !cell->text[0]; i++) {
		*w = (struct worker){.wrong = arg != NULL};
		if (!expect(ramet_launch(&RAMET_SPEC(.program = "/bin/sleep",
						     .argv = WORDS(sleep_name, sleep_time),
						     .options = i % 2 ? RAMET_NO_PIDFD : 0),
					 &w->task, NULL) == 0,
			    "launch"))
			return;
		pthread_create(&w->thread, NULL, wait_for_sleeper, w);
		usleep(5000);
		pthread_cancel(w->thread);
		pthread_join(w->thread, &result);
		cell->number[0] += result == PTHREAD_CANCELED;
		if (w->waiting)
			expect(ramet_wait(&w->task, -1, NULL) == 0, "waited for again");
		else
			expect(w->result == 0, "wait %d", w->result);
		ramet_task_close(&w->task);
	}
	after = world_take();
	expect(before.fds == after.fds && !after.children, "%ld descriptors, then %ld", before.fds,
	       after.fds);
	cell_note("%ld of 20 broken off\n", cell->number[0]);
}

int main(void)
{
	if (SANITIZED) {
		skip(1, "sanitizers do not know of cancelled threads");
		return tap_done();
	}
	room_make();
	tap_seed();
	shapes_try(WHO_ANY, 60, one_shape, "cancelled");
	cell_run(WHO_NOBODY, 60, by_turns, NULL, "cancelled: identities beside id maps");
	cell_run(WHO_ANY, 60, dispatching, NULL, "cancelled: dispatch");
	cell_run(WHO_ANY, 60, waits, NULL, "a wait without a limit");
	cell_run(WHO_ANY, 60, waits, room_dir, "a wait with a limit");
	return tap_done();
}
