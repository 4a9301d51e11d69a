/* SPDX-License-Identifier: Apache-2.0 */
/* What the log of LAS says of its machine (FACTS: "LAS", "SCONE 6 and 7"). Pure and thread-safe. */
#ifndef BASE_LASLOG_H
#define BASE_LASLOG_H

#include "base/cleanup.h"

#include <cas-backup/identity.h>

/*
 * Finds the last identity in a LAS log, which may be any bytes: 64 hexadecimal digits after the
 * words "public key", as LAS prints before 7.0, or 32 after "Intel QE ID", as it does since; of
 * either case. A key is given in upper case and a QE ID in lower case, as they are printed. Returns
 * 0, or CASB_ENOTFOUND; then *ret is untouched.
 */
int laslog_parse(const char *text, size_t len, struct casb_identity *ret) _warn_unused_;

/*
 * Takes text that is nothing but a public key, in upper case. Returns 0, or CASB_EINVALID; then
 * *ret is untouched.
 */
int laslog_take_key(const char *text, size_t len, struct casb_identity *ret) _warn_unused_;

#endif
