/* SPDX-License-Identifier: MIT */
/*
 * Random maps of descriptors against a model of what they mean: all DUP steps at once, from the
 * caller's table; then the rest by KEEP, CLOSE_REST and FD_CLOEXEC. Permutations, cycles, maps of a
 * descriptor to itself, targets above and below, sources that are not open. RAMET_SEED repeats a
 * run.
 *
 * Seen to fail, in a copy of the tree: moves in the order given, a map to itself that leaves
 * FD_CLOEXEC, CLOSE_REST that closes what is kept; close_range without CLOSE_RANGE_UNSHARE, which
 * empties the caller's table; the pidfd of the launch itself left open in the child's.
 */
#include <fcntl.h>
#include <sys/resource.h>

#include "lib/cell.h"
#include "lib/filter.h"
#include "lib/report.h"
#include "lib/room.h"
#include "lib/world.h"

#include <ramet/ramet.h>

#define FD_LIMIT REPORT_FDS
#define STEPS_MAX 64

static char report_path[96];
static char *report_argv[] = {report_name, report_path, NULL};

/* One descriptor of the caller or of the child: which file, 0 for none. */
struct slot {
	ino_t ino;
	bool cloexec;
};

struct trial {
	struct slot table[FD_LIMIT]; /* the caller's */
	struct slot want[FD_LIMIT];  /* the child's before exec */
	struct ramet_step steps[STEPS_MAX];
	unsigned count;
	bool broken; /* a source is not open */
};

static struct trial trial;

static void add(struct ramet_step step)
{
	trial.steps[trial.count++] = step;
	trial.steps[trial.count] = (struct ramet_step){0};
}

static void read_table(void)
{
	struct stat st;

	memset(trial.table, 0, sizeof(trial.table));
	for (int fd = 0; fd < FD_LIMIT; fd++)
		if (fstat(fd, &st) == 0) {
			trial.table[fd].ino = st.st_ino;
			trial.table[fd].cloexec = fcntl(fd, F_GETFD) & FD_CLOEXEC;
		}
}

/* A file of its own on each number, so that one cannot pass for another. */
static void fill_table(unsigned span)
{
	int pipes[2];

	for (unsigned i = 0; i < span; i++) {
		/* Some far off, so that the table is not copied as far as that. */
		const int at = (int)(tap_below(8) ? 3 + tap_below(span) : 400 + tap_below(400));

		if (pipe2(pipes, O_CLOEXEC) < 0)
			continue;
		dup3(pipes[0], at, tap_below(2) ? O_CLOEXEC : 0);
		for (unsigned e = 0; e < 2; e++)
			if (pipes[e] != at)
				close(pipes[e]);
	}
}

static void clear_table(void)
{
	for (int fd = 3; fd < FD_LIMIT; fd++)
		close(fd);
}

static int pick_open(void)
{
	int fd;

	do
		fd = (int)(tap_below(4) ? tap_below(60) : 400 + tap_below(400));
	while (!trial.table[fd].ino);
	return fd;
}

static void shuffle(int *numbers, unsigned n)
{
	for (unsigned i = n; i > 1; i--) {
		const unsigned j = (unsigned)tap_below(i);
		const int t = numbers[i - 1];

		numbers[i - 1] = numbers[j];
		numbers[j] = t;
	}
}

/* A permutation of some open descriptors: nothing but cycles. */
static void permute(void)
{
	int from[FD_LIMIT], to[FD_LIMIT];
	unsigned n = 0;

	for (int fd = 0; fd < 40; fd++)
		if (trial.table[fd].ino && tap_below(3))
			from[n++] = fd;
	memcpy(to, from, n * sizeof(from[0]));
	shuffle(to, n);
	for (unsigned i = 0; i < n; i++)
		add((struct ramet_step)RAMET_DUP(from[i], to[i]));
}

/* Any sources to different targets. */
static void scatter(void)
{
	const unsigned n = (unsigned)tap_below(20);
	int to[90];

	for (int i = 0; i < 90; i++)
		to[i] = i < 80 ? i / 2 : 900 + i; /* below the usual RLIMIT_NOFILE */
	for (int i = 0; i < 40; i++)
		to[i] = i;
	for (int i = 40; i < 80; i++)
		to[i] = 60 + i;
	shuffle(to, 90);
	for (unsigned i = 0; i < n; i++)
		add((struct ramet_step)RAMET_DUP(tap_below(5) ? pick_open() : to[i], to[i]));
}

