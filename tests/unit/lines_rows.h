/* SPDX-License-Identifier: MIT */
/* What tools print, and what lines.c is to read in it; struct row is the test's. */
#ifndef RAMET_TESTS_UNIT_LINES_ROWS_H
#define RAMET_TESTS_UNIT_LINES_ROWS_H

/* Strace, plain and with its options. */
static const struct row strace_rows[] = {
	{"clone(child_stack=0, flags=CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x2b4ee9213770) = 20098",
	 "C", "clone 0x1200000 17 20098 - stack=0 child_tid=0x2b4ee9213770 strace 1-1"},
	{"clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x7f206eaf8a10) = 29718",
	 "C", "clone 0x1200000 17 29718 - stack=0 child_tid=0x7f206eaf8a10 strace 1-1"},
	{"clone(child_stack=NULL, flags=0x1200000|17, child_tidptr=0x7fe3cf8339d0) = 5967", "C",
	 "clone 0x1200000 17 5967 - stack=0 child_tid=0x7fe3cf8339d0 strace 1-1"},
	{"unshare(CLONE_NEWNS|CLONE_FS)     = -1 EINVAL (Invalid argument)", "C",
	 "unshare 0x20200 - - 22 strace 1-1"},
	{"vfork()                                 = 22285", "C",
	 "vfork 0x4100 17 22285 - strace 1-1"},
	{"fork()                                  = 22287", "C", "fork 0 17 22287 - strace 1-1"},
	{"22638 clone(child_stack=NULL, flags=CLONE_PTRACE|CLONE_PARENT_SETTID|CLONE_CHILD_SETTID|SIGUSR1, parent_tid=[22643], child_tidptr=0x7ffd44c7fffc) = 22643",
	 "C",
	 "clone 0x1102000 10 22643 - stack=0 parent_tid=0x1 child_tid=0x7ffd44c7fffc task=22638 strace 1-1"},
	{"22638 clone(child_stack=NULL, flags=CLONE_PIDFD|140, parent_tid=[3]) = 22644", "C",
	 "clone 0x1000 140 22644 - stack=0 parent_tid=0x1 pidfd=0x1 task=22638 strace 1-1"},
	{"22638 clone(child_stack=NULL, flags=CLONE_PIDFD|SIGRT_3, parent_tid=[4]) = 22645", "C",
	 "clone 0x1000 35 22645 - stack=0 parent_tid=0x1 pidfd=0x1 task=22638 strace 1-1"},
	{"22638 clone(child_stack=NULL, flags=255) = 22646", "C",
	 "clone 0 255 22646 - stack=0 task=22638 strace 1-1"},
	{"22638 clone(child_stack=0x7000000, flags=CLONE_VM|CLONE_SIGHAND|CLONE_THREAD|CLONE_SETTLS|SIGCHLD, tls=0xffffffffffffffff) = -1 EPERM (Operation not permitted)",
	 "C", "clone 0x90900 17 - 1 stack=0x7000000 tls=0xffffffffffffffff task=22638 strace 1-1"},
	{"22638 clone(child_stack=NULL, flags=CLONE_THREAD|0xfffffff00000000|SIGCHLD) = -1 EINVAL (Invalid argument)",
	 "C", "clone 0xfffffff00010000 17 - 22 stack=0 task=22638 strace 1-1"},
	{"22638 clone3({flags=CLONE_CHILD_CLEARTID, child_tid=0x7ffd44c7fffc, exit_signal=SIGCHLD, stack=NULL, stack_size=0}, 64) = 22647",
	 "C",
	 "clone3 0x200000 17 22647 - stack=0 stack_size=0 child_tid=0x7ffd44c7fffc size=64 task=22638 strace 1-1"},
	{"22638 clone3({flags=CLONE_NEWTIME|CLONE_INTO_CGROUP|0x8400000000, exit_signal=SIGRT_32, stack=0x1000, stack_size=0x9000, set_tid=[31000, 31001], set_tid_size=2, cgroup=4}, 88) = -1 EINVAL (Invalid argument)",
	 "C",
	 "clone3 0x8600000080 64 - 22 stack=0x1000 stack_size=0x9000 set_tid=0x1*2 cgroup=4 size=88 task=22638 strace 1-1"},
	{"22638 clone3({flags=0, exit_signal=1000, stack=NULL, stack_size=0, /* bytes 88..95 */ \"\\x05\\x00\\x00\\x00\\x00\\x00\\x00\\x00\"}, 96) = -1 E2BIG (Argument list too long)",
	 "C", "clone3 0 1000 - 7 stack=0 stack_size=0 size=96 task=22638 trailing strace 1-1"},
	{"clone3({flags=0, exit_signal=SIGCHLD, stack=NULL, stack_size=0, ?\?\?}, 8192) = -1 E2BIG (Argument list too long)",
	 "C", "clone3 0 17 - 7 stack=0 stack_size=0 size=8192 strace 1-1"},
	{"clone3({flags=CLONE_VM, exit_signal=0, stack=NULL, stack_size=0, /* bytes 64..79 */ \"\\x05\\x00\"}, 80) = 7",
	 "C", "clone3 0x100 0 7 - stack=0 stack_size=0 size=80 strace 1-1"},
	{"22638 clone3(0x7ffd44c7ff90, 40)        = -1 EINVAL (Invalid argument)", "C",
	 "clone3 - - - 22 size=40 task=22638 strace 1-1"},
	{"22638 clone3(0x8, 88)                   = -1 EFAULT (Bad address)", "C",
	 "clone3 - - - 14 size=88 task=22638 strace 1-1"},
	{"22638 clone3(NULL, 88)                  = -1 EFAULT (Bad address)", "C",
	 "clone3 - - - 14 size=88 task=22638 strace 1-1"},
	{"22638 unshare(0)                        = 0", "C",
	 "unshare 0 - 0 - task=22638 strace 1-1"},
	{"22638 unshare(CLONE_NEWTIME)            = 0", "C",
	 "unshare 0x80 - 0 - task=22638 strace 1-1"},
	{"22638 unshare(0x11 /* CLONE_?\?\? */)     = -1 EINVAL (Invalid argument)", "C",
	 "unshare 0x11 - - 22 task=22638 strace 1-1"},
	{"22638 unshare(CLONE_VM|0x1000)          = -1 EINVAL (Invalid argument)", "C",
	 "unshare 0x1100 - - 22 task=22638 strace 1-1"},
	{"unshare(0x80)", "C", "unshare 0x80 - - - strace 1-1"},
	{"22638 setns(6, 0)                       = 0", "C",
	 "setns 0 - 0 - fd=6 task=22638 strace 1-1"},
	{"22638 setns(6, CLONE_NEWUTS|CLONE_NEWPID) = -1 EINVAL (Invalid argument)", "C",
	 "setns 0x24000000 - - 22 fd=6 task=22638 strace 1-1"},
	{"22638 setns(6, 0x1 /* CLONE_NEW?\?\? */)  = -1 EINVAL (Invalid argument)", "C",
	 "setns 0x1 - - 22 fd=6 task=22638 strace 1-1"},
	{"22638 setns(-1, 0)                      = -1 EBADF (Bad file descriptor)", "C",
	 "setns 0 - - 9 fd=-1 task=22638 strace 1-1"},
	{"setns(0xffffffff, 0)                    = -1 EBADF (Bad file descriptor)", "C",
	 "setns 0 - - 9 fd=-1 strace 1-1"},
	{"setns(4, 0x2000000 /* CLONE_NEWCGROUP */) = 0", "C",
	 "setns 0x2000000 - 0 - fd=4 strace 1-1"},
	{"setns(3</proc/1/ns/net>, CLONE_NEWNET) = 0", "C",
	 "setns 0x40000000 - 0 - fd=3 strace 1-1"},
	{"22722<small> setns(6<net:[4026531833]>, 0) = 0", "C",
	 "setns 0 - 0 - fd=6 task=22722 by small strace 1-1"},
	{"22722<small> setns(7<pid:22722<small>>, CLONE_NEWUTS) = 0", "C",
	 "setns 0x4000000 - 0 - fd=7 task=22722 pidfd by small strace 1-1"},
	{"setns(7<anon_inode:[pidfd]>, CLONE_NEWUTS) = 0", "C",
	 "setns 0x4000000 - 0 - fd=7 pidfd strace 1-1"},
	{"22722<a=> setns(7<pid:22722<a=>>, CLONE_NEWUTS) = 0", "C",
	 "setns 0x4000000 - 0 - fd=7 task=22722 pidfd by a= strace 1-1"},
	{"setns(3<pidfd:[1234]>, CLONE_NEWUTS) = 0", "C",
	 "setns 0x4000000 - 0 - fd=3 pidfd strace 1-1"},
	{"setns(3</home/a), b=(c, \"d/pid:1>, CLONE_NEWUTS) = 0", "C",
	 "setns 0x4000000 - 0 - fd=3 strace 1-1"},
	{"22722<small> clone(child_stack=NULL, flags=CLONE_PIDFD|140, parent_tid=[3<pid:22728<small>>]) = 22728<small>",
	 "C",
	 "clone 0x1000 140 22728 - stack=0 parent_tid=0x1 pidfd=0x1 task=22722 by small strace 1-1"},
	{"[pid 23009<small>] clone3({flags=CLONE_PIDFD|CLONE_PARENT_SETTID|CLONE_CLEAR_SIGHAND, pidfd=0x7ffe2d8bd690, parent_tid=0x7ffe2d8bd68c, exit_signal=0, stack=NULL, stack_size=0} => {pidfd=[5<pid:22732<small>>], parent_tid=[22732<small>]}, 88) = 22732<small>",
	 "C",
	 "clone3 0x100101000 0 22732 - stack=0 stack_size=0 parent_tid=0x7ffe2d8bd68c pidfd=0x7ffe2d8bd690 size=88 task=23009 by small strace 1-1"},
	{"22680 clone(child_stack=NULL, flags=0x1200000 /* CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID */|17 /* SIGCHLD */, child_tidptr=0x7f439a6e3a10) = 22681",
	 "C", "clone 0x1200000 17 22681 - stack=0 child_tid=0x7f439a6e3a10 task=22680 strace 1-1"},
	{"22680 clone(child_stack=NULL, flags=0x1000 /* CLONE_PIDFD */|140, parent_tid=[3]) = 22686",
	 "C", "clone 0x1000 140 22686 - stack=0 parent_tid=0x1 pidfd=0x1 task=22680 strace 1-1"},
	{"22680 clone3({flags=0x8600000080 /* CLONE_NEWTIME|CLONE_INTO_CGROUP|0x8400000000 */, exit_signal=64 /* SIGRT_32 */, stack=0x1000, stack_size=0x9000, set_tid=[31000, 31001], set_tid_size=2, cgroup=4}, 88) = -1 EINVAL (Invalid argument)",
	 "C",
	 "clone3 0x8600000080 64 - 22 stack=0x1000 stack_size=0x9000 set_tid=0x1*2 cgroup=4 size=88 task=22680 strace 1-1"},
	{"22680 setns(6, 0x24000000 /* CLONE_NEWUTS|CLONE_NEWPID */) = -1 EINVAL (Invalid argument)",
	 "C", "setns 0x24000000 - - 22 fd=6 task=22680 strace 1-1"},
	{"[  56] clone(child_stack=NULL, flags=255) = 22772", "C",
	 "clone 0 255 22772 - stack=0 strace 1-1"},
	{"22785 [00007f2bae95d353] clone(child_stack=NULL, flags=255) = 22786", "C",
	 "clone 0 255 22786 - stack=0 task=22785 strace 1-1"},
	{"22869      0.000050 [  57] [00007f96c4f5e829] fork() = 22873 <0.000237>", "C",
	 "fork 0 17 22873 - task=22869 strace 1-1"},
	{"22869      0.000050 [  57] [?\?\??\?\??\?\??\?\??\?\??] fork() = 22873 <0.000237>", "C",
	 "fork 0 17 22873 - task=22869 strace 1-1"},
	{"22806 15:05:09 vfork()                  = 22808", "C",
	 "vfork 0x4100 17 22808 - task=22806 strace 1-1"},
	{"15:05:09.432590 vfork()                  = 22808", "C",
	 "vfork 0x4100 17 22808 - strace 1-1"},
	{"     0.000123 vfork()                  = 22808", "C",
	 "vfork 0x4100 17 22808 - strace 1-1"},
	{"1795359909.264403 vfork()         = 22830 <0.000029>", "C",
	 "vfork 0x4100 17 22830 - strace 1-1"},
	{"22827 1795359909.264403 vfork()         = 22830 <0.000029>", "C",
	 "vfork 0x4100 17 22830 - task=22827 strace 1-1"},
	{"[pid  9180] 15:05:09 (+     0.000012) vfork() = 22830", "C",
	 "vfork 0x4100 17 22830 - task=9180 strace 1-1"},
	{"clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x7f05) = 23 /* 2 in strace's PID NS */",
	 "C", "clone 0x1200000 17 23 - stack=0 child_tid=0x7f05 strace 1-1"},
	{"clone3({flags=CLONE_CHILD_CLEARTID, child_tid=0x7ffc4e52b11c, exit_signal=SIGCHLD, stack=NULL, stack_size=0}, 64) = -1 EPERM (Operation not permitted) (INJECTED)",
	 "C",
	 "clone3 0x200000 17 - 1 stack=0 stack_size=0 child_tid=0x7ffc4e52b11c size=64 strace 1-1"},
	{"clone(0x110200a, 0, 0x7fff356dd520, 0x7fff356dd51c, 0x1234) = 0x59af", "C",
	 "clone 0x1102000 10 22959 - stack=0 parent_tid=0x7fff356dd520 child_tid=0x7fff356dd51c tls=0x1234 strace 1-1"},
	{"clone3(0x7fff356dd4b0, 0x60)            = -1 E2BIG (Argument list too long)", "C",
	 "clone3 - - - 7 size=96 strace 1-1"},
	{"clone(child_stack=NULL, flags=SIGCHLD, new_argument={a=[1, 2]}) = 5 <0.1> something new",
	 "C", "clone 0 17 5 - stack=0 strace 1-1"},
	{"clone(child_stack=0, ?\?\?, flags=SIGCHLD, tls=0x5) = 5", "C",
	 "clone 0 17 5 - stack=0 tls=0x5 strace 1-1"},
	{"clone() = 5", "C", "clone - - 5 - strace 1-1"},
	{"clone(child_stack=NULL, flags=SIGIOT|CLONE_VM) = 5", "C",
	 "clone 0x100 6 5 - stack=0 strace 1-1"},
	{"setns(7<pid:5>, parent_tid=0x10, flags=CLONE_NEWUTS) = 0", "C",
	 "setns 0x4000000 - 0 - fd=7 pidfd strace 1-1"},
	{"SYS_clone(0x11) = 5", "C", "clone 0 17 5 - ltrace 1-1"},
};

