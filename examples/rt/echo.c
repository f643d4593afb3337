/* SPDX-License-Identifier: MIT */
/*
 * A static echo server: rt-echo [PORT] sends back what it is sent on 127.0.0.1, each connection by
 * a thread of its own. Port 0, or none, is any that is free. SIGTERM ends it.
 */
#include <linux/in.h>

#include "rt.h"

#define INET 2
#define STREAM 1
#define CLOEXEC 02000000
#define NOSIGNAL 0x4000
#define EINTR_ (-4)
#define EMFILE_ (-24)
#define ECONNABORTED_ (-103)

static int send_all(int fd, const char *data, long size)
{
	while (size > 0) {
		const long n = CALL(sendto, fd, data, size, NOSIGNAL);

		if (n < 0 && n != EINTR_)
			return -1;
		if (n > 0) {
			data += n;
			size -= n;
		}
	}
	return 0;
}

/* Detached: its stack is kept for the next connection. */
static void *serve(void *arg)
{
	const int fd = (int)(long)arg;
	char data[4096];
	long n;

	do
		n = CALL(read, fd, data, sizeof(data));
	while (n == EINTR_ || (n > 0 && send_all(fd, data, n) == 0));
	CALL(close, fd);
	return NULL;
}

static int listen_on(int port, int *ret_port)
{
	struct sockaddr_in address = {
		.sin_family = INET,
		.sin_port = __builtin_bswap16((uint16_t)port),
		.sin_addr = {__builtin_bswap32(0x7f000001)},
	};
	unsigned size = sizeof(address);
	const long fd = CALL(socket, INET, STREAM | CLOEXEC, 0);
	long r = fd;

	if (r >= 0)
		r = CALL(bind, fd, &address, size);
	if (r >= 0)
		r = CALL(listen, fd, 128);
	if (r >= 0)
		r = CALL(getsockname, fd, &address, &size);
	*ret_port = __builtin_bswap16(address.sin_port);
	return (int)(r < 0 ? r : fd);
}

int main(int argc, char **argv, char **envp)
{
	const int wanted = argc > 1 ? to_number(argv[1]) : 0;
	struct line line = {.used = 0};
	const long moment[] = {0, 10000000};
	int port, listener;

	(void)envp;
	if (argc > 2 || wanted < 0 || wanted > 65535)
		return fail("rt-echo", "usage: rt-echo [PORT]", 0);
	listener = listen_on(wanted, &port);
	if (listener < 0)
		return fail("rt-echo", "cannot listen", listener);
	put(&line, "listening on port ");
	put_number(&line, (uint64_t)port);
	put(&line, "\n");
	say(1, &line);
	for (;;) {
		const long fd = CALL(accept4, listener, 0, 0, CLOEXEC);
		const struct ramet_thread_attr attr =
			RAMET_THREAD_ATTR(.options = RAMET_THREAD_DETACHED, .stack_size = 16384);

		if (fd == EINTR_ || fd == ECONNABORTED_)
			continue;
		if (fd == EMFILE_) /* some connection will end */
			CALL(nanosleep, moment, 0);
		else if (fd < 0)
			return fail("rt-echo", "cannot accept", fd);
		else if (ramet_thread_create(&attr, serve, (void *)fd, NULL) < 0)
			CALL(close, fd);
	}
}
