/* SPDX-License-Identifier: MIT */
/*
 * ramet explain in words: the first line and the whole text for calls of every kind, read from
 * words and from lines as on the command line, and judged for callers that are described.
 */
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "cli/explain.h"
#include "explain/explain.h"
#include "spec/spec.h"
#include "tap.h"
#include "uapi/clone.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* clone(…), clone3(…) and the flags of fork and threads as strace prints them. */
#define FORK "CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD"
#define THREAD                                                                                     \
	"CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_SIGHAND|CLONE_THREAD|CLONE_SYSVSEM|CLONE_SETTLS|"     \
	"CLONE_PARENT_SETTID|CLONE_CHILD_CLEARTID"

static struct explain_settings settings_of(const char *caller, const char *kernel, int call)
{
	struct explain_settings s = {.call = call};

	explain_set_caller(NULL, caller, &s);
	explain_set_kernel(NULL, kernel, &s.caller.kernel);
	return s;
}

/* The last call of the lines, or one that is left without its end. */
static bool read_lines(const char *text, struct line_call *ret)
{
	struct line_reader *reader = line_reader_new(LINE_ORDER_DEFAULT);
	int kind = LINE_OTHER;

	while (*text) {
		size_t n = strcspn(text, "\n");

		kind = line_reader_feed(reader, text, n, ret);
		text += n + (text[n] == '\n');
	}
	if (kind == LINE_PART)
		kind = line_reader_finish(reader, ret);
	line_reader_free(reader);
	return kind == LINE_CALL;
}

static bool explain_text(const struct explain_settings *s, const char *text,
			 struct explanation *ret)
{
	struct ramet_caller caller = s->caller;
	struct line_call line;
	char why[200];

	if (strchr(text, '(') || strchr(text, '=')) {
		if (!read_lines(text, &line))
			return false;
		caller.kernel = 0;
	} else if (!explain_read_word(s, text, &line, why, sizeof(why))) {
		diag("%s %s", text, why);
		return false;
	}
	line.first_line = 0;
	explain_call(&line, &caller, ret);
	return true;
}

enum { AUTO, CLONE, CLONE3, UNSHARE, SETNS };

