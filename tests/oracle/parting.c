/* SPDX-License-Identifier: MIT */
/*
 * Exec wakes the caller before it takes the child out of the caller's memory. A child under another
 * identity must be out of it before the memory may be read again, however long that takes: threads
 * that ask about the child hold exec up. Launches without another identity show that the moment is
 * met here: they need not wait for it.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#include <ramet/ramet.h>

#include "tap.h"
#include "base/sys.h"
#include "uapi/nr.h"

#define NOBODY 65534
#define LAUNCHES 3000
#define SECONDS 20 /* for either kind of launch */
#define ASKERS 3

static pid_t newest; /* child: the kernel writes it before the child runs */
static int stop;

static void *ask(void *arg)
{
	char byte;
	struct iovec local = {&byte, 1}, remote = {&byte, 1};

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		const pid_t pid = __atomic_load_n(&newest, __ATOMIC_RELAXED);

		if (pid)
			process_vm_readv(pid, &local, 1, &remote, 1, 0);
	}
	return arg;
}

/* 1: the program's task still had our memory when the launch was over, 0: not, -errno. */
static int launch_and_look(const struct ramet_step *steps)
{
	struct ramet_task task;
	int r = ramet_launch(&RAMET_SPEC(.program = "/bin/true", .way = RAMET_WAY_FUTEX,
					 .steps = steps, .parent_tid = &newest),
			     &task, NULL);

	if (r < 0)
		return r;
	r = sys5(SYS_kcmp, getpid(), task.tid, 1 /* KCMP_VM */, 0, 0) == 0;
	if (ramet_wait(&task, -1, NULL) < 0)
		r = -ECHILD;
	ramet_task_close(&task);
	return r;
}

struct counts {
	int launches, shared, failed;
};

static void count(struct counts *c, const struct ramet_step *steps)
{
	int r = launch_and_look(steps);

	c->launches++;
	c->failed += r < 0;
	c->shared += r > 0;
}

static void test_parting(void)
{
	const struct ramet_step other[] = {RAMET_GID(NOBODY), RAMET_UID(NOBODY), {.kind = 0}};
	struct counts plain = {0}, guarded = {0};
	time_t end = time(NULL) + SECONDS;

	while (plain.shared < 3 && time(NULL) < end)
		count(&plain, NULL);
	end = time(NULL) + SECONDS;
	/* As many as meet the moment some ten times at least. */
	while (guarded.launches < 3 * plain.launches ||
	       (guarded.launches < LAUNCHES && time(NULL) < end))
		count(&guarded, other);
	diag("%d launches as the same user, %d still shared memory", plain.launches, plain.shared);
	is_int(guarded.failed + plain.failed, 0, "all are started");
	is_int(guarded.shared, 0, "of %d launches as another user none shares memory afterwards",
	       guarded.launches);
	ok(plain.shared > 0, "the moment is met here by those that do not wait for it");
}

int main(void)
{
	pthread_t askers[ASKERS];
	int n = 0;

	if (geteuid()) {
		skip(3, "not root: no other identity to take");
		return tap_done();
	}
	while (n < ASKERS && pthread_create(&askers[n], NULL, ask, NULL) == 0)
		n++;
	is_int(n, ASKERS, "threads that ask");
	test_parting();
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	while (n > 0)
		pthread_join(askers[--n], NULL);
	return tap_done();
}
