/* SPDX-License-Identifier: MIT */
/*
 * A world of tasks: each rule of the kernel as a short story, played line by line. After each
 * line the world must be whole, and what is refused must have left it as it was; each line is
 * also tried without memory first.
 */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "tap.h"
#include "lib/worldcheck.h"
#include "unit/world-stories.h"
#include "model/rules.h"
#include "uapi/clone.h"
#include "uapi/misc.h"

/* ---- The player ---- */

static char effects[4096];

static void note_effect(void *arg, const struct ramet_effect *e)
{
	static const char *const forms[] = {
		[RAMET_EFFECT_HELD] = "held %d by %d",
		[RAMET_EFFECT_RELEASED] = "released %d by %d",
		[RAMET_EFFECT_KILLED] = "killed %d by %d",
		[RAMET_EFFECT_CLEARED] = "cleared %d at %d",
		[RAMET_EFFECT_NOT_CLEARED] = "not cleared %d at %d",
		[RAMET_EFFECT_MOVED] = "moved %d to %d",
		[RAMET_EFFECT_RENAMED] = "renamed %d was %d",
		[RAMET_EFFECT_WAITABLE] = "waitable %d by %d",
		[RAMET_EFFECT_GONE] = "gone %d",
	};
	const size_t n = strlen(effects);
	char text[80];

	(void)arg;
	snprintf(text, sizeof(text), forms[e->kind], e->tid,
		 e->address ? (int)e->address : e->other);
	snprintf(effects + n, sizeof(effects) - n, "%s%s", n ? ", " : "", text);
}

static uint32_t resources_of(const char *text)
{
	char words[200], *rest = words;
	uint32_t mask = 0, one;

	snprintf(words, sizeof(words), "%s", text);
	for (char *word; (word = strsep(&rest, ","));)
		if (!strcmp(word, "pid-for-children"))
			mask |= RAMET_PID_FOR_CHILDREN;
		else if (!strcmp(word, "time-for-children"))
			mask |= RAMET_TIME_FOR_CHILDREN;
		else if (ramet_resources_parse(word, &one, NULL) == 0)
			mask |= one;
	return mask;
}

static const char *const kind_names[] = {
	[RAMET_EVENT_ADD] = "add",
	[RAMET_EVENT_ASSUME] = "assume",
	[RAMET_EVENT_DISTINCT] = "distinct",
	[RAMET_EVENT_CLONE] = "clone",
	[RAMET_EVENT_EXEC] = "exec",
	[RAMET_EVENT_UNSHARE] = "unshare",
	[RAMET_EVENT_SETNS] = "setns",
	[RAMET_EVENT_EXIT] = "exit",
	[RAMET_EVENT_EXIT_GROUP] = "exit_group",
	[RAMET_EVENT_WAIT] = "wait",
	[RAMET_EVENT_RELEASE] = "release",
	[RAMET_EVENT_SUBREAPER] = "subreaper",
	[RAMET_EVENT_CHILD_SIGNAL] = "sigchld",
	[RAMET_EVENT_UNDO] = "undo",
	[RAMET_EVENT_IOPRIO] = "ioprio",
};

static uint32_t wait_options(const char *text)
{
	return (strstr(text, "all") ? KERNEL_WALL : 0) |
	       (strstr(text, "clone") ? KERNEL_WCLONE : 0) |
	       (strstr(text, "nothread") ? __WNOTHREAD : 0);
}

