/* SPDX-License-Identifier: Apache-2.0 */
/* What the record keeps of a node that was not registered in this pass. */
#ifndef CAS_BACKUP_NOTE_H
#define CAS_BACKUP_NOTE_H

#include "pass/decide.h"
#include "pass/turn.h"

/*
 * Brings the node's record up to date with the decision; nothing is written while nothing changed,
 * nor by a plan. What is new in it is noted for news_tell_noted(). A node of which nothing is known
 * gets a record where it is selected.
 */
int note_node(struct pass *pass, const struct plugin *source, const struct casb_node *node,
              struct record *record, const struct decision *decision, struct casb_error *err)
    _warn_unused_;

#endif
