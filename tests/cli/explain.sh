# SPDX-License-Identifier: MIT
# ramet explain: words of flags and lines of tracing tools in, verdicts and reasons out; what is
# not understood is said; anything may come on standard input, and anybody may ask.
# The texts themselves are compared by tests/unit/explain.c.
. "$SRCDIR/tests/tap.sh"

# explain NAME STATUS ARG…: what it printed is in $TMP/out.
explain() { status "$1" "$2" timeout 20 "$RAMET" explain --color=never "${@:3}"; }
# log NAME STATUS ARG…: the same for what stands on standard input.
log() { status "$1" "$2" timeout 20 "$RAMET" explain --color=never "${@:3}" -; }
head_like() { like "$1" "$(head -n 1 "$TMP/out")" "$2"; }
# The first row of this label, then one blank.
row() { sed -n "s/^  $1  *//p" "$TMP/out" | head -n 1; }
said() { like "$1" "$(cat "$TMP/err")" "$2"; }
# The calls that were explained: lines that are not indented.
calls() { grep -c '^[^ ]' "$TMP/out"; }

# ---- words

explain 'fork is accepted' 0 fork
head_like 'and is a process' '^fork\(\): a new process that is a copy of the caller$'
like 'the parent is told by SIGCHLD' "$(row 'told of its end')" '^the caller, by SIGCHLD'
explain 'shared handlers need shared memory' 1 'CLONE_SIGHAND|SIGCHLD'
head_like 'the answer comes first' '^refused: EINVAL   clone3\(CLONE_SIGHAND\), exit signal SIGCHLD$'
like 'the rule has its id' "$(row rule)" '^sighand-needs-memory \(.*; fork.c copy_process\)'
is 'the nearest call that is accepted' "$(row instead)" \
	'clone3(CLONE_VM|CLONE_SIGHAND), exit signal SIGCHLD: memory shared'
explain 'a number' 0 0x3d0f00
head_like 'of pthread_create' '^pthread_create\(\): a new thread'
explain 'the same number, decimal' 0 4001536
head_like 'is the same call' '^pthread_create\(\): a new thread'
explain "musl's threads go through clone alone" 0 0x7d0f00
like 'clone3 would refuse them' "$(row clone3)" 'detached-in-clone3'

# The low byte: a signal in clone, a flag elsewhere.
explain '0x80 in clone is a signal' 0 --call clone 0x80
like 'and is said to be' "$(cat "$TMP/out")" '0x80 is a bit of the exit signal here'
explain '0x80 in clone3 is CLONE_NEWTIME' 0 --call clone3 --caller uid=0 --kernel 6.18 0x80
like 'a time namespace' "$(row time)" '^new'
explain '0x80 in unshare too' 0 --call unshare --caller uid=0 0x80
like 'for the next children' "$(row time)" 'next children'
explain 'a signal in the flags of clone3' 1 --call clone3 0x1200011
like 'is named' "$(row rule)" '^signal-in-flags'
explain 'an exit signal of its own' 0 --exit-signal USR2 'vm|files|SIGCHLD'
like 'is waited for with __WCLONE' "$(row 'told of its end')" 'SIGUSR2.*__WCLONE'

# ---- who calls, and which kernel

explain 'an ordinary user gets no net namespace' 1 --caller uid=1000 newnet
like 'for want of a capability' "$(row rule)" '^new-namespace-needs-admin'
like 'but with a user namespace' "$(row instead)" '^clone3\(CLONE_NEWUSER\|CLONE_NEWNET\)'
explain 'root does' 0 --caller uid=0 newnet
explain 'and who has the one capability' 0 --caller uid=7,cap=sys_admin newnet
explain 'in any order' 0 --caller cap=sys_admin,uid=7 newnet
explain 'no user namespace in a chroot' 1 --caller uid=1000,chroot newuser
like 'is the chroot rule' "$(row rule)" '^user-namespace-in-chroot'
explain 'threads cannot unshare a user namespace' 1 --call unshare --caller threads=4 newuser
like 'and are told so' "$(row rule)" '^new-user-among-threads'
explain 'no task at the limit' 1 --caller process-limit fork
like 'and it is named' "$(row rule)" '^process-limit'
explain 'no namespaces where the limit is 0' 1 --caller uid=0,no-new=net newnet
explain 'a pidfd of a thread on 6.8' 1 --kernel 6.8.12 '0x3d0f00|pidfd'
like 'came with 6.9' "$(row rule)" '^pidfd-of-thread \(before 6.9;'
explain 'and on 6.9 is accepted' 0 --kernel 6.9 '0x3d0f00|pidfd'
for bad in 2.6 5.9 6 6.x 6.1.2.3 '' 99999.1 -6.1; do
	explain "no version: '$bad'" 2 --kernel "$bad" fork
