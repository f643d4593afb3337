/* SPDX-License-Identifier: MIT */
/*
 * The walk: some words as exact text; for random words, that stops come in the kernel's order and
 * that a refused call's way ends where its rule is asked; every rule has a stop.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "tap.h"
#include "explain/explain.h"
#include "explain/walk.h"
#include "model/rules.h"
#include "spec/spec.h"
#include "uapi/clone.h"

#define WORDS 4000
#define KERNEL_NOW KERNEL(6, 18)

/* What is printed, to be freed. */
static char *walk_text(const struct explanation *e, bool color)
{
	static char *text; /* not of the frame: gcc takes what is in it for lost */
	static size_t size;
	FILE *out = open_memstream(&text, &size);
	const struct explain_view view = {.out = out, .color = color};

	if (explain_view_walk(&view, e) < 0)
		fputs("failed", out);
	fclose(out);
	return text;
}

static struct explanation explained(const struct ramet_call *call, unsigned kernel)
{
	const struct ramet_caller caller = {.kernel = kernel};
	const struct line_call line = {.call = *call, .given = LINE_FLAGS | LINE_EXIT_SIGNAL};
	struct explanation e;

	explain_call(&line, &caller, &e);
	return e;
}

/* ---- Exact text ---- */

/* The way of an accepted or refused word, without the two lines above it. */
static void is_way(const struct explanation *e, const char *want, const char *name)
{
	char *text = walk_text(e, false), *way = strstr(text, "\n\n");

	is_str(way ? way + 2 : text, want, "%s: its way", name);
	free(text);
}

static const char fork_way[] =
	"   1 sys_clone             Arguments in registers; the low byte of the "
	"flags is the exit signal, SIGCHLD. Seccomp filters come first. (each "
	"processor's own until 3.7)\n"
	"   2 kernel_clone          fork, vfork, clone and clone3 are one from "
	"here on. For tracers this is PTRACE_EVENT_FORK. (do_fork until 4.1, "
	"_do_fork until 5.9)\n"
	"   3 copy_process, flags   Do the flags go together? These have no "
	"conditions. (part of do_fork until 2.4)\n"
	"   4 recalc_sigpending     A waiting signal goes first: nothing is "
	"made, and after its handler the call starts anew (ERESTARTNOINTR). (at "
	"the end before 4.19)\n"
	"   5 dup_task_struct       A kernel stack, and a copy of the caller's "
	"task_struct. child_tid noted: for the tid, and to clear at its end. "
	"(alloc_task_struct in 2.4)\n"
	"   6 copy_creds            copied: user and group ids, capabilities. "
	"(since 2.6.29)\n"
	"   7 copy_process, limits  The user's tasks against RLIMIT_NPROC "
	"(ulimit -u), all tasks against kernel.threads-max.\n"
	"   8 sched_fork            Policy, nice value and processors as the "
	"caller's; not running yet. Not from SCHED_DEADLINE. (after copy_thread "
	"in 2.6.12)\n"
	"   9 security_task_alloc   The security module (SELinux, AppArmor …) "
	"labels the task, and may refuse it. (since 2.6)\n"
	"  10 copy_semundo          new: nothing to undo for SEM_UNDO.\n"
	"  11 copy_files            dup_fd: a descriptor table of its own. It "
	"points at the same open files, f_count + 1 each, so offsets stay "
	"common.\n"
	"  12 copy_fs               copied: a root, working directory and umask "
	"of its own.\n"
	"  13 copy_sighand          copied: a table of the same signal "
	"handlers.\n"
	"  14 copy_signal           new: signal_struct, so this is a process. "
	"Limits and terminal as the caller's; no timers, no signals, CPU time "
	"0.\n"
	"  15 copy_mm               dup_mm, dup_mmap: page tables copied, pages "
	"shared until written (copy on write). This is where a large caller "
	"pays.\n"
	"  16 copy_namespaces       shared: nsproxy, count + 1: all namespaces "
	"are the caller's. (copy_namespace, mounts only, 2.4.19 to 2.6.18)\n"
	"  17 copy_io               none, or one with the caller's ioprio if "
	"that was set. (since 2.6.25)\n"
	"  18 copy_thread           The caller's registers, but the call returns "
	"0. Stack: the caller's, in the copied memory. (copy_thread_tls 4.2 to "
	"5.8)\n"
	"  19 alloc_pid             A free pid in the caller's pid namespace, "
	"and one in each above it. Here: 4711. (get_pid in 2.4; alloc_pidmap in "
	"2.6.12, before copy_process)\n"
	"  20 copy_process, ids     tgid = its own pid: getpid() gives a new "
	"number.\n"
	"  21 cgroup_can_fork       pids.max of the caller's cgroup, where the "
	"task will be, too. (since 4.3)\n"
	"  22 sched_cgroup_fork     Its place in the cgroup's share of processor "
	"time. (part of sched_fork before 5.17)\n"
	"  23 copy_process, parent  real_parent = the caller; exit_signal = "
	"SIGCHLD.\n"
	"  24 copy_seccomp          seccomp filters and no_new_privs as the "
	"caller's. (since 3.17)\n"
	"  25 attach_pid            Into the lists of all processes, of its "
	"parent's children, of the process group and session. /proc and kill() "
	"find it.\n"
	"  26 proc_fork_connector   Programs that listen to the process "
	"connector (netlink) hear of it. (since 2.6.15)\n"
	"  27 trace_task_newtask    The tracepoint task:task_newtask, with the "
	"flags: for perf and ftrace. (since 3.4)\n"
	"  28 wake_up_new_task      Onto a run queue: from here on it runs, "
	"perhaps before the caller does. (wake_up_process in 2.4)\n"
	"  29 schedule_tail         In the child: stores its tid at child_tid, "
	"and returns 0.\n"
	"  30 ptrace_event_pid      If a tracer follows forks, the caller stops "
	"for it: PTRACE_EVENT_FORK. (ptrace_notify in 2.6.12)\n"
	"  31 return                The caller gets 4711.\n"
	"     its flags came with   2.5.49 (CHILD_CLEARTID CHILD_SETTID)\n";

