/* SPDX-License-Identifier: MIT */
/*
 * The views of ramet bench, of results that nobody measured (lib/bench_made.h): every view says
 * what there is, whatever is missing, and no name gets out of its place. What a browser makes of
 * the page is tests/browser's.
 */
#include <errno.h>
#include <json-c/json.h>
#include <locale.h>

#include "tap.h"
#include "bench/view.h"
#include "lib/bench_made.h"

#define KINDS (sizeof(made_names) / sizeof(made_names[0]))

static int view_text(const struct bench_result *result, FILE *out)
{
	bench_view_text(result, out, false, true);
	return 0;
}

static int view_plot(const struct bench_result *result, FILE *out)
{
	bench_plot(result, out, 80, 20, false);
	return 0;
}

/* What a view prints, to be freed. */
static char *text_of(int (*view)(const struct bench_result *result, FILE *out), enum made kind)
{
	static char *text; /* not of the frame: gcc takes what is in it for lost */
	static size_t size;
	FILE *out = open_memstream(&text, &size);

	if (view(make_result(kind), out) < 0)
		fputs("failed", out);
	fclose(out);
	return text;
}

static bool has(const char *text, const char *what)
{
	return strstr(text, what) != NULL;
}

/* ---- Words ---- */

static void test_words(void)
{
	static const struct {
		double us;
		const char *text, *ascii;
	} times[] = {
		{0.0042, "4.20 ns", "4.20 ns"},
		{0.42, "420 ns", "420 ns"},
		{0.9996, "1.00 µs", "1.00 us"},
		{14.96, "15.0 µs", "15.0 us"},
		{85.24, "85.2 µs", "85.2 us"},
		{99.96, "100 µs", "100 us"},
		{999.4, "999 µs", "999 us"},
		{999.6, "1.00 ms", "1.00 ms"},
		{26100, "26.1 ms", "26.1 ms"},
		{192000, "192 ms", "192 ms"},
		{1.25e6, "1.25 s", "1.25 s"},
		{3.6e9, "3600 s", "3600 s"},
		{NAN, "-", "-"},
		{-1, "-", "-"},
		{INFINITY, "-", "-"},
	};
	static const struct {
		enum bench_unit unit;
		uint64_t x;
		const char *text;
	} places[] = {
		{BENCH_BYTES, 2 << 20, "2 MB"},
		{BENCH_BYTES, 1 << 30, "1 GB"},
		{BENCH_BYTES, 8ull << 30, "8 GB"},
		{BENCH_BYTES, 0, "0 B"},
		{BENCH_BYTES, 1536, "1.5 KB"},
		{BENCH_COUNT, 0, "0"},
		{BENCH_COUNT, 10, "10"},
		{BENCH_COUNT, 1000, "1 000"},
		{BENCH_COUNT, 10000, "10 000"},
		{BENCH_COUNT, 1234567, "1 234 567"},
		{BENCH_NO_AXIS, 7, ""},
	};
	char buf[VIEW_SHORT], text[VIEW_LONG];

	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		is_str(view_time(times[i].us, true, buf), times[i].text, "%g us", times[i].us);
		is_str(view_time(times[i].us, false, buf), times[i].ascii, "%g us in ASCII",
		       times[i].us);
	}
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		is_str(bench_x_text(places[i].unit, places[i].x, buf, sizeof(buf)), places[i].text,
		       "x of %llu", (unsigned long long)places[i].x);
	is_str(view_number(0.0123, buf), "0.012", "a small ratio");
	is_str(view_number(2538.4, buf), "2538", "a large one");
	is_str(view_interval(0.98, 1.052, text), "0.98 to 1.05", "an interval");
	is_str(view_interval(0, INFINITY, text), "no interval", "one without an end");
	is_str(view_range(26100, 950, 31000, text), "0.95 to 31.0", "in the median's unit");
}

/* Whatever bytes: good UTF-8 comes of them, and all of them are passed. */
static void test_characters(void)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{"aµ→😀", "aµ→😀"},
		{"\xff", "\ufffd"},
		{"\xc3", "\ufffd"},
		{"\xc3(", "\ufffd("},
		{"\xe2\x82", "\ufffd\ufffd"},
		{"\xed\xa0\x80", "\ufffd\ufffd\ufffd"}, /* a surrogate */
		{"\xc0\xaf", "\ufffd\ufffd"},		/* '/' in two bytes */
		{"\xef\xbf\xbf", "\ufffd"},
		{"é\x80z", "é\ufffdz"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char got[64] = "", c[VIEW_CHARACTER];
		const char *at = rows[i].text;

		while (view_character(&at, c))
			strcat(got, c);
		is_str(got, rows[i].want, "characters, row %zu", i);
	}
}

