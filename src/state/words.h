/* SPDX-License-Identifier: Apache-2.0 */
/* Strings that many have in common, as a source's name, each kept once. Not thread-safe. */
#ifndef CAS_BACKUP_WORDS_H
#define CAS_BACKUP_WORDS_H

#include "base/cleanup.h"

/* All zero: none so far. */
struct words {
    void *tree;
};

/*
 * *ret is the one copy of the text, which stays until words_done(); NULL of NULL. Returns 0 or
 * CASB_ENOMEM.
 */
int words_keep(struct words *words, const char *text, const char **ret) _warn_unused_;

/* Frees them all. */
void words_done(struct words *words);

#endif
