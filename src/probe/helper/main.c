/* SPDX-License-Identifier: MIT */
/* The helper's life: prepare, clone, then do what the observer asks for. See probe/proto.h. */
#include "probe/helper/helper.h"

#include <errno.h>

#include "base/sys.h"

static struct helper helper;

static uint64_t hex(const char *s)
{
	uint64_t n = 0;

	for (; *s; s++)
		n = n << 4 | (uint64_t)(*s <= '9' ? *s - '0' : (*s | 0x20) - 'a' + 10);
	return n;
}

/* Nothing inherited may matter: no signal arrives, none is ignored, no descriptor is held. */
static void clean(void)
{
	const uint64_t every = ~0ULL;
	const struct kernel_sigaction none = {0};

	sys_sigprocmask(0, &every, 0);
	for (int sig = 1; sig <= KERNEL_NSIG; sig++)
		sys_sigaction(sig, &none, 0);
	sys_close_range(0, PROBE_FD_PARENT - 1, 0);
	sys_close_range(PROBE_FD_FREE, ~0U, 0);
}

static long clone_child(struct helper *h)
{
	long r = helper_arguments(h);

	if (r < 0)
		return r;
	if (!h->legacy)
		return raw_clone(&h->args, sizeof(h->args), 0, &h->used, helper_child, h);
	h->used = (struct raw_used){.flags = h->flags};
	return raw_clone_legacy(&h->args, helper_child, h);
}

/* Answers the observer until it is done or gone. */
static void serve(struct helper *h, long child)
{
	struct probe_message m = {0};
	int32_t woken = 1;
	uint32_t type;

	while (receive_message(PROBE_FD_PARENT, &type)) {
		switch (type) {
		case PROBE_LOOK:
			helper_look(h, &m.look);
			send_message(PROBE_FD_PARENT, &m, PROBE_LOOK);
			break;
		case PROBE_AWAIT:
			woken = helper_await(h);
			break;
		case PROBE_END:
			m.end = (struct probe_end){.woken = woken};
			helper_end(h, child, &m.end);
			send_message(PROBE_FD_PARENT, &m, PROBE_END);
			return;
		default:
			return;
		}
	}
}

static void run(struct helper *h)
{
	struct probe_message m = {0};
	uint32_t type;
	long child;

	if (!receive_message(PROBE_FD_PARENT, &type) || type != PROBE_START)
		return;
	helper_prepare(h);
	m.before = h->before;
	send_message(PROBE_FD_PARENT, &m, PROBE_BEFORE);
	child = clone_child(h);
	m.cloned = (struct probe_cloned){
		.result = child,
		.flags = h->used.flags,
		.clone3 = h->used.clone3,
	};
	send_message(PROBE_FD_PARENT, &m, PROBE_CLONED);
	if (child >= 0)
		serve(h, child);
	helper_undo(h);
}

int main(int argc, char **argv, char **envp)
{
	(void)envp;
	if (argc != PROBE_ARG_COUNT)
		return 2;
	helper.flags = hex(argv[PROBE_ARG_FLAGS]);
	helper.exit_signal = (int)hex(argv[PROBE_ARG_EXIT_SIGNAL]);
	helper.legacy = hex(argv[PROBE_ARG_LEGACY]);
	clean();
	run(&helper);
	return 0;
}
