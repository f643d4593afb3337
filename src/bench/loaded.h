/* SPDX-License-Identifier: MIT */
/* A program started with all that a service manager would set: loaded.c. */
#ifndef RAMET_BENCH_LOADED_H
#define RAMET_BENCH_LOADED_H

#include "bench/bench.h"

extern const struct bench_variant variant_ramet_loaded, variant_fork_exec_loaded;

#endif
