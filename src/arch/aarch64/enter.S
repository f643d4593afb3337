/* SPDX-License-Identifier: MIT */
/*
 * long arch_clone3(args x0, size x1, fn x2, arg x3): fn and arg stay where they are
 * long arch_clone(regs x0, fn x1, arg x2): fn waits in x6, arg in x7;
 *   the kernel's order here is flags, stack, parent_tid, tls, child_tid
 * long ramet_vfork(void): clone(CLONE_VM|CLONE_VFORK|SIGCHLD), twice: the return address is in x30 already
 */
	.text

	.globl arch_clone3
	.hidden arch_clone3
	.type arch_clone3, %function
arch_clone3:
	.cfi_startproc
	mov	x8, #435
	svc	#0
	cbz	x0, 1f
2:
	ret
1:
	cbz	x2, 2b
	.cfi_undefined x30
	mov	x29, #0
	mov	x30, #0
	mov	x9, sp
	and	sp, x9, #-16
	mov	x0, x3
	blr	x2
	mov	x8, #93
	svc	#0
	brk	#1
	.cfi_endproc
	.size arch_clone3, . - arch_clone3

	.globl arch_clone
	.hidden arch_clone
	.type arch_clone, %function
arch_clone:
	.cfi_startproc
	mov	x6, x1
	mov	x7, x2
	mov	x9, x0
	ldp	x0, x1, [x9]
	ldp	x2, x4, [x9, #16]
	ldr	x3, [x9, #32]
	mov	x8, #220
	svc	#0
	cbz	x0, 1f
2:
	ret
1:
	cbz	x6, 2b
	.cfi_undefined x30
	mov	x29, #0
	mov	x30, #0
	mov	x9, sp
	and	sp, x9, #-16
	mov	x0, x7
	blr	x6
	mov	x8, #93
	svc	#0
	brk	#1
	.cfi_endproc
	.size arch_clone, . - arch_clone

	.globl ramet_vfork
	.type ramet_vfork, %function
ramet_vfork:
	.cfi_startproc
	mov	x0, #0x4111
	mov	x1, #0
	mov	x2, #0
	mov	x3, #0
	mov	x4, #0
	mov	x8, #220
	svc	#0
	ret
	.cfi_endproc
	.size ramet_vfork, . - ramet_vfork

	.section .note.GNU-stack, "", %progbits