static void test_fork(void)
{
	const struct line_call line = {
		.call = {.entry = RAMET_ENTRY_CLONE,
			 .flags = CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID,
			 .exit_signal = SIGCHLD,
			 .child_tid = 0x7f0000001000},
		.name = "clone",
		.source = "strace",
		.given = LINE_FLAGS | LINE_EXIT_SIGNAL | LINE_STACK | LINE_CHILD_TID | LINE_RESULT,
		.result = 4711,
	};
	const struct ramet_caller nobody = {0};
	struct explanation e;

	explain_call(&line, &nobody, &e);
	is_way(&e, fork_way, "fork");
}

static const struct {
	const char *name;
	struct ramet_call call;
	const char *way;
} words[] = {
	{"pthread_create",
	 {.entry = RAMET_ENTRY_CLONE3,
	  .flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
		   CLONE_SYSVSEM | CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID},
	 "   1 sys_clone3                 Two arguments: where the argument block "
	 "is, and its size. Seccomp filters come first. (since 5.3)\n"
	 "   2 copy_clone_args_from_user  Reads the block: size, exit signal and "
	 "set_tid must be possible, and what lies beyond the known fields must be "
	 "0.\n"
	 "   3 clone3_args_valid          Only known bits, an empty low byte, a "
	 "stack with address and size or neither. Not both SIGHAND and "
	 "CLEAR_SIGHAND. THREAD and PARENT go with exit signal 0.\n"
	 "   4 kernel_clone               fork, vfork, clone and clone3 are one "
	 "from here on. For tracers this is PTRACE_EVENT_CLONE. (do_fork until "
	 "4.1, _do_fork until 5.9)\n"
	 "   5 copy_process, flags        Do the flags go together? THREAD: with "
	 "SIGHAND, and not with NEWUSER or NEWPID. SIGHAND: with VM. (part of "
	 "do_fork until 2.4)\n"
	 "   6 recalc_sigpending          A waiting signal goes first: nothing is "
	 "made, and after its handler the call starts anew (ERESTARTNOINTR). (at "
	 "the end before 4.19)\n"
	 "   7 dup_task_struct            A kernel stack, and a copy of the "
	 "caller's task_struct. child_tid noted: to clear at its end. "
	 "(alloc_task_struct in 2.4)\n"
	 "   8 copy_creds                 shared: cred, usage + 1, until one "
	 "thread changes its ids. (since 2.6.29)\n"
	 "   9 copy_process, limits       The user's tasks against RLIMIT_NPROC "
	 "(ulimit -u), all tasks against kernel.threads-max.\n"
	 "  10 sched_fork                 Policy, nice value and processors as "
	 "the caller's; not running yet. Not from SCHED_DEADLINE. (after "
	 "copy_thread in 2.6.12)\n"
	 "  11 security_task_alloc        The security module (SELinux, AppArmor "
	 "…) labels the task, and may refuse it. (since 2.6)\n"
	 "  12 copy_semundo               shared: sem_undo_list, refcnt + 1: what "
	 "SEM_UNDO is to undo.\n"
	 "  13 copy_files                 shared: files_struct, count + 1: one "
	 "descriptor table.\n"
	 "  14 copy_fs                    shared: fs_struct, users + 1: one root, "
	 "working directory, umask.\n"
	 "  15 copy_sighand               shared: sighand_struct, count + 1: one "
	 "table of signal handlers.\n"
	 "  16 copy_signal                shared: signal_struct: limits, timers, "
	 "terminal and signals sent to the process are one.\n"
	 "  17 copy_mm                    shared: mm_struct, mm_users + 1. No "
	 "page table is touched: the price does not grow with the caller.\n"
	 "  18 copy_namespaces            shared: nsproxy, count + 1: all "
	 "namespaces are the caller's. (copy_namespace, mounts only, 2.4.19 to "
	 "2.6.18)\n"
	 "  19 copy_io                    none, or one with the caller's ioprio "
	 "if that was set. (since 2.6.25)\n"
	 "  20 copy_thread                The caller's registers, but the call "
	 "returns 0. Stack: the caller's, unless the call names one. SETTLS: the "
	 "thread pointer is tls, an address of the program. (copy_thread_tls 4.2 "
	 "to 5.8)\n"
	 "  21 alloc_pid                  A free pid in the caller's pid "
	 "namespace, and one in each above it. (get_pid in 2.4; alloc_pidmap in "
	 "2.6.12, before copy_process)\n"
	 "  22 copy_process, ids          tgid = the caller's: getpid() is the "
	 "same, gettid() is not. No alternate signal stack.\n"
	 "  23 cgroup_can_fork            pids.max of the caller's cgroup, where "
	 "the task will be, too. (since 4.3)\n"
	 "  24 sched_cgroup_fork          Its place in the cgroup's share of "
	 "processor time. (part of sched_fork before 5.17)\n"
	 "  25 copy_process, parent       real_parent = that of the process; "
	 "exit_signal = -1: nobody is told.\n"
	 "  26 copy_seccomp               seccomp filters and no_new_privs as the "
	 "caller's. (since 3.17)\n"
	 "  27 attach_pid                 Into the process' list of threads. "
	 "/proc and kill() find it.\n"
	 "  28 proc_fork_connector        Programs that listen to the process "
	 "connector (netlink) hear of it. (since 2.6.15)\n"
	 "  29 trace_task_newtask         The tracepoint task:task_newtask, with "
	 "the flags: for perf and ftrace. (since 3.4)\n"
	 "  30 kernel_clone, tid          The tid goes to parent_tid, before the "
	 "task runs. (in copy_process in 2.6.12)\n"
	 "  31 wake_up_new_task           Onto a run queue: from here on it runs, "
	 "perhaps before the caller does. (wake_up_process in 2.4)\n"
	 "  32 schedule_tail              In the child: returns 0.\n"
	 "  33 ptrace_event_pid           If a tracer follows forks, the caller "
	 "stops for it: PTRACE_EVENT_CLONE. (ptrace_notify in 2.6.12)\n"
	 "  34 return                     The caller gets the tid of the new "
	 "task.\n"
	 "     its flags came with        2.0 (VM FS FILES SIGHAND), 2.4 "
	 "(THREAD), 2.5.10 (SYSVSEM), 2.5.32 (SETTLS), 2.5.49 (PARENT_SETTID "
	 "CHILD_CLEARTID)\n"},
	{"refused sighand",
	 {.entry = RAMET_ENTRY_CLONE, .flags = CLONE_SIGHAND, .exit_signal = SIGCHLD},
	 "   1 sys_clone            Arguments in registers; the low byte of the "
	 "flags is the exit signal, SIGCHLD. Seccomp filters come first. (each "
	 "processor's own until 3.7)\n"
	 "   2 kernel_clone         fork, vfork, clone and clone3 are one from "
	 "here on. For tracers this is PTRACE_EVENT_FORK. (do_fork until 4.1, "
	 "_do_fork until 5.9)\n"
	 "   3 copy_process, flags  Do the flags go together? SIGHAND: with VM. "
	 "(part of do_fork until 2.4)\n"
	 "     refused here:        EINVAL sighand-needs-memory. Handlers are "
	 "addresses of code, so tasks that share them must share memory.\n"
	 "     its flags came with  2.0 (SIGHAND)\n"},
	{"unshare of mounts",
	 {.entry = RAMET_ENTRY_UNSHARE, .flags = CLONE_NEWNS},
	 "   1 sys_unshare                 No task is made: the caller parts from "
	 "what it shares. Seccomp filters come first. (since 2.6.16)\n"
	 "   2 ksys_unshare                NEWNS brings FS. (sys_unshare until "
	 "4.16)\n"
	 "   3 check_unshare_flags         Only what can be parted.\n"
	 "   4 unshare_fs                  copied: root, working directory and "
	 "umask, unless they are its own already.\n"
	 "   5 unshare_fd                  Not asked for.\n"
	 "   6 unshare_userns              Not asked for. (since 3.8)\n"
	 "   7 unshare_nsproxy_namespaces  Needs CAP_SYS_ADMIN. new: an nsproxy "
	 "with mnt of its own, the rest shared. (since 2.6.22, unshare_namespace "
	 "before)\n"
	 "   8 ksys_unshare, commit        All is made and nothing can fail: the "
	 "caller takes it over at once.\n"
	 "   9 return                      The caller gets 0.\n"
	 "     its flags came with         2.4.19 (NEWNS)\n"},
	{"setns of two",
	 {.entry = RAMET_ENTRY_SETNS, .flags = CLONE_NEWUSER | CLONE_NEWNET},
	 "   1 sys_setns            No task is made: the caller moves into "
	 "namespaces of others. Seccomp filters come first. (since 3.0)\n"
	 "   2 setns, descriptor    To join: user, net. The descriptor: a task's "
	 "pidfd (since 5.8), or for one type alone the file in /proc/PID/ns.\n"
	 "   3 prepare_nsset        A copy of the caller's nsproxy to work on, so "
	 "that all is done or nothing. (since 5.8, create_new_namespaces before)\n"
	 "   4 validate_nsset       A pidfd's task must live, and the caller may "
	 "read it as a debugger does. (since 5.8; validate_ns without a pidfd)\n"
	 "   5 userns_install       Not its own, CAP_SYS_ADMIN in it, no other "
	 "threads, root and directory shared with nobody.\n"
	 "   6 netns_install        CAP_SYS_ADMIN in it and at home.\n"
	 "   7 commit_nsset         Nothing can fail any more: the caller has "
	 "moved. (since 5.8, switch_task_namespaces before)\n"
	 "   8 return               The caller gets 0.\n"
	 "     its flags came with  2.6.23, for all users 3.8 (NEWUSER), 2.6.24 "
	 "(NEWNET)\n"},
};

