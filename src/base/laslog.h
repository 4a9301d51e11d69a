/* SPDX-License-Identifier: Apache-2.0 */
/* LAS public keys and the log that LAS prints them to (FACTS: "LAS"). Pure and thread-safe. */
#ifndef BASE_LASLOG_H
#define BASE_LASLOG_H

#include "base/cleanup.h"

#define LASLOG_KEY_BYTES 65 /* CASB_LAS_KEY_LENGTH digits and a NUL */

/*
 * Finds the last public key in a LAS log, which may be any bytes: 64 hexadecimal digits of either
 * case after the words "public key". Gives it in upper case. Returns 0, or CASB_ENOTFOUND; then
 * `key` is untouched.
 */
int laslog_parse_key(const char *text, size_t len, char key[static LASLOG_KEY_BYTES]) _warn_unused_;

/*
 * Copies text that is nothing but a key, in upper case. Returns 0, or CASB_EINVALID; then `key`
 * is untouched.
 */
int laslog_copy_key(const char *text, size_t len, char key[static LASLOG_KEY_BYTES]) _warn_unused_;

#endif
