/* SPDX-License-Identifier: MIT */
/* A call in a few words, for a line among many. */
#include <stdio.h>
#include <string.h>

#include "explain/explain.h"
#include "spec/spec.h"
#include "uapi/clone.h"

#define NAMESPACES                                                                                 \
	(RAMET_MNT | RAMET_PID | RAMET_NET | RAMET_IPC | RAMET_UTS | RAMET_USER | RAMET_CGROUPNS | \
	 RAMET_TIME)
/* What a thread of any library shares. */
#define PARTS (RAMET_MEMORY | RAMET_FILES | RAMET_FS | RAMET_SIGHAND)

/* Append; what does not fit is left out whole. */
static void add(char *buf, size_t size, const char *text)
{
	size_t at = strlen(buf);

	if (at + strlen(text) < size)
		strcpy(buf + at, text);
}

/* The resources of `mask` that the call gives in this mode: how many, named after `before`. */
static unsigned add_modes(char *buf, size_t size, const struct ramet_call *call, uint32_t mask,
			  enum ramet_mode mode, const char *before)
{
	unsigned n = 0;

	for (unsigned i = 0; i < RAMET_RESOURCE_COUNT; i++) {
		const struct resource_row *row = resource_row(i);

		if (!(mask & row->bit) || ramet_model_mode(call, 0, row->bit) != mode)
			continue;
		add(buf, size, n++ ? ", " : before);
		add(buf, size, row->name);
	}
	return n;
}

static void add_joined(char *buf, size_t size, const struct ramet_call *call)
{
	unsigned n = 0;

	for (unsigned i = 0; i < RAMET_RESOURCE_COUNT; i++) {
		const struct resource_row *row = resource_row(i);

		if (!(NAMESPACES & row->bit) || !(call->flags & row->fresh))
			continue;
		add(buf, size, n++ ? ", " : "joins ");
		add(buf, size, row->name);
	}
	if (!n)
		add(buf, size, "joins a namespace");
}

static void add_unshared(char *buf, size_t size, const struct ramet_call *call)
{
	bool first = !add_modes(buf, size, call, PARTS, RAMET_MODE_COPY, "its own ");

	if (add_modes(buf, size, call, NAMESPACES, RAMET_MODE_NEW, first ? "new " : "; new "))
		first = false;
	if (call->flags & CLONE_NEWPID)
		add(buf, size, first ? "new pid for its children" : "; new pid for its children");
}

static void add_made(char *buf, size_t size, const struct ramet_call *call)
{
	const bool thread = call->flags & CLONE_THREAD;

	if (thread && (call->flags & (CLONE_FILES | CLONE_FS)) == (CLONE_FILES | CLONE_FS))
		add(buf, size, "a thread");
	else if (!add_modes(buf, size, call, PARTS, RAMET_MODE_SHARE,
			    thread ? "a thread that shares " : "shares "))
		add(buf, size, "a copy");
	if (call->flags & CLONE_VM && call->flags & CLONE_VFORK)
		add(buf, size, " until exec");
	add_modes(buf, size, call, NAMESPACES, RAMET_MODE_NEW, "; new ");
}

void explain_short(const struct explanation *e, char *buf, size_t size)
{
	const struct ramet_call *call = &e->line.call;

	buf[0] = '\0';
	if (!(e->line.given & LINE_FLAGS))
		add(buf, size, "flags not seen");
	else if (call->entry == RAMET_ENTRY_SETNS)
		add_joined(buf, size, call);
	else if (call->entry == RAMET_ENTRY_UNSHARE)
		add_unshared(buf, size, call);
	else
		add_made(buf, size, call);
}
