/* SPDX-License-Identifier: MIT */
/*
 * Launches of every shape, one a row, for tests that make something go wrong in each: plain, begun
 * and ended later, functions, second returns. launch_shape() does one from beginning to end.
 */
#ifndef RAMET_TESTS_ORACLE_LAUNCHES_H
#define RAMET_TESTS_ORACLE_LAUNCHES_H

#include "lib/cell.h"
#include "lib/room.h"
#include "uapi/clone.h"

#include <ramet/ramet.h>

#define SHAPE_FAR_FD 700 /* open in tests that call shapes_prepare() */

struct shape {
	const char *name;
	struct ramet_spec spec; /* neither program nor fn: returns twice */
	int code;		/* exit status */
	bool begun;
	bool root;
};

#define SHAPE_SPEC(...)                                                                            \
	{                                                                                          \
		.size = sizeof(struct ramet_spec), __VA_ARGS__                                     \
	}
#define SHAPE_CHANGES                                                                              \
	RAMET_CWD("/"), RAMET_UMASK(027), RAMET_DUP(0, 9), RAMET_DUP(1, 0), RAMET_CLOSE_REST()
#define SHAPE_MAPS RAMET_ID_MAP(NULL, NULL), RAMET_CWD("/")
#define SHAPE_SELF RAMET_UID(geteuid()), RAMET_KEEP_GROUPS()

static int shape_seven(void *arg)
{
	(void)arg;
	return 7;
}

#define TINY_BY(way_, ...)                                                                         \
	SHAPE_SPEC(.program = room_tiny, .way = RAMET_WAY_##way_, .steps = RAMET_STEPS(__VA_ARGS__))

static const struct shape shapes[] = {
	{.name = "held", .spec = TINY_BY(HELD, SHAPE_CHANGES)},
	{.name = "held, own stack", .spec = SHAPE_SPEC(.program = room_tiny, .stack_size = 65536)},
	{.name = "futex", .spec = TINY_BY(FUTEX, SHAPE_CHANGES)},
	{.name = "copy", .spec = TINY_BY(COPY, SHAPE_CHANGES)},
	{.name = "helper", .spec = TINY_BY(HELPER, SHAPE_CHANGES)},
	{.name = "a far one kept", .spec = TINY_BY(ANY, RAMET_KEEP(SHAPE_FAR_FD), SHAPE_CHANGES)},
	{.name = "searched", .spec = SHAPE_SPEC(.program = "true", .options = RAMET_SEARCH_PATH)},
	{.name = "id maps",
	 .spec = SHAPE_SPEC(.program = room_tiny, .fresh = RAMET_USER,
			    .steps = RAMET_STEPS(SHAPE_MAPS))},
	{.name = "id maps, helper",
	 .spec = SHAPE_SPEC(.program = room_tiny, .fresh = RAMET_USER, .way = RAMET_WAY_HELPER,
			    .steps = RAMET_STEPS(SHAPE_MAPS))},
	{.name = "behind an init",
	 .spec = SHAPE_SPEC(.program = room_tiny, .fresh = RAMET_USER | RAMET_PID,
			    .steps = RAMET_STEPS(RAMET_INIT(), SHAPE_MAPS))},
	{.name = "another identity",
	 .spec = TINY_BY(ANY, RAMET_UID(65534), RAMET_GID(65534), RAMET_KEEP_GROUPS()),
	 .root = true},
	{.name = "begun", .spec = TINY_BY(ANY, SHAPE_CHANGES), .begun = true},
	{.name = "begun, tells",
	 .begun = true,
	 .spec = SHAPE_SPEC(.program = room_tiny, .options = RAMET_DONE_FD)},
	{.name = "begun, copy", .spec = TINY_BY(COPY, SHAPE_CHANGES), .begun = true},
	{.name = "begun, helper", .spec = TINY_BY(HELPER, SHAPE_CHANGES), .begun = true},
	{.name = "begun, id maps",
	 .begun = true,
	 .spec = SHAPE_SPEC(.program = room_tiny, .fresh = RAMET_USER,
			    .steps = RAMET_STEPS(SHAPE_MAPS))},
	{.name = "function", .spec = SHAPE_SPEC(.fn = shape_seven), .code = 7},
	{.name = "function, shared",
	 .code = 7,
	 .spec = SHAPE_SPEC(.fn = shape_seven, .share = RAMET_MEMORY, .options = RAMET_NO_LIBC)},
	{.name = "thread",
	 .spec = SHAPE_SPEC(.fn = shape_seven, .preset = RAMET_PRESET_NPTL,
			    .options = RAMET_NO_LIBC)},
	{.name = "twice", .spec = SHAPE_SPEC(.steps = RAMET_STEPS(RAMET_CWD("/"))), .code = 7},
};
#define SHAPES (sizeof(shapes) / sizeof(shapes[0]))

/* The steps up to the body: 0, or the launch's own error. The task is the caller's. */
static inline int shape_start(const struct shape *s, struct ramet_task *task,
			      struct ramet_error *error)
{
	struct ramet_launching *begun;
	int r;

	memset(error, 0, sizeof(*error));
	if (s->begun) {
		r = ramet_launch_begin(&s->spec, &begun, error);
		return r < 0 ? r : ramet_launch_end(begun, -1, task, error);
	}
	if (s->spec.program || s->spec.fn)
		return ramet_launch(&s->spec, task, error);
	r = ramet_fork(&s->spec, task, error);
	if (r == 0)
		sys_exit_group(7);
	return r > 0 ? 0 : r;
}

/* Its end: true if that is as it should be. */
static inline bool shape_finish(const struct shape *s, struct ramet_task *task)
{
	struct ramet_status status = {0};
	const int r = ramet_wait(task, -1, &status);

	ramet_task_close(task);
	return r == 0 && status.exited && status.code == s->code;
}

/* All of it. 0, the launch's error, or -EIO for another end than it should have. */
static inline int shape_launch(const struct shape *s, struct ramet_error *error)
{
	struct ramet_task task;
	int r = shape_start(s, &task, error);

	return r < 0 ? r : shape_finish(s, &task) ? 0 : -EIO;
}

/* A descriptor far above the others. */
static inline void shapes_prepare(void)
{
	expect(dup2(0, SHAPE_FAR_FD) == SHAPE_FAR_FD, "a descriptor of that number");
}

/* Every shape that this user may launch, in a cell of its own. */
static inline void shapes_try(enum who who, unsigned seconds, void (*fn)(void *), const char *what)
{
	for (size_t i = 0; i < SHAPES; i++)
		if (!shapes[i].root || (who != WHO_NOBODY && who != WHO_LONER))
			cell_run(shapes[i].root ? WHO_ROOT : who, seconds, fn, (void *)&shapes[i],
				 "%s: %s", what, shapes[i].name);
}

#endif
