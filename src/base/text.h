/* SPDX-License-Identifier: Apache-2.0 */
/* Strings from outside: cleaning, parsing and comparing them. Pure and thread-safe. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/cleanup.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Copies text from outside into out[size] as one clean line of UTF-8: control characters,
 * escape sequences and Unicode's marks that break or reorder lines become a space (runs of white
 * space one, none at the ends), invalid bytes become '?', and what does not fit is cut at a
 * character's border with "..." at the end, and what looks like a credential is overwritten
 * (redact()). Returns out.
 */
char *text_clean(char *out, size_t size, const char *text);
/* The same for `len` bytes, which may be NUL. */
char *text_clean_bytes(char *out, size_t size, const char *text, size_t len);

/* The length of the byte order mark (U+FEFF in UTF-8) with which some editors begin a text, or 0.
 */
size_t text_bom(const char *text, size_t len);

/*
 * Decodes the first character of `len` bytes of UTF-8 (RFC 3629). Returns its length, or 0 where
 * there is none.
 */
size_t text_utf8(const char *text, size_t len, uint32_t *ret);

/*
 * Is this a control character (C0, DEL, C1), or one of Unicode's marks that break or reorder lines
 * (UAX #9), with which a text can look like another one?
 */
bool text_is_control(uint32_t c);

/* One of these characters of ASCII, whatever the locale. */
static inline bool text_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool text_is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static inline bool text_is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

/* strdup() of a possible NULL: NULL gives NULL in *ret. Returns 0 or CASB_ENOMEM. */
int text_dup(const char *text, char **ret) _warn_unused_;

/* Equality where NULL equals only NULL. */
bool text_equal(const char *a, const char *b);

/* True for NULL and "". */
bool text_empty(const char *text);

/* Which one of the words of "a|b|c" the text is, from 0; -1: none. */
int text_word_index(const char *words, const char *text);

/* Decimal digits only, the whole text, within [min, max]. Returns 0 or CASB_EINVALID. */
int text_parse_int(const char *text, int64_t min, int64_t max, int64_t *ret) _warn_unused_;

/*
 * A duration as in Go and systemd: one or more NUMBER UNIT, with units ms, s, m, h, d and whole
 * numbers: "90s", "1h30m". More than zero, at most 100 years. Gives nanoseconds.
 */
int text_parse_duration(const char *text, int64_t *ret_ns) _warn_unused_;
/* The same, but it may be zero: "0s". */
int text_parse_duration_or_0(const char *text, int64_t *ret_ns) _warn_unused_;

/* The candidate (a NULL-terminated list) nearest to `word` by edit distance; NULL: none is near. */
const char *text_nearest(const char *word, const char *const *candidates);

/* Lower-case hexadecimal SHA-256 of the bytes. Returns 0 or CASB_EFAILED. */
int text_sha256(const void *data, size_t len, char hex[static 65]) _warn_unused_;

/* FNV-1a, 64 bits: of the same text the same in each process and version. */
uint64_t text_hash(const char *text);

#endif
