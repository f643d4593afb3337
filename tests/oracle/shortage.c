/* SPDX-License-Identifier: MIT */
/*
 * Launches for which there is not enough: memory refused at each allocation in turn, calls that
 * answer ENOMEM, no free number for each descriptor in turn, no more processes, hardly any stack.
 * The launch does without or says so, nothing stays, and the next one is as if nothing had been.
 *
 * Seen to fail, in a copy of the tree: files of a helper that was not opened whole, a slot without
 * its guard page, one end of the pipe that tells kept; a copy of the steps that was not made passed
 * over; a descriptor that is not open taken for a system without pidfd_getfd; an array of pointers
 * for newuidmap on the stack.
 */
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <sys/resource.h>

#include "lib/filter.h"
#include "lib/world.h"
#include "oracle/launches.h"

/* ---- Memory refused ------------------------------------------------------------------------- */

/* The call at which there is no more, counted down; 0: as much as one likes. */
static unsigned fail_in;
static unsigned failed;

#if !SANITIZED

static bool refused(void)
{
	if (!fail_in || --fail_in)
		return false;
	failed++;
	errno = ENOMEM;
	return true;
}

/* In front of the C library's, for the library under test as for everything here. */
extern void *__libc_malloc(size_t size), *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);

void *malloc(size_t size)
{
	return refused() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return refused() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
	return refused() ? NULL : __libc_realloc(old, size);
}

static long result(long r)
{
	if (r >= 0 || r < -4095)
		return r;
	errno = (int)-r;
	return -1;
}

void *mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
	if (refused())
		return MAP_FAILED;
	return (void *)result(sys6(SYS_mmap, (long)at, (long)size, protection, flags, fd, offset));
}

int mprotect(void *at, size_t size, int protection)
{
	return refused() ? -1 : (int)result(sys3(SYS_mprotect, (long)at, (long)size, protection));
}

int madvise(void *at, size_t size, int advice)
{
	return refused() ? -1 : (int)result(sys3(SYS_madvise, (long)at, (long)size, advice));
}

int memfd_create(const char *name, unsigned flags)
{
	return refused() ? -1 : (int)result(sys2(SYS_memfd_create, (long)name, flags));
}

int ftruncate(int fd, off_t size)
{
	return refused() ? -1 : (int)result(sys2(SYS_ftruncate, fd, size));
}

ssize_t write(int fd, const void *data, size_t size)
{
	return refused() ? -1 : result(sys3(SYS_write, fd, (long)data, (long)size));
}

int pipe2(int ends[2], int flags)
{
	return refused() ? -1 : (int)result(sys2(SYS_pipe2, (long)ends, flags));
}

#endif

static void is_no_memory(int r, const struct ramet_error *error, unsigned n)
{
	expect(r == -ENOMEM && error->error == ENOMEM, "at %u: %d, error %d", n, r, error->error);
	expect(error->stage == RAMET_STAGE_PREPARE || error->stage == RAMET_STAGE_STEP,
	       "at %u: stage %d", n, (int)error->stage);
}

/* With the n-th refused. True while there is one. */
static bool try_without(const struct shape *s, unsigned n, bool compare)
{
	struct world before, after;
	struct ramet_error error;
	struct ramet_task task;
	int r;

	failed = 0;
	before = world_take();
	fail_in = n;
	r = shape_start(s, &task, &error);
	fail_in = 0;
	if (r < 0)
		is_no_memory(r, &error, n);
	else
		expect(shape_finish(s, &task), "at %u: its end", n);
	after = world_take();
	expect(!compare || !world_differs(&before, &after), "at %u: %s", n,
	       world_differs(&before, &after));
	expect(before.fds == after.fds && !after.children, "at %u: %ld descriptors, then %ld", n,
	       before.fds, after.fds);
	return failed != 0;
}

