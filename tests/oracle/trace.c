/* SPDX-License-Identifier: MIT */
/*
 * Random families under ramet's tracer: a colony whose tasks make others with random flags, call
 * exec, unshare, join namespaces and end, while a process of its own traces them. Again and again,
 * while all of them sleep, what the trace's record says of every two tasks and every resource is
 * compared with kcmp, with /proc, and with what ramet tree makes of the same tasks. Calls that the
 * kernel refused must have been seen as such.
 *
 * RAMET_LONG=1 for two hundred families, RAMET_SEED=N to repeat a run.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "colony/keeper.h"
#include "inspect/snapshot.h"
#include "tap.h"
#include "trace/record.h"

#define FAMILIES 12
#define FAMILIES_LONG 200
#define STEPS 40
#define MARK SIGUSR2 /* exit signal of a task whose making asks for a comparison */

/* What the tracing process finds. */
static struct finding {
	uint32_t marks;
	uint64_t pairs, unknown, wrong, tree_pairs, tree_wrong;
	uint64_t refused, strays, lost;
	bool began, ended;
	char what[200];
} * finding;

/* ---- The tracing process ---- */

static struct record record;

static const struct {
	uint32_t resource;
	enum inspect_object object;
	enum inspect_ns ns;
	const char *name;
} resources[] = {
	{RAMET_MEMORY, INSPECT_VM, 0, NULL},   {RAMET_FILES, INSPECT_FILES, 0, NULL},
	{RAMET_FS, INSPECT_FS, 0, NULL},       {RAMET_SIGHAND, INSPECT_SIGHAND, 0, NULL},
	{RAMET_MNT, 0, INSPECT_NS_MNT, "mnt"}, {RAMET_NET, 0, INSPECT_NS_NET, "net"},
	{RAMET_UTS, 0, INSPECT_NS_UTS, "uts"}, {RAMET_IPC, 0, INSPECT_NS_IPC, "ipc"},
	{RAMET_PID, 0, INSPECT_NS_PID, "pid"}, {RAMET_CGROUPNS, 0, INSPECT_NS_CGROUP, "cgroup"},
};
#define RESOURCES (sizeof(resources) / sizeof(resources[0]))

static int kernel_says(int a, int b, size_t i)
{
	struct inspect_task x = {.tid = a}, y = {.tid = b};
	uint64_t m, n;

	snprintf(x.proc, sizeof(x.proc), "/proc/%d", a);
	snprintf(y.proc, sizeof(y.proc), "/proc/%d", b);
	if (!resources[i].name)
		return inspect_same(&x, &y, resources[i].object);
	if (inspect_ns(&x, resources[i].name, &m) < 0 || inspect_ns(&y, resources[i].name, &n) < 0)
		return -1;
	return m == n;
}

static void compare_pair(int a, int b, const struct inspect_entry *x, const struct inspect_entry *y)
{
	for (size_t i = 0; i < RESOURCES; i++) {
		const enum ramet_same model =
			ramet_world_compare(record.world, a, b, resources[i].resource);
		const int kernel = kernel_says(a, b, i);

		if (kernel < 0 || model == RAMET_UNKNOWN) {
			finding->unknown++;
			continue;
		}
		finding->pairs++;
		if ((model == RAMET_SAME) != kernel && !finding->wrong++)
			snprintf(finding->what, sizeof(finding->what),
				 "%d and %d, resource %zu: model %d, kernel %d", a, b, i, model,
				 kernel);
		if (!x || !y)
			continue;
		finding->tree_pairs++;
		if (resources[i].name ? (x->ns[resources[i].ns] == y->ns[resources[i].ns]) != kernel
				      : (x->class[resources[i].object] ==
					 y->class[resources[i].object]) != kernel)
			finding->tree_wrong++;
	}
}

/* The end of a first thread is told to a tracer when the last thread has ended. */
static bool has_ended(int tid)
{
	struct inspect_task task = {.tid = tid};
	int state;

	snprintf(task.proc, sizeof(task.proc), "/proc/%d", tid);
	state = inspect_state(&task);
	return state < 0 || state == 'Z' || state == 'X';
}

static const struct inspect_entry *find(const struct inspect_snapshot *s, int tid)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->entries[i].tid == tid && s->entries[i].whole && !s->entries[i].gone)
			return &s->entries[i];
	return NULL;
}

static void compare_all(bool tree)
{
	struct inspect_snapshot s = {0};
	struct ramet_world_task task;
	int tids[COLONY_SLOTS + 8], count = 0;

	if (tree)
		inspect_snapshot(INSPECT_NEED_NS | INSPECT_NEED_CLASSES | INSPECT_NEED_EACH_THREAD,
				 &s);
	for (int tid = ramet_world_next(record.world, 0); tid > 0 && count < COLONY_SLOTS + 8;
	     tid = ramet_world_next(record.world, tid))
		if (ramet_world_task(record.world, tid, &task) == 0 &&
		    task.state == RAMET_STATE_ALIVE && !has_ended(tid))
			tids[count++] = tid;
	for (int i = 0; i < count; i++)
		for (int j = 0; j < i; j++)
			compare_pair(tids[i], tids[j], tree ? find(&s, tids[i]) : NULL,
				     tree ? find(&s, tids[j]) : NULL);
	if (tree)
		inspect_snapshot_free(&s);
	__atomic_add_fetch(&finding->marks, 1, __ATOMIC_SEQ_CST);
}

