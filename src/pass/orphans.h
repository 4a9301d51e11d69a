/* SPDX-License-Identifier: Apache-2.0 */
/* What a dead pass left behind: backup CAS, and private copies of the owner's key. */
#ifndef CAS_BACKUP_ORPHANS_H
#define CAS_BACKUP_ORPHANS_H

#include "pass/turn.h"

/*
 * Has all backup CAS removed, and waits for it: those that a source can list, and those that are
 * noted in the records. In PASS_CLEANUP a source that cannot list has each of its nodes tried, and
 * one that could not be removed is CASB_EFAILED; otherwise that costs a warning. A private copy
 * that cannot be removed always does.
 */
int orphans_remove(struct pass *pass, struct casb_error *err) _warn_unused_;

/*
 * Where some backup CAS of this pass could not be removed in its turn, has the sources that can
 * list theirs remove them, when every turn is over: one whose creation was slow may have come.
 */
void orphans_look_again(struct pass *pass);

#endif
