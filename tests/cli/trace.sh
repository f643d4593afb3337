# SPDX-License-Identifier: MIT
# ramet trace: programs behave as they do without it, no event is lost, every view, what is hard to
# trace, and what is left when it ends.
. "$SRCDIR/tests/tap.sh"

export LC_ALL=C.UTF-8
cd "$TMP" || exit 1
if ! ${CC-cc} -D_GNU_SOURCE -O1 -I"$SRCDIR/src" -o "$TMP/workload" "$SRCDIR/tests/lib/workload.c" \
	-pthread 2>"$TMP/err"; then
	skip_all "the programs to be traced do not compile: $(head -n 1 "$TMP/err")"
fi
if ! timeout 20 "$RAMET" trace -o "$TMP/trace" -- true 2>"$TMP/err"; then
	skip_all "ramet cannot trace here: $(head -n 1 "$TMP/err")"
fi
python=$(type -P python3)

# trace ARG…: never hangs. What it wrote is in $TMP/trace if -o names it.
trace() { timeout -k 5 60 "$RAMET" trace "$@"; }

# sum KEY: of the last line of a JSON trace.
sum() { tail -n 1 "$TMP/trace" | grep -oE "\"$1\":[0-9]+" | cut -d : -f 2; }

# ---- Wrong use

status 'no program' 125 trace
like '  is said' "$(cat "$TMP/err")" 'either a program or --pid'
status 'a program and a process' 125 trace -p 1 true
status 'two views' 125 trace --json --view tree true
status 'no such view' 125 trace --view nice true
status 'a program that is not there' 127 trace ./nothing
is '  is said once' "$(cat "$TMP/err")" 'ramet: trace: ./nothing: No such file or directory'
status 'one that cannot be run' 126 trace /etc/passwd
status 'no such process' 125 trace -p 4194304
like '  is said' "$(cat "$TMP/err")" 'no process 4194304'
status 'not itself' 125 bash -c 'exec "$0" trace -p $$' "$RAMET"
status 'no such folder' 125 trace -o /nowhere/file true

# ---- The program's own end

status 'exit status' 7 trace -o trace -- sh -c 'exit 7'
status 'killed' 143 trace -o trace -- sh -c 'kill $$'
is 'standard output is the program'\''s' "$(trace -o trace -- sh -c 'echo out; echo err >&2' 2>&1)" \
	$'out\nerr'
is 'standard input too' "$(echo text | trace -o trace -- cat)" text

# ---- Workloads: their status says whether they saw what they should

for mode in '' --events-only --verify; do
	for load in 'threads 300 300' 'forks 60 60' 'spawns 30 30' 'live 200 200' 'mixed 400 404' \
		'thread-exec 1 3' 'leader-ends 1 1' 'stops 2 4' 'signals 100 100' 'stop-threads 40 -' \
		'storm 8 -' 'own-filter 1 2' 'busy 1000 0'; do
		read -r name count made <<<"$load"
		status "$name${mode:+ $mode}" 0 trace $mode --json -o trace -- ./workload "$name" "$count"
		[ "$made" = - ] || is '  every creation is there' "$(sum made)" "$made"
		[ "$mode" != --verify ] || is '  and kcmp agrees' "$(sum differ)" 0
		# A thread that calls exec goes on under its process' number.
		moved=$(sed -nE 's/.*"event":"exec".*"task":([0-9]+),.*"thread":([0-9]+).*/\1 \2/p' trace |
			awk '$1 != $2' | wc -l)
		is '  who began has ended' "$(($(sum ended) + moved))" \
			"$(($(sum made) + $(grep -c '"event":"begin"' trace)))"
	done
done
status 'calls that are refused' 0 trace -o trace -- ./workload refused
like '  a rule for unshare' "$(cat trace)" 'unshare +refused, EINVAL: .* Rule not-to-be-unshared'
like '  a rule for clone' "$(cat trace)" 'clone +refused, EINVAL: .* Rule sighand-needs-memory'
like '  a rule for setns' "$(cat trace)" 'setns +refused, EBADF: .* Rule setns-descriptor-not-open'
like '  and counted' "$(cat trace)" '3 refused'
if ./workload tracer; then
	status 'a program that traces' 1 trace -o trace -- ./workload tracer
