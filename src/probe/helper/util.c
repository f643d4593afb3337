/* SPDX-License-Identifier: MIT */
/* Small things both tasks of the helper need: messages, /proc texts, a port. */
#include "probe/helper/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/in.h>
#include <linux/stat.h>

#include "base/sys.h"

#define SOCKET_INET 2
#define SOCKET_STREAM 1
#define SEND_NOSIGNAL 0x4000
#define CLOCK_BOOT 7

const char child_hostname[] = "ramet-probe-child";
const char child_directory[] = "/proc";
_Thread_local volatile uint64_t tls_mark;

void handler_of_parent(void)
{
}

void handler_of_child(void)
{
}

void send_message(int fd, struct probe_message *m, uint32_t type)
{
	m->type = type;
	/* A failure means the observer is gone; the next receive says so. */
	while (sys6(SYS_sendto, fd, (long)m, sizeof(*m), SEND_NOSIGNAL, 0, 0) == -EINTR)
		;
}

bool receive_message(int fd, uint32_t *ret_type)
{
	struct {
		uint32_t type, unused;
	} m;
	long n;

	do
		n = sys6(SYS_recvfrom, fd, (long)&m, sizeof(m), 0, 0, 0);
	while (n == -EINTR);
	if (n != sizeof(m))
		return false;
	*ret_type = m.type;
	return true;
}

long read_fd(int fd, char *buf, size_t size)
{
	size_t used = 0;
	long n;

	do {
		n = sys4(SYS_pread64, fd, (long)(buf + used), (long)(size - 1 - used), (long)used);
		if (n > 0)
			used += (size_t)n;
	} while (n > 0 && used < size - 1);
	buf[used] = 0;
	return n < 0 ? n : (long)used;
}

long read_text(const char *path, char *buf, size_t size)
{
	long fd = sys_open(path, O_RDONLY | O_CLOEXEC, 0), n;

	buf[0] = 0;
	if (fd < 0)
		return fd;
	n = read_fd((int)fd, buf, size);
	sys_close((int)fd);
	return n;
}

/* FNV-1a. */
uint64_t hash_text(const char *text)
{
	uint64_t hash = 0xcbf29ce484222325ULL;

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3ULL;
	return hash;
}

void cgroup_line(const char *text, char out[static PROBE_TEXT])
{
	size_t n = 0;

	out[0] = 0;
	while (*text && !(text[0] == '0' && text[1] == ':' && text[2] == ':')) {
		while (*text && *text != '\n')
			text++;
		if (*text)
			text++;
	}
	if (!*text)
		return;
	for (text += 3; text[n] && text[n] != '\n' && n < PROBE_TEXT - 1; n++)
		out[n] = text[n];
	out[n] = 0;
}

/* "time:[4026531834]" */
uint64_t link_inode(const char *path)
{
	char buf[64];
	uint64_t inode = 0;
	long n = sys4(SYS_readlinkat, SYS_AT_FDCWD, (long)path, (long)buf, sizeof(buf));

	for (long i = 0; i < n; i++)
		if (buf[i] >= '0' && buf[i] <= '9')
			inode = inode * 10 + (uint64_t)(buf[i] - '0');
	return inode;
}

uint64_t effective_caps(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {0};

	if (sys2(SYS_capget, (long)&head, (long)data) < 0)
		return 0;
	return (uint64_t)data[1].effective << 32 | data[0].effective;
}

int64_t boottime(void)
{
	struct kernel_timespec now = {0};

	sys2(SYS_clock_gettime, CLOCK_BOOT, (long)&now);
	return now.tv_sec;
}

uint64_t place_device(const char *path)
{
	struct statx at;

	if (sys5(SYS_statx, SYS_AT_FDCWD, (long)path, 0, STATX_INO, (long)&at) < 0)
		return 0;
	return (uint64_t)at.stx_dev_major << 32 | at.stx_dev_minor;
}

bool same_text(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

int bind_port(int port, int *ret_port)
{
	struct sockaddr_in in = {
		.sin_family = SOCKET_INET,
		.sin_port = (uint16_t)port, /* in network order throughout */
	};
	uint32_t size = sizeof(in);
	long fd, r;

	fd = sys3(SYS_socket, SOCKET_INET, SOCKET_STREAM | O_CLOEXEC, 0);
	if (fd < 0)
		return (int)fd;
	r = sys3(SYS_bind, fd, (long)&in, sizeof(in));
	if (!r)
		r = sys3(SYS_getsockname, fd, (long)&in, (long)&size);
	if (r < 0) {
		sys_close((int)fd);
		return (int)r;
	}
	*ret_port = in.sin_port;
	return (int)fd;
}
