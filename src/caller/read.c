/* SPDX-License-Identifier: MIT */
/* Reading small files, links and directories of /proc by raw system calls. Knows no field. */
#include "caller/read.h"

#include <fcntl.h>
#include <string.h>

#include "base/sys.h"

bool reader_open(struct reader *r, const char *path)
{
	long fd = sys_open(path, O_RDONLY | O_CLOEXEC, 0);

	r->fd = (int)fd;
	r->at = r->filled = 0;
	return fd >= 0;
}

static int reader_byte(struct reader *r)
{
	if (r->at == r->filled) {
		long n = sys_read(r->fd, r->buf, sizeof(r->buf));

		if (n <= 0)
			return -1;
		r->at = 0;
		r->filled = (size_t)n;
	}
	return (unsigned char)r->buf[r->at++];
}

bool reader_word(struct reader *r, char word[static WORD_SIZE], bool *ret_first)
{
	bool first = !r->filled;
	size_t n = 0;
	int c;

	for (c = reader_byte(r); c == ' ' || c == '\t' || c == '\n'; c = reader_byte(r))
		first |= c == '\n';
	for (; c >= 0 && c != ' ' && c != '\t' && c != '\n'; c = reader_byte(r))
		if (n < WORD_SIZE - 1)
			word[n++] = (char)c;
	/* The end of the line is what the next word learns that it is the first from. */
	if (c == '\n')
		r->at--;
	word[n] = '\0';
	*ret_first = first;
	return n > 0;
}

bool parse_number(const char *word, uint64_t *ret)
{
	uint64_t n = 0;

	if (*word < '0' || *word > '9')
		return false;
	for (; *word >= '0' && *word <= '9'; word++)
		n = n * 10 + (uint64_t)(*word - '0');
	*ret = n;
	return true;
}

bool reader_number(struct reader *r, uint64_t *ret)
{
	char word[WORD_SIZE];
	bool first;

	return reader_word(r, word, &first) && parse_number(word, ret);
}

bool reader_find(struct reader *r, const char *key)
{
	char word[WORD_SIZE];
	bool first;

	while (reader_word(r, word, &first))
		if (first && !strcmp(word, key))
			return true;
	return false;
}

bool read_number(const char *path, uint64_t *ret)
{
	struct reader r;
	bool good;

	if (!reader_open(&r, path))
		return false;
	good = reader_number(&r, ret);
	sys_close(r.fd);
	return good;
}

long read_link(const char *path, char *buf, size_t size)
{
	long n = sys4(SYS_readlinkat, SYS_AT_FDCWD, (long)path, (long)buf, (long)size - 1);

	if (n >= 0)
		buf[n] = '\0';
	return n;
}

bool read_numbers(const char *path, bool (*fn)(uint64_t number, void *arg), void *arg)
{
	union {
		struct kernel_dirent64 first;
		char bytes[1024];
	} buf;
	long fd = sys_open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	bool more = true;
	long n = 0;

	if (fd < 0)
		return false;
	while (more && (n = sys_getdents64((int)fd, buf.bytes, sizeof(buf))) > 0) {
		for (long at = 0; more && at < n;) {
			const struct kernel_dirent64 *entry = (const void *)(buf.bytes + at);
			uint64_t number;

			if (parse_number(entry->name, &number))
				more = fn(number, arg);
			at += entry->reclen;
		}
	}
	sys_close((int)fd);
	return n >= 0;
}

void path_make(char path[static PATH_SIZE], const char *before, uint64_t number, const char *after)
{
	char digits[24], *at = digits + sizeof(digits);

	*--at = '\0';
	do
		*--at = (char)('0' + number % 10);
	while (number /= 10);
	path[0] = '\0';
	if (strlen(before) + strlen(at) + strlen(after) >= PATH_SIZE)
		return;
	strcat(path, before);
	strcat(path, at);
	strcat(path, after);
}

bool is_proc_ours(void)
{
	char word[WORD_SIZE];
	uint64_t pid;

	return read_link("/proc/self", word, sizeof(word)) > 0 && parse_number(word, &pid) &&
	       pid == (uint64_t)sys_getpid();
}
