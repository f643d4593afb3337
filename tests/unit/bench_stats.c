/* SPDX-License-Identifier: MIT */
/*
 * What ramet bench says of samples: quantiles against their definition, intervals by what they
 * promise (of many runs that might have been, 95 in 100 hold the truth), pairs by round.
 */
#include <errno.h>
#include <math.h>

#include "bench/bench.h"
#include "tap.h"

#define RUNS 600 /* so many that what they show hangs on chance no more */

static struct bench_pair pairs[] = {{"ramet-a", "ramet-b"}, {NULL, NULL}};
static struct bench_workload workload = {.name = "made", .pairs = pairs};
static struct bench_request request;
static struct bench_result result;

/* ---- Results to be judged ------------------------------------------------------------------ */

static void start(size_t series, size_t points)
{
	static const char *const names[] = {"ramet-a", "ramet-b", "peer"};
	static const struct bench_peer peer = {"peer", "true"};

	request = (struct bench_request){
		.workload = &workload, .point_count = points, .peers = &peer};
	result.request = &request;
	result.series_count = series;
	for (size_t i = 0; i < series; i++) {
		snprintf(result.series[i].name, sizeof(result.series[i].name), "%s", names[i]);
		result.series[i].peer = i == 2 ? &peer : NULL;
		for (size_t p = 0; p < points; p++)
			result.series[i].points[p].x = request.points[p] = 10 * (p + 1);
	}
	request.peer_count = series > 2;
}

static void add(size_t series, size_t point, unsigned trial, unsigned round, double us)
{
	struct bench_point *p = &result.series[series].points[point];

	if (p->count == p->room) {
		p->room = p->room ? 2 * p->room : 64;
		p->samples = reallocarray(p->samples, p->room, sizeof(*p->samples));
		if (!p->samples)
			abort();
	}
	p->samples[p->count++] =
		(struct bench_sample){.trial = trial, .round = round, .us = (float)us, .faults = 3};
}

static const struct bench_ratio *evaluated(void)
{
	if (bench_evaluate(&result) != 0)
		abort();
	return result.ratio_count ? &result.ratios[0] : NULL;
}

static bool near(double a, double b)
{
	return fabs(a - b) <= 1e-6 * fmax(1, fabs(b));
}

/* ---- Random numbers ------------------------------------------------------------------------ */

static double uniform(void)
{
	return ((double)(tap_random() >> 11) + 0.5) / 9007199254740992.0;
}

static double normal(double deviation)
{
	return deviation * sqrt(-2 * log(uniform())) * cos(2 * 3.14159265358979 * uniform());
}

/* ---- Quantiles ----------------------------------------------------------------------------- */

/*
 * By definition: the value of rank k, from 0, is the one that k others come before; between two
 * ranks the line. Nothing is sorted.
 */
static double value_of_rank(const double *values, size_t n, size_t rank)
{
	for (size_t i = 0; i < n; i++) {
		size_t before = 0;

		for (size_t j = 0; j < n; j++)
			before += values[j] < values[i] || (values[j] == values[i] && j < i);
		if (before == rank)
			return values[i];
	}
	return NAN;
}

static double quantile_by_definition(const double *values, size_t n, double q)
{
	const double place = q * (double)(n - 1), below = floor(place);
	const double a = value_of_rank(values, n, (size_t)below);

	if (place == below)
		return a;
	return a + (place - below) * (value_of_rank(values, n, (size_t)below + 1) - a);
}

static void test_quantiles(void)
{
	static const double fixed[] = {0, 0.1, 0.25, 0.5, 0.75, 0.9, 1};
	double values[50], kept[50], one[] = {7}, four[] = {4, 1, 3, 2};
	unsigned wrong = 0;

	for (unsigned i = 0; i < 2000; i++) {
		const size_t n = 1 + tap_below(50);
		const double q = i % 2 ? uniform() : fixed[tap_below(7)];

		for (size_t k = 0; k < n; k++)
			kept[k] = values[k] = i % 3 ? normal(100) : (double)tap_below(5);
		wrong += !near(bench_quantile(values, n, q), quantile_by_definition(kept, n, q));
	}
	is_int(wrong, 0, "quantiles are what their definition says");
	ok(isnan(bench_quantile(values, 0, 0.5)), "of nothing there is none");
	ok(near(bench_quantile(one, 1, 0.1), 7) && near(bench_quantile(one, 1, 1), 7), "of one");
	ok(near(bench_quantile(four, 4, 0.5), 2.5), "between two, the line");
}

/* ---- One point ----------------------------------------------------------------------------- */