done
for bad in uid= uid=x threads=0 cap=all nonsense chroot=1 uid 'uid=0,' no-new=memory; do
	explain "no state: '$bad'" 2 --caller "$bad" fork
done
explain 'no call' 2 --call fork fork
explain 'no signal' 2 --exit-signal NONE fork
explain 'no processor' 2 --arch z80 fork
said 'is told which there are' 'x86_64, aarch64'
explain 'JSON of two kinds' 2 --json --jsonl fork
explain 'a walk in JSON' 2 --walk --json fork
explain 'a walk of nothing' 2 --walk
explain 'an exit signal for unshare' 2 --call unshare --exit-signal USR1 newns
explain 'a preset for unshare' 2 --call unshare container
said 'is no call of it' 'makes a task, and unshare makes none'
explain 'a signal among its flags' 2 --call unshare 'newns|SIGCHLD'

# ---- calls as one writes them

explain 'a call without a result' 1 'clone3({flags=CLONE_SIGHAND, exit_signal=SIGCHLD}, 88)'
like 'is judged by the rules' "$(row rule)" '^sighand-needs-memory'
explain 'as in a program' 0 'unshare(CLONE_NEWUTS | CLONE_FS);' --caller uid=0
explain 'with two results' 0 --caller uid=0 'clone3({flags=CLONE_PIDFD|CLONE_PARENT_SETTID, exit_signal=0}, 88)'
explain 'a C function' 0 'clone(fn, stack + SIZE, CLONE_VM | SIGUSR1, NULL);'
like 'begins in another' "$(row 'begins in')" '^fn, on a stack of its own'
like 'and has its flags behind the stack' "$(row 'told of its end')" 'SIGUSR1'
explain 'a statement' 0 'pid_t pid = clone(childFunc, stackTop, CLONE_NEWUTS | SIGCHLD, argv[1]);' --caller uid=0
like 'is a call' "$(row uts)" '^new'
explain 'one of a member' 1 'p->pids[i] = clone(fn, stack, CLONE_SIGHAND, NULL)'
explain 'one with blanks' 1 --jsonl 'p->pid = clone  (fn, util::top(stack), CLONE_SIGHAND|SIGCHLD, NULL) ;'
like 'is given back as it was' "$(cat "$TMP/out")" '^\{"input":"p->pid = clone  \(fn, .*\) ;","function":"clone",'
explain 'fork in a program' 0 'pid = fork ();'
like "is the C library's" "$(row 'issued by')" '^fork\(\), as its version'
explain 'no statement' 2 'pid == clone(fn, stack, CLONE_VM, NULL)'
explain 'of nothing' 2 'pid ='
explain 'a C function that is refused' 1 'clone(fn, stack, CLONE_SIGHAND|SIGCHLD, NULL)'
explain 'a C function on no stack' 2 'clone(fn, (void *)0, CLONE_VM|SIGCHLD, nullptr)'
said 'is answered with a way' "flags alone are enough: 'CLONE_VM\|SIGCHLD'"
explain 'another call' 2 'openat(AT_FDCWD, "/etc/passwd", O_RDONLY) = 3'

# ---- lines of tools

# line HEADLINE LINE…
line() {
	local want=$1
	shift
	timeout 20 "$RAMET" explain "$@" >"$TMP/out" 2>"$TMP/err"
	is "${1:0:60}" "$(head -n 1 "$TMP/out")" "$want"
}
line 'fork(): a new process, 20098, that is a copy of the caller' \
	'clone(child_stack=0, flags=CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x2b4ee9213770) = 20098'
like 'with the address' "$(row CHILD_SETTID)" '0x2b4ee9213770'
held='shares memory with the caller; the caller sleeps until it calls exec or ends'
line "posix_spawn(): a new process, 29720, that $held" \
	'clone3({flags=CLONE_VM|CLONE_VFORK, exit_signal=SIGCHLD, stack=0x7f206ecdf000, stack_size=0x9000}, 88 <unfinished ...>' \
	'<... clone3 resumed>)             = 29720'
