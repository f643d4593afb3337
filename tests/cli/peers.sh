# SPDX-License-Identifier: MIT
# The peers of ./dev bench: each worker does what its row of peers.table says, and speaks as
# bench.h wants it. Then the tables that are made of results.
. "$SRCDIR/tests/tap.sh"

command -v gcc >/dev/null || skip_all 'no gcc, which builds the workers'

# By hand: RAMET_PEERS='' builds all that can be built here.
builds=${RAMET_PEERS-ramet glibc musl Python node}
export LIBRAMET=$BUILDDIR/src/libramet.a
[ "$SANITIZED" = no ] || builds=${builds/ramet/} # the library wants the sanitizer's own
# shellcheck disable=SC2086 # a list
"$SRCDIR/peers/build.sh" "$TMP/peers" $builds 2>"$TMP/err" || {
	diag "$(cat "$TMP/err")"
	exit 1
}
cat >"$TMP/tiny.c" <<-END
	int main(void) { return 0; }
END
gcc -O1 -o "$TMP/tiny" "$TMP/tiny.c" || exit 1
export RAMET_BENCH_PROGRAM=$TMP/tiny

all='launch fds maps burst blocked thread namespaces'
x_of() {
	case $1 in
	launch | blocked) echo 4194304 ;;
	fds | maps) echo 200 ;;
	namespaces) echo 0 ;;
	*) echo 3 ;;
	esac
}

# told COMMAND INPUT: what it says to these lines, its errors behind it, then its exit status.
told() {
	# shellcheck disable=SC2086 # words
	printf -- "$2" | timeout 30 $1 2>&1 | tr '\n' ';'
	echo "${PIPESTATUS[1]}"
}

no_worker='^cannot: this worker has no such workload;0$'
while IFS=$'\t' read -r kind name command workloads; do
	case $kind in
	missing) skip 1 "$name: $command" && continue ;;
	version)
		unlike "the version of $name" "$name" '^[^ ]* *$'
		continue
		;;
	esac
	first=${workloads%% *}
	for workload in $all; do
		got=$(told "$command $workload $(x_of "$workload")" '1\n2\n')
		if [[ " $workloads " != *" $workload "* ]]; then
			[[ $got =~ $no_worker ]] || like "$name: not $workload" "$got" '^ready;'
			continue
		fi
		if [[ $got = 'cannot: the scene cannot be set'* ]] || [[ $got = *'operation not permitted'* ]]; then
			skip 1 "$name: $workload: $got"
			continue
		fi
		like "$name: $workload" "$got" '^ready;[1-9][0-9]+;[1-9][0-9]+ [1-9][0-9]+;0$'
	done
	x=$(x_of "$first")
	is "$name: no line" "$(told "$command $first $x" '')" 'ready;0'
	for line in 0 -1 x 1x '' 99999999999999999999; do
		is "$name: line '$line'" "$(told "$command $first $x" "$line\n")" \
			'ready;worker: wanted is a number of operations;1'
	done
	like "$name: x no number" "$(told "$command $first 1x" '')" '^usage: .*;2$'
	like "$name: no x" "$(told "$command $first" '')" '^usage: .*;2$'
	like "$name: no workload of that name" "$(told "$command nothing 1" '')" "$no_worker"
	[ "$first" != thread ] || continue
	like "$name: the program missing" \
		"$(RAMET_BENCH_PROGRAM=$TMP/none told "$command $first $x" '1\n')" '^ready;worker: .*;1$'
	like "$name: the program fails" \
		"$(RAMET_BENCH_PROGRAM=/bin/false told "$command $first $x" '1\n')" '^ready;worker: .*;1$'
	is "$name: no program" "$(
		unset RAMET_BENCH_PROGRAM
		told "$command $first $x" ''
	)" 'worker: RAMET_BENCH_PROGRAM is not set;1'
done <"$TMP/peers/peers.tsv"

# Their programs have 0 to 2 and no more, whatever the worker has and its starter had; its
# environment and arguments are those that all give.
cat >"$TMP/look" <<-END
	#!/bin/sh
	{ ls /proc/self/fd; tr '\0' ' ' </proc/\$\$/environ; } >"$TMP/seen"