static int on_event(void *arg, const struct trace_event *e)
{
	const bool tree = finding->marks % 4 == 3;
	int r = record_event(arg, e);

	if (e->kind == TRACE_MADE && e->line.call.exit_signal == MARK)
		compare_all(tree);
	finding->refused = record.refused;
	finding->strays = record.strays;
	finding->lost = record.lost;
	return r;
}

/* The colony's program wants the number of its slot for a name. */
static bool find_program(void)
{
	char folder[] = "/tmp/ramet-trace.XXXXXX", link[64];

	if (!mkdtemp(folder) || setenv("PATH", folder, 1) < 0)
		return false;
	snprintf(link, sizeof(link), "%s/01", folder);
	return symlink("/proc/self/fd/201", link) == 0;
}

static void forget_program(void)
{
	char link[64];

	snprintf(link, sizeof(link), "%s/01", getenv("PATH"));
	unlink(link);
	rmdir(getenv("PATH"));
}

static int trace(void)
{
	static const struct trace_view none = {.name = "none"};
	const struct trace_options options = {.event = on_event, .arg = &record};
	char *argv[] = {(char[]){"01"}, NULL};
	struct trace_failure failure;
	struct tracer *t;
	int status, r;

	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (record_begin(&record, &none, stderr, false, false) < 0 ||
	    tracer_new(&options, &t, &failure) < 0 || !find_program())
		return 1;
	r = tracer_start(t, argv, &failure);
	forget_program();
	if (r < 0) {
		snprintf(finding->what, sizeof(finding->what), "%s", failure.text);
		return 1;
	}
	finding->began = true;
	r = tracer_run(t, &status);
	tracer_free(t);
	record_end(&record);
	finding->ended = r == 0;
	return r < 0;
}

/* ---- The family ---- */

static int labels; /* used so far */

static bool is_there(int label)
{
	const struct colony_slot *s = keeper_slot(label);
	struct inspect_task task = {.tid = s->tid};
	int state;

	if (!s->starts)
		return false;
	snprintf(task.proc, sizeof(task.proc), "/proc/%d/task/%d", s->tgid, s->tid);
	state = inspect_state(&task);
	return state > 0 && state != 'Z' && state != 'X';
}

static int pick(void)
{
	int there[COLONY_SLOTS], count = 0;

	for (int i = 1; i <= labels; i++)
		if (is_there(i))
			there[count++] = i;
	return count ? there[tap_below((uint64_t)count)] : 0;
}

static uint64_t some(uint64_t flags, unsigned of)
{
	uint64_t result = 0;

	for (unsigned bit = 0; bit < 34; bit++)
		if (flags >> bit & 1 && tap_below(of) == 0)
			result |= 1ull << bit;
	return result;
}

#define SHARED (CLONE_VM | CLONE_FILES | CLONE_FS | CLONE_SIGHAND)
#define ISOLATED (CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWCGROUP)

/* Mostly what the kernel takes; else whatever comes. */
static uint64_t clone_flags(void)
{
	uint64_t flags = some(SHARED | CLONE_SYSVSEM | CLONE_IO, 2);

	if (tap_below(4) == 0)
		flags |= CLONE_THREAD | CLONE_SIGHAND | CLONE_VM;
	if (tap_below(3) == 0)
		flags |= some(ISOLATED, 4);
	if (tap_below(12) == 0)
		flags |= CLONE_PARENT;
	if (tap_below(5) != 0 && flags & CLONE_SIGHAND)
		flags |= CLONE_VM;
	if (tap_below(5) != 0 && flags & CLONE_NEWNS)
		flags &= ~(uint64_t)CLONE_FS;
	return flags;
}

/* Ask and wait; false: no answer. */
static bool take_step(int who, enum colony_command command)
{
	struct colony_slot *s = keeper_slot(who);
	const uint32_t starts = s->starts;
	const int64_t process = s->tgid;

	keeper_ask(who, command);
	if (command == COLONY_EXIT) {
		for (int n = 0; n < 500 && is_there(who); n++)
			usleep(2000);
		s->starts = 0;
		return true;
	}
	if (!keeper_wait(keeper_is_done, s))
		return false;
	/* The others of its process have ended, one of them perhaps under the same number. */
	if (command == COLONY_EXEC && s->starts != starts)
		for (int i = 1; i <= labels; i++)
			if (i != who && keeper_slot(i)->tgid == process)
				keeper_slot(i)->starts = 0;
	return true;
}