/* False if the line is no event. */
static bool parse_event(const char *line, struct ramet_event *e, struct ramet_call *call)
{
	char kind[20] = "", a[80] = "", b[80] = "", c[80] = "", d[80] = "";
	int sig = 0;

	*e = (struct ramet_event){.call = call};
	*call = (struct ramet_call){.entry = RAMET_ENTRY_CLONE};
	sscanf(line, "%19s %79s %79s %79s %79s", kind, a, b, c, d);
	if (!strcmp(kind, "clone3")) {
		call->entry = RAMET_ENTRY_CLONE3;
		e->kind = RAMET_EVENT_CLONE;
	}
	for (unsigned i = 1; i < sizeof(kind_names) / sizeof(kind_names[0]); i++)
		if (!strcmp(kind, kind_names[i]))
			e->kind = i;
	e->tid = atoi(a);
	e->other = atoi(b);
	e->number = (uint32_t)strtoul(b, NULL, 0);
	switch (e->kind) {
	case RAMET_EVENT_ADD:
		e->resources = resources_of(c);
		e->number = 0;
		e->parent = atoi(d);
		break;
	case RAMET_EVENT_ASSUME:
		e->resources = resources_of(c);
		break;
	case RAMET_EVENT_DISTINCT:
		e->resources = resources_of(a);
		break;
	case RAMET_EVENT_UNSHARE:
		call->entry = RAMET_ENTRY_UNSHARE;
		return ramet_flags_parse(b, &call->flags, &sig, NULL) == 0;
	case RAMET_EVENT_SETNS:
		call->entry = RAMET_ENTRY_SETNS;
		e->number = !strcmp(d, "children");
		return ramet_flags_parse(c, &call->flags, &sig, NULL) == 0;
	case RAMET_EVENT_CLONE:
		call->child_tid = 4096 + (unsigned)e->other;
		if (ramet_flags_parse(c, &call->flags, &sig, NULL) < 0)
			return false;
		call->exit_signal = (unsigned)sig;
		break;
	case RAMET_EVENT_WAIT:
		e->number = wait_options(c);
		break;
	default:
		break;
	}
	return e->kind;
}

static unsigned allowed; /* chunks that there is memory for */
static unsigned times_without;

static void *little_memory(size_t size)
{
	return allowed && allowed-- ? malloc(size) : NULL;
}

/* Empty shelves: whatever is needed must be allocated. */
struct shelves {
	struct task *tasks;
	struct object *objects;
	struct process *processes;
	size_t counts[3];
};

static struct shelves hide_shelves(struct ramet_world *w)
{
	const struct shelves s = {
		.tasks = w->free_tasks,
		.objects = w->free_objects,
		.processes = w->free_processes,
		.counts = {w->free_task_count, w->free_object_count, w->free_process_count},
	};

	w->free_tasks = NULL;
	w->free_objects = NULL;
	w->free_processes = NULL;
	w->free_task_count = w->free_object_count = w->free_process_count = 0;
	return s;
}

static void show_shelves(struct ramet_world *w, const struct shelves *s)
{
	struct task **tasks = &w->free_tasks;
	struct object **objects = &w->free_objects;
	struct process **processes = &w->free_processes;

	while (*tasks)
		tasks = &(*tasks)->hashed;
	while (*objects)
		objects = &(*objects)->same;
	while (*processes)
		processes = &(*processes)->shelf;
	*tasks = s->tasks;
	*objects = s->objects;
	*processes = s->processes;
	w->free_task_count += s->counts[0];
	w->free_object_count += s->counts[1];
	w->free_process_count += s->counts[2];
}

/* With memory for no chunk, for one, two …, until it is enough. */
static int replay_with_little(struct ramet_world *w, const struct ramet_event *e,
			      const char *before, const char **wrong)
{
	int r = -ENOMEM;

	w->allocate = little_memory;
	for (unsigned chunks = 0; r == -ENOMEM && chunks < 50; chunks++) {
		const struct shelves shelves = hide_shelves(w);

		allowed = chunks;
		effects[0] = 0;
		r = ramet_world_replay(w, e);
		show_shelves(w, &shelves);
		if (r == -ENOMEM) {
			char *after = world_text_of(w);

			times_without++;
			if (strcmp(before, after) != 0 || effects[0])
				*wrong = "changed without memory";
			free(after);
		}
	}
	w->allocate = malloc;
	return r;
}

/* NULL, or what is wrong. */
static const char *play_event(struct ramet_world *w, const struct ramet_event *e, int want)
{
	char *before = world_text_of(w), *after;
	const char *wrong = NULL;
	const int r = replay_with_little(w, e, before, &wrong);

	after = world_text_of(w);
	if (r != want)
		wrong = r ? strerror(-r) : "accepted";
	else if (r < 0 && strcmp(before, after) != 0)
		wrong = "changed by a refused event";
	else if (r < 0 && effects[0])
		wrong = "effects of a refused event";
	free(before);
	free(after);
	return wrong;
}

static const char *play_compare(const struct ramet_world *w, const char *line)
{
	static const char *const words[] = {"unknown", "same", "differ", "none"};
	char word[20] = "", what[200] = "";
	int a = 0, b = 0;

	sscanf(line, "%19s %d %d %199s", word, &a, &b, what);
	for (uint32_t bits = resources_of(what); bits; bits &= bits - 1) {
		const enum ramet_same got = ramet_world_compare(w, a, b, bits & -bits);

		if (got != ramet_world_compare(w, b, a, bits & -bits))
			return "not symmetric";
		if (strcmp(word, words[got]) != 0)
			return ramet_resource_name((enum ramet_resource)(bits & -bits));
	}
	return *what ? NULL : "nothing to compare";
}

