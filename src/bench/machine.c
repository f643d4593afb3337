/* SPDX-License-Identifier: MIT */
/* What it was measured on. Whatever cannot be read is "unknown" or 0: no reason not to measure. */
#include "bench/machine.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <gnu/libc-version.h>
#endif

#include "inspect/parse.h"
#include "inspect/text.h"

#define PATH 320
#define PROCESSORS_MAX 8192 /* the most that a kernel can be built for */

int machine_text(char *buf, size_t size, const char *format, ...)
{
	char path[PATH];
	va_list args;
	int n;

	buf[0] = 0;
	va_start(args, format);
	n = vsnprintf(path, sizeof(path), format, args);
	va_end(args);
	if (n >= (int)sizeof(path))
		return -ENAMETOOLONG;
	return inspect_text(AT_FDCWD, path, buf, size);
}

int64_t machine_kilobytes(const char *text, const char *name)
{
	const char *line = inspect_line(text, name);

	return line && isdigit((unsigned char)*line) ? strtoll(line, NULL, 10) * 1024 : -1;
}

/* Up to the end of the line, without blanks at either end. Is there anything? */
static bool take_line(const char *line, char *buf, size_t size)
{
	size_t n = 0;

	if (!line)
		return false;
	line += strspn(line, " \t");
	n = strcspn(line, "\n");
	while (n && isspace((unsigned char)line[n - 1]))
		n--;
	if (n)
		snprintf(buf, size, "%.*s", (int)n, line);
	return n;
}

static bool take_file(char *buf, size_t size, const char *root, const char *path)
{
	char text[512];

	return machine_text(text, sizeof(text), "%s%s", root, path) > 0 &&
	       take_line(text, buf, size);
}

/* In /proc/cpuinfo the blanks before the colon are many: "model name\t: X". */
static const char *cpuinfo(const char *text, const char *name)
{
	const size_t n = strlen(name);

	for (const char *at = text; at; at = strchr(at, '\n')) {
		at += *at == '\n';
		if (!strncmp(at, name, n) && at[n + strspn(at + n, " \t")] == ':')
			return at + n + strspn(at + n, " \t") + 1;
	}
	return NULL;
}

/* ---- The processor ---- */

/* Only numbers are told: whose design it is, and which. */
static bool take_arm(const char *root, const char *text, char *buf, size_t size)
{
	char implementer[24], part[24];

	char board[64] = "ARM";

	if (!take_line(cpuinfo(text, "CPU implementer"), implementer, sizeof(implementer)) ||
	    !take_line(cpuinfo(text, "CPU part"), part, sizeof(part)))
		return false;
	take_file(board, sizeof(board), root, "/proc/device-tree/model");
	snprintf(buf, size, "%s (implementer %s, part %s)", board, implementer, part);
	return true;
}

/*
 * x86 has a name. Others have the board's in the device tree, and in cpuinfo what their registers
 * say: numbers, a microarchitecture, or no more than the instructions.
 */
void machine_processor(const char *root, char *buf, size_t size)
{
	static const char *const names[] = {"model name", "uarch", "cpu model", "cpu"};
	struct utsname kernel;
	char text[8192];

	machine_text(text, sizeof(text), "%s/proc/cpuinfo", root);
	if (take_line(cpuinfo(text, names[0]), buf, size) || take_arm(root, text, buf, size) ||
	    take_file(buf, size, root, "/proc/device-tree/model"))
		return;
	for (size_t i = 1; i < sizeof(names) / sizeof(names[0]); i++)
		if (take_line(cpuinfo(text, names[i]), buf, size))
			return;
	if (take_line(cpuinfo(text, "isa"), buf, size))
		return;
	snprintf(buf, size, "%s", uname(&kernel) == 0 ? kernel.machine : "unknown");
}