static void no_memory(void *arg)
{
	const struct shape *s = arg;
	struct ramet_error error;
	unsigned n = 1;
	int r;

	if (SANITIZED) {
		cell_skip("a sanitizer's allocator is not to be failed");
		return;
	}
	shapes_prepare();
	for (int i = 0; i < 3; i++)
		if (!expect((r = shape_launch(s, &error)) == 0, "warm: %d %s", r, error.detail))
			return;
	while (try_without(s, n, true) && !cell->text[0] && n < 100)
		n++;
	cell_note("%u refused\n", n - 1);
	expect(n > 1 && n < 100, "%u refused", n - 1);
	r = shape_launch(s, &error);
	expect(r == 0, "afterwards: %d", r);
}

/* The first launch of a process, whose pool and knowledge are still to be made. */
static void no_memory_at_first(void *arg)
{
	const struct shape *s = arg;
	struct ramet_error error;
	int status = 0;

	if (SANITIZED) {
		cell_skip("a sanitizer's allocator is not to be failed");
		return;
	}
	shapes_prepare();
	for (unsigned n = 1; n < 100 && !status; n++) {
		const pid_t pid = fork();

		if (pid == 0) {
			const bool more = try_without(s, n, false);

			expect(shape_launch(s, &error) == 0, "at %u: the second launch", n);
			_exit(cell->text[0] || !more);
		}
		waitpid(pid, &status, 0);
		expect(WIFEXITED(status), "at %u: %#x", n, status);
	}
}

/* ---- Calls that answer ENOMEM ------------------------------------------------------------------- */

static void refused_by_kernel(void *arg)
{
	static const struct {
		int nr, other;
		enum ramet_way way;
		uint32_t kind; /* 0: before there is a child */
	} rows[] = {
		{SYS_clone3, SYS_clone, RAMET_WAY_HELD, 0},
		{SYS_clone3, SYS_clone, RAMET_WAY_FUTEX, 0},
		{SYS_clone3, SYS_clone, RAMET_WAY_COPY, 0},
		{SYS_clone3, SYS_clone, RAMET_WAY_HELPER, 0},
		{SYS_close_range, SYS_close_range, RAMET_WAY_HELD, RAMET_STEP_OWN_TABLE},
		{SYS_close_range, SYS_close_range, RAMET_WAY_FUTEX, RAMET_STEP_OWN_TABLE},
		{SYS_close_range, SYS_close_range, RAMET_WAY_COPY, RAMET_STEP_CLOSE_RANGE},
		{SYS_close_range, SYS_close_range, RAMET_WAY_HELPER, RAMET_STEP_CLOSE_RANGE},
		{SYS_execve, SYS_execveat, RAMET_WAY_HELD, RAMET_STEP_EXEC},
		{SYS_execve, SYS_execveat, RAMET_WAY_FUTEX, RAMET_STEP_EXEC},
		{SYS_execve, SYS_execveat, RAMET_WAY_COPY, RAMET_STEP_EXEC},
		{SYS_execve, SYS_execveat, RAMET_WAY_HELPER, 0},
	};
	struct ramet_error error;
	struct ramet_task task;
	struct world before, after;
	const size_t count = sizeof(rows) / sizeof(rows[0]), row = (size_t)arg;
	const struct ramet_spec spec =
		RAMET_SPEC(.program = room_tiny, .way = rows[row % count].way,
			   .steps = RAMET_STEPS(RAMET_CWD("/"), RAMET_CLOSE_REST()));
	int r;

	if (row >= count) {
		cell->number[0] = 1;
		return;
	}
	expect(ramet_launch(&spec, &task, NULL) == 0 && ramet_wait(&task, -1, NULL) == 0, "warm");
	ramet_task_close(&task);
	expect(filter_install((const struct filter_row[]){
		       {rows[row].nr, ENOMEM, 0}, {rows[row].other, ENOMEM, 0}, {-1, 0, 0}}),
	       "filter");
	for (int i = 0; i < 3; i++) {
		before = world_take();
		r = ramet_launch(&spec, &task, &error);
		after = world_take();
		expect(r == -ENOMEM && error.kind == rows[row].kind, "%d, kind %u", r, error.kind);
		expect(!world_differs(&before, &after), "%s", world_differs(&before, &after));
	}
}

/* ---- Descriptors, processes ---------------------------------------------------------------------- */

static void limit_to(int which, rlim_t soft)
{
	struct rlimit l;

	getrlimit(which, &l);
	l.rlim_cur = soft;
	expect(setrlimit(which, &l) == 0, "setrlimit");
}

