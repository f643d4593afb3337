/* SPDX-License-Identifier: MIT */
/* void arch_unmap_exit(void *map x0, size_t size x1): munmap, exit(0), no stack in between */
	.text
	.globl arch_unmap_exit
	.hidden arch_unmap_exit
	.type arch_unmap_exit, %function
arch_unmap_exit:
	.cfi_startproc
	.cfi_undefined x30
	mov	x8, #215
	svc	#0
	mov	x0, #0
	mov	x8, #93
	svc	#0
	brk	#1
	.cfi_endproc
	.size arch_unmap_exit, . - arch_unmap_exit

	.section .note.GNU-stack, "", %progbits
