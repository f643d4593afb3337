/* SPDX-License-Identifier: MIT */
/* Every sample, a row each, for other programs; quoted as RFC 4180 has it. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "bench/view.h"

static void put_field(FILE *out, const char *text)
{
	if (!strpbrk(text, ",\"\r\n")) {
		fputs(text, out);
		return;
	}
	putc('"', out);
	for (; *text; text++) {
		if (*text == '"')
			putc('"', out);
		putc(*text, out);
	}
	putc('"', out);
}

/* What is not known is an empty field. */
static void put_number(FILE *out, double value)
{
	putc(',', out);
	if (isfinite(value) && value >= 0)
		fprintf(out, "%.7g", value);
}

int bench_view_csv(const struct bench_result *result, FILE *out)
{
	fputs("series,x,trial,round,us,faults\n", out);
	for (size_t i = 0; i < result->series_count; i++)
		for (size_t k = 0; k < result->request->point_count; k++) {
			const struct bench_point *point = &result->series[i].points[k];

			for (size_t n = 0; n < point->count; n++) {
				const struct bench_sample *sample = &point->samples[n];

				put_field(out, result->series[i].name);
				fprintf(out, ",%" PRIu64 ",%" PRIu32 ",%" PRIu32, point->x,
					sample->trial, sample->round);
				put_number(out, (double)sample->us);
				put_number(out, (double)sample->faults);
				putc('\n', out);
			}
		}
	return view_end(out);
}
