/* SPDX-License-Identifier: MIT */
/* Texts to steps. Each setter answers NULL or what it wanted, to follow "'x' is not". */
#include "cli/values.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "spec/words.h"
#include "uapi/clone.h"
#include "uapi/nr.h"

#define DESCRIPTOR_MAX 0x7fffffffL
/* Steps that ramet run adds itself. */
#define OWN_STEPS 8

const char *run_add(struct run_settings *s, struct ramet_step step)
{
	if (s->count >= RUN_STEPS_MAX - OWN_STEPS)
		return "possible: too many options";
	s->steps[s->count++] = step;
	return NULL;
}

/* A whole number, all of the n characters, from low to high. */
static bool parse_number(const char *text, size_t n, int base, int64_t low, int64_t high,
			 int64_t *ret)
{
	char buf[32], *end;
	long long value;

	if (!n || n >= sizeof(buf))
		return false;
	memcpy(buf, text, n);
	buf[n] = 0;
	if (buf[0] != '-' && (buf[0] < '0' || buf[0] > '9'))
		return false;
	errno = 0;
	value = strtoll(buf, &end, base);
	if (errno || *end || value < low || value > high)
		return false;
	*ret = value;
	return true;
}

/* One number is the whole value; `wanted` if it is none. */
static const char *add_number(const struct cli_option *option, const char *value, void *field,
			      int base, int64_t low, int64_t high, const char *wanted)
{
	int64_t n;

	if (!parse_number(value, strlen(value), base, low, high, &n))
		return wanted;
	return run_add(field, (struct ramet_step){.kind = option->tag, .number = (int32_t)n});
}

const char *run_set_plain(const struct cli_option *option, const char *value, void *field)
{
	(void)value;
	return run_add(field, (struct ramet_step){.kind = option->tag});
}

const char *run_set_path(const struct cli_option *option, const char *value, void *field)
{
	return run_add(field, (struct ramet_step){.kind = option->tag, .path = value});
}

const char *run_set_umask(const struct cli_option *option, const char *value, void *field)
{
	return add_number(option, value, field, 8, 0, 0777, "an octal mask from 0 to 777");
}

/* The kernel reads the last id as 'leave it'. */
const char *run_set_id(const struct cli_option *option, const char *value, void *field)
{
	return add_number(option, value, field, 10, 0, 0xfffffffeLL, "an id from 0 to 4294967294");
}

const char *run_set_pgid(const struct cli_option *option, const char *value, void *field)
{
	return add_number(option, value, field, 10, 0, DESCRIPTOR_MAX,
			  "a process group, or 0 for a new one");
}

const char *run_set_fd(const struct cli_option *option, const char *value, void *field)
{
	return add_number(option, value, field, 10, 0, DESCRIPTOR_MAX, "a descriptor");
}

const char *run_set_nice(const struct cli_option *option, const char *value, void *field)
{
	return add_number(option, value, field, 10, -20, 19, "a nice value from -20 to 19");
}

const char *run_set_slack(const struct cli_option *option, const char *value, void *field)
{
	return add_number(option, value, field, 10, 1, 0x7fffffffL, "a number of nanoseconds");
}

const char *run_set_oom(const struct cli_option *option, const char *value, void *field)
{
	return add_number(option, value, field, 10, -1000, 1000, "a number from -1000 to 1000");
}

const char *run_set_hex(const struct cli_option *option, const char *value, void *field)
{
	return add_number(option, value, field, 0, 0, 0xffffffffLL, "a number below 2^32");
}

const char *run_set_dup(const struct cli_option *option, const char *value, void *field)
{
	const size_t n = strcspn(value, ":");
	int64_t from, to;

	if (!value[n] || !parse_number(value, n, 10, 0, DESCRIPTOR_MAX, &from) ||
	    !parse_number(value + n + 1, strlen(value + n + 1), 10, 0, DESCRIPTOR_MAX, &to))
		return "two descriptors, FROM:TO";
	return run_add(field, (struct ramet_step){.kind = option->tag,
						  .number = (int32_t)from,
						  .to = (int32_t)to});
}

