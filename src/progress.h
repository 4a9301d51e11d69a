/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Live progress on a terminal: a bar with counts, what waits for what, and the time so far. Where
 * standard error is no terminal there is none.
 */
#ifndef CAS_BACKUP_PROGRESS_H
#define CAS_BACKUP_PROGRESS_H

#include "pass.h"

/* Starts showing; NULL where there is no terminal (or no memory for it): nothing is shown then. */
struct progress *progress_new(struct pass *pass);

/* Draws anew, at most ten times a second. NULL is fine. Only from the pass's own thread. */
void progress_draw(struct progress *progress);

/* Takes the bar off the screen. NULL is fine. */
void progress_free(struct progress *progress);

#endif
