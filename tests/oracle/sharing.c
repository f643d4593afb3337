/* SPDX-License-Identifier: MIT */
/*
 * What accepted calls give, against ramet_model_mode(): for each word a task is made and parked, and
 * kcmp, /proc and its own word tell what it has in common with its maker. After unshare the caller
 * is compared with a task made beforehand that shared all with it. The observer stands apart: a
 * maker may sleep for its vfork child, and a caller in a new user namespace may not look outside.
 */
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/socket.h>

#include "oracle/shapes.h"
#include "oracle/sweep.h"

#define KCMP_VM 1
#define KCMP_FILES 2
#define KCMP_FS 3
#define KCMP_SIGHAND 4
#define KCMP_IO 5
#define KCMP_SYSVSEM 6

#define BEARING_CLONE                                                                              \
	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_PARENT |         \
	 CLONE_SYSVSEM | CLONE_SETTLS | CLONE_IO | CLONE_VFORK | CLONE_NEWNS | CLONE_NEWUSER |     \
	 CLONE_NEWPID | CLONE_NEWIPC)
#define BEARING (BEARING_CLONE | CLONE_NEWTIME | CLONE_CLEAR_SIGHAND | CLONE_INTO_CGROUP)
#define UNSHARED (CLONE_FS | CLONE_FILES | CLONE_SYSVSEM | CLONE_VM | CLONE_SIGHAND | CLONE_NEW_ANY)

enum { WORD_TASK = 1, WORD_REFUSED, WORD_DONE };

/* What a maker and its tasks say to the observer. */
struct word_of {
	int kind, result;
	int tid; /* as the task itself has it */
	uint64_t thread_pointer;
};

/* In memory shared by all. */
static struct room {
	uint32_t release; /* a parked task waits for it */
	int maker_end, observer_end;
	bool has_io, has_undo;
	struct ramet_caller caller;
	uint64_t thread_pointer;
} * room;

static char thread_block[4096] __attribute__((aligned(64)));

/* ---- Readers: the observer's ---- */

struct face {
	int tid, tgid, ppid;
	int exit_signal;
	char cgroup[128];
	uint64_t thread_pointer;
};

static const struct {
	enum ramet_resource resource;
	int kcmp;
	const char *ns;
} witnesses[] = {
	{RAMET_MEMORY, KCMP_VM, NULL}, {RAMET_FILES, KCMP_FILES, NULL},
	{RAMET_FS, KCMP_FS, NULL},     {RAMET_SIGHAND, KCMP_SIGHAND, NULL},
	{RAMET_IO, KCMP_IO, NULL},     {RAMET_SYSVSEM, KCMP_SYSVSEM, NULL},
	{RAMET_MNT, 0, "mnt"},	       {RAMET_PID, 0, "pid"},
	{RAMET_NET, 0, "net"},	       {RAMET_IPC, 0, "ipc"},
	{RAMET_UTS, 0, "uts"},	       {RAMET_USER, 0, "user"},
	{RAMET_CGROUPNS, 0, "cgroup"}, {RAMET_TIME, 0, "time"},
};

static bool same_object(int a, int b, int type)
{
	return syscall(SYS_kcmp, a, b, type, 0, 0) == 0;
}

static bool same_namespace(int a, int b, const char *name)
{
	char path[64];
	struct stat x, y;

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", a, name);
	if (stat(path, &x))
		return false;
	snprintf(path, sizeof(path), "/proc/%d/ns/%s", b, name);
	return stat(path, &y) == 0 && x.st_ino == y.st_ino;
}

static void read_text(int tid, const char *name, char *buf, size_t size)
{
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", tid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? 0 : read(fd, buf, size - 1);
	if (fd >= 0)
		close(fd);
	buf[n > 0 ? n : 0] = '\0';
}

static int number_behind(const char *text, const char *key)
{
	const char *at = strstr(text, key);

	return at ? atoi(at + strlen(key)) : -1;
}

static struct face look(int tid)
{
	struct face face = {.tid = tid, .exit_signal = -99};
	char text[4096], *at;

