/* SPDX-License-Identifier: MIT */
/*
 * What a thread of libramet's has of its own and what it does before its body, seen in the kernel;
 * what is refused, by which rule, and that the kernel refuses it too; steps that fail, after which
 * nothing is left.
 */
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ramet/thread.h>

#include "oracle/hosted.h"
#include "oracle/kernel.h"
#include "tap.h"

#define NPTL RAMET_THREAD_NPTL
#define BODY_RAN ((void *)1)

static void *run_nothing(void *arg)
{
	(void)arg;
	return BODY_RAN;
}

/* What fn(arg) gives in a thread of these attributes, or what create said. */
static intptr_t in_thread(const struct ramet_thread_attr *attr, void *(*fn)(void *), void *arg)
{
	struct ramet_thread *thread;
	void *result;
	int r = ramet_thread_create(attr, fn, arg, &thread);

	if (!r)
		r = ramet_thread_join(thread, &result);
	return r ? r : (intptr_t)result;
}

static void entry(char *path, size_t size, int tid, const char *name)
{
	snprintf(path, size, "/proc/self/task/%d/ns/%s", tid, name);
}

static int tasks(void)
{
	DIR *dir = opendir("/proc/self/task");
	int n = 0;

	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n - 2;
}

/* A thread that was joined may be seen in /proc a little longer. */
static int tasks_left(void)
{
	for (int i = 0; i < 1000 && tasks() > 1; i++)
		usleep(1000);
	return tasks();
}

static int descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	while (dir && readdir(dir))
		n++;
	if (dir)
		closedir(dir);
	return n;
}

/* ---- Namespaces ---- */

static const struct {
	uint64_t flag;
	const char *name;
} namespaces[] = {
	{CLONE_NEWNS, "mnt"},
	{CLONE_NEWNET, "net"},
	{CLONE_NEWUTS, "uts"},
	{CLONE_NEWIPC, "ipc"},
	{CLONE_NEWCGROUP, "cgroup"},
	{CLONE_NEWPID, "pid_for_children"},
	{CLONE_NEWTIME, "time_for_children"},
};
#define NAMESPACES (sizeof(namespaces) / sizeof(namespaces[0]))

/* Bits of `namespaces` in which the calling thread is elsewhere than the main thread. */
static void *compare_namespaces(void *arg)
{
	uintptr_t differ = 0;

	(void)arg;
	for (size_t i = 0; i < NAMESPACES; i++) {
		char path[64], mine[64] = "", its[64] = "";

		entry(path, sizeof(path), gettid(), namespaces[i].name);
		/* A pid namespace has no name before its first task. */
		if (readlink(path, mine, sizeof(mine) - 1) < 0)
			strcpy(mine, "new");
		entry(path, sizeof(path), getpid(), namespaces[i].name);
		if (readlink(path, its, sizeof(its) - 1) > 0 && strcmp(mine, its) != 0)
			differ |= 1u << i;
	}
	return (void *)differ;
}

static void test_namespaces(void)
{
	uint64_t all = 0;
	intptr_t r;

	is_int(in_thread(NULL, compare_namespaces, NULL), 0, "a thread has the process's");
	for (size_t i = 0; i < NAMESPACES; i++) {
		r = in_thread(&RAMET_THREAD_ATTR(.flags = NPTL | namespaces[i].flag),
			      compare_namespaces, NULL);
		if (r == -EINVAL && namespaces[i].flag == CLONE_NEWTIME) {
			skip(1, "no time namespaces");
			continue;
		}
		all |= namespaces[i].flag;
		is_int(r, 1 << i, "its own %s, and nothing else", namespaces[i].name);
	}
	r = in_thread(&RAMET_THREAD_ATTR(.flags = NPTL | all), compare_namespaces, NULL);
	ok(r > 0 && __builtin_popcountl((unsigned long)r) == __builtin_popcountll(all),
	   "all of them together");
	is_int((intptr_t)compare_namespaces(NULL), 0, "the caller's are as before");
	is_int(in_thread(&RAMET_THREAD_ATTR(.flags = NPTL | CLONE_NEWNS,
					    .steps = RAMET_STEPS(RAMET_CWD("/proc"))),
			 run_nothing, NULL),
	       1, "mounts of its own bring a directory of its own");
}

/* A child of this thread is the first of its pid namespace; one of another thread is not. */
static void *make_child(void *arg)
{
	int status = -1;
	const pid_t pid = fork();

	(void)arg;
	if (!pid)
		_exit(getpid() == 1 ? 41 : 42);
	waitpid(pid, &status, 0);
	return (void *)(intptr_t)WEXITSTATUS(status);
}

