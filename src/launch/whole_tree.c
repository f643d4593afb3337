/* SPDX-License-Identifier: MIT */
/*
 * A signal for a task and all that descends from it. The search goes through /proc from parents to
 * children; what it finds is stopped, so that it makes no more, until a whole round over all that
 * stand still finds nothing. Only then the signal goes out, to children before their parents: no
 * process is handed to another parent, and no stopped group is let go (SIGHUP, SIGCONT) for having
 * lost its leader's parent, before its own signal waits for it.
 *
 * A number in a file of /proc is a claim: its process may have ended and a stranger may have the
 * number. So a pidfd is opened first; what was claimed is read again; and then the pidfds, the
 * child's and the parent's, are asked whether both were there all the time.
 */
#include "launch/whole_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/sys.h"
#include "launch/outcome.h"
#include "launch/tree_proc.h"

#define PATIENCE_MS 2000 /* for all to stand still, from when the last was found */
#define LONGEST_MS 30000 /* with more and more of them */
/*
 * A caller of vfork sleeps in the kernel without taking the stop, until its child, which is
 * stopped, goes on. If nothing but such sleepers has moved for so many rounds, they do not.
 */
#define QUIET_ROUNDS 50
#define PAUSE_NS 300000

struct member {
	pid_t pid;
	int pidfd;	/* -1: descriptors ran out; known by pid and start then */
	uint64_t start; /* of life, in clock ticks since boot */
	bool dead;
	bool stopping; /* has been sent SIGSTOP */
	bool ran;      /* before that */
	bool still;    /* stopped in all its threads */
	bool sleeps;   /* some sleep in the kernel, the others are still */
	bool empty;    /* no thread was alive when it was last looked at */
	bool seen;     /* by the last list of the cgroup */
};

struct tree {
	struct member **list; /* parents before their children */
	size_t count, room;
	void *by_pid;	    /* tsearch: the same members */
	struct member self; /* the caller: a parent, never a member */
	int cgroup;
	bool below_caller, stops, all_of_proc;
	bool thrifty; /* descriptors ran out: hold none */
	bool moved;   /* something has changed in this round */
	int64_t last; /* when the last was found */
};

/* ---- Members ----------------------------------------------------------------------------------- */

static int compare_members(const void *a, const void *b)
{
	const pid_t x = ((const struct member *)a)->pid, y = ((const struct member *)b)->pid;

	return (x > y) - (x < y);
}

static struct member *find(const struct tree *t, pid_t pid)
{
	const struct member key = {.pid = pid};
	void *node = tfind(&key, &t->by_pid, compare_members);

	return node ? *(struct member **)node : NULL;
}

/* The process that the descriptor means has not been reaped. */
static bool is_there(int pidfd)
{
	return sys_pidfd_send_signal(pidfd, 0) != -ESRCH;
}

/* Hold no descriptor any more: there are none left for reading /proc. */
static void be_thrifty(struct tree *t)
{
	t->thrifty = true;
	for (size_t i = 0; i < t->count; i++) {
		if (t->list[i]->pidfd >= 0)
			close(t->list[i]->pidfd);
		t->list[i]->pidfd = -1;
	}
}

static int open_pidfd(struct tree *t, pid_t pid)
{
	long fd = sys_pidfd_open(pid, 0);

	if ((fd == -EMFILE || fd == -ENFILE) && !t->thrifty) {
		be_thrifty(t);
		fd = sys_pidfd_open(pid, 0);
	}
	return (int)fd;
}

/* A pidfd of the member, its own or one to be closed after use: let_go(). */
static int reach(const struct member *m)
{
	struct stat_line s;
	int fd;

	if (m->pidfd >= 0)
		return m->pidfd;
	fd = (int)sys_pidfd_open(m->pid, 0);
	if (fd < 0)
		return fd;
	if (tree_process(m->pid, &s) == 0 && s.start == m->start && is_there(fd))
		return fd;
	sys_close(fd);
	return -ESRCH;
}