line 'clone3 returned 29723, and the line does not show its flags' \
	'[pid  9180] <... clone3 resumed> => {parent_tid=[29723]}, 88) = 29723'
for raw in 'clone(child_stack=NULL, flags=0x1200000|17, child_tidptr=0x7fe3cf8339d0) = 5967' \
	'SYS_clone(0x1200011, 0, 0, 0x7fe3cf8339d0, 0)                     = 5967' \
	'9191 SYS_clone(0x1200011, 0, 0, 0x7f27db08ea10)  = 5967' \
	'small/9251 clone(clone_flags: CHILD_CLEARTID|CHILD_SETTID|0x11, child_tidptr: 0x7f..) = 5967 (small)' \
	'type=SYSCALL msg=audit(1.1:1): arch=c000003e syscall=56 success=yes exit=5967 a0=1200011 a1=0 a2=0 a3=7f00'; do
	line 'fork(): a new process, 5967, that is a copy of the caller' "$raw"
done
line 'refused: EINVAL   unshare(CLONE_FS|CLONE_NEWNS)' \
	'unshare(CLONE_NEWNS|CLONE_FS)     = -1 EINVAL (Invalid argument)'
line 'clone(): a new process, 7214, that shares memory and files with the caller' \
	'clone(0x565499bf4239, 0x565499c070c0, 1297, 0)   = 7214'
line 'refused: ENOENT   posix_spawn()' \
	'posix_spawn(0x7fffcb154368, "/bin/nix", nil, 0) = 2'
like 'exec may have refused' "$(row why)" 'another step .* exec'
line "posix_spawn(): a new process that $held" 'posix_spawn(&pid, "/bin/x", NULL, NULL, argv, environ);'
like 'needs nobody to block signals' "$(row mind)" '^this is a function of the C library'
like 'is not of one version' "$(row 'issued by')" '^posix_spawn\(\) and posix_spawnp\(\), as'
line 'refused: an errno not known here   clone(0), exit signal SIGCHLD' 'fork() = -1'
like 'which errno is not told' "$(row why)" 'does not show which errno'
line "unfinished: vfork(): a new process that $held" 'vfork( <unfinished ...>'
line "pthread_create(): a new thread, 9711, of the caller's process, sharing memory, files, fs, sighand and sysvsem" \
	'task:task_newtask: pid=9711 comm=small clone_flags=3d0f00 oom_score_adj=0'
# The same bits elsewhere: the third raw argument is the pidfd's, the fifth the tid's.
explain 'raw arguments of aarch64' 0 --arch aarch64 'SYS_clone(0x1200011, 0, 0, 0, 0x7fe3cf8339d0) = 5'
like 'are in its order' "$(row CHILD_SETTID)" '0x7fe3cf8339d0'
explain 'EPERM elsewhere, whoever asks here' 1 'unshare(CLONE_NEWNET) = -1 EPERM (Operation not permitted)'
like 'names every rule that gives it' "$(cat "$TMP/out")" 'new-namespace-needs-admin.*refused-by-policy'
explain 'a call that was interrupted is no failure' 0 \
	'clone(child_stack=NULL, flags=SIGCHLD) = ? ERESTARTNOINTR (To be restarted)'

# ---- a log

cat >"$TMP/log" <<'END'
execve("/bin/sh", ["sh"], 0x7ffd /* 20 vars */) = 0
clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x7f206eaf8a10) = 29718
strace: Process 29718 attached
[pid 29718] read(3, "clone(flags=SIGCHLD) = 4", 24) = 24
[pid 29717] clone(child_stack=NULL, flags=CLONE_CHILD_CLEARTID|CLONE_CHILD_SETTID|SIGCHLD, child_tidptr=0x7f206eaf8000) = 29719
[pid 29717] vfork( <unfinished ...>
[pid 29719] unshare(CLONE_NEWUTS)       = -1 EPERM (Operation not permitted)
[pid 29717] <... vfork resumed>)        = 29720
+++ exited with 0 +++
END
log 'a log' 1 <"$TMP/log"
is 'is three kinds of call' "$(calls)" 3
head_like 'with their numbers' '\(2 times, first in line 2\)$'
unlike 'an address that differs is not shown' "$(row CHILD_SETTID)" 0x
is 'and no complaint' "$(cat "$TMP/err")" ''
sed 's/$/\r/' "$TMP/log" >"$TMP/crlf"
cp "$TMP/out" "$TMP/want"
log 'with the line ends of another system' 1 <"$TMP/crlf"
is 'it is the same' "$(cat "$TMP/out")" "$(cat "$TMP/want")"
explain 'and as one argument' 1 "$(cat "$TMP/log")"
is 'again' "$(cat "$TMP/out")" "$(cat "$TMP/want")"
log 'in JSON' 1 --jsonl <"$TMP/log"
numbers() { grep -o '"line":[0-9]*' "$TMP/out" | tr -dc '0-9\n' | xargs; }
is 'each call has its line, the first of two' "$(numbers)" '2 5 7 6'
# Words and lines of one stream are counted alike.
printf 'vm\nfork() = 3\n\nhello\nfork() = 4\n' >"$TMP/mixed"
log 'words and lines' 0 --jsonl <"$TMP/mixed"
is 'have their lines too' "$(numbers)" '1 2 5'
log 'a line that is none' 2 <<<'clone(flags=CLONE_SOMETHING_NEW) = 5'
said 'is quoted with its number' "line 1: 'clone\(flags=CLONE_SOMETHING_NEW"
log 'a log of other things' 0 <<<'hello'
said 'is told' 'no call that makes a task .* in 1 line'

