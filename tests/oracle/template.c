/* SPDX-License-Identifier: MIT */
/*
 * Templates: what comes of one with changes is what comes of a plain launch of the changed spec.
 * Random maps of descriptors, sources within and beyond what the plan takes of the table, arguments
 * and environments; the spec is freed in between; by several threads at once.
 *
 * Seen to fail, in a copy of the tree: sources patched whatever the targets, sources beyond the
 * table's end patched, texts that stay the spec's owner's, a PATH of the launch.
 */
#include <pthread.h>
#include <sys/resource.h>

#include "lib/cell.h"
#include "lib/filter.h"
#include "lib/report.h"
#include "lib/room.h"
#include "lib/world.h"

#include <ramet/ramet.h>

#define ROUNDS 250
#define DUPS_MAX 12

static char report_path[96];

static int end_of(struct ramet_task *task)
{
	struct ramet_status status = {0};
	const int r = ramet_wait(task, 20000, &status);

	ramet_task_close(task);
	return r < 0 ? r : status.exited ? status.code : 128 + status.code;
}

/* A file of its own on each number. */
static void open_some(void)
{
	for (int fd = 3; fd < 60; fd++) {
		const int at = fd < 40 ? fd : 300 + 9 * fd;
		char path[160];
		int file;

		snprintf(path, sizeof(path), "%s/f%d", room_dir, fd);
		file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (expect(file >= 0, "open %s", path) && file != at) {
			dup3(file, at, O_CLOEXEC);
			if (file >= 40)
				close(file);
		}
		unlink(path);
	}
}

static int any_source(void)
{
	const int fd = (int)(3 + tap_below(57));

	return fd < 40 ? fd : 300 + 9 * fd;
}

/* Different targets, sources as they come. */
static unsigned make_dups(struct ramet_step *dups)
{
	const unsigned n = 1 + (unsigned)tap_below(DUPS_MAX - 1);
	int at = 3;

	for (unsigned i = 0; i < n; i++) {
		at += 1 + (int)tap_below(6);
		dups[i] = (struct ramet_step)RAMET_DUP(any_source(), at);
	}
	dups[n] = (struct ramet_step){0};
	return n;
}

/* What the child has, by a template with these sources and by a plain launch. */
static bool same_table(const struct ramet_spec *spec, const struct ramet_template *t,
		       const struct ramet_change *change, int round)
{
	static struct report reports[2];
	struct ramet_task task;

	for (int i = 0; i < 2; i++) {
		int r;

		report_file(report_path);
		r = i ? ramet_template_launch(t, change, &task, NULL)
		      : ramet_launch(spec, &task, NULL);
		if (!expect(r == 0, "round %d: launch %d: %d", round, i, r))
			return false;
		r = end_of(&task);
		if (!expect(r == REPORT_STATUS && report_read(report_path, &reports[i]),
			    "round %d: report %d: %d", round, i, r))
			return false;
	}
	for (int fd = 0; fd < REPORT_FDS; fd++)
		if (!expect(reports[0].open[fd] == reports[1].open[fd] &&
				    (!reports[0].open[fd] ||
				     reports[0].fd[fd].ino == reports[1].fd[fd].ino),
			    "round %d: descriptor %d", round, fd))
			return false;
	return true;
}

static void random_maps(void *arg)
{
	char *argv[] = {report_name, report_path, NULL};
	const struct rlimit files = {1024, 1024};

	(void)arg;
	setrlimit(RLIMIT_NOFILE, &files);
	open_some();
	for (int round = 0; round < ROUNDS; round++) {
		struct ramet_step steps[DUPS_MAX + 2], dups[DUPS_MAX + 2];
		const unsigned n = make_dups(steps);
		struct ramet_spec spec =
			RAMET_SPEC(.program = REPORT_PROGRAM, .argv = argv, .steps = steps);
		struct ramet_template *t;
		unsigned changed = 0;

		if (tap_below(2)) {
			steps[n] = (struct ramet_step)RAMET_CLOSE_REST();
			steps[n + 1] = (struct ramet_step){0};
		}
		if (!expect(ramet_template_make(&spec, &t, NULL) == 0, "make"))
			return;
		for (unsigned i = 0; i < n; i++) {
			if (tap_below(2))
				continue;
			steps[i].number = any_source();
			dups[changed++] = steps[i];
		}
		dups[changed] = (struct ramet_step){0};
		if (!same_table(&spec, t, RAMET_CHANGE(.dups = dups), round))
			return;
		ramet_template_free(t);
	}
}

