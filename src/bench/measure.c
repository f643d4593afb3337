/* SPDX-License-Identifier: MIT */
/*
 * Trials and stages, within the budget. Each trial visits the points in an order of its own, so
 * that a machine that slows down in the meantime slows all of them. What is left of the time is
 * shared out anew before each stage; setting up a large heap is allowed for.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/stage.h"
#include "probe/probe.h"

#define SLOTS_MAX (2 * BENCH_POINTS_MAX)
#define TOUCH_NS_PER_MB 500000 /* setting up; generous */
#define PEER_NS 300000000      /* for one to start */
#define STAGE_NS 100000000     /* a shorter stage is over before all have begun */
#define GRACE_NS 6000000000    /* to take the scene down, once told to */
#define SECOND 1000000000.0

struct slot {
	size_t point;
	bool huge;
	int64_t set_up_ns; /* estimated */
};

struct run {
	const struct bench_request *request;
	const struct bench_progress *progress;
	const volatile sig_atomic_t *stop;
	struct bench_result *result;
	struct slot slots[SLOTS_MAX];
	size_t slot_count;
	int64_t begin_ns, end_ns;
	uint64_t random;
	bool late[BENCH_SERIES_MAX][BENCH_POINTS_MAX]; /* in a trial no time was left for it */
	char why[BENCH_WHY];			       /* the last reason of all */
};

/* ---- Series -------------------------------------------------------------------------------- */

