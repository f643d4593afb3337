/* SPDX-License-Identifier: MIT */
/*
 * Steps about attributes, mounts and other tasks: what each does, seen by the program that is
 * started. In every way that can run it; beside the caller as another user.
 */
#include "lib/stage.h"

#define STEPS(...) SPEC(LOOK, .steps = RAMET_STEPS(__VA_ARGS__))
#define WITH(new_, ...) SPEC(LOOK, .fresh = (new_), .steps = RAMET_STEPS(__VA_ARGS__))

/* Where the dynamic loader is. */
#ifdef __x86_64__
#define LOADER "/lib64"
#else
#define LOADER "/lib"
#endif

#define CAP(number) (1ULL << (number))
#define NET_BIND CAP(10)
#define ADMIN CAP(21)

static struct look before; /* the launching process itself */

/* ---- What the program must have seen ----------------------------------------------------------- */

static void see_limits(const struct look *l)
{
	expect(l->limits[RLIMIT_NOFILE].rlim_cur == 150 && l->limits[RLIMIT_NOFILE].rlim_max == 200,
	       "nofile %lu", l->limits[RLIMIT_NOFILE].rlim_cur);
	expect(!l->limits[RLIMIT_CORE].rlim_max, "core %lu", l->limits[RLIMIT_CORE].rlim_max);
	expect(l->limits[RLIMIT_AS].rlim_cur == RLIM_INFINITY, "as %lu",
	       l->limits[RLIMIT_AS].rlim_cur);
}

static void see_nice(const struct look *l)
{
	expect(l->nice == 7, "%d", l->nice);
}

static void see_batch(const struct look *l)
{
	expect(l->policy == SCHED_BATCH, "%d", l->policy);
}

static void see_fifo(const struct look *l)
{
	expect(l->policy == (SCHED_FIFO | SCHED_RESET_ON_FORK) && l->priority == 3, "%#x, %d",
	       l->policy, l->priority);
}

static void see_ioprio(const struct look *l)
{
	expect(l->ioprio == (2 << 13 | 6), "%#x", l->ioprio);
}

static void see_affinity(const struct look *l)
{
	expect(l->affinity == one_cpu, "%#lx", l->affinity);
}

static void see_oom(const struct look *l)
{
	char text[40];

	expect(l->oom_score_adj == before.oom_score_adj + 5, "%d", l->oom_score_adj);
	look_text("/proc/self/oom_score_adj", text, sizeof(text));
	expect(atoi(text) == before.oom_score_adj, "the caller's is %s", text);
}

static void see_slack(const struct look *l)
{
	expect(l->slack == 1234, "%d", l->slack);
}

static void see_personality(const struct look *l)
{
	expect(l->personality == 0x0040000, "%#x", l->personality);
}

static void see_securebits(const struct look *l)
{
	expect(l->securebits == 3, "%#x", l->securebits);
	expect(!l->caps[CAPS_EFF], "root has %#lx", l->caps[CAPS_EFF]);
}

static void see_bounding(const struct look *l)
{
	const uint64_t want = before.caps[CAPS_BND] & (NET_BIND | ADMIN);

	expect(l->caps[CAPS_BND] == want, "%#lx", l->caps[CAPS_BND]);
	expect(!(l->caps[CAPS_PRM] & ~want), "permitted %#lx", l->caps[CAPS_PRM]);
}

static void see_ambient(const struct look *l)
{
	expect(l->uid == 65534, "uid %u", l->uid);
	expect(l->caps[CAPS_INH] == NET_BIND && l->caps[CAPS_PRM] == NET_BIND &&
		       l->caps[CAPS_EFF] == NET_BIND && l->caps[CAPS_AMB] == NET_BIND,
	       "%#lx %#lx %#lx %#lx", l->caps[CAPS_INH], l->caps[CAPS_PRM], l->caps[CAPS_EFF],
	       l->caps[CAPS_AMB]);
}

static void see_inheritable(const struct look *l)
{
	expect(l->caps[CAPS_INH] == ADMIN && !l->caps[CAPS_AMB], "%#lx, %#lx", l->caps[CAPS_INH],
	       l->caps[CAPS_AMB]);
}

