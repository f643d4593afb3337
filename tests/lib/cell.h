/* SPDX-License-Identifier: MIT */
/*
 * A cell: a piece of a test in a process of its own, as root or as an ordinary user, with a time
 * limit. It tells by expect() what went wrong; the test's main process turns that into one
 * subtest. Whatever a cell leaves behind is killed and reaped, and nothing else is.
 */
#ifndef RAMET_TESTS_LIB_CELL_H
#define RAMET_TESTS_LIB_CELL_H

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sys.h"
#include "tap.h"

/* Sanitizers map and handle things of their own: what counts those is left out under them. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#define SANITIZED (__has_feature(address_sanitizer) || __has_feature(memory_sanitizer))
#else
#define SANITIZED 0
#endif

enum who {
	WHO_ROOT,   /* skipped where the test does not run as root */
	WHO_NOBODY, /* uid 65534; whoever runs the test if that is not root */
	WHO_LONER,  /* an ordinary user with no other process; skipped without root */
	WHO_ANY,    /* whoever runs the test */
};

/* Seen by a cell and by the test. */
struct cell {
	char text[900];	 /* what failed first; "" if nothing did */
	char skip[100];	 /* why it could not run; "" if it did */
	char notes[900]; /* lines for the reader */
	long number[16]; /* findings, as the cell likes */
};

static struct cell *cell;

/* A vector of arguments or variables, of literals as well. */
#define WORDS(...) ((char **)(const char *[]){__VA_ARGS__, NULL})

#define CELL_LONER_UID ((uid_t)(60000 + getpid() % 5000))

/* The first failure is the one that is shown: the others follow from it as a rule. */
TAP_PRINTF(3)
static inline bool cell_fail(int line, const char *what, const char *fmt, ...)
{
	va_list args;
	int n;

	if (cell->text[0])
		return false;
	n = snprintf(cell->text, sizeof(cell->text), "line %d: not true: %s: ", line, what);
	va_start(args, fmt);
	vsnprintf(cell->text + n, sizeof(cell->text) - (size_t)n, fmt, args);
	va_end(args);
	return false;
}

/* True if cond is; else the cell fails with that line and text. */
#define cell_skip(...) snprintf(cell->skip, sizeof(cell->skip), __VA_ARGS__)
#define expect(cond, ...) ((cond) ? true : cell_fail(__LINE__, #cond, __VA_ARGS__))

TAP_PRINTF(1) static inline void cell_note(const char *fmt, ...)
{
	const size_t n = strlen(cell->notes);
	va_list args;

	va_start(args, fmt);
	vsnprintf(cell->notes + n, sizeof(cell->notes) - n, fmt, args);
	va_end(args);
}

static inline bool cell_become(enum who who)
{
	const uid_t uid = who == WHO_LONER ? CELL_LONER_UID : 65534;

	if (who == WHO_ROOT || who == WHO_ANY || (geteuid() && who == WHO_NOBODY))
		return true;
	if (sys_setgroups(0, NULL) < 0 || sys_setresgid(uid, uid, uid) < 0 ||
	    sys_setresuid(uid, uid, uid) < 0)
		return false;
	/* The change of uid took it away, and with it the right to /proc/self. */
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0;
}

static inline void cell_enter(enum who who, void (*fn)(void *), void *arg)
{
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (expect(cell_become(who), "cannot become the user: %s", strerror(errno))) {
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		fn(arg);
	}
	_exit(0);
}

/* Kill the children that a cell left to this process; returns how many there are. */
static inline unsigned cell_kill_orphans(void)
{
	const pid_t self = getpid();
	char path[300], line[300];
	struct dirent *entry;
	unsigned found = 0;
	DIR *dir = opendir("/proc");
	FILE *f;
	int ppid;

	while (dir && (entry = readdir(dir))) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "/proc/%s/stat", entry->d_name);
		f = fopen(path, "re");
		if (!f)
			continue;
		if (fgets(line, sizeof(line), f) && strrchr(line, ')') &&
		    sscanf(strrchr(line, ')') + 1, " %*c %d", &ppid) == 1 && ppid == self) {
			kill(atoi(entry->d_name), SIGKILL);
			found++;
		}
		fclose(f);
	}
	if (dir)
		closedir(dir);
	return found;
}

/* Reap what is there; true once this process has no child. */
static inline bool cell_reap(pid_t pid, int *status)
{
	pid_t ended;
	int s;

	while ((ended = (pid_t)sys_wait4(-1, &s, WNOHANG | KERNEL_WALL, NULL)) > 0)
		if (ended == pid)
			*status = s;
	return ended == -ECHILD;
}

/* Wait for the cell, then clear up after it. Its wait status, -1 if it hung. */
static inline int cell_wait(pid_t pid, unsigned seconds)
{
	struct pollfd p = {.fd = (int)sys_pidfd_open(pid, 0), .events = POLLIN};
	const bool ended = poll(&p, 1, (int)seconds * 1000) == 1;
	int status = -1, ignored;

	close(p.fd);
	kill(-pid, SIGKILL);
	kill(pid, SIGKILL);
	for (unsigned i = 0; i < 500 && !cell_reap(pid, ended ? &status : &ignored); i++) {
		cell_kill_orphans();
		usleep(10000);
	}
	return status;
}

/*
 * Run fn(arg) in a cell and make one subtest of it. False if it failed, true if it passed or was
 * skipped. cell->number keeps what the cell wrote.
 */
TAP_PRINTF(5)
static inline bool cell_run(enum who who, unsigned seconds, void (*fn)(void *), void *arg,
			    const char *fmt, ...)
{
	char name[200];
	va_list args;
	int status;
	pid_t pid;

	va_start(args, fmt);
	vsnprintf(name, sizeof(name), fmt, args);
	va_end(args);
	if (geteuid() && (who == WHO_ROOT || who == WHO_LONER)) {
		skip(1, "%s: needs root", name);
		return true;
	}
	if (!cell)
		cell = mmap(NULL, sizeof(*cell), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
			    -1, 0);
	memset(cell, 0, sizeof(*cell));
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	fflush(stdout);
	pid = fork();
	if (!pid)
		cell_enter(who, fn, arg);
	status = cell_wait(pid, seconds);
	if (cell->skip[0]) {
		skip(1, "%s: %s", name, cell->skip);
		return true;
	}
	if (status == -1)
		cell_fail(0, "ended", "still running after %u s", seconds);
	else if (WIFSIGNALED(status))
		cell_fail(0, "ended by itself", "killed by signal %d", WTERMSIG(status));
	ok(status == 0 && !cell->text[0], "%s%s", name,
	   who == WHO_NOBODY ? " (ordinary user)" : "");
	if (cell->text[0])
		diag("%s", cell->text);
	if (cell->notes[0])
		diag("%s", cell->notes);
	return status == 0 && !cell->text[0];
}

#endif
