/* SPDX-License-Identifier: MIT */
/* A peer's worker in C: reads what to do, sets the scene, takes the time. */
#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096
#define MOST_OPERATIONS 100000
#define MOST_TASKS 100000

int task_count = 1;
const char *program;
char *program_argv[] = {(char[]){"true"}, NULL};
char *program_env[] = {(char[]){"PATH=/usr/bin:/bin"}, NULL};

static const struct way *way;
static bool only_start; /* the time of starting alone is told */

void die(const char *what, int error)
{
	if (error)
		fprintf(stderr, "worker: %s: %s\n", what, strerror(error));
	else
		fprintf(stderr, "worker: %s\n", what);
	exit(1);
}

void check_status(int status)
{
	char text[600];

	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return;
	snprintf(text, sizeof(text), "%s: ended with status %#x", program, status);
	die(text, 0);
}

static void cannot(const char *reason)
{
	printf("cannot: %s\n", reason);
	exit(0);
}

/* ---- Scenes -------------------------------------------------------------------------------- */

static void touch_heap(unsigned long long size)
{
	unsigned char *heap;

	if (size == 0)
		return;
	heap = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (heap == MAP_FAILED)
		cannot("so much memory is not to be had");
	for (unsigned long long at = 0; at < size; at += PAGE)
		heap[at] = 1;
}

/* 0 to count - 1 are open then. */
static void open_descriptors(unsigned long long count)
{
	const int mark = way->closes ? 0 : O_CLOEXEC;
	struct rlimit limit;
	unsigned long long fd = 3;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
			die("RLIMIT_NOFILE", errno);
	}
	while (fd < count) {
		const int r = open("/dev/null", O_RDWR | mark);

		if (r < 0)
			cannot("so many descriptors may not be open");
		fd = (unsigned long long)r + 1;
	}
}

/* Each a touched page. Neighbours differ in protection, or they would be one mapping. */
static void make_mappings(unsigned long long count)
{
	unsigned char *pages;

	if (count == 0)
		return;
	pages = mmap(NULL, count * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		     0);
	if (pages == MAP_FAILED)
		cannot("so many mappings are not to be had");
	for (unsigned long long i = 0; i < count; i++) {
		if (i % 2 &&
		    mprotect(pages + i * PAGE, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC) < 0)
			cannot("so many mappings are not to be had");
		pages[i * PAGE] = 1;
	}
}

static void start_together(unsigned long long count)
{
	if (count < 1 || count > MOST_TASKS)
		cannot("so many tasks at a time are not for this worker");
	task_count = (int)count;
}

static void touch_and_start_alone(unsigned long long x)
{
	touch_heap(x);
	only_start = true;
}

static void set_nothing(unsigned long long x)
{
	(void)x;
}

static const struct scene {
	const char *workload;
	bool thread;
	void (*set)(unsigned long long x);
} scenes[] = {
	{"launch", false, touch_heap},
	{"fds", false, open_descriptors},
	{"maps", false, make_mappings},
	{"burst", false, start_together},
	{"blocked", false, touch_and_start_alone},
	{"namespaces", false, set_nothing},
	{"thread", true, start_together},
	{NULL, false, NULL},
};

/* ---- Operations ---------------------------------------------------------------------------- */

static long long now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* Nanoseconds, of a task where there are several. */
static long long operate(void)
{
	long long begun = now_ns(), started;

	for (int i = 0; i < task_count; i++)
		way->start(i);
	started = now_ns();
	for (int i = 0; i < task_count; i++)
		way->finish(i);
	return ((only_start ? started : now_ns()) - begun) / task_count;
}

/* Is it one? Larger than 0, or 0 as well. */
static bool is_number(const char *text, bool zero_too, unsigned long long *ret)
{
	char *end;

	errno = 0;
	*ret = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || errno || (*end && *end != '\n'))
		return false;
	return zero_too || *ret > 0;
}

static void serve(void)
{
	char line[64];
	unsigned long long count;

	while (fgets(line, sizeof(line), stdin)) {
		if (!is_number(line, false, &count) || count > MOST_OPERATIONS)
			die("wanted is a number of operations", 0);
		while (count-- > 0)
			printf("%lld%c", operate(), count ? ' ' : '\n');
		if (fflush(stdout) != 0)
			die("standard output", errno);
	}
}

int main(int argc, char **argv)
{
	const struct scene *scene = scenes;
	unsigned long long x;

	way = ways;
	while (argc == 4 && way->name && strcmp(way->name, argv[1]) != 0)
		way++;
	if (argc != 4 || !way->name || !is_number(argv[3], true, &x)) {
		fprintf(stderr, "usage: %s WAY WORKLOAD X\n", argv[0]);
		return 2;
	}
	program = getenv("RAMET_BENCH_PROGRAM");
	if (!program)
		die("RAMET_BENCH_PROGRAM is not set", 0);
	while (scene->workload && strcmp(scene->workload, argv[2]) != 0)
		scene++;
	if (!scene->workload || scene->thread != way->thread)
		cannot("this worker has no such workload");
	scene->set(x);
	puts("ready");
	fflush(stdout);
	serve();
	return 0;
}
