# SPDX-License-Identifier: MIT
# ramet bench: every workload gives its figures within its time; what cannot be done is said before
# anything is measured; whatever ends it, what there was is told and nothing is left.
. "$SRCDIR/tests/tap.sh"
export LC_ALL=C
unset COLUMNS NO_COLOR
export TMPDIR=$TMP
mkdir "$TMP/open" && chmod 1777 "$TMP/open"

python=$(type -P python3)

# bench NAME STATUS ARG…: what it printed is in $TMP/out and $TMP/err.
bench() { status "$1" "$2" timeout 30 "$RAMET" bench "${@:3}"; }
said() { like "$1: told" "$(cat "$TMP/err")" "$2"; }

# What a run may leave behind: the program, processes, which carry a mark in their environment, and
# cgroups of processes that are no more.
export RAMET_BENCH_TEST=$$-$RANDOM
groups() {
	local group pid
	find /sys/fs/cgroup -maxdepth 6 -type d -name 'ramet-probe-*' 2>/dev/null | while read -r group; do
		pid=${group##*/ramet-probe-}
		# Its maker removes it before it ends.
		[ -e "/proc/${pid%%-*}" ] || [ ! -d "$group" ] || echo "$group"
	done
}
groups >"$TMP/groups"
left() {
	local file
	find "$TMP" -name 'ramet-bench-*'
	grep -lsxzF "RAMET_BENCH_TEST=$RAMET_BENCH_TEST" /proc/[0-9]*/environ | while read -r file; do
		grep -vsx grep "${file%environ}comm"
	done
	groups | grep -vxF -f "$TMP/groups"
}

# ---- help and list

bench '--help' 0 --help
workloads=$(sed -nE '/^Workloads:/,$s/^  ([a-z]+) .*/\1/p' "$TMP/out" | xargs)
is 'workloads' "$workloads" 'launch fds maps threads thread switch namespaces blocked burst sync'
bench '--list' 0 --list
cp "$TMP/out" "$TMP/list"
is 'the same ones' "$(sed -nE 's/^([a-z]+): .*/\1/p' "$TMP/list" | xargs)" "$workloads"
# listed WORKLOAD: the names of its series, a line each.
listed() { sed -nE "/^$1: /,/^\$/s/^  ([^ ]+( [^ ]+)*)  .*/\1/p" "$TMP/list"; }
like 'series of launch' "$(listed launch | xargs)" \
	'^fork\+exit fork\+exec vfork\+exec posix_spawn floor ramet-spawn ramet-spawn-pidfd .*pthread raw-thread'

# ---- every workload

cat >"$TMP/check.py" <<'END'
import json, math, sys

path, workload, budget, begun, ended, listed = sys.argv[1:]
r = json.load(open(path), parse_constant=lambda word: sys.exit('not JSON: ' + word))
listed = listed.split('\n')
wrong = []


def want(what, good):
    if not good:
        wrong.append(what)


keys = 'schema workload machine command series ratios growth parent seconds budget trials ' \
    'interrupted cut_short seed'
for key in keys.split():
    want('no ' + key, key in r)
want('schema', r['schema'] == 1)
want('workload', r['workload'] == workload)
want('command', r['command'].startswith('ramet bench ' + workload))
for key in 'system processor processors libc governor load date'.split():
    want('no machine.' + key, key in r['machine'])
names = [s['name'] for s in r['series'] if not s['huge']]
want(f'series {names}, not {listed}', names == listed)
want('huge: ' + str(r['series']), all(s['name'].endswith(' huge') == s['huge'] for s in r['series']))
for facts in r['parent']:
    seen = any(p['n'] for q in r['series'] if q['huge'] == facts['huge']
               for p in q['points'] if p['x'] == facts['x'])
    want('parent: ' + str(facts), not seen or (facts['VmRSS'] > 0 and facts['VmPTE'] > 0))
measured = 0
for s in r['series']:
    xs = [p['x'] for p in s['points']]
    want('points of ' + s['name'], xs == sorted(set(xs)) and xs == [p['x'] for p in r['series'][0]['points']])
    for p in s['points']:
        at = f"{s['name']} at {p['x']}: "
        for key in 'median_us p10_us p90_us n'.split():
            want(at + 'no ' + key, key in p)
        want(at + 'half an interval', (p['low_us'] is None) == (p['high_us'] is None))
        want(at + str(p['why']), 'too soon' not in str(p['why']))
        want(at + 'samples', len(p['samples_us']) == p['n'])
        if p['n'] == 0:
            want(at + 'nothing and no reason', p['median_us'] is None and p['why'])
            continue
        measured += 1
        us = sorted(sample[2] for sample in p['samples_us'])
        want(at + 'order', 0 < p['p10_us'] <= p['median_us'] <= p['p90_us'])
        median = (us[(len(us) - 1) // 2] + us[len(us) // 2]) / 2
        want(at + f"median {p['median_us']} of {median}", abs(p['median_us'] - median) <= 1e-4 * median)
want('nothing was measured', measured)
for ratio in r['ratios']:
    for key in 'a b x median low high'.split():
        want('no ratios.' + key, key in ratio)
for row in r['ratios'] + r['growth']:
    low, high = row['low'], row['high']
    want('interval: ' + str(row), low is high is None or
         None not in (low, high) and low <= row['median'] <= high)
# A machine may be busy with other things: it is the order that counts.
want(f"{r['seconds']} s of {budget} s", r['seconds'] < float(budget) + 25)
want(f'{int(ended) - int(begun)} ms of {budget} s', int(ended) - int(begun) < 1000 * (float(budget) + 25))
print('; '.join(wrong[:6]))
END

now_ms() { echo $(($(date +%s%N) / 1000000)); }

# run_workload NAME: in the background; three at a time, which is busy enough.
run_workload() {
	local begun
	begun=$(now_ms)
	timeout 60 "$RAMET" bench "$1" --budget 2s --json="$TMP/$1.json" --csv "$TMP/$1.csv" \
		--html "$TMP/$1.html" --svg "$TMP/$1.svg" >"$TMP/$1.txt" 2>"$TMP/$1.err"
	echo "$? $begun $(now_ms)" >"$TMP/$1.status"
}

pair=()
for workload in $workloads; do
	run_workload "$workload" &
	pair+=($!)
	if [ ${#pair[@]} -eq 3 ]; then wait "${pair[@]}" && pair=(); fi
done
wait
for workload in $workloads; do
	read -r got begun ended <"$TMP/$workload.status"
	is "$workload: exit status" "$got" 0
	# A machine that has little memory at the moment leaves out the largest heaps.
	is "$workload: nothing on standard error" \
		"$(grep -v 'can be taken without swapping' "$TMP/$workload.err")" ''
	like "$workload: text" "$(cat "$TMP/$workload.txt")" 'Median time of one (operation|task).*machine .*command +ramet bench '
	like "$workload: page" "$(tail -n 1 "$TMP/$workload.html")" '</html>$'
	like "$workload: plot" "$(tail -n 1 "$TMP/$workload.svg")" '</svg>$'
	is "$workload: samples" "$(head -n 1 "$TMP/$workload.csv")" series,x,trial,round,us,faults
	if [ "$python" ]; then
		ok "$workload: JSON" python3 -m json.tool "$TMP/$workload.json"
		is "$workload: what is in it, and when it ended" \
			"$(python3 "$TMP/check.py" "$TMP/$workload.json" "$workload" 2 "$begun" "$ended" \
				"$(listed "$workload")" 2>&1)" ''
	else
		skip 2 'needs python3'
	fi
done
is 'nothing is left' "$(left)" ''

bench 'calls are counted' 0 launch --heap 2M --pages small --only floor,ramet-spawn --budget 1s --count
like 'and told' "$(cat "$TMP/out")" 'System calls of one operation.*floor +4 \(2 by the caller, 2 by the child\): clone3'
bench 'points and series that are asked for' 0 fds --fds 20,40 --only floor --budget 1s --json --pin 0
like 'are those' "$(cat "$TMP/out")" '"name":"floor".*"x":20,.*"x":40,'
unlike 'and no others' "$(cat "$TMP/out")" '"name":"posix_spawn"'

# ---- what cannot be done is said before anything is done

refused() {
	local name=$1 want=$2 begun
	shift 2
	begun=$(now_ms)
	bench "$name" 2 "$@" --budget 20s
	said "$name" "$want"
	ok "$name: soon" test $(($(now_ms) - begun)) -lt 5000
}
refused 'no such workload' "no workload 'lanch'; did you mean launch\?" lanch
refused 'nothing like it' "no workload 'xyzzy'; --list" xyzzy
refused 'two workloads' "one workload at a time" fds maps
refused 'points of another' '--heap is not what fds depends on; its points are --fds' fds --heap 2M
refused 'points of none' 'switch does not depend on anything' switch --heap 2M
refused 'two axes' 'another option has given the points' launch --heap 2M --fds 10
refused 'too much memory' '9000 GB asked, [0-9.]+ [GM]B can be taken.*or ask for less' launch --heap 9000G
refused 'beside what fits' '9000 GB asked' launch --heap 2M,9000G
refused 'more than there are bytes' 'numbers parted by commas' launch --heap 99999999999T
refused 'no number' "'x' is not numbers parted by commas" launch --heap x
refused 'an empty list' 'numbers parted by commas' launch --heap ''
refused 'nothing behind a comma' 'numbers parted by commas' launch --heap 2M,
refused 'the same point twice' 'a list with each point once' launch --heap 2M,2048K
refused 'too many points' 'at most 16 points' fds --fds 10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26
refused 'no such series' "fds has no series 'flor'; did you mean floor\?" fds --only posix_spawn,flor,ramet-spawn
refused 'no series like it' "fds has no series 'xyzzy'; --list" fds --only xyzzy
refused 'a series of another workload' "launch has no series 'mutex'; --list" --only floor,mutex
refused 'no name behind a comma' "fds has no series ''; --list" fds --only floor,
refused 'no such peer' "fds has no series 'god'; did you mean good\?" fds --only floor,god --peer good=true
refused 'no trials' 'a number from 1 to 50' --trials 0
refused 'a processor that is not there' 'number of a processor' --pin 9999
refused 'a peer without a command' 'NAME=COMMAND' --peer quick
refused 'a peer without a name' 'NAME=COMMAND' --peer =true
refused 'a program that is not there' '/no/such: No such file' --program /no/such
refused 'pages of no heap' 'fds has no heap' fds --pages huge
refused 'pages of another kind' 'small\|huge\|both' --pages large
refused 'an option' 'no option --hep; did you mean --heap' --hep 2M
for view in json csv html svg; do
	refused "--$view to nowhere" 'cannot write .*/nowhere/x: No such file' fds "--$view=$TMP/nowhere/x"
done
for budget in 0 -1 x 5h nan 1e9; do
	bench "--budget $budget" 2 "--budget=$budget" fds
	said "--budget $budget" 'a time from 0.5s to 1440m'
done
bench 'series of small pages' 1 blocked --heap 2M --pages huge --only floor --budget 1s
said 'series of small pages' 'none of these series is measured on huge pages'
bench 'a program that fails' 1 fds --program /bin/false --budget 1s
said 'a program that fails' 'the child ended with status 1'

# After a turn, twice as long a rest: else the next begins on a processor that is busy with it.
if [ "$python" ]; then
	bench 'rest' 0 launch --heap 2M --only posix_spawn,floor --budget 2s \
		--json="$TMP/rest.json"
	ok 'rest: most of the time' python3 -c 'import json, sys
r = json.load(open(sys.argv[1]))
told = sum(us for s in r["series"] for p in s["points"] for _, _, us in p["samples_us"]) / 1e6
sys.exit(not 0 < told * 3 < r["seconds"])' "$TMP/rest.json"
else
	skip 2 'needs python3'
fi

# Bounds of memory: of the process, and of a group above it.
if [ "$SANITIZED" = yes ]; then
	skip 3 'a sanitizer needs all the addresses there are'
else
	status 'ulimit -v' 2 bash -c "ulimit -v 300000 && exec $RAMET bench launch --heap 1G --budget 5s"
	said 'ulimit -v' '1 GB asked, [0-9]+ MB can be taken \(RLIMIT_AS\)'
	status 'what fits into it' 0 bash -c "ulimit -v 300000 && exec $RAMET bench launch --heap 2M --budget 1s"
fi
group=/sys/fs/cgroup/memory/ramet-test-$$
if [ -e /sys/fs/cgroup/memory/memory.limit_in_bytes ] && mkdir "$group" 2>/dev/null; then
	echo 200M >"$group/memory.limit_in_bytes"
	status 'the limit of a cgroup' 2 \
		sh -c "echo \$\$ >$group/cgroup.procs && exec $RAMET bench launch --heap 1G --budget 5s"
	said 'the limit of a cgroup' '1 GB asked, [0-9]+ MB can be taken \(memory.limit_in_bytes of cgroup '
	status 'what fits into it' 0 \
		sh -c "echo \$\$ >$group/cgroup.procs && exec $RAMET bench launch --heap 2M,32M --budget 1s"
	rmdir "$group"
else
	skip 3 'needs cgroup version 1 with memory, and root'
fi

# ---- ended early

# stop SIGNAL AFTER ARG…: its exit status in got, what it printed in $TMP/told.
stop() {
	local sig=$1 after=$2 run
	shift 2
	"$RAMET" bench "$@" >"$TMP/told" 2>"$TMP/told.err" &
	run=$!
	sleep "$after"
	kill "-$sig" $run
	wait $run
	got=$?
}
"$RAMET" bench switch --budget 20s >"$TMP/told" 2>&1 &
run=$!
for ((i = 0; i < 100; i++)); do
	[[ "$(left | xargs)" == *ramet-bench-*ramet* ]] && break
	sleep 0.1
done
like 'while it runs there is something' "$(left | xargs)" 'ramet-bench-[^ ]* .*ramet'
kill $run
wait $run
for sig in INT TERM; do
	stop $sig 1 launch --heap 2M,64M --only floor,posix_spawn --budget 30s --json
	is "SIG$sig: exit status" "$got" 130
	if [ "$python" ]; then
		ok "SIG$sig: JSON of what there was" python3 -c 'import json, sys
r = json.load(open(sys.argv[1]))
sys.exit(not (r["interrupted"] and any(p["n"] for s in r["series"] for p in s["points"])))' "$TMP/told"
	else
		skip 1 'needs python3'
	fi
	is "SIG$sig: nothing is left" "$(left)" ''
done
stop INT 1 launch --heap 2M,64M --only floor,posix_spawn --budget 30s
is 'text: exit status' "$got" 130
like 'text: it says so' "$(cat "$TMP/told")" 'Interrupted: this is what there was until then'
is 'text: nothing is left' "$(left)" ''
stop INT 1 namespaces --budget 30s
is 'namespaces: exit status' "$got" 130
is 'namespaces: nothing is left' "$(left)" ''

# A stage that is killed cannot take its cgroup down.
if [ -w /sys/fs/cgroup ] && [ "$EUID" = 0 ]; then
	"$RAMET" bench launch --only ramet-loaded --heap 2M --budget 8s >"$TMP/told" 2>&1 &
	run=$! made=
	for ((i = 0; i < 100 && ${#made} == 0; i++)); do
		sleep 0.05
		for stage in $(cat "/proc/$run/task/$run/children"); do
			made=$(find /sys/fs/cgroup -maxdepth 6 -type d -name "ramet-probe-$stage-*" 2>/dev/null)
			[ "$made" ] && break
		done
	done
	like 'a stage has a cgroup' "$made" 'ramet-probe-[0-9]+-0'
	kill -KILL "$stage"
	wait $run
	is 'a stage that is killed: nothing is left' "$(left)" ''
else
	skip 2 'needs root'
fi

# ---- output that goes nowhere

status 'a full disk' 1 bash -c "$RAMET bench fds --budget 0.5s >/dev/full"
said 'a full disk' 'cannot print: No space left'
status 'a full disk, JSON' 1 bash -c "$RAMET bench fds --budget 0.5s --json >/dev/full"
said 'a full disk, JSON' 'cannot print: No space left'
is 'told once' "$(grep -c 'No space left' "$TMP/err")" 1
status 'standard output is closed' 1 bash -c "$RAMET bench fds --budget 0.5s >&-"
said 'standard output is closed' 'cannot print: Bad file descriptor'
bench 'files on a full disk' 1 fds --budget 0.5s --json=/dev/full --csv /dev/full --html /dev/full --svg /dev/full
is 'each is told, and why' "$(grep -c 'cannot write /dev/full: No space left' "$TMP/err")" 4
like 'the text is there' "$(cat "$TMP/out")" 'Median time'
status 'the program cannot be written' 1 env TMPDIR=/no/such "$RAMET" bench fds --budget 0.5s
said 'the program cannot be written' 'no file in /no/such for the program to launch: No such file'

# ---- peers

printf '#!/bin/sh\necho ready\nwhile read -r n; do echo so many; done\n' >"$TMP/garbage"
cat >"$TMP/good" <<'END'
#!/bin/sh
[ "$1 $2" = 'fds 10' ] && [ -x "$RAMET_BENCH_PROGRAM" ] || { echo "cannot: $*" && exit; }
echo ready
while read -r n; do
	i=0 line=
	while [ $((i += 1)) -le "$n" ]; do line="$line 1000000"; done
	echo "$line"
done
END
printf '#!/bin/sh\necho ready\nread -r n\n' >"$TMP/dies"
sed 's/^echo ready/sleep 2.2; echo ready/' "$TMP/good" >"$TMP/slow"
chmod +x "$TMP/garbage" "$TMP/good" "$TMP/dies" "$TMP/slow"
bench 'peers' 0 fds --fds 10 --budget 3s --only good,ends,none,garbage,dies,mute,unable,ramet-spawn-keep,posix_spawn+closefrom \
	--peer "good=$TMP/good" --peer ends=true --peer none=/no/such --peer "garbage=$TMP/garbage" \
	--peer "dies=$TMP/dies" --peer 'mute=echo hello' --peer 'unable=echo cannot: for want of will'
flat=$(xargs -d '\n' <"$TMP/out" | tr -s ' ')
like 'one that speaks well is measured' "$flat" ' good 1\.?0* ms'
like 'and compared' "$flat" 'good takes [0-9.]+ x '
like 'one that ends, one that is missing' "$flat" '(ends, none|ends: left out.*none): left out: the peer ended at once'
like 'one that writes no numbers' "$flat" 'garbage: left out: the peer answers no numbers'
like 'one that ends later' "$flat" 'dies: left out: the peer has ended'
like 'one that says something else' "$flat" 'mute: left out: the peer does not speak as a peer does'
like 'one that cannot' "$flat" 'unable: left out: for want of will fds 10'
is 'none is left' "$(left)" ''
# What setting up takes is not taken from the time to measure in.
bench 'a peer that is slow to start' 0 fds --fds 10 --budget 6s --trials 3 --only slow --peer "slow=$TMP/slow"
like 'it is measured' "$(xargs -d '\n' <"$TMP/out" | tr -s ' ')" ' slow 1\.?0* ms'
bench 'peers alone, which fail' 1 fds --fds 10 --budget 1s --only ends --peer ends=true
said 'peers alone, which fail' 'the peer ended at once'

# ---- libramet-rt's side, done by a worker

export RAMET_BENCH_LIBC_START=$TMP/none
bench 'sync' 0 sync --budget 2s --trials 1
unset RAMET_BENCH_LIBC_START
like 'both libraries are measured' "$(cat "$TMP/out")" 'ramet-condition +[0-9.]+ [nmu]s'
like 'and compared' "$(cat "$TMP/out")" 'ramet-mutex takes [0-9.]+ x pthread-mutex '
like 'the C library lacks a static program' "$(xargs -d '\n' <"$TMP/out" | tr -s ' ')" \
	'libc-start: left out: no static program of the C library'
bench 'what a worker calls' 0 thread --burst 1 --budget 1s --trials 1 --count --only pthread,ramet-thread,ramet-pool
like 'is not counted' "$(cat "$TMP/out")" 'ramet-thread +not known: another process does it'
is 'nothing is left of it' "$(left)" ''

# ---- as an ordinary user

status 'as a user' 0 as_user env TMPDIR="$TMP/open" timeout 20 "$RAMET" bench launch --heap 2M --pages small \
	--only floor,ramet-spawn,ramet-loaded,fork+exec-loaded --trials 1 --budget 3s
like 'those that need root are left out, with the reason' "$(xargs -d '\n' <"$TMP/out" | tr -s ' ')" \
	'ramet-loaded, fork\+exec-loaded: left out: another user and groups need root'
like 'the others are not' "$(cat "$TMP/out")" 'ramet-spawn +[0-9.]+ [nmu]s'
status 'namespaces as a user' 0 as_user env TMPDIR="$TMP/open" timeout 20 "$RAMET" bench namespaces --budget 1s
like 'are left out likewise' "$(xargs -d '\n' <"$TMP/out" | tr -s ' ')" 'mnt.*: left out: '
is 'nothing is left of it' "$(left)" ''

done_testing
