/* SPDX-License-Identifier: MIT */
/* Refusals: for every rule of ramet's own, rules.def row by row, a spec that it refuses. */
#include <signal.h>
#include <time.h>

#include "tap.h"
#include "unit/plans.h"

/* Rules that some spec of this test was refused by. */
static const char *hit[200];
static unsigned hits;

static void is_refused_on(const struct plan_host *host, const char *want, bool twice,
			  struct ramet_spec spec)
{
	struct plan plan;
	struct plan_refusal why;
	const int r = plan_make(&spec, twice, host, &plan, &why);

	if (r == 0)
		plan_free(&plan);
	is_str(r < 0 ? why.id : "(a plan)", want, "refused: %s", want);
	if (r < 0 && why.id && (!why.why || !why.mend))
		ok(false, "%s has no why or no mend", why.id);
	if (r < 0 && why.id && hits < sizeof(hit) / sizeof(hit[0]))
		hit[hits++] = why.id;
}

#define IS_REFUSED(want, ...) is_refused_on(&usual, want, false, RAMET_SPEC(__VA_ARGS__))

/* A launch that is begun, and one that takes no other way. */
static void test_refused_begun(void)
{
	struct plan_host begun = usual, poor = usual;

	begun.asynchronous = true;
	is_refused_on(&begun, "begin-needs-program", false, RAMET_SPEC(.fn = body));
	is_refused_on(&begun, "begin-cannot-be-held", false,
		      RAMET_SPEC(PROGRAM, .flags = CLONE_VFORK));
	is_refused_on(&begun, "way-cannot", false, RAMET_SPEC(PROGRAM, .way = RAMET_WAY_HELD));
	begun.witness = 9;
	is_refused_on(&begun, "done-fd-needs-own-table", false,
		      RAMET_SPEC(PROGRAM, .share = RAMET_FILES));
	poor.parting = false;
	is_refused_on(&poor, "no-fallback", false,
		      RAMET_SPEC(PROGRAM, .options = RAMET_NO_FALLBACK, STEPS(RAMET_CLOSE_REST())));
	poor.memory_shares = false;
	is_refused_on(&poor, "no-fallback", false,
		      RAMET_SPEC(PROGRAM, .options = RAMET_NO_FALLBACK));
}

static void test_refused_specs(void)
{
	struct plan_host threaded = usual;
	static pid_t tid;

	threaded.single_threaded = false;
	IS_REFUSED("one-body", .program = NULL);
	IS_REFUSED("one-body", PROGRAM, .fn = body);
	is_refused_on(&usual, "one-body", true, RAMET_SPEC(.fn = body));
	IS_REFUSED("set-tid-pair", PROGRAM, .set_tid_size = 1);
	IS_REFUSED("set-tid-pair", PROGRAM, .set_tid = &tid);
	IS_REFUSED("stack-too-small", .fn = body, .stack_size = 4095);
	IS_REFUSED("stack-too-small", .fn = body, .stack = &tid);
	IS_REFUSED("exec-in-thread", PROGRAM, .preset = RAMET_PRESET_NPTL);
	IS_REFUSED("shared-memory-needs-no-libc", .fn = body, .preset = RAMET_PRESET_NPTL);
	is_refused_on(&threaded, "function-needs-one-thread", false,
		      RAMET_SPEC(.fn = body, .share = RAMET_FILES));
	is_refused_on(&threaded, "function-needs-one-thread", true,
		      RAMET_SPEC(.exit_signal = SIGUSR1));
	IS_REFUSED("identity-needs-own-memory", .fn = body, .share = RAMET_MEMORY,
		   .options = RAMET_NO_LIBC, STEPS(RAMET_UID(1)));
	is_refused_on(&usual, "return-twice-needs-own-memory", true,
		      RAMET_SPEC(.preset = RAMET_PRESET_VFORK));
	IS_REFUSED("way-cannot", PROGRAM, .copy = RAMET_MEMORY, .way = RAMET_WAY_HELD);
	IS_REFUSED("way-cannot", PROGRAM, .way = RAMET_WAY_HELD, STEPS(RAMET_UID(1)));
	IS_REFUSED("way-cannot", PROGRAM, .way = (enum ramet_way)17);
	IS_REFUSED("way-cannot", PROGRAM, .way = RAMET_WAY_HELD, STEPS(RAMET_JOIN(3, 0)));
	IS_REFUSED("way-cannot", PROGRAM, .way = RAMET_WAY_FUTEX, STEPS(RAMET_JOIN(3, 0)));
	IS_REFUSED("way-cannot", PROGRAM, .way = RAMET_WAY_FUTEX, STEPS(RAMET_OOM_SCORE_ADJ(1)));
	IS_REFUSED("way-cannot", PROGRAM, .way = RAMET_WAY_FUTEX, STEPS(RAMET_CGROUP_DIR("/c")));
	IS_REFUSED("way-cannot", PROGRAM, .way = RAMET_WAY_HELD, .fresh = RAMET_PID,
		   STEPS(RAMET_INIT()));
	IS_REFUSED("way-cannot", PROGRAM, .way = RAMET_WAY_HELPER, .copy = RAMET_MEMORY);
	IS_REFUSED("way-cannot", .fn = body, .way = RAMET_WAY_HELPER);
	IS_REFUSED("way-cannot", .fn = body, .way = RAMET_WAY_HELPER, .share = RAMET_MEMORY,
		   .options = RAMET_NO_LIBC);
	IS_REFUSED("descriptor-range", PROGRAM, .options = RAMET_PROGRAM_FD, .program_fd = -1);
	IS_REFUSED("descriptor-range", .fn = body, .options = RAMET_PROGRAM_FD, .program_fd = 3);
	IS_REFUSED("target-once", PROGRAM, .options = RAMET_PROGRAM_FD, .program_fd = 5,
		   STEPS(RAMET_DUP(0, 5)));
	IS_REFUSED("held-caller-cannot-help", PROGRAM, .flags = CLONE_VFORK, .fresh = RAMET_USER,
		   STEPS(RAMET_ID_MAP(NULL, NULL)));
	IS_REFUSED("held-caller-cannot-help", .fn = body, .preset = RAMET_PRESET_VFORK,
		   .fresh = RAMET_USER, STEPS(RAMET_ID_MAP(NULL, NULL)));
	IS_REFUSED("held-caller-cannot-help", .fn = body, .preset = RAMET_PRESET_VFORK,
		   STEPS(RAMET_UID(1)));
	IS_REFUSED("held-caller-cannot-help", PROGRAM, .flags = CLONE_VFORK, STEPS(RAMET_GID(1)));
	IS_REFUSED("tid-word-taken", PROGRAM, .way = RAMET_WAY_FUTEX, .child_tid = &tid);
	IS_REFUSED("tid-word-taken", .fn = body, .share = RAMET_MEMORY, .options = RAMET_NO_LIBC,
		   .child_tid = &tid, STEPS(RAMET_CWD("/")));
}

