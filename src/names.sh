#!/bin/sh
# SPDX-License-Identifier: MIT
# names.sh OUTPUT OBJCOPY NM AR OBJECT…: the archive OUTPUT of all OBJECTs, in which every symbol
# that is no promise begins with "ramet.": hidden ones too would clash with the names of the
# program it is linked into. The objects stay apart, so that a program has only those it needs.
set -eu
output=$1 objcopy=$2 nm=$3 ar=$4
shift 4
room=$output.d
rm -rf "$room" "$output"
mkdir "$room"
"$nm" --defined-only --extern-only "$@" |
	awk 'NF == 3 && $3 !~ /^(ramet_.*|_start|mem(cpy|move|set|cmp)|bcmp|strlen|__stack_chk_(fail|guard))$/ {
		print $3, "ramet." $3
	}' >"$room/names"
for object; do
	"$objcopy" --redefine-syms="$room/names" "$object" "$room/${object##*/}"
done
find "$room" -name "*.o" | sort | xargs "$ar" crsD "$output"
rm -r "$room"