	read_text(tid, "status", text, sizeof(text));
	face.tgid = number_behind(text, "\nTgid:");
	face.ppid = number_behind(text, "\nPPid:");
	read_text(tid, "stat", text, sizeof(text));
	at = strrchr(text, ')');
	for (int field = 2; at && field < 38; field++)
		at = strchr(at + 1, ' ');
	if (at)
		face.exit_signal = atoi(at);
	read_text(tid, "cgroup", text, sizeof(text));
	at = strstr(text, "0::");
	if (at)
		snprintf(face.cgroup, sizeof(face.cgroup), "%.*s", (int)strcspn(at, "\n"), at);
	return face;
}

/* ---- Judging ---- */

static enum ramet_mode mode_here(const struct ramet_call *call, enum ramet_resource resource)
{
	return ramet_model_mode(call, room->caller.kernel, resource);
}

/* What differs from the model first; NULL: nothing does. */
static const char *compare(const struct ramet_call *call, const struct face *a,
			   const struct face *b, uint32_t untold)
{
	for (size_t i = 0; i < sizeof(witnesses) / sizeof(witnesses[0]); i++) {
		enum ramet_resource resource = witnesses[i].resource;
		bool want = mode_here(call, resource) == RAMET_MODE_SHARE;
		bool same = witnesses[i].ns ? same_namespace(a->tid, b->tid, witnesses[i].ns)
					    : same_object(a->tid, b->tid, witnesses[i].kcmp);

		if (!(untold & resource) && want != same)
			return ramet_resource_name(resource);
	}
	return NULL;
}

static int wanted_exit_signal(const struct ramet_call *call, const struct face *maker)
{
	if (call->flags & CLONE_THREAD)
		return -1;
	if (call->flags & CLONE_PARENT)
		return maker->exit_signal;
	return (int)(call->exit_signal |
		     (call->entry == RAMET_ENTRY_CLONE ? call->flags & CSIGNAL : 0));
}

static const char *compare_task(const struct ramet_call *call, const struct face *maker,
				const struct face *task)
{
	enum ramet_mode group = mode_here(call, RAMET_THREAD_GROUP);
	enum ramet_mode parent = mode_here(call, RAMET_PARENT);
	enum ramet_mode tls = mode_here(call, RAMET_TLS);
	enum ramet_mode cgroup = mode_here(call, RAMET_CGROUP);
	uint32_t untold = (room->has_io ? 0 : RAMET_IO) | (room->has_undo ? 0 : RAMET_SYSVSEM);

	if ((group == RAMET_MODE_SHARE) != (task->tgid == maker->tgid))
		return "thread-group";
	if (task->ppid != (parent == RAMET_MODE_SHARE ? maker->ppid : maker->tgid))
		return "parent";
	if (task->thread_pointer !=
	    (tls == RAMET_MODE_NEW ? (uintptr_t)thread_block : room->thread_pointer))
		return "tls";
	if (*maker->cgroup && (cgroup == RAMET_MODE_SHARE) != !strcmp(task->cgroup, maker->cgroup))
		return "cgroup";
	if (task->exit_signal != wanted_exit_signal(call, maker))
		return "exit signal";
	return compare(call, maker, task, untold);
}

static void report(struct findings *f, const struct ramet_call *call, int error, const char *where)
{
	f->swept++;
	f->accepted += !error;
	if (!where && !error)
		return;
	if (f->mismatches < SWEEP_KEPT)
		f->kept[f->mismatches] =
			(struct mismatch){*call, error, NULL, where ? where : "refused"};
	f->mismatches++;
}

/* ---- Words between the processes ---- */

/* The observer's: *ret_pid is the sender's as the observer has it. False: nobody speaks. */
static bool hear(struct word_of *word, int *ret_pid)
{
	char control[CMSG_SPACE(sizeof(struct ucred))] __attribute__((aligned(8)));
	struct iovec part = {word, sizeof(*word)};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control)};
	ssize_t n;

	do
		n = recvmsg(room->observer_end, &message, 0);
	while (n < 0 && errno == EINTR);
	if (n != sizeof(*word) || !CMSG_FIRSTHDR(&message))
		return false;
	*ret_pid = ((const struct ucred *)CMSG_DATA(CMSG_FIRSTHDR(&message)))->pid;
	return true;
}