/* All but the last `spare` numbers below the limit are taken, whichever the spec itself needs. */
static void no_descriptors(void *arg)
{
	const struct shape *s = arg;
	struct rlimit l;
	struct world before, after;
	struct ramet_error error;
	struct ramet_task task;
	unsigned refusals = 0, lost;
	int r = -EMFILE, top;

	shapes_prepare();
	getrlimit(RLIMIT_NOFILE, &l);
	for (int i = 0; i < 3; i++)
		if (!expect((r = shape_launch(s, &error)) == 0, "warm: %d %s", r, error.detail))
			return;
	while ((top = fcntl(0, F_DUPFD_CLOEXEC, 0)) < SHAPE_FAR_FD + 2)
		if (!expect(top >= 0, "dup"))
			return;
	close(top);
	for (unsigned spare = 0; spare < 12; spare++) {
		before = world_take();
		limit_to(RLIMIT_NOFILE, (rlim_t)top + spare);
		r = shape_start(s, &task, &error);
		if (r == 0)
			expect(shape_finish(s, &task), "%u spare: its end", spare);
		limit_to(RLIMIT_NOFILE, l.rlim_cur);
		after = world_take();
		refusals += r < 0;
		expect(r == 0 || (r == -EMFILE && error.error == EMFILE), "%u spare: %d %s", spare,
		       r, error.detail);
		expect(!world_differs(&before, &after), "%u spare: %s", spare,
		       world_differs(&before, &after));
		/* What is refused for a moment is not refused for ever. */
		r = shape_start(s, &task, &error);
		lost = task.lost;
		expect(r == 0 && shape_finish(s, &task), "after %u spare: %d", spare, r);
		expect(!lost, "after %u spare: lost %#x", spare, lost);
	}
	cell_note("refused with up to %u spare\n", refusals);
	expect(refusals < 12, "always refused");
}

/* One that is not open is this launch's mistake, and nothing that a later one would have to bear. */
static void no_such_descriptor(void *arg)
{
	struct ramet_error error;
	struct ramet_task task;
	int r;

	(void)arg;
	shapes_prepare();
	for (int i = 0; i < 3; i++) {
		r = ramet_launch(&RAMET_SPEC(.program = room_tiny,
					     .steps = RAMET_STEPS(RAMET_KEEP(SHAPE_FAR_FD + 1),
								  RAMET_CLOSE_REST())),
				 &task, &error);
		expect(r == -EBADF && error.stage == RAMET_STAGE_STEP, "%d", r);
		r = ramet_launch(&RAMET_SPEC(.program = room_tiny, .options = RAMET_NO_FALLBACK,
					     .steps = RAMET_STEPS(RAMET_KEEP(SHAPE_FAR_FD),
								  RAMET_CLOSE_REST())),
				 &task, &error);
		if (!expect(r == 0, "afterwards: %d, rule %s", r, error.rule ? error.rule : "none"))
			return;
		expect(!task.lost, "lost %#x", task.lost);
		expect(ramet_wait(&task, -1, NULL) == 0, "wait");
		ramet_task_close(&task);
	}
}

static void no_processes(void *arg)
{
	const struct shape *s = arg;
	struct world before, after;
	struct ramet_error error;
	struct rlimit l;
	unsigned refusals = 0;
	int r = 0;

	shapes_prepare();
	getrlimit(RLIMIT_NPROC, &l);
	for (int i = 0; i < 3; i++)
		if (!expect((r = shape_launch(s, &error)) == 0, "warm: %d %s", r, error.detail))
			return;
	for (rlim_t n = 1; n < 4; n++) {
		limit_to(RLIMIT_NPROC, n);
		before = world_take();
		r = shape_launch(s, &error);
		after = world_take();
		limit_to(RLIMIT_NPROC, l.rlim_cur);
		refusals += r < 0;
		expect(r == 0 || (r == -EAGAIN && (error.stage == RAMET_STAGE_CLONE ||
						   error.kind == RAMET_STEP_INIT)),
		       "limit %ld: %d, stage %d, %s", (long)n, r, (int)error.stage, error.detail);
		expect(!world_differs(&before, &after), "%s", world_differs(&before, &after));
		r = shape_launch(s, &error);
		expect(r == 0, "after limit %ld: %d", (long)n, r);
	}
	expect(refusals >= 1 && refusals < 3, "%u refusals", refusals);
}