static struct ramet_sem let_it_end;

static void *stay(void *arg)
{
	(void)arg;
	ramet_sem_wait(&let_it_end);
	return NULL;
}

static void test_children_and_joins(void)
{
	struct ramet_thread *other;
	struct ramet_error error = {0};
	char path[64];
	int fd, pidfd;

	is_int(in_thread(&RAMET_THREAD_ATTR(.flags = NPTL | CLONE_NEWPID), make_child, NULL), 41,
	       "a new pid namespace is for the thread's children");
	is_int(in_thread(NULL, make_child, NULL), 42, "not for another thread's");

	ramet_sem_init(&let_it_end, 0);
	if (ramet_thread_create(&RAMET_THREAD_ATTR(.flags = NPTL | CLONE_NEWUTS | CLONE_NEWNS),
				stay, NULL, &other))
		return (void)ok(false, "a thread with namespaces");
	entry(path, sizeof(path), ramet_thread_tid(other), "uts");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	is_int(in_thread(&RAMET_THREAD_ATTR(.steps = RAMET_STEPS(RAMET_JOIN(fd, CLONE_NEWUTS))),
			 compare_namespaces, NULL),
	       1 << 2, "joins another thread's uts");
	close(fd);
	entry(path, sizeof(path), ramet_thread_tid(other), "mnt");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	is_int(in_thread(&RAMET_THREAD_ATTR(.error = &error,
					    .steps = RAMET_STEPS(RAMET_JOIN(fd, CLONE_NEWNS))),
			 compare_namespaces, NULL),
	       -EINVAL, "mnt, with fs shared");
	is_str(error.rule, "setns-mnt-with-shared-fs", "is the kernel's rule");
	is_int(in_thread(&RAMET_THREAD_ATTR(.flags = NPTL & ~CLONE_FS,
					    .steps = RAMET_STEPS(RAMET_JOIN(fd, CLONE_NEWNS))),
			 compare_namespaces, NULL),
	       1 << 0, "with fs of its own it joins mnt");
	close(fd);
	/* Of a descriptor that is none the kernel speaks, and the rule is found afterwards. */
	is_int(in_thread(&RAMET_THREAD_ATTR(.error = &error,
					    .steps = RAMET_STEPS(RAMET_JOIN(9999, CLONE_NEWUTS))),
			 run_nothing, NULL),
	       -EBADF, "a descriptor that is not open");
	is_str(error.rule, "setns-descriptor-not-open", "is told by its rule");
	is_int(error.stage, RAMET_STAGE_STEP, "as a step");

	memset(&error, 'A', sizeof(error)); /* as it comes off a stack */
	is_int(in_thread(&RAMET_THREAD_ATTR(.error = &error, .options = 1u << 9), run_nothing,
			 NULL),
	       -EINVAL, "an option that is none");
	is_int(error.error, EINVAL, "is told as well");

	pidfd = ramet_thread_pidfd(other);
	if (pidfd < 0) {
		skip(1, "pidfds of threads came with Linux 6.9");
	} else {
		is_int(in_thread(&RAMET_THREAD_ATTR(.steps = RAMET_STEPS(
							    RAMET_JOIN(pidfd, CLONE_NEWUTS))),
				 compare_namespaces, NULL),
		       1 << 2, "joins by the thread's pidfd");
		close(pidfd);
	}
	ramet_sem_post(&let_it_end);
	ramet_thread_join(other, NULL);
}

/* ---- Tables ---- */

static void *close_one(void *arg)
{
	close((int)(intptr_t)arg);
	return BODY_RAN;
}

static void *move(void *arg)
{
	char cwd[64];
	const mode_t mask = umask(0111);

	umask(mask);
	if (chdir("/proc"))
		return NULL;
	umask(0123);
	return arg && getcwd(cwd, sizeof(cwd)) && !strcmp(cwd, "/proc") ? BODY_RAN : NULL;
}

static void *has_other_undo(void *arg)
{
	const int sysvsem = 6; /* KCMP_SYSVSEM */

	(void)arg;
	return (void *)syscall(SYS_kcmp, getpid(), gettid(), sysvsem, 0, 0);
}