# ---- anything on standard input

log 'nothing at all' 0 </dev/null
is 'is nothing to explain' "$(cat "$TMP/out" "$TMP/err")" ''
log 'an empty document' 0 --json </dev/null
is 'is one' "$(tr -d ' \n' <"$TMP/out")" '{"schema":1,"calls":[]}'
no_input() { timeout 20 "$RAMET" explain - <&-; }
status 'no standard input' 2 no_input
said 'is told' 'cannot read standard input'
{
	head -c 400000 /dev/urandom
	printf '\nclone(child_stack=NULL, flags=SIGCHLD) = 5 \377\033[31m\n\0\0\n'
} >"$TMP/garbage"
timeout 20 "$RAMET" explain --jsonl - <"$TMP/garbage" >"$TMP/out" 2>"$TMP/err"
like 'bytes of all kinds do no harm' $? '^[012]$'
is 'a call among them is found' "$(grep -c '"result":5' "$TMP/out")" 1
printf 'clone(flags=CLONE_X\033[2J\377) = 5\n' >"$TMP/strange"
timeout 20 "$RAMET" explain - <"$TMP/strange" 2>>"$TMP/err"
like 'nor in what is said of them' "$(tail -n 1 "$TMP/err")" "line 1: 'clone\(flags=CLONE_X\?\[2J\?\) = 5'"
is 'none gets through to a terminal' "$(LC_ALL=C tr -d '\n\t -~' <"$TMP/out" | wc -c)$(LC_ALL=C tr -d '\n -~' <"$TMP/err" | wc -c)" 00
{
	head -c 1000000 /dev/zero | tr '\0' x
	printf '\nfork() = 5\n'
	printf 'clone(child_stack=NULL, flags=SIGCHLD'
	head -c 1000000 /dev/zero | tr '\0' ' '
	printf ') = 7\nfork() = 6'
} >"$TMP/long"
log 'lines of a megabyte' 2 --jsonl <"$TMP/long"
is 'are counted as lines' "$(grep -o '"result.*' "$TMP/out" | grep -o '[0-9]*' | xargs)" '5 2 6 4'
said 'and not read in part' 'line 3: .*\.\.\..* not understood'
endless() { (ulimit -v 400000 && head -c 300000000 /dev/zero | timeout 30 "$RAMET" explain -); }
if [ "$SANITIZED" = no ]; then
	status 'a stream without lines needs no memory' 0 endless
else
	skip 1 'a sanitizer needs more'
fi

# ---- words that are none

explain 'a typing error' 2 CLONE_VN
said 'is met with a proposal' 'did you mean CLONE_VM\?'
explain 'another' 2 frok
said 'of a preset' 'did you mean fork\?'
explain 'a signal without SIG' 2 'CHLD'
said 'of a signal' 'did you mean SIGCHLD\?'
explain 'an empty word' 2 ''
explain 'a bar too many' 2 'VM|'
explain 'too large a number' 2 18446744073709551616
explain 'a negative one' 2 -- -1
explain 'two signals' 2 'SIGCHLD|SIGUSR1'
explain 'no option' 2 -x
explain 'one good, one bad' 2 fork nonsense
like 'explains the good one' "$(cat "$TMP/out")" '^fork\(\)'
explain 'one accepted, one refused' 1 fork sighand
is 'explains both' "$(calls)" 2

