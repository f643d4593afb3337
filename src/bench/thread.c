/* SPDX-License-Identifier: MIT */
/*
 * Threads made and joined: the C library's, libramet-rt's, and by nothing but the kernel's call;
 * beside them threads that are there already and are only woken. A burst makes all of its tasks
 * before it waits for the first.
 */
#include "bench/scenes.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* The body of a raw task: it has the thread pointer of its maker, so that it may not even have a
   stack canary. */
#define BARE                                                                                       \
	__attribute__((no_sanitize("address", "undefined", "thread"), no_stack_protector,          \
		       no_profile_instrument_function))

#define STACK_SIZE 16384
#define PARK_STACK_SIZE (64 * 1024)

/* The kernel's own wake-up at the end of a task is not of the private kind. */
static void futex_wait(const uint32_t *word, uint32_t value)
{
	syscall(SYS_futex, word, FUTEX_WAIT, value, NULL, NULL, 0);
}

/* ---- The C library's ----------------------------------------------------------------------- */

static pthread_t *pthreads;

static void *nothing(void *arg)
{
	return arg;
}

static long begin_pthread(struct bench_scene *scene)
{
	pthreads = calloc(scene_tasks(scene), sizeof(*pthreads));
	return pthreads ? 0 : scene_fail(scene, ENOMEM, "no memory");
}

static long run_pthread(struct bench_scene *scene)
{
	const size_t count = scene_tasks(scene);
	size_t made;
	int r = 0;

	for (made = 0; made < count; made++) {
		r = pthread_create(&pthreads[made], NULL, nothing, NULL);
		if (r)
			break;
	}
	for (size_t i = 0; i < made; i++)
		pthread_join(pthreads[i], NULL);
	return r ? scene_fail(scene, r, "pthread_create: %s", strerror(r)) : 0;
}

static void end_pthread(struct bench_scene *scene)
{
	(void)scene;
	free(pthreads);
	pthreads = NULL;
}

/* ---- Raw ----------------------------------------------------------------------------------- */

#define NPTL_FLAGS                                                                                 \
	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |        \
	 CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID)
#define LINUXTHREADS_FLAGS (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | SIGUSR1)

/* Stacks that have been used before, as those of a cache have, and a word for each task. */
struct tasks {
	unsigned char *stacks;
	size_t size;
	uint32_t *words; /* the tid, until the kernel clears it */
};

static struct tasks raw, old;
static struct sigaction sigusr1; /* as it was */

static long open_tasks(struct bench_scene *scene, struct tasks *tasks)
{
	const size_t count = scene_tasks(scene);

	tasks->size = count * STACK_SIZE;
	tasks->words = calloc(count, sizeof(*tasks->words));
	tasks->stacks =
		mmap(NULL, tasks->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (tasks->stacks != MAP_FAILED && tasks->words) {
		memset(tasks->stacks, 0, tasks->size);
		return 0;
	}
	free(tasks->words);
	return scene_fail(scene, ENOMEM, "no memory for %zu stacks", count);
}

static void close_tasks(struct tasks *tasks)
{
	munmap(tasks->stacks, tasks->size);
	free(tasks->words);
}

BARE static int end_at_once(void *arg)
{
	(void)arg;
	return 0;
}

/* How many could be made; errno where it is less. */
static size_t make_tasks(const struct tasks *tasks, size_t count, int flags)
{
	for (size_t i = 0; i < count; i++) {
		unsigned char *top = tasks->stacks + (i + 1) * STACK_SIZE;
		uint32_t *word = &tasks->words[i];
		const int tid = clone(end_at_once, top, flags, NULL, word, NULL, word);

		if (tid < 0)
			return i;
		if (!(flags & CLONE_PARENT_SETTID))
			*word = (uint32_t)tid;
	}
	return count;
}

static long begin_raw(struct bench_scene *scene)
{
	return open_tasks(scene, &raw);
}

static long run_raw(struct bench_scene *scene)
{
	const size_t count = scene_tasks(scene), made = make_tasks(&raw, count, NPTL_FLAGS);
	const int error = errno;

	for (size_t i = 0; i < made; i++) {
		uint32_t tid;

		while ((tid = __atomic_load_n(&raw.words[i], __ATOMIC_ACQUIRE)))
			futex_wait(&raw.words[i], tid);
	}
	return made < count ? scene_fail(scene, error, "clone: %s", strerror(error)) : 0;
}

static void end_raw(struct bench_scene *scene)
{
	(void)scene;
	close_tasks(&raw);
}

/* Its tasks say by SIGUSR1 that they have ended, which nobody here wants to hear. */
static long begin_linuxthreads(struct bench_scene *scene)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN};
	const long r = open_tasks(scene, &old);

	if (r < 0)
		return r;
	sigaction(SIGUSR1, &ignore, &sigusr1);
	return 0;
}

static long run_linuxthreads(struct bench_scene *scene)
{
	const size_t count = scene_tasks(scene), made = make_tasks(&old, count, LINUXTHREADS_FLAGS);
	long r = made < count ? scene_fail(scene, errno, "clone: %s", strerror(errno)) : 0;
	int status;

	for (size_t i = 0; i < made; i++) {
		pid_t pid;

		do
			pid = waitpid((pid_t)old.words[i], &status, __WCLONE);
		while (pid < 0 && errno == EINTR);
		if (pid < 0)
			r = scene_fail(scene, errno, "waitpid: %s", strerror(errno));
		else if (status)
			r = scene_judge(scene, status);
	}
	return r;
}

static void end_linuxthreads(struct bench_scene *scene)
{
	(void)scene;
	sigaction(SIGUSR1, &sigusr1, NULL);
	close_tasks(&old);
}

/* ---- Parked -------------------------------------------------------------------------------- */