static void test_tables(void)
{
	const int fd = open("/", O_PATH | O_CLOEXEC);
	const mode_t before = umask(022);
	struct sembuf undo = {.sem_op = 1, .sem_flg = SEM_UNDO};
	char cwd[64];
	int set;

	in_thread(&RAMET_THREAD_ATTR(.flags = NPTL & ~CLONE_FILES), close_one,
		  (void *)(intptr_t)fd);
	ok(fcntl(fd, F_GETFD) >= 0, "files of its own: what it closes is open elsewhere");
	in_thread(NULL, close_one, (void *)(intptr_t)fd);
	ok(fcntl(fd, F_GETFD) < 0, "else it is closed for all");

	if (chdir("/"))
		return (void)ok(false, "chdir");
	is_int(in_thread(&RAMET_THREAD_ATTR(.flags = NPTL & ~CLONE_FS), move, BODY_RAN), 1,
	       "fs of its own: it goes elsewhere");
	ok(getcwd(cwd, sizeof(cwd)) && !strcmp(cwd, "/"), "and the others do not");
	is_int(umask(022), 022, "nor is their umask another");
	is_int(in_thread(&RAMET_THREAD_ATTR(.flags = NPTL & ~CLONE_FS,
					    .steps = RAMET_STEPS(RAMET_CWD("/proc"))),
			 move, BODY_RAN),
	       1, "a step may do that for it");
	umask(before);

	set = semget(IPC_PRIVATE, 1, 0600);
	semop(set, &undo, 1);
	if ((intptr_t)has_other_undo(NULL) != 0) {
		skip(2, "no kcmp");
	} else {
		is_int(in_thread(NULL, has_other_undo, NULL), 0, "a thread shares the undo list");
		ok(in_thread(&RAMET_THREAD_ATTR(.flags = NPTL & ~CLONE_SYSVSEM), has_other_undo,
			     NULL) > 0,
		   "or does not");
	}
	semctl(set, 0, IPC_RMID);
}

/* ---- Other steps ---- */

static void *see_steps(void *arg)
{
	char name[65] = "";
	const unsigned long one[16] = {1};
	unsigned long cpus[16] = {0};

	(void)arg;
	if (gethostname(name, sizeof(name)) || strcmp(name, "inside") != 0)
		return (void *)2;
	if (getpriority(PRIO_PROCESS, (id_t)gettid()) != 7)
		return (void *)3;
	/* The call itself: musl's function says ENOSYS. */
	if (syscall(SYS_sched_getscheduler, 0) != SCHED_BATCH)
		return (void *)4;
	if (prctl(PR_GET_TIMERSLACK) != 77777)
		return (void *)5;
	if (syscall(SYS_sched_getaffinity, 0, sizeof(cpus), cpus) < 0 ||
	    memcmp(cpus, one, sizeof(cpus)) != 0)
		return (void *)6;
	return BODY_RAN;
}

static void test_steps(void)
{
	const unsigned long one[16] = {1};
	const struct ramet_thread_attr attr =
		RAMET_THREAD_ATTR(.flags = NPTL | CLONE_NEWUTS, .cpus = one,
				  .cpus_size = sizeof(one),
				  .steps = RAMET_STEPS(RAMET_NICE(7), RAMET_SCHED(SCHED_BATCH, 0),
						       RAMET_TIMER_SLACK(77777),
						       RAMET_HOSTNAME("inside")));
	char before[65] = "", after[65] = "";

	gethostname(before, sizeof(before));
	is_int(in_thread(&attr, see_steps, NULL), 1,
	       "host name, nice, policy, slack, processors: steps before the body");
	gethostname(after, sizeof(after));
	is_str(after, before, "the host's name is as before");
	is_int(getpriority(PRIO_PROCESS, 0), 0, "the main thread's nice value too");
}

static void *see_cgroup(void *arg)
{
	static char text[4096];
	char path[64];
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), "/proc/self/task/%d/cgroup", gettid());
	f = fopen(path, "re");
	n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;
	text[n] = 0;
	if (f)
		fclose(f);
	return strstr(text, arg) ? BODY_RAN : text;
}

static bool put(const char *dir, const char *name, const char *text)
{
	char path[512];
	int fd;
	bool good;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	if (fd >= 0)
		close(fd);
	return good;
}

static char domain[300], threaded[320];

