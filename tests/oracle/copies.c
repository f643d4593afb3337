/* SPDX-License-Identifier: MIT */
/*
 * The C library in copies of the caller: usable beside busy threads where ramet says so, in
 * namespaces and a cgroup of their own as well, not used by ramet itself where the caller promised
 * to keep off it; fork handlers, robust mutexes.
 *
 * Seen to fail with the mend taken out, in a copy of the tree: plan_free() in a raw child that
 * returns twice ("no C library in a raw second return"); robust list not put back in
 * child_started() ("robust mutex").
 */
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <sys/stat.h>

#include "oracle/body.h"
#include "uapi/clone.h"

static volatile int enough;

static void use_libc(void)
{
	static FILE *f;
	void *p[40];

	if (!f)
		f = fopen("/dev/null", "we");
	for (unsigned i = 0; i < 40; i++)
		p[i] = malloc(100 + i * 700);
	for (unsigned i = 0; i < 40; i++) {
		fprintf(f ? f : stderr, "%p %u\n", p[i], i);
		free(p[i]);
	}
	if (f)
		fflush(f);
}

static void *hammer(void *arg)
{
	while (!enough)
		use_libc();
	return arg;
}

static int use_libc_and_end(void *arg)
{
	use_libc();
	return (int)(intptr_t)arg;
}

static void copies(void *arg)
{
	const int64_t end = now_ms() + 2000;
	struct ramet_status status;
	struct ramet_error error;
	pthread_t threads[8];
	struct ramet_task task;
	unsigned made = 0;
	int r;

	(void)arg;
	if (SANITIZED) {
		cell_skip("the sanitizer's allocator does not survive a fork beside threads");
		return;
	}
	mallopt(M_ARENA_MAX, 1); /* one lock for all */
	use_libc();
	for (unsigned i = 0; i < 8; i++)
		pthread_create(&threads[i], NULL, hammer, NULL);
	for (; made < 10 || now_ms() < end; made++) {
		r = run(&RAMET_SPEC(.fn = use_libc_and_end, .arg = (void *)21), &error);
		if (!expect(r == 21, "function %u: %d", made, r))
			break;
		r = ramet_fork(made % 2 ? NULL : &RAMET_SPEC(.steps = RAMET_STEPS(RAMET_CWD("/"))),
			       &task, NULL);
		if (r == 0) {
			use_libc();
			_exit(22);
		}
		if (!expect(r > 0, "fork %d", r))
			break;
		r = ramet_wait(&task, 30000, &status);
		if (!expect(r == 0 && status.code == 22, "twice %u: %d, code %d", made, r,
			    status.code))
			break;
		ramet_task_close(&task);
	}
	enough = 1;
	for (unsigned i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);
	cell_note("%u functions and %u second returns beside 8 busy threads\n", made, made);
}

/* What a child sees of itself, and that its C library works. */
struct sight {
	char links[6][64];
	pid_t pid;
	char cgroup[512];
};

static const char *const seen_namespaces[] = {"mnt", "uts", "ipc", "net", "cgroup", "pid"};

static void look(struct sight *sight)
{
	FILE *f;

	for (int i = 0; i < 6; i++) {
		char path[64];
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/thread-self/ns/%s", seen_namespaces[i]);
		/* proc is of the caller's pid namespace: a task of another has no such name there. */
		n = readlink(path, sight->links[i], sizeof(sight->links[i]) - 1);
		sight->links[i][n > 0 ? n : 0] = 0;
	}
	sight->pid = getpid();
	f = fopen("/proc/thread-self/cgroup", "re");
	sight->cgroup[f ? fread(sight->cgroup, 1, sizeof(sight->cgroup) - 1, f) : 0] = 0;
	if (f)
		fclose(f);
}

static int look_with_libc(void *arg)
{
	use_libc();
	look(arg);
	return 31;
}