/* What strace prints of a call that does not return. */
static const struct row endless_rows[] = {
	{"22638 clone(child_stack=0, flags=SIGCHLD) = ? ERESTARTNOINTR (To be restarted)", "C",
	 "clone 0 17 - 513 stack=0 task=22638 strace 1-1"},
	{"22638 clone(child_stack=0, flags=SIGCHLD) = ? <unavailable>", "C",
	 "clone 0 17 - - stack=0 task=22638 strace 1-1"},
	{"22638 clone(child_stack=0, flags=SIGCHLD) = ?", "C",
	 "clone 0 17 - - stack=0 task=22638 strace 1-1"},
	{"22638 clone(child_stack=0, flags=SIGCHLD <unfinished ...>) = ?", "C",
	 "clone 0 17 - - stack=0 task=22638 strace 1-1"},
	{"22638 vfork( <detached ...>", "C", "vfork 0x4100 17 - - task=22638 strace 1-1"},
	{"22638 clone(child_stack=0, flags=SIGCHLD <ptrace(SYSCALL):No such process>", "C",
	 "clone 0 17 - - stack=0 task=22638 strace 1-1"},
	{"22638 fork() = -1 (errno 38)", "C", "fork 0 17 - 38 task=22638 strace 1-1"},
	{"22638 fork() = -1 ENOTINTHETABLE (What)", "C", "fork 0 17 - 0 task=22638 strace 1-1"},
	{"22638 fork() = -1", "C", "fork 0 17 - 0 task=22638 strace 1-1"},
	{"22638 fork() = -1 (errno 5000)", "C", "fork 0 17 - 0 task=22638 strace 1-1"},
	{"22638 fork() = ", "C", "fork 0 17 - - task=22638 strace 1-1"},
};