#define STEP(kind_, ...) ((struct ramet_step){.kind = RAMET_STEP_##kind_, ##__VA_ARGS__})

static void test_refused_steps(void)
{
	IS_REFUSED("unknown-step", PROGRAM, STEPS({.kind = RAMET_STEP_COUNT_}));
	IS_REFUSED("unknown-step", PROGRAM, STEPS({.kind = UINT32_MAX}));
	IS_REFUSED("step-of-the-plan", PROGRAM, STEPS(STEP(WAIT_GO)));
	IS_REFUSED("step-of-the-plan", PROGRAM, STEPS(STEP(GUARD_MEMORY)));
	IS_REFUSED("step-of-the-plan", PROGRAM, STEPS(STEP(CLOSE_RANGE)));
	IS_REFUSED("step-of-the-plan", PROGRAM, STEPS(STEP(EXEC)));
	IS_REFUSED("step-of-the-plan", PROGRAM, STEPS(STEP(CALL)));
	IS_REFUSED("step-once", PROGRAM, STEPS(RAMET_UMASK(1), RAMET_SETSID(), RAMET_UMASK(1)));
	IS_REFUSED("descriptor-range", PROGRAM, STEPS(RAMET_DUP(-1, 1)));
	IS_REFUSED("descriptor-range", PROGRAM, STEPS(RAMET_DUP(1, -2)));
	IS_REFUSED("descriptor-range", PROGRAM, STEPS(RAMET_KEEP(-1)));
	IS_REFUSED("target-once", PROGRAM, STEPS(RAMET_DUP(3, 1), RAMET_DUP(4, 1)));
	IS_REFUSED("step-signal-range", PROGRAM, STEPS(RAMET_SIGNAL_DEFAULT(65)));
	IS_REFUSED("step-signal-range", PROGRAM, STEPS(RAMET_SIGNAL_IGNORE(-1)));
	IS_REFUSED("step-signal-range", PROGRAM, STEPS(RAMET_SIGNAL_IGNORE(SIGKILL)));
	IS_REFUSED("step-signal-range", PROGRAM, STEPS(RAMET_SIGNAL_DEFAULT(SIGSTOP)));
	IS_REFUSED("setsid-makes-a-group", PROGRAM, STEPS(RAMET_SETPGID(0), RAMET_SETSID()));
	IS_REFUSED("step-needs-text", PROGRAM, STEPS(RAMET_CWD(NULL)));
	IS_REFUSED("step-needs-text", PROGRAM, STEPS(RAMET_HOSTNAME(NULL)), .fresh = RAMET_UTS);
	IS_REFUSED("step-needs-text", PROGRAM, STEPS(RAMET_PROC(NULL)), .fresh = RAMET_MNT);
	IS_REFUSED("descriptor-steps-need-own-table", PROGRAM, STEPS(RAMET_DUP(3, 1)),
		   .share = RAMET_FILES);
	IS_REFUSED("descriptor-steps-need-own-table", PROGRAM, STEPS(RAMET_KEEP(3)),
		   .share = RAMET_FILES);
	IS_REFUSED("descriptor-steps-need-own-table", PROGRAM, STEPS(RAMET_CLOSE_REST()),
		   .flags = CLONE_FILES);
	IS_REFUSED("signal-steps-need-own-handlers", .fn = body, STEPS(RAMET_SIGNAL_DEFAULT(0)),
		   .preset = RAMET_PRESET_LINUXTHREADS, .options = RAMET_NO_LIBC);
	IS_REFUSED("hostname-needs-own-uts", PROGRAM, STEPS(RAMET_HOSTNAME("box")));
	IS_REFUSED("mounts-need-own-namespace", PROGRAM, STEPS(RAMET_PRIVATE_MOUNTS()));
	IS_REFUSED("mounts-need-own-namespace", PROGRAM, STEPS(RAMET_PROC("/proc")),
		   .fresh = RAMET_PID);
	IS_REFUSED("init-needs-pid-namespace", PROGRAM, STEPS(RAMET_INIT()));
	IS_REFUSED("init-needs-program", .fn = body, STEPS(RAMET_INIT()), .fresh = RAMET_PID);
	IS_REFUSED("id-map-needs-user-namespace", PROGRAM, STEPS(RAMET_ID_MAP(NULL, NULL)));
}

