/* SPDX-License-Identifier: MIT */
/*
 * A world of tasks: any bytes are events, likely and unlikely ones. Whatever is accepted or
 * refused, the world is whole, what is refused changes nothing, and being the same is symmetric
 * and transitive.
 */
#include <signal.h>

#include "fuzz/fuzz.h"
#include "lib/worldcheck.h"
#include "model/rules.h"
#include "uapi/clone.h"

#define EVENTS_MOST 120
#define TIDS 28

/* The bytes are events themselves; what makes tasks, and what makes many of them end. */
const char *const fuzz_words[] = {
	"\x04\x01\x02\x1f\x01\x01\x01", "\x04\x01\x03\x01\x10\x01\x01",
	"\x04\x02\x04\x0f\x02\x01\x01", "\x04\x03\x05\x01\x80\x01\x01",
	"\x04\x04\x06\x1f\x02\x02\x01", "\x05\x04\x01\x01\x01\x01\x01",
	"\x06\x02\x01\x80\x41\x01\x01", "\x08\x02\x01\x01\x01\x01\x01",
	"\x09\x03\x01\x01\x01\x01\x01", "\x0a\x01\x02\x03\x01\x01\x01",
	"\x0c\x01\x01\x01\x01\x01\x01", "\x0d\x01\x01\x01\x01\x01\x01",
	"\x07\x02\x03\x80\x01\x01\x01", "\x01\x07\x01\x01\x01\x01\x01",
	"\x02\x07\x01\x0f\x01\x01\x01", "\x0e\x04\x01\x01\x01\x01\x01",
	"\x0f\x04\x01\x01\x40\x01\x01", NULL,
};

static const uint64_t flag_bits[24] = {
	CLONE_VM,
	CLONE_FS,
	CLONE_FILES,
	CLONE_SIGHAND,
	CLONE_THREAD,
	CLONE_SYSVSEM,
	CLONE_IO,
	CLONE_CHILD_CLEARTID,
	CLONE_VFORK,
	CLONE_PARENT,
	CLONE_NEWNS,
	CLONE_NEWUTS,
	CLONE_NEWIPC,
	CLONE_NEWUSER,
	CLONE_NEWPID,
	CLONE_NEWNET,
	CLONE_NEWTIME,
	CLONE_NEWCGROUP,
	CLONE_CLEAR_SIGHAND,
	CLONE_SETTLS,
	CLONE_INTO_CGROUP,
	CLONE_AUTOREAP,
	0,
	0,
};

/* Mostly a task that there is, sometimes any number. */
static int pick(const struct ramet_world *w, uint8_t byte)
{
	int tid = 0;

	if (byte >= 0xf0)
		return byte % TIDS;
	for (unsigned n = byte % w->count + 1; n; n--)
		tid = ramet_world_next(w, tid);
	return tid;
}

static int pick_free(const struct ramet_world *w, uint8_t byte)
{
	int tid = byte % TIDS;

	for (unsigned i = 0; byte < 0xf8 && i < TIDS && (!tid || world_find(w, tid)); i++)
		tid = (tid + 1) % TIDS;
	return tid;
}

static void decode(const struct ramet_world *w, const uint8_t *b, struct ramet_event *e,
		   struct ramet_call *call)
{
	static const enum ramet_entry entries[] = {RAMET_ENTRY_CLONE, RAMET_ENTRY_CLONE3,
						   RAMET_ENTRY_UNSHARE, RAMET_ENTRY_SETNS};
	static const uint64_t signals[] = {SIGCHLD, 0, SIGUSR1, SIGCHLD};
	const uint32_t bits = b[3] | (uint32_t)b[4] << 8 | (uint32_t)b[5] << 16;

