/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON (RFC 8259) read into jansson's values. jansson's own parser is not used: where its buffer
 * cannot grow it leaves a character out and says nothing, or writes out of bounds (2.14).
 */
#ifndef BASE_JSONREAD_H
#define BASE_JSONREAD_H

#include "base/cleanup.h"

#include <jansson.h>
#include <stddef.h>

struct jsonread_fault {
    size_t at;           /* offset in the text */
    const char *problem; /* static, quotes nothing of the text; NULL: out of memory */
};

/*
 * Reads the value at the beginning of `len` bytes, after white space; *ret_len is where it ends,
 * and what follows is not looked at. A key may stand in an object once and have no NUL; an integer
 * that jansson cannot hold is a real, and one that no double can hold refused; nesting is bounded.
 * Returns 0, CASB_EINVALID or CASB_ENOMEM; then *ret_fault tells why. The caller owns *ret. Pure
 * and thread-safe.
 */
int jsonread_value(const char *text, size_t len, json_t **ret, size_t *ret_len,
                   struct jsonread_fault *ret_fault) _warn_unused_;

#endif
