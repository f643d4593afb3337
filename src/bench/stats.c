/* SPDX-License-Identifier: MIT */
/*
 * From samples to what may be said of them. Samples of one stage are not independent: they share
 * its memory, its neighbours and its moment. So the interval of a median is as wide as the medians
 * of the trials ask for (Student's t, of their logarithms), and never narrower than what the
 * number of samples alone gives. Ratios are of turns in one round, their interval is found in the
 * same way.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"

#define TRIALS_MAX 64
#define ENOUGH 5 /* fewer, from one trial: nothing is known of their spread */

static int by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Of sorted ones. */
static double at_quantile(const double *sorted, size_t n, double q)
{
	const double place = q * (double)(n - 1);
	const size_t low = (size_t)place;

	if (low + 1 >= n)
		return sorted[n - 1];
	return sorted[low] + (place - (double)low) * (sorted[low + 1] - sorted[low]);
}

double bench_quantile(double *values, size_t n, double q)
{
	if (!n)
		return NAN;
	qsort(values, n, sizeof(*values), by_value);
	return at_quantile(values, n, q);
}

/* Student's t for 95 %, by degrees of freedom. */
static double student(size_t freedom)
{
	static const double t[] = {INFINITY, 12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365,
				   2.306,    2.262,  2.228, 2.201, 2.179, 2.160, 2.145, 2.131};

	return freedom < sizeof(t) / sizeof(t[0]) ? t[freedom] : 2.04;
}

/* Half the width of the interval, as a logarithm, that the medians of the trials ask for. */
static double between_trials(const double *medians, size_t n)
{
	double mean = 0, squares = 0;

	if (n < 2)
		return 0;
	for (size_t i = 0; i < n; i++)
		mean += log(medians[i]) / (double)n;
	for (size_t i = 0; i < n; i++)
		squares += (log(medians[i]) - mean) * (log(medians[i]) - mean);
	return student(n - 1) * sqrt(squares / (double)(n - 1) / (double)n);
}

/* Values in the order they were made, each with its trial. Both arrays are used up. */
static struct bench_number describe(double *values, const uint32_t *trial, size_t n)
{
	double medians[TRIALS_MAX], wide;
	struct bench_number r = {.n = n};
	size_t count = 0;

	if (!n)
		return (struct bench_number){NAN, NAN, NAN, NAN, NAN, 0};
	for (size_t i = 0, j; i < n && count < TRIALS_MAX; i = j) {
		for (j = i; j < n && trial[j] == trial[i]; j++)
			;
		medians[count++] = bench_quantile(values + i, j - i, 0.5);
	}
	qsort(values, n, sizeof(*values), by_value);
	r.median = at_quantile(values, n, 0.5);
	r.p10 = at_quantile(values, n, 0.1);
	r.p90 = at_quantile(values, n, 0.9);
	/* The ranks between which the median of what they were drawn from lies: n/2 ± √n. */
	wide = 0.98 / sqrt((double)n);
	r.low = at_quantile(values, n, fmax(0, 0.5 - wide));
	r.high = at_quantile(values, n, fmin(1, 0.5 + wide));
	if (count < 2 && n < ENOUGH) {
		r.low = 0;
		r.high = INFINITY;
	}
	wide = between_trials(medians, count);
	r.low = fmin(r.low, r.median * exp(-wide));
	r.high = fmax(r.high, r.median * exp(wide));
	return r;
}

/* ---- Points -------------------------------------------------------------------------------- */

static void spread_of_all(struct bench_point *p, const double *sorted, size_t n)
{
	const double q1 = at_quantile(sorted, n, 0.25), q3 = at_quantile(sorted, n, 0.75);
	const double far = 3 * (q3 - q1);

	p->least = sorted[0];
	p->most = sorted[n - 1];
	p->mean = 0;
	for (size_t i = 0; i < n; i++) {
		p->mean += sorted[i] / (double)n;
		p->outliers += sorted[i] < q1 - far || sorted[i] > q3 + far;
	}
}

static int evaluate_point(struct bench_point *p)
{
	double *values = calloc(p->count + 1, sizeof(*values));
	uint32_t *trial = calloc(p->count + 1, sizeof(*trial));

	p->faults = -1;
	p->outliers = 0;
	if (!values || !trial) {
		free(values);
		free(trial);
		return -ENOMEM;
	}
	for (size_t i = 0; i < p->count; i++) {
		values[i] = (double)p->samples[i].us;
		trial[i] = p->samples[i].trial;
	}
	p->us = describe(values, trial, p->count);
	if (p->count) {
		spread_of_all(p, values, p->count);
		for (size_t i = 0; i < p->count; i++)
			values[i] = (double)p->samples[i].faults;
		p->faults = bench_quantile(values, p->count, 0.5);
	}
	free(values);
	free(trial);
	return 0;
}

/* ---- Ratios -------------------------------------------------------------------------------- */

/* The turn that begins at i; the end of it, and its median. */
static size_t turn_of(const struct bench_point *p, size_t i, double *ret_median)
{
	double us[64];
	size_t n = 0, j = i;

	while (j < p->count && p->samples[j].trial == p->samples[i].trial &&
	       p->samples[j].round == p->samples[i].round) {
		if (n < sizeof(us) / sizeof(us[0]))
			us[n++] = (double)p->samples[j].us;
		j++;
	}
	*ret_median = bench_quantile(us, n, 0.5);
	return j;
}

/* <0: the turn at i is of an earlier round than that at j. */
static int order_of(const struct bench_sample *a, const struct bench_sample *b)
{
	if (a->trial != b->trial)
		return a->trial < b->trial ? -1 : 1;
	return a->round == b->round ? 0 : a->round < b->round ? -1 : 1;
}

