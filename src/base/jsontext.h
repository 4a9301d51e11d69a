/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON as text. jansson's own writer gives numbers 17 digits (0.1 becomes 0.10000000000000001) and
 * lets through what confuses a terminal. Thread-safe, and the same in every locale.
 */
#ifndef BASE_JSONTEXT_H
#define BASE_JSONTEXT_H

#include "base/buf.h"

#include <jansson.h>

/*
 * Appends a value of any type: on one line without blanks, or with `indent` blanks a level, one
 * member a line. A number is the shortest that reads back as the same double, in the form that Go's
 * encoding/json and so kubectl gives it (256 and not 256.0). Control characters and bidirectional
 * marks (text_is_control()) are escaped. Returns 0, CASB_ENOMEM, or CASB_EINVALID at the buffer's
 * limit; then the buffer holds a part of it.
 */
int jsontext_write(struct buf *out, const json_t *value, unsigned indent) _warn_unused_;

#endif
