/* SPDX-License-Identifier: MIT */
/*
 * plan_make: for any spec there is either a rule that refuses it, or a plan that holds together:
 * steps in the order of their ranks, a way that its flags can do, what was chosen given, and no
 * caller left waiting for a child that waits for it.
 */
#include <errno.h>

#include "child/child.h"
#include "fuzz/fuzz.h"
#include "launch/plan.h"

#define STEPS_MAX 24

const char *const fuzz_words[] = {"\1",	 "\2",	 "\4",	     "\10",	 "\20",
				  "\40", "\100", "\1\1\1\1", "\3\3\3\3", "\377\377\377\377",
				  NULL};

/* Bytes, taken one after the other; zeros when there are no more. */
struct source {
	const uint8_t *data;
	size_t size;
};

static unsigned take(struct source *s)
{
	if (!s->size)
		return 0;
	s->size--;
	return *s->data++;
}

static uint64_t take_many(struct source *s, int bytes)
{
	uint64_t n = 0;

	while (bytes--)
		n = n << 8 | take(s);
	return n;
}

/* What a kind points at, by what step_limits() says of it; else any 16 bytes of its union. */
static void take_operands(struct source *s, struct ramet_step *step)
{
	static const gid_t groups[] = {1, 2, 3};
	static const char *const texts[] = {NULL, "", "/", "0 0 1"};
	const struct step_limits *limits = step_limits(step->kind);

	if (limits->text)
		step->path = texts[take(s) % 4];
	if (limits->target)
		step->target = texts[take(s) % 4];
	if (limits->data) {
		step->data = texts[take(s) % 4];
		step->bytes = take(s) % 9;
	}
	if (limits->text || limits->target || limits->data)
		return;
	switch (step->kind) {
	case RAMET_STEP_ID_MAP:
		step->uid_map = texts[take(s) % 4];
		step->gid_map = texts[take(s) % 4];
		break;
	case RAMET_STEP_GROUPS:
		step->groups = groups;
		step->count = take(s) % 4;
		break;
	case RAMET_STEP_DUP:
		step->to = (int32_t)(int8_t)take(s);
		break;
	case RAMET_STEP_JOIN:
		step->mask = 1ULL << take(s) % 64;
		break;
	default:
		step->soft = take_many(s, 8);
		step->hard = take_many(s, 8);
		break;
	}
}

static struct ramet_step take_step(struct source *s)
{
	struct ramet_step step = {.kind = take(s) % (RAMET_STEP_COUNT_ + 1)};

	step.number = (int32_t)(int8_t)take(s);
	if (step_kind(step.kind))
		take_operands(s, &step);
	return step;
}

static int body(void *arg)
{
	(void)arg;
	return 0;
}

/* Three masks: mostly disjoint, so that more than the first rule is met. */
static void take_choices(struct source *s, struct ramet_spec *spec)
{
	for (unsigned n = take(s) % 5; n; n--) {
		const uint32_t bit = 1u << take(s) % (RAMET_RESOURCE_COUNT + 1);
		uint32_t *const masks[] = {&spec->share, &spec->copy, &spec->fresh};

		*masks[take(s) % 3] |= bit;
	}
}

static struct ramet_spec take_spec(struct source *s, struct ramet_step *steps)
{
	static pid_t tid;
	static char stack[8192];
	struct ramet_spec spec = RAMET_SPEC(.steps = steps);
	const unsigned odd = take(s);

	spec.preset = (enum ramet_preset)(take(s) % (RAMET_PRESET_COUNT_ + 1));
	take_choices(s, &spec);
	if (odd & 1)
		spec.flags = 1ULL << take(s) % 64 | 1ULL << take(s) % 64;
	spec.exit_signal = odd & 2 ? (int)take(s) - 2 : 0;
	if (take(s) & 1)
		spec.program = take(s) & 1 ? "true" : "/bin/true";
	if (take(s) & 1)
		spec.fn = body;
	spec.way = (enum ramet_way)(odd & 4 ? take(s) % 6 : 0);
	spec.options = take(s) & 63;
	spec.program_fd = (int)(int8_t)take(s);
	spec.timeout_ms = odd & 8 ? take(s) : 0;
	spec.stack_size = odd & 16 ? take(s) * 64 : 0;
	spec.stack = odd & 32 ? stack : NULL;
	spec.parent_tid = odd & 64 ? &tid : NULL;
	spec.child_tid = odd & 128 ? &tid : NULL;
	if (take(s) > 250) {
		spec.set_tid = &tid;
		spec.set_tid_size = take(s) % 3;
	}
	for (unsigned n = take(s) % STEPS_MAX; n; n--)
		*steps++ = take_step(s);
	return spec;
}

