/* SPDX-License-Identifier: Apache-2.0 */
/* The names of machines that a command is asked about, some of them perhaps on standard input. */
#ifndef CAS_BACKUP_NAMES_H
#define CAS_BACKUP_NAMES_H

#include "base/buf.h"
#include "base/error.h"

struct names {
    const char **list; /* ends with NULL; NULL: none */
    size_t count;
    struct buf input; /* what the names from there point into */
};

/*
 * Collects the arguments (NULL, or ending with NULL; borrowed), with "-" replaced by the first
 * words of the lines on standard input, where some must be then. *names is all zero before; the
 * caller ends it by names_done(), also after a failure.
 */
int names_collect(struct names *names, const char *const *args, struct casb_error *err)
    _warn_unused_;

/* Frees what is in it. */
void names_done(struct names *names);

#endif