static void test_numbers(void)
{
	const struct bench_point *p = &result.series[0].points[0];

	start(1, 2);
	for (unsigned i = 0; i <= 100; i++)
		add(0, 0, i % 5, i, (double)((i * 37) % 101));
	evaluated();
	ok(near(p->us.median, 50) && near(p->us.p10, 10) && near(p->us.p90, 90),
	   "0 to 100: %g %g %g", p->us.median, p->us.p10, p->us.p90);
	ok(near(p->mean, 50) && near(p->least, 0) && near(p->most, 100) && p->us.n == 101,
	   "and their mean, ends and number");
	ok(near(p->faults, 3), "page faults");
	is_int(p->outliers, 0, "none is far from the others");
	p = &result.series[0].points[1];
	ok(p->us.n == 0 && isnan(p->us.median) && p->faults < 0,
	   "of a point without samples nothing");
	bench_result_free(&result);
}

/* Quartiles 25 and 75: what is below -125 or above 225 is far. */
static void test_outliers(void)
{
	const struct bench_point *p = &result.series[0].points[0];

	start(1, 1);
	for (unsigned i = 0; i < 1000; i++)
		add(0, 0, i / 500, i, (double)(i % 101));
	add(0, 0, 1, 1000, 220);
	add(0, 0, 1, 1001, 240);
	add(0, 0, 1, 1002, 100000);
	add(0, 0, 1, 1003, -140);
	evaluated();
	is_int(p->outliers, 3, "three are further than three times the quartiles' distance");
	ok(p->us.n == 1004 && near(p->most, 100000), "and are kept");
	bench_result_free(&result);
}

/* Operations of one trial share its memory and moment: they are not so many as they seem. */
static void test_width(void)
{
	double width[2];

	for (int moved = 0; moved <= 1; moved++) {
		const struct bench_number *us = &result.series[0].points[0].us;

		start(1, 1);
		for (unsigned i = 0; i < 5000; i++)
			add(0, 0, i / 1000, i % 1000,
			    100 * exp(normal(0.02) + (moved ? 0.1 * (i / 1000) : 0)));
		evaluated();
		width[moved] = us->high - us->low;
		ok(us->low <= us->median && us->median <= us->high, "low, median, high");
		bench_result_free(&result);
	}
	ok(width[0] < 3, "trials that agree give a close interval: %.2f", width[0]);
	ok(width[1] > 30, "trials that do not give a wide one: %.2f", width[1]);
}

static void test_few(void)
{
	const struct bench_number *us = &result.series[0].points[0].us;

	for (unsigned n = 1; n <= 6; n++) {
		start(1, 1);
		for (unsigned i = 0; i < n; i++)
			add(0, 0, 0, i, 10 + i);
		evaluated();
		if (n < 5)
			ok(us->low == 0 && isinf(us->high), "%u of one trial: no interval", n);
		else
			ok(us->low >= 10 && us->high <= 9 + n, "%u of one trial: within them", n);
		bench_result_free(&result);
	}
}

/* The median of what 101 are drawn from lies between the ranks 50 - √101 and 50 + √101. */
static void test_ranks(void)
{
	const struct bench_number *us = &result.series[0].points[0].us;

	start(1, 1);
	for (unsigned i = 0; i <= 100; i++)
		add(0, 0, 0, i, (double)((i * 37) % 101));
	evaluated();
	ok(fabs(us->low - 40) < 1 && fabs(us->high - 60) < 1, "101 of one trial: %g to %g", us->low,
	   us->high);
	bench_result_free(&result);
}

/* ---- Ratios -------------------------------------------------------------------------------- */

/* In half of the rounds the machine is ten times as slow: only the other of the same round tells. */
static void test_pairing(void)
{
	const struct bench_ratio *r;

	start(3, 2);
	for (unsigned trial = 0; trial < 4; trial++)
		for (unsigned round = 0; round < 60; round++)
			for (unsigned i = 0; i < 3; i++) {
				const double slow = round % 2 ? 10 : 1;

				if (round % 3)
					add(0, 0, trial, round, 30 * slow);
				if (round % 4)
					add(1, 0, trial, round, 10 * slow);
				add(2, 0, trial, round, 55 * slow);
			}
	add(0, 1, 0, 1, 5);
	add(1, 1, 0, 2, 5);
	r = evaluated();
	if (!ok(r && result.ratio_count == 2, "the pair and the peer, where they met"))
		return;
	ok(near(r->median, 3) && near(r->low, 3) && near(r->high, 3) && near(r->p10, 3) &&
		   near(r->p90, 3),
	   "exactly 3, from %g to %g", r->low, r->high);
	is_int(r->rounds, 4 * 30, "of the rounds that both took part in");
	ok(!r->worthless && r->x == 10, "it says something");
	is_str(result.ratios[1].a, "peer", "a peer");
	is_str(result.ratios[1].b, "ramet-b", "is compared with ramet's own of the first pair");
	is_int(result.ratios[1].rounds, 4 * 45, "in its rounds");
	bench_result_free(&result);
}