/* What has to be undone, put in force or kept is, and after what it is about. */
static void check_pairs(const unsigned *last_of)
{
	static const struct {
		uint32_t first, then;
	} pairs[] = {
		{RAMET_STEP_ROOT, RAMET_STEP_PIVOT},
		{RAMET_STEP_LANDLOCK, RAMET_STEP_RESTRICT},
	};

	for (unsigned i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		MUST(!last_of[pairs[i].first] == !last_of[pairs[i].then] &&
		     last_of[pairs[i].first] <= last_of[pairs[i].then]);
	if (last_of[RAMET_STEP_UID] && (last_of[RAMET_STEP_CAPS] || last_of[RAMET_STEP_AMBIENT]))
		MUST(last_of[RAMET_STEP_KEEP_CAPS] &&
		     last_of[RAMET_STEP_KEEP_CAPS] < last_of[RAMET_STEP_UID]);
	/* Once in force the filter judges ramet's own calls: nothing but exec comes after it. */
	if (last_of[RAMET_STEP_SECCOMP])
		for (uint32_t kind = 0; kind < RAMET_STEP_COUNT_; kind++)
			MUST(last_of[kind] <= last_of[RAMET_STEP_SECCOMP] ||
			     kind == RAMET_STEP_EXEC || kind == RAMET_STEP_CALL);
}

static void check_steps(const struct plan *plan)
{
	const uint32_t last = plan->body == PLAN_PROGRAM ? RAMET_STEP_EXEC : RAMET_STEP_CALL;
	unsigned rank = 0, masks = 0, go = 0, helped = 0, inits = 0,
		 last_of[RAMET_STEP_COUNT_] = {0};
	char text[512];

	for (unsigned i = 0; i < plan->count; i++) {
		const struct step_kind *kind = step_kind(plan->steps[i].kind);

		MUST(kind && kind->side != STEP_SIDE_PLAN && kind->rank >= rank);
		MUST(step_describe(&plan->steps[i], text, sizeof(text)) > 0);
		rank = kind->rank;
		masks += plan->steps[i].kind == RAMET_STEP_SIGMASK;
		go += plan->steps[i].kind == RAMET_STEP_WAIT_GO;
		inits += plan->steps[i].kind == RAMET_STEP_INIT;
		helped += kind->side == STEP_SIDE_CALLER;
		last_of[plan->steps[i].kind] = i + 1;
		MUST(i + 1 == plan->count || plan->steps[i].kind != last);
	}
	/* Either all signals wait until the child may have them, or none can do harm. */
	MUST(masks == !plan->unmasked);
	MUST(!plan->unmasked ||
	     (plan->count == 1 && plan->body == PLAN_PROGRAM && !plan->shielded &&
	      (plan->way == RAMET_WAY_HELD || plan->way == RAMET_WAY_FUTEX) &&
	      plan->args.flags & CLONE_CLEAR_SIGHAND && !(plan->droppable & CLONE_CLEAR_SIGHAND)));
	MUST(plan->body == PLAN_TWICE || plan->steps[plan->count - 1].kind == last);
	check_pairs(last_of);
	/* Nobody else may run in what an init leaves behind, and an init has one place. */
	MUST(inits <= 1 &&
	     (!inits || plan->way == RAMET_WAY_HELPER || plan->way == RAMET_WAY_COPY));
	/*
	 * Who is helped waits for it, and whoever helps is not held (by the helper: not any more;
	 * with a shield that one is).
	 */
	MUST(go == !!helped);
	MUST(!helped || plan->way == RAMET_WAY_HELPER || plan->shielded ||
	     (plan->way != RAMET_WAY_HELD && !(plan->args.flags & CLONE_VFORK)));
	MUST(!helped || plan->handshake);
	MUST(plan->sigmask < (int)plan->count);
	MUST(plan->sigmask < 0 || plan->steps[plan->sigmask].kind == RAMET_STEP_SIGMASK);
}

static void check_way(const struct plan *plan, const struct ramet_spec *spec,
		      const struct plan_host *host)
{
	const uint64_t flags = plan->args.flags;

	/* What shares the caller's table parts from it first, and only if the caller waits. */
	if (steps_have(plan->steps, RAMET_STEP_OWN_TABLE))
		MUST(host->parting && plan->steps[0].kind == RAMET_STEP_OWN_TABLE &&
		     flags & CLONE_FILES && !plan->asynchronous && plan->body == PLAN_PROGRAM);
	MUST(!plan->asynchronous || plan->body == PLAN_PROGRAM);
	MUST(!plan->strict || !plan->lost);
	switch (plan->way) {
	case RAMET_WAY_HELD:
		MUST(!plan->asynchronous);
		MUST(flags & CLONE_VM && flags & CLONE_VFORK);
		break;
	case RAMET_WAY_FUTEX:
		MUST(flags & CLONE_VM && !(flags & CLONE_VFORK) == !plan->shielded);
		MUST(!plan->shielded || (host->shielding && flags & CLONE_PARENT));
		/* Beside a caller that runs on: a program, or a function that promised. */
		MUST(plan->body == PLAN_PROGRAM || spec->options & RAMET_NO_LIBC);
		MUST(plan->body == PLAN_PROGRAM || plan->keep_stack);
		break;
	case RAMET_WAY_COPY:
		MUST(!(flags & CLONE_VM));
		break;
	case RAMET_WAY_HELPER:
		MUST(flags & CLONE_VM && flags & CLONE_VFORK);
		MUST(plan->body == PLAN_PROGRAM && host->helper && !plan->execs);
		break;
	case RAMET_WAY_ANY:
	default:
		MUST(!"a way");
	}
	MUST(!spec->way || plan->way == spec->way ||
	     plan->lost & (RAMET_LOST_SHARE | RAMET_LOST_HELPER));
	MUST(!(plan->lost & RAMET_LOST_HELPER) || (!host->helper && plan->way == RAMET_WAY_COPY));
	/* Who joins or stays behind has nobody's memory but its own. */
	if (steps_have(plan->steps, RAMET_STEP_JOIN) || steps_have(plan->steps, RAMET_STEP_INIT))
		MUST(plan->way == RAMET_WAY_HELPER || plan->way == RAMET_WAY_COPY);
	/* What is of the memory is set for the caller too but for a program in a child of vfork. */
	if (steps_have(plan->steps, RAMET_STEP_OOM_SCORE_ADJ))
		MUST((plan->way != RAMET_WAY_FUTEX || plan->shielded) &&
		     (plan->way != RAMET_WAY_HELD || plan->body == PLAN_PROGRAM));
	if (steps_have(plan->steps, RAMET_STEP_TIME_OFFSET))
		MUST(!(flags & CLONE_NEWTIME));
	MUST(host->memory_shares || plan->body != PLAN_PROGRAM || plan->way == RAMET_WAY_COPY);
	MUST(plan->body != PLAN_TWICE || plan->way == RAMET_WAY_COPY);
	MUST(!plan->libc_fork || (plan->way == RAMET_WAY_COPY && plan->body != PLAN_PROGRAM));
	/* Shared memory and another identity: only a program, guarded. */
	if (flags & CLONE_VM && plan->way != RAMET_WAY_HELPER &&
	    (steps_have(plan->steps, RAMET_STEP_UID) || steps_have(plan->steps, RAMET_STEP_GID)))
		MUST(plan->body == PLAN_PROGRAM && plan->way == RAMET_WAY_FUTEX &&
		     steps_have(plan->steps, RAMET_STEP_GUARD_MEMORY));
	/* No handler of the caller's may run in a child that execs. */
	if (plan->body == PLAN_PROGRAM)
		MUST(flags & (CLONE_CLEAR_SIGHAND | CLONE_SIGHAND));
}

/* What was chosen, by the model's eyes. */
static void check_choices(const struct plan *plan, const struct ramet_spec *spec)
{
	struct ramet_call call = plan_call(plan);

	/* With the C library's fork the child does by steps what else a clone would. */
	call.flags |= plan->unshares | (plan->enters_cgroup ? CLONE_INTO_CGROUP : 0) |
		      (plan->begins_pids ? CLONE_NEWPID : 0) |
		      (plan->clear_handlers ? CLONE_CLEAR_SIGHAND : 0);
	call.pidfd = 1;
	MUST(ramet_check(&call, NULL) == NULL);
	/* Shared at birth, and parted from by the first step. */
	if (steps_have(plan->steps, RAMET_STEP_OWN_TABLE))
		call.flags &= ~CLONE_FILES;
	for (unsigned i = 0; i < RAMET_RESOURCE_COUNT; i++) {
		const enum ramet_resource bit = (enum ramet_resource)(1u << i);
		const enum ramet_mode mode = ramet_model_mode(&call, 0, bit);

		/* exec parts memory and handlers anyway; flags may add to the choices. */
		if (plan->body == PLAN_PROGRAM && bit & (RAMET_MEMORY | RAMET_SIGHAND))
			continue;
		if (spec->flags || bit & (RAMET_TLS | RAMET_PARENT | RAMET_TIME))
			continue;
		MUST(!(spec->share & bit) || mode == RAMET_MODE_SHARE);
		MUST(!(spec->copy & bit) || mode == RAMET_MODE_COPY);
		MUST(!(spec->fresh & bit) || mode == RAMET_MODE_NEW);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct source s = {data, size};
	struct ramet_step steps[STEPS_MAX + 1] = {0};
	/* First, since what is taken behind the end is 0. */
	const unsigned odd = take(&s), more = take(&s);
	const struct ramet_spec spec = take_spec(&s, steps);
	const struct plan_host host = {
		.privileged = odd & 1,
		.single_threaded = odd & 2,
		.helper = odd & 64,
		.shielding = more & 1,
		.parting = more & 2,
		.clearing = more & 128,
		.uncharged = more & 64,
		.fetching = more & 4,
		.fetch_failed = more & 8,
		.asynchronous = !(odd & 32) && more & 16,
		.witness = more & 32 ? 99 : -1,
		.memory_shares = (odd & 12) != 0,
		.path = odd & 16 ? ":/bin::/usr/bin:" : NULL,
		.thread_pointer = 4096,
	};
	struct plan_refusal why;
	struct plan plan;
	const int r = plan_make(&spec, odd & 32, &host, &plan, &why);

	if (r < 0) {
		MUST(r == -EINVAL || (why.id && r < 0));
		MUST(why.id && why.why && why.mend && strlen(why.why) > 8);
		return 0;
	}
	check_steps(&plan);
	check_way(&plan, &spec, &host);
	check_choices(&plan, &spec);
	plan_free(&plan);
	return 0;
}
