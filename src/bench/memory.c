/* SPDX-License-Identifier: MIT */
/*
 * How much memory may be taken before the machine swaps, an out-of-memory killer comes, or a fork
 * is refused. Read first, judged afterwards; the least of all bounds is the one that is told.
 *
 * Of a cgroup counts what its limit leaves, and the file pages nobody has used for long, which the
 * kernel drops first: a group that has read large files stands at its limit and has room. All
 * groups above have limits of their own. Version 1 and 2 may both be there, the memory in either.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>

#include "bench/machine.h"

#define PATH 256
#define KB (1ULL << 10)
#define MB (1ULL << 20)
#define NO_LIMIT (1ULL << 62) /* version 1 writes the largest number of pages */

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t minus(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

/* ---- Cgroups ------------------------------------------------------------------------------- */

/* The names of one version's files. */
struct version {
	const char *type;      /* of its file system */
	const char *limits[2]; /* the second may be NULL */
	const char *usage;
	const char *inactive; /* in memory.stat, with all groups below */
};

static const struct version versions[] = {
	{"cgroup", {"memory.limit_in_bytes"}, "memory.usage_in_bytes", "total_inactive_file "},
	/* Above memory.high everything is slowed down. */
	{"cgroup2", {"memory.max", "memory.high"}, "memory.current", "inactive_file "},
};

/* Where the groups of a version are seen, and ours among them. */
struct hierarchy {
	char top[PATH];	  /* a folder */
	char below[PATH]; /* ours from there on: "" or "/a/b" */
};

/* Is word one of those in a list with commas? */
static bool is_listed(const char *list, const char *word)
{
	const size_t n = strlen(word);

	for (; list; list = strchr(list, ',')) {
		list += *list == ',';
		if (!strncmp(list, word, n) && (!list[n] || list[n] == ',' || list[n] == '\n'))
			return true;
	}
	return false;
}

/* mountinfo writes blanks and the like as "\040". */
static void unescape(char *text)
{
	char *to = text;

	for (const char *at = text; *at; to++) {
		if (at[0] == '\\' && at[1] && at[2] && at[3]) {
			*to = (char)((at[1] - '0') << 6 | (at[2] - '0') << 3 | (at[3] - '0'));
			at += 4;
		} else {
			*to = *at++;
		}
	}
	*to = 0;
}

/* A line "4:memory:/a" of /proc/PID/cgroup, or "0::/a", is it of this version's memory? */
static bool take_group(char *line, const struct version *v, char *ret_path)
{
	char *list = strchr(line, ':'), *path = list ? strchr(list + 1, ':') : NULL;

	if (!path)
		return false;
	*list++ = *path++ = 0;
	path[strcspn(path, "\n")] = 0;
	if (v == &versions[0] ? !is_listed(list, "memory") : *list != 0)
		return false;
	snprintf(ret_path, PATH, "%s", path);
	return true;
}

/*
 * A line of mountinfo, "31 23 0:28 ROOT TOP rw,relatime shared:1 - TYPE SOURCE rw,memory". The top
 * may be a group that is not the topmost one, as in a container without a namespace of its own;
 * what is above it is not to be seen.
 */
static bool take_mount(char *line, const struct version *v, const char *root, const char *path,
		       struct hierarchy *ret)
{
	char *dash = strstr(line, " - ");
	char type[16], options[512], from[PATH], top[PATH];
	size_t n;

	if (!dash || sscanf(line, "%*s %*s %*s %255s %255s", from, top) != 2 ||
	    sscanf(dash + 3, "%15s %*s %511s", type, options) != 2 || strcmp(type, v->type) != 0 ||
	    (v == &versions[0] && !is_listed(options, "memory")))
		return false;
	unescape(from);
	unescape(top);
	n = strcmp(from, "/") ? strlen(from) : 0;
	if (snprintf(ret->top, PATH, "%s%s", root, top) >= PATH)
		return false;
	if (!strncmp(path, "/..", 3) || strncmp(path, from, n) != 0 || (n && path[n] > '/'))
		path += strlen(path); /* ours is not below it: then its own limit is all there is */
	else
		path += n;
	snprintf(ret->below, PATH, "%s", strcmp(path, "/") ? path : "");
	return true;
}

static FILE *open_text(const char *root, const char *name)
{
	char path[PATH];

	snprintf(path, sizeof(path), "%s/proc/self/%s", root, name);
	return fopen(path, "re");
}

static bool find_hierarchy(const char *root, const struct version *v, struct hierarchy *ret)
{
	char *line = NULL, path[PATH];
	size_t size = 0;
	bool found = false;
	FILE *f = open_text(root, "cgroup");

	while (f && !found && getline(&line, &size, f) > 0)
		found = take_group(line, v, path);
	if (f)
		fclose(f);
	f = found ? open_text(root, "mountinfo") : NULL;
	found = false;
	while (f && !found && getline(&line, &size, f) > 0)
		found = take_mount(line, v, root, path, ret);
	if (f)
		fclose(f);
	free(line);
	return found;
}

/* UINT64_MAX: "max", or the file is not there, as in the topmost group of version 2. */
static uint64_t read_number(const char *folder, const char *name)
{
	char text[64], *end;
	uint64_t value;

	if (machine_text(text, sizeof(text), "%s/%s", folder, name) <= 0)
		return UINT64_MAX;
	value = strtoull(text, &end, 10);
	return end == text ? UINT64_MAX : value;
}

static uint64_t read_inactive(const char *folder, const char *name)
{
	char text[8192];

	machine_text(text, sizeof(text), "%s/memory.stat", folder);
	for (const char *at = text; at; at = strchr(at, '\n')) {
		at += *at == '\n';
		if (!strncmp(at, name, strlen(name)))
			return strtoull(at + strlen(name), NULL, 10);
	}
	return 0;
}

/* One group: is what it leaves the least until now? */
static void read_group(const struct version *v, const struct hierarchy *h,
		       struct memory_bounds *bounds)
{
	char folder[2 * PATH];
	uint64_t used, left;

	snprintf(folder, sizeof(folder), "%s%s", h->top, h->below);
	used = read_number(folder, v->usage);
	if (used == UINT64_MAX)
		return;
	used = minus(used, read_inactive(folder, v->inactive));
	for (size_t i = 0; i < 2 && v->limits[i]; i++) {
		const uint64_t limit = read_number(folder, v->limits[i]);

		left = minus(limit, used);
		if (limit >= NO_LIMIT || left >= bounds->left[MEMORY_CGROUP])
			continue;
		bounds->left[MEMORY_CGROUP] = left;
		snprintf(bounds->cgroup, sizeof(bounds->cgroup), "%.*s",
			 (int)sizeof(bounds->cgroup) - 1, h->below[0] ? h->below : "/");
		snprintf(bounds->control, sizeof(bounds->control), "%s", v->limits[i]);
	}
}

static void read_groups(const char *root, struct memory_bounds *bounds)
{
	for (size_t i = 0; i < 2; i++) {
		struct hierarchy h;
		char *cut;

		if (!find_hierarchy(root, &versions[i], &h))
			continue;
		read_group(&versions[i], &h, bounds);
		while ((cut = strrchr(h.below, '/'))) {
			*cut = 0;
			read_group(&versions[i], &h, bounds);
		}
	}
}

/* ---- The machine and the process ----------------------------------------------------------- */

void memory_read(const char *root, struct memory_bounds *ret)
{
	char text[4096], mode[8];
	int64_t available, limit, promised;

	*ret = (struct memory_bounds){0};
	for (size_t i = 0; i < MEMORY_KINDS; i++)
		ret->left[i] = UINT64_MAX;
	machine_text(text, sizeof(text), "%s/proc/meminfo", root);
	available = machine_kilobytes(text, "MemAvailable");
	if (available >= 0)
		ret->left[MEMORY_AVAILABLE] = (uint64_t)available;
	limit = machine_kilobytes(text, "CommitLimit");
	promised = machine_kilobytes(text, "Committed_AS");
	machine_text(mode, sizeof(mode), "%s/proc/sys/vm/overcommit_memory", root);
	if (atoi(mode) == 2 && limit >= 0 && promised >= 0)
		ret->left[MEMORY_COMMIT] = minus((uint64_t)limit, (uint64_t)promised);
	read_groups(root, ret);
}

static uint64_t left_of(int resource, int64_t used)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
		return UINT64_MAX;
	return minus(limit.rlim_cur, used > 0 ? (uint64_t)used : 0);
}

