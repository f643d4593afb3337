/* SPDX-License-Identifier: MIT */
/* Sentences about a result, for the text and for the page. What they quote is not escaped here. */
#include <math.h>
#include <string.h>

#include "bench/view.h"
#include "tree/words.h"

bool view_is_measured(const struct bench_point *point)
{
	return point->us.n && isfinite(point->us.median) && point->us.median > 0;
}

bool view_is_shown(const struct bench_result *result, size_t series)
{
	for (size_t k = 0; k < result->request->point_count; k++)
		if (view_is_measured(&result->series[series].points[k]))
			return true;
	return false;
}

bool view_has_facts(const struct bench_stage_facts *facts)
{
	return facts->vm_rss > 0 || facts->vm_pte > 0;
}

/* ---- Ratios -------------------------------------------------------------------------------- */

/* The ratio of that pair with the greatest x that says something. */
static const struct bench_ratio *best_of(const struct bench_result *result,
					 const struct bench_ratio *pair)
{
	const struct bench_ratio *best = NULL;

	for (size_t i = 0; i < result->ratio_count; i++) {
		const struct bench_ratio *ratio = &result->ratios[i];

		if (isfinite(ratio->median) && !ratio->worthless && !strcmp(ratio->a, pair->a) &&
		    !strcmp(ratio->b, pair->b) && (!best || ratio->x > best->x))
			best = ratio;
	}
	return best;
}

const struct bench_ratio *view_headline(const struct bench_result *result)
{
	const struct bench_ratio *best = NULL;

	for (size_t i = 0; !best && i < result->ratio_count; i++)
		best = best_of(result, &result->ratios[i]);
	return best;
}

const char *view_worthless(const struct bench_ratio *ratio)
{
	if (ratio->low <= 1 && ratio->high >= 1)
		return "no difference is shown";
	return "too uncertain to tell";
}

const char *view_ratio(const struct bench_result *result, const struct bench_ratio *ratio,
		       bool utf8, char buf[static VIEW_LINE])
{
	char number[VIEW_SHORT], interval[VIEW_LONG], at[VIEW_SHORT];

	view_at(result, ratio->x, at);
	snprintf(buf, VIEW_LINE, "%.60s takes %s %s %.60s%s%s (%s)%s%s", ratio->a,
		 view_number(ratio->median, number), utf8 ? "×" : "x", ratio->b, *at ? " " : "", at,
		 view_interval(ratio->low, ratio->high, interval), ratio->worthless ? ": " : "",
		 ratio->worthless ? view_worthless(ratio) : "");
	return buf;
}

const struct bench_growth *view_growth(const struct bench_result *result, const char *series)
{
	const struct bench_growth *best = NULL;

	for (size_t i = 0; i < result->growth_count; i++) {
		const struct bench_growth *growth = &result->growths[i];

		if (!strcmp(growth->name, series) && isfinite(growth->median) &&
		    (!best || growth->x > best->x))
			best = growth;
	}
	return best;
}

void view_calls(const struct bench_calls *calls, struct words *w)
{
	if (!calls->count)
		return;
	words_add(w, "%u", calls->caller + calls->child);
	if (calls->child)
		words_add(w, " (%u by the caller, %u by the child)", calls->caller, calls->child);
	for (size_t i = 0; i < calls->count; i++) {
		const struct bench_call *call = &calls->calls[i];
		const char *name = bench_call_name(call->nr);
		const bool first = !i || call->child != calls->calls[i - 1].child;

		words_add(w, "%s", !i ? ": " : first ? "; child: " : ", ");
		if (!i && call->child)
			words_add(w, "child: ");
		if (name)
			words_add(w, "%s", name);
		else
			words_add(w, "call %d", call->nr);
		if (call->times > 1)
			words_add(w, " %u times", call->times);
	}
}