static void test_parting(void)
{
	double at[] = {10, 10, 10, 50, 99, 100};

	view_part(at, 6, 4, 0, 100);
	ok(at[0] == 6 && at[1] == 10 && at[2] == 14, "names at one height part to both sides");
	ok(at[3] == 50, "one that has room stays");
	ok(at[5] == 100 && at[4] == 96, "none leaves the plot");
}

/* ---- JSON ---- */

static struct json_object *get(struct json_object *of, const char *key)
{
	return json_object_object_get(of, key);
}

/* The keys come first in each object, in its order. */
static bool begins_with(struct json_object *object, const char *const *keys)
{
	json_object_object_foreach(object, key, value)
	{
		(void)value;
		if (!*keys)
			return true;
		if (strcmp(key, *keys) == 0)
			keys++;
	}
	return !*keys;
}

static bool is_number_or_null(struct json_object *value)
{
	return !value || json_object_is_type(value, json_type_double) ||
	       json_object_is_type(value, json_type_int);
}

static void test_json_point(struct json_object *point, const struct bench_point *made,
			    const char *name)
{
	static const char *const keys[] = {"x", "median_us", "p10_us", "p90_us", "n", NULL};
	static const char *const numbers[] = {"median_us", "p10_us",  "p90_us", "low_us",
					      "high_us",   "mean_us", "min_us", "max_us"};
	const bool measured = view_is_measured(made);
	struct json_object *samples = get(point, "samples_us");
	bool good = begins_with(point, keys);

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		good = good && is_number_or_null(get(point, numbers[i]));
	good = good && (uint64_t)json_object_get_int64(get(point, "x")) == made->x;
	good = good && (size_t)json_object_get_int64(get(point, "n")) == made->us.n;
	good = good && measured == (get(point, "median_us") != NULL);
	good = good &&
	       (!measured ||
		fabs(json_object_get_double(get(point, "median_us")) / made->us.median - 1) < 1e-8);
	good = good && (*made->why != 0) == (get(point, "why") != NULL);
	good = good && json_object_array_length(samples) == made->count;
	for (size_t i = 0; good && i < made->count; i++) {
		struct json_object *sample = json_object_array_get_idx(samples, i);

		good = json_object_array_length(sample) == 3 &&
		       (uint32_t)json_object_get_int(json_object_array_get_idx(sample, 0)) ==
			       made->samples[i].trial &&
		       (uint32_t)json_object_get_int(json_object_array_get_idx(sample, 1)) ==
			       made->samples[i].round &&
		       is_number_or_null(json_object_array_get_idx(sample, 2));
	}
	ok(good, "%s: the point %llu", name, (unsigned long long)made->x);
}

static void test_json(enum made kind)
{
	static const char *const keys[] = {"schema", "workload", "machine", "command",
					   "series", "ratios",	 NULL};
	static const char *const series_keys[] = {"name", "points", NULL};
	static const char *const ratio_keys[] = {"a", "b", "x", "median", "low", "high", NULL};
	char *text = text_of(bench_view_json, kind);
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *all, *series, *ratios;

	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	all = json_tokener_parse_ex(tokener, text, (int)strlen(text));
	ok(all && !has(text, "nan") && !has(text, "inf"), "%s: the JSON parses strictly",
	   made_names[kind]);
	json_tokener_free(tokener);
	free(text);
	if (!all)
		return;
	ok(begins_with(all, keys), "%s: the keys", made_names[kind]);
	is_int(json_object_get_int(get(all, "schema")), 1, "schema 1");
	series = get(all, "series");
	is_int(json_object_array_length(series), made_result.series_count, "every series");
	for (size_t i = 0; i < json_object_array_length(series); i++) {
		struct json_object *one = json_object_array_get_idx(series, i);
		struct json_object *points = get(one, "points");

		is_str(json_object_get_string(get(one, "name")), made_result.series[i].name,
		       "series %zu", i);
		ok(begins_with(one, series_keys), "series %zu: its keys", i);
		is_int(json_object_array_length(points), made_request.point_count,
		       "series %zu: every point", i);
		for (size_t k = 0; k < json_object_array_length(points); k++)
			test_json_point(json_object_array_get_idx(points, k),
					&made_result.series[i].points[k], made_names[kind]);
	}
	ratios = get(all, "ratios");
	is_int(json_object_array_length(ratios), made_result.ratio_count, "every ratio");
	for (size_t i = 0; i < json_object_array_length(ratios); i++)
		ok(begins_with(json_object_array_get_idx(ratios, i), ratio_keys), "ratio %zu", i);
	json_object_put(all);
}

