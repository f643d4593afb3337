/* SPDX-License-Identifier: MIT */
/* _start: sp points at argc; arch_start(sp) does not return. */
	.text
	.globl _start
	.type _start, @function
_start:
	.cfi_startproc
	.cfi_undefined ra
	.option push
	.option norelax
	la	gp, __global_pointer$
	.option pop
	li	s0, 0
	mv	a0, sp
	andi	sp, sp, -16
	call	arch_start
	unimp
	.cfi_endproc
	.size _start, . - _start
	.section .note.GNU-stack, "", @progbits