void view_run(const struct bench_result *result, char *buf, size_t size)
{
	const struct bench_request *request = result->request;
	size_t least = SIZE_MAX, most = 0;
	struct words w = {buf, size, 0};

	buf[0] = 0;
	for (size_t i = 0; i < result->series_count; i++)
		for (size_t k = 0; k < request->point_count; k++) {
			const struct bench_point *point = &result->series[i].points[k];

			if (!view_is_measured(point))
				continue;
			least = point->us.n < least ? point->us.n : least;
			most = point->us.n > most ? point->us.n : most;
		}
	words_add(&w, "%d trial%s", result->trials_done, result->trials_done == 1 ? "" : "s");
	if (most && least == most)
		words_add(&w, ", %zu operations of each series at a point", most);
	else if (most)
		words_add(&w, ", %zu to %zu operations of a series at a point", least, most);
	words_add(&w, ", %.1f s of %.0f s", result->seconds, request->budget);
	if (request->pin >= 0)
		words_add(&w, ", on processor %d", request->pin);
	words_add(&w, ", seed %llu", (unsigned long long)request->seed);
}

/* ---- What to beware of --------------------------------------------------------------------- */

#define LACK (BENCH_WHY + 300)

struct teller {
	const struct bench_result *result;
	void (*tell)(void *context, const char *note);
	void *context;
	char line[2 * VIEW_LINE + BENCH_WHY];
};

#define TELL(t, ...)                                                                               \
	do {                                                                                       \
		snprintf((t)->line, sizeof((t)->line), __VA_ARGS__);                               \
		(t)->tell((t)->context, (t)->line);                                                \
	} while (0)

/* Why nothing at all was measured at a point; NULL: something was, or reasons differ. */
static const char *common_why(const struct bench_result *result, size_t point)
{
	const char *why = NULL;

	for (size_t i = 0; i < result->series_count; i++) {
		const struct bench_point *p = &result->series[i].points[point];

		if (view_is_measured(p) || !*p->why || (why && strcmp(why, p->why) != 0))
			return NULL;
		why = p->why;
	}
	return why;
}

/* Does the series lack something at this point, for a reason of its own? */
static bool lacks(const struct bench_result *result, size_t series, size_t point)
{
	return *result->series[series].points[point].why && !common_why(result, point);
}

/*
 * What a series lacks from this point on, up to the first with another reason: "left out at
 * 8 GB: …". Returns the first point that is not in it.
 */
static size_t lack_of(const struct bench_result *result, size_t series, size_t point,
		      char buf[static LACK])
{
	const struct bench_point *points = result->series[series].points;
	const size_t count = result->request->point_count;
	const bool measured = view_is_measured(&points[point]);
	char place[VIEW_SHORT];
	struct words w = {buf, LACK, 0};
	size_t next = point;

	while (next < count && lacks(result, series, next) &&
	       view_is_measured(&points[next]) == measured &&
	       !strcmp(points[next].why, points[point].why))
		next++;
	words_add(&w, measured ? "not measured to the end" : "left out");
	for (size_t k = point; next - point < count && k < next; k++)
		words_add(&w, "%s%s", k == point ? " at " : ", ",
			  view_x(result, points[k].x, place));
	words_add(&w, ": %s", points[point].why);
	return next;
}

/* Does it begin here, or is it told of an earlier point already? */
static bool begins_to_lack(const struct bench_result *result, size_t series, size_t point)
{
	char lack[LACK];

	if (!lacks(result, series, point))
		return false;
	return !point || !lacks(result, series, point - 1) ||
	       lack_of(result, series, point - 1, lack) == point;
}

/* Is it told with the same words of an earlier series? */
static bool is_told(const struct bench_result *result, size_t series, size_t point,
		    const char *lack)
{
	char other[LACK];

	for (size_t i = 0; i < series; i++)
		if (begins_to_lack(result, i, point)) {
			lack_of(result, i, point, other);
			if (!strcmp(other, lack))
				return true;
		}
	return false;
}

/* With the names of all series that it is true of. */
static void tell_lack(struct teller *t, size_t series, size_t point, const char *lack)
{
	const struct bench_result *result = t->result;
	char names[VIEW_LINE] = "", other[LACK];
	struct words w = {names, sizeof(names), 0};

	for (size_t i = series; i < result->series_count; i++) {
		if (!begins_to_lack(result, i, point))
			continue;
		lack_of(result, i, point, other);
		if (strcmp(other, lack) != 0)
			continue;
		words_part(&w, ", ");
		words_add(&w, "%s", result->series[i].name);
	}
	TELL(t, "%s: %s", names, lack);
}