static bool has_interval(struct json_object *of, const char *low, const char *high, bool known)
{
	struct json_object *ends[2];

	return json_object_object_get_ex(of, low, &ends[0]) &&
	       json_object_object_get_ex(of, high, &ends[1]) && (ends[0] != NULL) == known &&
	       (ends[1] != NULL) == known;
}

/* As stats.c tells that there is none: from 0 to infinity. */
static void test_no_interval(void)
{
	struct bench_result *made = make_result(MADE_PLAIN);
	struct json_object *all, *points, *ratios, *growth;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	made->series[0].points[0].us.low = made_ratios[0].low = made_growths[0].low = 0;
	made->series[0].points[0].us.high = made_ratios[0].high = made_growths[0].high = INFINITY;
	bench_view_json(made, out);
	fclose(out);
	all = json_tokener_parse(text);
	points = get(json_object_array_get_idx(get(all, "series"), 0), "points");
	ratios = get(all, "ratios");
	growth = get(all, "growth");
	for (size_t i = 0; i < 2; i++) {
		const char *word = i ? "an interval is told" : "of none both ends are null";

		ok(has_interval(json_object_array_get_idx(points, i), "low_us", "high_us", i),
		   "a point: %s", word);
		ok(has_interval(json_object_array_get_idx(ratios, i), "low", "high", i),
		   "a ratio: %s", word);
		ok(has_interval(json_object_array_get_idx(growth, i), "low", "high", i),
		   "a growth: %s", word);
	}
	json_object_put(all);
	free(text);
}

/* ---- CSV ---- */

static void test_csv(void)
{
	char *text = text_of(bench_view_csv, MADE_EVIL);
	size_t rows = 0, samples = 0;

	/* A line end within quotes is none of a row. */
	for (const char *at = text, *quoted = NULL; *at; at++) {
		if (*at == '"')
			quoted = quoted ? NULL : at;
		rows += *at == '\n' && !quoted;
	}
	for (size_t i = 0; i < made_result.series_count; i++)
		for (size_t k = 0; k < made_request.point_count; k++)
			samples += made_result.series[i].points[k].count;
	is_int(rows, samples + 1, "a row a sample, and the head");
	ok(!strncmp(text, "series,x,trial,round,us,faults\n", 31), "the head");
	ok(has(text, "\nfork+exit,2097152,0,0,"), "a plain name");
	ok(has(text, "\n\"a,\"\"b\"\"\nc, of a peer with a name that is long\",2097152,0,0,"),
	   "a name with comma, quote and line end");
	ok(has(text, "\npthread,16777216,0,0,,0\n"), "a time that is none");
	ok(!has(text, "nan"), "no NaN");
	free(text);
}

/* ---- XML: the SVG, and of the page what is said about escapes ---- */

/*
 * Elements open and close in order, attributes are quoted, and no '<' or '&' stands for itself.
 * Enough of XML for what svg.c writes; the test in the browser asks a whole parser.
 */
static bool is_well_formed(const char *at)
{
	const char *open[32];
	size_t depth = 0;

	at = strstr(at, "?>") + 2;
	for (; *at; at++) {
		if (*at == '&' && strncmp(at, "&lt;", 4) && strncmp(at, "&gt;", 4) &&
		    strncmp(at, "&amp;", 5) && strncmp(at, "&quot;", 6) && strncmp(at, "&#39;", 5))
			return false;
		if ((unsigned char)*at < ' ' && *at != '\n')
			return false;
		if (*at != '<')
			continue;
		if (at[1] == '/') {
			size_t n = strcspn(at + 2, ">");

			if (!depth || strncmp(open[--depth], at + 2, n) ||
			    !strchr(" >", open[depth][n]))
				return false;
			at += 2 + n;
			continue;
		}
		open[depth++] = ++at;
		for (bool quoted = false; *at != '>' || quoted; at++) {
			if (!*at || *at == '<' || depth > 30)
				return false;
			quoted ^= *at == '"';
		}
		depth -= at[-1] == '/';
	}
	return depth == 0;
}

