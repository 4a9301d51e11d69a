/* SPDX-License-Identifier: Apache-2.0 */
/* A pass writes into the state that it began, and how it ended. Trouble with it is a warning. */
#ifndef CAS_BACKUP_REMEMBER_H
#define CAS_BACKUP_REMEMBER_H

#include "pass/turn.h"

/* Notes that the pass begins. The records are loaded. */
void remember_begin(struct pass *pass);

/* Notes its end with that exit status, if its beginning was noted. No other thread writes. */
void remember_end(struct pass *pass, int status);

#endif
