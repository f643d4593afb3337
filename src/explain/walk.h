/* SPDX-License-Identifier: MIT */
/* The stops of walk.def, for tests: which there are and where a rule refuses. */
#ifndef RAMET_EXPLAIN_WALK_H
#define RAMET_EXPLAIN_WALK_H

#include "explain/explain.h"

/* Label of the stop at which this rule would refuse this call; NULL: there is none. */
const char *walk_place(const struct ramet_rule *rule, const struct explanation *e);

/* Label of row `index` in the kernel's order and for which calls it is; NULL past the end. */
const char *walk_stop(size_t index, unsigned *ret_entries);

#endif
