#!/bin/sh
# SPDX-License-Identifier: MIT
# archive.sh INPUT OUTPUT OBJCOPY AR CC…: the archive OUTPUT, of one object made of all of
# INPUT's, in which symbols with hidden visibility are local.
set -eu
input=$1 output=$2 objcopy=$3 ar=$4
shift 4
object=$(dirname "$output")/ramet.o
"$@" -r -nostdlib -o "$object" -Wl,--whole-archive "$input"
"$objcopy" --localize-hidden "$object"
rm -f "$output"
"$ar" crs "$output" "$object"
rm -f "$object"
