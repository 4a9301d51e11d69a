/* SPDX-License-Identifier: Apache-2.0 */
/* What the state remembers of the last pass, in memory of its own. */
#ifndef CAS_BACKUP_LASTPASS_H
#define CAS_BACKUP_LASTPASS_H

#include "base/error.h"
#include "plugin/plugins.h"

#include <cas-backup/state.h>

struct lastpass {
    struct casb_pass values; /* all zero where nothing is remembered */
    char *text;              /* its strings, as loaded */
};

/*
 * Loads it from the opened state plugin; nothing where that remembers none. The caller ends *ret by
 * lastpass_done(), also after a failure.
 */
int lastpass_load(const struct plugins *plugins, const struct casb_call *call, struct lastpass *ret,
                  struct casb_error *err) _warn_unused_;

/* Frees what lastpass_load() made. */
void lastpass_done(struct lastpass *last);

#endif
