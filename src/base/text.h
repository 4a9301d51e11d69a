/* SPDX-License-Identifier: Apache-2.0 */
/* Strings from outside: cleaning, parsing and valid names. Pure and thread-safe. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/cleanup.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TEXT_LABEL_BYTES 64 /* a DNS-1123 label (RFC 1123, at most 63 characters) and its NUL */

/*
 * Copies text from outside into out[size] as one clean line of UTF-8: control characters,
 * escape sequences and Unicode's marks that break or reorder lines become a space (runs of white
 * space one, none at the ends), invalid bytes become '?', and what does not fit is cut at a
 * character's border with "..." at the end. Returns out.
 */
char *text_clean(char *out, size_t size, const char *text);
/* The same for `len` bytes, which may be NUL. */
char *text_clean_bytes(char *out, size_t size, const char *text, size_t len);

/* strdup() of a possible NULL: NULL gives NULL in *ret. Returns 0 or CASB_ENOMEM. */
int text_dup(const char *text, char **ret) _warn_unused_;

/* Equality where NULL equals only NULL. */
bool text_equal(const char *a, const char *b);

/* True for NULL and "". */
bool text_empty(const char *text);

/* Decimal digits only, the whole text, within [min, max]. Returns 0 or CASB_EINVALID. */
int text_parse_int(const char *text, int64_t min, int64_t max, int64_t *ret) _warn_unused_;

/*
 * A duration as in Go and systemd: one or more NUMBER UNIT, with units ms, s, m, h, d and whole
 * numbers: "90s", "1h30m". More than zero, at most 100 years. Gives nanoseconds.
 */
int text_parse_duration(const char *text, int64_t *ret_ns) _warn_unused_;

/*
 * Splits HOST or HOST:PORT, an IPv6 host in brackets where a port follows (bare "::1" is a host
 * too). host gets no brackets; *ret_port is `default_port` where none is given. The host must be
 * an IP address or a DNS name (RFC 1123, and '_' as in container names). Returns 0 or
 * CASB_EINVALID.
 */
int text_parse_address(const char *text, uint16_t default_port, char host[static 256],
                       uint16_t *ret_port) _warn_unused_;

/* Writes host:port, a host with ':' in brackets. Returns 0, or CASB_EINVALID where it is too long.
 */
int text_join_address(char *out, size_t size, const char *host, uint16_t port) _warn_unused_;

/*
 * A valid DNS-1123 label from any text: the text itself if it is one; else lower case, runs of
 * other characters as one '-', none at the ends, "x" where nothing is left, then '-' and ten
 * hexadecimal digits of SHA-256 over the text. Those are added to a text that already ends like
 * that, too, so that two different texts never share one. `max` is the most characters to use (16
 * to 63). Returns out; out of memory gives "", which nothing accepts as a name.
 */
char *text_label(char out[static TEXT_LABEL_BYTES], size_t max, const char *text);

/*
 * "<base>-<name>" as a label of at most 63 characters, by the rule of text_label(): the same for
 * the same pair, never the same for two different names under one base.
 */
char *text_label_join(char out[static TEXT_LABEL_BYTES], const char *base, const char *name);

/* Is this a DNS-1123 label? */
bool text_is_label(const char *text);

/* The candidate (a NULL-terminated list) nearest to `word` by edit distance; NULL: none is near. */
const char *text_nearest(const char *word, const char *const *candidates);

/* Lower-case hexadecimal SHA-256 of the bytes. Returns 0 or CASB_EFAILED. */
int text_sha256(const void *data, size_t len, char hex[static 65]) _warn_unused_;

#endif
