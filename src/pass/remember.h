/* SPDX-License-Identifier: Apache-2.0 */
/* A pass writes into the state that it began, and how it ended. Most trouble is a warning. */
#ifndef CAS_BACKUP_REMEMBER_H
#define CAS_BACKUP_REMEMBER_H

#include "pass/turn.h"

/*
 * Notes that the pass begins. The records are loaded. Fails where it follows that the state would
 * keep no record either.
 */
int remember_begin(struct pass *pass, struct casb_error *err) _warn_unused_;

/* Notes its end with that exit status, if its beginning was noted. No other thread writes. */
void remember_end(struct pass *pass, int status);

#endif
