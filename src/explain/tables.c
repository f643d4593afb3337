/* SPDX-License-Identifier: MIT */
/* The names: of calls, of arguments and of processors. Nothing is read or decided here. */
#include <errno.h>

#include "explain/args.h"
#include "explain/piece.h"
#include "uapi/clone.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define SIGNAL_CHLD 17

static const uint8_t no_args[] = {ARG_NONE};
static const uint8_t clone2_args[] = {ARG_FLAGS,     ARG_STACK, ARG_STACK_SIZE, ARG_PARENT_TID,
				      ARG_CHILD_TID, ARG_TLS,	ARG_NONE};
static const uint8_t clone3_args[] = {ARG_BLOCK, ARG_SIZE, ARG_NONE};
static const uint8_t unshare_args[] = {ARG_FLAGS, ARG_NONE};
static const uint8_t setns_args[] = {ARG_FD, ARG_FLAGS, ARG_NONE};
const uint8_t library_clone_layout[] = {ARG_FUNCTION,	ARG_STACK, ARG_FLAGS,	  ARG_ANY,
					ARG_PARENT_TID, ARG_TLS,   ARG_CHILD_TID, ARG_NONE};

#define SPAWNS CLONE_VM | CLONE_VFORK, SIGNAL_CHLD
#define NPTL                                                                                       \
	CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |         \
		CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID,                         \
		0

/* Those that have a number first, in its order. */
static const struct call_name calls[] = {
	[NR_CLONE] = {"clone", RAMET_ENTRY_CLONE, .creates = true},
	[NR_CLONE3] = {"clone3", RAMET_ENTRY_CLONE3, .creates = true, .layout = clone3_args},
	[NR_FORK] = {"fork", RAMET_ENTRY_CLONE, true, true, 0, SIGNAL_CHLD, no_args, true, false},
	[NR_VFORK] = {"vfork", RAMET_ENTRY_CLONE, true, true, SPAWNS, no_args, true, false},
	[NR_UNSHARE] = {"unshare", RAMET_ENTRY_UNSHARE, .layout = unshare_args, .strict = true},
	[NR_SETNS] = {"setns", RAMET_ENTRY_SETNS, .layout = setns_args, .strict = true},
	{"clone2", RAMET_ENTRY_CLONE, .creates = true, .layout = clone2_args},
	{"__clone2", RAMET_ENTRY_CLONE, .creates = true, .layout = clone2_args},
	{"__fork", RAMET_ENTRY_CLONE, true, true, 0, SIGNAL_CHLD, no_args, true, false},
	{"__vfork", RAMET_ENTRY_CLONE, true, true, SPAWNS, no_args, true, false},
	{"__clone", RAMET_ENTRY_CLONE, .creates = true, .layout = library_clone_layout},
	/* What is done for these differs between libraries and versions: glibc's of 2.34. */
	{"pthread_create", RAMET_ENTRY_CLONE3, false, true, NPTL, no_args, true, true},
	{"posix_spawn", RAMET_ENTRY_CLONE3, false, true, SPAWNS, no_args, true, true},
	{"posix_spawnp", RAMET_ENTRY_CLONE3, false, true, SPAWNS, no_args, true, true},
};

/* What tracers put before the name; the longer first where one begins with another. */
static const char *const prefixes[] = {
	"SYS_",		"sys_",		"__x64_sys_", "__ia32_sys_", "__arm64_sys_",
	"__riscv_sys_", "__s390x_sys_", "__se_sys_",  "__do_sys_",   "syscall_",
};

/* A tracer older than clone3 prints its number, which is the same nearly everywhere. */
static const char *const clone3_numbers[] = {"435", "0x1b3"};

const struct call_name *call_name_find(struct span word, bool *ret_system)
{
	*ret_system = false;
	for (size_t i = 0; i < COUNT(prefixes) && !*ret_system; i++)
		*ret_system = skip_text(&word, prefixes[i]);
	for (size_t i = 0; i < COUNT(clone3_numbers) && *ret_system; i++)
		if (is_text(word, clone3_numbers[i]))
			return &calls[NR_CLONE3];
	for (size_t i = 0; i < COUNT(calls); i++)
		if (is_text(word, calls[i].name))
			return &calls[i];
	return NULL;
}

const struct call_name *call_name_at(enum call_number number)
{
	return &calls[number];
}

