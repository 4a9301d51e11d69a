/* SPDX-License-Identifier: Apache-2.0 */
/* What a record says of an attempt to register its node. Strings are borrowed. Pure but for the
 * clock. */
#ifndef CAS_BACKUP_ATTEMPT_H
#define CAS_BACKUP_ATTEMPT_H

#include "pass/decide.h"

/*
 * What is known of a node that is there, before anything became of it. `known` is its record, or
 * NULL; `source` is where it was found.
 */
struct casb_record attempt_begin(const struct casb_record *known, const struct casb_node *node,
                                 const char *source);

/* It was registered with that primary: the machine that the decision names. */
void attempt_success(struct casb_record *values, const struct casb_node *node,
                     const struct decision *decision, const char *primary);

/* It was not; what is known of an earlier registration stands. */
void attempt_failure(struct casb_record *values, const struct casb_node *node,
                     const struct decision *decision, const char *error);

#endif