static const struct {
	int call;
	const char *caller, *kernel;
	const char *text, *headline;
} headlines[] = {
	{AUTO, "uid=0", "6.18", "fork", "fork(): a new process that is a copy of the caller"},
	{AUTO, "uid=0", "6.18", "17", "fork(): a new process that is a copy of the caller"},
	{AUTO, "uid=0", "6.18", "0", "a new process that is a copy of the caller"},
	{AUTO, "uid=0", "6.18", "vfork",
	 "vfork(), posix_spawn() or Go's os/exec: a new process that shares memory with the caller; "
	 "the caller sleeps until it calls exec or ends"},
	{AUTO, "uid=0", "6.18", "spawn",
	 "pidfd_spawn(): a new process that shares memory with the caller; the caller sleeps until "
	 "it calls exec or ends"},
	{AUTO, "uid=0", "6.18", "VFORK|SIGCHLD",
	 "a new process that is a copy of the caller; the caller sleeps until it calls exec or "
	 "ends"},
	{AUTO, "uid=0", "6.18", "0x3d0f00",
	 "pthread_create(): a new thread of the caller's process, sharing memory, files, fs, "
	 "sighand and sysvsem"},
	{AUTO, "uid=0", "6.18", "0x7d0f00",
	 "pthread_create(): a new thread of the caller's process, sharing memory, files, fs, "
	 "sighand and sysvsem"},
	{AUTO, "uid=0", "6.18", "linuxthreads",
	 "pthread_create(): a new process that shares memory, files, fs and sighand with the "
	 "caller"},
	{AUTO, "uid=0", "6.18", "vm|fs|files|sighand|sysvsem|thread|settls",
	 "a Go thread: a new thread of the caller's process, sharing memory, files, fs, sighand "
	 "and sysvsem"},
	{AUTO, "uid=0", "6.18", "container",
	 "a new process that is a copy of the caller, in new mnt, pid, net, ipc, uts and cgroup "
	 "namespaces"},
	{AUTO, "uid=0", "6.18", "newnet|SIGCHLD",
	 "a new process that is a copy of the caller, in a new net namespace"},
	{AUTO, "uid=0", "6.18", "vm|files|parent",
	 "a new process that shares memory and files with the caller"},
	{UNSHARE, "uid=0", "6.18", "newns|newuts",
	 "the caller gets its own fs and new mnt and uts namespaces"},
	{UNSHARE, "uid=0", "6.18", "newpid|newtime",
	 "the caller gets a new pid and a new time namespace for its next children"},
	{UNSHARE, "uid=0", "6.18", "files|newpid",
	 "the caller gets its own files and a new pid namespace for its next children"},
	{UNSHARE, "uid=0", "6.18", "0", "no flags, so nothing changes"},
	{UNSHARE, "uid=0", "6.18", "vm", "the caller has nothing to part from: nothing changes"},
	{SETNS, "uid=0", "6.18", "newnet", "the caller joins another task's net namespace"},
	{SETNS, "uid=0", "6.18", "newuser|newcgroup",
	 "the caller joins another task's user and cgroup namespaces"},
	{SETNS, "uid=0", "6.18", "0", "the caller joins the namespace that the descriptor names"},
	{AUTO, "uid=0", "6.18", "sighand|SIGCHLD",
	 "refused: EINVAL   clone3(CLONE_SIGHAND), exit signal SIGCHLD"},
	{AUTO, "uid=7", "6.18", "newnet", "refused: EPERM   clone3(CLONE_NEWNET), no exit signal"},
	{AUTO, "uid=0", "6.18", "0xff|vm|fs|newns",
	 "refused: EINVAL   clone(CLONE_VM|CLONE_FS|CLONE_NEWNS), exit signal 255"},
	{SETNS, "uid=0", "6.18", "vm", "refused: EINVAL   setns(fd, CLONE_VM)"},

	{AUTO, "", "6.18",
	 "clone(child_stack=0, flags=" FORK ", child_tidptr=0x2b4ee9213770) = 20098",
	 "fork(): a new process, 20098, that is a copy of the caller"},
	{AUTO, "", "6.18",
	 "[pid 7] clone3({flags=CLONE_VM|CLONE_VFORK, exit_signal=SIGCHLD, stack=0x7f206ecdf000, "
	 "stack_size=0x9000}, 88 <unfinished ...>\n"
	 "[pid 7] <... clone3 resumed>)             = 29720",
	 "posix_spawn(): a new process, 29720, that shares memory with the caller; the caller "
	 "sleeps until it calls exec or ends"},
	{AUTO, "", "6.18", "[pid  9180] <... clone3 resumed> => {parent_tid=[29723]}, 88) = 29723",
	 "clone3 returned 29723, and the line does not show its flags"},
	{AUTO, "", "6.18",
	 "clone(child_stack=NULL, flags=0x1200000|17, child_tidptr=0x7fe3) = 5967",
	 "fork(): a new process, 5967, that is a copy of the caller"},
	{AUTO, "", "6.18", "SYS_clone(0x1200011, 0, 0, 0x7fe3cf8339d0, 0)                   = 5967",
	 "fork(): a new process, 5967, that is a copy of the caller"},
	{AUTO, "", "6.18", "9191 SYS_clone(0x1200011, 0, 0, 0x7f27db08ea10)  = 9200",
	 "fork(): a new process, 9200, that is a copy of the caller"},
	{AUTO, "", "6.18", "unshare(CLONE_NEWNS|CLONE_FS)     = -1 EINVAL (Invalid argument)",
	 "refused: EINVAL   unshare(CLONE_FS|CLONE_NEWNS)"},
	{AUTO, "", "6.18", "vfork( <unfinished ...>",
	 "unfinished: vfork(): a new process that shares memory with the caller; the caller sleeps "
	 "until it calls exec or ends"},
	{AUTO, "", "6.18",
	 "small/9251 clone(clone_flags: CHILD_CLEARTID|CHILD_SETTID|0x11, child_tidptr: 0x7f..) = "
	 "9257 (small)",
	 "fork(): a new process, 9257, that is a copy of the caller"},
	{AUTO, "", "6.18",
	 "task:task_newtask: pid=9711 comm=small clone_flags=3d0f00 oom_score_adj=0",
	 "pthread_create(): a new thread, 9711, of the caller's process, sharing memory, files, "
	 "fs, sighand and sysvsem"},
	{AUTO, "", "6.18",
	 "task:task_newtask: pid=92 comm=kthreadd clone_flags=800700 oom_score_adj=0",
	 "a kernel thread: a new process, 92, that shares memory, files and fs with the caller"},
	{AUTO, "", "6.18",
	 "type=SYSCALL msg=audit(1.1:1): arch=c000003e syscall=56 success=yes exit=1234 a0=1200011 "
	 "a1=0 a2=0 a3=7f00",
	 "fork(): a new process, 1234, that is a copy of the caller"},
	{AUTO, "", "6.18",
	 "clone(child_stack=NULL, flags=SIGCHLD) = ? ERESTARTNOINTR (To be restarted)",
	 "interrupted: clone(0), exit signal SIGCHLD"},
	{AUTO, "", "6.18", "clone(child_stack=NULL, flags=SIGCHLD) = -250",
	 "refused: errno 250   clone(0), exit signal SIGCHLD"},
	{AUTO, "", "6.18", "clone(child_stack=NULL, flags=SIGCHLD) = -1 ENEW (Not known yet)",
	 "refused: an errno not known here   clone(0), exit signal SIGCHLD"},
	{AUTO, "", "6.18", "<... clone3 resumed>) = -1 EINVAL (Invalid argument)",
	 "refused: EINVAL   clone3, and the line does not show its flags"},
	{AUTO, "", "6.18", "clone3({flags=CLONE_SIGHAND, exit_signal=SIGCHLD}, 88 <unfinished ...>",
	 "unfinished: clone3(CLONE_SIGHAND), exit signal SIGCHLD, which would be refused: EINVAL"},
};