const char *run_set_signal(const struct cli_option *option, const char *value, void *field)
{
	struct ramet_step step = {.kind = RAMET_STEP_SIGNAL, .ignore = option->tag};

	step.number = strcmp(value, "all") == 0 ? 0 : ramet_signal_parse(value);
	return step.number < 0 ? "a signal, or 'all'" : run_add(field, step);
}

const char *run_set_one_signal(const struct cli_option *option, const char *value, void *field)
{
	struct ramet_step step = {.kind = option->tag, .number = ramet_signal_parse(value)};

	return step.number < 0 ? "a signal" : run_add(field, step);
}

const char *run_set_resources(const struct cli_option *option, const char *value, void *field)
{
	struct ramet_spec *spec = &((struct run_settings *)field)->spec;
	uint32_t *masks[] = {&spec->share, &spec->copy, &spec->fresh}, mask = 0;

	if (ramet_resources_parse(value, &mask, NULL) < 0)
		return "a list of resources (memory, files, fs, sighand, thread-group, parent, "
		       "sysvsem, io, tls, mnt, pid, net, ipc, uts, user, cgroupns, time, cgroup)";
	*masks[option->tag] |= mask;
	return NULL;
}

const char *run_set_preset(const struct cli_option *option, const char *value, void *field)
{
	struct ramet_spec *spec = &((struct run_settings *)field)->spec;

	(void)option;
	if (ramet_preset_parse(value, &spec->preset) < 0)
		return "a preset (fork, vfork, spawn, nptl, linuxthreads, container)";
	return NULL;
}

/* ---- Attributes ----------------------------------------------------------------------------- */

static bool parse_bound(const char *text, size_t n, uint64_t *ret)
{
	int64_t value;

	if (n == 9 && memcmp(text, "unlimited", 9) == 0) {
		*ret = ~0ULL;
		return true;
	}
	if (!parse_number(text, n, 10, 0, INT64_MAX, &value))
		return false;
	*ret = (uint64_t)value;
	return true;
}

const char *run_set_rlimit(const struct cli_option *option, const char *value, void *field)
{
	static const char wanted[] =
		"a limit: NAME=SOFT[:HARD], numbers or 'unlimited' (names: as, "
		"core, cpu, data, fsize, locks, memlock, msgqueue, nice, "
		"nofile, nproc, rss, rtprio, rttime, sigpending, stack)";
	struct ramet_step step = {.kind = option->tag};
	const size_t name = strcspn(value, "=");
	const struct word *word = word_find(words_rlimit, value, name);
	const char *soft = value + name + 1, *hard;
	size_t n;

	if (!word || !value[name])
		return wanted;
	n = strcspn(soft, ":");
	hard = soft[n] ? soft + n + 1 : soft;
	if (!parse_bound(soft, n, &step.soft) ||
	    !parse_bound(hard, soft[n] ? strlen(hard) : n, &step.hard))
		return wanted;
	step.number = word->value;
	return run_add(field, step);
}

const char *run_set_sched(const struct cli_option *option, const char *value, void *field)
{
	static const char wanted[] = "a policy (other, batch, idle, fifo:PRIORITY, rr:PRIORITY), "
				     "with ':reset' if its children shall be plain again";
	struct ramet_step step = {.kind = option->tag};
	size_t n = strcspn(value, ":");
	const struct word *word = word_find(words_policy, value, n);
	int64_t priority;

	if (!word)
		return wanted;
	for (value += n; *value; value += n) {
		value++;
		n = strcspn(value, ":");
		if (n == 5 && memcmp(value, "reset", 5) == 0)
			step.reset = 1;
		else if (parse_number(value, n, 10, 0, 99, &priority))
			step.priority = (int32_t)priority;
		else
			return wanted;
	}
	step.number = word->value;
	return run_add(field, step);
}

