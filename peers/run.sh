#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Measures ramet beside its peers: peers/run.sh RAMET FOLDER [--quick]. RAMET is the command,
# FOLDER has what build.sh made. Each run leaves NAME.json, NAME.html and NAME.txt there, all of
# them together run.tsv: how they were started, what failed and why.
set -uo pipefail

# NAME | workload and options | seconds | alone, or peers and the series they are beside | MB that
# each takes. Alone: ramet's own series, in one process. Beside peers everything is a worker.
runs='
launch           | launch --pages small --heap 2M,1G --count                       | 100 | alone | 1024
launch-8g        | launch --pages small --heap 2M,8G --only ramet-spawn,floor,posix_spawn,fork+exec | 180 | alone | 8192
launch-peers     | launch --pages small --heap 2M,1G                               | 200 | peers | 1024
fds              | fds --fds 10,10000                                              | 30  | alone | 16
fds-peers        | fds --fds 10,10000                                              | 50  | peers | 16
maps             | maps --maps 0,40000                                             | 30  | alone | 200
maps-peers       | maps --maps 0,40000 --trials 4                                  | 60  | peers | 200
thread-peers     | thread --burst 1,64                                             | 40  | peers ramet-thread,ramet-pool | 16
burst            | burst --burst 1,64                                              | 30  | alone | 16
burst-peers      | burst --burst 1,64                                              | 50  | peers | 16
blocked          | blocked --pages small --heap 2M                                 | 20  | alone | 16
blocked-peers    | blocked --pages small --heap 2M                                 | 30  | peers | 16
namespaces-peers | namespaces                                                      | 20  | peers | 16
sync             | sync                                                            | 30  | alone | 16
'
runs_quick='
launch           | launch --pages small --heap 2M,256M --trials 3 --count | 15 | alone | 256
launch-peers     | launch --pages small --heap 2M,256M --trials 3         | 22 | peers | 256
fds              | fds --fds 10,10000 --trials 3                          | 8  | alone | 16
fds-peers        | fds --fds 10,10000 --trials 3                          | 18 | peers | 16
maps             | maps --maps 0,10000 --trials 3                         | 8  | alone | 200
maps-peers       | maps --maps 0,10000 --trials 3                         | 15 | peers | 200
thread-peers     | thread --burst 1,64 --trials 3                         | 8  | peers ramet-thread,ramet-pool | 16
burst            | burst --burst 1,64 --trials 3                          | 6  | alone | 16
burst-peers      | burst --burst 1,64 --trials 3                          | 16 | peers | 16
blocked          | blocked --pages small --heap 2M --trials 3             | 4  | alone | 16
blocked-peers    | blocked --pages small --heap 2M --trials 3             | 8  | peers | 16
namespaces-peers | namespaces --trials 3                                  | 5  | peers | 16
sync             | sync --trials 3                                        | 6  | alone | 16
'
most_peers=16 # ramet bench takes no more

[ $# -ge 2 ] || {
	echo "usage: ${0##*/} RAMET FOLDER [--quick]" >&2
	exit 2
}
ramet=$1
folder=$2
[ "${3:-}" != --quick ] || runs=$runs_quick

say() { printf '%s\n' "peers: $*" >&2; }

# tell NAME REASON: for the table as well.
tell() {
	say "$1: $2"
	printf 'failed\t%s\t%s\n' "$1" "$2" >>"$folder/run.tsv"
}

# How many processes may have so many MB at a time: the stage has them too, and half of what is
# free is left for others.
may_have() {
	local most
	most=$(awk -v mb="$1" '/^MemAvailable:/ { print int($2 / 1024 / 2 / mb) }' /proc/meminfo)
	echo $((most < most_peers ? most : most_peers))
}

# measure NAME SECONDS OPTIONS SERIES PEER…: SERIES beside the peers, comma-separated; '' is none.
measure() {
	local name=$1 seconds=$2 options=$3 only=$4 peers=() status=0
	shift 4
	for peer; do
		peers+=(--peer "$peer")
		only+=${only:+,}${peer%%=*}
	done
	[ $# -eq 0 ] || peers+=(--only "$only")
	say "$name: $seconds s, $# peers"
	# shellcheck disable=SC2086 # options is a list
	"$ramet" bench $options --budget "${seconds}s" "${peers[@]}" --json="$folder/$name.json" \
		--html "$folder/$name.html" >"$folder/$name.txt" </dev/null || status=$?
	[ -s "$folder/$name.json" ] || rm -f "$folder/$name.json"
	[ "$status" -eq 0 ] || tell "$name" "ramet bench ended with status $status"
	[ "$status" -ne 130 ] || exit 130
}

# of WORKLOAD ours|theirs: the workers for it, each NAME=COMMAND.
of() {
	awk -F'\t' -v of="$1" -v whose="$2" '
		$1 == "peer" && index(" " $4 " ", " " of " ") && ($2 ~ /^ramet /) == (whose == "ours") {
			print $2 "=" $3 }' "$folder/peers.tsv"
}

# run NAME OPTIONS SECONDS MB alone|peers [SERIES]: where memory is too small for all peers at a
# time, in several runs that share the seconds. ramet's own workers are in each.
run() {
	local name=$1 options=$2 seconds=$3 beside=${6:-} ours=() peers=() most parts=1 size
	if [ "$5" = peers ]; then
		mapfile -t ours < <(of "${options%% *}" ours)
		mapfile -t peers < <(of "${options%% *}" theirs)
		[ ${#peers[@]} -gt 0 ] || return 0
	fi
	most=$(($(may_have "$4") - ${#ours[@]}))
	if [ "$most" -lt 1 ]; then
		tell "$name" "too little memory is free: $4 MB are taken at least $((${#ours[@]} + 2)) times"
		return
	fi
	[ ${#peers[@]} -eq 0 ] || parts=$(((${#peers[@]} + most - 1) / most))
	size=$(((${#peers[@]} + parts - 1) / parts))
	for ((part = 0; part < parts; part++)); do
		measure "$name${part#0}" $((seconds / parts)) "$options" "$beside" "${ours[@]}" \
			"${peers[@]:part*size:size}"
	done
}

rm -f "$folder"/*.json "$folder"/*.html "$folder"/*.txt
printf 'command\t%s\n' "./dev bench peers${3:+ $3}" >"$folder/run.tsv"
while read -r name _ options; do
	[ -n "$name" ] || continue
	IFS='|' read -r options seconds with mb <<<"$options"
	# shellcheck disable=SC2086 # with is one word or two
	run "$name" "${options%"${options##*[! ]}"}" ${seconds// /} ${mb// /} $with
done <<<"$runs"