	*call = (struct ramet_call){.entry = b[6] & 1 ? RAMET_ENTRY_CLONE3 : entries[b[6] >> 1 & 3],
				    .exit_signal = signals[b[6] >> 4 & 3],
				    .child_tid = b[2]};
	*e = (struct ramet_event){
		.kind = b[0] % (RAMET_EVENT_IOPRIO + 2),
		.tid = pick(w, b[1]),
		.other = pick(w, b[2]),
		.parent = b[5] % 8,
		.resources = bits,
		.number = b[3],
		.call = b[6] & 0x80 ? NULL : call,
	};
	for (unsigned i = 0; i < 24; i++)
		if (bits >> i & 1)
			call->flags |= flag_bits[i];
	/* Mostly what goes together. */
	if (e->kind == RAMET_EVENT_ADD)
		e->tid = pick_free(w, b[1]);
	if (e->kind == RAMET_EVENT_CLONE)
		e->other = pick_free(w, b[2]);
	if (e->kind == RAMET_EVENT_CLONE && b[6] & 0x40)
		call->flags |= call->flags & CLONE_THREAD ? CLONE_SIGHAND | CLONE_VM : 0;
	if (e->kind == RAMET_EVENT_UNSHARE)
		call->entry = RAMET_ENTRY_UNSHARE;
	if (e->kind == RAMET_EVENT_SETNS) {
		call->entry = RAMET_ENTRY_SETNS;
		call->flags &= b[4] & 1 ? CLONE_NEW_ANY : ~0ULL;
		e->number &= 1;
	}
	if (e->kind == RAMET_EVENT_WAIT)
		e->number = b[3] & 1 ? 0x40000000 : (uint32_t)b[3] << 24;
	if (e->kind == RAMET_EVENT_ADD && b[4] & 1)
		e->other = 0;
}

static void check_relations(const struct ramet_world *w, uint32_t resource)
{
	int tids[TIDS + 1];
	int n = 0;

	for (int tid = ramet_world_next(w, 0); tid > 0; tid = ramet_world_next(w, tid))
		tids[n++] = tid;
	for (int i = 0; i < n; i++) {
		size_t holders = 0;

		for (int j = 0; j < n; j++) {
			const enum ramet_same same =
				ramet_world_compare(w, tids[i], tids[j], resource);

			MUST(same == ramet_world_compare(w, tids[j], tids[i], resource));
			MUST((same == RAMET_SAME) ==
			     (ramet_world_object(w, tids[i], resource) &&
			      ramet_world_object(w, tids[i], resource) ==
				      ramet_world_object(w, tids[j], resource)));
			holders += same == RAMET_SAME;
			for (int k = 0; same == RAMET_SAME && k < n; k++)
				MUST(ramet_world_compare(w, tids[i], tids[k], resource) ==
				     ramet_world_compare(w, tids[j], tids[k], resource));
		}
		MUST(holders == ramet_world_holders(w, tids[i], resource));
	}
}

static void must_be_whole(const struct ramet_world *w)
{
	const char *wrong = worldcheck(w);

	if (wrong) {
		char *text = world_text_of(w);

		fprintf(stderr, "%s\n%s", wrong, text);
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ramet_world *w = ramet_world_new(size && data[0] & 1 ? KERNEL(5, 10) : 0);
	struct ramet_event e = {.kind = RAMET_EVENT_ADD, .tid = 1};
	struct ramet_call call;
	unsigned events = 0;

	MUST(ramet_world_replay(w, &e) == 0);
	for (; size >= 7 && w->count && events < EVENTS_MOST; data += 7, size -= 7, events++) {
		/* Costly, so of some refusals only. */
		char *before = data[6] % 32 == 5 ? world_text_of(w) : NULL;
		int r;

		decode(w, data, &e, &call);
		r = ramet_world_replay(w, &e);
		MUST(r <= 0);
		must_be_whole(w);
		if (before && r < 0) {
			char *after = world_text_of(w);

			MUST(!strcmp(before, after));
			free(after);
		}
		free(before);
	}
	if (events % 4 == 3)
		check_relations(w, SLOT_BIT(events / 4 % SLOT_COUNT));
	ramet_world_free(w);
	return 0;
}