const char *run_set_ioprio(const struct cli_option *option, const char *value, void *field)
{
	static const char wanted[] =
		"a class (none, realtime, best-effort, idle), with a level from "
		"0 to 7: best-effort:4";
	const size_t n = strcspn(value, ":");
	const struct word *word = word_find(words_io_class, value, n);
	int64_t level = 0;

	if (!word ||
	    (value[n] && !parse_number(value + n + 1, strlen(value + n + 1), 10, 0, 7, &level)))
		return wanted;
	return run_add(field, (struct ramet_step){.kind = option->tag,
						  .number = word->value << 13 | (int32_t)level});
}

const char *run_set_cpus(const struct cli_option *option, const char *value, void *field)
{
	static const char wanted[] = "a list of processors: 0-3,7";
	struct run_settings *s = field;
	int64_t first, last;
	size_t n, dash;

	CPU_ZERO(&s->cpus);
	for (;; value++) {
		n = strcspn(value, ",");
		dash = strcspn(value, "-");
		if (dash >= n)
			dash = n;
		if (!parse_number(value, dash, 10, 0, CPU_SETSIZE - 1, &first))
			return wanted;
		last = first;
		if (dash < n && !parse_number(value + dash + 1, n - dash - 1, 10, first,
					      CPU_SETSIZE - 1, &last))
			return wanted;
		for (; first <= last; first++)
			CPU_SET((int)first, &s->cpus);
		value += n;
		if (!*value)
			break;
	}
	return run_add(s, (struct ramet_step){
				  .kind = option->tag, .data = &s->cpus, .bytes = sizeof(s->cpus)});
}

/* Bits of the words of a list, 1 << value (`shift`) or value itself. */
static bool parse_words(const struct word *words, const char *value, bool shift, uint64_t *ret)
{
	const struct word *word;
	uint64_t mask = 0;
	size_t n;

	for (;; value++) {
		n = strcspn(value, ",");
		if (shift && n > 4 && strncasecmp(value, "cap_", 4) == 0)
			word = word_find(words, value + 4, n - 4);
		else
			word = word_find(words, value, n);
		if (!word)
			return false;
		mask |= shift ? 1ULL << word->value : (uint64_t)word->value;
		value += n;
		if (!*value)
			break;
	}
	*ret = mask;
	return true;
}

const char *run_set_securebits(const struct cli_option *option, const char *value, void *field)
{
	uint64_t mask;

	if (!parse_words(words_securebit, value, false, &mask))
		return "a list of noroot, no-setuid-fixup, keep-caps, no-cap-ambient-raise, each "
		       "also with -locked";
	return run_add(field, (struct ramet_step){.kind = option->tag, .number = (int32_t)mask});
}

/* The permitted capabilities of ramet itself: more cannot be given. */
static uint64_t own_caps(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {{0}};

	if (syscall(SYS_capget, &header, data) < 0)
		return 0;
	return (uint64_t)data[1].permitted << 32 | data[0].permitted;
}

const char *run_set_caps(const struct cli_option *option, const char *value, void *field)
{
	struct ramet_step step = {.kind = option->tag};
	uint64_t mask = 0;

	if (strcmp(value, "all") == 0)
		mask = own_caps();
	else if (strcmp(value, "none") != 0 && !parse_words(words_capability, value, true, &mask))
		return "a list of capabilities as in capabilities(7) (chown,net_bind_service), "
		       "'all' or 'none'";
	step.mask = mask;
	return run_add(field, step);
}

/*
 * What a person means by 'with these capabilities': these and no others, whatever the user. Root
 * gets the bounding set at every exec, anybody else the ambient set.
 */
const char *run_set_all_caps(const struct cli_option *option, const char *value, void *field)
{
	struct cli_option bounding = *option;
	struct run_settings *s = field;
	const char *wrong;
	uint64_t mask;

	bounding.tag = RAMET_STEP_BOUNDING;
	wrong = run_set_caps(&bounding, value, field);
	if (wrong)
		return wrong;
	mask = s->steps[s->count - 1].mask;
	wrong = run_add(s, (struct ramet_step)RAMET_CAPS(mask, mask));
	return wrong ? wrong : run_add(s, (struct ramet_step)RAMET_AMBIENT(mask));
}

