/* SPDX-License-Identifier: MIT */
/*
 * A result as JSON; ramet-bench(1) lists the keys. Written as it goes: the samples may be some
 * hundreds of thousands. What is not known is null, since JSON has no NaN.
 */
#include <inttypes.h>
#include <math.h>

#include "bench/view.h"

struct writer {
	FILE *out;
	bool in_html;
	bool first; /* nothing stands yet in this object or array */
};

static void put_string(struct writer *w, const char *text)
{
	char c[VIEW_CHARACTER];

	putc('"', w->out);
	while (view_character(&text, c)) {
		const unsigned char byte = (unsigned char)c[0];

		if (byte == '"' || byte == '\\')
			fprintf(w->out, "\\%c", byte);
		else if (byte < ' ' || byte == 0x7f || (w->in_html && byte == '<'))
			fprintf(w->out, "\\u%04x", byte);
		else
			fputs(c, w->out);
	}
	putc('"', w->out);
}

/* ---- Members: a key, or within an array none ---- */

static void put_key(struct writer *w, const char *key)
{
	if (!w->first)
		putc(',', w->out);
	w->first = false;
	if (key)
		fprintf(w->out, "\"%s\":", key);
}

static void begin(struct writer *w, const char *key, char bracket)
{
	put_key(w, key);
	putc(bracket, w->out);
	w->first = true;
}

static void end(struct writer *w, char bracket)
{
	putc(bracket, w->out);
	w->first = false;
}

static void put_text(struct writer *w, const char *key, const char *text)
{
	put_key(w, key);
	put_string(w, text ? text : "");
}

/* A text that may be empty: nothing to tell. */
static void put_note(struct writer *w, const char *key, const char *text)
{
	put_key(w, key);
	if (*text)
		put_string(w, text);
	else
		fputs("null", w->out);
}

static void put_number(struct writer *w, const char *key, double value)
{
	put_key(w, key);
	if (isfinite(value))
		fprintf(w->out, "%.9g", value);
	else
		fputs("null", w->out);
}

/* One that is known if it is not negative. */
static void put_known(struct writer *w, const char *key, double value)
{
	put_number(w, key, value >= 0 ? value : NAN);
}

/* Without an upper end there is no interval: then the lower one, 0, is not known either. */
static void put_interval(struct writer *w, const char *low_key, double low, const char *high_key,
			 double high)
{
	put_number(w, low_key, isfinite(high) ? low : NAN);
	put_number(w, high_key, high);
}

static void put_count(struct writer *w, const char *key, uint64_t value)
{
	put_key(w, key);
	fprintf(w->out, "%" PRIu64, value);
}

static void put_bytes(struct writer *w, const char *key, int64_t value)
{
	put_key(w, key);
	if (value >= 0)
		fprintf(w->out, "%" PRId64, value);
	else
		fputs("null", w->out);
}

static void put_truth(struct writer *w, const char *key, bool value)
{
	put_key(w, key);
	fputs(value ? "true" : "false", w->out);
}

/* ---- Parts ---- */

static void put_machine(struct writer *w, const struct bench_result *result)
{
	const struct bench_machine *m = &result->machine;

	begin(w, "machine", '{');
	put_text(w, "system", m->system);
	put_text(w, "processor", m->processor);
	put_key(w, "processors");
	fprintf(w->out, "%d", m->processors);
	put_text(w, "libc", m->libc);
	put_text(w, "governor", m->governor);
	put_text(w, "hypervisor", m->hypervisor);
	put_text(w, "thp", m->thp);
	put_count(w, "memory", m->memory);
	put_count(w, "available", m->available);
	begin(w, "load", '[');
	for (size_t i = 0; i < 3; i++)
		put_number(w, NULL, m->load[i]);
	end(w, ']');
	put_number(w, "load_after", result->load_after);
	put_text(w, "date", m->date);
	put_text(w, "version", m->version);
	end(w, '}');
}

static void put_samples(struct writer *w, const struct bench_point *point)
{
	begin(w, "samples_us", '[');
	for (size_t i = 0; i < point->count; i++) {
		const struct bench_sample *sample = &point->samples[i];

		fprintf(w->out, "%s[%" PRIu32 ",%" PRIu32 ",", i ? "," : "", sample->trial,
			sample->round);
		if (isfinite(sample->us))
			fprintf(w->out, "%.7g]", (double)sample->us);
		else
			fputs("null]", w->out);
	}
	end(w, ']');
}

static void put_point(struct writer *w, const struct bench_point *point, bool samples)
{
	const struct bench_number *us = &point->us;
	const bool known = view_is_measured(point);

	begin(w, NULL, '{');
	put_count(w, "x", point->x);
	put_number(w, "median_us", known ? us->median : NAN);
	put_number(w, "p10_us", known ? us->p10 : NAN);
	put_number(w, "p90_us", known ? us->p90 : NAN);
	put_count(w, "n", us->n);
	put_interval(w, "low_us", us->low, "high_us", known ? us->high : NAN);
	put_number(w, "mean_us", known ? point->mean : NAN);
	put_number(w, "min_us", known ? point->least : NAN);
	put_number(w, "max_us", known ? point->most : NAN);
	put_count(w, "outliers", point->outliers);
	put_known(w, "faults", known ? point->faults : NAN);
	put_note(w, "why", point->why);
	if (samples)
		put_samples(w, point);
	end(w, '}');
}

