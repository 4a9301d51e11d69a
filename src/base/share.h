/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which nodes a pass works on where several passes share the work. Nodes are spread by jump
 * consistent hash (Lamping and Veach, 2014) over FNV-1a of their uid (64 bits): evenly, and with
 * one share more only the nodes that it gets move. Pure and thread-safe.
 */
#ifndef CAS_BACKUP_SHARE_H
#define CAS_BACKUP_SHARE_H

#include "base/error.h"

#include <cas-backup/host.h>

#include <stdbool.h>

#define SHARE_MOST 1000 /* shares that a pass may be split into */

/* The share, from 0, that the node belongs to where there are `count` (at least 1). */
uint32_t share_of(const char *uid, uint32_t count);

/* Is the node in this share? */
bool share_has(const struct casb_share *share, const char *uid);

/* Does it have only some of the nodes? */
bool share_is_partial(const struct casb_share *share);

/*
 * Makes a share of its number and of how many there are, as text. CASB_EINVALID, without saying
 * where they came from: no such share.
 */
int share_parse(const char *index, const char *count, struct casb_share *ret,
                struct casb_error *err) _warn_unused_;

#endif