/* Parts by tid. */
static const struct row parts_rows[] = {
	{"clone3({flags=CLONE_VM|CLONE_VFORK, exit_signal=SIGCHLD, stack=0x7f206ecdf000, stack_size=0x9000}, 88 <unfinished ...>\n"
	 "<... clone3 resumed>)             = 29720",
	 "PC",
	 "clone3 0x4100 17 29720 - stack=0x7f206ecdf000 stack_size=0x9000 size=88 strace 1-2"},
	{"22638 clone3({flags=CLONE_PIDFD|CLONE_PARENT_SETTID|CLONE_CLEAR_SIGHAND, pidfd=0x7ffd44c80000, parent_tid=0x7ffd44c7fffc, exit_signal=0, stack=NULL, stack_size=0} <unfinished ...>\n"
	 "22648 +++ exited with 0 +++\n"
	 "22638 <... clone3 resumed> => {pidfd=[5], parent_tid=[22648]}, 88) = 22648",
	 "POC",
	 "clone3 0x100101000 0 22648 - stack=0 stack_size=0 parent_tid=0x7ffd44c7fffc pidfd=0x7ffd44c80000 size=88 task=22638 strace 1-3"},
	{"22785 [00007f2bae95d3b8] vfork( <unfinished ...>\n"
	 "22785 [00007f2bae95d3b8] <... vfork resumed>) = 22787",
	 "PC", "vfork 0x4100 17 22787 - task=22785 strace 1-2"},
	{"10498 clone( <unfinished ...>\n"
	 "10499 <... access resumed> )            = -1 ENOENT (No such file or directory)\n"
	 "10498 <... clone resumed> child_stack=NULL, flags=CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x7f27de8b8810) = 10500",
	 "POC",
	 "clone 0x1200000 17 10500 - stack=0 child_tid=0x7f27de8b8810 task=10498 strace 1-3"},
	{"[pid  4233] 19:58:40.705564 <... clone resumed> child_stack=0, flags=CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x7f3b1ca779d0) = 5562 <0.000564>",
	 "C", "clone 0x1200000 17 5562 - stack=0 child_tid=0x7f3b1ca779d0 task=4233 strace 1-1"},
	{"[pid  9180] <... clone3 resumed> => {parent_tid=[29723]}, 88) = 29723", "C",
	 "clone3 - - 29723 - task=9180 strace 1-1"},
	{"[pid  9180] <... vfork resumed>) = 29723", "C",
	 "vfork 0x4100 17 29723 - task=9180 strace 1-1"},
	{"[pid  9180] <... fork resumed> ) = 0", "O", ""},
	{"[pid 20016] clone( <unfinished ...>\n"
	 "[pid 20017] select(0, NULL, NULL, NULL, {0, 20}Process 20018 resumed (parent 20016 ready)\n"
	 " <unfinished ...>\n"
	 "[pid 20016] <... clone resumed> child_stack=0, flags=|SIGCHLD) = 20018",
	 "POOC", "clone 0 17 20018 - stack=0 task=20016 strace 1-4"},
	{"100 vfork( <unfinished ...>\n"
	 "200 vfork( <unfinished ...>\n"
	 "200 <... vfork resumed>) = 201\n"
	 "100 <... vfork resumed>) = 101",
	 "PPCC",
	 "vfork 0x4100 17 201 - task=200 strace 2-3\n"
	 "vfork 0x4100 17 101 - task=100 strace 1-4"},
	{"100 vfork( <unfinished ...>\n"
	 "100 fork() = 5",
	 "PC",
	 "fork 0 17 5 - task=100 strace 2-2\n"
	 "vfork 0x4100 17 - - task=100 strace 1-1"},
	{"100 vfork( <unfinished ...>\n"
	 "100 +++ killed by SIGKILL +++",
	 "PO", "vfork 0x4100 17 - - task=100 strace 1-1"},
	{"100 vfork( <unfinished ...>\n"
	 "100 +++ exited with 0 +++\n"
	 "100 <... vfork resumed>) = 7",
	 "POC",
	 "vfork 0x4100 17 7 - task=100 strace 3-3\n"
	 "vfork 0x4100 17 - - task=100 strace 1-1"},
	{"[pid 100] vfork( <unfinished ...>\n"
	 "[pid 101] +++ exited with 0 +++\n"
	 "<... vfork resumed>)              = 101",
	 "POC", "vfork 0x4100 17 101 - task=100 strace 1-3"},
	{"[pid 100] vfork( <unfinished ...>\n"
	 "[pid 200] vfork( <unfinished ...>\n"
	 "<... clone resumed>) = 101",
	 "PPC",
	 "clone - - 101 - strace 3-3\n"
	 "vfork 0x4100 17 - - task=100 strace 1-1\n"
	 "vfork 0x4100 17 - - task=200 strace 2-2"},
	{"[pid 100] clone( <unfinished ...>\n"
	 "[pid 200] clone( <unfinished ...>\n"
	 "<... clone resumed>) = 101",
	 "PPC",
	 "clone - - 101 - strace 3-3\n"
	 "clone - - - - task=100 strace 1-1\n"
	 "clone - - - - task=200 strace 2-2"},
	{"vfork( <unfinished ...>", "P", "vfork 0x4100 17 - - strace 1-1"},
	{"[pid 100] vfork( <unfinished ...>\n"
	 "[pid 200] vfork( <unfinished ...>\n"
	 "<... vfork resumed>) = 101",
	 "PPC",
	 "vfork 0x4100 17 101 - strace 3-3\n"
	 "vfork 0x4100 17 - - task=100 strace 1-1\n"
	 "vfork 0x4100 17 - - task=200 strace 2-2"},
	{"100 clone(child_stack=NULL, flags=CLONE_VM <unfinished ...>\n"
	 "100 +++ superseded by execve in pid 101 +++\n"
	 "101 <... clone resumed>) = 5",
	 "POC",
	 "clone - - 5 - task=101 strace 3-3\n"
	 "clone 0x100 0 - - stack=0 task=100 strace 1-1"},
};