END
chmod 755 "$TMP/look"
grep ^peer "$TMP/peers/peers.tsv" | grep -w fds >"$TMP/of-fds"
while IFS=$'\t' read -r _ name command _; do
	RAMET_BENCH_PROGRAM=$TMP/look told "$command fds 50" '1\n' 9</dev/null >"$TMP/out"
	# 3 is the folder that ls reads.
	is "$name: descriptors and environment" "$(tr '\n' ' ' <"$TMP/seen")" '0 1 2 3 PATH=/usr/bin:/bin '
done <"$TMP/of-fds"

# ---- Tables ----

command -v python3 >/dev/null || {
	skip 1 'no python3'
	done_testing
}
table() { python3 "$SRCDIR/peers/table.py" "$@"; }
mkdir "$TMP/results"
machine='"machine": {"system": "Linux 9.9 pdp11", "processor": "Slow", "processors": 2, "libc": "glibc 1",
	"governor": "unknown", "hypervisor": "kvm", "memory": 25000000000, "load": [0.5, 1, 1],
	"date": "2026-01-02T03:04:05Z", "version": "0.1.0"}'

# point X US…: samples of a round each, in two trials; the same once more.
point() {
	local x=$1 i=0 samples=
	shift
	for us in "$@" "$@"; do
		samples+="${samples:+,}[$((i % 2)),$((i / 2)),$us]"
		i=$((i + 1))
	done
	echo "{\"x\": $x, \"n\": $i, \"median_us\": ${1-0}, \"why\": null, \"samples_us\": [$samples]}"
}
cat >"$TMP/results/launch.json" <<-END
	{"schema": 1, "workload": "launch", $machine, "growth": [], "series": [
	{"name": "posix_spawn", "points": [$(point 2097152 150 150 160 170)]},
	{"name": "ramet-spawn", "points": [$(point 2097152 100 100 100 100)]},
	{"name": "ramet-spawn-pidfd", "points": [$(point 2097152 130 130 130 130)],
	 "system_calls": {"caller": 5, "child": 3}},
	{"name": "floor", "points": [$(point 2097152 100 100 100 100)]}],
	"ratios": [{"a": "posix_spawn", "b": "ramet-spawn", "x": 2097152, "median": 1.55, "low": 1.5,
	 "high": 1.75, "rounds": 40}]}
END
cat >"$TMP/results/launch-peers.json" <<-END
	{"schema": 1, "workload": "launch", $machine, "growth": [], "series": [
	{"name": "ramet spawn", "points": [$(point 2097152 100 100 100 100)]},
	{"name": "fast", "points": [$(point 2097152 300 300 300 300)]},
	{"name": "broken", "points": [{"x": 2097152, "n": 0, "why": "it broke", "samples_us": []}]}],
	"ratios": []}
END
cat >"$TMP/results/blocked.json" <<-END
	{"schema": 1, "workload": "blocked", $machine, "growth": [], "series": [
	{"name": "posix_spawn", "points": [{"x": 2097152, "n": 1, "median_us": 700, "samples_us": [[0, 0, 700]]}]},
	{"name": "ramet-async", "points": [{"x": 2097152, "n": 1, "median_us": 100, "samples_us": [[0, 0, 100]]}]}],
	"ratios": []}
END
cat >"$TMP/results/sync.json" <<-END
	{"schema": 1, "workload": "sync", $machine, "growth": [], "series": [
	{"name": "ramet-mutex", "points": [$(point 0 9 9 9 9)]},
	{"name": "pthread-mutex", "points": [$(point 0 10 10 10 10)]},
	{"name": "ramet-start", "what": "of libramet-rt (7168 bytes), that ends",
	 "points": [$(point 0 60 60)]}], "ratios": []}
END
cat >"$TMP/results/burst.json" <<-END
	{"schema": 1, "workload": "burst", $machine, "growth": [], "series": [
	{"name": "posix_spawn", "points": [$(point 64 2 2)]}], "ratios": [{"a": "posix_spawn",
	 "b": "ramet-async", "x": 64, "median": 2, "low": 1, "high": 3, "rounds": 40}]}
