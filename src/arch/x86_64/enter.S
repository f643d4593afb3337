/* SPDX-License-Identifier: MIT */
/*
 * long arch_clone3(args rdi, size rsi, fn rdx, arg rcx)
 *   the kernel loses rcx and r11 and keeps the rest: arg waits in r8, fn in rdx
 * long arch_clone(regs rdi, fn rsi, arg rdx)
 *   five arguments use rdi rsi rdx r10 r8: fn waits in r9, arg in rbx (saved, since it is the
 *   caller's; the child runs below the saved word and never pops it)
 * long ramet_vfork(void): clone(CLONE_VM|CLONE_VFORK|SIGCHLD), twice
 *   the return address waits in rdx
 */
	.text

	.globl arch_clone3
	.hidden arch_clone3
	.type arch_clone3, @function
arch_clone3:
	.cfi_startproc
	movq	%rcx, %r8
	movl	$435, %eax
	syscall
	testq	%rax, %rax
	jz	1f
2:
	ret
1:
	testq	%rdx, %rdx
	jz	2b
	.cfi_undefined rip
	xorl	%ebp, %ebp
	andq	$-16, %rsp
	movq	%r8, %rdi
	call	*%rdx
	movl	%eax, %edi
	movl	$60, %eax
	syscall
	hlt
	.cfi_endproc
	.size arch_clone3, . - arch_clone3

	.globl arch_clone
	.hidden arch_clone
	.type arch_clone, @function
arch_clone:
	.cfi_startproc
	pushq	%rbx
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset rbx, 0
	movq	%rsi, %r9
	movq	%rdx, %rbx
	movq	8(%rdi), %rsi
	movq	16(%rdi), %rdx
	movq	24(%rdi), %r10
	movq	32(%rdi), %r8
	movq	(%rdi), %rdi
	movl	$56, %eax
	syscall
	testq	%rax, %rax
	jz	1f
2:
	popq	%rbx
	.cfi_remember_state
	.cfi_adjust_cfa_offset -8
	.cfi_restore rbx
	ret
1:
	.cfi_restore_state
	testq	%r9, %r9
	jz	2b
	.cfi_undefined rip
	xorl	%ebp, %ebp
	andq	$-16, %rsp
	movq	%rbx, %rdi
	call	*%r9
	movl	%eax, %edi
	movl	$60, %eax
	syscall
	hlt
	.cfi_endproc
	.size arch_clone, . - arch_clone

	.globl ramet_vfork
	.type ramet_vfork, @function
ramet_vfork:
	.cfi_startproc
	popq	%r9
	.cfi_adjust_cfa_offset -8
	.cfi_register rip, r9
	movl	$0x4111, %edi
	xorl	%esi, %esi
	xorl	%edx, %edx
	xorl	%r10d, %r10d
	xorl	%r8d, %r8d
	movl	$56, %eax
	syscall
	pushq	%r9
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset rip, 0
	ret
	.cfi_endproc
	.size ramet_vfork, . - ramet_vfork

	.section .note.GNU-stack, "", @progbits
