/* SPDX-License-Identifier: MIT */
/*
 * Reads /proc, a folder a task by its descriptor: when a number is used again meanwhile, the
 * descriptor still means the old task and reading says that it is gone.
 */
#include "inspect/snapshot.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "inspect/text.h"

#define TEXT_MAX (256 * 1024) /* status lists up to 65536 groups */
#define COMMAND_MAX 4096

const char *const inspect_ns_names[INSPECT_NS_COUNT] = {
	[INSPECT_NS_MNT] = "mnt",	[INSPECT_NS_PID] = "pid",   [INSPECT_NS_NET] = "net",
	[INSPECT_NS_IPC] = "ipc",	[INSPECT_NS_UTS] = "uts",   [INSPECT_NS_USER] = "user",
	[INSPECT_NS_CGROUP] = "cgroup", [INSPECT_NS_TIME] = "time",
};

struct reading {
	struct inspect_snapshot *s;
	unsigned needs;
	char *text; /* TEXT_MAX + 1 */
};

/* The task is not there any more, or only its zombie is. */
static bool is_gone(int error)
{
	return error == -ESRCH || error == -ENOENT;
}

static bool is_refused(int error)
{
	return error == -EPERM || error == -EACCES;
}

bool inspect_is_zombie(const struct inspect_entry *e)
{
	return e->whole && (e->basics.state == 'Z' || e->basics.state == 'X') &&
	       (e->tid != e->process || !e->listed);
}

/* ---- what there is of a task --------------------------------------------------------------- */

/* Each 0, -ENODATA if the task has none, or -errno. */

static int read_rights(struct reading *reading, int dir, struct inspect_entry *e)
{
	ssize_t r = inspect_text(dir, "status", reading->text, TEXT_MAX);

	return r < 0 ? (int)r : inspect_parse_status(reading->text, &e->rights);
}

static int read_ns(struct reading *reading, int dir, struct inspect_entry *e)
{
	(void)reading;
	for (int i = 0; i < INSPECT_NS_COUNT; i++) {
		char path[16], link[64];
		ssize_t n;

		snprintf(path, sizeof(path), "ns/%s", inspect_ns_names[i]);
		n = readlinkat(dir, path, link, sizeof(link) - 1);
		if (n < 0 && errno == ENOENT)
			continue;
		if (n < 0)
			return -errno;
		link[n] = 0;
		if (inspect_parse_ns(link, &e->ns[i]) < 0)
			return -ENODATA;
	}
	return 0;
}

static int read_cgroup(struct reading *reading, int dir, struct inspect_entry *e)
{
	ssize_t r = inspect_text(dir, "cgroup", reading->text, TEXT_MAX);
	const char *path;

	if (r < 0)
		return (int)r;
	/* "0::/a/b": the unified hierarchy has number 0 and no controllers. */
	path = inspect_line(reading->text, "0");
	if (!path || *path != ':')
		return 0;
	e->cgroup = strndup(path + 1, strcspn(path + 1, "\n"));
	return e->cgroup ? 0 : -ENOMEM;
}

static int read_command(struct reading *reading, int dir, struct inspect_entry *e)
{
	ssize_t r = inspect_text(dir, "cmdline", reading->text, COMMAND_MAX);

	if (r <= 0)
		return (int)r;
	e->command = malloc((size_t)r + 1);
	if (!e->command)
		return -ENOMEM;
	memcpy(e->command, reading->text, (size_t)r + 1);
	e->command_size = (size_t)r;
	return 0;
}

/* ---- who owns a namespace ------------------------------------------------------------------ */