/* Ambient capabilities must be permitted and inheritable as well. */
const char *run_set_ambient(const struct cli_option *option, const char *value, void *field)
{
	struct run_settings *s = field;
	const char *wrong = run_set_caps(option, value, field);
	uint64_t mask;

	if (wrong)
		return wrong;
	mask = s->steps[s->count - 1].mask;
	return run_add(s, (struct ramet_step)RAMET_CAPS(own_caps(), mask));
}

const char *run_set_mask(const struct cli_option *option, const char *value, void *field)
{
	struct ramet_step step = {.kind = option->tag};
	char name[32];
	size_t n;
	int sig;

	if (strcmp(value, "all") == 0)
		step.mask = ~0ULL;
	for (; !step.mask || *value == ','; value += n) {
		value += *value == ',';
		n = strcspn(value, ",");
		snprintf(name, sizeof(name), "%.*s", (int)n, value);
		sig = n < sizeof(name) ? ramet_signal_parse(name) : -1;
		if (sig < 0)
			return "a list of signals, or 'all'";
		step.mask |= 1ULL << (sig - 1);
	}
	return run_add(field, step);
}

const char *run_set_groups(const struct cli_option *option, const char *value, void *field)
{
	struct run_settings *s = field;
	size_t count = 0, n;
	int64_t gid;

	for (;; value++) {
		n = strcspn(value, ",");
		if (count == RUN_GROUPS_MAX || !parse_number(value, n, 10, 0, 0xfffffffeLL, &gid))
			return "a list of group ids";
		s->groups[count++] = (gid_t)gid;
		value += n;
		if (!*value)
			break;
	}
	return run_add(
		s, (struct ramet_step){.kind = option->tag, .groups = s->groups, .count = count});
}

/* "0:1000:1,1:100000:65536" to the lines that the kernel takes. */
static bool format_map(const char *value, char *text, size_t size)
{
	int64_t number;
	size_t n, at = 0;

	for (int field = 0; *value; field++) {
		n = strcspn(value, ":,");
		if (!parse_number(value, n, 10, 0, 0xffffffffLL, &number))
			return false;
		if ((value[n] == ':') != (field % 3 != 2))
			return false;
		at += (size_t)snprintf(text + at, size - at, "%lld%c", (long long)number,
				       value[n] == ':' ? ' ' : '\n');
		if (at >= size - 24)
			return false;
		value += n;
		if (!*value)
			return field % 3 == 2;
		value++;
	}
	return false;
}

const char *run_set_map(const struct cli_option *option, const char *value, void *field)
{
	struct run_settings *s = field;
	char *text = option->tag ? s->gid_map : s->uid_map;
	struct ramet_step *step = NULL;

	if (!format_map(value, text, RUN_MAP_SIZE))
		return "a list of maps, INSIDE:OUTSIDE:COUNT";
	for (unsigned i = 0; i < s->count; i++)
		if (s->steps[i].kind == RAMET_STEP_ID_MAP)
			step = &s->steps[i];
	if (!step) {
		if (run_add(s, (struct ramet_step){.kind = RAMET_STEP_ID_MAP}))
			return "possible: too many options";
		step = &s->steps[s->count - 1];
	}
	*(option->tag ? &step->gid_map : &step->uid_map) = text;
	return NULL;
}

const char *run_set_propagation(const struct cli_option *option, const char *value, void *field)
{
	const struct word *word = word_find(words_propagation, value, strlen(value));

	if (!word)
		return "private, slave or shared";
	return run_add(field, (struct ramet_step){.kind = option->tag, .number = word->value});
}

const char *run_set_env(const struct cli_option *option, const char *value, void *field)
{
	struct run_settings *s = field;

	(void)option;
	if (!*value || *value == '=')
		return "NAME=VALUE or NAME";
	if (s->env_count == RUN_ENV_MAX)
		return "possible: too many variables";
	s->env[s->env_count++] = value;
	return NULL;
}

const char *run_set_way(const struct cli_option *option, const char *value, void *field)
{
	struct ramet_spec *spec = &((struct run_settings *)field)->spec;

	(void)option;
	for (int way = RAMET_WAY_HELD; ramet_way_name(way); way++) {
		if (strcmp(value, ramet_way_name(way)) == 0) {
			spec->way = way;
			return NULL;
		}
	}
	return "a way (held, futex, copy, helper)";
}