/* A turn has several operations: its median counts, so one of them that is slow does not. */
static void test_turns(void)
{
	const struct bench_ratio *r;

	start(2, 1);
	for (unsigned round = 0; round < 40; round++)
		for (unsigned i = 0; i < 5; i++) {
			add(0, 0, round / 10, round, i == 2 ? 9000 : 8);
			add(1, 0, round / 10, round, 4);
		}
	r = evaluated();
	ok(r && near(r->median, 2) && near(r->high, 2), "one slow operation a turn: still 2");
	is_int(r ? (int)r->rounds : -1, 40, "a ratio a round");
	bench_result_free(&result);
}

static void test_worthless(void)
{
	static const struct {
		double ratio, apart; /* of the trials */
		bool worthless;
		const char *what;
	} rows[] = {
		{1.0, 0.02, true, "1 within the noise"},
		{2.0, 0.02, false, "2 with little noise"},
		{0.5, 0.02, false, "a half with little noise"},
		{2.0, 0.6, true, "2, but an interval wider than half of it"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct bench_ratio *r;

		start(2, 1);
		for (unsigned k = 0; k < 200; k++) {
			const double trial = (double)(k / 40) - 2;

			add(0, 0, k / 40, k % 40, 10 * rows[i].ratio * exp(rows[i].apart * trial));
			add(1, 0, k / 40, k % 40, 10);
		}
		r = evaluated();
		ok(r && r->worthless == rows[i].worthless, "%s: %.2f to %.2f", rows[i].what,
		   r ? r->low : NAN, r ? r->high : NAN);
		bench_result_free(&result);
	}
	start(2, 1);
	for (unsigned k = 0; k < 4; k++) {
		add(0, 0, 0, k, 358);
		add(1, 0, 0, k, 1);
	}
	ok(evaluated() && result.ratios[0].low == 0 && isinf(result.ratios[0].high) &&
		   result.ratios[0].worthless,
	   "four rounds of one trial have no interval");
	bench_result_free(&result);
}

/*
 * Runs that might have been: each trial is off by something of its own, for each series; each
 * round is disturbed as a whole; each operation has noise, and now and then a great delay.
 */
static bool holds_truth(double truth, unsigned trials)
{
	const struct bench_ratio *r;
	bool held;

	start(2, 1);
	for (unsigned trial = 0; trial < trials; trial++) {
		const double off[] = {normal(0.05), normal(0.05)};

		for (unsigned round = 0; round < 20; round++) {
			const double machine = normal(0.4);

			for (size_t s = 0; s < 2; s++)
				for (unsigned i = 0; i < 3; i++)
					add(s, 0, trial, round,
					    50 * (s ? 1 : truth) *
						    exp(off[s] + machine + normal(0.1) +
							(tap_below(50) ? 0 : 3)));
		}
	}
	r = evaluated();
	held = r && r->low <= truth && truth <= r->high;
	bench_result_free(&result);
	return held;
}

/* Each number of trials has its own factor in the table of Student's t. */
static void test_coverage(void)
{
	static const double truths[] = {1, 1.45, 2, 40};

	for (unsigned trials = 2; trials <= 12; trials++) {
		const double truth = truths[trials % 4];
		unsigned held = 0;

		for (unsigned run = 0; run < RUNS; run++)
			held += holds_truth(truth, trials);
		ok(held >= RUNS * 90 / 100 && held <= RUNS * 99 / 100,
		   "%u trials: the interval held %g in %u of %u runs", trials, truth, held, RUNS);
	}
}

/* ---- Growth -------------------------------------------------------------------------------- */

static void test_growth(void)
{
	const struct bench_growth *g;

	start(2, 3);
	for (unsigned trial = 0; trial < 5; trial++)
		for (unsigned round = 0; round < 10; round++)
			for (size_t p = 0; p < 3; p++) {
				/* A trial on a slow machine is slow at every point. */
				if (p < 2 || trial == 3)
					add(0, p, trial, round, 10 * (trial + 1.0) * (1 + 3.0 * p));
				if (p)
					add(1, p, trial, round, 5);
			}
	evaluated();
	if (!ok(result.growth_count == 2, "a row a series and point, where there is a first"))
		return;
	g = &result.growths[0];
	is_str(g->name, "ramet-a", "its series");
	ok(g->x == 20 && g->from == 10, "its points");
	ok(near(g->median, 4) && near(g->low, 4) && near(g->high, 4),
	   "4 in every trial: %g, %g to %g", g->median, g->low, g->high);
	g = &result.growths[1];
	ok(g->x == 30 && near(g->median, 7) && g->low == 0 && isinf(g->high),
	   "of one trial: no interval");
	bench_result_free(&result);
}

static void test_nothing(void)
{
	start(2, 2);
	ok(!evaluated() && result.growth_count == 0, "without samples neither ratios nor growth");
	bench_result_free(&result);
}

int main(void)
{
	test_quantiles();
	test_numbers();
	test_outliers();
	test_width();
	test_few();
	test_ranks();
	test_pairing();
	test_turns();
	test_worthless();
	test_coverage();
	test_growth();
	test_nothing();
	return tap_done();
}
