/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes that are one machine under several names. */
#ifndef CAS_BACKUP_TWINS_H
#define CAS_BACKUP_TWINS_H

#include "pass/turn.h"
#include "report/machines.h"

/* Warns that two nodes are one machine, by an identity of this kind. */
void twins_tell(const struct machine *first, const struct machine *second,
                enum casb_identity_kind kind);

/*
 * Has each machine count once in the report's `registered`, with a warning that names the nodes.
 * After the last turn.
 */
int twins_settle(struct pass *pass, struct casb_error *err) _warn_unused_;

#endif
