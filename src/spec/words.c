/* SPDX-License-Identifier: MIT */
/* Values as the kernel numbers them on the processors that ramet knows. */
#include "spec/words.h"

#include <string.h>
#include <strings.h>
#include <sys/resource.h>

#define END                                                                                        \
	{                                                                                          \
		NULL, 0                                                                            \
	}

const struct word words_rlimit[] = {
	{"as", RLIMIT_AS},
	{"core", RLIMIT_CORE},
	{"cpu", RLIMIT_CPU},
	{"data", RLIMIT_DATA},
	{"fsize", RLIMIT_FSIZE},
	{"locks", 10},
	{"memlock", RLIMIT_MEMLOCK},
	{"msgqueue", 12},
	{"nice", 13},
	{"nofile", RLIMIT_NOFILE},
	{"nproc", RLIMIT_NPROC},
	{"rss", RLIMIT_RSS},
	{"rtprio", 14},
	{"rttime", 15},
	{"sigpending", 11},
	{"stack", RLIMIT_STACK},
	END,
};

const struct word words_policy[] = {
	{"other", 0}, {"fifo", 1}, {"rr", 2}, {"batch", 3}, {"idle", 5}, END,
};

const struct word words_io_class[] = {
	{"none", 0}, {"realtime", 1}, {"best-effort", 2}, {"idle", 3}, END,
};

const struct word words_clock[] = {
	{"monotonic", 1},
	{"boottime", 7},
	END,
};

const struct word words_securebit[] = {
	{"noroot", 0x01},
	{"noroot-locked", 0x02},
	{"no-setuid-fixup", 0x04},
	{"no-setuid-fixup-locked", 0x08},
	{"keep-caps", 0x10},
	{"keep-caps-locked", 0x20},
	{"no-cap-ambient-raise", 0x40},
	{"no-cap-ambient-raise-locked", 0x80},
	END,
};

const struct word words_propagation[] = {
	{"private", 0},
	{"slave", 1},
	{"shared", 2},
	END,
};

const struct word words_capability[] = {
	{"chown", 0},
	{"dac_override", 1},
	{"dac_read_search", 2},
	{"fowner", 3},
	{"fsetid", 4},
	{"kill", 5},
	{"setgid", 6},
	{"setuid", 7},
	{"setpcap", 8},
	{"linux_immutable", 9},
	{"net_bind_service", 10},
	{"net_broadcast", 11},
	{"net_admin", 12},
	{"net_raw", 13},
	{"ipc_lock", 14},
	{"ipc_owner", 15},
	{"sys_module", 16},
	{"sys_rawio", 17},
	{"sys_chroot", 18},
	{"sys_ptrace", 19},
	{"sys_pacct", 20},
	{"sys_admin", 21},
	{"sys_boot", 22},
	{"sys_nice", 23},
	{"sys_resource", 24},
	{"sys_time", 25},
	{"sys_tty_config", 26},
	{"mknod", 27},
	{"lease", 28},
	{"audit_write", 29},
	{"audit_control", 30},
	{"setfcap", 31},
	{"mac_override", 32},
	{"mac_admin", 33},
	{"syslog", 34},
	{"wake_alarm", 35},
	{"block_suspend", 36},
	{"audit_read", 37},
	{"perfmon", 38},
	{"bpf", 39},
	{"checkpoint_restore", 40},
	END,
};

const char *word_name(const struct word *words, int32_t value)
{
	for (; words->name; words++)
		if (words->value == value)
			return words->name;
	return NULL;
}

const struct word *word_find(const struct word *words, const char *name, size_t n)
{
	for (; words->name; words++)
		if (strncasecmp(words->name, name, n) == 0 && !words->name[n])
			return words;
	return NULL;
}