static void let_go(const struct member *m, int fd)
{
	if (fd >= 0 && fd != m->pidfd)
		sys_close(fd);
}

static int member_signal(const struct member *m, int sig)
{
	const int fd = reach(m);
	const int r = fd < 0 ? fd : (int)sys_pidfd_send_signal(fd, sig);

	let_go(m, fd);
	return r;
}

static bool is_alive(const struct tree *t, const struct member *m)
{
	return m == &t->self || (!m->dead && member_signal(m, 0) != -ESRCH);
}

static void forget_dead(struct tree *t, struct member *m)
{
	if (m->pidfd >= 0)
		close(m->pidfd);
	m->pidfd = -1;
	m->dead = m->still = true;
	t->moved = true;
}

static int append(struct tree *t, struct member *m)
{
	const size_t room = t->room ? 2 * t->room : 64;
	struct member **list;

	if (t->count == t->room) {
		list = realloc(t->list, room * sizeof(struct member *));
		if (!list)
			return -ENOMEM;
		t->list = list;
		t->room = room;
	}
	if (!tsearch(m, &t->by_pid, compare_members))
		return -ENOMEM;
	t->list[t->count++] = m;
	return 0;
}

static void stop(const struct tree *t, struct member *m)
{
	if (!t->stops)
		return;
	m->stopping = member_signal(m, SIGSTOP) == 0;
	m->ran = m->stopping && !m->still;
}

/* Take in what has this number now, held by fd, which is the member's or closed from here on. */
static int take(struct tree *t, pid_t pid, int fd, const struct stat_line *s)
{
	struct member *m = find(t, pid);

	if (m) { /* one that has died and left its number to this one */
		forget_dead(t, m);
		tdelete(m, &t->by_pid, compare_members);
	}
	m = calloc(1, sizeof(*m));
	if (!m) {
		sys_close(fd);
		return -ENOMEM;
	}
	*m = (struct member){
		.pid = pid,
		.pidfd = fd,
		.start = s->start,
		.still = s->state == 'T',
	};
	if (append(t, m) < 0) {
		sys_close(fd);
		free(m);
		return -ENOMEM;
	}
	if (t->thrifty) {
		sys_close(fd);
		m->pidfd = -1;
	}
	t->moved = true;
	t->last = now_ms();
	return 0;
}

/*
 * A file said that pid is a child of parent (NULL: of whoever). 1 if it is and was not known, 0
 * if not or no more, or -errno.
 */
static int consider(struct tree *t, pid_t pid, const struct member *parent)
{
	const struct member *known = find(t, pid);
	struct stat_line s;
	int fd, r;

	if (pid <= 0 || pid == t->self.pid || (known && !known->dead))
		return 0;
	fd = open_pidfd(t, pid);
	if (fd == -ESRCH) {
		t->moved = true;
		return 0;
	}
	if (fd < 0)
		return fd;
	r = tree_process(pid, &s);
	if (r == -EMFILE || r == -ENFILE) {
		be_thrifty(t);
		r = tree_process(pid, &s);
	}
	if (r == 0 && is_there(fd) && known && known->start == s.start) {
		sys_close(fd); /* the same, dead and not yet reaped */
		return 0;
	}
	if (r < 0 || !is_there(fd) || (parent && (s.ppid != parent->pid || !is_alive(t, parent)))) {
		sys_close(fd);
		t->moved = true;
		return 0;
	}
	r = take(t, pid, fd, &s);
	return r < 0 ? r : 1;
}

static int consider_child(struct tree *t, pid_t pid, const struct member *parent)
{
	const int r = consider(t, pid, parent);

	if (r > 0)
		stop(t, t->list[t->count - 1]);
	return r < 0 ? r : 0;
}

/* ---- Children ---------------------------------------------------------------------------------- */