# ---- JSON

explain 'a document' 1 --json fork sighand
cp "$TMP/out" "$TMP/document"
explain 'a map of it all' 0 --json
cp "$TMP/out" "$TMP/map"
if command -v python3 >/dev/null; then
	cat >"$TMP/check.py" <<'END'
import json, re, sys
page = open(sys.argv[1]).read()
table = re.search(r"\|\[ \*input\*.*?\n\n", page, re.S).group(0)
keys = [k for line in table.split("\n") if line[:1] == "|" for k in re.findall(r"\*(\w+)\*", line)]
assert len(keys) >= 18, keys
optional = ["rules", "accepted_instead", "task", "result", "source", "line"]
doc = json.load(sys.stdin)
assert doc["schema"] == 1 and len(doc["calls"]) == 2, doc
for call in doc["calls"]:
    assert all(k in call for k in keys if k not in optional), call
    assert all(k in keys for k in call), call
fork, sighand = doc["calls"]
assert fork["verdict"] == "accepted" and fork["preset"] == "fork" and fork["errno"] is None
assert fork["value"] == 0x1200000 and fork["exit_signal"] == "SIGCHLD"
assert fork["gives"]["memory"] == "copy" and len(fork["gives"]) == 18
assert sighand["verdict"] == "refused" and sighand["errno"] == "EINVAL"
assert sighand["rule"] == "sighand-needs-memory" and sighand["gives"] is None
assert sighand["accepted_instead"][0]["flags"] == "CLONE_VM|CLONE_SIGHAND"
END
	ok 'with every key of the manual and no other' \
		python3 "$TMP/check.py" "$SRCDIR/man/ramet-explain.1.scd" <"$TMP/document"
	ok 'is JSON' python3 -c '
import json, sys
doc = json.load(sys.stdin)
assert doc["schema"] == 1 and len(doc["presets"]) == 6
print(" ".join(flag["name"] for flag in doc["flags"]))' <"$TMP/map"
	flags=$(cat "$TMP/out")
	"$RAMET" explain --json - <"$TMP/garbage" >"$TMP/bytes" 2>/dev/null
	ok 'a log of any bytes is JSON' \
		python3 -c 'import json; json.load(open(0, encoding="utf-8"))' <"$TMP/bytes"
else
	skip 3 'no python3'
	flags='VM FILES'
fi
wrong=
for flag in $flags; do
	timeout 5 "$RAMET" explain --caller uid=0 --kernel 7.2 "$flag" >"$TMP/one" 2>&1
	[ $? -le 1 ] && [ "$(wc -l <"$TMP/one")" -ge 4 ] || wrong+="$flag "
done
is 'every flag of the map is understood' "$wrong" ''

# Numbers of all known bits, an object each.
awk 'BEGIN { srand(7); for (i = 0; i < 20000; i++) printf "0x%x\n", int(rand() * 4294967296) }' >"$TMP/words"
from=$(date +%s%N)
log 'twenty thousand words' 1 --jsonl <"$TMP/words"
diag "20000 words in $((($(date +%s%N) - from) / 1000000)) ms"
is 'an object each' "$(grep -c '^{"input":"0x.*}$' "$TMP/out")" 20000

# An object is there as soon as its line was read.
mkfifo "$TMP/in"
timeout 20 "$RAMET" explain --jsonl - <"$TMP/in" >"$TMP/out" &
exec 7>"$TMP/in"
echo fork >&7
for _ in $(seq 100); do
	[ -s "$TMP/out" ] && break
	sleep 0.05
done
like 'an object comes before the input ends' "$(cat "$TMP/out")" '^\{"input":"fork".*\}$'
exec 7>&-
wait $!
is 'and then it ends' $? 0

# ---- the map and the walk

explain 'the map' 0
for word in VM NEWUSER EMPTY_MNTNS pthread_create LinuxThreads; do
	like "has $word" "$(cat "$TMP/out")" "$word"
done
explain 'a walk' 0 --walk fork
like 'names what was do_fork' "$(cat "$TMP/out")" 'do_fork'
like 'and copy_mm' "$(cat "$TMP/out")" 'copy_mm'
explain 'a walk that ends' 1 --walk sighand
like 'says where' "$(cat "$TMP/out")" 'refused here.*sighand-needs-memory'

# ---- what real tools print