/* The plot ends at this height, which no band of a made-up result reaches. */
#define SVG_BOTTOM " 500.4"

static bool bands_end_above(const char *text)
{
	while ((text = strstr(text, "class=\"band\""))) {
		const char *end = strstr(text, "/>"), *low = strstr(text, SVG_BOTTOM);

		if (low && low < end)
			return false;
		text = end;
	}
	return true;
}

static void test_svg(enum made kind)
{
	char *text = text_of(bench_view_svg, kind);

	ok(is_well_formed(text), "%s: the SVG is well-formed", made_names[kind]);
	ok(!has(text, "nan") && !has(text, "inf"), "%s: every place in it is a number",
	   made_names[kind]);
	ok(has(text, "viewBox=\"0 0 980 "), "%s: it has a size", made_names[kind]);
	if (kind == MADE_EVIL) {
		ok(has(text, "&lt;script&gt;"), "a name in it is escaped");
		ok(has(text, SVG_BOTTOM) && bands_end_above(text),
		   "a point without p10 and p90 has no band to the bottom");
	}
	if (kind == MADE_NOTHING)
		ok(has(text, "Nothing was measured."), "nothing to draw is said");
	free(text);
}

static size_t count_of(const char *text, const char *what)
{
	size_t n = 0;

	for (; (text = strstr(text, what)); text += strlen(what))
		n++;
	return n;
}

static void test_html(enum made kind)
{
	char *text = text_of(bench_view_html, kind);
	const char *names[] = {"src=", "url(",	"@import", "<link rel=\"stylesheet",
			       "{{",   "nan\"", "inf\""};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		ok(!has(text, names[i]), "%s: the page has no %s", made_names[kind], names[i]);
	/* The one address in it is the name of SVG, which is nowhere to be fetched. */
	is_int(count_of(text, "http://") + count_of(text, "https://"),
	       count_of(text, "http://www.w3.org/2000/svg"), "%s: no address of anything",
	       made_names[kind]);
	is_int(count_of(text, "<script"), 2, "%s: its own scripts, and no other", made_names[kind]);
	is_int(count_of(text, "</script"), 2, "%s: which end where they should", made_names[kind]);
	ok(has(text, "name=\"viewport\"") && has(text, "prefers-color-scheme: dark"),
	   "%s: for phones and the dark", made_names[kind]);
	if (kind == MADE_PLAIN) {
		ok(has(text, "fork+exec takes 2416 × ramet-spawn at 8 GB (2368 to 2465)"),
		   "the answer");
		ok(has(text, "class=\"worthless\"") && has(text, "no difference is shown"),
		   "a worthless ratio is marked");
		ok(has(text, "clone3, waitid 2 times; child: execve"), "system calls");
		ok(has(text, "Linux 6.18.44 x86_64") && has(text, "AMD EPYC"), "the machine");
		ok(has(text, "ramet bench launch --budget 60s --count"), "the command");
	}
	if (kind == MADE_EVIL) {
		ok(has(text, "\\u003c/script>\\u003cscript>alert"), "the command within JSON");
		ok(has(text, "pidfd_open: &lt;b&gt;Function"), "a reason");
	}
	free(text);
}

/* ---- Text ---- */

/* The longest line, in characters. */
static size_t longest(const char *text)
{
	size_t most = 0, n = 0;

	for (; *text; text++) {
		n = *text == '\n' ? 0 : n + ((*text & 0xc0) != 0x80);
		most = n > most ? n : most;
	}
	return most;
}

static void test_text(enum made kind)
{
	char *text = text_of(view_text, kind), *plot;

	ok(longest(text) <= 80, "%s: no line of the text is longer than 80 (%zu)", made_names[kind],
	   longest(text));
	ok(!has(text, "nan") && !has(text, "inf"), "%s: no number that is none", made_names[kind]);
	ok(!has(text, "\033") && !has(text, "\xff"), "%s: nothing that a terminal obeys",
	   made_names[kind]);
	is_int(has(text, "Nothing was measured."), kind == MADE_NOTHING, "%s: nothing is said",
	       made_names[kind]);
	free(text);
	plot = text_of(view_plot, kind);
	ok(longest(plot) <= 80, "%s: nor of the plot (%zu)", made_names[kind], longest(plot));
	is_int(*plot != 0, kind == MADE_PLAIN || kind == MADE_EVIL || kind == MADE_COUNTS,
	       "%s: a plot where there are points to join", made_names[kind]);
	free(plot);
}

