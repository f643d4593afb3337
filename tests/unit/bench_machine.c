/* SPDX-License-Identifier: MIT */
/*
 * What ramet bench says of the machine, and how much memory it may take, from texts in a folder in
 * place of '/': swap never counts, every cgroup above counts, in either version, and the least of
 * all bounds is the one that is told.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/machine.h"
#include "tap.h"

#define MB (1ULL << 20)
#define GB (1ULL << 30)
#define NONE UINT64_MAX

/* ---- A root of texts ---- */

static char root[64];

static void begin(void)
{
	strcpy(root, "/tmp/ramet-machine-XXXXXX");
	if (!mkdtemp(root))
		abort();
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void end(void)
{
	nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* With all folders on the way. */
static void put_bytes(const char *name, const char *text, size_t size)
{
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", root, name);
	for (char *at = path + strlen(root) + 1; (at = strchr(at, '/')); at++) {
		*at = 0;
		mkdir(path, 0700);
		*at = '/';
	}
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || write(fd, text, size) != (ssize_t)size)
		abort();
	close(fd);
}

static void put(const char *name, const char *text)
{
	put_bytes(name, text, strlen(text));
}

/* ---- What bounds memory ---- */

static void test_meminfo(void)
{
	struct memory_bounds bounds;

	begin();
	memory_read(root, &bounds);
	for (size_t i = 0; i < MEMORY_KINDS; i++)
		ok(bounds.left[i] == NONE, "of an empty root nothing is known: bound %zu", i);
	put("proc/meminfo", "MemTotal:       24684000 kB\n"
			    "MemFree:         9000000 kB\n"
			    "MemAvailable:    8388608 kB\n"
			    "SwapTotal:      99999999 kB\n"
			    "SwapFree:       99999999 kB\n"
			    "CommitLimit:     6291456 kB\n"
			    "Committed_AS:    2097152 kB\n");
	memory_read(root, &bounds);
	is_int(bounds.left[MEMORY_AVAILABLE], 8 * GB, "MemAvailable, without swap");
	ok(bounds.left[MEMORY_COMMIT] == NONE, "no promise is bounded by default");
	for (char mode = '0'; mode <= '2'; mode++) {
		const char text[] = {mode, '\n', 0};

		put("proc/sys/vm/overcommit_memory", text);
		memory_read(root, &bounds);
		is_int(bounds.left[MEMORY_COMMIT], mode == '2' ? 4 * GB : NONE,
		       "vm.overcommit_memory=%c", mode);
	}
	put("proc/meminfo", "MemAvailable: 1 kB\nCommitLimit: 10 kB\nCommitted_AS: 11 kB\n");
	memory_read(root, &bounds);
	is_int(bounds.left[MEMORY_COMMIT], 0, "more promised than the limit: nothing is left");
	put("proc/meminfo", "MemTotal: 24684000 kB\nMemAvailable: many\n");
	memory_read(root, &bounds);
	ok(bounds.left[MEMORY_AVAILABLE] == NONE && bounds.left[MEMORY_COMMIT] == NONE,
	   "texts that are none of the kernel's say nothing");
	end();
}

static void check_group(uint64_t left, const char *group, const char *control, const char *what)
{
	struct memory_bounds bounds;

	memory_read(root, &bounds);
	is_int(bounds.left[MEMORY_CGROUP], left, "%s", what);
	is_str(bounds.cgroup, group, "the group");
	is_str(bounds.control, control, "and its file");
}

static void test_version_2(void)
{
	begin();
	put("proc/self/cgroup", "0::/user.slice/one\n");
	put("proc/self/mountinfo",
	    "30 1 0:26 / /sys/fs/cgroup rw,nosuid shared:9 master:2 - cgroup2 cgroup2 rw,nsdelegate\n");
	put("sys/fs/cgroup/user.slice/one/memory.current", "104857600\n");
	put("sys/fs/cgroup/user.slice/one/memory.max", "max\n");
	put("sys/fs/cgroup/user.slice/one/memory.high", "max\n");
	check_group(NONE, "", "", "no limit");
	put("sys/fs/cgroup/user.slice/memory.current", "536870912\n");
	put("sys/fs/cgroup/user.slice/memory.max", "1073741824\n");
	check_group(512 * MB, "/user.slice", "memory.max", "the limit of the group above");
	put("sys/fs/cgroup/user.slice/one/memory.high", "209715200\n");
	check_group(100 * MB, "/user.slice/one", "memory.high", "memory.high is nearer");
	put("sys/fs/cgroup/user.slice/one/memory.stat",
	    "anon 1\nfile 62914560\ninactive_anon 7\ninactive_file 52428800\n");
	check_group(150 * MB, "/user.slice/one", "memory.high", "old file pages are free");
	put("sys/fs/cgroup/user.slice/one/memory.max", "1048576\n");
	check_group(0, "/user.slice/one", "memory.max", "more used than the limit");
	end();
}

static void test_version_1(void)
{
	begin();
	put("proc/self/cgroup",
	    "9:name=systemd:/\n5:cpu,memory_not:/no\n4:cpuset,memory:/a/b c\n0::/\n");
	put("proc/self/mountinfo",
	    "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n"
	    "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,memory_not\n"
	    "35 31 0:32 / /sys/fs/cgroup/the\\040memory rw - cgroup cgroup rw,cpuset,memory\n"
	    "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n");
	put("sys/fs/cgroup/the memory/a/b c/memory.limit_in_bytes", "9223372036854771712\n");
	put("sys/fs/cgroup/the memory/a/b c/memory.usage_in_bytes", "1048576\n");
	check_group(NONE, "", "", "version 1 without a limit");
	put("sys/fs/cgroup/the memory/a/memory.limit_in_bytes", "1073741824\n");
	put("sys/fs/cgroup/the memory/a/memory.usage_in_bytes", "805306368\n");
	put("sys/fs/cgroup/the memory/a/memory.stat",
	    "inactive_file 1\ntotal_inactive_file 268435456\n");
	check_group(512 * MB, "/a", "memory.limit_in_bytes", "the limit of the one above");
	put("sys/fs/cgroup/the memory/a/b c/memory.limit_in_bytes", "2097152\n");
	check_group(1 * MB, "/a/b c", "memory.limit_in_bytes", "that of its own is nearer");
	put("sys/fs/cgroup/unified/memory.max", "4096\n");
	put("sys/fs/cgroup/unified/memory.current", "4096\n");
	check_group(0, "/", "memory.max", "both versions count");
	end();
}

/* The top of what is seen may be the group itself, or another one. */
static void test_containers(void)
{
	static const struct {
		const char *path, *from, *what;
		uint64_t left;
	} rows[] = {
		{"/docker/1", "/docker/1", "the group is mounted in the topmost one's place",
		 64 * MB},
		{"/docker/1/x", "/docker/1", "one below it", 16 * MB},
		{"/docker/12", "/docker/1", "another that begins like it", 64 * MB},
		{"/../other", "/", "out of the namespace", 64 * MB},
		{"/x", "/", "within the namespace", 16 * MB},
		{"/gone", "/", "one that is not to be seen", 64 * MB},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct memory_bounds bounds;
		char line[200];

		begin();
		snprintf(line, sizeof(line), "0::%s\n", rows[i].path);
		put("proc/self/cgroup", line);
		snprintf(line, sizeof(line), "30 1 0:26 %s /cg rw - cgroup2 cgroup2 rw\n",
			 rows[i].from);
		put("proc/self/mountinfo", line);
		put("cg/memory.max", "134217728\n");
		put("cg/memory.current", "67108864\n");
		put("cg/x/memory.max", "33554432\n");
		put("cg/x/memory.current", "16777216\n");
		put("other/memory.max", "4096\n"); /* beside the hierarchy: no group */
		put("other/memory.current", "4096\n");
		memory_read(root, &bounds);
		is_int(bounds.left[MEMORY_CGROUP], rows[i].left, "%s", rows[i].what);
		end();
	}
}

/* ---- Judging ---- */

static void check_judge(enum memory_kind kind, uint64_t left, uint64_t bytes, const char *want)
{
	struct memory_bounds bounds = {.cgroup = "/a/b", .control = "memory.max"};
	char why[BENCH_WHY] = "nothing";
	int r;

	for (size_t i = 0; i < MEMORY_KINDS; i++)
		bounds.left[i] = NONE;
	bounds.left[kind] = left;
	r = memory_judge(&bounds, bytes, why);
	is_int(r, want ? -ENOMEM : 0, "%" PRIu64 " of %" PRIu64, bytes, left);
	is_str(why, want ? want : "nothing", "and why");
}

static void test_judge(void)
{
	struct memory_bounds bounds;
	char why[BENCH_WHY];

	check_judge(MEMORY_AVAILABLE, NONE, 1ULL << 60, NULL);
	check_judge(MEMORY_AVAILABLE, 10 * GB, 9 * GB, NULL);
	check_judge(MEMORY_AVAILABLE, 10 * GB, 9 * GB + 1,
		    "9.1 GB asked, 9 GB can be taken without swapping "
		    "(MemAvailable): end what else takes memory, or ask for less");
	check_judge(
		MEMORY_AVAILABLE, 6 * GB, 8 * GB,
		"8 GB asked, 5.4 GB can be taken without swapping (MemAvailable): end what else "
		"takes memory, or ask for less");
	check_judge(MEMORY_AVAILABLE, 1 * GB, 768 * MB, NULL);
	check_judge(MEMORY_AVAILABLE, 1 * GB, 769 * MB,
		    "769 MB asked, 768 MB can be taken without swapping (MemAvailable): end what "
		    "else takes memory, or ask for less");
	check_judge(MEMORY_AVAILABLE, 200 * MB, 100 * MB, NULL);
	check_judge(
		MEMORY_AVAILABLE, 0, 2 * MB,
		"2 MB asked, 0 bytes can be taken without swapping (MemAvailable): end what else "
		"takes memory, or ask for less");
	check_judge(
		MEMORY_CGROUP, 512 * MB, 461 * MB,
		"461 MB asked, 460 MB can be taken (memory.max of cgroup /a/b): raise it, or ask "
		"for less");
	check_judge(
		MEMORY_COMMIT, 4 * GB, 2 * GB,
		"2 GB asked, 1.7 GB can be taken, since a forked child is promised as much "
		"again (vm.overcommit_memory is 2): raise vm.overcommit_ratio, or ask for less");
	check_judge(MEMORY_COMMIT, 4 * GB, 1843 * MB, NULL);
	check_judge(MEMORY_ADDRESS_SPACE, 1 * GB, 1008 * MB, NULL);
	check_judge(MEMORY_ADDRESS_SPACE, 1 * GB, 1 * GB,
		    "1 GB asked, 1008 MB can be taken (RLIMIT_AS): raise it, see ulimit -v, or ask "
		    "for less");
	check_judge(
		MEMORY_DATA, 4 * GB, 8 * GB,
		"8 GB asked, 3.9 GB can be taken (RLIMIT_DATA): raise it, see ulimit -d, or ask "
		"for less");
	for (size_t i = 0; i < MEMORY_KINDS; i++)
		bounds.left[i] = 8 * GB;
	memset(bounds.cgroup, 'x', sizeof(bounds.cgroup));
	bounds.cgroup[sizeof(bounds.cgroup) - 1] = 0;
	strcpy(bounds.control, "memory.limit_in_bytes");
	bounds.left[MEMORY_CGROUP] = 3 * GB;
	memory_judge(&bounds, 4 * GB, why);
	is_str(why,
	       "4 GB asked, 2.7 GB can be taken (memory.limit_in_bytes of cgroup ..."
	       "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx): raise it, or ask for less",
	       "the nearest of all bounds is told, of a long path its end");
}

/* ---- The machine ---- */

static void check_processor(const char *cpuinfo, const char *board, const char *want)
{
	char text[96] = "";

	begin();
	put("proc/cpuinfo", cpuinfo);
	if (board)
		put_bytes("proc/device-tree/model", board, strlen(board) + 1);
	machine_processor(root, text, sizeof(text));
	is_str(text, want, "the processor");
	end();
}

static void check_hypervisor(const char *cpuinfo, const char *folder, const char *compatible,
			     const char *want)
{
	char text[24] = "";

	begin();
	put("proc/cpuinfo", cpuinfo);
	if (folder)
		put("sys/hypervisor/type", folder);
	if (compatible)
		put("proc/device-tree/hypervisor/compatible", compatible);
	machine_hypervisor(root, text, sizeof(text));
	is_str(text, want, "the hypervisor");
	end();
}

static void test_machine(void)
{
	static const char arm[] = "processor\t: 0\nFeatures\t: fp asimd\nCPU implementer\t: 0x41\n"
				  "CPU architecture: 8\nCPU variant\t: 0x3\nCPU part\t: 0xd0c\n";

	check_processor("processor\t: 0\nvendor_id\t: X\nmodel\t\t: 167\n"
			"model name\t: Some(R) Processor \nstepping\t: 1\n",
			"no board", "Some(R) Processor");
	check_processor(arm, NULL, "ARM (implementer 0x41, part 0xd0c)");
	check_processor(arm, "Raspberry Pi 5", "Raspberry Pi 5 (implementer 0x41, part 0xd0c)");
	check_processor("processor\t: 0\nhart\t: 0\nisa\t: rv64imafdc\nuarch\t: sifive,u74-mc\n",
			NULL, "sifive,u74-mc");
	check_processor("processor\t: 0\nisa\t: rv64imafdc\n", "StarFive V2", "StarFive V2");
	check_processor("processor\t: 0\nisa\t: rv64imafdc\n", NULL, "rv64imafdc");
	check_hypervisor("flags\t\t: fpu hypervisor vme\n", NULL, NULL, "yes");
	check_hypervisor("flags\t\t: fpu hypervisor\n", "xen\n", NULL, "xen");
	check_hypervisor("flags\t\t: fpu hypervisors xhypervisor\nbugs\t: hypervisor\n", NULL, NULL,
			 "none");
	check_hypervisor(arm, NULL, NULL, "unknown");
	check_hypervisor(arm, NULL, "linux,kvm", "linux,kvm");
}

/* This one: every field is filled, and what it says can be true. */
static void test_this_machine(void)
{
	struct bench_machine m;
	char why[BENCH_WHY] = "";
	int year, month, day, hour, minute, second;

	bench_machine_read(&m);
	diag("%s, %d of %s, %s, governor %s, hypervisor %s, huge pages %s", m.system, m.processors,
	     m.processor, m.libc, m.governor, m.hypervisor, m.thp);
	ok(!strncmp(m.system, "Linux ", 6), "the system: %s", m.system);
	ok(m.processor[0] && m.libc[0] && m.governor[0] && m.hypervisor[0] && m.thp[0] &&
		   m.version[0],
	   "nothing is left out");
	ok(m.processors > 0 && m.processors <= sysconf(_SC_NPROCESSORS_CONF), "%d processors",
	   m.processors);
	ok(m.memory > m.available && m.available > 0, "memory");
	ok(sscanf(m.date, "%4d-%2d-%2dT%2d:%2d:%2dZ", &year, &month, &day, &hour, &minute,
		  &second) == 6,
	   "the date: %s", m.date);
	is_int(bench_may_take(4096, why), 0, "a page may be taken: %s", why);
	is_int(bench_may_take(m.memory, why), -ENOMEM, "all of the memory may not: %s", why);
}

int main(void)
{
	test_meminfo();
	test_version_2();
	test_version_1();
	test_containers();
	test_judge();
	test_machine();
	test_this_machine();
	return tap_done();
}
