/* SPDX-License-Identifier: MIT */
/*
 * The block of _Thread_local variables: found in the program's own headers, laid out by the rules
 * that the linker went by, on top of every thread's stack.
 */
#include <linux/elf.h>

#include "thread/native/native.h"

/* At least as much as the record wants, so that the thread pointer serves both. */
#define LEAST_ALIGN 64

_Static_assert(__alignof__(struct ramet_thread) == LEAST_ALIGN, "self() counts on it");
_Static_assert(offsetof(struct ramet_thread, head) == 0, "the processor counts on it");

void *memcpy(void *restrict to, const void *restrict from, size_t n);
void *memset(void *to, int c, size_t n);

static struct {
	const void *image;
	size_t image_size, size, align;
	uintptr_t out_of_line; /* its address in the file, less a multiple of align */
	intptr_t offset;       /* from the thread pointer */
} tls;

void tls_find(const void *headers, size_t count, size_t size)
{
	size_t align;

	tls.align = LEAST_ALIGN; /* not at its definition: a program without data is smaller */
	for (const char *at = headers; count; count--, at += size) {
		const Elf64_Phdr *header = (const void *)at;

		if (header->p_type != PT_TLS)
			continue;
		align = header->p_align ? header->p_align : 1;
		tls.image = (const void *)header->p_vaddr;
		tls.image_size = header->p_filesz;
		tls.size = header->p_memsz;
		tls.offset = arch_tls_offset(tls.size, align, header->p_vaddr);
		tls.out_of_line = header->p_vaddr & (align - 1);
		if (align > tls.align)
			tls.align = align;
	}
}

size_t tls_size(void)
{
	const size_t span = tls.offset < 0 ? (size_t)-tls.offset : (size_t)tls.offset + tls.size;

	return sizeof(struct ramet_thread) + span + 2 * tls.align;
}

struct ramet_thread *tls_place(uintptr_t top, uintptr_t *ret_stack)
{
	uintptr_t tp;

	if (!ARCH_TCB_BELOW) {
		tp = (top - sizeof(struct ramet_thread)) & -tls.align;
		*ret_stack = (tp + (uintptr_t)tls.offset) & -(uintptr_t)16;
		return (struct ramet_thread *)tp;
	}
	tp = (top - (uintptr_t)tls.offset - tls.size - tls.out_of_line) & -tls.align;
	tp -= sizeof(struct ramet_thread);
	*ret_stack = tp;
	return (struct ramet_thread *)tp;
}

uintptr_t tls_pointer(const struct ramet_thread *thread)
{
	if (!ARCH_TCB_BELOW)
		return (uintptr_t)thread;
	/* Only where the block begins at the pointer itself is that out of line. */
	return (uintptr_t)(thread + 1) + (tls.offset ? 0 : tls.out_of_line);
}

void tls_fill(struct ramet_thread *thread, bool clean)
{
	unsigned char *const block = (unsigned char *)tls_pointer(thread) + tls.offset;

	if (!clean) {
		const uint32_t count = thread->values.count;

		/* Values of keys that it never had are zero still. */
		memset(&thread->head, 0, offsetof(struct ramet_thread, map));
		memset(thread->values.of, 0, count * sizeof(thread->values.of[0]));
		thread->next = NULL;
		thread->values.count = 0;
		memset(block + tls.image_size, 0, tls.size - tls.image_size);
	}
	if (tls.image_size)
		memcpy(block, tls.image, tls.image_size);
	thread->head.self = thread;
	arch_set_canary(&thread->head, __stack_chk_guard);
}
