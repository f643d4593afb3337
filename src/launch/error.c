/* SPDX-License-Identifier: MIT */
#include "launch/error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "caller/caller.h"
#include "child/child.h"

static int fill(struct ramet_error *error, int r, enum ramet_stage stage)
{
	if (error)
		*error = (struct ramet_error){.error = -r, .stage = stage};
	return r;
}

int error_check(struct ramet_error *error, int r, const struct plan_refusal *refusal)
{
	fill(error, r, refusal->id ? RAMET_STAGE_CHECK : RAMET_STAGE_PREPARE);
	if (error) {
		error->rule = refusal->id;
		error->why = refusal->why;
		error->mend = refusal->mend;
		error->kind = refusal->kind;
		snprintf(error->detail, sizeof(error->detail), "%s",
			 step_kind(refusal->kind) ? step_kind(refusal->kind)->name : "");
	}
	return r;
}

int error_prepare(struct ramet_error *error, int r, const char *what)
{
	fill(error, r, RAMET_STAGE_PREPARE);
	if (error)
		snprintf(error->detail, sizeof(error->detail), "%s", what);
	return r;
}

int error_clone(struct ramet_error *error, int r, const struct plan *plan,
		const struct raw_used *used)
{
	const struct ramet_call call = plan_call(plan);
	const struct ramet_rule *rule = NULL;
	struct ramet_caller caller = {0};
	int n;

	fill(error, r, RAMET_STAGE_CLONE);
	if (!error)
		return r;
	if (caller_read(&call, &caller) >= 0)
		rule = ramet_check_errno(&call, &caller, -r);
	if (rule) {
		error->rule = rule->id;
		error->why = rule->why;
		error->mend = rule->mend;
	}
	n = snprintf(error->detail, sizeof(error->detail), "%s(",
		     used->clone3 ? "clone3" : "clone");
	ramet_flags_format(used->flags, error->detail + n, sizeof(error->detail) - (size_t)n - 1);
	strcat(error->detail, ")");
	return r;
}

static const struct {
	uint32_t kind;
	int error;
	const char *why, *mend;
} mends[] = {
#define MEND(kind_, error_, why_, mend_)                                                           \
	{.kind = RAMET_STEP_##kind_, .error = (error_), .why = (why_), .mend = (mend_)},
#include "launch/mends.def"
};

static void explain_step(struct ramet_error *error)
{
	for (size_t i = 0; i < sizeof(mends) / sizeof(mends[0]); i++) {
		if (mends[i].kind != error->kind || mends[i].error != error->error)
			continue;
		error->why = mends[i].why;
		error->mend = mends[i].mend;
		return;
	}
}

int error_step(struct ramet_error *error, int r, const struct plan *plan, unsigned index)
{
	fill(error, r, RAMET_STAGE_STEP);
	if (!error)
		return r;
	error->step = index + 1;
	error->step_count = plan->count;
	error->kind = plan->steps[index].kind;
	step_describe(&plan->steps[index], error->detail, sizeof(error->detail));
	explain_step(error);
	return r;
}

int error_died(struct ramet_error *error, int r, int sig)
{
	fill(error, r, RAMET_STAGE_DIED);
	if (error && sig > 0)
		snprintf(error->detail, sizeof(error->detail), "killed by %s",
			 ramet_signal_name(sig) ? ramet_signal_name(sig) : "a signal");
	return r;
}

/* Length of a sentence without its full stop. */
static int bare(const char *sentence)
{
	const int n = (int)strlen(sentence);

	return n && sentence[n - 1] == '.' ? n - 1 : n;
}

int ramet_error_format(const struct ramet_error *e, char *buf, size_t size)
{
	const char *errno_text = strerror(e->error);

	switch (e->stage) {
	case RAMET_STAGE_CHECK:
		return snprintf(buf, size, "refused before launch: %s%s%.*s (%s, rule %s)",
				e->detail, *e->detail ? ": " : "", bare(e->why), e->why,
				errno_name(e->error), e->rule);
	case RAMET_STAGE_STEP:
		return snprintf(buf, size, "step %u of %u, %s: %s", e->step, e->step_count,
				e->detail, errno_text);
	case RAMET_STAGE_CLONE:
		if (e->rule)
			return snprintf(buf, size, "%s: %s: %.*s (rule %s)", e->detail, errno_text,
					bare(e->why), e->why, e->rule);
		return snprintf(buf, size, "%s: %s", e->detail, errno_text);
	case RAMET_STAGE_DIED:
		return snprintf(buf, size, "the child ended before its body began%s%s: %s",
				*e->detail ? ", " : "", e->detail, errno_text);
	case RAMET_STAGE_PREPARE:
	default:
		return snprintf(buf, size, "%s%s%s", e->detail, *e->detail ? ": " : "", errno_text);
	}
}
