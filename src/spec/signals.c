/* SPDX-License-Identifier: MIT */
/*
 * Signal names by the kernel's numbers (the same on every processor that ramet knows). Real-time
 * signals print as strace has them, SIGRT_n for 32+n, since SIGRTMIN is the C library's and not
 * the kernel's; SIGRTMIN+n is understood as the C library means it (34+n).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <ramet/ramet.h>

#define FIRST_REALTIME 32
#define LIBC_RTMIN 34
#define LAST 64

static const char *const names[LAST + 1] = {
	[1] = "SIGHUP",	   [2] = "SIGINT",     [3] = "SIGQUIT",	  [4] = "SIGILL",
	[5] = "SIGTRAP",   [6] = "SIGABRT",    [7] = "SIGBUS",	  [8] = "SIGFPE",
	[9] = "SIGKILL",   [10] = "SIGUSR1",   [11] = "SIGSEGV",  [12] = "SIGUSR2",
	[13] = "SIGPIPE",  [14] = "SIGALRM",   [15] = "SIGTERM",  [16] = "SIGSTKFLT",
	[17] = "SIGCHLD",  [18] = "SIGCONT",   [19] = "SIGSTOP",  [20] = "SIGTSTP",
	[21] = "SIGTTIN",  [22] = "SIGTTOU",   [23] = "SIGURG",	  [24] = "SIGXCPU",
	[25] = "SIGXFSZ",  [26] = "SIGVTALRM", [27] = "SIGPROF",  [28] = "SIGWINCH",
	[29] = "SIGIO",	   [30] = "SIGPWR",    [31] = "SIGSYS",	  [32] = "SIGRT_0",
	[33] = "SIGRT_1",  [34] = "SIGRT_2",   [35] = "SIGRT_3",  [36] = "SIGRT_4",
	[37] = "SIGRT_5",  [38] = "SIGRT_6",   [39] = "SIGRT_7",  [40] = "SIGRT_8",
	[41] = "SIGRT_9",  [42] = "SIGRT_10",  [43] = "SIGRT_11", [44] = "SIGRT_12",
	[45] = "SIGRT_13", [46] = "SIGRT_14",  [47] = "SIGRT_15", [48] = "SIGRT_16",
	[49] = "SIGRT_17", [50] = "SIGRT_18",  [51] = "SIGRT_19", [52] = "SIGRT_20",
	[53] = "SIGRT_21", [54] = "SIGRT_22",  [55] = "SIGRT_23", [56] = "SIGRT_24",
	[57] = "SIGRT_25", [58] = "SIGRT_26",  [59] = "SIGRT_27", [60] = "SIGRT_28",
	[61] = "SIGRT_29", [62] = "SIGRT_30",  [63] = "SIGRT_31", [64] = "SIGRT_32",
};

/* Other spellings in use. */
static const struct {
	const char *name;
	int sig;
} aliases[] = {{"CLD", 17}, {"POLL", 29}, {"IOT", 6}};

const char *ramet_signal_name(int sig)
{
	return sig > 0 && sig <= LAST ? names[sig] : NULL;
}

/* A decimal number and nothing else, 0..limit, or -EINVAL. */
static int number(const char *text, int limit)
{
	int n = 0;

	if (!*text)
		return -EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		n = n * 10 + (*text - '0');
		if (n > limit)
			return -EINVAL;
	}
	return n;
}

int ramet_signal_parse(const char *name)
{
	int n = number(name, LAST);

	if (n >= 0)
		return n ? n : -EINVAL;
	if (strncasecmp(name, "SIG", 3) == 0)
		name += 3;
	for (int i = 1; i <= LAST; i++)
		if (strcasecmp(name, names[i] + 3) == 0)
			return i;
	for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++)
		if (strcasecmp(name, aliases[i].name) == 0)
			return aliases[i].sig;
	if (strncasecmp(name, "RTMIN", 5) == 0) {
		if (!name[5])
			return LIBC_RTMIN;
		n = name[5] == '+' ? number(name + 6, LAST - LIBC_RTMIN) : -EINVAL;
		return n < 0 ? n : LIBC_RTMIN + n;
	}
	if (strncasecmp(name, "RTMAX", 5) == 0) {
		if (!name[5])
			return LAST;
		n = name[5] == '-' ? number(name + 6, LAST - LIBC_RTMIN) : -EINVAL;
		return n < 0 ? n : LAST - n;
	}
	return -EINVAL;
}
