/* SPDX-License-Identifier: MIT */
/*
 * One stage: the process in which a scene stands. Every variant has its turn in each round. How
 * long an operation takes is found in a round that is not told; a turn of cheap ones has several,
 * the dearest are not in every round, or they would leave no time for the others.
 */
#include "bench/stage.h"

#include <errno.h>
#include <math.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "bench/machine.h"

#define DEAR_NS 100000000 /* of a turn: in every round up to here */
#define TRIES 6
#define REST_NS 100000000 /* at most, between two turns */

/* A series that takes part. */
struct part {
	const struct bench_series *series;
	int index;
	struct bench_worker *worker; /* NULL: a variant of our own */
	bool out;
	unsigned batch; /* operations that are told */
	unsigned warm;	/* before them, that are not */
	unsigned every; /* rounds */
};

struct stage {
	const struct bench_request *request;
	const struct stage_order *order;
	int64_t deadline_ns;
	struct bench_scene scene;
	struct part parts[BENCH_SERIES_MAX];
	size_t count;
	uint64_t random;
	bool told[BENCH_SERIES_MAX]; /* something of the series, a reason or a turn */
};

static volatile sig_atomic_t asked_to_end;

static void end_soon(int sig)
{
	(void)sig;
	asked_to_end = 1;
}

static void pass(int sig)
{
	(void)sig;
}

int64_t bench_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

uint64_t bench_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state * 0x2545f4914f6cdd1d;
}

void bench_shuffle(size_t *order, size_t count, uint64_t *state)
{
	for (size_t i = count; i-- > 1;) {
		const size_t j = bench_random(state) % (i + 1), kept = order[i];

		order[i] = order[j];
		order[j] = kept;
	}
}

/* ---- The scene ----------------------------------------------------------------------------- */

long bench_scene_open(const struct bench_request *request, uint64_t x, bool huge,
		      struct bench_scene *ret)
{
	*ret = (struct bench_scene){
		.workload = request->workload,
		.x = x,
		.huge = huge,
		.program = request->program,
	};
	if (request->pin >= 0) {
		cpu_set_t set;

		CPU_ZERO(&set);
		CPU_SET((size_t)request->pin, &set);
		if (sched_setaffinity(0, sizeof(set), &set) < 0) {
			snprintf(ret->why, BENCH_WHY, "processor %d: %s", request->pin,
				 strerror(errno));
			return -errno;
		}
	}
	return request->workload->set_up ? request->workload->set_up(ret) : 0;
}

void bench_scene_close(struct bench_scene *scene)
{
	if (scene->workload->tear_down)
		scene->workload->tear_down(scene);
}

static struct bench_stage_facts read_facts(void)
{
	struct bench_stage_facts facts;
	char text[4096];

	machine_text(text, sizeof(text), "/proc/self/status");
	facts.vm_rss = machine_kilobytes(text, "VmRSS");
	facts.vm_pte = machine_kilobytes(text, "VmPTE");
	facts.vm_size = machine_kilobytes(text, "VmSize");
	machine_text(text, sizeof(text), "/proc/self/smaps_rollup");
	facts.huge_bytes = machine_kilobytes(text, "AnonHugePages");
	return facts;
}

/* ---- Messages ------------------------------------------------------------------------------ */

static void tell(struct stage *s, const struct stage_message *m)
{
	if (m->series >= 0 && m->kind != STAGE_FACTS)
		s->told[m->series] = true;
	while (write(s->order->fd, m, sizeof(*m)) < 0 && errno == EINTR)
		;
}

static void leave_out(struct stage *s, struct part *part, long error)
{
	struct stage_message m = {.kind = STAGE_WHY, .series = part ? part->index : -1};

	snprintf(m.why, sizeof(m.why), "%s",
		 s->scene.why[0] ? s->scene.why : strerror((int)-error));
	s->scene.why[0] = 0;
	if (part)
		part->out = true;
	tell(s, &m);
}

static bool is_over(const struct stage *s)
{
	return asked_to_end || bench_now_ns() >= s->deadline_ns;
}

