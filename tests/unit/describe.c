/* SPDX-License-Identifier: MIT */
/* Every kind of step and every stage of an error in words; texts cut short are cut cleanly. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

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
	is_step((struct ramet_step)RAMET_INIT(), "stay behind as reaper, run the rest in a child");
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
	is_step(STEP(EXEC, .number = -1, .paths = one), "exec /bin/true");
	is_step(STEP(EXEC, .number = -1, .paths = two), "exec true along PATH");
	is_step(STEP(EXEC, .number = 0, .paths = one), "exec descriptor 0 as /bin/true");
	is_step(STEP(CALL), "call the function");
}

#define NO_LIMIT (~0ULL)

static void test_attributes(void)
{
	is_step((struct ramet_step)RAMET_RLIMIT(RLIMIT_NOFILE, 64, 128), "limit nofile to 64:128");
	is_step((struct ramet_step)RAMET_RLIMIT(RLIMIT_CORE, 0, NO_LIMIT),
		"limit core to 0:unlimited");
	is_step((struct ramet_step)RAMET_RLIMIT(99, NO_LIMIT, NO_LIMIT),
		"limit 99 to unlimited:unlimited");
	is_step((struct ramet_step)RAMET_NICE(-5), "set nice to -5");
	is_step((struct ramet_step)RAMET_SCHED(SCHED_FIFO, 3),
		"set scheduling policy fifo, priority 3");
	is_step((struct ramet_step)RAMET_SCHED(77, 0), "set scheduling policy 77, priority 0");
	is_step((struct ramet_step)RAMET_IOPRIO(2, 7), "set I/O priority best-effort, level 7");
	is_step((struct ramet_step)RAMET_IOPRIO(6, 0), "set I/O priority 6, level 0");
	is_step((struct ramet_step)RAMET_AFFINITY(8, "\1\0\0\0\0\0\0\0"), "set processor affinity");
	is_step((struct ramet_step)RAMET_OOM_SCORE_ADJ(-1000), "set oom_score_adj to -1000");
	is_step((struct ramet_step)RAMET_PERSONALITY(0x40000), "set personality 0x40000");
	is_step((struct ramet_step)RAMET_PDEATHSIG(SIGTERM), "get SIGTERM when the launcher ends");
	is_step((struct ramet_step)RAMET_TIMER_SLACK(1000), "set timer slack to 1000 ns");
	is_step((struct ramet_step)RAMET_SUBREAPER(), "become reaper of orphans below");
	is_step((struct ramet_step)RAMET_CTTY(4), "make descriptor 4 the controlling terminal");
	is_step((struct ramet_step)RAMET_FOREGROUND(4), "take the foreground of terminal 4");
	is_step((struct ramet_step)RAMET_TIME_OFFSET(CLOCK_BOOTTIME, 3600, 5),
		"shift clock boottime by 3600 s and 5 ns");
	is_step((struct ramet_step)RAMET_TIME_OFFSET(CLOCK_MONOTONIC, -1, 0),
		"shift clock monotonic by -1 s");
	is_step((struct ramet_step)RAMET_TIME_OFFSET(CLOCK_REALTIME, 1, 0), "shift clock 0 by 1 s");
	is_step((struct ramet_step)RAMET_LO_UP(), "bring up lo");
	is_step((struct ramet_step)RAMET_CGROUP_DIR("/sys/fs/cgroup/a"),
		"enter cgroup /sys/fs/cgroup/a");
	is_step((struct ramet_step)RAMET_SECCOMP(8, "filter.."), "load a system call filter");
}

static void test_capabilities(void)
{
	is_step((struct ramet_step)RAMET_SECUREBITS(0x2f), "set securebits 0x2f");
	is_step((struct ramet_step)RAMET_BOUNDING(0), "bound capabilities to none");
	is_step((struct ramet_step)RAMET_BOUNDING(0x1ffffffffff),
		"bound capabilities to 0x1ffffffffff");
	is_step((struct ramet_step)RAMET_BOUNDING(0xff),
		"bound capabilities to chown,dac_override,dac_read_search,fowner,fsetid,kill,"
		"setgid,setuid");
	is_step(STEP(KEEP_CAPS), "keep capabilities through the change of user");
	is_step((struct ramet_step)RAMET_CAPS(1ULL << 10, 0),
		"set capabilities net_bind_service, inheritable none");
	is_step((struct ramet_step)RAMET_CAPS(1ULL << 40 | 1, 1ULL << 63),
		"set capabilities chown,checkpoint_restore, inheritable 63");
	is_step((struct ramet_step)RAMET_AMBIENT(1ULL << 21), "set ambient capabilities sys_admin");
}

static void test_mounts(void)
{
	is_step((struct ramet_step)RAMET_JOIN(7, CLONE_NEWNET | CLONE_NEWPID),
		"join namespaces CLONE_NEWPID|CLONE_NEWNET of descriptor 7");
	is_step(STEP(PRIVATE_MOUNTS, .number = 1), "make mounts slave");
	is_step(STEP(PRIVATE_MOUNTS, .number = 2), "make mounts shared");
	is_step(STEP(PRIVATE_MOUNTS, .number = 3), "make mounts 3");
	is_step((struct ramet_step)RAMET_ROOT("/srv"), "take /srv as the root");
	is_step(STEP(PIVOT), "leave the old root behind");
	is_step((struct ramet_step)RAMET_BIND("/a", "/b"), "bind /a to /b");
	is_step((struct ramet_step)RAMET_BIND("/a", "/b", .read_only = 1, .recursive = 1),
		"bind all of /a to /b, read-only");
	is_step((struct ramet_step)RAMET_TMPFS("/tmp"), "mount tmpfs on /tmp");
	is_step((struct ramet_step)RAMET_LANDLOCK("/usr", 0),
		"allow reading and execution below /usr");
	is_step((struct ramet_step)RAMET_LANDLOCK("/tmp", 1), "allow everything below /tmp");
	is_step(STEP(OWN_TABLE, .first = 10, .last = ~0U),
		"take a descriptor table without 10 and up");
	is_step(STEP(FETCH, .number = 900), "fetch descriptor 900");
	is_step(STEP(UNSHARE, .mask = CLONE_NEWNS | CLONE_NEWUTS),
		"make new CLONE_NEWNS|CLONE_NEWUTS");
	is_step(STEP(ENTER_CGROUP, .number = 6), "enter the cgroup of descriptor 6");
	is_step(STEP(WITNESS, .number = 8), "hold descriptor 8 until the program runs");
	is_step(STEP(RESTRICT), "deny all other paths");
}

static void test_all_described(void)
{
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
	is_error((struct ramet_error){.error = EINVAL,
				      .stage = RAMET_STAGE_CHECK,
				      .rule = "some-rule",
				      .why = "It cannot be.",
				      .detail = "nice"},
		 "refused before launch: nice: It cannot be (EINVAL, rule some-rule)");
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
	test_attributes();
	test_capabilities();
	test_mounts();
	test_all_described();
	test_errors();
	return tap_done();
}