else
	status 'a program that would trace gets EPERM' 0 trace -o trace -- ./workload tracer
fi
status 'CLONE_UNTRACED' 0 trace --json -o trace -- ./workload untraced
is '  is traced all the same' "$(sum made)" 2
status 'CLONE_UNTRACED without a filter' 0 trace --events-only --json -o trace -- ./workload untraced
is '  is not' "$(sum made)" 0
./workload int80
if [ $? = 77 ]; then
	skip 4 'no 32-bit calls here'
else
	for mode in '' --events-only; do
		status "int 0x80 $mode" 0 trace $mode --json -o trace -- ./workload int80
		like '  is read as what it is' "$(cat trace)" '"call":"clone","value":1024,"flags":\["FILES"\]'
	done
fi

# A 32-bit program: fork, and exit of both.
cat >small.S <<'END'
	.globl _start
_start:	mov $2, %eax
	int $0x80
	mov $1, %eax
	xor %ebx, %ebx
	int $0x80
END
if ${CC-cc} -m32 -static -nostdlib -o small small.S 2>err && ./small 2>err; then
	status 'a 32-bit program' 0 trace --json -o trace -- ./small
	like '  its fork' "$(cat trace)" '"call":"fork","value":0,"flags":\[\],"exit_signal":"SIGCHLD"'
else
	skip 2 "no 32-bit programs: $(head -n 1 err)"
fi

# ---- No event is lost

runs=3 count=5000
if [ "${RAMET_LONG-}" ]; then runs=20 count=20000; fi
lost=
for ((i = 0; i < runs; i++)); do
	trace --json -o trace -- ./workload threads $count || lost+="status $? "
	[ "$(sum made) $(sum ended)" = "$count $((count + 1))" ] || lost+="$(sum made) $(sum ended) "
	[ "$(grep -c '"event":"made"' trace)" = $count ] || lost+='lines '
done
is "$runs runs of $count threads" "$lost" ''
lost=
for ((i = 0; i < runs; i++)); do
	trace --events-only --json -o trace -- ./workload mixed $((count / 5)) || lost+="status $? "
	[ "$(sum made)" = $((count / 5 / 8 * 8 + 4)) ] || lost+="$(sum made) "
done
is "$runs runs of mixed forks and threads" "$lost" ''

# ---- What it runs in

state() {
	env -u _ -u SHLVL
	ulimit -a
	umask
	pwd
	grep -E '^(Sig[BICP]|Shd|Cap|NoNew|Umask|Uid|Gid|Groups|Cpus_allowed:)' /proc/self/status
	cat /proc/self/oom_score_adj /proc/self/cgroup
	ls -l /proc/self/fd | sed 's/.* \([0-9]*\) -> /\1 /; s/\[[0-9]*\]//' | grep -v '^3 /proc\|^total'
	ps -o pgid=,sid=,tty=,nice= -p $$
}
declare -f state >state.sh
echo 'trap - CHLD; state' >>state.sh
compare() {
	local name=$1 kind=$2
	shift 2
	bash -c "$*; bash state.sh" >want 2>&1 </dev/null
	bash -c "$*; '$RAMET' trace $kind -o /dev/null -- bash state.sh" >got 2>&1 </dev/null
	sed -i -E '/ (pipe|socket):|proc.[0-9]+.fd$/d; s,/got,/want,' want got
	cmp -s want got
	tap_result $? "the same $name" || diag "$(diff want got)"
}
kinds=--events-only
if [ "$(id -u)" -eq 0 ]; then kinds=' '; fi
compare 'environment, limits, signals, descriptors' "$kinds" :
compare 'and without the filter' --events-only :
compare 'ignored signals' "$kinds" "trap '' CHLD HUP INT PIPE TERM ALRM"
compare 'umask and limits' "$kinds" 'umask 077; ulimit -n 100; ulimit -c 0'
compare 'closed descriptors' "$kinds" 'exec 0<&- 7</dev/null'

# ---- Views

status 'live' 0 trace -o trace -- sh -c '/bin/true; (sleep 0.01; :); /bin/true'
like '  a vfork or fork' "$(cat trace)" '(vfork|posix_spawn|fork) +→ [0-9]+ +shares'
like '  sums' "$(tail -n 1 trace)" '^[0-9]+ tasks: .*\. 0 refused\.$'
is '  ASCII elsewhere' "$(LC_ALL=C trace -- sh -c '/bin/true; :' 2>&1 | LC_ALL=C grep -c '[^ -~]')" 0