static void test_sentences(void)
{
	char *text = text_of(view_text, MADE_PLAIN);

	ok(!strncmp(text, "fork+exec takes 2416 x ramet-spawn at 8 GB (2368 to 2465)\n\n", 59),
	   "the answer comes first");
	ok(has(text, "\nfork+exec         "), "a row of the times");
	ok(has(text, "\n  fork+exec          590 (573 to 608)\n"), "how it grows");
	ok(has(text, "\n  vfork+exec takes 1.02 x ramet-spawn-pidfd at 8 GB (1.00 to 1.04): no\n"
		     "    difference is shown\n"),
	   "a ratio that says nothing");
	ok(has(text, "\nVmPTE "), "page tables");
	ok(has(text, "Page faults"), "page faults");
	ok(has(text, "clone3, waitid 2\n"), "system calls");
	ok(has(text, "not known: it makes none"), "calls that are not known");
	ok(has(text, "  command  ramet bench launch --budget 60s"), "the command");
	free(text);

	text = text_of(view_text, MADE_EVIL);
	ok(has(text, "- Interrupted:"), "an interrupt is told");
	ok(has(text, "- fork+exit, fork+exec: left out at 8 GB: Cannot allocate memory\n"),
	   "two that failed alike");
	ok(has(text, "- ramet-spawn-pidfd: left out: pidfd_open: <b>Function"), "one that failed");
	ok(has(text, "- pthread: not measured to the end at 4 GB: "), "one that ended early");
	ok(has(text, "\\x1b[31m"), "an escape sequence in the command");
	free(text);

	text = text_of(view_text, MADE_NOTHING);
	ok(has(text, "- Nothing could be measured: too much memory\n"), "why there is nothing");
	free(text);
}

/* In a locale that has it, the plot is of braille; in C of nothing but ASCII. */
static void test_plot(void)
{
	char *text = text_of(view_plot, MADE_PLAIN);
	bool ascii = true;

	for (const char *at = text; *at; at++)
		ascii = ascii && !(*at & 0x80);
	ok(ascii && has(text, "100 us +"), "the plot in ASCII");
	ok(has(text, "touched heap") && has(text, " 8 GB\n"), "its axis");
	ok(has(text, "G ramet-spawn\n"), "its names");
	free(text);
	if (!setlocale(LC_CTYPE, "C.UTF-8")) {
		skip(2, "needs the locale C.UTF-8");
		return;
	}
	text = text_of(view_plot, MADE_PLAIN);
	ok(has(text, "100 µs ┤") && has(text, "⠤"), "the plot in braille");
	ok(longest(text) <= 80, "is not wider");
	free(text);
	for (size_t kind = 0; kind < KINDS; kind++)
		test_text((enum made)kind);
	setlocale(LC_CTYPE, "C");
}

/* A write that fails half-way is told by its own number, even if there is room again thereafter. */
static ssize_t fail_once(void *cookie, const char *data, size_t size)
{
	bool *failed = cookie;

	(void)data;
	if (*failed)
		return (ssize_t)size;
	*failed = true;
	errno = EDQUOT;
	return 0;
}

static void test_failed_write(enum made kind)
{
	static const struct {
		const char *name;
		int (*view)(const struct bench_result *result, FILE *out);
	} rows[] = {
		{"CSV", bench_view_csv},
		{"HTML", bench_view_html},
		{"JSON", bench_view_json},
		{"SVG", bench_view_svg},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char buffer[16]; /* a write soon, and many more */
		bool failed = false;
		FILE *out = fopencookie(&failed, "w", (cookie_io_functions_t){.write = fail_once});

		setvbuf(out, buffer, _IOFBF, sizeof(buffer));
		is_int(rows[i].view(make_result(kind), out), -EDQUOT, "%s: %s on a full disk",
		       made_names[kind], rows[i].name);
		fclose(out);
	}
}

int main(void)
{
	test_words();
	test_characters();
	test_parting();
	for (size_t kind = 0; kind < KINDS; kind++) {
		test_json((enum made)kind);
		test_svg((enum made)kind);
		test_html((enum made)kind);
		test_failed_write((enum made)kind);
		test_text((enum made)kind);
	}
	test_no_interval();
	test_csv();
	test_sentences();
	test_plot();
	return tap_done();
}
