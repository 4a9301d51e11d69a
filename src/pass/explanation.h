/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a node is registered, kept or skipped: the facts behind the decision, what is recorded beside
 * what is there now, and what comes next. The rules are decide.h's. Thread-safe.
 */
#ifndef CAS_BACKUP_EXPLANATION_H
#define CAS_BACKUP_EXPLANATION_H

#include "pass/turn.h"

/*
 * Each gives an object, which the caller owns, with name, uid, source, present, protected,
 * decision, reason, meaning, next_attempt and command, and where there are any `record` (as
 * base/record.h has it) and `now`, whose keys are the same. NULL: no memory.
 */

/* Of a node that a scan found. */
json_t *explanation_of_node(const struct pass_sight *sight);

/*
 * Of one that is in the records alone; `scanned`: it is known that it is not there now. `primary`
 * is the primary's identity.
 */
json_t *explanation_of_record(const struct casb_record *known, const char *primary, bool scanned);

/* Of a name of which nothing is known, likewise; `near` is one that may be meant, or NULL. */
json_t *explanation_of_nothing(const char *name, const char *near, bool scanned);

#endif