/* Lines cut in two. */
static const struct row cut_rows[] = {
	{"clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLDstrace: Process 22891 attached\n"
	 ", child_tidptr=0x7f6da1412a10) = 22891",
	 "PC", "clone 0x1200000 17 22891 - stack=0 child_tid=0x7f6da1412a10 strace 1-2"},
	{"clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD./strace: Process 5 attached\n"
	 ", child_tidptr=0x7fffff7f70f0) = 5",
	 "PC", "clone 0x1200000 17 5 - stack=0 child_tid=0x7fffff7f70f0 strace 1-2"},
	{"clone(child_stack=NULL, flags=255/usr/bin/strace: Process 5 attached\n"
	 ") = 5",
	 "PC", "clone 0 255 5 - stack=0 strace 1-2"},
	{"[pid 22890] clone3({flags=CLONE_VM|CLONE_PARENT_SETTID, parent_tid=0x7f6da0c10990, exit_signal=0, stack=0x7f6da0410000, stack_size=0x7fff80}strace: Process 22903 attached\n"
	 " => {parent_tid=[22903]}, 88) = 22903",
	 "PC",
	 "clone3 0x100100 0 22903 - stack=0x7f6da0410000 stack_size=0x7fff80 parent_tid=0x7f6da0c10990 size=88 task=22890 strace 1-2"},
	{"vfork(strace: Process 22892 attached\n"
	 ")                                 = 22892",
	 "PC", "vfork 0x4100 17 22892 - strace 1-2"},
	{"vfork(strace: Process 25903 attached\n"
	 " <unfinished ...>\n"
	 "[pid 25903] close(3)                    = 0\n"
	 "[pid 25902] <... vfork resumed>)        = 25903",
	 "PPOC", "vfork 0x4100 17 25903 - task=25902 strace 1-4"},
	{"15:05:09.432590 vfork(strace: Process 22914 attached\n"
	 ")                 = 22914<small>",
	 "PC", "vfork 0x4100 17 22914 - strace 1-2"},
	{"clone(0x108c, 0, 0x7fff356dd520, 0x7fff356dd51c, 0strace: Process 22960 attached\n"
	 ") = 0x59b0",
	 "PC",
	 "clone 0x1000 140 22960 - stack=0 parent_tid=0x7fff356dd520 child_tid=0x7fff356dd51c tls=0 pidfd=0x7fff356dd520 strace 1-2"},
	{"clone3(0x7fff356dd4b0, 0x40strace: Process 22963 attached\n"
	 ")            = 0x59b3",
	 "PC", "clone3 - - 22963 - size=64 strace 1-2"},
	{"clone3({flags=0, exit_signal=SIGCHLD, stack=NULL, stack_size=0strace: umoven: short read (3832 < 4008) @0x7ffc4e52b108\n"
	 ", ?\?\?}, 8192)     = -1 EPERM (Operation not permitted) (INJECTED)",
	 "PC", "clone3 0 17 - 1 stack=0 stack_size=0 size=8192 strace 1-2"},
	{"clone(child_stack=NULL, flags=CLONE_PTRACE|SIGUSR1strace: Detached unknown pid 22993\n"
	 ") = 22993",
	 "PC", "clone 0x2000 10 22993 - stack=0 strace 1-2"},
	{"vfork(Process 1819 attached (waiting for parent)\n"
	 "Process 1819 resumed (parent 1818 ready)\n"
	 ")                                 = 1819",
	 "POC", "vfork 0x4100 17 1819 - strace 1-3"},
	{"clone(Process 20017 attached (waiting for parent)\n"
	 "Process 20017 resumed (parent 20016 ready)\n"
	 "child_stack=0x7f81421bdfa8, flags=CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_SIGHAND|CLONE_THREAD) = 20017",
	 "POC", "clone 0x10f00 0 20017 - stack=0x7f81421bdfa8 strace 1-3"},
	{"[pid 19997] clone(Process 19998 attached\n"
	 " <unfinished ...>\n"
	 "[pid 19998] setgid(0)                   = 0\n"
	 "[pid 19997] <... clone resumed> child_stack=0x7ffd9b084960, flags=CLONE_PARENT|SIGCHLD) = 19998",
	 "PPOC", "clone 0x8000 17 19998 - stack=0x7ffd9b084960 task=19997 strace 1-4"},
	{"clone(child_stack=0, flags=CLONE_CHILD_CLEARTID|SIGCHLDProcess 5 attached\n"
	 "hello from the program\n"
	 "strace: Process 5 attached\n"
	 ", child_tidptr=0x7f00) = 5",
	 "POOC", "clone 0x200000 17 5 - stack=0 child_tid=0x7f00 strace 1-4"},
	{"clone(child_stack=0, flags=255Process 5 attached\n"
	 "22 close(3) = 0\n"
	 "22920 +++ exited with 0 +++\n"
	 ") = 5",
	 "POOC", "clone 0 255 5 - stack=0 strace 1-4"},
	{"vfork(strace: Process 5 attached\n"
	 "close(3) = 0\n"
	 "fork() = 6",
	 "POC",
	 "fork 0 17 6 - strace 3-3\n"
	 "vfork 0x4100 17 - - strace 1-1"},
	{"[pid 5] clone( <unfinished ...>\n"
	 "[pid 5] <... clone resumed>child_stack=NULL, flags=SIGCHLDstrace: Process 6 attached\n"
	 ") = 6",
	 "PPC", "clone 0 17 6 - stack=0 task=5 strace 1-3"},
	{"> 16791 <... clone resumed> child_stack=0,\n"
	 "> flags=CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD,\n"
	 "> child_tidptr=0x3bc843c8) = ? ERESTARTNOINTR (To be restarted)\n"
	 "> 16792 <... rt_sigreturn resumed> )      = 0",
	 "PPCO", "clone 0x1200000 17 - 513 stack=0 child_tid=0x3bc843c8 task=16791 strace 1-3"},
	{"[pid   519] syscall_435(0x7fcc0478bfc0, 0x40, 0x7fcc04278031, 0,\n"
	 "0x7fff504afb26, 0x360) = -1 (errno 22)",
	 "PC", "clone3 - - - 22 size=64 task=519 strace 1-2"},
	{"strace: Process 9257 attached", "O", ""},
	{"fork(strace: Process 5 attached\n"
	 ")\n"
	 ") = 5",
	 "POC", "fork 0 17 5 - strace 1-3"},
	{"unshare(0x1strace: what\n"
	 "00) = 0",
	 "PO", "unshare 0x1 - - - strace 1-1"},
};