static void test_words(void)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		const struct explanation e = explained(&words[i].call, KERNEL_NOW);

		is_way(&e, words[i].way, words[i].name);
	}
}

/* ---- Evidence ---- */

static struct explanation seen(const struct ramet_call *call, int error)
{
	const struct line_call line = {
		.call = *call,
		.source = "strace",
		.given = LINE_FLAGS | LINE_EXIT_SIGNAL | LINE_ERROR,
		.error = error,
	};
	const struct ramet_caller nobody = {0};
	struct explanation e;

	explain_call(&line, &nobody, &e);
	return e;
}

static void has(const struct explanation *e, const char *want, bool there, const char *name)
{
	char *text = walk_text(e, false);

	ok(!!strstr(text, want) == there, "%s: %s'%s'", name, there ? "" : "no ", want);
	free(text);
}

static void test_evidence(void)
{
	const struct ramet_call fork = {.entry = RAMET_ENTRY_CLONE, .exit_signal = SIGCHLD};
	const struct ramet_call cgroup = {
		.entry = RAMET_ENTRY_CLONE3, .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD};
	const struct ramet_call mounts = {
		.entry = RAMET_ENTRY_CLONE3, .flags = CLONE_NEWNS, .exit_signal = SIGCHLD};
	const struct ramet_call signal = {.entry = RAMET_ENTRY_CLONE3, .exit_signal = 70};
	struct explanation e = seen(&fork, EAGAIN);

	has(&e, "EAGAIN, at one of these stops:", true, "one of several");
	has(&e, "6 copy_creds", true, "one of several: what came before the first");
	has(&e, "7 copy_process, limits", false, "one of several");
	has(&e, "process-limit. ", true, "one of several");
	has(&e, "deadline-without-reset. ", true, "one of several");

	e = seen(&cgroup, EACCES);
	has(&e, "EACCES, by one of these rules:", true, "several rules of one stop");
	has(&e, "cgroup_can_fork", true, "several rules of one stop");

	e = seen(&fork, EXDEV);
	has(&e, "EXDEV, and no rule", true, "no rule");
	has(&e, "sys_clone", false, "no rule");

	e = seen(&fork, 513);
	has(&e, "broken off here:", true, "restarted");
	has(&e, "4 recalc_sigpending", true, "restarted");
	has(&e, "dup_task_struct", false, "restarted");

	e = explained(&signal, KERNEL_NOW);
	has(&e, "     or at                      kernel_clone\n", true,
	    "a rule asked at two stops");
	e = explained(&mounts, KERNEL_NOW);
	e.verdict = EXPLAIN_UNFINISHED;
	has(&e, "If it succeeds: clone3(", true, "unfinished");
	has(&e, "return", true, "unfinished");
	e.line.given = 0;
	has(&e, "flags are not in the line", true, "without flags");
}

