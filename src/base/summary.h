/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is remembered of the last pass, as a JSON object, for the state plugins: one key a member,
 * as record.h has it. Pure and thread-safe.
 */
#ifndef BASE_SUMMARY_H
#define BASE_SUMMARY_H

#include "base/error.h"

#include <cas-backup/state.h>

#include <jansson.h>

/* Makes the object, which the caller owns. CASB_EINVALID where a string is not UTF-8. */
int summary_to_json(const struct casb_pass *pass, json_t **ret, struct casb_error *err)
    _warn_unused_;

/* The same as compact text, which the caller frees. */
int summary_to_text(const struct casb_pass *pass, char **ret, struct casb_error *err) _warn_unused_;

/*
 * Reads an object; the strings in *ret are borrowed from it. Unknown keys are ignored, and so are
 * damaged values: the next pass writes them anew. Anything but an object is nothing at all.
 */
void summary_from_json(const json_t *json, struct casb_pass *ret);

#endif
