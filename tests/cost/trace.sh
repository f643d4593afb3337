#!/bin/bash
# SPDX-License-Identifier: MIT
# What tracing costs: RAMET=build/…/src/ramet tests/cost/trace.sh [RUNS]
#
# Each load untraced, under ramet trace --events-only, under ramet trace, and under strace on the
# same six calls, one after the other and that RUNS times (default 9), so that a busy machine is
# equally unfair to all. Medians, and multiples of the untraced one. Everything runs on one
# processor, with real-time priority where that is allowed; RAMET_PIN=no leaves both out.
set -u
RAMET=${RAMET-$(dirname "$0")/../../build/release/src/ramet}
src=$(cd "$(dirname "$0")/../.." && pwd)
runs=${1-9}
dir=$(mktemp -d /tmp/ramet-cost.XXXXXX) || exit 1
trap 'rm -rf -- "$dir"' EXIT
trap 'exit 143' HUP INT TERM
export LC_ALL=C.UTF-8 DEBUGINFOD_URLS=

${CC-cc} -D_GNU_SOURCE -O2 -I"$src/src" -o "$dir/workload" "$src/tests/lib/workload.c" -pthread || exit 1
"$RAMET" trace -o "$dir/trace" -- true || exit 1

pin=()
if [ "${RAMET_PIN-yes}" = yes ]; then
	if taskset -c 1 true 2>/dev/null; then pin=(taskset -c 1); fi
	if chrt -f 5 true 2>/dev/null; then pin=(chrt -f 5 "${pin[@]}"); fi
fi

loads=('20 000 pthread_create + join|threads 20000' '1 000 fork + exec|spawns 1000'
	'no tasks: 200 000 reads, sums|busy 200000')
calls=clone,clone3,fork,vfork,unshare,setns
ways=(untraced 'events only' ramet strace)
command_of() {
	case $1 in
	untraced) command=() ;;
	'events only') command=("$RAMET" trace --events-only -o "$dir/trace" --) ;;
	ramet) command=("$RAMET" trace -o "$dir/trace" --) ;;
	strace) command=(strace -f --seccomp-bpf -o "$dir/strace" -e "trace=$calls") ;;
	esac
}

# Microseconds of one run.
measure() {
	local start=${EPOCHREALTIME/[.,]/}
	timeout -k 5 120 "${pin[@]}" "${command[@]}" "$dir/workload" $1 >/dev/null 2>&1 || return 1
	echo $((${EPOCHREALTIME/[.,]/} - start))
}
median() { sort -n "$1" | sed -n "$(((runs + 1) / 2))p"; }

with=()
for way in "${ways[@]}"; do
	if [ "$way" != strace ] || strace --seccomp-bpf -f -o /dev/null true 2>/dev/null; then
		with+=("$way")
	fi
done
printf '%-30s' 'median of '"$runs"', seconds'
printf '%16s' "${with[@]}"
echo
for load in "${loads[@]}"; do
	rm -f "$dir"/times.*
	for ((run = 0; run < runs; run++)); do
		for way in "${with[@]}"; do
			command_of "$way"
			measure "${load#*|}" >>"$dir/times.$way" || {
				echo "$way: ${load#*|} failed" >&2
				exit 1
			}
		done
	done
	base=$(median "$dir/times.untraced")
	printf '%-30s' "${load%|*}"
	for way in "${with[@]}"; do
		awk -v t="$(median "$dir/times.$way")" -v base="$base" 'BEGIN {
			if (t == base) printf "%16s", sprintf("%.3f", t / 1e6)
			else printf "%16s", sprintf("%.3f (%.2f ×)", t / 1e6, t / base) }'
	done
	echo
done