static void make_steps(void)
{
	trial.count = 0;
	trial.steps[0] = (struct ramet_step){0};
	if (tap_below(2))
		permute();
	else
		scatter();
	/* The lowest number that is free: what a launch of ours might open. */
	if (!tap_below(12))
		for (int fd = 0; fd < 60; fd++)
			if (!trial.table[fd].ino) {
				add((struct ramet_step)RAMET_DUP(fd, 990));
				break;
			}
	for (unsigned i = (unsigned)tap_below(4); i; i--)
		add((struct ramet_step)RAMET_KEEP(tap_below(20) ? pick_open() : 59));
	if (tap_below(2))
		add((struct ramet_step)RAMET_CLOSE_REST());
	/* The order among the steps must not matter: rotate. */
	for (unsigned i = (unsigned)tap_below(8); i && trial.count; i--) {
		const struct ramet_step first = trial.steps[0];

		memmove(trial.steps, trial.steps + 1, (trial.count - 1) * sizeof(first));
		trial.steps[trial.count - 1] = first;
	}
}

/* The model. */
static void apply_steps(void)
{
	bool named[FD_LIMIT] = {false}, rest = false;

	memcpy(trial.want, trial.table, sizeof(trial.want));
	trial.broken = false;
	for (const struct ramet_step *s = trial.steps; s->kind; s++) {
		if (s->kind == RAMET_STEP_CLOSE_REST) {
			rest = true;
			continue;
		}
		if (!trial.table[s->number].ino)
			trial.broken = true;
		named[s->kind == RAMET_STEP_KEEP ? s->number : s->to] = true;
		if (s->kind == RAMET_STEP_KEEP)
			trial.want[s->number].cloexec = false;
	}
	for (const struct ramet_step *s = trial.steps; s->kind; s++)
		if (s->kind == RAMET_STEP_DUP)
			trial.want[s->to] = (struct slot){trial.table[s->number].ino, false};
	for (int fd = 0; fd < FD_LIMIT; fd++)
		if (trial.want[fd].cloexec || (rest && fd > 2 && !named[fd]))
			trial.want[fd].ino = 0;
}

static void describe(char *buf, size_t size)
{
	size_t n = 0;

	for (const struct ramet_step *s = trial.steps; s->kind && n < size; s++)
		n += (size_t)snprintf(buf + n, size - n,
				      s->kind == RAMET_STEP_DUP	   ? "%d>%d "
				      : s->kind == RAMET_STEP_KEEP ? "keep %d "
								   : "rest ",
				      s->number, s->to);
}

/* One launch against the model. */
static bool judge(enum ramet_way way)
{
	const struct ramet_spec spec = RAMET_SPEC(.program = REPORT_PROGRAM, .argv = report_argv,
						  .steps = trial.steps, .way = way);
	static struct report report;
	struct ramet_status status;
	struct ramet_error error;
	struct ramet_task task;
	char text[400];
	int r;

	describe(text, sizeof(text));
	if (!report_file(report_path))
		return expect(false, "report file");
	r = ramet_launch(&spec, &task, &error);
	if (trial.broken)
		return expect(r == -EBADF && (error.kind == RAMET_STEP_DUP ||
					      error.kind == RAMET_STEP_KEEP),
			      "%d, kind %u: %s", r, error.kind, text);
	if (!expect(r == 0, "%d, %s: %s", r, error.detail, text))
		return false;
	r = ramet_wait(&task, 20000, &status);
	ramet_task_close(&task);
	if (!expect(r == 0 && status.code == REPORT_STATUS, "%d, code %d", r, status.code) ||
	    !expect(report_read(report_path, &report), "no report"))
		return false;
	for (int fd = 0; fd < FD_LIMIT; fd++)
		if (!expect((report.open[fd] ? report.fd[fd].ino : 0) == trial.want[fd].ino,
			    "way %d, descriptor %d: file %lu, want %lu: %s", (int)way, fd,
			    report.open[fd] ? (unsigned long)report.fd[fd].ino : 0,
			    (unsigned long)trial.want[fd].ino, text))
			return false;
	return true;
}

static void trials(void *arg)
{
	const unsigned n = *(const unsigned *)arg;
	struct world before, after;
	unsigned broken = 0;

	clear_table();
	for (unsigned i = 0; i < n; i++) {
		clear_table();
		fill_table(8 + (unsigned)tap_below(30));
		read_table();
		make_steps();
		apply_steps();
		broken += trial.broken;
		before = world_take();
		if (!judge(i % 3 + RAMET_WAY_HELD))
			break;
		after = world_take();
		if (i > 10)
			expect(!world_differs(&before, &after), "changed: %s",
			       world_differs(&before, &after));
	}
	cell->number[0] = broken;
}

static void without_close_range(void *arg)
{
	expect(filter_install(
		       (const struct filter_row[]){{SYS_close_range, ENOSYS, 0}, {-1, 0, 0}}),
	       "filter");
	trials(arg);
}

static void without_fetching(void *arg)
{
	expect(filter_install((const struct filter_row[]){{SYS_pidfd_getfd, EPERM, 0}, {-1, 0, 0}}),
	       "filter");
	trials(arg);
}