static void see_plain_caps(const struct look *l)
{
	expect(!l->keep_caps && !l->caps[CAPS_INH] && !l->caps[CAPS_AMB], "%d %#lx %#lx",
	       l->keep_caps, l->caps[CAPS_INH], l->caps[CAPS_AMB]);
	expect(l->caps[CAPS_BND] == before.caps[CAPS_BND], "bounding %#lx", l->caps[CAPS_BND]);
}

static void see_pdeathsig(const struct look *l)
{
	expect(l->pdeathsig == SIGUSR1, "%d", l->pdeathsig);
}

static void see_subreaper(const struct look *l)
{
	expect(l->subreaper == 1, "%d", l->subreaper);
}

static void see_tty(const struct look *l)
{
	expect(l->has_tty && l->in_foreground && l->sid == l->pid, "%d %d, session %d of %d",
	       l->has_tty, l->in_foreground, l->sid, l->pid);
}

static void see_clocks(const struct look *l)
{
	const int64_t monotonic = l->monotonic - look_clock(CLOCK_MONOTONIC);
	const int64_t boottime = l->boottime - look_clock(CLOCK_BOOTTIME);

	expect(monotonic > 86300 && monotonic <= 86400, "monotonic by %ld", (long)monotonic);
	expect(boottime > 172700 && boottime <= 172801, "boottime by %ld", (long)boottime);
	expect(l->ns[NS_TIME] != before.ns[NS_TIME], "the same time namespace");
}

static void see_lo(const struct look *l)
{
	expect(l->lo_flags & IFF_UP, "%#x", l->lo_flags);
	expect(l->ns[NS_NET] != before.ns[NS_NET], "the same net namespace");
}

static void see_filter(const struct look *l)
{
	expect(l->seccomp == 2 && l->ppid == -77, "%d, parent %d", l->seccomp, l->ppid);
}

static void see_other(const struct look *l, bool net, bool uts, bool pid)
{
	struct look theirs = {0};
	char path[60];
	struct stat st;
	static const char *const names[] = {"net", "uts", "user", "pid"};

	for (unsigned i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "/proc/%d/ns/%s", other, names[i]);
		theirs.ns[i] = stat(path, &st) == 0 ? st.st_ino : 0;
	}
	expect(l->ns[NS_NET] == (net ? theirs : before).ns[NS_NET], "net");
	expect(l->ns[NS_UTS] == (uts ? theirs : before).ns[NS_UTS], "uts");
	expect(l->ns[NS_PID] == (pid ? theirs : before).ns[NS_PID], "pid");
	expect(!l->open[OTHER] && !l->open[NETNS], "the program has the descriptor");
}

static void see_other_net(const struct look *l)
{
	see_other(l, true, false, false);
}

static void see_other_two(const struct look *l)
{
	see_other(l, true, true, false);
}

static void see_other_pids(const struct look *l)
{
	see_other(l, false, false, true);
}

static void see_root(const struct look *l)
{
	expect(strstr(l->mounts, " /usr ro"), "usr is not read-only: %.400s", l->mounts);
	expect(strstr(l->mounts, " /tmp rw,") && strstr(l->mounts, " - tmpfs tmpfs "), "%.400s",
	       l->mounts);
	expect(l->write_error == ENOENT, "the old root is there: %d", l->write_error);
}

/* Optional fields of the line of the root: shared:N, master:N. */
static bool root_says(const struct look *l, const char *word)
{
	char line[500], where[8];

	for (const char *at = l->mounts; *at; at += strcspn(at, "\n"), at += *at == '\n') {
		snprintf(line, sizeof(line), "%.*s", (int)strcspn(at, "\n"), at);
		/* The fifth word is where it is mounted, the fourth what of its file system. */
		if (sscanf(line, "%*s %*s %*s %*s %7s", where) == 1 && !strcmp(where, "/"))
			return strstr(line, word);
	}
	return false;
}

static void see_private(const struct look *l)
{
	expect(!root_says(l, " shared:") && !root_says(l, " master:"), "%.300s", l->mounts);
}

static void see_shared(const struct look *l)
{
	expect(root_says(l, " shared:"), "%.300s", l->mounts);
}

static void see_cgroup(const struct look *l)
{
	expect(strstr(l->cgroups, strrchr(cgroup_dir, '/')), "%s", l->cgroups);
}