/* ---- What it points at is its own -------------------------------------------------------------- */

static int try_shell(const struct ramet_template *t, const char *word, const char *variable)
{
	char *argv[] = {
		(char[]){"sh"},
		(char[]){"-c"},
		(char[]){"test \"$1\" = \"$2\" && test \"$V\" = \"$3\" && pwd | grep -qx /usr"},
		(char[]){"sh"},
		(char *)word,
		(char[]){"changed"},
		(char[]){"mine"},
		NULL};
	char *envp[] = {(char *)variable, (char[]){"PATH=/usr/bin:/bin"}, NULL};
	struct ramet_task task;
	int r = ramet_template_launch(t, RAMET_CHANGE(.argv = argv, .envp = envp), &task, NULL);

	return r < 0 ? r : end_of(&task);
}

static void owned(void *arg)
{
	char *program = strdup("sh"), *cwd = strdup("/usr"), *word = strdup("exit 7");
	char **argv = calloc(4, sizeof(*argv));
	struct ramet_step *steps = calloc(3, sizeof(*steps));
	struct world before, after;
	struct ramet_template *t;
	struct ramet_task task;

	(void)arg;
	argv[0] = program;
	argv[1] = strdup("-c");
	argv[2] = word;
	steps[0] = (struct ramet_step)RAMET_CWD(cwd);
	steps[1] = (struct ramet_step)RAMET_UMASK(077);
	if (!expect(ramet_template_make(&RAMET_SPEC(.program = program, .argv = argv,
						    .steps = steps, .options = RAMET_SEARCH_PATH),
					&t, NULL) == 0,
		    "make"))
		return;
	memset(program, 'x', 2);
	memset(cwd, 'x', 4);
	memset(word, 'x', 6);
	memset(steps, 0xff, 3 * sizeof(*steps));
	memset(argv, 0xff, 4 * sizeof(*argv));
	for (int i = 0; i < 40; i++) {
		if (i == 5)
			before = world_take();
		expect(ramet_template_launch(t, NULL, &task, NULL) == 0 && end_of(&task) == 7,
		       "as it is");
		expect(try_shell(t, "changed", "V=mine") == 0, "changed");
		expect(try_shell(t, "other", "V=mine") == 1, "another argument");
		expect(try_shell(t, "changed", "V=yours") == 1, "another environment");
	}
	after = world_take();
	expect(!world_differs(&before, &after), "changed: %s", world_differs(&before, &after));
	ramet_template_free(t);
}

/* Planned again for want of clone3, it still searches where it did when it was made. */
static void searched(void *arg)
{
	const struct filter_row no_clone3[] = {{SYS_clone3, ENOSYS, 0}, {-1, 0, 0}};
	char *argv[] = {(char[]){"sh"}, (char[]){"-c"}, (char[]){"exit 7"}, NULL};
	const struct ramet_spec spec =
		RAMET_SPEC(.program = "sh", .argv = argv, .options = RAMET_SEARCH_PATH);
	struct ramet_template *made[3];
	struct ramet_task task;

	(void)arg;
	for (int i = 0; i < 3; i++) {
		setenv("PATH", "/usr/bin:/bin", 1);
		if (i == 2)
			expect(filter_install(no_clone3) && ramet_launch(&spec, &task, NULL) == 0 &&
				       end_of(&task) == 7,
			       "a launch that learns of it");
		if (!expect(ramet_template_make(&spec, &made[i], NULL) == 0, "make %d", i))
			return;
		setenv("PATH", "/nowhere", 1);
		expect(i || (ramet_template_launch(made[0], NULL, &task, NULL) == 0 &&
			     end_of(&task) == 7),
		       "with clone3");
	}
	expect(ramet_launch(&spec, &task, NULL) == -ENOENT, "/nowhere");
	for (int i = 0; i < 3; i++) {
		expect(ramet_template_launch(made[i], NULL, &task, NULL) == 0 && end_of(&task) == 7,
		       "template %d without clone3", i);
		ramet_template_free(made[i]);
	}
}