static void test_color(void)
{
	const struct ramet_call refused = {.entry = RAMET_ENTRY_CLONE, .flags = CLONE_SIGHAND};
	const struct ramet_call accepted = {.entry = RAMET_ENTRY_CLONE};
	struct explanation e = explained(&refused, KERNEL_NOW);
	char *text = walk_text(&e, true);

	ok(strstr(text, "\033[31m   refused here:"), "the refusal has a colour");
	free(text);
	e = explained(&accepted, KERNEL_NOW);
	text = walk_text(&e, true);
	ok(!strchr(text, '\033'), "and nothing else has");
	free(text);
}

/* ---- Every rule has its stop ---- */

static const char *last_part(const char *text)
{
	while (strchr(text, ' '))
		text = strchr(text, ' ') + 1;
	return text;
}

static void test_places(void)
{
	static const char *const names[] = {"clone", "clone3", "unshare", "setns"};

	for (size_t i = 0; i < rule_count; i++) {
		const struct ramet_rule *rule = ramet_rule_at(i);
		const unsigned entries = rule_asks[i].entry ? rule_asks[i].entry : ENTRY_MAKES;

		for (unsigned bit = 0; bit < 4; bit++) {
			const struct explanation e = {.line = {.call = {.entry = 1U << bit}}};

			if (entries & 1U << bit)
				ok(walk_place(rule, &e), "%s of %s has a stop (%s)", rule->id,
				   names[bit], last_part(rule->source));
		}
	}
}