static void tell_series(struct teller *t, size_t series)
{
	const struct bench_result *result = t->result;
	char lack[LACK];

	for (size_t k = 0; k < result->request->point_count;) {
		size_t next = k + 1;

		if (lacks(result, series, k)) {
			next = lack_of(result, series, k, lack);
			if (!is_told(result, series, k, lack))
				tell_lack(t, series, k, lack);
		}
		k = next;
	}
}

/* Points at which nothing was measured, those with the same reason together. */
static void tell_points(struct teller *t)
{
	const struct bench_result *result = t->result;
	const size_t count = result->request->point_count;
	char places[VIEW_LINE], place[VIEW_SHORT];

	for (size_t k = 0, next; k < count; k = next) {
		const char *why = common_why(result, k);
		struct words w = {places, sizeof(places), 0};

		places[0] = 0;
		for (next = k; next < count; next++) {
			const char *other = common_why(result, next);

			if (!why || !other || strcmp(why, other) != 0)
				break;
			words_part(&w, ", ");
			words_add(&w, "%s", view_x(result, result->request->points[next], place));
		}
		if (why && next - k == count)
			TELL(t, "Nothing could be measured: %s", why);
		else if (why)
			TELL(t, "Left out: %s: %s", places, why);
		next += !why;
	}
}

static void tell_left_out(struct teller *t)
{
	tell_points(t);
	for (size_t i = 0; i < t->result->series_count; i++)
		tell_series(t, i);
}

static void tell_outliers(struct teller *t)
{
	unsigned long outliers = 0, samples = 0;

	for (size_t i = 0; i < t->result->series_count; i++)
		for (size_t k = 0; k < t->result->request->point_count; k++) {
			outliers += t->result->series[i].points[k].outliers;
			samples += t->result->series[i].points[k].us.n;
		}
	if (outliers)
		TELL(t, "%lu of %lu operations are far from the others; they are kept.", outliers,
		     samples);
}

static void tell_disturbances(struct teller *t)
{
	const struct bench_machine *m = &t->result->machine;
	const double load = fmax(m->load[0], t->result->load_after);

	if (m->processors > 0 && m->load[0] > 0.5 * m->processors)
		TELL(t,
		     "The machine was busy (load %.1f on %d processor%s): rely on ratios, not on "
		     "times.",
		     load, m->processors, m->processors == 1 ? "" : "s");
	if (!strcmp(m->hypervisor, "yes"))
		TELL(t, "This is a virtual machine: page faults and IPIs cost more than on bare "
			"metal.");
	else if (*m->hypervisor && strcmp(m->hypervisor, "none") != 0 &&
		 strcmp(m->hypervisor, "unknown") != 0)
		TELL(t,
		     "This is a virtual machine (%s): page faults and IPIs cost more than on "
		     "bare metal.",
		     m->hypervisor);
	if (*m->governor && strcmp(m->governor, "performance") != 0 &&
	    strcmp(m->governor, "unknown") != 0)
		TELL(t, "The frequency governor is '%s', not 'performance'.", m->governor);
}

void view_notes(const struct bench_result *result, void (*tell)(void *context, const char *note),
		void *context)
{
	static struct teller teller; /* for its size */
	struct teller *t = &teller;
	size_t worthless = 0;

	*t = (struct teller){.result = result, .tell = tell, .context = context};
	if (result->interrupted)
		TELL(t, "Interrupted: this is what there was until then.");
	else if (result->cut_short)
		TELL(t, "The budget of %.0f s ended it early: more time gives closer intervals.",
		     result->request->budget);
	tell_left_out(t);
	for (size_t i = 0; i < result->ratio_count; i++)
		worthless += result->ratios[i].worthless;
	if (worthless)
		TELL(t,
		     "%zu of %zu ratios say nothing: the interval holds 1, or is wider than "
		     "half of the ratio.",
		     worthless, result->ratio_count);
	tell_outliers(t);
	tell_disturbances(t);
}
