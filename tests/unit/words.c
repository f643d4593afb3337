/* SPDX-License-Identifier: MIT */
/*
 * Words of attributes against the system's own headers: every value has the name that the header
 * gives it, none is missing that this system has, and a name is found in any case, whole.
 */
#include <ctype.h>
#include <linux/capability.h>
#include <linux/ioprio.h>
#include <linux/securebits.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "tap.h"
#include "spec/words.h"

/* CAP_NET_ADMIN as "NET_ADMIN": what the header calls it, and its value there. */
struct constant {
	const char *name;
	int value;
};

/* clang-format off */
#define LIMIT(name) {#name, RLIMIT_##name}
#define CAP(name) {#name, CAP_##name}
/* clang-format on */

static const struct constant limits[] = {
	LIMIT(AS),     LIMIT(CORE),   LIMIT(CPU),	 LIMIT(DATA),
	LIMIT(FSIZE),  LIMIT(LOCKS),  LIMIT(MEMLOCK),	 LIMIT(MSGQUEUE),
	LIMIT(NICE),   LIMIT(NOFILE), LIMIT(NPROC),	 LIMIT(RSS),
	LIMIT(RTPRIO), LIMIT(RTTIME), LIMIT(SIGPENDING), LIMIT(STACK),
};

static const struct constant policies[] = {
	{"OTHER", SCHED_OTHER}, {"FIFO", SCHED_FIFO}, {"RR", SCHED_RR},
	{"BATCH", SCHED_BATCH}, {"IDLE", SCHED_IDLE},
};

static const struct constant io_classes[] = {
	{"NONE", IOPRIO_CLASS_NONE},
	{"REALTIME", IOPRIO_CLASS_RT},
	{"BEST_EFFORT", IOPRIO_CLASS_BE},
	{"IDLE", IOPRIO_CLASS_IDLE},
};

static const struct constant clocks[] = {
	{"MONOTONIC", CLOCK_MONOTONIC},
	{"BOOTTIME", CLOCK_BOOTTIME},
};

static const struct constant securebits[] = {
	{"NOROOT", SECBIT_NOROOT},
	{"NOROOT_LOCKED", SECBIT_NOROOT_LOCKED},
	{"NO_SETUID_FIXUP", SECBIT_NO_SETUID_FIXUP},
	{"NO_SETUID_FIXUP_LOCKED", SECBIT_NO_SETUID_FIXUP_LOCKED},
	{"KEEP_CAPS", SECBIT_KEEP_CAPS},
	{"KEEP_CAPS_LOCKED", SECBIT_KEEP_CAPS_LOCKED},
	{"NO_CAP_AMBIENT_RAISE", SECBIT_NO_CAP_AMBIENT_RAISE},
	{"NO_CAP_AMBIENT_RAISE_LOCKED", SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED},
};

/* In the order of step_private_mounts(), not the kernel's bits. */
static const struct constant propagations[] = {{"PRIVATE", 0}, {"SLAVE", 1}, {"SHARED", 2}};