/* Old and other processors. */
static const struct row old_rows[] = {
	{"clone2(child_stack=0x200000000189c000, stack_size=0x3febe0, flags=CLONE_VM|CLONE_FS|SIGCHLD, parent_tidptr=0x20, child_tidptr=0x30) = 5447",
	 "C",
	 "clone2 0x300 17 5447 - stack=0x200000000189c000 stack_size=0x3febe0 parent_tid=0x20 child_tid=0x30 strace 1-1"},
	{"__clone2(child_stack=0x2000, stack_size=0x1000, flags=SIGCHLD) = 5447", "C",
	 "__clone2 0 17 5447 - stack=0x2000 stack_size=0x1000 strace 1-1"},
	{"clone(child_stack=0, flags=CLONE_VM|CLONE_SETTLS, tls={entry_number=12, base_addr=0xf7d95b40, limit=1048575, seg_32bit=1}, child_tidptr=0) = 7",
	 "C", "clone 0x80100 0 7 - stack=0 child_tid=0 tls=0x1 strace 1-1"},
	{"clone(child_stack=0, flags=CLONE_VM|SIGRTMIN) = 7", "C",
	 "clone 0x100 32 7 - stack=0 strace 1-1"},
};

/* Ltrace. */
static const struct row ltrace_rows[] = {
	{"SYS_clone(0x1200011, 0, 0, 0x7fe3cf8339d0, 0)                     = 5967", "C",
	 "clone 0x1200000 17 5967 - stack=0 parent_tid=0 child_tid=0x7fe3cf8339d0 tls=0 ltrace 1-1"},
	{"9191 SYS_clone(0x1200011, 0, 0, 0x7f27db08ea10)  = 9200", "C",
	 "clone 0x1200000 17 9200 - stack=0 parent_tid=0 child_tid=0x7f27db08ea10 task=9191 ltrace 1-1"},
	{"23229 fork( <unfinished ...>\n"
	 "23229 SYS_clone(0x1200011, 0, 0, 0x7f7c08df3a10) = 0x5abe\n"
	 "23229 <... fork resumed> )                       = 23230\n"
	 "23230 <... fork resumed> )                       = 0",
	 "PCOO",
	 "clone 0x1200000 17 23230 - stack=0 parent_tid=0 child_tid=0x7f7c08df3a10 task=23229 ltrace 2-2"},
	{"23229 vfork(0x5abe, 0x7ffd530e1988, 0, 0x7f7c08ec9bd3 <unfinished ...>\n"
	 "23229 SYS_vfork(0x5606a39ae2bc, 0x7ffd530e1988, 0, 0x7f7c08e09850 <unfinished ...>\n"
	 "23231 <... vfork resumed> )                      = 0\n"
	 "23229 <... SYS_vfork resumed> )                  = 0x5abf\n"
	 "23229 <... vfork resumed> )                      = 0x5abf",
	 "PPOCO", "vfork 0x4100 17 23231 - task=23229 ltrace 2-4"},
	{"SYS_clone(4236, 0, 0x7ffd530e1980, 0x7ffd530e197c) = 0x5ac3", "C",
	 "clone 0x1000 140 23235 - stack=0 parent_tid=0x7ffd530e1980 child_tid=0x7ffd530e197c pidfd=0x7ffd530e1980 ltrace 1-1"},
	{"SYS_clone(0x10000, 0, 0x7ffd530e1980, 0x7ffd530e197c) = -22", "C",
	 "clone 0x10000 0 - 22 stack=0 parent_tid=0x7ffd530e1980 child_tid=0x7ffd530e197c ltrace 1-1"},
	{"SYS_clone(0x90911, 0x7000000, 0x7ffd530e1980, 0x7ffd530e197c) = -1", "C",
	 "clone 0x90900 17 - 1 stack=0x7000000 parent_tid=0x7ffd530e1980 child_tid=0x7ffd530e197c ltrace 1-1"},
	{"unshare(128, 8192, -128, 0x7f7c08f000f7 <unfinished ...>\n"
	 "SYS_unshare(128, 8192, -128, 0x7f7c08e02830) = -22\n"
	 "<... unshare resumed> )                    = -1",
	 "PCO", "unshare 0x80 - - 22 ltrace 2-2"},
	{"23250 unshare(17, 8192, -128, 0x7fb718acc0f7)    = -1", "C",
	 "unshare 0x11 - - 0 task=23250 ltrace 1-1"},
	{"23229 SYS_setns(0xffffffff, 0, 0x7f7c08ecb4e7, 0) = -9", "C",
	 "setns 0 - - 9 fd=-1 task=23229 ltrace 1-1"},
	{"SYS_435(0x7ffd530e1910, 88, -128, 0)                = -7", "C",
	 "clone3 - - - 7 size=88 ltrace 1-1"},
	{"23250 small->fork()                                     = 23251", "C",
	 "fork 0 17 23251 - task=23250 strace 1-1"},
	{"23250 fork@libc.so.6()                                     = 23251", "C",
	 "fork 0 17 23251 - task=23250 strace 1-1"},
	{"23250 SYS_vfork(1, 2 <no return ...>", "P", "vfork 0x4100 17 - - task=23250 ltrace 1-1"},
	{"vfork(0xffffffff, 0x7ffcedcac23c, 0, 0x7f9efb946bd3 <no return ...>\n"
	 "--- SIGCHLD (Child exited) ---\n"
	 "<... vfork resumed> )                            = 0x2d14",
	 "POC", "vfork 0x4100 17 11540 - ltrace 1-3"},
	{"SYS_clone(0x10000, 0, 0, 0) = 0xffffffea", "C",
	 "clone 0x10000 0 - 22 stack=0 parent_tid=0 child_tid=0 ltrace 1-1"},
	{"fork() = 0xffffffff", "C", "fork 0 17 - 0 strace 1-1"},
	{"vfork( <unfinished ...>\n"
	 "[pid 5] <... vfork resumed> ) = 0\n"
	 "<... vfork resumed> ) = 5",
	 "POC", "vfork 0x4100 17 5 - strace 1-3"},
};

