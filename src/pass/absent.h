/* SPDX-License-Identifier: Apache-2.0 */
/* The nodes that are known, but that a complete scan did not find. */
#ifndef CAS_BACKUP_ABSENT_H
#define CAS_BACKUP_ABSENT_H

#include "pass/turn.h"

/*
 * Notes in their records since when they are absent and for how long, and counts them in the
 * report. Between two scans that miss a node at most a day counts, and at most half of
 * absent_after, whatever the clock says: without passes, or by a clock that jumped, no node is
 * absent for longer. Written at most once in that time. Only when no other thread changes records.
 */
int absent_note(struct pass *pass, struct casb_error *err) _warn_unused_;

/*
 * Drops the records of those that are absent for longer than absent_after. Only when no other
 * thread uses the records.
 */
int absent_drop(struct pass *pass, struct casb_error *err) _warn_unused_;

#endif
