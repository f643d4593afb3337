/* SPDX-License-Identifier: MIT */
/*
 * What the views share: times, names and sentences in words, where a point lies in a plot, and
 * the strange characters of other people's names.
 *
 *	words.c  times, numbers, characters
 *	notes.c  sentences: the headline, what was left out and why, what to beware of
 *	scale.c  where a time and a point lie, from 0 to 1; which style a series has
 */
#ifndef RAMET_BENCH_VIEW_H
#define RAMET_BENCH_VIEW_H

#include "bench/bench.h"

/* ---- words.c ------------------------------------------------------------------------------- */

#define VIEW_SHORT 32	 /* a time, a number, a place on the axis */
#define VIEW_LONG 80	 /* two of them */
#define VIEW_LINE 400	 /* a sentence */
#define VIEW_CHARACTER 8 /* one of UTF-8 */

/* Three digits: "85.2 µs", "26.1 ms", "-" for what is no time. utf8: µ, else u. */
const char *view_time(double us, bool utf8, char buf[static VIEW_SHORT]);
/* Both ends in the unit that view_time() takes for `us`, without it: "81.4 to 90.2". */
const char *view_range(double us, double from, double to, char buf[static VIEW_LONG]);
/* A round one, of an axis: "10 µs". */
const char *view_tick(double us, bool utf8, char buf[static VIEW_SHORT]);
/* Three digits or all of a larger one: "0.92", "31.6", "2538". */
const char *view_number(double value, char buf[static VIEW_SHORT]);
/* "0.98 to 1.05"; "no interval" where too little was measured for an end of it. */
const char *view_interval(double low, double high, char buf[static VIEW_LONG]);
/* The larger distance of p10 and p90 from the median, in percent of it: "7%". */
const char *view_spread(const struct bench_number *number, char buf[static VIEW_SHORT]);
/* "1 GB", of the result's workload; without an axis "". */
const char *view_x(const struct bench_result *result, uint64_t x, char buf[static VIEW_SHORT]);
/* "at 1 GB", or "". */
const char *view_at(const struct bench_result *result, uint64_t x, char buf[static VIEW_SHORT]);

/*
 * The next character of a text that anybody may have written, always good UTF-8: bytes that are
 * none become U+FFFD. Moves *text; false at its end.
 */
bool view_character(const char **text, char buf[static VIEW_CHARACTER]);
/* Text and attributes of XML and HTML. most: characters, the rest becomes "…"; 0: all. */
void view_xml(FILE *out, const char *text, size_t most);
size_t view_columns(const char *text);
/* For a terminal of this locale: what it would not print is escaped. */
const char *view_safe(const char *text, char *buf, size_t size);
bool view_has_utf8(void);

/*
 * How the writing went, as a view's last act: 0, or -errno of a write that failed. errno has kept
 * it: after that write a view calls nothing else that could fail. What is still in the buffer is
 * the caller's to flush.
 */
int view_end(FILE *out);

/* ---- notes.c ------------------------------------------------------------------------------- */

bool view_is_measured(const struct bench_point *point);
bool view_is_shown(const struct bench_result *result, size_t series); /* measured anywhere */
/* What is not known is negative; a stage that never stood has zeros. */
bool view_has_facts(const struct bench_stage_facts *facts);
/* Of the first pair of which any ratio says something, the one with the greatest x; or NULL. */
const struct bench_ratio *view_headline(const struct bench_result *result);
/* "fork+exec takes 316 × ramet-spawn at 1 GB (309 to 322)", and whether that means anything. */
const char *view_ratio(const struct bench_result *result, const struct bench_ratio *ratio,
		       bool utf8, char buf[static VIEW_LINE]);
/* Why the ratio is worthless. */
const char *view_worthless(const struct bench_ratio *ratio);
/* The growth to the greatest x that there is of a series; NULL: not known. */
const struct bench_growth *view_growth(const struct bench_result *result, const char *series);
struct words;
/* "5 (3 by the caller, 2 by the child): clone3, wait4 …"; nothing if they are not known. */
void view_calls(const struct bench_calls *calls, struct words *w);
/* "3 trials of 512 rounds …, 19.8 s of 20 s, seed 7" */
void view_run(const struct bench_result *result, char *buf, size_t size);
/* What was left out and why, what ended early, what disturbed: each a sentence. */
void view_notes(const struct bench_result *result, void (*tell)(void *context, const char *note),
		void *context);

/* ---- scale.c ------------------------------------------------------------------------------- */

#define VIEW_TICKS 40

struct view_scale {
	double low, high; /* µs: low < high, both > 0 */
	double ticks[VIEW_TICKS];
	size_t tick_count;
	size_t order[BENCH_POINTS_MAX]; /* points that have a measurement, by x */
	size_t count;
	double at[BENCH_POINTS_MAX]; /* of each of these: 0 left, 1 right */
};

/* false: there is nothing to draw. */
bool view_scale(const struct bench_result *result, struct view_scale *ret);
double view_place(const struct view_scale *scale, double us); /* 0 at low, 1 at high */

/* µs of a series at its last point; the series that are shown, those of the greatest first. */
double view_last(const struct bench_result *result, const struct view_scale *scale, size_t series);
size_t view_by_last(const struct bench_result *result, const struct view_scale *scale,
		    size_t ret_series[static BENCH_SERIES_MAX]);

/*
 * Names beside the ends of their lines: count heights in rising order become at least step apart,
 * moved as little as can be and kept between low and high, where there is room.
 */
void view_part(double *at, size_t count, double step, double low, double high);

/* A series "NAME huge" looks like NAME, but dashed. */
struct view_style {
	unsigned color;	 /* 0 … VIEW_COLORS - 1 */
	unsigned marker; /* 0 … VIEW_MARKERS - 1 */
	unsigned dash;	 /* 0: none */
};
#define VIEW_COLORS 8
#define VIEW_MARKERS 7
#define VIEW_DASHES 4
struct view_style view_style(const struct bench_result *result, size_t series);

/* ---- svg.c --------------------------------------------------------------------------------- */

struct view_frame {
	const char *name; /* class of the element, and so which one the page shows */
	int width;
	int font;
	bool labels; /* names of series at the ends of their lines */
	bool alone;  /* a file of its own: with a ground and a title */
};

void view_svg(const struct bench_result *result, FILE *out, const struct view_frame *frame);
/* The line and marker of a series, as legends have it. */
void view_swatch(const struct bench_result *result, FILE *out, size_t series);

/* ---- json.c -------------------------------------------------------------------------------- */

enum { VIEW_SAMPLES = 1, VIEW_IN_HTML = 2 /* no '<', so that no element ends within it */ };
int view_json(const struct bench_result *result, FILE *out, int flags);

#endif
