/* SPDX-License-Identifier: MIT */
/* void arch_unmap_exit(void *map a0, size_t size a1): munmap, exit(0), no stack in between */
	.text
	.globl arch_unmap_exit
	.hidden arch_unmap_exit
	.type arch_unmap_exit, @function
arch_unmap_exit:
	.cfi_startproc
	.cfi_undefined ra
	li	a7, 215
	ecall
	li	a0, 0
	li	a7, 93
	ecall
	unimp
	.cfi_endproc
	.size arch_unmap_exit, . - arch_unmap_exit

	.section .note.GNU-stack, "", @progbits