# vforks without exec; a child that is killed; a maker that is, while it is held.
cat >held.c <<'END'
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
int main(void)
{
	for (int i = 0; i < 40; i++)
		if (vfork() == 0) {
			if (i % 2)
				execl("/nothing", "nothing", (char *)0);
			_exit(0);
		} else {
			wait(0);
		}
	if (vfork() == 0)
		kill(getpid(), SIGTERM);
	wait(0);
	if (fork() == 0 && vfork() == 0) {
		kill(getppid(), SIGKILL);
		usleep(10000);
		_exit(0);
	}
	wait(0);
	if (fork() == 0)
		_exit(0);
	wait(0);
	return 0;
}
END
if ${CC-cc} -w -o held held.c 2>err && ./held; then
	status 'vforks without exec' 0 trace -o trace -- ./held
	is '  held, all but that of the maker who is killed' \
		"$(grep -c ' vfork .*, held [0-9]' trace) of $(grep -c ' vfork ' trace)" '41 of 42'
	is '  each has its line before what became of it' \
		"$(awk '{ print $4 }' trace | grep -xE 'v?fork|killed' | tail -n 6 | xargs)" \
		'vfork killed fork vfork killed fork'
else
	skip 3 "no vfork here: $(head -n 1 err)"
fi
status 'tree' 0 trace --view tree -o trace -- sh -c './workload threads 9; for i in 1 2 3 4; do /bin/true; done; :'
like '  the program first' "$(sed -n 2p trace)" '^sh [0-9]+ '
like '  threads are folded' "$(cat trace)" '└─9 threads +pthread_create'
like '  so are children that are alike' "$(cat trace)" '└─4 × true '
status 'tree of a program that is killed' 137 trace --view tree -o trace -- sh -c 'kill -9 $$'
like '  says so' "$(cat trace)" 'killed by SIGKILL'
status 'summary' 0 trace --view summary -o trace -- ./workload big 300
like '  what it took' "$(cat trace)" '  3 fork .* [0-9.]+ (ms|s) +[0-9]+ MB +3'
cp "$(type -P true)" $'a\033[1m\nb'
status 'a name of a terminal'\''s signs' 0 trace -o trace -- $'./a\033[1m\nb'
like '  is made harmless' "$(cat trace)" ' a\?\[1m\?b [0-9]+ +begins'

if [ "$python" ]; then
	cat >check.py <<'END'
import json, sys
events = json.load(open(sys.argv[1]))["traceEvents"]
open_slices, flows, names, tasks = {}, {}, set(), set()
for e in events:
    track = (e["pid"], e["tid"])
    if e["ph"] == "B":
        open_slices.setdefault(track, []).append(e["ts"])
        tasks.add(track)
    elif e["ph"] == "E":
        assert e["ts"] >= open_slices[track].pop(), e
    elif e["ph"] == "X":
        assert e["dur"] > 0 and open_slices[track], e
        assert e["ts"] + 1e-3 >= open_slices[track][-1], e
    elif e["ph"] in "sf":
        assert open_slices[track], e
        flows.setdefault(e["id"], []).append(e["ph"])
    elif e["ph"] == "M":
        names.add(track)
    else:
        assert e["ph"] == "i", e
assert not any(open_slices.values()), "slices left open"
assert all(f == ["s", "f"] for f in flows.values()), "arrows without an end"
assert tasks <= names, "tracks without a name"
print(len(tasks), len(flows))
END
	status 'chrome' 0 trace --view chrome -o trace -- sh -c './workload threads 20; ./workload thread-exec; ./workload refused; /bin/true; :'
	want=$(trace -- sh -c './workload threads 20; ./workload thread-exec; ./workload refused; /bin/true; :' 2>&1 |
		sed -n 's/^\([0-9]*\) tasks: .*/\1/p')
	is '  a track a task, an arrow a creation' "$("$python" check.py trace)" "$((want + 1)) $want"
	status 'JSON' 0 trace --json -o trace -- sh -c './workload mixed 80; ./workload refused; printf "\"\\\\" >/proc/$$/comm; /bin/true; :'
	ok '  each line is an object' "$python" -c '
import json
for line in open("trace"): assert "event" in json.loads(line)'
else
	skip 4 'needs python3'
fi

# ---- Namespaces, privileges

if [ "$(id -u)" -eq 0 ] && unshare -fpm true 2>/dev/null; then
	status 'a pid namespace' 0 trace --json --verify -o trace -- unshare -fpm sh -c '/bin/true; (:); :'
	is '  kcmp agrees' "$(sum differ)" 0
	like '  its tasks have our numbers' "$(cat trace)" 'new pid for its children'
	status 'a container' 0 trace --json --verify -o trace -- env ASAN_OPTIONS=detect_leaks=0 "$RAMET" run --preset container sh -c '/bin/true; :'
	is '  kcmp agrees' "$(sum differ)" 0
	status 'nsenter' 0 trace --json --verify -o trace -- unshare -n sh -c 'nsenter -n -t $$ true; :'
	is '  kcmp agrees' "$(sum differ)" 0
	like '  and it is known with whom' "$(cat trace)" '"event":"joined".*"with":[0-9]+'
	cp "$(type -P id)" setuid-id && chown 65534 setuid-id && chmod 4755 setuid-id
	is 'a set-user-id program' "$(trace -o trace -- ./setuid-id -u)" "$(./setuid-id -u)"
	rm setuid-id
else
	skip 9 'needs root with namespaces'
fi
chmod 777 "$TMP"
is 'as an ordinary user' "$(as_user timeout -k 5 20 "$RAMET" trace -- sh -c '/bin/true; :' 2>&1 | tail -n 1)" \
	"$(trace -- sh -c '/bin/true; :' 2>&1 | tail -n 1)"
if as_user unshare -n true 2>/dev/null; then
	skip 1 'an ordinary user may make namespaces here'
else
	like '  refused for want of a capability' \
		"$(as_user timeout -k 5 20 "$RAMET" trace -- unshare -n true 2>&1)" \
		'unshare +refused, EPERM: .* Rule new-namespace-needs-admin'
fi
chmod 755 "$TMP"
if [ "$(id -u)" -eq 0 ]; then
	status 'another user'\''s process' 125 as_user "$RAMET" trace -p $$
	like '  is said' "$(cat "$TMP/err")" 'belongs to user 0: CAP_SYS_PTRACE'
else
	skip 2 'needs root'
fi

# ---- Attaching

# state_of PID: of all threads, and who traces them.
states() { sed -nE 's/^(State|TracerPid):\s*(\S+).*/\2/p' /proc/"$1"/task/*/status 2>/dev/null | sort | uniq -c | xargs; }
# until COMMAND…: ten seconds at most.
until_is() {
	local n=0
	until "$@" >/dev/null 2>&1; do
		[ $((n++)) -lt 500 ] || return 1
		sleep 0.02
	done
}

# All 21 are told as there, and one as made since: it has hold of all and catches signals.
attached() { [ "$(grep -c '"event":"begin"' trace)" -ge 21 ] && grep -q '"event":"made"' trace; }

./workload live-on 20 &
load=$!
# The first thread sleeps once it has started the others.
until_is grep -q nanosleep /proc/$load/wchan
rm -f trace
timeout -k 5 30 "$RAMET" trace -p $load --json -o trace &
tracing=$!
until_is attached
kill -INT "$(pgrep -P $tracing)"
wait $tracing
is 'detached: exit status' $? 0
is '  no task is left stopped or traced' "$(states $load | grep -oE '[0-9]+ (T|t|[1-9][0-9]+)$')" ''
ok '  21 tasks were there, or more' test "$(grep -c '"event":"begin"' trace)" -ge 21
ok '  some were made' test "$(sum made)" -gt 0
is '  nothing that the model did not follow' "$(sum not_followed)" 0
# Of one that ended while it was asked about nothing is known.
ok '  their files are known to be shared' test "$(grep '"event":"begin"' trace | grep -o '"files":[0-9]*' |
	sort | uniq -c | sort -rn | awk 'NR == 1 { print $1 }')" -ge 20
like '  still at work' "$(states $load)" '^[2-6][0-9] 0 '
kill -KILL $load
wait $load 2>/dev/null

sh -c 'kill -STOP $$; exit 3' &
load=$!
until_is grep -q '^State:.T' /proc/$load/status
timeout -k 5 30 "$RAMET" trace -p $load -o trace &
tracing=$!
until_is grep -q 'TracerPid:.[1-9]' /proc/$load/status
sleep 0.1
kill -TERM "$(pgrep -P $tracing)"
wait $tracing
until_is grep -q 'TracerPid:.0' /proc/$load/status
sleep 0.1
until_is grep -q '^State:.T' /proc/$load/status
like 'a stopped process stays stopped' "$(grep State /proc/$load/status)" 'T \(stopped'
kill -CONT $load
wait $load
is '  until it is continued' $? 3

# ---- What ends it

# The program, $load, runs and is traced: not what is to become it.
sleeping() {
	load=$(pgrep -P "$(pgrep -P $tracing)" -xf 'sleep 41\.5') &&
		grep -q '^TracerPid:.[1-9]' "/proc/$load/status"
}

timeout -k 5 30 "$RAMET" trace -o trace -- sleep 41.5 &
tracing=$!
until_is sleeping
kill -KILL "$(pgrep -P $tracing)"
{ wait $tracing; } 2>/dev/null
ok 'ramet is killed: behind the filter the program is, too' until_is test ! -e "/proc/$load"
timeout -k 5 30 "$RAMET" trace --events-only -o trace -- sleep 41.5 &
tracing=$!
until_is sleeping
kill -KILL "$(pgrep -P $tracing)"
wait $tracing 2>/dev/null
sleep 0.1
until_is grep -q '^State:.S' "/proc/$load/status"
like '  without it, it runs on' "$(states "$load")" '1 0 1 S'
kill "$load"

timeout -k 5 30 "$RAMET" trace -o trace -- sleep 41.5 &
tracing=$!
until_is sleeping
kill -TERM "$(pgrep -P $tracing)"
wait $tracing
is 'a signal is handed on' $? 143
like '  and the end told' "$(cat trace)" 'killed +by SIGTERM'

status 'a full disk: the program ends as it would' 125 \
	trace -o /dev/full -- sh -c './workload mixed 4000; echo "$?" >ended'
is '  its own status' "$(cat ended)" 0
like '  and it is said' "$(cat "$TMP/err")" 'cannot write: No space'
for view in --json '--view live' '--view tree' '--view summary' '--view chrome'; do
	for program in true './workload forks 100'; do
		trace $view -o /dev/full -- $program 2>err
		is "a full disk, $view, $program: said once" "$? $(cat err)" \
			'125 ramet: trace: cannot write: No space left on device'
	done
done
rm -f ended
{
	trace -- sh -c 'until [ -e closed ]; do sleep 0.02; done; ./workload forks 50; echo "$?" >ended' 2>&1 >/dev/null
	echo $? >code
} | {
	exec <&-
	: >closed
}
is 'a closed pipe: the same' "$(cat code) $(cat ended)" '125 0'

# ---- Job control

if ${CC-cc} -O1 -o "$TMP/pty" "$SRCDIR/tests/lib/pty.c" 2>/dev/null && "$TMP/pty" own '' true; then
	cat >jobs.sh <<'END'
set -m
sleep 30 & job=$!
kill -STOP $job
until [ "$(jobs -s)" ]; do sleep 0.02; done
jobs | sed 's/ *$//'
bg %1 >/dev/null
for _ in $(seq 500); do
	grep -qx sleep /proc/$job/comm && grep -q '^State:.S' /proc/$job/status && break
	sleep 0.02
done
grep State /proc/$job/status
kill $job
wait $job
echo "$?"
(trap 'echo int; exit 4' INT; echo ready; while :; do sleep 0.05; done)
echo "$?"
END
	jobs_of() { timeout -k 2 30 "$TMP/pty" own $'\003' "$@" </dev/null 2>&1 | tr -d '\r'; }
	is 'job control is the same' "$(jobs_of "$RAMET" trace -o trace -- bash jobs.sh)" "$(jobs_of bash jobs.sh)"
	is '  without the filter' "$(jobs_of "$RAMET" trace --events-only -o trace -- bash jobs.sh)" \
		"$(jobs_of bash jobs.sh)"
else
	skip 2 'no terminal can be made here'
fi

done_testing