static void say(int kind, long result)
{
	const struct word_of word = {.kind = kind, .result = (int)result};

	sys_write(room->maker_end, &word, sizeof(word));
}

static void release(void)
{
	__atomic_store_n(&room->release, 1, __ATOMIC_SEQ_CST);
	sys_futex_wake(&room->release, 1);
}

static void wait_release(void)
{
	while (!__atomic_load_n(&room->release, __ATOMIC_SEQ_CST))
		sys_futex_wait(&room->release, 0, NULL);
}

/* The task's: freestanding, with whatever memory and thread pointer it was given. */
__attribute__((no_sanitize("address"), no_sanitize("undefined"))) static int park(void *arg)
{
	struct room *shared = arg;
	struct word_of word = {.kind = WORD_TASK};

	sys_prctl(KERNEL_PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	word.tid = (int)sys_gettid();
	word.thread_pointer = arch_get_tp();
	sys_write(shared->maker_end, &word, sizeof(word));
	while (!__atomic_load_n(&shared->release, __ATOMIC_SEQ_CST))
		sys_futex_wait(&shared->release, 0, NULL);
	return 0;
}

static bool open_room(void)
{
	const int on = 1;
	const struct timeval limit = {.tv_sec = 60};
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) ||
	    setsockopt(ends[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) ||
	    setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)))
		return false;
	room->observer_end = ends[0];
	room->maker_end = ends[1];
	return true;
}

static void close_room(void)
{
	close(room->observer_end);
	close(room->maker_end);
}

/* An io context and an undo list come into being when first used; two tasks without look alike. */
static void have_objects(void)
{
	struct sembuf op = {.sem_op = 1, .sem_flg = SEM_UNDO};
	int sem = semget(IPC_PRIVATE, 1, 0600);

	room->has_undo = sem >= 0 && semop(sem, &op, 1) == 0;
	if (sem >= 0)
		semctl(sem, 0, IPC_RMID);
	room->has_io = syscall(SYS_ioprio_set, 1, 0, 2 << 13 | 4) == 0;
}

/* ---- clone and clone3 ---- */

struct sweeper {
	const struct identity *who;
	enum ramet_entry entry;
	struct words words;
	struct findings *found;
	int cgroup;
};

static struct ramet_call call_for(const struct sweeper *s, size_t i)
{
	struct ramet_call call =
		kernel_call(s->entry, s->words.list[i].flags, s->words.list[i].exit_signal);

	call.tls = (uintptr_t)thread_block;
	call.cgroup = (uint64_t)s->cgroup;
	return call;
}

/*
 * Words that are left out: those with a deadly exit signal, and threads that would leave their
 * process' threaded cgroup, of which nobody can know beforehand.
 */
static bool is_left_out(const struct ramet_call *call)
{
	uint64_t low = (call->flags | call->exit_signal) & CSIGNAL;

	if (call->entry == RAMET_ENTRY_CLONE)
		return low == SIGKILL || low == SIGSTOP;
	return call->flags & CLONE_THREAD && call->flags & CLONE_INTO_CGROUP;
}

static bool is_wanted(const struct ramet_call *call)
{
	return !ramet_check(call, &room->caller) && !is_left_out(call);
}

static int maker(struct sweeper *s)
{
	struct ramet_call call = {.entry = RAMET_ENTRY_CLONE3, .flags = CLONE_INTO_CGROUP};
	uint64_t all = ~0ULL;

	/* Exit signals of every number come in. */
	sys_sigprocmask(SIG_BLOCK, &all, NULL);
	call.cgroup = (uint64_t)s->cgroup;
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	have_objects();
	caller_read(&call, &room->caller);
	sweep_learn_policy(s->found, &room->caller);
	room->thread_pointer = arch_get_tp();
	say(WORD_DONE, 0);
	for (size_t i = 0; i < s->words.count; i++) {
		long r = -EAGAIN;

		call = call_for(s, i);
		if (!is_wanted(&call))
			continue;
		room->release = 0;
		for (int j = 0; j < 200 && sweep_is_passing(r); j++) {
			r = kernel_clone(&call, park, room);
			if (sweep_is_passing(r))
				usleep(5000);
		}
		if (r < 0)
			say(WORD_REFUSED, r);
		else
			kernel_finish(&call, r);
		say(WORD_DONE, 0);
	}
	return 0;
}

