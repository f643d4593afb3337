/* SPDX-License-Identifier: MIT */
/*
 * A spec planned once. A launch copies the plan's steps and puts in what is changed. Other sources
 * of descriptors may ask for another order of the moves, or reach further up the table than the
 * plan takes it: then, and where something has turned out not to be had, the template's own copy of
 * the spec is planned again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "launch/error.h"
#include "launch/outcome.h"
#include "launch/way.h"

struct ramet_template {
	struct ramet_spec spec; /* its steps are `steps` */
	struct plan steps;	/* a copy of the spec's steps, nothing else of a plan */
	struct plan plan;	/* owns what its steps point at */
	unsigned avoid;		/* it was made without */
	bool simple;		/* sources can be changed in place: see can_patch() */
	char *program;
	char *path; /* the PATH that it was made with */
};

static int refuse(struct ramet_error *error, enum launch_rule rule)
{
	struct plan_refusal refusal;
	const int r = plan_refuse(rule, &refusal);

	return error_check(error, r, &refusal);
}

static unsigned count_steps(const struct ramet_step *steps)
{
	unsigned n = 0;

	while (steps && steps[n].kind)
		n++;
	return n;
}

static const struct ramet_step *dup_to(const struct ramet_step *steps, int to)
{
	for (; steps && steps->kind; steps++)
		if (steps->kind == RAMET_STEP_DUP && steps->to == to)
			return steps;
	return NULL;
}

static struct ramet_step *exec_of(const struct plan *plan)
{
	for (unsigned i = plan->count; i-- > 0;)
		if (plan->steps[i].kind == RAMET_STEP_EXEC)
			return &plan->steps[i];
	return NULL;
}

/* ---- Making ---------------------------------------------------------------------------------- */

/* The spec's steps with their end, in memory of the template's own. */
static int own_steps(struct ramet_template *t)
{
	const unsigned count = count_steps(t->spec.steps);

	t->steps.count = count + 1;
	t->steps.steps = calloc(count + 1, sizeof(*t->steps.steps));
	if (!t->steps.steps)
		return -ENOMEM;
	t->steps.memory_ = t->steps.steps;
	if (count)
		memcpy(t->steps.steps, t->spec.steps, count * sizeof(*t->steps.steps));
	if (plan_own(&t->steps) < 0)
		return -ENOMEM;
	t->spec.steps = t->steps.steps;
	return 0;
}

/*
 * Any source may stand for another as long as no move's target is another's source: then no order
 * among them matters.
 */
static bool is_simple(const struct ramet_step *steps)
{
	for (const struct ramet_step *s = steps; s && s->kind; s++)
		if (s->kind == RAMET_STEP_DUP && dup_to(steps, s->number) &&
		    dup_to(steps, s->number) != s)
			return false;
	return true;
}

static int fill(struct ramet_template *t, const struct ramet_spec *spec, struct ramet_error *error)
{
	const char *path = getenv("PATH");
	struct launch_wish wish = {.avoid = launch_avoids(), .witness = -1};
	int r;

	wish.path = t->path = strdup(path ? path : PLAN_PATH);
	if (!t->path)
		return error_prepare(error, -ENOMEM, "a template");
	t->avoid = wish.avoid;
	r = launch_plan(spec, &t->spec, &wish, &t->plan, error);
	if (r < 0)
		return r;
	if (t->plan.body != PLAN_PROGRAM)
		return refuse(error, LAUNCH_RULE_TEMPLATE_PROGRAM);
	t->program = strdup(t->spec.program);
	if (!t->program || plan_own(&t->plan) < 0 || own_steps(t) < 0)
		return error_prepare(error, -ENOMEM, "a template");
	t->spec.program = t->program;
	t->spec.argv = exec_of(&t->plan)->argv;
	t->spec.envp = exec_of(&t->plan)->envp;
	t->simple = is_simple(t->spec.steps);
	return 0;
}

int ramet_template_make(const struct ramet_spec *spec, struct ramet_template **ret,
			struct ramet_error *error)
{
	struct ramet_template *t = calloc(1, sizeof(*t));
	int r = t ? fill(t, spec, error) : error_prepare(error, -ENOMEM, "a template");

	if (r < 0) {
		ramet_template_free(t);
		return r;
	}
	*ret = t;
	return 0;
}

void ramet_template_free(struct ramet_template *t)
{
	if (!t)
		return;
	plan_free(&t->plan);
	plan_free(&t->steps);
	free(t->program);
	free(t->path);
	free(t);
}