static void test_headlines(void)
{
	for (size_t i = 0; i < LENGTH(headlines); i++) {
		struct explain_settings s =
			settings_of(headlines[i].caller, headlines[i].kernel, headlines[i].call);
		char headline[EXPLAIN_HEADLINE] = "not understood";
		struct explanation e;

		if (explain_text(&s, headlines[i].text, &e))
			explain_headline(&e, headline, sizeof(headline));
		is_str(headline, headlines[i].headline, "%.70s", headlines[i].text);
	}
}

/* ---- The whole text ---- */

static const struct {
	int call;
	const char *caller, *kernel;
	const char *text, *view;
} views[] = {
	{AUTO, "", "6.18",
	 "clone(child_stack=0, flags=" FORK ", child_tidptr=0x2b4ee9213770) = 20098",
	 "fork(): a new process, 20098, that is a copy of the caller\n\n"
	 "  memory           copy on write: the page tables are copied now, pages when first "
	 "written\n"
	 "  files            copy: the same open files and offsets, in a descriptor table of its "
	 "own\n"
	 "  fs               copy: the same root, working directory and umask to begin with\n"
	 "  sighand          copy: the same handlers to begin with\n"
	 "  thread-group     new: a process with a PID of its own\n"
	 "  parent           the caller\n"
	 "  told of its end  the caller, by SIGCHLD; plain wait() sees it\n"
	 "  CHILD_CLEARTID   bookkeeping of the C library: cleared at the end if threads of the "
	 "child still run, so that nothing waits on 0x2b4ee9213770 in vain\n"
	 "  CHILD_SETTID     bookkeeping of the C library: the child's record of its own tid is at "
	 "0x2b4ee9213770\n"
	 "  issued by        fork(), _Fork() and daemon() of glibc, on 2.6 kernels as today: "
	 "shells, perl, Python's os.fork()\n"
	 "  preset           ramet run --preset fork\n"},
	{AUTO, "", "6.18",
	 "clone3({flags=" THREAD ", child_tid=0x7f10, parent_tid=0x10000, exit_signal=0, "
	 "stack=0x7f206ecdf000, stack_size=0x9000, tls=0x7f}, 88) = 9",
	 "pthread_create(): a new thread, 9, of the caller's process, sharing memory, files, fs, "
	 "sighand and sysvsem\n\n"
	 "  memory           shared: one address space; what either writes the other reads\n"
	 "  files            shared: one descriptor table; open, dup and close by either hold for "
	 "both\n"
	 "  fs               shared: chdir, chroot and umask by either move both\n"
	 "  sighand          shared: one table of handlers; sigaction by either holds for both\n"
	 "  thread-group     shared: a thread; getpid(), limits, timers and exec are the process'\n"
	 "  parent           shared: a thread has its process' parent, and nobody waits for it\n"
	 "  sysvsem          shared: what semop did with SEM_UNDO is undone when the last of them "
	 "ends\n"
	 "  tls              new: the thread pointer is set by the call\n"
	 "  told of its end  nobody: a thread's end gives no signal and no wait() sees it; a join "
	 "waits on the cleared word\n"
	 "  PARENT_SETTID    the kernel stores the new tid at 0x10000 in the caller's memory before "
	 "the task runs\n"
	 "  CHILD_CLEARTID   at the task's end or exec the word at the address passed becomes 0 and "
	 "a futex there wakes: a join waits on it\n"
	 "  issued by        pthread_create() of glibc 2.34 and later: threads of C, C++, Java, "
	 "Python\n"
	 "  preset           ramet probe nptl\n"},
	{AUTO, "uid=0", "6.18", "sighand|SIGCHLD",
	 "refused: EINVAL   clone3(CLONE_SIGHAND), exit signal SIGCHLD\n\n"
	 "  why      Handlers are addresses of code, so tasks that share them must share memory.\n"
	 "  rule     sighand-needs-memory (every kernel from 5.10 on; fork.c copy_process)\n"
	 "  mend     Add CLONE_VM, or leave CLONE_SIGHAND out (the task gets a copy of the "
	 "handlers).\n"
	 "  instead  clone3(CLONE_VM|CLONE_SIGHAND), exit signal SIGCHLD: memory shared\n"
	 "           clone3(0), exit signal SIGCHLD: signal handlers not shared\n"},
	{AUTO, "uid=0", "6.8", "vm|sighand|thread|pidfd",
	 "refused: EINVAL   clone3(CLONE_VM|CLONE_SIGHAND|CLONE_PIDFD|CLONE_THREAD), no exit "
	 "signal\n\n"
	 "  why      Before 6.9 a pidfd could name a process only, not one thread.\n"
	 "  rule     pidfd-of-thread (before 6.9; fork.c copy_process)\n"
	 "  mend     Leave CLONE_PIDFD out and use CLONE_CHILD_CLEARTID to see the thread's end.\n"
	 "  instead  clone3(CLONE_VM|CLONE_SIGHAND|CLONE_THREAD), no exit signal: no pidfd\n"
	 "           clone3(CLONE_VM|CLONE_SIGHAND|CLONE_PIDFD), no exit signal: a process of its "
	 "own\n"},
	{CLONE, "uid=0", "6.18", "vm|0x80",
	 "a new process that shares memory with the caller\n\n"
	 "  memory           shared: one address space; what either writes the other reads\n"
	 "  files            copy: the same open files and offsets, in a descriptor table of its "
	 "own\n"
	 "  fs               copy: the same root, working directory and umask to begin with\n"
	 "  sighand          copy: the same handlers to begin with\n"
	 "  thread-group     new: a process with a PID of its own\n"
	 "  parent           the caller\n"
	 "  told of its end  nobody: 128 is no signal; only a wait with __WCLONE or __WALL sees it\n"
	 "  mind             no SETTLS with shared memory: both begin with one thread pointer, so "
	 "errno and the C library's own data of a thread are one for both\n"
	 "  mind             0x80 is a bit of the exit signal here; only clone3, unshare and setns "
	 "take it for CLONE_NEWTIME\n"
	 "  clone3           would refuse this, EINVAL: The exit signal is not a signal: signals "
	 "are 1 to 64, and 0 is none. (rule exit-signal-range)\n"},
	{UNSHARE, "uid=0", "6.18", "newns|newpid",
	 "the caller gets its own fs, a new mnt namespace and a new pid namespace for its next "
	 "children\n\n"
	 "  fs   copy: from now on chdir, chroot and umask move it alone\n"
	 "  mnt  new: the same mounts to begin with; later ones are its own (unless they "
	 "propagate)\n"
	 "  pid  new, for its next children: the first of them is pid 1 in it\n"},
	{SETNS, "uid=0", "6.18", "newpid",
	 "the caller joins another task's pid namespace\n\n"
	 "  pid   joined by its next children; it keeps its own PID and namespace\n"
	 "  mind  what the descriptor names was not looked at: that may be a reason to refuse\n"},
	{AUTO, "", "6.18",
	 "clone(child_stack=NULL, flags=SIGCHLD) = ? ERESTARTNOINTR (To be restarted)",
	 "interrupted: clone(0), exit signal SIGCHLD\n\n"
	 "  why  A signal was pending, so the kernel made nothing; it lets the handler run and makes "
	 "the call again by itself. Only a tracer sees this.\n"},
	{AUTO, "", "6.18", "unshare(CLONE_FS) = -1 EBADF (Bad file descriptor)",
	 "refused: EBADF   unshare(CLONE_FS)\n\n"
	 "  why  No rule from 5.10 on gives EBADF for this call: a seccomp filter or an injected "
	 "fault did, or a kernel that is older or built without this.\n"},
};