/* One word: the task's or the maker's answer, then the end of it. False: something is stuck. */
static bool observe(struct sweeper *s, const struct ramet_call *call, const struct face *made_by)
{
	struct word_of word;
	struct face task;
	int pid;

	if (!hear(&word, &pid))
		return false;
	if (word.kind == WORD_TASK) {
		task = look(call->flags & CLONE_THREAD ? word.tid : pid);
		task.thread_pointer = word.thread_pointer;
		report(s->found, call, 0, compare_task(call, made_by, &task));
		release();
		/* A sibling of the maker is the observer's child. */
		if (call->flags & CLONE_PARENT && !(call->flags & CLONE_THREAD))
			sys_wait4(task.tid, NULL, KERNEL_WALL, NULL);
	} else {
		report(s->found, call, -word.result, NULL);
	}
	return hear(&word, &pid) && word.kind == WORD_DONE;
}

#define UNABLE 77

static int sweep_made(void *arg)
{
	struct sweeper *s = arg;
	struct word_of word;
	struct face made_by;
	bool good = true;
	int pid, status;

	if (identity_take(s->who) || !open_room())
		return UNABLE;
	pid = fork();
	if (!pid)
		_exit(maker(s));
	if (!hear(&word, &status))
		return 1;
	made_by = look(pid);
	for (size_t i = 0; good && i < s->words.count; i++) {
		const struct ramet_call call = call_for(s, i);

		if (is_wanted(&call))
			good = observe(s, &call, &made_by);
	}
	if (!good)
		kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	close_room();
	return good && status == 0 ? 0 : 1;
}

/* ---- unshare ---- */

/* Which peer a word gets: with memory in common some are refused, without it less is to be seen. */
static uint64_t peer_flags(uint64_t flags)
{
	uint64_t common = CLONE_FS | CLONE_FILES | CLONE_SYSVSEM | CLONE_IO;

	return flags & (CLONE_VM | CLONE_SIGHAND) ? common : common | CLONE_VM | CLONE_SIGHAND;
}

static int unsharer(const struct ramet_call *call)
{
	long peer, r = -EAGAIN;

	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	have_objects();
	peer = shape_make_peer(peer_flags(call->flags));
	for (int j = 0; j < 200 && sweep_is_passing(r); j++) {
		r = kernel_make(call);
		if (sweep_is_passing(r))
			usleep(5000);
	}
	say(r < 0 ? WORD_REFUSED : WORD_TASK, r < 0 ? r : peer);
	wait_release();
	return 0;
}

static const char *compare_unshared(const struct ramet_call *call, int pid, int peer)
{
	const struct face before = {.tid = peer}, after = {.tid = pid};
	uint32_t untold = (room->has_io ? 0 : RAMET_IO) | (room->has_undo ? 0 : RAMET_SYSVSEM);
	const char *differs;

	if (!(peer_flags(call->flags) & CLONE_VM))
		untold |= RAMET_MEMORY | RAMET_SIGHAND;
	differs = compare(call, &before, &after, untold);
	if (differs)
		return differs;
	/* No resource of the caller, but what else there is to see of the two. */
	if (same_namespace(pid, peer, "time_for_children") == !!(call->flags & CLONE_NEWTIME))
		return "time for children";
	if (same_namespace(pid, peer, "pid_for_children") == !!(call->flags & CLONE_NEWPID))
		return "pid for children";
	return NULL;
}

static bool observe_unshare(struct sweeper *s, const struct ramet_call *call)
{
	struct word_of word;
	bool heard;
	pid_t pid;
	int from;

	room->release = 0;
	pid = fork();
	if (!pid)
		_exit(unsharer(call));
	heard = hear(&word, &from);
	if (heard && word.kind == WORD_TASK)
		report(s->found, call, 0, compare_unshared(call, pid, word.result));
	else if (heard)
		report(s->found, call, -word.result, NULL);
	release();
	while (sys_wait4(-1, NULL, KERNEL_WALL, NULL) > 0)
		;
	return heard;
}