END
printf '%b\n' 'version\tFast 1.0' 'peer\tfast\tf\tlaunch fds' 'peer\tbroken\tb\tlaunch' \
	'missing\tslow\tno slow here' >"$TMP/results/peers.tsv"
printf 'command\t./dev bench peers\nfailed\tmaps\tit fell down\n' >"$TMP/results/run.tsv"
ok 'tables of results' table "$TMP/results"
text=$(cat "$TMP/out")
row() { grep -F -- "| $1 |" <<<"$text"; }
is 'a ratio that ramet found, and more than must' "$(row 'small parent: posix_spawn / ramet')" \
	'| small parent: posix_spawn / ramet | ≥ 1.45 | ≥ 1.6 | 1.55 [1.50-1.75] | must |'
is 'a ratio from samples, and too much' "$(row 'ramet with a pidfd / the floor')" \
	'| ramet with a pidfd / the floor | ≤ 1.1 | ≤ 1.05 | 1.30 [1.30-1.30] | **no** |'
like 'a ratio of too few rounds' "$(row 'caller held: posix_spawn / ramet asynchronous')" \
	' 7.00 \[too few rounds\] \| open \|$'
like 'an interval that decides nothing' "$(row 'burst of 64: posix_spawn / ramet')" \
	' 2.00 \[1.00-3.00\] \| open \|$'
is 'system calls' "$(row 'system calls of a launch with pidfd and wait')" \
	'| system calls of a launch with pidfd and wait | ≤ 9 | ≤ 8 | 8 | aim |'
is 'primitives' "$(row 'uncontended mutex: ramet / glibc')" \
	'| uncontended mutex: ramet / glibc | ≤ 1.1 | ≤ 0.9 | 0.90 [0.90-0.90] | aim |'
is 'the size of a program' "$(row 'stripped static program with a thread, KB')" \
	'| stripped static program with a thread, KB | ≤ 16 | ≤ 8 | 7 | aim |'
like 'a series that is not there' "$(row 'user namespace with maps, 1 GB heap: Go / ramet')" 'n/a: '
like 'a run that is not there' "$(row '40 000 mappings / none, ramet')" 'n/a: maps was not measured'
like 'peers as multiples' "$(row fast)" '^\| fast \| 3.00 \[3.00-3.00\] \|'
like 'of this' "$(row '*1 is*')" 'ramet spawn 100 µs'
like 'a peer that is missing' "$text" '- slow: no slow here'
like 'a run that failed' "$text" '- run maps: it fell down'
like 'a peer that failed' "$text" '- broken \(launch-peers\): it broke'
like 'date, command, machine, versions' "$text" \
	'^2026-01-02, `./dev bench peers`, .*Linux 9.9 pdp11, 2 × Slow, kvm, .*Fast 1.0'

printf 'before\n<!-- measured: begin -->\nold\n<!-- measured: end -->\nafter\n' >"$TMP/README"
ok 'into a README' table "$TMP/results" "$TMP/README"
is 'between its marks' "$(cat "$TMP/README")" "before
<!-- measured: begin -->
$text
<!-- measured: end -->
after"
ok 'and once more' table "$TMP/results" "$TMP/README"
is 'with nothing added' "$(grep -c . "$TMP/README")" "$(($(grep -c . <<<"$text") + 4))"
echo unmarked >"$TMP/README"
status 'a README without marks' 1 table "$TMP/results" "$TMP/README"
is 'stays as it is' "$(cat "$TMP/README")" unmarked
mkdir "$TMP/empty"
status 'no results' 1 table "$TMP/empty"
like 'are told' "$(cat "$TMP/err")" 'no results in'
echo '{"schema": 1, "series": [{}]}' >"$TMP/results/fds.json"
status 'a result that lacks something' 1 table "$TMP/results"
like 'what it lacks is told' "$(cat "$TMP/err")" '^table: a result has no '
echo '{' >"$TMP/results/fds.json"
status 'a broken result' 1 table "$TMP/results"
like 'is named' "$(cat "$TMP/err")" 'fds.json'
ok 'the README has its marks' grep -qxF '<!-- measured: begin -->' "$SRCDIR/README.md"

done_testing