/* Up to CAP_CHECKPOINT_RESTORE (5.9). */
static const struct constant capabilities[] = {
	CAP(CHOWN),
	CAP(DAC_OVERRIDE),
	CAP(DAC_READ_SEARCH),
	CAP(FOWNER),
	CAP(FSETID),
	CAP(KILL),
	CAP(SETGID),
	CAP(SETUID),
	CAP(SETPCAP),
	CAP(LINUX_IMMUTABLE),
	CAP(NET_BIND_SERVICE),
	CAP(NET_BROADCAST),
	CAP(NET_ADMIN),
	CAP(NET_RAW),
	CAP(IPC_LOCK),
	CAP(IPC_OWNER),
	CAP(SYS_MODULE),
	CAP(SYS_RAWIO),
	CAP(SYS_CHROOT),
	CAP(SYS_PTRACE),
	CAP(SYS_PACCT),
	CAP(SYS_ADMIN),
	CAP(SYS_BOOT),
	CAP(SYS_NICE),
	CAP(SYS_RESOURCE),
	CAP(SYS_TIME),
	CAP(SYS_TTY_CONFIG),
	CAP(MKNOD),
	CAP(LEASE),
	CAP(AUDIT_WRITE),
	CAP(AUDIT_CONTROL),
	CAP(SETFCAP),
	CAP(MAC_OVERRIDE),
	CAP(MAC_ADMIN),
	CAP(SYSLOG),
	CAP(WAKE_ALARM),
	CAP(BLOCK_SUSPEND),
	CAP(AUDIT_READ),
	CAP(PERFMON),
	CAP(BPF),
	CAP(CHECKPOINT_RESTORE),
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What the words of ramet separate by a dash, capabilities apart, headers separate otherwise. */
static bool is_same_word(const char *ours, const char *theirs)
{
	for (; *ours && *theirs; ours++, theirs++)
		if (tolower((unsigned char)*theirs) != (*ours == '-' ? '_' : *ours))
			return false;
	return *ours == *theirs;
}

static unsigned count_words(const struct word *words)
{
	unsigned n = 0;

	while (words[n].name)
		n++;
	return n;
}

/* Found as it is, in capitals, and by no part of it. */
static bool is_found(const struct word *words, const struct word *row)
{
	const size_t n = strlen(row->name);
	char loud[64];

	for (size_t i = 0; i <= n; i++)
		loud[i] = (char)toupper((unsigned char)row->name[i]);
	if (word_find(words, row->name, n) != row || word_find(words, loud, n) != row)
		return false;
	for (size_t cut = 0; cut < n; cut++)
		if (word_find(words, row->name, cut) == row)
			return false;
	loud[n] = 'X';
	return !word_find(words, loud, n + 1);
}

static void test_table(const char *of, const struct word *words, const struct constant *want,
		       size_t count)
{
	unsigned wrong = 0, unfound = 0;

	is_int(count_words(words), count, "%s: as many words as the headers have", of);
	for (size_t i = 0; i < count; i++) {
		const char *name = word_name(words, want[i].value);

		if (name && is_same_word(name, want[i].name))
			continue;
		diag("%s: %s, %d, is called %s", of, want[i].name, want[i].value,
		     name ? name : "nothing");
		wrong++;
	}
	is_int(wrong, 0, "%s: each value has the name of the headers", of);
	for (const struct word *row = words; row->name; row++)
		if (!is_found(words, row)) {
			diag("%s: %s", of, row->name);
			unfound++;
		}
	is_int(unfound, 0, "%s: each word is found, whole and in any case", of);
	ok(!word_name(words, -1) && !word_name(words, 9999), "%s: no other value has a name", of);
	ok(!word_find(words, "", 0) && !word_find(words, "nothing", 7),
	   "%s: what is no word is not found", of);
}

#define TEST_TABLE(name, constants) test_table(#name, words_##name, constants, COUNT(constants))

/* Nothing that this system's headers know is missing. */
static void test_whole(void)
{
	unsigned wrong = 0;

	for (int i = 0; i < (int)RLIM_NLIMITS; i++)
		wrong += !word_name(words_rlimit, i);
	is_int(wrong, 0, "every limit up to RLIM_NLIMITS has a word");
	for (int i = 0; i <= CAP_LAST_CAP; i++)
		wrong += !word_name(words_capability, i);
	is_int(wrong, 0, "every capability up to CAP_LAST_CAP has a word");
}

int main(void)
{
	TEST_TABLE(rlimit, limits);
	TEST_TABLE(policy, policies);
	TEST_TABLE(io_class, io_classes);
	TEST_TABLE(clock, clocks);
	TEST_TABLE(securebit, securebits);
	TEST_TABLE(propagation, propagations);
	TEST_TABLE(capability, capabilities);
	test_whole();
	return tap_done();
}
