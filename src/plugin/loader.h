/* SPDX-License-Identifier: Apache-2.0 */
/* Finds, checks and opens plugins. */
#ifndef CAS_BACKUP_LOADER_H
#define CAS_BACKUP_LOADER_H

#include "base/error.h"

#include <cas-backup/plugin.h>

/* "discovery", "registration", "state". Static. */
const char *loader_kind_name(enum casb_kind kind);

/*
 * Loads KIND-NAME.so from `dir` and verifies it: a plain name; file, folder and the libraries in it
 * (lib*.so*), which it may link, writable by nobody else; ABI, sizes, kind, name and required
 * slots. Loaded files stay until the process ends. Errors are for people and name the file; their
 * class is never CASB_EINVALID for a plugin's fault.
 */
int loader_load(const char *dir, enum casb_kind kind, const char *name,
                const struct casb_plugin **ret, struct casb_error *err) _warn_unused_;

#endif