void memory_read_own(struct memory_bounds *bounds)
{
	struct sysinfo info;
	char text[4096];

	machine_text(text, sizeof(text), "/proc/self/status");
	bounds->left[MEMORY_ADDRESS_SPACE] = left_of(RLIMIT_AS, machine_kilobytes(text, "VmSize"));
	bounds->left[MEMORY_DATA] = left_of(RLIMIT_DATA, machine_kilobytes(text, "VmData"));
	/* Without /proc: at least what is free. */
	if (bounds->left[MEMORY_AVAILABLE] == UINT64_MAX && sysinfo(&info) == 0)
		bounds->left[MEMORY_AVAILABLE] = (uint64_t)info.freeram * info.mem_unit;
}

/* ---- Judging ------------------------------------------------------------------------------- */

static const struct {
	unsigned share; /* of what is left, one part of so many stays free; 0: none */
	uint64_t least; /* that stays free, but never more than half */
	bool twice;	/* a forked child counts as much again */
	const char *where, *mend;
} rows[MEMORY_KINDS] = {
	/* Page tables of a child, and whoever else lives here. */
	[MEMORY_AVAILABLE] = {10, 256 * MB, false, " without swapping (MemAvailable)",
			      "end what else takes memory"},
	[MEMORY_CGROUP] = {10, 32 * MB, false, NULL, "raise it"},
	/* The kernel keeps some for who has to log in, at most 128 MB. */
	[MEMORY_COMMIT] = {10, 128 * MB, true,
			   ", since a forked child is promised as much again "
			   "(vm.overcommit_memory is 2)",
			   "raise vm.overcommit_ratio"},
	[MEMORY_ADDRESS_SPACE] = {0, 16 * MB, false, " (RLIMIT_AS)", "raise it, see ulimit -v"},
	[MEMORY_DATA] = {0, 16 * MB, false, " (RLIMIT_DATA)", "raise it, see ulimit -d"},
};

