/* SPDX-License-Identifier: Apache-2.0 */
/* Members of a kubeconfig's objects, which anybody may have written. */
#ifndef KUBE_MEMBER_H
#define KUBE_MEMBER_H

#include "base/error.h"

#include <jansson.h>

/* What a member must be: JSON_STRING, JSON_ARRAY, JSON_OBJECT, or JSON_TRUE, which is true or
 * false. */
struct member {
    const char *key;
    json_type type;
};

/*
 * Checks an object's members by a table that ends with a NULL key; null is as absent, and what the
 * table does not name may be anything. CASB_EINVALID.
 */
int member_check(const json_t *object, const struct member *members, struct casb_error *err)
    _warn_unused_;

/* A string, borrowed from the object; NULL where it is absent, "", or anything else. */
const char *member_string(const json_t *object, const char *key);

#endif