const char *run_set_timeout(const struct cli_option *option, const char *value, void *field)
{
	struct ramet_spec *spec = &((struct run_settings *)field)->spec;
	int64_t seconds;

	(void)option;
	if (!parse_number(value, strlen(value), 10, 1, 1000000, &seconds))
		return "a number of seconds from 1";
	spec->timeout_ms = (unsigned)seconds * 1000;
	return NULL;
}

const char *run_set_clock(const struct cli_option *option, const char *value, void *field)
{
	static const char wanted[] = "a clock and seconds: boottime:86400, monotonic:-5";
	const size_t n = strcspn(value, ":");
	const struct word *word = word_find(words_clock, value, n);
	struct ramet_step step = {.kind = option->tag};

	if (!word || !value[n] ||
	    !parse_number(value + n + 1, strlen(value + n + 1), 10, INT64_MIN, INT64_MAX,
			  &step.seconds))
		return wanted;
	step.number = word->value;
	return run_add(field, step);
}

const char *run_set_cgroup(const struct cli_option *option, const char *value, void *field)
{
	struct run_settings *s = field;
	struct statfs fs;
	int fd = open(value, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fstatfs(fd, &fs) < 0 || faccessat(fd, "cgroup.procs", F_OK, 0) < 0)
		return "the directory of a cgroup";
	if (fs.f_type != CGROUP2_SUPER_MAGIC || s->spec.fresh & RAMET_CGROUP) {
		close(fd);
		return run_add(s, (struct ramet_step){.kind = option->tag, .path = value});
	}
	s->spec.fresh |= RAMET_CGROUP;
	s->has_cgroup = true;
	s->spec.cgroup = fd;
	return NULL;
}

const char *run_set_tid(const struct cli_option *option, const char *value, void *field)
{
	struct run_settings *s = field;
	int64_t tid;
	size_t n;

	(void)option;
	for (s->spec.set_tid_size = 0;; value++) {
		n = strcspn(value, ",");
		if (s->spec.set_tid_size == RUN_TIDS_MAX ||
		    !parse_number(value, n, 10, 1, 0x7fffffff, &tid))
			return "a pid, or several parted by commas, innermost namespace first";
		s->tids[s->spec.set_tid_size++] = (pid_t)tid;
		value += n;
		if (!*value)
			break;
	}
	s->spec.set_tid = s->tids;
	return NULL;
}

const char *run_set_exec_fd(const struct cli_option *option, const char *value, void *field)
{
	struct ramet_spec *spec = &((struct run_settings *)field)->spec;
	int64_t fd;

	(void)option;
	if (!parse_number(value, strlen(value), 10, 0, DESCRIPTOR_MAX, &fd))
		return "a descriptor";
	spec->program_fd = (int)fd;
	spec->options |= RAMET_PROGRAM_FD;
	return NULL;
}

const char *run_set_seccomp(const struct cli_option *option, const char *value, void *field)
{
	struct run_settings *s = field;
	char *filter = (char *)s->filter, more;
	size_t at = 0;
	ssize_t n = -1;
	int fd;

	for (unsigned i = 0; i < s->count; i++)
		if (s->steps[i].kind == RAMET_STEP_SECCOMP)
			return "taken: there is room for one filter";
	fd = open(value, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && (n = read(fd, filter + at, sizeof(s->filter) - at)) > 0)
		at += (size_t)n;
	if (n == 0 && at == sizeof(s->filter))
		n = read(fd, &more, 1); /* 0 if that was all */
	if (fd >= 0)
		close(fd);
	if (n != 0 || !at || at % sizeof(s->filter[0]))
		return "a file of 1 to 4096 BPF instructions of 8 bytes";
	return run_add(s, (struct ramet_step){.kind = option->tag, .data = filter, .bytes = at});
}

const char *run_set_landlock(const struct cli_option *option, const char *value, void *field)
{
	return run_add(field, (struct ramet_step)RAMET_LANDLOCK(value, (int)option->tag));
}

/* ---- Namespaces and mounts -------------------------------------------------------------------- */