/* Names by strace, by the kernel's tracepoints (old and new) and of clone_args. */
static const struct {
	const char *name;
	enum arg arg;
} arg_names[] = {
	{"flags", ARG_FLAGS},
	{"clone_flags", ARG_FLAGS},
	{"unshare_flags", ARG_FLAGS},
	{"nstype", ARG_FLAGS},
	{"exit_signal", ARG_EXIT_SIGNAL},
	{"child_stack", ARG_STACK},
	{"newsp", ARG_STACK},
	{"stack", ARG_STACK},
	{"stack_size", ARG_STACK_SIZE},
	{"parent_tid", ARG_PARENT_TID},
	{"parent_tidptr", ARG_PARENT_TID},
	{"child_tid", ARG_CHILD_TID},
	{"child_tidptr", ARG_CHILD_TID},
	{"tls", ARG_TLS},
	{"tls_val", ARG_TLS},
	{"pidfd", ARG_PIDFD},
	{"set_tid", ARG_SET_TID},
	{"set_tid_size", ARG_SET_TID_SIZE},
	{"cgroup", ARG_CGROUP},
	{"uargs", ARG_BLOCK},
	{"cl_args", ARG_BLOCK},
	{"size", ARG_SIZE},
	{"fd", ARG_FD},
};

enum arg arg_find(struct span name)
{
	for (size_t i = 0; i < COUNT(arg_names); i++)
		if (is_text(name, arg_names[i].name))
			return arg_names[i].arg;
	return ARG_NONE;
}

const uint8_t *clone_layout(int order)
{
	static const uint8_t layouts[][7] = {
		[LINE_ORDER_DEFAULT] = {ARG_FLAGS, ARG_STACK, ARG_PARENT_TID, ARG_CHILD_TID,
					ARG_TLS},
		[LINE_ORDER_BACKWARDS] = {ARG_FLAGS, ARG_STACK, ARG_PARENT_TID, ARG_TLS,
					  ARG_CHILD_TID},
		[LINE_ORDER_BACKWARDS2] = {ARG_STACK, ARG_FLAGS, ARG_PARENT_TID, ARG_CHILD_TID,
					   ARG_TLS},
		[LINE_ORDER_BACKWARDS3] = {ARG_FLAGS, ARG_STACK, ARG_STACK_SIZE, ARG_PARENT_TID,
					   ARG_CHILD_TID, ARG_TLS},
	};

	return layouts[order];
}

#define GENERIC                                                                                    \
	{                                                                                          \
		220, 435, -1, -1, 97, 268                                                          \
	}
#define X86_64                                                                                     \
	{                                                                                          \
		56, 435, 57, 58, 272, 308                                                          \
	}
#define I386                                                                                       \
	{                                                                                          \
		120, 435, 2, 190, 310, 346                                                         \
	}
#define ARM                                                                                        \
	{                                                                                          \
		120, 435, 2, 190, 337, 375                                                         \
	}
#define PPC                                                                                        \
	{                                                                                          \
		120, 435, 2, 189, 282, 350                                                         \
	}
#define S390                                                                                       \
	{                                                                                          \
		120, 435, 2, 190, 303, 339                                                         \
	}
#define MIPS_O32                                                                                   \
	{                                                                                          \
		4120, 4435, 4002, -1, 4303, 4344                                                   \
	}
#define MIPS_N64                                                                                   \
	{                                                                                          \
		5055, 5435, 5056, -1, 5262, 5303                                                   \
	}
#define MIPS_N32                                                                                   \
	{                                                                                          \
		6055, 6435, 6056, -1, 6266, 6308                                                   \
	}
#define SPARC                                                                                      \
	{                                                                                          \
		217, 435, 2, 66, 299, 337                                                          \
	}
#define ALPHA                                                                                      \
	{                                                                                          \
		312, 545, 2, 66, 391, 501                                                          \
	}
#define PARISC                                                                                     \
	{                                                                                          \
		120, 435, 2, 113, 288, 328                                                         \
	}
#define M68K                                                                                       \
	{                                                                                          \
		120, 435, 2, 190, 303, 344                                                         \
	}
#define SH                                                                                         \
	{                                                                                          \
		120, 435, 2, 190, 310, 364                                                         \
	}
#define UNKNOWN                                                                                    \
	{                                                                                          \
		-1, -1, -1, -1, -1, -1                                                             \
	}

/*
 * The order is CONFIG_CLONE_BACKWARDS*, the audit word is AUDIT_ARCH_*: ELF machine, 0x80000000
 * for 64 bits, 0x40000000 for little endian. Without a word where its numbers are not known here.
 */
