/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes that are one machine under several names. */
#ifndef CAS_BACKUP_TWINS_H
#define CAS_BACKUP_TWINS_H

#include "pass/turn.h"

/*
 * Has each machine count once in the report's `registered`, with a warning that names the nodes.
 * After the last turn.
 */
int twins_settle(struct pass *pass, struct casb_error *err) _warn_unused_;

#endif