static uint64_t can_take(const struct memory_bounds *bounds, size_t kind)
{
	uint64_t left = bounds->left[kind], margin = rows[kind].least;

	if (left == UINT64_MAX)
		return left;
	if (rows[kind].share && left / rows[kind].share > margin)
		margin = left / rows[kind].share;
	left -= least(margin, left / 2);
	return rows[kind].twice ? left / 2 : left;
}

/* "8 GB", "5.2 GB"; rounded down, or up. */
static void size_text(uint64_t bytes, bool up, char buf[32])
{
	static const char *const names[] = {"bytes", "KB", "MB", "GB"};
	uint64_t one, rest, tenths;
	int unit = 3;

	while (unit > 0 && bytes < 1ULL << (10 * unit))
		unit--;
	one = 1ULL << (10 * unit);
	rest = up ? one - 1 : 0;
	tenths = bytes < 100 * one ? (bytes * 10 + rest) / one : (bytes + rest) / one * 10;
	if (tenths % 10)
		snprintf(buf, 32, "%ju.%ju %s", (uintmax_t)(tenths / 10), (uintmax_t)(tenths % 10),
			 names[unit]);
	else
		snprintf(buf, 32, "%ju %s", (uintmax_t)(tenths / 10), names[unit]);
}

/* " (memory.max of cgroup /a/b)"; of a long path the end. */
static void group_text(const struct memory_bounds *bounds, char buf[120])
{
	const size_t n = strlen(bounds->cgroup), most = 48;

	snprintf(buf, 120, " (%.31s of cgroup %s%.48s)", bounds->control, n > most ? "..." : "",
		 bounds->cgroup + (n > most ? n - most : 0));
}

int memory_judge(const struct memory_bounds *bounds, uint64_t bytes, char *why)
{
	char asked[32], possible[32], group[120];
	size_t kind = 0;
	uint64_t most;

	for (size_t i = 1; i < MEMORY_KINDS; i++)
		if (can_take(bounds, i) < can_take(bounds, kind))
			kind = i;
	most = can_take(bounds, kind);
	if (bytes <= most)
		return 0;
	/* Never "8 GB asked, 8 GB can be taken". */
	size_text(bytes, true, asked);
	size_text(most, false, possible);
	group_text(bounds, group);
	snprintf(why, BENCH_WHY, "%.15s asked, %.15s can be taken%.90s: %.30s, or ask for less",
		 asked, possible, rows[kind].where ? rows[kind].where : group, rows[kind].mend);
	return -ENOMEM;
}

int bench_may_take(uint64_t bytes, char *why)
{
	struct memory_bounds bounds;

	memory_read("", &bounds);
	memory_read_own(&bounds);
	return memory_judge(&bounds, bytes, why);
}