static const struct arch arches[] = {
	{"x86_64", 0xc000003e, LINE_ORDER_DEFAULT, X86_64},
	{"i386", 0x40000003, LINE_ORDER_BACKWARDS, I386},
	{"i486", 0, LINE_ORDER_BACKWARDS, I386},
	{"i586", 0, LINE_ORDER_BACKWARDS, I386},
	{"i686", 0, LINE_ORDER_BACKWARDS, I386},
	{"aarch64", 0xc00000b7, LINE_ORDER_BACKWARDS, GENERIC},
	{"aarch64_be", 0x800000b7, LINE_ORDER_BACKWARDS, GENERIC},
	{"arm64", 0, LINE_ORDER_BACKWARDS, GENERIC},
	{"arm", 0x40000028, LINE_ORDER_BACKWARDS, ARM},
	{"armeb", 0x00000028, LINE_ORDER_BACKWARDS, ARM},
	{"armv*", 0, LINE_ORDER_BACKWARDS, ARM},
	{"riscv64", 0xc00000f3, LINE_ORDER_BACKWARDS, GENERIC},
	{"riscv32", 0x400000f3, LINE_ORDER_BACKWARDS, GENERIC},
	{"loongarch64", 0xc0000102, LINE_ORDER_DEFAULT, GENERIC},
	{"ppc64le", 0xc0000015, LINE_ORDER_BACKWARDS, PPC},
	{"ppc64", 0x80000015, LINE_ORDER_BACKWARDS, PPC},
	{"ppc", 0x00000014, LINE_ORDER_BACKWARDS, PPC},
	{"s390x", 0x80000016, LINE_ORDER_BACKWARDS2, S390},
	{"s390", 0x00000016, LINE_ORDER_BACKWARDS2, S390},
	{"mips64", 0x80000008, LINE_ORDER_BACKWARDS, MIPS_N64},
	{"mipsel64", 0xc0000008, LINE_ORDER_BACKWARDS, MIPS_N64},
	{"mips64n32", 0xa0000008, LINE_ORDER_BACKWARDS, MIPS_N32},
	{"mipsel64n32", 0xe0000008, LINE_ORDER_BACKWARDS, MIPS_N32},
	{"mips", 0x00000008, LINE_ORDER_BACKWARDS, MIPS_O32},
	{"mipsel", 0x40000008, LINE_ORDER_BACKWARDS, MIPS_O32},
	{"sparc64", 0x8000002b, LINE_ORDER_BACKWARDS, SPARC},
	{"sparc", 0x00000002, LINE_ORDER_BACKWARDS, SPARC},
	{"alpha", 0xc0009026, LINE_ORDER_DEFAULT, ALPHA},
	{"parisc", 0x0000000f, LINE_ORDER_BACKWARDS, PARISC},
	{"parisc64", 0x8000000f, LINE_ORDER_BACKWARDS, PARISC},
	{"m68k", 0x00000004, LINE_ORDER_DEFAULT, M68K},
	{"sh*", 0x4000002a, LINE_ORDER_DEFAULT, SH},
	{"ia64", 0, LINE_ORDER_DEFAULT, UNKNOWN},
	{"xtensa", 0, LINE_ORDER_BACKWARDS, UNKNOWN},
	{"arc*", 0, LINE_ORDER_BACKWARDS, GENERIC},
	{"openrisc", 0x0000005c, LINE_ORDER_DEFAULT, GENERIC},
	{"microblaze", 0, LINE_ORDER_BACKWARDS3, UNKNOWN},
};

static bool is_arch(struct span name, const char *pattern)
{
	const size_t n = strlen(pattern);

	if (pattern[n - 1] != '*')
		return is_text(name, pattern);
	return span_size(name) >= n - 1 && memcmp(name.at, pattern, n - 1) == 0;
}

const struct arch *arch_find(struct span word)
{
	struct span number = word;
	uint64_t audit = 0;
	const bool hex = take_number(&number, true, &audit) && number.at == number.end;

	for (size_t i = 0; i < COUNT(arches); i++)
		if ((hex && audit && arches[i].audit == audit) || is_arch(word, arches[i].name))
			return &arches[i];
	return NULL;
}

int line_arch(const char *name, enum line_arch_order *ret)
{
	for (size_t i = 0; i < COUNT(arches); i++) {
		if (is_arch(span_of(name), arches[i].name)) {
			*ret = arches[i].order;
			return 0;
		}
	}
	return -EINVAL;
}
