/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known of a node at one time, packed: only what there is, and in one block. Immutable, so
 * that the record and a batch that is being written share it. The caller guards the count.
 */
#ifndef CAS_BACKUP_VALUES_H
#define CAS_BACKUP_VALUES_H

#include "base/cleanup.h"
#include "state/words.h"

#include <cas-backup/state.h>

struct values;

/* A copy of all but the uid, with one reference; `words` must outlive it. NULL: no memory. */
struct values *values_new(struct words *words, const struct casb_record *from) _warn_unused_;

/* Has one more reference. */
struct values *values_ref(struct values *v);

/* Gives a reference back; the last one frees it. NULL is fine. */
void values_unref(struct values *v);

/* Unpacks it for the node with that uid; the strings in *ret are borrowed from both. */
void values_read(const struct values *v, const char *uid, struct casb_record *ret);

/*
 * Some of it without a copy, borrowed; NULL: it is not known. The node's name; the text of what its
 * LAS showed, and its kind; of its boot ID.
 */
const char *values_name(const struct values *v);
const char *values_las(const struct values *v, enum casb_identity_kind *ret_kind);
const char *values_boot(const struct values *v);

#endif
