/* SPDX-License-Identifier: Apache-2.0 */
/* Who could have written what we run, do, or keep secrets in. */
#ifndef BASE_TRUST_H
#define BASE_TRUST_H

#include "base/error.h"

#include <stdbool.h>

enum trust {
    TRUST_FOLDER, /* in which we make files: it may be a sticky one, such as /tmp */
    TRUST_FILE,   /* which may lie in such a folder */
    TRUST_PLUGIN, /* which may not: others could put an old file of ours there under its name */
};

/*
 * Refuses (CASB_EDENIED) what anybody but root and the effective user could have written or put in
 * place: by owner and mode (group and others) of the file, of all folders and links on the way to
 * it, and of those that the links lead through; a sticky folder may be on the way, and what
 * is mounted read-only is written by nobody. What whoever
 * started us had open (/dev/stdin, a shell's <(command)) is theirs to choose. CASB_ENOTFOUND where
 * it does not exist. Errors name the entry that is at fault.
 */
int trust_check(const char *path, enum trust what, struct casb_error *err) _warn_unused_;

/* Can everybody on the machine read the file? */
bool trust_is_readable_by_all(const char *path);

#endif
