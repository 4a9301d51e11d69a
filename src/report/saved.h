/* SPDX-License-Identifier: Apache-2.0 */
/* The records as `status -o json` printed them, for when nobody can be asked. */
#ifndef CAS_BACKUP_SAVED_H
#define CAS_BACKUP_SAVED_H

#include "base/error.h"
#include "state/records.h"

#include <cas-backup/registration.h>

/*
 * Reads the file, or standard input for "-". *ret_primary is the primary of the last pass, all zero
 * where that is unknown, and *ret_min_registered what that pass wanted, or 0. CASB_EINVALID where
 * it is something else. The caller frees *ret.
 */
int saved_load(const char *path, struct records **ret, struct casb_primary *ret_primary,
               int64_t *ret_min_registered, struct casb_error *err) _warn_unused_;

#endif
