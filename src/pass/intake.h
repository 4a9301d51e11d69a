/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a scan finds: each node is decided on as it arrives, and settled at once or made a job.
 */
#ifndef CAS_BACKUP_INTAKE_H
#define CAS_BACKUP_INTAKE_H

#include "pass/turn.h"

/*
 * Scans every source, in the calling thread; what becomes a job may go on after it returned. One
 * that fails does not keep the others from being scanned: the first error is returned.
 */
int intake_scan(struct pass *pass, struct casb_error *err) _warn_unused_;

/*
 * Warns where LAS runs but no log of it holds an identity: of a version that prints something else
 * nobody would know while every node is kept. After the last turn.
 */
void intake_judge_las(struct pass *pass);

#endif
