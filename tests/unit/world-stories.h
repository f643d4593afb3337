/* SPDX-License-Identifier: MIT */
/* What unit/world.c plays. */
#ifndef RAMET_TESTS_WORLD_STORIES_H
#define RAMET_TESTS_WORLD_STORIES_H

#include "model/rules.h"

/*
 * An event: KIND TID …; with an errno's name in front it is refused so. Then questions:
 *   same|differ|none|unknown A B RESOURCES
 *   > EFFECTS of the last event, in order; nothing for none
 *   is TID FIELD VALUE …
 */
struct story {
	const char *name;
	unsigned kernel;
	const char *lines[40];
};

/* clang-format off */
static const struct story stories[] = {
	{"fork, thread and vfork child", 0, {
		"add 1", "clone 1 2 SIGCHLD", ">",
		"differ 1 2 memory,files,fs,sighand,thread-group,tls",
		"same 1 2 mnt,pid,net,ipc,uts,user,cgroupns,time,cgroup", "none 1 2 sysvsem", "differ 1 2 parent",
		"is 2 tgid 2 parent 1 signal 17 threads 1 init -1",
		"clone 2 3 VM|FS|FILES|SIGHAND|THREAD|SYSVSEM|SETTLS", ">",
		"same 2 3 memory,files,fs,sighand,thread-group,sysvsem,parent,pid", "differ 2 3 tls",
		"is 3 tgid 2 parent 1 signal -1 threads 2",
		"clone 3 4 VM|VFORK|SIGCHLD", "> held 3 by 4",
		"same 3 4 memory,tls", "differ 3 4 files,fs,sighand", "none 3 4 sysvsem",
		"is 3 held_by 4", "is 4 parent 2 parent_tid 3 holds 3",
		"EBUSY clone 3 5 0", "EBUSY exec 3", "EBUSY unshare 3 FILES",
		"exec 4", "> released 3 by 4", "differ 3 4 memory,tls", "clone 3 5 0"}},
	{"what is not there", 0, {
		"ESRCH exec 1", "ESRCH exit 1", "add 1", "EEXIST add 1", "ESRCH add 2 9",
		"EINVAL add 0", "ESRCH clone 2 3 0", "EEXIST clone 1 1 0", "EINVAL clone 1 0 0",
		"EINVAL clone 1 2 THREAD", "EINVAL clone 1 2 THREAD|SIGHAND", "EINVAL clone 1 2 SIGHAND",
		"EINVAL clone 1 2 VM|SIGHAND|THREAD|NEWPID", "EINVAL clone 1 2 VM|SIGHAND|THREAD|NEWUSER",
		"ECHILD wait 1 2", "EINVAL setns 1 1 0", "EINVAL setns 1 1 VM", "ESRCH setns 1 2 NEWNET",
		"ESRCH setns 1 9 NEWNET", "EINVAL release 1", "ESRCH release 9", "EINVAL sigchld 1 3",
		"none 1 2 memory", "same 1 1 memory", "unknown 1 1 parent"}},
	{"exec parts memory, handlers and descriptors, not fs, undo list and io", 0, {
		"add 1", "ioprio 1 0", "clone 1 2 VM|FILES|FS|SIGHAND|SYSVSEM|IO|SIGUSR1",
		"same 1 2 memory,files,fs,sighand,sysvsem,io,tls", "is 2 signal 10",
		"exec 2", ">", "differ 1 2 memory,files,sighand,tls", "same 1 2 fs,sysvsem,io",
		"is 2 signal 17"}},
	{"exec of one who shares nothing keeps its tables", 0, {
		"add 1", "clone 1 2 0", "clone 2 3 FILES", "exit 3", "exec 2", "differ 1 2 files"}},
	{"exec by another thread than the first", 0, {
		"add 1", "clone 1 2 SIGUSR1", "clone 2 3 VM|SIGHAND|THREAD", "clone 2 4 VM|SIGHAND|THREAD",
		"clone 2 5 SIGCHLD", "clone 4 6 SIGCHLD", "clone 3 7 0", "exec 3",
		"> killed 2 by 3, killed 4 by 3, gone 4, renamed 2 was 3",
		"is 2 tgid 2 threads 1 signal 17 parent 1", "ESRCH exec 3", "is 5 parent 2 parent_tid 2",
		"is 6 parent 2 signal 17", "is 7 parent 2 signal 0", "none 2 3 memory",
		"exit 2", "> moved 7 to 0, moved 5 to 0, moved 6 to 0, waitable 2 by 17"}},
	{"exec by a thread whose first task has ended", 0, {
		"add 1", "clone 1 2 SIGCHLD", "clone 2 3 VM|SIGHAND|THREAD", "exit 2", ">",
		"is 2 state 3 waitable 0", "EAGAIN wait 1 2", "exec 3", "> renamed 2 was 3",
		"is 2 state 1 threads 1"}},
	{"the word of CLEARTID is cleared while somebody else has the memory", 0, {
		"add 1", "clone 1 2 VM|CHILD_CLEARTID", "is 2 word 4098", "exit 2",
		"> cleared 2 at 4098, waitable 2 by 0",
		"clone 1 3 CHILD_CLEARTID|SIGCHLD", "exit 3", "> not cleared 3 at 4099, waitable 3 by 17",
		"clone 1 4 VM|CHILD_CLEARTID", "exec 4", "> cleared 4 at 4100", "is 4 word 0",
		"clone 1 5 CHILD_CLEARTID", "clone 5 6 VM", "is 6 word 0", "exec 5", "> cleared 5 at 4101",
		"clone 1 7 CHILD_CLEARTID", "exec 7", "> not cleared 7 at 4103"}},
	{"vfork is over with the end of the child, or when it is seen to be", 0, {
		"add 1", "clone 1 2 VFORK|SIGCHLD", "> held 1 by 2", "exit 2",
		"> released 1 by 2, waitable 2 by 17", "wait 1 2", "> gone 2",
		"clone 1 3 VFORK|VM", "release 1", "> released 1 by 3", "is 3 holds 0", "exit 3", "> waitable 3 by 0",
		"clone 1 4 VFORK", "clone 4 5 VFORK|VM|SIGHAND|THREAD", "exit_group 4",
		"> released 1 by 4, killed 5 by 4, gone 5, waitable 4 by 0", "is 1 held_by 0"}},
	{"whoever is held may be killed", 0, {
		"add 1", "clone 1 2 SIGCHLD", "clone 2 3 VFORK|SIGCHLD", "exit_group 2",
		"> moved 3 to 0, waitable 2 by 17", "is 3 holds 0", "exit 3", "> waitable 3 by 17"}},
	{"the first task waits dead for its threads", 0, {
		"add 1", "clone 1 2 SIGCHLD", "clone 2 3 VM|SIGHAND|THREAD", "exit 2", ">",
		"is 2 state 3 waitable 0 threads 2", "is 3 threads 2 parent 1", "none 2 3 memory,mnt",
		"same 2 3 sighand,user,pid,thread-group,cgroup", "EAGAIN wait 1 2", "exit 3",
		"> gone 3, waitable 2 by 17", "is 2 waitable 1", "wait 1 2", "> gone 2", "ECHILD wait 1 2"}},
	{"who waits for whom", 0, {
		"add 1", "clone 1 2 SIGCHLD", "clone 1 3 SIGUSR1", "clone 1 4 VM|SIGHAND|THREAD",
		"EAGAIN wait 1 2", "ECHILD wait 1 3", "ECHILD wait 1 4", "exit 2", "exit 3",
		"ECHILD wait 1 2 clone", "ECHILD wait 4 2 nothread", "ESRCH wait 3 2", "ESRCH wait 9 2",
		"wait 4 2", "> gone 2", "wait 1 3 clone", "> gone 3",
		"clone 4 5 SIGUSR1", "exit 5", "wait 4 5 all,nothread", "clone 1 6 PARENT",
		"ECHILD wait 1 6 all", "is 6 parent 0 signal 0", "exit 6", "> waitable 6 by 0",
		"ECHILD wait 1 6 all", "wait 0 6", "> gone 6"}},
	{"PARENT takes parent and exit signal of the caller", 0, {
		"add 1", "clone 1 2 SIGUSR2", "clone 2 3 PARENT", "is 3 parent 1 signal 12",
		"clone 2 4 VM|SIGHAND|THREAD", "clone 4 5 PARENT", "is 5 parent 1 signal 12",
		"clone 4 6 SIGCHLD", "is 6 parent 2 parent_tid 4", "same 2 3 parent", "differ 2 6 parent"}},
	{"orphans of a thread stay in the process", 0, {
		"add 1", "clone 1 2 SIGCHLD", "clone 2 3 VM|SIGHAND|THREAD", "clone 3 4 SIGUSR1", "exit 3",
		"> gone 3", "is 4 parent 2 parent_tid 2 signal 10", "clone 2 5 VM|SIGHAND|THREAD",
		"exit 2", "is 4 parent 2 parent_tid 5 signal 10"}},
	{"orphans go to the subreaper above, never to one beside", 0, {
		"add 1", "subreaper 1 1", "clone 1 2 SIGCHLD", "clone 2 3 SIGCHLD", "clone 3 4 SIGUSR1",
		"clone 3 5 0", "exit 5", "exit_group 3", "> moved 4 to 1, moved 5 to 1, waitable 5 by 17, waitable 3 by 17",
		"is 4 signal 17 parent 1", "subreaper 1 0", "clone 4 6 0", "exit 4", "> moved 6 to 0, waitable 4 by 17"}},
	{"a subreaper later than its descendants", 0, {
		"add 1", "clone 1 2 0", "clone 2 3 0", "clone 3 4 0", "subreaper 1 1", "exit 3",
		"> moved 4 to 1, waitable 3 by 0", "subreaper 2 1", "exit 2",
		"> moved 3 to 1, waitable 3 by 17, waitable 2 by 0"}},
	{"a thread of the subreaper takes them", 0, {
		"add 1", "clone 1 2 VM|SIGHAND|THREAD", "subreaper 2 1", "clone 1 3 0", "clone 3 4 0",
		"clone 2 5 SIGCHLD", "exit 1", ">", "exit 3", "> moved 4 to 1, waitable 3 by 0",
		"is 4 parent 1 parent_tid 2"}},
	{"pid 1 takes the orphans of its namespace and ends with all in it", 0, {
		"add 1", "subreaper 1 1", "clone 1 2 NEWPID|SIGCHLD", "is 2 init 1", "differ 1 2 pid",
		"clone 2 3 SIGCHLD", "is 3 init 0", "clone 3 4 SIGUSR1", "exit 3",
		"> moved 4 to 2, waitable 3 by 17", "is 4 parent 2", "same 2 4 pid", "clone 4 5 NEWPID", "clone 5 6 0",
		"exit 2", "> killed 4 by 2, moved 5 to 2, gone 4, killed 5 by 2, killed 6 by 5, gone 6, "
		"gone 3, gone 5, waitable 2 by 17", "wait 1 2"}},
	{"pid 1 waits for what has a parent outside", 0, {
		"add 1", "unshare 1 NEWPID", "same 1 1 pid", "clone 1 2 SIGCHLD", "is 2 init 1",
		"ioprio 2 16388", "clone 1 3 IO", "exit 3", "wait 1 3 all",
		"clone 1 3 SIGCHLD", "same 2 3 pid", "differ 1 2 pid", "is 3 init 0", "exit 2", "> killed 3 by 2, waitable 3 by 17",
		"is 2 state 2", "same 2 2 io", "none 2 2 memory", "EAGAIN wait 1 2", "is 1 pids_dead 1", "EINVAL clone 1 4 0",
		"ESRCH exec 2", "wait 1 3", "> gone 3, waitable 2 by 17", "is 2 state 3", "none 2 2 io", "wait 1 2",
		"EINVAL clone 1 4 0"}},
	{"pid 1 with threads: the last one decides", 0, {
		"add 1", "clone 1 2 NEWPID|SIGCHLD", "clone 2 3 VM|SIGHAND|THREAD", "clone 3 4 0",
		"exit 2", ">", "is 2 state 3", "clone 4 5 0", "exit 4", "> moved 5 to 2, waitable 4 by 0",
		"is 5 parent_tid 3", "exit 3", "> killed 5 by 3, gone 5, gone 4, gone 3, waitable 2 by 17"}},
	{"pid 1 at its end ignores SIGCHLD, and so do all who share its handlers", 0, {
		"add 1", "clone 1 2 VM|SIGHAND|NEWPID", "clone 1 3 SIGCHLD", "exit 2", "> waitable 2 by 0",
		"exit 3", "> gone 3"}},
	{"a namespace below takes part in the end, one above does not", 0, {
		"add 1", "clone 1 2 NEWPID", "clone 2 3 NEWPID", "setns 2 3 NEWPID", "clone 2 4 SIGCHLD",
		"same 3 4 pid", "is 4 parent 2", "exit 3", "> killed 4 by 3, waitable 4 by 17", "is 3 state 2",
		"exit 2", "> gone 4, gone 3, waitable 2 by 0"}},
	{"SIGCHLD ignored or without zombies", 0, {
		"add 1", "sigchld 1 1", "clone 1 2 SIGCHLD", "clone 1 3 SIGUSR1", "exit 2", "> gone 2",
		"exit 3", "> waitable 3 by 10", "clone 1 4 SIGCHLD", "exec 4", "clone 4 5 SIGCHLD", "exit 5", "> gone 5",
		"sigchld 4 2", "clone 4 6 SIGCHLD", "exec 4", "exit 6", "> waitable 6 by 17",
		"clone3 1 7 CLEAR_SIGHAND", "clone 7 8 SIGCHLD", "exit 8", "> gone 8", "sigchld 7 2",
		"clone3 7 9 CLEAR_SIGHAND", "clone 9 10 SIGCHLD", "exit 10", "> waitable 10 by 17"}},
	{"an exit signal does not outlive the parent's exec", 0, {
		"add 1", "sigchld 1 1", "clone 1 2 SIGUSR1", "clone 1 3 SIGUSR1", "exit 2", "> waitable 2 by 10",
		"exec 1", "exit 3", "> gone 3", "clone 1 4 SIGUSR1", "exit 4", "> waitable 4 by 10",
		"ECHILD wait 1 4"}},
	{"AUTOREAP leaves no zombie", 0, {
		"add 1", "clone3 1 2 AUTOREAP", "exit 2", "> gone 2", "clone3 1 3 AUTOREAP",
		"clone 3 4 VM|SIGHAND|THREAD", "exit 3", ">", "exit 4", "> gone 4, gone 3"}},
	{"unshare parts what is shared, for the one thread alone", 0, {
		"add 1", "clone 1 2 VM|FILES|FS|SIGHAND|THREAD|SYSVSEM", "unshare 2 FILES",
		"differ 1 2 files", "same 1 2 fs,sysvsem", "unshare 1 SYSVSEM", "none 1 2 sysvsem",
		"unshare 1 NEWNS", "differ 1 2 fs,mnt", "same 1 2 memory,sighand",
		"unshare 1 NEWUTS|NEWNET", "differ 1 2 uts,net", "same 1 2 ipc", "undo 1",
		"unshare 1 NEWIPC", "none 1 1 sysvsem", "differ 1 2 ipc"}},
	{"unshare of what nobody shares keeps it", 0, {
		"add 1", "clone 1 2 0", "clone 2 3 FILES", "unshare 3 FILES", "clone 2 4 FILES|FS", "exit 4",
		"unshare 2 FILES|FS", "unshare 2 NEWUSER", "differ 1 2 user", "differ 2 3 user,files"}},
	{"children get pid and time namespaces that the caller does not enter", 0, {
		"add 1", "unshare 1 NEWPID|NEWTIME", "clone 1 2 0", "differ 1 2 pid,time",
		"same 1 2 pid-for-children,time-for-children", "clone 1 3 VM", "same 1 3 time,time-for-children",
		"same 2 3 pid", "exec 3", "same 2 3 time", "differ 1 3 time", "exec 1", "same 1 2 time",
		"differ 1 2 pid", "EINVAL clone 1 4 VM|SIGHAND|THREAD"}},
	{"before 6.2 exec enters no time namespace", KERNEL(6, 1), {
		"add 1", "unshare 1 NEWTIME", "clone 1 2 0", "exec 1", "differ 1 2 time",
		"clone3 2 3 VM|NEWTIME", "differ 2 3 time", "same 3 3 time", "clone 3 4 VM", "same 3 4 time"}},
	{"NEWTIME with shared memory waits for exec", 0, {
		"add 1", "clone3 1 2 VM|NEWTIME", "same 1 2 time", "differ 1 2 time-for-children", "exec 2",
		"differ 1 2 time", "clone3 1 3 NEWTIME", "differ 1 3 time"}},
	{"setns", 0, {
		"add 1", "clone 1 2 NEWNET|NEWUTS|NEWIPC|NEWNS|NEWCGROUP|NEWUSER", "clone 1 3 0",
		"undo 3", "setns 3 2 NEWNET|NEWUTS", "same 2 3 net,uts", "differ 2 3 ipc,user", "same 3 3 sysvsem",
		"setns 3 2 NEWIPC|NEWNS|NEWUSER|NEWCGROUP", "same 2 3 ipc,mnt,user,cgroupns", "none 3 3 sysvsem",
		"unshare 2 NEWTIME", "clone 1 4 0", "setns 4 2 NEWTIME children", "same 2 4 time-for-children",
		"differ 2 4 time", "clone 4 5 0", "same 4 5 time", "setns 1 5 NEWTIME", "same 1 5 time,time-for-children"}},
	{"setns to a namespace of nobody here", 0, {
		"add 1", "clone 1 2 NEWNET", "setns 1 0 NEWNET", "unknown 1 2 net", "clone 1 3 0", "same 1 3 net",
		"assume 1 2 net", "same 3 2 net"}},
	{"setns of a dead task's user namespace", 0, {
		"add 1", "clone 1 2 NEWUSER|SIGCHLD", "clone 1 3 0", "exit 2", "ESRCH setns 3 2 NEWNET",
		"setns 3 2 NEWUSER", "same 2 3 user"}},
	{"undo lists and I/O contexts", 0, {
		"add 1 0 sysvsem,io", "none 1 1 sysvsem,io", "clone 1 2 IO", "none 1 2 io", "clone 1 3 SYSVSEM",
		"same 1 3 sysvsem", "clone 1 4 0", "none 1 4 sysvsem", "undo 4", "differ 1 4 sysvsem",
		"ioprio 1 0", "clone 1 5 0", "none 1 5 io", "clone 1 6 IO", "same 1 6 io", "ioprio 1 16388",
		"clone 6 7 0", "differ 6 7 io", "clone 7 8 IO", "same 7 8 io", "unshare 3 SYSVSEM", "none 1 3 sysvsem"}},
	{"a zombie has nothing but handlers, user and pid namespace and cgroup", 0, {
		"add 1", "clone 1 2 SIGCHLD", "clone 1 3 SIGCHLD", "exit 2", "exit 3",
		"none 2 3 memory,files,fs,mnt,net,time", "differ 2 3 sighand", "same 2 3 user,pid,cgroup"}},
	{"handlers that a zombie keeps are shared for exec", 0, {
		"add 1", "clone 1 2 VM|SIGHAND|SIGCHLD", "clone 1 3 SIGCHLD", "exit 2", "same 1 2 sighand", "exec 1",
		"differ 1 2 sighand"}},
	{"given tasks are unknown until they were seen", 0, {
		"add 1", "add 2", "unknown 1 2 files,mnt,memory,parent", "differ 1 2 thread-group",
		"assume 1 2 mnt,net", "same 1 2 mnt,net", "EINVAL assume 1 2 parent", "ESRCH assume 1 3 mnt",
		"clone 1 3 0", "differ 2 3 files,memory", "same 2 3 mnt", "unknown 2 3 uts",
		"EINVAL assume 2 3 files", "distinct files,memory", "differ 1 2 files,memory", "unknown 1 2 fs",
		"EINVAL distinct thread-group", "add 4 2", "is 4 tgid 2 threads 2", "same 2 4 memory,sighand,user,pid",
		"unknown 2 4 fs", "is 4 signal -1", "add 5 0 none 2", "is 5 parent 2", "exit_group 2",
		"> killed 4 by 2, moved 5 to 0, gone 4, waitable 2 by 0"}},
	{"one assumption draws others along", 0, {
		"add 1", "add 2", "add 3", "add 4", "assume 1 2 fs", "assume 3 4 fs", "assume 2 3 fs", "same 1 4 fs",
		"clone 4 5 FS", "same 1 5 fs"}},
	{"INTO_CGROUP may be any cgroup", 0, {
		"add 1", "clone3 1 2 INTO_CGROUP", "unknown 1 2 cgroup", "clone3 1 3 INTO_CGROUP", "unknown 2 3 cgroup",
		"assume 2 3 cgroup", "same 2 3 cgroup", "clone 2 4 0", "same 3 4 cgroup"}},
};
/* clang-format on */

#endif