static void see_denied(const struct look *l)
{
	expect(l->write_error == EACCES && !l->read_error, "write %d, read %d", l->write_error,
	       l->read_error);
}

static void see_allowed(const struct look *l)
{
	expect(!l->write_error && !l->read_error, "write %d, read %d", l->write_error,
	       l->read_error);
}

/* ---- The table -------------------------------------------------------------------------------------- */

static const struct effect {
	const char *name;
	unsigned ways;
	struct ramet_spec spec;
	void (*see)(const struct look *l);
	void (*prepare)(void);
} effects[] = {
	{"rlimit", EVERY,
	 STEPS(RAMET_RLIMIT(RLIMIT_NOFILE, 150, 200), RAMET_RLIMIT(RLIMIT_CORE, 0, 0)), see_limits,
	 NULL},
	{"nice", EVERY, STEPS(RAMET_NICE(7)), see_nice, NULL},
	{"sched batch", EVERY, STEPS(RAMET_SCHED(SCHED_BATCH, 0)), see_batch, NULL},
	{"sched fifo", EVERY,
	 STEPS({.kind = RAMET_STEP_SCHED, .number = SCHED_FIFO, .priority = 3, .reset = 1}),
	 see_fifo, NULL},
	{"ioprio", EVERY, STEPS(RAMET_IOPRIO(2, 6)), see_ioprio, NULL},
	{"affinity", EVERY, STEPS(RAMET_AFFINITY(sizeof(one_cpu), &one_cpu)), see_affinity, NULL},
	{"personality", EVERY, STEPS(RAMET_PERSONALITY(0x0040000)), see_personality, NULL},
	{"timer slack", EVERY, STEPS(RAMET_TIMER_SLACK(1234)), see_slack, NULL},
	{"securebits", EVERY, STEPS(RAMET_SECUREBITS(3)), see_securebits, NULL},
	{"bounding", EVERY, STEPS(RAMET_BOUNDING(NET_BIND | ADMIN)), see_bounding, NULL},
	{"caps and ambient of another user", FUTEX | OWN,
	 STEPS(RAMET_UID(65534), RAMET_CAPS(NET_BIND, NET_BIND), RAMET_AMBIENT(NET_BIND)),
	 see_ambient, NULL},
	{"inheritable", HELD | OWN, STEPS(RAMET_CAPS(ADMIN | CAP(8), ADMIN)), see_inheritable,
	 NULL},
	{"keep-caps ends at exec", EVERY, STEPS({.kind = RAMET_STEP_KEEP_CAPS}), see_plain_caps,
	 NULL},
	{"capabilities untouched", EVERY, STEPS(RAMET_UMASK(0)), see_plain_caps, NULL},
	{"pdeathsig", EVERY, STEPS(RAMET_PDEATHSIG(SIGUSR1)), see_pdeathsig, NULL},
	{"subreaper", EVERY, STEPS(RAMET_SUBREAPER()), see_subreaper, NULL},
	{"terminal", EVERY, STEPS(RAMET_SETSID(), RAMET_CTTY(TTY), RAMET_FOREGROUND(TTY)), see_tty,
	 open_tty},
	{"clocks", OWN,
	 WITH(RAMET_TIME, RAMET_TIME_OFFSET(CLOCK_MONOTONIC, 86400, 0),
	      RAMET_TIME_OFFSET(CLOCK_BOOTTIME, 172800, 5)),
	 see_clocks, NULL},
	{"lo", EVERY, WITH(RAMET_NET, RAMET_LO_UP()), see_lo, NULL},
	{"seccomp", EVERY, STEPS(RAMET_NO_NEW_PRIVS(), RAMET_SECCOMP(sizeof(filter), filter)),
	 see_filter, NULL},
	{"oom_score_adj", HELD | OWN, STEPS(RAMET_OOM_SCORE_ADJ(5)), see_oom, NULL},
	{"join by pidfd", OWN, STEPS(RAMET_JOIN(OTHER, CLONE_NEWNET | CLONE_NEWUTS)), see_other_two,
	 open_other},
	{"join by file", OWN, STEPS(RAMET_JOIN(NETNS, CLONE_NEWNET)), see_other_net, open_other},
	{"join a pid namespace", OWN, STEPS(RAMET_JOIN(OTHER, CLONE_NEWPID)), see_other_pids,
	 open_other},
	{"root", EVERY,
	 WITH(RAMET_MNT, RAMET_PRIVATE_MOUNTS(), RAMET_ROOT(root_dir),
	      RAMET_BIND("/usr", "/usr", .read_only = 1, .recursive = 1),
	      RAMET_BIND("/lib", "/lib", .recursive = 1),
	      RAMET_BIND(LOADER, LOADER, .recursive = 1), RAMET_TMPFS("tmp"),
	      RAMET_BIND("/proc", "/../proc", .recursive = 1)),
	 see_root, NULL},
	{"mounts private", EVERY, WITH(RAMET_MNT, RAMET_PRIVATE_MOUNTS()), see_private, NULL},
	{"mounts shared", EVERY, WITH(RAMET_MNT, {.kind = RAMET_STEP_PRIVATE_MOUNTS, .number = 2}),
	 see_shared, NULL},
	{"cgroup", HELD | OWN, STEPS(RAMET_CGROUP_DIR(cgroup_dir)), see_cgroup, make_cgroup},
	{"landlock denies", EVERY, STEPS(RAMET_NO_NEW_PRIVS(), RAMET_LANDLOCK("/", 0)), see_denied,
	 need_landlock},
	{"landlock allows a file", EVERY,
	 STEPS(RAMET_NO_NEW_PRIVS(), RAMET_LANDLOCK("/", 0), RAMET_LANDLOCK(open_file, 1)),
	 see_allowed, need_landlock},
};

