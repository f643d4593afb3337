/* SPDX-License-Identifier: MIT */
/*
 * Parsers of /proc/PID/stat and status. stat has the name as it is, between the first '(' and the
 * last ')'; nothing behind it can hold a ')'. In status the kernel escapes the line ends of a
 * name, so a name makes no line.
 */
#include "inspect/parse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define KERNEL_PF_KTHREAD 0x00200000 /* linux/sched.h */

/* Fields of stat as proc(5) counts them. */
enum {
	STAT_PPID = 4,
	STAT_FLAGS = 9,
	STAT_THREADS = 20,
	STAT_EXIT_SIGNAL = 38,
};

const char *inspect_line(const char *text, const char *name)
{
	size_t n = strlen(name);

	for (; text; text = strchr(text, '\n')) {
		text += *text == '\n';
		if (!strncmp(text, name, n) && text[n] == ':')
			return text + n + 1 + strspn(text + n + 1, " \t");
	}
	return NULL;
}

int inspect_parse_stat(const char *text, struct inspect_basics *ret)
{
	const char *open = strchr(text, '('), *close = strrchr(text, ')'), *at;
	struct inspect_basics basics = {0};
	int64_t fields[STAT_EXIT_SIGNAL + 1] = {0};
	size_t n;

	if (!open || !close || close < open || close[1] != ' ' || !close[2])
		return -ENODATA;
	n = (size_t)(close - open - 1);
	if (n >= sizeof(basics.name))
		n = sizeof(basics.name) - 1;
	memcpy(basics.name, open + 1, n);
	basics.state = close[2];
	at = close + 3;
	for (int field = STAT_PPID; field <= STAT_EXIT_SIGNAL; field++) {
		char *end;

		if (*at != ' ')
			return -ENODATA;
		fields[field] = strtoll(at, &end, 10);
		if (end == at)
			return -ENODATA;
		at = end;
	}
	basics.parent = (pid_t)fields[STAT_PPID];
	basics.kernel = fields[STAT_FLAGS] & KERNEL_PF_KTHREAD;
	basics.threads = (unsigned)fields[STAT_THREADS];
	basics.exit_signal = (int)fields[STAT_EXIT_SIGNAL];
	*ret = basics;
	return 0;
}

/* Number `index` (from 0) of a line of numbers; the last one with index -1. */
static bool number(const char *text, const char *name, int index, int base, uint64_t *ret)
{
	const char *at = inspect_line(text, name);
	bool found = false;

	for (int i = 0; at && (index < 0 || i <= index); i++) {
		char *end;
		uint64_t value;

		at += strspn(at, " \t");
		if (*at == '\n' || !*at)
			break;
		value = strtoull(at, &end, base);
		if (end == at)
			break;
		at = end;
		found = index < 0 || i == index;
		if (found)
			*ret = value;
	}
	return found;
}

int inspect_parse_status(const char *text, struct inspect_rights *ret)
{
	uint64_t process, tracer, inner, uid, gid, mask, nnp = 0, seccomp = 0, filters;
	struct inspect_rights rights = {.umask = -1, .filters = -1};

	if (!number(text, "Tgid", 0, 10, &process) || !number(text, "TracerPid", 0, 10, &tracer) ||
	    !number(text, "Uid", 1, 10, &uid) || !number(text, "Gid", 1, 10, &gid) ||
	    !number(text, "CapPrm", 0, 16, &rights.permitted) ||
	    !number(text, "CapEff", 0, 16, &rights.effective))
		return -ENODATA;
	if (number(text, "Umask", 0, 8, &mask))
		rights.umask = (int)mask;
	if (!number(text, "NSpid", -1, 10, &inner))
		inner = process;
	number(text, "NoNewPrivs", 0, 10, &nnp);
	number(text, "Seccomp", 0, 10, &seccomp);
	if (number(text, "Seccomp_filters", 0, 10, &filters))
		rights.filters = (int)filters;
	rights.process = (pid_t)process;
	rights.tracer = (pid_t)tracer;
	rights.inner = (pid_t)inner;
	rights.uid = (uid_t)uid;
	rights.gid = (gid_t)gid;
	rights.no_new_privs = nnp;
	rights.seccomp = (int)seccomp;
	*ret = rights;
	return 0;
}

int inspect_parse_ns(const char *link, uint64_t *ret_inode)
{
	const char *open = strstr(link, ":[");
	char *end;
	uint64_t inode;

	if (!open || open[2] < '0' || open[2] > '9')
		return -ENODATA;
	inode = strtoull(open + 2, &end, 10);
	if (*end != ']')
		return -ENODATA;
	*ret_inode = inode;
	return 0;
}