/* Where the inode is in the list, or belongs. */
static size_t ns_place(const struct inspect_snapshot *s, uint64_t inode)
{
	size_t low = 0, high = s->namespace_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (s->namespaces[middle].inode < inode)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct inspect_namespace *inspect_find_ns(const struct inspect_snapshot *s, uint64_t inode)
{
	size_t at = ns_place(s, inode);

	return at < s->namespace_count && s->namespaces[at].inode == inode ? &s->namespaces[at]
									   : NULL;
}

/* The owner may lie outside the part of the tree of user namespaces that we may see. */
static void read_owner(int dir, struct inspect_namespace *ns)
{
	char path[16];
	struct stat at;
	uid_t uid = 0;
	int fd, owner;

	snprintf(path, sizeof(path), "ns/%s", inspect_ns_names[ns->kind]);
	fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	owner = ioctl(fd, NS_GET_USERNS);
	if (owner >= 0 && fstat(owner, &at) == 0)
		ns->owner = at.st_ino;
	if (ioctl(ns->kind == INSPECT_NS_USER ? fd : owner, NS_GET_OWNER_UID, &uid) == 0)
		ns->uid = uid;
	if (owner >= 0)
		close(owner);
	close(fd);
}

static int read_owners(struct reading *reading, int dir, struct inspect_entry *e)
{
	struct inspect_snapshot *s = reading->s;

	for (int i = 0; i < INSPECT_NS_COUNT; i++) {
		size_t at = ns_place(s, e->ns[i]);
		struct inspect_namespace ns = {.inode = e->ns[i], .kind = i, .uid = -1};

		if (!e->ns[i] || inspect_find_ns(s, e->ns[i]))
			continue;
		if (s->namespace_count == s->namespace_room) {
			size_t room = s->namespace_room ? s->namespace_room * 2 : 32;
			void *grown = reallocarray(s->namespaces, room, sizeof(*s->namespaces));

			if (!grown)
				return -ENOMEM;
			s->namespaces = grown;
			s->namespace_room = room;
		}
		read_owner(dir, &ns);
		memmove(&s->namespaces[at + 1], &s->namespaces[at],
			(s->namespace_count - at) * sizeof(*s->namespaces));
		s->namespaces[at] = ns;
		s->namespace_count++;
	}
	return 0;
}

/* In this order: owners are those of the namespaces found. */
static const struct {
	enum inspect_need need;
	int (*read)(struct reading *reading, int dir, struct inspect_entry *e);
} readers[] = {
	{INSPECT_NEED_RIGHTS, read_rights},   {INSPECT_NEED_NS, read_ns},
	{INSPECT_NEED_OWNERS, read_owners},   {INSPECT_NEED_CGROUP, read_cgroup},
	{INSPECT_NEED_COMMAND, read_command},
};

/* ---- tasks --------------------------------------------------------------------------------- */

static int add(struct inspect_snapshot *s, const struct inspect_entry *entry)
{
	if (s->count == s->room) {
		size_t room = s->room ? s->room * 2 : 256;
		void *grown = reallocarray(s->entries, room, sizeof(*s->entries));

		if (!grown)
			return -ENOMEM;
		s->entries = grown;
		s->room = room;
	}
	s->entries[s->count++] = *entry;
	return 0;
}

static int read_basics(struct reading *reading, int dir, struct inspect_entry *e)
{
	ssize_t r = inspect_text(dir, "stat", reading->text, TEXT_MAX);

	if (r >= 0)
		r = inspect_parse_stat(reading->text, &e->basics);
	e->whole = r == 0;
	return (int)r;
}

/* What is needed of a task in folder `dir`. A task that ends half-way is -ESRCH. */
static int read_task(struct reading *reading, int dir, struct inspect_entry *e)
{
	int r = read_basics(reading, dir, e);

	for (size_t i = 0; r == 0 && i < sizeof(readers) / sizeof(readers[0]); i++) {
		if (!(reading->needs & readers[i].need))
			continue;
		r = readers[i].read(reading, dir, e);
		if (r == 0)
			e->got |= readers[i].need;
		else if (is_refused(r) || r == -ENODATA)
			r = 0; /* a '?' */
	}
	return r;
}

static void forget(struct inspect_entry *e)
{
	free(e->cgroup);
	free(e->command);
	e->cgroup = e->command = NULL;
}

static bool is_number(const char *name)
{
	return *name >= '1' && *name <= '9';
}

/* What is needed of the task in folder `name` of `parent`; the folder stays open. */
static int open_and_read(struct reading *reading, int parent, const char *name,
			 struct inspect_entry *e, int *ret_dir)
{
	int r, dir = openat(parent, name, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return -errno;
	r = read_task(reading, dir, e);
	if (r < 0) {
		forget(e);
		close(dir);
		return r;
	}
	*ret_dir = dir;
	return 0;
}

/* One thread: its number alone, or all that is needed. */
static int read_thread(struct reading *reading, int tasks, const char *name, size_t leader,
		       bool whole)
{
	struct inspect_entry e = {
		.tid = atoi(name),
		.process = reading->s->entries[leader].process,
		.leader = leader,
	};
	int r = 0, dir;

	if (whole) {
		r = open_and_read(reading, tasks, name, &e, &dir);
		if (r == 0)
			close(dir);
	}
	if (r == 0)
		r = add(reading->s, &e);
	if (r == 0)
		reading->s->entries[leader].listed++;
	else
		forget(&e);
	return r;
}

/*
 * The threads, behind their leader in the list. It may have ended before them: then one that lives
 * speaks for the process.
 */
static int read_threads(struct reading *reading, int dir, size_t leader)
{
	struct inspect_snapshot *s = reading->s;
	const bool ended = s->entries[leader].basics.state == 'Z';
	const bool each = reading->needs & INSPECT_NEED_EACH_THREAD;
	int r = 0, fd = openat(dir, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *tasks = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!tasks) {
		r = -errno;
		if (fd >= 0)
			close(fd);
		return r;
	}
	while (r == 0 && (entry = readdir(tasks))) {
		struct inspect_entry *e = &s->entries[leader];

		if (!is_number(entry->d_name) || atoi(entry->d_name) == e->process)
			continue;
		r = read_thread(reading, fd, entry->d_name, leader, each || ended);
		e = &s->entries[leader];
		if (r == 0 && ended && e->speaker == leader &&
		    !inspect_is_zombie(&s->entries[s->count - 1]))
			e->speaker = s->count - 1;
		if (is_gone(r) || is_refused(r) || r == -ENODATA)
			r = 0;
	}
	closedir(tasks);
	return r;
}

static int read_process(struct reading *reading, int proc, const char *name)
{
	struct inspect_snapshot *s = reading->s;
	const size_t index = s->count;
	struct inspect_entry e = {
		.tid = atoi(name),
		.process = atoi(name),
		.leader = index,
		.speaker = index,
	};
	int dir, r = open_and_read(reading, proc, name, &e, &dir);

	if (r < 0)
		return r;
	r = add(s, &e);
	if (r < 0)
		forget(&e);
	else if (e.basics.threads > 1)
		r = read_threads(reading, dir, index);
	close(dir);
	return r;
}

/* 1: as we do; 0: as another pid namespace does. */
static int counts_as_we_do(int proc)
{
	char link[32];
	ssize_t n = readlinkat(proc, "self", link, sizeof(link) - 1);

	if (n < 0)
		return -errno;
	link[n] = 0;
	return atoi(link) == getpid();
}

static int read_all(struct reading *reading, int fd)
{
	struct inspect_snapshot *s = reading->s;
	DIR *proc = fdopendir(fd);
	struct dirent *entry;
	int r = counts_as_we_do(fd);

	if (!proc || r < 0) {
		r = proc ? r : -errno;
		if (proc)
			closedir(proc);
		else
			close(fd);
		return r;
	}
	s->foreign = r == 0;
	s->hides = faccessat(fd, "1", F_OK, 0) < 0;
	r = 0;
	while (r == 0 && (entry = readdir(proc))) {
		if (!is_number(entry->d_name))
			continue;
		r = read_process(reading, fd, entry->d_name);
		s->unreadable += is_refused(r) || r == -ENODATA;
		if (is_gone(r) || is_refused(r) || r == -ENODATA)
			r = 0;
	}
	closedir(proc);
	return r;
}

int inspect_snapshot(unsigned needs, struct inspect_snapshot *ret)
{
	struct reading reading = {.s = ret, .needs = needs, .text = malloc(TEXT_MAX)};
	int fd, r;

	*ret = (struct inspect_snapshot){0};
	if (!reading.text)
		return -ENOMEM;
	if (needs & INSPECT_NEED_OWNERS)
		reading.needs |= INSPECT_NEED_NS;
	fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = fd < 0 ? -errno : read_all(&reading, fd);
	free(reading.text);
	return r < 0 ? r : inspect_classify(ret, needs);
}

void inspect_snapshot_free(struct inspect_snapshot *s)
{
	for (size_t i = 0; i < s->count; i++)
		forget(&s->entries[i]);
	free(s->entries);
	free(s->namespaces);
	*s = (struct inspect_snapshot){0};
}

struct inspect_entry *inspect_find(const struct inspect_snapshot *s, pid_t process)
{
	size_t low = 0, high = s->count;

	/* By the leaders: a thread's number may be smaller than its process's. */
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		struct inspect_entry *leader = &s->entries[s->entries[middle].leader];

		if (leader->process == process)
			return leader;
		if (leader->process < process)
			low = middle + 1;
		else
			high = s->entries[middle].leader;
	}
	return NULL;
}