static const char *play_is(const struct ramet_world *w, const char *line)
{
	struct ramet_world_task t;
	char words[200], *rest = words;

	snprintf(words, sizeof(words), "%s", line + 3);
	if (ramet_world_task(w, atoi(strsep(&rest, " ")), &t) < 0)
		return "no such task";
	while (rest) {
		const struct {
			const char *name;
			long value;
		} fields[] = {
			{"tgid", t.tgid},
			{"parent", t.parent},
			{"signal", t.exit_signal},
			{"state", t.state},
			{"waitable", t.waitable},
			{"threads", t.threads},
			{"held_by", t.held_by},
			{"holds", t.holds},
			{"init", t.init},
			{"pids_dead", t.pids_dead},
			{"parent_tid", t.parent_tid},
			{"word", (long)t.clear_child_tid},
		};
		const char *name = strsep(&rest, " ");
		const long want = atol(strsep(&rest, " "));
		size_t i = 0;

		while (strcmp(fields[i].name, name) != 0)
			i++;
		if (fields[i].value != want)
			return fields[i].name;
	}
	return NULL;
}

static int error_of(const char **line)
{
	static const struct {
		const char *name;
		int error;
	} errors[] = {{"ESRCH ", ESRCH}, {"EEXIST ", EEXIST}, {"EINVAL ", EINVAL},
		      {"EBUSY ", EBUSY}, {"ECHILD ", ECHILD}, {"EAGAIN ", EAGAIN}};

	for (unsigned i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (!strncmp(*line, errors[i].name, strlen(errors[i].name))) {
			*line += strlen(errors[i].name);
			return -errors[i].error;
		}
	return 0;
}

static const char *play_line(struct ramet_world *w, const char *line)
{
	struct ramet_event e;
	struct ramet_call call;
	const int want = error_of(&line);
	const char *wrong;

	if (*line == '>')
		return strcmp(effects, line + 1 + (line[1] == ' ')) != 0 ? effects : NULL;
	if (!strncmp(line, "is ", 3))
		return play_is(w, line);
	if (!parse_event(line, &e, &call))
		return play_compare(w, line);
	wrong = play_event(w, &e, want);
	return wrong ? wrong : worldcheck(w);
}

static void play(const struct story *story)
{
	struct ramet_world *w = ramet_world_new(story->kernel);
	const char *wrong = NULL;
	unsigned i;

	ramet_world_watch(w, note_effect, NULL);
	for (i = 0; story->lines[i]; i++) {
		wrong = play_line(w, story->lines[i]);
		if (wrong)
			break;
	}
	ok(!wrong, "%s", story->name);
	if (wrong)
		diag("line %u: %s: %s", i + 1, story->lines[i], wrong);
	ramet_world_free(w);
}

/* ---- Not told line by line ---- */

static int event(struct ramet_world *w, enum ramet_event_kind kind, int tid, int other)
{
	return ramet_world_replay(w,
				  &(struct ramet_event){.kind = kind, .tid = tid, .other = other});
}

static int make(struct ramet_world *w, int tid, int child, uint64_t flags)
{
	const struct ramet_call call = {.entry = RAMET_ENTRY_CLONE3,
					.flags = flags,
					.exit_signal = flags & CLONE_THREAD ? 0 : SIGCHLD};

	return ramet_world_replay(
		w, &(struct ramet_event){
			   .kind = RAMET_EVENT_CLONE, .tid = tid, .other = child, .call = &call});
}

/* What the model says of one clone, and what a world makes of it. */
static void agree_with_model(void)
{
	const uint64_t flags[] = {
		CLONE_VM,     CLONE_FS,		 CLONE_FILES,	CLONE_SIGHAND,
		CLONE_PARENT, CLONE_THREAD,	 CLONE_NEWNS,	CLONE_SYSVSEM,
		CLONE_IO,     CLONE_NEWUSER,	 CLONE_NEWTIME, CLONE_NEWPID,
		CLONE_SETTLS, CLONE_INTO_CGROUP, CLONE_NEWNET,	CLONE_CLEAR_SIGHAND};
	unsigned calls = 0, wrong = 0;

	for (unsigned word = 0; word < 1u << 16; word++) {
		struct ramet_call call = {.entry = RAMET_ENTRY_CLONE3};
		struct ramet_world *w;

		for (unsigned i = 0; i < 16; i++)
			if (word >> i & 1)
				call.flags |= flags[i];
		if (ramet_check(&call, NULL))
			continue;
		w = ramet_world_new(0);
		event(w, RAMET_EVENT_ADD, 1, 0);
		make(w, 1, 2, 0);
		ramet_world_replay(w, &(struct ramet_event){.kind = RAMET_EVENT_IOPRIO,
							    .tid = 2,
							    .number = 2 << 13});
		ramet_world_replay(w, &(struct ramet_event){.kind = RAMET_EVENT_UNDO, .tid = 2});
		wrong += make(w, 2, 3, call.flags) != 0;
		for (unsigned i = 0; i < RAMET_RESOURCE_COUNT; i++) {
			const enum ramet_resource resource = 1u << i;
			const bool shared = ramet_model_mode(&call, 0, resource) ==
					    RAMET_MODE_SHARE;

			wrong += shared != (ramet_world_compare(w, 2, 3, resource) == RAMET_SAME);
		}
		calls++;
		ramet_world_free(w);
	}
	ok(calls > 1000, "%u calls that no rule refuses", calls);
	is_int(wrong, 0, "one clone shares what ramet_model_mode says");
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

#define MANY 20000

static void many(void)
{
	const uint64_t flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
			       CLONE_SYSVSEM | CLONE_SETTLS | CLONE_CHILD_CLEARTID;
	struct ramet_world *w = ramet_world_new(0);
	double start = seconds(), made, ended;
	unsigned bad = 0;
	size_t objects = 0;

	event(w, RAMET_EVENT_ADD, 1, 0);
	for (int i = 2; i < MANY + 2; i++)
		bad += make(w, i - 1, i, flags) != 0;
	made = seconds() - start;
	is_int(ramet_world_holders(w, 1, RAMET_FILES), MANY + 1, "%u threads", MANY);
	start = seconds();
	for (int i = 2; i < MANY + 2; i++)
		bad += event(w, RAMET_EVENT_EXIT, i, 0) != 0;
	ended = seconds() - start;
	is_int(w->count, 1, "and all gone");
	for (int i = 2; i < MANY + 2; i++) {
		bad += make(w, 1, i, 0) != 0;
		bad += event(w, RAMET_EVENT_EXEC, i, 0) != 0;
		bad += event(w, RAMET_EVENT_EXIT_GROUP, i, 0) != 0;
		bad += event(w, RAMET_EVENT_WAIT, 1, i) != 0;
		if (i == 100)
			objects = w->free_object_count;
	}
	is_int(bad, 0, "no event of %u failed", 6 * MANY);
	is_int(w->free_object_count, objects, "what goes is used again");
	diag("%.2f us a thread made, %.2f us one ended", made / MANY * 1e6, ended / MANY * 1e6);
	ramet_world_free(w);
}

/* A chain of processes, each the child of the one before, and its end from the top. */
static void deep(void)
{
	struct ramet_world *w = ramet_world_new(0);
	unsigned bad = 0;

	event(w, RAMET_EVENT_ADD, 1, 0);
	for (int i = 2; i < 5000; i++)
		bad += make(w, i - 1, i, i == 2 || i == 1000 ? CLONE_NEWPID : 0) != 0;
	bad += ramet_world_replay(w, &(struct ramet_event){.kind = RAMET_EVENT_SUBREAPER,
							   .tid = 2,
							   .number = 1}) != 0;
	ok(!bad && w->count == 4999, "a chain of 5000");
	is_int(event(w, RAMET_EVENT_EXIT, 2, 0), 0, "its pid 1 ends");
	is_int(w->count, 2, "and with it all below");
	is_int(event(w, RAMET_EVENT_WAIT, 1, 2), 0, "it can be waited for");
	ramet_world_free(w);
}

static void walks(void)
{
	const struct ramet_call fs = {.entry = RAMET_ENTRY_UNSHARE,
				      .flags = CLONE_FS | CLONE_FILES};
	struct ramet_world *w = ramet_world_new(0);
	char text[200] = "";
	size_t n = 0, files;

	event(w, RAMET_EVENT_ADD, 10, 0);
	make(w, 10, 7, CLONE_FILES);
	make(w, 10, 30, 0);
	make(w, 30, 4, CLONE_VM | CLONE_SIGHAND | CLONE_THREAD | CLONE_FILES);
	make(w, 7, 5, CLONE_FILES | CLONE_NEWPID);
	for (int tid = ramet_world_next(w, 0); tid > 0; tid = ramet_world_next(w, tid))
		n += (size_t)sprintf(text + n, "%d ", tid);
	is_str(text, "10 7 30 4 5 ", "tasks in the order in which they came");
	n = 0;
	for (int tid = 0; (tid = ramet_world_next_holder(w, 7, RAMET_FILES, tid)) > 0;)
		n += (size_t)sprintf(text + n, "%d ", tid);
	is_str(text, "10 7 5 ", "those with the same descriptors");
	n = 0;
	for (int tid = 0; (tid = ramet_world_next_holder(w, 4, RAMET_THREAD_GROUP, tid)) > 0;)
		n += (size_t)sprintf(text + n, "%d ", tid);
	is_str(text, "30 4 ", "those of one process");
	n = 0;
	for (int tid = 0; (tid = ramet_world_next_holder(w, 10, RAMET_PID, tid)) > 0;)
		n += (size_t)sprintf(text + n, "%d ", tid);
	is_str(text, "10 7 30 4 ", "those in one pid namespace");
	is_int(ramet_world_holders(w, 10, RAMET_PID_FOR_CHILDREN), 4, "and whose children will be");
	is_int(ramet_world_holders(w, 30, RAMET_PARENT), 3, "those with one parent");
	is_int(ramet_world_next(w, 99), -ESRCH, "no walk from nobody");
	is_int(ramet_world_next_holder(w, 99, RAMET_FILES, 0), -ESRCH, "nor with nobody");
	is_int(ramet_world_next_holder(w, 7, RAMET_FILES, 30), -ESRCH, "nor from one without it");
	is_int(ramet_world_next_holder(w, 7, RAMET_IO | RAMET_FILES, 0), 0, "two are none");
	is_int(ramet_world_object(w, 7, 1u << 25), 0, "no such resource");
	ok(ramet_world_object(w, 7, RAMET_FILES) == ramet_world_object(w, 10, RAMET_FILES),
	   "a number for the object");
	make(w, 10, 31, 0);
	n = ramet_world_object(w, 31, RAMET_FS);
	files = ramet_world_object(w, 31, RAMET_FILES);
	ramet_world_replay(
		w, &(struct ramet_event){.kind = RAMET_EVENT_UNSHARE, .tid = 31, .call = &fs});
	ok(n == ramet_world_object(w, 31, RAMET_FS) &&
		   files == ramet_world_object(w, 31, RAMET_FILES),
	   "what nobody shares is not parted");
	ramet_world_free(w);
}

static struct ramet_caller caller_of(struct ramet_world *w, int tid)
{
	struct ramet_caller c = {0};

	ramet_world_caller(w, tid, &c);
	return c;
}

static void callers(void)
{
	const struct ramet_call mnt = {.entry = RAMET_ENTRY_SETNS,
				       .flags = CLONE_NEWNS | CLONE_NEWUTS};
	const struct ramet_call pid = {.entry = RAMET_ENTRY_UNSHARE, .flags = CLONE_NEWPID};
	struct ramet_world *w = ramet_world_new(KERNEL(6, 5));
	struct ramet_target target;
	struct ramet_caller c;

	event(w, RAMET_EVENT_ADD, 1, 0);
	c = caller_of(w, 1);
	is_int(c.known, RAMET_KNOWN_THREADS, "of a given task little is known");
	ramet_world_replay(w, &(struct ramet_event){.kind = RAMET_EVENT_DISTINCT,
						    .resources = RAMET_PID | RAMET_TIME});
	make(w, 1, 2, CLONE_NEWPID | CLONE_NEWUSER);
	c = caller_of(w, 2);
	ok(c.kernel == KERNEL(6, 5) && c.init && c.threads == 1 && !c.pid_for_children &&
		   !c.time_for_children && !c.memory_shared && !c.sighand_shared && !c.fs_shared,
	   "a lone pid 1");
	is_int(c.known,
	       RAMET_KNOWN_THREADS | RAMET_KNOWN_PIDNS | RAMET_KNOWN_TIMENS | RAMET_KNOWN_INIT |
		       RAMET_KNOWN_SHARERS,
	       "and what is known of it");
	make(w, 2, 3, CLONE_VM | CLONE_SIGHAND | CLONE_THREAD | CLONE_FS);
	c = caller_of(w, 2);
	ok(c.threads == 2 && !c.memory_shared && !c.sighand_shared && c.fs_shared,
	   "threads share with no other process, but fs");
	make(w, 2, 4, CLONE_VM | CLONE_SIGHAND);
	c = caller_of(w, 3);
	ok(c.memory_shared && c.sighand_shared, "a process with the same memory");
	event(w, RAMET_EVENT_EXIT, 4, 0);
	c = caller_of(w, 2);
	ok(!c.memory_shared && c.sighand_shared, "its zombie keeps the handlers");
	event(w, RAMET_EVENT_EXIT, 2, 0);
	c = caller_of(w, 3);
	ok(c.threads == 2 && c.live_threads == 1 && !c.memory_shared,
	   "a dead first task still counts as a thread");
	is_int(ramet_world_caller(w, 2, &c), -ESRCH, "a zombie calls nothing");

	make(w, 1, 10, 0);
	ramet_world_replay(
		w, &(struct ramet_event){.kind = RAMET_EVENT_UNSHARE, .tid = 10, .call = &pid});
	c = caller_of(w, 10);
	ok(c.pid_for_children && !c.time_for_children && c.known & RAMET_KNOWN_PIDNS,
	   "children elsewhere");

	ok(!(c.known & RAMET_KNOWN_ROOT), "a chroot cannot be seen");
	make(w, 10, 11, CLONE_FS);
	make(w, 10, 12, CLONE_NEWNS | CLONE_NEWUTS);
	ramet_world_replay(
		w, &(struct ramet_event){
			   .kind = RAMET_EVENT_SETNS, .tid = 11, .other = 12, .call = &mnt});
	c = caller_of(w, 11);
	ok(!(c.known & RAMET_KNOWN_ROOT), "who joins mounts gets their root");
	c = caller_of(w, 10);
	ok(c.known & RAMET_KNOWN_ROOT && c.chrooted, "and so does who shares it, from outside");
	make(w, 10, 13, CLONE_NEWNS);
	c = caller_of(w, 13);
	ok(c.chrooted, "new mounts do not hold that root");
	make(w, 11, 14, CLONE_NEWNS);
	c = caller_of(w, 14);
	ok(!c.chrooted, "but those of who is there do");

	c = caller_of(w, 10);
	is_int(ramet_world_target(w, 10, 99, CLONE_NEWPID, 0, &target), -ESRCH, "no target");
	ramet_world_target(w, 10, 3, CLONE_NEWPID | CLONE_NEWNET, 0, &target);
	ok(!target.own_user && !target.unrelated_pids && !target.no_admin && !target.dead,
	   "what was made below is open");
	ramet_world_target(w, 3, 10, CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWUSER, 0, &target);
	ok(!target.own_user && target.unrelated_pids && target.no_chroot &&
		   target.no_admin == (CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET),
	   "the outside is closed");
	ramet_world_target(w, 3, 2, CLONE_NEWPID, 0, &target);
	ok(!target.no_admin && !target.no_chroot, "whoever makes a user namespace owns the others");
	ramet_world_target(w, 3, 2, CLONE_NEWUSER, 0, &target);
	ok(target.own_user && target.dead, "one's own, of the dead");
	ramet_world_free(w);
}

static void memory_at_the_start(void)
{
	struct ramet_world *w = ramet_world_new(0);

	w->allocate = little_memory;
	allowed = 0;
	is_int(event(w, RAMET_EVENT_ADD, 1, 0), -ENOMEM, "no memory for the first task");
	ok(!worldcheck(w) && !w->count, "the world is empty");
	w->allocate = malloc;
	is_int(event(w, RAMET_EVENT_ADD, 1, 0), 0, "then there is");
	is_int(event(w, 0, 1, 0), -EINVAL, "no such kind");
	is_int(event(w, RAMET_EVENT_IOPRIO + 1, 1, 0), -EINVAL, "nor such");
	is_int(event(w, RAMET_EVENT_CLONE, 1, 2), -EINVAL, "a clone without a call");
	ramet_world_free(w);
	ramet_world_free(NULL);
}

int main(void)
{
	for (unsigned i = 0; i < sizeof(stories) / sizeof(stories[0]); i++)
		play(&stories[i]);
	ok(times_without > 300, "%u times there was not enough memory", times_without);
	agree_with_model();
	walks();
	callers();
	memory_at_the_start();
	many();
	deep();
	return tap_done();
}