/* What belongs to the process, with the function in its thread group. */
#define REFUSED_IN_THREAD(step)                                                                    \
	IS_REFUSED("process-steps-need-own-process", .fn = body, .preset = RAMET_PRESET_NPTL,      \
		   .options = RAMET_NO_LIBC, STEPS(step))

static void test_refused_attributes(void)
{
	REFUSED_IN_THREAD(RAMET_CGROUP_DIR("/c"));
	REFUSED_IN_THREAD(RAMET_SETSID());
	REFUSED_IN_THREAD(RAMET_SETPGID(0));
	REFUSED_IN_THREAD(RAMET_CTTY(0));
	REFUSED_IN_THREAD(STEP(RLIMIT, .number = 7));
	REFUSED_IN_THREAD(RAMET_SUBREAPER());
	REFUSED_IN_THREAD(RAMET_OOM_SCORE_ADJ(1));
	IS_REFUSED("step-of-the-plan", PROGRAM, STEPS(STEP(PIVOT)), .fresh = RAMET_MNT);
	IS_REFUSED("step-of-the-plan", PROGRAM, STEPS(STEP(RESTRICT)));
	IS_REFUSED("step-once", PROGRAM, STEPS(RAMET_NICE(1), RAMET_NICE(1)));
	IS_REFUSED("step-once", PROGRAM, STEPS(RAMET_ROOT("/"), RAMET_ROOT("/")),
		   .fresh = RAMET_MNT);
	IS_REFUSED("step-once", PROGRAM, STEPS(RAMET_LO_UP(), RAMET_LO_UP()), .fresh = RAMET_NET);
	IS_REFUSED("descriptor-range", PROGRAM, STEPS(RAMET_JOIN(-1, 0)));
	IS_REFUSED("descriptor-range", PROGRAM, STEPS(RAMET_CTTY(-1)));
	IS_REFUSED("descriptor-range", PROGRAM, STEPS(RAMET_FOREGROUND(-1)));
	IS_REFUSED("step-signal-range", PROGRAM, STEPS(RAMET_PDEATHSIG(0)));
	IS_REFUSED("step-signal-range", PROGRAM, STEPS(RAMET_PDEATHSIG(65)));
	IS_REFUSED("step-needs-data", PROGRAM, STEPS(RAMET_AFFINITY(0, "")));
	IS_REFUSED("step-needs-data", PROGRAM, STEPS(RAMET_AFFINITY(8, NULL)));
	IS_REFUSED("step-needs-data", PROGRAM, STEPS(RAMET_SECCOMP(8, NULL)));
	IS_REFUSED("step-needs-data", PROGRAM, STEPS(RAMET_SECCOMP(0, "")));
	IS_REFUSED("step-needs-text", PROGRAM, STEPS(RAMET_CGROUP_DIR(NULL)));
	IS_REFUSED("step-needs-text", PROGRAM, STEPS(RAMET_LANDLOCK(NULL, 1)));
	IS_REFUSED("step-needs-text", PROGRAM, STEPS(RAMET_ROOT(NULL)), .fresh = RAMET_MNT);
	IS_REFUSED("step-needs-text", PROGRAM, STEPS(RAMET_BIND(NULL, "/")), .fresh = RAMET_MNT);
	IS_REFUSED("step-needs-text", PROGRAM, STEPS(RAMET_BIND("/", NULL)), .fresh = RAMET_MNT);
	IS_REFUSED("step-needs-text", PROGRAM, STEPS(RAMET_TMPFS(NULL)), .fresh = RAMET_MNT);
	IS_REFUSED("mounts-need-own-namespace", PROGRAM, STEPS(RAMET_ROOT("/")));
	IS_REFUSED("mounts-need-own-namespace", PROGRAM, STEPS(RAMET_BIND("/", "/")));
	IS_REFUSED("mounts-need-own-namespace", PROGRAM, STEPS(RAMET_TMPFS("/")));
	IS_REFUSED("time-offset-needs-own-time", PROGRAM,
		   STEPS(RAMET_TIME_OFFSET(CLOCK_BOOTTIME, 1, 0)));
	IS_REFUSED("time-offset-needs-own-memory", .fn = body, .share = RAMET_MEMORY,
		   .fresh = RAMET_TIME, .options = RAMET_NO_LIBC,
		   STEPS(RAMET_TIME_OFFSET(CLOCK_BOOTTIME, 1, 0)));
	IS_REFUSED("lo-needs-own-net", PROGRAM, STEPS(RAMET_LO_UP()));
	IS_REFUSED("identity-needs-own-memory", .fn = body, .share = RAMET_MEMORY,
		   .options = RAMET_NO_LIBC, STEPS(RAMET_JOIN(3, CLONE_NEWUSER)));
	IS_REFUSED("identity-needs-own-memory", .fn = body, .share = RAMET_MEMORY,
		   .options = RAMET_NO_LIBC, STEPS(RAMET_OOM_SCORE_ADJ(1)));
	IS_REFUSED("init-needs-program", .fn = body, STEPS(RAMET_JOIN(3, CLONE_NEWPID)));
}

