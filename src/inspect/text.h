/* SPDX-License-Identifier: MIT */
#ifndef RAMET_INSPECT_TEXT_H
#define RAMET_INSPECT_TEXT_H

#include <stddef.h>

/*
 * A file of /proc or /sys as text, as much of it as fits, with a 0 byte behind it. `dir` as
 * openat() has it. Its length, or -errno; the text is empty then.
 */
int inspect_text(int dir, const char *path, char *buf, size_t size);

#endif