enum { PARK_ASLEEP, PARK_GO, PARK_QUIT };

struct parked {
	_Alignas(64) uint32_t word; /* its maker sets GO or QUIT, it sets ASLEEP when done */
	pthread_t thread;
};

struct park {
	size_t count;
	struct parked *threads;
};

static struct park *parked;

static void futex_wait_private(const uint32_t *word, uint32_t value)
{
	syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static void set_and_wake(uint32_t *word, uint32_t value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void *stay_parked(void *arg)
{
	struct parked *self = arg;

	for (;;) {
		switch (__atomic_load_n(&self->word, __ATOMIC_ACQUIRE)) {
		case PARK_ASLEEP:
			futex_wait_private(&self->word, PARK_ASLEEP);
			break;
		case PARK_GO:
			set_and_wake(&self->word, PARK_ASLEEP);
			break;
		default:
			return NULL;
		}
	}
}

long park_open(struct bench_scene *scene, size_t count, struct park **ret)
{
	struct park *park = calloc(1, sizeof(*park));
	pthread_attr_t attr;
	int r = 0;

	if (park)
		park->threads = aligned_alloc(64, count * sizeof(*park->threads));
	if (!park || !park->threads) {
		free(park);
		return scene_fail(scene, ENOMEM, "no memory for %zu threads", count);
	}
	memset(park->threads, 0, count * sizeof(*park->threads));
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, PARK_STACK_SIZE);
	for (; park->count < count; park->count++) {
		struct parked *p = &park->threads[park->count];

		r = pthread_create(&p->thread, &attr, stay_parked, p);
		if (r)
			break;
	}
	pthread_attr_destroy(&attr);
	if (r) {
		const size_t made = park->count;

		park_close(park);
		return scene_fail(scene, r, "thread %zu of %zu: %s", made + 1, count, strerror(r));
	}
	*ret = park;
	return 0;
}

void park_wake_all(struct park *park)
{
	for (size_t i = 0; i < park->count; i++)
		set_and_wake(&park->threads[i].word, PARK_GO);
	for (size_t i = 0; i < park->count; i++)
		while (__atomic_load_n(&park->threads[i].word, __ATOMIC_ACQUIRE) == PARK_GO)
			futex_wait_private(&park->threads[i].word, PARK_GO);
}

void park_close(struct park *park)
{
	for (size_t i = 0; i < park->count; i++)
		set_and_wake(&park->threads[i].word, PARK_QUIT);
	for (size_t i = 0; i < park->count; i++)
		pthread_join(park->threads[i].thread, NULL);
	free(park->threads);
	free(park);
}

static long begin_parked(struct bench_scene *scene)
{
	return park_open(scene, scene_tasks(scene), &parked);
}

static long run_parked(struct bench_scene *scene)
{
	(void)scene;
	park_wake_all(parked);
	return 0;
}

static void end_parked(struct bench_scene *scene)
{
	(void)scene;
	park_close(parked);
}

/* ---- Rows ---------------------------------------------------------------------------------- */

const struct bench_variant variant_pthread = {
	.name = "pthread",
	.what = "pthread_create with default attributes, pthread_join",
	.begin = begin_pthread,
	.run = run_pthread,
	.end = end_pthread,
};

const struct bench_variant variant_raw_thread = {
	.name = "raw-thread",
	.what = "clone (NPTL's flags but SETTLS) on a used stack, futex on the tid: no TLS, guard, "
		"signal mask",
	.begin = begin_raw,
	.run = run_raw,
	.end = end_raw,
};

const struct bench_variant variant_linuxthreads = {
	.name = "linuxthreads",
	.what = "clone (VM, FS, FILES, SIGHAND, SIGUSR1) on a used stack, waitpid (__WCLONE)",
	.begin = begin_linuxthreads,
	.run = run_linuxthreads,
	.end = end_linuxthreads,
};

static const struct bench_variant variant_parked = {
	.name = "parked",
	.what = "a thread of the C library's that sleeps is woken and waited for, by futex: none "
		"is made",
	.begin = begin_parked,
	.run = run_parked,
	.end = end_parked,
};

RT_VARIANT(ramet_thread, "ramet-thread", "thread",
	   "libramet-rt: ramet_thread_create (TLS, guard, signal mask, kept stacks), "
	   "ramet_thread_join");
RT_VARIANT(ramet_pool, "ramet-pool", "pool",
	   "libramet-rt: ramet_pool_submit to up to 4 parked threads, ramet_job_wait");

static const struct bench_variant *const variants[] = {
	&variant_pthread,
	&variant_raw_thread,
	&variant_linuxthreads,
	&variant_parked,
	&variant_ramet_thread,
	&variant_ramet_pool,
	NULL,
};

static const struct bench_pair pairs[] = {
	{"pthread", "raw-thread"},
	{"linuxthreads", "raw-thread"},
	{"pthread", "parked"},
	{"pthread", "ramet-thread"},
	{"musl-pthread", "ramet-thread"},
	{"ramet-thread", "raw-thread"},
	{"pthread", "ramet-pool"},
	{"ramet-pool", "parked"},
	{NULL, NULL},
};

static long set_up(struct bench_scene *scene)
{
	return scene->x ? 0 : scene_fail(scene, EINVAL, "one thread or more");
}

const struct bench_workload workload_thread = {
	.name = "thread",
	.what = "Time to make a thread that does nothing and to join it; in a burst all are made "
		"before the first is joined.",
	.axis = "threads in a burst",
	.option = "--burst",
	.unit = BENCH_COUNT,
	.points = {1, 64, BENCH_POINTS_END},
	.tasks = true,
	.wanted = 10000,
	.set_up = set_up,
	.variants = variants,
	.pairs = pairs,
};
