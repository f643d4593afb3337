/* SPDX-License-Identifier: MIT */
/* Every kind of step and every stage of an error in words; texts cut short are cut cleanly. */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "tap.h"
#include "child/child.h"
#include "launch/plan.h"

#define STEP(kind_, ...) ((struct ramet_step){.kind = RAMET_STEP_##kind_, ##__VA_ARGS__})

static bool described[RAMET_STEP_COUNT_];

static void is_step(struct ramet_step step, const char *want)
{
	char text[256], cut[256];
	const int n = step_describe(&step, text, sizeof(text));
	unsigned wrong = 0;

	described[step.kind] = true;
	is_str(text, want, "%s", ramet_step_name(step.kind));
	for (int size = 0; size <= n + 1; size++) {
		memset(cut, 'x', sizeof(cut));
		wrong += step_describe(&step, cut, (size_t)size) != n || cut[size] != 'x' ||
			 (size && strlen(cut) != (size_t)size - 1) ||
			 (size && strncmp(cut, text, (size_t)size - 1) != 0);
	}
	is_int(wrong, 0, "and is cut cleanly at every length");
}

static void test_steps(void)
{
	static const gid_t groups[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
	static const char *const one[] = {"/bin/true", NULL};
	static const char *const two[] = {"/bin/true", "/usr/bin/true", NULL};

	is_step(STEP(WAIT_GO), "wait for the caller's side");
	is_step((struct ramet_step)RAMET_ID_MAP(NULL, NULL),
		"write id maps uid 0 (own) 1, gid 0 (own) 1");
	is_step((struct ramet_step)RAMET_ID_MAP("0 5 1\n1 9 2", "0 7 1"),
		"write id maps uid 0 5 1;1 9 2, gid 0 7 1");
	is_step(STEP(GUARD_MEMORY), "make the shared memory unreadable until exec");
	is_step((struct ramet_step)RAMET_INIT(), "stay as init, run the rest in a child");
	is_step((struct ramet_step)RAMET_SETSID(), "begin a new session");
	is_step((struct ramet_step)RAMET_SETPGID(12), "join process group 12");
	is_step((struct ramet_step)RAMET_HOSTNAME("box"), "set the host name to box");
	is_step((struct ramet_step)RAMET_PRIVATE_MOUNTS(), "make mounts private");
	is_step((struct ramet_step)RAMET_PROC("/proc"), "mount procfs on /proc");
	is_step((struct ramet_step)RAMET_GROUPS(0, NULL), "set supplementary groups to none");
	is_step((struct ramet_step)RAMET_GROUPS(1, groups), "set supplementary groups 1");
	is_step((struct ramet_step)RAMET_GROUPS(8, groups),
		"set supplementary groups 1,2,3,4,5,6,7,8");
	is_step((struct ramet_step)RAMET_GROUPS(9, groups),
		"set supplementary groups 1,2,3,4,5,6,7,8,...");
	is_step((struct ramet_step)RAMET_KEEP_GROUPS(), "keep supplementary groups");
	is_step((struct ramet_step)RAMET_GID(65534), "become group 65534");
	is_step((struct ramet_step)RAMET_UID(1000), "become user 1000");
	is_step((struct ramet_step)RAMET_UID(4294967294u), "become user 4294967294");
	is_step((struct ramet_step)RAMET_CWD("/tmp"), "chdir to /tmp");
	is_step((struct ramet_step)RAMET_UMASK(022), "set umask 022");
	is_step((struct ramet_step)RAMET_DUP(3, 1), "make descriptor 3 descriptor 1");
	is_step((struct ramet_step)RAMET_DUP(3, CHILD_FD_LIFTED),
		"make descriptor 3 descriptor (lifted)");
	is_step((struct ramet_step)RAMET_KEEP(9), "keep descriptor 9 open");
	is_step((struct ramet_step)RAMET_CLOSE_REST(), "close all other descriptors");
	is_step(STEP(CLOSE_RANGE, .first = 3, .last = ~0u), "close descriptors 3 and up");
	is_step(STEP(CLOSE_RANGE, .first = 3, .last = 7), "close descriptors 3 to 7");
	is_step(STEP(CLOSE_RANGE, .first = 3, .last = 3), "close descriptors 3");
	is_step((struct ramet_step)RAMET_NO_NEW_PRIVS(), "give up gaining privileges");
	is_step((struct ramet_step)RAMET_SIGNAL_DEFAULT(0), "set all signals to default");
	is_step((struct ramet_step)RAMET_SIGNAL_IGNORE(SIGPIPE), "set SIGPIPE to ignored");
	is_step((struct ramet_step)RAMET_SIGMASK(0x10), "block signals 0x10");
	is_step(STEP(EXEC, .paths = one), "exec /bin/true");
	is_step(STEP(EXEC, .paths = two), "exec true along PATH");
	is_step(STEP(CALL), "call the function");

	for (uint32_t kind = 1; kind < RAMET_STEP_COUNT_; kind++)
		ok(described[kind], "%s is described here", ramet_step_name(kind));
}

static void is_error(struct ramet_error error, const char *want)
{
	char text[512], cut[512];
	const int n = ramet_error_format(&error, text, sizeof(text));

	is_str(text, want, "stage %d", error.stage);
	is_int(n, strlen(want), "and its length");
	memset(cut, 'x', sizeof(cut));
	ok(ramet_error_format(&error, cut, 8) == n && strlen(cut) == 7 && cut[8] == 'x',
	   "and is cut cleanly");
	is_int(ramet_error_format(&error, NULL, 0), n, "and measured");
}

static void test_errors(void)
{
	is_error((struct ramet_error){.error = EINVAL,
				      .stage = RAMET_STAGE_CHECK,
				      .rule = "some-rule",
				      .why = "It cannot be.",
				      .mend = "Do without."},
		 "refused before launch: It cannot be (EINVAL, rule some-rule)");
	is_error((struct ramet_error){.error = ENOMEM, .stage = RAMET_STAGE_PREPARE},
		 strerror(ENOMEM));
	is_error((struct ramet_error){.error = EPERM,
				      .stage = RAMET_STAGE_CLONE,
				      .rule = "some-rule",
				      .why = "It may not be.",
				      .detail = "clone(CLONE_NEWUTS)"},
		 "clone(CLONE_NEWUTS): Operation not permitted: It may not be (rule some-rule)");
	is_error((struct ramet_error){.error = EPERM,
				      .stage = RAMET_STAGE_CLONE,
				      .detail = "clone(CLONE_NEWUTS)"},
		 "clone(CLONE_NEWUTS): Operation not permitted");
	is_error((struct ramet_error){.error = ENOENT,
				      .stage = RAMET_STAGE_STEP,
				      .step = 4,
				      .step_count = 7,
				      .kind = RAMET_STEP_CWD,
				      .detail = "chdir to /nope"},
		 "step 4 of 7, chdir to /nope: No such file or directory");
	is_error((struct ramet_error){.error = ECANCELED,
				      .stage = RAMET_STAGE_DIED,
				      .detail = "killed by SIGKILL"},
		 "the child ended before its body began, killed by SIGKILL: Operation canceled");
}

int main(void)
{
	test_steps();
	test_errors();
	return tap_done();
}