/* The C library's functions: ltrace without -S, and as a program has them. */
static const struct row library_rows[] = {
	{"clone(0x565499bf4239, 0x565499c070c0, 1297, 0)   = 7214", "C",
	 "clone 0x500 17 7214 - stack=0x565499c070c0 library of 0x565499bf4239 ltrace 1-1"},
	{"clone(0x401136, 0x7ffc0, 17, 0) = 77", "C",
	 "clone 0 17 77 - stack=0x7ffc0 library of 0x401136 ltrace 1-1"},
	{"[pid 7225] clone(0x55e905f8d239, 0x55e905fa00c0, 1290, 0 <unfinished ...>\n"
	 "[pid 7225] <... clone resumed> )                 = 7246",
	 "PC",
	 "clone 0x500 10 7246 - stack=0x55e905fa00c0 task=7225 library of 0x55e905f8d239 ltrace 1-2"},
	{"clone(0x565499bf4239, 0x565499c070c0, 0x3d0f00, 0, 0x10, 0x20, 0x30) = -1", "C",
	 "clone 0x3d0f00 0 - 0 stack=0x565499c070c0 parent_tid=0x10 child_tid=0x30 tls=0x20 library of "
	 "0x565499bf4239 ltrace 1-1"},
	{"__clone(0x401239, 0x565499c070c0, 0x3d0f00, 0, 0, 0, 0)   = 7214", "C",
	 "__clone 0x3d0f00 0 7214 - stack=0x565499c070c0 parent_tid=0 child_tid=0 tls=0 library of "
	 "0x401239 ltrace 1-1"},
	/* The kernel's, of which strace -e raw shows all five; or nobody knows. */
	{"clone(0x401136, 0x7ffc0, 0x11, 0, 0) = 77", "C",
	 "clone 0x401100 54 77 - stack=0x7ffc0 parent_tid=0x11 child_tid=0 tls=0 pidfd=0x11 strace 1-1"},
	{"clone(0x1200011, 0, 0, 0x7f27db08ea10)  = 9200", "S", ""},
	{"clone(0x401136, 0x7ffc0, 0, 0) = 77", "S", ""},
	{"clone(0x401136, 0x7ffc0, 0x100000000, 0) = 77", "S", ""},
	{"clone(0x401136, 0x7ffc0) = 77", "S", ""},
	{"clone(17, 0x7ffc0, 17, 0) = 77", "S", ""},
	{"clone(child, stack + STACK_SIZE, CLONE_VM | SIGCHLD, NULL)", "C",
	 "clone 0x100 17 - - stack=0x1 library of child ltrace 1-1"},
	{"clone(&child, (char *)top(a, b), SIGUSR1, arg, &ptid, NULL, &ctid)", "C",
	 "clone 0 10 - - stack=0x1 parent_tid=0x1 child_tid=0x1 tls=0 library of &child ltrace 1-1"},
	{"clone(child, util::top(s), CLONE_NEWUSER | SIGCHLD, 0)", "C",
	 "clone 0x10000000 17 - - stack=0x1 library of child ltrace 1-1"},
	{"clone(child, NULL, SIGCHLD, NULL)", "S", ""},
	{"clone(child, nullptr, SIGCHLD, nullptr)", "S", ""},
	{"clone(child, (void *)0, SIGCHLD, NULL)", "S", ""},
	{"clone(child, ((char *)NULL), SIGCHLD, NULL)", "S", ""},
	{"clone(SIGCHLD, stack, SIGCHLD, NULL)", "S", ""},
	{"clone(CLONE_VM, stack, SIGCHLD, NULL)", "S", ""},
	{"clone(child, stack, CLONE_NOTHING, NULL)", "S", ""},
	{"clone(child, child_stack=0, SIGCHLD, NULL)", "S", ""},
	{"pthread_create(0x7fffcb154360, 0, 0x5639cea1d189, 0) = 0", "C",
	 "pthread_create 0x3d0f00 0 0 - library ltrace 1-1"},
	{"pthread_create(0x7fffcb154360, nil, 0x5639cea1d189, 0) = 11", "C",
	 "pthread_create 0x3d0f00 0 - 11 library ltrace 1-1"},
	{"posix_spawn(0x7fffcb154368, \"/bin/true\", nil, 0) = 2", "C",
	 "posix_spawn 0x4100 17 - 2 library ltrace 1-1"},
	{"posix_spawn(0x7fffcb154368, \"/bin/true\", nil, 0) = 4096", "S", ""},
	{"posix_spawnp(0x7fffcb154368, 0x5639cea1e004, 0, 0 <no return ...>\n"
	 "--- SIGCHLD (Child exited) ---\n"
	 "<... posix_spawnp resumed> )                     = 0",
	 "POC", "posix_spawnp 0x4100 17 0 - library ltrace 1-3"},
	/* clone3's block is an address to ltrace; the function round it tells the flags. */
	{"[pid 5] pthread_create(0x7ffd24fe78a0, 0, 0x55b199e6f189, 0 <unfinished ...>\n"
	 "[pid 5] SYS_435(0x7ffd24fe76b0, 88, 0x7f8b84ef8ef0, 8) = 0x59e9\n"
	 "[pid 5] <... pthread_create resumed> )       = 0\n"
	 "[pid 5] SYS_435(0x7ffd24fe76b0, 88, 0x7f8b84ef8ef0, 8) = 0x59ea",
	 "PCOC",
	 "pthread_create 0x3d0f00 0 23017 - size=88 task=5 library ltrace 2-2\n"
	 "clone3 - - 23018 - size=88 task=5 ltrace 4-4"},
	{"[pid 5] posix_spawn(0x7ffd24fe78a8, 0x55b199e70009, 0, 0 <unfinished ...>\n"
	 "[pid 6] SYS_435(0x7ffd24fe7600, 88, 0, 8) = 0x59e8\n"
	 "[pid 5] SYS_435(0x7ffd24fe7600, 88, 0x7f8b84f66d50, 8 <unfinished ...>\n"
	 "[pid 5] <... SYS_435 resumed> )              = 0x59ea\n"
	 "[pid 5] <... posix_spawn resumed> )          = 0",
	 "PCPCO",
	 "clone3 - - 23016 - size=88 task=6 ltrace 2-2\n"
	 "posix_spawn 0x4100 17 23018 - size=88 task=5 library ltrace 3-4"},
};

/* Perf trace. */
static const struct row perf_rows[] = {
	{"small/9251 clone(clone_flags: CHILD_CLEARTID|CHILD_SETTID|0x11, child_tidptr: 0x7f..) = 9257 (small)",
	 "C", "clone 0x1200000 17 9257 - stack=0 task=9251 by small perf 1-1"},
	{"     4.673 ( 0.385 ms): small/23308 clone(clone_flags: CHILD_CLEARTID|CHILD_SETTID|0x11, child_tidptr: 0x7fae6f926a10) = 23309 (small)",
	 "C",
	 "clone 0x1200000 17 23309 - stack=0 child_tid=0x7fae6f926a10 task=23308 by small perf 1-1"},
	{"    10.427 ( 0.097 ms): small/23308 clone(clone_flags: VM|SIGHAND|THREAD|SETTLS|0x11, newsp: 0x7000000, tls: 0xffffffffffffffff) = -1 EPERM (Operation not permitted)",
	 "C",
	 "clone 0x90900 17 - 1 stack=0x7000000 tls=0xffffffffffffffff task=23308 by small perf 1-1"},
	{"     0.001 ( 0.097 ms): clone(clone_flags: CLONE_VM|CLONE_VFORK|0x11) = 12", "C",
	 "clone 0x4100 17 12 - stack=0 perf 1-1"},
	{"     0.001 ( 0.097 ms): 123 clone() = 12", "C",
	 "clone 0 0 12 - stack=0 task=123 perf 1-1"},
	{"    12.142 ( 0.030 ms): small/23308 unshare()                                                             = 0",
	 "C", "unshare 0 - 0 - task=23308 by small perf 1-1"},
	{"    12.062 ( 0.064 ms): small/23308 unshare(unshare_flags: 131584)                                        = 0",
	 "C", "unshare 0x20200 - 0 - task=23308 by small perf 1-1"},
	{"    12.557 ( 0.016 ms): small/23308 setns(fd: 7<net:[4026531833]>, flags: 1073741824)                     = 0",
	 "C", "setns 0x40000000 - 0 - fd=7 task=23308 by small perf 1-1"},
	{"    12.818 ( 0.017 ms): small/23308 setns(fd: 8<anon_inode:[pidfd]>)                                      = -1 EINVAL (Invalid argument)",
	 "C", "setns 0 - - 22 fd=8 task=23308 pidfd by small perf 1-1"},
	{"    10.590 ( 0.105 ms): small/23308 clone3(uargs: 0x7ffc3e347a30, size: 64)                               = 23317",
	 "C", "clone3 - - 23317 - size=64 task=23308 by small perf 1-1"},
	{"         ? (         ): small/23309  ... [continued]: clone())                                            = ",
	 "O", ""},
	{"         ? (         ): :15828/15828  ... [continued]: vfork())                                            = 0",
	 "O", ""},
	{"           ? qemu-system-x8/6806  ... [continued]: clone())              = 0", "O", ""},
	{"    16.170 (         ): small/23308 clone3(uargs: 0x7ffc3e347540, size: 88)                            ...\n"
	 "         ? (         ): small/23323  ... [continued]: clone3())                                           = 0\n"
	 "    16.170 ( 3.885 ms): small/23308  ... [continued]: clone3())                                           = 23323",
	 "POC", "clone3 - - 23323 - size=88 task=23308 by small perf 1-3"},
	{"     0.000 (         ): small/15825 clone(clone_flags: CHILD_CLEARTID|CHILD_SETTID|0x11, child_tidptr: 0x7ff59f9a3a10) ...\n"
	 "     0.416 (         ): small/15825 task:task_newtask(pid: 15826 (small), comm: \"small\", clone_flags: 18874368)\n"
	 "     0.000 ( 0.448 ms): small/15825  ... [continued]: clone())                                            = 15826 (small)",
	 "PCC",
	 "task_newtask 0x1200000 - 15826 - task=15825 by small task_newtask 2-2\n"
	 "clone 0x1200000 17 15826 - stack=0 child_tid=0x7ff59f9a3a10 task=15825 by small perf 1-3"},
	{"         ? (         ): small/9251  ... [continued]: clone())                                            = 9257 (small)",
	 "C", "clone - - 9257 - task=9251 by small perf 1-1"},
};

