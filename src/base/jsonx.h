/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What jansson leaves to its users: getters by path, merge patch (RFC 7386), strict parsing, and
 * that nothing is lost without a word where memory runs out. json_load*(), json_pack() and
 * json_copy() are not to be used beside it.
 */
#ifndef BASE_JSONX_H
#define BASE_JSONX_H

#include "base/error.h"

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

/*
 * Getters by a path of keys with dots ("metadata.name"); a key with a dot in it needs
 * json_object_get(), and "" is the root. Results are borrowed. Where something is absent or of
 * another type: NULL, or `fallback`.
 */
const json_t *jsonx_get(const json_t *root, const char *path);
/* The same for a string. */
const char *jsonx_string(const json_t *root, const char *path);
/* The same for an object. */
const json_t *jsonx_object(const json_t *root, const char *path);
/* The same for an array. */
const json_t *jsonx_array(const json_t *root, const char *path);
/* The same for an integer. */
int64_t jsonx_int(const json_t *root, const char *path, int64_t fallback);
/* The same for true and false. */
bool jsonx_bool(const json_t *root, const char *path, bool fallback);

/*
 * Parses bytes from outside, an object or an array, by the rules of jsonread_value(); a byte order
 * mark before it is passed over (RFC 8259, 8.1). NUL in
 * strings is allowed, as whoever may write one string could else make all of the text unreadable;
 * read as a C string, such a one is cut there. `what` names it in the error ("answer of the API
 * server"; NULL: the caller does), which quotes nothing of it. The caller owns *ret. Returns 0,
 * CASB_EINVALID or CASB_ENOMEM.
 */
int jsonx_parse(const char *data, size_t len, const char *what, json_t **ret,
                struct casb_error *err) _warn_unused_;

/*
 * RFC 7386: the reference *target (of the caller, may be NULL) is replaced by one to what the patch
 * makes of it. Whoever else holds one to what it was sees no change, but shares the members that
 * the patch does not touch. The patch is only read, and shares nothing with *target after. Returns
 * 0, or CASB_ENOMEM with *target as it was.
 */
int jsonx_merge_patch(json_t **target, const json_t *patch) _warn_unused_;

/*
 * Builds a value, json_pack style. Returns 0, CASB_ENOMEM, or CASB_EINVALID for a NULL that is not
 * marked as possible, a text that is not UTF-8, a wrong format. The caller owns *ret.
 */
int jsonx_pack(json_t **ret, struct casb_error *err, const char *format, ...) _warn_unused_;

/* The same for arguments that are known to be good: NULL is out of memory. The caller owns it. */
json_t *jsonx_new(const char *format, ...) _warn_unused_;

/*
 * Compact text of a value, as jsontext_write() has it; the caller frees *ret. Returns 0 or
 * CASB_ENOMEM; a NULL value, as a function that ran out of memory gives, is one too.
 */
int jsonx_dump(const json_t *value, char **ret, struct casb_error *err) _warn_unused_;

/* Prints a value for people, and a line's end. NULL and errors as by jsonx_dump(), or CASB_EFAILED
 * where it could not be written. */
int jsonx_print(const json_t *value, FILE *out) _warn_unused_;

#endif
