/* SPDX-License-Identifier: MIT */
/* _start: sp points at argc; arch_start(sp) does not return. */
	.text
	.globl _start
	.type _start, %function
_start:
	.cfi_startproc
	.cfi_undefined x30
	mov	x29, #0
	mov	x30, #0
	mov	x0, sp
	and	sp, x0, #-16
	bl	arch_start
	brk	#1
	.cfi_endproc
	.size _start, . - _start
	.section .note.GNU-stack, "", %progbits