static void put_calls(struct writer *w, const struct bench_series *series)
{
	const struct bench_calls *calls = &series->calls;

	if (!series->counted)
		return;
	begin(w, "system_calls", '{');
	put_count(w, "caller", calls->caller);
	put_count(w, "child", calls->child);
	begin(w, "list", '[');
	for (size_t i = 0; i < calls->count; i++) {
		const char *name = bench_call_name(calls->calls[i].nr);

		begin(w, NULL, '{');
		put_note(w, "name", name ? name : "");
		put_key(w, "nr");
		fprintf(w->out, "%d", calls->calls[i].nr);
		put_truth(w, "child", calls->calls[i].child);
		put_count(w, "times", calls->calls[i].times);
		end(w, '}');
	}
	end(w, ']');
	put_note(w, "why", calls->why);
	end(w, '}');
}

static void put_series(struct writer *w, const struct bench_result *result, bool samples)
{
	begin(w, "series", '[');
	for (size_t i = 0; i < result->series_count; i++) {
		const struct bench_series *series = &result->series[i];

		begin(w, NULL, '{');
		put_text(w, "name", series->name);
		put_text(w, "what", series->what);
		put_truth(w, "peer", series->peer != NULL);
		put_truth(w, "huge", series->huge);
		begin(w, "points", '[');
		for (size_t k = 0; k < result->request->point_count; k++)
			put_point(w, &series->points[k], samples);
		end(w, ']');
		put_calls(w, series);
		end(w, '}');
	}
	end(w, ']');
}

static void put_ratios(struct writer *w, const struct bench_result *result)
{
	begin(w, "ratios", '[');
	for (size_t i = 0; i < result->ratio_count; i++) {
		const struct bench_ratio *ratio = &result->ratios[i];

		begin(w, NULL, '{');
		put_text(w, "a", ratio->a);
		put_text(w, "b", ratio->b);
		put_count(w, "x", ratio->x);
		put_number(w, "median", ratio->median);
		put_interval(w, "low", ratio->low, "high", ratio->high);
		put_number(w, "p10", ratio->p10);
		put_number(w, "p90", ratio->p90);
		put_count(w, "rounds", ratio->rounds);
		put_truth(w, "worthless", ratio->worthless);
		end(w, '}');
	}
	end(w, ']');
	begin(w, "growth", '[');
	for (size_t i = 0; i < result->growth_count; i++) {
		const struct bench_growth *growth = &result->growths[i];

		begin(w, NULL, '{');
		put_text(w, "series", growth->name);
		put_count(w, "x", growth->x);
		put_count(w, "from", growth->from);
		put_number(w, "median", growth->median);
		put_interval(w, "low", growth->low, "high", growth->high);
		end(w, '}');
	}
	end(w, ']');
}

/* The process that launches, at each point, before it launched anything. */
static void put_parent(struct writer *w, const struct bench_result *result)
{
	begin(w, "parent", '[');
	for (size_t huge = 0; huge < 2; huge++)
		for (size_t k = 0; k < result->request->point_count; k++) {
			const struct bench_stage_facts *facts = &result->facts[huge][k];

			if (!view_has_facts(facts))
				continue;
			begin(w, NULL, '{');
			put_count(w, "x", result->request->points[k]);
			put_truth(w, "huge", huge);
			put_bytes(w, "VmRSS", facts->vm_rss);
			put_bytes(w, "VmPTE", facts->vm_pte);
			put_bytes(w, "VmSize", facts->vm_size);
			put_bytes(w, "AnonHugePages", facts->huge_bytes);
			end(w, '}');
		}
	end(w, ']');
}

static const char *unit_name(enum bench_unit unit)
{
	switch (unit) {
	case BENCH_NO_AXIS:
		return "";
	case BENCH_BYTES:
		return "bytes";
	case BENCH_COUNT:
		return "count";
	}
	return "";
}

int view_json(const struct bench_result *result, FILE *out, int flags)
{
	const struct bench_request *request = result->request;
	struct writer writer = {.out = out, .in_html = flags & VIEW_IN_HTML, .first = true};
	struct writer *w = &writer;

	begin(w, NULL, '{');
	put_count(w, "schema", 1);
	put_text(w, "workload", request->workload->name);
	put_text(w, "what", request->workload->what);
	put_note(w, "axis", request->workload->axis ? request->workload->axis : "");
	put_note(w, "unit", unit_name(request->workload->unit));
	put_machine(w, result);
	put_text(w, "command", request->command);
	put_series(w, result, flags & VIEW_SAMPLES);
	put_ratios(w, result);
	put_parent(w, result);
	put_number(w, "seconds", result->seconds);
	put_number(w, "budget", request->budget);
	put_count(w, "trials", (uint64_t)result->trials_done);
	put_truth(w, "interrupted", result->interrupted);
	put_truth(w, "cut_short", result->cut_short);
	put_count(w, "seed", request->seed);
	end(w, '}');
	putc('\n', out);
	return view_end(out);
}

int bench_view_json(const struct bench_result *result, FILE *out)
{
	return view_json(result, out, VIEW_SAMPLES);
}