/* ---- Operations ---------------------------------------------------------------------------- */

static long operate(struct stage *s, struct part *part, double *ret_ns)
{
	const struct bench_variant *v = part->series->variant;
	struct bench_scene *scene = &s->scene;
	int64_t start = bench_now_ns();
	long r = v->run(scene);

	*ret_ns = v->self_timed ? (double)r : (double)(bench_now_ns() - start);
	if (r >= 0 && v->settle)
		r = v->settle(scene);
	return r;
}

/* Some operations of one; the nanoseconds of each. */
static long turn(struct stage *s, struct part *part, unsigned count, double *ret_ns)
{
	if (part->worker)
		return bench_worker_run(part->worker, count, ret_ns, s->scene.why);
	if (part->series->variant->run_many)
		return part->series->variant->run_many(&s->scene, count, ret_ns);
	for (unsigned i = 0; i < count; i++) {
		long r = operate(s, part, &ret_ns[i]);

		if (r < 0)
			return r;
	}
	return 0;
}

static long faults(void)
{
	struct rusage self, children;

	getrusage(RUSAGE_SELF, &self);
	getrusage(RUSAGE_CHILDREN, &children);
	return self.ru_minflt + children.ru_minflt;
}

static void take_turn(struct stage *s, struct part *part, uint32_t round)
{
	const struct bench_workload *w = s->request->workload;
	/* A peer tells the time of one task itself. */
	const double tasks = w->tasks && !part->worker ? (double)s->order->x : 1;
	struct stage_message m = {
		.kind = STAGE_TURN,
		.series = part->index,
		.round = round,
		.count = part->batch,
		.faults = -1,
	};
	double ns[BENCH_TURN_MOST];
	long before, r = 0;

	if (part->warm)
		r = turn(s, part, part->warm, ns);
	before = faults();
	if (r >= 0)
		r = turn(s, part, part->batch, ns);
	if (r < 0) {
		leave_out(s, part, r);
		return;
	}
	if (!part->worker && !part->series->variant->elsewhere)
		m.faults = (float)(faults() - before) / (float)part->batch;
	for (unsigned i = 0; i < part->batch; i++)
		m.us[i] = (float)(ns[i] / 1000 / tasks);
	tell(s, &m);
}

/*
 * What one operation takes: the least of some, since what disturbs one only makes it dearer. A
 * turn's length hangs on it, and operations at the beginning of a turn are dearer than later ones,
 * so a wrong number would be no noise but a bias.
 */
static long cost_of(struct stage *s, struct part *part, double *ret_ns)
{
	double ns = 0;
	long r = 0;

	*ret_ns = INFINITY;
	for (int i = 0; i < TRIES && r >= 0 && !is_over(s); i++) {
		r = turn(s, part, 1, &ns);
		if (r >= 0 && ns < *ret_ns)
			*ret_ns = ns;
		if (*ret_ns > DEAR_NS / TRIES)
			break;
	}
	return r;
}

static void try_out(struct stage *s, struct part *part)
{
	double ns;
	long r = cost_of(s, part, &ns);

	if (r < 0) {
		leave_out(s, part, r);
		return;
	}
	if (part->worker && s->request->workload->tasks)
		ns *= (double)s->order->x;
	part->batch = ns * BENCH_TURN_MOST < BENCH_TURN_NS ? BENCH_TURN_MOST
		      : ns < BENCH_TURN_NS		   ? (unsigned)(BENCH_TURN_NS / ns)
							   : 1;
	part->warm = ns * BENCH_TURN_MOST < BENCH_TURN_NS ? 3 : ns < BENCH_TURN_NS;
	part->every = ns > DEAR_NS && ns < INFINITY ? (unsigned)(ns / DEAR_NS) + 1 : 1;
}

static long begin(struct stage *s, struct part *part)
{
	const struct bench_series *series = part->series;
	const struct bench_variant *v = series->variant;

	if (series->peer)
		return bench_worker_start(series->peer, s->request->workload->name, s->order->x,
					  &part->worker, s->scene.why);
	return v->begin ? v->begin(&s->scene) : 0;
}