/* Which step a refusal is about. */
static void test_refused_kind(void)
{
	const struct ramet_spec specs[] = {
		RAMET_SPEC(PROGRAM, STEPS(RAMET_SETSID(), RAMET_KEEP(-1), RAMET_CWD("/"))),
		RAMET_SPEC(PROGRAM, STEPS(RAMET_CWD("/"), RAMET_HOSTNAME("x"), RAMET_SETSID())),
		RAMET_SPEC(PROGRAM, STEPS(RAMET_SETPGID(0), RAMET_SETSID(), RAMET_CWD("/"))),
		RAMET_SPEC(PROGRAM, .fn = body, STEPS(RAMET_CWD("/"))),
	};
	static const uint32_t kinds[] = {RAMET_STEP_KEEP, RAMET_STEP_HOSTNAME, RAMET_STEP_SETPGID,
					 0};
	struct plan_refusal why;
	struct plan plan;

	for (unsigned i = 0; i < 4; i++) {
		const int r = plan_make(&specs[i], false, &usual, &plan, &why);

		ok(r < 0 && why.kind == kinds[i], "%s is about %s", why.id,
		   kinds[i] ? ramet_step_name(kinds[i]) : "no step");
	}
}

/* The kernel's own rules that need nothing but the call speak before the launch, too. */
static void test_refused_by_kernel(void)
{
	IS_REFUSED("sighand-needs-memory", PROGRAM, .share = RAMET_SIGHAND);
	IS_REFUSED("fs-with-new-mounts", PROGRAM, .share = RAMET_FS, .fresh = RAMET_MNT);
	is_refused_on(&usual, "sighand-needs-memory", true, RAMET_SPEC(.share = RAMET_SIGHAND));
}

/* Of templates, not of plans: tests/oracle/template.c. */
static bool is_of_templates(const char *id)
{
	return !strncmp(id, "template-", 9);
}

static void test_every_rule(void)
{
	static const char *const ids[] = {
#define RULE(constant, id, why, mend) id,
#include "launch/rules.def"
	};

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		bool found = false;

		for (unsigned h = 0; h < hits; h++)
			found = found || !strcmp(hit[h], ids[i]);
		ok(found || is_of_templates(ids[i]), "rule %s has refused something", ids[i]);
		for (size_t j = 0; j < i; j++)
			if (!strcmp(ids[j], ids[i]))
				ok(false, "%s is there twice", ids[i]);
	}
}

int main(void)
{
	test_refused_specs();
	test_refused_begun();
	test_refused_steps();
	test_refused_attributes();
	test_refused_kind();
	test_refused_by_kernel();
	test_every_rule();
	return tap_done();
}
