/* SPDX-License-Identifier: MIT */
/*
 * Makes the plan: flags by the spec's words, then the way, then the steps in order. Each part
 * answers with a rule where it refuses; nothing here makes a system call.
 */
#include "launch/plan.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "child/child.h"
#include "launch/way.h"

#define STEP_STACK_SIZE (32 * 1024)
#define FUNCTION_STACK_SIZE (256 * 1024)
#define STACK_SIZE_MIN 4096
/* Whoever may stop the child can hold the caller no longer than this. */
#define IDENTITY_TIMEOUT_MS 30000

/* Bookkeeping of a C library's fork: not there to be asked for by name. */
#define TID_FLAGS (CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID)

static const struct plan_refusal launch_rules[] = {
#define RULE(constant, id_, why_, mend_)                                                           \
	[LAUNCH_RULE_##constant] = {.id = (id_), .why = (why_), .mend = (mend_)},
#include "launch/rules.def"
};

int plan_refuse(enum launch_rule rule, struct plan_refusal *ret)
{
	*ret = launch_rules[rule];
	return -EINVAL;
}

static int refuse_step(enum launch_rule rule, uint32_t kind, struct plan_refusal *ret)
{
	*ret = launch_rules[rule];
	ret->kind = kind;
	return -EINVAL;
}

struct ramet_call plan_call(const struct plan *plan)
{
	const struct clone_args *a = &plan->args;

	return (struct ramet_call){
		.entry = RAMET_ENTRY_CLONE3,
		.flags = a->flags,
		.exit_signal = a->exit_signal,
		.pidfd = a->pidfd,
		.child_tid = a->child_tid,
		.parent_tid = a->parent_tid,
		.stack = a->stack,
		.stack_size = a->stack_size,
		.tls = a->tls,
		.set_tid = a->set_tid,
		.set_tid_size = a->set_tid_size,
		.cgroup = a->cgroup,
	};
}

/* ---- What a function may run in ------------------------------------------------------------ */

static bool is_plain_fork(const struct plan *plan, const struct ramet_spec *spec)
{
	return !(plan->args.flags & ~(TID_FLAGS | CLONE_PIDFD)) &&
	       plan->args.exit_signal == SIGCHLD && !spec->child_tid && !spec->parent_tid &&
	       !spec->set_tid_size;
}

/* What unshare, in a child of one thread, gives as well as clone. */
#define UNSHARED_LATER (CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWCGROUP)

/*
 * A caller of several threads, and a body that needs the C library's state right: only the
 * library's own fork gives that. Of what else is asked the child makes what it can by steps, and
 * the calling thread turns to a new pid namespace for this one child.
 */
static bool fork_and_unshare(struct plan *plan, const struct ramet_spec *spec)
{
	const uint64_t flags = plan->args.flags;
	const uint64_t later = UNSHARED_LATER | CLONE_INTO_CGROUP | CLONE_NEWPID;

	plan->args.flags &= ~(later | CLONE_CLEAR_SIGHAND);
	if (!is_plain_fork(plan, spec)) {
		plan->args.flags = flags;
		return false;
	}
	plan->unshares = flags & UNSHARED_LATER;
	plan->enters_cgroup = flags & CLONE_INTO_CGROUP;
	plan->begins_pids = flags & CLONE_NEWPID;
	plan->libc_fork = true;
	return true;
}

static int check_function(struct plan *plan, const struct ramet_spec *spec,
			  const struct plan_host *host, struct plan_refusal *ret)
{
	const bool no_libc = spec->options & RAMET_NO_LIBC;

	if (plan->args.flags & CLONE_VM &&
	    (changes_identity(spec) || steps_have(spec->steps, RAMET_STEP_JOIN) ||
	     steps_have(spec->steps, RAMET_STEP_OOM_SCORE_ADJ)))
		return plan_refuse(LAUNCH_RULE_IDENTITY_SHARED, ret);
	if (plan->args.flags & CLONE_VM && steps_have(spec->steps, RAMET_STEP_TIME_OFFSET))
		return plan_refuse(LAUNCH_RULE_TIME_IN_SHARED, ret);
	switch (plan->way) {
	case RAMET_WAY_COPY:
		plan->libc_fork = is_plain_fork(plan, spec) && !no_libc;
		if (!plan->libc_fork && !no_libc && !host->single_threaded &&
		    !fork_and_unshare(plan, spec))
			return plan_refuse(LAUNCH_RULE_NEEDS_ONE_THREAD, ret);
		/* What the clone would have done can now fail as a step. */
		plan->handshake |= plan->unshares || plan->enters_cgroup;
		return 0;
	case RAMET_WAY_FUTEX:
		if (!no_libc)
			return plan_refuse(LAUNCH_RULE_NEEDS_NO_LIBC, ret);
		plan->keep_stack = true;
		return 0;
	case RAMET_WAY_HELD:
	case RAMET_WAY_ANY:
	default:
		return 0;
	}
}

/*
 * Beside a caller that runs on, the start of the body or the end of a thread is told by the tid
 * word: ramet's own, or for the end alone the spec's.
 */
static bool knows_end(const struct plan *plan)
{
	if (plan->way != RAMET_WAY_FUTEX || plan->own_tid_word)
		return true;
	if (plan->handshake)
		return false;
	return !(plan->args.flags & CLONE_THREAD) || plan->args.flags & CLONE_CHILD_CLEARTID;
}

/* ---- Flags ---------------------------------------------------------------------------------- */

/*
 * Handlers of the caller must not run in a child that shares its memory, nor in any child that
 * is about to exec: exec would reset them anyway. Where the kernel cannot clear them the child
 * does it itself, so the flag may be dropped.
 */
static void plan_handlers(struct plan *plan, const struct ramet_spec *spec)
{
	const bool chosen = (spec->share | spec->copy | spec->fresh) & RAMET_SIGHAND;
	const bool risky = plan->body == PLAN_PROGRAM ||
			   (plan->args.flags & CLONE_VM && !chosen && !(spec->preset));

	if (plan->args.flags & CLONE_SIGHAND)
		return;
	if (risky)
		plan->args.flags |= CLONE_CLEAR_SIGHAND;
	if (plan->args.flags & CLONE_CLEAR_SIGHAND) {
		plan->droppable |= CLONE_CLEAR_SIGHAND;
		plan->clear_handlers = true;
	}
}

/*
 * A child whose caught signals have their default action from birth on runs no handler. If it has
 * nothing to do but exec, a signal does to it what it would do afterwards; so none needs to be
 * blocked, by three system calls, and the mask it has is the caller's. A shield does share the
 * handlers.
 */
static bool can_stay_unmasked(const struct plan *plan, const struct ramet_spec *spec,
			      const struct plan_host *host)
{
	const bool fits = plan->way == RAMET_WAY_HELD ||
			  (plan->way == RAMET_WAY_FUTEX && !plan->shielded);

	return fits && host->clearing && plan->body == PLAN_PROGRAM &&
	       plan->args.flags & CLONE_CLEAR_SIGHAND && host->witness <= 0 &&
	       !(spec->steps && spec->steps->kind);
}

static void plan_args(struct plan *plan, const struct ramet_spec *spec,
		      const struct plan_host *host)
{
	struct clone_args *a = &plan->args;

	/* A pidfd is every task's, whatever the preset, and can be opened by tid after the clone. */
	if (!(spec->flags & CLONE_PIDFD)) {
		plan->droppable |= CLONE_PIDFD;
		a->flags &= ~CLONE_PIDFD;
		if (!(spec->options & RAMET_NO_PIDFD) && !(a->flags & CLONE_THREAD))
			a->flags |= CLONE_PIDFD;
	}
	if (spec->parent_tid) {
		a->parent_tid = (uintptr_t)spec->parent_tid;
		a->flags |= CLONE_PARENT_SETTID;
	}
	a->child_tid = (uintptr_t)spec->child_tid;
	if (a->flags & CLONE_SETTLS)
		a->tls = spec->tls ? spec->tls : host->thread_pointer;
	a->set_tid = (uintptr_t)spec->set_tid;
	a->set_tid_size = spec->set_tid_size;
	if (a->flags & CLONE_INTO_CGROUP)
		a->cgroup = (uint64_t)(unsigned)spec->cgroup;
	plan->stack_size = spec->stack_size		 ? spec->stack_size
			   : plan->body == PLAN_FUNCTION ? FUNCTION_STACK_SIZE
							 : STEP_STACK_SIZE;
}

/* ---- Steps ---------------------------------------------------------------------------------- */

static void add(struct plan *plan, struct ramet_step step)
{
	const unsigned rank = step_kind(step.kind)->rank;
	unsigned at = plan->count++;

	/* Insertion keeps the order of equal ranks. */
	for (; at && step_kind(plan->steps[at - 1].kind)->rank > rank; at--)
		plan->steps[at] = plan->steps[at - 1];
	plan->steps[at] = step;
}

/*
 * An identity without its groups is half an identity: root's supplementary groups would stay.
 */
static bool drops_groups(const struct ramet_spec *spec)
{
	return changes_identity(spec) && !steps_have(spec->steps, RAMET_STEP_GROUPS) &&
	       !steps_have(spec->steps, RAMET_STEP_KEEP_GROUPS) &&
	       !steps_have(spec->steps, RAMET_STEP_ID_MAP);
}

static bool is_fd_kind(uint32_t kind)
{
	return kind == RAMET_STEP_DUP || kind == RAMET_STEP_KEEP || kind == RAMET_STEP_CLOSE_REST;
}

/* What is open until exec because it is what exec runs, or -1. */
static int program_fd(const struct ramet_spec *spec)
{
	return spec->options & RAMET_PROGRAM_FD ? spec->program_fd : -1;
}

static void add_table_steps(struct plan *plan, const struct table_plan *table)
{
	if (!table->part)
		return;
	add(plan,
	    (struct ramet_step){.kind = RAMET_STEP_OWN_TABLE, .first = table->first, .last = ~0U});
	for (unsigned i = 0; i < table->fetch_count; i++)
		add(plan, (struct ramet_step){.kind = RAMET_STEP_FETCH, .number = table->fetch[i]});
}

static bool is_closed_by_parting(const struct table_plan *table, const struct ramet_step *step)
{
	return table->part && step->kind == RAMET_STEP_CLOSE_RANGE && step->last == ~0U &&
	       step->first == table->first && !table->fetch_count;
}

static void add_steps(struct plan *plan, const struct ramet_spec *spec,
		      const struct plan_host *host, const struct table_plan *table,
		      struct ramet_step *scratch, int *kept)
{
	const int held[2] = {program_fd(spec), host->witness > 0 ? host->witness : -1};
	const unsigned fds = fdmap_make(spec->steps, held, scratch, kept);

	for (const struct ramet_step *s = spec->steps; s && s->kind; s++)
		if (!is_fd_kind(s->kind) && step_kind(s->kind)->side != STEP_SIDE_PLAN)
			add(plan, *s);
	for (unsigned i = 0; i < fds; i++)
		if (!is_closed_by_parting(table, &scratch[i]))
			add(plan, scratch[i]);
	add_table_steps(plan, table);
	if (host->witness > 0)
		add(plan, (struct ramet_step){.kind = RAMET_STEP_WITNESS, .number = host->witness});
	if (plan->unshares)
		add(plan, (struct ramet_step){.kind = RAMET_STEP_UNSHARE, .mask = plan->unshares});
	if (plan->enters_cgroup)
		add(plan,
		    (struct ramet_step){.kind = RAMET_STEP_ENTER_CGROUP, .number = spec->cgroup});
	if (drops_groups(spec))
		add(plan, (struct ramet_step){.kind = RAMET_STEP_GROUPS});
	if (joins_pids(spec) && !steps_have(spec->steps, RAMET_STEP_INIT))
		add(plan, (struct ramet_step){.kind = RAMET_STEP_INIT});
	if (steps_have(spec->steps, RAMET_STEP_LANDLOCK))
		add(plan, (struct ramet_step){.kind = RAMET_STEP_RESTRICT});
	if (steps_have(spec->steps, RAMET_STEP_ROOT))
		add(plan, (struct ramet_step){.kind = RAMET_STEP_PIVOT});
	if (steps_have(spec->steps, RAMET_STEP_UID) &&
	    (steps_have(spec->steps, RAMET_STEP_CAPS) ||
	     steps_have(spec->steps, RAMET_STEP_AMBIENT)) &&
	    !steps_have(spec->steps, RAMET_STEP_KEEP_CAPS))
		add(plan, (struct ramet_step){.kind = RAMET_STEP_KEEP_CAPS});
	if (changes_identity(spec) && plan->way == RAMET_WAY_FUTEX)
		add(plan, (struct ramet_step){.kind = RAMET_STEP_GUARD_MEMORY});
	if (plan->caller_steps || steps_have(plan->steps, RAMET_STEP_GUARD_MEMORY))
		add(plan, (struct ramet_step){.kind = RAMET_STEP_WAIT_GO, .number = -1});
	if (!steps_have(spec->steps, RAMET_STEP_SIGMASK) && !plan->unmasked)
		add(plan, (struct ramet_step){.kind = RAMET_STEP_SIGMASK});
}

/* The body as the last step; `paths` is where the candidates of a program stand. */
static void add_body(struct plan *plan, const struct ramet_spec *spec, const struct plan_host *host,
		     const char *const *paths, char **argv)
{
	static char *const empty[] = {NULL};

	if (plan->body == PLAN_TWICE)
		return;
	if (plan->body == PLAN_FUNCTION) {
		add(plan,
		    (struct ramet_step){.kind = RAMET_STEP_CALL, .fn = spec->fn, .arg = spec->arg});
		return;
	}
	argv[0] = (char *)spec->program;
	argv[1] = NULL;
	add(plan, (struct ramet_step){.kind = RAMET_STEP_EXEC,
				      .number = program_fd(spec),
				      .paths = paths,
				      .argv = spec->argv ? spec->argv : argv,
				      .envp = spec->envp   ? spec->envp
					      : host->envp ? host->envp
							   : empty});
}

/* ---- Candidates of a PATH search ------------------------------------------------------------- */

static bool searches(const struct ramet_spec *spec)
{
	return spec->program && spec->options & RAMET_SEARCH_PATH &&
	       !(spec->options & RAMET_PROGRAM_FD) && !strchr(spec->program, '/') && *spec->program;
}

static const char *search_path(const struct plan_host *host)
{
	return host->path ? host->path : PLAN_PATH;
}

static size_t count_candidates(const char *path)
{
	size_t n = 1;

	for (; *path; path++)
		n += *path == ':';
	return n;
}

/* An empty element means the working directory, as in every shell. */
static void write_candidates(const char *path, const char *program, const char **paths, char *text)
{
	const size_t length = strlen(program);
	size_t n;

	for (;; path++) {
		n = strcspn(path, ":");
		*paths++ = text;
		memcpy(text, path, n);
		text += n;
		if (n)
			*text++ = '/';
		memcpy(text, program, length + 1);
		text += length + 1;
		path += n;
		if (!*path)
			break;
	}
	*paths = NULL;
}

/* ---- Memory ------------------------------------------------------------------------------------ */

static unsigned count_steps(const struct ramet_step *steps)
{
	unsigned n = 0;

	while (steps && steps[n].kind)
		n++;
	return n;
}

#define PLAN_OWN_STEPS 21

/* One block: steps, scratch for descriptors, candidate pointers, argv, numbers, candidate text. */
static int build(struct plan *plan, const struct ramet_spec *spec, const struct plan_host *host)
{
	const bool search = searches(spec);
	const char *path = search ? search_path(host) : "";
	const size_t fds = fdmap_room(spec->steps);
	const size_t steps = count_steps(spec->steps) + fds + PLAN_OWN_STEPS;
	const size_t paths = (search ? count_candidates(path) : 1) + 1;
	struct table_plan table;
	const size_t text =
		search ? strlen(path) + count_candidates(path) * (strlen(spec->program) + 2) : 0;
	struct ramet_step *scratch;
	const char **candidates;
	char **argv;
	int *kept;

	plan->memory_ =
		calloc(1, (steps + fds) * sizeof(*plan->steps) + (paths + 2) * sizeof(char *) +
				  (fds + 6) * sizeof(int) + text);
	if (!plan->memory_)
		return -ENOMEM;
	plan->steps = plan->memory_;
	scratch = plan->steps + steps;
	candidates = (const char **)(scratch + fds);
	argv = (char **)(candidates + paths);
	kept = (int *)(argv + 2);
	if (search)
		write_candidates(path, spec->program, candidates, (char *)(kept + fds + 6));
	else
		candidates[0] = spec->program;
	plan_table(plan, spec, host, program_fd(spec), &table);
	plan->lost |= table.copied ? RAMET_LOST_TABLE : 0;
	add_steps(plan, spec, host, &table, scratch, kept);
	add_body(plan, spec, host, candidates, argv);
	return 0;
}

void plan_free(struct plan *plan)
{
	free(plan->memory_);
	plan->memory_ = NULL;
}

/* ---- All together ------------------------------------------------------------------------------ */

/* What can be refused before flags and way are known. */
static enum launch_rule check_spec(const struct ramet_spec *spec, bool twice, uint32_t *ret_kind)
{
	if (!!spec->program + !!spec->fn + twice != 1)
		return LAUNCH_RULE_ONE_BODY;
	if (!spec->set_tid != !spec->set_tid_size)
		return LAUNCH_RULE_SET_TID;
	if (spec->stack_size && spec->stack_size < STACK_SIZE_MIN)
		return LAUNCH_RULE_SMALL_STACK;
	if (spec->stack && !spec->stack_size)
		return LAUNCH_RULE_SMALL_STACK;
	if (spec->options & RAMET_PROGRAM_FD && (!spec->program || spec->program_fd < 0))
		return LAUNCH_RULE_DESCRIPTOR_RANGE;
	for (const struct ramet_step *s = spec->steps; s && s->kind; s++)
		if (s->kind == RAMET_STEP_DUP && s->to == program_fd(spec))
			return LAUNCH_RULE_TARGET_ONCE;
	return steps_check(spec->steps, ret_kind);
}

static bool steps_can_fail(const struct ramet_spec *spec)
{
	for (const struct ramet_step *s = spec->steps; s && s->kind; s++)
		if (s->kind != RAMET_STEP_SIGMASK && s->kind != RAMET_STEP_UMASK)
			return true;
	return false;
}

/*
 * What the rules answer hangs on the call alone, and a program launches the same calls over and
 * over: those last accepted are remembered. Going through the rules takes as long as all the rest
 * of a plan. 0: not to be remembered.
 */
static uint64_t key_of(const struct ramet_call *call)
{
	if (call->child_tid || call->parent_tid || call->tls || call->set_tid_size ||
	    call->cgroup || call->stack || call->flags >> 40 || call->exit_signal > 64)
		return 0;
	return 1ULL << 63 | call->exit_signal << 48 | call->flags;
}

static uint64_t accepted[16];

static uint64_t *place_of(uint64_t key)
{
	return &accepted[key * 0x9e3779b97f4a7c15 >> 60];
}

static int kernel_refuses(const struct plan *plan, uint64_t flags, struct plan_refusal *ret)
{
	struct ramet_call call = plan_call(plan);
	const struct ramet_rule *rule;
	uint64_t key;

	call.flags = flags;
	/* Filled in by the launch; only that they differ matters to a rule. */
	call.pidfd = 1;
	key = key_of(&call);
	if (key && __atomic_load_n(place_of(key), __ATOMIC_RELAXED) == key)
		return 0;
	rule = ramet_check(&call, NULL);
	if (!rule && key)
		__atomic_store_n(place_of(key), key, __ATOMIC_RELAXED);
	if (!rule)
		return 0;
	*ret = (struct plan_refusal){.id = rule->id, .why = rule->why, .mend = rule->mend};
	return -rule->error;
}

/*
 * That a program begins in its maker's memory is ramet's own doing where nobody asked for it, so
 * nothing that was asked for may lean on it.
 */
static uint64_t flags_asked(const struct plan *plan, const struct ramet_spec *spec)
{
	const bool asked = spec->share & RAMET_MEMORY || spec->flags & CLONE_VM ||
			   (spec->preset && spec->preset != RAMET_PRESET_CONTAINER);

	return plan->args.flags & ~(plan->body == PLAN_PROGRAM && !asked ? CLONE_VM : 0);
}

/*
 * Exec makes any exit signal SIGCHLD. So a task that will exec is made without one: if it fails
 * before, no handler of the caller's is disturbed, and no waitpid(-1) loop of the host's takes
 * it for a child of its own, since without __WCLONE such children are not seen. And what
 * __WCLONE still sees afterwards has not come to exec, which makes the outcome certain.
 * (CLONE_PARENT has no exit signal of its own in either case.)
 */
static void plan_exit_signal(struct plan *plan, const struct ramet_spec *spec, int sig)
{
	plan->execs = plan->body == PLAN_PROGRAM && !stays_behind(spec) &&
		      !(plan->args.flags & CLONE_PARENT);
	if (plan->body == PLAN_PROGRAM && !(plan->args.flags & CLONE_PARENT))
		sig = SIGCHLD;
	plan->exit_signal = sig;
	plan->args.exit_signal = plan->execs ? 0 : (uint64_t)sig;
}

static int plan_flags(struct plan *plan, const struct ramet_spec *spec,
		      const struct plan_host *host, struct plan_refusal *ret)
{
	const struct spec_rule *rule;
	enum launch_rule own;
	uint32_t kind = 0;
	int sig = 0, r;

	r = spec_flags(spec, plan->body == PLAN_PROGRAM ? RAMET_PRESET_SPAWN : RAMET_PRESET_FORK,
		       host->privileged, &plan->args.flags, &sig, &rule);
	if (r < 0) {
		*ret = (struct plan_refusal){.id = rule->id, .why = rule->why, .mend = rule->mend};
		return r;
	}
	/* In a container it is nobody's choice either what memory the program begins in. */
	if (plan->body == PLAN_PROGRAM && spec->preset == RAMET_PRESET_CONTAINER &&
	    !(spec->copy & RAMET_MEMORY))
		plan->args.flags |= CLONE_VM;
	plan_exit_signal(plan, spec, sig);
	if (plan->body == PLAN_PROGRAM && plan->args.flags & CLONE_THREAD)
		return plan_refuse(LAUNCH_RULE_EXEC_IN_THREAD, ret);
	r = kernel_refuses(plan, flags_asked(plan, spec), ret);
	if (r < 0)
		return r;
	/*
	 * Exec parts a program from a shared table of handlers anyway. Until then, with the signals
	 * let through again, a handler of the caller's would run in the child, in the caller's
	 * memory.
	 */
	if (plan->body == PLAN_PROGRAM)
		plan->args.flags &= ~CLONE_SIGHAND;
	own = steps_check_call(spec->steps, plan->args.flags, &kind);
	if (own)
		return refuse_step(own, kind, ret);
	/* Made by the step itself, since offsets cannot be written once a task is inside. */
	if (steps_have(spec->steps, RAMET_STEP_TIME_OFFSET))
		plan->args.flags &= ~CLONE_NEWTIME;
	if (plan->body != PLAN_PROGRAM && stays_behind(spec))
		return plan_refuse(LAUNCH_RULE_INIT_NEEDS_PROGRAM, ret);
	return 0;
}

/* Nobody waits in the call that makes it. */
static int check_begun(const struct plan *plan, const struct ramet_spec *spec,
		       const struct plan_host *host, struct plan_refusal *ret)
{
	if (plan->body != PLAN_PROGRAM)
		return plan_refuse(LAUNCH_RULE_BEGIN_PROGRAM, ret);
	if (host->witness > 0 && plan->args.flags & CLONE_FILES)
		return plan_refuse(LAUNCH_RULE_DONE_FD_SHARED, ret);
	if (spec->flags & CLONE_VFORK)
		return plan_refuse(LAUNCH_RULE_BEGIN_HELD, ret);
	return 0;
}

/* Weaker or slower than what would be done elsewhere, and that was forbidden. */
static int check_losses(const struct plan *plan, struct plan_refusal *ret)
{
	if (!plan->strict || !plan->lost)
		return 0;
	plan_refuse(LAUNCH_RULE_NO_FALLBACK, ret);
	return -EOPNOTSUPP;
}

static bool asks_for_caller(uint32_t kind)
{
	return kind == RAMET_STEP_WAIT_GO || kind == RAMET_STEP_PDEATHSIG ||
	       kind == RAMET_STEP_FETCH || kind == RAMET_STEP_INIT;
}

int plan_make(const struct ramet_spec *spec, bool twice, const struct plan_host *host,
	      struct plan *ret, struct plan_refusal *ret_refusal)
{
	struct plan plan = {.sigmask = -1};
	uint32_t kind = 0;
	enum launch_rule rule = check_spec(spec, twice, &kind);
	int r;

	*ret_refusal = (struct plan_refusal){0};
	if (rule)
		return refuse_step(rule, kind, ret_refusal);
	plan.body = twice ? PLAN_TWICE : spec->fn ? PLAN_FUNCTION : PLAN_PROGRAM;
	plan.caller_steps = steps_have(spec->steps, RAMET_STEP_ID_MAP);
	plan.asynchronous = host->asynchronous;
	plan.strict = spec->options & RAMET_NO_FALLBACK;
	plan.handshake = plan.body == PLAN_PROGRAM || steps_can_fail(spec);
	plan.timeout_ms = spec->timeout_ms	   ? spec->timeout_ms
			  : changes_identity(spec) ? IDENTITY_TIMEOUT_MS
						   : 0;

	r = plan_flags(&plan, spec, host, ret_refusal);
	if (r == 0)
		r = choose_way(&plan, spec, host, ret_refusal);
	if (r < 0)
		return r;
	plan_handlers(&plan, spec);
	plan.unmasked = can_stay_unmasked(&plan, spec, host);
	if (plan.unmasked)
		plan.droppable &= ~CLONE_CLEAR_SIGHAND;
	plan_args(&plan, spec, host);
	r = kernel_refuses(&plan, plan.args.flags, ret_refusal);
	if (r == 0 && plan.body != PLAN_PROGRAM)
		r = check_function(&plan, spec, host, ret_refusal);
	if (r == 0 && plan.asynchronous)
		r = check_begun(&plan, spec, host, ret_refusal);
	if (r == 0 && !knows_end(&plan))
		r = plan_refuse(LAUNCH_RULE_TID_WORD, ret_refusal);
	if (r == 0)
		r = build(&plan, spec, host);
	if (r < 0)
		return r;
	r = check_losses(&plan, ret_refusal);
	if (r < 0) {
		plan_free(&plan);
		return r;
	}
	for (unsigned i = 0; i < plan.count; i++)
		plan.names_caller |= asks_for_caller(plan.steps[i].kind);
	if (!steps_have(spec->steps, RAMET_STEP_SIGMASK))
		for (unsigned i = 0; i < plan.count; i++)
			if (plan.steps[i].kind == RAMET_STEP_SIGMASK)
				plan.sigmask = (int)i;
	*ret = plan;
	return 0;
}