/* How the child came by its table, and that the caller still has its own. */
static void far_ones(void *arg)
{
	static const struct {
		int keep;
		uint32_t kind; /* among the steps */
		const char *text;
	} rows[] = {
		{5, RAMET_STEP_OWN_TABLE, "without 6 and up"},
		{255, RAMET_STEP_OWN_TABLE, "without 256 and up"},
		{900, RAMET_STEP_FETCH, "fetch descriptor 900"},
	};
	const bool refused = arg;
	struct ramet_status status;
	struct ramet_task task;
	static struct report report;
	char plan[2000];
	struct stat here, kept;

	if (refused)
		expect(filter_install((const struct filter_row[]){{SYS_pidfd_getfd, EPERM, 0},
								  {-1, 0, 0}}),
		       "filter");
	for (int fd = 3; fd < 1000; fd++)
		dup3(0, fd, O_CLOEXEC);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct ramet_spec spec =
			RAMET_SPEC(.program = REPORT_PROGRAM, .argv = report_argv,
				   .steps = RAMET_STEPS(RAMET_CLOSE_REST(),
							RAMET_KEEP(rows[i].keep)));

		expect(ramet_plan_format(&spec, plan, sizeof(plan), NULL) > 0 &&
			       strstr(plan, rows[i].text),
		       "%s in: %s", rows[i].text, plan);
		report_file(report_path);
		if (!expect(ramet_launch(&spec, &task, NULL) == 0, "launch"))
			return;
		expect(ramet_wait(&task, -1, &status) == 0 && status.code == REPORT_STATUS,
		       "code %d", status.code);
		expect(task.lost == (refused && rows[i].keep == 900 ? RAMET_LOST_TABLE : 0),
		       "lost %#x", task.lost);
		ramet_task_close(&task);
		expect(report_read(report_path, &report), "no report");
		fstat(0, &here);
		for (int fd = 3; fd < 1000; fd++) {
			expect(report.open[fd] == (fd == rows[i].keep), "descriptor %d: %d", fd,
			       report.open[fd]);
			if (!expect(fstat(fd, &kept) == 0 && kept.st_ino == here.st_ino &&
					    fcntl(fd, F_GETFD) == FD_CLOEXEC,
				    "the caller's %d", fd))
				break;
		}
	}
}

/* A filter that says EPERM to what it does not know; and a table of thousands. */
static void many_without_close_range(void *arg)
{
	const struct rlimit many = {5000, 5000};
	struct ramet_status status;
	struct ramet_task task;
	static struct report report;
	unsigned open_fds = 0;
	int r;

	(void)arg;
	setrlimit(RLIMIT_NOFILE, &many);
	while (dup(0) >= 0)
		open_fds++;
	close(4000);
	expect(open_fds > 3000, "%u descriptors", open_fds);
	expect(filter_install((const struct filter_row[]){{SYS_close_range, EPERM, 0}, {-1, 0, 0}}),
	       "filter");
	for (unsigned way = RAMET_WAY_HELD; way <= RAMET_WAY_COPY; way++) {
		report_file(report_path);
		r = ramet_launch(
			&RAMET_SPEC(.program = REPORT_PROGRAM, .argv = report_argv,
				    .options = RAMET_NO_PIDFD, .way = way,
				    .steps = RAMET_STEPS(RAMET_CLOSE_REST(), RAMET_KEEP(1000),
							 RAMET_DUP(2000, 20))),
			&task, NULL);
		if (!expect(r == 0, "launch %d", r))
			return;
		r = ramet_wait(&task, -1, &status);
		ramet_task_close(&task);
		expect(r == 0 && status.code == REPORT_STATUS, "%d, code %d", r, status.code);
		expect(report_read(report_path, &report), "no report");
		for (int fd = 0; fd < FD_LIMIT; fd++)
			expect(report.open[fd] == (fd < 3 || fd == 20 || fd == 1000),
			       "way %u: descriptor %d: %d", way, fd, report.open[fd]);
	}
}

int main(int argc, char **argv)
{
	unsigned all = getenv("RAMET_LONG") ? 6000 : tap_scaled(900), some = all / 6;

	report_main(argc, argv);
	room_make();
	tap_seed();
	snprintf(report_path, sizeof(report_path), "%s/report", room_dir);
	report_file(report_path);
	if (cell_run(WHO_ANY, 120, trials, &all, "%u random maps", all) && cell)
		ok(cell->number[0] > 3 && cell->number[0] < (long)all / 2,
		   "some maps have a source that is not open");
	cell_run(WHO_NOBODY, 120, trials, &some, "%u random maps", some);
	cell_run(WHO_ANY, 120, without_close_range, &some, "%u random maps without close_range",
		 some);
	cell_run(WHO_ANY, 120, without_fetching, &some, "%u random maps without pidfd_getfd", some);
	cell_run(WHO_ANY, 60, far_ones, NULL, "what lies far off is fetched");
	cell_run(WHO_NOBODY, 60, far_ones, NULL, "what lies far off is fetched");
	cell_run(WHO_ANY, 60, far_ones, report_path, "or copied, where fetching is refused");
	cell_run(WHO_ANY, 60, many_without_close_range, NULL,
		 "5000 descriptors without close_range, one number free");
	unlink(report_path);
	return tap_done();
}
