/* SPDX-License-Identifier: MIT */
/*
 * The table of workloads: names and points as options, plots and JSON need them, and pairs that
 * name what there is. What is told of by name and never shows up would be missed by nobody.
 */
#include <string.h>

#include "bench/bench.h"
#include "tap.h"

/* Named in pairs, made by later work or by peers. */
static const char *const to_come[] = {
	"musl-pthread",
	NULL,
};

static bool is_to_come(const char *name)
{
	for (size_t i = 0; to_come[i]; i++)
		if (!strcmp(to_come[i], name))
			return true;
	return false;
}

/* "NAME" of a variant, or "NAME huge" of one that takes huge pages. */
static bool is_series(const struct bench_workload *w, const char *name)
{
	for (const struct bench_variant *const *v = w->variants; *v; v++) {
		char huge[64];

		snprintf(huge, sizeof(huge), "%s huge", (*v)->name);
		if (!strcmp((*v)->name, name) || ((*v)->takes_huge && !strcmp(huge, name)))
			return true;
	}
	return false;
}

static void check_axis(const struct bench_workload *w)
{
	const bool axis = w->unit != BENCH_NO_AXIS;
	size_t count = 0;
	bool rising = true;

	while (count < BENCH_POINTS_MAX && w->points[count] != BENCH_POINTS_END) {
		rising &= count == 0 || w->points[count - 1] < w->points[count];
		count++;
	}
	ok(count > 0 && count < BENCH_POINTS_MAX && rising, "%s: points rise and end", w->name);
	ok(axis == !!w->axis && axis == (w->option && !strncmp(w->option, "--", 2)),
	   "%s: an axis has a name and an option", w->name);
	ok(axis || (count == 1 && !w->points[0]), "%s: without an axis there is one point",
	   w->name);
	ok(w->takes_memory == (w->unit == BENCH_BYTES), "%s: bytes are those that it takes",
	   w->name);
	ok(!w->tasks || w->points[0] == 1, "%s: where tasks are counted the first is one", w->name);
}

static void check_variants(const struct bench_workload *w)
{
	size_t series = 0;
	const char *twice = NULL;
	const struct bench_variant *bad = NULL;

	for (const struct bench_variant *const *v = w->variants; *v; v++) {
		series += (*v)->takes_huge ? 2 : 1;
		if (!(*v)->run == !(*v)->run_many || !(*v)->what || strchr((*v)->what, '\n') ||
		    strlen((*v)->name) + sizeof(" huge") >
			    sizeof(((struct bench_series *)0)->name) ||
		    strchr((*v)->name, ',') || ((*v)->takes_huge && !w->takes_memory))
			bad = *v;
		for (const struct bench_variant *const *other = w->variants; other < v; other++)
			if (!strcmp((*v)->name, (*other)->name))
				twice = (*v)->name;
	}
	is_str(bad ? bad->name : NULL, NULL, "%s: variants have what is needed", w->name);
	is_str(twice, NULL, "%s: no variant twice", w->name);
	ok(series > 0 && series < BENCH_SERIES_MAX - 8, "%s: room for peers", w->name);
}

static void check_pairs(const struct bench_workload *w)
{
	const char *unknown = NULL, *twice = NULL;
	size_t count = 0;

	for (const struct bench_pair *p = w->pairs; p->a; p++, count++) {
		if (!is_series(w, p->a) && !is_to_come(p->a))
			unknown = p->a;
		if (!p->b || (!is_series(w, p->b) && !is_to_come(p->b)))
			unknown = p->b ? p->b : "(none)";
		for (const struct bench_pair *other = w->pairs; other < p; other++)
			if (!strcmp(p->a, other->a) && !strcmp(p->b, other->b))
				twice = p->a;
		if (p->b && !strcmp(p->a, p->b))
			twice = p->a;
	}
	is_str(unknown, NULL, "%s: pairs name series", w->name);
	is_str(twice, NULL, "%s: no pair twice, or of one", w->name);
	ok(count > 0, "%s: some ratio is worth telling", w->name);
}

int main(void)
{
	const struct bench_workload *w;

	for (size_t i = 0; (w = bench_workloads[i]); i++) {
		ok(bench_workload(w->name) == w, "%s is found by its name, and so is the only one",
		   w->name);
		ok(w->what && w->what[0] && w->what[strlen(w->what) - 1] == '.' && w->wanted > 0,
		   "%s: a sentence, and how often", w->name);
		check_axis(w);
		check_variants(w);
		check_pairs(w);
	}
	ok(!bench_workload("nothing") && !bench_workload(""), "no other name is found");
	return tap_done();
}
