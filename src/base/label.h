/* SPDX-License-Identifier: Apache-2.0 */
/* DNS-1123 labels, which may be names in a cluster. Pure and thread-safe. */
#ifndef BASE_LABEL_H
#define BASE_LABEL_H

#include <stdbool.h>
#include <stddef.h>

#define LABEL_BYTES 64 /* a DNS-1123 label (RFC 1123, at most 63 characters) and its NUL */

/*
 * A valid DNS-1123 label from any text: the text itself if it is one; else lower case, runs of
 * other characters as one '-', none at the ends, "x" where nothing is left, then '-' and ten
 * hexadecimal digits of SHA-256 over the text. Those are added to a text that already ends like
 * that, too, so that two different texts never share one. `max` is the most characters to use (16
 * to 63). Returns out; out of memory gives "", which nothing accepts as a name.
 */
char *label_make(char out[static LABEL_BYTES], size_t max, const char *text);

/*
 * "<base>-<name>" as a label of at most 63 characters, by the rule of label_make(): the same for
 * the same pair, never the same for two different names under one base.
 */
char *label_join(char out[static LABEL_BYTES], const char *base, const char *name);

/* Is this a DNS-1123 label? */
bool label_is_valid(const char *text);

#endif
