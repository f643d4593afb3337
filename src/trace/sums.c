/* SPDX-License-Identifier: MIT */
/* What a trace came to, in a line. */
#include <inttypes.h>

#include "trace/record.h"

static void put_copy(const struct trace_sum *sum, FILE *out)
{
	char size[TRACE_AMOUNT], took[TRACE_AMOUNT];

	trace_size(sum->worst_rss, size);
	trace_time(sum->worst_ns, took);
	fprintf(out, " (%s parent: %s)", size, took);
}

void trace_put_sums(const struct record *r, FILE *out)
{
	/* The program was never there. */
	if (!r->events)
		return;
	fprintf(out, "%" PRIu64 " task%s", r->made, r->made == 1 ? "" : "s");
	for (size_t i = 0; i < r->sum_count; i++) {
		const struct trace_sum *sum = &r->sums[i];

		fprintf(out, "%s%" PRIu64 " %s", i ? ", " : ": ", sum->count, sum->kind);
		if (sum->copies && sum->worst_ns >= 1000000)
			put_copy(sum, out);
	}
	fprintf(out, ". %" PRIu64 " refused.\n", r->refused);
	if (r->lost)
		fprintf(out, "%" PRIu64 " not seen.\n", r->lost);
	if (r->strays)
		fprintf(out, "%" PRIu64 " events that the model did not follow.\n", r->strays);
	if (r->verify)
		fprintf(out, "Model and kernel compared %" PRIu64 " times, %" PRIu64 " differ.\n",
			r->checked, r->mismatches);
}
