/* SPDX-License-Identifier: MIT */
/*
 * A directory of its own under /tmp with the files that tests of exec and chdir need, readable by
 * everybody, removed at exit. Names are fixed arrays, so that tables can point at them.
 */
#ifndef RAMET_TESTS_LIB_ROOM_H
#define RAMET_TESTS_LIB_ROOM_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/tiny.h"

static char room_dir[64];
static char room_tiny[96];    /* a program that ends with 0 */
static char room_plain[96];   /* a file without the right to execute it */
static char room_bad[96];     /* executable, of no known format */
static char room_script[96];  /* a script of an interpreter that is not there */
static char room_private[96]; /* a directory for nobody but root */
static char room_nothing[96]; /* not there */
static pid_t room_owner;

static inline void room_leave(void)
{
	if (getpid() != room_owner)
		return;
	unlink(room_tiny);
	unlink(room_plain);
	unlink(room_bad);
	unlink(room_script);
	rmdir(room_private);
	rmdir(room_dir);
}

static inline bool room_file(const char *path, const char *text, unsigned mode)
{
	FILE *f = fopen(path, "wxe");

	return f && fputs(text, f) >= 0 && fclose(f) == 0 && chmod(path, mode) == 0;
}

/* Before any other thread or process of the test. Ends the test if it cannot be made. */
static inline void room_make(void)
{
	const struct {
		char *path;
		const char *name;
	} names[] = {
		{room_tiny, "tiny"},	 {room_plain, "plain"},	    {room_bad, "bad"},
		{room_script, "script"}, {room_private, "private"}, {room_nothing, "nothing"},
	};
	bool good;

	strcpy(room_dir, "/tmp/ramet-test-XXXXXX");
	good = mkdtemp(room_dir) && chmod(room_dir, 0755) == 0;
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		snprintf(names[i].path, 96, "%s/%s", room_dir, names[i].name);
	room_owner = getpid();
	atexit(room_leave);
	if (!good || !tiny_make(room_tiny) || !room_file(room_plain, "plain\n", 0644) ||
	    !room_file(room_bad, "\1\2\3\4 no program\n", 0755) ||
	    !room_file(room_script, "#!/nonexistent/interpreter\n", 0755) ||
	    mkdir(room_private, 0) < 0) {
		perror(room_dir);
		exit(1);
	}
}

#endif