/* "12 34 56 ", however long; a file of /proc gives it in pieces. */
static int scan_list(struct tree *t, int fd, const struct member *parent)
{
	char text[4096];
	size_t kept = 0;
	int r = 0;
	long n;

	while (r == 0 && (n = sys_read(fd, text + kept, sizeof(text) - 1 - kept)) > 0) {
		char *at = text, *end;

		kept += (size_t)n;
		text[kept] = 0;
		/* A number that may go on in the next piece waits for it. */
		while (r == 0 && (end = strpbrk(at, " \n"))) {
			r = consider_child(t, atoi(at), parent);
			at = end + 1;
		}
		kept = strlen(at);
		memmove(text, at, kept);
	}
	return r;
}

static int scan_children(struct tree *t, struct member *parent)
{
	DIR *dir = tree_threads(parent->pid);
	char path[64];
	int fd, r = 0;
	pid_t tid;

	if (!dir && errno == EMFILE && !t->thrifty) {
		be_thrifty(t);
		dir = tree_threads(parent->pid);
	}
	if (!dir && (errno == EMFILE || errno == ENFILE || errno == ENOMEM))
		return -errno;
	if (!dir)
		t->moved = true; /* it has gone meanwhile, and its children elsewhere */
	while (dir && r == 0 && (tid = tree_next(dir))) {
		snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)parent->pid,
			 (int)tid);
		fd = (int)sys_open(path, O_RDONLY | O_CLOEXEC, 0);
		if (fd == -EMFILE || fd == -ENFILE) {
			be_thrifty(t);
			fd = (int)sys_open(path, O_RDONLY | O_CLOEXEC, 0);
		}
		if (fd == -ENOENT || fd == -ESRCH) {
			t->moved = true;
			continue;
		}
		r = fd < 0 ? fd : scan_list(t, fd, parent);
		if (fd >= 0)
			sys_close(fd);
	}
	if (dir)
		closedir(dir);
	return r;
}

/* Where the kernel has no such files (CONFIG_PROC_CHILDREN): everybody's parent. */
static int scan_all(struct tree *t)
{
	DIR *dir = opendir("/proc");
	const struct member *parent;
	struct stat_line s;
	pid_t pid;
	int r = 0;

	if (!dir && errno == EMFILE) {
		be_thrifty(t);
		dir = opendir("/proc");
	}
	if (!dir)
		return -errno;
	while (r == 0 && (pid = tree_next(dir))) {
		if (tree_process(pid, &s) < 0)
			continue;
		parent = find(t, s.ppid);
		if (!parent && t->below_caller && s.ppid == t->self.pid)
			parent = &t->self;
		if (parent)
			r = consider_child(t, pid, parent);
	}
	closedir(dir);
	return r;
}

static int scan_descendants(struct tree *t)
{
	int r = t->below_caller && !t->all_of_proc ? scan_children(t, &t->self) : 0;

	if (t->all_of_proc)
		return scan_all(t);
	/* The list grows meanwhile. */
	for (size_t i = 0; r == 0 && i < t->count; i++)
		if (!t->list[i]->dead)
			r = scan_children(t, t->list[i]);
	return r;
}

/* ---- The cgroup -------------------------------------------------------------------------------- */