/* The C library's fork, and namespaces and a cgroup all the same. */
static void boxed_copies(void *arg)
{
	static const uint32_t boxes[] = {
		RAMET_UTS,
		RAMET_MNT | RAMET_IPC,
		RAMET_NET | RAMET_CGROUPNS,
		RAMET_PID,
		RAMET_PID | RAMET_MNT | RAMET_UTS | RAMET_IPC,
	};
	static const uint32_t bits[] = {RAMET_MNT, RAMET_UTS,	   RAMET_IPC,
					RAMET_NET, RAMET_CGROUPNS, RAMET_PID};
	struct sight *view = mmap(NULL, sizeof(*view), PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct sight mine = {0}, after = {0};
	struct ramet_error error;
	pthread_t threads[8];

	(void)arg;
	if (SANITIZED) {
		cell_skip("the sanitizer's allocator does not survive a fork beside threads");
		return;
	}
	mallopt(M_ARENA_MAX, 1);
	use_libc();
	look(&mine);
	for (unsigned i = 0; i < 8; i++)
		pthread_create(&threads[i], NULL, hammer, NULL);
	for (unsigned i = 0; i < 60; i++) {
		const uint32_t box = boxes[i % 5];
		int r;

		memset(view, 0, sizeof(*view));
		r = run(&RAMET_SPEC(.fn = look_with_libc, .arg = view, .fresh = box), &error);
		if (!expect(r == 31, "box %#x: %d", box, r))
			break;
		for (int k = 0; k < 6; k++)
			if (view->links[k][0])
				expect(!strcmp(view->links[k], mine.links[k]) == !(box & bits[k]),
				       "box %#x: %s is %s", box, seen_namespaces[k],
				       view->links[k]);
		expect((view->pid == 1) == !!(box & RAMET_PID), "box %#x: pid %d", box, view->pid);
	}
	look(&after);
	expect(!memcmp(&mine.links, &after.links, sizeof(mine.links)), "the caller has moved");
	enough = 1;
	for (unsigned i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);
	/* The thread's next child is in the old pid namespace again. */
	expect(run(&RAMET_SPEC(.fn = look_with_libc, .arg = view), &error) == 31 && view->pid != 1,
	       "pid %d afterwards", view->pid);
	munmap(view, sizeof(*view));
}

/* Born in a cgroup by a fork: the first step enters it, and fails by name. */
static void cgroup_copies(void *arg)
{
	struct sight *view = mmap(NULL, sizeof(*view), PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char name[64], folder[128] = "";
	struct ramet_error error;
	pthread_t thread;
	int fd, r;

	(void)arg;
	if (SANITIZED) {
		cell_skip("the sanitizer's allocator does not survive a fork beside threads");
		return;
	}
	snprintf(name, sizeof(name), "ramet-body-%d", getpid());
	for (int i = 0; i < 2; i++) {
		snprintf(folder, sizeof(folder), "/sys/fs/cgroup%s/%s", i ? "" : "/unified", name);
		if (mkdir(folder, 0755) == 0)
			break;
		*folder = 0;
	}
	if (!*folder) {
		cell_skip("no cgroup2");
		return;
	}
	fd = open(folder, O_DIRECTORY | O_CLOEXEC);
	pthread_create(&thread, NULL, hammer, NULL);
	r = run(&RAMET_SPEC(.fn = look_with_libc, .arg = view, .fresh = RAMET_CGROUP, .cgroup = fd),
		&error);
	expect(r == 31 && strstr(view->cgroup, name), "%d in %s", r, view->cgroup);
	r = run(&RAMET_SPEC(.fn = look_with_libc, .arg = view, .fresh = RAMET_CGROUP | RAMET_UTS,
			    .cgroup = 999),
		&error);
	expect(error.error == EBADF && error.kind == RAMET_STEP_ENTER_CGROUP, "%d, kind %u", r,
	       error.kind);
	enough = 1;
	pthread_join(thread, NULL);
	close(fd);
	for (int i = 0; i < 100 && rmdir(folder) < 0; i++)
		usleep(10000);
	munmap(view, sizeof(*view));
}

/* Under RAMET_NO_LIBC ramet itself keeps to it, also in the child that returns. */
static void raw_twice(void *arg)
{
	static struct ramet_step steps[90]; /* a block that no per-thread cache takes back */
	const struct ramet_spec spec =
		RAMET_SPEC(.options = RAMET_NO_LIBC, .flags = CLONE_IO, .steps = steps);
	const int64_t end = now_ms() + 1500;
	struct ramet_status status;
	struct ramet_task task;
	pthread_t threads[4];
	int r;

	(void)arg;
	mallopt(M_ARENA_MAX, 1);
	for (unsigned i = 0; i < 89; i++)
		steps[i] = (struct ramet_step)RAMET_CWD("/");
	for (unsigned i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, hammer, NULL);
	for (unsigned i = 0; i < 10 || now_ms() < end; i++) {
		r = ramet_fork(&spec, &task, NULL);
		if (r == 0)
			sys_exit_group(23);
		if (!expect(r > 0, "fork %d", r))
			break;
		r = ramet_wait(&task, 10000, &status);
		if (!expect(r == 0 && status.code == 23, "%u: wait %d, code %d", i, r,
			    status.code)) {
			kill(task.tid, SIGKILL);
			break;
		}
		ramet_task_close(&task);
	}
	enough = 1;
	for (unsigned i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
}

static char order[40];

#define HANDLER(name, letter)                                                                      \
	static void name(void)                                                                     \
	{                                                                                          \
		strcat(order, letter);                                                             \
	}
HANDLER(prepare_1, "p")
HANDLER(prepare_2, "P")
HANDLER(parent_1, "m")
HANDLER(parent_2, "M")
HANDLER(child_1, "c")
HANDLER(child_2, "C")

static int order_is_child(void *arg)
{
	return strcmp(order, arg) ? 1 : 0;
}

static void fork_handlers(void *arg)
{
	static char of_child[] = "PpcC", none[] = "";
	struct ramet_error error;
	struct ramet_task task;
	int r;

	(void)arg;
	pthread_atfork(prepare_1, parent_1, child_1);
	pthread_atfork(prepare_2, parent_2, child_2);
	r = run(&RAMET_SPEC(.fn = order_is_child, .arg = of_child), &error);
	expect(r == 0 && !strcmp(order, "PpmM"), "function: %d, %s", r, order);
	order[0] = 0;
	r = ramet_fork(NULL, &task, NULL);
	if (r == 0)
		_exit(order_is_child(of_child));
	expect(r > 0 && ramet_wait(&task, -1, NULL) == 0 && !strcmp(order, "PpmM"), "twice: %d, %s",
	       r, order);
	ramet_task_close(&task);
	order[0] = 0;
	r = run(&RAMET_SPEC(.fn = order_is_child, .arg = none, .options = RAMET_NO_LIBC), &error);
	expect(r == 0 && !order[0], "raw: %d, %s", r, order);
}

/* A mutex that its owner left behind by dying is handed on, after steps as well. */
static void robust_mutex(void *arg)
{
	const struct ramet_step *steps = RAMET_STEPS(RAMET_CWD("/"));
	pthread_mutex_t *mutex =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_t attr;
	struct ramet_task task;
	int r;

	(void)arg;
	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	for (unsigned i = 0; i < 2; i++) {
		pthread_mutex_init(mutex, &attr);
		r = ramet_fork(&RAMET_SPEC(.steps = i ? steps : NULL), &task, NULL);
		if (r == 0) {
			pthread_mutex_lock(mutex);
			_exit(0);
		}
		expect(r > 0 && ramet_wait(&task, -1, NULL) == 0, "fork %d", r);
		ramet_task_close(&task);
		r = pthread_mutex_trylock(mutex);
		expect(r == EOWNERDEAD, "steps %u: %s", i, strerror(r));
	}
}

int main(void)
{
	cell_run(WHO_ANY, 60, copies, NULL, "the C library in copies of a busy caller");
	cell_run(WHO_ROOT, 60, boxed_copies, NULL, "the same in namespaces of their own");
	cell_run(WHO_ROOT, 60, cgroup_copies, NULL, "and in a cgroup");
	cell_run(WHO_ANY, 60, raw_twice, NULL, "no C library in a raw second return");
	cell_run(WHO_ANY, 60, fork_handlers, NULL, "fork handlers");
	cell_run(WHO_ANY, 60, robust_mutex, NULL, "robust mutex");
	cell_run(WHO_NOBODY, 60, copies, NULL, "the C library in copies of a busy caller");
	return tap_done();
}