/* SRC:DST; SRC is cut off in place: it is a word of the command line, which is ours. */
const char *run_set_bind(const struct cli_option *option, const char *value, void *field)
{
	char *colon = strchr((char *)(uintptr_t)value, ':');

	if (!colon || colon == value || colon[1] != '/')
		return "a source and an absolute target, SRC:DST";
	*colon = 0;
	return run_add(field, (struct ramet_step)RAMET_BIND(
				      value, colon + 1, .read_only = option->tag, .recursive = 1));
}

const char *run_set_proc(const struct cli_option *option, const char *value, void *field)
{
	return *value == '/' ? run_set_path(option, value, field) : "an absolute path";
}

const char *run_set_target(const struct cli_option *option, const char *value, void *field)
{
	if (*value != '/')
		return "an absolute path";
	return run_add(field, (struct ramet_step){.kind = option->tag, .target = value});
}

/*
 * One step for each kind of namespace, so that a refusal names it. The user namespace comes first,
 * since rights in the others depend on it; the mount namespace last, since paths change with it.
 */
static const struct {
	uint32_t resource;
	uint64_t flag;
	const char *name;
} joinable[] = {
	{RAMET_USER, CLONE_NEWUSER, "user"}, {RAMET_CGROUPNS, CLONE_NEWCGROUP, "cgroup"},
	{RAMET_IPC, CLONE_NEWIPC, "ipc"},    {RAMET_UTS, CLONE_NEWUTS, "uts"},
	{RAMET_NET, CLONE_NEWNET, "net"},    {RAMET_PID, CLONE_NEWPID, "pid"},
	{RAMET_TIME, CLONE_NEWTIME, "time"}, {RAMET_MNT, CLONE_NEWNS, "mnt"},
};

#define JOIN_KINDS (sizeof(joinable) / sizeof(joinable[0]))

static ino_t namespace_of(const char *pid, const char *name)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%s/ns/%s", pid, name);
	return stat(path, &st) == 0 ? st.st_ino : 0;
}

static const char *join_process(struct run_settings *s, int32_t pid, uint32_t mask)
{
	const char *wrong = NULL;
	char name[16];
	long fd;

	snprintf(name, sizeof(name), "%d", pid);
	fd = syscall(SYS_pidfd_open, pid, 0);
	if (fd < 0)
		return "a live process";
	for (size_t i = 0; i < JOIN_KINDS && !wrong; i++) {
		if (!namespace_of(name, joinable[i].name) && !mask)
			return "a process whose namespaces may be read (that takes the right to trace it)";
		/* Not asked for by name: what it shares with us anyway is passed over. */
		if (mask ? !(mask & joinable[i].resource)
			 : namespace_of(name, joinable[i].name) ==
				    namespace_of("self", joinable[i].name))
			continue;
		wrong = run_add(s, (struct ramet_step)RAMET_JOIN((int)fd, joinable[i].flag));
	}
	return wrong;
}

const char *run_set_join(const struct cli_option *option, const char *value, void *field)
{
	static const char wanted[] = "a process with namespaces, PID[:user,mnt,pid,net,ipc,uts,"
				     "cgroupns,time], or the path of a namespace's file";
	const size_t n = strcspn(value, ":");
	uint32_t mask = 0, all = 0;
	int64_t pid;
	int fd, type;

	(void)option;
	if (strchr(value, '/')) {
		fd = open(value, O_RDONLY | O_CLOEXEC);
		type = fd < 0 ? -1 : ioctl(fd, NS_GET_NSTYPE);
		if (type < 0)
			return "a namespace's file that can be opened";
		return run_add(field, (struct ramet_step)RAMET_JOIN(fd, (unsigned)type));
	}
	for (size_t i = 0; i < JOIN_KINDS; i++)
		all |= joinable[i].resource;
	if (!parse_number(value, n, 10, 1, 0x7fffffff, &pid) ||
	    (value[n] && ramet_resources_parse(value + n + 1, &mask, NULL) < 0) || mask & ~all)
		return wanted;
	return join_process(field, (int32_t)pid, mask);
}