static int in_domain(void)
{
	struct ramet_thread *none;
	struct ramet_error error;
	const struct ramet_step *into = RAMET_STEPS(RAMET_CGROUP_DIR(threaded)),
				*nowhere = RAMET_STEPS(RAMET_CGROUP_DIR("/proc"));
	intptr_t r;

	if (!put(domain, "cgroup.procs", "0"))
		return 2;
	r = in_thread(&RAMET_THREAD_ATTR(.steps = into), see_cgroup, strrchr(threaded, '/'));
	if (r != 1)
		return 3;
	if (see_cgroup(strrchr(threaded, '/')) == BODY_RAN)
		return 4;
	if (ramet_thread_create(&RAMET_THREAD_ATTR(.steps = nowhere, .error = &error), run_nothing,
				NULL, &none) != -ENOENT ||
	    error.kind != RAMET_STEP_CGROUP)
		return 5;
	return 1;
}

static void test_cgroup(void)
{
	const char *top = kernel_cgroup2();

	snprintf(domain, sizeof(domain), "%s/ramet-test-threads-%d", top, getpid());
	snprintf(threaded, sizeof(threaded), "%s/part", domain);
	if (!*top || mkdir(domain, 0755)) {
		skip(1, "no cgroup2 to make a cgroup in");
		return;
	}
	if (mkdir(threaded, 0755) || !put(threaded, "cgroup.type", "threaded"))
		skip(1, "no threaded cgroups");
	else
		is_int(in_process(in_domain), 1, "a thread is moved to a threaded cgroup alone");
	rmdir(threaded);
	rmdir(domain);
}

/* ---- Refusals ---- */

static void test_refusals(void)
{
	/* The machine's own: with the refusal broken nothing has another name. */
	static char named[HOST_NAME_MAX + 1];
	const struct {
		const char *rule;
		struct ramet_thread_attr attr;
		uint64_t unshare; /* what the kernel is asked in its stead */
	} rows[] = {
		{"new-user-among-threads", {.flags = NPTL | CLONE_NEWUSER}, CLONE_NEWUSER},
		{"unshare-among-threads", {.flags = NPTL & ~CLONE_SIGHAND}, CLONE_SIGHAND},
		{"unshare-among-threads", {.flags = NPTL & ~CLONE_VM}, CLONE_VM},
		{"unshare-among-threads", {.flags = RAMET_THREAD_LINUXTHREADS}, CLONE_THREAD},
		{"thread-flags", {.flags = NPTL | CLONE_IO}, 0},
		{"thread-flags", {.flags = NPTL | CLONE_VFORK}, 0},
		{"thread-flags", {.flags = NPTL | CLONE_INTO_CGROUP}, 0},
		{"thread-signals", {.exit_signal = SIGCHLD}, 0},
		{"thread-signals", {.death_signal = SIGTERM}, 0},
		{"thread-steps", {.steps = RAMET_STEPS(RAMET_UID(0))}, 0},
		{"thread-steps", {.steps = RAMET_STEPS(RAMET_SETSID())}, 0},
		{"thread-steps", {.steps = RAMET_STEPS(RAMET_DUP(0, 5))}, 0},
		{"thread-step-needs-own", {.steps = RAMET_STEPS(RAMET_CWD("/"))}, 0},
		{"thread-step-needs-own", {.steps = RAMET_STEPS(RAMET_UMASK(0))}, 0},
		{"thread-step-needs-own", {.steps = RAMET_STEPS(RAMET_HOSTNAME(named))}, 0},
		{"thread-step-needs-own", {.steps = RAMET_STEPS(RAMET_LO_UP())}, 0},
		{"thread-step-needs-own", {.steps = RAMET_STEPS(RAMET_PRIVATE_MOUNTS())}, 0},
		{"setns-user-among-threads",
		 {.steps = RAMET_STEPS(RAMET_JOIN(0, CLONE_NEWUSER))},
		 0},
	};

	gethostname(named, sizeof(named));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ramet_thread_attr attr = rows[i].attr;
		struct ramet_thread *none = NULL;
		struct ramet_error error = {0};
		char line[400];

		attr.size = sizeof(attr);
		attr.error = &error;
		is_int(ramet_thread_create(&attr, run_nothing, NULL, &none), -EINVAL,
		       "row %zu is refused", i);
		is_str(error.rule, rows[i].rule, "by its rule");
		ok(!none && error.stage == RAMET_STAGE_CHECK && error.why && error.mend &&
			   ramet_error_format(&error, line, sizeof(line)) > 0,
		   "before there is a thread, with the reason");
	}
	is_int(tasks_left(), 1, "no thread is left of that");
}

static uint64_t to_unshare;

static void *unshare_it(void *arg)
{
	(void)arg;
	return (void *)(intptr_t)(unshare((int)to_unshare) ? -errno : 0);
}

