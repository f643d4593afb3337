/* SPDX-License-Identifier: MIT */
/*
 * Where times and points lie in a plot, whoever draws it. Both axes are logarithmic. A point at
 * 0, which a logarithm has no place for, stands at the left at some distance from the others.
 */
#include <math.h>
#include <string.h>

#include "bench/view.h"

#define ZERO_GAP 0.16 /* of the width, between 0 and the first point that is not */

/* The round number (1, 2 or 5 with zeros) that is not above, or with up not below. */
static double round_number(double us, bool up)
{
	static const double steps[] = {1, 2, 5, 10};
	const double decade = pow(10, floor(log10(us) + 1e-9));
	size_t i = 0;

	if (up) {
		while (i < 3 && steps[i] * decade < us * (1 - 1e-9))
			i++;
	} else {
		while (i < 3 && steps[i + 1] * decade <= us * (1 + 1e-9))
			i++;
	}
	return steps[i] * decade;
}

static bool find_range(const struct bench_result *result, struct view_scale *s)
{
	s->low = INFINITY;
	s->high = 0;
	for (size_t i = 0; i < result->series_count; i++)
		for (size_t k = 0; k < result->request->point_count; k++) {
			const struct bench_number *us = &result->series[i].points[k].us;

			if (!view_is_measured(&result->series[i].points[k]))
				continue;
			s->low = fmin(s->low, us->p10 > 0 ? fmin(us->p10, us->median) : us->median);
			s->high = fmax(s->high, fmax(us->median, isfinite(us->p90) ? us->p90 : 0));
		}
	if (!(s->low <= s->high))
		return false;
	s->low = round_number(s->low, false);
	s->high = round_number(s->high, true);
	if (s->high <= s->low)
		s->high = s->low * 2;
	return true;
}

static void find_ticks(struct view_scale *s)
{
	static const double steps[] = {1, 2, 5};
	const bool decades = s->high / s->low > 500;
	const int first = (int)floor(log10(s->low) + 1e-9);

	s->tick_count = 0;
	for (int i = 0; s->tick_count < VIEW_TICKS; i++) {
		const double tick = steps[i % 3] * pow(10, first + i / 3);

		if (tick > s->high * (1 + 1e-9))
			return;
		if (tick >= s->low * (1 - 1e-9) && (!decades || i % 3 == 0))
			s->ticks[s->tick_count++] = tick;
	}
}

static void sort_points(const struct bench_result *result, struct view_scale *s)
{
	const uint64_t *points = result->request->points;

	s->count = 0;
	for (size_t k = 0; k < result->request->point_count; k++) {
		bool any = false;
		size_t i;

		for (i = 0; !any && i < result->series_count; i++)
			any = view_is_measured(&result->series[i].points[k]);
		if (!any)
			continue;
		for (i = s->count++; i > 0 && points[s->order[i - 1]] > points[k]; i--)
			s->order[i] = s->order[i - 1];
		s->order[i] = k;
	}
}

static void place_points(const struct bench_result *result, struct view_scale *s)
{
	const uint64_t *points = result->request->points;
	const size_t first = s->count && !points[s->order[0]];
	const double left = first && s->count > 2 ? ZERO_GAP : 0;
	double low, high;

	if (s->count == 1) {
		s->at[0] = 0.5;
		return;
	}
	s->at[0] = 0;
	if (first == s->count)
		return;
	low = log((double)points[s->order[first]]);
	high = log((double)points[s->order[s->count - 1]]);
	for (size_t i = first; i < s->count; i++)
		s->at[i] = high > low
				   ? left + (1 - left) * (log((double)points[s->order[i]]) - low) /
						     (high - low)
				   : 1;
}

bool view_scale(const struct bench_result *result, struct view_scale *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (!find_range(result, ret))
		return false;
	find_ticks(ret);
	sort_points(result, ret);
	place_points(result, ret);
	return true;
}

double view_place(const struct view_scale *scale, double us)
{
	const double at = log(us / scale->low) / log(scale->high / scale->low);

	return us > 0 ? fmin(fmax(at, 0), 1) : 0;
}

double view_last(const struct bench_result *result, const struct view_scale *scale, size_t series)
{
	for (size_t i = scale->count; i-- > 0;) {
		const struct bench_point *p = &result->series[series].points[scale->order[i]];

		if (view_is_measured(p))
			return p->us.median;
	}
	return 0;
}

size_t view_by_last(const struct bench_result *result, const struct view_scale *scale,
		    size_t ret_series[static BENCH_SERIES_MAX])
{
	size_t count = 0;

	for (size_t i = 0; i < result->series_count; i++) {
		const double last = view_last(result, scale, i);
		size_t k;

		if (!view_is_shown(result, i))
			continue;
		for (k = count++; k > 0 && view_last(result, scale, ret_series[k - 1]) < last; k--)
			ret_series[k] = ret_series[k - 1];
		ret_series[k] = i;
	}
	return count;
}

/*
 * Blocks of names that touch: a block lies where the mean of what its names want is. One that
 * would overlap the block above it becomes a part of that.
 */
void view_part(double *at, size_t count, double step, double low, double high)
{
	struct block {
		double sum; /* of what the names want, as if all stood where the first does */
		size_t n;
	} blocks[BENCH_SERIES_MAX];
	size_t used = 0, done = 0;

	for (size_t i = 0; i < count; i++) {
		blocks[used++] = (struct block){at[i], 1};
		while (used > 1) {
			struct block *above = &blocks[used - 2], *last = &blocks[used - 1];
			const double shift = step * (double)above->n;

			if (above->sum / (double)above->n + shift <= last->sum / (double)last->n)
				break;
			above->sum += last->sum - shift * (double)last->n;
			above->n += last->n;
			used--;
		}
	}
	for (size_t i = 0; i < used; i++)
		for (size_t k = 0; k < blocks[i].n; k++)
			at[done++] = blocks[i].sum / (double)blocks[i].n + step * (double)k;
	for (size_t i = count; i-- > 0;)
		at[i] = fmin(at[i], i + 1 < count ? at[i + 1] - step : high);
	for (size_t i = 0; i < count; i++)
		at[i] = fmax(at[i], i ? at[i - 1] + step : low);
}

/* The series without " huge" at the end of its name, if there is one. */
static size_t plain_one(const struct bench_result *result, size_t series)
{
	static const char end[] = " huge";
	const char *name = result->series[series].name;
	const size_t n = strlen(name);

	if (!result->series[series].huge || n < sizeof(end) || strcmp(name + n - 5, end) != 0)
		return series;
	for (size_t i = 0; i < result->series_count; i++)
		if (strlen(result->series[i].name) == n - 5 &&
		    !strncmp(result->series[i].name, name, n - 5))
			return i;
	return series;
}

struct view_style view_style(const struct bench_result *result, size_t series)
{
	static const unsigned dashes[] = {0, 2, 3};
	const size_t plain = plain_one(result, series);
	unsigned slot = 0;

	for (size_t i = 0; i < plain; i++)
		slot += plain_one(result, i) == i;
	return (struct view_style){
		.color = slot % VIEW_COLORS,
		.marker = slot % VIEW_MARKERS,
		.dash = result->series[series].huge ? 1 : dashes[slot / VIEW_COLORS % 3],
	};
}
