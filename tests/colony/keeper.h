/* SPDX-License-Identifier: MIT */
/*
 * The test's side of a colony: start it, tell a task what to do, wait for the answer, end it. The
 * caller is a process of its own and a subreaper, so that whatever happens every task of the
 * colony is below it: keeper_stop() finds them all.
 */
#ifndef RAMET_TESTS_KEEPER_H
#define RAMET_TESTS_KEEPER_H

#include <stdbool.h>
#include <sys/types.h>

#include "colony/colony.h"

double keeper_now(void); /* seconds */
struct colony_slot *keeper_slot(int label);

/* Once for a process: the memory, the program and the socket, where the colony expects them. */
bool keeper_ready(void);
/* The first task, in slot 1: its tid, or 0. */
pid_t keeper_start(void);
/* Let it begin; what it needs stands in its slot. */
void keeper_ask(int label, enum colony_command command);
/* A descriptor for the task that asks next. */
bool keeper_send(int fd);
/* Until `is` holds, for some seconds at most. */
bool keeper_wait(bool (*is)(const void *), const void *arg);
bool keeper_is_done(const void *slot);
bool keeper_has_started(const void *slot);
/*
 * End all that is below this process, which has no other children. True if nothing is left. A
 * pid namespace may end slowly: its pid 1 waits for those in it whose parents are elsewhere.
 */
bool keeper_stop(const int *tids, int count);

#endif
