/* SPDX-License-Identifier: Apache-2.0 */
/* Sources are told what became of their nodes. That one cannot be is a warning, and no more. */
#ifndef CAS_BACKUP_NEWS_H
#define CAS_BACKUP_NEWS_H

#include "pass/turn.h"

/* Is the failed attempt that this record is of to be told? The first, and one in half an hour. */
bool news_is_due(const struct casb_record *record);

/* Tells the source what became of the record's node, if it wants to know. Thread-safe. */
void news_tell(const struct plugin *source, const struct casb_call *call,
               const struct casb_record *record, enum casb_outcome outcome, const char *message);

/* Tells the source of a record that it was dropped. */
void news_tell_dropped(const struct plugins *plugins, const struct casb_call *call,
                       const struct record *record);

/* Tells what note_node() noted. The records are written, and nobody else uses them. */
void news_tell_noted(struct pass *pass);

/*
 * Has each source bring in line what it shows of nodes. In a cleanup that was asked for it nothing
 * is shown any more, and trouble an error. Nobody else uses the records.
 */
int news_settle(struct pass *pass, struct casb_error *err) _warn_unused_;

#endif
