/* SPDX-License-Identifier: Apache-2.0 */
/* The nodes of the other shares, where several passes share the work. */
#ifndef CAS_BACKUP_ELSEWHERE_H
#define CAS_BACKUP_ELSEWHERE_H

#include "pass/turn.h"

/*
 * Counts in the report the machines that hold a valid registration in other shares, by the records
 * as they are now. A pass that has all nodes does nothing. Only when no other thread changes
 * records.
 */
int elsewhere_count(struct pass *pass, struct casb_error *err) _warn_unused_;

#endif