cat >"$TMP/threads.c" <<'END'
#include <pthread.h>
static void *run(void *arg) { return arg; }
int main(void)
{
	pthread_t thread;
	for (int i = 0; i < 3; i++)
		if (pthread_create(&thread, NULL, run, NULL) || pthread_join(thread, NULL))
			return 1;
	return 0;
}
END
if timeout 20 strace -f -o /dev/null true 2>/dev/null; then
	timeout 60 strace -f -o "$TMP/trace" sh -c 'echo a | cat | tr a b >/dev/null; (exit 0); true' 2>/dev/null
	log 'a pipeline of a shell' 0 <"$TMP/trace"
	like 'forks' "$(cat "$TMP/out")" '^(v?fork)\(\): a new process'
	is 'and no line is strange' "$(cat "$TMP/err")" ''
	if ${CC-cc} -pthread -o "$TMP/threads" "$TMP/threads.c" 2>/dev/null; then
		timeout 60 strace -f "$TMP/threads" 2>"$TMP/trace"
		log 'a program with threads' 0 <"$TMP/trace"
		like 'makes three of them' "$(cat "$TMP/out")" '^pthread_create\(\): a new thread .*\(3 times'
	else
		skip 2 'no compiler'
	fi
	if [ "$SANITIZED" = no ]; then
		# What it makes for itself is among the issuers.
		timeout 60 strace -f -o "$TMP/trace" "$RAMET" run true 2>/dev/null
		log 'ramet run itself' 0 <"$TMP/trace"
		is 'is known' "$(grep '^[^ ]' "$TMP/out" | grep -vc '^ramet_launch(): a new process')" 0
	else
		skip 2 'a sanitizer has calls of its own'
	fi
else
	skip 7 'strace cannot trace here'
fi

# ---- a terminal

if ${CC-cc} -O1 -o "$TMP/pty" "$SRCDIR/tests/lib/pty.c" 2>/dev/null && "$TMP/pty" own '' true; then
	shown() { timeout -k 1 20 "$TMP/pty" own '' "$@" </dev/null 2>&1 | tr -d '\r' >"$TMP/out"; }
	shown env COLUMNS=60 "$RAMET" explain --walk fork
	is 'a narrow terminal is not too narrow for a walk' "$(awk 'length > 100' "$TMP/out" | wc -l)" 0
	shown env COLUMNS=60 "$RAMET" explain fork
	is 'lines are wrapped' "$(tail -n +2 "$TMP/out" | awk 'length > 60')" ''
	like 'under their text' "$(cat "$TMP/out")" $'\n                   [a-z]'
	shown env COLUMNS=200 "$RAMET" explain fork
	unlike 'where there is room they are not' "$(cat "$TMP/out")" $'\n                   [a-z]'
	shown env NO_COLOR=1 "$RAMET" explain --walk sighand
	unlike 'NO_COLOR' "$(cat "$TMP/out")" $'\e'
	shown "$RAMET" explain --walk sighand
	like 'else what refuses is marked' "$(cat "$TMP/out")" $'\e\\[31m'
else
	skip 6 'needs a compiler and pseudo-terminals'
fi

# ---- where it writes, who asks

full() { timeout 20 "$RAMET" explain "$@" >/dev/full; }
status 'a full disk is told' 2 full fork
said 'with the reason' 'No space left'
is 'once' "$(wc -l <"$TMP/err")" 1
full_log() { full --jsonl - <"$TMP/words"; }
status 'and where much is written' 2 full_log
said 'with the same reason' 'No space left'
no_output() { timeout 20 "$RAMET" explain fork >&-; }
status 'no standard output' 2 no_output
piped() { timeout 20 "$RAMET" explain --jsonl - <"$TMP/words" | head -n 1 >/dev/null; echo "${PIPESTATUS[0]}"; }
is 'a closed pipe ends it' "$(piped)" 141
ok 'an ordinary user may ask' as_user "$RAMET" explain fork
if [ "$SANITIZED" = no ] && [ "$(id -u)" -eq 0 ] && unshare -m true 2>/dev/null; then
	# shellcheck disable=SC2016
	status 'without /proc' 0 unshare -m sh -c 'umount -l /proc && exec timeout 20 "$0" explain fork newnet' "$RAMET"
	is 'nothing is missing' "$(calls)" 2
else
	skip 2 'needs CAP_SYS_ADMIN, and no sanitizer'
fi

done_testing