/* Trace events. */
static const struct row events_rows[] = {
	{"task:task_newtask: pid=9711 comm=small clone_flags=3d0f00 oom_score_adj=0", "C",
	 "task_newtask 0x3d0f00 - 9711 - by small task_newtask 1-1"},
	{"           small 23332 [000] 11395.581100:          task:task_newtask: pid=23334 comm=small clone_flags=1200000 oom_score_adj=0",
	 "C", "task_newtask 0x1200000 - 23334 - task=23332 by small task_newtask 1-1"},
	{"           small 23332/23333 [000] 11395.581100:          task:task_newtask: pid=23334 comm=small clone_flags=1200000 oom_score_adj=0",
	 "C", "task_newtask 0x1200000 - 23334 - task=23333 by small task_newtask 1-1"},
	{"           small 23332 [000] 11395.586974:          task:task_newtask: pid=23343 comm=small clone_flags=100101000 oom_score_adj=0",
	 "C", "task_newtask 0x100101000 - 23343 - task=23332 by small task_newtask 1-1"},
	{"            bash-16971   [001] ..... 11863.466425: task_newtask: pid=16974 comm=bash clone_flags=1200000 oom_score_adj=0",
	 "C", "task_newtask 0x1200000 - 16974 - task=16971 by bash task_newtask 1-1"},
	{"    kworker/u2:3-173     [000] ....   320.567922: task_newtask: pid=174 comm=kthreadd clone_flags=800700 oom_score_adj=0",
	 "C", "task_newtask 0x800700 - 174 - task=173 by kworker/u2:3 task_newtask 1-1"},
	{"  <...>-78  [003] ..... 30625460: task_newtask: pid=81 comm=a clone_flags=11 b clone_flags=3d0f00 oom_score_adj=0",
	 "C", "task_newtask 0x3d0f00 - 81 - task=78 by a clone_flags=11 b task_newtask 1-1"},
	{"<...>-2     (-----) [003] ...1 174332.825588: task_newtask: pid=12730 comm=kthreadd clone_flags=800711 oom_score_adj=0",
	 "C", "task_newtask 0x800700 17 12730 - task=2 by kthreadd task_newtask 1-1"},
	{"   Web Content-1234    (   1230) [001] d..1   123.456: task_newtask: pid=9 comm=Web Content clone_flags=80 oom_score_adj=0",
	 "C", "task_newtask 0x80 - 9 - task=1234 by Web Content task_newtask 1-1"},
	{"     small 1 [000] 1.5: task:task_newtask: pid=9711 comm=small clone_flags=400080 oom_score_adj=0",
	 "C", "task_newtask 0x400000 128 9711 - task=1 by small task_newtask 1-1"},
	{"     small 1 [000] 1.5: task:task_newtask: pid=9711 comm=small", "S", ""},
	{"           small 23332 [000] 11395.580749:   syscalls:sys_enter_clone: clone_flags: 0x01200011, newsp: 0x00000000, parent_tidptr: 0x00000000, child_tidptr: 0x7f53d45b5a10, tls: 0x00000000\n"
	 "           small 23332 [000] 11395.581112:    syscalls:sys_exit_clone: 0x5b26\n"
	 "           small 23334 [000] 11395.581135:    syscalls:sys_exit_clone: 0x0",
	 "PCO",
	 "clone 0x1200000 17 23334 - stack=0 parent_tid=0 child_tid=0x7f53d45b5a10 tls=0 task=23332 by small perf 1-2"},
	{"           small 23332 [000] 11395.587792: syscalls:sys_enter_unshare: unshare_flags: 0x00000011\n"
	 "           small 23332 [000] 11395.587792:  syscalls:sys_exit_unshare: 0xffffffffffffffea",
	 "PC", "unshare 0x11 - - 22 task=23332 by small perf 1-2"},
	{"            bash-16971   [001] ..... 11863.466311: sys_clone(clone_flags: 1200011, newsp: 0, parent_tidptr: 0, child_tidptr: 7ff4b0d1aa10, tls: 0)\n"
	 "            bash-16971   [001] .N... 11863.467372: sys_clone -> 0x424e",
	 "PC",
	 "clone 0x1200000 17 16974 - stack=0 parent_tid=0 child_tid=0x7ff4b0d1aa10 tls=0 task=16971 by bash perf 1-2"},
	{"           small-16974   [000] ..... 11863.473124: sys_vfork()\n"
	 "           small-16974   [000] ..... 11863.473251: sys_vfork -> 0x4250",
	 "PC", "vfork 0x4100 17 16976 - task=16974 by small perf 1-2"},
};

