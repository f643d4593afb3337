#!/bin/sh
# SPDX-License-Identifier: MIT
# embed.sh FILE SYMBOL OUTPUT: assembly that holds FILE between SYMBOL and SYMBOL_end.
set -eu
cat >"$3" <<END
	.section .rodata
	.globl $2, $2_end
	.hidden $2, $2_end
	.balign 16
$2:
	.incbin "$1"
$2_end:
	.section .note.GNU-stack, "", %progbits
END
