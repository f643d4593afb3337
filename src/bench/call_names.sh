#!/bin/sh
# SPDX-License-Identifier: MIT
# call_names.sh OUTPUT DEPFILE CC…: a row {SYS_read, "read"}, for every system call that the headers
# of CC's machine name, in the order of the alphabet. Numbers are left to the compiler: some are
# sums of other macros.
set -eu
output=$1 depfile=$2
shift 2
text=$output.text
echo '#include "uapi/nr.h"' | "$@" -E -dM -MD -MF "$depfile" -MT "$output" -x c - >"$text"
{
	echo '/* SPDX-License-Identifier: MIT */'
	sed -n 's/^#define SYS_\([a-z0-9_]*\) .*/{SYS_\1, "\1"},/p' "$text" | LC_ALL=C sort -u
} >"$output"
rm -f "$text"
grep -q '"exit_group"' "$output"
