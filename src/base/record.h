/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A record as a JSON object, for the state plugins: one key a member, in the members' names,
 * times in RFC 3339 UTC, the status as a word, flags as true, an identity by a key of its kind;
 * what is unknown or zero is left out, and so is the uid, by which whoever stores the object finds
 * it. Pure and thread-safe.
 */
#ifndef BASE_RECORD_H
#define BASE_RECORD_H

#include "base/error.h"

#include <cas-backup/state.h>

#include <jansson.h>
#include <stdbool.h>

/* Longest uid: that of a key in a ConfigMap (Kubernetes, "ConfigMap object"). */
#define RECORD_UID_LENGTH 253

/*
 * Can this be a uid everywhere, so also as a key of a ConfigMap: [-._a-zA-Z0-9]+, neither "." nor
 * with ".." in front?
 */
bool record_is_uid(const char *text);

/*
 * Makes the object, which the caller owns. The texts of error and reason are cleaned and cut;
 * CASB_EINVALID where another string is not UTF-8 or the uid is none.
 */
int record_to_json(const struct casb_record *record, json_t **ret, struct casb_error *err)
    _warn_unused_;

/*
 * Reads an object; the strings in *ret are borrowed from it and from `uid`. Unknown keys are
 * ignored. CASB_EINVALID, with what is wrong, where a known key has a damaged value.
 */
int record_from_json(const char *uid, const json_t *json, struct casb_record *ret,
                     struct casb_error *err) _warn_unused_;

/*
 * What a state plugin is asked to change, as one object: each uid with its record's compact text.
 * The caller owns *ret.
 */
int record_changes(const struct casb_record *records, size_t count, json_t **ret,
                   struct casb_error *err) _warn_unused_;
/* The same for records to be dropped: each uid with null. */
int record_drops(const char *const *uids, size_t count, json_t **ret, struct casb_error *err)
    _warn_unused_;

#endif