/* Calls see() for each process in the cgroup and those below it. */
static int each_in_cgroup(int cgroup, int (*see)(struct tree *, pid_t), struct tree *t)
{
	DIR *dir = NULL;
	struct dirent *entry;
	FILE *f = NULL;
	int fd, r = 0, pid;

	fd = openat(cgroup, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || !(f = fdopen(fd, "r")))
		r = -errno;
	while (r == 0 && fscanf(f, "%d", &pid) == 1)
		r = see(t, pid);
	if (f)
		fclose(f);
	else if (fd >= 0)
		close(fd);
	fd = openat(cgroup, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r == 0 && (fd < 0 || !(dir = fdopendir(fd))))
		r = -errno;
	if (!dir && fd >= 0)
		close(fd);
	while (dir && r == 0 && (entry = readdir(dir))) {
		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		fd = openat(cgroup, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		r = fd < 0 ? 0 : each_in_cgroup(fd, see, t); /* it may have been removed */
		if (fd >= 0)
			close(fd);
	}
	if (dir)
		closedir(dir);
	return r;
}

static int see_claim(struct tree *t, pid_t pid)
{
	const int r = consider(t, pid, NULL);

	return r < 0 ? r : 0;
}

static int see_again(struct tree *t, pid_t pid)
{
	struct member *m = find(t, pid);

	if (m)
		m->seen = true;
	return 0;
}

/* What is listed both before and after its pidfd was opened is what the pidfd means. */
static int scan_cgroup(struct tree *t)
{
	const size_t before = t->count;
	int r = each_in_cgroup(t->cgroup, see_claim, t);

	if (r == 0)
		r = each_in_cgroup(t->cgroup, see_again, t);
	for (size_t i = t->count; i-- > before;) {
		struct member *m = t->list[i];

		if (r == 0 && m->seen && is_alive(t, m)) {
			stop(t, m);
			continue;
		}
		forget_dead(t, m);
		tdelete(m, &t->by_pid, compare_members);
	}
	return r;
}

/* ---- Rounds ------------------------------------------------------------------------------------ */

/*
 * What the threads are at. A sleep in the kernel is 'D'. That there is none is believed the second
 * time: a thread that execs takes the first one's place.
 */
static void look_at_threads(struct tree *t, struct member *m, DIR *dir)
{
	bool dead = true, still = true, sleeps = true;
	struct stat_line s;
	char path[64];
	pid_t tid;

	while ((tid = tree_next(dir))) {
		snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", (int)m->pid, (int)tid);
		if (tree_stat(path, &s) < 0 || strchr("ZXx", s.state))
			continue;
		dead = false;
		still = still && strchr("Tt", s.state);
		sleeps = sleeps && strchr("TtD", s.state);
	}
	/* Somebody has let it go on. */
	if (m->stopping && m->still && !still)
		member_signal(m, SIGSTOP);
	m->still = still;
	m->sleeps = sleeps;
	if (dead && m->empty)
		forget_dead(t, m);
	t->moved |= dead;
	m->empty = dead;
}

static void look(struct tree *t, struct member *m)
{
	DIR *dir = is_alive(t, m) ? tree_threads(m->pid) : NULL;

	if (dir) {
		look_at_threads(t, m, dir);
		closedir(dir);
	} else if (!is_alive(t, m)) {
		forget_dead(t, m);
	}
}

/* Whether all stand still; and, else, whether all that do not sleep in the kernel. */
static bool look_at_all(struct tree *t, bool *ret_but_sleepers)
{
	bool still = true;

	*ret_but_sleepers = true;
	for (size_t i = 0; i < t->count; i++) {
		struct member *m = t->list[i];

		if (m->dead)
			continue;
		look(t, m);
		/* One that may not be stopped is not waited for. */
		if (m->stopping && !m->still) {
			still = false;
			*ret_but_sleepers &= m->sleeps;
		}
	}
	return still;
}

/* Until a round changes nothing. -EAGAIN if they would not stand still. */
static int search(struct tree *t)
{
	const int64_t deadline = now_ms() + LONGEST_MS;
	const struct timespec pause = {.tv_nsec = PAUSE_NS};
	unsigned quiet = 0;
	bool still, but_sleepers;
	int r;

	for (;;) {
		t->moved = false;
		still = look_at_all(t, &but_sleepers);
		r = scan_descendants(t);
		if (r == 0 && t->cgroup >= 0)
			r = scan_cgroup(t);
		quiet = t->moved || !but_sleepers ? 0 : quiet + 1;
		if (r < 0 || (!t->moved && (still || quiet == QUIET_ROUNDS)))
			return r;
		if (now_ms() >= deadline || now_ms() >= t->last + PATIENCE_MS)
			return -EAGAIN;
		if (!t->moved)
			nanosleep(&pause, NULL);
	}
}

/* How many got it; -EPERM if there were some and none of them may get it. -EMFILE. */
static int signal_all(struct tree *t, int sig)
{
	const bool goes_on = t->stops && sig != SIGKILL && sig != SIGSTOP;
	int n = 0, r, error = 0, refused = 0;

	for (size_t i = t->count; i-- > 0;) {
		if (t->list[i]->dead)
			continue;
		r = member_signal(t->list[i], sig);
		n += r == 0;
		if (r == -EPERM)
			refused = r;
		else if (r < 0 && r != -ESRCH)
			error = r;
	}
	for (size_t i = 0; goes_on && i < t->count; i++)
		if (t->list[i]->ran && !t->list[i]->dead)
			member_signal(t->list[i], SIGCONT);
	if (error)
		return error;
	return n ? n : refused;
}

static void tree_free(struct tree *t)
{
	for (size_t i = 0; i < t->count; i++) {
		tdelete(t->list[i], &t->by_pid, compare_members);
		if (t->list[i]->pidfd >= 0)
			close(t->list[i]->pidfd);
	}
	for (size_t i = 0; i < t->count; i++)
		free(t->list[i]);
	free(t->list);
}

/* The task itself, which nobody has reaped, so that its number is its own. */
static int take_root(struct tree *t, const struct ramet_task *task)
{
	int r;

	if (task->pidfd >= 0 && !is_there(task->pidfd))
		return -ESRCH;
	r = consider_child(t, task->tid, NULL);
	return r == 0 && !t->count ? -ESRCH : r;
}

/* ---- The kernel's own way ---------------------------------------------------------------------- */

static int see_count(struct tree *t, pid_t pid)
{
	(void)pid;
	t->count++;
	return 0;
}

/* How many were in it, or -errno: -ENOENT before 5.14. */
static int kill_cgroup(int cgroup)
{
	const int fd = openat(cgroup, "cgroup.kill", O_WRONLY | O_CLOEXEC);
	struct tree counter = {0};
	int r;

	if (fd < 0)
		return -errno;
	r = each_in_cgroup(cgroup, see_count, &counter);
	if (r == 0 && write(fd, "1", 1) < 0)
		r = -errno;
	close(fd);
	return r < 0 ? r : (int)counter.count;
}

/* ------------------------------------------------------------------------------------------------ */

static bool may_stop_first(int sig)
{
	return sig != 0 && sig != SIGCONT && sig != SIGTSTP && sig != SIGTTIN && sig != SIGTTOU;
}

int whole_tree(const struct ramet_task *task, int sig, int cgroup, unsigned flags, bool all_of_proc)
{
	struct tree t = {
		.self = {.pid = (pid_t)sys_getpid(), .pidfd = -1},
		.cgroup = cgroup,
		.below_caller = flags & RAMET_TREE_BELOW_CALLER,
		.stops = may_stop_first(sig) && !(flags & RAMET_TREE_NO_STOP),
		.all_of_proc = all_of_proc || !tree_proc_has_children(),
	};
	int r, n;

	if (!tree_proc_is_ours())
		return -EOPNOTSUPP;
	t.last = now_ms();
	r = take_root(&t, task);
	if (r == -ESRCH && (t.below_caller || cgroup >= 0))
		r = 0;
	if (r == 0)
		r = search(&t);
	/* Whatever went wrong, what was found, and stopped, gets its signal. */
	n = signal_all(&t, sig);
	tree_free(&t);
	return r < 0 ? r : n;
}

int ramet_kill_tree(const struct ramet_task *task, int sig, int cgroup, unsigned flags)
{
	int r, cancel;

	if (task->flags & CLONE_THREAD || sig < 0 || sig > KERNEL_NSIG || cgroup < -1 ||
	    flags & ~(RAMET_TREE_NO_STOP | RAMET_TREE_BELOW_CALLER))
		return -EINVAL;
	cancel = not_cancelled();
	r = -ENOENT;
	if (cgroup >= 0 && sig == SIGKILL && !(flags & RAMET_TREE_BELOW_CALLER))
		r = kill_cgroup(cgroup);
	if (r == -ENOENT)
		r = whole_tree(task, sig, cgroup, flags, false);
	cancelled_again(cancel);
	return r;
}
