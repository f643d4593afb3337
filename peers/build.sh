#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Builds the peers' workers, as peers.table has it:
#
#	peers/build.sh --packages		Debian's packages that would bring what is not here
#	peers/build.sh FOLDER [BUILD…]		build these (default: all) into the folder
#
# LIBRAMET names the library that ramet's own worker is made with; default: the release build's.
#
# The folder then has peers.tsv, a line each:
#
#	peer	NAME	COMMAND	WORKLOADS
#	missing	NAME	REASON
#	version	NAME VERSION
set -uo pipefail
here=$(dirname "$(readlink -f "$0")")

# rows KIND: its lines, the words of a field with one blank between them.
rows() {
	sed -nE "s/^$1[[:blank:]]*\|[[:blank:]]*//p" "$here/peers.table" |
		sed -E 's/[[:blank:]]+/ /g; s/ ?\| ?/|/g'
}

# lacks THING…: the first of these that is not here.
lacks() {
	local thing
	for thing; do
		case $thing in
		*.pc) pkg-config --exists "${thing%.pc}" 2>/dev/null ;;
		*) command -v "$thing" >/dev/null ;;
		esac || {
			echo "$thing"
			return 0
		}
	done
	return 1
}

if [ "${1:-}" = --packages ]; then
	rows build | while IFS='|' read -r _ needs packages _; do
		# shellcheck disable=SC2086 # a list
		if lacks $needs >/dev/null; then echo $packages; fi
	done
	exit
fi

[ $# -gt 0 ] || {
	echo "usage: ${0##*/} --packages | FOLDER [BUILD…]" >&2
	exit 2
}
folder=$1
shift
mkdir -p "$folder" && into=$(readlink -f "$folder") || exit 1
export GO111MODULE=off GOFLAGS='' GOTOOLCHAIN=local GOCACHE="$into/go-cache"
library=$(readlink -f "${LIBRAMET:-$here/../build/release/src/libramet.a}")
flags='-O2 -Wall -Wextra -D_GNU_SOURCE'
declare -A reason

# make NAME NEEDS PACKAGES HOW: fills reason[NAME], '' where it was made.
make() {
	local what out=$into/worker-$1
	: "$out $flags $library" # for the table's commands
	# shellcheck disable=SC2086 # a list
	if what=$(lacks $2); then
		reason[$1]="no ${what%.pc} here (package ${3%% *})"
	elif (cd "$here" && eval "$4") >"$into/$1.log" 2>&1; then
		reason[$1]=
	else
		reason[$1]="it cannot be built: $folder/$1.log"
	fi
}

wanted=" $* "
# shellcheck disable=SC2086 # a list
gcc $flags -o "$into/start" "$here/start.c" || exit 1
while IFS='|' read -r name needs packages how version; do
	[ $# -eq 0 ] || [[ $wanted = *" $name "* ]] || continue
	make "$name" "$needs" "$packages" "$how"
	[ -n "${reason[$name]}" ] || printf 'version\t%s\n' "$(eval "$version")"
done < <(rows build) >"$into/peers.tsv"

while IFS='|' read -r name build command workloads; do
	[ -n "${reason[$build]+there}" ] || continue
	if [ -n "${reason[$build]}" ]; then
		printf 'missing\t%s\t%s\n' "$name" "${reason[$build]}"
		continue
	fi
	printf 'peer\t%s\t%s\t%s\n' "$name" \
		"$folder/start ${command/'$out'/$folder/worker-$build}" "$workloads"
done < <(rows peer) >>"$into/peers.tsv"