static void end(struct stage *s, struct part *part)
{
	if (part->worker)
		bench_worker_stop(part->worker);
	else if (part->series->variant->end)
		part->series->variant->end(&s->scene);
}

/*
 * After a turn the stage sleeps twice as long as that took, so that the processor is as little used
 * when the next begins, whatever was before it. Else a scheduler that goes by use puts the programs
 * of one series on another processor and those of the next not, which costs more than a launch.
 */
static void rest(const struct stage *s, int64_t begun)
{
	const int64_t now = bench_now_ns(), wanted = 2 * (now - begun);
	int64_t ns = wanted < REST_NS ? wanted : REST_NS;
	struct timespec time;

	if (ns > s->deadline_ns - now)
		ns = s->deadline_ns - now;
	time = (struct timespec){.tv_nsec = ns};
	if (ns > 0)
		nanosleep(&time, NULL);
}

static void run_rounds(struct stage *s)
{
	size_t order[BENCH_SERIES_MAX];
	const struct stage_message done = {.kind = STAGE_DONE, .series = -1};

	for (size_t i = 0; i < s->count; i++)
		order[i] = i;
	for (uint32_t round = 0; round < s->order->rounds; round++) {
		bench_shuffle(order, s->count, &s->random);
		for (size_t i = 0; i < s->count; i++) {
			struct part *part = &s->parts[order[i]];
			const int64_t begun = bench_now_ns();

			/* First: those that no time was left to try out have no numbers yet. */
			if (is_over(s))
				return;
			if (part->out || round % part->every)
				continue;
			take_turn(s, part, round);
			rest(s, begun);
		}
	}
	tell(s, &done);
}

/* Those that begin; the others have been told. */
static void gather(struct stage *s, const struct bench_series *series, size_t count)
{
	for (size_t i = 0; i < count && !is_over(s); i++) {
		struct part *part = &s->parts[s->count];
		long r;

		if (series[i].huge != s->order->huge)
			continue;
		*part = (struct part){.series = &series[i], .index = (int)i};
		r = begin(s, part);
		if (r < 0)
			leave_out(s, part, r);
		else
			s->count++;
	}
}

/* Those that the deadline left without a single turn. */
static void tell_untold(struct stage *s, const struct bench_series *series, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct stage_message m = {.kind = STAGE_LATE, .series = (int32_t)i};

		if (series[i].huge == s->order->huge && !s->told[i])
			tell(s, &m);
	}
}

int stage_run(const struct bench_request *request, const struct bench_series *series, size_t count,
	      const struct stage_order *order)
{
	static struct stage s; /* large, and the process is made for it */
	struct stage_message m = {.kind = STAGE_FACTS};
	struct sigaction action = {.sa_handler = end_soon};
	struct sigaction broken = {.sa_handler = pass};
	long r;

	s = (struct stage){.request = request,
			   .order = order,
			   .deadline_ns = order->end_ns,
			   .random = order->seed | 1};
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGPIPE, &broken, NULL); /* a peer that has ended; exec forgets handlers */
	setenv("RAMET_BENCH_PROGRAM", request->program, 1);
	r = bench_scene_open(request, order->x, order->huge, &s.scene);
	if (r < 0) {
		leave_out(&s, NULL, r);
		return 1;
	}
	m.facts = read_facts();
	gather(&s, series, count);
	tell(&s, &m);
	if (order->share_ns < order->end_ns - bench_now_ns())
		s.deadline_ns = bench_now_ns() + order->share_ns;
	for (size_t i = 0; i < s.count && !is_over(&s); i++)
		try_out(&s, &s.parts[i]);
	run_rounds(&s);
	tell_untold(&s, series, count);
	for (int peers = 0; peers <= 1; peers++)
		for (size_t i = s.count; i-- > 0;)
			if (!!s.parts[i].worker == peers)
				end(&s, &s.parts[i]);
	bench_scene_close(&s.scene);
	return 0;
}