static char *view_text(const struct explanation *e, size_t count)
{
	struct explain_view view = {0};
	static char *text;
	static size_t size;

	view.out = open_memstream(&text, &size);
	explain_view_text(&view, e, count);
	fclose(view.out);
	return text;
}

static void test_views(void)
{
	for (size_t i = 0; i < LENGTH(views); i++) {
		struct explain_settings s =
			settings_of(views[i].caller, views[i].kernel, views[i].call);
		struct explanation e;
		char *text = NULL;

		if (explain_text(&s, views[i].text, &e))
			text = view_text(&e, 1);
		is_str(text, views[i].view, "all of %.60s", views[i].text);
		free(text);
	}
}

static void test_places(void)
{
	struct explain_settings s = settings_of("", "6.18", AUTO);
	struct explanation e;
	char *text;

	explain_text(&s, "fork() = 5", &e);
	e.line.result = 0;
	text = view_text(&e, 12);
	ok(strstr(text, "a copy of the caller   (12 times)\n"), "calls that are alike are counted");
	free(text);
	e.line.first_line = 7;
	text = view_text(&e, 12);
	ok(strstr(text, "   (12 times, first in line 7)\n"), "with the first line");
	free(text);
	text = view_text(&e, 1);
	ok(strstr(text, "   (line 7)\n"), "one has its line");
	free(text);
}