/* One ratio a round that both took part in. */
static size_t pair_rounds(const struct bench_point *a, const struct bench_point *b, double *values,
			  uint32_t *trial)
{
	size_t i = 0, j = 0, n = 0;

	while (i < a->count && j < b->count) {
		const int order = order_of(&a->samples[i], &b->samples[j]);
		double x, y;
		const size_t next_i = turn_of(a, i, &x), next_j = turn_of(b, j, &y);

		if (order == 0 && x > 0 && y > 0) {
			trial[n] = a->samples[i].trial;
			values[n++] = x / y;
		}
		if (order <= 0)
			i = next_i;
		if (order >= 0)
			j = next_j;
	}
	return n;
}

/* A peer may be named in the workload's pairs as well. */
static bool has_ratio(const struct bench_result *result, const struct bench_series *a,
		      const struct bench_series *b, uint64_t x)
{
	for (size_t i = 0; i < result->ratio_count; i++)
		if (result->ratios[i].a == a->name && result->ratios[i].b == b->name &&
		    result->ratios[i].x == x)
			return true;
	return false;
}

static int add_ratio(struct bench_result *result, const struct bench_series *a,
		     const struct bench_series *b, size_t point)
{
	const struct bench_point *p = &a->points[point], *q = &b->points[point];
	const size_t most = (p->count < q->count ? p->count : q->count) + 1;
	double *values = calloc(most, sizeof(*values));
	uint32_t *trial = calloc(most, sizeof(*trial));
	struct bench_number n;
	size_t count;

	if (!values || !trial) {
		free(values);
		free(trial);
		return -ENOMEM;
	}
	count = pair_rounds(p, q, values, trial);
	n = describe(values, trial, count);
	free(values);
	free(trial);
	if (!count)
		return 0;
	result->ratios[result->ratio_count++] = (struct bench_ratio){
		.a = a->name,
		.b = b->name,
		.x = p->x,
		.median = n.median,
		.low = n.low,
		.high = n.high,
		.p10 = n.p10,
		.p90 = n.p90,
		.rounds = count,
		.worthless = (n.low <= 1 && n.high >= 1) || n.high - n.low > n.median / 2,
	};
	return 0;
}

static int evaluate_pairs(struct bench_result *result)
{
	const struct bench_request *request = result->request;
	const struct bench_series *base = NULL;
	size_t pairs = 0;
	int r = 0;

	for (const struct bench_pair *p = request->workload->pairs; p && p->a; p++)
		pairs++;
	result->ratios = calloc((pairs + request->peer_count + 1) * request->point_count + 1,
				sizeof(*result->ratios));
	if (!result->ratios)
		return -ENOMEM;
	for (size_t i = 0; i < pairs; i++) {
		const struct bench_pair *pair = &request->workload->pairs[i];
		const struct bench_series *a = bench_series(result, pair->a),
					  *b = bench_series(result, pair->b);

		if (!base && b && !strncmp(b->name, "ramet", 5))
			base = b;
		for (size_t k = 0; a && b && k < request->point_count && r == 0; k++)
			r = add_ratio(result, a, b, k);
	}
	/* Peers are compared with what the workload's first row holds to be ramet's own. */
	for (size_t i = 0; base && i < result->series_count && r == 0; i++)
		for (size_t k = 0; result->series[i].peer && k < request->point_count && r == 0;
		     k++)
			if (!has_ratio(result, &result->series[i], base, request->points[k]))
				r = add_ratio(result, &result->series[i], base, k);
	return r;
}

/* ---- Growth -------------------------------------------------------------------------------- */

/* Medians of the trials; a trial without samples is NAN. */
static void trial_medians(const struct bench_point *p, double medians[TRIALS_MAX])
{
	double *values = calloc(p->count + 1, sizeof(*values));

	for (size_t t = 0; t < TRIALS_MAX; t++) {
		size_t n = 0;

		for (size_t i = 0; values && i < p->count; i++)
			if (p->samples[i].trial == t)
				values[n++] = (double)p->samples[i].us;
		medians[t] = n ? bench_quantile(values, n, 0.5) : NAN;
	}
	free(values);
}

static void add_growth(struct bench_result *result, const struct bench_series *s, size_t point)
{
	double at[TRIALS_MAX], first[TRIALS_MAX], ratios[TRIALS_MAX], wide;
	struct bench_growth *g = &result->growths[result->growth_count];
	size_t n = 0;

	trial_medians(&s->points[point], at);
	trial_medians(&s->points[0], first);
	for (size_t t = 0; t < TRIALS_MAX; t++)
		if (at[t] > 0 && first[t] > 0)
			ratios[n++] = at[t] / first[t];
	if (!n)
		return;
	wide = between_trials(ratios, n);
	*g = (struct bench_growth){
		.name = s->name, .x = s->points[point].x, .from = s->points[0].x};
	g->median = bench_quantile(ratios, n, 0.5);
	g->low = n > 1 ? g->median * exp(-wide) : 0;
	g->high = n > 1 ? g->median * exp(wide) : INFINITY;
	result->growth_count++;
}

int bench_evaluate(struct bench_result *result)
{
	const size_t points = result->request->point_count;
	int r = 0;

	for (size_t i = 0; i < result->series_count; i++)
		for (size_t p = 0; p < points && r == 0; p++)
			r = evaluate_point(&result->series[i].points[p]);
	if (r == 0)
		r = evaluate_pairs(result);
	if (r < 0)
		return r;
	result->growths = calloc(result->series_count * points + 1, sizeof(*result->growths));
	if (!result->growths)
		return -ENOMEM;
	for (size_t i = 0; i < result->series_count; i++)
		for (size_t p = 1; p < points; p++)
			add_growth(result, &result->series[i], p);
	return 0;
}