static void test_kernel_agrees(void)
{
	static const uint64_t flags[] = {CLONE_NEWUSER, CLONE_SIGHAND, CLONE_VM, CLONE_THREAD};

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		to_unshare = flags[i];
		is_int(in_thread(NULL, unshare_it, NULL), -EINVAL,
		       "the kernel refuses that among threads too");
	}
}

/* Kilobytes of private memory, stacks among them. */
static long memory(void)
{
	char text[256];
	FILE *f = fopen("/proc/self/status", "re");
	long n = -1;

	while (f && fgets(text, sizeof(text), f))
		sscanf(text, "VmData: %ld", &n);
	if (f)
		fclose(f);
	return n;
}

/* As somebody who may not, with a step before and one after it. */
static int fail_as_nobody(void)
{
	const struct ramet_thread_attr attr =
		RAMET_THREAD_ATTR(.flags = (NPTL & ~CLONE_FILES) | CLONE_NEWNET,
				  .options = RAMET_THREAD_DETACHED,
				  .steps = RAMET_STEPS(RAMET_NICE(5)));
	struct ramet_thread_attr with_error = attr;
	struct ramet_thread *none = NULL;
	struct ramet_error error = {0};
	const int fds = descriptors();
	char line[400];
	long before = 0;

	if (setgroups(0, NULL) || setgid(65534) || setuid(65534))
		return 2;
	with_error.error = &error;
	for (int i = 0; i < 50; i++) {
		if (ramet_thread_create(i ? &attr : &with_error, run_nothing, NULL, &none) !=
		    -EPERM)
			return 3;
		if (i == 5)
			before = memory();
	}
	if (memory() > before + 256 * 10)
		return 8;
	if (none || error.error != EPERM || error.stage != RAMET_STAGE_STEP || error.step != 2 ||
	    error.step_count != 3 || error.kind != RAMET_STEP_UNSHARE)
		return 4;
	if (!error.rule || strcmp(error.rule, "new-namespace-needs-admin") != 0 || !error.why ||
	    !strstr(error.detail, "CLONE_NEWNET"))
		return 5;
	ramet_error_format(&error, line, sizeof(line));
	if (!strstr(line, "step 2 of 3"))
		return 6;
	if (tasks_left() != 1 || descriptors() != fds)
		return 7;
	return 1;
}

static void test_failing_steps(void)
{
	const unsigned long no_cpu[16] = {0};
	struct ramet_error error = {0};

	is_int(in_process(fail_as_nobody), 1,
	       "a step that the kernel refuses: which, why, and nothing is left");
	is_int(in_thread(&RAMET_THREAD_ATTR(.cpus = no_cpu, .cpus_size = sizeof(no_cpu),
					    .error = &error),
			 run_nothing, NULL),
	       -EINVAL, "no processor to run on");
	is_int(error.kind, RAMET_STEP_AFFINITY, "is the step that failed");
	is_int(in_thread(&RAMET_THREAD_ATTR(.flags = NPTL & ~CLONE_FS,
					    .steps = RAMET_STEPS(RAMET_CWD("/nowhere"))),
			 run_nothing, NULL),
	       -ENOENT, "no such directory; nobody asks for the error");
	is_int(tasks_left(), 1, "no thread is left");
}

static void test_arguments(void)
{
	struct ramet_thread *thread = NULL;
	struct ramet_thread_attr attr = RAMET_THREAD_ATTR();

	attr.size--;
	is_int(ramet_thread_create(&attr, run_nothing, NULL, &thread), -EINVAL, "another size");
	is_int(ramet_thread_create(NULL, run_nothing, NULL, NULL), -EINVAL, "nobody could join it");
	is_int(ramet_thread_create(&RAMET_THREAD_ATTR(.stack_size = 100), run_nothing, NULL,
				   &thread),
	       -EINVAL, "no room for a frame");
	is_int(ramet_thread_create(&RAMET_THREAD_ATTR(.options = 1u << 31), run_nothing, NULL,
				   &thread),
	       -EINVAL, "an option that nobody knows");
	ok(!thread, "no handle is written");
}

int main(void)
{
	test_arguments();
	test_refusals();
	test_kernel_agrees();
	test_tables();
	if (geteuid() == 0) {
		test_namespaces();
		test_children_and_joins();
		test_steps();
		test_cgroup();
		test_failing_steps();
	} else {
		skip(1, "namespaces need root");
	}
	return tap_done();
}