/* ---- Launching ------------------------------------------------------------------------------- */

static const struct ramet_step *own_table(const struct plan *plan)
{
	for (unsigned i = 0; i < plan->count; i++)
		if (plan->steps[i].kind == RAMET_STEP_OWN_TABLE)
			return &plan->steps[i];
	return NULL;
}

/* Whether the plan stays right with these sources. */
static bool can_patch(const struct ramet_template *t, const struct ramet_step *dups)
{
	const struct ramet_step *table = own_table(&t->plan);

	for (const struct ramet_step *s = dups; s && s->kind; s++) {
		const struct ramet_step *other = dup_to(t->spec.steps, s->number);

		if (!t->simple || (other && other->to != s->to) ||
		    (table && (unsigned)s->number >= table->first))
			return false;
	}
	return true;
}

static int copy_plan(const struct ramet_template *t, const struct ramet_change *change,
		     struct plan *ret)
{
	struct ramet_step *exec;

	*ret = t->plan;
	ret->memory_ = malloc(t->plan.count * sizeof(*ret->steps));
	if (!ret->memory_)
		return -ENOMEM;
	ret->steps = memcpy(ret->memory_, t->plan.steps, t->plan.count * sizeof(*ret->steps));
	exec = exec_of(ret);
	if (change && change->argv)
		exec->argv = change->argv;
	if (change && change->envp)
		exec->envp = change->envp;
	for (unsigned i = 0; change && i < ret->count; i++) {
		struct ramet_step *step = &ret->steps[i];
		const struct ramet_step *dup =
			step->kind == RAMET_STEP_DUP ? dup_to(change->dups, step->to) : NULL;

		if (dup)
			step->number = dup->number;
	}
	return 0;
}

/* The spec as it is with the change, planned. */
static int plan_again(const struct ramet_template *t, const struct launch_wish *wish,
		      struct plan *ret, struct ramet_error *error)
{
	const struct launch_wish plain = {
		.how = wish->how, .avoid = wish->avoid, .path = t->path, .witness = -1};
	const struct ramet_change *change = wish->change;
	struct ramet_step *steps = malloc(t->steps.count * sizeof(*steps));
	struct ramet_spec spec = t->spec, loaded;
	int r;

	if (!steps)
		return error_prepare(error, -ENOMEM, "a template's plan");
	memcpy(steps, t->steps.steps, t->steps.count * sizeof(*steps));
	for (struct ramet_step *s = steps; change && s->kind; s++) {
		const struct ramet_step *dup =
			s->kind == RAMET_STEP_DUP ? dup_to(change->dups, s->to) : NULL;

		if (dup)
			s->number = dup->number;
	}
	spec.steps = steps;
	if (change && change->argv)
		spec.argv = change->argv;
	if (change && change->envp)
		spec.envp = change->envp;
	r = launch_plan(&spec, &loaded, &plain, ret, error);
	free(steps);
	return r;
}

static bool knows_targets(const struct ramet_template *t, const struct ramet_step *dups)
{
	for (; dups && dups->kind; dups++)
		if (dups->kind != RAMET_STEP_DUP || !dup_to(t->spec.steps, dups->to))
			return false;
	return true;
}

/* Whether something that the plan needs has turned out not to be had. */
static bool is_stale(const struct ramet_template *t, unsigned avoid)
{
	avoid &= ~t->avoid;
	return avoid & ~AVOID_CLEARING || (avoid && t->plan.unmasked);
}

int template_plan(const struct launch_wish *wish, struct ramet_spec *ret_loaded, struct plan *ret,
		  struct ramet_error *error)
{
	const struct ramet_template *t = wish->again;
	const struct ramet_step *dups = wish->change ? wish->change->dups : NULL;

	*ret_loaded = t->spec;
	if (!knows_targets(t, dups))
		return refuse(error, LAUNCH_RULE_TEMPLATE_TARGET);
	if (is_stale(t, wish->avoid) || !can_patch(t, dups))
		return plan_again(t, wish, ret, error);
	if (copy_plan(t, wish->change, ret) < 0)
		return error_prepare(error, -ENOMEM, "a template's plan");
	return 0;
}

int ramet_template_launch(const struct ramet_template *t, const struct ramet_change *change,
			  struct ramet_task *ret_task, struct ramet_error *error)
{
	const struct launch_wish wish = {.again = t, .change = change, .witness = -1};
	struct launch l;

	return launch_make(&l, &t->spec, wish, ret_task, error);
}
