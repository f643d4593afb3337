/* SPDX-License-Identifier: MIT */
/*
 * long arch_clone3(args a0, size a1, fn a2, arg a3): fn and arg stay where they are
 * long arch_clone(regs a0, fn a1, arg a2): fn waits in a5, arg in a6;
 *   the kernel's order here is flags, stack, parent_tid, tls, child_tid
 * long ramet_vfork(void): clone(CLONE_VM|CLONE_VFORK|SIGCHLD), twice: the return address is in ra already
 */
	.text

	.globl arch_clone3
	.hidden arch_clone3
	.type arch_clone3, @function
arch_clone3:
	.cfi_startproc
	li	a7, 435
	ecall
	beqz	a0, 1f
2:
	ret
1:
	beqz	a2, 2b
	.cfi_undefined ra
	li	s0, 0
	andi	sp, sp, -16
	mv	a0, a3
	jalr	a2
	li	a7, 93
	ecall
	unimp
	.cfi_endproc
	.size arch_clone3, . - arch_clone3

	.globl arch_clone
	.hidden arch_clone
	.type arch_clone, @function
arch_clone:
	.cfi_startproc
	mv	a5, a1
	mv	a6, a2
	mv	t0, a0
	ld	a0, 0(t0)
	ld	a1, 8(t0)
	ld	a2, 16(t0)
	ld	a4, 24(t0)
	ld	a3, 32(t0)
	li	a7, 220
	ecall
	beqz	a0, 1f
2:
	ret
1:
	beqz	a5, 2b
	.cfi_undefined ra
	li	s0, 0
	andi	sp, sp, -16
	mv	a0, a6
	jalr	a5
	li	a7, 93
	ecall
	unimp
	.cfi_endproc
	.size arch_clone, . - arch_clone

	.globl ramet_vfork
	.type ramet_vfork, @function
ramet_vfork:
	.cfi_startproc
	li	a0, 0x4111
	li	a1, 0
	li	a2, 0
	li	a3, 0
	li	a4, 0
	li	a7, 220
	ecall
	ret
	.cfi_endproc
	.size ramet_vfork, . - ramet_vfork

	.section .note.GNU-stack, "", @progbits
