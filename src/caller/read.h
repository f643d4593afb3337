/* SPDX-License-Identifier: MIT */
/*
 * What the readers of this room have in common: small files of /proc word by word, links, and the
 * parts of struct ramet_caller that have a file of their own. No allocation, no C library state.
 */
#ifndef RAMET_CALLER_READ_H
#define RAMET_CALLER_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ramet/model.h>

#define WORD_SIZE 32

struct reader {
	int fd;
	size_t at, filled;
	char buf[512];
};

/* False if it cannot be opened; else sys_close(r->fd) is the caller's. */
bool reader_open(struct reader *r, const char *path);

/*
 * The next word, cut to WORD_SIZE - 1; false at the end. *ret_first: it is the first of its line
 * (where alone a key of /proc/PID/status is one: a process may be called "Uid:").
 */
bool reader_word(struct reader *r, char word[static WORD_SIZE], bool *ret_first);
bool reader_number(struct reader *r, uint64_t *ret);

/* Go on to the line that begins with `key`. */
bool reader_find(struct reader *r, const char *key);

/* The digits that a word begins with. */
bool parse_number(const char *word, uint64_t *ret);

/* The number that a file begins with. */
bool read_number(const char *path, uint64_t *ret);

/* The target of a link, with a 0 behind it; its length or -errno. */
long read_link(const char *path, char *buf, size_t size);

/*
 * Call fn(entry's number, arg) for every entry of the directory whose name is a number, until one
 * gives false. False if the directory cannot be read.
 */
bool read_numbers(const char *path, bool (*fn)(uint64_t number, void *arg), void *arg);

/* PATH_SIZE is room for the paths made of these; text as %s, number as %d. */
#define PATH_SIZE 96
void path_make(char path[static PATH_SIZE], const char *before, uint64_t number, const char *after);

/* Does /proc number tasks as the caller does? Else its numbers are of no use in system calls. */
bool is_proc_ours(void);

/* sharers.c, target.c: fields and bits of ret->known. */
void read_sharers(const struct ramet_call *call, struct ramet_caller *ret);
void read_target(const struct ramet_call *call, struct ramet_caller *ret);

#endif
