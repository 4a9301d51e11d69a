/* SPDX-License-Identifier: Apache-2.0 */
#include "common/kube/member.h"

#include "base/text.h"

static const char *describe(json_type type)
{
    switch (type) {
    case JSON_STRING:
        return "a string";
    case JSON_ARRAY:
        return "a list";
    case JSON_OBJECT:
        return "an object";
    default:
        return "true or false";
    }
}

static bool is_of(const json_t *value, json_type type)
{
    return json_typeof(value) == type || (type == JSON_TRUE && json_is_false(value));
}

int member_check(const json_t *object, const struct member *members, struct casb_error *err)
{
    for (; members->key; members++) {
        const json_t *value = json_object_get(object, members->key);

        if (value && !json_is_null(value) && !is_of(value, members->type))
            return err_set(err, CASB_EINVALID, "%s must be %s", members->key,
                           describe(members->type));
    }
    return 0;
}

const char *member_string(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text_empty(text) ? NULL : text;
}