static int sweep_unshared(void *arg)
{
	const struct ramet_call any = {.entry = RAMET_ENTRY_UNSHARE};
	struct sweeper *s = arg;
	bool good = true;

	if (identity_take(s->who) || !open_room())
		return UNABLE;
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	caller_read(&any, &room->caller);
	sweep_learn_policy(s->found, &room->caller);
	for (size_t i = 0; good && i < s->words.count; i++) {
		const struct ramet_call call = {.entry = RAMET_ENTRY_UNSHARE,
						.flags = s->words.list[i].flags};

		if (!ramet_check(&call, &room->caller))
			good = observe_unshare(s, &call);
	}
	close_room();
	return good ? 0 : 1;
}

/* ---- The test ---- */

static void run(struct sweeper *s, size_t floor)
{
	struct findings *f = kernel_shared(sizeof(*f));
	double from = sweep_clock();
	char name[96];
	int r;

	snprintf(name, sizeof(name), "%s, %s", entry_name(s->entry), s->who->name);
	memset(room, 0, sizeof(*room));
	s->found = f;
	r = kernel_scaffold(s->entry == RAMET_ENTRY_UNSHARE ? sweep_unshared : sweep_made, s);
	if (r == UNABLE) {
		skip(1, "%s: this user is not to be had here", name);
	} else {
		diag("%s: %ju of %zu words accepted and looked at in %.1f s%s%s", name,
		     (uintmax_t)f->swept, s->words.count, sweep_clock() - from,
		     room->has_io ? "" : "; no io context to be had",
		     room->has_undo ? "" : "; no undo list to be had");
		is_int(r, 0, "%s: the sweep ends", name);
		is_int(f->mismatches, 0, "%s: what is shared is what the model says", name);
		for (uint64_t i = 0; i < f->mismatches && i < SWEEP_KEPT; i++)
			mismatch_show(&f->kept[i]);
		ok(f->swept >= floor, "%s: enough words were accepted", name);
	}
	munmap(f, sizeof(*f));
	words_free(&s->words);
}

static void run_identity(const struct identity *who, int cgroup)
{
	struct sweeper s = {.who = who, .cgroup = cgroup};

	s.entry = RAMET_ENTRY_CLONE;
	s.words = words_make(100000);
	words_add_pairs(&s.words, 20, true);
	words_add_triples(&s.words, FLAGS_OF_CLONE, 400, true);
	words_add_subsets(&s.words, BEARING_CLONE, 4000, true);
	run(&s, sweep_scaled(100));

	s.entry = RAMET_ENTRY_CLONE3;
	s.words = words_make(300000);
	words_add_pairs(&s.words, 20, true);
	words_add_triples(&s.words, FLAGS_OF_CLONE3, 400, true);
	words_add_subsets(&s.words, BEARING, 8000, true);
	run(&s, sweep_scaled(100));

	s.entry = RAMET_ENTRY_UNSHARE;
	s.words = words_make(20000);
	words_add_pairs(&s.words, 20, false);
	words_add_subsets(&s.words, UNSHARED, 400, false);
	run(&s, sweep_scaled(50));
}

int main(void)
{
	const struct identity self = {"this user", geteuid(), ~0ULL, true};
	const char *top = kernel_cgroup2();
	char path[320];
	int cgroup = -1;

	tap_seed();
	room = kernel_shared(sizeof(*room));
	if (syscall(SYS_kcmp, getpid(), getpid(), KCMP_VM, 0, 0) ||
	    sys2(SYS_clone3, 0, 0) != -EINVAL) {
		skip(1, "kcmp or clone3 is missing or filtered here");
		return tap_done();
	}
	snprintf(path, sizeof(path), "%s/ramet-sharing-%d", top, getpid());
	if (*top && !mkdir(path, 0755))
		cgroup = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (geteuid())
		run_identity(&self, cgroup);
	for (size_t i = 0; i < IDENTITIES; i++)
		if (identities[i].main && identity_exists(&identities[i]))
			run_identity(&identities[i], cgroup);
	if (cgroup >= 0) {
		close(cgroup);
		rmdir(path);
	}
	return tap_done();
}