/* ---- Stacks ---------------------------------------------------------------------------------------- */

struct stacked {
	const struct shape *shape;
	const struct ramet_spec *fails;
	int r;
};

static void *on_small_stack(void *arg)
{
	struct stacked *t = arg;
	struct ramet_error error;
	struct ramet_task task;

	t->r = t->fails ? ramet_launch(t->fails, &task, &error) : shape_launch(t->shape, &error);
	return NULL;
}

/* How much of a painted stack was used, in bytes. */
static size_t run_on(struct stacked *t, char *stack, size_t size)
{
	pthread_attr_t attr;
	pthread_t thread;
	size_t i = 0;

	memset(stack, 0xa5, size);
	pthread_attr_init(&attr);
	expect(pthread_attr_setstack(&attr, stack, size) == 0, "stack");
	if (!expect(pthread_create(&thread, &attr, on_small_stack, t) == 0, "thread"))
		return 0;
	pthread_join(thread, NULL);
	while (i < size && (unsigned char)stack[i] == 0xa5)
		i++;
	return size - i;
}

static const struct ramet_spec failing[] = {
	SHAPE_SPEC(.program = room_nothing),
	SHAPE_SPEC(.program = room_tiny, .fresh = RAMET_CGROUP, .cgroup = 999),
	SHAPE_SPEC(.program = room_tiny, .share = RAMET_THREAD_GROUP),
	SHAPE_SPEC(.program = room_tiny, .fresh = RAMET_USER,
		   .steps = RAMET_STEPS(RAMET_ID_MAP("0 0 1000\n", "0 0 1000\n"))),
	SHAPE_SPEC(.program = room_tiny, .way = RAMET_WAY_HELPER,
		   .steps = RAMET_STEPS(RAMET_CWD(room_nothing))),
};

/* The smallest stack that the C library gives a thread, with nothing mapped below it. */
static void small_stack(void *arg)
{
	const size_t size = (size_t)PTHREAD_STACK_MIN, page = 4096;
	const struct shape *s = arg;
	struct stacked t = {.shape = s};
	char *map;
	size_t used;

	if (SANITIZED) {
		cell_skip("a sanitizer makes frames larger");
		return;
	}
	shapes_prepare();
	map = mmap(NULL, page + size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	expect(map != MAP_FAILED && mprotect(map + page, size, PROT_READ | PROT_WRITE) == 0, "map");
	used = run_on(&t, map + page, size);
	expect(t.r == 0, "launch %d", t.r);
	cell_note("%zu bytes of %zu\n", used, size);
	for (size_t i = 0; i < sizeof(failing) / sizeof(failing[0]) && s == &shapes[0]; i++) {
		t.fails = &failing[i];
		used = run_on(&t, map + page, size);
		expect(t.r < 0 || geteuid() == 0, "launch that fails %zu: %d", i, t.r);
		cell_note("%zu bytes in failure %zu\n", used, i);
	}
}

int main(void)
{
	room_make();
	shapes_try(WHO_ANY, 60, no_memory, "memory");
	shapes_try(WHO_ANY, 60, no_memory_at_first, "memory, first launch");
	for (size_t row = 0; row == 0 || !cell->number[0]; row++)
		cell_run(WHO_ANY, 20, refused_by_kernel, (void *)row, "ENOMEM by the kernel, %zu",
			 row);
	shapes_try(WHO_ANY, 60, no_descriptors, "descriptors");
	cell_run(WHO_ANY, 20, no_such_descriptor, NULL, "descriptors: one that is not there");
	shapes_try(WHO_LONER, 60, no_processes, "processes");
	shapes_try(WHO_ANY, 60, small_stack, "stack");
	cell_run(WHO_NOBODY, 60, small_stack, (void *)&shapes[0], "stack: failures");
	return tap_done();
}
