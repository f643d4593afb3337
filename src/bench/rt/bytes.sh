#!/bin/sh
# SPDX-License-Identifier: MIT
# bytes.sh FILE NAME OUTPUT: a header that defines NAME as how many bytes FILE has, a string.
set -eu
printf '#define %s "%d"\n' "$2" "$(wc -c <"$1")" >"$3"