/* ---- Many threads -------------------------------------------------------------------------------- */

static struct ramet_template *shared;

static void *launch_some(void *arg)
{
	char script[32], *argv[] = {(char[]){"sh"}, (char[]){"-c"}, script, NULL};
	const int mine = (int)(intptr_t)arg;
	intptr_t wrong = 0;

	for (int i = 0; i < 60; i++) {
		const int code = (mine * 60 + i) % 100;
		struct ramet_task task;

		snprintf(script, sizeof(script), "exit %d", code);
		wrong += ramet_template_launch(shared, RAMET_CHANGE(.argv = argv), &task, NULL) <
				 0 ||
			 end_of(&task) != code;
	}
	return (void *)wrong;
}

static void many_threads(void *arg)
{
	pthread_t threads[6];

	(void)arg;
	if (!expect(ramet_template_make(&RAMET_SPEC(.program = "/bin/sh"), &shared, NULL) == 0,
		    "make"))
		return;
	for (int i = 0; i < 6; i++)
		pthread_create(&threads[i], NULL, launch_some, (void *)(intptr_t)i);
	for (int i = 0; i < 6; i++) {
		void *wrong;

		pthread_join(threads[i], &wrong);
		expect(!wrong, "thread %d: %ld wrong", i, (long)(intptr_t)wrong);
	}
	ramet_template_free(shared);
}

/* ---- Refused, and not to be had ------------------------------------------------------------------ */

static int nothing(void *arg)
{
	(void)arg;
	return 0;
}

static void refusals(void *arg)
{
	const struct ramet_step other[] = {RAMET_DUP(0, 8), {0}}, wrong[] = {RAMET_CWD("/"), {0}};
	struct ramet_template *t;
	struct ramet_error error;
	struct ramet_task task;

	(void)arg;
	expect(ramet_template_make(&RAMET_SPEC(.fn = nothing), &t, &error) == -EINVAL &&
		       !strcmp(error.rule, "template-needs-program"),
	       "a function");
	expect(ramet_template_make(&RAMET_SPEC(.program = room_tiny, .share = RAMET_SIGHAND), &t,
				   &error) == -EINVAL &&
		       !strcmp(error.rule, "sighand-needs-memory"),
	       "a rule of the kernel");
	if (!expect(ramet_template_make(
			    &RAMET_SPEC(.program = room_tiny,
					.steps = RAMET_STEPS(RAMET_DUP(0, 7), RAMET_CLOSE_REST())),
			    &t, NULL) == 0,
		    "make"))
		return;
	expect(ramet_template_launch(t, RAMET_CHANGE(.dups = other), &task, &error) == -EINVAL &&
		       !strcmp(error.rule, "template-has-no-such-target"),
	       "another target");
	expect(ramet_template_launch(t, RAMET_CHANGE(.dups = wrong), &task, &error) == -EINVAL,
	       "no DUP");
	expect(filter_install(
		       (const struct filter_row[]){{SYS_close_range, ENOSYS, 0}, {-1, 0, 0}}),
	       "filter");
	for (int i = 0; i < 2; i++)
		expect(ramet_template_launch(t, NULL, &task, NULL) == 0 &&
			       task.lost == RAMET_LOST_TABLE && end_of(&task) == 0,
		       "without close_range, lost %#x", task.lost);
	ramet_template_free(t);
	ramet_template_free(NULL);
}

int main(int argc, char **argv)
{
	report_main(argc, argv);
	room_make();
	tap_seed();
	snprintf(report_path, sizeof(report_path), "%s/report", room_dir);
	report_file(report_path);
	cell_run(WHO_ANY, 120, random_maps, NULL, "%d random maps, with other sources", ROUNDS);
	cell_run(WHO_ANY, 60, owned, NULL, "what it points at is its own");
	cell_run(WHO_NOBODY, 60, owned, NULL, "what it points at is its own");
	cell_run(WHO_ANY, 60, searched, NULL, "the PATH that it was made with");
	cell_run(WHO_ANY, 60, many_threads, NULL, "six threads, one template");
	cell_run(WHO_ANY, 60, refusals, NULL, "refused, or not to be had");
	unlink(report_path);
	return tap_done();
}