/* Whether name is among the words of a list parted by commas. */
static bool is_listed(const char *list, const char *name)
{
	const size_t n = strlen(name);

	for (const char *at = list; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
		if (!strncmp(at, name, n) && (at[n] == ',' || !at[n]))
			return true;
	return false;
}

static int add_series(struct run *run, const struct bench_variant *variant,
		      const struct bench_peer *peer, bool huge)
{
	struct bench_result *result = run->result;
	struct bench_series *s = &result->series[result->series_count];
	const char *name = variant ? variant->name : peer->name;

	if (run->request->only && !is_listed(run->request->only, name))
		return 0;
	if (result->series_count == BENCH_SERIES_MAX)
		return -E2BIG;
	snprintf(s->name, sizeof(s->name), "%s%s", name, huge ? " huge" : "");
	s->what = variant ? variant->what : peer->command;
	s->variant = variant;
	s->peer = peer;
	s->huge = huge;
	for (size_t p = 0; p < run->request->point_count; p++)
		s->points[p].x = run->request->points[p];
	result->series_count++;
	return 0;
}

static int choose_series(struct run *run)
{
	const struct bench_request *request = run->request;
	int r = 0;

	for (int huge = 0; huge <= 1; huge++) {
		if (huge ? !request->huge : !request->small)
			continue;
		for (const struct bench_variant *const *v = request->workload->variants;
		     *v && r == 0; v++)
			if (!huge || (*v)->takes_huge)
				r = add_series(run, *v, NULL, huge);
	}
	for (size_t i = 0; i < request->peer_count && r == 0; i++)
		if (request->small)
			r = add_series(run, NULL, &request->peers[i], false);
	return r < 0 ? r : run->result->series_count ? 0 : -ENOENT;
}

/* ---- Slots and their time ------------------------------------------------------------------ */

static void be_late(struct run *run, const struct slot *slot)
{
	run->result->cut_short = true;
	for (size_t i = 0; i < run->result->series_count; i++)
		if (run->result->series[i].huge == slot->huge)
			run->late[i][slot->point] = true;
}

/* Peers touch as much, each, and start slowly. */
static int64_t set_up_time(const struct bench_request *request, uint64_t x, bool huge)
{
	const int64_t peers = huge ? 0 : (int64_t)request->peer_count;
	const int64_t touch = request->workload->takes_memory ? (int64_t)(x >> 20) * TOUCH_NS_PER_MB
							      : 0;

	return touch * (1 + peers) + peers * PEER_NS;
}

static void choose_slots(struct run *run)
{
	const struct bench_request *request = run->request;

	for (int huge = 0; huge <= 1; huge++) {
		bool any = false;

		for (size_t i = 0; i < run->result->series_count; i++)
			any |= run->result->series[i].huge == huge;
		for (size_t p = 0; any && p < request->point_count; p++)
			run->slots[run->slot_count++] = (struct slot){
				.point = p,
				.huge = huge,
				.set_up_ns = set_up_time(request, request->points[p], huge),
			};
	}
}

static int by_set_up(const void *a, const void *b)
{
	const struct slot *x = a, *y = b;

	return (x->set_up_ns > y->set_up_ns) - (x->set_up_ns < y->set_up_ns);
}

/* What a trial takes before anything is measured. */
static int64_t set_up_of_all(const struct run *run)
{
	int64_t all = 0;

	for (size_t i = 0; i < run->slot_count; i++)
		all += run->slots[i].set_up_ns;
	return all;
}

/*
 * Where setting up alone would take more than half of the time, the dearest points go: else they
 * would leave none for the others.
 */
static void drop_dear_slots(struct run *run)
{
	qsort(run->slots, run->slot_count, sizeof(run->slots[0]), by_set_up);
	while (run->slot_count > 1 && set_up_of_all(run) > (run->end_ns - run->begin_ns) / 2)
		be_late(run, &run->slots[--run->slot_count]);
}

/*
 * So many more that setting up takes no more than half of the time left, and something fits in a
 * stage; the first is always tried. Asked before each, since how long setting up takes is guessed
 * at first, and known then.
 */
static int trials_left(const struct run *run, int done)
{
	const int64_t left = run->end_ns - bench_now_ns();
	const int64_t most = left / 2 / (set_up_of_all(run) + 1);
	const int64_t few = left / STAGE_NS / (int64_t)run->slot_count;
	const int64_t fit = few < most ? few : most;
	const int wanted = run->request->trials - done;

	return fit < wanted ? fit < 1 ? !done : (int)fit : wanted;
}

/* For the rounds of the next stage: `stages` are left with it, and so much setting up. */
static int64_t share_of(const struct run *run, size_t stages, int64_t set_up)
{
	const int64_t free_ns = run->end_ns - bench_now_ns() - set_up;

	return free_ns < 0 ? 0 : free_ns / (int64_t)stages;
}

/* ---- What a stage tells -------------------------------------------------------------------- */

static int keep(struct bench_point *point, const struct stage_message *m, uint32_t trial)
{
	if (point->count + m->count > point->room) {
		const size_t room = point->room ? point->room * 2 : 256;
		void *grown = reallocarray(point->samples, room, sizeof(*point->samples));

		if (!grown)
			return -ENOMEM;
		point->samples = grown;
		point->room = room;
	}
	for (uint32_t i = 0; i < m->count; i++)
		point->samples[point->count++] = (struct bench_sample){
			.trial = trial,
			.round = m->round,
			.us = m->us[i],
			.faults = m->faults,
		};
	return 0;
}

static void keep_reason(struct run *run, const struct slot *slot, const struct stage_message *m)
{
	struct bench_result *result = run->result;

	memcpy(run->why, m->why, BENCH_WHY);
	for (size_t i = 0; i < result->series_count; i++)
		if ((m->series < 0 && result->series[i].huge == slot->huge) || m->series == (int)i)
			memcpy(result->series[i].points[slot->point].why, m->why, BENCH_WHY);
}

/* 1: the stage has nothing more to say. */
static int hear(struct run *run, const struct slot *slot, const struct stage_message *m,
		uint32_t trial)
{
	switch ((enum stage_kind)m->kind) {
	case STAGE_FACTS:
		run->result->facts[slot->huge][slot->point] = m->facts;
		return 0;
	case STAGE_TURN:
		return keep(&run->result->series[m->series].points[slot->point], m, trial);
	case STAGE_WHY:
		keep_reason(run, slot, m);
		return 0;
	case STAGE_LATE:
		run->late[m->series][slot->point] = true;
		return 0;
	case STAGE_DONE:
		return 1;
	}
	return -EPROTO;
}

static void tell_progress(const struct run *run)
{
	const double all = (double)(run->end_ns - run->begin_ns),
		     gone = (double)(bench_now_ns() - run->begin_ns);

	if (run->progress && run->progress->tell)
		run->progress->tell(run->progress->context, gone / all, (all - gone) / SECOND,
				    run->request->workload->name);
}

/* Until the stage has ended its rounds, or is told to end, and closes the pipe. */
static int listen_to(struct run *run, struct slot *slot, uint32_t trial, pid_t stage, int fd,
		     int64_t share)
{
	const int64_t begun = bench_now_ns();
	int64_t end_ns = run->end_ns;
	struct pollfd pollfd = {.fd = fd, .events = POLLIN};
	struct stage_message m;
	bool told = false, done = false, stands = false;
	int r = 0;

	for (;;) {
		const bool late = *run->stop || bench_now_ns() >= end_ns;
		ssize_t n;

		/* Nothing stands yet that would have to be taken down. */
		if (!stands && (*run->stop || bench_now_ns() >= run->end_ns)) {
			told = true;
			break;
		}
		if (late && !told) {
			kill(stage, SIGTERM);
			end_ns = bench_now_ns() + GRACE_NS;
			told = true;
		} else if (late && bench_now_ns() >= end_ns) {
			break;
		}
		if (poll(&pollfd, 1, 200) <= 0) {
			tell_progress(run);
			continue;
		}
		n = read(fd, &m, sizeof(m));
		if (n < 0 && errno == EINTR)
			continue;
		if (n != (ssize_t)sizeof(m))
			break;
		r = hear(run, slot, &m, trial);
		if (r < 0)
			break;
		done |= r > 0;
		if (m.kind != STAGE_FACTS)
			continue;
		stands = true;
		if (bench_now_ns() - begun > slot->set_up_ns)
			slot->set_up_ns = bench_now_ns() - begun;
		if (share < end_ns - bench_now_ns())
			end_ns = bench_now_ns() + share;
	}
	run->result->cut_short |= !done;
	if (!done && told)
		be_late(run, slot);
	return r < 0 ? r : 0;
}

/* ---- Stages -------------------------------------------------------------------------------- */

static void act(const struct run *run, const struct stage_order *order, pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(1);
	setpgid(0, 0);
	signal(SIGINT, SIG_DFL);
	_exit(stage_run(run->request, run->result->series, run->result->series_count, order));
}

static uint32_t rounds_of(const struct run *run, int trial_count)
{
	const unsigned each = run->request->workload->wanted / (unsigned)trial_count;

	return each / BENCH_TURN_MOST + 1;
}

static int stage(struct run *run, struct slot *slot, uint32_t trial, int trial_count, int64_t share)
{
	struct stage_order order = {
		.x = run->request->points[slot->point],
		.huge = slot->huge,
		.seed = bench_random(&run->random),
		.rounds = rounds_of(run, trial_count),
		.share_ns = share,
		.end_ns = run->end_ns,
	};
	const pid_t parent = getpid();
	int fds[2], r, status = 0;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	order.fd = fds[1];
	pid = fork();
	if (pid == 0)
		act(run, &order, parent);
	r = pid < 0 ? -errno : 0;
	close(fds[1]);
	if (pid > 0) {
		setpgid(pid, pid);
		r = listen_to(run, slot, trial, pid, fds[0], share);
		kill(-pid, SIGKILL);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
		if (WIFSIGNALED(status))
			probe_cgroup_sweep(pid);
	}
	close(fds[0]);
	return r;
}

/* `left` trials are to come with this one. */
static int run_trial(struct run *run, int trial, int left)
{
	size_t order[SLOTS_MAX];
	int64_t set_up = set_up_of_all(run);
	int r = 0;

	for (size_t i = 0; i < run->slot_count; i++)
		order[i] = i;
	/* A single one: the cheap points first, since a dear one may overrun its time. */
	if (trial + left > 1)
		bench_shuffle(order, run->slot_count, &run->random);
	for (size_t i = 0; i < run->slot_count && r == 0 && !*run->stop; i++) {
		struct slot *slot = &run->slots[order[i]];
		const size_t stages = (size_t)left * run->slot_count - i;
		const int64_t later = (left - 1) * set_up_of_all(run), own = slot->set_up_ns;

		if (bench_now_ns() >= run->end_ns)
			be_late(run, slot);
		else
			r = stage(run, slot, (uint32_t)trial, trial + left,
				  share_of(run, stages, set_up + later));
		set_up -= own;
	}
	return r;
}

static bool has_samples(const struct bench_result *result)
{
	for (size_t i = 0; i < result->series_count; i++)
		for (size_t p = 0; p < result->request->point_count; p++)
			if (result->series[i].points[p].count)
				return true;
	return false;
}

/*
 * A point for which no trial had time. One that was late in some trials only has samples, and
 * that the budget was short is told of the run as a whole.
 */
static void tell_gaps(struct run *run)
{
	for (size_t i = 0; i < run->result->series_count; i++)
		for (size_t p = 0; p < run->request->point_count; p++) {
			struct bench_point *point = &run->result->series[i].points[p];

			if (point->count || point->why[0] || *run->stop)
				continue;
			snprintf(point->why, BENCH_WHY, "%s",
				 run->late[i][p] ? "no time was left for it: give a longer --budget"
						 : "the process that measured it ended too soon");
			if (!run->why[0])
				memcpy(run->why, point->why, BENCH_WHY);
		}
}

/* The first point where it can be done tells the calls. */
static void count_calls(struct run *run)
{
	for (size_t i = 0; i < run->result->series_count && !*run->stop; i++) {
		struct bench_series *s = &run->result->series[i];

		if (!s->variant || s->huge)
			continue;
		bench_count(run->request, s->variant, run->request->points[0], false, &s->calls);
		s->counted = true;
	}
}

static int run_all(struct run *run)
{
	int r = 0;

	for (int i = 0; i < run->request->trials && r == 0 && !*run->stop; i++) {
		const int left = trials_left(run, i);

		if (left < 1 || bench_now_ns() >= run->end_ns)
			break;
		r = run_trial(run, i, left);
		run->result->trials_done += r == 0 && !*run->stop;
	}
	if (r == 0 && run->request->count)
		count_calls(run);
	return r;
}

/* ---- All of it ----------------------------------------------------------------------------- */

int bench_measure(const struct bench_request *request, const struct bench_progress *progress,
		  const volatile sig_atomic_t *stop, struct bench_result *ret, char *why)
{
	struct bench_request own = *request;
	struct run run = {
		.request = &own,
		.progress = progress,
		.stop = stop,
		.result = ret,
		.begin_ns = bench_now_ns(),
		.random = request->seed | 1,
	};
	struct bench_machine after;
	char program[128];
	int r;

	memset(ret, 0, sizeof(*ret));
	ret->request = &own;
	run.end_ns = run.begin_ns + (int64_t)(request->budget * SECOND);
	bench_machine_read(&ret->machine);
	if (!request->program) {
		r = bench_program_begin(program, why);
		if (r < 0)
			return r;
		own.program = program;
	}
	r = choose_series(&run);
	if (r == 0) {
		choose_slots(&run);
		drop_dear_slots(&run);
		r = run_all(&run);
	}
	if (!request->program)
		bench_program_end(program);
	bench_machine_read(&after);
	ret->load_after = after.load[0];
	ret->seconds = (double)(bench_now_ns() - run.begin_ns) / SECOND;
	ret->interrupted = *stop;
	ret->request = request;
	tell_gaps(&run);
	if (r == 0 && !has_samples(ret))
		r = -ENODATA;
	if (r == 0)
		r = bench_evaluate(ret);
	if (r < 0) {
		snprintf(why, BENCH_WHY, "%s",
			 r == -ENOENT ? "none of these series is measured on huge pages"
			 : run.why[0] ? run.why
			 : *stop      ? "nothing was measured until then"
				      : strerror(-r));
		bench_result_free(ret);
	}
	return r;
}

void bench_result_free(struct bench_result *result)
{
	for (size_t i = 0; i < result->series_count; i++)
		for (size_t p = 0; p < BENCH_POINTS_MAX; p++)
			free(result->series[i].points[p].samples);
	free(result->ratios);
	free(result->growths);
	*result = (struct bench_result){0};
}

const struct bench_series *bench_series(const struct bench_result *result, const char *name)
{
	for (size_t i = 0; i < result->series_count; i++)
		if (!strcmp(result->series[i].name, name))
			return &result->series[i];
	return NULL;
}
