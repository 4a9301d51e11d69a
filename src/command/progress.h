/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Live progress on a terminal: a bar with counts, what waits for what, and the time so far. Where
 * standard error is no terminal there is none.
 */
#ifndef CAS_BACKUP_PROGRESS_H
#define CAS_BACKUP_PROGRESS_H

#include "pass/pass.h"

/*
 * Starts showing a pass with the counts of `report`; NULL where it is to be quiet, or there is no
 * terminal (or no memory for it): nothing is shown then.
 */
struct progress *progress_new(struct report *report, bool quiet);

/*
 * Draws anew, at most ten times a second: struct pass_view's function, whose `arg` is the progress.
 */
void progress_draw(struct pass *pass, void *arg);

/* Takes the bar off the screen. NULL is fine. */
void progress_free(struct progress *progress);

#endif