/* The rules that give a verdict are asked in the order of their stops. */
static void test_order_of_rules(void)
{
	for (unsigned entry = RAMET_ENTRY_CLONE; entry <= RAMET_ENTRY_SETNS; entry <<= 1) {
		size_t last = 0, wrong = 0;

		for (size_t i = 0; i < rule_count; i++) {
			const unsigned entries = rule_asks[i].entry ? rule_asks[i].entry
								    : ENTRY_MAKES;
			const struct explanation e = {.line = {.call = {.entry = entry}}};
			const char *place, *stop;
			unsigned at_entries;
			size_t at = 0;

			if (!(entries & entry) || rule_asks[i].may)
				continue;
			place = walk_place(ramet_rule_at(i), &e);
			while (place && (stop = walk_stop(at, &at_entries)) &&
			       (stop != place || !(at_entries & entry)))
				at++;
			wrong += at < last;
			if (at < last)
				diag("%s is asked before its stop %s", ramet_rule_at(i)->id,
				     place ? place : "?");
			last = at;
		}
		is_int(wrong, 0, "rules of entry %u come in the order of their stops", entry);
	}
}

/* ---- Random words ---- */

static struct ramet_call random_call(void)
{
	struct ramet_call call = {.entry = 1U << tap_below(4)};

	/* Few flags or many: both have accepted words among them. */
	call.flags = tap_random() & tap_random() & 0x3ffffffff & ~CSIGNAL;
	if (tap_below(2))
		call.flags &= tap_random();
	if (call.entry & (RAMET_ENTRY_UNSHARE | RAMET_ENTRY_SETNS))
		call.flags &= CLONE_NEW_ANY | (tap_below(4) ? CLONE_FILES | CLONE_SYSVSEM : ~0ULL);
	else
		call.exit_signal = tap_below(3) ? SIGCHLD : tap_below(70);
	if (call.entry == RAMET_ENTRY_CLONE3) {
		call.pidfd = 0x1000;
		call.parent_tid = tap_below(4) ? 0x2000 : 0x1000;
		call.set_tid_size = tap_below(8) ? 0 : tap_below(40);
		call.set_tid = tap_below(2) ? 0x3000 : 0;
		if (!call.set_tid_size)
			call.set_tid = 0;
	}
	return call;
}

