/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One pass: lock, remove what a dead one left, scan, work off, store, unlock. pass.c has the order
 * of things; each step's file has the rest.
 */
#ifndef CAS_BACKUP_PASS_H
#define CAS_BACKUP_PASS_H

#include "pass/turn.h"

/*
 * Makes a pass and fills `report`. It ends early where cancel_fd becomes readable, and itself
 * writes to it where the lock is lost. `signal` holds the number of
 * the signal that did so, or 0; it and `view` may be NULL. Returns 0 where the pass could be made,
 * whatever became of single nodes; CASB_ECONFLICT where another pass holds the lock (then err->text
 * names it); CASB_EINVALID where --only or --force name a node that no source has.
 */
int pass_run(struct plugins *plugins, enum pass_mode mode, int cancel_fd, const atomic_int *signal,
             const struct pass_view *view, struct report *report, struct casb_error *err)
    _warn_unused_;

#endif