/* ---- Reasons ---- */

static bool has_reason(const struct explanation *e, const char *id)
{
	for (size_t i = 0; i < e->reason_count; i++)
		if (!strcmp(e->reasons[i]->id, id))
			return true;
	return false;
}

static void test_reasons(void)
{
	struct explain_settings s = settings_of("uid=0", "6.18", AUTO);
	struct explanation e;

	explain_text(&s, "unshare(CLONE_NEWNET) = -1 EPERM (Operation not permitted)", &e);
	ok(e.reason_count >= 2 && has_reason(&e, "new-namespace-needs-admin") &&
		   has_reason(&e, "refused-by-policy"),
	   "EPERM elsewhere: capability or filter, whoever asks here");
	ok(!strcmp(e.reasons[0]->id, "new-namespace-needs-admin"), "what can be read comes first");

	explain_text(
		&s,
		"clone3({flags=CLONE_VM|CLONE_SIGHAND|CLONE_THREAD|CLONE_PIDFD, pidfd=0x10000, "
		"exit_signal=0, stack=0x10000, stack_size=0x1000}, 88) = -1 EINVAL",
		&e);
	ok(has_reason(&e, "pidfd-of-thread"), "a line may be of another kernel than this one");

	explain_text(&s, "clone3({flags=CLONE_SIGHAND, exit_signal=SIGCHLD}, 88) = -1 EINVAL", &e);
	ok(e.reason_count == 1 && e.mend_count == 2, "what no caller may has one reason and mends");

	explain_text(&s, "clone3({flags=CLONE_SIGHAND, exit_signal=SIGCHLD}, 88) = 5", &e);
	ok(e.verdict == EXPLAIN_ACCEPTED && e.evidence, "a result is evidence, against every rule");

	explain_text(&s, "0x7d0f00", &e);
	ok(e.verdict == EXPLAIN_ACCEPTED && e.other_rule &&
		   !strcmp(e.other_rule->id, "detached-in-clone3"),
	   "clone takes what clone3 does not");
	explain_text(&s, "parent|SIGCHLD", &e);
	ok(e.line.call.entry == RAMET_ENTRY_CLONE && e.other_rule &&
		   !strcmp(e.other_rule->id, "sibling-with-exit-signal"),
	   "and is chosen then");
	explain_text(&s, "vm|pidfd|parent_settid|SIGCHLD", &e);
	ok(e.line.call.entry == RAMET_ENTRY_CLONE3 && e.verdict == EXPLAIN_ACCEPTED &&
		   e.other_rule && !strcmp(e.other_rule->id, "pidfd-on-parent-tid"),
	   "the other way round");
}