/* Audit. */
static const struct row audit_rows[] = {
	{"type=SYSCALL msg=audit(1.1:1): arch=c000003e syscall=56 success=yes exit=1234 a0=1200011 a1=0 a2=0 a3=7f00",
	 "C", "clone 0x1200000 17 1234 - stack=0 parent_tid=0 child_tid=0x7f00 audit 1-1"},
	{"type=SYSCALL msg=audit(1.1:1): arch=c000003e syscall=56 success=no exit=-22 a0=10000 a1=0 a2=0 a3=7f00 items=0 ppid=1 pid=2 auid=0 comm=\"small\" exe=\"/tmp/small\" key=(null)",
	 "C",
	 "clone 0x10000 0 - 22 stack=0 parent_tid=0 child_tid=0x7f00 task=2 by small audit 1-1"},
	{"type=SYSCALL msg=audit(1.1:1): arch=c000003e syscall=56 success=no exit=-1 a0=10000 a1=0 a2=0 a3=7f00 pid=2 comm=6120622F28",
	 "C",
	 "clone 0x10000 0 - 1 stack=0 parent_tid=0 child_tid=0x7f00 task=2 by a b/( audit 1-1"},
	{"type=SYSCALL msg=audit(1.1:1): arch=c000003e syscall=1073741880 success=yes exit=5 a0=11 a1=0 a2=0 a3=0",
	 "C", "clone 0 17 5 - stack=0 parent_tid=0 child_tid=0 audit 1-1"},
	{"type=SYSCALL msg=audit(1.1:1): arch=c00000b7 syscall=56 success=yes exit=3 a0=ffffffffffffff9c a1=ffffb2971498 a2=20241 a3=1b6",
	 "O", ""},
	{"type=SYSCALL msg=audit(1.1:1): arch=c00000b7 syscall=220 success=yes exit=3 a0=80111 a1=0 a2=10 a3=20",
	 "C", "clone 0x80100 17 3 - stack=0 parent_tid=0x10 tls=0x20 audit 1-1"},
	{"type=SYSCALL msg=audit(1.1:1): arch=80000016 syscall=120 success=yes exit=3 a0=5000 a1=1200011 a2=0 a3=20",
	 "C", "clone 0x1200000 17 3 - stack=0x5000 parent_tid=0 child_tid=0x20 audit 1-1"},
	{"type=SYSCALL msg=audit(1.1:1): arch=40000003 syscall=190 success=yes exit=3 a0=1 a1=2 a2=3 a3=4",
	 "C", "vfork 0x4100 17 3 - audit 1-1"},
	{"type=SYSCALL msg=audit(1.1:1): arch=c000003e syscall=435 success=yes exit=3 a0=7ffd00 a1=58 a2=3 a3=4",
	 "C", "clone3 - - 3 - size=88 audit 1-1"},
	{"type=SYSCALL msg=audit(1.1:1): arch=c000003e syscall=308 success=no exit=-9 a0=ffffffff a1=40000000 a2=3 a3=4",
	 "C", "setns 0x40000000 - - 9 fd=-1 audit 1-1"},
	{"type=SYSCALL msg=audit(1.1:1): arch=c000003e syscall=272 success=no exit=EPERM(Operation not permitted) a0=CLONE_NEWNS|CLONE_NEWUSER a1=0x0 a2=0x3 a3=0x4",
	 "C", "unshare 0x10020000 - - 1 audit 1-1"},
	{"node=box type=SYSCALL msg=audit(06/12/23 10:00:00.123:45) : arch=x86_64 syscall=clone success=yes exit=1234 a0=CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD a1=0x0 a2=0x0 a3=0x7f00 items=0 ppid=1 pid=2 comm=small exe=/tmp/small",
	 "C",
	 "clone 0x1200000 17 1234 - stack=0 parent_tid=0 child_tid=0x7f00 task=2 by small audit 1-1"},
	{"[   12.345678] audit: type=1300 audit(1.1:1): arch=c000003e syscall=58 success=yes exit=4 a0=1 a1=2 a2=3 a3=4 pid=9 comm=\"a b\"",
	 "C", "vfork 0x4100 17 4 - task=9 by a b audit 1-1"},
	{"audit(1565632189.127:261722): arch=c000003e syscall=56 success=yes exit=33 a0=3d0f00 a1=7f1b92ffcbf0 a2=7f1b92ffd9d0 a3=7f1b92ffd9d0 ppid=14790 pid=15929",
	 "C",
	 "clone 0x3d0f00 0 33 - stack=0x7f1b92ffcbf0 parent_tid=0x7f1b92ffd9d0 child_tid=0x7f1b92ffd9d0 task=15929 audit 1-1"},
	{"type=SYSCALL msg=audit(1.1:1): arch=c000003e syscall=59 success=yes exit=0 a0=1200011 a1=0 a2=0 a3=7f00",
	 "O", ""},
	{"type=SYSCALL msg=audit(1.1:1): arch=c000003e syscall=56 success=yes exit=1 a0=CLONE_BOGUS a1=0 a2=0 a3=7f00",
	 "S", ""},
};

/* Not ours. */
static const struct row others_rows[] = {
	{"write(1, \"clone(child_stack=0, flags=SIGCHLD) = 5\\n\", 40) = 40", "O", ""},
	{"printf(\"clone(child_stack=0, flags=SIGCHLD) = 5\\n\") = 40", "O", ""},
	{"write(1, \"vfork( <unfinished ...>\", 23 <unfinished ...>", "O", ""},
	{"write(1, \"task:task_newtask: pid=9711 comm=small clone_flags=3d0f00\", 40) = 40", "O",
	 ""},
	{"write(1, \"type=SYSCALL msg=audit(1.1:1): arch=c000003e syscall=56 a0=11\", 40) = 40",
	 "O", ""},
	{"write(1, \"small 5 1.5: task_newtask: pid=9 comm=a clone_flags=3d0f00\", 40) = 40", "O",
	 ""},
	{"openat(AT_FDCWD, \"/sys/kernel/tracing/events/syscalls/sys_enter_clone/id\", O_RDONLY) = 3",
	 "O", ""},
	{" > /usr/lib/x86_64-linux-gnu/libc.so.6(_Fork+0x23) [0xd4353]", "O", ""},
	{" > /usr/lib/x86_64-linux-gnu/libc.so.6(vfork+0x23) [0xd4353]", "O", ""},
	{"clone: Operation not permitted", "O", ""},
	{"git clone https://example.org/a.git", "O", ""},
	{"clone_file(3, 4) = 0", "O", ""},
	{"execve(\"/usr/bin/unshare\", [\"unshare\", \"-U\"], 0x7f /* 6 vars */) = 0", "O", ""},
	{"--- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=22284} ---", "O", ""},
	{"oHg5SJYRHA0clone(child_stack=NULL, flags=SIGCHLD) = 5", "O", ""},
};

/* Ours, but not to be understood. */
static const struct row strange_rows[] = {
	{"clone(child_stack=NULL, flags=CLONE_XYZ|SIGCHLD) = 5", "S", ""},
	{"clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|SIGCHLDHello!", "S", ""},
	{"clone(child_stack=NULL, flags=) = 5", "S", ""},
	{"clone(child_stack=NULL, flags=SIGCHLD|SIGUSR1) = 5", "S", ""},
	{"clone(child_stack=banana, flags=SIGCHLD) = 5", "S", ""},
	{"clone(child_stack=NULL, flags=SIGCHLD) = five", "S", ""},
	{"clone(child_stack=NULL, flags=SIGCHLD) = -5000", "S", ""},
	{"clone3({flags=CLONE_VM, exit_signal=SIGWHAT}, 88) = 5", "S", ""},
	{"clone3({flags=CLONE_VM|SIGCHLD, exit_signal=0}, 88) = 5", "S", ""},
	{"clone3({flags=CLONE_VM, exit_signal=0, 88) = 5", "S", ""},
	{"unshare(CLONE_NEWNS", "S", ""},
	{"fork() failed", "S", ""},
	{"clone(child_stack=NULL, flags=SIGCHLD) = 4294967296", "S", ""},
	{"unshare(SIGCHLD) = 0", "S", ""},
	{"22638 clone(child_stack=NULL, flags=CLONE_XYZ <unfinished ...>\n"
	 "22638 <... clone resumed>) = 5",
	 "SS", ""},
	{"5446  clone2(child_stack=0x200000000189c000, stack_size=0x3febe0, flags=CLONE_VM|CLONE_FS|CLONE_FILES|CLONE_SIGHAND|CLONE_THRE",
	 "S", ""},
};

#endif