static bool make(int who, uint64_t flags, int exit_signal, bool legacy)
{
	struct colony_slot *s = keeper_slot(who), *child;

	s->other = ++labels;
	child = keeper_slot(labels);
	s->legacy = legacy;
	s->args = (struct clone_args){.flags = flags, .exit_signal = (uint64_t)exit_signal};
	if (!take_step(who, COLONY_CLONE))
		return false;
	return s->result < 0 || keeper_wait(keeper_has_started, child);
}

/* Let the record be compared; the tasks sleep meanwhile. */
static bool mark(void)
{
	const uint32_t marks = __atomic_load_n(&finding->marks, __ATOMIC_SEQ_CST);
	const int who = pick();

	if (!who || !make(who, 0, MARK, tap_below(2) == 0))
		return false;
	if (keeper_slot(who)->result < 0)
		return true; /* a task whose pid namespace is dead */
	for (int n = 0; n < 5000; n++) {
		if (__atomic_load_n(&finding->marks, __ATOMIC_SEQ_CST) != marks)
			return true;
		usleep(1000);
	}
	return false;
}

static bool join(int who)
{
	static const char *const names[] = {"uts", "ipc", "net", "mnt"};
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", keeper_slot(pick())->tid,
		 names[tap_below(4)]);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return true;
	keeper_slot(who)->flags = 0;
	if (!keeper_send(fd))
		return false;
	close(fd);
	return take_step(who, COLONY_SETNS);
}

/* One step of a random task; *refused counts calls that the kernel refused. */
static bool step(uint64_t *refused)
{
	const int who = pick();
	const unsigned kind = (unsigned)tap_below(20);
	struct colony_slot *s = keeper_slot(who);
	bool good;

	if (!who)
		return false;
	if (kind < 13 || labels < 4) {
		const uint64_t flags = clone_flags();

		good = make(who, flags, flags & (CLONE_THREAD | CLONE_PARENT) ? 0 : SIGCHLD,
			    tap_below(2) == 0);
	} else if (kind < 16) {
		s->flags = some(CLONE_FILES | CLONE_FS | CLONE_SYSVSEM | ISOLATED, 3);
		good = take_step(who, COLONY_UNSHARE);
	} else if (kind < 17) {
		good = join(who);
	} else if (kind < 19) {
		return take_step(who, COLONY_EXEC);
	} else {
		/* Not the last one, nor pid 1 of all. */
		return who == 1 || take_step(who, COLONY_EXIT);
	}
	*refused += s->result < 0;
	return good;
}

static bool live(uint64_t *refused)
{
	if (!keeper_wait(keeper_has_started, keeper_slot(1)))
		return false;
	labels = 1;
	for (int i = 0; i < STEPS && labels < COLONY_SLOTS - 8; i++)
		if (!step(refused) || (i % 6 == 5 && !mark()))
			return false;
	return mark();
}

/* A family; false: it did not come to its end. */
static bool raise_family(uint64_t *refused)
{
	bool good;
	pid_t tracer;

	finding->began = finding->ended = false;
	finding->refused = 0;
	memset(keeper_slot(0), 0, COLONY_SLOTS * sizeof(struct colony_slot));
	*refused = 0;
	tracer = fork();
	if (!tracer)
		_exit(trace());
	good = tracer > 0 && live(refused);
	if (tracer > 0)
		kill(tracer, SIGKILL);
	return keeper_stop(&tracer, 0) && good;
}

int main(void)
{
	const int families = getenv("RAMET_LONG") ? FAMILIES_LONG : FAMILIES;
	uint64_t refused, all_refused = 0, miscounted = 0, strays = 0, lost = 0;
	int done = 0;

	finding = mmap(NULL, sizeof(*finding), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		       -1, 0);
	if (finding == MAP_FAILED || !keeper_ready())
		return 1;
	for (int i = 0; i < families; i++) {
		if (!raise_family(&refused))
			break;
		done++;
		all_refused += refused;
		miscounted += finding->refused != refused;
		strays += finding->strays;
		lost += finding->lost;
	}
	is_int(done, families, "families lived to their end");
	is_int(finding->wrong, 0, "record and kernel agree on every pair");
	is_int(finding->tree_wrong, 0, "and so does what ramet tree makes of them");
	ok(finding->pairs > 2000 * (uint64_t)families, "there was something to compare");
	ok(finding->tree_pairs > 0, "for the tree too");
	is_int(miscounted, 0, "every refused call was seen");
	ok(all_refused > 0, "there were some");
	is_int(strays, 0, "the model followed every event");
	is_int(lost, 0, "nothing was lost");
	diag("%" PRIu64 " pairs, %" PRIu64 " of the tree, %" PRIu64 " unknown, %" PRIu64
	     " refused %s",
	     finding->pairs, finding->tree_pairs, finding->unknown, all_refused, finding->what);
	return tap_done();
}
