/* SPDX-License-Identifier: Apache-2.0 */
/* Identities of machines: to make and to compare them. Pure and thread-safe. */
#ifndef BASE_IDENTITY_H
#define BASE_IDENTITY_H

#include "base/cleanup.h"

#include <cas-backup/identity.h>

#include <stdbool.h>

/*
 * Makes an identity of a text. Returns 0, or CASB_EINVALID where the text is NULL, empty or too
 * long; then *ret is untouched.
 */
int identity_set(struct casb_identity *ret, enum casb_identity_kind kind, const char *text)
    _warn_unused_;

/* Is anything known? */
bool identity_is_known(const struct casb_identity *identity);

/* Its text where it is of that kind, else NULL. Borrowed. */
const char *identity_text(const struct casb_identity *identity, enum casb_identity_kind kind);

/* "LAS key", "boot ID": for people. Static. */
const char *identity_kind_name(enum casb_identity_kind kind);

/* What two identities say of two machines. */
enum identity_evidence {
    IDENTITY_SILENT, /* nothing: one is not known, or they are of two kinds */
    IDENTITY_SAME,
    IDENTITY_DIFFERS,
};

/* Compares them. */
enum identity_evidence identity_compare(const struct casb_identity *a,
                                        const struct casb_identity *b);

#endif
