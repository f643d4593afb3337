/* SPDX-License-Identifier: MIT */
/* See sight.h. */
#include "colony/sight.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/sys.h"
#include "colony/colony.h"
#include "tap.h"

#define SIGHT_NAMESPACES 10

struct sight {
	int label, tid;
	const struct task *task; /* in the world */
	char state;
	int ppid, signal;
	uint64_t namespaces[SIGHT_NAMESPACES]; /* 0: cannot be read */
};

static const struct {
	const char *name;
	enum slot slot;
} sight_namespaces[SIGHT_NAMESPACES] = {
	{"mnt", SLOT_MNT},
	{"pid", SLOT_PID},
	{"net", SLOT_NET},
	{"ipc", SLOT_IPC},
	{"uts", SLOT_UTS},
	{"user", SLOT_USER},
	{"cgroup", SLOT_CGROUPNS},
	{"time", SLOT_TIME},
	{"pid_for_children", SLOT_PID_FOR_CHILDREN},
	{"time_for_children", SLOT_TIME_FOR_CHILDREN},
};

/* kcmp's types. */
static const struct {
	const char *name;
	int type;
	enum slot slot;
} sight_kinds[] = {
	{"memory", 1, SLOT_MEMORY},   {"files", 2, SLOT_FILES}, {"fs", 3, SLOT_FS},
	{"sighand", 4, SLOT_SIGHAND}, {"io", 5, SLOT_IO},	{"sysvsem", 6, SLOT_SYSVSEM},
};

uint64_t sight_compared;
char sight_wrong[300];

TAP_PRINTF(1) static bool sight_differs(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(sight_wrong, sizeof(sight_wrong), fmt, args);
	va_end(args);
	return false;
}

long sight_read(const char *path, char *text, size_t size)
{
	const long fd = sys_open(path, O_RDONLY | O_CLOEXEC, 0);
	long n;

	if (fd < 0)
		return -1;
	n = sys_read((int)fd, text, size - 1);
	sys_close((int)fd);
	text[n > 0 ? n : 0] = 0;
	return n;
}

static int sight_tgid(const struct sight *s)
{
	return s->task->process->leader->tid;
}

/* Fields 3, 4 and 38 of its stat. */
static bool sight_stat(struct sight *s)
{
	char path[80], text[1024], *at;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", sight_tgid(s), s->tid);
	if (sight_read(path, text, sizeof(text)) <= 0)
		return sight_differs("%d: not a task of process %d", s->label, sight_tgid(s));
	at = strrchr(text, ')') + 2;
	s->state = *at;
	s->ppid = atoi(at + 2);
	for (unsigned field = 3; field < 38 && at; field++) {
		at = strchr(at, ' ');
		at += at != NULL;
	}
	s->signal = at ? atoi(at) : -99;
	return true;
}

/* 0 and errno if it cannot be read. */
static uint64_t sight_inode(const struct sight *s, const char *name)
{
	char path[80], text[64], *at;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/ns/%s", sight_tgid(s), s->tid, name);
	errno = 0;
	n = readlink(path, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = 0;
	at = strchr(text, '[');
	return at ? strtoull(at + 1, NULL, 10) : 0;
}

/* One that has ended may be closed to an ordinary user: there is no memory left to ask about. */
static bool is_closed_zombie(const struct task *t)
{
	return (errno == EACCES || errno == EPERM) && t->state != RAMET_STATE_ALIVE;
}

/* One that has no pid 1 yet has no file either. */
static bool sight_is_named(const struct sight *s, enum slot slot)
{
	const struct object *o = object_of(s->task, slot);

	return o && !(slot == SLOT_PID_FOR_CHILDREN && o->pids == PIDS_EMPTY);
}

static bool sight_alone(struct sight *s)
{
	const struct task *t = s->task;
	const int parent = t->process->parent ? t->process->parent->process->leader->tid : 0;

	if (!sight_stat(s))
		return false;
	if ((s->state == 'Z') != (t->state == RAMET_STATE_ZOMBIE))
		return sight_differs("%d: state %c, expected %d", s->label, s->state, t->state);
	if (s->label && s->ppid != parent)
		return sight_differs("%d: parent %d, expected %d", s->label, s->ppid, parent);
	if (s->label && s->signal != t->exit_signal)
		return sight_differs("%d: exit signal %d, expected %d", s->label, s->signal,
				     t->exit_signal);
	for (unsigned i = 0; i < SIGHT_NAMESPACES; i++) {
		const bool named = sight_is_named(s, sight_namespaces[i].slot);

		s->namespaces[i] = sight_inode(s, sight_namespaces[i].name);
		if (named != !!s->namespaces[i] && !is_closed_zombie(t))
			return sight_differs("%d: ns/%s is %sthere", s->label,
					     sight_namespaces[i].name, named ? "not " : "");
	}
	return true;
}

/* The keeper's own I/O context and undo list are none of the story. */
static bool sight_pair(const struct sight *a, const struct sight *b)
{
	for (unsigned i = 0; i < sizeof(sight_kinds) / sizeof(sight_kinds[0]); i++) {
		const enum slot slot = sight_kinds[i].slot;
		const bool same = object_of(a->task, slot) == object_of(b->task, slot);
		long r;

		if ((slot == SLOT_IO || slot == SLOT_SYSVSEM) && (!a->label || !b->label))
			continue;
		r = syscall(SYS_kcmp, a->tid, b->tid, sight_kinds[i].type, 0, 0);
		if (r < 0 && (is_closed_zombie(a->task) || is_closed_zombie(b->task)))
			continue;
		if (r < 0)
			return sight_differs("%d and %d: kcmp: %s", a->label, b->label,
					     strerror(errno));
		if (same != (r == 0))
			return sight_differs("%d and %d: %s %s in the kernel", a->label, b->label,
					     sight_kinds[i].name, r ? "differs" : "is the same");
		sight_compared++;
	}
	for (unsigned i = 0; i < SIGHT_NAMESPACES; i++) {
		const enum slot slot = sight_namespaces[i].slot;
		const bool same = object_of(a->task, slot) == object_of(b->task, slot);

		if (!a->namespaces[i] || !b->namespaces[i])
			continue;
		if (same != (a->namespaces[i] == b->namespaces[i]))
			return sight_differs("%d and %d: ns/%s %s in the kernel", a->label,
					     b->label, sight_namespaces[i].name,
					     same ? "differs" : "is the same");
		sight_compared++;
	}
	return true;
}

bool sight_agrees(const struct ramet_world *w, const int *tids, int count)
{
	static struct sight sights[COLONY_SLOTS];
	int n = 0;

	for (int label = 0; label < count; label++) {
		struct sight *s = &sights[n];

		if (!tids[label])
			continue;
		*s = (struct sight){.label = label, .tid = tids[label]};
		s->task = world_find(w, s->tid);
		if (!s->task)
			return sight_differs("%d: not in the world", label);
		/* Threads that were killed race for who is last and empties the pid namespace. */
		if (!s->task->process->live && s->task->process->count > 1)
			continue;
		if (!sight_alone(s))
			return false;
		for (int i = 0; i < n; i++)
			if (!sight_pair(&sights[i], s))
				return false;
		n++;
	}
	return true;
}
