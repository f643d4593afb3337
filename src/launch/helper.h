/* SPDX-License-Identifier: MIT */
/* The launcher's side of the helper way: what the helper program is given, and its start. */
#ifndef RAMET_LAUNCH_HELPER_H
#define RAMET_LAUNCH_HELPER_H

#include <sys/types.h>

#include "child/child.h"
#include "launch/plan.h"

struct helper {
	int program, image, record_file; /* O_CLOEXEC */
	ino_t inode;			 /* of the program */
	struct child_record *record;	 /* shared with it */
	char texts[3][12];		 /* its arguments */
	char *argv[5], *envp[1];
	struct ramet_step *boot; /* steps of the child that becomes it */
	unsigned boot_count;
};

/* Everything but the task. 0 or -errno with nothing kept. */
int helper_open(const struct plan *plan, struct helper *ret);
void helper_close(struct helper *helper);
/* What only its start needs. */
void helper_close_files(struct helper *helper);

/* Whether the task now runs something else than the helper. */
bool helper_has_execed(const struct helper *helper, pid_t tid);

/* Whether an error of making or starting it means that programs in memory cannot be run here. */
bool helper_is_missing(int error);

#endif
