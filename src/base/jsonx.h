/* SPDX-License-Identifier: Apache-2.0 */
/* What jansson leaves to its users: getters by path, merge patch (RFC 7386), strict parsing. */
#ifndef BASE_JSONX_H
#define BASE_JSONX_H

#include "base/error.h"

#include <jansson.h>
#include <stdint.h>

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
 * Parses bytes from outside, an object or an array: duplicate keys and NUL in keys are refused,
 * nesting is bounded by jansson. NUL in other strings is allowed, as whoever may write one string
 * could else make all of the text unreadable; read as a C string, such a one is cut there. `what`
 * names it in the error ("answer of the API server"), which quotes nothing of it. The caller owns
 * *ret.
 */
int jsonx_parse(const char *data, size_t len, const char *what, json_t **ret,
                struct casb_error *err) _warn_unused_;

/* Did a parser of jansson's fail for lack of memory? The error must have started as {0}. */
bool jsonx_is_nomem(const json_error_t *error);

/*
 * RFC 7386: *target (owned by the caller, may be NULL) is changed in place or replaced, and so are
 * its members: whoever else holds a reference to them sees it. The patch is only read, and shares
 * nothing with *target after. Returns 0 or CASB_ENOMEM; then *target is of no use
 * but to be freed.
 */
int jsonx_merge_patch(json_t **target, const json_t *patch) _warn_unused_;

/*
 * Builds an object, json_pack style; NULL from json_pack is reported as out of memory or, for a
 * NULL string or a wrong format, as CASB_EINVALID. The caller owns *ret.
 */
int jsonx_pack(json_t **ret, struct casb_error *err, const char *format, ...) _warn_unused_;

/*
 * Has jansson wipe what it frees, in the whole process and for good: its parser works on copies of
 * the owner's key, of which nobody else knows. To be called before jansson is used at all.
 */
void jsonx_wipe_freed(void);

/* Compact text of a value; the caller frees *ret. Returns 0 or CASB_ENOMEM. */
int jsonx_dump(const json_t *value, char **ret, struct casb_error *err) _warn_unused_;

#endif
