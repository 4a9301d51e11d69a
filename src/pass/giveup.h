/* SPDX-License-Identifier: Apache-2.0 */
/* How the attempts of a pass go, and when to make no more: one mistake should not fail all nodes.
 */
#ifndef CAS_BACKUP_GIVEUP_H
#define CAS_BACKUP_GIVEUP_H

#include "pass/turn.h"

/* Notes an attempt that succeeded. From any thread, as the others but for giveup_tell(). */
void giveup_note_success(struct pass *pass);

/* Notes one that failed: at the registration, or in the spawn before it. */
void giveup_note_failure(struct pass *pass, const struct plugin *source, const char *node,
                         bool registering, const struct casb_error *failure);

/* Have give_up_after attempts failed, and none succeeded? */
bool giveup_is_due(struct pass *pass);

/*
 * Where attempts failed and none succeeded: says so and what is likely behind it, in the log and in
 * the report. After the last turn.
 */
void giveup_tell(struct pass *pass);

#endif