/* " 7 copy_mm  …": the label's name goes to `name`; false for a line that is no stop. */
static bool read_stop(const char *line, unsigned want, char name[64])
{
	char *end;
	unsigned long number = strtoul(line, &end, 10);
	const char *after;

	if (number != want || *end != ' ')
		return false;
	after = strstr(++end, "  ");
	if (!after || after - end >= 64)
		return false;
	snprintf(name, 64, "%.*s", (int)(after - end), end);
	return true;
}

/* The index of the stop so named, at or after `from`; sys_%c stands for any. SIZE_MAX: none. */
static size_t find_stop(const char *name, unsigned entry, size_t from)
{
	const char *stop;
	unsigned entries;

	for (size_t i = from; (stop = walk_stop(i, &entries)); i++)
		if (entries & entry &&
		    (!strcmp(stop, name) || (!strcmp(stop, "sys_%c") && !strncmp(name, "sys_", 4))))
			return i;
	return SIZE_MAX;
}

/* NULL, or what is wrong with the text. */
static const char *judge(const struct explanation *e, char *text)
{
	const char *place = e->reason_count ? walk_place(e->reasons[0], e) : NULL;
	char *line = strstr(text, "\n\n"), name[64] = "";
	bool refused = false;
	unsigned number = 0;
	size_t next = 0;

	for (char *rest = line ? line + 2 : text; (line = strsep(&rest, "\n"));) {
		if (refused && strtoul(line, NULL, 10))
			return "a stop after the end";
		if (!strncmp(line, "     refused here:", 18))
			refused = true;
		if (!strtoul(line, NULL, 10))
			continue;
		if (!read_stop(line, ++number, name))
			return "not numbered in order";
		next = find_stop(name, e->line.call.entry, next);
		if (next++ == SIZE_MAX)
			return "not in the kernel's order";
		if (strstr(line, "  ("))
			return "a stop with nothing to say";
	}
	if (refused != (e->verdict == EXPLAIN_REFUSED))
		return "verdict not shown";
	if (refused && (!place || (strcmp(place, name) != 0 && strcmp(place, "sys_%c") != 0)))
		return "ends at another stop than its rule's";
	if (!refused && strcmp(name, "return") != 0)
		return "does not return";
	return NULL;
}

static void test_random(void)
{
	size_t wrong = 0, refused = 0;

	for (int i = 0; i < WORDS; i++) {
		const struct ramet_call call = random_call();
		const struct explanation e = explained(&call, KERNEL_NOW);
		char *text = walk_text(&e, false), shown[1200];
		const char *what = judge(&e, text);

		refused += e.verdict == EXPLAIN_REFUSED;
		wrong += what != NULL;
		if (what && wrong < 4) {
			explain_call_text(&call, shown, sizeof(shown));
			diag("%s: %s (%s)", shown, what,
			     e.reason_count ? e.reasons[0]->id : "accepted");
		}
		free(text);
	}
	is_int(wrong, 0, "%d random words go through the stops in order", WORDS);
	ok(refused > WORDS / 10 && refused < WORDS * 9 / 10, "some refused, some not (%zu)",
	   refused);
}

int main(void)
{
	test_fork();
	test_words();
	test_evidence();
	test_color();
	test_places();
	test_order_of_rules();
	test_random();
	return tap_done();
}
