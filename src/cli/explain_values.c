/* SPDX-License-Identifier: MIT */
/* Options of ramet explain that describe who calls: the caller's state, a kernel's version. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/explain.h"
#include "spec/spec.h"
#include "uapi/clone.h"

#define KERNEL_FIRST (5u << 16 | 10u << 8)

/* ---- --kernel ---- */

/* A decimal number up to `most`, all digits that there are; false if there is none. */
static bool read_number(const char **at, unsigned long most, unsigned long *ret)
{
	char *end;

	if (**at < '0' || **at > '9')
		return false;
	errno = 0;
	*ret = strtoul(*at, &end, 10);
	*at = end;
	return !errno && *ret <= most;
}

const char *explain_set_kernel(const struct cli_option *option, const char *value, void *field)
{
	unsigned long part[3] = {0};
	const char *at = value;
	int n = 0;

	(void)option;
	for (; n < 3; n++) {
		if (!read_number(&at, n ? 255 : 999, &part[n]))
			break;
		if (*at != '.')
			break;
		at++;
	}
	*(unsigned *)field = (unsigned)(part[0] << 16 | part[1] << 8 | part[2]);
	if (n < 1 || n > 2 || *at || *(unsigned *)field < KERNEL_FIRST)
		return "a version from 5.10 on, like 5.15 or 6.1.20";
	return NULL;
}

/* ---- --caller ---- */

/* An ordinary program of an ordinary user: everything known, nothing remarkable. */
static const struct ramet_caller ordinary = {
	.known = RAMET_KNOWN_CAPS | RAMET_KNOWN_THREADS | RAMET_KNOWN_LIMITS | RAMET_KNOWN_ROOT |
		 RAMET_KNOWN_IDS | RAMET_KNOWN_PIDNS | RAMET_KNOWN_TIMENS | RAMET_KNOWN_INIT |
		 RAMET_KNOWN_SCHED | RAMET_KNOWN_NAMESPACES | RAMET_KNOWN_SHARERS,
	.threads = 1,
	.nproc = 1,
	.nproc_limit = ~0ULL,
};

static bool set_uid(struct ramet_caller *c, const char *value)
{
	unsigned long uid;

	if (!read_number(&value, 0xfffffffe, &uid) || *value)
		return false;
	if (uid == 0)
		c->sys_admin = c->checkpoint = c->setid = c->sys_chroot = 1;
	return true;
}

static bool set_threads(struct ramet_caller *c, const char *value)
{
	unsigned long n;

	if (!read_number(&value, 1 << 22, &n) || *value || !n)
		return false;
	c->threads = (int)n;
	c->fs_shared |= n > 1;
	return true;
}

static bool set_cap(struct ramet_caller *c, const char *value)
{
	if (!strcmp(value, "sys_admin"))
		c->sys_admin = 1;
	else if (!strcmp(value, "sys_chroot"))
		c->sys_chroot = 1;
	else if (!strcmp(value, "checkpoint_restore"))
		c->checkpoint = 1;
	else
		return false;
	return true;
}

/* Namespaces whose user.max_*_namespaces is 0. */
static bool set_none(struct ramet_caller *c, const char *value)
{
	uint32_t mask;
	size_t bad;

	if (ramet_resources_parse(value, &mask, &bad) < 0)
		return false;
	for (unsigned i = 0; i < RAMET_RESOURCE_COUNT; i++)
		if (mask & resource_row(i)->bit)
			c->no_namespaces |= resource_row(i)->fresh & CLONE_NEW_ANY;
	return c->no_namespaces;
}

#define STATE(field_) .state = true, .offset = offsetof(struct ramet_caller, field_)

static const struct {
	const char *name;
	bool (*set)(struct ramet_caller *caller, const char *value);
	bool state; /* a word alone: the int at offset becomes 1 */
	size_t offset;
} caller_words[] = {
	{"uid", .set = set_uid},
	{"threads", .set = set_threads},
	{"cap", .set = set_cap},
	{"no-new", .set = set_none},
	{"chroot", STATE(chrooted)},
	{"unmapped", STATE(unmapped)},
	{"init", STATE(init)},
	{"deadline", STATE(deadline)},
	{"pid-for-children", STATE(pid_for_children)},
	{"time-for-children", STATE(time_for_children)},
	{"shared-memory", STATE(memory_shared)},
	{"shared-sighand", STATE(sighand_shared)},
	{"shared-fs", STATE(fs_shared)},
};

static bool set_word(struct ramet_caller *c, const char *word)
{
	size_t n = strcspn(word, "=");

	if (!strcmp(word, "process-limit")) {
		c->nproc_limit = c->nproc;
		return true;
	}
	for (size_t i = 0; i < sizeof(caller_words) / sizeof(caller_words[0]); i++) {
		if (strlen(caller_words[i].name) != n || strncmp(caller_words[i].name, word, n))
			continue;
		if (!caller_words[i].state)
			return word[n] && caller_words[i].set(c, word + n + 1);
		*(int *)(void *)((char *)c + caller_words[i].offset) = 1;
		return !word[n];
	}
	return false;
}

const char *explain_set_caller(const struct cli_option *option, const char *value, void *field)
{
	struct explain_settings *s = field;
	char word[64];

	(void)option;
	s->caller = ordinary;
	s->has_caller = true;
	while (*value) {
		size_t n = strcspn(value, ",");

		if (n >= sizeof(word))
			break;
		memcpy(word, value, n);
		word[n] = '\0';
		if (!set_word(&s->caller, word))
			break;
		value += n;
		value += *value == ',' && value[1];
	}
	return *value ? "a list of uid=N threads=N cap=NAME no-new=NAMESPACE chroot unmapped init "
			"deadline pid-for-children time-for-children shared-memory shared-sighand "
			"shared-fs process-limit"
		      : NULL;
}