static bool has_word(const char *line, const char *word)
{
	const size_t n = strlen(word), end = strcspn(line, "\n");

	for (const char *at = line; (at = strstr(at, word)) && at < line + end; at += n)
		if (at[-1] == ' ' && (at[n] == ' ' || at[n] == '\n' || !at[n]))
			return true;
	return false;
}

/*
 * Xen has a folder for it. On x86 a flag tells that there is one, not which; that it is missing
 * tells that there is none. Elsewhere the device tree may tell.
 */
void machine_hypervisor(const char *root, char *buf, size_t size)
{
	const char *flags;
	char text[8192];

	if (take_file(buf, size, root, "/sys/hypervisor/type"))
		return;
	machine_text(text, sizeof(text), "%s/proc/cpuinfo", root);
	flags = cpuinfo(text, "flags");
	if (flags)
		snprintf(buf, size, "%s", has_word(flags, "hypervisor") ? "yes" : "none");
	else if (!take_file(buf, size, root, "/proc/device-tree/hypervisor/compatible"))
		snprintf(buf, size, "unknown");
}

/* sched_getaffinity() fails when the set is smaller than the kernel's. */
static int count_processors(void)
{
	cpu_set_t *set = CPU_ALLOC(PROCESSORS_MAX);
	const size_t size = CPU_ALLOC_SIZE(PROCESSORS_MAX);
	int count = 0;

	if (set && sched_getaffinity(0, size, set) == 0)
		count = CPU_COUNT_S(size, set);
	CPU_FREE(set);
	return count ? count : (int)sysconf(_SC_NPROCESSORS_ONLN);
}

/* ---- The rest ---- */

static void read_system(struct bench_machine *m)
{
	struct utsname kernel;

	if (uname(&kernel) == 0)
		snprintf(m->system, sizeof(m->system), "%.40s %.80s %.30s", kernel.sysname,
			 kernel.release, kernel.machine);
#ifdef __GLIBC__
	snprintf(m->libc, sizeof(m->libc), "glibc %s", gnu_get_libc_version());
#else
	snprintf(m->libc, sizeof(m->libc), "musl");
#endif
	snprintf(m->version, sizeof(m->version), "%s", RAMET_VERSION);
}

/* "always [madvise] never": what is in brackets. */
static void read_thp(struct bench_machine *m)
{
	char text[128];
	const char *open;

	snprintf(m->thp, sizeof(m->thp), "unknown");
	machine_text(text, sizeof(text), "/sys/kernel/mm/transparent_hugepage/enabled");
	open = strchr(text, '[');
	if (open)
		snprintf(m->thp, sizeof(m->thp), "%.*s", (int)strcspn(open + 1, "]\n"), open + 1);
}

static void read_memory(struct bench_machine *m)
{
	char text[4096];
	int64_t bytes;

	machine_text(text, sizeof(text), "/proc/meminfo");
	bytes = machine_kilobytes(text, "MemTotal");
	m->memory = bytes > 0 ? (uint64_t)bytes : 0;
	bytes = machine_kilobytes(text, "MemAvailable");
	m->available = bytes > 0 ? (uint64_t)bytes : 0;
}

static void read_date(struct bench_machine *m)
{
	const time_t now = time(NULL);
	struct tm parts;

	if (gmtime_r(&now, &parts))
		strftime(m->date, sizeof(m->date), "%Y-%m-%dT%H:%M:%SZ", &parts);
}

void bench_machine_read(struct bench_machine *ret)
{
	*ret = (struct bench_machine){0};
	read_system(ret);
	machine_processor("", ret->processor, sizeof(ret->processor));
	machine_hypervisor("", ret->hypervisor, sizeof(ret->hypervisor));
	ret->processors = count_processors();
	if (!take_file(ret->governor, sizeof(ret->governor), "",
		       "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"))
		snprintf(ret->governor, sizeof(ret->governor), "unknown");
	read_thp(ret);
	if (getloadavg(ret->load, 3) < 3)
		memset(ret->load, 0, sizeof(ret->load));
	read_memory(ret);
	read_date(ret);
}