/* ---- Words that are none ---- */

static const struct {
	int call;
	const char *text, *why;
} wrong[] = {
	{AUTO, "", "is empty"},
	{AUTO, " \t", "is empty"},
	{AUTO, "VM|", "has a '|' with no flag on one side"},
	{AUTO, "|VM", "has a '|' with no flag on one side"},
	{AUTO, "VM||FS", "has a '|' with no flag on one side"},
	{AUTO, "VM| |FS", "has a '|' with no flag on one side"},
	{AUTO, "0x", "is no number of at most 64 bits"},
	{AUTO, "08", "is no number of at most 64 bits"},
	{AUTO, "vm|18446744073709551616",
	 "holds '18446744073709551616', which is no number of at most 64 bits"},
	{AUTO, "CHLD", "is no flag, preset or call; did you mean SIGCHLD?"},
	{AUTO, "SIGCHLD|SIGUSR1", "holds two exit signals"},
	{AUTO, "0x12|SIGCHLD", "holds two exit signals"},
	{AUTO, "vm|SIGFOO", "holds 'SIGFOO', which is no signal"},
	{AUTO, "fork|vm", "holds the preset fork, which stands alone"},
	{AUTO, "FORK", "is no flag, preset or call; did you mean fork?"},
	{AUTO, "frok", "is no flag, preset or call; did you mean fork?"},
	{AUTO, "clone_newsn", "is no flag, preset or call; did you mean CLONE_NEWNS?"},
	{AUTO, "vm|VN", "holds 'VN', which is no flag; did you mean VM?"},
	{AUTO, "-1", "is no flag, preset or call"},
	{UNSHARE, "container", "is a preset: it makes a task, and unshare makes none"},
	{SETNS, "fork", "is a preset: it makes a task, and setns makes none"},
	{UNSHARE, "newns|SIGCHLD", "holds an exit signal, but unshare makes no task"},
};

static void test_wrong(void)
{
	for (size_t i = 0; i < LENGTH(wrong); i++) {
		struct explain_settings s = settings_of("", "6.18", wrong[i].call);
		struct line_call line;
		char why[200] = "understood";

		explain_read_word(&s, wrong[i].text, &line, why, sizeof(why));
		is_str(why, wrong[i].why, "'%s' is refused", wrong[i].text);
	}
}

/* Spellings of one call. */
static void test_spellings(void)
{
	static const char *const same[] = {
		"CLONE_VM|CLONE_FILES|SIGCHLD",
		"vm|files|sigchld",
		"VM,FILES,SIGCHLD",
		" CLONE_VM | CLONE_FILES | SIGCHLD ",
		"0x511",
		"1297",
		"02421",
		"0x500|17",
		"vm files SIGCHLD",
		"Clone_Vm|0x400|SigChld|0x11",
	};
	struct explain_settings s = settings_of("", "6.18", AUTO);
	struct line_call line;
	char why[200];
	size_t i;

	for (i = 0; i < LENGTH(same); i++)
		if (!explain_read_word(&s, same[i], &line, why, sizeof(why)) ||
		    line.call.flags != (CLONE_VM | CLONE_FILES) || line.call.exit_signal != SIGCHLD)
			break;
	is_str(i < LENGTH(same) ? same[i] : NULL, NULL, "%zu spellings of one call", LENGTH(same));
	s.exit_signal = "USR2";
	ok(explain_read_word(&s, "fork", &line, why, sizeof(why)) &&
		   line.call.exit_signal == SIGUSR2,
	   "--exit-signal replaces that of a preset");
}

int main(void)
{
	test_headlines();
	test_views();
	test_places();
	test_reasons();
	test_wrong();
	test_spellings();
	return tap_done();
}
