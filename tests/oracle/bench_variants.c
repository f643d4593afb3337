/* SPDX-License-Identifier: MIT */
/*
 * What bench measures does what it says: every variant of every workload ends well and leaves no
 * child and no descriptor; and where the program cannot be run, or ends badly, none takes that
 * for a fast launch.
 */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/bench.h"
#include "tap.h"

#define OPERATIONS 5

/* Those that start no program. */
static const char *const programless[] = {
	"fork+exit", "pthread",	     "raw-thread", "linuxthreads", "parked",
	"memcpy",    "ramet-thread", "ramet-pool", NULL,
};

static bool starts_program(const struct bench_workload *w, const struct bench_variant *v)
{
	for (size_t i = 0; programless[i]; i++)
		if (!strcmp(programless[i], v->name))
			return false;
	return strcmp(w->name, "switch") != 0 && strcmp(w->name, "sync") != 0;
}

static int open_descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	int count = 0;

	while (folder && readdir(folder))
		count++;
	if (folder)
		closedir(folder);
	return count;
}

/* Small but not the smallest: bursts have more than one task. */
static uint64_t point(const struct bench_workload *w)
{
	switch (w->unit) {
	case BENCH_BYTES:
		return 2 << 20;
	case BENCH_COUNT:
		return 12;
	case BENCH_NO_AXIS:
		break;
	}
	return 0;
}

/* Negative, or what run gave. */
static long operate(const struct bench_variant *v, struct bench_scene *scene)
{
	double ns = 0;
	const long r = v->run_many ? v->run_many(scene, 1, &ns) : v->run(scene),
		   settled = r >= 0 && v->settle ? v->settle(scene) : 0;

	return settled < 0 ? settled : r;
}

static void check_good(const struct bench_variant *v, struct bench_scene *scene)
{
	const char *name = scene->workload->name;
	const int before = open_descriptors();
	long r = v->begin ? v->begin(scene) : 0;

	if (r == -EPERM || r == -ENODEV || r == -EOPNOTSUPP) {
		skip(3, "%s %s: %s", name, v->name, scene->why);
		return;
	}
	if (!is_int(r < 0 ? r : 0, 0, "%s %s begins", name, v->name)) {
		diag("%s", scene->why);
		return;
	}
	for (int i = 0; i < OPERATIONS && r >= 0; i++)
		r = operate(v, scene);
	if (!ok(r >= 0 && (!v->self_timed || r > 0), "%s %s runs", name, v->name))
		diag("%ld: %s", r, scene->why);
	if (v->end)
		v->end(scene);
	ok(waitpid(-1, NULL, __WALL | WNOHANG) < 0 && errno == ECHILD &&
		   open_descriptors() == before,
	   "%s %s leaves nothing", name, v->name);
}

/* The program cannot be run, or ends with a status that is not 0. */
static void check_bad(const struct bench_variant *v, struct bench_scene *scene, const char *program)
{
	const char *good = scene->program;
	long r;

	scene->program = program;
	scene->why[0] = 0;
	r = v->begin ? v->begin(scene) : 0;
	if (r == -EPERM) {
		skip(1, "%s %s: %s", scene->workload->name, v->name, scene->why);
	} else {
		if (r >= 0) {
			r = operate(v, scene);
			if (v->end)
				v->end(scene);
		}
		ok(r < 0 && scene->why[0] && waitpid(-1, NULL, __WALL | WNOHANG) < 0 &&
			   errno == ECHILD,
		   "%s %s with %s: %s", scene->workload->name, v->name, program, scene->why);
	}
	scene->program = good;
}

static void check_workload(const struct bench_workload *w, const char *program)
{
	struct bench_scene scene = {.workload = w, .x = point(w), .program = program};
	const long r = w->set_up ? w->set_up(&scene) : 0;

	if (!is_int(r < 0 ? r : 0, 0, "%s is set up", w->name)) {
		diag("%s", scene.why);
		return;
	}
	for (const struct bench_variant *const *v = w->variants; *v; v++) {
		check_good(*v, &scene);
		if (!starts_program(w, *v))
			continue;
		check_bad(*v, &scene, "/nonexistent");
		check_bad(*v, &scene, "/bin/false");
	}
	if (w->tear_down)
		w->tear_down(&scene);
}

static void check_program(const char *path)
{
	struct stat st;

	ok(stat(path, &st) == 0 && (st.st_mode & 0777) == 0755, "anybody may run the program");
	ok(!strncmp(path, "/tmp/", 5) && strstr(path, "ramet"), "it is in /tmp and names us");
}

static void check_no_program(void)
{
	char path[128], why[BENCH_WHY] = "";

	setenv("TMPDIR", "/nonexistent", 1);
	is_int(bench_program_begin(path, why), -ENOENT, "no folder for the program: %s", why);
	unsetenv("TMPDIR");
}

int main(void)
{
	char program[128], why[BENCH_WHY] = "";

	unsetenv("TMPDIR");
	if (!is_int(bench_program_begin(program, why), 0, "a program of our own"))
		return tap_done();
	check_program(program);
	for (const struct bench_workload *const *w = bench_workloads; *w; w++)
		check_workload(*w, program);
	bench_program_end(program);
	ok(access(program, F_OK) < 0, "the program is gone");
	check_no_program();
	return tap_done();
}
