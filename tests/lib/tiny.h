/* SPDX-License-Identifier: MIT */
/*
 * The smallest program: an ELF file of some 130 bytes that ends at once with status 0. Exec of it
 * costs the kernel a tenth of what a program with a C library costs, so that thousands of launches
 * fit into a test.
 */
#ifndef RAMET_TESTS_LIB_TINY_H
#define RAMET_TESTS_LIB_TINY_H

#include <elf.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__x86_64__)
#define TINY_MACHINE EM_X86_64
/* xor edi,edi; mov eax,60; syscall */
static const unsigned char tiny_code[] = {0x31, 0xff, 0xb8, 0x3c, 0, 0, 0, 0x0f, 0x05};
#elif defined(__aarch64__)
#define TINY_MACHINE EM_AARCH64
static const unsigned tiny_code[] = {0xd2800000, 0xd2800ba8, 0xd4000001};
#elif defined(__riscv)
#define TINY_MACHINE EM_RISCV
static const unsigned tiny_code[] = {0x00000513, 0x05d00893, 0x00000073};
#endif

/* Write it to path, which must not exist. Nobody may fork meanwhile (ETXTBSY). */
static inline bool tiny_make(const char *path)
{
	struct {
		Elf64_Ehdr header;
		Elf64_Phdr segment;
		unsigned char code[sizeof(tiny_code)];
	} file = {
		.header = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
				       EV_CURRENT},
			   .e_type = ET_EXEC,
			   .e_machine = TINY_MACHINE,
			   .e_version = EV_CURRENT,
			   .e_phoff = sizeof(Elf64_Ehdr),
			   .e_ehsize = sizeof(Elf64_Ehdr),
			   .e_phentsize = sizeof(Elf64_Phdr),
			   .e_phnum = 1},
		.segment = {.p_type = PT_LOAD,
			    .p_flags = PF_R | PF_X,
			    .p_vaddr = 0x400000,
			    .p_align = 0x1000},
	};
	const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	bool good;

	file.header.e_entry = 0x400000 + sizeof(file.header) + sizeof(file.segment);
	file.segment.p_filesz = file.segment.p_memsz = sizeof(file);
	memcpy(file.code, tiny_code, sizeof(tiny_code));
	if (fd < 0)
		return false;
	good = write(fd, &file, sizeof(file)) == (ssize_t)sizeof(file) && fchmod(fd, 0755) == 0;
	close(fd);
	return good;
}

#endif