struct
try {
	const struct effect *effect;
	enum ramet_way way;
};

static bool has_step(const struct ramet_step *steps, uint32_t kind)
{
	for (; steps->kind; steps++)
		if (steps->kind == kind)
			return true;
	return false;
}

/* Beside the caller, what is done is done as another user: the reason why that way is chosen. */
static void add_user(struct ramet_spec *spec, struct ramet_step *room)
{
	const struct ramet_step *s = spec->steps;

	if (spec->way != RAMET_WAY_FUTEX || has_step(s, RAMET_STEP_UID))
		return;
	spec->steps = room;
	while (s->kind)
		*room++ = *s++;
	*room++ = (struct ramet_step)RAMET_UID(65534);
	*room = (struct ramet_step){0};
}

static void see_effect(void *arg)
{
	const struct try *t = arg;
	struct ramet_spec spec = t->effect->spec;
	struct ramet_step room[12];
	struct ramet_status status;
	struct ramet_error error;
	struct ramet_task task;
	struct look look;
	char text[400] = "";
	int r;

	if (!expect(look_ready(), "not ready"))
		return;
	look_take(&before);
	if (t->effect->prepare)
		t->effect->prepare();
	if (cell->skip[0])
		return;
	spec.argv = WORDS(look_name, open_file);
	spec.way = t->way;
	add_user(&spec, room);
	r = ramet_launch(&spec, &task, &error);
	if (r < 0)
		ramet_error_format(&error, text, sizeof(text));
	if (expect(r == 0, "%s", text)) {
		expect(task.way == t->way && !task.lost, "way %d, lost %#x", (int)task.way,
		       task.lost);
		r = ramet_wait(&task, 20000, &status);
		expect(r == 0 && status.exited && status.code == LOOK_STATUS, "%d: %d %d", r,
		       status.exited, status.code);
		ramet_task_close(&task);
		if (expect(look_read(&look), "no look")) {
			expect(!look.open[LOOK_PROGRAM], "the program's own descriptor is open");
			t->effect->see(&look);
		}
	}
	if (*cgroup_dir)
		rmdir(cgroup_dir);
}

static void see_effects(void)
{
	for (unsigned i = 0; i < sizeof(effects) / sizeof(effects[0]); i++)
		for (unsigned way = RAMET_WAY_HELD; way <= RAMET_WAY_HELPER; way++)
			if (effects[i].ways & 1u << way)
				cell_run(WHO_ROOT, 30, see_effect, &(struct try){&effects[i], way},
					 "%s, %s", effects[i].name, ramet_way_name(way));
}

int main(int argc, char **argv)
{
	look_main(argc, argv);
	room_make();
	make_places();
	see_effects();
	remove_places();
	return tap_done();
}
