/* SPDX-License-Identifier: MIT */
/*
 * The reader of tracers' lines: whatever is fed, what comes out agrees with itself, and how lines
 * end and where they lie in memory changes nothing.
 */
#include <stdint.h>

#include "explain/lines.h"

#include "fuzz/fuzz.h"

const char *const fuzz_words[] = {
	"clone(child_stack=NULL, flags=CLONE_VM|SIGCHLD",
	"clone3({flags=CLONE_VM, exit_signal=SIGCHLD, stack=0x1000, stack_size=4096",
	"}, 88",
	" => {parent_tid=[5]}",
	"vfork(",
	"unshare(CLONE_NEWNS",
	"setns(3</proc/1/ns/net>, 0",
	") = 5",
	") = -1 EPERM (Operation not permitted)",
	") = ? ERESTARTNOINTR",
	" <unfinished ...>",
	"<... clone resumed>",
	"<... vfork resumed>) = 7",
	"strace: Process 5 attached",
	"Process 5 resumed (parent 4 ready)",
	"[pid 5] ",
	"5 ",
	"5<a> 12:00:00 ",
	"\n",
	"\n",
	"\n",
	", parent_tid=[3], ",
	"/* bytes 88..95 */ \"\\x05\"",
	"small/5 unshare(unshare_flags: 512",
	" 0.1 ( 0.1 ms): small/5 ",
	"... [continued]: clone())",
	"small 5 [000] 1.5: task:task_newtask: pid=9 comm=a clone_flags=100",
	"bash-5 [001] ..... 1.5: sys_clone(clone_flags: 1200011, newsp: 0)",
	"bash-5 [001] ..... 1.5: sys_clone -> 0x5",
	"type=SYSCALL msg=audit(1.1:1): arch=c000003e syscall=56",
	" exit=-22 a0=1200011 a1=0 pid=2 comm=\"a\"",
	"SYS_clone(0x11, 0, 0, 0",
	"+++ killed by SIGKILL +++",
	"\\\"<>[]{}()",
	NULL,
};

/* What came of a text: a hash of kinds and calls, and how many there were. */
struct outcome {
	uint64_t hash;
	size_t lines, calls;
};

static void mix(struct outcome *o, uint64_t value)
{
	o->hash = (o->hash ^ value) * 0x100000001b3;
}

static void mix_text(struct outcome *o, const char *text)
{
	for (; *text; text++)
		mix(o, (unsigned char)*text);
}

/* What was not given is 0. */
static void check_given(const struct line_call *call)
{
	const struct ramet_call *c = &call->call;
	const struct {
		uint32_t bit;
		uint64_t value;
	} fields[] = {
		{LINE_FLAGS, c->flags},
		{LINE_EXIT_SIGNAL, c->exit_signal},
		{LINE_STACK, c->stack},
		{LINE_STACK_SIZE, c->stack_size},
		{LINE_PARENT_TID, c->parent_tid},
		{LINE_CHILD_TID, c->child_tid},
		{LINE_TLS, c->tls},
		{LINE_PIDFD, c->pidfd},
		{LINE_SET_TID, c->set_tid},
		{LINE_SET_TID, c->set_tid_size},
		{LINE_CGROUP, c->cgroup},
		{LINE_SIZE, c->size},
		{LINE_RESULT, (uint64_t)call->result},
		{LINE_ERROR, (uint64_t)call->error},
		{LINE_TASK, (uint64_t)call->task},
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		MUST(call->given & fields[i].bit || !fields[i].value);
	MUST(call->given & LINE_FD || call->fd == -1);
}

static void check_call(const struct line_call *call, const struct outcome *o)
{
	const struct ramet_call *c = &call->call;

	check_given(call);
	MUST(!(call->given & LINE_RESULT && call->given & LINE_ERROR));
	MUST(call->result >= 0 && call->result <= INT32_MAX);
	MUST(call->error >= 0 && call->error <= 4095);
	MUST(call->task >= 0);
	MUST(call->name && *call->name && call->source && *call->source);
	MUST(memchr(call->comm, 0, sizeof(call->comm)));
	MUST(call->first_line >= 1 && call->first_line <= call->last_line);
	MUST(call->last_line <= o->lines);
	switch (c->entry) {
	case RAMET_ENTRY_CLONE:
		MUST(!(c->flags & 0xff) && c->exit_signal <= 0xff);
		MUST(!(call->given & LINE_FLAGS) || call->given & LINE_EXIT_SIGNAL ||
		     strcmp(call->source, "task_newtask") == 0);
		MUST(!(call->given & (LINE_SIZE | LINE_FD)));
		break;
	case RAMET_ENTRY_CLONE3:
		MUST(!(call->given & LINE_FD));
		break;
	case RAMET_ENTRY_UNSHARE:
	case RAMET_ENTRY_SETNS:
		MUST(!(call->given & (LINE_EXIT_SIGNAL | LINE_PIDFD)));
		break;
	default:
		MUST(false);
	}
}

static void take_call(const struct line_call *call, struct outcome *o)
{
	check_call(call, o);
	o->calls++;
	mix_text(o, call->name);
	mix_text(o, call->source);
	mix_text(o, call->comm);
	mix(o, call->call.flags);
	mix(o, call->call.exit_signal);
	mix(o, call->given);
	mix(o, (uint64_t)call->result);
	mix(o, (uint64_t)call->error);
	mix(o, (uint64_t)call->task);
	mix(o, call->first_line);
	mix(o, call->last_line);
}

static struct outcome run(const uint8_t *data, size_t size, const char *end)
{
	struct line_reader *reader = line_reader_new((enum line_arch_order)(size & 3));
	struct outcome o = {.hash = 0xcbf29ce484222325};
	struct line_call call;
	int kind;

	if (!reader)
		abort();
	while (size) {
		const uint8_t *newline = memchr(data, '\n', size);
		const size_t n = newline ? (size_t)(newline - data) : size;
		char *line = malloc(n + strlen(end));

		if (n)
			memcpy(line, data, n);
		memcpy(line + n, end, strlen(end));
		memset(&call, 0x5a, sizeof(call));
		o.lines++;
		kind = line_reader_feed(reader, line, n + strlen(end), &call);
		free(line);
		MUST(kind >= LINE_OTHER && kind <= LINE_STRANGE);
		mix(&o, (uint64_t)kind);
		if (kind == LINE_CALL)
			take_call(&call, &o);
		data += n + !!newline;
		size -= n + !!newline;
	}
	while ((kind = line_reader_finish(reader, &call)) == LINE_CALL) {
		MUST(!(call.given & (LINE_RESULT | LINE_ERROR)));
		take_call(&call, &o);
	}
	MUST(kind == LINE_OTHER);
	MUST(o.calls <= o.lines);
	line_reader_free(reader);
	return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const ends[] = {"\n", "\r\n", "\n\r\n"};
	const struct outcome plain = run(data, size, "");

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		const struct outcome other = run(data, size, ends[i]);

		MUST(other.hash == plain.hash && other.calls == plain.calls);
	}
	return 0;
}
