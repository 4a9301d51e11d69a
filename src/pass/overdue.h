/* SPDX-License-Identifier: Apache-2.0 */
/* Which selected nodes are without a valid registration for longer than they may be. */
#ifndef CAS_BACKUP_OVERDUE_H
#define CAS_BACKUP_OVERDUE_H

#include "pass/turn.h"

/*
 * Counts in the report those that this pass's scan found and left unprotected, and warns of them in
 * one line. Only when no job is open.
 */
void overdue_judge(struct pass *pass);

#endif
