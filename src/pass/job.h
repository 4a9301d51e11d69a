/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens to one node: identify -> decide -> spawn -> register -> write the record -> remove
 * the backup CAS, whatever the outcome.
 */
#ifndef CAS_BACKUP_JOB_H
#define CAS_BACKUP_JOB_H

#include "pass/queue.h"

/*
 * Has the node registered, of which that was decided. A source that cannot list what it spawned
 * gets a note in the record before anything is begun. On failure `waiting` is still the caller's.
 */
int job_register(struct waiting *waiting, const struct casb_node *node,
                 const struct decision *decision, struct casb_error *err) _warn_unused_;

/*
 * Ends a job that the end of the pass overtook, its backup CAS removed. That is no failed attempt:
 * the record only keeps what was decided.
 */
void job_cut_short(struct job *job);

/* Adds the outcome of the job's attempt to the report. */
void job_report(struct job *job);

/* Removes the backup CAS that may be there. False: it is there still, as far as is known. */
bool job_remove(struct job *job);

#endif
